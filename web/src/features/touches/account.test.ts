/* SPDX-License-Identifier: Apache-2.0 */
import { expect, test } from 'vitest';
import { faultOf, hasKept, sections, settingsOf, valuesOf, type Field, type Kind } from './account';

const field = (name: string, more: Partial<Field> = {}): Field => ({ name, type: 'text', secret: false, required: false, text: { zh: name, en: name }, ...more });
const kind: Kind = {
  kind: 'sms', channel: 'sms', internal: false, text: { zh: '短信', en: 'SMS' },
  settings: [field('appid', { required: true }), field('secret', { secret: true, required: true }), field('sandbox', { type: 'bool' }), field('timeout_ms', { type: 'number', least: 100, most: 120000 }), field('headers', { type: 'headers' })],
};
const before = { appid: 'a', secret: { is_set: true }, sandbox: true, timeout_ms: 500, quota: [{ max: 1 }], pool: 'p' };

test('a form shows what is there; a secret is not known', () => {
  expect(valuesOf(kind.settings, before)).toEqual({ appid: 'a', secret: '', sandbox: true, timeout_ms: '500', headers: '' });
  expect(hasKept(kind.settings[1] as Field, before)).toBe(true);
  expect(hasKept(kind.settings[0] as Field, before)).toBe(false);
});

test('what is put keeps secrets by leaving them out, and what the form does not know as it was', () => {
  const values = { ...valuesOf(kind.settings, before), timeout_ms: ' 900 ', headers: '{"x":"y"}' };
  expect(settingsOf(kind.settings, values, before)).toEqual({ appid: 'a', sandbox: true, timeout_ms: 900, headers: { x: 'y' }, quota: [{ max: 1 }], pool: 'p' });
  expect(settingsOf(kind.settings, { ...values, secret: 'new', sandbox: false }, before)).toMatchObject({ secret: 'new' });
  expect('sandbox' in settingsOf(kind.settings, { ...values, sandbox: false }, before)).toBe(false);
});

test('what is wrong is said before it is sent', () => {
  const [appid, secret, , timeout, headers] = kind.settings as [Field, Field, Field, Field, Field];
  expect(faultOf(appid, ' ', false)).toBe('missing');
  expect(faultOf(secret, '', true)).toBeNull();
  expect(faultOf(secret, '', false)).toBe('missing');
  expect(['99', '100', '120001', 'x', '1.5', ''].map((one) => faultOf(timeout, one, false))).toEqual(['range', null, 'range', 'number', 'number', null]);
  expect(['[]', '{', '{"a":"b"}'].map((one) => faultOf(headers, one, false))).toEqual(['json', 'json', null]);
});

test('the provider’s own words come first, speed and addresses are folded, the sandbox stands apart', () => {
  const { main, more } = sections(kind);
  expect(main.map((one) => one.name)).toEqual(['appid', 'secret', 'headers']);
  expect(more.map((one) => one.name)).toEqual(['default', 'disabled', 'test_only', 'cost', 'timeout_ms']);
});
