// SPDX-License-Identifier: Apache-2.0
// N4: a source that brings more than it may is told so and when to come again; the others do not notice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { expect } from './support.mjs';

let kith;
const keys = {};
const real = { skip: missingBinary };
const ADMITTED = 400;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  for (const key of ['flooder', 'quiet', 'page']) keys[key] = (await kith.source(key)).write_key;
});
after(async () => kith?.remove());

const limit = (key, most) => expect(kith, 200, 'PUT', `/sources/${key}`, { body: { events_per_second: most } });
const events = (count, tag) =>
  Array.from({ length: count }, (_, i) => ({ type: 'track', event: 'Page Viewed', userId: `${tag}-${i % 20}`, messageId: `${tag}-${i}` }));

async function send(key, items, { inBody = false } = {}) {
  const headers = { 'content-type': 'application/json' };
  if (!inBody) headers.authorization = `Basic ${Buffer.from(`${keys[key]}:`).toString('base64')}`;
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ batch: items, ...(inBody ? { writeKey: keys[key] } : {}) }),
  });
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() };
}

test('N4: a source beyond its limit gets 429 with Retry-After, another goes on', real, async () => {
  await limit('flooder', 1);
  // a batch larger than the bucket is taken whole, and paid for afterwards
  const taken = await send('flooder', events(ADMITTED, 'first'));
  assert.equal(taken.status, 200, taken.text);
  const refused = await send('flooder', events(5, 'second'));
  assert.equal(refused.status, 429, refused.text);
  assert.equal(refused.retryAfter, '60');
  for (let round = 0; round < 30; round++) {
    assert.equal((await send('flooder', events(5, `round-${round}`))).status, 429);
    assert.equal((await send('quiet', events(5, `quiet-${round}`))).status, 200);
  }
  await kith.settled();
  const sources = await expect(kith, 200, 'GET', '/sources');
  const metrics = await (await fetch(`${kith.url}/metrics`)).text();
  const count = Number(/^kith_http_requests_flooding_total (\d+)/m.exec(metrics)?.[1]);
  assert.equal(count, 31);
  assert.equal(sources.items.find((one) => one.key === 'flooder').events_per_second, 1);
  // nothing of what was refused is in
  const applied = Number(/^kith_events_applied_total (\d+)/m.exec(metrics)?.[1]);
  assert.equal(applied, ADMITTED + 30 * 5);
});

test('N4: what was owed is forgotten when the limit changes, and it holds for a key in the body', real, async () => {
  await limit('flooder', 0);
  assert.equal((await send('flooder', events(5, 'free'))).status, 200);
  await limit('page', 1);
  assert.equal((await send('page', events(ADMITTED, 'page'), { inBody: true })).status, 200);
  assert.equal((await send('page', events(1, 'more'), { inBody: true })).status, 429);
  assert.equal((await send('page', events(1, 'other-way'))).status, 429);
});

test('N4: a limit that is none is refused by name', real, async () => {
  for (const wrong of [-1, 10_000_001, 'many']) {
    const problem = await expect(kith, 422, 'PUT', '/sources/flooder', { body: { events_per_second: wrong } });
    assert.equal(problem.errors[0].pointer, '/events_per_second');
  }
});
