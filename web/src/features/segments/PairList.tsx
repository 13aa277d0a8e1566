/* SPDX-License-Identifier: Apache-2.0 */
/* PairList: the map as a list: each two segments once, the most telling first; as it is shown, and whole as a file. */
import { DownloadOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useMemo } from 'react';
import { useText } from '@/app/preferences';
import { saveBlob, toCsv } from '@/lib/files';
import { percent } from '@/lib/format';
import { words } from '@/lib/words';
import { DataTable } from '@/ui/DataTable';
import { Count, Pill } from '@/ui/Marks';
import { isSignificant, pairsOf, type Matrix, type Measure, type Pair } from './map';
import { liftText } from './Matrix';
import { segmentTexts } from './texts';

interface PairListProps {
  matrix: Matrix;
  shown: readonly number[];
  measure: Measure;
  onOpen: (a: string, b: string) => void;
}

export function PairList({ matrix, shown, measure, onOpen }: PairListProps) {
  const t = useText(segmentTexts);
  const pairs = useMemo(() => pairsOf(matrix, shown, measure), [matrix, shown, measure]);
  const nameOf = (at: number): string => matrix.names[at] ?? '';
  const number = (title: string, render: (pair: Pair) => React.ReactNode, width = 96) => ({ key: title, title, width, align: 'right' as const, render: (_: unknown, pair: Pair) => render(pair) });
  return (
    <DataTable<Pair>
      rowKey={(pair) => `${pair.a} ${pair.b}`} dataSource={pairs} pagination={pairs.length > 50 ? { pageSize: 50, size: 'small', showSizeChanger: false } : false}
      columns={[
        { key: 'pair', title: t.two, width: 320, render: (_, pair) => <button type="button" className="link-button cut" style={{ maxWidth: 320 }} title={`${nameOf(pair.a)} × ${nameOf(pair.b)}`} onClick={() => onOpen(matrix.keys[pair.a] ?? '', matrix.keys[pair.b] ?? '')}>{nameOf(pair.a)} × {nameOf(pair.b)}</button> },
        { key: 'relation', title: t.relation, width: 120, render: (_, pair) => <Pill tone={pair.relation === 'same' ? 'warn' : pair.relation === 'across' ? 'plain' : 'info'}>{t.relationWords[pair.relation]}</Pill> },
        number(t.inBoth, (pair) => <Count value={pair.both} />),
        number(t.shareOfFirst, (pair) => percent(pair.shareA)),
        number(t.shareOfSecond, (pair) => percent(pair.shareB)),
        number(t.jaccard, (pair) => percent(pair.similarity)),
        number(t.lift, (pair) => <span className={isSignificant(pair) ? '' : 'faint'}>{pair.lift === null ? '—' : liftText(pair.lift)}</span>),
      ]}
    />
  );
}

/* All pairs of what is shown, with both keys and names, exact. */
export function PairExport({ matrix, shown, measure }: Omit<PairListProps, 'onOpen'>) {
  const t = useText(segmentTexts);
  const common = useText(words);
  const save = (): void => {
    const rows = pairsOf(matrix, shown, measure).map((pair) => [
      matrix.keys[pair.a] ?? '', matrix.names[pair.a] ?? '', matrix.sizes[pair.a] ?? 0, matrix.keys[pair.b] ?? '', matrix.names[pair.b] ?? '', matrix.sizes[pair.b] ?? 0,
      pair.both, round(pair.shareA), round(pair.shareB), round(pair.similarity), round(pair.expected), pair.lift === null ? '' : round(pair.lift), round(pair.z),
    ]);
    const columns = ['a', 'a_name', 'a_count', 'b', 'b_name', 'b_count', 'both', 'share_of_a', 'share_of_b', 'jaccard', 'expected', 'lift', 'z'];
    saveBlob(new Blob([toCsv([columns, ...rows])], { type: 'text/csv' }), 'overlap.csv');
  };
  return <Button size="small" icon={<DownloadOutlined />} onClick={save} aria-label={`${t.heat}: ${common.action.csv}`}>{common.action.csv}</Button>;
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000;
