/* SPDX-License-Identifier: Apache-2.0 */
/* sink: a sink to Kafka as it is edited, what is sent when it is saved, which rights that takes, and how it goes. All pure, but for the list. */
import { api, type Schemas } from '@/api/client';
import type { Tone } from '@/ui/Marks';

export type Sink = Schemas['Sink'];
export type SinkPut = Schemas['SinkPut'];

/* All of them, with how they go. */
export const sinkList = () => ({
  queryKey: ['sinks'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => api.get('/sinks', { signal }),
  refetchInterval: 3_000,
});

export const newsKinds = ['segments', 'tags', 'touches', 'events', 'customers'] as const;
export type NewsKind = (typeof newsKinds)[number];

export interface SinkDraft {
  key: string;
  brokers: string[];
  /* '' for news that are not told */
  topics: Record<NewsKind, string>;
  segments: string[];
  tags: string[];
  eventTypes: string[];
  isClear: boolean;
  hold: string;
  tls: boolean;
  mechanism: string;
  username: string;
  /* '' leaves the one that is there */
  password: string;
}

const noTopics: Record<NewsKind, string> = { segments: '', tags: '', touches: '', events: '', customers: '' };

export const freshSink: SinkDraft = { key: '', brokers: [], topics: noTopics, segments: [], tags: [], eventTypes: [], isClear: false, hold: '7d', tls: false, mechanism: '', username: '', password: '' };

export const sinkDraft = (sink: Sink): SinkDraft => ({
  key: sink.key, brokers: [...sink.brokers], topics: { ...noTopics, ...sink.topics }, segments: [...sink.segments], tags: [...sink.tags], eventTypes: [...sink.event_types], isClear: sink.personal === 'clear', hold: sink.hold,
  tls: sink.tls, mechanism: sink.mechanism, username: sink.username, password: '',
});

export type SinkProblem = 'key' | 'taken' | 'brokers' | 'broker' | 'topics' | 'topic' | 'hold' | 'username' | 'password' | 'plain';

const hourMs = 3_600_000;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: hourMs, d: 24 * hourMs };

/* '1h' to '90d'. */
export function isHold(text: string): boolean {
  const [, number, unit] = /^(\d{1,10})(ms|s|m|h|d)$/.exec(text) ?? [];
  const span = Number(number ?? 0) * (unitMs[unit ?? ''] ?? 0);
  return span >= hourMs && span <= 90 * 24 * hourMs;
}

/* What the server would refuse, said beforehand; null when nothing is seen. `has` is the sink as it stands. */
export function sinkProblem(draft: SinkDraft, has: Sink | null, taken: readonly string[] = []): SinkProblem | null {
  if (!/^[a-z0-9_-]{1,40}$/.test(draft.key)) return 'key';
  if (has === null && taken.includes(draft.key)) return 'taken';
  if (draft.brokers.length === 0) return 'brokers';
  if (draft.brokers.some((one) => !/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(one))) return 'broker';
  const topics = newsKinds.map((kind) => draft.topics[kind].trim()).filter((topic) => topic !== '');
  if (topics.length === 0) return 'topics';
  if (topics.some((topic) => !/^[A-Za-z0-9._-]{1,127}$/.test(topic))) return 'topic';
  if (!isHold(draft.hold.trim())) return 'hold';
  if (draft.mechanism === '') return null;
  if (draft.username.trim() === '') return 'username';
  if (draft.password === '' && (has === null || has.mechanism === '' || !keepsPassword(draft, has))) return 'password';
  return draft.mechanism === 'PLAIN' && !draft.tls ? 'plain' : null;
}

/* A password goes to no other brokers, and for no other name, than those it was given for. */
function keepsPassword(draft: SinkDraft, has: Sink): boolean {
  return draft.username.trim() === has.username && draft.brokers.join(',') === has.brokers.join(',');
}

/* A narrowing of news that are not told is left out: it would come back unseen when they are told again. */
export function sinkPut(draft: SinkDraft, isPaused: boolean): SinkPut {
  const topics = Object.fromEntries(newsKinds.map((kind) => [kind, draft.topics[kind].trim()] as const).filter(([, topic]) => topic !== ''));
  return {
    brokers: draft.brokers, topics, personal: draft.isClear ? 'clear' : 'none', hold: draft.hold.trim(), paused: isPaused, tls: draft.tls,
    segments: 'segments' in topics ? draft.segments : [], tags: 'tags' in topics ? draft.tags : [], event_types: 'events' in topics ? draft.eventTypes : [],
    ...(draft.mechanism === '' ? {} : { mechanism: draft.mechanism, username: draft.username.trim(), ...(draft.password === '' ? {} : { password: draft.password }) }),
  };
}

/* The rights that saving takes; forgetting one takes the first alone. */
export const rightsToSave = (isClear: boolean): readonly string[] => ['source.administer', 'customer.export', ...(isClear ? ['customer.reveal'] : [])];

export const sinkTones: Readonly<Record<Sink['state'], Tone>> = { running: 'good', connecting: 'info', waiting: 'info', paused: 'plain', failing: 'bad' };

/* Has what was saved been tried? 'connecting' is not yet an answer. */
export const isTried = (sink: Pick<Sink, 'state'>): boolean => sink.state !== 'connecting';
