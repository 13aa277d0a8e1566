// SPDX-License-Identifier: Apache-2.0
// S20, P2: she asks to be forgotten. Gone from every store, kept from coming back, and the totals still add up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Kith, binary, missingBinary, until } from '../support/kith.mjs';
import { findPlain, ledgerValues, logBlocks } from '../support/plain.mjs';
import { ask, expect, refused } from './support.mjs';

const writeKey = 'wk_privacy_tests_0123456789';
const her = { phone: '+8613905718264', email: 'xiaoming.w@qq.com', id: 'u-forgotten-1', name: '王小明明' };
const other = { phone: '+8613857160935', email: 'stays.here@163.com', id: 'u-stays-1' };
let kith;
let backups;

async function send(...events) {
  const body = JSON.stringify({ batch: events });
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' },
    body,
  });
  assert.equal(answer.status, 200, await answer.text());
}
let messages = 0;
const identify = (who, traits = {}) => ({
  type: 'identify',
  userId: who.id,
  messageId: `m-${++messages}`,
  traits: { phone: who.phone, email: who.email, ...traits },
});
const order = (who, number, revenue) => ({
  type: 'track',
  event: 'Order Paid',
  userId: who.id,
  messageId: `m-${++messages}`,
  properties: {
    order_id: `o-${number}`,
    revenue,
    currency: 'CNY',
    receiver: { name: her.name, phone: who.phone.slice(3), address: '上海市静安区南京西路1号' },
  },
});

const find = (who) => ask(kith, 'GET', `/customers/by/user_id/${who.id}`);
const settled = (id) =>
  until(`erasure ${id} to be finished`, async () => {
    const one = await expect(kith, 200, 'GET', `/privacy/erasures/${id}`);
    return one.state === 'finished' && one;
  });

/** Every sealed text that the folder holds for these values' rows: read while they are there. */
function sealedTexts(folder) {
  const texts = new Set();
  for (const block of logBlocks(folder))
    for (const [text] of block.toString('latin1').matchAll(/s1:\d+:[\w-]{40,}/g)) texts.add(text);
  for (const { text } of ledgerValues(folder))
    for (const [one] of text.matchAll(/s1:\d+:[\w-]{40,}/g)) texts.add(one);
  return texts;
}

before(async () => {
  if (missingBinary) return;
  backups = mkdtempSync(join(tmpdir(), 'kith-backups-'));
  kith = await Kith.start({ environment: { KITH_WRITE_KEY: writeKey }, arguments: ['--backups', backups] });
});
after(async () => {
  if (!kith) return;
  await kith.stop();
  rmSync(kith.folder, { recursive: true, force: true });
  rmSync(kith.logPath, { force: true });
  rmSync(backups, { recursive: true, force: true });
});

test('S20: she is erased from state, ledger, warehouse and log; the others and the sums stay', { skip: missingBinary }, async () => {
  await expect(kith, 200, 'PUT', '/segments/buyers', {
    body: { name: 'buyers', rule: { event: 'Order Paid', last: '90d', measure: 'count', gte: 1 } },
  });
  await send(identify(other, { city: '上海' }), order(other, 1, 100));
  await kith.stop();
  const foreign = sealedTexts(kith.folder); // of the other one, which stay
  await kith.launch();
  await send({ ...identify(her, { name: her.name, city: '上海' }), anonymousId: 'anon-forgotten' }, order(her, 2, 250.5));
  const found = await expect(kith, 200, 'GET', `/customers/by/user_id/${her.id}`);
  assert.equal(found.summary.orders, 1);
  await expect(kith, 202, 'POST', '/backups'); // it knows her
  await until('the backup', async () => (await expect(kith, 200, 'GET', '/backups')).points.length === 1);
  const exported = await expect(kith, 201, 'POST', '/segments/buyers/exports?reveal=true', {
    body: { format: 'csv', columns: ['one_id', 'mobile', 'email'] },
    unchecked: true,
  }).catch(() => undefined);
  if (exported)
    await until('the export', async () => (await expect(kith, 200, 'GET', `/exports/${exported.id}`)).state === 'done');

  // what of hers is on the disk, before: all that is sealed and not the other's
  await kith.stop();
  const sealed = [...sealedTexts(kith.folder)].filter((text) => !foreign.has(text));
  assert.ok(sealed.length >= 4, `sealed texts of hers: ${sealed.length}`);
  const plain = [her.id, her.name, 'anon-forgotten'].map((text) => Buffer.from(text).toString('latin1'));
  assert.notEqual((await findPlain(kith.folder, [...sealed, ...plain])).length, 0, 'she is found before');
  await kith.launch();

  const begun = await expect(kith, 202, 'DELETE', `/customers/${found.one_id}?reason=she%20asked`);
  assert.equal(begun.state === 'erasing' || begun.state === 'finished', true);
  assert.equal((await find(her)).status, 404, 'from the first moment nobody finds her');
  assert.equal((await ask(kith, 'GET', `/customers/${found.one_id}`)).status, 404);
  const done = await settled(begun.id);
  assert.equal(done.receipt.identifiers, 4, JSON.stringify(done.receipt));
  assert.equal(done.receipt.warehouse_rows, 2, JSON.stringify(done.receipt));
  assert.equal(done.receipt.log_records, 2);
  assert.equal((await expect(kith, 200, 'GET', `/jobs/${begun.id}`)).state, 'finished');
  assert.equal((await expect(kith, 200, 'GET', '/segments/buyers')).count, 1, 'she left the segment');
  assert.equal((await find(other)).status, 200);

  // late events and files about her are refused; what somebody else does on her device is not
  await send(order(her, 3, 99), identify(her, { name: her.name }));
  await send({ ...identify({ ...other }), anonymousId: 'anon-forgotten', messageId: `m-${++messages}` });
  assert.equal((await find(her)).status, 404);
  assert.equal((await expect(kith, 200, 'GET', `/customers/by/user_id/${other.id}`)).summary.orders, 1);

  // the records of these events in the log are emptied as well
  await until('the log to be clean of late events', async () => {
    const privacy = await expect(kith, 200, 'GET', '/privacy');
    return privacy.log_is_clean && privacy.refused_events === 2;
  });
  const privacy = await expect(kith, 200, 'GET', '/privacy');
  assert.deepEqual(privacy.totals.find((one) => one.currency === 'CNY'), { currency: 'CNY', events: 1, revenue: 25050, total: 0 });
  await kith.stop();
  const left = await findPlain(kith.folder, [...sealed, ...plain, her.phone.slice(3), her.email], { beside: [kith.logPath] });
  assert.deepEqual(left, [], 'nothing of hers is left');
  await kith.launch();
  assert.equal((await find(her)).status, 404, 'also after a restart');
  assert.equal((await expect(kith, 200, 'GET', `/customers/by/user_id/${other.id}`)).summary.orders, 1);
});

test('S20: a restored backup that knew her erases her again', { skip: missingBinary }, async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'kith-restored-')), 'data');
  const restored = spawnSync(binary, ['restore', '--from', backups, '--data', folder], { encoding: 'utf8' });
  assert.equal(restored.status, 0, restored.stderr);
  const second = await Kith.start({ folder, environment: { KITH_WRITE_KEY: writeKey } });
  try {
    await until('her to be gone', async () => {
      const answer = await ask(second, 'GET', `/customers/by/user_id/${her.id}`);
      const list = await expect(second, 200, 'GET', '/privacy/erasures');
      return answer.status === 404 && list.items.length === 1 && list.items[0].state === 'finished';
    });
    assert.equal((await ask(second, 'GET', `/customers/by/user_id/${other.id}`)).status, 200);
  } finally {
    await second.stop();
  }
  const text = [her.id, Buffer.from(her.name).toString('latin1'), her.phone.slice(3), her.email];
  assert.deepEqual(await findPlain(folder, text, { beside: [second.logPath] }), []);
  rmSync(folder, { recursive: true, force: true });
});

test('S20: she comes back of her own will: from then on she is known again', { skip: missingBinary }, async () => {
  await refused(kith, 422, 'unprocessable', 'POST', '/privacy/tombstones/lift', { body: { type: 'mobile', value: '123****' } });
  const lifted = await expect(kith, 200, 'POST', '/privacy/tombstones/lift', {
    body: { type: 'user_id', value: her.id, reason: 'signed up anew' },
  });
  assert.equal(lifted.changed, 1);
  await send({ ...order(her, 4, 10), timestamp: new Date(Date.now() - 3_600_000).toISOString(), sentAt: new Date().toISOString() });
  assert.equal((await find(her)).status, 404, 'what happened before stays out');
  await send({ type: 'track', event: 'Page Viewed', userId: her.id, messageId: `m-${++messages}`, properties: {} });
  const again = await expect(kith, 200, 'GET', `/customers/by/user_id/${her.id}`);
  assert.equal(again.summary.orders, 0);
  // its value is read from the last commit
  await until('her identifier to have its value again', async () => {
    const { identifiers } = await expect(kith, 200, 'GET', `/customers/by/user_id/${her.id}`);
    return identifiers.find((one) => one.type === 'user_id').value === her.id;
  });
});
