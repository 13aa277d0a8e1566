/* SPDX-License-Identifier: Apache-2.0 */
/* SecondFactor: sets a second factor up in three steps (password, code picture and first code, recovery codes), and takes it away. The picture
 * is drawn here in the browser; the secret goes nowhere else.
 */
import { DownloadOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, QRCode } from 'antd';
import { useState } from 'react';
import { api, ApiProblem } from '@/api/client';
import { useText } from '@/app/preferences';
import { useSession } from '@/app/session';
import { saveBlob } from '@/lib/files';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { CopyButton, useProblemNotice } from '@/ui/Controls';
import { Pill } from '@/ui/Marks';
import './settings.css';

const texts = catalogue({
  zh: {
    on: '已开启', off: '未开启', lead: '登录时除了密码，再输入手机验证器里的六位数字。密码泄露了，别人也进不来。', codes: (count: number) => `还剩 ${count} 个恢复码。`, few: '恢复码快用完了：关掉再重新设置，就会得到十个新的。',
    begin: '开启两步验证', password: '现在的密码', next: '下一步', missing: '必填', wrongPassword: '密码不对', scan: '用手机验证器（如 Google Authenticator、Microsoft Authenticator、腾讯身份验证器）扫描', manual: '扫不了？手动输入密钥', picture: '两步验证的二维码', code: '验证器上现在的六位数字', codeBad: '六位数字', confirm: '确认开启', wrongCode: '数字不对，等下一组再试',
    codesTitle: '保存恢复码', codesText: '手机不在身边时，每个恢复码能代替一次动态口令。只显示这一次，请存到安全的地方。其他登录会话已经结束。', save: '存为文件', kept: '我已保存', remove: '关闭两步验证', removeCode: '动态口令，或一个恢复码', removed: '两步验证已关闭', turnedOn: '两步验证已开启',
  },
  en: {
    on: 'on', off: 'off', lead: 'Besides the password, sign-in asks for the six digits of an authenticator. A password that leaked opens nothing then.', codes: (count) => (count === 1 ? '1 recovery code is left.' : `${count} recovery codes are left.`), few: 'Recovery codes run out: take it away and set it up again for ten new ones.',
    begin: 'Set up a second factor', password: 'Password now', next: 'Next', missing: 'Required', wrongPassword: 'The password is not right', scan: 'Scan it with an authenticator (Google Authenticator, Microsoft Authenticator, Aegis …)', manual: 'It cannot be scanned? Type the secret', picture: 'QR code of the second factor', code: 'The six digits that it shows now', codeBad: 'Six digits', confirm: 'Confirm', wrongCode: 'The digits are not right; try the next ones',
    codesTitle: 'Keep the recovery codes', codesText: 'Without your telephone, each code stands once for the digits. They are shown this once; keep them in a safe place. Your other sessions have ended.', save: 'Save as a file', kept: 'I have kept them', remove: 'Take the second factor away', removeCode: 'The digits, or a recovery code', removed: 'The second factor is gone', turnedOn: 'The second factor is on',
  },
});

interface Enrolment {
  secret: string;
  uri: string;
  enrolment: string;
}

/* 'JBSW Y3DP …': to be typed by hand. */
const spaced = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ');
const fewCodes = 3;

export function SecondFactor({ onDone }: { onDone?: () => void }) {
  const t = useText(texts);
  const { second_factor: isOn, recovery_codes: left } = useSession();
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const [step, setStep] = useState<'rest' | 'password' | 'remove'>('rest');
  const client = useQueryClient();
  const ready = (): void => {
    setCodes(null);
    setEnrolment(null);
    setStep('rest');
    void client.invalidateQueries({ queryKey: ['session'] });
    void client.invalidateQueries({ queryKey: ['tokens'] });
    onDone?.();
  };
  if (codes !== null) return <RecoveryCodes codes={codes} onKept={ready} />;
  if (enrolment !== null) return <FirstCode enrolment={enrolment} onCodes={setCodes} />;
  return (
    <div className="stack" style={{ gap: 12, alignItems: 'flex-start' }}>
      <div className="row"><Pill tone={isOn ? 'good' : 'warn'}>{isOn ? t.on : t.off}</Pill>{isOn && <span className="soft small">{t.codes(left)} {left <= fewCodes && t.few}</span>}</div>
      <p className="soft" style={{ maxWidth: 560 }}>{t.lead}</p>
      {step === 'rest' && (isOn ? <Button onClick={() => setStep('remove')}>{t.remove}</Button> : <Button type="primary" onClick={() => setStep('password')}>{t.begin}</Button>)}
      {step === 'password' && <PasswordFirst onBegun={setEnrolment} onCancel={() => setStep('rest')} />}
      {step === 'remove' && <TakeAway onGone={ready} onCancel={() => setStep('rest')} />}
    </div>
  );
}

function PasswordFirst({ onBegun, onCancel }: { onBegun: (enrolment: Enrolment) => void; onCancel: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const begin = useMutation({ mutationFn: (current: string) => api.post('/session/second-factor', { body: { current } }), onSuccess: onBegun });
  return (
    <Form layout="vertical" requiredMark={false} style={{ width: 320, maxWidth: '100%' }} onFinish={(values: { current: string }) => begin.mutate(values.current)}>
      <Form.Item name="current" label={t.password} rules={[{ required: true, message: t.missing }]} {...(begin.isError ? { validateStatus: 'error' as const, help: begin.error instanceof ApiProblem && begin.error.status !== 0 ? begin.error.detail : common.failure.unreachable } : {})}><Input.Password autoFocus autoComplete="current-password" /></Form.Item>
      <div className="row"><Button type="primary" htmlType="submit" loading={begin.isPending}>{t.next}</Button><Button onClick={onCancel}>{common.action.cancel}</Button></div>
    </Form>
  );
}

function FirstCode({ enrolment, onCodes }: { enrolment: Enrolment; onCodes: (codes: readonly string[]) => void }) {
  const t = useText(texts);
  const confirm = useMutation({ mutationFn: (code: string) => api.put('/session/second-factor', { body: { enrolment: enrolment.enrolment, code } }), onSuccess: (answer) => onCodes(answer.recovery_codes) });
  return (
    <div className="row wrap" style={{ gap: 24, alignItems: 'flex-start' }}>
      <div className="stack" style={{ gap: 8, width: 220 }}>
        <span className="qr" role="img" aria-label={t.picture}><QRCode type="svg" value={enrolment.uri} size={196} bordered={false} color="#15201b" bgColor="#ffffff" /></span>
      </div>
      <div className="stack grow" style={{ gap: 12, minWidth: 240 }}>
        <p className="soft">{t.scan}</p>
        <details><summary className="small soft" style={{ cursor: 'pointer' }}>{t.manual}</summary><span className="row" style={{ marginTop: 6 }}><code className="mono secret">{spaced(enrolment.secret)}</code><CopyButton text={enrolment.secret} size="middle" /></span></details>
        <Form layout="vertical" requiredMark={false} style={{ maxWidth: 320 }} onFinish={(values: { code: string }) => confirm.mutate(values.code.replaceAll(/\s/g, ''))}>
          <Form.Item name="code" label={t.code} rules={[{ required: true, pattern: /^\s*(\d\s*){6}$/, message: t.codeBad }]} {...(confirm.isError ? { validateStatus: 'error' as const, help: t.wrongCode } : {})}><Input autoFocus autoComplete="one-time-code" inputMode="numeric" maxLength={9} /></Form.Item>
          <Button type="primary" htmlType="submit" loading={confirm.isPending}>{t.confirm}</Button>
        </Form>
      </div>
    </div>
  );
}

function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const t = useText(texts);
  const { user } = useSession();
  const { message } = App.useApp();
  const text = codes.join('\n');
  return (
    <div className="stack" style={{ gap: 12, maxWidth: 620 }} role="region" aria-label={t.codesTitle}>
      <h2 style={{ fontSize: 15, fontWeight: 600 }}>{t.codesTitle}</h2>
      <p className="soft">{t.codesText}</p>
      <ul className="codes mono">{codes.map((code) => <li key={code}>{code}</li>)}</ul>
      <div className="row wrap">
        <Button type="primary" onClick={() => { void message.success(t.turnedOn); onKept(); }}>{t.kept}</Button>
        <Button icon={<DownloadOutlined />} onClick={() => saveBlob(new Blob([`Kith · ${user.login}\n${text}\n`], { type: 'text/plain' }), `kith-${user.login}-recovery-codes.txt`)}>{t.save}</Button>
        <CopyButton text={text} size="middle" />
      </div>
    </div>
  );
}

function TakeAway({ onGone, onCancel }: { onGone: () => void; onCancel: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const remove = useMutation({
    mutationFn: (body: { current: string; code: string }) => api.post('/session/second-factor/remove', { body }),
    onSuccess: () => {
      void message.success(t.removed);
      onGone();
    },
    onError: notice,
  });
  return (
    <Form layout="vertical" requiredMark={false} style={{ width: 320, maxWidth: '100%' }} onFinish={(values: { current: string; code: string }) => remove.mutate(values)}>
      <Form.Item name="current" label={t.password} rules={[{ required: true, message: t.missing }]}><Input.Password autoFocus autoComplete="current-password" /></Form.Item>
      <Form.Item name="code" label={t.removeCode} rules={[{ required: true, message: t.missing }]}><Input autoComplete="one-time-code" maxLength={20} /></Form.Item>
      <div className="row"><Button danger htmlType="submit" loading={remove.isPending}>{t.remove}</Button><Button onClick={onCancel}>{common.action.cancel}</Button></div>
    </Form>
  );
}
