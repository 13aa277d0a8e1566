// SPDX-License-Identifier: Apache-2.0
// @segment/analytics-node, unmodified, with only the host changed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Analytics } from '@segment/analytics-node';
import { Kith, flakyProxy, missingBinary, sleep } from '../support/kith.mjs';
import { eventsOf, identifierOf } from './support.mjs';

let kith;
let writeKey;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  ({ write_key: writeKey } = await kith.source('backend'));
});
after(() => kith?.remove());

const client = (host, more = {}) => new Analytics({ writeKey, host, flushAt: 5, ...more });

test('every call arrives with its fields, once', { skip: missingBinary }, async () => {
  const analytics = client(kith.url);
  analytics.identify({
    userId: 'node-1',
    traits: { name: '林静', email: 'Node-1@Post.Example', phone: '154 0000 1001', city: '上海' },
  });
  analytics.track({
    userId: 'node-1',
    event: 'Order Completed',
    timestamp: new Date('2026-03-08T12:00:00.000Z'),
    properties: {
      order_id: 'N-1',
      revenue: 199.9,
      currency: 'CNY',
      coupon: '妇女节',
      products: [{ product_id: 'p1', name: '面霜', price: 99.95, quantity: 2 }],
    },
  });
  analytics.page({ userId: 'node-1', category: '商城', name: '首页', properties: { url: 'https://a.cn/' } });
  analytics.screen({ userId: 'node-1', name: '会员', properties: { tab: 2 } });
  analytics.group({ userId: 'node-1', groupId: 'g-1', traits: { name: '敏感肌群' } });
  analytics.track({ anonymousId: 'visitor-1', event: 'Product Viewed', properties: { sku: 'S1' } });
  analytics.alias({ userId: 'node-1', previousId: 'visitor-1' });
  await analytics.closeAndFlush();

  const customer = await kith.customerBy('user_id', 'node-1');
  assert.match(customer.one_id, /^c_[0-9a-z]{13}$/);
  assert.ok(identifierOf(customer, 'email')?.verified, 'a trusted source proves an e-mail address');
  assert.ok(identifierOf(customer, 'mobile')?.verified);
  assert.equal((await kith.customerBy('mobile', '+8615400001001')).one_id, customer.one_id);
  assert.equal((await kith.customerBy('email', 'node-1@post.example')).one_id, customer.one_id);
  assert.equal(customer.traits.city, '上海');
  assert.equal(customer.summary.orders, 1);
  assert.equal(customer.summary.revenue, 19990);
  assert.equal(customer.summary.currency, 'CNY');

  const events = await eventsOf(kith, customer);
  const kinds = events.map((event) => event.kind);
  for (const kind of ['identify', 'track', 'page', 'screen', 'group'])
    assert.equal(kinds.filter((one) => one === kind).length, 1, `one ${kind} in ${kinds}`);
  const order = events.find((event) => event.type === 'Order Completed');
  // Segment's correction of the client's clock: the way from there to here counts as its error
  const late = Date.parse(order.time) - Date.parse('2026-03-08T12:00:00.000Z');
  assert.ok(late >= 0 && late < 5000, order.time);
  assert.equal(order.props.order_id, 'N-1');
  assert.equal(order.props.coupon, '妇女节');
  assert.deepEqual(
    order.props.products.map((product) => [product.product_id, product.name, product.quantity]),
    [['p1', '面霜', 2]],
  );
  assert.equal(events.find((event) => event.kind === 'screen').props.tab, 2);
});

for (const how of ['503-before', '503-after', 'drop-before', 'drop-after']) {
  test(`a retry after '${how}' counts once`, { skip: missingBinary }, async () => {
    const proxy = await flakyProxy(kith.url, (n) => (n <= 2 ? how : 'pass'));
    const analytics = client(proxy.url, { flushAt: 3 });
    const user = `retry-${how}`;
    for (let n = 0; n < 3; n++)
      analytics.track({ userId: user, event: 'Product Viewed', properties: { n } });
    await analytics.closeAndFlush({ timeout: 60_000 });
    await proxy.close();
    assert.ok(proxy.seen.length >= 3, `the client came again: ${JSON.stringify(proxy.seen)}`);
    const events = await eventsOf(kith, await kith.customerBy('user_id', user));
    assert.deepEqual(events.map((event) => event.props.n).sort(), [0, 1, 2]);
  });
}

test('a server that is killed and comes back loses and doubles nothing', { skip: missingBinary },
  async () => {
    const analytics = client(kith.url, { flushAt: 2, maxRetries: 20 });
    const user = 'killed-1';
    const failed = [];
    analytics.on('error', (error) => failed.push(error));
    for (let n = 0; n < 40; n++) {
      analytics.track({ userId: user, event: 'Product Viewed', properties: { n } });
      if (n === 20) {
        await kith.kill9();
        setTimeout(() => kith.launch().catch((error) => failed.push(error)), 300);
      }
      await sleep(10);
    }
    await analytics.closeAndFlush({ timeout: 60_000 });
    assert.deepEqual(failed, []);
    const events = await eventsOf(kith, await kith.customerBy('user_id', user));
    assert.deepEqual(
      events.map((event) => event.props.n).sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, n) => n),
    );
  });

test('an unknown write key is refused and leaves nothing', { skip: missingBinary }, async () => {
  const analytics = new Analytics({ writeKey: 'nobody', host: kith.url, flushAt: 1, maxRetries: 0 });
  const errors = [];
  analytics.on('error', (error) => errors.push(error));
  analytics.track({ userId: 'ghost', event: 'Product Viewed' });
  await analytics.closeAndFlush();
  assert.equal(errors.length, 1);
  assert.equal(await kith.findBy('user_id', 'ghost'), undefined);
});
