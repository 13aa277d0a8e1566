/* SPDX-License-Identifier: Apache-2.0 */
/* PeoplePage: who may sign in, and as what. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Form, Input, Modal, Radio, Select, Switch } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useSession } from '@/app/session';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRoleReason } from '@/ui/Controls';
import { Avatar, Pill, QuietHead, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';

const texts = catalogue({
  zh: {
    title: '成员', purpose: '谁能登录，能做什么。', create: '添加成员', login: '账号', name: '姓名', role: '角色', state: '状态', on: '可登录', off: '已停用', added: '添加时间', edit: '修改', you: '你',
    roleHelp: { viewer: '只看，不改', operator: '复核、合并拆分、改埋点方案', administrator: '再加上数据源、识别规则、成员' },
    dialog: '成员', password: '密码', passwordNew: '至少 8 个字符', passwordKeep: '不改就留空', language: '界面语言', disabled: '停用', saved: '已保存', missing: '必填', short: '至少 8 个字符',
  },
  en: {
    title: 'People', purpose: 'Who may sign in, and do what.', create: 'Add a person', login: 'Login', name: 'Name', role: 'Role', state: 'State', on: 'may sign in', off: 'switched off', added: 'Added', edit: 'Edit', you: 'you',
    roleHelp: { viewer: 'looks, changes nothing', operator: 'reviews, merges and splits, changes the tracking plan', administrator: 'sources, identity rules and people as well' },
    dialog: 'Person', password: 'Password', passwordNew: 'at least 8 characters', passwordKeep: 'empty keeps the old one', language: 'Language', disabled: 'Switched off', saved: 'Saved', missing: 'Required', short: 'At least 8 characters',
  },
});

type User = Schemas['UserEntry'];
interface Values { login: string; name: string; password: string; role: Schemas['Role']; locale: 'zh-CN' | 'en-US'; disabled: boolean }

export function PeoplePage() {
  const t = useText(texts);
  const common = useText(words);
  const { user } = useSession();
  const noRole = useRoleReason('administrator');
  const users = useQuery(queries.users());
  const [edited, setEdited] = useState<User | 'new' | null>(null);
  return (
    <Page title={t.title} purpose={t.purpose} actions={<ActionButton type="primary" icon={<PlusOutlined />} reason={noRole} onClick={() => setEdited('new')}>{t.create}</ActionButton>}>
      <Panel flush>
        <Loaded query={users} skeleton={<Bones rows={4} />}>
          {(data) => (
            <DataTable<User>
              rowKey="number" dataSource={data.items}
              columns={[
                { key: 'name', title: t.name, fixed: 'left', render: (_, row) => <span className="row" style={{ gap: 10 }}><Avatar name={row.name === '' ? row.login : row.name} seed={row.login} size={26} />{row.name === '' ? row.login : row.name}{row.login === user.login && <Pill>{t.you}</Pill>}</span> },
                { key: 'login', title: t.login, render: (_, row) => <span className="mono">{row.login}</span> },
                { key: 'role', title: t.role, render: (_, row) => <span>{common.role[row.role]} <span className="faint small">{t.roleHelp[row.role]}</span></span> },
                { key: 'state', title: t.state, width: 110, render: (_, row) => <Pill tone={row.disabled ? 'bad' : 'good'}>{row.disabled ? t.off : t.on}</Pill> },
                { key: 'added', title: t.added, width: 150, render: (_, row) => <Time at={row.created_at} exact /> },
                { key: 'edit', title: <QuietHead>{t.edit}</QuietHead>, width: 80, align: 'right', render: (_, row) => <ActionButton size="small" type="link" reason={noRole} aria-label={`${t.edit} ${row.login}`} onClick={() => setEdited(row)}>{t.edit}</ActionButton> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <PersonDialog edited={edited} onClose={() => setEdited(null)} />
    </Page>
  );
}

function PersonDialog({ edited, onClose }: { edited: User | 'new' | null; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [form] = Form.useForm<Values>();
  const save = useMutation({
    mutationFn: ({ login, password, ...rest }: Values) => api.put('/users/{login}', { path: { login }, body: { ...rest, ...(password === '' ? {} : { password }) } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['users'] });
      void message.success(t.saved);
      onClose();
    },
    onError: notice,
  });
  const user = edited === 'new' || edited === null ? null : edited;
  const first: Values = {
    login: user?.login ?? '', name: user?.name ?? '', password: '', role: user?.role ?? 'operator', locale: user?.locale === 'en-US' ? 'en-US' : 'zh-CN', disabled: user?.disabled ?? false,
  };
  return (
    <Modal
      open={edited !== null} title={user === null ? t.create : user.login} onCancel={onClose} okText={common.action.save} cancelText={common.action.cancel} confirmLoading={save.isPending} destroyOnHidden
      onOk={() => void form.validateFields().then((values) => save.mutate({ ...first, ...values }), () => {})}
    >
      <Form form={form} layout="vertical" requiredMark={false} initialValues={first} key={user?.login ?? 'new'}>
        {user === null && <Form.Item name="login" label={t.login} rules={[{ required: true, message: t.missing }]}><Input autoFocus maxLength={100} autoComplete="off" /></Form.Item>}
        <Form.Item name="name" label={t.name}><Input maxLength={100} autoComplete="off" /></Form.Item>
        <Form.Item name="password" label={t.password} extra={user === null ? t.passwordNew : t.passwordKeep} rules={[{ min: 8, message: t.short }, { required: user === null, message: t.missing }]}><Input.Password autoComplete="new-password" /></Form.Item>
        <Form.Item name="role" label={t.role}>
          <Radio.Group className="stack" style={{ gap: 6 }}>
            {(['viewer', 'operator', 'administrator'] as const).map((role) => <Radio key={role} value={role}>{common.role[role]} <span className="faint small">{t.roleHelp[role]}</span></Radio>)}
          </Radio.Group>
        </Form.Item>
        <Form.Item name="locale" label={t.language}><Select options={[{ value: 'zh-CN', label: '中文' }, { value: 'en-US', label: 'English' }]} /></Form.Item>
        {user !== null && <Form.Item name="disabled" label={t.disabled} valuePropName="checked"><Switch /></Form.Item>}
      </Form>
    </Modal>
  );
}
