// SPDX-License-Identifier: Apache-2.0
// support: what the SDK tests share: a page with a bundled SDK in a real browser, and looks at a customer.
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { until } from '../support/kith.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const chromiumPath = process.env.KITH_CHROMIUM ?? '/usr/bin/chromium';

export const missingBrowser = existsSync(chromiumPath)
  ? false
  : `no browser at ${chromiumPath}: install Debian's package chromium`;

/** The customer's timeline, oldest first. */
export const eventsOf = (kith, customer) => kith.timeline(customer.one_id);
export const identifierOf = (customer, type) =>
  customer.identifiers.find((identifier) => identifier.type === type);
export const identifiersOf = (customer, type) =>
  customer.identifiers.filter((identifier) => identifier.type === type);

/** Bundle `code` (an ES module that may import the SDKs) into one script. */
export async function bundle(code) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: here, loader: 'js' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  });
  return outputFiles[0].text;
}

/** A shop's page on another origin than the server's, with the script in it. */
export async function servePage(script) {
  const server = http.createServer((request, response) => {
    if (request.url === '/app.js')
      return response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script);
    if (request.url === '/favicon.ico') return response.writeHead(204).end();
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(
      '<!doctype html><html lang="zh"><meta charset="utf-8"><title>活动页</title>' +
        '<h1>618 返场</h1><button id="buy">加入购物车</button><a id="away" href="/next">下一页</a>' +
        '<script src="/app.js"></script></html>',
    );
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}

export async function launchBrowser() {
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
}

/**
 * A visit: run `code` in a fresh browser context until it sets window.done, then keep the page open until
 * `arrived(done)` gives something true. What went wrong in the page (errors, requests that failed or were
 * refused by a policy) is in `complaints`.
 */
export async function visit(browser, code, { path = '/', arrived, timeoutMs = 30_000 } = {}) {
  const shop = await servePage(await bundle(code));
  const context = await browser.newContext({ locale: 'zh-CN', timezoneId: 'Asia/Shanghai' });
  const complaints = [];
  try {
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
    page.on('requestfailed', (request) =>
      complaints.push(`${request.method()} ${request.url()}: ${request.failure()?.errorText}`));
    await page.goto(shop.url + path);
    await page.waitForFunction(() => window.done !== undefined, undefined, { timeout: timeoutMs });
    const done = await page.evaluate(() => window.done);
    const found = await until('the visit to arrive', () => arrived(done), { timeoutMs });
    return { done, found, complaints, origin: shop.url };
  } finally {
    await context.close();
    await shop.close();
  }
}

/** For `arrived`: the customer with a timeline of at least `count` events. */
export async function withEvents(kith, count, type, value, namespace) {
  const known = value && (await kith.findBy(type, value, namespace));
  if (!known) return undefined;
  const events = await eventsOf(kith, known);
  /* once more: what the last of the events said of the customer may not have been there a moment ago */
  return events.length >= count ? { customer: await kith.findBy(type, value, namespace), events } : undefined;
}
