// SPDX-License-Identifier: Apache-2.0
// D14, stage by stage: the server kills itself at each named point of an import, from the file's hash over the log, the engine and the
// ledger to the warehouse, of a corrected one that replaces, and of an undo (src/base/fault.h). It goes on by itself at the next start, and every row counts exactly once; at the end a clean replay of
// the log comes to the same digest. Needs the build with fault points (preset `crash`); imports.test.mjs kills at random moments.
//
// The test of the test: a position that is told apart from its rows, and an undo that is taken for finished where it was cut off.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Kith, root, until } from '../support/kith.mjs';
import { amount, mapping } from './orders.mjs';

const crashing = process.env.KITH_CRASH_BINARY ?? join(root, 'build/crash/kith');
const skip = existsSync(crashing) ? false : `no ${crashing}: build it with \`tools/build crash\``;
const run = promisify(execFile);

const ROWS = 6000; // some chunks of 2,000
const USERS = 1500; // two slices of 1,000
const lines = (tag, corrected) =>
  'id,user,time,amount\n' +
  Array.from({ length: ROWS }, (_, i) => `${tag}o${i},${tag}u${i % USERS},2025-03-01T00:00:00Z,${amount(i, corrected)}`).join('\n') +
  '\n';

/** What the orders of a user come to, as [orders, revenue]; undefined where she is nobody. */
function expected(user, corrected) {
  let revenue = 0;
  for (let i = user; i < ROWS; i += USERS) revenue += 100 * amount(i, corrected);
  return [ROWS / USERS, revenue];
}

/** Which of what a job does is cut off, at which passage of which point. */
const STAGES = [
  ['import_after_hash', 1, 'first'],
  ['import_before_chunk', 1, 'first'],
  ['import_before_chunk', 2, 'first'],
  ['import_after_chunk', 1, 'first'],
  ['import_after_chunk', 2, 'first'],
  ['log_before_write', 6, 'first'],
  ['log_after_write', 6, 'first'],
  ['log_after_sync', 6, 'first'],
  ['engine_after_apply', 4, 'first'],
  ['ledger_before_commit', 5, 'first'],
  ['ledger_after_commit', 5, 'first'],
  ['flush_after_plan', 1, 'first'],
  ['flush_after_insert', 1, 'first'],
  ['flush_after_done', 1, 'first'],
  ['import_before_end', 1, 'first'],
  ['import_after_cut', 1, 'corrected'],
  ['import_after_replaced', 1, 'corrected'],
  ['import_before_chunk', 1, 'corrected'],
  ['import_undo_events', 1, 'undo'],
  ['import_after_cut', 2, 'undo'],
  ['import_after_slice', 1, 'undo'],
  ['import_undo_end', 1, 'undo'],
  ['import_undo_told', 1, 'undo'],
];

/** Undefined once the job is at its end and in the warehouse; never when the server dies before. */
function cameToItsEnd(kith, id, end) {
  return new Promise((done) => {
    const look = async () => {
      const job = await kith.get(`/jobs/${id}`);
      if (job.status === 'failed' || (job.status === end && (await kith.flushed()))) done(undefined);
      else setTimeout(() => look().catch(() => {}), 100);
    };
    look().catch(() => {});
  });
}

/** `act` makes a job do something; with `fault` the server dies of it and is started again. */
async function go(kith, fault, mutation, act, end) {
  const armed = fault === undefined ? undefined : { KITH_FAULT: `${fault}:kill`, ...(mutation ? { KITH_MUTATE_IMPORT: mutation } : {}) };
  if (armed) {
    await kith.stop();
    kith.environment = armed;
    await kith.launch();
  }
  const id = await act();
  if (armed) {
    const how = await Promise.race([kith.ended, cameToItsEnd(kith, id, end)]);
    assert.equal(how?.signal, 'SIGKILL', `${fault} was not passed`);
    kith.environment = mutation ? { KITH_MUTATE_IMPORT: mutation } : {};
    await kith.launch();
  }
  const job = await until(
    `job ${id} to be ${end} after ${fault}`,
    async () => {
      const now = await kith.get(`/jobs/${id}`);
      assert.notEqual(now.status, 'failed', now.reason);
      return now.status === end && now;
    },
    { timeoutMs: 120_000, everyMs: 50 },
  );
  await kith.settled();
  return job;
}

/** What is wrong after each of the three steps, in sentences. */
async function live(kith, folder, tag, stage, mutation) {
  const [point, nth, phase] = stage;
  const fault = (step) => (step === phase ? `${point}:${nth}` : undefined);
  const begin = (name) => async () => (await kith.post('/imports', { file: `path:${name}`, mapping, data_set: tag })).id;
  const wrong = [];
  const customers = async () => (await kith.get('/system')).counts.customers;
  const before = await customers();
  const look = async (step, corrected) => {
    for (const user of [0, 1, 7, 10, 999, 1000, 1001, 1490, 1499]) {
      const found = await kith.findBy('user_id', `${tag}u${user}`);
      const told = JSON.stringify(found ? [found.summary.orders, found.summary.revenue] : undefined);
      const right = JSON.stringify(corrected === undefined ? undefined : expected(user, corrected));
      if (told !== right) wrong.push(`${stage.join(' ')}, after ${step}: user ${user} has ${told}, not ${right}`);
    }
  };
  writeFileSync(join(folder, `${tag}-1.csv`), lines(tag, false));
  writeFileSync(join(folder, `${tag}-2.csv`), lines(tag, true));

  const one = await go(kith, fault('first'), mutation, begin(`${tag}-1.csv`), 'finished');
  if (one.counts.applied !== ROWS || one.counts.events !== ROWS)
    wrong.push(`${stage.join(' ')}: ${one.counts.events} events told, ${one.counts.applied} applied, of ${ROWS}`);
  await look('the first file', false);
  if (phase === 'first') return wrong;

  const two = await go(kith, fault('corrected'), mutation, begin(`${tag}-2.csv`), 'finished');
  await look('the corrected one', true);
  if (phase === 'corrected') return wrong;

  // The corrected rows go; those that they replaced were taken back for good.
  const undo = (id) => async () => (await kith.post(`/imports/${id}/undo`), id);
  await go(kith, undefined, mutation, undo(two.id), 'undone');
  await go(kith, fault('undo'), mutation, undo(one.id), 'undone');
  await look('both undone', undefined);
  const left = (await customers()) - before;
  if (left !== 0) wrong.push(`${stage.join(' ')}: ${left} customers of undone imports are left`);
  return wrong;
}

async function house() {
  const folder = mkdtempSync(join(tmpdir(), 'kith-import-'));
  const kith = await Kith.start({ binary: crashing, arguments: ['--import-folder', folder] });
  return { kith, folder };
}

test('killed at each stage, an import counts once', { skip, timeout: 900_000 }, async (context) => {
  const { kith, folder } = await house();
  const rebuilt = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
  try {
    for (const [index, stage] of STAGES.entries()) {
      await context.test(stage.join(' '), async () => assert.deepEqual(await live(kith, folder, `t${index}`, stage), []));
    }
    await kith.flushed();
    await kith.stop();
    const told = await run(crashing, ['digest', '--data', kith.folder, '--quiet']);
    const replayed = await run(crashing, ['rebuild', '--data', kith.folder, '--into', join(rebuilt, 'x'), '--quiet']);
    const digest = /digest=([0-9a-f]+)/.exec(told.stdout)?.[1] ?? told.stdout.trim();
    assert.ok(digest.length > 0);
    assert.ok(replayed.stdout.includes(digest), `${told.stdout}${replayed.stdout}`);
  } finally {
    await kith.remove();
    rmSync(folder, { recursive: true, force: true });
    rmSync(rebuilt, { recursive: true, force: true });
  }
});

for (const [mutation, stage, what] of [
  ['move_apart', ['import_before_chunk', 2, 'first'], 'a position told before its rows are in the log'],
  ['undo_early', ['import_after_slice', 1, 'undo'], 'an undo that ends where it was cut off'],
]) {
  test(`the test of the test: ${what}`, { skip, timeout: 300_000 }, async (context) => {
    const { kith, folder } = await house();
    try {
      const wrong = await live(kith, folder, 'm', stage, mutation);
      context.diagnostic(wrong[0]);
      assert.ok(wrong.length > 0, 'the defect was not noticed');
    } finally {
      await kith.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
