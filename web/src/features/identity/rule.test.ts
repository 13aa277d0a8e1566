/* SPDX-License-Identifier: Apache-2.0 */
/* Rules read as sentences in both languages, and only what changed is sent. */
import { describe, expect, it } from 'vitest';
import { changeOf, formOf, linesOf, ruleSentence, type Rule } from './rule';

const rule: Rule = {
  name: 'mobile', label: { zh: '手机号', en: 'Mobile' }, strong: true, verification: true, limit: 3, window_days: 0, over_limit: 'refuse', shared_after: 3, blocked: ['a', 'b'], blocked_patterns: [], identifiers: 10, builtin: true,
};

describe('ruleSentence', () => {
  it('speaks Chinese', () => {
    expect(ruleSentence(rule, 'zh')).toBe('验证过的才合并客户；每人最多 3 个，超出则拒绝；被 3 位客户用过即视为公用');
    expect(ruleSentence({ ...rule, strong: false, limit: 50, window_days: 365, over_limit: 'drop_oldest', shared_after: 0 }, 'zh')).toBe('只用来查找，不合并客户；365 天内每人最多 50 个，超出则最旧的退出');
  });
  it('speaks English', () => {
    expect(ruleSentence(rule, 'en')).toBe('Joins customers when verified; at most 3 each, beyond that refused; counts as shared when 3 customers hold it');
    expect(ruleSentence({ ...rule, verification: false, limit: 0, shared_after: 0 }, 'en')).toBe('Joins customers when equal; any number each');
  });
});

describe('changeOf', () => {
  it('finds nothing in an untouched form', () => expect(changeOf(rule, formOf(rule))).toBeNull());
  it('does not mind the order of blocked values', () => expect(changeOf(rule, { ...formOf(rule), blocked: ['b', 'a'] })).toBeNull());
  it('sends what changed and nothing else', () => {
    expect(changeOf(rule, { ...formOf(rule), limit: 5, blocked: ['a'] })).toEqual({ limit: 5, blocked: ['a'] });
  });
});

it('reads one value a line', () => expect(linesOf(' 13800000000 \n\n13800000000\n+86 1')).toEqual(['13800000000', '+86 1']));
