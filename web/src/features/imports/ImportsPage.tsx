/* SPDX-License-Identifier: Apache-2.0 */
/* ImportsPage: all imports, newest first, and the way to a new one. */
import { PlusOutlined } from '@ant-design/icons';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { Link, useNavigate } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { words } from '@/lib/words';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count, Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { isMoving, StatusPill, type Job } from './JobStatus';
import { importTexts } from './texts';

export function ImportsPage() {
  const t = useText(importTexts);
  const common = useText(words);
  const navigate = useNavigate();
  const noRole = useRightReason('import.create');
  const list = useInfiniteQuery({
    ...queries.imports(),
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.items.some(isMoving)) === true ? 1_500 : 15_000),
  });
  const jobs = list.data?.pages.flatMap((page) => page.items) ?? [];
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRole} onClick={() => void navigate('/data/imports/new')}>{t.create}</ActionButton>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <Panel flush>
        {list.isPending && <Bones rows={6} />}
        {list.isError && jobs.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isSuccess && jobs.length === 0 && <Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}
        {jobs.length > 0 && (
          <DataTable<Job>
            rowKey="id" dataSource={jobs} rowClassName="clickable"
            onRow={(row) => ({ onClick: (event) => { if (!(event.target as Element).closest('a,button')) void navigate(`/data/imports/${row.id}`); } })}
            columns={[
              { key: 'name', title: t.name, fixed: 'left', render: (_, row) => <Link to={`/data/imports/${row.id}`} style={{ fontWeight: 600 }}>{row.name || row.file || t.untitled}</Link> },
              { key: 'dataSet', title: t.dataSet, render: (_, row) => <span className="mono faint">{row.data_set ?? ''}</span> },
              { key: 'status', title: t.status, width: 100, render: (_, row) => <StatusPill job={row} /> },
              { key: 'rows', title: t.rows, align: 'right', width: 110, render: (_, row) => <Count value={Math.max(row.counts.rows, row.progress.rows)} exact /> },
              { key: 'events', title: t.events, align: 'right', width: 110, render: (_, row) => <Count value={row.counts.withheld === true ? row.counts.events : row.counts.applied} exact /> },
              { key: 'refused', title: t.refused, align: 'right', width: 90, render: (_, row) => <span className={row.counts.refused > 0 ? 'negative' : 'faint'}><Count value={row.counts.refused} exact /></span> },
              { key: 'customers', title: t.customers, align: 'right', width: 100, render: (_, row) => (row.counts.withheld === true ? <span className="faint" title={t.job.withheld}>—</span> : <Count value={row.counts.customers} exact />) },
              { key: 'changed', title: t.changed, width: 120, render: (_, row) => <Time at={row.changed_at} /> },
            ]}
          />
        )}
        {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      </Panel>
    </Page>
  );
}
