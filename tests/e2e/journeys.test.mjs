// SPDX-License-Identifier: Apache-2.0
// Journeys in the browser: a ready one is taken, looked at, changed, saved, published; who enters is counted on the canvas and
// explained in a sentence; it is paused. A draft that cannot be says where. A viewer sees why she may not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { did } from '../s1/support.mjs';
import { Place, counted, missingConsole, password, photograph, until } from './support.mjs';

let place;
const here = { skip: missingConsole };
const her = ['user_id', 'journey-1'];

before(async () => {
  if (!missingConsole) place = await Place.open();
});
after(() => place?.close());

test('empty: what a journey is, and the library as the next step', here, async () => {
  const visit = await place.enter();
  await visit.go('/journeys');
  await visit.text('还没有旅程').waitFor();
  await visit.accessible('/journeys, empty');
  await photograph(visit, 'journeys-empty');
  visit.clean();
  await visit.close();
});

test('a ready journey: taken, a wait changed, published; the number on the canvas, the sentence, a pause', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/journeys');
  await visit.button('新建旅程').click();
  await visit.button('用这个 购后关怀').waitFor();
  await visit.accessible('the library');
  await photograph(visit, 'journeys-library');
  await visit.button('用这个 购后关怀').click();
  await page.waitForURL(/\/journeys\/after_purchase$/);
  const wait = page.locator('[data-node="w1"]');
  await wait.waitFor();
  await page.waitForFunction(() => document.querySelector('[data-node="w1"]')?.innerText.includes('1 天'));
  await counted(page.locator('.journey-card'), 5);
  await wait.click();
  const inspector = page.locator('.journey-inspector');
  await inspector.getByRole('textbox', { name: '时长' }).fill('2d');
  await page.waitForFunction(() => document.querySelector('[data-node="w1"]')?.textContent?.includes('2 天'));
  await visit.accessible('the canvas with its inspector');
  await photograph(visit, 'journey-canvas');

  await visit.button('撤销').click();
  await page.waitForFunction(() => document.querySelector('[data-node="w1"]')?.textContent?.includes('1 天'));
  await visit.button('重做').click();
  await visit.button('保存草稿').click();
  await visit.text('草稿已保存').waitFor();
  assert.equal((await place.kith.get('/journeys/after_purchase')).journey.nodes.w1.for, '2d');

  await visit.button('发布…').click();
  await page.getByRole('dialog').getByRole('button', { name: /发\s?布/ }).click();
  await until('it is live', async () => (await place.kith.get('/journeys/after_purchase')).state === 'live');

  await place.house.tell([did('mp_server', 'Order Delivered', [her], { order_id: 'J-1' })]);
  await place.kith.settled();
  const oneId = await place.house.who(her);
  await page.waitForFunction(() => /1\s*等待中/.test(document.querySelector('[data-node="w1"]')?.textContent));
  await photograph(visit, 'journey-live');

  await page.getByRole('tab', { name: '为什么' }).click();
  await page.getByRole('searchbox', { name: '客户' }).fill(oneId);
  await page.keyboard.press('Enter');
  const said = (await place.kith.get(`/journeys/after_purchase/explain?customer=${oneId}`)).positions[0].sentence.zh;
  assert.match(said, /w1/);
  await visit.text(said.split(/\d{4}-/)[0]).waitFor(); // the time after it is told in the workspace's zone
  await visit.accessible('why she is in it');
  await photograph(visit, 'journey-why');

  await page.getByRole('tab', { name: '报告' }).click();
  await page.getByRole('heading', { name: '每一步' }).waitFor();
  await visit.accessible('the report');
  await photograph(visit, 'journey-report');
  await page.getByRole('tab', { name: '版本' }).click();
  await visit.text('第 1 版').waitFor();
  await visit.button('看定义').waitFor();
  await visit.accessible('the versions');

  await visit.go(`/customers/${oneId}/journeys`);
  await page.getByRole('link', { name: '购后关怀' }).waitFor();
  await visit.accessible("a customer's journeys and touches");
  await photograph(visit, 'customer-journeys');

  await visit.go('/journeys/after_purchase');
  await page.getByRole('button', { name: /暂\s?停/ }).click();
  await until('it is paused', async () => (await place.kith.get('/journeys/after_purchase')).state === 'paused');
  await page.locator('main').getByText('已暂停').first().waitFor();
  await page.getByRole('button', { name: /继\s?续/ }).waitFor();
  visit.clean();
  await visit.close();
});

test('steps are added and deleted on the canvas; JSON is the same draft; a refusal says where', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/journeys?create=yes');
  await visit.button('用这个 空白旅程').click();
  await page.locator('[data-node="wait"]').click();
  await visit.button('在「等待」之后加一步').click();
  await page.getByRole('menuitem', { name: '写属性' }).click();
  await page.locator('[data-node="trait"]').waitFor();
  await page.getByRole('tab', { name: 'JSON' }).click();
  const json = page.getByRole('textbox', { name: 'JSON' });
  const definition = JSON.parse(await json.inputValue());
  assert.equal(definition.nodes.wait.next, 'trait');
  definition.nodes.wait.nxt = 'trait';
  await json.fill(JSON.stringify(definition));
  await visit.button('保存草稿').click();
  await page.getByText('/nodes/wait/nxt').first().waitFor();
  await visit.accessible('a refusal');
  await photograph(visit, 'journey-refused');
  await page.getByRole('tab', { name: '画布' }).click();
  await page.locator('.journey-card.wrong[data-node="wait"]').waitFor();
  await page.locator('[data-node="trait"]').click();
  await visit.button('删除这一步').click();
  await page.locator('[data-node="trait"]').waitFor({ state: 'detached' });
  await visit.button('放弃修改').click();
  await page.locator('.pill.warn', { hasText: '未保存' }).waitFor({ state: 'detached' });
  visit.clean((fault) => fault.includes('422'));
  await visit.close();
});

test('English, dark, and narrow: every view fits and axe finds nothing', here, async () => {
  for (const options of [{ language: 'en', theme: 'dark' }, { language: 'zh', width: 390, height: 844 }]) {
    const visit = await place.enter(options);
    for (const [path, name] of [['/journeys', 'journeys'], ['/journeys/after_purchase', 'journey'], ['/journeys/after_purchase?node=howto', 'journey-node'], ['/journeys/after_purchase?node=$trigger', 'journey-trigger'], ['/journeys/after_purchase/report', 'journey-report'], ['/journeys/after_purchase/versions', 'journey-versions']]) {
      await visit.walk(path);
      await visit.fits(path);
      await visit.accessible(`${path} ${JSON.stringify(options)}`);
      await photograph(visit, `${name}-${options.width ?? 1366}`, options.language);
    }
    visit.clean();
    await visit.close();
  }
});

test('a viewer sees why she may not', here, async () => {
  await place.kith.put('/users/looks', { name: 'Looks', password, role: 'viewer', locale: 'zh-CN' });
  const visit = await place.enter({ as: 'looks' });
  await visit.go('/journeys/after_purchase?node=w1');
  for (const name of ['保存草稿', '发布…', '停止…']) assert.equal(await visit.button(name).getAttribute('aria-disabled'), 'true', name);
  assert.ok(await visit.page.locator('.journey-inspector').getByRole('textbox', { name: '时长' }).isDisabled());
  await visit.accessible('what a viewer sees');
  await photograph(visit, 'journey-viewer');
  visit.clean();
  await visit.close();
});
