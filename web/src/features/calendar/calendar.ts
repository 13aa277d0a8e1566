/* SPDX-License-Identifier: Apache-2.0 */
/* calendar: what went out and what will, by day: which days a view shows, and the lines of each summed by journey, channel and whether it went. */
import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';
import { dayAfter, dayStart } from '@/lib/format';

export type Calendar = Schemas['Calendar'];
export type Item = Calendar['items'][number];
export type Triggered = Calendar['triggered'][number];

export const views = ['month', 'week', 'list'] as const;
export type View = (typeof views)[number];

const dayMs = 86_400_000;
const utc = (day: string): number => Date.parse(`${day}T00:00:00Z`);
export const shifted = (day: string, by: number): string => new Date(utc(day) + by * dayMs).toISOString().slice(0, 10);

/* Monday is the first of a week. */
export const mondayOf = (day: string): string => shifted(day, -((new Date(utc(day)).getUTCDay() + 6) % 7));

/* The days that a view shows: whole weeks of a month, a week, or thirty days from this one on. */
export function daysOf(view: View, day: string): string[] {
  if (view === 'list') return run(day, 30);
  if (view === 'week') return run(mondayOf(day), 7);
  const first = mondayOf(`${day.slice(0, 7)}-01`);
  const last = shifted(`${nextMonth(day)}-01`, -1);
  return run(first, Math.ceil(((utc(last) - utc(first)) / dayMs + 1) / 7) * 7);
}

const run = (first: string, count: number): string[] => Array.from({ length: count }, (_, at) => shifted(first, at));

function nextMonth(day: string): string {
  const [year = 0, month = 0] = day.split('-').map(Number);
  return month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, '0')}`;
}

/* One step of the arrows: a month, a week, thirty days. */
export function stepped(view: View, day: string, by: 1 | -1): string {
  if (view === 'week') return shifted(day, 7 * by);
  if (view === 'list') return shifted(day, 30 * by);
  return by === 1 ? `${nextMonth(day)}-01` : `${shifted(`${day.slice(0, 7)}-01`, -1).slice(0, 7)}-01`;
}

export interface CalendarFilter {
  channel: string;
  team: string;
}

const set = (value: string): string | undefined => (value === '' ? undefined : value);

export const calendarQuery = (days: readonly string[], zone: string, filter: CalendarFilter) => queryOptions({
  queryKey: ['calendar', days[0], days.at(-1), zone, filter],
  queryFn: ({ signal }) => api.get('/calendar', { query: { from: dayStart(days[0] ?? '', zone), to: dayStart(dayAfter(days.at(-1) ?? ''), zone), channel: set(filter.channel), team: set(filter.team) }, signal }),
  refetchInterval: 60_000,
});

/* Went, waits for its hour, or is yet to be asked for. */
export type Phase = 'sent' | 'held' | 'coming' | 'run';
const phases: Readonly<Record<Item['kind'], Phase>> = { sent: 'sent', held: 'held', run: 'run', scheduled: 'coming', entering: 'coming', waiting: 'coming' };
export const phaseOf = (item: Item): Phase => phases[item.kind];

export interface Line {
  phase: Phase;
  journey: string;
  name: string;
  channel: string;
  /* null: nobody can know */
  count: number | null;
  atMost: boolean;
  first: string;
  items: Item[];
}

/* Of one day: each journey and channel once for what went, what waits, what will. What is by hand has no journey. */
export function linesOf(items: readonly Item[]): Line[] {
  const lines = new Map<string, Line>();
  for (const item of items) {
    const [phase, journey, channel] = [phaseOf(item), item.journey ?? '', item.channel ?? ''];
    const key = `${phase} ${journey} ${item.campaign ?? ''} ${channel}`;
    const held = lines.get(key);
    if (held === undefined) {
      lines.set(key, { phase, journey, name: item.name ?? item.campaign ?? '', channel, count: item.count, atMost: item.at_most, first: item.first_at, items: [item] });
      continue;
    }
    held.count = held.count === null && item.count === null ? null : (held.count ?? 0) + (item.count ?? 0);
    held.atMost = held.atMost || item.at_most || item.count === null;
    held.first = held.first < item.first_at ? held.first : item.first_at;
    held.items.push(item);
  }
  return [...lines.values()].sort((a, b) => a.first.localeCompare(b.first) || a.name.localeCompare(b.name, 'zh-CN'));
}

export function byDay(items: readonly Item[], journey: string): Map<string, Line[]> {
  const days = new Map<string, Item[]>();
  for (const item of items) {
    if (journey !== '' && item.journey !== journey) continue;
    days.set(item.day, [...(days.get(item.day) ?? []), item]);
  }
  return new Map([...days].map(([day, held]) => [day, linesOf(held)]));
}

/* Everything that goes out on a day; null where some of it nobody can know and nothing is known. */
export const sumOf = (lines: readonly Line[]): number => lines.reduce((sum, line) => sum + (line.phase === 'run' ? 0 : (line.count ?? 0)), 0);

export function fileOf(calendar: Calendar): (string | number)[][] {
  const columns = ['day', 'kind', 'journey', 'name', 'campaign', 'node', 'channel', 'account', 'template', 'team', 'count', 'at_most', 'first_at', 'last_at', 'reason'] as const;
  return [[...columns], ...calendar.items.map((item) => columns.map((name) => (typeof item[name] === 'boolean' ? String(item[name]) : (item[name] ?? ''))))] as (string | number)[][];
}
