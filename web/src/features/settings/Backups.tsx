/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: the points of the backup folder, how far the running one is, and taking one while everything goes on. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Progress } from 'antd';
import { api, ApiProblem, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { bytes, exactCount } from '@/lib/format';
import { catalogue } from '@/lib/text';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { adminQueries } from './queries';

const texts = catalogue({
  zh: {
    title: '备份点', take: '现在备份', folder: (folder: string) => `放在 ${folder}`, number: '编号', taken: '时间', until: '包含到', size: '大小', fresh: '其中新写的', files: '文件', version: '版本', running: '正在备份', phases: { holding: '停住写点', ledger: '账本', log: '日志', files: '文件', warehouse: '数据仓库', finishing: '收尾' }, read: (size: string) => `已读 ${size}`, lastProblem: '上一次没有备成：',
    emptyTitle: '还没有备份', empty: '备份时一切照常，不用停机。之后的备份只写有变化的部分。', noneTitle: '没有设置备份', none: '启动服务器时用 --backups 指定备份放在哪个目录，这里就能备份和查看。',
  },
  en: {
    title: 'Points', take: 'Take one now', folder: (folder) => `in ${folder}`, number: 'Number', taken: 'Taken', until: 'Has everything until', size: 'Size', fresh: 'newly written', files: 'Files', version: 'Version', running: 'One is being taken', phases: { holding: 'holding', ledger: 'ledger', log: 'log', files: 'files', warehouse: 'warehouse', finishing: 'finishing' }, read: (size) => `${size} read`, lastProblem: 'The last one failed:',
    emptyTitle: 'There is no backup yet', empty: 'It is taken while everything goes on. Later ones write only what has changed.', noneTitle: 'No backups are set up', none: 'Start the server with --backups and a folder; then they are taken and seen here.',
  },
});

type Point = Schemas['BackupPoint'];

export function Backups() {
  const t = useText(texts);
  const client = useQueryClient();
  const notice = useProblemNotice();
  const noRight = useRightReason('backup.create');
  const backups = useQuery(adminQueries.backups());
  const take = useMutation({ mutationFn: () => api.post('/backups'), onSuccess: () => void client.invalidateQueries({ queryKey: ['backups'] }), onError: notice });
  if (backups.data === undefined) {
    if (backups.error instanceof ApiProblem && (backups.error.status === 503 || backups.error.status === 404)) return <Panel><Empty title={t.noneTitle}>{t.none}</Empty></Panel>;
    return <Panel>{backups.isError ? <Failure error={backups.error} retry={() => void backups.refetch()} /> : <Bones rows={4} inset={0} />}</Panel>;
  }
  const { running, points, folder, last_problem: problem } = backups.data;
  const button = <ActionButton size="small" type="primary" reason={noRight} loading={take.isPending || running !== null} onClick={() => take.mutate()}>{t.take}</ActionButton>;
  return (
    <div className="stack">
      {problem !== null && <div className="notice bad" role="alert"><span><strong>{t.lastProblem}</strong> {problem}</span></div>}
      {running !== null && <Panel title={t.running} note={<><Time at={running.started_at} /> · {t.phases[running.phase]} · {t.read(bytes(running.bytes_read))}</>}><Progress percent={99.9} status="active" showInfo={false} strokeColor="var(--accent)" aria-label={t.running} /></Panel>}
      <Panel title={t.title} note={t.folder(folder)} flush tools={points.length > 0 && button}>
        {points.length === 0 ? <Empty title={t.emptyTitle} action={button}>{t.empty}</Empty> : (
          <DataTable<Point>
            rowKey="number" dataSource={[...points]} pagination={points.length > 50 ? { pageSize: 50, size: 'small' } : false}
            columns={[
              { key: 'number', title: t.number, width: 90, align: 'right', render: (_, row) => row.number },
              { key: 'taken', title: t.taken, render: (_, row) => <Time at={row.taken_at} exact seconds /> },
              { key: 'until', title: t.until, render: (_, row) => <Time at={row.until} exact seconds /> },
              { key: 'size', title: t.size, align: 'right', render: (_, row) => bytes(row.bytes) },
              { key: 'fresh', title: t.fresh, align: 'right', render: (_, row) => bytes(row.new_bytes) },
              { key: 'files', title: t.files, align: 'right', render: (_, row) => exactCount(row.file_count) },
              { key: 'version', title: t.version, render: (_, row) => row.version },
            ]}
          />
        )}
      </Panel>
    </div>
  );
}
