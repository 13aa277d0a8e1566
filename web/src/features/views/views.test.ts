/* SPDX-License-Identifier: Apache-2.0 */
import { expect, test } from 'vitest';
import { newViewKey, openView, sortViews, viewQuery, type View } from './views';

const view = (key: string, query: string, own: boolean): View => ({ key, page: 'customers', name: key, query, shared: true, owner: own ? 'me' : 'lin', own });

test('a view keeps filters and columns, in one order, and not the place in the list', () => {
  expect(viewQuery('?page=3&rule=%7B%7D&cursor=abc&columns=orders')).toBe('columns=orders&rule=%7B%7D');
  expect(viewQuery('rule=%7B%7D&columns=orders')).toBe(viewQuery('?columns=orders&rule=%7B%7D&page=2'));
  expect(viewQuery('?query=')).toBe('');
});

test('the open view is the one whose address shows the same; of equal ones her own', () => {
  const views = [view('theirs', 'columns=a', false), view('mine', 'columns=a', true), view('other', 'columns=b', true)];
  expect(openView(views, '?columns=a&page=2')?.key).toBe('mine');
  expect(openView(views, '?columns=c')).toBeNull();
});

test('own views stand first, then by name', () => {
  expect(sortViews([view('b', '', false), view('c', '', true), view('a', '', true)]).map((one) => one.key)).toEqual(['a', 'c', 'b']);
});

test('a key is one that the server takes', () => {
  for (const chance of [0, 0.5, 0.999999]) expect(newViewKey(1_795_000_000_000, () => chance)).toMatch(/^[a-z0-9_-]{1,40}$/);
  expect(newViewKey(1, () => 0.1)).not.toBe(newViewKey(1, () => 0.9));
});
