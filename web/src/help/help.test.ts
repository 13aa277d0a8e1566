/* SPDX-License-Identifier: Apache-2.0 */
/* help.test: every term says what it is in both languages; pages lead to a term; the card of the tour stays within the window. */
import { expect, test } from 'vitest';
import { pages } from '@/app/pages';
import { foundTerms, termKeys, termOfPage, terms } from './glossary';
import { cardPlace, steps, tourTexts } from './tour';

test('terms have a name and a meaning in both languages, and an example in both or in none', () => {
  for (const key of termKeys) {
    const [zh, en] = [terms.zh[key], terms.en[key]];
    expect([zh.name, zh.what, en.name, en.what].every((text) => text.trim() !== ''), key).toBe(true);
    expect(zh.example === '', key).toBe(en.example === '');
  }
  expect(new Set(termKeys.map((key) => terms.en[key].name)).size).toBe(termKeys.length);
});

test('a page has the term of the longest path that fits', () => {
  expect([termOfPage('/segments/vip'), termOfPage('/identity/link-rate'), termOfPage('/data/objects/store/1'), termOfPage('/'), termOfPage('/segmentsx')]).toEqual(['segment', 'linkRate', 'object', null, null]);
  const without = pages.filter((page) => termOfPage(page.path) === null).map((page) => page.key);
  expect(without.every((key) => ['today', 'imports', 'users', 'tokens', 'signIn', 'audit', 'preferences', 'glossary'].includes(key)), without.join()).toBe(true);
});

test('terms are found by name and meaning', () => {
  expect(foundTerms(terms.zh, '问号')).toEqual([]);
  expect(foundTerms(terms.zh, '社群')).toContain('group');
  expect(foundTerms(terms.en, ' onEID ')).toEqual(['customer']);
  expect(foundTerms(terms.en, '')).toEqual(termKeys);
});

test('the card stands beside its place, below it where there is no room, and within the window', () => {
  const [card, screen] = [{ width: 320, height: 160 }, { width: 1366, height: 768 }];
  expect(cardPlace({ left: 10, top: 100, width: 190, height: 31 }, card, screen)).toEqual({ left: 212, top: 100 });
  expect(cardPlace({ left: 10, top: 740, width: 190, height: 31 }, card, screen)).toEqual({ left: 212, top: 596 });
  expect(cardPlace({ left: 1310, top: 12, width: 28, height: 28 }, card, screen)).toEqual({ left: 1018, top: 52 });
  expect(cardPlace({ left: 60, top: 700, width: 300, height: 60 }, { width: 320, height: 160 }, { width: 390, height: 844 })).toEqual({ left: 40, top: 528 });
});

test('every step of the tour has its words', () => {
  for (const step of steps) expect(tourTexts.en.steps[step.key].text).not.toBe('');
});
