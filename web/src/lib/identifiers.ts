/* SPDX-License-Identifier: Apache-2.0 */
/* identifiers: what their types are called. */
import { wordFor, type Language } from './text';

/* What people call the identifier: the word of the catalogue, which every page uses; of the brand's own types
 * the label that the brand gave. */
export function identifierName(type: { name: string; label?: Record<Language, string> }, language: Language, words: Readonly<Record<string, string>>): string {
  const word = wordFor(words, type.name);
  if (word !== type.name) return word;
  const label = type.label?.[language] ?? '';
  return label === '' ? type.name : label;
}
