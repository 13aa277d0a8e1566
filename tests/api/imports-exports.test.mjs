// SPDX-License-Identifier: Apache-2.0
// The exports of the shop systems in their true layouts and encodings (demo/exports.mjs), end to end: uploaded, known by
// their header, imported as jobs. What comes of them is held against the generator's own sums: in the warehouse file by
// file, over all customers together, and once more after a file has come again.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeExports } from '../../demo/exports.mjs';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { askWarehouse } from '../support/warehouse.mjs';
import { expect } from './support.mjs';

const real = { skip: missingBinary };
const systems = {
  'tmall_orders.csv': 'tmall', 'tmall_items.csv': 'tmall_items', 'jd_orders.csv': 'jd', 'douyin_orders.csv': 'douyin', 'pdd_orders.csv': 'pdd',
  'vip_orders.xlsx': 'vip', 'youzan_orders.csv': 'youzan', 'pos_orders.xlsx': 'pos', 'members_crm.csv': 'crm', 'members_shop.xlsx': 'shop',
};
const sold = Object.keys(systems).filter((name) => !/items|members/.test(name));
let kith, folder, truth;
const jobs = new Map();

before(async () => {
  if (missingBinary) return;
  folder = mkdtempSync(join(tmpdir(), 'kith-exports-'));
  truth = writeExports(folder, { seed: 7, people: 300, orders: 1400 });
  kith = await Kith.start();
});
after(async () => {
  await kith?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function upload(name) {
  const bytes = readFileSync(join(folder, name));
  const made = await expect(kith, 201, 'POST', '/uploads', { body: { name, size_bytes: bytes.length } });
  await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=0`, { body: bytes });
  return `upload:${made.id}`;
}

const finished = (id) =>
  until(`job ${id} to be finished`, async () => {
    const job = await expect(kith, 200, 'GET', `/jobs/${id}`);
    assert.notEqual(job.status, 'failed', job.reason);
    return job.status === 'finished' && job;
  }, { timeoutMs: 60_000 });

/** A file as people bring it: what is found is what is taken. */
async function bring(name, dataSet) {
  const file = await upload(name);
  const found = await expect(kith, 200, 'POST', '/imports/detect', { body: { file } });
  const job = await expect(kith, 202, 'POST', '/imports', { body: { file, form: found.form, mapping: found.mapping, data_set: dataSet } });
  return { found, job: await finished(job.id) };
}

/** Orders and fen of each event of a file, as they lie in the warehouse and were not taken back. */
async function sums(source) {
  const rows = await askWarehouse(kith, `SELECT toString(type) AS type, uniqExact(order_id) AS orders, count() AS events, sum(revenue) AS fen FROM events_kept WHERE source = ${source} AND order_id != '' GROUP BY type`);
  return Object.fromEntries(rows.map(({ type, orders, events, fen }) => [type, { orders: Number(orders), events: Number(events), fen: Number(fen) }]));
}

const none = { orders: 0, events: 0, fen: 0 };

for (const [name, dataSet] of Object.entries(systems))
  test(`${name} is known by its header and comes in whole`, real, async () => {
    const { found, job } = await bring(name, dataSet);
    const wanted = truth[name];
    assert.equal(found.preset, wanted.preset);
      assert.ok(found.score >= 70, `${found.score}`);
    if (wanted.written === 'xlsx') assert.equal(found.form.format, 'xlsx');
    else assert.equal(found.form.encoding, wanted.written);
    if (job.counts.refused > 0) assert.fail(await expect(kith, 200, 'GET', `/jobs/${job.id}/refused`));
    assert.deepEqual([job.counts.rows, job.counts.refused, job.counts.quarantined], [wanted.rows, 0, 0]);
    assert.equal(job.counts.applied, job.counts.events);
    jobs.set(name, job);
    await kith.flushed();
    const there = await sums(job.source_number);
    if (!sold.includes(name)) return;
    const paid = there['Order Paid'], refunded = there['Order Refunded'] ?? none;
    assert.deepEqual([paid.orders, paid.events, paid.fen], [wanted.paid_orders, wanted.paid_orders, wanted.paid_fen]);
    assert.deepEqual([refunded.orders, refunded.fen], [wanted.refunded_orders, wanted.refunded_fen]);
    const placed = dataSet === 'pos' ? there['Order Paid'] : there['Order Placed'];
    assert.equal(placed.orders, wanted.orders);
  });

/** Over all customers: orders, and what they paid less what went back. */
async function total() {
  const customers = await kith.all('/customers');
  return customers.reduce((sum, { summary }) => [sum[0] + summary.orders, sum[1] + summary.revenue], [0, 0]);
}
const wantedTotal = () =>
  sold.reduce(([orders, fen], name) => [orders + truth[name].paid_orders - truth[name].refunded_orders, fen + truth[name].paid_fen - truth[name].refunded_fen], [0, 0]);

test('all customers together have the orders and the money of all files', real, async () => {
  const [orders, fen] = await total();
  assert.deepEqual([orders, fen], wantedTotal());
});

test('each file again changes nothing and names the job that brought it', real, async () => {
  const before = await kith.settled();
  for (const [name, dataSet] of Object.entries(systems)) {
    const { job } = await bring(name, dataSet);
    assert.equal(job.id, jobs.get(name).id);
  }
  assert.deepEqual((await kith.get('/system')).counts.events, before.counts.events);
});

test('a later export of the same orders in another layout replaces them by their number', real, async () => {
  const { found, job } = await bring('tmall_orders_now.xlsx', 'tmall');
  const wanted = truth['tmall_orders_now.xlsx'];
  assert.equal(found.preset, 'tmall_orders');
  assert.equal(job.counts.refused, 0);
  assert.equal(job.counts.replaced + job.counts.duplicates, jobs.get('tmall_orders.csv').counts.events);
  assert.ok(job.counts.replaced > 0);
  await kith.flushed();
  const [rows] = await askWarehouse(kith, `SELECT uniqExact(order_id) AS orders, count() AS events, sum(revenue) AS fen FROM events_kept WHERE channel = 'tmall' AND type = 'Order Paid'`);
  assert.deepEqual([Number(rows.orders), Number(rows.events), Number(rows.fen)], [wanted.paid_orders, wanted.paid_orders, wanted.paid_fen]);
  assert.deepEqual(await total(), wantedTotal());
});
