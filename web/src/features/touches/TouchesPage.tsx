/* SPDX-License-Identifier: Apache-2.0 */
/* TouchesPage: everything that went out, or did not, and why; the accounts it goes by; the red button. */
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { PlusOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, Chips, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { ChannelName, Count, OneId, Pill, QuietHead, Time } from '@/ui/Marks';
import { useJourneyName, useTemplateName } from '@/features/journeys/heads';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { healthOf, statuses, tones, touchQueries, type Account, type Touch } from './model';
import { useReason } from './reason';
import { AccountDrawer } from './AccountDrawer';
import { wecomAccounts } from './contactWay';
import { ContactWays } from './ContactWays';
import './touches.css';
import { StopButton, StopNotice } from './StopPanel';
import { touchTexts } from './texts';
import { TouchDrawer } from './TouchDrawer';

type Tab = 'touches' | 'accounts' | 'ways' | 'corrections';

const tabOrder: readonly Tab[] = ['touches', 'accounts', 'ways', 'corrections'];

export function TouchesPage() {
  const t = useText(touchTexts);
  const [filters, setFilters] = useFilters({ tab: 'touches', status: '', journey: '', customer: '', touch: '', account: '', way: '' });
  const tab = tabOrder.find((one) => one === filters.tab) ?? 'touches';
  const accounts = useQuery({ ...touchQueries.accounts(), enabled: useMay('channel.see') });
  const hasWays = tab === 'ways' || wecomAccounts(accounts.data?.items ?? []).length > 0;
  return (
    <Page title={t.title} purpose={t.purpose} actions={<StopButton />}>
      <div className="stack">
        <StopNotice />
        <TabBar<Tab> label={t.title} value={tab} onChange={(next) => setFilters({ tab: next })} tabs={tabOrder.filter((key) => key !== 'ways' || hasWays).map((key) => ({ key, label: t.tabs[key] ?? key }))}>
          {tab === 'touches' && <Touches filters={filters} onFilter={setFilters} />}
          {tab === 'accounts' && <Accounts />}
          {tab === 'ways' && <ContactWays account={filters.account} opened={filters.way} onFilter={setFilters} />}
          {tab === 'corrections' && <Corrections />}
        </TabBar>
      </div>
      <TouchDrawer id={filters.touch === '' ? null : Number(filters.touch)} onClose={() => setFilters({ touch: '' })} />
    </Page>
  );
}

interface TouchesProps {
  filters: { status: string; journey: string; customer: string };
  onFilter: (change: { status?: string; journey?: string; customer?: string; touch?: string }) => void;
}

function Touches({ filters, onFilter }: TouchesProps) {
  const t = useText(touchTexts);
  const common = useText(words);
  const say = useReason();
  const journeyName = useJourneyName();
  const templateName = useTemplateName();
  const list = useInfiniteQuery(touchQueries.list({ status: filters.status, journey: filters.journey, customer: filters.customer }));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const isWhole = filters.status === '' && filters.journey === '' && filters.customer === '';
  const only = [filters.journey, filters.customer].filter((part) => part !== '');
  return (
    <div>
      <div className="filters">
        <Chips label={t.status} value={filters.status} onChange={(status) => onFilter({ status })} choices={[{ value: '', label: t.all }, ...statuses.map((status) => ({ value: status as string, label: t.statuses[status] ?? status }))]} />
        {only.map((part) => <button key={part} type="button" className="chip" aria-pressed="true" onClick={() => onFilter({ journey: '', customer: '' })}>{part === filters.journey ? journeyName(part) : part} <span aria-hidden="true">✕</span></button>)}
      </div>
      {list.isPending && <Panel><Bones rows={6} inset={0} /></Panel>}
      {list.isError && items.length === 0 && <Panel><Failure error={list.error} retry={() => void list.refetch()} /></Panel>}
      {list.isSuccess && items.length === 0 && <Panel><Empty title={isWhole ? t.emptyTitle : t.emptyFiltered}>{isWhole ? t.empty : undefined}</Empty></Panel>}
      {items.length > 0 && (
        <Panel flush>
          <div className="scroll-x">
            <DataTable<Touch>
              rowKey="id" dataSource={items} rowClassName="clickable" scroll={{}} style={{ minWidth: 860 }} onRow={(row) => ({ onClick: () => onFilter({ touch: String(row.id) }) })}
              columns={[
                { key: 'at', title: t.at, width: 150, render: (_, row) => <Time at={row.created_at} exact /> },
                { key: 'customer', title: t.customer, width: 180, render: (_, row) => <OneId id={row.customer} link copy={false} /> },
                { key: 'channel', title: t.channel, width: 150, render: (_, row) => (row.channel ? <ChannelName channel={row.channel} /> : '—') },
                { key: 'journey', title: t.journey, render: (_, row) => (row.journey ? <Link to={`/journeys/${row.journey}`} onClick={(event) => event.stopPropagation()}>{journeyName(row.journey)}</Link> : <span className="soft">—</span>) },
                { key: 'template', title: t.template, render: (_, row) => <span className="cut" style={{ display: 'block', maxWidth: 190 }} title={row.template ?? ''}>{templateName(row.template ?? '')}</span> },
                { key: 'status', title: t.status, width: 100, render: (_, row) => <Pill tone={tones[row.status]}>{t.statuses[row.status]}</Pill> },
                { key: 'reason', title: t.reason, ellipsis: true, render: (_, row) => <span className="soft">{row.reason ? say(row.reason) : ''}</span> },
                { key: 'open', title: <QuietHead>{t.more}</QuietHead>, width: 70, align: 'right', render: (_, row) => <Button size="small" type="link" aria-label={`${t.more} ${row.id}`} onClick={(event) => { event.stopPropagation(); onFilter({ touch: String(row.id) }); }}>{t.more}</Button> },
              ]}
            />
          </div>
          {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
        </Panel>
      )}
    </div>
  );
}

function Accounts() {
  const t = useText(touchTexts);
  const list = useQuery(touchQueries.accounts());
  const reason = useRightReason('channel.administer');
  const [opened, setOpened] = useState<Account | 'new' | null>(null);
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={reason} onClick={() => setOpened('new')}>{t.newAccount}</ActionButton>;
  return (
    <>
    <Loaded query={list} skeleton={<Panel><Bones rows={5} inset={0} /></Panel>} isEmpty={(data) => data.items.length === 0} empty={<Panel><Empty title={t.accountsEmptyTitle} action={create}>{t.accountsEmpty}</Empty></Panel>}>
      {(data) => (
        <Panel flush title={t.tabs['accounts'] ?? ''} tools={create}>
          <div className="scroll-x">
            <DataTable<Account>
              rowKey="key" dataSource={data.items} pagination={false} scroll={{}} style={{ minWidth: 760 }}
              columns={[
                { key: 'key', title: t.account, render: (_, row) => <span className="row" style={{ gap: 8 }}><button type="button" className="link-button mono" onClick={() => setOpened(row)}>{row.key}</button>{row.settings['sandbox'] === true && <Pill tone="info">{t.sandbox}</Pill>}{row.settings['disabled'] === true && <Pill>{t.disabled}</Pill>}</span> },
                { key: 'channel', title: t.channel, render: (_, row) => <ChannelName channel={row.channel} /> },
                { key: 'health', title: t.health, render: (_, row) => <HealthMark account={row} /> },
                { key: 'queued', title: t.queued, align: 'right', width: 90, render: (_, row) => <Count value={row.queued ?? 0} /> },
                { key: 'sent', title: t.sentCount, align: 'right', width: 90, render: (_, row) => <Count value={healthOf(row)?.sent ?? 0} /> },
                { key: 'refused', title: t.refused, align: 'right', width: 90, render: (_, row) => <Count value={healthOf(row)?.refused ?? 0} /> },
                { key: 'uncertain', title: t.uncertain, align: 'right', width: 90, render: (_, row) => <Count value={healthOf(row)?.uncertain ?? 0} /> },
                { key: 'test', title: <QuietHead>{t.testAccount}</QuietHead>, width: 110, align: 'right', render: (_, row) => <TestButton account={row.key} /> },
              ]}
            />
          </div>
        </Panel>
      )}
    </Loaded>
    <AccountDrawer account={opened} taken={new Set(list.data?.items.map((one) => one.key))} onClose={() => setOpened(null)} />
    </>
  );
}

function HealthMark({ account }: { account: Account }) {
  const t = useText(touchTexts);
  const health = healthOf(account);
  if (account.stopped === true) return <Pill tone="bad">{t.stopped}</Pill>;
  if (health?.is_open === true) return <span><Pill tone="bad">{t.open}</Pill> <span className="soft">{health.failing}</span></span>;
  return <Pill tone="good">{t.healthy}</Pill>;
}

function TestButton({ account }: { account: string }) {
  const t = useText(touchTexts);
  const noRole = useRightReason('channel.administer');
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const test = useMutation({ mutationFn: () => api.post('/channels/{key}/test', { path: { key: account } }), onSuccess: () => void message.success(t.testGood), onError: notice });
  return <ActionButton size="small" reason={noRole} loading={test.isPending} onClick={() => test.mutate()}>{t.testAccount}</ActionButton>;
}

function Corrections() {
  const t = useText(touchTexts);
  const common = useText(words);
  const say = useReason();
  const journeyName = useJourneyName();
  const list = useInfiniteQuery(touchQueries.corrections());
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.isPending) return <Panel><Bones rows={5} inset={0} /></Panel>;
  if (list.isError && items.length === 0) return <Panel><Failure error={list.error} retry={() => void list.refetch()} /></Panel>;
  if (items.length === 0) return <Panel><Empty title={t.noCorrections}>{t.noCorrectionsHint}</Empty></Panel>;
  return (
    <Panel title={t.tabs['corrections'] ?? ''} note={t.corrections} flush>
      <DataTable<(typeof items)[number]>
        rowKey="id" dataSource={items}
        columns={[
          { key: 'at', title: t.at, width: 150, render: (_, row) => <Time at={row.at} exact /> },
          { key: 'kind', title: t.status, render: (_, row) => <Pill tone={row.kind === 'should_not' ? 'bad' : 'warn'}>{wordFor(t.kinds, row.kind)}</Pill> },
          { key: 'customer', title: t.customer, render: (_, row) => (row.customer ? <OneId id={row.customer} link copy={false} /> : '—') },
          { key: 'journey', title: t.journey, render: (_, row) => (row.journey ? <Link to={`/journeys/${row.journey}`}>{journeyName(row.journey)}</Link> : '—') },
          { key: 'reason', title: t.reason, render: (_, row) => say(row.reason) },
        ]}
      />
      {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
    </Panel>
  );
}
