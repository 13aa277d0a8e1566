/* SPDX-License-Identifier: Apache-2.0 */
import { expect, it } from 'vitest';
import { ApiProblem, progressOf } from './client';
import { queries } from './queries';

const reading = new ApiProblem(503, 'unavailable', 'being read for the first time', '', [], 4, '', 0.25);
const down = new ApiProblem(503, 'unavailable', 'the warehouse is starting');
const wrong = new ApiProblem(422, 'unprocessable', 'rule is a rule');

it('asks again, each second, for as long as something is read for the first time', () => {
  const { retry, retryDelay } = queries.rulePreview('{"rule":{}}');
  if (typeof retry !== 'function' || typeof retryDelay !== 'function') throw new Error('both depend on the problem');
  expect([0, 4, 60].map((count) => retry(count, reading))).toEqual([true, true, true]);
  expect([0, 3, 4].map((count) => retry(count, down))).toEqual([true, true, false]);
  expect(retry(0, wrong)).toBe(false);
  expect([0, 5].map((count) => retryDelay(count, reading))).toEqual([1000, 1000]);
  expect([0, 3].map((count) => retryDelay(count, down))).toEqual([1000, 8000]);
});

it('knows how much is there only when the server says so', () => {
  expect([reading, down, new Error('x'), null].map(progressOf)).toEqual([0.25, null, null, null]);
});
