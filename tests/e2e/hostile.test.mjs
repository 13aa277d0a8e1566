// SPDX-License-Identifier: Apache-2.0
// X7 in the browser: 200 texts that would run, if anybody took them for more than texts, stand wherever people and sources put texts, and
// every page that shows them is opened. The pages' policy against inline script is switched off for it: escaping alone has to hold.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { did, known } from '../s1/support.mjs';
import { Place, login, missingConsole, until } from './support.mjs';

let place;
before(async () => {
  if (!missingConsole) place = await Place.open();
});
after(() => place?.close());

/* Each that becomes an element carries data-kith, each that runs says so. */
const bases = [
  '<script data-kith>kithRan()</script>', '<img data-kith src=/none onerror=kithRan()>', '<svg data-kith onload=kithRan()>', '<svg data-kith><script>kithRan()</script></svg>', '<iframe data-kith srcdoc="<script>parent.kithRan()</script>"></iframe>',
  '<iframe data-kith src="javascript:parent.kithRan()"></iframe>', '<body data-kith onload=kithRan()>', '<input data-kith autofocus onfocus=kithRan()>', '<details data-kith open ontoggle=kithRan()>x</details>', '<video data-kith><source onerror=kithRan()></video>',
  '<audio data-kith src=/none onerror=kithRan()></audio>', '<marquee data-kith onstart=kithRan()>x</marquee>', '<a data-kith href="javascript:kithRan()">x</a>', '<form data-kith action="javascript:kithRan()"><button>x</button></form>', '<object data-kith data="javascript:kithRan()"></object>',
  '<embed data-kith src="javascript:kithRan()">', '<math data-kith><mtext><img data-kith src=/none onerror=kithRan()></mtext></math>', '<style data-kith onload=kithRan()></style>', '<link data-kith rel=stylesheet href=/none onerror=kithRan()>', '<base data-kith href="//evil.example/">',
  '<meta data-kith http-equiv=refresh content="0;url=javascript:kithRan()">', '<template data-kith><img src=/none onerror=kithRan()></template>', '<img data-kith src="//evil.example/x.png">', '<div data-kith style="animation:x 1s" onanimationstart=kithRan()>x</div>', '<select data-kith autofocus onfocus=kithRan()></select>',
  'javascript:kithRan()', 'JaVaScRiPt:kithRan()', 'data:text/html,<script data-kith>parent.kithRan()</script>', '" onmouseover="kithRan()" data-kith="', "' autofocus onfocus='kithRan()' data-kith='",
  '` onerror=`kithRan()` data-kith=`', '{{constructor.constructor("kithRan()")()}}', '${kithRan()}', '<!--><img data-kith src=/none onerror=kithRan()>-->', '<![CDATA[<img data-kith src=/none onerror=kithRan()>]]>',
  '\u003cimg data-kith src=/none onerror=kithRan()\u003e', '&lt;img data-kith src=/none onerror=kithRan()&gt;', '<img data-kith src=/none onerror="&#107;ithRan()">', '<x data-kith onclick=kithRan() tabindex=0 autofocus onfocus=kithRan()>', '<sc<script data-kith>ript>kithRan()</script>',
];
const disguises = [(text) => text, (text) => `">${text}`, (text) => `'>${text}`, (text) => `</textarea></title></script></style>${text}`, (text) => `a\u202e]]>${text}`];
const payloads = bases.flatMap((base) => disguises.map((disguise) => disguise(base)));
const everyNth = (n, offset = 0) => payloads.filter((_, index) => index % n === offset);

const journey = (text) => ({
  name: text, description: text, trigger: { type: 'event', event: 'Hostile Seen' }, start: 'wait',
  nodes: { wait: { type: 'wait', for: '1d', name: text, next: 'mark' }, mark: { type: 'trait', trait: 'marked', value: text } },
});

/** What is refused is no page's matter; what is taken has to be shown as text. How many were taken. */
async function put(texts, path, body, method = 'PUT') {
  let taken = 0, refusal = '';
  for (const [index, text] of texts.entries()) {
    const answer = await fetch(`${place.kith.url}/api/v1${path(index, text)}`, {
      method, headers: { authorization: `Bearer ${place.kith.token}`, 'content-type': 'application/json' }, body: JSON.stringify(body(text, index)),
    });
    if (answer.ok) taken++;
    else refusal = `${answer.status} ${await answer.text()}`;
    assert.ok(answer.status < 500, refusal);
  }
  assert.ok(taken > 0, `nothing was taken at ${path(0, texts[0])}: ${refusal}`);
  return taken;
}

/* One who has all of them, and forty who have one each. */
async function people() {
  const traits = Object.fromEntries(payloads.map((text, index) => [`t${index}`, text]));
  const items = [known('crm', [['user_id', 'hostile']], { ...traits, name: payloads[1], nickname: payloads[2], city: payloads[0], avatar: payloads[25] })[1]];
  payloads.forEach((text, index) => {
    items.push(did('crm', index % 2 === 0 ? 'Hostile Seen' : text.slice(0, 100), [['user_id', 'hostile']], { title: text, product_name: text, [text.slice(0, 60)]: text, url: text }, { context: { page: { url: text, title: text, referrer: text }, externalIds: [{ type: 'user_id', id: 'hostile', collection: 'users', encoding: 'none' }] } })[1]);
  });
  everyNth(5).forEach((text, index) => items.push(known('crm', [['user_id', `h${index}-${text}`.slice(0, 200)]], { name: text, city: text })[1]));
  for (let at = 0; at < items.length; at += 100) await place.kith.batch(place.house.keys.crm, items.slice(at, at + 100));
}

/* A file whose name, columns and cells are hostile; every row is refused and stands in the report. */
async function broughtIn() {
  const rows = everyNth(5).map((text, index) => `"${text.replaceAll('"', '""')}","no time","${index}"`);
  const bytes = Buffer.from(['order,paid_at,amount', ...rows].join('\n') + '\n');
  const { id } = await place.kith.api('POST', '/uploads', { name: `${payloads[1].replaceAll('/', '')}.csv`, size_bytes: bytes.length });
  const answer = await fetch(`${place.kith.url}/api/v1/uploads/${id}?offset=0`, { method: 'PUT', headers: { authorization: `Bearer ${place.kith.token}`, 'content-type': 'application/octet-stream' }, body: bytes });
  assert.equal(answer.status, 200, await answer.text());
  const mapping = {
    kind: 'events', zone: '+08:00', currency: 'CNY', columns: { order: ['order'] }, key: '[order]', identifiers: [{ type: 'user_id', value: '[order]' }],
    properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' } }, events: [{ event: 'Order Paid', time: '[paid_at]' }],
  };
  const job = await place.kith.api('POST', '/imports', { file: `upload:${id}`, mapping, data_set: 'hostile' });
  await until('the import to end', async () => !['queued', 'running'].includes((await place.kith.api('GET', `/jobs/${job.id}`)).state));
  return job.id;
}

test('X7: 200 hostile texts in names, traits, events, definitions and files run nowhere in the console', { skip: missingConsole }, async () => {
  assert.ok(payloads.length >= 200 && new Set(payloads).size >= 195, `${payloads.length}`);
  await people();
  const few = everyNth(10);
  await put(few, (i) => `/segments/hostile_${i}`, (text) => ({ name: text, folder: text, description: text, rule: { trait: 'city', eq: text } }));
  await put(few, (i) => `/tags/hostile_${i}`, (text) => ({ name: text, folder: text, description: text, kind: 'manual', type: 'text' }));
  await put(few, (i) => `/templates/hostile_${i}`, (text) => ({ name: text, description: text, channel: 'sms', parts: { template_code: 'S', text: `hello ${text.replaceAll('{', '(')}` } }));
  await put(few, (i) => `/journeys/hostile_${i}`, journey);
  await put(few, (i) => `/users/hostile${i}`, (text) => ({ name: text, password: 'jade teapot 8 lanterns', role: 'analyst' }));
  await put(few, (i) => `/teams/hostile${i}`, (text) => ({ name: text }));
  await put(few, (i) => `/object-kinds/hostile_${i}`, (text) => ({ name: text, properties: { shade: { type: 'text', name: text, description: text } } }));
  await put(few, (i) => `/objects/hostile_0/${i}`, (text) => ({ props: { name: text, shade: text } }));
  await put(few, () => '/sources', (text, i) => ({ key: `hostile_${i}`, name: text, kind: 'server' }), 'POST');
  await put(few, (i) => `/plan/events/Planned%20${i}`, (text) => ({ status: 'planned', description: text, properties: [{ name: 'shade', type: 'text', required: true, values: [text] }] }));
  const job = await broughtIn();
  const oneId = await place.house.who(['user_id', 'hostile']);
  await place.kith.batch(place.house.keys.crm, few.map((text, i) => did('crm', `Planned ${i}`, [['user_id', 'hostile']], { shade: `odd ${text}` })[1]));
  await place.kith.settled();
  await put([payloads[0]], () => `/customers/${oneId}/consent/sms`, (text) => ({ granted: true, evidence: text, text_version: text.slice(0, 90) }));
  await put(few, () => '/tags/hostile_0/values', (text) => ({ values: [{ customer: oneId, value: text }] }), 'POST');

  /* a browser that would run what gets through, and says so */
  const context = await place.browser.newContext({ viewport: { width: 1366, height: 768 }, bypassCSP: true });
  context.setDefaultTimeout(Number(process.env.KITH_PATIENCE_MS ?? 60_000));
  const ran = [];
  await context.exposeFunction('kithRan', () => ran.push('it ran'));
  await context.addInitScript(() => {
    localStorage.setItem('kith.language', 'zh');
    localStorage.setItem('kith.tour', 'done');
  });
  await place.signIn({ page: { context: () => context } }, login);
  const page = await context.newPage();
  page.on('dialog', (dialog) => { ran.push(`a dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.on('request', (request) => { if (request.url().includes('evil.example')) ran.push(request.url()); });

  /* what is loading is out of sight: the end of a long list waits to be reached */
  const settled = () => page.waitForFunction(() => document.querySelector('main') !== null && [...document.querySelectorAll('[aria-busy="true"]')].every((one) => one.getBoundingClientRect().top > innerHeight));
  const shown = async (what) => {
    await settled();
    const created = await page.evaluate(() => [...document.querySelectorAll('[data-kith], a[href^="javascript:" i], iframe[srcdoc*="kithRan"]')].map((one) => one.outerHTML.slice(0, 200)));
    assert.deepEqual(created, [], `${what} made elements of texts`);
    assert.deepEqual(ran, [], what);
  };
  await page.goto(`${place.kith.url}/customers/${oneId}`);
  await shown('the customer');
  assert.ok((await page.locator('main').innerText()).includes('kithRan'), 'the texts are on the page, as texts');

  let step = 0;
  const walk = async (path) => {
    const old = await page.locator('main').getAttribute('data-visit');
    await page.evaluate(([to, key]) => {
      history.pushState({ usr: null, key, idx: (history.state?.idx ?? 0) + 1 }, '', to);
      dispatchEvent(new PopStateEvent('popstate', { state: history.state }));
    }, [path, `hostile-${++step}`]);
    await page.waitForFunction((before) => document.querySelector('main')?.dataset.visit !== before, old);
    await shown(path);
  };
  for (const tab of ['consents', 'graph', 'explain', 'raw']) await walk(`/customers/${oneId}/${tab}`);
  for (const path of [
    '/', '/segments/hostile_1/edit', '/tags/hostile_0', '/templates/hostile_1', '/data/objects', '/data/plan', '/data/quarantine', '/data/traits', `/data/imports/${job}`,
    '/identity/suggestions', '/settings/teams/hostile1', '/settings/audit',
  ]) await walk(path);
  /* here they have to be seen, as texts, before the page is judged */
  for (const path of ['/customers', '/segments', '/segments/hostile_0', '/tags', '/templates', '/journeys', '/journeys/hostile_1', '/data/sources', '/data/objects/hostile_0/1', '/data/imports', '/settings/people', '/settings/teams']) {
    await walk(path);
    await until(`the texts to be on ${path}`, () => page.evaluate(() => document.querySelector('main')?.innerText.includes('kithRan') === true));
    await shown(path);
  }

  /* who watches would see it: the same texts, taken for more, do run */
  await page.evaluate((text) => document.body.insertAdjacentHTML('beforeend', text), payloads[5]);
  await until('a text that is taken for more to run', () => ran.length > 0);
  await assert.rejects(shown('the page that was made to'));
  await context.close();
});
