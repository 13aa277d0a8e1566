// SPDX-License-Identifier: Apache-2.0
// The test of the test: a server that acknowledges before its log has synced must be caught by the same check
// that D1 makes. Needs the build with deliberate defects (preset `crash`).
//
// A commit takes a fraction of a millisecond, and a kill from outside hardly ever falls into it. So the disk is
// made slow (KITH_MUTATE=slow_disk): the sound server stands that, the defective one is caught at once.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Kith, root } from '../support/kith.mjs';
import { Load, random, seed } from './support.mjs';

const mutant = process.env.KITH_CRASH_BINARY ?? join(root, 'build/crash/kith');
const skip = existsSync(mutant) ? false : `no ${mutant}: build it with \`tools/build crash\``;
const servers = [];
after(() => Promise.all(servers.map((kith) => kith.remove())));

/** Kill it in the moment of an acknowledgement until something is wrong, `rounds` times at most. */
async function killAndLook(mutations, rounds) {
  const chance = random(seed);
  const kith = await Kith.start({ binary: mutant, environment: { KITH_MUTATE: mutations } });
  servers.push(kith);
  const { write_key: backend } = await kith.source('backend');
  let wrong = [];
  let round = 0;
  while (wrong.length === 0 && round < rounds) {
    round++;
    const load = new Load(kith, { backend }, { chance, users: 20, tag: `m${round}` });
    let stopped = false;
    const running = load.run(16, () => stopped);
    await load.killAtAcknowledgement(1 + Math.floor(chance() * 100));
    stopped = true;
    await Promise.all([running, kith.kill9()]);
    await kith.launch();
    await load.settle();
    await kith.settled();
    ({ wrong } = await load.verify());
    load.close();
  }
  return { wrong, round };
}

test('a sound server on a slow disk loses nothing', { skip, timeout: 300_000 }, async () => {
  const { wrong } = await killAndLook('slow_disk', 8);
  assert.deepEqual(wrong.slice(0, 10), []);
});

test('D1 is caught: acknowledged before the sync', { skip, timeout: 300_000 }, async (t) => {
  const { wrong, round } = await killAndLook('slow_disk,ack_before_sync', 40);
  t.diagnostic(`caught after ${round} kills: ${wrong[0]}`);
  assert.ok(wrong.some((sentence) => /lost|acknowledged/.test(sentence)), 'the defect was not noticed');
});
