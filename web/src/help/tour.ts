/* SPDX-License-Identifier: Apache-2.0 */
/* tour: the steps of the short tour, where its card stands, and whether this browser has seen it. */
import { catalogue } from '@/lib/text';

export const tourTexts = catalogue({
  zh: {
    invite: '第一次来？', inviteText: '花一分钟，看看东西都在哪里。', begin: '开始导览', no: '不用了', label: '新手导览', next: '下一步', back: '上一步', skip: '跳过', done: '知道了', at: (step: number, of: number) => `${step} / ${of}`,
    steps: {
      customers: { title: '人都在这里', text: '用手机号、尾号、会员号找任何一位，或按条件筛选。点开就是她的全部：时间线、订单、授权、为什么收到这条消息。' },
      segments: { title: '圈人', text: '把条件写成一句话，边写边看到多少人、能触达多少。保存后随每个事件实时进出。' },
      journeys: { title: '自动做事', text: '在画布上画出旅程。发布之前先预演：用过去的真实事件看会发给谁、发多少。' },
      data: { title: '数据从这里来', text: '建数据源、导入文件、接 Kafka。事件到没到，在「实时事件」里马上看得到。' },
      search: { title: '什么都能搜', text: '按 Ctrl-K：客户、人群、旅程、页面、操作。' },
      attention: { title: '要留意的', text: '失败的发送、待复核的合并、迟到的数据都在铃铛里；导入导出的进度在旁边。' },
      help: { title: '看不懂就点问号', text: '标题旁的问号解释这个词，账户菜单里有全部术语，也能重看这个导览。' },
    },
  },
  en: {
    invite: 'Your first time here?', inviteText: 'One minute to see where things are.', begin: 'Begin the tour', no: 'No, thanks', label: 'Tour', next: 'Next', back: 'Back', skip: 'Skip', done: 'Done', at: (step, of) => `${step} of ${of}`,
    steps: {
      customers: { title: 'Everybody is here', text: 'Find anyone by phone, its last digits, a member card, or by conditions. Her page has all of it: timeline, orders, consent, and why she got a message.' },
      segments: { title: 'Choosing people', text: 'Write conditions as a sentence and see at once how many they are and who can be reached. Once saved they follow each event.' },
      journeys: { title: 'What happens by itself', text: 'Draw a journey on the canvas. Before it is published, a what-if run over real past events says who would get what.' },
      data: { title: 'Where data comes from', text: 'Make a source, import a file, read from Kafka. Live events shows at once what arrives.' },
      search: { title: 'Everything can be searched', text: 'Ctrl-K: customers, segments, journeys, pages, actions.' },
      attention: { title: 'What needs attention', text: 'Failed sends, merges to review and late data are behind the bell; imports and exports beside it.' },
      help: { title: 'A question mark explains', text: 'The mark beside a title explains the word. All terms are in the account menu, and so is this tour.' },
    },
  },
});

export type StepKey = keyof typeof tourTexts.zh.steps;

/* What each step points at; one whose place is not there for this person, or is hidden, is left out. */
export const steps: readonly { key: StepKey; place: string }[] = [
  { key: 'customers', place: '.nav a[href="/customers"]' },
  { key: 'segments', place: '.nav a[href="/segments"]' },
  { key: 'journeys', place: '.nav a[href="/journeys"]' },
  { key: 'data', place: '.nav a[href="/data/sources"], .nav [data-group="data"][aria-expanded="false"]' },
  { key: 'search', place: '.top-search' },
  { key: 'attention', place: '.topbar [data-tour="attention"]' },
  { key: 'help', place: '.topbar [data-tour="person"]' },
];

export const tourKept = 'kith.tour';

interface Box { left: number; top: number; width: number; height: number }

/* Beside its place where there is room, else below or above it; always within the window. */
export function cardPlace(at: Box, card: { width: number; height: number }, window_: { width: number; height: number }): { left: number; top: number } {
  const gap = 12;
  const within = (value: number, size: number, all: number): number => Math.max(gap, Math.min(value, all - size - gap));
  if (at.left + at.width + gap + card.width + gap <= window_.width) return { left: at.left + at.width + gap, top: within(at.top, card.height, window_.height) };
  const below = at.top + at.height + gap;
  const top = below + card.height + gap <= window_.height ? below : at.top - card.height - gap;
  return { left: within(at.left + at.width - card.width, card.width, window_.width), top: within(top, card.height, window_.height) };
}

type Listener = () => void;
const listeners = new Set<Listener>();

/* Begin the tour, wherever it is asked for. */
export function startTour(): void {
  for (const listener of listeners) listener();
}

export function onTour(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
