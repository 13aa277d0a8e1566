// SPDX-License-Identifier: Apache-2.0
// Every route of the API once and more, against the real binary; each answer is held against openapi.json.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, operations, refused, seen, track, users } from './support.mjs';

let kith, tokens, shop, page;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
});
after(async () => kith?.remove());
const real = { skip: missingBinary };

test('health, readiness, metrics, document', real, async () => {
  const options = { base: '', token: null };
  await expect(kith, 200, 'GET', '/healthz', options);
  await expect(kith, 200, 'GET', '/readyz', options);
  const metrics = await expect(kith, 200, 'GET', '/metrics', options);
  assert.match(metrics, /^kith_http_requests_total \d+$/m);
  assert.match(metrics, /^kith_arena_bytes\{arena="request"\} \d+$/m);
  for (const line of metrics.trimEnd().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{[^}]*\})? -?[\d.e+Inf]+)$/);
  const document = await expect(kith, 200, 'GET', '/openapi.json', { token: null });
  assert.equal(document.openapi, '3.1.0');
  await expect(kith, 200, 'HEAD', '/api/v1/openapi.json', { token: null });
});

test('users, tokens, sources', real, async () => {
  tokens = await users(kith);
  const list = await expect(kith, 200, 'GET', '/users');
  assert.deepEqual(list.items.map((user) => user.login).sort(), ['admin', 'operator', 'viewer']);
  const session = await expect(kith, 200, 'GET', '/session', { token: tokens.viewer });
  assert.equal(session.user.role, 'viewer');
  assert.equal(session.server.may_reveal, false);
  const mine = await expect(kith, 200, 'GET', '/tokens', { token: tokens.viewer });
  assert.ok(mine.items.length >= 2 && mine.items.every((token) => token.login === 'viewer'));
  const spare = await expect(kith, 201, 'POST', '/tokens', {
    token: tokens.viewer,
    body: { name: 'spare', expires_at: '2099-01-01T00:00:00Z' },
  });
  await expect(kith, 204, 'DELETE', `/tokens/${spare.prefix}`, { token: tokens.viewer });
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', { token: spare.token });
  await refused(kith, 404, 'not_found', 'DELETE', '/tokens/00000000', { token: tokens.viewer });
  await refused(kith, 422, 'unprocessable', 'POST', '/tokens', { body: { name: '' } });
  await refused(kith, 422, 'unprocessable', 'POST', '/tokens', { body: { name: 'x', expires_at: '2001-01-01' } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/users/new', { body: { name: 'no password' } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/users/new', { body: { role: 'king', password: 'a long password 1' } });
  for (const password of ['short', 'password123', '12345678', 'aaaaaaaa', 'qwertyuiop'])
    await refused(kith, 422, 'unprocessable', 'PUT', '/users/new', { body: { role: 'viewer', password } });
  await refused(kith, 409, 'conflict', 'PUT', '/users/admin', { body: { disabled: true } });

  shop = await expect(kith, 201, 'POST', '/sources', {
    body: { key: 'shop', name: 'Shop', kind: 'server', protocol: 'segment', channel: 'tmall' },
  });
  assert.match(shop.write_key, /^ks_[0-9a-f]{32}$/);
  page = await expect(kith, 201, 'POST', '/sources', { body: { key: 'page', kind: 'public' } });
  assert.match(page.write_key, /^kp_/);
  await refused(kith, 409, 'conflict', 'POST', '/sources', { body: { key: 'shop', kind: 'server' } });
  await refused(kith, 422, 'unprocessable', 'POST', '/sources', { body: { key: 'Bad Key', kind: 'server' } });
  await refused(kith, 422, 'unprocessable', 'POST', '/sources', { body: { key: 'x1', kind: 'secret' } });
  await refused(kith, 404, 'not_found', 'GET', '/sources/none');
  const shown = await expect(kith, 200, 'GET', '/sources/shop');
  assert.equal(shown.write_key, null);
  assert.equal((await expect(kith, 200, 'GET', '/sources/page')).write_key, page.write_key);
  const listed = await expect(kith, 200, 'GET', '/sources', { token: tokens.viewer });
  assert.equal(listed.items.length, 2);
  const renamed = await expect(kith, 200, 'PUT', '/sources/page', { body: { name: 'H5', strict: false } });
  assert.equal(renamed.name, 'H5');
  const rotated = await expect(kith, 200, 'POST', '/sources/shop/rotate');
  await refusedKey(shop.write_key);
  shop.write_key = rotated.write_key;
  const signed = await expect(kith, 200, 'POST', '/sources/page/signing-secret');
  assert.match(signed.signing_secret, /^[0-9a-f]{32}$/);
  assert.equal((await expect(kith, 200, 'GET', '/sources/page')).signing, true);
});

async function refusedKey(key) {
  const answer = await ask(kith, 'POST', '/v1/track', {
    base: '',
    token: null,
    unchecked: true,
    body: track('nobody', 'X'),
    headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
  });
  assert.equal(answer.status, 401);
}

test('customers: by identifier, search, timeline, graph, explanation', real, async () => {
  await kith.batch(shop.write_key, [
    identify('u1', { phone: '13987651234', email: 'li.lei@huazhixiao.cn', name: '李雷', city: '上海' }, { anonymousId: 'a1' }),
    track('u1', 'Order Paid', { order_id: 'o1', revenue: '99.50', currency: 'CNY', receiver_phone: '13800138000' }),
    track('u1', 'Product Viewed', { product_id: 'p1' }),
  ]);
  const found = await expect(kith, 200, 'GET', '/customers/by/user_id/u1', { token: tokens.viewer });
  assert.equal(found.name, '李雷');
  assert.equal(found.traits.phone, '139****1234');
  assert.equal(found.traits.email, 'l***@huazhixiao.cn');
  assert.equal(found.summary.orders, 1);
  assert.equal(found.summary.revenue, 9950);
  const mobile = found.identifiers.find((one) => one.type === 'mobile');
  assert.equal(mobile?.value, '139****1234');
  const same = await expect(kith, 200, 'GET', `/customers/${found.one_id}`, { token: tokens.viewer });
  assert.equal(same.one_id, found.one_id);
  const byPhone = await expect(kith, 200, 'GET', '/customers/by/mobile/139%208765%201234');
  assert.equal(byPhone.one_id, found.one_id);
  await refused(kith, 404, 'not_found', 'GET', '/customers/by/mobile/139****1234');
  await refused(kith, 404, 'not_found', 'GET', '/customers/by/user_id/nobody');
  await refused(kith, 404, 'not_found', 'GET', '/customers/c_0000000000000');
  await refused(kith, 400, 'invalid', 'GET', '/customers/by/user_id/%ff');
  await refused(kith, 400, 'invalid', 'GET', `/customers/${found.one_id}?colour=red`);

  for (const query of ['u1', '13987651234', '1234', '李雷', found.one_id, 'a1', 'li.lei@huazhixiao.cn']) {
    const list = await expect(kith, 200, 'GET', `/customers?query=${encodeURIComponent(query)}`);
    assert.deepEqual(list.items.map((one) => one.one_id), [found.one_id], `query ${query}`);
  }
  for (const query of ['雷', '李', 'u1&trait.city=上海', '李雷&trait.city=上海', '李雷&identifier_type=mobile']) {
    const list = await expect(kith, 200, 'GET', encodeURI(`/customers?query=${query}`));
    assert.deepEqual(list.items.map((one) => one.one_id), [found.one_id], `query ${query}`);
    assert.equal(list.partial, false);
  }
  for (const query of ['雷李', 'u1&trait.city=北京', '李雷&trait.city=北京', 'u1&identifier_type=wx_unionid', '上海'])
    assert.equal((await expect(kith, 200, 'GET', encodeURI(`/customers?query=${query}`))).items.length, 0, `query ${query}`);
  await refused(kith, 400, 'invalid', 'GET', '/customers?trait.city=');
  const city = await expect(kith, 200, 'GET', `/customers?trait.city=${encodeURIComponent('上海')}`);
  assert.equal(city.items.length, 1);
  assert.equal((await expect(kith, 200, 'GET', '/customers?trait.city=nowhere')).items.length, 0);
  assert.equal((await expect(kith, 200, 'GET', '/customers?identifier_type=email')).items.length, 1);

  const timeline = await expect(kith, 200, 'GET', `/customers/${found.one_id}/events`);
  assert.deepEqual(new Set(timeline.items.map((one) => one.type)), new Set(['Order Paid', 'Product Viewed', 'Identify']));
  const paid = timeline.items.find((one) => one.type === 'Order Paid');
  assert.equal(paid.props.receiver_phone, '138****8000');
  assert.equal(paid.channel, 'tmall');
  const viewed = await expect(kith, 200, 'GET', `/customers/${found.one_id}/events?type=Product%20Viewed&source=shop&channel=tmall`);
  assert.equal(viewed.items.length, 1);
  await refused(kith, 400, 'invalid', 'GET', `/customers/${found.one_id}/events?source=none`);
  const graph = await expect(kith, 200, 'GET', `/customers/${found.one_id}/graph`);
  assert.ok(graph.nodes.length >= 4 && graph.links.length >= 3);
  const explained = await expect(kith, 200, 'GET', `/customers/${found.one_id}/explain`);
  assert.ok(explained.sentences.length >= 3);
  const phone = explained.sentences.find((one) => one.en.includes('Mobile 139****1234'));
  assert.match(phone.zh, /^\d{4}年\d\d月\d\d日，手机号 139\*\*\*\*1234 与 用户 ID u1 同时出现（来源：.+）$/);
});

test('reveal: by right, and in the audit', real, async () => {
  const options = { token: tokens.operator };
  const masked = await expect(kith, 200, 'GET', '/customers/by/user_id/u1', options);
  const whole = await expect(kith, 200, 'GET', '/customers/by/user_id/u1?reveal=true', options);
  assert.equal(whole.traits.phone, '13987651234');
  assert.equal(whole.identifiers.find((one) => one.type === 'mobile').value, '+8613987651234');
  await refused(kith, 403, 'forbidden', 'GET', '/customers/by/user_id/u1?reveal=true', { token: tokens.viewer });
  const id = masked.one_id;
  for (const path of [`/customers/${id}/events`, `/customers/${id}/graph`, `/customers/${id}/merges`,
    `/customers/${id}/explain`, '/customers', '/quarantine', '/identity/refusals'])
    await expect(kith, 200, 'GET', `${path}?reveal=true`, options);
  const events = await expect(kith, 200, 'GET', `/customers/${id}/events?reveal=true&type=Order%20Paid`, options);
  assert.equal(events.items[0].props.receiver_phone, '13800138000');
  const audit = await expect(kith, 200, 'GET', '/audit?action=values.reveal');
  assert.equal(audit.items.length, 9);
  assert.ok(audit.items.every((line) => line.user === 'operator'));
  assert.equal((await expect(kith, 200, 'GET', '/audit?user=nobody')).items.length, 0);
});

test('merge, split, consent', real, async () => {
  await kith.batch(shop.write_key, [identify('m1', { name: 'One' }), identify('m2', { name: 'Two' })]);
  const one = await expect(kith, 200, 'GET', '/customers/by/user_id/m1');
  const two = await expect(kith, 200, 'GET', '/customers/by/user_id/m2');
  assert.notEqual(one.one_id, two.one_id);
  const options = { token: tokens.operator };
  const merged = await expect(kith, 200, 'POST', `/customers/${two.one_id}/merge`, { ...options, body: { other: one.one_id } });
  assert.equal(merged.one_id, one.one_id);
  const now = await expect(kith, 200, 'GET', `/customers/${two.one_id}`);
  assert.equal(now.one_id, one.one_id);
  const merges = await expect(kith, 200, 'GET', `/customers/${one.one_id}/merges`);
  assert.equal(merges.items.length, 1);
  assert.equal(merges.items[0].cause, 'manual');
  await refused(kith, 404, 'not_found', 'POST', `/customers/${one.one_id}/split`, { ...options, body: { merge_id: 999999 } });
  await refused(kith, 422, 'unprocessable', 'POST', `/customers/${one.one_id}/split`, { ...options, body: {} });
  const split = await expect(kith, 200, 'POST', `/customers/${one.one_id}/split`, {
    ...options,
    body: { merge_id: merges.items[0].id },
  });
  assert.deepEqual(new Set([split.customer.one_id, split.other.one_id]), new Set([one.one_id, two.one_id]));
  await refused(kith, 409, 'conflict', 'POST', `/customers/${one.one_id}/split`, {
    ...options,
    body: { merge_id: merges.items[0].id },
  });
  await refused(kith, 422, 'unprocessable', 'POST', `/customers/${one.one_id}/merge`, { ...options, body: { other: 'nobody' } });
  const consent = await expect(kith, 200, 'PUT', `/customers/${one.one_id}/consent/marketing_sms`, {
    ...options,
    body: { granted: true, evidence: 'signed at the counter' },
  });
  assert.equal(consent.state, 'granted');
  const withdrawn = await expect(kith, 200, 'PUT', `/customers/${one.one_id}/consent/marketing_sms`, {
    ...options,
    body: { granted: false },
  });
  assert.equal(withdrawn.state, 'withdrawn');
  const seenNow = await expect(kith, 200, 'GET', `/customers/${one.one_id}`);
  assert.equal(seenNow.consent.marketing_sms.state, 'withdrawn');
  await refused(kith, 422, 'unprocessable', 'PUT', `/customers/${one.one_id}/consent/marketing_sms`, { ...options, body: { granted: 'yes' } });
  await refused(kith, 422, 'unprocessable', 'PUT', `/customers/${one.one_id}/consent/Bad%20Purpose`, { ...options, body: { granted: true } });
});

test('identity: types, what-if, refusals, suggestions, link rate', real, async () => {
  const types = await expect(kith, 200, 'GET', '/identity/types', { token: tokens.viewer });
  const mobile = types.items.find((type) => type.name === 'mobile');
  assert.equal(mobile.limit, 3);
  const changed = await expect(kith, 200, 'PUT', '/identity/types/mobile', { body: { limit: 2, label: { zh: '手机', en: 'Phone' } } });
  assert.equal(changed.limit, 2);
  assert.equal(changed.label.en, 'Phone');
  await refused(kith, 422, 'unprocessable', 'PUT', '/identity/types/mobile', { body: { limit: -1 } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/identity/types/mobile', { body: { blocked_patterns: ['('] } });
  await kith.batch(shop.write_key, [
    identify('r1', { phone: '13987650001' }),
    identify('r1', { phone: '13987650002' }),
    identify('r1', { phone: '13987650003' }),
    identify('r1', { phone: '13987650004' }),
  ]);
  const refusals = await until('a refusal', async () => {
    const list = await expect(kith, 200, 'GET', '/identity/refusals?status=open');
    return list.items.length > 0 && list;
  });
  const values = refusals.items.flatMap((one) => [one.identifier?.value, one.with?.value]);
  assert.ok(values.some((value) => value === '139****0003' || value === '139****0004'), values.join());
  const id = refusals.items[0].id;
  const decided = await expect(kith, 200, 'POST', `/identity/refusals/${id}/decide`, {
    token: tokens.operator,
    body: { decision: 'dismiss' },
  });
  assert.equal(decided.status, 'dismissed');
  await refused(kith, 422, 'unprocessable', 'POST', `/identity/refusals/${id}/decide`, { body: { decision: 'maybe' } });
  await refused(kith, 404, 'not_found', 'POST', '/identity/refusals/99999999/decide', { body: { decision: 'merge' } });
  assert.ok((await expect(kith, 200, 'GET', '/identity/refusals?status=decided')).items.some((one) => one.id === id));
  await refused(kith, 400, 'invalid', 'GET', '/identity/refusals?status=odd');
  await expect(kith, 200, 'POST', '/identity/whatif', {
    token: tokens.operator,
    body: { types: [{ name: 'mobile', limit: 10 }] },
  });
  await refused(kith, 422, 'unprocessable', 'POST', '/identity/whatif', { body: {} });
  const applied = await expect(kith, 200, 'POST', '/identity/apply');
  assert.equal(typeof applied.merges, 'number');
  await expect(kith, 200, 'GET', '/identity/suggestions?limit=10');
  await kith.flushed();
  const rate = await until('the link rate', async () => {
    const list = await expect(kith, 200, 'GET', '/identity/link-rate');
    return list.items.length > 0 && list;
  });
  assert.equal(rate.items[0].channel, 'tmall');
  assert.equal(rate.items[0].rate, rate.items[0].linked / rate.items[0].customers);
});

test('plan, traits, quarantine', real, async () => {
  await kith.batch(shop.write_key, [track('u1', 'Lipstick Tried', { shade: 'ruby', minutes: 3 })]);
  const learnt = await until('the plan to have learnt', async () => {
    const list = await expect(kith, 200, 'GET', '/plan/events', { token: tokens.viewer });
    return list.items.find((event) => event.name === 'Lipstick Tried');
  });
  assert.ok(learnt.properties.some((property) => property.name === 'shade'));
  await expect(kith, 200, 'GET', '/plan/events/Lipstick%20Tried');
  await refused(kith, 404, 'not_found', 'GET', '/plan/events/Never%20Seen');
  const planned = await expect(kith, 200, 'PUT', '/plan/events/Lipstick%20Tried', {
    token: tokens.operator,
    body: {
      status: 'planned',
      description: 'at the counter',
      properties: [{ name: 'shade', type: 'text', required: true, values: ['ruby', 'coral'] }],
    },
  });
  assert.equal(planned.status, 'planned');
  await refused(kith, 422, 'unprocessable', 'PUT', '/plan/events/Lipstick%20Tried', { body: { properties: [{ name: 'shade', type: 'colour' }] } });
  await kith.batch(shop.write_key, [
    track('u1', 'Lipstick Tried', { shade: 'green', receiver_phone: '13800138000' }),
    track('u1', 'Lipstick Tried', {}),
  ]);
  const waiting = await until('two in quarantine', async () => {
    const list = await expect(kith, 200, 'GET', '/quarantine?status=waiting');
    return list.items.length === 2 && list;
  });
  assert.deepEqual(new Set(waiting.items.map((one) => one.reason)), new Set(['not_in_list', 'missing_property']));
  assert.ok(!JSON.stringify(waiting).includes('13800138000'));
  const summary = await expect(kith, 200, 'GET', '/quarantine/summary');
  assert.equal(summary.items.reduce((sum, group) => sum + group.count, 0), 2);
  assert.equal((await expect(kith, 200, 'GET', '/quarantine?reason=not_in_list&source=shop&type=Lipstick%20Tried')).items.length, 1);
  await refused(kith, 400, 'invalid', 'GET', '/quarantine?status=odd');
  await refused(kith, 422, 'unprocessable', 'POST', '/quarantine/replay', { token: tokens.operator, body: {} });
  await expect(kith, 200, 'PUT', '/plan/events/Lipstick%20Tried', {
    body: { properties: [{ name: 'shade', type: 'text', required: true, values: ['ruby', 'coral', 'green'] }] },
  });
  const replayed = await expect(kith, 200, 'POST', '/quarantine/replay', {
    token: tokens.operator,
    body: { reason: 'not_in_list', source: 'shop' },
  });
  assert.equal(replayed.replayed, 1);
  const oneWaits = (what) => until(what, async () => {
    const list = await expect(kith, 200, 'GET', '/quarantine?status=waiting');
    return list.items.length === 1 && list;
  });
  const lacking = await oneWaits('one left');
  const ids = [lacking.items[0].id];
  await refused(kith, 422, 'unprocessable', 'POST', '/quarantine/replay', { body: { ids, correction: { time: 'soon' } } });
  const corrected = await expect(kith, 200, 'POST', '/quarantine/replay', {
    token: tokens.operator,
    body: { ids, correction: { set: { shade: 'coral' } } },
  });
  assert.equal(corrected.replayed, 1);
  await until('none left', async () => {
    const list = await expect(kith, 200, 'GET', '/quarantine?status=waiting');
    return list.items.length === 0;
  });
  const customer = await expect(kith, 200, 'GET', '/customers/by/user_id/u1');
  const timeline = await expect(kith, 200, 'GET', `/customers/${customer.one_id}/events?type=Lipstick%20Tried`);
  assert.ok(timeline.items.some((event) => event.props.shade === 'coral'));
  await kith.batch(shop.write_key, [track('u1', 'Lipstick Tried', {})]);
  const rest = await oneWaits('another to discard');
  const discarded = await expect(kith, 200, 'POST', '/quarantine/discard', {
    token: tokens.operator,
    body: { ids: [rest.items[0].id] },
  });
  assert.equal(discarded.discarded, 1);
  const traits = await expect(kith, 200, 'GET', '/traits');
  assert.ok(traits.items.some((trait) => trait.name === 'city'));
  const trait = await expect(kith, 200, 'PUT', '/traits/city', {
    token: tokens.operator,
    body: { precedence: 'oldest', description: 'where she lives' },
  });
  assert.equal(trait.precedence, 'oldest');
  await refused(kith, 422, 'unprocessable', 'PUT', '/traits/city', { body: { precedence: 'loudest' } });
});

test('live events', real, async () => {
  const first = await expect(kith, 200, 'GET', '/events/live', { token: tokens.viewer });
  assert.ok(first.items.length > 0);
  await kith.batch(shop.write_key, [track('live1', 'Seen Live', { phone: '13987651234' })]);
  const next = await until('the event to be told', async () => {
    const list = await expect(kith, 200, 'GET', `/events/live?after=${first.next_after}&type=Seen%20Live&outcome=applied`);
    return list.items.length === 1 && list.items[0];
  });
  assert.equal(next.source, 'shop');
  assert.equal(next.created, true);
  assert.ok(!next.raw.includes('13987651234'));
  const customer = await expect(kith, 200, 'GET', '/customers/by/user_id/live1');
  assert.equal(next.one_id, customer.one_id);
  await refused(kith, 400, 'invalid', 'GET', '/events/live?outcome=odd');
  await refused(kith, 400, 'invalid', 'GET', '/events/live?after=x');
});

test('system, overview, settings, clock', real, async () => {
  const system = await expect(kith, 200, 'GET', '/system', { token: tokens.viewer });
  const servers = await expect(kith, 200, 'GET', '/servers', { token: tokens.viewer });
  assert.deepEqual(servers.items.map((one) => [one.role, one.state, one.ready, one.this, one.version]), [['active', 'up', true, true, system.version]]);
  assert.ok(system.counts.customers > 0 && system.engine.applied_seq > 0);
  const overview = await expect(kith, 200, 'GET', '/overview', { token: tokens.viewer });
  assert.equal(overview.by_hour.length, 24);
  assert.equal(overview.customers, system.counts.customers);
  await refused(kith, 404, 'not_found', 'GET', '/settings/brand');
  const setting = await expect(kith, 200, 'PUT', '/settings/brand', { body: { value: { name: '花知晓', colours: ['#fff'] } } });
  assert.equal(setting.value.name, '花知晓');
  assert.deepEqual(await expect(kith, 200, 'GET', '/settings/brand'), setting);
  assert.equal((await expect(kith, 200, 'GET', '/settings')).items.length, 1);
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/brand', { body: {} });
  await refused(kith, 409, 'conflict', 'POST', '/clock', { body: { advance: '3d' } });
});

test('what is malformed or nowhere', real, async () => {
  await refused(kith, 404, 'not_found', 'GET', '/nothing');
  await refused(kith, 404, 'not_found', 'GET', '/customers/x/y/z/w');
  for (const value of ['Asia/Nowhere', '../../etc/passwd', '', 8, null])
    await refused(kith, 422, 'unprocessable', 'PUT', '/settings/workspace.zone', { body: { value } });
  for (const value of ['soon', '-1h', '401d', '', 24, null]) {
    const problem = await refused(kith, 422, 'unprocessable', 'PUT', '/settings/journeys.late_event', { body: { value } });
    assert.match(problem.hint, /24h/);
  }
  for (const zone of ['UTC', 'Asia/Shanghai']) {
    await expect(kith, 200, 'PUT', '/settings/workspace.zone', { body: { value: zone } });
    assert.equal((await expect(kith, 200, 'GET', '/session')).server.zone, zone);
  }
  const wrong = await ask(kith, 'PATCH', '/settings/brand');
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.allow, 'GET, PUT');
  await refused(kith, 405, 'method_not_allowed', 'DELETE', '/overview');
  await refused(kith, 400, 'invalid', 'PUT', '/settings/brand', { body: '{"value":' });
  await refused(kith, 400, 'invalid', 'PUT', '/settings/brand', { body: '[1]' });
  await refused(kith, 400, 'invalid', 'PUT', '/settings/brand', { body: '' });
  await refused(kith, 400, 'invalid', 'PUT', '/settings/brand', { body: Buffer.from('{"value":"\xff"}', 'latin1') });
  await refused(kith, 400, 'invalid', 'PUT', '/settings/brand', { body: `{"value":${'['.repeat(5000)}${']'.repeat(5000)}}` });
  await refused(kith, 413, 'too_large', 'PUT', '/settings/brand', { body: `{"value":"${'x'.repeat(2_000_000)}"}` });
  for (const limit of ['0', '501', 'x', '-1']) await refused(kith, 400, 'invalid', 'GET', `/customers?limit=${limit}`);
  await refused(kith, 400, 'invalid', 'GET', '/customers?cursor=abc');
  await refused(kith, 400, 'invalid', 'GET', '/customers?query=%zz');
  const none = await ask(kith, 'GET', '/overview', { token: null });
  assert.equal(none.status, 401);
  assert.equal(none.headers['cache-control'], 'no-store');
});

test('signing out ends it; the stream speaks', real, async () => {
  const password = 'correct horse viewer 9';
  const session = await ask(kith, 'POST', '/session', { token: null, body: { login: 'viewer', password } });
  const cookie = session.headers['set-cookie'][0].split(';')[0];
  const options = { token: null, headers: { cookie, 'x-kith-request': '1' } };
  await expect(kith, 204, 'PUT', '/session/password', { ...options, body: { current: password, password: 'another horse 10' } });
  await refused(kith, 403, 'forbidden', 'PUT', '/session/password', { ...options, body: { current: password, password: 'another horse 11' } });
  await expect(kith, 204, 'DELETE', '/session', options);
  await refused(kith, 401, 'unauthenticated', 'GET', '/session', options);
});

test('a parameter that is there twice is refused: nobody guesses which one counts', real, async () => {
  const answer = await refused(kith, 400, 'invalid', 'GET', '/customers?limit=1&%6Cimit=2');
  assert.match(answer.detail, /'limit' is there twice/);
  await expect(kith, 200, 'GET', '/customers?trait.city=a&trait.city=b');
});

test('every route was asked, and answered as promised', real, async () => {
  // live.test.mjs, session.test.mjs, crash/backup.test.mjs, segments.test.mjs; scope.test.mjs; feeds.test.mjs; privacy.test.mjs
  const elsewhere = new Set(['streamLiveEvents', 'advanceClock', 'listBackups', 'createBackup', 'listCustomerMemberships',
    'findCustomers', 'listViews', 'putView', 'deleteView', 'getToday', 'listFeeds', 'getFeed', 'putFeed', 'deleteFeed',
    'listSinks', 'getSink', 'putSink', 'deleteSink', 'addIdentifier']);
  // imports, segments, tags, journeys, touches, teams and access have tests of their own
  const theirs = new Set(['access', 'sign-in', 'teams', 'imports', 'objects', 'audience', 'journeys', 'touches', 'privacy']);
  const missing = operations.filter((one) => !theirs.has(one.operation.tags[0])).map((one) => one.id)
    .filter((id) => !seen.operations.has(id) && !elsewhere.has(id));
  assert.deepEqual(missing, []);
  for (const code of ['invalid', 'unauthenticated', 'forbidden', 'not_found', 'method_not_allowed', 'conflict',
    'too_large', 'unprocessable'])
    assert.ok(seen.codes.has(code), `no answer had the code ${code}`);
});
