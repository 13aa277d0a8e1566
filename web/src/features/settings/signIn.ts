/* SPDX-License-Identifier: Apache-2.0 */
/* signIn: the settings that say how people sign in, and what of them was changed; roles by the value of a claim as lines and back. */
import type { Schemas } from '@/api/client';

export const numbers = [
  { key: 'access.session_hours', otherwise: 12, least: 1, most: 720 },
  { key: 'access.token_days_max', otherwise: 0, least: 0, most: 3650 },
  { key: 'access.reveals_per_minute', otherwise: 120, least: 1, most: 1_000_000 },
  { key: 'access.requests_per_minute', otherwise: 600_000, least: 0, most: 100_000_000 },
  { key: 'access.address_requests_per_minute', otherwise: 0, least: 0, most: 100_000_000 },
] as const;

const factorKey = 'access.second_factor_roles';
const reasonKey = 'access.reveal_reason';

export interface Rules {
  numbers: Record<string, number>;
  factorRoles: string[];
  reason: boolean;
}

type Setting = Pick<Schemas['Setting'], 'key' | 'value'>;

export function rulesOf(settings: readonly Setting[]): Rules {
  const value = (key: string): unknown => settings.find((one) => one.key === key)?.value;
  const factor = value(factorKey);
  const reason = value(reasonKey);
  return {
    numbers: Object.fromEntries(numbers.map(({ key, otherwise }) => { const held = value(key); return [key, typeof held === 'number' ? held : otherwise]; })),
    factorRoles: Array.isArray(factor) ? factor.map(String) : [],
    reason: reason === 1 || reason === true,
  };
}

/* What has to be told to the server: key and value of each setting that differs. */
export function changedRules(before: Rules, after: Rules): [string, unknown][] {
  const changed: [string, unknown][] = numbers.filter(({ key }) => before.numbers[key] !== after.numbers[key]).map(({ key }) => [key, after.numbers[key]]);
  if ([...before.factorRoles].sort().join(' ') !== [...after.factorRoles].sort().join(' ')) changed.push([factorKey, after.factorRoles]);
  if (before.reason !== after.reason) changed.push([reasonKey, after.reason ? 1 : 0]);
  return changed;
}

export interface Pair {
  value: string;
  roles: string[];
}

export function pairsOf(roles: Readonly<Record<string, readonly string[]>>): Pair[] {
  return Object.entries(roles).map(([value, keys]) => ({ value, roles: [...keys] }));
}

/* Lines without a value or role say nothing; the same value twice means both. */
export function mappingOf(pairs: readonly Pair[]): Record<string, string[]> {
  const mapping: Record<string, string[]> = {};
  for (const { value, roles } of pairs) {
    const name = value.trim();
    if (name !== '' && roles.length > 0) mapping[name] = [...new Set([...(mapping[name] ?? []), ...roles])];
  }
  return mapping;
}
