/* SPDX-License-Identifier: Apache-2.0 */
/* JobPage: one import: how far it is, what it brought, what was refused and why; pause, go on, cancel, undo. */
import { ArrowLeftOutlined, DownloadOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { Link, useParams } from 'react-router';
import { addressOf, api } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { bytes } from '@/lib/format';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { Count, Time } from '@/ui/Marks';
import { Band, Figure, Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { isMoving, JobProgress, StatusPill, type Job } from './JobStatus';
import { importTexts } from './texts';

export function JobPage() {
  const t = useText(importTexts);
  const id = Number(useParams()['id']);
  const job = useQuery({ ...queries.job(id), refetchInterval: (query) => (query.state.data !== undefined && isMoving(query.state.data) ? 700 : 10_000) });
  const back = <Link to="/data/imports"><ArrowLeftOutlined /> {t.job.back}</Link>;
  if (job.data === undefined) {
    return <Page title={t.title} purpose={back}><Panel>{job.isError ? <Failure error={job.error} retry={() => void job.refetch()} /> : <Bones rows={6} inset={0} />}</Panel></Page>;
  }
  const data = job.data;
  return (
    <Page title={data.name || data.file || t.untitled} purpose={back} actions={<Actions job={data} />}>
      <div className="stack">
        <Panel title={t.job.progress} tools={<StatusPill job={data} />}>
          <JobProgress job={data} />
          {data.reason !== '' && <div className={`notice ${data.status === 'failed' ? 'bad' : 'warn'}`} role="alert" style={{ marginTop: 8 }}>{data.reason}</div>}
        </Panel>
        <Brought job={data} />
        <About job={data} />
      </div>
    </Page>
  );
}

type Act = 'pause' | 'resume' | 'cancel' | 'undo';

function Actions({ job }: { job: Job }) {
  const t = useText(importTexts).job;
  const [noJob, noImport] = [useRightReason('job.change'), useRightReason('import.change')];
  const client = useQueryClient();
  const notice = useProblemNotice();
  const { modal } = App.useApp();
  const path = { id: job.id };
  const act = useMutation({
    mutationFn: (what: Act) => {
      if (what === 'pause') return api.post('/jobs/{id}/pause', { path });
      if (what === 'resume') return api.post('/jobs/{id}/resume', { path });
      return what === 'cancel' ? api.post('/jobs/{id}/cancel', { path }) : api.post('/imports/{id}/undo', { path });
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['imports'] });
      void client.invalidateQueries({ queryKey: ['customers'] });
    },
    onError: notice,
  });
  const ask = (what: 'cancel' | 'undo'): void => {
    modal.confirm({
      title: what === 'cancel' ? t.cancelTitle : t.undoTitle, content: what === 'cancel' ? t.cancelText : t.undoText,
      okText: what === 'cancel' ? t.cancelButton : t.undoButton, cancelText: t.keep, okButtonProps: { danger: true }, onOk: () => act.mutateAsync(what).catch(() => undefined),
    });
  };
  const canPause = job.status === 'running' || job.status === 'waiting';
  const canResume = job.status === 'paused' || job.status === 'failed';
  return (
    <div className="row">
      {canPause && <ActionButton reason={noJob} loading={act.isPending} onClick={() => act.mutate('pause')}>{t.pause}</ActionButton>}
      {canResume && <ActionButton type="primary" reason={noJob} loading={act.isPending} onClick={() => act.mutate('resume')}>{t.resume}</ActionButton>}
      {(canPause || canResume) && <ActionButton danger reason={noJob} onClick={() => ask('cancel')}>{t.cancel}</ActionButton>}
      {job.status === 'finished' && <ActionButton danger reason={noImport} onClick={() => ask('undo')}>{t.undo}</ActionButton>}
    </div>
  );
}

function Brought({ job }: { job: Job }) {
  const t = useText(importTexts);
  const { counts } = job;
  const noRole = useRightReason('import.create');
  return (
    <Panel
      title={t.job.brought}
      tools={counts.refused > 0 && (
        <ActionButton size="small" icon={<DownloadOutlined />} reason={noRole} href={addressOf('/jobs/{id}/refused', { path: { id: job.id } })} download={`refused-${job.id}.csv`}>{t.job.download}</ActionButton>
      )}
    >
      <Band>
        <Figure label={t.rows}><Count value={counts.rows} exact /></Figure>
        <Figure label={t.job.applied}><Count value={counts.withheld === true ? counts.events : counts.applied} exact /></Figure>
        <Figure label={t.customers}>{counts.withheld === true ? <span className="faint" title={t.job.withheld}>—</span> : <Count value={counts.customers} exact />}</Figure>
        <Figure label={t.job.merges}>{counts.withheld === true ? <span className="faint" title={t.job.withheld}>—</span> : <Count value={counts.merges} exact />}</Figure>
        <Figure label={t.job.duplicates}><Count value={counts.duplicates} exact /></Figure>
        <Figure label={t.job.replaced}><Count value={counts.replaced} exact /></Figure>
        <Figure label={t.job.quarantined}>{counts.withheld === true ? <span className="faint" title={t.job.withheld}>—</span> : <Count value={counts.quarantined} exact />}</Figure>
        <Figure label={t.job.refusedRows}><Count value={counts.refused} exact /></Figure>
      </Band>
    </Panel>
  );
}

function About({ job }: { job: Job }) {
  const t = useText(importTexts);
  return (
    <Panel title={t.job.about}>
      <dl className="facts">
        {job.file !== null && !job.file.startsWith('upload:') && <><dt>{t.file}</dt><dd className="mono">{job.file}</dd></>}
        <dt>{t.job.size}</dt><dd>{job.size_bytes === null ? '—' : bytes(job.size_bytes)}</dd>
        <dt>{t.dataSet}</dt><dd className="mono">{job.data_set}</dd>
        {job.mapping_key !== null && job.mapping_key !== '' && <><dt>{t.job.mapping}</dt><dd className="mono">{job.mapping_key}{job.mapping_version !== null && ` · ${job.mapping_version}`}</dd></>}
        {job.told_until !== null && job.told_until !== '' && <><dt>{t.job.toldUntil}</dt><dd><Time at={job.told_until} exact /></dd></>}
        <dt>{t.job.created}</dt><dd><Time at={job.created_at} exact seconds /></dd>
        <dt>{t.job.sha}</dt><dd className="mono cut">{job.sha256}</dd>
      </dl>
      {job.mapping !== null && <details style={{ marginTop: 12 }}><summary className="small">{t.job.mapping}</summary><Json value={job.mapping} height={320} /></details>}
    </Panel>
  );
}
