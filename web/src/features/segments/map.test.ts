/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix of overlaps agrees with counting people; chance, order and list follow from it. */
import { expect, it } from 'vitest';
import { cellAt, cellOf, isSignificant, matrixOf, orderOf, pairsOf, relationOf, strengthOf, type Matrix } from './map';

const base = 100;
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);
const sets: Readonly<Record<string, readonly number[]>> = { all: range(0, 80), half: range(0, 50), tail: range(60, 90), twin: range(0, 50), nobody: [] };

function matrix(): Matrix {
  const keys = Object.keys(sets);
  const pairs: number[][] = [];
  keys.forEach((a, i) => keys.forEach((b, k) => {
    const both = (sets[a] ?? []).filter((one) => (sets[b] ?? []).includes(one)).length;
    if (i < k && both > 0) pairs.push([i, k, both]);
  }));
  return matrixOf({ segments: keys.map((key) => ({ key, name: key === 'half' ? '' : key.toUpperCase(), count: sets[key]?.length ?? 0 })), pairs }, base);
}

it('knows each pair from both sides, and what chance would give', () => {
  const held = matrix();
  expect(held.names).toEqual(['ALL', 'half', 'TAIL', 'TWIN', 'NOBODY']);
  expect(cellOf(held, 0, 2)).toMatchObject({ both: 20, shareA: 0.25, shareB: 2 / 3, expected: 24 });
  expect(cellOf(held, 2, 0)).toMatchObject({ both: 20, shareA: 2 / 3, shareB: 0.25 });
  expect(cellOf(held, 0, 2).similarity).toBeCloseTo(20 / 90);
  expect(cellOf(held, 0, 2).lift).toBeCloseTo(20 / 24);
  expect(cellOf(held, 1, 1).both).toBe(50);
  expect(cellOf(held, 0, 4)).toMatchObject({ both: 0, shareB: 0, lift: null, z: 0 });
});

it('says how the people of one lie to those of the other', () => {
  const held = matrix();
  expect([relationOf(held, 1, 3), relationOf(held, 1, 0), relationOf(held, 0, 1), relationOf(held, 1, 2), relationOf(held, 0, 2)]).toEqual(['same', 'inside', 'around', 'apart', 'across']);
});

it('is far from chance only where it is', () => {
  const held = matrix();
  expect(isSignificant(cellOf(held, 1, 3))).toBe(true);
  /* 20 of 24 expected, standard deviation 1.84 */
  expect(cellOf(held, 0, 2).z).toBeCloseTo(-2.17, 2);
  expect(strengthOf(cellOf(held, 1, 3), 'lift')).toBeCloseTo(0.5);
  expect(strengthOf(cellOf(held, 1, 2), 'lift')).toBe(-1);
  expect(strengthOf(cellOf(held, 0, 4), 'lift')).toBe(0);
  expect(strengthOf(cellOf(held, 1, 0), 'share')).toBe(1);
});

it('puts what is alike together, each once', () => {
  const held = matrix();
  const keysIn = (order: Parameters<typeof orderOf>[1]): string[] => orderOf(held, order).map((at) => held.keys[at] ?? '');
  expect(keysIn('alike')).toEqual(['all', 'half', 'twin', 'tail', 'nobody']);
  expect(keysIn('size')).toEqual(['all', 'half', 'twin', 'tail', 'nobody']);
  expect(keysIn('name').toSorted()).toEqual(Object.keys(sets).toSorted());
});

it('lists each two once, the most telling first', () => {
  const held = matrix();
  const pairs = pairsOf(held, [0, 1, 2, 3], 'lift');
  expect(pairs.length).toBe(6);
  expect(pairs[0]).toMatchObject({ a: 1, b: 3, relation: 'same' });
  expect(pairsOf(held, [4, 2], 'similarity')).toMatchObject([{ a: 2, b: 4, both: 0, relation: 'apart' }]);
});

it('finds the cell under the pointer', () => {
  expect(cellAt(25, 5, 10, 3)).toEqual([0, 2]);
  expect(cellAt(30, 5, 10, 3)).toBeNull();
  expect(cellAt(-1, 5, 10, 3)).toBeNull();
});
