/* SPDX-License-Identifier: Apache-2.0 */
/* Any rule that the catalogue allows survives the editor byte for byte, up to the order of members; edits keep trees whole. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Arity, Kind, Place, RuleCatalogue } from './catalogue';
import { begin, change, duplicate, insert, move, negate, record, redo, remove, setForm, slotOf, step, undo, wrap } from './edit';
import { canonical, childrenOf, conditionCount, findNode, nodeAt, pointersOf, readRule, writeRule, type Json, type JsonObject, type RuleDocument, type RuleNode } from './model';

/* ---- chance by seed (mulberry32, Tommy Ettinger 2017) ---- */

class Chance {
  constructor(private state: number) {}
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(end: number): number {
    return Math.floor(this.next() * end);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  is(share: number): boolean {
    return this.next() < share;
  }
}

/* The catalogue as the server's own source has it, so that a form that it learns is tried here too. */
const server = readFileSync(fileURLToPath(new URL('../../../../src/rule/catalogue.c', import.meta.url)), 'utf8');
const forms = [...server.matchAll(/\{ "(\w+)", "([a-z_ ]*)", "([a-z ]+)", "[^"]+", "[^"]+" \}/g)].map(([, form, members, of]) => ({
  form: form as string, label: { zh: '', en: '' }, members: (members ?? '').split(' ').filter(Boolean), of: (of ?? '').split(' ') as Place[],
}));
const everyKind: Kind[] = ['text', 'number', 'money', 'time', 'bool', 'texts'];
const operator = (name: string, value: Arity, kinds: Kind[] = everyKind) => ({ operator: name, label: { zh: name, en: name }, value, kinds });
const catalogue: RuleCatalogue = {
  forms,
  operators: [
    operator('eq', 'one'), operator('ne', 'one'), operator('in', 'list'), operator('not_in', 'list'), operator('lt', 'one'), operator('gte', 'one'), operator('between', 'two'),
    operator('contains', 'one'), operator('matches', 'one'), operator('anniversary', 'one'), operator('is_set', 'true'), operator('is_not_set', 'true'),
  ],
  measures: [], windows: [], units: [], limits: {}, objects: [],
};

const valueOf = (c: Chance): Json => c.of<Json>(['上海', '', 'a "quoted" \\ text', 12900, -3, 0.125, true, false, 'now-18y', '2026-06-18', '😀']);

function comparison(c: Chance): JsonObject {
  const one = c.of(catalogue.operators);
  if (one.value === 'true') return { [one.operator]: true };
  if (one.value === 'two') return { [one.operator]: [valueOf(c), valueOf(c)] };
  if (one.value === 'list') return { [one.operator]: Array.from({ length: c.below(5) }, () => valueOf(c)) };
  return { [one.operator]: c.is(0.1) ? { step: c.below(3), prop: 'revenue' } : valueOf(c) };
}

const windows: readonly JsonObject[] = [
  {}, { last: '90d' }, { last: '3M' }, { during: 'this_month' }, { during: 'since_entering' }, { during: { from: '90d', to: '30d' } }, { during: { from: 'month_start-1M' } }, { during: { to: '2026-06-19' } },
];

function nested(c: Chance, place: Place, depth: number): Json {
  if (c.is(0.5)) return Array.from({ length: c.below(4) }, () => ruleOf(c, place, depth - 1));
  return ruleOf(c, place, depth - 1);
}

/* Something for every member that a form has; a member of a later server gets a value of no meaning, and is kept. */
function member(c: Chance, name: string, place: Place, depth: number): JsonObject {
  switch (name) {
    case 'comparison': return c.is(0.8) ? comparison(c) : {};
    case 'where': return c.is(0.6) ? { where: nested(c, 'event', depth) } : {};
    case 'rule': return { rule: nested(c, 'object', depth) };
    case 'last': return c.of(windows);
    case 'during': return {};
    case 'measure': return c.is(0.5) ? { measure: c.of(['count', 'sum', 'last', 'days']) } : {};
    case 'of': return c.is(0.3) ? { of: 'revenue' } : {};
    case 'nth': return c.is(0.2) ? { nth: c.of([1, -1, 2]) } : {};
    case 'net': return c.is(0.2) ? { net: true } : {};
    case 'via': return { via: c.of(['product_id', 'products.product_id']) };
    case 'status': return c.is(0.5) ? { status: ['sent', 'delivered'] } : {};
    case 'within': return c.is(0.5) ? { within: '1d' } : {};
    default: return c.is(0.5) ? { [name]: { later: [place, null] } } : {};
  }
}

function leafOf(c: Chance, place: Place, depth: number): JsonObject {
  const form = c.of(forms.filter((one) => one.of.includes(place) && !['all', 'any', 'not'].includes(one.form) && (depth > 0 || !one.members.includes('rule'))));
  const head: JsonObject = form.form === 'sequence'
    ? { sequence: Array.from({ length: 2 + c.below(3) }, () => ({ ...leafHead(c), ...member(c, 'where', 'event', depth - 1), ...(c.is(0.4) ? { same: c.of<Json>(['order_id', ['order_id', 'product_id']]) } : {}), ...(c.is(0.3) ? { absent: true } : {}) })) }
    : form.form === 'event' ? leafHead(c) : form.form === 'touch' ? { touch: { journey: 'welcome' } } : { [form.form]: c.of(['city', 'vip', 'mobile']) };
  const parts = form.members.map((name) => member(c, name, place, depth));
  /* members in any order: the order is not part of the rule */
  const whole = Object.assign({}, ...(c.is(0.5) ? [head, ...parts] : [...parts, head])) as JsonObject;
  return whole;
}

const leafHead = (c: Chance): JsonObject => ({ event: c.of<Json>(['Order Paid', '*', ['Product Viewed', 'Product Added']]) });

function ruleOf(c: Chance, place: Place, depth: number): JsonObject {
  if (depth <= 0 || c.is(0.5)) return leafOf(c, place, depth);
  const form = c.of(['all', 'any', 'not']);
  if (form === 'not') return { not: ruleOf(c, place, depth - 1) };
  return { [form]: Array.from({ length: c.below(4) }, () => ruleOf(c, place, depth - 1)) };
}

const seed = Number(process.env['KITH_SEED'] ?? 20261122);
const places: readonly Place[] = ['customer', 'event', 'object'];

function valueAt(json: Json, pointer: string): Json | undefined {
  return pointer.split('/').slice(1).reduce<Json | undefined>((at, name) => (Array.isArray(at) ? at[Number(name)] : typeof at === 'object' && at !== null ? at[name] : undefined), json);
}

function all(rule: RuleDocument): RuleNode[] {
  const below = (node: RuleNode): RuleNode[] => [node, ...childrenOf(node).flatMap(below)];
  return below(rule.root);
}

describe(`the editor's model (seed ${seed})`, () => {
  it('knows the forms of the server', () => {
    expect(forms.map((one) => one.form)).toEqual(expect.arrayContaining(['all', 'any', 'not', 'trait', 'event', 'sequence', 'touch', 'object', 'prop']));
  });

  it('gives back every rule as it came', () => {
    const c = new Chance(seed);
    for (let round = 0; round < 3000; round += 1) {
      const json = ruleOf(c, c.of(places), 1 + c.below(5));
      expect(canonical(writeRule(readRule(json)))).toBe(canonical(json));
    }
  });

  it('gives back every rule of the documentation', () => {
    const docs = readFileSync(fileURLToPath(new URL('../../../../docs/rules.md', import.meta.url)), 'utf8');
    const examples = [...docs.matchAll(/```json(?: wrong| measure)?\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text as string) as JsonObject);
    expect(examples.length).toBeGreaterThan(15);
    for (const json of examples) expect(canonical(writeRule(readRule(json)))).toBe(canonical(json));
  });

  it('keeps what it does not understand', () => {
    for (const json of [{ all: [{ later: { form: 1 } }] }, { all: [{ trait: 'city', eq: 'x' }], note: 'more' }, { any: 5 }, { event: 'A', where: 'no rule' }, { all: [null, 3, 'text'] }] as JsonObject[])
      expect(canonical(writeRule(readRule(json)))).toBe(canonical(json));
  });

  it('points at every condition', () => {
    const c = new Chance(seed + 1);
    for (let round = 0; round < 300; round += 1) {
      const json = ruleOf(c, 'customer', 4);
      const rule = readRule(json);
      const pointers = pointersOf(rule);
      for (const node of all(rule)) {
        if (node.form !== 'leaf' || node.head === '') continue;
        const found = valueAt(json, pointers.get(node.id) as string) as JsonObject;
        expect(Object.keys(found)).toContain(node.head);
        expect(nodeAt(rule, `${pointers.get(node.id) as string}/eq`)).toBe(node.id);
      }
    }
  });

  it('edits at random leave a whole tree, and undo takes all of them back', () => {
    const c = new Chance(seed + 2);
    for (let round = 0; round < 200; round += 1) {
      const json = ruleOf(c, 'customer', 4);
      let history = begin(readRule(json));
      for (let edit = 0; edit < 12; edit += 1) {
        const rule = history.now;
        const nodes = all(rule);
        const { id } = c.of(nodes);
        const groups = nodes.filter((node) => node.form === 'all' || node.form === 'any');
        const edits: (() => RuleDocument)[] = [
          () => remove(rule, id), () => negate(rule, id), () => duplicate(rule, id), () => wrap(rule, id, 'any'), () => setForm(rule, id, 'any'),
          () => move(rule, id, c.of(groups).id, c.below(3)), () => step(rule, id, c.of(['up', 'down', 'in', 'out'])), () => insert(rule, id, 0, readRule({ trait: 'x', eq: 1 }).root),
        ];
        const next = c.of(edits)();
        expect(next.root.form).toMatch(/all|any/);
        const ids = all(next).map((node) => node.id);
        expect(new Set(ids).size).toBe(ids.length);
        history = record(history, next);
        expect(canonical(writeRule(readRule(writeRule(next))))).toBe(canonical(writeRule(next)));
      }
      const last = canonical(writeRule(history.now));
      let count = 0;
      while (history.past.length > 0) {
        history = undo(history);
        count += 1;
      }
      expect(canonical(writeRule(history.now))).toBe(canonical(json));
      for (; count > 0; count -= 1) history = redo(history);
      expect(canonical(writeRule(history.now))).toBe(last);
    }
  });

  it('moving never loses or doubles a condition', () => {
    const c = new Chance(seed + 3);
    for (let round = 0; round < 500; round += 1) {
      const rule = readRule({ all: [ruleOf(c, 'customer', 3), ruleOf(c, 'customer', 3), { any: [ruleOf(c, 'customer', 2)] }] });
      const nodes = all(rule).filter((node) => slotOf(rule, node.id) !== null);
      const groups = all(rule).filter((node) => node.form === 'all' || node.form === 'any');
      const moved = move(rule, c.of(nodes).id, c.of(groups).id, c.below(4));
      expect(conditionCount(moved.root)).toBe(conditionCount(rule.root));
    }
  });
});

describe('edits', () => {
  const two = (): RuleDocument => readRule({ all: [{ trait: 'a', eq: 1 }, { trait: 'b', eq: 2 }, { any: [{ trait: 'c', eq: 3 }] }] });
  const idOf = (rule: RuleDocument, name: string): number => all(rule).find((node) => node.form === 'leaf' && node.body['trait'] === name)?.id ?? 0;

  it('moves down, out and in by keyboard', () => {
    const rule = two();
    expect(writeRule(step(rule, idOf(rule, 'a'), 'down'))).toEqual({ all: [{ trait: 'b', eq: 2 }, { trait: 'a', eq: 1 }, { any: [{ trait: 'c', eq: 3 }] }] });
    expect(writeRule(step(rule, idOf(rule, 'c'), 'out'))).toEqual({ all: [{ trait: 'a', eq: 1 }, { trait: 'b', eq: 2 }, { any: [] }, { trait: 'c', eq: 3 }] });
    const group = rule.root.children[2] as RuleNode;
    expect(writeRule(step(move(rule, idOf(rule, 'b'), rule.root.id, 3), idOf(rule, 'b'), 'in'))).toEqual({ all: [{ trait: 'a', eq: 1 }, { any: [{ trait: 'c', eq: 3 }, { trait: 'b', eq: 2 }] }] });
    expect(step(rule, group.id, 'down')).toBe(rule);
  });

  it('takes its not along', () => {
    const rule = negate(two(), 0);
    const negated = negate(rule, idOf(rule, 'a'));
    expect(writeRule(step(negated, idOf(negated, 'a'), 'down'))).toEqual({ all: [{ trait: 'b', eq: 2 }, { not: { trait: 'a', eq: 1 } }, { any: [{ trait: 'c', eq: 3 }] }] });
    expect(findNode(negated.root, idOf(negated, 'a'))).not.toBeNull();
  });

  it('gathers what is typed into one step', () => {
    const start = two();
    const id = idOf(start, 'a');
    let history = begin(start);
    for (const value of ['上', '上海']) history = record(history, change(history.now, id, (node) => (node.form === 'leaf' ? { ...node, body: { trait: 'a', eq: value } } : node)), `value ${id}`);
    expect(history.past.length).toBe(1);
    expect(undo(history).now).toBe(start);
  });
});
