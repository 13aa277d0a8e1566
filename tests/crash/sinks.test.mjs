// SPDX-License-Identifier: Apache-2.0
// O1, O2: kill -9 while a sink tells Kafka, and brokers that go and come: what was acknowledged is in the topics, what is there twice
// has the same id, the moves of a segment lead to its members. The test is first seen to find a sink that tells its place first.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Kith, missingBinary, root, sleep, until } from '../support/kith.mjs';
import { Kafka, missingBrokers } from '../support/kafka.mjs';
import { random, seed } from './support.mjs';

const skip = missingBinary || missingBrokers;
const mutant = process.env.KITH_CRASH_BINARY ?? join(root, 'build/crash/kith');
const KILLS = Number(process.env.KITH_KILLS ?? 5), PEOPLE = 40, AT_ONCE = 25, BATCHES = 8;
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end().catch(() => {});
});

async function house(options = {}) {
  const kafka = await Kafka.start();
  ends.push(() => kafka.stop());
  for (const topic of ['kith.events', 'kith.segments']) await kafka.topic(topic, 3);
  const kith = await Kith.start(options);
  ends.push(() => kith.remove());
  const { write_key: key } = await kith.source('shop');
  await kith.put('/segments/regulars', { name: 'regulars', rule: { event: 'Store Visited', measure: 'count', gte: 3 } });
  await until('the segment to be live', async () => (await kith.get('/segments/regulars')).state === 'live');
  await kith.put('/sinks/out', { brokers: kafka.brokers, topics: { events: 'kith.events', segments: 'kith.segments' } });
  return { kafka, kith, key, said: 0, acknowledged: new Set() };
}

/** Batches until the server is dead; what it acknowledged is remembered, what it did not is never said again. */
async function sayUntilKilled(there, chance) {
  const { kith } = there;
  for (let batch = 0; batch < BATCHES; batch++) {
    const numbers = Array.from({ length: AT_ONCE }, () => there.said++);
    const items = numbers.map((number) => ({ type: 'track', userId: `p${number % PEOPLE}`, event: 'Store Visited', messageId: `m${number}`, properties: { number } }));
    await kith.batch(there.key, items);
    numbers.forEach((number) => there.acknowledged.add(number));
    await sleep(Math.floor(chance() * 40));
  }
  await sleep(Math.floor(chance() * 300));
  await kith.kill9();
  await kith.launch();
}

const throughAll = (kith) => until('the sink to have told everything', async () => {
  await kith.settled();
  const sink = await kith.get('/sinks/out');
  return sink.state === 'running' && sink.behind === 0 && sink.messages > 0 && sink;
}, { timeoutMs: 120_000, everyMs: 100 });

/** The messages of a topic, each id once; the same id is the same message, and of one key they come in order. */
async function once(kafka, topic) {
  const found = new Map(), last = new Map();
  for (const { key, value } of await kafka.read(topic)) {
    assert.equal(key, value.one_id);
    if (found.has(value.id)) {
      assert.deepEqual(value, found.get(value.id));
      continue;
    }
    assert.ok(value.sequence > (last.get(key) ?? 0), `${topic}: ${key} goes back to ${value.sequence}`);
    last.set(key, value.sequence);
    found.set(value.id, value);
  }
  return [...found.values()];
}

async function missing({ kafka, acknowledged }) {
  const told = (await once(kafka, 'kith.events')).map(({ properties }) => properties.number);
  assert.equal(new Set(told).size, told.length, 'an event is told under two ids');
  const there = new Set(told);
  return [...acknowledged].filter((number) => !there.has(number));
}

test('O1, O2: kill -9 of a server that tells Kafka, brokers that go and come: all of it, each id once, in order', { skip, timeout: 280_000 }, async (t) => {
  t.diagnostic(`KITH_SEED=${seed}`);
  const there = await house(), chance = random(seed);
  for (let kill = 0; kill < KILLS; kill++) {
    if (kill % 2 === 1) await there.kafka.down();
    await sayUntilKilled(there, chance);
    if (kill % 2 === 1) await there.kafka.up();
  }
  // one more, so that the last life has something to tell
  await there.kith.batch(there.key, [{ type: 'track', userId: 'p0', event: 'Store Visited', messageId: 'last', properties: { number: there.said } }]);
  there.acknowledged.add(there.said);
  await throughAll(there.kith);
  assert.deepEqual(await missing(there), []);
  const members = new Set();
  for (const { one_id: id, change } of await once(there.kafka, 'kith.segments')) members[change === 'entered' ? 'add' : 'delete'](id);
  const now = await there.kith.all('/segments/regulars/members');
  assert.deepEqual([...members].sort(), now.sort());
});

test('the test of the test: a place told before the brokers have it is found', { skip: skip || (existsSync(mutant) ? false : `no ${mutant}: build it with \`tools/build crash\``), timeout: 280_000 }, async () => {
  const there = await house({ binary: mutant, environment: { KITH_MUTATE_SINK: 'place_first' } });
  const chance = random(seed);
  for (let round = 0; round < 12; round++) {
    // with the brokers away the place is surely in the log, and the messages are surely not there
    await there.kafka.down();
    await sayUntilKilled(there, chance);
    await there.kafka.up();
    await there.kith.batch(there.key, [{ type: 'track', userId: 'p0', event: 'Store Visited', messageId: `round${round}`, properties: { number: there.said } }]);
    there.acknowledged.add(there.said++);
    await throughAll(there.kith);
    if ((await missing(there)).length > 0) return;
  }
  assert.fail('the defect was not noticed');
});
