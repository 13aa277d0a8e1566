// SPDX-License-Identifier: Apache-2.0
// S22: what would happen. A draft over the last days with every policy on, from warehouse and tail; nothing of the live state moves;
// later the published journey is run over the same days and stands beside what really came.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { expect, refused, track, users } from './support.mjs';

let kith, shop;
const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
const PEOPLE = 24;
let now = Date.parse(NOW);

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  await users(kith);
  shop = await kith.source('shop');
});
after(async () => kith?.remove());

const say = (user, event, properties, more = {}) => kith.batch(shop.write_key,
  [track(user, event, properties, { timestamp: new Date(now).toISOString(), ...more })]);
const advance = async (text, ms) => {
  await expect(kith, 200, 'POST', '/clock', { body: { advance: text } });
  now += ms;
};
const hour = 3600_000;
const invite = {
  name: '邀请',
  trigger: { type: 'event', event: 'Order Paid', key: 'order_id' },
  exits: [{ name: 'refund', event: 'Order Refunded', same: 'order_id' }],
  start: 'wait',
  nodes: {
    wait: { type: 'wait', for: '2h', next: 'text' },
    text: { type: 'send', channel: 'sms', template: 'hello', next: 'gift' },
    gift: { type: 'coupon', coupon: 'gift', next: 'call' },
    call: { type: 'task', channel: 'call', template: 'talk', purpose: 'service' },
  },
};
const run = async (key, body) => {
  const begun = await expect(kith, 202, 'POST', `/journeys/${key}/whatif`, { body });
  return until('the run', async () => {
    const one = await expect(kith, 200, 'GET', `/journeys/${key}/whatif/${begun.id}`);
    assert.notEqual(one.state, 'failed', one.reason);
    return one.state === 'done' && one;
  });
};
const sum = (rows, member, where = {}) => rows
  .filter((row) => Object.entries(where).every(([name, value]) => row[name] === value))
  .reduce((all, row) => all + (row[member] ?? 0), 0);
const counts = (rows) => Object.fromEntries(rows.reduce((all, row) => {
  const key = `${row.node} ${row.status} ${row.reason}`.trim();
  return all.set(key, (all.get(key) ?? 0) + row.count);
}, new Map()));

test('a house with people, consents, accounts, and five days of orders', real, async () => {
  for (let i = 0; i < PEOPLE; i++) {
    await kith.batch(shop.write_key, [{
      type: 'identify', userId: `u${i}`, messageId: `i${i}`, timestamp: new Date(now).toISOString(),
      traits: { phone: `1381234${String(1000 + i)}` },
    }]);
    if (i % 4 !== 3) await say(`u${i}`, 'Consent Granted', { purpose: 'marketing' });
  }
  await expect(kith, 200, 'PUT', '/channels/texts', { body: { kind: 'sms_aliyun', settings: { default: true, cost: 5, access_key_id: 'a', access_key_secret: 'b', sign_name: 'S' } } });
  await expect(kith, 200, 'PUT', '/channels/calls', { body: { kind: 'call_center', settings: { default: true } } });
  await expect(kith, 200, 'PUT', '/channels/gifts', { body: { kind: 'coupon', settings: { default: true } } });
  await expect(kith, 200, 'PUT', '/templates/hello', { body: { channel: 'sms', template_id: 'T1', parts: { params: { name: 'x' } } } });
  await expect(kith, 200, 'PUT', '/templates/talk', { body: { channel: 'call', parts: { text: 'talk' } } });
  await expect(kith, 200, 'PUT', '/coupon-pools/gift', { body: { kind: 'generated', prefix: 'G', limit: 20 } });
  await expect(kith, 200, 'PUT', '/policy', { body: {
    frequency: [{ name: 'one text in two days', per: 'channel', value: 'sms', max: 1, window: '2d', over: 'drop' }],
  } });
  for (let day = 0; day < 5; day++) {
    for (let i = 0; i < PEOPLE; i += 2)
      await say(`u${i}`, 'Order Paid', { order_id: `o${day}-${i}`, revenue: '100.00' });
    await advance('1h', hour);
    await say('u0', 'Order Refunded', { order_id: `o${day}-0`, revenue: '100.00' });
    await advance('23h', 23 * hour);
  }
  await kith.flushed(); // from now on most of it is in the warehouse, the rest in the tail
});

test('the draft over these days: who enters, what is sent, what it costs, who would be over the cap', real, async () => {
  await expect(kith, 200, 'PUT', '/journeys/invite', { body: invite });
  const one = await run('invite', { days: 6, capacity: { tasks_per_day: 10 }, coupon_value: 500, results: { delivered: 1, read: 0, clicked: 0 } });
  const { result } = one;
  // 12 people buy on five days; u0's order is refunded within the hour
  assert.equal(result.report.entered, 60);
  assert.equal(result.customers, 12);
  const touches = counts(result.touches);
  // of the 12, u0's never come to the text; u3, u7 … of the odd ones do not buy, so all 11 others have agreed or not: 2, 6, 10 … have
  const agreed = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22].filter((i) => i % 4 !== 3).length;
  assert.equal(agreed, 11);
  // one text in two days: days 0, 2, 4 of five
  assert.equal(touches['text delivered'], 11 * 3);
  assert.equal(touches['text suppressed frequency_cap'], 11 * 2);
  assert.equal(touches['gift delivered'], 20);
  assert.equal(touches['gift failed pool_empty'], 55 - 20);
  assert.equal(sum(result.touches, 'count', { node: 'call' }), 55);
  const texts = result.money.kinds.find((kind) => kind.kind === 'sms_aliyun');
  assert.deepEqual(texts, { kind: 'sms_aliyun', count: 33, amount: 165 });
  assert.equal(result.money.kinds.find((kind) => kind.kind === 'coupon').amount, 20 * 500);
  assert.equal(result.advisers.tasks, 55);
  assert.equal(result.advisers.minutes, 55 * 5);
  assert.equal(result.advisers.days_over_capacity, 5);
  // eleven come on each of five days and ten are done: each day one more waits for the next
  assert.deepEqual(result.advisers.by_day.map((row) => row.put_off), [1, 2, 3, 4, 5]);
  assert.equal(result.advisers.put_off, 15);
  assert.equal(result.advisers.longest_wait_days, 1);
  assert.equal(result.coupon_pools.find((pool) => pool.key === 'gift').left, 0);
  const cap = result.caps.find((row) => row.reason === 'frequency_cap');
  assert.equal(cap.cap, 'one text in two days');
  assert.equal(cap.customers, 11);
  assert.equal(cap.touches, 22);
  assert.equal(sum(result.days, 'entered', { node: '$start' }), 60);
  assert.equal(sum(result.days, 'exited', { node: '$start' }), 60);
  const example = result.examples.find((row) => row.reason === 'frequency_cap');
  assert.equal((await expect(kith, 200, 'GET', `/customers/${example.one_id}`)).one_id, example.one_id);
  assert.ok(result.assumptions.some((one) => one.code === 'identities_today'));
  assert.ok(result.assumptions.every((one) => one.zh && one.en));
  // nothing of it is real
  assert.equal((await expect(kith, 200, 'GET', '/touches?journey=invite')).items.length, 0);
  assert.equal((await expect(kith, 200, 'GET', '/journeys/invite')).entered, 0);
  assert.equal((await expect(kith, 200, 'GET', '/coupon-pools')).items.find((pool) => pool.key === 'gift').given, 0);
});

test('a run that would take more memory than it may ends where it is, and says so; the server goes on', real, async () => {
  const { result } = await run('invite', { days: 6, memory_mb: 1 });
  assert.ok(Date.parse(result.until) < Date.parse(result.to), `${result.until} of ${result.to}`);
  assert.ok(result.report.entered < 60);
  assert.ok(result.assumptions.some((one) => one.code === 'cut'));
  // its reader may be anywhere when it ends
  for (let i = 0; i < 5; i++) {
    const again = (await run('invite', { days: 6, memory_mb: 1 })).result;
    assert.ok(again.assumptions.some((one) => one.code === 'cut'));
  }
  const problem = await refused(kith, 422, 'unprocessable', 'POST', '/journeys/invite/whatif', { body: { memory_mb: 4096 } });
  assert.equal(problem.errors[0].pointer, '/memory_mb');
});

test('another definition, not saved; what is wrong is said where it is', real, async () => {
  const other = structuredClone(invite);
  other.nodes.wait.for = '30m';
  const one = await run('invite', { days: 6, journey: other });
  // the refund comes too late now
  assert.equal(sum(one.result.touches, 'count', { node: 'text' }), 60);
  const problem = await refused(kith, 422, 'unprocessable', 'POST', '/journeys/invite/whatif', { body: { days: 0 } });
  assert.equal(problem.errors[0].pointer, '/days');
  await refused(kith, 404, 'not_found', 'POST', '/journeys/nothing/whatif', { body: {} });
  other.nodes.wait.nxt = 'text';
  const begun = await expect(kith, 202, 'POST', '/journeys/invite/whatif', { body: { journey: other } });
  const failed = await until('the end', async () => {
    const run = await expect(kith, 200, 'GET', `/journeys/invite/whatif/${begun.id}`);
    return run.state === 'failed' && run;
  });
  assert.equal(failed.pointer, '/nodes/wait/nxt');
});

test('beside what came: the published journey over the days that it lived', real, async () => {
  await expect(kith, 200, 'POST', '/journeys/invite/publish', { body: {} });
  await until('it', async () => (await expect(kith, 200, 'GET', '/journeys/invite')).state === 'live');
  const from = new Date(now).toISOString();
  for (let i = 0; i < PEOPLE; i += 3)
    await say(`u${i}`, 'Order Paid', { order_id: `p-${i}`, revenue: '100.00' });
  await advance('30m', hour / 2);
  await say('u3', 'Order Refunded', { order_id: 'p-3', revenue: '100.00' });
  await advance('1d', 24 * hour);
  const one = await run('invite', { from, version: 'published' });
  const beside = await expect(kith, 200, 'GET', `/journeys/invite/whatif/${one.id}/compare`);
  for (const row of beside.nodes) {
    assert.equal(row.simulated.entered, row.actual.entered, row.node);
    assert.equal(row.simulated.left, row.actual.left, row.node);
    assert.equal(row.simulated.exited, row.actual.exited, row.node);
  }
  assert.equal(beside.nodes.find((row) => row.node === '$start').actual.entered, 8);
});

test('runs are listed, kept over a restart, and removed', real, async () => {
  const before = await expect(kith, 200, 'GET', '/journeys/invite/whatif');
  assert.ok(before.items.length >= 3);
  const done = before.items.find((one) => one.state === 'done');
  await kith.stop();
  await kith.launch();
  const one = await expect(kith, 200, 'GET', `/journeys/invite/whatif/${done.id}`);
  assert.equal(one.state, 'done');
  assert.ok(one.result.report.nodes.length > 0);
  await expect(kith, 204, 'DELETE', `/journeys/invite/whatif/${done.id}`);
  await refused(kith, 404, 'not_found', 'GET', `/journeys/invite/whatif/${done.id}`);
});

test('a trial: one customer from now on, each step, each text as it would read, and the gate that would stop it; nothing is sent', real, async () => {
  await expect(kith, 200, 'PUT', '/templates/hello', { body: { channel: 'sms', template_id: 'T1', parts: { params: { name: '{{ one_id }}', order: '{{ event.order_id }}' } } } });
  const oneId = async (user) => (await expect(kith, 200, 'GET', `/customers/by/user_id/${user}`)).one_id;
  const sent = async () => (await expect(kith, 200, 'GET', '/touches?journey=invite')).items.length;
  const before = await sent();
  const [two, three] = [await oneId('u2'), await oneId('u3')]; // u3 never agreed
  const trial = await expect(kith, 200, 'POST', '/journeys/invite/trial', { body: { customer: two, event: { order_id: 'try-1', revenue: 1200 }, days: 5 } });
  assert.equal(trial.customer, two);
  assert.deepEqual(trial.entry, { allowed: true, reason: '' });
  assert.equal(trial.ended, true);
  assert.equal(trial.partial, false);
  assert.deepEqual(trial.steps.filter((one) => one.step === 'arrived').map((one) => one.node), ['wait', 'text', 'gift', 'call']);
  const start = Date.parse(trial.from);
  assert.equal(Date.parse(trial.steps.find((one) => one.node === 'text' && one.step === 'arrived').at) - start, 2 * hour);
  const touched = trial.steps.filter((one) => one.step === 'touched').map((one) => [one.node, trial.touches[one.touch].node, trial.touches[one.touch].status]);
  assert.deepEqual(touched.map((one) => one.slice(0, 2)), [['text', 'text'], ['gift', 'gift'], ['call', 'call']]);
  const text = trial.touches.find((one) => one.node === 'text');
  assert.equal(text.status, 'queued');
  assert.deepEqual(text.parts.params, { name: two, order: 'try-1' });
  assert.deepEqual(text.then.map((one) => one.status).slice(-1), ['delivered']);
  assert.ok(trial.assumptions.every((one) => one.zh && one.en));

  const refusedHers = await expect(kith, 200, 'POST', '/journeys/invite/trial', { body: { customer: three, event: { order_id: 'try-2' }, days: 5 } });
  const gate = refusedHers.touches.find((one) => one.node === 'text');
  assert.deepEqual([gate.status, gate.reason], ['suppressed', 'no_consent']);
  assert.equal(refusedHers.touches.find((one) => one.node === 'call').status, 'queued'); // a service needs no consent to marketing

  // another definition, whose entry she does not fulfil: that is said, and what would come all the same
  const picky = { ...structuredClone(invite), entry: { rule: { event: 'Order Paid', measure: 'count', gte: 1000 } } };
  picky.nodes.wait.for = '3d';
  const told = await expect(kith, 200, 'POST', '/journeys/invite/trial', { body: { customer: two, journey: picky, days: 2 } });
  assert.deepEqual(told.entry, { allowed: false, reason: 'rule' });
  assert.equal(told.ended, false);
  assert.deepEqual(told.touches, []);
  picky.nodes.wait.nxt = 'call';
  const wrong = await refused(kith, 422, 'unprocessable', 'POST', '/journeys/invite/trial', { body: { customer: two, journey: picky } });
  assert.equal(wrong.errors[0].pointer, '/nodes/wait/nxt');
  await refused(kith, 404, 'not_found', 'POST', '/journeys/nothing/trial', { body: { customer: two } });
  await refused(kith, 404, 'not_found', 'POST', '/journeys/invite/trial', { body: { customer: 'c_0000000000000' } });
  assert.equal(await sent(), before);
});

test('a trial: the event that is given has just happened, for rules, segments and other journeys', real, async () => {
  const she = (await expect(kith, 200, 'GET', '/customers/by/user_id/u1')).one_id; // she never bought
  const sum = (gte) => ({ event: 'Order Paid', measure: 'sum', of: 'revenue', gte });
  const ladder = {
    name: '首单', trigger: { type: 'event', event: 'Order Paid', key: 'order_id' },
    entry: { rule: { event: 'Order Paid', measure: 'count', eq: 1 } }, start: 'how',
    nodes: {
      how: { type: 'branch', cases: [{ rule: sum(50000), next: 'much' }, { rule: { event: 'Order Paid', where: [{ prop: 'order_id', eq: 'try-9' }], measure: 'count', gte: 1 }, next: 'known' }], otherwise: 'little' },
      much: { type: 'tag', tag: 'much', value: true }, known: { type: 'tag', tag: 'known', value: true },
      little: { type: 'wait', for: '1d' },
    },
  };
  for (const tag of ['much', 'known']) await expect(kith, 200, 'PUT', `/tags/${tag}`, { body: { name: tag, kind: 'manual', type: 'bool' } });
  // one that begins by the same event, and one by a segment that the event brings her into
  await expect(kith, 200, 'PUT', '/templates/service', { body: { channel: 'sms', template_id: 'T1', purpose: 'service', parts: { params: { name: '{{ event.order_id }}' } } } });
  await kith.put('/segments/rich', { name: '大单', rule: sum(50000) });
  const other = (trigger) => ({ name: 'other', trigger, start: 'say', nodes: { say: { type: 'send', channel: 'sms', template: 'service', purpose: 'service' } } });
  for (const [key, trigger] of [['beside', { type: 'event', event: 'Order Paid' }], ['rising', { type: 'segment', segment: 'rich', on: 'enter' }]]) {
    await expect(kith, 200, 'PUT', `/journeys/${key}`, { body: other(trigger) });
    await expect(kith, 200, 'POST', `/journeys/${key}/publish`, { body: {} });
    await until(`${key} to be live`, async () => (await kith.get(`/journeys/${key}`)).state === 'live');
  }
  await expect(kith, 200, 'PUT', '/journeys/ladder', { body: ladder });
  const trial = (event, more = {}) => expect(kith, 200, 'POST', '/journeys/ladder/trial', { body: { customer: she, days: 3, ...(event && { event }), ...more } });
  const nodes = (one, journey) => one.steps.filter((step) => step.journey === journey && step.step === 'arrived').map((step) => step.node);

  const nothing = await trial(); // she has no order: the first one is not this
  assert.deepEqual(nothing.entry, { allowed: false, reason: 'rule' });
  assert.deepEqual([nodes(nothing, 'ladder'), nodes(nothing, 'beside')], [['how', 'little'], []]);
  const small = await trial({ order_id: 'try-8', revenue: '499.99' });
  assert.deepEqual(small.entry, { allowed: true, reason: '' });
  assert.deepEqual([nodes(small, 'ladder'), nodes(small, 'beside'), nodes(small, 'rising')], [['how', 'little'], ['say'], []]);
  const named = await trial({ order_id: 'try-9', revenue: 10 });
  assert.deepEqual(nodes(named, 'ladder'), ['how', 'known']);
  const large = await trial({ order_id: 'try-9', revenue: 500.5 });
  assert.deepEqual([nodes(large, 'ladder'), nodes(large, 'beside'), nodes(large, 'rising')], [['how', 'much'], ['say'], ['say']]);
  assert.deepEqual([large.ended, large.partial], [true, false]);
  for (const step of large.steps.filter((one) => one.step === 'touched'))
    assert.equal(large.touches[step.touch].node, step.node);
  assert.equal(large.touches.find((touch) => touch.node === 'say').parts.params.name, 'try-9');
  assert.deepEqual((await expect(kith, 200, 'GET', '/customers/by/user_id/u1')).segments.includes('rich'), false, 'nothing of it is kept');
  for (const key of ['beside', 'rising']) assert.equal((await expect(kith, 200, 'GET', `/journeys/${key}/report`)).entered, 0);
});
