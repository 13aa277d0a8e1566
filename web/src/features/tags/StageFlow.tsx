/* SPDX-License-Identifier: Apache-2.0 */
/* StageFlow: the stages of a lifecycle as a diagram from left to right, with how many stand in each; a stage is opened from it. */
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useMemo } from 'react';
import { usePreferences, useText } from '@/app/preferences';
import type { Definition } from '@/features/audience/audience';
import type { JsonObject } from '@/features/rules/model';
import { exactCount } from '@/lib/format';
import { textOf } from './tag';
import { tagTexts } from './texts';

interface StageData extends Record<string, unknown> {
  at: number;
  name: string;
  count: number | null;
  isOpen: boolean;
  onOpen: (at: number) => void;
}

type StageNodeType = Node<StageData, 'stage'>;

function StageNode({ data }: NodeProps<StageNodeType>) {
  const t = useText(tagTexts);
  return (
    <button type="button" className="stage-node nodrag" style={data.isOpen ? { borderColor: 'var(--accent)', boxShadow: '0 0 0 1px var(--accent)' } : undefined} onClick={() => data.onOpen(data.at)}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <strong title={data.name}>{data.at + 1}. {data.name === '' ? '…' : data.name}</strong>
      <span>{data.count === null ? '—' : t.people(exactCount(data.count))}</span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </button>
  );
}

const nodeTypes = { stage: StageNode };
const across = 196;

export function StageFlow({ stages, sizes, opened, onOpen }: { stages: readonly JsonObject[]; sizes: NonNullable<Definition['sizes']>; opened: number | null; onOpen: (at: number) => void }) {
  const t = useText(tagTexts);
  const { scheme } = usePreferences();
  const counts = useMemo(() => new Map(sizes.map((one) => [one.value, one.count])), [sizes]);
  const nodes = useMemo((): StageNodeType[] => stages.map((one, at) => {
    const name = textOf(one['value']);
    return { id: String(at), type: 'stage', position: { x: at * across, y: 60 }, data: { at, name, count: counts.get(name) ?? null, isOpen: opened === at, onOpen }, draggable: false };
  }), [stages, counts, opened, onOpen]);
  const edges = useMemo((): Edge[] => stages.slice(1).map((_, at) => ({ id: `e${at}`, source: String(at), target: String(at + 1), markerEnd: { type: MarkerType.ArrowClosed }, style: { strokeWidth: 1.5 } })), [stages]);
  if (stages.length === 0) return null;
  return (
    <div className="stage-flow" role="group" aria-label={t.stageFlow}>
      <ReactFlow
        key={stages.length} nodes={nodes} edges={edges} nodeTypes={nodeTypes} colorMode={scheme} fitView fitViewOptions={{ maxZoom: 1, padding: 0.15 }} nodesConnectable={false} nodesFocusable={false} edgesFocusable={false} nodesDraggable={false} zoomOnScroll={false} preventScrolling={false} minZoom={0.3} proOptions={{ hideAttribution: true }}
      >
        <Background gap={16} />
        <Controls showInteractive={false} position="bottom-right" />
      </ReactFlow>
    </div>
  );
}
