/* SPDX-License-Identifier: Apache-2.0 */
/* Colouring never changes the text, whatever it is. */
import { expect, it } from 'vitest';
import { jsonTokens, prettyJson } from './json';

const texts = ['{"a":[1,-2.5e3,"x\\"y: 1",true,null]}', '', 'data=eyJ&gzip=1', '{"cut":"of', '"":0', '中文 "值" : 12'];

it.each(texts)('keeps every letter of %s', (text) => {
  expect(jsonTokens(text).map((token) => token.text).join('')).toBe(text);
});

it('tells names from texts', () => {
  const kinds = jsonTokens('{"name": "value", "n": 1, "b": false}').filter((token) => token.kind !== '').map((token) => `${token.kind}${token.text}`);
  expect(kinds).toEqual(['k"name"', 's"value"', 'k"n"', 'n1', 'k"b"', 'lfalse']);
});

it('prints what is JSON and leaves what is not', () => {
  expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyJson('{"a":1')).toBe('{"a":1');
  expect(prettyJson({ a: '上海' })).toContain('上海');
});
