/* SPDX-License-Identifier: Apache-2.0 */
/* purchases: from events of a customer, in any order, to what a person asks about: her orders, her coupons, her skin tests. */
import { minorDigits } from '@/lib/format';
import type { TimelineEvent } from './timeline';

type Props = Readonly<Record<string, unknown>>;

function text(props: Props, ...names: readonly string[]): string {
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

/* Properties are kept as they were sent, in the main unit. */
function minor(props: Props, currency: string, ...names: readonly string[]): number | null {
  for (const name of names) {
    const value = number(props[name]);
    if (value !== null) return Math.round(Math.abs(value) * 10 ** minorDigits(currency));
  }
  return null;
}

const byTime = (a: TimelineEvent, b: TimelineEvent): number => Date.parse(a.time) - Date.parse(b.time) || a.seq - b.seq;

/* ---- orders ---- */

export const orderTypes = ['Order Placed', 'Order Paid', 'Order Completed', 'Order Refunded', 'Order Cancelled', 'Parcel Shipped', 'Order Shipped', 'Parcel Signed', 'Parcel Returned'] as const;

export type OrderState = 'placed' | 'paid' | 'shipped' | 'signed' | 'returned' | 'refunded' | 'refundedInPart' | 'cancelled';

export interface OrderLine { name: string; quantity: number }

export interface Order {
  id: string;
  /* when it was paid; of one that was not, when it is first heard of */
  at: string;
  state: OrderState;
  currency: string;
  paid: number;
  refunded: number;
  net: number;
  channel: string;
  shop: string;
  lines: OrderLine[];
  events: TimelineEvent[];
}

function linesOf(event: TimelineEvent): OrderLine[] {
  const list = event.props['products'];
  if (Array.isArray(list)) {
    return list.filter((one): one is Props => typeof one === 'object' && one !== null).map((one) => ({ name: text(one, 'name', 'product_name', 'sku', 'product_id'), quantity: number(one['quantity']) ?? 1 }));
  }
  const name = text(event.props, 'product_name', 'name', 'sku', 'product_id');
  return name === '' ? [] : [{ name, quantity: number(event.props['quantity']) ?? 1 }];
}

function stateOf(types: ReadonlySet<string>, isPaid: boolean, isWhole: boolean, refunded: number): OrderState {
  if (types.has('Order Cancelled')) return 'cancelled';
  if (isWhole) return 'refunded';
  if (refunded > 0) return 'refundedInPart';
  if (types.has('Parcel Returned')) return 'returned';
  if (types.has('Parcel Signed')) return 'signed';
  if (types.has('Parcel Shipped') || types.has('Order Shipped')) return 'shipped';
  return isPaid ? 'paid' : 'placed';
}

const paying = new Set(['Order Paid', 'Order Completed']);

/* As the server counts them: paid is the first paying event, refunds add up, one without amount gives all back. */
function orderOf(id: string, events: TimelineEvent[]): Order {
  const sorted = [...events].sort(byTime);
  const first = sorted.find((one) => paying.has(one.type));
  const main = first ?? sorted.find((one) => one.type === 'Order Placed') ?? (sorted[0] as TimelineEvent);
  const currency = text(main.props, 'currency') || 'CNY';
  const paid = first === undefined ? 0 : (minor(first.props, currency, 'revenue', 'total', 'value') ?? 0);
  const refunds = sorted.filter((one) => one.type === 'Order Refunded').map((one) => minor(one.props, currency, 'total', 'revenue', 'value'));
  const given = refunds.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  const isWhole = refunds.some((one) => one === null) || (given > 0 && given >= paid);
  const refunded = first === undefined ? given : isWhole ? paid : given;
  const types = new Set(sorted.map((one) => one.type));
  const isCancelled = types.has('Order Cancelled');
  return {
    id, at: main.time, state: stateOf(types, first !== undefined, isWhole, refunded), currency, paid, refunded, net: isCancelled ? 0 : paid - refunded, channel: main.channel,
    shop: text(main.props, 'affiliation', 'shop', 'store_name', 'store_id'), lines: linesOf(main), events: sorted,
  };
}

/* Newest first. An event without an order's number is an order of its own. */
export function ordersOf(events: readonly TimelineEvent[]): Order[] {
  const groups = new Map<string, TimelineEvent[]>();
  for (const event of events) {
    const id = text(event.props, 'order_id', 'order_no');
    const key = id === '' ? `#${event.seq}` : id;
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups].map(([key, group]) => orderOf(key.startsWith('#') ? '' : key, group)).sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/* ---- coupons ---- */

export const couponTypes = ['Coupon Claimed', 'Coupon Applied', 'Coupon Used', 'Coupon Denied', 'Coupon Removed'] as const;

export interface Coupon {
  id: string;
  name: string;
  claimedAt: string | null;
  usedAt: string | null;
  order: string;
  channel: string;
  /* why it was refused the last time, where it was and was not used since */
  denied: string;
  events: TimelineEvent[];
}

function couponOf(id: string, events: TimelineEvent[]): Coupon {
  const sorted = [...events].sort(byTime);
  const last = (types: readonly string[]): TimelineEvent | undefined => sorted.filter((one) => types.includes(one.type)).at(-1);
  const use = last(['Coupon Used']) ?? last(['Coupon Applied']);
  const removed = last(['Coupon Removed']);
  const used = use !== undefined && use.type === 'Coupon Applied' && removed !== undefined && byTime(use, removed) < 0 ? undefined : use;
  const denial = last(['Coupon Denied']);
  const first = sorted[0] as TimelineEvent;
  return {
    id, name: sorted.map((one) => text(one.props, 'coupon_name', 'name')).find((one) => one !== '') ?? id, claimedAt: sorted.find((one) => one.type === 'Coupon Claimed')?.time ?? null, usedAt: used?.time ?? null,
    order: used === undefined ? '' : text(used.props, 'order_id'), channel: first.channel, denied: used === undefined && denial !== undefined ? text(denial.props, 'reason') || '·' : '', events: sorted,
  };
}

export function couponsOf(events: readonly TimelineEvent[]): Coupon[] {
  const groups = new Map<string, TimelineEvent[]>();
  for (const event of events) {
    const id = text(event.props, 'coupon_code', 'code', 'coupon_id', 'coupon');
    const key = id === '' ? `#${event.seq}` : id;
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  const newest = (one: Coupon): number => Date.parse(one.events.at(-1)?.time ?? '');
  return [...groups].map(([key, group]) => couponOf(key.startsWith('#') ? '' : key, group)).sort((a, b) => newest(b) - newest(a));
}

/* ---- skin file ---- */

export const skinTypes = ['Skin Test Taken', 'SkinTestTaken'] as const;

export interface SkinVersion {
  /* 1 is the first test */
  version: number;
  at: string;
  channel: string;
  facts: { name: string; value: string; before: string | null }[];
}

function said(value: unknown): string {
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? value.map(said).join('、') : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/* SDKs add members of their own; those begin with a sign. */
const isOwn = (name: string): boolean => /^[A-Za-z\u4e00-\u9fff]/.test(name);

/* Each test is a version of the file, newest first; a fact says what it was before, where it changed. */
export function skinFile(events: readonly TimelineEvent[]): SkinVersion[] {
  const known = new Map<string, string>();
  const versions = [...events].sort(byTime).map((event, at): SkinVersion => {
    const facts = Object.entries(event.props).filter(([name]) => isOwn(name)).map(([name, value]) => ({ name, value: said(value) })).filter((one) => one.value !== '')
      .map((one) => ({ ...one, before: known.has(one.name) && known.get(one.name) !== one.value ? (known.get(one.name) ?? null) : null }));
    for (const one of facts) known.set(one.name, one.value);
    return { version: at + 1, at: event.time, channel: event.channel, facts };
  });
  return versions.reverse();
}

/* The rule for products whose property of the same name has the value of a fact, as one of several too; null where products have none. */
export function matchingRule(version: SkinVersion, properties: readonly string[]): { any: { prop: string; in: string[] }[] } | null {
  const any = version.facts.filter((fact) => properties.includes(fact.name)).map((fact) => ({ prop: fact.name, in: fact.value.split('、') }));
  return any.length === 0 ? null : { any };
}
