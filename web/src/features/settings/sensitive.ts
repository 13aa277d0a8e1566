/* SPDX-License-Identifier: Apache-2.0 */
/* sensitive: what the next step of a sensitive trait is, for who looks. All pure. */
import type { Schemas } from '@/api/client';

export type SensitiveTrait = Schemas['SensitiveTrait'];

/* The name of the list that is no trait. */
export const children = '$under_14';

export type Next = 'ask' | 'release' | 'own' | 'hold';

/* Held: ask. Asked: another one releases, not she who asked. Released: it may be held again. */
export function nextOf(trait: Pick<SensitiveTrait, 'state' | 'asked_by'>, login: string): Next {
  if (trait.state === 'released') return 'hold';
  if (trait.state === 'held') return 'ask';
  return trait.asked_by === login ? 'own' : 'release';
}
