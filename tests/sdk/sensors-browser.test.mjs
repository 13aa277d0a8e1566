// SPDX-License-Identifier: Apache-2.0
// sa-sdk-javascript, unmodified, in a real browser on another origin: image, ajax, beacon, batches.
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
  source = await kith.source('h5', 'public', { protocol: 'sensors', channel: 'web' });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await kith?.remove();
});

const script = (user, options) => `
  import sensors from 'sa-sdk-javascript/dist/web/sensorsdata.es6.js';
  sensors.init({
    server_url: '${kith.url}/sa?project=default&token=${source.write_key}',
    show_log: false, is_track_single_page: true, ...${JSON.stringify(options)},
  });
  sensors.quick('autoTrack');
  sensors.quick('isReady', () => {
    const anonymous = sensors.quick('getAnonymousID');
    sensors.track('ViewProduct', { sku: 'S-7', price: 39.9, name_zh: '初雪安瓶' });
    sensors.login('${user}');
    sensors.setProfile({ city: '长沙', level: 2 });
    sensors.track('ShareContent', { via: 'wechat' });
    sensors.setItem('book', 'b-1', { title: '护肤手册' });
    setTimeout(() => { window.done = { anonymous }; }, 200);
  });
`;
const ways = {
  'by image': { send_type: 'image' },
  'by ajax': { send_type: 'ajax' },
  'by beacon': { send_type: 'beacon' },
  'in batches': { batch_send: { datasend_timeout: 6000, send_interval: 500, storage_length: 200 } },
};
for (const [name, options] of Object.entries(ways)) {
  test(`a visit is there, sent ${name}`, { skip }, async () => {
    const user = `sajs-${name.replaceAll(' ', '-')}`;
    const { done, found, complaints } = await visit(browser, script(user, options), {
      path: '/?utm_source=bilibili&utm_campaign=618',
      arrived: async () => {
        const seen = await withEvents(kith, 3, 'user_id', user);
        const types = seen?.events.map((event) => event.type) ?? [];
        return types.includes('ViewProduct') && types.includes('ShareContent') && seen;
      },
    });
    assert.deepEqual(complaints, []);
    const count = (type) => found.events.filter((event) => event.type === type).length;
    assert.equal(count('ViewProduct'), 1, 'what she did before she signed in is hers');
    assert.equal(count('ShareContent'), 1);
    const pages = found.events.filter((event) => event.kind === 'page');
    assert.equal(pages.length, 1, '$pageview is a page');
    assert.ok(pages[0].props.$url ?? pages[0].props.url);
    const viewed = found.events.find((event) => event.type === 'ViewProduct');
    assert.equal(viewed.props.sku, 'S-7');
    assert.equal(viewed.props.name_zh, '初雪安瓶');
    assert.equal(viewed.props.price, 39.9);
    assert.equal(identifierOf(found.customer, 'anonymous_id').value, done.anonymous);
    const customer = await kith.get(`/customers/${found.customer.one_id}`);
    assert.equal(customer.traits.city, '长沙');
  });
}
