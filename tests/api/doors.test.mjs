// SPDX-License-Identifier: Apache-2.0
// The doors over HTTP: CORS as browsers ask for it, caching, methods, keys, and that personal data is not kept by
// caches.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Kith, missingBinary } from '../support/kith.mjs';
import { ask, expect, track } from './support.mjs';

let kith, key, page;
const real = { skip: missingBinary };
const door = { token: null, base: '', unchecked: true };
const basic = (value) => ({ authorization: `Basic ${Buffer.from(`${value}:`).toString('base64')}` });

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ environment: { KITH_WRITE_KEY: 'wk_of_the_tests' } });
  key = 'wk_of_the_tests';
  page = (await expect(kith, 201, 'POST', '/sources', { body: { key: 'page', kind: 'public' } })).write_key;
});
after(async () => kith?.remove());

test('KITH_WRITE_KEY made a source', real, async () => {
  const source = await expect(kith, 200, 'GET', '/sources/default');
  assert.equal(source.kind, 'server');
  const answer = await ask(kith, 'POST', '/v1/track', { ...door, headers: basic(key), body: track('k1', 'Knocked') });
  assert.equal(answer.status, 200);
  assert.equal(answer.text, '{"success":true}');
});

test('preflight and answer of another origin', real, async () => {
  const origin = 'https://shop.example';
  for (const path of ['/v1/t', '/v1/batch', '/beacon/v1/batch', '/sourceConfig/', `/v1/projects/${page}/settings`, '/sa']) {
    const answer = await ask(kith, 'OPTIONS', path, {
      ...door,
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'anonymousid,authorization,content-type,sentat' },
    });
    assert.ok([200, 204].includes(answer.status), `${path}: ${answer.status}`);
    assert.equal(answer.headers['access-control-allow-origin'], origin);
    assert.equal(answer.headers['access-control-allow-methods'], 'GET, POST, OPTIONS');
    assert.equal(answer.headers['access-control-allow-headers'], 'anonymousid,authorization,content-type,sentat');
    assert.equal(answer.headers['access-control-max-age'], '900');
    assert.match(answer.headers.vary, /Origin/);
  }
  const answer = await ask(kith, 'POST', '/v1/t', { ...door, headers: { ...basic(page), origin }, body: track('c1', 'From a page') });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  const refused = await ask(kith, 'POST', '/v1/t', { ...door, headers: { ...basic('no such key'), origin }, body: track('c1', 'x') });
  assert.equal(refused.status, 401);
  assert.equal(refused.headers['access-control-allow-origin'], origin);
});

test('the API answers no other origin', real, async () => {
  const answer = await ask(kith, 'GET', '/overview', { headers: { origin: 'https://evil.example' } });
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
  const preflight = await ask(kith, 'OPTIONS', '/overview', { headers: { origin: 'https://evil.example' } });
  assert.equal(preflight.status, 405);
});

test('what caches may keep', real, async () => {
  const settings = await ask(kith, 'GET', `/v1/projects/${page}/settings`, door);
  assert.equal(settings.status, 200);
  assert.match(settings.headers['cache-control'], /max-age/);
  for (const path of ['/overview', '/customers', '/session', '/events/live']) {
    const answer = await ask(kith, 'GET', path);
    assert.equal(answer.headers['cache-control'], 'no-store', path);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  }
});

test('gzip, any content type, chunks', real, async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json;charset=UTF-8', undefined]) {
    const body = gzipSync(JSON.stringify({ batch: [track('g1', 'Packed')] }));
    const answer = await ask(kith, 'POST', '/v1/batch', {
      ...door,
      body,
      headers: { ...basic(key), 'content-encoding': 'gzip', ...(type ? { 'content-type': type } : {}) },
    });
    assert.equal(answer.status, 200, `${type}: ${answer.text}`);
  }
  const chunked = await fetch(`${kith.url}/v1/track`, {
    method: 'POST',
    headers: basic(key),
    duplex: 'half',
    body: new ReadableStream({
      start(out) {
        const text = JSON.stringify(track('g2', 'In pieces'));
        for (let i = 0; i < text.length; i += 7) out.enqueue(new TextEncoder().encode(text.slice(i, i + 7)));
        out.close();
      },
    }),
  });
  assert.equal(chunked.status, 200);
  await expect(kith, 200, 'GET', '/customers/by/user_id/g2');
});

test('each malformed thing gets its answer and leaves all else untouched', real, async () => {
  const before = (await kith.settled()).log.last_seq;
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
  const cases = [
    ['not json', '{"batch":[', 400, {}],
    ['empty', '', 400, {}],
    ['no event', JSON.stringify({ type: 'track', userId: 'x' }), 400, {}],
    ['deep', `{"a":${'['.repeat(9000)}${']'.repeat(9000)}}`, 400, {}],
    ['not utf-8', Buffer.from('{"type":"track","userId":"\xc3\x28","event":"x"}', 'latin1'), 400, {}],
    ['not gzip', 'plain', 400, { 'content-encoding': 'gzip' }],
    ['bomb', bomb, [400, 413], { 'content-encoding': 'gzip' }],
    ['large', `{"x":"${'y'.repeat(5 * 1024 * 1024)}"}`, 413, {}],
    ['10 MB', Buffer.alloc(10 * 1024 * 1024, 0x61), 413, {}],
  ];
  for (const [name, body, status, headers] of cases) {
    const start = Date.now();
    const answer = await ask(kith, 'POST', '/v1/track', { ...door, body, headers: { ...basic(key), ...headers } });
    assert.ok([status].flat().includes(answer.status), `${name}: ${answer.status} ${answer.text}`);
    assert.ok(answer.text.length > 0, name);
    assert.ok(Date.now() - start < 2000, `${name} took ${Date.now() - start} ms`);
  }
  const after = (await kith.settled()).log.last_seq;
  assert.equal(after, before, 'nothing of it is in the log');
});

test('the same message over many connections at once counts once', real, async () => {
  const event = track('once', 'Counted', { n: 1 });
  const body = { batch: [event, event] };
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(kith, 'POST', '/v1/batch', { ...door, body, headers: basic(key) })));
  assert.ok(answers.every((answer) => answer.status === 200));
  const customer = await expect(kith, 200, 'GET', '/customers/by/user_id/once');
  assert.equal(customer.summary.events, 1);
});
