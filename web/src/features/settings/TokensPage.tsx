/* SPDX-License-Identifier: Apache-2.0 */
/* TokensPage: tokens with which programs use the API, and the sessions of people. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { useProblemNotice } from '@/ui/Controls';
import { Pill, QuietHead, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { OnceDialog } from '../sources/OnceDialog';

const texts = catalogue({
  zh: {
    title: '访问令牌', purpose: '给程序用的接口令牌，权限和创建它的人相同。放在请求头 Authorization: Bearer 里。', create: '新建令牌', name: '用途', prefix: '开头', kind: '类型', session: '登录会话', token: '接口令牌', owner: '属于', created: '创建时间', expires: '到期', never: '长期有效',
    revoke: '撤销', revokeTitle: '撤销这个令牌？', revokeText: (name: string) => `「${name}」会立刻失效，用它的程序会收到 401。`, revoked: '已撤销', missing: '请说明用途',
    onceTitle: '请现在保存令牌', onceText: '令牌只显示这一次。', lifetime: '有效期', days: (count: number) => `${count} 天`,
    emptyTitle: '还没有令牌', empty: '报表、脚本、其他系统要调用接口时，给它们各建一个，方便单独撤销。',
  },
  en: {
    title: 'Access tokens', purpose: 'For programs that use the API, with the rights of who made them. Sent as Authorization: Bearer.', create: 'New token', name: 'For', prefix: 'Begins with', kind: 'Kind', session: 'session', token: 'API token', owner: 'Belongs to', created: 'Made', expires: 'Ends', never: 'never',
    revoke: 'Revoke', revokeTitle: 'Revoke this token?', revokeText: (name) => `"${name}" stops working at once; programs that use it get a 401.`, revoked: 'Revoked', missing: 'Please say what it is for',
    onceTitle: 'Keep the token now', onceText: 'The token is shown this once.', lifetime: 'Valid for', days: (count) => `${count} days`,
    emptyTitle: 'There are no tokens yet', empty: 'Make one for each report, script or system that uses the API, so that each can be revoked alone.',
  },
});

type Token = Schemas['Token'];
const lifetimes = [30, 90, 365] as const;

export function TokensPage() {
  const t = useText(texts);
  const tokens = useQuery(queries.tokens());
  const [isCreating, setCreating] = useState(false);
  const [asked, setAsked] = useState<Token | null>(null);
  const create = <Button type="primary" icon={<PlusOutlined />} onClick={() => setCreating(true)}>{t.create}</Button>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <Panel flush>
        <Loaded query={tokens} skeleton={<Bones rows={4} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}>
          {(data) => (
            <DataTable<Token>
              rowKey="prefix" dataSource={data.items} pagination={data.items.length > 50 ? { pageSize: 50, size: 'small' } : false}
              columns={[
                { key: 'name', title: t.name, fixed: 'left', render: (_, row) => (row.name === '' ? <span className="faint">{t[row.kind]}</span> : <strong style={{ fontWeight: 600 }}>{row.name}</strong>) },
                { key: 'prefix', title: t.prefix, render: (_, row) => <span className="mono">{row.prefix}…</span> },
                { key: 'kind', title: t.kind, width: 110, render: (_, row) => <Pill tone={row.kind === 'token' ? 'accent' : 'plain'}>{t[row.kind]}</Pill> },
                { key: 'owner', title: t.owner, dataIndex: 'login' },
                { key: 'created', title: t.created, width: 150, render: (_, row) => <Time at={row.created_at} exact /> },
                { key: 'expires', title: t.expires, width: 150, render: (_, row) => (row.expires_at === null ? <span className="faint">{t.never}</span> : <Time at={row.expires_at} exact />) },
                { key: 'do', title: <QuietHead>{t.revoke}</QuietHead>, width: 90, align: 'right', render: (_, row) => <Button size="small" danger type="text" aria-label={`${t.revoke} ${row.prefix}`} onClick={() => setAsked(row)}>{t.revoke}</Button> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <NewToken open={isCreating} onClose={() => setCreating(false)} />
      <Revoke token={asked} onClose={() => setAsked(null)} />
    </Page>
  );
}

function NewToken({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const notice = useProblemNotice();
  const { nowMs } = useClock();
  const [form] = Form.useForm<{ name: string; days: number }>();
  const [secret, setSecret] = useState<string | null>(null);
  const create = useMutation({
    mutationFn: ({ name, days }: { name: string; days: number }) =>
      api.post('/tokens', { body: { name, ...(days === 0 ? {} : { expires_at: new Date(nowMs + days * 86_400_000).toISOString() }) } }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['tokens'] });
      setSecret(made.token);
      onClose();
    },
    onError: notice,
  });
  return (
    <>
      <Modal open={open} title={t.create} onCancel={onClose} okText={common.action.create} cancelText={common.action.cancel} confirmLoading={create.isPending} destroyOnHidden onOk={() => void form.validateFields().then((values) => create.mutate(values), () => {})}>
        <Form form={form} layout="vertical" requiredMark={false} initialValues={{ name: '', days: 90 }}>
          <Form.Item name="name" label={t.name} rules={[{ required: true, message: t.missing }]}><Input autoFocus maxLength={100} /></Form.Item>
          <Form.Item name="days" label={t.lifetime}><Select options={[...lifetimes.map((days) => ({ value: days as number, label: t.days(days) })), { value: 0, label: t.never }]} /></Form.Item>
        </Form>
      </Modal>
      <OnceDialog secret={secret} title={t.onceTitle} text={t.onceText} onClose={() => setSecret(null)} />
    </>
  );
}

function Revoke({ token, onClose }: { token: Token | null; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const revoke = useMutation({
    mutationFn: (prefix: string) => api.delete('/tokens/{prefix}', { path: { prefix } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['tokens'] });
      void message.success(t.revoked);
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal open={token !== null} title={t.revokeTitle} onCancel={onClose} okText={t.revoke} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={revoke.isPending} onOk={() => token !== null && revoke.mutate(token.prefix)}>
      <p>{t.revokeText(token === null ? '' : token.name === '' ? token.prefix : token.name)}</p>
    </Modal>
  );
}
