// SPDX-License-Identifier: Apache-2.0
// A change of identity rules is one record: a server that dies while it is carried out has done all of it or none when it
// comes back, and a replay of its log comes to the same state.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Kith, missingBinary } from '../support/kith.mjs';
import { random } from '../s1/support.mjs';

const PAIRS = 1500;
const DEATHS = 6;
const seed = Number(process.env.KITH_SEED ?? Math.floor(Math.random() * 2 ** 31));
let kith;
let key;
before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  ({ write_key: key } = await kith.source('backend'));
});
after(() => kith?.remove());

const who = async (user) => (await kith.customerBy('user_id', user)).one_id;

/** Two accounts with one phone each: refused by the limit of one user_id, merged by a limit of two. */
async function pairs() {
  for (let i = 0; i < PAIRS; i += 50)
    await kith.batch(key, Array.from({ length: 50 }, (_, k) => i + k).flatMap((n) => ['a', 'b'].map((side) => (
      { type: 'identify', userId: `${side}${n}`, messageId: `${side}${n}`, traits: { phone: `1391234${String(n).padStart(4, '0')}` } }))));
  await kith.settled({ timeoutMs: 120_000 });
}

/** How many of the pairs are one customer; some of them are looked at, from both ends of what is done one after the other. */
async function merged() {
  let count = 0;
  const looked = [...Array(20).keys()].flatMap((n) => [n, PAIRS - 1 - n, n * 70]);
  for (const n of looked) count += (await who(`a${n}`)) === (await who(`b${n}`)) ? 1 : 0;
  assert.ok(count === 0 || count === looked.length, `${count} of ${looked.length} pairs: a part of a record`);
  return count > 0;
}

test('rules that change are all applied or not at all, wherever the server dies', { skip: missingBinary, timeout: 600_000 }, async (t) => {
  t.diagnostic(`KITH_SEED=${seed}`);
  const chance = random(seed);
  await pairs();
  assert.equal(await merged(), false);
  let limit = 2;
  let done = 0;
  for (let death = 0; death < DEATHS; death++) {
    const asked = kith.post('/identity/apply', { types: [{ name: 'user_id', limit }] }).then(() => true, () => false);
    await new Promise((wake) => setTimeout(wake, chance() * 120));
    await kith.kill9();
    const answered = await asked;
    await kith.launch();
    await kith.settled({ timeoutMs: 120_000 });
    const types = await kith.get('/identity/types');
    const holds = types.items.find((type) => type.name === 'user_id').limit === limit;
    assert.ok(holds || !answered, 'what was answered is there');
    assert.equal(await merged(), holds ? limit === 2 : limit === 1, 'the rules, and what follows from them');
    done += holds ? 1 : 0;
    if (holds) limit = 3 - limit;
  }
  t.diagnostic(`${done} of ${DEATHS} changes had reached the log`);
  await kith.post('/identity/apply', { types: [{ name: 'user_id', limit }] });
  assert.equal(await merged(), limit === 2);
  await kith.stop();
  const into = mkdtempSync(join(tmpdir(), 'kith-rules-'));
  const offline = (command, ...more) => promisify(execFile)(kith.binary, [command, '--data', kith.folder, '--quiet', ...more], { timeout: 600_000 });
  await offline('check');
  await offline('rebuild', '--into', into);
  rmSync(into, { recursive: true });
});
