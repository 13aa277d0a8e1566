// SPDX-License-Identifier: Apache-2.0
// sa-sdk-node, unmodified. It knows one server per process, so each test runs it in a child.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kith, flakyProxy, missingBinary, until } from '../support/kith.mjs';
import { eventsOf } from './support.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
let kith;
let source;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  source = await kith.source('sensors_backend', 'server', { protocol: 'sensors' });
});
after(() => kith?.remove());

/** Run `calls` on a SensorsAnalytics `sa` in a child process. */
async function run(base, calls, { gzip = true, batch = { count: 3, timeSpan: 5 } } = {}) {
  const url = `${base}/sa?project=default&token=${source.write_key}`;
  const code = `
    const SensorsAnalytics = require('sa-sdk-node');
    const sa = new SensorsAnalytics();
    const submitter = sa.submitTo({ url: ${JSON.stringify(url)}, gzip: ${gzip}, mode: 'track',
      timeout: 10000 }, ${JSON.stringify(batch)});
    submitter.catch((error) => { console.error(String(error)); });
    ${calls}
    setTimeout(() => process.exit(0), 8000).unref();
  `;
  return promisify(execFile)(process.execPath, ['--no-deprecation', '-e', code], {
    cwd: here, timeout: 60_000,
  });
}

for (const gzip of [true, false]) {
  test(`records of all types, ${gzip ? 'gzipped' : 'plain'}`, { skip: missingBinary }, async () => {
    const id = `sa-node-${gzip}`;
    // as the SDKs of pages and apps draw them
    const visitor = gzip ? '1a1ffcb0e3a1d-09ac901e573ac9-11543b4c-921600-1a1ffcb0e3b454'
                         : '1a1ffcb0e3a1e-09ac901e573ad0-11543b4d-921600-1a1ffcb0e3b455';
    await run(kith.url, `
      sa.track('${visitor}', 'VisitPage', { page: '首页' });
      sa.trackSignup('${id}', '${visitor}');
      sa.profileSet('${id}', { city: '南京', age: 28 });
      sa.profileSetOnce('${id}', { first_channel: '天猫' });
      sa.profileSetOnce('${id}', { first_channel: '京东' });
      sa.profileIncrement('${id}', { points: 10 });
      sa.profileIncrement('${id}', { points: 5 });
      sa.profileAppend('${id}', { interests: ['防晒', '口红'] });
      sa.profileSet('${id}', { gone: 1 });
      sa.profileUnset('${id}', ['gone']);
      sa.track('${id}', 'BuyProduct', { $is_login_id: true, sku: 'S-5', price: 99.9, at: new Date(1772942400000) });
    `, { gzip });
    const customer = await until('the records to arrive', async () => {
      const found = await kith.findBy('user_id', id);
      return found && (await eventsOf(kith, found)).some((event) => event.type === 'BuyProduct') && found;
    });
    const { traits } = await until('the traits to be there', async () => {
      const found = await kith.get(`/customers/${customer.one_id}`);
      return found.traits.points === 15 && !('gone' in found.traits) && found;
    });
    assert.equal(traits.city, '南京');
    assert.equal(traits.age, 28);
    assert.equal(traits.first_channel, '天猫');
    assert.deepEqual([...traits.interests].sort(), ['口红', '防晒'].sort());
    const events = await eventsOf(kith, customer);
    assert.equal(events.filter((event) => event.type === 'BuyProduct').length, 1);
    assert.equal(events.filter((event) => event.type === 'VisitPage').length, 1, 'her past is hers');
    const bought = events.find((event) => event.type === 'BuyProduct');
    assert.equal(bought.props.sku, 'S-5');
  });
}

test('a retry after a lost answer counts once', { skip: missingBinary }, async () => {
  const proxy = await flakyProxy(kith.url, (n) => (n === 1 ? '503-after' : 'pass'));
  await run(proxy.url, `
    for (let n = 0; n < 3; n++) sa.track('sa-retry', 'RetryView', { $is_login_id: true, n });
  `);
  await proxy.close();
  const customer = await kith.customerBy('user_id', 'sa-retry');
  const events = (await eventsOf(kith, customer)).filter((event) => event.type === 'RetryView');
  assert.deepEqual(events.map((event) => event.props.n).sort(), [0, 1, 2]);
});
