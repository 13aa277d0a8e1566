// SPDX-License-Identifier: Apache-2.0
// X11, X14: a day in the life of a house, by every way that phones and e-mails come in and go out; then its data folder and its
// log are searched for each of them, while it runs and after it ended, as the files lie and unpacked. None is there. X9: what
// looks like more than a text is a text.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { findPlain } from '../support/plain.mjs';
import { canary, payloads } from './payloads.mjs';
import { ask, expect, identify, track, users } from './support.mjs';

const real = { skip: missingBinary };
let kith, shop, tokens, backups;
const values = [];
/** A phone or an e-mail that nobody else has; it is looked for at the end. */
const phone = () => (values.push(`1395500${String(1000 + values.length)}`), values.at(-1));
const email = () => (values.push(`secret${1000 + values.length}@at-rest.example`), values.at(-1));

before(async () => {
  if (missingBinary) return;
  backups = mkdtempSync(join(tmpdir(), 'kith-at-rest-'));
  kith = await Kith.start({ arguments: ['--backups', backups] });
  tokens = await users(kith);
  shop = await expect(kith, 201, 'POST', '/sources', { body: { key: 'shop', kind: 'server' } });
});
after(async () => {
  await kith?.remove();
  if (backups) rmSync(backups, { recursive: true, force: true });
});

const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? files(join(folder, entry.name)) : entry.isFile() ? [join(folder, entry.name)] : []);

/** [file, value] for each value that stands in a file, as it is, in UTF-16, or behind gzip. */
function found(folder) {
  const needles = values.flatMap((value) => [[value, Buffer.from(value)], [value, Buffer.from(value, 'utf16le')]]);
  const hits = [];
  for (const path of files(folder)) {
    if (!statSync(path, { throwIfNoEntry: false })) continue; // gone meanwhile
    const bytes = readFileSync(path);
    const texts = [bytes];
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) try { texts.push(gunzipSync(bytes)); } catch { /* no gzip */ }
    for (const text of texts)
      for (const [value, needle] of needles) if (text.includes(needle)) hits.push([path.slice(folder.length), value]);
  }
  return hits;
}
const logged = () => values.filter((value) => readFileSync(kith.logPath, 'latin1').includes(value));

const wait = (id) => until(`job ${id} to end`, async () => ['finished', 'failed'].includes((await expect(kith, 200, 'GET', `/jobs/${id}`)).status));

async function bring(name, text, mapping) {
  const bytes = Buffer.from(text);
  const made = await expect(kith, 201, 'POST', '/uploads', { body: { name, size_bytes: bytes.length } });
  for (let at = 0; at < bytes.length; at += 700)
    await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=${at}`, { body: bytes.subarray(at, at + 700) });
  const file = `upload:${made.id}`;
  await expect(kith, 200, 'POST', '/imports/detect', { body: { file } });
  await expect(kith, 200, 'POST', '/imports/preview', { body: { file, mapping } });
  const job = await expect(kith, 202, 'POST', '/imports', { body: { file, mapping, data_set: name } });
  await wait(job.id);
  return expect(kith, 200, 'GET', `/jobs/${job.id}`);
}

test('events, quarantine, refused events, wrong ones', real, async () => {
  const people = Array.from({ length: 30 }, (_, i) => [
    identify(`u${i}`, { phone: phone(), email: email(), name: `name ${i}`, address: { street: 'x' } }),
    track(`u${i}`, 'Order Paid', { order_id: `o${i}`, revenue: '10.00', currency: 'CNY', receiver_phone: phone(), email: email() }),
    track(`u${i}`, 'Form Sent', { phone: phone(), mobile: phone(), email: email() }, { context: { traits: { email: email() }, externalIds: [{ type: 'mobile', id: phone(), collection: 'users' }] } }),
  ]);
  await kith.batch(shop.write_key, people.flat());
  await expect(kith, 200, 'PUT', '/plan/events/Lipstick%20Tried', { body: { status: 'planned', properties: [{ name: 'shade', type: 'text', required: true, values: ['red'] }] } });
  await kith.batch(shop.write_key, [track('u1', 'Lipstick Tried', { shade: 'odd', phone: phone(), email: email() })]);
  await until('it to be in quarantine', async () => (await expect(kith, 200, 'GET', '/quarantine?status=waiting')).items.length === 1);
  // Not JSON, not known, not allowed: what was said is not kept.
  await fetch(`${kith.url}/v1/batch`, { method: 'POST', headers: { authorization: `Basic ${Buffer.from(`${shop.write_key}:`).toString('base64')}` }, body: `{"batch":[{"phone":"${phone()}"` });
  await ask(kith, 'POST', '/segments/preview', { body: { rule: { trait: 'no such', eq: email() } }, unchecked: true });
});

test('files in: uploads, reports of refused rows', real, async () => {
  const mapping = {
    kind: 'events', zone: '+08:00', currency: 'CNY', columns: { order: ['order'] }, key: '[order]',
    identifiers: [{ type: 'mobile', value: '[phone]' }, { type: 'email', value: '[email]' }],
    properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' } },
    events: [{ event: 'Order Paid', time: '[paid_at]' }],
  };
  const rows = Array.from({ length: 60 }, (_, i) => `i${i},${phone()},${email()},${i % 3 === 0 ? 'no time' : '2026-06-01 10:00:00'},12.00`);
  const job = await bring('orders', ['order,phone,email,paid_at,amount', ...rows].join('\n') + '\n', mapping);
  assert.equal(job.counts.refused, 20);
  const report = await ask(kith, 'GET', `/jobs/${job.id}/refused`);
  assert.ok(report.text.includes(values.at(-120)), 'who may sees what her file said');
  assert.equal((await ask(kith, 'GET', `/jobs/${job.id}/refused?offset=100`)).text, Buffer.from(report.text).subarray(100).toString());
});

test('looked up, sent to, exported, erased', real, async () => {
  await kith.settled();
  for (const value of [values[0], values[1], phone(), email()])
    for (const type of ['mobile', 'email']) {
      await ask(kith, 'GET', `/customers/by/${type}/${encodeURIComponent(value)}`);
      await ask(kith, 'GET', `/customers?query=${encodeURIComponent(value)}`);
    }
  const one = await expect(kith, 200, 'GET', `/customers/by/mobile/${values[0]}?reveal=true&reason=asked`, { token: tokens.operator });
  assert.ok(JSON.stringify(one).includes(values[0]));
  await expect(kith, 200, 'PUT', '/segments/all', { body: { rule: { event: '*' } } });
  for (const format of ['csv', 'jsonl']) {
    const made = await expect(kith, 201, 'POST', '/segments/all/exports?reveal=true&reason=mail', {
      token: tokens.operator, body: { format, columns: ['one_id', 'identifier:mobile', 'identifier:email'] } });
    await until('the export to end', async () => (await expect(kith, 200, 'GET', `/exports/${made.id}`)).state === 'done');
    const file = await fetch(`http://127.0.0.1:${kith.port}/api/v1/exports/${made.id}/file`, { headers: { authorization: `Bearer ${tokens.operator}` } });
    const bytes = Buffer.from(await file.arrayBuffer());
    assert.ok(bytes.includes(values[0]), 'the export has it in full');
    assert.equal(bytes.length, (await expect(kith, 200, 'GET', `/exports/${made.id}`)).bytes);
  }
  await expect(kith, 200, 'PUT', '/templates/hi', { body: { channel: 'sms', parts: { template_code: 'S', text: 'hi' } } });
  await ask(kith, 'POST', '/touches', { body: { campaign: 'c', key: 'k', channel: 'sms', template: 'hi', customers: [one.one_id] }, unchecked: true });
  await kith.flushed();
});

test('X9: 500 texts that would inject something are texts, wherever they come in', { skip: missingBinary || existsSync(canary) }, async () => {
  assert.ok(payloads.length >= 500, `${payloads.length}`);
  const people = payloads.map((payload, i) => identify(`x9-${i}`, { note: payload }));
  for (let at = 0; at < people.length; at += 100) await kith.batch(shop.write_key, people.slice(at, at + 100));
  await kith.settled();
  const before = (await kith.get('/system')).engine;
  const strange = [];
  const told = async (method, path, body) => {
    const answer = await ask(kith, method, path, { body, unchecked: true });
    if (answer.status >= 500 || 'x-injected' in answer.headers) strange.push([method, path, answer.status, answer.text]);
    return answer;
  };
  for (const [i, payload] of payloads.entries()) {
    const quoted = encodeURIComponent(payload);
    if (i % 4 === 0) {
      const { status, json } = await told('POST', '/segments/preview', { rule: { trait: 'note', eq: payload } });
      if (status !== 200 || json.count < 1 || json.count > 10) strange.push(['preview', payload, status, json]);
    } else if (i % 4 === 1) {
      const { status, json } = await told('GET', `/customers?query=${quoted}`);
      if (status === 200 && json.items.length > 50) strange.push(['search', payload, json.items.length]);
    } else if (i % 4 === 2) {
      const { status } = await told('GET', `/customers/by/user_id/${quoted}?namespace=${quoted}`);
      if (status === 200) strange.push(['look-up', payload]);
    } else {
      const { status, json } = await told('PUT', '/segments/x9', { name: payload.slice(0, 60), rule: { trait: 'note', eq: payload } });
      if (status === 200 && json.name !== payload.slice(0, 60)) strange.push(['name', payload, json.name]);
    }
  }
  assert.deepEqual(strange, []);
  for (let i = 0; i < payloads.length; i += 25)
    assert.equal((await expect(kith, 200, 'GET', `/customers/by/user_id/x9-${i}`)).traits.note, payloads[i], 'kept as it came');
  const now = (await kith.get('/system')).engine;
  assert.deepEqual([now.customers, now.events], [before.customers, before.events], 'nothing went and nothing came');
  assert.equal((await expect(kith, 200, 'GET', '/audit/verify')).whole, true);
  assert.ok(!existsSync(canary), 'no file was made');
  const lines = readFileSync(kith.logPath, 'utf8').split('\n').filter((line) => line !== '');
  assert.deepEqual(lines.filter((line) => /^(X-Injected|INJECTED|Set-Cookie|Bcc|<html>)| info INJECTED /.test(line)), [], 'the log has lines of its own alone');
});

test('X11: the data folder and the log hold none of them, nor do blocks, rows and backups when they are unpacked', real, async () => {
  await expect(kith, 202, 'POST', '/backups');
  await until('the backup', async () => (await expect(kith, 200, 'GET', '/backups')).points.length === 1);
  assert.ok(values.length > 300, `${values.length}`);
  assert.deepEqual(found(kith.folder), [], 'while it runs');
  await kith.stop();
  assert.deepEqual(found(kith.folder), [], 'when it ended');
  assert.deepEqual(logged(), [], 'in its log');
  assert.deepEqual(await findPlain(kith.folder, values), [], 'unpacked: blocks of the log, values of the ledger');
  const pieces = files(join(backups, 'objects'));
  assert.ok(pieces.length > 3, 'there is a backup');
  const unpacked = spawnSync('zstd', ['-dc', ...pieces], { maxBuffer: 1 << 30 });
  assert.equal(unpacked.status, 0, `${unpacked.error ?? unpacked.stderr}`);
  assert.ok(unpacked.stdout.length > 100_000);
  assert.deepEqual(values.filter((value) => unpacked.stdout.includes(value)), [], 'in the backup');
});
