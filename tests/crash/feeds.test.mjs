// SPDX-License-Identifier: Apache-2.0
// K1: kill -9 while a feed reads from Kafka, again and again, partitions that change their brokers, a feed that changes its server: each
// message is there once, though none has an id. The test is first seen to find a feed that tells its place apart from its events.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Kith, missingBinary, root, sleep, until } from '../support/kith.mjs';
import { Kafka, missingBrokers } from '../support/kafka.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';
import { activeOf, removeStarted, server } from './servers.mjs';
import { random, seed } from './support.mjs';

const skip = missingBinary || missingBrokers;
const mutant = process.env.KITH_CRASH_BINARY ?? join(root, 'build/crash/kith');
const KILLS = Number(process.env.KITH_KILLS ?? 6), PARTITIONS = 4, PEOPLE = 20, AT_ONCE = 400;
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end().catch(() => {});
});

async function house(options = {}) {
  const kafka = await Kafka.start();
  ends.push(() => kafka.stop());
  await kafka.topic('visits', PARTITIONS);
  const kith = await Kith.start(options);
  ends.push(() => kith.remove());
  await kith.source('shop');
  await kith.put('/feeds/visits', { brokers: kafka.brokers, topics: ['visits'], source: 'shop', format: 'segment' });
  return { kafka, kith };
}

/** Nothing names these messages but their number. */
const visits = (from) => Array.from({ length: AT_ONCE }, (_, i) => ({ type: 'track', userId: `p${(from + i) % PEOPLE}`, event: 'Store Visited', properties: { number: from + i } }));

async function killWhileItReads({ kafka, kith }, kills, chance) {
  let said = 0;
  for (let kill = 0; kill < kills; kill++) {
    await kafka.say('visits', visits(said), { partitions: PARTITIONS });
    said += AT_ONCE;
    // in the midst of reading, sooner or later
    await until('the feed to read', async () => (await kith.get('/feeds/visits')).partitions > 0, { everyMs: 5 });
    await sleep(Math.floor(chance() * 150));
    await kith.kill9();
    await kith.launch();
  }
  return said;
}

/** How often each number was counted. */
async function counted(kith) {
  const times = new Map();
  for (let person = 0; person < PEOPLE; person++) {
    const customer = await kith.findBy('user_id', `p${person}`);
    for (const event of customer ? await kith.timeline(customer.one_id) : [])
      times.set(event.props.number, (times.get(event.props.number) ?? 0) + 1);
  }
  return times;
}
const atTheEnd = (kith) => until('the feed to be through', async () => {
  const feed = await kith.get('/feeds/visits');
  return feed.state === 'running' && feed.partitions === PARTITIONS && feed.behind === 0 && feed;
}, { timeoutMs: 120_000, everyMs: 100 });

test('K1: kill -9 of a server that reads from Kafka: each message once', { skip, timeout: 280_000 }, async (t) => {
  t.diagnostic(`KITH_SEED=${seed}`);
  const there = await house();
  const said = await killWhileItReads(there, KILLS, random(seed));
  await until('all of them', async () => {
    await atTheEnd(there.kith);
    await there.kith.settled();
    return (await counted(there.kith)).size === said;
  }, { timeoutMs: 120_000, everyMs: 500 });
  const times = await counted(there.kith);
  assert.deepEqual([...times].filter(([, count]) => count !== 1), []);
});

test('K1: a rebalance: partitions change their brokers, and another server takes the feed over: each message once',
  { skip: skip || missingPostgres, timeout: 280_000 }, async (t) => {
    t.diagnostic(`KITH_SEED=${seed}`);
    const chance = random(seed), postgres = Postgres.start(), kafka = await Kafka.start();
    ends.push(async () => postgres.remove(), () => kafka.stop(), removeStarted);
    await kafka.topic('visits', PARTITIONS);
    const first = await server(postgres), servers = [first, await server(postgres, first)];
    await first.source('shop');
    await first.put('/feeds/visits', { brokers: kafka.brokers, topics: ['visits'], source: 'shop', format: 'segment' });
    let said = 0;
    for (let round = 0; round < KILLS; round++) {
      const active = await activeOf(servers);
      await until('the feed to read', async () => (await active.get('/feeds/visits')).partitions === PARTITIONS, { timeoutMs: 60_000 });
      for (let part = 0; part < 4; part++) {
        await kafka.say('visits', visits(said), { partitions: PARTITIONS });
        said += AT_ONCE;
        for (let partition = 0; partition < PARTITIONS; partition++) await kafka.lead('visits', partition, 1 + Math.floor(chance() * 2));
        await sleep(Math.floor(chance() * 100));
      }
      if (round % 2 === 0) continue;
      await active.kill9();
      await activeOf(servers.filter((one) => one !== active));
      await active.launch();
    }
    const active = await activeOf(servers);
    await until('all of them', async () => {
      await atTheEnd(active);
      await active.settled();
      return (await counted(active)).size === said;
    }, { timeoutMs: 120_000, everyMs: 500 });
    assert.deepEqual([...(await counted(active))].filter(([, count]) => count !== 1), []);
  });

test('the test of the test: a place apart from its events is found', { skip: skip || (existsSync(mutant) ? false : `no ${mutant}: build it with \`tools/build crash\``), timeout: 280_000 }, async () => {
  const there = await house({ binary: mutant, environment: { KITH_MUTATE_FEED: 'place_apart' } });
  const chance = random(seed);
  for (let round = 0; round < 20; round++) {
    await killWhileItReads(there, 2, chance);
    await atTheEnd(there.kith);
    await there.kith.settled();
    if ([...(await counted(there.kith)).values()].some((count) => count > 1)) return;
  }
  assert.fail('the defect was not noticed');
});
