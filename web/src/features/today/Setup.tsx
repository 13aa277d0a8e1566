/* SPDX-License-Identifier: Apache-2.0 */
/* Setup: the checklist of a new brand: what is done, and the one next step. */
import { CheckCircleFilled, CloseOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { keep, kept, useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { Panel } from '@/ui/Page';
import { useSession } from '@/app/session';
import { setupSteps, setupWays, useSetup, type SetupStep } from './setup';

const texts = catalogue({
  zh: {
    title: '从这里开始', done: (done: number, all: number) => `${done} / ${all} 已完成`, close: '不再显示', isDone: '已完成', next: '下一步',
    steps: {
      source: ['新建数据源', '拿到写入密钥，放进 SDK 或服务端'],
      events: ['收到第一条事件', '在实时事件里看它怎么变成客户'],
      linked: ['认出同一个人', '两个渠道的标识连到一个 OneID'],
      segment: ['圈出第一个人群', '写规则，边写边看人数和可触达'],
      account: ['接上发送账号', '企业微信、短信、公众号、邮件，可先用沙箱'],
      journey: ['让第一个旅程上线', '从现成的改起，先试再发布'],
    } as Record<SetupStep, readonly [string, string]>,
  },
  en: {
    title: 'Start here', done: (done, all) => `${done} of ${all} done`, close: 'Do not show again', isDone: 'done', next: 'Next',
    steps: {
      source: ['New source', 'take its write key into an SDK or your server'],
      events: ['The first event', 'see in live events how it becomes a customer'],
      linked: ['Recognise one person', 'identifiers of two channels lead to one OneID'],
      segment: ['The first segment', 'write a rule and see how many, and who can be reached'],
      account: ['An account to send by', 'WeCom, SMS, official account, e-mail; begin in the sandbox'],
      journey: ['The first live journey', 'begin with a ready one, try it, publish it'],
    } as Record<SetupStep, readonly [string, string]>,
  },
});

const closedKey = 'kith.setup.closed';

export function SetupPanel({ isAlways = false }: { isAlways?: boolean }) {
  const t = useText(texts);
  const done = useSetup();
  const { user } = useSession();
  const [isClosed, setClosed] = useState(() => kept(closedKey) === '1');
  /* who sees a part of the house does not set it up */
  if (done === null || user.team !== null || (!isAlways && (isClosed || done.size === setupSteps.length))) return null;
  const next = setupSteps.find((step) => !done.has(step));
  const close = (): void => {
    keep(closedKey, '1');
    setClosed(true);
  };
  return (
    <Panel title={t.title} note={t.done(done.size, setupSteps.length)} tools={isAlways ? undefined : <Button type="text" size="small" icon={<CloseOutlined />} aria-label={t.close} title={t.close} onClick={close} />}>
      <ol className="setup">
        {setupSteps.map((step, at) => {
          const [name, why] = t.steps[step];
          const isDone = done.has(step);
          return (
            <li key={step} className={isDone ? 'done' : step === next ? 'next' : ''}>
              <span className="setup-mark" aria-hidden="true">{isDone ? <CheckCircleFilled /> : at + 1}</span>
              <span className="grow">
                {isDone ? <strong>{name}<span className="hidden-text"> {t.isDone}</span></strong> : step === next ? <strong>{name}</strong> : <Link to={setupWays[step]}>{name}</Link>}
                <span className="small faint">{why}</span>
                {step === next && <Link to={setupWays[step]} className="setup-go"><Button type="primary" size="small" tabIndex={-1}>{name}</Button></Link>}
              </span>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
