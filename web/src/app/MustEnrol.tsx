/* SPDX-License-Identifier: Apache-2.0 */
/* MustEnrol: all that a session sees whose role asks for a second factor that is not set up yet. */
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { api } from '@/api/client';
import { SecondFactor } from '@/features/settings/SecondFactor';
import { catalogue } from '@/lib/text';
import { useTitle } from '@/ui/Page';
import { useText } from './preferences';
import { useSession } from './session';

const texts = catalogue({
  zh: { title: '先设置两步验证', text: (name: string) => `${name}，你的角色要求登录时用两步验证。设置好才能继续，大约一分钟。`, out: '退出登录' },
  en: { title: 'Set up your second factor first', text: (name) => `${name}, your role asks for a second factor at sign-in. It takes a minute, and the console opens after it.`, out: 'Sign out' },
});

export function MustEnrol({ onDone }: { onDone: () => void }) {
  const t = useText(texts);
  const { user } = useSession();
  const client = useQueryClient();
  useTitle(t.title);
  const out = (): void => void api.delete('/session').then(() => { client.clear(); location.assign('/'); });
  return (
    <main className="content" style={{ maxWidth: 760, margin: '48px auto 0' }}>
      <div className="page-head"><div><h1>{t.title}</h1><p>{t.text(user.name === '' ? user.login : user.name)}</p></div><div className="page-actions"><Button onClick={out}>{t.out}</Button></div></div>
      <section className="panel"><div className="panel-body"><SecondFactor onDone={onDone} /></div></section>
    </main>
  );
}
