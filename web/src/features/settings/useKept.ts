/* SPDX-License-Identifier: Apache-2.0 */
/* useKept: what is being edited in a form. It stays in the browser until it is saved or discarded; when somebody else has saved in
 * the meantime it says so, and neither side is lost without a word.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import { keep, kept } from '@/app/preferences';

interface Stored<T> {
  value: T;
  base: string;
}

export interface Kept<T> {
  value: T;
  change: (part: Partial<T>) => void;
  isDirty: boolean;
  /* begun in an earlier visit */
  isDraft: boolean;
  /* the server has something else than what this began from */
  isOutdated: boolean;
  discard: () => void;
  /* mine stands on what the server has now */
  takeNewer: () => void;
  /* it was saved: nothing is kept any more */
  done: () => void;
}

export function readStored<T>(text: string | null): Stored<T> | null {
  if (text === null || text === '') return null;
  try {
    const read = JSON.parse(text) as Partial<Stored<T>> | null;
    return read !== null && typeof read.base === 'string' && typeof read.value === 'object' && read.value !== null ? { value: read.value, base: read.base } : null;
  } catch {
    return null;
  }
}

export function useKept<T extends object>(key: string, saved: T): Kept<T> {
  const place = `kith.draft.${key}`;
  const savedText = JSON.stringify(saved);
  const [stored] = useState(() => readStored<T>(kept(place)));
  const [held, setHeld] = useState<Stored<T> | null>(stored);
  const [isDraft, setDraft] = useState(stored !== null);
  const value = held?.value ?? saved;
  const text = JSON.stringify(value);
  const isDirty = held !== null && text !== savedText;
  const latest = useRef({ saved, savedText });
  latest.current = { saved, savedText };
  useEffect(() => keep(place, isDirty ? JSON.stringify(held) : ''), [place, isDirty, held]);
  const change = useCallback((part: Partial<T>) => setHeld((now) => ({ value: { ...(now?.value ?? latest.current.saved), ...part }, base: now?.base ?? latest.current.savedText })), []);
  const forget = useCallback(() => {
    keep(place, '');
    setDraft(false);
    setHeld(null);
  }, [place]);
  const takeNewer = useCallback(() => setHeld((now) => (now === null ? null : { ...now, base: latest.current.savedText })), []);
  return { value, change, isDirty, isDraft: isDraft && isDirty, isOutdated: isDirty && held.base !== savedText, discard: forget, takeNewer, done: forget };
}
