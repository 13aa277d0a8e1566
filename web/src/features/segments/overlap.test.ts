/* SPDX-License-Identifier: Apache-2.0 */
/* Exact combinations from sizes of intersections agree with counting the people. */
import { expect, it } from 'vitest';
import { exactCombinations, mapOf, type Overlap } from './overlap';

function overlapOf(sets: Readonly<Record<string, readonly number[]>>): Overlap {
  const keys = Object.keys(sets);
  const intersections: Overlap['intersections'] = [];
  for (let mask = 1; mask < 1 << keys.length; mask += 1) {
    const of = keys.filter((_, at) => (mask & (1 << at)) !== 0);
    if (of.length < 2) continue;
    const [first = [], ...rest] = of.map((key) => sets[key] ?? []);
    intersections.push({ of, count: first.filter((one) => rest.every((other) => other.includes(one))).length });
  }
  return { as_of: '2026-06-18T00:00:00Z', segments: keys.map((key) => ({ key, count: sets[key]?.length ?? 0 })), intersections };
}

it('counts who is in exactly these', () => {
  const sets = { a: [1, 2, 3, 4, 5], b: [4, 5, 6], c: [5, 6, 7, 8], d: [] };
  const people = [1, 2, 3, 4, 5, 6, 7, 8];
  const wanted = new Map<string, number>();
  for (const one of people) {
    const of = Object.entries(sets).filter(([, set]) => (set as number[]).includes(one)).map(([key]) => key).join(' ');
    wanted.set(of, (wanted.get(of) ?? 0) + 1);
  }
  const found = exactCombinations(overlapOf(sets));
  expect(new Map(found?.map((one) => [one.of.join(' '), one.count]))).toEqual(wanted);
  expect(found?.reduce((sum, one) => sum + one.count, 0)).toBe(people.length);
});

it('says nothing where not all combinations are known', () => {
  const overlap = overlapOf({ a: [1], b: [1], c: [1] });
  expect(exactCombinations({ ...overlap, intersections: overlap.intersections.filter((one) => one.of.length === 2) })).toBeNull();
});

it('gives each two as a map of pairs', () => {
  const overlap = overlapOf({ a: [1, 2, 3, 4], b: [3, 4, 5], c: [4] });
  const { segments, pairs } = mapOf(overlap);
  expect(segments.map((one) => [one.key, one.count])).toEqual([['a', 4], ['b', 3], ['c', 1]]);
  expect(pairs.toSorted()).toEqual([[0, 1, 2], [0, 2, 1], [1, 2, 1]]);
});
