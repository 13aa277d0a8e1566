/* SPDX-License-Identifier: Apache-2.0 */
/* retention.test: a policy goes to the form and back; days below the least are named. */
import { expect, test } from 'vitest';
import { draftOf, isSame, policyOf, tooShort, total, type Policy } from './retention';

const kinds = [{ kind: 'audit', days_default: 0, days_least: 180, what: '' }, { kind: 'events', days_default: 0, days_least: 1, what: '' }] as const;

test('a policy comes back as it was; what nobody said stays unsaid', () => {
  const policies: Policy[] = [{}, { log: 3, audit: 0 }, { events: { '*': 730, 'Page Viewed': 90 } }, { visitors: 90, events: { Search: 0 } }];
  for (const policy of policies) {
    expect(policyOf(draftOf(policy))).toEqual(policy);
    expect(isSame(policyOf(draftOf(policy)), policy)).toBe(true);
  }
  expect(policyOf({ days: { log: null, audit: 200 }, allEvents: null, events: [] })).toEqual({ audit: 200 });
  expect(isSame({ log: 3 }, { log: 4 })).toBe(false);
});

test('too few days are named; none at all, and for ever, are fine', () => {
  const short = (policy: Policy): string | null => tooShort(draftOf(policy), [...kinds]);
  expect([short({}), short({ audit: 0 }), short({ audit: 179 }), short({ audit: 180 }), short({ events: { A: -1 } })]).toEqual([null, null, 'audit', null, 'events']);
});

test('what would go, in all', () => expect(total({ log: 1, quarantine: 2, events: 3, visitors: 4, touches: 0, exports: 0, uploads: 0, audit: 5 })).toBe(15));
