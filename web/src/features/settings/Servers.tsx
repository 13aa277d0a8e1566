/* SPDX-License-Identifier: Apache-2.0 */
/* Servers: what the server that answers is among several, who has the lease, how far it is behind; and the shards of the warehouse. */
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { Term } from '@/help/Term';
import { exactCount } from '@/lib/format';
import { catalogue, wordFor } from '@/lib/text';
import { Pill } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { askStanding, type Standing } from './standing';

const texts = catalogue({
  zh: {
    this: '应答的这台服务器', roles: { active: '主服务器：写入、发送', follower: '跟随：只读', collect: '只收数', query: '只查询' } as Record<string, string>, role: '角色', alone: '单机：没有别的服务器', ready: '就绪', yes: '是', epoch: '租约编号', epochHint: '每换一次主服务器加一', holder: '租约在谁手里', self: '这台', unknown: '没有说明地址', behind: '落后', records: (count: string) => `${count} 条记录`, level: '已跟上', note: '每台服务器只说自己的情况；要看别的，打开它的地址。',
    warehouse: '数据仓库', embedded: '内嵌在这台服务器里', shard: '分片', up: '可用', down: '连不上', url: '地址', missing: '缺少',
  },
  en: {
    this: 'The server that answers', roles: { active: 'active: writes and sends', follower: 'follower: reads', collect: 'collects alone', query: 'answers alone' }, role: 'Role', alone: 'the only one', ready: 'Ready', yes: 'yes', epoch: 'Number of the lease', epochHint: 'one more with each take-over', holder: 'Who holds the lease', self: 'this one', unknown: 'its address was not said', behind: 'Behind', records: (count) => `${count} records`, level: 'level', note: 'Each server speaks for itself; for another one open its address.',
    warehouse: 'Warehouse', embedded: 'within this server', shard: 'Shard', up: 'up', down: 'away', url: 'Address', missing: 'Missing',
  },
});

export function Servers({ system }: { system: Schemas['System'] }) {
  const t = useText(texts);
  const standing = useQuery({ queryKey: ['readyz'], queryFn: ({ signal }) => askStanding(signal), refetchInterval: 3_000 });
  return (
    <div className="split-2">
      <Panel title={<span>{t.this} <Term term="lease" /></span>} note={t.note}>
        <Loaded query={standing} skeleton={<Bones rows={4} inset={0} />}>{(data) => <This standing={data} lag={system.engine.lag} />}</Loaded>
      </Panel>
      <Shards shards={system.warehouse.shards} isReady={system.warehouse.ready} missing={standing.data?.missing ?? ''} />
    </div>
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
