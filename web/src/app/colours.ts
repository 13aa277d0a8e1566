/* SPDX-License-Identifier: Apache-2.0 */
/* colours: every colour of the console, once, for light and dark.
 *
 * `theme.css` receives them as custom properties (`--ink`, `--paper` …), Ant Design as tokens, charts
 * as values. Texts on their grounds meet AA (4.5:1): colours.test.ts computes it.
 */
export type Scheme = 'light' | 'dark';

export interface Palette {
  ground: string;
  paper: string;
  paperSoft: string;
  line: string;
  lineStrong: string;
  ink: string;
  inkSoft: string;
  inkFaint: string;
  accent: string;
  accentHover: string;
  accentActive: string;
  accentSoft: string;
  accentInk: string;
  onAccent: string;
  good: string;
  goodSoft: string;
  warn: string;
  warnSoft: string;
  bad: string;
  badSoft: string;
  info: string;
  infoSoft: string;
}

export const palettes: Record<Scheme, Palette> = {
  light: {
    ground: '#f3f6f4',
    paper: '#ffffff',
    paperSoft: '#f8faf9',
    line: '#e2e8e5',
    lineStrong: '#c6d0cb',
    ink: '#15201b',
    inkSoft: '#44524b',
    inkFaint: '#5f6d66',
    accent: '#0e7c66',
    accentHover: '#0b6a57',
    accentActive: '#095646',
    accentSoft: '#e2f2ed',
    accentInk: '#0a6553',
    onAccent: '#ffffff',
    good: '#1f7a3a',
    goodSoft: '#e5f4e8',
    warn: '#8a5a00',
    warnSoft: '#fdf1d6',
    bad: '#b3261e',
    badSoft: '#fcebe9',
    info: '#1f5fa6',
    infoSoft: '#e7f0fa',
  },
  dark: {
    ground: '#0e1311',
    paper: '#161c19',
    paperSoft: '#1b2320',
    line: '#28322e',
    lineStrong: '#3d4a44',
    ink: '#e4ebe7',
    inkSoft: '#b4c0ba',
    inkFaint: '#93a19a',
    accent: '#3dbb9b',
    accentHover: '#55c9ab',
    accentActive: '#2fa487',
    accentSoft: '#15332b',
    accentInk: '#74d7bd',
    onAccent: '#06130f',
    good: '#6cc983',
    goodSoft: '#16301d',
    warn: '#e2b457',
    warnSoft: '#352911',
    bad: '#f28b82',
    badSoft: '#3b1b19',
    info: '#85b7ee',
    infoSoft: '#172b42',
  },
};

/* Series of charts, in this order; told apart with the common forms of colour blindness. */
export const seriesColours: Record<Scheme, readonly string[]> = {
  light: ['#0e7c66', '#2f6fb5', '#c8641b', '#7a4fa3', '#a37b00', '#b8324f', '#3a8fae', '#6b7772'],
  dark: ['#3dbb9b', '#6fa8e6', '#f0965a', '#b592dc', '#d7b04a', '#ea7d95', '#74c3df', '#a3afa9'],
};

/* "--paper-soft: #f8faf9;" for each colour. */
export function customProperties(palette: Palette): [string, string][] {
  return Object.entries(palette).map(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value as string,
  ]);
}

function channelLuminance(value: number): number {
  const share = value / 255;
  return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

function luminance(hex: string): number {
  const number = Number.parseInt(hex.slice(1), 16);
  return (
    0.2126 * channelLuminance((number >> 16) & 255) +
    0.7152 * channelLuminance((number >> 8) & 255) +
    0.0722 * channelLuminance(number & 255)
  );
}

/* Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance). */
export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}
