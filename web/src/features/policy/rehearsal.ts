/* SPDX-License-Identifier: Apache-2.0 */
/* rehearsal: the answer of a rehearsal, as the page says it. */
import type { Schemas } from '@/api/client';

export type Preview = Schemas['PolicyPreview'];
export type End = Schemas['PolicyEnd']['end'];
export const ends: readonly End[] = ['went', 'late', 'waiting', 'stopped'];

export interface ReasonRow {
  key: string;
  gate: string | null;
  detail: string | null;
  now: { stopped: number; held: number };
  draft: { stopped: number; held: number };
}

const weightOf = (row: ReasonRow): number => Math.abs(row.draft.stopped - row.now.stopped) + Math.abs(row.draft.held - row.now.held);

/* Where the draft changes most comes first. */
export function reasonsOf(preview: Preview): ReasonRow[] {
  return preview.reasons
    .map((one) => ({ ...one, key: `${one.gate ?? ''} ${one.detail ?? ''}` }))
    .sort((a, b) => weightOf(b) - weightOf(a) || b.draft.stopped - a.draft.stopped);
}

export interface Difference {
  more: number;
  fewer: number;
  /* of those that go under both, later than now */
  later: number;
}

export function differenceOf(preview: Preview): Difference {
  return { more: preview.more_stopped, fewer: preview.fewer_stopped, later: Math.max(0, preview.draft.late + preview.draft.waiting - preview.now.late - preview.now.waiting) };
}
