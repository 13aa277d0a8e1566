// SPDX-License-Identifier: Apache-2.0
// Segments in the browser: a rule is made by clicks and counts while it is made (S33), who enters and leaves is seen before it is
// saved, JSON both ways, undo, keyboard, links and drafts; stores instead of people (S5); overlap, profile, export, delete.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { did, known, paid, phone } from '../s1/support.mjs';
import { Place, addCondition, choose, counted, missingConsole, photograph, until } from './support.mjs';

let place;
const here = { skip: missingConsole };
const people = 24;
const one = (n) => ['user_id', `seg-${n}`];

/* Of 24 people every second one lives in 上海, every third has paid (the sixths twice); ten have a phone, five may be texted. */
async function fill() {
  const statements = [];
  for (let n = 0; n < people; n++) {
    statements.push(known('crm', [one(n)], { name: `客户${n}`, city: n % 2 === 0 ? '上海' : '杭州', ...(n < 10 ? { phone: phone(40_000_000 + n) } : {}) }));
    if (n % 3 === 0) statements.push(paid('crm', [one(n)], `SEG-${n}`, 100 + n));
    if (n % 6 === 0) statements.push(paid('crm', [one(n)], `SEG-${n}-b`, 50));
    if (n % 4 === 0) statements.push(did('crm', 'Store Visited', [one(n)], { store_id: n % 8 === 0 ? 's-low' : 's-good' }));
  }
  await place.house.tell(statements);
  await place.kith.settled();
  for (let n = 0; n < 5; n++) {
    const her = await place.house.who(one(n));
    await place.kith.put(`/customers/${her}/consent/sms`, { granted: true });
  }
}

before(async () => {
  if (missingConsole) return;
  place = await Place.open();
});
after(() => place?.close());

/** The total beside the rule, once it is of the rule as it stands. */
const total = (page) => page.locator('.rule-figure:not(.old)');
const counts = (visit, wanted) => until(`the rule to count ${wanted}`, async () => (await total(visit.page).count()) > 0 && (await total(visit.page).first().innerText()) === wanted);

test('empty: what a segment is, and the next step', here, async () => {
  const visit = await place.enter();
  for (const [path, says] of [['/segments', '还没有人群'], ['/overlap', '至少选两个人群']]) {
    await visit.go(path);
    await visit.text(says).waitFor();
    await visit.accessible(`${path}, empty`);
    await photograph(visit, `segments-empty${path.replace('/', '-')}`);
  }
  await fill();
  visit.clean();
  await visit.close();
});

test('S33: a rule made by clicks counts as it is made, each condition and each channel, and says why the rest cannot be reached', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/segments');
  await visit.button('新建人群').click();
  await page.getByLabel('名称').fill('上海买家');
  await counts(visit, String(people));
  await addCondition(page.locator('main'), page, '属性');
  const first = page.locator('.rule-row').first();
  await choose(first, page, '属性', '城市');
  await first.getByRole('combobox', { name: 'city 取值' }).fill('上海');
  await page.keyboard.press('Escape');
  await counts(visit, '12');

  await addCondition(page.locator('main'), page, '行为');
  const second = page.locator('.rule-row').nth(1);
  await choose(second, page, '行为', '支付订单');
  await counts(visit, '4');
  assert.equal(await first.locator('.rule-count-mark').innerText(), '12');
  assert.equal(await second.locator('.rule-count-mark').innerText(), '8');
  await visit.text('占全部').waitFor();
  /* 0, 6, 12, 18 live there and paid; of 0 and 6, who have a phone, 0 may be texted */
  const reach = page.locator('.rule-reach li', { hasText: '短信' });
  await until('one can be reached by text', async () => (await reach.locator('strong').innerText()) === '1');
  assert.match(await reach.innerText(), /没有标识 2 · 未同意 1/);
  await page.locator('.rule-people').getByText('客户').first().waitFor();
  await page.locator('.rule-sentence').getByText('支付订单').waitFor();
  assert.match((await page.locator('.rule-sentence').innerText()).replaceAll(/\s+/g, ' '), /读作 城市 等于 上海，且 近 90 天内 支付订单 .*发生过|读作 城市 等于 上海，且 近 90 天内 支付订单 次数 大于等于 1/);
  await visit.accessible('the rule editor');
  await visit.fits('the rule editor');
  await photograph(visit, 'segment-new-rule');

  /* who enters and leaves, before it is saved */
  await visit.button('看看谁进谁出').click();
  await page.locator('.change-figure.in dd').getByText('+4').waitFor();
  await visit.button('保存', true).click();
  await page.waitForURL(/\/segments\/segment-1$/);
  await page.getByRole('heading', { name: '上海买家' }).waitFor();
  const saved = await place.kith.get('/segments/segment-1');
  assert.equal(saved.count, 4);
  assert.deepEqual(saved.definition.rule, { all: [{ trait: 'city', eq: '上海' }, { event: 'Order Paid', last: '90d', gte: 1 }] });
  await counted(page.locator('.ant-table-row'), 4);
  await photograph(visit, 'segment-members');

  /* why she is in: condition by condition */
  await page.getByRole('button', { name: '为什么' }).first().click();
  await page.getByRole('dialog').locator('.explained-line').nth(1).waitFor();
  await visit.accessible('why somebody is in');
  await photograph(visit, 'segment-why');
  visit.clean();
  await visit.close();
});

test('groups, not, keyboard, undo: the rule is what the hands did', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  const rule = async () => JSON.parse(await jsonOf(page));
  await visit.go(`/new/segment?define=${encodeURIComponent(JSON.stringify({ name: '试', key: 'try', rule: { all: [{ trait: 'city', eq: '上海' }, { event: 'Order Paid', last: '90d' }, { any: [{ has: 'mobile' }] }] } }))}`);
  await counts(visit, '2');

  /* Alt and arrows move the row whose handle has the focus, and it keeps it */
  await page.locator('[data-handle]').first().focus();
  await page.keyboard.press('Alt+ArrowDown');
  assert.deepEqual(Object.keys((await rule()).all[0])[0], 'event');
  await page.locator('[data-handle]').nth(1).focus();
  await page.keyboard.press('Alt+ArrowDown');
  await page.keyboard.press('Alt+ArrowUp');
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z');
  assert.deepEqual((await rule()).all.map((part) => Object.keys(part)[0]), ['trait', 'event', 'any']);

  /* not, by the menu of the row */
  await page.locator('.rule-row').first().getByRole('button', { name: '更多操作' }).first().click();
  await page.getByRole('menuitem', { name: '取反' }).click();
  await page.locator('.rule-not').waitFor();
  assert.deepEqual((await rule()).all[0], { not: { trait: 'city', eq: '上海' } });
  await counts(visit, '2');

  /* dragged into the group below */
  const handle = page.locator('.rule-slot > .rule-row').first().locator('[data-handle]').first();
  await handle.dragTo(page.locator('.rule-group.any .rule-slot').first(), { targetPosition: { x: 60, y: 4 } });
  await until('it lies in the group', async () => (await rule()).all.length === 2);
  assert.deepEqual((await rule()).all[1], { any: [{ not: { trait: 'city', eq: '上海' } }, { has: 'mobile' }] });
  await page.getByRole('button', { name: '撤销' }).click();
  assert.equal((await rule()).all.length, 3);
  await page.getByRole('button', { name: '重做' }).click();
  assert.equal((await rule()).all.length, 2);
  await visit.accessible('nested groups');
  await photograph(visit, 'segment-groups');
  visit.clean();
  await visit.close();
});

/** The rule as the editor's JSON says it. */
async function jsonOf(page) {
  await page.getByRole('button', { name: 'JSON', exact: true }).click();
  const text = await page.getByRole('textbox', { name: 'JSON' }).inputValue();
  await page.getByRole('button', { name: '条件', exact: true }).click();
  return text;
}

test('JSON both ways; what the server refuses stands at its row', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/new/segment');
  await page.getByRole('button', { name: 'JSON', exact: true }).click();
  const area = page.getByRole('textbox', { name: 'JSON' });
  await area.fill('{"all": [{"trait": "city"');
  await page.getByRole('alert').getByText('JSON 不合语法').waitFor();
  await area.fill(JSON.stringify({ all: [{ sequence: [{ event: 'Order Paid' }, { event: 'Order Refunded', same: 'order_id', absent: true }], within: '30d', last: '90d' }, { any: [{ trait: 'citty', eq: 'x' }] }] }));
  await page.getByRole('button', { name: '条件', exact: true }).click();
  await page.locator('.rule-step').nth(1).waitFor();
  const wrong = page.locator('.rule-row.wrong .rule-problem').first();
  await wrong.waitFor();
  assert.match(await wrong.innerText(), /citty.*city/s);
  await photograph(visit, 'segment-refused');
  await page.locator('.rule-row.wrong').last().getByRole('button', { name: '更多操作' }).last().click();
  await page.getByRole('menuitem', { name: '删除' }).click();
  await until('nothing is wrong any more', async () => (await page.locator('.rule-problem').count()) === 0);
  await visit.accessible('a sequence as a strip');
  await photograph(visit, 'segment-sequence');
  visit.clean((fault) => /422/.test(fault));
  await visit.close();
});

test('a draft is kept over a reload, and can be discarded', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/segments/segment-1/edit');
  await page.getByLabel('名称').fill('上海的买家');
  await visit.text('草稿已自动保存').waitFor();
  await until('the draft is kept', () => page.evaluate(() => (localStorage.getItem('kith.draft.segments.segment-1') ?? '').includes('上海的买家')));
  await page.reload();
  await visit.text('恢复了你上次没保存的草稿').waitFor();
  assert.equal(await page.getByLabel('名称').inputValue(), '上海的买家');
  await visit.button('丢弃草稿').click();
  assert.equal(await page.getByLabel('名称').inputValue(), '上海买家');
  visit.clean();
  await visit.close();
});

test('S5: products, stores and customers in one rule; or the stores instead of the people', here, async () => {
  await place.kith.put('/object-kinds/store', { name: '门店', properties: { city: { type: 'text' }, level: { type: 'text' } } });
  await place.kith.put('/objects/store/s-low', { props: { city: '上海', level: 'low' } });
  await place.kith.put('/objects/store/s-good', { props: { city: '杭州', level: 'good' } });
  await place.kith.settled();
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/new/segment');
  await addCondition(page.locator('main'), page, '行为');
  const row = page.locator('.rule-row').first();
  await choose(row, page, '行为', '到店');
  await counts(visit, '6');
  await row.getByRole('button', { name: '加属性条件' }).click();
  await row.locator('.rule-row').getByRole('button', { name: '更多操作' }).click();
  await page.getByRole('menuitem', { name: '删除' }).click();
  await row.getByRole('button', { name: '加属性条件' }).click();
  await row.locator('.rule-adder').getByRole('button', { name: '加属性条件' }).click();
  await page.getByRole('menuitem', { name: '对象', exact: true }).or(page.getByRole('menuitem', { name: '关联对象', exact: true })).click();
  const through = row.locator('.rule-row').last().locator('xpath=ancestor::div[contains(@class,"rule-event")][1]');
  await choose(through, page, '关联对象', '门店');
  await choose(through, page, '属性', 'level');
  await through.getByRole('combobox', { name: 'level 取值' }).fill('low');
  await page.keyboard.press('Escape');
  /* the empty property condition that came first goes */
  await row.locator('.rule-group .rule-row').first().getByRole('button', { name: '更多操作' }).first().click();
  await page.getByRole('menuitem', { name: '删除' }).click();
  await counts(visit, '3');
  const rule = JSON.parse(await jsonOf(page));
  assert.deepEqual(rule.all[0].where, [{ object: 'store', via: 'store_id', rule: [{ prop: 'level', eq: 'low' }] }]);
  await photograph(visit, 'segment-through-objects');

  /* the stores themselves */
  await choose(page.locator('main'), page, '要找的是', '门店');
  await page.getByRole('button', { name: /加属性条件/ }).last().click();
  await page.getByRole('menuitem', { name: '行为属性', exact: true }).click();
  await choose(page.locator('.rule-row').first(), page, '行为属性', 'city');
  await page.getByRole('combobox', { name: 'city 取值' }).fill('上海');
  await page.keyboard.press('Escape');
  await counts(visit, '1');
  await page.locator('.rule-people').getByText('s-low').waitFor();
  await photograph(visit, 'segment-of-stores');
  visit.clean();
  await visit.close();
});

test('overlap, profile, history, export, and why it cannot be deleted', here, async () => {
  const put = (key, body) => place.kith.put(`/segments/${key}`, body);
  await put('shanghai', { name: '上海', folder: '地区', rule: { trait: 'city', eq: '上海' } });
  await put('buyers', { name: '买家', folder: '交易/买家', rule: { event: 'Order Paid' } });
  await put('both', { name: '上海且买过', kind: 'algebra', op: 'intersection', of: ['shanghai', 'buyers'] });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/segments');
  await page.getByRole('navigation', { name: '文件夹' }).getByRole('button', { name: /交易/ }).click();
  await page.waitForURL(/folder=/);
  await counted(page.locator('.ant-table-row'), 1);
  await visit.go('/segments');
  await visit.accessible('the directory of segments');
  await photograph(visit, 'segments');

  await visit.go('/overlap?of=shanghai,buyers,both');
  /* 12 live there, 8 paid, 4 both: of 上海 a third */
  await page.getByRole('link', { name: /^上海 × 买家: 同时在两个里：4 人/ }).waitFor();
  await page.getByRole('link', { name: /^上海 × 买家/ }).click();
  const beside = page.getByRole('dialog', { name: '上海 × 买家' });
  await beside.getByText('只在「上海」').waitFor();
  await beside.getByRole('link', { name: '买家', exact: true }).waitFor();
  await visit.accessible('two segments side by side');
  await photograph(visit, 'overlap-pair');
  await visit.walk('/overlap?view=list');
  await visit.button('上海 × 买家', true).waitFor();
  const [pairs] = await Promise.all([page.waitForEvent('download'), visit.button('两两重叠: 存为 CSV').click()]);
  assert.match(await (await import('node:fs/promises')).readFile(await pairs.path(), 'utf8'), /shanghai,上海,12,buyers,买家,8,4,0\.3333,0\.5,0\.25,4,1,0/);
  await visit.accessible('the map of overlaps');
  await photograph(visit, 'overlap');

  await visit.go('/segments/buyers/profile');
  await page.locator('.lift-row', { hasText: '上海' }).first().waitFor();
  await visit.accessible('a profile');
  await photograph(visit, 'segment-profile');
  await visit.go('/segments/buyers/history');
  await page.getByRole('img', { name: '每天有多少人，进出多少' }).waitFor();
  await photograph(visit, 'segment-history');
  await visit.go('/segments/buyers/reach');
  await page.locator('.rule-reach li').first().waitFor();
  await visit.accessible('reach of a segment');

  await visit.go('/segments/buyers');
  const [download] = await Promise.all([page.waitForEvent('download'), visit.button('导出 CSV').click()]);
  const { readFileSync } = await import('node:fs');
  const lines = readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/);
  assert.equal(lines.length, 1 + 8);
  const her = await place.house.who(one(0));
  assert.ok(lines.some((line) => line.includes(her)), 'she stands in the file');

  await visit.button('复制为新的, 删除').click();
  await page.getByRole('menuitem', { name: '删除' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('有别的定义在用，不能删除').waitFor();
  await dialog.getByRole('link', { name: /both/ }).waitFor();
  await visit.accessible('why it cannot be deleted');
  await dialog.getByRole('button', { name: '关闭' }).last().click();
  await visit.go('/segments/both');
  await visit.button('复制为新的, 删除').click();
  await page.getByRole('menuitem', { name: '删除' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('both');
  await page.getByRole('dialog').getByRole('button', { name: '删除', exact: true }).click();
  await page.waitForURL(/\/segments$/);
  await assert.rejects(place.kith.get('/segments/both'), /404/);
  visit.clean((fault) => /404/.test(fault));
  await visit.close();
});

test('a list by hand: people are added by an identifier, and who was in it at a moment', here, async () => {
  await place.kith.put('/segments/invited', { name: '邀约名单', kind: 'static' });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/segments/invited');
  await visit.text('没有成员').waitFor();
  await visit.button('加人或移出').click();
  const dialog = page.getByRole('dialog');
  await choose(dialog, page, '标识类型', '会员账号');
  await dialog.getByRole('textbox').last().fill('seg-1, seg-2\nnobody-here');
  await dialog.getByRole('button', { name: '加进来 3' }).click();
  await visit.text('变动 2 位，1 个标识没有对应的客户').waitFor();
  await until('two are listed', async () => (await page.locator('.ant-table-row').count()) === 2);
  /* as of a year ago nobody was: the moment is in the address */
  await visit.go('/segments/invited?at=2020-01-01T00%3A00%3A00Z');
  await visit.text('那一刻没有成员').waitFor();
  visit.clean();
  await visit.close();
});

for (const [language, theme, width] of [['en', 'dark', 1366], ['zh', 'light', 390], ['en', 'light', 390]]) {
  test(`segments in ${language}, ${theme}, ${width}: nothing wrong, nothing that axe finds, no wider than the window`, here, async () => {
    const visit = await place.enter({ language, theme, width, height: width === 390 ? 844 : 768 });
    const nested = { name: 'x', rule: { all: [{ not: { event: 'Order Paid', where: [{ prop: 'revenue', gte: 10_000 }], during: 'this_month', measure: 'sum', of: 'revenue', between: [0, 20_000] } }, { any: [{ segment: 'buyers' }, { consent: 'sms' }, { trait: 'city', in: ['上海', '杭州'] }] }, { sequence: [{ event: 'Product Added' }, { event: 'Order Paid', absent: true }], within: '1d', last: '7d' }] } };
    for (const [path, name] of [
      ['/segments', 'segments'], ['/segments/buyers', 'segment-members'], ['/segments/buyers/profile', 'segment-profile'], ['/segments/buyers/history', 'segment-history'], ['/segments/buyers/overlap', 'segment-overlap'],
      ['/segments/buyers/definition', 'segment-definition'], ['/segments/buyers/edit', 'segment-edit'], [`/new/segment?define=${encodeURIComponent(JSON.stringify(nested))}`, 'segment-nested'], ['/overlap', 'overlap'],
    ]) {
      await visit.walk(path);
      if (language === 'zh' || theme === 'dark') await visit.accessible(`${path} in ${language}, ${theme}, ${width}`); // what differs here is the width of words
      await visit.fits(`${path} in ${language} at ${width}`);
      await photograph(visit, `${name}-${theme}-${width}`, language);
    }
    visit.clean();
    await visit.close();
  });
}

/* it brings people of its own: last */
test('S6: who only looked at a product, packed with her predicted chance, goes out as a file', here, async () => {
  const act = (user, event, product, more = {}) => did('mp_server', event, [['user_id', user]], { product_id: product, ...more }, { userId: user });
  const looked = ['s6-likely', 's6-unlikely', 's6-cart', 's6-bought'];
  await place.house.tell([
    ...looked.map((user) => act(user, 'Product Viewed', 'S6-P1')), act('s6-else', 'Product Viewed', 'S6-P2'),
    act('s6-cart', 'Product Added', 'S6-P1'), act('s6-bought', 'Order Paid', 'S6-P1', { order_id: 'S6-1', revenue: 20, total: 20, currency: 'CNY' }),
  ]);
  await place.kith.put('/tags/chance', { name: '下单概率', on: 'customer', kind: 'model', type: 'number' });
  const chances = { 's6-likely': 0.82, 's6-unlikely': 0.07, 's6-cart': 0.9, 's6-bought': 0.95, 's6-else': 0.9 };
  await place.kith.post('/tags/chance/values', { values: Object.entries(chances).map(([value, chance]) => ({ customer: { type: 'user_id', value }, value: chance })) });
  await place.kith.settled();
  const of = (event) => ({ event, where: [{ prop: 'product_id', eq: 'S6-P1' }], last: '7d' });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go(`/new/segment?define=${encodeURIComponent(JSON.stringify({ key: 'to-convert', name: '待转化 · S6-P1', rule: { all: [of('Product Viewed'), { not: of('Product Added') }, { not: of('Order Paid') }, { tag: 'chance', gte: 0.5 }] } }))}`);
  await page.locator('.rule-figure:not(.old)').getByText('1', { exact: true }).waitFor();
  await visit.button('看看谁进谁出').click();
  await page.locator('.change-figure.in dd').getByText('+1').waitFor();
  await visit.button('保存', true).click();
  await page.waitForURL(/\/segments\/to-convert$/);
  const [download] = await Promise.all([page.waitForEvent('download'), visit.button('导出 CSV').click()]);
  const { readFileSync } = await import('node:fs');
  const lines = readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/);
  assert.equal(lines.length, 1 + 1);
  const her = await place.house.who(['user_id', 's6-likely']);
  assert.ok(lines[1].includes(her));
  /* why she: each condition with what was compared */
  await visit.go(`/segments/to-convert/explain?who=${her}`);
  await page.locator('main').getByText(/0\.82/).first().waitFor();
  await photograph(visit, 's6-why');
  visit.clean();
  await visit.close();
});
