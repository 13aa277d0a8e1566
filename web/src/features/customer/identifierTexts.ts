/* SPDX-License-Identifier: Apache-2.0 */
/* texts of the dialogs for identifiers that are given and taken off by hand, and of the mark of a child. */
import { catalogue } from '@/lib/text';

export const identifierTexts = catalogue({
  zh: {
    addTitle: '手工添加标识', add: '添加', added: '已添加', known: '这个标识本来就是这位客户的',
    addHint: '任何来源都没有带来、但确定属于这位客户的标识。不会因此合并：属于别的客户的标识会被拒绝。',
    type: '标识类型', typeMissing: '请选择标识类型', value: '值', valueMissing: '请填写完整的值', namespace: '命名空间', namespaceHint: '只有分命名空间的类型需要，例如小程序的 AppID',
    verified: '已经验证过', verifiedHint: '例如短信验证码或证件核对。没有验证的手机号只算声称，谁验证了就归谁。',
    partTitle: '移除错误的标识', part: '移除', partOne: (name: string) => `移除${name}`, parted: (other: string) => `已移除，现在属于 ${other}`, partedNobody: '已移除，下次谁用就属于谁',
    partEffects: ['强标识会成为另一位客户，两人从此分开', '弱标识暂时不属于任何人，下次谁用就属于谁', '此前带来的事件和属性留在这位客户这里', '可以撤销：把两位客户合并，或重新添加'],
    child: '未满 14 岁', childHint: '按生日不满 14 岁：不发营销消息，姓名、手机号等不显示、不导出，需两人先后同意才放开。', guardian: '登记监护人同意',
    reason: '原因', reasonHint: '会写进永久的操作记录，不要写姓名、手机号。', reasonMissing: '请写明原因',
  },
  en: {
    addTitle: 'Give an identifier by hand', add: 'Add', added: 'Added', known: 'It was this customer\'s before',
    addHint: 'One that no source has told of, and that certainly is this customer\'s. Nobody is joined by it: what is another customer\'s is refused.',
    type: 'Type', typeMissing: 'Choose a type', value: 'Value', valueMissing: 'Write the whole value', namespace: 'Namespace', namespaceHint: 'Only for types that have several, as the app id of a mini program',
    verified: 'It was proved', verifiedHint: 'By a code sent to it, say, or a document. A phone that is not proved is only claimed, and goes to who proves it.',
    partTitle: 'Take a wrong identifier off', part: 'Take off', partOne: (name) => `Take off ${name}`, parted: (other) => `Taken off; it is ${other} now`, partedNobody: 'Taken off; it is whoever\'s who uses it next',
    partEffects: ['A strong one becomes another customer, and the two stay apart', 'A weak one is nobody\'s, until somebody uses it', 'What it has brought so far stays here', 'This can be taken back: join the two customers, or add it again'],
    child: 'Under 14', childHint: 'By her birthday: no marketing goes to her, names and phones are neither shown nor exported until two persons have released it.', guardian: 'Record a guardian\'s consent',
    reason: 'Why', reasonHint: 'Stands in the audit for ever: write no names and no phones.', reasonMissing: 'Say why',
  },
});
