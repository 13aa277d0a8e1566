// SPDX-License-Identifier: Apache-2.0
// S1 on a whole world: the demo brand house, with its households, gifts, dorms, tablets, empty parcels, test values
// and numbers that change hands, against the generator's own book of who is who.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Kith, binary, missingBinary } from '../support/kith.mjs';
import { eachOf } from './support.mjs';

const people = Number(process.env.KITH_S1_PEOPLE ?? 4000);
const seed = Number(process.env.KITH_SEED ?? 7);
const program = join(dirname(binary), 'bench/world');
const skip = missingBinary || (existsSync(program) ? false : `no world at ${program}: build it with \`make build\``);
let kith;
before(async () => {
  if (!skip) kith = await Kith.start();
});
after(() => kith?.remove());

function world(form, more = []) {
  const child = spawn(program, ['--form', form, '--customers', `${people}`, '--events-per-customer', '20',
    '--seed', `${seed}`, ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
  return createInterface({ input: child.stdout, crlfDelay: Infinity });
}

test(`S1: a world of ${people} people has no wrong merge`, { skip, timeout: 300_000 }, async (t) => {
  t.diagnostic(`KITH_SEED=${seed}`);
  const keys = [];
  for await (const line of world('sources')) {
    const [key, channel, kind, name] = line.split('\t');
    keys.push(`${key} ${(await kith.source(key, kind, { channel, name })).write_key}\n`);
  }
  const keysPath = `${kith.folder}.keys`;
  writeFileSync(keysPath, keys.join(''));
  const bodies = [];
  for await (const body of world('segment', ['--order', 'time', '--batch', '50', '--keys', keysPath])) bodies.push(body);
  rmSync(keysPath);
  await eachOf(bodies, 8, async (body) => {
    const answer = await fetch(`${kith.url}/v1/import`, { method: 'POST', body });
    assert.equal(answer.status, 200, await answer.text());
  });
  const { counts } = await kith.settled({ timeoutMs: 120_000 });
  assert.equal(counts.quarantined, 0, 'the world keeps to the plan');
  assert.equal(counts.duplicates, 0);

  const truth = [];
  for await (const line of world('truth')) {
    const [person, role, type, namespace, value, shared] = line.split(',');
    if (person !== 'person' && shared === '0') truth.push({ person, role, type, namespace, value });
  }
  const owners = new Map();    // one_id → persons
  const pieces = new Map();    // person → one_ids
  await eachOf(truth, 16, async (one) => {
    const found = await kith.findBy(one.type, one.value, one.namespace || undefined);
    if (!found) return;        // she never came by that door
    for (const [map, key, value] of [[owners, found.one_id, one.person], [pieces, one.person, found.one_id]]) {
      if (!map.has(key)) map.set(key, new Map());
      map.get(key).set(value, `${one.role} ${one.type}`);
    }
  });
  const wrong = [...owners].filter(([, persons]) => persons.size > 1)
    .map(([oneId, persons]) => `${oneId}: ${[...persons].map(([person, how]) => `${person} (${how})`).join(', ')}`);
  const whole = [...pieces.values()].filter((ids) => ids.size === 1).length;
  t.diagnostic(`S1: ${counts.events} events, ${owners.size} customers for ${pieces.size} people; ` +
               `${wrong.length} wrong merges; ${((whole / pieces.size) * 100).toFixed(1)} % of the people are one customer`);
  assert.ok(pieces.size > people * 0.9, `${pieces.size} people were found`);
  assert.deepEqual(wrong.slice(0, 10), []);
});
