/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: days until due, and what can be done with which. */
import { expect, it } from 'vitest';
import { dueIn, hasPackage, isClosed, performedOf, requestKinds } from './privacy';

it('days until it is due: none on the last day, fewer after it', () => {
  const now = Date.parse('2026-05-01T08:00:00Z');
  expect(dueIn('2026-05-04T09:00:00Z', now)).toBe(3);
  expect(dueIn('2026-05-01T20:00:00Z', now)).toBe(0);
  expect(dueIn('2026-05-01T07:00:00Z', now)).toBe(-1);
  expect(dueIn('2026-04-29T08:00:00Z', now)).toBe(-2);
});

it('each kind is performed, packed, or done by hand, never two of them', () => {
  expect(requestKinds.filter((kind) => performedOf(kind) !== null && hasPackage(kind))).toEqual([]);
  expect(requestKinds.filter((kind) => performedOf(kind) === null && !hasPackage(kind))).toEqual(['correction']);
  expect([isClosed({ state: 'in_progress' }), isClosed({ state: 'refused' })]).toEqual([false, true]);
});
