/* SPDX-License-Identifier: Apache-2.0 */
/* rule: an identity rule as a sentence, as a form, and what changed between the two. */
import type { Schemas } from '@/api/client';
import type { Language } from '@/lib/text';

export type Rule = Schemas['IdentifierType'];
export type RuleChange = Schemas['IdentifierTypePut'];

/* What a rule says, as an operator would put it. */
export function ruleSentence(rule: Rule, language: Language): string {
  return language === 'zh' ? zhSentence(rule) : enSentence(rule);
}

function zhSentence(rule: Rule): string {
  const parts = [
    !rule.strong ? '只用来查找，不合并客户' : rule.verification ? '验证过的才合并客户' : '相同就合并客户',
    rule.limit === 0 ? '数量不限' : `${rule.window_days === 0 ? '' : `${rule.window_days} 天内`}每人最多 ${rule.limit} 个，超出${rule.over_limit === 'refuse' ? '则拒绝' : '则最旧的退出'}`,
  ];
  if (rule.shared_after > 0) parts.push(`被 ${rule.shared_after} 位客户用过即视为公用`);
  return parts.join('；');
}

function enSentence(rule: Rule): string {
  const parts = [
    !rule.strong ? 'Only finds, never joins customers' : rule.verification ? 'Joins customers when verified' : 'Joins customers when equal',
    rule.limit === 0
      ? 'any number each'
      : `at most ${rule.limit} each${rule.window_days === 0 ? '' : ` in ${rule.window_days} days`}, beyond that ${rule.over_limit === 'refuse' ? 'refused' : 'the oldest leaves'}`,
  ];
  if (rule.shared_after > 0) parts.push(`counts as shared when ${rule.shared_after} customers hold it`);
  return parts.join('; ');
}

export interface RuleForm {
  strong: boolean;
  verification: boolean;
  limit: number;
  window_days: number;
  over_limit: Rule['over_limit'];
  shared_after: number;
  blocked: string[];
  blocked_patterns: string[];
}

export function formOf(rule: Rule): RuleForm {
  const { strong, verification, limit, window_days, over_limit, shared_after, blocked, blocked_patterns } = rule;
  return { strong, verification, limit, window_days, over_limit, shared_after, blocked: [...blocked], blocked_patterns: [...blocked_patterns] };
}

/* The members that differ; null when nothing does. Order of blocked values does not matter. */
export function changeOf(rule: Rule, form: RuleForm): RuleChange | null {
  const change: Record<string, unknown> = {};
  for (const key of Object.keys(form) as (keyof RuleForm)[]) {
    const [before, after] = [rule[key], form[key]];
    const same = Array.isArray(before) && Array.isArray(after) ? [...before].sort().join('\n') === [...after].sort().join('\n') : before === after;
    if (!same) change[key] = after;
  }
  return Object.keys(change).length === 0 ? null : (change as RuleChange);
}

/* One value a line; empty lines and repeats are dropped. */
export function linesOf(text: string): string[] {
  return [...new Set(text.split('\n').map((line) => line.trim()).filter((line) => line !== ''))];
}
