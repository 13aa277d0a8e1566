/* SPDX-License-Identifier: Apache-2.0 */
/* media: whether the window is narrow, as the style sheets see it, and whether the person wants nothing to move. */
import { useSyncExternalStore } from 'react';

function subscriberTo(query: string): (changed: () => void) => () => void {
  return (changed) => {
    const list = matchMedia(query);
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  };
}

const narrow = '(max-width: 960px)';
const still = '(prefers-reduced-motion: reduce)';
const toNarrow = subscriberTo(narrow);
const toStill = subscriberTo(still);

export function useNarrow(): boolean {
  return useSyncExternalStore(toNarrow, () => matchMedia(narrow).matches);
}

export function useStill(): boolean {
  return useSyncExternalStore(toStill, () => matchMedia(still).matches);
}
