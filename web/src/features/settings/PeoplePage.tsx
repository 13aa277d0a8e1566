/* SPDX-License-Identifier: Apache-2.0 */
/* PeoplePage: who may sign in, with which roles, in which team, how she signs in and when she was last seen. Filters and the person that is
 * open are in the address.
 */
import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { useDebounced, useFilters, useLasting } from '@/lib/hooks';
import { catalogue } from '@/lib/text';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { Avatar, Pill, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { isMeant, lastSeen, noTeam, type User } from './people';
import { PersonDrawer } from './PersonDrawer';
import { adminQueries } from './queries';
import { useRoleName } from './roles';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '成员', purpose: '谁能登录，有哪些角色，看得到哪一部分客户。', create: '添加成员', search: '姓名或账号', name: '姓名', roles: '角色', team: '团队', wholeHouse: '全部', factor: '登录方式', password: '仅密码', two: '密码 + 动态口令', sso: '单点登录', seen: '最近活动', seenHint: '看的是还没结束的登录会话', notSeen: '没有登录中的会话',
    state: '状态', on: '可登录', off: '已停用', you: '你', allRoles: '全部角色', allTeams: '全部团队', anyState: '全部状态', single: '仅密码', emptyTitle: '没有符合的成员', empty: '换一个条件，或者清除筛选。', clear: '清除筛选', count: (count: number) => `${count} 人`,
  },
  en: {
    title: 'People', purpose: 'Who may sign in, with which roles, and which customers she sees.', create: 'Add a person', search: 'Name or login', name: 'Name', roles: 'Roles', team: 'Team', wholeHouse: 'the whole', factor: 'Signs in by', password: 'password alone', two: 'password and code', sso: 'single sign-on', seen: 'Last seen', seenHint: 'by sessions that have not ended', notSeen: 'no open session',
    state: 'State', on: 'may sign in', off: 'switched off', you: 'you', allRoles: 'All roles', allTeams: 'All teams', anyState: 'Any state', single: 'password alone', emptyTitle: 'Nobody fits', empty: 'Choose another filter, or clear them.', clear: 'Clear filters', count: (count) => (count === 1 ? '1 person' : `${count} people`),
  },
});

const noFilter = { q: '', role: '', team: '', state: '' };

export function PeoplePage() {
  const t = useText(texts);
  const noRight = useRightReason('user.administer');
  const users = useQuery(adminQueries.users());
  const [filters, setFilters] = useFilters(noFilter);
  const [params, setParams] = useSearchParams();
  const open = (login: string | null): void => setParams((before) => {
    const after = new URLSearchParams(before);
    after.delete('person');
    after.delete('create');
    if (login === '') after.set('create', '1');
    else if (login !== null) after.set('person', login);
    return after;
  });
  const login = params.get('person');
  const shown = users.data?.items.filter((one) => isMeant(one, filters)) ?? [];
  const person = params.get('create') === '1' ? ('new' as const) : (users.data?.items.find((one) => one.login === login) ?? null);
  const lasting = useLasting(person);
  return (
    <Page title={t.title} purpose={t.purpose} actions={<ActionButton type="primary" icon={<PlusOutlined />} reason={noRight} onClick={() => open('')}>{t.create}</ActionButton>}>
      <Filters filters={filters} onChange={setFilters} />
      <Panel flush>
        <Loaded query={users} skeleton={<Bones rows={6} />}>
          {() => (shown.length === 0 ? <Empty title={t.emptyTitle} action={<Button onClick={() => setFilters(noFilter)}>{t.clear}</Button>}>{t.empty}</Empty> : <People users={shown} onOpen={open} />)}
        </Loaded>
      </Panel>
      {lasting !== null && <PersonDrawer key={lasting === 'new' ? '~new' : lasting.login} isOpen={person !== null} user={lasting === 'new' ? null : lasting} onClose={() => open(null)} onMade={(made) => open(made)} />}
    </Page>
  );
}

function Filters({ filters, onChange }: { filters: typeof noFilter; onChange: (change: Partial<typeof noFilter>) => void }) {
  const t = useText(texts);
  const roleName = useRoleName();
  const roles = useQuery({ ...adminQueries.roles(), enabled: useMay('role.see') });
  const teams = useQuery({ ...adminQueries.teams(), enabled: useMay('team.see') });
  const [typed, setTyped] = useState(filters.q);
  const settled = useDebounced(typed, 200);
  useEffect(() => onChange({ q: settled }), [settled, onChange]);
  useEffect(() => setTyped((now) => (filters.q === '' && now === settled ? '' : now)), [filters.q, settled]);
  return (
    <div className="filters">
      <Input allowClear style={{ width: 180 }} placeholder={t.search} aria-label={t.search} value={typed} onChange={(event) => setTyped(event.target.value)} />
      <Select aria-label={t.roles} style={{ width: 150 }} value={filters.role} onChange={(role) => onChange({ role })} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.allRoles }, ...(roles.data?.items ?? []).map((one) => ({ value: one.key, label: roleName(one.key) }))]} />
      {(teams.data?.items.length ?? 0) > 0 && <Select aria-label={t.team} style={{ width: 150 }} value={filters.team} onChange={(team) => onChange({ team })} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.allTeams }, { value: noTeam, label: t.wholeHouse }, ...(teams.data?.items ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name }))]} />}
      <Select aria-label={t.state} style={{ width: 130 }} value={filters.state} onChange={(state) => onChange({ state })} options={[{ value: '', label: t.anyState }, { value: 'on', label: t.on }, { value: 'off', label: t.off }, { value: 'single', label: t.single }]} />
    </div>
  );
}

function People({ users, onOpen }: { users: readonly User[]; onOpen: (login: string) => void }) {
  const t = useText(texts);
  const { user: me } = useSession();
  const roleName = useRoleName();
  const teams = useQuery({ ...adminQueries.teams(), enabled: useMay('team.see') });
  const seesTokens = useMay('token.administer');
  const tokens = useQuery({ ...adminQueries.tokens(), enabled: seesTokens, refetchInterval: 30_000 });
  const seen = lastSeen(tokens.data?.items ?? []);
  const teamName = (key: string): string => teams.data?.items.find((one) => one.key === key)?.name ?? key;
  return (
    <DataTable<User>
      rowKey="login" dataSource={[...users]} pagination={users.length > 50 ? { pageSize: 50, size: 'small' } : false} onRow={(row) => ({ className: 'clickable', onClick: () => onOpen(row.login) })}
      columns={[
        {
          key: 'name', title: t.name, fixed: 'left', sorter: (a, b) => (a.name === '' ? a.login : a.name).localeCompare(b.name === '' ? b.login : b.name),
          render: (_, row) => (
            <span className="row" style={{ gap: 10 }}>
              <Avatar name={row.name === '' ? row.login : row.name} seed={row.login} size={26} />
              <button type="button" className="link-button cut" style={{ maxWidth: 220 }} onClick={(event) => { event.stopPropagation(); onOpen(row.login); }}>{row.name === '' ? row.login : row.name}</button>
              {row.name !== '' && <span className="mono faint cut" style={{ maxWidth: 140 }}>{row.login}</span>}{row.login === me.login && <Pill>{t.you}</Pill>}
            </span>
          ),
        },
        { key: 'roles', title: t.roles, render: (_, row) => <span className="row wrap" style={{ gap: 4 }}>{row.roles.map((role) => <Pill key={role} tone={role === 'administrator' ? 'accent' : 'plain'}>{roleName(role)}</Pill>)}</span> },
        { key: 'team', title: t.team, render: (_, row) => (row.team === null ? <span className="faint">{t.wholeHouse}</span> : <Link to={`/settings/teams/${encodeURIComponent(row.team)}`} onClick={(event) => event.stopPropagation()}>{teamName(row.team)}</Link>) },
        { key: 'factor', title: t.factor, width: 150, render: (_, row) => (row.second_factor ? <Pill tone="good">{t.two}</Pill> : row.single_sign_on ? <Pill tone="good">{t.sso}</Pill> : <Pill tone="warn">{t.password}</Pill>) },
        ...(seesTokens ? [{ key: 'seen', title: <span title={t.seenHint}>{t.seen}</span>, width: 140, render: (_: unknown, row: User) => (seen.has(row.login) ? <Time at={seen.get(row.login) ?? null} /> : <span className="faint">{t.notSeen}</span>) }] : []),
        { key: 'state', title: t.state, width: 100, render: (_, row) => <Pill tone={row.disabled ? 'bad' : 'good'}>{row.disabled ? t.off : t.on}</Pill> },
      ]}
    />
  );
}
