/* SPDX-License-Identifier: Apache-2.0 */
/* FeedDrawer: makes and changes a feed from Kafka; once saved it is tried, and what came of that stands here. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Checkbox, Drawer, Form, Input, Radio, Select, Switch } from 'antd';
import { useState } from 'react';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { useLasting } from '@/lib/hooks';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Time } from '@/ui/Marks';
import { feedDraft, feedProblem, feedPut, formats, freshFeed, isTried, mechanisms, type Feed, type FeedDraft } from './feed';
import { feedTexts } from './feedTexts';

interface FeedDrawerProps {
  /* a key, '+' for a new one, null while closed */
  asked: string | null;
  feeds: readonly Feed[];
  onClose: () => void;
  onMade: (key: string) => void;
}

export function FeedDrawer({ asked, feeds, onClose, onMade }: FeedDrawerProps) {
  const t = useText(feedTexts).drawer;
  const shown = useLasting(asked);
  const feed = feeds.find((one) => one.key === shown) ?? null;
  return (
    <Drawer open={asked !== null} onClose={onClose} size={620} title={feed === null ? t.newTitle : t.title(feed.key)} destroyOnHidden>
      {shown !== null && <Editor key={feed?.key ?? '+'} feed={feed} onClose={onClose} onMade={onMade} />}
    </Drawer>
  );
}

function Editor({ feed, onClose, onMade }: { feed: Feed | null; onClose: () => void; onMade: (key: string) => void }) {
  const texts = useText(feedTexts);
  const t = texts.drawer;
  const client = useQueryClient();
  const notice = useProblemNotice();
  const noRight = useRightReason('source.administer');
  const [draft, setDraft] = useState<FeedDraft>(() => (feed === null ? freshFeed : feedDraft(feed)));
  const set = (change: Partial<FeedDraft>): void => setDraft({ ...draft, ...change });
  const problem = feedProblem(draft, feed);
  const save = useMutation({
    mutationFn: () => api.put('/feeds/{key}', { path: { key: draft.key }, body: feedPut(draft, feed?.paused ?? false) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['feeds'] });
      setDraft((before) => ({ ...before, password: '', restart: false }));
      onMade(draft.key);
    },
    onError: notice,
  });
  return (
    <Form layout="vertical" component="div">
      {feed !== null && (save.isSuccess || feed.problem !== '') && <div style={{ marginBottom: 16 }}><Tried feed={feed} /></div>}
      {feed === null && <Form.Item label={t.key} extra={t.keyHelp} htmlFor="feed-key"><Input id="feed-key" className="mono" maxLength={40} autoFocus value={draft.key} onChange={(event) => set({ key: event.target.value.trim() })} /></Form.Item>}
      <Cluster draft={draft} feed={feed} set={set} />
      <Messages draft={draft} set={set} />
      <details style={{ marginBottom: 16 }}>
        <summary className="soft" style={{ cursor: 'pointer', marginBottom: 8 }}>{t.more}</summary>
        <Form.Item label={t.group} extra={t.groupHelp} htmlFor="feed-group"><Input id="feed-group" className="mono" maxLength={200} placeholder={`kith-${draft.key}`} value={draft.group} onChange={(event) => set({ group: event.target.value })} /></Form.Item>
        {feed !== null && <Form.Item extra={t.restartHelp}><Checkbox checked={draft.restart} onChange={(event) => set({ restart: event.target.checked })}>{t.restart}</Checkbox></Form.Item>}
      </details>
      {feed !== null && feed.last_refused.length > 0 && <Refused feed={feed} />}
      <div className="drawer-actions">
        <ActionButton type="primary" reason={noRight ?? (problem === null ? null : t.problems[problem] ?? problem)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton>
        {feed !== null && <Removal feed={feed} onGone={onClose} />}
      </div>
    </Form>
  );
}

interface PartProps {
  draft: FeedDraft;
  set: (change: Partial<FeedDraft>) => void;
}

/* Where Kafka is, and who signs in there. */
function Cluster({ draft, feed, set }: PartProps & { feed: Feed | null }) {
  const t = useText(feedTexts).drawer;
  return (
    <>
      <Form.Item label={t.brokers} extra={t.brokersHelp} htmlFor="feed-brokers"><Select id="feed-brokers" mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ', '，', '\n']} value={draft.brokers} onChange={(brokers: string[]) => set({ brokers: brokers.map((one) => one.trim()) })} /></Form.Item>
      <Form.Item label={t.topics} extra={t.topicsHelp} htmlFor="feed-topics"><Select id="feed-topics" mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ', '，', '\n']} value={draft.topics} onChange={(topics: string[]) => set({ topics: topics.map((one) => one.trim()) })} /></Form.Item>
      <Form.Item label={t.sign} htmlFor="feed-sign">
        <div className="row wrap">
          <Select id="feed-sign" style={{ width: 180 }} value={draft.mechanism} onChange={(mechanism: string) => set({ mechanism })} options={[{ value: '', label: t.signNone }, ...mechanisms.map((one) => ({ value: one as string, label: one }))]} />
          <Switch aria-label={t.tls} checked={draft.tls} onChange={(tls) => set({ tls })} /> <span className="soft">{t.tls}</span>
        </div>
      </Form.Item>
      {draft.mechanism !== '' && (
        <div className="row wrap" style={{ alignItems: 'flex-start', gap: 16 }}>
          <Form.Item label={t.username} htmlFor="feed-user" style={{ width: 220 }}><Input id="feed-user" autoComplete="off" value={draft.username} onChange={(event) => set({ username: event.target.value })} /></Form.Item>
          <Form.Item label={t.password} htmlFor="feed-password" extra={feed !== null && feed.mechanism !== '' ? t.passwordKept : undefined} style={{ width: 260 }}><Input.Password id="feed-password" autoComplete="new-password" value={draft.password} onChange={(event) => set({ password: event.target.value })} /></Form.Item>
        </div>
      )}
    </>
  );
}

/* What its messages are, and as what they count. */
function Messages({ draft, set }: PartProps) {
  const t = useText(feedTexts).drawer;
  const sources = useQuery(queries.sources());
  const mappings = useQuery({ ...queries.mappings(), enabled: useMay('mapping.see') });
  const keys = [...new Set((mappings.data?.items ?? []).map((one) => one.key))];
  return (
    <>
      <Form.Item label={t.source} extra={t.sourceHelp} htmlFor="feed-source">
        <Select id="feed-source" value={draft.source === '' ? undefined : draft.source} onChange={(source: string) => set({ source })} showSearch={{ optionFilterProp: 'label' }} options={(sources.data?.items ?? []).map((one) => ({ value: one.key, label: one.name === '' || one.name === one.key ? one.key : `${one.name} (${one.key})` }))} />
      </Form.Item>
      <Form.Item label={t.format} extra={t.formatHelp[draft.format]}>
        <Radio.Group aria-label={t.format} optionType="button" value={draft.format} onChange={(event) => set({ format: event.target.value as FeedDraft['format'] })} options={formats.map((value) => ({ value, label: t.formats[value] }))} />
      </Form.Item>
      {draft.format === 'mapping' && (
        <Form.Item label={t.mapping} extra={mappings.data !== undefined && keys.length === 0 ? t.noMappings : undefined} htmlFor="feed-mapping">
          <Select id="feed-mapping" value={draft.mapping === '' ? undefined : draft.mapping} onChange={(mapping: string) => set({ mapping })} showSearch options={keys.map((value) => ({ value, label: value }))} />
        </Form.Item>
      )}
      <Form.Item label={t.start} extra={t.startHelp}>
        <Radio.Group aria-label={t.start} value={draft.start} onChange={(event) => set({ start: event.target.value as FeedDraft['start'] })} options={(['oldest', 'newest'] as const).map((value) => ({ value, label: t.starts[value] }))} />
      </Form.Item>
      <Form.Item><Checkbox checked={draft.historical} onChange={(event) => set({ historical: event.target.checked })}>{t.historical}</Checkbox></Form.Item>
    </>
  );
}

/* What came of trying; the list behind the drawer asks every few seconds, so this follows. */
function Tried({ feed }: { feed: Feed }) {
  const t = useText(feedTexts).drawer;
  if (!isTried(feed) && feed.problem === '') return <div className="notice" role="status">{t.trying}</div>;
  if (feed.state === 'running') return <div className="notice good" role="status">{t.ok(feed.partitions)}</div>;
  if (feed.state === 'paused') return <div className="notice" role="status">{t.savedPaused}</div>;
  if (feed.state === 'waiting') return <div className="notice" role="status">{t.waiting}</div>;
  return <div className="notice bad" role="alert"><span><strong>{t.failed}</strong> <span style={{ overflowWrap: 'anywhere' }}>{feed.problem}</span></span></div>;
}

function Refused({ feed }: { feed: Feed }) {
  const t = useText(feedTexts).drawer;
  return (
    <section style={{ marginTop: 16 }}>
      <h2 className="detail-head">{t.refusedTitle}</h2>
      <ul>{feed.last_refused.map((one) => <li key={`${one.topic} ${one.partition} ${one.offset}`} style={{ padding: '6px 0', borderTop: '1px solid var(--line)' }}><span className="row between small"><span className="mono">{t.at(one.topic, one.partition, one.offset)}</span><Time at={one.at} /></span><span style={{ overflowWrap: 'anywhere' }}>{one.reason}</span></li>)}</ul>
    </section>
  );
}

function Removal({ feed, onGone }: { feed: Feed; onGone: () => void }) {
  const t = useText(feedTexts).drawer;
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('source.administer');
  const remove = useMutation({
    mutationFn: () => api.delete('/feeds/{key}', { path: { key: feed.key } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['feeds'] });
      void message.success(t.removed);
      onGone();
    },
    onError: notice,
  });
  const ask = (): void => void modal.confirm({ title: t.removeTitle(feed.key), content: t.removeText, okText: t.remove, cancelText: t.keep, okButtonProps: { danger: true }, onOk: () => remove.mutateAsync().catch(() => undefined) });
  return <ActionButton danger reason={noRight} loading={remove.isPending} onClick={ask}>{t.remove}</ActionButton>;
}
