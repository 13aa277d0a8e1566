// SPDX-License-Identifier: Apache-2.0
// X3, X4: every route of the OpenAPI document with a foreign team's token, with ids of foreign things in path, query, body and
// bulk lists: what is foreign is answered as what does not exist, and no answer holds anything of a foreign customer.
// And the property behind it: what a team gets is what an unscoped user would get of a world in which nothing else is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, operations, track } from './support.mjs';

const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';

async function person(kith, login, team, roles) {
  const password = `correct horse ${login} 9`;
  await expect(kith, 200, 'PUT', `/users/${login}`, { body: { password, name: login, roles, team } });
  const session = await ask(kith, 'POST', '/session', { token: null, body: { login, password } });
  const cookie = session.headers['set-cookie'][0].split(';')[0];
  const made = await expect(kith, 201, 'POST', '/tokens', {
    token: null, body: { name: `${login} token` }, headers: { cookie, 'x-kith-request': '1' },
  });
  return made.token;
}

/** A server whose things it starts with are ended with it. */
const houses = [];
after(async () => Promise.all(houses.map((kith) => kith.remove())));
async function house() {
  const kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  houses.push(kith);
  kith.keys = {};
  for (const key of ['red', 'blue', 'green'])
    kith.keys[key] = (await expect(kith, 201, 'POST', '/sources', { body: { key, name: key, kind: 'server', channel: key } })).write_key;
  return kith;
}

// ---- the sweep ----

let kith, token;
const foreign = {}, own = {}, missing = { one_id: 'c_0000000000000', key: 'nothing-such', value: '13812340009', id: '987654', login: 'nobody' };
/** What only foreign customers have: it stands in no answer. */
const secrets = ['quintus', 'Quintus Secretus', '13812345678', '138****5678', 'order-of-quintus', 'city-of-quintus', 'brand-of-quintus'];

before(async () => {
  if (missingBinary) return;
  kith = await house();
  const time = { timestamp: NOW };
  await kith.batch(kith.keys.blue, [
    identify('quintus', { name: 'Quintus Secretus', phone: '13812345678', city: 'city-of-quintus' }, time),
    track('quintus', 'Order Paid', { order_id: 'order-of-quintus', revenue: '99.00', currency: 'CNY', brand: 'brand-of-quintus', channel: 'blue' }, time),
  ]);
  await kith.batch(kith.keys.red, [
    identify('own', { name: 'Own', phone: '13800001111', city: 'town' }, time),
    track('own', 'Order Paid', { order_id: 'order-of-own', revenue: '1.00', currency: 'CNY', channel: 'red' }, time),
  ]);
  await kith.settled();
  await expect(kith, 200, 'PUT', '/teams/red', { body: { events: [{ prop: 'channel', eq: 'red' }], sources: ['red'] } });
  await expect(kith, 200, 'PUT', '/teams/blue', { body: { events: [{ prop: 'channel', eq: 'blue' }], sources: ['blue'] } });
  foreign.one_id = (await expect(kith, 200, 'GET', '/customers/by/user_id/quintus')).one_id;
  own.one_id = (await expect(kith, 200, 'GET', '/customers/by/user_id/own')).one_id;
  secrets.push(foreign.one_id);
  for (const key of ['blue__list', 'whole-list'])
    await expect(kith, 200, 'PUT', `/segments/${key}`, { body: { rule: { event: 'Order Paid' } } });
  for (const key of ['blue__mark', 'whole-mark'])
    await expect(kith, 200, 'PUT', `/tags/${key}`, { body: { values: [{ value: 'brand-of-quintus', rule: { event: 'Order Paid' } }] } });
  await expect(kith, 200, 'PUT', '/segments/red__list', { body: { rule: { event: 'Order Paid' } } });
  foreign.export = (await expect(kith, 201, 'POST', '/segments/blue__list/exports', { body: { format: 'jsonl', columns: ['one_id'] } })).id;
  await until('the export to be written', async () => (await expect(kith, 200, 'GET', `/exports/${foreign.export}`)).state === 'done');
  token = await person(kith, 'rita', 'red', ['operator']);
});

const foreignKey = (path) =>
  path.startsWith('/api/v1/tags') ? ['blue__mark', 'whole-mark', 'blue__none']
    : path.startsWith('/api/v1/sources') ? ['blue', 'green', 'violet']
      : path.startsWith('/api/v1/teams') ? ['blue', 'blue', 'violet']
        : ['blue__list', 'whole-list', 'blue__none'];

/** The parameters of a path: foreign ones, and ones that are not there. */
function fillings(path) {
  const fill = (values) => path.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? 'nothing-such');
  const types = { type: 'mobile', kind: 'product', purpose: 'sms', name: 'Order%20Paid', code: 'none', account: 'none', prefix: '00000000', token: 'none' };
  if (path.includes('{one_id}')) return [[fill({ ...types, one_id: foreign.one_id }), foreign.one_id], [fill({ ...types, one_id: missing.one_id }), missing.one_id]];
  if (path.includes('{value}')) return [[fill({ ...types, value: '13812345678' }), '13812345678'], [fill({ ...types, value: missing.value }), missing.value]];
  if (path.includes('/exports/{id}')) return [[fill({ id: foreign.export }), foreign.export], [fill({ id: missing.id }), missing.id]];
  if (path.includes('{key}')) {
    const [one, , none] = foreignKey(path);
    return [[fill({ ...types, key: one }), one], [fill({ ...types, key: none }), none]];
  }
  return [[fill({ ...types, id: missing.id }), missing.id]];
}

/** Bodies with foreign ids in them, for routes that take one. */
const bodies = (id) => [
  {},
  { rule: { segment: 'blue__list' } },
  { rule: { tag: 'whole-mark', is_set: true } },
  { rule: { event: 'Order Paid', where: [{ prop: 'brand', eq: 'brand-of-quintus' }] } },
  { rule: { trait: 'city', eq: 'city-of-quintus' } },
  { segments: ['blue__list', 'whole-list'] },
  { segments: ['red__list', 'blue__list'] },
  { add: [id, { type: 'mobile', value: '13812345678' }], remove: [id] },
  { values: [{ customer: id, value: 'x' }, { customer: { type: 'user_id', value: 'quintus' }, value: 'x' }] },
  { customers: [id], customer: id, other: id, merge_id: 1, decision: 'merge', template: 'blue__x', channel: 'sms' },
  { columns: ['one_id', 'segment:blue__list', 'tag:whole-mark', 'trait:city', 'identifier:mobile'] },
  { kind: 'segment', key: 'blue__list', team: 'red', level: 'change' },
];
const queries = (id) => ['', `?customer=${id}`, `?query=${encodeURIComponent('quintus')}`, '?query=13812345678', `?query=${id}`, '?query=5678', '?trait.city=city-of-quintus', '?source=blue', '?after=0'];

// What must not happen while the sweep goes on: the walker's own session, the house's clock, or streams that never end.
const harmful = new Set(['signOut', 'streamLiveEvents', 'streamJob', 'changePassword', 'advanceClock', 'signIn', 'createToken']);

const mentions = (text, asked) => secrets.filter((secret) => !asked.includes(secret) && text.includes(secret));

for (const one of operations) {
  test(`${one.method} ${one.path} tells nothing of foreign customers`, real, async () => {
    if (harmful.has(one.id)) return;
    const send = (path, body) => ask(kith, one.method, path, {
      token, body, base: '', unchecked: true, headers: { 'x-forwarded-for': '203.0.113.9' },
    });
    for (const [path] of fillings(one.path)) {
      const list = one.operation.requestBody ? bodies(foreign.one_id).map((body) => ['', body])
        : one.method === 'GET' ? queries(foreign.one_id).map((query) => [query]) : [['']];
      for (const [query, body] of list) {
        const answer = await send(path + query, body);
        const asked = path + decodeURIComponent(query) + JSON.stringify(body ?? '');
        assert.deepEqual(mentions(answer.text, asked), [], `${path}${query} ${JSON.stringify(body)}: ${answer.text.slice(0, 600)}`);
        assert.ok(answer.status < 500 || answer.status === 503, `${answer.status} ${answer.text}`);
      }
    }
    const [hit, miss] = fillings(one.path);
    if (!miss) return;
    const body = one.operation.requestBody ? {} : undefined;
    const words = (answer, id) => `${answer.status} ${JSON.stringify(answer.json ?? answer.text).replaceAll(id, 'X')}`;
    assert.equal(words(await send(hit[0], body), hit[1]), words(await send(miss[0], body), miss[1]), 'foreign and missing');
  });
}

test('bulk lists: who is foreign is unknown, and nothing is changed for her', real, async () => {
  const as = (method, path, body) => expect(kith, 200, method, path, { token, body });
  await as('PUT', '/segments/red__hand', { kind: 'static' });
  const given = await as('POST', '/segments/red__hand/members', { add: [foreign.one_id, missing.one_id, own.one_id, { type: 'user_id', value: 'quintus' }] });
  assert.deepEqual(given, { changed: 1, unknown: 3 });
  assert.equal((await expect(kith, 200, 'GET', '/segments/red__hand')).count, 1);
  await as('PUT', '/tags/red__hand', { kind: 'manual', type: 'text' });
  const tagged = await as('POST', '/tags/red__hand/values', { values: [{ customer: foreign.one_id, value: 'x' }, { customer: own.one_id, value: 'y' }] });
  assert.deepEqual(tagged, { changed: 1, unknown: 1 });
  assert.equal((await expect(kith, 200, 'GET', `/customers/${foreign.one_id}`)).tags['red__hand'], undefined);
});

// ---- the property ----

/** A stream of numbers from a seed (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { below: (n) => Math.floor(next() * n), of: (list) => list[Math.floor(next() * list.length)], chance: (p) => next() < p };
}

const colours = ['red', 'blue', 'green'];
const seed = Number(process.env.KITH_SEED ?? 20260618);

function world(random) {
  const records = [];
  for (let c = 0; c < 24; c++) {
    const who = `p${c}`;
    for (const source of colours.filter(() => random.chance(0.5))) {
      records.push({ who, source, channel: source, event: identify(who, { [`city_${source}`]: random.of(['x', 'y', 'z']), [`name_${source}`]: who },
        { timestamp: NOW, messageId: `i-${who}-${source}` }) });
      for (let n = random.below(4); n > 0; n--)
        records.push({ who, source, channel: random.of(colours), props: { brand: random.of(['a', 'b']) },
          event: { type: random.of(['Order Paid', 'Product Viewed']), revenue: `${random.below(90) + 1}.00`, id: `e${records.length}` } });
    }
  }
  return records;
}

const scopes = (random) => {
  const colour = random.of(colours), brand = random.of(['a', 'b']);
  return [
    { team: { events: [{ prop: 'channel', eq: colour }] }, sees: (r) => r.channel === colour },
    { team: { events: [{ prop: 'brand', eq: brand }, { prop: 'channel', in: [colour, 'red'] }] },
      sees: (r) => r.props?.brand === brand && [colour, 'red'].includes(r.channel) },
    { team: { events: [{ prop: '$source', eq: colour }] }, sees: (r) => r.source === colour },
  ];
};

const asEvent = (record) => record.props
  ? track(record.who, record.event.type, { ...record.props, order_id: record.event.id, revenue: record.event.revenue, currency: 'CNY' },
    { timestamp: NOW, messageId: record.event.id, context: { channel: record.channel } })
  : record.event;

async function tell(kith, records) {
  for (const colour of colours) {
    const events = records.filter((record) => record.source === colour).map(asEvent);
    if (events.length > 0) await kith.batch(kith.keys[colour], events);
  }
  await kith.settled();
}

const rules = [
  { event: 'Order Paid' },
  { event: 'Order Paid', measure: 'count', gte: 2 },
  { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 6000 },
  { not: { event: 'Product Viewed' } },
  { any: [{ event: 'Order Paid', where: [{ prop: 'brand', eq: 'a' }] }, { event: 'Product Viewed', where: [{ prop: 'channel', eq: 'blue' }] }] },
  { sequence: [{ event: 'Product Viewed' }, { event: 'Order Paid' }], last: '7d' },
  { event: '*', measure: 'distinct', of: 'brand', gte: 2 },
];

/** All that a team gets, with customers by their user id and without what tells one world from the other: times and numbers. */
async function gets(kith, token, prefix) {
  const as = (status, method, path, body) => expect(kith, status, method, path, { token, body });
  const names = new Map();
  for (let c = 0; c < 24; c++) {
    const found = await ask(kith, 'GET', `/customers/by/user_id/p${c}`);
    if (found.status === 200) names.set(found.json.one_id, `p${c}`);
  }
  const list = (await as(200, 'GET', '/customers?limit=500')).items.map((one) => one.one_id);
  const all = {};
  for (const one_id of list) {
    const customer = await as(200, 'GET', `/customers/${one_id}`);
    const events = (await as(200, 'GET', `/customers/${one_id}/events?limit=500`)).items;
    all[names.get(one_id)] = { traits: customer.traits, tags: customer.tags, segments: customer.segments,
      summary: customer.summary.withheld ?? customer.summary.orders, events: events.map((event) => event.props.order_id ?? event.kind).sort() };
  }
  const named = (ids) => ids.map((one_id) => names.get(one_id) ?? `foreign ${one_id}`).sort();
  const previews = [];
  for (const rule of rules) {
    const answer = await as(200, 'POST', '/segments/preview', { rule });
    previews.push([answer.count, answer.base, answer.conditions.map((one) => one.count), named(answer.sample), answer.reachable ?? null]);
  }
  const segments = [];
  for (const [i, rule] of rules.entries()) {
    const key = `${prefix}__s${i}`;
    await as(200, 'PUT', `/segments/${key}`, { rule });
    segments.push([(await as(200, 'GET', `/segments/${key}`)).count, named((await as(200, 'GET', `/segments/${key}/members?limit=500`)).items)]);
    const { points } = await as(200, 'GET', `/segments/${key}/history`);
    segments.at(-1).push(points.at(-1).count, (await as(200, 'GET', `/segments/${key}/reach`)).count);
  }
  await as(200, 'PUT', `/tags/${prefix}__spent`, { kind: 'count', measure: { event: 'Order Paid', measure: 'sum', of: 'revenue' } });
  const spent = {};
  for (const one_id of list) spent[names.get(one_id)] = (await as(200, 'GET', `/customers/${one_id}`)).tags[`${prefix}__spent`] ?? null;
  const keys = rules.slice(0, 4).map((_, i) => `${prefix}__s${i}`);
  const overlap = await as(200, 'POST', '/segments/overlap', { segments: keys });
  const map = await as(200, 'POST', '/segments/map', { segments: keys });
  const profile = await as(200, 'GET', `/segments/${keys[0]}/profile`);
  return {
    customers: all, previews, segments, spent, overview: (await as(200, 'GET', '/overview')).customers,
    overlap: [overlap.segments, overlap.intersections], map: [map.segments.map((one) => one.count), map.pairs],
    profile: [profile.count, profile.base, profile.lines.filter((line) => line.kind !== 'trait' && line.kind !== 'consent').map((line) => [line.key, line.count, line.base]).sort()],
    lists: [(await as(200, 'GET', '/segments')).items.map((one) => [one.key, one.count]), (await as(200, 'GET', '/tags')).items.map((one) => [one.key, one.count])],
  };
}

test(`a team gets what it would get if nothing else were there (KITH_SEED=${seed})`, { ...real, timeout: 600_000 }, async () => {
  const numbers = random(seed);
  const records = world(numbers);
  const whole = await house();
  // Both worlds have the same plan: one of each, by somebody whom no team sees.
  const plan = ['Order Paid', 'Product Viewed'].map((type, i) => ({ who: 'planner', source: 'green', channel: 'none', props: { brand: 'none' }, event: { type, revenue: '1.00', id: `plan${i}` } }));
  await tell(whole, [...plan, ...records]);
  for (const [i, scope] of scopes(numbers).entries()) {
    if (scope.sees(plan[0])) continue; // the planner would be seen in both, and is no p
    const key = `t${i}`;
    const part = await house();
    const seen = records.filter((record) => scope.sees(record));
    const who = new Set(seen.map((record) => record.who));
    await tell(part, [...plan, ...seen]);
    const got = [];
    for (const one of [whole, part]) {
      await expect(one, 200, 'PUT', `/teams/${key}`, { body: scope.team });
      got.push(await gets(one, await person(one, `user${i}`, key, ['operator']), key));
    }
    assert.equal(Object.keys(got[0].customers).length, who.size, `${JSON.stringify(scope.team)}: who is seen`);
    assert.deepEqual(got[0], got[1], JSON.stringify(scope.team));
  }
});
