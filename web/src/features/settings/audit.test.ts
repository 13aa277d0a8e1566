/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the audit: what changed, and what is no JSON stays as it is. */
import { expect, it } from 'vitest';
import { changesOf, detailOf, exportAddress } from './audit';

it('before and after are compared member by member', () => {
  const detail = detailOf('{"before":{"roles":["operator"],"name":"林","team":null},"after":{"roles":["auditor"],"name":"林","team":"tmall"}}');
  expect(changesOf(detail)).toEqual([{ member: 'roles', before: '["operator"]', after: '["auditor"]' }, { member: 'team', before: 'null', after: 'tmall' }]);
  expect(changesOf(detailOf('{"before":null,"after":{"name":"新"}}'))).toEqual([{ member: 'name', before: '', after: '新' }]);
  expect(changesOf(detailOf('{"key":"vip"}'))).toBeNull();
  expect(detailOf('wrong password')).toBe('wrong password');
  expect(changesOf('wrong password')).toBeNull();
});

it('the file has the filters of the page', () => {
  const none = { user: '', action: '', object: '', text: '', from: '', until: '' };
  expect(exportAddress(none, 'csv')).toBe('/api/v1/audit/export?format=csv');
  expect(exportAddress({ ...none, user: ' lin ', action: 'user.' }, 'jsonl')).toBe('/api/v1/audit/export?user=lin&action=user.&format=jsonl');
});
