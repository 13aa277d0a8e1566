// SPDX-License-Identifier: Apache-2.0
// D8 The same message id 2 to 100 times: at once, over several doors, in batches that half overlap, over
// restarts, and hours later by the clock: it counts once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';

let kith;
let key;
before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: '2026-11-21T08:00:00Z' } });
  ({ write_key: key } = await kith.source('backend'));
});
after(() => kith?.remove());

const item = (user, n, more = {}) => ({
  type: 'track', event: 'Order Paid', messageId: `repetition-${user}-${n}`, userId: user,
  properties: { n, order_id: `${user}-${n}`, revenue: 10, currency: 'CNY' }, ...more,
});

async function assertOnce(user, count) {
  await kith.settled();
  const customer = await kith.customerBy('user_id', user);
  const timeline = await kith.timeline(customer.one_id);
  assert.deepEqual(timeline.map((event) => event.props.n).sort((a, b) => a - b), Array.from({ length: count }, (_, n) => n));
  assert.equal(customer.summary.events, count);
  assert.equal(customer.summary.orders, count);
  assert.equal(customer.summary.revenue, 1000 * count);
}

for (const times of [2, 10, 100]) {
  test(`D8: ${times} times at once`, { skip: missingBinary }, async () => {
    const user = `at-once-${times}`;
    await Promise.all(Array.from({ length: times }, () => kith.batch(key, [item(user, 0)])));
    await assertOnce(user, 1);
  });
}

test('D8: batches that half overlap, and doubles within one', { skip: missingBinary }, async () => {
  const user = 'overlap';
  const items = Array.from({ length: 40 }, (_, n) => item(user, n));
  await Promise.all(
    Array.from({ length: 7 }, (_, k) => kith.batch(key, [...items.slice(k * 5, k * 5 + 10), items[k * 5]])));
  await assertOnce(user, 40);
});

test('D8: by different paths', { skip: missingBinary }, async () => {
  const user = 'paths';
  const one = item(user, 0);
  await kith.batch(key, [one]);
  await kith.batch(key, [one], { path: '/v1/import' });
  await kith.batch(key, [one], { path: '/beacon/v1/batch' });
  const answer = await fetch(`${kith.url}/v1/track`, {
    method: 'POST', headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }, body: JSON.stringify(one) });
  assert.equal(answer.status, 200);
  await assertOnce(user, 1);
});

test('D8: over restarts and kills', { skip: missingBinary }, async () => {
  const user = 'restarts';
  const items = [item(user, 0), item(user, 1)];
  await kith.batch(key, items);
  await kith.stop();
  await kith.launch();
  await kith.batch(key, items);
  await kith.kill9();
  await kith.launch();
  await kith.batch(key, items);
  await assertOnce(user, 2);
});

test('D8: 29 days later by the clock', { skip: missingBinary }, async () => {
  const user = 'later';
  await kith.batch(key, [item(user, 0)]);
  for (const wait of ['6h', '3d', '25d']) {
    await kith.post('/clock', { advance: wait });
    await kith.batch(key, [item(user, 0)]);
  }
  await assertOnce(user, 1);
});

test('D8: the same id from two sources is two events', { skip: missingBinary }, async () => {
  const { write_key: other } = await kith.source('other');
  await kith.batch(key, [item('two-sources', 0)]);
  await kith.batch(other, [item('two-sources', 0, { properties: { n: 1 }, event: 'Product Viewed' })]);
  await kith.settled();
  const customer = await kith.customerBy('user_id', 'two-sources');
  assert.equal((await kith.timeline(customer.one_id)).length, 2);
});
