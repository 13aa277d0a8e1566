/* SPDX-License-Identifier: Apache-2.0 */
/* ChangePanel: who would enter and leave, before it is saved. */
import { useMutation } from '@tanstack/react-query';
import { Button } from 'antd';
import { useRef } from 'react';
import { api, ApiProblem, type Schemas } from '@/api/client';
import type { AudienceKind } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { People } from '@/features/rules/RulePanel';
import { canonical, type JsonObject } from '@/features/rules/model';
import { exactCount, shortCount } from '@/lib/format';
import { Panel } from '@/ui/Page';
import { audienceTexts } from './texts';

export type Change = Schemas['ChangePreview'];

export interface CheckedChange {
  change: Change | null;
  isStale: boolean;
  isPending: boolean;
  error: unknown;
  check: () => void;
  cancel: () => void;
}

/* The answer belongs to one definition: another one makes it stale. */
export function useChange(kind: AudienceKind, key: string, body: JsonObject): CheckedChange {
  const abort = useRef<AbortController | null>(null);
  const text = canonical(body);
  const asked = useMutation({
    mutationFn: async (given: { text: string; body: JsonObject }) => {
      abort.current?.abort();
      abort.current = new AbortController();
      const options = { path: { key }, body: given.body as never, signal: abort.current.signal };
      const change = kind === 'segments' ? await api.post('/segments/{key}/preview-change', options) : await api.post('/tags/{key}/preview-change', options);
      return { change, text: given.text };
    },
  });
  const isCancelled = asked.error instanceof DOMException && asked.error.name === 'AbortError';
  return {
    change: asked.data?.change ?? null, isStale: asked.data !== undefined && asked.data.text !== text, isPending: asked.isPending, error: isCancelled ? null : asked.error,
    check: () => asked.mutate({ text, body }), cancel: () => abort.current?.abort(),
  };
}

export function ChangePanel({ checked, isTag, blocked }: { checked: CheckedChange; isTag: boolean; blocked: string | null }) {
  const t = useText(audienceTexts);
  const { change, isStale, isPending, error } = checked;
  return (
    <Panel
      title={t.change}
      tools={isPending ? <Button size="small" onClick={checked.cancel}>{t.cancel}</Button> : <Button size="small" onClick={checked.check} disabled={blocked !== null} title={blocked ?? ''}>{change === null ? t.changeCheck : t.changeAgain}</Button>}
    >
      <div aria-live="polite">
        {isPending && <p className="faint">{t.changeCounting}</p>}
        {error instanceof ApiProblem && !isPending && <p className="rule-problem" style={{ margin: 0 }} role="alert">{[error.detail, ...error.pointers.map((one) => `${one.pointer}: ${one.detail}`), error.hint].filter((one) => one !== '').join(' · ')}</p>}
        {change === null && !isPending && error === null && <p className="faint">{t.saveFirst}</p>}
        {change !== null && !isPending && <Figures change={change} isTag={isTag} isStale={isStale} />}
      </div>
    </Panel>
  );
}

function Figures({ change, isTag, isStale }: { change: Change; isTag: boolean; isStale: boolean }) {
  const t = useText(audienceTexts);
  const language = useLanguage();
  const figure = (label: string, value: number, tone: string, sign = '') => (
    <dl className={`change-figure ${tone}`}><dt>{label}</dt><dd title={exactCount(value)}>{sign}{shortCount(value, language)}</dd></dl>
  );
  return (
    <>
      {isStale && <p className="notice warn" style={{ marginBottom: 8 }}>{t.changeStale}</p>}
      <div className="change" style={isStale ? { opacity: 0.5 } : undefined}>
        {figure(t.enters, change.enters, 'in', '+')}
        {figure(t.leaves, change.leaves, 'out', '−')}
        {isTag && figure(t.changesValue, Math.max(0, change.changes - change.enters - change.leaves), '')}
        {figure(t.after, change.count, '')}
        {change.entering.length > 0 && <div className="change-people"><h3>{t.entering}</h3><People ids={change.entering.slice(0, 4)} /></div>}
        {change.leaving.length > 0 && <div className="change-people"><h3>{t.leaving}</h3><People ids={change.leaving.slice(0, 4)} /></div>}
        {change.enters === 0 && change.leaves === 0 && change.changes === 0 && <p className="faint">{t.changeNone}</p>}
      </div>
      {change.partial && <p className="small faint">{t.partialChange}</p>}
    </>
  );
}
