/* SPDX-License-Identifier: Apache-2.0 */
/* rights: which right the page at an address needs, as the route behind it asks for it, and whether it shows what cannot be cut to a
 * team's part. Navigation, search and the guard in the frame read this one table; an address that is not here is for everybody signed in.
 */
import { may } from '@/lib/permissions';

interface Rule {
  path: string;
  right: string;
  /* nothing for who sees a part: the server refuses it as a whole */
  whole?: boolean;
}

/* The longest path that fits counts. */
const rules: readonly Rule[] = [
  { path: '/', right: 'system.see' },
  { path: '/customers', right: 'customer.see' },
  { path: '/segments', right: 'segment.see' },
  { path: '/overlap', right: 'segment.see' },
  { path: '/new/segment', right: 'segment.see' },
  { path: '/tags', right: 'tag.see' },
  { path: '/new/tag', right: 'tag.see' },
  { path: '/journeys', right: 'journey.see' },
  { path: '/templates', right: 'template.see' },
  { path: '/new/template', right: 'template.see' },
  { path: '/touches', right: 'touch.see' },
  { path: '/calendar', right: 'journey.see' },
  { path: '/policy', right: 'policy.see' },
  { path: '/identity', right: 'identity.see', whole: true },
  { path: '/data/live', right: 'event.see' },
  { path: '/data/sources', right: 'source.see' },
  { path: '/data/feeds', right: 'source.see', whole: true },
  { path: '/data/sinks', right: 'export.see', whole: true },
  { path: '/data/imports', right: 'import.see' },
  { path: '/data/imports/new', right: 'import.create' },
  { path: '/data/objects', right: 'object.see', whole: true },
  { path: '/data/plan', right: 'plan.see' },
  { path: '/data/traits', right: 'plan.see' },
  { path: '/data/quarantine', right: 'quarantine.see', whole: true },
  { path: '/settings/system', right: 'system.see' },
  { path: '/settings/people', right: 'user.see', whole: true },
  { path: '/settings/roles', right: 'role.see' },
  { path: '/settings/teams', right: 'team.see' },
  { path: '/new/team', right: 'team.administer', whole: true },
  { path: '/settings/tokens', right: 'token.create' },
  { path: '/settings/sign-in', right: 'setting.see' },
  { path: '/settings/privacy', right: 'privacy.see', whole: true },
  { path: '/settings/retention', right: 'privacy.see', whole: true },
  { path: '/settings/keys', right: 'system.see', whole: true },
  { path: '/settings/audit', right: 'audit.see', whole: true },
];

export interface Holder {
  permissions: readonly string[];
  team: string | null;
}

export type Refusal = { why: 'right'; right: string } | { why: 'part' } | null;

function ruleOf(path: string): Rule | null {
  const clean = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const fitting = rules.filter((rule) => clean === rule.path || (rule.path !== '/' && clean.startsWith(`${rule.path}/`)));
  return fitting.sort((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/* Why this page is not for her; null: it is. */
export function refusalOf(path: string, holder: Holder): Refusal {
  const rule = ruleOf(path);
  if (rule === null) return null;
  if (!may(holder.permissions, rule.right)) return { why: 'right', right: rule.right };
  return rule.whole === true && holder.team !== null ? { why: 'part' } : null;
}
