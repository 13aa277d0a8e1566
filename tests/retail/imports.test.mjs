// SPDX-License-Identifier: Apache-2.0
// The real orders of a shop ("Online Retail", Chen, Sain & Guo 2012, UCI, CC BY 4.0) as a file, imported as a job by the
// preset that its header finds: every invoice is one event, cancellations are refunds, and the money agrees to the
// penny with a sum over the lines that knows nothing of Kith. Wanted at ../shared/data/online_retail.csv.zst beside the
// project; KITH_RETAIL names another place.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, root, until } from '../support/kith.mjs';
import { askWarehouse } from '../support/warehouse.mjs';

const file = process.env.KITH_RETAIL ?? join(root, '../shared/data/online_retail.csv.zst');

function missing() {
  if (missingBinary) return missingBinary;
  if (!existsSync(file)) return `no data at ${file}`;
  try {
    execFileSync('zstd', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'the program zstd is not here, to read the lines beside Kith';
  }
  return false;
}
const skip = missing();

/** The cells of a line; quotes as of RFC 4180. No cell of this file has a line break. */
function cellsOf(line) {
  const cells = [];
  for (let at = 0; at <= line.length; at++) {
    if (line[at] !== '"') {
      const end = line.indexOf(',', at);
      cells.push(line.slice(at, end < 0 ? line.length : end));
      at = end < 0 ? line.length : end;
      continue;
    }
    let cell = '';
    for (at++; at < line.length; at++) {
      if (line[at] !== '"') cell += line[at];
      else if (line[at + 1] === '"') cell += line[at++];
      else break;
    }
    cells.push(cell);
    at++;
  }
  return cells;
}

/** Thousandths of a pound, then half-even to pence. */
function penceOf(quantity, price) {
  const [whole, fraction = ''] = price.replace('-', '').split('.');
  const milli = Number(whole) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
  assert.ok(/^0*$/.test(fraction.slice(3)), price);
  const size = Math.abs(quantity) * milli;
  const rest = size % 10;
  let pence = (size - rest) / 10;
  if (rest > 5 || (rest === 5 && pence % 2 === 1)) pence++;
  return (quantity < 0) === price.startsWith('-') ? pence : -pence;
}

/** What the lines come to, without Kith. */
function wanted() {
  const text = execFileSync('zstd', ['-dcq', file], { maxBuffer: 1 << 28 }).toString('utf8');
  const sums = { lines: 0, milli: 0, paid: new Set(), refunded: new Set(), paidPence: 0, refundedPence: 0, customers: new Map() };
  const lines = text.split(/\r?\n/);
  for (const line of lines.slice(1)) {
    if (line === '') continue;
    const [invoice, , , quantity, date, price, customer] = cellsOf(line);
    const pence = penceOf(Number(quantity), price);
    const back = invoice.startsWith('C');
    sums.lines++;
    sums.milli += Math.round(Number(quantity) * Number(price) * 1000);
    (back ? sums.refunded : sums.paid).add(invoice);
    if (back) sums.refundedPence -= pence;
    else sums.paidPence += pence;
    if (customer === '') continue;
    const id = String(Math.trunc(Number(customer)));
    if (!sums.customers.has(id)) sums.customers.set(id, new Set());
    sums.customers.get(id).add(date.slice(0, 7));
  }
  return sums;
}

let kith, lines, job;

before(async () => {
  if (skip) return;
  lines = wanted();
  kith = await Kith.start({ arguments: ['--import-folder', dirname(file)] });
});
after(() => kith?.remove());

test('the file comes in whole', { skip, timeout: 300_000 }, async () => {
  assert.equal(lines.lines, 541_909);
  assert.equal(lines.milli, 9_747_747_934);
  const found = await kith.post('/imports/detect', { file: `path:${basename(file)}` });
  assert.equal(found.preset, 'online_retail');
  const made = await kith.post('/imports', { file: `path:${basename(file)}`, form: found.form, mapping: found.mapping, data_set: 'retail' });
  job = await until('the job to be finished', async () => {
    const now = await kith.get(`/jobs/${made.id}`);
    assert.notEqual(now.status, 'failed', now.reason);
    return now.status === 'finished' && now;
  }, { timeoutMs: 240_000, everyMs: 200 });
  assert.equal(job.counts.rows, lines.lines);
  assert.equal(job.counts.refused, 0);
  assert.equal(job.counts.quarantined, 0);
  assert.equal(job.counts.events, lines.paid.size + lines.refunded.size);
  assert.equal(job.counts.events, 25_900);
  await kith.flushed({ timeoutMs: 120_000 });
});

test('its money is exact to the penny, cancellations included', { skip }, async () => {
  const rows = await askWarehouse(kith, 'SELECT toString(type) AS type, uniqExact(order_id) AS orders, sum(revenue) AS pence, any(toString(currency)) AS currency FROM events_kept GROUP BY type');
  const of = (type) => rows.find((row) => row.type === type);
  assert.deepEqual([Number(of('Order Completed').orders), Number(of('Order Completed').pence)], [lines.paid.size, lines.paidPence]);
  assert.deepEqual([Number(of('Order Refunded').orders), Number(of('Order Refunded').pence)], [lines.refunded.size, lines.refundedPence]);
  assert.deepEqual(rows.map((row) => row.currency), ['GBP', 'GBP']);
});

const during = (event, from, to) => ({ event, during: { from, to } });
const seen = (from, to) => ({ any: [during('Order Completed', from, to), during('Order Refunded', from, to)] });

test('of its customers 948 were first seen in December 2010, and 362 of them have a line in January', { skip }, async () => {
  const december = [...lines.customers.values()].filter((months) => months.has('2010-12'));
  assert.equal(december.length, 948);
  assert.equal(december.filter((months) => months.has('2011-01')).length, 362);
  // Days of a rule are those of the workspace's zone; the file's are of UTC.
  const known = [{ has: 'user_id' }, seen('2010-12-01T00:00:00Z', '2011-01-01T00:00:00Z')];
  const preview = async (all) => (await kith.post('/segments/preview', { rule: { all } })).count;
  assert.equal(await preview([{ has: 'user_id' }]), lines.customers.size);
  assert.equal(await preview(known), 948);
  assert.equal(await preview([...known, seen('2011-01-01T00:00:00Z', '2011-02-01T00:00:00Z')]), 362);
});

test('the same file again changes nothing', { skip }, async () => {
  const again = await kith.post('/imports', { file: `path:${basename(file)}`, form: job.form, mapping: job.mapping, data_set: 'retail' });
  assert.deepEqual([again.id, again.unchanged], [job.id, true]);
});
