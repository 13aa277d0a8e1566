/* SPDX-License-Identifier: Apache-2.0 */
/* RfmForm: three measures, each with a histogram on which its thresholds can be dragged, and named boxes of their scores. */
import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Input, InputNumber, Segmented, Select } from 'antd';
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { useLanguage, useText } from '@/app/preferences';
import type { Definition } from '@/features/audience/audience';
import { isObject, type Json, type JsonObject } from '@/features/rules/model';
import { RuleEditor } from '@/features/rules/RuleEditor';
import { exactCount, shortCount } from '@/lib/format';
import { Panel } from '@/ui/Page';
import { axes, axisLetters, levelsOf, listOf, movedBy, numberOf, standardBoxes, textOf, withMember, withThreshold, type Axis, type Bin } from './tag';
import { tagTexts } from './texts';
import { useDistribution, type Distribution } from './useDistribution';

interface RfmFormProps {
  core: JsonObject;
  onChange: (core: JsonObject) => void;
  error: unknown;
  saved: Definition | null;
}

/* What the measure's numbers are in: the thresholds of money are minor units, shown as main ones. */
const isMoney = (axis: Axis): boolean => axis === 'monetary';

function thresholdsOf(core: JsonObject, axis: Axis): number[] | null {
  const thresholds = core['thresholds'];
  const list = isObject(thresholds) ? thresholds[axis] : undefined;
  return Array.isArray(list) ? list.filter((one): one is number => typeof one === 'number') : null;
}

/* What the server found for equal shares, in the units of thresholds: numbers are kept in millionths there. */
function foundEdges(saved: Definition | null, axis: Axis): number[] {
  const edges = saved?.edges?.[axis] ?? [];
  return isMoney(axis) ? edges : edges.map((one) => one / 1_000_000);
}

export function RfmForm({ core, onChange, error, saved }: RfmFormProps) {
  const t = useText(tagTexts);
  const isOwn = isObject(core['thresholds']);
  const levels = levelsOf(core);
  const split = (own: boolean): void => {
    if (!own) {
      onChange({ ...withMember(core, 'thresholds', null), quantiles: levels });
      return;
    }
    const start: JsonObject = {};
    for (const axis of axes) {
      const found = foundEdges(saved, axis);
      start[axis] = found.length > 0 ? found : defaults(axis, levels);
    }
    onChange({ ...withMember(core, 'quantiles', null), thresholds: start });
  };
  const setLevels = (next: number): void => {
    if (!isOwn) onChange({ ...core, quantiles: next });
    else onChange({ ...core, thresholds: Object.fromEntries(axes.map((axis) => [axis, resized(thresholdsOf(core, axis) ?? [], next - 1)])) });
  };
  return (
    <div className="stack">
      <Panel
        title={t.split}
        tools={(
          <div className="row wrap">
            <Segmented<string> aria-label={t.split} value={isOwn ? 'own' : 'quantiles'} onChange={(next) => split(next === 'own')} options={[{ value: 'quantiles', label: t.quantiles }, { value: 'own', label: t.thresholds }]} />
            <label className="row small"><span className="soft nowrap">{t.levels}</span><InputNumber<number> aria-label={t.levels} value={levels} min={2} max={10} precision={0} style={{ width: 64 }} onChange={(next) => setLevels(next ?? 5)} /></label>
          </div>
        )}
      >
        <p className="small faint">{isOwn ? t.drag : t.quantilesOf(levels)}</p>
      </Panel>
      {axes.map((axis) => (
        <AxisPanel
          key={axis} axis={axis} core={core} error={error} edges={thresholdsOf(core, axis) ?? foundEdges(saved, axis)} isOwn={isOwn}
          onMeasure={(measure) => onChange({ ...core, [axis]: measure })}
          onEdges={(edges) => onChange({ ...core, thresholds: { ...(isObject(core['thresholds']) ? core['thresholds'] : {}), [axis]: edges } })}
        />
      ))}
      <Boxes core={core} levels={levels} onChange={onChange} saved={saved} />
    </div>
  );
}

function defaults(axis: Axis, levels: number): number[] {
  const step = { recency: 45, frequency: 1, monetary: 20_000 }[axis];
  return Array.from({ length: levels - 1 }, (_, at) => (at + 1) * step);
}

function resized(list: readonly number[], length: number): number[] {
  const last = list.at(-1) ?? 0;
  return Array.from({ length }, (_, at) => list[at] ?? last);
}

interface AxisPanelProps {
  axis: Axis;
  core: JsonObject;
  error: unknown;
  edges: readonly number[];
  isOwn: boolean;
  onMeasure: (measure: JsonObject) => void;
  onEdges: (edges: number[]) => void;
}

function AxisPanel({ axis, core, error, edges, isOwn, onMeasure, onEdges }: AxisPanelProps) {
  const t = useText(tagTexts);
  const measure = core[axis];
  const distribution = useDistribution(isObject(measure) ? measure : null);
  return (
    <Panel title={t.rfm[axis]} note={t.rfmSays[axis]}>
      <div className="rfm-axis">
        {isObject(measure) && <RuleEditor value={measure} onChange={onMeasure} panel="none" isMeasure error={error} errorPrefix={`/${axis}`} />}
        <Histogram axis={axis} distribution={distribution} edges={edges} isOwn={isOwn} onEdges={onEdges} />
        {isOwn && (
          <div className="row wrap">
            {edges.map((edge, at) => (
              <InputNumber<number>
                key={at} aria-label={`${t.rfm[axis] ?? axis} ${t.threshold(at + 1)}`} value={isMoney(axis) ? edge / 100 : edge} prefix={isMoney(axis) ? '¥' : undefined} suffix={axis === 'recency' ? t.dayUnit : undefined} controls={false} style={{ width: 110 }}
                onChange={(value) => value !== null && onEdges(withThreshold(edges, at, isMoney(axis) ? Math.round(value * 100) : value))}
              />
            ))}
          </div>
        )}
      </div>
    </Panel>
  );
}

const high = 84;

function Histogram({ axis, distribution, edges, isOwn, onEdges }: { axis: Axis; distribution: Distribution; edges: readonly number[]; isOwn: boolean; onEdges: (edges: number[]) => void }) {
  const t = useText(tagTexts);
  const language = useLanguage();
  const place = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<number | null>(null);
  const { bins } = distribution;
  if (bins === null) return <p className="small faint">{distribution.isLoading ? t.counting : t.noData}</p>;
  /* as far as the people and the thresholds go; while one is dragged the scale stands still */
  const end = held ?? Math.max(bins.at(-1)?.to ?? 1, (edges.at(-1) ?? 0) * 1.08);
  const top = Math.max(...bins.map((one) => one.count), 1);
  const says = (value: number): string => (isMoney(axis) ? shortCount(Math.round(value / 100), language) : value.toLocaleString('en-US', { maximumFractionDigits: 1 }));
  const valueAt = (clientX: number): number => {
    const box = place.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    const raw = Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * end;
    return isMoney(axis) ? Math.round(raw / 100) * 100 : Math.round(raw);
  };
  const drag = (event: PointerEvent<HTMLButtonElement>, at: number): void => {
    if (!isOwn || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    onEdges(withThreshold(edges, at, valueAt(event.clientX)));
  };
  const press = (event: KeyboardEvent, at: number): void => {
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (direction === undefined || !isOwn) return;
    event.preventDefault();
    const step = (isMoney(axis) ? 100 : 1) * (event.shiftKey ? 10 : 1);
    onEdges(withThreshold(edges, at, (edges[at] as number) + direction * step));
  };
  return (
    <div className="rfm-histogram" ref={place} role="group" aria-label={`${t.rfm[axis] ?? axis} · ${t.histogram}`}>
      <Bars bins={bins} top={top} end={end} />
      {edges.map((edge, at) => {
        const share = Math.min(1, edge / end);
        return (
          <button
            key={at} type="button" role="slider" className="rfm-threshold" aria-label={`${t.rfm[axis] ?? axis} ${t.threshold(at + 1)}`} aria-valuenow={edge} aria-valuemin={0} aria-valuemax={Math.max(end, edge)} aria-valuetext={says(edge)} aria-disabled={!isOwn}
            style={{ left: `${share * 100}%`, cursor: isOwn ? 'ew-resize' : 'default', opacity: isOwn ? 1 : 0.6 }}
            onPointerDown={(event) => {
              if (!isOwn) return;
              event.currentTarget.setPointerCapture(event.pointerId);
              setHeld(end);
            }}
            onPointerUp={() => setHeld(null)} onPointerMove={(event) => drag(event, at)} onKeyDown={(event) => press(event, at)}
          >
            <span>{says(edge)}</span>
          </button>
        );
      })}
      <span className="hidden-text">{bins.map((one) => `${says(one.from)}–${says(one.to)}: ${exactCount(one.count)}`).join('; ')}</span>
    </div>
  );
}

function Bars({ bins, top, end }: { bins: readonly Bin[]; top: number; end: number }) {
  return (
    <svg viewBox={`0 0 100 ${high + 20}`} preserveAspectRatio="none" aria-hidden="true">
      {bins.map((one, at) => {
        const height = (one.count / top) * (high - 6);
        const wide = ((one.to - one.from) / end) * 100;
        return <rect key={at} x={(one.from / end) * 100 + wide * 0.08} width={wide * 0.84} y={high - height} height={Math.max(one.count > 0 ? 1 : 0, height)} fill="var(--line-strong)"><title>{exactCount(one.count)}</title></rect>;
      })}
      <line x1="0" x2="100" y1={high} y2={high} stroke="var(--line-strong)" strokeWidth="0.5" />
    </svg>
  );
}

function Boxes({ core, levels, onChange, saved }: { core: JsonObject; levels: number; onChange: (core: JsonObject) => void; saved: Definition | null }) {
  const t = useText(tagTexts);
  const language = useLanguage();
  const boxes = listOf(core, 'boxes');
  const put = (next: readonly JsonObject[]): void => onChange(withMember(core, 'boxes', next.length === 0 ? null : [...next]));
  const sizes = new Map((saved?.sizes ?? []).map((one) => [one.value, one.count]));
  const options = Array.from({ length: levels }, (_, at) => ({ value: at + 1, label: String(at + 1) }));
  return (
    <Panel title={t.boxes} note={t.boxesHint} tools={<Button size="small" onClick={() => put(standardBoxes(levels, t.box))}>{t.standard}</Button>}>
      <div className="boxes">
        {boxes.map((box, at) => (
          <div className="box-row" key={at}>
            <span className="value-rank">{at + 1}</span>
            <Input aria-label={`${t.boxName} ${at + 1}`} value={textOf(box['name'])} maxLength={100} onChange={(event) => put(boxes.map((one, index) => (index === at ? { ...one, name: event.target.value } : one)))} />
            {axes.map((axis) => {
              const letter = axisLetters[axis];
              const chosen = Array.isArray(box[letter]) ? (box[letter] as Json[]).map((one) => numberOf(one) ?? 0) : [];
              return (
                <Select
                  key={axis} className="box-scores" mode="multiple" aria-label={`${textOf(box['name'])} ${t.rfm[axis] ?? axis}`} value={chosen} placeholder={`${letter.toUpperCase()} ${t.any}`} options={options} maxTagCount="responsive"
                  onChange={(next: number[]) => put(boxes.map((one, index) => (index === at ? withMember(one, letter, next.length === 0 ? null : [...next].sort((a, b) => a - b)) : one)))}
                />
              );
            })}
            <span className="row" style={{ gap: 0 }}>
              <Button type="text" size="small" icon={<ArrowUpOutlined />} aria-label={`${t.up} ${textOf(box['name'])}`} disabled={at === 0} onClick={() => put(movedBy(boxes, at, -1))} />
              <Button type="text" size="small" icon={<ArrowDownOutlined />} aria-label={`${t.down} ${textOf(box['name'])}`} disabled={at === boxes.length - 1} onClick={() => put(movedBy(boxes, at, 1))} />
              <Button type="text" size="small" danger icon={<DeleteOutlined />} aria-label={`${t.remove} ${textOf(box['name'])}`} onClick={() => put(boxes.filter((_, index) => index !== at))} />
            </span>
            <span className="right faint tabular small" title={t.boxSize}>{sizes.has(textOf(box['name'])) ? shortCount(sizes.get(textOf(box['name'])) ?? 0, language) : ''}</span>
          </div>
        ))}
        <div><Button type="dashed" icon={<PlusOutlined />} onClick={() => put([...boxes, { name: '' }])}>{t.addBox}</Button></div>
      </div>
    </Panel>
  );
}
