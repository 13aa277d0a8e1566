// SPDX-License-Identifier: Apache-2.0
// Webhooks as npm's standardwebhooks reads them, and what becomes of a message when the receiver misbehaves (D10, N5).
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { Drive, json, keyOf, listen } from '../support/channel-drive.mjs';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const old = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
let drive;
before(() => { drive = new Drive('--seed', 7); });
after(async () => { await drive.stop(); });

const put = (key, url, more = {}) => drive.put(key, 'webhook', { url, allow_private: true, timeout_ms: 500, breaker_failures: 100, ...more });
async function onlyOnce(touch) {
  await drive.ask('health');
  assert.equal(drive.results.get(touch).length, 1, `touch ${touch} was told once`);
}

test('signed with both keys while one is changed, and a standard receiver believes it', async () => {
  const server = await listen((request, response) => json(response, { next: 'vip' }));
  await put('signed', `${server.url}/hook?a=1`, { signing_secret: secret, old_signing_secret: old, headers: { 'X-Brand': 'one' } });
  const result = await drive.send('signed', { content: { type: 'customer.touched', data: { name: '李<雷>' } } });
  assert.equal(result.outcome, 'delivered');
  assert.equal(result.response, '{"next":"vip"}');
  const [seen] = server.requests;
  assert.equal(seen.url, '/hook?a=1');
  assert.equal(seen.headers['x-brand'], 'one');
  assert.equal(seen.headers['webhook-id'], result.provider_id);
  for (const key of [secret, old]) assert.equal(new Webhook(key).verify(seen.body, seen.headers).data.name, '李<雷>');
  assert.throws(() => new Webhook(`whsec_${Buffer.alloc(32).toString('base64')}`).verify(seen.body, seen.headers));
  assert.deepEqual(Object.keys(JSON.parse(seen.body)).sort(), ['data', 'timestamp', 'type']);
  await server.close();
});

test('a repeat has the same id, and a lost connection is repeated until it is sure', async () => {
  let count = 0;
  const server = await listen((request, response) => (++count < 3 ? request.socket.destroy() : json(response, {})));
  await put('lost', server.url);
  const result = await drive.send('lost', { touch: 100, content: { body: { a: 1 } } });
  assert.equal(result.outcome, 'delivered');
  assert.equal(new Set(server.requests.map((seen) => seen.headers['webhook-id'])).size, 1);
  await onlyOnce(100);
  await server.close();
});

for (const [name, answer, outcome, reason] of [
  ['silence after the request', () => {}, 'uncertain', 'timeout'],
  ['a reset after the request', (request) => request.socket.resetAndDestroy(), 'uncertain', 'connection_lost'],
  ['500 after the work was done', (request, response) => json(response, {}, 500), 'uncertain', 'provider_failed'],
  ['400', (request, response) => json(response, {}, 400), 'refused', 'content_refused'],
  ['a redirect', (request, response) => { response.writeHead(302, { location: 'http://127.0.0.1:1/' }); response.end(); }, 'refused', 'refused'],
]) {
  test(`${name}: ${outcome}, ${reason}, told once`, async () => {
    const server = await listen(answer);
    const key = `fault ${name}`.slice(0, 90);
    await put(key, server.url);
    const touch = 200 + drive.next;
    const result = await drive.send(key, { touch, content: {} });
    assert.equal(result.outcome, outcome);
    assert.equal(result.reason, reason);
    if (outcome === 'uncertain') {
      assert.equal(server.requests.length, 3, 'three tries with one key');
      assert.ok(result.retry_ms > result.at_ms, 'a repeat is safe later');
    } else assert.equal(server.requests.length, 1);
    await onlyOnce(touch);
    await server.close();
  });
}

test('an answer that is none, and one of more than 1 MB', async () => {
  const garbage = net.createServer((socket) => { socket.on('error', () => {}); socket.once('data', () => socket.end('no such thing as HTTP\r\n\r\n')); });
  garbage.listen(0, '127.0.0.1');
  await once(garbage, 'listening');
  await put('garbage', `http://127.0.0.1:${garbage.address().port}/`);
  const result = await drive.send('garbage', { content: {} });
  assert.equal(result.outcome, 'uncertain');
  garbage.close();
  const large = await listen((request, response) => response.end(Buffer.alloc(2 << 20, 97)));
  await put('large', large.url);
  const second = await drive.send('large', { content: {} });
  assert.deepEqual([second.outcome, second.reason], ['uncertain', 'answer_too_large']);
  await large.close();
});

test('the reply is cut at 16 KB and at a whole character', async () => {
  const server = await listen((request, response) => response.end('好'.repeat(10000)));
  await put('long', server.url);
  const { response } = await drive.send('long', { content: {} });
  assert.equal(Buffer.byteLength(response), 16383);
  await server.close();
});

test('429 with Retry-After is later, at that time, and the others wait too', async () => {
  const server = await listen((request, response) => json(response, {}, 429, { 'retry-after': '3600' }));
  await put('slow down', server.url);
  const result = await drive.send('slow down', { content: {} });
  assert.deepEqual([result.outcome, result.reason], ['later', 'rate_limited']);
  assert.ok(result.retry_ms - result.at_ms >= 3_599_000);
  assert.equal((await drive.ask('room', { account: 'slow down' })).room, 0);
  const second = await drive.send('slow down', { content: {} });
  assert.deepEqual([second.outcome, second.reason], ['later', 'rate_limited']);
  assert.equal(server.requests.length, 1, 'nothing goes meanwhile');
  await server.close();
});

test('410 ends the account', async () => {
  const server = await listen((request, response) => json(response, {}, 410));
  await put('gone', server.url);
  assert.equal((await drive.send('gone', { content: {} })).reason, 'endpoint_gone');
  assert.equal((await drive.ask('room', { account: 'gone' })).room, 0);
  assert.equal((await drive.send('gone', { content: {} })).reason, 'endpoint_gone');
  assert.equal(server.requests.length, 1);
  await server.close();
});

test('one dead account slows no other; its breaker opens, and closes again', async () => {
  let alive = false;
  const hanging = await listen((request, response) => { if (alive) json(response, {}); });
  const healthy = await listen((request, response) => json(response, {}));
  await put('dead', hanging.url, { breaker_failures: 3, concurrency: 2, timeout_ms: 200 });
  await put('alive', healthy.url, { timeout_ms: 5000 });
  const messages = [];
  for (let i = 0; i < 300; i++) {
    messages.push({ touch: 10_000 + i, key: keyOf(10_000 + i), account: 'dead', content: {} });
    messages.push({ touch: 20_000 + i, key: keyOf(20_000 + i), account: 'alive', content: {} });
  }
  assert.ok((await drive.ask('send', { messages })).ok);
  for (let i = 0; i < 300; i++) assert.equal((await drive.result(20_000 + i)).outcome, 'delivered');
  for (let i = 0; i < 300; i++) {
    const result = await drive.result(10_000 + i);
    assert.ok(['later', 'uncertain'].includes(result.outcome), result.outcome);
    if (result.outcome === 'later') assert.equal(result.reason, 'account_failing');
  }
  assert.ok(hanging.requests.length < 30, `${hanging.requests.length} tries`);
  alive = true;
  let result;
  do {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (!(await drive.ask('room', { account: 'dead' })).room) continue;
    result = await drive.send('dead', { content: {} });
  } while (result?.outcome !== 'delivered');
  assert.ok((await drive.ask('room', { account: 'dead' })).room > 1, 'closed again');
  await hanging.close();
  await healthy.close();
});

test('messages with one number go one after the other, others at the same time', async () => {
  let open = 0, most = 0;
  const perOrder = new Map();
  const server = await listen((request, response, body) => {
    const { order } = JSON.parse(body);
    perOrder.set(order, (perOrder.get(order) ?? 0) + 1);
    assert.equal(perOrder.get(order), 1, 'two of one number at the same time');
    most = Math.max(most, ++open);
    setTimeout(() => { open--; perOrder.set(order, 0); json(response, {}); }, 5);
  });
  await put('ordered', server.url, { timeout_ms: 5000 });
  const messages = [];
  for (let i = 0; i < 200; i++) messages.push({ touch: 30_000 + i, key: keyOf(30_000 + i), account: 'ordered', order: 1 + (i % 10), content: { body: { order: i % 10, i } } });
  await drive.ask('send', { messages });
  for (const { touch } of messages) assert.equal((await drive.result(touch)).outcome, 'delivered');
  assert.ok(most > 1);
  for (let order = 0; order < 10; order++) {
    const seen = server.requests.map(({ body }) => JSON.parse(body)).filter((item) => item.order === order).map(({ i }) => i);
    assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
  }
  await server.close();
});

test('time-outs, quotas, full queues and wrong settings are told', async () => {
  const server = await listen((request, response) => json(response, {}));
  await put('quota', server.url, { daily_quota: 2 });
  const outcomes = [];
  for (let i = 0; i < 3; i++) outcomes.push((await drive.send('quota', { content: {} })).reason);
  assert.deepEqual(outcomes, ['delivered', 'delivered', 'daily_quota']);
  assert.equal((await drive.send('quota', { content: {}, expires_ms: 1000 })).reason, 'daily_quota');
  await put('timely', server.url);
  assert.equal((await drive.send('timely', { content: {}, expires_ms: 1000 })).reason, 'expired');
  assert.equal((await drive.send('timely', { content: 'no json' })).reason, 'bad_content');
  for (const [settings, pointer] of [
    [{ url: 'ftp://x/' }, '/settings/url'], [{ url: 'http://10.0.0.1/' }, '/settings/url'], [{ timeout_ms: 'x' }, '/settings/timeout_ms'],
    [{ signing_secret: 'short' }, '/settings/signing_secret'], [{ headers: { 'X\r\nY': 'z' } }, '/settings/headers'], [{ headers: { X: 'a\r\nb: c' } }, '/settings/headers'],
    [{ rate_per_second: -1 }, '/settings/rate_per_second'], [{ allow_private: 'yes' }, '/settings/allow_private'],
  ]) {
    const said = await drive.ask('put', { key: 'wrong', kind: 'webhook', settings });
    assert.deepEqual([said.error, said.pointer], ['unprocessable', pointer]);
  }
  await server.close();
});

test('at the end everything is told, once', async () => {
  const hanging = await listen(() => {});
  const other = new Drive();
  await other.put('h', 'webhook', { url: hanging.url, allow_private: true, concurrency: 2 });
  const messages = [];
  for (let i = 1; i <= 50; i++) messages.push({ touch: i, key: keyOf(i), account: 'h', order: 1 + (i % 5), content: {} });
  await other.ask('send', { messages });
  while (hanging.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  await other.stop(50);
  const all = [...other.results.values()];
  assert.equal(all.length, 50);
  assert.ok(all.every((told) => told.length === 1));
  assert.equal(all.filter(([result]) => result.outcome === 'uncertain').length, 2);
  assert.ok(all.every(([result]) => result.outcome === 'uncertain' || result.reason === 'stopping'));
  await hanging.close();
});
