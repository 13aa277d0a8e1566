/* SPDX-License-Identifier: Apache-2.0 */
/* A page asks for the right of its route; a part of the house does not see what cannot be cut. */
import { describe, expect, it } from 'vitest';
import { refusalOf } from './rights';

const adviser = { permissions: ['customer.see', 'tag.see', 'task.see'], team: 'shanghai' };
const auditor = { permissions: ['user.see', 'role.see', 'audit.see', 'system.see', 'import.see'], team: null };

describe('refusalOf', () => {
  it('is by the longest path, and holds for what is below it', () => {
    expect(refusalOf('/customers/c_1/graph', adviser)).toBeNull();
    expect(refusalOf('/segments/vip/edit', adviser)).toEqual({ why: 'right', right: 'segment.see' });
    expect(refusalOf('/data/imports', auditor)).toBeNull();
    expect(refusalOf('/data/imports/new', auditor)).toEqual({ why: 'right', right: 'import.create' });
    expect(refusalOf('/data/imports/12', auditor)).toBeNull();
  });
  it('the first page is one of its own, not above all', () => {
    expect(refusalOf('/', adviser)).toEqual({ why: 'right', right: 'system.see' });
    expect(refusalOf('/settings/preferences', { permissions: [], team: null })).toBeNull();
    expect(refusalOf('/tagsoup', adviser)).toBeNull();
  });
  it('who sees a part does not see what cannot be cut', () => {
    expect(refusalOf('/settings/audit/', { ...auditor, team: 'shanghai' })).toEqual({ why: 'part' });
    expect(refusalOf('/settings/roles', { ...auditor, team: 'shanghai' })).toBeNull();
    expect(refusalOf('/data/imports', { ...auditor, team: 'shanghai' })).toBeNull();
  });
});
