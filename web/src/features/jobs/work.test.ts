/* SPDX-License-Identifier: Apache-2.0 */
/* Imports and exports are one list: what is under way first. */
import { describe, expect, it } from 'vitest';
import type { Schemas } from '@/api/client';
import { inOrder, workOfExport, workOfImport } from './work';

const progress = { bytes: 25, bytes_total: 100, rows: 7, rows_per_second: 0, seconds_left: null };
const job = (change: object) => ({ id: 3, kind: 'import', status: 'running', reason: '', name: 'members', file: null, changed_at: '2026-01-01T00:00:00Z', progress, ...change }) as unknown as Schemas['Job'];
const taken = (change: object) => ({ id: 'x', kind: 'segment', key: 'vip', state: 'done', rows: 9, total: 9, reason: '', created_at: '2026-01-02T00:00:00Z', ended_at: null, ...change }) as unknown as Schemas['Export'];

describe('work', () => {
  it('knows how far it is, and says nothing where the end is unknown', () => {
    expect(workOfImport(job({})).share).toBe(0.25);
    expect(workOfImport(job({ progress: { ...progress, bytes_total: 0 } })).share).toBeNull();
    expect(workOfImport(job({})).rowsPerSecond).toBeNull();
  });
  it('a file is there only when the export is done', () => {
    expect(workOfExport(taken({})).file).toBe('/api/v1/exports/x/file');
    expect(workOfExport(taken({ state: 'running' })).file).toBeNull();
  });
  it('what is under way comes first, also when it began earlier', () => {
    const list = inOrder([workOfExport(taken({})), workOfImport(job({})), workOfImport(job({ id: 4, status: 'finished', changed_at: '2026-01-03T00:00:00Z' }))]);
    expect(list.map((one) => one.key)).toEqual(['import 3', 'import 4', 'export x']);
  });
});
