/* SPDX-License-Identifier: Apache-2.0 */
/* SegmentsPage: the directory of segments. */
import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { Directory } from '@/features/audience/Directory';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { segmentTexts } from './texts';

export function SegmentsPage() {
  const t = useText(segmentTexts);
  const list = useQuery(queries.definitions('segments'));
  const create = <Link to="/new/segment"><Button type="primary" icon={<PlusOutlined />} tabIndex={-1}>{t.create}</Button></Link>;
  const isEmpty = list.data?.items.length === 0;
  return (
    <Page title={t.title} purpose={t.purpose} actions={isEmpty ? undefined : <><Link to="/overlap"><Button tabIndex={-1}>{t.overlap}</Button></Link>{create}</>}>
      <Loaded query={list} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>} isEmpty={(data) => data.items.length === 0} empty={<Panel><Empty title={t.emptyTitle} action={create}>{t.empty}</Empty></Panel>}>
        {(data) => <Directory kind="segments" items={data.items} emptyFiltered={t.emptyFiltered} />}
      </Loaded>
    </Page>
  );
}
