/* SPDX-License-Identifier: Apache-2.0 */
/* entry: what is looked at before a journey goes live: whom its rule lets in, by which channels it sends, and what that costs at most. */
import type { JsonObject } from '@/features/rules/model';
import { kindOf, isValue, textOf, type Definition, type JourneyCatalogue, type Value } from './model';

const entryWindow = '30d';

/* The rule of those who would enter, and whether they fit now or have done it of late; null where only the moment can tell. */
export function entryOf(definition: Definition): { rule: JsonObject; isNow: boolean } | null {
  const trigger = isValue(definition['trigger']) ? definition['trigger'] : {};
  const entry = isValue(definition['entry']) ? definition['entry'] : {};
  const more: JsonObject[] = [
    ...(isValue(entry['rule']) ? [entry['rule'] as JsonObject] : []), ...(textOf(entry['segment']) === '' ? [] : [{ segment: textOf(entry['segment']) }]),
  ];
  const event = textOf(trigger['event']);
  const [segment, tag] = [textOf(trigger['segment']), textOf(trigger['tag'])];
  if (event !== '') {
    const condition: JsonObject = { event, last: entryWindow };
    if (Array.isArray(trigger['where']) && trigger['where'].length > 0) condition['where'] = trigger['where'] as JsonObject[];
    return { rule: { all: [condition, ...more] }, isNow: false };
  }
  if (segment !== '') return { rule: { all: [{ segment }, ...more] }, isNow: true };
  if (tag !== '') return { rule: { all: [{ tag, is_set: true }, ...more] }, isNow: true };
  return more.length === 0 ? null : { rule: { all: more }, isNow: true };
}

/* Where nobody fits the journey may be right, but is looked at twice: a segment that is empty, an event that never came. */
export const entryTone = (count: number): 'good' | 'warn' => (count > 0 ? 'good' : 'warn');

export interface Sending {
  node: string;
  channel: string;
  account: string;
  /* in minor units, where the node names its own */
  cost: number | null;
}

const channelOf: Readonly<Record<string, string>> = { coupon: 'coupon', points: 'points', task: 'call', webhook: 'webhook' };

export function sendingsOf(definition: Definition, catalogue: JourneyCatalogue): Sending[] {
  return Object.entries(definition.nodes).flatMap(([node, held]: [string, Value]): Sending[] => {
    const type = textOf(held['type']);
    const reaches = (kindOf(catalogue, type)?.members ?? []).some((member) => member.name === 'on_suppressed');
    const channel = textOf(held['channel']) || (channelOf[type] ?? '');
    return reaches && channel !== '' ? [{ node, channel, account: textOf(held['account']), cost: typeof held['cost'] === 'number' ? held['cost'] : null }] : [];
  });
}

/* The templates that it writes by and that are not there, each with the channel it would be for; one that is worked out of a variable is known only then. */
export function templatesMissing(definition: Definition, known: ReadonlySet<string>): { key: string; channel: string }[] {
  const named = Object.values(definition.nodes).map((held) => ({ key: textOf(held['template']), channel: textOf(held['channel']) }));
  return named.filter((one, at) => one.key !== '' && !one.key.includes('{') && !known.has(one.key) && named.findIndex((other) => other.key === one.key) === at);
}

/* What all who enter cost at most: each sending goes to those whom its channel reaches; where that is not known, to all. */
export function costOfAll(sendings: readonly Sending[], priceOf: (sending: Sending) => number, count: number, reachable: Readonly<Record<string, number>>): number {
  return sendings.reduce((sum, one) => sum + (one.cost ?? priceOf(one)) * Math.min(count, reachable[one.channel] ?? count), 0);
}

/* What one customer costs at most, who meets every sending: the node's own cost, or that of the account it goes by. */
export function costOf(sendings: readonly Sending[], priceOf: (sending: Sending) => number): number {
  return sendings.reduce((sum, one) => sum + (one.cost ?? priceOf(one)), 0);
}
