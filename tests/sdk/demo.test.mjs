// SPDX-License-Identifier: Apache-2.0
// The demo as a visitor starts it: history comes in, the house is set up, it lives on by the real SDKs, and Ctrl-C ends all of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const notes = () => JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8'));

async function signedIn(port, [name, password] = notes().login.split(' / ')) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/session`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ login: name, password }),
  });
  assert.equal(answer.status, 200, 'the login that the demo prints is good');
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  return async (path) => (await fetch(`http://127.0.0.1:${port}/api/v1${path}`, { headers: { cookie } })).json();
}

const lives = (demo) => until('the demo to live', () => {
  assert.equal(demo.child.exitCode, null, demo.said);
  return demo.said.includes('living on');
}, { timeoutMs: 180_000 });

const brandFile = (name) => JSON.parse(readFileSync(join(root, 'demo/brand', `${name}.json`), 'utf8'));

/** What stands in the files of the house stands in the server, and means somebody. */
async function isSetUp(get) {
  for (const kind of ['tags', 'segments']) {
    const there = new Map((await get(`/${kind}`)).items.map((one) => [one.key, one]));
    for (const { key, folder: under, owner } of brandFile(kind)) {
      assert.equal(there.get(key)?.state, 'live', `${kind}/${key}`);
      assert.deepEqual([there.get(key).folder, there.get(key).owner], [under, owner], key);
    }
    const filled = [...there.values()].filter((one) => one.count > 0).length;
    assert.ok(filled >= there.size * 0.75, `${filled} of ${there.size} ${kind} hold of somebody`);
  }
  const shares = (await get('/tags/lifecycle')).sizes.map((one) => one.count);
  assert.equal(shares.length, 6);
  assert.ok(shares.every((count) => count > 0), `each stage of life has somebody: ${shares}`);
  for (const kind of ['product', 'store', 'dealer', 'adviser', 'group', 'course'])
    assert.ok((await get(`/objects/${kind}?limit=5`)).items.length === 5, `there are objects of the kind ${kind}`);
  assert.ok((await get('/tags/hot')).sizes.every((one) => one.count > 0), 'some products sell well, some do not');
  const members = (await get('/imports')).items.find((job) => job.name === '会员名单.csv');
  assert.deepEqual([members.status, members.counts.refused], ['finished', 2]);
  assert.deepEqual((await get('/quarantine/summary')).items.map((one) => one.reason).sort(), ['future_time', 'wrong_type']);
  const journeys = (await get('/journeys')).items;
  assert.equal(journeys.filter((one) => one.state === 'live').length, 11, journeys.map((one) => `${one.key} ${one.state}`).join());
}

/** Each of its people signs in with a password of this folder alone, and sees her team's part. */
async function eachSeesHerOwn(port) {
  const { users, login } = notes();
  assert.equal(new Set([login, ...users.map((user) => user.password)]).size, users.length + 1, 'nobody shares a password');
  const seen = async (name) => {
    const get = await signedIn(port, [name, users.find((user) => user.login === name).password]);
    return (await get('/overview')).customers;
  };
  const [whole, tmall, wecom] = [await seen('chenchen'), await seen('tmall'), await seen('siyu')];
  assert.ok(whole > tmall && tmall > wecom && wecom > 0, `${whole} ${tmall} ${wecom}`);
}

test('the demo starts, lives, ends by Ctrl-C, and goes on where it was', { skip, timeout: 600_000 }, async () => {
  const port = await freePort();
  const demo = await start(port);
  try {
    await lives(demo);
    assert.match(demo.said, /open http:\/\/127\.0\.0\.1:\d+ and sign in as admin \/ \S+/);
    const get = await signedIn(port);
    const history = Number(demo.said.match(/([\d,]+) events in/)[1].replaceAll(',', ''));
    const { counts } = await until('live events', async () => {
      const system = await get('/system');
      return system.counts.events > history + 3 && system;
    }, { timeoutMs: 60_000 });
    assert.ok(counts.customers >= 900, `${counts.customers} customers`);
    await isSetUp(get);
    await eachSeesHerOwn(port);
    const { items: channels } = await get('/identity/link-rate');
    assert.ok(channels.length >= 9, channels.map((one) => one.channel).join());
  } finally {
    demo.child.kill('SIGINT');
    await demo.ended;
  }
  assert.equal(await demo.ended, 0, demo.said);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`), 'the server is gone with it');

  const again = await start(port, ['--no-live']);
  assert.equal(await again.ended, 0, again.said);
  assert.match(again.said, /the history is there/);
  assert.doesNotMatch(again.said, /setting up/);

  // interrupted while it was set up: done again, and nothing is there twice
  const { brand, users, ...unfinished } = notes();
  writeFileSync(join(folder, 'demo.json'), JSON.stringify({ ...unfinished, users }));
  const resumed = await start(port);
  try {
    await lives(resumed);
    assert.match(resumed.said, /setting up/);
    assert.deepEqual([notes().brand, notes().users], [brand, users]);
    const get = await signedIn(port);
    await isSetUp(get);
    assert.equal((await get('/imports')).items.length, 8, 'a file that was brought is not brought again');
    assert.equal((await get('/views?page=customers')).items.length, 2);
    assert.equal((await get('/privacy/requests')).items.length, 2);
  } finally {
    resumed.child.kill('SIGINT');
    await resumed.ended;
  }
  assert.equal(await resumed.ended, 0, resumed.said);
});
