// SPDX-License-Identifier: Apache-2.0
// D5 for imports: the disk fills up to its last byte while a file comes in, on a small tmpfs. The job waits and says why,
// reads go on, an upload is refused with 507 where it stood; once there is room all go on by themselves, and
// every row counts exactly once, over a restart too. Needs the right to mount.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';

const SIZE_MB = Number(process.env.KITH_TMPFS_MB ?? 400);
const ROWS = 400_000;
const USERS = 4000;
let folder, files, kith;
let skip = missingBinary;

if (!skip) {
  folder = mkdtempSync(join(tmpdir(), 'kith-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    skip = 'no right to mount a tmpfs here';
    rmSync(folder, { recursive: true });
    folder = undefined;
  }
}
before(async () => {
  if (skip) return;
  files = mkdtempSync(join(tmpdir(), 'kith-files-'));
  writeFileSync(join(files, 'orders.csv'), 'order,user,paid,amount,note\n' +
    Array.from({ length: ROWS }, (_, i) => `o${i},u${i % USERS},2025-01-01 10:00:00,1,note ${i * 7919} ${i * 104729}\n`).join(''));
  kith = await Kith.start({ folder: join(folder, 'data'), arguments: ['--import-folder', files] });
});
after(async () => {
  await kith?.remove();
  if (files) rmSync(files, { recursive: true, force: true });
  if (!folder) return;
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
});

const mapping = {
  kind: 'events', zone: '+08:00', currency: 'CNY', columns: {}, key: '[order]',
  identifiers: [{ type: 'user_id', value: '[user]' }],
  properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' }, note: '[note]' },
  events: [{ event: 'Order Paid', time: '[paid]' }],
};

function fill() {
  const filler = join(folder, 'filler');
  for (const size of [1 << 20, 1 << 12, 1])
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
  return filler;
}

test('D5: an import waits for room and goes on by itself', { skip, timeout: 300_000 }, async (t) => {
  const upload = await kith.post('/uploads', { name: 'x.csv', size_bytes: 2 << 20 });
  const { id } = await kith.post('/imports', { file: 'path:orders.csv', mapping, data_set: 'orders' });
  const job = () => kith.get(`/jobs/${id}`);
  await until('the job to have begun', async () => (await job()).counts.rows > 0, { everyMs: 5 });
  let filler = fill();
  const stuck = await until('the job to say that there is no room', async () => {
    const now = await job();
    assert.notEqual(now.status, 'failed', now.reason);
    if (now.status === 'finished') throw new Error('it was finished before the disk was full');
    return now.progress.stage === 'no_room' && now;
  }, { timeoutMs: 60_000, everyMs: 20 });
  assert.equal(stuck.status, 'running');
  t.diagnostic(`full after ${stuck.counts.events} of ${ROWS} events`);
  const part = await fetch(`${kith.url}/api/v1/uploads/${upload.id}?offset=0`, { method: 'PUT', headers: { authorization: `Bearer ${kith.token}` }, body: Buffer.alloc(1 << 20, 'a') });
  assert.equal(part.status, 507, await part.text());
  assert.equal((await kith.get(`/uploads/${upload.id}`)).offset, 0);
  assert.equal((await fetch(`${kith.url}/healthz`)).status, 200);

  await kith.kill9(); // in the middle of it
  rmSync(filler);
  await kith.launch();
  const done = await until('the job to be finished', async () => {
    const now = await job();
    assert.notEqual(now.status, 'failed', now.reason);
    return now.status === 'finished' && now;
  }, { timeoutMs: 200_000, everyMs: 100 });
  assert.deepEqual([done.counts.rows, done.counts.events, done.counts.applied, done.counts.refused], [ROWS, ROWS, ROWS, 0]);
  for (const user of [0, 1, USERS - 1]) {
    const { summary } = await kith.customerBy('user_id', `u${user}`);
    assert.deepEqual([summary.orders, summary.revenue], [ROWS / USERS, (100 * ROWS) / USERS]);
  }
});
