/* SPDX-License-Identifier: Apache-2.0 */
/* SourcesPage: the places that send events, and making a new one. */
import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Tooltip } from 'antd';
import { Link, useNavigate } from 'react-router';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { ChannelName, Count, Pill, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { NewSource } from './NewSource';
import { sourceTexts } from './texts';

export function SourcesPage() {
  const t = useText(sourceTexts);
  const sources = useQuery({ ...queries.sources(), refetchInterval: 10_000 });
  const [filters, setFilters] = useFilters({ create: '' });
  const noRole = useRightReason('source.administer');
  const navigate = useNavigate();
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRole} onClick={() => setFilters({ create: '1' })}>{t.create}</ActionButton>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <Panel flush>
        <Loaded query={sources} skeleton={<Bones rows={8} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}>
          {(data) => (
            <DataTable<Schemas['Source']>
              rowKey="key" dataSource={data.items} rowClassName="clickable"
              onRow={(row) => ({ onClick: (event) => { if (!(event.target as Element).closest('a,button')) void navigate(`/data/sources/${row.key}`); } })}
              columns={[
                { key: 'name', title: t.name, fixed: 'left', render: (_, row) => <span><Link to={`/data/sources/${row.key}`} style={{ fontWeight: 600 }}>{row.name === '' ? row.key : row.name}</Link> <span className="mono faint">{row.key}</span></span> },
                { key: 'kind', title: t.kind, width: 90, render: (_, row) => <Pill tone={row.kind === 'server' ? 'accent' : 'plain'}>{row.kind === 'server' ? t.server : t.public}</Pill> },
                { key: 'protocol', title: t.protocol, render: (_, row) => wordFor(t.protocols, row.protocol) },
                { key: 'channel', title: t.channel, render: (_, row) => (row.channel === '' ? <span className="faint">{t.fromEvent}</span> : <ChannelName channel={row.channel} />) },
                { key: 'today', title: t.today, align: 'right', width: 110, render: (_, row) => <Count value={row.events_today} /> },
                { key: 'last', title: t.last, width: 130, render: (_, row) => (row.last_event_at === null ? <span className="faint">{t.never}</span> : <Time at={row.last_event_at} />) },
                { key: 'watermark', title: <Tooltip title={t.watermarkHint}><span>{t.watermark}</span></Tooltip>, width: 130, render: (_, row) => (row.watermark === null ? <span className="faint">—</span> : <Time at={row.watermark} />) },
                {
                  key: 'state', title: t.state, width: 130,
                  render: (_, row) => (
                    <span className="row" style={{ gap: 4 }}>
                      {row.disabled ? <Pill tone="bad">{t.disabled}</Pill> : <Pill tone="good">{t.enabled}</Pill>}
                      {row.strict && <Tooltip title={t.strictHint}><span><Pill tone="warn">{t.strict}</Pill></span></Tooltip>}
                    </span>
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <NewSource open={filters.create === '1' && noRole === null} onClose={() => setFilters({ create: '' })} />
    </Page>
  );
}
