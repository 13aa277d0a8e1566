/* SPDX-License-Identifier: Apache-2.0 */
/* consents: what her decisions come to: for which purpose she may be reached by which channel, and why not. All pure.
 *
 * Marketing needs a yes; any other purpose needs no 'no', unless the sending policy asks for one. A refused channel is refused for every
 * purpose, and a restriction of processing for everything (docs/touches.md, docs/privacy.md).
 */
import type { Schemas } from '@/api/client';

export type ConsentHistory = Schemas['ConsentHistory'];
export type Decision = ConsentHistory['items'][number];

export const consentChannels = ['wecom', 'sms', 'official_account', 'subscription', 'call', 'email'] as const;
export type ConsentChannel = (typeof consentChannels)[number];

/* what is asked of everybody, decided or not */
const everyPurpose = ['marketing', 'service'] as const;
/* kept as consents, but about what is known of her, not about reaching her */
const aboutData = ['processing', 'personalisation', 'personalization', 'sensitive', 'skin_test', 'guardian'];

export type Cell = 'may' | 'not_asked' | 'refused' | 'channel_refused' | 'restricted';

export interface ConsentRow {
  purpose: string;
  state: 'granted' | 'withdrawn' | null;
  cells: Readonly<Record<ConsentChannel, Cell>>;
}

const isChannel = (purpose: string): purpose is ConsentChannel => (consentChannels as readonly string[]).includes(purpose);

/* Purposes that the sending policy wants a yes for; marketing always. */
export function neededOf(policy: unknown): ReadonlySet<string> {
  const list = typeof policy === 'object' && policy !== null && 'consent' in policy && Array.isArray(policy.consent) ? (policy.consent as unknown[]) : [];
  const wanted = list.filter((one): one is { purpose: string; needs: string } => typeof one === 'object' && one !== null && 'purpose' in one && 'needs' in one && one.needs === 'granted');
  return new Set(['marketing', ...wanted.map((one) => one.purpose)]);
}

function cellOf(history: Pick<ConsentHistory, 'current' | 'restricted'>, purpose: string, channel: ConsentChannel, needed: ReadonlySet<string>): Cell {
  if (history.restricted) return 'restricted';
  if (history.current[channel]?.state === 'withdrawn') return 'channel_refused';
  const state = history.current[purpose]?.state;
  if (state === 'withdrawn') return 'refused';
  return needed.has(purpose) && state !== 'granted' ? 'not_asked' : 'may';
}

/* A row for each purpose for which somebody may be reached. */
export function rowsOf(history: Pick<ConsentHistory, 'current' | 'restricted'>, needed: ReadonlySet<string>): ConsentRow[] {
  const own = [...Object.keys(history.current), ...needed].filter((purpose) => !isChannel(purpose) && !aboutData.includes(purpose));
  return [...new Set([...everyPurpose, ...own.sort()])].map((purpose) => ({
    purpose, state: history.current[purpose]?.state ?? null,
    cells: Object.fromEntries(consentChannels.map((channel) => [channel, cellOf(history, purpose, channel, needed)])) as Record<ConsentChannel, Cell>,
  }));
}

/* Decisions about what is known of her, that she made. */
export function dataDecisions(history: Pick<ConsentHistory, 'current'>): [string, Schemas['Consent']][] {
  return Object.entries(history.current).filter(([purpose]) => aboutData.includes(purpose) && purpose !== 'processing');
}
