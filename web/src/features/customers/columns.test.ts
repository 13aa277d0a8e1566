/* SPDX-License-Identifier: Apache-2.0 */
import { expect, test } from 'vitest';
import { askedFor, columnsMax, firstColumns, readColumns, readRuleText, tableOf, writeColumns, type Row } from './columns';

const row = (more: Partial<Row>): Row => ({
  one_id: '01', name: '李', identifiers: [{ type: 'mobile', value: '138****1234' }], summary: { orders: 2, revenue: 5000, currency: 'CNY', last_seen_at: null }, created_at: '2026-01-01T00:00:00Z', ...more,
});

test('columns come back from the address in their order, without what is none and without twins', () => {
  expect(writeColumns(readColumns('orders,trait.city,tag.repeat,orders,nonsense,trait.,revenue'))).toBe('orders,trait.city,tag.repeat,revenue');
  expect(writeColumns(readColumns(firstColumns.join(',')))).toBe(firstColumns.join(','));
  expect(readColumns('')).toEqual([]);
  expect(readColumns(Array.from({ length: 60 }, (_, at) => `trait.t${at}`).join(','))).toHaveLength(columnsMax);
});

test('the server is asked only for what is shown', () => {
  expect(askedFor(readColumns('orders,revenue'))).toBe('');
  expect(askedFor(readColumns('orders,trait.city'))).toBe('traits');
  expect(askedFor(readColumns('tag.repeat,trait.city'))).toBe('traits,tags');
  expect(askedFor(readColumns('segments'))).toBe('tags');
});

test('what is taken away has the chosen traits and tags, and lists as JSON', () => {
  const columns = readColumns('orders,trait.city,trait.concerns,tag.repeat,segments');
  const [head, first, second] = tableOf([row({ traits: { city: '上海', concerns: ['acne'] }, tags: { repeat: true }, segments: ['vip', 'new'] }), row({})], columns);
  expect(head?.slice(-4)).toEqual(['trait.city', 'trait.concerns', 'tag.repeat', 'segments']);
  expect(first?.slice(-4)).toEqual(['上海', '["acne"]', 'true', 'vip new']);
  expect(second?.slice(-4)).toEqual(['', '', '', '']);
  expect(first).toHaveLength(head?.length ?? 0);
});

test('a rule in the address is a rule, or none', () => {
  expect(readRuleText('{"trait":"city","eq":"上海"}')).toBe('{"trait":"city","eq":"上海"}');
  for (const text of ['', '{}', '[]', '3', '{"trait"', 'null']) expect(readRuleText(text)).toBe('');
});
