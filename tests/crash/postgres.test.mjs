// SPDX-License-Identifier: Apache-2.0
// D1 with the ledger on a PostgreSQL server: Kith is killed, the server is killed, both are started again, under load:
// every acknowledged event is there exactly once, and a clean replay of the log, in files, comes to the same digest.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Kith, missingBinary, sleep, until } from '../support/kith.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';
import { Load, random, seed } from './support.mjs';

const kills = Number(process.env.KITH_KILLS ?? 3);
const started = [];
after(async () => {
  for (const one of started.reverse()) await one.remove();
});

test(`D1: a ledger on PostgreSQL, with ${kills} deaths of Kith and as many of the server`,
  { skip: missingBinary || missingPostgres, timeout: Math.max(600_000, kills * 30_000) },
  async (t) => {
    t.diagnostic(`KITH_SEED=${seed}`);
    const chance = random(seed);
    const postgres = Postgres.start();
    started.push(postgres);
    const kith = await Kith.start({ readyMs: 180_000, environment: { KITH_LEDGER: postgres.url } });
    started.push(kith);
    const { write_key: backend } = await kith.source('backend');
    const load = new Load(kith, { backend }, { chance, tag: 'p' });
    for (let kill = 1; kill <= kills; kill++) {
      let stopped = false;
      const running = load.run(8, () => stopped);
      await sleep(200 + chance() * 1500);
      postgres.kill();
      await sleep(chance() * 1000); // acknowledgements go on: the log is there
      const before = load.acknowledged.size;
      await until('events to be acknowledged without the ledger', () => load.acknowledged.size > before);
      if (kill % 2 === 0) {
        await kith.kill9(); // both lie dead at once
        postgres.again();
      } else {
        postgres.again();
        await sleep(chance() * 500);
        await kith.kill9();
      }
      stopped = true;
      await running;
      await kith.launch();
    }
    await load.settle();
    await kith.flushed({ timeoutMs: 120_000 });
    const { wrong, events } = await load.verify();
    t.diagnostic(`${events} events, ${load.acknowledged.size} acknowledged`);
    assert.deepEqual(wrong.slice(0, 10), []);

    await kith.stop();
    const into = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
    try {
      const { stdout } = await promisify(execFile)(kith.binary,
        ['rebuild', '--data', kith.folder, '--into', into, '--ledger', postgres.url], { maxBuffer: 64 << 20 });
      assert.match(stdout, /\nthe same\n$/);
    } finally {
      rmSync(into, { recursive: true, force: true });
    }
  });

test('a second server on the same database is refused', { skip: missingBinary || missingPostgres, timeout: 120_000 }, async () => {
  const postgres = Postgres.start();
  started.push(postgres);
  const kith = await Kith.start({ environment: { KITH_LEDGER: postgres.url } });
  started.push(kith);
  await assert.rejects(async () => {
    started.push(await Kith.start({ environment: { KITH_LEDGER: postgres.url }, readyMs: 20_000 }));
  }, /written by another Kith/);
});
