// SPDX-License-Identifier: Apache-2.0
// Wake the sleeping (S13), in the browser: by the rhythm of each, by the product and the child, by the car.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { known } from '../s1/support.mjs';
import { DAY, advance, did, here, inbox, isEndedSession, key, launch, now, paid, people, place, policy, say, set, take, touchSays, who } from './moments.mjs';
import { photograph, until } from './support.mjs';

test('S13: who sleeps by her own rhythm is woken: the weekly buyer after ten days, the monthly one after six weeks, and not before', here, async () => {
  await people('s13-weekly', 's13-monthly', 's13-once');
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/journeys?create=yes');
  await visit.button('用这个 空白旅程').click();
  await page.locator('[data-node="wait"]').waitFor();
  const journey = new URL(page.url()).pathname.split('/')[2];
  await page.getByRole('tab', { name: 'JSON' }).click();
  await page.getByRole('textbox', { name: 'JSON' }).fill(JSON.stringify({
    name: '按各自的节奏唤醒', trigger: { type: 'event', event: 'Order Paid' }, start: 'knows', nodes: {
      knows: { type: 'branch', cases: [{ value: 'summary.orders', gte: 2, next: 'late' }], otherwise: null },
      late: { type: 'wait', date: 'summary.late_at', restart_on: { event: 'Order Paid' }, next: 'wake' },
      wake: { type: 'send', channel: 'sms', template: 'wake' } } }));
  await page.getByRole('tab', { name: '画布' }).click();
  await page.locator('[data-node="wake"]').waitFor();
  await visit.accessible('a journey by the rhythm of each');
  await photograph(visit, 's13-canvas');
  await launch(visit, journey);
  const buysOn = { 's13-weekly': [0, 7, 14], 's13-monthly': [0, 28], 's13-once': [0] };
  for (let day = 0; day < 29; day++) {
    const orders = Object.entries(buysOn).filter(([, days]) => days.includes(day)).map(([user]) => paid(user, `${user}-${day}`, '10.00'));
    if (orders.length > 0) await say(...orders);
    if (orders.length > 0 || day === 28) await advance(day === 14 ? 14 * DAY : day === 28 ? DAY : 7 * DAY);
    if (day === 14) day = 27; // nobody buys in between
  }
  const woken = async () => Promise.all(Object.keys(buysOn).map(async (user) => (await inbox(user, 'SMS_WAKE')).length));
  assert.deepEqual(await woken(), [1, 0, 0], 'weekly: half as late again as she usually is');
  await place.signIn(visit);
  await visit.go(`/journeys/${journey}`);
  await page.waitForFunction(() => /1\s*等待中/.test(document.querySelector('[data-node="late"]')?.textContent));
  await visit.go(`/journeys/${journey}/explain?who=${await who('s13-monthly')}`);
  await page.locator('main').getByText(/late/).first().waitFor();
  await advance(40 * DAY);
  assert.deepEqual(await woken(), [1, 0, 0], 'not before her own time');
  await advance(4 * DAY);
  assert.deepEqual(await woken(), [1, 1, 0]);
  await place.signIn(visit);
  await touchSays(visit, 's13-monthly', '已送达');
  visit.clean(isEndedSession);
  await visit.close();
});

test('S13: by the product and by the child: a week before what she bought runs out, and in the month in which the child grows out of its size', here, async () => {
  await place.kith.put('/policy', { ...policy, quiet_hours: [] });
  await people('s13-bottle', 's13-again', 's13-child');
  await say(known('crm', [key('s13-child')], { child_birthday: new Date(now - 170 * DAY).toISOString() }, { userId: 's13-child' }));
  await say(paid('nobody', 'S13-0', '1.00', { product_id: 'P5', runs_out_at: new Date(now).toISOString() }));
  const visit = await place.enter();
  const { page } = visit;
  await take(visit, '补货提醒', 'replenishment');
  await page.getByRole('tab', { name: 'JSON' }).click();
  const json = page.getByRole('textbox', { name: 'JSON' });
  const definition = JSON.parse(await json.inputValue());
  for (const [id, node] of Object.entries(definition.nodes)) if (node.type === 'send' || node.type === 'coupon') definition.nodes[id] = { type: 'send', channel: 'sms', template: 'wake', ...(node.next && { next: node.next }) };
  await json.fill(JSON.stringify(definition));
  await page.getByRole('tab', { name: '画布' }).click();
  await launch(visit, 'replenishment');

  /* the child: a wait for a date of hers, with the days after it, and what a late one does chosen from a list */
  await visit.go('/journeys?create=yes');
  await visit.button('用这个 空白旅程').click();
  await page.locator('[data-node="wait"]').waitFor();
  const journey = new URL(page.url()).pathname.split('/')[2];
  await page.getByRole('tab', { name: 'JSON' }).click();
  await page.getByRole('textbox', { name: 'JSON' }).fill(JSON.stringify({
    name: '满六个月换段', trigger: { type: 'event', event: 'Product Viewed' }, start: 'grows', nodes: {
      grows: { type: 'wait', date: 'customer.child_birthday', offset: '180d', late: 'again', next: 'tell' }, tell: { type: 'send', channel: 'sms', template: 'wake' } } }));
  await page.getByRole('tab', { name: '画布' }).click();
  await page.locator('[data-node="tell"]').waitFor();
  await set(visit, 'grows', { 迟到时: '跳过下一条消息' });
  await launch(visit, journey);
  assert.equal((await place.kith.get(`/journeys/${journey}`)).journey.nodes.grows.late, 'skip');

  const runsOut = new Date(now + 30 * DAY).toISOString();
  await say(paid('s13-bottle', 'S13-1', '60.00', { product_id: 'P5', runs_out_at: runsOut }), paid('s13-again', 'S13-2', '60.00', { product_id: 'P5', runs_out_at: runsOut }), did('s13-child', 'Product Viewed', { product_id: 'P6' }));
  const told = async () => Promise.all(['s13-bottle', 's13-again', 's13-child'].map(async (user) => (await inbox(user, 'SMS_WAKE')).length));
  await advance(9 * DAY);
  assert.deepEqual(await told(), [0, 0, 0]);
  await advance(2 * DAY);
  assert.deepEqual(await told(), [0, 0, 1], 'the child is six months old');
  await say(paid('s13-again', 'S13-3', '60.00', { product_id: 'P5' })); // she has bought it again
  await advance(13 * DAY);
  assert.deepEqual(await told(), [1, 0, 1], 'a week before it runs out, and not who has a new one');
  await place.signIn(visit);
  await touchSays(visit, 's13-bottle', '已送达');
  await place.kith.put('/policy', policy);
  visit.clean(isEndedSession);
  await visit.close();
});

test('S13: by the car: a kind of objects that the brand defines tells the rhythm, half a year or a whole one after the service, unless she comes before', here, async () => {
  await place.kith.put('/policy', { ...policy, quiet_hours: [] });
  await people('s13-petrol', 's13-electric', 's13-early');
  const visit = await place.enter();
  const { page } = visit;

  /* the brand says what a car is */
  await visit.go('/data/objects');
  await visit.button('新建种类').click();
  const drawer = page.getByRole('dialog');
  await drawer.locator('#kind-key').fill('car');
  await drawer.locator('#kind-name').fill('车');
  await drawer.getByRole('textbox', { name: '字段名' }).fill('energy');
  await page.keyboard.press('Enter');
  await drawer.getByRole('textbox', { name: /^energy / }).fill('动力');
  await visit.accessible('a kind that the brand defines');
  await drawer.getByRole('button', { name: /^保\s?存$/ }).click();
  await until('there are cars', async () => (await place.kith.get('/object-kinds')).items.some((one) => one.kind === 'car'));
  for (const [id, energy] of Object.entries({ 'C-1': 'petrol', 'C-2': 'electric', 'C-3': 'petrol' })) await place.kith.put(`/objects/car/${id}`, { props: { energy } });
  const serviced = (user, car) => did(user, 'Car Serviced', { car_id: car });
  await say(serviced('nobody', 'C-1'));

  /* whoever drives one with petrol comes twice a year, the others once */
  const petrol = { event: 'Car Serviced', where: [{ object: 'car', via: 'car_id', rule: [{ prop: 'energy', eq: 'petrol' }] }] };
  await visit.go('/journeys?create=yes');
  await visit.button('用这个 空白旅程').click();
  await page.locator('[data-node="wait"]').waitFor();
  const journey = new URL(page.url()).pathname.split('/')[2];
  await page.getByRole('tab', { name: 'JSON' }).click();
  await page.getByRole('textbox', { name: 'JSON' }).fill(JSON.stringify({
    name: '按车保养', trigger: { type: 'event', event: 'Car Serviced' }, start: 'drives', nodes: {
      drives: { type: 'branch', name: '开什么车', cases: [{ rule: petrol, next: 'half' }], otherwise: 'year' },
      half: { type: 'wait', name: '半年', for: '180d', restart_on: { event: 'Car Serviced' }, next: 'tell' },
      year: { type: 'wait', name: '一年', for: '360d', restart_on: { event: 'Car Serviced' }, next: 'tell' },
      tell: { type: 'send', channel: 'sms', template: 'wake' } } }));
  await page.getByRole('tab', { name: '画布' }).click();
  await page.locator('[data-node="year"]').waitFor();
  await photograph(visit, 's13-car');
  await launch(visit, journey);
  await say(serviced('s13-petrol', 'C-1'), serviced('s13-electric', 'C-2'), serviced('s13-early', 'C-3'));
  const told = async () => Promise.all(['s13-petrol', 's13-electric', 's13-early'].map(async (user) => (await inbox(user, 'SMS_WAKE')).length));
  await until('three wait', async () => (await place.kith.get(`/journeys/${journey}`)).inside === 3);

  await advance(100 * DAY);
  await say(serviced('s13-early', 'C-3')); // she came of her own accord
  await advance(79 * DAY);
  assert.deepEqual(await told(), [0, 0, 0], 'not before half a year');
  await advance(2 * DAY);
  assert.deepEqual(await told(), [1, 0, 0], 'petrol, half a year; who was here in between is not due');

  /* where they stand is said by the names of the steps */
  await place.signIn(visit);
  await visit.go(`/customers/${await who('s13-electric')}/journeys`);
  await page.locator('.customer-main tr').filter({ hasText: '按车保养' }).getByText('一年', { exact: true }).waitFor();
  await touchSays(visit, 's13-petrol', '已送达');
  await advance(100 * DAY);
  assert.deepEqual(await told(), [1, 0, 1], 'half a year after she came');
  await advance(80 * DAY);
  assert.deepEqual(await told(), [1, 1, 1], 'the electric one after a year');
  await place.kith.put('/policy', policy);
  visit.clean(isEndedSession);
  await visit.close();
});
