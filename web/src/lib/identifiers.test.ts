/* SPDX-License-Identifier: Apache-2.0 */
/* One word for one thing on every page. */
import { expect, it } from 'vitest';
import { identifierName } from './identifiers';

it('calls an identifier by the word that all pages use, and the brand\'s own by its label', () => {
  expect(identifierName({ name: 'mobile', label: { zh: '手机号', en: 'Mobile' } }, 'zh', { mobile: '手机' })).toBe('手机');
  expect(identifierName({ name: 'pet_id', label: { zh: '宠物号', en: 'Pet' } }, 'zh', { mobile: '手机' })).toBe('宠物号');
  expect(identifierName({ name: 'pet_id', label: { zh: '', en: '' } }, 'en', {})).toBe('pet_id');
  expect(identifierName({ name: 'pet_id' }, 'en', {})).toBe('pet_id');
});
