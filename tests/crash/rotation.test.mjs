// SPDX-License-Identifier: Apache-2.0
// X11, D1: the sealing key is rotated while events come and the server is killed; then no text of an older key is left anywhere, and
// everything can be read without the older keys.
import assert from 'node:assert/strict';
import { openSync, closeSync, readSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { Kith, binary, missingBinary, sleep, until } from '../support/kith.mjs';
import { ledgerValues, logBlocks } from '../support/plain.mjs';
import { expect, refused } from '../api/support.mjs';

const writeKey = 'wk_rotation_crash_012345678';
const kills = 3;
let kith;
after(async () => {
  await kith?.stop();
  if (kith) rmSync(kith.folder, { recursive: true, force: true });
  if (kith) rmSync(kith.logPath, { force: true });
});

const phone = (index) => `139${String(10_000_000 + index * 7)}`;
let sent = 0;

/** Ten more people: who they are, and an order with a receiver's phone in it. */
async function send() {
  const batch = Array.from({ length: 10 }, () => sent++).flatMap((index) => [
    { type: 'identify', userId: `r-${index}`, messageId: `i-${index}`, traits: { phone: phone(index), name: `某某${index}号` } },
    { type: 'track', event: 'Order Paid', userId: `r-${index}`, messageId: `o-${index}`, properties: { order_id: `o-${index}`, revenue: 10, phone: phone(index) } },
  ]);
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

const keys = () => expect(kith, 200, 'GET', '/keys');
const flushed = () => kith.flushed();
const finished = (number) => until(`job k${number} to be finished`, async () => (await expect(kith, 200, 'GET', `/jobs/k${number}`)).state === 'finished', { timeoutMs: 240_000 });

/** The values that somebody with the right sees of person `index`. */
async function readable(index) {
  const { one_id: id, identifiers } = await expect(kith, 200, 'GET', `/customers/by/user_id/r-${index}?reveal=true&reason=test`);
  assert.equal(identifiers.find((one) => one.type === 'mobile')?.value, `+86${phone(index)}`);
  const { items } = await expect(kith, 200, 'GET', `/customers/${id}/events?type=Order%20Paid&reveal=true&reason=test`);
  assert.equal(items.length, 1);
  assert.ok(JSON.stringify(items[0]).includes(phone(index)), JSON.stringify(items[0]));
}

function sealingKeys(texts) {
  const found = new Set();
  for (const text of texts) for (const [, digit] of text.matchAll(/s1:(\w):(?!x{40})[\w-]{54,}/g)) found.add(digit);
  return [...found].sort();
}

const keyOfFile = (path) => {
  const head = Buffer.alloc(12);
  const file = openSync(path, 'r');
  readSync(file, head, 0, 12, 0);
  closeSync(file);
  assert.equal(head.toString('latin1', 0, 8), 'kithsf1\n');
  return head.readUInt32LE(8);
};

test('X11: rotated three times and killed each time; events come meanwhile', { skip: missingBinary }, async () => {
  kith = await Kith.start({ environment: { KITH_WRITE_KEY: writeKey } });
  await expect(kith, 200, 'PUT', '/settings/access.reveals_per_minute', { body: { value: 1000 } });
  await send();
  const upload = await expect(kith, 201, 'POST', '/uploads', { body: { name: 'people.csv', size_bytes: 18 } });
  await expect(kith, 200, 'PUT', `/uploads/${upload.id}?offset=0`, { body: Buffer.from('phone\n13912345678\n') });
  await flushed();
  assert.match(readFileSync(join(kith.folder, 'keys'), 'utf8'), /^kith-keys 1\n[^]*\nsealing 1\n/);
  assert.deepEqual((await keys()).keys, [{ number: 1, state: 'seals', needed: true }]);
  await refused(kith, 422, 'unprocessable', 'POST', '/keys/rotate', { body: { newest: 0 } });
  await refused(kith, 409, 'conflict', 'POST', '/keys/rotate', { body: { newest: 2 } });
  for (let kill = 0; kill < kills; kill++) {
    const newest = kill + 2;
    await expect(kith, 202, 'POST', '/keys/rotate', { body: { newest: newest - 1 } });
    const again = await expect(kith, 202, 'POST', '/keys/rotate', { body: { newest: newest - 1 } });
    assert.equal(again.newest, newest, 'twice asked, once done');
    await send();
    await sleep(kill * 250); // where in the job it dies: anywhere
    await kith.kill9();
    await kith.launch();
    await send();
    await finished(newest);
    assert.deepEqual((await keys()).keys.map((one) => one.needed), [true, ...Array(newest - 1).fill(false)]);
  }
  await send();
  await refused(kith, 409, 'conflict', 'DELETE', `/keys/${kills + 1}`);
  await refused(kith, 404, 'not_found', 'DELETE', '/keys/40');
  for (let index = 0; index < sent; index += 7) await readable(index);
});

test('X11: the older keys are removed; nothing needed them', { skip: missingBinary }, async () => {
  const newest = String(kills + 1);
  const removed = await expect(kith, 200, 'DELETE', `/keys/${kills}`);
  assert.deepEqual(removed.keys.map((one) => one.state), ['seals', ...Array(kills).fill('removed')]);
  await flushed();
  await kith.stop();
  assert.match(readFileSync(join(kith.folder, 'keys'), 'utf8'), new RegExp(`^kith-keys 2\\n[^]*\\nsealing ${newest} from ${newest}\\n`));
  const ledger = [...ledgerValues(kith.folder)].filter(({ where }) => !where.startsWith('audit.')).map(({ text }) => text);
  assert.deepEqual(sealingKeys(ledger), [newest], 'in the ledger');
  assert.deepEqual(sealingKeys([...logBlocks(kith.folder)].map((block) => block.toString('latin1'))), [newest], 'in the log');
  const uploads = join(kith.folder, 'imports/uploads');
  const parts = readdirSync(uploads).filter((name) => name.endsWith('.part'));
  assert.equal(parts.length, 1);
  assert.equal(keyOfFile(join(uploads, parts[0])), kills + 1);
  const checked = spawnSync(binary, ['check', '--data', kith.folder], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  assert.match(checked.stdout, /sealed by older keys: none/);
  await kith.launch();
  for (let index = 0; index < sent; index += 5) await readable(index);
  const { items } = await expect(kith, 200, 'GET', '/audit?action=keys.rotate');
  assert.equal(items.length, kills);
});
