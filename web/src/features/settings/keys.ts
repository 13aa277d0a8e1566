/* SPDX-License-Identifier: Apache-2.0 */
/* keys: the sealing keys as a list of versions: since when each sealed, until when, what may be done with it. The server says what a key is;
 * when it began is told by its job or, for older ones, by the audit as far back as that goes.
 */
import type { Schemas } from '@/api/client';

export type SealingKeys = Schemas['SealingKeys'];
export type SealingJob = Schemas['SealingJob'];

export interface KeyRow {
  number: number;
  state: SealingKeys['keys'][number]['state'];
  needed: boolean;
  /* null: not known any more; of the first key: as old as the house */
  since: string | null;
  until: string | null;
}

/* 'keys.rotate' names the key that was made, newest first. */
export function madeAt(entries: readonly Pick<Schemas['AuditEntry'], 'action' | 'object' | 'at'>[]): Map<number, string> {
  const made = new Map<number, string>();
  for (const entry of entries) if (entry.action === 'keys.rotate' && !made.has(Number(entry.object))) made.set(Number(entry.object), entry.at);
  return made;
}

export function rowsOf(keys: SealingKeys, made: ReadonlyMap<number, string>): KeyRow[] {
  const since = (number: number): string | null => made.get(number) ?? (keys.job?.key === number ? (keys.job.began_at ?? null) : null);
  return [...keys.keys]
    .sort((a, b) => b.number - a.number)
    .map(({ number, state, needed }) => ({ number, state, needed, since: since(number), until: number === keys.newest ? null : since(number + 1) }));
}

export const phases = ['ledger', 'log', 'warehouse', 'files'] as const;
export type Phase = (typeof phases)[number];

/* How far sealing anew is: what is behind it, what it is at, what comes. Nobody knows beforehand how much there is. */
export function stepOf(job: SealingJob, phase: Phase): 'done' | 'at' | 'to come' {
  if (job.state === 'finished') return 'done';
  const now = job.phase === undefined ? -1 : phases.indexOf(job.phase);
  const own = phases.indexOf(phase);
  return own < now ? 'done' : own === now ? 'at' : 'to come';
}

/* The newest key that may go: it and all before it are not needed and not gone yet; null where there is none. */
export function removable(rows: readonly KeyRow[]): number | null {
  const free = rows.filter((row) => row.state === 'retired' && !row.needed).map((row) => row.number);
  return free.length === 0 ? null : Math.max(...free);
}
