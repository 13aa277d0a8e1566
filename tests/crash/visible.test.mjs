// SPDX-License-Identifier: Apache-2.0
// What Kith needs from elsewhere goes away and comes back: /readyz, /metrics and what the console reads say so, and say when it is over.
// (A shard that is away: cluster.test.mjs.)
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { Kafka, missingBrokers } from '../support/kafka.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';
import { removeStarted, started } from './servers.mjs';

after(removeStarted);

const waiting = { timeoutMs: 120_000, everyMs: 100 };
const ready = async (kith) => {
  const answer = await fetch(`${kith.url}/readyz`);
  return { status: answer.status, body: await answer.json() };
};
/** The value of a line of /metrics, as text; undefined: it has none. */
const metric = async (kith, name) => (await (await fetch(`${kith.url}/metrics`)).text())
  .split('\n').find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
const failing = async (kith) => (await kith.get('/system')).failing;
const postgresOf = () => {
  const postgres = Postgres.start();
  started.push(postgres);
  return postgres;
};

test('the PostgreSQL server of the log is away', { skip: missingBinary || missingPostgres, timeout: 300_000 }, async () => {
  const postgres = postgresOf();
  const kith = await Kith.start({ arguments: ['--no-warehouse'], environment: { KITH_LEDGER: postgres.url, KITH_LOG: postgres.url } });
  started.push(kith);
  assert.equal((await ready(kith)).status, 200);
  assert.equal(await failing(kith), '');
  postgres.kill();
  await until('/readyz to say so', async () => (await ready(kith)).status === 503, waiting);
  assert.equal(await metric(kith, 'kith_log_server_reachable'), '0');
  assert.notEqual(await failing(kith), '', 'the console is told that all is well');
  postgres.again();
  await until('all to be well', async () => (await ready(kith)).status === 200 && await failing(kith) === '', waiting);
  assert.equal(await metric(kith, 'kith_log_server_reachable'), '1');
});

test('the PostgreSQL server of the ledger is away', { skip: missingBinary || missingPostgres, timeout: 300_000 }, async () => {
  const postgres = postgresOf();
  const kith = await Kith.start({ arguments: ['--no-warehouse'], environment: { KITH_LEDGER: postgres.url } });
  started.push(kith);
  const { write_key: key } = await kith.source('shop');
  postgres.kill();
  await kith.batch(key, [{ type: 'track', userId: 'u1', event: 'Visited', messageId: 'm1' }]); // acknowledged by the log
  await until('/readyz to say so', async () => (await ready(kith)).status === 503, waiting);
  assert.equal(await metric(kith, 'kith_ledger_failing'), '1');
  assert.notEqual(await failing(kith), '');
  postgres.again();
  await until('all to be well', async () => (await ready(kith)).status === 200 && await failing(kith) === '', waiting);
  assert.equal(await metric(kith, 'kith_ledger_failing'), '0');
  assert.equal((await kith.customerBy('user_id', 'u1')).summary.events, 1);
});

test('the brokers of a feed and of a sink are away', { skip: missingBinary || missingBrokers, timeout: 300_000 }, async () => {
  const kafka = await Kafka.start();
  started.push({ remove: () => kafka.stop() });
  await kafka.topic('visits');
  await kafka.topic('told');
  const kith = await Kith.start({ arguments: ['--no-warehouse'] });
  started.push(kith);
  await kith.source('shop');
  await kith.put('/feeds/visits', { brokers: kafka.brokers, topics: ['visits'], source: 'shop', format: 'segment' });
  await kith.put('/sinks/out', { brokers: kafka.brokers, topics: { events: 'told' } });
  const running = async () => [await metric(kith, 'kith_feed_running{feed="visits"}'), await metric(kith, 'kith_sink_running{sink="out"}')].join();
  await kafka.say('visits', [{ type: 'track', userId: 'u1', event: 'Visited', messageId: 'm1' }]);
  await until('both to run', async () => (await running()) === '1,1' && (await kith.get('/sinks/out')).messages > 0, waiting);
  await until('the feed to have all of it', async () => (await metric(kith, 'kith_feed_behind{feed="visits"}')) === '0', waiting);
  await kafka.down();
  await until('the feed to say so', async () => (await kith.get('/feeds/visits')).state === 'failing', waiting);
  await until('the sink to say so', async () => (await kith.get('/sinks/out')).state === 'failing', waiting);
  assert.equal(await running(), '0,0');
  assert.notEqual((await kith.get('/feeds/visits')).problem, '');
  assert.equal((await ready(kith)).status, 200, 'doors do not need brokers');
  await kafka.up();
  await until('both to run again', async () => (await running()) === '1,1', waiting);
  assert.equal(await metric(kith, 'kith_feed_lost_total{feed="visits"}'), '0');
});
