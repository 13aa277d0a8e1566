/* SPDX-License-Identifier: Apache-2.0 */
/* ReviewPage: links that the system did not dare to make; a person says whether they are one. */
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Modal } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, Chips, useProblemNotice, useRightReason } from '@/ui/Controls';
import { IdentifierMark, Pill, Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { CustomerBrief, useCustomer } from './CustomerBrief';
import { identityWords } from './words';
import './identity.css';

const texts = catalogue({
  zh: {
    title: '待复核',
    purpose: '系统没有把握、因而没有合并的关联。你来定：是同一个人，是不同的人，或者不必再问。',
    status: '状态',
    open: '待复核',
    decided: '已处理',
    reason: '拒绝原因',
    merge: '是同一个人，合并',
    separate: '是不同的人',
    dismiss: '忽略',
    times: (count: number) => (count > 1 ? `${count} 天重复出现` : ''),
    emptyTitle: '没有等你复核的关联',
    empty: '遇到拿不准的合并，系统会先拒绝并放到这里，不会自作主张。',
    emptyDecided: '还没有处理过的记录。',
    mergeTitle: '合并成一位客户？',
    mergeText: (a: string, b: string) => `${a} 和 ${b} 的事件、属性、标识和订单会显示在同一条时间线上。以后可以在客户页的「合并记录」里拆开。`,
    separateTitle: '记为两个不同的人？',
    separateText: (a: string, b: string) => `${a} 和 ${b} 会一直分开，系统不再询问，也不会因为任何证据自动合并他们。`,
    merged: '已合并',
    separated: '已记为不同的人',
    dismissed: '已忽略',
    noOther: '另一方还不是一位客户，无法合并',
    already: '后来有了可信的证据，他们已经是同一位客户，不用再决定。',
  },
  en: {
    title: 'To review',
    purpose: 'Links that the system was not sure of and did not make. You decide: the same person, different people, or nothing to ask.',
    status: 'Status',
    open: 'To review',
    decided: 'Decided',
    reason: 'Why refused',
    merge: 'Same person, join',
    separate: 'Different people',
    dismiss: 'Dismiss',
    times: (count) => (count > 1 ? `came up on ${count} days` : ''),
    emptyTitle: 'No link waits for review',
    empty: 'Where the system is not sure, it refuses to merge and puts the pair here, rather than guess.',
    emptyDecided: 'Nothing has been decided yet.',
    mergeTitle: 'Make them one customer?',
    mergeText: (a, b) => `Events, traits, identifiers and orders of ${a} and ${b} will show on one timeline. They can be split again under Merges on the customer page.`,
    separateTitle: 'Record them as two people?',
    separateText: (a, b) => `${a} and ${b} stay apart for good: the system does not ask again, and no evidence joins them by itself.`,
    merged: 'Joined',
    separated: 'Recorded as different people',
    dismissed: 'Dismissed',
    noOther: 'The other side is not a customer yet and cannot be joined',
    already: 'Since then trusted evidence has made them one customer: there is nothing left to decide.',
  },
});

type Refusal = Schemas['Refusal'];
type Decision = 'merge' | 'separate' | 'dismiss';
const reasons = ['', 'limit', 'shared', 'claim', 'separated'] as const;

export function ReviewPage() {
  const t = useText(texts);
  const common = useText(words);
  const identity = useText(identityWords);
  const [filters, setFilters] = useFilters({ status: 'open', reason: '' });
  const list = useInfiniteQuery(queries.refusals(filters));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="filters">
        <Chips label={t.status} value={filters.status} onChange={(status) => setFilters({ status })} choices={[{ value: 'open', label: t.open }, { value: 'decided', label: t.decided }]} />
        <span className="filter-gap" aria-hidden="true" />
        <Chips label={t.reason} value={filters.reason} onChange={(reason) => setFilters({ reason })} choices={reasons.map((reason) => ({ value: reason as string, label: reason === '' ? common.all : identity.refusal[reason] }))} />
      </div>
      {list.isPending && <Panel><Bones rows={8} inset={0} height={64} /></Panel>}
      {list.isError && items.length === 0 && <Panel><Failure error={list.error} retry={() => void list.refetch()} /></Panel>}
      {list.isSuccess && items.length === 0 && <Panel><Empty title={t.emptyTitle}>{filters.status === 'open' ? t.empty : t.emptyDecided}</Empty></Panel>}
      <div className="stack" style={{ gap: 12 }}>{items.map((refusal) => <RefusalCard key={refusal.id} refusal={refusal} />)}</div>
      {list.hasNextPage && <div style={{ textAlign: 'center', marginTop: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
    </Page>
  );
}

function RefusalCard({ refusal }: { refusal: Refusal }) {
  const t = useText(texts);
  const identity = useText(identityWords);
  const times = t.times(refusal.times);
  const [a, b] = [useCustomer(refusal.customer), useCustomer(refusal.other)];
  const isOne = a.data !== undefined && a.data.one_id === b.data?.one_id;
  return (
    <Panel className="refusal">
      <div className="row wrap between">
        <span className="row wrap">
          <Pill tone={refusal.status === 'open' ? 'warn' : 'plain'}>{refusal.status === 'open' ? wordFor(identity.refusal, refusal.reason) : identity.status[refusal.status]}</Pill>
          {refusal.identifier !== null && <IdentifierMark {...refusal.identifier} />}
          {refusal.with !== null && <><span className="faint">+</span><IdentifierMark {...refusal.with} /></>}
        </span>
        <span className="faint small row">{times !== '' && <span>{times} ·</span>}<span>{refusal.source}</span>·<Time at={refusal.at} /></span>
      </div>
      <p className="soft" style={{ margin: '8px 0' }}>{Object.hasOwn(identity.refusalWhy, refusal.reason) ? wordFor(identity.refusalWhy, refusal.reason) : refusal.detail}</p>
      {isOne && refusal.status === 'open' && <p style={{ margin: '0 0 8px' }}>{t.already}</p>}
      <div className={isOne ? '' : 'refusal-sides'}>
        <CustomerBrief oneId={refusal.customer} />
        {!isOne && <><span className="refusal-or" aria-hidden="true">?</span><CustomerBrief oneId={refusal.other} /></>}
      </div>
      {refusal.status === 'open' && <Decisions refusal={refusal} isOne={isOne} />}
    </Panel>
  );
}

function Decisions({ refusal, isOne }: { refusal: Refusal; isOne: boolean }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRole = useRightReason('identity.change');
  const [asked, setAsked] = useState<'merge' | 'separate' | null>(null);
  const decide = useMutation({
    mutationFn: (decision: Decision) => api.post('/identity/refusals/{id}/decide', { path: { id: refusal.id }, body: { decision } }),
    onSuccess: (_, decision) => {
      void client.invalidateQueries({ queryKey: ['identity'] });
      void client.invalidateQueries({ queryKey: ['customers'] });
      void client.invalidateQueries({ queryKey: ['overview'] });
      void message.success({ merge: t.merged, separate: t.separated, dismiss: t.dismissed }[decision]);
      setAsked(null);
    },
    onError: notice,
  });
  const [a, b] = [refusal.customer ?? '', refusal.other ?? ''];
  const oneSided = refusal.customer === null || refusal.other === null ? t.noOther : null;
  return (
    <div className="row wrap" style={{ marginTop: 12 }}>
      {!isOne && <ActionButton type="primary" size="small" reason={noRole ?? oneSided} onClick={() => setAsked('merge')}>{t.merge}</ActionButton>}
      {!isOne && <ActionButton size="small" reason={noRole ?? oneSided} onClick={() => setAsked('separate')}>{t.separate}</ActionButton>}
      <ActionButton size="small" type={isOne ? 'default' : 'text'} reason={noRole} loading={decide.isPending && asked === null} onClick={() => decide.mutate('dismiss')}>{t.dismiss}</ActionButton>
      <Modal
        open={asked !== null} onCancel={() => setAsked(null)} title={asked === 'merge' ? t.mergeTitle : t.separateTitle} destroyOnHidden
        okText={asked === 'merge' ? t.merge : t.separate} cancelText={common.action.cancel} confirmLoading={decide.isPending} onOk={() => asked !== null && decide.mutate(asked)}
      >
        <p>{asked === 'merge' ? t.mergeText(a, b) : t.separateText(a, b)}</p>
      </Modal>
    </div>
  );
}
