/* SPDX-License-Identifier: Apache-2.0 */
/* model: what the pages of touches read, and how a status looks. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';
import type { Tone } from '@/ui/Marks';

export type Touch = Schemas['TouchEntry'];
export type Status = Touch['status'];
export type Account = Schemas['Channel'];

export interface Stop { scope: 'all' | 'channel' | 'account' | 'journey'; value: string; why: string; since: string }
export interface Gate { code: string; text: { zh: string; en: string } }
export interface Health { is_open: boolean; queued: number; under_way: number; sent: number; refused: number; uncertain: number; failing: string }
export interface TouchFilter { status: string; journey: string; customer: string }

export const statuses: readonly Status[] = ['queued', 'held', 'sending', 'sent', 'delivered', 'confirmed', 'read', 'clicked', 'failed', 'suppressed', 'uncertain'];

export const tones: Readonly<Record<Status, Tone>> = {
  queued: 'plain', held: 'plain', sending: 'plain', sent: 'good', delivered: 'good', confirmed: 'good', read: 'good', clicked: 'good', failed: 'bad', suppressed: 'warn', uncertain: 'warn',
};

const set = (value: string): string | undefined => (value === '' ? undefined : value);

export const touchQueries = {
  list: (filter: TouchFilter) =>
    infiniteQueryOptions({
      queryKey: ['touches', 'list', filter],
      queryFn: ({ signal, pageParam }) =>
        api.get('/touches', { query: { status: set(filter.status), journey: set(filter.journey), customer: set(filter.customer), cursor: set(pageParam), limit: 50 }, signal }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
      refetchInterval: 10_000,
    }),
  one: (id: number) => queryOptions({ queryKey: ['touches', 'one', id], queryFn: ({ signal }) => api.get('/touches/{id}', { path: { id }, signal }) }),
  corrections: () =>
    infiniteQueryOptions({
      queryKey: ['touches', 'corrections'],
      queryFn: ({ signal, pageParam }) => api.get('/touch-corrections', { query: { cursor: set(pageParam), limit: 50 }, signal }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  /* whether anything went out that should not have */
  anyShouldNot: () => queryOptions({ queryKey: ['touches', 'corrections', 'any'], queryFn: async ({ signal }) => (await api.get('/touch-corrections', { query: { limit: 20 }, signal })).items.some((one) => one.kind === 'should_not'), refetchInterval: 60_000 }),
  accounts: () => queryOptions({ queryKey: ['touches', 'accounts'], queryFn: ({ signal }) => api.get('/channels', { signal }), refetchInterval: 10_000 }),
  stops: () => queryOptions({ queryKey: ['touches', 'stops'], queryFn: async ({ signal }) => (await api.get('/stop', { signal })).items as unknown as Stop[], refetchInterval: 10_000 }),
  gates: () => queryOptions({ queryKey: ['touches', 'gates'], queryFn: async ({ signal }) => (await api.get('/gates', { signal })).items as unknown as Gate[], staleTime: Infinity }),
};

/** What stands beside an account; nothing while it was never used. */
export function healthOf(account: Account): Health | null {
  const health = account.health as Partial<Health> | undefined;
  if (health === undefined) return null;
  return { is_open: health.is_open ?? false, queued: health.queued ?? 0, under_way: health.under_way ?? 0, sent: health.sent ?? 0, refused: health.refused ?? 0, uncertain: health.uncertain ?? 0, failing: health.failing ?? '' };
}
