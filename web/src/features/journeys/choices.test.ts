/* SPDX-License-Identifier: Apache-2.0 */
import { expect, it } from 'vitest';
import { choicesOf, choiceTexts, nameWithoutChoices } from './choices';

it('a text member of few words is chosen; any other is written', () => {
  expect(choicesOf({ name: 'late', type: 'text' })).toContain('window');
  expect(choicesOf({ name: 'late', type: 'duration' })).toBeNull();
  expect(choicesOf({ name: 'reason', type: 'text' })).toBeNull();
  expect(choicesOf({ name: 'constructor', type: 'text' })).toBeNull();
});

it('each word has its name in both languages', () => {
  for (const name of ['late', 'zone', 'on', 'reentry']) {
    const wanted = [...(choicesOf({ name, type: 'text' }) ?? [])].sort();
    for (const texts of [choiceTexts.zh, choiceTexts.en]) expect(Object.keys(texts.words[name] ?? {}).sort()).toEqual(wanted);
  }
});

it('the name of a member is told without its words', () => {
  expect(nameWithoutChoices('迟到时: go 照常, skip 跳过')).toBe('迟到时');
  expect(nameWithoutChoices('when late: go, skip')).toBe('when late');
  expect(nameWithoutChoices('到几点')).toBe('到几点');
});
