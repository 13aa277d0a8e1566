/* SPDX-License-Identifier: Apache-2.0 */
/* useKinds: all kinds of objects with their fields, from the descriptions and, for who may read rules, from what came. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { wordFor } from '@/lib/text';
import { kindsOf, type Kind, type KindNames } from './objects';
import { objectTexts } from './texts';

export interface Kinds {
  kinds: readonly Kind[] | undefined;
  names: readonly KindNames[];
  error: unknown;
  retry: () => void;
  /* the word for a kind: the brand's, ours, or its key */
  word: (kind: string) => string;
}

export function useKinds(): Kinds {
  const t = useText(objectTexts);
  const language = useLanguage();
  const mayRules = useMay('segment.see');
  const described = useQuery(queries.objectKinds());
  const catalogue = useQuery({ ...queries.ruleCatalogue(), enabled: mayRules, staleTime: 10_000 });
  return useMemo(() => {
    const names = catalogue.data?.objects ?? [];
    const isWaiting = described.data === undefined || (mayRules && catalogue.isPending);
    const kinds = isWaiting ? undefined : kindsOf(described.data?.items ?? [], names, language);
    const word = (kind: string): string => kinds?.find((one) => one.kind === kind)?.name || wordFor(t.kinds, kind);
    return { kinds, names, error: described.error, retry: () => void described.refetch(), word };
  }, [described, catalogue.data, catalogue.isPending, mayRules, language, t]);
}
