/* SPDX-License-Identifier: Apache-2.0 */
/* texts: words of the pages of templates. */
import { catalogue } from '@/lib/text';

export const templateTexts = catalogue({
  zh: {
    title: '消息模板', purpose: '各渠道的文案：变量从画像里取，保存时就知道服务商会不会拒。', create: '新建模板', search: '搜索名称或代号', emptyTitle: '还没有模板', empty: '旅程里的每条消息都用一个模板。先写一个短信或企业微信的。', noMatch: '没有符合的模板',
    name: '名称', key: '代号', keyHint: '小写字母、数字、- 和 _；保存后不能改', badKey: '代号只能有小写字母、数字、- 和 _', keyTaken: '这个代号已经有了', channel: '渠道', purposeOf: '用途', purposes: { marketing: '营销', service: '服务' } as Record<string, string>, version: (n: number) => `第 ${n} 版`, versionHead: '版本',
    partNames: { text: '正文', title: '标题', description: '描述', url: '链接', data: '填写项', page: '打开的页面', subject: '主题', html: '网页正文', body: '内容', template_code: '模板编号', params: '变量' } as Record<string, string>,
    form: '形式', templateId: '服务商模板编号', parts: '内容', part: (name: string) => `内容 ${name}`, addPart: '加一项内容', partName: '名称，如 url', removePart: (name: string) => `去掉 ${name}`, insert: '插入变量', language: '加工与条件', filters: '加工变量', tags: '条件与循环', nested: '结构化内容，按 JSON 写',
    lint: '服务商会怎么说', clean: '没有发现问题', unsaved: '保存后再检查一遍', error: '会被拒', advice: '建议', at: (part: string, line: number) => `${part} 第 ${line} 行`, problems: (count: number) => (count === 0 ? '无问题' : `${count} 处`),
    preview: '预览', previewHint: '用一位客户的资料看效果', customer: '客户', show: '看效果', nobody: '没有找到这位客户', raw: '还没有填入资料', missing: '缺这个值的客户收不到这条消息', sender: { sms: '1069 短信', wecom: '品牌顾问', official_account: '公众号', subscription: '服务通知', email: '邮件', call: '外呼话术', webhook: 'Webhook', coupon: '卡包' } as Record<string, string>,
    save: '保存', saved: '已保存', nothing: '没有修改', remove: '删除', removeTitle: (name: string) => `删除「${name}」？`, removeText: '用到它的旅程之后发不出消息；已经发出的不受影响。', removed: '已删除', draft: '恢复了你上次没保存的草稿', discard: '放弃修改', phone: '手机上的样子',
  },
  en: {
    title: 'Templates', purpose: 'What each channel says: variables come from the profile, and what a provider would refuse is known when it is saved.', create: 'New template', search: 'Search name or key', emptyTitle: 'No templates yet', empty: 'Each message of a journey uses a template. Begin with one for SMS or WeCom.', noMatch: 'No template fits',
    name: 'Name', key: 'Key', keyHint: 'small letters, digits, - and _; cannot be changed later', badKey: 'A key has small letters, digits, - and _', keyTaken: 'This key is taken', channel: 'Channel', purposeOf: 'Purpose', purposes: { marketing: 'marketing', service: 'service' } as Record<string, string>, version: (n) => `version ${n}`, versionHead: 'Version',
    partNames: { text: 'Text', title: 'Title', description: 'Description', url: 'Link', data: 'Fields', page: 'Page that opens', subject: 'Subject', html: 'Web text', body: 'Body', template_code: 'Template code', params: 'Variables' },
    form: 'Form', templateId: "Provider's template", parts: 'Content', part: (name) => `Content ${name}`, addPart: 'Add a part', partName: 'its name, such as url', removePart: (name) => `Remove ${name}`, insert: 'Insert a variable', language: 'Filters and tags', filters: 'Filters', tags: 'Conditions and loops', nested: 'structured, written as JSON',
    lint: 'What the provider will say', clean: 'Nothing was found', unsaved: 'looked at again when it is saved', error: 'refused', advice: 'advice', at: (part, line) => `${part}, line ${line}`, problems: (count) => (count === 0 ? 'none' : String(count)),
    preview: 'Preview', previewHint: 'with the values of a customer', customer: 'Customer', show: 'Show', nobody: 'No such customer', raw: 'no values filled in yet', missing: 'customers without this value do not get the message', sender: { sms: '1069', wecom: 'Adviser', official_account: 'Official account', subscription: 'Service notice', email: 'E-mail', call: 'Call script', webhook: 'Webhook', coupon: 'Wallet' } as Record<string, string>,
    save: 'Save', saved: 'Saved', nothing: 'Nothing was changed', remove: 'Delete', removeTitle: (name) => `Delete "${name}"?`, removeText: 'Journeys that use it cannot send any more; what went out stays.', removed: 'Deleted', draft: 'Your draft from last time is back', discard: 'Discard', phone: 'On a phone',
  },
});
