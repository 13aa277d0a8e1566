// SPDX-License-Identifier: Apache-2.0
// The demo as a visitor starts it: history comes in, it lives on by the real SDKs, and Ctrl-C ends all of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { binary, freePort, missingBinary, root, until } from '../support/kith.mjs';

const build = dirname(binary);
const program = join(build, 'bench/world');
const skip = missingBinary || (existsSync(program) ? false : `no world at ${program}: build it with \`make build\``);
const folder = mkdtempSync(join(tmpdir(), 'kith-demo-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function start(port, more = []) {
  const child = spawn(join(root, 'demo/run'),
    ['--customers', '1000', '--events', '10', '--port', `${port}`, '--data', folder, ...more],
    { env: { ...process.env, KITH_BUILD: build }, stdio: ['ignore', 'pipe', 'pipe'] });
  const demo = { child, said: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (demo.said += part));
  demo.ended = new Promise((done) => child.once('close', (code) => done(code)));
  return demo;
}

async function signedIn(port) {
  const { login } = JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8'));
  const [name, password] = login.split(' / ');
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/session`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ login: name, password }),
  });
  assert.equal(answer.status, 200, 'the login that the demo prints is good');
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  return async (path) => (await fetch(`http://127.0.0.1:${port}/api/v1${path}`, { headers: { cookie } })).json();
}

test('the demo starts, lives, ends by Ctrl-C, and goes on where it was', { skip, timeout: 240_000 }, async () => {
  const port = await freePort();
  const demo = await start(port);
  try {
    await until('the demo to live', () => {
      assert.equal(demo.child.exitCode, null, demo.said);
      return demo.said.includes('living on');
    }, { timeoutMs: 120_000 });
    assert.match(demo.said, /open http:\/\/127\.0\.0\.1:\d+ and sign in as admin \/ \S+/);
    const get = await signedIn(port);
    const history = Number(demo.said.match(/([\d,]+) events in/)[1].replaceAll(',', ''));
    const { counts } = await until('live events', async () => {
      const system = await get('/system');
      return system.counts.events > history + 3 && system;
    }, { timeoutMs: 60_000 });
    assert.ok(counts.customers >= 900, `${counts.customers} customers`);
    assert.equal(counts.quarantined, 0);
    const { items: channels } = await get('/identity/link-rate');
    assert.ok(channels.length >= 9, channels.map((one) => one.channel).join());
  } finally {
    demo.child.kill('SIGINT');
  }
  assert.equal(await demo.ended, 0, demo.said);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`), 'the server is gone with it');

  const again = await start(port, ['--no-live']);
  assert.equal(await again.ended, 0, again.said);
  assert.match(again.said, /the history is there/);
});
