/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: state and usage of a definition, and the line of its sizes. */
import { useQuery } from '@tanstack/react-query';
import { Popover } from 'antd';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { queries, type AudienceKind } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { useWhenVisible } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { Pill, type Tone } from '@/ui/Marks';
import { journeyHeads } from '@/features/journeys/heads';
import { useMay } from '@/app/session';
import { nameOf, type Definition } from './audience';
import { audienceTexts } from './texts';

const tones: Readonly<Record<string, Tone>> = { live: 'good', changing: 'info', computing: 'info' };

export function StatePill({ state }: { state: string }) {
  const t = useText(audienceTexts);
  return <Pill tone={tones[state] ?? 'plain'}>{wordFor(t.states, state)}</Pill>;
}

export function pathOf(kind: AudienceKind, key: string): string {
  return `/${kind}/${key}`;
}

/* What those that use it are called, by 'kind key'. */
function useNames(usedBy: Definition['used_by']): ReadonlyMap<string, string> {
  const asks = (kind: string): boolean => usedBy.some((one) => one.kind === kind);
  const tags = useQuery({ ...queries.definitions('tags'), refetchInterval: false, enabled: asks('tag') });
  const segments = useQuery({ ...queries.definitions('segments'), refetchInterval: false, enabled: asks('segment') });
  const journeys = useQuery({ ...journeyHeads(), enabled: useMay('journey.see') && asks('journey') });
  return useMemo(() => new Map([
    ...(tags.data?.items ?? []).map((one): [string, string] => [`tag ${one.key}`, nameOf(one)]),
    ...(segments.data?.items ?? []).map((one): [string, string] => [`segment ${one.key}`, nameOf(one)]),
    ...(journeys.data?.items ?? []).filter((one) => one.name !== '').map((one): [string, string] => [`journey ${one.key}`, one.name]),
  ]), [tags.data, segments.data, journeys.data]);
}

export function UsageList({ usedBy }: { usedBy: Definition['used_by'] }) {
  const t = useText(audienceTexts);
  const names = useNames(usedBy);
  return (
    <ul className="stack" style={{ gap: 4 }}>
      {usedBy.map((one) => <li key={`${one.kind} ${one.key}`}><Link to={`/${one.kind}s/${one.key}`}><span className="faint">{wordFor({ tag: t.tag, segment: t.segment, journey: t.journey }, one.kind)}</span> {names.get(`${one.kind} ${one.key}`) ?? ''} <span className="mono faint">{one.key}</span></Link></li>)}
    </ul>
  );
}

export function Usage({ usedBy }: { usedBy: Definition['used_by'] }) {
  const t = useText(audienceTexts);
  if (usedBy.length === 0) return <span className="faint">{t.unused}</span>;
  return (
    <Popover title={t.usedBy} content={<UsageList usedBy={usedBy} />} trigger={['click', 'hover']}>
      <button type="button" className="link-button tabular">{exactCount(usedBy.length)}</button>
    </Popover>
  );
}

const days = 30;
const dayMs = 86_400_000;

/* Asked for once it is on screen: a list of 800 does not ask 800 times. */
export function SizeLine({ kind, definition }: { kind: AudienceKind; definition: Definition }) {
  const [isSeen, setSeen] = useState(false);
  const place = useWhenVisible(() => setSeen(true), !isSeen);
  const { nowMs } = useClock();
  const range = useMemo(() => {
    const to = Math.ceil(nowMs / dayMs) * dayMs;
    return { from: new Date(to - days * dayMs).toISOString(), to: new Date(to).toISOString(), step: '1d' };
  }, [Math.ceil(nowMs / dayMs)]);
  const sizes = useQuery({ ...queries.sizes(kind, definition.key, range), enabled: isSeen });
  const points = sizes.data?.points.map((one) => one.count) ?? [];
  return <span ref={place} style={{ display: 'block', width: 88, height: 24 }}>{points.length > 1 && <Line points={points} />}</span>;
}

export function Line({ points, width = 88, height = 24 }: { points: readonly number[]; width?: number; height?: number }) {
  const top = Math.max(...points, 1);
  const step = width / Math.max(1, points.length - 1);
  const at = (value: number): string => (height - 2 - (value / top) * (height - 4)).toFixed(1);
  const line = points.map((value, index) => `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${at(value)}`).join('');
  return (
    <svg width={width} height={height} aria-hidden="true">
      <path d={`${line}L${width} ${height}L0 ${height}Z`} fill="var(--accent)" opacity="0.12" />
      <path d={line} fill="none" stroke="var(--accent)" strokeWidth="1.5" />
    </svg>
  );
}
