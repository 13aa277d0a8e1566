// SPDX-License-Identifier: Apache-2.0
// What Home shows is summed up from memory: it says what the warehouse would, at once, and follows merges and erasures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { askWarehouse } from '../support/warehouse.mjs';
import { expect, identify, track } from './support.mjs';

const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
const channels = ['wecom', 'tmall', 'app'];
const source = {};
let kith, count = 0;

const at = (timestamp) => ({ timestamp });
async function send(channel, events) {
  await kith.batch(source[channel].write_key, events);
  count += events.length;
}
const paid = (user, order_id, revenue, more = {}, time = NOW) =>
  track(user, 'Order Paid', { ...(order_id ? { order_id } : {}), revenue, currency: 'CNY', ...more }, at(time));
const lines = async () => (await expect(kith, 200, 'GET', '/today')).revenue.map((one) => [one.currency, one.orders, one.net, one.refunded]);
const overview = () => expect(kith, 200, 'GET', '/overview');
/** A figure is shown for some seconds before it is made anew. */
const soon = (what, wanted, ask) =>
  until(what, async () => {
    const found = await ask();
    assert.deepEqual(found, wanted);
    return true;
  }, { everyMs: 200 });

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  for (const key of channels) source[key] = await expect(kith, 201, 'POST', '/sources', { body: { key, name: key, kind: 'server', channel: key } });
});
after(() => kith?.stop({ remove: true }));

test('orders of the day, each once, net of what went back', real, async () => {
  await send('tmall', [
    paid('ann', 'o1', '10.00'), track('ann', 'Order Completed', { order_id: 'o1', revenue: '11.00', currency: 'CNY' }, at('2026-06-18T01:59:00Z')),
    paid('ann', 'o2', '20.00'), track('ann', 'Order Cancelled', { order_id: 'o2' }, at(NOW)),
    paid('bea', 'o3', '30.00'), track('bea', 'Order Refunded', { order_id: 'o3' }, at(NOW)), // all of it: no order, 30.00 refunded
    paid('bea', 'o4', '40.00'), track('bea', 'Order Refunded', { order_id: 'o4', total: '15.00', currency: 'CNY' }, at(NOW)),
    paid('cleo', '', '5.00'), paid('cleo', '', '5.00'),
    paid('cleo', 'o5', '7.00', { currency: 'USD' }),
    paid('cleo', 'o6', '60.00', {}, '2026-06-17T15:59:59.999Z'), // a millisecond before midnight in Shanghai
    paid('cleo', 'o7', '70.00', {}, '2026-06-17T16:00:00.000Z'),
  ]);
  // o1 by its first payment, o4 less its refund, two without an id, o7; o3 brings nothing
  assert.deepEqual(await lines(), [['CNY', 5, 1100 + 2500 + 1000 + 7000, 3000 + 1500], ['USD', 1, 700, 0]]);
});

test('an order that two customers told of counts once when they are one', real, async () => {
  await send('app', [paid('dan', 'shared', '9.00'), identify('dan', { phone: '13812340001' }, at(NOW))]);
  await send('wecom', [paid('dora', 'shared', '9.00')]);
  await soon('both orders', [['CNY', 7, 13400, 4500], ['USD', 1, 700, 0]], lines);
  const one = async (user) => (await expect(kith, 200, 'GET', `/customers/by/user_id/${user}`)).one_id;
  await expect(kith, 200, 'POST', `/customers/${await one('dan')}/merge`, { body: { other: await one('dora') } });
  await soon('one order', [['CNY', 6, 12500, 4500], ['USD', 1, 700, 0]], lines);
});

test('channels, hours and links are what the warehouse says', real, async () => {
  await send('wecom', [identify('ann', { city: '上海' }, at('2026-06-17T05:30:00Z')), track('eve', 'Page Viewed', {}, at('2026-01-01T00:00:00Z'))]);
  await until('all rows in the warehouse', async () =>
    Number((await askWarehouse(kith, 'SELECT count() AS n FROM events_kept WHERE customer > 0'))[0].n) === count);
  const rows = await askWarehouse(kith, "SELECT toString(channel) AS channel, count() AS events, uniqExact(dictGetOrDefault('alias_map', 'current', " +
    'toUInt64(customer), customer)) AS customers FROM events_kept WHERE customer > 0 GROUP BY channel ORDER BY events DESC, channel');
  const wanted = rows.map((row) => [row.channel, Number(row.events), Number(row.customers)]);
  const shown = async () => (await overview()).by_channel.map((one) => [one.channel, one.events, one.customers]);
  await soon('the same channels', wanted, shown);
  const hours = await askWarehouse(kith, `SELECT toString(intDiv(time_ms, 3600000)) AS hour, count() AS n FROM events_kept WHERE customer > 0 AND
    time_ms >= ${Date.parse(NOW) - 23 * 3600_000} GROUP BY hour`);
  const told = await overview();
  assert.equal(told.partial, false);
  assert.equal(told.by_hour.length, 24);
  assert.deepEqual(told.by_hour.filter((one) => one.events > 0).map((one) => [one.hour, one.events]),
    hours.map((one) => [new Date(Number(one.hour) * 3600_000).toISOString(), Number(one.n)]).sort(([a], [b]) => (a < b ? -1 : 1)));
  const links = await expect(kith, 200, 'GET', '/identity/link-rate');
  assert.equal(links.partial, false);
  // dan has a phone beside his user id; what else counts as a link is held by tests/api/routes.test.mjs
  assert.deepEqual(links.items.map((one) => [one.channel, one.customers]).sort(), wanted.map(([channel, , customers]) => [channel, customers]).sort());
  assert.ok(links.items.find((one) => one.channel === 'app').linked === 1);
});

test('who is erased is in no figure', real, async () => {
  const before = (await overview()).by_channel.find((one) => one.channel === 'tmall');
  const bea = (await expect(kith, 200, 'GET', '/customers/by/user_id/bea')).one_id;
  await expect(kith, 202, 'DELETE', `/customers/${bea}?reason=she%20asked`);
  await soon('her orders gone', [['CNY', 5, 10000, 0], ['USD', 1, 700, 0]], lines);
  await soon('her events gone', [before.events - 4, before.customers - 1], async () => {
    const now = (await overview()).by_channel.find((one) => one.channel === 'tmall');
    return [now.events, now.customers];
  });
});
