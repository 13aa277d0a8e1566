/* SPDX-License-Identifier: Apache-2.0 */
/* audit: what a line says: its detail as a list of members, before and after side by side where both are there; the address of the file. */
import { addressOf } from '@/api/client';
import { auditQuery, type AuditFilter } from './queries';

export interface Change {
  member: string;
  before: string;
  after: string;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const said = (value: unknown): string => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value));

/* The detail as JSON; the text itself for what is none. */
export function detailOf(detail: string): unknown {
  try {
    return JSON.parse(detail) as unknown;
  } catch {
    return detail;
  }
}

/* Members that differ between `before` and `after` of a detail; null where it has not both. */
export function changesOf(detail: unknown): Change[] | null {
  if (!isObject(detail) || !('before' in detail) || !('after' in detail)) return null;
  const before = isObject(detail['before']) ? detail['before'] : {};
  const after = isObject(detail['after']) ? detail['after'] : {};
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((member) => ({ member, before: said(before[member]), after: said(after[member]) }))
    .filter((one) => one.before !== one.after);
}

export function exportAddress(filter: AuditFilter, format: 'csv' | 'jsonl'): string {
  return addressOf('/audit/export', { query: { ...auditQuery(filter), format } });
}
