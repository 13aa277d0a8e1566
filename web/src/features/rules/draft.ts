/* SPDX-License-Identifier: Apache-2.0 */
/* draft: new conditions as they begin, and what of a rule is not filled in yet. */
import { comparisonOf, operatorEntry, operatorsOf, type Kind, type RuleCatalogue } from './catalogue';
import { childrenOf, isObject, newId, type Json, type JsonObject, type LeafNode, type RuleNode } from './model';

/* The body that a new condition of this form begins with. */
const fresh: Readonly<Record<string, JsonObject>> = {
  trait: { trait: '', eq: '' },
  tag: { tag: '', eq: '' },
  segment: { segment: '' },
  has: { has: '' },
  consent: { consent: 'marketing' },
  reachable: { reachable: 'wecom' },
  relation: { relation: 'adviser', eq: '' },
  event: { event: '', last: '90d', gte: 1 },
  sequence: { last: '30d', within: '1d' },
  touch: { touch: {}, last: '7d', measure: 'count', eq: 0 },
  object: { object: '', via: '' },
  prop: { prop: '', eq: '' },
};

export function newLeaf(form: string): LeafNode {
  const leaf: LeafNode = { id: newId(), form: 'leaf', head: form, body: { ...(fresh[form] ?? { [form]: '' }) } };
  if (form === 'sequence') leaf.steps = [newStep(''), newStep('')];
  if (form === 'object') leaf.rule = { shape: 'list', group: { id: newId(), form: 'all', children: [newLeaf('prop')] } };
  return leaf;
}

export function newStep(event: string): LeafNode {
  return { id: newId(), form: 'leaf', head: 'event', body: { event } };
}

/* The value that a comparison begins with when it is chosen for a kind; what still fits is kept. */
export function startValue(catalogue: RuleCatalogue, operator: string, kind: Kind, before: Json | undefined): Json {
  const arity = operatorEntry(catalogue, operator)?.value ?? 'one';
  if (arity === 'true') return true;
  if (operator === 'anniversary') return 'within 7d';
  if (arity === 'list') return Array.isArray(before) ? before : before === undefined || before === '' || before === true || isObject(before) ? [] : [before];
  const one = Array.isArray(before) ? before[0] : before;
  const kept = fits(one, kind) ? one : undefined;
  if (arity === 'two') return Array.isArray(before) && before.length === 2 ? before : kind === 'time' ? ['today-7d', 'today'] : [kept ?? 0, kept ?? 0];
  if (kept !== undefined) return kept;
  if (kind === 'number' || kind === 'money') return 0;
  if (kind === 'bool') return true;
  if (kind === 'time') return 'today';
  return '';
}

function fits(value: Json | undefined, kind: Kind): value is Json {
  if (value === undefined || value === null || isObject(value) || Array.isArray(value)) return false;
  if (kind === 'number' || kind === 'money') return typeof value === 'number';
  if (kind === 'bool') return typeof value === 'boolean';
  return typeof value === 'string' || (kind === 'time' && typeof value === 'number');
}

/* The body with another comparison; `null`: none. */
export function withComparison(catalogue: RuleCatalogue, body: Readonly<JsonObject>, operator: string | null, kind: Kind): JsonObject {
  const before = comparisonOf(catalogue, body);
  const next: JsonObject = { ...body };
  if (before !== null) delete next[before];
  if (operator !== null) next[operator] = startValue(catalogue, operator, kind, before === null ? undefined : body[before]);
  return next;
}

/* The body about something of another kind: a comparison that the kind does not have gives way to the first it has. */
export function withKind(catalogue: RuleCatalogue, body: Readonly<JsonObject>, kind: Kind): JsonObject {
  const operator = comparisonOf(catalogue, body);
  if (operator === null) return { ...body };
  const known = operatorsOf(catalogue, kind);
  const wanted = known.some((one) => one.operator === operator) ? operator : (known[0]?.operator ?? null);
  return withComparison(catalogue, body, wanted, kind);
}

const missing = (value: Json | undefined): boolean => value === undefined || value === '' || (Array.isArray(value) && (value.length === 0 || value.some((one) => one === '')));

function leafIsOpen(leaf: LeafNode): boolean {
  const { body, head } = leaf;
  if (head === 'sequence') return (leaf.steps?.length ?? 0) < 2;
  if (head === 'touch') return Object.values(body).some((value) => value === '');
  if (head !== '' && missing(body[head])) return true;
  if (head === 'object') return missing(body['via']);
  return Object.entries(body).some(([member, value]) => member !== 'eq' && member !== 'ne' ? missing(value) && member !== 'via' : value === '');
}

/* Conditions that are not filled in yet: their rows say so, and nothing is asked of the server. */
export function openNodes(node: RuleNode): number[] {
  const own = node.form === 'leaf' && leafIsOpen(node) ? [node.id] : [];
  return [...own, ...childrenOf(node).flatMap(openNodes)];
}
