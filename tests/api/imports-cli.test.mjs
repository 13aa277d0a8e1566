// SPDX-License-Identifier: Apache-2.0
// kith import, the command: a file by upload and by path, with presets and saved mappings, waiting, undoing; exit codes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Kith, binary, missingBinary } from '../support/kith.mjs';

const real = { skip: missingBinary };
let kith, folder;

before(async () => {
  if (missingBinary) return;
  folder = mkdtempSync(join(tmpdir(), 'kith-cli-'));
  kith = await Kith.start({ arguments: ['--import-folder', folder] });
});
after(async () => {
  await kith?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const run = (...args) =>
  new Promise((done) =>
    execFile(binary, ['import', ...args], { env: { ...process.env, KITH_URL: kith.url, KITH_ADMIN_TOKEN: kith.token } }, (error, stdout, stderr) =>
      done({ code: error ? error.code : 0, stdout: stdout.trim(), stderr }),
    ),
  );

const mapping = {
  kind: 'events', zone: '+08:00', currency: 'CNY', columns: {}, key: '[order]',
  identifiers: [{ type: 'user_id', value: '[user]' }],
  properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' } },
  events: [{ event: 'Order Paid', time: '[paid]' }],
};
const put = (name, text) => (writeFileSync(join(folder, name), text), join(folder, name));

test('a file with its mapping in a file; what is refused is told by the exit code', real, async () => {
  const file = put('a.csv', 'order,user,paid,amount\no1,u1,2025-01-01 10:00:00,5\no2,u1,never,5\n');
  const map = put('map.json', JSON.stringify(mapping));
  const one = await run(file, '--mapping', map, '--data-set', 'a', '--wait');
  assert.equal(one.code, 3, one.stderr);
  assert.match(one.stderr, /2 rows: 1 events, 0 known already, 0 replaced, 1 refused/);
  assert.equal((await kith.customerBy('user_id', 'u1')).summary.revenue, 500);
  const again = await run(file, '--mapping', map, '--data-set', 'a', '--wait');
  assert.match(again.stderr, new RegExp(`job ${one.stdout} has brought this file already`));
  const undone = await run('--undo', one.stdout, '--wait');
  assert.equal(undone.code, 0, undone.stderr);
  assert.equal(await kith.findBy('user_id', 'u1'), undefined);
});

test('a path on the server and a saved mapping', real, async () => {
  put('b.csv', 'order,user,paid,amount\no1,u2,2025-01-01 10:00:00,5\n');
  await kith.put('/mappings/mine', { mapping });
  const done = await run('b.csv', '--path', '--mapping', 'mine', '--wait');
  assert.equal(done.code, 0, done.stderr);
  assert.equal((await kith.customerBy('user_id', 'u2')).summary.orders, 1);
});

test('a preset, found by itself', real, async () => {
  const file = put('会员.csv', '会员卡号,手机号,姓名,性别,生日,会员等级\nC1,13812340001,王小明,男,1990-01-02,金卡\nC2,13812340002,李雷,女,,银卡\n');
  const done = await run(file, '--preset', 'members', '--wait');
  assert.equal(done.code, 0, done.stderr);
  assert.equal((await kith.customerBy('member_card', 'C1')).traits.level, '金卡');
});

test('what cannot be', real, async () => {
  assert.equal((await run()).code, 2);
  assert.equal((await run('x', '--odd')).code, 2);
  const none = await run(join(folder, 'none.csv'), '--mapping', 'mine');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /cannot be read/);
  const odd = put('odd.csv', 'x,y\n1,2\n');
  assert.match((await run(odd)).stderr, /no mapping is known/);
  assert.match((await run(odd, '--preset', 'none')).stderr, /no preset 'none'/);
  assert.match((await run('--undo', '12345')).stderr, /no job '12345'/);
  assert.match((await run(odd, '--server', 'http://127.0.0.1:1')).stderr, /cannot be reached/);
});
