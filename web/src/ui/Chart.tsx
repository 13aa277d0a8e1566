/* SPDX-License-Identifier: Apache-2.0 */
/* Chart: a titled figure drawn by ECharts, with the table behind one click, png and csv.
 *
 * The caller gives what is shown twice: as options to draw and as a table, so that nobody needs eyes for
 * colours to read it.
 */
import { BarChartOutlined, DownloadOutlined, TableOutlined } from '@ant-design/icons';
import { Button, Dropdown, Table } from 'antd';
import type { EChartsOption } from 'echarts';
import type { EChartsType } from 'echarts/core';
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';
import { palettes, seriesColours } from '@/app/colours';
import { usePreferences, useText } from '@/app/preferences';
import { saveBlob, toCsv } from '@/lib/files';
import { words } from '@/lib/words';
import { Panel } from './Page';

/* ECharts is large: it comes after the page that it is on. */
const Canvas = lazy(async () => ({ default: (await import('./ChartCanvas')).ChartCanvas }));

export interface ChartTable {
  columns: string[];
  rows: (string | number)[][];
}

interface ChartProps {
  title: string;
  note?: ReactNode;
  option: EChartsOption;
  table: ChartTable;
  height?: number;
  file: string;
  tools?: ReactNode;
}

export function Chart({ title, note, option, table, height = 240, file, tools }: ChartProps) {
  const t = useText(words);
  const [asTable, setAsTable] = useState(false);
  const drawn = useRef<EChartsType | null>(null);
  const savePng = (): void => {
    const url = drawn.current?.getDataURL({ type: 'png', pixelRatio: 2 });
    if (url === undefined) return;
    void fetch(url).then((response) => response.blob()).then((blob) => saveBlob(blob, `${file}.png`));
  };
  const saveCsv = (): void => saveBlob(new Blob([toCsv([table.columns, ...table.rows])], { type: 'text/csv' }), `${file}.csv`);
  return (
    <Panel
      title={title} note={note}
      tools={
        <>
          {tools}
          <Button
            size="small" type="text" aria-label={asTable ? t.action.showChart : t.action.showTable} title={asTable ? t.action.showChart : t.action.showTable}
            icon={asTable ? <BarChartOutlined /> : <TableOutlined />} onClick={() => setAsTable(!asTable)}
          />
          <Dropdown
            trigger={['click']}
            menu={{ items: [
              { key: 'png', label: t.action.png, disabled: asTable, onClick: savePng },
              { key: 'csv', label: t.action.csv, onClick: saveCsv },
            ] }}
          >
            <Button size="small" type="text" aria-label={`${t.action.png}, ${t.action.csv}`} icon={<DownloadOutlined />} />
          </Dropdown>
        </>
      }
    >
      {asTable ? <Behind table={table} height={height} /> : (
        <Suspense fallback={<div style={{ height }} aria-busy="true" />}><Canvas option={option} height={height} title={title} drawn={drawn} /></Suspense>
      )}
    </Panel>
  );
}

function Behind({ table, height }: { table: ChartTable; height: number }) {
  return (
    <Table
      size="small" pagination={false} scroll={{ y: height - 40 }} rowKey={(row) => row.key}
      columns={table.columns.map((title, at) => ({
        title, dataIndex: ['cells', at], align: typeof table.rows[0]?.[at] === 'number' ? ('right' as const) : ('left' as const),
      }))}
      dataSource={table.rows.map((cells, at) => ({ key: at, cells: cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)) }))}
    />
  );
}

/* Axes in our manner; options of charts spread these. */
export function useAxes() {
  const { scheme } = usePreferences();
  const colours = palettes[scheme];
  const label = { color: colours.inkFaint, fontSize: 12 };
  return {
    grid: { left: 4, right: 8, top: 28, bottom: 0, containLabel: true },
    category: { type: 'category' as const, axisLine: { lineStyle: { color: colours.lineStrong } }, axisTick: { show: false }, axisLabel: label },
    value: {
      type: 'value' as const, splitLine: { lineStyle: { color: colours.line } }, axisLabel: label, nameTextStyle: { color: colours.inkFaint, align: 'left' as const, padding: [0, 0, 0, -8] },
    },
    colours,
    series: seriesColours[scheme],
  };
}
