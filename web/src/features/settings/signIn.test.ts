/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of sign-in: what is not set has its default, only what differs is sent; roles by claim come back. */
import { expect, it } from 'vitest';
import { changedRules, mappingOf, pairsOf, rulesOf } from './signIn';

it('what is not set has its default, and only what differs is sent', () => {
  const rules = rulesOf([{ key: 'access.session_hours', value: 8 }, { key: 'access.second_factor_roles', value: ['administrator'] }, { key: 'access.reveal_reason', value: 1 }] as never);
  expect([rules.numbers['access.session_hours'], rules.numbers['access.token_days_max'], rules.factorRoles, rules.reason]).toEqual([8, 0, ['administrator'], true]);
  expect(changedRules(rules, rules)).toEqual([]);
  expect(changedRules(rules, { numbers: { ...rules.numbers, 'access.token_days_max': 90 }, factorRoles: ['administrator', 'operator'], reason: false }))
    .toEqual([['access.token_days_max', 90], ['access.second_factor_roles', ['administrator', 'operator']], ['access.reveal_reason', 0]]);
});

it('roles by claim come back; lines that say nothing are left out', () => {
  const roles = { marketing: ['operator'], audit: ['auditor', 'analyst'] };
  expect(mappingOf(pairsOf(roles))).toEqual(roles);
  expect(mappingOf([{ value: ' a ', roles: ['operator'] }, { value: 'a', roles: ['operator', 'auditor'] }, { value: '', roles: ['x'] }, { value: 'b', roles: [] }])).toEqual({ a: ['operator', 'auditor'] });
});
