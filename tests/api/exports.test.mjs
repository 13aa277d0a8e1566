// SPDX-License-Identifier: Apache-2.0
// Exports of segments and tags: columns of choice, cells that no spreadsheet takes for a formula, masks, objects, what
// is cancelled, what is there after a restart.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { adminToken, binary, Kith, missingBinary, until } from '../support/kith.mjs';
import { expect, identify, refused, track, users } from './support.mjs';

let kith, tokens, shop;
const real = { skip: missingBinary };

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  tokens = await users(kith);
  shop = await kith.source('shop');
  await kith.batch(shop.write_key, [
    identify('ann', { phone: '13800000001', city: '=1+1', note: 'a "b", c', likes: ['tea', 'wine'], age: -5 }),
    identify('bob', { city: '上海' }),
    track('ann', 'Order Paid', { order_id: 'o1', revenue: '1.00', currency: 'CNY' }),
    track('bob', 'Order Paid', { order_id: 'o2', revenue: '2.00', currency: 'CNY' }),
    track('eve', 'Seen', {}),
  ]);
  await expect(kith, 200, 'PUT', '/tags/orders', { body: { kind: 'count', measure: { event: 'Order Paid', measure: 'count' } } });
  await expect(kith, 200, 'PUT', '/segments/buyers', { body: { rule: { event: 'Order Paid' } } });
});
after(async () => kith?.remove());

const begin = (path, body, options = {}) => expect(kith, 201, 'POST', `${path}/exports${options.query ?? ''}`, { body, ...options });
async function finished(one) {
  let last;
  await until('the export has ended', async () => (last = await expect(kith, 200, 'GET', `/exports/${one.id}`)).state !== 'running');
  return last;
}
const file = async (one, token = adminToken) =>
  Buffer.from(await (await fetch(`http://127.0.0.1:${kith.port}/api/v1/exports/${one.id}/file`,
    { headers: { authorization: `Bearer ${token}` } })).arrayBuffer()).toString('utf8');

test('a segment as CSV: columns of choice, no formulas, masked', real, async () => {
  const columns = ['one_id', 'identifier:mobile', 'trait:city', 'trait:note', 'trait:likes', 'trait:age', 'tag:orders', 'segment:buyers', 'consent:sms'];
  const made = await begin('/segments/buyers', { format: 'csv', columns });
  assert.equal(made.total, 2);
  const done = await finished(made);
  assert.equal(done.state, 'done', done.reason);
  assert.equal(done.rows, 2);
  const text = await file(made);
  const lines = text.replace('\uFEFF', '').trimEnd().split('\r\n');
  assert.equal(lines[0], columns.join(','));
  const ann = (await expect(kith, 200, 'GET', '/customers/by/user_id/ann')).one_id;
  const row = lines.find((line) => line.startsWith(ann));
  assert.match(row, /^c_[a-z0-9]+,[^,]*\*[^,]*,"'=1\+1","a ""b"", c",tea; wine,-5,1,true,$/);
  assert.ok(!text.includes('13800000001'));
  assert.equal(Buffer.byteLength(text), done.bytes);
});

test('JSON lines, revealed only to who may', real, async () => {
  await refused(kith, 403, 'forbidden', 'POST', '/segments/buyers/exports', { body: { format: 'jsonl' }, token: tokens.viewer });
  const made = await begin('/segments/buyers', { format: 'jsonl', columns: ['one_id', 'identifier:mobile', 'trait:likes'] }, { query: '?reveal=true', token: tokens.operator });
  await finished(made);
  const rows = (await file(made, tokens.operator)).trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(rows.length, 2);
  const ann = rows.find((one) => one['identifier:mobile'].length === 1);
  assert.deepEqual(ann['identifier:mobile'], ['+8613800000001']);
  assert.deepEqual(ann['trait:likes'], ['tea', 'wine']);
  assert.deepEqual(rows.find((one) => one !== ann)['identifier:mobile'], []);
  await refused(kith, 403, 'forbidden', 'GET', `/exports/${made.id}/file`, { token: tokens.viewer });
});

test('a tag by value, objects with their properties', real, async () => {
  await expect(kith, 200, 'PUT', '/objects/store/s1', { body: { props: { city: '+上海', area: 12.5 } } });
  await expect(kith, 200, 'PUT', '/objects/store/s2', { body: { props: { city: '杭州' } } });
  await expect(kith, 200, 'PUT', '/tags/place', { body: { on: 'store', values: [{ value: 'big', rule: { prop: 'area', gte: 10 } }] } });
  const made = await begin('/tags/place', { columns: ['id', 'prop:city', 'prop:area', 'tag:place'], value: 'big' });
  await finished(made);
  assert.equal(await file(made), '\uFEFFid,prop:city,prop:area,tag:place\r\ns1,"\'+上海",12.5,big\r\n');
});

test('what is wrong is refused; what is over can be removed; what is done is there after a restart', real, async () => {
  const wrong = await refused(kith, 422, 'unprocessable', 'POST', '/segments/buyers/exports', { body: { columns: ['one_id', 'city'] } });
  assert.equal(wrong.errors[0].pointer, '/columns/1');
  await refused(kith, 422, 'unprocessable', 'POST', '/segments/buyers/exports', { body: { format: 'xls' } });
  await refused(kith, 404, 'not_found', 'POST', '/segments/none/exports', { body: {} });
  await refused(kith, 404, 'not_found', 'GET', '/exports/e99');
  await refused(kith, 404, 'not_found', 'GET', '/exports/e99/file');
  const before = await expect(kith, 200, 'GET', '/exports');
  assert.equal(before.items.length, 3);
  assert.deepEqual(before.items.map((one) => one.id), ['e3', 'e2', 'e1']);
  await expect(kith, 204, 'DELETE', '/exports/e1');
  await refused(kith, 404, 'not_found', 'DELETE', '/exports/e1');
  await kith.kill9();
  await kith.launch();
  const after = await expect(kith, 200, 'GET', '/exports');
  assert.deepEqual(after.items, before.items.slice(0, 2));
  assert.match(await file(after.items[0]), /^\uFEFFid,/);
});

test('kith segment and kith tag: a client of the running server', real, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith_segment_'));
  const run = (...words) => promisify(execFile)(binary, words, {
    env: { ...process.env, KITH_URL: `http://127.0.0.1:${kith.port}`, KITH_ADMIN_TOKEN: adminToken } });
  const rule = join(folder, 'rule.json');
  writeFileSync(rule, JSON.stringify({ name: 'Loud', rule: { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 200 } }));
  writeFileSync(join(folder, 'only.json'), JSON.stringify({ rule: { event: 'Order Paid' } }));
  assert.equal(JSON.parse((await run('segment', 'put', 'loud', rule)).stdout).count, 1);
  assert.match((await run('segment', 'list', '--query', 'loud')).stdout, /^loud +1 +live +customer +Loud/);
  assert.equal(JSON.parse((await run('segment', 'preview', join(folder, 'only.json'))).stdout).count, 2);
  const members = (await run('segment', 'members', 'loud')).stdout.trim().split('\n');
  assert.deepEqual(members, [(await expect(kith, 200, 'GET', '/customers/by/user_id/bob')).one_id]);
  const out = join(folder, 'out.csv');
  await run('segment', 'export', 'loud', '--columns', 'one_id,trait:city', '--output', out);
  assert.equal(readFileSync(out, 'utf8'), `\uFEFFone_id,trait:city\r\n${members[0]},上海\r\n`);
  assert.match((await run('tag', 'export', 'orders', '--format', 'jsonl', '--columns', 'tag:orders')).stdout, /^\{"tag:orders":1\}\n\{"tag:orders":1\}\n\{"tag:orders":0\}\n$/);
  await run('segment', 'delete', 'loud');
  await assert.rejects(run('segment', 'show', 'loud'), (error) => error.code === 1 && /there is no segment 'loud'/.test(error.stderr));
  await assert.rejects(run('segment', 'shout'), (error) => error.code === 2 && /kith segment members/.test(error.stderr));
  rmSync(folder, { recursive: true });
});
