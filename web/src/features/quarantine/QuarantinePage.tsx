/* SPDX-License-Identifier: Apache-2.0 */
/* QuarantinePage: events that did not fit, by reason; see one, mend the plan, replay or discard. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer, Modal } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { useFilters, useLasting } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, Chips, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { Count, EventName, Pill, QuietHead, Time, type Tone } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';
import { CorrectDialog } from './CorrectDialog';
import { detailTexts, sayDetail } from './detail';

const texts = catalogue({
  zh: {
    title: '隔离区',
    purpose: '格式正确但不符合埋点方案的事件。先修方案或发送方，再重放；重放后它们回到原来的时间。',
    summary: '为什么进来',
    reason: '原因', source: '数据源', type: '事件', count: '条数', last: '最近一条', at: '时间', detail: '具体问题', status: '状态',
    statuses: { waiting: '待处理', replayed: '已重放', discarded: '已丢弃' },
    emptyTitle: '隔离区是空的', empty: '不符合埋点方案的事件会保留在这里，不会被丢掉。', emptyFiltered: '没有符合条件的事件。', clear: '清除筛选',
    replay: '重放', correct: '改正后重放…', discard: '丢弃', replayAll: '全部重放', discardAll: '全部丢弃',
    chosen: (count: string) => `已选 ${count} 条`, filtered: (what: string) => `只看：${what}`,
    replayTitle: '重放这些事件？', replayText: (count: string) => `${count} 条事件会按现在的埋点方案重新检查；仍不符合的会再次回到隔离区。`,
    discardTitle: '丢弃这些事件？', discardText: (count: string) => `${count} 条事件会标为已丢弃，不再计入客户的时间线。此操作无法撤回。`,
    replayed: (count: string) => `已重放 ${count} 条`, discarded: (count: string) => `已丢弃 ${count} 条`, selectFirst: '先勾选事件',
    toPlan: '去改埋点方案', event: '事件内容', open: '查看', noNames: '不限',
  },
  en: {
    title: 'Quarantine',
    purpose: 'Well-formed events that do not fit the tracking plan. Mend the plan or the sender, then replay: they go back to their own time.',
    summary: 'Why they are here',
    reason: 'Reason', source: 'Source', type: 'Event', count: 'Events', last: 'Last one', at: 'Time', detail: 'What is wrong', status: 'Status',
    statuses: { waiting: 'Waiting', replayed: 'Replayed', discarded: 'Discarded' },
    emptyTitle: 'Quarantine is empty', empty: 'Events that do not fit the tracking plan are kept here, not thrown away.', emptyFiltered: 'No event fits.', clear: 'Clear the filters',
    replay: 'Replay', correct: 'Correct and replay…', discard: 'Discard', replayAll: 'Replay all', discardAll: 'Discard all',
    chosen: (count) => `${count} chosen`, filtered: (what) => `Only: ${what}`,
    replayTitle: 'Replay these events?', replayText: (count) => `${count} events are checked again by the plan of now; those that still do not fit come back here.`,
    discardTitle: 'Discard these events?', discardText: (count) => `${count} events are marked as discarded and will not be on any timeline. This cannot be taken back.`,
    replayed: (count) => `${count} replayed`, discarded: (count) => `${count} discarded`, selectFirst: 'First choose events',
    toPlan: 'Change the tracking plan', event: 'The event', open: 'Look', noNames: 'any',
  },
});

type Group = Schemas['QuarantineSummary']['items'][number];
type Item = Schemas['Quarantined'];
type Choice = Schemas['QuarantineChoice'];
interface Asked { act: 'replay' | 'discard'; choice: Choice; count: number }

const tones: Readonly<Record<Item['status'], Tone>> = { waiting: 'warn', replayed: 'good', discarded: 'plain' };

export function QuarantinePage() {
  const t = useText(texts);
  const common = useText(words);
  const [filters, setFilters] = useFilters({ reason: '', source: '', type: '', status: 'waiting' });
  const [asked, setAsked] = useState<Asked | null>(null);
  const [opened, setOpened] = useState<Item | null>(null);
  const [correcting, setCorrecting] = useState<Item | null>(null);
  const summary = useQuery(queries.quarantineSummary());
  const only = [filters.reason === '' ? '' : wordFor(common.planReason, filters.reason), filters.source, filters.type].filter((part) => part !== '');
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="stack">
        <Panel title={t.summary} flush>
          <Loaded query={summary} skeleton={<Bones rows={4} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle}>{t.empty}</Empty>}>
            {(data) => (
              <>
                {data.partial && <div className="notice warn" style={{ margin: '0 16px 8px' }}>{common.partial}</div>}
                <Groups items={data.items} onAsk={setAsked} onOnly={(group) => setFilters({ reason: group.reason, source: group.source, type: group.type, status: 'waiting' })} />
              </>
            )}
          </Loaded>
        </Panel>
        <div>
          <div className="filters">
            <Chips
              label={t.status} value={filters.status} onChange={(status) => setFilters({ status })}
              choices={[...(['waiting', 'replayed', 'discarded'] as const).map((status) => ({ value: status as string, label: t.statuses[status] })), { value: 'all', label: common.all }]}
            />
            {only.length > 0 && <button type="button" className="chip" aria-pressed="true" title={t.clear} onClick={() => setFilters({ reason: '', source: '', type: '' })}>{t.filtered(only.join(' · '))} <span aria-hidden="true">✕</span><span className="hidden-text">{t.clear}</span></button>}
          </div>
          <Items filters={{ ...filters, status: filters.status === 'all' ? '' : filters.status }} onAsk={setAsked} onOpen={setOpened} />
        </div>
      </div>
      <Confirm asked={asked} onClose={() => setAsked(null)} />
      <Detail item={opened} onClose={() => setOpened(null)} onAsk={setAsked} onCorrect={setCorrecting} />
      <CorrectDialog item={correcting} onClose={() => setCorrecting(null)} />
    </Page>
  );
}

function Groups({ items, onAsk, onOnly }: { items: readonly Group[]; onAsk: (asked: Asked) => void; onOnly: (group: Group) => void }) {
  const t = useText(texts);
  const common = useText(words);
  const noRole = useRightReason('quarantine.change');
  const choiceOf = (group: Group): Choice => ({ reason: group.reason, source: group.source, type: group.type });
  return (
    <DataTable<Group>
      rowKey={(row) => `${row.reason} ${row.source} ${row.type}`} dataSource={[...items].sort((a, b) => b.count - a.count)} pagination={items.length > 20 ? { pageSize: 20, size: 'small' } : false}
      columns={[
        { key: 'reason', title: t.reason, render: (_, row) => <button type="button" className="link-button" onClick={() => onOnly(row)}>{wordFor(common.planReason, row.reason)}</button> },
        { key: 'type', title: t.type, render: (_, row) => <EventName type={row.type} /> },
        { key: 'source', title: t.source, render: (_, row) => <span className="mono">{row.source}</span> },
        { key: 'count', title: t.count, align: 'right', width: 90, render: (_, row) => <Count value={row.count} /> },
        { key: 'last', title: t.last, width: 120, render: (_, row) => <Time at={row.last_at} /> },
        {
          key: 'do', title: <QuietHead>{t.replay}</QuietHead>, width: 190, align: 'right',
          render: (_, row) => (
            <span className="row" style={{ justifyContent: 'flex-end' }}>
              <ActionButton size="small" reason={noRole} onClick={() => onAsk({ act: 'replay', choice: choiceOf(row), count: row.count })}>{t.replayAll}</ActionButton>
              <ActionButton size="small" danger type="text" reason={noRole} onClick={() => onAsk({ act: 'discard', choice: choiceOf(row), count: row.count })}>{t.discardAll}</ActionButton>
            </span>
          ),
        },
      ]}
    />
  );
}

interface ItemsProps {
  filters: { reason: string; source: string; type: string; status: string };
  onAsk: (asked: Asked) => void;
  onOpen: (item: Item) => void;
}

function Items({ filters, onAsk, onOpen }: ItemsProps) {
  const t = useText(texts);
  const details = useText(detailTexts);
  const common = useText(words);
  const noRole = useRightReason('quarantine.change');
  const list = useInfiniteQuery(queries.quarantine(filters));
  const [chosen, setChosen] = useState<number[]>([]);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const ids = chosen.filter((id) => items.some((item) => item.id === id && item.status === 'waiting'));
  const why = noRole ?? (ids.length === 0 ? t.selectFirst : null);
  if (list.isPending) return <Panel><Bones rows={6} inset={0} /></Panel>;
  if (list.isError && items.length === 0) return <Panel><Failure error={list.error} retry={() => void list.refetch()} /></Panel>;
  /* nothing waits at all: the summary above has said so */
  const isWhole = filters.reason === '' && filters.source === '' && filters.type === '' && filters.status === 'waiting';
  if (items.length === 0) return isWhole ? null : <Panel><Empty title={t.emptyFiltered} /></Panel>;
  return (
    <Panel flush>
      <div className="row" style={{ padding: '4px 16px 8px' }}>
        <span className="small soft" role="status">{t.chosen(exactCount(ids.length))}</span>
        <ActionButton size="small" reason={why} onClick={() => onAsk({ act: 'replay', choice: { ids }, count: ids.length })}>{t.replay}</ActionButton>
        <ActionButton size="small" danger reason={why} onClick={() => onAsk({ act: 'discard', choice: { ids }, count: ids.length })}>{t.discard}</ActionButton>
      </div>
      <div className="scroll-x">
      <DataTable<Item>
        rowKey="id" dataSource={items} rowClassName="clickable" scroll={{}} style={{ minWidth: 860 }}
        rowSelection={{ selectedRowKeys: ids, onChange: (keys) => setChosen(keys.map(Number)), getCheckboxProps: (row) => ({ disabled: row.status !== 'waiting', 'aria-label': String(row.id) }), columnTitle: (box) => <span aria-label={common.all}>{box}</span> }}
        onRow={(row) => ({ onClick: () => onOpen(row) })}
        columns={[
          { key: 'at', title: t.at, width: 150, render: (_, row) => <Time at={row.at} exact /> },
          { key: 'type', title: t.type, render: (_, row) => <EventName type={row.type} /> },
          { key: 'source', title: t.source, render: (_, row) => <span className="mono">{row.source}</span> },
          { key: 'reason', title: t.reason, render: (_, row) => wordFor(common.planReason, row.reason) },
          { key: 'detail', title: t.detail, ellipsis: true, render: (_, row) => <span className="soft">{sayDetail(row.detail, details)}</span> },
          { key: 'status', title: t.status, width: 96, render: (_, row) => <Pill tone={tones[row.status]}>{t.statuses[row.status]}</Pill> },
          { key: 'open', title: <QuietHead>{t.open}</QuietHead>, width: 70, align: 'right', render: (_, row) => <Button size="small" type="link" aria-label={`${t.open} ${row.id}`} onClick={(event) => { event.stopPropagation(); onOpen(row); }}>{t.open}</Button> },
        ]}
      />
      </div>
      {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
    </Panel>
  );
}

interface DetailProps { item: Item | null; onClose: () => void; onAsk: (asked: Asked) => void; onCorrect: (item: Item) => void }

function Detail({ item: opened, onClose, onAsk, onCorrect }: DetailProps) {
  const item = useLasting(opened);
  const t = useText(texts);
  const details = useText(detailTexts);
  const common = useText(words);
  const noRole = useRightReason('quarantine.change');
  const ask = (act: Asked['act']): void => {
    if (item === null) return;
    onAsk({ act, choice: { ids: [item.id] }, count: 1 });
    onClose();
  };
  return (
    <Drawer open={opened !== null} onClose={onClose} size={560} title={item === null ? '' : <EventName type={item.type} />}>
      {item !== null && (
        <div className="stack">
          <div className="notice warn"><span><strong>{wordFor(common.planReason, item.reason)}</strong><br /><span className="soft">{sayDetail(item.detail, details)}</span></span></div>
          <dl className="facts">
            <dt>{t.at}</dt><dd><Time at={item.at} exact seconds /></dd>
            <dt>{t.source}</dt><dd><Link to={`/data/sources/${item.source}`} className="mono">{item.source}</Link></dd>
            <dt>{t.status}</dt><dd><Pill tone={tones[item.status]}>{t.statuses[item.status]}</Pill></dd>
          </dl>
          {item.status === 'waiting' && (
            <div className="row wrap">
              <Link to={`/data/plan?edit=${encodeURIComponent(item.type)}`}><Button>{t.toPlan}</Button></Link>
              <ActionButton type="primary" reason={noRole} onClick={() => ask('replay')}>{t.replay}</ActionButton>
              <ActionButton reason={noRole} onClick={() => { onCorrect(item); onClose(); }}>{t.correct}</ActionButton>
              <ActionButton danger reason={noRole} onClick={() => ask('discard')}>{t.discard}</ActionButton>
            </div>
          )}
          <section><h2 className="detail-head">{t.event}</h2><Json value={item.event} /></section>
        </div>
      )}
    </Drawer>
  );
}

function Confirm({ asked, onClose }: { asked: Asked | null; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const act = useMutation({
    mutationFn: async (what: Asked) => {
      if (what.act === 'replay') return t.replayed(exactCount((await api.post('/quarantine/replay', { body: what.choice })).replayed));
      return t.discarded(exactCount((await api.post('/quarantine/discard', { body: what.choice })).discarded));
    },
    onSuccess: (said) => {
      void client.invalidateQueries({ queryKey: ['quarantine'] });
      void client.invalidateQueries({ queryKey: ['overview'] });
      void message.success(said);
      onClose();
    },
    onError: notice,
  });
  const shown = useLasting(asked);
  const isDiscard = shown?.act === 'discard';
  const count = exactCount(shown?.count ?? 0);
  return (
    <Modal
      open={asked !== null} onCancel={onClose} title={isDiscard ? t.discardTitle : t.replayTitle} okText={isDiscard ? t.discard : t.replay} okButtonProps={{ danger: isDiscard }} cancelText={common.action.cancel}
      confirmLoading={act.isPending} onOk={() => asked !== null && act.mutate(asked)}
    >
      <p>{isDiscard ? t.discardText(count) : t.replayText(count)}</p>
    </Modal>
  );
}
