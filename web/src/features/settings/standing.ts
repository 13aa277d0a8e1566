/* SPDX-License-Identifier: Apache-2.0 */
/* standing: what this server is among several, as /readyz says it to anybody, also when it is not ready. All but the asking pure. */
export interface Standing {
  isReady: boolean;
  /* active, follower, or a role of its own (collect, query); null: it is the only one */
  role: string | null;
  epoch: number | null;
  active: string;
  /* why it is not ready, or what of the warehouse is missing */
  missing: string;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export function readStanding(status: number, body: unknown): Standing {
  const said = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  return {
    isReady: status === 200, role: text(said['role']) === '' ? null : text(said['role']), epoch: typeof said['epoch'] === 'number' ? said['epoch'] : null, active: text(said['active']),
    missing: status === 200 ? text(said['warehouse']) : text(said['detail']) || String(status),
  };
}

export async function askStanding(signal: AbortSignal): Promise<Standing> {
  const answer = await fetch('/readyz', { signal });
  return readStanding(answer.status, await answer.json().catch(() => null));
}
