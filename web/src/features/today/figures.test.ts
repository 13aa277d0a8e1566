/* SPDX-License-Identifier: Apache-2.0 */
/* Events of today are those since midnight where the workspace is, not where the browser is. */
import { expect, it } from 'vitest';
import { eventsToday } from './figures';

const hours = (from: string, counts: readonly number[]) => counts.map((events, at) => ({ hour: new Date(Date.parse(from) + at * 3_600_000).toISOString(), events }));

it('counts from midnight of the zone', () => {
  const day = hours('2026-11-20T14:00:00Z', [5, 7, 11, 13, 17]); // 22:00 to 02:00 in Shanghai
  expect(eventsToday(day, Date.parse('2026-11-20T18:30:00Z'), 'Asia/Shanghai')).toBe(11 + 13 + 17);
  expect(eventsToday(day, Date.parse('2026-11-20T18:30:00Z'), 'UTC')).toBe(53);
});
