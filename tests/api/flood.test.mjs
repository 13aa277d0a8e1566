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

const metric = async (name) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(await (await fetch(`${kith.url}/metrics`)).text())?.[1] ?? 0);
const FLOOD = 24;

/** As fast as they are answered, each connection one after another, until `over`; who is refused comes again with the same. */
async function flood(tag, over, told = { requests: 0 }) {
  let acknowledged = 0;
  await Promise.all(Array.from({ length: FLOOD }, async (_, connection) => {
    for (let n = 0; !over(); n++) {
      const items = events(50, `${tag}-${connection}-${n}`);
      let answer;
      do answer = await send('flooder', items).catch(() => ({ status: 0 }));
      while (answer.status === 429 && !over());
      if (answer.status === 200) {
        acknowledged += items.length;
        told.requests++;
      } else if (answer.status === 0) return;
    }
  }));
  return acknowledged;
}

test('N4: what a source floods with is taken once, another beside it is answered, and an end in the middle loses nothing', { ...real, timeout: 120_000 }, async () => {
  await kith.settled();
  await limit('flooder', 0);
  const applied = await metric('kith_events_applied_total');
  const stages = await metric('kith_door_log_microseconds_count');
  const told = { requests: 0 };
  let over = false, beside = 0, answered = 0;
  const running = flood('wave', () => over, told);
  // the stages are told of who is not loud alone: as long as all that was answered is in them, the flood is not known for one
  const isKnown = async () => {
    const requests = told.requests + beside;
    return (await metric('kith_door_log_microseconds_count')) - stages < requests;
  };
  for (const end = Date.now() + 60_000; Date.now() < end && !(await isKnown()); beside++) {
    const answer = await send('quiet', events(5, `beside-${beside}`));
    assert.equal(answer.status, 200, answer.text);
    answered += 5;
  }
  over = true;
  const acknowledged = await running;
  await kith.settled();
  assert.equal((await metric('kith_events_applied_total')) - applied, acknowledged + answered);
  assert.ok(await isKnown(), 'the flood was never taken for one');

  const counts = (await kith.get('/system')).counts;
  let stopped = false;
  const again = flood('last', () => stopped);
  const others = (async () => {
    for (let n = 0; !stopped; n++) await send('quiet', events(5, `last-beside-${n}`)).catch(() => (stopped = true));
  })();
  await new Promise((done) => setTimeout(done, 3000));
  assert.deepEqual(await kith.stop(), { code: 0, signal: null });
  stopped = true;
  const promised = await again;
  await others;
  await kith.launch();
  const after_ = (await kith.settled()).counts;
  assert.ok(after_.events - counts.events >= promised, `${promised} acknowledged, ${after_.events - counts.events} there`);
});

test('N4: while a source floods, nothing of it is acknowledged before it was read: what is malformed is told so', { ...real, timeout: 120_000 }, async () => {
  const before_ = (await kith.settled()).counts;
  const headers = { authorization: `Basic ${Buffer.from(`${keys.flooder}:`).toString('base64')}`, 'content-type': 'application/json' };
  const told = { requests: 0 };
  let over = false, answered = 0, refused = 0;
  const running = flood('beside-malformed', () => over, told);
  // large enough to be decoded for a while, and wrong at its end
  const malformed = `{"batch":${JSON.stringify(events(1500, 'malformed')).slice(0, -1)}`;
  const wrong = (async () => {
    while (!over) {
      const answer = await fetch(`${kith.url}/v1/batch`, { method: 'POST', headers, body: malformed });
      const text = await answer.text();
      assert.ok([400, 429].includes(answer.status), `${answer.status} '${text}'`);
      assert.match(text, /"code":"(invalid|busy)"/);
      refused += answer.status === 400 ? 1 : 0;
    }
  })();
  wrong.catch(() => (over = true));
  for (const end = Date.now() + 60_000; !over && Date.now() < end && (refused < 100 || told.requests < 300); answered += 5)
    assert.equal((await send('quiet', events(5, `well-formed-${answered}`))).status, 200);
  over = true;
  const acknowledged = await running;
  await wrong;
  assert.ok(refused > 0);
  const after_ = (await kith.settled()).counts;
  assert.equal(after_.events - before_.events, acknowledged + answered);
});

test('N4: a source with a limit that floods goes at its pace, and is told when it is beyond it', { ...real, timeout: 120_000 }, async () => {
  const before_ = (await kith.settled()).counts;
  await limit('flooder', 2000);
  let over = false, answered = 0;
  const running = flood('paced', () => over);
  for (const end = Date.now() + 4000; Date.now() < end; answered += 5)
    assert.equal((await send('quiet', events(5, `calm-${answered}`))).status, 200);
  over = true;
  const acknowledged = await running;
  const after_ = (await kith.settled()).counts;
  assert.equal(after_.events - before_.events, acknowledged + answered);
  // what its bucket holds, and what came to it until the last was answered; a batch more for each that asked at once
  assert.ok(acknowledged <= 2000 * 30, `${acknowledged} events of a source that may bring 2,000 a second`);
  assert.ok((await metric('kith_http_requests_flooding_total')) > 0);
  await limit('flooder', 0);
});
