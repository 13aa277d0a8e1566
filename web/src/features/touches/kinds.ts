/* SPDX-License-Identifier: Apache-2.0 */
/* kinds: the kinds of sending accounts as the server has them, and what they are called. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api } from '@/api/client';
import { useLanguage } from '@/app/preferences';
import type { Kind } from './account';

export function accountKinds() {
  return queryOptions({ queryKey: ['touches', 'kinds'], queryFn: async ({ signal }) => (await api.get('/channel-kinds', { signal })).items as unknown as Kind[], staleTime: Infinity });
}

export function useAccountKindName(): (kind: string) => string {
  const language = useLanguage();
  const kinds = useQuery(accountKinds());
  return useCallback((kind) => kinds.data?.find((one) => one.kind === kind)?.text[language] ?? kind, [kinds.data, language]);
}
