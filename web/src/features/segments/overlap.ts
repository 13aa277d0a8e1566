/* SPDX-License-Identifier: Apache-2.0 */
/* overlap: what the sizes of intersections say: of each two, and of every exact combination. */
import type { Schemas } from '@/api/client';

export type Overlap = Schemas['Overlap'];

/* The sizes of each and of each two, as a map of pairs. */
export function mapOf(overlap: Overlap): Pick<Schemas['OverlapMap'], 'segments' | 'pairs'> {
  const places = new Map(overlap.segments.map((one, at) => [one.key, at]));
  return {
    segments: overlap.segments.map((one) => ({ ...one, name: '' })),
    pairs: overlap.intersections.filter((one) => one.of.length === 2).map((one) => [...one.of.map((key) => places.get(key) ?? 0), one.count]),
  };
}

export interface Combination {
  of: string[];
  count: number;
}

/* Who is in exactly these and in no other: by inclusion and exclusion over the sizes of all intersections. Needs every
 * combination, which the server gives for up to six segments; null beyond. */
export function exactCombinations(overlap: Overlap): Combination[] | null {
  const keys = overlap.segments.map((one) => one.key);
  if (keys.length > 6) return null;
  const within = new Map<number, number>();
  const bit = new Map(keys.map((key, at) => [key, 1 << at]));
  const maskOf = (of: readonly string[]): number => of.reduce((mask, key) => mask | (bit.get(key) ?? 0), 0);
  for (const one of overlap.segments) within.set(maskOf([one.key]), one.count);
  for (const one of overlap.intersections) within.set(maskOf(one.of), one.count);
  const whole = (1 << keys.length) - 1;
  const found: Combination[] = [];
  for (let mask = 1; mask <= whole; mask += 1) {
    let count = 0;
    const rest = whole & ~mask;
    /* every set of the others, the empty one last */
    for (let more = rest; ; more = (more - 1) & rest) {
      const size = within.get(mask | more);
      if (size === undefined) return null;
      count += (bitsIn(more) % 2 === 0 ? 1 : -1) * size;
      if (more === 0) break;
    }
    if (count > 0) found.push({ of: keys.filter((_, at) => (mask & (1 << at)) !== 0), count });
  }
  return found.sort((a, b) => b.count - a.count);
}

function bitsIn(mask: number): number {
  let count = 0;
  for (let left = mask; left !== 0; left &= left - 1) count += 1;
  return count;
}
