/* SPDX-License-Identifier: Apache-2.0 */
/* CalendarPage: what goes out when, as a month, a week or a list; by channel, team and journey; everything of it stands in the address. */
import { DownloadOutlined, LeftOutlined, RightOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Drawer, Select } from 'antd';
import { Link } from 'react-router';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { journeyHeads } from '@/features/journeys/heads';
import { adminQueries } from '@/features/settings/queries';
import { useReason } from '@/features/touches/reason';
import { saveBlob, toCsv } from '@/lib/files';
import { clockTime, dayKey, exactCount, shortCount } from '@/lib/format';
import { useFilters, useLasting } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { Chips } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { ChannelMark, ChannelName, Pill, useChannelName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { byDay, calendarQuery, daysOf, fileOf, stepped, sumOf, views, type Calendar, type Line, type Triggered, type View } from './calendar';
import { calendarTexts } from './texts';
import './calendar.css';

type Filters = Record<'view' | 'day' | 'channel' | 'team' | 'journey' | 'open', string>;

export function CalendarPage() {
  const t = useText(calendarTexts);
  const common = useText(words);
  const { zone, nowMs } = useClock();
  const today = dayKey(nowMs, zone);
  const [filters, setFilters] = useFilters<keyof Filters>({ view: 'month', day: '', channel: '', team: '', journey: '', open: '' });
  const view = views.find((one) => one === filters.view) ?? 'month';
  const day = /^\d{4}-\d\d-\d\d$/.test(filters.day) ? filters.day : today;
  const days = daysOf(view, day);
  const calendar = useQuery({ ...calendarQuery(days, zone, filters), placeholderData: keepPreviousData });
  const go = (by: 1 | -1): void => setFilters({ day: stepped(view, day, by) });
  const save = (data: Calendar): void => saveBlob(new Blob([toCsv(fileOf(data))], { type: 'text/csv' }), `calendar-${days[0] ?? ''}.csv`);
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="filters">
        <span className="row" style={{ gap: 4 }}>
          <Button icon={<LeftOutlined />} aria-label={t.earlier} onClick={() => go(-1)} /><Button disabled={day === today} onClick={() => setFilters({ day: '' })}>{t.today}</Button><Button icon={<RightOutlined />} aria-label={t.later} onClick={() => go(1)} />
        </span>
        <strong className="calendar-title tabular">{view === 'month' ? day.slice(0, 7) : `${days[0] ?? ''} – ${days.at(-1) ?? ''}`}</strong>
        <Chips<View> label={t.views} value={view} onChange={(next) => setFilters({ view: next })} choices={views.map((one) => ({ value: one, label: t.view[one] }))} />
        <Narrow filters={filters} onChange={setFilters} />
        {calendar.data !== undefined && <Button icon={<DownloadOutlined />} aria-label={common.action.csv} title={common.action.csv} onClick={() => save(calendar.data)} />}
      </div>
      <Loaded query={calendar} skeleton={<Panel><Bones rows={10} inset={0} /></Panel>}>
        {(data) => <Shown calendar={data} view={view} days={days} month={day.slice(0, 7)} today={today} filters={filters} isOld={calendar.isPlaceholderData} onOpen={(open) => setFilters({ open })} />}
      </Loaded>
    </Page>
  );
}

const channels = ['sms', 'wecom', 'official_account', 'subscription', 'email', 'call', 'coupon', 'points', 'webhook'];

function Narrow({ filters, onChange }: { filters: Filters; onChange: (change: Partial<Filters>) => void }) {
  const t = useText(calendarTexts);
  const channelName = useChannelName();
  const journeys = useQuery(journeyHeads());
  const teams = useQuery({ ...adminQueries.teams(), enabled: useMay('team.see') });
  return (
    <>
      <Select aria-label={t.channel} value={filters.channel} style={{ minWidth: 120 }} onChange={(channel: string) => onChange({ channel })} options={[{ value: '', label: t.allChannels }, ...channels.map((value) => ({ value, label: channelName(value) }))]} />
      {(teams.data?.items.length ?? 0) > 0 && <Select aria-label={t.team} value={filters.team} style={{ minWidth: 120 }} onChange={(team: string) => onChange({ team })} options={[{ value: '', label: t.allTeams }, ...(teams.data?.items ?? []).map((one) => ({ value: one.key, label: one.name }))]} showSearch={{ optionFilterProp: 'label' }} />}
      <Select aria-label={t.journey} value={filters.journey} style={{ minWidth: 150 }} onChange={(journey: string) => onChange({ journey })} options={[{ value: '', label: t.allJourneys }, ...(journeys.data?.items ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name }))]} showSearch={{ optionFilterProp: 'label' }} />
    </>
  );
}

interface ShownProps {
  calendar: Calendar;
  view: View;
  days: readonly string[];
  month: string;
  today: string;
  filters: Filters;
  isOld: boolean;
  onOpen: (day: string) => void;
}

function Shown({ calendar, view, days, month, today, filters, isOld, onOpen }: ShownProps) {
  const t = useText(calendarTexts);
  const lines = byDay(calendar.items, filters.journey);
  const triggered = calendar.triggered.filter((one) => filters.journey === '' || one.journey === filters.journey);
  const opened = useLasting(filters.open === '' ? null : filters.open);
  return (
    <div className="stack" style={isOld ? { opacity: 0.6 } : undefined}>
      {calendar.partial && <p className="small faint" role="status">{t.partial}</p>}
      {view === 'list'
        ? (lines.size === 0 ? <Panel><Empty title={t.empty} action={<Link to="/journeys"><Button tabIndex={-1}>{t.create}</Button></Link>}>{t.emptyHint}</Empty></Panel> : <Panel flush><DayLines rows={[...lines].sort(([a], [b]) => a.localeCompare(b)).flatMap(([day, held]) => held.map((line) => ({ day, line })))} withDay /></Panel>)
        : <Grid days={days} month={view === 'month' ? month : ''} today={today} lines={lines} shown={view === 'month' ? 3 : 40} onOpen={onOpen} />}
      {triggered.length > 0 && <AnyDay triggered={triggered} />}
      <Drawer open={filters.open !== ''} onClose={() => onOpen('')} size={900} title={t.dayTitle(opened ?? '')}>
        <DayLines rows={(lines.get(opened ?? '') ?? []).map((line) => ({ day: opened ?? '', line }))} />
      </Drawer>
    </div>
  );
}

interface GridProps {
  days: readonly string[];
  /* '2026-11': days of others are paler; '' for a week */
  month: string;
  today: string;
  lines: ReadonlyMap<string, Line[]>;
  /* how many lines a day shows before it says how many more */
  shown: number;
  onOpen: (day: string) => void;
}

function Grid({ days, month, today, lines, shown, onOpen }: GridProps) {
  const t = useText(calendarTexts);
  const language = useLanguage();
  return (
    <div className={`calendar ${month === '' ? 'week' : ''}`}>
      {t.weekdays.map((name) => <span key={name} className="calendar-weekday" aria-hidden="true">{name}</span>)}
      {days.map((day) => {
        const held = lines.get(day) ?? [];
        const sum = sumOf(held);
        return (
          <section key={day} className={`calendar-day ${day === today ? 'today' : ''} ${month !== '' && !day.startsWith(month) ? 'other' : ''} ${held.length === 0 ? 'none' : ''}`} aria-label={day}>
            <header><button type="button" className="link-button tabular" onClick={() => onOpen(day)}>{month === '' ? day.slice(5) : Number(day.slice(8))}<span className="hidden-text"> {t.dayTitle(day)}</span></button>{sum > 0 && <span className="small faint tabular" title={exactCount(sum)}>{t.sum(shortCount(sum, language))}</span>}</header>
            <ul>{held.slice(0, shown).map((line) => <Entry key={`${line.phase} ${line.journey} ${line.channel} ${line.name}`} line={line} />)}</ul>
            {held.length > shown && <button type="button" className="link-button small" onClick={() => onOpen(day)}>{t.more(held.length - shown)}</button>}
          </section>
        );
      })}
    </div>
  );
}

function useHowMany(): (line: Line) => string {
  const language = useLanguage();
  return (line) => (line.count === null ? '?' : line.atMost ? `≤${shortCount(line.count, language)}` : shortCount(line.count, language));
}

function Entry({ line }: { line: Line }) {
  const t = useText(calendarTexts);
  const channelName = useChannelName();
  const howMany = useHowMany();
  const name = line.name === '' ? t.byHand : line.name;
  const says = `${name} · ${line.channel === '' ? '' : `${channelName(line.channel)} · `}${t.phases[line.phase] ?? ''} ${line.count === null ? t.unknown : howMany(line)}`;
  const inside = <>{line.channel !== '' && <ChannelMark channel={line.channel} size={16} />}<span className="cut grow">{name}</span><span className="tabular">{howMany(line)}</span></>;
  const look = `calendar-entry ${line.phase}`;
  return <li>{line.journey === '' ? <span className={look} title={says}>{inside}</span> : <Link className={look} title={says} to={`/journeys/${line.journey}`}>{inside}</Link>}</li>;
}

const tones = { sent: 'good', held: 'warn', coming: 'info', run: 'plain' } as const;

function DayLines({ rows, withDay = false }: { rows: readonly { day: string; line: Line }[]; withDay?: boolean }) {
  const t = useText(calendarTexts);
  const language = useLanguage();
  const { zone } = useClock();
  const howMany = useHowMany();
  const say = useReason();
  if (rows.length === 0) return <Empty title={t.empty}>{t.emptyHint}</Empty>;
  return (
    <DataTable<{ day: string; line: Line }>
      rowKey={({ day, line }) => `${day} ${line.phase} ${line.journey} ${line.channel} ${line.name}`} dataSource={rows} pagination={rows.length > 100 ? { pageSize: 100, size: 'small', showSizeChanger: false } : false}
      columns={[
        ...(withDay ? [{ key: 'day', title: t.day, width: 110, render: (_: unknown, { day }: { day: string }) => <span className="tabular">{day}</span> }] : []),
        { key: 'when', title: t.when, width: 80, render: (_, { line }) => <span className="tabular" title={line.first}>{clockTime(line.first, language, zone, false)}</span> },
        { key: 'journey', title: t.journey, width: 200, render: (_, { line }) => (line.journey === '' ? (line.name || t.byHand) : <Link to={`/journeys/${line.journey}`}>{line.name || line.journey}</Link>) },
        { key: 'channel', title: t.channel, width: 130, render: (_, { line }) => (line.channel === '' ? '—' : <ChannelName channel={line.channel} />) },
        { key: 'step', title: t.step, render: (_, { line }) => <span className="soft">{[...new Set(line.items.map((item) => item.node_name ?? '').filter((name) => name !== ''))].join('、')}</span> },
        { key: 'phase', title: t.state, width: 130, render: (_, { line }) => <span className="row wrap" style={{ gap: 6 }}><Pill tone={tones[line.phase]}>{t.phases[line.phase]}</Pill>{line.phase === 'held' && <span className="small faint">{[...new Set(line.items.map((item) => item.reason ?? '').filter((one) => one !== ''))].map(say).join('、')}</span>}</span> },
        { key: 'count', title: t.count, width: 90, align: 'right', render: (_, { line }) => <span className="tabular" title={line.count === null ? t.unknown : line.atMost ? t.atMost(exactCount(line.count)) : exactCount(line.count)}>{howMany(line)}</span> },
      ]}
    />
  );
}

function AnyDay({ triggered }: { triggered: readonly Triggered[] }) {
  const t = useText(calendarTexts);
  return (
    <Panel flush title={t.any} note={t.anyHint}>
      <DataTable<Triggered>
        rowKey={(row) => `${row.journey ?? ''} ${row.node ?? ''}`} dataSource={triggered}
        columns={[
          { key: 'journey', title: t.journey, render: (_, row) => <Link to={`/journeys/${row.journey ?? ''}`}>{row.name ?? row.journey}</Link> },
          { key: 'step', title: t.step, render: (_, row) => row.node_name ?? row.node },
          { key: 'channel', title: t.channel, width: 160, render: (_, row) => <ChannelName channel={row.channel ?? ''} /> },
          { key: 'trigger', title: t.trigger, width: 160, render: (_, row) => wordFor(t.triggers, row.trigger ?? '') },
        ]}
      />
    </Panel>
  );
}
