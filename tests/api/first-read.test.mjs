// SPDX-License-Identifier: Apache-2.0
// Issue 4: a property that no rule has named is read out of the warehouse; who asks meanwhile is told how far it is.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, track, users } from './support.mjs';

const real = { skip: missingBinary, timeout: 120_000 };
const PEOPLE = 300;
const rule = { event: 'Product Viewed', where: [{ prop: 'page', eq: '/p/1' }], gte: 1 };
let kith;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  await users(kith);
  const { write_key: key } = await kith.source('shop');
  const events = Array.from({ length: PEOPLE }, (_, i) => track(`u${i}`, 'Product Viewed', { page: `/p/${i % 3}` }));
  await kith.batch(key, events);
  await kith.settled();
  await kith.flushed();
});
after(() => kith?.remove());

/** The warehouse's child, which is stopped as if it were slow. */
const child = () =>
  Number(readdirSync(`/proc/${kith.pid}/task`).flatMap((id) => readFileSync(`/proc/${kith.pid}/task/${id}/children`, 'utf8').split(' '))
    .find((pid) => pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] === 'warehouse'));

test('what a rule needs is not there yet: 503 with progress and Retry-After, then the answer', real, async () => {
  const pid = child();
  assert.ok(pid > 0, 'the warehouse has a process');
  process.kill(pid, 'SIGSTOP');
  try {
    const refused = await ask(kith, 'POST', '/segments/preview', { body: { rule } });
    assert.equal(refused.status, 503);
    assert.equal(refused.json.progress, 0);
    assert.match(refused.json.detail, /first time: 0 % of it is there/);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const answer = await until('the preview', async () => {
    const { status, json } = await ask(kith, 'POST', '/segments/preview', { body: { rule } });
    return status === 200 && json;
  });
  assert.equal(answer.count, PEOPLE / 3);
});

test('other problems say nothing of progress', real, async () => {
  const { json } = await ask(kith, 'POST', '/segments/preview', { body: { rule: { all: 7 } } });
  assert.equal(json.status, 422);
  assert.equal('progress' in json, false);
  assert.equal((await expect(kith, 200, 'POST', '/segments/preview', { body: { rule } })).count, PEOPLE / 3);
});
