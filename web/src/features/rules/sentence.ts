/* SPDX-License-Identifier: Apache-2.0 */
/* sentence: a rule as an operator would say it, in the word order of each language, from the catalogue's phrases.
 *
 * The result is a list of pieces, so that a page can set off what was chosen ([支付订单]) from what joins it.
 */
import type { Language } from '@/lib/text';
import { comparisonOf, operatorEntry, type Kind, type RuleCatalogue } from './catalogue';
import { isObject, type GroupNode, type Json, type JsonObject, type LeafNode, type RuleDocument, type RuleNode } from './model';
import { kindIn, labelIn, propertyLabel, type Vocabulary } from './vocabulary';
import { readAnniversary, readMoment, readSpan, readWindow, type Span } from './window';

export interface Piece {
  text: string;
  chosen: boolean;
}

interface Speech {
  pieces: Piece[];
  zh: boolean;
  v: Vocabulary;
}

const plain = (speech: Speech, zh: string, en: string): void => {
  speech.pieces.push({ text: speech.zh ? zh : en, chosen: false });
};
const chosen = (speech: Speech, text: string): void => {
  speech.pieces.push({ text, chosen: true });
};

/* ---- times ---- */

const unitWords: Readonly<Record<Span['unit'], readonly [string, string]>> = {
  m: ['分钟', 'minute'], h: ['小时', 'hour'], d: ['天', 'day'], w: ['周', 'week'], M: ['个月', 'month'], y: ['年', 'year'],
};

export function spanWords(span: Span, language: Language): string {
  const [zh, en] = unitWords[span.unit];
  return language === 'zh' ? `${span.count} ${zh}` : `${span.count} ${en}${span.count === 1 ? '' : 's'}`;
}

const anchorWords: Readonly<Record<string, readonly [string, string]>> = {
  now: ['此刻', 'now'], today: ['今天', 'today'], tomorrow: ['明天', 'tomorrow'], yesterday: ['昨天', 'yesterday'], week_start: ['本周一', 'the start of this week'],
  month_start: ['本月初', 'the start of this month'], quarter_start: ['本季初', 'the start of this quarter'], year_start: ['今年初', 'the start of this year'],
};

export function momentWords(text: string, language: Language): string {
  const moment = readMoment(text);
  if (moment === null) return text;
  const zh = language === 'zh';
  const anchor = anchorWords[moment.anchor]?.[zh ? 0 : 1] ?? moment.anchor;
  if (moment.span === null) return anchor;
  const span = spanWords(moment.span, language);
  if (zh) return `${moment.anchor === 'now' ? '' : anchor}${span}${moment.sign === '-' ? '前' : '后'}`;
  if (moment.anchor === 'now') return moment.sign === '-' ? `${span} ago` : `in ${span}`;
  return `${span} ${moment.sign === '-' ? 'before' : 'after'} ${anchor}`;
}

function windowEntry(catalogue: RuleCatalogue, name: string, language: Language): string {
  return catalogue.windows.find((one) => one.name === name)?.label[language] ?? name;
}

/* '近 90 天内', 'in the last 90 days'; '' for any time. */
export function windowWords(body: Readonly<JsonObject>, v: Vocabulary): string {
  const { language } = v;
  const zh = language === 'zh';
  const window = readWindow(body);
  switch (window.form) {
    case 'always': return '';
    case 'last': return zh ? `近 ${spanWords(window.span, language)}内` : `in the last ${spanWords(window.span, language)}`;
    case 'ago': return zh ? `${spanWords(window.from, language)}前至 ${spanWords(window.to, language)}前` : `between ${spanWords(window.from, language)} and ${spanWords(window.to, language)} ago`;
    case 'times': {
      const [from, to] = [momentWords(window.from, language), momentWords(window.to, language)];
      if (window.to === '') return zh ? `${from}以来` : `since ${from}`;
      if (window.from === '') return zh ? `${to}以前` : `before ${to}`;
      return zh ? `${from} 至 ${to}` : `from ${from} to ${to}`;
    }
    case 'named': return windowEntry(v.catalogue, window.name, language);
    case 'other': return JSON.stringify(window.during ?? window.last ?? '');
  }
}

/* ---- values ---- */

const listed = 5;

export function valueWords(value: Json | undefined, kind: Kind, v: Vocabulary): string {
  const zh = v.language === 'zh';
  if (value === undefined || value === '') return '…';
  if (Array.isArray(value)) {
    const shown = value.slice(0, listed).map((one) => valueWords(one, kind, v));
    const rest = value.length - shown.length;
    return shown.join(zh ? '、' : ', ') + (rest > 0 ? (zh ? ` 等 ${value.length} 项` : ` and ${rest} more`) : '');
  }
  if (isObject(value)) {
    const step = Number(value['step']);
    return zh ? `第 ${step + 1} 步的${propertyLabel(String(value['prop']), 'zh')}` : `step ${step + 1}'s ${propertyLabel(String(value['prop']), 'en')}`;
  }
  if (value === '$me') return zh ? '当前登录的人' : 'who is signed in';
  if (typeof value === 'boolean') return zh ? (value ? '是' : '否') : value ? 'yes' : 'no';
  if (typeof value === 'number') {
    if (kind === 'money') return (value / 100).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
  }
  if (kind === 'time' && typeof value === 'string') return momentWords(value, v.language);
  return String(value);
}

function anniversaryWords(value: Json | undefined, zh: boolean): string {
  const one = readAnniversary(value);
  if (one === null) return String(value ?? '…');
  switch (one.form) {
    case 'in': return zh ? `在 ${one.days} 天后` : `in ${one.days} days`;
    case 'within': return zh ? `在 ${one.days} 天内` : `within ${one.days} days`;
    case 'ago': return zh ? `在 ${one.days} 天前` : `${one.days} days ago`;
    case 'today': return zh ? '今天' : 'today';
    case 'this_week': return zh ? '在本周' : 'this week';
    case 'this_month': return zh ? '在本月' : 'this month';
  }
}

function channelled(value: Json | undefined, v: Vocabulary): Json | undefined {
  if (Array.isArray(value)) return value.map((one) => channelled(one, v) ?? one);
  return typeof value === 'string' ? labelIn(v.channels, value) : value;
}

/* The comparison, after its subject; false when there is none. */
function sayComparison(speech: Speech, body: Readonly<JsonObject>, kind: Kind, isChannel = false): boolean {
  const operator = comparisonOf(speech.v.catalogue, body);
  if (operator === null) return false;
  const label = operatorEntry(speech.v.catalogue, operator)?.label[speech.v.language] ?? operator;
  plain(speech, ` ${label} `, ` ${label} `);
  const value = isChannel ? channelled(body[operator], speech.v) : body[operator];
  if (operator === 'is_set' || operator === 'is_not_set') return true;
  if (operator === 'anniversary') chosen(speech, anniversaryWords(value, speech.zh));
  else if (operator === 'between' && Array.isArray(value)) chosen(speech, value.map((one) => valueWords(one, kind, speech.v)).join(speech.zh ? ' 至 ' : ' and '));
  else chosen(speech, valueWords(value, kind, speech.v));
  return true;
}

/* ---- nodes ---- */

interface Place {
  events: readonly string[];
  object: string | null;
}

function sayGroup(speech: Speech, group: GroupNode, place: Place, isInner: boolean): void {
  if (group.children.length === 0) {
    if (place.object !== null) plain(speech, group.form === 'all' ? '全部' : '一个也没有', group.form === 'all' ? 'all of them' : 'none');
    else if (group.form === 'all') plain(speech, '所有客户', 'everybody');
    else plain(speech, '没有客户', 'nobody');
    return;
  }
  const brackets = isInner && group.children.length > 1;
  if (brackets) plain(speech, '（', '(');
  group.children.forEach((child, at) => {
    if (at > 0) plain(speech, group.form === 'all' ? '，且 ' : '，或 ', group.form === 'all' ? ', and ' : ', or ');
    sayNode(speech, child, place, true);
  });
  if (brackets) plain(speech, '）', ')');
}

function sayNode(speech: Speech, node: RuleNode, place: Place, isInner: boolean): void {
  if (node.form === 'not') {
    plain(speech, '不满足 ', 'not ');
    const brackets = node.child.form === 'leaf';
    if (brackets) plain(speech, '（', '(');
    sayNode(speech, node.child, place, true);
    if (brackets) plain(speech, '）', ')');
  } else if (node.form === 'leaf') {
    sayLeaf(speech, node, place);
  } else {
    sayGroup(speech, node, place, isInner);
  }
}

export function eventsOf(body: Readonly<JsonObject>): string[] {
  const event = body['event'];
  if (Array.isArray(event)) return event.map(String);
  return typeof event === 'string' ? [event] : [];
}

function eventWords(events: readonly string[], v: Vocabulary): string {
  const zh = v.language === 'zh';
  if (events.length === 0 || events.includes('*')) return events.length === 0 ? '…' : zh ? '任意行为' : 'any event';
  return events.map((one) => labelIn(v.events, one)).join(zh ? ' 或 ' : ' or ');
}

function sayWhere(speech: Speech, leaf: LeafNode): void {
  if (leaf.where === undefined || leaf.where.group.children.length === 0) return;
  plain(speech, '（其中 ', ' (where ');
  sayGroup(speech, leaf.where.group, { events: eventsOf(leaf.body), object: null }, false);
  plain(speech, '）', ')');
}

function sayEvent(speech: Speech, leaf: LeafNode): void {
  const { body } = leaf;
  const window = windowWords(body, speech.v);
  const nth = body['nth'];
  if (window !== '') plain(speech, `${window} `, `${window}, `);
  if (typeof nth === 'number') plain(speech, nth > 0 ? `第 ${nth} 次 ` : nth === -1 ? '最近一次 ' : `倒数第 ${-nth} 次 `, nth > 0 ? `number ${nth}: ` : nth === -1 ? 'the latest ' : `number ${-nth} from the end: `);
  chosen(speech, eventWords(eventsOf(body), speech.v));
  sayWhere(speech, leaf);
  sayMeasured(speech, leaf);
}

function sayMeasured(speech: Speech, leaf: LeafNode): void {
  const { body } = leaf;
  const measure = typeof body['measure'] === 'string' ? body['measure'] : null;
  const of = typeof body['of'] === 'string' ? body['of'] : null;
  const hasComparison = comparisonOf(speech.v.catalogue, body) !== null;
  if (measure === null && !hasComparison) {
    if (leaf.head === 'event' || leaf.head === 'touch') plain(speech, ' 发生过', ' happened');
    return;
  }
  const label = speech.v.catalogue.measures.find((one) => one.measure === (measure ?? 'count'))?.label[speech.v.language] ?? measure ?? 'count';
  const net = body['net'] === true;
  const property = of === null ? '' : propertyLabel(of, speech.v.language);
  plain(speech, ` ${net ? '净' : ''}${property === '' ? '' : `${property}的`}${label}`, `${net ? ', net' : ','} ${label}${property === '' ? '' : ` of ${property}`}`);
  const kind = of === null ? 'number' : kindIn(speech.v.propertiesOf(eventsOf(body)), of);
  if (!sayComparison(speech, body, ['count', 'distinct', 'days', 'recency', null].includes(measure) ? 'number' : kind)) plain(speech, ' 有值', ' has a value');
}

function saySequence(speech: Speech, leaf: LeafNode): void {
  const window = windowWords(leaf.body, speech.v);
  if (window !== '') plain(speech, `${window} `, `${window}, `);
  leaf.steps?.forEach((step, at) => {
    if (at > 0) plain(speech, step.body['absent'] === true ? '，之后没有 ' : '，然后 ', step.body['absent'] === true ? ', then not ' : ', then ');
    chosen(speech, eventWords(eventsOf(step.body), speech.v));
    const same = step.body['same'];
    if (same !== undefined) {
      const names = (Array.isArray(same) ? same : [same]).map((one) => propertyLabel(String(one), speech.v.language)).join(speech.zh ? '、' : ', ');
      plain(speech, `（${names}与第一步相同）`, ` (same ${names})`);
    }
    sayWhere(speech, step);
  });
  const within = readSpan(leaf.body['within']);
  if (within !== null) plain(speech, `，全程 ${spanWords(within, 'zh')}内`, `, all within ${spanWords(within, 'en')}`);
}

function sayFact(speech: Speech, leaf: LeafNode, label: string, kind: Kind, isChannel = false): void {
  chosen(speech, label);
  if (!sayComparison(speech, leaf.body, kind, isChannel)) plain(speech, ' 有值', ' is set');
}

function sayTouch(speech: Speech, leaf: LeafNode): void {
  const by = isObject(leaf.body['touch']) ? leaf.body['touch'] : {};
  const window = windowWords(leaf.body, speech.v);
  if (window !== '') plain(speech, `${window} `, `${window}, `);
  plain(speech, '触达', 'touched');
  for (const [name, value] of Object.entries(by)) {
    plain(speech, ' ', ' ');
    chosen(speech, `${name} ${valueWords(value, 'text', speech.v)}`);
  }
  const status = leaf.body['status'];
  if (status !== undefined) {
    plain(speech, '，状态 ', ', status ');
    chosen(speech, valueWords(status, 'text', speech.v));
  }
  sayMeasured(speech, leaf);
}

function sayObject(speech: Speech, leaf: LeafNode): void {
  const kind = String(leaf.body['object'] ?? '');
  const via = String(leaf.body['via'] ?? '');
  plain(speech, '', 'the ');
  chosen(speech, labelIn(speech.v.objects, kind) || '…');
  plain(speech, `（经由${propertyLabel(via, 'zh')}）满足 `, ` (by ${propertyLabel(via, 'en')}) `);
  if (leaf.rule !== undefined) sayGroup(speech, leaf.rule.group, { events: [], object: kind }, true);
}

function sayLeaf(speech: Speech, leaf: LeafNode, place: Place): void {
  const { body, head } = leaf;
  const name = typeof body[head] === 'string' ? body[head] : '';
  const { v } = speech;
  switch (head) {
    case 'trait': return sayFact(speech, leaf, labelIn(v.traits, name) || '…', kindIn(v.traits, name));
    case 'tag': {
      plain(speech, '标签 ', 'tag ');
      const tags = place.object === null ? v.tags : v.objectTags(place.object);
      return sayFact(speech, leaf, labelIn(tags, name) || '…', kindIn(tags, name));
    }
    case 'relation': return sayFact(speech, leaf, labelIn(v.relations, name) || '…', 'text');
    case 'prop': {
      const known = place.object === null ? v.propertiesOf(place.events) : v.objectProperties(place.object);
      return sayFact(speech, leaf, name === '' ? '…' : propertyLabel(name, v.language), kindIn(known, name), name === 'channel' || name === '$channel');
    }
    case 'segment':
      plain(speech, '属于人群 ', 'is in ');
      return chosen(speech, labelIn(v.segments, name) || '…');
    case 'has':
      plain(speech, '有 ', 'holds ');
      return chosen(speech, labelIn(v.identifiers, name) || '…');
    case 'reachable':
      plain(speech, '今天可通过 ', 'can be reached by ');
      chosen(speech, labelIn(v.channels, name) || '…');
      return plain(speech, ' 触达', ' today');
    case 'consent': {
      const answered = body['is_set'] === true;
      const refused = body['eq'] === false || body['ne'] === true;
      plain(speech, refused ? '已拒绝 ' : answered ? '对此表过态：' : '已同意 ', refused ? 'refused ' : answered ? 'answered for ' : 'agreed to ');
      return chosen(speech, labelIn(v.purposes, name) || '…');
    }
    case 'event': return sayEvent(speech, leaf);
    case 'sequence': return saySequence(speech, leaf);
    case 'touch': return sayTouch(speech, leaf);
    case 'object': return sayObject(speech, leaf);
    default: return chosen(speech, JSON.stringify(body));
  }
}

export function ruleSentence(rule: RuleDocument, v: Vocabulary, object: string | null = null): Piece[] {
  const speech: Speech = { pieces: [], zh: v.language === 'zh', v };
  sayGroup(speech, rule.root, { events: [], object }, false);
  return speech.pieces;
}

export function nodeSentence(node: RuleNode, v: Vocabulary): Piece[] {
  const speech: Speech = { pieces: [], zh: v.language === 'zh', v };
  sayNode(speech, node, { events: [], object: null }, false);
  return speech.pieces;
}

export function piecesText(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join('').replace(/ {2,}/g, ' ').trim();
}
