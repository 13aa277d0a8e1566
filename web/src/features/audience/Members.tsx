/* SPDX-License-Identifier: Apache-2.0 */
/* Members: who is in it, now or as of a moment, page by page, and all of them as a file. */
import { DownloadOutlined } from '@ant-design/icons';
import { useInfiniteQuery, useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, DatePicker, Progress, Select } from 'antd';
import dayjs from 'dayjs';
import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { queries, type AudienceKind } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { dateTime, exactCount } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { words } from '@/lib/words';
import { DataTable } from '@/ui/DataTable';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Avatar, Count, IdentifierMark, Money, OneId, QuietHead, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bone, Bones, Empty, Failure } from '@/ui/States';
import type { Definition } from './audience';
import { audienceTexts } from './texts';

interface MembersProps {
  kind: AudienceKind;
  definition: Definition;
  onWhy: (oneId: string) => void;
}

interface Row {
  id: string;
  at: number;
}

export function Members({ kind, definition, onWhy }: MembersProps) {
  const t = useText(audienceTexts);
  const common = useText(words);
  const [filters, setFilters] = useFilters({ value: '', at: '' });
  const list = useInfiniteQuery(queries.members(kind, definition.key, filters));
  const ids = list.data?.pages.flatMap((page) => page.items) ?? [];
  const isPeople = definition.on === 'customer';
  const people = useQueries({ queries: isPeople ? ids.map((id) => ({ ...queries.customer(id), staleTime: 60_000 })) : [] });
  const rows: Row[] = ids.map((id, at) => ({ id, at }));
  const of = (row: Row) => people[row.at]?.data;
  return (
    <Panel flush>
      <div className="filters" style={{ padding: '10px 16px 0', margin: 0 }}>
        <AsOf at={filters.at} onChange={(at) => setFilters({ at })} />
        {(definition.sizes?.length ?? 0) > 0 && (
          <Select
            aria-label={t.value} value={filters.value} style={{ minWidth: 140 }} onChange={(value: string) => setFilters({ value })} showSearch={{ optionFilterProp: 'label' }}
            options={[{ value: '', label: t.anyValue }, ...(definition.sizes ?? []).map((one) => ({ value: one.value, label: `${one.value} · ${exactCount(one.count)}` }))]}
          />
        )}
        <span className="grow" />
        <Export kind={kind} definition={definition} filters={filters} />
      </div>
      <div style={{ paddingTop: 8 }}>
        {list.isPending && <Bones rows={8} />}
        {list.isError && ids.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isSuccess && ids.length === 0 && <Empty title={filters.at === '' ? t.noMembers : t.noMembersAt}>{t.noMembersText}</Empty>}
        {rows.length > 0 && !isPeople && <ObjectRows ids={ids} on={definition.on} />}
        {rows.length > 0 && isPeople && (
          <DataTable<Row>
            rowKey="id" dataSource={rows}
            columns={[
              {
                key: 'who', title: t.customer, fixed: 'left', width: 190,
                render: (_, row) => {
                  const name = of(row)?.name ?? '';
                  return <Link to={`/customers/${row.id}`} className="row" style={{ gap: 8 }}><Avatar name={name} seed={row.id} size={24} />{of(row) === undefined ? <><Bone width={90} /><span className="hidden-text">{row.id}</span></> : <span className={name === '' ? 'faint cut' : 'cut'}>{name === '' ? t.unnamed : name}</span>}</Link>;
                },
              },
              { key: 'id', title: 'OneID', width: 160, render: (_, row) => <OneId id={row.id} copy={false} /> },
              { key: 'identifiers', title: t.identifiers, width: 220, render: (_, row) => <span className="row" style={{ gap: 4 }}>{of(row)?.identifiers.slice(0, 1).map((one) => <IdentifierMark key={one.row} type={one.type} value={one.value} verified={one.verified} />)}</span> },
              { key: 'orders', title: t.orders, width: 72, align: 'right', render: (_, row) => { const one = of(row); return one === undefined ? <Bone width={24} /> : <Count value={one.summary.orders} />; } },
              { key: 'revenue', title: t.revenue, width: 112, align: 'right', render: (_, row) => { const one = of(row); return one === undefined ? <Bone width={48} /> : <Money minor={one.summary.revenue} currency={one.summary.currency} />; } },
              { key: 'seen', title: t.lastSeen, width: 110, render: (_, row) => <Time at={of(row)?.summary.last_seen_at ?? null} /> },
              { key: 'why', title: <QuietHead>{t.why}</QuietHead>, width: 76, align: 'right', render: (_, row) => <Button size="small" type="link" onClick={() => onWhy(row.id)}>{t.why}</Button> },
            ]}
          />
        )}
        {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      </div>
    </Panel>
  );
}

/* Of a list of stores, products …: their ids, each with a way to it. */
function ObjectRows({ ids, on }: { ids: readonly string[]; on: string }) {
  return <DataTable<{ id: string }> rowKey="id" dataSource={ids.map((id) => ({ id }))} columns={[{ key: 'id', title: on, render: (_, row) => <Link className="mono" to={`/data/objects?kind=${encodeURIComponent(on)}&query=${encodeURIComponent(row.id)}`}>{row.id}</Link> }]} />;
}

function AsOf({ at, onChange }: { at: string; onChange: (at: string) => void }) {
  const t = useText(audienceTexts);
  const { zone, nowMs } = useClock();
  /* the picker speaks the browser's zone, the server the workspace's: what is shown is the moment's own wall clock */
  const shown = at === '' ? null : dayjs(dateTime(at, 'en', zone, true));
  return (
    <DatePicker
      aria-label={t.asOf} showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" placeholder={`${t.asOf}: ${t.now}`} title={t.asOfHint} style={{ width: 190 }} value={shown}
      disabledDate={(day) => day.valueOf() > nowMs} onChange={(next) => onChange(next === null ? '' : momentIn(next.format('YYYY-MM-DDTHH:mm:00'), zone))}
    />
  );
}

/* The moment at which the clock of the zone shows this. */
export function momentIn(wall: string, zone: string): string {
  const asUtc = Date.parse(`${wall}Z`);
  let at = asUtc;
  for (let round = 0; round < 2; round += 1) at = asUtc - (Date.parse(`${dateTime(at, 'en', zone, true).replace(' ', 'T')}Z`) - Math.floor(at / 1_000) * 1_000);
  return new Date(at).toISOString();
}

/* A file of all of them, written by the server: it goes on while one is elsewhere, can be cancelled, and is fetched when it is done. */
function Export({ kind, definition, filters }: { kind: AudienceKind; definition: Definition; filters: { value: string; at: string } }) {
  const t = useText(audienceTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noExport = useRightReason('customer.export');
  const noSight = useRightReason('export.see');
  const noRole = noExport ?? noSight;
  const [mine, setMine] = useState<string | null>(null);
  const list = useQuery({ ...queries.exports(), enabled: noSight === null });
  const job = list.data?.items.find((one) => (mine === null ? one.state === 'running' && one.key === definition.key && one.kind === (kind === 'tags' ? 'tag' : 'segment') : one.id === mine));
  const isRunning = job?.state === 'running';
  const again = (): void => void client.invalidateQueries({ queryKey: ['exports'] });
  const begin = useMutation({
    mutationFn: () => {
      const options = { path: { key: definition.key }, body: { format: 'csv' as const, columns: columnsOf(kind, definition), ...(filters.value === '' ? {} : { value: filters.value }) } };
      return kind === 'segments' ? api.post('/segments/{key}/exports', options) : api.post('/tags/{key}/exports', options);
    },
    onSuccess: (made) => {
      setMine(made.id);
      again();
    },
    onError: notice,
  });
  const cancel = useMutation({ mutationFn: (id: string) => api.delete('/exports/{id}', { path: { id } }), onSettled: again, onError: notice });
  const state = job?.state;
  useEffect(() => {
    if (mine === null || job === undefined) return;
    if (state === 'done') {
      void message.success(t.exported(exactCount(job.rows)));
      location.assign(`/api/v1/exports/${job.id}/file`);
      setMine(null);
    } else if (state === 'failed' || state === 'cancelled') {
      if (state === 'failed') void message.error(job.reason);
      setMine(null);
    }
  }, [mine, state]);
  if (isRunning) {
    return (
      <span className="row" role="status">
        <Progress type="circle" size={20} percent={job.total === 0 ? 0 : Math.round((job.rows / job.total) * 100)} showInfo={false} aria-label={t.exportCsv} />
        <span className="small soft tabular">{t.exporting(exactCount(job.rows), exactCount(job.total))}</span>
        <Button size="small" onClick={() => cancel.mutate(job.id)}>{t.exportCancel}</Button>
      </span>
    );
  }
  const why = noRole ?? (filters.at === '' ? null : t.exportNow);
  return <ActionButton icon={<DownloadOutlined />} reason={why} loading={begin.isPending || mine !== null} onClick={() => begin.mutate()}>{t.exportCsv}</ActionButton>;
}

function columnsOf(kind: AudienceKind, definition: Definition): string[] {
  const own = kind === 'tags' ? [`tag:${definition.key}`] : [];
  return definition.on === 'customer' ? ['one_id', ...own] : ['id', ...own];
}
