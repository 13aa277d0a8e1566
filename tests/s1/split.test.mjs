// SPDX-License-Identifier: Apache-2.0
// S1 A wrong merge is taken back: both have their own history, traits, identifiers and sums again, also of
// what came while they were one, and they stay apart.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Problem, missingBinary } from '../support/kith.mjs';
import { House, did, known, paid, phone, tmallApp } from './support.mjs';

let house;
before(async () => {
  if (!missingBinary) house = await House.open();
});
after(() => house?.close());

const tmall = ['tmall_open_uid', 'AAsplit', tmallApp];
const card = ['member_card', 'MC-split'];
const mobile = phone(40_000_001);

const picture = async (identifier) => {
  const customer = await house.kith.customerBy(identifier[0], identifier[1],
    identifier[2] === undefined ? undefined : identifier[2]);
  const timeline = await house.kith.timeline(customer.one_id);
  return {
    oneId: customer.one_id, traits: customer.traits, orders: customer.summary.orders, revenue: customer.summary.revenue,
    events: timeline.map((event) => event.props.order_id ?? event.type),
    // but for the door's own id, which Segment wants on each event
    identifiers: customer.identifiers.map((one) => one.type).filter((type) => type !== 'anonymous_id').sort(),
  };
};

test('S1: a split gives each her own back', { skip: missingBinary }, async () => {
  await house.tell([
    known('crm', [tmall], { city: '上海' }),
    paid('tmall', [tmall], 'T-1', 100),
    known('store', [card], { phone: mobile, city: '北京' }),
    paid('store', [card], 'S-1', 30),
  ]);
  const [annBefore, beaBefore] = [await picture(tmall), await picture(card)];
  assert.notEqual(annBefore.oneId, beaBefore.oneId);

  // the member centre binds the wrong phone: two become one
  const mistake = known('crm', [tmall], { phone: mobile });
  await house.tell([mistake]);
  const one = await picture(tmall);
  assert.equal((await picture(card)).oneId, one.oneId);
  assert.equal(one.revenue, 13000);
  assert.equal(one.orders, 2);

  // life goes on meanwhile
  await house.tell([
    paid('tmall', [tmall], 'T-2', 7),
    paid('store', [card], 'S-2', 9),
    did('store', 'Order Refunded', [card], { order_id: 'S-1', total: 30, currency: 'CNY' }),
  ]);
  assert.equal((await picture(tmall)).revenue, 10000 + 700 + 900);

  const { items: merges } = await house.kith.get(`/customers/${one.oneId}/merges`);
  assert.equal(merges.length, 1);
  assert.equal(merges[0].undone_at ?? null, null);
  const split = await house.kith.post(`/customers/${one.oneId}/split`, { merge_id: merges[0].id });
  assert.deepEqual(
    [split.customer.one_id, split.other.one_id].sort(),
    [annBefore.oneId, beaBefore.oneId].sort(),
    'both are who they were',
  );

  const [ann, bea] = [await picture(tmall), await picture(card)];
  assert.equal(ann.oneId, annBefore.oneId);
  assert.equal(bea.oneId, beaBefore.oneId);
  assert.equal(ann.revenue, 10700);
  assert.equal(bea.revenue, 900);
  assert.equal(ann.orders, 2);
  assert.equal(bea.orders, 1, 'the refunded order counts no more');
  assert.equal(ann.traits.city, '上海');
  assert.equal(bea.traits.city, '北京');
  assert.ok(ann.events.includes('T-1') && ann.events.includes('T-2'));
  assert.ok(bea.events.includes('S-1') && bea.events.includes('S-2'));
  assert.ok(!ann.events.some((name) => name.startsWith('S-')), ann.events.join());
  assert.ok(!bea.events.some((name) => name.startsWith('T-')), bea.events.join());
  assert.deepEqual(bea.identifiers, ['member_card', 'mobile'], 'the phone is hers who brought it first');

  // the same evidence again does not join them, and is listed
  await house.tell([known('crm', [tmall], { phone: mobile })]);
  assert.notEqual((await picture(tmall)).oneId, (await picture(card)).oneId);
  const refusals = await house.kith.all('/identity/refusals');
  assert.ok(refusals.some((refusal) => refusal.reason === 'separated'), JSON.stringify(refusals));

  // what comes now goes to its own side
  await house.tell([paid('tmall', [tmall], 'T-3', 1)]);
  assert.equal((await picture(tmall)).revenue, 10800);
  assert.equal((await picture(card)).revenue, 900);
});

test('S1: a merge cannot be taken back twice, nor one of somebody else', { skip: missingBinary },
  async () => {
    const customer = await house.kith.customerBy(...tmall.slice(0, 2), tmallApp);
    const { items: merges } = await house.kith.get(`/customers/${customer.one_id}/merges`);
    const undone = merges.find((merge) => merge.undone_at);
    assert.ok(undone, 'the history of merges says that it was undone');
    const refused = (status) => (error) =>
      error instanceof Problem && status.includes(error.status) && Boolean(error.body.detail);
    await assert.rejects(
      house.kith.post(`/customers/${customer.one_id}/split`, { merge_id: undone.id }), refused([404, 409, 422]));
    await assert.rejects(
      house.kith.post(`/customers/${customer.one_id}/split`, { merge_id: 999999 }), refused([404, 422]));
  });
