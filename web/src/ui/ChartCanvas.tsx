/* SPDX-License-Identifier: Apache-2.0 */
/* ChartCanvas: what ECharts draws of a chart, in our colours; loaded when the first chart is shown. */
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { EChartsOption } from 'echarts';
import { useEffect, useRef } from 'react';
import { palettes, seriesColours } from '@/app/colours';
import { usePreferences } from '@/app/preferences';
import { fontFamily } from '@/app/theme';

use([BarChart, LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

export function ChartCanvas({ option, height, title, drawn }: { option: EChartsOption; height: number; title: string; drawn: { current: EChartsType | null } }) {
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
