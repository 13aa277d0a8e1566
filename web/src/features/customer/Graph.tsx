/* SPDX-License-Identifier: Apache-2.0 */
/* Graph: the identity graph, with the cause of each link on its edge; or the same as a table. */
import { useQuery } from '@tanstack/react-query';
import { Background, BaseEdge, Controls, EdgeLabelRenderer, Handle, Position, ReactFlow, type Edge, type EdgeProps, type Node, type NodeProps } from '@xyflow/react';
import { Segmented, Tooltip } from 'antd';
import { useMemo, useState } from 'react';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { usePreferences, useText } from '@/app/preferences';
import { useNarrow } from '@/lib/media';
import { wordFor } from '@/lib/text';
import { Avatar, Time, useIdentifierName } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Bones, Empty, Loaded } from '@/ui/States';
import { identityWords } from '../identity/words';
import { cardHeight, cardWidth, companionsOf, placeGraph, type GraphData, type GraphNode, type PlacedNode } from './graph';
import { customerTexts } from './texts';
import '@xyflow/react/dist/style.css';

interface CardData extends Record<string, unknown> {
  placed: PlacedNode;
  isRoot: boolean;
  name: string;
  companions: GraphNode[];
}
type CardNode = Node<CardData, 'customer' | 'identifier'>;

const weakTypes = new Set(['receiver_key', 'device', 'anonymous_id']);

export function Graph({ customer }: { customer: Schemas['Customer'] }) {
  const t = useText(customerTexts).graph;
  const [as, setAs] = useState<'graph' | 'table'>(useNarrow() ? 'table' : 'graph');
  const graph = useQuery(queries.graph(customer.one_id));
  return (
    <>
      <div className="row between wrap" style={{ marginBottom: 12 }}>
        <span className="faint small">{t.legend}</span>
        <Segmented size="small" value={as} onChange={setAs} options={[{ value: 'graph', label: t.graph }, { value: 'table', label: t.table }]} />
      </div>
      <Loaded query={graph} skeleton={<Bones rows={10} inset={0} />} isEmpty={(data) => data.nodes.length === 0} empty={<Empty title={t.empty} />}>
        {(data) => (as === 'graph' ? <Drawn graph={data} customer={customer} /> : <Links graph={data} />)}
      </Loaded>
    </>
  );
}

function Drawn({ graph, customer }: { graph: GraphData; customer: Schemas['Customer'] }) {
  const { scheme } = usePreferences();
  const identity = useText(identityWords);
  const placed = useMemo(() => placeGraph(graph, customer.one_id), [graph, customer.one_id]);
  const nodes = useMemo<CardNode[]>(() => placed.nodes.map((one) => ({
    id: one.id, type: one.side === 'middle' ? 'customer' : 'identifier', position: { x: one.x - cardWidth / 2, y: one.y }, draggable: true, connectable: false,
    data: { placed: one, isRoot: one.node.one_id === customer.one_id, name: customer.name, companions: companionsOf(graph, one.id) },
  })), [graph, placed, customer.one_id, customer.name]);
  const edges = useMemo<Edge[]>(() => {
    let around = 0;
    const sides = new Map(placed.nodes.map((one) => [one.id, one]));
    return placed.links.map((one) => {
      const from = sides.get(one.from);
      const to = sides.get(one.to);
      const isMerge = one.kind === 'merge';
      /* drawn from the customer outwards, or downwards between customers */
      const turned = isMerge ? (from?.y ?? 0) > (to?.y ?? 0) : from?.side !== 'middle';
      const outer = turned ? from : to;
      const isWeak = !isMerge && (outer?.node.verified === false || weakTypes.has(outer?.node.type ?? ''));
      const side = isMerge ? 'bottom' : outer?.side === 'left' ? 'left' : 'right';
      const cause = wordFor(isMerge ? identity.mergeShort : identity.link, one.link.cause);
      return {
        id: one.id, source: turned ? one.to : one.from, target: turned ? one.from : one.to, sourceHandle: side, targetHandle: 'in', type: isMerge ? 'merge' : 'default', data: { around: isMerge && passesAnother(placed.nodes, from, to) ? (around += 1) : 0 },
        label: one.link.source === '' ? cause : `${cause} · ${one.link.source}`, labelShowBg: true, labelBgPadding: [5, 2] as [number, number], labelBgBorderRadius: 4,
        labelStyle: { fill: 'var(--ink-soft)', fontSize: 11 }, labelBgStyle: { fill: 'var(--paper)' },
        style: { stroke: isMerge ? 'var(--accent)' : 'var(--line-strong)', strokeWidth: isMerge ? 3 : 1.5, strokeDasharray: isWeak ? '5 4' : undefined },
      };
    });
  }, [placed, identity]);
  const height = Math.min(720, Math.max(420, ...placed.nodes.map((one) => one.y + cardHeight + 60)));
  return (
    <div className="graph" style={{ height }}>
      <ReactFlow
        nodes={nodes} edges={edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes} colorMode={scheme} fitView fitViewOptions={{ padding: 0.08, maxZoom: 1.05 }} minZoom={0.2}
        nodesConnectable={false} edgesFocusable={false} preventScrolling={false} zoomOnScroll={false}
      >
        <Background gap={24} size={1} />
        <Controls showInteractive={false} position="top-right" orientation="horizontal" />
      </ReactFlow>
    </div>
  );
}

function CustomerCard({ data }: NodeProps<CardNode>) {
  const t = useText(customerTexts).graph;
  const { placed, isRoot, name } = data;
  return (
    <div className={`graph-card graph-customer ${isRoot ? 'root' : ''}`} style={{ width: cardWidth, height: cardHeight }}>
      <Avatar name={isRoot ? name : ''} seed={placed.node.one_id ?? placed.id} size={28} />
      <span className="grow">
        <span className="small faint cut" style={{ display: 'block', lineHeight: '16px' }}>{isRoot ? t.root : t.born} {placed.node.first_seen !== undefined && <>· <Time at={placed.node.first_seen} /></>}</span>
        <span className="mono">{placed.node.one_id ?? placed.id}</span>
      </span>
      <Handle type="target" id="in" position={Position.Top} />
      <Handle type="source" id="left" position={Position.Left} />
      <Handle type="source" id="right" position={Position.Right} />
      <Handle type="source" id="bottom" position={Position.Bottom} />
    </div>
  );
}

function IdentifierCard({ data }: NodeProps<CardNode>) {
  const t = useText(customerTexts).graph;
  const typeName = useIdentifierName();
  const { placed } = data;
  const { type = '', value = '', verified = false } = placed.node;
  const title = [placed.node, ...placed.others].map((node) => node.value).join(', ');
  return (
    <Tooltip title={<>{typeName(type)} · {verified ? t.verified : t.claimed}<br /><span className="mono">{title}</span>{data.companions.length > 0 && <><br />{t.together} {data.companions.slice(0, 5).map((node) => `${typeName(node.type ?? '')} ${node.value ?? ''}`).join(', ')}</>}</>}>
      <div className={`graph-card ${verified ? 'verified' : ''}`} style={{ width: cardWidth, height: cardHeight }}>
        <span className="grow">
          <span className="small faint" style={{ display: 'block', lineHeight: '16px' }}>{typeName(type)}{placed.others.length > 0 && <strong> {t.more(placed.others.length + 1)}</strong>}</span>
          <span className="mono cut" style={{ display: 'block' }}>{value}</span>
        </span>
        {verified && <span className="graph-verified" aria-label={t.verified}>✓</span>}
        <Handle type="target" id="in" position={placed.side === 'left' ? Position.Right : Position.Left} />
      </div>
    </Tooltip>
  );
}

/* Do other customers stand between these two? Then the line goes around them. */
function passesAnother(nodes: readonly PlacedNode[], from: PlacedNode | undefined, to: PlacedNode | undefined): boolean {
  if (from === undefined || to === undefined) return false;
  const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  return nodes.some((one) => one.side === 'middle' && one.y > top && one.y < bottom);
}

/* The first line goes around on the right, the next on the left, each further one wider: its middle lies three
 * quarters of the bulge aside, which is just past the card for the first. */
function bulgeOf(around: number): number {
  if (around === 0) return 0;
  const size = 168 + Math.floor((around - 1) / 2) * 44;
  return around % 2 === 1 ? size : -size;
}

const labelAt = 0.8; /* near the card that was joined in, where the lines have parted */

/* The point of a cubic curve with both handles aside by `bulge`. */
function onCurve(from: number, to: number, bulge: number, at: number): number {
  const rest = 1 - at;
  return from * (rest ** 3 + 3 * rest ** 2 * at) + to * (at ** 3 + 3 * rest * at ** 2) + bulge * 3 * rest * at;
}

function MergeEdge({ id, sourceX, sourceY, targetX, targetY, style, label, data }: EdgeProps) {
  const bulge = bulgeOf(Number(data?.['around'] ?? 0));
  const path = `M${sourceX},${sourceY}C${sourceX + bulge},${sourceY} ${targetX + bulge},${targetY} ${targetX},${targetY}`;
  const at = bulge === 0 ? 0.5 : labelAt;
  const [x, y] = [onCurve(sourceX, targetX, bulge, at), onCurve(sourceY, targetY, 0, at)];
  return (
    <>
      <BaseEdge id={id} path={path} style={style} />
      <EdgeLabelRenderer>
        <span className="graph-label nodrag nopan" style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>{label}</span>
      </EdgeLabelRenderer>
    </>
  );
}

const edgeTypes = { merge: MergeEdge };
const nodeTypes = { customer: CustomerCard, identifier: IdentifierCard };

function Links({ graph }: { graph: GraphData }) {
  const t = useText(customerTexts).graph;
  const identity = useText(identityWords);
  const typeName = useIdentifierName();
  const names = new Map(graph.nodes.map((node) => [node.id, node.kind === 'customer' ? (node.one_id ?? node.id) : `${typeName(node.type ?? '')} ${node.value ?? ''}`]));
  const isCustomer = new Set(graph.nodes.filter((node) => node.kind === 'customer').map((node) => node.id));
  return (
    <DataTable
      rowKey={(row) => `${row.from} ${row.to} ${row.seq}`} dataSource={graph.links}
      columns={[
        { key: 'from', title: t.from, render: (_, row) => names.get(row.from) ?? row.from },
        { key: 'to', title: t.to, render: (_, row) => names.get(row.to) ?? row.to },
        { key: 'cause', title: t.cause, render: (_, row) => wordFor(isCustomer.has(row.from) && isCustomer.has(row.to) ? identity.mergeShort : identity.link, row.cause) },
        { key: 'source', title: t.source, dataIndex: 'source' },
        { key: 'at', title: t.at, render: (_, row) => <Time at={row.at} exact /> },
      ]}
    />
  );
}
