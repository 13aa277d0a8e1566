/* SPDX-License-Identifier: Apache-2.0 */
/* TouchDrawer: the whole story of one touch, and the decision where it is uncertain. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Drawer, Timeline } from 'antd';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { useLasting } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { ChannelName, OneId, Pill, Time } from '@/ui/Marks';
import { Bones, Loaded } from '@/ui/States';
import { tones, touchQueries, type Status } from './model';
import { useReason } from './reason';
import { touchTexts } from './texts';

type Whole = Schemas['Touch'];
type Decision = Schemas['TouchDecision']['decision'];

export function TouchDrawer({ id: opened, onClose }: { id: number | null; onClose: () => void }) {
  const id = useLasting(opened);
  const t = useText(touchTexts);
  const touch = useQuery({ ...touchQueries.one(id ?? 0), enabled: id !== null });
  return (
    <Drawer open={opened !== null} onClose={onClose} size={560} title={t.title}>
      {id !== null && <Loaded query={touch} skeleton={<Bones rows={6} inset={0} />}>{(data) => <Story touch={data} />}</Loaded>}
    </Drawer>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

function Story({ touch }: { touch: Whole }) {
  const t = useText(touchTexts);
  const say = useReason();
  return (
    <div className="stack">
      {touch.status === 'uncertain' && <Decide id={touch.id} />}
      <dl className="facts">
        <Fact name={t.status}><Pill tone={tones[touch.status]}>{t.statuses[touch.status]}</Pill>{touch.reason ? <span className="soft"> {say(touch.reason)}</span> : null}</Fact>
        <Fact name={t.customer}><OneId id={touch.customer} link /></Fact>
        {touch.channel ? <Fact name={t.channel}><ChannelName channel={touch.channel} /></Fact> : null}
        {touch.account ? <Fact name={t.account}><span className="mono">{touch.account}</span></Fact> : null}
        {touch.journey ? <Fact name={t.journey}><Link to={`/journeys/${touch.journey}`} className="mono">{touch.journey}</Link>{touch.node ? <span className="soft"> · {touch.node}</span> : null}</Fact> : null}
        {touch.template ? <Fact name={t.template}><span className="mono">{touch.template}</span></Fact> : null}
        {touch.purpose ? <Fact name={t.purposeOf}>{wordFor(t.purposes, touch.purpose)}{touch.transactional ? ` · ${t.transactional}` : ''}{touch.test ? ` · ${t.test}` : ''}</Fact> : null}
        {touch.expires_at ? <Fact name={t.expires}><Time at={touch.expires_at} exact /></Fact> : null}
        {touch.provider_id ? <Fact name={t.provider}><span className="mono">{touch.provider_id}</span></Fact> : null}
        {touch.code ? <Fact name={t.code}><span className="mono">{touch.code}</span></Fact> : null}
        <Fact name={t.key}><span className="mono cut">{touch.idempotency_key}</span></Fact>
      </dl>
      <section>
        <h2 className="detail-head">{t.story}</h2>
        <Timeline
          items={touch.steps.map((step, index) => ({
            key: index,
            color: tones[step.status as Status] === 'bad' ? 'red' : tones[step.status as Status] === 'good' ? 'green' : 'gray',
            content: <span><strong>{wordFor(t.statuses, step.status)}</strong> <span className="soft"><Time at={step.at} exact seconds /></span>{step.reason ? <><br />{say(step.reason)}</> : null}{step.detail ? <><br /><span className="soft">{step.detail}</span></> : null}</span>,
          }))}
        />
      </section>
      {touch.response ? <section><h2 className="detail-head">{t.response}</h2><pre className="mono">{touch.response}</pre></section> : null}
      {touch.context && Object.keys(touch.context).length > 0 ? <section><h2 className="detail-head">{t.context}</h2><Json value={touch.context} /></section> : null}
    </div>
  );
}

function Decide({ id }: { id: number }) {
  const t = useText(touchTexts);
  const noRole = useRightReason('touch.approve');
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const decide = useMutation({
    mutationFn: (decision: Decision) => api.post('/touches/{id}/decide', { path: { id }, body: { decision } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['touches'] });
      void message.success(t.decided);
    },
    onError: notice,
  });
  return (
    <div className="notice warn">
      <div className="stack" style={{ gap: 8 }}>
        <span>{t.decide}</span>
        <div className="row wrap">
          {(['resend', 'sent', 'failed'] as const).map((decision) => (
            <ActionButton key={decision} size="small" reason={noRole} loading={decide.isPending} onClick={() => decide.mutate(decision)}>{t.decisions[decision]}</ActionButton>
          ))}
        </div>
      </div>
    </div>
  );
}
