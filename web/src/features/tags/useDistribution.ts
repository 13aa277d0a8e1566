/* SPDX-License-Identifier: Apache-2.0 */
/* useDistribution: how many customers have how much of a measure, out of the counts of a preview. Two questions: where does it
 * end (powers of two), then so many bins up to there.
 */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { queries } from '@/api/queries';
import type { JsonObject } from '@/features/rules/model';
import { useDebounced } from '@/lib/hooks';
import { binsOf, boundsTo, endOf, measureIsWhole, type Bin } from './tag';

export interface Distribution {
  bins: Bin[] | null;
  isLoading: boolean;
}

const powers = [0, ...Array.from({ length: 31 }, (_, at) => 2 ** at)];
const binCount = 40;

/* A preview counts each condition by itself: one question for all bounds. */
function askAtLeast(measure: JsonObject, bounds: readonly number[]): string {
  return JSON.stringify({ rule: { any: bounds.map((bound) => ({ ...measure, gte: bound })) } });
}

function countsOf(conditions: readonly { path: string; count: number }[], bounds: readonly number[]): number[] {
  const byPath = new Map(conditions.map((one) => [one.path, one.count]));
  return bounds.map((_, at) => byPath.get(`/any/${at}`) ?? 0);
}

export function useDistribution(measure: JsonObject | null): Distribution {
  const text = useMemo(() => JSON.stringify(measure), [measure]);
  const settled = useDebounced(text, 400);
  const whole = useMemo(() => {
    const parsed = JSON.parse(settled) as JsonObject | null;
    return parsed !== null && measureIsWhole(parsed) ? parsed : null;
  }, [settled]);
  /* who has nothing of it is not shown: a count of 0 is everybody who never bought */
  const range = useMemo(() => powers.map((bound, at) => (at === 0 && whole?.['measure'] !== 'recency' ? 1 : bound)).slice(whole?.['measure'] !== 'recency' ? 1 : 0), [whole]);
  const wide = useQuery({ ...queries.rulePreview(whole === null ? '' : askAtLeast(whole, range)), enabled: whole !== null, staleTime: 120_000 });
  const bounds = useMemo(() => {
    if (wide.data === undefined) return null;
    const counts = countsOf(wide.data.conditions, range);
    return (counts[0] ?? 0) === 0 ? null : boundsTo(endOf(range, counts), binCount);
  }, [wide.data, range]);
  const asked = bounds === null ? null : bounds.map((bound) => (bound === 0 ? (whole?.['measure'] === 'recency' ? 0 : 1) : bound));
  const fine = useQuery({ ...queries.rulePreview(whole === null || asked === null ? '' : askAtLeast(whole, asked)), enabled: whole !== null && asked !== null, staleTime: 120_000 });
  const bins = useMemo(() => (bounds === null || asked === null || fine.data === undefined ? null : binsOf(bounds, countsOf(fine.data.conditions, asked))), [bounds, fine.data]);
  return { bins, isLoading: wide.isFetching || fine.isFetching };
}
