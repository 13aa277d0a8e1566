// SPDX-License-Identifier: Apache-2.0
// X3: every route with every ready role. What each role may is data, permissions.json; what each route asks for is in
// openapi.json, which a unit test holds against the server's own table. A new permission without a line, or a route
// without a permission, fails here.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Kith, adminToken, missingBinary } from '../support/kith.mjs';
import { ask, expect, operations, refused } from './support.mjs';

const matrix = Object.entries(JSON.parse(readFileSync(new URL('permissions.json', import.meta.url), 'utf8')));
const roles = ['administrator', 'operator', 'analyst', 'adviser', 'call_centre', 'auditor', 'developer'];
const held = Object.fromEntries(roles.map((role) => [
  role,
  new Set([...matrix.filter(([, who]) => who.split(' ').includes(role)).map(([permission]) => permission), 'public', 'signed_in']),
]));
held.nobody = new Set(['public']);

let kith;
const tokens = { nobody: null, administrator: adminToken };
const real = { skip: missingBinary };
const password = (role) => `correct horse ${role} 9`;

async function signIn(role) {
  const session = await ask(kith, 'POST', '/session', { token: null, body: { login: role, password: password(role) } });
  return session.headers['set-cookie'][0].split(';')[0];
}

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  for (const role of roles.slice(1)) {
    await expect(kith, 200, 'PUT', `/users/${role}`, { body: { roles: [role], password: password(role), name: role } });
    tokens[role] = (await signIn(role)).split('=')[1];
  }
});
after(async () => kith?.remove());

test('the matrix names every permission, and the ready roles hold what it says', real, async () => {
  const kinds = await expect(kith, 200, 'GET', '/permissions');
  const served = kinds.items.flatMap(({ kind, actions }) => actions.map((action) => `${kind}.${action}`));
  assert.deepEqual(served, matrix.map(([permission]) => permission));
  const list = await expect(kith, 200, 'GET', '/roles');
  assert.deepEqual(list.items.map(({ key }) => key), roles);
  for (const { key, permissions } of list.items)
    assert.deepEqual(permissions, served.filter((permission) => held[key].has(permission)), key);
  for (const role of roles) {
    const { user } = await expect(kith, 200, 'GET', '/session', { token: tokens[role] });
    assert.deepEqual(user.permissions, served.filter((permission) => held[role].has(permission)), role);
  }
});

// What must not happen while the matrix is walked: the walker's own session or the stream that never ends.
const harmful = new Set(['signOut', 'streamLiveEvents', 'streamJob', 'changePassword']);

function fill(path) {
  return path.replace(/\{(\w+)\}/g, (_, name) =>
    ({ one_id: 'c_0000000000000', type: 'user_id', value: 'nobody', id: '999999', prefix: '00000000' })[name] ?? 'nothing-such');
}

for (const one of operations) {
  test(`${one.method} ${one.path} needs ${one.permission}`, real, async () => {
    const known = ['public', 'signed_in', ...matrix.map(([permission]) => permission)];
    assert.ok(known.includes(one.permission), `${one.id} names no permission of the matrix: ${one.permission}`);
    const body = one.operation.requestBody ? {} : undefined;
    for (const role of ['nobody', ...roles]) {
      const may = held[role].has(one.permission);
      if (role === 'administrator' || (harmful.has(one.id) && may)) continue;
      const answer = await ask(kith, one.method, fill(one.path), { token: tokens[role], body, base: '' });
      if (may) {
        // A wrong password of one's own is refused by another reason.
        const byPassword = answer.json?.errors?.[0]?.pointer === '/current';
        if (!byPassword) assert.notEqual(answer.status, 403, `${role}: ${answer.text}`);
        if (one.permission !== 'public') assert.notEqual(answer.status, 401, `${role}: ${answer.text}`);
      } else {
        assert.equal(answer.status, role === 'nobody' ? 401 : 403, `${role}: ${answer.text.slice(0, 300)}`);
        assert.equal(answer.json.code, role === 'nobody' ? 'unauthenticated' : 'forbidden');
      }
    }
  });
}

test('a role that is taken away is gone at once; a disabled user is nobody', real, async () => {
  const token = tokens.operator;
  await expect(kith, 200, 'PUT', '/users/operator', { body: { role: 'viewer' } });
  assert.equal((await ask(kith, 'POST', '/identity/whatif', { token, body: {} })).status, 403);
  await expect(kith, 200, 'PUT', '/users/operator', { body: { roles: ['adviser', 'operator'] } });
  assert.notEqual((await ask(kith, 'POST', '/identity/whatif', { token, body: {} })).status, 403);
  await expect(kith, 200, 'PUT', '/users/operator', { body: { disabled: true } });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token });
  await expect(kith, 200, 'PUT', '/users/operator', { body: { disabled: false } });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token });
});

test('secrets are in no answer and in no log', real, async () => {
  await ask(kith, 'GET', '/customers/by/mobile/13987650042');
  const made = await expect(kith, 201, 'POST', '/sources', { body: { key: 'hidden', kind: 'server' } });
  const answers = await Promise.all(['/audit?limit=500', '/sources', '/users', '/tokens', '/settings'].map((path) =>
    ask(kith, 'GET', path)));
  const log = kith.logTail(100000);
  for (const secret of [made.write_key, ...Object.values(tokens).filter((token) => token !== null), 'correct horse', 'argon2', '13987650042'])
    for (const text of [...answers.map((answer) => answer.text), log])
      assert.ok(!text.includes(secret), `${secret.slice(0, 6)}… is told`);
});
