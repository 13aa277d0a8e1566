/* SPDX-License-Identifier: Apache-2.0 */
/* A template that is only looked at is saved as it was; what the lint says is read whatever is added to it. */
import { describe, expect, it } from 'vitest';
import { findingsOf, freshBody, partsOf, partText, partValue, pipeOf, variables, withoutPart, withPart } from './template';

const body = { name: 'n', channel: 'sms', parts: { text: '【沐野】{{ customer.name }}', params: { name: 'x' }, list: [1] }, links: { a: 'b' } };

describe('filters', () => {
  it('are put behind a value as their example has them', () => {
    expect(pipeOf('item.name | truncate: 12, "…"')).toBe(' | truncate: 12, "…"');
    expect(pipeOf('now | add_days: 7 | date: "%-m月"')).toBe(' | add_days: 7 | date: "%-m月"');
    expect(pipeOf('{{ customer.points | number }}')).toBe(' | number');
    expect(pipeOf('customer.points')).toBe('');
  });
});

describe('parts', () => {
  it('come back as they were typed', () => {
    for (const value of Object.values(partsOf(body))) expect(partValue(partText(value), value)).toEqual(value);
  });
  it('what is no JSON any more is kept as it is typed', () => expect(partValue('{"a":', { a: 1 })).toBe('{"a":'));
  it('are added and taken without touching the rest', () => {
    expect(withoutPart(withPart(body, 'url', 'u'), 'url')).toEqual(body);
  });
});

describe('findings', () => {
  it('without words are left out', () => {
    const finding = { level: 'error', code: 'x', part: 'text', line: 1, column: 2, text: { zh: '甲', en: 'a' } };
    const template = { key: 'k', version: 1, body: {}, findings: [finding, { level: 'error' }, { ...finding, level: 'unheard of', cure: { zh: '乙', en: 'b' } }] };
    expect(findingsOf(template as never).map((one) => [one.level, one.cure?.zh])).toEqual([['error', undefined], ['advice', '乙']]);
  });
});

it('a new one has the parts of its channel', () => {
  expect(Object.keys(partsOf(freshBody('email')))).toEqual(['subject', 'html']);
  expect(Object.keys(partsOf(freshBody('unheard of')))).toEqual(['text']);
});

it('variables are named once', () => expect(variables(['name', 'city'], ['skin']).filter((one) => one === 'customer.name')).toHaveLength(1));
