/* SPDX-License-Identifier: Apache-2.0 */
/* work: whatever takes long in this workspace, in one shape: imports and exports, what moves first, then what ended last. */
import type { Schemas } from '@/api/client';

export type WorkState = 'waiting' | 'moving' | 'paused' | 'done' | 'failed' | 'ended';

export interface Work {
  key: string;
  kind: 'import' | 'export';
  id: string;
  name: string;
  state: WorkState;
  /* 0 to 1; null where the end is not known */
  share: number | null;
  rows: number;
  rowsPerSecond: number | null;
  secondsLeft: number | null;
  at: string;
  to: string;
  file: string | null;
  reason: string;
}

const importStates: Readonly<Record<Schemas['Job']['status'], WorkState>> = {
  waiting: 'waiting', running: 'moving', undoing: 'moving', paused: 'paused', finished: 'done', failed: 'failed', undone: 'ended', cancelled: 'ended',
};
const exportStates: Readonly<Record<Schemas['Export']['state'], WorkState>> = { running: 'moving', done: 'done', failed: 'failed', cancelled: 'ended' };

export function workOfImport(job: Schemas['Job']): Work {
  const { bytes, bytes_total: total, rows, rows_per_second: rate, seconds_left: left } = job.progress;
  return {
    key: `import ${job.id}`, kind: 'import', id: String(job.id), name: job.file ?? job.name ?? String(job.id), state: importStates[job.status], share: total > 0 ? Math.min(1, bytes / total) : null,
    rows, rowsPerSecond: rate > 0 ? rate : null, secondsLeft: left, at: job.changed_at, to: `/data/imports/${job.id}`, file: null, reason: job.reason,
  };
}

export function workOfExport(one: Schemas['Export']): Work {
  return {
    key: `export ${one.id}`, kind: 'export', id: one.id, name: one.key, state: exportStates[one.state], share: one.total > 0 ? Math.min(1, one.rows / one.total) : null, rows: one.rows, rowsPerSecond: null, secondsLeft: null,
    at: one.ended_at ?? one.created_at, to: `/${one.kind === 'segment' ? 'segments' : 'tags'}/${one.key}`, file: one.state === 'done' ? `/api/v1/exports/${one.id}/file` : null, reason: one.reason,
  };
}

export const isUnderWay = (work: Work): boolean => work.state === 'moving' || work.state === 'waiting' || work.state === 'paused';

/* What is under way first; of each, the latest first. */
export function inOrder(works: readonly Work[]): Work[] {
  return [...works].sort((a, b) => Number(isUnderWay(b)) - Number(isUnderWay(a)) || Date.parse(b.at) - Date.parse(a.at));
}
