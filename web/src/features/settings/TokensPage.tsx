/* SPDX-License-Identifier: Apache-2.0 */
/* TokensPage: tokens with which programs use the API: what each may, until when, when it was last used; made with fewer rights and an end.
 * Sessions of people are a view of their own; keys for sending events belong to sources. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, DatePicker, Form, Input, Modal, Radio, Select, Tooltip } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { useFilters } from '@/lib/hooks';
import { expand, permissionTexts, rightWord, toggled, type Kind } from '@/lib/permissions';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { Chips, useProblemNotice } from '@/ui/Controls';
import { Pill, QuietHead, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { OnceDialog } from '../sources/OnceDialog';
import { agentName } from './agent';
import { Matrix } from './Matrix';
import { adminQueries } from './queries';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '访问令牌', purpose: '给程序用的接口令牌，只给它需要的权限。放在请求头 Authorization: Bearer 里。', writeKeys: '发送事件用的是数据源的写入密钥，在「数据源」里更换', views: { token: '接口令牌', session: '登录会话' }, used: '最近使用', unused: '没用过', scope: '能做什么', all: '创建者的全部权限', some: (count: number) => `${count} 项权限`, from: '来自', scopeAll: '和我一样', scopeSome: '只给选中的', pick: '令牌的权限', until: '选一个日期', custom: '到某一天', noRights: '至少选一项权限', kindHead: '类型', create: '新建令牌', name: '用途', prefix: '开头', kind: '类型', session: '登录会话', token: '接口令牌', owner: '属于', created: '创建时间', expires: '到期', never: '长期有效', this: '就是这里',
    revoke: '撤销', revokeTitle: '撤销这个令牌？', revokeText: (name: string) => `「${name}」会立刻失效，用它的程序会收到 401。`, revoked: '已撤销', missing: '请说明用途',
    onceTitle: '请现在保存令牌', onceText: '令牌只显示这一次。', lifetime: '有效期', days: (count: number) => `${count} 天`,
    emptyTitle: '还没有令牌', empty: '报表、脚本、其他系统要调用接口时，给它们各建一个，方便单独撤销。',
  },
  en: {
    title: 'Access tokens', purpose: 'For programs that use the API, each with the rights that it needs. Sent as Authorization: Bearer.', writeKeys: 'Events are sent with write keys, which are replaced on the page of their source', views: { token: 'API tokens', session: 'Sessions' }, used: 'Last used', unused: 'never', scope: 'May do', all: 'all that its maker may', some: (count) => (count === 1 ? '1 right' : `${count} rights`), from: 'From', scopeAll: 'all that I may', scopeSome: 'only what is chosen', pick: 'Rights of the token', until: 'Choose a day', custom: 'until a day', noRights: 'Choose at least one right', kindHead: 'Kind', create: 'New token', name: 'For', prefix: 'Begins with', kind: 'Kind', session: 'session', token: 'API token', owner: 'Belongs to', created: 'Made', expires: 'Ends', never: 'never', this: 'this one',
    revoke: 'Revoke', revokeTitle: 'Revoke this token?', revokeText: (name) => `"${name}" stops working at once; programs that use it get a 401.`, revoked: 'Revoked', missing: 'Please say what it is for',
    onceTitle: 'Keep the token now', onceText: 'The token is shown this once.', lifetime: 'Valid for', days: (count) => `${count} days`,
    emptyTitle: 'There are no tokens yet', empty: 'Make one for each report, script or system that uses the API, so that each can be revoked alone.',
  },
});

type Token = Schemas['Token'];
const lifetimes = [30, 90, 365] as const;

type View = Token['kind'];

export function TokensPage() {
  const t = useText(texts);
  const tokens = useQuery({ ...adminQueries.tokens(), refetchInterval: 30_000 });
  const [{ view }, setFilters] = useFilters({ view: 'token' });
  const [isCreating, setCreating] = useState(false);
  const [asked, setAsked] = useState<Token | null>(null);
  const shown: View = view === 'session' ? 'session' : 'token';
  const create = <Button type="primary" icon={<PlusOutlined />} onClick={() => setCreating(true)}>{t.create}</Button>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={create}>
      <div className="filters">
        <Chips<View> label={t.kindHead} value={shown} choices={(['token', 'session'] as const).map((value) => ({ value, label: t.views[value] }))} onChange={(next) => setFilters({ view: next })} />
        <span className="grow" />
        {useMay('source.see') && <Link to="/data/sources" className="small">{t.writeKeys}</Link>}
      </div>
      <Panel flush>
        <Loaded query={tokens} skeleton={<Bones rows={4} />} isEmpty={(data) => data.items.every((one) => one.kind !== shown)} empty={<Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}>
          {(data) => <Tokens tokens={data.items.filter((one) => one.kind === shown)} view={shown} onRevoke={setAsked} />}
        </Loaded>
      </Panel>
      <NewToken open={isCreating} onClose={() => setCreating(false)} />
      <Revoke token={asked} onClose={() => setAsked(null)} />
    </Page>
  );
}

function Tokens({ tokens, view, onRevoke }: { tokens: Token[]; view: View; onRevoke: (token: Token) => void }) {
  const t = useText(texts);
  const rights = useText(permissionTexts);
  const { nowMs } = useClock();
  return (
    <DataTable<Token>
      rowKey="prefix" dataSource={tokens} pagination={tokens.length > 50 ? { pageSize: 50, size: 'small' } : false}
      columns={[
        { key: 'name', title: t.name, fixed: 'left', render: (_, row) => (row.name === '' ? <span className="row" style={{ gap: 8 }}>{row.kind === 'session' ? agentName(row.agent) || t.session : t.token}{row.is_this && <Pill tone="accent">{t.this}</Pill>}</span> : <strong style={{ fontWeight: 600 }}>{row.name}</strong>) },
        { key: 'prefix', title: t.prefix, render: (_, row) => <span className="mono">{row.prefix}…</span> },
        { key: 'owner', title: t.owner, dataIndex: 'login' },
        ...(view === 'token' ? [{ key: 'scope', title: t.scope, render: (_: unknown, row: Token) => (row.permissions === null ? <span className="soft">{t.all}</span> : <Tooltip title={row.permissions.slice(0, 30).map((right) => rightWord(right, rights)).join(' · ')}><span tabIndex={0}><Pill>{t.some(row.permissions.length)}</Pill></span></Tooltip>) }]
          : [{ key: 'from', title: t.from, render: (_: unknown, row: Token) => <span className="mono">{row.address ?? ''}</span> }]),
        { key: 'used', title: t.used, width: 130, render: (_, row) => (row.used_at === null ? <span className="faint">{view === 'token' ? t.unused : <Time at={row.created_at} />}</span> : <Time at={row.used_at} />) },
        { key: 'created', title: t.created, width: 150, render: (_, row) => <Time at={row.created_at} exact /> },
        { key: 'expires', title: t.expires, width: 150, render: (_, row) => (row.expires_at === null ? <span className="faint">{t.never}</span> : Date.parse(row.expires_at) - nowMs < soonMs && view === 'token' ? <Pill tone="warn"><Time at={row.expires_at} exact /></Pill> : <Time at={row.expires_at} exact />) },
        { key: 'do', title: <QuietHead>{t.revoke}</QuietHead>, width: 90, align: 'right', render: (_, row) => !row.is_this && <Button size="small" danger type="text" aria-label={`${t.revoke} ${row.prefix}`} onClick={() => onRevoke(row)}>{t.revoke}</Button> },
      ]}
    />
  );
}

interface Wanted {
  name: string;
  days: number;
  until?: Dayjs;
  scope: 'all' | 'some';
}

const untilDay = -1;
const dayMs = 86_400_000;
const soonMs = 7 * dayMs;

function NewToken({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const notice = useProblemNotice();
  const { nowMs } = useClock();
  const { user } = useSession();
  const kinds = useOwnKinds(user.permissions);
  const [form] = Form.useForm<Wanted>();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [secret, setSecret] = useState<string | null>(null);
  const scope = Form.useWatch('scope', form) ?? 'some';
  const days = Form.useWatch('days', form) ?? 90;
  const create = useMutation({
    mutationFn: (wanted: Wanted) => {
      const ends = wanted.days === untilDay ? (wanted.until?.endOf('day').toISOString() ?? null) : wanted.days === 0 ? null : new Date(nowMs + wanted.days * dayMs).toISOString();
      return api.post('/tokens', { body: { name: wanted.name.trim(), ...(ends === null ? {} : { expires_at: ends }), ...(wanted.scope === 'all' ? {} : { permissions: [...chosen].sort() }) } });
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['tokens'] });
      setSecret(made.token);
      setChosen(new Set());
      onClose();
    },
    onError: notice,
  });
  const isEmpty = scope === 'some' && chosen.size === 0;
  return (
    <>
      <Modal
        open={open} title={t.create} width={scope === 'some' ? 760 : 520} onCancel={onClose} okText={common.action.create} okButtonProps={{ disabled: isEmpty, title: isEmpty ? t.noRights : '' }} cancelText={common.action.cancel} confirmLoading={create.isPending} destroyOnHidden
        onOk={() => void form.validateFields().then((values) => create.mutate(values), () => {})}
      >
        <Form form={form} layout="vertical" requiredMark={false} initialValues={{ name: '', days: 90, scope: 'some' }}>
          <Form.Item name="name" label={t.name} rules={[{ required: true, whitespace: true, message: t.missing }]}><Input autoFocus maxLength={100} /></Form.Item>
          <div className="row wrap" style={{ gap: 16, alignItems: 'flex-start' }}>
            <Form.Item name="days" label={t.lifetime}><Select style={{ width: 160 }} options={[...lifetimes.map((count) => ({ value: count as number, label: t.days(count) })), { value: untilDay, label: t.custom }, { value: 0, label: t.never }]} /></Form.Item>
            {days === untilDay && <Form.Item name="until" label={t.until} rules={[{ required: true, message: t.until }]}><DatePicker minDate={dayjs(nowMs)} /></Form.Item>}
            <Form.Item name="scope" label={t.scope}><Radio.Group options={[{ value: 'some', label: t.scopeSome }, { value: 'all', label: t.scopeAll }]} /></Form.Item>
          </div>
        </Form>
        {scope === 'some' && <div style={{ maxHeight: '46vh', overflow: 'auto', border: '1px solid var(--line)', borderRadius: 8 }}><Matrix label={t.pick} kinds={kinds} chosen={chosen} givable={expand(['*'], kinds)} onToggle={(right, isOn) => setChosen((before) => toggled(before, right, isOn, kinds))} /></div>}
      </Modal>
      <OnceDialog secret={secret} title={t.onceTitle} text={t.onceText} onClose={() => setSecret(null)} />
    </>
  );
}

/* The kinds and actions that one may give on: those that one has. */
function useOwnKinds(held: readonly string[]): Kind[] {
  return useMemo(() => {
    const kinds = new Map<string, string[]>();
    for (const right of held) {
      const [kind = '', action = ''] = right.split('.');
      kinds.set(kind, [...(kinds.get(kind) ?? []), action]);
    }
    return [...kinds].map(([kind, actions]) => ({ kind, actions }));
  }, [held]);
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
