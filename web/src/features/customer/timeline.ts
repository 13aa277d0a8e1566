/* SPDX-License-Identifier: Apache-2.0 */
/* timeline: from events, newest first, to what a person reads: days, runs of the same small thing folded into one
 * line, and the facts of an event in a few words.
 */
import type { Schemas } from '@/api/client';
import { dayKey, minorDigits, money } from '@/lib/format';

export type TimelineEvent = Schemas['TimelineEvent'];

export interface TimelineRun {
  /* of the newest event */
  key: number;
  events: TimelineEvent[];
}

export interface TimelineDay {
  day: string;
  runs: TimelineRun[];
  count: number;
}

/* Browsing is folded from this many on: three page views in a row are one line. */
const foldFrom = 3;
const foldWithinMs = 30 * 60_000;
const foldedKinds = new Set(['page', 'screen']);
const foldedTypes = new Set(['$pageview', '$MPViewScreen', '$AppViewScreen', '$WebClick', '$MPShow', '$MPHide', 'Product Viewed', 'Product List Viewed']);

function isFolded(event: TimelineEvent): boolean {
  return foldedKinds.has(event.kind) || foldedTypes.has(event.type);
}

function joins(newer: TimelineEvent, older: TimelineEvent): boolean {
  return (
    isFolded(newer) && newer.type === older.type && newer.channel === older.channel &&
    Date.parse(newer.time) - Date.parse(older.time) <= foldWithinMs
  );
}

/* Days of the zone, newest first; within a day, runs. `events` are newest first and stay so. */
export function groupTimeline(events: readonly TimelineEvent[], zone: string): TimelineDay[] {
  const days: TimelineDay[] = [];
  for (const event of events) {
    const key = dayKey(event.time, zone);
    let day = days.at(-1);
    if (day === undefined || day.day !== key) {
      day = { day: key, runs: [], count: 0 };
      days.push(day);
    }
    day.count += 1;
    const run = day.runs.at(-1);
    const before = run?.events.at(-1);
    if (run !== undefined && before !== undefined && joins(before, event)) run.events.push(event);
    else day.runs.push({ key: event.seq, events: [event] });
  }
  for (const day of days) day.runs = day.runs.flatMap(unfoldShort);
  return days;
}

function unfoldShort(run: TimelineRun): TimelineRun[] {
  if (run.events.length >= foldFrom) return [run];
  return run.events.map((event) => ({ key: event.seq, events: [event] }));
}

/* ---- facts ---- */

export type Fact =
  | { kind: 'money'; text: string; negative: boolean }
  | { kind: 'quantity'; count: number }
  | { kind: 'order'; text: string }
  | { kind: 'journey'; text: string }
  | { kind: 'template'; text: string }
  | { kind: 'text'; text: string };

type Props = Readonly<Record<string, unknown>>;

function text(props: Props, ...names: string[]): string {
  for (const name of names) {
    const value = props[name];
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    if (typeof value === 'number') return String(value);
  }
  return '';
}

function number(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const parsed = Number(value.replaceAll(',', ''));
  return Number.isFinite(parsed) ? parsed : null;
}

/* The amount of an event: properties are kept as they were sent, in the main unit of the currency. */
function amount(props: Props): { minor: number; currency: string } | null {
  const currency = text(props, 'currency') || 'CNY';
  for (const name of ['total', 'revenue', 'value', 'price']) {
    const value = number(props[name]);
    if (value !== null) return { minor: Math.round(value * 10 ** minorDigits(currency)), currency };
  }
  return null;
}

interface Product { name: string; quantity: number }

function products(props: Props): Product[] {
  const list = props['products'];
  if (!Array.isArray(list)) return [];
  return list.filter((one): one is Props => typeof one === 'object' && one !== null).map((one) => ({
    name: text(one, 'name', 'product_name', 'sku', 'product_id'), quantity: number(one['quantity']) ?? 1,
  }));
}

const takesBack = /Refund|Return|Cancel/;
const isOrder = /^(Order|Deposit|Parcel|Checkout) /;

/* What tells this event from others of its type, most telling first. */
export function factsOf(event: TimelineEvent): Fact[] {
  const { props, type } = event;
  const facts: Fact[] = [];
  const add = (value: string): void => {
    if (value !== '' && !facts.some((fact) => fact.kind === 'text' && fact.text === value)) facts.push({ kind: 'text', text: value });
  };
  const sum = amount(props);
  if (sum !== null) facts.push({ kind: 'money', text: money(Math.abs(sum.minor), sum.currency), negative: takesBack.test(type) });
  const bought = products(props);
  if (bought.length > 0) {
    add(bought[0]?.name ?? '');
    facts.push({ kind: 'quantity', count: bought.reduce((total, one) => total + one.quantity, 0) });
  }
  if (!isOrder.test(type)) add(text(props, 'name', 'product_name', 'title', '$title', 'query', 'search_keyword'));
  add(text(props, 'coupon_name', 'skin_type', 'store_name', 'campaign_name', 'campaign', 'path', '$url_path', 'url_path', 'content', 'purpose', 'reason'));
  const [journey, template] = [text(props, '$journey'), text(props, '$template')];
  if (journey !== '') facts.push({ kind: 'journey', text: journey });
  else if (template !== '') facts.push({ kind: 'template', text: template });
  if (isOrder.test(type)) {
    add(text(props, 'affiliation', 'shop', 'carrier', 'store_id'));
    const order = text(props, 'order_id', 'order_no');
    if (order !== '') facts.push({ kind: 'order', text: order });
  }
  return facts;
}

/* The types and channels among the events, most frequent first: choices for the filters. */
export function countsBy(events: readonly TimelineEvent[], field: 'type' | 'channel'): [string, number][] {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(event[field], (counts.get(event[field]) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
