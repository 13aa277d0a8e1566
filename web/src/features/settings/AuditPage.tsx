/* SPDX-License-Identifier: Apache-2.0 */
/* AuditPage: who did what, when. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useEffect, useState } from 'react';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useDebounced, useFilters } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { OneId, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';

const texts = catalogue({
  zh: {
    title: '操作记录', purpose: '谁在什么时候改了什么、看了谁的完整信息。只增不改。', user: '账号', action: '操作', object: '对象', detail: '内容', at: '时间', allActions: '全部操作', system: '系统',
    actions: {
      'source.put': '新建或修改数据源', 'user.put': '新建或修改成员', 'token.put': '登录或新建令牌', 'token.delete': '退出或撤销令牌', 'identity.type.put': '修改识别规则', 'identity.rules.apply': '应用识别规则',
      'customer.split': '拆分客户', 'customer.merge': '合并客户', 'refusal.decide': '复核关联', 'trait.put': '修改属性', 'consent.put': '记录授权', 'plan.event.put': '修改埋点方案',
      'quarantine.discard': '丢弃隔离事件', 'quarantine.replay': '重放隔离事件', 'setting.put': '修改设置', reveal: '查看完整信息',
    },
    emptyTitle: '没有记录', empty: '没有符合条件的操作。',
  },
  en: {
    title: 'Audit', purpose: 'Who changed what, when, and who looked at personal values in full. It only grows.', user: 'Login', action: 'Action', object: 'Object', detail: 'Detail', at: 'Time', allActions: 'All actions', system: 'system',
    actions: {
      'source.put': 'Source made or changed', 'user.put': 'Person added or changed', 'token.put': 'Signed in, or token made', 'token.delete': 'Signed out, or token revoked', 'identity.type.put': 'Identity rule changed', 'identity.rules.apply': 'Identity rules applied',
      'customer.split': 'Customer split', 'customer.merge': 'Customers joined', 'refusal.decide': 'Link reviewed', 'trait.put': 'Trait changed', 'consent.put': 'Consent recorded', 'plan.event.put': 'Tracking plan changed',
      'quarantine.discard': 'Quarantine discarded', 'quarantine.replay': 'Quarantine replayed', 'setting.put': 'Setting changed', reveal: 'Looked at in full',
    },
    emptyTitle: 'Nothing on record', empty: 'No action fits.',
  },
});

type Entry = Schemas['AuditEntry'];

export function AuditPage() {
  const t = useText(texts);
  const common = useText(words);
  const [filters, setFilters] = useFilters({ user: '', action: '' });
  const [typed, setTyped] = useState(filters.user);
  const settled = useDebounced(typed, 300);
  useEffect(() => setFilters({ user: settled.trim() }), [settled, setFilters]);
  const list = useInfiniteQuery(queries.audit(filters));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="filters">
        <Input allowClear style={{ width: 180 }} placeholder={t.user} aria-label={t.user} value={typed} onChange={(event) => setTyped(event.target.value)} />
        <Select
          aria-label={t.action} style={{ width: 220 }} value={filters.action} onChange={(action) => setFilters({ action })} showSearch={{ optionFilterProp: 'label' }}
          options={[{ value: '', label: t.allActions }, ...Object.entries(t.actions).map(([value, label]) => ({ value, label }))]}
        />
      </div>
      <Panel flush>
        {list.isPending && <Bones rows={10} />}
        {list.isError && items.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isSuccess && items.length === 0 && <Empty title={t.emptyTitle}>{t.empty}</Empty>}
        {items.length > 0 && (
          <DataTable<Entry>
            rowKey={(row) => `${row.seq} ${row.at} ${row.action}`} dataSource={items}
            columns={[
              { key: 'at', title: t.at, width: 170, fixed: 'left', render: (_, row) => <Time at={row.at} exact seconds /> },
              { key: 'user', title: t.user, width: 130, render: (_, row) => (row.user === 'system' ? <span className="faint">{t.system}</span> : row.user) },
              { key: 'action', title: t.action, width: 200, render: (_, row) => wordFor(t.actions, row.action) },
              { key: 'object', title: t.object, render: (_, row) => (/^c_\w{13}$/.test(row.object) ? <OneId id={row.object} link copy={false} /> : <span className="mono">{row.object}</span>) },
              { key: 'detail', title: t.detail, ellipsis: true, render: (_, row) => <span className="mono faint" title={row.detail}>{row.detail}</span> },
            ]}
          />
        )}
        {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      </Panel>
    </Page>
  );
}
