/* SPDX-License-Identifier: Apache-2.0 */
/* texts: the words of objects and their kinds. */
import { catalogue } from '@/lib/text';

export const objectTexts = catalogue({
  zh: {
    title: '对象', purpose: '客户之外的人和物：商品、门店、导购、社群……。事件里的编号指向它们，人群条件可以穿过它们。', kind: '种类', search: '搜索编号或内容', id: '编号', content: '内容', changed: '更新时间', more: '加载更多',
    emptyTitle: '还没有对象', empty: '从文件导入商品或门店资料，或由 SDK 的 item_set、group 事件带来；也可以先定义一个种类。', importButton: '导入文件', noneTitle: '没有找到', none: '这个种类里没有符合的对象。',
    noObjects: '这个种类还没有对象', noObjectsHint: '从文件导入，或在这里新建一个。',
    kinds: { product: '商品', store: '门店', adviser: '导购', group: '社群', creative: '素材', car: '车', child: '孩子', order: '订单', shop: '店铺', brand: '品牌', dealer: '经销商' } as Record<string, string>,
    newKind: '新建种类', define: '定义', newObject: '新建对象', undescribed: '未定义',
    types: { text: '文本', number: '数字', money: '金额', boolean: '是 / 否', time: '时间', list: '列表', object: '结构' } as Record<string, string>,
    drawer: {
      newTitle: '新建种类', title: (kind: string) => `定义「${kind}」`, kind: '代号', kindHelp: '小写字母、数字、下划线；写在事件属性和人群条件里，定了不改', name: '名称', description: '说明', fields: '字段',
      field: '字段', label: '显示为', type: '类型', leadsTo: '指向', nothing: '不指向', seen: '未定义', adopt: '定义它', remove: (name: string) => `不再定义 ${name}`, addField: '字段名', add: '加字段', save: '保存', saved: '已保存，人群条件立即可用',
      hint: '「指向」说明这个字段里是哪种对象的编号：门店的经销商、社群所属的门店。条件可以一层层穿过去。', problems: { empty: '先写名字', taken: '这个名字已经有了', long: '太长', form: '以小写字母开头，只含小写字母、数字、下划线' },
      removeKind: '删除这个种类', removeText: '名称和字段的定义会删掉。条件、旅程或别的种类还在用它的，删不了，会告诉你是哪些。', removed: '种类已删除', stillHas: (count: number) => `还有 ${count.toLocaleString('en')} 个对象，先删掉它们`,
      tags: '标签', tagsHint: '对象也可以打标签、建清单：热销商品、低分门店。', newTag: '给它新建标签', newSegment: '建一份清单',
    },
    object: {
      back: '全部对象', facts: '资料', edit: '修改', remove: '删除', removeTitle: (name: string) => `删除「${name}」？`, removeText: '穿过它的条件从此不再满足。以后事件或导入再带来它，会重新出现。', removed: '已删除', gone: '没有这个对象', goneHint: '它可能已被删除，或编号有误。', keep: '不删',
      editTitle: (name: string) => `修改「${name}」`, newTitle: (kind: string) => `新建${kind}`, saved: '已保存', save: '保存', nothing: '没有改动', wrong: (fields: string) => `不是这种类型的值：${fields}`, listHelp: '用逗号分开', jsonHelp: 'JSON', yes: '是', no: '否',
      tags: '标签与清单', noTags: '还没有标签。', people: '相关客户', peopleHint: '做过带这个编号的事，或资料里有它', noPeople: '没有事件属性或客户属性带这种编号。', did: (via: string) => `事件属性 ${via}`, didOne: (event: string, via: string) => `${event} · ${via}`, has: (trait: string) => `客户属性 ${trait}`,
      events: (count: string) => `${count} 种事件`, see: '看这些客户', segment: '建人群', others: '指向它的对象', othersHint: (kind: string, field: string) => `${kind} · ${field}`, noOthers: '没有别的对象指向它。', inAll: '在列表里看', raw: '原始', noRight: '看客户需要「查看人群」的权限', unknown: '没有资料',
    },
  },
  en: {
    title: 'Objects', purpose: 'What there is beside customers: products, stores, advisers, groups … Events point at them by id, and conditions of segments go through them.', kind: 'Kind', search: 'Search id or content', id: 'Id', content: 'Content', changed: 'Changed', more: 'Load more',
    emptyTitle: 'There are no objects yet', empty: 'Import products or stores from a file; item_set and group events of SDKs bring them too. Or describe a kind first.', importButton: 'Import a file', noneTitle: 'Nothing found', none: 'No object of this kind fits.',
    noObjects: 'There is no object of this kind yet', noObjectsHint: 'Import them from a file, or make one here.',
    kinds: { product: 'Products', store: 'Stores', adviser: 'Advisers', group: 'Groups', creative: 'Creatives', car: 'Cars', child: 'Children', order: 'Orders', shop: 'Shops', brand: 'Brands', dealer: 'Dealers' },
    newKind: 'New kind', define: 'Definition', newObject: 'New object', undescribed: 'not described',
    types: { text: 'text', number: 'number', money: 'money', boolean: 'yes / no', time: 'time', list: 'list', object: 'structure' },
    drawer: {
      newTitle: 'New kind', title: (kind) => `Definition of ${kind}`, kind: 'Key', kindHelp: 'lower-case letters, digits, underscores; it stands in events and rules, and does not change', name: 'Name', description: 'Description', fields: 'Fields',
      field: 'Field', label: 'Shown as', type: 'Type', leadsTo: 'Leads to', nothing: 'nothing', seen: 'not described', adopt: 'describe it', remove: (name) => `no longer describe ${name}`, addField: 'Name of a field', add: 'Add field', save: 'Save', saved: 'Saved; rules can use it at once',
      hint: 'A field that leads to a kind has ids of it: the dealer of a store, the store of a group. Conditions go from one to the next.', problems: { empty: 'Say its name first', taken: 'There is one of this name', long: 'Too long', form: 'Begins with a lower-case letter; letters, digits, underscores' },
      removeKind: 'Delete this kind', removeText: 'Its name and the description of its fields go. What conditions, journeys or other kinds still use is not deleted; you are told by what.', removed: 'The kind was deleted', stillHas: (count) => `There are ${count.toLocaleString('en')} objects of it: delete those first`,
      tags: 'Tags', tagsHint: 'Objects have tags and lists, too: hot products, stores with low scores.', newTag: 'New tag on it', newSegment: 'New list of it',
    },
    object: {
      back: 'All objects', facts: 'What is known', edit: 'Edit', remove: 'Delete', removeTitle: (name) => `Delete "${name}"?`, removeText: 'Conditions that go through it no longer hold. When an event or an import brings it again, it is there again.', removed: 'Deleted', gone: 'There is no such object', goneHint: 'It may have been deleted, or the id is wrong.', keep: 'Keep it',
      editTitle: (name) => `Edit "${name}"`, newTitle: (kind) => `New object · ${kind}`, saved: 'Saved', save: 'Save', nothing: 'Nothing is changed', wrong: (fields) => `No value of this type: ${fields}`, listHelp: 'with commas between', jsonHelp: 'JSON', yes: 'yes', no: 'no',
      tags: 'Tags and lists', noTags: 'It has no tags yet.', people: 'Its customers', peopleHint: 'who did something with this id, or have it in their profile', noPeople: 'No property of events and no trait has ids of this kind.', did: (via) => `events with ${via}`, didOne: (event, via) => `${event} · ${via}`, has: (trait) => `trait ${trait}`,
      events: (count) => `${count} types of events`, see: 'See them', segment: 'Make a segment', others: 'Objects that lead to it', othersHint: (kind, field) => `${kind} · ${field}`, noOthers: 'No other object leads to it.', inAll: 'See in the list', raw: 'Raw', noRight: 'Seeing customers needs the right to see segments', unknown: 'nothing is known',
    },
  },
});
