// SPDX-License-Identifier: Apache-2.0
// P12: nothing is asked of the world outside. The whole of this test runs once more in a namespace of its own that has a loopback and no
// other way out: everything but delivery works there, and what is to be delivered waits.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { expect, identify, track } from './support.mjs';

const isInside = process.env.KITH_TEST_NO_NETWORK === '1';
const inside = (command, ...more) => ['-rn', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', command, ...more];
const mayUnshare = spawnSync('unshare', inside('true')).status === 0;
const skip = missingBinary || (mayUnshare ? false : 'no namespace may be made here (unshare -rn, ip)');
let kith, backups;
after(async () => {
  await kith?.remove();
  if (backups) rmSync(backups, { recursive: true, force: true });
});

if (!isInside)
  test('P12: a server without a network', { skip, timeout: 400_000 }, () => {
    const environment = { ...process.env, KITH_TEST_NO_NETWORK: '1' };
    delete environment.NODE_TEST_CONTEXT; // its own report, not a part of ours
    const { status, stdout, stderr } = spawnSync('unshare', inside(process.execPath, '--test', '--test-reporter=tap', import.meta.filename),
      { env: environment, encoding: 'utf8', timeout: 380_000 });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /# pass 5\n# fail 0/);
  });
else {
  test('there is no way out', async () => {
    assert.deepEqual(Object.keys(networkInterfaces()), ['lo']);
    await assert.rejects(fetch('http://192.0.2.1/', { signal: AbortSignal.timeout(5000) }));
  });

  test('it starts, takes events, tells who is who', async () => {
    backups = mkdtempSync(join(tmpdir(), 'kith-backups-'));
    kith = await Kith.start({ arguments: ['--backups', backups] });
    const shop = await kith.source('shop');
    await kith.batch(shop.write_key, [
      identify('ann', { phone: '13800000001', city: '上海' }),
      track('ann', 'Order Paid', { order_id: 'o1', revenue: '1.00', currency: 'CNY' }),
      identify('bob', { phone: '13800000002', city: '杭州' }),
    ]);
    const { identifiers } = await expect(kith, 200, 'GET', '/customers/by/mobile/13800000001');
    assert.ok(identifiers.some((one) => one.type === 'user_id' && one.value === 'ann'));
  });

  test('it counts, previews, exports, charts', async () => {
    await expect(kith, 200, 'PUT', '/segments/buyers', { body: { rule: { event: 'Order Paid' } } });
    assert.equal((await expect(kith, 200, 'POST', '/segments/preview', { body: { rule: { trait: 'city', eq: '杭州' } } })).count, 1);
    const made = await expect(kith, 201, 'POST', '/segments/buyers/exports', { body: { format: 'csv', columns: ['one_id'] } });
    await until('the export', async () => (await expect(kith, 200, 'GET', `/exports/${made.id}`)).state === 'done');
    await kith.flushed();
    assert.equal((await fetch(`${kith.url}/healthz`)).status, 200);
    assert.match(await (await fetch(`${kith.url}/metrics`)).text(), /^kith_/m);
  });

  test('it keeps: backup, another sealing key, an erasure', async () => {
    await expect(kith, 202, 'POST', '/backups');
    await until('the backup', async () => (await expect(kith, 200, 'GET', '/backups')).points.length === 1, { timeoutMs: 60_000 });
    await expect(kith, 202, 'POST', '/keys/rotate', { body: { newest: 1 } });
    await until('the rotation', async () => (await expect(kith, 200, 'GET', '/jobs/k2')).state === 'finished', { timeoutMs: 120_000 });
    const { one_id: bob } = await expect(kith, 200, 'GET', '/customers/by/user_id/bob');
    const erasure = await expect(kith, 202, 'DELETE', `/customers/${bob}?reason=test`);
    await until('the erasure', async () => (await expect(kith, 200, 'GET', `/jobs/${erasure.id}`)).state === 'finished', { timeoutMs: 120_000 });
  });

  test('after a kill it comes back, and has complained of no host', async () => {
    await kith.kill9();
    await kith.launch();
    assert.equal((await expect(kith, 200, 'GET', '/segments/buyers')).count, 1);
    assert.doesNotMatch(readFileSync(kith.logPath, 'utf8'), /resolve|unreachable|Could not connect/i);
  });
}
