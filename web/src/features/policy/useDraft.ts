/* SPDX-License-Identifier: Apache-2.0 */
/* useDraft: the policy being changed. It stays in the browser until it is saved or discarded; while nothing was changed here, it follows the server. */
import { useCallback, useState } from 'react';
import { keep, kept } from '@/app/preferences';
import { changesOf, type Policy } from './policy';

const place = 'kith.policy';

interface Kept {
  /* what the changes were made to */
  base: string;
  draft: Policy;
}

function stored(): Kept | null {
  try {
    const value = JSON.parse(kept(place) || 'null') as Kept | null;
    return value !== null && typeof value.base === 'string' && typeof value.draft === 'object' ? value : null;
  } catch {
    return null;
  }
}

export interface DraftHandle {
  policy: Policy;
  count: number;
  /* somebody else saved another one meanwhile */
  isStale: boolean;
  change: (next: Policy) => void;
  discard: () => void;
}

export function useDraft(saved: Policy): DraftHandle {
  const [held, setHeld] = useState<Kept | null>(stored);
  const savedText = JSON.stringify(saved);
  const change = useCallback((next: Policy): void => {
    const isSame = JSON.stringify(next) === savedText;
    const base = held?.base ?? savedText;
    const now = isSame ? null : { base, draft: next };
    keep(place, now === null ? '' : JSON.stringify(now));
    setHeld(now);
  }, [held, savedText]);
  const discard = useCallback((): void => {
    keep(place, '');
    setHeld(null);
  }, []);
  const policy = held?.draft ?? saved;
  return { policy, count: changesOf(saved, policy).length, isStale: held !== null && held.base !== savedText, change, discard };
}
