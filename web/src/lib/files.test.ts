/* SPDX-License-Identifier: Apache-2.0 */
/* CSV opens in spreadsheets as it was seen, and runs nothing there. */
import { expect, it } from 'vitest';
import { toCsv } from './files';

it('quotes what needs quoting and marks the encoding', () => {
  expect(toCsv([['姓名', '金额'], ['王"小"丽, 上海', 12.5]])).toBe('\uFEFF姓名,金额\r\n"王""小""丽, 上海",12.5\r\n');
});

it.each(['=1+1', '+8613800000000', '-2', '@SUM(A1)'])('does not let %s run as a formula', (text) => {
  expect(toCsv([[text]])).toBe(`\uFEFF'${text}\r\n`);
});

it('leaves negative numbers numbers', () => expect(toCsv([[-2]])).toBe('\uFEFF-2\r\n'));
