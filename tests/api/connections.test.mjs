// SPDX-License-Identifier: Apache-2.0
// N1, N2: ten thousand connections; thousands that are slow on purpose at their header, at their body and at reading, half closed, and cut off in the
// middle of what they send. Everybody else is answered meanwhile, the slow ones are cut, and nothing is left of them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Kith, binary, missingBinary, sleep, until } from '../support/kith.mjs';

const driver = process.env.KITH_TRICKLE_DRIVER ?? path.join(path.dirname(binary), 'tests/drivers/base_trickle');
const MEMORY_MB = 200;
const MEMORY_WORKING_MB = 300; // beside them a thousand that send; 90 MB of it come once, after some hundred requests
let kith;
let key;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  key = (await kith.source('shop')).write_key;
});
after(async () => kith?.remove());

const megabytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${kith.pid}/status`, 'utf8'))[1]) / 1024;
const gauge = async (name) => {
  const text = await (await fetch(`${kith.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)[1]);
};

/** A connection from one of a hundred addresses of this machine; `closed` says since when it is. */
function connect(index, { halfOpen = false, first = '' } = {}) {
  return new Promise((done, failed) => {
    const socket = net.connect({ port: kith.port, host: '127.0.0.1', localAddress: `127.0.1.${1 + (index % 100)}`, allowHalfOpen: halfOpen });
    const link = { socket, text: '', closed: false, ended: false };
    socket.setEncoding('latin1');
    socket.on('data', (part) => (link.text += part));
    socket.on('end', () => (link.ended = true));
    socket.on('close', () => (link.closed = true));
    socket.on('error', (error) => (link.closed ? undefined : failed(error)));
    socket.once('connect', () => {
      if (first) socket.write(first);
      done(link);
    });
  });
}

/** So many of them, a hundred at a time. */
async function crowd(count, options) {
  const links = [];
  while (links.length < count)
    links.push(...(await Promise.all(Array.from({ length: Math.min(100, count - links.length) }, (_, i) => connect(links.length + i, options)))));
  return links;
}

const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
const answered = (link, times) => link.text.split('HTTP/1.1 200 ').length - 1 >= times;

/** Until it is acknowledged: on a busy machine it may be told to come again. */
async function acknowledged(link, text) {
  for (let tries = 0; tries < 60; tries++) {
    link.text = '';
    link.socket.write(text);
    await until('an answer', () => /^HTTP\/1\.1 \d+ [^]*\r\n\r\n[^]/.test(link.text) || link.closed, { timeoutMs: 60_000 });
    if (answered(link, 1)) return;
    assert.match(link.text, /^HTTP\/1\.1 429 /, link.closed ? 'it was cut' : link.text);
    await sleep(1000);
  }
  assert.fail('it was never taken');
}

function event(user, index) {
  const body = JSON.stringify({ type: 'track', event: 'Page Viewed', userId: user, messageId: `${user}-${index}` });
  return `POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Basic ${Buffer.from(`${key}:`).toString('base64')}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const eventsOf = async (user) => (await kith.timeline((await kith.customerBy('user_id', user)).one_id)).length;

test('N1: nine thousand idle connections beside a thousand that send', { skip: missingBinary, timeout: 180_000 }, async () => {
  // what the same events take over one connection is no price of the others
  for (let round = 0; round < 10; round++)
    await kith.batch(key, Array.from({ length: 500 }, (_, i) => ({ type: 'track', event: 'Page Viewed', userId: `early-${i % 50}`, messageId: `early-${round}-${i}` })));
  // nor is what each of the server's threads keeps for its work, once it has had some
  const early = await crowd(200);
  for (let round = 0; round < 5; round++) await Promise.all(early.map((link, at) => acknowledged(link, event(`early-${at % 50}`, `alone-${at}-${round}`))));
  for (const link of early) link.socket.destroy();
  await kith.settled();
  await sleep(3000); // what is filled aside when the first identifiers come
  const before_ = megabytes();
  const links = await crowd(10_000, { first: HEALTH });
  await until('all ten thousand to be answered', () => links.every((link) => answered(link, 1)), { timeoutMs: 60_000 });
  assert.ok((await gauge('kith_http_connections')) >= 10_000);

  const idle = megabytes() - before_;
  assert.ok(idle <= MEMORY_MB, `ten thousand connections took ${idle.toFixed(0)} MB`);

  const busy = links.slice(0, 1000);
  const rounds = 5;
  // some thousands of events a second, each connection in its turn: not a thousand requests in the same millisecond
  for (let round = 0; round < rounds; round++)
    for (let first = 0; first < busy.length; first += 50)
      await Promise.all(busy.slice(first, first + 50).map((link, at) => acknowledged(link, event(`busy-${at}`, `${first + at}-${round}`))));
  assert.ok(links.every((link) => !link.closed), 'nobody was cut');
  await kith.settled(); // what waits for the warehouse is no price of theirs
  const grown = megabytes() - before_;
  assert.ok(grown <= MEMORY_WORKING_MB, `ten thousand connections, a thousand of them at work, took ${grown.toFixed(0)} MB`);
  for (let user = 0; user < 50; user++) assert.equal(await eventsOf(`busy-${user}`), (busy.length / 50) * rounds);
  for (const link of links) link.socket.destroy();
  await until('the server to have seen them go', async () => (await gauge('kith_http_connections')) < 100);
});

test('N2: who ends with the request is answered and closed, long before an idle connection is', { skip: missingBinary, timeout: 120_000 }, async () => {
  const links = await crowd(200, { halfOpen: true });
  // it stands still meanwhile: request and end both lie there when it looks
  process.kill(kith.pid, 'SIGSTOP');
  try {
    await Promise.all(links.map((link) => new Promise((done) => link.socket.end(HEALTH, done))));
  } finally {
    process.kill(kith.pid, 'SIGCONT');
  }
  await until('each to be answered', () => links.every((link) => answered(link, 1)));
  await until('each to be closed', () => links.every((link) => link.closed));
  assert.ok(links.every((link) => link.ended), 'by an end, not torn');
  await until('the server to have seen them go', async () => (await gauge('kith_http_connections')) < 100);
});

/** Sent once more where an idle connection was closed just as it was to be used again: it counts once. */
async function patient(number) {
  const event = [{ type: 'track', event: 'Page Viewed', userId: 'patient', messageId: `patient-${number}` }];
  await kith.batch(key, event).catch((error) => {
    if (error.cause?.code !== 'UND_ERR_SOCKET') throw error;
    return kith.batch(key, event);
  });
}

/** A byte to each every five seconds, until they are closed or `over` says so. */
async function drip(links, bytes, over) {
  for (let at = 0; !over(); at++) {
    for (const link of links) if (!link.closed && !link.ended) link.socket.write(bytes[at % bytes.length]);
    for (let part = 0; part < 50 && !over(); part++) await sleep(100);
  }
}

// Three minutes, and all of a machine: it runs alone (make soak). Slow headers and bodies by themselves are limits.test.mjs's.
const alone = process.env.KITH_SLOW_CLIENTS === undefined ? 'make soak runs it alone (KITH_SLOW_CLIENTS=1)' : false;
test('N2: thousands of slow clients are cut, everybody else is answered', { skip: missingBinary || alone, timeout: 240_000 }, async () => {
  const before_ = megabytes();
  const start = Date.now();
  const seconds = () => (Date.now() - start) / 1000;
  const [headers, bodies, deaf, halves, torn] = [await crowd(3500), await crowd(1000), await crowd(40), await crowd(200, { halfOpen: true }), await crowd(300)];
  const trickles = existsSync(driver)
    ? Array.from({ length: 8 }, () => {
        const child = spawn(driver, [kith.port, '/api/v1/openapi.json', 20, 120].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
        let said = '';
        child.stdout.on('data', (part) => (said += part));
        return once(child, 'close').then(() => said);
      })
    : [];

  let over = false;
  for (const link of bodies) link.socket.write('POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n');
  const dripping = [drip(headers, 'GET /healthz HTTP/1.1\r\nX-Slow: ', () => over), drip(bodies, '{ ', () => over)];
  // who does not read what it asked for: more than the kernel keeps for it
  for (const link of deaf) {
    link.socket.pause();
    link.socket.write('GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
  }
  // a request and no more: who says so still hears the answer; half of one: nothing is answered
  for (const [index, link] of halves.entries()) link.socket.end(index % 2 ? HEALTH : event('half', index).slice(0, -10));
  for (const [index, link] of torn.entries()) link.socket.write(event('torn', index).slice(0, -10), () => link.socket.resetAndDestroy());

  // everybody else
  let sent = 0;
  while (seconds() < 40 || !headers.every((link) => link.closed)) {
    await patient(sent++);
    await sleep(100);
    assert.ok(seconds() < 120, `${headers.filter((link) => !link.closed).length} slow headers are still open`);
  }
  await until('slow bodies to be cut', () => bodies.every((link) => link.closed), { timeoutMs: 60_000 });
  over = true;
  await Promise.all(dripping);
  await until('who asked and half closed to be answered and closed', () => halves.every((link, index) => link.ended && (index % 2 === 0 || answered(link, 1))));
  assert.ok(headers.every((link) => !answered(link, 1)), 'a slow header was answered');

  // who does not read has a minute
  const said = await Promise.all(trickles);
  for (const line of said) assert.match(line, /^cut \d+ advertised \d+/, 'taking a byte at a time goes on for ever');
  for (const link of deaf) link.socket.resume(); // it sees now that it was cut
  await until('who does not read to be cut', () => deaf.every((link) => link.closed), { timeoutMs: 90_000 });
  await until('nothing to be left of them', async () => (await gauge('kith_http_connections')) < 100, { timeoutMs: 90_000 });
  assert.equal(await gauge('kith_http_in_flight_bytes'), 0);
  const grown = megabytes() - before_;
  assert.ok(grown <= MEMORY_MB, `${grown.toFixed(0)} MB are left of the slow ones`);

  // and nothing else counted
  await kith.settled();
  assert.equal(await eventsOf('patient'), sent);
  for (const user of ['half', 'torn']) assert.equal(await kith.findBy('user_id', user), undefined, `${user}: of half a request nothing is taken`);
  for (const link of halves) link.socket.destroy();
});
