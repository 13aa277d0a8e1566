/* SPDX-License-Identifier: Apache-2.0 */
/* edit: what can be done to a rule in the editor. Every edit gives a new tree; the old one is undo. */
import { findNode, newId, readNode, writeNode, type GroupForm, type GroupNode, type LeafNode, type Nested, type RuleDocument, type RuleNode } from './model';

/* The tree with `change` applied to the node `id`; null takes it away. What is not touched is shared. */
export function changeNode(node: RuleNode, id: number, change: (node: RuleNode) => RuleNode | null): RuleNode | null {
  if (node.id === id) return change(node);
  if (node.form === 'not') {
    const child = changeNode(node.child, id, change);
    if (child === node.child) return node;
    return child === null ? null : { ...node, child };
  }
  if (node.form === 'leaf') return changeInLeaf(node, id, change);
  const children = node.children.map((child) => changeNode(child, id, change)).filter((child) => child !== null);
  return same(children, node.children) ? node : { ...node, children };
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

function changeInNested(nested: Nested, id: number, change: (node: RuleNode) => RuleNode | null): Nested | undefined {
  const group = changeNode(nested.group, id, change);
  if (group === nested.group) return nested;
  return group === null || group.form === 'leaf' || group.form === 'not' ? undefined : { ...nested, group };
}

function changeInLeaf(leaf: LeafNode, id: number, change: (node: RuleNode) => RuleNode | null): LeafNode {
  let next = leaf;
  for (const member of ['where', 'rule'] as const) {
    const nested = leaf[member];
    if (nested === undefined) continue;
    const changed = changeInNested(nested, id, change);
    if (changed === nested) continue;
    next = { ...next };
    /* the last property condition is gone: there is no `where` any more, while an object keeps its rule, if empty */
    if (changed === undefined || (member === 'where' && changed.group.children.length === 0)) delete next[member];
    else next[member] = changed;
  }
  if (leaf.steps !== undefined) {
    const steps = leaf.steps.map((step) => changeNode(step, id, change)).filter((step) => step?.form === 'leaf') as LeafNode[];
    if (!same(steps, leaf.steps)) next = { ...next, steps };
  }
  return next;
}

export function change(rule: RuleDocument, id: number, how: (node: RuleNode) => RuleNode | null): RuleDocument {
  const root = changeNode(rule.root, id, how);
  if (root === rule.root) return rule;
  if (root === null || root.form === 'leaf' || root.form === 'not') return { ...rule, root: { ...rule.root, children: [] } };
  return { ...rule, root };
}

export function changeLeaf(rule: RuleDocument, id: number, how: (leaf: LeafNode) => LeafNode): RuleDocument {
  return change(rule, id, (node) => (node.form === 'leaf' ? how(node) : node));
}

export function insert(rule: RuleDocument, groupId: number, at: number, node: RuleNode): RuleDocument {
  return change(rule, groupId, (group) => {
    if (group.form === 'leaf' || group.form === 'not') return group;
    const children = [...group.children];
    children.splice(at, 0, node);
    return { ...group, children };
  });
}

export function remove(rule: RuleDocument, id: number): RuleDocument {
  return change(rule, id, () => null);
}

export function setForm(rule: RuleDocument, id: number, form: GroupForm): RuleDocument {
  return change(rule, id, (node) => (node.form === 'all' || node.form === 'any' ? { ...node, form } : node));
}

/* ¬A for A, A for ¬A. */
export function negate(rule: RuleDocument, id: number): RuleDocument {
  return change(rule, id, (node) => (node.form === 'not' ? node.child : { id: newId(), form: 'not', child: node }));
}

/* What stands at a place in a group: the node itself, or the `not` around it. */
export function slotOf(rule: RuleDocument, id: number): { group: GroupNode; at: number; node: RuleNode } | null {
  const look = (node: RuleNode): { group: GroupNode; at: number; node: RuleNode } | null => {
    if (node.form === 'not') return look(node.child);
    if (node.form === 'leaf') {
      for (const nested of [node.where, node.rule]) {
        const found = nested === undefined ? null : look(nested.group);
        if (found !== null) return found;
      }
      for (const step of node.steps ?? []) {
        const found = look(step);
        if (found !== null) return found;
      }
      return null;
    }
    for (const [at, child] of node.children.entries()) {
      if (child.id === id || isWrapped(child, id)) return { group: node, at, node: child };
      const found = look(child);
      if (found !== null) return found;
    }
    return null;
  };
  return look(rule.root);
}

function isWrapped(node: RuleNode, id: number): boolean {
  return node.form === 'not' && (node.child.id === id || isWrapped(node.child, id));
}

/* Move a node (with the `not` around it) to a place in another group; not into itself. */
export function move(rule: RuleDocument, id: number, groupId: number, at: number): RuleDocument {
  const slot = slotOf(rule, id);
  if (slot === null || findNode(slot.node, groupId) !== null) return rule;
  if (slot.group.id === groupId && (at === slot.at || at === slot.at + 1)) return rule;
  /* its place is kept until it stands elsewhere: a `where` that is emptied for a moment would go, and the target with it */
  const keeper: RuleNode = { id: newId(), form: 'leaf', head: '', body: {} };
  const kept = change(rule, slot.node.id, () => keeper);
  return remove(insert(kept, groupId, at, slot.node), keeper.id);
}

export type Direction = 'up' | 'down' | 'out' | 'in';

/* By keyboard: up and down among its neighbours, out of its group behind it, into the group that stands before it. */
export function step(rule: RuleDocument, id: number, direction: Direction): RuleDocument {
  const slot = slotOf(rule, id);
  if (slot === null) return rule;
  const { group, at } = slot;
  if (direction === 'up') return at === 0 ? rule : move(rule, id, group.id, at - 1);
  if (direction === 'down') return at === group.children.length - 1 ? rule : move(rule, id, group.id, at + 2);
  if (direction === 'out') {
    const above = slotOf(rule, group.id);
    return above === null ? rule : move(rule, id, above.group.id, above.at + 1);
  }
  const before = group.children[at - 1];
  const target = before === undefined ? null : groupIn(before);
  return target === null ? rule : move(rule, id, target.id, target.children.length);
}

function groupIn(node: RuleNode): GroupNode | null {
  if (node.form === 'all' || node.form === 'any') return node;
  return node.form === 'not' ? groupIn(node.child) : null;
}

/* The same again, with ids of its own, right behind it. */
export function duplicate(rule: RuleDocument, id: number): RuleDocument {
  const slot = slotOf(rule, id);
  return slot === null ? rule : insert(rule, slot.group.id, slot.at + 1, readNode(writeNode(slot.node)));
}

/* A group around it. */
export function wrap(rule: RuleDocument, id: number, form: GroupForm): RuleDocument {
  const slot = slotOf(rule, id);
  if (slot === null) return rule;
  return change(rule, slot.node.id, (node) => ({ id: newId(), form, children: [node] }));
}

/* ---- undo and redo ---- */

export interface History<T> {
  past: readonly T[];
  now: T;
  future: readonly T[];
  /* edits of one field in a row are one step */
  mark: string;
}

const stepsKept = 200;

export function begin<T>(now: T): History<T> {
  return { past: [], now, future: [], mark: '' };
}

export function record<T>(history: History<T>, next: T, mark = ''): History<T> {
  if (next === history.now) return history;
  if (mark !== '' && mark === history.mark) return { ...history, now: next, future: [] };
  return { past: [...history.past.slice(-stepsKept), history.now], now: next, future: [], mark };
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future], mark: '' };
}

export function redo<T>(history: History<T>): History<T> {
  const [after, ...rest] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.now], now: after, future: rest, mark: '' };
}
