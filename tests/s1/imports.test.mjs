// SPDX-License-Identifier: Apache-2.0
// S1 by files: two member lists and three order files of one brand (demo/exports.mjs) become the right OneIDs: everybody
// is one customer, whatever the order of the files; nobody is two, and no two are one. The same file again changes
// nothing and says so; a corrected one replaces by the number of the order; undo takes back exactly what a file brought.
//
// KITH_SEED repeats a run.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isPaid, makeWorld, writeExports } from '../../demo/exports.mjs';
import { Kith, missingBinary, until } from '../support/kith.mjs';

const real = { skip: missingBinary };
const seed = Number(process.env.KITH_SEED ?? 11);
const options = { seed, people: 240, orders: 900 };
const files = ['members_crm.csv', 'members_shop.xlsx', 'youzan_orders.csv', 'pos_orders.xlsx', 'jd_orders.csv'];
const world = makeWorld(options);
let folder, house;
const jobs = {};
const open = () => Kith.start({ arguments: ['--import-folder', folder] });

before(async () => {
  if (missingBinary) return;
  folder = mkdtempSync(join(tmpdir(), 'kith-s1-'));
  writeExports(folder, options);
  house = await open();
});
after(async () => {
  await house?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const ended = (kith, id, status) =>
  until(`job ${id} to be ${status}`, async () => {
    const job = await kith.get(`/jobs/${id}`);
    assert.notEqual(job.status, 'failed', job.reason);
    return job.status === status && job;
  }, { timeoutMs: 60_000 });

async function bring(kith, name, dataSet) {
  const { form, mapping } = await kith.post('/imports/detect', { file: `path:${name}` });
  const made = await kith.post('/imports', { file: `path:${name}`, form, mapping, data_set: dataSet ?? name });
  const job = await ended(kith, made.id, 'finished');
  assert.deepEqual([job.counts.refused, job.counts.quarantined], [0, 0], name);
  return { ...job, unchanged: made.unchanged };
}

// ---- who should be who ----

const inCrm = (i) => i % 5 !== 0;
const inShop = (i) => i % 3 !== 0;
const ordersOf = (person, channel) => world.orders.filter((order) => order.channel === channel && order.buyer === person);
const bought = (person) => ordersOf(person, 'youzan').concat(ordersOf(person, 'pos').filter(isPaid));

/** The people of whom some file knows a card or a phone, and the accounts of JD, which nothing here links to anybody. */
function expected() {
  const known = world.people.filter((person, i) => inCrm(i) || inShop(i) || bought(person).length > 0);
  const accounts = new Set(world.orders.filter((order) => order.channel === 'jd').map((order) => order.buyer.account));
  return { known, accounts };
}
/** What a youzan or store order adds once it is paid, less what went back (a till says no more than that it sold). */
const kept = (order) => (isPaid(order) ? (order.channel !== 'pos' && order.state === 'refunded' ? 0 : order.paid) : 0);
const counts = (order) => isPaid(order) && (order.channel === 'pos' || order.state !== 'refunded');

/** Every identifier that names a person or an account leads to one customer: the partition, without names. */
async function partition(kith) {
  const groups = new Map();
  const { known, accounts } = expected();
  const note = async (type, value, namespace) => {
    const found = await kith.findBy(type, value, namespace);
    if (!found) return;
    if (!groups.has(found.one_id)) groups.set(found.one_id, []);
    groups.get(found.one_id).push(`${type}:${value}`);
  };
  for (const person of known) {
    await note('mobile', person.phone);
    await note('member_card', person.card);
  }
  for (const account of accounts) await note('jd_open_id', account, 'pin');
  return [...groups.values()].map((group) => group.sort().join(' ')).sort();
}

test(`S1: two member lists and three order files become the right OneIDs (seed ${seed})`, real, async () => {
  for (const name of files) jobs[name] = await bring(house, name);
  const { known, accounts } = expected();
  assert.equal((await house.settled()).counts.customers, known.length + accounts.size);
  for (const person of known) {
    const i = world.people.indexOf(person);
    const byPhone = await house.customerBy('mobile', person.phone);
    if (inCrm(i) || inShop(i) || ordersOf(person, 'pos').some(isPaid))
      assert.equal((await house.customerBy('member_card', person.card)).one_id, byPhone.one_id, person.card);
    const orders = bought(person);
    assert.deepEqual([byPhone.summary.orders, byPhone.summary.revenue],
      [orders.filter(counts).length, orders.reduce((sum, order) => sum + kept(order), 0)], person.phone);
    if (inCrm(i)) assert.equal(byPhone.traits.birthday, person.born);
    const numbers = byPhone.identifiers.filter((one) => one.type === 'order_no').length;
    assert.equal(numbers, orders.length, 'the number of each order leads to her');
  }
  for (const account of accounts) {
    const orders = world.orders.filter((order) => order.channel === 'jd' && order.buyer.account === account);
    const customer = await house.customerBy('jd_open_id', account, 'pin');
    assert.equal(customer.summary.revenue, orders.filter(isPaid).reduce((sum, order) => sum + order.paid, 0));
  }
});

test(`S1: the files in another order become the same OneIDs (seed ${seed})`, real, async () => {
  const other = await open();
  try {
    for (const name of [...files].reverse()) await bring(other, name);
    assert.deepEqual(await partition(other), await partition(house));
  } finally {
    await other.remove();
  }
});

test('S1: the same file again changes nothing and says so', real, async () => {
  const before = await house.settled();
  for (const name of files) {
    const again = await bring(house, name);
    assert.deepEqual([again.id, again.unchanged], [jobs[name].id, true], name);
  }
  // Under another name of the same content, and written anew with another line end at its end, it is known row by row.
  const bytes = readFileSync(join(folder, 'youzan_orders.csv'));
  writeFileSync(join(folder, 'youzan_again.csv'), Buffer.concat([bytes, Buffer.from('\r\n')]));
  const again = await bring(house, 'youzan_again.csv', 'youzan_orders.csv');
  assert.equal(again.unchanged, false);
  assert.deepEqual([again.counts.events, again.counts.replaced], [0, 0]);
  assert.equal(again.counts.duplicates, jobs['youzan_orders.csv'].counts.events);
  const after = await house.settled();
  assert.deepEqual([after.counts.events, after.counts.customers], [before.counts.events, before.counts.customers]);
});

/** All customers' orders and money, by a phone. */
async function sums(kith) {
  const found = {};
  for (const person of expected().known) {
    const customer = await kith.findBy('mobile', person.phone);
    if (customer) found[person.phone] = [customer.summary.orders, customer.summary.revenue, customer.traits.level];
  }
  return found;
}

test('S1: a corrected file replaces by the number of the order', real, async () => {
  const before = await sums(house);
  const order = world.orders.find((one) => one.channel === 'youzan' && one.state === 'done');
  const number = `E20240618${String(order.number).padStart(15, '0')}`;
  // In the bytes of the file, GB18030 or not: the amount of one order, on each of its rows.
  const text = readFileSync(join(folder, 'youzan_orders.csv')).toString('latin1');
  const rows = text.split('\r\n').map((row) => (row.startsWith(number) ? row.replace(`,${(order.paid / 100).toFixed(2)},`, ',12345.67,') : row));
  writeFileSync(join(folder, 'youzan_corrected.csv'), Buffer.from(rows.join('\r\n'), 'latin1'));
  const job = await bring(house, 'youzan_corrected.csv', 'youzan_orders.csv');
  assert.deepEqual([job.counts.events, job.counts.replaced], [2, 2], 'placed and paid');
  const phone = order.buyer.phone;
  const wanted = { ...before, [phone]: [before[phone][0], before[phone][1] - order.paid + 1_234_567, before[phone][2]] };
  assert.deepEqual(await sums(house), wanted);
});

test('S1: undo takes back exactly what a file brought', real, async () => {
  const whole = await partition(house);
  await house.post(`/imports/${jobs['pos_orders.xlsx'].id}/undo`);
  await ended(house, jobs['pos_orders.xlsx'].id, 'undone');
  const other = await open();
  try {
    for (const name of files.filter((one) => one !== 'pos_orders.xlsx' && one !== 'youzan_orders.csv')) await bring(other, name);
    await bring(other, 'youzan_corrected.csv', 'youzan_orders.csv');
    assert.deepEqual(await partition(house), await partition(other));
    assert.deepEqual(await sums(house), await sums(other));
    assert.equal((await house.settled()).counts.customers, (await other.settled()).counts.customers);
  } finally {
    await other.remove();
  }
  const again = await bring(house, 'pos_orders.xlsx');
  assert.equal(again.unchanged, false);
  assert.deepEqual(await partition(house), whole);
});
