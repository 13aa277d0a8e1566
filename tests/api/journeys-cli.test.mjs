// SPDX-License-Identifier: Apache-2.0
// kith journey, touch, template, channel, stop: the same as the API, as a client of a running server; exit codes and words.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Kith, binary, missingBinary, until } from '../support/kith.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { identify, track } from './support.mjs';

const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
let kith, sandbox, shop, ann;

before(async () => {
  if (missingBinary) return;
  sandbox = await Sandbox.start({ now: NOW });
  kith = await Kith.start({ arguments: ['--virtual-clock', '--sandbox', sandbox.url], environment: { KITH_NOW: NOW } });
  shop = await kith.source('shop');
  await kith.batch(shop.write_key, [identify('ann', { city: '上海' }), track('ann', 'Order Paid', { order_id: 'o1' }, { timestamp: NOW })]);
  ann = (await kith.customerBy('user_id', 'ann')).one_id;
  await kith.put(`/customers/${ann}/consent/marketing`, { granted: true });
});
after(async () => {
  await kith?.remove();
  await sandbox?.stop();
});

/** `kith …words` with `input` on stdin: {code, out, err}. */
async function command(words, input) {
  const child = spawn(binary, words, { env: { ...process.env, KITH_URL: kith.url, KITH_ADMIN_TOKEN: kith.token } });
  let out = '', error = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (error += data));
  child.stdin.end(input === undefined ? '' : JSON.stringify(input));
  const code = await new Promise((done) => child.once('close', done));
  return { code, out, error };
}
async function good(words, input) {
  const { code, out, error } = await command(words, input);
  assert.equal(code, 0, `kith ${words.join(' ')}: ${error}`);
  return out.startsWith('{') ? JSON.parse(out) : out;
}

test('channels and templates: put, list, show, test, preview, delete', real, async () => {
  await good(['channel', 'put', 'crm', '-'], { kind: 'webhook', settings: { url: `${sandbox.url}/webhook/crm`, allow_private: true } });
  assert.match(await good(['channel', 'list']), /^crm +webhook +0 webhook *\n$/);
  assert.equal((await good(['channel', 'show', 'crm'])).kind, 'webhook');
  await good(['channel', 'put', 'texts', '-'], {
    kind: 'sms_aliyun',
    settings: { access_key_id: 'kith', access_key_secret: 'sandbox-secret', sign_name: '凯思', sandbox: true },
  });
  await until('the account to be known to who sends', async () => (await command(['channel', 'test', 'texts'])).code === 0);
  await good(['channel', 'delete', 'texts']);
  await good(['template', 'put', 'hi', '-'], { channel: 'webhook', parts: { text: '您好 {{ customer.city }}' } });
  assert.match(await good(['template', 'list']), /^hi +1 *\n$/);
  assert.equal((await good(['template', 'preview', 'hi', ann])).parts.text, '您好 上海');
  await good(['template', 'put', 'gone', '-'], { channel: 'webhook', parts: { text: 'x' } });
  await good(['template', 'delete', 'gone']);
  const { code, error } = await command(['template', 'show', 'gone']);
  assert.equal(code, 1);
  assert.match(error, /^kith: .*gone/);
});

test('a journey from its draft to its report; what it sent; why she is in it', real, async () => {
  await good(['journey', 'put', 'care', '-'], {
    name: '关怀', trigger: { type: 'api' }, start: 'tell',
    nodes: { tell: { type: 'send', channel: 'webhook', template: 'hi', next: 'wait' }, wait: { type: 'wait', for: '1d' } },
  });
  await good(['journey', 'publish', 'care', '--ramp', '100']);
  await until('it to be live', async () => /care +live/.test(await good(['journey', 'list'])));
  const entered = await good(['journey', 'enter', 'care', '-'], { customers: [ann] });
  assert.ok(entered.results[0].position > 0);
  assert.equal((await good(['journey', 'explain', 'care', ann])).is_in, true);
  await until('it to arrive', async () => (await sandbox.messages({ kind: 'webhook' })).total === 1);
  const line = await until('it to be told', async () => /^ *(\d+) delivered .*webhook.*care/m.exec(await good(['touch', 'list', '--journey', 'care'])));
  assert.equal((await good(['touch', 'show', line[1]])).status, 'delivered');
  const decided = await command(['touch', 'decide', line[1], 'resend']);
  assert.equal(decided.code, 1, 'only what is uncertain is decided');
  await good(['journey', 'pause', 'care']);
  assert.equal((await good(['journey', 'show', 'care'])).state, 'paused');
  await good(['journey', 'resume', 'care']);
  assert.equal((await good(['journey', 'report', 'care'])).entered, 1);
  await good(['journey', 'stop', 'care', '--positions', 'exit']);
  await until('everybody to be out', async () => (await good(['journey', 'report', 'care'])).inside === 0);
});

test('S34 kith stop is the red button; --off goes on', real, async () => {
  await good(['stop', '--why', 'wrong price']);
  const { items: [touch] } = await kith.post('/touches', { customers: [ann], template: 'hi' });
  assert.deepEqual([touch.status, touch.reason], ['held', 'stopped']);
  assert.equal((await kith.get('/stop')).items[0].why, 'wrong price');
  await good(['stop', '--off']);
  await until('it to arrive', async () => (await sandbox.messages({ kind: 'webhook' })).total === 2);
});

test('what cannot be understood ends with 2, and asks nothing', real, async () => {
  for (const words of [['journey'], ['journey', 'show'], ['journey', 'jump', 'x'], ['touch', 'decide', '1'], ['channel', 'list', '--off'],
    ['stop', 'all'], ['journey', 'put', 'a', 'b', 'c'], ['touch', 'list', '--status']]) {
    const { code, error } = await command(words);
    assert.equal(code, 2, words.join(' '));
    assert.match(error, new RegExp(`^kith ${words[0]}, against --server`));
  }
  assert.equal((await kith.get('/stop')).items.length, 0);
  const { code, error } = await command(['journey', 'publish', 'care', '--ramp', 'all']);
  assert.equal(code, 1);
  assert.match(error, /--ramp 'all' is not a whole number/);
});
