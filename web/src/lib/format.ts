/* SPDX-License-Identifier: Apache-2.0 */
/* format: numbers, money and times as people of each language write them.
 *
 * Chinese abbreviates by 万 (10^4) and 亿 (10^8), English by K, M and B. Abbreviated figures are rounded
 * down, so that 9,999 of 10,000 is never shown as all. Exact values are shown on hover.
 * Times are shown in the zone of the workspace, whatever the zone of the browser.
 */
import type { Language } from './text';

const locale: Record<Language, string> = { zh: 'zh-CN', en: 'en-GB' };

const integerFormat = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function exactCount(value: number): string {
  return integerFormat.format(value);
}

const steps: Record<Language, readonly (readonly [number, string])[]> = {
  zh: [
    [1e8, '亿'],
    [1e4, '万'],
  ],
  en: [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ],
};

/* 12,345 → 1.23万 or 12.3K; below 10,000 in full. Three digits count. */
export function shortCount(value: number, language: Language): string {
  if (Math.abs(value) < 10_000) return exactCount(value);
  const step = steps[language].find(([size]) => Math.abs(value) >= size);
  if (step === undefined) return exactCount(value);
  return `${threeDigits(value / step[0])}${step[1]}`;
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const factor = 10 ** digits;
  const cut = Math.trunc(value * factor + Math.sign(value) * 1e-9) / factor;
  return cut.toLocaleString('en-US', { maximumFractionDigits: digits });
}

export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}%`;
}

/* Events in a second: 0.4, 12.3, 1,204 */
export function perSecond(rate: number): string {
  if (rate < 10) return rate.toFixed(rate === 0 ? 0 : 1);
  return exactCount(Math.round(rate));
}

/* Digits after the point of a currency, by ISO 4217; 2 where it is not known. */
export function minorDigits(currency: string): number {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    return format.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

const signs: Readonly<Record<string, string>> = {
  CNY: '¥', USD: 'US$', EUR: '€', GBP: '£', JPY: 'JP¥', HKD: 'HK$', TWD: 'NT$', KRW: '₩',
};

function moneySign(currency: string): string {
  return signs[currency] ?? `${currency} `;
}

/* 129900 fen → ¥1,299.00. The sign of a negative amount stands before the currency. */
export function money(minor: number, currency: string): string {
  const digits = minorDigits(currency);
  const amount = Math.abs(minor) / 10 ** digits;
  const text = amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${minor < 0 ? '−' : ''}${moneySign(currency)}${text}`;
}

/* For figures at a glance: ¥1.23万, ¥12.3K; in full below 10,000 of the main unit. */
export function shortMoney(minor: number, currency: string, language: Language): string {
  const amount = minor / 10 ** minorDigits(currency);
  if (Math.abs(amount) < 10_000) return money(minor, currency);
  return `${minor < 0 ? '−' : ''}${moneySign(currency)}${shortCount(Math.abs(Math.trunc(amount)), language)}`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let size = value / 1024;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${units[unit] as string}`;
}

/* ---- times ---- */

const formats = new Map<string, Intl.DateTimeFormat>();

function timeFormat(language: Language, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${zone} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale[language], { timeZone: zone, hourCycle: 'h23', ...options });
    formats.set(key, format);
  }
  return format;
}

export type Instant = string | number;

export function instantMs(at: Instant): number {
  return typeof at === 'number' ? at : Date.parse(at);
}

/* 14:05:09 */
export function clockTime(at: Instant, language: Language, zone: string, seconds = true): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };
  if (seconds) options.second = '2-digit';
  return timeFormat(language, zone, options).format(instantMs(at));
}

/* 2026-11-21, in the zone: a key to group by, and the form used in tables of both languages */
export function dayKey(at: Instant, zone: string): string {
  const parts = timeFormat('en', zone, { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(instantMs(at));
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/* 11月21日 周六, Sat 21 Nov; with the year when it is not this one. The parts are put in order here,
 * since the punctuation of formats changes between browsers. */
export function dayTitle(at: Instant, language: Language, zone: string, nowMs: number): string {
  const parts = timeFormat(language, zone, {
    year: 'numeric', month: language === 'zh' ? 'numeric' : 'short', day: 'numeric', weekday: 'short',
  }).formatToParts(instantMs(at));
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const sameYear = dayKey(at, zone).slice(0, 4) === dayKey(nowMs, zone).slice(0, 4);
  if (language === 'zh') {
    return `${sameYear ? '' : `${part('year')}年`}${part('month')}月${part('day')}日 ${part('weekday')}`;
  }
  return `${part('weekday')} ${part('day')} ${part('month')}${sameYear ? '' : ` ${part('year')}`}`;
}

/* 2026-11-21 14:05 */
export function dateTime(at: Instant, language: Language, zone: string, seconds = false): string {
  return `${dayKey(at, zone)} ${clockTime(at, language, zone, seconds)}`;
}

export interface RelativeWords {
  justNow: string;
  minutesAgo: (count: number) => string;
  hoursAgo: (count: number) => string;
  daysAgo: (count: number) => string;
  soon: string;
}

/* 'just now', '5 min ago', '3 h ago', '6 days ago'; the date beyond 30 days. */
export function relativeTime(at: Instant, nowMs: number, zone: string, words: RelativeWords): string {
  const age = nowMs - instantMs(at);
  if (age < -60_000) return words.soon;
  if (age < 60_000) return words.justNow;
  if (age < 3_600_000) return words.minutesAgo(Math.floor(age / 60_000));
  if (age < 86_400_000) return words.hoursAgo(Math.floor(age / 3_600_000));
  if (age < 30 * 86_400_000) return words.daysAgo(Math.floor(age / 86_400_000));
  return dayKey(at, zone);
}

/* Whole days between two moments as the calendar of the zone counts them. */
export function calendarDaysBetween(from: Instant, to: Instant, zone: string): number {
  const start = Date.parse(`${dayKey(from, zone)}T00:00:00Z`);
  const end = Date.parse(`${dayKey(to, zone)}T00:00:00Z`);
  return Math.round((end - start) / 86_400_000);
}

/* The moment at which a day ("2026-06-18") begins in the zone. The offset is asked for twice, since it may change on that
 * very day.
 */
export function dayStart(day: string, zone: string): string {
  const asUtc = Date.parse(`${day}T00:00:00Z`);
  let at = asUtc;
  for (let round = 0; round < 2; round += 1) at = asUtc - offsetMs(at, zone);
  return new Date(at).toISOString();
}

export function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

function offsetMs(at: number, zone: string): number {
  const whole = Math.floor(at / 1_000) * 1_000;
  return Date.parse(`${dayKey(whole, zone)}T${clockTime(whole, 'en', zone)}Z`) - whole;
}
