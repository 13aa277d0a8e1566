/* SPDX-License-Identifier: Apache-2.0 */
/* account: the form of a sending account, made of what the server says of its kind, and what is put from it. */
import type { JsonObject } from '@/features/rules/model';

export interface Field {
  name: string;
  type: 'text' | 'number' | 'bool' | 'headers';
  secret: boolean;
  required: boolean;
  default?: unknown;
  least?: number;
  most?: number;
  text: { zh: string; en: string };
}

export interface Kind {
  kind: string;
  channel: string;
  internal: boolean;
  text: { zh: string; en: string };
  settings: Field[];
}

/* What a person has typed: '' is nothing. A switch is a truth. */
export type Values = Record<string, string | boolean>;

/* Where it goes and how fast, which the provider's own words come before. */
const technical = new Set(['base_url', 'allow_private', 'rate_per_second', 'daily_quota', 'concurrency', 'timeout_ms', 'queue_max', 'batch', 'batch_wait_ms', 'breaker_failures']);
export const common: readonly Field[] = [
  { name: 'default', type: 'bool', secret: false, required: false, text: { zh: '这个渠道的默认账号', en: 'the one that is used where none is named' } },
  { name: 'disabled', type: 'bool', secret: false, required: false, text: { zh: '停用', en: 'disabled' } },
  { name: 'test_only', type: 'bool', secret: false, required: false, text: { zh: '只发给测试人群', en: 'to test users alone' } },
  { name: 'cost', type: 'number', secret: false, required: false, least: 0, most: 1_000_000, text: { zh: '每条成本 (分)', en: 'cost of a message, in minor units' } },
];

export function sections(kind: Kind): { main: Field[]; more: Field[] } {
  return { main: kind.settings.filter((one) => !technical.has(one.name) && one.name !== 'sandbox'), more: [...common, ...kind.settings.filter((one) => technical.has(one.name))] };
}

const isKept = (value: unknown): boolean => typeof value === 'object' && value !== null && 'is_set' in value;

/* The form of an account as it is; secrets are not known, and stay when nothing is typed. */
export function valuesOf(fields: readonly Field[], settings: Readonly<Record<string, unknown>>): Values {
  return Object.fromEntries(fields.map((one) => {
    const value = settings[one.name];
    if (one.type === 'bool') return [one.name, value === true];
    if (value === undefined || value === null || isKept(value)) return [one.name, ''];
    return [one.name, typeof value === 'object' ? JSON.stringify(value) : String(value)];
  }));
}

export function hasKept(field: Field, settings: Readonly<Record<string, unknown>>): boolean {
  return field.secret && isKept(settings[field.name]);
}

export type Fault = 'missing' | 'number' | 'range' | 'json';

/* What is wrong with a field before the server is asked; null for nothing. */
export function faultOf(field: Field, value: string | boolean | undefined, isSecretKept: boolean): Fault | null {
  if (typeof value === 'boolean') return null;
  const text = (value ?? '').trim();
  if (text === '') return field.required && !isSecretKept ? 'missing' : null;
  if (field.type === 'headers') {
    try {
      const parsed: unknown = JSON.parse(text);
      return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? null : 'json';
    } catch {
      return 'json';
    }
  }
  if (field.type !== 'number') return null;
  const number = Number(text);
  if (!Number.isInteger(number)) return 'number';
  return number < (field.least ?? -Infinity) || number > (field.most ?? Infinity) ? 'range' : null;
}

/* The settings to put: what this form knows as it was typed, and what it does not know (quota, window, pool …) as it was. */
export function settingsOf(fields: readonly Field[], values: Values, before: Readonly<Record<string, unknown>>): JsonObject {
  const known = new Set(fields.map((one) => one.name));
  const kept = Object.entries(before).filter(([name, value]) => !known.has(name) && !isKept(value));
  const typed = fields.flatMap((one): [string, unknown][] => {
    const value = values[one.name];
    if (one.type === 'bool') return value === true ? [[one.name, true]] : [];
    const text = typeof value === 'string' ? value.trim() : '';
    if (text === '') return [];
    return [[one.name, one.type === 'number' ? Number(text) : one.type === 'headers' ? JSON.parse(text) : text]];
  });
  return Object.fromEntries([...kept, ...typed]) as JsonObject;
}
