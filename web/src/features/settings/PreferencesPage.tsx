/* SPDX-License-Identifier: Apache-2.0 */
/* PreferencesPage: language and appearance in this browser, and one's own password. */
import { useMutation } from '@tanstack/react-query';
import { App, Button, Form, Input, Segmented } from 'antd';
import { api } from '@/api/client';
import { usePreferences, useText, type ThemeChoice } from '@/app/preferences';
import { useSession } from '@/app/session';
import { catalogue, type Language } from '@/lib/text';
import { words } from '@/lib/words';
import { useProblemNotice } from '@/ui/Controls';
import { Page, Panel } from '@/ui/Page';

const texts = catalogue({
  zh: {
    title: '偏好', purpose: '只影响这个浏览器里的你。', look: '界面', language: '语言', theme: '外观', light: '浅色', dark: '深色', system: '跟随系统', zone: '时间按工作区时区显示',
    password: '修改密码', current: '现在的密码', next: '新密码', nextHelp: '至少 8 个字符', save: '修改密码', saved: '密码已修改', missing: '必填', short: '至少 8 个字符', account: '账号',
  },
  en: {
    title: 'Preferences', purpose: 'They concern only you, in this browser.', look: 'Appearance', language: 'Language', theme: 'Theme', light: 'Light', dark: 'Dark', system: 'As the system', zone: 'Times are shown in the zone of the workspace',
    password: 'Change the password', current: 'Password now', next: 'New password', nextHelp: 'at least 8 characters', save: 'Change the password', saved: 'The password is changed', missing: 'Required', short: 'At least 8 characters', account: 'Account',
  },
});

export function PreferencesPage() {
  const t = useText(texts);
  const common = useText(words);
  const { user, server } = useSession();
  const { language, setLanguage, theme, setTheme } = usePreferences();
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="split-2" style={{ alignItems: 'start' }}>
        <Panel title={t.look}>
          <dl className="facts" style={{ gap: '14px 24px', alignItems: 'center' }}>
            <dt>{t.language}</dt>
            <dd><Segmented<Language> aria-label={t.language} value={language} onChange={setLanguage} options={[{ value: 'zh', label: '中文' }, { value: 'en', label: 'English' }]} /></dd>
            <dt>{t.theme}</dt>
            <dd><Segmented<ThemeChoice> aria-label={t.theme} value={theme} onChange={setTheme} options={[{ value: 'light', label: t.light }, { value: 'dark', label: t.dark }, { value: 'system', label: t.system }]} /></dd>
            <dt>{t.zone}</dt><dd>{server.zone}</dd>
            <dt>{t.account}</dt><dd>{user.login} · {common.role[user.role]}</dd>
          </dl>
        </Panel>
        <Panel title={t.password}><PasswordForm /></Panel>
      </div>
    </Page>
  );
}

function PasswordForm() {
  const t = useText(texts);
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [form] = Form.useForm<{ current: string; password: string }>();
  const save = useMutation({
    mutationFn: (body: { current: string; password: string }) => api.put('/session/password', { body }),
    onSuccess: () => {
      form.resetFields();
      void message.success(t.saved);
    },
    onError: notice,
  });
  return (
    <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => save.mutate(values)}>
      <Form.Item name="current" label={t.current} rules={[{ required: true, message: t.missing }]}><Input.Password autoComplete="current-password" /></Form.Item>
      <Form.Item name="password" label={t.next} extra={t.nextHelp} rules={[{ required: true, message: t.missing }, { min: 8, message: t.short }]}><Input.Password autoComplete="new-password" /></Form.Item>
      <Button htmlType="submit" loading={save.isPending}>{t.save}</Button>
    </Form>
  );
}
