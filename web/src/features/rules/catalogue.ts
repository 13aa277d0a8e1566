/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue: the language of rules as the server serves it. The editor is built from it: which conditions may stand
 * where, which parts each has, which comparisons fit a kind of value.
 */
import type { Language } from '@/lib/text';

export const kinds = ['text', 'number', 'money', 'time', 'bool', 'texts'] as const;
export type Kind = (typeof kinds)[number];
export type Place = 'customer' | 'event' | 'object';
export type Arity = 'true' | 'one' | 'two' | 'list';

export type Label = Record<Language, string>;

export interface FormEntry {
  form: string;
  label: Label;
  members: readonly string[];
  of: readonly Place[];
}

export interface OperatorEntry {
  operator: string;
  label: Label;
  value: Arity;
  kinds: readonly Kind[];
}

export interface MeasureEntry {
  measure: string;
  label: Label;
  of: 'none' | 'required' | 'optional';
  kinds: readonly Kind[];
}

export interface NamedEntry {
  name: string;
  label: Label;
}

export interface RuleCatalogue {
  forms: readonly FormEntry[];
  operators: readonly OperatorEntry[];
  measures: readonly MeasureEntry[];
  windows: readonly NamedEntry[];
  units: readonly NamedEntry[];
  limits: Readonly<Record<string, number>>;
  objects: readonly ObjectEntry[];
}

/* A kind of objects: what it has, what is said of it, and what leads to it. */
export interface ObjectEntry {
  kind: string;
  name: string;
  properties: readonly { name: string; kind: Kind; object: string }[];
  tags: readonly { key: string; name: string; kind: Kind; values: readonly string[] }[];
  /* properties of events that have its id */
  vias: readonly { event: string; via: string }[];
  traits: readonly string[];
}

type Raw = Record<string, unknown>;

function list(value: unknown): Raw[] {
  return Array.isArray(value) ? value.filter((one): one is Raw => typeof one === 'object' && one !== null) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function labelOf(entry: Raw, otherwise: string): Label {
  const label = entry['label'] as Partial<Label> | undefined;
  return { zh: label?.zh ?? otherwise, en: label?.en ?? otherwise };
}

function named(value: unknown, member: string): NamedEntry[] {
  return list(value).map((entry) => ({ name: String(entry[member]), label: labelOf(entry, String(entry[member])) }));
}

function readObject(entry: Raw): ObjectEntry {
  return {
    kind: String(entry['kind']), name: typeof entry['name'] === 'string' ? entry['name'] : '',
    properties: list(entry['properties']).map((one) => ({ name: String(one['name']), kind: kindOfType(String(one['type'])), object: typeof one['object'] === 'string' ? one['object'] : '' })),
    tags: list(entry['tags']).map((one) => ({ key: String(one['key']), name: String(one['name'] ?? ''), kind: kindOfType(String(one['type'])), values: texts(one['values']) })),
    vias: list(entry['events']).map((one) => ({ event: String(one['event']), via: String(one['via']) })),
    traits: texts(entry['traits']),
  };
}

/* What the server said, in types. A member that a later server adds is passed over. */
export function readCatalogue(said: unknown): RuleCatalogue {
  const root = (typeof said === 'object' && said !== null ? said : {}) as Raw;
  return {
    forms: list(root['forms']).map((entry) => ({
      form: String(entry['form']), label: labelOf(entry, String(entry['form'])), members: texts(entry['members']), of: texts(entry['of']) as Place[],
    })),
    operators: list(root['operators']).map((entry) => ({
      operator: String(entry['operator']), label: labelOf(entry, String(entry['operator'])), value: entry['value'] as Arity, kinds: texts(entry['kinds']) as Kind[],
    })),
    measures: list(root['measures']).map((entry) => ({
      measure: String(entry['measure']), label: labelOf(entry, String(entry['measure'])), of: entry['of'] as MeasureEntry['of'], kinds: texts(entry['kinds']) as Kind[],
    })),
    windows: named(root['windows'], 'window'),
    units: named(root['units'], 'unit'),
    limits: (root['limits'] ?? {}) as Record<string, number>,
    objects: list(root['objects']).map(readObject),
  };
}

export function formEntry(catalogue: RuleCatalogue, form: string): FormEntry | undefined {
  return catalogue.forms.find((one) => one.form === form);
}

/* Conditions that may stand in this place, groups left out. */
export function conditionsOf(catalogue: RuleCatalogue, place: Place): FormEntry[] {
  return catalogue.forms.filter((one) => one.of.includes(place) && !['all', 'any', 'not'].includes(one.form));
}

export function operatorsOf(catalogue: RuleCatalogue, kind: Kind): OperatorEntry[] {
  return catalogue.operators.filter((one) => one.kinds.includes(kind));
}

export function operatorEntry(catalogue: RuleCatalogue, operator: string): OperatorEntry | undefined {
  return catalogue.operators.find((one) => one.operator === operator);
}

/* The comparison of a condition: which of its members is an operator. */
export function comparisonOf(catalogue: RuleCatalogue, body: Readonly<Record<string, unknown>>): string | null {
  return catalogue.operators.find((one) => Object.hasOwn(body, one.operator))?.operator ?? null;
}

/* What a measure gives: the kind that its comparison has. */
export function measuredKind(catalogue: RuleCatalogue, measure: string, ofKind: Kind | null): Kind {
  if (['count', 'distinct', 'days', 'recency'].includes(measure)) return 'number';
  const entry = catalogue.measures.find((one) => one.measure === measure);
  if (entry?.of === 'optional') return ofKind ?? 'time';
  return ofKind ?? 'number';
}

const planKinds: Readonly<Record<string, Kind>> = {
  text: 'text', string: 'text', int: 'number', integer: 'number', decimal: 'number', number: 'number', money: 'money', time: 'time', bool: 'bool',
  boolean: 'bool', list: 'texts', texts: 'texts',
};

/* The kind of a trait or property by its type in the plan. */
export function kindOfType(type: string): Kind {
  return planKinds[type] ?? 'text';
}
