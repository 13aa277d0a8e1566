/* SPDX-License-Identifier: Apache-2.0 */
/* guide-pictures: takes the pictures of docs/guide and of the README from a running demo, in both languages.
 *
 *     demo/run                                     in another window, until it has lived on for some minutes
 *     node web/tools/guide-pictures.mjs [demo-data]
 *
 * The address and the login are in demo.json of that folder. A picture that is larger than 150 KB is refused: take less of the page.
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { chromium } = createRequire(join(root, 'tests/package.json'))('playwright-core');
const [folder = join(root, 'demo-data')] = process.argv.slice(2);
const notes = JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8'));
const base = process.env.KITH_URL ?? 'http://127.0.0.1:8080';
const [login, password] = notes.login.split(' / ');
const largestBytes = 150 * 1024;
const viewport = { width: 1180, height: 700 };
const rule = encodeURIComponent(JSON.stringify({ event: 'Order Paid', last: '90d', gte: 2 }));
/* somebody of whom much is known */
const known = { all: [{ event: 'Order Paid', last: '180d' }, { has: 'user_id' }, { has: 'wecom_external_userid' }, { tag: 'skin_type', is_set: true }, { trait: 'name', is_set: true }, { consent: 'marketing' }, { event: 'Message Received', last: '60d' }] };
const segment = encodeURIComponent(JSON.stringify({
  name: '要回门店的老客', rule: { all: [
    { tag: 'lifecycle', in: ['成长', '成熟', '沉睡'] },
    { any: [{ event: 'Product Viewed', where: [{ prop: 'category', eq: '精华' }], last: '90d', gte: 1 }, { segment: 'replenishment_due' }] },
    { event: 'Order Paid', where: [{ object: 'product', via: 'products.product_id', rule: { tag: 'hot', eq: '热销' } }], last: '1y', gte: 1 }] },
}));

/* below the bar that stays above */
const scrollTo = (selector) => (page) => page.locator(selector).first().evaluate((element) => window.scrollBy(0, element.getBoundingClientRect().top - 80));

/* name, address, what has to be there before the picture is taken, how much of the page from its top, what is done before it is taken */
const pictures = [
  ['today', () => '/', 'canvas', 700],
  ['segment', () => `/new/segment?define=${segment}`, '.ant-select', 700, scrollTo('text=/^(条件|Conditions)$/')],
  ['overlap', () => '/overlap', 'main', 700],
  ['tag', () => '/tags/rfm', 'tbody tr.ant-table-row', 540],
  ['journey', () => '/journeys/four_rounds', '.react-flow__node', 700],
  ['calendar', () => '/calendar?view=week', 'main', 700],
  ['objects', () => '/data/objects?kind=store', 'tbody tr.ant-table-row', 540],
  ['teams', () => '/settings/teams', 'tbody tr.ant-table-row', 600],
  ['customers', () => `/customers?columns=orders,revenue,trait.birthday,segments,lastSeen&rule=${rule}`, 'tbody tr.ant-table-row', 620],
  ['customer', (who) => `/customers/${who}`, '.timeline-day', 540],
  ['accounts', () => '/touches?tab=accounts', 'tbody tr.ant-table-row', 600],
];

async function someone(page) {
  const who = await page.evaluate(async (rule) => {
    const answer = await fetch('/api/v1/customers/find?limit=1', { method: 'POST', headers: { 'content-type': 'application/json', 'x-kith-request': '1' }, body: JSON.stringify({ rule }) });
    return (await answer.json()).items[0]?.one_id;
  }, known);
  if (who === undefined) throw new Error('nobody in this demo has an adviser, a skin type and an order: start it with more --customers');
  return who;
}

async function take(page, language) {
  const who = await someone(page);
  for (const [name, address, ready, height, prepare] of pictures) {
    await page.goto(base + address(who));
    await page.locator(ready).first().waitFor({ timeout: 120_000 });
    // what is further down is loaded when somebody comes there
    await page.waitForFunction((bottom) => [...document.querySelectorAll('.bone')].every((bone) => bone.getBoundingClientRect().top > bottom), height, { timeout: 120_000 });
    await prepare?.(page);
    await page.waitForTimeout(1000);   // what is counted as one types is there, what moves has come to rest
    const path = join(root, 'docs/guide/pictures', `${name}-${language}.png`);
    await page.screenshot({ path, clip: { x: 0, y: 0, width: viewport.width, height } });
    const { size } = statSync(path);
    if (size > largestBytes) throw new Error(`${path} has ${size} bytes, more than ${largestBytes}`);
    process.stdout.write(`${path}: ${Math.round(size / 1024)} KB\n`);
  }
}

mkdirSync(join(root, 'docs/guide/pictures'), { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  for (const language of ['zh', 'en']) {
    const context = await browser.newContext({ viewport, locale: language === 'zh' ? 'zh-CN' : 'en-GB', colorScheme: 'light', reducedMotion: 'reduce' });
    await context.addInitScript((chosen) => { localStorage.setItem('kith.language', chosen); localStorage.setItem('kith.tour', 'done'); }, language);
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(base);
    await page.locator('input[type=password]').fill(password);
    await page.locator('input').first().fill(login);
    await page.keyboard.press('Enter');
    await page.locator('input[type=password]').waitFor({ state: 'detached' });
    await take(page, language);
    await context.close();
  }
} finally {
  await browser.close();
}
