// SPDX-License-Identifier: Apache-2.0
// D5 Disk full, on a small tmpfs: 507 or 503 with Retry-After, reads go on, nothing is damaged, and it takes
// events again within seconds once there is room, without a restart. Needs the right to mount.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, sleep, until } from '../support/kith.mjs';

const SIZE_MB = Number(process.env.KITH_TMPFS_MB ?? 400);
let folder;
let kith;
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
let key;
before(async () => {
  if (skip) return;
  kith = await Kith.start({ folder: join(folder, 'data') });
  ({ write_key: key } = await kith.source('backend'));
});
after(async () => {
  await kith?.remove();
  if (!folder) return;
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
});

let next = 0;
const acknowledged = [];
async function send() {
  const n = next++;
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
    body: JSON.stringify({
      batch: [{ type: 'track', event: 'Load Event', messageId: `full-message-${n}`, userId: 'full',
                properties: { n, filling: `${n}`.repeat(2000).slice(0, 8000) } }],
    }),
  });
  await answer.text();
  if (answer.status === 200) acknowledged.push(n);
  return answer;
}

test('D5: a full disk refuses, keeps reading, and recovers', { skip, timeout: 180_000 }, async (t) => {
  for (let i = 0; i < 20; i++) assert.equal((await send()).status, 200);
  // fill what is left, to the last byte
  const filler = join(folder, 'filler');
  try {
    for (let i = 0; ; i++) writeFileSync(filler, Buffer.alloc(1 << 20), { flag: 'a' });
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  }
  const refused = await until('a request to be refused', async () => {
    const answer = await send();
    return answer.status !== 200 && answer;
  }, { timeoutMs: 60_000, everyMs: 1 });
  assert.ok([503, 507].includes(refused.status), `${refused.status}`);
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  const customer = await kith.customerBy('user_id', 'full');
  assert.ok(customer.one_id, 'reads go on');
  assert.equal((await fetch(`${kith.url}/healthz`)).status, 200);
  for (let i = 0; i < 30; i++) await send();

  const start = Date.now();
  rmSync(filler);
  await until('events to be taken again', async () => (await send()).status === 200, { timeoutMs: 5_000, everyMs: 50 });
  t.diagnostic(`takes events again ${Date.now() - start} ms after there was room`);
  await sleep(200);
  for (let i = 0; i < 10; i++) assert.equal((await send()).status, 200);

  await kith.settled();
  const check = async () => {
    const { one_id: oneId } = await kith.customerBy('user_id', 'full');
    const there = (await kith.timeline(oneId)).map((event) => event.props.n).sort((a, b) => a - b);
    assert.deepEqual(there, acknowledged);
  };
  await check();
  await kith.stop();
  await kith.launch();
  await check();
});
