/* SPDX-License-Identifier: Apache-2.0 */
/* MemberForm: fields for the members that are needed or set, by the type that the catalogue names; the others are added from a list.
 * What is made of parts (cases, arms, goals, exits, entry) is a form within; rules have the editor of rules; anything nested that has no
 * form is its JSON.
 */
import { DeleteOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { AutoComplete, Button, Checkbox, Input, InputNumber, Select } from 'antd';
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { touchQueries } from '@/features/touches/model';
import { wordFor } from '@/lib/text';
import { useChannelName, useEventName } from '@/ui/Marks';
import { choicesOf, choiceTexts, nameWithoutChoices } from './choices';
import { MatchesField, RuleField } from './RuleField';
import { isValue, journeyQueries, kindOf, partOf, sayDuration, textOf, type Definition, type JourneyCatalogue, type Member, type Value } from './model';
import { journeyTexts } from './texts';

interface Surroundings {
  definition: Definition;
  catalogue: JourneyCatalogue;
  disabled: boolean;
  /* the node that is edited: it does not lead to itself */
  self?: string;
  /* the event that conditions beside it are about */
  event?: string;
}

interface FormProps extends Surroundings {
  /* the part of the catalogue that it is the form of; '' for a node */
  part?: string;
  members: readonly Member[];
  value: Value;
  onChange: (value: Value) => void;
}

function withMember(value: Value, name: string, next: unknown): Value {
  if (next !== undefined) return { ...value, [name]: next };
  return Object.fromEntries(Object.entries(value).filter(([one]) => one !== name));
}

/* What a case can go by instead of a rule. */
const others = ['segment', 'value', 'touch'];

export function MemberForm({ members, value, onChange, part = '', ...rest }: FormProps) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const choices = useText(choiceTexts);
  const [added, setAdded] = useState<readonly string[]>([]);
  const isShown = (member: Member): boolean => member.needed || Object.hasOwn(value, member.name) || added.includes(member.name) || member.name === 'next' || (member.type === 'rule' && part === 'case' && !others.some((name) => Object.hasOwn(value, name)));
  const shown = members.filter((member) => member.name !== 'type' && isShown(member));
  const hidden = members.filter((member) => member.name !== 'type' && !isShown(member));
  return (
    <div className="member-form">
      {shown.map((member) => <Field key={member.name} member={member} value={value[member.name]} onChange={(next) => onChange(withMember(value, member.name, next))} {...rest} event={textOf(value['event'])} />)}
      {hidden.length > 0 && !rest.disabled && (
        <Select
          size="small" value={null} placeholder={t.addMember} aria-label={t.addMember} showSearch={{ optionFilterProp: 'label' }} onChange={(name: string | null) => name !== null && setAdded([...added, name])}
          options={hidden.map((member) => ({ value: member.name, label: choicesOf(member) === null ? member.text[language] : (choices.names[member.name] ?? nameWithoutChoices(member.text[language])) }))}
        />
      )}
    </div>
  );
}

interface FieldProps extends Surroundings {
  member: Member;
  value: unknown;
  onChange: (value: unknown) => void;
}

function Field(props: FieldProps) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const id = useId();
  const { member, value, onChange, disabled } = props;
  const choices = useText(choiceTexts);
  const label = choicesOf(member) === null ? member.text[language] : (choices.names[member.name] ?? nameWithoutChoices(member.text[language]));
  const isUnset = value === undefined || value === null;
  return (
    <div className="member" role="group" aria-labelledby={id}>
      <div className="member-name">
        <span id={id} className="grow">{label}{member.needed && isUnset && <span className="faint"> · {t.needed}</span>}</span>
        {!member.needed && !isUnset && !disabled && member.type !== 'node' && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={`${t.unset}: ${label}`} title={t.unset} onClick={() => onChange(undefined)} />}
      </div>
      <Control {...props} label={label} />
    </div>
  );
}

function Control(props: FieldProps & { label: string }): ReactNode {
  const t = useText(journeyTexts);
  const { member, value, onChange, disabled, label } = props;
  const part = partOf(member.name, member.type);
  if (part !== '') return member.type === 'list' ? <Parts {...props} part={part} /> : <Part {...props} part={part} value={isValue(value) ? value : {}} onChange={onChange} />;
  switch (member.type) {
    case 'node': return <NodeField {...props} />;
    case 'bool': return <Checkbox aria-label={label} disabled={disabled} checked={value === true} onChange={(event) => onChange(event.target.checked)}>{value === true ? t.yes : t.no}</Checkbox>;
    case 'number': case 'percent': return <InputNumber aria-label={label} disabled={disabled} value={typeof value === 'number' ? value : null} style={{ width: '100%' }} suffix={member.type === 'percent' ? '%' : undefined} onChange={(next) => onChange(next ?? undefined)} />;
    case 'duration': return <><TextField {...props} hint={t.durationHint} />{textOf(value) !== '' && sayDuration(textOf(value), t.units) !== textOf(value) && <span className="small faint">{sayDuration(textOf(value), t.units)}</span>}</>;
    case 'time': return <TextField {...props} hint={t.timeHint} />;
    case 'text': if (choicesOf(member) !== null) return <ChoiceField {...props} />; return <TextField {...props} hint="" />;
    case 'path': case 'rrule': return <TextField {...props} hint="" />;
    case 'event': case 'segment': case 'tag': case 'trait': case 'journey': case 'template': case 'channel': case 'account': case 'goal': return <NameField {...props} />;
    case 'rule': return <RuleField label={label} value={value} disabled={disabled} onChange={onChange} />;
    case 'matches': return <MatchesField label={label} value={value} disabled={disabled} onChange={onChange} event={props.event ?? ''} />;
    default: return <JsonField {...props} />;
  }
}

function ChoiceField({ member, value, onChange, disabled, label }: FieldProps & { label: string }) {
  const t = useText(choiceTexts);
  const known = choicesOf(member) ?? [];
  const own = textOf(value);
  const codes = own === '' || known.includes(own) ? known : [...known, own];
  return (
    <Select<string>
      aria-label={label} disabled={disabled} allowClear={!member.needed} placeholder={t.standard} value={own === '' ? null : own}
      options={codes.map((code) => ({ value: code, label: wordFor(t.words[member.name] ?? {}, code) }))} onChange={(next: string | undefined) => onChange(next)}
    />
  );
}

function TextField({ value, onChange, disabled, label, hint }: FieldProps & { label: string; hint: string }) {
  return <Input aria-label={label} disabled={disabled} value={textOf(value)} placeholder={hint} onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)} />;
}

function NodeField({ member, value, onChange, disabled, label, definition, catalogue, self }: FieldProps & { label: string }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const name = (id: string): string => {
    const node = definition.nodes[id] ?? {};
    return `${textOf(node['name']) || (kindOf(catalogue, textOf(node['type']))?.text[language] ?? '')} · ${id}`;
  };
  const options = Object.keys(definition.nodes).filter((id) => id !== self).map((id) => ({ value: id, label: name(id) }));
  return <Select aria-label={label} disabled={disabled} allowClear={!member.needed} placeholder={t.ends} value={textOf(value) === '' ? null : textOf(value)} showSearch={{ optionFilterProp: 'label' }} options={options} onChange={(next: string | null | undefined) => onChange(next ?? undefined)} />;
}

/* A name of something that exists, chosen from what there is; another may be typed, the server says whether it can be. */
function NameField({ member, value, onChange, disabled, label, definition }: FieldProps & { label: string }) {
  const t = useText(journeyTexts);
  const options = useNames(member.type, definition);
  const own = options.find((one) => one.value === textOf(value));
  const way = placeOf[member.type];
  return (
    <>
      <AutoComplete
        aria-label={label} disabled={disabled} value={textOf(value)} options={options} onChange={(next: string) => onChange(next === '' || next === undefined ? undefined : next)}
        showSearch={{ filterOption: (typed, option) => `${option?.value ?? ''} ${option?.label ?? ''}`.toLowerCase().includes(typed.toLowerCase()) }}
      />
      {own !== undefined && (own.name !== '' || way !== undefined) && (
        <span className="small faint row" style={{ gap: 8 }}><span className="cut" title={own.name}>{own.name}</span>{way !== undefined && <Link to={way(own.value)} className="nowrap" aria-label={`${t.openIt} ${own.name || own.value}`}>{t.openIt}</Link>}</span>
      )}
    </>
  );
}

/* Where a thing that a step names is looked at and changed; the draft stays as it is meanwhile. */
const placeOf: Readonly<Record<string, (key: string) => string>> = {
  template: (key) => `/templates/${encodeURIComponent(key)}`, segment: (key) => `/segments/${encodeURIComponent(key)}`, tag: (key) => `/tags/${encodeURIComponent(key)}`, journey: (key) => `/journeys/${encodeURIComponent(key)}`,
  account: (key) => `/touches?tab=accounts&account=${encodeURIComponent(key)}`,
};

interface Named {
  value: string;
  label: string;
  /* '' where it has none but its key */
  name: string;
}

function useNames(type: string, definition: Definition): Named[] {
  const eventName = useEventName();
  const channelName = useChannelName();
  const accounts = useQuery({ ...touchQueries.accounts(), enabled: type === 'channel' || type === 'account', retry: false });
  const segments = useQuery({ ...queries.definitions('segments'), enabled: type === 'segment' });
  const tags = useQuery({ ...queries.definitions('tags'), enabled: type === 'tag' });
  const events = useQuery({ ...queries.planEvents(), enabled: type === 'event' });
  const traits = useQuery({ ...queries.traitTypes(), enabled: type === 'trait' });
  const templates = useQuery({ ...journeyQueries.templates(), enabled: type === 'template' });
  const journeys = useQuery({ ...journeyQueries.list(), enabled: type === 'journey' });
  const goals = Array.isArray(definition['goals']) ? definition['goals'].filter(isValue) : [];
  const named = (key: string, name: string): Named => ({ value: key, label: name === '' || name === key ? key : `${name} · ${key}`, name: name === key ? '' : name });
  switch (type) {
    case 'segment': return segments.data?.items.map((one) => named(one.key, one.name)) ?? [];
    case 'tag': return tags.data?.items.map((one) => named(one.key, one.name)) ?? [];
    case 'event': return events.data?.items.map((one) => named(one.name, eventName(one.name))) ?? [];
    case 'trait': return traits.data?.items.map((one) => named(one.name, '')) ?? [];
    case 'template': return templates.data?.items.map((one) => named(one.key, textOf((one.body as Value)['name']))) ?? [];
    case 'journey': return journeys.data?.items.map((one) => named(one.key, one.name)) ?? [];
    case 'account': return accounts.data?.items.map((one) => named(one.key, channelName(one.channel))) ?? [];
    case 'channel': return [...new Set(accounts.data?.items.map((one) => one.channel))].map((one) => named(one, channelName(one)));
    case 'goal': return goals.map((one) => named(textOf(one['key']), textOf(one['name'])));
    default: return [];
  }
}

interface PartsProps extends FieldProps {
  part: string;
  label: string;
}

function Part({ part, value, onChange, label: _, member: __, ...rest }: Omit<PartsProps, 'value'> & { value: Value }) {
  return <div className="member-part"><MemberForm part={part} members={rest.catalogue.parts[part]?.members ?? []} value={value} onChange={onChange} {...rest} /></div>;
}

function Parts({ value, onChange, ...rest }: PartsProps) {
  const t = useText(journeyTexts);
  const items = Array.isArray(value) ? value.map((one: unknown) => (isValue(one) ? one : {})) : [];
  return (
    <>
      {items.map((item, at) => (
        <div key={at} role="group" aria-label={`${rest.label} ${at + 1}`}>
          <div className="row between"><span className="small faint">{at + 1}</span>{!rest.disabled && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={`${rest.label}: ${t.removeItem(at + 1)}`} onClick={() => onChange(items.filter((_, other) => other !== at))} />}</div>
          <Part {...rest} value={item} onChange={(next) => onChange(items.map((one, other) => (other === at ? next : one)))} />
        </div>
      ))}
      {!rest.disabled && <Button size="small" aria-label={`${rest.label}: ${t.addItem}`} onClick={() => onChange([...items, {}])}>{t.addItem}</Button>}
    </>
  );
}

function JsonField({ value, onChange, disabled, label }: FieldProps & { label: string }) {
  const t = useText(journeyTexts);
  const written = value === undefined ? '' : JSON.stringify(value, null, 1);
  const [text, setText] = useState(written);
  const [wrong, setWrong] = useState('');
  const typed = useRef(written);
  useEffect(() => {
    if (written === typed.current) return;
    typed.current = written;
    setText(written);
    setWrong('');
  }, [written]);
  const change = (next: string): void => {
    setText(next);
    try {
      const parsed: unknown = next.trim() === '' ? undefined : JSON.parse(next);
      typed.current = parsed === undefined ? '' : JSON.stringify(parsed, null, 1);
      setWrong('');
      onChange(parsed);
    } catch (error) {
      setWrong(t.jsonWrong(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <>
      <Input.TextArea className="mono" aria-label={`${label} (${t.asJson})`} disabled={disabled} value={text} status={wrong === '' ? '' : 'error'} spellCheck={false} autoSize={{ minRows: 1, maxRows: 12 }} placeholder="JSON" onChange={(event) => change(event.target.value)} />
      {wrong !== '' && <span className="small" role="alert" style={{ color: 'var(--bad)' }}>{wrong}</span>}
    </>
  );
}
