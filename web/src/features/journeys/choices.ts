/* SPDX-License-Identifier: Apache-2.0 */
/* choices: members of a journey that are one of a few words: what each is called, and what the member is called without them. The catalogue
 * says both in one line; a word that it adds can still be chosen by its own name.
 */
import { catalogue } from '@/lib/text';

export const choiceTexts = catalogue({
  zh: {
    standard: '默认', names: { on: '什么时候' } as Record<string, string>,
    words: {
      late: { go: '照常继续', skip: '跳过下一条消息', window: '等到下一个时段', again: '重新等待', exit: '退出旅程' },
      zone: { workspace: '工作区时区', customer: '客户所在地' },
      on: { enter: '进入人群', leave: '离开人群' },
      reentry: { always: '可以反复进入', never: '只进一次', after: '隔一段时间可再进' },
    } as Record<string, Record<string, string>>,
  },
  en: {
    standard: 'as usual', names: { on: 'when' },
    words: {
      late: { go: 'goes on', skip: 'skips the next message', window: 'waits for the next window', again: 'waits anew', exit: 'leaves the journey' },
      zone: { workspace: 'of the workspace', customer: 'of the customer' },
      on: { enter: 'enters the segment', leave: 'leaves the segment' },
      reentry: { always: 'as often as it comes', never: 'once', after: 'again after a time' },
    },
  },
});

const codes: Readonly<Record<string, readonly string[]>> = {
  late: ['go', 'skip', 'window', 'again', 'exit'], zone: ['workspace', 'customer'], on: ['enter', 'leave'], reentry: ['always', 'never', 'after'],
};

/* The words that a text member may be; null where anything may stand. */
export function choicesOf(member: { name: string; type: string }): readonly string[] | null {
  return member.type === 'text' && Object.hasOwn(codes, member.name) ? (codes[member.name] ?? null) : null;
}

/* '迟到时: go 照常, skip …' → '迟到时'. */
export function nameWithoutChoices(label: string): string {
  const [name = label] = label.split(/[:：]/);
  return name.trim();
}
