// SPDX-License-Identifier: Apache-2.0
// X3: nobody of a team learns that a foreign customer exists. The test is the definition: everything that may be read is asked twice with a
// team's token that has every right, and between the two a whole foreign world comes: customers, events of new types, traits, merges,
// refused links, quarantine, objects, lists, journeys, consents, an erasure. No answer may have changed, in a word or in a count.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, operations, track } from './support.mjs';

const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
const time = { timestamp: NOW };
let kith, token, mine, upload, looked, job;
const keys = {};

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  for (const key of ['red', 'blue'])
    keys[key] = (await expect(kith, 201, 'POST', '/sources', { body: { key, name: key, kind: 'server', channel: key } })).write_key;
  await kith.batch(keys.red, [1, 2, 3].flatMap((n) => [
    identify(`red-${n}`, { name: `Red ${n}`, phone: `1380000111${n}`, city: 'town' }, time),
    track(`red-${n}`, 'Order Paid', { order_id: `r${n}`, revenue: '10.00', currency: 'CNY', channel: 'red' }, time),
  ]));
  await kith.settled();
  for (const key of ['red', 'blue']) await expect(kith, 200, 'PUT', `/teams/${key}`, { body: { events: [{ prop: 'channel', eq: key }], sources: [key] } });
  await expect(kith, 200, 'PUT', '/roles/all_reading', { body: { name: 'all', permissions: ['*'] } });
  const password = 'correct horse rita 9';
  await expect(kith, 200, 'PUT', '/users/rita', { body: { password, name: 'rita', roles: ['all_reading'], team: 'red' } });
  const session = await ask(kith, 'POST', '/session', { token: null, body: { login: 'rita', password } });
  token = (await expect(kith, 201, 'POST', '/tokens', { token: null, body: { name: 'rita' }, headers: { cookie: session.headers['set-cookie'][0].split(';')[0], 'x-kith-request': '1' } })).token;
  mine = (await expect(kith, 200, 'GET', '/customers/by/user_id/red-1')).one_id;
  const as = (status, method, path, body) => expect(kith, status, method, path, { token, body });
  await as(200, 'PUT', '/segments/red__buyers', { name: 'buyers', rule: { event: 'Order Paid' } });
  await as(200, 'PUT', '/segments/red__town', { name: 'town', rule: { event: 'Order Paid', last: '7d', measure: 'count', gte: 1 } });
  await as(200, 'PUT', '/tags/red__mark', { name: 'mark', values: [{ value: 'yes', rule: { event: 'Order Paid' } }] });
  await as(200, 'PUT', '/templates/red__hello', { channel: 'sms', template_id: 'T1', parts: { params: { name: 'x' } } });
  await as(200, 'PUT', '/journeys/red__hi', { name: 'hi', trigger: { type: 'event', event: 'Order Paid' }, start: 'pause', nodes: { pause: { type: 'wait', for: '1d' } } });
  await as(200, 'POST', '/journeys/red__hi/publish', {});
  const made = await imported(token, 'red', 'red');
  [upload, job] = [made.upload, made.id];
  looked = await sent(token, 'all', people);
  await expect(kith, 200, 'POST', '/clock', { body: { advance: '10m' } });
});
after(async () => kith?.remove());

/* A file of people: some of blue's, one of red's, one of nobody's. */
const people = ['13900002221', '13900002222', '13800001111', '13700009999'];
const mapping = {
  kind: 'events', columns: {}, zone: '+00:00', currency: 'CNY', key: '[order]', identifiers: [{ type: 'mobile', value: '[phone]' }],
  properties: { order_id: '[order]' }, events: [{ event: 'Order Paid', time: '[time]' }],
};
async function sent(token, name, phones) {
  const bytes = Buffer.from(`phone,order,time\n${phones.map((phone) => `${phone},${name}-${phone},${NOW}\n`).join('')}`);
  const { id } = await expect(kith, 201, 'POST', '/uploads', { token, body: { name: `${name}.csv`, size_bytes: bytes.length } });
  await expect(kith, 200, 'PUT', `/uploads/${id}?offset=0`, { token, body: bytes });
  return id;
}
async function imported(token, source, name) {
  const upload = await sent(token, name, people.slice(source === 'red' ? 2 : 0));
  const { id } = await expect(kith, 202, 'POST', '/imports', { token, body: { file: `upload:${upload}`, mapping, source } });
  await until('the import', async () => (await expect(kith, 200, 'GET', `/jobs/${id}`)).status === 'finished');
  return { upload, id };
}

const fillings = { one_id: () => mine, type: () => 'user_id', value: () => 'red-1', name: () => 'Order%20Paid', purpose: () => 'sms', version: () => '1' };
const keyOf = (path) =>
  path.startsWith('/api/v1/tags') ? 'red__mark' : path.startsWith('/api/v1/sources') ? 'red' : path.startsWith('/api/v1/teams') ? 'red'
    : path.startsWith('/api/v1/journeys') ? 'red__hi' : path.startsWith('/api/v1/templates') ? 'red__hello' : 'red__buyers';
const rule = { event: 'Order Paid' };
/* What is asked by a body and changes nothing. */
const asked = {
  previewSegment: { rule }, explainRule: { rule }, overlapSegments: { segments: ['red__buyers', 'red__town'] }, mapSegments: { segments: ['red__buyers', 'red__town'] },
  previewSegmentChange: { rule: { event: 'Order Paid', last: '30d' } }, previewTagChange: { values: [{ value: 'yes', rule: { event: 'Order Paid', last: '30d' } }] },
  previewTemplate: () => ({ customer: mine }), findCustomers: { rule }, searchCustomers: {}, profileSegment: {}, previewPolicy: {}, whatifIdentity: {}, previewImport: () => ({ file: `upload:${looked}`, mapping, source: 'red' }), detectImport: () => ({ file: `upload:${upload}` }), tryJourney: () => ({ customer: mine, event: { event: 'Order Paid', properties: { order_id: 'trial' } } }),
};
/* Its answer is of the process, of the asker's own session, or never ends. */
const apart = new Set(['getMetrics', 'streamLiveEvents', 'streamJob', 'getReady', 'getHealth', 'getSession', 'listTokens']);
const asksNothing = (one) => one.method === 'GET' || one.id in asked;

/* Names of properties, traits and kinds of objects are one dictionary for the house (docs/teams.md): that somebody used one is told. */
const dictionary = { '/plan/events': 'properties', '/traits': 'items', '/rules/catalogue': 'objects' };
function withoutNames(path, answer) {
  const member = Object.entries(dictionary).find(([part]) => path.includes(part))?.[1];
  const cut = (one) => (one === null || typeof one !== 'object' ? one : { ...one, ...(member in one && { [member]: [] }) });
  if (member === undefined) return answer;
  return Array.isArray(answer?.items) && member !== 'items' ? { ...answer, items: answer.items.map(cut) } : cut(answer);
}

/** What moves by itself: how long something took, when it was asked. */
function still(value) {
  if (Array.isArray(value)) return value.map(still);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !/^(elapsed|elapsed_ms|took_ms|as_of|uptime_s|uptime_seconds|last_used_at|instance|expires_at)$/.test(name)).map(([name, one]) => [name, still(one)]));
}

/* With nothing, and with each parameter that it takes and that could ask for more. */
function queriesOf(one) {
  const known = { limit: 100, query: 'blue', customer: mine, type: 'Sky Looked At', channel: 'blue', source: 'blue', key: 'blue__all', 'trait.city': 'elsewhere' };
  const names = (one.operation.parameters ?? []).filter((each) => each.in === 'query').map((each) => each.name);
  const needed = ['explainSegment', 'explainTag', 'explainJourney'].includes(one.id) ? [`customer=${mine}`] : [];
  return [[], ...names.filter((name) => name in known).map((name) => [`${name}=${encodeURIComponent(known[name])}`])].map((some) => `?${[...new Set([...needed, ...some])].join('&')}`.replace(/\?$/, ''));
}

async function snapshot() {
  const all = new Map();
  for (const one of operations.filter((each) => asksNothing(each) && !apart.has(each.id))) {
    const path = one.path.replace(/\{(\w+)\}/g, (_, name) => (name === 'key' ? keyOf(one.path) : name === 'id' && one.path.includes('/uploads/') ? upload : name === 'id' && one.path.includes('/jobs/') ? job : (fillings[name]?.() ?? '1')));
    const queries = one.method === 'GET' ? queriesOf(one) : [''];
    for (const query of queries) {
      const answer = await ask(kith, one.method, path + query, { token, body: typeof asked[one.id] === 'function' ? asked[one.id]() : asked[one.id], base: '', unchecked: true, headers: { 'x-forwarded-for': '203.0.113.9' } });
      all.set(`${one.method} ${path}${query}`, `${answer.status} ${JSON.stringify(still(withoutNames(one.path, answer.json) ?? answer.text))}`);
    }
  }
  return all;
}

async function foreignWorld() {
  await kith.batch(keys.blue, [1, 2, 3, 4, 5, 6, 7].flatMap((n) => [
    identify(`blue-${n}`, { name: `Blue ${n}`, phone: `1390000222${n}`, email: `blue${n}@qq.com`, shoe_size: n, city: 'elsewhere' }, time),
    track(`blue-${n}`, 'Order Paid', { order_id: `b${n}`, revenue: '99.00', currency: 'CNY', channel: 'blue', brand: 'azure' }, time),
    track(`blue-${n}`, 'Sky Looked At', { height: n, channel: 'blue' }, time),
    track(`blue-${n}`, 'Consent Granted', { purpose: 'marketing' }, time),
  ]));
  await kith.batch(keys.blue, [ // one phone of two known ones: they merge, or the link is refused; and what no plan takes
    identify('blue-1', { phone: '13900002222' }, time), { type: 'identify', userId: 'blue-8', messageId: 'b8', traits: { phone: '13900002223' }, ...time },
    track('blue-2', 'Order Paid', { order_id: 'future', revenue: 'ten', currency: 'CNY', channel: 'blue' }, { timestamp: '2031-01-01T00:00:00Z' }),
    { type: 'group', userId: 'blue-1', groupId: 'g-blue', messageId: 'g1', traits: { name: 'blue group' }, ...time },
  ]);
  await kith.settled();
  await imported(undefined, 'blue', 'blue');
  const done = (status, method, path, body) => expect(kith, status, method, path, { body });
  for (const key of ['blue__all', 'house-all']) await done(200, 'PUT', `/segments/${key}`, { name: key, rule });
  await done(200, 'PUT', '/tags/house-mark', { name: 'mark', values: [{ value: 'azure', rule }] });
  await done(200, 'PUT', '/journeys/blue__hi', { name: 'hi', trigger: { type: 'event', event: 'Order Paid' }, start: 'pause', nodes: { pause: { type: 'wait', for: '1d' } } });
  await done(200, 'POST', '/journeys/blue__hi/publish', {});
  await kith.batch(keys.blue, [track('blue-5', 'Order Paid', { order_id: 'b55', revenue: '9.00', currency: 'CNY', channel: 'blue' }, time)]);
  const { one_id } = await done(200, 'GET', '/customers/by/user_id/blue-7');
  const made = await done(201, 'POST', '/segments/house-all/exports', { format: 'jsonl', columns: ['one_id'] });
  await until('the export', async () => (await done(200, 'GET', `/exports/${made.id}`)).state === 'done');
  await done(201, 'POST', '/privacy/requests', { customer: one_id, kind: 'access' });
  await done(202, 'DELETE', `/customers/${(await done(200, 'GET', '/customers/by/user_id/blue-6')).one_id}?reason=test`);
  await done(200, 'PUT', '/objects/product/sky', { props: { name: 'sky' } }).catch(() => undefined);
  await kith.settled();
}

test('whoever is in a team is answered the same, whether a foreign world is there or not', { ...real, timeout: 300_000 }, async () => {
  await kith.flushed(); // the orders of the day are asked of the warehouse
  await snapshot(); // what is made when it is first asked for is there
  const before = await snapshot();
  const again = await snapshot();
  const moves = [...before].filter(([path, text]) => again.get(path) !== text).map(([path]) => path);
  await foreignWorld();
  const afterwards = await snapshot();
  const told = [...before].filter(([path, text]) => afterwards.get(path) !== text).map(([path, text]) => {
    const at = [...text].findIndex((letter, i) => letter !== afterwards.get(path)[i]);
    return `${path}\n  before …${text.slice(Math.max(0, at - 100), at + 200)}\n  after  …${afterwards.get(path).slice(Math.max(0, at - 100), at + 200)}`;
  });
  assert.deepEqual(moves, [], 'nothing moves by itself');
  const answered = [...before.values()].filter((text) => text.startsWith('200')).length;
  assert.ok(answered > 80, `most of it is answered: ${answered}`);
  assert.deepEqual(told, []);
});
