/* SPDX-License-Identifier: Apache-2.0 */
/* Launch: the list that is looked at before a journey goes live: how many enter, who of them can be reached, what it costs, by which accounts,
 * who approved it, whether there is a control group, and how many are let in first.
 */
import { CheckCircleFilled, ExclamationCircleFilled, InfoCircleFilled } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Checkbox, Slider } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { healthOf, touchQueries, type Account } from '@/features/touches/model';
import { exactCount, money, shortCount } from '@/lib/format';
import { useChannelName } from '@/ui/Marks';
import { Bone } from '@/ui/States';
import { flawsOf } from './check';
import { costOf, costOfAll, entryOf, entryTone, sendingsOf, templatesMissing, type Sending } from './entry';
import { isValue, journeyQueries, type Definition, type Journey, type JourneyCatalogue } from './model';
import { journeyTexts } from './texts';

type Tone = 'good' | 'warn' | 'bad' | 'plain';
const marks: Readonly<Record<Tone, ReactNode>> = { good: <CheckCircleFilled />, warn: <ExclamationCircleFilled />, bad: <ExclamationCircleFilled />, plain: <InfoCircleFilled /> };

function Line({ tone, name, children }: { tone: Tone; name: string; children: ReactNode }) {
  return <li className={`launch-line ${tone}`}><span className="launch-mark" aria-hidden="true">{marks[tone]}</span><span className="launch-name">{name}</span><span className="grow">{children}</span></li>;
}

function accountOf(sending: Sending, accounts: readonly Account[]): Account | undefined {
  return sending.account === '' ? accounts.find((one) => one.channel === sending.channel) : accounts.find((one) => one.key === sending.account);
}

const priceIn = (account: Account | undefined): number => (typeof account?.settings['cost'] === 'number' ? account.settings['cost'] : 0);

export function LaunchList({ journey, definition }: { journey: Journey; definition: Definition }) {
  const t = useText(journeyTexts).launch;
  const catalogue = useQuery(journeyQueries.catalogue());
  if (catalogue.data === undefined) return <Bone height={180} />;
  return <section aria-label={t.check}><h3 className="launch-title">{t.check}</h3><ul className="launch"><Lines journey={journey} definition={definition} catalogue={catalogue.data} /></ul></section>;
}

function Lines({ journey, definition, catalogue }: { journey: Journey; definition: Definition; catalogue: JourneyCatalogue }) {
  const whole = useText(journeyTexts);
  const t = whole.launch;
  const channelName = useChannelName();
  const accounts = useQuery(touchQueries.accounts());
  const stops = useQuery(touchQueries.stops());
  const templates = useQuery({ ...journeyQueries.templates(), enabled: useMay('template.see') });
  const entry = entryOf(definition);
  const counted = useQuery({ ...queries.rulePreview(JSON.stringify({ rule: entry?.rule ?? {} })), enabled: entry !== null });
  const sendings = sendingsOf(definition, catalogue);
  const flaws = flawsOf(definition, catalogue).length;
  const held = isValue(definition['entry']) && typeof definition['entry']['hold_out'] === 'number' ? definition['entry']['hold_out'] : 0;
  const isStopped = (stops.data?.length ?? 0) > 0;
  return (
    <>
      <Line tone={flaws === 0 ? 'good' : 'bad'} name={t.flaws}>{flaws === 0 ? whole.noFlaws : whole.flaws(flaws)}</Line>
      <Entering entry={entry} count={counted.data?.count} isUnknown={entry === null || counted.isError} />
      <Reached sendings={sendings} reachable={counted.data?.reachable} />
      {templates.data !== undefined && <Templates definition={definition} known={new Set(templates.data.items.map((one) => one.key))} />}
      {accounts.data !== undefined && <Accounts sendings={sendings} accounts={accounts.data.items} channelName={channelName} />}
      {accounts.data !== undefined && sendings.length > 0 && <Cost sendings={sendings} accounts={accounts.data.items} counted={counted.data} />}
      <Line tone={held > 0 ? 'good' : 'warn'} name={t.control}>{held > 0 ? t.controlOf(`${held}%`) : t.controlNone}</Line>
      <Line tone={definition['approval'] === true ? (journey.approved ? 'good' : 'bad') : 'plain'} name={t.approver}>{definition['approval'] === true ? (journey.approved ? t.approved : t.notApproved) : t.notNeeded}</Line>
      <Line tone={isStopped ? 'bad' : 'good'} name={t.stop}>{isStopped ? t.stopOn : t.stopOff}</Line>
    </>
  );
}

function Entering({ entry, count, isUnknown }: { entry: ReturnType<typeof entryOf>; count: number | undefined; isUnknown: boolean }) {
  const t = useText(journeyTexts).launch;
  if (entry === null || isUnknown) return <Line tone="plain" name={t.entry}>{t.entryUnknown}</Line>;
  if (count === undefined) return <Line tone="plain" name={t.entry}><Bone width={160} /></Line>;
  const some = entry.isNow ? t.entryNow : t.entryEvent;
  const none = entry.isNow ? t.entryNobody : t.entryNever;
  return <Line tone={entryTone(count)} name={t.entry}>{count === 0 ? none : some(exactCount(count))}</Line>;
}

/* A preview names channels as reachability does: 'task by call' is a call. */
function Reached({ sendings, reachable }: { sendings: readonly Sending[]; reachable: Readonly<Record<string, number>> | undefined }) {
  const t = useText(journeyTexts).launch;
  const language = useLanguage();
  const channelName = useChannelName();
  const channels = [...new Set(sendings.map((one) => one.channel))].filter((channel) => reachable !== undefined && channel in reachable);
  if (sendings.length === 0) return <Line tone="plain" name={t.reach}>{t.noSends}</Line>;
  if (channels.length === 0) return null;
  const isNobody = channels.some((channel) => reachable?.[channel] === 0);
  return <Line tone={isNobody ? 'warn' : 'good'} name={t.reach}>{channels.map((channel) => t.reachOf(channelName(channel), shortCount(reachable?.[channel] ?? 0, language))).join(' · ')}</Line>;
}

/* Each leads to where it is written; the draft stays as it is. */
function Templates({ definition, known }: { definition: Definition; known: ReadonlySet<string> }) {
  const t = useText(journeyTexts).launch;
  const missing = templatesMissing(definition, known);
  if (missing.length === 0) return null;
  return (
    <Line tone="bad" name={t.templates}>
      {t.noTemplate} {missing.map((one, at) => <span key={one.key}>{at > 0 && ' · '}<Link className="mono" to={`/new/template?channel=${encodeURIComponent(one.channel)}&key=${encodeURIComponent(one.key)}`}>{one.key}</Link></span>)}
    </Line>
  );
}

function Accounts({ sendings, accounts, channelName }: { sendings: readonly Sending[]; accounts: readonly Account[]; channelName: (channel: string) => string }) {
  const t = useText(journeyTexts).launch;
  const used = [...new Set(sendings.map((one) => accountOf(one, accounts)).filter((one) => one !== undefined))];
  const missing = [...new Set(sendings.filter((one) => accountOf(one, accounts) === undefined).map((one) => channelName(one.channel)))];
  const bad = used.filter((one) => one.stopped === true || healthOf(one)?.is_open === true).map((one) => one.key);
  const tried = used.filter((one) => one.settings['sandbox'] === true).map((one) => one.key);
  const good = used.map((one) => one.key).filter((key) => !bad.includes(key));
  return (
    <>
      {missing.length > 0 && <Line tone="bad" name={t.accounts}>{t.noAccount(missing.join('、'))} <Link to="/touches?tab=accounts">{t.toAccounts}</Link></Line>}
      {bad.length > 0 && <Line tone="bad" name={t.accounts}>{t.accountsBad(bad.join('、'))}</Line>}
      {good.length > 0 && <Line tone="good" name={t.accounts}>{t.accountsGood(good.join('、'))}</Line>}
      {tried.length > 0 && <Line tone="warn" name={t.accounts}>{t.sandbox(tried.join('、'))}</Line>}
    </>
  );
}

interface CostProps { sendings: readonly Sending[]; accounts: readonly Account[]; counted: { count: number; reachable: Readonly<Record<string, number>> } | undefined }

function Cost({ sendings, accounts, counted }: CostProps) {
  const t = useText(journeyTexts).launch;
  const priceOf = (one: Sending): number => priceIn(accountOf(one, accounts));
  const each = costOf(sendings, priceOf);
  if (each === 0) return <Line tone="plain" name={t.cost}>{t.costNone}</Line>;
  return <Line tone="good" name={t.cost}>{t.costOf(money(each, 'CNY'), counted === undefined ? '—' : money(costOfAll(sendings, priceOf, counted.count, counted.reachable), 'CNY'))}</Line>;
}

export interface LetIn {
  ramp: number;
  test_only: boolean;
}

const stepsShown = { 1: '1%', 10: '10%', 30: '30%', 100: '100%' };

export function RampField({ value, onChange }: { value: LetIn; onChange: (value: LetIn) => void }) {
  const t = useText(journeyTexts).launch;
  return (
    <div className="field">
      <span>{t.ramp} <strong className="tabular">{value.test_only ? t.testOnly : `${value.ramp}%`}</strong></span>
      <div style={{ padding: '0 12px' }}><Slider min={1} max={100} value={value.ramp} disabled={value.test_only} marks={stepsShown} onChange={(ramp) => onChange({ ...value, ramp })} ariaLabelForHandle={t.ramp} tooltip={{ open: false }} /></div>
      <Checkbox checked={value.test_only} onChange={(event) => onChange({ ...value, test_only: event.target.checked })}>{t.testOnly}</Checkbox>
      <span className="small faint">{t.rampHint}</span>
    </div>
  );
}
