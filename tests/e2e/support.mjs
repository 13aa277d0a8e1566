// SPDX-License-Identifier: Apache-2.0
// support: the console of a real server in a real browser, and what every page must keep: no error in the
// browser's log, nothing asked of other hosts, nothing that axe finds.
//
// Everything waits for a state of the page or the server, never for a time: a busy machine is slow, not wrong.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { House } from '../s1/support.mjs';
import { missingBinary, root, until as untilOf } from '../support/kith.mjs';

const chromiumPath = process.env.KITH_CHROMIUM ?? '/usr/bin/chromium';
const axePath = join(root, 'web/node_modules/axe-core/axe.min.js');

/** Why the tests of the console cannot run, or false: for node:test's `skip`. */
export const missingConsole =
  missingBinary ||
  (existsSync(chromiumPath) ? false : `no browser at ${chromiumPath}: install Debian's package chromium`) ||
  (existsSync(axePath) ? false : `no axe at ${axePath}: run \`npm ci\` in web/`);

const patienceMs = Number(process.env.KITH_PATIENCE_MS ?? 60_000);

/** Ask again until `ask` gives something true: how long that may take on a busy machine is the suite's, not the test's. */
export const until = (what, ask) => untilOf(what, ask, { timeoutMs: patienceMs });

/** So many of them, not yet or no more, once what was clicked has been drawn. */
export const counted = (locator, wanted) => until(`${locator} to be ${wanted}`, async () => (await locator.count()) === wanted);

export const login = 'e2e';
export const password = 'jade teapot 7 lanterns';

/** A brand house (tests/s1/support.mjs) with a person who may do all, and a browser. */
export class Place {
  /** `options` are the server's (tests/support/kith.mjs). */
  static async open(options = {}) {
    const place = new Place();
    const browser = chromium.launch({
      executablePath: chromiumPath,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    browser.catch(() => undefined); /* told below, once the house stands */
    place.house = await House.open(options);
    place.kith = place.house.kith;
    await place.kith.put(`/users/${login}`, { name: '林小雨', password, role: 'administrator', locale: 'zh-CN' });
    place.browser = await browser;
    return place;
  }

  /** A visit that is still open belongs to a test that failed: what was on its page is told. */
  async close() {
    for (const visit of this.visits ?? []) await visit.testify();
    await this.browser?.close();
    await this.house?.close();
  }

  /** A fresh profile, not signed in; `isFirst`: of somebody who was never here, whom the tour greets. */
  async visit({ language = 'zh', theme = 'light', width = 1366, height = 768, isFirst = false } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, acceptDownloads: true });
    context.setDefaultTimeout(patienceMs);
    await context.addInitScript(
      ([chosenLanguage, chosenTheme, chosenTour]) => {
        if (localStorage.getItem('kith.language') === null) localStorage.setItem('kith.language', chosenLanguage);
        if (localStorage.getItem('kith.theme') === null) localStorage.setItem('kith.theme', chosenTheme);
        if (chosenTour !== '' && localStorage.getItem('kith.tour') === null) localStorage.setItem('kith.tour', chosenTour);
      },
      [language, theme, isFirst ? '' : 'done'],
    );
    const page = await context.newPage();
    const visit = new Visit(this, page);
    (this.visits ??= new Set()).add(visit);
    return visit;
  }

  /** The same, signed in: once for a person, since a password is made to be slow to check. */
  async enter({ as = login, ...options } = {}) {
    const visit = await this.visit(options);
    await this.signIn(visit, as);
    return visit;
  }

  async signIn(visit, as = login) {
    const context = visit.page.context();
    this.signedIn ??= new Map();
    if (!this.signedIn.has(as)) {
      const answer = await context.request.post(`${this.kith.url}/api/v1/session`, { data: { login: as, password }, headers: { 'X-Kith-Request': '1' } });
      assert.equal(answer.status(), 200, await answer.text());
      this.signedIn.set(as, await context.cookies());
    } else {
      await context.addCookies(this.signedIn.get(as));
    }
  }
}

/** Choose in one of Ant Design's selects, by its name: in the list that belongs to it, whatever else is closing. */
export async function choose(scope, page, name, option, { exact = false } = {}) {
  const field = scope.getByRole('combobox', { name, exact }).first();
  await field.click();
  if (await field.isEditable()) await field.fill(option); // long lists draw what is near: what is looked for is typed
  const list = page.locator('.ant-select-dropdown').filter({ has: page.locator(`[id="${await field.getAttribute('aria-controls')}"]`) });
  await list.locator('.ant-select-item-option', { hasText: option }).first().click();
  await list.and(page.locator(':not(.ant-select-dropdown-hidden)')).waitFor({ state: 'hidden' });
}

/** A condition more in a rule, by the menu of its last group: clicked again where the menu moved away under the hand. */
export async function addCondition(scope, page, name) {
  const rows = scope.locator('.rule-row');
  const item = page.getByRole('menuitem', { name, exact: true });
  const before = await rows.count();
  await until(`a condition '${name}' more`, async () => {
    if (!(await item.isVisible())) await scope.getByRole('button', { name: /加条件(?!组)/ }).last().click();
    await item.click({ timeout: 10_000 }).catch(() => page.keyboard.press('Escape'));
    await item.waitFor({ state: 'hidden', timeout: 10_000 });
    return (await rows.count()) > before;
  });
}

export class Visit {
  constructor(place, page) {
    this.place = place;
    this.page = page;
    this.faults = [];
    this.steps = 0;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.faults.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(place.kith.url) && !url.startsWith('data:') && !url.startsWith('blob:')) this.faults.push(`asked another host: ${url}`);
    });
  }

  /** Open a path of the console and wait until nothing is loading any more. */
  async go(path) {
    await this.page.goto(`${this.place.kith.url}${path}`);
    await this.settled();
  }

  /** The same by the console itself, as a link does: what was loaded stays, so that many pages are seen in a short time. */
  async walk(path) {
    if (!this.page.url().startsWith(this.place.kith.url)) return this.go(path);
    const before = await this.page.locator('main').getAttribute('data-visit');
    await this.page.evaluate(([to, key]) => {
      history.pushState({ usr: null, key, idx: (history.state?.idx ?? 0) + 1 }, '', to);
      dispatchEvent(new PopStateEvent('popstate', { state: history.state }));
    }, [path, `walk-${++this.steps}`]);
    await this.page.waitForFunction((old) => document.querySelector('main')?.dataset.visit !== old, before);
    await this.settled();
  }

  async settled() {
    await this.page.waitForFunction(() => document.querySelector('main, .sign-in') !== null && document.querySelector('[aria-busy="true"]') === null);
  }

  text(name) {
    return this.page.getByText(name).first();
  }

  button(name, exact = false) {
    return this.page.getByRole('button', { name, exact }).first();
  }

  /** Nothing went wrong so far; `but` takes away what a test has provoked. */
  clean(but = () => false) {
    assert.deepEqual(this.faults.filter((fault) => !but(fault)), []);
  }

  /** axe finds nothing: WCAG 2.2 A and AA, and its best practices. */
  async accessible(what) {
    if (!(await this.page.evaluate(() => 'axe' in window))) await this.page.evaluate(readFileSync(axePath, 'utf8'));
    /* the bar above covers what is scrolled under it; what moves is not judged half-way */
    await this.page.evaluate(() => scrollTo(0, 0));
    /* a list that was left by Tab closes a moment later */
    await this.page.waitForFunction(() => document.querySelector('.ant-select-dropdown:not(.ant-select-dropdown-hidden)') === null, undefined, { timeout: 5_000 }).catch(() => undefined);
    await this.page.waitForFunction(() => document.getAnimations().every((one) => one.playState !== 'running' || one.effect?.getTiming().iterations === Infinity));
    const found = await this.page.evaluate(async () => {
      const result = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'], preload: false, iframes: false });
      return result.violations.map((one) => `${one.id}: ${one.help} — ${one.nodes.slice(0, 4).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`).join(' | ')}`);
    });
    assert.deepEqual(found, [], `axe on ${what}`);
  }

  /** The page is no wider than its window. */
  async fits(what) {
    const [wide, window_] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= window_, `${what} is ${wide} wide in a window of ${window_}`);
  }

  async testify() {
    const text = await this.page.locator('body').innerText({ timeout: 5_000 }).catch((error) => error.message);
    process.stderr.write(`-- left open at ${this.page.url()}\n${[...this.faults, text.replaceAll(/\n{2,}/g, '\n').slice(0, 4_000)].join('\n')}\n--\n`);
    if (process.env.KITH_PHOTOS !== undefined) await this.page.screenshot({ path: join(process.env.KITH_PHOTOS, `failed-${process.pid}-${this.place.failed = (this.place.failed ?? 0) + 1}.png`) }).catch(() => undefined);
  }

  async close() {
    this.place.visits.delete(this);
    await this.page.context().close();
  }
}

/** A picture of the page as it is, where KITH_PHOTOS names a folder: a page is looked at before it is called done. */
export async function photograph(visit, name, language = 'zh') {
  const folder = process.env.KITH_PHOTOS;
  if (folder === undefined) return;
  await visit.page.screenshot({ path: join(folder, `${name}.${language}.png`), fullPage: true });
}
