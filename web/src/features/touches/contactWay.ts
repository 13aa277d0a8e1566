/* SPDX-License-Identifier: Apache-2.0 */
/* contactWay: a code that customers scan to become contacts of advisers, as it is edited, and what is sent when it is saved. All pure. */
import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '@/api/client';
import type { Account } from './model';

export type ContactWay = Schemas['ContactWay'];

export interface WayDraft {
  state: string;
  users: string[];
  remark: string;
  skipVerify: boolean;
}

export const freshWay: WayDraft = { state: '', users: [], remark: '', skipVerify: true };

export const wayDraft = (way: ContactWay): WayDraft => ({ state: way.state, users: [...way.users], remark: way.remark, skipVerify: way.skip_verify });

export type WayProblem = 'state' | 'taken' | 'users' | 'user' | 'remark';

const stateBytesMost = 30;
const usersMost = 100;
const remarkMost = 30;
const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/* What the server or WeCom would refuse, said beforehand; null when nothing is seen. `others`: the states of other codes; two of one state could not be told apart. */
export function wayProblem(draft: WayDraft, others: readonly string[]): WayProblem | null {
  const state = draft.state.trim();
  if (state === '' || bytesOf(state) > stateBytesMost) return 'state';
  if (others.includes(state)) return 'taken';
  if (draft.users.length === 0 || draft.users.length > usersMost) return 'users';
  if (draft.users.some((one) => one === '' || /\s/.test(one))) return 'user';
  return [...draft.remark.trim()].length > remarkMost ? 'remark' : null;
}

export const wayBody = (draft: WayDraft): { state: string; users: string[]; remark: string; skip_verify: boolean } => ({
  state: draft.state.trim(), users: draft.users, remark: draft.remark.trim(), skip_verify: draft.skipVerify,
});

/* The provider's picture of the code: opened there, not drawn here, since the console asks no other host. */
export const pictureOf = (way: ContactWay): string | null => (/^https?:\/\//.test(way.qr_code) ? way.qr_code : null);

/* Accounts that have such codes. */
export const wecomAccounts = (accounts: readonly Account[]): Account[] => accounts.filter((one) => one.kind === 'wecom');

export const wayQueries = {
  of: (account: string) => queryOptions({ queryKey: ['touches', 'contact-ways', account], queryFn: ({ signal }) => api.get('/channels/{key}/contact-ways', { path: { key: account }, signal }), refetchInterval: 30_000, enabled: account !== '' }),
};
