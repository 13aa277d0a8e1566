/* SPDX-License-Identifier: Apache-2.0 */
/* people: when somebody was last seen, what her roles come to, whom a filter means, and passwords that are made to be handed over. */
import type { Schemas } from '@/api/client';
import type { AccessRole } from './roles';

export type User = Schemas['UserEntry'];
export type Token = Schemas['Token'];

export interface PeopleFilter {
  q: string;
  role: string;
  team: string;
  state: string;
}

/* The latest sign of life of each login in its open sessions: when they were last used, or began. */
export function lastSeen(tokens: readonly Token[]): ReadonlyMap<string, string> {
  const seen = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== 'session') continue;
    const at = token.used_at ?? token.created_at;
    const before = seen.get(token.login);
    if (before === undefined || Date.parse(at) > Date.parse(before)) seen.set(token.login, at);
  }
  return seen;
}

/* What these roles hold together. */
export function rightsOf(keys: readonly string[], roles: readonly Pick<AccessRole, 'key' | 'permissions'>[]): Set<string> {
  return new Set(roles.filter((role) => keys.includes(role.key)).flatMap((role) => role.permissions));
}

export const noTeam = '-';

export function isMeant(user: User, filter: PeopleFilter): boolean {
  const wanted = filter.q.trim().toLowerCase();
  if (wanted !== '' && !user.login.toLowerCase().includes(wanted) && !user.name.toLowerCase().includes(wanted)) return false;
  if (filter.role !== '' && !user.roles.includes(filter.role)) return false;
  if (filter.team !== '' && (user.team ?? noTeam) !== filter.team) return false;
  if (filter.state === 'on') return !user.disabled;
  if (filter.state === 'off') return user.disabled;
  return filter.state !== 'single' || (!user.second_factor && !user.single_sign_on);
}

const letters = 'abcdefghjkmnpqrstuvwxyz23456789'; /* none that are taken for each other */

/* Four groups of four, 79 random bits: long enough, and can be read over the telephone. */
export function madePassword(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (bytes) => crypto.getRandomValues(bytes)): string {
  let made = '';
  while (made.length < 16) {
    for (const byte of random(new Uint8Array(32))) {
      /* bytes over the last whole multiple would make some letters likelier */
      if (byte < 256 - (256 % letters.length) && made.length < 16) made += letters.charAt(byte % letters.length);
    }
  }
  return made.replace(/(.{4})(?=.)/g, '$1-');
}
