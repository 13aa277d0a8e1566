// SPDX-License-Identifier: Apache-2.0
// privacy: what rights of persons cost on a real server: one erasure among many, a backup under full load.
//
//   node bench/privacy.mjs [customers] [seconds]      (200000 20; KITH_BINARY, KITH_CHDB_LIBRARY as the tests have them)
//
// Customers with a phone, an e-mail and three events each come by the Segment door, as many connections as there are cores.
// Then, over what is there: DELETE of one until her receipt is finished, five times; events a second for so long, alone and
// while a point is taken. Prints JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kith, until } from '../tests/support/kith.mjs';

const customers = Number(process.argv[2] ?? 200_000);
const seconds = Number(process.argv[3] ?? 20);
const BATCH = 300; // customers: 900 events, a batch has up to 1,000
const writeKey = 'wk_bench_privacy_0123456789';
const backups = mkdtempSync(join(tmpdir(), 'kith-bench-backups-'));
const kith = await Kith.start({ environment: { KITH_WRITE_KEY: writeKey }, arguments: ['--backups', backups] });
const headers = { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' };

let sent = 0;
async function send(batch) {
  for (;;) {
    const answer = await fetch(`${kith.url}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ batch }) });
    const text = await answer.text();
    if (answer.status === 200) break;
    if (answer.status !== 429 && answer.status !== 503) throw new Error(`${answer.status} ${text}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  sent += batch.length;
}
const person = (i) => {
  const userId = `u-${i}`;
  const order = (k) => ({ type: 'track', event: 'Order Paid', userId, messageId: `o-${i}-${k}`, properties: { order_id: `o-${i}-${k}`, revenue: 99, currency: 'CNY', phone: `13${String(900_000_000 + i)}` } });
  return [{ type: 'identify', userId, messageId: `i-${i}`, traits: { phone: `13${String(900_000_000 + i)}`, email: `u${i}@bench.example`, city: 'x' } }, order(1), order(2)];
};
async function bring(from, to) {
  let next = from;
  const lane = async () => {
    for (let at = (next += BATCH) - BATCH; at < to; at = (next += BATCH) - BATCH)
      await send(Array.from({ length: Math.min(BATCH, to - at) }, (_, i) => person(at + i)).flat());
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}
let number = customers;
/** Events a second of new customers, for so long. */
async function load(forSeconds) {
  const begun = performance.now();
  const before = sent;
  const lane = async () => {
    while (performance.now() - begun < forSeconds * 1000) {
      const at = (number += BATCH) - BATCH;
      await send(Array.from({ length: BATCH }, (_, i) => person(at + i)).flat());
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return Math.round((sent - before) / ((performance.now() - begun) / 1000));
}

const figures = { customers, cores: os.cpus().length, load: os.loadavg()[0] };
try {
  const begun = performance.now();
  await bring(0, customers);
  await kith.flushed({ timeoutMs: 600_000 });
  figures.brought_s = Math.round((performance.now() - begun) / 100) / 10;
  figures.erasures_s = [];
  for (let i = 0; i < 5; i++) {
    const { one_id: oneId } = await kith.customerBy('user_id', `u-${(i * 7919) % customers}`);
    const start = performance.now();
    const { id } = await kith.api('DELETE', `/customers/${oneId}`);
    await until('the erasure', async () => (await kith.get(`/privacy/erasures/${id}`)).state === 'finished', { timeoutMs: 600_000 });
    figures.erasures_s.push(Math.round((performance.now() - start) / 10) / 100);
  }
  figures.alone = [await load(seconds)];
  const taken = kith.post('/backups').then(() =>
    until('the point', async () => (await kith.get('/backups')).points.length === 1, { timeoutMs: 600_000 }).then(() => performance.now()));
  const backup = performance.now();
  figures.with_backup = await load(seconds);
  figures.backup_s = Math.round(((await taken) - backup) / 100) / 10;
  figures.alone.push(await load(seconds));
} finally {
  console.log(JSON.stringify(figures, null, 1));
  await kith.remove();
  rmSync(backups, { recursive: true, force: true });
}
