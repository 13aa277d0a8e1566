/* SPDX-License-Identifier: Apache-2.0 */
/* FeedsPage: feeds from Kafka: how each goes, how much waits, what went wrong; made, changed, paused. The open one is in the address. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Tooltip } from 'antd';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count, Pill, QuietHead, Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { FeedDrawer } from './FeedDrawer';
import { feedDraft, feedList, feedPut, feedTones, type Feed } from './feed';
import { feedTexts } from './feedTexts';

const newFeed = '+';

export function FeedsPage() {
  const t = useText(feedTexts);
  const feeds = useQuery(feedList());
  const [filters, setFilters] = useFilters({ feed: '' });
  const noRight = useRightReason('source.administer');
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRight} onClick={() => setFilters({ feed: newFeed })}>{t.create}</ActionButton>;
  const open = (row: Feed): void => setFilters({ feed: row.key });
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <Panel flush>
        <Loaded query={feeds} skeleton={<Bones rows={5} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}>
          {(data) => (
            <DataTable<Feed>
              rowKey="key" dataSource={data.items} rowClassName="clickable" onRow={(row) => ({ onClick: (event) => { if (!(event.target as Element).closest('a,button')) open(row); } })}
              columns={[
                { key: 'key', title: t.key, fixed: 'left', render: (_, row) => <button type="button" className="link-button" style={{ fontWeight: 600 }} onClick={() => open(row)}>{row.key}</button> },
                { key: 'topics', title: t.topics, render: (_, row) => <span className="mono cut" style={{ display: 'block', maxWidth: 220 }} title={row.topics.join(', ')}>{row.topics.join(', ')}</span> },
                { key: 'source', title: t.source, render: (_, row) => <Link to={`/data/sources/${row.source}`}>{row.source}</Link> },
                { key: 'state', title: t.state, width: 200, render: (_, row) => <State feed={row} /> },
                { key: 'behind', title: <Tooltip title={t.behindHint}><span>{t.behind}</span></Tooltip>, align: 'right', width: 90, render: (_, row) => (row.behind === null ? <span className="faint">{t.unknown}</span> : <Count value={row.behind} />) },
                { key: 'messages', title: t.messages, align: 'right', width: 90, render: (_, row) => <Count value={row.messages} /> },
                { key: 'refused', title: t.refused, align: 'right', width: 100, render: (_, row) => <span className={row.refused > 0 ? 'negative' : 'faint'}><Count value={row.refused} exact /></span> },
                { key: 'lost', title: <Tooltip title={t.lostHint}><span>{t.lost}</span></Tooltip>, align: 'right', width: 80, render: (_, row) => <span className={row.lost > 0 ? 'negative' : 'faint'}><Count value={row.lost} exact /></span> },
                { key: 'last', title: t.last, width: 120, render: (_, row) => (row.last_at === null ? <span className="faint">{t.none}</span> : <Time at={row.last_at} />) },
                { key: 'act', title: <QuietHead>{t.edit}</QuietHead>, align: 'right', width: 130, render: (_, row) => <span className="row" style={{ justifyContent: 'flex-end', gap: 4 }}><PauseButton feed={row} /><Button size="small" type="link" aria-label={`${t.edit} ${row.key}`} onClick={() => open(row)}>{t.edit}</Button></span> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <FeedDrawer asked={filters.feed === '' || feeds.data === undefined ? null : filters.feed} feeds={feeds.data?.items ?? []} onClose={() => setFilters({ feed: '' })} onMade={(key) => setFilters({ feed: key })} />
    </Page>
  );
}

function State({ feed }: { feed: Feed }) {
  const t = useText(feedTexts);
  const hint = feed.problem !== '' ? feed.problem : (t.stateHint[feed.state] ?? '');
  return (
    <span>
      <Tooltip title={hint}><span><Pill tone={feedTones[feed.state]}>{wordFor(t.states, feed.state)}</Pill></span></Tooltip>
      {feed.problem !== '' && <span className="faint small cut" style={{ display: 'block', maxWidth: 190 }}>{feed.problem}</span>}
    </span>
  );
}

function PauseButton({ feed }: { feed: Feed }) {
  const t = useText(feedTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('source.administer');
  const put = useMutation({
    mutationFn: () => api.put('/feeds/{key}', { path: { key: feed.key }, body: feedPut(feedDraft(feed), !feed.paused) }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['feeds'] });
      void message.success(feed.paused ? t.resumed : t.paused);
    },
    onError: notice,
  });
  const word = feed.paused ? t.resume : t.pause;
  return <ActionButton size="small" reason={noRight} loading={put.isPending} aria-label={`${word} ${feed.key}`} onClick={() => put.mutate()}>{word}</ActionButton>;
}
