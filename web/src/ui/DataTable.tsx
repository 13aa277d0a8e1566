/* SPDX-License-Identifier: Apache-2.0 */
/* DataTable: Ant Design's table in our density. Wider than its place it scrolls, and can be reached by keyboard then. */
import { Table, type TableProps } from 'antd';
import { useEffect, useRef } from 'react';

export function DataTable<Row extends object>(props: TableProps<Row>) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const content = place.current?.querySelector<HTMLElement>('.ant-table-content');
    if (content === null || content === undefined) return;
    const mark = (): void => {
      if (content.scrollWidth > content.clientWidth) content.tabIndex = 0;
      else content.removeAttribute('tabindex');
    };
    const observer = new ResizeObserver(mark);
    observer.observe(content);
    for (const inside of content.children) observer.observe(inside);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={place}>
      <Table<Row> size="small" pagination={false} scroll={{ x: 'max-content' }} {...props} />
    </div>
  );
}
