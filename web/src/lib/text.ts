/* SPDX-License-Identifier: Apache-2.0 */
/* text: catalogues of words in Chinese and English, kept beside the feature that says them.
 *
 * The Chinese catalogue is written first and gives the shape; the English one must have the same keys
 * with the same parameters, or the console does not compile. A message is a string, or a function of its
 * parameters, so that each language has its own word order.
 */
export type Language = 'zh' | 'en';

type Shape<T> = {
  [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...parameters: infer P) => string
      ? (...parameters: P) => string
      : Shape<T[K]>;
};

export interface Catalogue<T> {
  zh: T;
  en: Shape<T>;
}

export function catalogue<const T extends object>(both: { zh: T; en: Shape<T> }): Catalogue<T> {
  return both;
}

export function textIn<T>(texts: Catalogue<T>, language: Language): Shape<T> {
  return language === 'zh' ? (texts.zh as Shape<T>) : texts.en;
}

/* The words for a code that the server sent; the code itself where the catalogue has none. */
export function wordFor(words: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(words, code) ? (words[code] as string) : code;
}

/* The word for an event, also as SDKs without blanks in names send it: ProductAdded is 'Product Added'. */
export function eventWord(words: Readonly<Record<string, string>>, type: string): string {
  const spaced = type.replace(/([a-z])([A-Z])/g, '$1 $2');
  const known = [type, spaced].find((name) => Object.hasOwn(words, name));
  return known === undefined ? type : (words[known] as string);
}
