/* SPDX-License-Identifier: Apache-2.0 */
/* TeamThings: what is a team's own (by its key, its sources and accounts), and what is shared with it: given, changed, taken back. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Modal, Select } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { journeyHeads, templateHeads } from '@/features/journeys/heads';
import { touchQueries } from '@/features/touches/model';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { QuietHead } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { adminQueries } from './queries';
import { ownerOf, sharedWith, type Share, type Team } from './teams';

const texts = catalogue({
  zh: {
    own: '团队自有', ownHelp: '代号以团队代号和两个下划线开头的，加上分给它的数据源和账号', noneOwn: '还没有自己的东西。团队里的人新建人群、标签、模板时，代号用这个开头就归团队：', kinds: { segment: '人群', tag: '标签', journey: '旅程', template: '模板', account: '发送账号', source: '数据源', mapping: '导入映射', pool: '券池' } as Record<string, string>,
    shared: '共享给它的', share: '共享', shareTitle: (team: string) => `共享给「${team}」`, kind: '类别', thing: '哪一个', level: '可以', levels: { read: '查看', use: '使用', change: '修改' } as Record<string, string>, levelHelp: { read: '看得到，只数它自己的客户', use: '还能导出、发送时引用', change: '还能改' } as Record<string, string>, with: '范围', all: '所有团队', this: '这个团队', take: '收回', takeOf: (key: string) => `收回 ${key}`,
    none: '没有共享。不属于任何团队的人群、标签，团队看不到，除非共享。', decided: '标签和人群可能含有别的团队的事件算出的值；共享就是决定这些值可以给它看。', saved: '已共享', taken: '已收回', choose: '先选要共享的',
  },
  en: {
    own: 'Its own', ownHelp: 'what has a key that begins with the team\'s and two underscores, and the sources and accounts given to it', noneOwn: 'Nothing of its own yet. Segments, tags and templates belong to the team when their key begins with', kinds: { segment: 'Segment', tag: 'Tag', journey: 'Journey', template: 'Template', account: 'Sending account', source: 'Source', mapping: 'Mapping', pool: 'Coupon pool' },
    shared: 'Shared with it', share: 'Share', shareTitle: (team) => `Share with ${team}`, kind: 'Kind', thing: 'Which', level: 'It may', levels: { read: 'see', use: 'use', change: 'change' }, levelHelp: { read: 'sees it, counted over its own customers', use: 'also exports it and names it in what goes out', change: 'also changes it' }, with: 'With', all: 'all teams', this: 'this team', take: 'Take back', takeOf: (key) => `Take ${key} back`,
    none: 'Nothing is shared. What belongs to no team is not seen by teams, unless it is shared.', decided: 'Tags and segments may come from events of other teams; sharing one is the decision that its values may be known.', saved: 'Shared', taken: 'Taken back', choose: 'Choose what to share first',
  },
});

type Kind = Share['kind'];
interface Thing {
  kind: Kind;
  key: string;
  name: string;
  to: string;
}

/* Everything that can belong to a team or be shared, as far as this person sees it. */
function useAll(): readonly Thing[] {
  const segments = useQuery({ ...queries.definitions('segments'), enabled: useMay('segment.see'), staleTime: 30_000 });
  const tags = useQuery({ ...queries.definitions('tags'), enabled: useMay('tag.see'), staleTime: 30_000 });
  const journeys = useQuery({ ...journeyHeads(), enabled: useMay('journey.see'), staleTime: 30_000 });
  const templates = useQuery({ ...templateHeads(), enabled: useMay('template.see') });
  const accounts = useQuery({ ...touchQueries.accounts(), enabled: useMay('channel.see'), staleTime: 30_000 });
  const sources = useQuery({ ...queries.sources(), enabled: useMay('source.see'), staleTime: 30_000 });
  const mappings = useQuery({ ...queries.mappings(), enabled: useMay('mapping.see'), staleTime: 30_000 });
  return [
    ...(segments.data?.items ?? []).map((one): Thing => ({ kind: 'segment', key: one.key, name: one.name, to: `/segments/${one.key}` })),
    ...(tags.data?.items ?? []).map((one): Thing => ({ kind: 'tag', key: one.key, name: one.name, to: `/tags/${one.key}` })),
    ...(journeys.data?.items ?? []).map((one): Thing => ({ kind: 'journey', key: one.key, name: one.name, to: `/journeys/${one.key}` })),
    ...(templates.data?.items ?? []).map((one): Thing => ({ kind: 'template', key: one.key, name: typeof one.body['name'] === 'string' ? one.body['name'] : '', to: `/templates/${one.key}` })),
    ...(accounts.data?.items ?? []).map((one): Thing => ({ kind: 'account', key: one.key, name: '', to: '/touches?tab=accounts' })),
    ...(sources.data?.items ?? []).map((one): Thing => ({ kind: 'source', key: one.key, name: one.name, to: `/data/sources/${one.key}` })),
    ...[...new Map((mappings.data?.items ?? []).map((one) => [one.key, one])).keys()].map((key): Thing => ({ kind: 'mapping', key, name: '', to: '/data/imports' })),
  ];
}

const label = (thing: Thing): string => (thing.name === '' ? thing.key : thing.name);

export function Things({ team }: { team: Team }) {
  const t = useText(texts);
  const own = useAll().filter((one) => ownerOf(one.key) === team.key || (one.kind === 'source' && team.sources.includes(one.key)) || (one.kind === 'account' && team.accounts.includes(one.key)));
  return (
    <Panel title={t.own} note={t.ownHelp}>
      {own.length === 0 ? <p className="soft">{t.noneOwn} <span className="mono">{team.key}__</span></p> : (
        <ul className="row wrap" style={{ gap: '6px 20px' }}>{own.map((one) => <li key={`${one.kind} ${one.key}`} className="row" style={{ gap: 6 }}><span className="small faint">{wordFor(t.kinds, one.kind)}</span><Link to={one.to} className="cut" style={{ maxWidth: 260 }} title={one.key}>{label(one)}</Link></li>)}</ul>
      )}
    </Panel>
  );
}

function useShare(said: string, onDone?: () => void) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  return useMutation({
    mutationFn: (body: Share) => api.put('/shares', { body }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['shares'] });
      void message.success(said);
      onDone?.();
    },
    onError: notice,
  });
}

export function Shares({ team }: { team: Team }) {
  const t = useText(texts);
  const noRight = useRightReason('team.administer');
  const { user } = useSession();
  const shares = useQuery(adminQueries.shares());
  const all = useAll();
  const [isOpen, setOpen] = useState(false);
  const take = useShare(t.taken);
  const change = useShare(t.saved);
  const mayShare = user.team === null;
  return (
    <Panel title={t.shared} flush tools={mayShare && <ActionButton size="small" icon={<PlusOutlined />} reason={noRight} onClick={() => setOpen(true)}>{t.share}</ActionButton>}>
      <Loaded query={shares} skeleton={<Bones rows={2} />} isEmpty={(data) => sharedWith(team.key, data.items).length === 0} empty={<p className="soft" style={{ padding: '4px 16px 16px' }}>{t.none}</p>}>
        {(data) => (
          <DataTable<Share>
            rowKey={(row) => `${row.kind} ${row.key} ${row.team}`} dataSource={sharedWith(team.key, data.items)}
            columns={[
              { key: 'kind', title: t.kind, width: 110, render: (_, row) => wordFor(t.kinds, row.kind) },
              { key: 'thing', title: t.thing, render: (_, row) => { const thing = all.find((one) => one.kind === row.kind && one.key === row.key); return thing === undefined ? <span className="mono">{row.key}</span> : <Link to={thing.to}>{label(thing)}</Link>; } },
              { key: 'with', title: t.with, width: 120, render: (_, row) => (row.team === '*' ? t.all : t.this) },
              { key: 'level', title: t.level, width: 130, render: (_, row) => (mayShare && noRight === null ? <Select size="small" aria-label={`${t.level} ${row.key}`} style={{ width: 100 }} value={row.level} onChange={(level: Share['level']) => change.mutate({ ...row, level })} options={Object.entries(t.levels).map(([value, text]) => ({ value, label: text }))} /> : wordFor(t.levels, row.level)) },
              { key: 'do', title: <QuietHead>{t.take}</QuietHead>, width: 90, align: 'right', render: (_, row) => mayShare && <ActionButton size="small" type="text" danger icon={<DeleteOutlined />} reason={noRight} aria-label={t.takeOf(row.key)} onClick={() => take.mutate({ ...row, level: 'none' })}>{t.take}</ActionButton> },
            ]}
          />
        )}
      </Loaded>
      <NewShare team={team} all={all} isOpen={isOpen} onClose={() => setOpen(false)} />
    </Panel>
  );
}

function NewShare({ team, all, isOpen, onClose }: { team: Team; all: readonly Thing[]; isOpen: boolean; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const [kind, setKind] = useState<Kind>('segment');
  const [key, setKey] = useState<string | null>(null);
  const [level, setLevel] = useState<Share['level']>('read');
  const [scope, setScope] = useState<'this' | 'all'>('this');
  const share = useShare(t.saved, () => { setKey(null); onClose(); });
  const name = team.name === '' ? team.key : team.name;
  return (
    <Modal open={isOpen} title={t.shareTitle(name)} okText={t.share} okButtonProps={{ disabled: key === null }} cancelText={common.action.cancel} confirmLoading={share.isPending} onCancel={onClose} onOk={() => key !== null && share.mutate({ kind, key, level, team: scope === 'all' ? '*' : team.key })} destroyOnHidden>
      <div className="stack" style={{ gap: 12 }}>
        <p className="small soft">{t.decided}</p>
        <label className="field"><span>{t.kind}</span><Select<Kind> aria-label={t.kind} value={kind} onChange={(next) => { setKind(next); setKey(null); }} options={(['segment', 'tag', 'journey', 'template', 'account', 'source', 'mapping'] as const).map((value) => ({ value, label: wordFor(t.kinds, value) }))} /></label>
        <label className="field"><span>{t.thing}</span><Select aria-label={t.thing} value={key} onChange={setKey} placeholder={t.choose} showSearch={{ optionFilterProp: 'label' }} options={all.filter((one) => one.kind === kind && ownerOf(one.key) !== team.key).map((one) => ({ value: one.key, label: one.name === '' ? one.key : `${one.name} (${one.key})` }))} /></label>
        <label className="field"><span>{t.level}</span><Select<Share['level']> aria-label={t.level} value={level} onChange={setLevel} options={(['read', 'use', 'change'] as const).map((value) => ({ value, label: `${wordFor(t.levels, value)} — ${wordFor(t.levelHelp, value)}` }))} /></label>
        <label className="field"><span>{t.with}</span><Select<'this' | 'all'> aria-label={t.with} value={scope} onChange={setScope} options={[{ value: 'this', label: name }, { value: 'all', label: t.all }]} /></label>
      </div>
    </Modal>
  );
}
