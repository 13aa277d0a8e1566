/* SPDX-License-Identifier: Apache-2.0 */
/* reason: a gate's code in words, as the server has them; a code that is no gate's as it is. */
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useLanguage } from '@/app/preferences';
import { touchQueries } from './model';

export function useReason(): (code: string) => string {
  const language = useLanguage();
  const gates = useQuery(touchQueries.gates());
  return useCallback((code) => gates.data?.find((gate) => gate.code === code)?.text[language] ?? code.replaceAll('_', ' '), [gates.data, language]);
}
