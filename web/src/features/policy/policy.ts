/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what holds for all sending, as rows that can be edited. Members that this page does not know are put back as they were. */
import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';

export type Row = Readonly<Record<string, unknown>>;
export type Policy = Readonly<Record<string, unknown>>;

export const policyQueries = {
  policy: () => queryOptions({ queryKey: ['policy'], queryFn: async ({ signal }) => (await api.get('/policy', { signal })) as Policy, staleTime: 10_000 }),
  /* who changed it, and who stopped or let go on, newest first */
  history: (action: 'policy.put' | 'stop.put') =>
    queryOptions({ queryKey: ['policy', 'history', action], queryFn: ({ signal }) => api.get('/audit', { query: { action, limit: 20 }, signal }), staleTime: 10_000 }),
};

export type Entry = Schemas['AuditEntry'];

export const lists = ['frequency', 'quiet_hours', 'budgets', 'consent'] as const;
export type List = (typeof lists)[number];

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

export const textIn = (row: Row, name: string): string => (typeof row[name] === 'string' ? row[name] : '');
export const numberIn = (row: Row, name: string): number | null => (typeof row[name] === 'number' ? row[name] : null);

export function rowsOf(policy: Policy, list: List): Row[] {
  const held = policy[list];
  return Array.isArray(held) ? held.filter(isRow) : [];
}

export function partOf(policy: Policy, name: string): Row {
  const held = policy[name];
  return isRow(held) ? held : {};
}

/* `undefined` takes the member away. */
export function withMember<T extends Row>(row: T, name: string, value: unknown): T {
  if (value !== undefined && value !== '') return { ...row, [name]: value };
  const { [name]: _gone, ...rest } = row;
  return rest as T;
}

export function withRow(policy: Policy, list: List, at: number, row: Row | null): Policy {
  const rows = rowsOf(policy, list);
  const next = row === null ? rows.filter((_, other) => other !== at) : at >= rows.length ? [...rows, row] : rows.map((one, other) => (other === at ? row : one));
  return { ...policy, [list]: next };
}

/* A member of a part; a part of which nothing is left goes, too. */
export function withPart(policy: Policy, part: string, name: string, value: unknown): Policy {
  const next = withMember(partOf(policy, part), name, value);
  return withMember(policy, part, Object.keys(next).length === 0 ? undefined : next);
}

/* A row as it begins. */
export const fresh: Readonly<Record<List, Row>> = {
  frequency: { per: 'all', max: 3, window: '7d', over: 'drop' },
  quiet_hours: { from: '22:00', to: '08:00', over: 'hold', zone: 'customer' },
  budgets: { per: 'month', amount: 0, over: 'hold' },
  consent: { purpose: '', needs: 'granted' },
};

const calendars = ['day', 'week', 'month'];

/* A cap counts over a calendar period or a sliding window: one of them. */
export function periodOf(row: Row): { calendar: string; days: number | null } {
  const calendar = textIn(row, 'calendar');
  if (calendars.includes(calendar)) return { calendar, days: null };
  return { calendar: '', days: daysOf(textIn(row, 'window')) };
}

export function withPeriod(row: Row, calendar: string, days: number | null): Row {
  const without = withMember(withMember(row, 'calendar', undefined), 'window', undefined);
  return calendar === '' ? { ...without, window: `${days ?? 7}d` } : { ...without, calendar };
}

/* '7d' is 7, '12h' is none that can be said in whole days. */
export function daysOf(text: string): number | null {
  const found = /^(\d+)(d|w)$/.exec(text);
  return found === null ? null : Number(found[1]) * (found[2] === 'w' ? 7 : 1);
}

/* In which list, and which row of it, a refusal points: '/frequency/2'. */
export function placeOf(pointer: string): { list: string; at: number } | null {
  const found = /^\/(\w+)\/(\d+)/.exec(pointer.replace(/^\/policy/, ''));
  return found === null ? null : { list: found[1] ?? '', at: Number(found[2]) };
}

const sameText = (value: unknown): string => JSON.stringify(value ?? null);

export interface PolicyChange {
  /* 'frequency/0', 'settle' */
  place: string;
  kind: 'added' | 'removed' | 'changed';
}

/* What differs between two policies, row by row. */
export function changesOf(before: Policy, after: Policy): PolicyChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): PolicyChange[] => {
    const [a, b] = [before[name], after[name]];
    if (sameText(a) === sameText(b)) return [];
    if (!Array.isArray(a) && !Array.isArray(b)) return [{ place: name, kind: a === undefined ? 'added' : b === undefined ? 'removed' : 'changed' }];
    const rowsA: unknown[] = Array.isArray(a) ? a : [];
    const rowsB: unknown[] = Array.isArray(b) ? b : [];
    return Array.from({ length: Math.max(rowsA.length, rowsB.length) }, (_, at): PolicyChange[] => {
      if (sameText(rowsA[at]) === sameText(rowsB[at])) return [];
      return [{ place: `${name}/${at}`, kind: at >= rowsA.length ? 'added' : at >= rowsB.length ? 'removed' : 'changed' }];
    }).flat();
  });
}

/* What a line of the audit says of a stop: scope and value, whether it stopped or let go on, and why. */
export function stopOf(entry: Entry): { scope: string; value: string; active: boolean; why: string } {
  let detail: unknown = null;
  try {
    detail = JSON.parse(entry.detail);
  } catch {
    detail = null;
  }
  const held: Row = isRow(detail) ? detail : {};
  return { scope: textIn(held, 'scope') || 'all', value: textIn(held, 'value'), active: held['active'] !== false, why: textIn(held, 'why') };
}
