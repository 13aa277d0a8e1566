/* SPDX-License-Identifier: Apache-2.0 */
/* TrialEventForm: the event that starts a trial, its properties as fields by the tracking plan, or as JSON. What stands in the address is the JSON. */
import { CloseOutlined, PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { AutoComplete, Input, InputNumber, Segmented, Select } from 'antd';
import { useState } from 'react';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { propertyLabel } from '@/features/rules/vocabulary';
import { eventWord } from '@/lib/text';
import { words } from '@/lib/words';
import type { Definition } from './model';
import { eventOf } from './trial';
import { askedByTrigger, eventOfTrigger, freshValue, isNumeric, isTime, namesLeft, rowsOf, textOfEvent, withProperty, type EventRow, type PlanProperty } from './trialEvent';
import { trialTexts } from './trialTexts';

interface TrialEventFormProps {
  definition: Definition;
  text: string;
  onChange: (text: string) => void;
}

export function TrialEventForm({ definition, text, onChange }: TrialEventFormProps) {
  const t = useText(trialTexts).form;
  const event = eventOf(text);
  const [asJson, setAsJson] = useState(event === null);
  const isJson = asJson || event === null;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="row wrap">
        <strong className="small">{t.title}</strong><span className="small faint">{t.hint}</span>
        <Segmented<string> size="small" aria-label={t.way} value={isJson ? 'json' : 'form'} onChange={(way) => setAsJson(way === 'json')} options={[{ value: 'form', label: t.asForm, disabled: event === null }, { value: 'json', label: 'JSON' }]} style={{ marginLeft: 'auto' }} />
      </div>
      {isJson ? <JsonField text={text} isWrong={event === null} onChange={onChange} /> : <Fields definition={definition} event={event ?? {}} onChange={(next) => onChange(textOfEvent(next))} />}
    </div>
  );
}

function JsonField({ text, isWrong, onChange }: { text: string; isWrong: boolean; onChange: (text: string) => void }) {
  const t = useText(trialTexts);
  return (
    <div>
      <Input.TextArea className="mono" aria-label={t.event} placeholder={t.event} autoSize={{ minRows: 1, maxRows: 8 }} value={text} status={isWrong ? 'error' : ''} onChange={(change) => onChange(change.target.value)} />
      {isWrong && <p className="rule-problem" role="alert">{t.eventWrong}</p>}
    </div>
  );
}

interface FieldsProps {
  definition: Definition;
  event: Record<string, unknown>;
  onChange: (event: Record<string, unknown>) => void;
}

function Fields({ definition, event, onChange }: FieldsProps) {
  const t = useText(trialTexts).form;
  const common = useText(words);
  const language = useLanguage();
  const plan = useQuery({ ...queries.planEvents(), staleTime: 30_000, enabled: useMay('plan.see') });
  const started = eventOfTrigger(definition);
  const [chosen, setChosen] = useState('');
  const name = chosen === '' ? started : chosen;
  const properties: readonly PlanProperty[] = plan.data?.items.find((one) => one.name === name)?.properties ?? [];
  const rows = rowsOf(event, properties, name === started ? askedByTrigger(definition) : []);
  const names = [...new Set([...(started === '' ? [] : [started]), ...(plan.data?.items ?? []).map((one) => one.name)])];
  const add = (property: string): void => onChange(withProperty(event, property, freshValue(properties.find((one) => one.name === property)?.type ?? 'text')));
  return (
    <div className="row wrap" style={{ gap: 10, alignItems: 'flex-end' }}>
      <label className="trial-property"><span className="small soft">{t.event}</span>
        <Select aria-label={t.event} value={name === '' ? null : name} placeholder={t.choose} loading={plan.isLoading} onChange={setChosen} showSearch={{ optionFilterProp: 'label' }} options={names.map((value) => ({ value, label: `${eventWord(common.event, value)}${value === started ? ` · ${t.ofTrigger}` : ''}` }))} style={{ width: 220 }} />
      </label>
      {rows.map((row) => (
        <div key={`${name} ${row.name} ${row.type}`} className="trial-property">
          <span className="row small soft" style={{ gap: 4 }}><span className="cut" title={row.name}>{propertyLabel(row.name, language)}</span>{row.isNeeded && <span className="faint">{t.needed}</span>}{row.value !== undefined && <button type="button" className="link-button" aria-label={t.remove(row.name)} onClick={() => onChange(withProperty(event, row.name, undefined))}><CloseOutlined style={{ fontSize: 10 }} /></button>}</span>
          <Field row={row} onChange={(value) => onChange(withProperty(event, row.name, value))} />
        </div>
      ))}
      <Adding names={namesLeft(rows, properties)} onAdd={add} />
    </div>
  );
}

function Field({ row, onChange }: { row: EventRow; onChange: (value: unknown) => void }) {
  const t = useText(trialTexts).form;
  const common = useText(words);
  if (isNumeric(row.type)) return <InputNumber<number> aria-label={row.name} value={typeof row.value === 'number' ? row.value : null} {...(row.type === 'int' ? { precision: 0 } : {})} controls={false} style={{ width: 140 }} onChange={(value) => onChange(value ?? undefined)} />;
  if (row.type === 'bool') return <Select<string> aria-label={row.name} value={typeof row.value === 'boolean' ? String(row.value) : null} placeholder={t.unset} onChange={(value) => onChange(value === 'true')} options={[{ value: 'true', label: common.yes }, { value: 'false', label: common.no }]} style={{ width: 110 }} />;
  if (row.type === 'list' || row.type === 'object' || row.type === 'json') return <TypedField row={row} read={readJson} write={(value) => (value === undefined ? '' : JSON.stringify(value))} wrong={t.jsonWrong} onChange={onChange} />;
  if (row.type === 'time') return <TypedField row={row} read={(text) => (isTime(text) ? text : undefined)} write={(value) => (typeof value === 'string' ? value : '')} wrong={t.timeWrong} onChange={onChange} />;
  return <AutoComplete aria-label={row.name} value={typeof row.value === 'string' ? row.value : row.value === undefined ? '' : JSON.stringify(row.value)} onChange={(value: string) => onChange(value)} options={row.choices.map((value) => ({ value }))} style={{ width: 180 }} />;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/* Kept as it is typed, and told once it can be read. */
function TypedField({ row, read, write, wrong, onChange }: { row: EventRow; read: (text: string) => unknown; write: (value: unknown) => string; wrong: string; onChange: (value: unknown) => void }) {
  const [typed, setTyped] = useState(() => write(row.value));
  const isWrong = typed !== '' && read(typed) === undefined;
  return (
    <span>
      <Input className="mono" aria-label={row.name} value={typed} placeholder={wrong} status={isWrong ? 'error' : ''} style={{ width: 240 }} onChange={(change) => { setTyped(change.target.value); const value = read(change.target.value); if (value !== undefined) onChange(value); }} />
      {isWrong && <span className="rule-problem" role="alert" style={{ display: 'block' }}>{wrong}</span>}
    </span>
  );
}

/* One of the plan that has no row yet, or any name. */
function Adding({ names, onAdd }: { names: readonly string[]; onAdd: (name: string) => void }) {
  const t = useText(trialTexts).form;
  const language = useLanguage();
  const [typed, setTyped] = useState('');
  const options = [...names, ...(typed.trim() !== '' && !names.includes(typed.trim()) ? [typed.trim()] : [])].map((value) => ({ value, label: propertyLabel(value, language) }));
  return <Select<string> aria-label={t.add} value={null} placeholder={<><PlusOutlined /> {t.add}</>} options={options} popupMatchSelectWidth={220} style={{ width: 150 }} notFoundContent={t.typeName} showSearch={{ onSearch: setTyped, filterOption: (search, option) => option !== undefined && `${option.label} ${option.value}`.toLowerCase().includes(search.toLowerCase()) }} onSelect={(name) => { setTyped(''); onAdd(name); }} />;
}
