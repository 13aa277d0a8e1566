/* SPDX-License-Identifier: Apache-2.0 */
/* detail: what the server says of an event that does not fit, in the words of the console's language. The server's English
 * is "<reason>: 'name'[, it is A and should be B]" (src/plan/check.c); what is not of this form is shown as it is.
 */
import { catalogue, wordFor } from '@/lib/text';

export const detailTexts = catalogue({
  zh: {
    name: (name: string) => `「${name}」`,
    types: (is: string, should: string) => `现在是${is}，应为${should}`,
    ahead: (hours: string) => `事件时间比现在晚 ${hours} 小时`,
    nobody: '事件上的标识都是占位值、打码值或公用值，认不出是谁',
    type: { bool: '是否', int: '整数', decimal: '小数', money: '金额', text: '文字', time: '时间', list: '列表', object: '对象', null: '空值' },
  },
  en: {
    name: (name) => `"${name}"`,
    types: (is, should) => `it is ${is} and should be ${should}`,
    ahead: (hours) => `it says it happens ${hours} hours from now`,
    nobody: 'every identifier on it is a placeholder, masked or shared: nobody can be told by it',
    type: { bool: 'true or false', int: 'a whole number', decimal: 'a number', money: 'an amount', text: 'text', time: 'a time', list: 'a list', object: 'an object', null: 'null' },
  },
});

type Words = (typeof detailTexts)['en'];

export function sayDetail(detail: string, t: Words): string {
  const ahead = /^it says it happens (\d+) hours from now$/.exec(detail);
  if (ahead?.[1] !== undefined) return t.ahead(ahead[1]);
  if (detail.startsWith('every identifier on it is ')) return t.nobody;
  const parts = /^[a-z ]+: '(.*?)'(?:, it is (?:an? )?(\w+) and should be (?:an? )?(\w+))?$/.exec(detail);
  if (parts?.[1] === undefined) return detail;
  const [, name, is, should] = parts;
  if (is === undefined || should === undefined) return t.name(name ?? '');
  return `${t.name(name ?? '')} ${t.types(wordFor(t.type, is), wordFor(t.type, should))}`;
}
