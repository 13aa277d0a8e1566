/* SPDX-License-Identifier: Apache-2.0 */
/* feed.test: what a feed sends when it is saved, and what is said before the server would refuse it. */
import { expect, test } from 'vitest';
import { feedDraft, feedProblem, feedPut, freshFeed, type Feed, type FeedDraft } from './feed';

const feed: Feed = {
  key: 'shop', brokers: ['k1:9092', 'k2:9092'], topics: ['orders'], group: 'kith-shop', source: 'shop', format: 'mapping', mapping: 'erp', start: 'oldest', historical: false, paused: false, tls: true, mechanism: 'PLAIN', username: 'kith',
  state: 'running', problem: '', partitions: 3, messages: 5, events: 5, refused: 0, lost: 0, behind: 0, last_at: null, last_refused: [],
};
const draft = (more: Partial<FeedDraft> = {}): FeedDraft => ({ ...feedDraft(feed), ...more });

test('a feed that is saved unchanged says what it was, and keeps its password', () => {
  expect(feedPut(draft(), false)).toEqual({ brokers: feed.brokers, topics: ['orders'], source: 'shop', format: 'mapping', mapping: 'erp', start: 'oldest', historical: false, paused: false, tls: true, group: 'kith-shop', mechanism: 'PLAIN', username: 'kith' });
  expect(feedPut(draft({ format: 'segment', mechanism: '', restart: true, group: ' ' }), true)).toEqual({ brokers: feed.brokers, topics: ['orders'], source: 'shop', format: 'segment', start: 'oldest', historical: false, paused: true, tls: true, restart: true });
});

test('what is missing is said in the order of the form', () => {
  expect(feedProblem(freshFeed, null)).toBe('key');
  const said = (more: Partial<FeedDraft>, has: Feed | null = feed): string | null => feedProblem(draft(more), has);
  expect([said({}), said({ key: 'Shop' }), said({ brokers: [] }), said({ brokers: ['k1'] }), said({ brokers: ['[::1]:9092'], password: 'x' }), said({ topics: [] }), said({ source: '' }), said({ mapping: '' })]).toEqual([null, 'key', 'brokers', 'broker', null, 'topics', 'source', 'mapping']);
});

test('a password is asked for when there is none, or when it would go to other brokers', () => {
  expect([feedProblem(draft(), null), feedProblem(draft({ brokers: ['k3:9092'] }), feed), feedProblem(draft({ brokers: ['k2:9092', 'k1:9092'] }), feed), feedProblem(draft({ tls: false }), feed), feedProblem(draft({ username: ' ' }), feed)]).toEqual(['password', 'password', null, 'plain', 'username']);
});
