// SPDX-License-Identifier: Apache-2.0
// Issue 4: history over its budget. Two servers hear the same; one keeps hardly an event in memory, and says the same.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { expect, identify, track, users } from './support.mjs';

const real = { skip: missingBinary, timeout: 300_000 };
const NOW = '2026-06-18T02:00:00Z';
const PEOPLE = 400;
const servers = [];

before(async () => {
  if (missingBinary) return;
  for (const memory of ['1900M', '64K']) {
    const kith = await Kith.start({
      arguments: ['--virtual-clock', '--history-memory', memory],
      environment: { KITH_NOW: NOW },
    });
    await users(kith);
    servers.push({ kith, key: (await kith.source('shop')).write_key });
  }
});
after(async () => Promise.all(servers.map(({ kith }) => kith.remove())));

// The same numbers every time.
let state = 4;
const below = (limit) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state % limit;
};
const at = (days, minutes = 0) => new Date(Date.parse(NOW) - days * 86_400_000 + minutes * 60_000).toISOString();
const TYPES = ['Order Paid', 'Product Viewed', 'Product Added', 'Order Refunded'];

function history() {
  const events = [];
  for (let person = 0; person < PEOPLE; person++) {
    events.push(identify(`u${person}`, { city: ['上海', '北京', '杭州'][below(3)] }));
    for (let i = 0; i < 12; i++) {
      const type = TYPES[below(TYPES.length)];
      const days = below(300) + 1;
      const properties = { order_id: `o${person}-${below(5)}`, product_id: `p${below(40)}` };
      if (type.startsWith('Order')) Object.assign(properties, { revenue: `${below(900) + 1}.50`, currency: 'CNY' });
      // a third before she signed in: another node, merged with hers
      // a name with a point in it, one within another, and one that JSON escapes
      if (i % 4 === 0) Object.assign(properties, person % 2 ? { 'shop.city': '杭州' } : { shop: { city: '杭州' } }, { 'a"b': i });
      const event = track(`u${person}`, type, properties, { timestamp: at(days) });
      if (below(3) === 0) {
        delete event.userId;
        event.anonymousId = `a${person}`;
      }
      events.push(event);
    }
    events.push({ ...identify(`u${person}`, {}), anonymousId: `a${person}` });
  }
  return events;
}

const RULES = [
  { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 100000 },
  { event: 'Order Paid', net: true, measure: 'count', gte: 2 },
  { event: 'Order Paid', nth: 1, where: [{ prop: 'revenue', gte: 30000 }], last: '200d' },
  { event: 'Product Viewed', measure: 'distinct', of: 'product_id', gte: 3 },
  { all: [{ trait: 'city', eq: '上海' }, { event: 'Order Paid', last: '90d', eq: 0 }, { event: 'Order Paid', gte: 1 }] },
  { sequence: [{ event: 'Product Viewed' }, { event: 'Order Paid', same: 'product_id', absent: true }], within: '60d' },
  { event: 'Product Added', last: '30d', gte: 1 },
  { event: 'Product Added', where: [{ prop: 'shop.city', eq: '杭州' }], gte: 1 },
  { event: 'Product Viewed', where: [{ prop: 'a"b', gte: 4 }], gte: 1 },
  { event: 'Order Paid', where: [{ prop: 'product_id', starts_with: 'p1' }], measure: 'days', between: [1, 3] },
];
const both = (run) => Promise.all(servers.map(run));
const same = ([one, other], what) => assert.deepEqual(other, one, what);
const streamed = async (kith) =>
  Number(/^kith_audience_streamed_total (\d+)/m.exec(await (await fetch(`${kith.url}/metrics`)).text())?.[1] ?? 0);
/** How many are in, page by page. */
async function members({ kith }, key) {
  const ids = [];
  let cursor = '';
  do {
    const page = await expect(kith, 200, 'GET', `/segments/${key}/members?limit=200${cursor && `&cursor=${cursor}`}`);
    ids.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return ids.length;
}

test('previews: counts, conditions and reach are the same from memory and streamed', real, async () => {
  const events = history();
  for (let i = 0; i < events.length; i += 400)
    await both(({ kith, key }) => kith.batch(key, events.slice(i, i + 400)));
  await both(({ kith }) => kith.settled());
  for (const rule of RULES) {
    const answers = await both(async ({ kith }) => {
      const answer = await expect(kith, 200, 'POST', '/segments/preview', { body: { rule } });
      assert.equal(answer.partial, false);
      return { count: answer.count, conditions: answer.conditions, reachable: answer.reachable };
    });
    same(answers, JSON.stringify(rule));
    assert.ok(answers[0].count > 0, JSON.stringify(rule));
  }
  assert.ok(await streamed(servers[1].kith) > PEOPLE, 'something was streamed');
  assert.equal(await streamed(servers[0].kith), 0);
});

test('new definitions, then live ones: the same, also by what happens and by time', real, async () => {
  for (const [index, rule] of RULES.entries())
    same(await both(async ({ kith }) =>
      (await expect(kith, 200, 'PUT', `/segments/s${index}`, { body: { rule } })).count), JSON.stringify(rule));
  const score = { kind: 'score', max: 100, parts: [
    { name: 'spent', weight: 0.001, max: 60, measure: { event: 'Order Paid', measure: 'sum', of: 'revenue' } },
    { name: 'views', weight: 2, event: 'Product Viewed', max_per_day: 10, half_life: '60d' }] };
  const rfm = { kind: 'rfm', quantiles: 4, recency: { event: 'Order Paid', measure: 'recency' },
    frequency: { event: 'Order Paid', measure: 'count' }, monetary: { event: 'Order Paid', measure: 'sum', of: 'revenue' } };
  for (const [key, body] of [['score', score], ['rfm', rfm]])
    same(await both(async ({ kith }) => {
      const tag = await expect(kith, 200, 'PUT', `/tags/${key}`, { body });
      return { count: tag.count, sizes: tag.sizes, edges: tag.edges };
    }), key);
  const live = [];
  for (let person = 0; person < 60; person++)
    live.push(track(`u${person}`, TYPES[below(4)], { order_id: `n${person}`, product_id: `p${below(40)}`,
      revenue: `${below(500) + 1}.00`, currency: 'CNY' }, { timestamp: at(0) }));
  await both(({ kith, key }) => kith.batch(key, live));
  await both(({ kith }) => expect(kith, 200, 'POST', '/clock', { body: { advance: '20d' } }));
  for (const index of RULES.keys()) same(await both((server) => members(server, `s${index}`)), `members of s${index}`);
  for (let person = 0; person < PEOPLE; person += 13) {
    const of = (key) => both(async ({ kith }) => (await expect(kith, 200, 'GET', `/customers/by/user_id/u${person}`))[key]);
    same(await of('segments'), `segments of u${person}`);
    same(await of('tags'), `tags of u${person}`);
  }
});

test('why: read back as well', real, async () => {
  for (const person of [3, 77, 200])
    same(await both(async ({ kith }) => {
      const { one_id } = await expect(kith, 200, 'GET', `/customers/by/user_id/u${person}`);
      const why = await expect(kith, 200, 'GET', `/segments/s0/explain?customer=${one_id}`);
      return { holds: why.holds, conditions: why.rules[0].why.conditions.map(({ value, events }) => [value, events.length]) };
    }), `u${person}`);
});

test('after a kill and a restart with the small memory it is as before', real, async () => {
  const { kith } = servers[1];
  const before_ = await Promise.all(RULES.map((_, index) => members(servers[1], `s${index}`)));
  await kith.kill9();
  await kith.launch();
  assert.deepEqual(await Promise.all(RULES.map((_, index) => members(servers[1], `s${index}`))), before_);
});
