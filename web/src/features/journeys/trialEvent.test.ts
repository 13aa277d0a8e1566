/* SPDX-License-Identifier: Apache-2.0 */
/* The event of a trial is a form by the plan and JSON, both ways: nothing that is typed on one side is lost on the other. */
import { expect, it } from 'vitest';
import { definitionOf } from './model';
import { eventOf } from './trial';
import { askedByTrigger, eventOfTrigger, freshValue, isTime, namesLeft, rowsOf, textOfEvent, withProperty, type PlanProperty } from './trialEvent';

const plan: PlanProperty[] = [
  { name: 'order_id', type: 'text', required: true, values: [] }, { name: 'total', type: 'money' }, { name: 'paid', type: 'bool' }, { name: 'way', type: 'text', values: ['store', 'web'] }, { name: 'lines', type: 'list' },
];

it('knows the event that starts it and what its trigger asks about', () => {
  const journey = definitionOf({ trigger: { type: 'event', event: 'Order Paid', where: [{ prop: 'way', eq: 'web' }, { prop: '$hour', gt: 8 }, { prop: 'way', ne: 'store' }] } });
  expect([eventOfTrigger(journey), askedByTrigger(journey)]).toEqual(['Order Paid', ['way']]);
  expect([eventOfTrigger(definitionOf({ trigger: { type: 'api' } })), askedByTrigger(definitionOf({}))]).toEqual(['', []]);
});

it('has a row for what is needed, asked about and filled in, by its type', () => {
  const rows = rowsOf({ total: 12.5, odd: { deep: [1] }, note: 'x' }, plan, ['way']);
  expect(rows.map((one) => [one.name, one.type, one.isNeeded, one.value])).toEqual([['order_id', 'text', true, undefined], ['way', 'text', true, undefined], ['total', 'money', false, 12.5], ['odd', 'json', false, { deep: [1] }], ['note', 'text', false, 'x']]);
  expect(rows.find((one) => one.name === 'way')?.choices).toEqual(['store', 'web']);
  expect(namesLeft(rows, plan)).toEqual(['paid', 'lines']);
});

it('writes one property and keeps all others; JSON comes back as it was', () => {
  const event = { odd: { deep: [1] }, total: 1 };
  expect(withProperty(event, 'total', 2)).toEqual({ odd: { deep: [1] }, total: 2 });
  expect(withProperty(event, 'total', undefined)).toEqual({ odd: { deep: [1] } });
  expect(eventOf(textOfEvent(event))).toEqual(event);
  expect([textOfEvent({}), eventOf('')]).toEqual(['', undefined]);
});

it('begins a row so that it is there, and takes times with their zone', () => {
  expect(['text', 'time', 'money', 'bool', 'list', 'object'].map(freshValue)).toEqual(['', '', 0, true, [], {}]);
  expect(['2026-11-22T10:00:00+08:00', '2026-11-22T02:00Z', '2026-11-22', 'soon', '2026-13-01T00:00:00Z'].map(isTime)).toEqual([true, true, false, false, false]);
});
