/* SPDX-License-Identifier: Apache-2.0 */
/* privacy: requests of persons: their words, how a state looks, when one is due, what can be done with one. */
import { catalogue } from '@/lib/text';
import type { Tone } from '@/ui/Marks';
import type { PersonRequest, RequestKind } from './queries';

export const requestTexts = catalogue({
  zh: {
    title: '隐私', purpose: '客户行使个人信息权利的请求，到哪天必须办完；以及删除的回执。', tabs: { requests: '个人请求', sensitive: '敏感信息', erasures: '删除记录' }, create: '登记请求', number: '编号', kind: '要求', state: '状态', customer: '客户', due: '办理期限', handler: '经办人', received: '收到', nobody: '没有分配', gone: '已删除', allKinds: '全部要求',
    views: { open: '待办', overdue: '已超期', closed: '已办结', all: '全部' }, states: { open: '待办', in_progress: '办理中', done: '已办结', refused: '已拒绝', cancelled: '已撤回' }, kinds: { access: '查阅、复制', correction: '更正', portability: '转移', restriction: '限制处理', erasure: '删除', withdrawal: '撤回全部同意', guardian_consent: '监护人同意' } as Record<RequestKind, string>,
    dueIn: (days: number) => (days <= 0 ? '今天到期' : `还有 ${days} 天`), overdue: (days: number) => `超期 ${days} 天`, noneOpen: '没有待办的请求', none: '没有符合的请求', empty: '客户来电、来信要求查阅、更正、删除自己的信息时，登记在这里，就有期限和经办人，不会漏。',
    erasing: '正在删除', erased: '已删完', tombstones: '不再收的标识', tombstonesNote: '只留摘要，认得出但还原不了', refused: '拒收的事件', refusedNote: '删除之后又来的', log: '日志', logNote: '其中已删客户的记录', clean: '已清空', cleaning: '清理中', failing: '上一次删除没有做完，会自动再试。', noErasures: '还没有删除过客户', noErasuresHelp: '客户要求删除时，登记一个「删除」请求再执行；删完这里有回执。', done: '已删完', underWay: '删除中', asked: '提出', finishedAt: '删完', reason: '原因', receipt: '回执',
    receiptNames: { nodes: '节点', identifiers: '标识', traits: '属性', events: '事件', touches: '触达', positions: '旅程位置', warehouse_rows: '仓库行', log_records: '日志记录', quarantined: '隔离事件', files: '文件' } as Record<string, string>,
    open: (id: string) => `请求 ${id}`, note: '说明', result: '办理结果', resultHelp: '办结或拒绝时写给自己人看的：做了什么，或者为什么不能做', save: '保存', saved: '已保存', begin: '开始办理', refuse: '拒绝', finish: '办结', cancelRequest: '客户撤回', reopen: '重新打开', by: (login: string) => `${login} 登记`, closed: '办结于', needResult: '请先写办理结果',
    perform: { erasure: '执行删除', restriction: '执行限制', withdrawal: '撤回全部同意', guardian_consent: '放行' }, performTitle: { erasure: '删除这位客户？', restriction: '限制处理这位客户的信息？', withdrawal: '撤回这位客户的全部同意？', guardian_consent: '放行这个孩子？' }, performText: { erasure: '她的资料、标识、事件、触达会从每个存储里删掉，不能恢复；之后再来的同一标识的事件不收。合计数字不变。', restriction: '她的信息留着，但不再用于人群、旅程和发送，直到解除。', withdrawal: '所有用途的同意都改为撤回，营销不再触达她。', guardian_consent: '从现在起这个孩子和别的客户一样：显示姓名等信息，可以进名单；营销还要有营销同意。在客户页可以随时撤回。' }, typeId: (id: string) => `输入 ${id} 确认`, performed: '已执行',
    package: '资料包', makePackage: '生成资料包', packageHelp: '关于她的全部信息，放在一个压缩包里：机器可读的 JSON 和能打开看的网页。加密保存，到期自动删除。', inClear: '明文', masked: '打码', revealLabel: '个人信息用明文', revealReason: '理由（记进操作记录）', download: '下载', removePackage: '现在删除', made: '资料包已生成', removed: '资料包已删除', expires: '自动删除于',
    newTitle: '登记请求', who: '谁提出的', whoHelp: '手机号、会员卡、姓名或 OneID，选中一位', dueHelp: '不选就按规定的天数', notFound: '没有找到', made2: '请求已登记', correctHint: '在客户页改好资料之后，写下结果并办结。', toCustomer: '打开客户', proof: '凭据', proofHelp: '谁同意的、怎么同意的、凭据在哪：例如「母亲签署，扫描件 G-17」', secondPerson: '登记的人不能自己放行，要由另一位同事放行',
  },
  en: {
    title: 'Privacy', purpose: 'What persons asked for and by which day it must be done; and the receipts of erasures.', tabs: { requests: 'Requests', sensitive: 'Sensitive data', erasures: 'Erasures' }, create: 'Record a request', number: 'Number', kind: 'Asked for', state: 'State', customer: 'Customer', due: 'Due', handler: 'Handled by', received: 'Received', nobody: 'nobody', gone: 'erased', allKinds: 'All kinds',
    views: { open: 'To do', overdue: 'Overdue', closed: 'Closed', all: 'All' }, states: { open: 'to do', in_progress: 'in progress', done: 'done', refused: 'refused', cancelled: 'withdrawn' }, kinds: { access: 'Access', correction: 'Correction', portability: 'Portability', restriction: 'Restriction', erasure: 'Erasure', withdrawal: 'Withdrawal of all consents', guardian_consent: 'Guardian\'s consent' },
    dueIn: (days) => (days <= 0 ? 'due today' : days === 1 ? '1 day left' : `${days} days left`), overdue: (days) => (days === 1 ? '1 day over' : `${days} days over`), noneOpen: 'Nothing is to do', none: 'No request fits', empty: 'When somebody asks to see, correct or erase what is known of her, record it here: it has a day and a person then, and is not forgotten.',
    erasing: 'Being erased', erased: 'Erased', tombstones: 'Identifiers kept out', tombstonesNote: 'as keyed hashes alone', refused: 'Events not taken', refusedNote: 'that came after the erasure', log: 'Log', logNote: 'records of erased customers', clean: 'emptied', cleaning: 'being emptied', failing: 'The last erasure did not end; it is tried again.', noErasures: 'Nobody was erased yet', noErasuresHelp: 'Record a request for erasure and perform it; its receipt stands here.', done: 'finished', underWay: 'under way', asked: 'Asked', finishedAt: 'Finished', reason: 'Reason', receipt: 'Receipt',
    receiptNames: { nodes: 'nodes', identifiers: 'identifiers', traits: 'traits', events: 'events', touches: 'touches', positions: 'positions', warehouse_rows: 'warehouse rows', log_records: 'log records', quarantined: 'quarantined', files: 'files' },
    open: (id) => `Request ${id}`, note: 'Note', result: 'What came of it', resultHelp: 'for your own people: what was done, or why it cannot be', save: 'Save', saved: 'Saved', begin: 'Begin', refuse: 'Refuse', finish: 'Done', cancelRequest: 'Withdrawn', reopen: 'Open again', by: (login) => `recorded by ${login}`, closed: 'Closed', needResult: 'Say what came of it first',
    perform: { erasure: 'Erase now', restriction: 'Restrict now', withdrawal: 'Withdraw all consents', guardian_consent: 'Release' }, performTitle: { erasure: 'Erase this customer?', restriction: 'Restrict what is done with her data?', withdrawal: 'Withdraw all her consents?', guardian_consent: 'Release this child?' }, performText: { erasure: 'Details, identifiers, events and touches are removed from every store and cannot be restored; later events of the same identifiers are not taken. Sums stay as they are.', restriction: 'Her data are kept and not used for segments, journeys and sending, until it is lifted.', withdrawal: 'Consents for all purposes become withdrawn; marketing does not reach her any more.', guardian_consent: 'From now on she is as other customers are: shown, in lists, and, with a consent for marketing, written to. Her page takes it back at any time.' }, typeId: (id) => `Type ${id} to confirm`, performed: 'It is done',
    package: 'Package', makePackage: 'Make the package', packageHelp: 'All that is known of her in one archive: JSON for machines, a page to read. Kept sealed, removed by itself.', inClear: 'in clear', masked: 'masked', revealLabel: 'Personal values in clear', revealReason: 'Reason (for the audit)', download: 'Download', removePackage: 'Remove now', made: 'The package is made', removed: 'The package is removed', expires: 'Removed by itself',
    newTitle: 'Record a request', who: 'Who asked', whoHelp: 'phone, card, name or OneID; choose one', dueHelp: 'none: by the days of the rule', notFound: 'Nobody found', made2: 'The request is recorded', correctHint: 'Correct her details on her page, then say what came of it.', toCustomer: 'Open her page', proof: 'Proof', proofHelp: 'who agreed, how, and where it lies: “signed by her mother, scan G-17”', secondPerson: 'Whoever recorded it cannot release it: somebody else has to',
  },
});

export const requestKinds: readonly RequestKind[] = ['access', 'correction', 'portability', 'restriction', 'erasure', 'withdrawal', 'guardian_consent'];

export const tones: Readonly<Record<PersonRequest['state'], Tone>> = { open: 'info', in_progress: 'accent', done: 'good', refused: 'warn', cancelled: 'plain' };

const dayMs = 86_400_000;

/* Whole days until it is due: 0 on its last day, below 0 after it. */
export function dueIn(due: string, nowMs: number): number {
  return Math.floor((Date.parse(due) - nowMs) / dayMs);
}

export type Performed = 'erasure' | 'restriction' | 'withdrawal' | 'guardian_consent';

/* What the server does itself; access and portability are a package, corrections are made by hand. */
export function performedOf(kind: RequestKind): Performed | null {
  return kind === 'erasure' || kind === 'restriction' || kind === 'withdrawal' || kind === 'guardian_consent' ? kind : null;
}

export const hasPackage = (kind: RequestKind): boolean => kind === 'access' || kind === 'portability';
export const isClosed = (request: Pick<PersonRequest, 'state'>): boolean => request.state === 'done' || request.state === 'refused' || request.state === 'cancelled';
