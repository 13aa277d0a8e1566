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
import { catalogue } from '@/lib/text';
import type { Tone } from '@/ui/Marks';
import { useClock } from './clock';
import { useText } from './preferences';

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
    warehouse: '数据仓库还没有准备好',
    warehouseWhy: '收数不受影响；历史查询暂时只看内存',
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
    warehouse: 'The warehouse is not ready yet',
    warehouseWhy: 'collecting goes on; history is read from memory for now',
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

export function attentionItems(
  overview: Schemas['Overview'] | undefined,
  system: Schemas['System'] | undefined,
  sources: readonly Schemas['Source'][],
  nowMs: number,
  t: ReturnType<typeof useText<typeof attentionTexts.zh>>,
): AttentionItem[] {
  const items: AttentionItem[] = [];
  if (system !== undefined && system.failing !== '') {
    items.push({ key: 'failing', tone: 'bad', text: t.failing, why: system.failing, to: '/settings/system' });
  }
  if (system !== undefined && !system.warehouse.ready) {
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
  return items;
}

export function useAttention(): AttentionItem[] {
  const t = useText(attentionTexts);
  const overview = useQuery(queries.overview());
  const system = useQuery(queries.system());
  const sources = useQuery({ ...queries.sources(), refetchInterval: 60_000 });
  const { nowMs } = useClock();
  return attentionItems(overview.data, system.data, sources.data?.items ?? [], nowMs, t);
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
  const items = useAttention();
  return (
    <Popover trigger="click" placement="bottomRight" title={t.title} content={<div style={{ width: 320 }}><AttentionList items={items} /></div>}>
      <Badge dot={items.length > 0} offset={[-8, 8]} color={items.some((item) => item.tone === 'bad') ? 'var(--bad)' : 'var(--warn)'}>
        <Button type="text" icon={<BellOutlined />} aria-label={t.count(items.length)} />
      </Badge>
    </Popover>
  );
}
