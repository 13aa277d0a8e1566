/* SPDX-License-Identifier: Apache-2.0 */
/* RetentionPage: how long each kind of data is kept; what would go is counted before anything goes. Below, counts of few people. */
import { DeleteOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, AutoComplete, Button, InputNumber, Progress } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { Term } from '@/help/Term';
import { exactCount } from '@/lib/format';
import { catalogue, wordFor } from '@/lib/text';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Count, Pill, Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { adminQueries } from './queries';
import { draftOf, isSame, policyOf, tooShort, total, type Draft, type Kind, type Retention } from './retention';

const texts = catalogue({
  zh: {
    title: '数据保留', purpose: '各类数据留多少天。过期的由任务每天删掉；改之前先试算会删多少。', kind: '数据', keep: '保留', days: '天', forever: '永久', standard: (days: string) => `默认 ${days}`, least: (days: number) => `至少 ${days} 天`, would: '会删', zero: '0 是永久保留，空着用默认',
    kinds: { log: '原始日志', quarantine: '隔离区里的事件', events: '事件历史', visitors: '从未表明身份的访客', touches: '触达记录', exports: '导出的文件', uploads: '上传的文件', audit: '操作记录' } as Record<string, string>,
    ofType: '单独规定', addType: '事件名', add: '加一种事件', removeType: (type: string) => `${type} 不再单独规定`, daysOf: (what: string) => `${what} 保留天数`,
    dryRun: '试算', save: '保存', saved: '已保存，下次任务按它执行', run: '现在执行', runTitle: '现在就删？', runText: (count: string) => `按已保存的期限，会删掉 ${count} 条。删掉的找不回来，人群和统计会随之更新。`, runButton: '删掉', keepAll: '不删', started: '已开始', nothing: '没有改动', unsaved: '先保存', short: (kind: string) => `${kind}：低于最少天数`, tryFirst: '先试算', none: '按这些期限，没有要删的。',
    asOf: '试算时间', last: '最近一次', running: '进行中', finished: '已完成', at: '正在处理', noRun: '还没有执行过', jobs: '任务', byType: '其中事件',
    cells: '小人数', cellsText: '没有「查看小人数数字」权限的人，看到的人数向下取整到它的倍数；0 为不取整。', cellsLabel: '取整到',
  },
  en: {
    title: 'Retention', purpose: 'For how many days each kind of data is kept. A job removes the rest each day; what would go can be counted first.', kind: 'Data', keep: 'Kept', days: 'days', forever: 'for ever', standard: (days) => `default ${days}`, least: (days) => `at least ${days} days`, would: 'Would go', zero: '0 keeps for ever; empty is the default',
    kinds: { log: 'Raw log', quarantine: 'Events in quarantine', events: 'History of events', visitors: 'Visitors who never said who they are', touches: 'Touches', exports: 'Exported files', uploads: 'Uploaded files', audit: 'Audit' },
    ofType: 'With days of its own', addType: 'Name of an event', add: 'Add an event', removeType: (type) => `no days of its own for ${type}`, daysOf: (what) => `days that ${what} is kept`,
    dryRun: 'Count', save: 'Save', saved: 'Saved; the next run goes by it', run: 'Run now', runTitle: 'Remove now?', runText: (count) => `By the saved policy ${count} would go. They cannot be brought back; segments and figures follow.`, runButton: 'Remove', keepAll: 'Keep', started: 'Begun', nothing: 'Nothing is changed', unsaved: 'Save first', short: (kind) => `${kind}: fewer days than it may have`, tryFirst: 'Count first', none: 'By these days nothing would go.',
    asOf: 'counted', last: 'The last run', running: 'running', finished: 'finished', at: 'it is at', noRun: 'None yet', jobs: 'Jobs', byType: 'of events',
    cells: 'Small cells', cellsText: 'Who has no right to see small counts gets counts of people rounded down to a multiple of this; 0 rounds nothing.', cellsLabel: 'Rounded to',
  },
});

const smallCells = 'access.small_cells';
type Trial = Schemas['RetentionTrial'];

const retentionQuery = () => ({
  queryKey: ['retention'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => api.get('/retention', { signal }),
  refetchInterval: (query: { state: { data?: Retention | undefined } }) => (query.state.data?.last_run?.state === 'running' ? 1_500 : false as const),
});

export function RetentionPage() {
  const t = useText(texts);
  const retention = useQuery(retentionQuery());
  const seesSettings = useMay('setting.see');
  return (
    <Page title={t.title} purpose={t.purpose}>
      <Loaded query={retention} skeleton={<Panel><Bones rows={9} inset={0} /></Panel>}>
        {(data) => (
          <div className="stack">
            <Editor key={JSON.stringify(data.policy)} data={data} />
            <LastRun run={data.last_run} />
            {seesSettings && <SmallCells />}
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function Editor({ data }: { data: Retention }) {
  const t = useText(texts);
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('privacy.administer');
  const [draft, setDraft] = useState<Draft>(() => draftOf(data.policy));
  const policy = policyOf(draft);
  const short = tooShort(draft, data.kinds);
  const wrong = short === null ? null : t.short(wordFor(t.kinds, short));
  const trial = useMutation({ mutationFn: () => api.post('/retention/run', { body: { dry_run: true, policy } }) as Promise<Trial>, onError: notice });
  const save = useMutation({
    mutationFn: () => api.put('/retention', { body: { policy } }),
    onSuccess: (answer) => {
      client.setQueryData(['retention'], answer);
      void message.success(t.saved);
    },
    onError: notice,
  });
  const run = useMutation({
    mutationFn: () => api.post('/retention/run', { body: { dry_run: false } }) as Promise<unknown>,
    onSuccess: () => {
      trial.reset();
      void client.invalidateQueries({ queryKey: ['retention'] });
      void message.success(t.started);
    },
    onError: notice,
  });
  const change = (next: Draft): void => {
    trial.reset();
    setDraft(next);
  };
  const isUnchanged = isSame(policy, data.policy);
  const counts = trial.data?.counts;
  const ask = (): void => void modal.confirm({ title: t.runTitle, content: t.runText(exactCount(counts === undefined ? 0 : total(counts))), okText: t.runButton, cancelText: t.keepAll, okButtonProps: { danger: true }, onOk: () => run.mutateAsync().catch(() => undefined) });
  return (
    <Panel
      title={t.keep} note={t.zero}
      tools={(
        <>
          <ActionButton reason={noRight ?? wrong} loading={trial.isPending} onClick={() => trial.mutate()}>{t.dryRun}</ActionButton>
          <ActionButton danger reason={noRight ?? (isUnchanged ? (counts === undefined ? t.tryFirst : total(counts) === 0 ? t.none : null) : t.unsaved)} loading={run.isPending} onClick={ask}>{t.run}</ActionButton>
          <ActionButton type="primary" reason={noRight ?? wrong ?? (isUnchanged ? t.nothing : null)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton>
        </>
      )}
    >
      <div className="scroll-x" tabIndex={0} role="group" aria-label={t.keep}>
        <table className="plan-properties keep-table">
          <thead><tr><th scope="col">{t.kind}</th><th scope="col">{t.keep}</th><th scope="col" style={{ textAlign: 'right' }}>{t.would}</th></tr></thead>
          <tbody>{data.kinds.map((one) => <KindRows key={one.kind} kind={one} draft={draft} trial={trial.data} onChange={change} />)}</tbody>
        </table>
      </div>
      {trial.data !== undefined && <p className="small faint" role="status" style={{ marginTop: 8 }}>{t.asOf} <Time at={trial.data.as_of} exact />{total(trial.data.counts) === 0 && ` · ${t.none}`}</p>}
    </Panel>
  );
}

interface RowsProps {
  kind: Retention['kinds'][number];
  draft: Draft;
  trial: Trial | undefined;
  onChange: (draft: Draft) => void;
}

function KindRows({ kind, draft, trial, onChange }: RowsProps) {
  const t = useText(texts);
  const name = wordFor(t.kinds, kind.kind);
  const isEvents = kind.kind === 'events';
  const value = kind.kind === 'events' ? draft.allEvents : draft.days[kind.kind] ?? null;
  const put = (days: number | null): void => onChange(kind.kind === 'events' ? { ...draft, allEvents: days } : { ...draft, days: { ...draft.days, [kind.kind]: days } });
  const setEvent = (at: number, days: number): void => onChange({ ...draft, events: draft.events.map((one, index) => (index === at ? { ...one, days } : one)) });
  return (
    <>
      <tr>
        <th scope="row">{name}{isEvents && <> <Term term="retention" /></>}</th>
        <td><Days value={value} label={t.daysOf(name)} kind={kind} onChange={put} /></td>
        <td className="right tabular">{trial === undefined ? <span className="faint">—</span> : <Count value={trial.counts[kind.kind as Kind]} exact />}</td>
      </tr>
      {isEvents && draft.events.map((one, at) => (
        <tr key={one.type}>
          <th scope="row" style={{ paddingLeft: 24 }}><span className="faint small">{t.ofType} </span><span className="mono">{one.type}</span></th>
          <td><span className="row"><Days value={one.days} label={t.daysOf(one.type)} kind={kind} onChange={(days) => setEvent(at, days ?? 0)} /><Button size="small" type="text" icon={<DeleteOutlined />} aria-label={t.removeType(one.type)} onClick={() => onChange({ ...draft, events: draft.events.filter((_, index) => index !== at) })} /></span></td>
          <td className="right tabular">{trial === undefined ? <span className="faint">—</span> : <Count value={trial.event_types[one.type] ?? 0} exact />}</td>
        </tr>
      ))}
      {isEvents && <tr><td colSpan={3} style={{ paddingLeft: 24 }}><AddEvent draft={draft} onChange={onChange} /></td></tr>}
    </>
  );
}

function Days({ value, label, kind, onChange }: { value: number | null; label: string; kind: Retention['kinds'][number]; onChange: (days: number | null) => void }) {
  const t = useText(texts);
  const standard = kind.days_default === 0 ? t.forever : `${kind.days_default} ${t.days}`;
  return (
    <span className="row">
      <InputNumber<number> size="small" min={0} max={36_500} precision={0} controls={false} style={{ width: 84 }} aria-label={label} value={value} onChange={onChange} placeholder={kind.days_default === 0 ? t.forever : String(kind.days_default)} />
      <span className="small faint nowrap">{value === 0 ? t.forever : t.days} · {t.standard(standard)}{kind.days_least > 1 && ` · ${t.least(kind.days_least)}`}</span>
    </span>
  );
}

function AddEvent({ draft, onChange }: { draft: Draft; onChange: (draft: Draft) => void }) {
  const t = useText(texts);
  const [type, setType] = useState('');
  const plan = useQuery({ ...queries.planEvents(), enabled: useMay('plan.see') });
  const isTaken = type.trim() === '' || type.trim() === '*' || draft.events.some((one) => one.type === type.trim());
  const add = (): void => {
    if (isTaken) return;
    onChange({ ...draft, events: [...draft.events, { type: type.trim(), days: draft.allEvents ?? 365 }] });
    setType('');
  };
  return (
    <span className="row">
      <AutoComplete size="small" style={{ width: 220 }} aria-label={t.addType} placeholder={t.addType} value={type} onChange={setType} options={(plan.data?.items ?? []).map((one) => ({ value: one.name }))} showSearch={{ filterOption: (search, option) => option?.value.toLowerCase().includes(search.toLowerCase()) === true }} />
      <ActionButton size="small" reason={isTaken ? t.addType : null} onClick={add}>{t.add}</ActionButton>
    </span>
  );
}

const stages: readonly Kind[] = ['log', 'quarantine', 'events', 'visitors', 'touches', 'exports', 'uploads', 'audit'];

function LastRun({ run }: { run: Retention['last_run'] }) {
  const t = useText(texts);
  if (run === undefined) return <Panel title={t.last}><p className="faint">{t.noRun}</p></Panel>;
  const went = stages.filter((kind) => run.counts[kind] > 0);
  return (
    <Panel title={t.last} tools={<Link to="/settings/system?tab=jobs" className="small">{t.jobs}</Link>}>
      <div className="row wrap"><Pill tone={run.state === 'running' ? 'info' : 'good'}>{run.state === 'running' ? t.running : t.finished}</Pill><Time at={run.finished_at ?? run.at} exact />{run.state === 'running' && run.stage !== undefined && <span className="soft">{t.at} {wordFor(t.kinds, run.stage)}</span>}</div>
      {run.state === 'running' && <Progress percent={Math.round((Math.max(0, stages.indexOf(run.stage ?? 'log')) / stages.length) * 100)} size="small" status="active" strokeColor="var(--accent)" aria-label={t.running} />}
      <ul>{went.map((kind) => <li key={kind} className="feed-row"><span className="grow">{wordFor(t.kinds, kind)}</span><Count value={run.counts[kind]} exact /></li>)}</ul>
      {went.length === 0 && run.state === 'finished' && <p className="faint" style={{ marginTop: 8 }}>{t.none}</p>}
    </Panel>
  );
}

function SmallCells() {
  const t = useText(texts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('setting.administer');
  const settings = useQuery(adminQueries.settings());
  const kept = settings.data?.items.find((one) => one.key === smallCells)?.value as unknown;
  const [typed, setTyped] = useState<number | null>(null);
  const now = typeof kept === 'number' ? kept : 5;
  const save = useMutation({
    mutationFn: () => api.put('/settings/{key}', { path: { key: smallCells }, body: { value: (typed ?? now) as never } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['settings'] });
      setTyped(null);
      void message.success(t.saved);
    },
    onError: notice,
  });
  if (settings.data === undefined) return null;
  return (
    <Panel title={<span>{t.cells} <Term term="smallCells" /></span>}>
      <p className="soft" style={{ marginBottom: 8 }}>{t.cellsText}</p>
      <div className="row"><span>{t.cellsLabel}</span><InputNumber<number> min={0} max={1000} precision={0} aria-label={t.cellsLabel} value={typed ?? now} onChange={setTyped} /><ActionButton reason={noRight ?? (typed === null || typed === now ? t.nothing : null)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton></div>
    </Panel>
  );
}
