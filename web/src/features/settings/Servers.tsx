/* SPDX-License-Identifier: Apache-2.0 */
/* Servers: all at the log as each said last; what the one that answers is among them, who has the lease; and the shards of the warehouse. */
import { useQuery } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { Term } from '@/help/Term';
import { exactCount } from '@/lib/format';
import { catalogue, wordFor } from '@/lib/text';
import { DataTable } from '@/ui/DataTable';
import { Pill, Time, type Tone } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { askStanding, type Standing } from './standing';

const texts = catalogue({
  zh: {
    senders: '发送服务器', senderCount: (count: string, accounts: string) => `${count} 台，${accounts} 个账号`, unserved: (count: string) => `${count} 个账号没有服务器发送`, outbox: '等待发送', outboxHint: (claimed: string) => `另有 ${claimed} 条正在发送`,
    this: '应答的这台服务器', roles: { active: '主服务器：写入、发送', follower: '跟随：只读', collect: '只收数', query: '只查询', send: '只发送' } as Record<string, string>, role: '角色', alone: '单机：没有别的服务器', ready: '就绪', yes: '是', epoch: '租约编号', epochHint: '每换一次主服务器加一', holder: '租约在谁手里', self: '这台', unknown: '没有说明地址', behind: '落后', records: (count: string) => `${count} 条记录`, level: '已跟上', note: '应答这个页面的那一台。', all: '全部服务器', allNote: '每台每秒报一次；10 秒没有消息算失联，正常停的写「已停」，七天后不再列出。', states: { up: '在线', gone: '失联', left: '已停' } as Record<string, string>, state: '状态', notReady: '未就绪', address: '地址', version: '版本', seen: '最近一次消息', started: '启动', thisOne: '这台',
    warehouse: '数据仓库', embedded: '内嵌在这台服务器里', shard: '分片', up: '可用', down: '连不上', url: '地址', missing: '缺少',
  },
  en: {
    senders: 'Senders', senderCount: (count, accounts) => `${count}, for ${accounts} accounts`, unserved: (count) => `nobody sends for ${count} accounts`, outbox: 'Waiting to be sent', outboxHint: (claimed) => `${claimed} more are being sent`,
    this: 'The server that answers', roles: { active: 'active: writes and sends', follower: 'follower: reads', collect: 'collects alone', query: 'answers alone', send: 'sends alone' }, role: 'Role', alone: 'the only one', ready: 'Ready', yes: 'yes', epoch: 'Number of the lease', epochHint: 'one more with each take-over', holder: 'Who holds the lease', self: 'this one', unknown: 'its address was not said', behind: 'Behind', records: (count) => `${count} records`, level: 'level', note: 'The one that answers this page.', all: 'All servers', allNote: 'Each is heard every second; silent for 10 seconds is gone, one that ended in order has left, and after seven days it is not listed.', states: { up: 'up', gone: 'gone', left: 'left' }, state: 'State', notReady: 'not ready', address: 'Address', version: 'Version', seen: 'Last heard', started: 'Started', thisOne: 'this one',
    warehouse: 'Warehouse', embedded: 'within this server', shard: 'Shard', up: 'up', down: 'away', url: 'Address', missing: 'Missing',
  },
});

export function Servers({ system }: { system: Schemas['System'] }) {
  const t = useText(texts);
  const standing = useQuery({ queryKey: ['readyz'], queryFn: ({ signal }) => askStanding(signal), refetchInterval: 3_000 });
  return (
    <div className="stack">
      <All />
      <div className="split-2">
        <Panel title={<span>{t.this} <Term term="lease" /></span>} note={t.note}>
          <Loaded query={standing} skeleton={<Bones rows={4} inset={0} />}>{(data) => <This standing={data} lag={system.engine.lag} />}</Loaded>
        </Panel>
        <Shards shards={system.warehouse.shards} isReady={system.warehouse.ready} missing={standing.data?.missing ?? ''} />
      </div>
    </div>
  );
}

type Server = Schemas['ServerItem'];
const tones: Readonly<Record<Server['state'], Tone>> = { up: 'good', gone: 'bad', left: 'plain' };

function All() {
  const t = useText(texts);
  const servers = useQuery({ queryKey: ['servers'], queryFn: ({ signal }) => api.get('/servers', { signal }), refetchInterval: 3_000 });
  return (
    <Panel flush title={t.all} note={t.allNote}>
      <Loaded query={servers} skeleton={<Bones rows={2} />}>
        {(data) => (
          <DataTable<Server>
            rowKey={(row) => row.id || 'alone'} dataSource={data.items}
            columns={[
              { key: 'address', title: t.address, render: (_, row) => <>{row.address === '' ? <span className="faint">{row.id === '' ? t.alone : t.unknown}</span> : row.this ? <span className="mono">{row.address}</span> : <a className="mono" href={row.address} rel="noreferrer">{row.address}</a>} {row.this && <Pill tone="accent">{t.thisOne}</Pill>}</> },
              { key: 'role', title: t.role, width: 160, render: (_, row) => wordFor(t.roles, row.role) },
              { key: 'state', title: t.state, width: 200, render: (_, row) => (row.state === 'up' && !row.ready ? <><Pill tone="warn">{t.notReady}</Pill> <span className="small">{row.reason}</span></> : <Pill tone={tones[row.state]}>{wordFor(t.states, row.state)}</Pill>) },
              { key: 'lag', title: t.behind, width: 120, align: 'right', render: (_, row) => (row.state !== 'up' ? <span className="faint">–</span> : row.lag === 0 ? t.level : t.records(exactCount(row.lag))) },
              { key: 'version', title: t.version, width: 90, render: (_, row) => row.version },
              { key: 'started', title: t.started, width: 130, render: (_, row) => <Time at={row.started_at} /> },
              { key: 'seen', title: t.seen, width: 130, render: (_, row) => <Time at={row.seen_at} exact seconds /> },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function This({ standing, lag }: { standing: Standing; lag: number }) {
  const t = useText(texts);
  const isActive = standing.role === 'active';
  return (
    <dl className="facts">
      <dt>{t.role}</dt><dd>{standing.role === null ? t.alone : <Pill tone={isActive ? 'good' : 'info'}>{wordFor(t.roles, standing.role)}</Pill>}</dd>
      <dt>{t.ready}</dt><dd>{standing.isReady ? <Pill tone="good">{t.yes}</Pill> : <Pill tone="bad">{standing.missing}</Pill>}</dd>
      {standing.epoch !== null && <><dt>{t.epoch}</dt><dd>{exactCount(standing.epoch)} <span className="faint small">{t.epochHint}</span></dd></>}
      {standing.role !== null && <><dt>{t.holder}</dt><dd>{isActive ? t.self : standing.active === '' ? t.unknown : <a href={standing.active} rel="noreferrer">{standing.active}</a>}{isActive && standing.active !== '' && <span className="faint"> {standing.active}</span>}</dd></>}
      {standing.senders !== null && <>
        <dt>{t.senders}</dt><dd>{t.senderCount(exactCount(standing.senders.count), exactCount(standing.senders.accounts))} {standing.senders.unserved > 0 && <Pill tone="bad">{t.unserved(exactCount(standing.senders.unserved))}</Pill>}</dd>
        <dt>{t.outbox}</dt><dd>{exactCount(standing.senders.waiting)} {standing.senders.claimed > 0 && <span className="faint small">{t.outboxHint(exactCount(standing.senders.claimed))}</span>}</dd>
      </>}
      <dt>{t.behind}</dt><dd>{lag === 0 ? t.level : t.records(exactCount(lag))}</dd>
    </dl>
  );
}

function Shards({ shards, isReady, missing }: { shards: Schemas['System']['warehouse']['shards']; isReady: boolean; missing: string }) {
  const t = useText(texts);
  return (
    <Panel title={<span>{t.warehouse} <Term term="shard" /></span>}>
      {shards.length === 0 ? <p><Pill tone={isReady ? 'good' : 'bad'}>{isReady ? t.up : t.down}</Pill> <span className="soft">{t.embedded}</span></p> : (
        <ol>{shards.map((one, at) => <li key={one.url} className="feed-row"><span className="nowrap">{t.shard} {at + 1}</span><span className="mono cut grow" title={one.url}>{one.url}</span><Pill tone={one.ready ? 'good' : 'bad'}>{one.ready ? t.up : t.down}</Pill></li>)}</ol>
      )}
      {missing !== '' && <p className="small negative" style={{ overflowWrap: 'anywhere', marginTop: 8 }}>{t.missing}: {missing}</p>}
    </Panel>
  );
}
