// SPDX-License-Identifier: Apache-2.0
// live: the house lives on. Every second some people come, more in the evening than at dawn; what they do
// goes through the real SDKs, and has its consequences (parcels, refunds) minutes later.
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Phones, pageClient, segmentClients } from './clients.mjs';
import { DAY_MS } from './journeys.mjs';
import { Newcomers } from './newcomers.mjs';
import { settings } from './objects.mjs';
import { catalogueOf, lines } from './world.mjs';

/** Visits per second by hour in Shanghai: the shape of a day, with somebody awake at any hour. */
const RHYTHM = [1.2, 0.9, 0.8, 0.7, 0.7, 0.8, 0.9, 1.2, 1.8, 2.3, 2.6, 2.5,
                3.2, 2.9, 2.4, 2.3, 2.4, 2.6, 2.8, 3.5, 4.8, 5.2, 4.4, 2.6];
const PEOPLE_MAX = 20_000;
const NEW_VISITOR = 0.12;      // of the visits on pages
const CLOSE_MS = 3000;
const NEWCOMER = 0.12;         // of all visits
const NEWCOMERS_FIRST = 6;
const REVIEW = 0.3;            // of the parcels that are signed
const STARS = [5, 5, 5, 5, 4, 4, 4, 3, 2, 1];
/** How long one of it lasts: what is bought alone says when it runs out. */
const CARE_DAYS = settings.care_days;

const appids = { muye: 'wx3f1a6c0d5e7b2a91', chuxue: 'wx8d20b7e4c19f6a35', feise: 'wxa57e93d1840cbf26' };
const pick = (list) => list[randomInt(list.length)];
const chance = (share) => randomInt(1_000_000) < share * 1_000_000;

class House {
  constructor(server, notes, people, products) {
    this.people = people;
    this.products = products;
    this.appended = 0;
    this.failures = 0;
    this.timers = new Set();
    const failed = () => void this.failures++;
    this.clients = segmentClients(
      server, notes.keys, ['tmall', 'jd', 'douyin', 'pdd', 'vip', 'mp_server', 'app', 'wecom', 'store', 'crm'], failed,
    );
    this.pages = pageClient(server, notes.keys);
    this.phones = new Phones(server, notes.keys);
  }

  later(ms, act) {
    const timer = setTimeout(() => (this.timers.delete(timer), act()), ms);
    this.timers.add(timer);
  }

  track(source, ids, event, properties) {
    const { userId, external = [], anonymousId, ...context } = ids;
    this.appended++;
    this.clients[source].track({
      event, properties, ...(userId ? { userId } : {}),
      // the SDK wants one of the two: a buyer who is no member goes by the shop's id
      anonymousId: anonymousId ?? (userId ? undefined : external[0].id),
      context: { externalIds: external, ...context },
    });
  }

  // ---- the visits ----

  order(brand) {
    const products = Array.from({ length: 1 + randomInt(3) }, () => pick(this.products.filter((one) => one.brand === brand)));
    const lines_ = products.map((product) => ({ ...product, quantity: chance(0.12) ? 2 : 1 }));
    const fen = lines_.reduce((sum, line) => sum + Math.round(line.price * 100) * line.quantity, 0);
    const discount = Math.floor((fen * pick([0, 0, 5, 10, 20])) / 100);
    const shipping = fen < 9900 ? 800 : 0;
    const [first] = products;
    const lasts = products.length === 1 && CARE_DAYS[first.category];
    return {
      ...(lasts ? { product_id: first.product_id, runs_out_at: new Date(Date.now() + lasts * 86_400_000).toISOString() } : {}),
      order_id: `9${Date.now()}${randomInt(10000).toString().padStart(4, '0')}`, currency: 'CNY',
      subtotal: fen / 100, discount: discount / 100, shipping: shipping / 100,
      revenue: (fen - discount) / 100, total: (fen - discount + shipping) / 100, products: lines_,
    };
  }

  /** Placed, mostly paid, shipped, signed; now and then cancelled or sent back. */
  buy(source, ids, shop, brand) {
    const order = { ...this.order(brand), affiliation: shop };
    const { order_id, currency, total, revenue } = order;
    this.track(source, ids, 'Order Placed', order);
    if (chance(0.06)) {
      this.later(8000, () => this.track(source, ids, 'Order Cancelled', { order_id, currency, total }));
      return;
    }
    this.later(1500 + randomInt(4000), () => {
      this.track(source, ids, 'Order Paid', order);
      const parcel = { order_id, parcel_no: `SF${randomInt(2 ** 47).toString().padStart(13, '0')}`, carrier: '顺丰速运' };
      this.later(DAY_MS, () => {
        this.track(source, ids, 'Parcel Shipped', parcel);
        this.track(source, ids, 'Order Shipped', { order_id });
      });
      this.later(3 * DAY_MS, () => {
        this.track(source, ids, 'Parcel Signed', parcel);
        this.track(source, ids, 'Order Delivered', { order_id });
      });
      if (chance(REVIEW))
        this.later(4 * DAY_MS, () => this.track(source, ids, 'Review Submitted', { order_id, stars: pick(STARS) }));
      if (chance(0.07))
        this.later(5 * DAY_MS, () =>
          this.track(source, ids, 'Order Refunded', { order_id, currency, total: revenue, reason: '七天无理由' }));
    });
  }

  onPlatform(person, platform) {
    const external = [{ type: platform.type, id: platform.value, collection: platform.namespace, encoding: 'none' }];
    this.buy(platform.source, { external }, `${person.brandName}${platform.shop}`, person.brandName);
  }

  inMiniProgram(person) {
    const openid = person.of('wx_openid');
    const unionid = person.of('wx_unionid');
    const userId = person.of('user_id')?.value;
    const sensors = this.phones.open(person.person, openid.namespace);
    sensors.bindOpenid(openid.value);
    if (unionid && chance(0.7)) sensors.setUnionid(unionid.value);
    const product = pick(this.products.filter((one) => one.brand === person.brandName));
    const view = { product_id: product.product_id, sku: product.sku, name: product.name, price: product.price, currency: 'CNY' };
    sensors.track('MiniProgramOpened', { from: pick(['公众号', '扫码', '好友分享', '搜一搜']) });
    sensors.track('ProductViewed', view);
    if (userId && chance(0.5)) {
      sensors.login(userId);
      sensors.track('SignedIn', { kith_signature: this.phones.signature(userId) });
    }
    if (chance(0.4)) sensors.track('ProductAdded', { ...view, quantity: 1 });
    if (chance(0.15)) sensors.track('SkinTestTaken', { skin_type: person.skin_type, score: 55 + randomInt(45) });
    if (chance(0.15)) sensors.track('ContentShared', { share_via: 'wechat', content_id: `post-${randomInt(400)}` });
    this.appended += 3;
    if (chance(0.2)) {
      const external = [{ type: 'wx_openid', id: openid.value, collection: openid.namespace, encoding: 'none' }];
      this.buy('mp_server', { external, ...(userId ? { userId } : {}) }, `${person.brandName}小程序商城`, person.brandName);
    }
  }

  onPage(person) {
    const stranger = !person;
    const anonymousId = stranger ? randomUUID() : person.of('anonymous_id', 'h5').value;
    const context = { page: { url: 'https://h5.example.com/618_return', path: '/618_return', title: '618 返场' },
                      campaign: { source: pick(['wechat', 'xiaohongshu', 'bilibili', 'zhihu']), name: '618_return' } };
    const product = pick(this.products);
    this.pages.page({ anonymousId, name: '618_return', context, properties: context.page });
    this.pages.track({ anonymousId, event: 'Product Viewed', context,
                       properties: { product_id: product.product_id, name: product.name, price: product.price } });
    this.appended += 2;
    const userId = person?.of('user_id')?.value;
    if (!userId || !chance(0.4)) return;
    this.pages.identify({ userId, anonymousId, traits: { last_door: 'h5' }, context });
    this.track('crm', { userId, external: [{ type: 'anonymous_id', id: anonymousId, collection: 'h5', encoding: 'none' }] },
               'Signed In', { method: 'sms_code', at: 'h5' });
  }

  inApp(person) {
    const anonymousId = person.of('anonymous_id', 'app').value;
    const userId = person.of('user_id')?.value;
    const device = { id: person.of('device').value, model: 'ALN-AL80' };
    const product = pick(this.products);
    const ids = { anonymousId, device, ...(userId ? { userId } : {}) };
    this.track('app', ids, 'Product Viewed', { product_id: product.product_id, name: product.name, price: product.price });
    if (chance(0.3)) this.track('app', ids, 'check_in_finished', { day: 1 + randomInt(7) });
  }

  onWecom(person) {
    const external = ['wecom_external_userid', 'wx_unionid'].map((type) => person.of(type)).filter(Boolean)
      .map((id) => ({ type: id.type, id: id.value, collection: id.namespace || 'users', encoding: 'none' }));
    this.track('wecom', { external }, 'Message Received', { message_type: 'text', words: 1 + randomInt(60) });
  }

  inStore(person) {
    const external = [{ type: 'member_card', id: person.of('member_card').value, collection: 'users', encoding: 'none' }];
    const store_id = `S${(1 + randomInt(500)).toString().padStart(4, '0')}`;
    this.track('store', { external }, 'Store Visited', { store_id, purpose: '购物' });
    if (chance(0.6))
      this.later(6000, () => this.track('store', { external }, 'Order Paid', { ...this.order(person.brandName), store_id }));
  }

  /** A member-to-be: the platform's buyer gives her phone, and two customers turn out to be one. */
  bind(person) {
    const userId = person.of('user_id')?.value;
    const mobile = person.of('mobile');
    const platform = pick(person.platforms);
    if (!userId || !mobile || mobile.shared || !platform) return;
    this.appended++;
    this.clients.crm.identify({
      userId, traits: { phone: mobile.value },
      context: { externalIds: [{ type: platform.type, id: platform.value, collection: platform.namespace, encoding: 'none' }] },
    });
  }

  visit() {
    if (chance(NEW_VISITOR)) return this.onPage(undefined);
    const person = pick(this.people);
    const ways = [
      ...person.platforms.map((platform) => () => this.onPlatform(person, platform)),
      person.of('wx_openid') && (() => this.inMiniProgram(person)),
      person.of('anonymous_id', 'h5') && (() => this.onPage(person)),
      person.of('anonymous_id', 'app') && person.of('device') && (() => this.inApp(person)),
      person.of('wecom_external_userid') && (() => this.onWecom(person)),
      person.of('member_card') && (() => this.inStore(person)),
      person.platforms.length > 0 && chance(0.15) && (() => this.bind(person)),
    ].filter(Boolean);
    if (ways.length > 0) pick(ways)();
  }

  /** What the SDKs still hold goes out, if the server takes it within 3 s; they promise no end of their own. */
  async close() {
    for (const timer of this.timers) clearTimeout(timer);
    const flushed = Promise.allSettled([
      ...Object.values(this.clients).map((client) => client.closeAndFlush({ timeout: CLOSE_MS })),
      this.pages.flush(),
    ]);
    await Promise.race([flushed, sleep(CLOSE_MS)]);
  }
}

const platforms = {
  tmall_open_uid: ['tmall', '天猫旗舰店'], jd_open_id: ['jd', '京东自营旗舰店'],
  douyin_doudian_open_id: ['douyin', '抖音旗舰店'], pdd_open_id: ['pdd', '拼多多旗舰店'], vip_open_id: ['vip', '唯品会专场'],
};
const brandNames = { muye: '沐野', chuxue: '初雪', feise: '绯色' };

function readPerson(line) {
  const person = JSON.parse(line);
  person.brandName = brandNames[person.brand];
  person.of = (type, namespace) =>
    person.identifiers.find((one) => one.type === type && (namespace === undefined || one.namespace === namespace));
  person.platforms = person.identifiers
    .filter((one) => platforms[one.type])
    .map((one) => ({ ...one, source: platforms[one.type][0], shop: platforms[one.type][1] }));
  return person;
}

/** A number of visits for this second: Poisson, by the hour. */
function visitsNow() {
  const hour = (new Date().getUTCHours() + 8) % 24;
  const limit = Math.exp(-RHYTHM[hour]);
  let visits = 0;
  for (let product = Math.random(); product > limit; product *= Math.random()) visits++;
  return visits;
}

export async function liveOn(server, notes, signal, say) {
  const world = notes.history;
  const last = Math.min(world.customers, PEOPLE_MAX);
  const people = (await lines('people', world, ['--last', `${last}`])).map(readPerson)
    .filter((person) => person.role !== 'empty_parcel');
  const products = await catalogueOf(world);
  const house = new House(server, notes, people, products);
  const newcomers = new Newcomers(house, server.sandbox);
  for (let i = 0; i < NEWCOMERS_FIRST; i++) newcomers.come();
  newcomers.read();
  let told = Date.now();
  try {
    while (!signal.aborted) {
      for (let visits = visitsNow(); visits > 0; visits--) {
        if (chance(NEWCOMER)) newcomers.come();
        else house.visit();
      }
      if (Date.now() - told > 60_000) {
        told = Date.now();
        say(`${house.appended.toLocaleString('en')} live events so far` +
            (house.failures > 0 ? `, ${house.failures} refused` : ''));
      }
      await sleep(1000, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await house.close();
  }
}
