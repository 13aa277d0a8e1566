/* SPDX-License-Identifier: Apache-2.0 */
/* TemplatesPage: all templates with channel, purpose, version and what providers will say of them. */
import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Input } from 'antd';
import { Link, useNavigate } from 'react-router';
import { useText } from '@/app/preferences';
import { templateHeads } from '@/features/journeys/heads';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { ActionButton, Chips, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { ChannelName, useChannelName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { partsOf, partText, textIn, type TemplateHead } from './template';
import { templateTexts } from './texts';

/* What people will read of it. */
function saysOf(template: TemplateHead): string {
  const parts = partsOf(template.body);
  return partText(['text', 'title', 'subject', 'markdown', 'data', 'params'].map((name) => parts[name]).find((part) => part !== undefined) ?? Object.values(parts)[0] ?? '');
}

export function TemplatesPage() {
  const t = useText(templateTexts);
  const navigate = useNavigate();
  const noRole = useRightReason('template.change');
  const channelName = useChannelName();
  const [filters, setFilters] = useFilters({ query: '', channel: '' });
  const list = useQuery(templateHeads());
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRole} onClick={() => void navigate('/new/template')}>{t.create}</ActionButton>;
  const wanted = filters.query.trim().toLowerCase();
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <Loaded query={list} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>} isEmpty={(data) => data.items.length === 0} empty={<Panel><Empty title={t.emptyTitle} action={create}>{t.empty}</Empty></Panel>}>
        {(data) => {
          const channels = [...new Set(data.items.map((one) => textIn(one.body, 'channel')))].sort();
          const shown = data.items.filter((one) => (filters.channel === '' || textIn(one.body, 'channel') === filters.channel) && `${one.key} ${textIn(one.body, 'name')}`.toLowerCase().includes(wanted));
          return (
            <>
              <div className="filters">
                <Input aria-label={t.search} placeholder={t.search} allowClear value={filters.query} onChange={(event) => setFilters({ query: event.target.value })} style={{ width: 240 }} />
                <Chips label={t.channel} value={filters.channel} onChange={(channel) => setFilters({ channel: channel === filters.channel ? '' : channel })} choices={channels.map((channel) => ({ value: channel, label: channelName(channel) }))} />
              </div>
              <Panel flush>
                {shown.length === 0 ? <Empty title={t.noMatch} /> : (
                  <DataTable<TemplateHead>
                    rowKey="key" dataSource={shown} rowClassName="clickable" onRow={(row) => ({ onClick: () => void navigate(`/templates/${row.key}`) })}
                    columns={[
                      { key: 'name', title: t.name, width: 240, fixed: 'left', render: (_, row) => <Link to={`/templates/${row.key}`} onClick={(event) => event.stopPropagation()}>{textIn(row.body, 'name') || row.key}</Link> },
                      { key: 'channel', title: t.channel, width: 160, render: (_, row) => <ChannelName channel={textIn(row.body, 'channel')} /> },
                      { key: 'purpose', title: t.purposeOf, width: 90, render: (_, row) => wordFor(t.purposes, textIn(row.body, 'purpose')) },
                      { key: 'text', title: t.parts, render: (_, row) => <span className="soft cut" title={saysOf(row)} style={{ display: 'block', maxWidth: 440 }}>{saysOf(row)}</span> },
                      { key: 'version', title: t.versionHead, width: 90, align: 'right', render: (_, row) => t.version(row.version) },
                    ]}
                  />
                )}
              </Panel>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
