// SPDX-License-Identifier: Apache-2.0
// People: users, roles of one's own, tokens that may less, sessions that are seen and ended, who looked at whom and
// why, and the audit that tells (X3, X5, X12, X13, X16).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, operations, refused, seen } from './support.mjs';

let kith;
const real = { skip: missingBinary };
const password = 'a long enough secret 7';

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ environment: { KITH_WRITE_KEY: 'a-write-key-for-tests' } });
});
after(async () => kith?.remove());

const put = (login, body, options = {}) =>
  expect(kith, 200, 'PUT', `/users/${login}`, { body: { password, ...body }, ...options });
async function signIn(login, secret = password, headers = {}) {
  const answer = await ask(kith, 'POST', '/session', { token: null, body: { login, password: secret }, headers });
  assert.equal(answer.status, 200, answer.text);
  return answer.headers['set-cookie'][0].split(';')[0].split('=')[1];
}
const token = async (by, body) => (await expect(kith, 201, 'POST', '/tokens', { token: by, body: { name: 't', ...body } })).token;

test('users are made, changed, disabled and deleted; several roles add up', real, async () => {
  const made = await put('mei', { roles: ['adviser', 'call_centre'], team: 'tmall', name: '梅' });
  assert.deepEqual(made.roles, ['adviser', 'call_centre']);
  assert.equal(made.team, 'tmall');
  const mei = await signIn('mei');
  const { user } = await expect(kith, 200, 'GET', '/session', { token: mei });
  assert.ok(user.permissions.includes('customer.reveal') && user.permissions.includes('template.see'));
  assert.equal(user.team, 'tmall');
  assert.deepEqual(await expect(kith, 200, 'GET', '/users/mei'), made);
  await refused(kith, 404, 'not_found', 'GET', '/users/nobody');
  assert.equal((await expect(kith, 200, 'PUT', '/users/mei', { body: { team: null } })).team, null);
  await refused(kith, 422, 'unprocessable', 'PUT', '/users/mei', { body: { roles: ['no-such'] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/users/mei', { body: { roles: [] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/users/mei', { body: { role: 'public' } });
  await expect(kith, 204, 'DELETE', '/users/mei');
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token: mei });
  await refused(kith, 401, 'unauthenticated', 'POST', '/session', { token: null, body: { login: 'mei', password } });
  await refused(kith, 404, 'not_found', 'DELETE', '/users/mei');
  assert.ok(!(await expect(kith, 200, 'GET', '/users')).items.some((one) => one.login === 'mei'));
  // Whoever comes under the same login later starts anew.
  await put('mei', { roles: ['adviser'] });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token: mei });
  assert.equal((await expect(kith, 200, 'GET', '/session', { token: await signIn('mei') })).user.team, null);
});

test('roles of one\'s own: what they hold follows at once to who has them', real, async () => {
  const made = await expect(kith, 200, 'PUT', '/roles/brand-lead', { body: { name: '品牌负责人', permissions: ['tag.*', 'customer.see'] } });
  assert.deepEqual(made.permissions, ['customer.see', 'tag.see', 'tag.change']);
  await put('lin', { roles: ['brand-lead'] });
  const lin = await signIn('lin');
  await refused(kith, 403, 'forbidden', 'GET', '/segments', { token: lin });
  await expect(kith, 200, 'PUT', '/roles/brand-lead', { body: { permissions: ['tag.see', 'segment.see'] } });
  await expect(kith, 200, 'GET', '/segments', { token: lin });
  await refused(kith, 403, 'forbidden', 'GET', '/customers', { token: lin });
  assert.equal((await expect(kith, 200, 'GET', '/roles/brand-lead')).users, 1);
  await refused(kith, 409, 'conflict', 'DELETE', '/roles/brand-lead');
  await refused(kith, 409, 'conflict', 'PUT', '/roles/operator', { body: { permissions: ['*'] } });
  await refused(kith, 409, 'conflict', 'PUT', '/roles/viewer', { body: { permissions: ['*'] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/roles/new', { body: { permissions: ['tag.eat'] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/roles/New', { body: { permissions: [] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/roles/new', { body: {} });
  await put('lin', { roles: ['adviser'] });
  await expect(kith, 204, 'DELETE', '/roles/brand-lead');
  await refused(kith, 404, 'not_found', 'DELETE', '/roles/brand-lead');
  await refused(kith, 404, 'not_found', 'GET', '/roles/brand-lead');
});

test('nobody gives more than she has, nor takes it from who has more; the last administrator stays', real, async () => {
  await expect(kith, 200, 'PUT', '/roles/people', {
    body: { permissions: ['user.*', 'role.*', 'customer.see', 'token.create'] },
  });
  await put('hr', { roles: ['people'] });
  await put('boss', { roles: ['administrator'] });
  const hr = await signIn('hr');
  const by = { token: hr };
  await refused(kith, 403, 'forbidden', 'PUT', '/users/hr', { ...by, body: { roles: ['administrator'] } });
  await refused(kith, 403, 'forbidden', 'PUT', '/users/new', { ...by, body: { roles: ['operator'], password } });
  await refused(kith, 403, 'forbidden', 'PUT', '/users/boss', { ...by, body: { password: 'another secret 12' } });
  await refused(kith, 403, 'forbidden', 'PUT', '/users/boss', { ...by, body: { disabled: true } });
  await refused(kith, 403, 'forbidden', 'DELETE', '/users/boss', by);
  await refused(kith, 403, 'forbidden', 'PUT', '/roles/people', { ...by, body: { permissions: ['*'] } });
  await refused(kith, 403, 'forbidden', 'PUT', '/roles/mine', { ...by, body: { permissions: ['customer.reveal'] } });
  await expect(kith, 200, 'PUT', '/roles/mine', { ...by, body: { permissions: ['customer.see'] } });
  await expect(kith, 200, 'PUT', '/users/new', { ...by, body: { roles: ['mine'], password } });
  await expect(kith, 200, 'PUT', '/users/boss', { body: { roles: ['operator'] } });
  await refused(kith, 409, 'conflict', 'PUT', '/users/admin', { body: { roles: ['operator'] } });
  await refused(kith, 409, 'conflict', 'PUT', '/users/admin', { body: { disabled: true } });
  await refused(kith, 409, 'conflict', 'DELETE', '/users/admin');
});

test('API tokens: fewer rights, an end; one made by another is no wider', real, async () => {
  await put('dev', { roles: ['developer'] });
  const dev = await signIn('dev');
  const narrow = await token(dev, { permissions: ['source.see', 'token.create'] });
  await expect(kith, 200, 'GET', '/sources', { token: narrow });
  await refused(kith, 403, 'forbidden', 'GET', '/customers', { token: narrow });
  await refused(kith, 403, 'forbidden', 'POST', '/tokens', { token: dev, body: { name: 't', permissions: ['user.see'] } });
  await refused(kith, 403, 'forbidden', 'POST', '/tokens', { token: narrow, body: { name: 't', permissions: ['plan.see'] } });
  await refused(kith, 422, 'unprocessable', 'POST', '/tokens', { token: dev, body: { name: 't', permissions: ['plan.saw'] } });
  await refused(kith, 422, 'unprocessable', 'POST', '/tokens', { token: dev, body: { name: 't', permissions: [] } });
  await refused(kith, 422, 'unprocessable', 'POST', '/tokens', { token: dev, body: { name: 't', expires_at: '2001-01-01T00:00:00Z' } });
  const child = await token(narrow, {});
  await refused(kith, 403, 'forbidden', 'GET', '/customers', { token: child });
  const soon = await token(dev, { expires_at: new Date(Date.now() + 3_600_000).toISOString() });
  await refused(kith, 422, 'unprocessable', 'POST', '/tokens', { token: soon, body: { name: 't', expires_at: '2100-01-01T00:00:00Z' } });
  const grandchild = await expect(kith, 201, 'POST', '/tokens', { token: soon, body: { name: 'g' } });
  assert.ok(Date.parse(grandchild.expires_at) <= Date.now() + 3_600_000);
  const mine = await expect(kith, 200, 'GET', '/tokens', { token: dev });
  assert.deepEqual(mine.items.find(({ permissions }) => permissions !== null).permissions, ['source.see', 'token.create']);
  assert.equal(mine.items.filter((one) => one.is_this).length, 1);
  // A role that is taken away narrows the token, too.
  await expect(kith, 200, 'PUT', '/users/dev', { body: { roles: ['adviser'] } });
  await refused(kith, 403, 'forbidden', 'GET', '/sources', { token: narrow });
});

test('the workspace may end API tokens after some days', real, async () => {
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/access.token_days_max', { body: { value: -1 } });
  await expect(kith, 200, 'PUT', '/settings/access.token_days_max', { body: { value: 30 } });
  const made = await expect(kith, 201, 'POST', '/tokens', { body: { name: 'short' } });
  assert.ok(Date.parse(made.expires_at) < Date.now() + 31 * 86_400_000);
  await refused(kith, 422, 'unprocessable', 'POST', '/tokens', { body: { name: 'long', expires_at: '2100-01-01T00:00:00Z' } });
  await expect(kith, 200, 'PUT', '/settings/access.token_days_max', { body: { value: 0 } });
});

test('sessions are seen with where they began, and ended by oneself or by who may', real, async () => {
  await put('wen', { roles: ['analyst'] });
  const one = await signIn('wen', password, { 'user-agent': 'Browser/1' });
  const other = await signIn('wen', password, { 'user-agent': 'Browser/2' });
  const seenBy = await expect(kith, 200, 'GET', '/tokens', { token: one });
  assert.deepEqual(seenBy.items.map((item) => item.agent).sort(), ['Browser/1', 'Browser/2']);
  assert.ok(seenBy.items.every((item) => item.address === '127.0.0.1' && item.kind === 'session'));
  assert.ok(seenBy.items.find((item) => item.is_this).used_at !== null);
  await expect(kith, 204, 'DELETE', '/users/wen/sessions', { token: one });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token: other });
  await expect(kith, 200, 'GET', '/session', { token: one });
  await refused(kith, 404, 'not_found', 'DELETE', '/users/admin/sessions', { token: one });
  await refused(kith, 404, 'not_found', 'DELETE', '/users/nobody/sessions', { token: one });
  await expect(kith, 204, 'DELETE', '/users/wen/sessions');
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token: one });
  // Her password is changed by somebody else: whoever is signed in with the old one is out.
  const last = await signIn('wen');
  await put('wen', { password: 'another long secret 8' });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token: last });
});

test('X12: seeing in full needs the right, a reason where one is asked for, and stands in the audit', real, async () => {
  await kith.batch('a-write-key-for-tests', [identify('u-77', { phone: '13987650077' })]);
  const found = await until('the customer is there', async () => {
    const answer = await ask(kith, 'GET', '/customers/by/user_id/u-77');
    return answer.status === 200 ? answer.json : undefined;
  });
  await put('call', { roles: ['call_centre'] });
  await put('anna', { roles: ['analyst'] });
  const call = await signIn('call');
  const anna = await signIn('anna');
  const path = '/customers/by/mobile/13987650077';
  await refused(kith, 403, 'forbidden', 'GET', `${path}?reveal=true&reason=x`, { token: anna });
  await expect(kith, 200, 'PUT', '/settings/access.reveal_reason', { body: { value: 1 } });
  await refused(kith, 422, 'unprocessable', 'GET', `${path}?reveal=true`, { token: call });
  const masked = await expect(kith, 200, 'GET', path, { token: call });
  assert.ok(!JSON.stringify(masked).includes('13987650077'));
  const clear = await expect(kith, 200, 'GET', `${path}?reveal=true&reason=${encodeURIComponent('退货 回访')}`, { token: call });
  assert.ok(JSON.stringify(clear).includes('13987650077'));
  await expect(kith, 200, 'GET', `/customers/${found.one_id}/merges?reveal=true`, {
    token: call, headers: { 'x-kith-reason': encodeURIComponent('second look') },
  });
  const audit = await expect(kith, 200, 'GET', `/audit?object=${found.one_id}&action=values.reveal`);
  assert.deepEqual(audit.items.map((line) => JSON.parse(line.detail).reason), ['second look', '退货 回访']);
  assert.ok(audit.items.every((line) => line.user === 'call' && line.address === '127.0.0.1'));
  assert.ok(!JSON.stringify(audit).includes('13987650077'));
  await expect(kith, 200, 'PUT', '/settings/access.reveals_per_minute', { body: { value: 1 } });
  const many = [];
  for (let i = 0; i < 3; i++) many.push(await ask(kith, 'GET', `${path}?reveal=true&reason=x`, { token: call }));
  assert.ok(many.some((answer) => answer.status === 429), 'one a minute is less than three');
  await expect(kith, 200, 'PUT', '/settings/access.reveals_per_minute', { body: { value: 120 } });
  await expect(kith, 200, 'PUT', '/settings/access.reveal_reason', { body: { value: 0 } });
});

test('X16: one token that asks too often is told to wait, others go on', real, async () => {
  const own = await signIn('anna');
  const other = await signIn('call');
  await expect(kith, 200, 'PUT', '/settings/access.requests_per_minute', { body: { value: 1 } });
  const first = await ask(kith, 'GET', '/session', { token: own });
  const second = await ask(kith, 'GET', '/session', { token: own });
  assert.deepEqual([first.status, second.status], [200, 429]);
  assert.ok(Number(second.headers['retry-after']) >= 1);
  assert.equal((await ask(kith, 'GET', '/session', { token: other })).status, 200);
  await kith.stop();
  kith.environment.KITH_ADMIN_TOKEN = kith.token;
  await kith.launch();
  await expect(kith, 200, 'PUT', '/settings/access.requests_per_minute', { body: { value: 0 } });
  for (let i = 0; i < 20; i++) await expect(kith, 200, 'GET', '/session', { token: own });
});

test('X13: the audit says before and after, is searched, taken out, and found whole', real, async () => {
  const all = (query) => expect(kith, 200, 'GET', `/audit?limit=500&${query}`).then((list) => list.items);
  const [change] = await all('action=user.put&object=dev');
  const detail = JSON.parse(change.detail);
  assert.deepEqual([detail.before.roles, detail.after.roles], [['developer'], ['adviser']]);
  assert.equal(change.user, 'admin');
  assert.ok((await all('user=hr')).every((line) => line.user === 'hr'));
  assert.deepEqual(await all('user=no-such'), []);
  assert.ok((await all('action=role.')).every((line) => line.action.startsWith('role.')));
  assert.ok((await all('text=brand-lead')).length >= 2);
  const { at } = change;
  assert.ok((await all(`from=${at}`)).every((line) => line.at >= at));
  assert.ok((await all(`until=${at}`)).every((line) => line.at < at));
  await refused(kith, 400, 'invalid', 'GET', '/audit?from=yesterday');
  await refused(kith, 400, 'invalid', 'GET', '/audit/export?format=xml');
  const csv = await expect(kith, 200, 'GET', '/audit/export?action=user.put');
  assert.equal(csv.split('\r\n')[0], 'seq,at,user,address,action,object,detail');
  assert.equal(csv.trimEnd().split('\r\n').length - 1, (await all('action=user.put')).length);
  const taken = await fetch(`http://127.0.0.1:${kith.port}/api/v1/audit/export?format=jsonl`, {
    headers: { authorization: `Bearer ${kith.token}` },
  });
  assert.equal(taken.headers.get('content-type'), 'application/x-ndjson');
  const jsonl = await taken.text();
  const lines = jsonl.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines[0].action, 'audit.export');
  for (const secret of [password, '$argon2', kith.token]) assert.ok(!jsonl.includes(secret));
  const verdict = await expect(kith, 200, 'GET', '/audit/verify');
  assert.deepEqual([verdict.whole, verdict.broken_seq, verdict.complaint], [true, null, '']);
  assert.ok(verdict.lines >= lines.length);
});

test('every route of users, roles and audit was asked', real, () => {
  const missing = operations.filter((one) => one.operation.tags[0] === 'access').map((one) => one.id)
    .filter((id) => !seen.operations.has(id) && !['listPermissions', 'listRoles'].includes(id)); // roles.test.mjs
  assert.deepEqual(missing, []);
});
