/* SPDX-License-Identifier: Apache-2.0 */
/* Which days a view shows, and what a day sums up to. */
import { expect, it } from 'vitest';
import { byDay, daysOf, linesOf, mondayOf, stepped, sumOf, type Item } from './calendar';

const item = (change: Partial<Item>): Item => ({
  kind: 'sent', day: '2026-06-18', first_at: '2026-06-18T02:00:00Z', last_at: '2026-06-18T03:00:00Z', journey: 'four', name: '四轮触达', state: 'live', team: null, campaign: null, node: 'a', node_name: 'a', channel: 'sms', account: 'sms', template: 't', segment: null, reason: null, count: 3, at_most: false, ...change,
});

it('shows whole weeks from Monday', () => {
  expect(mondayOf('2026-11-22')).toBe('2026-11-16');
  expect(mondayOf('2026-11-16')).toBe('2026-11-16');
  const month = daysOf('month', '2026-11-22');
  expect([month.length, month[0], month.at(-1)]).toEqual([42, '2026-10-26', '2026-12-06']);
  expect(daysOf('month', '2027-02-10').length).toBe(28);
  expect(daysOf('week', '2026-11-22')).toEqual(['2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22']);
  expect(daysOf('list', '2026-12-20').at(-1)).toBe('2027-01-18');
});

it('steps over the ends of months and years', () => {
  expect([stepped('month', '2026-12-31', 1), stepped('month', '2026-01-15', -1), stepped('week', '2026-12-30', 1), stepped('list', '2026-01-01', -1)]).toEqual(['2027-01-01', '2025-12-01', '2027-01-06', '2025-12-02']);
});

it('sums a day by journey, channel and whether it went', () => {
  const lines = linesOf([item({}), item({ node: 'b', count: 4, first_at: '2026-06-18T01:00:00Z' }), item({ channel: 'wecom', count: 1 }), item({ kind: 'waiting', count: null }), item({ kind: 'scheduled', count: 5, at_most: true }), item({ kind: 'run', channel: null, count: 100 }), item({ journey: null, name: null, campaign: '618' })]);
  expect(lines.find((line) => line.phase === 'sent' && line.channel === 'sms' && line.journey === 'four')).toMatchObject({ count: 7, first: '2026-06-18T01:00:00Z' });
  expect(lines.find((line) => line.phase === 'coming')).toMatchObject({ count: 5, atMost: true });
  expect(lines.find((line) => line.journey === '')).toMatchObject({ name: '618', count: 3 });
  expect(lines.length).toBe(5);
  expect(sumOf(lines)).toBe(16);
});

it('parts days, of one journey or all', () => {
  const days = byDay([item({}), item({ day: '2026-06-19', journey: 'cart' })], 'cart');
  expect([...days.keys()]).toEqual(['2026-06-19']);
});
