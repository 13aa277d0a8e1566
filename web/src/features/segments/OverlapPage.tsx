/* SPDX-License-Identifier: Apache-2.0 */
/* OverlapPage: how much each two of all segments share: a heat map or a list; which are shown, by what measure and in what order stands in the address. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useCallback, useMemo } from 'react';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { nameOf, type Definition } from '@/features/audience/audience';
import { exactCount } from '@/lib/format';
import { useDebounced, useFilters } from '@/lib/hooks';
import { Chips } from '@/ui/Controls';
import { Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';
import { matrixOf, measures, orderOf, orders, type Measure, type Order } from './map';
import { Legend, Matrix } from './Matrix';
import { Combinations, everybody } from './OverlapView';
import { PairDrawer } from './PairDrawer';
import { PairExport, PairList } from './PairList';
import { segmentTexts } from './texts';
import '@/features/audience/audience.css';

const most = 500; /* as many as the server compares */

export function OverlapPage() {
  const t = useText(segmentTexts);
  const list = useQuery(queries.definitions('segments'));
  const create = <Link to="/new/segment"><Button type="primary" tabIndex={-1}>{t.create}</Button></Link>;
  return (
    <Page title={t.overlapTitle} purpose={t.overlapPurpose}>
      <Loaded query={list} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>} isEmpty={(data) => ofCustomers(data.items).length < 2} empty={<Panel><Empty title={t.chooseHint} action={create}>{t.empty}</Empty></Panel>}>
        {(data) => <Work items={ofCustomers(data.items)} />}
      </Loaded>
    </Page>
  );
}

const ofCustomers = (items: readonly Definition[]): Definition[] => items.filter((one) => one.on === 'customer');

type Filters = Record<'of' | 'query' | 'folder' | 'by' | 'order' | 'view' | 'pair', string>;
const unset: Filters = { of: '', query: '', folder: '', by: 'lift', order: 'alike', view: 'map', pair: '' };

/* The largest first; as many as fit. */
function chosenOf(items: readonly Definition[], filters: Filters, query: string): string[] {
  const wanted = query.trim().toLowerCase();
  const named = filters.of === '' ? null : new Set(filters.of.split(','));
  return items
    .filter((one) => (named === null || named.has(one.key)) && (filters.folder === '' || one.folder === filters.folder || one.folder.startsWith(`${filters.folder}/`)) && `${one.key} ${nameOf(one)}`.toLowerCase().includes(wanted))
    .sort((a, b) => b.count - a.count || a.key.localeCompare(b.key)).slice(0, most).map((one) => one.key);
}

function Work({ items }: { items: readonly Definition[] }) {
  const t = useText(segmentTexts);
  const [filters, setFilters] = useFilters<keyof Filters>(unset);
  const query = useDebounced(filters.query, 250);
  const keys = chosenOf(items, filters, query).sort();
  const map = useQuery({ ...queries.overlapMap(keys), enabled: keys.length >= 2, placeholderData: keepPreviousData });
  const all = useQuery(queries.rulePreview(everybody));
  const folders = [...new Set(items.map((one) => one.folder).filter((one) => one !== ''))].sort((a, b) => a.localeCompare(b, 'zh-CN'));
  const measure = measures.find((one) => one === filters.by) ?? 'lift';
  const order = orders.find((one) => one === filters.order) ?? 'alike';
  return (
    <div className="stack">
      <div className="filters" style={{ marginBottom: 0 }}>
        <Input allowClear style={{ width: 200 }} placeholder={t.searchSegments} aria-label={t.searchSegments} value={filters.query} onChange={(event) => setFilters({ query: event.target.value })} />
        {folders.length > 0 && <Select aria-label={t.folder} value={filters.folder} style={{ minWidth: 140 }} onChange={(folder: string) => setFilters({ folder })} options={[{ value: '', label: t.allFolders }, ...folders.map((folder) => ({ value: folder, label: folder }))]} />}
        <Select
          mode="multiple" aria-label={t.choose} placeholder={t.choose} value={filters.of === '' ? [] : filters.of.split(',')} maxTagCount={3} onChange={(next: string[]) => setFilters({ of: next.join(',') })} style={{ minWidth: 240, flex: 1 }} allowClear
          options={items.map((one) => ({ value: one.key, label: nameOf(one) }))} showSearch={{ optionFilterProp: 'label' }}
        />
      </div>
      {keys.length < 2 ? <Panel><Empty title={t.chooseHint} action={<Button onClick={() => setFilters({ of: '', query: '', folder: '' })}>{t.showAll}</Button>} /></Panel>
        : map.isError ? <Panel><Failure error={map.error} retry={() => void map.refetch()} /></Panel>
          : all.isError ? <Panel><Failure error={all.error} retry={() => void all.refetch()} /></Panel>
            : map.data === undefined || all.data === undefined ? <Panel><Bones rows={8} inset={0} /></Panel>
              : <div className="stack" style={map.isPlaceholderData ? { opacity: 0.6 } : undefined}><Shown map={map.data} base={all.data.base} measure={measure} order={order} filters={filters} onFilter={setFilters} left={items.length - keys.length} /></div>}
    </div>
  );
}

interface ShownProps {
  map: Parameters<typeof matrixOf>[0] & { as_of: string };
  base: number;
  measure: Measure;
  order: Order;
  filters: Filters;
  onFilter: (change: Partial<Filters>) => void;
  left: number;
}

function Shown({ map, base, measure, order, filters, onFilter, left }: ShownProps) {
  const t = useText(segmentTexts);
  const matrix = useMemo(() => matrixOf(map, base), [map, base]);
  const shown = useMemo(() => orderOf(matrix, order), [matrix, order]);
  const open = useCallback((a: string, b: string) => onFilter({ pair: `${a},${b}` }), [onFilter]);
  const [a = '', b = ''] = filters.pair.split(',');
  const hrefOf = (x: string, y: string): string => {
    const next = new URLSearchParams(Object.entries({ ...filters, pair: `${x},${y}` }).filter(([key, value]) => value !== unset[key as keyof Filters]));
    return `/overlap?${next.toString()}`;
  };
  return (
    <>
      <Panel
        flush={filters.view === 'list'} title={t.heat} note={<>{t.howMany(exactCount(matrix.keys.length), left > 0 ? exactCount(left) : '')} · <Time at={map.as_of} exact /></>}
        tools={<><Chips label={t.views} value={filters.view} onChange={(view) => onFilter({ view })} choices={[{ value: 'map', label: t.viewMap }, { value: 'list', label: t.viewList }]} /><PairExport matrix={matrix} shown={shown} measure={measure} /></>}
      >
        <div className="row wrap heat-tools" style={filters.view === 'list' ? { padding: '0 16px 8px' } : undefined}>
          <Chips label={t.measure} value={measure} onChange={(by) => onFilter({ by })} choices={measures.map((one) => ({ value: one, label: t.measures[one] }))} />
          {filters.view !== 'list' && <Chips label={t.order} value={order} onChange={(next) => onFilter({ order: next })} choices={orders.map((one) => ({ value: one, label: t.orders[one] }))} />}
          {filters.view !== 'list' && <Legend measure={measure} />}
        </div>
        {filters.view === 'list'
          ? <PairList matrix={matrix} shown={shown} measure={measure} onOpen={open} />
          : <Matrix matrix={matrix} shown={shown} measure={measure} label={t.heat} hrefOf={hrefOf} onOpen={open} />}
      </Panel>
      {matrix.keys.length <= 6 && <ExactCombinations keys={matrix.keys} nameIn={(key) => matrix.names[matrix.keys.indexOf(key)] ?? key} />}
      <PairDrawer matrix={matrix} pair={a === '' || b === '' ? null : { a, b }} onClose={() => onFilter({ pair: '' })} />
    </>
  );
}

function ExactCombinations({ keys, nameIn }: { keys: readonly string[]; nameIn: (key: string) => string }) {
  const overlap = useQuery({ ...queries.overlap(keys), placeholderData: keepPreviousData });
  return overlap.data === undefined ? null : <Combinations overlap={overlap.data} nameIn={nameIn} />;
}
