/* SPDX-License-Identifier: Apache-2.0 */
/* WhyDrawer: why a customer is in a segment or has a value of a tag: conditions, parts of a score, places of an RFM. */
import { useQuery } from '@tanstack/react-query';
import { Drawer } from 'antd';
import { Link } from 'react-router';
import { queries, type AudienceKind } from '@/api/queries';
import { useText } from '@/app/preferences';
import { ConditionsExplained, HoldsPill, sayValue, type ExplainedRule } from '@/features/rules/Explained';
import { ruleTexts } from '@/features/rules/texts';
import { useLasting } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { Avatar, OneId, Pill } from '@/ui/Marks';
import { Bones, Failure } from '@/ui/States';
import { audienceTexts } from './texts';
import './audience.css';
import '@/features/rules/rules.css';

export interface WhyAsked {
  kind: AudienceKind;
  key: string;
  name: string;
  oneId: string;
}

export function WhyDrawer({ asked, onClose }: { asked: WhyAsked | null; onClose: () => void }) {
  const t = useText(audienceTexts);
  const shown = useLasting(asked);
  return (
    <Drawer open={asked !== null} onClose={onClose} size={480} title={shown === null ? t.explain : t.explainOf(shown.name)} destroyOnHidden>
      {shown !== null && <Why key={`${shown.kind} ${shown.key} ${shown.oneId}`} asked={shown} />}
    </Drawer>
  );
}

interface Explanation {
  holds: boolean;
  value: unknown;
  rules?: { value?: string; why: ExplainedRule | null }[];
  parts?: { name: string; points: number }[];
  score?: number;
  scores?: Record<string, { score: number; value: unknown }>;
}

export function Why({ asked }: { asked: WhyAsked }) {
  const t = useText(audienceTexts);
  const why = useQuery(queries.whyMember(asked.kind, asked.key, asked.oneId));
  const customer = useQuery({ ...queries.customer(asked.oneId), staleTime: 60_000 });
  if (why.isError) return <Failure error={why.error} retry={() => void why.refetch()} />;
  if (why.data === undefined) return <Bones rows={6} inset={0} />;
  const said = why.data as unknown as Explanation;
  const name = customer.data?.name ?? '';
  return (
    <div className="stack">
      <div className="row" style={{ gap: 10 }}>
        <Avatar name={name} seed={asked.oneId} size={36} />
        <div className="grow"><Link to={`/customers/${asked.oneId}`}>{name === '' ? t.unnamed : name}</Link><div><OneId id={asked.oneId} /></div></div>
        {asked.kind === 'segments' ? <Pill tone={said.holds ? 'good' : 'plain'}>{said.holds ? t.inIt : t.notInIt}</Pill> : said.holds ? <Pill tone="accent">{sayValue(said.value, '')}</Pill> : <Pill>{t.noTag}</Pill>}
      </div>
      <Explanations said={said} />
    </div>
  );
}

function Explanations({ said }: { said: Explanation }) {
  const t = useText(audienceTexts);
  const rules = said.rules ?? [];
  if (said.parts !== undefined) return <ScoreParts parts={said.parts} score={said.score ?? 0} />;
  if (said.scores !== undefined) return <RfmScores scores={said.scores} />;
  if (rules.length === 0) return <p className="faint">{t.given}</p>;
  return (
    <div className="stack">
      {rules.map((one, at) => (one.why === null ? null : (
        <section key={at}>
          {one.value !== undefined && <h3 className="row small"><strong>{one.value}</strong><HoldsPill holds={one.why.holds} /></h3>}
          <ConditionsExplained why={one.why} />
        </section>
      )))}
    </div>
  );
}

export function ScoreParts({ parts, score }: { parts: readonly { name: string; points: number }[]; score: number }) {
  const t = useText(audienceTexts);
  const ruleWords = useText(ruleTexts);
  const top = Math.max(1, ...parts.map((one) => Math.abs(one.points)));
  return (
    <section aria-label={t.parts}>
      <h3 className="detail-head">{t.parts}</h3>
      <div className="score-bars">
        {parts.map((one) => (
          <div key={one.name} className="score-bar">
            <span className="cut" title={one.name}>{one.name}</span>
            <span className="bar-track" aria-hidden="true"><span className="bar-fill" style={{ display: 'block', width: `${(Math.abs(one.points) / top) * 100}%`, background: one.points < 0 ? 'var(--bad)' : 'var(--accent)' }} /></span>
            <span className="right tabular">{one.points > 0 ? '+' : ''}{sayValue(one.points, ruleWords.noValue)}</span>
          </div>
        ))}
        <div className="score-bar" style={{ fontWeight: 600, borderTop: '1px solid var(--line)', paddingTop: 6 }}><span>{t.total}</span><span /><span className="right tabular">{sayValue(score, '0')}</span></div>
      </div>
    </section>
  );
}

function RfmScores({ scores }: { scores: Readonly<Record<string, { score: number; value: unknown }>> }) {
  const t = useText(audienceTexts);
  const ruleWords = useText(ruleTexts);
  return (
    <dl className="facts">
      {Object.entries(scores).map(([axis, one]) => (
        <div key={axis} style={{ display: 'contents' }}><dt>{wordFor(t.axis, axis)}</dt><dd><strong>{one.score}</strong> <span className="faint">{t.axisScore} · {sayValue(axis === 'monetary' && typeof one.value === 'number' ? one.value / 100 : one.value, ruleWords.noValue)}</span></dd></div>
      ))}
    </dl>
  );
}
