/* SPDX-License-Identifier: Apache-2.0 */
/* plan: an event of the tracking plan as it is edited, and what is sent when it is saved.
 *
 * Saving states the whole of what an operator says of the event. A type that was only learnt is not sent:
 * it goes on widening (int → decimal → text) with what comes in; one that an operator chose is fixed.
 */
import type { Schemas } from '@/api/client';

export type PlanEvent = Schemas['PlanEvent'];
export type PlanPut = Schemas['PlanEventPut'];
export type PlanStatus = NonNullable<PlanPut['status']>;

export const planStatuses: readonly PlanStatus[] = ['learnt', 'planned', 'blocked'];
export const planTypes = ['text', 'int', 'decimal', 'money', 'bool', 'time', 'list', 'object'] as const;

export interface PropertyDraft {
  name: string;
  /* what was seen so far */
  learnt: string;
  /* what an operator chose; '' leaves it to what comes in */
  type: string;
  required: boolean;
  values: string[];
}

export interface PlanDraft {
  status: PlanStatus;
  description: string;
  properties: PropertyDraft[];
}

function isFixed(property: Schemas['PlanProperty']): boolean {
  return 'fixed' in property && property.fixed === true;
}

export function draftOf(event: PlanEvent): PlanDraft {
  const status = planStatuses.find((one) => one === event.status) ?? 'learnt';
  return {
    status,
    description: event.description ?? '',
    properties: event.properties.map((property) => ({
      name: property.name,
      learnt: property.type,
      type: isFixed(property) ? property.type : '',
      required: property.required ?? false,
      values: (property.values ?? []).map(String),
    })),
  };
}

/* A value of the list, as JSON of the property's type: "1" of a number is 1. */
export function valueOf(text: string, type: string): string | number | boolean {
  if (type === 'int' || type === 'decimal' || type === 'money') {
    const number = Number(text);
    return text.trim() !== '' && Number.isFinite(number) ? number : text;
  }
  if (type === 'bool') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

export function putOf(draft: PlanDraft): PlanPut {
  return {
    status: draft.status,
    description: draft.description.trim(),
    properties: draft.properties.map((property) => ({
      name: property.name,
      ...(property.type === '' ? {} : { type: property.type }),
      required: property.required,
      values: property.values.map((value) => valueOf(value, property.type === '' ? property.learnt : property.type)),
    })),
  };
}

/* Why a new property name cannot be taken; null when it can. */
export function nameProblem(name: string, draft: PlanDraft): 'empty' | 'taken' | 'long' | null {
  if (name.trim() === '') return 'empty';
  if (new TextEncoder().encode(name).length > 200) return 'long';
  return draft.properties.some((property) => property.name === name.trim()) ? 'taken' : null;
}
