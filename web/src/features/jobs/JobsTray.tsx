/* SPDX-License-Identifier: Apache-2.0 */
/* JobsTray: in the bar above, what takes long: how far it is, how long it will take, and a way to cancel it. Leaving a page ends nothing. */
import { LoadingOutlined, ScheduleOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Badge, Button, Popover, Progress, Tooltip } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useSession } from '@/app/session';
import { exactCount } from '@/lib/format';
import { may } from '@/lib/permissions';
import { catalogue } from '@/lib/text';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Pill, Time, type Tone } from '@/ui/Marks';
import { inOrder, isUnderWay, workOfExport, workOfImport, type Work, type WorkState } from './work';

const texts = catalogue({
  zh: {
    title: '任务进度', count: (count: number) => (count === 0 ? '任务进度' : `任务进度，${count} 个进行中`), nothing: '没有进行中的导入或导出。', nothingHint: '上传文件、导出名单时，进度会显示在这里，离开页面也不会中断。',
    kind: { import: '导入', export: '导出' }, states: { waiting: '排队', moving: '进行中', paused: '已暂停', done: '完成', failed: '失败', ended: '已取消' } as Record<WorkState, string>,
    rows: (rows: string) => `${rows} 行`, rate: (rate: string) => `${rate} 行/秒`, left: (minutes: string) => `还要约 ${minutes}`, minutes: (n: number) => `${n} 分钟`, seconds: (n: number) => `${n} 秒`, cancel: '取消', cancelOf: (name: string) => `取消 ${name}`, download: '下载', all: '全部导入', progress: '进度',
  },
  en: {
    title: 'Jobs', count: (count) => (count === 0 ? 'Jobs' : `Jobs, ${count} under way`), nothing: 'No import or export is under way.', nothingHint: 'Uploads and exports show how far they are here, and go on when you leave the page.',
    kind: { import: 'Import', export: 'Export' }, states: { waiting: 'Waiting', moving: 'Under way', paused: 'Paused', done: 'Done', failed: 'Failed', ended: 'Cancelled' } as Record<WorkState, string>,
    rows: (rows) => `${rows} rows`, rate: (rate) => `${rate} a second`, left: (minutes) => `about ${minutes} left`, minutes: (n) => `${n} min`, seconds: (n) => `${n} s`, cancel: 'Cancel', cancelOf: (name) => `Cancel ${name}`, download: 'Download', all: 'All imports', progress: 'progress',
  },
});

const tones: Readonly<Record<WorkState, Tone>> = { waiting: 'plain', moving: 'accent', paused: 'warn', done: 'good', failed: 'bad', ended: 'plain' };
const shown = 8;
const movingMs = 1_500;
const quietMs = 20_000;

function useWorks(): readonly Work[] {
  const { user } = useSession();
  const imports = useQuery({
    enabled: may(user.permissions, 'import.see') && user.team === null,
    queryKey: ['imports', 'tray'], queryFn: ({ signal }) => api.get('/imports', { query: { limit: shown }, signal }),
    refetchInterval: (query) => (query.state.data?.items.some((job) => isUnderWay(workOfImport(job))) === true ? movingMs : quietMs),
  });
  const exports = useQuery({ ...queries.exports(), refetchInterval: (query) => (query.state.data?.items.some((one) => one.state === 'running') === true ? movingMs : quietMs) });
  return inOrder([...(imports.data?.items ?? []).map(workOfImport), ...(exports.data?.items ?? []).map(workOfExport)]);
}

export function JobsTray() {
  const t = useText(texts);
  const [isOpen, setOpen] = useState(false);
  const works = useWorks();
  const moving = works.filter(isUnderWay).length;
  return (
    <Popover trigger="click" placement="bottomRight" open={isOpen} onOpenChange={setOpen} content={<section aria-label={t.title} className="tray"><h2>{t.title}</h2><Works works={works.slice(0, shown)} onGo={() => setOpen(false)} /></section>}>
      <Badge count={moving} size="small" offset={[-6, 8]} color="var(--accent)">
        <Button type="text" icon={moving > 0 ? <LoadingOutlined /> : <ScheduleOutlined />} aria-label={t.count(moving)} />
      </Badge>
    </Popover>
  );
}

function Works({ works, onGo }: { works: readonly Work[]; onGo: () => void }) {
  const t = useText(texts);
  if (works.length === 0) return <p className="soft">{t.nothing}<br /><span className="small faint">{t.nothingHint}</span></p>;
  return (
    <>
      <ul>{works.map((work) => <li key={work.key} className="tray-row"><One work={work} onGo={onGo} /></li>)}</ul>
      <Link to="/data/imports" className="small" onClick={onGo}>{t.all}</Link>
    </>
  );
}

function One({ work, onGo }: { work: Work; onGo: () => void }) {
  const t = useText(texts);
  const noRole = useRightReason(work.kind === 'import' ? 'job.change' : 'export.change');
  const client = useQueryClient();
  const notice = useProblemNotice();
  const cancel = useMutation({
    mutationFn: (): Promise<unknown> => (work.kind === 'import' ? api.post('/jobs/{id}/cancel', { path: { id: Number(work.id) } }) : api.delete('/exports/{id}', { path: { id: work.id } })),
    onSettled: () => void client.invalidateQueries({ queryKey: [work.kind === 'import' ? 'imports' : 'exports'] }),
    onError: notice,
  });
  const left = work.secondsLeft === null ? '' : t.left(work.secondsLeft < 90 ? t.seconds(work.secondsLeft) : t.minutes(Math.round(work.secondsLeft / 60)));
  const said = [t.rows(exactCount(work.rows)), work.rowsPerSecond === null || !isUnderWay(work) ? '' : t.rate(exactCount(work.rowsPerSecond)), isUnderWay(work) ? left : ''].filter((part) => part !== '').join(' · ');
  return (
    <>
      <span className="row between">
        <Link to={work.to} className="cut" onClick={onGo}>{t.kind[work.kind]} {work.name}</Link>
        <Tooltip title={work.reason}><span><Pill tone={tones[work.state]}>{t.states[work.state]}</Pill></span></Tooltip>
      </span>
      {isUnderWay(work) && <Progress percent={Math.floor((work.share ?? 0) * 100)} size="small" status="active" strokeColor="var(--accent)" aria-label={`${work.name} ${t.progress}`} />}
      <span className="row between small faint">
        <span className="tabular">{said}</span>
        {isUnderWay(work) ? <ActionButton size="small" type="text" danger reason={noRole} loading={cancel.isPending} aria-label={t.cancelOf(work.name)} onClick={() => cancel.mutate()}>{t.cancel}</ActionButton>
          : work.file !== null ? <a href={work.file} download>{t.download}</a> : <Time at={work.at} />}
      </span>
    </>
  );
}
