/* SPDX-License-Identifier: Apache-2.0 */
/* texts of the list of customers. */
import { catalogue } from '@/lib/text';

export const customersTexts = catalogue({
  zh: {
    title: '全部客户', purpose: '任何一个标识都能找到人；按条件筛选，选好要看的列，存成视图。',
    search: '搜索客户', placeholder: '手机号、尾号四位、姓名、OneID 或任一标识', type: '持有的标识', anyType: '不限标识', trait: '属性', anyTrait: '不限属性', traitValue: '取值，回车确认', tag: '标签',
    customer: '客户', identifiers: '标识', orders: '订单', revenue: '净消费', lastSeen: '最近活跃', created: '首次认识', oneId: 'OneID', segments: '所在人群', unnamed: '未具名客户',
    withheld: '别的团队也认识，合计不显示', count: (count: number) => `本页 ${count} 位`, ofAll: (count: string) => `共 ${count} 位`, about: (count: string) => `约 ${count} 位`,
    emptyTitle: '没有找到客户', empty: (query: string) => `没有哪位客户的标识、OneID 或姓名与「${query}」相符。标识要完整（手机号可以只输后四位），姓名可以只输开头。`, emptyRule: '现在没有客户符合这些条件。放宽条件，或去掉其中一条再看。',
    noneTitle: '还没有客户', none: '客户从事件里来。接好一个数据源，第一条带标识的事件就会带来第一位客户。', connect: '去接数据源', clear: '清除搜索', first: '回到第一页',
    partial: '扫描到时间上限就停了，只列出已找到的；请把搜索条件写得更具体，或翻到下一页继续。',
    filter: '按条件筛选', filterTitle: '按条件筛选客户', editFilter: '修改条件', clearFilter: '去掉条件', asSegment: '存为人群', apply: '筛选', incomplete: '还有条件没有填完',
    addTrait: '加一列属性', addTag: '加一列标签', without: (name: string) => `去掉这一列：${name}`, more: (count: number) => `另有 ${count} 个`,
  },
  en: {
    title: 'All customers', purpose: 'Any identifier finds the person; narrow the list by conditions, choose its columns, keep it as a view.',
    search: 'Search customers', placeholder: 'Phone, last four digits, name, OneID or any identifier', type: 'Identifier held', anyType: 'Any identifier', trait: 'Trait', anyTrait: 'Any trait', traitValue: 'Value, then Enter', tag: 'Tag',
    customer: 'Customer', identifiers: 'Identifiers', orders: 'Orders', revenue: 'Net spend', lastSeen: 'Last seen', created: 'First known', oneId: 'OneID', segments: 'Segments', unnamed: 'Unnamed customer',
    withheld: 'known to other teams, too: sums are not shown', count: (count) => `${count} on this page`, ofAll: (count) => `${count} in all`, about: (count) => `about ${count}`,
    emptyTitle: 'No customer found', empty: (query) => `No customer has an identifier, OneID or name that fits "${query}". Identifiers must be complete (of a phone the last four digits will do); of a name the beginning is enough.`, emptyRule: 'Nobody fits these conditions now. Make them wider, or take one away.',
    noneTitle: 'There are no customers yet', none: 'Customers come from events. Connect a source: the first event with an identifier brings the first customer.', connect: 'Connect a source', clear: 'Clear the search', first: 'Back to the first page',
    partial: 'The scan stopped at its time limit and shows what it found; make the search narrower, or go on to the next page.',
    filter: 'Filter by conditions', filterTitle: 'Customers by conditions', editFilter: 'Change the conditions', clearFilter: 'Take the conditions away', asSegment: 'Save as a segment', apply: 'Filter', incomplete: 'Some conditions are not complete',
    addTrait: 'Add a trait', addTag: 'Add a tag', without: (name) => `Without the column ${name}`, more: (count) => `${count} more`,
  },
});
