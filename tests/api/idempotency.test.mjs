// SPDX-License-Identifier: Apache-2.0
// D9: a command with an Idempotency-Key happens once: again, with another body, two at once, after a kill.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { ask, expect, identify, refused, users } from './support.mjs';

let kith, tokens;
const real = { skip: missingBinary };
const key = (name) => ({ 'idempotency-key': name });

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  tokens = await users(kith);
});
after(async () => kith?.remove());

test('the same request gives the same answer, secrets included', real, async () => {
  const options = { body: { key: 'again', kind: 'server', name: 'Once' }, headers: key('k1') };
  const one = await expect(kith, 201, 'POST', '/sources', options);
  const two = await expect(kith, 201, 'POST', '/sources', options);
  assert.deepEqual(two, one);
  await expect(kith, 200, 'PUT', '/sources/again', { body: { name: 'Changed since' } });
  assert.deepEqual(await expect(kith, 201, 'POST', '/sources', options), one);
  const rotate = { headers: key('k2') };
  const first = await expect(kith, 200, 'POST', '/sources/again/rotate', rotate);
  assert.deepEqual(await expect(kith, 200, 'POST', '/sources/again/rotate', rotate), first);
  const audit = await expect(kith, 200, 'GET', '/audit?action=source.put');
  assert.equal(audit.items.length, 3);
});

test('another body or path with the key is refused', real, async () => {
  const options = { body: { value: 1 }, headers: key('k3') };
  await expect(kith, 200, 'PUT', '/settings/a', options);
  await refused(kith, 422, 'idempotency_mismatch', 'PUT', '/settings/a', { body: { value: 2 }, headers: key('k3') });
  await refused(kith, 422, 'idempotency_mismatch', 'PUT', '/settings/b', options);
  assert.equal((await expect(kith, 200, 'GET', '/settings/a')).value, 1);
});

test("two users' keys never meet", real, async () => {
  const body = { name: 'mine' };
  const one = await expect(kith, 201, 'POST', '/tokens', { token: tokens.viewer, body, headers: key('k4') });
  const two = await expect(kith, 201, 'POST', '/tokens', { token: tokens.operator, body, headers: key('k4') });
  assert.notEqual(one.token, two.token);
});

test('twenty at once: one is done', real, async () => {
  const options = { body: { key: 'crowd', kind: 'server' }, headers: key('k5') };
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(kith, 'POST', '/sources', options)));
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([201]));
  assert.equal(new Set(answers.map((answer) => answer.json.write_key)).size, 1);
  const audit = await expect(kith, 200, 'GET', '/audit?action=source.put');
  assert.equal(audit.items.filter((line) => line.object === 'crowd').length, 1);
});

test('a refusal is repeated too; without a key nothing is', real, async () => {
  const options = { body: { limit: -1 }, headers: key('k6') };
  const one = await refused(kith, 422, 'unprocessable', 'PUT', '/identity/types/mobile', options);
  assert.deepEqual(await refused(kith, 422, 'unprocessable', 'PUT', '/identity/types/mobile', options), one);
  const first = await expect(kith, 200, 'POST', '/sources/again/rotate');
  const second = await expect(kith, 200, 'POST', '/sources/again/rotate');
  assert.notEqual(first.write_key, second.write_key);
});

test('after kill -9 the same key gives the same answer, and does nothing twice', real, async () => {
  const source = await expect(kith, 201, 'POST', '/sources', { body: { key: 'feed', kind: 'server' } });
  await kith.batch(source.write_key, [identify('x1'), identify('x2')]);
  const one = await expect(kith, 200, 'GET', '/customers/by/user_id/x1');
  const two = await expect(kith, 200, 'GET', '/customers/by/user_id/x2');
  const merge = { body: { other: one.one_id }, headers: key('k7') };
  const create = { body: { key: 'late', kind: 'server' }, headers: key('k8') };
  const merged = await expect(kith, 200, 'POST', `/customers/${two.one_id}/merge`, merge);
  const created = await expect(kith, 201, 'POST', '/sources', create);
  await kith.kill9();
  await kith.launch();
  assert.deepEqual(await expect(kith, 200, 'POST', `/customers/${two.one_id}/merge`, merge), merged);
  assert.deepEqual((await expect(kith, 201, 'POST', '/sources', create)).write_key, created.write_key);
  await refused(kith, 422, 'idempotency_mismatch', 'POST', `/customers/${two.one_id}/merge`, {
    body: { other: two.one_id },
    headers: key('k7'),
  });
  assert.equal((await expect(kith, 200, 'GET', `/customers/${one.one_id}/merges`)).items.length, 1);
});
