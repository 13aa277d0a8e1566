// SPDX-License-Identifier: Apache-2.0
// S1 in the browser: an order on Tmall, a visit in the mini-program, a contact on WeCom and a receipt from a store turn
// out to be one person. She is found by each of her identifiers, has one OneID and one timeline; a wrong merge is
// taken back from her page and both have their own again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { appid, corp, did, known, paid, phone, tmallApp } from '../s1/support.mjs';
import { Place, choose, counted, missingConsole, until } from './support.mjs';

let place;
before(async () => {
  if (!missingConsole) place = await Place.open();
});
after(() => place?.close());

const tmall = ['tmall_open_uid', 'AAxiaoyu', tmallApp];
const openid = ['wx_openid', 'oXiaoyu', appid];
const unionid = ['wx_unionid', 'uXiaoyu'];
const contact = ['wecom_external_userid', 'wmXiaoyu', corp];
const card = ['member_card', 'MC-xiaoyu'];
const mobile = phone(50_000_001);

async function tellHerStory() {
  await place.house.tell([
    paid('tmall', [tmall], 'T-618', 399),
    did('mp_server', 'Product Viewed', [openid, unionid], { name: '舒缓修护精华 30ml', price: 399, currency: 'CNY' }),
    did('wecom', 'Contact Added', [contact, unionid], { state: 'card-in-parcel' }),
    known('store', [card], { phone: mobile, name: '王小雨', city: '上海' }),
    paid('store', [card], 'S-77', 188.5),
    known('mp_server', [unionid], { phone: mobile }),
    known('crm', [tmall], { phone: mobile }),
  ]);
  await place.kith.settled();
}

/** Search on the page of all customers and open the one that is found; her OneID. */
async function findBy(visit, value) {
  await visit.go('/customers');
  await visit.page.getByRole('textbox', { name: '搜索客户' }).fill(value);
  const row = visit.page.locator('tbody tr.ant-table-row');
  await until(`one customer for ${value}`, async () => (await row.count()) === 1);
  await row.first().getByRole('link').first().click();
  await visit.page.waitForURL(/\/customers\/c_/);
  await visit.settled();
  return new URL(visit.page.url()).pathname.split('/')[2];
}

test('S1: three identifiers lead to one OneID and one timeline', { skip: missingConsole }, async () => {
  await tellHerStory();
  const visit = await place.enter();
  const found = [];
  for (const value of [mobile, card[1], tmall[1], mobile.slice(-4), contact[1]]) found.push(await findBy(visit, value));
  assert.equal(new Set(found).size, 1, `one customer for all of them: ${found}`);

  await visit.page.getByText('王小雨').first().waitFor();
  const timeline = visit.page.locator('.customer-main');
  for (const event of ['支付订单', '浏览商品', '添加企业微信好友']) await timeline.getByText(event).first().waitFor();
  await timeline.getByText('¥399.00').first().waitFor();
  await timeline.getByText('¥188.50').first().waitFor();
  /* one sum of orders: 399.00 + 188.50 */
  await visit.page.locator('.worth').getByText('¥587.50').waitFor();
  await visit.accessible('the customer page');

  /* the phone is masked until somebody with the right asks for it, and the audit knows */
  assert.equal(await visit.page.getByText(mobile).count(), 0);
  await visit.button('显示完整值').click();
  await visit.page.locator('.who-identifiers').getByText(mobile).waitFor();
  visit.clean();
  await visit.close();
});

test('S1: the timeline is narrowed by channel in the address, and an event opens in place', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const oneId = await findBy(visit, card[1]);
  await visit.page.getByRole('group', { name: '渠道' }).getByRole('button', { name: '企业微信' }).click();
  await visit.page.waitForURL(/channel=wecom/);
  await visit.page.locator('.timeline-item').filter({ hasText: '添加企业微信好友' }).waitFor();
  await counted(visit.page.locator('.timeline-item').filter({ hasText: '支付订单' }), 0);

  /* the address alone brings the same view back */
  await visit.go(`/customers/${oneId}?channel=wecom`);
  const item = visit.page.locator('.timeline-item').filter({ hasText: '添加企业微信好友' });
  await item.click();
  await visit.page.locator('.timeline-details').getByText('card-in-parcel').waitFor();
  visit.clean();
  await visit.close();
});

test('S1: the timeline is narrowed to dates of the calendar', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const who = ['member_card', 'MC-dates'];
  const at = (timestamp) => ({ timestamp });
  await place.house.tell([
    did('store', 'Store Visited', [who], { store_id: 'late' }, at('2026-06-18T15:59:59.999Z')),
    did('store', 'Store Visited', [who], { store_id: 'next' }, at('2026-06-18T16:00:00.000Z')),
    did('store', 'Store Visited', [who], { store_id: 'early' }, at('2026-06-17T16:00:00.000Z')),
    did('store', 'Store Visited', [who], { store_id: 'before' }, at('2026-06-17T15:59:59.999Z')),
  ]);
  await place.kith.settled();
  const oneId = await findBy(visit, who[1]);
  await visit.go(`/customers/${oneId}?from=2026-06-18&until=2026-06-18`);
  const items = visit.page.locator('.timeline-item');
  await visit.page.getByText('2026-06-18').first().waitFor({ state: 'attached' });
  await items.first().waitFor();
  const seen = (await place.kith.all(`/customers/${oneId}/events?from=2026-06-17T16:00:00Z&until=2026-06-18T16:00:00Z`)).map((event) => event.props.store_id);
  assert.deepEqual(seen.sort(), ['early', 'late']);
  assert.match(await visit.page.locator('.timeline-day h2').innerText(), /2 条/);
  visit.clean();
  await visit.close();
});

test('S1: a consent is written down, and customers are found by a trait', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  const who = ['member_card', 'MC-consent'];
  await place.house.tell([known('crm', [who], { name: '书意', city: '扬州' })]);
  await place.kith.settled();
  await visit.go('/customers?trait=city&value=' + encodeURIComponent('扬州'));
  await page.getByRole('link', { name: '书意' }).click();
  await visit.button('登记…').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('用途').fill('Marketing');
  await dialog.getByRole('button', { name: '登记', exact: true }).click();
  await dialog.getByText('小写字母开头', { exact: false }).waitFor();
  await dialog.getByText('请写明依据').waitFor();
  await dialog.getByLabel('用途').fill('marketing_sms');
  await dialog.getByText('撤回', { exact: true }).click();
  await dialog.getByLabel('依据').fill('paper form 118');
  await visit.accessible('the form of a consent');
  await dialog.getByRole('button', { name: '登记', exact: true }).click();
  await visit.text('已登记').waitFor();
  await page.getByText('营销短信 ✕').waitFor();
  const her = await place.house.who(who);
  const customer = await place.kith.get(`/customers/${her}`);
  assert.equal(customer.consent.marketing_sms.state, 'withdrawn');
  visit.clean();
  await visit.close();
});

test('S1: the identity graph shows every identifier and says why', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const oneId = await findBy(visit, card[1]);
  await visit.go(`/customers/${oneId}/graph`);
  const graph = visit.page.locator('.graph');
  for (const value of [tmall[1], unionid[1], openid[1], contact[1], card[1]]) await graph.getByText(value, { exact: true }).first().waitFor();
  assert.ok((await graph.locator('.react-flow__edge').count()) >= 6, 'lines between the cards');
  await graph.getByText(/同一事件/).first().waitFor();
  await visit.page.getByText('表', { exact: true }).click();
  await visit.page.locator('table').getByText(`会员卡 ${card[1]}`).first().waitFor();
  await visit.accessible('the identity graph');
  visit.clean();
  await visit.close();
});

test('S1: a wrong merge is taken back from the console', { skip: missingConsole }, async () => {
  const ann = ['tmall_open_uid', 'AAann', tmallApp];
  const bea = ['member_card', 'MC-bea'];
  const theirPhone = phone(50_000_002);
  const memberCentre = { anonymousId: 'a-screen-of-the-member-centre' };
  await place.house.tell([
    known('crm', [ann], { name: '安安', city: '杭州' }, memberCentre),
    paid('tmall', [ann], 'T-ann', 100),
    known('store', [bea], { name: '贝贝', phone: theirPhone }),
    paid('store', [bea], 'S-bea', 30),
    known('crm', [ann], { phone: theirPhone }, memberCentre),
  ]);
  await place.kith.settled();

  const visit = await place.enter();
  const together = await findBy(visit, ann[1]);
  assert.equal(await findBy(visit, bea[1]), together);
  await visit.page.locator('.worth').getByText('¥130.00').waitFor();

  await visit.go(`/customers/${together}/merges`);
  await visit.button('拆分…').click();
  const dialog = visit.page.getByRole('dialog');
  await dialog.getByText('拆分后会有两位客户').waitFor();
  await dialog.getByText('以后同样的证据不会再把他们自动合并', { exact: false }).waitFor();
  await visit.accessible('the question before a split');
  await dialog.getByRole('button', { name: '拆成两位客户' }).click();
  await visit.page.getByText('已拆分').waitFor();

  const [annAfter, beaAfter] = [await findBy(visit, ann[1]), await findBy(visit, bea[1])];
  assert.notEqual(annAfter, beaAfter);
  await visit.page.locator('.who-name').getByText('贝贝').waitFor();
  await visit.page.locator('.worth').getByText('¥30.00').waitFor();
  assert.equal(await visit.page.locator('.customer-main').getByText('T-ann').count(), 0, 'her timeline has no order of the other');

  /* the same evidence again is refused and comes up for review */
  await place.house.tell([known('crm', [ann], { phone: theirPhone }, memberCentre)]);
  await place.kith.settled();
  assert.notEqual(await place.house.who(ann), await place.house.who(bea));
  await visit.go('/identity/review?reason=separated');
  await visit.page.locator('.refusal').first().waitFor();
  await visit.accessible('the review');
  visit.clean();
  await visit.close();
});

test('S1: two customers are joined by hand, and the old OneID leads to the new one', { skip: missingConsole }, async () => {
  const [one, other] = [['member_card', 'MC-hand-1'], ['member_card', 'MC-hand-2']];
  await place.house.tell([known('store', [one], { name: '李一' }), known('crm', [['wx_unionid', 'uHand']], { name: '李二' }), known('store', [other], { name: '李三' })]);
  await place.kith.settled();
  const [a, b] = [await place.house.who(one), await place.house.who(['wx_unionid', 'uHand'])];
  const visit = await place.enter();
  await visit.go(`/customers/${a}/merges`);
  await visit.button('合并另一位客户…').click();
  const dialog = visit.page.getByRole('dialog');
  await dialog.getByPlaceholder('输入对方的标识、OneID 或姓名').fill('uHand');
  await dialog.getByText('李二').click();
  await dialog.getByRole('button', { name: '合并为一位客户' }).click();
  await visit.page.getByText('已合并').first().waitFor();
  const now = await place.house.who(one);
  assert.equal(await place.house.who(['wx_unionid', 'uHand']), now);
  const gone = now === a ? b : a;
  await visit.go(`/customers/${gone}`);
  await visit.page.getByText(`${gone} 已并入 ${now}`, { exact: false }).waitFor();
  visit.clean();
  await visit.close();
});

test('S1: an identifier is given by hand, and a wrong one taken off', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await place.house.tell([known('crm', [['user_id', 'u-by-hand'], ['member_card', 'MC-wrong']], { name: '手工先生' })]);
  await place.kith.settled();
  const her = await place.house.who(['user_id', 'u-by-hand']);
  await visit.go(`/customers/${her}`);
  await visit.button('手工添加标识').click();
  const dialog = page.getByRole('dialog');
  await choose(dialog, page, '标识类型', '手机号');
  await dialog.getByLabel('值', { exact: true }).fill(phone(50_000_777));
  await dialog.getByLabel('已经验证过').check();
  await dialog.getByLabel('原因').fill('工单 4711');
  await visit.accessible('the form of an identifier by hand');
  await dialog.getByRole('button', { name: /添\s*加/ }).click();
  await page.locator('.who-identifiers').getByText('154****0777').waitFor();
  assert.equal(await place.house.who(['mobile', phone(50_000_777)]), her);

  await page.getByRole('button', { name: /^移除.*MC-wrong/ }).click();
  await dialog.getByText('MC-wrong').waitFor();
  await dialog.getByLabel('原因').fill('工单 4712');
  await dialog.getByRole('button', { name: /移\s*除/ }).click();
  await counted(page.locator('.who-identifiers').getByText('MC-wrong'), 0);
  assert.notEqual(await place.house.who(['member_card', 'MC-wrong']), her);
  visit.clean();
  await visit.close();
});
