// SPDX-License-Identifier: Apache-2.0
// S2, S3, S4, S6, S20, S30, S34 by the API, as far as they are what happens next: journeys through the touch room and a channel to the
// sandbox, on the virtual clock of both. What is expected is looked up where the messages arrive, not in the journey's own books.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Kith, binary, missingBinary, sleep, until } from '../support/kith.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { expect, identify, track } from './support.mjs';

const real = { skip: missingBinary, timeout: 240_000 };
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const NOW = '2026-06-18T02:00:00Z'; // ten in the morning in Shanghai
let kith, sandbox, shop, now;

const texts = {
  SMS_R1: '订单${order}已收到，加品牌好友领礼品',
  SMS_R2: '订单${order}的包裹在路上，做肌肤测试赢礼',
  SMS_FRIEND: '谢谢您的订单${order}，邀您成为品牌好友',
  SMS_CART: '您看过的${product}有券，在${shop}可用',
  SMS_SKIN: '${group}社群欢迎您',
  SMS_FILE: '您的肌肤档案已建好，请查看',
  SMS_NEWS: '618返场，最后一天',
};
const template = (key, code, parts = {}) =>
  kith.put(`/templates/${key}`, { name: key, channel: 'sms', parts: { template_code: code, ...parts } });

before(async () => {
  if (missingBinary) return;
  now = Date.parse(NOW);
  // Kith's clock goes from due moment to due moment, and the sandbox's at once: signatures are not held against it.
  sandbox = await Sandbox.start({ now: NOW, settings: { receipt_ms: 0, check_time: 0 } });
  kith = await Kith.start({ arguments: ['--virtual-clock', '--log-retention', '3650d', '--sandbox', sandbox.url], environment: { KITH_NOW: NOW } });
  shop = await kith.source('shop');
  await kith.put('/channels/texts', {
    kind: 'sms_aliyun',
    settings: { access_key_id: 'kith', access_key_secret: 'sandbox-secret', sign_name: '凯思', sandbox: true },
  });
  await kith.put('/channels/calls', { kind: 'call_center', settings: {} });
  await sandbox.world({
    accounts: [{ kind: 'sms_aliyun', id: 'kith', secret: 'sandbox-secret', callback_url: `${kith.url}/hooks/texts` }],
    templates: Object.entries(texts).map(([code, content]) => ({ kind: 'sms_aliyun', code, content, status: 'approved' })),
  });
  await template('round_1_invite', 'SMS_R1', { order: '{{ event.order_id }}' });
  await template('round_2_parcel', 'SMS_R2', { order: '{{ event.order_id }}' });
  await kith.put('/templates/round_4_call', { name: 'call', channel: 'call', parts: { text: '{{ event.order_id }}' } });
  await template('brand_friend', 'SMS_FRIEND', { order: '{{ event.order_id }}' });
  await template('cart_coupon', 'SMS_CART', { product: '{{ event.product_id }}', shop: '{{ event.channel }}' });
  await template('news', 'SMS_NEWS');
  await template('skin_group', 'SMS_SKIN', { group: '{% case tag.skin_type %}{% when "dry" %}干皮{% else %}油皮{% endcase %}' });
  await template('skin_file', 'SMS_FILE');
  await kith.put('/policy', { quiet_hours: [{ channel: 'sms', from: '21:00', to: '09:00', over: 'hold' }], expires: '3d' });
});
after(async () => {
  await kith?.remove();
  if (sandbox) assert.equal(await sandbox.stop(), 0);
});

// ---- people, time, and what arrived ----

const say = (...items) => kith.batch(shop.write_key, items);
const did = (user, event, properties) => track(user, event, properties, { timestamp: new Date(now).toISOString() });
const joinedWecom = (user) => ({
  ...identify(user),
  context: { externalIds: [{ type: 'wecom_external_userid', id: `wm-${user}`, collection: 'ww1', encoding: 'none' }] },
});
const oneId = async (user) => (await kith.customerBy('user_id', user)).one_id;

/** People who may be written to, with a mobile of their own. */
let mobiles = 0;
const phones = new Map();
async function people(...users) {
  const first = mobiles;
  await say(...users.map((user) => {
    const phone = `139${String(20_000_000 + mobiles++)}`;
    phones.set(user, phone);
    return identify(user, { phone });
  }));
  assert.equal(mobiles, first + users.length);
  for (const user of users)
    await kith.put(`/customers/${await oneId(user)}/consent/marketing`, { granted: true, evidence: 'test' });
}

const busy = ['queued', 'sending'];
const isOutOf = async (statuses) => {
  for (const status of statuses) if ((await kith.get(`/touches?status=${status}&limit=1`)).items.length > 0) return false;
  return true;
};
/** Until nothing is on its way: what is due is run, what may go is gone, what became of it is told. */
async function quiet() {
  await until('what is due to have gone', async () => {
    await kith.settled();
    if (!(await isOutOf(busy)) || (await sandbox.pending()) > 0) return false;
    await sleep(60); // a run of what is due would begin within this time
    return (await isOutOf(busy)) && (await sandbox.pending()) === 0;
  });
}
async function advance(ms) {
  now += ms;
  await sandbox.call('POST', 'clock', { now: new Date(now).toISOString() });
  await expect(kith, 200, 'POST', '/clock', { body: { advance: `${ms / 1000}s` } });
  await quiet();
}
/** To a moment of Shanghai's day, today or tomorrow. */
async function advanceTo(hour) {
  const local = (now + 8 * HOUR) % DAY;
  await advance((hour * HOUR - local + DAY) % DAY || DAY);
}
const inbox = async (user, form) =>
  (await sandbox.messages({ kind: 'sms_aliyun', recipient: `+86${phones.get(user)}`, ...(form && { form }) })).messages;
const touchesOf = async (user) => kith.all(`/touches?customer=${await oneId(user)}`);
const ready = async (key) => (await kith.get('/journeys/library')).items.find((one) => one.key === key).journey;
async function live(key, journey) {
  await kith.put(`/journeys/${key}`, journey);
  await kith.post(`/journeys/${key}/publish`);
  await until(`${key} to be live`, async () => (await kith.get(`/journeys/${key}`)).state === 'live');
}
async function stopJourney(key) {
  await kith.post(`/journeys/${key}/stop`, { positions: 'exit' });
  await until(`${key} to be stopped`, async () => (await kith.get(`/journeys/${key}`)).state === 'stopped');
}

// ---- S2 ----

test('S2 the skin test becomes a tag, and the tag a welcome by skin type; who does not join goes another way', real, async () => {
  await kith.put('/tags/skin_type', { name: '肌肤类型', kind: 'manual', type: 'text' });
  await say(did('nobody', 'Skin Tested', { skin_type: 'dry' }), did('nobody', 'Customer Group Joined', {}));
  const kinds = ['dry', 'oily'];
  await live('skin_test', {
    name: '肌肤测试', trigger: { type: 'event', event: 'Skin Tested' }, start: 'which',
    nodes: {
      which: { type: 'branch', cases: kinds.map((kind) => ({ value: 'event.skin_type', eq: kind, next: kind })), otherwise: null },
      ...Object.fromEntries(kinds.map((kind) => [kind, { type: 'tag', tag: 'skin_type', value: kind }])),
    },
  });
  const welcome = await ready('skin_welcome');
  for (const node of ['invite', 'other']) {
    Object.assign(welcome.nodes[node], { channel: 'sms', template: node === 'invite' ? 'skin_group' : 'skin_file' });
    delete welcome.nodes[node].form;
  }
  await live('skin_welcome', welcome);
  await people('s2-dry', 's2-oily', 's2-none');
  await say(did('s2-dry', 'Skin Tested', { skin_type: 'dry' }), did('s2-oily', 'Skin Tested', { skin_type: 'oily' }), did('s2-none', 'Skin Tested', { skin_type: 'unknown' }));
  await quiet();
  assert.equal((await kith.customerBy('user_id', 's2-dry')).tags.skin_type, 'dry');
  assert.match((await inbox('s2-dry', 'SMS_SKIN'))[0].content, /干皮/);
  assert.match((await inbox('s2-oily', 'SMS_SKIN'))[0].content, /油皮/);
  assert.deepEqual(await inbox('s2-none'), []);
  await advance(DAY);
  await say(did('s2-dry', 'Customer Group Joined', {}));
  await advance(2 * DAY + HOUR);
  assert.equal((await kith.customerBy('user_id', 's2-dry')).traits.skin_group_joined, true);
  assert.deepEqual(await inbox('s2-dry', 'SMS_FILE'), []);
  assert.equal((await inbox('s2-oily', 'SMS_FILE')).length, 1);
  assert.equal((await inbox('s2-oily')).length, 2);
  for (const key of ['skin_test', 'skin_welcome']) await stopJourney(key);
});

// ---- S3 ----

// Fates of the 42 orders: what she does on which day after her order, and which rounds reach her. The third round is a
// card in the parcel that leads to a web page: nothing is sent.
const fates = [
  { name: 'plain', does: { 1: 'Order Shipped', 2: 'Order Shipped' }, rounds: [1, 2, 4] },
  { name: 'joins before the second', does: { 1: 'Order Shipped', 2: 'joins' }, rounds: [1] },
  { name: 'refunded before the second', does: { 1: 'Order Shipped', 3: 'Order Refunded' }, rounds: [1] },
  { name: 'joins after the second', does: { 1: 'Order Shipped', 6: 'joins' }, rounds: [1, 2] },
  { name: 'never shipped', does: {}, rounds: [1, 4] },
  { name: 'called by another', does: { 1: 'Order Shipped', 5: 'is called' }, rounds: [1, 2] },
  { name: 'refunded after the second', does: { 1: 'Order Shipped', 8: 'Order Refunded' }, rounds: [1, 2] },
];
const EACH = 6;

test('S3 four rounds on real sends: nobody twice in a round, nobody after joining, a refund ends it, the funnel is in the report', real, async () => {
  const buyers = fates.flatMap((fate, f) => Array.from({ length: EACH }, (_, n) => ({ user: `s3-${f}-${n}`, order: `S3-${f}-${n}`, fate })));
  await say(did('nobody', 'Order Paid', { order_id: 'x', channel: 'store', revenue: '1' }));
  await say(...['Order Shipped', 'Order Refunded', 'Order Cancelled'].map((event) => did('nobody', event, { order_id: 'x' })));
  await live('four_rounds', await ready('four_rounds'));
  await people(...buyers.map((one) => one.user), 's3-friend');
  await say(joinedWecom('s3-friend'));
  const paid = (user, order) => did(user, 'Order Paid', { order_id: order, channel: 'tmall', revenue: '199.00', total: '199.00', currency: 'CNY' });
  await say(...buyers.map((one) => paid(one.user, one.order)), paid('s3-friend', 'S3-friend'));
  await quiet();
  for (let day = 1; day <= 14; day++) {
    await advance(DAY);
    for (const { user, order, fate } of buyers) {
      const what = fate.does[day];
      if (what === 'joins') await say(joinedWecom(user));
      else if (what === 'is called')
        await kith.post('/touches', { customers: [await oneId(user)], channel: 'call', purpose: 'service' });
      else if (what) await say(did(user, what, { order_id: order, ...(what === 'Order Refunded' && { total: '199.00' }) }));
      if (day === 4 && fate.name === 'plain') // a second order begins nothing
        await say(paid(user, `${order}-again`));
    }
    await quiet();
  }
  const tasks = new Set((await kith.all('/touches?journey=four_rounds')).filter((touch) => touch.node === 'round_4' && touch.status === 'sent')
    .map((touch) => touch.order_id));
  for (const { user, order, fate } of buyers) {
    const got = [];
    for (const [round, form] of [[1, 'SMS_R1'], [2, 'SMS_R2']]) {
      const messages = await inbox(user, form);
      assert.ok(messages.length <= 1, `${user} (${fate.name}) has ${messages.length} messages of round ${round}`);
      if (messages.length > 0) {
        got.push(round);
        assert.ok(messages[0].content.includes(order), messages[0].content);
      }
    }
    if (tasks.has(order)) got.push(4);
    assert.deepEqual(got, fate.rounds, `${user}: ${fate.name}`);
  }
  assert.deepEqual(await inbox('s3-friend'), [], 'who is in WeCom already gets none');
  const { repeated } = await sandbox.messages({ kind: 'sms_aliyun' });
  assert.equal(repeated, 0);
});

test('S3 the funnel of the rounds is in the report, and why she is out in her own', real, async () => {
  const report = await expect(kith, 200, 'GET', '/journeys/four_rounds/report');
  const node = (key) => report.nodes.find((one) => one.node === key);
  const reached = (round) => fates.filter((fate) => fate.rounds.includes(round)).length * EACH;
  assert.equal(report.inside, 0);
  assert.equal(report.failed, 0);
  assert.equal(node('round_1').delivered, reached(1));
  assert.equal(node('round_2').delivered, reached(2));
  assert.equal(node('round_4').sent, reached(4));
  const joined = report.goals.find((goal) => goal.key === 'joined');
  assert.equal(joined.journey.reached, 2 * EACH);
  const why = await expect(kith, 200, 'GET', `/journeys/four_rounds/explain?customer=${await oneId('s3-2-0')}`);
  assert.equal(why.is_in, false);
  assert.equal(why.reason, 'left');
  assert.match(JSON.stringify(why.positions[0].steps.at(-1)), /退款/);
  await stopJourney('four_rounds');
});

// ---- S4 ----

test('S4 the moment of the order: list, tag and tier move, the invitation is queued; a cancellation takes all of it back', real, async () => {
  const moment = await ready('order_moment');
  Object.assign(moment.nodes.invite, { channel: 'sms', template: 'brand_friend' });
  delete moment.nodes.invite.form;
  moment.trigger.where = [{ prop: 'revenue', gte: 9900 }]; // whole fen, as in rules
  await live('order_moment', moment);
  await people('s4-early', 's4-late', 's4-first', 's4-sample');
  const paid = (user, order) => did(user, 'Order Paid', { order_id: order, revenue: '99.00', total: '99.00', currency: 'CNY' });
  for (const user of ['s4-early', 's4-late']) await say(did(user, 'Return Sale Listed', { sale: '618' }));
  await kith.put('/segments/return-618', {
    name: '618 返场', rule: { all: [{ event: 'Return Sale Listed', measure: 'count', gte: 1 },
      { event: 'Order Paid', net: true, measure: 'count', eq: 0 }] },
  });
  await kith.put('/tags/bought', { name: '已购', kind: 'count', measure: { event: 'Order Paid', net: true, measure: 'count' } });
  await kith.put('/tags/tier', { name: '等级', kind: 'rule', values: [
    { value: 'silver', rule: { event: 'Order Paid', net: true, measure: 'sum', of: 'revenue', gte: 9900 } }] });
  const she = async (user) => {
    const { segments, tags } = await kith.customerBy('user_id', user);
    return { listed: segments.includes('return-618'), bought: tags.bought ?? 0, tier: tags.tier ?? 'none' };
  };
  await until('the tier to be computed', async () => (await kith.get('/tags/tier')).state !== 'computing');
  assert.deepEqual(await she('s4-early'), { listed: true, bought: 0, tier: 'none' });

  await advanceTo(22); // nobody is written to at this hour: the invitation waits
  await say(paid('s4-early', 'S4-1'));
  assert.deepEqual(await she('s4-early'), { listed: false, bought: 1, tier: 'silver' });
  const [waiting] = await touchesOf('s4-early');
  assert.deepEqual([waiting.status, waiting.reason, waiting.order_id], ['held', 'quiet_hours', 'S4-1']);
  await advance(10 * MINUTE);
  await say(did('s4-early', 'Order Cancelled', { order_id: 'S4-1' }));
  assert.deepEqual(await she('s4-early'), { listed: true, bought: 0, tier: 'none' });
  const [pulled] = await touchesOf('s4-early');
  assert.equal(pulled.status, 'suppressed');
  await advanceTo(10);
  assert.deepEqual(await inbox('s4-early'), [], 'it never left');

  const sample = did('s4-sample', 'Order Paid', { order_id: 'S4-4', revenue: '98.99', total: '98.99', currency: 'CNY' });
  await say(paid('s4-late', 'S4-2'), paid('s4-first', 'S4-3'), sample);
  await quiet();
  assert.equal((await inbox('s4-late', 'SMS_FRIEND')).length, 1);
  await advance(10 * MINUTE);
  await say(did('s4-late', 'Order Cancelled', { order_id: 'S4-2' }));
  assert.deepEqual(await she('s4-late'), { listed: true, bought: 0, tier: 'none' });
  const wrong = await expect(kith, 200, 'GET', '/touch-corrections?kind=should_not&journey=order_moment');
  const [gone] = await touchesOf('s4-late');
  assert.deepEqual(wrong.items.map((one) => [one.touch, one.customer]), [[gone.id, await oneId('s4-late')]]);
  assert.equal((await inbox('s4-first', 'SMS_FRIEND')).length, 1, 'others keep theirs');
  assert.deepEqual(await inbox('s4-sample'), [], 'a sample begins nothing');

  // told a day and a half after, nobody is invited any more: who should have been is listed; of what is imported nobody is
  const before = new Date(now - 36 * HOUR).toISOString();
  const paidBefore = (user, order, more) => ({ ...paid(user, order), timestamp: before, ...more });
  await people('s4-told-late', 's4-sample-late');
  await say(paidBefore('s4-told-late', 'S4-5'), { ...sample, messageId: undefined, userId: 's4-sample-late', timestamp: before });
  await quiet();
  assert.deepEqual(await touchesOf('s4-told-late'), []);
  const missed = await expect(kith, 200, 'GET', '/touch-corrections?kind=should&journey=order_moment');
  assert.deepEqual(missed.items.map((one) => [one.touch, one.customer, one.node, one.reason]), [[0, await oneId('s4-told-late'), 'invite', 'event_late']]);
  await stopJourney('order_moment');
});

// ---- S6 ----

test('S6 cart and no order: next day at a decent hour, unless the order came meanwhile or it is out of stock', real, async () => {
  const cart = await ready('cart');
  Object.assign(cart.nodes.tell, { channel: 'sms', template: 'cart_coupon' });
  delete cart.nodes.tell.form;
  cart.nodes.hour.next = 'stock';
  cart.nodes.stock = { type: 'branch', otherwise: 'tell', cases: [{ next: null, rule: {
    event: 'Product Added', measure: 'count', gte: 1, last: '3d',
    where: [{ object: 'product', via: 'product_id', rule: { prop: 'stock', lte: 0 } }] } }] };
  delete cart.nodes.coupon;
  await kith.put('/objects/product/P1', { props: { stock: 5 } });
  await kith.put('/objects/product/P9', { props: { stock: 5 } });
  await until('the stock to be known', async () => (await kith.get('/rules/catalogue')).objects.find((one) => one.kind === 'product')
    ?.properties.some((property) => property.name === 'stock'));
  await live('cart', cart);
  await people('s6-leaves', 's6-buys', 's6-other', 's6-late', 's6-gone');
  await advanceTo(15);
  const start = now;
  const add = (user) => did(user, 'Product Added', { product_id: 'P1', channel: 'tmall' });
  const buy = (user, product) => did(user, 'Order Paid', { order_id: `S6-${user}`, product_id: product, revenue: '9.00', total: '9.00', currency: 'CNY' });
  await say(...['s6-leaves', 's6-buys', 's6-other', 's6-late'].map(add), did('s6-gone', 'Product Added', { product_id: 'P9', channel: 'tmall' }));
  await advance(5 * HOUR);
  await say(buy('s6-buys', 'P1'), buy('s6-other', 'P2'));
  for (let hour = 0; hour < 28; hour++) await advance(HOUR); // past midnight of the second day
  assert.deepEqual(await inbox('s6-leaves'), [], 'not in the night');
  await kith.put('/objects/product/P9', { props: { stock: 0 } }); // sold out in the night
  const paidThen = { ...buy('s6-late', 'P1'), timestamp: new Date(start + 3 * HOUR).toISOString() };
  await say(paidThen); // told late, within the day that counts
  await advanceTo(9);
  assert.deepEqual(await inbox('s6-leaves'), [], 'the decent hour is ten');
  await advanceTo(10);
  const [message] = await inbox('s6-leaves', 'SMS_CART');
  assert.match(message.content, /P1.*tmall/);
  assert.equal((await inbox('s6-leaves')).length, 1);
  assert.equal((await inbox('s6-other', 'SMS_CART')).length, 1, 'another product is not this one');
  assert.deepEqual(await inbox('s6-buys', 'SMS_CART'), []);
  assert.deepEqual(await inbox('s6-gone', 'SMS_CART'), [], 'out of stock by then');
  assert.deepEqual(await inbox('s6-late', 'SMS_CART'), [], 'an order that is told late counts');
  await stopJourney('cart');
});

// ---- S20, S34 ----

const news = async (users, more = {}) =>
  kith.post('/touches', { customers: await Promise.all(users.map(oneId)), template: 'news', purpose: 'marketing', ...more });

test('S20 consent withdrawn reaches what waits: from that second none goes out', real, async () => {
  await people('s20-stays', 's20-leaves');
  await advanceTo(23);
  const { items } = await news(['s20-stays', 's20-leaves']);
  assert.deepEqual(items.map((item) => [item.status, item.reason]), [['held', 'quiet_hours'], ['held', 'quiet_hours']]);
  await kith.put(`/customers/${await oneId('s20-leaves')}/consent/marketing`, { granted: false, evidence: 'she said so' });
  const [pulled] = await touchesOf('s20-leaves');
  assert.deepEqual([pulled.status, pulled.reason], ['suppressed', 'no_consent']);
  await advanceTo(10);
  assert.equal((await inbox('s20-stays')).length, 1);
  assert.deepEqual(await inbox('s20-leaves'), []);
  const { items: [refused] } = await news(['s20-leaves']);
  assert.deepEqual([refused.status, refused.reason], ['suppressed', 'no_consent']);
});

test('S34 the red button: nothing more leaves, journeys too; later it goes on, once each', real, async () => {
  const users = Array.from({ length: 30 }, (_, n) => `s34-${n}`);
  await people(...users);
  await advanceTo(10);
  const sentBefore = (await sandbox.messages({ kind: 'sms_aliyun' })).total;
  await live('sale', {
    name: '618', trigger: { type: 'event', event: 'Sale Opened' }, start: 'wait',
    nodes: { wait: { type: 'wait', for: '1h', next: 'tell' }, tell: { type: 'send', channel: 'sms', template: 'news' } },
  });
  await say(...users.map((user) => did(user, 'Sale Opened', {})));
  await kith.post('/stop', { scope: 'all', why: 'wrong price' });
  await advance(HOUR);
  const { items } = await news(['s20-stays'], { transactional: true });
  assert.deepEqual([items[0].status, items[0].reason], ['held', 'stopped']);
  await advance(10 * MINUTE);
  assert.equal((await sandbox.messages({ kind: 'sms_aliyun' })).total, sentBefore);
  const report = await kith.get('/journeys/sale/report');
  assert.equal(report.nodes.find((node) => node.node === 'tell').held, users.length);
  await kith.post('/stop', { scope: 'all', active: false });
  await until('what was held to have gone', async () => (await isOutOf(['held'])) && (await isOutOf(busy)));
  await quiet();
  for (const user of users) assert.equal((await inbox(user, 'SMS_NEWS')).length, 1, user);
  assert.equal((await sandbox.messages({ kind: 'sms_aliyun' })).total, sentBefore + users.length + 1);
});

// ---- S30 ----

const pausesOf = async (user) => (await expect(kith, 200, 'GET', `/customers/${await oneId(user)}/pauses`)).items;
const newsTo = async (user) => {
  const { items: [touch] } = await news([user]);
  return `${touch.status} ${touch.reason ?? ''}`.trim();
};
const taskOf = async (user) => {
  const id = await oneId(user);
  return (await kith.get('/tasks?status=open&limit=200')).items.find((task) => task.customer === id);
};

test('S30 her voice: a review, a survey, a score becomes a trait; two stars stop marketing and open a task; done, it goes on', real, async () => {
  await advanceTo(10);
  await kith.put('/templates/recovery_call', { name: 'recovery', channel: 'call', parts: { text: '{{ event.order_id }}' } });
  await say(did('nobody', 'Review Submitted', { order_id: 'x', stars: 5 }), did('nobody', 'Survey Answered', { score: 9 }));
  await live('recovery', await ready('recovery'));
  await live('score', {
    name: 'NPS', trigger: { type: 'event', event: 'Survey Answered' }, start: 'score',
    nodes: {
      score: { type: 'trait', trait: 'nps_score', from: 'event.score', next: 'low' },
      low: { type: 'branch', cases: [{ value: 'event.score', lte: 6, next: 'stop' }], otherwise: null },
      stop: { type: 'pause', for: '7d', reason: 'NPS' },
    },
  });
  await people('s30-happy', 's30-low', 's30-late', 's30-score');
  // what waits for her is pulled by the review that comes meanwhile
  await advanceTo(22);
  assert.equal(await newsTo('s30-low'), 'held quiet_hours');
  await say(did('s30-happy', 'Review Submitted', { order_id: 'O1', stars: 5 }), did('s30-low', 'Review Submitted', { order_id: 'O2', stars: 2 }),
    did('s30-late', 'Review Submitted', { order_id: 'O3', stars: 1 }), did('s30-score', 'Survey Answered', { score: 3 }));
  await quiet();
  assert.deepEqual((await touchesOf('s30-low')).filter((one) => one.template === 'news').map((one) => [one.status, one.reason]), [['suppressed', 'paused']]);
  for (const [user, trait, value] of [['s30-happy', 'rating', 5], ['s30-low', 'rating', 2], ['s30-score', 'nps_score', 3]])
    assert.equal((await kith.customerBy('user_id', user)).traits[trait], value, user);
  await advanceTo(10);
  assert.deepEqual(await inbox('s30-low'), []);
  assert.equal(await newsTo('s30-happy'), 'queued');
  for (const user of ['s30-low', 's30-late', 's30-score']) assert.equal(await newsTo(user), 'suppressed paused', user);
  // service and transactional messages reach her
  const { items: [served] } = await news(['s30-low'], { purpose: 'service' });
  assert.equal(served.status, 'queued');
  // since when, why, until when, in both languages
  const [pause] = await pausesOf('s30-low');
  assert.deepEqual([pause.active, pause.journey, pause.reason, pause.until, pause.by], [true, 'recovery', '两星及以下评价', null, null]);
  assert.match(pause.text.zh, /自 2026-\d\d-\d\d 22:00 起暂停营销，由旅程recovery 设置，原因：两星及以下评价，直到恢复/);
  assert.match(pause.text.en, /paused since 2026-\d\d-\d\d 22:00, by journey recovery, because: 两星及以下评价; until it is lifted/);
  const reach = (await expect(kith, 200, 'GET', `/customers/${await oneId('s30-score')}/reach`)).items.find((one) => one.channel === 'sms');
  assert.deepEqual([reach.reachable, reach.reason, Date.parse(reach.until)], [false, 'paused', Date.parse((await pausesOf('s30-score'))[0].until)]);
  // her task is done: that ends it; nobody does the other, and 14 days do
  const task = await taskOf('s30-low');
  await kith.post(`/tasks/${task.id}`, { action: 'take' });
  assert.equal(await newsTo('s30-low'), 'suppressed paused');
  await kith.post(`/tasks/${task.id}`, { action: 'result', result: 'reached' });
  await quiet();
  assert.equal((await pausesOf('s30-low'))[0].active, false);
  assert.equal(await newsTo('s30-low'), 'queued');
  await advance(7 * DAY);
  assert.equal(await newsTo('s30-score'), 'queued');
  assert.equal(await newsTo('s30-late'), 'suppressed paused');
  await advance(8 * DAY);
  assert.equal(await newsTo('s30-late'), 'queued');
});

test('S30 marketing to her is paused by hand, beside others, and lifted; who merges is paused, who is split is not', real, async () => {
  await people('s30-hand', 's30-other');
  const path = `/customers/${await oneId('s30-hand')}/pauses`;
  const refusals = [[{}, '/reason'], [{ reason: '' }, '/reason'], [{ reason: 'x', until: 'soon' }, '/until'], [{ reason: 'x', until: new Date(now).toISOString() }, '/until']];
  for (const [body, pointer] of refusals)
    assert.equal((await expect(kith, 422, 'POST', path, { body })).errors[0].pointer, pointer, JSON.stringify(body));
  const end = new Date(now + 2 * DAY).toISOString();
  const [first] = (await expect(kith, 200, 'POST', path, { body: { reason: '投诉处理中', until: end } })).items;
  assert.deepEqual([first.active, first.by, first.reason, first.journey, Date.parse(first.until)], [true, 'admin', '投诉处理中', null, Date.parse(end)]);
  const [again] = (await expect(kith, 200, 'POST', path, { body: { reason: '客户要求' } })).items;
  assert.deepEqual([again.number, again.until, again.reason], [first.number, null, '客户要求']);
  assert.equal(await newsTo('s30-hand'), 'suppressed paused');
  const other = await oneId('s30-other'), hand = await oneId('s30-hand');
  assert.equal(await newsTo('s30-other'), 'queued');
  await kith.post(`/customers/${other}/merge`, { other: hand });
  assert.equal(await newsTo('s30-other'), 'suppressed paused');
  const merges = (await kith.get(`/customers/${await oneId('s30-other')}/merges`)).items;
  await kith.post(`/customers/${await oneId('s30-other')}/split`, { merge_id: merges[0].id });
  assert.equal(await newsTo('s30-other'), 'queued');
  assert.equal(await newsTo('s30-hand'), 'suppressed paused');
  const [lifted] = (await expect(kith, 200, 'DELETE', `${path}/${first.number}`)).items;
  assert.equal(lifted.active, false);
  assert.match(lifted.text.zh, /已恢复于/);
  assert.equal(await newsTo('s30-hand'), 'queued');
  await expect(kith, 404, 'DELETE', `${path}/999999`);
  await expect(kith, 404, 'DELETE', `/customers/${other}/pauses/${first.number}`);
});

test('why she is where she is names the gate that stopped the last touch', real, async () => {
  await live('told_why', {
    name: '说明', trigger: { type: 'api' }, start: 'hello',
    nodes: { hello: { type: 'send', name: '问候', channel: 'sms', template: 'brand_friend', next: 'rest' }, rest: { type: 'wait', name: '等', for: '5d' } },
  });
  await people('why-paused', 'why-night');
  const enters = async (user) => {
    const id = await oneId(user);
    await kith.post('/journeys/told_why/enter', { customers: [id] });
    await kith.settled();
    return (await expect(kith, 200, 'GET', `/journeys/told_why/explain?customer=${id}`)).positions[0].sentence;
  };
  await kith.post(`/customers/${await oneId('why-paused')}/pauses`, { reason: '客户要求' });
  await advanceTo(22);
  const paused = await enters('why-paused');
  assert.match(paused.zh, /她在节点「等」.*「问候」没有发出：营销已暂停。$/);
  assert.match(paused.en, /^she is at '等'; .*; '问候' was not sent: marketing to her is paused$/);
  const night = await enters('why-night');
  assert.match(night.zh, /「问候」被暂缓：免打扰时段。$/);
  assert.match(night.en, /'问候' was held back: quiet hours$/);
  await stopJourney('told_why');
});

test('journeys and touches in memory are what the log says, and what the ledger gives back', real, async () => {
  await kith.post('/stop', { scope: 'all' });
  const { items } = await news(['s34-0', 's34-1'], { key: 'later' });
  assert.ok(items.every((item) => item.status === 'held'));
  const metrics = await (await fetch(`${kith.url}/metrics`)).text();
  assert.match(metrics, /^kith_touches_held 2$/m);
  assert.match(metrics, /^kith_touches_queued 0$/m);
  assert.match(metrics, /^kith_journey_positions \d+$/m);
  await kith.stop();
  const into = `${kith.folder}-rebuilt`;
  const offline = (...words) => spawnSync(binary, words, { encoding: 'utf8' });
  const digest = offline('digest', '--data', kith.folder);
  assert.match(digest.stdout, /^touches \(memory\) +\S+/m);
  const rebuilt = offline('rebuild', '--data', kith.folder, '--into', into);
  rmSync(into, { recursive: true, force: true });
  assert.equal(rebuilt.status, 0, rebuilt.stdout + rebuilt.stderr);
});
