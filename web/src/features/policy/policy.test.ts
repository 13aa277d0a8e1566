/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the policy are changed without losing what the page does not know; what changed is told row by row. */
import { expect, it } from 'vitest';
import { changesOf, periodOf, placeOf, rowsOf, stopOf, withPart, withPeriod, withRow, type Policy } from './policy';

const policy: Policy = { frequency: [{ name: 'a', per: 'all', max: 1, calendar: 'day', later: 1 }, { per: 'channel', value: 'sms', max: 2, window: '12h' }], hold_out: { percent: 5, journeys: { welcome: 10 } }, of_later: true };

it('changes, adds and removes rows, and keeps the rest', () => {
  const changed = withRow(policy, 'frequency', 1, { per: 'all', max: 9, window: '7d' });
  expect(rowsOf(changed, 'frequency')).toEqual([{ name: 'a', per: 'all', max: 1, calendar: 'day', later: 1 }, { per: 'all', max: 9, window: '7d' }]);
  expect(changed['of_later']).toBe(true);
  expect(rowsOf(withRow(policy, 'frequency', 0, null), 'frequency').length).toBe(1);
  expect(rowsOf(withRow(policy, 'quiet_hours', 0, { from: '22:00', to: '08:00' }), 'quiet_hours').length).toBe(1);
  expect(withPart(policy, 'hold_out', 'percent', undefined)['hold_out']).toEqual({ journeys: { welcome: 10 } });
  expect('hold_out' in withPart({ hold_out: { percent: 5 } }, 'hold_out', 'percent', undefined)).toBe(false);
});

it('counts over a calendar or a window, never both', () => {
  expect(periodOf({ calendar: 'week' })).toEqual({ calendar: 'week', days: null });
  expect(periodOf({ window: '2w' })).toEqual({ calendar: '', days: 14 });
  expect(periodOf({ window: '12h' })).toEqual({ calendar: '', days: null });
  expect(withPeriod({ max: 1, calendar: 'day' }, '', 30)).toEqual({ max: 1, window: '30d' });
  expect(withPeriod({ max: 1, window: '7d' }, 'month', null)).toEqual({ max: 1, calendar: 'month' });
});

it('tells what changed, and where a refusal points', () => {
  const after = { ...withRow(withRow(policy, 'frequency', 0, { max: 2 }), 'frequency', 2, { max: 3 }), settle: '1h', of_later: undefined };
  expect(changesOf(policy, after)).toEqual([{ place: 'frequency/0', kind: 'changed' }, { place: 'frequency/2', kind: 'added' }, { place: 'of_later', kind: 'removed' }, { place: 'settle', kind: 'added' }]);
  expect(changesOf(policy, structuredClone(policy))).toEqual([]);
  expect(placeOf('/frequency/2')).toEqual({ list: 'frequency', at: 2 });
  expect(placeOf('/policy/quiet_hours/0/from')).toEqual({ list: 'quiet_hours', at: 0 });
  expect(placeOf('/settle')).toBeNull();
});

it('reads a stop from the audit', () => {
  const entry = { seq: 1, at: '', user: 'admin', address: '', action: 'stop.put', object: '', detail: '{"scope":"channel","value":"sms","why":"错发","active":true}' };
  expect(stopOf(entry)).toEqual({ scope: 'channel', value: 'sms', active: true, why: '错发' });
  expect(stopOf({ ...entry, detail: '{"scope":"all","active":false}' }).active).toBe(false);
  expect(stopOf({ ...entry, detail: '' })).toEqual({ scope: 'all', value: '', active: true, why: '' });
});
