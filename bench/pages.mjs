// SPDX-License-Identifier: Apache-2.0
// pages: how long each page of the console takes until nothing on it is loading any more, in a real browser against a server that runs.
//
//     KITH_ADMIN_TOKEN=… node bench/pages.mjs URL [TIMES]     TIMES visits a page (default 3), the median and the worst are told
//
// A person of its own is made for it, signs in, and is removed. Two segments and two tags are made where there are none, so that
// there is something to count. What is asked of the server while a page comes up and takes longest is told beside it.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../tests/package.json', import.meta.url))('playwright-core');
const [base, times = '3'] = process.argv.slice(2);
const token = process.env.KITH_ADMIN_TOKEN;
if (!base || !token) {
  console.error('KITH_ADMIN_TOKEN=… node bench/pages.mjs URL [TIMES]');
  process.exit(2);
}
const login = 'bench-pages', password = 'teal kettle 9 lanterns';

async function api(method, path, body) {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

async function somethingToCount() {
  const event = (await api('GET', '/plan/events')).items.sort((a, b) => (b.count ?? 0) - (a.count ?? 0))[0]?.name;
  if (event === undefined) return;
  if ((await api('GET', '/segments')).items.length === 0)
    for (const [key, least] of [['often', 5], ['once', 1]])
      await api('PUT', `/segments/${key}`, { rule: { event, measure: 'count', gte: least } });
  if ((await api('GET', '/tags')).items.length === 0)
    await api('PUT', '/tags/how_often', { kind: 'count', measure: { event, measure: 'count' } });
}

await somethingToCount();
const customer = (await api('GET', '/customers?limit=1')).items[0]?.one_id;
const segment = (await api('GET', '/segments')).items[0]?.key, tag = (await api('GET', '/tags')).items[0]?.key;
const pages = [
  '/', '/customers', ...(customer ? [`/customers/${customer}`] : []), '/segments', ...(segment ? [`/segments/${segment}`] : []), '/tags', ...(tag ? [`/tags/${tag}`] : []),
  '/overlap', '/journeys', '/calendar', '/policy', '/templates', '/identity/link-rate', '/identity/review', '/identity/rules', '/data/live', '/data/sources', '/data/plan',
  '/data/traits', '/data/quarantine', '/data/objects', '/data/imports', '/settings/system', '/settings/audit', '/settings/privacy',
];

await api('PUT', `/users/${login}`, { name: 'Bench', password, role: 'administrator', locale: 'en-US' });
const browser = await chromium.launch({ executablePath: process.env.KITH_CHROMIUM ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
try {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
  context.setDefaultTimeout(120_000);
  await context.addInitScript(() => localStorage.setItem('kith.tour', 'done'));
  await context.request.post(`${base}/api/v1/session`, { data: { login, password }, headers: { 'X-Kith-Request': '1' } });
  const page = await context.newPage();
  let slowest = [0, ''];
  const open = new Set();
  const isAsked = (request) => request.url().includes('/api/') && !request.url().includes('/stream');
  page.on('request', (request) => isAsked(request) && open.add(request));
  page.on('requestfailed', (request) => open.delete(request));
  page.on('requestfinished', (request) => {
    const ms = request.timing().responseEnd;
    open.delete(request);
    if (isAsked(request) && ms > slowest[0]) slowest = [ms, `${request.method()} ${new URL(request.url()).pathname}`];
  });
  /** Nothing is loading and nothing has been asked for since 60 ms, which do not count. */
  const settled = async () => {
    await page.waitForFunction(() => (document.querySelector('main')?.innerText.length ?? 0) > 20);
    for (let calm = 0, since = 0; ; await new Promise((done) => setTimeout(done, 10))) {
      const busy = open.size > 0 || (await page.locator('[aria-busy="true"]').count()) > 0;
      if (busy) calm = 0;
      else if (calm++ === 0) since = performance.now();
      else if (performance.now() - since > 60) return since;
    }
  };
  console.log('| page | median | worst | what took longest |\n|---|---|---|---|');
  for (const path of pages) {
    const took = [];
    slowest = [0, ''];
    for (let i = 0; i < Number(times); i++) {
      const began = performance.now();
      await page.goto(base + path, { waitUntil: 'domcontentloaded' });
      took.push((await settled()) - began);
    }
    open.clear();
    took.sort((a, b) => a - b);
    const shown = path.replace(customer ?? '-', '{one_id}');
    console.log(`| \`${shown}\` | ${took[took.length >> 1].toFixed(0)} ms | ${took.at(-1).toFixed(0)} ms | ${slowest[1]} ${slowest[0].toFixed(0)} ms |`);
  }
} finally {
  await browser.close();
  await api('DELETE', `/users/${login}`);
}
