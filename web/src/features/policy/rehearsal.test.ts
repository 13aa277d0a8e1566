/* SPDX-License-Identifier: Apache-2.0 */
/* What a rehearsal of a policy found is told by what changes most. */
import { expect, it } from 'vitest';
import { differenceOf, reasonsOf, type Preview } from './rehearsal';
import { previewTexts } from './previewTexts';

const counts = (went: number, late: number, waiting: number, stopped: number) => ({ went, late, waiting, stopped });
const preview: Preview = {
  from: '2026-06-11T02:00:00Z', as_of: '2026-06-18T02:00:00Z', touches: 100, one_in: 1, partial: false, changed: 14, more_stopped: 10, fewer_stopped: 1,
  now: counts(90, 5, 0, 5), draft: counts(78, 6, 2, 14), waiting: { touches: 0, now: counts(0, 0, 0, 0), draft: counts(0, 0, 0, 0) },
  reasons: [
    { gate: 'quiet_hours', detail: null, now: { stopped: 0, held: 5 }, draft: { stopped: 0, held: 8 } },
    { gate: 'frequency_cap', detail: 'two a week', now: { stopped: 5, held: 0 }, draft: { stopped: 14, held: 0 } },
  ],
  examples: [],
};

it('puts first what changes most', () => {
  expect(reasonsOf(preview).map((one) => one.gate)).toEqual(['frequency_cap', 'quiet_hours']);
});

it('says how many more and fewer are stopped, and how many go later', () => {
  expect(differenceOf(preview)).toEqual({ more: 10, fewer: 1, later: 3 });
  expect(previewTexts.zh.sentence(differenceOf(preview))).toBe('多拦 10 条，少拦 1 条，3 条会晚一些。');
  expect(previewTexts.en.sentence({ more: 0, fewer: 0, later: 0 })).toBe('As under the policy in force.');
});
