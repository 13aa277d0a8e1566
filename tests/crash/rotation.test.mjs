// SPDX-License-Identifier: Apache-2.0
// X11, D1: the sealing key is rotated while events come and the server is killed; then no text of an older key is left anywhere, and
// everything can be read without the older keys, which are destroyed. Another master key changes nothing of that. The test of the test:
// a server that seals by a key before it keeps it, and one that leaves the log out (preset `crash`).
import assert from 'node:assert/strict';
import { existsSync, openSync, closeSync, readSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { Kith, binary, missingBinary, root, sleep, until } from '../support/kith.mjs';
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

const keyFile = () => readFileSync(join(kith.folder, 'keys'), 'utf8');
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
  assert.match(keyFile(), /^kith-keys 3\n[^]*\nseals 1\nkey 1 [^\n]+\nend /);
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
  assert.match(keyFile(), new RegExp(`^kith-keys 3\\n[^]*\\nseals ${newest}\\nkey ${newest} [^\\n]+\\nend `), 'one key alone');
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

const masters = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));
const changeMaster = (environment) => spawnSync(binary, ['keys', 'master', '--data', kith.folder], { encoding: 'utf8', env: { ...process.env, ...environment } });

test('X11: another master key: out of the folder, anew, and back; nothing sealed is touched', { skip: missingBinary }, async () => {
  const served = changeMaster({ KITH_NEW_MASTER_KEY: masters[0] });
  assert.equal(served.status, 1);
  assert.match(served.stderr, /is in use by a server/);
  await kith.stop();
  const own = /\nmaster (\S+)\n|^kith-keys 3\nmaster (\S+)\n/;
  const before = keyFile().match(own)[0];
  for (const [environment, expected] of [
    [{ KITH_NEW_MASTER_KEY: masters[0] }, 0],
    [{ KITH_NEW_MASTER_KEY: masters[1] }, 1], // not without the one of now
    [{ KITH_MASTER_KEY: masters[0], KITH_NEW_MASTER_KEY: 'short' }, 1],
    [{ KITH_MASTER_KEY: masters[0], KITH_NEW_MASTER_KEY: masters[1] }, 0],
  ]) {
    const { status, stdout, stderr } = changeMaster(environment);
    assert.equal(status, expected, stdout + stderr);
    for (const secret of masters) assert.ok(!(stdout + stderr + keyFile()).includes(secret));
  }
  assert.match(keyFile(), /\nmaster environment\n/);
  await assert.rejects(kith.launch(), /kept outside/);
  kith.environment.KITH_MASTER_KEY = masters[1];
  await kith.launch();
  for (let index = 0; index < sent; index += 9) await readable(index);
  await expect(kith, 202, 'POST', '/keys/rotate', { body: { newest: kills + 1 } });
  await finished(kills + 2);
  await kith.stop();
  assert.equal(changeMaster({ KITH_MASTER_KEY: masters[1] }).status, 0);
  delete kith.environment.KITH_MASTER_KEY;
  assert.notEqual(keyFile().match(own)[0], before);
  await kith.launch();
  for (let index = 0; index < sent; index += 9) await readable(index);
});

const mutant = process.env.KITH_CRASH_BINARY ?? join(root, 'build/crash/kith');
const skipMutant = missingBinary || (existsSync(mutant) ? false : `no ${mutant}: build it with \`tools/build crash\``);

async function mutated(mutation) {
  await kith?.stop();
  if (kith) rmSync(kith.folder, { recursive: true, force: true });
  kith = await Kith.start({ binary: mutant, environment: { KITH_WRITE_KEY: writeKey, KITH_MUTATE_KEYS: mutation } });
  sent = 0;
  await send();
  await flushed();
  await expect(kith, 202, 'POST', '/keys/rotate', { body: { newest: 1 } });
  await send();
}

test('the test of the test: a key that seals before the file has it is lost with the server', { skip: skipMutant, timeout: 200_000 }, async () => {
  await mutated('no_file');
  await kith.kill9();
  await assert.rejects(async () => {
    await kith.launch();
    await readable(sent - 1);
  });
});

test('the test of the test: what a rotation leaves out is found', { skip: skipMutant, timeout: 200_000 }, async () => {
  await mutated('no_log');
  await finished(2);
  await kith.stop();
  const texts = [...logBlocks(kith.folder)].map((block) => block.toString('latin1'));
  assert.ok(sealingKeys(texts).includes('1'), 'the log is as it was');
  const checked = spawnSync(binary, ['check', '--data', kith.folder], { encoding: 'utf8' });
  assert.match(checked.stdout, /sealed by older keys: \d+ records of the log/);
});
