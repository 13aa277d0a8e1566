/* SPDX-License-Identifier: Apache-2.0 */
/* setup: what a new brand does first, in this order, and how far it is. Each step is judged by what is there, not by what was clicked. */
import { useQuery } from '@tanstack/react-query';
import { queries } from '@/api/queries';
import { journeyHeads } from '@/features/journeys/heads';
import { touchQueries } from '@/features/touches/model';

export const setupSteps = ['source', 'events', 'linked', 'segment', 'account', 'journey'] as const;
export type SetupStep = (typeof setupSteps)[number];

export const setupWays: Readonly<Record<SetupStep, string>> = {
  source: '/data/sources?create=1', events: '/data/live', linked: '/identity/link-rate', segment: '/new/segment', account: '/touches?tab=accounts', journey: '/journeys?create=yes',
};

export interface Known {
  sources: number;
  events: number;
  merges: number;
  segments: number;
  accounts: number;
  liveJourneys: number;
}

export function stepsDone(known: Known): ReadonlySet<SetupStep> {
  const done: Readonly<Record<SetupStep, boolean>> = {
    source: known.sources > 0, events: known.events > 0, linked: known.merges > 0, segment: known.segments > 0, account: known.accounts > 0, journey: known.liveJourneys > 0,
  };
  return new Set(setupSteps.filter((step) => done[step]));
}

/* null until all is known: nothing flashes by. A customer with more than one identifier is one that was linked. */
export function useSetup(): ReadonlySet<SetupStep> | null {
  const overview = useQuery(queries.overview());
  const sources = useQuery(queries.sources());
  const segments = useQuery(queries.definitions('segments'));
  const accounts = useQuery({ ...touchQueries.accounts(), refetchInterval: 30_000 });
  const journeys = useQuery({ ...journeyHeads(), refetchInterval: 30_000 });
  if (overview.data === undefined || sources.data === undefined || segments.data === undefined || accounts.data === undefined || journeys.data === undefined) return null;
  return stepsDone({
    sources: sources.data.items.length, events: overview.data.events, merges: Math.max(overview.data.merges_today, overview.data.identifiers > overview.data.customers ? 1 : 0),
    segments: segments.data.items.length, accounts: accounts.data.items.length, liveJourneys: journeys.data.items.filter((one) => one.live_version > 0).length,
  });
}
