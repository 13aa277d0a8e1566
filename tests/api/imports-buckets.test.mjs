// SPDX-License-Identifier: Apache-2.0
// Files in a bucket, on a schedule: listed page by page, fetched with signed requests (checked by an implementation that
// knows nothing of Kith's), each once; a transfer that breaks off goes on where it stood, over a restart too. The secret
// is shown to nobody and lies in no file; private addresses are refused unless they are allowed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { startS3 } from '../support/s3.mjs';
import { ask, expect, operations, refused, seen, users } from './support.mjs';

const real = { skip: missingBinary };
const prefix = 'daily/下单 +1/';
let kith, s3, tokens;

before(async () => {
  if (missingBinary) return;
  s3 = await startS3();
  kith = await Kith.start();
  tokens = await users(kith);
});
after(async () => {
  await kith?.remove();
  await s3?.close();
});

const mapping = {
  kind: 'events', zone: '+08:00', currency: 'CNY', columns: {}, key: '[order]',
  identifiers: [{ type: 'user_id', value: '[user]' }],
  properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' } },
  events: [{ event: 'Order Paid', time: '[paid]' }],
};
const orders = (...rows) => Buffer.from(['order,user,paid,amount,note', ...rows].join('\n') + '\n');
const bucket = (more = {}) => ({ endpoint: s3.url, region: s3.region, name: s3.bucket, prefix, access_key: s3.accessKey, path_style: true, allow_private: true, ...more });
const schedule = (value) => expect(kith, 200, 'PUT', '/settings/import.schedules', { body: { value } });
const jobs = async () => (await expect(kith, 200, 'GET', '/imports?limit=100')).items;
const finished = (count) => until(`${count} jobs to be finished`, async () => {
  const all = await jobs();
  const failed = all.find((job) => job.status === 'failed');
  if (failed) throw new Error(failed.reason);
  return all.length === count && all.every((job) => job.status === 'finished') && all;
});
const shown = async () => (await expect(kith, 200, 'GET', '/imports/buckets')).items.find((one) => one.key === 'exports');

test('a bucket is made by administrators; its secret is shown to nobody', real, async () => {
  await refused(kith, 403, 'forbidden', 'PUT', '/imports/buckets/exports', { token: tokens.operator, body: bucket({ secret_key: s3.secretKey }) });
  await refused(kith, 422, 'unprocessable', 'PUT', '/imports/buckets/exports', { body: bucket() });
  const made = await expect(kith, 200, 'PUT', '/imports/buckets/exports', { body: bucket({ secret_key: s3.secretKey }) });
  assert.deepEqual([made.key, made.access_key, made.secret_key], ['exports', s3.accessKey, undefined]);
  // What is there stays, as long as it goes to the same host.
  await expect(kith, 200, 'PUT', '/imports/buckets/exports', { body: bucket({ region: s3.region }) });
  await refused(kith, 422, 'unprocessable', 'PUT', '/imports/buckets/exports', { body: bucket({ endpoint: 'https://elsewhere.example.com' }) });
  for (const path of ['/imports/buckets', '/settings', '/audit?limit=100']) {
    const { text } = await ask(kith, 'GET', path, { unchecked: true });
    assert.ok(!text.includes(s3.secretKey), path);
    if (path !== '/audit?limit=100') assert.ok(!text.includes('s1:'), `${path} shows not even the seal`);
  }
  await refused(kith, 404, 'not_found', 'GET', '/settings/import.bucket.exports');
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/import.bucket.exports', { body: { value: {} } });
});

test('what a bucket cannot be', real, async () => {
  const put = (body, key = 'odd') => refused(kith, 422, 'unprocessable', 'PUT', `/imports/buckets/${key}`, { body });
  const good = bucket({ secret_key: 'x' });
  for (const endpoint of ['http://127.0.0.1:9000', 'http://10.0.0.8', 'http://169.254.169.254', 'http://[::1]:9000', 'http://localhost:22'])
    await put({ ...good, allow_private: false, endpoint });
  for (const endpoint of ['ftp://x.example.com', 'https://x.example.com/path', 'https://u:p@x.example.com', 'nothing']) await put({ ...good, endpoint });
  await put({ ...good, region: 'Ä' });
  await put({ ...good, name: 'A' });
  await put({ ...good, access_key: 'a b' });
  await put(good, 'Bad%20key');
  await refused(kith, 404, 'not_found', 'DELETE', '/imports/buckets/none');
});

test('objects below the prefix that fit become jobs, each once', real, async () => {
  s3.objects.set(`${prefix}one.csv`, orders('a1,u1,2025-01-01 10:00:00,5,', 'a2,u2,2025-01-01 10:00:00,6,'));
  s3.objects.set(`${prefix}two.csv.gz`, gzipSync(orders('a3,u1,2025-01-02 10:00:00,7,')));
  s3.objects.set(`${prefix}three & more.csv`, orders('a4,u3,2025-01-02 10:00:00,8,'));
  s3.objects.set(`${prefix}read.me`, Buffer.from('nothing'));
  s3.objects.set('other/one.csv', orders('b1,u9,2025-01-01 10:00:00,5,'));
  s3.objects.set(`${prefix}empty.csv`, Buffer.alloc(0));
  await schedule([{ bucket: 'exports', pattern: '*.csv*', every_seconds: 1, mapping, data_set: 'bucket' }]);
  const all = await finished(3);
  assert.deepEqual(all.map((job) => job.name).sort(), [`${prefix}one.csv`, `${prefix}three & more.csv`, `${prefix}two.csv.gz`]);
  assert.equal((await kith.customerBy('user_id', 'u1')).summary.revenue, 1200);
  assert.equal(await kith.findBy('user_id', 'u9'), undefined);
  assert.ok(s3.asked.length > 4 && s3.asked.every((one) => one.wrong === undefined), JSON.stringify(s3.asked.filter((one) => one.wrong)));
  const fetched = () => s3.asked.filter((one) => one.path !== `/${s3.bucket}`).length;
  const before = fetched(), looks = s3.asked.length;
  await until('three more looks', () => s3.asked.length >= looks + 9);
  assert.equal(fetched(), before, 'nothing is fetched twice');
  const state = await shown();
  assert.deepEqual([state.objects, state.fetched, state.problem], [3, 3, '']);
  assert.ok(state.looked_at);
});

test('a corrected object replaces by order', real, async () => {
  s3.objects.set(`${prefix}one.csv`, orders('a1,u1,2025-01-01 10:00:00,9,', 'a2,u2,2025-01-01 10:00:00,6,'));
  const all = await finished(4);
  assert.deepEqual([all[0].counts.events, all[0].counts.replaced, all[0].counts.duplicates], [1, 1, 1]);
  assert.equal((await kith.customerBy('user_id', 'u1')).summary.revenue, 1600);
});

test('a transfer that breaks off goes on where it stood, over a restart too', real, async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `big${i},ub${i % 100},2025-01-03 10:00:00,1,${randomBytes(200).toString('hex')}`);
  const bytes = orders(...rows);
  const key = `${prefix}big.csv`;
  s3.breakAfter = 5_500_000;
  s3.asked.length = 0;
  s3.objects.set(key, bytes);
  await until('the transfer to be broken off', async () => s3.asked.some((one) => one.path.endsWith('big.csv')));
  await until('its problem to be told', async () => (await shown()).problem !== '' || (await jobs()).length === 5);
  await kith.kill9();
  await kith.launch();
  const all = await finished(5);
  assert.equal(all[0].counts.events, 20_000);
  const ranges = s3.asked.filter((one) => one.path.endsWith('big.csv')).map((one) => one.range);
  assert.equal(ranges[0], undefined);
  assert.ok(ranges.length >= 2 && ranges.slice(1).every((range) => /^bytes=\d{6,}-$/.test(range)), `${ranges}`);
  assert.equal((await kith.customerBy('user_id', 'ub7')).summary.orders, 200);
});

test('a wrong secret is told, and nothing else is', real, async () => {
  await expect(kith, 200, 'PUT', '/imports/buckets/exports', { body: bucket({ secret_key: 'wrong-secret-0123456789' }) });
  const problem = await until('the refusal', async () => (await shown()).problem);
  assert.match(problem, /403 SignatureDoesNotMatch/);
  // grep ends with 1 where it finds nothing
  const files = spawnSync('grep', ['-rlaF', '-e', s3.secretKey, '-e', 'wrong-secret-0123456789', kith.folder, kith.logPath], { encoding: 'utf8' });
  assert.deepEqual([files.status, files.stdout], [1, '']);
});

test('a name that leads to a private address is refused where it is connected to', real, async () => {
  const { port } = new URL(s3.url);
  await expect(kith, 200, 'PUT', '/imports/buckets/exports', { body: bucket({ endpoint: `http://localhost:${port}`, allow_private: false, secret_key: s3.secretKey }) });
  const asked = s3.asked.length;
  const problem = await until('the refusal', async () => { const state = await shown(); return state.problem.includes('private') && state.problem; });
  assert.match(problem, /leads to a private address/);
  assert.equal(s3.asked.slice(asked + 2).length, 0, 'nothing reached it');
});

test('a bucket can be forgotten', real, async () => {
  await expect(kith, 204, 'DELETE', '/imports/buckets/exports');
  assert.equal((await expect(kith, 200, 'GET', '/imports/buckets')).items.length, 0);
  await refused(kith, 404, 'not_found', 'DELETE', '/imports/buckets/exports');
  const mine = operations.filter((one) => one.path.startsWith('/api/v1/imports/buckets')).map((one) => one.id);
  assert.deepEqual(mine.filter((id) => !seen.operations.has(id)), []);
});
