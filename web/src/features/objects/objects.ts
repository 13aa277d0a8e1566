/* SPDX-License-Identifier: Apache-2.0 */
/* objects: what a kind of objects has, as it is described and edited; what leads from an object to people. All pure. */
import type { Schemas } from '@/api/client';
import type { Json, JsonObject } from '@/features/rules/model';

export type ObjectEntry = Schemas['Object'];
export type KindNames = Schemas['ObjectNames'];
type KindItem = Schemas['ObjectKindList']['items'][number];

export const fieldTypes = ['text', 'number', 'money', 'boolean', 'time', 'list', 'object'] as const;
export type FieldType = (typeof fieldTypes)[number];

export interface Field {
  name: string;
  /* what people call it; '' when nobody said */
  label: string;
  type: FieldType;
  description: string;
  /* the kind whose ids it has; '' for none */
  object: string;
  /* nobody described it, it only came */
  isSeen: boolean;
}

export interface Kind {
  kind: string;
  name: string;
  description: string;
  fields: readonly Field[];
  /* of all objects; null: this person is not told */
  count: number | null;
  isDescribed: boolean;
  changedAt: string | null;
  settings: JsonObject;
}

const record = (value: unknown): JsonObject => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {});

/* A text, or a text by language as imports bring it. */
export function textOf(value: unknown, language: string): string {
  if (typeof value === 'string') return value;
  const texts = record(value);
  const own = texts[language] ?? Object.values(texts)[0];
  return typeof own === 'string' ? own : '';
}

const seenTypes: Readonly<Record<string, FieldType>> = { text: 'text', number: 'number', money: 'money', bool: 'boolean', time: 'time', texts: 'list' };

function fieldsOf(settings: JsonObject, names: KindNames | undefined, language: string): Field[] {
  const described = Object.entries(record(settings['properties'])).map(([name, one]): Field => {
    const said = record(one);
    const seen = names?.properties.find((property) => property.name === name);
    return {
      name, label: textOf(said['name'], language), type: fieldTypes.find((type) => type === said['type']) ?? 'text', description: textOf(said['description'], language),
      object: textOf(said['object'], language) || (seen?.object ?? ''), isSeen: false,
    };
  });
  const others = (names?.properties ?? []).filter((seen) => seen.name !== 'id' && !described.some((one) => one.name === seen.name));
  return [...described, ...others.map((seen): Field => ({ name: seen.name, label: '', type: seenTypes[seen.type] ?? 'text', description: '', object: seen.object ?? '', isSeen: true }))];
}

/* All kinds: what was described, and what only came with objects. */
export function kindsOf(described: readonly KindItem[], names: readonly KindNames[], language: string): Kind[] {
  const all = [...new Set([...described.map((one) => one.kind), ...names.map((one) => one.kind)])].sort();
  return all.map((kind) => {
    const item = described.find((one) => one.kind === kind);
    const known = names.find((one) => one.kind === kind);
    const settings = record(item?.settings);
    return {
      kind, settings, name: textOf(settings['name'], language), description: textOf(settings['description'], language), fields: fieldsOf(settings, known, language),
      count: known?.count ?? null, isDescribed: item !== undefined, changedAt: item?.changed_at ?? null,
    };
  });
}

/* What an object is called: by its name, its title, or its id. */
export function titleOf(object: Pick<ObjectEntry, 'id' | 'props'>): string {
  for (const name of ['name', 'title', 'nickname']) {
    const value = record(object.props)[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return object.id;
}

/* ---- describing a kind ---- */

export interface KindDraft {
  name: string;
  description: string;
  fields: Field[];
}

export const draftOf = (kind: Kind): KindDraft => ({ name: kind.name, description: kind.description, fields: kind.fields.map((one) => ({ ...one })) });

/* What is sent: members that this editor does not know stay as they were. */
export function settingsOf(draft: KindDraft, before: JsonObject, language: string): JsonObject {
  const old = record(before['properties']);
  const said = (text: string, was: Json | undefined): Json | undefined => {
    if (typeof was === 'object' && was !== null && !Array.isArray(was)) return text === '' ? undefined : { ...was, [language]: text };
    return text === '' ? undefined : text;
  };
  const properties = draft.fields.filter((one) => !one.isSeen).map((one): [string, Json] => {
    const was = record(old[one.name]);
    const next: JsonObject = { ...was, type: one.type };
    for (const [member, value] of [['name', said(one.label.trim(), was['name'])], ['description', said(one.description.trim(), was['description'])], ['object', one.object === '' ? undefined : one.object]] as const) {
      if (value === undefined) delete next[member];
      else next[member] = value;
    }
    return [one.name, next];
  });
  const settings: JsonObject = { ...before, properties: Object.fromEntries(properties) };
  for (const [member, value] of [['name', said(draft.name.trim(), before['name'])], ['description', said(draft.description.trim(), before['description'])]] as const) {
    if (value === undefined) delete settings[member];
    else settings[member] = value;
  }
  return settings;
}

export type NameProblem = 'empty' | 'taken' | 'long' | 'form';

/* Why a kind cannot be called so; null when it can. It stands in addresses and rules. */
export function kindProblem(kind: string, taken: readonly string[]): NameProblem | null {
  if (kind === '') return 'empty';
  if (!/^[a-z][a-z0-9_]*$/.test(kind)) return 'form';
  if (kind.length > 40) return 'long';
  return taken.includes(kind) ? 'taken' : null;
}

export function fieldProblem(name: string, fields: readonly Field[]): NameProblem | null {
  const text = name.trim();
  if (text === '') return 'empty';
  if (new TextEncoder().encode(text).length > 200) return 'long';
  return text === 'id' || fields.some((one) => one.name === text && !one.isSeen) ? 'taken' : null;
}

/* ---- an object as it is edited: every value as text ---- */

export type ValueDraft = Readonly<Record<string, string>>;

export function valueText(value: Json | undefined, type: FieldType): string {
  if (value === undefined || value === null) return '';
  if (type === 'money' && typeof value === 'number') return (value / 100).toFixed(2);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/* undefined: it is left out; null: the text is no value of this type. */
export function valueOf(text: string, type: FieldType): Json | undefined {
  const typed = text.trim();
  if (typed === '') return undefined;
  if (type === 'number' || type === 'money') {
    const number = Number(typed.replaceAll(/[,，¥￥]/g, ''));
    if (!Number.isFinite(number)) return null;
    return type === 'money' ? Math.round(number * 100) : number;
  }
  if (type === 'boolean') return typed === 'true' ? true : typed === 'false' ? false : null;
  if (type === 'list') return typed.split(/[,，、\n]/).map((one) => one.trim()).filter((one) => one !== '');
  if (type === 'object') {
    try {
      return JSON.parse(typed) as Json;
    } catch {
      return null;
    }
  }
  return typed;
}

/* The properties with the changes in them; names of fields whose text is no value. */
export function propsOf(draft: ValueDraft, fields: readonly Field[], before: JsonObject): { props: JsonObject; wrong: string[] } {
  const props: JsonObject = { ...before };
  const wrong: string[] = [];
  for (const field of fields) {
    const text = draft[field.name];
    if (text === undefined || text === valueText(before[field.name], field.type)) continue;
    const value = valueOf(text, field.type);
    if (value === null) wrong.push(field.name);
    else if (value === undefined) delete props[field.name];
    else props[field.name] = value;
  }
  return { props, wrong };
}

/* ---- people ---- */

export interface Way {
  /* property of events or trait of customers that has the id */
  via: string;
  form: 'event' | 'trait';
  /* events with this property: one, or how many */
  events: readonly string[];
  rule: JsonObject;
}

/* How people come to this object: by what they did (a rule for each property, whatever the event), and by what is known of them. */
export function waysTo(names: KindNames | undefined, id: string): Way[] {
  if (names === undefined) return [];
  const vias = [...new Set(names.events.map((one) => one.via))];
  return [
    ...names.traits.map((via): Way => ({ via, form: 'trait', events: [], rule: { trait: via, eq: id } })),
    ...vias.map((via): Way => {
      const events = names.events.filter((one) => one.via === via).map((one) => one.event);
      const has: JsonObject = via.includes('.') ? { prop: via, in: [id] } : { prop: via, eq: id };
      return { via, form: 'event', events, rule: { event: events.length === 1 ? (events[0] ?? '*') : '*', where: [has] } };
    }),
  ];
}

/* Kinds of which an object may lead to one of this kind. */
export function pointers(kinds: readonly Kind[], to: string): { kind: Kind; field: Field }[] {
  return kinds.flatMap((kind) => kind.fields.filter((field) => field.object === to).map((field) => ({ kind, field })));
}

export function pointsAt(object: ObjectEntry, field: Field, id: string): boolean {
  const value = record(object.props)[field.name];
  return Array.isArray(value) ? value.includes(id) : value === id;
}
