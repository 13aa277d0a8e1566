// SPDX-License-Identifier: Apache-2.0
// D14: kill -9 at random moments of an import, of a corrected one that replaces, and of an undo. Each goes on by itself
// at the next start; in the end every row counts exactly once, the report of refused rows has each once, and a
// clean replay of the log comes to the same digest. Once more with orders of three rows that lie apart in the file,
// so that all come out when it has been read.
//
// KITH_KILLS says how often each stage is killed (default 3), KITH_SEED repeats a run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Kith, binary, missingBinary, sleep, until } from '../support/kith.mjs';
import { amount, mapping } from './orders.mjs';
import { random, seed } from './support.mjs';

const kills = Number(process.env.KITH_KILLS ?? 3);
const ROWS = 60_000;
const USERS = 3000;
const BAD_EVERY = 5000;
const run = promisify(execFile);

const file = (corrected) =>
  'id,user,time,amount\n' +
  Array.from({ length: ROWS }, (_, i) => `o${i},u${i % USERS},${i % BAD_EVERY === 7 ? 'never' : '2025-03-01T00:00:00Z'},${amount(i, corrected)}`).join('\n') +
  '\n';
const isGood = (i) => i % BAD_EVERY !== 7;

/** What the orders of a user come to. */
function expected(user, corrected) {
  let orders = 0, revenue = 0;
  for (let i = user; i < ROWS; i += USERS) {
    if (!isGood(i)) continue;
    orders++;
    revenue += 100 * amount(i, corrected);
  }
  return [orders, revenue];
}

async function sums(kith, user) {
  const found = await kith.findBy('user_id', `u${user}`);
  return found ? [found.summary.orders, found.summary.revenue, found.summary.events] : undefined;
}

/** Kill and start again until it has died so often, or the job is at its end. */
async function torment(kith, id, end, chance, withinMs) {
  let died = 0;
  for (let i = 0; i < kills; i++) {
    await sleep(chance() * withinMs);
    if ((await kith.get(`/jobs/${id}`)).status === end) break;
    await kith.kill9();
    died++;
    await kith.launch();
  }
  const job = await until(
    `job ${id} to be ${end}`,
    async () => {
      const now = await kith.get(`/jobs/${id}`);
      assert.notEqual(now.status, 'failed', now.reason);
      return now.status === end && now;
    },
    { timeoutMs: 180_000, everyMs: 100 },
  );
  return { job, died };
}

/** A clean replay of the log of a stopped house comes to the same digest. */
async function sameDigest(kith, into) {
  await kith.stop();
  const told = await run(binary, ['digest', '--data', kith.folder, '--quiet']);
  const replayed = await run(binary, ['rebuild', '--data', kith.folder, '--into', into, '--quiet']);
  const digestOf = ({ stdout }) => /digest=([0-9a-f]+)/.exec(stdout)?.[1] ?? stdout.trim();
  assert.ok(digestOf(told).length > 0);
  assert.ok(replayed.stdout.includes(digestOf(told)), `${told.stdout}${replayed.stdout}`);
}

test(`killed imports count once (seed ${seed})`, { skip: missingBinary }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-import-'));
  writeFileSync(join(folder, 'one.csv'), file(false));
  writeFileSync(join(folder, 'two.csv'), file(true));
  const chance = random(seed);
  const kith = await Kith.start({ arguments: ['--import-folder', folder] });
  const rebuilt = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
  try {
    const begin = async (name) => (await kith.post('/imports', { file: `path:${name}`, mapping, data_set: 'orders' })).id;
    const users = [0, 1, 7, 1007, 2007, 2999];

    const one = await torment(kith, await begin('one.csv'), 'finished', chance, 200);
    assert.equal(one.job.counts.events, ROWS - ROWS / BAD_EVERY);
    assert.equal(one.job.counts.applied, one.job.counts.events);
    for (const user of users) assert.deepEqual((await sums(kith, user)).slice(0, 2), expected(user, false));
    const report = await kith.get(`/jobs/${one.job.id}/refused`);
    assert.equal(report.trimEnd().split('\n').length, 1 + ROWS / BAD_EVERY);

    const two = await torment(kith, await begin('two.csv'), 'finished', chance, 200);
    for (const user of users) assert.deepEqual((await sums(kith, user)).slice(0, 2), expected(user, true));
    const system = await kith.get('/system');
    assert.equal(system.counts.customers, USERS);

    await kith.post(`/imports/${two.job.id}/undo`);
    const undo = await torment(kith, two.job.id, 'undone', chance, 200);
    await kith.post(`/imports/${one.job.id}/undo`);
    const last = await torment(kith, one.job.id, 'undone', chance, 200);
    for (const user of users) assert.equal(await sums(kith, user), undefined);
    assert.equal((await kith.get('/system')).counts.customers, 0);
    context.diagnostic(`died ${one.died}, ${two.died}, ${undo.died}, ${last.died} times`);

    await sameDigest(kith, join(rebuilt, 'x'));
  } finally {
    await kith.remove();
    rmSync(folder, { recursive: true, force: true });
    rmSync(rebuilt, { recursive: true, force: true });
  }
});

// Orders of three rows, each a third of the file from the next; every 499th has a row that is wrong.
const ORDERS = 60_000;
const lineMapping = {
  ...mapping,
  key: '[order]',
  properties: { order_id: '[order]', revenue: { expression: 'sum([amount])', type: 'money' } },
  lines: { group_by: '[order]', into: 'products', columns: { product_id: '[sku]' } },
};
const isGoodOrder = (i) => i % 499 !== 3;
const lineFile = () =>
  'order,user,time,amount,sku\n' +
  Array.from({ length: 3 * ORDERS }, (_, row) => {
    const i = row % ORDERS, line = Math.floor(row / ORDERS);
    return `o${i},u${i % USERS},2025-03-01T00:00:00Z,${!isGoodOrder(i) && line === 1 ? 'much' : line + 1},s${line}`;
  }).join('\n') +
  '\n';

test(`killed while orders come out of their rows (seed ${seed})`, { skip: missingBinary }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-import-'));
  writeFileSync(join(folder, 'lines.csv'), lineFile());
  const chance = random(seed + 1);
  const kith = await Kith.start({ arguments: ['--import-folder', folder] });
  const rebuilt = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
  try {
    const made = await kith.post('/imports', { file: 'path:lines.csv', mapping: lineMapping, data_set: 'lines' });
    const { job, died } = await torment(kith, made.id, 'finished', chance, 350);
    context.diagnostic(`died ${died} times`);
    const bad = Array.from({ length: ORDERS }, (_, i) => i).filter((i) => !isGoodOrder(i)).length;
    assert.deepEqual(
      [job.counts.rows, job.counts.events, job.counts.applied, job.counts.refused, job.counts.duplicates],
      [3 * ORDERS, ORDERS - bad, ORDERS - bad, 3 * bad, 0],
    );
    const report = (await kith.get(`/jobs/${made.id}/refused`)).trimEnd().split('\n').slice(1);
    assert.equal(report.length, 3 * bad);
    assert.equal(new Set(report.map((line) => line.split(',')[0])).size, 3 * bad, 'each row once');
    for (const user of [0, 1, 3, 502, 1003]) {
      const orders = Array.from({ length: ORDERS }, (_, i) => i).filter((i) => i % USERS === user && isGoodOrder(i)).length;
      assert.deepEqual((await sums(kith, user)).slice(0, 2), [orders, 600 * orders], `u${user}`);
    }
    await sameDigest(kith, join(rebuilt, 'x'));
  } finally {
    await kith.remove();
    rmSync(folder, { recursive: true, force: true });
    rmSync(rebuilt, { recursive: true, force: true });
  }
});
