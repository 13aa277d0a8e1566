/* SPDX-License-Identifier: Apache-2.0 */
/* standing.test: what /readyz says of one server alone, of one among several, and of one that is not ready. */
import { expect, test } from 'vitest';
import { readStanding } from './standing';

test('alone, among several, and not ready', () => {
  expect(readStanding(200, { status: 'ok' })).toEqual({ isReady: true, role: null, epoch: null, active: '', missing: '' });
  expect(readStanding(200, { status: 'ok', role: 'follower', epoch: 7, active: 'https://one.example', warehouse: 'warehouse shard 2 of 2' })).toEqual({ isReady: true, role: 'follower', epoch: 7, active: 'https://one.example', missing: 'warehouse shard 2 of 2' });
  expect(readStanding(503, { code: 'unavailable', detail: '120000 records behind the active server' })).toMatchObject({ isReady: false, missing: '120000 records behind the active server' });
  expect(readStanding(502, null).missing).toBe('502');
});
