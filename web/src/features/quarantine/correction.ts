/* SPDX-License-Identifier: Apache-2.0 */
/* correction: what a person changed of an event in quarantine, as the server wants to hear it. */

/* One property as it is and as it shall be. The value is JSON, or else text as typed. */
export interface PropertyEdit {
  name: string;
  newName: string;
  value: string;
  wasValue: string; /* '' for one that is added */
  remove: boolean;
}

export interface EventEdit {
  event: string;
  wasEvent: string;
  time: string;
  wasTime: string;
  properties: readonly PropertyEdit[];
}

export interface Correction {
  event?: string;
  time?: string;
  rename?: Record<string, string>;
  set?: Record<string, unknown>;
  remove?: string[];
}

/* What is typed: 12 is a number, true a truth value, "12" in quotes a text, and so is anything else. */
export function valueOf(typed: string): unknown {
  try {
    return JSON.parse(typed) as unknown;
  } catch {
    return typed;
  }
}

export function textOf(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  /* a text that would be read as something else keeps its quotes */
  return typeof valueOf(value) === 'string' && value.trim() === value && value !== '' && !value.startsWith('"') ? value : JSON.stringify(value);
}

export function editOf(type: string, time: string, props: Record<string, unknown>): EventEdit {
  return {
    event: type, wasEvent: type, time, wasTime: time,
    properties: Object.entries(props).map(([name, value]) => ({ name, newName: name, value: textOf(value), wasValue: textOf(value), remove: false })),
  };
}

/* null: nothing was changed. Properties that are sealed or masked cannot be seen, so they are sent only when they were
 * typed anew. */
export function correctionOf(edit: EventEdit): Correction | null {
  const correction: Correction = {};
  if (edit.event.trim() !== edit.wasEvent) correction.event = edit.event.trim();
  if (edit.time.trim() !== edit.wasTime) correction.time = edit.time.trim();
  for (const one of edit.properties) {
    const name = one.newName.trim();
    const isNew = one.name === '';
    if (one.remove) {
      if (!isNew) (correction.remove ??= []).push(one.name);
      continue;
    }
    if (name === '') continue;
    if (!isNew && name !== one.name) (correction.rename ??= {})[one.name] = name;
    if (isNew || one.value !== one.wasValue) (correction.set ??= {})[name] = valueOf(one.value);
  }
  return Object.keys(correction).length === 0 ? null : correction;
}
