/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes: how many have each value of a tag, as one bar with its legend. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queries } from '@/api/queries';
import { seriesColours } from '@/app/colours';
import { useLanguage, usePreferences } from '@/app/preferences';
import type { Definition } from '@/features/audience/audience';
import { exactCount, shortCount } from '@/lib/format';
import { useWhenVisible } from '@/lib/hooks';

type Sizes = NonNullable<Definition['sizes']>;
const shown = 6;

export function SizesBar({ sizes, all = false }: { sizes: Sizes; all?: boolean }) {
  const language = useLanguage();
  const { scheme } = usePreferences();
  const total = sizes.reduce((sum, one) => sum + one.count, 0);
  if (total === 0) return null;
  const colours = seriesColours[scheme];
  const listed = all ? sizes : sizes.slice(0, shown);
  const colourOf = (at: number): string => colours[at % colours.length] ?? '';
  return (
    <div>
      <div className="sizes" aria-hidden="true">{sizes.map((one, at) => <i key={one.value} style={{ width: `${(one.count / total) * 100}%`, background: colourOf(at) }} title={`${one.value} ${exactCount(one.count)}`} />)}</div>
      <div className="sizes-legend">{listed.map((one, at) => <span key={one.value} title={exactCount(one.count)}><i style={{ background: colourOf(at) }} />{one.value} <span className="faint tabular">{shortCount(one.count, language)}</span></span>)}{!all && sizes.length > shown && <span className="faint">+{sizes.length - shown}</span>}</div>
    </div>
  );
}

/* Asked for once the line is on screen. */
export function SizesOf({ tag, valueType }: { tag: string; valueType: string }) {
  const [isSeen, setSeen] = useState(false);
  const place = useWhenVisible(() => setSeen(true), !isSeen);
  const isText = valueType === 'text';
  const one = useQuery({ ...queries.definition('tags', tag), enabled: isSeen && isText, refetchInterval: false, staleTime: 15_000 });
  return <div ref={place} style={{ minHeight: 22, maxWidth: 230 }}>{isText && one.data?.sizes !== undefined && one.data.sizes.length > 0 && <SizesBar sizes={one.data.sizes.slice(0, 12)} />}</div>;
}
