/* SPDX-License-Identifier: Apache-2.0 */
/* RulesPage: which identifiers make one person, by which rules; a change shows first what it would do. */
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { identifierName } from '@/lib/identifiers';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { Count, Pill, QuietHead } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { ruleSentence, type Rule } from './rule';
import { RuleDrawer } from './RuleDrawer';
import { identityWords } from './words';

const texts = catalogue({
  zh: {
    title: '识别规则',
    purpose: '哪些标识能说明是同一个人。改之前可以先预演：会合并谁、会拆开谁。强标识从上到下依次优先。',
    type: '标识',
    strength: '强度',
    rule: '规则',
    blocked: '屏蔽',
    blockedCount: (values: number, patterns: number) => [values > 0 ? `${values} 个值` : '', patterns > 0 ? `${patterns} 条模式` : ''].filter((part) => part !== '').join(' · '),
    count: '已有标识',
    edit: '修改',
  },
  en: {
    title: 'Identity rules',
    purpose: 'Which identifiers say that it is the same person. Before a change you can see who would be joined and who split. Strong ones rank from top to bottom.',
    type: 'Identifier',
    strength: 'Strength',
    rule: 'Rule',
    blocked: 'Blocked',
    blockedCount: (values, patterns) => [values > 0 ? `${values} values` : '', patterns > 0 ? `${patterns} patterns` : ''].filter((part) => part !== '').join(' · '),
    count: 'Known',
    edit: 'Edit',
  },
});

export function RulesPage() {
  const t = useText(texts);
  const identity = useText(identityWords);
  const common = useText(words);
  const language = useLanguage();
  const types = useQuery(queries.identityTypes());
  const [filters, setFilters] = useFilters({ edit: '' });
  const edited = types.data?.items.find((type) => type.name === filters.edit);
  const open = (name: string): void => setFilters({ edit: name }, true);
  return (
    <Page title={t.title} purpose={t.purpose}>
      <Panel flush>
        <Loaded query={types} skeleton={<Bones rows={14} />}>
          {(data) => (
            <DataTable<Rule>
              rowKey="name" dataSource={data.items} rowClassName="clickable"
              onRow={(row) => ({ onClick: () => open(row.name) })}
              columns={[
                { key: 'type', title: t.type, fixed: 'left', render: (_, row) => <span><strong style={{ fontWeight: 600 }}>{identifierName(row, language, common.identifier)}</strong> <span className="mono faint">{row.name}</span></span> },
                { key: 'strength', title: t.strength, width: 80, render: (_, row) => <Pill tone={row.strong ? 'accent' : 'plain'}>{row.strong ? identity.strong : identity.weak}</Pill> },
                { key: 'rule', title: t.rule, render: (_, row) => <span className="soft" style={{ display: 'block', maxWidth: 560 }}>{ruleSentence(row, language)}</span> },
                { key: 'blocked', title: t.blocked, render: (_, row) => <span className="small faint">{t.blockedCount(row.blocked.length, row.blocked_patterns.length)}</span> },
                { key: 'count', title: t.count, align: 'right', width: 100, render: (_, row) => <Count value={row.identifiers} /> },
                { key: 'edit', title: <QuietHead>{t.edit}</QuietHead>, width: 70, align: 'right', render: (_, row) => <Button size="small" type="link" aria-label={`${t.edit} ${row.name}`} onClick={(event) => { event.stopPropagation(); open(row.name); }}>{t.edit}</Button> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <RuleDrawer rule={edited ?? null} onClose={() => setFilters({ edit: '' })} />
    </Page>
  );
}
