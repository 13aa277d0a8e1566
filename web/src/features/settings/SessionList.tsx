/* SPDX-License-Identifier: Apache-2.0 */
/* SessionList: open sessions and tokens of one person: from where, with what, when last used; each can be ended. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Tooltip } from 'antd';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { useProblemNotice } from '@/ui/Controls';
import { Pill, Time } from '@/ui/Marks';
import { agentName } from './agent';
import type { Token } from './people';

const texts = catalogue({
  zh: { session: '登录会话', token: '接口令牌', this: '就是这里', from: (address: string) => `来自 ${address}`, used: '最近使用', began: '开始于', end: '结束', endOf: (name: string) => `结束 ${name}`, ended: '已结束，那边的下一次操作会要求重新登录', none: '没有打开的会话。' },
  en: { session: 'Session', token: 'API token', this: 'this one', from: (address) => `from ${address}`, used: 'last used', began: 'began', end: 'End', endOf: (name) => `End ${name}`, ended: 'It has ended; the next request there asks to sign in', none: 'There is no open session.' },
});

export function SessionList({ tokens }: { tokens: readonly Token[] }) {
  const t = useText(texts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const end = useMutation({
    mutationFn: (prefix: string) => api.delete('/tokens/{prefix}', { path: { prefix } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['tokens'] });
      void message.success(t.ended);
    },
    onError: notice,
  });
  if (tokens.length === 0) return <p className="soft small">{t.none}</p>;
  return (
    <ul>
      {tokens.map((one) => (
        <li key={one.prefix} className="plain-row">
          <span className="grow">
            <span className="row" style={{ gap: 8 }}>
              <Tooltip title={one.agent ?? ''}><span className="cut">{one.kind === 'token' ? one.name : agentName(one.agent) || t.session}</span></Tooltip>
              {one.is_this ? <Pill tone="accent">{t.this}</Pill> : one.kind === 'token' && <Pill>{t.token}</Pill>}
            </span>
            <span className="small faint row wrap" style={{ gap: 6 }}>
              {one.address !== null && one.address !== '' && <span>{t.from(one.address)}</span>}
              {one.used_at === null ? <span>{t.began} <Time at={one.created_at} /></span> : <span>{t.used} <Time at={one.used_at} /></span>}
            </span>
          </span>
          {!one.is_this && <Button size="small" aria-label={t.endOf(one.name !== '' ? one.name : one.prefix)} loading={end.isPending && end.variables === one.prefix} onClick={() => end.mutate(one.prefix)}>{t.end}</Button>}
        </li>
      ))}
    </ul>
  );
}
