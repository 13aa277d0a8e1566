// SPDX-License-Identifier: Apache-2.0
// Segments against the real binary: S4 up to the membership, S33, definitions, previews, what was, comparisons.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, refused, track, users } from './support.mjs';

let kith, tokens, shop;
const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  tokens = await users(kith);
  shop = await kith.source('shop');
});
after(async () => kith?.remove());

const at = (minutes) => new Date(Date.parse(NOW) + minutes * 60_000).toISOString();
const order = (user, id, revenue, minutes = 0, more = {}) =>
  track(user, 'Order Paid', { order_id: id, revenue, currency: 'CNY', ...more }, { timestamp: at(minutes) });
const send = (...events) => kith.batch(shop.write_key, events);
const put = (key, body, options) => expect(kith, 200, 'PUT', `/segments/${key}`, { body, ...options });
const segmentsOf = async (user) => (await expect(kith, 200, 'GET', `/customers/by/user_id/${user}`)).segments;
const advance = (text) => expect(kith, 200, 'POST', '/clock', { body: { advance: text } });

test('a segment is computed at once and moves with the event that moves it', real, async () => {
  await send(
    identify('ann', { city: '上海', phone: '13800000001' }),
    identify('bob', { city: '北京' }),
    order('ann', 'o1', '199.00'),
    track('bob', 'Product Viewed', { product_id: 'p1' }, { timestamp: at(0) }),
  );
  const buyers = await put('buyers', { name: '买家', folder: '618', rule: { event: 'Order Paid', measure: 'count', gte: 1 } });
  assert.equal(buyers.state, 'live');
  assert.equal(buyers.count, 1);
  assert.deepEqual(await segmentsOf('ann'), ['buyers']);
  assert.deepEqual(await segmentsOf('bob'), []);
  await send(order('bob', 'o2', '5.00'));
  assert.deepEqual(await segmentsOf('bob'), ['buyers']);
  assert.equal((await expect(kith, 200, 'GET', '/segments/buyers')).count, 2);
  const list = await expect(kith, 200, 'GET', '/segments?folder=618');
  assert.deepEqual(list.items.map((one) => one.key), ['buyers']);
  assert.equal((await expect(kith, 200, 'GET', '/segments?query=nothing')).items.length, 0);
});

test('S4: she pays and is out of the list; she cancels and is in again', real, async () => {
  await put('return-sale', {
    rule: { all: [{ event: 'Product Added', last: '7d', measure: 'count', gte: 1 },
      { event: 'Order Paid', last: '1d', net: true, measure: 'count', eq: 0 }] },
  });
  await send(track('eve', 'Product Added', { product_id: 'p1' }, { timestamp: at(0) }));
  await put('return-sale', {
    rule: { all: [{ event: 'Product Added', last: '7d', measure: 'count', gte: 1 },
      { event: 'Order Paid', last: '1d', net: true, measure: 'count', eq: 0 }] },
  });
  assert.deepEqual(await segmentsOf('eve'), ['return-sale']);
  await advance('5m');
  await send(order('eve', 'o9', '100.00', 5));
  assert.deepEqual(await segmentsOf('eve'), ['buyers']);
  await advance('10m');
  await send(track('eve', 'Order Cancelled', { order_id: 'o9' }, { timestamp: at(15) }));
  assert.deepEqual((await segmentsOf('eve')).includes('return-sale'), true);
});

test('time alone: a window ends to the minute', real, async () => {
  await put('hot', { rule: { event: 'Product Viewed', last: '60m', measure: 'count', gte: 1 } });
  const now = (await expect(kith, 200, 'GET', '/segments/hot')).as_of;
  await send(track('tim', 'Product Viewed', {}, { timestamp: now }));
  assert.deepEqual(await segmentsOf('tim'), ['hot']);
  await advance('59m');
  assert.deepEqual(await segmentsOf('tim'), ['hot']);
  await advance('2m');
  assert.deepEqual(await segmentsOf('tim'), []);
  assert.equal((await expect(kith, 200, 'GET', '/segments/hot')).count, 0);
  const history = await expect(kith, 200, 'GET', `/segments/hot/history?from=${now}&step=1h`);
  assert.equal(history.points.reduce((sum, one) => sum + one.entered, 0), 2);   // bob viewed before it was defined
  assert.equal(history.points.reduce((sum, one) => sum + one.left, 0), 2);
  const later = new Date(Date.parse(now) + 30 * 60_000).toISOString();
  assert.equal((await expect(kith, 200, 'GET', `/segments/hot/members?at=${later}`)).items.length, 2);
  assert.equal((await expect(kith, 200, 'GET', '/segments/hot/members')).items.length, 0);
});

test('S33: a preview counts the rule, each condition, and who can be reached', real, async () => {
  const rule = { all: [{ event: 'Order Paid', measure: 'count', gte: 1 }, { trait: 'city', eq: '上海' }] };
  const first = await expect(kith, 200, 'POST', '/segments/preview', { body: { rule }, token: tokens.operator });
  assert.equal(first.count, 1);
  assert.equal(first.partial, false);
  const ann = await expect(kith, 200, 'GET', '/customers/by/user_id/ann');
  assert.deepEqual(first.sample, [ann.one_id]);
  assert.equal(first.conditions.length, 2);
  assert.equal(first.reachable.sms, 0);
  assert.equal(first.unreachable.sms.no_consent, 1);
  assert.equal(first.unreachable.wecom.no_identifier, 1);
  await expect(kith, 200, 'PUT', `/customers/${ann.one_id}/consent/sms`, { body: { granted: true } });
  const then = await expect(kith, 200, 'POST', '/segments/preview', { body: { rule } });
  assert.equal(then.reachable.sms, 1);
  assert.equal(then.reachable.call, 0);
});

test('what is wrong is refused with its place', real, async () => {
  const wrong = async (rule, pointer) => {
    const problem = await refused(kith, 422, 'unprocessable', 'POST', '/segments/preview', { body: { rule } });
    assert.match(problem.errors?.[0]?.pointer ?? problem.pointer ?? '', pointer, JSON.stringify(problem));
    return problem;
  };
  await wrong({ event: 'Order Payd', measure: 'count', gte: 1 }, /^\/rule/);
  await wrong({ segment: 'nobody' }, /^\/rule/);
  await wrong({ event: 'Order Paid', last: '0d', measure: 'count', gte: 1 }, /^\/rule/);
  await refused(kith, 422, 'unprocessable', 'PUT', '/segments/Bad%20Key', { body: { rule: { trait: 'city', is_set: true } } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/segments/x', { body: { kind: 'magic' } });
  await refused(kith, 403, 'forbidden', 'PUT', '/segments/x', { token: tokens.viewer, body: { rule: { trait: 'city', is_set: true } } });
  await refused(kith, 404, 'not_found', 'GET', '/segments/x');
  await refused(kith, 404, 'not_found', 'GET', '/segments/x/members');
  await refused(kith, 404, 'not_found', 'DELETE', '/segments/x');
});

test('static, upload, algebra, random, snapshot', real, async () => {
  await put('hand', { kind: 'static' });
  const given = await expect(kith, 200, 'POST', '/segments/hand/members', {
    body: { add: [{ type: 'user_id', value: 'ann' }, { type: 'user_id', value: 'nobody' }] },
  });
  assert.deepEqual(given, { changed: 1, unknown: 1 });
  assert.equal((await expect(kith, 200, 'GET', '/segments/hand')).count, 1);
  const both = await put('both', { kind: 'algebra', op: 'intersection', of: ['hand', 'buyers'] });
  assert.equal(both.count, 1);
  const rest = await put('rest', { kind: 'algebra', op: 'difference', of: ['buyers', 'hand'] });
  assert.equal(rest.count, (await expect(kith, 200, 'GET', '/segments/buyers')).count - 1);
  const a = await put('half-a', { kind: 'random', seed: 'spring', buckets: 2, from: 0, to: 1 });
  const b = await put('half-b', { kind: 'random', seed: 'spring', buckets: 2, from: 1, to: 2 });
  assert.ok(a.count + b.count >= 4);
  const frozen = await put('frozen', { kind: 'snapshot', of: 'buyers' });
  const before = frozen.count;
  await send(order('zoe', 'o77', '1.00', 80));
  assert.equal((await expect(kith, 200, 'GET', '/segments/frozen')).count, before);
  await expect(kith, 200, 'POST', '/segments/hand/members', { body: { remove: [{ type: 'user_id', value: 'ann' }] } });
  assert.equal((await expect(kith, 200, 'GET', '/segments/both')).count, 0);
  await refused(kith, 409, 'conflict', 'DELETE', '/segments/hand');
  await refused(kith, 422, 'unprocessable', 'PUT', '/segments/buyers', { body: { rule: { segment: 'both' } } });
  await expect(kith, 204, 'DELETE', '/segments/both');
});

test('before it is saved: who enters and leaves; then why, overlap, profile', real, async () => {
  const change = await expect(kith, 200, 'POST', '/segments/buyers/preview-change', {
    body: { rule: { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 10000 } },
  });
  assert.ok(change.leaves >= 1);
  assert.equal(change.enters, 0);
  const ann = await expect(kith, 200, 'GET', '/customers/by/user_id/ann');
  const why = await expect(kith, 200, 'GET', `/segments/buyers/explain?customer=${ann.one_id}`);
  assert.equal(why.holds, true);
  assert.equal(why.rules.length, 1);
  const overlap = await expect(kith, 200, 'POST', '/segments/overlap', { body: { segments: ['buyers', 'half-a', 'half-b'] } });
  assert.equal(overlap.intersections.length, 4);
  const pair = overlap.intersections.find((one) => one.of.join() === 'half-a,half-b');
  assert.equal(pair.count, 0);
  const profile = await expect(kith, 200, 'GET', '/segments/buyers/profile');
  assert.ok(profile.lines.length > 0);
  const catalogue = await expect(kith, 200, 'GET', '/rules/catalogue');
  assert.ok(Object.keys(catalogue).length > 0);
});

test('S33: beside a list how many can be reached, and why not the rest; reachable is a condition, too', real, async () => {
  const reach = await expect(kith, 200, 'GET', '/segments/buyers/reach');
  assert.equal(reach.count, (await expect(kith, 200, 'GET', '/segments/buyers')).count);
  for (const [channel, count] of Object.entries(reach.reachable)) {
    const rest = Object.values(reach.unreachable[channel]).reduce((sum, one) => sum + one, 0);
    assert.equal(count + rest, reach.count, channel);
  }
  const rule = { all: [{ segment: 'buyers' }, { reachable: 'sms' }] };
  assert.equal((await expect(kith, 200, 'POST', '/segments/preview', { body: { rule } })).count, reach.reachable.sms);
  const list = await put('by-sms', { rule });
  assert.equal(list.count, reach.reachable.sms);
  await send(identify('tom', { phone: '13800000077' }), order('tom', 'o77', '7.00', 79));
  assert.ok(!(await segmentsOf('tom')).includes('by-sms'));
  const tom = (await expect(kith, 200, 'GET', '/customers/by/user_id/tom')).one_id;
  const consent = (granted) => expect(kith, 200, 'PUT', `/customers/${tom}/consent/sms`, { body: { granted, evidence: 'asked' } });
  await consent(true);
  assert.ok((await segmentsOf('tom')).includes('by-sms'));
  await consent(false);
  assert.ok(!(await segmentsOf('tom')).includes('by-sms'));
  assert.ok((await expect(kith, 200, 'GET', '/segments/buyers/reach')).unreachable.sms.withdrawn >= 1);
  const wrong = await refused(kith, 422, 'unprocessable', 'POST', '/segments/preview', { body: { rule: { reachable: 'smss' } } });
  assert.match(JSON.stringify(wrong), /sms/);
});

test('a window begins when she entered a segment, also after a restart', real, async () => {
  const now = async () => (await expect(kith, 200, 'GET', '/segments/buyers')).as_of;
  const when = async () => ({ timestamp: await now() });
  await put('carts', { rule: { event: 'Product Added', last: '7d' } });
  await send(track('fay', 'Order Paid', { order_id: 'f1', revenue: '1.00', currency: 'CNY' }, await when()));
  await advance('1m');
  await send(track('fay', 'Product Added', { product_id: 'p1' }, await when()), track('gil', 'Product Added', { product_id: 'p1' }, await when()));
  const rule = { event: 'Order Paid', during: { since_entering: { segment: 'carts' } } };
  const since = await put('since', { rule });
  assert.equal(since.count, 0);
  await advance('1m');
  await send(track('fay', 'Order Paid', { order_id: 'f2', revenue: '1.00', currency: 'CNY' }, await when()));
  assert.ok((await segmentsOf('fay')).includes('since'));
  assert.equal((await expect(kith, 200, 'POST', '/segments/preview', { body: { rule } })).count, 1);
  await kith.kill9();
  await kith.launch();
  assert.ok((await segmentsOf('fay')).includes('since'));
  assert.ok(!(await segmentsOf('gil')).includes('since'));
  await refused(kith, 409, 'conflict', 'DELETE', '/segments/carts');
  await advance('8d'); // she leaves the carts, and with them the window
  assert.ok(!(await segmentsOf('fay')).includes('since'));
});

test('touches are conditions: events of the type $touch say what was sent, and what became of it', real, async () => {
  const stamp = async () => ({ timestamp: (await expect(kith, 200, 'GET', '/segments/buyers')).as_of });
  const touch = async (user, id, status) => track(user, '$touch',
    { $touch: id, $status: status, $journey: 'welcome', $template: 'hello' }, await stamp());
  await send(await touch('hal', 't1', 'queued'), await touch('ida', 't2', 'queued'));
  await advance('1m');
  await send(await touch('hal', 't1', 'delivered'));
  const count = async (rule) => (await expect(kith, 200, 'POST', '/segments/preview', { body: { rule } })).count;
  assert.equal(await count({ touch: { journey: 'welcome' }, last: '7d' }), 2);
  assert.equal(await count({ touch: { journey: 'welcome' }, status: 'delivered', last: '7d' }), 1);
  assert.equal(await count({ touch: { journey: 'welcome' }, status: 'queued' }), 1);
  assert.equal(await count({ touch: { journey: 'other' } }), 0);
  await put('welcomed', { rule: { touch: { template: 'hello' }, status: ['delivered', 'opened'] } });
  assert.ok(!(await segmentsOf('ida')).includes('welcomed'));
  await advance('1m');
  await send(await touch('ida', 't2', 'opened'));
  assert.ok((await segmentsOf('ida')).includes('welcomed'));
});

test('days are those of the workspace zone', real, async () => {
  const as = (await expect(kith, 200, 'GET', '/segments/buyers')).as_of;
  const midnight = Date.parse(as.slice(0, 10) + 'T00:00:00Z');
  const soon = new Date(Math.min(Date.parse(as), midnight + 60_000)).toISOString();
  await send(track('jan', 'Early Bird', {}, { timestamp: soon }));
  const rule = { event: 'Early Bird', where: { prop: '$hour', lt: 1 } };
  const early = await put('early', { rule }); // eight in the morning in Shanghai
  assert.equal(early.count, 0);
  await expect(kith, 200, 'PUT', '/settings/workspace.zone', { body: { value: 'UTC' } });
  await until('the list follows the zone', async () => (await expect(kith, 200, 'GET', '/segments/early')).count === 1);
  await expect(kith, 200, 'PUT', '/settings/workspace.zone', { body: { value: 'Asia/Shanghai' } });
  await until('and back', async () => (await expect(kith, 200, 'GET', '/segments/early')).count === 0);
});

test('all pairs of segments', real, async () => {
  const map = await expect(kith, 200, 'POST', '/segments/map', { body: {} });
  const place = (key) => map.segments.findIndex((one) => one.key === key);
  const both = (a, b) => map.pairs.find(([i, k]) => (i === a && k === b) || (i === b && k === a))?.[2] ?? 0;
  assert.equal(both(place('buyers'), place('by-sms')), map.segments[place('by-sms')].count);
  const two = await expect(kith, 200, 'POST', '/segments/map', { body: { segments: ['by-sms', 'buyers'] } });
  assert.deepEqual(two.segments.map((one) => one.key), ['by-sms', 'buyers']);
  await refused(kith, 422, 'unprocessable', 'POST', '/segments/map', { body: { segments: ['buyers', 'none'] } });
});

test('after a kill and a restart everything is as it was', real, async () => {
  const read = async () => ({
    list: (await expect(kith, 200, 'GET', '/segments')).items.map(({ key, count, version, state }) => ({ key, count, version, state })),
    ann: await segmentsOf('ann'),
  });
  const before = await read();
  await kith.kill9();
  await kith.launch();
  assert.deepEqual(await read(), before);
  await send(order('late', 'o99', '3.00', 80));
  assert.ok((await segmentsOf('late')).includes('buyers'));
});

test('why a rule that is not saved holds, of a one_id and of an identifier; $me is who asks', real, async () => {
  await send(identify('mia', { city: '上海', adviser_id: 'admin' }), order('mia', 'm1', '300.00', 90));
  const rule = { all: [{ event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 20000 }, { trait: 'city', eq: '上海' }] };
  const { one_id } = await expect(kith, 200, 'GET', '/customers/by/user_id/mia');
  const why = await expect(kith, 200, 'POST', '/rules/explain', { body: { rule, customer: one_id } });
  assert.equal(why.holds, true);
  assert.equal(why.rules[0].why.conditions[0].value, 30000);
  assert.match(why.rules[0].why.sentence.zh, /200/);
  const same = await expect(kith, 200, 'POST', '/rules/explain', { body: { rule, customer: { type: 'user_id', value: 'mia' } } });
  assert.deepEqual(same.rules, why.rules);
  const not = await expect(kith, 200, 'POST', '/rules/explain', { body: { rule, customer: { type: 'user_id', value: 'bob' } } });
  assert.equal(not.holds, false);
  await refused(kith, 404, 'not_found', 'POST', '/rules/explain', { body: { rule, customer: { type: 'user_id', value: 'nobody' } } });
  const wrong = await refused(kith, 422, 'unprocessable', 'POST', '/rules/explain', { body: { rule: { event: 'Order Payd' }, customer: one_id } });
  assert.match(JSON.stringify(wrong), /\/rule/);
  await refused(kith, 422, 'unprocessable', 'POST', '/rules/explain', { body: { rule, customer: {} } });
  const { user } = await (await expect(kith, 200, 'GET', '/session'));
  await send(identify('mia', { adviser_id: user.login }));
  const mine = { relation: 'adviser', eq: '$me' };
  assert.equal((await expect(kith, 200, 'POST', '/rules/explain', { body: { rule: mine, customer: one_id } })).holds, true);
  assert.equal((await expect(kith, 200, 'POST', '/segments/preview', { body: { rule: mine } })).count, 1);
  assert.equal((await expect(kith, 200, 'POST', '/segments/preview', { body: { rule: mine }, token: tokens.viewer })).count, 0);
});

test('since when she is in each segment and has each tag, and why', real, async () => {
  const { one_id } = await expect(kith, 200, 'GET', '/customers/by/user_id/mia');
  const { items } = await expect(kith, 200, 'GET', `/customers/${one_id}/memberships`);
  const shown = await expect(kith, 200, 'GET', `/customers/${one_id}`);
  assert.deepEqual(items.filter((one) => one.kind === 'segment').map((one) => one.key).sort(), [...shown.segments].sort());
  assert.deepEqual(items.filter((one) => one.kind === 'tag').map((one) => one.key).sort(), Object.keys(shown.tags).sort());
  const buyers = items.find((one) => one.key === 'buyers');
  assert.equal(buyers.cause, 'event');
  const at_ = await expect(kith, 200, 'GET', `/segments/buyers/members?limit=500&at=${encodeURIComponent(buyers.since)}`);
  assert.ok(at_.items.includes(one_id));
  const before_ = new Date(Date.parse(buyers.since) - 1).toISOString();
  const then = await expect(kith, 200, 'GET', `/segments/buyers/members?limit=500&at=${encodeURIComponent(before_)}`);
  assert.ok(!then.items.includes(one_id));
});

test('who uses a segment: definitions, and journeys by trigger and by condition', real, async () => {
  await put('watched', { rule: { event: 'Order Paid', gte: 1 } });
  await put('watching', { rule: { segment: 'watched' } });
  const graph = (trigger, rule) => ({ name: 'watching', trigger, start: 'split', nodes: {
    split: { type: 'branch', cases: [{ rule, next: 'mark' }], otherwise: null },
    mark: { type: 'trait', trait: 'seen', value: true } } });
  const journeys = {
    'by-entering': graph({ type: 'segment', segment: 'watched', on: 'enter' }, { trait: 'city', eq: '上海' }),
    'by-condition': graph({ type: 'api' }, { not: { any: [{ segment: 'watched' }, { trait: 'city', eq: '上海' }] } }),
    'without': graph({ type: 'api' }, { trait: 'city', eq: '上海' }),
  };
  for (const [key, body] of Object.entries(journeys)) {
    await expect(kith, 200, 'PUT', `/journeys/${key}`, { body });
    await expect(kith, 200, 'POST', `/journeys/${key}/publish`, { body: {} });
    await until('it is live', async () => (await expect(kith, 200, 'GET', `/journeys/${key}`)).state === 'live');
  }
  const { used_by } = await expect(kith, 200, 'GET', '/segments/watched');
  assert.deepEqual(used_by.map((one) => `${one.kind} ${one.key}`).sort(),
    ['journey by-condition', 'journey by-entering', 'segment watching']);
});
