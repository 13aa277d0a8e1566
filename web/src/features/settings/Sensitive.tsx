/* SPDX-License-Identifier: Apache-2.0 */
/* Sensitive: traits that nobody chooses or sends by before two persons have said so, and children under 14 all together; of one child alone
 * a guardian agrees, by a request.
 */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, AutoComplete, Input, Modal } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Pill, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { children, nextOf, type SensitiveTrait } from './sensitive';

const texts = catalogue({
  zh: {
    help: '健康、信仰、孩子的资料这类属性：列在这里就不能用于人群、标签、旅程、模板和导出，要一人申请、另一人放行。', add: '列为敏感…', addTitle: '列为敏感属性', addText: '从现在起，用到它的规则、模板和导出都存不下、取不出；之前已经在用的，到下次保存为止不变。', trait: '属性', reason: '原因', reasonHelp: '为什么敏感，写给同事看', children: '未满 14 岁的客户（全部）', childrenNote: '按生日算；单个孩子由监护人同意，在「个人请求」登记。', state: '状态', states: { held: '不可用', asked: '等另一人放行', released: '已放行' } as Record<SensitiveTrait['state'], string>,
    asked: '申请', released: '放行', changed: '变动', actions: '操作', ask: '申请放行', release: '放行', hold: '收回', remove: '移出清单', own: '申请的人不能自己放行', done: '已生效', releaseAsk: (name: string) => `放行「${name}」？`, releaseText: '放行后，谁有权限谁就能按它选人、发送、导出。',
  },
  en: {
    help: 'Traits such as health, faith or a child\'s data: what stands here cannot be used in segments, tags, journeys, templates and exports before one person has asked and another has released it.', add: 'Hold a trait…', addTitle: 'Hold a sensitive trait', addText: 'From now on no rule, template or export that names it is taken; what uses it already goes on until it is next saved.', trait: 'Trait', reason: 'Reason', reasonHelp: 'why it is sensitive, for your own people', children: 'Customers under 14, all of them', childrenNote: 'By the birthday. For one child her guardian agrees: record it under Requests.', state: 'State', states: { held: 'held', asked: 'waits for a second person', released: 'released' },
    asked: 'Asked', released: 'Released', changed: 'Changed', actions: 'Actions', ask: 'Ask for release', release: 'Release', hold: 'Hold again', remove: 'Take off the list', own: 'Whoever asked cannot release it', done: 'In force', releaseAsk: (name) => `Release ${name}?`, releaseText: 'Whoever has the rights may then choose, write and export by it.',
  },
});

export function Sensitive() {
  const t = useText(texts);
  const noRight = useRightReason('privacy.create');
  const list = useQuery({ queryKey: ['privacy', 'sensitive'], queryFn: ({ signal }) => api.get('/privacy/sensitive', { signal }) });
  const [isAdding, setAdding] = useState(false);
  return (
    <div className="stack">
      <div className="row between wrap"><p className="soft" style={{ maxWidth: 720 }}>{t.help}</p><ActionButton icon={<PlusOutlined />} reason={noRight} onClick={() => setAdding(true)}>{t.add}</ActionButton></div>
      <Panel flush>
        <Loaded query={list} skeleton={<Bones rows={4} />}>
          {(data) => (
            <DataTable<SensitiveTrait>
              rowKey="name" dataSource={data.items}
              columns={[
                { key: 'name', title: t.trait, render: (_, row) => (row.name === children ? <div style={{ maxWidth: 220, whiteSpace: 'normal' }}><div>{t.children}</div><div className="small faint">{t.childrenNote}</div></div> : <span className="mono">{row.name}</span>) },
                { key: 'state', title: t.state, render: (_, row) => <Pill tone={row.state === 'released' ? 'good' : row.state === 'asked' ? 'warn' : 'plain'}>{t.states[row.state]}</Pill> },
                { key: 'reason', title: t.reason, render: (_, row) => row.reason },
                { key: 'asked', title: t.asked, render: (_, row) => row.asked_by },
                { key: 'released', title: t.released, render: (_, row) => row.released_by },
                { key: 'changed', title: t.changed, render: (_, row) => <Time at={row.changed_at} exact /> },
                { key: 'actions', title: t.actions, render: (_, row) => <Steps trait={row} /> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      {isAdding && <Hold onClose={() => setAdding(false)} />}
    </div>
  );
}

function useStep() {
  const t = useText(texts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  return useMutation({
    mutationFn: async (step: () => Promise<unknown>) => { await step(); },
    onSuccess: async () => {
      await Promise.all([client.invalidateQueries({ queryKey: ['privacy'] }), client.invalidateQueries({ queryKey: ['customers'] })]);
      void message.success(t.done);
    },
    onError: notice,
  });
}

function Steps({ trait }: { trait: SensitiveTrait }) {
  const t = useText(texts);
  const common = useText(words);
  const { modal } = App.useApp();
  const { user } = useSession();
  const noApproval = useRightReason('privacy.approve');
  const noRight = useRightReason('privacy.create');
  const step = useStep();
  const next = nextOf(trait, user.login);
  const path = { name: trait.name };
  const release = () => step.mutate(() => api.post('/privacy/sensitive/{name}/release', { path }));
  const ask = (): void => void modal.confirm({ title: t.releaseAsk(trait.name === children ? t.children : trait.name), content: t.releaseText, okText: t.release, cancelText: common.action.cancel, onOk: release });
  return (
    <span className="row wrap">
      {next === 'ask' && <ActionButton size="small" reason={noApproval} onClick={release}>{t.ask}</ActionButton>}
      {(next === 'release' || next === 'own') && <ActionButton size="small" type="primary" reason={noApproval ?? (next === 'own' ? t.own : null)} onClick={ask}>{t.release}</ActionButton>}
      {next !== 'ask' && <ActionButton size="small" reason={noRight} onClick={() => step.mutate(() => api.put('/privacy/sensitive/{name}', { path, body: { reason: trait.reason } }))}>{t.hold}</ActionButton>}
      {next === 'hold' && trait.name !== children && <ActionButton size="small" danger reason={noApproval} onClick={() => step.mutate(() => api.delete('/privacy/sensitive/{name}', { path }))}>{t.remove}</ActionButton>}
    </span>
  );
}

function Hold({ onClose }: { onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const step = useStep();
  const known = useQuery({ ...queries.traitTypes(), enabled: useMay('trait.see') });
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const names = (known.data?.items ?? []).map((one: Schemas['TraitType']) => ({ value: one.name }));
  return (
    <Modal open title={t.addTitle} okText={t.addTitle} okButtonProps={{ disabled: name.trim() === '' }} cancelText={common.action.cancel} confirmLoading={step.isPending} onCancel={onClose} onOk={() => step.mutate(() => api.put('/privacy/sensitive/{name}', { path: { name: name.trim() }, body: { reason: reason.trim() } }), { onSuccess: onClose })}>
      <div className="stack" style={{ gap: 12 }}>
        <p>{t.addText}</p>
        <label className="field"><span>{t.trait}</span><AutoComplete aria-label={t.trait} value={name} onChange={setName} options={names} showSearch={{ filterOption: (typed, option) => (option?.value ?? '').includes(typed) }} /></label>
        <label className="field"><span>{t.reason}</span><Input aria-label={t.reason} maxLength={160} value={reason} placeholder={t.reasonHelp} onChange={(event) => setReason(event.target.value)} /></label>
      </div>
    </Modal>
  );
}
