/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from 'vitest';
import { correctionOf, editOf, textOf, valueOf } from './correction';

const edit = editOf('Order Payed', '2026-01-05T10:00:00.000Z', { total: 'abc', qty: 2, code: '007', odd: '"x' });

describe('a correction', () => {
  it('is nothing while nothing was changed', () => {
    expect(correctionOf(edit)).toBeNull();
  });
  it('names what was changed and nothing else', () => {
    const properties = edit.properties.map((one) => {
      if (one.name === 'total') return { ...one, value: '129.00' };
      if (one.name === 'qty') return { ...one, newName: 'quantity' };
      if (one.name === 'odd') return { ...one, remove: true };
      return one;
    });
    expect(correctionOf({ ...edit, event: ' Order Paid ', properties })).toEqual({
      event: 'Order Paid', rename: { qty: 'quantity' }, set: { total: 129 }, remove: ['odd'],
    });
  });
  it('adds a property, and leaves out an empty line', () => {
    const added = { name: '', newName: 'currency', value: 'CNY', wasValue: '', remove: false };
    const empty = { name: '', newName: ' ', value: 'x', wasValue: '', remove: false };
    expect(correctionOf({ ...edit, properties: [...edit.properties, added, empty] })).toEqual({ set: { currency: 'CNY' } });
  });
  it('keeps texts that look like numbers texts', () => {
    for (const value of ['007', '12', 'true', '', ' a', '"x', '{', 'null']) expect(valueOf(textOf(value))).toBe(value);
    for (const value of [12, true, null, ['a'], { a: 1 }]) expect(valueOf(textOf(value))).toEqual(value);
  });
});
