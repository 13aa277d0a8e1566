/* SPDX-License-Identifier: Apache-2.0 */
/* texts: words of the pages of segments. */
import { catalogue } from '@/lib/text';

export const segmentTexts = catalogue({
  zh: {
    title: '人群', purpose: '符合同一条规则的客户，随每个事件实时进出；旅程、标签和导出都从这里取人。', create: '新建人群', overlap: '看重叠',
    emptyTitle: '还没有人群', empty: '人群是一条规则圈出的客户：下单满两次、七天没来、收藏未买……写好规则马上就能看到有多少人。', emptyFiltered: '没有符合条件的人群',
    newTitle: '新建人群', editTitle: (name: string) => `编辑「${name}」`, editPurpose: '写条件的同时就在计数；保存前先看谁会进来、谁会离开。',
    kindHelp: { rule: '按条件实时进出', algebra: '几个人群的并、交、差', random: '稳定的随机几成，做对照', static: '一个一个加进来', upload: '粘贴一批标识', snapshot: '把某个人群定格在此刻' } as Record<string, string>,
    reachTitle: '今天能联系到多少人', on: '要找的是', people: '客户', tabs: { members: '成员', reach: '触达', history: '大小与进出', profile: '画像对比', overlap: '重叠', explain: '为什么', definition: '定义' },
    op: '怎么合', ops: { union: '并集：在任何一个里', intersection: '交集：同时在每一个里', difference: '差集：在第一个里，不在其余的里' } as Record<string, string>, of: '人群', first: '第一个是被减的', ofOne: '定格哪个人群', atLeastTwo: '至少选两个人群', atLeastOne: '选一个人群', addMore: '加一个人群',
    seed: '种子', seedHint: '同一个种子永远分出同样的人；换种子就重新洗牌', buckets: '总份数', from: '从第', to: '到第（不含）', share: (share: string) => `约占全部客户的 ${share}`, seedMissing: '请填种子', rangeWrong: '份数不对：要 0 ≤ 起 < 止 ≤ 总份数',
    givenHint: '先保存，再到成员页加人。', addMembers: '加人或移出', addTitle: '加人或移出', type: '标识类型', paste: '每行一个，或用逗号隔开', add: '加进来', take: '移出去', changed: (changed: string, unknown: string) => `变动 ${changed} 位，${unknown} 个标识没有对应的客户`, oneIds: 'OneID', nothingPasted: '先粘贴标识', tooMany: '一次最多 20,000 个',
    profile: '和全部客户比，他们有什么不同', profileHint: '提升度是人群内占比除以全体占比；亮色的差异在统计上显著（|z| ≥ 1.96）', profileEmpty: '还没有可以比的属性或标签：至少要有一个标签、人群或在用的属性', feature: '特征', here: '人群内', everybody: '全体', lift: '提升度', significant: '显著', insignificant: '不显著', onlySignificant: '只看显著的',
    lineKinds: { trait: '属性', tag: '标签', segment: '人群', consent: '同意', event: '行为', channel: '渠道', reach: '触达' } as Record<string, string>,
    overlapTitle: '人群重叠', overlapPurpose: '两两之间有多少相同的人：格子越深，重叠越多。点一格看交集里是谁。', choose: '选要比的人群（2 到 20 个）', chooseHint: '至少选两个人群', heat: '两两重叠', heatShare: (share: string, name: string) => `占「${name}」的 ${share}`, combos: '组合有多大', exclusive: '恰好在这些里', inAll: '同时在这些里', both: (count: string) => `同时在两个里：${count} 人`, asSegment: '存成交集人群', jaccard: '相似度', rest: '其余组合',
    explainTitle: '他/她为什么在，或不在',
    ruleMissing: '规则还没填完', snapshotText: (name: string) => `「${name}」在建立那一刻的成员`, algebraText: '由这些人群算出', randomText: (seed: string, share: string) => `种子 ${seed}，约 ${share}`, givenText: '成员是一个一个给的',
  },
  en: {
    title: 'Segments', purpose: 'Customers of whom one rule holds. They enter and leave with every event; journeys, tags and exports take people from here.', create: 'New segment', overlap: 'Overlap',
    emptyTitle: 'No segments yet', empty: 'A segment is the customers that a rule picks out: ordered twice, not seen for a week, saved but not bought. Write the rule and see at once how many they are.', emptyFiltered: 'No segment fits',
    newTitle: 'New segment', editTitle: (name) => `Edit "${name}"`, editPurpose: 'It counts while you write; before it is saved you see who enters and leaves.',
    kindHelp: { rule: 'In and out by conditions, live', algebra: 'Union, intersection, difference', random: 'A steady random share, for control', static: 'Added one by one', upload: 'A pasted list of identifiers', snapshot: 'A segment as it is now, kept' } as Record<string, string>,
    reachTitle: 'How many can be contacted today', on: 'Looking for', people: 'Customers', tabs: { members: 'Members', reach: 'Reach', history: 'Size over time', profile: 'Profile', overlap: 'Overlap', explain: 'Why', definition: 'Definition' },
    op: 'How', ops: { union: 'Union: in any of them', intersection: 'Intersection: in each of them', difference: 'Difference: in the first, not in the others' } as Record<string, string>, of: 'Segments', first: 'The others are taken from the first', ofOne: 'Which segment to keep', atLeastTwo: 'Choose at least two segments', atLeastOne: 'Choose a segment', addMore: 'Add a segment',
    seed: 'Seed', seedHint: 'The same seed gives the same people for ever; another one shuffles anew', buckets: 'Buckets', from: 'From', to: 'to (excluded)', share: (share) => `about ${share} of all customers`, seedMissing: 'A seed is needed', rangeWrong: 'The range does not fit: 0 ≤ from < to ≤ buckets',
    givenHint: 'Save it, then add people on the page of its members.', addMembers: 'Add or take out', addTitle: 'Add or take out', type: 'Type of identifier', paste: 'One a line, or separated by commas', add: 'Add', take: 'Take out', changed: (changed, unknown) => `${changed} changed; ${unknown} identifiers belong to nobody`, oneIds: 'OneID', nothingPasted: 'First paste identifiers', tooMany: 'At most 20,000 at once',
    profile: 'What sets them apart from everybody', profileHint: 'Lift is the share in the segment over the share of all; differences in colour are significant (|z| ≥ 1.96)', profileEmpty: 'There is nothing to compare yet: it needs a tag, a segment or a trait in use', feature: 'Feature', here: 'Segment', everybody: 'Everybody', lift: 'Lift', significant: 'significant', insignificant: 'not significant', onlySignificant: 'Significant only',
    lineKinds: { trait: 'Trait', tag: 'Tag', segment: 'Segment', consent: 'Consent', event: 'Event', channel: 'Channel', reach: 'Reach' } as Record<string, string>,
    overlapTitle: 'Overlap of segments', overlapPurpose: 'How many people each two have in common: the darker, the more. Choose a cell to see who they are.', choose: 'Segments to compare (2 to 20)', chooseHint: 'Choose at least two segments', heat: 'Each with each', heatShare: (share, name) => `${share} of "${name}"`, combos: 'How large the combinations are', exclusive: 'exactly in these', inAll: 'in all of these', both: (count) => `In both: ${count}`, asSegment: 'Save the intersection', jaccard: 'Similarity', rest: 'All else',
    explainTitle: 'Why somebody is in, or is not',
    ruleMissing: 'The rule is not filled in yet', snapshotText: (name) => `The members of "${name}" when it was made`, algebraText: 'Computed from these segments', randomText: (seed, share) => `Seed ${seed}, about ${share}`, givenText: 'Members are given one by one',
  },
});
