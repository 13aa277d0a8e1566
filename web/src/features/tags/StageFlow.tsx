/* SPDX-License-Identifier: Apache-2.0 */
/* StageFlow: the stages of a lifecycle as a diagram from left to right, downwards on a phone, with how many stand in each; a stage is opened from it. */
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { Grid } from 'antd';
import { useMemo } from 'react';
import { usePreferences, useText } from '@/app/preferences';
import type { Definition } from '@/features/audience/audience';
import type { JsonObject } from '@/features/rules/model';
import { exactCount } from '@/lib/format';
import { stagePlace, stagesHigh, textOf } from './tag';
import { tagTexts } from './texts';

interface StageData extends Record<string, unknown> {
  at: number;
  name: string;
  count: number | null;
  isOpen: boolean;
  isDown: boolean;
  onOpen: (at: number) => void;
}

type StageNodeType = Node<StageData, 'stage'>;

function StageNode({ data }: NodeProps<StageNodeType>) {
  const t = useText(tagTexts);
  return (
    <button type="button" className="stage-node nodrag" style={data.isOpen ? { borderColor: 'var(--accent)', boxShadow: '0 0 0 1px var(--accent)' } : undefined} onClick={() => data.onOpen(data.at)}>
      <Handle type="target" position={data.isDown ? Position.Top : Position.Left} isConnectable={false} />
      <strong title={data.name}>{data.at + 1}. {data.name === '' ? '…' : data.name}</strong>
      {data.count !== null && <span>{t.people(exactCount(data.count))}</span>}
      <Handle type="source" position={data.isDown ? Position.Bottom : Position.Right} isConnectable={false} />
    </button>
  );
}

const nodeTypes = { stage: StageNode };

export function StageFlow({ stages, sizes, opened, onOpen }: { stages: readonly JsonObject[]; sizes: NonNullable<Definition['sizes']>; opened: number | null; onOpen: (at: number) => void }) {
  const t = useText(tagTexts);
  const { scheme } = usePreferences();
  const isDown = Grid.useBreakpoint().md === false;
  const counts = useMemo(() => new Map(sizes.map((one) => [one.value, one.count])), [sizes]);
  const nodes = useMemo((): StageNodeType[] => stages.map((one, at) => {
    const name = textOf(one['value']);
    return { id: String(at), type: 'stage', position: stagePlace(at, isDown), data: { at, name, count: counts.get(name) ?? null, isOpen: opened === at, isDown, onOpen }, draggable: false };
  }), [stages, counts, opened, isDown, onOpen]);
  const edges = useMemo((): Edge[] => stages.slice(1).map((_, at) => ({ id: `e${at}`, source: String(at), target: String(at + 1), markerEnd: { type: MarkerType.ArrowClosed }, style: { strokeWidth: 1.5 } })), [stages]);
  if (stages.length === 0) return null;
  return (
    <div className="stage-flow" role="group" aria-label={t.stageFlow} style={isDown ? { height: stagesHigh(stages.length) } : undefined}>
      <ReactFlow
        key={`${stages.length} ${isDown}`} nodes={nodes} edges={edges} nodeTypes={nodeTypes} colorMode={scheme} fitView fitViewOptions={{ maxZoom: 1, padding: isDown ? 0.05 : 0.15 }} nodesConnectable={false} nodesFocusable={false} edgesFocusable={false} nodesDraggable={false} zoomOnScroll={false} preventScrolling={false} minZoom={0.3} proOptions={{ hideAttribution: true }}
      >
        <Background gap={16} />
        <Controls showInteractive={false} position="bottom-right" />
      </ReactFlow>
    </div>
  );
}
