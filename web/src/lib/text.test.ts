/* SPDX-License-Identifier: Apache-2.0 */
/* Words are found by code; what has none is shown as it is; no word is left empty in either language. */
import { describe, expect, it } from 'vitest';
import { eventWord, textIn, wordFor } from './text';
import { words } from './words';

describe('wordFor', () => {
  it('finds words and leaves codes', () => {
    expect(wordFor(words.zh.channel, 'tmall')).toBe('天猫');
    expect(wordFor(words.zh.channel, 'kiosk')).toBe('kiosk');
  });
  it('does not mistake what objects have by birth for words', () => {
    expect(wordFor(words.en.channel, 'constructor')).toBe('constructor');
    expect(eventWord(words.en.event, 'toString')).toBe('toString');
  });
});

it('knows events however they are written', () => {
  expect(eventWord(words.zh.event, 'Product Added')).toBe('加入购物车');
  expect(eventWord(words.zh.event, 'ProductAdded')).toBe('加入购物车');
  expect(eventWord(words.zh.event, '$pageview')).toBe('浏览页面');
  expect(eventWord(words.zh.event, 'skin_file_opened')).toBe('skin_file_opened');
});

function leaves(value: unknown, path: string): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
  return [];
}

describe.each(['zh', 'en'] as const)('%s', (language) => {
  it.each(leaves(textIn(words, language), ''))('%s says something', (_, text) => expect(text.trim()).not.toBe(''));
});

it('is Chinese in Chinese', () => {
  const latin = leaves(words.zh, '').filter(([path, text]) => !/[\u4e00-\u9fff—]/.test(text) && !/App|OneID/.test(text) && path !== '.none');
  expect(latin).toEqual([]);
});
