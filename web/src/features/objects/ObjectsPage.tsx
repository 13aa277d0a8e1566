/* SPDX-License-Identifier: Apache-2.0 */
/* ObjectsPage: products, stores, advisers and whatever else the brand has beside customers: by kind, searched, looked into. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Button, Drawer, Input } from 'antd';
import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useDebounced, useFilters, useLasting } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { Chips } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Json } from '@/ui/Json';
import { Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';

const texts = catalogue({
  zh: {
    title: '对象', purpose: '客户之外的人和物：商品、门店、导购、社群……。事件里的编号指向它们，人群条件可以穿过它们。', kind: '种类', search: '搜索编号或内容', id: '编号', content: '内容', changed: '更新时间', open: '查看',
    emptyTitle: '还没有对象', empty: '从文件导入商品或门店资料，或由 SDK 的 item_set、group 事件带来。', importButton: '导入文件', noneTitle: '没有找到', none: '这个种类里没有符合的对象。',
    kinds: { product: '商品', store: '门店', adviser: '导购', group: '社群', creative: '素材', car: '车', child: '孩子', order: '订单', shop: '店铺', brand: '品牌' },
  },
  en: {
    title: 'Objects', purpose: 'What there is beside customers: products, stores, advisers, groups … Events point at them by id, and conditions of segments go through them.', kind: 'Kind', search: 'Search id or content', id: 'Id', content: 'Content', changed: 'Changed', open: 'Look',
    emptyTitle: 'There are no objects yet', empty: 'Import products or stores from a file; item_set and group events of SDKs bring them too.', importButton: 'Import a file', noneTitle: 'Nothing found', none: 'No object of this kind fits.',
    kinds: { product: 'Products', store: 'Stores', adviser: 'Advisers', group: 'Groups', creative: 'Creatives', car: 'Cars', child: 'Children', order: 'Orders', shop: 'Shops', brand: 'Brands' },
  },
});

export function ObjectsPage() {
  const t = useText(texts);
  const kinds = useQuery(queries.objectKinds());
  const [filters, setFilters] = useFilters({ kind: '', query: '' });
  const names = (kinds.data?.items ?? []).map((one) => one.kind);
  const kind = names.includes(filters.kind) ? filters.kind : names[0] ?? '';
  return (
    <Page title={t.title} purpose={t.purpose}>
      <Loaded
        query={kinds} skeleton={<Panel><Bones rows={8} /></Panel>} isEmpty={(data) => data.items.length === 0}
        empty={<Panel><Empty title={t.emptyTitle} action={<Link to="/data/imports/new"><Button type="primary">{t.importButton}</Button></Link>}>{t.empty}</Empty></Panel>}
      >
        {() => (
          <>
            <div className="filters">
              <Chips label={t.kind} value={kind} onChange={(next) => setFilters({ kind: next, query: '' })} choices={names.map((name) => ({ value: name, label: wordFor(t.kinds, name) }))} />
              <Search value={filters.query} onChange={(query) => setFilters({ query })} />
            </div>
            <Objects key={kind} kind={kind} query={filters.query} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useText(texts);
  const [typed, setTyped] = useState(value);
  const settled = useDebounced(typed.trim(), 300);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => { if (settled !== value) onChange(settled); }, [settled]);
  return <Input allowClear style={{ width: 260 }} aria-label={t.search} placeholder={t.search} value={typed} onChange={(event) => setTyped(event.target.value)} />;
}

type ObjectEntry = Schemas['Object'];

function Objects({ kind, query }: { kind: string; query: string }) {
  const t = useText(texts);
  const common = useText(words);
  const list = useInfiniteQuery(queries.objects(kind, query));
  const [opened, setOpened] = useState<ObjectEntry | null>(null);
  const shown = useLasting(opened);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel flush>
      {list.isPending && <Bones rows={8} />}
      {list.isError && items.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && <Empty title={t.noneTitle}>{t.none}</Empty>}
      {items.length > 0 && (
        <DataTable<ObjectEntry>
          rowKey="id" dataSource={items} rowClassName="clickable" onRow={(row) => ({ onClick: () => setOpened(row) })}
          columns={[
            { key: 'id', title: t.id, width: 220, render: (_, row) => <button type="button" className="link-button mono" onClick={() => setOpened(row)}>{row.id}</button> },
            { key: 'content', title: t.content, render: (_, row) => <span className="mono faint cut" style={{ display: 'block', maxWidth: 720 }}>{JSON.stringify(row.props)}</span> },
            { key: 'changed', title: t.changed, width: 130, render: (_, row) => <Time at={row.updated_at} /> },
          ]}
        />
      )}
      {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      <Drawer open={opened !== null} onClose={() => setOpened(null)} size={520} title={<span className="mono">{shown?.id}</span>}>
        {shown !== null && <Json value={shown.props} />}
      </Drawer>
    </Panel>
  );
}
