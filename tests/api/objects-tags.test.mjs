// SPDX-License-Identifier: Apache-2.0
// S5 against the real binary: tags on products, stores, owners; people, stores and products as the answer, with the
// count of each part and of the whole; what changes of an object moves who depends on it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';
import { expect, identify, refused, track, users } from './support.mjs';

let kith, tokens, shop;
const real = { skip: missingBinary };
const NOW = '2026-07-18T02:00:00Z';
const day = (days) => new Date(Date.parse(NOW) + days * 86_400_000).toISOString();

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  tokens = await users(kith);
  shop = await kith.source('shop');
});
after(async () => kith?.remove());

const send = (...events) => kith.batch(shop.write_key, events);
const object = (kind, id, props) => expect(kith, 200, 'PUT', `/objects/${kind}/${id}`, { body: { props } });
const tag = (key, body) => expect(kith, 200, 'PUT', `/tags/${key}`, { body });
const segment = (key, body) => expect(kith, 200, 'PUT', `/segments/${key}`, { body });
const preview = (body) => expect(kith, 200, 'POST', '/segments/preview', { body, token: tokens.operator });
const tagsOf = async (kind, id) => (await expect(kith, 200, 'GET', `/objects/${kind}/${id}/tags`)).tags;
const paid = (user, id, product, store, days) =>
  track(user, 'Order Paid', { order_id: id, revenue: '100.00', currency: 'CNY', product_id: product, store_id: store }, { timestamp: day(days) });
const visit = (user, store, days) => track(user, 'Store Visited', { store_id: store }, { timestamp: day(days) });

/* What is counted or swept comes a moment later. */
async function until(what, ask) {
  let last;
  for (const end = Date.now() + 15_000; Date.now() < end;) {
    last = await ask();
    try {
      assert.deepEqual(last, what);
      return;
    } catch {
      await new Promise((wake) => setTimeout(wake, 30));
    }
  }
  assert.deepEqual(last, what);
}

const during618 = { from: '2026-06-01', to: '2026-06-21' };
const boughtModelA = { event: 'Order Paid', during: during618,
  where: [{ object: 'product', via: 'product_id', rule: { all: [{ prop: 'model', eq: 'A' }] } }] };
const atLowService = { event: 'Store Visited', where: [{ object: 'store', via: 'store_id', rule: { tag: 'service', eq: 'low' } }] };
const notForHalfAYear = { event: 'Store Visited', last: '180d', eq: 0 };

test('S5: objects are described, brought, and stand in the catalogue with what they lead to', real, async () => {
  await expect(kith, 200, 'PUT', '/object-kinds/product', { body: {
    name: '商品', properties: { model: { type: 'text' }, price: { type: 'money' }, brand_id: { type: 'text', object: 'brand' } } } });
  await object('owner', 'li', { name: 'Li' });
  await object('brand', 'b1', { name: 'One', owner_id: 'li' });
  await object('brand', 'b2', { name: 'Two', owner_id: 'wu' });
  await object('product', 'p1', { model: 'A', price: 9900, brand_id: 'b1', tags: ['new'] });
  await object('product', 'p2', { model: 'B', price: 19900, brand_id: 'b2' });
  await object('store', 's1', { city: '上海', score: 2 });
  await object('store', 's2', { city: '杭州', score: 5 });
  await object('adviser', 'a1', { name: 'Xu', store_id: 's1' });
  await send(
    identify('ann', { city: '上海', adviser_id: 'a1', phone: '13800000001' }),
    identify('bob', { city: '杭州' }),
    identify('eve', {}),
    paid('ann', 'o1', 'p1', 's1', -40), visit('ann', 's1', -200),
    paid('bob', 'o2', 'p1', 's2', -35), visit('bob', 's1', -300), visit('bob', 's2', -3),
    paid('eve', 'o3', 'p2', 's1', -38), visit('eve', 's2', -250),
    paid('kim', 'o4', 'p1', 's2', -2), visit('kim', 's1', -400),
  );
  await until(['adviser 1', 'brand 2', 'owner 1', 'product 2', 'store 2'], async () =>
    (await expect(kith, 200, 'GET', '/rules/catalogue')).objects.map((one) => `${one.kind} ${one.count}`).sort());
  const catalogue = await expect(kith, 200, 'GET', '/rules/catalogue');
  const product = catalogue.objects.find((one) => one.kind === 'product');
  assert.equal(product.count, 2);
  assert.deepEqual(product.properties.find((one) => one.name === 'brand_id'), { name: 'brand_id', type: 'text', object: 'brand' });
  assert.equal(product.properties.find((one) => one.name === 'tags').type, 'texts');
  assert.ok(product.events.some((one) => one.event === 'Order Paid' && one.via === 'product_id'));
  assert.deepEqual(catalogue.objects.find((one) => one.kind === 'adviser').traits, ['adviser_id']);
  assert.deepEqual(catalogue.channels.map((one) => one.channel).sort(), ['call', 'email', 'official_account', 'sms', 'subscription', 'wecom']);
});

test('S5: tags on stores and products by rule, counted, by hand; each count and the whole', real, async () => {
  const service = await tag('service', { name: '服务能力', on: 'store', kind: 'rule',
    values: [{ value: 'low', rule: { prop: 'score', lt: 3 } }, { value: 'high', rule: { prop: 'score', gte: 3 } }] });
  assert.equal(service.on, 'store');
  assert.equal(service.state, 'live');
  assert.deepEqual(service.sizes, [{ value: 'low', count: 1 }, { value: 'high', count: 1 }]);
  const sales = await tag('sales', { on: 'product', kind: 'count', measure: { event: 'Order Paid', via: 'product_id', measure: 'count' } });
  assert.equal(sales.state, 'live');
  await tag('buyers', { on: 'product', kind: 'count', measure: { event: 'Order Paid', via: 'product_id', measure: 'customers' } });
  await tag('hot', { on: 'product', kind: 'rule', values: [{ value: 'hot', rule: { tag: 'sales', gte: 3 } }] });
  await until({ sales: 3, buyers: 3, hot: 'hot' }, () => tagsOf('product', 'p1'));
  assert.deepEqual(await tagsOf('product', 'p2'), { sales: 1, buyers: 1 });
  await tag('grade', { on: 'product', kind: 'imported', type: 'text' });
  assert.deepEqual(await expect(kith, 200, 'POST', '/tags/grade/values', { body: { values: [{ object: 'p2', value: 'gold' }, { object: 'none', value: 'gold' }] } }),
    { changed: 1, unknown: 1 });
  assert.equal((await tagsOf('product', 'p2')).grade, 'gold');
  const whole = { all: [boughtModelA, atLowService, notForHalfAYear] };
  const counts = await preview({ rule: whole });
  assert.deepEqual(counts.conditions, [{ path: '/all/0', count: 2 }, { path: '/all/1', count: 3 }, { path: '/all/2', count: 3 }]);
  assert.equal(counts.count, 1); // ann alone
  const call = await segment('call-centre', { name: '给呼叫中心', rule: whole });
  assert.equal(call.count, 1);
  assert.deepEqual((await expect(kith, 200, 'GET', '/segments/call-centre/members')).items,
    [(await expect(kith, 200, 'GET', '/customers/by/user_id/ann')).one_id]);
});

test('S5: stores, products, owners as the answer, and who they did it through', real, async () => {
  const low = await preview({ on: 'store', rule: { all: [{ tag: 'service', eq: 'low' }, { prop: 'city', eq: '上海' }] } });
  assert.equal(low.count, 1);
  assert.equal(low.base, 2);
  assert.deepEqual(low.sample, ['s1']);
  assert.deepEqual(low.conditions, [{ path: '/all/0', count: 1 }, { path: '/all/1', count: 1 }]);
  const where = await preview({ on: 'store', rule: { all: [] },
    customers: { rule: boughtModelA, measure: { event: 'Order Paid', via: 'store_id' } } });
  assert.deepEqual(where.items, [{ id: 's1', customers: 1, events: 1 }, { id: 's2', customers: 1, events: 1 }]);
  const three = await preview({ rule: { event: 'Order Paid', where: { object: 'product', via: 'product_id',
    rule: { object: 'brand', via: 'brand_id', rule: { object: 'owner', via: 'owner_id', rule: { prop: 'name', eq: 'Li' } } } } } });
  assert.equal(three.count, 3);
  const advised = await preview({ rule: { object: 'adviser', via: 'adviser', rule: { object: 'store', via: 'store_id', rule: { tag: 'service', eq: 'low' } } } });
  assert.equal(advised.count, 1);
  const list = await segment('low-stores', { on: 'store', rule: { tag: 'service', eq: 'low' } });
  assert.equal(list.count, 1);
  assert.deepEqual((await expect(kith, 200, 'GET', '/segments/low-stores/members')).items, ['s1']);
  await segment('picked', { on: 'product', kind: 'static' });
  assert.deepEqual(await expect(kith, 200, 'POST', '/segments/picked/members', { body: { add: ['p2', 'p9'] } }), { changed: 1, unknown: 1 });
  assert.deepEqual((await expect(kith, 200, 'GET', '/segments/picked/members')).items, ['p2']);
});

test('S5: an object that changes moves its tags, its lists, and the customers that ask for it', real, async () => {
  await object('store', 's1', { city: '上海', score: 4 });
  await until('high', async () => (await tagsOf('store', 's1')).service);
  await until([], async () => (await expect(kith, 200, 'GET', '/segments/low-stores/members')).items);
  await until(0, async () => (await expect(kith, 200, 'GET', '/segments/call-centre')).count);
  await object('store', 's2', { city: '杭州', score: 1 });
  await until(['s2'], async () => (await expect(kith, 200, 'GET', '/segments/low-stores/members')).items);
  assert.equal((await expect(kith, 200, 'GET', '/segments/call-centre')).count, 0); // bob was at s2 three days ago
  await object('store', 's1', { city: '上海', score: 1 });
  await until(1, async () => (await expect(kith, 200, 'GET', '/segments/call-centre')).count);
  await expect(kith, 204, 'DELETE', '/objects/store/s1');
  await until(0, async () => (await expect(kith, 200, 'GET', '/segments/call-centre')).count);
});

test('S5: a count moves with the next order, and all of it is there after a kill', real, async () => {
  await send(paid('kim', 'o5', 'p2', 's1', -1), paid('kim', 'o6', 'p2', 's1', -1));
  await until({ sales: 3, buyers: 2, hot: 'hot', grade: 'gold' }, () => tagsOf('product', 'p2'));
  await kith.kill9();
  await kith.launch();
  assert.deepEqual(await tagsOf('product', 'p2'), { sales: 3, buyers: 2, hot: 'hot', grade: 'gold' });
  assert.deepEqual((await expect(kith, 200, 'GET', '/segments/low-stores/members')).items, ['s2']);
  assert.deepEqual((await expect(kith, 200, 'GET', '/segments/picked/members')).items, ['p2']);
});

test('S5: what people bought first, on how many days, in how many stores', real, async () => {
  const count = (key, measure) =>
    tag(key, { on: 'product', kind: 'count', measure: { event: 'Order Paid', via: 'product_id', ...measure } });
  await count('first', { nth: 1 });
  await count('days', { measure: 'days' });
  await count('stores', { measure: 'distinct', of: 'store_id' });
  const three = async (id) => {
    const { first, days, stores } = await tagsOf('product', id);
    return { first, days, stores };
  };
  await until({ first: 3, days: 3, stores: 2 }, () => three('p1'));
  await until({ first: 1, days: 2, stores: 1 }, () => three('p2'));
  for (const key of ['first', 'days', 'stores']) await expect(kith, 204, 'DELETE', `/tags/${key}`);
});

test('what is wrong with objects is refused with its place', real, async () => {
  const unknown = await refused(kith, 422, 'unprocessable', 'PUT', '/tags/x', { body: { on: 'stor', kind: 'manual' } });
  assert.equal(unknown.errors[0].pointer, '/on');
  assert.match(JSON.stringify(unknown), /store/);
  const moved = await refused(kith, 422, 'unprocessable', 'PUT', '/tags/grade', { body: { on: 'store', kind: 'manual' } });
  assert.equal(moved.errors[0].pointer, '/on');
  const via = await refused(kith, 422, 'unprocessable', 'PUT', '/tags/x', { body: { on: 'product', kind: 'count', measure: { event: 'Order Paid', measure: 'count' } } });
  assert.equal(via.errors[0].pointer, '/measure/via');
  await refused(kith, 409, 'conflict', 'DELETE', '/tags/service');
  await refused(kith, 422, 'unprocessable', 'PUT', '/segments/y', { body: { rule: { tag: 'service', eq: 'low' } } });
});

test('a kind that nobody uses is described no more; a search takes no notice of case and width', real, async () => {
  await refused(kith, 404, 'not_found', 'DELETE', '/object-kinds/nothing-such');
  const held = await refused(kith, 409, 'conflict', 'DELETE', '/object-kinds/product');
  assert.match(held.detail, /2 objects/);
  await expect(kith, 200, 'PUT', '/object-kinds/car', { body: { name: '车', properties: { model: { type: 'text' } } } });
  await expect(kith, 200, 'PUT', '/object-kinds/garage', { body: { properties: { car_id: { type: 'text', object: 'car' } } } });
  await expect(kith, 200, 'PUT', '/segments/drivers', { body: { rule: { object: 'car', via: 'adviser_id', rule: { prop: 'model', eq: 'T' } } } });
  const used = await refused(kith, 409, 'conflict', 'DELETE', '/object-kinds/car');
  assert.match(used.detail, /kind 'garage'.*segment 'drivers'/);
  await expect(kith, 204, 'DELETE', '/object-kinds/garage');
  await expect(kith, 204, 'DELETE', '/segments/drivers');
  await expect(kith, 200, 'PUT', '/journeys/cars', { body: { name: 'cars', trigger: { type: 'event', event: 'Order Paid', key: 'order_id' }, start: 'many', nodes: {
    many: { type: 'branch', cases: [{ rule: { object: 'car', via: 'adviser_id', rule: { prop: 'model', eq: 'T' } }, next: null }], otherwise: null } } } });
  assert.match((await refused(kith, 409, 'conflict', 'DELETE', '/object-kinds/car')).detail, /journey 'cars'/);
  await expect(kith, 204, 'DELETE', '/journeys/cars');
  await object('car', 'T-1', { model: 'Ｔ型　大' });
  for (const query of ['t-1', 'T型', 'ｔ－１', '型 大']) {
    const found = await expect(kith, 200, 'GET', `/objects/car?query=${encodeURIComponent(query)}`);
    assert.deepEqual(found.items.map((one) => one.id), ['T-1'], query);
  }
  await refused(kith, 409, 'conflict', 'DELETE', '/object-kinds/car');
  await expect(kith, 204, 'DELETE', '/objects/car/T-1');
  await expect(kith, 204, 'DELETE', '/object-kinds/car');
  const kinds = async () => (await expect(kith, 200, 'GET', '/object-kinds')).items.map((one) => one.kind);
  assert.ok(!(await kinds()).includes('car'));
  await until(true, async () => !(await expect(kith, 200, 'GET', '/rules/catalogue')).objects.some((one) => one.kind === 'car'));
  await refused(kith, 404, 'not_found', 'DELETE', '/object-kinds/car');
  assert.ok((await kinds()).includes('product'));
});

test('what stores and products sold, net of refunds: each order by the object that it names', real, async () => {
  await tag('net_sales', { on: 'store', kind: 'count', measure: { event: 'Order Paid', via: 'store_id', net: true, measure: 'sum', of: 'revenue' } });
  await tag('net_orders', { on: 'store', kind: 'count', measure: { event: 'Order Paid', via: 'store_id', net: true, measure: 'count' } });
  await until({ net_sales: 20000, net_orders: 2 }, async () => {
    const { net_sales, net_orders } = await tagsOf('store', 's2');
    return { net_sales, net_orders };
  });
  await send(
    track('kim', 'Order Refunded', { order_id: 'o4', total: '40.00', currency: 'CNY' }, { timestamp: day(-1) }),
    track('bob', 'Order Cancelled', { order_id: 'o2' }, { timestamp: day(-1) }),
  );
  await until({ net_sales: 6000, net_orders: 1 }, async () => {
    const { net_sales, net_orders } = await tagsOf('store', 's2');
    return { net_sales, net_orders };
  });
  // Of an order's several products a refund does not say which went back.
  await send(track('liu', 'Order Paid', { order_id: 'o9', revenue: '10.00', currency: 'CNY', products: [{ product_id: 'p1' }, { product_id: 'p2' }] }));
  const measure = { event: 'Order Paid', via: 'products.product_id', measure: 'count' };
  await expect(kith, 200, 'PUT', '/tags/parts', { body: { on: 'product', kind: 'count', measure } });
  const net = await refused(kith, 422, 'unprocessable', 'PUT', '/tags/parts', { body: { on: 'product', kind: 'count', measure: { ...measure, net: true } } });
  assert.equal(net.errors[0].pointer, '/measure/net');
});
