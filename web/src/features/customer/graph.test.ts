/* SPDX-License-Identifier: Apache-2.0 */
/* The picture shows every identifier once, no card lies on another, and the same graph gives the same picture. */
import { describe, expect, it } from 'vitest';
import { cardHeight, cardsOf, cardWidth, companionsOf, placeGraph, type GraphData, type GraphNode } from './graph';

const customer = (id: string, first_seen: string): GraphNode => ({ id, kind: 'customer', one_id: id, first_seen });
const identifier = (id: string, type: string): GraphNode => ({ id, kind: 'identifier', type, value: id, verified: true });
const link = (from: string, to: string, cause = 'together') => ({ from, to, cause, source: 'crm', at: '2026-01-01T00:00:00Z', seq: 1 });

const types = ['mobile', 'member_card', 'wx_unionid', 'wx_openid', 'device', 'email', 'user_id'];
const graph: GraphData = {
  nodes: [
    customer('c_b', '2026-02-01T00:00:00Z'), customer('c_a', '2026-01-01T00:00:00Z'),
    ...types.map((type, at) => identifier(`i${at}`, type)),
    ...Array.from({ length: 9 }, (_, at) => identifier(`o${at}`, 'order_no')),
  ],
  links: [
    link('c_a', 'c_b', 'identifier'),
    ...types.map((_, at) => link(`i${at}`, at % 2 === 0 ? 'c_a' : 'c_b')),
    link('o0', 'c_a'), ...Array.from({ length: 8 }, (_, at) => link(`o${at + 1}`, 'o0')),
  ],
};

describe('placeGraph', () => {
  const placed = placeGraph(graph, 'c_b');
  it('shows every node of the graph once', () => {
    const shown = placed.nodes.flatMap((one) => [one.node, ...one.others]).map((node) => node.id);
    expect(shown.sort()).toEqual(graph.nodes.map((node) => node.id).sort());
  });
  it('lets no card lie on another', () => {
    for (const a of placed.nodes) {
      for (const b of placed.nodes) {
        if (a === b) continue;
        expect(Math.abs(a.x - b.x) >= cardWidth || Math.abs(a.y - b.y) >= cardHeight).toBe(true);
      }
    }
  });
  it('puts the customer whose OneID is used first', () => {
    const middle = placed.nodes.filter((one) => one.side === 'middle').sort((a, b) => a.y - b.y);
    expect(middle.map((one) => one.id)).toEqual(['c_b', 'c_a']);
  });
  it('tells many order numbers by one card and draws one line to it', () => {
    const orders = placed.nodes.filter((one) => one.node.type === 'order_no');
    expect(orders).toHaveLength(1);
    expect(orders[0]?.others).toHaveLength(8);
    expect(placed.links.filter((one) => one.from === 'o0' || one.to === 'o0')).toHaveLength(1);
  });
  it('knows merges from identifiers', () => {
    expect(placed.links.filter((one) => one.kind === 'merge').map((one) => one.link.cause)).toEqual(['identifier']);
  });
  it('draws no line between identifiers, and hangs what is linked only to others on its customer', () => {
    const chain: GraphData = {
      nodes: [customer('c_a', ''), identifier('i', 'mobile'), identifier('j', 'email'), identifier('k', 'device')],
      links: [link('i', 'c_a', 'first'), link('j', 'i'), link('j', 'c_a'), link('k', 'j', 'claimed')],
    };
    const lines = placeGraph(chain, 'c_a').links;
    expect(lines.map((one) => [one.from, one.to].sort().join(' ')).sort()).toEqual(['c_a i', 'c_a j', 'c_a k']);
    expect(lines.find((one) => one.to === 'k' || one.from === 'k')?.link.cause).toBe('claimed');
    expect(companionsOf(chain, 'j').map((node) => node.id)).toEqual(['i', 'k']);
  });
  it('gives the same picture again', () => expect(placeGraph(graph, 'c_b')).toEqual(placed));
  it('survives a graph without customers or with loose ends', () => {
    expect(placeGraph({ nodes: [], links: [] }, 'c_x')).toEqual({ nodes: [], links: [] });
    const loose = placeGraph({ nodes: [customer('c_a', ''), identifier('i', 'mobile')], links: [link('i', 'nowhere')] }, 'c_a');
    expect(loose.nodes).toHaveLength(2);
    expect(loose.links).toHaveLength(0);
  });
});

it('keeps three of a type apart and folds four', () => {
  const some = (count: number) => Array.from({ length: count }, (_, at) => identifier(`o${at}`, 'order_no'));
  expect(cardsOf(some(3))).toHaveLength(3);
  expect(cardsOf(some(4))).toHaveLength(1);
});
