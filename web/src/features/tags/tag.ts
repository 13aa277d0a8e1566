/* SPDX-License-Identifier: Apache-2.0 */
/* tag: what the editors of each kind of tag read and write; what is missing; templates to begin with. */
import { openNodes } from '@/features/rules/draft';
import { isObject, readRule, type Json, type JsonObject } from '@/features/rules/model';

export const tagKinds = ['rule', 'stage', 'score', 'rfm', 'count', 'manual', 'imported', 'model'] as const;
export type TagKind = (typeof tagKinds)[number];

export function kindOf(core: JsonObject): TagKind {
  return tagKinds.find((one) => one === core['kind']) ?? 'rule';
}

export function isGiven(kind: TagKind): boolean {
  return kind === 'manual' || kind === 'imported' || kind === 'model';
}

const paid: JsonObject = { event: 'Order Paid', last: '1y' };

export const freshTags: Readonly<Record<TagKind, JsonObject>> = {
  rule: { values: [{ value: '', rule: { all: [] } }] },
  stage: { kind: 'stage', stages: [] },
  score: { kind: 'score', max: 100, parts: [] },
  rfm: {
    kind: 'rfm', quantiles: 5,
    recency: { event: 'Order Paid', measure: 'recency', last: '1y' },
    frequency: { ...paid, measure: 'count', net: true },
    monetary: { ...paid, measure: 'sum', of: 'revenue', net: true },
  },
  count: { kind: 'count', measure: { event: 'Order Paid', measure: 'count', last: '1y' } },
  manual: { kind: 'manual', type: 'text' },
  imported: { kind: 'imported', type: 'text' },
  model: { kind: 'model', type: 'number' },
};

/* A list of objects in a member; what is no object is passed over. */
export function listOf(core: JsonObject, member: string): JsonObject[] {
  const list = core[member];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function numberOf(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

/* The object with a member set, or taken away by null. */
export function withMember(one: JsonObject, member: string, value: Json | null): JsonObject {
  const { [member]: _before, ...rest } = one;
  return value === null ? rest : { ...rest, [member]: value };
}

export function movedBy<T>(list: readonly T[], at: number, step: number): T[] {
  const next = [...list];
  const [one] = next.splice(at, 1);
  if (one !== undefined) next.splice(Math.max(0, Math.min(next.length, at + step)), 0, one);
  return next;
}

export function ruleIsWhole(rule: Json | undefined): boolean {
  return isObject(rule) && openNodes(readRule(rule).root).length === 0;
}

export function measureIsWhole(measure: Json | undefined): boolean {
  return isObject(measure) && textOf(Array.isArray(measure['event']) ? measure['event'][0] : measure['event']) !== '' && ruleIsWhole(measure);
}

/* ---- parts of a score ---- */

export type PartForm = 'rule' | 'measure' | 'event';

export function partForm(part: JsonObject): PartForm {
  if (part['rule'] !== undefined) return 'rule';
  return part['measure'] !== undefined ? 'measure' : 'event';
}

export function freshPart(form: PartForm, name: string): JsonObject {
  if (form === 'rule') return { name, points: 10, rule: { all: [] } };
  if (form === 'measure') return { name, weight: 0.001, max: 30, measure: { event: 'Order Paid', net: true, measure: 'sum', of: 'revenue', last: '1y' } };
  return { name, weight: 2, event: '', max_per_day: 10, half_life: '30d' };
}

export type Missing = 'noValues' | 'nameMissing' | 'nameTwice' | 'ruleMissing' | 'measureMissing' | 'noParts' | 'partMissing' | 'partTwice' | 'boxMissing';

function namesAre(list: readonly JsonObject[], member: string, missing: Missing, twice: Missing): Missing | null {
  const names = list.map((one) => textOf(one[member]).trim());
  if (names.includes('')) return missing;
  return new Set(names).size < names.length ? twice : null;
}

/* What keeps it from being saved; null when nothing does. */
export function missingIn(core: JsonObject): Missing | null {
  const kind = kindOf(core);
  if (kind === 'rule' || kind === 'stage') {
    const list = listOf(core, kind === 'rule' ? 'values' : 'stages');
    if (list.length === 0) return 'noValues';
    return namesAre(list, 'value', 'nameMissing', 'nameTwice') ?? (list.every((one) => ruleIsWhole(one['rule'])) ? null : 'ruleMissing');
  }
  if (kind === 'count') return measureIsWhole(core['measure']) ? null : 'measureMissing';
  if (kind === 'score') {
    const parts = listOf(core, 'parts');
    if (parts.length === 0) return 'noParts';
    return namesAre(parts, 'name', 'partMissing', 'partTwice') ?? (parts.every(partIsWhole) ? null : 'partMissing');
  }
  if (kind === 'rfm') {
    if (!['recency', 'frequency', 'monetary'].every((axis) => measureIsWhole(core[axis]))) return 'measureMissing';
    return listOf(core, 'boxes').some((box) => textOf(box['name']).trim() === '') ? 'boxMissing' : null;
  }
  return null;
}

function partIsWhole(part: JsonObject): boolean {
  const form = partForm(part);
  if (form === 'rule') return numberOf(part['points']) !== null && ruleIsWhole(part['rule']);
  if (numberOf(part['weight']) === null) return false;
  return form === 'measure' ? measureIsWhole(part['measure']) : textOf(part['event']) !== '';
}

/* ---- stages ---- */

const isBuyer: JsonObject = { event: 'Order Paid', last: '1y' };

export const stageTemplates: Readonly<Record<'aipl' | 'lifecycle', Readonly<Record<'zh' | 'en', readonly JsonObject[]>>>> = {
  aipl: {
    zh: stages(['认知', '兴趣', '购买', '忠诚']), en: stages(['aware', 'interest', 'purchase', 'loyal']),
  },
  lifecycle: {
    zh: lifecycle(['新客', '成长', '成熟', '沉睡', '流失']), en: lifecycle(['new', 'growing', 'mature', 'sleeping', 'lost']),
  },
};

function stages([aware = '', interest = '', purchase = '', loyal = '']: readonly string[]): JsonObject[] {
  return [
    { value: aware, rule: { event: '*', last: '90d' } },
    { value: interest, rule: { event: ['Product Viewed', 'Product Added'], last: '30d', gte: 3 } },
    { value: purchase, rule: isBuyer },
    { value: loyal, rule: { event: 'Order Paid', net: true, measure: 'days', last: '1y', gte: 2 } },
  ];
}

function lifecycle([fresh = '', growing = '', mature = '', sleeping = '', lost = '']: readonly string[]): JsonObject[] {
  return [
    { value: fresh, rule: { event: 'Order Paid', net: true, measure: 'count', eq: 1 } },
    { value: growing, rule: { event: 'Order Paid', net: true, measure: 'count', between: [2, 3] } },
    { value: mature, rule: { event: 'Order Paid', net: true, measure: 'count', gte: 4 } },
    { value: sleeping, rule: { event: 'Order Paid', measure: 'recency', gte: 90 } },
    { value: lost, rule: { event: 'Order Paid', measure: 'recency', gte: 180 } },
  ];
}

/* ---- RFM ---- */

export const axes = ['recency', 'frequency', 'monetary'] as const;
export type Axis = (typeof axes)[number];
export const axisLetters: Readonly<Record<Axis, 'r' | 'f' | 'm'>> = { recency: 'r', frequency: 'f', monetary: 'm' };

export function levelsOf(core: JsonObject): number {
  const thresholds = core['thresholds'];
  if (isObject(thresholds)) return 1 + Math.max(0, ...axes.map((axis) => (Array.isArray(thresholds[axis]) ? thresholds[axis].length : 0)));
  return numberOf(core['quantiles']) ?? 5;
}

/* The commonest naming of RFM by two of its scores; of five levels, scaled to others. */
export function standardBoxes(levels: number, names: Readonly<Record<'champions' | 'loyal' | 'recent' | 'promising' | 'attention' | 'sleeping' | 'risk' | 'lost' | 'rest', string>>): JsonObject[] {
  const from = (low: number, high: number): number[] => {
    const first = Math.max(1, Math.round(((low - 1) / 4) * (levels - 1)) + 1);
    const last = Math.max(first, Math.round(((high - 1) / 4) * (levels - 1)) + 1);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  };
  return [
    { name: names.champions, r: from(4, 5), f: from(4, 5) },
    { name: names.loyal, r: from(3, 3), f: from(4, 5) },
    { name: names.risk, r: from(1, 2), f: from(4, 5) },
    { name: names.recent, r: from(5, 5), f: from(1, 2) },
    { name: names.promising, r: from(4, 5), f: from(1, 3) },
    { name: names.attention, r: from(3, 3), f: from(1, 3) },
    { name: names.sleeping, r: from(2, 2) },
    { name: names.lost, r: from(1, 1) },
    { name: names.rest },
  ];
}

/* ---- the shape of a measure: how many people have at least so much ---- */

export interface Bin {
  from: number;
  to: number;
  count: number;
}

/* Counts of "at least" at rising bounds become bins between them; the last is open. */
export function binsOf(bounds: readonly number[], atLeast: readonly number[]): Bin[] {
  return bounds.slice(0, -1).map((from, at) => ({ from, to: bounds[at + 1] as number, count: Math.max(0, (atLeast[at] ?? 0) - (atLeast[at + 1] ?? 0)) }));
}

/* Where the picture ends: the first bound that no more than 2 % reach. */
export function endOf(bounds: readonly number[], atLeast: readonly number[]): number {
  const all = atLeast[0] ?? 0;
  const at = atLeast.findIndex((count) => count <= all * 0.02);
  return bounds[at === -1 ? bounds.length - 1 : at] ?? 1;
}

/* Whole bounds from 0 to the end or a little beyond, at most so many bins: counts, days and minor units have no parts. */
export function boundsTo(end: number, bins: number): number[] {
  const step = Math.max(1, Math.ceil(end / bins));
  return Array.from({ length: Math.max(1, Math.ceil(end / step)) + 1 }, (_, at) => at * step);
}

/* Thresholds stay in order: one that is moved cannot pass its neighbours. */
export function withThreshold(list: readonly number[], at: number, value: number): number[] {
  const least = at === 0 ? -Infinity : (list[at - 1] as number);
  const most = at === list.length - 1 ? Infinity : (list[at + 1] as number);
  return list.map((one, index) => (index === at ? Math.min(most, Math.max(least, value)) : one));
}

/* ---- values given by hand ---- */

export type GivenType = 'text' | 'number' | 'time' | 'bool';
export interface GivenLine {
  who: string;
  value: Json;
}

/* 'identifier, value' a line. A wrong line is told by its number. */
export function readGiven(text: string, type: GivenType): { lines: GivenLine[]; wrong: { line: number; why: 'notNumber' | 'notBool' } | null } {
  const lines: GivenLine[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [who = '', ...rest] = line.split(/[,，\t]/);
    const said = rest.join(',').trim();
    if (said === '') {
      lines.push({ who: who.trim(), value: null });
    } else if (type === 'number') {
      if (!Number.isFinite(Number(said))) return { lines, wrong: { line: at + 1, why: 'notNumber' } };
      lines.push({ who: who.trim(), value: Number(said) });
    } else if (type === 'bool') {
      if (!/^(true|false|是|否|1|0|yes|no)$/i.test(said)) return { lines, wrong: { line: at + 1, why: 'notBool' } };
      lines.push({ who: who.trim(), value: /^(true|是|1|yes)$/i.test(said) });
    } else {
      lines.push({ who: who.trim(), value: said });
    }
  }
  return { lines, wrong: null };
}

const stageAcross = 196;
const stageDown = 84;

/* Where a stage stands in its diagram: one after the other, or below it where there is no room beside it. */
export const stagePlace = (at: number, isDown: boolean): { x: number; y: number } => (isDown ? { x: 0, y: at * stageDown } : { x: at * stageAcross, y: 60 });

/* How high the diagram is downwards, so that its stages can be read as they are. */
export const stagesHigh = (count: number): number => count * stageDown + 24;
