/* SPDX-License-Identifier: Apache-2.0 */
/* model.test: the layout puts each node below those that lead to it; adding and deleting keep the ways whole. */
import { describe, expect, it } from 'vitest';
import { addAfter, definitionOf, nodeAt, placesOf, sayDuration, waysOf, withoutNode, type JourneyCatalogue } from './model';

const words = { zh: '', en: '' };
const way = (name: string) => ({ name, type: 'node', needed: false, text: { zh: name, en: name } });
const kind = (type: string, members: JourneyCatalogue['nodes'][number]['members']) => ({ type, text: words, members });
const catalogue: JourneyCatalogue = {
  triggers: [], parts: {}, comparisons: [], steps: {},
  nodes: [kind('wait', [way('next')]), kind('wait_until', [way('next'), way('on_timeout')]), kind('branch', [{ ...way('cases'), type: 'list' }, way('otherwise')]), kind('send', [way('next')]), kind('exit', [])],
};
const sample = definitionOf({
  name: 'n', start: 'a', nodes: {
    a: { type: 'wait', next: 'b' }, b: { type: 'branch', cases: [{ name: 'yes', next: 'c' }, { next: 'd' }], otherwise: 'e' }, c: { type: 'wait', next: 'e' }, d: { type: 'wait_until', next: 'e', on_timeout: 'a' }, e: { type: 'send' },
  },
});

describe('ways', () => {
  it('are the members that are nodes, cases, and say which', () => {
    expect(waysOf(sample, catalogue, 'en').map((one) => `${one.from}>${one.to} ${one.path} ${one.label}`)).toEqual([
      'a>b next ', 'b>c cases/0/next yes', 'b>d cases/1/next 2', 'b>e otherwise otherwise', 'c>e next ', 'd>e next ', 'd>a on_timeout on_timeout',
    ]);
  });
});

describe('places', () => {
  const places = placesOf(Object.keys(sample.nodes), 'a', waysOf(sample, catalogue, 'en'));
  it('a node stands below all that lead to it, but for a loop', () => {
    const y = (id: string): number => places.get(id)?.y ?? NaN;
    expect(y('a')).toBeLessThan(y('b'));
    expect(y('b')).toBeLessThan(y('c'));
    expect(y('c')).toBe(y('d'));
    expect(y('d')).toBeLessThan(y('e'));
  });
  it('no two stand in the same place, also what nothing leads to', () => {
    const all = placesOf(['a', 'x', 'y'], 'a', [{ from: 'x', to: 'a' }]);
    expect(new Set([...all.values()].map((one) => `${one.x} ${one.y}`)).size).toBe(3);
    expect(new Set([...places.values()].map((one) => `${one.x} ${one.y}`)).size).toBe(5);
  });
});

describe('changes', () => {
  it('a node added stands between, and deleted again leaves what was', () => {
    const grown = addAfter(sample, catalogue, 'a', 'send');
    expect(grown.id).toBe('send');
    expect(grown.definition.nodes['a']).toEqual({ type: 'wait', next: 'send' });
    expect(grown.definition.nodes['send']?.['next']).toBe('b');
    expect(withoutNode(grown.definition, catalogue, 'send')).toEqual(sample);
  });
  it('a node added first becomes the start', () => {
    const grown = addAfter(sample, catalogue, '', 'wait');
    expect(grown.definition.start).toBe('wait');
    expect(grown.definition.nodes['wait']).toEqual({ type: 'wait', for: '1d', next: 'a' });
  });
  it('no way leads to what was deleted', () => {
    for (const id of Object.keys(sample.nodes)) {
      const less = withoutNode(sample, catalogue, id);
      expect(JSON.stringify(less.nodes)).not.toContain(`"${id}"`);
      expect(less.start).not.toBe(id);
    }
  });
});

describe('words', () => {
  const units = { d: (n: number) => `${n} 天`, h: (n: number) => `${n} 小时` };
  it('a duration is said, what is none stays', () => {
    expect(sayDuration('3d', units)).toBe('3 天');
    expect(sayDuration('-1d12h', units)).toBe('− 1 天 12 小时');
    expect(sayDuration('soon', units)).toBe('soon');
  });
  it('a pointer names its node', () => {
    expect(nodeAt('/nodes/wait/nxt')).toBe('wait');
    expect(nodeAt('/trigger/event')).toBe('');
  });
});
