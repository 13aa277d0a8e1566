/* SPDX-License-Identifier: Apache-2.0 */
/* CustomersPage: find a customer by any identifier, the last four digits of a phone, OneID or name; or all for whom a rule
 * holds. Filters and columns stand in the address, so that a link or a saved view shows the same. */
import { DownloadOutlined, SearchOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Input, Select, Space, Tooltip, type TableColumnsType } from 'antd';
import { useEffect, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { keep, kept, useLanguage, useText } from '@/app/preferences';
import { saveBlob, toCsv } from '@/lib/files';
import { clockTime, shortCount } from '@/lib/format';
import { useDebounced, useFilters } from '@/lib/hooks';
import { nameOf } from '@/features/audience/audience';
import { TraitValue } from '@/features/customer/Profile';
import { ViewMenu } from '@/features/views/ViewMenu';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { Avatar, IdentifierMark, Money, OneId, Time, useIdentifierName } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { ColumnChooser } from './ColumnChooser';
import { askedFor, firstColumns, readColumns, readRuleText, tableOf, valueOf, writeColumn, writeColumns, type BaseColumn, type Column, type Row } from './columns';
import { RuleFilter } from './RuleFilter';
import { customersTexts as texts } from './texts';
import './customers.css';

const storageKey = 'kith.customers.columns';

export function CustomersPage() {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const identifierName = useIdentifierName();
  const { zone } = useClock();
  const navigate = useNavigate();
  const [filters, setFilters] = useFilters({ query: '', identifier: '', trait: '', value: '', rule: '', columns: '', cursor: '', page: '1' });
  const [typed, setTyped] = useState(filters.query);
  const settled = useDebounced(typed, 300);
  const rule = readRuleText(filters.rule);
  const columns = readColumns(filters.columns === '' ? (kept(storageKey) ?? firstColumns.join(',')) : filters.columns);

  useEffect(() => {
    if (settled.trim() !== filters.query) setFilters({ query: settled.trim(), cursor: '', page: '1' });
    // the address changes only by typing; following it back here would fight with the keyboard
  }, [settled]);
  useEffect(() => setTyped(filters.query), [filters.query]);

  const list = useQuery({
    ...queries.customers({ query: filters.query, identifierType: filters.identifier, trait: filters.trait, value: filters.value, cursor: filters.cursor, limit: 50, rule, columns: askedFor(columns) }),
    placeholderData: keepPreviousData,
  });
  const types = useQuery(queries.identityTypes());
  const traits = useQuery(queries.traitTypes());
  const tags = useQuery({ ...queries.definitions('tags'), refetchInterval: false });
  const segments = useQuery({ ...queries.definitions('segments'), refetchInterval: false, enabled: columns.some((one) => one.key === 'segments') });
  const page = Number(filters.page);
  const tagsOfCustomers = (tags.data?.items ?? []).filter((one) => one.on === 'customer');
  const labelOf = (column: Column): string => {
    if (column.kind === 'trait') return wordFor(common.trait, column.key);
    if (column.kind === 'base') return t[column.key];
    const tag = tagsOfCustomers.find((one) => one.key === column.key);
    return tag === undefined ? column.key : nameOf(tag);
  };
  const segmentName = (key: string): string => {
    const segment = segments.data?.items.find((one) => one.key === key);
    return segment === undefined ? key : nameOf(segment);
  };

  const all: Record<BaseColumn, TableColumnsType<Row>[number]> = {
    identifiers: {
      key: 'identifiers', title: t.identifiers, width: 330,
      render: (_, row) => (
        <span className="row" style={{ gap: 4, overflow: 'hidden', width: 330 }}>
          {row.identifiers.slice(0, 2).map((one, at) => <span key={`${one.type} ${one.value}`} style={{ flex: '0 1 auto', minWidth: 0, maxWidth: at === 0 && row.identifiers.length > 1 ? '60%' : '100%', display: 'inline-flex' }}><IdentifierMark type={one.type} value={one.value} /></span>)}
          {row.identifiers.length > 2 && <Tooltip title={row.identifiers.slice(2).map((one) => `${identifierName(one.type)} ${one.value}`).join(', ')}><span className="faint small">+{row.identifiers.length - 2}</span></Tooltip>}
        </span>
      ),
    },
    orders: { key: 'orders', title: t.orders, width: 76, align: 'right', render: (_, row) => (row.summary.withheld === true ? <span className="faint" title={t.withheld}>—</span> : <span className={row.summary.orders === 0 ? 'faint' : ''}>{row.summary.orders}</span>) },
    revenue: { key: 'revenue', title: t.revenue, width: 116, align: 'right', render: (_, row) => <Money minor={row.summary.revenue} currency={row.summary.currency} /> },
    lastSeen: { key: 'lastSeen', title: t.lastSeen, width: 110, render: (_, row) => <Time at={row.summary.last_seen_at} /> },
    created: { key: 'created', title: t.created, width: 110, render: (_, row) => <Time at={row.created_at} /> },
    segments: {
      key: 'segments', title: t.segments, width: 220,
      render: (_, row) => (
        <span className="row" style={{ gap: 4, width: 210, overflow: 'hidden' }}>
          {(row.segments ?? []).slice(0, 2).map((key) => <Link key={key} to={`/segments/${key}`} className="cut small" style={{ maxWidth: 96 }} title={segmentName(key)}>{segmentName(key)}</Link>)}
          {(row.segments ?? []).length > 2 && <Tooltip title={(row.segments ?? []).slice(2).map(segmentName).join(', ')}><span className="faint small">+{(row.segments ?? []).length - 2}</span></Tooltip>}
        </span>
      ),
    },
    oneId: { key: 'oneId', title: t.oneId, width: 176, render: (_, row) => <OneId id={row.one_id} /> },
  };
  const shown: TableColumnsType<Row> = [
    {
      key: 'customer', title: t.customer, fixed: 'left', width: 190,
      render: (_, row) => (
        <Link to={`/customers/${row.one_id}`} className="row" style={{ gap: 10, color: 'var(--ink)' }}>
          <Avatar name={row.name} seed={row.one_id} size={26} />
          <span className={`cut ${row.name === '' ? 'faint' : ''}`} style={{ fontWeight: row.name === '' ? 400 : 550 }}>{row.name === '' ? t.unnamed : row.name}</span>
        </Link>
      ),
    },
    ...columns.map((one): TableColumnsType<Row>[number] => (one.kind === 'base' ? all[one.key] : {
      key: writeColumn(one), title: <span title={writeColumn(one)}>{labelOf(one)}</span>, width: 140,
      render: (_, row) => {
        const value = valueOf(row, one);
        return value === undefined ? <span className="faint">{common.none}</span> : <span className="cut" style={{ display: 'block', maxWidth: 200 }}><TraitValue value={value} /></span>;
      },
    })),
  ];

  const exportSeen = (): void => saveBlob(new Blob([toCsv(tableOf(list.data?.items ?? [], columns))], { type: 'text/csv' }), 'customers.csv');
  const choose = (next: Column[]): void => {
    keep(storageKey, writeColumns(next));
    setFilters({ columns: writeColumns(next) });
  };

  /* Back through the history, which knows the cursors; opened in the middle, to the beginning. */
  const back = (): void => {
    const { idx = 0 } = (window.history.state ?? {}) as { idx?: number };
    if (idx > 0) void navigate(-1);
    else setFilters({ cursor: '', page: '1' });
  };
  const hasTrait = filters.trait !== '' && filters.value !== '';
  const isFiltered = rule !== '' || filters.query !== '' || filters.identifier !== '' || hasTrait;
  const asked = [filters.query, filters.identifier === '' ? '' : identifierName(filters.identifier), hasTrait ? `${wordFor(common.trait, filters.trait)} = ${filters.value}` : ''].filter((part) => part !== '').join(' · ');
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="filters">
        <ViewMenu page="customers" />
        {rule === '' && (
          <>
            <Input
              allowClear prefix={<SearchOutlined />} style={{ width: 340, maxWidth: '100%' }} aria-label={t.search} placeholder={t.placeholder}
              value={typed} onChange={(event) => setTyped(event.target.value)} autoFocus
            />
            <Select
              aria-label={t.type} style={{ width: 140 }} value={filters.identifier} onChange={(identifier) => setFilters({ identifier, cursor: '', page: '1' })} showSearch={{ optionFilterProp: 'label' }}
              options={[{ value: '', label: t.anyType }, ...(types.data?.items ?? []).map((type) => ({ value: type.name, label: identifierName(type.name) }))]}
            />
            <TraitFilter
              names={(traits.data?.items ?? []).filter((trait) => !trait.personal).map((trait) => trait.name)} trait={filters.trait} value={filters.value}
              onChange={(trait, value) => setFilters({ trait, value, cursor: '', page: '1' })}
            />
          </>
        )}
        <RuleFilter rule={rule} onChange={(next) => { setTyped(''); setFilters({ rule: next, query: '', identifier: '', trait: '', value: '', cursor: '', page: '1' }, true); }} />
        {rule === '' && <span className="grow" />}
        <ColumnChooser
          columns={columns} label={labelOf} onChange={choose}
          traits={(traits.data?.items ?? []).map((one) => ({ key: one.name, name: wordFor(common.trait, one.name) }))} tags={tagsOfCustomers.map((one) => ({ key: one.key, name: nameOf(one), folder: one.folder }))}
        />
        <Tooltip title={common.action.exportSeen}><Button icon={<DownloadOutlined />} aria-label={common.action.exportSeen} onClick={exportSeen} disabled={(list.data?.items.length ?? 0) === 0} /></Tooltip>
      </div>
      <Panel flush>
        <Loaded
          query={list} skeleton={<Bones rows={12} />} isEmpty={(data) => data.items.length === 0}
          empty={
            isFiltered ? (
              <Empty title={t.emptyTitle} action={<Button onClick={() => { setTyped(''); setFilters({ query: '', identifier: '', trait: '', value: '', rule: '', cursor: '', page: '1' }); }}>{rule === '' ? t.clear : t.clearFilter}</Button>}>{rule === '' ? t.empty(asked) : t.emptyRule}</Empty>
            ) : (
              <Empty title={t.noneTitle} action={<Link to="/data/sources"><Button type="primary">{t.connect}</Button></Link>}>{t.none}</Empty>
            )
          }
        >
          {(data) => (
            <>
              {data.partial && <div className="notice warn" style={{ margin: '0 16px 8px' }}>{t.partial}</div>}
              <DataTable
                rowKey="one_id" columns={shown} dataSource={data.items} loading={list.isPlaceholderData}
                rowClassName="clickable"
                onRow={(row) => ({ onClick: (event) => { if (!(event.target as Element).closest('a,button')) void navigate(`/customers/${row.one_id}`); } })}
              />
              <div className="table-foot">
                <span className="faint small">{data.count === undefined ? '' : `${(data.partial ? t.about : t.ofAll)(shortCount(data.count, language))} · `}{t.count(data.items.length)} · {common.asOf(clockTime(data.as_of, language, zone))}</span>
                <span className="grow" />
                {page > 1 && <Button size="small" type="text" onClick={() => setFilters({ cursor: '', page: '1' }, true)}>{t.first}</Button>}
                <Button size="small" disabled={page <= 1} onClick={back}>{common.action.previous}</Button>
                <span className="tabular small">{page}</span>
                <Button size="small" disabled={data.next_cursor === null} onClick={() => setFilters({ cursor: data.next_cursor ?? '', page: String(page + 1) }, true)}>{common.action.next}</Button>
              </div>
            </>
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

interface TraitFilterProps { names: readonly string[]; trait: string; value: string; onChange: (trait: string, value: string) => void }

/* Which trait, and its value; asked for once the value is entered. */
function TraitFilter({ names, trait, value, onChange }: TraitFilterProps) {
  const t = useText(texts);
  const common = useText(words);
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <Space.Compact>
      <Select
        aria-label={t.trait} style={{ width: 130 }} value={trait} showSearch={{ optionFilterProp: 'label' }} onChange={(name: string) => onChange(name, name === '' ? '' : typed.trim())}
        options={[{ value: '', label: t.anyTrait }, ...names.map((name) => ({ value: name, label: wordFor(common.trait, name) }))]}
      />
      {trait !== '' && (
        <Input
          allowClear aria-label={t.traitValue} placeholder={t.traitValue} style={{ width: 130 }} value={typed}
          onChange={(event) => { setTyped(event.target.value); if (event.target.value === '') onChange(trait, ''); }}
          onPressEnter={() => onChange(trait, typed.trim())} onBlur={() => { if (typed.trim() !== value) onChange(trait, typed.trim()); }}
        />
      )}
    </Space.Compact>
  );
}
