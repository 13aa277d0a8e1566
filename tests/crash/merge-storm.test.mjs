// SPDX-License-Identifier: Apache-2.0
// I1 A merge storm over HTTP: one phone (and a shop's tablet, and placeholders) on a crowd. It is blocked, each
// refusal is recorded, nobody grows beyond the limits, and others go on being served.
//
// KITH_STORM says how many people (default 10,000; 100,000 before a release).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';

const crowd = Number(process.env.KITH_STORM ?? 10_000);
const BATCH = 100;
let kith;
let key;
before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  ({ write_key: key } = await kith.source('backend'));
});
after(() => kith?.remove());

async function storm(tag, make) {
  const latencies = [];
  let done = false;
  const other = (async () => {
    for (let n = 0; !done; n++) {
      const start = performance.now();
      await kith.batch(key, [{ type: 'track', event: 'Product Viewed', userId: `${tag}-bystander-${n}`, messageId: `${tag}-bystander-${n}` }]);
      latencies.push(performance.now() - start);
    }
  })();
  const batches = Array.from({ length: Math.ceil(crowd / BATCH) }, (_, i) => i).values();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (const i of batches)
        await kith.batch(key, Array.from({ length: Math.min(BATCH, crowd - i * BATCH) }, (_, k) =>
          ({ messageId: `${tag}-storm-${i * BATCH + k}`, ...make(i * BATCH + k) })));
    }));
  done = true;
  await other;
  await kith.settled({ timeoutMs: 120_000 });
  latencies.sort((a, b) => a - b);
  return { p99: latencies[Math.floor(latencies.length * 0.99)], count: latencies.length };
}

const kinds = {
  'one phone': (n) => ({ type: 'identify', userId: `phone-${n}`, traits: { phone: '16000000001' } }),
  "a shop's tablet": (n) => ({ type: 'identify', userId: `tablet-${n}`, anonymousId: 'tablet', context: { device: { id: 'tablet-device' } } }),
  'a test value': (n) => ({ type: 'identify', userId: `test-${n}`, traits: { phone: '13800000000', email: 'test@test.com' } }),
  'a placeholder': (n) => ({ type: 'identify', userId: `null-${n}`, traits: { phone: '00000000000' },
    context: { externalIds: [{ type: 'wx_unionid', id: 'null', collection: 'users', encoding: 'none' }] } }),
};
for (const [name, make] of Object.entries(kinds)) {
  test(`I1: ${name} on ${crowd} people fuses nobody`, { skip: missingBinary, timeout: 600_000 }, async (t) => {
    const tag = make(0).userId.split('-')[0];
    const { p99, count } = await storm(tag, make);
    t.diagnostic(`bystanders: ${count} requests, p99 ${p99.toFixed(1)} ms`);
    const ids = new Set();
    for (let n = 0; n < crowd; n += Math.max(1, Math.floor(crowd / 500))) {
      const customer = await kith.customerBy('user_id', `${tag}-${n}`);
      assert.ok(!ids.has(customer.one_id), `${tag}-${n} fused with another`);
      ids.add(customer.one_id);
      const own = customer.identifiers.filter((one) => one.type === 'user_id');
      assert.equal(own.length, 1);
      assert.ok(customer.identifiers.length < 10, `${customer.identifiers.length} identifiers`);
    }
  });
}

test('I1: each refusal is recorded', { skip: missingBinary, timeout: 300_000 }, async () => {
  const items = await kith.all('/identity/refusals');
  const ofPhone = items.filter((one) => [one.identifier.type, one.with.type].includes('mobile'));
  assert.ok(ofPhone.length >= crowd - 1, `${ofPhone.length} refusals for ${crowd} people`);
  assert.ok(ofPhone.some((one) => one.reason === 'shared'), 'the phone is known to be shared');
  for (const item of items.slice(0, 20)) assert.ok(item.reason && item.times >= 1, JSON.stringify(item));
});
