/* SPDX-License-Identifier: Apache-2.0 */
/* ReportTab: how many entered and left, each step, each goal against the control group with the interval of the difference. */
import { useQuery } from '@tanstack/react-query';
import { useLanguage, useText } from '@/app/preferences';
import { exactCount, percent } from '@/lib/format';
import { words } from '@/lib/words';
import { DataTable } from '@/ui/DataTable';
import { Count, Pill, Time } from '@/ui/Marks';
import { Band, Figure, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { journeyQueries, kindOf, type Journey, type NodeReport, type Report } from './model';
import { journeyTexts } from './texts';

type Goal = Report['goals'][number];
type Interval = NonNullable<Goal['lift']>;

export function ReportTab({ journey }: { journey: Journey }) {
  const t = useText(journeyTexts);
  const report = useQuery({ ...journeyQueries.report(journey.key), enabled: journey.next_version > 1 || journey.live_version > 0 });
  if (journey.live_version === 0) return <Panel><Empty title={t.report.never}>{t.report.neverHint}</Empty></Panel>;
  return <Loaded query={report} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>}>{(data) => <Shown report={data} />}</Loaded>;
}

function Shown({ report }: { report: Report }) {
  const t = useText(journeyTexts);
  const figures = ['entered', 'inside', 'exited', 'control', 'refused', 'failed'] as const;
  return (
    <div className="stack">
      <Band>{figures.map((name) => <Figure key={name} label={t.report[name]} note={name === 'entered' ? <Time at={report.as_of} exact /> : undefined}><Count value={report[name]} /></Figure>)}</Band>
      <Goals goals={report.goals} />
      <Panel title={t.report.nodes} flush><Nodes nodes={report.nodes} /></Panel>
    </div>
  );
}

const columns = ['entered', 'waiting', 'left', 'timed_out', 'sent', 'delivered', 'clicked', 'failed', 'suppressed', 'uncertain'] as const;

function Nodes({ nodes }: { nodes: readonly NodeReport[] }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const catalogue = useQuery(journeyQueries.catalogue());
  const kind = (type: string): string => (catalogue.data === undefined ? type : (kindOf(catalogue.data, type)?.text[language] ?? type));
  return (
    <DataTable<NodeReport>
      rowKey="node" dataSource={nodes}
      columns={[
        { key: 'node', title: t.node, width: 220, fixed: 'left', render: (_, row) => <span className="row">{row.name === '' ? kind(row.type) : row.name}<span className="mono faint">{row.node}</span></span> },
        { key: 'type', title: t.report.type, render: (_, row) => kind(row.type) },
        ...columns.map((name) => ({ key: name, title: t.columns[name], align: 'right' as const, render: (_: unknown, row: NodeReport) => <Count value={row[name]} /> })),
      ]}
    />
  );
}

function Goals({ goals }: { goals: readonly Goal[] }) {
  const t = useText(journeyTexts);
  const common = useText(words);
  if (goals.length === 0) return <Panel title={t.report.goals}><Empty title={t.report.noGoals}>{t.report.noGoalsHint}</Empty></Panel>;
  const rate = (side: Goal['journey']) => <span className="tabular">{exactCount(side.reached)} / {exactCount(side.entered)}{side.entered > 0 && ` · ${percent(side.reached / side.entered)}`}</span>;
  return (
    <Panel title={t.report.goals} flush>
      <DataTable<Goal>
        rowKey="key" dataSource={goals}
        columns={[
          { key: 'name', title: t.report.goal, render: (_, row) => (row.name === '' ? row.key : row.name) },
          { key: 'journey', title: t.report.inJourney, align: 'right', render: (_, row) => rate(row.journey) },
          { key: 'control', title: t.report.inControl, align: 'right', render: (_, row) => (row.control.entered === 0 ? <span className="faint">{t.report.noControl}</span> : rate(row.control)) },
          { key: 'lift', title: t.report.lift, render: (_, row) => (row.lift === undefined ? <span className="faint">{common.none}</span> : <Between interval={row.lift} say={(value) => `${(value * 100).toFixed(1)} ${t.report.points}`} />) },
          { key: 'value', title: t.report.value, render: (_, row) => (row.value_per_customer === undefined ? <span className="faint">{common.none}</span> : <Between interval={row.value_per_customer} say={(value) => (value / 100).toFixed(2)} />) },
          { key: 'final', title: t.report.finalOn, render: (_, row) => <Time at={row.final_on} exact /> },
        ]}
      />
    </Panel>
  );
}

function Between({ interval, say }: { interval: Interval; say: (value: number) => string }) {
  const t = useText(journeyTexts);
  return <span className="row"><span className="tabular">{interval.difference > 0 ? '+' : ''}{say(interval.difference)} ({say(interval.low)} … {say(interval.high)})</span><Pill tone={interval.significant ? (interval.difference > 0 ? 'good' : 'bad') : 'plain'}>{interval.significant ? t.report.significant : t.report.notSignificant}</Pill></span>;
}
