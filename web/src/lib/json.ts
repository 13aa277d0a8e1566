/* SPDX-License-Identifier: Apache-2.0 */
/* json: printing JSON for people and colouring it by kind of token. */

/* Indented; a text that is JSON itself is parsed first, one that is not (cut off, or a form body) stays. */
export function prettyJson(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2) ?? '';
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

export interface JsonToken {
  /* k name, s text, n number, l true, false and null; '' all else */
  kind: '' | 'k' | 's' | 'n' | 'l';
  text: string;
}

const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

export function jsonTokens(text: string): JsonToken[] {
  const tokens: JsonToken[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) tokens.push({ kind: '', text: text.slice(end, match.index) });
    const [whole, quoted, colon, number] = match;
    if (quoted !== undefined) {
      tokens.push({ kind: colon === undefined ? 's' : 'k', text: quoted });
      if (colon !== undefined) tokens.push({ kind: '', text: colon });
    } else {
      tokens.push({ kind: number === undefined ? 'l' : 'n', text: whole });
    }
    end = match.index + whole.length;
  }
  if (end < text.length) tokens.push({ kind: '', text: text.slice(end) });
  return tokens;
}
