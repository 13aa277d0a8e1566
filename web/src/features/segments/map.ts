/* SPDX-License-Identifier: Apache-2.0 */
/* map: the overlaps of all pairs of segments as a matrix: how many are in both, beside how many there would be by chance; orders in which
 * what is alike stands together; and the pairs as a list.
 */
import type { Schemas } from '@/api/client';

export type OverlapMap = Schemas['OverlapMap'];

export interface Matrix {
  keys: readonly string[];
  names: readonly string[];
  sizes: readonly number[];
  /* of row and column: at row * keys.length + column; on the diagonal the size */
  both: Float64Array;
  /* all customers */
  base: number;
}

export const measures = ['lift', 'share', 'similarity'] as const;
export type Measure = (typeof measures)[number];
export const orders = ['alike', 'size', 'name'] as const;
export type Order = (typeof orders)[number];
/* how the people of one lie to those of the other */
export type Relation = 'same' | 'inside' | 'around' | 'apart' | 'across';

export interface Cell {
  both: number;
  /* of the row's, of the column's */
  shareA: number;
  shareB: number;
  /* |A ∩ B| / |A ∪ B| (Jaccard 1901) */
  similarity: number;
  /* how many there would be, were the two independent */
  expected: number;
  /* both / expected; null where there is nobody to compare */
  lift: number | null;
  /* how far from chance, in standard deviations of the hypergeometric distribution */
  z: number;
}

export function matrixOf(map: Pick<OverlapMap, 'segments' | 'pairs'>, base: number): Matrix {
  const count = map.segments.length;
  const both = new Float64Array(count * count);
  map.segments.forEach((one, at) => { both[at * count + at] = one.count; });
  for (const [a = 0, b = 0, shared = 0] of map.pairs) {
    both[a * count + b] = shared;
    both[b * count + a] = shared;
  }
  return { keys: map.segments.map((one) => one.key), names: map.segments.map((one) => (one.name === '' ? one.key : one.name)), sizes: map.segments.map((one) => one.count), both, base };
}

export function cellOf(matrix: Matrix, row: number, column: number): Cell {
  const [a = 0, b = 0] = [matrix.sizes[row], matrix.sizes[column]];
  const both = matrix.both[row * matrix.keys.length + column] ?? 0;
  const { base } = matrix;
  const expected = base === 0 ? 0 : (a * b) / base;
  const variance = base > 1 ? (expected * (1 - a / base) * (1 - b / base) * base) / (base - 1) : 0;
  const either = a + b - both;
  return {
    both, expected,
    shareA: a === 0 ? 0 : both / a, shareB: b === 0 ? 0 : both / b, similarity: either === 0 ? 0 : both / either,
    lift: expected === 0 ? null : both / expected,
    z: variance > 0 ? (both - expected) / Math.sqrt(variance) : 0,
  };
}

const significant = 1.96;
export const isSignificant = (cell: Cell): boolean => Math.abs(cell.z) >= significant;

export function relationOf(matrix: Matrix, row: number, column: number): Relation {
  const [a = 0, b = 0] = [matrix.sizes[row], matrix.sizes[column]];
  const both = matrix.both[row * matrix.keys.length + column] ?? 0;
  if (both === 0) return 'apart';
  if (both === a && both === b) return 'same';
  if (both === a) return 'inside';
  return both === b ? 'around' : 'across';
}

/* From −1 (much less than by chance) over 0 to 1: lift by its logarithm, four times or a quarter is the end; shares and similarity as they are. */
export function strengthOf(cell: Cell, measure: Measure): number {
  if (measure === 'share') return cell.shareA;
  if (measure === 'similarity') return cell.similarity;
  if (cell.lift === null) return 0;
  return cell.lift === 0 ? -1 : Math.max(-1, Math.min(1, Math.log2(cell.lift) / 2));
}

/* Places in the order in which they are shown. 'alike': a chain in which each is followed by the most similar of the rest, from the largest on. */
export function orderOf(matrix: Matrix, order: Order): number[] {
  const places = matrix.keys.map((_, at) => at);
  const bySize = (a: number, b: number): number => (matrix.sizes[b] ?? 0) - (matrix.sizes[a] ?? 0) || a - b;
  if (order === 'name') return places.sort((a, b) => (matrix.names[a] ?? '').localeCompare(matrix.names[b] ?? '', 'zh-CN') || a - b);
  if (order === 'size') return places.sort(bySize);
  const left = places.sort(bySize);
  const chain: number[] = [];
  let last = left.shift();
  while (last !== undefined) {
    chain.push(last);
    last = takeMostSimilar(matrix, last, left);
  }
  return chain;
}

function takeMostSimilar(matrix: Matrix, to: number, left: number[]): number | undefined {
  let [found, most] = [0, -1];
  left.forEach((one, at) => {
    const { similarity } = cellOf(matrix, to, one);
    if (similarity > most) [found, most] = [at, similarity];
  });
  return left.splice(found, 1)[0];
}

export interface Pair extends Cell {
  a: number;
  b: number;
  relation: Relation;
}

/* Each two once, the larger one first; what is furthest from chance first, or what has the largest share or similarity. */
export function pairsOf(matrix: Matrix, shown: readonly number[], measure: Measure): Pair[] {
  const places = [...shown].sort((a, b) => (matrix.sizes[b] ?? 0) - (matrix.sizes[a] ?? 0) || a - b);
  const pairs: Pair[] = [];
  places.forEach((a, at) => {
    for (const b of places.slice(at + 1)) pairs.push({ a, b, relation: relationOf(matrix, a, b), ...cellOf(matrix, a, b) });
  });
  const weight = (pair: Pair): number => (measure === 'lift' ? Math.abs(pair.z) : measure === 'share' ? Math.max(pair.shareA, pair.shareB) : pair.similarity);
  return pairs.sort((a, b) => weight(b) - weight(a) || b.both - a.both);
}

/* Which cell of a square of `cells` cells of `size` pixels lies at a point; null outside. */
export function cellAt(x: number, y: number, size: number, cells: number): [number, number] | null {
  const [row, column] = [Math.floor(y / size), Math.floor(x / size)];
  return row < 0 || column < 0 || row >= cells || column >= cells ? null : [row, column];
}
