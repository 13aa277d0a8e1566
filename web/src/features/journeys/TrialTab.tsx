/* SPDX-License-Identifier: Apache-2.0 */
/* TrialTab: the draft tried with one customer: the steps that she comes by lit on the canvas with their times, each message on a phone as she would
 * read it, and what the gates say to it.
 */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Input, InputNumber } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { useReason } from '@/features/touches/reason';
import { touchTexts } from '@/features/touches/texts';
import { Phone } from '@/features/templates/Phone';
import { useFound } from '@/features/rules/RulePanel';
import { useDebounced, useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { ChannelName, OneId, Pill, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { Canvas, triggerId } from './Canvas';
import { useSayTimes } from './ExplainTab';
import { journeyQueries, type Definition, type Journey, type JourneyCatalogue } from './model';
import { endOf, eventOf, litOf, storyOf, toneOf, waysTaken, type Trial, type TrialTouch } from './trial';
import { TrialEventForm } from './TrialEventForm';
import { trialTexts } from './trialTexts';
import type { DraftHandle } from './useDraft';
import { whatIfTexts } from './whatifTexts';

const none: ReadonlyMap<string, string> = new Map();
const fewestDays = 1;
const mostDays = 180;
const settleMs = 400;

export function TrialTab({ journey, draft }: { journey: Journey; draft: DraftHandle }) {
  const t = useText(trialTexts);
  const noRight = useRightReason('journey.change');
  const [filters, setFilters] = useFilters({ who: '', days: '30', node: '', event: '' });
  const [typed, setTyped] = useState(filters.who);
  const { id, isNobody, isLooking } = useFound(filters.who);
  /* not at each letter: each trial is a run of its own */
  const settled = useDebounced(filters.event, settleMs);
  const event = eventOf(settled);
  const days = Math.min(mostDays, Math.max(fewestDays, Number(filters.days) || 30));
  const trial = useMutation({
    mutationFn: (customer: string) => api.post('/journeys/{key}/trial', { path: { key: journey.key }, body: { customer, days, journey: draft.definition as unknown as Schemas['JourneyDefinition'], ...(event === undefined || event === null ? {} : { event }) } }),
  });
  /* a link that names her shows what its sender saw */
  const asked = id !== null && noRight === null && event !== null ? `${id} ${days} ${settled} ${JSON.stringify(draft.definition)}` : '';
  const [shownFor, setShownFor] = useState('');
  useEffect(() => {
    if (asked === '' || id === null || shownFor === asked) return;
    setShownFor(asked);
    trial.mutate(id);
  }, [asked, id, shownFor]);
  const why = noRight ?? (typed.trim() === '' ? t.first : event === null ? t.eventWrong : null);
  return (
    <div className="stack">
      <Panel>
        <p className="soft" style={{ marginBottom: 10 }}>{t.hint}</p>
        <form className="row wrap trial-form" onSubmit={(form) => { form.preventDefault(); if (why !== null) return; if (typed.trim() === filters.who && id !== null) trial.mutate(id); setFilters({ who: typed.trim(), node: '' }); }}>
          <Input aria-label={t.who} placeholder={t.who} value={typed} onChange={(change) => setTyped(change.target.value)} style={{ width: 240 }} allowClear />
          <InputNumber aria-label={t.days} suffix={t.days} min={fewestDays} max={mostDays} precision={0} value={days} onChange={(value) => setFilters({ days: String(value ?? 30) })} style={{ width: 170 }} />
          <ActionButton type="primary" htmlType="submit" reason={why} loading={trial.isPending || isLooking}>{t.run}</ActionButton>
        </form>
        <div style={{ marginTop: 12 }}><TrialEventForm definition={draft.definition} text={filters.event} onChange={(text) => setFilters({ event: text })} /></div>
        {isNobody && <p className="small faint" role="status" style={{ marginTop: 8 }}>{t.nobody}</p>}
      </Panel>
      {trial.isError && <Panel><Failure error={trial.error} retry={id === null ? undefined : () => trial.mutate(id)} /></Panel>}
      {trial.isPending && <Panel><Bones rows={8} inset={0} /></Panel>}
      {trial.data !== undefined && !trial.isPending && !trial.isError && <Shown trial={trial.data} definition={draft.definition} opened={filters.node} onOpen={(node) => setFilters({ node })} />}
      {trial.isIdle && <Panel><Empty title={t.emptyTitle}>{t.empty}</Empty></Panel>}
    </div>
  );
}

function Shown({ trial, definition, opened, onOpen }: { trial: Trial; definition: Definition; opened: string; onOpen: (node: string) => void }) {
  const t = useText(trialTexts);
  const language = useLanguage();
  const catalogue = useQuery(journeyQueries.catalogue());
  const isNode = Object.hasOwn(definition.nodes, opened);
  const name = isNode && typeof definition.nodes[opened]?.['name'] === 'string' ? definition.nodes[opened]['name'] : opened;
  return (
    <>
      <div className={`notice ${trial.entry.allowed ? '' : 'warn'}`} role="status">
        <span className="row wrap"><OneId id={trial.customer} link copy={false} /> <Pill tone={trial.entry.allowed ? 'good' : 'warn'}>{trial.entry.allowed ? t.enters : t.refused}</Pill>{!trial.entry.allowed && <span>{wordFor(t.entryReasons, trial.entry.reason)} · {t.refusedBut}</span>}<span className="soft">{trial.ended ? t.ended : t.notEnded}{trial.partial ? ` · ${t.partial}` : ''}</span></span>
      </div>
      <div className="trial-work">
        {catalogue.data === undefined ? <Panel><Bones rows={10} inset={0} /></Panel> : <LitCanvas trial={trial} definition={definition} catalogue={catalogue.data} opened={isNode ? opened : ''} onOpen={(node) => onOpen(node === triggerId || node === opened ? '' : node)} />}
        <div className="stack trial-side" tabIndex={0} role="group" aria-label={t.story}>
          <Panel title={isNode ? t.ofStep(name) : t.story} tools={isNode ? <button type="button" className="link-button" onClick={() => onOpen('')}>{t.allSteps}</button> : undefined}><Story trial={trial} only={isNode ? opened : ''} /></Panel>
          <Panel title={t.messages}><Messages touches={trial.touches.filter((one) => !isNode || one.node === opened)} /></Panel>
          {trial.assumptions.length > 0 && <Panel title={t.assumptions}><ul className="small soft">{trial.assumptions.map((one) => <li key={one.en}>{one[language]}</li>)}</ul></Panel>}
        </div>
      </div>
    </>
  );
}

function LitCanvas({ trial, definition, catalogue, opened, onOpen }: { trial: Trial; definition: Definition; catalogue: JourneyCatalogue; opened: string; onOpen: (node: string) => void }) {
  const lit = useMemo(() => ({ nodes: litOf(trial), ways: waysTaken(trial) }), [trial]);
  return <Canvas definition={definition} catalogue={catalogue} report={[]} entered={0} inside={0} opened={opened} problems={none} onOpen={onOpen} hands={null} lit={lit} />;
}

function Story({ trial, only }: { trial: Trial; only: string }) {
  const t = useText(trialTexts);
  const language = useLanguage();
  const sayTimes = useSayTimes();
  const statuses = useText(touchTexts).statuses;
  const reasons = useText(whatIfTexts).reasons;
  return (
    <ol className="explain-steps trial-steps" aria-label={t.story}>
      {storyOf(trial, only).map(({ step, touch }, at) => (
        <li key={at}>
          <span className="soft"><Time at={step.at} exact /></span>
          <span>{step.name !== '' && !step.name.startsWith('$') && <strong>{step.name} </strong>}{step.text[language]} <span className="soft">{[step.step === 'touched' ? wordFor(statuses, step.what) : step.step === 'entered' ? '' : wordFor(reasons, sayTimes(step.what)), sayTimes(step.detail)].filter((part, other, all) => part !== '' && all.indexOf(part) === other).join(' · ')}</span>{touch !== null && <> <Ending touch={touch} /></>}</span>
        </li>
      ))}
    </ol>
  );
}

function Ending({ touch }: { touch: TrialTouch }) {
  const t = useText(trialTexts);
  const statuses = useText(touchTexts).statuses;
  const say = useReason();
  const end = endOf(touch);
  return (
    <span className="row wrap" style={{ gap: 6 }}>
      <Pill tone={toneOf(end.status)}>{wordFor(statuses, end.status)}</Pill>
      {touch.reason !== '' && <span className="small">{t.gate} {say(touch.reason)}{touch.detail === '' ? '' : ` · ${touch.detail}`}{touch.until === undefined ? null : <> · {t.until} <Time at={touch.until} exact /></>}</span>}
    </span>
  );
}

function Messages({ touches }: { touches: readonly TrialTouch[] }) {
  const t = useText(trialTexts);
  if (touches.length === 0) return <p className="faint">{t.noMessages}</p>;
  return (
    <ul className="stack">
      {touches.map((touch, at) => (
        <li key={at} className="stack" style={{ gap: 8 }}>
          <div className="row wrap"><ChannelName channel={touch.channel} /><span className="mono small faint">{touch.template}</span><span className="soft small"><Time at={touch.at} exact /></span></div>
          <Ending touch={touch} />
          {touch.problem !== undefined ? <p className="rule-problem" role="alert">{t.problem} · {touch.problem}</p> : touch.parts !== undefined && <Phone channel={touch.channel} parts={touch.parts} />}
        </li>
      ))}
    </ul>
  );
}
