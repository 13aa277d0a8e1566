// SPDX-License-Identifier: Apache-2.0
// N5: six destinations are away for 24 hours of the virtual clock, each in its own way, and one is well. What is sent to them waits in the
// house, nobody hammers them, the door goes on as if nothing were; when they are back, everything arrives within the hour, once, and in order
// for each person.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Kith, freePort, missingBinary, sleep, until } from '../support/kith.mjs';

const real = { skip: missingBinary, timeout: 240_000 };
const PEOPLE = 20, ROUNDS = 3, STEPS = 48, NOW = '2026-06-18T02:00:00Z';
const EACH = PEOPLE * ROUNDS;
let kith, door, ids, events = 0;

/** Remembers what it has answered with 2xx, in order; `how` is what it does with a request. */
class Destination {
  constructor(key, how) {
    Object.assign(this, { key, how, requests: 0, taken: [] });
    this.server = http.createServer((request, answer) => {
      let text = '';
      request.on('data', (data) => (text += data));
      request.on('error', () => {});
      request.on('end', () => {
        this.requests++;
        if (this.how) return this.how(answer);
        this.taken.push({ key: request.headers['webhook-id'], ...JSON.parse(text) });
        return answer.writeHead(200).end('{}');
      });
    });
  }

  async listen(port = 0) {
    await new Promise((done) => this.server.listen(port, '127.0.0.1', done));
    this.port = this.server.address().port;
  }

  async close() {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((done) => this.server.close(done));
  }

  put(url) {
    return kith.put(`/channels/${this.key}`, { kind: 'webhook', settings: { url, allow_private: true, timeout_ms: 300, concurrency: 4 } });
  }
}

const well = new Destination('well');
const away = {
  closed: new Destination('closed'),
  broken: new Destination('broken', (answer) => answer.writeHead(500).end('no')),
  pause: new Destination('pause', (answer) => answer.writeHead(429, { 'retry-after': '3600' }).end('')),
  slow: new Destination('slow', () => {}), // takes it, and says so after 30 seconds or never
  plain: new Destination('plain'), // asked for TLS it has not
  nameless: new Destination('nameless'), // its name leads nowhere
};
const mode = (kind) => away[kind];

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  ({ write_key: door } = await kith.source('shop'));
  await kith.batch(door, Array.from({ length: PEOPLE }, (_, n) => ({ type: 'identify', messageId: `i${n}`, userId: `u${n}`, timestamp: NOW, traits: { n } })));
  await kith.settled();
  ids = await Promise.all(Array.from({ length: PEOPLE }, async (_, n) => (await kith.customerBy('user_id', `u${n}`)).one_id));
  await kith.put('/templates/t', { channel: 'webhook', parts: { body: '{"who":"{{ one_id }}","round":{{ event.round }}}' } });
  for (const one of [well, ...Object.values(away)]) {
    if (one === mode('closed')) one.port = await freePort();
    else await one.listen();
    await one.put(one === mode('plain') ? `https://127.0.0.1:${one.port}/` : one === mode('nameless') ? 'http://nowhere.invalid/' : `http://127.0.0.1:${one.port}/`);
  }
});
after(async () => {
  await kith?.remove();
  for (const one of [well, ...Object.values(away)]) await one.close();
});

const advance = (by) => kith.post('/clock', { advance: by });
const count = async (filter) => (await kith.all(`/touches?${filter}`)).length;
const nothingOnItsWay = () => until('nothing to be on its way', async () => (await kith.get('/touches?status=sending&limit=1')).items.length === 0);

async function ask(round) {
  for (const { key } of [well, ...Object.values(away)])
    await kith.post('/touches', { customers: ids, account: key, channel: 'webhook', template: 't', purpose: 'service', key: `${key}-${round}`, context: { event: { round } } });
}

async function say() {
  await kith.batch(door, Array.from({ length: 5 }, () => ({ type: 'track', messageId: `e${events++}`, userId: `u${events % PEOPLE}`, event: 'Page Viewed', properties: {} })));
}

test('N5 a day away: bounded, nobody else notices', real, async () => {
  for (let step = 0; step < STEPS; step++) {
    if (step % (STEPS / ROUNDS) === 0) await ask(step / (STEPS / ROUNDS));
    await say();
    await advance('30m');
    await sleep(30);
  }
  await kith.settled();
  await until('who is well to have everything', () => well.taken.length === EACH);
  for (const one of Object.values(away)) {
    assert.equal(one.taken.length, 0, one.key);
    // a probe has three tries, and may find its neighbours with the channel already
    assert.ok(one.requests <= 4 * STEPS + 100, `${one.requests} requests to ${one.key}`);
  }
  assert.equal(await count('status=delivered'), EACH);
  await until('the rest to wait in the house', async () => (await count('status=held')) + (await count('status=queued')) + (await count('status=sending')) === EACH * Object.keys(away).length);
  const seen = await Promise.all(ids.map(async (id) => (await kith.timeline(id)).filter(({ type }) => type === 'Page Viewed').length));
  assert.equal(seen.reduce((sum, one) => sum + one, 0), events, 'what came to the door meanwhile is there, once');
});

test('N5 a restart in the middle of it forgets nothing', real, async () => {
  const waiting = EACH * Object.keys(away).length;
  await kith.stop();
  kith.environment.KITH_NOW = new Date(Date.parse(NOW) + STEPS * 30 * 60_000).toISOString();
  await kith.launch();
  await until('all to wait again', async () => (await count('status=held')) + (await count('status=queued')) + (await count('status=sending')) === waiting);
});

test('N5 they are back: everything within the hour, once, in order for each person', real, async () => {
  for (const one of Object.values(away)) one.how = undefined;
  await mode('closed').listen(mode('closed').port);
  // what only its owner can mend
  for (const kind of ['plain', 'nameless']) await mode(kind).put(`http://127.0.0.1:${mode(kind).port}/`);
  for (let minute = 0; minute < 60; minute += 5) {
    await nothingOnItsWay();
    await advance('5m');
  }
  await nothingOnItsWay();
  for (const one of Object.values(away)) {
    const keys = new Map();
    for (const { key, who, round } of one.taken) {
      assert.ok(!keys.has(key), `${one.key} has taken ${key} twice`);
      keys.set(key, round);
      assert.equal(one.taken.filter((other) => other.who === who && other.round < round).every((other) => one.taken.indexOf(other) < one.taken.findIndex((it) => it.key === key)), true, `${one.key}: ${who} has round ${round} too soon`);
    }
    assert.equal(keys.size, EACH, one.key);
  }
  assert.equal(await count('status=delivered'), EACH * 7);
});
