/* SPDX-License-Identifier: Apache-2.0 */
/* TraitsPage: what is kept on customers: type, and whose word counts when sources differ. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, Modal, Select, Switch } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useLasting } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { useProblemNotice, useRightReason } from '@/ui/Controls';
import { Pill, QuietHead } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { planTexts } from '../plan/texts';

const texts = catalogue({
  zh: {
    title: '客户属性',
    purpose: '客户身上记着哪些事实，以及几个来源说法不同时听谁的。',
    name: '属性', type: '类型', precedence: '说法不同时', description: '说明', personal: '个人信息', personalHint: '显示时打码，查看完整值会留记录', edit: '修改',
    precedences: { newest: '取最新的', oldest: '取最早的', source_rank: '按来源优先级', sum: '相加', union: '合在一起', greatest: '取最大', least: '取最小', highest: '取最大', lowest: '取最小' },
    emptyTitle: '还没有属性', empty: 'identify 事件带来的第一个属性会出现在这里。',
    dialog: (name: string) => `修改属性：${name}`, saved: '已保存',
  },
  en: {
    title: 'Traits',
    purpose: 'Which facts are kept on customers, and whose word counts when sources differ.',
    name: 'Trait', type: 'Type', precedence: 'When sources differ', description: 'Description', personal: 'Personal', personalHint: 'masked when shown; looking at full values is recorded', edit: 'Edit',
    precedences: { newest: 'the newest', oldest: 'the oldest', source_rank: 'rank of the source', sum: 'added up', union: 'put together', greatest: 'the greatest', least: 'the least', highest: 'the greatest', lowest: 'the least' },
    emptyTitle: 'There are no traits yet', empty: 'The first trait of an identify event shows here.',
    dialog: (name) => `Change the trait: ${name}`, saved: 'Saved',
  },
});

type Trait = Schemas['TraitType'];
const precedences = ['newest', 'oldest', 'source_rank', 'sum', 'union'] as const;

export function TraitsPage() {
  const t = useText(texts);
  const plan = useText(planTexts);
  const common = useText(words);
  const traits = useQuery(queries.traitTypes());
  const [edited, setEdited] = useState<Trait | null>(null);
  return (
    <Page title={t.title} purpose={t.purpose}>
      <Panel flush>
        <Loaded query={traits} skeleton={<Bones rows={10} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle}>{t.empty}</Empty>}>
          {(data) => (
            <DataTable<Trait>
              rowKey="name" dataSource={data.items} rowClassName="clickable" pagination={data.items.length > 100 ? { pageSize: 100, size: 'small' } : false}
              onRow={(row) => ({ onClick: () => setEdited(row) })}
              columns={[
                { key: 'name', title: t.name, fixed: 'left', render: (_, row) => { const word = wordFor(common.trait, row.name); return <span>{word !== row.name && <strong style={{ fontWeight: 600 }}>{word} </strong>}<span className="mono faint">{row.name}</span></span>; } },
                { key: 'type', title: t.type, width: 110, render: (_, row) => wordFor(plan.types, row.type) },
                { key: 'precedence', title: t.precedence, width: 160, render: (_, row) => wordFor(t.precedences, row.precedence ?? 'newest') },
                { key: 'personal', title: t.personal, width: 120, render: (_, row) => (row.personal === true ? <Pill tone="warn">{t.personal}</Pill> : null) },
                { key: 'description', title: t.description, render: (_, row) => <span className="soft">{row.description}</span> },
                { key: 'edit', title: <QuietHead>{t.edit}</QuietHead>, width: 70, align: 'right', render: (_, row) => <Button size="small" type="link" aria-label={`${t.edit} ${row.name}`} onClick={(event) => { event.stopPropagation(); setEdited(row); }}>{t.edit}</Button> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <TraitDialog trait={edited} onClose={() => setEdited(null)} />
    </Page>
  );
}

function TraitDialog({ trait, onClose }: { trait: Trait | null; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRole = useRightReason('plan.change');
  const [form] = Form.useForm<Schemas['TraitTypePut']>();
  const shown = useLasting(trait);
  const save = useMutation({
    mutationFn: (body: Schemas['TraitTypePut']) => api.put('/traits/{name}', { path: { name: trait?.name ?? '' }, body }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['traits'] });
      void client.invalidateQueries({ queryKey: ['customers'] });
      void message.success(t.saved);
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal
      open={trait !== null} title={t.dialog(shown?.name ?? '')} onCancel={onClose} okText={common.action.save} cancelText={common.action.cancel} confirmLoading={save.isPending} destroyOnHidden
      okButtonProps={{ disabled: noRole !== null, title: noRole ?? '' }} onOk={() => void form.validateFields().then((values) => save.mutate(values), () => {})}
    >
      {trait !== null && (
        <Form form={form} layout="vertical" initialValues={{ precedence: trait.precedence ?? 'newest', description: trait.description ?? '', personal: trait.personal ?? false }}>
          <Form.Item name="precedence" label={t.precedence}><Select options={precedences.map((value) => ({ value, label: t.precedences[value] }))} /></Form.Item>
          <Form.Item name="description" label={t.description}><Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={2000} /></Form.Item>
          <Form.Item name="personal" label={t.personal} extra={t.personalHint} valuePropName="checked"><Switch /></Form.Item>
        </Form>
      )}
    </Modal>
  );
}
