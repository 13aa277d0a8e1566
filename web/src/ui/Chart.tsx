/* SPDX-License-Identifier: Apache-2.0 */
/* Chart: a titled figure drawn by ECharts, with the table behind one click, png and csv.
 *
 * The caller gives what is shown twice: as options to draw and as a table, so that nobody needs eyes for
 * colours to read it.
 */
import { BarChartOutlined, DownloadOutlined, TableOutlined } from '@ant-design/icons';
import { Button, Dropdown, Table } from 'antd';
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { EChartsOption } from 'echarts';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { palettes, seriesColours } from '@/app/colours';
import { usePreferences, useText } from '@/app/preferences';
import { fontFamily } from '@/app/theme';
import { saveBlob, toCsv } from '@/lib/files';
import { words } from '@/lib/words';
import { Panel } from './Page';

use([BarChart, LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

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
      {asTable ? <Behind table={table} height={height} /> : <Canvas option={option} height={height} title={title} drawn={drawn} />}
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

function Canvas({ option, height, title, drawn }: { option: EChartsOption; height: number; title: string; drawn: { current: EChartsType | null } }) {
  const { scheme } = usePreferences();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return;
    const chart = init(place.current, null, { renderer: 'canvas' });
    drawn.current = chart;
    const observer = new ResizeObserver(() => chart.resize());
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      chart.dispose();
      drawn.current = null;
    };
  }, [drawn]);
  useEffect(() => {
    const colours = palettes[scheme];
    drawn.current?.setOption({
      animationDuration: 150,
      animationDurationUpdate: 150,
      color: [...seriesColours[scheme]],
      textStyle: { fontFamily, color: colours.inkSoft, fontSize: 12 },
      tooltip: {
        trigger: 'axis', backgroundColor: colours.paper, borderColor: colours.lineStrong, textStyle: { color: colours.ink, fontSize: 12, fontFamily },
        extraCssText: 'box-shadow:0 4px 16px rgb(0 0 0 / 12%);border-radius:6px;font-variant-numeric:tabular-nums', axisPointer: { type: 'shadow', shadowStyle: { color: colours.line, opacity: 0.5 } },
        order: 'valueDesc', confine: true,
      },
      ...option,
    }, { notMerge: true });
  }, [option, scheme, drawn]);
  return <div ref={place} style={{ height, width: '100%' }} role="img" aria-label={title} />;
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
      type: 'value' as const, splitLine: { lineStyle: { color: colours.line } }, axisLabel: label, nameTextStyle: { color: colours.inkFaint, align: 'left' as const, padding: [0, 0, 0, -24] },
    },
    colours,
    series: seriesColours[scheme],
  };
}
