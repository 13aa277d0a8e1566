// SPDX-License-Identifier: Apache-2.0
// What a start takes out of history.pack after an import was undone, and under a smaller budget for history than it was packed
// with: the answers are those of a house without the undone import, and those of a start without the file.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { amount, mapping } from '../crash/orders.mjs';

const ROWS = 40_000;
const USERS = 2000;
const header = 'id,user,time,amount\n';
const day = (i) => new Date(Date.UTC(2025, 0, 1 + (i % 300))).toISOString();
const userOf = (tag, i) => (tag === 'a' ? i % USERS : (i * i) % USERS); // the second file has some oftener than others
const file = (tag) => header + Array.from({ length: ROWS }, (_, i) => `${tag}${i},u${userOf(tag, i)},${day(i)},${amount(i, true)}`).join('\n') + '\n';

const rules = {
  often: { event: 'Order Paid', measure: 'count', gte: 21 },
  much: { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 2500 },
  early: { event: 'Order Paid', during: { from: '2025-01-01', to: '2025-01-15' }, measure: 'count', gte: 2 },
};

/** What the orders of these files come to, by the rules above and for some users. */
function expected(tags) {
  const users = Array.from({ length: USERS }, () => ({ orders: 0, revenue: 0, early: 0 }));
  for (const tag of tags)
    for (let i = 0; i < ROWS; i++) {
      const user = users[userOf(tag, i)];
      user.orders++;
      user.revenue += 100 * amount(i, true);
      user.early += i % 300 < 14;
    }
  const some = [0, 1, 7, 44, 1999];
  return {
    often: users.filter((user) => user.orders >= 21).length,
    much: users.filter((user) => user.revenue >= 2500).length,
    early: users.filter((user) => user.early >= 2).length,
    sums: some.map((i) => [users[i].orders, users[i].revenue]),
  };
}

async function answers(kith) {
  const found = {};
  for (const [name, rule] of Object.entries(rules)) found[name] = (await kith.post('/segments/preview', { rule })).count;
  found.sums = [];
  for (const i of [0, 1, 7, 44, 1999]) {
    const { summary } = await kith.get(`/customers/by/user_id/u${i}`);
    found.sums.push([summary.orders, summary.revenue]);
  }
  return found;
}

async function packed(kith) {
  const rounds = () => kith.logTail(100_000).split('\n').filter((line) => line.includes('history_packed')).length;
  const before = rounds();
  await until('a round of packs', () => rounds() > before || undefined, { timeoutMs: 60_000 });
}

/** How many pieces of events the last start took out of the pack. */
const taken = (kith) => Number(kith.logTail(100_000).match(/pack_loaded kind=EVENTS pieces=\d+/g).at(-1).split('=').at(-1));

async function historyBytes(kith) {
  const answer = await fetch(`${kith.url}/metrics`, { headers: { authorization: `Bearer ${kith.token}` } });
  return Number(/^kith_history_bytes (\d+)/m.exec(await answer.text())[1]);
}

test('a pack of an import that was undone, and one of a larger budget', { skip: missingBinary }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-import-packs-'));
  for (const tag of ['a', 'b']) writeFileSync(join(folder, `${tag}.csv`), file(tag));
  const from = ['--import-folder', folder];
  const kith = await Kith.start({ arguments: [...from, '--pack-every', '1s'] });
  const again = async (...more) => {
    await kith.stop();
    kith.arguments = [...from, ...more];
    await kith.launch();
  };
  const finish = async (id, status) => until(`job ${id} to be ${status}`, async () => (await kith.get(`/jobs/${id}`)).status === status, { timeoutMs: 120_000 });
  try {
    const ids = {};
    for (const tag of ['a', 'b']) {
      ids[tag] = (await kith.post('/imports', { file: `path:${tag}.csv`, mapping, data_set: tag })).id;
      await finish(ids[tag], 'finished');
    }
    await kith.flushed();
    assert.deepEqual(await answers(kith), expected(['a', 'b']));
    await packed(kith);
    assert.ok(existsSync(join(kith.folder, 'history.pack')));

    // Packed with both; undone while nothing is packed anew.
    await again('--pack-every', '1h');
    assert.ok(taken(kith) > 0);
    assert.deepEqual(await answers(kith), expected(['a', 'b']));
    await kith.post(`/imports/${ids.b}/undo`, {});
    await finish(ids.b, 'undone');
    assert.deepEqual(await answers(kith), expected(['a']));
    await kith.kill9();
    await kith.launch();
    assert.deepEqual(await answers(kith), expected(['a']), 'what was packed before the undo does not come back');

    // Packed after the undo, and taken by a server that may keep less of it.
    await again('--pack-every', '1s');
    await packed(kith);
    const whole = await historyBytes(kith);
    await again('--pack-every', '1h', '--history-memory', '64K');
    assert.ok(taken(kith) > 0);
    assert.deepEqual(await answers(kith), expected(['a']), 'under a smaller budget');
    assert.ok((await historyBytes(kith)) < whole / 2, `${await historyBytes(kith)} of ${whole} bytes`);
    await again('--pack-every', '0s');
    rmSync(join(kith.folder, 'history.pack'), { force: true });
    await again('--pack-every', '1h');
    assert.deepEqual(await answers(kith), expected(['a']), 'without the pack');
  } finally {
    await kith.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});
