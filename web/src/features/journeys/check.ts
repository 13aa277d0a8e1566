/* SPDX-License-Identifier: Apache-2.0 */
/* check: what can be said of a draft while it is drawn, before the server is asked: a needed setting that is missing, a way to nowhere, a step
 * that nothing leads to, a round without a wait. The server judges the rest when the draft is saved.
 */
import { isValue, kindOf, partOf, textOf, waysOf, type Definition, type JourneyCatalogue, type Member, type Value } from './model';

export type Flaw = 'missing' | 'nowhere' | 'unreached' | 'endless' | 'kind';

export interface Found {
  node: string; /* '' for the journey itself */
  flaw: Flaw;
  /* of the member it is about */
  member: Member | null;
}

const isMissing = (value: unknown): boolean => value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

function missingIn(node: string, value: Value, members: readonly Member[], catalogue: JourneyCatalogue): Found[] {
  return members.flatMap((member): Found[] => {
    const held = value[member.name];
    if (member.needed && isMissing(held)) return [{ node, flaw: 'missing', member }];
    const part = partOf(member.name, member.type);
    const inner = catalogue.parts[part]?.members;
    if (inner === undefined) return [];
    const items = Array.isArray(held) ? held.filter(isValue) : isValue(held) ? [held] : [];
    return items.flatMap((item) => missingIn(node, item, inner, catalogue));
  });
}

function lostWays(id: string, node: Value, members: readonly Member[], definition: Definition): Found[] {
  const isLost = (to: unknown): boolean => textOf(to) !== '' && !Object.hasOwn(definition.nodes, textOf(to));
  return members.flatMap((member): Found[] => {
    const held = node[member.name];
    const lost = member.type === 'node' ? isLost(held) : Array.isArray(held) && held.some((item: unknown) => isValue(item) && isLost(item['next']));
    return lost ? [{ node: id, flaw: 'nowhere', member }] : [];
  });
}

const waiting = new Set(['wait', 'wait_until']);

/* Nodes on a round of ways in which nobody waits: whoever comes there would never leave. */
function endlessNodes(definition: Definition, ways: readonly { from: string; to: string }[]): string[] {
  const out = new Map<string, string[]>();
  for (const { from, to } of ways) out.set(from, [...(out.get(from) ?? []), to]);
  const isWaiting = (id: string): boolean => waiting.has(textOf(definition.nodes[id]?.['type']));
  const comesBack = (id: string): boolean => {
    const seen = new Set<string>();
    const open = [...(out.get(id) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === id) return true;
      if (seen.has(next) || isWaiting(next)) continue;
      seen.add(next);
      open.push(...(out.get(next) ?? []));
    }
    return false;
  };
  return Object.keys(definition.nodes).filter((id) => !isWaiting(id) && comesBack(id));
}

function reached(definition: Definition, ways: readonly { from: string; to: string }[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [definition.start];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const way of ways) if (way.from === next) open.push(way.to);
  }
  return seen;
}

export function flawsOf(definition: Definition, catalogue: JourneyCatalogue): Found[] {
  const ways = waysOf(definition, catalogue, 'en');
  const there = reached(definition, ways);
  const trigger = isValue(definition['trigger']) ? definition['trigger'] : {};
  const triggerKind = catalogue.triggers.find((one) => one.type === textOf(trigger['type']));
  const own = triggerKind === undefined ? [{ node: '', flaw: 'kind' as const, member: null }] : missingIn('', trigger, triggerKind.members, catalogue);
  const nodes = Object.entries(definition.nodes).flatMap(([id, node]): Found[] => {
    const kind = kindOf(catalogue, textOf(node['type']));
    if (kind === undefined) return [{ node: id, flaw: 'kind', member: null }];
    return [
      ...missingIn(id, node, kind.members, catalogue), ...lostWays(id, node, kind.members, definition),
      ...(there.has(id) ? [] : [{ node: id, flaw: 'unreached' as const, member: null }]),
    ];
  });
  return [...own, ...nodes, ...endlessNodes(definition, ways).map((id) => ({ node: id, flaw: 'endless' as const, member: null }))];
}
