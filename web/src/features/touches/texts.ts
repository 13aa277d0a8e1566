/* SPDX-License-Identifier: Apache-2.0 */
/* texts: words of the pages of touches. */
import { catalogue } from '@/lib/text';

export const touchTexts = catalogue({
  zh: {
    title: '触达', purpose: '每一次发送、任务、券和积分都是一条触达：发之前过哪些关卡，之后发生了什么，都在这里。',
    status: '状态', all: '全部',
    statuses: { queued: '待发', held: '暂缓', sending: '发送中', sent: '已发出', delivered: '已送达', confirmed: '已确认', read: '已读', clicked: '已点击', failed: '失败', suppressed: '未发', uncertain: '不确定' } as Record<string, string>,
    at: '时间', customer: '客户', channel: '渠道', journey: '旅程', template: '模板', reason: '原因', why: '为什么', journeyNode: '旅程节点',
    emptyTitle: '还没有触达', empty: '旅程或手动发送的每条消息都会在这里留下记录，没发出去的也会说明原因。', emptyFiltered: '没有符合条件的触达', more: '查看', account: '发送账号', purposeOf: '用途', purposes: { marketing: '营销', service: '服务' } as Record<string, string>, transactional: '交易类', test: '测试',
    story: '经过', until: '直到', tries: '尝试次数', provider: '服务商编号', code: '服务商代码', expires: '过期时间', cost: '费用', key: '幂等键', context: '模板可用的内容', response: '对方的回答',
    decide: '这条不知道有没有发出去：服务商没有说。', decisions: { resend: '再发一次', sent: '算已发出', failed: '算失败', cancel: '不发了' } as Record<string, string>, decided: '已按你的决定处理',
    tabs: { touches: '触达记录', accounts: '发送账号', ways: '联系我二维码', corrections: '该发与不该发' } as Record<string, string>,
    corrections: '事后看，哪些该发没发、不该发却发了。', kinds: { should: '该发未发', should_not: '不该发却发了' } as Record<string, string>, noCorrections: '没有要更正的', noCorrectionsHint: '退款、取消、迟到的事件会让已发或未发的触达变得不对；它们会列在这里。',
    stop: '急停', stopped: '已急停', stopTitle: '停止所有发送？', stopText: '一秒内，所有渠道停止发出任何消息。还没发的会暂缓，恢复后再过一遍关卡。', stopWhy: '为什么停（会记入操作记录）', go: '恢复发送', stoppedSince: '所有发送已停止', stoppedPart: '部分发送已停止', scopes: { all: '全部', channel: '渠道', account: '账号', journey: '旅程' } as Record<string, string>, stopDone: '已停止所有发送', goDone: '发送已恢复',
    accountsEmptyTitle: '还没有发送账号', accountsEmpty: '接上企业微信、公众号、小程序、短信、邮件或 Webhook 之后，旅程才能把消息发出去。先接到沙箱演练，再换成真的。', newAccount: '新建账号', sandbox: '沙箱', queued: '排队', sentCount: '已发', refused: '被拒', uncertain: '不确定', health: '状态', healthy: '正常', open: '熔断中', disabled: '已停用', testAccount: '测试连接', testGood: '连接正常', testBad: '连接失败',
  },
  en: {
    title: 'Touches', purpose: 'Every message, task, coupon and point is a touch: which gates it passed, and what became of it.',
    status: 'Status', all: 'All',
    statuses: { queued: 'Queued', held: 'Held', sending: 'Sending', sent: 'Sent', delivered: 'Delivered', confirmed: 'Confirmed', read: 'Read', clicked: 'Clicked', failed: 'Failed', suppressed: 'Suppressed', uncertain: 'Uncertain' } as Record<string, string>,
    at: 'Time', customer: 'Customer', channel: 'Channel', journey: 'Journey', template: 'Template', reason: 'Reason', why: 'Why', journeyNode: 'Node of the journey',
    emptyTitle: 'No touches yet', empty: 'Each message of a journey, or sent by hand, leaves its record here; those that did not go say why.', emptyFiltered: 'No touch fits', more: 'Look', account: 'Account', purposeOf: 'Purpose', purposes: { marketing: 'marketing', service: 'service' } as Record<string, string>, transactional: 'transactional', test: 'test',
    story: 'What happened', until: 'until', tries: 'Tries', provider: "Provider's number", code: "Provider's code", expires: 'Expires', cost: 'Cost', key: 'Idempotency key', context: 'What the template could use', response: 'What was answered',
    decide: 'It is not known whether this went out: the provider did not say.', decisions: { resend: 'Send again', sent: 'Count as sent', failed: 'Count as failed', cancel: 'Do not send' } as Record<string, string>, decided: 'Done as you decided',
    tabs: { touches: 'Touches', accounts: 'Accounts', ways: 'Contact codes', corrections: 'Should and should not' } as Record<string, string>,
    corrections: 'Seen afterwards: what should have been sent, and what should not.', kinds: { should: 'should have been sent', should_not: 'should not have been sent' } as Record<string, string>, noCorrections: 'Nothing to correct', noCorrectionsHint: 'Refunds, cancellations and late events can make a touch wrong that was or was not sent; they are listed here.',
    stop: 'Stop all', stopped: 'Stopped', stopTitle: 'Stop all sending?', stopText: 'Within a second nothing leaves by any channel. What waits is held, and passes the gates again when sending goes on.', stopWhy: 'Why (it stands in the audit)', go: 'Let it go on', stoppedSince: 'All sending is stopped', stoppedPart: 'Some sending is stopped', scopes: { all: 'all', channel: 'channel', account: 'account', journey: 'journey' } as Record<string, string>, stopDone: 'All sending is stopped', goDone: 'Sending goes on',
    accountsEmptyTitle: 'No accounts yet', accountsEmpty: 'Journeys can send once WeCom, an official account, a mini-program, SMS, e-mail or a webhook is connected. Begin with the sandbox, then change to the real one.', newAccount: 'New account', sandbox: 'sandbox', queued: 'Queued', sentCount: 'Sent', refused: 'Refused', uncertain: 'Uncertain', health: 'Health', healthy: 'well', open: 'resting after failures', disabled: 'disabled', testAccount: 'Test', testGood: 'It answers', testBad: 'It does not answer',
  },
});
