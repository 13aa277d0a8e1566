/* SPDX-License-Identifier: Apache-2.0 */
import { expect, test } from 'vitest';
import { couponsOf, matchingRule, ordersOf, skinFile } from './purchases';
import type { TimelineEvent } from './timeline';

let seq = 0;
function event(type: string, minute: number, props: Record<string, unknown>): TimelineEvent {
  seq += 1;
  const time = new Date(Date.UTC(2026, 5, 18, 0, minute)).toISOString();
  return { seq, type, kind: 'track', channel: 'tmall', source: 'tmall', time, received_at: time, origin: { type: 'user_id', value: 'a' }, node: 'c', props, context: {} } as unknown as TimelineEvent;
}

test('an order is one line however many events tell of it, in whatever order', () => {
  const events = [
    event('Parcel Shipped', 30, { order_id: 'o1' }), event('Order Completed', 40, { order_id: 'o1', total: '90.00' }), event('Order Paid', 10, { order_id: 'o1', revenue: '100.00', currency: 'CNY', products: [{ name: '精华', quantity: 2 }] }),
    event('Order Placed', 5, { order_id: 'o2', total: 20 }),
  ];
  const orders = ordersOf(events);
  expect(orders.map((one) => [one.id, one.state, one.paid, one.net])).toEqual([['o1', 'shipped', 10000, 10000], ['o2', 'placed', 0, 0]]);
  expect(orders[0]?.lines).toEqual([{ name: '精华', quantity: 2 }]);
  expect(ordersOf([...events].reverse()).map((one) => [one.id, one.state, one.net])).toEqual(orders.map((one) => [one.id, one.state, one.net]));
});

test('refunds add up; all back, or without an amount, is wholly refunded; a cancelled order brings nothing', () => {
  const paid = (id: string): TimelineEvent => event('Order Paid', 1, { order_id: id, revenue: 50 });
  const one = (...events: TimelineEvent[]): [string, number, number][] => ordersOf(events).map((order) => [order.state, order.refunded, order.net]);
  expect(one(paid('a'), event('Order Refunded', 2, { order_id: 'a', total: '-10' }), event('Order Refunded', 3, { order_id: 'a', total: '5' }))).toEqual([['refundedInPart', 1500, 3500]]);
  expect(one(paid('b'), event('Order Refunded', 2, { order_id: 'b', total: '60' }))).toEqual([['refunded', 5000, 0]]);
  expect(one(paid('c'), event('Order Refunded', 2, { order_id: 'c' }))).toEqual([['refunded', 5000, 0]]);
  expect(one(paid('d'), event('Order Cancelled', 2, { order_id: 'd' }))).toEqual([['cancelled', 0, 0]]);
});

test('orders without a number are orders of their own', () => {
  expect(ordersOf([event('Order Paid', 1, { revenue: 1 }), event('Order Paid', 2, { revenue: 2 })]).map((one) => [one.id, one.paid])).toEqual([['', 200], ['', 100]]);
});

test('a coupon: claimed, used with its order, refused, taken off again', () => {
  const coupons = couponsOf([
    event('Coupon Claimed', 1, { coupon_id: 'k1', coupon_name: '满减券' }), event('Coupon Used', 5, { coupon_id: 'k1', order_id: 'o1' }),
    event('Coupon Claimed', 2, { coupon_id: 'k2' }), event('Coupon Denied', 3, { coupon_id: 'k2', reason: 'expired' }),
    event('Coupon Applied', 3, { coupon_id: 'k3', order_id: 'o2' }), event('Coupon Removed', 4, { coupon_id: 'k3' }),
  ]);
  const of = (id: string) => coupons.find((one) => one.id === id);
  expect(of('k1')).toMatchObject({ name: '满减券', order: 'o1', denied: '' });
  expect(of('k1')?.usedAt).not.toBeNull();
  expect(of('k2')).toMatchObject({ name: 'k2', usedAt: null, denied: 'expired' });
  expect(of('k3')?.usedAt).toBeNull();
  expect(coupons[0]?.id).toBe('k1');
});

test('S2: a retest makes a new version of the skin file and says what it was before', () => {
  const file = skinFile([event('SkinTestTaken', 9, { skin_type: '中性', score: 60, $lib: 'x' }), event('Skin Test Taken', 1, { skin_type: '干性', score: 60, concerns: ['敏感', '暗沉'] })]);
  expect(file.map((one) => one.version)).toEqual([2, 1]);
  expect(file[0]?.facts).toEqual([{ name: 'skin_type', value: '中性', before: '干性' }, { name: 'score', value: '60', before: null }]);
  expect(file[1]?.facts.find((one) => one.name === 'concerns')?.value).toBe('敏感、暗沉');
});

test('S2: products for her are those that say what her newest test says', () => {
  const [newest] = skinFile([event('Skin Test Taken', 1, { skin_type: 'dry', concerns: ['敏感', '暗沉'], score: 60 })]);
  if (newest === undefined) throw new Error('no version');
  expect(matchingRule(newest, ['name', 'skin_type', 'concerns'])).toEqual({ any: [{ prop: 'skin_type', in: ['dry'] }, { prop: 'concerns', in: ['敏感', '暗沉'] }] });
  expect(matchingRule(newest, ['name', 'price'])).toBeNull();
});
