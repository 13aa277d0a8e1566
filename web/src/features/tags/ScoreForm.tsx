/* SPDX-License-Identifier: Apache-2.0 */
/* ScoreForm: the parts that a score adds up, each with weight, cap and decay; and where the score of one person comes from. */
import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown, Input, InputNumber } from 'antd';
import { useState } from 'react';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { ScoreParts } from '@/features/audience/WhyDrawer';
import { audienceTexts } from '@/features/audience/texts';
import { NamePicker } from '@/features/rules/fields';
import { useFound } from '@/features/rules/RulePanel';
import { isObject, type JsonObject } from '@/features/rules/model';
import { RuleEditor } from '@/features/rules/RuleEditor';
import { useLoadedVocabulary, VocabularyProvider, type Vocabulary } from '@/features/rules/vocabulary';
import { Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { freshPart, listOf, movedBy, numberOf, partForm, textOf, withMember, type PartForm } from './tag';
import { tagTexts } from './texts';

interface ScoreFormProps {
  core: JsonObject;
  onChange: (core: JsonObject) => void;
  error: unknown;
  savedKey: string | undefined;
}

export function ScoreForm(props: ScoreFormProps) {
  const { vocabulary, error, retry } = useLoadedVocabulary();
  if (vocabulary === null) return error === null ? <Bones rows={4} inset={0} /> : <Failure error={error} retry={retry} />;
  return <VocabularyProvider value={vocabulary}><Parts {...props} vocabulary={vocabulary} /></VocabularyProvider>;
}

const partForms: readonly PartForm[] = ['rule', 'measure', 'event'];

function Parts({ core, onChange, error, savedKey, vocabulary }: ScoreFormProps & { vocabulary: Vocabulary }) {
  const t = useText(tagTexts);
  const parts = listOf(core, 'parts');
  const put = (next: readonly JsonObject[]): void => onChange({ ...core, parts: [...next] });
  const nextName = (): string => {
    const taken = new Set(parts.map((one) => textOf(one['name'])));
    for (let number = parts.length + 1; ; number += 1) if (!taken.has(`part-${number}`)) return `part-${number}`;
  };
  return (
    <div className="stack">
      <Panel title={t.parts} tools={<label className="row small"><span className="soft nowrap">{t.max}</span><InputNumber<number> aria-label={t.max} value={numberOf(core['max'])} min={1} max={1_000_000} style={{ width: 96 }} onChange={(max) => onChange(withMember(core, 'max', max))} /></label>}>
        <div className="card-list">
          {parts.map((part, at) => (
            <Part
              key={at} part={part} at={at} count={parts.length} error={error} vocabulary={vocabulary} onChange={(next) => put(parts.map((one, index) => (index === at ? next : one)))}
              onMove={(step) => put(movedBy(parts, at, step))} onRemove={() => put(parts.filter((_, index) => index !== at))}
            />
          ))}
          <div>
            <Dropdown trigger={['click']} menu={{ items: partForms.map((form) => ({ key: form, label: t.forms[form], onClick: () => put([...parts, freshPart(form, nextName())]) })) }}>
              <Button type="dashed" icon={<PlusOutlined />}>{t.addPart}</Button>
            </Dropdown>
          </div>
        </div>
      </Panel>
      <WhyScore savedKey={savedKey} />
    </div>
  );
}

interface PartProps {
  part: JsonObject;
  at: number;
  count: number;
  error: unknown;
  vocabulary: Vocabulary;
  onChange: (part: JsonObject) => void;
  onMove: (step: number) => void;
  onRemove: () => void;
}

function Part({ part, at, count, error, vocabulary, onChange, onMove, onRemove }: PartProps) {
  const t = useText(tagTexts);
  const form = partForm(part);
  const name = textOf(part['name']);
  const number = (member: string, label: string, hint = '') => (
    <label className="row small" title={hint}><span className="soft nowrap">{label}</span><InputNumber<number> aria-label={`${name} ${label}`} value={numberOf(part[member])} controls={false} style={{ width: 88 }} onChange={(value) => onChange(withMember(part, member, value))} /></label>
  );
  return (
    <div className="value-card">
      <header>
        <span className="value-rank">{at + 1}</span>
        <Input aria-label={`${t.partName} ${at + 1}`} value={name} maxLength={100} style={{ width: 150 }} onChange={(event) => onChange({ ...part, name: event.target.value })} />
        <span className="small faint">{t.forms[form]}</span>
        {form === 'rule' ? number('points', t.points) : number('weight', t.weight, t.weightHint)}
        {form === 'measure' && number('max', t.partMax)}
        {form === 'event' && number('max_per_day', t.perDay)}
        {form === 'event' && <HalfLife part={part} onChange={onChange} />}
        <span className="grow" />
        <Button type="text" size="small" icon={<ArrowUpOutlined />} aria-label={`${t.up} ${name}`} disabled={at === 0} onClick={() => onMove(-1)} />
        <Button type="text" size="small" icon={<ArrowDownOutlined />} aria-label={`${t.down} ${name}`} disabled={at === count - 1} onClick={() => onMove(1)} />
        <Button type="text" size="small" danger icon={<DeleteOutlined />} aria-label={`${t.remove} ${name}`} onClick={onRemove} />
      </header>
      {form === 'rule' && isObject(part['rule']) && <RuleEditor value={part['rule']} onChange={(rule) => onChange({ ...part, rule })} panel="count" error={error} errorPrefix={`/parts/${at}/rule`} />}
      {form === 'measure' && isObject(part['measure']) && <RuleEditor value={part['measure']} onChange={(measure) => onChange({ ...part, measure })} panel="none" isMeasure error={error} errorPrefix={`/parts/${at}/measure`} />}
      {form === 'event' && (
        <div className="row wrap">
          <NamePicker label={`${name} ${t.event}`} value={textOf(part['event'])} options={vocabulary.events} onChange={(event) => onChange({ ...part, event })} />
          <span className="faint">{t.of}</span>
          <NamePicker
            label={`${name} ${t.of}`} value={textOf(part['of'])} onChange={(of) => onChange(withMember(part, 'of', of === '-' ? null : of))}
            options={[{ value: '-', label: t.ofNone, kind: 'number' }, ...vocabulary.propertiesOf([textOf(part['event'])]).filter((one) => one.kind === 'number' || one.kind === 'money')]}
          />
        </div>
      )}
    </div>
  );
}

function HalfLife({ part, onChange }: { part: JsonObject; onChange: (part: JsonObject) => void }) {
  const t = useText(tagTexts);
  const days = /^(\d+)d$/.exec(textOf(part['half_life']))?.[1];
  return (
    <label className="row small" title={t.halfLifeHint}>
      <span className="soft nowrap">{t.halfLife}</span>
      <InputNumber<number> aria-label={`${textOf(part['name'])} ${t.halfLife}`} value={days === undefined ? null : Number(days)} min={1} max={3660} precision={0} controls={false} placeholder={t.noDecay} suffix={t.days} style={{ width: 104 }} onChange={(value) => onChange(withMember(part, 'half_life', value === null ? null : `${value}d`))} />
    </label>
  );
}

/* 'Why 82': of the definition as it is saved. */
function WhyScore({ savedKey }: { savedKey: string | undefined }) {
  const t = useText(tagTexts);
  const a = useText(audienceTexts);
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  const { id, isNobody } = useFound(asked);
  const why = useQuery({ ...queries.whyMember('tags', savedKey ?? '', id ?? ''), enabled: savedKey !== undefined && id !== null });
  const said = why.data as { parts?: { name: string; points: number }[]; score?: number } | undefined;
  return (
    <Panel title={t.why(said?.score === undefined ? '82' : String(said.score))}>
      {savedKey === undefined ? <p className="faint">{t.whyDraft}</p> : (
        <>
          <form className="row" style={{ maxWidth: 460, marginBottom: 12 }} onSubmit={(event) => { event.preventDefault(); setAsked(typed.trim()); }}>
            <Input aria-label={a.explainHint} placeholder={a.explainHint} value={typed} onChange={(event) => setTyped(event.target.value)} allowClear />
            <Button htmlType="submit">{a.explain}</Button>
          </form>
          <p className="small faint">{isNobody ? a.noMembers : t.whyHint}</p>
          {said?.parts !== undefined && <ScoreParts parts={said.parts} score={said.score ?? 0} />}
        </>
      )}
    </Panel>
  );
}
