// SPDX-License-Identifier: Apache-2.0
// X3, X4: a team imports its own files, as its own source. What it is told of them is the same whether the people in them are known
// to others or not; what it brings is in its view and in no other's; and nobody of another team reads or steers it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, refused, track } from './support.mjs';

const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
const time = { timestamp: NOW };
let kith;
const tokens = {};

async function person(login, team, roles) {
  const password = `correct horse ${login} 9`;
  await expect(kith, 200, 'PUT', `/users/${login}`, { body: { password, name: login, roles, team } });
  const session = await ask(kith, 'POST', '/session', { token: null, body: { login, password } });
  const cookie = session.headers['set-cookie'][0].split(';')[0];
  return (await expect(kith, 201, 'POST', '/tokens', { token: null, body: { name: login }, headers: { cookie, 'x-kith-request': '1' } })).token;
}

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  const keys = {};
  for (const key of ['red', 'blue'])
    keys[key] = (await expect(kith, 201, 'POST', '/sources', { body: { key, name: key, kind: 'server', channel: key } })).write_key;
  await kith.batch(keys.blue, [1, 2].flatMap((n) => [
    identify(`blue-${n}`, { phone: `1390000222${n}` }, time),
    track(`blue-${n}`, 'Order Paid', { order_id: `b${n}`, revenue: '99.00', currency: 'CNY' }, time),
  ]));
  await kith.batch(keys.red, [identify('red-1', { phone: '13800001111' }, time), track('red-1', 'Order Paid', { order_id: 'r1', revenue: '10.00', currency: 'CNY' }, time)]);
  await kith.settled();
  for (const key of ['red', 'blue']) await expect(kith, 200, 'PUT', `/teams/${key}`, { body: { events: [{ prop: 'channel', eq: key }], sources: [key] } });
  await expect(kith, 200, 'PUT', '/teams/numbers', { body: { events: [{ prop: '$source', eq: 'red' }], sources: [] } });
  for (const [login, team] of [['rita', 'red'], ['bert', 'blue'], ['nina', 'numbers']]) tokens[login] = await person(login, team, ['operator', 'developer']);
});
after(async () => kith?.remove());

const as = (login, status, method, path, body) => expect(kith, status, method, path, { token: tokens[login], body });
const no = (login, status, code, method, path, body) => refused(kith, status, code, method, path, { token: tokens[login], body });

async function upload(login, text) {
  const made = await as(login, 201, 'POST', '/uploads', { name: 'orders.csv', size_bytes: Buffer.byteLength(text) });
  await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=0`, { token: tokens[login], body: Buffer.from(text) });
  return made.id;
}
const header = 'phone,order,amount,channel,time\n';
const file = (phones) => header + phones.map((phone, i) => `${phone},o-${phone}-${i},12.00,,${NOW}\n`).join('');
const mapping = {
  kind: 'events', columns: {}, zone: '+00:00', currency: 'CNY', key: '[order]',
  identifiers: [{ type: 'mobile', value: '[phone]' }],
  properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' } },
  events: [{ event: 'Order Paid', time: '[time]' }],
};

async function finished(login, id) {
  let job;
  await until('the import', async () => {
    job = await as(login, 200, 'GET', `/jobs/${id}`);
    return ['finished', 'failed', 'undone'].includes(job.status);
  });
  return job;
}
const countOf = async (login) => (await as(login, 200, 'POST', '/segments/preview', { rule: { event: 'Order Paid' } })).count;

test('a preview says of foreign customers what it says of nobody', real, async () => {
  const look = async (phones) => (await as('rita', 200, 'POST', '/imports/preview', { file: `upload:${await upload('rita', file(phones))}`, mapping, source: 'red' }));
  const foreign = await look(['13900002221', '13900002222', '13800001111']);
  const unknown = await look(['13700003331', '13700003332', '13800001111']);
  assert.deepEqual(foreign.customers, { created: 2, found: 1, merged: 0 });
  assert.deepEqual(foreign.customers, unknown.customers);
  const whole = await expect(kith, 200, 'POST', '/imports/preview', { body: { file: `upload:${await upload('rita', file(['13900002221', '13900002222', '13800001111']))}`, mapping } });
  assert.deepEqual(whole.customers, { created: 0, found: 3, merged: 0 }, 'who sees the whole is told');
});

test('a team imports, sees what it brought and nothing of whom others know, and takes it back', real, async () => {
  const began = await countOf('rita');
  const bertBegan = await countOf('bert');
  const content = file(['13900002221', '13700004441', '13800001111']);
  const made = await as('rita', 202, 'POST', '/imports', { file: `upload:${await upload('rita', content)}`, mapping, source: 'red' });
  assert.equal(made.unchanged, false);
  assert.equal(made.job.team, 'red');
  assert.equal(made.job.data_set, 'red__red');
  const job = await finished('rita', made.id);
  assert.equal(job.status, 'finished', job.reason);
  assert.deepEqual(job.counts, { rows: 3, events: 3, refused: 0, duplicates: 0, replaced: 0, applied: 0, quarantined: 0, customers: 0, merges: 0, withheld: true });
  const whole = await expect(kith, 200, 'GET', `/jobs/${made.id}`);
  assert.deepEqual([whole.counts.applied, whole.counts.customers, whole.counts.withheld], [3, 1, undefined]);
  await kith.settled();
  assert.equal(await countOf('rita'), began + 2, 'by the channel of its source, what it brought is in its view');
  assert.equal(await countOf('bert'), bertBegan, 'and in no other');
  const shared = await as('rita', 200, 'GET', '/customers/by/mobile/13900002221');
  assert.ok(shared.identifiers.every((one) => one.type !== 'user_id'), 'not what others told');
  assert.ok((await as('rita', 200, 'GET', `/customers/${shared.one_id}/events`)).items.every((one) => one.props.order_id.startsWith('o-139')));

  const again = await as('rita', 202, 'POST', '/imports', { file: `upload:${await upload('rita', content)}`, mapping, source: 'red' });
  assert.deepEqual([again.unchanged, again.id], [true, made.id]);
  const others = await as('bert', 202, 'POST', '/imports', { file: `upload:${await upload('bert', content)}`, mapping, source: 'blue', data_set: 'red' });
  assert.equal(others.unchanged, false, 'another team is not told that the file was there');
  assert.equal((await finished('bert', others.id)).counts.duplicates, 0);
  assert.deepEqual((await as('bert', 200, 'GET', '/imports')).items.map((one) => one.id), [others.id]);
  assert.deepEqual((await as('rita', 200, 'GET', '/imports')).items.map((one) => one.id), [made.id]);

  await as('rita', 202, 'POST', `/imports/${made.id}/undo`, {});
  assert.equal((await finished('rita', made.id)).status, 'undone');
  await kith.settled();
  assert.equal(await countOf('rita'), began);
});

test('what a team would not see it may not tell', real, async () => {
  const own = { ...mapping, channel: '[channel]' };
  const content = `${header}13700005551,c1,1.00,red,${NOW}\n13700005552,c2,1.00,blue,${NOW}\n13700005553,c3,1.00,,${NOW}\n`;
  const id = await upload('rita', content);
  const preview = await as('rita', 200, 'POST', '/imports/preview', { file: `upload:${id}`, mapping: own, source: 'red' });
  assert.deepEqual([preview.events, preview.refused, preview.refusals[0].code], [2, 1, 'not_yours']);
  const before = await countOf('bert');
  const made = await as('rita', 202, 'POST', '/imports', { file: `upload:${id}`, mapping: own, source: 'red' });
  const job = await finished('rita', made.id);
  assert.deepEqual([job.status, job.counts.events, job.counts.refused], ['finished', 2, 1]);
  assert.match((await ask(kith, 'GET', `/jobs/${made.id}/refused`, { token: tokens.rita })).text, /not_yours/);
  await kith.settled();
  assert.equal(await countOf('bert'), before);
  await no('rita', 422, 'unprocessable', 'POST', '/imports', { file: `upload:${id}`, mapping: { ...mapping, objects: [{ kind: 'product', id: '[order]' }] }, source: 'red' });
});

test('another team\'s uploads, jobs, sources and mappings are not there', real, async () => {
  const id = await upload('rita', file(['13700006661']));
  const made = await as('rita', 202, 'POST', '/imports', { file: `upload:${id}`, mapping, source: 'red', name: 'mine' });
  await finished('rita', made.id);
  const none = '0'.repeat(32);
  const words = (problem) => `${problem.code} ${problem.detail}`.replace(/'[^']*'/g, "'X'");
  for (const [method, path, body] of [
    ['GET', (job) => `/jobs/${job}`], ['GET', (job) => `/jobs/${job}/stream`], ['GET', (job) => `/jobs/${job}/refused`], ['POST', (job) => `/jobs/${job}/pause`, {}],
    ['POST', (job) => `/jobs/${job}/resume`, {}], ['POST', (job) => `/jobs/${job}/cancel`, {}], ['POST', (job) => `/imports/${job}/undo`, {}],
  ]) {
    const there = await no('bert', 404, 'not_found', method, path(made.id), body);
    assert.equal(words(there), words(await no('bert', 404, 'not_found', method, path(99999), body)), path(made.id));
  }
  for (const [method, path, body] of [
    ['GET', (upload) => `/uploads/${upload}`], ['PUT', (upload) => `/uploads/${upload}?offset=0`, 'x'], ['DELETE', (upload) => `/uploads/${upload}`],
    ['POST', () => '/imports/detect', (upload) => ({ file: `upload:${upload}` })], ['POST', () => '/imports/preview', (upload) => ({ file: `upload:${upload}`, mapping })],
    ['POST', () => '/imports', (upload) => ({ file: `upload:${upload}`, mapping, source: 'blue' })],
  ]) {
    const send = (upload) => no('bert', 404, 'not_found', method, path(upload), typeof body === 'function' ? body(upload) : body);
    assert.equal(words(await send(id)), words(await send(none)), path(id));
  }
  const mine = await upload('bert', file(['13700006662']));
  const foreign = await no('bert', 422, 'unprocessable', 'POST', '/imports', { file: `upload:${mine}`, mapping, source: 'red' });
  assert.equal(words(foreign), words(await no('bert', 422, 'unprocessable', 'POST', '/imports', { file: `upload:${mine}`, mapping, source: 'none' })));
  await no('bert', 422, 'unprocessable', 'POST', '/imports', { file: `upload:${mine}`, mapping });
  await no('bert', 403, 'forbidden', 'POST', '/imports/detect', { file: 'path:orders.csv' });
  await as('rita', 200, 'PUT', '/mappings/red__orders', { mapping });
  await no('bert', 404, 'not_found', 'POST', '/imports', { file: `upload:${mine}`, mapping_key: 'red__orders', source: 'blue' });
  const cure = await no('nina', 403, 'forbidden', 'POST', '/imports', { file: `upload:${await upload('nina', file(['13700006663']))}`, mapping, source: 'red' });
  assert.match(cure.hint, /channel/);
  const lines = (await expect(kith, 200, 'GET', '/audit?action=team.refuse&limit=100')).items;
  assert.ok(lines.some((line) => line.user === 'bert' && line.object === String(made.id)), 'refusals stand in the audit');
});
