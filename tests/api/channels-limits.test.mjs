// SPDX-License-Identifier: Apache-2.0
// S34 and quotas on the wire: the red button reaches what a channel has taken and not yet handed over; what went before a kill -9 counts
// in the quota of the day.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { Receiver } from '../support/receiver.mjs';

const real = { skip: missingBinary, timeout: 120_000 };
const PEOPLE = 120;
let kith, receiver, ids;

before(async () => {
  if (missingBinary) return;
  receiver = await Receiver.start();
  kith = await Kith.start();
  const key = (await kith.source('shop')).write_key;
  await kith.batch(key, Array.from({ length: PEOPLE }, (_, n) => ({
    type: 'identify', messageId: `i${n}`, userId: `u${n}`, timestamp: new Date().toISOString(), traits: { n },
  })));
  await kith.settled();
  ids = await Promise.all(Array.from({ length: PEOPLE }, async (_, n) => (await kith.get(`/customers/by/user_id/u${n}`)).one_id));
  await kith.put('/templates/t', { channel: 'webhook', parts: { text: 'hello' } });
});
after(async () => {
  await kith?.remove();
  await receiver?.stop();
});

const account = (settings) => kith.put('/channels/hook', { kind: 'webhook', settings: { url: receiver.url, allow_private: true, ...settings } });
const send = (customers, key) => kith.post('/touches', { customers, template: 't', purpose: 'service', key });
const count = async (status) => (await kith.all(`/touches?status=${status}`)).length;

test('S34 the red button reaches what the channel has taken: nothing leaves any more, and later each once', real, async () => {
  await account({ rate_per_second: 20, concurrency: 2 });
  await send(ids, 'stop');
  await until('some to have gone, and the rest to be with the channel', async () => receiver.got.size >= 5 && (await count('queued')) === 0);
  await kith.post('/stop', { scope: 'all', why: 'a wrong price' });
  const gone = receiver.got.size;
  // whoever has his turn from now on is sent back, at the pace of the account
  await until('the rest to be held', async () => (await count('sending')) === 0 && (await count('queued')) === 0, { timeoutMs: 60_000, everyMs: 100 });
  assert.ok(receiver.got.size <= gone + 2, `${receiver.got.size - gone} left after the stop, 2 were on the wire at most`);
  assert.equal((await count('held')) + receiver.got.size, PEOPLE);
  await account({ rate_per_second: 0, concurrency: 8 });
  await kith.post('/stop', { scope: 'all', active: false });
  await until('all to be there', async () => receiver.got.size === PEOPLE, { timeoutMs: 60_000 });
  await until('all to be told', async () => (await count('delivered')) === PEOPLE);
  assert.equal(receiver.requests, PEOPLE, 'each once');
});

test('the quota of the day counts what went before a kill -9', real, async () => {
  receiver.got.clear();
  const before = await count('delivered');
  await account({ rate_per_second: 0, daily_quota: before + 5 });
  await send(ids.slice(0, 3), 'quota-1');
  await until('three to have gone', async () => receiver.got.size === 3 && (await count('delivered')) === before + 3);
  await kith.kill9();
  await kith.launch();
  await send(ids.slice(0, 6), 'quota-2');
  await until('the quota to be used up', async () => {
    const held = (await kith.all('/touches?status=held')).concat(await kith.all('/touches?status=queued'));
    return receiver.got.size === 5 && held.length === 4 && (await count('sending')) === 0;
  });
  assert.equal(receiver.requests, PEOPLE + 5);
});
