/* SPDX-License-Identifier: Apache-2.0 */
/* Today: does data come in, who was recognised, what needs a person. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link } from 'react-router';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { AttentionList, attentionTexts, useAttention } from '@/app/Attention';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { clockTime, dateTime, exactCount, perSecond, percent, shortCount } from '@/lib/format';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { Chart, useAxes } from '@/ui/Chart';
import { ChannelMark, Count, Outcome, Time, useChannelName, useEventName } from '@/ui/Marks';
import { Band, Figure, Page, Panel } from '@/ui/Page';
import { Bone, Bones, Empty, Failure, Loaded } from '@/ui/States';
import { LinkRateRows } from '../identity/LinkRateRows';
import { useLiveFeed } from '../live/feed';
import { Button } from 'antd';
import { Sparkline, useTrail } from './Sparkline';

const texts = catalogue({
  zh: {
    title: '今日',
    purpose: '数据进得来吗，认出了谁，哪里等你处理。',
    customers: '客户',
    identified: (share: string) => `${share} 已识别身份`,
    events: '累计事件',
    duplicates: (count: string) => `已忽略 ${count} 条重复上报`,
    rate: '每秒事件',
    rateNote: '近十秒平均',
    merges: '今日合并',
    mergesNote: '自动认出是同一个人',
    identifiers: '标识',
    perCustomer: (count: string) => `平均每人 ${count} 个`,
    byHour: '过去 24 小时，每小时进来多少事件？',
    hour: '小时',
    eventCount: '事件数',
    byChannel: '各渠道的客户，有多少已经打通？',
    seeLinkRate: '查看打通率',
    feed: '刚刚发生',
    seeLive: '查看实时事件',
    quiet: '还没有事件进来。',
    startTitle: '还没有数据',
    start: '先建一个数据源，把写入密钥放进 SDK，第一条事件到达后这里就会有内容。',
    startAction: '新建数据源',
    unnamed: '匿名客户',
  },
  en: {
    title: 'Today',
    purpose: 'Does data come in, who was recognised, what waits for you.',
    customers: 'Customers',
    identified: (share) => `${share} are identified`,
    events: 'Events so far',
    duplicates: (count) => `${count} repeats ignored`,
    rate: 'Events per second',
    rateNote: 'average of ten seconds',
    merges: 'Merges today',
    mergesNote: 'found to be the same person',
    identifiers: 'Identifiers',
    perCustomer: (count) => `${count} for each customer`,
    byHour: 'How many events came in each hour of the last day?',
    hour: 'Hour',
    eventCount: 'Events',
    byChannel: 'How many customers of each channel are linked?',
    seeLinkRate: 'See the link rate',
    feed: 'Just now',
    seeLive: 'See live events',
    quiet: 'No event has come in yet.',
    startTitle: 'There is no data yet',
    start: 'Make a source and put its write key into an SDK. This page fills with the first event.',
    startAction: 'New source',
    unnamed: 'Anonymous customer',
  },
});

export function TodayPage() {
  const t = useText(texts);
  const overview = useQuery(queries.overview());
  if (overview.data !== undefined && overview.data.events === 0 && overview.data.customers === 0) {
    return (
      <Page title={t.title} purpose={t.purpose}>
        <Panel><Empty title={t.startTitle} action={<Link to="/data/sources?create=1"><Button type="primary">{t.startAction}</Button></Link>}>{t.start}</Empty></Panel>
      </Page>
    );
  }
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="stack">
        <Figures overview={overview.data} failed={overview.isError ? overview.error : null} />
        <div className="split-2">
          {overview.data === undefined ? <Panel title={t.byHour}><Bones rows={5} inset={0} /></Panel> : <ByHour overview={overview.data} />}
          <AttentionPanel />
        </div>
        <div className="split-2">
          <LinkRatePanel />
          <FeedPanel />
        </div>
      </div>
    </Page>
  );
}

function Figures({ overview, failed }: { overview: Schemas['Overview'] | undefined; failed: unknown }) {
  const t = useText(texts);
  const system = useQuery(queries.system());
  const trail = useTrail(overview?.events_per_second, overview?.as_of);
  if (overview === undefined) {
    if (failed !== null) return <Panel><Failure error={failed} /></Panel>;
    return (
      <Band>
        {[t.customers, t.events, t.rate, t.merges, t.identifiers].map((label) => <Figure key={label} label={label} note={<Bone width={90} height={12} />}><Bone width={110} height={26} /></Figure>)}
      </Band>
    );
  }
  const share = overview.customers === 0 ? 0 : overview.identified / overview.customers;
  const perCustomer = overview.customers === 0 ? 0 : overview.identifiers / overview.customers;
  return (
    <Band>
      <Figure label={t.customers} note={t.identified(percent(share))}><Count value={overview.customers} /></Figure>
      <Figure label={t.events} note={system.data === undefined ? ' ' : t.duplicates(exactCount(system.data.counts.duplicates))}><Count value={overview.events} /></Figure>
      <Figure label={t.rate} note={t.rateNote}>
        <span className="row" style={{ gap: 12 }}><span className="tabular">{perSecond(overview.events_per_second)}</span><Sparkline points={trail} /></span>
      </Figure>
      <Figure label={t.merges} note={t.mergesNote}><Count value={overview.merges_today} /></Figure>
      <Figure label={t.identifiers} note={t.perCustomer(perCustomer.toFixed(1))}><Count value={overview.identifiers} /></Figure>
    </Band>
  );
}

function ByHour({ overview }: { overview: Schemas['Overview'] }) {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const { zone } = useClock();
  const axes = useAxes();
  const hours = overview.by_hour;
  const option = useMemo(() => ({
    grid: axes.grid,
    xAxis: { ...axes.category, data: hours.map((one) => clockTime(one.hour, language, zone, false)) },
    yAxis: { ...axes.value, name: t.eventCount, minInterval: 1, axisLabel: { ...axes.value.axisLabel, formatter: (value: number) => shortCount(value, language) } },
    series: [{
      type: 'bar' as const, name: t.eventCount, barMaxWidth: 22, itemStyle: { borderRadius: [3, 3, 0, 0] },
      data: hours.map((one, at) => ({ value: one.events, itemStyle: { opacity: at === hours.length - 1 ? 0.55 : 1 } })),
      tooltip: { valueFormatter: (value: unknown) => exactCount(Number(value)) },
    }],
    /* the axes are made anew with each scheme and language, which is what changes them */
  }), [hours, language, zone, t, axes.colours]);
  return (
    <Chart
      title={t.byHour} note={overview.partial ? common.partial : common.asOf(clockTime(overview.as_of, language, zone))} option={option} file="events-by-hour" height={236}
      table={{ columns: [t.hour, t.eventCount], rows: hours.map((one) => [dateTime(one.hour, language, zone), one.events]) }}
    />
  );
}

function AttentionPanel() {
  const t = useText(attentionTexts);
  const items = useAttention();
  return <Panel title={t.title}><AttentionList items={items} /></Panel>;
}

function LinkRatePanel() {
  const t = useText(texts);
  const rates = useQuery(queries.linkRate());
  return (
    <Panel title={t.byChannel} tools={<Link to="/identity/link-rate" className="small">{t.seeLinkRate}</Link>}>
      <Loaded query={rates} skeleton={<Bones rows={6} height={32} inset={0} />}>
        {(data) => <LinkRateRows items={data.items.slice(0, 8)} />}
      </Loaded>
    </Panel>
  );
}

function FeedPanel() {
  const t = useText(texts);
  const eventName = useEventName();
  const channelName = useChannelName();
  const { events, isLoading } = useLiveFeed({ source: '', type: '', outcome: '' }, false);
  const sources = useQuery(queries.sources());
  const channelOf = (key: string): string => sources.data?.items.find((source) => source.key === key)?.channel ?? key;
  const shown = events.slice(0, 8);
  return (
    <Panel title={t.feed} tools={<Link to="/data/live" className="small">{t.seeLive}</Link>}>
      {isLoading && <Bones rows={6} height={34} inset={0} />}
      {!isLoading && shown.length === 0 && <p className="soft">{t.quiet}</p>}
      <ul>
        {shown.map((event) => (
          <li key={event.id} className="feed-row">
            <ChannelMark channel={channelOf(event.source)} size={20} />
            <span className="grow cut" title={channelName(channelOf(event.source))}>
              {event.one_id === null ? eventName(event.type) : <Link to={`/customers/${event.one_id}`}>{eventName(event.type)}</Link>}
            </span>
            {event.outcome === 'applied' ? <span className="faint small"><Time at={event.at} /></span> : <Outcome outcome={event.outcome} />}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
