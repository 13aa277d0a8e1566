/* SPDX-License-Identifier: Apache-2.0 */
/* OverlapView: what a few chosen segments have in common: a heat map of each with each, and the sizes of exact combinations. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Select } from 'antd';
import { Fragment, useMemo } from 'react';
import { Link, useNavigate } from 'react-router';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { nameOf } from '@/features/audience/audience';
import { exactCount, percent, shortCount } from '@/lib/format';
import { Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { matrixOf } from './map';
import { Legend, Matrix } from './Matrix';
import { exactCombinations, mapOf, type Overlap } from './overlap';
import { segmentTexts } from './texts';
import '@/features/audience/audience.css';

interface OverlapViewProps {
  keys: readonly string[];
  /* the segment whose page it is: always in */
  fixed?: string;
  onChange: (keys: string[]) => void;
}

const most = 20;
export const everybody = JSON.stringify({ rule: { all: [] } });

export function OverlapView({ keys, fixed, onChange }: OverlapViewProps) {
  const t = useText(segmentTexts);
  const list = useQuery(queries.definitions('segments'));
  const items = (list.data?.items ?? []).filter((one) => one.on === 'customer');
  const names = new Map(items.map((one) => [one.key, nameOf(one)]));
  const chosen = [...new Set(keys)].slice(0, most);
  const overlap = useQuery({ ...queries.overlap(chosen), enabled: chosen.length >= 2, placeholderData: keepPreviousData });
  const all = useQuery(queries.rulePreview(everybody));
  const nameIn = (key: string): string => names.get(key) ?? key;
  return (
    <div className="stack">
      <Select
        mode="multiple" aria-label={t.choose} placeholder={t.choose} value={chosen.filter((key) => key !== fixed)} maxTagCount={8} onChange={(next: string[]) => onChange(fixed === undefined ? next.slice(0, most) : [fixed, ...next].slice(0, most))}
        options={items.filter((one) => one.key !== fixed).map((one) => ({ value: one.key, label: nameOf(one) }))} showSearch={{ optionFilterProp: 'label' }} style={{ width: '100%', maxWidth: 640 }}
      />
      {chosen.length < 2 ? <Panel>{items.length < 2 ? <Empty title={t.onlyOne} action={<Link to="/new/segment"><Button type="primary" tabIndex={-1}>{t.create}</Button></Link>}>{t.onlyOneHint}</Empty> : <Empty title={t.chooseMore}>{t.chooseMoreHint}</Empty>}</Panel>
        : overlap.isError ? <Panel><Failure error={overlap.error} retry={() => void overlap.refetch()} /></Panel>
          : overlap.data === undefined ? <Panel><Bones rows={6} inset={0} /></Panel>
            : <div className="stack" style={overlap.isPlaceholderData ? { opacity: 0.6 } : undefined}><Panel title={t.heat} note={<Time at={overlap.data.as_of} exact />} tools={<Legend measure="lift" />}><Heat overlap={overlap.data} base={all.data?.base ?? 0} nameIn={nameIn} label={t.heat} /></Panel><Combinations overlap={overlap.data} nameIn={nameIn} /></div>}
    </div>
  );
}

function Heat({ overlap, base, nameIn, label }: { overlap: Overlap; base: number; nameIn: (key: string) => string; label: string }) {
  const navigate = useNavigate();
  const matrix = useMemo(() => {
    const held = matrixOf(mapOf(overlap), base);
    return { ...held, names: held.keys.map(nameIn) };
  }, [overlap, base, nameIn]);
  const hrefOf = (a: string, b: string): string => `/overlap?of=${matrix.keys.join(',')}&pair=${a},${b}`;
  return <Matrix matrix={matrix} shown={matrix.keys.map((_, at) => at)} measure="lift" label={label} hrefOf={hrefOf} onOpen={(a, b) => void navigate(hrefOf(a, b))} />;
}

const combinationsShown = 16;

export function Combinations({ overlap, nameIn }: { overlap: Overlap; nameIn: (key: string) => string }) {
  const t = useText(segmentTexts);
  const language = useLanguage();
  const combinations = exactCombinations(overlap);
  if (combinations === null || combinations.length === 0) return null;
  const keys = overlap.segments.map((one) => one.key);
  const top = Math.max(...combinations.map((one) => one.count), 1);
  return (
    <Panel title={t.combos} note={t.exclusive}>
      <div className="upset">
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
