/* SPDX-License-Identifier: Apache-2.0 */
/* RuleField: a rule inside a node: said as a sentence in the inspector, edited in a window of its own with counts beside it; and the
 * conditions on an event, edited in place. What was changed becomes part of the draft when the window is left by its button.
 */
import { Button, Modal } from 'antd';
import { useState } from 'react';
import { useText } from '@/app/preferences';
import { RuleEditor, RuleSentence } from '@/features/rules/RuleEditor';
import { isObject, type JsonObject } from '@/features/rules/model';
import { words } from '@/lib/words';
import { ActionButton } from '@/ui/Controls';
import { matchesOf, ruleOf } from './rules';
import { journeyTexts } from './texts';

interface RuleFieldProps {
  label: string;
  value: unknown;
  disabled: boolean;
  onChange: (value: unknown) => void;
}

export function RuleField({ label, value, disabled, onChange }: RuleFieldProps) {
  const t = useText(journeyTexts);
  const common = useText(words);
  const [edited, setEdited] = useState<{ rule: JsonObject; isComplete: boolean } | null>(null);
  const rule = isObject(value as JsonObject) ? (value as JsonObject) : null;
  const isEmpty = rule === null || Object.keys(rule).length === 0;
  const open = (): void => setEdited({ rule: isEmpty ? { all: [] } : rule, isComplete: true });
  const take = (): void => {
    if (edited !== null) onChange(edited.rule);
    setEdited(null);
  };
  const why = edited === null || edited.isComplete ? null : t.rule.incomplete;
  return (
    <>
      {!isEmpty && <p className="member-rule"><RuleSentence value={rule} /></p>}
      {!disabled && <Button size="small" onClick={open} aria-label={`${label}: ${isEmpty ? t.rule.write : t.rule.change}`}>{isEmpty ? t.rule.write : t.rule.change}</Button>}
      <Modal
        open={edited !== null} title={label} width={1120} onCancel={() => setEdited(null)} destroyOnHidden mask={{ closable: false }}
        footer={[<Button key="cancel" onClick={() => setEdited(null)}>{common.action.cancel}</Button>, <ActionButton key="take" type="primary" reason={why} onClick={take}>{t.rule.take}</ActionButton>]}
      >
        {edited !== null && <RuleEditor value={edited.rule} onChange={(next, isComplete) => setEdited({ rule: next, isComplete })} />}
      </Modal>
    </>
  );
}

/* Conditions on the properties of an event: [{prop, eq}, …], all of them. */
export function MatchesField({ label, value, disabled, onChange, event }: RuleFieldProps & { event: string }) {
  const t = useText(journeyTexts);
  const [isOpen, setOpen] = useState(false);
  const matches = Array.isArray(value) ? (value as JsonObject[]) : [];
  if (disabled || (!isOpen && matches.length > 0)) {
    return (
      <>
        <p className="member-rule">{matches.length === 0 ? '—' : <RuleSentence value={{ all: [{ event, where: matches }] }} />}</p>
        {!disabled && <Button size="small" onClick={() => setOpen(true)} aria-label={`${label}: ${t.rule.change}`}>{t.rule.change}</Button>}
      </>
    );
  }
  return (
    <div className="member-matches" role="group" aria-label={label}>
      <RuleEditor panel="none" event={event} value={ruleOf(matches)} onChange={(next, isComplete) => { if (isComplete) onChange(matchesOf(next)); }} />
    </div>
  );
}
