/* SPDX-License-Identifier: Apache-2.0 */
/* trialEvent: the properties of the event that starts a trial, as rows by the tracking plan, and back to the JSON that is sent. All pure. */
import type { Schemas } from '@/api/client';
import { isValue, textOf, type Definition, type Value } from './model';

export type PlanProperty = Pick<Schemas['PlanEvent']['properties'][number], 'name' | 'type' | 'required' | 'values'>;
export type TrialEvent = Record<string, unknown>;

export interface EventRow {
  name: string;
  /* as the plan has it; 'json' for what it does not know */
  type: string;
  isNeeded: boolean;
  choices: readonly string[];
  value: unknown;
}

/* The event that the trigger waits for; '' where something else starts the journey. */
export function eventOfTrigger(definition: Definition): string {
  return isValue(definition['trigger']) ? textOf(definition['trigger']['event']) : '';
}

/* Properties that the trigger asks about: without them nobody would enter. */
export function askedByTrigger(definition: Definition): string[] {
  const where = isValue(definition['trigger']) ? definition['trigger']['where'] : undefined;
  if (!Array.isArray(where)) return [];
  return [...new Set((where as Value[]).filter(isValue).map((one) => textOf(one['prop'])).filter((name) => name !== '' && !name.startsWith('$')))];
}

/* What has a row: what the plan needs, what the trigger asks about, what is filled in; in this order, each once. */
export function rowsOf(event: TrialEvent, plan: readonly PlanProperty[], asked: readonly string[]): EventRow[] {
  const needed = plan.filter((one) => one.required === true).map((one) => one.name);
  return [...new Set([...needed, ...asked, ...Object.keys(event)])].map((name) => {
    const known = plan.find((one) => one.name === name);
    const choices = known?.type === 'text' ? (known.values ?? []).map(String) : [];
    return { name, type: known?.type ?? jsonType(event[name]), isNeeded: needed.includes(name) || asked.includes(name), choices, value: event[name] };
  });
}

/* What the plan does not know is text until it is something else. */
const jsonType = (value: unknown): string => (value === undefined || typeof value === 'string' ? 'text' : 'json');

/* Those of the plan without a row yet. */
export const namesLeft = (rows: readonly EventRow[], plan: readonly PlanProperty[]): string[] => plan.map((one) => one.name).filter((name) => !rows.some((row) => row.name === name));

export function withProperty(event: TrialEvent, name: string, value: unknown): TrialEvent {
  if (value !== undefined) return { ...event, [name]: value };
  return Object.fromEntries(Object.entries(event).filter(([own]) => own !== name));
}

/* What a new row of this type begins with: so that it stays while it is empty. */
export const freshValue = (type: string): unknown => ({ int: 0, decimal: 0, money: 0, bool: true, list: [], object: {}, json: null })[type] ?? '';

/* As the address and the field of JSON hold it; nothing for no properties. */
export const textOfEvent = (event: TrialEvent): string => (Object.keys(event).length === 0 ? '' : JSON.stringify(event));

export const isNumeric = (type: string): boolean => type === 'int' || type === 'decimal' || type === 'money';

/* What is typed as a time: RFC 3339, with its zone. */
export const isTime = (text: string): boolean => /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text));
