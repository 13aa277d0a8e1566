/* SPDX-License-Identifier: Apache-2.0 */
/* whatif: runs over past days: questions to the server, and its numbers as they stand at the end of a day. */
import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';
import type { NodeReport } from './model';

export type Run = Schemas['Whatif'];
export type Result = Schemas['WhatifResult'];
export type Comparison = Schemas['WhatifComparison'];

const isOpen = (run: Run | undefined): boolean => run !== undefined && (run.state === 'waiting' || run.state === 'running');

export const whatIfQueries = {
  list: (key: string) => queryOptions({ queryKey: ['journeys', 'whatif', key], queryFn: ({ signal }) => api.get('/journeys/{key}/whatif', { path: { key }, signal }), refetchInterval: (query) => (query.state.data?.items.some(isOpen) === true ? 700 : false) }),
  one: (key: string, id: string) => queryOptions({ queryKey: ['journeys', 'whatif', key, id], queryFn: ({ signal }) => api.get('/journeys/{key}/whatif/{id}', { path: { key, id }, signal }), enabled: id !== '', refetchInterval: (query) => (isOpen(query.state.data) ? 500 : false) }),
  compare: (key: string, id: string, from: string) => queryOptions({ queryKey: ['journeys', 'whatif', key, id, 'compare', from], queryFn: ({ signal }) => api.get('/journeys/{key}/whatif/{id}/compare', { path: { key, id }, query: from === '' ? {} : { from }, signal }) }),
};

export function daysOf(result: Result): string[] {
  return [...new Set([...result.days.map((row) => row.day), ...result.touches.map((row) => row.day)])].sort();
}

type Counts = Record<string, number>;

/* What each place has counted up to the end of this day. */
export function countsUpTo(result: Result, day: string): ReadonlyMap<string, Counts> {
  const places = new Map<string, Counts>();
  for (const row of result.days) {
    if (row.goal !== undefined || row.day > day) continue;
    const counts = places.get(row.node) ?? {};
    for (const [name, value] of Object.entries(row)) if (typeof value === 'number') counts[name] = (counts[name] ?? 0) + value;
    places.set(row.node, counts);
  }
  return places;
}

/* As the report of a live journey would stand that evening: for the canvas. Who waits is known of the last evening; of those before it is
 * who came and did not go on, and no more than were inside: who leaves by an exit rule is not counted where she stood. */
export function reportUpTo(result: Result, day: string): NodeReport[] {
  const counts = countsUpTo(result, day);
  const isLast = day >= (daysOf(result).at(-1) ?? '');
  const start = counts.get('$start') ?? {};
  const inside = Math.max(0, (start['entered'] ?? 0) - (start['exited'] ?? 0));
  return result.report.nodes.map((node) => {
    const counted = counts.get(node.node) ?? {};
    const numbers = Object.fromEntries(Object.entries(node).filter(([, value]) => typeof value === 'number').map(([name]) => [name, counted[name] ?? 0]));
    const stayed = Math.max(0, (counted['entered'] ?? 0) - (counted['left'] ?? 0) - (node.type === 'exit' ? counted['entered'] ?? 0 : 0));
    return { ...node, ...numbers, waiting: isLast ? node.waiting : Math.min(stayed, inside) };
  });
}

export interface Cell {
  status: string;
  reason: string;
  count: number;
}

/* Touches asked for up to this day, by status and reason; of one node, or ('' ) of all. */
export function touchesUpTo(result: Result, day: string, node: string): Cell[] {
  const cells = new Map<string, Cell>();
  for (const row of result.touches) {
    if (row.day > day || (node !== '' && row.node !== node)) continue;
    const key = `${row.status} ${row.reason}`;
    const cell = cells.get(key) ?? { status: row.status, reason: row.reason, count: 0 };
    cells.set(key, { ...cell, count: cell.count + row.count });
  }
  return [...cells.values()].sort((a, b) => b.count - a.count);
}

const marks: Readonly<Record<string, string>> = { ',': '，', ':': '：', ';': '；' };

/* One thing that was assumed, in words: an account by its name, and Chinese with the marks of Chinese. */
export function assumptionText(one: Result['assumptions'][number], language: 'zh' | 'en', kindName: (kind: string) => string): string {
  const text = one.code === 'results' ? one[language].replace(/^[a-z0-9_]+/, kindName) : one[language];
  return language === 'zh' ? text.replace(/[,:;]\s*(?=[\u4e00-\u9fff])/g, (mark) => marks[mark.trim()] ?? mark) : text;
}

export const isOut = (status: string): boolean => ['sent', 'delivered', 'confirmed', 'read', 'clicked'].includes(status);
