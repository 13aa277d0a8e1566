/* SPDX-License-Identifier: Apache-2.0 */
/* A timeline reads as days of the workspace's zone, folds browsing and nothing else, and loses no event. */
import { describe, expect, it } from 'vitest';
import { countsBy, factsOf, groupTimeline, type TimelineEvent } from './timeline';

const zone = 'Asia/Shanghai';
let seq = 1_000;
const event = (type: string, time: string, more: Partial<TimelineEvent> = {}): TimelineEvent => ({
  seq: (seq -= 1), type, kind: type === 'Page Viewed' ? 'page' : 'track', channel: 'web', source: 'h5', time, received_at: time, origin: null, node: 'c_1', props: {}, context: {}, ...more,
});

describe('groupTimeline', () => {
  it('cuts days where the zone does', () => {
    const days = groupTimeline([event('Order Paid', '2026-06-17T16:00:00Z'), event('Order Paid', '2026-06-17T15:59:59Z')], zone);
    expect(days.map((day) => day.day)).toEqual(['2026-06-18', '2026-06-17']);
  });
  it('folds three page views in a row, not two', () => {
    const views = ['10:20', '10:10', '10:00'].map((time) => event('Page Viewed', `2026-06-17T${time}:00Z`));
    expect(groupTimeline(views, zone)[0]?.runs.map((run) => run.events.length)).toEqual([3]);
    expect(groupTimeline(views.slice(0, 2), zone)[0]?.runs.map((run) => run.events.length)).toEqual([1, 1]);
  });
  it('does not fold over a pause, another channel or another event', () => {
    const at = (time: string, more: Partial<TimelineEvent> = {}): TimelineEvent => event('Page Viewed', `2026-06-17T${time}:00Z`, more);
    const pause = [at('10:00'), at('09:00'), at('08:00')];
    expect(groupTimeline(pause, zone)[0]?.runs).toHaveLength(3);
    const channels = [at('10:02'), at('10:01', { channel: 'app' }), at('10:00')];
    expect(groupTimeline(channels, zone)[0]?.runs).toHaveLength(3);
    const between = [at('10:02'), event('Order Paid', '2026-06-17T10:01:00Z'), at('10:00')];
    expect(groupTimeline(between, zone)[0]?.runs).toHaveLength(3);
  });
  it('never folds orders', () => {
    const orders = Array.from({ length: 5 }, () => event('Order Paid', '2026-06-17T10:00:00Z'));
    expect(groupTimeline(orders, zone)[0]?.runs).toHaveLength(5);
  });
  it('keeps every event, in order', () => {
    const types = ['Page Viewed', 'Page Viewed', 'Order Paid', 'Page Viewed', 'Page Viewed', 'Page Viewed', 'Page Viewed'];
    const events = types.map((type, at) => event(type, new Date(1_800_000_000_000 - at * 60_000).toISOString()));
    const days = groupTimeline(events, zone);
    expect(days.flatMap((day) => day.runs).flatMap((run) => run.events)).toEqual(events);
    expect(days.reduce((sum, day) => sum + day.count, 0)).toBe(events.length);
  });
});

describe('factsOf', () => {
  const facts = (type: string, props: Record<string, unknown>) => factsOf(event(type, '2026-06-17T10:00:00Z', { props }));
  it('tells an order by amount, goods, shop and number', () => {
    expect(facts('Order Paid', { total: 399.5, currency: 'CNY', affiliation: '天猫旗舰店', order_id: 'T1', products: [{ name: '精华', quantity: 2 }, { name: '面霜' }] })).toEqual([
      { kind: 'money', text: '¥399.50', negative: false },
      { kind: 'text', text: '精华' },
      { kind: 'quantity', count: 3 },
      { kind: 'text', text: '天猫旗舰店' },
      { kind: 'order', text: 'T1' },
    ]);
  });
  it('shows what is given back as such', () => expect(facts('Order Refunded', { total: '99' })[0]).toEqual({ kind: 'money', text: '¥99.00', negative: true }));
  it('knows currencies without minor units', () => expect(facts('Order Paid', { revenue: 1500, currency: 'JPY' })[0]).toMatchObject({ text: 'JP¥1,500' }));
  it('ignores what is not an amount', () => expect(facts('Order Paid', { total: '三百', price: null })).toEqual([]));
  it('names pages and products', () => {
    expect(facts('Product Viewed', { name: '防晒乳', price: 189 })).toContainEqual({ kind: 'text', text: '防晒乳' });
    expect(facts('Page Viewed', { title: '会员日', path: '/618' })).toEqual([{ kind: 'text', text: '会员日' }, { kind: 'text', text: '/618' }]);
  });
  it('names the journey of a touch, or its template where it was sent by hand', () => {
    expect(facts('$Touch', { $journey: 'four_rounds', $template: 'round_1' })).toEqual([{ kind: 'journey', text: 'four_rounds' }]);
    expect(facts('$Touch', { $template: 'round_1' })).toEqual([{ kind: 'template', text: 'round_1' }]);
  });
  it('survives anything in props', () => {
    expect(facts('Order Paid', { products: 'none', total: {}, order_id: 7 })).toEqual([{ kind: 'order', text: '7' }]);
    expect(facts('X', { products: [null, 3, { quantity: 'x' }] })).toEqual([{ kind: 'quantity', count: 1 }]);
  });
});

it('counts choices, most frequent first', () => {
  expect(countsBy([event('A', ''), event('B', ''), event('B', '')], 'type')).toEqual([['B', 2], ['A', 1]]);
});
