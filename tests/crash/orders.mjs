// SPDX-License-Identifier: Apache-2.0
// orders: files of orders, an id, a user, a time and an amount each, as the crash tests over imports bring them.

export const mapping = {
  kind: 'events',
  zone: '+00:00',
  currency: 'CNY',
  columns: {},
  key: '[id]',
  identifiers: [{ type: 'user_id', value: '[user]' }],
  properties: { order_id: '[id]', revenue: { expression: '[amount]', type: 'money' } },
  events: [{ event: 'Order Paid', time: '[time]' }],
};

/** A corrected file has twice the amount in every tenth order. */
export const amount = (i, corrected) => (corrected && i % 10 === 0 ? 2 : 1);
