// SPDX-License-Identifier: Apache-2.0
// X11 with several servers at one log: a rotation reaches who follows while it runs, into its own key file; who takes over opens all
// that the killed one has sealed; what is handed over by a door is under the newest key; a removed key goes from every file.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { expect } from '../api/support.mjs';
import { Kith, freePort, missingBinary, until } from '../support/kith.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';

const started = [];
after(async () => {
  for (const one of started.reverse()) await one.remove();
});
const writeKey = 'wk_rotation_servers_01234567';

async function server(postgres, first) {
  const folder = mkdtempSync(join(tmpdir(), 'kith-server-'));
  const port = await freePort();
  if (first) copyFileSync(join(first.folder, 'keys'), join(folder, 'keys'));
  const kith = await Kith.start({
    folder, port, readyMs: 180_000,
    arguments: ['--no-warehouse', '--lease', '2000ms', '--advertise', `http://127.0.0.1:${port}`],
    environment: { KITH_LEDGER: postgres.url, KITH_LOG: postgres.url, KITH_WRITE_KEY: writeKey },
  });
  kith.keepFolder = false;
  started.push(kith);
  return kith;
}

const phone = (index) => `137${String(20_000_000 + index)}`;
async function send(kith, index) {
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch: [{ type: 'identify', userId: `s-${index}`, messageId: `s-${index}`, traits: { phone: phone(index) } }] }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

const readable = (kith, index) => until(`person ${index} to be read`, async () => {
  const { identifiers } = await expect(kith, 200, 'GET', `/customers/by/user_id/s-${index}?reveal=true&reason=test`);
  return identifiers.some((one) => one.type === 'mobile' && one.value === `+86${phone(index)}`);
});
/** Who follows shows nothing in clear (that is a line of the audit), but has to open it all the same. */
const masked = (kith, index) => until(`person ${index} to be seen`, async () => {
  const { identifiers } = await expect(kith, 200, 'GET', `/customers/by/user_id/s-${index}`);
  return identifiers.some((one) => one.type === 'mobile' && one.value.includes('137****') && one.value.endsWith(phone(index).slice(-4)));
});
const logOf = (kith) => readFileSync(kith.logPath, 'utf8');
const settled = (kith) => until('its ledger to be the ledger', () => logOf(kith).includes(' ledger_settled'), { timeoutMs: 120_000 });
const keysIn = (kith) => [...readFileSync(join(kith.folder, 'keys'), 'utf8').matchAll(/^key (\d+) /gm)].map(([, number]) => Number(number));
const finished = (kith, number) => until(`job k${number}`, async () => (await expect(kith, 200, 'GET', `/jobs/k${number}`)).state === 'finished', { timeoutMs: 120_000 });

test('X11: who follows seals by the new key without a restart, and goes on with it', { skip: missingBinary || missingPostgres, timeout: 400_000 }, async () => {
  const postgres = await Postgres.start();
  started.push(postgres);
  const active = await server(postgres);
  const follower = await server(postgres, active);
  await send(active, 0);
  await expect(active, 202, 'POST', '/keys/rotate', { body: { newest: 1 } });
  await send(active, 1);
  await until('the follower to have key 2', () => keysIn(follower).includes(2));
  await send(follower, 2);
  await finished(active, 2);
  await readable(active, 2);
  await masked(follower, 1);
  await expect(active, 202, 'POST', '/keys/rotate', { body: { newest: 2 } });
  await finished(active, 3);
  await expect(active, 200, 'DELETE', '/keys/2');
  assert.deepEqual(keysIn(active), [3]);
  await until('the older keys to leave the other file', () => keysIn(follower).join() === '3');
  await active.kill9();
  await until('the follower to be the active one', async () => {
    const answer = await fetch(`${follower.url}/readyz`);
    return answer.status === 200 && (await answer.json()).role === 'active';
  }, { timeoutMs: 120_000 });
  await send(follower, 3);
  for (const index of [0, 1, 2, 3]) await readable(follower, index);
});

test('X11: who took over has what the others need of the keys, and nothing sealed by those that are gone', { skip: missingBinary || missingPostgres, timeout: 400_000 }, async () => {
  const postgres = await Postgres.start();
  started.push(postgres);
  const active = await server(postgres);
  const aside = { folder: mkdtempSync(join(tmpdir(), 'kith-keys-')) }; // the key file of a server that is away meanwhile
  copyFileSync(join(active.folder, 'keys'), join(aside.folder, 'keys'));
  await send(active, 0);
  await readable(active, 0);
  const follower = await server(postgres, active); // its copy of the ledger is sealed by key 1
  await send(active, 1);
  await masked(follower, 1);
  for (const newest of [1, 2]) {
    await expect(active, 202, 'POST', '/keys/rotate', { body: { newest } });
    await finished(active, newest + 1);
  }
  await until('the follower to have key 3', () => keysIn(follower).includes(3));
  await active.kill9();
  await settled(follower);
  await finished(follower, 3); // all over again: it has a folder of its own
  const third = await server(postgres, aside);
  await until('the third to have all keys', () => keysIn(third).join() === '1,2,3');
  await masked(third, 0);
  await expect(follower, 200, 'DELETE', '/keys/2');
  await until('the older keys to leave the third file', () => keysIn(third).join() === '3');
  await follower.kill9();
  await settled(third); // its copy of the ledger was whole before the keys went
  await third.kill9();
  await third.launch();
  for (const index of [0, 1]) await readable(third, index);
  assert.deepEqual((await expect(third, 200, 'GET', '/keys')).keys.map((one) => one.state), ['seals', 'removed', 'removed']);
});

test('X11: keys that are removed before a take-over opened nothing that is left', { skip: missingBinary || missingPostgres, timeout: 400_000 }, async () => {
  const postgres = await Postgres.start();
  started.push(postgres);
  const active = await server(postgres);
  await send(active, 0);
  await readable(active, 0);
  const follower = await server(postgres, active);
  await send(active, 1);
  await masked(follower, 1);
  await expect(active, 202, 'POST', '/keys/rotate', { body: { newest: 1 } });
  await finished(active, 2);
  await expect(active, 200, 'DELETE', '/keys/1');
  await until('the older key to leave the other file', () => keysIn(follower).join() === '2');
  await active.kill9();
  await settled(follower);
  await follower.kill9(); // what it had in memory is gone
  await follower.launch();
  for (const index of [0, 1]) await readable(follower, index);
});
