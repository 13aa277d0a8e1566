/* SPDX-License-Identifier: Apache-2.0 */
/* A code of WeCom: what is sent, and what is said before it would be refused. */
import { expect, it } from 'vitest';
import { freshWay, pictureOf, wayBody, wayDraft, wayProblem, wecomAccounts, type ContactWay, type WayDraft } from './contactWay';
import type { Account } from './model';

const way: ContactWay = { id: 'cw1', state: 'store-7', remark: '七号店', qr_code: 'https://wework.qpic.cn/x', skip_verify: false, users: ['lin', 'wei'], scans: 4, contacts: 3, last_at: null };
const draft = (more: Partial<WayDraft> = {}): WayDraft => ({ ...wayDraft(way), ...more });

it('sends what it was when nothing is changed, without blanks around', () => {
  expect(wayBody(draft())).toEqual({ state: 'store-7', users: ['lin', 'wei'], remark: '七号店', skip_verify: false });
  expect(wayBody(draft({ state: ' a ', remark: ' b ' }))).toMatchObject({ state: 'a', remark: 'b' });
});

it('says what is missing in the order of the form', () => {
  const said = (more: Partial<WayDraft>, others: string[] = []): string | null => wayProblem(draft(more), others);
  expect(wayProblem(freshWay, [])).toBe('state');
  expect([said({}), said({ state: '一二三四五六七八九十一' }), said({}, ['store-7']), said({ users: [] }), said({ users: ['a b'] }), said({ remark: '长'.repeat(31) })]).toEqual([null, 'state', 'taken', 'users', 'user', 'remark']);
  expect(said({ users: Array.from({ length: 101 }, (_, at) => `u${at}`) })).toBe('users');
});

it('opens the picture at an address of the web alone', () => {
  expect([pictureOf(way), pictureOf({ ...way, qr_code: 'javascript:x' }), pictureOf({ ...way, qr_code: '' })]).toEqual(['https://wework.qpic.cn/x', null, null]);
});

it('belongs to accounts of WeCom alone', () => {
  expect(wecomAccounts([{ key: 'wecom', kind: 'wecom' }, { key: 'sms', kind: 'sms_aliyun' }] as Account[]).map((one) => one.key)).toEqual(['wecom']);
});
