// SPDX-License-Identifier: Apache-2.0
// P10: who saw which people between two moments, of an audit of a million lines: the right lines, all of them, also when the window is
// long past and more has happened since than one answer looks at.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';
import { expect } from './support.mjs';

const skip = missingBinary || missingPostgres;
const lines = Number(process.env.KITH_AUDIT_LINES ?? 1_200_000);
const everyMs = 1000;
const seenEvery = 4; // every fourth line is a look in clear
let kith, postgres;
after(async () => {
  await kith?.remove();
  postgres?.remove();
});

/** Lines as they are written, one a second from `start` on, below those that the server wrote itself; the chain is not asked here. */
function fill(start) {
  const sql = `UPDATE audit SET seq = seq + ${lines}; INSERT INTO audit (seq, at_ms, user_number, action, object, detail, chain, address)
    SELECT i, ${start} + i * ${everyMs}::bigint, 1 + i % 7, CASE i % ${seenEvery} WHEN 0 THEN 'values.reveal' ELSE 'segment.put' END, 'c_' || i, '{}', '\\x00', '127.0.0.1'
    FROM generate_series(1, ${lines}) AS i; ANALYZE audit;`;
  const { status, stderr } = spawnSync('psql', ['-v', 'ON_ERROR_STOP=1', '-q', postgres.url, '-c', sql], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

test('P10: a window of a large audit', { skip, timeout: 300_000 }, async (t) => {
  postgres = Postgres.start();
  kith = await Kith.start({ arguments: ['--no-warehouse'], environment: { KITH_LEDGER: postgres.url } });
  const start = Date.now() - (lines + 1000) * everyMs;
  fill(start);
  const at = (line) => new Date(start + line * everyMs).toISOString();
  for (const [first, count] of [[100, 400], [Math.floor(lines / 2), 400], [lines - 500, 400]]) {
    const wanted = Array.from({ length: count }, (_, i) => first + i).filter((i) => i % seenEvery === 0).map((i) => `c_${i}`);
    const window = `from=${at(first)}&until=${at(first + count)}`;
    const began = performance.now();
    const page = await expect(kith, 200, 'GET', `/audit?action=values.reveal&${window}&limit=500`);
    const looked = performance.now();
    assert.deepEqual(page.items.map((line) => line.object).reverse(), wanted, `the page of lines from ${first} on`);
    assert.equal(page.next ?? null, null);
    const text = await expect(kith, 200, 'GET', `/audit/export?format=csv&action=values.reveal&${window}`);
    assert.deepEqual([...String(text).matchAll(/,(c_\d+),/g)].map(([, object]) => object).reverse(), wanted, `the file of lines from ${first} on`);
    const everything = await expect(kith, 200, 'GET', `/audit?${window}&limit=500`);
    assert.equal(everything.items.length, count);
    t.diagnostic(`${lines} lines, window at ${first}: page ${Math.round(looked - began)} ms, page and file ${Math.round(performance.now() - began)} ms`);
  }
  const none = await expect(kith, 200, 'GET', `/audit?from=${at(-100)}&until=${at(-50)}`);
  assert.deepEqual(none.items, []);
});
