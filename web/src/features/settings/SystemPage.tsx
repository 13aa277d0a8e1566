/* SPDX-License-Identifier: Apache-2.0 */
/* SystemPage: how the server is: log, engine, warehouse, memory; up to when each source has told everything; backups; long work. The view is
 * in the address. */
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { bytes, exactCount } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { Count, Pill, Time } from '@/ui/Marks';
import { Band, Figure, Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { Backups } from './Backups';
import { Servers } from './Servers';
import { Freshness, LongWork } from './Upkeep';

const texts = catalogue({
  zh: {
    title: '系统状态',
    purpose: '日志、引擎和数据仓库走到哪里，内存用在什么地方。每 5 秒更新。',
    well: '一切正常', unwell: '有异常',
    events: '事件', duplicates: '重复', quarantined: '隔离', customers: '客户', identifiers: '标识',
    steps: '一条事件走到哪里', durable: '已落盘', applied: '已处理', committed: '已入账', flushed: '已进数据仓库',
    durableHint: '收到即写日志并同步，之后才应答', appliedHint: '认人、更新资料', committedHint: '写进账本', flushedHint: '可供历史查询',
    behind: (count: string) => `落后 ${count} 条`, level: '已跟上',
    memory: '内存', logSize: '日志大小', warehouse: '数据仓库', ready: '可用', notReady: '不可用', unflushed: '待写入', version: '版本', started: '启动时间', zone: '时区', clock: '时钟', virtual: '虚拟时钟', real: '真实时钟', server: '服务器',
    memoryNames: { identity: '身份', profile: '画像', tail: '最近事件', message_keys: '去重', history: '历史', plan: '埋点方案', engine: '引擎', log: '日志', ledger: '账本', warehouse: '数据仓库', collect: '收数', live: '实时事件', request: '请求', access: '权限', sources: '数据源', engine_chunk: '引擎批次', flush_event: '写仓缓冲', template: '模板', templates: '模板', journey: '旅程', journeys: '旅程', touch: '触达', privacy: '隐私', audience: '标签与人群', channel: '发送', feed: 'Kafka', other: '其他' },
    total: '合计', tabs: { state: '运行', sources: '数据到哪里', jobs: '任务', servers: '服务器', backups: '备份' },
  },
  en: {
    title: 'System',
    purpose: 'How far log, engine and warehouse are, and where memory goes. Updated every 5 seconds.',
    well: 'All is well', unwell: 'Not well',
    events: 'Events', duplicates: 'Duplicates', quarantined: 'Quarantined', customers: 'Customers', identifiers: 'Identifiers',
    steps: 'How far an event has come', durable: 'On disk', applied: 'Applied', committed: 'In the ledger', flushed: 'In the warehouse',
    durableHint: 'synced to the log before it is acknowledged', appliedHint: 'recognised, profile updated', committedHint: 'written to the ledger', flushedHint: 'ready for long queries',
    behind: (count) => `${count} behind`, level: 'up to date',
    memory: 'Memory', logSize: 'Log size', warehouse: 'Warehouse', ready: 'ready', notReady: 'not ready', unflushed: 'To be written', version: 'Version', started: 'Started', zone: 'Time zone', clock: 'Clock', virtual: 'virtual', real: 'real', server: 'Server',
    memoryNames: { identity: 'Identity', profile: 'Profiles', tail: 'Recent events', message_keys: 'Duplicates', history: 'History', plan: 'Tracking plan', engine: 'Engine', log: 'Log', ledger: 'Ledger', warehouse: 'Warehouse', collect: 'Doors', live: 'Live events', request: 'Requests', access: 'Access', sources: 'Sources', engine_chunk: 'Engine batch', flush_event: 'Flush buffer', template: 'Templates', templates: 'Templates', journey: 'Journeys', journeys: 'Journeys', touch: 'Touches', privacy: 'Privacy', audience: 'Tags and segments', channel: 'Sending', feed: 'Kafka', other: 'Other' },
    total: 'Total', tabs: { state: 'Running', sources: 'Told until', jobs: 'Jobs', servers: 'Servers', backups: 'Backups' },
  },
});

type System = Schemas['System'];

type Tab = 'state' | 'sources' | 'jobs' | 'servers' | 'backups';

export function SystemPage() {
  const t = useText(texts);
  const { user } = useSession();
  const system = useQuery(queries.system());
  const [{ tab }, setFilters] = useFilters({ tab: 'state' });
  const [seesSources, seesImports, seesBackups] = [useMay('source.see'), useMay('import.see'), useMay('backup.see')];
  const isWhole = user.team === null;
  const tabs: Tab[] = ['state', ...(seesSources ? ['sources' as const] : []), ...(seesImports && isWhole ? ['jobs' as const] : []), ...(isWhole ? ['servers' as const] : []), ...(seesBackups && isWhole ? ['backups' as const] : [])];
  const shown = tabs.find((one) => one === tab) ?? 'state';
  return (
    <Page title={t.title} purpose={t.purpose} actions={system.data !== undefined && <Pill tone={system.data.failing === '' ? 'good' : 'bad'}>{system.data.failing === '' ? t.well : t.unwell}</Pill>}>
      <TabBar<Tab> label={t.title} value={shown} tabs={tabs.map((key) => ({ key, label: t.tabs[key] }))} onChange={(next) => setFilters({ tab: next })}>
        {shown === 'sources' ? <Freshness /> : shown === 'jobs' ? <LongWork /> : shown === 'backups' ? <Backups /> : shown === 'servers' ? <Loaded query={system} skeleton={<Panel><Bones rows={5} inset={0} /></Panel>}>{(data) => <Servers system={data} />}</Loaded> : (
          <Loaded query={system} skeleton={<Panel><Bones rows={10} inset={0} /></Panel>}>
            {(data) => (
              <div className="stack">
                {data.failing !== '' && <div className="notice bad" role="alert">{data.failing}</div>}
                {/* what a team sees is no sum of the house: nothing is counted for it */}
                {isWhole && <Band>
                  <Figure label={t.events}><Count value={data.counts.events} /></Figure>
                  <Figure label={t.customers}><Count value={data.counts.customers} /></Figure>
                  <Figure label={t.identifiers}><Count value={data.counts.identifiers} /></Figure>
                  <Figure label={t.duplicates}><Count value={data.counts.duplicates} /></Figure>
                  <Figure label={t.quarantined}><Count value={data.counts.quarantined} /></Figure>
                </Band>}
                {isWhole && <Steps system={data} />}
                {isWhole ? <div className="split-2"><Memory system={data} /><Server system={data} isWhole /></div> : <Server system={data} isWhole={false} />}
              </div>
            )}
          </Loaded>
        )}
      </TabBar>
    </Page>
  );
}

function Steps({ system }: { system: System }) {
  const t = useText(texts);
  const last = system.log.last_seq;
  const steps = [
    { name: t.durable, hint: t.durableHint, seq: last },
    { name: t.applied, hint: t.appliedHint, seq: system.engine.applied_seq },
    { name: t.committed, hint: t.committedHint, seq: system.engine.committed_seq },
    { name: t.flushed, hint: t.flushedHint, seq: system.engine.flushed_seq },
  ];
  return (
    <Panel title={t.steps}>
      <ol className="steps">
        {steps.map((step) => {
          const behind = Math.max(0, last - step.seq);
          return (
            <li key={step.name}>
              <span className="small faint">{step.hint}</span>
              <strong>{step.name}</strong>
              <span className="tabular mono">{exactCount(step.seq)}</span>
              <span className={`small ${behind === 0 ? 'faint' : 'soft'}`}>{behind === 0 ? t.level : t.behind(exactCount(behind))}</span>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}

/* An arena is called by its room and what it holds of it: a person is told the room. */
const rooms: readonly (readonly [RegExp, string])[] = [
  [/^template/, 'template'], [/^(journey|act|move|whatif|calendar)/, 'journey'], [/^touch/, 'touch'], [/^(channel|sandbox)/, 'channel'], [/^(audience|rules)/, 'audience'], [/^history/, 'history'], [/^profile/, 'profile'], [/^(feed|sink)/, 'feed'],
  [/^(names|namespaces|start|jobs|import|export|mapping|table|redact|replay|package|visitor)/, 'other'], [/^teams$/, 'access'],
];

function roomOf(arena: string): string {
  return rooms.find(([pattern]) => pattern.test(arena))?.[1] ?? (Object.hasOwn(texts.zh.memoryNames, arena) ? arena : 'other');
}

/* One line per room. Empty ones are left out. */
function memoryParts(memory: System['memory']): System['memory'] {
  const sums = new Map<string, number>();
  for (const part of memory) {
    const room = roomOf(part.name);
    sums.set(room, (sums.get(room) ?? 0) + part.bytes);
  }
  return [...sums].map(([name, size]) => ({ name, bytes: size })).filter((part) => part.bytes > 0).sort((a, b) => b.bytes - a.bytes);
}

function Memory({ system }: { system: System }) {
  const t = useText(texts);
  const parts = memoryParts(system.memory);
  const total = parts.reduce((sum, part) => sum + part.bytes, 0);
  return (
    <Panel title={t.memory} note={`${t.total} ${bytes(total)}`}>
      <ul className="memory">
        {parts.map((part) => (
          <li key={part.name}>
            <span className="cut">{wordFor(t.memoryNames, part.name)}</span>
            <div className="bar-track"><div className="bar-fill" style={{ width: `${total === 0 ? 0 : (part.bytes / total) * 100}%`, background: 'var(--accent)' }} /></div>
            <span className="right tabular small">{bytes(part.bytes)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Server({ system, isWhole }: { system: System; isWhole: boolean }) {
  const t = useText(texts);
  const { server } = useSession();
  return (
    <Panel title={t.server}>
      <dl className="facts">
        <dt>{t.version}</dt><dd>{system.version}</dd>
        <dt>{t.started}</dt><dd><Time at={system.started_at} exact /></dd>
        <dt>{t.zone}</dt><dd>{server.zone}</dd>
        <dt>{t.clock}</dt><dd>{server.virtual_clock ? t.virtual : t.real}</dd>
        {isWhole && <><dt>{t.logSize}</dt><dd>{bytes(system.log.bytes)}</dd></>}
        <dt>{t.warehouse}</dt><dd><Pill tone={system.warehouse.ready ? 'good' : 'warn'}>{system.warehouse.ready ? t.ready : t.notReady}</Pill></dd>
        {isWhole && <><dt>{t.unflushed}</dt><dd><Count value={system.warehouse.unflushed_rows} exact /></dd></>}
      </dl>
    </Panel>
  );
}
