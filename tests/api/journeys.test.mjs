// SPDX-License-Identifier: Apache-2.0
// Journeys against the real binary: drafts, publishing, lives on the virtual clock, report and why; S4's list and invitation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { expect, identify, refused, track, users } from './support.mjs';

let kith, shop;
const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
let now = Date.parse(NOW);

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  await users(kith);
  shop = await kith.source('shop');
});
after(async () => kith?.remove());

const say = (user, event, properties) => kith.batch(shop.write_key,
  [track(user, event, properties, { timestamp: new Date(now).toISOString() })]);
const advance = async (text, ms) => {
  await expect(kith, 200, 'POST', '/clock', { body: { advance: text } });
  now += ms;
};
const put = (key, body) => expect(kith, 200, 'PUT', `/journeys/${key}`, { body });
const publish = async (key, body = {}) => {
  await expect(kith, 200, 'POST', `/journeys/${key}/publish`, { body });
  await until('it', async () => (await expect(kith, 200, 'GET', `/journeys/${key}`)).state === 'live');
};
const oneId = async (user) => (await expect(kith, 200, 'GET', `/customers/by/user_id/${user}`)).one_id;
const care = {
  name: '关怀',
  trigger: { type: 'event', event: 'Order Paid', key: 'order_id' },
  exits: [{ name: 'refund', event: 'Order Refunded', same: 'order_id' }],
  goals: [{ key: 'again', event: 'Order Paid', value: 'revenue', within: '10d' }],
  start: 'wait',
  nodes: {
    wait: { type: 'wait', for: '3d', at: '10:00', next: 'many' },
    many: { type: 'branch', cases: [{ rule: { event: 'Order Paid', measure: 'count', gte: 2 }, next: 'mark' }], otherwise: null },
    mark: { type: 'trait', trait: 'cared_for', value: true },
  },
};

test('catalogue and library are there, and every ready journey names its scene or none', real, async () => {
  const catalogue = await expect(kith, 200, 'GET', '/journeys/catalogue');
  assert.equal(catalogue.triggers.length, 8);
  assert.equal(catalogue.nodes.length, 18);
  assert.ok(catalogue.nodes.every((node) => node.text.zh && node.text.en && node.members.length > 0));
  const library = await expect(kith, 200, 'GET', '/journeys/library');
  assert.equal(library.items.length, 9);
});

test('a draft that cannot be is refused where it is wrong', real, async () => {
  await say('first', 'Order Paid', { order_id: 'o0', revenue: '1.00' });
  const wrong = structuredClone(care);
  wrong.nodes.wait.nxt = 'many';
  const problem = await refused(kith, 422, 'unprocessable', 'PUT', '/journeys/wrong', { body: wrong });
  assert.equal(problem.errors[0].pointer, '/nodes/wait/nxt');
  assert.match(problem.hint, /'next'/);
  const rule = structuredClone(care);
  rule.nodes.many.cases[0].rule.event = 'Order Payed';
  const other = await refused(kith, 422, 'unprocessable', 'PUT', '/journeys/wrong', { body: rule });
  assert.match(other.errors[0].pointer, /^\/nodes\/many\/cases\/0\/rule/);
  await refused(kith, 404, 'not_found', 'GET', '/journeys/wrong');
});

test('lives on the virtual clock, with report and why', real, async () => {
  await put('care', care);
  await publish('care');
  await say('ann', 'Order Paid', { order_id: 'a1', revenue: '10.00' });
  await say('bea', 'Order Paid', { order_id: 'b1', revenue: '20.00' });
  await say('bea', 'Order Paid', { order_id: 'b2', revenue: '30.00' });
  await say('cam', 'Order Paid', { order_id: 'c1', revenue: '40.00' });
  await say('cam', 'Order Refunded', { order_id: 'c1', revenue: '40.00' });
  const why = await expect(kith, 200, 'GET', `/journeys/care/explain?customer=${await oneId('ann')}`);
  assert.equal(why.is_in, true);
  assert.equal(why.positions[0].due, '2026-06-21T02:00:00.000Z');
  assert.match(why.positions[0].sentence.en, /'wait'/);
  const positions = await expect(kith, 200, 'GET', `/customers/${await oneId('bea')}/journeys`);
  assert.deepEqual(positions.items.map((one) => one.key), ['b1', 'b2']);
  const nobody = await expect(kith, 200, 'GET', `/journeys/care/explain?customer=${await oneId('first')}`);
  assert.equal(nobody.reason, 'trigger');
  await advance('4d', 4 * 86400000);
  const bea = await expect(kith, 200, 'GET', '/customers/by/user_id/bea');
  assert.equal(bea.traits.cared_for, true);
  assert.equal((await expect(kith, 200, 'GET', '/customers/by/user_id/ann')).traits.cared_for, undefined);
  const report = await expect(kith, 200, 'GET', '/journeys/care/report');
  assert.equal(report.entered, 4);
  assert.equal(report.inside, 0);
  assert.equal(report.nodes.find((node) => node.node === 'mark').entered, 2);
  assert.equal(report.goals[0].journey.reached, 1);
  assert.equal(report.goals[0].journey.value, 3000);
});

test('pause, resume, stop, by hand, moved, deleted', real, async () => {
  await put('hand', {
    name: 'By hand', trigger: { type: 'api' }, start: 'wait',
    nodes: { wait: { type: 'wait', for: '1d', next: 'mark' }, mark: { type: 'trait', trait: 'by_hand', value: 1 } },
  });
  await publish('hand', { ramp: 100 });
  const ann = await oneId('ann'), bea = await oneId('bea');
  const entered = await expect(kith, 200, 'POST', '/journeys/hand/enter', { body: { customers: [ann, bea] } });
  assert.ok(entered.results.every((one) => one.position > 0));
  const again = await expect(kith, 200, 'POST', '/journeys/hand/enter', { body: { customers: [ann] } });
  assert.equal(again.results[0].refusal, 'already_in');
  await expect(kith, 200, 'POST', '/journeys/hand/move', { body: { customer: bea, action: 'move', to: 'mark' } });
  assert.equal((await expect(kith, 200, 'GET', '/customers/by/user_id/bea')).traits.by_hand, 1);
  await expect(kith, 200, 'POST', '/journeys/hand/pause', { body: {} });
  await advance('2d', 2 * 86400000);
  assert.equal((await expect(kith, 200, 'GET', '/customers/by/user_id/ann')).traits.by_hand, undefined);
  await expect(kith, 200, 'POST', '/journeys/hand/resume', { body: {} });
  await until('it', async () => (await expect(kith, 200, 'GET', '/customers/by/user_id/ann')).traits.by_hand === 1);
  await expect(kith, 200, 'POST', '/journeys/hand/enter', { body: { customers: [ann] } });
  await refused(kith, 409, 'conflict', 'DELETE', '/journeys/hand');
  await expect(kith, 200, 'POST', '/journeys/hand/ramp', { body: { ramp: 10 } });
  await refused(kith, 403, 'forbidden', 'POST', '/journeys/hand/approve', { body: {} });
  await expect(kith, 200, 'POST', '/journeys/hand/stop', { body: { positions: 'exit' } });
  await until('it', async () => (await expect(kith, 200, 'GET', '/journeys/hand')).state === 'stopped');
  await expect(kith, 204, 'DELETE', '/journeys/hand');
  const list = await expect(kith, 200, 'GET', '/journeys');
  assert.deepEqual(list.items.map((one) => one.key), ['care']);
});

test('the calendar tells what went, what waits for its time, when people are let in, and what those in it will be sent', real, async () => {
  await kith.put('/channels/calls', { kind: 'call_center', settings: {} });
  await kith.put('/templates/ring', { name: 'ring', channel: 'call', parts: { text: 'please call' } });
  await kith.batch(shop.write_key, [identify('ann', { phone: '13900000001' }), identify('bea', { phone: '13900000002' })]);
  await kith.put('/segments/buyers', { name: 'Buyers', rule: { event: 'Order Paid', measure: 'count', gte: 1 } });
  const buyers = await until('the buyers', async () => {
    const one = await expect(kith, 200, 'GET', '/segments/buyers');
    return one.count === 4 && one;
  });
  const call = (next) => ({ type: 'task', channel: 'call', template: 'ring', purpose: 'service', transactional: true, ...(next && { next }) });
  await put('weekly', {
    name: '周日回访', trigger: { type: 'schedule', rrule: 'FREQ=WEEKLY;BYDAY=SU;BYHOUR=10;BYMINUTE=0', segment: 'buyers' },
    start: 'call', nodes: { call: call('wait'), wait: { type: 'wait', for: '2d', next: 'half' },
      half: { type: 'split', arms: [{ weight: 1, next: 'again' }, { weight: 3, next: null }] }, again: call() },
  });
  await publish('weekly');
  await put('later', { name: '稍后', trigger: { type: 'api' }, start: 'wait', nodes: { wait: { type: 'wait', for: '36h', next: 'call' }, call: call() } });
  await publish('later');
  await put('soon', { name: '即时', trigger: { type: 'event', event: 'Order Paid' }, start: 'call', nodes: { call: call() } });
  await publish('soon');
  const ann = await oneId('ann'), bea = await oneId('bea');
  await expect(kith, 200, 'POST', '/journeys/later/enter', { body: { customers: [ann, bea] } });
  const manual = { channel: 'call', template: 'ring', purpose: 'service', transactional: true, campaign: 'review' };
  await expect(kith, 200, 'POST', '/touches', { body: { ...manual, customers: [ann] } });
  const tomorrow = new Date(now + 86400000).toISOString();
  await expect(kith, 200, 'POST', '/touches', { body: { ...manual, customers: [bea], key: 'tomorrow', not_before: tomorrow } });
  await until('the first is out', async () => (await expect(kith, 200, 'GET', `/touches?customer=${ann}`)).items.some((one) => one.status !== 'queued' && one.status !== 'sending'));

  const day = (ms) => new Date(ms + 8 * 3600000).toISOString().slice(0, 10);
  const calendar = await expect(kith, 200, 'GET', `/calendar?from=${new Date(now - 3600000).toISOString()}`);
  assert.equal(calendar.zone, 'Asia/Shanghai');
  assert.equal(calendar.partial, false);
  const of = (kind, journey) => calendar.items.filter((one) => one.kind === kind && one.journey === journey);
  const hers = (kind) => calendar.items.filter((one) => one.kind === kind && one.campaign === 'review');
  assert.deepEqual(hers('sent').map((one) => [one.day, one.count, one.channel, one.template, one.at_most]), [[day(now), 1, 'call', 'ring', false]]);
  assert.deepEqual(hers('held').map((one) => [one.first_at, one.count, one.reason]), [[tomorrow, 1, 'not_yet']]);
  assert.deepEqual(of('waiting', 'later').map((one) => [one.day, one.node, one.count, one.channel, one.name]), [[day(now + 36 * 3600000), 'call', 2, 'call', '稍后']]);
  const runs = of('run', 'weekly'), sends = of('scheduled', 'weekly');
  assert.deepEqual(runs.map((one) => [new Date(one.first_at).getUTCDay(), one.first_at.slice(11, 16), one.count]), runs.map(() => [0, '02:00', buyers.count]));
  assert.ok(runs.length >= 4 && runs.length <= 5);
  assert.deepEqual(sends.filter((one) => one.node === 'call').map((one) => one.first_at), runs.map((one) => one.first_at));
  const again = sends.filter((one) => one.node === 'again');
  assert.ok(again.every((one) => one.count === 1 && one.at_most)); // a quarter of four
  assert.equal(Date.parse(again[0].first_at) - Date.parse(runs[0].first_at), 2 * 86400000);
  assert.deepEqual(calendar.triggered.filter((one) => one.channel).map((one) => [one.journey, one.node, one.trigger]), [['soon', 'call', 'event']]);

  const sms = await expect(kith, 200, 'GET', '/calendar?channel=sms');
  assert.deepEqual([sms.items, sms.triggered], [[], []]);
  await refused(kith, 400, 'invalid', 'GET', '/calendar?from=2026-06-18T00:00:00Z&to=2026-06-17T00:00:00Z');
  await refused(kith, 400, 'invalid', 'GET', '/calendar?from=soon');
});

test('P9: what an old touch said goes when its days are over; that it went, and to whom, stays', real, async () => {
  await expect(kith, 200, 'PUT', '/channels/calls', { body: { kind: 'call_center', settings: {} } });
  const ann = await oneId('ann');
  const ask = async (key) => {
    const { items: [{ id }] } = await expect(kith, 200, 'POST', '/touches', { body: { campaign: 'old', key, channel: 'call', purpose: 'service', customers: [ann], context: { why: 'a word of hers' } } });
    await until(`touch ${id} to be sent`, async () => (await expect(kith, 200, 'GET', `/touches/${id}`)).status === 'sent');
    return id;
  };
  const said = async (id) => JSON.stringify([await expect(kith, 200, 'GET', `/touches/${id}`), await expect(kith, 200, 'GET', '/tasks')]);
  const old = await ask('old');
  assert.match(await said(old), /a word of hers/);
  await advance('40d', 40 * 86400000);
  const young = await ask('young');
  await expect(kith, 200, 'PUT', '/retention', { body: { policy: { touches: 30 } } });
  const trial = await expect(kith, 200, 'POST', '/retention/run', { body: { dry_run: true } });
  assert.ok(trial.counts.touches >= 1, JSON.stringify(trial));
  const run = await expect(kith, 202, 'POST', '/retention/run', { body: {} });
  await until('the run to end', async () => (await expect(kith, 200, 'GET', `/jobs/${run.id}`)).state === 'finished');
  const left = await expect(kith, 200, 'GET', `/touches/${old}`);
  assert.ok(!JSON.stringify(left).includes('a word of hers'), JSON.stringify(left));
  assert.deepEqual([left.status, left.campaign, left.channel], ['sent', 'old', 'call']);
  assert.match(JSON.stringify(await expect(kith, 200, 'GET', `/touches/${young}`)), /a word of hers/);
});
