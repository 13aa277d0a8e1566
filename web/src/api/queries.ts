/* SPDX-License-Identifier: Apache-2.0 */
/* queries: everything that the console reads, each once: its key in the cache, how it is fetched, how
 * long it is fresh. Pages say `useQuery(queries.overview())`; commands name what they made stale.
 */
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import { api, ApiProblem, progressOf, type Schemas } from './client';

export interface CustomerSearch {
  query: string;
  identifierType: string;
  trait?: string;
  value?: string;
  cursor: string;
  limit: number;
  /* JSON of a rule: who it holds of, instead of what is looked for by text */
  rule?: string;
  /* 'traits', 'tags', or both with a comma */
  columns?: string;
}

export interface TimelineFilter {
  type: string;
  channel: string;
  source: string;
  from: string; /* moments, RFC 3339 */
  until: string;
}

export interface RefusalFilter {
  status: string;
  reason: string;
}

export interface QuarantineFilter {
  reason: string;
  source: string;
  type: string;
  status: string;
}

export type AudienceKind = 'segments' | 'tags';

type RefusalStatus = 'open' | 'decided';
type QuarantineStatus = Schemas['Quarantined']['status'];

const whole = 500; /* lists of definitions are short: one page holds them */

/* An empty field of a filter is no filter. */
const set = (value: string): string | undefined => (value === '' ? undefined : value);

export const queries = {
  session: () =>
    queryOptions({
      queryKey: ['session'],
      queryFn: ({ signal }) => api.get('/session', { signal }),
      staleTime: 60_000,
      retry: (count, error) => count < 3 && error instanceof ApiProblem && error.isPassing,
    }),
  overview: () =>
    queryOptions({
      queryKey: ['overview'],
      queryFn: ({ signal }) => api.get('/overview', { signal }),
      refetchInterval: 5_000,
    }),
  system: () =>
    queryOptions({
      queryKey: ['system'],
      queryFn: ({ signal }) => api.get('/system', { signal }),
      refetchInterval: 5_000,
    }),
  linkRate: () =>
    queryOptions({
      queryKey: ['identity', 'link-rate'],
      queryFn: ({ signal }) => api.get('/identity/link-rate', { signal }),
      staleTime: 30_000,
    }),
  customers: (search: CustomerSearch) =>
    queryOptions({
      queryKey: ['customers', 'list', search],
      queryFn: async ({ signal }): Promise<Schemas['CustomerList'] & { count?: number; base?: number }> => {
        const columns = set(search.columns ?? '');
        if (search.rule !== undefined && search.rule !== '') {
          const body = { rule: JSON.parse(search.rule) as Record<string, never> };
          return api.post('/customers/find', { query: { columns, cursor: set(search.cursor), limit: search.limit }, body, signal });
        }
        return api.get('/customers', {
          query: {
            columns,
            query: set(search.query),
            identifier_type: set(search.identifierType),
            trait: search.trait && search.value ? { [search.trait]: search.value } : undefined,
            cursor: set(search.cursor),
            limit: search.limit,
          },
          signal,
        });
      },
      /* columns that a rule needs are read for the first time: asked again until they are there */
      retry: (count, error) => count < 4 && error instanceof ApiProblem && error.isPassing,
    }),
  memberships: (one_id: string) =>
    queryOptions({
      queryKey: ['customers', one_id, 'memberships'],
      queryFn: ({ signal }) => api.get('/customers/{one_id}/memberships', { path: { one_id }, signal }),
    }),
  /* All events of one type, newest first, as far as a page goes. */
  eventsOfType: (one_id: string, type: string) =>
    queryOptions({
      queryKey: ['customers', one_id, 'events', 'type', type],
      queryFn: ({ signal }) => api.get('/customers/{one_id}/events', { path: { one_id }, query: { type, limit: 200 }, signal }),
    }),
  views: (page: string) =>
    queryOptions({
      queryKey: ['views', page],
      queryFn: ({ signal }) => api.get('/views', { query: { page }, signal }),
      staleTime: 30_000,
    }),
  today: () =>
    queryOptions({
      queryKey: ['today'],
      queryFn: ({ signal }) => api.get('/today', { signal }),
      staleTime: 30_000,
      refetchInterval: 60_000,
    }),
  customer: (one_id: string, reveal = false) =>
    queryOptions({
      queryKey: ['customers', one_id, { reveal }],
      queryFn: ({ signal }) => api.get('/customers/{one_id}', { path: { one_id }, query: { reveal: reveal || undefined }, signal }),
    }),
  timeline: (one_id: string, filter: TimelineFilter) =>
    infiniteQueryOptions({
      queryKey: ['customers', one_id, 'events', filter],
      queryFn: ({ signal, pageParam }) =>
        api.get('/customers/{one_id}/events', {
          path: { one_id },
          query: {
            type: set(filter.type),
            channel: set(filter.channel),
            source: set(filter.source),
            from: set(filter.from),
            until: set(filter.until),
            cursor: set(pageParam),
            limit: 50,
          },
          signal,
        }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  graph: (one_id: string) =>
    queryOptions({
      queryKey: ['customers', one_id, 'graph'],
      queryFn: ({ signal }) => api.get('/customers/{one_id}/graph', { path: { one_id }, signal }),
    }),
  merges: (one_id: string) =>
    queryOptions({
      queryKey: ['customers', one_id, 'merges'],
      queryFn: ({ signal }) => api.get('/customers/{one_id}/merges', { path: { one_id }, signal }),
    }),
  explain: (one_id: string) =>
    queryOptions({
      queryKey: ['customers', one_id, 'explain'],
      queryFn: ({ signal }) => api.get('/customers/{one_id}/explain', { path: { one_id }, signal }),
    }),
  identityTypes: () =>
    queryOptions({
      queryKey: ['identity', 'types'],
      queryFn: ({ signal }) => api.get('/identity/types', { signal }),
      staleTime: 30_000,
    }),
  refusals: (filter: RefusalFilter) =>
    infiniteQueryOptions({
      queryKey: ['identity', 'refusals', filter],
      queryFn: ({ signal, pageParam }) =>
        api.get('/identity/refusals', {
          query: {
            status: set(filter.status) as RefusalStatus | undefined,
            reason: set(filter.reason),
            cursor: set(pageParam),
            limit: 50,
          },
          signal,
        }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  suggestions: () =>
    queryOptions({
      queryKey: ['identity', 'suggestions'],
      queryFn: ({ signal }) => api.get('/identity/suggestions', { query: { limit: 100 }, signal }),
      staleTime: 30_000,
    }),
  sources: () =>
    queryOptions({
      queryKey: ['sources'],
      queryFn: ({ signal }) => api.get('/sources', { signal }),
      staleTime: 5_000,
    }),
  planEvents: () =>
    queryOptions({
      queryKey: ['plan', 'events'],
      queryFn: ({ signal }) => api.get('/plan/events', { signal }),
    }),
  traitTypes: () =>
    queryOptions({
      queryKey: ['traits'],
      queryFn: ({ signal }) => api.get('/traits', { signal }),
      staleTime: 30_000,
    }),
  quarantineSummary: () =>
    queryOptions({
      queryKey: ['quarantine', 'summary'],
      queryFn: ({ signal }) => api.get('/quarantine/summary', { signal }),
    }),
  quarantine: (filter: QuarantineFilter) =>
    infiniteQueryOptions({
      queryKey: ['quarantine', 'list', filter],
      queryFn: ({ signal, pageParam }) =>
        api.get('/quarantine', {
          query: {
            reason: set(filter.reason),
            source: set(filter.source),
            type: set(filter.type),
            status: set(filter.status) as QuarantineStatus | undefined,
            cursor: set(pageParam),
            limit: 50,
          },
          signal,
        }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  imports: () =>
    infiniteQueryOptions({
      queryKey: ['imports', 'list'],
      queryFn: ({ signal, pageParam }) => api.get('/imports', { query: { cursor: set(pageParam), limit: 50 }, signal }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  job: (id: number) =>
    queryOptions({
      queryKey: ['imports', 'job', id],
      // a job by number is an import's; erasures go by x and a number
      queryFn: async ({ signal }) => {
        const job = await api.get('/jobs/{id}', { path: { id }, signal });
        if (!('kind' in job) || job.kind !== 'import') throw new TypeError(`job ${id} is no import`);
        return job;
      },
    }),
  importPresets: () =>
    queryOptions({
      queryKey: ['imports', 'presets'],
      queryFn: ({ signal }) => api.get('/imports/presets', { signal }),
      staleTime: 600_000,
    }),
  mappings: () =>
    queryOptions({
      queryKey: ['imports', 'mappings'],
      queryFn: ({ signal }) => api.get('/mappings', { signal }),
      staleTime: 5_000,
    }),
  watermarks: () =>
    queryOptions({
      queryKey: ['sources', 'watermarks'],
      queryFn: ({ signal }) => api.get('/watermarks', { signal }),
      staleTime: 10_000,
    }),
  objectKinds: () =>
    queryOptions({
      queryKey: ['objects', 'kinds'],
      queryFn: ({ signal }) => api.get('/object-kinds', { signal }),
      staleTime: 10_000,
    }),
  objects: (kind: string, query: string) =>
    infiniteQueryOptions({
      queryKey: ['objects', kind, query],
      queryFn: ({ signal, pageParam }) =>
        api.get('/objects/{kind}', { path: { kind }, query: { query: set(query), cursor: set(pageParam), limit: 50 }, signal }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  ruleCatalogue: () =>
    queryOptions({
      queryKey: ['rules', 'catalogue'],
      queryFn: ({ signal }) => api.get('/rules/catalogue', { signal }),
      staleTime: 600_000,
    }),
  /* What a rule would count; `text` is the question as JSON: {rule, on}. The answer to a rule that is no longer there is cancelled; columns that are read for the first time are waited for. */
  rulePreview: (text: string) =>
    queryOptions({
      queryKey: ['rules', 'preview', text],
      queryFn: ({ signal }) => api.post('/segments/preview', { body: JSON.parse(text) as Schemas['SegmentPreviewPost'], signal }),
      staleTime: 15_000,
      gcTime: 60_000,
      retry: (count, error) => count < (progressOf(error) === null ? 4 : 120) && error instanceof ApiProblem && error.isPassing,
      retryDelay: (count, error) => (progressOf(error) === null ? 1000 * 2 ** count : 1000),
    }),
  recentEvents: (type: string) =>
    queryOptions({
      queryKey: ['live', 'recent', type],
      queryFn: ({ signal }) => api.get('/events/live', { query: { type: set(type), limit: 500 }, signal }),
      staleTime: 60_000,
    }),
  definitions: (kind: AudienceKind) =>
    queryOptions({
      queryKey: [kind, 'list'],
      queryFn: ({ signal }) => (kind === 'segments' ? api.get('/segments', { signal }) : api.get('/tags', { signal })),
      staleTime: 5_000,
      refetchInterval: 15_000,
    }),
  definition: (kind: AudienceKind, key: string) =>
    queryOptions({
      queryKey: [kind, 'one', key],
      queryFn: ({ signal }) => {
        const given = { path: { key }, signal };
        return kind === 'segments' ? api.get('/segments/{key}', given) : api.get('/tags/{key}', given);
      },
      refetchInterval: 10_000,
    }),
  members: (kind: AudienceKind, key: string, filter: { value: string; at: string }) =>
    infiniteQueryOptions({
      queryKey: [kind, 'members', key, filter],
      queryFn: ({ signal, pageParam }) => {
        const given = { path: { key }, query: { value: set(filter.value), at: set(filter.at), cursor: set(pageParam), limit: 25 }, signal };
        return kind === 'segments' ? api.get('/segments/{key}/members', given) : api.get('/tags/{key}/members', given);
      },
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
  sizes: (kind: AudienceKind, key: string, range: { value?: string; from: string; to: string; step: string }) =>
    queryOptions({
      queryKey: [kind, 'sizes', key, range],
      queryFn: ({ signal }) => {
        const given = { path: { key }, query: { value: set(range.value ?? ''), from: set(range.from), to: set(range.to), step: set(range.step) }, signal };
        return kind === 'segments' ? api.get('/segments/{key}/history', given) : api.get('/tags/{key}/history', given);
      },
      staleTime: 60_000,
    }),
  whyMember: (kind: AudienceKind, key: string, customer: string) =>
    queryOptions({
      queryKey: [kind, 'why', key, customer],
      queryFn: ({ signal }) => {
        const given = { path: { key }, query: { customer }, signal };
        return kind === 'segments' ? api.get('/segments/{key}/explain', given) : api.get('/tags/{key}/explain', given);
      },
    }),
  segmentProfile: (key: string) =>
    queryOptions({
      queryKey: ['segments', 'profile', key],
      queryFn: ({ signal }) => api.get('/segments/{key}/profile', { path: { key }, signal }),
      staleTime: 60_000,
    }),
  reach: (key: string) =>
    queryOptions({
      queryKey: ['segments', 'reach', key],
      queryFn: ({ signal }) => api.get('/segments/{key}/reach', { path: { key }, signal }),
      staleTime: 30_000,
    }),
  exports: () =>
    queryOptions({
      queryKey: ['exports'],
      queryFn: ({ signal }) => api.get('/exports', { signal }),
      refetchInterval: (query) => (query.state.data?.items.some((one) => one.state === 'running') === true ? 1_000 : false),
    }),
  overlap: (keys: readonly string[]) =>
    queryOptions({
      queryKey: ['segments', 'overlap', keys],
      queryFn: ({ signal }) => api.post('/segments/overlap', { body: { segments: [...keys] }, signal }),
      staleTime: 15_000,
    }),
  overlapMap: (keys: readonly string[]) =>
    queryOptions({
      queryKey: ['segments', 'map', keys],
      queryFn: ({ signal }) => api.post('/segments/map', { body: { segments: [...keys] }, signal }),
      staleTime: 15_000,
    }),
  tokens: () =>
    queryOptions({
      queryKey: ['tokens'],
      queryFn: ({ signal }) => api.get('/tokens', { query: { limit: whole }, signal }),
    }),
  users: () =>
    queryOptions({
      queryKey: ['users'],
      queryFn: ({ signal }) => api.get('/users', { query: { limit: whole }, signal }),
    }),
  audit: (filter: { user: string; action: string }) =>
    infiniteQueryOptions({
      queryKey: ['audit', filter],
      queryFn: ({ signal, pageParam }) =>
        api.get('/audit', {
          query: { user: set(filter.user), action: set(filter.action), cursor: set(pageParam), limit: 100 },
          signal,
        }),
      initialPageParam: '',
      getNextPageParam: (last) => last.next_cursor,
    }),
};

/* What is asked again and what is not: a passing fault is, a refusal is not. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (count, error) => count < 2 && error instanceof ApiProblem && error.isPassing,
        staleTime: 2_000,
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
}
