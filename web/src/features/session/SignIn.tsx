/* SPDX-License-Identifier: Apache-2.0 */
/* SignIn: login, password and, where there is one, the code of the second factor; single sign-on. Says plainly what was wrong. */
import { TranslationOutlined } from '@ant-design/icons';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { api, ApiProblem } from '@/api/client';
import { usePreferences, useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { useTitle } from '@/ui/Page';
import { problemTitle } from '@/ui/States';
import './sign-in.css';

const texts = catalogue({
  zh: {
    title: '登录',
    lead: '认出每一位熟客',
    say: '天猫的订单、小程序的浏览、企微的好友、门店的小票，是同一个人，就在同一条时间线上。',
    expired: '登录已失效，请重新登录。',
    login: '账号',
    password: '密码',
    loginMissing: '请输入账号',
    passwordMissing: '请输入密码',
    enter: '登录',
    code: '动态口令',
    codeHint: '手机验证器上的六位数字；手机不在身边时，用一个恢复码。',
    codeWrong: '口令不对，或者已经用过。等下一个再试。',
    by: (name: string) => `用${name}登录`,
    wrong: '账号或密码不对。',
    tooMany: (seconds: number) => `试的次数太多了，请 ${seconds} 秒后再试。`,
    first: '第一次使用？管理员账号和密码在服务器首次启动时打印在终端里。',
    language: 'English',
  },
  en: {
    title: 'Sign in',
    lead: 'Know every regular',
    say: 'The order on Tmall, the visit in the mini-program, the friend on WeCom, the receipt from the store: one person, one timeline.',
    expired: 'You are no longer signed in. Please sign in again.',
    login: 'Login',
    password: 'Password',
    loginMissing: 'Please enter your login',
    passwordMissing: 'Please enter your password',
    enter: 'Sign in',
    code: 'Code',
    codeHint: 'The six digits of your authenticator; without your telephone, a recovery code.',
    codeWrong: 'The code is not right, or was used before. Wait for the next one.',
    by: (name) => `Sign in with ${name}`,
    wrong: 'Login or password is not right.',
    tooMany: (seconds) => `Too many tries. Please wait ${seconds} seconds.`,
    first: 'First time here? The server printed the administrator\'s login and password in its terminal when it first started.',
    language: '中文',
  },
});

export function SignIn({ expired, onEntered }: { expired: boolean; onEntered: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const { language, setLanguage } = usePreferences();
  useTitle(t.title);
  const enter = useMutation({
    mutationFn: (body: { login: string; password: string; code?: string }) => api.post('/session', { body }),
    onSuccess: onEntered,
  });
  const methods = useQuery({ queryKey: ['sign-in-methods'], queryFn: () => api.get('/session/methods', {}), retry: false });
  const other = methods.data?.single_sign_on ?? null;
  const asksForCode = enter.error instanceof ApiProblem && enter.error.pointers.some(({ pointer }) => pointer === '/code');
  const hadCode = Boolean(enter.variables?.code);
  const said = (error: unknown): string => {
    if (asksForCode) return t.codeWrong;
    if (error instanceof ApiProblem && error.status === 401) return t.wrong;
    if (error instanceof ApiProblem && error.status === 429) return t.tooMany(error.retryAfterSeconds ?? 60);
    return problemTitle(error, common.failure);
  };
  return (
    <div className="sign-in">
      <div className="sign-in-story" aria-hidden="true">
        <Constellation />
        <div>
          <h2>{t.lead}</h2>
          <p>{t.say}</p>
        </div>
      </div>
      <main className="sign-in-form">
        <div className="row between" style={{ marginBottom: 40 }}>
          <span className="row" style={{ gap: 10, fontWeight: 650, fontSize: 18 }}><img src="/favicon.svg" width={28} height={28} alt="" />Kith <span className="faint" style={{ fontWeight: 400, fontSize: 14 }}>熟客</span></span>
          <Button type="text" icon={<TranslationOutlined />} onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')}>{t.language}</Button>
        </div>
        <h1>{t.title}</h1>
        {expired && <div className="notice" role="status" style={{ marginBottom: 16 }}>{t.expired}</div>}
        {enter.isError && !(asksForCode && !hadCode) && <div className="notice bad" role="alert" style={{ marginBottom: 16 }}>{said(enter.error)}</div>}
        <Form layout="vertical" requiredMark={false} onFinish={(values: { login: string; password: string; code?: string }) => enter.mutate(values)}>
          <Form.Item name="login" label={t.login} rules={[{ required: true, message: t.loginMissing }]}>
            <Input autoComplete="username" autoFocus size="large" />
          </Form.Item>
          <Form.Item name="password" label={t.password} rules={[{ required: true, message: t.passwordMissing }]}>
            <Input.Password autoComplete="current-password" size="large" />
          </Form.Item>
          {(asksForCode || hadCode) && (
            <Form.Item name="code" label={t.code} extra={t.codeHint}>
              <Input autoComplete="one-time-code" autoFocus size="large" maxLength={20} />
            </Form.Item>
          )}
          <Button type="primary" htmlType="submit" size="large" block loading={enter.isPending}>{t.enter}</Button>
          {other !== null && <Button size="large" block href="/api/v1/session/single-sign-on" style={{ marginTop: 12 }}>{t.by(other)}</Button>}
        </Form>
        <p className="faint small" style={{ marginTop: 24 }}>{t.first}</p>
      </main>
    </div>
  );
}

/* Six channels that lead to one person: what the product is, drawn. */
function Constellation() {
  const marks = [
    { x: 70, y: 64, text: '猫' }, { x: 318, y: 48, text: '京' }, { x: 372, y: 172, text: '企' }, { x: 300, y: 292, text: '店' }, { x: 92, y: 280, text: '微' }, { x: 34, y: 170, text: '抖' },
  ];
  return (
    <svg viewBox="0 0 408 340" className="constellation">
      {marks.map((mark) => <path key={mark.text} d={`M${mark.x} ${mark.y}Q${(mark.x + 204) / 2} ${(mark.y + 170) / 2 - 18} 204 170`} />)}
      <circle cx="204" cy="170" r="58" className="halo" />
      <circle cx="204" cy="170" r="38" className="core" />
      <circle cx="204" cy="160" r="10" className="face" /><path className="face" d="M184 190c2-13 10-18 20-18s18 5 20 18z" />
      {marks.map((mark) => (
        <g key={mark.text} transform={`translate(${mark.x} ${mark.y})`}><circle r="22" className="mark" /><text textAnchor="middle" y="6">{mark.text}</text></g>
      ))}
    </svg>
  );
}
