// SPDX-License-Identifier: Apache-2.0
// X3: every route with every role. The matrix is made from openapi.json, which a unit test holds against the
// server's own table: a new route without a role does not get here unseen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { ask, expect, operations, users } from './support.mjs';

let kith, tokens, held;
const real = { skip: missingBinary };
before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  tokens = await users(kith);
  held = {};
  for (const [role, token] of Object.entries(tokens))
    held[role] = new Set([...(await expect(kith, 200, 'GET', '/session', { token })).user.permissions, 'public', 'signed_in']);
  held.public = new Set(['public']);
});
after(async () => kith?.remove());

// What must not happen while the matrix is walked: the walker's own session or the stream that never ends.
const harmful = new Set(['signOut', 'streamLiveEvents', 'changePassword']);

function fill(path) {
  return path.replace(/\{(\w+)\}/g, (_, name) =>
    ({ one_id: 'c_0000000000000', type: 'user_id', value: 'nobody', id: '999999', prefix: '00000000' })[name] ?? 'nothing-such');
}

for (const one of operations) {
  test(`${one.method} ${one.path} needs ${one.permission}`, real, async () => {
    assert.match(one.permission ?? '', /^(public|signed_in|[a-z_]+\.[a-z]+)$/, `${one.id} names no permission`);
    const body = one.operation.requestBody ? {} : undefined;
    for (const [role, token] of Object.entries({ public: null, ...tokens })) {
      const may = held[role].has(one.permission);
      if (role === 'administrator' || (harmful.has(one.id) && may)) continue;
      const answer = await ask(kith, one.method, fill(one.path), { token, body, base: '' });
      if (may) {
        assert.notEqual(answer.status, 403, `${role}: ${answer.text}`);
        if (one.id !== 'signIn') assert.notEqual(answer.status, 401, `${role}: ${answer.text}`);
      } else {
        assert.equal(answer.status, role === 'public' ? 401 : 403, `${role}: ${answer.text.slice(0, 300)}`);
        assert.equal(answer.json.code, role === 'public' ? 'unauthenticated' : 'forbidden');
      }
    }
  });
}

test('a role that is taken away is gone at once; a disabled user is nobody', real, async () => {
  const token = tokens.operator;
  await expect(kith, 200, 'PUT', '/users/operator', { body: { role: 'viewer' } });
  assert.equal((await ask(kith, 'POST', '/identity/whatif', { token, body: {} })).status, 403);
  await expect(kith, 200, 'PUT', '/users/operator', { body: { disabled: true } });
  assert.equal((await ask(kith, 'GET', '/session', { token })).status, 401);
  await expect(kith, 200, 'PUT', '/users/operator', { body: { disabled: false, role: 'operator' } });
  assert.equal((await ask(kith, 'GET', '/session', { token })).status, 200);
});

test('secrets are in no answer and in no log', real, async () => {
  await ask(kith, 'GET', '/customers/by/mobile/13987650042');
  const made = await expect(kith, 201, 'POST', '/sources', { body: { key: 'hidden', kind: 'server' } });
  const answers = await Promise.all(['/audit?limit=500', '/sources', '/users', '/tokens', '/settings'].map((path) =>
    ask(kith, 'GET', path)));
  const log = kith.logTail(100000);
  for (const secret of [made.write_key, ...Object.values(tokens), 'correct horse', 'argon2', '13987650042'])
    for (const text of [...answers.map((answer) => answer.text), log])
      assert.ok(!text.includes(secret), `${secret.slice(0, 6)}… is told`);
});
