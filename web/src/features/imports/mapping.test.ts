/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from 'vitest';
import { columnNames, emptyMapping, eventsOf, fieldsOf, identifiersOf, withEvents, withFields, withIdentifiers, type Mapping } from './mapping';

const mapping: Mapping = {
  kind: 'events', zone: '+08:00', columns: { paid: { names: ['结算金额'] } },
  identifiers: [{ type: 'jd_open_id', namespace: 'pin', value: '[account]' }, { type: 'mobile', value: '[phone]', verified: false }],
  properties: { order_id: '[订单号]', total: { expression: '[paid]', type: 'money' } },
  lines: { group_by: '[订单号]' },
  events: [{ event: 'Order Placed', time: '[下单时间]' }, { event: 'Order Paid', when: "[status] = '完成'", time: '[paid_at]', key: 'x' }],
};

describe('a mapping', () => {
  it('is the same after it was shown', () => {
    let again = withIdentifiers(mapping, identifiersOf(mapping));
    again = withFields(again, 'properties', fieldsOf(again, 'properties'));
    again = withEvents(again, eventsOf(again));
    expect(again).toEqual(mapping);
  });
  it('takes what was typed, and keeps what the rows do not show', () => {
    const rows = fieldsOf(mapping, 'properties').map((row) => (row.name === 'total' ? { ...row, expression: '[应付金额]' } : row));
    const changed = withFields(mapping, 'properties', [...rows, { name: ' ', expression: 'x', more: {} }]);
    expect(changed['properties']).toEqual({ order_id: '[订单号]', total: { expression: '[应付金额]', type: 'money' } });
    expect(changed['lines']).toEqual(mapping['lines']);
  });
  it('leaves out an empty namespace and an empty condition', () => {
    expect(withIdentifiers(emptyMapping('customers'), [{ type: 'mobile', namespace: '', value: '[a]' }])['identifiers']).toEqual([{ type: 'mobile', value: '[a]' }]);
    expect(withEvents(emptyMapping('events'), [{ event: 'A', when: ' ', time: '[t]', more: {} }])['events']).toEqual([{ event: 'A', time: '[t]' }]);
  });
  it('names columns once', () => {
    expect(columnNames(mapping, ['paid', '订单号'])).toEqual(['paid', '订单号']);
  });
});
