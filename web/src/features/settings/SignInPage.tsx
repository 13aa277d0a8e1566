/* SPDX-License-Identifier: Apache-2.0 */
/* SignInPage: how people sign in: the rules of sessions, tokens and second factors, and the provider of single sign-on. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, InputNumber, Select, Switch } from 'antd';
import { type ReactNode } from 'react';
import { api, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { catalogue } from '@/lib/text';
import { ActionButton, CopyButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Pill } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { KeptNotice } from './KeptNotice';
import { adminQueries } from './queries';
import { readyRoles, useRoleName } from './roles';
import { changedRules, mappingOf, numbers, pairsOf, rulesOf, type Pair, type Rules } from './signIn';
import { useKept } from './useKept';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '登录与安全', purpose: '会话多久结束、谁必须用两步验证、令牌最长多久，以及单点登录。', rules: '登录规则', rulesNote: '从下一次请求起生效', save: '保存', saved: '已保存', unchanged: '没有改动', factorRoles: '必须用两步验证的角色', factorHelp: '有这些角色的人，设置好之前什么都做不了', nobody: '不强制', defaultIs: (value: string) => `默认 ${value}`,
    numbers: { 'access.session_hours': '登录最长多少小时', 'access.token_days_max': '接口令牌最长多少天', 'access.requests_per_minute': '每个令牌每分钟请求数', 'access.address_requests_per_minute': '每个地址每分钟请求数', 'access.reveals_per_minute': '每人每分钟看明文次数' } as Record<string, string>, zero: { 'access.token_days_max': '0 表示不限', 'access.requests_per_minute': '0 表示不限', 'access.address_requests_per_minute': '0 表示不限' } as Record<string, string>,
    reveal: '看明文必须写理由', revealHelp: '理由记进操作记录', sso: '单点登录（OpenID Connect）', on: '已设置', off: '未设置', lead: '在身份提供方（Okta、Azure AD、Authing、飞书等）登记一个应用，把下面的回调地址填给它，再把它给的三项填在这里。', callback: '回调地址', name: '登录按钮上的字', issuer: '发行方地址', issuerHelp: 'https 开头', clientId: '客户端编号', secret: '客户端密钥', secretKept: '已保存，留空不变', secretHelp: '加密保存，不再显示',
    redirect: '登记的回调地址', scopes: '请求的范围', rolesClaim: '角色在哪个声明里', loginClaim: '账号在哪个声明里', makes: '第一次登录时自动建成员', makesHelp: '不开的话，只有填了单点登录身份的成员能进来', mapping: '声明的值对应哪些角色', mappingHelp: '每次登录都按它更新角色', value: '声明的值', roles: '角色', add: '加一条对应', remove: '去掉这条对应', defaults: '都对不上时的角色', saveSso: '保存单点登录', savedSso: '单点登录已保存，登录页上已经有按钮', missing: '发行方地址、客户端编号、回调地址都要填',
  },
  en: {
    title: 'Sign-in', purpose: 'How long sessions last, who needs a second factor, how long tokens live, and single sign-on.', rules: 'Rules', rulesNote: 'count from the next request on', save: 'Save', saved: 'Saved', unchanged: 'Nothing is changed', factorRoles: 'Roles that need a second factor', factorHelp: 'until it is set up, people of these roles may do nothing else', nobody: 'nobody must', defaultIs: (value) => `default ${value}`,
    numbers: { 'access.session_hours': 'Hours a session lasts at most', 'access.token_days_max': 'Days an API token lives at most', 'access.requests_per_minute': 'Requests a minute by a token', 'access.address_requests_per_minute': 'Requests a minute from an address', 'access.reveals_per_minute': 'Looks in clear a minute by a person' }, zero: { 'access.token_days_max': '0: any', 'access.requests_per_minute': '0: any', 'access.address_requests_per_minute': '0: any' },
    reveal: 'Seeing in clear asks for a reason', revealHelp: 'the reason stands in the audit', sso: 'Single sign-on (OpenID Connect)', on: 'set up', off: 'not set up', lead: 'Register an application at your provider (Okta, Entra ID, Keycloak …), give it the address below, and enter what it gives you.', callback: 'Address to call back', name: 'What the button says', issuer: 'Issuer', issuerHelp: 'begins with https', clientId: 'Client id', secret: 'Client secret', secretKept: 'kept; empty leaves it as it is', secretHelp: 'kept sealed, never shown again',
    redirect: 'Registered address', scopes: 'Scopes', rolesClaim: 'Claim that holds roles', loginClaim: 'Claim that holds the login', makes: 'Who comes for the first time is made a user', makesHelp: 'otherwise only people whose single sign-on identity is entered come in', mapping: 'Values of the claim and their roles', mappingHelp: 'roles follow it at each sign-in', value: 'Value of the claim', roles: 'Roles', add: 'Add a value', remove: 'Remove this value', defaults: 'Roles when none fits', saveSso: 'Save single sign-on', savedSso: 'Single sign-on is saved; the sign-in page has its button', missing: 'Issuer, client id and address are needed',
  },
});

export function SignInPage() {
  const t = useText(texts);
  const settings = useQuery(adminQueries.settings());
  const signOn = useQuery(adminQueries.signOn());
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="stack">
        <Loaded query={settings} skeleton={<Panel><Bones rows={7} inset={0} /></Panel>}>{(data) => <RulesPanel saved={rulesOf(data.items)} />}</Loaded>
        <Loaded query={signOn} skeleton={<Panel><Bones rows={6} inset={0} /></Panel>}>{(data) => <SignOnPanel saved={data ?? notSet} />}</Loaded>
      </div>
    </Page>
  );
}

function Line({ label, help, children }: { label: string; help?: string; children: ReactNode }) {
  return <div className="plain-row" style={{ flexWrap: 'wrap' }}><span style={{ flex: '1 1 260px' }}>{label}{help !== undefined && <span className="small faint" style={{ display: 'block' }}>{help}</span>}</span>{children}</div>;
}

function useRoleOptions() {
  const ready = useText(readyRoles);
  const roleName = useRoleName();
  const roles = useQuery({ ...adminQueries.roles(), enabled: useMay('role.see') });
  const keys = roles.data?.items.map((one) => one.key) ?? Object.keys(ready.names);
  return keys.map((value) => ({ value, label: roleName(value) }));
}

function RulesPanel({ saved }: { saved: Rules }) {
  const t = useText(texts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('setting.administer');
  const options = useRoleOptions();
  const kept = useKept<Rules>('sign-in rules', saved);
  const changed = changedRules(saved, kept.value);
  const save = useMutation({
    mutationFn: async () => {
      for (const [key, value] of changed) await api.put('/settings/{key}', { path: { key }, body: { value } as Schemas['Setting'] });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['settings'] });
      kept.done();
      void message.success(t.saved);
    },
    onError: notice,
  });
  return (
    <Panel title={t.rules} note={t.rulesNote}>
      <KeptNotice kept={kept} />
      <Line label={t.factorRoles} help={t.factorHelp}><Select mode="multiple" aria-label={t.factorRoles} style={{ width: 320, maxWidth: '100%' }} disabled={noRight !== null} value={kept.value.factorRoles} placeholder={t.nobody} onChange={(factorRoles: string[]) => kept.change({ factorRoles })} showSearch={{ optionFilterProp: 'label' }} options={options} /></Line>
      {numbers.map(({ key, otherwise, least, most }) => (
        <Line key={key} label={t.numbers[key] ?? key} help={[t.defaultIs(otherwise.toLocaleString('en-US')), t.zero[key] ?? ''].filter((part) => part !== '').join(' · ')}>
          <InputNumber<number> aria-label={t.numbers[key] ?? key} style={{ width: 160 }} disabled={noRight !== null} min={least} max={most} precision={0} value={kept.value.numbers[key] ?? otherwise} onChange={(value) => kept.change({ numbers: { ...kept.value.numbers, [key]: value ?? otherwise } })} />
        </Line>
      ))}
      <Line label={t.reveal} help={t.revealHelp}><Switch aria-label={t.reveal} disabled={noRight !== null} checked={kept.value.reason} onChange={(reason) => kept.change({ reason })} /></Line>
      <div style={{ paddingTop: 12 }}><ActionButton type="primary" reason={noRight ?? (changed.length === 0 ? t.unchanged : null)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton></div>
    </Panel>
  );
}

type SignOn = Schemas['SingleSignOn'];
const notSet: SignOn = { issuer: '', client_id: '', redirect_uri: '', has_client_secret: false };
interface SignOnValues {
  name: string;
  issuer: string;
  client_id: string;
  redirect_uri: string;
  scopes: string;
  roles_claim: string;
  login_claim: string;
  makes_users: boolean;
  pairs: Pair[];
  default_roles: string[];
}

/* The client's secret is never kept in the browser: it is typed, sent, forgotten. */
function SignOnPanel({ saved }: { saved: SignOn }) {
  const t = useText(texts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('user.administer');
  const options = useRoleOptions();
  const callback = `${location.origin}/api/v1/session/single-sign-on/callback`;
  const kept = useKept<SignOnValues>('single sign-on', {
    name: saved.name ?? '', issuer: saved.issuer, client_id: saved.client_id, redirect_uri: saved.redirect_uri === '' ? callback : saved.redirect_uri, scopes: saved.scopes ?? '', roles_claim: saved.roles_claim ?? '', login_claim: saved.login_claim ?? '', makes_users: saved.makes_users ?? false, pairs: pairsOf(saved.roles ?? {}), default_roles: [...(saved.default_roles ?? [])],
  });
  const { value } = kept;
  const save = useMutation({
    mutationFn: (secret: string) => {
      const { pairs, name, scopes, roles_claim: rolesClaim, login_claim: loginClaim, ...rest } = value;
      const given = Object.fromEntries(Object.entries({ name, scopes, roles_claim: rolesClaim, login_claim: loginClaim, client_secret: secret }).filter(([, text]) => text.trim() !== ''));
      return api.put('/single-sign-on', { body: { ...rest, ...given, roles: mappingOf(pairs) } });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['single-sign-on'] });
      kept.done();
      void message.success(t.savedSso);
    },
    onError: notice,
  });
  const isSet = saved.issuer !== '';
  const reason = noRight ?? (value.issuer.trim() === '' || value.client_id.trim() === '' || value.redirect_uri.trim() === '' ? t.missing : null);
  const text = (member: 'name' | 'issuer' | 'client_id' | 'redirect_uri' | 'scopes' | 'roles_claim' | 'login_claim', label: string, placeholder = '', help = '') => (
    <label className="field"><span>{label}</span><Input aria-label={label} disabled={noRight !== null} value={value[member]} placeholder={placeholder} autoComplete="off" onChange={(event) => kept.change({ [member]: event.target.value })} />{help !== '' && <span className="small faint">{help}</span>}</label>
  );
  return (
    <Panel title={t.sso} note={<Pill tone={isSet ? 'good' : 'plain'}>{isSet ? t.on : t.off}</Pill>}>
      <form className="stack" style={{ gap: 14 }} onSubmit={(event) => { event.preventDefault(); if (reason === null) save.mutate(String(new FormData(event.currentTarget).get('secret') ?? '')); }}>
        <KeptNotice kept={kept} />
        <p className="soft">{t.lead}</p>
        <div className="row wrap"><span className="small soft">{t.callback}</span><code className="mono secret" style={{ flex: '0 1 auto' }}>{callback}</code><CopyButton text={callback} /></div>
        <div className="setup" style={{ gap: '14px 20px' }}>
          {text('issuer', t.issuer, 'https://id.example.com', t.issuerHelp)}{text('client_id', t.clientId)}
          <label className="field"><span>{t.secret}</span><Input.Password name="secret" aria-label={t.secret} disabled={noRight !== null} autoComplete="new-password" placeholder={saved.has_client_secret ? t.secretKept : ''} /><span className="small faint">{t.secretHelp}</span></label>
          {text('redirect_uri', t.redirect)}{text('name', t.name, 'Okta')}{text('login_claim', t.loginClaim, 'email')}{text('roles_claim', t.rolesClaim, 'groups')}{text('scopes', t.scopes, 'openid profile email')}
        </div>
        <div className="field"><span>{t.mapping}</span><span className="small faint">{t.mappingHelp}</span>
          {value.pairs.map((pair, at) => {
            const put = (change: Partial<Pair>): void => kept.change({ pairs: value.pairs.map((one, index) => (index === at ? { ...one, ...change } : one)) });
            return (
              <div className="condition-row" key={at}>
                <Input aria-label={t.value} placeholder={t.value} value={pair.value} onChange={(event) => put({ value: event.target.value })} /><span className="soft">→</span>
                <Select className="grow-row" mode="multiple" aria-label={t.roles} placeholder={t.roles} value={pair.roles} onChange={(roles: string[]) => put({ roles })} showSearch={{ optionFilterProp: 'label' }} options={options} />
                <Button type="text" danger icon={<DeleteOutlined />} aria-label={t.remove} onClick={() => kept.change({ pairs: value.pairs.filter((_, index) => index !== at) })} />
              </div>
            );
          })}
          <span><Button size="small" icon={<PlusOutlined />} disabled={noRight !== null} onClick={() => kept.change({ pairs: [...value.pairs, { value: '', roles: [] }] })}>{t.add}</Button></span>
        </div>
        <label className="field" style={{ maxWidth: 420 }}><span>{t.defaults}</span><Select mode="multiple" aria-label={t.defaults} disabled={noRight !== null} value={value.default_roles} onChange={(next: string[]) => kept.change({ default_roles: next })} showSearch={{ optionFilterProp: 'label' }} options={options} /></label>
        <div className="row"><Switch aria-label={t.makes} disabled={noRight !== null} checked={value.makes_users} onChange={(next) => kept.change({ makes_users: next })} /><span>{t.makes} <span className="small faint">{t.makesHelp}</span></span></div>
        <div><ActionButton type="primary" htmlType="submit" reason={reason} loading={save.isPending}>{t.saveSso}</ActionButton></div>
      </form>
    </Panel>
  );
}
