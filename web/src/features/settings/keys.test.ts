/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, test } from 'vitest';
import { madeAt, removable, rowsOf, stepOf, type SealingJob, type SealingKeys } from './keys';

const none = { ledger: 0, log: 0, warehouse: 0, files: 0 };
const job: SealingJob = { id: 'k3', kind: 'sealing', state: 'running', key: 3, pass: 1, phase: 'log', sealed_anew: none, began_at: '2026-11-03T00:00:00Z' };
const keys: SealingKeys = {
  newest: 3, keys_max: 62, job,
  keys: [{ number: 3, state: 'seals', needed: true }, { number: 2, state: 'retired', needed: true }, { number: 1, state: 'retired', needed: false }],
};

describe('keys', () => {
  test('each key seals from its rotation to the next one', () => {
    const made = madeAt([
      { action: 'keys.rotate', object: '3', at: '2026-11-02T00:00:00Z' },
      { action: 'keys.remove', object: '2', at: '2026-11-01T12:00:00Z' },
      { action: 'keys.rotate', object: '2', at: '2026-11-01T00:00:00Z' },
    ]);
    expect(rowsOf(keys, made).map((row) => [row.number, row.since, row.until])).toEqual([
      [3, '2026-11-02T00:00:00Z', null], [2, '2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'], [1, null, '2026-11-01T00:00:00Z'],
    ]);
  });

  test('without the audit the job tells of the newest alone', () => {
    expect(rowsOf(keys, new Map()).map((row) => row.since)).toEqual(['2026-11-03T00:00:00Z', null, null]);
  });

  test('what is behind, what it is at, what comes', () => {
    expect(stepOf(job, 'ledger')).toBe('done');
    expect(stepOf(job, 'log')).toBe('at');
    expect(stepOf(job, 'files')).toBe('to come');
    expect(stepOf({ ...job, state: 'finished' }, 'files')).toBe('done');
  });

  test('only a retired key that nothing needs may go', () => {
    expect(removable(rowsOf(keys, new Map()))).toBe(1);
    expect(removable(rowsOf({ ...keys, keys: keys.keys.map((key) => ({ ...key, needed: true })) }, new Map()))).toBeNull();
    expect(removable(rowsOf({ ...keys, keys: keys.keys.map((key) => ({ ...key, state: key.number === 1 ? 'removed' as const : key.state })) }, new Map()))).toBeNull();
  });
});
