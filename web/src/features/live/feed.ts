/* SPDX-License-Identifier: Apache-2.0 */
/* feed: the last events as they come in, by server-sent events; by asking every two seconds where a
 * proxy in between does not let streams through. Newest first, at most 500.
 */
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { addressOf, api, type Schemas } from '@/api/client';

export type LiveEvent = Schemas['LiveEvent'];

export interface LiveFilter {
  source: string;
  type: string;
  outcome: string;
}

export const feedKept = 500;
const pollMs = 2_000;
const settleMs = 1_500;
const drawMs = 250;

/* New items over old ones by id (an item that was pending comes again with its outcome), newest first. */
export function mergeFeed(known: readonly LiveEvent[], fresh: readonly LiveEvent[], kept = feedKept): LiveEvent[] {
  const byId = new Map(known.map((event) => [event.id, event]));
  for (const event of fresh) byId.set(event.id, event);
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, kept);
}

export type FeedWay = 'stream' | 'polling';

interface Feed {
  events: LiveEvent[];
  isLoading: boolean;
  error: unknown;
  waiting: number;
  way: FeedWay;
  clear: () => void;
}

type OutcomeFilter = LiveEvent['outcome'];

function queryOf(filter: LiveFilter): { source?: string; type?: string; outcome?: OutcomeFilter } {
  return {
    source: filter.source === '' ? undefined : filter.source,
    type: filter.type === '' ? undefined : filter.type,
    outcome: filter.outcome === '' ? undefined : (filter.outcome as OutcomeFilter),
  };
}

export function useLiveFeed(filter: LiveFilter, paused: boolean): Feed {
  const { source, type, outcome } = filter;
  const [events, setEvents] = useState<LiveEvent[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [way, setWay] = useState<FeedWay>('stream');
  const held = useRef<LiveEvent[]>([]);
  const isPaused = useRef(paused);
  const clearedBelow = useRef(0);
  const newest = useRef(0); /* the highest id that was told, shown or not */

  const first = useQuery({
    queryKey: ['live', { source, type, outcome }],
    queryFn: ({ signal }) => api.get('/events/live', { query: { ...queryOf({ source, type, outcome }), limit: 200 }, signal }),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });

  /* Arrivals are drawn a few times a second, however many there are. */
  const take = useCallback((fresh: LiveEvent[]) => {
    newest.current = fresh.reduce((highest, event) => Math.max(highest, event.id), newest.current);
    held.current = mergeFeed(held.current, fresh.filter((event) => event.id > clearedBelow.current));
  }, []);
  const draw = useCallback(() => {
    if (held.current.length === 0) return;
    if (isPaused.current) {
      setWaiting(held.current.length);
      return;
    }
    const fresh = held.current;
    held.current = [];
    setWaiting(0);
    setEvents((known) => mergeFeed(known, fresh));
  }, []);

  useEffect(() => {
    isPaused.current = paused;
    if (!paused) draw();
  }, [paused, draw]);
  useEffect(() => {
    held.current = [];
    setEvents([]);
    setWaiting(0);
  }, [source, type, outcome]);
  useEffect(() => {
    if (first.data === undefined) return;
    take(first.data.items);
    draw();
  }, [first.data, take, draw]);
  useEffect(() => {
    const timer = setInterval(draw, drawMs);
    return () => clearInterval(timer);
  }, [draw]);

  useEffect(() => {
    if (way !== 'stream' || first.data === undefined) return;
    const stream = new EventSource(addressOf('/events/live/stream', { query: queryOf({ source, type, outcome }) }));
    let failures = 0;
    const got = (message: MessageEvent<string>): void => {
      failures = 0;
      take([JSON.parse(message.data) as LiveEvent]);
    };
    stream.addEventListener('live', got);
    /* What came between the first answer and the stream, or while a broken one was being opened again. */
    stream.addEventListener('open', () => {
      api.get('/events/live', { query: { ...queryOf({ source, type, outcome }), after: newest.current, limit: feedKept } })
        .then((answer) => take(answer.items))
        .catch(() => {}); /* the stream itself says when there is no server */
    });
    stream.addEventListener('error', () => {
      failures += 1;
      if (failures >= 3 || stream.readyState === EventSource.CLOSED) setWay('polling');
    });
    return () => stream.close();
  }, [way, source, type, outcome, first.data, take]);

  /* Asked by the clock: all of it without a stream; with one, only what was pending when it came. */
  const pending = events.find((event) => event.outcome === 'pending')?.id;
  const asksAll = way === 'polling';
  useEffect(() => {
    if (first.data === undefined || (!asksAll && pending === undefined)) return;
    const timer = setInterval(() => {
      const oldest = events.findLast((event) => event.outcome === 'pending')?.id ?? Infinity;
      const after = Math.min(oldest - 1, asksAll ? (events[0]?.id ?? 0) : Infinity);
      if (!Number.isFinite(after)) return;
      api.get('/events/live', { query: { ...queryOf({ source, type, outcome }), after, limit: feedKept } })
        .then((answer) => take(answer.items))
        .catch(() => {}); /* asked again in a moment; the page says so when the first question fails */
    }, asksAll ? pollMs : settleMs);
    return () => clearInterval(timer);
  }, [asksAll, pending, events, source, type, outcome, first.data, take]);

  const clear = useCallback(() => {
    setEvents((known) => {
      clearedBelow.current = Math.max(clearedBelow.current, known[0]?.id ?? 0, held.current[0]?.id ?? 0);
      return [];
    });
    held.current = [];
    setWaiting(0);
  }, []);

  return { events, isLoading: first.isPending, error: first.error, waiting, way, clear };
}
