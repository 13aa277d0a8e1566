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
after(() => {
  for (const child of running) child.kill('SIGKILL');
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
  const warehouse = await demo.warehouse(server);
  demo.child.kill('SIGTERM');
  await demo.isGone(0, server, warehouse);
  assert.match(demo.words, /stopped/);
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
