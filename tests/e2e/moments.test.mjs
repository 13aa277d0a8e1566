// SPDX-License-Identifier: Apache-2.0
// Scenes in which time passes, in the browser: the skin file (S2), the moment of the order (S4), cart and no order (S6), what would happen (S22).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { known, phone } from '../s1/support.mjs';
import { DAY, HOUR, advance, advanceTo, define, did, here, inbox, isEndedSession, key, launch, now, paid, people, place, policy, quiet, say, set, take, touchSays, who } from './moments.mjs';
import { photograph, until } from './support.mjs';

test('S22: what would happen before it goes live: who enters, what goes on which day, what it costs, who is over a cap; afterwards beside what came', here, async () => {
  const buyers = Array.from({ length: 6 }, (_, n) => `s22-${n}`);
  await people(...buyers.slice(0, 5));
  await say(known('crm', [key('s22-5')], { name: 's22-5', phone: phone(80_009_999) }, { userId: 's22-5' })); // never agreed
  await place.kith.put('/policy', { ...policy, frequency: [{ name: '两天一条短信', per: 'channel', value: 'sms', max: 1, window: '2d', over: 'drop' }], budgets: [{ name: '短信月预算', per: 'month', amount: 1000, over: 'hold' }] });
  const orders = async (day) => {
    await say(...buyers.map((user) => paid(user, `S22-${day}-${user}`, '100.00')));
    await advance(HOUR);
    await say(did('s22-0', 'Order Refunded', { order_id: `S22-${day}-s22-0`, total: '100.00', currency: 'CNY' }));
    await advance(DAY - HOUR);
  };
  for (let day = 0; day < 3; day++) await orders(day);

  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/journeys?create=yes');
  await visit.button('用这个 空白旅程').click();
  await page.locator('[data-node="wait"]').waitFor();
  const journey = new URL(page.url()).pathname.split('/')[2];
  await page.getByRole('tab', { name: 'JSON' }).click();
  await page.getByRole('textbox', { name: 'JSON' }).fill(JSON.stringify({
    name: '付款后邀请', trigger: { type: 'event', event: 'Order Paid', key: 'order_id' }, exits: [{ name: '退款', event: 'Order Refunded', same: 'order_id' }], start: 'wait',
    nodes: { wait: { type: 'wait', for: '2h', next: 'text' }, text: { type: 'send', channel: 'sms', template: 'offer', next: 'call' }, call: { type: 'task', channel: 'call', template: 'talk', purpose: 'service' } },
  }));
  await page.getByRole('tab', { name: '预演' }).click();
  await page.getByRole('spinbutton', { name: '每天任务上限' }).fill('4');
  await visit.button('开始预演').click();
  const figure = (name) => page.locator('.figure').filter({ hasText: name });
  /* six buy on each of three days, one of them takes hers back each time; of the other five one never agreed, and four may have a text on the first and third day */
  await figure('进入').getByText('18', { exact: true }).waitFor();
  await figure('被拦截').getByText('7', { exact: true }).waitFor();
  await figure('费用').getByText('¥0.40').waitFor();
  await figure('顾问分钟').getByText('3 天超出人力').waitFor();
  const over = page.getByRole('row').filter({ hasText: '两天一条短信' });
  assert.match((await over.innerText()).replaceAll(/\s+/g, ' '), /超过疲劳度 两天一条短信 4 4/);
  await page.getByText(/短信月预算 · 已用 ¥0\.40 \/ ¥10\.00/).waitFor(); // what is left of the quota
  await page.locator('[data-node="text"]').click();
  await page.getByRole('row').filter({ hasText: '未同意' }).first().getByText('3', { exact: true }).waitFor();
  await visit.accessible('what would happen');
  await photograph(visit, 's22-what-if');
  /* day by day: at the end of the first, six have entered */
  await page.getByRole('slider', { name: '日期' }).focus();
  await page.keyboard.press('Home');
  await figure('进入').getByText('6', { exact: true }).waitFor();
  assert.equal((await place.kith.get('/touches?limit=1')).items.length, 0, 'nothing of it is real');

  await page.getByRole('tab', { name: '画布' }).click();
  await launch(visit, journey);
  await orders(3);
  await place.signIn(visit);
  await visit.go(`/journeys/${journey}/whatif`);
  await page.getByRole('combobox', { name: '过去' }).selectOption({ label: '上线以来' });
  await visit.button('开始预演').click();
  await page.waitForURL(/run=/);
  const beside = page.getByRole('row').filter({ hasText: '6 / 6' });
  await beside.first().waitFor();
  await photograph(visit, 's22-beside');
  /* a changed policy is tried on what went before it is saved */
  await visit.go('/policy');
  await page.getByRole('button', { name: '删除' }).or(page.getByRole('button', { name: /^去掉/ })).first().waitFor();
  await visit.button('加一条上限').click();
  await page.getByRole('button', { name: /^试\s?算$/ }).click();
  await page.locator('.policy-effect').waitFor();
  await visit.accessible('the trial of a policy');
  await photograph(visit, 's22-policy-trial');
  assert.equal((await place.kith.get('/policy')).frequency.length, 1, 'nothing is saved by it');
  await visit.button('放弃修改').click();
  await visit.go(`/journeys/${journey}`);
  await page.getByRole('button', { name: '停止…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: /^停\s?止$/ }).click();
  await until('it is stopped', async () => (await place.kith.get(`/journeys/${journey}`)).state === 'stopped');
  await place.kith.put('/policy', policy);
  visit.clean(isEndedSession);
  await visit.close();
});

test('S2: a skin test becomes a tag by a mapping that is looked at first; her file, what suits her, the group of her type or the next, or another way', here, async () => {
  const tested = (user, skin, at = now) => did(user, 'Skin Test Taken', { skin_type: skin, score: 61 }, at);
  await people('s2-dry', 's2-full', 's2-late');
  await say(tested('s2-dry', 'oily', now - DAY), did('nobody', 'Customer Group Joined', {}), did('nobody', 'Customer Group Full', {}));
  await place.kith.put('/objects/product/P2', { props: { name: '滋润面霜', skin_type: 'dry' } });
  await place.kith.put('/objects/product/P3', { props: { name: '控油乳', skin_type: 'oily' } });
  const visit = await place.enter();
  const { page } = visit;
  /* what the last test said is mapped to values of a tag; who gets one is seen before it is published */
  const said = (value) => ({ value, rule: { all: [{ event: 'Skin Test Taken', measure: 'last', of: 'skin_type', eq: value }] } });
  await define(visit, 'tag', { key: 'skin_type', name: '肤质', values: [said('dry'), said('oily')] }, '+1');
  await photograph(visit, 's2-mapping');

  /* the welcome, from the library: by text here, and to the next group where the first is full */
  await take(visit, '肌肤类型欢迎', 'skin_welcome');
  await page.getByRole('tab', { name: 'JSON' }).click();
  const json = page.getByRole('textbox', { name: 'JSON' });
  const definition = JSON.parse(await json.inputValue());
  const text = (template, next) => ({ type: 'send', channel: 'sms', template, ...(next && { next }) });
  Object.assign(definition.nodes, {
    invite: text('skin_group', 'full'), full: { type: 'wait_until', event: 'Customer Group Full', timeout: '1h', next: 'next', on_timeout: 'joins' }, next: text('skin_next', 'joins'), other: text('skin_file'),
  });
  await json.fill(JSON.stringify(definition));
  await page.getByRole('tab', { name: '画布' }).click();
  await page.locator('[data-node="next"]').waitFor();
  await photograph(visit, 's2-journey');
  await launch(visit, 'skin_welcome');

  await say(tested('s2-dry', 'dry'), tested('s2-full', 'oily'), tested('s2-late', 'oily'));
  await quiet();
  await say(did('s2-full', 'Customer Group Full', {})); // the group's answer to her
  await quiet();
  assert.match((await inbox('s2-dry', 'SMS_SKIN'))[0].content, /干皮/);
  assert.match((await inbox('s2-full', 'SMS_NEXT'))[0].content, /油皮/);
  assert.deepEqual(await inbox('s2-dry', 'SMS_NEXT'), []);

  /* her page: the tag at once, the file with its versions, and what suits her */
  await visit.go(`/customers/${await who('s2-dry')}/skin`);
  await page.locator('.customer-profile .belongs', { hasText: '肤质' }).getByText('干性').waitFor();
  const file = page.locator('.skin-file');
  await file.getByText('第 2 次').waitFor();
  await file.getByText('之前是 油性').waitFor();
  const goods = page.getByRole('region', { name: '适合她的商品' });
  await goods.getByRole('link', { name: '滋润面霜' }).waitFor();
  assert.equal(await goods.getByRole('link').count(), 1);
  await visit.accessible('a skin file');
  await photograph(visit, 's2-file');

  await advance(DAY);
  await say(did('s2-dry', 'Customer Group Joined', {}), did('s2-full', 'Customer Group Joined', {}));
  await advance(2 * DAY + 2 * HOUR);
  assert.deepEqual([(await inbox('s2-dry', 'SMS_FILE')).length, (await inbox('s2-full', 'SMS_FILE')).length, (await inbox('s2-late', 'SMS_FILE')).length], [0, 0, 1], 'who has not joined after three days goes another way');
  await place.signIn(visit);
  await visit.go(`/journeys/skin_welcome/explain?who=${await who('s2-late')}`);
  await page.locator('main').getByText(/other/).first().waitFor();
  visit.clean(isEndedSession);
  await visit.close();
});

test('S4: the moment of the order: tag, list and tier move with it and back, the invitation that waits is pulled', here, async () => {
  await say(did('nobody', 'Return Sale Listed', { sale: '618' }), paid('nobody', 'S4-0', '1.00'), did('nobody', 'Order Cancelled', { order_id: 'S4-0' }), did('nobody', 'Order Refunded', { order_id: 'S4-0' }));
  await people('s4-waits', 's4-gone');
  await say(did('s4-waits', 'Return Sale Listed', { sale: '618' }), did('s4-gone', 'Return Sale Listed', { sale: '618' }));
  const visit = await place.enter();
  const { page } = visit;
  const net = { event: 'Order Paid', net: true };
  await define(visit, 'segment', { key: 'return-618', name: '618 返场名单', rule: { all: [{ event: 'Return Sale Listed' }, { ...net, measure: 'count', eq: 0 }] } }, '+3');
  await define(visit, 'tag', { key: 'again', name: '复购', values: [{ value: '复购', rule: { ...net, measure: 'count', gte: 1 } }] }, '+5'); // five of S22 have bought
  await define(visit, 'tag', { key: 'tier', name: '等级', values: [{ value: '银卡', rule: { ...net, measure: 'sum', of: 'revenue', gte: 9900 } }] }, '+5');
  await take(visit, '下单时刻', 'order_moment');
  await set(visit, 'invite', { 渠道: 'sms', 形式: '' });
  await launch(visit, 'order_moment');
  await advanceTo(22); // nobody is written to at this hour: the invitation waits

  const stands = async (user, tags, listed) => {
    await visit.go(`/customers/${await who(user)}`);
    await page.locator('.customer-profile').waitFor();
    const belongs = await page.locator('.customer-profile .belongs a').allInnerTexts();
    assert.deepEqual(belongs.filter((name) => ['复购', '等级', '618 返场名单'].includes(name)), [...tags, ...(listed ? ['618 返场名单'] : [])], user);
    assert.equal(await page.locator('.worth strong').nth(1).innerText(), tags.length === 0 ? '0' : '1');
  };
  await place.signIn(visit);
  await stands('s4-waits', [], true);
  await say(paid('s4-waits', 'S4-1', '99.00'), did('s4-gone', 'Product Viewed', { product_id: 'P1' }));
  await stands('s4-waits', ['复购', '等级'], false);
  await touchSays(visit, 's4-waits', '暂缓');
  await photograph(visit, 's4-waits');
  await advance(10 * 60_000);
  await say(did('s4-waits', 'Order Cancelled', { order_id: 'S4-1' }));
  await place.signIn(visit);
  await stands('s4-waits', [], true);
  await touchSays(visit, 's4-waits', '未发');

  /* by day it goes at once; cancelled then, it stands among what should not have been sent */
  await advanceTo(10);
  await say(paid('s4-gone', 'S4-2', '99.00'), paid('nobody', 'S4-sample', '0'));
  await quiet();
  assert.equal((await inbox('s4-gone', 'SMS_FRIEND')).length, 1);
  await say(did('s4-gone', 'Order Cancelled', { order_id: 'S4-2' }));
  await place.signIn(visit);
  await visit.go('/touches?tab=corrections');
  await page.getByRole('row').filter({ hasText: '不该发却发了' }).filter({ hasText: await who('s4-gone') }).waitFor();
  await visit.accessible('what should not have been sent');
  assert.deepEqual(await inbox('s4-waits'), [], 'what was pulled never left');
  visit.clean(isEndedSession);
  await visit.close();
});

test('S6: viewed and in the cart, not ordered: next day at ten the coupon for that product, unless the order came, late or not, or it is sold out', here, async () => {
  await place.kith.put('/objects/product/P1', { props: { name: '修护精华', stock: 5 } });
  await place.kith.put('/objects/product/P9', { props: { name: '防晒乳', stock: 5 } });
  await until('the stock to be known', async () => (await place.kith.get('/rules/catalogue')).objects.find((one) => one.kind === 'product')?.properties.some((property) => property.name === 'stock'));
  await say(did('nobody', 'Product Added', { product_id: 'P0' }), paid('nobody', 'S6-0', '1.00', { product_id: 'P0' }));
  await people('s6-leaves', 's6-buys', 's6-late', 's6-gone');
  const visit = await place.enter();
  const { page } = visit;
  await take(visit, '加购未下单', 'cart');
  await set(visit, 'tell', { 渠道: 'sms' });
  /* no pool of coupons here: the text brings it. Only what is in stock: a branch before it, by a rule through the product */
  await page.locator('[data-node="coupon"]').click();
  await page.locator('.journey-card.open[data-node="coupon"]').waitFor();
  await visit.button('删除这一步').click();
  await page.locator('[data-node="coupon"]').waitFor({ state: 'detached' });
  await page.locator('[data-kind="branch"]').dragTo(page.locator('[data-node="hour"]'));
  await page.locator('.journey-card.open[data-node="branch"]').waitFor();
  const inspector = page.locator('.journey-inspector');
  await inspector.getByRole('button', { name: '规则: 写规则' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'JSON', exact: true }).click();
  await dialog.getByRole('textbox', { name: 'JSON' }).fill(JSON.stringify({ all: [{ event: 'Product Added', measure: 'count', gte: 1, last: '3d', where: [{ object: 'product', via: 'product_id', rule: { prop: 'stock', gte: 1 } }] }] }));
  await dialog.getByRole('button', { name: '条件', exact: true }).click();
  await dialog.locator('.rule-figure:not(.old)').waitFor();
  await dialog.getByRole('button', { name: '用这个规则' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await photograph(visit, 's6-branch');
  await launch(visit, 'cart');
  const { nodes } = (await place.kith.get('/journeys/cart')).journey;
  assert.deepEqual([nodes.hour.next, nodes.branch.cases[0].next, nodes.branch.otherwise ?? null], ['branch', 'tell', null]);

  await advanceTo(15);
  const start = now;
  await say(...['s6-leaves', 's6-buys', 's6-late'].map((user) => did(user, 'Product Added', { product_id: 'P1', channel: 'tmall' })), did('s6-gone', 'Product Added', { product_id: 'P9', channel: 'tmall' }));
  await advance(5 * HOUR);
  await say(paid('s6-buys', 'S6-1', '9.00', { product_id: 'P1' }));
  await advance(28 * HOUR);
  await place.kith.put('/objects/product/P9', { props: { name: '防晒乳', stock: 0 } }); // sold out in the night
  await say(did('s6-late', 'Order Paid', { order_id: 'S6-2', revenue: '9.00', total: '9.00', currency: 'CNY', product_id: 'P1' }, start + 3 * HOUR)); // told late
  await place.signIn(visit);
  await visit.go('/journeys/cart/report');
  assert.deepEqual(await inbox('s6-leaves'), [], 'not in the night');
  await advanceTo(10);
  const [message] = await inbox('s6-leaves', 'SMS_CART');
  assert.match(message.content, /P1.*tmall/, 'the product, and the shop where she looked');
  for (const user of ['s6-buys', 's6-late', 's6-gone']) assert.deepEqual(await inbox(user, 'SMS_CART'), [], user);

  await place.signIn(visit);
  await touchSays(visit, 's6-leaves', '已送达');
  /* why the others have none is said in a sentence */
  for (const [user, words] of [['s6-gone', /branch/], ['s6-late', /已下单|Order Paid|补到|没有/]]) {
    await visit.go(`/journeys/cart/explain?who=${await who(user)}`);
    await page.locator('main').getByText(words).first().waitFor();
  }
  await photograph(visit, 's6-why');
  visit.clean(isEndedSession);
  await visit.close();
});
