/* SPDX-License-Identifier: Apache-2.0 */
/* page-pictures: photographs every page of a running demo, and says of each what a machine can see: wider than its window, text that is
 * cut without a way to read it, Chinese words in the English frame, keys instead of words.
 *
 *     demo/run                                                  in another window
 *     node web/tools/page-pictures.mjs FOLDER [zh|en] [light|dark] [1366|390] [demo-data] [words of addresses…]
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { chromium } = createRequire(join(root, 'tests/package.json'))('playwright-core');
const [out = 'pictures', language = 'zh', theme = 'light', width = '1366', folder = join(root, 'demo-data'), ...only] = process.argv.slice(2);
const notes = JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8'));
const base = process.env.KITH_URL ?? 'http://127.0.0.1:8080';
const [login, password] = notes.login.split(' / ');

/* somebody of whom much is known */
const known = { all: [{ event: 'Order Paid', last: '180d' }, { has: 'user_id' }, { has: 'wecom_external_userid' }, { tag: 'skin_type', is_set: true }] };

/* Every page, with one example of what a page is about. */
async function addresses(page) {
  const ask = (path, body) => page.evaluate(async ([path, body]) => {
    const answer = await fetch(`/api/v1${path}`, { method: body === undefined ? 'GET' : 'POST', headers: { 'content-type': 'application/json', 'x-kith-request': '1' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return answer.json();
  }, [path, body]);
  const who = (await ask('/customers/find?limit=1', { rule: known })).items[0].one_id;
  const job = (await ask('/jobs?limit=50')).items?.find((one) => one.kind.includes('import'))?.id;
  const of = (start, tabs) => tabs.map((tab) => (tab === '' ? start : `${start}/${tab}`));
  return [
    '/', '/customers', ...of(`/customers/${who}`, ['', 'orders', 'coupons', 'skin', 'journeys', 'consents', 'graph', 'merges', 'explain', 'raw']),
    '/segments', ...of('/segments/vip', ['', 'reach', 'history', 'profile', 'overlap', 'explain', 'definition']), '/segments/vip/edit', '/new/segment',
    '/tags', ...of('/tags/rfm', ['', 'history', 'explain', 'definition']), '/tags/lifecycle', '/tags/rfm/edit', '/tags/lifecycle/edit', '/new/tag', '/new/tag?kind=score', '/overlap',
    '/journeys', '/journeys?create=yes', ...of('/journeys/four_rounds', ['', 'trial', 'whatif', 'json', 'report', 'explain', 'versions']), '/journeys/double12', '/templates', '/templates/round_1_invite', '/templates/vip_letter', '/templates/skin_file', '/new/template',
    '/touches', '/touches?tab=accounts', '/touches?tab=corrections', '/touches?tab=ways', '/touches?tab=codes', '/calendar', '/calendar?view=week', '/calendar?view=list', '/policy', '/policy?tab=ranks', '/policy?tab=gates', '/policy?tab=history',
    '/identity/link-rate', '/identity/review', '/identity/suggestions', '/identity/rules', '/data/live', '/data/sources', '/data/sources/h5', '/data/sources/crm', '/data/feeds', '/data/sinks', '/data/imports', '/data/imports/new', ...(job === undefined ? [] : [`/data/imports/${job}`]),
    '/data/objects', '/data/objects?kind=store', '/data/objects/product/muye-001', '/data/plan', '/data/traits', '/data/quarantine',
    '/settings/system', '/settings/system?tab=sources', '/settings/system?tab=jobs', '/settings/system?tab=backups', '/settings/system?tab=servers', '/settings/people', '/settings/roles', '/settings/teams', '/settings/teams/tmall', '/new/team',
    '/settings/tokens', '/settings/sign-in', '/settings/privacy', '/settings/retention', '/settings/keys', '/settings/audit', '/settings/preferences', '/help/glossary', '/no/such/page',
  ];
}

/* What a look at the drawn page tells without eyes. */
const look = (isEnglish) => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push(`wide: ${document.documentElement.scrollWidth} in ${innerWidth}`);
  const seen = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 0;
  for (const element of document.querySelectorAll('main *, nav *, header *')) {
    if (!seen(element) || element.closest('.react-flow, svg, canvas, .ant-select, textarea, input') !== null) continue;
    const style = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!hasText) continue;
    const text = element.textContent.trim().slice(0, 60);
    if (element.scrollWidth > element.clientWidth + 1 && style.overflowX !== 'visible' && style.overflowX !== 'auto' && style.overflowX !== 'scroll' && style.display !== 'inline' && element.title === '' && element.closest('[title]') === null && element.clientWidth > 1) found.push(`cut: ${text}`);
    const right = element.getBoundingClientRect().right;
    if (right > innerWidth + 1 && element.closest('.ant-table, .tabs, .scroll, [class*=scroll], pre') === null) {
      let holder = element.parentElement;
      while (holder !== null && !['auto', 'scroll', 'hidden'].includes(getComputedStyle(holder).overflowX)) holder = holder.parentElement;
      if (holder === null) found.push(`beyond the edge: ${text}`);
    }
    if (/undefined|NaN|\[object|\bnull\b|Invalid Date/.test(text) && element.closest('pre, code, .mono') === null) found.push(`odd: ${text}`);
  }
  if (isEnglish) {
    const frame = [...document.querySelectorAll('nav, .page-head, .ant-table-thead, button, label, legend, h2, h3, dt, .small.faint')].filter(seen).map((part) => part.innerText);
    const chinese = [...new Set(frame.filter((text) => /[一-鿿]/.test(text.replaceAll('熟客', ''))).map((text) => text.slice(0, 50)))];
    if (chinese.length > 0) found.push(`Chinese: ${chinese.slice(0, 8).join(' | ')}`);
  }
  return [...new Set(found)].slice(0, 12);
};

mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.KITH_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const context = await browser.newContext({ viewport: { width: Number(width), height: width === '1366' ? 768 : 844 }, locale: language === 'zh' ? 'zh-CN' : 'en-GB', reducedMotion: 'reduce' });
  await context.addInitScript(([chosen, scheme]) => {
    localStorage.setItem('kith.language', chosen);
    localStorage.setItem('kith.theme', scheme);
    localStorage.setItem('kith.tour', 'done');
  }, [language, theme]);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  let faults = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && faults.push(message.text().slice(0, 200)));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('response', (answer) => answer.status() >= 400 && faults.push(`${answer.status()} ${answer.url()}`));
  await page.goto(base);
  await page.locator('input[type=password]').fill(password);
  await page.locator('input').first().fill(login);
  await page.keyboard.press('Enter');
  await page.locator('input[type=password]').waitFor({ state: 'detached' });
  const all = (await addresses(page)).filter((address) => only.length === 0 || only.some((word) => (word.startsWith('=') ? address === word.slice(1) : address.includes(word))));
  for (const [at, address] of all.entries()) {
    faults = [];
    await page.goto(base + address);
    await page.waitForFunction(() => document.querySelector('main h1') !== null && document.querySelector('[aria-busy="true"], .bone') === null, undefined, { timeout: 20_000 }).catch(() => faults.push('still loading after 20 s'));
    await page.waitForTimeout(350); /* what is drawn a moment later: charts, counts */
    const name = `${String(at).padStart(3, '0')}${address.replace(/01[A-Z0-9]{20,}|[A-Z0-9]{20,}/, 'her').replaceAll(/[/?=&]+/g, '_')}`;
    await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
    const found = [...(await page.evaluate(look, language === 'en')), ...faults];
    process.stdout.write(`${name}${found.length === 0 ? '' : `\n    ${found.join('\n    ')}`}\n`);
  }
} finally {
  await browser.close();
}
