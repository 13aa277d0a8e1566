/* SPDX-License-Identifier: Apache-2.0 */
/* Overlap: what segments have in common: a heat map of each with each, and the sizes of exact combinations. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select, Tooltip } from 'antd';
import { Fragment } from 'react';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { nameOf } from '@/features/audience/audience';
import { exactCount, percent, shortCount } from '@/lib/format';
import { Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { exactCombinations, pairOf, type Overlap } from './overlap';
import { segmentTexts } from './texts';
import '@/features/audience/audience.css';

interface OverlapViewProps {
  keys: readonly string[];
  /* the segment whose page it is: always in */
  fixed?: string;
  onChange: (keys: string[]) => void;
}

const most = 20;

export function OverlapView({ keys, fixed, onChange }: OverlapViewProps) {
  const t = useText(segmentTexts);
  const list = useQuery(queries.definitions('segments'));
  const items = (list.data?.items ?? []).filter((one) => one.on === 'customer');
  const names = new Map(items.map((one) => [one.key, nameOf(one)]));
  const chosen = [...new Set(keys)].slice(0, most);
  const overlap = useQuery({ ...queries.overlap(chosen), enabled: chosen.length >= 2, placeholderData: keepPreviousData });
  const nameIn = (key: string): string => names.get(key) ?? key;
  return (
    <div className="stack">
      <Select
        mode="multiple" aria-label={t.choose} placeholder={t.choose} value={chosen.filter((key) => key !== fixed)} maxTagCount={8} onChange={(next: string[]) => onChange(fixed === undefined ? next.slice(0, most) : [fixed, ...next].slice(0, most))}
        options={items.filter((one) => one.key !== fixed).map((one) => ({ value: one.key, label: nameOf(one) }))} showSearch={{ optionFilterProp: 'label' }} style={{ width: '100%' }}
      />
      {chosen.length < 2 ? <Panel><Empty title={t.chooseHint} /></Panel>
        : overlap.isError ? <Panel><Failure error={overlap.error} retry={() => void overlap.refetch()} /></Panel>
          : overlap.data === undefined ? <Panel><Bones rows={6} inset={0} /></Panel>
            : <div className="stack" style={overlap.isPlaceholderData ? { opacity: 0.6 } : undefined}><HeatMap overlap={overlap.data} nameIn={nameIn} /><Combinations overlap={overlap.data} nameIn={nameIn} /></div>}
    </div>
  );
}

function HeatMap({ overlap, nameIn }: { overlap: Overlap; nameIn: (key: string) => string }) {
  const t = useText(segmentTexts);
  const language = useLanguage();
  const keys = overlap.segments.map((one) => one.key);
  return (
    <Panel title={t.heat} note={<Time at={overlap.as_of} exact />}>
      <div className="scroll-x" tabIndex={0} role="group" aria-label={t.heat}>
        <table className="heat">
          <thead><tr><td />{keys.map((key) => <th key={key} scope="col" title={nameIn(key)}>{nameIn(key)}</th>)}</tr></thead>
          <tbody>
            {keys.map((a) => (
              <tr key={a}>
                <th scope="row" title={nameIn(a)}><Link to={`/segments/${a}`}>{nameIn(a)}</Link></th>
                {keys.map((b) => {
                  const pair = pairOf(overlap, a, b);
                  const shade = a === b ? 0 : Math.round(pair.shareOfA * 45);
                  const says = a === b ? exactCount(pair.count) : `${t.both(exactCount(pair.count))} · ${t.heatShare(percent(pair.shareOfA), nameIn(a))} · ${t.jaccard} ${percent(pair.similarity)}`;
                  return (
                    <td key={b} style={{ background: a === b ? 'var(--paper-soft)' : `color-mix(in srgb, var(--accent) ${shade}%, var(--paper))`, color: 'var(--ink)' }}>
                      <Tooltip title={says}>
                        {a === b ? <span className="faint tabular">{shortCount(pair.count, language)}</span> : (
                          <Link to={`/new/segment?define=${encodeURIComponent(JSON.stringify({ kind: 'algebra', op: 'intersection', of: [a, b], name: `${nameIn(a)} ∩ ${nameIn(b)}` }))}`} className="tabular" style={{ display: 'block', padding: '8px 4px', color: 'var(--ink)' }} aria-label={`${nameIn(a)} × ${nameIn(b)}: ${says}`}>
                            {percent(pair.shareOfA, 0)}
                          </Link>
                        )}
                      </Tooltip>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

const combinationsShown = 16;

function Combinations({ overlap, nameIn }: { overlap: Overlap; nameIn: (key: string) => string }) {
  const t = useText(segmentTexts);
  const language = useLanguage();
  const combinations = exactCombinations(overlap);
  if (combinations === null || combinations.length === 0) return null;
  const keys = overlap.segments.map((one) => one.key);
  const top = Math.max(...combinations.map((one) => one.count), 1);
  return (
    <Panel title={t.combos} note={t.exclusive}>
      <div className="upset" style={{ gridTemplateColumns: `auto minmax(120px, 1fr) auto minmax(80px, 1.2fr)` }}>
        {combinations.slice(0, combinationsShown).map((one) => (
          <Fragment key={one.of.join(' ')}>
            <span className="upset-dots" aria-hidden="true">{keys.map((key) => <i key={key} className={one.of.includes(key) ? 'in' : ''} title={nameIn(key)} />)}</span>
            <span className="cut" title={one.of.map(nameIn).join(' ∩ ')}>{one.of.map(nameIn).join(' ∩ ')}</span>
            <span className="right tabular" title={exactCount(one.count)}>{shortCount(one.count, language)}</span>
            <span className="bar-track" aria-hidden="true"><span className="bar-fill" style={{ display: 'block', width: percent(one.count / top), background: 'var(--accent)' }} /></span>
          </Fragment>
        ))}
      </div>
    </Panel>
  );
}
