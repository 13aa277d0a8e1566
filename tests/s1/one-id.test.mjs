// SPDX-License-Identifier: Apache-2.0
// S1 One customer, one OneID: everything that is said of one woman, in many orders of arrival, comes to one
// customer, one timeline, one sum.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { missingBinary } from '../support/kith.mjs';
import { House, appid, corp, did, eachOf, jdApp, known, paid, phone, random, say, shuffled, tmallApp } from './support.mjs';

const seed = Number(process.env.KITH_SEED ?? 20261111);
const women = Number(process.env.KITH_S1_ORDERS ?? 240);
let house;

before(async () => {
  if (!missingBinary) house = await House.open();
});
after(() => house?.close());

/** All her identifiers, and what the house hears of her. */
function woman(number) {
  const tmall = ['tmall_open_uid', `AAtmall${number}`, tmallApp];
  const jd = ['jd_open_id', `AAjd${number}`, jdApp];
  const openid = ['wx_openid', `oPn${number}`, appid];
  const unionid = ['wx_unionid', `oUn${number}`];
  const external = ['wecom_external_userid', `wm${number}`, corp];
  const card = ['member_card', `MC${number}`];
  const order = ['order_no', `JD${number}`, 'jd'];
  const userId = `U${number}`;
  const anonymousId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const mobile = phone(10_000_000 + number);
  const at = (day) => ({ timestamp: `2026-0${1 + Math.floor(day / 28)}-${String(1 + (day % 28)).padStart(2, '0')}T08:00:00.000Z` });
  const masked = { receiver_name: '王**', receiver_phone: '154****0001' };
  const statements = [
    // a Tmall order: the shop's buyer id; the receiver is masked
    say('tmall', { type: 'track', event: 'Order Paid', ...at(1),
      properties: { order_id: `T${number}`, revenue: 199.9, total: 199.9, currency: 'CNY', ...masked },
      context: { externalIds: [{ type: tmall[0], id: tmall[1], collection: tmallApp, encoding: 'none' }] } }),
    // she binds her membership: the platform says her phone
    known('crm', [tmall], { phone: mobile }, at(2)),
    // the mini-program, by openid and unionid
    did('mp_server', 'Product Viewed', [openid, unionid], { sku: 'S-1' }, at(3)),
    did('mp_server', 'Skin Test Taken', [openid], { skin_type: '敏感' }, at(4)),
    // a contact on WeCom
    known('wecom', [external, unionid], { wecom_name: '小林' }, at(5)),
    // a receipt of a store: card and phone
    known('store', [card], { phone: mobile }, at(6)),
    paid('store', [card], `S${number}`, 88, at(7)),
    // H5: first anonymous, then the page says who it is, and the member centre confirms
    say('h5', { type: 'page', name: '618', anonymousId, properties: { path: '/618' }, ...at(8) }),
    say('h5', { type: 'track', event: 'Coupon Claimed', anonymousId, properties: { coupon: 'C1' }, ...at(9) }),
    say('h5', { type: 'identify', userId, anonymousId, traits: { last_door: 'h5' }, ...at(10) }),
    did('crm', 'Signed In', [['anonymous_id', anonymousId, 'h5']], {}, { userId, ...at(11) }),
    // she registers: user id, phone, and the unionid of her WeChat
    known('crm', [unionid], { name: '林静', phone: mobile, city: '上海' }, { userId, ...at(12) }),
    // a JD order, and later she claims its number
    paid('jd', [jd, order], `J${number}`, 310.5, at(13)),
    known('crm', [order], {}, { userId, ...at(14) }),
    // a refund of the first order, in part
    did('tmall', 'Order Refunded', [tmall], { order_id: `T${number}`, total: 50, currency: 'CNY' }, at(15)),
  ];
  const identifiers = [tmall, jd, openid, unionid, external, card, order, ['user_id', userId],
                       ['mobile', mobile], ['anonymous_id', anonymousId, 'h5']];
  return { statements, identifiers, userId };
}

test(`S1: one woman in ${women} orders of arrival is one OneID, one timeline, one sum`,
  { skip: missingBinary },
  async (t) => {
    t.diagnostic(`KITH_SEED=${seed}`);
    const chance = random(seed);
    const plans = Array.from({ length: women }, (_, number) => {
      const her = woman(number);
      // the first arrives as told, the second backwards, the others anyhow
      const order = number === 0 ? her.statements
        : number === 1 ? [...her.statements].reverse() : shuffled(her.statements, chance);
      return { ...her, order };
    });
    await eachOf(plans, 16, ({ order }) => house.tell(order));

    const types = new Map();
    const seen = new Set();
    for (const [number, { identifiers, userId, order, statements }] of plans.entries()) {
      const how = () => `woman ${number}, arrival ${order.map((one) => statements.indexOf(one)).join(' ')}`;
      const ids = await Promise.all(identifiers.map((identifier) => house.who(identifier)));
      assert.equal(new Set(ids).size, 1, `${how()}: ${identifiers.map(([type], i) => `${type}=${ids[i]}`).join(' ')}`);
      assert.ok(ids[0], how());
      assert.ok(!seen.has(ids[0]), `${how()}: shares her OneID with another`);
      seen.add(ids[0]);
      const customer = await house.kith.customerBy('user_id', userId);
      assert.equal(customer.summary.orders, 3, how());
      assert.equal(customer.summary.revenue, 19990 - 5000 + 8800 + 31050, how());
      assert.equal(customer.summary.refunded, 5000, how());
      assert.equal(customer.traits.city, '上海');
      const timeline = await house.kith.timeline(customer.one_id);
      const told = timeline.map((event) => `${event.kind} ${event.type}`).join('\n');
      types.set(told, number);
      assert.equal(timeline.length, statements.length, `${how()}\n${told}`);
      const times = timeline.map((event) => event.time);
      assert.deepEqual(times, [...times].sort(), `${how()}: out of order`);
    }
    assert.equal(types.size, 1, 'every order of arrival gives the same timeline');
  });

test('S1: the link rate of each channel is told', { skip: missingBinary }, async () => {
  const { items } = await house.kith.get('/identity/link-rate');
  const rates = Object.fromEntries(items.map((item) => [item.channel, item]));
  for (const channel of ['tmall', 'jd', 'mini_program', 'wecom', 'store', 'web']) {
    assert.ok(rates[channel], `no rate for ${channel} in ${Object.keys(rates)}`);
    assert.equal(rates[channel].customers, women, channel);
    assert.equal(rates[channel].linked, women, channel);
    assert.equal(rates[channel].rate, 1, channel);
  }
});

test('S1: explain says why each identifier is hers', { skip: missingBinary }, async () => {
  const customer = await house.kith.customerBy('user_id', 'U0');
  const explained = await house.kith.get(`/customers/${customer.one_id}/explain`);
  assert.ok(explained.sentences.length > 0);
  assert.ok(explained.sentences.every((sentence) => sentence.zh && sentence.en));
  for (const identifier of explained.identifiers) assert.ok(identifier.why, identifier.type);
  assert.ok(explained.merges.length > 0);
});
