/* SPDX-License-Identifier: Apache-2.0 */
/* whatifTexts: words of what would happen. Reasons are the codes of the gates; what was assumed is said by the server in both languages. */
import { catalogue } from '@/lib/text';

export const whatIfTexts = catalogue({
  zh: {
    tab: '预演', why: '用过去真实发生的事，把这个旅程连同全部策略跑一遍：谁会进入、走到哪、哪天发什么、花多少钱、谁会超过疲劳度。不会真的发出任何东西。',
    days: '过去', daysOf: (days: number) => `${days} 天`, sinceLaunch: '上线以来', which: '版本', draft: '当前草稿', published: '已发布版本', capacity: '每天任务上限', segment: '人群（手动进入时）', run: '开始预演', running: '预演中', cancel: '取消', remove: '删除', runs: '历次预演',
    none: '还没有预演过', noneHint: '选择天数，点「开始预演」。90 天、一百万客户通常只需数秒。', failed: '预演没有完成', cancelled: '已取消',
    states: { waiting: '排队中', running: '进行中', done: '完成', failed: '失败', cancelled: '已取消' },
    upTo: (day: string) => `截至 ${day}`, day: '日期', entered: '进入', touches: '触达', sent: '发出', stopped: '被拦截', cost: '费用', minutes: '顾问分钟', events: '事件', took: '用时', customers: '相关客户',
    atNode: (node: string) => `节点 ${node} 的触达`, atAll: '全部触达', status: '状态', reason: '原因', count: '数量', sum: '合计', kind: '渠道', amount: '金额', money: '费用', byDay: '按天', tasks: '任务', over: '超出人力', overDays: (days: number) => `${days} 天超出人力`,
    caps: '谁会超过上限', cap: '规则', people: '客户数', examples: '例子', customer: '客户', at: '时间', node: '节点', held: '曾等待', left: '余量', budgets: '预算', pools: '券池', given: '已发', remaining: '剩余', usedUp: '用完的周期', spent: '已用',
    assumptions: '假设', compare: '与实际对比', compareFrom: '实际从', simulated: '预演', actual: '实际', notOver: '这段日子还没过完', others: '同时运行的其他旅程',
    statuses: { queued: '排队', held: '等待', sending: '发送中', sent: '已发送', delivered: '已送达', confirmed: '已确认', read: '已读', clicked: '已点击', failed: '失败', suppressed: '被拦截', uncertain: '不确定' },
    reasons: { no_account: '没有发送账号', stopped: '已急停', erased: '客户已删除', test_only: '仅测试用户', hold_out: '空白组', no_consent: '未同意', channel_refused: '拒绝此渠道', unsubscribed: '已退订', paused: '营销已暂停', unreachable: '无法触达', duplicate_order: '此订单已发过', duplicate_content: '内容已发过', expired: '已过时效', not_yet: '未到时间', quiet_hours: '免打扰时段', settling: '等待排序', frequency_cap: '超过疲劳度', outranked: '让位', budget: '预算用完', channel_quota: '渠道配额', no_subscription: '没有订阅次数', outside_window: '不在互动窗口', pool_empty: '券已发完', no_pool: '没有券池', under_14: '未满 14 岁', restricted: '已限制处理', no_personalisation: '关闭了个性化', behind: '排在更早的一条之后', retry: '稍后重试', exit_rule: '已离开旅程', merged: '已合并' },
  },
  en: {
    tab: 'What if', why: 'Run this journey over what really happened, with every policy on: who would enter, where they would go, what would be sent on which day, what it would cost, who would be over a cap. Nothing is sent.',
    days: 'The last', daysOf: (days: number) => `${days} days`, sinceLaunch: 'since its launch', which: 'Version', draft: 'the draft as it is here', published: 'what is published', capacity: 'Tasks a day at most', segment: 'Segment (where it is entered by hand)', run: 'Run it', running: 'Running', cancel: 'Cancel', remove: 'Remove', runs: 'Runs',
    none: 'It was never run', noneHint: 'Choose how many days, then "Run it". 90 days of a million customers take seconds.', failed: 'The run did not end well', cancelled: 'cancelled',
    states: { waiting: 'waits', running: 'running', done: 'done', failed: 'failed', cancelled: 'cancelled' },
    upTo: (day: string) => `up to ${day}`, day: 'Day', entered: 'Entered', touches: 'Touches', sent: 'Sent', stopped: 'Stopped', cost: 'Cost', minutes: 'Adviser minutes', events: 'Events', took: 'Took', customers: 'Customers concerned',
    atNode: (node: string) => `Touches at ${node}`, atAll: 'All touches', status: 'Status', reason: 'Reason', count: 'Count', sum: 'All', kind: 'Channel', amount: 'Amount', money: 'Money', byDay: 'By day', tasks: 'Tasks', over: 'Over capacity', overDays: (days: number) => `${days} days over capacity`,
    caps: 'Who would be over a cap', cap: 'Rule', people: 'Customers', examples: 'Examples', customer: 'Customer', at: 'Time', node: 'Node', held: 'Was held by', left: 'What is left', budgets: 'Budgets', pools: 'Coupon pools', given: 'Given', remaining: 'Left', usedUp: 'Periods used up', spent: 'Spent',
    assumptions: 'What was assumed', compare: 'Beside what came', compareFrom: 'Real days from', simulated: 'Simulated', actual: 'Actual', notOver: 'These days are not over yet', others: 'Other journeys that ran beside it',
    statuses: { queued: 'queued', held: 'held', sending: 'sending', sent: 'sent', delivered: 'delivered', confirmed: 'confirmed', read: 'read', clicked: 'clicked', failed: 'failed', suppressed: 'stopped', uncertain: 'uncertain' },
    reasons: { no_account: 'no account', stopped: 'stop-all', erased: 'erased', test_only: 'test users only', hold_out: 'hold-out', no_consent: 'no consent', channel_refused: 'refuses the channel', unsubscribed: 'unsubscribed', paused: 'marketing is paused', unreachable: 'not reachable', duplicate_order: 'sent for the order before', duplicate_content: 'sent before', expired: 'too late', not_yet: 'not yet', quiet_hours: 'quiet hours', settling: 'others may want her more', frequency_cap: 'frequency cap', outranked: 'gave way', budget: 'budget', channel_quota: 'quota of the channel', no_subscription: 'no subscription left', outside_window: 'outside the window', pool_empty: 'no coupon left', no_pool: 'no coupon pool', under_14: 'under 14', restricted: 'her data may not be used', no_personalisation: 'personalisation is off', behind: 'waits for an earlier one', retry: 'to be tried again', exit_rule: 'left the journey', merged: 'merged' },
  },
});
