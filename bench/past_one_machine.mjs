// SPDX-License-Identifier: Apache-2.0
// past_one_machine: the same work embedded, and with ledger and log on PostgreSQL and events on two shards of ClickHouse, one after
// the other on this machine.
//
//     KITH_BINARY=… node bench/past_one_machine.mjs [EVENTS]      default 200000; ten for each customer
//
// Told, for each and as a ratio: seconds until all events are acknowledged, applied and in the warehouse; a preview of a rule over
// events; a funnel of three steps over all rows, as SQL in the warehouse, and the same with each shard grouping its own customers to the
// end (funnel_by_shard; its ratio is to the embedded funnel). Queries: the best of five.
import { loadavg } from 'node:os';
import { Cluster } from '../tests/support/clickhouse.mjs';
import { Kith } from '../tests/support/kith.mjs';
import { Postgres } from '../tests/support/postgres.mjs';
import { askWarehouse } from '../tests/support/warehouse.mjs';

const events = Number(process.argv[2] ?? 200_000), atOnce = 1000, senders = 8, tries = 5;
const steps = ['Product Viewed', 'Product Added', 'Order Paid'];
const begin = Date.parse('2026-11-01T00:00:00Z');
const item = (n) => ({
  type: 'track', messageId: `m${n}`, userId: `u${n % (events / 10)}`, event: steps[(n * 7 + Math.floor(n / 1000)) % 3],
  timestamp: new Date(begin + n * 100).toISOString(), properties: { order_id: `o${n}`, revenue: n % 500, product_id: `p${n % 300}`, note: 'as in a shop' },
});
const seconds = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const best = async (work) => {
  const all = [];
  for (let n = 0; n < tries; n++) all.push(await seconds(work));
  return Math.min(...all);
};

async function ingest(kith, key) {
  let next = 0;
  const send = async () => {
    while (next < events) {
      const from = next;
      next += atOnce;
      const items = Array.from({ length: Math.min(atOnce, events - from) }, (_, i) => item(from + i));
      for (;;) {
        try {
          await kith.batch(key, items);
          break;
        } catch (error) {
          if (error.status !== 429 && error.status !== 503) throw error;
          await new Promise((done) => setTimeout(done, 50));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  await kith.flushed({ timeoutMs: 1_200_000 });
}

const rule = { all: [{ event: 'Order Paid', measure: 'count', gte: 3 }, { event: 'Product Added', measure: 'count', lte: 4 }] };
const funnel = `SELECT level, count() AS customers FROM (SELECT customer, windowFunnel(86400)(toDateTime(intDiv(time_ms, 1000)), ${
  steps.map((step) => `type = '${step}'`).join(', ')}) AS level FROM events GROUP BY customer) GROUP BY level ORDER BY level`;

/* The rows of a customer lie on one shard: nothing that was grouped by customer has to be merged. */
const byShard = ' SETTINGS distributed_group_by_no_merge = 1';

async function measure(options, ask, isApart = false) {
  const kith = await Kith.start({ readyMs: 180_000, ...options });
  try {
    const { write_key: key } = await kith.source('shop');
    const ingested = await seconds(() => ingest(kith, key));
    const preview = await best(() => kith.post('/segments/preview', { rule }));
    let rows;
    const asked = await best(async () => (rows = await ask(kith, funnel)));
    const said = { ingest_s: ingested, preview_s: preview, funnel_s: asked };
    if (!isApart) return { said, rows };
    let same;
    said.funnel_by_shard_s = await best(async () => (same = await ask(kith, funnel + byShard)));
    if (same !== rows) throw new Error(`by shard the funnel is another: ${rows} / ${same}`);
    return { said, rows };
  } finally {
    await kith.remove();
  }
}

const load = loadavg()[0];
const embedded = await measure({}, async (kith, sql) => (await askWarehouse(kith, sql)).map((row) => `${row.level}\t${row.customers}`).join('\n'));
const postgres = Postgres.start(), cluster = Cluster.start();
try {
  const apart = await measure({
    arguments: ['--warehouse', cluster.url],
    environment: { KITH_LEDGER: postgres.url, KITH_LOG: postgres.url, ...cluster.environment },
  }, (kith, sql) => cluster.ask(0, sql), true);
  if (embedded.rows !== apart.rows) throw new Error(`the funnels differ: ${embedded.rows} / ${apart.rows}`);
  const ratio = Object.fromEntries(Object.keys(apart.said).map((what) => [what.replace(/_s$/, ''), Number((apart.said[what] / (embedded.said[what] ?? embedded.said.funnel_s)).toFixed(2))]));
  const short = (said) => Object.fromEntries(Object.entries(said).map(([what, value]) => [what, Number(value.toFixed(3))]));
  console.log(JSON.stringify({ events, embedded: short(embedded.said), apart: short(apart.said), apart_to_embedded: ratio, load: load.toFixed(1) }));
} finally {
  cluster.remove();
  postgres.remove();
}
