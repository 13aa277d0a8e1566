// SPDX-License-Identifier: Apache-2.0
// D1 with the warehouse on two shards of ClickHouse: shards are killed and come back, Kith is killed, the network to a shard
// stands still, all under load: every acknowledged event is there exactly once, on its shard, and whoever asks meanwhile hears
// which shard is missing.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Cluster, SlowProxy, missingClickhouse } from '../support/clickhouse.mjs';
import { Kith, missingBinary, sleep, until } from '../support/kith.mjs';
import { Load, random, seed } from './support.mjs';

const kills = Number(process.env.KITH_KILLS ?? 2);
const skip = missingBinary || missingClickhouse;
const started = [];
after(async () => {
  for (const one of started.reverse()) await one.remove();
});

/** What lies on the shards is what was acknowledged, each seq once. */
async function countOnShards(cluster) {
  const sum = { rows: 0, seqs: 0, stray: 0, stages: 0 };
  for (let shard = 0; shard < cluster.urls.length; shard++) {
    const [rows, seqs, stray] = (await cluster.ask(shard,
      `SELECT count(), uniqExact(seq), countIf(customer % ${cluster.urls.length} != ${shard}) FROM events_shard`)).split('\t').map(Number);
    sum.rows += rows;
    sum.seqs += seqs;
    sum.stray += stray;
    sum.stages += Number(await cluster.ask(shard, "SELECT count() FROM system.tables WHERE name LIKE 'events_in%'"));
  }
  return sum;
}

async function verify(kith, cluster, load, t) {
  await load.settle();
  await kith.flushed({ timeoutMs: 240_000 });
  const { wrong, events } = await load.verify();
  const shards = await countOnShards(cluster);
  t.diagnostic(`${events} events, ${load.acknowledged.size} acknowledged, ${JSON.stringify(shards)}`);
  assert.deepEqual(wrong.slice(0, 10), []);
  assert.equal(shards.rows, shards.seqs, 'a record lies there twice');
  assert.equal(shards.stray, 0, 'a row lies on the wrong shard');
}

test(`D1: a warehouse on two shards, with ${kills} deaths of shards and as many of Kith`,
  { skip, timeout: Math.max(600_000, kills * 60_000) },
  async (t) => {
    t.diagnostic(`KITH_SEED=${seed}`);
    const chance = random(seed);
    const cluster = Cluster.start();
    started.push(cluster);
    const kith = await Kith.start({ readyMs: 180_000, arguments: ['--warehouse', cluster.url], environment: cluster.environment });
    started.push(kith);
    const { write_key: backend } = await kith.source('backend');
    const load = new Load(kith, { backend }, { chance, tag: 'c' });
    for (let kill = 1; kill <= kills; kill++) {
      const shard = kill % 2;
      let stopped = false;
      const running = load.run(6, () => stopped);
      await sleep(300 + chance() * 1500);
      cluster.kill(shard);
      const before = load.acknowledged.size;
      await until('events to be acknowledged without the shard', () => load.acknowledged.size > before);
      const named = await until('the missing shard to be named', async () => {
        const answer = await fetch(`${kith.url}/readyz`);
        return (await answer.json()).warehouse;
      });
      assert.match(named, new RegExp(`shard ${shard + 1} of 2`));
      if (kill % 2 === 0) await kith.kill9(); // both lie dead at once
      cluster.again();
      if (kill % 2 === 1) {
        await sleep(chance() * 500);
        await kith.kill9();
      }
      stopped = true;
      await running;
      await kith.launch();
    }
    await verify(kith, cluster, load, t);
    const { warehouse } = await kith.get('/system');
    assert.deepEqual(warehouse.shards.map((one) => one.ready), [true, true]);
    const metrics = await (await fetch(`${kith.url}/metrics`)).text();
    assert.match(metrics, /kith_warehouse_shard_up\{shard="2"\} 1/);
    assert.ok(!kith.logTail(100_000).includes("a shard's secret"), 'the password is in the log');
    await kith.stop();
  });

test('D1: the network to a shard stands still, and what was sent comes late', { skip, timeout: 600_000 }, async (t) => {
  const chance = random(seed + 1);
  const cluster = Cluster.start();
  started.push(cluster);
  const proxy = await SlowProxy.start(cluster.urls[1]);
  started.push(proxy);
  const kith = await Kith.start({
    readyMs: 180_000,
    arguments: ['--warehouse', `${cluster.urls[0]},${proxy.url}`],
    environment: cluster.environment,
  });
  started.push(kith);
  const { write_key: backend } = await kith.source('backend');
  const load = new Load(kith, { backend }, { chance, tag: 'n' });
  for (let pause = 0; pause < 2; pause++) {
    let stopped = false;
    const running = load.run(6, () => stopped);
    await sleep(500 + chance() * 1500);
    proxy.hold();
    const named = await until('the silent shard to be named', async () => {
      const answer = await fetch(`${kith.url}/readyz`);
      return (await answer.json()).warehouse;
    }, { timeoutMs: 120_000 });
    assert.match(named, /shard 2 of 2/);
    if (pause > 0) {
      await kith.kill9();
      stopped = true;
      await running;
      proxy.passNew(); // the next Kith's questions overtake what the last one sent
      await kith.launch();
      await kith.flushed({ timeoutMs: 240_000 });
    }
    proxy.pass();
    stopped = true;
    await running;
  }
  await verify(kith, cluster, load, t);
  await kith.stop();
});
