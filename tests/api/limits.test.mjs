// SPDX-License-Identifier: Apache-2.0
// N1, N2, X10: many connections, slow ones, malformed HTTP, and what is refused when too much comes.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, sleep } from '../support/kith.mjs';
import { ask, expect, raw } from './support.mjs';

let kith;
const real = { skip: missingBinary };
const get = (more = '') => `GET /healthz HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ environment: { KITH_WRITE_KEY: 'wk_of_the_tests' } });
});
after(async () => kith?.remove());

test('requests that two readers would cut differently are refused', real, async () => {
  const post = (headers, body = '') => `POST /v1/track HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;
  const cases = {
    'two lengths': post('Content-Length: 2\r\nContent-Length: 5\r\n', '{}'),
    'two equal lengths': post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'),
    'length and chunks': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'chunks and length': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'unknown encoding': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    'two encodings': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
    'space before the colon': post('Content-Length : 2\r\n', '{}'),
    'negative length': post('Content-Length: -1\r\n', '{}'),
    'length with a sign': post('Content-Length: +2\r\n', '{}'),
    'bad chunk size': post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n'),
    'no host': 'GET /healthz HTTP/1.1\r\n\r\n',
    'two hosts': 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'HTTP/0.9': 'GET /healthz\r\n\r\n',
    'HTTP/3.0': 'GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n',
    'no method': ' /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const answer = await raw(kith, bytes, { ms: 2000 });
    assert.notEqual(answer.status, 200, `${name}: ${answer.text}`);
    assert.ok(answer.status >= 400 || answer.closed, `${name} is neither refused nor cut: ${answer.text}`);
    // What follows in the stream is never taken for another request.
    const statuses = [...answer.text.matchAll(/HTTP\/1\.[01] (\d+)/g)].map((match) => Number(match[1]));
    assert.ok(statuses.every((status) => status >= 400), `${name} was answered ${statuses}`);
    assert.ok(answer.closed, `${name} leaves the connection open`);
  }
});

test('pipelined requests are answered in order', real, async () => {
  const answer = await raw(kith, get() + get() + get('Connection: close\r\n'), { ms: 3000 });
  assert.equal(answer.text.split('HTTP/1.1 200').length - 1, 3);
});

test('a header that is too large, an address that is too long', real, async () => {
  const large = await raw(kith, get(`X-Large: ${'x'.repeat(100_000)}\r\n`));
  assert.ok(large.status >= 400 || large.closed);
  const long = await raw(kith, `GET /${'x'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.ok([400, 414].includes(long.status), long.text);
});

test('slow ones are cut: a header within 10 s, a body within 30 s', real, async () => {
  const drip = (text) => async (socket) => {
    for (const byte of text) {
      if (socket.destroyed) return;
      socket.write(byte);
      await sleep(500);
    }
  };
  const start = Date.now();
  const header = raw(kith, '', { ms: 40_000, pieces: drip(get('A: b\r\n'.repeat(30))) }).then((answer) => ({ ...answer, at: Date.now() - start }));
  const silent = raw(kith, '', { ms: 40_000, pieces: async () => {} }).then((answer) => ({ ...answer, at: Date.now() - start }));
  const body = raw(kith, '', {
    ms: 45_000,
    pieces: async (socket) => {
      socket.write('POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n');
      await drip('x'.repeat(100))(socket);
    },
  }).then((answer) => ({ ...answer, at: Date.now() - start }));
  const others = [];
  while (Date.now() - start < 12_000) {
    const at = Date.now();
    await expect(kith, 200, 'GET', '/healthz', { base: '', token: null });
    others.push(Date.now() - at);
    await sleep(100);
  }
  others.sort((a, b) => a - b);
  assert.ok(others[Math.floor(others.length * 0.9)] < 500, 'others are not held up');
  for (const [name, one, least, most] of [['header', await header, 9000, 13_000], ['silent', await silent, 9000, 13_000], ['body', await body, 28_000, 36_000]])
    assert.ok(one.closed && one.at >= least && one.at <= most, `${name} was cut after ${one.at} ms, closed ${one.closed}`);
});

test('two thousand idle connections do not disturb', real, async () => {
  const sockets = [];
  for (let i = 0; i < 2000; i++) {
    sockets.push(net.connect(kith.port, '127.0.0.1'));
    sockets.at(-1).on('error', () => {});
    if (i % 100 === 99) await sleep(10);
  }
  await sleep(300);
  const start = Date.now();
  for (let i = 0; i < 50; i++) await expect(kith, 200, 'GET', '/healthz', { base: '', token: null });
  assert.ok(Date.now() - start < 2000, `50 requests took ${Date.now() - start} ms`);
  const metrics = await expect(kith, 200, 'GET', '/metrics', { base: '', token: null });
  assert.ok(Number(/kith_http_connections (\d+)/.exec(metrics)[1]) >= 2000);
  for (const socket of sockets) socket.destroy();
});

test('more connections than permitted, more streams than permitted', real, async () => {
  const small = await Kith.start({ arguments: ['--connections', '40', '--connections-per-address', '30', '--no-warehouse'] });
  try {
    const sockets = await Promise.all(Array.from({ length: 60 }, () => new Promise((done) => {
      const socket = net.connect(small.port, '127.0.0.1');
      let open = true;
      socket.on('close', () => (open = false));
      socket.on('error', () => {});
      setTimeout(() => done({ socket, isOpen: () => open }), 1000);
    })));
    const open = sockets.filter((one) => one.isOpen()).length;
    assert.ok(open <= 30, `${open} are open`);
    for (const one of sockets) one.socket.destroy();
    await sleep(300);
    await expect(small, 200, 'GET', '/healthz', { base: '', token: null });
  } finally {
    await small.remove();
  }
});

test('bytes in flight have a limit: 429, and the next one passes', real, async () => {
  const small = await Kith.start({ arguments: ['--in-flight', '256K', '--no-warehouse'], environment: { KITH_WRITE_KEY: 'wk_of_the_tests' } });
  try {
    const body = JSON.stringify({ batch: [{ type: 'track', userId: 'b', event: 'Big', properties: { x: 'y'.repeat(200_000) } }] });
    const headers = { authorization: `Basic ${Buffer.from('wk_of_the_tests:').toString('base64')}` };
    const answers = await Promise.all(Array.from({ length: 12 }, () =>
      ask(small, 'POST', '/v1/batch', { token: null, base: '', unchecked: true, body, headers })));
    const statuses = answers.map((answer) => answer.status);
    assert.ok(statuses.includes(429), statuses.join());
    for (const answer of answers.filter((one) => one.status === 429)) assert.match(answer.headers['retry-after'], /^\d+$/);
    const later = await ask(small, 'POST', '/v1/batch', { token: null, base: '', unchecked: true, body, headers });
    assert.equal(later.status, 200);
  } finally {
    await small.remove();
  }
});
