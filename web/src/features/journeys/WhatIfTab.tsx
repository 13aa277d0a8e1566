/* SPDX-License-Identifier: Apache-2.0 */
/* WhatIfTab: what would have happened: a run over the last days, its numbers on the canvas day by day, money, people's time, caps, examples, and
 * what was assumed; later beside what came.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { InputNumber, Progress, Slider } from 'antd';
import { useMemo, useState } from 'react';
import { api } from '@/api/client';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { useAccountKindName } from '@/features/touches/kinds';
import { dateTime } from '@/lib/format';
import { wordFor } from '@/lib/text';
import { useFilters } from '@/lib/hooks';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count, Money, OneId, Pill, Time } from '@/ui/Marks';
import { Band, Figure, Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';
import { Canvas } from './Canvas';
import { journeyQueries, kindOf, textOf, type Definition, type Journey } from './model';
import { journeyTexts } from './texts';
import type { DraftHandle } from './useDraft';
import { assumptionText, countsUpTo, daysOf, isOut, reportUpTo, touchesUpTo, whatIfQueries, type Cell, type Comparison, type Result, type Run } from './whatif';
import { whatIfTexts } from './whatifTexts';

const spans = [7, 30, 90, 180] as const;
const sinceLaunch = 0; /* stands among the spans: from its launch to now, to be set beside what came */

export function WhatIfTab({ journey, draft }: { journey: Journey; draft: DraftHandle }) {
  const t = useText(whatIfTexts);
  const language = useLanguage();
  const { zone } = useClock();
  const [filters, setFilters] = useFilters({ run: '' });
  const runs = useQuery(whatIfQueries.list(journey.key));
  const id = filters.run !== '' ? filters.run : (runs.data?.items[0]?.id ?? '');
  const run = useQuery(whatIfQueries.one(journey.key, id));
  return (
    <div className="stack">
      <Panel>
        <div className="stack">
          <p className="soft">{t.why}</p>
          <Order journey={journey} draft={draft} onBegun={(begun) => setFilters({ run: begun })} />
          {(runs.data?.items.length ?? 0) > 0 && (
            <label className="row">
              <span className="soft">{t.runs}</span>
              <select className="plain-select" value={id} onChange={(event) => setFilters({ run: event.target.value })}>
                {runs.data?.items.map((one) => <option key={one.id} value={one.id}>{`${one.id} · ${t.states[one.state]} · ${dateTime(one.created_at, language, zone)}`}</option>)}
              </select>
            </label>
          )}
        </div>
      </Panel>
      {id === '' ? <Panel><Empty title={t.none}>{t.noneHint}</Empty></Panel> : (
        <Loaded query={run} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>}>{(data) => <Shown journey={journey} run={data} definition={draft.definition} />}</Loaded>
      )}
    </div>
  );
}

function Order({ journey, draft, onBegun }: { journey: Journey; draft: DraftHandle; onBegun: (id: string) => void }) {
  const t = useText(whatIfTexts);
  const client = useQueryClient();
  const notice = useProblemNotice();
  const reason = useRightReason('journey.change');
  const [days, setDays] = useState(90);
  const [version, setVersion] = useState<'draft' | 'published'>('draft');
  const [tasks, setTasks] = useState<number | null>(null);
  const launched = journey.versions.find((one) => one.version === journey.live_version)?.published_at;
  const choose = (span: number): void => {
    setDays(span);
    if (span === sinceLaunch) setVersion('published');
  };
  const begin = useMutation({
    mutationFn: () => api.post('/journeys/{key}/whatif', {
      path: { key: journey.key },
      body: { ...(days === sinceLaunch && launched !== undefined ? { from: launched } : { days }), version, ...(version === 'draft' && draft.isChanged ? { journey: draft.definition } : {}), ...(tasks === null ? {} : { capacity: { tasks_per_day: tasks } }) },
    }),
    onSuccess: (begun) => { onBegun(begun.id); void client.invalidateQueries({ queryKey: ['journeys', 'whatif', journey.key] }); },
    onError: notice,
  });
  return (
    <div className="row wrap" style={{ gap: 14 }}>
      <label className="row"><span className="soft">{t.days}</span><select className="plain-select" value={days} onChange={(event) => choose(Number(event.target.value))}>{spans.map((span) => <option key={span} value={span}>{t.daysOf(span)}</option>)}{launched !== undefined && <option value={sinceLaunch}>{t.sinceLaunch}</option>}</select></label>
      <label className="row"><span className="soft">{t.which}</span>
        <select className="plain-select" value={version} onChange={(event) => setVersion(event.target.value === 'published' ? 'published' : 'draft')}>
          <option value="draft">{t.draft}</option>
          {journey.live_version > 0 && <option value="published">{t.published}</option>}
        </select>
      </label>
      <label className="row"><span className="soft">{t.capacity}</span><InputNumber min={1} value={tasks} onChange={setTasks} style={{ width: 96 }} /></label>
      <ActionButton type="primary" reason={reason} loading={begin.isPending} onClick={() => begin.mutate()}>{t.run}</ActionButton>
    </div>
  );
}

function Shown({ journey, run, definition }: { journey: Journey; run: Run; definition: Definition }) {
  const t = useText(whatIfTexts);
  const client = useQueryClient();
  const cancel = useMutation({ mutationFn: () => api.delete('/journeys/{key}/whatif/{id}', { path: { key: journey.key, id: run.id } }), onSuccess: () => void client.invalidateQueries({ queryKey: ['journeys', 'whatif', journey.key] }) });
  if (run.state === 'failed' || run.state === 'cancelled') return <Panel><Empty title={run.state === 'failed' ? t.failed : t.cancelled}>{[run.reason, run.pointer].filter((part) => part !== undefined && part !== '').join(' · ')}</Empty></Panel>;
  if (run.result === undefined) {
    return (
      <Panel>
        <div className="row" role="status" style={{ gap: 14 }}>
          <span>{t.states[run.state]}</span><Progress percent={Math.round(run.progress * 100)} style={{ maxWidth: 420 }} /><ActionButton onClick={() => cancel.mutate()} loading={cancel.isPending}>{t.cancel}</ActionButton>
        </div>
      </Panel>
    );
  }
  return <Told key={run.id} journey={journey} run={run} result={run.result} definition={definition} />;
}

function Told({ journey, run, result, definition }: { journey: Journey; run: Run; result: Result; definition: Definition }) {
  const t = useText(whatIfTexts);
  const catalogue = useQuery(journeyQueries.catalogue());
  const days = useMemo(() => daysOf(result), [result]);
  const [at, setAt] = useState(days.length - 1);
  const [node, setNode] = useState('');
  const day = days[at] ?? '';
  const report = useMemo(() => reportUpTo(result, day), [result, day]);
  const start = countsUpTo(result, day).get('$start') ?? {};
  const cells = touchesUpTo(result, day, node);
  const all = touchesUpTo(result, day, '');
  const count = (which: (cell: Cell) => boolean): number => all.filter(which).reduce((sum, cell) => sum + cell.count, 0);
  const cost = result.money.by_day.filter((row) => row.day <= day).reduce((sum, row) => sum + row.amount, 0);
  const minutes = result.advisers.by_day.filter((row) => row.day <= day).reduce((sum, row) => sum + row.minutes, 0);
  const nodeName = useNodeName(definition);
  const known = node !== '' && Object.hasOwn(definition.nodes, node) ? node : '';
  return (
    <>
      <Band>
        <Figure label={t.entered} note={t.upTo(day)}><Count value={start['entered'] ?? 0} /></Figure>
        <Figure label={t.sent}><Count value={count((cell) => isOut(cell.status))} /></Figure>
        <Figure label={t.stopped}><Count value={count((cell) => cell.status === 'suppressed')} /></Figure>
        <Figure label={t.cost}><Money minor={cost} currency="CNY" /></Figure>
        <Figure label={t.minutes} note={result.advisers.days_over_capacity > 0 ? <Pill tone="warn">{t.overDays(result.advisers.days_over_capacity)}</Pill> : undefined}><Count value={minutes} /></Figure>
        <Figure label={t.customers} note={`${t.took} ${(result.elapsed_ms / 1000).toFixed(1)} s`}><Count value={result.customers} /></Figure>
      </Band>
      <Panel title={t.upTo(day)}>
        <Slider ariaLabelForHandle={t.day} min={0} max={Math.max(0, days.length - 1)} value={at} onChange={setAt} tooltip={{ formatter: (value) => days[value ?? 0] ?? '' }} />
        {catalogue.data !== undefined && <Canvas definition={definition} catalogue={catalogue.data} report={report} entered={start['entered'] ?? 0} inside={Math.max(0, (start['entered'] ?? 0) - (start['exited'] ?? 0))} opened={known} problems={new Map()} onOpen={(id) => setNode(id === node ? '' : id)} hands={null} />}
      </Panel>
      <Panel title={known === '' ? t.atAll : t.atNode(nodeName(known))} flush><Cells cells={known === '' ? all : cells} /></Panel>
      <Caps result={result} />
      <Spent result={result} />
      <Examples result={result} node={known} nodeName={nodeName} />
      <Beside journey={journey} run={run} nodeName={nodeName} />
      <Panel title={t.assumptions}><Assumed result={result} /></Panel>
    </>
  );
}

type NodeName = (node: string) => string;

/* As the canvas calls it: its own name, or what kind it is; with its key, by which definitions speak of it. */
function useNodeName(definition: Definition): NodeName {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const catalogue = useQuery(journeyQueries.catalogue());
  return (id) => {
    if (id === '$start') return t.start;
    const node = definition.nodes[id];
    if (node === undefined || catalogue.data === undefined) return id;
    const name = textOf(node['name']) || (kindOf(catalogue.data, textOf(node['type']))?.text[language] ?? '');
    return name === '' ? id : `${name} · ${id}`;
  };
}

function useReason(): (reason: string) => string {
  const t = useText(whatIfTexts);
  return (reason) => (reason === '' ? '' : wordFor(t.reasons, reason));
}

function Cells({ cells }: { cells: Cell[] }) {
  const t = useText(whatIfTexts);
  const say = useReason();
  return (
    <DataTable<Cell>
      rowKey={(row) => `${row.status} ${row.reason}`} dataSource={cells}
      columns={[
        { key: 'status', title: t.status, render: (_, row) => <Pill tone={isOut(row.status) ? 'good' : row.status === 'suppressed' || row.status === 'failed' ? 'warn' : 'plain'}>{wordFor(t.statuses, row.status)}</Pill> },
        { key: 'reason', title: t.reason, render: (_, row) => say(row.reason) },
        { key: 'count', title: t.count, align: 'right', render: (_, row) => <Count value={row.count} exact /> },
      ]}
    />
  );
}

function Caps({ result }: { result: Result }) {
  const t = useText(whatIfTexts);
  const say = useReason();
  if (result.caps.length === 0) return null;
  return (
    <Panel title={t.caps} flush>
      <DataTable<Result['caps'][number]>
        rowKey={(row) => `${row.reason} ${row.cap}`} dataSource={result.caps}
        columns={[
          { key: 'reason', title: t.reason, render: (_, row) => say(row.reason) },
          { key: 'cap', title: t.cap, render: (_, row) => row.cap },
          { key: 'people', title: t.people, align: 'right', render: (_, row) => <Count value={row.customers} exact /> },
          { key: 'touches', title: t.touches, align: 'right', render: (_, row) => <Count value={row.touches} exact /> },
          { key: 'examples', title: t.examples, render: (_, row) => <span className="row wrap">{row.examples.slice(0, 4).map((one) => <OneId key={one.one_id} id={one.one_id} link copy={false} />)}</span> },
        ]}
      />
    </Panel>
  );
}

function Spent({ result }: { result: Result }) {
  const t = useText(whatIfTexts);
  const kindName = useAccountKindName();
  return (
    <>
      <Panel title={t.money} flush>
        <DataTable<Result['money']['kinds'][number]>
          rowKey="kind" dataSource={result.money.kinds}
          columns={[
            { key: 'kind', title: t.kind, render: (_, row) => kindName(row.kind) },
            { key: 'count', title: t.count, align: 'right', render: (_, row) => <Count value={row.count} exact /> },
            { key: 'amount', title: t.amount, align: 'right', render: (_, row) => <Money minor={row.amount} currency="CNY" /> },
          ]}
        />
      </Panel>
      {result.budgets.length + result.coupon_pools.length > 0 && (
        <Panel title={t.left}>
          <ul className="stack" style={{ gap: 4 }}>
            {result.budgets.map((one) => <li key={one.name}>{t.budgets} {one.name} · {t.spent} <Money minor={one.spent} currency="CNY" /> / <Money minor={one.amount} currency="CNY" /> · {t.usedUp} <Count value={one.used_up} /></li>)}
            {result.coupon_pools.map((one) => <li key={one.key}>{t.pools} {one.key} · {t.given} <Count value={one.given} />{one.left === undefined ? '' : <> · {t.remaining} <Count value={one.left} /></>}</li>)}
          </ul>
        </Panel>
      )}
    </>
  );
}

function Examples({ result, node, nodeName }: { result: Result; node: string; nodeName: NodeName }) {
  const t = useText(whatIfTexts);
  const say = useReason();
  const rows = result.examples.filter((row) => node === '' || row.node === node).slice(0, 60);
  if (rows.length === 0) return null;
  return (
    <Panel title={t.examples} flush>
      <DataTable<Result['examples'][number]>
        rowKey={(row) => `${row.one_id} ${row.node} ${row.at} ${row.status}`} dataSource={rows}
        columns={[
          { key: 'customer', title: t.customer, render: (_, row) => <OneId id={row.one_id} link copy={false} /> },
          { key: 'node', title: t.node, render: (_, row) => nodeName(row.node) },
          { key: 'at', title: t.at, render: (_, row) => <Time at={row.at} exact /> },
          { key: 'status', title: t.status, render: (_, row) => wordFor(t.statuses, row.status) },
          { key: 'reason', title: t.reason, render: (_, row) => say(row.reason) },
          { key: 'held', title: t.held, render: (_, row) => say(row.held) },
        ]}
      />
    </Panel>
  );
}

function Beside({ journey, run, nodeName }: { journey: Journey; run: Run; nodeName: NodeName }) {
  const t = useText(whatIfTexts);
  const [from, setFrom] = useState('');
  const compared = useQuery({ ...whatIfQueries.compare(journey.key, run.id, from), enabled: journey.live_version > 0 });
  if (journey.live_version === 0) return null;
  return (
    <Panel title={t.compare} tools={<label className="row"><span className="soft">{t.compareFrom}</span><input className="plain-select" type="date" value={from} onChange={(event) => setFrom(event.target.value)} /></label>} flush>
      {compared.isError ? <Failure error={compared.error} /> : compared.data === undefined ? <Bones rows={3} /> : <Compared data={compared.data} nodeName={nodeName} />}
    </Panel>
  );
}

function Compared({ data, nodeName }: { data: Comparison; nodeName: NodeName }) {
  const t = useText(whatIfTexts);
  const pair = (row: Comparison['nodes'][number], name: string) => <span className="tabular">{row.simulated[name] ?? 0} / {row.actual[name] ?? 0}</span>;
  return (
    <>
      {!data.is_over && <p className="soft small" style={{ padding: '8px 16px' }}>{t.notOver}</p>}
      <DataTable<Comparison['nodes'][number]>
        rowKey="node" dataSource={data.nodes}
        columns={[
          { key: 'node', title: t.node, render: (_, row) => nodeName(row.node) },
          { key: 'entered', title: `${t.entered} (${t.simulated} / ${t.actual})`, align: 'right', render: (_, row) => pair(row, 'entered') },
          { key: 'sent', title: t.sent, align: 'right', render: (_, row) => pair(row, 'sent') },
          { key: 'stopped', title: t.stopped, align: 'right', render: (_, row) => pair(row, 'suppressed') },
        ]}
      />
    </>
  );
}

function Assumed({ result }: { result: Result }) {
  const language = useLanguage();
  const kindName = useAccountKindName();
  return <ul className="stack small" style={{ gap: 4 }}>{result.assumptions.map((one) => <li key={`${one.code} ${one.en}`}>{assumptionText(one, language, kindName)}</li>)}</ul>;
}
