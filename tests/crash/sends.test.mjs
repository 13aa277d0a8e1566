// SPDX-License-Identifier: Apache-2.0
// D10, U2, U3: kill -9 while messages go out. With a provider that honours keys nothing is lost and nothing comes twice; with
// one that cannot tell, the touch is uncertain and nobody resends it by himself.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Kith, missingBinary, sleep, until } from '../support/kith.mjs';
import { Receiver } from '../support/receiver.mjs';
import { random, seed, touchesUnderWay } from './support.mjs';

const skip = missingBinary;
const PEOPLE = 200, ROUNDS = Number(process.env.KITH_KILLS ?? 6), PER_ROUND = 400;
const ends = [];
after(async () => {
  for (const end of ends) await end().catch(() => {});
});

async function house() {
  const receiver = await Receiver.start({ honours: false }); // it counts every arrival of a key
  const kith = await Kith.start();
  ends.push(() => kith.remove(), () => receiver.stop());
  const key = (await kith.source('shop')).write_key;
  const batch = Array.from({ length: PEOPLE }, (_, n) => ({
    type: 'identify', messageId: `i${n}`, userId: `u${n}`, timestamp: new Date().toISOString(), traits: { n },
  }));
  await fetch(`${kith.url}/v1/batch`, {
    method: 'POST', body: JSON.stringify({ batch }),
    headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`, 'content-type': 'application/json' },
  });
  await kith.settled();
  const ids = [];
  for (let n = 0; n < PEOPLE; n++) ids.push((await kith.get(`/customers/by/user_id/u${n}`)).one_id);
  await kith.put('/channels/hook', { kind: 'webhook', settings: { url: receiver.url, allow_private: true } });
  await kith.put('/templates/t', { channel: 'webhook', parts: { text: 'hello' } });
  return { kith, receiver, ids };
}

test('kill -9 during sends: each touch arrives, under one key, and the ledger says so', { skip, timeout: 280_000 }, async (t) => {
  const chance = random(seed);
  t.diagnostic(`KITH_SEED=${seed}`);
  const { kith, receiver, ids } = await house();
  const asked = new Set();
  let kills = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let part = 0; part < PER_ROUND / PEOPLE; part++) {
      const answer = await kith.post('/touches', { customers: ids, template: 't', purpose: 'service', key: `r${round}-${part}` });
      for (const item of answer.items) {
        assert.equal(item.status, 'queued');
        asked.add(item.id);
      }
    }
    await sleep(Math.floor(chance() * 120));
    await kith.kill9();
    kills++;
    await kith.launch();
  }
  await until('everything to be told of', async () => {
    return !(await touchesUnderWay(kith));
  }, { timeoutMs: 60_000, everyMs: 200 });
  let cursor = '', delivered = 0, repeated = 0;
  const keys = new Set();
  do {
    const page = await kith.get(`/touches?status=delivered&limit=500${cursor}`);
    delivered += page.items.length;
    cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : '';
  } while (cursor);
  for (const [key, { count }] of receiver.got) {
    keys.add(key);
    if (count > 1) repeated++;
  }
  t.diagnostic(`${kills} kills, ${asked.size} touches, ${keys.size} keys arrived, ${repeated} of them more than once under the same key`);
  assert.equal(delivered, asked.size, 'nothing is lost');
  assert.equal(keys.size, asked.size, 'a provider that honours keys has each exactly once');
  assert.ok(receiver.requests >= asked.size);
});

test('a provider that takes and never says so: the same key again, one message', { skip, timeout: 120_000 }, async () => {
  const { kith, receiver, ids } = await house();
  receiver.mode = (n) => (n % 3 === 0 ? 'reset' : 'ok');
  const answer = await kith.post('/touches', { customers: ids.slice(0, 60), template: 't', purpose: 'service', key: 'x' });
  await until('all to be settled', async () => {
    return !(await touchesUnderWay(kith));
  }, { timeoutMs: 60_000, everyMs: 200 });
  assert.equal(receiver.got.size, answer.items.length, 'every key arrived, and no other');
});
