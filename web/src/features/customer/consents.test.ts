/* SPDX-License-Identifier: Apache-2.0 */
/* consents.test: for which purpose she may be reached by which channel. */
import { expect, test } from 'vitest';
import { dataDecisions, neededOf, rowsOf, type ConsentHistory } from './consents';

const decided = (states: Record<string, 'granted' | 'withdrawn'>, restricted = false): Pick<ConsentHistory, 'current' | 'restricted'> => ({ restricted, current: Object.fromEntries(Object.entries(states).map(([purpose, state]) => [purpose, { state, at: '2026-01-01T00:00:00Z', source: 'crm' }])) });
const said = (history: ReturnType<typeof decided>, policy: unknown = undefined): Record<string, string> => Object.fromEntries(rowsOf(history, neededOf(policy)).map((row) => [row.purpose, `${row.cells.sms} ${row.cells.email}`]));

test('marketing needs a yes, service no no', () => {
  expect(said(decided({}))).toEqual({ marketing: 'not_asked not_asked', service: 'may may' });
  expect(said(decided({ marketing: 'granted', service: 'withdrawn' }))).toEqual({ marketing: 'may may', service: 'refused refused' });
});

test('a refused channel is refused for every purpose; a restriction refuses all', () => {
  expect(said(decided({ marketing: 'granted', sms: 'withdrawn' }))).toEqual({ marketing: 'channel_refused may', service: 'channel_refused may' });
  expect(said(decided({ marketing: 'granted', processing: 'withdrawn' }, true))).toEqual({ marketing: 'restricted restricted', service: 'restricted restricted' });
});

test('purposes of the brand have rows of their own, with what the policy asks', () => {
  const policy = { consent: [{ purpose: 'service', needs: 'granted' }, { purpose: 'survey', needs: 'granted' }, { purpose: 'x', needs: 'not_refused' }] };
  expect(said(decided({ birthday_gift: 'granted' }), policy)).toEqual({ marketing: 'not_asked not_asked', service: 'not_asked not_asked', birthday_gift: 'may may', survey: 'not_asked not_asked' });
});

test('what is about her data stands apart', () => {
  const history = decided({ personalisation: 'withdrawn', sensitive: 'granted', processing: 'withdrawn', marketing: 'granted' });
  expect(dataDecisions(history).map(([purpose]) => purpose)).toEqual(['personalisation', 'sensitive']);
  expect(rowsOf(history, neededOf(null)).map((row) => row.purpose)).toEqual(['marketing', 'service']);
});
