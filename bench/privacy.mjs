// SPDX-License-Identifier: Apache-2.0
// privacy: what rights of persons cost on a real server: one erasure among many, a backup under full load.
//
//   node bench/privacy.mjs [customers] [seconds] [rounds]      (200000 20 3; KITH_BINARY, KITH_CHDB_LIBRARY as the tests have them)
//
// Customers with a phone, an e-mail and three events each come by the Segment door, as many connections as there are cores.
// Then, over what is there: DELETE of one until her receipt is finished, five times; in turn events a second for so long, alone, and
// while a whole point is taken. Prints JSON; `kept` is the part of the events that came while a point was taken.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kith, until } from '../tests/support/kith.mjs';

const customers = Number(process.argv[2] ?? 200_000);
const seconds = Number(process.argv[3] ?? 20);
const rounds = Number(process.argv[4] ?? 3);
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
/** Events a second of new customers, for so long, or until that is so. */
async function load(forSeconds, isOver = () => false) {
  const begun = performance.now();
  const before = sent;
  const lane = async () => {
    while (performance.now() - begun < forSeconds * 1000 && !isOver()) {
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
  figures.alone = [];
  figures.with_backup = [];
  figures.backup_s = [];
  for (let round = 0; round < rounds; round++) {
    figures.alone.push(await load(seconds));
    for (const part of ['points', 'objects']) // a whole point each time, not what is new
      for (const name of existsSync(join(backups, part)) ? readdirSync(join(backups, part), { recursive: true, withFileTypes: true }) : [])
        if (name.isFile()) rmSync(join(name.parentPath ?? name.path, name.name));
    let isTaken = false;
    const began = performance.now();
    await kith.post('/backups');
    const taken = until('the point', async () => (await kith.get('/backups')).points.length === 1, { timeoutMs: 600_000 }).finally(() => { isTaken = true; });
    figures.with_backup.push(await load(600, () => isTaken));
    await taken;
    figures.backup_s.push(Math.round((performance.now() - began) / 100) / 10);
  }
  figures.alone.push(await load(seconds));
  // each backup against what came before and behind it: the house grows, and other work may come and go
  figures.kept = figures.with_backup.map((rate, i) => Math.round((200 * rate) / (figures.alone[i] + figures.alone[i + 1])) / 100);
} finally {
  console.log(JSON.stringify(figures, null, 1));
  await kith.remove();
  rmSync(backups, { recursive: true, force: true });
}
