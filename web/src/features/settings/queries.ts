/* SPDX-License-Identifier: Apache-2.0 */
/* queries: what the pages of administration read. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';
import type { Team } from './teams';

export interface AuditFilter {
  user: string;
  action: string;
  object: string;
  text: string;
  from: string;
  until: string;
}

export type PersonRequest = Schemas['PersonRequest'];
export type RequestKind = PersonRequest['kind'];

const whole = 500; /* people, tokens, teams: one page holds them */
const set = (value: string): string | undefined => (value === '' ? undefined : value);

export const auditQuery = (filter: AuditFilter) => ({
  user: set(filter.user.trim()), action: set(filter.action), object: set(filter.object.trim()), text: set(filter.text.trim()), from: set(filter.from), until: set(filter.until),
});

export const adminQueries = {
  users: () => queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => api.get('/users', { query: { limit: whole }, signal }) }),
  roles: () => queryOptions({ queryKey: ['roles'], queryFn: ({ signal }) => api.get('/roles', { signal }), staleTime: 10_000 }),
  permissions: () => queryOptions({ queryKey: ['permissions'], queryFn: ({ signal }) => api.get('/permissions', { signal }), staleTime: Infinity }),
  teams: () => queryOptions({ queryKey: ['teams'], queryFn: async ({ signal }) => (await api.get('/teams', { signal })) as { items: Team[] }, staleTime: 5_000 }),
  shares: () => queryOptions({ queryKey: ['shares'], queryFn: ({ signal }) => api.get('/shares', { signal }) }),
  tokens: () => queryOptions({ queryKey: ['tokens'], queryFn: ({ signal }) => api.get('/tokens', { query: { limit: whole }, signal }) }),
  settings: () => queryOptions({ queryKey: ['settings'], queryFn: ({ signal }) => api.get('/settings', { signal }) }),
  /* null: it is not set up */
  signOn: () =>
    queryOptions({
      queryKey: ['single-sign-on'],
      queryFn: async ({ signal }) => {
        const { single_sign_on: provider } = await api.get('/session/methods', { signal });
        return provider === null ? null : await api.get('/single-sign-on', { signal });
      },
    }),
  audit: (filter: AuditFilter) =>
    infiniteQueryOptions({
      queryKey: ['audit', 'list', filter],
      queryFn: ({ signal, pageParam }) => api.get('/audit', { query: { ...auditQuery(filter), cursor: set(pageParam), limit: 100 }, signal }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  backups: () =>
    queryOptions({
      queryKey: ['backups'],
      queryFn: ({ signal }) => api.get('/backups', { signal }),
      /* a server without a folder for backups says so each time alike */
      retry: false,
      refetchInterval: (query) => (query.state.data === undefined ? false : query.state.data.running !== null ? 1_000 : 15_000),
    }),
  requests: (filter: { state: string; kind: string }) =>
    infiniteQueryOptions({
      queryKey: ['privacy', 'requests', filter],
      queryFn: ({ signal, pageParam }) => api.get('/privacy/requests', { query: { state: set(filter.state), kind: set(filter.kind) as RequestKind | undefined, cursor: set(pageParam), limit: 50 }, signal }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  request: (id: string) => queryOptions({ queryKey: ['privacy', 'request', id], queryFn: ({ signal }) => api.get('/privacy/requests/{id}', { path: { id }, signal }) }),
  privacy: () => queryOptions({ queryKey: ['privacy', 'status'], queryFn: ({ signal }) => api.get('/privacy', { signal }), refetchInterval: 10_000 }),
  erasures: () =>
    infiniteQueryOptions({
      queryKey: ['privacy', 'erasures'],
      queryFn: ({ signal, pageParam }) => api.get('/privacy/erasures', { query: { cursor: set(pageParam), limit: 50 }, signal }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
      refetchInterval: (query) => (query.state.data?.pages.some((page) => page.items.some((one) => one.state === 'erasing')) === true ? 3_000 : false),
    }),
};
