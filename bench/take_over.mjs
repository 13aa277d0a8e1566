// SPDX-License-Identifier: Apache-2.0
// take_over: how long it takes until a follower answers as the active one after that was killed, and what comes after.
//
//     KITH_BINARY=… node bench/take_over.mjs [CUSTOMERS]      default 50000; each with two identifiers and an event
//
// Two servers at a PostgreSQL of their own (tools/postgres), without a warehouse, with a lease of 2 s, which is part of the time.
// Told: the follower's start and of it the copy of the ledger; from kill -9 to /readyz saying 'active'; of it what the engine
// took (taken_over); and how long the ledger on the server was written anew (ledger_settled).
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kith, freePort, until } from '../tests/support/kith.mjs';
import { Postgres } from '../tests/support/postgres.mjs';

const customers = Number(process.argv[2] ?? 50_000), leaseMs = 2000, atOnce = 500, senders = 4;
const postgres = Postgres.start(), started = [];

async function server(first) {
  const folder = mkdtempSync(join(tmpdir(), 'kith-bench-'));
  if (first) copyFileSync(join(first.folder, 'keys'), join(folder, 'keys'));
  const kith = await Kith.start({
    folder, port: await freePort(), readyMs: 600_000,
    arguments: ['--no-warehouse', '--lease', `${leaseMs}ms`],
    environment: { KITH_LEDGER: postgres.url, KITH_LOG: postgres.url },
  });
  kith.keepFolder = false;
  started.push(kith);
  return kith;
}

/** The milliseconds that the newest line of this kind says; none yet: NaN. */
function said(kith, what) {
  const line = readFileSync(kith.logPath, 'utf8').split('\n').filter((one) => one.includes(` ${what} `)).at(-1);
  return Number(/ ms=(\d+)/.exec(line ?? '')?.[1] ?? NaN);
}

async function fill(kith, key) {
  let next = 0;
  const send = async () => {
    while (next < customers) {
      const from = next;
      next += atOnce;
      const items = Array.from({ length: Math.min(atOnce, customers - from) }, (_, i) => ({
        type: 'identify', messageId: `m${from + i}`, userId: `u${from + i}`, traits: { phone: `1${String(3000000000 + from + i)}`, city: '上海' },
      }));
      for (;;) {
        try {
          await kith.batch(key, items);
          break;
        } catch (error) {
          if (error.status !== 429 && error.status !== 503) throw error;
          await new Promise((done) => setTimeout(done, 100));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  await kith.settled({ timeoutMs: 600_000 });
}

try {
  const first = await server();
  const { write_key: key } = await first.source('backend');
  await fill(first, key);
  const second = await server(first);
  await until('the follower to have all', async () => (await second.get('/system')).engine.applied_seq >= (await first.get('/system')).log.last_seq);
  const load = loadavg()[0];
  const killed = performance.now();
  await first.kill9();
  await until('the follower to be the active one', async () => {
    const answer = await fetch(`${second.url}/readyz`);
    return answer.status === 200 && (await answer.json()).role === 'active';
  }, { timeoutMs: 600_000, everyMs: 10 });
  const readyMs = Math.round(performance.now() - killed);
  await until('the ledger to be settled', () => said(second, 'ledger_settled') >= 0, { timeoutMs: 1_200_000 });
  if (process.env.KITH_BENCH_LOG) console.error(second.logTail(20));
  console.log(JSON.stringify({
    customers, follower_start_ms: second.readyAfterMs, copy_ms: said(second, 'standby_copied'), kill_to_active_ms: readyMs,
    engine_ms: said(second, 'taken_over'), settled_ms: said(second, 'ledger_settled'), load: load.toFixed(1),
  }));
} finally {
  for (const kith of started.reverse()) await kith.remove();
  postgres.remove();
}
