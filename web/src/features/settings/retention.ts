/* SPDX-License-Identifier: Apache-2.0 */
/* retention: for how many days each kind of data is kept, as it is edited, and what is sent. All pure. */
import type { Schemas } from '@/api/client';

export type Retention = Schemas['Retention'];
export type Policy = Schemas['RetentionPolicy'];
export type Counts = Schemas['RetentionTrial']['counts'];
export type Kind = Retention['kinds'][number]['kind'];
type PlainKind = Exclude<Kind, 'events'>;

export interface Draft {
  /* days; null: as when nobody said otherwise; 0: kept for ever */
  days: Readonly<Partial<Record<PlainKind, number | null>>>;
  /* of all types of events without days of their own */
  allEvents: number | null;
  events: readonly { type: string; days: number }[];
}

export function draftOf(policy: Policy): Draft {
  const { events = {}, ...days } = policy;
  return { days, allEvents: events['*'] ?? null, events: Object.entries(events).filter(([type]) => type !== '*').map(([type, count]) => ({ type, days: count })) };
}

export function policyOf(draft: Draft): Policy {
  const days = Object.fromEntries(Object.entries(draft.days).filter((entry): entry is [string, number] => entry[1] !== null && entry[1] !== undefined));
  const events = { ...(draft.allEvents === null ? {} : { '*': draft.allEvents }), ...Object.fromEntries(draft.events.map((one) => [one.type, one.days])) };
  return { ...days, ...(Object.keys(events).length === 0 ? {} : { events }) };
}

export function isSame(a: Policy, b: Policy): boolean {
  const text = (policy: Policy): string => JSON.stringify(Object.entries({ ...policy, events: Object.entries(policy.events ?? {}).sort() }).sort());
  return text(a) === text(b);
}

/* Fewer days than the kind may have; null when all is well. 0 keeps for ever. */
export function tooShort(draft: Draft, kinds: Retention['kinds']): Kind | null {
  const short = (days: number | null | undefined, least: number): boolean => days !== null && days !== undefined && days !== 0 && days < least;
  for (const { kind, days_least: least } of kinds) {
    const all = kind === 'events' ? [draft.allEvents, ...draft.events.map((one) => one.days)] : [draft.days[kind]];
    if (all.some((days) => short(days, least))) return kind;
  }
  return null;
}

export const total = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
