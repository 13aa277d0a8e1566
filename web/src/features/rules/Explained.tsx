/* SPDX-License-Identifier: Apache-2.0 */
/* Explained: why a customer is in a segment or has a tag, condition by condition, with the values that were compared. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { ApiProblem } from '@/api/client';
import { queries, type AudienceKind } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { dateTime, exactCount } from '@/lib/format';
import { Pill } from '@/ui/Marks';
import { Bones } from '@/ui/States';
import type { JsonObject } from './model';
import { ruleTexts } from './texts';

export interface ExplainedCondition {
  path: string;
  holds: boolean;
  value: unknown;
  compared: Record<string, unknown> | null;
  event_count?: number;
  until: string | null;
  sentence: { zh: string; en: string };
}

export interface ExplainedRule {
  holds: boolean;
  until: string | null;
  conditions: ExplainedCondition[];
  sentence: { zh: string; en: string };
}

export function ConditionsExplained({ why }: { why: ExplainedRule }) {
  const t = useText(ruleTexts);
  const language = useLanguage();
  const { zone } = useClock();
  return (
    <ul className="explained">
      {why.conditions.map((one) => (
        <li key={one.path} className={`explained-line ${one.holds ? '' : 'fails'}`}>
          <span>{one.sentence[language]}</span>
          <span className="small faint">
            <span className="hidden-text">{one.holds ? t.holds : t.fails}. </span>
            {typeof one.value !== 'boolean' && <>{t.is} {sayValue(one.value, t.noValue)}</>}
            {one.event_count !== undefined && one.event_count > 0 && <> · {t.eventsCounted(exactCount(one.event_count))}</>}
            {one.until !== null && <> · {t.until(dateTime(one.until, language, zone))}</>}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function sayValue(value: unknown, none: string): string {
  if (value === null || value === undefined) return none;
  if (typeof value === 'number') return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
  if (Array.isArray(value)) return value.length === 0 ? none : value.join(', ');
  return String(value);
}

export function HoldsPill({ holds }: { holds: boolean }) {
  const t = useText(ruleTexts);
  return <Pill tone={holds ? 'good' : 'warn'}>{holds ? t.holds : t.fails}</Pill>;
}

/* The saved definition's answer. What is only typed has none yet, and the page says so. */
export function Explained({ oneId, savedKey }: { oneId: string; rule: JsonObject; savedKey?: string | undefined }) {
  const t = useText(ruleTexts);
  if (savedKey === undefined) return <p className="small faint" style={{ marginTop: 6 }}>{t.draftExplain}</p>;
  return <SavedExplained kind="segments" definition={savedKey} oneId={oneId} />;
}

export function SavedExplained({ kind, definition, oneId }: { kind: AudienceKind; definition: string; oneId: string }) {
  const why = useQuery(queries.whyMember(kind, definition, oneId));
  const customer = useQuery({ ...queries.customer(oneId), staleTime: 60_000 });
  if (why.isError) return <p className="small rule-problem" role="alert">{why.error instanceof ApiProblem ? why.error.detail : String(why.error)}</p>;
  if (why.data === undefined) return <Bones rows={2} inset={0} height={24} />;
  const rules = (why.data as { rules?: { value?: string; why: ExplainedRule | null }[] }).rules ?? [];
  const name = customer.data?.name ?? '';
  return (
    <div style={{ marginTop: 8 }}>
      <div className="row"><Link to={`/customers/${oneId}`} className={name === '' ? 'mono' : ''}>{name === '' ? oneId : name}</Link><HoldsPill holds={why.data.holds} /></div>
      {rules.map((one, at) => (one.why === null ? null : <ConditionsExplained key={at} why={one.why} />))}
    </div>
  );
}
