/* SPDX-License-Identifier: Apache-2.0 */
/* feed: a feed from Kafka as it is edited, what is sent when it is saved, and how it goes. All pure, but for the list. */
import { api, type Schemas } from '@/api/client';
import type { Tone } from '@/ui/Marks';

export type Feed = Schemas['Feed'];
export type FeedPut = Schemas['FeedPut'];

/* All of them, with how they go. */
export const feedList = () => ({
  queryKey: ['feeds'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => api.get('/feeds', { signal }),
  refetchInterval: 3_000,
});

export const formats = ['segment', 'sensors', 'mapping'] as const;
export const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export interface FeedDraft {
  key: string;
  brokers: string[];
  topics: string[];
  source: string;
  format: FeedPut['format'];
  mapping: string;
  start: 'oldest' | 'newest';
  historical: boolean;
  tls: boolean;
  mechanism: string;
  username: string;
  /* '' leaves the one that is there */
  password: string;
  group: string;
  restart: boolean;
}

export const freshFeed: FeedDraft = { key: '', brokers: [], topics: [], source: '', format: 'segment', mapping: '', start: 'oldest', historical: false, tls: false, mechanism: '', username: '', password: '', group: '', restart: false };

export const feedDraft = (feed: Feed): FeedDraft => ({
  key: feed.key, brokers: [...feed.brokers], topics: [...feed.topics], source: feed.source, format: feed.format, mapping: feed.mapping, start: feed.start, historical: feed.historical, tls: feed.tls,
  mechanism: feed.mechanism, username: feed.username, password: '', group: feed.group, restart: false,
});

export type FeedProblem = 'key' | 'brokers' | 'broker' | 'topics' | 'source' | 'mapping' | 'username' | 'password' | 'plain';

/* What the server would refuse, said beforehand; null when nothing is seen. `has` is the feed as it stands. */
export function feedProblem(draft: FeedDraft, has: Feed | null): FeedProblem | null {
  if (!/^[a-z0-9_-]{1,40}$/.test(draft.key)) return 'key';
  if (draft.brokers.length === 0) return 'brokers';
  if (draft.brokers.some((one) => !/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(one))) return 'broker';
  if (draft.topics.length === 0) return 'topics';
  if (draft.source === '') return 'source';
  if (draft.format === 'mapping' && draft.mapping === '') return 'mapping';
  if (draft.mechanism === '') return null;
  if (draft.username.trim() === '') return 'username';
  if (draft.password === '' && (has === null || has.mechanism === '' || !sameBrokers(draft, has))) return 'password';
  return draft.mechanism === 'PLAIN' && !draft.tls ? 'plain' : null;
}

/* A password goes to no other brokers than those it was given for. */
function sameBrokers(draft: FeedDraft, has: Feed): boolean {
  return draft.brokers.length === has.brokers.length && draft.brokers.every((one) => has.brokers.includes(one));
}

export function feedPut(draft: FeedDraft, isPaused: boolean): FeedPut {
  const signsIn = draft.mechanism !== '';
  return {
    brokers: draft.brokers, topics: draft.topics, source: draft.source, format: draft.format, start: draft.start, historical: draft.historical, paused: isPaused, tls: draft.tls,
    ...(draft.format === 'mapping' ? { mapping: draft.mapping } : {}),
    ...(draft.group.trim() === '' ? {} : { group: draft.group.trim() }),
    ...(signsIn ? { mechanism: draft.mechanism, username: draft.username.trim(), ...(draft.password === '' ? {} : { password: draft.password }) } : {}),
    ...(draft.restart ? { restart: true } : {}),
  };
}

export const feedTones: Readonly<Record<Feed['state'], Tone>> = { running: 'good', connecting: 'info', waiting: 'info', paused: 'plain', failing: 'bad' };

/* Has what was saved been tried? 'connecting' is not yet an answer. */
export const isTried = (feed: Pick<Feed, 'state'>): boolean => feed.state !== 'connecting';
