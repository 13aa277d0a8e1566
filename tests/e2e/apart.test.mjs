// SPDX-License-Identifier: Apache-2.0
// Who may see whom, in the browser: each team its own (S12), leave me alone (S20); and what happens to a person at work when the server goes,
// or somebody else saves first.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { did, known, paid, phone } from '../s1/support.mjs';
import { findPlain } from '../support/plain.mjs';
import { Place, choose, counted, missingConsole, password, photograph, until } from './support.mjs';

const here = { skip: missingConsole };
let place;
before(async () => {
  if (!missingConsole) place = await Place.open();
});
after(() => place?.close());

const key = (user) => ['user_id', user];
const mobile = phone(90_000_001);
const leaver = 'luli-7741-leaves';

test('S12: a team is made, a person put into it; she sees her own customers, orders and counts, and no way leads around it', here, async () => {
  const channel = (name) => ({ channel: name });
  const order = (source, user, id, yuan, name) => did(source, 'Order Paid', [key(user)], { order_id: id, revenue: yuan, total: yuan, currency: 'CNY', ...channel(name) }, { userId: user });
  await place.house.tell([
    known('wecom', [key('ann')], { name: '安然', phone: mobile, city: '上海' }, { userId: 'ann' }), order('wecom', 'ann', 'W-1', 10, 'wecom'),
    ...['w3', 'w4', 'w5'].flatMap((user, n) => [known('wecom', [key(user)], { name: `企微客户${n}` }, { userId: user }), order('wecom', user, `W-${user}`, 10, 'wecom')]),
    known('tmall', [key('tom')], { name: '唐木', city: '上海' }, { userId: 'tom' }), order('tmall', 'tom', 'T-1', 30, 'tmall'),
    known('crm', [key('both')], { name: '白两家' }, { userId: 'both' }), order('wecom', 'both', 'W-2', 20, 'wecom'), order('tmall', 'both', 'T-2', 40, 'tmall'),
  ]);
  await place.kith.settled();
  const [ann, tom, both] = await Promise.all(['ann', 'tom', 'both'].map((user) => place.house.who(key(user))));

  /* the head makes the team and puts a person into it */
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/new/team');
  await page.getByLabel('名称').fill('企微组');
  await page.getByLabel('代号').fill('wecom');
  await visit.button('加一个条件').click();
  await page.getByRole('combobox', { name: '属性' }).fill('channel');
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: '取值' }).fill('wecom');
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: '自有数据源' }).fill('wecom');
  await page.keyboard.press('Enter'); // several may be chosen: the list stays open until it is left
  await page.keyboard.press('Escape');
  await visit.accessible('the form of a team');
  await visit.button('保存团队').click();
  await page.waitForURL(/\/settings\/teams\/wecom$/);
  await visit.go('/settings/people');
  await visit.button('添加成员').click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('textbox', { name: '账号' }).fill('wendy');
  await drawer.getByRole('textbox', { name: '姓名' }).fill('温迪');
  await drawer.getByRole('textbox', { name: '初始密码' }).fill(password);
  const roles = drawer.getByRole('combobox', { name: '角色' });
  await roles.press('Backspace'); // what is chosen at first
  await roles.fill('分析');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await choose(drawer, page, '团队', '企微组');
  await visit.accessible('a person of a team');
  await drawer.getByRole('button', { name: /^添\s?加$/ }).click();
  await page.getByRole('button', { name: '我已保存' }).click();
  await until('she is in the team', async () => (await place.kith.get('/users/wendy').catch(() => undefined))?.team === 'wecom');
  assert.deepEqual((await place.kith.get('/users/wendy')).roles, ['analyst']);

  /* she sees her own five, and of one whom two teams know only what is her team's */
  const hers = await place.enter({ as: 'wendy' });
  await hers.go('/customers');
  const rows = hers.page.locator('tbody tr.ant-table-row');
  await counted(rows, 5);
  assert.doesNotMatch((await rows.allInnerTexts()).join(), /唐木/);
  await photograph(hers, 's12-customers');
  await hers.go(`/customers/${both}`);
  await hers.page.locator('.customer-main').getByText('W-2').waitFor();
  assert.equal(await hers.page.locator('.customer-main').getByText('T-2').count(), 0);
  await hers.go(`/customers/${both}/orders`);
  await hers.page.locator('.customer-main').getByText('W-2').waitFor();
  assert.equal(await hers.page.locator('.customer-main').getByText('T-2').count(), 0);
  /* a phone is masked, and she may not see it */
  await hers.go(`/customers/${ann}`);
  assert.equal(await hers.page.getByText(mobile).count(), 0);
  assert.equal(await hers.button('显示完整值').getAttribute('aria-disabled'), 'true');
  /* by address, by search, by a count, by the program's door: nobody else is there */
  await hers.go(`/customers/${tom}`);
  await hers.page.getByRole('alert').waitFor();
  assert.equal(await hers.page.getByText('唐木').count(), 0);
  await hers.go('/customers?query=tom');
  await hers.page.locator('main').getByText(/没有/).first().waitFor();
  await hers.go(`/new/segment?define=${encodeURIComponent(JSON.stringify({ rule: { all: [{ event: 'Order Paid' }] } }))}`);
  await hers.page.locator('.rule-figure:not(.old)').getByText('5', { exact: true }).waitFor(); // six have paid in all
  const around = await hers.page.context().request.get(`${place.kith.url}/api/v1/customers/${tom}/events`);
  assert.equal(around.status(), 404);
  await hers.go('/');
  await hers.page.getByRole('link', { name: /下单客户/ }).first().waitFor();
  await hers.page.locator('.figure').filter({ hasText: '净销售额' }).getByText('¥50.00').waitFor(); // 60.00 of 130.00 in all, in steps: an analyst has no right to small cells
  await photograph(hers, 's12-today');
  /* what she takes out is hers alone, with phones masked, and stands in the audit */
  await place.kith.put('/segments/paid', { name: '付过款的人', rule: { event: 'Order Paid' } });
  await place.kith.put('/shares', { kind: 'segment', key: 'paid', team: 'wecom', level: 'use' });
  await place.kith.put('/users/wendy', { name: '温迪', roles: ['operator'], team: 'wecom', locale: 'zh-CN' });
  await hers.go('/segments/paid');
  await counted(hers.page.locator('tbody tr.ant-table-row'), 5);
  const [taken] = await Promise.all([hers.page.waitForEvent('download'), hers.button('导出 CSV').click()]);
  const lines = readFileSync(await taken.path(), 'utf8').trim().split(/\r?\n/);
  assert.equal(lines.length, 1 + 5, 'a head, and her team\'s customers');
  assert.ok(lines.some((line) => line.includes(ann)));
  assert.ok(lines.every((line) => !line.includes(tom) && !line.includes(mobile)), 'nobody of another team, no phone in clear');
  hers.clean((fault) => /404|403/.test(fault));
  await hers.close();

  /* the head sees all of it; who looked at a phone in clear stands in the audit */
  await visit.go(`/customers/${ann}`);
  await visit.button('显示完整值').click();
  await page.locator('.who-identifiers').getByText(mobile).waitFor();
  await visit.go('/settings/audit?action=values.reveal');
  await page.getByRole('row').filter({ hasText: ann }).first().waitFor();
  await visit.go('/customers');
  await counted(page.locator('tbody tr.ant-table-row'), 6);
  visit.clean((fault) => /404/.test(fault)); // whether a login is taken is asked first
  await visit.close();
});

test('S30: marketing to her is paused by hand, what waits is withdrawn, and it is lifted', here, async () => {
  await place.kith.put('/channels/texts', { kind: 'sms_aliyun', settings: { default: true, access_key_id: 'a', access_key_secret: 'b', sign_name: 'S' } });
  await place.kith.put('/templates/news', { name: 'news', channel: 'sms', parts: { template_code: 'SMS_1' } });
  await place.kith.post('/stop', { scope: 'all', why: 'nothing goes while this is looked at' }); // what is asked for waits
  await place.house.tell([known('crm', [key('paused-1')], { name: '江岚', phone: phone(90_000_030) }, { userId: 'paused-1' })]);
  await place.kith.settled();
  const she = await place.house.who(key('paused-1'));
  await place.kith.put(`/customers/${she}/consent/marketing`, { granted: true, evidence: 'form 8' });
  await place.kith.post('/touches', { customers: [she], template: 'news', purpose: 'marketing' });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go(`/customers/${she}/consents`);
  await visit.button('暂停…').click();
  const dialog = page.getByRole('dialog').filter({ hasText: '暂停对她的营销' });
  await dialog.getByLabel('原因').click(); /* the dialog has come to rest, and has its fields */
  await dialog.getByRole('button', { name: /^暂\s?停$/ }).click();
  await dialog.getByText('写下原因，之后的人才知道').waitFor(); /* not without a reason */
  await dialog.getByLabel('原因').fill('差评处理中');
  await visit.accessible('a pause');
  await dialog.getByRole('button', { name: /^暂\s?停$/ }).click();
  const row = page.getByRole('row').filter({ hasText: '差评处理中' });
  await row.getByText('暂停中').waitFor();
  await page.getByRole('row').filter({ hasText: '营销触达' }).getByText('暂停中').first().waitFor(); /* whatever she has agreed to */
  await photograph(visit, 's30-paused');
  await visit.go(`/customers/${she}/journeys`);
  await page.locator('.customer-main tr').filter({ hasText: '营销已暂停' }).waitFor();
  await photograph(visit, 's30-touches');
  await visit.go(`/customers/${she}/consents`);
  await row.getByRole('button', { name: /^恢\s?复$/ }).click();
  await page.getByRole('dialog').filter({ hasText: '恢复对她的营销？' }).getByRole('button', { name: /^恢\s?复$/ }).click();
  await row.getByText('已恢复').waitFor();
  visit.clean();
  await visit.close();
});

test('S20: she withdraws her consent and what waits does not go; she has her file; she is forgotten, stays out, and the sums stand', here, async () => {
  await place.kith.put('/channels/texts', { kind: 'sms_aliyun', settings: { default: true, access_key_id: 'a', access_key_secret: 'b', sign_name: 'S' } });
  await place.kith.put('/templates/news', { name: 'news', channel: 'sms', parts: { template_code: 'SMS_1' } });
  await place.kith.post('/stop', { scope: 'all', why: 'nothing goes while this is looked at' }); // what is asked for waits
  const hers = phone(90_000_002);
  await place.house.tell([known('crm', [key(leaver)], { name: '陆离', phone: hers }, { userId: leaver }), paid('crm', [key(leaver)], 'L-1', 250.5, { userId: leaver })]);
  await place.kith.settled();
  const she = await place.house.who(key(leaver));
  await place.kith.put(`/customers/${she}/consent/marketing`, { granted: true, evidence: 'form 7' });
  await place.kith.post('/touches', { customers: [she], template: 'news', purpose: 'marketing' });

  const visit = await place.enter();
  const { page } = visit;
  await visit.go(`/customers/${she}/journeys`);
  await page.locator('.customer-main tr').filter({ hasText: '暂缓' }).waitFor();
  await visit.go(`/customers/${she}/consents`);
  await visit.button('撤回营销触达').click();
  await page.getByRole('dialog').getByLabel('依据').fill('电话里说的');
  await page.getByRole('dialog').getByRole('button', { name: '登记' }).click();
  await page.getByRole('row').filter({ hasText: '拒绝此用途' }).first().waitFor();
  await visit.go(`/customers/${she}/journeys`);
  await page.locator('.customer-main tr').filter({ hasText: '未发' }).waitFor();
  await photograph(visit, 's20-touches');

  /* what is known of her: one file */
  const ask = async (kind) => {
    await visit.go('/settings/privacy');
    await visit.button('登记请求').click();
    const dialog = page.getByRole('dialog').filter({ hasText: '谁提出的' });
    await dialog.getByRole('combobox', { name: '谁提出的' }).click();
    await dialog.getByRole('combobox', { name: '谁提出的' }).fill('陆离');
    await page.locator('.ant-select-item-option').filter({ hasText: she }).click();
    await choose(dialog, page, '要求', kind, { exact: true });
    await dialog.getByRole('button', { name: '登记请求' }).click();
    await page.waitForURL(/request=/);
    return page.getByRole('dialog').filter({ hasText: '办理期限' });
  };
  const access = await ask('查阅、复制');
  await access.getByRole('button', { name: '生成资料包' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), access.getByRole('link', { name: '下载' }).click()]);
  assert.match(file.suggestedFilename(), /\.zip$/);
  await visit.accessible('a request of a person');

  /* forgotten */
  const before = await place.kith.get('/overview');
  const erasure = await ask('删除');
  await erasure.getByRole('button', { name: '执行删除' }).click();
  const sure = page.getByRole('dialog').filter({ hasText: '删除这位客户？' });
  await sure.getByRole('textbox').fill(she);
  await sure.getByRole('button', { name: '执行删除' }).click();
  await until('nobody finds her', async () => (await place.house.who(key(leaver))) === undefined);
  await visit.go('/settings/privacy?tab=erasures');
  await page.getByRole('row').filter({ hasText: '已删完' }).first().waitFor();
  await photograph(visit, 's20-erasures');
  await visit.go(`/customers/${she}`);
  await page.getByRole('alert').waitFor();
  /* late events and files do not bring her back */
  await place.house.tell([known('crm', [key(leaver)], { name: '陆离', phone: hers }, { userId: leaver }), paid('crm', [key(leaver)], 'L-2', 99, { userId: leaver })]);
  await place.kith.settled();
  await visit.go('/customers?query=%E9%99%86%E7%A6%BB');
  await page.locator('main').getByText(/没有/).first().waitFor();
  await until('what came after it was refused', async () => (await place.kith.get('/privacy')).refused_events >= 2);
  assert.equal((await place.kith.get('/overview')).customers, before.customers - 1);
  const [sum] = (await place.kith.get('/privacy')).totals.filter((one) => one.currency === 'CNY');
  assert.equal(sum.revenue, 25_050, 'what she paid still counts');
  visit.clean((fault) => /404/.test(fault));
  await visit.close();
  await place.kith.post('/stop', { scope: 'all', active: false });
  /* in no store: ledger, log, warehouse and files of the stopped server, beside its own log */
  await until('the log to be clean of her', async () => (await place.kith.get('/privacy')).log_is_clean);
  await place.kith.stop();
  const latin = (text) => Buffer.from(text).toString('latin1');
  const left = await findPlain(place.kith.folder, [leaver, '陆离', hers.slice(3)].map(latin), { beside: [place.kith.logPath] });
  assert.deepEqual(left, [], 'nothing of hers is left');
  assert.notEqual((await findPlain(place.kith.folder, ['wendy'])).length, 0, 'what is there is found');
  await place.kith.launch();
});

test('two people change one segment: who saves second is told before she overwrites', here, async () => {
  await place.kith.put('/segments/shared', { name: '一起改', rule: { event: 'Order Paid' } });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/segments/shared/edit');
  await page.getByLabel('名称').fill('我改的');
  await place.kith.put('/segments/shared', { name: '同事改的', rule: { event: 'Order Paid', gte: 2 } });
  await page.getByRole('alert').getByText(/别人已保存到第 2 版/).waitFor();
  await visit.accessible('a conflict');
  await visit.button('载入最新版').click();
  await until('the newer one is there', async () => (await page.getByLabel('名称').inputValue()) === '同事改的');
  visit.clean();
  await visit.close();
});

test('the server goes while somebody works: what she wrote stays, it is said, and it is saved when the server is back', here, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/segments/shared/edit');
  await page.getByLabel('名称').fill('写了一半');
  await until('the draft is kept', () => page.evaluate(() => (localStorage.getItem('kith.draft.segments.shared') ?? '').includes('写了一半')));
  await place.kith.stop();
  await visit.button('保存', true).click();
  await page.getByText(/连不上服务器/).first().waitFor();
  assert.equal(await page.getByLabel('名称').inputValue(), '写了一半');
  await place.kith.launch();
  await until('it is saved', async () => {
    if (/\/segments\/shared$/.test(page.url())) return true;
    await visit.button('保存', true).click({ timeout: 2_000 }).catch(() => undefined); // what is under way is waited for
    return false;
  });
  assert.equal((await place.kith.get('/segments/shared')).name, '写了一半');
  visit.clean((fault) => /ERR_|50\d|Failed to load/.test(fault));
  await visit.close();
});
