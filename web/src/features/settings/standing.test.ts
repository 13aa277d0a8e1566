/* SPDX-License-Identifier: Apache-2.0 */
/* standing.test: what /readyz says of one server alone, of one among several, and of one that is not ready. */
import { expect, test } from 'vitest';
import { readStanding } from './standing';

test('alone, among several, and not ready', () => {
  expect(readStanding(200, { status: 'ok' })).toEqual({ isReady: true, role: null, epoch: null, active: '', senders: null, missing: '' });
  expect(readStanding(200, { status: 'ok', role: 'follower', epoch: 7, active: 'https://one.example', warehouse: 'warehouse shard 2 of 2' })).toEqual({ isReady: true, role: 'follower', epoch: 7, active: 'https://one.example', senders: null, missing: 'warehouse shard 2 of 2' });
  expect(readStanding(503, { code: 'unavailable', detail: '120000 records behind the active server' })).toMatchObject({ isReady: false, missing: '120000 records behind the active server' });
  const senders = { count: 2, accounts: 3, unserved: 1, waiting: 40, claimed: 7 };
  expect(readStanding(200, { status: 'ok', role: 'active', senders }).senders).toEqual(senders);
  expect(readStanding(502, null).missing).toBe('502');
});
