/* SPDX-License-Identifier: Apache-2.0 */
/* Timeline: what happened, newest first, by day; filters live in the address, details open in place, more comes
 * while scrolling.
 */
import { DownOutlined, RightOutlined } from '@ant-design/icons';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, DatePicker, Select } from 'antd';
import dayjs from 'dayjs';
import { useCallback, useId, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { useJourneyName, useTemplateName } from '@/features/journeys/heads';
import { calendarDaysBetween, clockTime, dayAfter, dayKey, dayStart, dayTitle } from '@/lib/format';
import { useFilters, useWhenVisible } from '@/lib/hooks';
import { words } from '@/lib/words';
import { Chips } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { ChannelMark, EventName, IdentifierMark, Time, useChannelName, useEventName } from '@/ui/Marks';
import { Bones, Empty, Failure } from '@/ui/States';
import { customerTexts } from './texts';
import { countsBy, factsOf, groupTimeline, type Fact, type TimelineEvent, type TimelineRun } from './timeline';

const channelChips = 6;
const noFilters = { type: '', channel: '', source: '', from: '', until: '' };

/* The address has whole days, both within; the server takes moments, the second of them beyond. */
function spanOf(days: { from: string; until: string }, zone: string): { from: string; until: string } {
  return { from: days.from === '' ? '' : dayStart(days.from, zone), until: days.until === '' ? '' : dayStart(dayAfter(days.until), zone) };
}

export function Timeline({ oneId }: { oneId: string }) {
  const t = useText(customerTexts).timeline;
  const common = useText(words);
  const language = useLanguage();
  const { zone, nowMs } = useClock();
  const [filters, setFilters] = useFilters(noFilters);
  const span = spanOf(filters, zone);
  const pages = useInfiniteQuery(queries.timeline(oneId, { ...filters, ...span }));
  const events = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const days = useMemo(() => groupTimeline(events, zone), [events, zone]);
  const choices = useSeen(oneId, events);
  const { fetchNextPage, hasNextPage, isFetchingNextPage, isFetchNextPageError } = pages;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const sentinel = useWhenVisible(more, hasNextPage && !isFetchingNextPage && !isFetchNextPageError);
  const isFiltered = Object.values(filters).some((value) => value !== '');

  const title = (day: string, at: string): string => {
    const ago = calendarDaysBetween(at, nowMs, zone);
    if (ago === 0) return `${t.today} · ${dayTitle(at, language, zone, nowMs)}`;
    if (ago === 1) return `${t.yesterday} · ${dayTitle(at, language, zone, nowMs)}`;
    return day === '' ? '' : dayTitle(at, language, zone, nowMs);
  };

  return (
    <>
      <TimelineFilters choices={choices} filters={filters} onChange={setFilters} />
      {pages.isPending && <Bones rows={10} inset={0} />}
      {pages.isError && events.length === 0 && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.data?.pages[0]?.partial === true && <div className="notice warn" style={{ marginBottom: 12 }}>{common.partial}</div>}
      {pages.isSuccess && events.length === 0 && (
        <Empty title={t.emptyTitle} action={isFiltered ? <Button onClick={() => setFilters(noFilters)}>{t.clear}</Button> : undefined}>
          {isFiltered ? t.emptyFiltered : t.empty}
        </Empty>
      )}
      {days.map((day) => (
        <section key={day.day} className="timeline-day">
          <h2><span>{title(day.day, day.runs[0]?.events[0]?.time ?? '')}</span><span className="faint">{t.events(day.count)}</span></h2>
          <ol>{day.runs.map((run) => <Run key={run.key} run={run} />)}</ol>
        </section>
      ))}
      {hasNextPage && <div ref={sentinel}><Bones rows={3} inset={0} /></div>}
      {isFetchNextPageError && <div className="right"><Button onClick={more}>{common.action.retry}</Button></div>}
      {pages.isSuccess && !hasNextPage && events.length > 0 && (
        <p className="faint small timeline-end">{t.end} {dayKey(events.at(-1)?.time ?? nowMs, zone)}</p>
      )}
    </>
  );
}

interface Choices { types: [string, number][]; channels: [string, number][] }

/* What has been seen of this customer without filters stays on offer while one is set. */
function useSeen(oneId: string, events: readonly TimelineEvent[]): Choices {
  const all = useInfiniteQuery(queries.timeline(oneId, noFilters));
  return useMemo(() => {
    const seen = all.data?.pages.flatMap((page) => page.items) ?? events;
    return { types: countsBy(seen, 'type'), channels: countsBy(seen, 'channel') };
  }, [all.data, events]);
}

interface FiltersProps {
  choices: Choices;
  filters: { type: string; channel: string; from: string; until: string };
  onChange: (change: { type?: string; channel?: string; from?: string; until?: string }) => void;
}

function TimelineFilters({ choices, filters, onChange }: FiltersProps) {
  const t = useText(customerTexts).timeline;
  const channelName = useChannelName();
  const eventName = useEventName();
  const channels = choices.channels.slice(0, channelChips).map(([channel]) => channel);
  if (filters.channel !== '' && !channels.includes(filters.channel)) channels.push(filters.channel);
  const types = choices.types.map(([type]) => type);
  if (filters.type !== '' && !types.includes(filters.type)) types.push(filters.type);
  return (
    <div className="timeline-filters">
      <Chips
        label={t.channel} value={filters.channel} onChange={(channel) => onChange({ channel })}
        choices={[{ value: '', label: t.all }, ...channels.map((channel) => ({ value: channel, label: <><ChannelMark channel={channel} size={16} />{channelName(channel)}</> }))]}
      />
      <Select
        size="small" aria-label={t.type} value={filters.type} onChange={(type) => onChange({ type })} style={{ width: 150 }} showSearch={{ optionFilterProp: 'label' }}
        options={[{ value: '', label: t.allTypes }, ...types.map((type) => ({ value: type, label: eventName(type) }))]}
      />
      <DatePicker.RangePicker
        size="small" allowEmpty={[true, true]} style={{ width: 230 }} placeholder={[t.fromDay, t.untilDay]} aria-label={t.span}
        value={[filters.from === '' ? null : dayjs(filters.from), filters.until === '' ? null : dayjs(filters.until)]}
        onChange={(days) => onChange({ from: days?.[0]?.format('YYYY-MM-DD') ?? '', until: days?.[1]?.format('YYYY-MM-DD') ?? '' })}
      />
    </div>
  );
}

function Run({ run }: { run: TimelineRun }) {
  const t = useText(customerTexts).timeline;
  const [open, setOpen] = useState(false);
  const first = run.events[0];
  const last = run.events.at(-1);
  const language = useLanguage();
  const { zone } = useClock();
  if (first === undefined || last === undefined) return null;
  if (run.events.length === 1) return <li><Item event={first} /></li>;
  return (
    <li>
      <button type="button" className="timeline-item" aria-expanded={open} onClick={() => setOpen(!open)}>
        <time className="tabular range">{clockTime(last.time, language, zone, false)}–{clockTime(first.time, language, zone, false)}</time>
        <ChannelMark channel={first.channel} size={24} />
        <span className="timeline-text"><strong><EventName type={first.type} /></strong><span className="soft"> {t.folded(run.events.length)}</span></span>
        {open ? <DownOutlined className="turn" /> : <RightOutlined className="turn" />}
      </button>
      {open && <ol className="timeline-folded">{run.events.map((event) => <li key={event.seq}><Item event={event} /></li>)}</ol>}
    </li>
  );
}

function FactText({ fact }: { fact: Fact }) {
  const t = useText(customerTexts).timeline;
  const journeyName = useJourneyName();
  const templateName = useTemplateName();
  switch (fact.kind) {
    case 'money': return <span className={`tabular fact-money ${fact.negative ? 'negative' : ''}`}>{fact.negative ? '−' : ''}{fact.text}</span>;
    case 'quantity': return <span className="tabular">{t.goods(fact.count)}</span>;
    case 'order': return <span className="mono">{t.order(fact.text)}</span>;
    case 'journey': return <span>{journeyName(fact.text)}</span>;
    case 'template': return <span>{templateName(fact.text)}</span>;
    case 'text': return <span>{fact.text}</span>;
  }
}

const lateWorthSayingMs = 3_600_000;

function Item({ event }: { event: TimelineEvent }) {
  const t = useText(customerTexts).timeline;
  const language = useLanguage();
  const { zone } = useClock();
  const [open, setOpen] = useState(false);
  const details = useId();
  const lateMs = Date.parse(event.received_at) - Date.parse(event.time);
  const facts = factsOf(event);
  return (
    <>
      <button type="button" className="timeline-item" aria-expanded={open} aria-controls={details} onClick={() => setOpen(!open)}>
        <time className="tabular" dateTime={event.time}>{clockTime(event.time, language, zone)}</time>
        <ChannelMark channel={event.channel} size={24} />
        <span className="timeline-text">
          <strong><EventName type={event.type} /></strong>
          {facts.map((fact, at) => <span key={at} className="fact"><FactText fact={fact} /></span>)}
        </span>
        {open ? <DownOutlined className="turn" /> : <RightOutlined className="turn" />}
      </button>
      {open && (
        <div id={details} className="timeline-details">
          <dl className="facts">
            <dt>{t.happened}</dt><dd><Time at={event.time} exact seconds /></dd>
            <dt>{t.received}</dt><dd><Time at={event.received_at} exact seconds />{lateMs > lateWorthSayingMs && <span className="faint"> · {t.late(lateMs < 86_400_000 ? t.hours(Math.floor(lateMs / 3_600_000)) : t.days(Math.floor(lateMs / 86_400_000)))}</span>}</dd>
            <dt>{t.source}</dt><dd><Link to={`/data/sources/${event.source}`} className="mono">{event.source}</Link></dd>
            {event.origin !== null && <><dt>{t.by}</dt><dd><IdentifierMark type={event.origin.type} value={event.origin.value} /></dd></>}
            <dt>{t.seq}</dt><dd className="tabular">{event.seq}</dd>
          </dl>
          {Object.keys(event.props).length > 0 && <><h3 className="detail-head">{t.props}</h3><Json value={event.props} height={300} /></>}
          {Object.keys(event.context).length > 0 && <><h3 className="detail-head">{t.context}</h3><Json value={event.context} height={200} /></>}
        </div>
      )}
    </>
  );
}
