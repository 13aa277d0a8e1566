/* SPDX-License-Identifier: Apache-2.0 */
/* TeamsPage: the tree of teams: whom each sees, how many that are, who is in it, what is its own. */
import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link, useNavigate } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { RuleSentence } from '@/features/rules/RuleEditor';
import { catalogue } from '@/lib/text';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bone, Bones, Empty, Loaded } from '@/ui/States';
import { adminQueries } from './queries';
import { conditionText, flat, nameOfTeam, ruleOf, treeOf, type Team, type TreeTeam } from './teams';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '团队', purpose: '团队决定一个人看得到哪些客户和事件；角色决定能做什么。在上级团队的人也看得到下级的。', create: '新建团队', name: '团队', sees: '看得到', seesPeople: (count: string) => `${count} 人`, by: '范围', members: '成员', things: '自有', sources: (count: number) => `${count} 个数据源`, accounts: (count: number) => `${count} 个账号`,
    emptyTitle: '还没有团队', empty: '没有团队时，每个人都看得到全部客户。店铺、渠道、经销商各管各的，就给每一边建一个团队，再把成员放进去。', perPerson: '因人而异', together: '汇总下级', all: '其客户的全部事件', join: '、', props: { channel: '渠道', $source: '数据源', brand: '品牌', shop_id: '店铺', store_id: '门店', dealer_id: '经销商' } as Record<string, string>, events: '事件：', whole: '不在任何团队',
  },
  en: {
    title: 'Teams', purpose: 'A team decides which customers and events one sees; roles decide what one does with them. Who is in a team above sees those below, too.', create: 'New team', name: 'Team', sees: 'Sees', seesPeople: (count) => `${count} people`, by: 'Scope', members: 'Members', things: 'Its own', sources: (count) => (count === 1 ? '1 source' : `${count} sources`), accounts: (count) => (count === 1 ? '1 account' : `${count} accounts`),
    emptyTitle: 'There are no teams yet', empty: 'Without teams everybody sees all customers. Where shops, channels or dealers keep to their own, make a team for each and put people into it.', perPerson: 'by person', together: 'those below', all: 'all events of its customers', join: ', ', props: { channel: 'channel', $source: 'source', brand: 'brand', shop_id: 'shop', store_id: 'store', dealer_id: 'dealer' }, events: 'events: ', whole: 'in no team',
  },
});

/* How many the team sees; undefined while it is counted, null where it cannot be said for all. */
export function useTeamCount(team: Pick<Team, 'key' | 'customers' | 'events'>, teams: readonly Team[]): number | null | undefined {
  const rule = useMemo(() => ruleOf(team, teams), [team, teams]);
  const may = useMay('segment.see');
  const { user } = useSession();
  const counted = useQuery({ ...queries.rulePreview(JSON.stringify({ rule: rule ?? {} })), enabled: rule !== null && may && user.team === null, staleTime: 60_000 });
  if (team.customers === null && (team.events ?? []).length === 0 && !teams.some((one) => one.parent === team.key)) return 0;
  if (rule === null || !may || user.team !== null || counted.isError) return null;
  return counted.data?.count;
}

export function Sees({ team, teams }: { team: Team; teams: readonly Team[] }) {
  const t = useText(texts);
  const count = useTeamCount(team, teams);
  if (count === undefined) return <Bone width={48} />;
  if (count === null) return <span className="faint">{t.perPerson}</span>;
  return <Count value={count} />;
}

/* What a team sees, as a sentence. */
export function ScopeText({ team }: { team: Pick<Team, 'customers' | 'events'> }) {
  const t = useText(texts);
  const events = (team.events ?? []).map((one) => conditionText(one, t.join, t.props)).join(' · ');
  if (team.customers === null && events === '') return <span className="faint">{t.together}</span>;
  return <>{team.customers !== null && <RuleSentence value={team.customers} />}{team.customers !== null && events !== '' && <br />}{events !== '' && <span className="mono small">{t.events}{events}</span>}</>;
}

interface Row {
  key: string;
  team: Team;
  children?: Row[];
}

const rowOf = (node: TreeTeam): Row => ({ key: node.team.key, team: node.team, ...(node.children.length === 0 ? {} : { children: node.children.map(rowOf) }) });

export function TeamsPage() {
  const t = useText(texts);
  const navigate = useNavigate();
  const { user } = useSession();
  const noRight = useRightReason('team.administer');
  const teams = useQuery(adminQueries.teams());
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRight} onClick={() => void navigate('/new/team')}>{t.create}</ActionButton>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={user.team === null ? create : undefined}>
      <Panel flush>
        <Loaded query={teams} skeleton={<Bones rows={6} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={user.team === null ? create : undefined}>{t.empty}</Empty>}>
          {(data) => <Tree teams={data.items} />}
        </Loaded>
      </Panel>
    </Page>
  );
}

function Tree({ teams }: { teams: readonly Team[] }) {
  const t = useText(texts);
  const { user } = useSession();
  const seesUsers = useMay('user.see') && user.team === null;
  const users = useQuery({ ...adminQueries.users(), enabled: seesUsers });
  const tree = useMemo(() => treeOf(teams), [teams]);
  const rows = useMemo(() => tree.map(rowOf), [tree]);
  const members = (key: string): number => users.data?.items.filter((one) => one.team === key).length ?? 0;
  return (
    <DataTable<Row>
      rowKey="key" dataSource={rows} expandable={{ defaultExpandedRowKeys: flat(tree).map((one) => one.team.key), indentSize: 20 }}
      columns={[
        { key: 'name', title: t.name, fixed: 'left', render: (_, { team }) => <span className="team-name"><Link to={`/settings/teams/${encodeURIComponent(team.key)}`} className="cut" style={{ maxWidth: 260, display: 'inline-block' }}>{nameOfTeam(team)}</Link>{team.name !== '' && <span className="mono faint">{team.key}</span>}</span> },
        { key: 'sees', title: t.sees, width: 100, align: 'right', render: (_, { team }) => <Sees team={team} teams={teams} /> },
        { key: 'by', title: t.by, render: (_, { team }) => <div className="small" style={{ maxWidth: 460, minWidth: 160, whiteSpace: 'normal' }}><ScopeText team={team} /></div> },
        ...(seesUsers ? [{ key: 'members', title: t.members, width: 90, align: 'right' as const, render: (_: unknown, { team }: Row) => (members(team.key) === 0 ? <span className="faint">0</span> : <Link to={`/settings/people?team=${encodeURIComponent(team.key)}`}>{members(team.key)}</Link>) }] : []),
        { key: 'things', title: t.things, width: 190, render: (_, { team }) => <span className="small soft">{[team.sources.length > 0 ? t.sources(team.sources.length) : '', team.accounts.length > 0 ? t.accounts(team.accounts.length) : ''].filter((part) => part !== '').join(' · ') || '—'}</span> },
      ]}
    />
  );
}
