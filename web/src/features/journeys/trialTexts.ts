/* SPDX-License-Identifier: Apache-2.0 */
/* trialTexts: words of trying a journey with one customer. */
import { catalogue } from '@/lib/text';

export const trialTexts = catalogue({
  zh: {
    tab: '试走', hint: '选一位真实客户，从现在起沿着这份草稿走一遍：时间会往前走，她自己什么都不做；不会真的发出任何东西。', who: '手机号、会员号、姓名或 OneID', days: '往后看几天', event: '触发事件的属性（JSON，可不填）', eventWrong: '要是一个 JSON 对象', run: '试走', nobody: '没有找到这位客户', first: '先选一位客户',
    emptyTitle: '还没有试走', empty: '填一位客户，点「试走」。走过的每一步会在画布上亮起来，发的每条消息会按她的资料写好。',
    enters: '会进入旅程', refused: '其实不会进入', refusedBut: '下面是假设放她进来后会怎样。', ended: '走完了', notEnded: '到最后一天还在里面', partial: '步骤太多，只列出前面的',
    story: '走过的每一步', allSteps: '看全部步骤', ofStep: (name: string) => `只看「${name}」`, messages: '她会收到什么', noMessages: '没有要发的', at: '时间', becomes: '结果', gate: '被拦下', until: '直到', problem: '写不出来', assumptions: '试走时假定', times: (count: number) => `${count} 次`, start: '进入',
  },
  en: {
    tab: 'Trial run', hint: 'Choose a real customer and send her along this draft from now on: time passes, she does nothing; nothing is really sent.', who: 'phone, member number, name or OneID', days: 'Days ahead', event: 'Properties of the event that starts it (JSON, or nothing)', eventWrong: 'This has to be a JSON object', run: 'Try it', nobody: 'No such customer', first: 'First choose a customer',
    emptyTitle: 'Not tried yet', empty: 'Name a customer and press "Try it". Each step that she comes by lights up on the canvas, each message is written with her own values.',
    enters: 'She would enter', refused: 'She would not enter', refusedBut: 'Below is what would happen were she let in.', ended: 'She comes to the end', notEnded: 'She is still inside on the last day', partial: 'too many steps; these are the first',
    story: 'Each step', allSteps: 'Show all steps', ofStep: (name) => `Only "${name}"`, messages: 'What she would get', noMessages: 'Nothing would be sent', at: 'When', becomes: 'Becomes', gate: 'Stopped by', until: 'until', problem: 'It cannot be written', assumptions: 'What the trial assumes', times: (count) => `${count} times`, start: 'enters',
  },
});
