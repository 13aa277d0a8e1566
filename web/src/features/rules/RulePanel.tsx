/* SPDX-License-Identifier: Apache-2.0 */
/* RulePanel: beside the rule what it counts, how many of them can be reached and why not the rest, who they are, and why one
 * person is in or not.
 */
import { useQueries, useQuery } from '@tanstack/react-query';
import { Button, Input, Tooltip } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { ApiProblem } from '@/api/client';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { useClock } from '@/app/clock';
import { clockTime, exactCount, percent, shortCount } from '@/lib/format';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { Avatar } from '@/ui/Marks';
import { Bone } from '@/ui/States';
import { Explained } from './Explained';
import type { RuleDocument } from './model';
import { writeRule } from './model';
import { ruleTexts } from './texts';
import { customers, type Preview, type Previewed } from './usePreview';
import { labelIn, reachChannels, useVocabulary } from './vocabulary';

interface RulePanelProps {
  rule: RuleDocument;
  on: string;
  previewed: Previewed;
  openCount: number;
  isShort: boolean;
  explainKey?: string | undefined;
}

export function RulePanel({ rule, on, previewed, openCount, isShort, explainKey }: RulePanelProps) {
  const isPeople = on === customers;
  const { preview, isOld, error, progress } = previewed;
  return (
    <aside className="rule-panel">
      <Total preview={preview} isOld={isOld} openCount={openCount} error={error} progress={progress} on={on} />
      {!isShort && isPeople && preview !== null && <Reach preview={preview} isOld={isOld} />}
      {!isShort && preview !== null && <Sample ids={preview.sample} isOld={isOld} on={on} />}
      {!isShort && isPeople && <Why rule={rule} explainKey={explainKey} isOpen={openCount > 0} />}
    </aside>
  );
}

function Total({ preview, isOld, openCount, error, progress, on }: { preview: Preview | null; isOld: boolean; openCount: number; error: unknown; progress: number | null; on: string }) {
  const t = useText(ruleTexts);
  const { objects } = useVocabulary();
  const common = useText(words);
  const language = useLanguage();
  const { zone } = useClock();
  const problem = error instanceof ApiProblem ? error : null;
  const hasPlace = (problem?.pointers.length ?? 0) > 0;
  return (
    <section className="rule-total" aria-live="polite">
      <h2>{on === customers ? t.count : t.countOf(labelIn(objects, on))}</h2>
      <div className={`rule-figure ${isOld ? 'old' : ''}`}>
        {preview === null ? <Bone width={96} height={30} /> : <Tooltip title={exactCount(preview.count)}><span>{shortCount(preview.count, language)}</span></Tooltip>}
      </div>
      <p className="small faint">
        {openCount > 0 ? t.incomplete(openCount)
          : progress !== null ? t.reading_first(percent(progress, 0))
          : problem !== null && !hasPlace ? (problem.status === 503 ? t.first_time : `${common.failure.title}: ${problem.detail}`)
            : problem !== null ? t.problem
              : preview === null || isOld ? t.counting
                : <>{t.share(percent(preview.base === 0 ? 0 : preview.count / preview.base), shortCount(preview.base, language))} · {preview.partial ? t.estimate(percent(preview.scanned / Math.max(1, preview.base), 0)) : t.asOfNow(clockTime(preview.as_of, language, zone))}</>}
      </p>
      {openCount === 0 && progress !== null && (
        <span className="bar-track" role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(progress * 100)} aria-label={t.reading_first(percent(progress, 0))}>
          <span className="bar-fill" style={{ display: 'block', width: percent(progress), background: 'var(--accent)' }} />
        </span>
      )}
    </section>
  );
}

/* `isAlone`: the panel around it has said what it is. */
export function Reach({ preview, isOld, isAlone = false }: { preview: Pick<Preview, 'count' | 'reachable' | 'unreachable'>; isOld: boolean; isAlone?: boolean }) {
  const t = useText(ruleTexts);
  const language = useLanguage();
  const known = reachChannels.filter((channel) => preview.reachable[channel] !== undefined);
  const channels = [...known, ...Object.keys(preview.reachable).filter((channel) => !(known as readonly string[]).includes(channel))];
  return (
    <section className={isOld ? 'old' : ''}>
      {!isAlone && <Tooltip title={t.reachHint}><h2>{t.reach}</h2></Tooltip>}
      <ul className="rule-reach">
        {channels.map((channel) => {
          const count = preview.reachable[channel] ?? 0;
          const reasons = Object.entries(preview.unreachable[channel] ?? {}).filter(([, number]) => number > 0);
          return (
            <li key={channel}>
              <span className="row between"><span>{wordFor(t.reachChannel, channel)}</span><strong className="tabular">{shortCount(count, language)}</strong></span>
              <span className="bar-track" aria-hidden="true"><span className="bar-fill" style={{ display: 'block', width: percent(preview.count === 0 ? 0 : count / preview.count), background: 'var(--accent)' }} /></span>
              {reasons.length > 0 && <span className="small faint">{reasons.map(([reason, number]) => `${wordFor(t.reasons, reason)} ${shortCount(number, language)}`).join(' · ')}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const peopleShown = 6;

function Sample({ ids, isOld, on }: { ids: readonly string[]; isOld: boolean; on: string }) {
  const t = useText(ruleTexts);
  return (
    <section className={isOld ? 'old' : ''}>
      <Tooltip title={t.sampleHint}><h2>{t.sample}</h2></Tooltip>
      {ids.length === 0 ? <p className="small faint">{t.noSample}</p> : on === customers ? <People ids={ids.slice(0, peopleShown)} /> : <ul className="rule-people">{ids.slice(0, peopleShown).map((id) => <li key={id}><Link to={`/data/objects?kind=${encodeURIComponent(on)}&query=${encodeURIComponent(id)}`} className="mono">{id}</Link></li>)}</ul>}
    </section>
  );
}

export function People({ ids }: { ids: readonly string[] }) {
  const people = useQueries({ queries: ids.map((id) => ({ ...queries.customer(id), staleTime: 60_000 })) });
  return (
    <ul className="rule-people">
      {ids.map((id, at) => {
        const name = people[at]?.data?.name ?? '';
        return (
          <li key={id}>
            <Link to={`/customers/${id}`} className="row" style={{ gap: 8 }}>
              <Avatar name={name} seed={id} size={22} />
              <span className={name === '' ? 'mono cut' : 'cut'}>{name === '' ? id : name}</span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

/* Who is meant by what was pasted: a OneID as it is, anything else is looked for. */
export function useFound(pasted: string) {
  const wanted = pasted.trim();
  const isOneId = /^c_[0-9a-z]{13}$/.test(wanted);
  const found = useQuery({ ...queries.customers({ query: wanted, identifierType: '', cursor: '', limit: 1 }), enabled: wanted !== '' && !isOneId });
  return { id: wanted === '' ? null : isOneId ? wanted : (found.data?.items[0]?.one_id ?? null), isNobody: !isOneId && wanted !== '' && found.data !== undefined && found.data.items.length === 0, isLooking: found.isFetching };
}

function Why({ rule, explainKey, isOpen }: { rule: RuleDocument; explainKey?: string | undefined; isOpen: boolean }) {
  const t = useText(ruleTexts);
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  const { id, isNobody } = useFound(asked);
  return (
    <section>
      <h2>{t.explain}</h2>
      <form className="row" style={{ gap: 6 }} onSubmit={(event) => { event.preventDefault(); setAsked(typed); }}>
        <Input aria-label={t.explainHint} placeholder={t.explainHint} value={typed} onChange={(event) => setTyped(event.target.value)} allowClear />
        <Button htmlType="submit" disabled={isOpen}>{t.explainButton}</Button>
      </form>
      {isNobody && <p className="small faint" style={{ marginTop: 6 }}>{t.nobodyFound}</p>}
      {id !== null && !isOpen && <Explained oneId={id} rule={writeRule(rule)} savedKey={explainKey} />}
    </section>
  );
}
