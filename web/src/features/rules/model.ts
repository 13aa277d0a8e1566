/* SPDX-License-Identifier: Apache-2.0 */
/* model: a rule as the editor holds it, and its way from and to JSON.
 *
 * The editor's tree has identity (drag and drop, keys of rows, focus), JSON has not; apart from that they say the same:
 *
 * 1. writeRule(readRule(json)) is json again, up to the order of members. What the editor does not understand is kept
 *    in `body` as it came.
 * 2. Every node knows its JSON pointer (pointersOf), so that a count or an error of the server finds its row.
 * 3. Trees are never changed in place: each edit gives a new one and shares what stayed. That makes undo a list.
 */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };
export type JsonObject = { [member: string]: Json };

export type GroupForm = 'all' | 'any';

export interface GroupNode {
  id: number;
  form: GroupForm;
  children: RuleNode[];
}

export interface NotNode {
  id: number;
  form: 'not';
  child: RuleNode;
}

/* `where` and `rule` may be written as a list (all of them), as one rule, or not at all. */
export interface Nested {
  group: GroupNode;
  shape: 'list' | 'object' | 'single';
}

/* A condition: its head and the rest of it; what are rules themselves are nodes. */
export interface LeafNode {
  id: number;
  form: 'leaf';
  head: string; /* trait, tag, event, … ; '' for what is not known */
  body: JsonObject;
  where?: Nested;
  rule?: Nested;
  steps?: LeafNode[];
}

export type RuleNode = GroupNode | NotNode | LeafNode;

/* A whole rule. `bare`: it was one condition without a group; it is written so again as long as it is one. */
export interface RuleDocument {
  root: GroupNode;
  bare: boolean;
}

export const heads = [
  'trait', 'tag', 'segment', 'has', 'consent', 'reachable', 'relation', 'event', 'sequence', 'touch', 'object', 'prop',
] as const;

let lastId = 0;
export function newId(): number {
  lastId += 1;
  return lastId;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function headOf(value: JsonObject): string {
  return heads.find((head) => Object.hasOwn(value, head)) ?? '';
}

/* ---- from JSON ---- */

export function readNode(value: Json): RuleNode {
  if (isObject(value)) {
    const members = Object.keys(value);
    if (members.length === 1) {
      const all = value['all'];
      const any = value['any'];
      const inside = value['not'];
      if (Array.isArray(all)) return { id: newId(), form: 'all', children: all.map(readNode) };
      if (Array.isArray(any)) return { id: newId(), form: 'any', children: any.map(readNode) };
      if (inside !== undefined) return { id: newId(), form: 'not', child: readNode(inside) };
    }
    return readLeaf(value);
  }
  return { id: newId(), form: 'leaf', head: '', body: { '': value } };
}

function readLeaf(value: JsonObject): LeafNode {
  const head = headOf(value);
  const body: JsonObject = { ...value };
  const leaf: LeafNode = { id: newId(), form: 'leaf', head, body };
  const where = body['where'];
  if (head === 'event' && where !== undefined && isRuleLike(where)) {
    leaf.where = readNested(where);
    delete body['where'];
  }
  const rule = body['rule'];
  if (head === 'object' && rule !== undefined && isRuleLike(rule)) {
    leaf.rule = readNested(rule);
    delete body['rule'];
  }
  const steps = body['sequence'];
  if (head === 'sequence' && Array.isArray(steps) && steps.every(isObject)) {
    leaf.steps = steps.map(readLeaf);
    delete body['sequence'];
  }
  return leaf;
}

function isRuleLike(value: Json): boolean {
  return isObject(value) || (Array.isArray(value) && value.every(isObject));
}

function readNested(value: Json): Nested {
  if (Array.isArray(value)) return { shape: 'list', group: { id: newId(), form: 'all', children: value.map(readNode) } };
  const node = readNode(value);
  if (node.form === 'all' || node.form === 'any') return { shape: 'object', group: node };
  return { shape: 'single', group: { id: newId(), form: 'all', children: [node] } };
}

export function readRule(value: Json): RuleDocument {
  const node = readNode(value);
  if (node.form === 'all' || node.form === 'any') return { root: node, bare: false };
  return { root: { id: newId(), form: 'all', children: [node] }, bare: true };
}

export function emptyRule(): RuleDocument {
  return { root: { id: newId(), form: 'all', children: [] }, bare: false };
}

/* ---- to JSON ---- */

export function writeNode(node: RuleNode): Json {
  switch (node.form) {
    case 'all': return { all: node.children.map(writeNode) };
    case 'any': return { any: node.children.map(writeNode) };
    case 'not': return { not: writeNode(node.child) };
    case 'leaf': return writeLeaf(node);
  }
}

function writeLeaf(leaf: LeafNode): Json {
  if (leaf.head === '' && Object.keys(leaf.body).join() === '') return leaf.body[''] ?? null;
  const written: JsonObject = {};
  if (leaf.steps !== undefined) written['sequence'] = leaf.steps.map(writeLeaf);
  const headValue = leaf.body[leaf.head];
  if (headValue !== undefined) written[leaf.head] = headValue;
  if (leaf.body['via'] !== undefined) written['via'] = leaf.body['via'];
  if (leaf.where !== undefined) written['where'] = writeNested(leaf.where);
  if (leaf.rule !== undefined) written['rule'] = writeNested(leaf.rule);
  for (const [member, value] of Object.entries(leaf.body)) if (!Object.hasOwn(written, member)) written[member] = value;
  return written;
}

/* The shape that a nested rule has now: what was one rule becomes a list when it is several. */
function shapeOf(nested: Nested): Nested['shape'] {
  if (nested.shape === 'single' && nested.group.children.length === 1 && nested.group.form === 'all') return 'single';
  if (nested.group.form === 'any' || nested.shape === 'object') return 'object';
  return 'list';
}

function writeNested(nested: Nested): Json {
  const shape = shapeOf(nested);
  const [only] = nested.group.children;
  if (shape === 'single' && only !== undefined) return writeNode(only);
  if (shape === 'list') return nested.group.children.map(writeNode);
  return writeNode(nested.group);
}

export function writeRule(rule: RuleDocument): JsonObject {
  const [only] = rule.root.children;
  if (isBare(rule) && only !== undefined) {
    const written = writeNode(only);
    if (isObject(written)) return written;
  }
  return writeNode(rule.root) as JsonObject;
}

function isBare(rule: RuleDocument): boolean {
  return rule.bare && rule.root.form === 'all' && rule.root.children.length === 1;
}

/* Members in the order of the alphabet: two rules that say the same in other order are the same text. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((member) => `${JSON.stringify(member)}:${canonical(value[member] as Json)}`).join(',')}}`;
}

/* ---- pointers ---- */

/* The JSON pointer of every node in what writeRule writes. */
export function pointersOf(rule: RuleDocument): Map<number, string> {
  const pointers = new Map<number, string>();
  const visit = (node: RuleNode, pointer: string): void => {
    pointers.set(node.id, pointer);
    if (node.form === 'not') visit(node.child, `${pointer}/not`);
    else if (node.form === 'leaf') visitLeaf(node, pointer);
    else node.children.forEach((child, at) => visit(child, `${pointer}/${node.form}/${at}`));
  };
  const visitNested = (nested: Nested, pointer: string): void => {
    const shape = shapeOf(nested);
    if (shape === 'object') visit(nested.group, pointer);
    else {
      pointers.set(nested.group.id, pointer);
      nested.group.children.forEach((child, at) => visit(child, shape === 'list' ? `${pointer}/${at}` : pointer));
    }
  };
  const visitLeaf = (leaf: LeafNode, pointer: string): void => {
    pointers.set(leaf.id, pointer);
    if (leaf.where !== undefined) visitNested(leaf.where, `${pointer}/where`);
    if (leaf.rule !== undefined) visitNested(leaf.rule, `${pointer}/rule`);
    leaf.steps?.forEach((step, at) => visitLeaf(step, `${pointer}/sequence/${at}`));
  };
  const [only] = rule.root.children;
  if (isBare(rule) && only !== undefined) {
    pointers.set(rule.root.id, '');
    visit(only, '');
  } else {
    visit(rule.root, '');
  }
  return pointers;
}

/* The row that an error's pointer belongs to: the deepest node that it lies in. */
export function nodeAt(rule: RuleDocument, pointer: string): number | null {
  let best: number | null = null;
  let length = -1;
  for (const [id, own] of pointersOf(rule)) {
    const isInside = pointer === own || pointer.startsWith(`${own}/`);
    if (isInside && own.length >= length) {
      best = id;
      length = own.length;
    }
  }
  return best;
}

/* ---- looking around ---- */

export function childrenOf(node: RuleNode): RuleNode[] {
  if (node.form === 'not') return [node.child];
  if (node.form !== 'leaf') return node.children;
  return [
    ...(node.where === undefined ? [] : [node.where.group]),
    ...(node.rule === undefined ? [] : [node.rule.group]),
    ...(node.steps ?? []),
  ];
}

export function findNode(node: RuleNode, id: number): RuleNode | null {
  if (node.id === id) return node;
  for (const child of childrenOf(node)) {
    const found = findNode(child, id);
    if (found !== null) return found;
  }
  return null;
}

/* How many conditions there are, those inside conditions included: what the limit of the catalogue counts. */
export function conditionCount(node: RuleNode): number {
  return (node.form === 'leaf' ? 1 : 0) + childrenOf(node).reduce((sum, child) => sum + conditionCount(child), 0);
}

export function depthOf(node: RuleNode): number {
  return 1 + Math.max(0, ...childrenOf(node).map(depthOf));
}
