/* SPDX-License-Identifier: Apache-2.0 */
/* RolesPage: roles as a matrix of rights. Ready ones are read and copied; one's own are changed, with what changes and whom it meets shown
 * before it is saved. The chosen role and what it is compared with are in the address.
 */
import { CopyOutlined, DeleteOutlined, EditOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Modal, Select } from 'antd';
import { useMemo, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { api } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { difference, expand, patternsFor, permissionTexts, rightWord, toggled, type Difference, type Kind } from '@/lib/permissions';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Avatar, Pill } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { KeptNotice } from './KeptNotice';
import { Matrix } from './Matrix';
import { adminQueries } from './queries';
import { nameOfRole, readyRoles, type AccessRole } from './roles';
import { useKept } from './useKept';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '角色', purpose: '一个角色是一组权限；一个人可以有几个角色，权限合在一起算。改动从下一次请求起生效。', ready: '系统自带', own: '自建', noOwn: '还没有自建角色：选一个自带的，复制后再改。', users: (count: number) => `${count} 人`, list: '角色列表',
    readyNote: '系统自带，不能改；复制一份就能改。', count: (count: number, all: number) => `${count} / ${all} 项权限`, compare: '和另一个角色比较', compareWith: (name: string) => `与「${name}」比：绿色是这个角色多出来的，红色是少了的`, who: '谁有这个角色', nobody: '还没有人有这个角色。', assign: '去给成员分配角色',
    copy: '复制为自建角色', edit: '修改', remove: '删除', removeTitle: (name: string) => `删除角色「${name}」？`, removeText: '没有人有这个角色，删除不影响任何人。', hasUsers: (count: number) => `还有 ${count} 人有这个角色，先给他们换一个`, removed: '角色已删除',
    newTitle: (name: string) => `新角色，从「${name}」复制`, key: '代号', keyHelp: '小写字母、数字、下划线，保存后不能改', keyBad: '用小写字母开头，只含小写字母、数字、下划线', keyTaken: '已经有这个代号', name: '名称', nameMissing: '请写名称', editing: (name: string) => `修改「${name}」`,
    changes: '会有什么变化', nothing: '没有变化。', gains: (count: number) => `新增 ${count} 项`, loses: (count: number) => `去掉 ${count} 项`, meets: (count: number) => (count === 0 ? '目前没有人有这个角色。' : `影响 ${count} 人，从他们的下一次请求起生效：`), save: '保存角色', saved: '角色已保存', matrix: '权限表', empty: '至少选一项权限', seeNote: '勾选任何一项都会带上「查看」；去掉「查看」，其他项也一起去掉。',
  },
  en: {
    title: 'Roles', purpose: 'A role is a set of rights; a person may have several, and what they hold together is what she may. A change counts from the next request on.', ready: 'Ready', own: 'Your own', noOwn: 'None yet: choose a ready one, copy it and change the copy.', users: (count) => (count === 1 ? '1 person' : `${count} people`), list: 'Roles',
    readyNote: 'Comes with Kith and cannot be changed; a copy can.', count: (count, all) => `${count} of ${all} rights`, compare: 'Compare with another role', compareWith: (name) => `Compared with ${name}: green is what this role has and that one has not, red is what it lacks`, who: 'Who has it', nobody: 'Nobody has this role yet.', assign: 'Give people roles',
    copy: 'Copy as your own', edit: 'Change', remove: 'Delete', removeTitle: (name) => `Delete the role ${name}?`, removeText: 'Nobody has this role; deleting it changes nothing for anybody.', hasUsers: (count) => `${count} people still have it; give them another first`, removed: 'The role is deleted',
    newTitle: (name) => `New role, copied from ${name}`, key: 'Key', keyHelp: 'lower-case letters, digits, underscores; stays as it is once saved', keyBad: 'Begins with a lower-case letter; only lower-case letters, digits, underscores', keyTaken: 'There is a role of this key', name: 'Name', nameMissing: 'Please give it a name', editing: (name) => `Change ${name}`,
    changes: 'What changes', nothing: 'Nothing changes.', gains: (count) => `${count} gained`, loses: (count) => `${count} lost`, meets: (count) => (count === 0 ? 'Nobody has this role at the moment.' : `It meets ${count === 1 ? '1 person' : `${count} people`}, from the next request on:`), save: 'Save the role', saved: 'The role is saved', matrix: 'Rights', empty: 'Choose at least one right', seeNote: 'Any right brings the one to see with it; without it, the others of that row go, too.',
  },
});

export function RolesPage() {
  const t = useText(texts);
  const roles = useQuery(adminQueries.roles());
  const permissions = useQuery(adminQueries.permissions());
  const [params] = useSearchParams();
  const failed = [roles, permissions].find((query) => query.data === undefined && query.isError);
  if (roles.data === undefined || permissions.data === undefined) {
    return (
      <Page title={t.title} purpose={t.purpose}>
        <Panel>{failed === undefined ? <Bones rows={12} inset={0} /> : <Failure error={failed.error} retry={() => void failed.refetch()} />}</Panel>
      </Page>
    );
  }
  const all = roles.data.items;
  const kinds = permissions.data.items;
  const from = all.find((one) => one.key === params.get('from'));
  if (params.has('from') && from !== undefined) return <Editor key={`new ${from.key}`} role={null} from={from} kinds={kinds} roles={all} />;
  const chosen = all.find((one) => one.key === params.get('role')) ?? all[0];
  if (chosen === undefined) return <Page title={t.title} purpose={t.purpose}><Panel><Empty title={t.noOwn} /></Panel></Page>;
  if (params.get('edit') === '1' && !chosen.ready) return <Editor key={chosen.key} role={chosen} from={chosen} kinds={kinds} roles={all} />;
  return <Overview roles={all} chosen={chosen} kinds={kinds} />;
}

function Overview({ roles, chosen, kinds }: { roles: readonly AccessRole[]; chosen: AccessRole; kinds: readonly Kind[] }) {
  const t = useText(texts);
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="beside">
        <RoleList roles={roles} chosen={chosen.key} />
        <Detail role={chosen} roles={roles} kinds={kinds} />
      </div>
    </Page>
  );
}

function RoleList({ roles, chosen }: { roles: readonly AccessRole[]; chosen: string }) {
  const t = useText(texts);
  const language = useLanguage();
  const entry = (role: AccessRole) => (
    <li key={role.key}><Link to={`/settings/roles?role=${encodeURIComponent(role.key)}`} aria-current={role.key === chosen}><span className="cut">{nameOfRole(role, language)}</span><span className="count">{t.users(role.users)}</span></Link></li>
  );
  const own = roles.filter((role) => !role.ready);
  return (
    <nav className="panel side-list" aria-label={t.list}>
      <h2>{t.ready}</h2>
      <ul>{roles.filter((role) => role.ready).map(entry)}</ul>
      <h2>{t.own}</h2>
      {own.length === 0 ? <p className="small faint" style={{ padding: '0 10px 8px' }}>{t.noOwn}</p> : <ul>{own.map(entry)}</ul>}
    </nav>
  );
}

function Detail({ role, roles, kinds }: { role: AccessRole; roles: readonly AccessRole[]; kinds: readonly Kind[] }) {
  const t = useText(texts);
  const ready = useText(readyRoles);
  const language = useLanguage();
  const noRight = useRightReason('role.administer');
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const [isRemoving, setRemoving] = useState(false);
  const other = roles.find((one) => one.key === params.get('with') && one.key !== role.key);
  const name = nameOfRole(role, language);
  const chosen = useMemo(() => new Set(role.permissions), [role]);
  const compare = (key: string | undefined): void => setParams((before) => {
    const after = new URLSearchParams(before);
    if (key === undefined) after.delete('with');
    else after.set('with', key);
    return after;
  }, { replace: true });
  return (
    <div className="stack">
      <Panel
        title={name} note={t.count(role.permissions.length, kinds.reduce((sum, one) => sum + one.actions.length, 0))}
        tools={
          <>
            <ActionButton size="small" icon={<CopyOutlined />} reason={noRight} onClick={() => void navigate(`/settings/roles?from=${encodeURIComponent(role.key)}`)}>{t.copy}</ActionButton>
            {!role.ready && <ActionButton size="small" icon={<EditOutlined />} reason={noRight} onClick={() => void navigate(`/settings/roles?role=${encodeURIComponent(role.key)}&edit=1`)}>{t.edit}</ActionButton>}
            {!role.ready && <ActionButton size="small" danger icon={<DeleteOutlined />} reason={noRight ?? (role.users > 0 ? t.hasUsers(role.users) : null)} onClick={() => setRemoving(true)}>{t.remove}</ActionButton>}
          </>
        }
      >
        <p className="soft">{role.ready ? `${wordFor(ready.help, role.key)}。`.replace(/。$/, language === 'zh' ? '。' : '.') : <span className="mono">{role.patterns.join(' ')}</span>} {role.ready && <span className="faint">{t.readyNote}</span>}</p>
        <label className="row wrap" style={{ marginTop: 12 }}>
          <span className="soft small">{t.compare}</span>
          <Select size="small" allowClear aria-label={t.compare} style={{ width: 200 }} value={other?.key ?? null} onChange={(key: string | undefined) => compare(key ?? undefined)} placeholder="—" showSearch={{ optionFilterProp: 'label' }} options={roles.filter((one) => one.key !== role.key).map((one) => ({ value: one.key, label: nameOfRole(one, language) }))} />
        </label>
        {other !== undefined && <p className="small faint" style={{ marginTop: 6 }}>{t.compareWith(nameOfRole(other, language))}</p>}
      </Panel>
      <Holders role={role} />
      <Panel flush><Matrix label={t.matrix} kinds={kinds} chosen={chosen} before={other === undefined ? undefined : new Set(other.permissions)} /></Panel>
      <Remove role={isRemoving ? role : null} name={name} onClose={() => setRemoving(false)} />
    </div>
  );
}

function useHolders(key: string) {
  const users = useQuery({ ...adminQueries.users(), enabled: useMay('user.see') });
  return (users.data?.items ?? []).filter((one) => one.roles.includes(key));
}

function Holders({ role }: { role: AccessRole }) {
  const t = useText(texts);
  const holders = useHolders(role.key);
  return (
    <Panel title={t.who} note={t.users(role.users)}>
      {holders.length === 0 ? <p className="soft">{role.users === 0 && t.nobody} <Link to="/settings/people">{t.assign}</Link></p> : (
        <ul className="row wrap" style={{ gap: 12 }}>
          {holders.map((one) => <li key={one.login}><Link to={`/settings/people?person=${encodeURIComponent(one.login)}`} className="row" style={{ gap: 6 }}><Avatar name={one.name === '' ? one.login : one.name} seed={one.login} size={22} />{one.name === '' ? one.login : one.name}</Link></li>)}
        </ul>
      )}
    </Panel>
  );
}

function Remove({ role, name, onClose }: { role: AccessRole | null; name: string; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const remove = useMutation({
    mutationFn: (key: string) => api.delete('/roles/{key}', { path: { key } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['roles'] });
      void message.success(t.removed);
      onClose();
      void navigate('/settings/roles');
    },
    onError: notice,
  });
  return (
    <Modal open={role !== null} title={t.removeTitle(name)} okText={t.remove} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={remove.isPending} onCancel={onClose} onOk={() => role !== null && remove.mutate(role.key)}>
      <p>{t.removeText}</p>
    </Modal>
  );
}

interface EditorProps {
  role: AccessRole | null;
  from: AccessRole;
  kinds: readonly Kind[];
  roles: readonly AccessRole[];
}

function Editor({ role, from, kinds, roles }: EditorProps) {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const { user } = useSession();
  const notice = useProblemNotice();
  const noRight = useRightReason('role.administer');
  const fresh = { key: role?.key ?? '', name: role?.name ?? '', rights: [...(role ?? from).permissions].sort() };
  const kept = useKept(`role.${role?.key ?? `~${from.key}`}`, fresh);
  const { key, name, rights } = kept.value;
  const chosen = useMemo(() => new Set(rights), [rights]);
  const before = useMemo(() => new Set(from.permissions), [from]);
  const givable = useMemo(() => expand(user.permissions, kinds), [user.permissions, kinds]);
  const changed = useMemo(() => difference(before, chosen, kinds), [before, chosen, kinds]);
  const holders = useHolders(role?.key ?? '');
  const save = useMutation({
    mutationFn: () => api.put('/roles/{key}', { path: { key }, body: { name: name.trim(), permissions: patternsFor(chosen, kinds, from.patterns) } }),
    onSuccess: () => {
      kept.done();
      void client.invalidateQueries({ queryKey: ['roles'] });
      void client.invalidateQueries({ queryKey: ['session'] });
      void message.success(t.saved);
      void navigate(`/settings/roles?role=${encodeURIComponent(key)}`);
    },
    onError: notice,
  });
  const keyProblem = role !== null || key === '' ? '' : !/^[a-z][a-z0-9_]*$/.test(key) ? t.keyBad : roles.some((one) => one.key === key) ? t.keyTaken : '';
  const reason = noRight ?? (name.trim() === '' ? t.nameMissing : key === '' ? t.keyHelp : keyProblem !== '' ? keyProblem : rights.length === 0 ? t.empty : null);
  const title = role === null ? t.newTitle(nameOfRole(from, language)) : t.editing(nameOfRole(role, language));
  const back = role === null ? `/settings/roles?role=${encodeURIComponent(from.key)}` : `/settings/roles?role=${encodeURIComponent(role.key)}`;
  return (
    <Page
      title={title} purpose={t.seeNote}
      actions={<><Link to={back}><Button>{common.action.cancel}</Button></Link><ActionButton type="primary" reason={reason} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton></>}
    >
      <div className="stack">
        <KeptNotice kept={kept} />
        <Panel>
          <div className="row wrap" style={{ gap: 16, alignItems: 'flex-start' }}>
            <label className="field" style={{ width: 260 }}><span>{t.name}</span><Input autoFocus maxLength={100} value={name} onChange={(event) => kept.change({ name: event.target.value })} aria-label={t.name} /></label>
            {role === null && (
              <label className="field" style={{ width: 260 }}>
                <span>{t.key}</span><Input className="mono" maxLength={50} value={key} {...(keyProblem === '' ? {} : { status: 'error' as const })} onChange={(event) => kept.change({ key: event.target.value.trim() })} aria-label={t.key} />
                <span className="small faint">{keyProblem === '' ? t.keyHelp : keyProblem}</span>
              </label>
            )}
          </div>
        </Panel>
        <div className="split-2" style={{ alignItems: 'start' }}>
          <Panel flush><Matrix label={t.matrix} kinds={kinds} chosen={chosen} before={before} givable={givable} onToggle={(right, isOn) => kept.change({ rights: [...toggled(new Set(rights), right, isOn, kinds)].sort() })} /></Panel>
          <Panel title={t.changes}>
            <div className="stack" style={{ gap: 12 }}>
              <Changes changed={changed} />
              {role !== null && (changed.gained.length > 0 || changed.lost.length > 0) && <p className="small soft">{t.meets(role.users)} {holders.map((one) => (one.name === '' ? one.login : one.name)).join(language === 'zh' ? '、' : ', ')}</p>}
            </div>
          </Panel>
        </div>
      </div>
    </Page>
  );
}

/* What is gained and lost, in words. */
export function Changes({ changed }: { changed: Difference }) {
  const t = useText(texts);
  const rights = useText(permissionTexts);
  if (changed.gained.length === 0 && changed.lost.length === 0) return <p className="soft small">{t.nothing}</p>;
  const part = (title: string, tone: 'good' | 'bad', list: readonly string[]) => list.length > 0 && (
    <section><p className="small soft" style={{ marginBottom: 4 }}>{title}</p><div className="rights-list">{list.map((right) => <Pill key={right} tone={tone}>{rightWord(right, rights)}</Pill>)}</div></section>
  );
  return <>{part(t.gains(changed.gained.length), 'good', changed.gained)}{part(t.loses(changed.lost.length), 'bad', changed.lost)}</>;
}
