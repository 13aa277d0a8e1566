/* SPDX-License-Identifier: Apache-2.0 */
/* views: what of an address makes a view of a page, how two are compared, and the key of a new one. */
import type { Schemas } from '@/api/client';

export type View = Schemas['View'];

/* What stands in the address and belongs to nobody's view: where in the list one is. */
const passing = new Set(['cursor', 'page']);

/* The part of an address that a view keeps, in one order: two addresses that show the same are the same text. */
export function viewQuery(search: string): string {
  const kept = [...new URLSearchParams(search)].filter(([name, value]) => !passing.has(name) && value !== '');
  kept.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return new URLSearchParams(kept).toString();
}

/* The view that the address shows now, own ones first; null for none. */
export function openView(views: readonly View[], search: string): View | null {
  const now = viewQuery(search);
  const same = views.filter((one) => viewQuery(one.query) === now);
  return same.find((one) => one.own) ?? same[0] ?? null;
}

export function sortViews(views: readonly View[]): View[] {
  return [...views].sort((a, b) => Number(b.own) - Number(a.own) || a.name.localeCompare(b.name, 'zh-CN'));
}

/* Keys are never read: a number of the moment and some chance. */
export function newViewKey(nowMs: number, chance: () => number): string {
  return `v${nowMs.toString(36)}${Math.floor(chance() * 36 ** 4).toString(36).padStart(4, '0')}`;
}
