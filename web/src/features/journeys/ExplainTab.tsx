/* SPDX-License-Identifier: Apache-2.0 */
/* ExplainTab: why a customer is in the journey or not, where she is and what comes next, in a sentence; and every step. */
import { useQuery } from '@tanstack/react-query';
import { Input } from 'antd';
import { useState } from 'react';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { dateTime } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { OneId, Pill, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Failure, Loaded } from '@/ui/States';
import { useReason } from '@/features/touches/reason';
import { journeyQueries, type Explained } from './model';
import { journeyTexts } from './texts';

export function ExplainTab({ journeyKey }: { journeyKey: string }) {
  const t = useText(journeyTexts);
  const [filters, setFilters] = useFilters({ who: '' });
  const [typed, setTyped] = useState(filters.who);
  const who = filters.who.trim();
  const isOneId = /^c_[0-9a-z]+$/i.test(who);
  return (
    <Panel>
      <div className="stack">
        <p className="soft">{t.explain.why}</p>
        <Input.Search style={{ maxWidth: 460 }} aria-label={t.explain.label} placeholder={t.explain.hint} enterButton={t.explain.ask} value={typed} onChange={(event) => setTyped(event.target.value)} onSearch={(value) => setFilters({ who: value.trim() })} />
        {who !== '' && (isOneId ? <Why journeyKey={journeyKey} oneId={who} /> : <Found journeyKey={journeyKey} query={who} onChoose={(oneId) => { setTyped(oneId); setFilters({ who: oneId }); }} />)}
      </div>
    </Panel>
  );
}

function Found({ journeyKey, query, onChoose }: { journeyKey: string; query: string; onChoose: (oneId: string) => void }) {
  const t = useText(journeyTexts);
  const found = useQuery(queries.customers({ query, identifierType: '', trait: '', value: '', cursor: '', limit: 10 }));
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (found.data === undefined) return <Bones rows={3} inset={0} />;
  const [only, ...more] = found.data.items;
  if (only === undefined) return <Empty title={t.explain.nobody} />;
  if (more.length === 0) return <Why journeyKey={journeyKey} oneId={only.one_id} />;
  return (
    <div className="stack" style={{ gap: 6 }}>
      <span>{t.explain.choose}</span>
      {found.data.items.map((one) => <div key={one.one_id}><button type="button" className="link-button" onClick={() => onChoose(one.one_id)}>{one.name === '' ? one.one_id : `${one.name} · ${one.one_id}`}</button></div>)}
    </div>
  );
}

/* A code of a reason, and no text: those have words. */
const isCode = (text: string): boolean => /^[a-z]+(_[a-z]+)*$/.test(text);

/* Instants within a sentence of the server, in the zone of the workspace. */
export function useSayTimes(): (text: string) => string {
  const language = useLanguage();
  const { zone } = useClock();
  return (text) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (at) => dateTime(at, language, zone));
}

function Why({ journeyKey, oneId }: { journeyKey: string; oneId: string }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const say = useSayTimes();
  const reason = useReason();
  const why = useQuery(journeyQueries.explain(journeyKey, oneId));
  return (
    <Loaded query={why} skeleton={<Bones rows={4} inset={0} />}>
      {(data) => (
        <div className="stack">
          <div className="row wrap"><OneId id={oneId} link /><Pill tone={data.is_in ? 'good' : 'plain'}>{data.is_in ? t.explain.isIn : t.explain.notIn}</Pill></div>
          {data.sentence !== undefined && <p className="explain-said">{say(data.sentence[language])}</p>}
          {data.positions.map((one) => (
            <section key={one.position} className="stack" style={{ gap: 8 }}>
              <p className="explain-said">{say(one.sentence[language])}</p>
              <div className="row wrap small soft"><span>{t.versions.title(one.version)}</span>{one.key !== '' && <span className="mono">{one.key}</span>}{one.due !== undefined && <span>{t.explain.next} <Time at={one.due} exact /></span>}</div>
              <Steps steps={one.steps} />
            </section>
          ))}
          {data.past.length > 0 && <h2 className="detail-head">{t.explain.past}</h2>}
          {data.past.map((one) => (
            <section key={one.position} className="stack" style={{ gap: 8 }}>
              <p><Time at={one.entered_at} exact /> – <Time at={one.left_at} exact /> <span className="soft">{isCode(one.reason) ? reason(one.reason) : one.reason}</span></p>
              <Steps steps={one.steps} />
            </section>
          ))}
        </div>
      )}
    </Loaded>
  );
}

function Steps({ steps }: { steps: Explained['positions'][number]['steps'] }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const say = useSayTimes();
  const reason = useReason();
  const told = (what: string): string => (isCode(what) ? reason(what) : say(what));
  return (
    <ol className="explain-steps" aria-label={t.explain.steps}>
      {steps.map((step, at) => <li key={at}><span className="soft"><Time at={step.at} exact seconds /></span><span>{step.text[language]} <span className="soft">{[step.node === '$start' ? '' : step.node, told(step.what), step.step === 'touched' ? told(step.detail) : say(step.detail)].filter((part, other, all) => part !== '' && all.indexOf(part) === other).join(' · ')}</span></span></li>)}
    </ol>
  );
}
