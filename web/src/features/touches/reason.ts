/* SPDX-License-Identifier: Apache-2.0 */
/* reason: why something went out or did not, in words: a gate's as the server has them, any other by our own; what nobody has words for as
 * it is.
 */
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useLanguage } from '@/app/preferences';
import { textIn } from '@/lib/text';
import { touchQueries } from './model';
import { reasonWords } from './reasonWords';

export function useReason(): (code: string) => string {
  const language = useLanguage();
  const gates = useQuery(touchQueries.gates());
  return useCallback((code) => {
    const own: Readonly<Record<string, string>> = textIn(reasonWords, language);
    return gates.data?.find((gate) => gate.code === code)?.text[language] ?? (Object.hasOwn(own, code) ? (own[code] as string) : code.replaceAll('_', ' '));
  }, [gates.data, language]);
}
