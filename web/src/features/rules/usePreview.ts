/* SPDX-License-Identifier: Apache-2.0 */
/* usePreview: what the rule counts, asked once typing has paused. The answer to an older rule is cancelled; what was counted
 * stays on screen, marked as old, until the new count is there.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ApiProblem, progressOf, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useDebounced } from '@/lib/hooks';
import type { RowCount } from './context';
import { nodeAt, pointersOf, writeRule, type RuleDocument } from './model';

export type Preview = Schemas['SegmentPreview'];

export interface Previewed {
  preview: Preview | null;
  /* it belongs to a rule of a moment ago */
  isOld: boolean;
  error: unknown;
  /* 0 to 1: how much of what the rule needs has been read; null: nothing is said */
  progress: number | null;
  counts: ReadonlyMap<number, RowCount>;
  problems: ReadonlyMap<number, string>;
}

const pauseMs = 350;
/* what is asked for when nothing else is said */
export const customers = 'customer';

export function usePreview(rule: RuleDocument, enabled: boolean, on: string): Previewed {
  const text = useMemo(() => JSON.stringify({ rule: writeRule(rule), ...(on === customers ? {} : { on }) }), [rule, on]);
  const settled = useDebounced(text, pauseMs);
  const asked = useQuery({ ...queries.rulePreview(settled), enabled: enabled && settled === text, placeholderData: keepPreviousData });
  const isOld = settled !== text || asked.isFetching || asked.isPlaceholderData || !enabled || asked.isError;
  const preview = asked.data ?? null;
  const counts = useMemo(() => rowCounts(rule, preview, isOld), [rule, preview, isOld]);
  const error = settled === text && enabled ? asked.error : null;
  const problems = useMemo(() => problemsOf(rule, error), [rule, error]);
  const progress = settled === text && enabled ? progressOf(asked.failureReason) : null;
  return { preview, isOld, error, progress, counts, problems };
}

function rowCounts(rule: RuleDocument, preview: Preview | null, isOld: boolean): Map<number, RowCount> {
  const counts = new Map<number, RowCount>();
  if (preview === null) return counts;
  const byPath = new Map(preview.conditions.map((one) => [one.path, one.count]));
  for (const [id, pointer] of pointersOf(rule)) {
    const count = byPath.get(pointer);
    if (count !== undefined) counts.set(id, { count, isOld });
  }
  return counts;
}

/* What the server refused, at the row that it belongs to. Pointers begin with the member that the rule was sent in. */
export function problemsOf(rule: RuleDocument, error: unknown, prefix = '/rule'): Map<number, string> {
  const problems = new Map<number, string>();
  if (!(error instanceof ApiProblem)) return problems;
  for (const one of error.pointers) {
    if (!one.pointer.startsWith(prefix)) continue;
    const id = nodeAt(rule, one.pointer.slice(prefix.length)) ?? rule.root.id;
    problems.set(id, [one.detail, error.hint].filter((line) => line !== '').join(' · '));
  }
  return problems;
}
