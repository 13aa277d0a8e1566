/* SPDX-License-Identifier: Apache-2.0 */
/* What hands do on the canvas keeps a definition whole; flaws are said where they are; two versions differ in what was changed. */
import { describe, expect, it } from 'vitest';
import { connect, copied, differencesOf, insertInto, layoutOf, pasted, withoutLayout, withPlace } from './changes';
import { flawsOf } from './check';
import { definitionOf, type JourneyCatalogue } from './model';
import { matchesOf, ruleOf } from './rules';

const words = { zh: '', en: '' };
const member = (name: string, type: string, needed = false) => ({ name, type, needed, text: { zh: name, en: name } });
const way = (name: string) => member(name, 'node');
const catalogue: JourneyCatalogue = {
  triggers: [{ type: 'event', text: words, members: [member('type', 'text', true), member('event', 'event', true)] }], parts: { case: { text: words, members: [way('next'), member('rule', 'rule')] } } as unknown as JourneyCatalogue['parts'], comparisons: [], steps: {},
  nodes: [
    { type: 'wait', text: words, members: [way('next'), member('for', 'duration')] }, { type: 'branch', text: words, members: [member('cases', 'list', true), way('otherwise')] },
    { type: 'send', text: words, members: [member('channel', 'channel', true), way('next'), way('on_failed')] }, { type: 'exit', text: words, members: [] },
  ],
};
const sample = definitionOf({
  name: 'n', trigger: { type: 'event', event: 'Order Paid' }, start: 'a', nodes: { a: { type: 'wait', for: '1d', next: 'b' }, b: { type: 'branch', cases: [{ name: 'yes', next: 'c' }, { next: null }], otherwise: 'd' }, c: { type: 'send', channel: 'sms' }, d: { type: 'exit' } },
});

describe('placing', () => {
  it('is remembered for nodes that exist, and forgotten as a whole', () => {
    const placed = withPlace(withPlace(sample, 'a', { x: 3.4, y: 5 }), 'gone', { x: 1, y: 1 });
    expect([...layoutOf(placed)]).toEqual([['a', { x: 3, y: 5 }]]);
    expect(withoutLayout(placed)).toEqual(sample);
  });
});

describe('connecting', () => {
  it('takes the first way that leads nowhere', () => {
    expect(connect(sample, catalogue, 'c', 'd').nodes['c']).toEqual({ type: 'send', channel: 'sms', next: 'd' });
    expect(connect(connect(sample, catalogue, 'c', 'd'), catalogue, 'c', 'a').nodes['c']).toEqual({ type: 'send', channel: 'sms', next: 'd', on_failed: 'a' });
    expect(connect(sample, catalogue, 'b', 'd').nodes['b']?.['cases']).toEqual([{ name: 'yes', next: 'c' }, { next: 'd' }]);
  });
  it('leads nowhere from what ends, or to itself', () => {
    expect(connect(sample, catalogue, 'd', 'a')).toEqual(sample);
    expect(connect(sample, catalogue, 'a', 'a')).toEqual(sample);
  });
});

describe('inserting and pasting', () => {
  it('a node in a case leads on to where the case led', () => {
    const { definition, id } = insertInto(sample, catalogue, { from: 'b', to: 'c', path: 'cases/0/next' }, 'wait');
    expect(definition.nodes['b']?.['cases']).toEqual([{ name: 'yes', next: id }, { next: null }]);
    expect(definition.nodes[id]?.['next']).toBe('c');
    expect(definition.start).toBe('a');
  });
  it('a copy has no ways of its own, and stands in the way it is put into', () => {
    expect(copied(sample, catalogue, 'b')).toEqual({ type: 'branch', cases: [{ name: 'yes', next: null }, { next: null }] });
    const twice = pasted(sample, catalogue, 'a', copied(sample, catalogue, 'a'));
    expect(twice?.definition.nodes['a']).toEqual({ type: 'wait', for: '1d', next: 'wait' });
    expect(twice?.definition.nodes['wait']).toEqual({ type: 'wait', for: '1d', next: 'b' });
    expect(pasted(sample, catalogue, 'a', { type: 'unheard of' })).toBeNull();
  });
});

describe('flaws', () => {
  const said = (definition: typeof sample): string[] => flawsOf(definition, catalogue).map((one) => `${one.node} ${one.flaw} ${one.member?.name ?? ''}`.trim());
  it('a whole journey has none', () => expect(said(sample)).toEqual([]));
  it('each is said at its node', () => {
    expect(said({ ...sample, nodes: { ...sample.nodes, c: { type: 'send' }, x: { type: 'wait', next: 'nobody' } } })).toEqual(['c missing channel', 'x nowhere next', 'x unreached']);
    expect(said({ ...sample, trigger: { type: 'event' } })).toEqual(['missing event']);
  });
  it('a round in which nobody waits never ends', () => {
    expect(said({ ...sample, nodes: { ...sample.nodes, c: { type: 'send', channel: 'sms', next: 'b' } } })).toEqual(['b endless', 'c endless']);
    expect(said({ ...sample, nodes: { ...sample.nodes, c: { type: 'send', channel: 'sms', next: 'a' } } })).toEqual([]);
  });
});

describe('differences', () => {
  it('are members that changed, nodes that came and went; not where they stand', () => {
    const other = { ...withPlace(sample, 'a', { x: 1, y: 2 }), name: 'm', nodes: { a: { type: 'wait', for: '2d', next: 'b' }, b: sample.nodes['b'] ?? {}, c: sample.nodes['c'] ?? {}, e: { type: 'exit' } } };
    expect(differencesOf(sample, other).map((one) => `${one.kind} ${one.place}`)).toEqual(['changed name', 'changed nodes/a/for', 'removed nodes/d', 'added nodes/e']);
    expect(differencesOf(sample, sample)).toEqual([]);
  });
});

describe('conditions on an event', () => {
  it('come back as they were', () => {
    const list = [{ prop: 'channel', in: ['tmall'] }];
    expect(matchesOf(ruleOf(list))).toEqual(list);
    expect(matchesOf(ruleOf([]))).toBeUndefined();
    expect(matchesOf({ any: list })).toEqual([{ any: list }]);
  });
});
