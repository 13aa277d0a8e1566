/* SPDX-License-Identifier: Apache-2.0 */
/* JourneysPage: all journeys with their state and how many are inside; a new one is taken from the library, or begun empty. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Drawer, Input, Select } from 'antd';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { keyFrom, nameFrom } from '@/features/audience/audience';
import { useFilters } from '@/lib/hooks';
import { ActionButton, Chips, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count, Pill, Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { isValue, journeyQueries, stateTones, type JourneyHead, type State } from './model';
import { journeyTexts } from './texts';
import './journeys.css';

const states: readonly State[] = ['draft', 'live', 'paused', 'finishing', 'stopped'];

export function JourneysPage() {
  const t = useText(journeyTexts);
  const noRole = useRightReason('journey.change');
  const [filters, setFilters] = useFilters({ query: '', folder: '', state: '', create: '' });
  const list = useQuery(journeyQueries.list());
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRole} onClick={() => setFilters({ create: 'yes' })}>{t.create}</ActionButton>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <Loaded
        query={list} skeleton={<Panel><Bones rows={6} inset={0} /></Panel>} isEmpty={(data) => data.items.length === 0}
        empty={<Panel><Empty title={t.emptyTitle} action={<ActionButton reason={noRole} onClick={() => setFilters({ create: 'yes' })}>{t.library}</ActionButton>}>{t.empty}</Empty></Panel>}
      >
        {(data) => <Directory items={data.items} filters={filters} onFilter={setFilters} />}
      </Loaded>
      <Library open={filters.create !== ''} items={list.data?.items ?? []} onClose={() => setFilters({ create: '' })} />
    </Page>
  );
}

interface DirectoryProps {
  items: readonly JourneyHead[];
  filters: { query: string; folder: string; state: string };
  onFilter: (change: { query?: string; folder?: string; state?: string }) => void;
}

function Directory({ items, filters, onFilter }: DirectoryProps) {
  const t = useText(journeyTexts);
  const folders = [...new Set(items.map((one) => one.folder).filter((one) => one !== ''))].sort((a, b) => a.localeCompare(b, 'zh-CN'));
  const wanted = filters.query.trim().toLowerCase();
  const shown = items.filter((one) => (filters.state === '' || one.state === filters.state) && (filters.folder === '' || one.folder === filters.folder) && `${one.key} ${one.name}`.toLowerCase().includes(wanted));
  const choices = states.filter((state) => items.some((one) => one.state === state));
  return (
    <>
      <div className="filters">
        <Input allowClear style={{ width: 220 }} placeholder={t.search} aria-label={t.search} value={filters.query} onChange={(event) => onFilter({ query: event.target.value })} />
        {folders.length > 0 && <Select aria-label={t.folder} value={filters.folder} style={{ minWidth: 140 }} onChange={(folder: string) => onFilter({ folder })} options={[{ value: '', label: t.allFolders }, ...folders.map((folder) => ({ value: folder, label: folder }))]} />}
        <Chips label={t.state} value={filters.state} onChange={(state) => onFilter({ state })} choices={[{ value: '', label: t.all }, ...choices.map((state) => ({ value: state as string, label: t.states[state] }))]} />
      </div>
      <Panel flush>
        {shown.length === 0 ? <Empty title={t.emptyFiltered} /> : (
          <DataTable<JourneyHead>
            rowKey="key" dataSource={shown} pagination={shown.length > 50 ? { pageSize: 50, size: 'small', showSizeChanger: false } : false}
            columns={[
              {
                key: 'name', title: t.name, width: 300,
                render: (_, row) => (
                  <div className="journey-name">
                    <Link to={`/journeys/${row.key}`} className="cut" title={row.name}>{row.name}</Link>
                    <span className="small faint cut"><span className="mono">{row.key}</span>{row.folder !== '' && <> · {row.folder}</>}</span>
                  </div>
                ),
              },
              { key: 'state', title: t.state, width: 100, render: (_, row) => <StatePill state={row.state} /> },
              { key: 'version', title: t.version, align: 'right', width: 96, render: (_, row) => (row.live_version === 0 ? <span className="faint">{t.noVersion}</span> : <span className="tabular">{row.live_version}</span>) },
              { key: 'inside', title: t.inside, align: 'right', width: 110, render: (_, row) => <Count value={row.inside} /> },
              { key: 'entered', title: t.entered, align: 'right', width: 100, render: (_, row) => <Count value={row.entered} /> },
              { key: 'changed', title: t.changed, width: 130, render: (_, row) => <Time at={row.changed_at} /> },
            ]}
          />
        )}
      </Panel>
    </>
  );
}

export function StatePill({ state }: { state: State }) {
  const t = useText(journeyTexts);
  return <Pill tone={stateTones[state]}>{t.states[state]}</Pill>;
}

function Library({ open, items, onClose }: { open: boolean; items: readonly JourneyHead[]; onClose: () => void }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const notice = useProblemNotice();
  const noRole = useRightReason('journey.change');
  const navigate = useNavigate();
  const client = useQueryClient();
  const [chosen, setChosen] = useState('');
  const library = useQuery({ ...journeyQueries.library(), enabled: open });
  const create = useMutation({
    mutationFn: ({ from, name, journey }: { from: string; name: string; journey: Schemas['JourneyDefinition'] }) => {
      const taken = new Set(items.map((one) => one.key));
      const key = from !== '' && !taken.has(from) ? from : keyFrom(name, taken, from === '' ? 'journey' : from);
      return api.put('/journeys/{key}', { path: { key }, body: { ...journey, name: nameFrom(name, new Set(items.map((one) => one.name))) } });
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['journeys', 'list'] });
      void navigate(`/journeys/${made.key}`);
    },
    onError: notice,
  });
  const take = (from: string, name: string, journey: Schemas['JourneyDefinition']): void => {
    setChosen(from);
    create.mutate({ from, name, journey });
  };
  const blank: Schemas['JourneyDefinition'] = { name: t.blank, trigger: { type: 'manual' }, start: 'wait', nodes: { wait: { type: 'wait', for: '1d' } } };
  const card = (from: string, name: string, about: string, steps: number, journey: Schemas['JourneyDefinition']) => (
    <li key={from} className="ready">
      <h3>{name}</h3>
      <p className="soft">{about}</p>
      <div className="row between">
        <span className="small faint">{t.steps(steps)}{(() => {
          const there = items.find((one) => from !== '' && one.key === from);
          return there !== undefined && <> · <Link to={`/journeys/${there.key}`}>{t.isThere(t.states[there.state])}</Link></>;
        })()}</span>
        <ActionButton size="small" reason={noRole} aria-label={`${t.use} ${name}`} loading={create.isPending && chosen === from} onClick={() => take(from, name, journey)}>{t.use}</ActionButton>
      </div>
    </li>
  );
  return (
    <Drawer open={open} onClose={onClose} size={640} title={t.library}>
      <p className="soft" style={{ marginBottom: 12 }}>{t.libraryHint}</p>
      <Loaded query={library} skeleton={<Bones rows={8} inset={0} />}>
        {(data) => (
          <ul className="library">
            {data.items.map((one) => card(one.key, one.name[language], one.about[language], isValue(one.journey['nodes']) ? Object.keys(one.journey['nodes']).length : 0, one.journey))}
            {card('', t.blank, t.blankAbout, 1, blank)}
          </ul>
        )}
      </Loaded>
    </Drawer>
  );
}
