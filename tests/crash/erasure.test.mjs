// SPDX-License-Identifier: Apache-2.0
// P2, D1: a server that is killed while it erases goes on at its next start, and the end is the same.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { Kith, missingBinary, sleep, until } from '../support/kith.mjs';
import { findPlain, ledgerValues, logBlocks } from '../support/plain.mjs';
import { ask, expect } from '../api/support.mjs';

const writeKey = 'wk_erasure_crash_0123456789';
const people = 6;
const servers = [];
after(async () => {
  for (const one of servers) {
    await one.stop();
    rmSync(one.folder, { recursive: true, force: true });
    rmSync(one.logPath, { force: true });
  }
});

const phone = (index) => `1390571${String(8264 + index * 111)}`;

async function fill(kith) {
  const batch = Array.from({ length: people }, (_, index) => [
    { type: 'identify', userId: `crash-${index}`, messageId: `i-${index}`, traits: { phone: phone(index), name: `某某${index}号` } },
    { type: 'track', event: 'Order Paid', userId: `crash-${index}`, messageId: `o-${index}`, properties: { order_id: `o-${index}`, revenue: 10 } },
  ]).flat();
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

test('P2: killed at any moment of an erasure, it ends after the restart; sums are kept once', { skip: missingBinary }, async () => {
  const kith = await Kith.start({ environment: { KITH_WRITE_KEY: writeKey } });
  servers.push(kith);
  await fill(kith);
  for (let index = 0; index < people - 1; index++) {
    const { one_id: id } = await expect(kith, 200, 'GET', `/customers/by/user_id/crash-${index}`);
    await expect(kith, 202, 'DELETE', `/customers/${id}?reason=asked`);
    await sleep(index * 300); // where in the job it dies: anywhere
    await kith.kill9();
    await kith.launch();
  }
  await until('all erasures to be finished', async () => {
    const { items } = await expect(kith, 200, 'GET', '/privacy/erasures');
    return items.length === people - 1 && items.every((one) => one.state === 'finished');
  }, { timeoutMs: 120_000 });
  const privacy = await expect(kith, 200, 'GET', '/privacy');
  const sum = privacy.totals.reduce((all, one) => all + one.events, 0);
  assert.equal(sum, 2 * (people - 1), JSON.stringify(privacy.totals));
  assert.equal(privacy.totals.reduce((all, one) => all + one.revenue, 0), 1000 * (people - 1));
  for (let index = 0; index < people - 1; index++)
    assert.equal((await ask(kith, 'GET', `/customers/by/user_id/crash-${index}`)).status, 404);
  assert.equal((await expect(kith, 200, 'GET', `/customers/by/user_id/crash-${people - 1}`)).summary.orders, 1);
  await kith.stop();
  const gone = Array.from({ length: people - 1 }, (_, index) => [`crash-${index}`, phone(index)]).flat();
  assert.deepEqual(await findPlain(kith.folder, gone, { beside: [kith.logPath] }), []);
  // and of what is sealed only what is the last one's: her phone, in the log and in the ledger
  const sealed = new Set();
  for (const block of logBlocks(kith.folder))
    for (const [one] of block.toString('latin1').matchAll(/s1:\d+:(?!x{40})[\w-]{40,}/g)) sealed.add(one);
  for (const { text } of ledgerValues(kith.folder))
    for (const [one] of text.matchAll(/s1:\d+:(?!x{40})[\w-]{40,}/g)) sealed.add(one);
  assert.ok(sealed.size <= 2, `sealed values that are left: ${[...sealed].join(' ')}`);
  await kith.launch();
});

test('P9, D1: killed at any moment of a run of retention, it ends after the restart; what is young stays, counted once', { skip: missingBinary }, async (t) => {
  const kith = await Kith.start({ environment: { KITH_WRITE_KEY: writeKey } });
  servers.push(kith);
  const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString();
  const order = (index, days) => ({
    type: 'track', event: 'Order Paid', userId: `keeps-${index % 40}`, messageId: `r-${index}`, timestamp: ago(days), sentAt: new Date().toISOString(),
    properties: { order_id: `r-${index}`, revenue: 10 },
  });
  /* each of 40 people: ten orders of long ago, one of this week */
  const batch = Array.from({ length: 440 }, (_, index) => order(index, index < 400 ? 800 + index / 4 : 3));
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch }),
  });
  assert.equal(answer.status, 200, await answer.text());
  const summary = async (index) => (await expect(kith, 200, 'GET', `/customers/by/user_id/keeps-${index}`)).summary;
  await until('all orders to be counted', async () => (await ask(kith, 'GET', '/customers/by/user_id/keeps-39')).json?.summary?.orders === 11);
  await expect(kith, 200, 'PUT', '/retention', { body: { policy: { events: { 'Order Paid': 365 } } } });
  const { id } = await expect(kith, 202, 'POST', '/retention/run', { body: {} });
  const state = async () => (await expect(kith, 200, 'GET', `/jobs/${id}`)).state;
  const seen = [];
  for (let kill = 0; kill < 4; kill++) {
    await sleep(kill * 40); // where in the run it dies: anywhere
    await kith.kill9();
    await kith.launch();
    seen.push(await state());
  }
  t.diagnostic(`after each restart it was ${seen.join(', ')}`);
  await until('the run to be finished', async () => (await state()) === 'finished', { timeoutMs: 120_000 });
  for (const index of [0, 17, 39]) {
    await until(`customer ${index} to have one order`, async () => (await summary(index)).orders === 1);
    assert.equal((await summary(index)).revenue, 1000);
    const { items } = await expect(kith, 200, 'GET', `/customers/by/user_id/keeps-${index}`).then(({ one_id: customer }) =>
      expect(kith, 200, 'GET', `/customers/${customer}/events?limit=100`));
    assert.deepEqual(items.map((one) => one.type), ['Order Paid'], 'the order of this week, and no other');
  }
  await kith.stop();
  await kith.launch();
  assert.equal((await summary(5)).orders, 1, 'after a restart too');
});
