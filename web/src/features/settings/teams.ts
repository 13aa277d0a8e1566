/* SPDX-License-Identifier: Apache-2.0 */
/* teams: the tree, which parents are possible, by what rule one counts whom a team sees, and what is its own by its key. */
import type { Schemas } from '@/api/client';
import type { Json, JsonObject } from '../rules/model';

export type { JsonObject };

export type Team = Omit<Schemas['Team'], 'customers'> & { customers: JsonObject | null };
export type Share = Schemas['Share'];
export type EventCondition = NonNullable<Team['events']>[number];

export interface TreeTeam {
  team: Team;
  depth: number;
  children: TreeTeam[];
}

export const nameOfTeam = (team: Pick<Team, 'key' | 'name'>): string => (team.name === '' ? team.key : team.name);
export const depthMost = 8;

/* Tops first, each with what is below it, by name. A team whose parent is not seen stands at the top; a ring cannot come from the
 * server, and would be left out here. */
export function treeOf(teams: readonly Team[]): TreeTeam[] {
  const there = new Set(teams.map((one) => one.key));
  const under = (parent: string | null, depth: number, above: ReadonlySet<string>): TreeTeam[] =>
    teams
      .filter((one) => (parent === null ? one.parent === null || !there.has(one.parent) : one.parent === parent) && !above.has(one.key))
      .sort((a, b) => nameOfTeam(a).localeCompare(nameOfTeam(b)))
      .map((team) => ({ team, depth, children: under(team.key, depth + 1, new Set([...above, team.key])) }));
  return under(null, 0, new Set());
}

export function flat(tree: readonly TreeTeam[]): TreeTeam[] {
  return tree.flatMap((one) => [one, ...flat(one.children)]);
}

/* The team itself and all below it. */
export function within(key: string, teams: readonly Team[]): Set<string> {
  const node = flat(treeOf(teams)).find((one) => one.team.key === key);
  return new Set(node === undefined ? [key] : flat([node]).map((one) => one.team.key));
}

/* Under whom it can stand: not under itself or what is below it, and with what it brings no deeper than the server takes. */
export function possibleParents(key: string, teams: readonly Team[]): TreeTeam[] {
  const all = flat(treeOf(teams));
  const own = within(key, teams);
  const mine = all.find((one) => one.team.key === key);
  const height = mine === undefined ? 1 : Math.max(...flat([mine]).map((one) => one.depth)) - mine.depth + 1;
  return all.filter((one) => !own.has(one.team.key) && one.depth + 1 + height <= depthMost);
}

function mentionsMe(value: unknown): boolean {
  if (value === '$me') return true;
  if (Array.isArray(value)) return value.some(mentionsMe);
  return typeof value === 'object' && value !== null && Object.values(value).some(mentionsMe);
}

/* The rule that counts whom the team sees: its own; else who has an event that it sees; else whom those below see. Null where it depends on
 * who looks ($me), or where nobody is below. */
export function ruleOf(team: Pick<Team, 'key' | 'customers' | 'events'>, teams: readonly Team[], above: ReadonlySet<string> = new Set()): JsonObject | null {
  if (team.customers !== null) return mentionsMe(team.customers) ? null : team.customers;
  if (team.events !== null && team.events.length > 0) return { event: '*', where: team.events as unknown as Json };
  const below = teams.filter((one) => one.parent === team.key && !above.has(one.key)).map((one) => ruleOf(one, teams, new Set([...above, team.key])));
  if (below.length === 0 || below.includes(null)) return null;
  return below.length === 1 ? (below[0] ?? null) : { any: below.filter((one) => one !== null) };
}

/* 'wecom__welcome' is of the team wecom. */
export function ownerOf(key: string): string | null {
  const at = key.indexOf('__');
  return at > 0 ? key.slice(0, at) : null;
}

/* Shares that count for the team: with it, or with all. */
export function sharedWith(key: string, shares: readonly Share[]): Share[] {
  return shares.filter((one) => one.team === key || one.team === '*');
}

/* One line of what events a team sees: 'channel = tmall · brand = a, b'; `words` has properties by their name for people. */
export function conditionText(condition: EventCondition, join: string, words: Readonly<Record<string, string>> = {}): string {
  return `${words[condition.prop] ?? condition.prop} = ${condition.eq ?? (condition.in ?? []).join(join)}`;
}

/* As the server takes it: one value is eq, several are in; lines without a property or value are left out. */
export function conditionsOf(lines: readonly { prop: string; values: readonly string[] }[]): EventCondition[] {
  return lines
    .map((line) => ({ prop: line.prop.trim(), values: line.values.map((one) => one.trim()).filter((one) => one !== '') }))
    .filter((line) => line.prop !== '' && line.values.length > 0)
    .map((line) => (line.values.length === 1 ? { prop: line.prop, eq: line.values[0] ?? '' } : { prop: line.prop, in: line.values }));
}

export function linesOf(events: Team['events']): { prop: string; values: string[] }[] {
  return (events ?? []).map((one) => ({ prop: one.prop, values: one.eq === undefined ? [...(one.in ?? [])] : [one.eq] }));
}
