/* SPDX-License-Identifier: Apache-2.0 */
/* SinkDrawer: makes and changes a sink to Kafka; once saved it is tried, and what came of that stands here. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Drawer, Form, Input, Radio, Select, Switch } from 'antd';
import { useState } from 'react';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { exactCount } from '@/lib/format';
import { useLasting } from '@/lib/hooks';
import { eventWord } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { mechanisms } from './feed';
import { freshSink, isTried, newsKinds, rightsToSave, sinkDraft, sinkProblem, sinkPut, type NewsKind, type Sink, type SinkDraft } from './sink';
import { sinkTexts } from './sinkTexts';

/* Why this person may not save a sink: the first right that is missing; null when she may. */
export function useSaveReason(isClear: boolean): string | null {
  const reasons: Readonly<Record<string, string | null>> = { 'source.administer': useRightReason('source.administer'), 'customer.export': useRightReason('customer.export'), 'customer.reveal': useRightReason('customer.reveal') };
  return rightsToSave(isClear).map((right) => reasons[right] ?? null).find((reason) => reason !== null) ?? null;
}

export const newSink = '+';

interface SinkDrawerProps {
  /* a key, '+' for a new one, null while closed */
  asked: string | null;
  sinks: readonly Sink[];
  onClose: () => void;
  onMade: (key: string) => void;
}

export function SinkDrawer({ asked, sinks, onClose, onMade }: SinkDrawerProps) {
  const t = useText(sinkTexts).drawer;
  /* one that is gone opens nothing; while it closes it stays what it was */
  const target = asked === newSink ? newSink : (sinks.find((one) => one.key === asked) ?? null);
  const shown = useLasting(target);
  const sink = shown === newSink ? null : shown;
  return (
    <Drawer open={target !== null} onClose={onClose} size={620} title={sink === null ? t.newTitle : t.title(sink.key)} destroyOnHidden>
      {shown !== null && <Editor key={sink?.key ?? '+'} sink={sink} taken={sinks.map((one) => one.key)} onClose={onClose} onMade={onMade} />}
    </Drawer>
  );
}

function Editor({ sink, taken, onClose, onMade }: { sink: Sink | null; taken: readonly string[]; onClose: () => void; onMade: (key: string) => void }) {
  const t = useText(sinkTexts).drawer;
  const client = useQueryClient();
  const notice = useProblemNotice();
  const [draft, setDraft] = useState<SinkDraft>(() => (sink === null ? freshSink : sinkDraft(sink)));
  const set = (change: Partial<SinkDraft>): void => setDraft((before) => ({ ...before, ...change }));
  const noRight = useSaveReason(draft.isClear);
  const problem = sinkProblem(draft, sink, taken);
  const save = useMutation({
    mutationFn: () => api.put('/sinks/{key}', { path: { key: draft.key }, body: sinkPut(draft, sink?.paused ?? false) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['sinks'] });
      set({ password: '' });
      onMade(draft.key);
    },
    onError: notice,
  });
  return (
    <Form layout="vertical" component="div">
      {sink === null ? <p className="notice" style={{ marginBottom: 16 }}>{t.begins}</p> : (save.isSuccess || sink.problem !== '') && <div style={{ marginBottom: 16 }}><Tried sink={sink} /></div>}
      {sink === null && <Form.Item label={t.key} extra={t.keyHelp} htmlFor="sink-key"><Input id="sink-key" className="mono" maxLength={40} autoFocus value={draft.key} onChange={(event) => set({ key: event.target.value.trim() })} /></Form.Item>}
      <Cluster draft={draft} sink={sink} set={set} />
      <News draft={draft} set={set} />
      <Form.Item label={t.personal} extra={t.personalHelp[draft.isClear ? 'clear' : 'none']}>
        <Radio.Group aria-label={t.personal} optionType="button" value={draft.isClear ? 'clear' : 'none'} onChange={(event) => set({ isClear: event.target.value === 'clear' })} options={(['none', 'clear'] as const).map((value) => ({ value, label: t.personals[value] }))} />
      </Form.Item>
      <Form.Item label={t.hold} extra={t.holdHelp} htmlFor="sink-hold"><Input id="sink-hold" className="mono" maxLength={10} style={{ width: 120 }} value={draft.hold} onChange={(event) => set({ hold: event.target.value })} /></Form.Item>
      <div className="drawer-actions">
        <ActionButton type="primary" reason={noRight ?? (problem === null ? null : t.problems[problem])} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton>
        {sink !== null && <Removal sink={sink} onGone={onClose} />}
      </div>
    </Form>
  );
}

interface PartProps {
  draft: SinkDraft;
  set: (change: Partial<SinkDraft>) => void;
}

/* Where Kafka is, and who signs in there. */
function Cluster({ draft, sink, set }: PartProps & { sink: Sink | null }) {
  const t = useText(sinkTexts).drawer;
  return (
    <>
      <Form.Item label={t.brokers} extra={t.brokersHelp} htmlFor="sink-brokers"><Select id="sink-brokers" mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ', '，', '\n']} value={draft.brokers} onChange={(brokers: string[]) => set({ brokers: brokers.map((one) => one.trim()) })} /></Form.Item>
      <Form.Item label={t.sign} htmlFor="sink-sign">
        <div className="row wrap">
          <Select id="sink-sign" style={{ width: 180 }} value={draft.mechanism} onChange={(mechanism: string) => set({ mechanism })} options={[{ value: '', label: t.signNone }, ...mechanisms.map((one) => ({ value: one as string, label: one }))]} />
          <Switch aria-label={t.tls} checked={draft.tls} onChange={(tls) => set({ tls })} /> <span className="soft">{t.tls}</span>
        </div>
      </Form.Item>
      {draft.mechanism !== '' && (
        <div className="row wrap" style={{ alignItems: 'flex-start', gap: 16 }}>
          <Form.Item label={t.username} htmlFor="sink-user" style={{ width: 220 }}><Input id="sink-user" autoComplete="off" value={draft.username} onChange={(event) => set({ username: event.target.value })} /></Form.Item>
          <Form.Item label={t.password} htmlFor="sink-password" extra={sink !== null && sink.mechanism !== '' ? t.passwordKept : undefined} style={{ width: 260 }}><Input.Password id="sink-password" autoComplete="new-password" value={draft.password} onChange={(event) => set({ password: event.target.value })} /></Form.Item>
        </div>
      )}
    </>
  );
}

/* What is told, to which topic, and of which alone. */
function News({ draft, set }: PartProps) {
  const { drawer: t, kinds } = useText(sinkTexts);
  const common = useText(words);
  const segments = useQuery({ ...queries.definitions('segments'), enabled: useMay('segment.see') });
  const tags = useQuery({ ...queries.definitions('tags'), enabled: useMay('tag.see') });
  const plan = useQuery({ ...queries.planEvents(), enabled: useMay('plan.see') });
  const named = (items: readonly { key: string; name: string }[] | undefined): Choice[] => (items ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name }));
  const narrowed: Partial<Record<NewsKind, { chosen: string[]; choices: Choice[]; put: (chosen: string[]) => void }>> = {
    segments: { chosen: draft.segments, choices: named(segments.data?.items), put: (chosen) => set({ segments: chosen }) },
    tags: { chosen: draft.tags, choices: named(tags.data?.items), put: (chosen) => set({ tags: chosen }) },
    events: { chosen: draft.eventTypes, choices: (plan.data?.items ?? []).map((one) => ({ value: one.name, label: eventWord(common.event, one.name) })), put: (chosen) => set({ eventTypes: chosen }) },
  };
  return (
    <Form.Item label={t.topics} extra={t.topicsHelp}>
      <ul className="stack" style={{ gap: 12 }}>
        {newsKinds.map((kind) => {
          const only = narrowed[kind];
          const isTold = draft.topics[kind].trim() !== '';
          return (
            <li key={kind} className="stack" style={{ gap: 6 }}>
              <div className="row wrap" style={{ gap: 10 }}>
                <span style={{ width: 150 }}>{kinds[kind]}</span>
                <Input className="mono" aria-label={t.topicOf(kinds[kind])} placeholder={`kith.${kind}`} maxLength={127} value={draft.topics[kind]} onChange={(event) => set({ topics: { ...draft.topics, [kind]: event.target.value } })} style={{ flex: 1, minWidth: 180 }} />
              </div>
              <span className="small faint">{t.kindHelp[kind]}</span>
              {isTold && only !== undefined && <Only label={t.only[kind] ?? ''} {...only} />}
            </li>
          );
        })}
      </ul>
    </Form.Item>
  );
}

interface Choice {
  value: string;
  label: string;
}

function Only({ label, chosen, choices, put }: { label: string; chosen: string[]; choices: Choice[]; put: (chosen: string[]) => void }) {
  const t = useText(sinkTexts).drawer;
  return <Select mode="multiple" aria-label={label} placeholder={`${label} · ${t.all}`} value={chosen} onChange={put} options={choices} showSearch={{ optionFilterProp: 'label' }} maxCount={100} />;
}

/* What came of trying; the list behind the drawer asks every few seconds, so this follows. */
function Tried({ sink }: { sink: Sink }) {
  const t = useText(sinkTexts).drawer;
  if (!isTried(sink) && sink.problem === '') return <div className="notice" role="status">{t.trying}</div>;
  if (sink.state === 'running') return <div className="notice good" role="status">{t.ok}</div>;
  if (sink.state === 'paused') return <div className="notice" role="status">{t.savedPaused}</div>;
  if (sink.state === 'waiting') return <div className="notice" role="status">{t.waiting}</div>;
  return <div className="notice bad" role="alert"><span><strong>{t.failed}</strong> <span style={{ overflowWrap: 'anywhere' }}>{sink.problem}</span></span></div>;
}

function Removal({ sink, onGone }: { sink: Sink; onGone: () => void }) {
  const t = useText(sinkTexts).drawer;
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('source.administer');
  const remove = useMutation({
    mutationFn: () => api.delete('/sinks/{key}', { path: { key: sink.key } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['sinks'] });
      void message.success(t.removed);
      onGone();
    },
    onError: notice,
  });
  const ask = (): void => void modal.confirm({ title: t.removeTitle(sink.key), content: t.removeText(exactCount(sink.behind)), okText: t.remove, cancelText: t.keep, okButtonProps: { danger: true }, onOk: () => remove.mutateAsync().catch(() => undefined) });
  return <ActionButton danger reason={noRight} loading={remove.isPending} onClick={ask}>{t.remove}</ActionButton>;
}
