// SPDX-License-Identifier: Apache-2.0
// @rudderstack/analytics-js, unmodified (its bundled entry), in a real browser on another origin.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { identifierOf, launchBrowser, missingBrowser, visit, withEvents } from './support.mjs';

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

const script = (user, options) => `
  import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';
  const analytics = new RudderAnalytics();
  analytics.load(${JSON.stringify(source.write_key)}, '${kith.url}',
    { configUrl: '${kith.url}', ...${JSON.stringify(options)} });
  analytics.ready(() => {
    analytics.page('商城', '首页');
    analytics.track('Product Viewed', { sku: 'S-2', price: 59.9, name: '沐野洁面乳' });
    analytics.identify('${user}', { name: '江月', city: '成都' });
    analytics.track('Coupon Claimed', { coupon: '满减券' });
    window.done = { anonymousId: analytics.getAnonymousId() };
  });
`;

const ways = {
  'one by one': {},
  'in batches': { queueOptions: { batch: { enabled: true, maxItems: 2, flushInterval: 300 } } },
  'by beacon': { useBeacon: true, beaconQueueOptions: { flushQueueInterval: 300, maxItems: 2 } },
};
for (const [name, options] of Object.entries(ways)) {
  test(`a visit is there, sent ${name}`, { skip }, async () => {
    const user = `rudderjs-${name.replaceAll(' ', '-')}`;
    const { done, found, complaints } = await visit(browser, script(user, options), {
      path: '/?utm_source=zhihu&utm_campaign=618',
      arrived: (page) => withEvents(kith, 4, 'anonymous_id', page.anonymousId, 'h5'),
    });
    assert.deepEqual(complaints, []);
    assert.equal(found.events.length, 4, found.events.map((event) => event.type).join());
    const viewed = found.events.find((event) => event.type === 'Product Viewed');
    assert.equal(viewed.props.name, '沐野洁面乳');
    assert.equal(viewed.context.campaign.source, 'zhihu');
    assert.equal(identifierOf(found.customer, 'anonymous_id').value, done.anonymousId);
    assert.equal(identifierOf(found.customer, 'user_id').value, user);
    assert.equal(found.customer.traits.city, '成都');
  });
}
