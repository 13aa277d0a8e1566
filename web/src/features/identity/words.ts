/* SPDX-License-Identifier: Apache-2.0 */
/* words of identity: why links, merges and refusals are what they are. Codes are those of src/identity. */
import { catalogue } from '@/lib/text';

export const identityWords = catalogue({
  zh: {
    link: {
      first: '首个标识', together: '同一事件', claimed: '公开来源声称', login: '登录认出', moved: '换人使用', taken: '归还真正的主人', dropped: '超出上限，最旧的退出',
      shared: '多人共用', blocked: '屏蔽值', unbound: '解除绑定', refused: '合并被拒', rules: '规则变更', review: '人工复核', hand: '手工添加', split: '人工拆分', manual: '人工合并',
    },
    merge: {
      identifier: '同一条事件里同时出现两边的强标识', login: '匿名访客登录后被认出', manual: '人工合并', review: '复核时判定为同一人', rules: '识别规则变更后允许合并',
    },
    mergeShort: { identifier: '同一事件', login: '登录认出', manual: '人工合并', review: '复核合并', rules: '规则变更' },
    refusal: {
      limit: '超出上限', separated: '曾被人工分开', shared: '多人共用', claim: '来源不可信',
    },
    refusalWhy: {
      limit: '合并后这类标识的数量会超过一位客户允许的上限。',
      separated: '有人曾把他们拆开，系统不会再自动合并。',
      shared: '这个标识被太多客户使用过，像是公用的（办公室电话、测试值、店里的平板）。',
      claim: '公开密钥的来源（网页、小程序）只能声称，不能让两位已知客户合并。',
    },
    status: { open: '待复核', merged: '已合并', separated: '已判定为不同人', dismissed: '已忽略' },
    strong: '强',
    weak: '弱',
  },
  en: {
    link: {
      first: 'first known by it', together: 'on one event', claimed: 'claimed by a public source', login: 'known at login', moved: 'used by somebody else', taken: 'given to its owner', dropped: 'over the limit, oldest left',
      shared: 'shared by many', blocked: 'blocked value', unbound: 'unbound', refused: 'merge refused', rules: 'rules changed', review: 'reviewed', hand: 'given by hand', split: 'split by hand', manual: 'joined by hand',
    },
    merge: {
      identifier: 'one event carried strong identifiers of both', login: 'an anonymous visitor signed in and was recognised', manual: 'joined by hand', review: 'review found them to be one person', rules: 'a change of the rules allowed it',
    },
    mergeShort: { identifier: 'on one event', login: 'known at login', manual: 'by hand', review: 'reviewed', rules: 'rules changed' },
    refusal: {
      limit: 'Over the limit', separated: 'Kept apart by hand', shared: 'Shared by many', claim: 'Only claimed',
    },
    refusalWhy: {
      limit: 'Together they would hold more identifiers of this type than one customer may.',
      separated: 'Somebody split them before, so the system does not join them again.',
      shared: 'Too many customers have used this identifier: it looks shared (an office phone, a test value, a tablet in a shop).',
      claim: 'A source with a public key (a page, a mini-program) may claim, but not join two customers that are known.',
    },
    status: { open: 'To review', merged: 'Merged', separated: 'Different people', dismissed: 'Dismissed' },
    strong: 'strong',
    weak: 'weak',
  },
});
