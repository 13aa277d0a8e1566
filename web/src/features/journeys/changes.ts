/* SPDX-License-Identifier: Apache-2.0 */
/* changes: what hands do on the canvas, as pure changes of a definition: placing, connecting, inserting into a way, copying, pasting; and what two
 * definitions differ in.
 */
import { addAfter, freshId, isValue, kindOf, textOf, withNode, type Definition, type JourneyCatalogue, type Value, type Way } from './model';

export interface Place {
  x: number;
  y: number;
}

/* Where the person has put nodes; the others stand where the order puts them. */
export function layoutOf(definition: Definition): ReadonlyMap<string, Place> {
  const held = isValue(definition['layout']) ? definition['layout'] : {};
  return new Map(Object.entries(held).flatMap(([id, place]): [string, Place][] => {
    if (!isValue(place) || typeof place['x'] !== 'number' || typeof place['y'] !== 'number' || !Object.hasOwn(definition.nodes, id)) return [];
    return [[id, { x: place['x'], y: place['y'] }]];
  }));
}

export function withPlace(definition: Definition, id: string, place: Place): Definition {
  const held = Object.fromEntries(layoutOf(definition));
  return { ...definition, layout: { ...held, [id]: { x: Math.round(place.x), y: Math.round(place.y) } } };
}

export function withoutLayout(definition: Definition): Definition {
  const { layout: _layout, ...rest } = definition;
  return rest as Definition;
}

/* A way from one node to another: by the first of its ways that leads nowhere yet; `next`, if all are taken. */
export function connect(definition: Definition, catalogue: JourneyCatalogue, from: string, to: string): Definition {
  const node = definition.nodes[from];
  if (node === undefined || from === to || !Object.hasOwn(definition.nodes, to)) return definition;
  const members = kindOf(catalogue, textOf(node['type']))?.members ?? [];
  const single = members.filter((member) => member.type === 'node');
  const free = single.find((member) => textOf(node[member.name]) === '');
  for (const list of members.filter((member) => member.name === 'cases' || member.name === 'arms')) {
    const held = node[list.name];
    const items: unknown[] = Array.isArray(held) ? held : [];
    const at = items.findIndex((item) => isValue(item) && textOf(item['next']) === '');
    if (at >= 0) return withNode(definition, from, { ...node, [list.name]: items.map((item, other) => (other === at && isValue(item) ? { ...item, next: to } : item)) });
  }
  const member = free ?? single[0];
  return member === undefined ? definition : withNode(definition, from, { ...node, [member.name]: to });
}

/* A new node of a kind in the middle of a way. */
export function insertInto(definition: Definition, catalogue: JourneyCatalogue, way: Pick<Way, 'from' | 'to' | 'path'>, type: string): { definition: Definition; id: string } {
  const grown = addAfter({ ...definition, start: way.to }, catalogue, '', type);
  const from = grown.definition.nodes[way.from];
  const whole = { ...grown.definition, start: definition.start };
  if (from === undefined) return { definition: whole, id: grown.id };
  return { definition: withNode(whole, way.from, setPath(from, way.path.split('/'), grown.id)), id: grown.id };
}

function setPath(value: Value, [first = '', second, third]: readonly string[], to: string): Value {
  if (second === undefined) return { ...value, [first]: to };
  const list = value[first];
  if (!Array.isArray(list) || third === undefined) return value;
  return { ...value, [first]: list.map((item: unknown, at) => (at === Number(second) && isValue(item) ? { ...item, [third]: to } : item)) };
}

/* A node as it goes to the clipboard: without its ways, which belong to where it stood. */
export function copied(definition: Definition, catalogue: JourneyCatalogue, id: string): Value | null {
  const node = definition.nodes[id];
  if (node === undefined) return null;
  const ways = new Set((kindOf(catalogue, textOf(node['type']))?.members ?? []).filter((member) => member.type === 'node').map((member) => member.name));
  const kept = Object.entries(node).filter(([name]) => !ways.has(name));
  return structuredClone(Object.fromEntries(kept.map(([name, value]) => [name, (name === 'cases' || name === 'arms') && Array.isArray(value) ? value.map((item: unknown) => (isValue(item) ? { ...item, next: null } : item)) : value])));
}

/* What was copied, after `after`, in its way. A node of another journey, or of a kind that is not known here, is none. */
export function pasted(definition: Definition, catalogue: JourneyCatalogue, after: string, node: unknown): { definition: Definition; id: string } | null {
  if (!isValue(node) || kindOf(catalogue, textOf(node['type'])) === undefined) return null;
  const type = textOf(node['type']);
  const grown = addAfter(definition, catalogue, after, type);
  const empty = grown.definition.nodes[grown.id] ?? {};
  const ways = Object.fromEntries((kindOf(catalogue, type)?.members ?? []).filter((member) => member.type === 'node' && Object.hasOwn(empty, member.name)).map((member) => [member.name, empty[member.name]]));
  return { definition: withNode(grown.definition, grown.id, { ...structuredClone(node), ...ways }), id: grown.id };
}

export { freshId };

/* ---- differences ---- */

export interface Difference {
  /* 'nodes/round_1/template', 'trigger', 'goals' */
  place: string;
  node: string;
  kind: 'added' | 'removed' | 'changed';
  before: unknown;
  after: unknown;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function membersThatDiffer(a: Value, b: Value, prefix: string, node: string): Difference[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.flatMap((name): Difference[] => {
    if (same(a[name], b[name])) return [];
    const kind = a[name] === undefined ? 'added' : b[name] === undefined ? 'removed' : 'changed';
    return [{ place: `${prefix}${name}`, node, kind, before: a[name], after: b[name] }];
  });
}

/* What `b` says otherwise than `a`: whole nodes that came or went, members that changed. Where nodes stand on the canvas says nothing. */
export function differencesOf(a: Definition, b: Definition): Difference[] {
  const ids = [...new Set([...Object.keys(a.nodes), ...Object.keys(b.nodes)])];
  const nodes = ids.flatMap((id): Difference[] => {
    const [before, after] = [a.nodes[id], b.nodes[id]];
    if (before === undefined) return [{ place: `nodes/${id}`, node: id, kind: 'added', before, after }];
    if (after === undefined) return [{ place: `nodes/${id}`, node: id, kind: 'removed', before, after }];
    return membersThatDiffer(before, after, `nodes/${id}/`, id);
  });
  const { nodes: _a, layout: _la, ...ownA } = a;
  const { nodes: _b, layout: _lb, ...ownB } = b;
  return [...membersThatDiffer(ownA, ownB, '', ''), ...nodes];
}
