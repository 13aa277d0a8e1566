// SPDX-License-Identifier: Apache-2.0
// D1 with several servers at one log and ledger on PostgreSQL: four processes, of which one is active and the others follow.
// They are killed, paused and woken after their lease was over, at random, under load at all their doors: every acknowledged
// event is there exactly once, one wrote at a time, and a clean replay of the log comes to the same digest.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Cluster, missingClickhouse } from '../support/clickhouse.mjs';
import { missingBinary, sleep, until } from '../support/kith.mjs';
import { Postgres, missingPostgres } from '../support/postgres.mjs';
import { Receiver } from '../support/receiver.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { activeOf, logged, removeStarted, server, standing, started } from './servers.mjs';
import { Load, random, seed, touchesUnderWay } from './support.mjs';

const kills = Number(process.env.KITH_KILLS ?? 3);
after(removeStarted);

const skip = missingBinary || missingPostgres;

/** A load whose every request goes to one of several doors. */
class Doors {
  constructor(servers, chance) {
    Object.assign(this, { servers, chance });
  }
  get port() {
    // who was paused answers nobody until it is woken: what is on its way there waits, and no more is sent
    const open = this.servers.filter((one) => one !== this.paused);
    return open[Math.floor(this.chance() * open.length)].port;
  }
  get child() {
    return undefined;
  }
}

async function digestsAgree(postgres, folder, binary) {
  const into = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
  try {
    const { stdout } = await promisify(execFile)(binary,
      ['rebuild', '--data', folder, '--into', into, '--ledger', postgres.url, '--log', postgres.url], { maxBuffer: 64 << 20 });
    assert.match(stdout, /\nthe same\n$/);
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

test('a follower answers, refuses commands with the place of the active one, and takes over', { skip, timeout: 300_000 }, async () => {
  const postgres = Postgres.start();
  started.push(postgres);
  const ownMs = 5000; // kept on a busy machine too
  const first = await server(postgres, undefined, undefined, 'any', ownMs);
  const { write_key: backend } = await first.source('backend');
  await first.batch(backend, [{ type: 'track', userId: 'u1', event: 'Load Event', messageId: 'm1', properties: { n: 1 } }]);
  const second = await server(postgres, first, undefined, 'any', ownMs);
  const says = await standing(second);
  assert.equal(says.role, 'follower');
  assert.equal(says.active, first.url);
  const mine = await until('the follower to know her', () => second.findBy('user_id', 'u1'));
  assert.equal(mine.one_id, (await first.customerBy('user_id', 'u1')).one_id);

  // each tells of all of them
  const listed = async (kith, state) => (await kith.get('/servers')).items.find((one) => one.address === state.address && one.state === state.state && one.ready === (state.state === 'up'));
  for (const kith of [first, second]) {
    for (const one of [first, second]) {
      const found = await until(`${kith.url} to list ${one.url}`, () => listed(kith, { address: one.url, state: 'up' }));
      assert.deepEqual([found.role, found.this, found.reason], [one === first ? 'active' : 'follower', one === kith, null]);
    }
  }

  await assert.rejects(second.source('other'), (problem) => {
    assert.equal(problem.status, 503);
    assert.ok(JSON.stringify(problem.body).includes(first.url));
    return true;
  });
  // what comes to the follower's door is in the log of the active one, once
  const item = { type: 'track', userId: 'u1', event: 'Load Event', messageId: 'm2', properties: { n: 2 } };
  await second.batch(backend, [item]);
  await second.batch(backend, [item]);
  await until('both to have it', async () =>
    (await first.customerBy('user_id', 'u1')).summary.events === 2 && (await second.customerBy('user_id', 'u1')).summary.events === 2);

  await first.kill9();
  await until('the follower to take over', async () => (await standing(second))?.role === 'active', { timeoutMs: 120_000 });
  // with what it has in memory; the ledger on the server follows
  assert.equal(logged(second, 'taken_over '), 1);
  assert.equal(logged(second, 'state_loaded '), 1);
  await until('its ledger to be the server\'s', () => logged(second, 'ledger_settled ') === 1, { timeoutMs: 120_000 });
  await second.source('other');
  await second.batch(backend, [{ ...item, messageId: 'm3', properties: { n: 3 } }]);
  assert.equal((await until('it to be applied', async () => {
    const her = await second.customerBy('user_id', 'u1');
    return her.summary.events === 3 && her;
  })).summary.events, 3);
  await until('the killed one to be listed as gone', () => listed(second, { address: first.url, state: 'gone' }), { timeoutMs: 120_000 });
  assert.equal((await listed(second, { address: second.url, state: 'up' })).role, 'active');
  // the killed one comes back, and follows
  await first.launch();
  assert.equal((await standing(first)).role, 'follower');
  // and whose keys are others is not let in
  await assert.rejects(server(postgres), /other keys/);

  // doors alone, and none: both follow, neither has what the other is there for
  const collect = await server(postgres, second, undefined, 'collect', ownMs), query = await server(postgres, second, undefined, 'query', ownMs);
  assert.equal((await standing(collect)).role, 'collect', ownMs);
  assert.equal((await standing(query)).role, 'query', ownMs);
  for (const path of ['/customers/by/user_id/u1', '/sources']) await assert.rejects(collect.get(path), (problem) => problem.status === 503);
  const refused = await fetch(`${query.url}/v1/batch`, { method: 'POST', headers: { authorization: `Basic ${btoa(`${backend}:`)}` }, body: JSON.stringify({ batch: [{ ...item, messageId: 'm4' }] }) });
  assert.equal(refused.status, 503);
  assert.equal((await query.customerBy('user_id', 'u1')).summary.events, 3);
  await collect.batch(backend, [{ ...item, messageId: 'm5', properties: { n: 5 } }]);
  // a source that was made after it began is known there too
  const { write_key: fresh } = await second.source('fresh');
  await until('the door to know the new source', () => collect.batch(fresh, [{ ...item, messageId: 'm6', properties: { n: 6 } }]).then(() => true));
  await until('all of them to have it', async () => {
    const seen = await Promise.all([second, query].map(async (kith) => (await kith.customerBy('user_id', 'u1')).summary.events));
    return seen.every((events) => events === 5);
  });
  // they do not take over
  await first.kill9();
  await second.kill9();
  await sleep(ownMs * 2);
  for (const kith of [collect, query]) assert.notEqual((await standing(kith))?.role, 'active');
  await collect.batch(fresh, [{ ...item, messageId: 'm7', properties: { n: 7 } }]);
  await second.launch();
  await until('what was collected meanwhile to be applied', async () => (await second.customerBy('user_id', 'u1')).summary.events === 6);
});

test('who is erased is shown by nobody: followers forget her, and so does the one that takes over', { skip, timeout: 300_000 }, async () => {
  const postgres = Postgres.start();
  started.push(postgres);
  const first = await server(postgres, undefined, undefined, 'any', 5000);
  const { write_key: backend } = await first.source('backend');
  const phone = '13712345678', name = '林小满';
  await first.batch(backend, [
    { type: 'identify', messageId: 'i1', userId: 'u1', traits: { phone, name } },
    { type: 'track', messageId: 't1', userId: 'u1', event: 'Load Event', properties: { note: name } },
    { type: 'identify', messageId: 'i2', userId: 'u2', traits: { name: 'other' } },
  ]);
  const second = await server(postgres, first, undefined, 'any', 5000);
  const her = await until('the follower to know her', () => second.findBy('user_id', 'u1'));
  assert.equal(her.traits.name, name); // shown, so it is in memory there
  assert.match(JSON.stringify(await second.timeline(her.one_id)), /Load Event/);

  await first.api('DELETE', `/customers/${her.one_id}?reason=asked`);
  const knows = async (kith) => {
    const found = [await kith.findBy('user_id', 'u1'), await kith.findBy('mobile', `+86${phone}`)];
    const answer = await fetch(`${kith.url}/api/v1/customers/${her.one_id}`, { headers: { authorization: `Bearer ${kith.token}` } });
    return found.some(Boolean) || answer.status === 200 || (await answer.text()).includes(name);
  };
  await until('the follower to have forgotten her', async () => !(await knows(second)));
  assert.equal((await second.customerBy('user_id', 'u2')).traits.name, 'other');
  await first.kill9();
  await until('the follower to take over', async () => (await standing(second))?.role === 'active', { timeoutMs: 120_000 });
  assert.equal(await knows(second), false);
  await until('its ledger to be the server\'s', () => logged(second, 'ledger_settled ') === 1, { timeoutMs: 120_000 });
  assert.equal(await knows(second), false);
  assert.equal((await second.customerBy('user_id', 'u2')).traits.name, 'other');
});

test('D10: sends in flight across a take-over: the killed one has claimed them, the next one repeats them under their keys; who was paused sends nothing more', { skip, timeout: 300_000 }, async () => {
  const people = 40, receiver = await Receiver.start({ honours: false });
  started.push({ remove: () => receiver.stop() });
  const postgres = Postgres.start();
  started.push(postgres);
  // long enough that the one that goes on keeps it on a busy machine too: who loses it ends, as it should
  const own = (first) => server(postgres, first, undefined, 'any', 10_000);
  let active = await own(), next = await own(active);
  const { write_key: backend } = await active.source('backend');
  await active.batch(backend, Array.from({ length: people }, (_, n) => ({ type: 'identify', messageId: `i${n}`, userId: `u${n}`, traits: { n } })));
  await active.settled();
  const ids = [];
  for (let n = 0; n < people; n++) ids.push((await active.customerBy('user_id', `u${n}`)).one_id);
  await active.put('/channels/hook', { kind: 'webhook', settings: { url: receiver.url, allow_private: true } });
  await active.put('/templates/t', { channel: 'webhook', parts: { text: 'hello' } });
  for (const end of ['kill9', 'pause']) {
    // some arrive and are answered, some arrive and are not, the rest waits its turn
    const before = receiver.requests;
    receiver.mode = (n) => (n - before > 5 ? 'hold' : 'ok');
    const asked = (await active.post('/touches', { customers: ids, template: 't', purpose: 'service', key: end })).items.map(({ id }) => id);
    await until('some to be in flight', () => receiver.requests - before > 5);
    if (end === 'kill9') await active.kill9();
    else process.kill(active.pid, 'SIGSTOP');
    receiver.mode = 'ok';
    await until('the other one to take over', async () => (await standing(next))?.role === 'active', { timeoutMs: 120_000 });
    await until('everything to be told of', async () => !(await touchesUnderWay(next)), { timeoutMs: 120_000, everyMs: 200 });
    for (const id of asked) await until('it to be delivered', async () => (await next.get(`/touches/${id}`)).status === 'delivered');
    const told = receiver.requests;
    if (end === 'pause') {
      // it wakes after its lease was over, and ends: whatever it had in its hands stays there
      const { ended } = active;
      process.kill(active.pid, 'SIGCONT');
      await ended;
      assert.equal(receiver.requests, told, 'who was taken over has sent');
    }
    await active.launch();
    [active, next] = [next, active];
  }
  assert.equal(receiver.got.size, 2 * people, 'each arrived, under its own key');
  for (const { count } of receiver.got.values()) assert.ok(count <= 2, 'once by either, at most');
});

test('D10: sends in flight across a take-over without keys: who can be asked is asked, else it is uncertain until somebody decides', { skip, timeout: 300_000 }, async () => {
  const people = 12, mini = 'wx3f8c1e7a9b5d2046';
  const sandbox = await Sandbox.start({ settings: { receipt_ms: 0, interacted: 1, subscription_credits: 9 } });
  started.push({ remove: () => sandbox.stop() });
  await sandbox.world({ accounts: [{ kind: 'mini_program', id: mini, secret: 'sandbox-secret' }], templates: [{ kind: 'sms_aliyun', code: 'SMS_1', content: '您好${name}', status: 'approved' }] });
  const postgres = Postgres.start();
  started.push(postgres);
  const own = (first) => server(postgres, first, undefined, 'any', 10_000, ['--sandbox', sandbox.url]);
  const active = await own(), next = await own(active);
  const { write_key: backend } = await active.source('backend');
  const each = Array.from({ length: people }, (_, n) => ({ userId: `u${n}`, timestamp: new Date().toISOString() }));
  await active.batch(backend, each.map((who, n) => ({ ...who, type: 'identify', messageId: `i${n}`, traits: { phone: `1370000${1000 + n}` },
    context: { externalIds: [{ type: 'wx_openid', id: `o-${n}`, collection: mini, encoding: 'none' }] } })));
  await active.settled();
  const ids = [];
  for (let n = 0; n < people; n++) ids.push((await active.customerBy('user_id', `u${n}`)).one_id);
  await active.put('/channels/texts', { kind: 'sms_aliyun', settings: { access_key_id: 'kith', access_key_secret: 'sandbox-secret', sign_name: '凯思', sandbox: true } });
  await active.put('/channels/mini', { kind: 'mini_program', settings: { appid: mini, secret: 'sandbox-secret', namespace: mini, sandbox: true } });
  await active.put('/templates/text', { channel: 'sms', purpose: 'service', parts: { template_code: 'SMS_1', name: '{{ one_id }}' } });
  await active.put('/templates/note', { channel: 'subscription', purpose: 'service', template_id: 'T', parts: { template_id: 'T', data: { thing1: '好' } } });
  await active.batch(backend, [...each, ...each].map((who, n) => ({ ...who, type: 'track', messageId: `s${n}`, event: 'Subscription Accepted', properties: { account: 'mini', template_id: 'T' } })));
  await active.settled();

  // taken, and no answer comes
  const kinds = ['sms_aliyun', 'mini_program'];
  const hang = (kind, path) => ({ what: 'timeout_after', kind, path, delay_ms: 600_000, times: -1 });
  await sandbox.call('PUT', 'faults', { rules: [hang('sms_aliyun', ''), hang('mini_program', '*subscribe/send')] });
  const ask = async (template) => (await active.post('/touches', { customers: ids, template, purpose: 'service', key: template })).items.map((item) => {
    assert.ok(['queued', 'sending'].includes(item.status), JSON.stringify(item));
    return item.id;
  });
  const texts = await ask('text'), notes = await ask('note');
  const taken = async (kind) => sandbox.messages({ kind });
  for (const kind of kinds) await until(`${kind} to have taken some`, async () => (await taken(kind)).matched > 0);
  await active.kill9();
  await sandbox.call('PUT', 'faults', { rules: [] });
  await until('the other one to take over', async () => (await standing(next))?.role === 'active', { timeoutMs: 120_000 });
  await until('everything to be told of', async () => !(await touchesUnderWay(next)), { timeoutMs: 120_000, everyMs: 200 });

  // who can be asked: each has it once, and the ledger says so
  const { distinct, repeated } = await sandbox.messages({ kind: 'sms_aliyun' });
  const textsTaken = await taken('sms_aliyun');
  assert.equal(textsTaken.matched, people, JSON.stringify({ distinct, repeated }));
  assert.equal(new Set(textsTaken.messages.map((message) => message.recipient)).size, people, 'nobody has it twice');
  for (const id of texts) assert.ok(['sent', 'delivered'].includes((await next.get(`/touches/${id}`)).status));

  // who cannot: what may have gone is uncertain, and nobody has it twice
  const statusOf = async (id) => (await next.get(`/touches/${id}`)).status;
  const uncertain = [];
  for (const id of notes) if ((await statusOf(id)) === 'uncertain') uncertain.push(id);
  assert.ok(uncertain.length > 0, 'some were in flight');
  const notesTaken = await taken('mini_program');
  const receivers = new Set(notesTaken.messages.map((message) => message.recipient));
  assert.equal(receivers.size, notesTaken.matched, 'nobody has it twice');
  assert.ok(receivers.size >= people - uncertain.length, 'who is not uncertain has it');

  // somebody decides: one is sent again, the others went
  const [again, ...others] = uncertain;
  await next.post(`/touches/${again}/decide`, { decision: 'resend' });
  for (const id of others) await next.post(`/touches/${id}/decide`, { decision: 'sent' });
  await until('it to have gone', async () => ['sent', 'delivered'].includes(await statusOf(again)));
  for (const id of others) assert.equal(await statusOf(id), 'sent');
  assert.equal((await taken('mini_program')).matched, notesTaken.matched + 1);
});

test('D10: the same for Tencent, mail and WeCom (mass messages, and messages to employees): each has it once at most, and what is not known is for somebody to decide', { skip, timeout: 300_000 }, async () => {
  const people = 8, corp = 'ww5f2d9c4b1a8e7063';
  const sandbox = await Sandbox.start({ settings: { receipt_ms: 0, confirm_ms: 3_600_000, interacted: 1 }, mail: true });
  started.push({ remove: () => sandbox.stop() });
  await sandbox.world({
    accounts: [{ kind: 'sms_tencent', id: 'qc', secret: 'sandbox-secret' }, { kind: 'wecom', id: corp, secret: 'sandbox-secret' }, { kind: 'smtp', id: 'kith.example', secret: 'sandbox-secret' }],
    employees: [{ kind: 'wecom', account: corp, id: 'lin' }],
    templates: [{ kind: 'sms_tencent', code: '1110', content: '您好{1}，已发货', status: 'approved' }],
  });
  const postgres = Postgres.start();
  started.push(postgres);
  const own = (first) => server(postgres, first, undefined, 'any', 10_000, ['--sandbox', sandbox.url]);
  const active = await own(), next = await own(active);
  const { write_key: backend } = await active.source('backend');
  await active.batch(backend, Array.from({ length: people }, (_, n) => ({ type: 'identify', messageId: `i${n}`, userId: `u${n}`, traits: { phone: `1370000${2000 + n}`, email: `u${n}@x.example` },
    context: { externalIds: [{ type: 'wecom_external_userid', id: `wm-${n}`, collection: corp, encoding: 'none' }] } })));
  await active.settled();
  const ids = [];
  for (let n = 0; n < people; n++) ids.push((await active.customerBy('user_id', `u${n}`)).one_id);
  await active.put('/channels/texts', { kind: 'sms_tencent', settings: { secret_id: 'qc', secret_key: 'sandbox-secret', sdk_app_id: '1400006666', sign_name: '凯思', sandbox: true, batch_wait_ms: 0 } });
  await active.put('/channels/mail', { kind: 'smtp', settings: { host: '127.0.0.1', port: sandbox.smtpPort, security: 'none', allow_private: true, username: 'kith.example', password: 'sandbox-secret', from: 'brand@kith.example' } });
  await active.put('/channels/wecom', { kind: 'wecom', settings: { corpid: corp, secret: 'sandbox-secret', agentid: 1000002, sender: 'lin', namespace: corp, batch_wait_ms: 0, sandbox: true } });
  await active.put('/templates/text', { channel: 'sms', purpose: 'service', parts: { template_id: '1110', params: ['{{ one_id }}'] } });
  await active.put('/templates/letter', { channel: 'email', purpose: 'service', parts: { subject: '您好', text: '{{ one_id }}' } });
  await active.put('/templates/news', { channel: 'wecom', form: 'customer_mass', purpose: 'service', parts: { text: '上新了 {{ one_id }}' } });

  await active.put('/templates/task', { channel: 'wecom', form: 'employee_text', purpose: 'service', parts: { userid: 'ba-{{ one_id }}', text: '请联系她' } });

  // taken, and no answer comes
  const ways = [['text', { kind: 'sms_tencent' }], ['letter', { kind: 'smtp' }], ['news', { kind: 'wecom', form: 'customer_mass' }], ['task', { kind: 'wecom', form: 'employee_text' }]];
  const hang = (kind, path) => ({ what: 'timeout_after', kind, path, delay_ms: 600_000, times: -1 });
  await sandbox.call('PUT', 'faults', { rules: [hang('sms_tencent', ''), hang('smtp', ''), hang('wecom', '*add_msg_template'), hang('wecom', '*message/send')] });
  const asked = {};
  for (const [template] of ways)
    asked[template] = (await active.post('/touches', { customers: ids, template, purpose: 'service', key: template })).items.map((item) => {
      assert.ok(['queued', 'sending'].includes(item.status), JSON.stringify(item));
      return item.id;
    });
  for (const [template, where] of ways)
    if (template !== 'news') await until(`${template}: some to be taken`, async () => (await sandbox.messages(where)).matched > 0);
  for (const id of asked.news) await until('the tasks to be on their way', async () => (await active.get(`/touches/${id}`)).status !== 'queued');
  await active.kill9();
  await sandbox.call('PUT', 'faults', { rules: [] });
  await until('the other one to take over', async () => (await standing(next))?.role === 'active', { timeoutMs: 120_000 });
  await until('everything to be told of', async () => !(await touchesUnderWay(next)), { timeoutMs: 120_000, everyMs: 200 });
  await sandbox.call('POST', 'confirm', { corpid: corp });
  for (const [template, where] of ways) {
    const statuses = await Promise.all(asked[template].map(async (id) => (await next.get(`/touches/${id}`)).status));
    const known = statuses.filter((status) => ['sent', 'delivered', 'confirmed'].includes(status)).length, uncertain = statuses.filter((status) => status === 'uncertain').length;
    assert.equal(known + uncertain, people, `${template}: ${statuses}`);
    if (template === 'task') assert.ok(uncertain > 0, `${statuses}`);
    const { matched, messages } = await sandbox.messages(where);
    assert.equal(new Set(messages.map((message) => message.recipient)).size, matched, `${template}: nobody has it twice`);
    assert.ok(matched >= known, `${template}: who is known to have it has it (${matched}, ${known})`);
  }
});

test('a follower at a shared warehouse: timelines while it follows, and nothing twice after it took over',
  { skip: skip || missingClickhouse, timeout: 400_000 }, async () => {
    const postgres = Postgres.start();
    started.push(postgres);
    const cluster = Cluster.start();
    started.push(cluster);
    const first = await server(postgres, undefined, cluster);
    const { write_key: backend } = await first.source('backend');
    const item = (n) => ({ type: 'track', userId: `u${n % 5}`, event: 'Load Event', messageId: `m${n}`, properties: { n } });
    const send = (kith, from, to) => kith.batch(backend, Array.from({ length: to - from }, (_, i) => item(from + i)));
    const numbersAt = async (kith) => {
      const numbers = [];
      for (let n = 0; n < 5; n++) {
        const her = await kith.findBy('user_id', `u${n}`);
        if (her) for (const event of await kith.timeline(her.one_id)) numbers.push(event.props.n);
      }
      return numbers.sort((a, b) => a - b);
    };
    const all = (to) => Array.from({ length: to }, (_, n) => n);
    const shows = (kith, to) => until(`${to} events, each once`, async () => (await numbersAt(kith)).join() === all(to).join(), { timeoutMs: 120_000 });
    await send(first, 0, 40);
    await first.flushed({ timeoutMs: 120_000 });
    const second = await server(postgres, first, cluster);
    await shows(second, 40);          // out of the warehouse
    await send(first, 40, 60);
    await send(second, 60, 80);       // handed over
    await shows(second, 80);          // out of its tail, or the warehouse by now
    await first.flushed({ timeoutMs: 120_000 });
    await shows(second, 80);
    await send(first, 80, 90);
    await first.kill9();
    await until('the follower to take over', async () => (await standing(second))?.role === 'active', { timeoutMs: 180_000 });
    await send(second, 85, 100);      // some of them were sent before
    await shows(second, 100);
    await second.flushed({ timeoutMs: 120_000 });
    await shows(second, 100);
  });

test(`D1: four servers, ${kills} of them killed or paused at random`,
  { skip, timeout: Math.max(900_000, kills * 120_000) },
  async (t) => {
    t.diagnostic(`KITH_SEED=${seed}`);
    const chance = random(seed);
    const postgres = Postgres.start();
    started.push(postgres);
    const first = await server(postgres);
    const servers = [first];
    for (let i = 0; i < 3; i++) servers.push(await server(postgres, first));
    const { write_key: backend } = await first.source('backend');
    for (const kith of servers)
      await until('every server to know the source', async () => (await kith.get('/sources')).items.some((one) => one.key === 'backend'));
    const doors = new Doors(servers, chance);
    const load = new Load(doors, { backend }, { chance, tag: 's' });
    let epoch = 0, ends = 0; // of active ones
    for (let kill = 1; kill <= kills; kill++) {
      let stopped = false;
      const running = load.run(8, () => stopped);
      const before = load.acknowledged.size;
      await until('events to be acknowledged', () => load.acknowledged.size > before + 20, { timeoutMs: 120_000 });
      const active = await activeOf(servers);
      const says = await standing(active);
      if (says?.role === 'active') {
        assert.ok(says.epoch >= epoch, `epoch ${says.epoch} came after ${epoch}`);
        epoch = says.epoch;
      }
      const victim = chance() < 0.7 ? active : servers[Math.floor(chance() * 4)];
      if (victim === active) ends++;
      if (chance() < 0.5) {
        doors.paused = victim;
        victim.child.kill('SIGSTOP');
        if (victim === active) {
          const others = servers.filter((one) => one !== victim);
          const next = await activeOf(others);
          assert.notEqual(next, victim);
          const so = load.acknowledged.size;
          await until('events to be acknowledged by the new one', () => load.acknowledged.size > so, { timeoutMs: 120_000 });
        } else await sleep(200 + chance() * 1000);
        victim.child.kill('SIGCONT');
        doors.paused = undefined;
        // the old one ends itself: its lease is another's
        if (victim === active) await victim.ended;
        else if (!(await standing(victim))) await until('the woken one to answer', () => standing(victim), { timeoutMs: 120_000 });
      } else await victim.kill9();
      stopped = true;
      await running;
      if (victim.child === undefined || victim === active) await victim.launch();
    }
    await activeOf(servers);
    await load.settle();
    const active = await activeOf(servers);
    await until('the inbox to be empty', async () => {
      const { rows } = await active.get('/system').then(() => inbox(active));
      return rows === 0;
    }, { timeoutMs: 120_000 });
    await active.settled({ timeoutMs: 120_000 });
    load.kith = active;
    const { wrong, events } = await load.verify();
    epoch = (await standing(active)).epoch;
    assert.ok(epoch > ends, `${ends} active servers ended, and the epoch is ${epoch}`);
    const warm = servers.reduce((sum, kith) => sum + logged(kith, 'taken_over '), 0);
    t.diagnostic(`${events} events, ${warm} taken over warm, ${load.acknowledged.size} acknowledged, statuses ${JSON.stringify(load.statuses)}, epoch ${epoch}`);
    assert.deepEqual(wrong.slice(0, 10), []);
    load.close();
    for (const kith of servers) await kith.stop();
    await digestsAgree(postgres, active.folder, active.binary);
  });

/** Rows that were handed over and are not in the log yet, as the metrics count them. */
async function inbox(kith) {
  const text = await (await fetch(`${kith.url}/metrics`)).text();
  return { rows: Number(/^kith_log_inbox_rows (\d+)/m.exec(text)?.[1] ?? -1) };
}
