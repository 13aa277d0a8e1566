/* SPDX-License-Identifier: Apache-2.0 */
/* guide-pictures: takes the pictures of docs/guide from a running demo, in both languages.
 *
 *     demo/run --customers 3000                    in another window, until it lives on
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

/* name, address, what has to be there before the picture is taken, how much of the page from its top */
const pictures = [
  ['today', () => '/', 'canvas', 700],
  ['customers', () => `/customers?columns=orders,revenue,trait.birthday,segments,lastSeen&rule=${rule}`, 'tbody tr.ant-table-row', 700],
  ['customer', (who) => `/customers/${who}`, '.timeline-day', 540],
  ['accounts', () => '/touches?tab=accounts', 'tbody tr.ant-table-row', 600],
];

async function someone(page) {
  return page.evaluate(async (text) => {
    const answer = await fetch('/api/v1/customers/find?limit=1', { method: 'POST', headers: { 'content-type': 'application/json', 'x-kith-request': '1' }, body: JSON.stringify({ rule: JSON.parse(decodeURIComponent(text)) }) });
    return (await answer.json()).items[0].one_id;
  }, rule);
}

async function take(page, language) {
  const who = await someone(page);
  for (const [name, address, ready, height] of pictures) {
    await page.goto(base + address(who));
    await page.locator(ready).first().waitFor({ timeout: 120_000 });
    await page.waitForFunction(() => document.querySelector('.bone') === null, undefined, { timeout: 120_000 });
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
