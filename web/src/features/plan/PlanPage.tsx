/* SPDX-License-Identifier: Apache-2.0 */
/* PlanPage: the events and properties that are known, and what is expected of them. */
import { PlusOutlined, SearchOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useMemo, useState } from 'react';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, Chips, useRightReason } from '@/ui/Controls';
import { Pill, QuietHead, useEventName, type Tone } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { planStatuses, type PlanEvent } from './plan';
import { PlanDrawer } from './PlanDrawer';
import { planTexts } from './texts';

const tones: Readonly<Record<string, Tone>> = { learnt: 'plain', planned: 'accent', blocked: 'bad' };

export function PlanPage() {
  const t = useText(planTexts);
  const common = useText(words);
  const noRole = useRightReason('plan.change');
  const plan = useQuery(queries.planEvents());
  const [filters, setFilters] = useFilters({ search: '', status: '', edit: '' });
  const [isCreating, setCreating] = useState(false);
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRole} onClick={() => setCreating(true)}>{t.create}</ActionButton>;
  const edited = plan.data?.items.find((event) => event.name === filters.edit) ?? null;
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <div className="filters">
        <Input allowClear prefix={<SearchOutlined />} style={{ width: 280 }} placeholder={t.search} aria-label={t.search} value={filters.search} onChange={(event) => setFilters({ search: event.target.value })} />
        <Chips label={t.statusHead} value={filters.status} onChange={(status) => setFilters({ status })} choices={[{ value: '', label: common.all }, ...planStatuses.map((status) => ({ value: status as string, label: t.status[status] }))]} />
      </div>
      <Panel flush>
        <Loaded query={plan} skeleton={<Bones rows={12} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}>
          {(data) => <PlanTable events={data.items} search={filters.search} status={filters.status} onOpen={(name) => setFilters({ edit: name }, true)} />}
        </Loaded>
      </Panel>
      <PlanDrawer event={edited} isNew={isCreating} onClose={() => { setFilters({ edit: '' }); setCreating(false); }} />
    </Page>
  );
}

/* The standard's own line in English says what the Chinese name beside it has said. */
const isForeign = (event: PlanEvent, name: string): boolean => /[\u4e00-\u9fff]/.test(name) && name !== event.name && !/[\u4e00-\u9fff]/.test(event.description ?? '');

function PlanTable({ events, search, status, onOpen }: { events: readonly PlanEvent[]; search: string; status: string; onOpen: (name: string) => void }) {
  const t = useText(planTexts);
  const eventName = useEventName();
  const shown = useMemo(() => {
    const needle = search.trim().toLowerCase();
    return events
      .filter((event) => status === '' || event.status === status)
      .filter((event) => needle === '' || [event.name, eventName(event.name), event.description ?? '', ...event.properties.map((property) => property.name)].some((text) => text.toLowerCase().includes(needle)));
  }, [events, search, status, eventName]);
  return (
    <DataTable<PlanEvent>
      rowKey="name" dataSource={shown} rowClassName="clickable" locale={{ emptyText: t.noneFound }}
      pagination={shown.length > 50 ? { pageSize: 50, size: 'small', showSizeChanger: false } : false}
      onRow={(row) => ({ onClick: () => onOpen(row.name) })}
      columns={[
        {
          key: 'event', title: t.event, fixed: 'left', sorter: (a, b) => a.name.localeCompare(b.name),
          render: (_, row) => { const name = eventName(row.name); return name === row.name ? <span className="mono">{row.name}</span> : <span><strong style={{ fontWeight: 600 }}>{name}</strong> <span className="mono faint">{row.name}</span></span>; },
        },
        { key: 'status', title: t.statusHead, width: 110, render: (_, row) => <Pill tone={tones[row.status] ?? 'plain'}>{wordFor(t.status, row.status)}</Pill> },
        { key: 'properties', title: t.properties, render: (_, row) => <PropertyNames event={row} /> },
        { key: 'description', title: t.description, ellipsis: true, render: (_, row) => <span className="soft cut" style={{ display: 'block', maxWidth: 200 }} title={row.description}>{isForeign(row, eventName(row.name)) ? '' : row.description}</span> },
        { key: 'edit', title: <QuietHead>{t.edit}</QuietHead>, width: 70, align: 'right', render: (_, row) => <Button size="small" type="link" aria-label={`${t.edit} ${row.name}`} onClick={(event) => { event.stopPropagation(); onOpen(row.name); }}>{t.edit}</Button> },
      ]}
    />
  );
}

function PropertyNames({ event }: { event: PlanEvent }) {
  const some = event.properties.slice(0, 2);
  return (
    <span className="row" style={{ gap: 4 }}>
      {some.map((property) => <span key={property.name} className="mono ident">{property.name}{property.required === true && <i style={{ color: 'var(--bad)' }}>*</i>}</span>)}
      {event.properties.length > some.length && <span className="faint small">+{event.properties.length - some.length}</span>}
    </span>
  );
}
