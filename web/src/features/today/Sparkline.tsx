/* SPDX-License-Identifier: Apache-2.0 */
/* Sparkline: the last readings of a figure that is asked for again and again. */
import { useEffect, useState } from 'react';

const kept = 40;
const fewest = 8; /* fewer say nothing yet */
let memory: number[] = []; /* survives a change of page, so that the line does not begin anew */

export function useTrail(value: number | undefined, asOf: string | undefined): readonly number[] {
  const [trail, setTrail] = useState(memory);
  useEffect(() => {
    if (value === undefined) return;
    memory = [...memory, value].slice(-kept);
    setTrail(memory);
  }, [value, asOf]);
  return trail;
}

export function Sparkline({ points, width = 84, height = 24 }: { points: readonly number[]; width?: number; height?: number }) {
  if (points.length < fewest) return null;
  const top = Math.max(...points, 1);
  const step = width / (kept - 1);
  const start = width - step * (points.length - 1);
  const at = (value: number): string => (height - 2 - (value / top) * (height - 4)).toFixed(1);
  const line = points.map((value, index) => `${index === 0 ? 'M' : 'L'}${(start + index * step).toFixed(1)} ${at(value)}`).join('');
  return (
    <svg width={width} height={height} aria-hidden="true">
      <path d={`${line}L${width} ${height}L${start.toFixed(1)} ${height}Z`} fill="var(--accent)" opacity="0.14" />
      <path d={line} fill="none" stroke="var(--accent)" strokeWidth="1.5" />
    </svg>
  );
}
