/* SPDX-License-Identifier: Apache-2.0 */
/* suggestions.test: which values name an object, so that the server looks for it by name. */
import { expect, test } from 'vitest';
import type { ObjectEntry } from './catalogue';
import { noSubject, objectKindOf, valuesIn, type Subject } from './suggestions';

const objects: ObjectEntry[] = [
  { kind: 'store', name: '', properties: [{ name: 'city', kind: 'text', object: '' }, { name: 'dealer', kind: 'text', object: 'dealer' }], tags: [], vias: [{ event: 'Order Paid', via: 'store_id' }], traits: ['store'] },
  { kind: 'dealer', name: '', properties: [], tags: [], vias: [], traits: [] },
];
const kind = (more: Partial<Subject>): string | null => objectKindOf({ ...noSubject, form: 'prop', ...more }, objects);

test('ids of objects are known by the property of an event, a trait, or a property of another object', () => {
  expect([kind({ name: 'store_id', events: ['Order Paid'] }), kind({ name: 'store_id', events: ['*'] }), kind({ name: 'store_id', events: ['Other'] }), kind({ form: 'trait', name: 'store' }), kind({ form: 'tag', name: 'store' })]).toEqual(['store', 'store', null, 'store', null]);
  expect([kind({ name: 'dealer', object: 'store' }), kind({ name: 'city', object: 'store' }), kind({ name: 'id', object: 'store' }), kind({ name: '' })]).toEqual(['dealer', null, 'store', null]);
});

test('values are told by how often they came', () => {
  expect(valuesIn(['{"properties":{"a":"x"}}', '{"properties":{"a":["y","x"]}}', '{cut'], 'a')).toEqual(['x', 'y']);
  expect(valuesIn(['{"properties":{"result":{"face":{"type":"dry"}}}}', '{"properties":{"result":[1]}}', '{"properties":{"result":null}}'], 'result.face.type')).toEqual(['dry']);
});
