/* SPDX-License-Identifier: Apache-2.0 */
/* useDraft: the draft being changed, with undo and redo. It stays in the browser until it is saved or discarded; while
 * nothing was changed here, it follows what the server has.
 */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { keep, kept } from '@/app/preferences';
import { definitionOf, isValue, type Definition, type Value } from './model';

interface History {
  past: readonly Definition[];
  now: Definition;
  future: readonly Definition[];
}

export interface DraftHandle {
  definition: Definition;
  isChanged: boolean;
  canUndo: boolean;
  canRedo: boolean;
  change: (next: Definition) => void;
  undo: () => void;
  redo: () => void;
  discard: () => void;
}

const most = 200;

function stored(key: string): Definition | null {
  try {
    const value: unknown = JSON.parse(kept(key) ?? 'null');
    return isValue(value) ? definitionOf(value) : null;
  } catch {
    return null;
  }
}

export function useDraft(key: string, saved: Value): DraftHandle {
  const place = `kith.journey.${key}`;
  const base = useMemo(() => definitionOf(saved), [saved]);
  const baseText = useMemo(() => JSON.stringify(base), [base]);
  const [history, setHistory] = useState<History | null>(() => {
    const held = stored(place);
    return held === null ? null : { past: [base], now: held, future: [] };
  });
  const now = history?.now ?? base;
  const text = useMemo(() => JSON.stringify(now), [now]);
  const isChanged = text !== baseText;
  useEffect(() => keep(place, isChanged ? text : ''), [place, isChanged, text]);
  const change = useCallback((next: Definition) => setHistory((held) => ({ past: [...(held?.past ?? []), held?.now ?? base].slice(-most), now: next, future: [] })), [base]);
  const undo = useCallback(() => setHistory((held) => {
    const before = held?.past.at(-1);
    return held === null || before === undefined ? held : { past: held.past.slice(0, -1), now: before, future: [held.now, ...held.future] };
  }), []);
  const redo = useCallback(() => setHistory((held) => {
    const [after, ...rest] = held?.future ?? [];
    return held === null || after === undefined ? held : { past: [...held.past, held.now], now: after, future: rest };
  }), []);
  const discard = useCallback(() => setHistory(null), []);
  return { definition: now, isChanged, canUndo: (history?.past.length ?? 0) > 0, canRedo: (history?.future.length ?? 0) > 0, change, undo, redo, discard };
}
