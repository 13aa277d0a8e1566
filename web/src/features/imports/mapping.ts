/* SPDX-License-Identifier: Apache-2.0 */
/* mapping: the JSON that says what the columns of a file are, as rows that a person can edit and back again. What the rows do
 * not show (lines of orders, scripts, names of columns) stays in the JSON as it was.
 */
export type Json = Record<string, unknown>;
export interface Mapping extends Json { kind?: string }

export interface IdentifierRow { type: string; namespace: string; value: string }
export interface FieldRow { name: string; expression: string; more: Json }
export interface EventRow { event: string; when: string; time: string; more: Json }

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/* A text may be an expression alone or {expression, type, map …}. */
function fieldOf(name: string, value: unknown): FieldRow {
  if (!isObject(value)) return { name, expression: text(value), more: {} };
  const { expression, ...more } = value;
  return { name, expression: text(expression), more };
}

export function identifiersOf(mapping: Mapping): IdentifierRow[] {
  const list = Array.isArray(mapping['identifiers']) ? mapping['identifiers'] : [];
  return list.filter(isObject).map((one) => ({ type: text(one['type']), namespace: text(one['namespace']), value: text(one['value']) }));
}

export function withIdentifiers(mapping: Mapping, rows: readonly IdentifierRow[]): Mapping {
  const before = Array.isArray(mapping['identifiers']) ? mapping['identifiers'].filter(isObject) : [];
  return {
    ...mapping,
    identifiers: rows.map((row) => {
      const was = before.find((one) => one['type'] === row.type && text(one['namespace']) === row.namespace) ?? {};
      const { namespace: _, ...rest } = was;
      return { ...rest, type: row.type, ...(row.namespace === '' ? {} : { namespace: row.namespace }), value: row.value };
    }),
  };
}

export type FieldsKey = 'traits' | 'properties';

export function fieldsOf(mapping: Mapping, key: FieldsKey): FieldRow[] {
  const fields = mapping[key];
  return isObject(fields) ? Object.entries(fields).map(([name, value]) => fieldOf(name, value)) : [];
}

export function withFields(mapping: Mapping, key: FieldsKey, rows: readonly FieldRow[]): Mapping {
  const named = rows.filter((row) => row.name.trim() !== '');
  const fields = Object.fromEntries(named.map((row) => [row.name.trim(), Object.keys(row.more).length === 0 ? row.expression : { expression: row.expression, ...row.more }]));
  return { ...mapping, [key]: fields };
}

export function eventsOf(mapping: Mapping): EventRow[] {
  const list = Array.isArray(mapping['events']) ? mapping['events'] : [];
  return list.filter(isObject).map((one) => {
    const { event, when, time, ...more } = one;
    return { event: text(event), when: text(when), time: text(time), more };
  });
}

export function withEvents(mapping: Mapping, rows: readonly EventRow[]): Mapping {
  return {
    ...mapping,
    events: rows.map((row) => ({ event: row.event, ...(row.when.trim() === '' ? {} : { when: row.when }), time: row.time, ...row.more })),
  };
}

/* [card] stands for a column of the file, or for one that the mapping names: {"columns": {"card": …}}. */
export function columnNames(mapping: Mapping, columns: readonly string[]): string[] {
  const named = isObject(mapping['columns']) ? Object.keys(mapping['columns']) : [];
  return [...new Set([...named, ...columns])];
}

export function emptyMapping(kind: 'customers' | 'events' | 'objects'): Mapping {
  return { kind, zone: '+08:00', identifiers: [], ...(kind === 'events' ? { events: [{ event: '', time: '' }], properties: {} } : { traits: {} }) };
}
