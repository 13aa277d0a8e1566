// SPDX-License-Identifier: Apache-2.0
// Touches by API: templates, accounts, policy, sending to a receiver, the red button, consent, tasks, coupons, links.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { Receiver } from '../support/receiver.mjs';

const skip = missingBinary;
let kith, receiver, key, ids;

const people = 40;
const send = (body) => kith.post('/touches', body);
const touch = (id) => kith.get(`/touches/${id}`);
const status = (id, wanted) =>
  until(`touch ${id} to be ${wanted}`, async () => {
    const one = await touch(id);
    return one.status === wanted && one;
  });

before(async () => {
  if (skip) return;
  receiver = await Receiver.start();
  kith = await Kith.start();
  key = (await kith.source('shop')).write_key;
  const batch = Array.from({ length: people }, (_, n) => ({
    type: 'identify', messageId: `id-${n}`, userId: `u${n}`,
    traits: { city: '上海', phone: `138001380${String(n).padStart(2, '0')}` },
    timestamp: new Date().toISOString(),
  }));
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch }),
  });
  assert.equal(answer.status, 200);
  await kith.settled();
  ids = [];
  for (let n = 0; n < people; n++) ids.push((await kith.get(`/customers/by/user_id/u${n}`)).one_id);
  await kith.put('/channels/hook', { kind: 'webhook', settings: { url: receiver.url, allow_private: true, signing_secret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' } });
  await kith.put('/templates/hello', {
    name: 'hello', channel: 'webhook', parts: { text: 'Hi {{ customer.city }} {{ event.item }}', who: '{{ one_id }}', go: '{{ links.shop }}' },
    links: { shop: 'https://shop.example/618' },
  });
});
after(async () => {
  await kith?.remove();
  await receiver?.stop();
});

test('what is sent arrives, once, rendered, and its whole story can be read', { skip }, async () => {
  const answer = await send({ customers: [ids[0]], template: 'hello', purpose: 'service', key: 'first', context: { event: { item: '面霜' } } });
  assert.equal(answer.items[0].status, 'queued');
  const one = await status(answer.items[0].id, 'delivered');
  const got = receiver.got.get(one.idempotency_key);
  assert.equal(got.count, 1);
  assert.match(got.body, /Hi 上海 面霜/);
  assert.ok(got.body.includes(ids[0]));
  assert.deepEqual(one.steps.map((step) => step.status), ['queued', 'sending', 'sent', 'delivered']);
  const again = await send({ customers: [ids[0]], template: 'hello', purpose: 'service', key: 'first' });
  assert.equal(again.items[0].id, answer.items[0].id, 'the same request is the same touch');
  const hers = await kith.get(`/touches?customer=${ids[0]}`);
  assert.deepEqual(hers.items.map((item) => item.id), [answer.items[0].id]);
  const events = await until('the event of it', async () => {
    const page = await kith.get(`/customers/${ids[0]}/events`);
    return page.items.some((event) => event.type === '$touch') && page;
  });
  assert.ok(events.items.filter((event) => event.type === '$touch').length >= 1);
});

test('without consent nothing goes out; a transactional message does', { skip }, async () => {
  const marketing = await send({ customers: [ids[1]], template: 'hello', context: { event: { item: 'x' } } });
  assert.equal(marketing.items[0].status, 'suppressed');
  assert.equal(marketing.items[0].reason, 'no_consent');
  const transactional = await send({ customers: [ids[1]], template: 'hello', transactional: true, context: { event: { item: 'x' } } });
  assert.equal(transactional.items[0].status, 'queued');
  const reach = await kith.get(`/customers/${ids[1]}/reach`);
  assert.deepEqual(reach.items.map(({ channel, reachable, reason }) => ({ channel, reachable, reason })),
    [{ channel: 'webhook', reachable: false, reason: 'no_consent' }]);
});

test('the language of templates is served as it is', { skip }, async () => {
  const catalogue = await kith.get('/templates/catalogue');
  assert.ok(catalogue.filters.some((one) => one.name === 'truncate' && one.arguments_min === 1 && one.about.zh && one.about.en));
  assert.ok(catalogue.tags.some((one) => one.name === 'for'));
  // each example is one that the server takes
  const parts = Object.fromEntries(catalogue.filters.map((one) => [one.name, `{{ ${one.example} }}`]));
  await kith.put('/templates/every_filter', { name: 'every filter', channel: 'webhook', parts });
  await kith.api('DELETE', '/templates/every_filter');
});

test('a template that fails for one customer fails for her alone', { skip }, async () => {
  const answer = await send({ customers: [ids[2], ids[3]], template: 'hello', purpose: 'service' });
  for (const item of answer.items) {
    const one = await status(item.id, 'failed');
    assert.equal(one.reason, 'render_failed');
    assert.match(one.steps.at(-1).detail, /event\.item/);
  }
});

test('S34 the red button stops all, and lets go on', { skip }, async () => {
  await kith.post('/stop', { scope: 'all', why: 'wrong price' });
  const before = receiver.requests;
  const answer = await send({ customers: ids.slice(4, 24), template: 'hello', purpose: 'service', context: { event: { item: 'x' } } });
  assert.ok(answer.items.every((item) => item.status === 'held' && item.reason === 'stopped'));
  assert.equal((await kith.get('/stop')).items[0].why, 'wrong price');
  assert.equal(receiver.requests, before);
  await kith.post('/stop', { scope: 'all', active: false });
  for (const item of answer.items) await status(item.id, 'delivered');
});

test('S20 consent withdrawn pulls what waits', { skip }, async () => {
  await kith.post('/stop', { scope: 'account', value: 'hook' });
  const answer = await send({ customers: [ids[25]], template: 'hello', purpose: 'service', context: { event: { item: 'x' } } });
  assert.equal(answer.items[0].status, 'held');
  const one = await touch(answer.items[0].id);
  const url = `${kith.url}/u/${one.idempotency_key}`;
  const page = await fetch(url);
  assert.match(await page.text(), /<form method="post">/);
  assert.equal((await touch(answer.items[0].id)).status, 'held', 'a scanner that follows the link changes nothing');
  assert.equal((await fetch(url, { method: 'POST' })).status, 200);
  const pulled = await touch(answer.items[0].id);
  assert.equal(pulled.status, 'suppressed');
  assert.match(pulled.reason, /channel_refused|unsubscribed/);
  await kith.post('/stop', { scope: 'account', value: 'hook', active: false });
  assert.equal((await fetch(`${kith.url}/u/${'0'.repeat(32)}`)).status, 404);
});

test('secrets are never shown again, and stay when they are not given', { skip }, async () => {
  const shown = await kith.get('/channels/hook');
  assert.deepEqual(shown.settings.signing_secret, { is_set: true });
  await kith.put('/channels/hook', { kind: 'webhook', settings: { url: receiver.url, allow_private: true } });
  assert.deepEqual((await kith.get('/channels/hook')).settings.signing_secret, { is_set: true });
  const answer = await send({ customers: [ids[26]], template: 'hello', purpose: 'service', context: { event: { item: 'x' } } });
  const one = await status(answer.items[0].id, 'delivered');
  assert.ok(receiver.got.get(one.idempotency_key).headers['webhook-signature'], 'it is still signed');
  assert.ok(!JSON.stringify(await kith.get('/audit')).includes('whsec_'));
});

test('refused with the place: templates, policies, unknown accounts', { skip }, async () => {
  const refusal = async (method, path, body, code, pointer) => {
    const problem = await kith.api(method, path, body).then(() => assert.fail(path), (error) => error);
    assert.equal(problem.status, code, problem.message);
    if (pointer) assert.equal(problem.body.errors[0].pointer, pointer);
  };
  await refusal('PUT', '/templates/bad', { channel: 'sms', parts: { text: '{{ customer.' } }, 422, '/parts/text');
  await refusal('PUT', '/policy', { frequency: [{ max: 1 }] }, 422, '/frequency/0');
  await refusal('PUT', '/channels/x', { kind: 'pigeon', settings: {} }, 422, '/kind');
  await refusal('POST', '/touches', { customers: [ids[0]], template: 'none' }, 422, '/template');
  await refusal('GET', '/touches/99999999', undefined, 404);
});

test('a draft of the policy is tried on what went and what waits, and nothing moves', { skip }, async () => {
  const before = await kith.get('/policy'), touches = (await kith.get('/touches?limit=500')).items.length;
  const found = await kith.post('/policy/preview?days=30', { frequency: [{ name: 'none at all', per: 'all', max: 0, window: '7d' }] });
  assert.ok(found.touches > 0 && found.touches <= touches, `${found.touches} of ${touches}`);
  assert.equal(found.one_in, 1);
  assert.equal(found.draft.went, 1, 'the transactional one');
  assert.equal(found.draft.stopped, found.touches - 1);
  assert.equal(found.more_stopped, found.draft.stopped - found.now.stopped);
  const cap = found.reasons.find((one) => one.gate === 'frequency_cap');
  assert.deepEqual([cap.detail, cap.draft.stopped, cap.now.stopped], ['none at all', found.touches - 1, 0]);
  assert.ok(found.examples.length > 0 && found.examples.every((one) => ids.includes(one.customer) && one.draft.end === 'stopped'));
  const same = await kith.post('/policy/preview', before);
  assert.deepEqual([same.changed, same.examples.length], [0, 0]);
  assert.deepEqual(same.now, same.draft);
  assert.deepEqual(await kith.get('/policy'), before);
  assert.equal((await kith.get('/touches?limit=500')).items.length, touches);
  for (const [path, body, code] of [['/policy/preview', { frequency: [{ max: 1 }] }, 422], ['/policy/preview?days=31', {}, 400]])
    assert.equal((await kith.post(path, body).catch((error) => error)).status, code);
});

test('short links lead on and are counted', { skip }, async () => {
  await kith.put('/policy', { link_base: kith.url });
  const answer = await send({ customers: [ids[27]], template: 'hello', purpose: 'service', context: { event: { item: 'x' } } });
  const one = await status(answer.items[0].id, 'delivered');
  const link = /http:\/\/127\.0\.0\.1:\d+\/l\/(\w{11})/.exec(receiver.got.get(one.idempotency_key).body);
  assert.ok(link);
  const led = await fetch(link[0], { redirect: 'manual' });
  assert.equal(led.status, 302);
  assert.equal(led.headers.get('location'), 'https://shop.example/618');
  await status(answer.items[0].id, 'clicked');
  const wrong = link[1].replace(/.$/, (c) => (c === 'a' ? 'b' : 'a'));
  assert.equal((await fetch(`${kith.url}/l/${wrong}`, { redirect: 'manual' })).status, 404);
});

test('coupons: a pool gives exactly what it has, each code once', { skip }, async () => {
  await kith.put('/coupon-pools/p', { kind: 'codes', codes: Array.from({ length: 10 }, (_, n) => `C-${n}`) });
  await kith.put('/channels/gifts', { kind: 'coupon', settings: { pool: 'p' } });
  const answer = await send({ customers: ids.slice(0, 20), channel: 'coupon', purpose: 'service' });
  const done = await Promise.all(answer.items.map((item) =>
    until('the coupon', async () => {
      const one = await touch(item.id);
      return ['delivered', 'failed'].includes(one.status) && one;
    })));
  const codes = done.filter((one) => one.status === 'delivered').map((one) => one.response);
  assert.equal(codes.length, 10);
  assert.equal(new Set(codes).size, 10);
  assert.ok(done.filter((one) => one.status === 'failed').every((one) => one.reason === 'pool_empty'));
});

test('coupons: an account without a pool gives from the pool that the coupon is named after', { skip }, async () => {
  await kith.put('/coupon-pools/tea', { kind: 'generated', prefix: 'TEA-' });
  await kith.put('/channels/any-gift', { kind: 'coupon', settings: {} });
  const give = async (coupon) => (await send({
    customers: [ids[0]], channel: 'coupon', account: 'any-gift', purpose: 'service', context: { vars: { coupon } },
  })).items[0].id;
  await status(await give('tea'), 'delivered');
  assert.equal((await status(await give('no such'), 'failed')).reason, 'no_pool');
  const pools = await kith.get('/coupon-pools');
  assert.equal(pools.items.find((pool) => pool.key === 'tea').given, 1);
});

test('tasks of the call centre are taken by one and done once', { skip }, async () => {
  await kith.put('/channels/calls', { kind: 'call_center', settings: {} });
  const answer = await send({ customers: [ids[30]], channel: 'call', purpose: 'service', context: { why: 'ask' } });
  await status(answer.items[0].id, 'sent');
  const tasks = await kith.get('/tasks');
  assert.equal(tasks.items.length, 1);
  await kith.post(`/tasks/${tasks.items[0].id}`, { action: 'take' });
  await kith.post(`/tasks/${tasks.items[0].id}`, { action: 'result', result: 'reached', note: 'friendly' });
  const one = await status(answer.items[0].id, 'delivered');
  assert.equal(one.steps.at(-1).detail, 'reached');
  const again = await kith.post(`/tasks/${tasks.items[0].id}`, { action: 'take' }).catch((error) => error);
  assert.equal(again.status, 409);
});
