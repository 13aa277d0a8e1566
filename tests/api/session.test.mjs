// SPDX-License-Identifier: Apache-2.0
// X2: signing in, the cookie, forged requests, wrong tries, and how a session ends; on the virtual clock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { ask, expect, refused } from './support.mjs';

let kith;
const real = { skip: missingBinary };
const password = 'a long enough secret 7';

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: '2026-06-18T00:00:00Z' } });
  await expect(kith, 200, 'PUT', '/users/lin', { body: { role: 'operator', password } });
});
after(async () => kith?.remove());

async function signIn(login = 'lin', secret = password) {
  const answer = await ask(kith, 'POST', '/session', { token: null, body: { login, password: secret } });
  assert.equal(answer.status, 200, answer.text);
  return { answer, cookie: answer.headers['set-cookie'][0].split(';')[0] };
}
const by = (cookie, more = {}) => ({ token: null, headers: { cookie, 'x-kith-request': '1', ...more } });
const advance = (time) => expect(kith, 200, 'POST', '/clock', { body: { advance: time } });

test('the first administrator is told once, and can sign in', real, async () => {
  const [, login, secret] = /Sign in as: (\S+) \/ (\S+)/.exec(kith.logTail());
  const { answer } = await signIn(login, secret);
  assert.equal(answer.json.user.role, 'administrator');
  assert.equal(answer.json.server.virtual_clock, true);
});

test('the cookie is for the server alone', real, async () => {
  const { answer } = await signIn();
  const [cookie] = answer.headers['set-cookie'];
  for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(cookie.includes(part), cookie);
  assert.ok(cookie.split(';')[0].split('=')[1].length >= 32);
  assert.ok(!answer.text.includes(cookie.split(';')[0].split('=')[1]));
  const proxied = await ask(kith, 'POST', '/session', {
    token: null,
    body: { login: 'lin', password },
    headers: { 'x-forwarded-proto': 'https' },
  });
  const [own] = proxied.headers['set-cookie'];
  assert.match(own, /^__Host-kith_session=[^;]+; Path=\/;.*; Secure$/);
  const value = own.split(';')[0].split('=')[1];
  const overTls = (sent) => ask(kith, 'GET', '/session', { token: null, headers: { cookie: sent, 'x-forwarded-proto': 'https' } });
  assert.equal((await overTls(`__Host-kith_session=${value}`)).status, 200);
  assert.equal((await overTls(`kith_session=${value}`)).status, 401, 'a name that a page without TLS could have set');
});

test('a change by cookie needs the header that no other site can send', real, async () => {
  const { cookie } = await signIn();
  await expect(kith, 200, 'GET', '/session', { token: null, headers: { cookie } });
  const body = { name: 'made by another site' };
  await refused(kith, 403, 'forbidden', 'POST', '/tokens', { token: null, headers: { cookie }, body });
  await expect(kith, 201, 'POST', '/tokens', { ...by(cookie), body });
});

test('idle for half an hour, or twelve hours old, it ends', real, async () => {
  const { cookie } = await signIn();
  for (let i = 0; i < 2; i++) {
    await advance('29m');
    await expect(kith, 200, 'GET', '/session', by(cookie));
  }
  await advance('31m');
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', by(cookie));
  const other = await signIn();
  for (let i = 0; i < 25; i++) {
    await advance('29m');
    const answer = await ask(kith, 'GET', '/session', by(other.cookie));
    assert.equal(answer.status, i < 24 ? 200 : 401, `after ${(i + 1) * 29} minutes`);
  }
});

test('a new password ends the other sessions', real, async () => {
  const one = await signIn();
  const two = await signIn();
  await expect(kith, 204, 'PUT', '/session/password', { ...by(one.cookie), body: { current: password, password: 'quite another one 8' } });
  await expect(kith, 200, 'GET', '/session', by(one.cookie));
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', by(two.cookie));
  await refused(kith, 401, 'unauthenticated', 'POST', '/session', { token: null, body: { login: 'lin', password } });
  await expect(kith, 200, 'PUT', '/users/lin', { body: { password } });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', by(one.cookie));
});

test('ten wrong tries a minute, with the same words for everybody', real, async () => {
  await advance('2m');
  const wrong = { token: null, body: { login: 'lin', password: 'wrong wrong wrong' } };
  const nobody = { token: null, body: { login: 'nobody', password: 'wrong wrong wrong' } };
  const one = await refused(kith, 401, 'unauthenticated', 'POST', '/session', wrong);
  const other = await refused(kith, 401, 'unauthenticated', 'POST', '/session', nobody);
  assert.deepEqual(one, other);
  for (let i = 1; i < 10; i++) await refused(kith, 401, 'unauthenticated', 'POST', '/session', wrong);
  await refused(kith, 429, 'busy', 'POST', '/session', wrong);
  const right = await ask(kith, 'POST', '/session', { token: null, body: { login: 'lin', password } });
  assert.equal(right.status, 429);
  assert.ok(Number(right.headers['retry-after']) <= 60);
  await advance('61s');
  await signIn();
});

test('the same time for a login that is not there', real, async () => {
  await advance('2m');
  const time = async (login) => {
    const start = process.hrtime.bigint();
    await ask(kith, 'POST', '/session', { token: null, body: { login, password: 'wrong wrong wrong' } });
    return Number(process.hrtime.bigint() - start) / 1e6;
  };
  const known = [], unknown = [];
  for (let i = 0; i < 8; i++) {
    known.push(await time('lin'));
    unknown.push(await time(`nobody${i}`));
  }
  const middle = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  // Both take the time of one Argon2id; without it the difference would be all of it.
  assert.ok(middle(unknown) > middle(known) / 3, `known ${middle(known)} ms, unknown ${middle(unknown)} ms`);
});

test('what is no sign-in', real, async () => {
  await refused(kith, 400, 'invalid', 'POST', '/session', { token: null, body: {} });
  await refused(kith, 400, 'invalid', 'POST', '/session', { token: null, body: 'login=lin' });
  for (const token of ['', 'x', 'kith_00000000000000000000000000000000', 'x'.repeat(500)])
    await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token: null, headers: { authorization: `Bearer ${token}` } });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', by('kith_session=00000000000000000000000000000000'));
});

test('the clock moves the domain, and only by its unit', real, async () => {
  const before = await expect(kith, 200, 'GET', '/session');
  const { now } = await advance('3d');
  assert.equal(Date.parse(now) - Date.parse(before.server.now), 3 * 86400000);
  for (const wrong of ['3 days', '-1d', '', '1y'])
    await refused(kith, 422, 'unprocessable', 'POST', '/clock', { body: { advance: wrong } });
});
