/* SPDX-License-Identifier: Apache-2.0 */
/* heads: the lists of journeys and templates, for the pages that need their names and states and nothing of the canvas. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, type Schemas } from '@/api/client';
import { useMay } from '@/app/session';

export type JourneyHead = Schemas['JourneyHead'];

export function journeyHeads() {
  return queryOptions({ queryKey: ['journeys', 'list'], queryFn: ({ signal }) => api.get('/journeys', { signal }), refetchInterval: 10_000 });
}

export function templateHeads() {
  return queryOptions({ queryKey: ['templates'], queryFn: ({ signal }) => api.get('/templates', { signal }), staleTime: 60_000 });
}

/* What a journey is called; its key where that is not known, or may not be seen. */
export function useJourneyName(): (key: string) => string {
  const list = useQuery({ ...journeyHeads(), refetchInterval: false, staleTime: 60_000, enabled: useMay('journey.see') });
  return useCallback((key) => list.data?.items.find((one) => one.key === key)?.name || key, [list.data]);
}

/* The same of a template. */
export function useTemplateName(): (key: string) => string {
  const list = useQuery({ ...templateHeads(), enabled: useMay('template.see') });
  const names = new Map((list.data?.items ?? []).map((one) => [one.key, String((one.body as { name?: unknown }).name ?? '')]));
  return (key) => names.get(key) || key;
}
