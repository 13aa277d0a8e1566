/* SPDX-License-Identifier: Apache-2.0 */
/* heads: the lists of journeys and templates, for the pages that need their names and states and nothing of the canvas. */
import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';

export type JourneyHead = Schemas['JourneyHead'];

export function journeyHeads() {
  return queryOptions({ queryKey: ['journeys', 'list'], queryFn: ({ signal }) => api.get('/journeys', { signal }), refetchInterval: 10_000 });
}

export function templateHeads() {
  return queryOptions({ queryKey: ['templates'], queryFn: ({ signal }) => api.get('/templates', { signal }), staleTime: 60_000 });
}
