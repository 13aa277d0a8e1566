/* SPDX-License-Identifier: Apache-2.0 */
/* S22: the numbers of a run as they stand at the end of a day. */
import { expect, it } from 'vitest';
import { assumptionText, countsUpTo, daysOf, reportUpTo, touchesUpTo, type Result } from './whatif';

const node = (name: string) => ({ node: name, type: 'send', name: '', waiting: 0, entered: 9, left: 9, timed_out: 0 });
const result = {
  days: [
    { day: '2026-06-01', node: '$start', entered: 3 },
    { day: '2026-06-01', node: 'text', entered: 3, left: 1 },
    { day: '2026-06-02', node: 'text', entered: 2, left: 3 },
    { day: '2026-06-02', node: '$start', exited: 5 },
    { day: '2026-06-02', node: '$start', goal: 'again', goals: 1 },
  ],
  touches: [
    { node: 'text', day: '2026-06-01', status: 'sent', reason: '', count: 2 },
    { node: 'text', day: '2026-06-02', status: 'sent', reason: '', count: 1 },
    { node: 'call', day: '2026-06-02', status: 'suppressed', reason: 'no_consent', count: 4 },
  ],
  report: { nodes: [node('text'), node('call')] },
} as unknown as Result;

it('days, counts and touches stand as they did that evening', () => {
  expect(daysOf(result)).toEqual(['2026-06-01', '2026-06-02']);
  expect(countsUpTo(result, '2026-06-01').get('text')).toEqual({ entered: 3, left: 1 });
  expect(countsUpTo(result, '2026-06-02').get('$start')).toEqual({ entered: 3, exited: 5 });
  const [text, call] = reportUpTo(result, '2026-06-02');
  expect([text?.entered, text?.left, text?.waiting]).toEqual([5, 4, 0]); // one left by an exit rule
  expect(reportUpTo(result, '2026-06-01')[0]?.waiting).toBe(2);
  expect([call?.entered, call?.waiting]).toEqual([0, 0]);
  expect(touchesUpTo(result, '2026-06-02', '')).toEqual([{ status: 'suppressed', reason: 'no_consent', count: 4 }, { status: 'sent', reason: '', count: 3 }]);
  expect(touchesUpTo(result, '2026-06-01', 'text')).toEqual([{ status: 'sent', reason: '', count: 2 }]);
});

it('what was assumed reads as Chinese: its marks are of full width, an account has its name', () => {
  const named = (kind: string): string => (kind === 'sms_aliyun' ? '阿里云短信' : kind);
  expect(assumptionText({ code: 'results', zh: 'sms_aliyun:发出的 95.0% 送达,送达的 1.5% 已读', en: 'sms_aliyun: 95.0 % delivered' }, 'zh', named)).toBe('阿里云短信：发出的 95.0% 送达，送达的 1.5% 已读');
  expect(assumptionText({ code: 'alone', zh: '未模拟其他旅程;它们当时', en: 'other journeys, alone' }, 'zh', named)).toBe('未模拟其他旅程；它们当时');
  expect(assumptionText({ code: 'alone', zh: '', en: 'other journeys: alone' }, 'en', named)).toBe('other journeys: alone');
});
