/* SPDX-License-Identifier: Apache-2.0 */
/* trialTexts: words of trying a journey with one customer. */
import { catalogue } from '@/lib/text';

export const trialTexts = catalogue({
  zh: {
    tab: '试走', hint: '选一位真实客户，从现在起沿着这份草稿走一遍：时间会往前走，她自己什么都不做；不会真的发出任何东西。', who: '手机号、会员号、姓名或 OneID', days: '往后看几天', event: '触发事件的属性（JSON，可不填）', eventWrong: '要是一个 JSON 对象', run: '试走', nobody: '没有找到这位客户', first: '先选一位客户',
    emptyTitle: '还没有试走', empty: '填一位客户，点「试走」。走过的每一步会在画布上亮起来，发的每条消息会按她的资料写好。',
    enters: '会进入旅程', refused: '其实不会进入', refusedBut: '下面是假设放她进来后会怎样。', ended: '走完了', notEnded: '到最后一天还在里面', partial: '步骤太多，只列出前面的',
    form: { title: '触发它的事件', hint: '消息里的内容和条件会用到这些属性；可以都不填', way: '怎么填', asForm: '表单', event: '事件', choose: '按哪个事件填', ofTrigger: '触发旅程', needed: '建议填', unset: '不填', add: '加属性', typeName: '输入属性名', remove: (name: string) => `去掉 ${name}`, jsonWrong: 'JSON，如 ["a"]', timeWrong: '如 2026-11-22T10:00:00+08:00' },
    story: '走过的每一步', allSteps: '看全部步骤', ofStep: (name: string) => `只看「${name}」`, messages: '她会收到什么', noMessages: '没有要发的', at: '时间', becomes: '结果', gate: '被拦下', until: '直到', problem: '写不出来', assumptions: '试走时假定', times: (count: number) => `${count} 次`, start: '进入', entryReasons: { rule: '不符合进入条件', not_in_segment: '不在进入人群里', ramp: '放量还没轮到她', not_a_test_user: '现在只放测试人群', entered_before: '以前进过，不能再进', already_in: '她已经在里面', parallel: '同时在里面的已经够多', cap_hour: '这一小时进的人够多了', cap_day: '今天进的人够多了', cap_total: '进入人数到了上限', control: '她在对照组', hold_out: '她在对照组' } as Record<string, string>,
  },
  en: {
    tab: 'Trial run', hint: 'Choose a real customer and send her along this draft from now on: time passes, she does nothing; nothing is really sent.', who: 'phone, member number, name or OneID', days: 'Days ahead', event: 'Properties of the event that starts it (JSON, or nothing)', eventWrong: 'This has to be a JSON object', run: 'Try it', nobody: 'No such customer', first: 'First choose a customer',
    emptyTitle: 'Not tried yet', empty: 'Name a customer and press "Try it". Each step that she comes by lights up on the canvas, each message is written with her own values.',
    enters: 'She would enter', refused: 'She would not enter', refusedBut: 'Below is what would happen were she let in.', ended: 'She comes to the end', notEnded: 'She is still inside on the last day', partial: 'too many steps; these are the first',
    form: { title: 'The event that starts it', hint: 'messages and conditions use its properties; all may be left out', way: 'How it is filled in', asForm: 'Form', event: 'Event', choose: 'Fill in as which event', ofTrigger: 'starts the journey', needed: 'advised', unset: 'not set', add: 'Add a property', typeName: 'Type its name', remove: (name) => `Remove ${name}`, jsonWrong: 'JSON, such as ["a"]', timeWrong: 'such as 2026-11-22T10:00:00+08:00' },
    story: 'Each step', allSteps: 'Show all steps', ofStep: (name) => `Only "${name}"`, messages: 'What she would get', noMessages: 'Nothing would be sent', at: 'When', becomes: 'Becomes', gate: 'Stopped by', until: 'until', problem: 'It cannot be written', assumptions: 'What the trial assumes', times: (count) => `${count} times`, start: 'enters', entryReasons: { rule: 'the entry rule does not hold of her', not_in_segment: 'she is not in the segment', ramp: 'the ramp has not come to her', not_a_test_user: 'only test users enter now', entered_before: 'she has entered before', already_in: 'she is inside already', parallel: 'she is inside as often as she may be', cap_hour: 'enough entered in this hour', cap_day: 'enough entered today', cap_total: 'as many entered as may', control: 'she is in the control group', hold_out: 'she is in the control group' } as Record<string, string>,
  },
});
