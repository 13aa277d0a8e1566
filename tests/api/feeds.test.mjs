// SPDX-License-Identifier: Apache-2.0
// Feeds from Kafka: Segment's calls, Sensors' records and JSON for a mapping; what cannot be read is named and passed over; the
// brokers may go and come; a restart goes on where it stood.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { Kafka, missingBrokers } from '../support/kafka.mjs';
import { expect, refused, users } from './support.mjs';

const real = { skip: missingBinary || missingBrokers, timeout: 180_000 };
let kith, kafka, tokens;
const feed = (more = {}) => ({ brokers: kafka.brokers, topics: ['calls'], source: 'shop', format: 'segment', ...more });
const shown = (key) => expect(kith, 200, 'GET', `/feeds/${key}`);
const taken = (key, messages) => until(`${messages} messages of ${key}`, async () => {
  const one = await shown(key);
  return one.messages >= messages && one;
});
const call = (n, more = {}) => ({ type: 'track', userId: `k${n}`, event: 'Order Paid', messageId: `m${n}`, properties: { order_id: `o${n}`, revenue: 12.5, currency: 'CNY' }, ...more });

before(async () => {
  if (real.skip) return;
  [kafka, kith] = await Promise.all([Kafka.start(), Kith.start()]);
  tokens = await users(kith);
  await kith.source('shop');
  await kith.source('sensors');
  await Promise.all([kafka.topic('calls', 3), kafka.topic('records'), kafka.topic('orders', 2), kafka.topic('late')]);
});
after(() => Promise.all([kith?.remove(), kafka?.stop()]));

test('a feed is made by administrators; what is wrong with it is named; its password is shown to nobody', real, async () => {
  const wrong = (body, pointer) => refused(kith, 422, 'unprocessable', 'PUT', '/feeds/calls', { body }).then((answer) => assert.equal(answer.body?.pointer ?? answer.errors?.[0]?.pointer, pointer, JSON.stringify(answer)));
  await refused(kith, 403, 'forbidden', 'PUT', '/feeds/calls', { token: tokens.operator, body: feed() });
  await wrong(feed({ brokers: ['kafka'] }), '/brokers');
  await wrong(feed({ brokers: ['kafka:9092,sasl.password=x'] }), '/brokers');
  await wrong(feed({ topics: ['^all.*'] }), '/topics');
  await wrong(feed({ topics: ['a', 'a'] }), '/topics');
  await wrong(feed({ source: 'nobody' }), '/source');
  await wrong(feed({ format: 'mapping', mapping: 'none' }), '/mapping');
  await wrong(feed({ mechanism: 'PLAIN', username: 'kith', password: 'pw' }), '/mechanism');
  await wrong(feed({ mechanism: 'SCRAM-SHA-256', username: 'kith' }), '/password');
  await refused(kith, 404, 'not_found', 'GET', '/feeds/calls');
  await refused(kith, 404, 'not_found', 'DELETE', '/feeds/calls');
  const secret = 'a-password-of-the-broker';
  const made = await expect(kith, 200, 'PUT', '/feeds/locked', { body: feed({ paused: true, mechanism: 'SCRAM-SHA-256', username: 'kith', password: secret }) });
  assert.equal(made.state, 'paused');
  assert.equal(made.group, 'kith-locked');
  // the password stays as long as it goes to the same brokers
  await expect(kith, 200, 'PUT', '/feeds/locked', { body: feed({ paused: true, mechanism: 'SCRAM-SHA-512', username: 'kith' }) });
  await refused(kith, 422, 'unprocessable', 'PUT', '/feeds/locked', { body: feed({ brokers: ['elsewhere:9092'], paused: true, mechanism: 'SCRAM-SHA-512', username: 'kith' }) });
  for (const path of ['/feeds', '/feeds/locked', '/settings', '/audit']) assert.ok(!JSON.stringify(await kith.get(path)).includes(secret), path);
  await expect(kith, 204, 'DELETE', '/feeds/locked');
  assert.deepEqual((await kith.get('/feeds')).items, []);
});

test('Segment calls: one or a batch, each once; what cannot be read is named with its place', real, async () => {
  const time = Date.now() - 3_600_000;
  await kafka.say('calls', [call(1), { batch: [call(2), call(3)] }, '{"broken', call(4, { type: 'dance' }), '', call(5), call(5)], { partitions: 3, time });
  await expect(kith, 200, 'PUT', '/feeds/calls', { body: feed() });
  const one = await taken('calls', 7);
  assert.equal(one.state, 'running');
  assert.equal(one.events, 5);
  assert.equal(one.refused, 2);
  const places = one.last_refused.map((each) => `${each.topic}/${each.partition}/${each.offset}`).sort();
  assert.deepEqual(places, ['calls/0/1', 'calls/2/0']);
  assert.match(one.last_refused.map((each) => each.reason).join(), /json/i);
  await kith.settled();
  const customer = await kith.customerBy('user_id', 'k5');
  const events = await kith.timeline(customer.one_id);
  assert.equal(events.length, 1);
  // without a time of its own it happened when the message was written
  assert.equal(Date.parse(events[0].time), time);
});

test('Sensors records', real, async () => {
  await kafka.say('records', [{ type: 'track', event: 'ViewProduct', distinct_id: 'visitor-1', time: Date.now(), properties: { $lib: 'python' } }]);
  await expect(kith, 200, 'PUT', '/feeds/records', { body: feed({ topics: ['records'], source: 'sensors', format: 'sensors' }) });
  assert.equal((await taken('records', 1)).events, 1);
});

test('JSON by a saved mapping, with what the message says of itself; a column that is not there is null', real, async () => {
  await kith.put('/mappings/erp-orders', { mapping: {
    kind: 'events', event: 'Order Paid', key: '[no]', time: { value: '[kafka.time]' },
    identifiers: [{ type: 'user_id', value: '[member.id]' }],
    properties: { order_id: '[no]', revenue: { value: '[total]', type: 'money' }, note: '[note]', topic: '[kafka.topic]' },
  } });
  const time = Date.now() - 86_400_000;
  await kafka.say('orders', ['{\n "no": "e1",\n "member": {"id": "erp-1"}, "total": "88.50"}', { no: 'e2', member: { id: 'erp-2' }, total: '10', note: 'gift' }, { no: 'e3' }, '[1]'], { partitions: 2, time });
  await expect(kith, 200, 'PUT', '/feeds/orders', { body: feed({ topics: ['orders'], format: 'mapping', mapping: 'erp-orders', historical: true }) });
  const one = await taken('orders', 4);
  assert.equal(one.events, 2, JSON.stringify(one.last_refused));
  assert.equal(one.refused, 2);
  await kith.settled();
  const [event] = await kith.timeline((await kith.customerBy('user_id', 'erp-1')).one_id);
  assert.equal(Date.parse(event.time), time);
  assert.equal(event.props.topic, 'orders');
  assert.equal(event.props.revenue, 88.5);
});

test('brokers go and come back; a feed of what is new keeps its place over a restart, also when nothing had come', real, async () => {
  await kafka.say('late', [call(100)]);
  await expect(kith, 200, 'PUT', '/feeds/late', { body: feed({ topics: ['late'], start: 'newest' }) });
  await until('the end of the topic to be found', async () => (await shown('late')).partitions === 1);
  await kafka.down();
  await until('the brokers to be missed', async () => (await shown('late')).state === 'failing');
  assert.notEqual((await shown('late')).problem, '');
  await kafka.up();
  await until('the brokers to be back', async () => (await shown('late')).state === 'running', { timeoutMs: 60_000 });
  await kith.settled();
  await kith.kill9();
  await kafka.say('late', [call(101)]);
  await kafka.say('calls', [call(6)]);
  await kith.launch();
  await Promise.all([taken('late', 1), taken('calls', 1)]);
  await kith.settled();
  assert.equal(await kith.findBy('user_id', 'k100'), undefined, 'it was there before the feed');
  assert.ok(await kith.findBy('user_id', 'k101'), 'it came while nobody looked');
  assert.equal((await shown('calls')).messages, 1, 'what was taken before is not taken again');
  // begun anew it takes all there is, and the message ids see to it that nothing counts twice
  await expect(kith, 200, 'PUT', '/feeds/calls', { body: feed({ restart: true }) });
  await taken('calls', 8);
  await kith.settled();
  assert.equal((await kith.timeline((await kith.customerBy('user_id', 'k1')).one_id)).length, 1);
});

// ---- sinks ----

const sink = (topics, more = {}) => ({ brokers: kafka.brokers, topics, ...more });
const told = (key, ready) => until(`the sink ${key} to have told it`, async () => {
  const one = await expect(kith, 200, 'GET', `/sinks/${key}`);
  return one.behind === 0 && ready(one) && one;
}, { timeoutMs: 60_000 });

test('a sink is made by administrators; what is wrong with it is named; its password is shown to nobody', real, async () => {
  const body = sink({ segments: 'out.segments' }, { paused: true });
  const wrong = (more, pointer) => refused(kith, 422, 'unprocessable', 'PUT', '/sinks/out', { body: { ...body, ...more } }).then((answer) => assert.equal(answer.body?.pointer ?? answer.errors?.[0]?.pointer, pointer, JSON.stringify(answer)));
  await refused(kith, 403, 'forbidden', 'PUT', '/sinks/out', { token: tokens.operator, body });
  await wrong({ topics: { segments: 'a b' } }, '/topics');
  await wrong({ topics: {} }, '/topics');
  await wrong({ brokers: ['kafka'] }, '/brokers');
  await wrong({ hold: '1m' }, '/hold');
  await wrong({ tags: [''] }, '/tags');
  await refused(kith, 404, 'not_found', 'GET', '/sinks/out');
  await refused(kith, 404, 'not_found', 'DELETE', '/sinks/out');
  const secret = 'a-password-of-the-other-broker';
  const made = await expect(kith, 200, 'PUT', '/sinks/out', { body: { ...body, mechanism: 'SCRAM-SHA-256', username: 'kith', password: secret } });
  assert.equal(made.state, 'paused');
  assert.equal(made.hold, '7d');
  assert.equal(made.personal, 'none');
  await refused(kith, 422, 'unprocessable', 'PUT', '/sinks/out', { body: { ...body, brokers: ['elsewhere:9092'], mechanism: 'SCRAM-SHA-512', username: 'kith' } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/sink.out', { body: { value: {} } });
  for (const path of ['/sinks', '/sinks/out', '/settings', '/audit']) assert.ok(!JSON.stringify(await kith.get(path)).includes(secret), path);
  assert.match(await (await fetch(`${kith.url}/metrics`)).text(), /kith_sink_behind\{sink="out"\} 0\n/);
  await expect(kith, 204, 'DELETE', '/sinks/out');
  assert.deepEqual((await kith.get('/sinks')).items, []);
});

test('segments, tags, events and customers are told, keyed by one_id; what names a person only where it is said', real, async () => {
  for (const name of ['out.segments', 'out.tags', 'out.events', 'out.clear', 'out.customers']) await kafka.topic(name, 2);
  await kith.put('/segments/buyers', { name: 'buyers', rule: { event: 'Order Paid', measure: 'count', gte: 1 } });
  await kith.put('/tags/orders', { kind: 'count', measure: { event: 'Order Paid', measure: 'count' } });
  await until('both to be live', async () => (await kith.get('/segments/buyers')).state === 'live' && (await kith.get('/tags/orders')).state === 'live');
  await expect(kith, 200, 'PUT', '/sinks/all', { body: sink({ segments: 'out.segments', tags: 'out.tags', events: 'out.events', customers: 'out.customers' }, { segments: ['buyers'], event_types: ['Order Paid'] }) });
  await expect(kith, 200, 'PUT', '/sinks/clear', { body: sink({ events: 'out.clear' }, { personal: 'clear', event_types: ['Order Paid'] }) });
  const phone = '13900001234', { write_key: key } = await kith.source('till', 'server');
  const paid = (n, more = {}) => ({ type: 'track', userId: 'sunk', event: 'Order Paid', messageId: `s${n}`, properties: { order_id: `s${n}`, revenue: 20, currency: 'CNY', receiver_phone: phone }, context: { externalIds: [{ type: 'mobile', id: phone }] }, ...more });
  await kith.batch(key, [paid(1), { type: 'track', userId: 'sunk', event: 'Page Viewed', messageId: 's0' }, paid(2)]);
  await kith.settled();
  const her = await kith.customerBy('user_id', 'sunk');
  await told('all', (one) => one.messages >= 4);
  await told('clear', (one) => one.messages >= 2);
  const of = async (topic) => (await kafka.read(topic)).filter((each) => each.key === her.one_id).map((each) => each.value);
  assert.deepEqual((await of('out.segments')).map(({ segment, change, type }) => [type, segment, change]), [['segment', 'buyers', 'entered']]);
  const tags = (await of('out.tags')).filter(({ tag }) => tag === 'orders');
  assert.equal(tags.at(-1).value, 2);
  assert.equal(tags[0].change, 'set');
  const events = await of('out.events');
  assert.deepEqual(events.map(({ event, properties }) => [event, properties.order_id]), [['Order Paid', 's1'], ['Order Paid', 's2']]);
  assert.ok(!JSON.stringify(events).includes(phone));
  assert.equal(events[0].properties.receiver_phone, null);
  assert.equal(events[0].source, 'till');
  assert.deepEqual(events[0].identifiers.map(({ type, value }) => [type, value]), [['user_id', 'sunk']]);
  const clear = await of('out.clear');
  assert.equal(clear[0].properties.receiver_phone, phone);
  assert.ok(clear[0].identifiers.some(({ type, value }) => type === 'mobile' && value.endsWith(phone)));
  // while the brokers are away everything waits; who is erased meanwhile is told to be gone, and nothing else of her
  await kafka.down();
  await kith.batch(key, [paid(3)]);
  await kith.settled();
  await until('it to wait', async () => (await kith.get('/sinks/all')).behind > 0 || (await kith.get('/sinks/all')).state === 'failing');
  await kafka.up();
  await told('all', (one) => one.state === 'running' && one.messages >= 6);
  const ids = (await of('out.events')).map(({ id }) => id);
  assert.equal(new Set(ids).size, 3);
  await expect(kith, 200, 'PUT', '/sinks/all', { body: sink({ events: 'out.events', customers: 'out.customers' }, { paused: true }) });
  await kith.batch(key, [paid(4)]);
  await kith.settled();
  await kith.api('DELETE', `/customers/${her.one_id}`);
  await expect(kith, 200, 'PUT', '/sinks/all', { body: sink({ events: 'out.events', customers: 'out.customers' }) });
  await told('all', (one) => one.skipped >= 1 && one.messages >= 1);
  assert.equal(new Set((await of('out.events')).map(({ id }) => id)).size, 3);
  assert.deepEqual((await of('out.customers')).map(({ change }) => change), ['erased']);
});
