// SPDX-License-Identifier: Apache-2.0
// @segment/analytics-next, unmodified, bundled, in a real browser on another origin.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, flakyProxy, missingBinary } from '../support/kith.mjs';
import { identifierOf, identifiersOf, launchBrowser, missingBrowser, visit, withEvents } from './support.mjs';

const skip = missingBinary || missingBrowser;
let kith;
let browser;
let source;

before(async () => {
  if (skip) return;
  kith = await Kith.start();
  source = await kith.source('h5', 'public', { channel: 'web' });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await kith?.remove();
});

const script = (host, delivery, calls) => `
  import { AnalyticsBrowser } from '@segment/analytics-next';
  const analytics = AnalyticsBrowser.load(
    { writeKey: ${JSON.stringify(source.write_key)}, cdnURL: 'http://${host}' },
    { integrations: { 'Segment.io': { apiHost: '${host}/v1', protocol: 'http',
      deliveryStrategy: ${JSON.stringify(delivery)} } } },
  );
  analytics.ready(async () => {
    ${calls}
    window.done = { anonymousId: (await analytics.user()).anonymousId() };
  });
`;
const shopping = (user) => `
  await analytics.page('商城', '首页');
  await analytics.track('Product Viewed', { sku: 'S-1', price: 129, name: '绯色口红' });
  await analytics.track('Product Added', { sku: 'S-1', quantity: 1 });
  await analytics.identify('${user}', { name: '苏瑶', city: '杭州' });
  await analytics.track('Content Shared', { share_via: 'wechat' });
`;
const typesOf = (events) => events.map((event) => event.type).sort();

const deliveries = {
  'one by one': { strategy: 'standard' },
  'in batches': { strategy: 'batching', config: { size: 3, timeout: 300 } },
};
for (const [name, delivery] of Object.entries(deliveries)) {
  test(`a visit is there, sent ${name}`, { skip }, async () => {
    const user = `next-${delivery.strategy}`;
    const { done, found, complaints } = await visit(
      browser,
      script(`127.0.0.1:${kith.port}`, delivery, shopping(user)),
      {
        path: '/?utm_source=weibo&utm_campaign=618',
        arrived: (page) => withEvents(kith, 5, 'anonymous_id', page.anonymousId, 'h5'),
      },
    );
    assert.deepEqual(complaints, []);
    assert.equal(found.events.length, 5, `${typesOf(found.events)}`);
    const viewed = found.events.find((event) => event.type === 'Product Viewed');
    assert.equal(viewed.props.name, '绯色口红');
    assert.equal(viewed.channel, 'web');
    assert.equal(viewed.context.campaign.source, 'weibo');
    assert.equal(viewed.context.campaign.name, '618');
    assert.equal(viewed.context.page.path, '/');
    const { customer } = found;
    assert.equal(identifierOf(customer, 'anonymous_id').value, done.anonymousId);
    assert.equal(identifierOf(customer, 'user_id').value, user);
    assert.equal(identifierOf(customer, 'user_id').verified, false, 'a page proves nothing');
    assert.equal(customer.traits.city, '杭州');
  });
}

test('a public source claims, and fuses nobody', { skip }, async () => {
  const server = await kith.source('backend');
  await kith.batch(server.write_key, [
    { type: 'identify', messageId: 'victim-identify-1', userId: 'victim', traits: { phone: '15400002001' } },
    { type: 'identify', messageId: 'other-identify-01', userId: 'other', traits: { phone: '15400002002' } },
  ]);
  const { found } = await visit(
    browser,
    script(`127.0.0.1:${kith.port}`, { strategy: 'standard' }, `
      await analytics.identify('victim', { phone: '15400002002' });
      await analytics.identify('other');
    `),
    { arrived: (page) => withEvents(kith, 1, 'anonymous_id', page.anonymousId, 'h5') },
  );
  assert.ok(found.customer);
  const victim = await kith.customerBy('user_id', 'victim');
  const other = await kith.customerBy('user_id', 'other');
  assert.notEqual(victim.one_id, other.one_id);
  assert.deepEqual(identifiersOf(victim, 'mobile').length, 1);
  assert.deepEqual(identifiersOf(other, 'mobile').length, 1);
});

for (const how of ['503-after', 'drop-after']) {
  test(`answers lost by '${how}' double nothing`, { skip }, async () => {
    const lost = new Set();
    const proxy = await flakyProxy(kith.url, (n, request, body) => {
      const key = body.toString().match(/"messageId":"([^"]+)"/)?.[1] ?? `${n}`;
      if (lost.has(key)) return 'pass';
      lost.add(key);
      return how;
    });
    const { found } = await visit(
      browser,
      script(`127.0.0.1:${proxy.port}`, { strategy: 'standard' }, `
        for (let n = 0; n < 3; n++) analytics.track('Product Viewed', { n });
      `),
      {
        timeoutMs: 60_000,
        arrived: async (page) =>
          proxy.seen.filter((one) => one.how === 'pass' && one.method === 'POST').length >= 3 &&
          withEvents(kith, 3, 'anonymous_id', page.anonymousId, 'h5'),
      },
    );
    await proxy.close();
    assert.deepEqual(found.events.map((event) => event.props.n).sort(), [0, 1, 2]);
  });
}
