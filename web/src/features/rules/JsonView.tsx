/* SPDX-License-Identifier: Apache-2.0 */
/* JsonView: the rule as its JSON, both ways. What is typed takes effect when it parses; problems say their pointer. */
import { Input } from 'antd';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useText } from '@/app/preferences';
import { CopyButton } from '@/ui/Controls';
import { canonical, isObject, pointersOf, readRule, writeRule, type Json, type RuleDocument } from './model';
import { ruleTexts } from './texts';

interface JsonViewProps {
  rule: RuleDocument;
  problems: ReadonlyMap<number, string>;
  onChange: (rule: RuleDocument) => void;
}

export function JsonView({ rule, problems, onChange }: JsonViewProps) {
  const t = useText(ruleTexts);
  const json = useMemo(() => writeRule(rule), [rule]);
  const [text, setText] = useState(() => JSON.stringify(json, null, 2));
  const [wrong, setWrong] = useState<string | null>(null);
  const typed = useRef(canonical(json));
  useEffect(() => {
    if (canonical(json) === typed.current) return;
    typed.current = canonical(json);
    setText(JSON.stringify(json, null, 2));
    setWrong(null);
  }, [json]);
  const change = (next: string): void => {
    setText(next);
    let value: unknown;
    try {
      value = JSON.parse(next);
    } catch (error) {
      setWrong(t.jsonWrong(error instanceof Error ? error.message : String(error)));
      return;
    }
    if (!isObject(value)) {
      setWrong(t.jsonShape);
      return;
    }
    setWrong(null);
    typed.current = canonical(value as Json);
    onChange(readRule(value));
  };
  const pointers = pointersOf(rule);
  return (
    <div className="rule-json">
      <div className="row between"><span className="small faint">{t.jsonHint}</span><CopyButton text={text} label={t.copy} /></div>
      <Input.TextArea className="mono" value={text} onChange={(event) => change(event.target.value)} autoSize={{ minRows: 10, maxRows: 28 }} spellCheck={false} aria-label="JSON" status={wrong === null ? '' : 'error'} />
      {wrong !== null && <p className="rule-problem" role="alert">{wrong}</p>}
      {[...problems].map(([id, problem]) => <p key={id} className="rule-problem" role="alert"><span className="mono">{pointers.get(id) || '/'}</span> {problem}</p>)}
    </div>
  );
}
