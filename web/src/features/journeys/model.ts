/* SPDX-License-Identifier: Apache-2.0 */
/* model: what the pages of journeys read, and a definition as a graph: its ways, its places on the canvas, and pure changes.
 *
 * A member of a node that the served catalogue calls a 'node' is a way out; so are the `next` of cases and arms. Nothing else is
 * known of a kind of node here: one that the server adds is drawn and edited like the others.
 */
import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';
import type { Tone } from '@/ui/Marks';
import { journeyHeads, templateHeads, type JourneyHead } from './heads';

export type Journey = Schemas['Journey'];
export type { JourneyHead };
export type State = JourneyHead['state'];
export type Ready = Schemas['ReadyJourney'];
export type Report = Schemas['JourneyReport'];
export type NodeReport = Report['nodes'][number];
export type Explained = Schemas['JourneyExplained'];
export type JourneyCatalogue = Schemas['JourneyCatalogue'];
export type Member = JourneyCatalogue['nodes'][number]['members'][number];

export type Value = Record<string, unknown>;
export interface Definition extends Value {
  name: string;
  start: string;
  nodes: Record<string, Value>;
}

export const journeyQueries = {
  list: journeyHeads,
  library: () => queryOptions({ queryKey: ['journeys', 'library'], queryFn: ({ signal }) => api.get('/journeys/library', { signal }), staleTime: Infinity }),
  catalogue: () => queryOptions({ queryKey: ['journeys', 'catalogue'], queryFn: ({ signal }) => api.get('/journeys/catalogue', { signal }), staleTime: Infinity }),
  one: (key: string) => queryOptions({ queryKey: ['journeys', 'one', key], queryFn: ({ signal }) => api.get('/journeys/{key}', { path: { key }, signal }), refetchInterval: 5_000 }),
  version: (key: string, version: number) => queryOptions({ queryKey: ['journeys', 'version', key, version], queryFn: ({ signal }) => api.get('/journeys/{key}', { path: { key }, query: { version: String(version) }, signal }), staleTime: Infinity }),
  report: (key: string) => queryOptions({ queryKey: ['journeys', 'report', key], queryFn: ({ signal }) => api.get('/journeys/{key}/report', { path: { key }, signal }), refetchInterval: 5_000 }),
  explain: (key: string, customer: string) => queryOptions({ queryKey: ['journeys', 'explain', key, customer], queryFn: ({ signal }) => api.get('/journeys/{key}/explain', { path: { key }, query: { customer }, signal }) }),
  ofCustomer: (one_id: string) => queryOptions({ queryKey: ['journeys', 'customer', one_id], queryFn: ({ signal }) => api.get('/customers/{one_id}/journeys', { path: { one_id }, signal }), refetchInterval: 10_000 }),
  templates: templateHeads,
};

export const stateTones: Readonly<Record<State, Tone>> = { draft: 'plain', preparing: 'info', live: 'good', paused: 'warn', finishing: 'info', stopped: 'plain' };

export function isValue(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function definitionOf(journey: Value): Definition {
  const nodes = isValue(journey['nodes']) ? journey['nodes'] : {};
  return {
    ...journey, name: textOf(journey['name']), start: textOf(journey['start']),
    nodes: Object.fromEntries(Object.entries(nodes).map(([id, node]) => [id, isValue(node) ? node : {}])),
  };
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/* ---- ways ---- */

export interface Way {
  from: string;
  to: string;
  /* where it stands: 'next', 'on_timeout', 'cases/0/next' */
  path: string;
  label: string;
}

const lists: Readonly<Record<string, string>> = { cases: 'case', arms: 'arm' };

/* The part of the catalogue that an element of this member is made of; '' where it is none that is known. */
export function partOf(member: string, type: string): string {
  if (Object.hasOwn(lists, member)) return lists[member] as string;
  if (member === 'goals') return 'goal';
  if (member === 'exits' || type === 'match') return 'match';
  return member === 'entry' ? 'entry' : '';
}

export function kindOf(catalogue: JourneyCatalogue, type: string): JourneyCatalogue['nodes'][number] | undefined {
  return catalogue.nodes.find((one) => one.type === type);
}

function waysOfList(id: string, name: string, items: unknown): Way[] {
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: unknown, at) => {
    if (!isValue(item) || textOf(item['next']) === '') return [];
    const weight = textOf(item['weight']);
    const label = [textOf(item['name']) || String(at + 1), weight === '' ? '' : `× ${weight}`].filter((part) => part !== '').join(' ');
    return [{ from: id, to: textOf(item['next']), path: `${name}/${at}/next`, label }];
  });
}

export function waysOf(definition: Definition, catalogue: JourneyCatalogue, language: 'zh' | 'en'): Way[] {
  const all = Object.entries(definition.nodes).flatMap(([id, node]) => (kindOf(catalogue, textOf(node['type']))?.members ?? []).flatMap((member): Way[] => {
    if (Object.hasOwn(lists, member.name)) return waysOfList(id, member.name, node[member.name]);
    const to = textOf(node[member.name]);
    if (member.type !== 'node' || to === '') return [];
    return [{ from: id, to, path: member.name, label: member.name === 'next' ? '' : member.text[language] }];
  }));
  return all.filter((way) => Object.hasOwn(definition.nodes, way.to));
}

export const keyOf = (way: Pick<Way, 'from' | 'path'>): string => `${way.from} ${way.path}`;

/* How many went each way, where the report tells: what timed out; the only way out; what came into a node by its only way in. */
export function wayCounts(ways: readonly Way[], report: readonly NodeReport[]): ReadonlyMap<string, number> {
  const counted = new Map(report.map((one) => [one.node, one]));
  const counts = new Map<string, number>();
  for (const way of ways) {
    const [from, to] = [counted.get(way.from), counted.get(way.to)];
    const isOnlyIn = ways.filter((one) => one.to === way.to).length === 1;
    const isOnlyOut = ways.filter((one) => one.from === way.from).length === 1;
    if (way.path === 'on_timeout' && from !== undefined) counts.set(keyOf(way), from.timed_out);
    else if (isOnlyIn && to !== undefined) counts.set(keyOf(way), to.entered);
    else if (isOnlyOut && from !== undefined) counts.set(keyOf(way), from.left);
  }
  return counts;
}

/* ---- places ---- */

export const cardWidth = 220;
export const cardHeight = 92;
export const across = cardWidth + 44;
export const down = cardHeight + 62;

/* Top to bottom: a node stands one layer below the lowest of those that lead to it; a way back into what leads here does not count.
 * In a layer, nodes are ordered by the middle of those above them. Nodes that nothing leads to stand at the end. */
export function placesOf(ids: readonly string[], start: string, ways: readonly Pick<Way, 'from' | 'to'>[]): Map<string, { x: number; y: number }> {
  const out = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const way of ways) out.get(way.from)?.push(way.to);
  const order = forwardOrder(start, ids, out);
  const rank = new Map(order.map((id, at) => [id, at]));
  const layer = new Map<string, number>();
  for (const id of order) {
    const own = layer.get(id) ?? 0;
    layer.set(id, own);
    for (const to of out.get(id) ?? []) if ((rank.get(to) ?? -1) > (rank.get(id) ?? 0)) layer.set(to, Math.max(layer.get(to) ?? 0, own + 1));
  }
  return spread(order, layer, ways);
}

/* Reverse post-order of a walk from the start: every way but those that close a loop goes forwards in it. */
function forwardOrder(start: string, ids: readonly string[], out: ReadonlyMap<string, readonly string[]>): string[] {
  const seen = new Set<string>();
  const walk = (id: string, done: string[]): void => {
    if (seen.has(id) || !out.has(id)) return;
    seen.add(id);
    for (const to of [...(out.get(id) ?? [])].reverse()) walk(to, done);
    done.push(id);
  };
  const reached: string[] = [];
  walk(start, reached);
  const rest = ids.flatMap((id) => {
    const more: string[] = [];
    walk(id, more);
    return more.reverse();
  });
  return [...reached.reverse(), ...rest];
}

function spread(order: readonly string[], layer: ReadonlyMap<string, number>, ways: readonly Pick<Way, 'from' | 'to'>[]): Map<string, { x: number; y: number }> {
  const rows: string[][] = [];
  for (const id of order) (rows[layer.get(id) ?? 0] ??= []).push(id);
  const at = new Map<string, number>();
  for (const row of rows) {
    const wanted = new Map((row ?? []).map((id) => {
      const above = ways.filter((way) => way.to === id && at.has(way.from)).map((way) => at.get(way.from) ?? 0);
      return [id, above.length === 0 ? 0 : above.reduce((sum, one) => sum + one, 0) / above.length];
    }));
    const sorted = [...(row ?? [])].sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    const middle = sorted.reduce((sum, id) => sum + (wanted.get(id) ?? 0), 0) / Math.max(1, sorted.length);
    sorted.forEach((id, index) => at.set(id, middle + (index - (sorted.length - 1) / 2) * across));
  }
  return new Map(order.map((id) => [id, { x: at.get(id) ?? 0, y: (layer.get(id) ?? 0) * down }]));
}

/* ---- changes ---- */

export function withNode(definition: Definition, id: string, node: Value): Definition {
  return { ...definition, nodes: { ...definition.nodes, [id]: node } };
}

export function freshId(definition: Definition, type: string): string {
  for (let number = 1; ; number++) {
    const id = number === 1 && !Object.hasOwn(definition.nodes, type) ? type : `${type}_${number}`;
    if (!Object.hasOwn(definition.nodes, id)) return id;
  }
}

/* What a new node of a kind begins with, so that it says something and only what is the brand's own is left to fill in. */
const beginnings: Readonly<Record<string, Value>> = {
  wait: { for: '1d' }, wait_until: { timeout: '3d' }, branch: { cases: [{}], otherwise: null }, split: { arms: [{ name: 'A', weight: 50 }, { name: 'B', weight: 50 }] },
  hold_out: { percent: 10 }, send: { channel: 'sms' }, points: { points: 100 }, task: { channel: 'call' }, pause: { for: '7d' },
};

/* A node of this kind after `after`, in its `next`; first, where `after` is empty. What came next comes after the new one, by the way that its kind has. */
export function addAfter(definition: Definition, catalogue: JourneyCatalogue, after: string, type: string): { definition: Definition; id: string } {
  const id = freshId(definition, type);
  const before = after === '' ? undefined : definition.nodes[after];
  const next = after === '' ? definition.start : firstWay(before ?? {}, catalogue);
  const node: Value = { type, ...structuredClone(beginnings[type] ?? {}) };
  const full = next === '' ? node : leadTo(node, next, catalogue);
  const grown = withNode(definition, id, full);
  if (before === undefined) return { definition: { ...grown, start: id }, id };
  return { definition: withNode(grown, after, leadTo(before, id, catalogue)), id };
}

function wayMember(node: Value, catalogue: JourneyCatalogue): string {
  const members = kindOf(catalogue, textOf(node['type']))?.members ?? [];
  return members.find((one) => one.name === 'next')?.name ?? members.find((one) => one.name in lists)?.name ?? '';
}

function firstWay(node: Value, catalogue: JourneyCatalogue): string {
  const member = wayMember(node, catalogue);
  const held = node[member];
  if (!Array.isArray(held)) return textOf(held);
  const first: unknown = held[0];
  return isValue(first) ? textOf(first['next']) : '';
}

function leadTo(node: Value, to: string, catalogue: JourneyCatalogue): Value {
  const member = wayMember(node, catalogue);
  if (member === '') return node;
  const held = node[member];
  if (!Array.isArray(held)) return { ...node, [member]: to };
  return { ...node, [member]: held.map((item: unknown, at) => (at === 0 && isValue(item) ? { ...item, next: to } : item)) };
}

/* May something follow a node of this kind? An exit has no way out. */
export function canLead(node: Value, catalogue: JourneyCatalogue): boolean {
  return wayMember(node, catalogue) !== '';
}

/* Without this node: what led to it leads on to what came first after it, or ends there. */
export function withoutNode(definition: Definition, catalogue: JourneyCatalogue, id: string): Definition {
  const gone = definition.nodes[id];
  const follower = gone === undefined ? '' : firstWay(gone, catalogue);
  const next = follower === id ? '' : follower;
  const rest = Object.entries(definition.nodes).filter(([one]) => one !== id);
  const nodes = Object.fromEntries(rest.map(([one, node]) => [one, relead(node, catalogue, id, next)]));
  return { ...definition, nodes, start: definition.start === id ? next : definition.start };
}

function relead(node: Value, catalogue: JourneyCatalogue, from: string, to: string): Value {
  const changed: Value = { ...node };
  for (const member of kindOf(catalogue, textOf(node['type']))?.members ?? []) {
    const held = node[member.name];
    if (member.type === 'node' && held === from) {
      if (to === '') delete changed[member.name];
      else changed[member.name] = to;
    }
    if (Array.isArray(held) && Object.hasOwn(lists, member.name)) changed[member.name] = held.map((item: unknown) => (isValue(item) && item['next'] === from ? { ...item, next: to === '' ? null : to } : item));
  }
  return changed;
}

/* ---- words ---- */

/* What a node does, in a few of its own words: its values in the order of the catalogue, ways and names left out. */
export function factsOf(node: Value, catalogue: JourneyCatalogue): { member: Member; text: string }[] {
  return (kindOf(catalogue, textOf(node['type']))?.members ?? []).flatMap((member) => {
    if (member.name === 'type' || member.name === 'name' || member.type === 'node') return [];
    const held = node[member.name];
    if (Array.isArray(held)) return [{ member, text: String(held.length) }];
    const text = textOf(held);
    return text === '' ? [] : [{ member, text }];
  });
}

/* '3d' → 3 天; a text that is no single duration as it is. */
export function sayDuration(text: string, units: Readonly<Record<string, (count: number) => string>>): string {
  const parts = [...text.matchAll(/(\d+)\s*(w|d|h|m|s)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text.replace(/^[-+]/, '')) return text;
  const said = parts.map(([, count, unit]) => units[unit as string]?.(Number(count)) ?? '').join(' ');
  return text.startsWith('-') ? `− ${said}` : said;
}

/* The node that a refusal points to; '' for the journey itself. */
export function nodeAt(pointer: string): string {
  const [, first, second] = pointer.split('/');
  return first === 'nodes' && second !== undefined ? second.replaceAll('~1', '/').replaceAll('~0', '~') : '';
}
