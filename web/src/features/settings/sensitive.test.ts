/* SPDX-License-Identifier: Apache-2.0 */
import { expect, test } from 'vitest';
import { nextOf } from './sensitive';

test('one asks, another releases, and it can be held again', () => {
  expect(nextOf({ state: 'held', asked_by: null }, 'lily')).toBe('ask');
  expect(nextOf({ state: 'asked', asked_by: 'lily' }, 'lily')).toBe('own');
  expect(nextOf({ state: 'asked', asked_by: 'lily' }, 'rose')).toBe('release');
  expect(nextOf({ state: 'released', asked_by: 'lily' }, 'lily')).toBe('hold');
});
