// SPDX-License-Identifier: Apache-2.0
// @rudderstack/rudder-sdk-node, unmodified, with only the data plane changed (gzip is its default).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import rudder from '@rudderstack/rudder-sdk-node';
import { Kith, flakyProxy, missingBinary } from '../support/kith.mjs';
import { eventsOf, identifierOf } from './support.mjs';

const RudderAnalytics = rudder.default ?? rudder;
let kith;
let writeKey;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  ({ write_key: writeKey } = await kith.source('rudder'));
});
after(() => kith?.remove());

/** Resolves when the SDK has reported the last of its calls. */
function send(host, calls, options = {}) {
  const client = new RudderAnalytics(writeKey, { dataPlaneUrl: host, flushAt: 3, flushInterval: 50, ...options });
  const results = calls.map(
    ([method, message]) =>
      new Promise((done, failed) =>
        client[method](message, (error) => (error ? failed(error) : done()))),
  );
  return Promise.race([
    Promise.all(results).then(() => client.flush()),
    new Promise((_, failed) =>
      setTimeout(() => failed(new Error('the SDK did not finish in 60 s')), 60_000).unref()),
  ]);
}

for (const gzip of [true, false]) {
  test(`every call arrives, ${gzip ? 'gzipped' : 'plain'}`, { skip: missingBinary }, async () => {
    const user = `rudder-${gzip}`;
    await send(
      kith.url,
      [
        ['identify', { userId: user, traits: { name: '何雅', phone: gzip ? '15400003001' : '15400003002' } }],
        ['track', { userId: user, event: 'Order Paid',
          properties: { order_id: `R-${gzip}`, revenue: 88.8, currency: 'CNY' } }],
        ['page', { userId: user, name: '首页', properties: { url: 'https://a.cn/' } }],
        ['screen', { userId: user, name: '会员' }],
        ['group', { userId: user, groupId: 'g-2', traits: { name: '油皮群' } }],
      ],
      { gzip },
    );
    const customer = await kith.customerBy('user_id', user);
    const events = await eventsOf(kith, customer);
    assert.deepEqual(events.map((event) => event.kind).sort(),
      ['group', 'identify', 'page', 'screen', 'track']);
    assert.ok(identifierOf(customer, 'mobile').verified);
    assert.equal(customer.summary.revenue, 8880);
    assert.equal(customer.summary.orders, 1);
  });
}

test('alias joins two names of one person', { skip: missingBinary }, async () => {
  await send(kith.url, [['track', { userId: 'rudder-old', event: 'Product Viewed' }]]);
  await send(kith.url, [['alias', { previousId: 'rudder-old', userId: 'rudder-new' }]]);
  const old = await kith.customerBy('user_id', 'rudder-old');
  assert.ok(old, 'the old name is still found');
});

for (const how of ['503-after', 'drop-after', '503-before']) {
  test(`a retry after '${how}' counts once`, { skip: missingBinary }, async () => {
    const proxy = await flakyProxy(kith.url, (n) => (n === 1 ? how : 'pass'));
    const user = `rudder-retry-${how}`;
    await send(
      proxy.url,
      [0, 1, 2].map((n) => ['track', { userId: user, event: 'Product Viewed', properties: { n } }]),
    );
    await proxy.close();
    assert.ok(proxy.seen.length >= 2, JSON.stringify(proxy.seen));
    const events = await eventsOf(kith, await kith.customerBy('user_id', user));
    assert.deepEqual(events.map((event) => event.props.n).sort(), [0, 1, 2]);
  });
}
