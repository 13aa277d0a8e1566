// SPDX-License-Identifier: Apache-2.0
// A folder moves up, to PostgreSQL and to two shards of ClickHouse, and back down: nothing is lost, nothing is there twice, the digests
// are equal, and nobody goes on at the old place.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Cluster, missingClickhouse } from '../support/clickhouse.mjs';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';
import { removeStarted, started } from './servers.mjs';

after(removeStarted);
const skip = missingBinary || missingPostgres;

test('a folder moves to PostgreSQL and back, and nothing is another', { skip, timeout: 300_000 }, async () => {
  const postgres = Postgres.start();
  started.push(postgres);
  const urls = { KITH_LEDGER: postgres.url, KITH_LOG: postgres.url };
  const kith = await Kith.start({ arguments: ['--no-warehouse'] });
  started.push(kith);
  const { write_key: backend } = await kith.source('backend');
  const item = (n) => ({ type: 'track', userId: `u${n % 5}`, event: 'Load Event', messageId: `m${n}`, properties: { n } });
  const eventsOf = async (many) => until(`all ${many} events`, async () => {
    let events = 0;
    for (let n = 0; n < 5; n++) events += (await kith.findBy('user_id', `u${n}`))?.summary.events ?? 0;
    return events === many;
  });
  const run = (...more) => promisify(execFile)(kith.binary, ['move', '--data', kith.folder, ...more]);
  for (let n = 0; n < 50; n += 10) await kith.batch(backend, Array.from({ length: 10 }, (_, i) => item(n + i)));
  await eventsOf(50);
  await kith.stop();

  assert.match((await run('--to-ledger', postgres.url, '--to-log', postgres.url)).stdout, /\nthe same\n$/);
  kith.environment = urls;
  await kith.launch();
  await eventsOf(50);
  await kith.batch(backend, [item(50), item(0)]); // one that is new, one that was there before the move
  await eventsOf(51);
  await kith.stop();
  await assert.rejects(run('--to-ledger', postgres.url, '--to-log', postgres.url), /the folder has no ledger.db/);

  const down = ['--ledger', postgres.url, '--log', postgres.url, '--to-ledger', 'file', '--to-log', 'file'];
  assert.match((await run(...down)).stdout, /\nthe same\n$/);
  // nobody goes on at the old place
  kith.arguments = ['--no-warehouse', '--role', 'active'];
  await assert.rejects(kith.launch(), /written by another Kith/);
  kith.child = undefined;
  kith.environment = {};
  await kith.launch();
  await eventsOf(51);
  await kith.batch(backend, [item(51), item(50)]);
  await eventsOf(52);
});

/** Events of ten customers, each known by a cookie at first; every tenth event says who she is. */
const item = (n) => ({
  type: n % 10 === 0 ? 'identify' : 'track', messageId: `m${n}`, anonymousId: `a${n % 30}`,
  ...(n % 10 === 0 ? { userId: `u${n % 30 % 3}`, traits: { name: `顾客 ${n % 3}` } } : { event: n % 7 === 0 ? 'Order Completed' : 'Page "seen"\t', properties: { order_id: `o${n}`, revenue: n / 4, note: `'引号' ${'x'.repeat(n % 50)}` } }),
});

async function send(kith, key, from, to) {
  for (let n = from; n < to; n += 100) await kith.batch(key, Array.from({ length: Math.min(100, to - n) }, (_, i) => item(n + i)));
  await kith.flushed({ timeoutMs: 120_000 });
}

const timelines = (kith) => Promise.all([0, 1, 2].map(async (n) => kith.timeline((await kith.customerBy('user_id', `u${n}`)).one_id)));

/** Until what a shard was told to change is changed. */
const changed = (cluster, shard) => until('the shard to have changed its rows', async () =>
  (await cluster.ask(shard, "SELECT count() FROM system.mutations WHERE table = 'events_shard' AND NOT is_done")) === '0');

async function rowsOf(cluster) {
  const sum = { rows: 0, seqs: 0, stray: 0 };
  for (const shard of [0, 1]) {
    const [rows, seqs, stray] = (await cluster.ask(shard, `SELECT count(), uniqExact(seq), countIf(customer % 2 != ${shard}) FROM events_shard`)).split('\t').map(Number);
    assert.ok(rows > 0, `shard ${shard} has no rows`);
    Object.assign(sum, { rows: sum.rows + rows, seqs: sum.seqs + seqs, stray: sum.stray + stray });
  }
  return sum;
}

test('events move to two shards while the server runs, the rest with all else once it is stopped, and all of it back',
  { skip: skip || missingClickhouse || (process.env.KITH_TEST_CLUSTER ? 'it begins with an embedded warehouse' : false), timeout: 600_000 }, async (t) => {
    const cluster = Cluster.start(), postgres = Postgres.start();
    started.push(cluster, postgres);
    const kith = await Kith.start({ readyMs: 120_000 });
    started.push(kith);
    const run = async (...more) =>
      (await promisify(execFile)(kith.binary, ['move', '--data', kith.folder, ...more], { env: { ...process.env, ...cluster.environment } })).stdout;
    const { write_key: backend } = await kith.source('backend');

    await send(kith, backend, 0, 1500);
    assert.match(await run('--ahead', '--to-warehouse', cluster.url), /^events: 1500 are the same, 1500 of them copied now\n$/);
    await send(kith, backend, 1500, 2000);
    assert.match(await run('--ahead', '--to-warehouse', cluster.url), /^events: 2000 are the same, 500 of them copied now\n$/);
    await assert.rejects(run('--ahead', '--to-warehouse', cluster.url, '--to-log', postgres.url), /--ahead copies events of an embedded warehouse alone/);
    await assert.rejects(run('--to-warehouse', cluster.url), /is in use by another server/);
    await send(kith, backend, 2000, 2200);
    const before = await timelines(kith);
    await kith.stop();
    await assert.rejects(run('--ahead', '--to-warehouse', cluster.url), /no warehouse runs in .*moved without --ahead/);

    // a row that is there twice is found, and so is one that is another; what is missing, whichever, is filled in
    const up = ['--to-ledger', postgres.url, '--to-log', postgres.url, '--to-warehouse', cluster.url];
    const one = await cluster.ask(0, 'SELECT min(seq) FROM events_shard');
    await cluster.ask(0, `INSERT INTO events_shard SELECT * FROM events_shard WHERE seq = ${one}`);
    await assert.rejects(run('--to-warehouse', cluster.url), /are others where they go: 2\d{3} rows/);
    await cluster.ask(0, `ALTER TABLE events_shard UPDATE channel = 'other' WHERE seq = ${one}`);
    await changed(cluster, 0);
    await cluster.ask(0, 'OPTIMIZE TABLE events_shard FINAL');
    await assert.rejects(run('--to-warehouse', cluster.url), /are others where they go/);
    await cluster.ask(0, `ALTER TABLE events_shard DELETE WHERE seq = ${one} OR seq % 5 = 0`);
    await changed(cluster, 0);

    const said = await run(...up);
    t.diagnostic(said.split('\n').filter((line) => line.startsWith('events')).join(', '));
    assert.match(said, /\nevents: 2200 are the same, \d+ of them copied now\n/);
    assert.match(said, /\nthe same\n$/);
    assert.deepEqual(await rowsOf(cluster), { rows: 2200, seqs: 2200, stray: 0 });
    assert.ok(existsSync(join(kith.folder, 'warehouse.moved')) && !existsSync(join(kith.folder, 'warehouse')));
    kith.environment = { KITH_LEDGER: postgres.url, KITH_LOG: postgres.url, KITH_WAREHOUSE: cluster.url, ...cluster.environment };
    await kith.launch();
    assert.deepEqual(await timelines(kith), before);
    await send(kith, backend, 2100, 2300); // some that are new, some that were there before the move
    assert.deepEqual(await rowsOf(cluster), { rows: 2300, seqs: 2300, stray: 0 });
    const after = await timelines(kith);
    await kith.stop();

    const down = ['--ledger', postgres.url, '--log', postgres.url, '--warehouse', cluster.url, '--to-ledger', 'file', '--to-log', 'file', '--to-warehouse', 'file'];
    const back = await run(...down);
    assert.match(back, /\nevents: 2300 are the same, 2300 of them copied now\n/);
    assert.match(back, /\nthe same\n$/);
    // nobody goes on with the shards
    kith.environment = { KITH_WAREHOUSE: cluster.url, ...cluster.environment };
    kith.readyMs = 10_000;
    await assert.rejects(kith.launch(), /does not say whose events it has/);
    await kith.stop();
    kith.environment = {};
    kith.readyMs = 120_000;
    await kith.launch();
    assert.deepEqual(await timelines(kith), after);
    await send(kith, backend, 2250, 2400);
    assert.equal((await kith.get('/system')).warehouse.unflushed_rows, 0);
    await kith.stop();
    await assert.rejects(run(...up), /warehouse.moved' is there, from an earlier move/);
    rmSync(join(kith.folder, 'warehouse.moved'), { recursive: true });
  });
