// SPDX-License-Identifier: Apache-2.0
// The real orders of a shop ("Online Retail", Chen, Sain & Guo 2012, UCI, CC BY 4.0) through the Segment
// door: customers, orders and totals agree to the penny with a sum that knows nothing of Kith.
//
// Wanted at ../shared/data/online_retail.csv.zst beside the project (KITH_RETAIL names another place).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, root } from '../support/kith.mjs';

const file = process.env.KITH_RETAIL ?? join(root, '../shared/data/online_retail.csv.zst');
const skip = missingBinary || (existsSync(file) ? false : `no ${file}: the data is not part of the project`);
const BATCH_BYTES = 800_000;
const AT_A_TIME = 4;

/** Fields of one CSV line; quotes are doubled within quotes; no field of this file spans lines. */
function fieldsOf(line) {
  const fields = [];
  const field = /("((?:[^"]|"")*)"|[^,]*)(,|$)/g;
  for (let match; (match = field.exec(line)) !== null; ) {
    fields.push(match[2] === undefined ? match[1] : match[2].replaceAll('""', '"'));
    if (match[3] === '') break;
  }
  return fields;
}

async function readRows() {
  const unpack = spawn('zstd', ['-dc', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(unpack, 'close'); // fails with what `spawn` could not do
  const rows = [];
  for await (const line of createInterface({ input: unpack.stdout, crlfDelay: Infinity })) {
    const [invoice, sku, name, quantity, date, price, customer, country] = fieldsOf(line);
    if (invoice !== 'InvoiceNo')
      rows.push({ invoice, sku, name, quantity: Number(quantity), date, price, customer: customer.replace(/\.0$/, ''), country });
  }
  const [code] = await ended;
  assert.equal(code, 0, 'zstd unpacks the file');
  return rows;
}

/** The oracle: quantity × price in tenths of a penny, rounded half-even to a penny. No floats. */
function linePence(row) {
  const [whole, fraction = ''] = row.price.replace('-', '').split('.');
  const milli = Number(whole) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
  assert.ok(fraction.replace(/0+$/, '').length <= 3, `price ${row.price}`);
  const tenths = row.quantity * milli * (row.price.startsWith('-') ? -1 : 1);
  const size = Math.abs(tenths);
  const rest = size % 10;
  let pence = (size - rest) / 10;
  if (rest > 5 || (rest === 5 && pence % 2 === 1)) pence++;
  return tenths < 0 ? -pence : pence;
}

const isCredit = (row) => row.invoice.startsWith('C');
const whoOf = (row) => (row.customer === '' ? `till-${row.invoice}` : row.customer);

/** Per person: orders, what was paid, what was given back. Straight over the lines. */
function oracle(rows) {
  const people = new Map();
  const invoices = new Set();
  for (const row of rows) {
    const who = whoOf(row);
    const sums = people.get(who) ?? { orders: 0, paid: 0, refunded: 0 };
    if (isCredit(row)) sums.refunded -= linePence(row);
    else sums.paid += linePence(row);
    if (!isCredit(row) && !invoices.has(row.invoice)) sums.orders++;
    invoices.add(row.invoice);
    people.set(who, sums);
  }
  return { people, invoices: invoices.size };
}

/** The script: an invoice is one event; the door adds up the lines. */
function eventsOf(rows) {
  const invoices = new Map();
  for (const row of rows) {
    if (!invoices.has(row.invoice)) invoices.set(row.invoice, []);
    invoices.get(row.invoice).push(row);
  }
  return [...invoices].map(([invoice, lines]) => {
    const [first] = lines;
    const credit = isCredit(first);
    return {
      type: 'track',
      event: credit ? 'Order Refunded' : 'Order Completed',
      messageId: `retail-${invoice}`,
      timestamp: `${first.date.replace(' ', 'T')}Z`,
      ...(first.customer === '' ? { anonymousId: `till-${invoice}` } : { userId: first.customer }),
      properties: {
        order_id: invoice,
        currency: 'GBP',
        country: first.country,
        products: lines.map((line) => ({
          product_id: line.sku, sku: line.sku, name: line.name, price: Number(line.price),
          quantity: credit ? -line.quantity : line.quantity,
        })),
      },
    };
  });
}

function batchesOf(events) {
  const batches = [[]];
  let bytes = 0;
  for (const event of events) {
    const size = JSON.stringify(event).length;
    if (bytes + size > BATCH_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1).push(event);
    bytes += size;
  }
  return batches;
}

let kith;
let rows;
let wanted;
before(async () => {
  if (skip) return;
  rows = await readRows();
  wanted = oracle(rows);
  kith = await Kith.start();
  const { write_key: key } = await kith.source('shop', 'server', { channel: 'web' });
  const batches = batchesOf(eventsOf(rows));
  const queue = batches.values();
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (const batch of queue) await kith.batch(key, batch, { path: '/v1/import' });
    }),
  );
  await kith.settled({ timeoutMs: 120_000 });
});
after(() => kith?.remove());

test('the file is the one we know', { skip }, () => {
  assert.equal(rows.length, 541_909);
  assert.equal(wanted.invoices, 25_900);
  assert.equal(new Set(rows.map((row) => row.customer).filter(Boolean)).size, 4_372);
  const tenths = rows.reduce((sum, row) => sum + BigInt(Math.round(Number(row.price) * 1000)) * BigInt(row.quantity), 0n);
  assert.equal(tenths, 9_747_747_934n, 'the published sum over all lines');
});

test('every customer has her orders and her money, to the penny', { skip }, async () => {
  const wrong = [];
  const names = [...wanted.people.keys()].filter((name) => !name.startsWith('till-'));
  const queue = names.values();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const name of queue) {
        const sums = wanted.people.get(name);
        const { summary } = await kith.customerBy('user_id', name);
        const right = summary.orders === sums.orders && summary.revenue === sums.paid - sums.refunded &&
          summary.refunded === sums.refunded && summary.currency === 'GBP';
        if (!right) wrong.push({ name, sums, summary });
      }
    }),
  );
  assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${names.length} customers differ`);
});

test('all pages of customers add up to the same', { skip }, async (t) => {
  const customers = await kith.all('/customers');
  const sum = (list, what) => list.reduce((total, one) => total + what(one), 0);
  const people = [...wanted.people.values()];
  assert.equal(customers.length, wanted.people.size, 'customers');
  assert.equal(new Set(customers.map((one) => one.one_id)).size, customers.length, 'nobody twice');
  assert.equal(sum(customers, (one) => one.summary.orders), sum(people, (one) => one.orders), 'orders');
  const net = sum(people, (one) => one.paid - one.refunded);
  assert.equal(sum(customers, (one) => one.summary.revenue), net, 'revenue');
  t.diagnostic(`${customers.length} customers, ${sum(people, (one) => one.orders)} orders, ` +
               `net ${(net / 100).toFixed(2)} GBP, refunded ${(sum(people, (one) => one.refunded) / 100).toFixed(2)} GBP`);
});

test('sent twice it counts once, also after a restart', { skip }, async () => {
  const before_ = await kith.get('/system');
  const { write_key: key } = await kith.post('/sources/shop/rotate');
  await kith.stop();
  await kith.launch();
  const [batch] = batchesOf(eventsOf(rows.slice(0, 5000)));
  // cut at a line: the last invoice may be shorter than it was, but its message id is known
  await kith.batch(key, batch, { path: '/v1/import' });
  const after_ = await kith.settled();
  assert.equal(after_.counts.events, before_.counts.events);
  assert.equal(after_.counts.duplicates - before_.counts.duplicates, batch.length);
});
