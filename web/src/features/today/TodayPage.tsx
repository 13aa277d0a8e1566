/* SPDX-License-Identifier: Apache-2.0 */
/* Today: the day so far, what needs a person, and for a new brand what comes first. */
import { useQuery } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';
import { Link } from 'react-router';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { AttentionList, attentionTexts, useAttention } from '@/app/Attention';
import { useClock } from '@/app/clock';
import { refusalOf } from '@/app/rights';
import { useLanguage, useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { clockTime, dateTime, exactCount, money, perSecond, percent, shortCount, shortMoney } from '@/lib/format';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { Chart, useAxes } from '@/ui/Chart';
import { ChannelMark, Count, Outcome, Time, useChannelName, useEventName } from '@/ui/Marks';
import { Band, Figure, Page, Panel } from '@/ui/Page';
import { Bone, Bones, Empty, Failure, Loaded } from '@/ui/States';
import { journeyHeads } from '../journeys/heads';
import { LinkRateRows } from '../identity/LinkRateRows';
import { useLiveFeed } from '../live/feed';
import { Button, Tooltip } from 'antd';
import { eventsToday, peopleBehind, useTodayCount, type TodayFigure } from './figures';
import { SetupPanel } from './Setup';
import { Sparkline, useTrail } from './Sparkline';

const texts = catalogue({
  zh: {
    title: '今日',
    purpose: '今天到现在怎么样，哪里等你处理。',
    today: '今天到现在',
    eventsToday: '事件',
    eventsAll: (count: string, rate: string) => `累计 ${count} · ${rate} 条/秒`,
    newCustomers: '新客户',
    newNote: (count: string) => `客户共 ${count}`,
    orders: '今日订单', ordersNote: '今天付款，未取消、未全退', revenue: '净销售额', revenueNote: (refunded: string) => `已扣退款 ${refunded}`, noRefund: '今天的订单还没有退款',
    buyers: '下单客户',
    buyersNote: '今天付过款的人',
    members: '活跃会员',
    membersNote: '有会员卡，今天来过',
    journeys: '进行中的旅程',
    journeysNote: (inside: string) => `${inside} 人在里面`,
    people: (name: string) => `看看是谁：${name}`,
    identified: (share: string) => `${share} 已识别身份`,
    merges: '今日合并',
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
    purpose: 'How the day has gone so far, and what waits for you.',
    today: 'Today so far',
    eventsToday: 'Events',
    eventsAll: (count, rate) => `${count} in all · ${rate}/s`,
    newCustomers: 'New customers',
    newNote: (count) => `${count} customers in all`,
    orders: 'Orders today', ordersNote: 'paid today, not cancelled or wholly refunded', revenue: 'Net revenue', revenueNote: (refunded) => `less ${refunded} refunded`, noRefund: "nothing of today's orders is refunded",
    buyers: 'Customers who bought',
    buyersNote: 'paid an order today',
    members: 'Active members',
    membersNote: 'with a card, seen today',
    journeys: 'Live journeys',
    journeysNote: (inside) => `${inside} people inside`,
    people: (name) => `See who they are: ${name}`,
    identified: (share) => `${share} are identified`,
    merges: 'Merges today',
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
  const { user } = useSession();
  const overview = useQuery(queries.overview());
  if (overview.data !== undefined && overview.data.events === 0 && overview.data.customers === 0) {
    return (
      <Page title={t.title} purpose={t.purpose}>
        <div className="stack">
          <Panel><Empty title={t.startTitle} action={<Link to="/data/sources?create=1"><Button type="primary" tabIndex={-1}>{t.startAction}</Button></Link>}>{t.start}</Empty></Panel>
          <SetupPanel isAlways />
        </div>
      </Page>
    );
  }
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="stack">
        <DayFigures overview={overview.data} failed={overview.isError ? overview.error : null} />
        <SetupPanel />
        {overview.data?.withheld === true ? <AttentionPanel /> : <div className="split-2">
          {overview.data === undefined ? <Panel title={t.byHour}><Bones rows={5} inset={0} /></Panel> : <ByHour overview={overview.data} />}
          <AttentionPanel />
        </div>}
        {refusalOf('/identity/link-rate', user) === null ? <div className="split-2"><LinkRatePanel /><FeedPanel /></div> : <FeedPanel />}
      </div>
    </Page>
  );
}

/* Each card waits for its own answer: one that is slow holds no other. What a team may not see the sum of is left out. */
function DayFigures({ overview, failed }: { overview: Schemas['Overview'] | undefined; failed: unknown }) {
  const t = useText(texts);
  const language = useLanguage();
  const { zone, nowMs } = useClock();
  const maySum = useMay('analysis.see');
  const seesJourneys = useMay('journey.see');
  const trail = useTrail(overview?.events_per_second, overview?.as_of);
  if (overview === undefined && failed !== null) return <Panel><Failure error={failed} /></Panel>;
  const ofHouse = overview?.withheld !== true;
  const note = (text: (known: Schemas['Overview']) => string): ReactNode => (overview === undefined ? <Bone width={90} height={12} /> : text(overview));
  return (
    <Band>
      {ofHouse && (
        <Figure label={t.eventsToday} note={note((known) => t.eventsAll(shortCount(known.events, language), perSecond(known.events_per_second)))}>
          {overview === undefined ? <Bone width={110} height={26} /> : <span className="row" style={{ gap: 12 }}><Count value={eventsToday(overview.by_hour, nowMs, zone)} /><Sparkline points={trail} width={64} /></span>}
        </Figure>
      )}
      {maySum && <Takings />}
      <People figure="newCustomers" name={t.newCustomers} note={note((known) => t.newNote(shortCount(known.customers, language)))} />
      <People figure="buyers" name={t.buyers} note={t.buyersNote} />
      <People figure="activeMembers" name={t.members} note={t.membersNote} />
      {seesJourneys && <LiveJourneys />}
      {ofHouse && <Figure label={t.merges} note={note((known) => t.identified(percent(known.customers === 0 ? 0 : known.identified / known.customers)))}>{overview === undefined ? <Bone width={72} height={26} /> : <Count value={overview.merges_today} />}</Figure>}
    </Band>
  );
}

function LiveJourneys() {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const journeys = useQuery({ ...journeyHeads(), refetchInterval: 30_000 });
  if (journeys.data === undefined) return <Figure label={t.journeys}>{journeys.isError ? <span className="faint">{common.none}</span> : <Bone width={40} height={26} />}</Figure>;
  const live = journeys.data.items.filter((one) => one.state === 'live').length;
  const inside = journeys.data.items.reduce((sum, one) => sum + one.inside, 0);
  return <Figure label={t.journeys} note={t.journeysNote(shortCount(inside, language))}><Link to="/journeys" className="figure-link" aria-label={`${t.journeys} ${live}`}><Count value={live} /></Link></Figure>;
}

/* Orders that were paid today and what of them stays, in the currency of most of them; the others on hover. */
function Takings() {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const { zone } = useClock();
  const today = useQuery(queries.today());
  if (today.data === undefined) {
    const bone = today.isError ? <span className="faint">{common.none}</span> : <Bone width={72} height={26} />;
    return <><Figure label={t.orders} note={t.ordersNote}>{bone}</Figure><Figure label={t.revenue}>{bone}</Figure></>;
  }
  const { as_of, orders, revenue, partial } = today.data;
  const [first, ...others] = revenue;
  const asOf = partial || as_of === null ? common.partial : common.asOf(clockTime(as_of, language, zone));
  return (
    <>
      <Figure label={t.orders} note={t.ordersNote}><Tooltip title={asOf}><span tabIndex={0}><Count value={orders} /></span></Tooltip></Figure>
      <Figure label={t.revenue} note={first === undefined || first.refunded === 0 ? t.noRefund : t.revenueNote(shortMoney(first.refunded, first.currency, language))}>
        <Tooltip title={<>{revenue.map((one) => <div key={one.currency}>{money(one.net, one.currency)}</div>)}{asOf}</>}>
          <span tabIndex={0} className="tabular">{first === undefined ? money(0, 'CNY') : shortMoney(first.net, first.currency, language)}{others.length > 0 && <span className="faint small"> +{others.length}</span>}</span>
        </Tooltip>
      </Figure>
    </>
  );
}

/* A count of people, and the way to them. */
function People({ figure, name, note }: { figure: TodayFigure; name: string; note: ReactNode }) {
  const t = useText(texts);
  const common = useText(words);
  const { count, isError } = useTodayCount(figure);
  return (
    <Figure label={name} note={note}>
      {count === undefined ? (isError ? <span className="faint">{common.none}</span> : <Bone width={56} height={26} />) : <Link to={peopleBehind(figure, `${t.today} · ${name}`)} className="figure-link" title={t.people(name)} aria-label={`${t.people(name)} ${count}`}><Count value={count} /></Link>}
    </Figure>
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
  const { items, isKnown } = useAttention();
  return <Panel title={t.title}>{items.length === 0 && !isKnown ? <Bones rows={3} inset={0} /> : <AttentionList items={items} />}</Panel>;
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
