// SPDX-License-Identifier: Apache-2.0
// Tags in the browser: a score with weights, who enters and leaves when they change, and 'why 82' (S8); RFM with thresholds on its
// histogram (S8); stages from a template, as a diagram (S16); rules in order, counts, values by hand; tags on the customer's page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { did, known, paid } from '../s1/support.mjs';
import { Place, addCondition, choose, missingConsole, photograph, until } from './support.mjs';

let place;
const here = { skip: missingConsole };
const people = 20;
const one = (n) => ['user_id', `tag-${n}`];

/* Person n paid n times 100.00 (n up to 8, from then on never), and looked at n products. */
async function fill() {
  const statements = [];
  for (let n = 0; n < people; n++) {
    statements.push(known('crm', [one(n)], { name: `客户${n}`, city: n % 2 === 0 ? '上海' : '杭州' }));
    for (let order = 0; order < n && n <= 8; order++) statements.push(paid('crm', [one(n)], `TAG-${n}-${order}`, 100));
    for (let view = 0; view < n % 5; view++) statements.push(did('crm', 'Product Viewed', [one(n)], { product_id: `p${view}` }));
  }
  await place.house.tell(statements);
  await place.kith.settled();
}

before(async () => {
  if (!missingConsole) place = await Place.open();
});
after(() => place?.close());

test('empty: what a tag is, and the next step', here, async () => {
  const visit = await place.enter();
  await visit.go('/tags');
  await visit.text('还没有标签').waitFor();
  await visit.accessible('/tags, empty');
  await photograph(visit, 'tags-empty');
  await fill();
  visit.clean();
  await visit.close();
});

test('S8: a score is built of parts; who it changes is seen before it is saved; why somebody has it', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/tags');
  await visit.button('新建标签').click();
  await page.getByLabel('名称').fill('value score');
  await page.getByRole('radio', { name: /评分/ }).click();
  await visit.button('加一项').click();
  await page.getByRole('menuitem', { name: '统计值 × 权重' }).click();
  const part = page.locator('.value-card').first();
  await part.getByLabel('这一项叫什么 1').fill('spent');
  await part.getByLabel('spent 权重').fill('0.001');
  await part.getByLabel('spent 这一项最多').fill('60');
  await visit.button('加一项').click();
  await page.getByRole('menuitem', { name: '符合规则就得分' }).click();
  const second = page.locator('.value-card').nth(1);
  await second.getByLabel('这一项叫什么 2').fill('city');
  await second.getByLabel('city 得分').fill('22');
  await addCondition(second, page, '属性');
  await choose(second.locator('.rule-row'), page, '属性', '城市');
  await second.getByRole('combobox', { name: 'city 取值' }).fill('上海');
  await page.keyboard.press('Tab');
  await visit.accessible('the builder of a score');
  await visit.button('看看谁进谁出').click();
  /* 1 to 8 have paid, and ten live in 上海: four of them have paid */
  await page.locator('.change-figure.in dd').getByText('+14').waitFor();
  await photograph(visit, 'tag-score');
  await visit.button('保存', true).click();
  await page.waitForURL(/\/tags\/value-score$/);
  const saved = await place.kith.get('/tags/value-score');
  assert.equal(saved.count, 14);
  assert.deepEqual(saved.definition.parts.map((one) => one.name), ['spent', 'city']);

  /* person 6 spent 600.00, which is 60, and lives in 上海: 82 */
  const her = await place.house.who(one(6));
  await visit.go(`/tags/value-score/explain?who=${her}`);
  const bars = page.locator('.score-bar');
  await bars.nth(2).waitFor();
  assert.deepEqual((await bars.allInnerTexts()).map((line) => line.split('\n').filter((part) => part.trim() !== '').join(' ')), ['spent +60', 'city +22', '合计 82']);
  await visit.accessible('why 82');
  await photograph(visit, 'tag-why-82');

  /* a change of weights says first who leaves */
  await visit.go('/tags/value-score/edit');
  await page.locator('.value-card').nth(1).getByRole('button', { name: '删除 city' }).click();
  await visit.button('看看谁进谁出').click();
  await page.locator('.change-figure.out dd').getByText('−6').waitFor();
  visit.clean();
  await visit.close();
});

test('S8: RFM: thresholds on the histogram, dragged and by keyboard, and named boxes', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/new/tag');
  await page.getByLabel('名称').fill('rfm');
  await page.getByRole('radio', { name: /RFM/ }).click();
  await page.getByRole('group', { name: /频次 F · / }).waitFor();
  await page.getByText('自己定阈值').click();
  const frequency = page.getByRole('group', { name: /频次 F · / });
  const slider = frequency.getByRole('slider').nth(3);
  assert.equal(await slider.getAttribute('aria-valuenow'), '4');
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await slider.getAttribute('aria-valuenow'), '5');
  /* dragged to the left it stops at its neighbour */
  await slider.hover(); // it stands still: the histograms below it have come
  const [from, plot] = [await slider.boundingBox(), await frequency.boundingBox()];
  await page.mouse.move(from.x + from.width / 2, from.y + 20);
  await page.mouse.down();
  await page.mouse.move(plot.x + 4, from.y + 20, { steps: 6 });
  await page.mouse.up();
  assert.equal(await slider.getAttribute('aria-valuenow'), '3');
  await visit.button('用常见的八层').click();
  await page.getByLabel('名字 1').fill('champions');
  await visit.accessible('the builder of RFM');
  await photograph(visit, 'tag-rfm');
  await visit.button('保存', true).click();
  await page.waitForURL(/\/tags\/rfm/);
  const saved = await place.kith.get('/tags/rfm');
  assert.deepEqual(saved.definition.thresholds.frequency, [1, 2, 3, 3]);
  assert.equal(saved.count, 8);
  assert.equal(saved.definition.boxes[0].name, 'champions');
  await page.locator('.sizes-legend').first().waitFor();
  await photograph(visit, 'tag-rfm-page');
  visit.clean();
  await visit.close();
});

test('S16: the stages of a lifecycle from a template, as a diagram, changed by the operator', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/new/tag');
  await page.getByLabel('名称').fill('aipl');
  await page.getByRole('radio', { name: /阶段/ }).click();
  await visit.button('AIPL：认知、兴趣、购买、忠诚').click();
  const diagram = page.getByRole('group', { name: '阶段图' });
  await diagram.getByRole('button', { name: /4\. 忠诚/ }).waitFor();
  /* loyal: from the diagram into its rule; one day is enough here */
  await diagram.getByRole('button', { name: /4\. 忠诚/ }).click();
  const card = page.locator('.value-card').nth(3);
  await card.locator('.rule-row').waitFor();
  const days = card.locator('.rule-row .rule-number input').last();
  assert.equal(await days.inputValue(), '2');
  await days.fill('1');
  await page.locator('.value-card').nth(3).locator('.rule-figure:not(.old)').getByText('8', { exact: true }).waitFor();
  await visit.accessible('the builder of stages');
  await photograph(visit, 'tag-stages');
  await visit.button('看看谁进谁出').click();
  await page.locator('.change-figure.in dd').waitFor();
  await visit.button('保存', true).click();
  await page.waitForURL(/\/tags\/aipl/);
  const saved = await place.kith.get('/tags/aipl');
  assert.deepEqual(saved.definition.stages.map((stage) => stage.value), ['认知', '兴趣', '购买', '忠诚']);
  assert.equal(saved.sizes.find((size) => size.value === '忠诚').count, 8);
  await photograph(visit, 'tag-stages-page');
  visit.clean();
  await visit.close();
});

test('rules in order: the first that fits counts, and the order can be changed', here, async () => {
  await place.kith.put('/tags/tier', { name: '层级', folder: '画像', values: [{ value: '买过', rule: { event: 'Order Paid' } }, { value: '常客', rule: { event: 'Order Paid', gte: 5 } }] });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/tags/tier/edit');
  await page.locator('.value-card').nth(1).getByRole('button', { name: '上移 常客' }).click();
  await visit.button('看看谁进谁出').click();
  /* four of the eight buyers become regulars: nobody enters, nobody leaves */
  await page.locator('.change-figure', { hasText: '取值变化' }).getByText('4').waitFor();
  await visit.accessible('the builder of rules');
  await photograph(visit, 'tag-rules');
  await visit.button('保存', true).click();
  await page.waitForURL(/\/tags\/tier$/);
  assert.deepEqual((await place.kith.get('/tags/tier')).sizes.map((size) => [size.value, size.count]).sort(), [['买过', 4], ['常客', 4]]);
  visit.clean();
  await visit.close();
});

test('S2: what a skin test says deep inside is given a name on a screen, and is a tag at once', here, async () => {
  const taken = (user, type) => did('mp_server', 'Face Scanned', [['user_id', user]], { result: { face: { type, scores: [61, 40] } }, device: 'D1' }, { userId: user });
  await place.house.tell([taken('s2-deep', 'dry'), taken('s2-other', 'oily')]);
  await place.kith.settled();
  const visit = await place.enter();
  const { page } = visit;
  await visit.go(`/data/plan?edit=${encodeURIComponent('Face Scanned')}`);
  const drawer = page.getByRole('dialog');
  await drawer.getByText('已定义', { exact: true }).click();
  await drawer.getByRole('textbox', { name: '属性名' }).fill('result.face.type');
  await drawer.getByRole('button', { name: /添加属性/ }).click();
  await visit.accessible('a property deep inside');
  await drawer.getByRole('button', { name: /^保\s?存$/ }).click();
  await until('it is planned', async () => (await place.kith.get('/plan/events/Face%20Scanned')).properties.some((one) => one.name === 'result.face.type' && one.type === 'text'));

  const said = (value, type) => ({ value, rule: { all: [{ event: 'Face Scanned', measure: 'last', of: 'result.face.type', eq: type }] } });
  await visit.go(`/new/tag?define=${encodeURIComponent(JSON.stringify({ key: 'face_type', name: '面部肤质', values: [said('干性', 'dry'), said('油性', 'oily')] }))}`);
  await visit.button('看看谁进谁出').click();
  await page.locator('.change-figure.in dd').getByText('+2').waitFor();
  await photograph(visit, 's2-deep');
  await visit.button('保存', true).click();
  await page.waitForURL(/\/tags\/face_type$/);
  await visit.go(`/customers/${await place.house.who(['user_id', 's2-deep'])}`);
  await page.locator('.customer-profile .belongs', { hasText: '面部肤质' }).getByText('干性').waitFor();
  /* the next test, at once */
  await place.house.tell([taken('s2-deep', 'oily')]);
  await place.kith.settled();
  await page.reload();
  await page.locator('.customer-profile .belongs', { hasText: '面部肤质' }).getByText('油性').waitFor();
  visit.clean();
  await visit.close();
});

test('values by hand, and what stands on the page of the customer, with why', here, async () => {
  await place.kith.put('/tags/grade', { name: '评级', kind: 'manual', type: 'number' });
  await place.kith.put('/segments/shoppers', { name: '买家', rule: { event: 'Order Paid' } });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/tags/grade');
  await visit.button('给值').click();
  const dialog = page.getByRole('dialog');
  await choose(dialog, page, '标识类型', '会员账号');
  await dialog.getByRole('textbox').last().fill('tag-6, vip');
  await dialog.getByRole('alert').getByText('第 1 行：不是数字').waitFor();
  await dialog.getByRole('textbox').last().fill('tag-6, 7\nnobody-here, 3');
  await dialog.getByRole('button', { name: '给值 2' }).click();
  await visit.text('变动 1 位，1 个标识没有对应的客户').waitFor();

  const her = await place.house.who(one(6));
  await visit.go(`/customers/${her}`);
  const profile = page.locator('.customer-profile');
  await profile.locator('.belongs', { hasText: '评级' }).getByText('7').waitFor();
  await profile.locator('.belongs', { hasText: '常客' }).waitFor();
  await profile.getByRole('link', { name: '买家' }).waitFor();
  await profile.getByRole('button', { name: '为什么：value score' }).click();
  await page.getByRole('dialog').locator('.score-bar').nth(2).waitFor();
  await visit.accessible('why, on the page of the customer');
  await photograph(visit, 'customer-why');
  visit.clean();
  await visit.close();
});

for (const [language, theme, width] of [['en', 'dark', 1366], ['zh', 'light', 390], ['en', 'light', 390]]) {
  test(`tags in ${language}, ${theme}, ${width}: nothing wrong, nothing that axe finds, no wider than the window`, here, async () => {
    const visit = await place.enter({ language, theme, width, height: width === 390 ? 844 : 768 });
    const her = await place.house.who(one(6));
    for (const [path, name] of [
      ['/tags', 'tags'], ['/tags/rfm', 'tag-rfm-page'], ['/tags/rfm/edit', 'tag-rfm'], ['/tags/value-score/edit', 'tag-score'], ['/tags/aipl/edit', 'tag-stages'], ['/tags/tier/edit', 'tag-rules'], ['/tags/tier/definition', 'tag-definition'],
      ['/tags/tier/history', 'tag-history'], ['/new/tag', 'tag-new'], [`/customers/${her}`, 'customer'],
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
