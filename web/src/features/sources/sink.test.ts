/* SPDX-License-Identifier: Apache-2.0 */
/* sink.test: what a sink sends when it is saved, what is said before the server would refuse it, and which rights it takes. */
import { expect, test } from 'vitest';
import { freshSink, isHold, rightsToSave, sinkDraft, sinkProblem, sinkPut, type Sink, type SinkDraft } from './sink';

const sink: Sink = {
  key: 'backbone', brokers: ['k1:9092', 'k2:9092'], topics: { segments: 'kith.segments', events: 'kith.events' }, segments: ['vip'], tags: [], event_types: ['Order Paid'], personal: 'none', hold: '14d', paused: false, tls: true, mechanism: 'PLAIN', username: 'kith',
  state: 'running', problem: '', messages: 5, skipped: 0, lost: 0, sequence: 9, behind: 0, waiting_since: null, last_at: null,
};
const draft = (more: Partial<SinkDraft> = {}): SinkDraft => ({ ...sinkDraft(sink), ...more });
const topics = { segments: '', tags: '', touches: '', events: '', customers: '' };

test('a sink that is saved unchanged says what it was, and keeps its password', () => {
  expect(sinkPut(draft(), false)).toEqual({ brokers: sink.brokers, topics: sink.topics, segments: ['vip'], tags: [], event_types: ['Order Paid'], personal: 'none', hold: '14d', paused: false, tls: true, mechanism: 'PLAIN', username: 'kith' });
});

test('news that are not told any more take their narrowing with them', () => {
  const put = sinkPut(draft({ topics: { ...topics, tags: ' kith.tags ' }, tags: ['tier'], isClear: true, mechanism: '' }), true);
  expect(put).toEqual({ brokers: sink.brokers, topics: { tags: 'kith.tags' }, segments: [], tags: ['tier'], event_types: [], personal: 'clear', hold: '14d', paused: true, tls: true });
});

test('what is missing is said in the order of the form', () => {
  expect(sinkProblem(freshSink, null)).toBe('key');
  const said = (more: Partial<SinkDraft>, has: Sink | null = sink): string | null => sinkProblem(draft(more), has);
  expect([said({}), said({ key: 'Shop' }), said({ brokers: [] }), said({ brokers: ['k1'] }), said({ topics }), said({ topics: { ...topics, tags: 'a b' } }), said({ hold: '91d' })]).toEqual([null, 'key', 'brokers', 'broker', 'topics', 'topic', 'hold']);
  expect(sinkProblem(draft({ password: 'x' }), null, ['backbone'])).toBe('taken');
});

test('a password is asked for when there is none, or when it would go elsewhere', () => {
  expect([sinkProblem(draft(), null), sinkProblem(draft({ brokers: ['k3:9092'] }), sink), sinkProblem(draft({ username: 'other' }), sink), sinkProblem(draft({ tls: false }), sink), sinkProblem(draft({ username: ' ' }), sink)]).toEqual(['password', 'password', 'password', 'plain', 'username']);
});

test('news are held from an hour to ninety days', () => {
  expect(['1h', '60m', '90d', '5400s'].map(isHold)).toEqual([true, true, true, true]);
  expect(['', '59m', '91d', '2w', '7', '1 h', '0d'].map(isHold)).toEqual([false, false, false, false, false, false, false]);
});

test('what is unsealed takes the right to reveal as well', () => {
  expect([rightsToSave(false), rightsToSave(true)]).toEqual([['source.administer', 'customer.export'], ['source.administer', 'customer.export', 'customer.reveal']]);
});
