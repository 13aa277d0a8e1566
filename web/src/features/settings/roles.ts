/* SPDX-License-Identifier: Apache-2.0 */
/* roles: what roles are called: the ready ones by words of the console, one's own by the name that they were given. */
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { Schemas } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { catalogue, wordFor, type Language } from '@/lib/text';
import { adminQueries } from './queries';

export type AccessRole = Schemas['AccessRole'];

export const readyRoles = catalogue({
  zh: {
    names: { administrator: '管理员', operator: '运营', analyst: '分析师', adviser: '导购', call_centre: '客服', auditor: '审计员', developer: '开发者' } as Record<string, string>,
    help: {
      administrator: '什么都可以', operator: '日常运营：客户、标签、人群、旅程、发送；能看明文；不改账号、规则、成员', analyst: '全都能看（打码），只改分析', adviser: '自己的客户和任务', call_centre: '客户（说明理由后看明文）、授权、任务；可以代提删除和查询申请',
      auditor: '全都能看（打码），包括操作记录；什么都不改', developer: '数据源、埋点、映射、导入；看不到明文',
    } as Record<string, string>,
  },
  en: {
    names: { administrator: 'Administrator', operator: 'Operator', analyst: 'Analyst', adviser: 'Adviser', call_centre: 'Call centre', auditor: 'Auditor', developer: 'Developer' },
    help: {
      administrator: 'everything', operator: 'customers, tags, segments, journeys, sending; sees in clear; changes no accounts, policies, people', analyst: 'sees all the work, masked; changes nothing but analyses', adviser: 'her customers and tasks', call_centre: 'customers, in clear with a reason; consent; tasks; asks for erasure and access',
      auditor: 'sees everything, masked, and the audit; changes nothing', developer: 'sources, plan, mappings, imports; no personal data in clear',
    },
  },
});

export function nameOfRole(role: Pick<AccessRole, 'key' | 'name' | 'name_zh'>, language: Language): string {
  const name = language === 'zh' && role.name_zh !== '' ? role.name_zh : role.name;
  return name === '' ? role.key : name;
}

/* Names of roles by key, for those who may not read roles by words alone. */
export function useRoleName(): (key: string) => string {
  const t = useText(readyRoles);
  const language = useLanguage();
  const roles = useQuery({ ...adminQueries.roles(), enabled: useMay('role.see') });
  return useCallback((key) => {
    if (Object.hasOwn(t.names, key)) return wordFor(t.names, key);
    const known = roles.data?.items.find((one) => one.key === key);
    return known === undefined ? key : nameOfRole(known, language);
  }, [t, roles.data, language]);
}

/* '运营、审计': for the menu of the person, which asks nothing of the server. */
export function useRoleNames(keys: readonly string[]): string {
  const t = useText(readyRoles);
  const language = useLanguage();
  return keys.map((key) => wordFor(t.names, key)).join(language === 'zh' ? '、' : ', ');
}
