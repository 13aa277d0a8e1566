// SPDX-License-Identifier: Apache-2.0
// Files in, against the real binary: uploads, detection, preview, jobs, the same file again, a corrected one, undo,
// mappings, objects, watermarks. Each answer is held against openapi.json.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, operations, refused, seen, track, users } from './support.mjs';

let kith, folder, shop, tokens;
const real = { skip: missingBinary };

before(async () => {
  if (missingBinary) return;
  folder = mkdtempSync(join(tmpdir(), 'kith-files-'));
  kith = await Kith.start({ arguments: ['--import-folder', folder] });
  tokens = await users(kith);
  shop = await expect(kith, 201, 'POST', '/sources', { body: { key: 'shop', kind: 'server' } });
});
after(async () => {
  await kith?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const orders = (lines) => ['order,user,paid_at,amount', ...lines].join('\n') + '\n';
const orderMapping = {
  kind: 'events',
  zone: '+08:00',
  currency: 'CNY',
  columns: { order: ['order'] },
  identifiers: [{ type: 'user_id', value: '[user]' }],
  key: '[order]',
  properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' } },
  events: [{ event: 'Order Paid', time: '[paid_at]' }],
};

async function upload(name, text, { part = 1 << 20 } = {}) {
  const bytes = Buffer.from(text);
  const made = await expect(kith, 201, 'POST', '/uploads', { body: { name, size_bytes: bytes.length } });
  for (let offset = 0; offset < bytes.length; offset += part)
    await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=${offset}`, { body: bytes.subarray(offset, offset + part) });
  return `upload:${made.id}`;
}

const wait = (id, status = 'finished') =>
  until(`job ${id} to be ${status}`, async () => {
    const job = await expect(kith, 200, 'GET', `/jobs/${id}`);
    if (job.status === 'failed' && status !== 'failed') throw new Error(`failed: ${job.reason}`);
    return job.status === status && job;
  });

async function bring(file, more = {}) {
  const made = await expect(kith, 202, 'POST', '/imports', { body: { file, mapping: orderMapping, data_set: 'orders', ...more } });
  return wait(made.id);
}

const customer = (id) => ask(kith, 'GET', `/customers/by/user_id/${id}`);
const summary = async (id) => (await expect(kith, 200, 'GET', `/customers/by/user_id/${id}`)).summary;

test('an upload comes in parts and says where it stands', real, async () => {
  const made = await expect(kith, 201, 'POST', '/uploads', { body: { name: 'a.csv', size_bytes: 6 } });
  await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=0`, { body: 'abc' });
  await refused(kith, 409, 'conflict', 'PUT', `/uploads/${made.id}?offset=0`, { body: 'abc' });
  await refused(kith, 409, 'conflict', 'POST', '/imports/detect', { body: { file: `upload:${made.id}` } });
  assert.equal((await expect(kith, 200, 'GET', `/uploads/${made.id}`)).offset, 3);
  await refused(kith, 422, 'unprocessable', 'PUT', `/uploads/${made.id}?offset=3`, { body: 'defg' });
  const whole = await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=3`, { body: 'def' });
  assert.equal(whole.complete, true);
  assert.equal(whole.sha256, 'bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721');
  await expect(kith, 204, 'DELETE', `/uploads/${made.id}`);
  await refused(kith, 404, 'not_found', 'GET', `/uploads/${made.id}`);
  await refused(kith, 413, 'too_large', 'POST', '/uploads', { body: { name: 'a', size_bytes: -1 } });
  await refused(kith, 403, 'forbidden', 'POST', '/uploads', { token: tokens.viewer, body: { name: 'a', size_bytes: 1 } });
});

test('a path stays below its folder', real, async () => {
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in/one.csv'), orders(['p1,up1,2024-01-05 10:00:00,1.00']));
  symlinkSync('/etc/passwd', join(folder, 'link'));
  symlinkSync('/etc', join(folder, 'etc'));
  for (const path of ['../x', 'in/../../x', '/etc/passwd', 'link', 'etc/passwd', './in/one.csv', 'in//one.csv', ''])
    assert.ok([403, 404].includes((await ask(kith, 'POST', '/imports/detect', { body: { file: `path:${path}` } })).status), path);
  const found = await expect(kith, 200, 'POST', '/imports/detect', { body: { file: 'path:in/one.csv' } });
  assert.deepEqual(found.columns, ['order', 'user', 'paid_at', 'amount']);
  assert.equal(found.form.encoding, 'utf-8');
  await refused(kith, 404, 'not_found', 'POST', '/imports/detect', { body: { file: 'path:in/none.csv' } });
});

test('preview says what would happen and changes nothing', real, async () => {
  await kith.batch(shop.write_key, [identify('pre1'), identify('pre2')]);
  const file = await upload('pre.csv', orders(['v1,pre1,2024-01-05 10:00:00,12.50', 'v2,pre9,2024-01-05 10:00:00,1', 'v3,pre8,not a time,1']));
  const preview = await expect(kith, 200, 'POST', '/imports/preview', { body: { file, mapping: orderMapping } });
  assert.equal(preview.rows, 3);
  assert.equal(preview.events, 2);
  assert.equal(preview.refused, 1);
  assert.equal(preview.refusals[0].row, 3);
  assert.deepEqual(preview.customers, { created: 1, found: 1, merged: 0 });
  assert.equal((await customer('pre9')).status, 404);
});

let first;
test('a job brings orders, once, and says what it refused', real, async () => {
  const file = await upload('orders.csv', orders(['o1,u1,2024-01-05 10:00:00,12.50', 'o2,u2,2024-01-06 10:00:00,20', 'o3,u1,2024-02-06 10:00:00,7.5', '=bad,u3,never,1']));
  first = await bring(file);
  assert.equal(first.counts.events, 3);
  assert.equal(first.counts.refused, 1);
  assert.deepEqual([(await summary('u1')).orders, (await summary('u1')).revenue], [2, 2000]);
  const report = await expect(kith, 200, 'GET', `/jobs/${first.id}/refused`);
  assert.match(report, /^\uFEFF?row,code,reason,original\r\n4,/);
  assert.match(report, /"'=bad,u3,never,1"/);
  await refused(kith, 404, 'not_found', 'GET', '/jobs/999999');
  const again = await expect(kith, 202, 'POST', '/imports', { body: { file, mapping: orderMapping, data_set: 'orders' } });
  assert.equal(again.unchanged, true);
  assert.equal(again.id, first.id);
});

test('a corrected file replaces by order', real, async () => {
  await kith.batch(shop.write_key, [track('u1', 'Order Paid', { order_id: 'live1', revenue: 3, currency: 'CNY' })]);
  const file = await upload('orders2.csv', orders(['o1,u1,2024-01-05 10:00:00,13.50', 'o2,u2,2024-01-06 10:00:00,20', 'o3,u1,2024-02-06 10:00:00,7.5', 'o4,u4,2024-03-06 10:00:00,1']));
  const job = await bring(file);
  assert.deepEqual([job.counts.events, job.counts.duplicates, job.counts.replaced], [2, 2, 1]);
  const one = await summary('u1');
  assert.deepEqual([one.orders, one.revenue], [3, 1350 + 750 + 300]);
  assert.equal(one.first_order_at, '2024-01-05T02:00:00.000Z');
  assert.equal((await summary('u4')).revenue, 100);
  const events = await expect(kith, 200, 'GET', `/customers/${(await expect(kith, 200, 'GET', '/customers/by/user_id/u1')).one_id}/events`);
  assert.equal(events.items.length, 3);
});

test('undo takes away what an import brought, and leaves what others brought', real, async () => {
  const file = await upload('undo.csv', orders(['x1,ux1,2024-01-05 10:00:00,5', 'x2,u1,2024-01-07 10:00:00,9']));
  const before = await summary('u1');
  const job = await bring(file, { data_set: 'other' });
  assert.equal((await summary('u1')).orders, before.orders + 1);
  await kith.batch(shop.write_key, [track('ux1', 'Page Viewed', {})]);
  assert.equal((await summary('ux1')).events, 2);
  await expect(kith, 202, 'POST', `/imports/${job.id}/undo`);
  await wait(job.id, 'undone');
  assert.deepEqual(await summary('u1'), before);
  const left = await summary('ux1');
  assert.deepEqual([left.events, left.orders, left.revenue], [1, 0, 0]);
  await refused(kith, 409, 'conflict', 'POST', `/imports/${job.id}/undo`);
  const again = await bring(file, { data_set: 'other' });
  assert.notEqual(again.id, job.id);
  assert.equal(again.counts.events, 2);
  assert.equal((await summary('ux1')).revenue, 500);
});

test('what an import alone knew is nobody after its undo', real, async () => {
  const total = async () => (await expect(kith, 200, 'GET', '/system')).counts.customers;
  const before = await total();
  const job = await bring(await upload('alone.csv', orders(['y1,uy1,2024-01-05 10:00:00,5'])), { data_set: 'alone' });
  assert.equal(await total(), before + 1);
  await expect(kith, 202, 'POST', `/imports/${job.id}/undo`);
  await wait(job.id, 'undone');
  assert.equal((await customer('uy1')).status, 404);
  assert.equal(await total(), before);
});

test('pause, resume, cancel; the stream speaks until the end', real, async () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => `big${i},ub${i % 5000},2024-01-05 10:00:00,1`);
  const file = await upload('big.csv', orders(lines));
  const made = await expect(kith, 202, 'POST', '/imports', { body: { file, mapping: orderMapping, data_set: 'big' } });
  const paused = await ask(kith, 'POST', `/jobs/${made.id}/pause`);
  if (paused.status === 200) {
    await refused(kith, 409, 'conflict', 'POST', `/jobs/${made.id}/pause`);
    await expect(kith, 200, 'POST', `/jobs/${made.id}/resume`);
  }
  const told = await ask(kith, 'GET', `/jobs/${made.id}/stream`);
  const jobs = told.text.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)));
  assert.equal(jobs.at(-1).status, 'finished');
  assert.equal(jobs.at(-1).counts.events, 60_000);
  await refused(kith, 409, 'conflict', 'POST', `/jobs/${made.id}/cancel`);
  const half = await expect(kith, 202, 'POST', '/imports', { body: { file, mapping: orderMapping, data_set: 'big2' } });
  await expect(kith, 200, 'POST', `/jobs/${half.id}/cancel`);
  await wait(half.id, 'cancelled');
  assert.equal((await summary('ub1')).orders, 12);
});

test('a torn archive fails where it stands; the whole one brings what is missing, once', real, async () => {
  const packed = gzipSync(orders(Array.from({ length: 20_000 }, (_, i) => `t${i},ut${i % 50},2024-01-05 10:00:0${i % 10},${i % 977}.0${i % 10}`)));
  const mine = { mapping: orderMapping, data_set: 'torn' };
  writeFileSync(join(folder, 'torn.csv.gz'), packed.subarray(0, Math.floor(packed.length * 0.8)));
  const made = await expect(kith, 202, 'POST', '/imports', { body: { file: 'path:torn.csv.gz', ...mine } });
  const failed = await wait(made.id, 'failed');
  assert.match(failed.reason, /torn\.csv\.gz|end|cut|torn|truncated/i);
  const brought = failed.counts.events;
  assert.ok(brought > 0 && brought < 20_000, `${brought}`);
  writeFileSync(join(folder, 'torn.csv.gz'), packed);
  // another content is no continuation of the job
  await expect(kith, 200, 'POST', `/jobs/${made.id}/resume`);
  assert.match((await wait(made.id, 'failed')).reason, /changed/);
  const whole = await bring('path:torn.csv.gz', mine);
  assert.deepEqual([whole.counts.events, whole.counts.duplicates, whole.counts.refused], [20_000 - brought, brought, 0]);
  assert.equal((await summary('ut1')).orders, 400);
  // what the failed one brought can be taken away, and nothing else goes
  await expect(kith, 200, 'POST', `/jobs/${made.id}/cancel`);
  await wait(made.id, 'cancelled');
  const left = Array.from({ length: 20_000 - brought }, (_, i) => (brought + i) % 50).filter((user) => user === 1);
  assert.equal((await summary('ut1')).orders, left.length);
});

test('wrong bytes, other types and odd amounts in the middle refuse their rows alone', real, async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `x${i},ux,2024-01-05 10:00:00,1.00`);
  lines[1500] = 'x1500,\xff\xfe\x81,2024-01-05 10:00:00,1.00'; // no UTF-8
  lines[2000] = 'x2000,ux,2024-01-05 10:00:00,sold out'; // a number until here
  lines[2001] = 'x2001,ux,1.38E+10,1.00';
  lines[2002] = 'x2002,ux,2024-01-05 10:00:00,USD 3';
  lines[2003] = 'x2003,ux,2024-01-05 10:00:00,-4.50'; // a refund
  lines[2004] = '=1+1,ux,2024-01-05 10:00:00,=NOW()'; // a formula
  const bytes = Buffer.from(orders(lines), 'latin1');
  const made = await expect(kith, 201, 'POST', '/uploads', { body: { name: 'odd.csv', size_bytes: bytes.length } });
  await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=0`, { body: bytes });
  const job = await bring(`upload:${made.id}`, { data_set: 'odd', form: { encoding: 'utf-8' } });
  assert.deepEqual([job.counts.rows, job.counts.events, job.counts.refused], [3000, 2995, 5]);
  const report = await expect(kith, 200, 'GET', `/jobs/${job.id}/refused`);
  for (const row of [1501, 2001, 2002, 2003, 2005]) assert.match(report, new RegExp(`\r\n${row},`), `${row}`);
  assert.match(report, /"'=1\+1,ux,/, 'no spreadsheet takes it for a formula');
  assert.equal((await summary('ux')).revenue, 2994 * 100 - 450);
});

test('mappings are kept in versions', real, async () => {
  await expect(kith, 200, 'PUT', '/mappings/mine', { body: { mapping: orderMapping } });
  const two = await expect(kith, 200, 'PUT', '/mappings/mine', { body: { mapping: { ...orderMapping, zone: '+00:00' } } });
  assert.equal(two.version, 2);
  assert.equal((await expect(kith, 200, 'GET', '/mappings/mine?version=1')).mapping.zone, '+08:00');
  assert.equal((await expect(kith, 200, 'GET', '/mappings')).items.length, 2);
  await refused(kith, 404, 'not_found', 'GET', '/mappings/none');
  await refused(kith, 422, 'unprocessable', 'PUT', '/mappings/mine', { body: { mapping: { kind: 'odd' } } });
  const job = await bring(await upload('m.csv', orders(['m1,um1,2024-01-05 10:00:00,5'])), { mapping: undefined, mapping_key: 'mine', data_set: undefined, source: 'shop' });
  assert.equal(job.mapping_version, 2);
  const marks = await expect(kith, 200, 'GET', '/watermarks');
  assert.equal(marks.items.find((one) => one.source === 'shop').told_until, '2024-01-05T10:00:00.000Z');
  assert.ok((await expect(kith, 200, 'GET', '/imports?limit=2')).next_cursor);
  assert.ok((await expect(kith, 200, 'GET', '/imports/presets')).items.length >= 8);
});

test('a folder is looked into', real, async () => {
  const jobs = async () => (await expect(kith, 200, 'GET', '/imports?limit=500')).items.filter((job) => job.file?.startsWith('path:daily/'));
  mkdirSync(join(folder, 'daily'));
  writeFileSync(join(folder, 'daily/one.csv'), orders(['d1,ud1,2024-01-05 10:00:00,5']));
  writeFileSync(join(folder, 'daily/one.txt'), orders(['d9,ud9,2024-01-05 10:00:00,5']));
  const schedule = { folder: 'daily', pattern: '*.csv', mapping: orderMapping, data_set: 'daily', quiet_seconds: 0 };
  await expect(kith, 200, 'PUT', '/settings/import.schedules', { body: { value: [schedule, { folder: '../..' }] } });
  await until('its file to be imported', async () => (await jobs()).some((job) => job.status === 'finished'));
  assert.equal((await summary('ud1')).revenue, 500);
  writeFileSync(join(folder, 'daily/one.csv'), orders(['d1,ud1,2024-01-05 10:00:00,6']));
  await until('the corrected file to be imported', async () => (await jobs()).filter((job) => job.status === 'finished').length === 2);
  assert.equal((await summary('ud1')).revenue, 600);
  assert.equal((await customer('ud9')).status, 404);
});

test('objects', real, async () => {
  await expect(kith, 200, 'PUT', '/object-kinds/store', { body: { name: { zh: '门店' }, properties: { city: { type: 'text' } } } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/object-kinds/store', { body: { properties: { city: { type: 'odd' } } } });
  assert.equal((await expect(kith, 200, 'GET', '/object-kinds')).items[0].kind, 'store');
  for (let i = 0; i < 5; i++) await expect(kith, 200, 'PUT', `/objects/store/s${i}`, { body: { props: { city: i % 2 ? '上海' : '杭州' } } });
  assert.equal((await expect(kith, 200, 'GET', '/objects/store?query=上海'.replace('上海', encodeURIComponent('上海')))).items.length, 2);
  const page = await expect(kith, 200, 'GET', '/objects/store?limit=2');
  const rest = await expect(kith, 200, 'GET', `/objects/store?limit=9&cursor=${page.next_cursor}`);
  assert.deepEqual(rest.items.map((one) => one.id), ['s2', 's3', 's4']);
  await expect(kith, 204, 'DELETE', '/objects/store/s1');
  await refused(kith, 404, 'not_found', 'GET', '/objects/store/s1');
  assert.equal((await expect(kith, 200, 'GET', '/objects/store/s2')).props.city, '杭州');
});

test('what it cannot be', real, async () => {
  const file = await upload('o.csv', orders(['z1,uz1,2024-01-05 10:00:00,5']));
  await refused(kith, 422, 'unprocessable', 'POST', '/imports', { body: { file } });
  await refused(kith, 422, 'unprocessable', 'POST', '/imports', { body: { file, mapping: orderMapping, source: 'none' } });
  await refused(kith, 422, 'unprocessable', 'POST', '/imports', { body: { file: 'x', mapping: orderMapping } });
  await refused(kith, 404, 'not_found', 'POST', '/imports/12345/undo');
});

test('every route of imports and objects was asked', real, async () => {
  // Buckets have a test of their own, and so have the tags of objects and the end of a kind.
  const elsewhere = (one) => one.path.includes('/imports/buckets') || one.path.endsWith('/tags') || one.id === 'deleteObjectKind';
  const mine = operations.filter((one) => ['imports', 'objects'].includes(one.operation.tags[0]) && !elsewhere(one)).map((one) => one.id);
  assert.deepEqual(mine.filter((id) => !seen.operations.has(id)), []);
});
