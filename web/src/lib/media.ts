/* SPDX-License-Identifier: Apache-2.0 */
/* media: whether the window is narrow, as the style sheets see it. */
import { useSyncExternalStore } from 'react';

const query = '(max-width: 960px)';

function subscribe(changed: () => void): () => void {
  const list = matchMedia(query);
  list.addEventListener('change', changed);
  return () => list.removeEventListener('change', changed);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}
