/* SPDX-License-Identifier: Apache-2.0 */
/* The feed holds each event once, with its last outcome, newest first, and no more than it may. */
import { describe, expect, it } from 'vitest';
import { mergeFeed, type LiveEvent } from './feed';

const event = (id: number, outcome: LiveEvent['outcome'] = 'applied'): LiveEvent => ({
  id, at: '2026-11-21T00:00:00Z', source: 'web', door: 'segment', type: 'Order Paid', raw: '{}', outcome, reason: '', one_id: null, created: false, merges: 0,
});
const ids = (events: readonly LiveEvent[]): number[] => events.map((one) => one.id);

describe('mergeFeed', () => {
  it('puts the newest first, whatever the order of arrival', () => {
    expect(ids(mergeFeed([event(3), event(1)], [event(2), event(4)]))).toEqual([4, 3, 2, 1]);
  });
  it('keeps one of each and the later word on it', () => {
    const merged = mergeFeed([event(2, 'pending'), event(1)], [event(2, 'duplicate')]);
    expect(ids(merged)).toEqual([2, 1]);
    expect(merged[0]?.outcome).toBe('duplicate');
  });
  it('forgets the oldest', () => {
    const many = Array.from({ length: 10 }, (_, at) => event(at + 1));
    expect(ids(mergeFeed([], many, 3))).toEqual([10, 9, 8]);
  });
});
