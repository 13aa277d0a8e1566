/* SPDX-License-Identifier: Apache-2.0 */
/* Canvas: the journey from top to bottom, a card for each node with what it does and its live numbers; the trigger is the first card. */
import {
  ApartmentOutlined, ApiOutlined, ClockCircleOutlined, CustomerServiceOutlined, ExportOutlined, FieldTimeOutlined, FlagOutlined, ForkOutlined, GiftOutlined, NotificationOutlined, PauseCircleOutlined, ProfileOutlined, StopOutlined, SendOutlined, StarOutlined, TagsOutlined, TeamOutlined, ThunderboltOutlined,
} from '@ant-design/icons';
import { applyNodeChanges, Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeChange, type NodeProps, type ReactFlowInstance } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useCallback, useEffect, useMemo, useRef, useState, type DragEvent, type ReactNode } from 'react';
import { useClock } from '@/app/clock';
import { useLanguage, usePreferences, useText } from '@/app/preferences';
import { useChannelName, useEventName } from '@/ui/Marks';
import { dateTime, shortCount } from '@/lib/format';
import { layoutOf } from './changes';
import { useTemplateName } from './heads';
import { cardHeight, cardWidth, down, factsOf, isValue, kindOf, placesOf, sayDuration, textOf, waysOf, type Definition, type JourneyCatalogue, keyOf, wayCounts, type NodeReport, type Value } from './model';
import { journeyTexts } from './texts';
import type { Lit } from './trial';
import './journeys.css';

/* The card of the trigger; no node can have this id, since ids are names. */
export const triggerId = '$trigger';

const icons: Readonly<Record<string, ReactNode>> = {
  wait: <ClockCircleOutlined />, wait_until: <FieldTimeOutlined />, branch: <ForkOutlined />, split: <ApartmentOutlined />, hold_out: <PauseCircleOutlined />, send: <SendOutlined />, coupon: <GiftOutlined />, points: <StarOutlined />,
  task: <CustomerServiceOutlined />, webhook: <ApiOutlined />, tag: <TagsOutlined />, trait: <ProfileOutlined />, segment: <TeamOutlined />, pause: <StopOutlined />, resume: <NotificationOutlined />, journey: <ApartmentOutlined />, goal: <FlagOutlined />, exit: <ExportOutlined />,
};

export function KindIcon({ type }: { type: string }) {
  return <span className="kind-icon" aria-hidden="true">{icons[type] ?? <ThunderboltOutlined />}</span>;
}

/* Kinds that look alike are drawn alike: what waits is round, what decides has a cut corner, what reaches her is filled. */
const shapes: Readonly<Record<string, string>> = {
  wait: 'waits', wait_until: 'waits', branch: 'decides', split: 'decides', hold_out: 'decides', send: 'reaches', coupon: 'reaches', points: 'reaches', task: 'reaches', webhook: 'reaches', exit: 'ends', goal: 'ends',
};

interface CardData extends Record<string, unknown> {
  id: string;
  type: string;
  title: string;
  kind: string;
  fact: string;
  counts: { label: string; value: number }[];
  isOpen: boolean;
  problem: string;
  canEdit: boolean;
  /* in a trial: '' for a step that she does not come by, else how it went; undefined elsewhere */
  lit: string | undefined;
  litAt: string;
  onOpen: (id: string) => void;
}
type CardNode = Node<CardData, 'card'>;

function Card({ data }: NodeProps<CardNode>) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  return (
    <button
      type="button" className={`journey-card ${shapes[data.type] ?? ''} ${data.id === triggerId ? 'begins' : ''} ${data.isOpen ? 'open' : ''} ${data.problem === '' ? '' : 'wrong'} ${data.lit === undefined ? '' : data.lit === '' ? 'dim' : `lit ${data.lit}`}`} style={{ width: cardWidth, height: cardHeight }}
      aria-pressed={data.isOpen} title={data.problem === '' ? data.title : data.problem} onClick={() => data.onOpen(data.id)} data-node={data.id}
    >
      <Handle type="target" position={Position.Top} isConnectable={data.canEdit && data.id !== triggerId} />
      <span className="journey-card-head"><KindIcon type={data.type} /><span className={data.title === data.kind ? 'cut grow kind' : 'cut grow'}><strong>{data.title}</strong></span><span className="small faint">{data.title === data.kind ? '' : data.kind}</span></span>
      <span className="cut small soft">{data.fact}</span>
      <span className="journey-counts">{data.lit !== undefined ? <span className="cut">{data.litAt}</span> : data.counts.map((one) => <span key={one.label}><b>{shortCount(one.value, language)}</b> {one.label} </span>)}</span>
      {data.problem !== '' && <span className="hidden-text">{t.problemMark}</span>}
      <Handle type="source" position={Position.Bottom} isConnectable={data.canEdit && data.id !== triggerId} />
    </button>
  );
}

const nodeTypes = { card: Card };

/* What a node does, said in a line: '等待 3 天 · 到几点 10:00'. */
export function useSaying(catalogue: JourneyCatalogue): (node: Value) => string {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const channel = useChannelName();
  const event = useEventName();
  const template = useTemplateName();
  return (node) => factsOf(node, catalogue).map(({ member, text }, at) => {
    const said = member.type === 'duration' ? sayDuration(text, t.units) : member.type === 'channel' ? channel(text) : member.type === 'event' ? event(text) : member.type === 'template' ? template(text) : member.type === 'bool' ? (text === 'true' ? t.yes : t.no) : text;
    return at === 0 || member.type === 'channel' || member.type === 'template' ? said : `${member.text[language]} ${said}`;
  }).slice(0, 4).join(' · ');
}

interface CanvasProps {
  definition: Definition;
  catalogue: JourneyCatalogue;
  report: readonly NodeReport[];
  entered: number;
  inside: number;
  opened: string;
  problems: ReadonlyMap<string, string>;
  onOpen: (id: string) => void;
  /* what hands do; null for those who may only look */
  hands: {
    onPlace: (id: string, place: { x: number; y: number }) => void;
    onConnect: (from: string, to: string) => void;
    /* a kind from the palette was dropped on a node, or (as 'a b/path') on a way */
    onDrop: (type: string, on: string) => void;
  } | null;
  /* one customer's way through it, instead of the numbers of all */
  lit?: { nodes: ReadonlyMap<string, Lit>; ways: ReadonlySet<string> };
}

/* What is dragged from the palette. */
export const paletteMime = 'application/x-kith-step';

/* What lies under the pointer: a card, a way, or else the card that is nearest. */
function targetOf(event: DragEvent): string {
  const element = event.target instanceof Element ? event.target : null;
  const way = element?.closest('.react-flow__edge')?.getAttribute('data-id');
  if (way !== null && way !== undefined) return way;
  const card = element?.closest<HTMLElement>('[data-node]');
  if (card !== null && card !== undefined) return card.dataset['node'] ?? triggerId;
  const cards = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-node]')].map((one) => ({ id: one.dataset['node'] ?? '', box: one.getBoundingClientRect() }));
  const away = ({ box }: { box: DOMRect }): number => Math.hypot(box.left + box.width / 2 - event.clientX, box.bottom - event.clientY);
  return cards.sort((a, b) => away(a) - away(b))[0]?.id ?? triggerId;
}

export function Canvas({ definition, catalogue, report, entered, inside, opened, problems, onOpen, hands, lit }: CanvasProps) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const { scheme } = usePreferences();
  const say = useSaying(catalogue);
  const event = useEventName();
  const ways = useMemo(() => waysOf(definition, catalogue, language), [definition, catalogue, language]);
  const ids = useMemo(() => Object.keys(definition.nodes), [definition]);
  const places = useMemo(() => new Map([...placesOf(ids, definition.start, ways), ...layoutOf(definition)]), [ids, definition, ways]);
  const numbers = useMemo(() => new Map(report.map((one) => [one.node, one])), [report]);
  const trigger = isValue(definition['trigger']) ? definition['trigger'] : {};
  const triggerKind = catalogue.triggers.find((one) => one.type === textOf(trigger['type']));
  const { zone } = useClock();
  const nodes = useMemo((): CardNode[] => {
    const litIn = (id: string): Pick<CardData, 'lit' | 'litAt'> => {
      const held = lit?.nodes.get(id === triggerId ? '$start' : id);
      if (lit === undefined) return { lit: undefined, litAt: '' };
      if (id === triggerId) return { lit: 'good', litAt: held === undefined ? '' : dateTime(held.first, language, zone) };
      return held === undefined ? { lit: '', litAt: '' } : { lit: held.tone, litAt: `${dateTime(held.first, language, zone)}${held.times > 1 ? ` · ${held.times}×` : ''}` };
    };
    const card = (id: string, data: Pick<CardData, 'type' | 'title' | 'kind' | 'fact' | 'counts'>, position: { x: number; y: number }): CardNode => ({ id, type: 'card', position, draggable: hands !== null && id !== triggerId, data: { id, isOpen: opened === id, problem: problems.get(id === triggerId ? '' : id) ?? '', canEdit: hands !== null, ...litIn(id), onOpen, ...data } });
    const first = places.get(definition.start) ?? { x: 0, y: 0 };
    const start = card(triggerId, {
      type: 'trigger', title: triggerKind?.text[language] ?? t.start, kind: t.start, fact: [textOf(trigger['event']) === '' ? '' : event(textOf(trigger['event'])), textOf(trigger['segment']), textOf(trigger['tag']), textOf(trigger['trait']), textOf(trigger['rrule'])].filter((part) => part !== '').join(' · '),
      counts: [{ label: t.counts.entered, value: entered }, { label: t.counts.inside, value: inside }],
    }, { x: first.x, y: first.y - down });
    return [start, ...ids.map((id) => {
      const node = definition.nodes[id] ?? {};
      const type = textOf(node['type']);
      const kind = kindOf(catalogue, type)?.text[language] ?? type;
      const counted = numbers.get(id);
      const touched = (counted?.sent ?? 0) + (counted?.delivered ?? 0) > 0 ? Math.max(counted?.sent ?? 0, counted?.delivered ?? 0) : 0;
      const reaches = shapes[type] === 'reaches' && type !== 'webhook';
      return card(id, {
        type, title: textOf(node['name']) || kind, kind, fact: say(node),
        counts: [{ label: t.counts.entered, value: counted?.entered ?? 0 }, { label: t.counts.waiting, value: counted?.waiting ?? 0 }, reaches ? { label: t.counts.touched, value: touched } : { label: t.counts.left, value: counted?.left ?? 0 }],
      }, places.get(id) ?? { x: 0, y: 0 });
    })];
  }, [definition, catalogue, language, ids, places, numbers, opened, problems, onOpen, entered, inside, t, hands === null, lit, zone]);
  const flow = useMemo(() => wayCounts(ways, report), [ways, report]);
  const edges = useMemo((): Edge[] => {
    const taken = (from: string, to: string): Partial<Edge> => (lit?.ways.has(`${from} ${to}`) === true ? { style: { stroke: 'var(--accent)', strokeWidth: 3 } } : {});
    const line = { markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 }, style: { stroke: 'var(--line-strong)', strokeWidth: 1.5 }, labelShowBg: true, labelBgPadding: [5, 2] as [number, number], labelBgBorderRadius: 4, labelStyle: { fill: 'var(--ink-soft)', fontSize: 11 }, labelBgStyle: { fill: 'var(--paper)' } };
    const first = Object.hasOwn(definition.nodes, definition.start) ? [{ id: triggerId, source: triggerId, target: definition.start, ...line, ...(lit === undefined ? {} : { style: { stroke: 'var(--accent)', strokeWidth: 3 } }) }] : [];
    return [...first, ...ways.map((way) => ({ id: `${way.from} ${way.path}`, source: way.from, target: way.to, type: 'smoothstep', label: [way.label, flow.has(keyOf(way)) ? shortCount(flow.get(keyOf(way)) ?? 0, language) : ''].filter((part) => part !== '').join(' · '), ...line, ...taken(way.from, way.to) }))];
  }, [definition, ways, flow, language, lit]);
  /* while one is dragged the canvas draws it where the hand is; the draft hears of it when it is let go */
  const [drawn, setDrawn] = useState(nodes);
  useEffect(() => setDrawn(nodes), [nodes]);
  const moved = useCallback((changes: NodeChange<CardNode>[]) => setDrawn((now) => applyNodeChanges(changes.filter((one) => one.type === 'position' || one.type === 'dimensions'), now)), []);
  const { box, begin } = useView([...places.values()]);
  return (
    <div
      className={`journey-canvas ${hands === null ? '' : 'editable'}`} role="group" aria-label={t.canvas} ref={box}
      onDragOver={(event) => { if (hands !== null && event.dataTransfer.types.includes(paletteMime)) event.preventDefault(); }}
      onDrop={(event) => { const type = event.dataTransfer.getData(paletteMime); if (hands !== null && type !== '') { event.preventDefault(); hands.onDrop(type, targetOf(event)); } }}
    >
      <ReactFlow
        nodes={drawn} edges={edges} nodeTypes={nodeTypes} onNodesChange={moved} nodeDragThreshold={6}
        onNodeDragStop={(_, node) => hands?.onPlace(node.id, node.position)} onConnect={({ source, target }) => hands?.onConnect(source, target)} colorMode={scheme} onInit={begin} fitViewOptions={{ maxZoom: 1, padding: 0.06 }} nodesConnectable={hands !== null} nodesFocusable={false} edgesFocusable={false} nodesDraggable={hands !== null} deleteKeyCode={null} zoomOnScroll={false} panOnScroll preventScrolling={false} minZoom={0.2} proOptions={{ hideAttribution: true }}
      >
        <Background gap={20} />
        <Controls showInteractive={false} position="top-right" orientation="horizontal" />
      </ReactFlow>
    </div>
  );
}

/* Begins at the trigger, as large as the width allows; a window or inspector that takes room away keeps the middle in the middle. */
function useView(places: readonly { x: number; y: number }[]) {
  const box = useRef<HTMLDivElement>(null);
  const [flow, setFlow] = useState<ReactFlowInstance<CardNode> | null>(null);
  const begin = useCallback((made: ReactFlowInstance<CardNode>) => {
    setFlow(made);
    if (box.current === null) return;
    const xs = places.map((one) => one.x);
    const [left, right, top] = [Math.min(0, ...xs), Math.max(0, ...xs) + cardWidth, Math.min(0, ...places.map((one) => one.y)) - down];
    const { clientWidth, clientHeight } = box.current;
    const tall = clientHeight / (Math.max(0, ...places.map((one) => one.y)) + cardHeight - top + 40);
    const zoom = Math.max(0.55, Math.min(1, (clientWidth - 32) / (right - left), Math.max(0.85, tall)));
    void made.setViewport({ x: clientWidth / 2 - ((left + right) / 2) * zoom, y: 20 - top * zoom, zoom });
    // the places at the beginning: later changes leave the view where the person moved it
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element === null || flow === null) return;
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      const view = flow.getViewport();
      void flow.setViewport({ ...view, x: view.x + (element.clientWidth - width) / 2 });
      width = element.clientWidth;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [flow]);
  return { box, begin };
}
