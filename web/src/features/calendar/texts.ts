/* SPDX-License-Identifier: Apache-2.0 */
/* texts: words of the calendar. */
import { catalogue } from '@/lib/text';

export const calendarTexts = catalogue({
  zh: {
    title: '触达日历', purpose: '哪天会发什么、已经发了什么：按渠道、团队和旅程看，免得大家挤在同一天。', views: '怎么看', view: { month: '月', week: '周', list: '列表' }, today: '今天', earlier: '往前', later: '往后', channel: '渠道', allChannels: '全部渠道', team: '团队', allTeams: '全部团队', journey: '旅程', allJourneys: '全部旅程',
    weekdays: ['周一', '周二', '周三', '周四', '周五', '周六', '周日'], phases: { sent: '已发', held: '等时间', coming: '将发', run: '放人进来' } as Record<string, string>, count: '多少', unknown: '多少不知道', atMost: (count: string) => `最多 ${count}`, more: (count: number) => `还有 ${count} 项`, byHand: '手动发送',
    empty: '这段时间没有要发的', emptyHint: '定时的旅程、等待中的人、已发的消息都会排在这里。', create: '去看旅程', partial: '太多了，只列出一部分。', any: '随时可能发', anyHint: '这些旅程由事件、人群或标签触发：哪天发多少，看客户做了什么。', step: '哪一步', triggers: { event: '事件', segment: '进出人群', tag: '标签变化', absence: '没有做某事', date: '客户的日期', schedule: '定时', manual: '手动', api: '接口', journey: '别的旅程' } as Record<string, string>, trigger: '触发', day: '哪天', what: '发什么', when: '时间', sum: (count: string) => `${count} 条`, state: '状态', reason: '为什么等', dayTitle: (day: string) => `${day} 要发的`,
  },
  en: {
    title: 'Calendar', purpose: 'What goes out on which day, and what went: by channel, team and journey, so that not everything comes on one day.', views: 'Shown as', view: { month: 'Month', week: 'Week', list: 'List' }, today: 'Today', earlier: 'Earlier', later: 'Later', channel: 'Channel', allChannels: 'All channels', team: 'Team', allTeams: 'All teams', journey: 'Journey', allJourneys: 'All journeys',
    weekdays: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], phases: { sent: 'went', held: 'waits', coming: 'to come', run: 'lets people in' } as Record<string, string>, count: 'How many', unknown: 'nobody can know', atMost: (count) => `at most ${count}`, more: (count) => `${count} more`, byHand: 'By hand',
    empty: 'Nothing goes out in this time', emptyHint: 'Scheduled journeys, people who wait in one, and what was sent stand here by day.', create: 'See the journeys', partial: 'There is more than is shown.', any: 'On any day', anyHint: 'Events, segments or tags start these: how many go out when depends on what customers do.', step: 'Step', triggers: { event: 'event', segment: 'segment', tag: 'tag', absence: 'something not done', date: 'a date of the customer', schedule: 'schedule', manual: 'by hand', api: 'API', journey: 'another journey' } as Record<string, string>, trigger: 'Started by', day: 'Day', what: 'What', when: 'When', sum: (count) => count, state: 'State', reason: 'Why it waits', dayTitle: (day) => `What goes out on ${day}`,
  },
});
