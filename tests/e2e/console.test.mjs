// SPDX-License-Identifier: Apache-2.0
// The console as a whole: signing in, both languages, light and dark, keyboard, phone, every page with data and without.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { did, known, paid, phone, tmallApp } from '../s1/support.mjs';
import { Place, login, missingConsole, password, photograph, until } from './support.mjs';

let place;
before(async () => {
  if (!missingConsole) place = await Place.open();
});
after(() => place?.close());

const pages = [
  '/', '/customers', '/segments', '/tags', '/overlap', '/new/segment', '/new/tag', '/templates', '/new/template', '/calendar', '/policy', '/identity/link-rate', '/identity/review', '/identity/suggestions', '/identity/rules', '/data/live', '/data/sources', '/data/sources/h5', '/data/sources/crm',
  '/data/feeds', '/data/sinks', '/data/objects', '/data/plan', '/data/traits', '/data/quarantine', '/settings/system', '/settings/system?tab=servers', '/settings/retention', '/settings/keys', '/help/glossary', '/settings/people', '/settings/roles', '/settings/teams', '/settings/tokens', '/settings/sign-in', '/settings/privacy', '/settings/audit', '/settings/preferences',
];

/** What an empty page must still do; run before anything is told to the house. The console goes from page to page; that an address alone
 * brings its page is held by every other test. */
test('every page says why it is empty and what comes next', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  for (const path of pages) {
    await visit.walk(path);
    await visit.page.getByRole('heading', { level: 1 }).first().waitFor();
    await visit.accessible(`${path}, empty`);
  }
  await visit.go('/');
  await visit.button('新建数据源').waitFor();
  await visit.go('/customers');
  await visit.text('还没有客户').waitFor();
  await visit.go('/data/live');
  await visit.text('等待第一条事件').waitFor();
  visit.clean();
  await visit.close();
});

test('signing in: wrong, right, out', { skip: missingConsole }, async () => {
  const visit = await place.visit();
  await visit.go('/customers');
  await visit.page.getByRole('heading', { name: '登录' }).waitFor();
  await visit.accessible('the page to sign in');
  await visit.page.getByLabel('账号').fill(login);
  await visit.page.getByLabel('密码').fill('not the password');
  await visit.button('登录', true).click();
  await visit.text('账号或密码不对。').waitFor();
  await visit.page.getByLabel('密码').fill(password);
  await visit.page.keyboard.press('Enter');
  await visit.page.getByRole('heading', { name: '全部客户' }).waitFor();

  await visit.button('林小雨，账户菜单').click();
  await visit.text('退出登录').click();
  await visit.page.getByRole('heading', { name: '登录' }).waitFor();
  visit.clean((fault) => /401/.test(fault));
  await visit.close();
});

test('a session that ended leads to the page to sign in, and back', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  await visit.go('/settings/tokens');
  await visit.page.context().clearCookies();
  await visit.page.getByRole('heading', { name: '登录' }).waitFor();
  await visit.text('登录已失效，请重新登录。').waitFor();
  await visit.page.getByLabel('账号').fill(login);
  await visit.page.getByLabel('密码').fill(password);
  await visit.page.keyboard.press('Enter');
  await visit.page.getByRole('heading', { name: '访问令牌' }).waitFor();
  visit.clean((fault) => /401/.test(fault));
  await visit.close();
});

async function fill() {
  const tmall = (n) => ['tmall_open_uid', `AA${n}`, tmallApp];
  const statements = [];
  for (let n = 0; n < 70; n++) {
    statements.push(paid('tmall', [tmall(n)], `T-${n}`, 100 + n));
    statements.push(known('crm', [tmall(n), ['user_id', `u${n}`]], { phone: phone(60_000_000 + n), name: n === 3 ? '慕容'.repeat(20) : `客户${n}`, city: '上海' }));
    statements.push(did('h5', 'skin_file_opened', [['anonymous_id', `a${n}`, 'h5']], { campaign: 'member_day' }));
  }
  await place.house.tell(statements);
  await place.kith.put('/plan/events/Order%20Paid', { status: 'planned', properties: [{ name: 'order_id', type: 'text', required: true }] });
  await place.house.tell([did('tmall', 'Order Paid', [tmall(1)], { total: 5, currency: 'CNY' })]);
  await place.kith.settled();
}

for (const [language, theme] of [['zh', 'light'], ['en', 'dark']]) {
  test(`every page with data, ${language}, ${theme}: nothing wrong in the browser, nothing that axe finds`, { skip: missingConsole }, async () => {
    if (language === 'zh') await fill();
    const visit = await place.enter({ language, theme });
    const her = await place.house.who(['user_id', 'u3']);
    for (const path of [...pages, `/customers/${her}`, `/customers/${her}/graph`, `/customers/${her}/consents`, `/customers/${her}/merges`, `/customers/${her}/explain`, `/customers/${her}/raw`]) {
      await visit.walk(path);
      await visit.accessible(`${path} in ${language}, ${theme}`);
      await visit.fits(path);
      if (language === 'en') {
        const chinese = await visit.page.locator('nav, .page-head, .ant-table-thead').evaluateAll((parts) => parts.map((part) => part.innerText).join(' ').replaceAll('熟客', '').match(/[\u4e00-\u9fff]+/g));
        /* names that people gave to things stay as they are */
        assert.equal(chinese, null, `Chinese words in the English frame of ${path}`);
      }
    }
    visit.clean();
    await visit.close();
  });
}

test('every page fits a phone', { skip: missingConsole }, async () => {
  const visit = await place.enter({ width: 390, height: 844 });
  const her = await place.house.who(['user_id', 'u3']);
  for (const path of [...pages, `/customers/${her}`, `/customers/${her}/graph`, `/customers/${her}/merges`]) {
    await visit.walk(path);
    await visit.fits(path);
  }
  await visit.go('/');
  await visit.button('打开导航').click();
  await visit.page.getByRole('dialog').getByRole('link', { name: '全部客户' }).click();
  await visit.page.getByRole('heading', { name: '全部客户' }).waitFor();
  visit.clean();
  await visit.close();
});

test('language and theme switch at once and are kept', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  await visit.go('/customers');
  await visit.button('Switch to English').click();
  await visit.page.getByRole('heading', { name: 'All customers' }).waitFor();
  assert.equal(await visit.page.evaluate(() => document.documentElement.lang), 'en');
  await visit.button('Switch to dark').click();
  assert.equal(await visit.page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await visit.go('/data/sources');
  await visit.page.getByRole('heading', { name: 'Sources' }).waitFor();
  assert.equal(await visit.page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  visit.clean();
  await visit.close();
});

test('Ctrl-K finds customers and pages from the keyboard alone', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/');
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: '搜索' });
  await box.waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'combobox');
  await page.keyboard.type('客户7');
  // the entry that searches the list has her name, too, and stands there before she is found
  await until('the customer is found and chosen', async () => {
    const chosen = await page.locator('[role=option][aria-selected=true]').innerText();
    return /客户7\b/.test(chosen) && !chosen.includes('搜索「');
  });
  await visit.accessible('the search palette');
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/customers/${await place.house.who(['user_id', 'u7'])}`));
  await box.waitFor({ state: 'hidden' });

  await page.keyboard.press('Control+k');
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'combobox');
  await page.keyboard.type('隔离');
  await page.getByRole('option', { name: /隔离区/ }).waitFor();
  await until('the page among the options is chosen', async () => {
    if ((await page.locator('[role=option][aria-selected=true]').innerText()).startsWith('隔离区')) return true;
    await page.keyboard.press('ArrowDown');
    return false;
  });
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '隔离区' }).waitFor();
  visit.clean();
  await visit.close();
});

test('today: the figures of the day lead to the people; what is defined is found by its name; an export shows how far it is', { skip: missingConsole }, async () => {
  await place.kith.put('/segments/buyers', { name: '下过单的人', rule: { event: 'Order Paid' } });
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/');
  await page.getByRole('link', { name: '看看是谁：下单客户 70' }).click();
  await page.locator('.rule-figure:not(.old)').getByText('70', { exact: true }).waitFor();

  await page.keyboard.press('Control+k');
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'combobox');
  await page.keyboard.type('下过单');
  await page.getByRole('option', { name: /下过单的人/ }).click();
  await page.getByRole('heading', { name: '下过单的人' }).waitFor();

  await place.kith.post('/segments/buyers/exports', { format: 'csv', columns: ['one_id'] });
  await visit.go('/');
  await page.getByRole('button', { name: /^任务进度/ }).click();
  await page.getByRole('link', { name: '导出 buyers' }).waitFor();
  await page.getByRole('link', { name: '下载' }).waitFor();
  await visit.accessible('the tray of jobs');
  await photograph(visit, 'jobs');
  visit.clean();
  await visit.close();
});

test('the red button is in the bar above, wherever one is', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.go('/data/sources');
  await page.getByRole('banner').getByRole('button', { name: '急停' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: /为什么停/ }).fill('wrong price');
  await dialog.getByRole('button', { name: '急停' }).click();
  await until('nothing is sent', async () => (await place.kith.get('/stop')).items.length === 1);
  await page.getByRole('button', { name: /^需要处理，/ }).click();
  await page.getByRole('link', { name: /急停：所有发送已停止/ }).click();
  await visit.button('恢复发送').click();
  await until('it goes on', async () => (await place.kith.get('/stop')).items.length === 0);
  visit.clean();
  await visit.close();
});

test('customers are paged by the server and back', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  await visit.go('/customers?identifier=user_id');
  const rows = visit.page.locator('tbody tr.ant-table-row');
  await until('the first page', async () => (await rows.count()) === 50);
  const first = await rows.first().innerText();
  await visit.button('下一页').click();
  await until('the second page', async () => (await rows.count()) === 20);
  assert.ok((await rows.allInnerTexts()).every((row) => row !== first), 'no customer twice');
  await visit.button('上一页').click();
  await until('the first page again', async () => (await rows.count()) === 50);
  assert.equal(await rows.first().innerText(), first);

  // by a rule, with a trait as a column: in the address, and kept as a view
  const rule = JSON.stringify({ has: 'user_id' });
  await visit.go(`/customers?columns=orders,trait.city&rule=${encodeURIComponent(rule)}`);
  await visit.page.getByText(/共 70 位/).waitFor();
  await visit.page.getByRole('columnheader', { name: '城市' }).waitFor();
  await visit.button('视图').click();
  await visit.button('把现在的样子存为视图…').click();
  const dialog = visit.page.getByRole('dialog', { name: '保存视图' });
  await dialog.getByLabel('名称').fill('有账号的人');
  await dialog.getByRole('button', { name: '保存' }).click();
  await visit.button('有账号的人').waitFor();
  await visit.go('/customers');
  await visit.button('视图').click();
  await visit.page.getByRole('button', { name: /^有账号的人/ }).click();
  await visit.page.getByText(/共 70 位/).waitFor();
  assert.equal(new URL(visit.page.url()).searchParams.get('rule'), rule);
  visit.clean();
  await visit.close();
});

test('one who may only look sees why the rest is disabled', { skip: missingConsole }, async () => {
  await place.kith.put('/users/looks', { name: '只看', password, role: 'viewer', locale: 'zh-CN' });
  const visit = await place.enter({ as: 'looks' });
  await visit.go('/data/sources');
  const create = visit.button(/新建数据源/);
  assert.equal(await create.getAttribute('aria-disabled'), 'true');
  await create.hover();
  await visit.page.getByRole('tooltip').getByText('你的角色不能「管理数据源」').waitFor();
  await create.click({ force: true });
  assert.equal(await visit.page.getByRole('dialog').count(), 0);
  await visit.close();
});

test('a server that goes away is said, and its return needs nobody', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  await visit.go('/');
  await visit.page.route('**/api/v1/identity/types', (route) => route.abort());
  await visit.page.getByRole('link', { name: '识别规则' }).click();
  await visit.page.getByRole('alert').getByText('连不上服务器').waitFor();
  await visit.page.unroute('**/api/v1/identity/types');
  await visit.button('重试').click();
  await visit.page.locator('table').getByText('member_card').waitFor();
  visit.clean((fault) => /ERR_FAILED/.test(fault));
  await visit.close();
});

test('administration: a role is copied and changed, a person gets it and a team, and the menu shows her what it permits', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await visit.walk('/settings/roles?role=auditor');
  await visit.button('复制为自建角色').click();
  await page.getByLabel('名称').fill('只看记录');
  await page.getByLabel('代号').fill('looks_back');
  await page.getByRole('checkbox', { name: '查看系统状态', exact: true }).uncheck();
  await page.getByText('去掉 1 项').waitFor();
  await visit.accessible('a role being changed');
  await visit.button('保存角色').click();
  await page.getByRole('heading', { name: '角色', exact: true }).waitFor();
  const role = await until('the role is kept', () => place.kith.get('/roles/looks_back').catch(() => undefined));
  assert.ok(role.permissions.includes('audit.see') && !role.permissions.includes('system.see'));

  await place.kith.put('/users/past', { name: '回看', password, roles: ['looks_back'], locale: 'zh-CN' });
  const hers = await place.enter({ as: 'past' });
  await hers.go('/');
  await hers.page.getByRole('navigation').getByRole('button', { name: '设置' }).click(); // the group is folded at first
  await hers.page.getByRole('link', { name: '操作记录' }).waitFor();
  assert.equal(await hers.page.getByRole('navigation').getByRole('link', { name: '系统状态' }).count(), 0);
  await hers.go('/settings/system');
  await hers.text(/这一页需要「查看系统状态」的权限/).waitFor();
  await hers.go('/settings/audit?action=role.');
  await hers.button('校验完整性').click();
  await hers.text(/^记录完整：/).waitFor();
  hers.clean();
  await hers.close();
  visit.clean();
  await visit.close();
});
