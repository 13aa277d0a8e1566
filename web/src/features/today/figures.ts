/* SPDX-License-Identifier: Apache-2.0 */
/* figures: what a day has brought so far, as rules that the server counts: each is also the way to the people behind it. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { queries } from '@/api/queries';
import type { Schemas } from '@/api/client';
import { dayKey, dayStart } from '@/lib/format';

export const todayRules = {
  newCustomers: { event: '*', measure: 'first', gte: 'today' },
  buyers: { event: 'Order Paid', during: 'today' },
  activeMembers: { all: [{ has: 'member_card' }, { event: '*', during: 'today' }] },
} as const;

export type TodayFigure = keyof typeof todayRules;

const everyMs = 60_000;

/* How many customers it is now; undefined until it was counted once. */
export function useTodayCount(figure: TodayFigure): { count: number | undefined; isError: boolean } {
  const text = JSON.stringify({ rule: todayRules[figure] });
  const preview = useQuery({ ...queries.rulePreview(text), staleTime: everyMs, refetchInterval: everyMs, placeholderData: keepPreviousData });
  return { count: preview.data?.count, isError: preview.isError };
}

/* The editor of segments with the rule of a figure in it: who they are, and what to do with them. */
export function peopleBehind(figure: TodayFigure, name: string): string {
  return `/new/segment?define=${encodeURIComponent(JSON.stringify({ name, rule: todayRules[figure] }))}`;
}

/* Events since midnight in the workspace's zone, from hours that begin at or after it. */
export function eventsToday(hours: Schemas['Overview']['by_hour'], nowMs: number, zone: string): number {
  const midnightMs = Date.parse(dayStart(dayKey(nowMs, zone), zone));
  return hours.filter((one) => Date.parse(one.hour) >= midnightMs).reduce((sum, one) => sum + one.events, 0);
}
