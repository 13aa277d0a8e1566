/* SPDX-License-Identifier: Apache-2.0 */
/* TeamPage: one team: whom it sees, who is in it, what is its own, what is shared with it; and the form that makes or changes one, with
 * the rule editor for its customers.
 */
import { ArrowLeftOutlined, DeleteOutlined, EditOutlined, PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Modal, Segmented, Select } from 'antd';
import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { api, ApiProblem, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { openNodes } from '@/features/rules/draft';
import { readRule } from '@/features/rules/model';
import { RuleEditor } from '@/features/rules/RuleEditor';
import { touchQueries } from '@/features/touches/model';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Avatar, Time } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { KeptNotice } from './KeptNotice';
import { adminQueries } from './queries';
import { conditionsOf, linesOf, nameOfTeam, possibleParents, type JsonObject, type Team } from './teams';
import { ScopeText, Sees } from './TeamsPage';
import { Shares, Things } from './TeamThings';
import { useKept } from './useKept';
import './settings.css';

const texts = catalogue({
  zh: {
    newTitle: '新建团队', edit: '修改', editTitle: (name: string) => `修改「${name}」`, remove: '删除', purpose: '范围一保存就生效：团队里的人下一次请求看到的就是新的范围。', back: '全部团队', facts: '看得到谁', sees: '客户', scope: '范围', parent: '上级团队', top: '没有，在最上层', below: '下级团队', changed: '最近修改', members: '成员', noMembers: '团队里还没有人。', addMembers: '在成员页把人放进来',
    name: '名称', key: '代号', keyHelp: '小写字母和数字；团队的人群、旅程用「代号__」开头，保存后不能改', keyBad: '只能有小写字母和数字，最长 30 个', keyTaken: '已经有这个代号', parentHelp: '在上级团队的人也看得到这个团队的客户', customers: '看得到哪些客户', modes: { none: '按事件，或汇总下级', rule: '按规则' }, noneHelp: '有下面这些事件的客户都看得到；事件也不限时，看得到下级团队的全部。', ruleHelp: '「$me」代表登录的人自己，例如专属顾问是 $me。',
    events: '只看得到这些事件', eventsHelp: '几行同时满足；不写就看得到其客户的全部事件。', prop: '属性', values: '取值', addLine: '加一个条件', removeLine: '去掉这个条件', sources: '自有数据源', sourcesHelp: '这些数据源带来的属性和标识，团队看得到', accounts: '自有发送账号', save: '保存团队', saved: '团队已保存，范围已经生效', nameMissing: '请写名称', ruleOpen: '规则还没写完',
    removeTitle: (name: string) => `删除团队「${name}」？`, removeText: '这个团队的范围和共享一起去掉，它的人群、旅程留着，但只有看得到全部的人能看到。', hasMembers: (count: number) => `还有 ${count} 人在里面，先把他们移走`, hasBelow: (count: number) => `下面还有 ${count} 个团队`, removed: '团队已删除', missing: (key: string) => `没有代号为「${key}」的团队`,
    common: { channel: 'channel 渠道', $source: '$source 数据源', brand: 'brand 品牌', shop_id: 'shop_id 店铺', store_id: 'store_id 门店', dealer_id: 'dealer_id 经销商' } as Record<string, string>,
  },
  en: {
    newTitle: 'New team', edit: 'Change', editTitle: (name) => `Change ${name}`, remove: 'Delete', purpose: 'A scope is in force once it is saved: what people of the team ask next is answered by it.', back: 'All teams', facts: 'Whom it sees', sees: 'Customers', scope: 'Scope', parent: 'Team above', top: 'none, it is at the top', below: 'Teams below', changed: 'Last changed', members: 'Members', noMembers: 'Nobody is in this team yet.', addMembers: 'Put people into it',
    name: 'Name', key: 'Key', keyHelp: 'lower-case letters and digits; segments and journeys of the team begin with "key__"; stays as it is once saved', keyBad: 'Only lower-case letters and digits, at most 30', keyTaken: 'There is a team of this key', parentHelp: 'who is in a team above sees the customers of this one, too', customers: 'Which customers it sees', modes: { none: 'by events, or those below', rule: 'by a rule' }, noneHelp: 'Whoever has such an event is seen; without conditions on events, all whom the teams below see.', ruleHelp: '"$me" stands for who is signed in, such as adviser is $me.',
    events: 'Which events alone it sees', eventsHelp: 'all lines hold together; none: all events of its customers', prop: 'Property', values: 'Values', addLine: 'Add a condition', removeLine: 'Remove this condition', sources: 'Sources of its own', sourcesHelp: 'what these sources tell of a customer is seen by the team', accounts: 'Sending accounts of its own', save: 'Save the team', saved: 'The team is saved and its scope is in force', nameMissing: 'Please give it a name', ruleOpen: 'The rule is not complete',
    removeTitle: (name) => `Delete the team ${name}?`, removeText: 'Its scope and shares go with it. Its segments and journeys stay, and only those who see the whole see them.', hasMembers: (count) => `${count} people are still in it; give them another team first`, hasBelow: (count) => `${count} teams are still below it`, removed: 'The team is deleted', missing: (key) => `There is no team "${key}"`,
    common: { channel: 'channel', $source: '$source (key)', brand: 'brand', shop_id: 'shop_id', store_id: 'store_id', dealer_id: 'dealer_id' },
  },
});

export function TeamPage() {
  const { key } = useParams();
  const t = useText(texts);
  const teams = useQuery(adminQueries.teams());
  const [params] = useSearchParams();
  if (teams.data === undefined) return <Page title={key ?? t.newTitle}><Panel>{teams.isError ? <Failure error={teams.error} retry={() => void teams.refetch()} /> : <Bones rows={8} inset={0} />}</Panel></Page>;
  const all = teams.data.items;
  if (key === undefined) return <Editor key="~new" team={null} teams={all} parent={params.get('parent')} />;
  const team = all.find((one) => one.key === key);
  if (team === undefined) return <Page title={key} purpose={<Link to="/settings/teams">{t.back}</Link>}><Panel><Failure error={new ApiProblem(404, 'not_found', t.missing(key))} /></Panel></Page>;
  return params.get('edit') === '1' ? <Editor key={key} team={team} teams={all} parent={null} /> : <Overview team={team} teams={all} />;
}

function useMembers(key: string) {
  const { user } = useSession();
  const users = useQuery({ ...adminQueries.users(), enabled: useMay('user.see') && user.team === null });
  return users.data?.items.filter((one) => one.team === key) ?? null;
}

function Overview({ team, teams }: { team: Team; teams: readonly Team[] }) {
  const t = useText(texts);
  const navigate = useNavigate();
  const { user } = useSession();
  const noRight = useRightReason('team.administer');
  const members = useMembers(team.key);
  const below = teams.filter((one) => one.parent === team.key);
  const parent = teams.find((one) => one.key === team.parent);
  const [isRemoving, setRemoving] = useState(false);
  const kept = (members?.length ?? 0) > 0 ? t.hasMembers(members?.length ?? 0) : below.length > 0 ? t.hasBelow(below.length) : null;
  const path = `/settings/teams/${encodeURIComponent(team.key)}`;
  return (
    <Page
      title={nameOfTeam(team)} purpose={<span className="row" style={{ gap: 12 }}><Link to="/settings/teams"><ArrowLeftOutlined /> {t.back}</Link><span className="mono">{team.key}</span></span>}
      actions={user.team === null && <><ActionButton danger icon={<DeleteOutlined />} reason={noRight ?? kept} onClick={() => setRemoving(true)}>{t.remove}</ActionButton><ActionButton type="primary" icon={<EditOutlined />} reason={noRight} onClick={() => void navigate(`${path}?edit=1`)}>{t.edit}</ActionButton></>}
    >
      <div className="stack">
        <div className="split-2" style={{ alignItems: 'start' }}>
          <Panel title={t.facts}>
            <dl className="facts">
              <dt>{t.sees}</dt><dd><Sees team={team} teams={teams} /></dd>
              <dt>{t.scope}</dt><dd><ScopeText team={team} /></dd>
              <dt>{t.parent}</dt><dd>{parent === undefined ? (team.parent ?? <span className="faint">{t.top}</span>) : <Link to={`/settings/teams/${encodeURIComponent(parent.key)}`}>{nameOfTeam(parent)}</Link>}</dd>
              {below.length > 0 && <><dt>{t.below}</dt><dd className="row wrap" style={{ gap: 10 }}>{below.map((one) => <Link key={one.key} to={`/settings/teams/${encodeURIComponent(one.key)}`}>{nameOfTeam(one)}</Link>)}</dd></>}
              <dt>{t.changed}</dt><dd><Time at={team.changed_at} exact /></dd>
            </dl>
          </Panel>
          {members !== null && (
            <Panel title={t.members} note={String(members.length)}>
              {members.length === 0 ? <p className="soft">{t.noMembers} <Link to="/settings/people">{t.addMembers}</Link></p> : <ul className="stack" style={{ gap: 8 }}>{members.map((one) => <li key={one.login}><Link to={`/settings/people?person=${encodeURIComponent(one.login)}`} className="row"><Avatar name={one.name === '' ? one.login : one.name} seed={one.login} size={22} /><span className="cut">{one.name === '' ? one.login : one.name}</span></Link></li>)}</ul>}
            </Panel>
          )}
        </div>
        <Things team={team} />
        <Shares team={team} />
      </div>
      <Remove team={team} isOpen={isRemoving} onClose={() => setRemoving(false)} />
    </Page>
  );
}

function Remove({ team, isOpen, onClose }: { team: Team; isOpen: boolean; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const remove = useMutation({
    mutationFn: () => api.delete('/teams/{key}', { path: { key: team.key } }),
    onSuccess: () => {
      void navigate('/settings/teams');
      void client.invalidateQueries({ queryKey: ['teams'] });
      void message.success(t.removed);
    },
    onError: notice,
  });
  return (
    <Modal open={isOpen} title={t.removeTitle(nameOfTeam(team))} okText={t.remove} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={remove.isPending} onCancel={onClose} onOk={() => remove.mutate()}>
      <p>{t.removeText}</p>
    </Modal>
  );
}

interface Values {
  key: string;
  name: string;
  parent: string;
  customers: JsonObject | null;
  lines: { prop: string; values: string[] }[];
  sources: string[];
  accounts: string[];
}

function valuesOf(team: Team | null, parent: string | null): Values {
  return {
    key: team?.key ?? '', name: team?.name ?? '', parent: team?.parent ?? parent ?? '', customers: team?.customers ?? null, lines: linesOf(team?.events ?? null), sources: [...(team?.sources ?? [])], accounts: [...(team?.accounts ?? [])],
  };
}

function Editor({ team, teams, parent }: { team: Team | null; teams: readonly Team[]; parent: string | null }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('team.administer');
  const kept = useKept<Values>(`team.${team?.key ?? '~new'}`, valuesOf(team, parent));
  const { value } = kept;
  const sources = useQuery({ ...queries.sources(), enabled: useMay('source.see') });
  const accounts = useQuery({ ...touchQueries.accounts(), enabled: useMay('channel.see') });
  const save = useMutation({
    mutationFn: () => {
      const events = conditionsOf(value.lines);
      const body: Schemas['TeamPut'] = { name: value.name.trim(), parent: value.parent === '' ? null : value.parent, customers: value.customers as Record<string, never> | null, events: events.length === 0 ? null : events, sources: value.sources, accounts: value.accounts };
      return api.put('/teams/{key}', { path: { key: value.key }, body });
    },
    onSuccess: async () => {
      kept.done();
      await client.invalidateQueries({ queryKey: ['teams'] });
      void message.success(t.saved);
      void navigate(`/settings/teams/${encodeURIComponent(value.key)}`);
    },
    onError: notice,
  });
  const keyProblem = team !== null || value.key === '' ? '' : !/^[a-z0-9]{1,30}$/.test(value.key) ? t.keyBad : teams.some((one) => one.key === value.key) ? t.keyTaken : '';
  const isOpen = value.customers !== null && openNodes(readRule(value.customers).root).length > 0;
  const reason = noRight ?? (value.name.trim() === '' ? t.nameMissing : value.key === '' ? t.keyHelp : keyProblem !== '' ? keyProblem : isOpen ? t.ruleOpen : null);
  const back = team === null ? '/settings/teams' : `/settings/teams/${encodeURIComponent(team.key)}`;
  return (
    <Page
      title={team === null ? t.newTitle : t.editTitle(nameOfTeam(team))} purpose={t.purpose}
      actions={<><Link to={back}><Button>{common.action.cancel}</Button></Link><ActionButton type="primary" reason={reason} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton></>}
    >
      <div className="stack">
        <KeptNotice kept={kept} />
        <Panel>
          <div className="row wrap" style={{ gap: 16, alignItems: 'flex-start' }}>
            <label className="field" style={{ width: 260 }}><span>{t.name}</span><Input autoFocus={team === null} maxLength={100} aria-label={t.name} value={value.name} onChange={(event) => kept.change({ name: event.target.value })} /></label>
            {team === null && <label className="field" style={{ width: 320 }}><span>{t.key}</span><Input className="mono" maxLength={30} aria-label={t.key} {...(keyProblem === '' ? {} : { status: 'error' as const })} value={value.key} onChange={(event) => kept.change({ key: event.target.value.trim() })} /><span className="small faint">{keyProblem === '' ? t.keyHelp : keyProblem}</span></label>}
            <label className="field" style={{ width: 260 }}><span>{t.parent}</span><Select aria-label={t.parent} value={value.parent} onChange={(next) => kept.change({ parent: next })} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.top }, ...possibleParents(value.key, teams).map((one) => ({ value: one.team.key, label: `${'\u2003'.repeat(one.depth)}${nameOfTeam(one.team)}` }))]} /><span className="small faint">{t.parentHelp}</span></label>
          </div>
        </Panel>
        <Panel title={t.customers} tools={<Segmented<'none' | 'rule'> size="small" aria-label={t.customers} value={value.customers === null ? 'none' : 'rule'} onChange={(mode) => kept.change({ customers: mode === 'rule' ? (value.customers ?? team?.customers ?? { all: [] }) : null })} options={[{ value: 'none', label: t.modes.none }, { value: 'rule', label: t.modes.rule }]} />}>
          <p className="soft small" style={{ marginBottom: value.customers === null ? 0 : 10 }}>{value.customers === null ? t.noneHelp : t.ruleHelp}</p>
          {value.customers !== null && <RuleEditor value={value.customers} onChange={(customers) => kept.change({ customers })} error={save.error} errorPrefix="/customers" panel="count" />}
        </Panel>
        <Events lines={value.lines} onChange={(lines) => kept.change({ lines })} />
        <Panel>
          <div className="row wrap" style={{ gap: 16, alignItems: 'flex-start' }}>
            <label className="field" style={{ width: 360 }}><span>{t.sources}</span><Select mode="multiple" aria-label={t.sources} value={value.sources} onChange={(next: string[]) => kept.change({ sources: next })} showSearch={{ optionFilterProp: 'label' }} options={(sources.data?.items ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : `${one.name} (${one.key})` }))} /><span className="small faint">{t.sourcesHelp}</span></label>
            <label className="field" style={{ width: 360 }}><span>{t.accounts}</span><Select mode="multiple" aria-label={t.accounts} value={value.accounts} onChange={(next: string[]) => kept.change({ accounts: next })} showSearch={{ optionFilterProp: 'label' }} options={(accounts.data?.items ?? []).map((one) => ({ value: one.key, label: one.key }))} /></label>
          </div>
        </Panel>
      </div>
    </Page>
  );
}

function Events({ lines, onChange }: { lines: Values['lines']; onChange: (lines: Values['lines']) => void }) {
  const t = useText(texts);
  const put = (at: number, change: Partial<Values['lines'][number]>): void => onChange(lines.map((line, index) => (index === at ? { ...line, ...change } : line)));
  return (
    <Panel title={t.events} note={t.eventsHelp}>
      <div className="stack" style={{ gap: 8, alignItems: 'flex-start' }}>
        {lines.map((line, at) => (
          <div className="condition-row" key={at} style={{ width: '100%' }}>
            <Select
              aria-label={t.prop} mode="tags" maxCount={1} value={line.prop === '' ? [] : [line.prop]} onChange={(next: string[]) => put(at, { prop: next.at(-1) ?? '' })} placeholder={t.prop} suffixIcon={null}
              options={Object.entries(t.common).map(([value, label]) => ({ value, label }))}
            />
            <span className="soft">=</span>
            <Select className="grow-row" mode="tags" aria-label={t.values} value={line.values} onChange={(next: string[]) => put(at, { values: next })} placeholder={t.values} tokenSeparators={[',', '，', ' ']} suffixIcon={null} open={false} />
            <Button type="text" danger icon={<DeleteOutlined />} aria-label={t.removeLine} onClick={() => onChange(lines.filter((_, index) => index !== at))} />
          </div>
        ))}
        {lines.length < 8 && <Button size="small" icon={<PlusOutlined />} onClick={() => onChange([...lines, { prop: '', values: [] }])}>{t.addLine}</Button>}
      </div>
    </Panel>
  );
}
