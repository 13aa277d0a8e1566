/* SPDX-License-Identifier: Apache-2.0 */
/* Figures and times as each language writes them, edges included. */
import { describe, expect, it } from 'vitest';
import { bytes, calendarDaysBetween, clockTime, dateTime, dayAfter, dayKey, dayStart, dayTitle, exactCount, minorDigits, money, perSecond, percent, relativeTime, shortCount, shortMoney, type RelativeWords } from './format';

const shanghai = 'Asia/Shanghai';

describe('counts', () => {
  it.each([
    [0, '0', '0'],
    [9_999, '9,999', '9,999'],
    [10_000, '1万', '10K'],
    [12_345, '1.23万', '12.3K'],
    [999_999, '99.9万', '999K'],
    [1_000_000, '100万', '1M'],
    [99_999_999, '9,999万', '99.9M'],
    [123_456_789, '1.23亿', '123M'],
    [8_000_000_000, '80亿', '8B'],
    [-12_345, '-1.23万', '-12.3K'],
  ])('%d is %s and %s', (value, zh, en) => {
    expect(shortCount(value, 'zh')).toBe(zh);
    expect(shortCount(value, 'en')).toBe(en);
  });
  it('is exact on hover', () => expect(exactCount(12_345_678)).toBe('12,345,678'));
  it('writes rates', () => {
    expect(perSecond(0)).toBe('0');
    expect(perSecond(0.44)).toBe('0.4');
    expect(perSecond(1203.7)).toBe('1,204');
  });
  it('writes shares', () => expect(percent(0.12345)).toBe('12.3%'));
});

describe('money', () => {
  it('keeps fen', () => expect(money(129_900, 'CNY')).toBe('¥1,299.00'));
  it('puts the sign first', () => expect(money(-5, 'CNY')).toBe('−¥0.05'));
  it('follows ISO 4217', () => {
    expect(minorDigits('JPY')).toBe(0);
    expect(minorDigits('KWD')).toBe(3);
    expect(minorDigits('no currency')).toBe(2);
    expect(money(1_500, 'JPY')).toBe('JP¥1,500');
  });
  it('is short at a glance', () => {
    expect(shortMoney(123_456_700, 'CNY', 'zh')).toBe('¥123万');
    expect(shortMoney(123_456_700, 'CNY', 'en')).toBe('¥1.23M');
    expect(shortMoney(129_900, 'CNY', 'zh')).toBe('¥1,299.00');
  });
});

it('writes bytes', () => {
  expect(bytes(1023)).toBe('1023 B');
  expect(bytes(1536)).toBe('1.5 KB');
  expect(bytes(3 * 1024 ** 3)).toBe('3.0 GB');
});

describe('times', () => {
  const late = '2026-06-17T16:30:00Z'; /* already the 18th in Shanghai */
  it('belongs to the day of the zone', () => {
    expect(dayKey(late, shanghai)).toBe('2026-06-18');
    expect(dayKey(late, 'UTC')).toBe('2026-06-17');
    expect(clockTime(late, 'zh', shanghai)).toBe('00:30:00');
    expect(dateTime(late, 'en', shanghai)).toBe('2026-06-18 00:30');
  });
  it('titles days, with the year when it is another', () => {
    const now = Date.parse('2026-11-21T00:00:00Z');
    expect(dayTitle(late, 'zh', shanghai, now)).toBe('6月18日 周四');
    expect(dayTitle(late, 'en', shanghai, now)).toBe('Thu 18 Jun');
    expect(dayTitle('2025-06-18T00:00:00Z', 'zh', shanghai, now)).toBe('2025年6月18日 周三');
  });
  it('counts days of the calendar', () => {
    expect(calendarDaysBetween('2026-06-17T15:59:00Z', '2026-06-17T16:01:00Z', shanghai)).toBe(1);
  });
  const words: RelativeWords = {
    justNow: 'now', minutesAgo: (n) => `${n}m`, hoursAgo: (n) => `${n}h`, daysAgo: (n) => `${n}d`, soon: 'ahead',
  };
  it.each([
    [59_999, 'now'], [60_000, '1m'], [3_599_999, '59m'], [3_600_000, '1h'], [86_400_000, '1d'], [-120_000, 'ahead'],
  ])('%d ms ago is %s', (age, expected) => {
    expect(relativeTime(1_800_000_000_000 - age, 1_800_000_000_000, shanghai, words)).toBe(expected);
  });
  it('gives the date after a month', () => {
    expect(relativeTime('2026-06-18T00:00:00Z', Date.parse('2026-11-21T00:00:00Z'), shanghai, words)).toBe('2026-06-18');
  });
});

describe('days of the calendar', () => {
  it('begin at midnight of the zone, on days of changed clocks too', () => {
    expect(dayStart('2026-06-18', 'Asia/Shanghai')).toBe('2026-06-17T16:00:00.000Z');
    expect(dayStart('2026-03-29', 'Europe/Berlin')).toBe('2026-03-28T23:00:00.000Z');
    expect(dayStart('2026-03-30', 'Europe/Berlin')).toBe('2026-03-29T22:00:00.000Z');
    expect(dayStart('2026-10-26', 'Europe/Berlin')).toBe('2026-10-25T23:00:00.000Z');
    expect(dayStart('2026-01-01', 'America/St_Johns')).toBe('2026-01-01T03:30:00.000Z');
  });
  it('follow one another', () => {
    expect(dayAfter('2026-02-28')).toBe('2026-03-01');
    expect(dayAfter('2026-12-31')).toBe('2027-01-01');
  });
});
