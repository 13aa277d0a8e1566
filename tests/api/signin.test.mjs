// SPDX-License-Identifier: Apache-2.0
// X2: the second factor, on the virtual clock; and single sign-on against an independent OpenID provider on loopback.
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Kith, freePort, missingBinary } from '../support/kith.mjs';
import { ask, expect, refused } from './support.mjs';

let kith;
const real = { skip: missingBinary };
const password = 'a long enough secret 7';

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: '2026-06-18T00:00:00Z' } });
});
after(async () => kith?.remove());

const put = (login, body) => expect(kith, 200, 'PUT', `/users/${login}`, { body: { password, ...body } });
const advance = (time) => expect(kith, 200, 'POST', '/clock', { body: { advance: time } });
const session = (login, more = {}) =>
  ask(kith, 'POST', '/session', { token: null, body: { login, password, ...more } });
const tokenOf = (answer) => answer.headers['set-cookie'][0].split(';')[0].split('=')[1];

// Written here from RFC 4226 and 4648, not taken from the server.
function code(secret, ms) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
const now = async () => Date.parse((await expect(kith, 200, 'GET', '/session')).server.now);

async function enrol(login) {
  const token = tokenOf(await session(login));
  const begun = await expect(kith, 200, 'POST', '/session/second-factor', { token, body: { current: password } });
  const body = { enrolment: begun.enrolment, code: code(begun.secret, await now()) };
  const done = await expect(kith, 200, 'PUT', '/session/second-factor', { token, body });
  return { token, secret: begun.secret, uri: begun.uri, recovery: done.recovery_codes };
}

test('X2: a second factor is set up, asked for, and no code counts twice', real, async () => {
  await put('lin', { roles: ['operator'] });
  const { token, secret, uri, recovery } = await enrol('lin');
  assert.equal(uri, `otpauth://totp/Kith:lin?secret=${secret}&issuer=Kith`);
  assert.equal(new Set(recovery).size, 10);
  assert.equal((await expect(kith, 200, 'GET', '/session', { token })).second_factor, true);
  const asked = await session('lin');
  assert.deepEqual([asked.status, asked.json.errors?.[0]?.pointer ?? asked.json.pointer], [401, '/code'], asked.text);
  // The code that set it up was used then.
  assert.equal((await session('lin', { code: code(secret, await now()) })).status, 401);
  await advance('30s');
  const one = code(secret, await now());
  assert.equal((await session('lin', { code: one })).status, 200);
  assert.equal((await session('lin', { code: one })).status, 401);
  await advance('30s');
  await refused(kith, 401, 'unauthenticated', 'POST', '/session', {
    token: null, body: { login: 'lin', password: 'wrong wrong', code: code(secret, await now()) },
  });
  const both = code(secret, await now());
  const answers = await Promise.all([session('lin', { code: both }), session('lin', { code: both })]);
  assert.deepEqual(answers.map(({ status }) => status).filter((status) => status === 200).length, 1);
  // Lost: a recovery code counts once.
  assert.equal((await session('lin', { code: recovery[3].toUpperCase() })).status, 200);
  assert.equal((await session('lin', { code: recovery[3] })).status, 401);
  assert.equal((await session('lin', { code: 'aaaaa-aaaaa' })).status, 401);
  await advance('2m');
  const left = await session('lin', { code: recovery[4] });
  assert.equal(left.json.recovery_codes, 8);
  const log = await expect(kith, 200, 'GET', '/audit?object=lin&limit=500');
  assert.ok(log.items.some((line) => line.action === 'session.refused'));
  for (const hidden of [secret, ...recovery]) assert.ok(!JSON.stringify(log).includes(hidden));
});

test('X2: it is taken away by its owner with a code, or by who administers users', real, async () => {
  await put('mei', { roles: ['operator'] });
  const { secret, token } = await enrol('mei');
  await refused(kith, 403, 'forbidden', 'POST', '/session/second-factor/remove', { token, body: { current: password, code: '000000' } });
  await refused(kith, 403, 'forbidden', 'POST', '/session/second-factor/remove', { token, body: { current: 'wrong wrong', code: code(secret, await now()) } });
  await advance('1m');
  await expect(kith, 204, 'POST', '/session/second-factor/remove', { token, body: { current: password, code: code(secret, await now()) } });
  assert.equal((await session('mei')).status, 200);
  await enrol('mei');
  assert.equal((await session('mei')).status, 401);
  await expect(kith, 204, 'DELETE', '/users/mei/second-factor');
  assert.equal((await session('mei')).status, 200);
  await refused(kith, 404, 'not_found', 'DELETE', '/users/nobody/second-factor');
});

test('X2: where a role must have one, a session without may do nothing but set it up', real, async () => {
  await put('dev', { roles: ['developer'] });
  await expect(kith, 200, 'PUT', '/settings/access.second_factor_roles', { body: { value: ['developer'] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/access.second_factor_roles', { body: { value: 'developer' } });
  const first = await session('dev');
  assert.equal(first.json.must_enrol, true);
  await refused(kith, 403, 'forbidden', 'GET', '/sources', { token: tokenOf(first) });
  await refused(kith, 403, 'forbidden', 'POST', '/tokens', { token: tokenOf(first), body: { name: 't' } });
  const { secret, token } = await enrol('dev');
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token });
  await advance('30s');
  const second = await session('dev', { code: code(secret, await now()) });
  assert.equal(second.json.must_enrol, false);
  await expect(kith, 200, 'GET', '/sources', { token: tokenOf(second) });
  await expect(kith, 200, 'PUT', '/settings/access.second_factor_roles', { body: { value: [] } });
});

test('X2: an enrolment is its owner\'s, and ends', real, async () => {
  await put('one', { roles: ['analyst'] });
  await put('two', { roles: ['analyst'] });
  const one = tokenOf(await session('one'));
  const two = tokenOf(await session('two'));
  const begun = await expect(kith, 200, 'POST', '/session/second-factor', { token: one, body: { current: password } });
  const body = { enrolment: begun.enrolment, code: code(begun.secret, await now()) };
  await refused(kith, 422, 'unprocessable', 'PUT', '/session/second-factor', { token: two, body });
  await refused(kith, 422, 'unprocessable', 'PUT', '/session/second-factor', { token: one, body: { ...body, enrolment: 's1:1:AAAA' } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/session/second-factor', { token: one, body: { ...body, code: '000000' } });
  await advance('16m');
  body.code = code(begun.secret, await now());
  await refused(kith, 422, 'unprocessable', 'PUT', '/session/second-factor', { token: one, body });
});

test('X5: a rotated write key is over at once, or beside the new one as long as is said', real, async () => {
  const { write_key: first } = await expect(kith, 201, 'POST', '/sources', { body: { key: 'shop', kind: 'server' } });
  const send = (key) => fetch(`http://127.0.0.1:${kith.port}/v1/track`, {
    method: 'POST', headers: { authorization: `Basic ${btoa(`${key}:`)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 'u', event: 'Seen', messageId: randomBytes(8).toString('hex') }),
  }).then(({ status }) => status);
  assert.equal(await send(first), 200);
  const { write_key: second, old_until: none } = await expect(kith, 200, 'POST', '/sources/shop/rotate');
  assert.equal(none, null);
  assert.deepEqual([await send(first), await send(second)], [401, 200]);
  const { write_key: third, old_until: until } = await expect(kith, 200, 'POST', '/sources/shop/rotate?overlap=24h');
  assert.equal(Date.parse(until), (await now()) + 86_400_000);
  assert.deepEqual([await send(first), await send(second), await send(third)], [401, 200, 200]);
  await kith.stop();
  await kith.launch();
  assert.deepEqual([await send(second), await send(third)], [200, 200]);
  await advance('25h');
  assert.deepEqual([await send(second), await send(third)], [401, 200]);
  for (const overlap of ['31d', 'soon', '-1h']) await refused(kith, 400, 'invalid', 'POST', `/sources/shop/rotate?overlap=${overlap}`);
});

// ---- single sign-on ----

/** oidc-provider, with people that it signs in by name and without asking. */
async function provider(port, redirect, alg) {
  const { default: Provider } = await import('oidc-provider');
  const { privateKey } = generateKeyPairSync(alg === 'ES256' ? 'ec' : 'rsa', alg === 'ES256' ? { namedCurve: 'P-256' } : { modulusLength: 2048 });
  const people = { 'u-mei': { email: 'mei@kith.test', name: '梅', groups: ['crm'] }, 'u-boss': { email: 'boss@kith.test', groups: ['it', 'crm'] }, 'u-none': { email: 'none@kith.test', groups: [] } };
  const oidc = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: 'kith', client_secret: 'the secret/of+kith', redirect_uris: [redirect], id_token_signed_response_alg: alg }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg }] },
    cookies: { keys: ['test'] },
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], email: ['email'], profile: ['name', 'groups'] },
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
  });
  const server = (await import('node:http')).createServer(async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return oidc.callback()(request, response);
    const details = await oidc.interactionDetails(request, response);
    if (details.prompt.name === 'login') return oidc.interactionFinished(request, response, { login: { accountId: server.who } });
    const grant = new oidc.Grant({ accountId: details.session.accountId, clientId: 'kith' });
    grant.addOIDCScope('openid profile email');
    return oidc.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return server;
}

/** A browser that goes where it is sent, until it comes to `stop`. */
async function follow(url, jar, stop) {
  for (let step = 0; step < 15; step++) {
    if (stop(url)) return { url };
    const host = new URL(url).host;
    const cookie = Object.entries(jar[host] ?? {}).map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      (jar[host] ??= {})[name] = value;
    }
    if (answer.status < 300 || answer.status > 399) return { url, answer };
    url = new URL(answer.headers.get('location'), url).href;
  }
  throw new Error('sent around in a circle');
}

for (const alg of ['RS256', 'ES256']) {
  test(`single sign-on by an independent provider, ${alg}`, real, async () => {
    const house = await Kith.start();
    const port = await freePort();
    const home = `http://127.0.0.1:${house.port}`;
    const redirect = `${home}/api/v1/session/single-sign-on/callback`;
    const server = await provider(port, redirect, alg);
    const begin = `${home}/api/v1/session/single-sign-on`;
    const atCallback = (url) => url.startsWith(redirect);
    const signIn = async (who, jar = {}) => {
      server.who = who;
      const { url } = await follow(begin, jar, atCallback);
      return follow(url, jar, (at) => at === `${home}/`);
    };
    try {
      await refused(house, 404, 'not_found', 'GET', '/single-sign-on');
      await refused(house, 404, 'not_found', 'GET', '/session/single-sign-on', { token: null });
      const settings = {
        name: '公司账号', issuer: `http://127.0.0.1:${port}`, client_id: 'kith', client_secret: 'the secret/of+kith', redirect_uri: redirect,
        makes_users: true, roles: { crm: ['operator'], it: ['developer'] },
      };
      for (const wrong of [{ issuer: 'http://idp.example' }, { issuer: 'https://me@idp.example/' }, { redirect_uri: 'https://evil.example/' }, { client_id: '' }, { roles: { x: ['no-such'] } }])
        await refused(house, 422, 'unprocessable', 'PUT', '/single-sign-on', { body: { ...settings, ...wrong } });
      const shown = await expect(house, 200, 'PUT', '/single-sign-on', { body: settings });
      assert.equal(shown.has_client_secret, true);
      assert.ok(!JSON.stringify([shown, await expect(house, 200, 'GET', '/settings')]).includes('of+kith'));
      assert.equal((await expect(house, 200, 'GET', '/session/methods', { token: null })).single_sign_on, '公司账号');
      await refused(house, 422, 'unprocessable', 'PUT', '/settings/access.single_sign_on', { body: { value: {} } });

      const jar = {};
      assert.equal((await signIn('u-mei', jar)).url, `${home}/`);
      const cookie = jar[`127.0.0.1:${house.port}`].kith_session;
      const { user } = await expect(house, 200, 'GET', '/session', { token: cookie });
      assert.deepEqual([user.login, user.name, user.roles], ['mei@kith.test', '梅', ['operator']]);
      const boss = {};
      await signIn('u-boss', boss);
      const held = await expect(house, 200, 'GET', '/session', { token: boss[`127.0.0.1:${house.port}`].kith_session });
      assert.deepEqual(held.user.roles, ['operator', 'developer']);
      // No password opens such an account.
      await refused(house, 401, 'unauthenticated', 'POST', '/session', { token: null, body: { login: 'mei@kith.test', password: '' } });
      // What the provider says of her gives no role.
      assert.equal((await signIn('u-none')).answer.status, 403);
      // Disabled here is disabled.
      await expect(house, 200, 'PUT', '/users/mei@kith.test', { body: { disabled: true } });
      assert.equal((await signIn('u-mei')).answer.status, 403);

      // A callback that did not begin here, with another's state, or twice.
      server.who = 'u-boss';
      const mine = {};
      const { url } = await follow(begin, mine, atCallback);
      assert.equal((await follow(url, {}, () => false)).answer.status, 401);
      const other = {};
      await follow(begin, other, atCallback);
      assert.equal((await follow(url, other, () => false)).answer.status, 401);
      const [state] = /state=([^&]+)/.exec(url).slice(1);
      assert.equal((await follow(url.replace(state, randomBytes(32).toString('base64url')), mine, () => false)).answer.status, 401);
      assert.equal((await follow(url, { ...mine }, (at) => at === `${home}/`)).url, `${home}/`);
      assert.equal((await follow(url, mine, () => false)).answer.status, 503, 'the provider takes a code once');
      // Over TLS its cookie is of this host alone, and no other name is taken.
      const secure = { 'x-forwarded-proto': 'https' };
      const flow = (await ask(house, 'GET', '/session/single-sign-on', { token: null, headers: secure, unchecked: true })).headers['set-cookie'][0];
      assert.match(flow, /^__Host-kith_single_sign_on=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/);
      const back = await follow(`${begin}`, {}, atCallback);
      const plain = { cookie: flow.split(';')[0].replace('__Host-', '') };
      assert.equal((await ask(house, 'GET', new URL(back.url).pathname + new URL(back.url).search, { token: null, headers: { ...secure, ...plain }, unchecked: true, base: '' })).status, 401);
      // An account that is here already is not taken over.
      await expect(house, 200, 'DELETE', '/users/boss@kith.test', {}).catch(() => {});
      await expect(house, 200, 'PUT', '/users/boss@kith.test', { body: { roles: ['analyst'], password } });
      assert.equal((await signIn('u-boss')).answer.status, 409);
      await expect(house, 200, 'PUT', '/users/boss@kith.test', { body: { subject: `http://127.0.0.1:${port} u-boss` } });
      assert.equal((await signIn('u-boss')).url, `${home}/`);
    } finally {
      server.closeAllConnections();
      server.close();
      await house.remove();
    }
  });
}
