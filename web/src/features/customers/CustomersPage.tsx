/* SPDX-License-Identifier: Apache-2.0 */
/* CustomersPage: find a customer by any identifier, the last four digits of a phone, OneID or name. */
import { DownloadOutlined, SearchOutlined, SettingOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Checkbox, Input, Popover, Select, Space, Tooltip, type TableColumnsType } from 'antd';
import { useEffect, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { keep, kept, useLanguage, useText } from '@/app/preferences';
import { saveBlob, toCsv } from '@/lib/files';
import { clockTime } from '@/lib/format';
import { useDebounced, useFilters } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { Avatar, IdentifierMark, Money, OneId, Time, useIdentifierName } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';

const texts = catalogue({
  zh: {
    title: '全部客户',
    purpose: '任何一个标识都能找到人：手机号、尾号四位、会员卡、订单号、OpenID、姓名。',
    search: '搜索客户',
    placeholder: '手机号、尾号四位、姓名、OneID 或任一标识',
    type: '持有的标识',
    anyType: '不限标识',
    trait: '属性',
    anyTrait: '不限属性',
    traitValue: '取值，回车确认',
    customer: '客户',
    identifiers: '标识',
    orders: '订单',
    revenue: '净消费',
    lastSeen: '最近活跃',
    created: '首次认识',
    oneId: 'OneID',
    unnamed: '未具名客户',
    count: (count: number) => `本页 ${count} 位`,
    emptyTitle: '没有找到客户',
    empty: (query: string) => `没有哪位客户的标识、OneID 或姓名与「${query}」相符。标识要完整（手机号可以只输后四位），姓名可以只输开头。`,
    noneTitle: '还没有客户',
    none: '客户从事件里来。接好一个数据源，第一条带标识的事件就会带来第一位客户。',
    connect: '去接数据源',
    clear: '清除搜索',
    first: '回到第一页',
    partial: '扫描到时间上限就停了，只列出已找到的；请把搜索条件写得更具体，或翻到下一页继续。',
  },
  en: {
    title: 'All customers',
    purpose: 'Any identifier finds the person: phone, its last four digits, member card, order number, OpenID, name.',
    search: 'Search customers',
    placeholder: 'Phone, last four digits, name, OneID or any identifier',
    type: 'Identifier held',
    anyType: 'Any identifier',
    trait: 'Trait',
    anyTrait: 'Any trait',
    traitValue: 'Value, then Enter',
    customer: 'Customer',
    identifiers: 'Identifiers',
    orders: 'Orders',
    revenue: 'Net spend',
    lastSeen: 'Last seen',
    created: 'First known',
    oneId: 'OneID',
    unnamed: 'Unnamed customer',
    count: (count) => `${count} on this page`,
    emptyTitle: 'No customer found',
    empty: (query) => `No customer has an identifier, OneID or name that fits "${query}". Identifiers must be complete (of a phone the last four digits will do); of a name the beginning is enough.`,
    noneTitle: 'There are no customers yet',
    none: 'Customers come from events. Connect a source: the first event with an identifier brings the first customer.',
    connect: 'Connect a source',
    clear: 'Clear the search',
    first: 'Back to the first page',
    partial: 'The scan stopped at its time limit and shows what it found; make the search narrower, or go on to the next page.',
  },
});

type Row = Schemas['CustomerEntry'];
const columnKeys = ['identifiers', 'orders', 'revenue', 'lastSeen', 'created', 'oneId'] as const;
type ColumnKey = (typeof columnKeys)[number];
const storageKey = 'kith.customers.columns';

function firstColumns(): ColumnKey[] {
  const chosen = kept(storageKey)?.split(' ');
  return chosen === undefined ? columnKeys.filter((key) => key !== 'created') : columnKeys.filter((key) => chosen.includes(key));
}

export function CustomersPage() {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const identifierName = useIdentifierName();
  const { zone } = useClock();
  const navigate = useNavigate();
  const [filters, setFilters] = useFilters({ query: '', identifier: '', trait: '', value: '', cursor: '', page: '1' });
  const [typed, setTyped] = useState(filters.query);
  const settled = useDebounced(typed, 300);
  const [columns, setColumns] = useState(firstColumns);

  useEffect(() => {
    if (settled.trim() !== filters.query) setFilters({ query: settled.trim(), cursor: '', page: '1' });
    // the address changes only by typing; following it back here would fight with the keyboard
  }, [settled]);
  useEffect(() => setTyped(filters.query), [filters.query]);

  const list = useQuery({
    ...queries.customers({ query: filters.query, identifierType: filters.identifier, trait: filters.trait, value: filters.value, cursor: filters.cursor, limit: 50 }),
    placeholderData: keepPreviousData,
  });
  const types = useQuery(queries.identityTypes());
  const traits = useQuery(queries.traitTypes());
  const page = Number(filters.page);

  const all: Record<ColumnKey, TableColumnsType<Row>[number]> = {
    identifiers: {
      key: 'identifiers', title: t.identifiers, width: 330,
      render: (_, row) => (
        <span className="row" style={{ gap: 4, overflow: 'hidden', width: 330 }}>
          {row.identifiers.slice(0, 2).map((one, at) => <span key={`${one.type} ${one.value}`} style={{ flex: at === 0 ? 'none' : '0 1 auto', minWidth: 0, maxWidth: at === 0 ? '100%' : undefined, display: 'inline-flex' }}><IdentifierMark type={one.type} value={one.value} /></span>)}
          {row.identifiers.length > 2 && <Tooltip title={row.identifiers.slice(2).map((one) => `${identifierName(one.type)} ${one.value}`).join(', ')}><span className="faint small">+{row.identifiers.length - 2}</span></Tooltip>}
        </span>
      ),
    },
    orders: { key: 'orders', title: t.orders, width: 76, align: 'right', render: (_, row) => <span className={row.summary.orders === 0 ? 'faint' : ''}>{row.summary.orders}</span> },
    revenue: { key: 'revenue', title: t.revenue, width: 116, align: 'right', render: (_, row) => <Money minor={row.summary.revenue} currency={row.summary.currency} /> },
    lastSeen: { key: 'lastSeen', title: t.lastSeen, width: 110, render: (_, row) => <Time at={row.summary.last_seen_at} /> },
    created: { key: 'created', title: t.created, width: 110, render: (_, row) => <Time at={row.created_at} /> },
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
    ...columns.map((key) => all[key]),
  ];

  const exportSeen = (): void => {
    const rows = (list.data?.items ?? []).map((row) => [
      row.one_id, row.name, ...['mobile', 'member_card', 'wx_unionid'].map((type) => row.identifiers.find((one) => one.type === type)?.value ?? ''),
      row.summary.orders, row.summary.revenue, row.summary.currency, row.summary.last_seen_at ?? '', row.created_at,
    ]);
    const head = ['one_id', 'name', 'mobile', 'member_card', 'wx_unionid', 'orders', 'revenue_minor', 'currency', 'last_seen_at', 'created_at'];
    saveBlob(new Blob([toCsv([head, ...rows])], { type: 'text/csv' }), 'customers.csv');
  };
  const choose = (key: ColumnKey, isShown: boolean): void => {
    const next = columnKeys.filter((one) => (one === key ? isShown : columns.includes(one)));
    keep(storageKey, next.join(' '));
    setColumns(next);
  };

  /* Back through the history, which knows the cursors; opened in the middle, to the beginning. */
  const back = (): void => {
    const { idx = 0 } = (window.history.state ?? {}) as { idx?: number };
    if (idx > 0) void navigate(-1);
    else setFilters({ cursor: '', page: '1' });
  };
  const hasTrait = filters.trait !== '' && filters.value !== '';
  const isFiltered = filters.query !== '' || filters.identifier !== '' || hasTrait;
  const asked = [filters.query, filters.identifier === '' ? '' : identifierName(filters.identifier), hasTrait ? `${wordFor(common.trait, filters.trait)} = ${filters.value}` : ''].filter((part) => part !== '').join(' · ');
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="filters">
        <Input
          allowClear prefix={<SearchOutlined />} style={{ width: 380, maxWidth: '100%' }} aria-label={t.search} placeholder={t.placeholder}
          value={typed} onChange={(event) => setTyped(event.target.value)} autoFocus
        />
        <Select
          aria-label={t.type} style={{ width: 170 }} value={filters.identifier} onChange={(identifier) => setFilters({ identifier, cursor: '', page: '1' })}
          options={[{ value: '', label: t.anyType }, ...(types.data?.items ?? []).map((type) => ({ value: type.name, label: identifierName(type.name) }))]}
        />
        <TraitFilter
          names={(traits.data?.items ?? []).filter((trait) => !trait.personal).map((trait) => trait.name)} trait={filters.trait} value={filters.value}
          onChange={(trait, value) => setFilters({ trait, value, cursor: '', page: '1' })}
        />
        <span className="grow" />
        <Popover
          trigger="click" placement="bottomRight"
          content={<div className="stack" style={{ gap: 6 }}>{columnKeys.map((key) => <Checkbox key={key} checked={columns.includes(key)} onChange={(event) => choose(key, event.target.checked)}>{t[key]}</Checkbox>)}</div>}
        >
          <Button icon={<SettingOutlined />}>{common.action.columns}</Button>
        </Popover>
        <Button icon={<DownloadOutlined />} onClick={exportSeen} disabled={(list.data?.items.length ?? 0) === 0}>{common.action.exportSeen}</Button>
      </div>
      <Panel flush>
        <Loaded
          query={list} skeleton={<Bones rows={12} />} isEmpty={(data) => data.items.length === 0}
          empty={
            isFiltered ? (
              <Empty title={t.emptyTitle} action={<Button onClick={() => { setTyped(''); setFilters({ query: '', identifier: '', trait: '', value: '', cursor: '', page: '1' }); }}>{t.clear}</Button>}>{t.empty(asked)}</Empty>
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
                <span className="faint small">{t.count(data.items.length)} · {common.asOf(clockTime(data.as_of, language, zone))}</span>
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
