/* SPDX-License-Identifier: Apache-2.0 */
/* OverlapPage: the map of all segments; which are compared stands in the address. */
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { OverlapView } from './OverlapView';
import { segmentTexts } from './texts';

const shownAtFirst = 10;

export function OverlapPage() {
  const t = useText(segmentTexts);
  const [filters, setFilters] = useFilters({ of: '' });
  const list = useQuery(queries.definitions('segments'));
  return (
    <Page title={t.overlapTitle} purpose={t.overlapPurpose}>
      <Loaded query={list} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>} isEmpty={(data) => data.items.length < 2} empty={<Panel><Empty title={t.chooseHint} action={<Link to="/new/segment"><Button type="primary" tabIndex={-1}>{t.create}</Button></Link>}>{t.empty}</Empty></Panel>}>
        {(data) => {
          const largest = data.items.filter((one) => one.on === 'customer').sort((a, b) => b.count - a.count).slice(0, shownAtFirst).map((one) => one.key);
          const keys = filters.of === '' ? largest : filters.of.split(',').filter((key) => data.items.some((one) => one.key === key));
          return <OverlapView keys={keys} onChange={(next) => setFilters({ of: next.join(',') })} />;
        }}
      </Loaded>
    </Page>
  );
}
