/* SPDX-License-Identifier: Apache-2.0 */
/* A step is done by what is there. */
import { expect, it } from 'vitest';
import { setupSteps, stepsDone } from './setup';

const nothing = { sources: 0, events: 0, merges: 0, segments: 0, accounts: 0, liveJourneys: 0 };

it('each step has its own proof, and only that', () => {
  expect([...stepsDone(nothing)]).toEqual([]);
  const proofs = Object.keys(nothing) as (keyof typeof nothing)[];
  expect(proofs.flatMap((proof) => [...stepsDone({ ...nothing, [proof]: 1 })])).toEqual([...setupSteps]);
});
