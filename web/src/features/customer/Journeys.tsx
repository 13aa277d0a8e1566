/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys: which journeys a customer is in and where, and what was sent to her or was not. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { useJourneyName } from '@/features/journeys/heads';
import { definitionOf, isValue, journeyQueries, kindOf, textOf } from '@/features/journeys/model';
import { journeyTexts } from '@/features/journeys/texts';
import { tones, touchQueries, type Touch } from '@/features/touches/model';
import { useReason } from '@/features/touches/reason';
import { touchTexts } from '@/features/touches/texts';
import { TouchDrawer } from '@/features/touches/TouchDrawer';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { DataTable } from '@/ui/DataTable';
import { ChannelName, Pill, QuietHead, Time } from '@/ui/Marks';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';

export function Journeys({ oneId }: { oneId: string }) {
  const t = useText(journeyTexts);
  return (
    <div className="stack">
      <section><h2 className="detail-head">{t.customer.positions}</h2><Positions oneId={oneId} /></section>
      <section><h2 className="detail-head">{t.customer.touches}</h2><Touches oneId={oneId} /></section>
    </div>
  );
}

function Positions({ oneId }: { oneId: string }) {
  const t = useText(journeyTexts);
  const common = useText(words);
  const positions = useQuery(journeyQueries.ofCustomer(oneId));
  return (
    <Loaded query={positions} skeleton={<Bones rows={3} inset={0} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.customer.none}>{t.customer.noneHint}</Empty>}>
      {(data) => (
        <DataTable
          rowKey="position" dataSource={data.items}
          columns={[
            { key: 'journey', title: t.journey, render: (_, row) => <span className="row"><Link to={`/journeys/${row.journey}/explain?who=${oneId}`}>{row.name === '' ? row.journey : row.name}</Link>{row.key !== '' && <span className="mono faint">{row.key}</span>}</span> },
            { key: 'node', title: t.node, render: (_, row) => <Place journey={row.journey} version={row.version} node={row.node} /> },
            { key: 'state', title: t.state, render: (_, row) => <Pill tone={row.state === 'failed' ? 'bad' : 'plain'}>{wordFor(t.stateOf, row.state)}</Pill> },
            { key: 'entered', title: t.customer.since, render: (_, row) => <Time at={row.entered_at} exact /> },
            { key: 'due', title: t.customer.due, render: (_, row) => (row.due === undefined ? <span className="faint">{common.none}</span> : <Time at={row.due} exact />) },
          ]}
        />
      )}
    </Loaded>
  );
}

/* Where she stands, as the canvas calls it: the name of the node, or what kind it is. */
function Place({ journey, version, node }: { journey: string; version: number; node: string }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const sees = useMay('journey.see');
  const own = Object.hasOwn(t.places, node);
  const definition = useQuery({ ...journeyQueries.version(journey, version), enabled: sees && !own });
  const catalogue = useQuery({ ...journeyQueries.catalogue(), enabled: sees && !own });
  if (own) return <>{wordFor(t.places, node)}</>;
  const body = definition.data?.journey;
  const found = isValue(body) ? definitionOf(body).nodes[node] : undefined;
  const kind = catalogue.data === undefined ? undefined : kindOf(catalogue.data, textOf(found?.['type']));
  const name = textOf(found?.['name']) || (kind?.text[language] ?? '');
  return name === '' ? <span className="mono">{node}</span> : <span title={node}>{name}</span>;
}

function Touches({ oneId }: { oneId: string }) {
  const t = useText(journeyTexts);
  const said = useText(touchTexts);
  const common = useText(words);
  const say = useReason();
  const journeyName = useJourneyName();
  const [opened, setOpened] = useState<number | null>(null);
  const list = useInfiniteQuery(touchQueries.list({ status: '', journey: '', customer: oneId }));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.isPending) return <Bones rows={4} inset={0} />;
  if (list.isError && items.length === 0) return <Failure error={list.error} retry={() => void list.refetch()} />;
  if (items.length === 0) return <Empty title={t.customer.noTouches}>{t.customer.noTouchesHint}</Empty>;
  return (
    <>
      <DataTable<Touch>
        rowKey="id" dataSource={items}
        columns={[
          { key: 'at', title: said.at, render: (_, row) => <Time at={row.created_at} exact /> },
          { key: 'channel', title: said.channel, render: (_, row) => (row.channel ? <ChannelName channel={row.channel} /> : common.none) },
          { key: 'journey', title: said.journey, render: (_, row) => (row.journey ? <Link to={`/journeys/${row.journey}`}>{journeyName(row.journey)}</Link> : <span className="faint">{common.none}</span>) },
          { key: 'status', title: said.status, render: (_, row) => <Pill tone={tones[row.status]}>{said.statuses[row.status]}</Pill> },
          { key: 'reason', title: said.reason, render: (_, row) => <span className="soft">{row.reason ? say(row.reason) : ''}</span> },
          { key: 'open', title: <QuietHead>{said.more}</QuietHead>, align: 'right', render: (_, row) => <Button size="small" type="link" aria-label={`${said.more} ${row.id}`} onClick={() => setOpened(row.id)}>{said.more}</Button> },
        ]}
      />
      {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      <TouchDrawer id={opened} onClose={() => setOpened(null)} />
    </>
  );
}
