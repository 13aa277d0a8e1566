/* SPDX-License-Identifier: Apache-2.0 */
/* Upkeep: up to when each source has told everything, and whatever takes long: imports, exports, erasures. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Progress } from 'antd';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { inOrder, isUnderWay, workOfExport, workOfImport, type Work, type WorkState } from '@/features/jobs/work';
import { exactCount } from '@/lib/format';
import { catalogue } from '@/lib/text';
import { DataTable } from '@/ui/DataTable';
import { Pill, Time, type Tone } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';
import { adminQueries } from './queries';

const texts = catalogue({
  zh: {
    source: '数据源', told: '说到哪里', last: '最近一条', today: '今天', state: '状态', never: '没有说过', fresh: '正常', quiet: (hours: number) => `${hours} 小时没有事件`, late: (hours: number) => `落后 ${hours} 小时`, off: '已停用', waiting: '还没有事件', noSources: '还没有数据源', noSourcesHelp: '建好数据源、收到事件之后，这里看得到每一路数据到了什么时候。', toSources: '去数据源',
    kind: { import: '导入', export: '导出' } as Record<string, string>, what: '任务', rows: '行数', at: '最近变化', noJobs: '还没有任务', noJobsHelp: '导入、导出、删除客户，会在这里看到进度和结果。', states: { waiting: '排队', moving: '进行中', paused: '已暂停', done: '完成', failed: '失败', ended: '已取消' } as Record<WorkState, string>, erasures: '删除客户', erasing: (count: string) => `${count} 个正在删除`, finished: (count: string) => `${count} 个已删完`, failing: '上一次没有做完，会自动再试', toPrivacy: '去隐私页', progress: '进度',
  },
  en: {
    source: 'Source', told: 'Has told until', last: 'Last event', today: 'Today', state: 'State', never: 'never said', fresh: 'well', quiet: (hours) => `silent for ${hours} h`, late: (hours) => `${hours} h behind`, off: 'switched off', waiting: 'no event yet', noSources: 'There are no sources yet', noSourcesHelp: 'Once events come, this shows up to when each source has told everything.', toSources: 'To the sources',
    kind: { import: 'Import', export: 'Export' }, what: 'Job', rows: 'Rows', at: 'Last change', noJobs: 'There are no jobs yet', noJobsHelp: 'Imports, exports and erasures show how far they are here.', states: { waiting: 'waiting', moving: 'under way', paused: 'paused', done: 'done', failed: 'failed', ended: 'cancelled' }, erasures: 'Erasures', erasing: (count) => `${count} under way`, finished: (count) => `${count} finished`, failing: 'The last try did not end; it is tried again', toPrivacy: 'To privacy', progress: 'progress',
  },
});

type Source = Schemas['Source'];
const hourMs = 3_600_000;
const lateHours = 24;

export function Freshness() {
  const t = useText(texts);
  const { nowMs } = useClock();
  const sources = useQuery({ ...queries.sources(), refetchInterval: 15_000 });
  const marks = useQuery({ ...queries.watermarks(), refetchInterval: 15_000 });
  const told = new Map((marks.data?.items ?? []).map((one) => [one.source, one.told_until]));
  const hours = (at: string): number => Math.floor((nowMs - Date.parse(at)) / hourMs);
  const state = (row: Source) => {
    const mark = told.get(row.key);
    if (row.disabled) return <Pill tone="plain">{t.off}</Pill>;
    if (row.last_event_at === null) return <Pill tone="plain">{t.waiting}</Pill>;
    if (mark !== undefined && hours(mark) >= lateHours) return <Pill tone="warn">{t.late(hours(mark))}</Pill>;
    if (hours(row.last_event_at) >= lateHours) return <Pill tone="warn">{t.quiet(hours(row.last_event_at))}</Pill>;
    return <Pill tone="good">{t.fresh}</Pill>;
  };
  return (
    <Panel flush>
      <Loaded query={sources} skeleton={<Bones rows={6} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.noSources} action={<Link to="/data/sources">{t.toSources}</Link>}>{t.noSourcesHelp}</Empty>}>
        {(data) => (
          <DataTable<Source>
            rowKey="key" dataSource={[...data.items]}
            columns={[
              { key: 'source', title: t.source, fixed: 'left', render: (_, row) => <Link to={`/data/sources/${encodeURIComponent(row.key)}`}>{row.name === '' ? row.key : row.name}</Link> },
              { key: 'state', title: t.state, render: (_, row) => state(row) },
              { key: 'last', title: t.last, render: (_, row) => <Time at={row.last_event_at} /> },
              { key: 'told', title: t.told, render: (_, row) => (told.has(row.key) ? <Time at={told.get(row.key) ?? null} exact /> : <span className="faint">{t.never}</span>) },
              { key: 'today', title: t.today, align: 'right', render: (_, row) => <span className="tabular">{exactCount(row.events_today)}</span> },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

const tones: Readonly<Record<WorkState, Tone>> = { waiting: 'plain', moving: 'accent', paused: 'warn', done: 'good', failed: 'bad', ended: 'plain' };

export function LongWork() {
  const t = useText(texts);
  const imports = useQuery({ queryKey: ['imports', 'work'], queryFn: ({ signal }) => api.get('/imports', { query: { limit: 100 }, signal }), refetchInterval: 3_000 });
  const exports = useQuery({ ...queries.exports(), enabled: useMay('export.see'), refetchInterval: 3_000 });
  const failed = imports.data === undefined ? imports.error : null;
  const works = inOrder([...(imports.data?.items ?? []).map(workOfImport), ...(exports.data?.items ?? []).map(workOfExport)]);
  return (
    <div className="stack">
      <Erasures />
      <Panel flush>
        {failed !== null ? <Failure error={failed} retry={() => void imports.refetch()} /> : imports.data === undefined ? <Bones rows={5} /> : works.length === 0 ? <Empty title={t.noJobs}>{t.noJobsHelp}</Empty> : (
          <DataTable<Work>
            rowKey="key" dataSource={works} pagination={works.length > 50 ? { pageSize: 50, size: 'small' } : false}
            columns={[
              { key: 'what', title: t.what, fixed: 'left', render: (_, row) => <span className="row" style={{ gap: 8 }}><span className="small faint">{t.kind[row.kind]}</span><Link to={row.to} className="cut" style={{ maxWidth: 320 }}>{row.name}</Link></span> },
              { key: 'state', title: t.state, width: 240, render: (_, row) => <span className="row"><Pill tone={tones[row.state]}>{t.states[row.state]}</Pill>{isUnderWay(row) && <Progress style={{ width: 120 }} percent={Math.floor((row.share ?? 0) * 100)} size="small" strokeColor="var(--accent)" aria-label={`${row.name} ${t.progress}`} />}<span className="small faint cut" title={row.reason}>{row.reason}</span></span> },
              { key: 'rows', title: t.rows, align: 'right', render: (_, row) => <span className="tabular">{exactCount(row.rows)}</span> },
              { key: 'at', title: t.at, render: (_, row) => <Time at={row.at} /> },
            ]}
          />
        )}
      </Panel>
    </div>
  );
}

function Erasures() {
  const t = useText(texts);
  const may = useMay('privacy.see');
  const privacy = useQuery({ ...adminQueries.privacy(), enabled: may });
  const erasures = useInfiniteQuery({ ...adminQueries.erasures(), enabled: may });
  if (privacy.data === undefined || (erasures.data?.pages[0]?.items.length ?? 0) === 0) return null;
  return (
    <Panel title={t.erasures} tools={<Link to="/settings/privacy?tab=erasures" className="small">{t.toPrivacy}</Link>}>
      <span className="row wrap"><Pill tone={privacy.data.erasing > 0 ? 'accent' : 'plain'}>{t.erasing(exactCount(privacy.data.erasing))}</Pill><Pill tone="good">{t.finished(exactCount(privacy.data.finished))}</Pill>{privacy.data.is_failing && <Pill tone="bad">{t.failing}</Pill>}</span>
    </Panel>
  );
}
