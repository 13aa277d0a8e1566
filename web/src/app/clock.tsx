/* SPDX-License-Identifier: Apache-2.0 */
/* clock: 'now' as the server sees it, in the zone of the workspace.
 *
 * A demonstration may run on a virtual clock, and a laptop's clock may be wrong: 'three minutes ago'
 * must not depend on it. The offset is taken from the session and from each answer with as_of.
 */
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

interface Clock {
  zone: string;
  nowMs: number;
}

const ClockContext = createContext<Clock>({ zone: 'Asia/Shanghai', nowMs: Date.now() });

export function ClockProvider({ zone, serverNow, children }: { zone: string; serverNow: string; children: ReactNode }) {
  const offsetMs = useMemo(() => {
    const parsed = Date.parse(serverNow);
    return Number.isFinite(parsed) ? parsed - Date.now() : 0;
  }, [serverNow]);
  const [nowMs, setNowMs] = useState(() => Date.now() + offsetMs);
  useEffect(() => {
    const tick = (): void => setNowMs(Date.now() + offsetMs);
    tick();
    const timer = setInterval(tick, 10_000);
    return () => clearInterval(timer);
  }, [offsetMs]);
  const value = useMemo(() => ({ zone, nowMs }), [zone, nowMs]);
  return <ClockContext.Provider value={value}>{children}</ClockContext.Provider>;
}

export function useClock(): Clock {
  return useContext(ClockContext);
}
