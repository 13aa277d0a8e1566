/* SPDX-License-Identifier: Apache-2.0 */
/* History: how many were in it at the end of each day, and who came and went. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { queries, type AudienceKind } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { dayKey, dayStart, exactCount, shortCount } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { Chart, useAxes } from '@/ui/Chart';
import { Chips } from '@/ui/Controls';
import { Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { audienceTexts } from './texts';

const dayMs = 86_400_000;

export function History({ kind, definitionKey, values = [] }: { kind: AudienceKind; definitionKey: string; values?: readonly string[] }) {
  const t = useText(audienceTexts);
  const language = useLanguage();
  const { zone, nowMs } = useClock();
  const [filters, setFilters] = useFilters({ days: '30', of: '' });
  const today = dayKey(nowMs, zone);
  const range = useMemo(() => {
    const end = Date.parse(dayStart(today, zone)) + dayMs;
    const days = ['7', '30', '90'].includes(filters.days) ? Number(filters.days) : 30;
    return { value: filters.of, from: new Date(end - days * dayMs).toISOString(), to: new Date(end).toISOString(), step: '1d' };
  }, [filters.days, filters.of, today, zone]);
  const sizes = useQuery(queries.sizes(kind, definitionKey, range));
  const axes = useAxes();
  const points = sizes.data?.points ?? [];
  const option = useMemo(() => ({
    grid: { ...axes.grid, right: 24 },
    legend: { show: false },
    xAxis: { ...axes.category, data: points.map((one) => dayKey(one.at, zone).slice(5)) },
    yAxis: [
      { ...axes.value, name: t.size, minInterval: 1, axisLabel: { ...axes.value.axisLabel, formatter: (value: number) => shortCount(value, language) } },
      { ...axes.value, splitLine: { show: false }, minInterval: 1, axisLabel: { ...axes.value.axisLabel, formatter: (value: number) => shortCount(value, language) } },
    ],
    series: [
      { name: t.size, type: 'line' as const, data: points.map((one) => one.count), showSymbol: false, lineStyle: { width: 2 }, areaStyle: { opacity: 0.08 } },
      /* side by side, both upwards: below zero the two axes would have two zeros */
      { name: t.entered, type: 'bar' as const, yAxisIndex: 1, data: points.map((one) => one.entered), itemStyle: { color: axes.colours.good, opacity: 0.65 }, barMaxWidth: 14 },
      { name: t.left, type: 'bar' as const, yAxisIndex: 1, data: points.map((one) => one.left), itemStyle: { color: axes.colours.bad, opacity: 0.65 }, barMaxWidth: 14 },
    ],
  }), [points, axes, t, language, zone]);
  return (
    <div className="stack">
      <div className="row wrap">
        <Chips label={t.history} value={filters.days} onChange={(days) => setFilters({ days })} choices={['7', '30', '90'].map((value) => ({ value, label: t.range[value] ?? value }))} />
        {values.length > 0 && <Chips label={t.value} value={filters.of} onChange={(of) => setFilters({ of })} choices={[{ value: '', label: t.anyValue }, ...values.slice(0, 12).map((value) => ({ value, label: value }))]} />}
      </div>
      <Loaded query={sizes} skeleton={<Panel><Bones rows={5} inset={0} /></Panel>}>
        {(data) => (
          <Chart
            title={t.historyTitle} file={`${definitionKey}-history`} option={option} height={260}
            note={`${t.entered} +${exactCount(data.points.reduce((sum, one) => sum + one.entered, 0))} · ${t.left} −${exactCount(data.points.reduce((sum, one) => sum + one.left, 0))}`}
            table={{ columns: [t.day, t.size, t.entered, t.left], rows: data.points.map((one) => [dayKey(one.at, zone), one.count, one.entered, one.left]) }}
          />
        )}
      </Loaded>
    </div>
  );
}
