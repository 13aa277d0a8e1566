/* SPDX-License-Identifier: Apache-2.0 */
/* SinksPage: sinks to Kafka: what each tells, how it goes, how much waits or is lost; made, changed, paused by right. The open one is in the address. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Tooltip } from 'antd';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { ActionButton, useProblemNotice } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count, Pill, QuietHead, Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { newsKinds, sinkDraft, sinkList, sinkPut, sinkTones, type Sink } from './sink';
import { newSink, SinkDrawer, useSaveReason } from './SinkDrawer';
import { sinkTexts } from './sinkTexts';

export function SinksPage() {
  const t = useText(sinkTexts);
  const sinks = useQuery(sinkList());
  const [filters, setFilters] = useFilters({ sink: '' });
  const noRight = useSaveReason(false);
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRight} onClick={() => setFilters({ sink: newSink })}>{t.create}</ActionButton>;
  const open = (row: Sink): void => setFilters({ sink: row.key });
  const bad = (value: number) => <span className={value > 0 ? 'negative' : 'faint'}><Count value={value} exact /></span>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <Panel flush>
        <Loaded query={sinks} skeleton={<Bones rows={5} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}>
          {(data) => (
            <DataTable<Sink>
              rowKey="key" dataSource={data.items} rowClassName="clickable" onRow={(row) => ({ onClick: (event) => { if (!(event.target as Element).closest('a,button')) open(row); } })}
              columns={[
                { key: 'key', title: t.key, fixed: 'left', render: (_, row) => <button type="button" className="link-button" style={{ fontWeight: 600 }} onClick={() => open(row)}>{row.key}</button> },
                { key: 'news', title: t.news, render: (_, row) => <News sink={row} /> },
                { key: 'state', title: t.state, width: 200, render: (_, row) => <State sink={row} /> },
                { key: 'behind', title: <Tooltip title={t.behindHint}><span>{t.behind}</span></Tooltip>, align: 'right', width: 110, render: (_, row) => <Waiting sink={row} /> },
                { key: 'messages', title: <Tooltip title={t.messagesHint}><span>{t.messages}</span></Tooltip>, align: 'right', width: 90, render: (_, row) => <Count value={row.messages} /> },
                { key: 'skipped', title: <Tooltip title={t.skippedHint}><span>{t.skipped}</span></Tooltip>, align: 'right', width: 90, render: (_, row) => <span className="faint"><Count value={row.skipped} exact /></span> },
                { key: 'lost', title: <Tooltip title={t.lostHint}><span>{t.lost}</span></Tooltip>, align: 'right', width: 90, render: (_, row) => bad(row.lost) },
                { key: 'last', title: t.last, width: 120, render: (_, row) => (row.last_at === null ? <span className="faint">{t.none}</span> : <Time at={row.last_at} />) },
                { key: 'act', title: <QuietHead>{t.edit}</QuietHead>, align: 'right', width: 130, render: (_, row) => <span className="row" style={{ justifyContent: 'flex-end', gap: 4 }}><PauseButton sink={row} /><Button size="small" type="link" aria-label={`${t.edit} ${row.key}`} onClick={() => open(row)}>{t.edit}</Button></span> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <SinkDrawer asked={filters.sink === '' || sinks.data === undefined ? null : filters.sink} sinks={sinks.data?.items ?? []} onClose={() => setFilters({ sink: '' })} onMade={(key) => setFilters({ sink: key })} />
    </Page>
  );
}

function News({ sink }: { sink: Sink }) {
  const t = useText(sinkTexts);
  const told = newsKinds.filter((kind) => sink.topics[kind] !== undefined);
  return (
    <span className="row wrap" style={{ gap: 6, maxWidth: 260 }} title={told.map((kind) => `${t.kinds[kind]} → ${sink.topics[kind] ?? ''}`).join('\n')}>
      <span>{told.map((kind) => t.kinds[kind]).join(' · ')}</span>{sink.personal === 'clear' && <Pill tone="warn">{t.clear}</Pill>}
    </span>
  );
}

function State({ sink }: { sink: Sink }) {
  const t = useText(sinkTexts);
  const hint = sink.problem !== '' ? sink.problem : (t.stateHint[sink.state] ?? '');
  return (
    <span>
      <Tooltip title={hint}><span><Pill tone={sinkTones[sink.state]}>{wordFor(t.states, sink.state)}</Pill></span></Tooltip>
      {sink.problem !== '' && <span className="faint small cut" style={{ display: 'block', maxWidth: 190 }}>{sink.problem}</span>}
    </span>
  );
}

function Waiting({ sink }: { sink: Sink }) {
  if (sink.behind === 0 || sink.waiting_since === null) return <Count value={sink.behind} />;
  return <span><Count value={sink.behind} /><span className="faint small" style={{ display: 'block' }}><Time at={sink.waiting_since} /></span></span>;
}

function PauseButton({ sink }: { sink: Sink }) {
  const t = useText(sinkTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useSaveReason(sink.personal === 'clear');
  const put = useMutation({
    mutationFn: () => api.put('/sinks/{key}', { path: { key: sink.key }, body: sinkPut(sinkDraft(sink), !sink.paused) }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['sinks'] });
      void message.success(sink.paused ? t.resumed : t.paused);
    },
    onError: notice,
  });
  const word = sink.paused ? t.resume : t.pause;
  return <ActionButton size="small" reason={noRight} loading={put.isPending} aria-label={`${word} ${sink.key}`} onClick={() => put.mutate()}>{word}</ActionButton>;
}
