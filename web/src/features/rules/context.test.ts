/* SPDX-License-Identifier: Apache-2.0 */
import { expect, test } from 'vitest';
import { countMark } from './context';

const say = { short: (count: number): string => `${count}`, exact: (count: number): string => `exactly ${count}` };

test('the place of a count is the same before it comes, when it is there, and while it is counted anew', () => {
  const marks = [undefined, { count: 12, isOld: false }, { count: 12, isOld: true }].map((one) => countMark(one, say));
  expect(marks.every((one) => one.className.split(' ').includes('rule-count-mark'))).toBe(true);
  expect(marks.map((one) => one.text)).toEqual(['', '12', '12']);
  expect(marks.map((one) => one.className.includes('old'))).toEqual([false, false, true]);
  expect(marks[0]?.title).toBeUndefined();
});
