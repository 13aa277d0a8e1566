// SPDX-License-Identifier: Apache-2.0
// The console's files out of the binary: types, caching, packing, policy, and a page for each of its paths.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import http from 'node:http';
import { Kith, missingBinary } from '../support/kith.mjs';

let kith, built;
const real = { skip: missingBinary };

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--no-warehouse'] });
  built = (await get('/')).status === 200;
});
after(async () => kith?.remove());

const get = (path, headers = {}, method = 'GET') =>
  new Promise((done, failed) => {
    http
      .request({ host: '127.0.0.1', port: kith.port, path, method, headers, agent: false }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => done({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(parts) }));
      })
      .on('error', failed)
      .end();
  });

test('without a console there is a clear answer', real, async (context) => {
  if (built) return context.skip('the console is in this binary');
  const answer = await get('/');
  assert.equal(answer.status, 404);
  assert.equal(JSON.parse(answer.bytes).code, 'not_found');
});

test('the page, its policy, and each of its own paths', real, async (context) => {
  if (!built) return context.skip('the console is not in this binary');
  const page = await get('/');
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.equal(page.headers['cache-control'], 'no-cache');
  assert.match(page.headers['content-security-policy'], /script-src 'self';/);
  assert.ok(!/script-src[^;]*unsafe/.test(page.headers['content-security-policy']));
  assert.equal(page.headers['x-frame-options'], 'DENY');
  for (const path of ['/customers', '/customers/c_1234567890123', '/identity/review?status=open', '/index.html'])
    assert.deepEqual((await get(path)).bytes, page.bytes, path);
  for (const path of ['/assets/none.js', '/favicon-none.png', '/api/v1/none', '/v2/none/../x.js'])
    assert.equal((await get(path)).status, 404, path);
  assert.equal((await get('/', {}, 'POST')).status, 404);
  const head = await get('/', {}, 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.bytes.length, 0);
});

test('hashed files for ever, packed where the browser unpacks, 304 when nothing changed', real, async (context) => {
  if (!built) return context.skip('the console is not in this binary');
  const page = (await get('/')).bytes.toString();
  const path = /(?:src|href)="(\/assets\/[^"]+\.js)"/.exec(page)[1];
  const plain = await get(path);
  assert.equal(plain.status, 200);
  assert.match(plain.headers['content-type'], /^text\/javascript/);
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  const packed = await get(path, { 'accept-encoding': 'gzip, br' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.ok(packed.bytes.length < plain.bytes.length / 2);
  assert.deepEqual(gunzipSync(packed.bytes), plain.bytes);
  const again = await get('/', { 'if-none-match': (await get('/')).headers.etag });
  assert.equal(again.status, 304);
  assert.equal(again.bytes.length, 0);
});
