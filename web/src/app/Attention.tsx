/* SPDX-License-Identifier: Apache-2.0 */
/* Attention: what waits for a person or is not well, as a list of sentences with a way to each. Shown in the
 * bar above and on the page Today.
 */
import { BellOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Badge, Button, Popover } from 'antd';
import { Link } from 'react-router';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { exactCount } from '@/lib/format';
import { healthOf, touchQueries, type Account, type Stop } from '@/features/touches/model';
import { feedList, type Feed } from '@/features/sources/feed';
import { sinkList, type Sink } from '@/features/sources/sink';
import { journeyHeads, type JourneyHead } from '@/features/journeys/heads';
import { may } from '@/lib/permissions';
import { catalogue } from '@/lib/text';
import type { Tone } from '@/ui/Marks';
import { useClock } from './clock';
import { useText } from './preferences';
import { useSession } from './session';

export const attentionTexts = catalogue({
  zh: {
    title: '需要处理',
    count: (count: number) => `需要处理，${count} 项`,
    nothing: '目前没有需要处理的事。',
    refusals: (count: string) => `${count} 条被拒绝的合并等待复核`,
    refusalsWhy: '系统拿不准是不是同一个人，由你来定',
    quarantined: (count: string) => `${count} 条事件在隔离区`,
    quarantinedWhy: '不符合埋点方案，修正后可以重放',
    failing: '服务器报告异常',
    lag: (count: string) => `有 ${count} 条事件排队等待处理`,
    lagWhy: '已经写入日志，不会丢，稍后可见',
    silent: (name: string, hours: string) => `「${name}」已经 ${hours} 小时没有事件`,
    silentWhy: '接入可能断了，或者密钥换过没有更新',
    late: (name: string, hours: string) => `「${name}」的数据只说到 ${hours} 小时前`,
    lateWhy: '依赖它的旅程和统计会等，或者标为未完整',
    stopAll: '急停：所有发送已停止',
    stopPart: (count: string) => `${count} 处发送已停止`,
    stopWhy: '还没发的先留着，恢复后再过一遍关卡',
    account: (key: string) => `发送账号「${key}」连续失败，暂停尝试`,
    accountWhy: '服务商拒绝或没有应答，消息先排队',
    uncertain: (key: string, count: string) => `「${key}」有 ${count} 条不知道发没发出去`,
    uncertainWhy: '服务商没有回答，逐条决定再发还是算已发',
    shouldNot: '有触达事后看不该发',
    shouldNotWhy: '退款、取消或迟到的事件让它们变得不对',
    preparing: (name: string) => `旅程「${name}」正在准备上线`,
    preparingWhy: '历史读完后开始放人进来',
    warehouse: '数据仓库还没有准备好',
    warehouseWhy: '收数不受影响；历史查询暂时只看内存',
    shard: (number: string, count: string) => `数据仓库的分片 ${number} 连不上（共 ${count} 个）`,
    shardWhy: '收数不受影响；要查它上面数据的请求会失败，恢复后自动补上',
    feed: (key: string) => `Kafka 接入「${key}」读不到消息`,
    sink: (key: string) => `Kafka 输出「${key}」发不出去`,
  },
  en: {
    title: 'Needs attention',
    count: (count) => `Needs attention, ${count} items`,
    nothing: 'Nothing needs your attention now.',
    refusals: (count) => `${count} refused links wait for review`,
    refusalsWhy: 'whether they are one person is yours to decide',
    quarantined: (count) => `${count} events are in quarantine`,
    quarantinedWhy: 'they do not fit the tracking plan and can be replayed after a fix',
    failing: 'The server says it is not well',
    lag: (count) => `${count} events wait to be applied`,
    lagWhy: 'they are in the log and safe, and will show shortly',
    silent: (name, hours) => `No event from "${name}" for ${hours} hours`,
    silentWhy: 'the connection may be broken, or a replaced key not passed on',
    late: (name, hours) => `"${name}" has told everything only up to ${hours} hours ago`,
    lateWhy: 'journeys and figures that need it wait, or are marked as not whole',
    stopAll: 'All sending is stopped',
    stopPart: (count) => `Sending is stopped in ${count} places`,
    stopWhy: 'what waits is held, and passes the gates again when sending goes on',
    account: (key) => `Account "${key}" rests after failures`,
    accountWhy: 'the provider refuses or does not answer; messages queue',
    uncertain: (key, count) => (count === '1' ? `A message of "${key}" may or may not have gone out` : `${count} messages of "${key}" may or may not have gone out`),
    uncertainWhy: 'the provider did not say; decide for each whether it is sent again',
    shouldNot: 'Some touches should not have been sent',
    shouldNotWhy: 'refunds, cancellations or late events made them wrong',
    preparing: (name) => `Journey "${name}" prepares to go live`,
    preparingWhy: 'people enter once the past has been read',
    warehouse: 'The warehouse is not ready yet',
    warehouseWhy: 'collecting goes on; history is read from memory for now',
    shard: (number, count) => `Shard ${number} of ${count} of the warehouse is away`,
    shardWhy: 'collecting goes on; what asks for its rows fails, and it catches up by itself',
    feed: (key) => `Feed "${key}" gets no messages from Kafka`,
    sink: (key) => `Sink "${key}" cannot tell Kafka its news`,
  },
});

export interface AttentionItem {
  key: string;
  tone: Tone;
  text: string;
  why: string;
  to: string;
}

const lagWorthSaying = 5_000;
const silentAfterMs = 24 * 3_600_000;
const silentShown = 3;

/* Sources that have sent before and are silent now, the longest first. */
export function silentSources(sources: readonly Schemas['Source'][], nowMs: number): { source: Schemas['Source']; hours: number }[] {
  return sources
    .filter((source) => !source.disabled && source.last_event_at !== null)
    .map((source) => ({ source, ageMs: nowMs - Date.parse(source.last_event_at ?? '') }))
    .filter((one) => one.ageMs > silentAfterMs)
    .sort((a, b) => b.ageMs - a.ageMs)
    .map((one) => ({ source: one.source, hours: Math.floor(one.ageMs / 3_600_000) }));
}

/* Sources that send, but have told everything only up to long ago: a bridge that lags, a file that did not come. */
export function lateSources(sources: readonly Schemas['Source'][], nowMs: number): { source: Schemas['Source']; hours: number }[] {
  const silent = new Set(silentSources(sources, nowMs).map((one) => one.source.key));
  return sources
    .filter((source) => !source.disabled && !silent.has(source.key) && (source.watermark ?? null) !== null)
    .map((source) => ({ source, ageMs: nowMs - Date.parse(source.watermark ?? '') }))
    .filter((one) => one.ageMs > silentAfterMs)
    .sort((a, b) => b.ageMs - a.ageMs)
    .map((one) => ({ source: one.source, hours: Math.floor(one.ageMs / 3_600_000) }));
}

type Words = ReturnType<typeof useText<typeof attentionTexts.zh>>;

/* What has to do with sending. */
export interface Sending {
  stops: readonly Stop[];
  accounts: readonly Account[];
  journeys: readonly JourneyHead[];
  hasCorrections: boolean;
}

const noSending: Sending = { stops: [], accounts: [], journeys: [], hasCorrections: false };

function sendingItems({ stops, accounts, journeys, hasCorrections }: Sending, t: Words): AttentionItem[] {
  const items: AttentionItem[] = [];
  if (stops.length > 0) {
    const isAll = stops.some((one) => one.scope === 'all');
    items.push({ key: 'stopped', tone: 'bad', text: isAll ? t.stopAll : t.stopPart(exactCount(stops.length)), why: stops[0]?.why === undefined || stops[0].why === '' ? t.stopWhy : stops[0].why, to: '/touches' });
  }
  for (const account of accounts) {
    const health = healthOf(account);
    if (health?.is_open === true) items.push({ key: `account ${account.key}`, tone: 'bad', text: t.account(account.key), why: health.failing === '' ? t.accountWhy : health.failing, to: '/touches?tab=accounts' });
    if ((health?.uncertain ?? 0) > 0) items.push({ key: `uncertain ${account.key}`, tone: 'warn', text: t.uncertain(account.key, exactCount(health?.uncertain ?? 0)), why: t.uncertainWhy, to: '/touches?status=uncertain' });
  }
  if (hasCorrections) items.push({ key: 'should not', tone: 'warn', text: t.shouldNot, why: t.shouldNotWhy, to: '/touches?tab=corrections' });
  for (const journey of journeys) {
    const name = journey.name === '' ? journey.key : journey.name;
    if (journey.state === 'preparing') items.push({ key: `preparing ${journey.key}`, tone: 'info', text: t.preparing(name), why: t.preparingWhy, to: `/journeys/${journey.key}` });
  }
  return items;
}

/* What comes from Kafka and goes there. */
export interface Streams {
  feeds: readonly Feed[];
  sinks: readonly Sink[];
}

const noStreams: Streams = { feeds: [], sinks: [] };

function streamItems({ feeds, sinks }: Streams, t: Words): AttentionItem[] {
  const isFailing = (one: Feed | Sink): boolean => one.state === 'failing';
  return [
    ...feeds.filter(isFailing).map((one): AttentionItem => ({ key: `feed ${one.key}`, tone: 'bad', text: t.feed(one.key), why: one.problem, to: `/data/feeds?feed=${one.key}` })),
    ...sinks.filter(isFailing).map((one): AttentionItem => ({ key: `sink ${one.key}`, tone: 'bad', text: t.sink(one.key), why: one.problem, to: `/data/sinks?sink=${one.key}` })),
  ];
}

export function attentionItems(
  overview: Schemas['Overview'] | undefined,
  system: Schemas['System'] | undefined,
  sources: readonly Schemas['Source'][],
  nowMs: number,
  t: Words,
  sending: Sending = noSending,
  streams: Streams = noStreams,
): AttentionItem[] {
  const items: AttentionItem[] = [];
  if (system !== undefined && system.failing !== '') {
    items.push({ key: 'failing', tone: 'bad', text: t.failing, why: system.failing, to: '/settings/system' });
  }
  items.push(...sendingItems(sending, t));
  const shards = system?.warehouse.shards ?? [];
  const away = shards.map((one, at) => ({ ...one, number: at + 1 })).filter((one) => !one.ready);
  for (const one of away) {
    items.push({ key: `shard ${String(one.number)}`, tone: 'bad', text: t.shard(exactCount(one.number), exactCount(shards.length)), why: t.shardWhy, to: '/settings/system' });
  }
  items.push(...streamItems(streams, t));
  if (system !== undefined && !system.warehouse.ready && away.length === 0) {
    items.push({ key: 'warehouse', tone: 'warn', text: t.warehouse, why: t.warehouseWhy, to: '/settings/system' });
  }
  if (system !== undefined && system.engine.lag > lagWorthSaying) {
    items.push({ key: 'lag', tone: 'info', text: t.lag(exactCount(system.engine.lag)), why: t.lagWhy, to: '/settings/system' });
  }
  if (overview !== undefined && overview.refusals_open > 0) {
    items.push({ key: 'refusals', tone: 'warn', text: t.refusals(exactCount(overview.refusals_open)), why: t.refusalsWhy, to: '/identity/review' });
  }
  if (overview !== undefined && overview.quarantined > 0) {
    items.push({ key: 'quarantined', tone: 'warn', text: t.quarantined(exactCount(overview.quarantined)), why: t.quarantinedWhy, to: '/data/quarantine' });
  }
  for (const { source, hours } of silentSources(sources, nowMs).slice(0, silentShown)) {
    const name = source.name === '' ? source.key : source.name;
    items.push({ key: `silent ${source.key}`, tone: 'info', text: t.silent(name, exactCount(hours)), why: t.silentWhy, to: `/data/sources/${source.key}` });
  }
  for (const { source, hours } of lateSources(sources, nowMs).slice(0, silentShown)) {
    const name = source.name === '' ? source.key : source.name;
    items.push({ key: `late ${source.key}`, tone: 'info', text: t.late(name, exactCount(hours)), why: t.lateWhy, to: `/data/sources/${source.key}` });
  }
  return items;
}

/* `isKnown`: all that may be asked has answered; until then an empty list says nothing. */
export function useAttention(): { items: AttentionItem[]; isKnown: boolean } {
  const t = useText(attentionTexts);
  /* what this person may not ask is not asked */
  const { user } = useSession();
  const [seesSystem, seesSources, seesStops, seesAccounts, seesJourneys, seesTouches, seesSinks] = ['system.see', 'source.see', 'stop.see', 'channel.see', 'journey.see', 'touch.see', 'export.see'].map((right) => may(user.permissions, right));
  const overview = useQuery({ ...queries.overview(), enabled: seesSystem === true });
  const system = useQuery({ ...queries.system(), enabled: seesSystem === true });
  const sources = useQuery({ ...queries.sources(), refetchInterval: 60_000, enabled: seesSources === true });
  const stops = useQuery({ ...touchQueries.stops(), enabled: seesStops === true && user.team === null });
  const accounts = useQuery({ ...touchQueries.accounts(), refetchInterval: 30_000, enabled: seesAccounts === true });
  const journeys = useQuery({ ...journeyHeads(), refetchInterval: 30_000, enabled: seesJourneys === true });
  const corrections = useQuery({ ...touchQueries.anyShouldNot(), enabled: seesTouches === true });
  const feeds = useQuery({ ...feedList(), refetchInterval: 30_000, enabled: seesSources === true && user.team === null });
  const sinks = useQuery({ ...sinkList(), refetchInterval: 30_000, enabled: seesSinks === true && user.team === null });
  const { nowMs } = useClock();
  const streams = { feeds: feeds.data?.items ?? [], sinks: sinks.data?.items ?? [] };
  const sending = { stops: stops.data ?? [], accounts: accounts.data?.items ?? [], journeys: journeys.data?.items ?? [], hasCorrections: corrections.data ?? false };
  const isKnown = [overview, system, sources, stops, accounts, journeys, corrections, feeds, sinks].every((query) => query.fetchStatus === 'idle' || query.data !== undefined || query.isError);
  return { items: attentionItems(overview.data, system.data, sources.data?.items ?? [], nowMs, t, sending, streams), isKnown };
}

export function AttentionList({ items }: { items: readonly AttentionItem[] }) {
  const t = useText(attentionTexts);
  if (items.length === 0) return <p className="soft">{t.nothing}</p>;
  return (
    <ul className="stack" style={{ gap: 2 }}>
      {items.map((item) => (
        <li key={item.key}>
          <Link to={item.to} className="attention-item">
            <i className={`pill ${item.tone}`} aria-hidden="true" />
            <span className="grow">
              <span style={{ display: 'block', color: 'var(--ink)' }}>{item.text}</span>
              <span className="small faint">{item.why}</span>
            </span>
            <span aria-hidden="true" className="faint">›</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

export function Attention() {
  const t = useText(attentionTexts);
  const { items } = useAttention();
  return (
    <Popover trigger="click" placement="bottomRight" content={<section aria-label={t.title} className="tray"><h2>{t.title}</h2><AttentionList items={items} /></section>}>
      <Badge dot={items.length > 0} offset={[-8, 8]} color={items.some((item) => item.tone === 'bad') ? 'var(--bad)' : 'var(--warn)'}>
        <Button type="text" icon={<BellOutlined />} aria-label={t.count(items.length)} />
      </Badge>
    </Popover>
  );
}
