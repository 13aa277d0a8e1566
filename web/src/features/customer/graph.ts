/* SPDX-License-Identifier: Apache-2.0 */
/* graph: where the cards of the identity graph stand.
 *
 * Customers (as they were born) stand below each other in the middle, the oldest, whose OneID is used,
 * first; the identifiers at home in each stand left and right of it. Many identifiers of one type
 * (order numbers) are one card that says how many. Links between customers are merges. The same graph
 * always gives the same picture.
 */
import type { Schemas } from '@/api/client';

export type GraphData = Schemas['Graph'];
export type GraphNode = GraphData['nodes'][number];
export type GraphLink = GraphData['links'][number];

export interface PlacedNode {
  id: string;
  x: number;
  y: number;
  node: GraphNode;
  /* more of the same type at the same customer, told by this card */
  others: GraphNode[];
  side: 'middle' | 'left' | 'right';
}

export interface PlacedLink {
  id: string;
  from: string;
  to: string;
  link: GraphLink;
  kind: 'merge' | 'identifier';
}

export const cardWidth = 210;
export const cardHeight = 48;
const columnGap = 150;
const rowStep = 62;
const groupGap = 40;
const collapseFrom = 4;

interface Card {
  node: GraphNode;
  others: GraphNode[];
}

/* Cards of one customer: a type with `collapseFrom` or more identifiers becomes one card. */
export function cardsOf(identifiers: readonly GraphNode[]): Card[] {
  const byType = new Map<string, GraphNode[]>();
  for (const node of identifiers) {
    const type = node.type ?? '';
    byType.set(type, [...(byType.get(type) ?? []), node]);
  }
  const cards: Card[] = [];
  for (const nodes of byType.values()) {
    const [first, ...rest] = nodes;
    if (first === undefined) continue;
    if (nodes.length >= collapseFrom) cards.push({ node: first, others: rest });
    else cards.push(...nodes.map((node) => ({ node, others: [] })));
  }
  return cards;
}

function byAge(a: GraphNode, b: GraphNode): number {
  return (a.first_seen ?? '').localeCompare(b.first_seen ?? '') || a.id.localeCompare(b.id);
}

/* The customer that an identifier is linked to: directly, or over identifiers that are. */
function homes(graph: GraphData): Map<string, string> {
  const customers = new Set(graph.nodes.filter((node) => node.kind === 'customer').map((node) => node.id));
  const near = new Map<string, string[]>();
  for (const link of graph.links) {
    near.set(link.from, [...(near.get(link.from) ?? []), link.to]);
    near.set(link.to, [...(near.get(link.to) ?? []), link.from]);
  }
  const home = new Map<string, string>();
  let edge = [...customers].sort();
  for (const id of edge) home.set(id, id);
  while (edge.length > 0) {
    const next: string[] = [];
    for (const id of edge) {
      for (const other of near.get(id) ?? []) {
        if (home.has(other)) continue;
        home.set(other, home.get(id) as string);
        next.push(other);
      }
    }
    edge = next;
  }
  return home;
}

export function placeGraph(graph: GraphData, rootOneId: string): { nodes: PlacedNode[]; links: PlacedLink[] } {
  const customers = graph.nodes.filter((node) => node.kind === 'customer').sort(byAge);
  customers.sort((a, b) => Number(b.one_id === rootOneId) - Number(a.one_id === rootOneId));
  const home = homes(graph);
  const fallback = customers[0]?.id;
  const nodes: PlacedNode[] = [];
  const cardOf = new Map<string, string>();
  let y = 0;
  for (const customer of customers) {
    const own = graph.nodes.filter((node) => node.kind === 'identifier' && (home.get(node.id) ?? fallback) === customer.id);
    const cards = cardsOf(own);
    const half = Math.ceil(cards.length / 2);
    const height = Math.max(half, 1) * rowStep;
    nodes.push({ id: customer.id, x: 0, y: y + (height - rowStep) / 2, node: customer, others: [], side: 'middle' });
    cardOf.set(customer.id, customer.id);
    cards.forEach((card, at) => {
      const side = at < half ? 'left' : 'right';
      const column = side === 'left' ? cards.slice(0, half) : cards.slice(half);
      const row = side === 'left' ? at : at - half;
      const top = y + (height - column.length * rowStep) / 2;
      nodes.push({
        id: card.node.id, x: (side === 'left' ? -1 : 1) * (cardWidth + columnGap), y: top + row * rowStep, node: card.node, others: card.others, side,
      });
      for (const one of [card.node, ...card.others]) cardOf.set(one.id, card.node.id);
    });
    y += height + groupGap;
  }
  return { nodes, links: placeLinks(graph, cardOf, home) };
}

/* Lines run between customers (merges) and from a customer to the cards of its identifiers, each pair of cards
 * once. How identifiers came together is told by the cause on their lines; an identifier that is linked only to
 * others hangs on the customer at which it is at home. */
function placeLinks(graph: GraphData, cardOf: ReadonlyMap<string, string>, home: ReadonlyMap<string, string>): PlacedLink[] {
  const customers = new Set(graph.nodes.filter((node) => node.kind === 'customer').map((node) => node.id));
  const links = new Map<string, PlacedLink>();
  const drawn = new Set<string>();
  const add = (from: string, to: string, link: GraphLink): void => {
    const id = [from, to].sort().join(' ');
    if (from === to || links.has(id)) return;
    links.set(id, { id, from, to, link, kind: customers.has(from) && customers.has(to) ? 'merge' : 'identifier' });
    drawn.add(from).add(to);
  };
  const ends = (link: GraphLink): [string, string] | null => {
    const [from, to] = [cardOf.get(link.from), cardOf.get(link.to)];
    return from === undefined || to === undefined ? null : [from, to];
  };
  for (const link of graph.links) {
    const pair = ends(link);
    if (pair !== null && pair.some((id) => customers.has(id))) add(...pair, link);
  }
  for (const link of graph.links) {
    for (const card of ends(link) ?? []) {
      const owner = home.get(card);
      if (!drawn.has(card) && owner !== undefined) add(owner, card, link);
    }
  }
  return [...links.values()];
}

/* What came together with this identifier: the other ends of its links that are identifiers. */
export function companionsOf(graph: GraphData, id: string): GraphNode[] {
  const others = new Set(graph.links.filter((link) => link.from === id || link.to === id).map((link) => (link.from === id ? link.to : link.from)));
  return graph.nodes.filter((node) => node.kind === 'identifier' && others.has(node.id));
}
