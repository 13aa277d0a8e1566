/* SPDX-License-Identifier: Apache-2.0 */
/* AuditPage: who did what, when, from where: filtered by what stands in the address, opened with before and after, taken out as a file, and
 * its chain computed again on demand.
 */
import { DownloadOutlined, SafetyCertificateOutlined } from '@ant-design/icons';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { AutoComplete, Button, DatePicker, Drawer, Dropdown, Input, Select } from 'antd';
import dayjs from 'dayjs';
import { useEffect, useState, type ReactNode } from 'react';
import { api, type Schemas } from '@/api/client';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { dateTime, dayAfter, dayKey, dayStart, exactCount } from '@/lib/format';
import { useDebounced, useFilters, useLasting } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { useProblemNotice, useRightReason, ActionButton } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { OneId, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Failure } from '@/ui/States';
import { changesOf, detailOf, exportAddress } from './audit';
import { adminQueries, type AuditFilter } from './queries';
import './settings.css';

const texts = catalogue({
  zh: {
    title: '操作记录', purpose: '谁在什么时候、从哪里改了什么，看了谁的完整信息。只增不改。', user: '账号', action: '操作', object: '对象', detail: '内容', at: '时间', address: '来自', allActions: '全部操作', system: '系统', text: '内容里有', from: '从', until: '到', clear: '清除筛选',
    chain: '每一行都带着前一行的印记，改动、删除、插入都看得出来。', verify: '校验完整性', whole: (lines: string, at: string) => `记录完整：${lines} 行从头算了一遍，没有一行被改动、删掉或插入。${at}`, broken: (seq: string) => `记录对不上：从第 ${seq} 行开始。`, brokenNoSeq: '记录对不上。', exports: '导出', exportHelp: '导出的是当前筛选的结果；导出本身也会记一行', before: '之前', after: '之后', member: '项', noChange: '前后一样。', raw: '原文', line: (seq: string) => `第 ${seq} 行`, openLine: (seq: number) => `打开第 ${seq} 行`,
    groups: { 'user.': '成员：全部', 'role.': '角色：全部', 'team.': '团队：全部', 'token.': '令牌与登录：全部', 'customer.': '客户：全部', 'journey.': '旅程：全部', 'segment.': '人群：全部', 'tag.': '标签：全部', 'import.': '导入：全部', 'keys.': '加密密钥：全部' } as Record<string, string>,
    actions: {
      'source.put': '新建或修改数据源', 'user.put': '新建或修改成员', 'role.put': '新建或修改角色', 'role.delete': '删除角色', 'team.put': '新建或修改团队', 'team.delete': '删除团队', 'team.share': '共享', 'team.refuse': '被团队范围拦下', 'token.put': '登录或新建令牌', 'token.delete': '退出或撤销令牌', 'session.refused': '登录被拒', 'identity.type.put': '修改识别规则', 'identity.rules.apply': '应用识别规则',
      'customer.split': '拆分客户', 'customer.merge': '合并客户', 'customer.erase': '删除客户', 'customers.export': '导出客户', 'customers.export.fetched': '下载导出文件', 'refusal.decide': '复核关联', 'trait.put': '修改属性', 'consent.put': '记录授权', 'plan.event.put': '修改埋点方案',
      'quarantine.discard': '丢弃隔离事件', 'quarantine.replay': '重放隔离事件', 'setting.put': '修改设置', 'values.reveal': '查看完整信息', 'policy.put': '修改发送规则', 'channel.put': '修改发送账号', 'channel.delete': '删除发送账号', 'stop.put': '急停或恢复', 'segment.put': '保存人群', 'segment.delete': '删除人群', 'tag.put': '保存标签', 'tag.delete': '删除标签', 'template.put': '保存模板', 'template.delete': '删除模板',
      'journey.put': '保存旅程', 'journey.delete': '删除旅程', 'journey.publish': '发布旅程', 'backup.take': '备份', 'audit.export': '导出操作记录', 'mapping.put': '保存映射', 'coupon.put': '修改券池', 'tombstone.put': '解除删除标记', 'object.put': '修改对象',
      'object.kind.put': '修改对象种类', 'import.create': '开始导入', 'import.state': '暂停、继续或撤销导入', 'segment.members': '手工增减人群', 'tag.values': '手工打标签', 'touch.send': '手工触达', 'touch.decide': '裁定触达', 'touch.task': '外呼任务', 'request.put': '个人权利请求', 'customer.restrict': '限制或恢复处理', 'trait.correct': '更正属性', 'identifier.add': '手工加标识', 'identifier.part': '摘掉标识',
      'journey.state': '暂停、继续或停止旅程', 'journey.enter': '放人进旅程', 'journey.move': '移动旅程位置', 'retention.put': '修改数据保留', 'retention.begin': '执行数据保留', 'keys.rotate': '更换加密密钥', 'keys.remove': '销毁加密密钥', 'person.package': '打包个人资料', 'person.package.fetched': '下载个人资料', 'access.refuse': '没有权限，被拒',
    } as Record<string, string>,
    emptyTitle: '没有记录', empty: '没有符合条件的操作。',
  },
  en: {
    title: 'Audit', purpose: 'Who changed what, when and from where, and who looked at personal values in full. It only grows.', user: 'Login', action: 'Action', object: 'Object', detail: 'Detail', at: 'Time', address: 'From', allActions: 'All actions', system: 'system', text: 'Text in it', from: 'From', until: 'To', clear: 'Clear filters',
    chain: 'Each line carries a seal of the one before: what is altered, removed or put in between is seen.', verify: 'Verify the chain', whole: (lines, at) => `It is whole: all ${lines} lines were computed again, and none was altered, removed or put in between. ${at}`, broken: (seq) => `It does not fit, from line ${seq} on.`, brokenNoSeq: 'It does not fit.', exports: 'Export', exportHelp: 'What is filtered here; an export is a line of its own', before: 'before', after: 'after', member: 'member', noChange: 'Before and after are the same.', raw: 'As it stands', line: (seq) => `Line ${seq}`, openLine: (seq) => `Open line ${seq}`,
    groups: { 'user.': 'People: all', 'role.': 'Roles: all', 'team.': 'Teams: all', 'token.': 'Tokens and sign-ins: all', 'customer.': 'Customers: all', 'journey.': 'Journeys: all', 'segment.': 'Segments: all', 'tag.': 'Tags: all', 'import.': 'Imports: all', 'keys.': 'Sealing keys: all' },
    actions: {
      'source.put': 'Source made or changed', 'user.put': 'Person added or changed', 'role.put': 'Role made or changed', 'role.delete': 'Role deleted', 'team.put': 'Team made or changed', 'team.delete': 'Team deleted', 'team.share': 'Shared', 'team.refuse': 'Stopped by the team\'s scope', 'token.put': 'Signed in, or token made', 'token.delete': 'Signed out, or token revoked', 'session.refused': 'Sign-in refused', 'identity.type.put': 'Identity rule changed', 'identity.rules.apply': 'Identity rules applied',
      'customer.split': 'Customer split', 'customer.merge': 'Customers joined', 'customer.erase': 'Customer erased', 'customers.export': 'Customers exported', 'customers.export.fetched': 'Export fetched', 'refusal.decide': 'Link reviewed', 'trait.put': 'Trait changed', 'consent.put': 'Consent recorded', 'plan.event.put': 'Tracking plan changed',
      'quarantine.discard': 'Quarantine discarded', 'quarantine.replay': 'Quarantine replayed', 'setting.put': 'Setting changed', 'values.reveal': 'Looked at in full', 'policy.put': 'Sending policy changed', 'channel.put': 'Account changed', 'channel.delete': 'Account deleted', 'stop.put': 'Stopped or resumed', 'segment.put': 'Segment saved', 'segment.delete': 'Segment deleted', 'tag.put': 'Tag saved', 'tag.delete': 'Tag deleted', 'template.put': 'Template saved', 'template.delete': 'Template deleted',
      'journey.put': 'Journey saved', 'journey.delete': 'Journey deleted', 'journey.publish': 'Journey published', 'backup.take': 'Backup', 'audit.export': 'Audit exported', 'mapping.put': 'Mapping saved', 'coupon.put': 'Coupon pool changed', 'tombstone.put': 'Erasure mark lifted', 'object.put': 'Object changed',
      'object.kind.put': 'Kind of objects changed', 'import.create': 'Import begun', 'import.state': 'Import paused, resumed, taken back', 'segment.members': 'Segment changed by hand', 'tag.values': 'Tag given by hand', 'touch.send': 'Touch by hand', 'touch.decide': 'Touch decided', 'touch.task': 'Call-centre task', 'request.put': 'Request of a person', 'customer.restrict': 'Processing restricted or allowed', 'trait.correct': 'Trait corrected', 'identifier.add': 'Identifier given by hand', 'identifier.part': 'Identifier taken off',
      'journey.state': 'Journey paused, resumed, stopped', 'journey.enter': 'Put into a journey', 'journey.move': 'Moved in a journey', 'retention.put': 'Retention changed', 'retention.begin': 'Retention run', 'keys.rotate': 'Sealing key changed', 'keys.remove': 'Sealing key ended', 'person.package': 'Package of a person made', 'person.package.fetched': 'Package of a person fetched', 'access.refuse': 'Refused: no right',
    },
    emptyTitle: 'Nothing on record', empty: 'No action fits.',
  },
});

type Entry = Schemas['AuditEntry'];
const noFilter = { user: '', action: '', object: '', text: '', from: '', until: '', line: '' };

export function AuditPage() {
  const t = useText(texts);
  const common = useText(words);
  const { zone } = useClock();
  const [filters, setFilters] = useFilters(noFilter);
  /* days in the address, moments to the server: all of the last day */
  const filter: AuditFilter = { ...filters, from: filters.from === '' ? '' : dayStart(filters.from, zone), until: filters.until === '' ? '' : dayStart(dayAfter(filters.until), zone) };
  const list = useInfiniteQuery(adminQueries.audit({ user: filter.user, action: filter.action, object: filter.object, text: filter.text, from: filter.from, until: filter.until }));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const open = items.find((one) => String(one.seq) === filters.line) ?? null;
  const isFiltered = Object.entries(filters).some(([key, value]) => key !== 'line' && value !== '');
  const clear = <Button onClick={() => setFilters(noFilter)}>{t.clear}</Button>;
  return (
    <Page title={t.title} purpose={t.purpose} actions={<Out filter={filter} />}>
      <Verdict />
      <Filters filters={filters} onChange={setFilters} clear={isFiltered ? clear : null} />
      <Panel flush>
        {list.isPending && <Bones rows={10} />}
        {list.isError && items.length === 0 && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isSuccess && items.length === 0 && <Empty title={t.emptyTitle} action={isFiltered ? clear : undefined}>{t.empty}</Empty>}
        {items.length > 0 && (
          <DataTable<Entry>
            rowKey="seq" dataSource={items} onRow={(row) => ({ className: 'clickable', onClick: () => setFilters({ line: String(row.seq) }) })}
            columns={[
              { key: 'at', title: t.at, width: 170, fixed: 'left', render: (_, row) => <button type="button" className="link-button" onClick={(event) => { event.stopPropagation(); setFilters({ line: String(row.seq) }); }}><Time at={row.at} exact seconds /></button> },
              { key: 'user', title: t.user, width: 120, render: (_, row) => (row.user === 'system' ? <span className="faint">{t.system}</span> : row.user) },
              { key: 'address', title: t.address, width: 130, render: (_, row) => <span className="mono faint">{row.address}</span> },
              { key: 'action', title: t.action, width: 180, render: (_, row) => wordFor(t.actions, row.action) },
              { key: 'object', title: t.object, width: 180, render: (_, row) => (/^c_\w{13}$/.test(row.object) ? <span onClick={(event) => event.stopPropagation()}><OneId id={row.object} link copy={false} /></span> : <span className="mono cut" style={{ display: 'block', maxWidth: 200 }} title={row.object}>{row.object}</span>) },
              { key: 'detail', title: t.detail, render: (_, row) => <span className="mono faint cut" style={{ display: 'block', maxWidth: 380 }}>{row.detail.slice(0, 200)}</span> },
            ]}
          />
        )}
        {list.hasNextPage && <div style={{ textAlign: 'center', padding: 12 }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{common.action.more}</Button></div>}
      </Panel>
      <Line entry={open} onClose={() => setFilters({ line: '' })} />
    </Page>
  );
}

function Out({ filter }: { filter: AuditFilter }) {
  const t = useText(texts);
  const noRight = useRightReason('audit.export');
  if (noRight !== null) return <ActionButton icon={<DownloadOutlined />} reason={noRight}>{t.exports}</ActionButton>;
  const item = (format: 'csv' | 'jsonl', label: string) => ({ key: format, label: <a href={exportAddress(filter, format)} download>{label}</a> });
  return <Dropdown trigger={['click']} menu={{ items: [item('csv', 'CSV'), item('jsonl', 'JSON Lines')] }}><Button icon={<DownloadOutlined />} title={t.exportHelp}>{t.exports}</Button></Dropdown>;
}

/* The chain, computed again when somebody asks; its result stays until the page is left. */
function Verdict() {
  const t = useText(texts);
  const language = useLanguage();
  const { zone } = useClock();
  const notice = useProblemNotice();
  const verify = useMutation({ mutationFn: () => api.get('/audit/verify'), onError: notice });
  const verdict = verify.data;
  return (
    <div className={`notice ${verdict === undefined ? '' : verdict.whole ? 'good' : 'bad'}`} role={verdict?.whole === false ? 'alert' : 'status'} style={{ marginBottom: 12, alignItems: 'center' }}>
      <SafetyCertificateOutlined style={{ marginTop: 0 }} />
      <span className="grow">{verdict === undefined ? t.chain : verdict.whole ? t.whole(exactCount(verdict.lines), dateTime(verdict.as_of, language, zone)) : <>{verdict.broken_seq === null ? t.brokenNoSeq : t.broken(exactCount(verdict.broken_seq))} <span className="small">{verdict.complaint}</span></>}</span>
      <Button size="small" loading={verify.isPending} onClick={() => verify.mutate()}>{t.verify}</Button>
    </div>
  );
}

function Filters({ filters, onChange, clear }: { filters: typeof noFilter; onChange: (change: Partial<typeof noFilter>) => void; clear: ReactNode }) {
  const t = useText(texts);
  const users = useQuery({ ...adminQueries.users(), enabled: useMay('user.see') });
  const { zone, nowMs } = useClock();
  const logins = ['system', ...(users.data?.items ?? []).map((one) => one.login)];
  const day = (name: 'from' | 'until') => (
    <DatePicker
      aria-label={t[name]} placeholder={t[name]} style={{ width: 140 }} value={filters[name] === '' ? null : dayjs(filters[name])} maxDate={dayjs(dayKey(nowMs, zone))}
      onChange={(value) => onChange({ [name]: value === null ? '' : value.format('YYYY-MM-DD') })}
    />
  );
  return (
    <div className="filters">
      <Typed value={filters.user} onSettled={(user) => onChange({ user })}>{(value, change) => <AutoComplete allowClear style={{ width: 150 }} aria-label={t.user} placeholder={t.user} value={value} onChange={(next: string | undefined) => change(next ?? '')} options={logins.filter((one) => one.includes(value)).map((one) => ({ value: one }))} />}</Typed>
      <Select
        aria-label={t.action} style={{ width: 200 }} value={filters.action} onChange={(action) => onChange({ action })} showSearch={{ optionFilterProp: 'label' }}
        options={[{ value: '', label: t.allActions }, ...Object.entries(t.groups).map(([value, label]) => ({ value, label })), ...Object.entries(t.actions).map(([value, label]) => ({ value, label }))]}
      />
      <Typed value={filters.object} onSettled={(object) => onChange({ object })}>{(value, change) => <Input allowClear style={{ width: 150 }} aria-label={t.object} placeholder={t.object} value={value} onChange={(event) => change(event.target.value)} />}</Typed>
      <Typed value={filters.text} onSettled={(text) => onChange({ text })}>{(value, change) => <Input allowClear style={{ width: 150 }} aria-label={t.text} placeholder={t.text} value={value} onChange={(event) => change(event.target.value)} />}</Typed>
      {day('from')}{day('until')}
      {clear}
    </div>
  );
}

/* A field that goes to the address once typing has paused, and follows it when it is cleared elsewhere. */
function Typed({ value, onSettled, children }: { value: string; onSettled: (value: string) => void; children: (value: string, change: (value: string) => void) => ReactNode }) {
  const [typed, setTyped] = useState(value);
  const settled = useDebounced(typed, 300);
  useEffect(() => onSettled(settled), [settled]);
  useEffect(() => setTyped(value), [value]);
  return children(typed, setTyped);
}

function Line({ entry, onClose }: { entry: Entry | null; onClose: () => void }) {
  const t = useText(texts);
  const shown = useLasting(entry);
  const detail = shown === null ? null : detailOf(shown.detail);
  const changes = changesOf(detail);
  return (
    <Drawer open={entry !== null} onClose={onClose} size={640} title={shown === null ? '' : t.line(exactCount(shown.seq))}>
      {shown !== null && (
        <div className="stack">
          <dl className="facts">
            <dt>{t.at}</dt><dd><Time at={shown.at} exact seconds /></dd>
            <dt>{t.user}</dt><dd>{shown.user === 'system' ? t.system : shown.user}</dd>
            {shown.address !== '' && <><dt>{t.address}</dt><dd className="mono">{shown.address}</dd></>}
            <dt>{t.action}</dt><dd>{wordFor(t.actions, shown.action)} <span className="mono faint">{shown.action}</span></dd>
            <dt>{t.object}</dt><dd className="mono">{shown.object}</dd>
          </dl>
          {changes !== null && (changes.length === 0 ? <p className="soft">{t.noChange}</p> : (
            <div className="before-after">
              <span className="head">{t.member}</span><span className="head">{t.before}</span><span className="head">{t.after}</span>
              {changes.map((one) => [<span key={`${one.member} m`}>{one.member}</span>, <span key={`${one.member} b`} className="mono was">{one.before}</span>, <span key={`${one.member} a`} className="mono is">{one.after}</span>])}
            </div>
          ))}
          {shown.detail !== '' && <section><p className="small soft" style={{ marginBottom: 4 }}>{t.raw}</p><Json value={detail} height={320} /></section>}
        </div>
      )}
    </Drawer>
  );
}
