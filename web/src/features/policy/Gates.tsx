/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: which journey comes first for a customer whom several want, and what each message passes before it goes. */
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useLanguage, useText } from '@/app/preferences';
import { sendingsOf } from '@/features/journeys/entry';
import { definitionOf, journeyQueries, kindOf, textOf, type JourneyCatalogue, type JourneyHead } from '@/features/journeys/model';
import { StatePill } from '@/features/journeys/JourneysPage';
import { touchQueries, type Gate } from '@/features/touches/model';
import { DataTable } from '@/ui/DataTable';
import { ChannelName, Pill, QuietHead } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { policyTexts } from './texts';

const ranked = 60; /* journeys, each is asked for */
const usual = 50; /* the priority of a step that names none */

export function Ranks() {
  const list = useQuery(journeyQueries.list());
  const catalogue = useQuery(journeyQueries.catalogue());
  return (
    <Loaded query={list} skeleton={<Panel><Bones rows={6} inset={0} /></Panel>}>
      {(data) => (catalogue.data === undefined ? <Panel><Bones rows={6} inset={0} /></Panel> : <Ranked heads={data.items.filter((one) => one.state === 'live' || one.state === 'paused' || one.state === 'preparing')} catalogue={catalogue.data} />)}
    </Loaded>
  );
}

interface Rank {
  head: JourneyHead;
  node: string;
  name: string;
  channel: string;
  priority: number;
}

function Ranked({ heads, catalogue }: { heads: readonly JourneyHead[]; catalogue: JourneyCatalogue }) {
  const t = useText(policyTexts);
  const language = useLanguage();
  const shown = heads.slice(0, ranked);
  const each = useQueries({ queries: shown.map((one) => ({ ...journeyQueries.one(one.key), refetchInterval: false as const, staleTime: 30_000 })) });
  const rows = shown.flatMap((head, at): Rank[] => {
    const definition = definitionOf(each[at]?.data?.journey ?? {});
    return sendingsOf(definition, catalogue).map(({ node, channel }) => {
      const held = definition.nodes[node] ?? {};
      return { head, node, name: textOf(held['name']) || [kindOf(catalogue, textOf(held['type']))?.text[language], node].filter((part) => part !== undefined && part !== '').join(' · '), channel, priority: typeof held['priority'] === 'number' ? held['priority'] : usual };
    });
  }).sort((a, b) => b.priority - a.priority || a.head.name.localeCompare(b.head.name, 'zh-CN'));
  if (heads.length === 0) return <Panel><Empty title={t.ranksEmpty}>{t.ranksHint}</Empty></Panel>;
  if (each.some((one) => one.isPending)) return <Panel><Bones rows={6} inset={0} /></Panel>;
  return (
    <Panel flush title={t.ranks} note={t.ranksHint}>
      <DataTable<Rank>
        rowKey={(row) => `${row.head.key} ${row.node}`} dataSource={rows} pagination={rows.length > 50 ? { pageSize: 50, size: 'small', showSizeChanger: false } : false}
        columns={[
          { key: 'priority', title: t.priority, width: 90, align: 'right', render: (_, row) => <strong className="tabular">{row.priority}</strong> },
          { key: 'name', title: t.journey, render: (_, row) => <Link to={`/journeys/${row.head.key}`}>{row.head.name === '' ? row.head.key : row.head.name}</Link> },
          { key: 'step', title: t.step, render: (_, row) => row.name },
          { key: 'channel', title: t.channel, width: 150, render: (_, row) => <ChannelName channel={row.channel} /> },
          { key: 'state', title: t.state, width: 120, render: (_, row) => <StatePill state={row.head.state} /> },
          { key: 'do', title: <QuietHead>{t.change}</QuietHead>, width: 90, align: 'right', render: (_, row) => <Link to={`/journeys/${row.head.key}?node=${encodeURIComponent(row.node)}`} aria-label={`${t.change} ${row.head.name} ${row.name}`}>{t.change}</Link> },
        ]}
      />
      {heads.length > ranked && <p className="small faint" style={{ padding: '8px 16px' }}>{t.more(heads.length - ranked)}</p>}
    </Panel>
  );
}

export function Gates() {
  const t = useText(policyTexts);
  const language = useLanguage();
  const gates = useQuery(touchQueries.gates());
  return (
    <Panel flush title={t.gates} note={t.gatesHint}>
      <Loaded query={gates} skeleton={<Bones rows={12} />}>
        {(data) => (
          <DataTable<Gate & { effect?: string; applies?: string }>
            rowKey="code" dataSource={data}
            columns={[
              { key: 'at', title: '#', width: 50, align: 'right', render: (_, __, at) => <span className="faint tabular">{at + 1}</span> },
              { key: 'gate', title: t.gate, render: (_, row) => <span>{row.text[language]} <span className="mono small faint">{row.code}</span></span> },
              { key: 'effect', title: t.effect, width: 140, render: (_, row) => <Pill tone={row.effect === 'drop' ? 'bad' : row.effect === 'hold' ? 'warn' : 'info'}>{t.effects[row.effect ?? ''] ?? ''}</Pill> },
              { key: 'applies', title: t.concerns, width: 140, render: (_, row) => t.applies[row.applies ?? ''] ?? '' },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}
