/* SPDX-License-Identifier: Apache-2.0 */
/* Texts can be read on every ground they stand on, in both schemes (WCAG AA). */
import { describe, expect, it } from 'vitest';
import { contrast, customProperties, palettes, seriesColours, type Palette } from './colours';

const texts: (keyof Palette)[] = ['ink', 'inkSoft', 'inkFaint', 'accentInk', 'good', 'warn', 'bad', 'info'];
const grounds: (keyof Palette)[] = ['ground', 'paper', 'paperSoft'];
const pairs: [keyof Palette, keyof Palette][] = [
  ['good', 'goodSoft'],
  ['warn', 'warnSoft'],
  ['bad', 'badSoft'],
  ['info', 'infoSoft'],
  ['accentInk', 'accentSoft'],
  ['onAccent', 'accent'],
  ['onAccent', 'accentHover'],
  ['ink', 'accentSoft'],
];

describe.each(['light', 'dark'] as const)('%s', (scheme) => {
  const palette = palettes[scheme];
  it.each(texts.flatMap((text) => grounds.map((ground) => [text, ground] as const)))(
    '%s on %s reaches 4.5',
    (text, ground) => expect(contrast(palette[text], palette[ground])).toBeGreaterThanOrEqual(4.5),
  );
  it.each(pairs)('%s on %s reaches 4.5', (text, ground) =>
    expect(contrast(palette[text], palette[ground])).toBeGreaterThanOrEqual(4.5),
  );
  it.each(seriesColours[scheme])('series %s stands out from the paper', (colour) =>
    expect(contrast(colour, palette.paper)).toBeGreaterThanOrEqual(3),
  );
});

it('knows the ends of the scale', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#777777')).toBe(1);
});

it('names custom properties as style sheets do', () => {
  expect(customProperties(palettes.light)).toContainEqual(['--paper-soft', '#f8faf9']);
});
