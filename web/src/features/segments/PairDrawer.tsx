/* SPDX-License-Identifier: Apache-2.0 */
/* PairDrawer: two segments side by side: who is only in one, who in both, what defines each and sets it apart, and the ways on from there. */
import { useQuery } from '@tanstack/react-query';
import { Button, Drawer } from 'antd';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { coreOf, nameOf, type Definition } from '@/features/audience/audience';
import { exactCount, percent } from '@/lib/format';
import { useLasting } from '@/lib/hooks';
import { words } from '@/lib/words';
import { wordFor } from '@/lib/text';
import { Count, Pill, Time } from '@/ui/Marks';
import { Bones, Failure, Loaded } from '@/ui/States';
import { DefinitionText } from './DefinitionText';
import { cellOf, isSignificant, relationOf, type Matrix } from './map';
import { liftText } from './Matrix';
import { segmentTexts } from './texts';

interface PairDrawerProps {
  matrix: Matrix;
  pair: { a: string; b: string } | null;
  onClose: () => void;
}

export function PairDrawer({ matrix, pair, onClose }: PairDrawerProps) {
  const t = useText(segmentTexts);
  const shown = useLasting(pair);
  const [row, column] = [matrix.keys.indexOf(shown?.a ?? ''), matrix.keys.indexOf(shown?.b ?? '')];
  const isThere = row >= 0 && column >= 0;
  return (
    <Drawer open={pair !== null && isThere} onClose={onClose} size={760} title={isThere ? `${matrix.names[row] ?? ''} × ${matrix.names[column] ?? ''}` : t.overlapTitle}>
      {isThere && shown !== null && (
        <div className="stack">
          <Shares matrix={matrix} row={row} column={column} />
          <Ways a={shown.a} b={shown.b} matrix={matrix} row={row} column={column} />
          <div className="pair">
            <Side segment={shown.a} />
            <Side segment={shown.b} />
          </div>
        </div>
      )}
    </Drawer>
  );
}

/* One bar of everybody in either: only here, in both, only there. */
function Shares({ matrix, row, column }: { matrix: Matrix; row: number; column: number }) {
  const t = useText(segmentTexts);
  const cell = cellOf(matrix, row, column);
  const [a, b] = [matrix.sizes[row] ?? 0, matrix.sizes[column] ?? 0];
  const [nameA, nameB] = [matrix.names[row] ?? '', matrix.names[column] ?? ''];
  const parts = [
    { key: 'a', says: t.onlyIn(nameA), count: a - cell.both, colour: 'color-mix(in srgb, var(--accent) 35%, var(--paper))' },
    { key: 'both', says: t.inBoth, count: cell.both, colour: 'var(--accent)' },
    { key: 'b', says: t.onlyIn(nameB), count: b - cell.both, colour: 'color-mix(in srgb, var(--info) 45%, var(--paper))' },
  ];
  const all = Math.max(1, a + b - cell.both);
  const relation = relationOf(matrix, row, column);
  return (
    <section className="stack" style={{ gap: 8 }} aria-label={t.heat}>
      <div className="pair-bar" aria-hidden="true">{parts.map((part) => <span key={part.key} style={{ width: percent(part.count / all), background: part.colour }} />)}</div>
      <dl className="pair-parts">{parts.map((part) => <div key={part.key}><dt><i style={{ background: part.colour }} />{part.says}</dt><dd><Count value={part.count} exact /> <span className="small faint">{percent(part.count / all)}</span></dd></div>)}</dl>
      <p className="row wrap small soft">
        {relation !== 'across' && <Pill tone={relation === 'same' ? 'warn' : 'info'}>{t.relations[relation]?.(nameA, nameB)}</Pill>}
        <span>{t.lift} <strong>{cell.lift === null ? '—' : liftText(cell.lift)}</strong></span>
        <span>{t.expected(exactCount(Math.round(cell.expected)))}</span>
        <span>{t.jaccard} {percent(cell.similarity)}</span>
        <span>{isSignificant(cell) ? t.significant : t.insignificant}</span>
      </p>
    </section>
  );
}

function Ways({ a, b, matrix, row, column }: { a: string; b: string; matrix: Matrix; row: number; column: number }) {
  const t = useText(segmentTexts);
  const [nameA, nameB] = [matrix.names[row] ?? '', matrix.names[column] ?? ''];
  const make = (op: string, of: readonly string[], name: string): string => `/new/segment?define=${encodeURIComponent(JSON.stringify({ kind: 'algebra', op, of, name }))}`;
  const ways = [
    { says: t.asSegment, to: make('intersection', [a, b], `${nameA} ∩ ${nameB}`) }, { says: t.asDifference(nameA, nameB), to: make('difference', [a, b], `${nameA} − ${nameB}`) },
    { says: t.asDifference(nameB, nameA), to: make('difference', [b, a], `${nameB} − ${nameA}`) },
  ];
  return <div className="row wrap">{ways.map((way) => <Link key={way.to} to={way.to}><Button size="small" tabIndex={-1}>{way.says}</Button></Link>)}</div>;
}

function Side({ segment }: { segment: string }) {
  const t = useText(segmentTexts);
  const held = useQuery(queries.definition('segments', segment));
  if (held.data === undefined) return <section>{held.isError ? <Failure error={held.error} retry={() => void held.refetch()} /> : <Bones rows={6} inset={0} />}</section>;
  const data = held.data;
  return (
    <section className="stack" style={{ gap: 8 }}>
      <h3><Link to={`/segments/${segment}`}>{nameOf(data)}</Link></h3>
      <p className="small soft"><Count value={data.count} exact /> · {data.folder === '' ? t.noFolder : data.folder} · <Time at={data.as_of} exact /></p>
      <div className="small"><DefinitionText core={coreOf(data)} on={data.on} /></div>
      <Apart definition={data} />
    </section>
  );
}

const linesShown = 6;

/* What sets its people apart most, in a few lines. */
function Apart({ definition }: { definition: Definition }) {
  const t = useText(segmentTexts);
  const common = useText(words);
  const profile = useQuery(queries.segmentProfile(definition.key));
  return (
    <Loaded query={profile} skeleton={<Bones rows={4} inset={0} height={24} />}>
      {(data) => {
        const lines = data.lines.filter((one) => one.significant && one.kind !== 'segment').sort((x, y) => Math.abs(y.z) - Math.abs(x.z)).slice(0, linesShown);
        if (lines.length === 0) return <p className="small faint">{t.profileEmpty}</p>;
        return (
          <>
            <h4 className="small soft">{t.profile}</h4>
            <ul className="small">
              {lines.map((line) => <li key={`${line.kind} ${line.key} ${line.value}`} className="row between"><span className="cut" title={`${line.key} ${line.value}`}>{line.kind === 'trait' ? wordFor(common.trait, line.key) : line.kind === 'consent' ? wordFor(common.consent, line.key) : line.key} {line.value === 'true' ? '' : line.value}</span><span className="tabular">{percent(line.share)} · {liftText(line.lift)}</span></li>)}
            </ul>
          </>
        );
      }}
    </Loaded>
  );
}
