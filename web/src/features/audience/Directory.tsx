/* SPDX-License-Identifier: Apache-2.0 */
/* Directory: all definitions of a kind: folders on the left, filters above, a line for each. Everything chosen is in the address. */
import { FolderOutlined } from '@ant-design/icons';
import { Input, Select } from 'antd';
import { useEffect, useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import type { AudienceKind } from '@/api/queries';
import { useSession } from '@/app/session';
import { useText } from '@/app/preferences';
import { useDebounced, useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { DataTable } from '@/ui/DataTable';
import { Count, Pill, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Empty } from '@/ui/States';
import { foldersOf, isInFolder, matches, nameOf, type Definition } from './audience';
import { pathOf, SizeLine, StatePill, Usage } from './Marks';
import { audienceTexts } from './texts';
import './audience.css';

interface DirectoryProps {
  kind: AudienceKind;
  items: readonly Definition[];
  /* what stands behind the name of a line: sizes of values, for tags */
  more?: (row: Definition) => ReactNode;
  emptyFiltered: string;
}

export function Directory({ kind, items, more, emptyFiltered }: DirectoryProps) {
  const t = useText(audienceTexts);
  const common = useText(words);
  const { user } = useSession();
  const [filters, setFilters] = useFilters({ folder: '', query: '', kind: '', owner: '' });
  const [typed, setTyped] = useState(filters.query);
  const settled = useDebounced(typed, 250);
  useEffect(() => setFilters({ query: settled.trim() }), [settled, setFilters]);
  const kinds = kind === 'segments' ? t.segmentKinds : t.tagKinds;
  const owners = [...new Set(items.map((one) => one.owner).filter((one) => one !== ''))].sort();
  const shown = items.filter((one) => isInFolder(one.folder, filters.folder) && matches(one, filters.query) && (filters.kind === '' || one.kind === filters.kind) && (filters.owner === '' || one.owner === filters.owner));
  const sorted = [...shown].sort((a, b) => a.folder.localeCompare(b.folder, 'zh-CN') || nameOf(a).localeCompare(nameOf(b), 'zh-CN'));
  const me = user.name === '' ? user.login : user.name;
  return (
    <div className="directory">
      <Folders items={items} value={filters.folder} onChange={(folder) => setFilters({ folder })} />
      <div>
        <div className="filters">
          <Input allowClear style={{ width: 220 }} placeholder={t.search} aria-label={t.search} value={typed} onChange={(event) => setTyped(event.target.value)} />
          <Select
            aria-label={t.kind} value={filters.kind} style={{ minWidth: 120 }} onChange={(next: string) => setFilters({ kind: next })}
            options={[{ value: '', label: t.allKinds }, ...[...new Set(items.map((one) => one.kind))].map((value) => ({ value, label: wordFor(kinds, value) }))]}
          />
          {owners.length > 0 && (
            <Select
              aria-label={t.owner} value={filters.owner} style={{ minWidth: 120 }} onChange={(next: string) => setFilters({ owner: next })} showSearch={{ optionFilterProp: 'label' }}
              options={[{ value: '', label: `${t.owner}: ${common.all}` }, ...owners.map((value) => ({ value, label: value === me ? `${value} · ${t.ownerMe}` : value }))]}
            />
          )}
        </div>
        <Panel flush>
          {sorted.length === 0 ? <Empty title={emptyFiltered} /> : (
            <DataTable<Definition>
              rowKey="key" dataSource={sorted} pagination={sorted.length > 50 ? { pageSize: 50, size: 'small', showSizeChanger: false } : false}
              columns={[
                {
                  key: 'name', title: t.name, fixed: 'left', width: more === undefined ? 260 : 220,
                  render: (_, row) => (
                    <div className="definition-name">
                      <Link to={pathOf(kind, row.key)} className="cut" title={nameOf(row)}>{nameOf(row)}</Link>
                      <span className="small faint cut"><span className="mono">{row.key}</span>{row.folder !== '' && filters.folder !== row.folder && <> · {row.folder}</>}</span>
                    </div>
                  ),
                },
                { key: 'count', title: t.count, align: 'right', width: 88, render: (_, row) => <Count value={row.count} /> },
                { key: 'trend', title: t.trend, width: 110, render: (_, row) => <SizeLine kind={kind} definition={row} /> },
                { key: 'kind', title: t.kind, width: 84, render: (_, row) => <Pill>{wordFor(kinds, row.kind)}</Pill> },
                ...(more === undefined ? [] : [{ key: 'more', title: t.value, width: 210, render: (_: unknown, row: Definition) => more(row) }]),
                { key: 'state', title: t.state, width: 84, render: (_, row) => <StatePill state={row.state} /> },
                ...(owners.length === 0 ? [] : [{ key: 'owner', title: t.owner, width: 110, render: (_: unknown, row: Definition) => (row.owner === '' ? <span className="faint">{common.none}</span> : <span className="cut" style={{ display: 'block', maxWidth: 110 }} title={row.owner}>{row.owner}</span>) }]),
                { key: 'usage', title: t.usage, width: 88, render: (_, row) => <Usage usedBy={row.used_by} /> },
                { key: 'changed', title: t.changed, width: 128, render: (_, row) => <Time at={row.changed_at} /> },
              ]}
            />
          )}
        </Panel>
      </div>
    </div>
  );
}

function Folders({ items, value, onChange }: { items: readonly Definition[]; value: string; onChange: (folder: string) => void }) {
  const t = useText(audienceTexts);
  const folders = foldersOf(items);
  const unfiled = items.filter((one) => one.folder.trim() === '').length;
  if (folders.length === 0) return null;
  const entry = (path: string, name: string, count: number, level: number) => (
    <li key={path}>
      <button type="button" className="folder" aria-current={value === path ? 'true' : undefined} style={{ paddingLeft: 8 + level * 14 }} onClick={() => onChange(path)} title={name}>
        <FolderOutlined className="faint" /><span className="cut grow">{name}</span><span className="faint tabular">{count}</span>
      </button>
    </li>
  );
  return (
    <nav aria-label={t.folders} className="folders">
      <ul>
        {entry('', t.allFolders, items.length, 0)}
        {folders.map((folder) => entry(folder.path, folder.name, folder.count, folder.level))}
        {unfiled > 0 && entry('-', t.noFolder, unfiled, 0)}
      </ul>
    </nav>
  );
}
