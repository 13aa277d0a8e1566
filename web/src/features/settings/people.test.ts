/* SPDX-License-Identifier: Apache-2.0 */
/* People: last sign of life, filters, what roles come to, passwords that are handed over. */
import { describe, expect, it } from 'vitest';
import { isMeant, lastSeen, madePassword, noTeam, rightsOf, type Token, type User } from './people';

const token = (change: Partial<Token>): Token => ({ prefix: 'x', name: '', kind: 'session', login: 'lin', created_at: '2026-01-01T00:00:00Z', expires_at: null, used_at: null, address: null, agent: null, is_this: false, permissions: null, ...change });
const user = (change: Partial<User>): User => ({ number: 1, login: 'lin', name: '林小雨', role: 'operator', roles: ['operator'], team: null, locale: 'zh-CN', disabled: false, created_at: '2026-01-01T00:00:00Z', second_factor: false, single_sign_on: false, ...change });
const all = { q: '', role: '', team: '', state: '' };

describe('lastSeen', () => {
  it('is the latest use of a session, or its beginning; programs are not people', () => {
    const seen = lastSeen([token({}), token({ used_at: '2026-01-03T00:00:00Z' }), token({ used_at: '2026-01-02T00:00:00Z' }), token({ kind: 'token', used_at: '2026-02-01T00:00:00Z' }), token({ login: 'wu' })]);
    expect(seen.get('lin')).toBe('2026-01-03T00:00:00Z');
    expect(seen.get('wu')).toBe('2026-01-01T00:00:00Z');
    expect(seen.get('qi')).toBeUndefined();
  });
});

describe('isMeant', () => {
  it('by name or login, role, team, state', () => {
    expect(isMeant(user({}), { ...all, q: ' 小雨 ' })).toBe(true);
    expect(isMeant(user({}), { ...all, q: 'LIN' })).toBe(true);
    expect(isMeant(user({}), { ...all, role: 'auditor' })).toBe(false);
    expect(isMeant(user({ roles: ['operator', 'auditor'] }), { ...all, role: 'auditor' })).toBe(true);
    expect(isMeant(user({}), { ...all, team: noTeam })).toBe(true);
    expect(isMeant(user({ team: 'wecom' }), { ...all, team: noTeam })).toBe(false);
    expect(isMeant(user({ disabled: true }), { ...all, state: 'on' })).toBe(false);
  });
  it('without a second factor are those whose password alone opens the door', () => {
    expect(isMeant(user({}), { ...all, state: 'single' })).toBe(true);
    expect(isMeant(user({ second_factor: true }), { ...all, state: 'single' })).toBe(false);
    expect(isMeant(user({ single_sign_on: true }), { ...all, state: 'single' })).toBe(false);
  });
});

it('roles come to what they hold together', () => {
  const roles = [{ key: 'a', permissions: ['tag.see'] }, { key: 'b', permissions: ['tag.see', 'user.see'] }, { key: 'c', permissions: ['role.see'] }];
  expect([...rightsOf(['a', 'b', 'gone'], roles)]).toEqual(['tag.see', 'user.see']);
});

describe('madePassword', () => {
  it('four groups of four, from letters that nobody confuses', () => {
    for (let n = 0; n < 50; n++) expect(madePassword()).toMatch(/^[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){3}$/);
    expect(new Set(Array.from({ length: 50 }, () => madePassword())).size).toBe(50);
  });
  it('takes no byte that would make a letter likelier', () => {
    let asked = 0;
    const made = madePassword((bytes) => bytes.fill(asked++ === 0 ? 255 : 0));
    expect(made).toBe('aaaa-aaaa-aaaa-aaaa');
    expect(asked).toBe(2);
  });
});
