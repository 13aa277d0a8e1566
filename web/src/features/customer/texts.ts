/* SPDX-License-Identifier: Apache-2.0 */
/* texts of the customer page. */
import { catalogue } from '@/lib/text';

export const customerTexts = catalogue({
  zh: {
    title: '客户',
    views: '客户信息',
    unnamed: '未具名客户',
    mergedInto: (from: string, to: string) => `${from} 已并入 ${to}，下面是合并后的客户。`,
    tab: { timeline: '时间线', orders: '订单', coupons: '券', skin: '肌肤档案', journeys: '旅程与触达', consents: '授权', graph: '身份图谱', merges: '合并记录', explain: '为什么是一个人', raw: '原始数据' },
    merge: '合并另一位客户…',
    who: {
      since: '首次认识', seen: '最近活跃', orders: '订单', revenue: '净消费', refunded: '已退款', average: '客单价', first: '首单', last: '最近一单', events: '事件',
      others: '其他币种', identifiers: '标识', reach: '触达授权', granted: '已同意', withdrawn: '已撤回', noConsent: '还没有记录任何授权。',
      namespace: '命名空间', source: '来源', lastSeen: '最近出现', verified: '已验证', claimed: '仅声称', more: (count: number) => `另有 ${count} 个`, less: '收起', revealNote: '查看完整信息会记入操作记录',
      withheld: '别的团队也认识这位客户，合计数字不显示。你的团队看得到的在时间线和订单里。', stage: '阶段与标签', reachNow: '现在能不能触达', reachHint: '此刻用各个发送账号给她发营销消息，能不能发、为什么不能。', can: '可以',
    },
    consent: {
      record: '登记…', title: '登记授权', hint: '写下她同意了什么，或撤回了什么。最近一次登记说了算，之前的都留有记录。', purpose: '用途', purposeHint: '选一个，或填自己的代码（小写字母、数字、下划线）。',
      purposeMissing: '请填用途', purposeForm: '小写字母开头，只用小写字母、数字和下划线，最多 40 个字符', what: '她的意思', granted: '同意', withdrawn: '撤回',
      evidence: '依据', evidenceHint: '怎么知道的：纸质授权书编号、来电时间、页面版本……', evidenceMissing: '请写明依据', textVersion: '文本版本', textVersionHint: '当时给她看的是哪一版文本，可以不填', save: '登记', done: '已登记',
    },
    profile: {
      traits: '属性', tags: '标签', segments: '所在人群', from: (source: string) => `来自 ${source}`, noTraits: '还没有属性。identify 事件或会员资料会带来它们。',
      noTags: '还没有标签。', noSegments: '还不在任何人群里。', longAgo: '更早', since: (when: string, why: string) => `${when}起${why === '' ? '' : `，因为${why}`}`,
      causes: { event: '一条事件', fact: '资料变了', time: '时间到了', merge: '合并', definition: '定义改了', hand: '手工调整', recount: '重新计算' } as Record<string, string>,
    },
    timeline: {
      all: '全部', allTypes: '全部事件', span: '日期范围', fromDay: '从哪天', untilDay: '到哪天', channel: '渠道', type: '事件', today: '今天', yesterday: '昨天', events: (count: number) => `${count} 条`, folded: (count: number) => `连续 ${count} 次`,
      goods: (count: number) => `${count} 件`, order: (id: string) => `订单 ${id}`, props: '属性', context: '上下文', happened: '发生', received: '收到', source: '数据源', by: '由此标识带来', seq: '日志序号',
      emptyTitle: '还没有事件', empty: '这位客户只有资料，没有行为。', emptyFiltered: '没有符合筛选条件的事件。', clear: '清除筛选', end: '以上就是全部，最早一条', noProps: '没有属性', late: (text: string) => `迟到 ${text}`,
      hours: (count: number) => `${count} 小时`, days: (count: number) => `${count} 天`,
    },
    graph: {
      graph: '图', table: '表', born: '并入的客户', root: '当前 OneID', verified: '已验证', claimed: '仅声称', more: (count: number) => `等 ${count} 个`,
      legend: '实线为强标识，虚线为弱标识或仅声称；粗线是合并。', from: '从', to: '到', cause: '原因', source: '来源', at: '时间', empty: '还没有可画的关联。', together: '一起出现过：',
    },
    merges: {
      purpose: '每次合并都有依据，也都能拆开。',
      emptyTitle: '没有合并过', empty: '这位客户从一开始就是一个人，没有别的客户并进来。',
      kept: '保留', absorbed: '并入', evidence: '依据', at: '时间', source: '来源', split: '拆分…', undone: (who: string, when: string) => `${who} 于 ${when} 拆开`,
      confirmTitle: '把这两位客户拆开？',
      confirm: (a: string, b: string) => `拆分后会有两位客户：${a} 和 ${b}。`,
      effects: ['每人拿回自己的事件、属性、标识和订单，合并期间新产生的也各归各', '以后同样的证据不会再把他们自动合并，只会进入「待复核」', '这一步可以撤回：在客户页用「合并」把他们重新合到一起'],
      confirmButton: '拆成两位客户', done: '已拆分', openOther: '打开另一位',
    },
    mergeDialog: {
      title: '合并另一位客户', hint: '找到另一位客户，确认是同一个人后再合并。以后可以在合并记录里拆开。', search: '输入对方的标识、OneID 或姓名', choose: '选择这位', chosen: '已选择',
      self: '就是当前客户', none: '没有找到，请换一个标识。', confirm: '合并为一位客户', done: '已合并', effects: '两位的事件、属性、标识、订单会显示在同一条时间线上；较早认识的 OneID 保留。', notChosen: '先选一位要合并的客户',
    },
    explain: { sentences: '结论', identifiers: '每个标识是怎么来的', merges: '发生过的合并', refusals: '被拒绝的合并', since: '归属时间', why: '原因', none: '没有', times: (count: number) => `${count} 天出现过` },
    value: {
      female: '女', male: '男', f: '女', m: '男', true: '是', false: '否', dry: '干性', oily: '油性', combination: '混合性', sensitive: '敏感性', normal: '中性', neutral: '中性', mixed: '混合性',
    },
  },
  en: {
    title: 'Customer',
    views: 'About the customer',
    unnamed: 'Unnamed customer',
    mergedInto: (from, to) => `${from} was joined into ${to}; this is the customer it became.`,
    tab: { timeline: 'Timeline', orders: 'Orders', coupons: 'Coupons', skin: 'Skin file', journeys: 'Journeys & touches', consents: 'Consent', graph: 'Identity graph', merges: 'Merges', explain: 'Why one person', raw: 'Raw' },
    merge: 'Join another customer…',
    who: {
      since: 'First known', seen: 'Last seen', orders: 'Orders', revenue: 'Net spend', refunded: 'Refunded', average: 'Per order', first: 'First order', last: 'Last order', events: 'Events',
      others: 'Other currencies', identifiers: 'Identifiers', reach: 'May be reached by', granted: 'agreed', withdrawn: 'withdrawn', noConsent: 'No consent is on record yet.',
      namespace: 'Namespace', source: 'Source', lastSeen: 'Last seen', verified: 'verified', claimed: 'only claimed', more: (count) => `${count} more`, less: 'Fewer', revealNote: 'Looking at full values is written to the audit',
      withheld: 'She is known to other teams, too: sums over all of it are not shown. What your team may see stands in the timeline and under orders.', stage: 'Stage and tags', reachNow: 'Can be reached now', reachHint: 'By each account, for marketing, at this moment: whether, and why not.', can: 'yes',
    },
    consent: {
      record: 'Record…', title: 'Record a consent', hint: 'Write down what she agreed to, or took back. The last record counts; the ones before are kept.', purpose: 'Purpose', purposeHint: 'Choose one, or type a code of your own (small letters, digits, underscores).',
      purposeMissing: 'Say for which purpose', purposeForm: 'begins with a small letter; small letters, digits and underscores, 40 at most', what: 'What she says', granted: 'She agrees', withdrawn: 'She takes it back',
      evidence: 'Evidence', evidenceHint: 'How it is known: number of the paper form, time of the call, version of the page …', evidenceMissing: 'Say how it is known', textVersion: 'Text version', textVersionHint: 'which text she was shown; may be left out', save: 'Record', done: 'Recorded',
    },
    profile: {
      traits: 'Traits', tags: 'Tags', segments: 'Segments', from: (source) => `from ${source}`, noTraits: 'No traits yet. Identify events and member data bring them.',
      noTags: 'No tags yet.', noSegments: 'In no segment yet.', longAgo: 'long ago', since: (when, why) => `since ${when}${why === '' ? '' : `, by ${why}`}`,
      causes: { event: 'an event', fact: 'a fact', time: 'time alone', merge: 'a merge', definition: 'a changed definition', hand: 'hand', recount: 'counting anew' },
    },
    timeline: {
      all: 'All', span: 'Dates', fromDay: 'From', untilDay: 'Until', allTypes: 'All events', channel: 'Channel', type: 'Event', today: 'Today', yesterday: 'Yesterday', events: (count) => `${count}`, folded: (count) => `${count} times in a row`,
      goods: (count) => (count === 1 ? '1 item' : `${count} items`), order: (id) => `order ${id}`, props: 'Properties', context: 'Context', happened: 'Happened', received: 'Received', source: 'Source', by: 'Brought by', seq: 'Log number',
      emptyTitle: 'No events yet', empty: 'Something is known about this customer, but nothing was done yet.', emptyFiltered: 'No event fits the filters.', clear: 'Clear the filters', end: 'This is all; the first was', noProps: 'No properties', late: (text) => `${text} late`,
      hours: (count) => `${count} h`, days: (count) => (count === 1 ? '1 day' : `${count} days`),
    },
    graph: {
      graph: 'Graph', table: 'Table', born: 'Joined in', root: 'This OneID', verified: 'verified', claimed: 'only claimed', more: (count) => `${count} of them`,
      legend: 'Solid lines are strong identifiers, dashed ones weak or only claimed; thick lines are merges.', from: 'From', to: 'To', cause: 'Cause', source: 'Source', at: 'Time', empty: 'There is nothing to draw yet.', together: 'came with',
    },
    merges: {
      purpose: 'Each merge has its evidence and can be taken back.',
      emptyTitle: 'Never merged', empty: 'This customer has been one from the start; nobody was joined into it.',
      kept: 'Kept', absorbed: 'Joined in', evidence: 'Evidence', at: 'Time', source: 'Source', split: 'Split…', undone: (who, when) => `taken apart by ${who}, ${when}`,
      confirmTitle: 'Take these two customers apart?',
      confirm: (a, b) => `There will be two customers: ${a} and ${b}.`,
      effects: ['Each gets back the own events, traits, identifiers and orders, also those that came since', 'The same evidence will not join them again by itself; it goes to review', 'This can be taken back: join them again from the customer page'],
      confirmButton: 'Make them two customers', done: 'Taken apart', openOther: 'Open the other one',
    },
    mergeDialog: {
      title: 'Join another customer', hint: 'Find the other customer and make sure it is the same person. It can be split again under Merges.', search: 'An identifier, OneID or name of the other', choose: 'Choose', chosen: 'Chosen',
      self: 'this customer', none: 'Nobody found; try another identifier.', confirm: 'Make them one customer', done: 'Joined', effects: 'Events, traits, identifiers and orders of both will show on one timeline; the older OneID stays.', notChosen: 'First choose the customer to join',
    },
    explain: { sentences: 'In short', identifiers: 'How each identifier came here', merges: 'What was merged', refusals: 'What was refused', since: 'Here since', why: 'Why', none: 'None', times: (count) => (count === 1 ? 'seen on 1 day' : `seen on ${count} days`) },
    value: {
      female: 'Female', male: 'Male', f: 'Female', m: 'Male', true: 'Yes', false: 'No', dry: 'Dry', oily: 'Oily', combination: 'Combination', sensitive: 'Sensitive', normal: 'Normal', neutral: 'Neutral', mixed: 'Combination',
    },
  },
});
