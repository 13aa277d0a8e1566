/* SPDX-License-Identifier: Apache-2.0 */
/* KeysPage: the keys that seal personal data: which one seals, how old each is, a rotation with how far sealing anew is, and the end of keys
 * that nothing here needs any more.
 */
import { CheckOutlined, LoadingOutlined, SyncOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Checkbox, Modal } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { exactCount } from '@/lib/format';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Pill, QuietHead, Time, type Tone } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { madeAt, phases, removable, rowsOf, stepOf, type KeyRow, type Phase, type SealingJob, type SealingKeys } from './keys';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '加密密钥', purpose: '手机号、姓名这类个人信息进门就加密。这里更换加密用的密钥，销毁不再用的旧密钥。',
    versions: '密钥版本', note: '更换密钥不停机；查人、OneID 都不受影响。', number: '版本', nameOf: (number: number) => `密钥 ${number}`, state: '状态', states: { seals: '正在使用', retired: '只用来解旧数据', removed: '已销毁' } as Record<string, string>,
    since: '启用', until: '停用', first: '建库时', unknown: '早于操作记录', still: '至今', need: '还有数据用它', needed: '有', free: '没有了', none: '—',
    rotate: '更换密钥', rotateTitle: (number: number) => `换成密钥 ${number}？`, rotateText: '从现在起新来的数据用新密钥；已有的由后台任务逐步重新加密，期间收数、查询照常。', rotateOld: '旧密钥先留着：以前的备份恢复时要用它。', begun: '已更换，正在重新加密旧数据', busy: '上一次更换还没做完', most: (most: number) => `最多 ${most} 个版本，已经用完`,
    job: '重新加密', running: '进行中', finished: '已完成', pass: (pass: number) => `第 ${pass} 遍`, passHelp: '最后一遍找不到旧密钥的数据才算完成', steps: { ledger: '账本', log: '日志', warehouse: '数据仓库', files: '文件' }, units: { ledger: '行', log: '条记录', warehouse: '处文本', files: '个文件' }, redone: (count: string, unit: string) => `已重新加密 ${count} ${unit}`, waits: '等待：', began: '开始', ended: '完成', table: (table: string) => `正在处理 ${table}`,
    remove: '销毁', removeTitle: (number: number) => (number === 1 ? '销毁密钥 1？' : `销毁密钥 1 到 ${number}？`), removeText: '服务器下次启动后不再用它解密，找不回来。这里的数据都已不用它。', removeBackups: '更换之前的备份，要配上当时的 keys 文件才能恢复：', agree: '我已把旧的 keys 文件和那些备份放在一起，或不再需要那些备份', removed: '已销毁，下次启动后生效', stillNeeded: '还有数据用它，等重新加密完成', sealsNow: '正在使用', audit: '操作记录',
  },
  en: {
    title: 'Sealing keys', purpose: 'What names a person is sealed as it comes in. Here the key is changed, and old ones that nothing needs are ended.',
    versions: 'Versions', note: 'A change stops nothing; look-ups and OneIDs stay as they are.', number: 'Version', nameOf: (number) => `Key ${number}`, state: 'State', states: { seals: 'seals', retired: 'opens older data', removed: 'ended' },
    since: 'Since', until: 'Until', first: 'the first day', unknown: 'before the audit', still: 'now', need: 'Needed here', needed: 'yes', free: 'no more', none: '—',
    rotate: 'Change the key', rotateTitle: (number) => `Change to key ${number}?`, rotateText: 'What comes from now on is sealed by the new key; a job seals anew what there is, while events come in and questions are answered.', rotateOld: 'The old key is kept for now: backups taken before need it when they are restored.', begun: 'Changed; what there is is being sealed anew', busy: 'The last change is not finished yet', most: (most) => `All ${most} versions are used`,
    job: 'Sealing anew', running: 'running', finished: 'finished', pass: (pass) => `pass ${pass}`, passHelp: 'It is finished when a pass finds nothing of an older key', steps: { ledger: 'Ledger', log: 'Log', warehouse: 'Warehouse', files: 'Files' }, units: { ledger: 'rows', log: 'records', warehouse: 'texts', files: 'files' }, redone: (count, unit) => `${count} ${unit} sealed anew`, waits: 'It waits:', began: 'Begun', ended: 'Finished', table: (table) => `it is at ${table}`,
    remove: 'End', removeTitle: (number) => (number === 1 ? 'End key 1?' : `End keys 1 to ${number}?`), removeText: 'From the next start of the server on it opens nothing any more, and cannot be brought back. Nothing here is sealed by it.', removeBackups: 'Backups from before the change can be restored only with the keys file of that time:', agree: 'The old keys file is kept with those backups, or they are not needed', removed: 'Ended, from the next start on', stillNeeded: 'Something here needs it until sealing anew is finished', sealsNow: 'It seals', audit: 'Audit',
  },
});

const keysQuery = () => ({
  queryKey: ['keys'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => api.get('/keys', { signal }),
  refetchInterval: (query: { state: { data?: SealingKeys | undefined } }) => (query.state.data?.job?.state === 'running' ? 1_500 : false as const),
});

/* When each was made, as far back as the audit goes; nothing for who may not read it. */
function useMade(newest: number | undefined): ReadonlyMap<number, string> {
  const sees = useMay('audit.see');
  const audit = useQuery({
    queryKey: ['audit', 'keys', newest], enabled: sees && newest !== undefined,
    queryFn: ({ signal }) => api.get('/audit', { query: { action: 'keys.rotate', limit: 100 }, signal }),
  });
  return madeAt(audit.data?.items ?? []);
}

export function KeysPage() {
  const t = useText(texts);
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('system.administer');
  const keys = useQuery(keysQuery());
  const made = useMade(keys.data?.newest);
  const [going, setGoing] = useState<number | null>(null);
  const took = (answer: SealingKeys): void => {
    client.setQueryData(['keys'], answer);
    void client.invalidateQueries({ queryKey: ['audit'] });
  };
  const rotate = useMutation({
    mutationFn: (newest: number) => api.post('/keys/rotate', { body: { newest } }),
    onSuccess: (answer) => {
      took(answer);
      void message.success(t.begun);
    },
    onError: notice,
  });
  const newest = keys.data?.newest ?? 1;
  const busy = keys.data?.job?.state === 'running' ? t.busy : keys.data !== undefined && newest >= keys.data.keys_max ? t.most(keys.data.keys_max) : null;
  const ask = (): void => void modal.confirm({
    title: t.rotateTitle(newest + 1), okText: t.rotate, width: 480, content: <div className="stack" style={{ gap: 8 }}><p>{t.rotateText}</p><p className="soft">{t.rotateOld}</p></div>,
    onOk: () => rotate.mutateAsync(newest).catch(() => undefined),
  });
  return (
    <Page title={t.title} purpose={t.purpose} actions={<ActionButton type="primary" icon={<SyncOutlined />} reason={noRight ?? busy} loading={rotate.isPending} onClick={ask}>{t.rotate}</ActionButton>}>
      <Loaded query={keys} skeleton={<Panel><Bones rows={4} inset={0} /></Panel>}>
        {(data) => (
          <div className="stack">
            {data.job !== undefined && <Job job={data.job} />}
            <Versions rows={rowsOf(data, made)} noRight={noRight} onRemove={setGoing} />
          </div>
        )}
      </Loaded>
      <Removal number={going} onClose={() => setGoing(null)} onDone={took} />
    </Page>
  );
}

function Job({ job }: { job: SealingJob }) {
  const t = useText(texts);
  const isRunning = job.state === 'running';
  return (
    <Panel title={t.job} note={<>{t.nameOf(job.key)}{isRunning && job.pass !== undefined && <> · {t.pass(job.pass)} · {t.passHelp}</>}</>} tools={<Pill tone={isRunning ? 'info' : 'good'}>{isRunning ? t.running : t.finished}</Pill>}>
      <ol className="steps key-steps">{phases.map((phase) => <Step key={phase} job={job} phase={phase} />)}</ol>
      {job.waits_for !== undefined && <p className="notice warn" role="status" style={{ marginTop: 12 }}><span><strong>{t.waits}</strong> {job.waits_for}</span></p>}
      <p className="small faint" style={{ marginTop: 12 }} role="status">
        {job.began_at !== undefined && <>{t.began} <Time at={job.began_at} exact /></>}
        {job.finished_at !== undefined && <> · {t.ended} <Time at={job.finished_at} exact /></>}
        {job.table !== undefined && <> · {t.table(job.table)}</>}
      </p>
    </Panel>
  );
}

function Step({ job, phase }: { job: SealingJob; phase: Phase }) {
  const t = useText(texts);
  const step = stepOf(job, phase);
  return (
    <li data-step={step}>
      <strong className="row" style={{ gap: 6 }}>{t.steps[phase]}{step === 'done' ? <CheckOutlined aria-label={t.finished} /> : step === 'at' ? <LoadingOutlined aria-label={t.running} /> : null}</strong>
      <span className="small soft">{t.redone(exactCount(job.sealed_anew[phase]), t.units[phase])}</span>
    </li>
  );
}

const tones: Readonly<Record<KeyRow['state'], Tone>> = { seals: 'good', retired: 'plain', removed: 'plain' };

function Versions({ rows, noRight, onRemove }: { rows: KeyRow[]; noRight: string | null; onRemove: (number: number) => void }) {
  const t = useText(texts);
  const most = removable(rows);
  const moment = (at: string | null, otherwise: string) => (at === null ? <span className="faint">{otherwise}</span> : <Time at={at} exact />);
  return (
    <Panel flush title={t.versions} note={t.note} tools={useMay('audit.see') && <Link className="small" to="/settings/audit?action=keys.">{t.audit}</Link>}>
      <DataTable<KeyRow>
        rowKey="number" dataSource={rows}
        columns={[
          { key: 'number', title: t.number, width: 120, render: (_, row) => <strong style={{ fontWeight: 600 }}>{t.nameOf(row.number)}</strong> },
          { key: 'state', title: t.state, width: 160, render: (_, row) => <Pill tone={tones[row.state]}>{wordFor(t.states, row.state)}</Pill> },
          { key: 'since', title: t.since, width: 190, render: (_, row) => moment(row.since, row.number === 1 ? t.first : t.unknown) },
          { key: 'until', title: t.until, width: 190, render: (_, row) => (row.state === 'seals' ? <span className="faint">{t.still}</span> : moment(row.until, t.unknown)) },
          { key: 'needed', title: t.need, render: (_, row) => (row.state === 'removed' ? <span className="faint">{t.none}</span> : row.needed ? t.needed : <span className="faint">{t.free}</span>) },
          {
            key: 'remove', title: <QuietHead>{t.remove}</QuietHead>, width: 100, align: 'right',
            render: (_, row) => row.state === 'retired' && <ActionButton size="small" type="text" danger aria-label={`${t.remove} ${t.nameOf(row.number)}`} reason={noRight ?? (most === null || row.number > most ? t.stillNeeded : null)} onClick={() => onRemove(row.number)}>{t.remove}</ActionButton>,
          },
        ]}
      />
    </Panel>
  );
}

function Removal({ number, onClose, onDone }: { number: number | null; onClose: () => void; onDone: (keys: SealingKeys) => void }) {
  const t = useText(texts);
  const common = useText(words);
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [isAgreed, setAgreed] = useState(false);
  const remove = useMutation({
    mutationFn: (asked: number) => api.delete('/keys/{number}', { path: { number: asked } }),
    onSuccess: (answer) => {
      onDone(answer);
      void message.success(t.removed);
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal
      open={number !== null} title={t.removeTitle(number ?? 1)} onCancel={onClose} afterOpenChange={(isOpen) => isOpen || setAgreed(false)} confirmLoading={remove.isPending} cancelText={common.action.cancel} okText={t.remove} okButtonProps={{ danger: true, disabled: !isAgreed }}
      onOk={() => number !== null && remove.mutate(number)}
    >
      <div className="stack" style={{ gap: 10 }}>
        <p>{t.removeText}</p>
        <p>{t.removeBackups}</p>
        <Checkbox checked={isAgreed} onChange={(event) => setAgreed(event.target.checked)}>{t.agree}</Checkbox>
      </div>
    </Modal>
  );
}
