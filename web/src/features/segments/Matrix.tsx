/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix: a heat map of each segment with each. A table of links as long as names fit beside the cells; beyond, a drawing in which the cell under the
 * pointer, or under the arrow keys, is told in words.
 */
import { Tooltip } from 'antd';
import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { Link } from 'react-router';
import { palettes } from '@/app/colours';
import { useLanguage, usePreferences, useText } from '@/app/preferences';
import { exactCount, percent, shortCount } from '@/lib/format';
import { cellAt, cellOf, strengthOf, type Cell, type Matrix as Held, type Measure } from './map';
import { segmentTexts } from './texts';

export const tableUpTo = 20;

interface MatrixProps {
  matrix: Held;
  /* places, in the order in which they are shown */
  shown: readonly number[];
  measure: Measure;
  label: string;
  hrefOf: (a: string, b: string) => string;
  onOpen: (a: string, b: string) => void;
}

/* '同时在两个里：4 人 · 占「上海」的 33%…': a cell in words. */
export function useCellWords(matrix: Held): (row: number, column: number) => string {
  const t = useText(segmentTexts);
  return useCallback((row, column) => {
    if (row === column) return exactCount(matrix.sizes[row] ?? 0);
    const cell = cellOf(matrix, row, column);
    const lift = cell.lift === null ? [] : [`${t.lift} ${liftText(cell.lift)}`];
    return [t.both(exactCount(cell.both)), t.heatShare(percent(cell.shareA), matrix.names[row] ?? ''), t.heatShare(percent(cell.shareB), matrix.names[column] ?? ''), ...lift, `${t.jaccard} ${percent(cell.similarity)}`].join(' · ');
  }, [matrix, t]);
}

export const liftText = (lift: number): string => (lift >= 100 ? '>100×' : `${lift.toFixed(2)}×`);

export function textOfCell(cell: Cell, measure: Measure): string {
  if (measure === 'lift') return cell.lift === null ? '—' : liftText(cell.lift);
  return percent(measure === 'share' ? cell.shareA : cell.similarity, 0);
}

const mostTint = 42; /* ink stays readable on it, light and dark */

/* More than by chance in jade, less in amber: a pair that colour-blind people tell apart, too. */
function tintOf(strength: number): string {
  const share = Math.round(Math.abs(strength) * mostTint);
  return `color-mix(in srgb, var(${strength >= 0 ? '--accent' : '--warn'}) ${share}%, var(--paper))`;
}

export function Matrix(props: MatrixProps) {
  return props.shown.length <= tableUpTo ? <HeatTable {...props} /> : <HeatDrawing {...props} />;
}

function HeatTable({ matrix, shown, measure, label, hrefOf }: MatrixProps) {
  const language = useLanguage();
  const say = useCellWords(matrix);
  const nameOf = (at: number): string => matrix.names[at] ?? '';
  return (
    <div className="scroll-x" tabIndex={0} role="group" aria-label={label}>
      <table className="heat">
        <thead><tr><td />{shown.map((b) => <th key={b} scope="col" title={nameOf(b)}>{nameOf(b)}</th>)}</tr></thead>
        <tbody>
          {shown.map((a) => (
            <tr key={a}>
              <th scope="row" title={nameOf(a)}><Link to={`/segments/${matrix.keys[a] ?? ''}`}>{nameOf(a)}</Link></th>
              {shown.map((b) => (
                <td key={b} style={{ background: a === b ? 'var(--paper-soft)' : tintOf(strengthOf(cellOf(matrix, a, b), measure)), color: 'var(--ink)' }}>
                  <Tooltip title={say(a, b)}>
                    {a === b ? <span className="faint tabular">{shortCount(matrix.sizes[a] ?? 0, language)}</span>
                      : <Link to={hrefOf(matrix.keys[a] ?? '', matrix.keys[b] ?? '')} className="heat-cell tabular" aria-label={`${nameOf(a)} × ${nameOf(b)}: ${say(a, b)}`}>{textOfCell(cellOf(matrix, a, b), measure)}</Link>}
                  </Tooltip>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const largestCell = 22;
const labelledFrom = 11; /* pixels of a cell beside which a name can be read */
const labelWidth = 150;

function HeatDrawing({ matrix, shown, measure, label, onOpen }: MatrixProps) {
  const t = useText(segmentTexts);
  const { scheme } = usePreferences();
  const say = useCellWords(matrix);
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<[number, number] | null>(null);
  useEffect(() => {
    if (place.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const count = shown.length;
  const beside = (width - labelWidth) / count >= labelledFrom ? labelWidth : 0;
  const size = Math.max(1, Math.min(largestCell, Math.floor((width - beside) / Math.max(1, count))));
  useEffect(() => {
    if (canvas.current !== null && width > 0) draw(canvas.current, { matrix, shown, measure, size, beside, palette: palettes[scheme] });
  }, [matrix, shown, measure, size, beside, width, scheme]);
  const pointed = (event: PointerEvent<HTMLCanvasElement>): [number, number] | null => cellAt(event.nativeEvent.offsetX - beside, event.nativeEvent.offsetY, size, count);
  const open = (cell: [number, number] | null): void => {
    const [a, b] = [matrix.keys[shown[cell?.[0] ?? -1] ?? -1], matrix.keys[shown[cell?.[1] ?? -1] ?? -1]];
    if (a !== undefined && b !== undefined && a !== b) onOpen(a, b);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') return open(at);
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const [row, column] = at ?? [0, 0];
    setAt([clamp(row + step[0], count), clamp(column + step[1], count)]);
  };
  const [a, b] = [shown[at?.[0] ?? -1], shown[at?.[1] ?? -1]];
  const side = size * count;
  return (
    <div ref={place}>
      <p className="small heat-said" aria-live="polite">{a === undefined || b === undefined ? <span className="faint">{t.drawingHint}</span> : <><strong>{matrix.names[a]}{a === b ? '' : ` × ${matrix.names[b] ?? ''}`}</strong> <span className="soft tabular">{say(a, b)}</span></>}</p>
      <div className="heat-drawing" style={{ height: side, width: side + beside }}>
        <canvas
          ref={canvas} role="img" aria-label={`${label}: ${t.drawingHint}`} tabIndex={0} style={{ width: side + beside, height: side }}
          onPointerMove={(event) => setAt(pointed(event))} onPointerLeave={() => setAt(null)} onClick={(event) => open(cellAt(event.nativeEvent.offsetX - beside, event.nativeEvent.offsetY, size, count))} onKeyDown={pressed}
        />
        {at !== null && <i className="heat-cursor" style={{ left: beside + at[1] * size, top: at[0] * size, width: size, height: size }} />}
      </div>
    </div>
  );
}

const steps: Readonly<Record<string, [number, number]>> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const clamp = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));

interface Drawing {
  matrix: Held;
  shown: readonly number[];
  measure: Measure;
  size: number;
  /* room for names at the left */
  beside: number;
  palette: (typeof palettes)['light'];
}

function draw(canvas: HTMLCanvasElement, { matrix, shown, measure, size, beside, palette }: Drawing): void {
  const side = size * shown.length;
  const ratio = Math.min(2, devicePixelRatio);
  canvas.width = (side + beside) * ratio;
  canvas.height = side * ratio;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  context.fillStyle = palette.paper;
  context.fillRect(beside, 0, side, side);
  const gap = size >= 6 ? 1 : 0;
  shown.forEach((a, row) => shown.forEach((b, column) => {
    const strength = a === b ? 0 : strengthOf(cellOf(matrix, a, b), measure);
    if (strength === 0 && a !== b) return;
    context.globalAlpha = a === b ? 1 : Math.max(0.06, Math.abs(strength) * 0.9);
    context.fillStyle = a === b ? palette.lineStrong : strength > 0 ? palette.accent : palette.warn;
    context.fillRect(beside + column * size, row * size, size - gap, size - gap);
  }));
  context.globalAlpha = 1;
  if (beside === 0) return;
  context.fillStyle = palette.inkSoft;
  context.font = `${Math.min(12, size)}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  shown.forEach((a, row) => context.fillText(cutTo(context, matrix.names[a] ?? '', beside - 8), 0, row * size + size / 2));
}

function cutTo(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let letters = [...text];
  while (letters.length > 1 && context.measureText(`${letters.join('')}…`).width > width) letters = letters.slice(0, -1);
  return `${letters.join('')}…`;
}

/* What the colours say. */
export function Legend({ measure }: { measure: Measure }) {
  const t = useText(segmentTexts);
  const steps = measure === 'lift' ? [-1, -0.5, 0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  return (
    <span className="heat-legend small faint">
      <span>{measure === 'lift' ? t.lessThanChance : '0%'}</span>
      {steps.map((strength) => <i key={strength} style={{ background: tintOf(strength) }} />)}
      <span>{measure === 'lift' ? t.moreThanChance : '100%'}</span>
    </span>
  );
}

