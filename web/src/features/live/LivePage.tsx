/* SPDX-License-Identifier: Apache-2.0 */
/* LivePage: the debugger. What came in, as it came, beside what became of it and why. */
import { ClearOutlined, PauseOutlined, CaretRightOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Drawer, Input, Select, Tooltip } from 'antd';
import { memo, useEffect, useMemo, useState, type KeyboardEvent } from 'react';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { clockTime } from '@/lib/format';
import { useDebounced, useFilters } from '@/lib/hooks';
import { useNarrow } from '@/lib/media';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { Chips } from '@/ui/Controls';
import { ChannelMark, EventName, Outcome } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { LiveDetail } from './LiveDetail';
import { useLiveFeed, type LiveEvent } from './feed';
import './live.css';

const texts = catalogue({
  zh: {
    title: '实时事件',
    purpose: '看每条事件的原文、结果和原因。这里保留最近 2,000 条；每秒超过 200 条时抽样显示，入库不受影响。',
    source: '数据源',
    allSources: '全部数据源',
    type: '事件名',
    outcome: '结果',
    pause: '暂停',
    resume: (count: number) => (count === 0 ? '继续' : `继续，有 ${count} 条新事件`),
    clear: '清空列表',
    stream: '实时推送中',
    polling: '每 2 秒刷新',
    paused: '已暂停',
    list: '最近的事件',
    emptyTitle: '等待第一条事件',
    empty: '用任一 SDK 发一条事件，它会在一秒内出现在这里。接入代码在「数据源」里可以直接复制。',
    emptyFiltered: '没有符合筛选条件的事件。换个条件，或等新的事件进来。',
    choose: '从左边选一条事件',
    chooseHint: '这里会显示它的原文，以及系统怎样处理、为什么。',
    detail: '事件详情',
  },
  en: {
    title: 'Live events',
    purpose: 'Each event as it came, what became of it, and why. The last 2,000 are kept; above 200 a second a sample is shown, while all are taken in.',
    source: 'Source',
    allSources: 'All sources',
    type: 'Event name',
    outcome: 'Outcome',
    pause: 'Pause',
    resume: (count) => (count === 0 ? 'Go on' : `Go on, ${count} new`),
    clear: 'Clear the list',
    stream: 'Live',
    polling: 'Every 2 s',
    paused: 'Paused',
    list: 'Last events',
    emptyTitle: 'Waiting for the first event',
    empty: 'Send an event with any SDK and it shows here within a second. The code to paste is on the page of a source.',
    emptyFiltered: 'No event fits the filters. Change them, or wait for new ones.',
    choose: 'Choose an event on the left',
    chooseHint: 'You will see it as it came, what the system did with it, and why.',
    detail: 'Event',
  },
});

const outcomes = ['', 'applied', 'duplicate', 'quarantined', 'refused'] as const;

export function LivePage() {
  const t = useText(texts);
  const common = useText(words);
  const [filters, setFilters] = useFilters({ source: '', type: '', outcome: '' });
  const [typed, setTyped] = useState(filters.type);
  const settled = useDebounced(typed, 300);
  useEffect(() => setFilters({ type: settled }), [settled, setFilters]);
  const [paused, setPaused] = useState(false);
  const [chosen, setChosen] = useState<number | null>(null);
  const feed = useLiveFeed(filters, paused);
  const sources = useQuery(queries.sources());
  const channelOf = useMemo(() => new Map(sources.data?.items.map((source) => [source.key, source.channel === '' ? source.key : source.channel])), [sources.data]);
  const narrow = useNarrow();
  /* beside the list there is room for one: the newest, until another is chosen */
  const newest = feed.events[0]?.id;
  useEffect(() => {
    if (!narrow && newest !== undefined) setChosen((now) => now ?? newest);
  }, [narrow, newest]);
  const event = feed.events.find((one) => one.id === chosen);
  const isFiltered = filters.source !== '' || filters.type !== '' || filters.outcome !== '';

  return (
    <Page
      title={t.title} purpose={t.purpose}
      actions={
        <>
          <span className={`pulse ${paused ? 'quiet' : ''}`} role="status"><i aria-hidden="true" />{paused ? t.paused : feed.way === 'stream' ? t.stream : t.polling}</span>
          <Tooltip title={t.clear}><Button icon={<ClearOutlined />} aria-label={t.clear} onClick={() => { feed.clear(); setChosen(null); }} /></Tooltip>
          <Button type={paused ? 'primary' : 'default'} icon={paused ? <CaretRightOutlined /> : <PauseOutlined />} onClick={() => setPaused(!paused)}>
            {paused ? t.resume(feed.waiting) : t.pause}
          </Button>
        </>
      }
    >
      <div className="filters">
        <Select
          aria-label={t.source} value={filters.source} style={{ width: 180 }} showSearch={{ optionFilterProp: 'label' }}
          onChange={(source) => setFilters({ source })}
          options={[{ value: '', label: t.allSources }, ...(sources.data?.items ?? []).map((source) => ({ value: source.key, label: source.name === '' ? source.key : source.name }))]}
        />
        <Input allowClear style={{ width: 200 }} placeholder={t.type} aria-label={t.type} value={typed} onChange={(change) => setTyped(change.target.value)} />
        <Chips
          label={t.outcome} value={filters.outcome} onChange={(outcome) => setFilters({ outcome })}
          choices={outcomes.map((outcome) => ({ value: outcome as string, label: outcome === '' ? common.all : common.outcome[outcome] }))}
        />
      </div>
      <div className="live">
        <Panel flush className="live-list">
          {feed.isLoading && <Bones rows={12} height={36} />}
          {!feed.isLoading && feed.error !== null && feed.events.length === 0 && <Failure error={feed.error} />}
          {!feed.isLoading && feed.error === null && feed.events.length === 0 && (
            <Empty title={t.emptyTitle}>{isFiltered ? t.emptyFiltered : t.empty}</Empty>
          )}
          {feed.events.length > 0 && <LiveList label={t.list} events={feed.events} chosen={chosen} onChoose={setChosen} channelOf={channelOf} />}
        </Panel>
        {!narrow && (
          <Panel className="live-detail">
            {event === undefined ? <Empty title={t.choose}>{t.chooseHint}</Empty> : <LiveDetail event={event} />}
          </Panel>
        )}
      </div>
      {narrow && (
        <Drawer open={event !== undefined} onClose={() => setChosen(null)} title={t.detail} size="100%">
          {event !== undefined && <LiveDetail event={event} />}
        </Drawer>
      )}
    </Page>
  );
}

interface ListProps {
  label: string;
  events: readonly LiveEvent[];
  chosen: number | null;
  onChoose: (id: number) => void;
  channelOf: ReadonlyMap<string, string>;
}

function LiveList({ label, events, chosen, onChoose, channelOf }: ListProps) {
  const pressed = (key: KeyboardEvent): void => {
    if (key.key !== 'ArrowDown' && key.key !== 'ArrowUp') return;
    key.preventDefault();
    const at = events.findIndex((event) => event.id === chosen);
    const next = events[at === -1 ? 0 : at + (key.key === 'ArrowDown' ? 1 : -1)];
    if (next === undefined) return;
    onChoose(next.id);
    document.getElementById(`live-${next.id}`)?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <div
      className="live-rows" role="listbox" aria-label={label} tabIndex={0} onKeyDown={pressed}
      aria-activedescendant={chosen === null ? undefined : `live-${chosen}`}
    >
      {events.map((event) => (
        <LiveRow key={event.id} event={event} isChosen={event.id === chosen} onChoose={onChoose} channel={channelOf.get(event.source) ?? event.source} />
      ))}
    </div>
  );
}

const LiveRow = memo(function LiveRow({ event, isChosen, onChoose, channel }: { event: LiveEvent; isChosen: boolean; onChoose: (id: number) => void; channel: string }) {
  const language = useLanguage();
  const { zone } = useClock();
  return (
    <div id={`live-${event.id}`} role="option" aria-selected={isChosen} className="live-row" onClick={() => onChoose(event.id)}>
      <time className="tabular faint small" dateTime={event.at}>{clockTime(event.at, language, zone)}</time>
      <ChannelMark channel={channel} size={20} />
      <span className="cut grow"><EventName type={event.type} /></span>
      <span className="faint small cut live-source">{event.source}</span>
      <Outcome outcome={event.outcome} />
    </div>
  );
});
