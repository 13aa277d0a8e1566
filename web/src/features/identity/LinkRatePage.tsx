/* SPDX-License-Identifier: Apache-2.0 */
/* LinkRatePage: of the customers of each channel, how many are also known elsewhere. */
import { useQuery } from '@tanstack/react-query';

import { useMemo } from 'react';
import { Link } from 'react-router';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, usePreferences, useText } from '@/app/preferences';
import { channelLook } from '@/lib/channels';
import { clockTime, exactCount, percent, shortCount } from '@/lib/format';
import { useNarrow } from '@/lib/media';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { Chart, useAxes } from '@/ui/Chart';
import { ChannelName, Count, QuietHead, useChannelName } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Band, Figure, Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';

const texts = catalogue({
  zh: {
    title: '渠道打通率',
    purpose: '每个渠道来的客户里，有多少人在别的渠道也认得出来，或留下了强标识。打通率低的渠道，是下一步最值得引导绑定的地方。',
    chart: '哪个渠道的客户最难认出来？',
    linked: '已打通',
    alone: '只在本渠道',
    channel: '渠道',
    customers: '客户',
    rate: '打通率',
    best: '打通率最高',
    worst: '打通率最低',
    total: '渠道数',
    emptyTitle: '还没有渠道数据',
    empty: '给数据源填上渠道，或让事件带上 channel，这里就会按渠道统计。',
    sources: '去看数据源',
  },
  en: {
    title: 'Link rate by channel',
    purpose: 'Of the customers who came by a channel, how many are known in another one too, or by a strong identifier. Where the rate is low, asking to bind pays most.',
    chart: 'In which channel are customers hardest to recognise?',
    linked: 'Linked',
    alone: 'This channel only',
    channel: 'Channel',
    customers: 'Customers',
    rate: 'Link rate',
    best: 'Highest rate',
    worst: 'Lowest rate',
    total: 'Channels',
    emptyTitle: 'No channel has data yet',
    empty: 'Give the sources a channel, or let events carry one, and they are counted here.',
    sources: 'See the sources',
  },
});

type Item = Schemas['LinkRateList']['items'][number];

export function LinkRatePage() {
  const t = useText(texts);
  const common = useText(words);
  const rates = useQuery(queries.linkRate());
  return (
    <Page title={t.title} purpose={t.purpose}>
      <Loaded
        query={rates} skeleton={<Panel><Bones rows={10} inset={0} /></Panel>} isEmpty={(data) => data.items.length === 0}
        empty={<Panel><Empty title={t.emptyTitle} action={<Link to="/data/sources">{t.sources}</Link>}>{t.empty}</Empty></Panel>}
      >
        {(data) => (
          <div className="stack">
            {data.partial && <div className="notice warn">{common.partial}</div>}
            <Extremes items={data.items} />
            <RateChart items={data.items} asOf={data.as_of} />
            <RateTable items={data.items} />
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function Extremes({ items }: { items: readonly Item[] }) {
  const t = useText(texts);
  const name = useChannelName();
  const sorted = [...items].sort((a, b) => b.rate - a.rate);
  const best = sorted[0];
  const worst = sorted.at(-1);
  if (best === undefined || worst === undefined) return null;
  return (
    <Band>
      <Figure label={t.best} note={name(best.channel)}>{percent(best.rate)}</Figure>
      <Figure label={t.worst} note={name(worst.channel)}>{percent(worst.rate)}</Figure>
      <Figure label={t.total}>{items.length}</Figure>
    </Band>
  );
}

function RateChart({ items, asOf }: { items: readonly Item[]; asOf: string }) {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const { zone } = useClock();
  const { scheme } = usePreferences();
  const name = useChannelName();
  const axes = useAxes();
  const sorted = useMemo(() => [...items].sort((a, b) => b.customers - a.customers), [items]);
  const { category, value, grid } = axes;
  const narrow = useNarrow();
  const option = useMemo(() => ({
    grid,
    xAxis: { ...category, data: sorted.map((one) => name(one.channel)), axisLabel: { ...category.axisLabel, interval: 0, rotate: narrow ? 50 : language === 'en' && sorted.length > 9 ? 30 : 0 } },
    yAxis: { ...value, name: t.customers, minInterval: 1, axisLabel: { ...value.axisLabel, formatter: (count: number) => shortCount(count, language) } },
    series: [
      { type: 'bar' as const, stack: 'all', name: t.linked, barMaxWidth: 44, data: sorted.map((one) => ({ value: one.linked, itemStyle: { color: channelLook(one.channel).colour[scheme] } })), tooltip: { valueFormatter: (count: unknown) => exactCount(Number(count)) } },
      {
        type: 'bar' as const, stack: 'all', name: t.alone, barMaxWidth: 44, tooltip: { valueFormatter: (count: unknown) => exactCount(Number(count)) },
        label: { show: !narrow, position: 'top' as const, color: axes.colours.inkSoft, fontSize: 12, formatter: (one: { dataIndex: number }) => percent(sorted[one.dataIndex]?.rate ?? 0, 0) },
        data: sorted.map((one) => ({ value: one.customers - one.linked, itemStyle: { color: `${channelLook(one.channel).colour[scheme]}40`, borderRadius: [3, 3, 0, 0] } })),
      },
    ],
  }), [sorted, t, language, scheme, name, axes.colours, category, value, grid, narrow]);
  return (
    <Chart
      title={t.chart} note={common.asOf(clockTime(asOf, language, zone))} option={option} file="link-rate" height={280}
      table={{ columns: [t.channel, t.customers, t.linked, t.rate], rows: sorted.map((one) => [name(one.channel), one.customers, one.linked, percent(one.rate)]) }}
    />
  );
}

function RateTable({ items }: { items: readonly Item[] }) {
  const t = useText(texts);
  const { scheme } = usePreferences();
  return (
    <Panel flush>
      <DataTable
        rowKey="channel" dataSource={[...items].sort((a, b) => b.customers - a.customers)}
        columns={[
          { key: 'channel', title: t.channel, render: (_, row) => <ChannelName channel={row.channel} /> },
          { key: 'customers', title: t.customers, align: 'right', width: 120, sorter: (a, b) => a.customers - b.customers, render: (_, row) => <Count value={row.customers} exact /> },
          { key: 'linked', title: t.linked, align: 'right', width: 120, render: (_, row) => <Count value={row.linked} exact /> },
          { key: 'rate', title: t.rate, align: 'right', width: 100, sorter: (a, b) => a.rate - b.rate, render: (_, row) => <strong className="tabular">{percent(row.rate)}</strong> },
          { key: 'bar', title: <QuietHead>{t.rate}</QuietHead>, width: '30%', render: (_, row) => <div className="bar-track"><div className="bar-fill" style={{ width: percent(row.rate), background: channelLook(row.channel).colour[scheme] }} /></div> },
        ]}
      />
    </Panel>
  );
}
