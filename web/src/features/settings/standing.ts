/* SPDX-License-Identifier: Apache-2.0 */
/* standing: what this server is among several, as /readyz says it to anybody, also when it is not ready. All but the asking pure. */
export interface Senders {
  count: number;
  accounts: number;
  /* accounts that nobody sends for */
  unserved: number;
  /* messages: no sender has them; one has */
  waiting: number;
  claimed: number;
}

export interface Standing {
  isReady: boolean;
  /* active, follower, or a role of its own (collect, query, send); null: it is the only one */
  role: string | null;
  epoch: number | null;
  active: string;
  /* of the active one whose messages leave by other servers; null: they leave from it */
  senders: Senders | null;
  /* why it is not ready, or what of the warehouse is missing */
  missing: string;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function readSenders(value: unknown): Senders | null {
  if (typeof value !== 'object' || value === null) return null;
  const said = value as Record<string, unknown>;
  const number = (name: string): number => (typeof said[name] === 'number' ? said[name] : 0);
  return { count: number('count'), accounts: number('accounts'), unserved: number('unserved'), waiting: number('waiting'), claimed: number('claimed') };
}

export function readStanding(status: number, body: unknown): Standing {
  const said = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  return {
    isReady: status === 200, role: text(said['role']) === '' ? null : text(said['role']), epoch: typeof said['epoch'] === 'number' ? said['epoch'] : null, active: text(said['active']), senders: readSenders(said['senders']),
    missing: status === 200 ? text(said['warehouse']) : text(said['detail']) || String(status),
  };
}

export async function askStanding(signal: AbortSignal): Promise<Standing> {
  const answer = await fetch('/readyz', { signal });
  return readStanding(answer.status, await answer.json().catch(() => null));
}
