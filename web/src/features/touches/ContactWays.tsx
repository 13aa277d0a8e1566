/* SPDX-License-Identifier: Apache-2.0 */
/* ContactWays: codes of a WeCom account that customers scan to become contacts: the advisers that take turns behind each, its state, and how many came. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer, Form, Input, Select, Switch, Tooltip } from 'antd';
import { useState } from 'react';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { useLasting } from '@/lib/hooks';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, CopyButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Count, QuietHead, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { freshWay, pictureOf, wayBody, wayDraft, wayProblem, wayQueries, wecomAccounts, type ContactWay, type WayDraft, type WayProblem } from './contactWay';
import { touchQueries } from './model';

const texts = catalogue({
  zh: {
    title: '联系我二维码', note: '客户扫码，加上池子里的一位导购；按 state 数出来了多少人。', account: '企业微信账号', create: '新建二维码', noAccount: '还没有企业微信账号', noAccountHint: '先在「发送账号」里接上企业微信。', emptyTitle: '还没有二维码', empty: '给每个门店、每场活动各做一个：谁是从哪里加进来的，就分得清。',
    state: 'state', remark: '备注', pool: '导购池', of: (count: number) => `${count} 位`, scans: '添加次数', scansHint: '带着这个 state 加上导购的次数', contacts: '客户数', contactsHint: '其中不同的客户', unknown: '未知', unknownHint: '数据仓库没有回答', last: '最近一次', code: '二维码', openCode: '打开', edit: '修改',
    newTitle: '新建二维码', editTitle: (state: string) => `二维码「${state}」`, stateHelp: '最多 30 字节，如 store-7、card-618；来的人按它分', poolHelp: '企业微信里的成员 userid，最多 100 位，用空格或逗号分开', remarkHelp: '给同事看的，最多 30 字', skip: '不用导购同意，扫码就加上', remove: '删除', removeTitle: (state: string) => `删除二维码「${state}」？`, removeText: '已经印出去的码会失效；以前的人数还在事件里。', keep: '不删', removed: '已删除', saved: '已保存', made: '已新建',
    problems: { state: '填 state：1 到 30 字节', taken: '别的二维码已用这个 state：分不清谁从哪来', users: '填 1 到 100 位导购', user: 'userid 里不能有空格', remark: '备注最多 30 字' } as Record<WayProblem, string>,
  },
  en: {
    title: 'Contact codes', note: 'A customer scans the code and becomes a contact of one of the pool; by its state it is known how many came.', account: 'WeCom account', create: 'New code', noAccount: 'There is no WeCom account yet', noAccountHint: 'First connect WeCom under "Accounts".', emptyTitle: 'There are no codes yet', empty: 'Make one for each store and campaign: so it is known who came from where.',
    state: 'State', remark: 'Remark', pool: 'Pool', of: (count) => `${count}`, scans: 'Added', scansHint: 'how often an adviser was added with this state', contacts: 'Customers', contactsHint: 'different customers among them', unknown: 'not known', unknownHint: 'the warehouse does not answer', last: 'Last time', code: 'Code', openCode: 'Open', edit: 'Edit',
    newTitle: 'New code', editTitle: (state) => `Code ${state}`, stateHelp: 'at most 30 bytes, as store-7 or card-618; who comes is told apart by it', poolHelp: 'userids of members in WeCom, at most 100, with a space or comma between', remarkHelp: 'for colleagues, at most 30 letters', skip: 'Added at once, without the adviser agreeing', remove: 'Delete', removeTitle: (state) => `Delete the code "${state}"?`, removeText: 'Codes that are printed already stop working; who came before stays in the events.', keep: 'Keep it', removed: 'Deleted', saved: 'Saved', made: 'Made',
    problems: { state: 'Say a state of 1 to 30 bytes', taken: 'Another code has this state: they could not be told apart', users: 'Say 1 to 100 advisers', user: 'A userid has no blanks', remark: 'A remark has at most 30 letters' },
  },
});

const newWay = '+';

interface ContactWaysProps {
  account: string;
  /* the id of the open one, '+' for a new one, '' for none */
  opened: string;
  onFilter: (change: { account?: string; way?: string }) => void;
}

export function ContactWays({ account, opened, onFilter }: ContactWaysProps) {
  const t = useText(texts);
  const accounts = useQuery(touchQueries.accounts());
  return (
    <Loaded query={accounts} skeleton={<Panel><Bones rows={5} inset={0} /></Panel>} isEmpty={(data) => wecomAccounts(data.items).length === 0} empty={<Panel><Empty title={t.noAccount}>{t.noAccountHint}</Empty></Panel>}>
      {(data) => {
        const keys = wecomAccounts(data.items).map((one) => one.key);
        const key = keys.includes(account) ? account : (keys[0] ?? '');
        return <Ways key={key} account={key} accounts={keys} opened={opened} onFilter={onFilter} />;
      }}
    </Loaded>
  );
}

function Ways({ account, accounts, opened, onFilter }: ContactWaysProps & { accounts: readonly string[] }) {
  const t = useText(texts);
  const list = useQuery(wayQueries.of(account));
  const noRight = useRightReason('channel.administer');
  const create = <ActionButton type="primary" icon={<PlusOutlined />} reason={noRight} onClick={() => onFilter({ way: newWay })}>{t.create}</ActionButton>;
  const choice = accounts.length < 2 ? null : <Select aria-label={t.account} value={account} onChange={(next: string) => onFilter({ account: next, way: '' })} options={accounts.map((value) => ({ value, label: value }))} style={{ minWidth: 140 }} />;
  const ways = list.data?.items ?? [];
  return (
    <Panel flush title={t.title} note={t.note} tools={<span className="row">{choice}{ways.length > 0 && create}</span>}>
      <Loaded query={list} skeleton={<Bones rows={4} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={create}>{t.empty}</Empty>}>
        {(data) => <div className="scroll-x"><WayTable ways={data.items} onOpen={(id) => onFilter({ way: id })} /></div>}
      </Loaded>
      <WayDrawer account={account} ways={ways} opened={opened} onClose={() => onFilter({ way: '' })} />
    </Panel>
  );
}

function WayTable({ ways, onOpen }: { ways: readonly ContactWay[]; onOpen: (id: string) => void }) {
  const t = useText(texts);
  const counted = (value: number | null) => (value === null ? <Tooltip title={t.unknownHint}><span className="faint">{t.unknown}</span></Tooltip> : <Count value={value} exact />);
  return (
    <DataTable<ContactWay>
      rowKey="id" dataSource={[...ways]} pagination={false} scroll={{}} style={{ minWidth: 860 }}
      columns={[
        { key: 'state', title: t.state, render: (_, row) => <button type="button" className="link-button mono" onClick={() => onOpen(row.id)}>{row.state === '' ? row.id : row.state}</button> },
        { key: 'remark', title: t.remark, render: (_, row) => row.remark },
        { key: 'pool', title: t.pool, render: (_, row) => <span className="row" style={{ gap: 6 }}><span className="mono cut" style={{ maxWidth: 200 }} title={row.users.join(', ')}>{row.users.join(', ')}</span><span className="faint nowrap">{t.of(row.users.length)}</span></span> },
        { key: 'scans', title: <Tooltip title={t.scansHint}><span>{t.scans}</span></Tooltip>, align: 'right', width: 100, render: (_, row) => counted(row.scans) },
        { key: 'contacts', title: <Tooltip title={t.contactsHint}><span>{t.contacts}</span></Tooltip>, align: 'right', width: 100, render: (_, row) => counted(row.contacts) },
        { key: 'last', title: t.last, width: 120, render: (_, row) => (row.last_at === null ? <span className="faint">—</span> : <Time at={row.last_at} />) },
        { key: 'code', title: t.code, width: 120, render: (_, row) => <Picture way={row} /> },
        { key: 'act', title: <QuietHead>{t.edit}</QuietHead>, align: 'right', width: 80, render: (_, row) => <Button size="small" type="link" aria-label={`${t.edit} ${row.state}`} onClick={() => onOpen(row.id)}>{t.edit}</Button> },
      ]}
    />
  );
}

function Picture({ way }: { way: ContactWay }) {
  const t = useText(texts);
  const address = pictureOf(way);
  if (address === null) return <span className="faint">—</span>;
  return <span className="row" style={{ gap: 4 }}><a href={address} target="_blank" rel="noreferrer noopener" aria-label={`${t.openCode} ${way.state}`}>{t.openCode}</a><CopyButton text={address} /></span>;
}

function WayDrawer({ account, ways, opened, onClose }: { account: string; ways: readonly ContactWay[]; opened: string; onClose: () => void }) {
  const t = useText(texts);
  /* one that is gone opens nothing; while it closes it stays what it was */
  const target = opened === newWay ? newWay : (ways.find((one) => one.id === opened) ?? null);
  const shown = useLasting(target);
  const way = shown === newWay ? null : shown;
  return (
    <Drawer open={target !== null} onClose={onClose} size={520} title={way === null ? t.newTitle : t.editTitle(way.state)} destroyOnHidden>
      {shown !== null && <Editor key={way?.id ?? newWay} account={account} way={way} others={ways.filter((one) => one.id !== way?.id).map((one) => one.state)} onClose={onClose} />}
    </Drawer>
  );
}

function Editor({ account, way, others, onClose }: { account: string; way: ContactWay | null; others: readonly string[]; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('channel.administer');
  const [draft, setDraft] = useState<WayDraft>(() => (way === null ? freshWay : wayDraft(way)));
  const set = (change: Partial<WayDraft>): void => setDraft((before) => ({ ...before, ...change }));
  const problem = wayProblem(draft, others);
  const done = (said: string): void => {
    void client.invalidateQueries({ queryKey: ['touches', 'contact-ways'] });
    void message.success(said);
    onClose();
  };
  const save = useMutation({
    mutationFn: async () => {
      const body = wayBody(draft);
      await (way === null ? api.post('/channels/{key}/contact-ways', { path: { key: account }, body }) : api.put('/channels/{key}/contact-ways/{id}', { path: { key: account, id: way.id }, body }));
    },
    onSuccess: () => done(way === null ? t.made : t.saved), onError: notice,
  });
  const remove = useMutation({ mutationFn: (id: string) => api.delete('/channels/{key}/contact-ways/{id}', { path: { key: account, id } }), onSuccess: () => done(t.removed), onError: notice });
  const ask = (one: ContactWay): void => void modal.confirm({ title: t.removeTitle(one.state), content: t.removeText, okText: t.remove, cancelText: t.keep, okButtonProps: { danger: true }, onOk: () => remove.mutateAsync(one.id).catch(() => undefined) });
  return (
    <Form layout="vertical" component="div">
      <Form.Item label={t.state} extra={t.stateHelp} htmlFor="way-state"><Input id="way-state" className="mono" maxLength={30} value={draft.state} onChange={(event) => set({ state: event.target.value })} /></Form.Item>
      <Form.Item label={t.pool} extra={t.poolHelp} htmlFor="way-pool"><Select id="way-pool" mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ', '，', '\n']} value={draft.users} onChange={(users: string[]) => set({ users: users.map((one) => one.trim()) })} /></Form.Item>
      <Form.Item label={t.remark} extra={t.remarkHelp} htmlFor="way-remark"><Input id="way-remark" maxLength={30} value={draft.remark} onChange={(event) => set({ remark: event.target.value })} /></Form.Item>
      <Form.Item><span className="row"><Switch aria-label={t.skip} checked={draft.skipVerify} onChange={(skipVerify) => set({ skipVerify })} /> <span>{t.skip}</span></span></Form.Item>
      <div className="drawer-actions">
        <ActionButton type="primary" reason={noRight ?? (problem === null ? null : t.problems[problem])} loading={save.isPending} onClick={() => save.mutate()}>{common.action.save}</ActionButton>
        {way !== null && <ActionButton danger reason={noRight} loading={remove.isPending} onClick={() => ask(way)}>{t.remove}</ActionButton>}
      </div>
    </Form>
  );
}
