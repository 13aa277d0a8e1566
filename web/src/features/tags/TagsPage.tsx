/* SPDX-License-Identifier: Apache-2.0 */
/* TagsPage: the directory of tags, with how many have each value. */
import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { Directory } from '@/features/audience/Directory';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { SizesOf } from './Sizes';
import { tagTexts } from './texts';

export function TagsPage() {
  const t = useText(tagTexts);
  const list = useQuery(queries.definitions('tags'));
  const create = <Link to="/new/tag"><Button type="primary" icon={<PlusOutlined />} tabIndex={-1}>{t.create}</Button></Link>;
  const isEmpty = list.data?.items.length === 0;
  return (
    <Page title={t.title} purpose={t.purpose} actions={isEmpty ? undefined : create}>
      <Loaded query={list} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>} isEmpty={(data) => data.items.length === 0} empty={<Panel><Empty title={t.emptyTitle} action={create}>{t.empty}</Empty></Panel>}>
        {(data) => <Directory kind="tags" items={data.items} emptyFiltered={t.emptyFiltered} more={(row) => <SizesOf tag={row.key} valueType={row.value_type} />} />}
      </Loaded>
    </Page>
  );
}
