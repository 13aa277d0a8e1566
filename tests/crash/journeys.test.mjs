// SPDX-License-Identifier: Apache-2.0
// J1, J2, J3, D10, T2: kill -9 of a running server with live journeys and messages under way, again and again. Afterwards no position is
// stuck (`kith check` says so), every order went its whole way, each of its messages has exactly one key at the provider, and a replay
// of the log comes to the same digest.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Kith, binary, missingBinary, root, sleep, until } from '../support/kith.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { random, seed, touchesUnderWay } from './support.mjs';

const ROUNDS = Number(process.env.KITH_KILLS ?? 6), WRITERS = 4, ORDERS_AT_ONCE = 5, PEOPLE = 40;
// a quick machine makes more messages than the sandbox keeps by itself: each of them is looked at here
const MESSAGES_KEPT = 1_000_000;
const mutant = process.env.KITH_CRASH_BINARY ?? join(root, 'build/crash/kith');
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end().catch(() => {});
});

const care = {
  name: 'Care',
  trigger: { type: 'event', event: 'Order Paid', key: 'order_id' },
  start: 'hello',
  nodes: {
    hello: { type: 'send', channel: 'webhook', template: 'hello', purpose: 'service', next: 'rest' },
    rest: { type: 'wait', for: '1s', next: 'until' },
    until: { type: 'wait_until', event: 'Order Delivered', timeout: '2s', next: 'bye', on_timeout: 'bye' },
    bye: { type: 'send', channel: 'webhook', template: 'bye', purpose: 'service' },
  },
};

async function house(options = {}) {
  const sandbox = await Sandbox.start({ settings: { keep: MESSAGES_KEPT } });
  ends.push(() => sandbox.stop());
  const kith = await Kith.start({ ...options, arguments: ['--sandbox', sandbox.url] });
  ends.push(() => kith.remove());
  const key = (await kith.source('shop')).write_key;
  await kith.put('/channels/hook', { kind: 'webhook', settings: { url: `${sandbox.url}/webhook/crm`, allow_private: true } });
  for (const name of ['hello', 'bye'])
    await kith.put(`/templates/${name}`, { channel: 'webhook', parts: { text: `${name} {{ event.order_id }}.` } });
  await kith.batch(key, ['Order Paid', 'Order Delivered'].map((event, i) => ({
    type: 'track', event, userId: 'nobody', messageId: `first-${i}`, timestamp: new Date(Date.now() - 3 * 86_400_000).toISOString(),
    properties: { order_id: 'old' },
  })));
  await kith.put('/journeys/care', care);
  await kith.post('/journeys/care/publish');
  await until('the journey to be live', async () => (await kith.get('/journeys/care')).state === 'live');
  return { kith, sandbox, key };
}

/** The same batch again until it is acknowledged, whoever dies meanwhile. */
async function sayUntilTaken(kith, key, items) {
  for (;;) {
    try {
      await kith.batch(key, items);
      return;
    } catch {
      await sleep(20);
    }
  }
}

function order(number) {
  const about = { userId: `u${number % PEOPLE}`, timestamp: new Date().toISOString(), properties: { order_id: `o${number}` } };
  const paid = { ...about, type: 'track', event: 'Order Paid', messageId: `p${number}` };
  // some are delivered while they wait, the others wait in vain
  return number % 3 === 0 ? [paid, { ...about, type: 'track', event: 'Order Delivered', messageId: `d${number}` }] : [paid];
}

async function write(kith, key, state) {
  while (!state.stopped) {
    const items = Array.from({ length: ORDERS_AT_ONCE }, () => order(state.orders++)).flat();
    await sayUntilTaken(kith, key, items);
    await sleep(10);
  }
}

async function killAgainAndAgain(kith, key, rounds, chance) {
  const state = { stopped: false, orders: 0 };
  const writers = Array.from({ length: WRITERS }, () => write(kith, key, state));
  for (let round = 0; round < rounds; round++) {
    await sleep(100 + Math.floor(chance() * 700));
    await kith.kill9();
    await kith.launch();
  }
  state.stopped = true;
  await Promise.all(writers);
  return state.orders;
}

/** Who is still inside, and then what still waits: it is the positions that make the touches. */
const rest = async (kith) => {
  const { inside, failed } = await kith.get('/journeys/care/report');
  return { inside, failed, underWay: await touchesUnderWay(kith) };
};
const over = (kith, timeoutMs) => until('everybody to be through', async () => {
  const left = await rest(kith);
  return left.inside === 0 && !left.underWay && left;
}, { timeoutMs, everyMs: 200 });

/** How often each text came under another key. */
async function textsByKey(sandbox) {
  const keys = new Map();
  for (let from = 0; ;) {
    const page = await sandbox.messages({ kind: 'webhook', after: from, limit: 1000 });
    assert.ok(page.total <= MESSAGES_KEPT, `${page.total} messages: more than the sandbox keeps`);
    for (const message of page.messages) {
      from = Math.max(from, message.seq);
      const text = /(hello|bye) o\d+\./.exec(JSON.stringify(message))[0];
      if (!keys.has(text)) keys.set(text, new Set());
      keys.get(text).add(message.key);
    }
    if (page.messages.length === 0) return { keys, ...page };
  }
}

test('J1, J2, J3, D10: kill -9 of live journeys: nobody is stuck, nobody is lost, nothing comes twice', { skip: missingBinary, timeout: 280_000 }, async (t) => {
  t.diagnostic(`KITH_SEED=${seed}`);
  const { kith, sandbox, key } = await house();
  const orders = await killAgainAndAgain(kith, key, ROUNDS, random(seed));
  await kith.settled();
  await over(kith, 120_000);
  const report = await kith.get('/journeys/care/report');
  assert.equal(report.entered, orders, 'every order entered once');
  assert.equal(report.failed, 0);
  const { keys, total, repeated } = await textsByKey(sandbox);
  t.diagnostic(`${ROUNDS} kills, ${orders} orders, ${total} requests taken, ${repeated} of them a key again`);
  assert.deepEqual([...keys].filter(([, of]) => of.size !== 1).map(([text, of]) => `${text} ${of.size} times`), []);
  assert.equal(keys.size, 2 * orders, 'nothing is lost');
  await kith.stop();
  const check = spawnSync(binary, ['check', '--data', kith.folder], { encoding: 'utf8' });
  assert.match(check.stdout, /journeys: \d+ positions, 0 of them held for an operator, 0 defects/);
  assert.equal(check.status, 0, check.stderr);
  const into = `${kith.folder}-rebuilt`;
  const rebuilt = spawnSync(binary, ['rebuild', '--data', kith.folder, '--into', into], { encoding: 'utf8' });
  rmSync(into, { recursive: true, force: true });
  assert.equal(rebuilt.status, 0, rebuilt.stdout + rebuilt.stderr);
});

for (const [mutation, what] of [['other_key', 'a repeat under another key is found'], ['no_recover', 'what was on its way and is forgotten is found']])
  test(`the test of the test: ${what}`, { skip: existsSync(mutant) ? false : `no ${mutant}: build it with \`tools/build crash\``, timeout: 280_000 }, async () => {
    const { kith, sandbox, key } = await house({ binary: mutant, environment: { KITH_MUTATE_SENDS: mutation } });
    // answers come late: whoever dies has messages on their way
    await sandbox.call('PUT', 'faults', { rules: [{ what: 'timeout_after', kind: 'webhook', delay_ms: 300, times: -1 }] });
    const orders = await killAgainAndAgain(kith, key, 4, random(seed));
    await sandbox.call('PUT', 'faults', { rules: [] });
    const left = await over(kith, 8_000).catch(() => rest(kith));
    const { keys } = await textsByKey(sandbox);
    const twice = [...keys].filter(([, of]) => of.size !== 1).length;
    assert.ok(left.underWay || left.inside > 0 || twice > 0 || keys.size !== 2 * orders, 'the defect was not noticed');
  });
