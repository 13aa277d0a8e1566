// SPDX-License-Identifier: Apache-2.0
// Customers are found by the last four digits of a phone.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';

const servers = [];
after(() => Promise.all(servers.map((kith) => kith.remove())));

test('by the last four digits of a phone', { skip: missingBinary }, async () => {
  const kith = await Kith.start();
  servers.push(kith);
  const { write_key: key } = await kith.source('shop');
  const phones = { ann: '13907416935', bo: '13912340001', cai: '13827516935' };
  await kith.batch(key, Object.entries(phones).map(([userId, phone]) => ({ type: 'identify', userId, messageId: userId, traits: { phone } })));
  const found = async (digits) => (await kith.get(`/customers?query=${digits}`)).items.map((customer) => customer.one_id).sort();
  const ids = {};
  for (const user of Object.keys(phones)) ids[user] = (await until(`${user} to be known`, () => kith.findBy('user_id', user))).one_id;
  await kith.settled();
  await until('the phones to be committed', async () => (await found('6935')).length === 2);
  assert.deepEqual(await found('6935'), [ids.ann, ids.cai].sort());
  assert.deepEqual(await found('0001'), [ids.bo]);
  assert.deepEqual(await found('4444'), []);
});
