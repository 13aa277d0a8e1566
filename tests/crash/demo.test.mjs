// SPDX-License-Identifier: Apache-2.0
// The demo ends when it is told to, and when its server dies, at whatever it is: within seconds, and nothing
// that it started is left.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { binary, freePort, missingBinary, root, until } from '../support/kith.mjs';

const build = process.env.KITH_BUILD ?? dirname(binary);
const world = join(build, 'bench/world');
const skip = missingBinary || (existsSync(world) ? false : `no ${world}: build it with \`make build\``);
const folders = [];
const running = new Set();
after(async () => { // killed outright it would leave its server behind
  await Promise.all([...running].map((child) => { child.kill('SIGTERM'); return new Promise((done) => child.once('close', done)); }));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;   // gone
  }
}
const lives = (pid) => (stat(pid)?.state ?? 'Z') !== 'Z';
const childrenOf = (pid) =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => stat(one)?.parent === pid);
const commandOf = (pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');

class Demo {
  async start(more = []) {
    this.folder = mkdtempSync(join(tmpdir(), 'kith-demo-'));
    folders.push(this.folder);
    this.port = await freePort();
    this.child = spawn(
      process.execPath,
      [join(root, 'demo/main.mjs'), '--customers', '1000', '--events', '2', '--port', `${this.port}`, '--data', this.folder, ...more],
      { env: { ...process.env, KITH_BUILD: build }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    running.add(this.child);
    this.words = '';
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (part) => (this.words += part));
    this.ended = new Promise((done) => this.child.once('close', (code, signal) => {
      running.delete(this.child);
      done({ code, signal });
    }));
    return this;
  }

  says(what) {
    return until(`the demo to say ${what}`, () => what.test(this.words), { timeoutMs: 120_000 });
  }

  /** The server's process, as soon as it is there. */
  server() {
    return until('the demo to have a server', () =>
      childrenOf(this.child.pid).find((pid) => commandOf(pid).includes('serve')), { timeoutMs: 60_000, everyMs: 5 });
  }

  /** The providers that it plays against. */
  sandbox() {
    return until('the demo to have a sandbox', () =>
      childrenOf(this.child.pid).find((pid) => commandOf(pid).includes('sandbox')), { timeoutMs: 60_000, everyMs: 5 });
  }

  /** Signs in as the demo says, and gives what reads the API. */
  async reader() {
    const url = `http://127.0.0.1:${this.port}/api/v1`;
    const [, login, password] = this.words.match(/sign in as (\S+) \/ (\S+)/);
    const answer = await fetch(`${url}/session`, {
      method: 'POST', body: JSON.stringify({ login, password }),
      headers: { 'content-type': 'application/json', 'X-Kith-Request': '1' },
    });
    assert.equal(answer.status, 200, await answer.text());
    const cookie = answer.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
    return async (path) => {
      const got = await fetch(`${url}${path}`, { headers: { cookie } });
      assert.equal(got.status, 200, path);
      return got.json();
    };
  }

  warehouse(server) {
    return until('the server to have a warehouse', () =>
      childrenOf(server).find((pid) => commandOf(pid).includes('warehouse')), { timeoutMs: 60_000 });
  }

  /** It ends with `code`, and all of `pids` are gone. 30 s are for a machine with much else to do. */
  async isGone(code, ...pids) {
    let timer;
    const late = new Promise((_, failed) => {
      timer = setTimeout(() => failed(new Error(`the demo did not end; it said:\n${this.words}`)), 30_000);
    });
    const how = await Promise.race([this.ended, late]).finally(() => clearTimeout(timer));
    assert.deepEqual(how, { code, signal: null }, this.words);
    await until('what it started to be gone', () => !pids.some(lives), { timeoutMs: 15_000 });
  }
}

test('SIGTERM while the server is starting', { skip, timeout: 180_000 }, async () => {
  const demo = await new Demo().start();
  const server = await demo.server();
  demo.child.kill('SIGTERM');
  await demo.isGone(0, server);
});

test('SIGTERM while the history comes in', { skip, timeout: 180_000 }, async () => {
  const demo = await new Demo().start(['--customers', '200000', '--events', '20']);
  await demo.says(/bringing a year/);
  const server = await demo.server();
  const warehouse = await demo.warehouse(server);
  demo.child.kill('SIGTERM');
  await demo.isGone(0, server, warehouse);
});

test('SIGTERM while it lives', { skip, timeout: 180_000 }, async () => {
  const demo = await new Demo().start();
  await demo.says(/living on/);
  const server = await demo.server();
  const sandbox = await demo.sandbox();
  const warehouse = await demo.warehouse(server);
  demo.child.kill('SIGTERM');
  await demo.isGone(0, server, sandbox, warehouse);
  assert.match(demo.words, /stopped/);
});

// What starts a journey comes by chance and by the hour; the first newcomers come at once, coupons know no quiet hours.
test('its journeys are live: something goes out, something is kept back and says why', { skip, timeout: 360_000 }, async () => {
  const demo = await new Demo().start();
  await demo.says(/living on/);
  const server = await demo.server();
  const sandbox = await demo.sandbox();
  const get = await demo.reader();
  const touches = async (statuses) =>
    (await Promise.all(statuses.map((status) => get(`/touches?status=${status}&limit=100`))))
      .flatMap((page) => page.items).filter((touch) => touch.journey !== null); // some are sent by hand
  const wait = { timeoutMs: 240_000, everyMs: 1000 };
  const [gone] = await until('a touch to go out', async () => {
    const found = await touches(['sent', 'delivered', 'confirmed', 'clicked']);
    return found.length > 0 && found;
  }, wait);
  const [kept] = await until('a touch to be kept back', async () => {
    const found = await touches(['suppressed', 'held']);
    return found.length > 0 && found;
  }, wait);
  assert.ok(kept.reason, JSON.stringify(kept));
  for (const touch of [gone, kept]) {
    const report = await get(`/journeys/${touch.journey}/report`);
    assert.ok(report.entered > 0, JSON.stringify(report));
  }
  for (const template of (await get('/templates')).items) {
    const { findings } = await get(`/templates/${template.key}`);
    assert.deepEqual(findings.filter((finding) => finding.level === 'error'), [], template.key);
  }
  demo.child.kill('SIGTERM');
  await demo.isGone(0, server, sandbox);
});

test('its sandbox dies while it lives', { skip, timeout: 180_000 }, async () => {
  const demo = await new Demo().start();
  await demo.says(/living on/);
  const server = await demo.server();
  process.kill(await demo.sandbox(), 'SIGKILL');
  await demo.isGone(1, server);
  assert.match(demo.words, /the sandbox ended \(SIGKILL\)/);
});

for (const [when, what, more] of [['the history comes in', /bringing a year/, ['--customers', '200000', '--events', '20']],
                                  ['it lives', /living on/, []]]) {
  test(`its server dies while ${when}`, { skip, timeout: 180_000 }, async () => {
    const demo = await new Demo().start(more);
    await demo.says(what);
    const server = await demo.server();
    const warehouse = await demo.warehouse(server);
    process.kill(server, 'SIGKILL');
    await demo.isGone(1, warehouse);
    assert.match(demo.words, /the server ended \(SIGKILL\)/);
  });
}
