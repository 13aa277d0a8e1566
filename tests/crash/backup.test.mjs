// SPDX-License-Identifier: Apache-2.0
// D11 Backups: points taken under load while everything goes on; restored elsewhere, also to a moment between two
// points; damage is named, a crash or a full disk in the middle leaves nothing half.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { binary, Kith, missingBinary, sleep, until } from '../support/kith.mjs';

const skip = missingBinary;
const run = promisify(execFile);
let room, backups, kith, key, sending;
const acknowledged = new Set();

async function sendOne(n) {
  await kith.batch(key, [
    { type: 'identify', messageId: `id-${n}`, userId: `u${n % 200}`, traits: { round: n, phone: `154${String(n % 200).padStart(8, '0')}` } },
    { type: 'track', messageId: `ev-${n}`, userId: `u${n % 200}`, event: 'Order Paid',
      properties: { order_id: `o-${n}`, revenue: 10, currency: 'CNY' } },
  ]);
  acknowledged.add(n);
}

/** Four senders that do not stop until told. */
function load() {
  let next = acknowledged.size;
  const state = { stop: false };
  const one = async () => {
    while (!state.stop) await sendOne(next++).catch(() => sleep(20));
  };
  state.done = Promise.all([one(), one(), one(), one()]);
  return state;
}
const stopLoad = async () => {
  sending.stop = true;
  await sending.done;
};

async function take() {
  await kith.post('/backups', undefined);
  const answer = await until('the end of the backup', async () => {
    const now = await kith.get('/backups');
    return now.running === null && now;
  }, { timeoutMs: 60_000 });
  assert.equal(answer.last_problem, null);
  return answer.points[0];
}

const digestOf = async (folder) =>
  (await run(binary, ['digest', '--data', folder])).stdout.match(/^digest (.*)$/m)[1];
const restore = (folder, ...more) =>
  run(binary, ['restore', '--from', backups, '--data', folder, ...more]);
/** Orders by the API of a server on this folder: [how many, the last n]. */
async function orders(folder) {
  const other = await Kith.start({ folder });
  try {
    await until('all rows', async () => (await other.get('/system')).warehouse.unflushed_rows === 0);
    let count = 0;
    for (let n = 0; n < 200; n++) {
      const who = await other.findBy('user_id', `u${n}`).catch(() => undefined);
      count += who?.summary.orders ?? 0;
    }
    return count;
  } finally {
    await other.stop();
  }
}

before(async () => {
  if (skip) return;
  room = mkdtempSync(join(tmpdir(), 'kith-backup-'));
  backups = join(room, 'backups');
  kith = await Kith.start({ folder: join(room, 'data'), arguments: ['--backups', backups] });
  ({ write_key: key } = await kith.source('backend'));
});
after(async () => {
  if (skip) return;
  if (sending && !sending.stop) await stopLoad();
  await kith.remove();
  rmSync(room, { recursive: true });
});

let first, second, middle, ordersInMiddle;
test('D11: two points under load, the second costs what is new; events go on being taken', { skip, timeout: 180_000 }, async () => {
  sending = load();
  await until('some events', () => acknowledged.size > 500);
  first = await take();
  const afterFirst = acknowledged.size;
  await until('more events', () => acknowledged.size > afterFirst + 300);
  await stopLoad();
  middle = new Date();
  ordersInMiddle = acknowledged.size;
  await sleep(1100);
  sending = load();
  await until('yet more events', () => acknowledged.size > ordersInMiddle + 300);
  second = await take();
  assert.ok(second.number === first.number + 1);
  assert.ok(second.new_bytes < second.bytes);
  await stopLoad();
});

test('D11: restored elsewhere, the newest point is a folder that any server opens, and holds what the point says', { skip, timeout: 120_000 }, async () => {
  const folder = join(room, 'newest');
  const { stdout } = await restore(folder);
  assert.match(stdout, new RegExp(`point ${second.number}\\b`));
  assert.equal((await run(binary, ['check', '--data', folder])).stderr.includes('error'), false);
  const count = await orders(folder);
  assert.ok(count > ordersInMiddle && count <= acknowledged.size, `${count} orders`);
});

test('D11: a point of a quiet server has the same digest as the folder itself, and it is in the audit', { skip, timeout: 120_000 }, async () => {
  const point = await take();
  const audit = await kith.get('/audit?action=backup.take');
  assert.ok(audit.items.length >= 3);
  await kith.stop();
  const folder = join(room, 'quiet');
  await restore(folder, '--point', String(point.number));
  const own = join(room, 'data');
  assert.equal(await digestOf(folder), await digestOf(own));
  await kith.launch();
});

test('D11: a moment between two points is everything until then, and nothing after', { skip, timeout: 120_000 }, async () => {
  const folder = join(room, 'moment');
  const { stdout } = await restore(folder, '--at', middle.toISOString());
  assert.match(stdout, new RegExp(`point ${first.number}\\b`));
  assert.equal(await orders(folder), ordersInMiddle);
});

test('D11: before the first point there is nothing, and it says so', { skip }, async () => {
  const folder = join(room, 'too-early');
  await assert.rejects(restore(folder, '--at', '2020-01-01T00:00:00Z'), (error) => {
    assert.match(error.stderr, /no point .* is that old/);
    return true;
  });
  assert.throws(() => statSync(folder), 'nothing is left of it');
});

test('D11: a folder with something in it is not written to', { skip }, async () => {
  const folder = join(room, 'full');
  mkdirSync(folder);
  writeFileSync(join(folder, 'mine'), 'mine');
  await assert.rejects(restore(folder), /is not empty/);
  assert.deepEqual(readdirSync(folder), ['mine']);
});

test('D11: two at once: the second is refused', { skip, timeout: 60_000 }, async () => {
  const asked = await Promise.allSettled([kith.post('/backups', undefined), kith.post('/backups', undefined)]);
  const refused = asked.filter((one) => one.status === 'rejected');
  assert.ok(refused.length <= 1);
  for (const one of refused) assert.equal(one.reason.status, 409);
  await until('the end', async () => (await kith.get('/backups')).running === null);
});

test('D11: kill -9 in the middle of one leaves the points whole, and the next one is taken', { skip, timeout: 180_000 }, async () => {
  const before_ = (await kith.get('/backups')).points.length;
  for (let round = 0; round < 3; round++) {
    sending = load();
    await sleep(300);
    await kith.post('/backups', undefined);
    await sleep(20 * round);
    await kith.kill9();
    sending.stop = true;
    await sending.done;
    await kith.launch();
  }
  // What the warehouse leaves when it is killed between making its count of freezes and writing it.
  writeFileSync(join(kith.folder, 'warehouse/chdb/shadow/increment.txt'), '');
  const point = await take();
  assert.ok((await kith.get('/backups')).points.length > before_);
  const verified = await run(binary, ['backup', '--from', backups, '--verify']);
  assert.match(verified.stdout, /whole/);
  const folder = join(room, 'after-kills');
  await restore(folder, '--point', String(point.number));
  assert.ok((await orders(folder)) >= acknowledged.size);
});

test('D11: old points go, and what the others need stays', { skip, timeout: 60_000 }, async () => {
  const { stdout } = await run(binary, ['backup', '--from', backups, '--keep', '2', '--list', '--verify']);
  assert.match(stdout, /points removed/);
  assert.equal((await kith.get('/backups')).points.length, 2);
  const again = await run(binary, ['backup', '--from', backups, '--verify']);
  assert.match(again.stdout, /whole/);
  const folder = join(room, 'after-prune');
  await restore(folder);
  assert.ok((await orders(folder)) > 0);
});

test('D11: a piece with a flipped bit is found and named, and nothing is restored from it', { skip }, async () => {
  const page = JSON.parse(readFileSync(join(backups, 'points', readdirSync(join(backups, 'points')).filter((name) => name.endsWith('.json')).sort().at(-1))));
  const name = page.files.find((file) => file.path === 'ledger.db').pieces[0];
  const path = join(backups, 'objects', name.slice(0, 2), name);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
  await assert.rejects(run(binary, ['backup', '--from', backups, '--verify']), (error) => {
    assert.equal(error.code, 3);
    assert.ok(error.stderr.includes(name));
    return true;
  });
  const folder = join(room, 'damaged');
  await assert.rejects(restore(folder), /damaged/);
  assert.throws(() => statSync(folder));
});

test('D5: a full disk under the backups is told, the server goes on, and the next one is taken', { skip, timeout: 120_000 }, async (t) => {
  const small = join(room, 'small');
  mkdirSync(small);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small], { stdio: 'ignore' });
  } catch {
    t.skip('no right to mount a tmpfs here');
    return;
  }
  await kith.stop();
  const other = await Kith.start({ folder: join(room, 'data'), arguments: ['--backups', join(small, 'b')] });
  try {
    assert.throws(() => {
      for (;;) appendFileSync(join(small, 'filler'), Buffer.alloc(1 << 16));
    }, /ENOSPC/);
    await other.post('/backups', undefined);
    const failed = await until('the failure', async () => {
      const now = await other.get('/backups');
      return now.running === null && now;
    });
    assert.match(failed.last_problem, /full|No space/i);
    assert.deepEqual(failed.points, []);
    await other.batch(key, [{ type: 'track', messageId: 'while-full', userId: 'u1', event: 'Order Paid', properties: { order_id: 'o-x', revenue: 1, currency: 'CNY' } }]);
    execFileSync('mount', ['-o', 'remount,size=400m', small]);
    await other.post('/backups', undefined);
    const good = await until('the end', async () => {
      const now = await other.get('/backups');
      return now.running === null && now;
    }, { timeoutMs: 60_000 });
    assert.equal(good.last_problem, null);
    assert.equal(good.points.length, 1);
  } finally {
    await other.stop();
    execFileSync('umount', [small]);
    await kith.launch();
  }
});
