// SPDX-License-Identifier: Apache-2.0
// Data in the browser: a source is made and its code works; events show live with what became of them; what does not
// fit is mended and replayed; an identity rule says first what it would do.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { did, known, phone } from '../s1/support.mjs';
import { fill, productId, productName, size, storeId } from './crowd.mjs';
import { Place, choose, missingConsole, photograph, until } from './support.mjs';

let place;
before(async () => {
  if (!missingConsole) place = await Place.open();
});
after(() => place?.close());

test('a source is made in the console; its key is shown once, and its code works as pasted', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/data/sources');
  await visit.button('新建数据源').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('名称').fill('Loyalty 会员');
  assert.equal(await dialog.getByLabel('代号').inputValue(), 'loyalty');
  await visit.accessible('the form of a new source');
  await dialog.getByRole('button', { name: '创建' }).click();
  const key = await page.locator('.secret').innerText();
  assert.match(key, /^\w{20,}$/);
  await page.getByRole('button', { name: '我已保存' }).click();
  await page.waitForURL(/\/data\/sources\/loyalty$/);
  await visit.text('等待第一条事件…').waitFor();
  assert.equal(await page.getByText(key).count(), 0, 'the key of a server source is not shown again');

  /* the curl that stands there, with the key in its place, run as it is */
  await page.getByRole('tab', { name: 'curl' }).click();
  const code = (await page.getByRole('tabpanel').locator('pre').last().innerText()).replaceAll('<WRITE_KEY>', key);
  const { execFileSync } = await import('node:child_process');
  const answer = execFileSync('bash', ['-c', code], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  assert.match(answer, /"success":\s*true/);
  await visit.text('已收到事件').waitFor();
  visit.clean();
  await visit.close();
});

test('live events show by themselves, with what became of them and why', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/data/live');
  const list = page.getByRole('listbox', { name: '最近的事件' });
  const [source, item] = did('crm', 'Live Probe', [['user_id', 'u-live']], { colour: 'jade' });
  await place.house.tell([[source, item]]);
  await list.getByRole('option', { name: /Live Probe/ }).filter({ hasText: '已入库' }).waitFor();
  await list.getByRole('option', { name: /Live Probe/ }).click();
  const detail = page.locator('.live-detail');
  await detail.getByText('"jade"').waitFor();
  await detail.getByText('新认识的客户').waitFor();
  await detail.getByText(await place.house.who(['user_id', 'u-live'])).first().waitFor();

  /* the same message again counts once, and is said to */
  await place.house.tell([[source, item]]);
  await list.getByRole('option', { name: /Live Probe/ }).filter({ hasText: '重复，已忽略' }).waitFor();
  await visit.accessible('live events');

  /* paused, the list stands still and counts what waits */
  await visit.button('暂停').click();
  await place.house.tell([did('crm', 'While Paused', [['user_id', 'u-live']])]);
  await page.getByRole('button', { name: /继续，有 1 条新事件/ }).waitFor();
  assert.equal(await list.getByRole('option', { name: /While Paused/ }).count(), 0);
  await page.getByRole('button', { name: /继续/ }).click();
  await list.getByRole('option', { name: /While Paused/ }).waitFor();

  /* a filter is in the address */
  await page.getByRole('group', { name: '结果' }).getByRole('button', { name: '重复，已忽略' }).click();
  await page.waitForURL(/outcome=duplicate/);
  await until('only duplicates', async () => (await list.getByRole('option').count()) >= 1 && (await list.getByText('已入库').count()) === 0);
  visit.clean();
  await visit.close();
});

test('without streams the live list goes on by asking', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  await visit.page.route('**/events/live/stream*', (route) => route.abort());
  await visit.go('/data/live');
  await visit.text('每 2 秒刷新').waitFor();
  await place.house.tell([did('crm', 'By Asking', [['user_id', 'u-live']])]);
  await visit.page.getByRole('option', { name: /By Asking/ }).waitFor();
  visit.clean((fault) => /ERR_FAILED|live\/stream/.test(fault));
  await visit.close();
});

test('what does not fit the plan is mended and replayed', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  /* the plan says, in the console, that a property is required */
  await place.house.tell([did('crm', 'Tea Tasted', [['user_id', 'u-tea']], { tea: 'longjing' })]);
  await place.kith.settled();
  await visit.go('/data/plan?edit=Tea+Tasted');
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('checkbox', { name: 'tea 必填' }).check();
  await visit.accessible('the editor of the plan');
  await drawer.getByRole('button', { name: '保存' }).click();
  await visit.text('已保存，新事件立即按它检查').waitFor();

  await place.house.tell([did('crm', 'Tea Tasted', [['user_id', 'u-tea']], { cup: 1 }), did('crm', 'Tea Tasted', [['user_id', 'u-tea']], { cup: 2 })]);
  await place.kith.settled();
  await visit.go('/data/quarantine');
  await page.getByRole('button', { name: '缺少必填属性' }).waitFor();
  await page.locator('tr').filter({ hasText: '全部重放' }).getByText('2', { exact: true }).waitFor();
  await page.getByRole('button', { name: /^查看 / }).first().click();
  await page.getByRole('dialog').getByText('"cup"').waitFor();
  await visit.accessible('an event in quarantine');

  /* mend the plan from there, and replay both */
  await page.getByRole('dialog').getByRole('button', { name: '去改埋点方案' }).click();
  await page.getByRole('checkbox', { name: 'tea 必填' }).uncheck();
  await page.getByRole('dialog').getByRole('button', { name: '保存' }).click();
  await visit.text('已保存，新事件立即按它检查').waitFor();
  await visit.go('/data/quarantine');
  await visit.button('全部重放').click();
  await page.getByRole('dialog').getByText('2 条事件会按现在的埋点方案重新检查', { exact: false }).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: '重放' }).click();
  await visit.text('已重放 2 条').waitFor();
  await place.kith.settled();
  const her = await place.house.who(['user_id', 'u-tea']);
  assert.equal((await place.kith.timeline(her)).filter((event) => event.type === 'Tea Tasted').length, 3);
  visit.clean();
  await visit.close();
});

test('an event in quarantine is corrected in the console, and its original stays out', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  const key = ['user_id', 'u-jasmine'];
  await place.house.tell([did('crm', 'Jasmine Picked', [key], { grams: 12 })]);
  await place.kith.settled();
  await place.kith.put('/plan/events/Jasmine Picked', { properties: [{ name: 'grams', type: 'int', required: true }] });
  await place.house.tell([did('crm', 'Jasmine Picked', [key], { gramms: 30, note: 'wet' })]);
  await place.kith.settled();
  await visit.go('/data/quarantine?type=Jasmine+Picked');
  await page.getByRole('button', { name: /^查看 / }).first().click();
  await page.getByRole('dialog').getByText('"gramms"').waitFor();
  /* what closes keeps its name until it is gone: on a slow machine somebody, or axe, meets it on its way */
  await page.evaluate(() => {
    window.nameless = [];
    const look = () => {
      for (const one of document.querySelectorAll('[role="dialog"]')) {
        const name = one.getAttribute('aria-label') || document.getElementById(one.getAttribute('aria-labelledby'))?.innerText || '';
        if (name.trim() === '') window.nameless.push(one.className);
      }
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await page.getByRole('dialog').getByRole('button', { name: '改正后重放…' }).click();
  const dialog = page.getByRole('dialog').filter({ hasText: '改正并重放' });
  await dialog.getByText('还没有改动').first().waitFor({ state: 'attached' });
  await dialog.getByLabel('gramms 的名称').fill('grams');
  await dialog.getByLabel('note 的取值').fill('dry');
  assert.deepEqual(await page.evaluate(() => window.nameless), [], 'a drawer that closes lost its name');
  await visit.accessible('the correction of an event');
  await dialog.getByRole('button', { name: '改正并重放' }).click();
  await visit.text('已改正并重放 1 条').waitFor();
  await place.kith.settled();
  const her = await place.house.who(key);
  const picked = (await place.kith.timeline(her)).filter((event) => event.type === 'Jasmine Picked');
  assert.deepEqual(picked.map((event) => event.props).sort((a, b) => a.grams - b.grams), [{ grams: 12 }, { grams: 30, note: 'dry' }]);
  visit.clean();
  await visit.close();
});

test('an identity rule says first whom it would touch, then does it', { skip: missingConsole }, async () => {
  /* one phone, two members: the card of the second is refused, since a customer holds one */
  const shared = phone(70_000_001);
  await place.house.tell([known('store', [['member_card', 'MC-rule-1']], { phone: shared }), known('store', [['member_card', 'MC-rule-2']], { phone: shared })]);
  await place.kith.settled();
  const cards = [['member_card', 'MC-rule-1'], ['member_card', 'MC-rule-2']];
  assert.notEqual(await place.house.who(cards[0]), await place.house.who(cards[1]));

  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/identity/rules');
  await page.getByRole('button', { name: '修改 member_card' }).click();
  const drawer = page.getByRole('dialog').first();
  assert.equal(await drawer.getByRole('button', { name: /保存规则/ }).getAttribute('aria-disabled'), 'true', 'nothing is saved unseen');
  await drawer.getByLabel('每位客户最多').fill('2');
  await drawer.getByText('每人最多 2 个，超出则拒绝', { exact: false }).waitFor();
  await drawer.getByRole('button', { name: '先看会怎样' }).click();
  await drawer.getByText('1 对').first().waitFor();
  await visit.accessible('what a rule would do');
  await drawer.getByRole('button', { name: /保存规则/ }).click();
  await page.getByText('要让已有客户也按新规则来吗？').waitFor();
  await page.getByRole('button', { name: '应用到已有客户' }).click();
  await page.getByText(/已应用：合并 1 对/).waitFor();
  assert.equal(await place.house.who(cards[0]), await place.house.who(cards[1]));
  visit.clean();
  await visit.close();
});

test('a feed from Kafka is made, says that nobody is there, is paused and deleted', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/data/feeds');
  await visit.text('还没有 Kafka 接入').waitFor();
  await visit.button('新建接入').click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('代号').fill('orders');
  const save = drawer.getByRole('button', { name: /保存并试连/ });
  assert.equal(await save.getAttribute('aria-disabled'), 'true', 'an address is missing');
  await drawer.getByLabel('Kafka 地址').fill('127.0.0.1:1');
  await page.keyboard.press('Enter');
  await drawer.getByLabel('主题').fill('orders');
  await page.keyboard.press('Enter');
  await choose(drawer, page, '算作哪个数据源', 'crm');
  await visit.accessible('the form of a feed');
  await drawer.getByRole('button', { name: /保存并试连/ }).click();
  await page.waitForURL(/feed=orders/);
  await drawer.getByText('连不上', { exact: true }).waitFor();
  await drawer.getByRole('button', { name: 'Close' }).or(drawer.getByRole('button', { name: '关闭' })).first().click();
  await visit.button('暂停 orders').click();
  await visit.button('继续 orders').waitFor();
  assert.equal((await place.kith.get('/feeds/orders')).paused, true);
  await page.getByRole('button', { name: '修改 orders' }).click();
  await drawer.getByRole('button', { name: /^删\s*除$/ }).click();
  await page.getByRole('dialog').filter({ hasText: '删除接入「orders」？' }).getByRole('button', { name: /^删\s*除$/ }).click();
  await visit.text('还没有 Kafka 接入').waitFor();
  visit.clean();
  await visit.close();
});

test('what a customer agreed to stands on her page, and is withdrawn there with its proof', { skip: missingConsole }, async () => {
  const key = ['user_id', 'u-consent'];
  await place.house.tell([known('crm', [key], { name: '白露' })]);
  await place.kith.settled();
  const her = await place.house.who(key);
  await place.kith.put(`/customers/${her}/consent/marketing`, { granted: true, evidence: '会员协议', text_version: 'v3' });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go(`/customers/${her}/consents`);
  const row = page.getByRole('row').filter({ hasText: '营销触达' });
  await row.getByText('可以').first().waitFor();
  await page.getByText('v3').first().waitFor();
  await page.getByRole('button', { name: '撤回营销触达' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('依据').fill('电话里说的');
  await visit.accessible('withdrawing a consent');
  await dialog.getByRole('button', { name: '登记' }).click();
  await page.getByRole('row').filter({ hasText: '拒绝此用途' }).first().waitFor();
  await page.getByText('电话里说的').first().waitFor();
  assert.equal((await place.kith.get(`/customers/${her}/consents`)).current.marketing.state, 'withdrawn');
  visit.clean();
  await visit.close();
});

test('how long data is kept is counted before it is saved', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/settings/retention');
  await page.getByLabel('触达记录 保留天数').fill('5');
  await page.getByRole('button', { name: /试算/ }).and(page.locator('[aria-disabled="true"]')).waitFor();
  await page.getByLabel('触达记录 保留天数').fill('400');
  await page.getByRole('button', { name: /试算/ }).click();
  await visit.text('没有要删的').waitFor();
  await visit.accessible('retention');
  await page.getByRole('button', { name: /^保\s*存$/ }).first().click();
  await visit.text('已保存，下次任务按它执行').waitFor();
  assert.equal((await place.kith.get('/retention')).policy.touches, 400);
  visit.clean();
  await visit.close();
});

test('the sealing key is changed while everything goes on, and the old one ended once nothing needs it', { skip: missingConsole }, async () => {
  await place.house.tell([known('crm', [['user_id', 'sealed']], { name: '封存', phone: phone(70_000_001) }, { userId: 'sealed' })]);
  await place.kith.settled();
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/settings/keys');
  const row = (number) => page.getByRole('row').filter({ hasText: `密钥 ${number}` });
  await row(1).getByText('正在使用').waitFor();
  await visit.button('更换密钥').click();
  await page.getByRole('dialog').getByRole('button', { name: '更换密钥' }).click();
  await row(2).getByText('正在使用').waitFor();
  await row(1).getByText('只用来解旧数据').waitFor();
  await page.locator('.key-steps > li').first().waitFor();
  await until('all is sealed anew', async () => (await place.kith.get('/keys')).job.state === 'finished');
  await page.locator('.key-steps [data-step="done"]').nth(3).waitFor();
  await row(1).getByText('没有了').waitFor();
  await visit.accessible('keys');
  await photograph(visit, 'keys');
  /* she is found as before, and read by what is sealed anew */
  assert.equal((await place.kith.get(`/customers/by/mobile/${phone(70_000_001)}`)).traits.name, '封存');

  await visit.button('销毁 密钥 1').click();
  const sure = page.getByRole('dialog').filter({ hasText: '销毁密钥 1？' });
  assert.ok(await sure.getByRole('button', { name: /^销\s?毁$/ }).isDisabled(), 'not before it is said what becomes of old backups');
  await sure.getByRole('checkbox').check();
  await sure.getByRole('button', { name: /^销\s?毁$/ }).click();
  await row(1).getByText('已销毁').waitFor();
  await visit.go('/settings/audit?action=keys.');
  await page.getByRole('row').filter({ hasText: '更换加密密钥' }).waitFor();
  await page.getByRole('row').filter({ hasText: '销毁加密密钥' }).waitFor();
  visit.clean();
  await visit.close();
});

test('a kind of objects is deleted once there are none of it and nothing speaks of it', { skip: missingConsole }, async () => {
  await place.kith.put('/object-kinds/salon', { name: '体验店', properties: { city: { type: 'text', name: '城市' } } });
  await place.kith.put('/objects/salon/S1', { props: { city: '上海' } });
  const visit = await place.enter();
  const { page } = visit;
  const open = async () => {
    await visit.go('/data/objects?kind=salon&define=salon');
    return page.getByRole('dialog').getByRole('button', { name: /^删除这个种类/ });
  };
  const remove = await open();
  await remove.getByText('还有 1 个对象').waitFor({ state: 'attached' }); /* once they are counted */
  assert.equal(await remove.getAttribute('aria-disabled'), 'true');
  await place.kith.api('DELETE', '/objects/salon/S1');
  await until('there are none of it', async () => (await (await open()).getAttribute('aria-disabled')) === null);
  await visit.accessible('the definition of a kind');
  await (await open()).click();
  await page.getByRole('dialog').last().getByRole('button', { name: /^删\s?除$/ }).click();
  await visit.text('种类已删除').waitFor();
  await until('it is gone', async () => (await place.kith.get('/object-kinds')).items.every((one) => one.kind !== 'salon'));
  visit.clean();
  await visit.close();
});

test('who is here for the first time is shown around, from the keyboard, and asked once', { skip: missingConsole }, async () => {
  const visit = await place.enter({ isFirst: true });
  const { page } = visit;
  // asked where one lands, and not in the way of who goes to work
  await visit.go('/segments');
  await page.getByRole('button', { name: '什么是「人群」' }).waitFor();
  assert.equal(await page.getByRole('button', { name: '开始导览' }).count(), 0);
  await visit.go('/');
  await page.getByRole('button', { name: '开始导览' }).click();
  const card = page.getByRole('dialog', { name: /新手导览/ });
  await card.getByText('人都在这里').waitFor();
  await page.keyboard.press('ArrowRight');
  await card.getByText('圈人').first().waitFor();
  await visit.accessible('the tour');
  await page.keyboard.press('Escape');
  await card.waitFor({ state: 'detached' });
  await visit.go('/segments');
  await page.getByRole('button', { name: '什么是「人群」' }).click();
  await page.getByText('近 90 天支付 ≥ 2 次的上海会员', { exact: false }).waitFor();
  await visit.go('/');
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  assert.equal(await page.getByRole('button', { name: '开始导览' }).count(), 0, 'it asks once');
  visit.clean();
  await visit.close();
});

test('300 events, 500 tags, 800 groups, 5,000 products, 500 stores: lists and pickers find one among them', { skip: missingConsole }, async () => {
  await fill(place.kith);
  const visit = await place.enter();
  const { page } = visit;
  const [one, last] = [3, size.products - 1];
  await visit.go('/data/objects?kind=product');
  await page.getByRole('button', { name: /^商品/ }).and(page.locator('[aria-pressed="true"]')).waitFor();
  await page.getByLabel('搜索编号或内容').fill(`第 ${last} 款`);
  await page.getByRole('link', { name: productId(last) }).click();
  await page.getByRole('heading', { level: 1, name: productName(last) }).waitFor();
  await visit.accessible('a product');

  /* a store: who has to do with it, and the groups that are its own */
  await visit.walk(`/data/objects/store/${storeId(one)}`);
  await page.getByRole('link', { name: /福利群 3 ·/ }).waitFor();
  await page.getByRole('listitem').filter({ hasText: '客户属性 store' }).getByText('1', { exact: true }).waitFor();
  await visit.walk('/data/objects?kind=group&define=group');
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('name 显示为').fill('社群名');
  await visit.accessible('the definition of a kind');
  await drawer.getByRole('button', { name: '保存' }).click();
  await page.getByRole('columnheader', { name: '社群名' }).waitFor();

  /* the editor of rules: a product by its name, a tag among 500, an event among 300 */
  const rule = { all: [{ event: 'Campaign Interaction 001', where: [{ prop: 'product_id', eq: '' }] }] };
  await visit.go(`/new/segment?define=${encodeURIComponent(JSON.stringify({ rule }))}`);
  const value = page.getByRole('combobox', { name: 'product_id 取值' });
  await value.click();
  await value.fill(`第 ${last} 款`);
  await page.locator('.ant-select-item-option').filter({ hasText: productId(last) }).click();
  await until('the id of the product to be its value', async () => (await value.inputValue()) === productId(last));
  await choose(page, page, '行为', 'Campaign Interaction 299', { exact: true });
  await visit.fits('the editor of rules');
  await visit.accessible('the editor of rules among many names');
  await visit.walk('/tags');
  await visit.fits('500 tags');
  visit.clean();
  await visit.close();
});
