/* SPDX-License-Identifier: Apache-2.0 */
/* PrivacyPage: what persons asked for, with the day on which it is due; which traits are sensitive; who was erased, with its receipt. View,
 * filter and the request that is open are in the address.
 */
import { PlusOutlined } from '@ant-design/icons';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Button, Select, Tooltip } from 'antd';
import { useSearchParams } from 'react-router';
import type { Schemas } from '@/api/client';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, Chips, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count, OneId, Pill, Time } from '@/ui/Marks';
import { Band, Figure, Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { NewRequest, RequestDrawer } from './RequestDrawer';
import { dueIn, requestKinds, requestTexts, tones } from './privacy';
import { adminQueries, type PersonRequest } from './queries';
import { Sensitive } from './Sensitive';
import './settings.css';

type Tab = 'requests' | 'sensitive' | 'erasures';

export function PrivacyPage() {
  const t = useText(requestTexts);
  const [{ tab }, setFilters] = useFilters({ tab: 'requests' });
  const [params, setParams] = useSearchParams();
  const noRight = useRightReason('privacy.create');
  const put = (name: 'request' | 'create', value: string | null): void => setParams((before) => {
    const after = new URLSearchParams(before);
    after.delete('request');
    for (const gone of ['create', 'customer', ...(before.has('create') ? ['kind'] : [])]) after.delete(gone);
    if (value !== null) after.set(name, value);
    return after;
  });
  const shown: Tab = tab === 'erasures' || tab === 'sensitive' ? tab : 'requests';
  const begun = params.get('kind');
  const begin = { customer: params.get('customer'), kind: requestKinds.find((kind) => kind === begun && params.has('create')) ?? 'access' };
  return (
    <Page title={t.title} purpose={t.purpose} actions={<ActionButton type="primary" icon={<PlusOutlined />} reason={noRight} onClick={() => put('create', '1')}>{t.create}</ActionButton>}>
      <TabBar<Tab> label={t.title} value={shown} tabs={(['requests', 'sensitive', 'erasures'] as const).map((key) => ({ key, label: t.tabs[key] }))} onChange={(next) => setFilters({ tab: next })}>
        {shown === 'requests' ? <Requests onOpen={(id) => put('request', id)} onCreate={() => put('create', '1')} noRight={noRight} /> : shown === 'sensitive' ? <Sensitive /> : <Erasures />}
      </TabBar>
      <RequestDrawer id={params.get('request')} onClose={() => put('request', null)} />
      <NewRequest key={`${begin.customer ?? ''} ${begin.kind}`} isOpen={params.get('create') === '1'} begin={begin} onClose={() => put('create', null)} onMade={(id) => put('request', id)} />
    </Page>
  );
}

export function Due({ request }: { request: PersonRequest }) {
  const t = useText(requestTexts);
  const { nowMs } = useClock();
  if (request.closed_at !== null) return <Time at={request.due_at} exact />;
  const days = dueIn(request.due_at, nowMs);
  return <span className="row" style={{ gap: 8 }}><Time at={request.due_at} exact /><Pill tone={request.overdue ? 'bad' : days <= 3 ? 'warn' : 'plain'}>{request.overdue ? t.overdue(Math.max(1, -days)) : t.dueIn(days)}</Pill></span>;
}

function Requests({ onOpen, onCreate, noRight }: { onOpen: (id: string) => void; onCreate: () => void; noRight: string | null }) {
  const t = useText(requestTexts);
  const common = useText(words);
  const [filters, setFilters] = useFilters({ state: 'open', kind: '' });
  const list = useInfiniteQuery(adminQueries.requests({ state: filters.state === 'all' ? '' : filters.state, kind: filters.kind }));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className="filters">
        <Chips label={t.state} value={filters.state} choices={(['open', 'overdue', 'closed', 'all'] as const).map((value) => ({ value: value as string, label: t.views[value] }))} onChange={(state) => setFilters({ state })} />
        <Select aria-label={t.kind} style={{ width: 180 }} value={filters.kind} onChange={(kind) => setFilters({ kind })} options={[{ value: '', label: t.allKinds }, ...requestKinds.map((value) => ({ value: value as string, label: t.kinds[value] }))]} />
      </div>
      <Panel flush>
        {list.isPending && <Bones rows={6} />}
        {list.isError && items.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isSuccess && items.length === 0 && <Empty title={filters.state === 'open' || filters.state === 'overdue' ? t.noneOpen : t.none} action={<ActionButton reason={noRight} onClick={onCreate}>{t.create}</ActionButton>}>{t.empty}</Empty>}
        {items.length > 0 && (
          <DataTable<PersonRequest>
            rowKey="id" dataSource={items} onRow={(row) => ({ className: 'clickable', onClick: () => onOpen(row.id) })}
            columns={[
              { key: 'id', title: t.number, width: 80, fixed: 'left', render: (_, row) => <button type="button" className="link-button mono" onClick={(event) => { event.stopPropagation(); onOpen(row.id); }}>{row.id}</button> },
              { key: 'kind', title: t.kind, render: (_, row) => t.kinds[row.kind] },
              { key: 'customer', title: t.customer, render: (_, row) => (row.one_id === null ? <span className="faint">{t.gone}</span> : <span onClick={(event) => event.stopPropagation()}><OneId id={row.one_id} link copy={false} /></span>) },
              { key: 'state', title: t.state, render: (_, row) => <Pill tone={tones[row.state]}>{t.states[row.state]}</Pill> },
              { key: 'due', title: t.due, render: (_, row) => <Due request={row} /> },
              { key: 'handler', title: t.handler, render: (_, row) => row.handler ?? <span className="faint">{t.nobody}</span> },
              { key: 'received', title: t.received, render: (_, row) => <Time at={row.received_at} /> },
            ]}
          />
        )}
        {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      </Panel>
    </>
  );
}

type Erasure = Schemas['Erasure'];

function Erasures() {
  const t = useText(requestTexts);
  const common = useText(words);
  const status = useQuery(adminQueries.privacy());
  const list = useInfiniteQuery(adminQueries.erasures());
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const receipt = (row: Erasure): [string, number][] => Object.entries(row.receipt as Record<string, unknown>).flatMap(([name, count]): [string, number][] => (typeof count === 'number' && count > 0 ? [[name, count]] : []));
  return (
    <div className="stack">
      <Loaded query={status} skeleton={<Bones rows={2} />}>
        {(data) => (
          <>
            {data.is_failing && <div className="notice bad" role="alert">{t.failing}</div>}
            <Band>
              <Figure label={t.erasing}><Count value={data.erasing} exact /></Figure>
              <Figure label={t.erased}><Count value={data.finished} exact /></Figure>
              <Figure label={t.tombstones} note={t.tombstonesNote}><Count value={data.tombstones} /></Figure>
              <Figure label={t.refused} note={t.refusedNote}><Count value={data.refused_events} /></Figure>
              <Figure label={t.log} note={t.logNote}>{data.log_is_clean ? t.clean : t.cleaning}</Figure>
            </Band>
          </>
        )}
      </Loaded>
      <Panel flush>
        {list.isPending && <Bones rows={4} />}
        {list.isError && items.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isSuccess && items.length === 0 && <Empty title={t.noErasures}>{t.noErasuresHelp}</Empty>}
        {items.length > 0 && (
          <DataTable<Erasure>
            rowKey="id" dataSource={items}
            columns={[
              { key: 'id', title: t.number, width: 80, fixed: 'left', render: (_, row) => <span className="mono">{row.id}</span> },
              { key: 'state', title: t.state, render: (_, row) => <Pill tone={row.state === 'finished' ? 'good' : 'accent'}>{row.state === 'finished' ? t.done : t.underWay}</Pill> },
              { key: 'asked', title: t.asked, render: (_, row) => <Time at={row.asked_at} exact /> },
              { key: 'finished', title: t.finishedAt, render: (_, row) => <Time at={row.finished_at} exact /> },
              { key: 'reason', title: t.reason, render: (_, row) => row.reason },
              {
                key: 'receipt', title: t.receipt, render: (_, row) => {
                  const parts = receipt(row);
                  return <Tooltip title={parts.map(([name, count]) => `${wordFor(t.receiptNames, name)} ${exactCount(count)}`).join(' · ')}><span className="small soft" tabIndex={0}>{parts.slice(0, 4).map(([name, count]) => `${wordFor(t.receiptNames, name)} ${exactCount(count)}`).join(' · ')}{parts.length > 4 && ' …'}</span></Tooltip>;
                },
              },
            ]}
          />
        )}
        {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      </Panel>
    </div>
  );
}
