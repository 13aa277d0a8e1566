// SPDX-License-Identifier: Apache-2.0
// servers: several servers at one log and ledger on PostgreSQL, for the tests that kill and pause them.
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kith, freePort, until } from '../support/kith.mjs';

export const leaseMs = 2000;
/** What a test has started, to be removed by `removeStarted` after it. */
export const started = [];

export async function removeStarted() {
  for (const one of started.splice(0).reverse()) await one.remove();
}

/** `first`: the one whose keys it has; `binary`: another than that of the tests. */
export async function server(postgres, first, cluster, role = 'any', lease = leaseMs, more = [], environment = {}, binary = undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'kith-server-'));
  const port = await freePort();
  if (first) copyFileSync(join(first.folder, 'keys'), join(folder, 'keys'));
  const kith = await Kith.start({
    folder, port, binary, readyMs: 180_000,
    arguments: [...(cluster ? ['--warehouse', cluster.url] : ['--no-warehouse']), '--role', role, '--lease', `${lease}ms`, '--advertise', `http://127.0.0.1:${port}`, ...more],
    environment: { KITH_LEDGER: postgres.url, KITH_LOG: postgres.url, ...cluster?.environment, ...environment },
  });
  kith.keepFolder = false;
  started.push(kith);
  return kith;
}

/** What it says of itself, or undefined while it is away. */
export async function standing(kith) {
  try {
    const answer = await fetch(`${kith.url}/readyz`, { signal: AbortSignal.timeout(2000) });
    const body = await answer.json();
    return answer.status === 200 ? body : undefined;
  } catch {
    return undefined;
  }
}

/** How often a line of its log begins with this. */
export const logged = (kith, what) => readFileSync(kith.logPath, 'utf8').split('\n').filter((line) => line.includes(` ${what}`)).length;

/** The active one, once there is one that says so in the newest epoch. */
export async function activeOf(servers) {
  return until('a server to be the active one', async () => {
    const all = await Promise.all(servers.map(async (kith) => ({ kith, says: kith.child && (await standing(kith)) })));
    const active = all.filter((one) => one.says?.role === 'active').sort((a, b) => b.says.epoch - a.says.epoch);
    return active[0]?.kith;
  }, { timeoutMs: 180_000 });
}
