/* SPDX-License-Identifier: Apache-2.0 */
/* permissions: rights as 'kind.action': their words, what patterns come to, what two sets differ in, and how a changed set is written
 * with the fewest surprises. The server decides; this only says what it will decide.
 */
import { catalogue, wordFor } from './text';

export const permissionTexts = catalogue({
  zh: {
    actions: { see: '查看', create: '发起', change: '编辑', publish: '发布', approve: '审批', export: '导出', reveal: '看明文', administer: '管理' } as Record<string, string>,
    actionHelp: {
      see: '查看，个人信息打码', create: '发起新的', change: '新建、修改、删除', publish: '让它真的作用到客户', approve: '作为第二个人放行，处理被拦下的', export: '作为文件带走', reveal: '看到完整的个人信息', administer: '它的规则和密钥',
    } as Record<string, string>,
    groups: { customers: '客户与隐私', audience: '标签、人群与分析', engage: '触达', data: '数据', settings: '管理', other: '其他' } as Record<string, string>,
    kinds: {
      customer: '客户', event: '事件', identity: '识别与合并', consent: '授权', privacy: '个人权利请求', small_cell: '小人数数字', segment: '人群', tag: '标签', object: '对象', analysis: '分析', experiment: '实验', decision: '决策',
      journey: '旅程', template: '消息模板', channel: '发送账号', policy: '发送规则', stop: '急停', touch: '触达记录', task: '任务', coupon: '券池', loyalty: '会员体系', import: '文件导入', mapping: '导入映射', export: '导出任务', source: '数据源', plan: '埋点方案',
      quarantine: '隔离区', job: '后台任务', user: '成员', role: '角色', team: '团队', token: '访问令牌', audit: '操作记录', setting: '设置', backup: '备份', system: '系统状态',
    } as Record<string, string>,
    right: (action: string, kind: string) => `${action}${kind}`,
    needs: (right: string) => `你的角色不能「${right}」，请管理员加上`,
  },
  en: {
    actions: { see: 'See', create: 'Begin', change: 'Change', publish: 'Publish', approve: 'Approve', export: 'Export', reveal: 'In clear', administer: 'Administer' },
    actionHelp: {
      see: 'read, with personal data masked', create: 'begin something new', change: 'make, change, delete', publish: 'let it act on customers', approve: 'release it as the second person, decide what is held', export: 'take it out as a file', reveal: 'see personal data in clear', administer: 'its rules and keys',
    },
    groups: { customers: 'Customers and privacy', audience: 'Tags, segments, analyses', engage: 'Engage', data: 'Data', settings: 'Administration', other: 'Other' },
    kinds: {
      customer: 'customers', event: 'events', identity: 'identity and merges', consent: 'consent', privacy: 'requests of persons', small_cell: 'small counts', segment: 'segments', tag: 'tags', object: 'objects', analysis: 'analyses', experiment: 'experiments', decision: 'decisions',
      journey: 'journeys', template: 'templates', channel: 'sending accounts', policy: 'sending policy', stop: 'the red stop', touch: 'touches', task: 'tasks', coupon: 'coupon pools', loyalty: 'loyalty', import: 'imports', mapping: 'mappings', export: 'exports', source: 'sources', plan: 'tracking plan',
      quarantine: 'quarantine', job: 'jobs', user: 'people', role: 'roles', team: 'teams', token: 'access tokens', audit: 'audit', setting: 'settings', backup: 'backups', system: 'system',
    },
    right: (action, kind) => `${action.toLowerCase()} ${kind}`,
    needs: (right) => `Your role may not "${right}"; an administrator can add it`,
  },
});

type Words = ReturnType<typeof import('./text').textIn<typeof permissionTexts.zh>>;

/* The order in which people think of them; what a newer server adds comes after. */
export const actions = ['see', 'create', 'change', 'publish', 'approve', 'export', 'reveal', 'administer'] as const;
const groupKinds: Readonly<Record<string, readonly string[]>> = {
  customers: ['customer', 'event', 'identity', 'consent', 'privacy', 'small_cell'],
  audience: ['segment', 'tag', 'object', 'analysis', 'experiment', 'decision'],
  engage: ['journey', 'template', 'channel', 'policy', 'stop', 'touch', 'task', 'coupon', 'loyalty'],
  data: ['source', 'plan', 'quarantine', 'import', 'mapping', 'export', 'job'],
  settings: ['user', 'role', 'team', 'token', 'audit', 'setting', 'backup', 'system'],
};

export interface Kind {
  kind: string;
  actions: readonly string[];
}

const partsOf = (permission: string): [string, string] => {
  const dot = permission.indexOf('.');
  return dot < 0 ? [permission, ''] : [permission.slice(0, dot), permission.slice(dot + 1)];
};

/* '编辑人群', 'change segments'; the code itself for one without words. */
export function rightWord(permission: string, t: Words): string {
  const [kind, action] = partsOf(permission);
  if (!Object.hasOwn(t.kinds, kind) || !Object.hasOwn(t.actions, action)) return permission;
  return t.right(wordFor(t.actions, action), wordFor(t.kinds, kind));
}

/* Kinds by group, in order, kinds that no group knows under 'other'; groups without kinds are left out. */
export function grouped(kinds: readonly Kind[]): { group: string; kinds: readonly Kind[] }[] {
  const known = new Set(Object.values(groupKinds).flat());
  const groups = Object.entries(groupKinds).map(([group, names]) => ({ group, kinds: names.flatMap((name) => kinds.filter((one) => one.kind === name)) }));
  return [...groups, { group: 'other', kinds: kinds.filter((one) => !known.has(one.kind)) }].filter((one) => one.kinds.length > 0);
}

export function allRights(kinds: readonly Kind[]): string[] {
  return kinds.flatMap((one) => one.actions.map((action) => `${one.kind}.${action}`));
}

/* Columns of the matrix: the known actions that some kind has, then the others. */
export function actionsOf(kinds: readonly Kind[]): string[] {
  const there = new Set(kinds.flatMap((one) => one.actions));
  return [...actions.filter((action) => there.has(action)), ...[...there].filter((action) => !(actions as readonly string[]).includes(action))];
}

export function patternFits(pattern: string, permission: string): boolean {
  if (pattern === '*') return true;
  const [kind, action] = partsOf(permission);
  const [wantedKind, wantedAction] = partsOf(pattern);
  return (wantedKind === '*' || wantedKind === kind) && (wantedAction === '*' || wantedAction === action);
}

export function expand(patterns: readonly string[], kinds: readonly Kind[]): Set<string> {
  return new Set(allRights(kinds).filter((right) => patterns.some((pattern) => patternFits(pattern, right))));
}

/* How the chosen set is written: patterns that were there stay where all that they name is still chosen, so that what a later
 * version adds goes on being meant by them; the rest is named one by one. */
export function patternsFor(chosen: ReadonlySet<string>, kinds: readonly Kind[], before: readonly string[]): string[] {
  const kept = before.filter((pattern) => {
    const named = [...expand([pattern], kinds)];
    return named.length > 0 && named.every((right) => chosen.has(right));
  });
  const covered = expand(kept, kinds);
  return [...kept, ...allRights(kinds).filter((right) => chosen.has(right) && !covered.has(right))];
}

export interface Difference {
  gained: string[];
  lost: string[];
}

/* What one loses and gains on the way from `before` to `after`, in the order of the kinds. */
export function difference(before: ReadonlySet<string>, after: ReadonlySet<string>, kinds: readonly Kind[]): Difference {
  const rights = grouped(kinds).flatMap((one) => allRights(one.kinds));
  return { gained: rights.filter((right) => after.has(right) && !before.has(right)), lost: rights.filter((right) => before.has(right) && !after.has(right)) };
}

/* A right to change something without the right to see it opens nothing: what is wanted brings 'see' with it, and without 'see' the rest goes. */
export function toggled(chosen: ReadonlySet<string>, right: string, isOn: boolean, kinds: readonly Kind[]): Set<string> {
  const next = new Set(chosen);
  const [kind, action] = partsOf(right);
  const has = kinds.find((one) => one.kind === kind)?.actions ?? [];
  if (isOn) {
    next.add(right);
    if (has.includes('see')) next.add(`${kind}.see`);
    return next;
  }
  next.delete(right);
  if (action === 'see') for (const other of has) next.delete(`${kind}.${other}`);
  return next;
}

/* May one whose session holds `held` do what needs `wanted`? Nothing wanted: whoever is signed in. */
export function may(held: readonly string[], wanted: string | readonly string[] | undefined): boolean {
  if (wanted === undefined) return true;
  const all = typeof wanted === 'string' ? [wanted] : wanted;
  return all.every((right) => held.some((pattern) => patternFits(pattern, right)));
}
