/* SPDX-License-Identifier: Apache-2.0 */
/* texts of the tracking plan. */
import { catalogue } from '@/lib/text';

export const planTexts = catalogue({
  zh: {
    title: '埋点方案',
    purpose: '有哪些事件和属性、各是什么类型。第一次见到的会自动学到；定下来的会照着检查，不符合的进隔离区。',
    search: '搜索事件或属性',
    status: { learnt: '自动学到', planned: '已定义', blocked: '停收' },
    statusHelp: { learnt: '照收，属性随数据学习。', planned: '照收，按下面定的类型、必填和取值检查。', blocked: '这个事件一律进隔离区。' },
    event: '事件', statusHead: '状态', properties: '属性', description: '说明', edit: '修改', create: '预先定义事件',
    emptyTitle: '还没有事件', empty: '第一条事件到达后会自动出现在这里，也可以先把要上报的事件定义好。', noneFound: '没有匹配的事件。',
    drawer: {
      title: (name: string) => `事件：${name}`, newTitle: '预先定义事件', name: '事件名', nameHelp: '和 SDK 里上报的名字完全一致', nameMissing: '请填事件名', descriptionHelp: '什么时候发、由谁发，写给同事看',
      type: '类型', auto: (learnt: string) => `自动（${learnt}）`, required: '必填', values: '允许的取值', valuesHelp: '不填表示不限', add: '添加属性', addName: '属性名', empty: '请填属性名', taken: '已经有这个属性', long: '名称过长',
      save: '保存', saved: '已保存，新事件立即按它检查', noProperties: '还没有属性。', strictHint: '必填、类型和取值不符的事件进隔离区，不会丢。', builtin: '内置事件的属性类型是固定的。',
    },
    types: { text: '文本', int: '整数', decimal: '小数', money: '金额', bool: '是否', time: '时间', list: '列表', object: '对象', unknown: '未知' },
  },
  en: {
    title: 'Tracking plan',
    purpose: 'Which events and properties there are, and of which type. They are learnt on first sight; what you define is checked, and what does not fit goes to quarantine.',
    search: 'Search events and properties',
    status: { learnt: 'Learnt', planned: 'Defined', blocked: 'Blocked' },
    statusHelp: { learnt: 'Taken; properties are learnt from what comes.', planned: 'Taken; checked against the types, required ones and values below.', blocked: 'All of these events go to quarantine.' },
    event: 'Event', statusHead: 'Status', properties: 'Properties', description: 'Description', edit: 'Edit', create: 'Define an event',
    emptyTitle: 'There are no events yet', empty: 'They appear here by themselves with the first event, or define beforehand what is to be sent.', noneFound: 'No event fits.',
    drawer: {
      title: (name) => `Event: ${name}`, newTitle: 'Define an event', name: 'Event name', nameHelp: 'Exactly as the SDK sends it', nameMissing: 'Please give the name', descriptionHelp: 'When it is sent and by whom, for your colleagues',
      type: 'Type', auto: (learnt) => `By what comes (${learnt})`, required: 'Required', values: 'Allowed values', valuesHelp: 'empty: any', add: 'Add a property', addName: 'Property name', empty: 'Please give a name', taken: 'This property is there already', long: 'The name is too long',
      save: 'Save', saved: 'Saved; new events are checked by it at once', noProperties: 'No properties yet.', strictHint: 'Events that lack a required property or have another type or value go to quarantine; none is lost.', builtin: 'The types of events that Kith knows are fixed.',
    },
    types: { text: 'text', int: 'integer', decimal: 'decimal', money: 'money', bool: 'yes or no', time: 'time', list: 'list', object: 'object', unknown: 'unknown' },
  },
});
