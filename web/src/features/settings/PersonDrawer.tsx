/* SPDX-License-Identifier: Apache-2.0 */
/* PersonDrawer: a person who may sign in: made, changed, given another password, signed out, deleted. What she gains and loses by other
 * roles is shown before it is saved.
 */
import { ReloadOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer, Input, Modal, Segmented, Select, Switch } from 'antd';
import { useMemo, useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { api, ApiProblem, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { useLasting } from '@/lib/hooks';
import { difference } from '@/lib/permissions';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, CopyButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Time } from '@/ui/Marks';
import { OnceDialog } from '../sources/OnceDialog';
import { KeptNotice } from './KeptNotice';
import { madePassword, rightsOf, type User } from './people';
import { adminQueries } from './queries';
import { nameOfRole, readyRoles, useRoleName } from './roles';
import { Changes } from './RolesPage';
import { SessionList } from './SessionList';
import { useKept } from './useKept';

const texts = catalogue({
  zh: {
    newTitle: '添加成员', login: '账号', loginHelp: '登录时用，保存后不能改', loginBad: '不能有空格，最长 100 个字符', name: '姓名', roles: '角色', rolesHelp: '可以选几个，权限合在一起算', noRoles: '至少选一个角色', team: '团队', teamHelp: '决定看得到哪些客户；不选就看得到全部', wholeHouse: '全部客户', locale: '界面语言', disabled: '停用', disabledHelp: '停用后不能登录，打开的会话立刻结束', noSelf: '不能停用自己',
    subject: '单点登录身份', subjectHelp: '身份提供方地址、空格、那边的用户编号；留空不变', password: '初始密码', passwordHelp: '请转交给本人，登录后在「我的账户」里改', again: '换一个', changes: '权限会有什么变化', save: '保存', add: '添加', saved: '已保存', taken: '已经有这个账号',
    sessions: '登录中的会话', endAll: '结束全部会话', endedAll: '会话已结束', security: '密码与两步验证', reset: '重置密码', resetTitle: (name: string) => `重置「${name}」的密码？`, resetText: '会生成一个新密码，只显示一次；现在打开的会话会结束。', resetDone: '新密码', resetOnce: (login: string) => `请把新密码交给 ${login} 本人。它只显示这一次。`,
    factorOn: '开了两步验证。', factorOff: '没有开两步验证。', dropFactor: '取消两步验证', dropTitle: (name: string) => `取消「${name}」的两步验证？`, dropText: '手机丢了、换了时用。之后只凭密码就能登录，请提醒本人尽快重新设置。', dropped: '两步验证已取消', sso: '由单点登录进来。',
    danger: '删除', remove: '删除成员', removeTitle: (name: string) => `删除「${name}」？`, removeText: '账号和它的全部令牌立刻失效，用这些令牌的程序会停。操作记录会保留。不能撤销；只是暂时不用，请改为停用。', typeLogin: (login: string) => `输入账号 ${login} 确认`, removed: '成员已删除', removeSelf: '不能删除自己',
    onceTitle: '请把登录方式交给本人', onceText: (login: string) => `账号 ${login}，初始密码只显示这一次：`, audit: '看 ta 做过什么', madeAt: '添加于',
  },
  en: {
    newTitle: 'Add a person', login: 'Login', loginHelp: 'used to sign in; stays as it is once saved', loginBad: 'No spaces, at most 100 characters', name: 'Name', roles: 'Roles', rolesHelp: 'several may be chosen; what they hold together is what she may', noRoles: 'Choose at least one role', team: 'Team', teamHelp: 'decides which customers she sees; none: all', wholeHouse: 'All customers', locale: 'Language', disabled: 'Switched off', disabledHelp: 'cannot sign in; open sessions end at once', noSelf: 'You cannot switch yourself off',
    subject: 'Single sign-on identity', subjectHelp: 'issuer, a space, her subject there; empty leaves it as it is', password: 'First password', passwordHelp: 'hand it over in person; she changes it under My account', again: 'Another', changes: 'What changes in her rights', save: 'Save', add: 'Add', saved: 'Saved', taken: 'This login is taken',
    sessions: 'Open sessions', endAll: 'End all sessions', endedAll: 'The sessions have ended', security: 'Password and second factor', reset: 'Reset the password', resetTitle: (name) => `Reset the password of ${name}?`, resetText: 'A new password is made and shown once; open sessions end.', resetDone: 'New password', resetOnce: (login) => `Hand the new password to ${login}. It is shown this once.`,
    factorOn: 'Uses a second factor.', factorOff: 'Uses no second factor.', dropFactor: 'Take the second factor away', dropTitle: (name) => `Take away the second factor of ${name}?`, dropText: 'For a lost or new telephone. The password alone then opens the door: remind her to set it up again.', dropped: 'The second factor is gone', sso: 'Comes in by single sign-on.',
    danger: 'Delete', remove: 'Delete this person', removeTitle: (name) => `Delete ${name}?`, removeText: 'Login and all tokens end at once, and programs that use them stop. The audit stays. It cannot be undone; for a while, switch the person off instead.', typeLogin: (login) => `Type the login ${login} to confirm`, removed: 'The person is deleted', removeSelf: 'You cannot delete yourself',
    onceTitle: 'Hand this over in person', onceText: (login) => `Login ${login}; the first password is shown this once:`, audit: 'What she did', madeAt: 'Added',
  },
});

interface Values {
  login: string;
  name: string;
  roles: string[];
  team: string;
  locale: 'zh-CN' | 'en-US';
  disabled: boolean;
  subject: string;
}

function valuesOf(user: User | null): Values {
  return { login: user?.login ?? '', name: user?.name ?? '', roles: user?.roles ?? ['operator'], team: user?.team ?? '', locale: user?.locale === 'en-US' ? 'en-US' : 'zh-CN', disabled: user?.disabled ?? false, subject: '' };
}

interface PersonProps {
  isOpen: boolean;
  user: User | null; /* null: a new one */
  onClose: () => void;
  onMade: (login: string) => void;
}

export function PersonDrawer({ isOpen, user, onClose, onMade }: PersonProps) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const { user: me } = useSession();
  const notice = useProblemNotice();
  const noRight = useRightReason('user.administer');
  const kept = useKept<Values>(`person.${user?.login ?? '~new'}`, valuesOf(user));
  const { value } = kept;
  const [password, setPassword] = useState(madePassword);
  const [handed, setHanded] = useState<{ login: string; password: string } | null>(null);
  const save = useMutation({
    mutationFn: async () => {
      const body: Schemas['UserPut'] = {
        name: value.name.trim(), roles: value.roles, locale: value.locale, disabled: value.disabled, team: value.team === '' ? null : value.team,
        ...(user === null ? { password } : {}), ...(value.subject.trim() === '' ? {} : { subject: value.subject.trim() }),
      };
      /* adding never changes somebody who is there */
      if (user === null && (await api.get('/users/{login}', { path: { login: value.login } }).then(() => true, (error: unknown) => !(error instanceof ApiProblem && error.status === 404)))) throw new ApiProblem(409, 'conflict', t.taken);
      return api.put('/users/{login}', { path: { login: value.login }, body });
    },
    onSuccess: async () => {
      const { login } = value;
      kept.done();
      await Promise.all([client.invalidateQueries({ queryKey: ['users'] }), client.invalidateQueries({ queryKey: ['roles'] }), client.invalidateQueries({ queryKey: ['tokens'] })]);
      if (login === me.login) void client.invalidateQueries({ queryKey: ['session'] });
      if (user === null) setHanded({ login, password });
      else void message.success(t.saved);
    },
    onError: notice,
  });
  const loginProblem = user !== null || value.login === '' || (!/\s/.test(value.login) && value.login.length <= 100) ? '' : t.loginBad;
  const reason = noRight ?? (value.login === '' ? t.loginHelp : loginProblem !== '' ? loginProblem : value.roles.length === 0 ? t.noRoles : null);
  const name = user === null ? '' : user.name === '' ? user.login : user.name;
  return (
    <>
      <Drawer
        open={isOpen} onClose={onClose} size={560} title={user === null ? t.newTitle : name}
        footer={<div className="row" style={{ justifyContent: 'flex-end' }}><Button onClick={onClose}>{common.action.close}</Button><ActionButton type="primary" reason={reason} disabled={reason === null && user !== null && !kept.isDirty} loading={save.isPending} onClick={() => save.mutate()}>{user === null ? t.add : t.save}</ActionButton></div>}
      >
        <div className="stack" style={{ gap: 14 }}>
          <KeptNotice kept={kept} />
          {user !== null && <div className="small faint row wrap" style={{ gap: 12 }}><span className="mono">{user.login}</span><span>{t.madeAt} <Time at={user.created_at} exact /></span><span className="grow" /><Link to={`/settings/audit?user=${encodeURIComponent(user.login)}`}>{t.audit}</Link></div>}
          {user === null && <Field label={t.login} help={loginProblem === '' ? t.loginHelp : loginProblem}><Input className="mono" maxLength={100} autoComplete="off" aria-label={t.login} {...(loginProblem === '' ? {} : { status: 'error' as const })} value={value.login} onChange={(event) => kept.change({ login: event.target.value.trim() })} /></Field>}
          <Field label={t.name}><Input maxLength={100} autoComplete="off" aria-label={t.name} value={value.name} onChange={(event) => kept.change({ name: event.target.value })} /></Field>
          <RolesField value={value.roles} before={user?.roles ?? []} isNew={user === null} onChange={(roles) => kept.change({ roles })} />
          <TeamField value={value.team} onChange={(team) => kept.change({ team })} />
          <Field label={t.locale}><Segmented<Values['locale']> aria-label={t.locale} value={value.locale} onChange={(locale) => kept.change({ locale })} options={[{ value: 'zh-CN', label: '中文' }, { value: 'en-US', label: 'English' }]} /></Field>
          {user === null && (
            <Field label={t.password} help={t.passwordHelp}>
              <span className="row"><Input className="mono" aria-label={t.password} value={password} maxLength={256} onChange={(event) => setPassword(event.target.value)} /><CopyButton text={password} size="middle" /><Button icon={<ReloadOutlined />} onClick={() => setPassword(madePassword())}>{t.again}</Button></span>
            </Field>
          )}
          {user !== null && <Field label={t.subject} help={t.subjectHelp}><Input className="mono" aria-label={t.subject} autoComplete="off" value={value.subject} onChange={(event) => kept.change({ subject: event.target.value })} placeholder="https://id.example.com 00u1a2b3" /></Field>}
          {user !== null && <Field label={t.disabled} help={user.login === me.login ? t.noSelf : t.disabledHelp}><Switch aria-label={t.disabled} style={{ alignSelf: 'flex-start' }} checked={value.disabled} disabled={user.login === me.login} onChange={(disabled) => kept.change({ disabled })} /></Field>}
          {user !== null && <Sessions user={user} />}
          {user !== null && noRight === null && <Security user={user} name={name} onHand={(made) => setHanded({ login: user.login, password: made })} />}
          {user !== null && noRight === null && <Removal user={user} name={name} onRemoved={() => { kept.done(); onClose(); }} />}
        </div>
      </Drawer>
      <OnceDialog secret={handed?.password ?? null} title={user === null ? t.onceTitle : t.resetDone} text={user === null ? t.onceText(handed?.login ?? '') : t.resetOnce(handed?.login ?? '')} onClose={() => { const login = handed?.login ?? ''; setHanded(null); if (user === null) onMade(login); }} />
    </>
  );
}

function Field({ label, help, children }: { label: string; help?: string; children: ReactNode }) {
  return <div className="field"><span>{label}</span>{children}{help !== undefined && <span className="small faint">{help}</span>}</div>;
}

/* Roles, and below them what they take and give compared with those that she has. */
function RolesField({ value, before, isNew, onChange }: { value: readonly string[]; before: readonly string[]; isNew: boolean; onChange: (roles: string[]) => void }) {
  const t = useText(texts);
  const ready = useText(readyRoles);
  const roleName = useRoleName();
  const roles = useQuery({ ...adminQueries.roles(), enabled: useMay('role.see') });
  const permissions = useQuery({ ...adminQueries.permissions(), enabled: useMay('role.see') });
  const all = useMemo(() => roles.data?.items ?? [], [roles.data]);
  const changed = useMemo(() => difference(rightsOf(before, all), rightsOf(value, all), permissions.data?.items ?? []), [before, value, all, permissions.data]);
  const hasChanged = changed.gained.length > 0 || changed.lost.length > 0;
  return (
    <>
      <Field label={t.roles} help={value.length === 0 ? t.noRoles : t.rolesHelp}>
        <Select
          mode="multiple" aria-label={t.roles} value={[...value]} onChange={(next: string[]) => onChange(next)} showSearch={{ optionFilterProp: 'label' }}
          options={(all.length > 0 ? all.map((one) => ({ value: one.key, label: roleName(one.key), help: one.ready ? wordFor(ready.help, one.key) : nameOfRole(one, 'en') })) : value.map((key) => ({ value: key, label: roleName(key), help: '' })))}
          optionRender={(option) => <span>{option.label} <span className="faint small">{String(option.data.help ?? '')}</span></span>}
        />
      </Field>
      {hasChanged && !isNew && <Field label={t.changes}><div className="stack" style={{ gap: 8 }}><Changes changed={changed} /></div></Field>}
    </>
  );
}

function TeamField({ value, onChange }: { value: string; onChange: (team: string) => void }) {
  const t = useText(texts);
  const teams = useQuery({ ...adminQueries.teams(), enabled: useMay('team.see') });
  const items = teams.data?.items ?? [];
  if (items.length === 0 && value === '') return null;
  return <Field label={t.team} help={t.teamHelp}><Select aria-label={t.team} value={value} onChange={onChange} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.wholeHouse }, ...items.map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name }))]} /></Field>;
}

function Sessions({ user }: { user: User }) {
  const t = useText(texts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const mayEnd = useMay('token.administer');
  const tokens = useQuery({ ...adminQueries.tokens(), enabled: mayEnd });
  const end = useMutation({
    mutationFn: () => api.delete('/users/{login}/sessions', { path: { login: user.login } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['tokens'] });
      void message.success(t.endedAll);
    },
    onError: notice,
  });
  if (!mayEnd) return null;
  const own = (tokens.data?.items ?? []).filter((one) => one.login === user.login);
  return (
    <section className="form-block">
      <h2>{t.sessions}</h2>
      <div className="wide"><SessionList tokens={own} /></div>
      {own.some((one) => one.kind === 'session' && !one.is_this) && <Button size="small" loading={end.isPending} onClick={() => end.mutate()}>{t.endAll}</Button>}
    </section>
  );
}

type Asked = 'reset' | 'drop';

function Security({ user, name, onHand }: { user: User; name: string; onHand: (password: string) => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [asked, setAsked] = useState<Asked | null>(null);
  const act = useMutation({
    mutationFn: async (what: Asked) => {
      const path = { login: user.login };
      if (what === 'drop') return api.delete('/users/{login}/second-factor', { path });
      const password = madePassword();
      await api.put('/users/{login}', { path, body: { password } });
      return onHand(password);
    },
    onSuccess: (_, what) => {
      void client.invalidateQueries({ queryKey: ['users'] });
      void client.invalidateQueries({ queryKey: ['tokens'] });
      if (what === 'drop') void message.success(t.dropped);
      setAsked(null);
    },
    onError: notice,
  });
  const shown = useLasting(asked);
  return (
    <section className="form-block">
      <h2>{t.security}</h2>
      <p className="soft small">{user.single_sign_on && `${t.sso} `}{user.second_factor ? t.factorOn : t.factorOff}</p>
      <div className="row wrap">
        <Button size="small" onClick={() => setAsked('reset')}>{t.reset}</Button>
        {user.second_factor && <Button size="small" onClick={() => setAsked('drop')}>{t.dropFactor}</Button>}
      </div>
      <Modal open={asked !== null} title={shown === 'drop' ? t.dropTitle(name) : t.resetTitle(name)} okText={shown === 'drop' ? t.dropFactor : t.reset} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={act.isPending} onCancel={() => setAsked(null)} onOk={() => asked !== null && act.mutate(asked)}>
        <p>{shown === 'drop' ? t.dropText : t.resetText}</p>
      </Modal>
    </section>
  );
}

function Removal({ user, name, onRemoved }: { user: User; name: string; onRemoved: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const { user: me } = useSession();
  const notice = useProblemNotice();
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => api.delete('/users/{login}', { path: { login: user.login } }),
    onSuccess: () => {
      setOpen(false);
      void client.invalidateQueries({ queryKey: ['users'] });
      void message.success(t.removed);
      onRemoved();
    },
    onError: notice,
  });
  return (
    <section className="form-block">
      <h2>{t.danger}</h2>
      <ActionButton size="small" danger reason={user.login === me.login ? t.removeSelf : null} onClick={() => { setTyped(''); setOpen(true); }}>{t.remove}</ActionButton>
      <Modal open={isOpen} title={t.removeTitle(name)} okText={t.remove} okButtonProps={{ danger: true, disabled: typed !== user.login }} cancelText={common.action.cancel} confirmLoading={remove.isPending} onCancel={() => setOpen(false)} onOk={() => remove.mutate()}>
        <div className="stack" style={{ gap: 12 }}>
          <p>{t.removeText}</p>
          <Field label={t.typeLogin(user.login)}><Input className="mono" autoComplete="off" aria-label={t.typeLogin(user.login)} value={typed} onChange={(event) => setTyped(event.target.value)} /></Field>
        </div>
      </Modal>
    </section>
  );
}
