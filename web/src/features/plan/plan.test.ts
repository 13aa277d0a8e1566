/* SPDX-License-Identifier: Apache-2.0 */
/* What is saved is what was edited: learnt types stay learnt, chosen ones are fixed, lists keep their types. */
import { describe, expect, it } from 'vitest';
import { draftOf, nameProblem, putOf, valueOf, type PlanEvent } from './plan';

const properties = [
  { name: 'total', type: 'money', required: true, values: [], fixed: true },
  { name: 'seats', type: 'int', required: false, values: [1, 2], fixed: false },
];
const event: PlanEvent = { name: 'Order Paid', status: 'planned', description: 'one per order', properties };

describe('draftOf and putOf', () => {
  it('give back what was there', () => {
    expect(putOf(draftOf(event))).toEqual({
      status: 'planned', description: 'one per order',
      properties: [{ name: 'total', type: 'money', required: true, values: [] }, { name: 'seats', required: false, values: [1, 2] }],
    });
  });
  it('fix a type that was chosen', () => {
    const draft = draftOf(event);
    const seats = draft.properties[1];
    if (seats === undefined) throw new Error('no property');
    seats.type = 'text';
    expect(putOf(draft).properties?.[1]).toEqual({ name: 'seats', type: 'text', required: false, values: ['1', '2'] });
  });
  it('take an unknown status for learnt', () => expect(draftOf({ ...event, status: 'later' }).status).toBe('learnt'));
});

it.each([['12', 'int', 12], ['1.5', 'money', 1.5], ['x', 'int', 'x'], ['', 'int', ''], ['true', 'bool', true], ['yes', 'bool', 'yes'], ['12', 'text', '12']] as const)(
  '%s of %s is %s', (text, type, value) => expect(valueOf(text, type)).toBe(value),
);

it('says why a name cannot be taken', () => {
  const draft = draftOf(event);
  expect(nameProblem(' ', draft)).toBe('empty');
  expect(nameProblem(' total', draft)).toBe('taken');
  expect(nameProblem('价'.repeat(67), draft)).toBe('long');
  expect(nameProblem('价'.repeat(66), draft)).toBeNull();
});
