/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from 'vitest';
import { textIn } from '@/lib/text';
import { detailTexts, sayDetail } from './detail';

const { en } = detailTexts;
const zh = textIn(detailTexts, 'zh');

describe('what is wrong with an event', () => {
  it('names the property', () => {
    expect(sayDetail("a required property is missing: 'grams'", zh)).toBe('「grams」');
    expect(sayDetail("the plan does not know this event and the source is strict: 'Tea'", en)).toBe('"Tea"');
  });
  it('names both types', () => {
    const said = "a property has another type than the plan says: 'total', it is text and should be money";
    expect(sayDetail(said, zh)).toBe('「total」 现在是文字，应为金额');
    expect(sayDetail(said, en)).toBe('"total" it is text and should be an amount');
  });
  it('tells the future and the unknown', () => {
    expect(sayDetail('it says it happens 47 hours from now', zh)).toBe('事件时间比现在晚 47 小时');
    expect(sayDetail('every identifier on it is masked or a placeholder', zh)).toContain('认不出是谁');
  });
  it('leaves alone what it does not know', () => {
    expect(sayDetail('the record cannot be read by this version', zh)).toBe('the record cannot be read by this version');
  });
});
