/* SPDX-License-Identifier: Apache-2.0 */
/* columns: which columns the list of customers has, as they stand in the address: 'orders,trait.city,tag.repeat'. */
import type { Schemas } from '@/api/client';

export const baseColumns = ['identifiers', 'orders', 'revenue', 'lastSeen', 'created', 'oneId', 'segments'] as const;
export type BaseColumn = (typeof baseColumns)[number];
export const firstColumns: readonly string[] = ['identifiers', 'orders', 'revenue', 'lastSeen', 'oneId'];
export const columnsMax = 24;

export type Column = { kind: 'base'; key: BaseColumn } | { kind: 'trait' | 'tag'; key: string };

export function readColumn(name: string): Column | null {
  const base = baseColumns.find((one) => one === name);
  if (base !== undefined) return { kind: 'base', key: base };
  for (const kind of ['trait', 'tag'] as const) if (name.startsWith(`${kind}.`) && name.length > kind.length + 1) return { kind, key: name.slice(kind.length + 1) };
  return null;
}

export function writeColumn(column: Column): string {
  return column.kind === 'base' ? column.key : `${column.kind}.${column.key}`;
}

/* In the order in which they were chosen; what is no column, and what is there twice, is left out. */
export function readColumns(text: string): Column[] {
  const names = [...new Set(text.split(',').map((one) => one.trim()))];
  return names.map(readColumn).filter((one) => one !== null).slice(0, columnsMax);
}

export function writeColumns(columns: readonly Column[]): string {
  return columns.map(writeColumn).join(',');
}

/* What has to be asked of the server for them. */
export function askedFor(columns: readonly Column[]): string {
  const wants = [columns.some((one) => one.kind === 'trait') ? 'traits' : '', columns.some((one) => one.kind === 'tag' || one.key === 'segments') ? 'tags' : ''];
  return wants.filter((one) => one !== '').join(',');
}

export type Row = Schemas['CustomerEntry'];

/* The value of a trait or tag of a row; undefined where she has none. */
export function valueOf(row: Row, column: Column): unknown {
  if (column.kind === 'base') return undefined;
  return column.kind === 'trait' ? row.traits?.[column.key] : row.tags?.[column.key];
}

function cell(value: unknown): string | number {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

const usual = ['mobile', 'member_card', 'wx_unionid'];

/* The rows as a table to take away: always who it is and what she bought, then the chosen traits and tags. */
export function tableOf(rows: readonly Row[], columns: readonly Column[]): (string | number)[][] {
  const more = columns.filter((one) => one.kind !== 'base');
  const withSegments = columns.some((one) => one.key === 'segments' && one.kind === 'base');
  const head = ['one_id', 'name', ...usual, 'orders', 'revenue_minor', 'currency', 'last_seen_at', 'created_at', ...more.map(writeColumn), ...(withSegments ? ['segments'] : [])];
  return [head, ...rows.map((row) => [
    row.one_id, row.name, ...usual.map((type) => row.identifiers.find((one) => one.type === type)?.value ?? ''),
    row.summary.orders, row.summary.revenue, row.summary.currency, row.summary.last_seen_at ?? '', row.created_at ?? '',
    ...more.map((one) => cell(valueOf(row, one))), ...(withSegments ? [(row.segments ?? []).join(' ')] : []),
  ])];
}

/* A rule from the address: what is no object is none. '' where there is none. */
export function readRuleText(text: string): string {
  try {
    const rule: unknown = text === '' ? null : JSON.parse(text);
    return typeof rule === 'object' && rule !== null && !Array.isArray(rule) && Object.keys(rule).length > 0 ? JSON.stringify(rule) : '';
  } catch {
    return '';
  }
}
