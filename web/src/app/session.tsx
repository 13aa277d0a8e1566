/* SPDX-License-Identifier: Apache-2.0 */
/* session: who is signed in. Everything inside SessionProvider knows the user, the role and the server. */
import { createContext, useContext } from 'react';
import type { Schemas } from '@/api/client';
import { may } from '@/lib/permissions';

export type Session = Schemas['Session'];

const SessionContext = createContext<Session | null>(null);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession outside of SessionProvider');
  return session;
}

/* May this session do what needs the right? What is shown goes by it; the server decides again. */
export function useMay(right: string): boolean {
  return may(useSession().user.permissions, right);
}
