/* SPDX-License-Identifier: Apache-2.0 */
/* PreferencesPage: one's own account: language and appearance in this browser, password, second factor, open sessions. The view is in the address. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, Segmented } from 'antd';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { usePreferences, useText, type ThemeChoice } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { useFilters } from '@/lib/hooks';
import { catalogue, type Language } from '@/lib/text';
import { useProblemNotice } from '@/ui/Controls';
import { Pill } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { adminQueries } from './queries';
import { useRoleNames } from './roles';
import { SecondFactor } from './SecondFactor';
import { SessionList } from './SessionList';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '我的账户', purpose: '自己的界面、密码、两步验证和登录会话。', tabs: { look: '界面', password: '密码', factor: '两步验证', sessions: '登录会话' }, look: '界面', lookNote: '只影响这个浏览器', language: '语言', theme: '外观', light: '浅色', dark: '深色', system: '跟随系统', zone: '工作区时区', zoneHelp: '所有时间按它显示', account: '账号', name: '姓名', roles: '角色', team: '团队', whole: '全部客户', rights: (count: number) => `${count} 项权限`,
    current: '现在的密码', next: '新密码', nextHelp: '至少 8 个字符，不能是常见密码，不能是账号', save: '修改密码', saved: '密码已修改，其他登录会话已结束', missing: '必填', short: '至少 8 个字符', sessionsHelp: '不认识的会话，结束它，再改密码。', endOthers: '结束其他会话', endedOthers: '其他会话已结束', tokens: '我的接口令牌',
  },
  en: {
    title: 'My account', purpose: 'Your own appearance, password, second factor and sessions.', tabs: { look: 'Appearance', password: 'Password', factor: 'Second factor', sessions: 'Sessions' }, look: 'Appearance', lookNote: 'in this browser alone', language: 'Language', theme: 'Theme', light: 'Light', dark: 'Dark', system: 'As the system', zone: 'Zone of the workspace', zoneHelp: 'all times are shown in it', account: 'Login', name: 'Name', roles: 'Roles', team: 'Team', whole: 'all customers', rights: (count) => `${count} rights`,
    current: 'Password now', next: 'New password', nextHelp: 'at least 8 characters, none of the common ones, not the login', save: 'Change the password', saved: 'The password is changed; your other sessions have ended', missing: 'Required', short: 'At least 8 characters', sessionsHelp: 'One that you do not know: end it, then change the password.', endOthers: 'End the others', endedOthers: 'The others have ended', tokens: 'My API tokens',
  },
});

type Tab = 'look' | 'password' | 'factor' | 'sessions';

export function PreferencesPage() {
  const t = useText(texts);
  const [{ tab }, setFilters] = useFilters({ tab: 'look' });
  const shown: Tab = Object.hasOwn(t.tabs, tab) ? (tab as Tab) : 'look';
  return (
    <Page title={t.title} purpose={t.purpose}>
      <TabBar<Tab> label={t.title} value={shown} tabs={(['look', 'password', 'factor', 'sessions'] as const).map((key) => ({ key, label: t.tabs[key] }))} onChange={(next) => setFilters({ tab: next })}>
        {shown === 'look' && <Look />}
        {shown === 'password' && <Panel><PasswordForm /></Panel>}
        {shown === 'factor' && <Panel><SecondFactor /></Panel>}
        {shown === 'sessions' && <MySessions />}
      </TabBar>
    </Page>
  );
}

function Look() {
  const t = useText(texts);
  const { user, server } = useSession();
  const roles = useRoleNames(user.roles);
  const { language, setLanguage, theme, setTheme } = usePreferences();
  return (
    <div className="split-2" style={{ alignItems: 'start' }}>
      <Panel title={t.look} note={t.lookNote}>
        <dl className="facts" style={{ gap: '14px 20px', alignItems: 'center' }}>
          <dt>{t.language}</dt>
          <dd><Segmented<Language> aria-label={t.language} value={language} onChange={setLanguage} options={[{ value: 'zh', label: '中文' }, { value: 'en', label: 'English' }]} /></dd>
          <dt>{t.theme}</dt>
          <dd><Segmented<ThemeChoice> style={{ maxWidth: '100%', overflowX: 'auto' }} aria-label={t.theme} value={theme} onChange={setTheme} options={[{ value: 'light', label: t.light }, { value: 'dark', label: t.dark }, { value: 'system', label: t.system }]} /></dd>
          <dt>{t.zone}</dt><dd>{server.zone} <span className="faint">{t.zoneHelp}</span></dd>
        </dl>
      </Panel>
      <Panel title={t.account}>
        <dl className="facts">
          <dt>{t.account}</dt><dd className="mono">{user.login}</dd>
          {user.name !== '' && <><dt>{t.name}</dt><dd>{user.name}</dd></>}
          <dt>{t.roles}</dt><dd>{roles} <span className="faint small">{t.rights(user.permissions.length)}</span></dd>
          <dt>{t.team}</dt><dd>{user.team ?? t.whole}</dd>
        </dl>
      </Panel>
    </div>
  );
}

function PasswordForm() {
  const t = useText(texts);
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const client = useQueryClient();
  const [form] = Form.useForm<{ current: string; password: string }>();
  const save = useMutation({
    mutationFn: (body: { current: string; password: string }) => api.put('/session/password', { body }),
    onSuccess: () => {
      form.resetFields();
      void client.invalidateQueries({ queryKey: ['tokens'] });
      void message.success(t.saved);
    },
    onError: notice,
  });
  return (
    <Form form={form} layout="vertical" requiredMark={false} style={{ maxWidth: 380 }} onFinish={(values) => save.mutate(values)}>
      <Form.Item name="current" label={t.current} rules={[{ required: true, message: t.missing }]}><Input.Password autoComplete="current-password" /></Form.Item>
      <Form.Item name="password" label={t.next} extra={t.nextHelp} rules={[{ required: true, message: t.missing }, { min: 8, message: t.short }]}><Input.Password autoComplete="new-password" maxLength={256} /></Form.Item>
      <Button type="primary" htmlType="submit" loading={save.isPending}>{t.save}</Button>
    </Form>
  );
}

function MySessions() {
  const t = useText(texts);
  const { user } = useSession();
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const hasTokens = useMay('token.create');
  const tokens = useQuery({ ...adminQueries.tokens(), refetchInterval: 15_000 });
  const end = useMutation({
    mutationFn: () => api.delete('/users/{login}/sessions', { path: { login: user.login } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['tokens'] });
      void message.success(t.endedOthers);
    },
    onError: notice,
  });
  return (
    <Panel>
      <Loaded query={tokens} skeleton={<Bones rows={3} inset={0} />}>
        {(data) => {
          const own = data.items.filter((one) => one.login === user.login);
          const sessions = own.filter((one) => one.kind === 'session').sort((a, b) => Number(b.is_this) - Number(a.is_this));
          const programs = own.length - sessions.length;
          return (
            <div className="stack" style={{ gap: 12 }}>
              <div className="row wrap between"><span className="soft small">{t.sessionsHelp}</span>{sessions.some((one) => !one.is_this) && <Button size="small" loading={end.isPending} onClick={() => end.mutate()}>{t.endOthers}</Button>}</div>
              <SessionList tokens={sessions} />
              {hasTokens && programs > 0 && <Link to="/settings/tokens">{t.tokens} <Pill>{programs}</Pill></Link>}
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
}
