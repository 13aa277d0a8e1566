/* SPDX-License-Identifier: Apache-2.0 */
/* ObjectsPage: products, stores, advisers and whatever else the brand has beside customers: by kind, searched, looked into; what a kind
 * has is defined here. Kind, search and the open definition are in the address.
 */
import { PlusOutlined } from '@ant-design/icons';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useEffect, useState, type ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { shortCount } from '@/lib/format';
import { useDebounced, useFilters } from '@/lib/hooks';
import { ActionButton, Chips, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { KindDrawer } from './KindDrawer';
import { ObjectDrawer } from './ObjectDrawer';
import { titleOf, type Kind, type ObjectEntry } from './objects';
import { objectTexts } from './texts';
import { useKinds, type Kinds } from './useKinds';
import { Value } from './Value';

const newKind = '+';
const columnsShown = 5;

export function ObjectsPage() {
  const t = useText(objectTexts);
  const language = useLanguage();
  const all = useKinds();
  const [filters, setFilters] = useFilters({ kind: '', query: '', define: '', create: '' });
  const noRight = useRightReason('object.change');
  const kinds = all.kinds ?? [];
  const kind = kinds.find((one) => one.kind === filters.kind) ?? kinds[0];
  const label = (one: Kind): string => `${all.word(one.kind)}${one.count === null ? '' : ` ${shortCount(one.count, language)}`}`;
  const actions = (
    <>
      {kind !== undefined && <ActionButton icon={<PlusOutlined />} reason={noRight} onClick={() => setFilters({ create: '1' })}>{t.newObject}</ActionButton>}
      <ActionButton type="primary" icon={<PlusOutlined />} reason={noRight} onClick={() => setFilters({ define: newKind })}>{t.newKind}</ActionButton>
    </>
  );
  return (
    <Page title={t.title} purpose={t.purpose} actions={actions}>
      {all.kinds === undefined && (all.error === null ? <Panel><Bones rows={8} /></Panel> : <Panel><Failure error={all.error} retry={all.retry} /></Panel>)}
      {all.kinds !== undefined && kind === undefined && <Panel><Empty title={t.emptyTitle} action={<Link to="/data/imports/new"><Button type="primary">{t.importButton}</Button></Link>}>{t.empty}</Empty></Panel>}
      {kind !== undefined && (
        <>
          <div className="filters">
            <Chips label={t.kind} value={kind.kind} onChange={(next) => setFilters({ kind: next, query: '' })} choices={kinds.map((one) => ({ value: one.kind, label: label(one) }))} />
          </div>
          <div className="filters">
            <Search value={filters.query} onChange={(query) => setFilters({ query })} />
            <Button onClick={() => setFilters({ define: kind.kind })}>{t.define}{kind.isDescribed ? '' : ` · ${t.undescribed}`}</Button>
            {kind.description !== '' && <span className="soft grow">{kind.description}</span>}
          </div>
          <Objects key={kind.kind} kind={kind} query={filters.query} all={all} />
        </>
      )}
      <KindDrawer asked={filters.define === '' || all.kinds === undefined ? null : filters.define} all={all} onClose={() => setFilters({ define: '' })} onMade={(made) => setFilters({ define: '', kind: made, query: '' })} onGone={() => setFilters({ define: '', kind: '', query: '' })} />
      {kind !== undefined && <ObjectDrawer open={filters.create === '1'} kind={kind} word={all.word(kind.kind)} object={null} onClose={() => setFilters({ create: '' })} />}
    </Page>
  );
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useText(objectTexts);
  const [typed, setTyped] = useState(value);
  const settled = useDebounced(typed.trim(), 300);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => { if (settled !== value) onChange(settled); }, [settled]);
  return <Input allowClear style={{ width: 260 }} aria-label={t.search} placeholder={t.search} value={typed} onChange={(event) => setTyped(event.target.value)} />;
}

/* The first fields as columns; of a kind that nobody described, what came. */
function columnsOf(kind: Kind, all: Kinds): { key: string; title: ReactNode; align?: 'right'; render: (_: unknown, row: ObjectEntry) => ReactNode }[] {
  return kind.fields.slice(0, columnsShown).map((field) => ({
    key: `field-${field.name}`, title: field.label === '' ? <span className="mono">{field.name}</span> : field.label, ...(field.type === 'number' || field.type === 'money' ? { align: 'right' as const } : {}),
    render: (_, row) => <span className="cut" style={{ display: 'block', maxWidth: 260 }}><Value value={row.props[field.name as never]} field={field} word={all.word} isShort /></span>,
  }));
}

function Objects({ kind, query, all }: { kind: Kind; query: string; all: Kinds }) {
  const t = useText(objectTexts);
  const navigate = useNavigate();
  const list = useInfiniteQuery({ ...queries.objects(kind.kind, query), placeholderData: (before) => before });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const to = (row: ObjectEntry): string => `/data/objects/${encodeURIComponent(row.kind)}/${encodeURIComponent(row.id)}`;
  return (
    <Panel flush>
      {list.isPending && <Bones rows={8} />}
      {list.isError && items.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (query === '' ? <Empty title={t.noObjects} action={<Link to="/data/imports/new"><Button>{t.importButton}</Button></Link>}>{t.noObjectsHint}</Empty> : <Empty title={t.noneTitle}>{t.none}</Empty>)}
      {items.length > 0 && (
        <DataTable<ObjectEntry>
          rowKey="id" dataSource={items} rowClassName="clickable" onRow={(row) => ({ onClick: (event) => { if (!(event.target as Element).closest('a,button')) void navigate(to(row)); } })}
          columns={[
            { key: 'id', title: t.id, fixed: 'left', render: (_, row) => <Link to={to(row)} className="mono cut" style={{ display: 'block', maxWidth: 200 }} title={titleOf(row)}>{row.id}</Link> },
            ...columnsOf(kind, all),
            ...(kind.fields.length === 0 ? [{ key: 'content', title: t.content, render: (_: unknown, row: ObjectEntry) => <span className="mono faint cut" style={{ display: 'block', maxWidth: 620 }}>{JSON.stringify(row.props)}</span> }] : []),
            { key: 'changed', title: t.changed, width: 130, render: (_, row) => <Time at={row.updated_at} /> },
          ]}
        />
      )}
      {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t.more}</Button></div>}
    </Panel>
  );
}
