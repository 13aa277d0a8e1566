/* SPDX-License-Identifier: Apache-2.0 */
/* objects.test: kinds as they are described and edited, values as text, and the ways from an object to people. */
import { expect, test } from 'vitest';
import { draftOf, fieldProblem, kindProblem, kindsOf, pointers, pointsAt, propsOf, settingsOf, titleOf, valueOf, valueText, waysTo, type Field } from './objects';

const described = [{ kind: 'store', changed_at: '2026-11-01T00:00:00.000Z', settings: { name: { zh: '门店', en: 'Stores' }, rank: 3, properties: { city: { type: 'text', name: '城市', unit: 'none' }, dealer: { type: 'text', object: 'dealer' } } } }];
const names = [
  { kind: 'store', name: '门店', count: 500, properties: [{ name: 'id', type: 'text' }, { name: 'city', type: 'text' }, { name: 'area', type: 'number' }, { name: 'open', type: 'bool' }], tags: [], segments: [], events: [{ event: 'Order Paid', via: 'store_id' }, { event: 'Visit', via: 'store_id' }, { event: 'Order Paid', via: 'stores.store_id' }], traits: ['store'] },
  { kind: 'dealer', name: 'dealer', count: 3, properties: [], tags: [], segments: [], events: [], traits: [] },
];
const field = (more: Partial<Field>): Field => ({ name: 'x', label: '', type: 'text', description: '', object: '', isSeen: false, ...more });

test('kinds are those described and those that only came; so are fields', () => {
  const kinds = kindsOf(described as never, names, 'zh');
  expect(kinds.map((one) => [one.kind, one.name, one.count, one.isDescribed])).toEqual([['dealer', '', 3, false], ['store', '门店', 500, true]]);
  expect(kinds[1]?.fields.map((one) => [one.name, one.type, one.object, one.isSeen])).toEqual([['city', 'text', '', false], ['dealer', 'text', 'dealer', false], ['area', 'number', '', true], ['open', 'boolean', '', true]]);
  expect(pointers(kinds, 'dealer').map((one) => [one.kind.kind, one.field.name])).toEqual([['store', 'dealer']]);
});

test('a description that is saved unchanged is what it was; what the editor does not know stays', () => {
  const [, store] = kindsOf(described as never, names, 'zh');
  if (store === undefined) throw new Error('no store');
  const draft = draftOf(store);
  expect(settingsOf(draft, store.settings, 'zh')).toEqual(described[0]?.settings);
  const changed = settingsOf({ ...draft, name: '店', fields: [...draft.fields.filter((one) => one.name !== 'dealer').map((one) => (one.name === 'area' ? { ...one, isSeen: false, label: '面积' } : one))] }, store.settings, 'zh');
  expect(changed).toEqual({ name: { zh: '店', en: 'Stores' }, rank: 3, properties: { city: { type: 'text', name: '城市', unit: 'none' }, area: { type: 'number', name: '面积' } } });
});

test('names of kinds and fields', () => {
  expect([kindProblem('', []), kindProblem('Store', []), kindProblem('store', ['store']), kindProblem('my_store2', ['store']), kindProblem('a'.repeat(41), [])]).toEqual(['empty', 'form', 'taken', null, 'long']);
  expect([fieldProblem(' ', []), fieldProblem('id', []), fieldProblem('x', [field({})]), fieldProblem('x', [field({ isSeen: true })]), fieldProblem('城市', [])]).toEqual(['empty', 'taken', 'taken', null, null]);
});

test('values go to text and back', () => {
  for (const [type, value] of [['text', '杭州'], ['number', 1.5], ['money', 12900], ['boolean', false], ['list', ['a', 'b']], ['object', { a: [1] }]] as const) expect(valueOf(valueText(value as never, type), type)).toEqual(value);
  expect([valueOf('x', 'number'), valueOf('maybe', 'boolean'), valueOf('{', 'object'), valueOf(' ', 'text')]).toEqual([null, null, null, undefined]);
});

test('only what was changed is put; what has no field stays; a wrong value is named', () => {
  const fields = [field({ name: 'city' }), field({ name: 'area', type: 'number' }), field({ name: 'note' })];
  expect(propsOf({ city: '上海', note: '' }, fields, { city: '杭州', note: 'old', other: { deep: 1 } })).toEqual({ props: { city: '上海', other: { deep: 1 } }, wrong: [] });
  expect(propsOf({ area: 'wide' }, fields, { area: 3 })).toEqual({ props: { area: 3 }, wrong: ['area'] });
});

test('ways to people: one for each property, whatever the event, and one for each trait', () => {
  expect(waysTo(names[0], 's1').map((one) => one.rule)).toEqual([
    { trait: 'store', eq: 's1' }, { event: '*', where: [{ prop: 'store_id', eq: 's1' }] }, { event: 'Order Paid', where: [{ prop: 'stores.store_id', in: ['s1'] }] },
  ]);
  expect(waysTo(undefined, 's1')).toEqual([]);
});

test('an object is called by its name; a list of ids points at each', () => {
  expect([titleOf({ id: 'p1', props: { name: '面霜' } as never }), titleOf({ id: 'p1', props: {} })]).toEqual(['面霜', 'p1']);
  const one = { kind: 'group', id: 'g', updated_at: '', props: { stores: ['s1', 's2'], store: 's3' } as never };
  expect([pointsAt(one, field({ name: 'stores' }), 's2'), pointsAt(one, field({ name: 'store' }), 's3'), pointsAt(one, field({ name: 'store' }), 's1')]).toEqual([true, true, false]);
});
