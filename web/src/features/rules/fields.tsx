/* SPDX-License-Identifier: Apache-2.0 */
/* fields: what the rows of the editor are made of: choosing a name, a comparison, a value of a kind, a span, a time window. */
import { AutoComplete, Input, InputNumber, Select } from 'antd';
import { useMemo, useState } from 'react';
import { useText } from '@/app/preferences';
import { comparisonOf, operatorEntry, operatorsOf, type Kind } from './catalogue';
import { withComparison } from './draft';
import { isObject, type Json, type JsonObject } from './model';
import { spanWords } from './sentence';
import { useSuggestions, type Subject } from './suggestions';
import { ruleTexts } from './texts';
import { useVocabulary, type Named } from './vocabulary';
import { anchors, readAnniversary, readMoment, readSpan, readWindow, spanUnits, writeAnniversary, writeMoment, writeSpan, writeWindow, type Anniversary, type Span, type SpanUnit, type Window } from './window';

interface NamePickerProps {
  label: string;
  value: string;
  options: readonly Named[];
  onChange: (value: string) => void;
  width?: number;
  isWrong?: boolean;
}

/* One of many names: found by its word or by its code; a code that is not in the list can be used too. */
export function NamePicker({ label, value, options, onChange, width = 168, isWrong = false }: NamePickerProps) {
  const t = useText(ruleTexts);
  const [typed, setTyped] = useState('');
  const shown = useMemo(() => {
    const known = options.map((one) => ({ value: one.value, label: one.label, code: one.value }));
    const extra = [value, typed.trim()].filter((one) => one !== '' && !options.some((option) => option.value === one));
    return [...known, ...[...new Set(extra)].map((one) => ({ value: one, label: one === value ? one : t.custom(one), code: one }))];
  }, [options, value, typed, t]);
  return (
    <Select
      aria-label={label} value={value === '' ? null : value} placeholder={t.choose} options={shown} onChange={(next: string) => onChange(next)} popupMatchSelectWidth={280} style={{ minWidth: Math.min(width, 120), maxWidth: 260 }}
      status={isWrong ? 'error' : ''} listHeight={320} className="rule-field"
      showSearch={{ onSearch: setTyped, filterOption: (search, option) => option !== undefined && `${option.label} ${option.code}`.toLowerCase().includes(search.toLowerCase()) }}
      optionRender={(option) => <span className="row between"><span className="cut">{option.data.label}</span>{option.data.code !== option.data.label && <span className="mono faint cut">{option.data.code}</span>}</span>}
    />
  );
}

interface NamesPickerProps {
  label: string;
  value: readonly string[];
  options: readonly Named[];
  onChange: (value: string[]) => void;
  placeholder?: string;
}

export function NamesPicker({ label, value, options, onChange, placeholder }: NamesPickerProps) {
  const t = useText(ruleTexts);
  return (
    <Select
      mode="tags" aria-label={label} value={[...value]} placeholder={placeholder ?? t.choose} onChange={onChange} className="rule-field" style={{ minWidth: 150, maxWidth: 420 }} popupMatchSelectWidth={280}
      options={options.map((one) => ({ value: one.value, label: one.label, code: one.value }))} maxTagCount="responsive" tokenSeparators={[',', '，', '\n', '\t']}
      showSearch={{ filterOption: (search, option) => option !== undefined && `${option.label} ${option.code}`.toLowerCase().includes(search.toLowerCase()) }}
    />
  );
}

/* ---- comparison ---- */

interface ComparisonProps {
  body: JsonObject;
  kind: Kind;
  subject: Subject;
  onChange: (body: JsonObject) => void;
  /* what no comparison says: 'happened', 'is set'; '' where one is needed */
  without: string;
  /* the step of a sequence that the condition is in; earlier ones can be compared with */
  step?: number;
  name: string;
}

const stepOperators = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'];

export function Comparison({ body, kind, subject, onChange, without, step = 0, name }: ComparisonProps) {
  const t = useText(ruleTexts);
  const { catalogue, language } = useVocabulary();
  const operator = comparisonOf(catalogue, body);
  const options = operatorsOf(catalogue, kind).map((one) => ({ value: one.operator, label: one.label[language] }));
  const known = operator === null || options.some((one) => one.value === operator) ? options : [...options, { value: operator, label: operator }];
  const value = operator === null ? undefined : body[operator];
  const arity = operator === null ? 'true' : (operatorEntry(catalogue, operator)?.value ?? 'one');
  const put = (next: Json): void => {
    if (operator !== null) onChange({ ...body, [operator]: next });
  };
  return (
    <>
      <Select
        aria-label={`${name} · ${t.noComparison}`} value={operator ?? ''} className="rule-field" style={{ minWidth: 92 }} popupMatchSelectWidth={false}
        options={[...(without === '' ? [] : [{ value: '', label: without }]), ...known]}
        onChange={(next: string) => onChange(withComparison(catalogue, body, next === '' ? null : next, kind))}
      />
      {operator !== null && arity !== 'true' && (
        isObject(value) ? (
          <StepValue value={value} step={step} onChange={put} />
        ) : operator === 'anniversary' ? (
          <AnniversaryValue value={value} onChange={put} label={`${name} ${t.value}`} />
        ) : arity === 'list' ? (
          <ListValue value={Array.isArray(value) ? value : []} kind={kind} subject={subject} onChange={put} label={`${name} ${t.values}`} />
        ) : arity === 'two' ? (
          <TwoValues value={Array.isArray(value) ? value : []} kind={kind} subject={subject} onChange={put} name={name} />
        ) : (
          <OneValue value={value} kind={kind} subject={subject} onChange={put} label={`${name} ${t.value}`} />
        )
      )}
      {operator !== null && step > 0 && stepOperators.includes(operator) && (
        <button type="button" className="link-button small" onClick={() => put(isObject(value) ? '' : { step: 0, prop: String(body['prop'] ?? '') })}>
          {isObject(value) ? t.compareValue : t.compareStep}
        </button>
      )}
    </>
  );
}

function StepValue({ value, step, onChange }: { value: JsonObject; step: number; onChange: (value: Json) => void }) {
  const t = useText(ruleTexts);
  const { propertiesOf } = useVocabulary();
  return (
    <span className="row" style={{ gap: 6 }}>
      <Select
        aria-label={t.compareStep} value={Number(value['step'] ?? 0)} className="rule-field" onChange={(next: number) => onChange({ ...value, step: next })}
        options={[...new Set([0, Math.max(0, step - 1)])].map((at) => ({ value: at, label: t.stepCompare(at + 1) }))}
      />
      <NamePicker label={t.property} value={String(value['prop'] ?? '')} options={propertiesOf([])} onChange={(prop) => onChange({ ...value, prop })} />
    </span>
  );
}

interface ValueProps {
  value: Json | undefined;
  kind: Kind;
  subject: Subject;
  onChange: (value: Json) => void;
  label: string;
}

export function OneValue({ value, kind, subject, onChange, label }: ValueProps) {
  const t = useText(ruleTexts);
  if (kind === 'number' || kind === 'money') return <NumberValue value={value} isMoney={kind === 'money'} onChange={onChange} label={label} />;
  if (kind === 'bool') {
    return <Select aria-label={label} className="rule-field" value={value === true} onChange={(next: boolean) => onChange(next)} options={[{ value: true, label: t.yes }, { value: false, label: t.no }]} />;
  }
  if (kind === 'time') return <TimeValue value={typeof value === 'string' || typeof value === 'number' ? String(value) : ''} onChange={onChange} label={label} />;
  return <TextValue value={typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value)} subject={subject} onChange={onChange} label={label} />;
}

function NumberValue({ value, isMoney, onChange, label }: { value: Json | undefined; isMoney: boolean; onChange: (value: Json) => void; label: string }) {
  const number = typeof value === 'number' ? value : null;
  return (
    <InputNumber<number>
      aria-label={label} value={number === null ? null : isMoney ? number / 100 : number} controls={false} precision={isMoney ? 2 : undefined} prefix={isMoney ? '¥' : undefined} className="rule-field rule-number"
      onChange={(next) => onChange(next === null ? '' : isMoney ? Math.round(next * 100) : Math.round(next * 1e6) / 1e6)}
    />
  );
}

function TextValue({ value, subject, onChange, label }: { value: string; subject: Subject; onChange: (value: Json) => void; label: string }) {
  const [isOpen, setOpen] = useState(false);
  const { items: suggestions, isSearched } = useSuggestions(subject, isOpen, value);
  const t = useText(ruleTexts);
  return (
    <AutoComplete
      aria-label={label} value={value} className="rule-field" style={{ minWidth: 132 }} popupMatchSelectWidth={260} open={isOpen && suggestions.length > 0} onOpenChange={setOpen} onFocus={() => setOpen(true)} onBlur={() => setOpen(false)}
      options={suggestions.map((one) => ({ value: one.value, label: one.label === one.value ? one.value : <span className="row between"><span className="cut" title={one.label}>{one.label}</span><span className="mono faint">{one.value}</span></span> }))}
      onChange={(next: string) => onChange(next)} placeholder={t.value}
      showSearch={{ filterOption: (search, option) => isSearched || option === undefined || `${option.value} ${suggestions.find((one) => one.value === option.value)?.label ?? ''}`.toLowerCase().includes(search.toLowerCase()) }}
    />
  );
}

function ListValue({ value, kind, subject, onChange, label }: { value: readonly Json[]; kind: Kind; subject: Subject; onChange: (value: Json) => void; label: string }) {
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const { items: suggestions, isSearched } = useSuggestions(subject, isOpen, typed);
  const t = useText(ruleTexts);
  const isNumber = kind === 'number' || kind === 'money';
  const toText = (one: Json): string => (kind === 'money' && typeof one === 'number' ? String(one / 100) : String(one));
  const toJson = (one: string): Json | null => {
    if (!isNumber) return one;
    const number = Number(one.replaceAll(',', ''));
    if (!Number.isFinite(number)) return null;
    return kind === 'money' ? Math.round(number * 100) : number;
  };
  return (
    <Select
      mode="tags" aria-label={label} value={value.map(toText)} className="rule-field" style={{ minWidth: 160, maxWidth: 420 }} popupMatchSelectWidth={260} placeholder={t.values} maxTagCount={6} tokenSeparators={[',', '，', '、', '\n', '\t']}
      onOpenChange={setOpen} onChange={(next: string[]) => onChange(next.map(toJson).filter((one) => one !== null))}
      showSearch={{ onSearch: setTyped, ...(isSearched ? { filterOption: false } : {}) }}
      options={isNumber ? [] : suggestions.map((one) => ({ value: one.value, label: one.label === one.value ? one.label : `${one.label} ${one.value}` }))}
    />
  );
}

function TwoValues({ value, kind, subject, onChange, name }: { value: readonly Json[]; kind: Kind; subject: Subject; onChange: (value: Json) => void; name: string }) {
  const t = useText(ruleTexts);
  return (
    <span className="row wrap" style={{ gap: 6 }}>
      <OneValue value={value[0]} kind={kind} subject={subject} onChange={(first) => onChange([first, value[1] ?? first])} label={`${name} ${t.from}`} />
      <span className="faint">{t.to}</span>
      <OneValue value={value[1]} kind={kind} subject={subject} onChange={(second) => onChange([value[0] ?? second, second])} label={`${name} ${t.to}`} />
    </span>
  );
}

/* ---- times ---- */

export function SpanField({ span, onChange, label, units = spanUnits }: { span: Span; onChange: (span: Span) => void; label: string; units?: readonly SpanUnit[] }) {
  const { catalogue, language } = useVocabulary();
  return (
    <span className="row rule-span" style={{ gap: 4 }}>
      <InputNumber<number> aria-label={label} value={span.count} min={1} max={100_000} precision={0} controls={false} className="rule-field rule-count" onChange={(count) => onChange({ ...span, count: count ?? 1 })} />
      <Select
        aria-label={`${label} · ${catalogue.units.find((one) => one.name === span.unit)?.label[language] ?? span.unit}`} value={span.unit} className="rule-field" popupMatchSelectWidth={false} onChange={(unit: SpanUnit) => onChange({ ...span, unit })}
        options={units.map((unit) => ({ value: unit, label: catalogue.units.find((one) => one.name === unit)?.label[language] ?? unit }))}
      />
    </span>
  );
}

/* A fixed time as text ("2026-06-18", "2026-06-18 10:30:00"), or one that moves with now. */
function TimeValue({ value, onChange, label }: { value: string; onChange: (value: Json) => void; label: string }) {
  const t = useText(ruleTexts);
  const moment = readMoment(value);
  const anchorOptions = anchors.map((anchor) => ({ value: anchor as string, label: t.anchor[anchor] ?? anchor }));
  if (moment === null) {
    return (
      <span className="row" style={{ gap: 4 }}>
        <Input aria-label={label} value={value} placeholder="2026-06-18" className="rule-field mono" style={{ width: 132 }} onChange={(event) => onChange(event.target.value)} />
        <button type="button" className="link-button small nowrap" onClick={() => onChange('today-30d')}>{t.relative}</button>
      </span>
    );
  }
  const side = moment.span === null ? '' : moment.sign;
  return (
    <span className="row wrap" style={{ gap: 4 }}>
      <Select aria-label={label} value={moment.anchor} options={anchorOptions} className="rule-field" popupMatchSelectWidth={false} onChange={(anchor: string) => onChange(writeMoment({ ...moment, anchor }))} />
      <Select
        aria-label={`${label} ±`} value={side} className="rule-field" popupMatchSelectWidth={false}
        options={[{ value: '', label: t.anchor['now'] === undefined ? '' : '·' }, { value: '-', label: t.before }, { value: '+', label: t.after }]}
        onChange={(next: string) => onChange(writeMoment({ ...moment, sign: next === '+' ? '+' : '-', span: next === '' ? null : (moment.span ?? { count: 7, unit: 'd' }) }))}
      />
      {moment.span !== null && <SpanField span={moment.span} label={label} onChange={(span) => onChange(writeMoment({ ...moment, span }))} />}
      <button type="button" className="link-button small nowrap" onClick={() => onChange(new Date().toISOString().slice(0, 10))}>{t.fixed}</button>
    </span>
  );
}

function AnniversaryValue({ value, onChange, label }: { value: Json | undefined; onChange: (value: Json) => void; label: string }) {
  const t = useText(ruleTexts);
  const one = readAnniversary(value) ?? { form: 'today' as const };
  const forms = ['today', 'in', 'within', 'ago', 'this_week', 'this_month'] as const;
  const make = (form: (typeof forms)[number]): Anniversary => (form === 'in' || form === 'within' || form === 'ago' ? { form, days: 'days' in one ? one.days : 7 } : { form });
  return (
    <span className="row" style={{ gap: 4 }}>
      <Select aria-label={label} value={one.form} className="rule-field" popupMatchSelectWidth={false} onChange={(form: (typeof forms)[number]) => onChange(writeAnniversary(make(form)))} options={forms.map((form) => ({ value: form, label: t.anniversary[form] }))} />
      {'days' in one && <InputNumber<number> aria-label={`${label} ${t.days}`} value={one.days} min={1} max={366} precision={0} controls={false} className="rule-field rule-count" suffix={t.days} onChange={(days) => onChange(writeAnniversary({ ...one, days: days ?? 1 }))} />}
    </span>
  );
}

/* ---- window ---- */

const windowForms = ['always', 'last', 'ago', 'times'] as const;

export function WindowField({ body, onChange, label }: { body: JsonObject; onChange: (body: JsonObject) => void; label: string }) {
  const t = useText(ruleTexts);
  const { catalogue, language } = useVocabulary();
  const window = readWindow(body);
  const put = (next: Window): void => {
    const { last: _last, during: _during, ...rest } = body;
    onChange({ ...rest, ...writeWindow(next) });
  };
  const choose = (name: string): void => {
    if (name === 'always') put({ form: 'always' });
    else if (name === 'last') put({ form: 'last', span: window.form === 'ago' ? window.from : { count: 30, unit: 'd' } });
    else if (name === 'ago') put({ form: 'ago', from: window.form === 'last' ? { count: window.span.count * 2, unit: window.span.unit } : { count: 60, unit: 'd' }, to: window.form === 'last' ? window.span : { count: 30, unit: 'd' } });
    else if (name === 'times') put({ form: 'times', from: 'month_start-1M', to: 'month_start' });
    else put({ form: 'named', name });
  };
  const entries = catalogue.windows.map((one) => ({ value: one.name, label: one.label[language] }));
  const current = window.form === 'named' ? window.name : window.form;
  return (
    <span className="row wrap rule-window" style={{ gap: 4 }}>
      <Select
        aria-label={label} value={current} className="rule-field" popupMatchSelectWidth={false} listHeight={360} onChange={choose}
        options={[{ value: 'always', label: t.always }, ...entries, ...(window.form === 'other' ? [{ value: 'other', label: t.other }] : [])]}
        labelRender={(option) => (window.form === 'last' ? (language === 'zh' ? '近' : 'in the last') : window.form === 'ago' ? (language === 'zh' ? '在' : 'between') : window.form === 'times' ? (language === 'zh' ? '从' : 'from') : option.label)}
      />
      {window.form === 'last' && <SpanField span={window.span} label={label} onChange={(span) => put({ form: 'last', span })} />}
      {window.form === 'ago' && (
        <>
          <SpanField span={window.from} label={`${label} ${t.from}`} onChange={(from) => put({ ...window, from })} />
          <span className="faint">{language === 'zh' ? '前 至' : 'and'}</span>
          <SpanField span={window.to} label={`${label} ${t.to}`} onChange={(to) => put({ ...window, to })} />
          <span className="faint">{language === 'zh' ? '前' : 'ago'}</span>
        </>
      )}
      {window.form === 'times' && (
        <>
          <TimeValue value={window.from} label={`${label} ${t.from}`} onChange={(from) => put({ ...window, from: String(from) })} />
          <span className="faint">{t.to}</span>
          <TimeValue value={window.to} label={`${label} ${t.to}`} onChange={(to) => put({ ...window, to: String(to) })} />
        </>
      )}
    </span>
  );
}

export { windowForms };

/* 'within 1 day', for a sequence; none: no limit. */
export function WithinField({ value, onChange }: { value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const t = useText(ruleTexts);
  const span = readSpan(value);
  const { language } = useVocabulary();
  return (
    <span className="row" style={{ gap: 4 }}>
      <Select
        aria-label={t.within} value={span === null ? '' : 'span'} className="rule-field" popupMatchSelectWidth={false} onChange={(next: string) => onChange(next === '' ? undefined : '1d')}
        options={[{ value: '', label: t.noLimit }, { value: 'span', label: t.within }]}
      />
      {span !== null && <SpanField span={span} label={`${t.within} ${spanWords(span, language)}`} onChange={(next) => onChange(writeSpan(next))} />}
    </span>
  );
}
