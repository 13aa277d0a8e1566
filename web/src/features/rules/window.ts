/* SPDX-License-Identifier: Apache-2.0 */
/* window: the time in which events count, between its JSON (`last`, `during`) and what a person chooses; and moments. */
import type { JsonObject, Json } from './model';
import { isObject } from './model';

export const spanUnits = ['m', 'h', 'd', 'w', 'M', 'y'] as const;
export type SpanUnit = (typeof spanUnits)[number];

export interface Span {
  count: number;
  unit: SpanUnit;
}

export function readSpan(text: unknown): Span | null {
  const match = typeof text === 'string' ? /^(\d{1,6})([mhdwMy])$/.exec(text) : null;
  return match === null ? null : { count: Number(match[1]), unit: match[2] as SpanUnit };
}

export function writeSpan(span: Span): string {
  return `${span.count}${span.unit}`;
}

export type Window =
  | { form: 'always' }
  | { form: 'last'; span: Span }
  | { form: 'ago'; from: Span; to: Span }
  | { form: 'times'; from: string; to: string } /* '' : left out */
  | { form: 'named'; name: string }
  | { form: 'other'; last?: Json; during?: Json };

export function readWindow(body: Readonly<JsonObject>): Window {
  const last = body['last'];
  const during = body['during'];
  if (last === undefined && during === undefined) return { form: 'always' };
  const other: Window = { form: 'other', ...(last === undefined ? {} : { last }), ...(during === undefined ? {} : { during }) };
  if (last !== undefined) {
    const span = readSpan(last);
    return span === null || during !== undefined ? other : { form: 'last', span };
  }
  if (typeof during === 'string') return { form: 'named', name: during };
  if (!isObject(during) || Object.keys(during).some((member) => member !== 'from' && member !== 'to')) return other;
  const { from, to } = during;
  if ((from !== undefined && typeof from !== 'string') || (to !== undefined && typeof to !== 'string')) return other;
  const [fromSpan, toSpan] = [readSpan(from), readSpan(to)];
  if (fromSpan !== null && toSpan !== null) return { form: 'ago', from: fromSpan, to: toSpan };
  return { form: 'times', from: from ?? '', to: to ?? '' };
}

/* The members of the condition that say this window. */
export function writeWindow(window: Window): JsonObject {
  switch (window.form) {
    case 'always': return {};
    case 'last': return { last: writeSpan(window.span) };
    case 'ago': return { during: { from: writeSpan(window.from), to: writeSpan(window.to) } };
    case 'times': return { during: { ...(window.from === '' ? {} : { from: window.from }), ...(window.to === '' ? {} : { to: window.to }) } };
    case 'named': return { during: window.name };
    case 'other': return { ...(window.last === undefined ? {} : { last: window.last }), ...(window.during === undefined ? {} : { during: window.during }) };
  }
}

/* ---- moments relative to now: an anchor and terms ---- */

export const anchors = ['now', 'today', 'tomorrow', 'yesterday', 'week_start', 'month_start', 'quarter_start', 'year_start'] as const;

export interface Moment {
  anchor: string;
  sign: '+' | '-';
  span: Span | null;
}

/* 'now-18y'; null for a fixed time, or with more than one term (which is then edited as text). */
export function readMoment(text: string): Moment | null {
  const match = /^([a-z_]+)(?:([+-])(\d{1,6}[mhdwMy]))?$/.exec(text);
  if (match === null || !(anchors as readonly string[]).includes(match[1] ?? '')) return null;
  return { anchor: match[1] ?? 'now', sign: match[2] === '+' ? '+' : '-', span: readSpan(match[3]) };
}

export function writeMoment(moment: Moment): string {
  return `${moment.anchor}${moment.span === null ? '' : `${moment.sign}${writeSpan(moment.span)}`}`;
}

/* ---- anniversaries ---- */

export type Anniversary = { form: 'today' } | { form: 'this_week' } | { form: 'this_month' } | { form: 'in'; days: number } | { form: 'within'; days: number } | { form: 'ago'; days: number };

export function readAnniversary(text: unknown): Anniversary | null {
  if (text === 'today' || text === 'this_week' || text === 'this_month') return { form: text } as Anniversary;
  if (typeof text !== 'string') return null;
  const ahead = /^(in|within) (\d{1,3})d$/.exec(text);
  if (ahead !== null) return { form: ahead[1], days: Number(ahead[2]) } as Anniversary;
  const back = /^(\d{1,3})d ago$/.exec(text);
  return back === null ? null : { form: 'ago', days: Number(back[1]) };
}

export function writeAnniversary(one: Anniversary): string {
  if (one.form === 'in' || one.form === 'within') return `${one.form} ${one.days}d`;
  if (one.form === 'ago') return `${one.days}d ago`;
  return one.form;
}
