/* SPDX-License-Identifier: Apache-2.0 */
/* What needs attention is said worst first, and nothing is said when all is well. */
import { describe, expect, it } from 'vitest';
import type { Schemas } from '@/api/client';
import { textIn } from '@/lib/text';
import { attentionItems, attentionTexts, silentSources } from './Attention';

const t = textIn(attentionTexts, 'en');
const now = Date.parse('2026-11-21T12:00:00Z');
const overview = (change: Partial<Schemas['Overview']>): Schemas['Overview'] => ({
  as_of: '', customers: 1, identified: 1, identifiers: 1, events: 1, events_per_second: 0, quarantined: 0, merges_today: 0, refusals_open: 0, by_hour: [], by_channel: [], partial: false, ...change,
});
const system = (change: Partial<Schemas['System']>): Schemas['System'] => ({
  version: '', started_at: '', as_of: '', log: { first_seq: 1, last_seq: 1, bytes: 1 }, engine: { applied_seq: 1, committed_seq: 1, flushed_seq: 1, lag: 0 }, warehouse: { ready: true, unflushed_rows: 0, shards: [] },
  memory: [], counts: { customers: 1, identifiers: 1, events: 1, duplicates: 0, quarantined: 0 }, failing: '', ...change,
});
const source = (key: string, last: string | null, disabled = false): Schemas['Source'] => ({
  key, name: '', kind: 'server', protocol: 'segment', channel: '', strict: false, disabled, write_key: null, write_key_hint: '', signing: false, created_at: '', events_today: 0, events_per_second: 0, watermark: null, last_event_at: last,
});

describe('attentionItems', () => {
  it('says nothing when all is well', () => expect(attentionItems(overview({}), system({}), [], now, t)).toEqual([]));
  it('says nothing while nothing is known', () => expect(attentionItems(undefined, undefined, [], now, t)).toEqual([]));
  it('puts a failing server before everything else', () => {
    const items = attentionItems(overview({ refusals_open: 2, quarantined: 1_234 }), system({ failing: 'the disk is full', warehouse: { ready: false, unflushed_rows: 9, shards: [] } }), [], now, t);
    expect(items.map((item) => item.key)).toEqual(['failing', 'warehouse', 'refusals', 'quarantined']);
    expect(items[0]?.why).toBe('the disk is full');
    expect(items[3]?.text).toContain('1,234');
  });
  it('names the shard that is away, and not that the warehouse is not ready', () => {
    const shards = [{ url: 'http://a', ready: true }, { url: 'http://b', ready: false }];
    const items = attentionItems(overview({}), system({ warehouse: { ready: false, unflushed_rows: 0, shards } }), [], now, t);
    expect(items.map((item) => item.text)).toEqual(['Shard 2 of 2 of the warehouse is away']);
  });
  it('names feeds and sinks that fail, and why', () => {
    const failing = { key: 'shop', state: 'failing', problem: 'all brokers are down' }, running = { key: 'till', state: 'running', problem: '' };
    const streams = { feeds: [failing, running] as never[], sinks: [running, failing] as never[] };
    const items = attentionItems(overview({}), system({}), [], now, t, undefined, streams);
    expect(items.map((item) => [item.key, item.why])).toEqual([['feed shop', 'all brokers are down'], ['sink shop', 'all brokers are down']]);
  });
});

describe('silentSources', () => {
  it('names those that stopped, the longest first', () => {
    const sources = [source('new', null), source('fresh', '2026-11-21T11:00:00Z'), source('a', '2026-11-20T10:00:00Z'), source('b', '2026-11-19T12:00:00Z'), source('off', '2026-01-01T00:00:00Z', true)];
    expect(silentSources(sources, now).map((one) => [one.source.key, one.hours])).toEqual([['b', 48], ['a', 26]]);
  });
});
