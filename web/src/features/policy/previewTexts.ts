/* SPDX-License-Identifier: Apache-2.0 */
/* previewTexts: words of the trial of a policy. */
import { catalogue } from '@/lib/text';
import type { Difference } from './rehearsal';

const parts = (words: readonly (string | null)[], joint: string): string => words.filter((one) => one !== null).join(joint);
const exact = (value: number): string => value.toLocaleString('en');

export const previewTexts = catalogue({
  zh: {
    title: '保存前先试算', hint: '把最近发出的和正在排队的消息，按现在的规则和改过的规则各走一遍关卡，比一比。不会真的发，也不会改任何东西。', period: '时段', lastDays: (days: number) => `近 ${days} 天`, ask: '试算', again: '再算一次', before: '改好以后点「试算」，看会多拦几条、少拦几条。', old: '规则又改过了，下面是改之前的结果。', nothing: '这段时间没有发过消息，也没有在排队的：没有可比的。',
    sentence: ({ more, fewer, later }: Difference) => `${parts([more > 0 ? `多拦 ${exact(more)} 条` : null, fewer > 0 ? `少拦 ${exact(fewer)} 条` : null, later > 0 ? `${exact(later)} 条会晚一些` : null], '，') || '和现在没有差别'}。`,
    sample: (oneIn: number) => `消息太多：抽了 ${exact(oneIn)} 分之一的客户来算，数字已按全部折算。`, partial: '还有一些没有算进来。', touches: '算了多少条', ends: { went: '照常发', late: '暂缓后发', waiting: '还在暂缓', stopped: '不发' }, held: '暂缓', waitingStopped: (count: number) => `在排队的 ${exact(count)} 条里不发`,
    by: '哪一关', customer: '客户', at: '时间', channel: '渠道', from: '旅程或活动', now: '现在', draft: '改了以后',
  },
  en: {
    title: 'Try it before saving', hint: 'What went out lately and what is queued passes the gates twice, under the policy in force and under the changed one. Nothing is sent and nothing is changed.', period: 'Period', lastDays: (days: number) => `last ${days} days`, ask: 'Try it', again: 'Again', before: 'After a change, see how many more or fewer messages would be stopped.', old: 'The draft was changed since; below is how it was before.', nothing: 'Nothing was sent in this time and nothing is queued: there is nothing to compare.',
    sentence: ({ more, fewer, later }: Difference) => `${parts([more > 0 ? `${exact(more)} more are stopped` : null, fewer > 0 ? `${exact(fewer)} fewer are stopped` : null, later > 0 ? `${exact(later)} go later` : null], ', ') || 'As under the policy in force'}.`,
    sample: (oneIn: number) => `There are many: one customer in ${exact(oneIn)} was taken, and counts are as of all.`, partial: 'Some were left out.', touches: 'Messages looked at', ends: { went: 'sent', late: 'held, then sent', waiting: 'still held', stopped: 'not sent' }, held: 'held', waitingStopped: (count: number) => `of ${exact(count)} queued, not sent`,
    by: 'Gate', customer: 'Customer', at: 'When', channel: 'Channel', from: 'Journey or campaign', now: 'In force', draft: 'Draft',
  },
});
