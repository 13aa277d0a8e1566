// SPDX-License-Identifier: Apache-2.0
// D10 with servers that send and do nothing else: the active one claims and hands out, senders share the accounts. Senders and active
// ones are killed at random while messages go out; nothing is lost, and nobody has anything twice where the provider takes a key or can
// be asked. The red stop reaches senders.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { missingBinary, root, sleep, until } from '../support/kith.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';
import { Receiver } from '../support/receiver.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { activeOf, removeStarted, server, standing, started } from './servers.mjs';
import { random, seed, touchesUnderWay } from './support.mjs';

const skip = missingBinary || missingPostgres;
const mutant = process.env.KITH_CRASH_BINARY ?? join(root, 'build/crash/kith');
const skipMutant = skip || (existsSync(mutant) ? false : `no ${mutant}: build it with \`tools/build crash\``);
const PEOPLE = 30, ROUNDS = Number(process.env.KITH_KILLS ?? 5);
// long enough that who goes on keeps it on a busy machine too
const LEASE_MS = 10_000;
after(removeStarted);

/** Two that may be active, two that send, two providers of webhooks and one of texts that can be asked. */
async function house({ settings = {} } = {}) {
  const receivers = [await Receiver.start({ honours: false }), await Receiver.start({ honours: false })];
  for (const receiver of receivers) started.push({ remove: () => receiver.stop() });
  const sandbox = await Sandbox.start({ settings: { receipt_ms: 0, interacted: 1 } });
  started.push({ remove: () => sandbox.stop() });
  await sandbox.world({ templates: [{ kind: 'sms_aliyun', code: 'SMS_1', content: '您好${name}', status: 'approved' }] });
  const postgres = Postgres.start();
  started.push(postgres);
  const more = ['--sandbox', sandbox.url];
  const first = await server(postgres, undefined, undefined, 'any', LEASE_MS, ['--senders', ...more]);
  const { write_key: backend } = await first.source('backend');
  await first.batch(backend, Array.from({ length: PEOPLE }, (_, n) => ({ type: 'identify', messageId: `i${n}`, userId: `u${n}`, traits: { phone: `1370000${1000 + n}` } })));
  await first.settled();
  const ids = [];
  for (let n = 0; n < PEOPLE; n++) ids.push((await first.customerBy('user_id', `u${n}`)).one_id);
  for (const [n, receiver] of receivers.entries())
    await first.put(`/channels/hook${n}`, { kind: 'webhook', settings: { url: receiver.url, allow_private: true, timeout_ms: 3000, ...settings } });
  await first.put('/channels/texts', { kind: 'sms_aliyun', settings: { access_key_id: 'kith', access_key_secret: 'sandbox-secret', sign_name: '凯思', sandbox: true, timeout_ms: 3000 } });
  await first.put('/templates/hook', { channel: 'webhook', purpose: 'service', parts: { text: 'hello' } });
  await first.put('/templates/text', { channel: 'sms', purpose: 'service', parts: { template_code: 'SMS_1', name: '{{ one_id }}' } });
  const ask = async (kith, template, key, account, customers = ids) =>
    (await kith.post('/touches', { customers, template, purpose: 'service', key, account })).items.map(({ id }) => id);
  return { receivers, sandbox, postgres, more, first, ids, ask };
}

/** `defect`: of KITH_MUTATE_SENDERS, in the build that has them. */
const sender = (house, defect) =>
  server(house.postgres, house.first, undefined, 'send', 3000, house.more, defect ? { KITH_MUTATE_SENDERS: defect } : {}, defect && mutant);

test('senders and active ones are killed while messages go out: nothing is lost, nobody has it twice', { skip, timeout: 600_000 }, async (t) => {
  const chance = random(seed);
  t.diagnostic(`KITH_SEED=${seed}`);
  const made = await house();
  const actives = [made.first, await server(made.postgres, made.first, undefined, 'any', LEASE_MS, ['--senders', ...made.more])];
  const asked = { hook: [], text: [] };
  // nobody sends, and that is said; nothing leaves from the active one
  asked.hook.push(...(await made.ask(made.first, 'hook', 'early', 'hook0')));
  await until('messages to wait for a sender', async () => (await standing(made.first)).senders.waiting === PEOPLE);
  assert.equal((await standing(made.first)).senders.unserved, 3);
  assert.equal(made.receivers[0].requests, 0);
  const senders = [await sender(made), await sender(made)];
  for (const one of senders) assert.equal((await standing(one)).role, 'send');
  await assert.rejects(senders[0].get('/customers/by/user_id/u1'), (problem) => problem.status === 503 && /only sends/.test(problem.body.detail));
  await until('each account to have a sender', async () => {
    const { count, accounts, unserved } = (await standing(made.first)).senders;
    return count === 2 && accounts === 3 && unserved === 0;
  });
  for (let round = 0; round < ROUNDS; round++) {
    const active = await activeOf(actives);
    // some are taken and never answered, so that a kill finds them
    for (const receiver of made.receivers) receiver.mode = (n) => (n % 4 === 0 ? 'hold' : 'ok');
    await made.sandbox.call('PUT', 'faults', { rules: [{ what: 'timeout_after', kind: 'sms_aliyun', path: '', delay_ms: 600_000, times: 2 }] });
    for (const n of [0, 1]) asked.hook.push(...(await made.ask(active, 'hook', `r${round}-${n}`, `hook${n}`).catch(() => [])));
    // each has one: so many texts to a phone are refused by its provider
    asked.text.push(...(await made.ask(active, 'text', 't', 'texts', made.ids.filter((_, n) => n % ROUNDS === round))));
    await sleep(Math.floor(chance() * 800));
    const victim = chance() < 0.7 ? senders[Math.floor(chance() * 2)] : active;
    await victim.kill9();
    for (const receiver of made.receivers) receiver.mode = 'ok';
    await made.sandbox.call('PUT', 'faults', { rules: [] });
    t.diagnostic(`killed ${victim === active ? 'the active one' : 'a sender'}`);
    await victim.launch();
  }
  const active = await activeOf(actives);
  await until('everything to be told of', async () => !(await touchesUnderWay(active)), { timeoutMs: 180_000, everyMs: 300 });
  for (const id of asked.hook) assert.equal((await active.get(`/touches/${id}`)).status, 'delivered');
  // a provider that honours keys has each once
  assert.equal(made.receivers[0].got.size + made.receivers[1].got.size, asked.hook.length);
  // of one that can be asked nobody has it twice, and who is not said to be uncertain (it did not answer that either) has it
  const statuses = await Promise.all(asked.text.map(async (id) => (await active.get(`/touches/${id}`)).status));
  for (const status of statuses) assert.ok(['sent', 'delivered', 'uncertain'].includes(status), status);
  const { matched, messages } = await made.sandbox.messages({ kind: 'sms_aliyun' });
  assert.equal(new Set(messages.map((message) => message.recipient)).size, matched, 'nobody has it twice');
  assert.ok(matched >= statuses.filter((status) => status !== 'uncertain').length, 'nothing is lost');
  const says = await standing(active);
  assert.deepEqual([says.senders.waiting, says.senders.claimed], [0, 0]);
  const metrics = await (await fetch(`${active.url}/metrics`, { headers: { authorization: `Bearer ${active.token}` } })).text();
  assert.match(metrics, /^kith_senders 2$/m);
});

/** Everything is stopped while a sender has some. */
async function stopThemAll(defect) {
  const made = await house({ settings: { rate_per_second: 2 } });
  const one = await sender(made, defect), receiver = made.receivers[0];
  const asked = await made.ask(made.first, 'hook', 'slowly', 'hook0');
  await until('some to have arrived, and the rest to be with the sender', async () =>
    receiver.requests > 1 && (await standing(made.first)).senders.claimed > 0);
  await made.first.post('/stop', { scope: 'all', why: 'wrong price' });
  await until('the sender to have given them back', async () => (await standing(made.first)).senders.claimed === 0);
  const arrived = receiver.requests;
  assert.ok(arrived < asked.length, 'all had gone');
  await sleep(3000);
  assert.equal(receiver.requests, arrived, 'something left while all was stopped');
  return { made, one, receiver, asked };
}

test('the red stop reaches senders: what they have stays where it is until it is lifted, and goes once', { skip, timeout: 300_000 }, async () => {
  const { made, one, receiver, asked } = await stopThemAll();
  // who ends in order leaves nothing behind, and the next one goes on
  await one.stop();
  await sender(made);
  await made.first.post('/stop', { scope: 'all', active: false });
  await until('everything to be delivered', async () => !(await touchesUnderWay(made.first)), { timeoutMs: 120_000, everyMs: 200 });
  assert.equal(receiver.requests, asked.length, 'each once');
  // back to sending by itself: what was handed out is taken back
  const held = await made.ask(made.first, 'hook', 'back', 'hook0');
  await made.first.kill9();
  made.first.arguments = made.first.arguments.filter((option) => option !== '--senders');
  await made.first.launch();
  for (const id of held) await until('it to be delivered', async () => (await made.first.get(`/touches/${id}`)).status === 'delivered', { timeoutMs: 60_000 });
  assert.equal((await standing(made.first)).senders, undefined);
  assert.equal(receiver.got.size, asked.length + held.length);
});

/** A sender dies with messages that the provider took, and another one goes on. */
async function dieAndGoOn(defect) {
  const made = await house();
  const one = await sender(made);
  await made.sandbox.call('PUT', 'faults', { rules: [{ what: 'timeout_after', kind: 'sms_aliyun', path: '', delay_ms: 600_000, times: -1 }] });
  const asked = await made.ask(made.first, 'text', 'once', 'texts', made.ids.slice(0, 12));
  await until('the provider to have taken some', async () => (await made.sandbox.messages({ kind: 'sms_aliyun' })).matched > 0);
  await one.kill9();
  await made.sandbox.call('PUT', 'faults', { rules: [] });
  await sender(made, defect);
  await until('everything to be told of', async () => !(await touchesUnderWay(made.first)), { timeoutMs: 120_000, everyMs: 200 });
  const { matched, messages } = await made.sandbox.messages({ kind: 'sms_aliyun' });
  assert.equal(matched, asked.length);
  assert.equal(new Set(messages.map((message) => message.recipient)).size, asked.length, 'nobody has it twice');
  for (const id of asked) {
    const { status } = await made.first.get(`/touches/${id}`);
    assert.ok(['sent', 'delivered'].includes(status), `a text that arrived is said to be ${status}`);
  }
}

test('what a dead sender had is asked for by the next one: the provider took it, and nobody has it twice', { skip, timeout: 300_000 }, () => dieAndGoOn());

test('a sender that believes for ever what it saw sends while all is stopped, and is caught', { skip: skipMutant, timeout: 300_000 }, () =>
  assert.rejects(stopThemAll('never_looks'), /all had gone|something left while all was stopped/));

test('a sender that takes what a dead one had for new is caught', { skip: skipMutant, timeout: 300_000 }, () =>
  assert.rejects(dieAndGoOn('as_new'), /Expected values to be strictly equal|a text that arrived is said to be/));
