/* SPDX-License-Identifier: Apache-2.0 */
/* AuditPage: who did what, when, from where: filtered by what stands in the address, opened with before and after, taken out as a file, and
 * its chain computed again on demand.
 */
import { DownloadOutlined, SafetyCertificateOutlined } from '@ant-design/icons';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { AutoComplete, Button, DatePicker, Drawer, Dropdown, Input, Select } from 'antd';
import dayjs from 'dayjs';
import { useEffect, useState, type ReactNode } from 'react';
import { api, type Schemas } from '@/api/client';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { dateTime, dayAfter, dayKey, dayStart, exactCount } from '@/lib/format';
import { useDebounced, useFilters, useLasting } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { useProblemNotice, useRightReason, ActionButton } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { OneId, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { changesOf, detailOf, exportAddress } from './audit';
import { auditTexts } from './auditTexts';
import { adminQueries, type AuditFilter } from './queries';
import './settings.css';

type Entry = Schemas['AuditEntry'];
const noFilter = { user: '', action: '', object: '', text: '', from: '', until: '', line: '' };

export function AuditPage() {
  const t = useText(auditTexts);
  const common = useText(words);
  const { zone } = useClock();
  const [filters, setFilters] = useFilters(noFilter);
  /* days in the address, moments to the server: all of the last day */
  const filter: AuditFilter = { ...filters, from: filters.from === '' ? '' : dayStart(filters.from, zone), until: filters.until === '' ? '' : dayStart(dayAfter(filters.until), zone) };
  const list = useInfiniteQuery(adminQueries.audit({ user: filter.user, action: filter.action, object: filter.object, text: filter.text, from: filter.from, until: filter.until }));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const open = items.find((one) => String(one.seq) === filters.line) ?? null;
  const isFiltered = Object.entries(filters).some(([key, value]) => key !== 'line' && value !== '');
  const clear = <Button onClick={() => setFilters(noFilter)}>{t.clear}</Button>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={<Out filter={filter} />}>
      <Verdict />
      <Filters filters={filters} onChange={setFilters} clear={isFiltered ? clear : null} />
      <Panel flush>
        {list.isPending && <Bones rows={10} />}
        {list.isError && items.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isSuccess && items.length === 0 && <Empty title={t.emptyTitle} action={isFiltered ? clear : undefined}>{t.empty}</Empty>}
        {items.length > 0 && (
          <DataTable<Entry>
            rowKey="seq" dataSource={items} onRow={(row) => ({ className: 'clickable', onClick: () => setFilters({ line: String(row.seq) }) })}
            columns={[
              { key: 'at', title: t.at, width: 170, fixed: 'left', render: (_, row) => <button type="button" className="link-button" onClick={(event) => { event.stopPropagation(); setFilters({ line: String(row.seq) }); }}><Time at={row.at} exact seconds /></button> },
              { key: 'user', title: t.user, width: 120, render: (_, row) => (row.user === 'system' ? <span className="faint">{t.system}</span> : row.user) },
              { key: 'address', title: t.address, width: 130, render: (_, row) => <span className="mono faint">{row.address}</span> },
              { key: 'action', title: t.action, width: 180, render: (_, row) => wordFor(t.actions, row.action) },
              { key: 'object', title: t.object, width: 180, render: (_, row) => (/^c_\w{13}$/.test(row.object) ? <span onClick={(event) => event.stopPropagation()}><OneId id={row.object} link copy={false} /></span> : <span className="mono cut" style={{ display: 'block', maxWidth: 200 }} title={row.object}>{row.object}</span>) },
              { key: 'detail', title: t.detail, render: (_, row) => <span className="mono faint cut" style={{ display: 'block', maxWidth: 380 }}>{row.detail.slice(0, 200)}</span> },
            ]}
          />
        )}
        {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      </Panel>
      <Line entry={open} onClose={() => setFilters({ line: '' })} />
    </Page>
  );
}

function Out({ filter }: { filter: AuditFilter }) {
  const t = useText(auditTexts);
  const noRight = useRightReason('audit.export');
  if (noRight !== null) return <ActionButton icon={<DownloadOutlined />} reason={noRight}>{t.exports}</ActionButton>;
  const item = (format: 'csv' | 'jsonl', label: string) => ({ key: format, label: <a href={exportAddress(filter, format)} download>{label}</a> });
  return <Dropdown trigger={['click']} menu={{ items: [item('csv', 'CSV'), item('jsonl', 'JSON Lines')] }}><Button icon={<DownloadOutlined />} title={t.exportHelp}>{t.exports}</Button></Dropdown>;
}

/* The chain, computed again when somebody asks; its result stays until the page is left. */
function Verdict() {
  const t = useText(auditTexts);
  const language = useLanguage();
  const { zone } = useClock();
  const notice = useProblemNotice();
  const verify = useMutation({ mutationFn: () => api.get('/audit/verify'), onError: notice });
  const verdict = verify.data;
  return (
    <div className={`notice ${verdict === undefined ? '' : verdict.whole ? 'good' : 'bad'}`} role={verdict?.whole === false ? 'alert' : 'status'} style={{ marginBottom: 12, alignItems: 'center' }}>
      <SafetyCertificateOutlined style={{ marginTop: 0 }} />
      <span className="grow">{verdict === undefined ? t.chain : verdict.whole ? t.whole(exactCount(verdict.lines), dateTime(verdict.as_of, language, zone)) : <>{verdict.broken_seq === null ? t.brokenNoSeq : t.broken(exactCount(verdict.broken_seq))} <span className="small">{verdict.complaint}</span></>}</span>
      <Button size="small" loading={verify.isPending} onClick={() => verify.mutate()}>{t.verify}</Button>
    </div>
  );
}

function Filters({ filters, onChange, clear }: { filters: typeof noFilter; onChange: (change: Partial<typeof noFilter>) => void; clear: ReactNode }) {
  const t = useText(auditTexts);
  const users = useQuery({ ...adminQueries.users(), enabled: useMay('user.see') });
  const { zone, nowMs } = useClock();
  const logins = ['system', ...(users.data?.items ?? []).map((one) => one.login)];
  const day = (name: 'from' | 'until') => (
    <DatePicker
      aria-label={t[name]} placeholder={t[name]} style={{ width: 140 }} value={filters[name] === '' ? null : dayjs(filters[name])} maxDate={dayjs(dayKey(nowMs, zone))}
      onChange={(value) => onChange({ [name]: value === null ? '' : value.format('YYYY-MM-DD') })}
    />
  );
  return (
    <div className="filters">
      <Typed value={filters.user} onSettled={(user) => onChange({ user })}>{(value, change) => <AutoComplete allowClear style={{ width: 150 }} aria-label={t.user} placeholder={t.user} value={value} onChange={(next: string | undefined) => change(next ?? '')} options={logins.filter((one) => one.includes(value)).map((one) => ({ value: one }))} />}</Typed>
      <Select
        aria-label={t.action} style={{ width: 200 }} value={filters.action} onChange={(action) => onChange({ action })} showSearch={{ optionFilterProp: 'label' }}
        options={[{ value: '', label: t.allActions }, ...Object.entries(t.groups).map(([value, label]) => ({ value, label })), ...Object.entries(t.actions).map(([value, label]) => ({ value, label }))]}
      />
      <Typed value={filters.object} onSettled={(object) => onChange({ object })}>{(value, change) => <Input allowClear style={{ width: 150 }} aria-label={t.object} placeholder={t.object} value={value} onChange={(event) => change(event.target.value)} />}</Typed>
      <Typed value={filters.text} onSettled={(text) => onChange({ text })}>{(value, change) => <Input allowClear style={{ width: 150 }} aria-label={t.text} placeholder={t.text} value={value} onChange={(event) => change(event.target.value)} />}</Typed>
      {day('from')}{day('until')}
      {clear}
    </div>
  );
}

/* A field that goes to the address once typing has paused, and follows it when it is cleared elsewhere. */
function Typed({ value, onSettled, children }: { value: string; onSettled: (value: string) => void; children: (value: string, change: (value: string) => void) => ReactNode }) {
  const [typed, setTyped] = useState(value);
  const settled = useDebounced(typed, 300);
  useEffect(() => onSettled(settled), [settled]);
  useEffect(() => setTyped(value), [value]);
  return children(typed, setTyped);
}

function Line({ entry, onClose }: { entry: Entry | null; onClose: () => void }) {
  const t = useText(auditTexts);
  const shown = useLasting(entry);
  const detail = shown === null ? null : detailOf(shown.detail);
  const changes = changesOf(detail);
  return (
    <Drawer open={entry !== null} onClose={onClose} size={640} title={shown === null ? '' : t.line(exactCount(shown.seq))}>
      {shown !== null && (
        <div className="stack">
          <dl className="facts">
            <dt>{t.at}</dt><dd><Time at={shown.at} exact seconds /></dd>
            <dt>{t.user}</dt><dd>{shown.user === 'system' ? t.system : shown.user}</dd>
            {shown.address !== '' && <><dt>{t.address}</dt><dd className="mono">{shown.address}</dd></>}
            <dt>{t.action}</dt><dd>{wordFor(t.actions, shown.action)} <span className="mono faint">{shown.action}</span></dd>
            <dt>{t.object}</dt><dd className="mono">{shown.object}</dd>
          </dl>
          {changes !== null && (changes.length === 0 ? <p className="soft">{t.noChange}</p> : (
            <div className="before-after">
              <span className="head">{t.member}</span><span className="head">{t.before}</span><span className="head">{t.after}</span>
              {changes.map((one) => [<span key={`${one.member} m`}>{one.member}</span>, <span key={`${one.member} b`} className="mono was">{one.before}</span>, <span key={`${one.member} a`} className="mono is">{one.after}</span>])}
            </div>
          ))}
          {shown.detail !== '' && <section><p className="small soft" style={{ marginBottom: 4 }}>{t.raw}</p><Json value={detail} height={320} /></section>}
        </div>
      )}
    </Drawer>
  );
}
