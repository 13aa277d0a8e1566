// SPDX-License-Identifier: Apache-2.0
// S20, P2: she asks to be forgotten. Gone from every store, kept from coming back, and the totals still add up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { Kith, adminToken, binary, missingBinary, until } from '../support/kith.mjs';
import { findPlain, ledgerValues, logBlocks } from '../support/plain.mjs';
import { ask, expect, refused } from './support.mjs';

const writeKey = 'wk_privacy_tests_0123456789';
const her = { phone: '+8613905718264', email: 'xiaoming.w@qq.com', id: 'u-forgotten-1', name: '王小明明' };
const other = { phone: '+8613857160935', email: 'stays.here@163.com', id: 'u-stays-1' };
let kith;
let backups;

async function send(...events) {
  const body = JSON.stringify({ batch: events });
  const answer = await fetch(`${kith.url}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' },
    body,
  });
  assert.equal(answer.status, 200, await answer.text());
}
let messages = 0;
const identify = (who, traits = {}) => ({
  type: 'identify',
  userId: who.id,
  messageId: `m-${++messages}`,
  traits: { phone: who.phone, email: who.email, ...traits },
});
const order = (who, number, revenue) => ({
  type: 'track',
  event: 'Order Paid',
  userId: who.id,
  messageId: `m-${++messages}`,
  properties: {
    order_id: `o-${number}`,
    revenue,
    currency: 'CNY',
    receiver: { name: her.name, phone: who.phone.slice(3), address: '上海市静安区南京西路1号' },
  },
});

const find = (who) => ask(kith, 'GET', `/customers/by/user_id/${who.id}`);
const settled = (id) =>
  until(`erasure ${id} to be finished`, async () => {
    const one = await expect(kith, 200, 'GET', `/privacy/erasures/${id}`);
    return one.state === 'finished' && one;
  });

/** Every sealed text that the folder holds for these values' rows: read while they are there. */
function sealedTexts(folder) {
  const texts = new Set();
  for (const block of logBlocks(folder))
    for (const [text] of block.toString('latin1').matchAll(/s1:\d+:[\w-]{40,}/g)) texts.add(text);
  for (const { text } of ledgerValues(folder))
    for (const [one] of text.matchAll(/s1:\d+:[\w-]{40,}/g)) texts.add(one);
  return texts;
}

before(async () => {
  if (missingBinary) return;
  backups = mkdtempSync(join(tmpdir(), 'kith-backups-'));
  kith = await Kith.start({ environment: { KITH_WRITE_KEY: writeKey }, arguments: ['--backups', backups] });
});
after(async () => {
  if (!kith) return;
  await kith.stop();
  rmSync(kith.folder, { recursive: true, force: true });
  rmSync(kith.logPath, { force: true });
  rmSync(backups, { recursive: true, force: true });
});

test('S20: she is erased from state, ledger, warehouse and log; the others and the sums stay', { skip: missingBinary }, async () => {
  await expect(kith, 200, 'PUT', '/segments/buyers', {
    body: { name: 'buyers', rule: { event: 'Order Paid', last: '90d', measure: 'count', gte: 1 } },
  });
  await send(identify(other, { city: '上海' }), order(other, 1, 100));
  await kith.stop();
  const foreign = sealedTexts(kith.folder); // of the other one, which stay
  await kith.launch();
  await send({ ...identify(her, { name: her.name, city: '上海' }), anonymousId: 'anon-forgotten' }, order(her, 2, 250.5));
  const found = await expect(kith, 200, 'GET', `/customers/by/user_id/${her.id}`);
  assert.equal(found.summary.orders, 1);
  await expect(kith, 202, 'POST', '/backups'); // it knows her
  await until('the backup', async () => (await expect(kith, 200, 'GET', '/backups')).points.length === 1);
  const exported = await expect(kith, 201, 'POST', '/segments/buyers/exports?reveal=true', {
    body: { format: 'csv', columns: ['one_id', 'mobile', 'email'] },
    unchecked: true,
  }).catch(() => undefined);
  if (exported)
    await until('the export', async () => (await expect(kith, 200, 'GET', `/exports/${exported.id}`)).state === 'done');

  // what of hers is on the disk, before: all that is sealed and not the other's
  await kith.stop();
  const sealed = [...sealedTexts(kith.folder)].filter((text) => !foreign.has(text));
  assert.ok(sealed.length >= 4, `sealed texts of hers: ${sealed.length}`);
  const plain = [her.id, her.name, 'anon-forgotten'].map((text) => Buffer.from(text).toString('latin1'));
  assert.notEqual((await findPlain(kith.folder, [...sealed, ...plain])).length, 0, 'she is found before');
  await kith.launch();

  const begun = await expect(kith, 202, 'DELETE', `/customers/${found.one_id}?reason=she%20asked`);
  assert.equal(begun.state === 'erasing' || begun.state === 'finished', true);
  assert.equal((await find(her)).status, 404, 'from the first moment nobody finds her');
  assert.equal((await ask(kith, 'GET', `/customers/${found.one_id}`)).status, 404);
  const done = await settled(begun.id);
  assert.equal(done.receipt.identifiers, 4, JSON.stringify(done.receipt));
  assert.equal(done.receipt.warehouse_rows, 2, JSON.stringify(done.receipt));
  assert.equal(done.receipt.log_records, 2);
  assert.equal((await expect(kith, 200, 'GET', `/jobs/${begun.id}`)).state, 'finished');
  assert.equal((await expect(kith, 200, 'GET', '/segments/buyers')).count, 1, 'she left the segment');
  assert.equal((await find(other)).status, 200);

  // late events and files about her are refused; what somebody else does on her device is not
  await send(order(her, 3, 99), identify(her, { name: her.name }));
  await send({ ...identify({ ...other }), anonymousId: 'anon-forgotten', messageId: `m-${++messages}` });
  assert.equal((await find(her)).status, 404);
  assert.equal((await expect(kith, 200, 'GET', `/customers/by/user_id/${other.id}`)).summary.orders, 1);

  // the records of these events in the log are emptied as well
  await until('the log to be clean of late events', async () => {
    const privacy = await expect(kith, 200, 'GET', '/privacy');
    return privacy.log_is_clean && privacy.refused_events === 2;
  });
  const privacy = await expect(kith, 200, 'GET', '/privacy');
  assert.deepEqual(privacy.totals.find((one) => one.currency === 'CNY'), { currency: 'CNY', events: 1, revenue: 25050, total: 0 });
  await kith.stop();
  const left = await findPlain(kith.folder, [...sealed, ...plain, her.phone.slice(3), her.email], { beside: [kith.logPath] });
  assert.deepEqual(left, [], 'nothing of hers is left');
  await kith.launch();
  assert.equal((await find(her)).status, 404, 'also after a restart');
  assert.equal((await expect(kith, 200, 'GET', `/customers/by/user_id/${other.id}`)).summary.orders, 1);
});

test('S20: a restored backup that knew her erases her again', { skip: missingBinary }, async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'kith-restored-')), 'data');
  const restored = spawnSync(binary, ['restore', '--from', backups, '--data', folder], { encoding: 'utf8' });
  assert.equal(restored.status, 0, restored.stderr);
  const second = await Kith.start({ folder, environment: { KITH_WRITE_KEY: writeKey } });
  try {
    await until('her to be gone', async () => {
      const answer = await ask(second, 'GET', `/customers/by/user_id/${her.id}`);
      const list = await expect(second, 200, 'GET', '/privacy/erasures');
      return answer.status === 404 && list.items.length === 1 && list.items[0].state === 'finished';
    });
    assert.equal((await ask(second, 'GET', `/customers/by/user_id/${other.id}`)).status, 200);
  } finally {
    await second.stop();
  }
  const text = [her.id, Buffer.from(her.name).toString('latin1'), her.phone.slice(3), her.email];
  assert.deepEqual(await findPlain(folder, text, { beside: [second.logPath] }), []);
  rmSync(folder, { recursive: true, force: true });
});

test('S20: she comes back of her own will: from then on she is known again', { skip: missingBinary }, async () => {
  await refused(kith, 422, 'unprocessable', 'POST', '/privacy/tombstones/lift', { body: { type: 'mobile', value: '123****' } });
  const lifted = await expect(kith, 200, 'POST', '/privacy/tombstones/lift', {
    body: { type: 'user_id', value: her.id, reason: 'signed up anew' },
  });
  assert.equal(lifted.changed, 1);
  await send({ ...order(her, 4, 10), timestamp: new Date(Date.now() - 3_600_000).toISOString(), sentAt: new Date().toISOString() });
  assert.equal((await find(her)).status, 404, 'what happened before stays out');
  await send({ type: 'track', event: 'Page Viewed', userId: her.id, messageId: `m-${++messages}`, properties: {} });
  const again = await expect(kith, 200, 'GET', `/customers/by/user_id/${her.id}`);
  assert.equal(again.summary.orders, 0);
  // its value is read from the last commit
  await until('her identifier to have its value again', async () => {
    const { identifiers } = await expect(kith, 200, 'GET', `/customers/by/user_id/${her.id}`);
    return identifiers.find((one) => one.type === 'user_id').value === her.id;
  });
});

// ---- rights that are asked for: P3 to P7 ----

const asking = { phone: '+8613617283945', email: 'asks.much@qq.com', id: 'u-asks-1', name: '赵问问' };

/** Files of a zip by name, as its central directory says. */
function unzip(bytes) {
  const files = {};
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place));
    const name = bytes.toString('utf8', at + 46, at + 46 + nameBytes);
    const local = bytes.readUInt32LE(at + 42);
    const begin = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(begin, begin + bytes.readUInt32LE(at + 20));
    files[name] = (bytes.readUInt16LE(at + 10) === 8 ? inflateRawSync(data) : data).toString('utf8');
    at += 46 + nameBytes + extraBytes + noteBytes;
  }
  return files;
}

const oneId = async (who) => (await expect(kith, 200, 'GET', `/customers/by/user_id/${who.id}`)).one_id;
const fetched = (path) => fetch(`${kith.url}/api/v1${path}`, { headers: { authorization: `Bearer ${adminToken}` } });
const page = (path, method = 'GET') => fetch(`${kith.url}${path}`, { method });

test('P3: a request has its due day, who sees to it and what came of it; the audit has each step and none of the words', { skip: missingBinary }, async () => {
  await send(identify(asking, { name: asking.name, city: '杭州' }), order(asking, 10, 88.5), order(asking, 11, 12));
  const customer = await oneId(asking);
  const made = await expect(kith, 201, 'POST', '/privacy/requests', {
    body: { customer, kind: 'access', received_at: '2026-01-05T02:00:00Z', note: 'she wrote a letter' },
  });
  assert.equal(made.due_at, '2026-01-20T02:00:00.000Z', 'fifteen days, as nobody said otherwise');
  assert.equal(made.state, 'open');
  assert.equal(made.overdue, true);
  await expect(kith, 200, 'PUT', '/settings/privacy.request_days', { body: { value: 30 } });
  const second = await expect(kith, 201, 'POST', '/privacy/requests', { body: { customer, kind: 'correction' } });
  assert.equal((Date.parse(second.due_at) - Date.parse(second.received_at)) / 86_400_000, 30);
  const overdue = await expect(kith, 200, 'GET', '/privacy/requests?state=overdue');
  assert.deepEqual(overdue.items.map((one) => one.id), [made.id]);
  const hers = await expect(kith, 200, 'GET', `/privacy/requests?customer=${customer}`);
  assert.deepEqual(hers.items.map((one) => one.id), [second.id, made.id]);
  const first = await expect(kith, 200, 'GET', '/privacy/requests?limit=1');
  const rest = await expect(kith, 200, 'GET', `/privacy/requests?limit=1&cursor=${encodeURIComponent(first.next_cursor)}`);
  assert.equal(rest.items[0].id, made.id);

  await refused(kith, 422, 'unprocessable', 'POST', '/privacy/requests', { body: { customer, kind: 'access', handler: 'nobody' } });
  await refused(kith, 404, 'not_found', 'GET', '/privacy/requests/r999');
  await refused(kith, 422, 'unprocessable', 'POST', `/privacy/requests/${second.id}/perform`);
  const changed = await expect(kith, 200, 'POST', `/privacy/requests/${second.id}`, { body: { handler: 'admin', state: 'in_progress' } });
  assert.equal(changed.handler, 'admin');
  const closed = await expect(kith, 200, 'POST', `/privacy/requests/${second.id}`, { body: { state: 'done', result: 'the city was wrong' } });
  assert.notEqual(closed.closed_at, null);
  await refused(kith, 409, 'conflict', 'POST', `/privacy/requests/${second.id}`, { body: { note: 'more' } });

  const audit = await expect(kith, 200, 'GET', '/audit?action=request.put');
  assert.equal(audit.items.length, 4);
  assert.ok(!JSON.stringify(audit).includes('letter') && !JSON.stringify(audit).includes('wrong'), 'free text stays out of the audit');
});

test('P5: a correction by hand holds against what sources say later, until it is taken back', { skip: missingBinary }, async () => {
  const customer = await oneId(asking);
  const city = async () => (await expect(kith, 200, 'GET', `/customers/${customer}`)).traits.city;
  await expect(kith, 200, 'PUT', `/customers/${customer}/traits/city`, { body: { value: '苏州', reason: 'she told us' } });
  assert.equal(await city(), '苏州');
  await send(identify(asking, { city: '南京' }));
  assert.equal(await city(), '苏州', 'a later automatic value');

  // A phone that is somebody else's: taken off by hand, with a reason; from then on the two stay apart.
  const mixed = { id: 'u-wrong-phone-1', phone: '+8613705926481', email: 'wrong.phone@163.com' };
  await send(identify(mixed));
  const before = (await find(mixed)).json;
  const phone = before.identifiers.find((one) => one.type === 'mobile');
  const path = `/customers/${before.one_id}/identifiers/${phone.row}`;
  await refused(kith, 422, 'unprocessable', 'DELETE', path);
  await refused(kith, 404, 'not_found', 'DELETE', `/customers/${customer}/identifiers/${phone.row}?reason=guessed`);
  const parted = await expect(kith, 200, 'DELETE', `${path}?reason=ticket+4711`);
  assert.equal(parted.customer.one_id, before.one_id);
  const holder = async () => (await expect(kith, 200, 'GET', `/customers/by/mobile/${encodeURIComponent(mixed.phone)}`)).one_id;
  assert.equal(await holder(), parted.other.one_id);
  await send(identify(mixed));
  assert.equal(await holder(), parted.other.one_id, 'the same evidence again is refused');
  assert.ok((await find(mixed)).json.identifiers.every((one) => one.type !== 'mobile'));
  const [line] = (await expect(kith, 200, 'GET', '/audit?action=identifier.part')).items;
  assert.equal(JSON.parse(line.detail).reason, 'ticket 4711');
  await refused(kith, 404, 'not_found', 'DELETE', `${path}?reason=again`);

  // Another one is given to her by hand: found by it at once; what is somebody else's, or no value, is refused.
  const give = (body, status = 200, code = undefined) =>
    code === undefined
      ? expect(kith, status, 'POST', `/customers/${before.one_id}/identifiers`, { body })
      : refused(kith, status, code, 'POST', `/customers/${before.one_id}/identifiers`, { body });
  const mobile = { type: 'mobile', value: '136 0571 3942', verified: true };
  await give(mobile, 422, 'unprocessable');
  await give({ ...mobile, reason: '' }, 422, 'unprocessable');
  await give({ ...mobile, value: mixed.phone, reason: 'ticket 4712' }, 409, 'conflict');
  await give({ ...mobile, value: '136****3942', reason: 'ticket 4712' }, 422, 'unprocessable');
  await give({ ...mobile, value: '13800138000', reason: 'ticket 4712' }, 422, 'unprocessable');
  await give({ ...mobile, type: 'shoe_size', reason: 'ticket 4712' }, 422, 'unprocessable');
  const given = await give({ ...mobile, reason: 'ticket 4712' });
  assert.equal(given.customer.one_id, before.one_id);
  assert.equal(given.added, true);
  assert.deepEqual(await give({ ...mobile, reason: 'ticket 4712' }), { ...given, added: false }, 'again it is no news');
  const owner = async () => (await expect(kith, 200, 'GET', `/customers/by/mobile/${encodeURIComponent('+8613605713942')}`)).one_id;
  assert.equal(await owner(), before.one_id);
  const shown = (await find(mixed)).json.identifiers.find((one) => one.row === given.row);
  assert.equal(shown.value, '136****3942');
  assert.equal(shown.verified, true);
  const [addition] = (await expect(kith, 200, 'GET', '/audit?action=identifier.add')).items;
  assert.deepEqual([JSON.parse(addition.detail).reason, addition.detail.includes('3942')], ['ticket 4712', false]);
  const { identifiers: why } = await expect(kith, 200, 'GET', `/customers/${before.one_id}/explain`);
  assert.ok(why.some((one) => one.type === 'mobile' && one.why === 'hand'), JSON.stringify(why));
  await kith.stop();
  await kith.launch();
  assert.equal(await owner(), before.one_id, 'also after a restart');
  assert.equal(await holder(), parted.other.one_id, 'also after a restart');
  assert.deepEqual((await find(mixed)).json.identifiers.filter((one) => one.type === 'mobile').map((one) => one.value), ['136****3942']);
  assert.equal(await city(), '苏州', 'also after a restart');
  const { trait_origins: origins } = await expect(kith, 200, 'GET', `/customers/${customer}`);
  assert.equal(origins.city.by_hand, true);
  await expect(kith, 200, 'DELETE', `/customers/${customer}/traits/city`);
  assert.equal(await city(), '南京', 'the sources speak again');
  await expect(kith, 200, 'PUT', `/customers/${customer}/traits/mobile_phone`, { body: { value: '13628173640' } });
  await refused(kith, 422, 'unprocessable', 'PUT', `/customers/${customer}/traits/city`, { body: { value: { a: 1 } } });
  await refused(kith, 422, 'unprocessable', 'PUT', `/customers/${customer}/traits/city`, { body: { value: null } });
});

test('P2: an identifier that was given by hand is erased with her, also in the log', { skip: missingBinary }, async () => {
  const given = { id: 'u-given-1', card: 'CARD-BY-HAND-77' };
  await send(identify({ id: given.id, phone: '+8613605718844' }));
  const { one_id: customer } = (await find(given)).json;
  await expect(kith, 200, 'POST', `/customers/${customer}/identifiers`, { body: { type: 'member_card', value: given.card, reason: 'ticket 4713' } });
  await expect(kith, 200, 'POST', `/customers/${customer}/identifiers`, { body: { type: 'email', value: 'given.by.hand@163.com', verified: true, reason: 'ticket 4713' } });
  const begun = await expect(kith, 202, 'DELETE', `/customers/${customer}?reason=she%20asked`);
  await settled(begun.id);
  assert.equal((await ask(kith, 'GET', `/customers/by/member_card/${given.card}`)).status, 404);
  await kith.stop();
  assert.deepEqual(await findPlain(kith.folder, [given.card, 'given.by.hand'], { beside: [kith.logPath] }), []);
  await kith.launch();
  // Who is erased does not come back by hand either, before her tombstone is lifted.
  const other = await oneId(asking);
  await refused(kith, 409, 'conflict', 'POST', `/customers/${other}/identifiers`, { body: { type: 'member_card', value: given.card, reason: 'ticket 4714' } });
});

test('P7: each decision is kept with its source, time, text and proof; late ones too', { skip: missingBinary }, async () => {
  const customer = await oneId(asking);
  await expect(kith, 200, 'PUT', `/customers/${customer}/consent/sms`, {
    body: { granted: true, text_version: 'sms-3', evidence: 'form 17' },
  });
  await send({
    type: 'track',
    event: 'Consent Withdrawn',
    userId: asking.id,
    messageId: `m-${++messages}`,
    properties: { purpose: 'sms', text_version: 'app-9', evidence: 'settings page' },
  });
  await expect(kith, 200, 'PUT', `/customers/${customer}/consent/sms`, {
    body: { granted: true, at: '2025-12-01T00:00:00Z', evidence: 'a paper form found late' },
  });
  await refused(kith, 422, 'unprocessable', 'PUT', `/customers/${customer}/consent/sms`, { body: { granted: true, at: '2999-01-01T00:00:00Z' } });
  await refused(kith, 422, 'unprocessable', 'PUT', `/customers/${customer}/consent/processing`, { body: { granted: true } });
  const history = await until('the decisions to be committed', async () => {
    const { items, current } = await expect(kith, 200, 'GET', `/customers/${customer}/consents`);
    return items.length === 3 && { items, current };
  });
  assert.equal(history.current.sms.state, 'withdrawn', 'the late one is older');
  assert.deepEqual(
    history.items.map((one) => [one.state, one.source, one.user, one.text_version, one.evidence, one.taken_back]),
    [
      ['granted', '', 'system', '', 'a paper form found late', false],
      ['withdrawn', 'default', null, 'app-9', 'settings page', false],
      ['granted', '', 'system', 'sms-3', 'form 17', false],
    ].map((line, at) => [...line.slice(0, 2), history.items[at].user, ...line.slice(3)]),
  );
});

test('P1, P6: her own page, by a signed link: one click withdraws, and no other link opens', { skip: missingBinary }, async () => {
  const customer = await oneId(asking);
  const { path } = await expect(kith, 201, 'POST', `/customers/${customer}/preferences-link`);
  const shown = await page(`${path}?lang=en`);
  assert.equal(shown.status, 200);
  const html = await shown.text();
  assert.ok(!/<script|src=|https?:/.test(html), 'nothing runs, nothing is loaded');
  assert.match(shown.headers.get('content-security-policy'), /form-action 'self'/);
  assert.ok(!html.includes(asking.phone.slice(3)) && !html.includes(asking.name), 'it names nobody');
  assert.match(await (await page(path)).text(), /我的偏好/);
  for (const at of [3, 10, 20, path.length - 1]) {
    const other = path[at] === 'a' ? 'b' : 'a';
    assert.equal((await page(path.slice(0, at) + other + path.slice(at + 1))).status, 404, `character ${at} changed`);
  }
  assert.equal((await page(`${path}?purpose=email&granted=false`)).status, 400);
  let state = await expect(kith, 200, 'GET', `/customers/${customer}/consents`);
  assert.equal(state.current.email, undefined, 'looking changes nothing');
  assert.equal((await page(`${path}?purpose=personalisation&granted=false`, 'POST')).status, 200);
  assert.equal((await page(`${path}?purpose=processing&granted=false`, 'POST')).status, 422);
  assert.equal((await page(`${path}?purpose=email&granted=true`, 'POST')).status, 200);
  state = await expect(kith, 200, 'GET', `/customers/${customer}/consents`);
  assert.equal(state.personalised, false);
  assert.equal(state.current.email.state, 'granted');
  assert.equal((await page(`${path}?purpose=all&granted=false`, 'POST')).status, 200);
  state = await expect(kith, 200, 'GET', `/customers/${customer}/consents`);
  assert.deepEqual([state.current.email.state, state.current.sms.state, state.current.marketing.state], ['withdrawn', 'withdrawn', 'withdrawn']);
});

test('restriction: her data are kept and not used, and it is taken back by hand alone', { skip: missingBinary }, async () => {
  const customer = await oneId(asking);
  const made = await expect(kith, 201, 'POST', '/privacy/requests', { body: { customer, kind: 'restriction' } });
  assert.equal((await expect(kith, 202, 'POST', `/privacy/requests/${made.id}/perform`)).state, 'done');
  assert.equal((await expect(kith, 200, 'GET', `/customers/${customer}/consents`)).restricted, true);
  await send({ type: 'track', event: 'Consent Granted', userId: asking.id, messageId: `m-${++messages}`, properties: { purpose: 'processing' } });
  assert.equal((await expect(kith, 200, 'GET', `/customers/${customer}/consents`)).restricted, true, 'no source takes it back');
  assert.equal((await expect(kith, 200, 'GET', `/customers/${customer}`)).summary.orders, 2, 'she is kept');
  await expect(kith, 200, 'PUT', `/customers/${customer}/restriction`, { body: { restricted: false, reason: 'settled' } });
  assert.equal((await expect(kith, 200, 'GET', `/customers/${customer}/consents`)).restricted, false);
});

test('P4: all that is known of her in one file, sealed on the disk, and gone with her', { skip: missingBinary }, async () => {
  const customer = await oneId(asking);
  const [made] = (await expect(kith, 200, 'GET', '/privacy/requests?kind=access')).items;
  const packed = await expect(kith, 201, 'POST', `/privacy/requests/${made.id}/package?reveal=true&reason=${encodeURIComponent('she asked')}`);
  assert.equal(packed.package.revealed, true);
  const answer = await fetched(`/privacy/requests/${made.id}/package`);
  assert.equal(answer.headers.get('content-type'), 'application/zip');
  const files = unzip(Buffer.from(await answer.arrayBuffer()));
  assert.deepEqual(Object.keys(files), ['customer.json', 'events.jsonl', 'customer.html']);
  const whole = JSON.parse(files['customer.json']);
  assert.equal(whole.customer.one_id, customer);
  const values = whole.customer.identifiers.map((one) => one.value);
  assert.ok(values.includes(asking.phone) && values.includes(asking.email), JSON.stringify(whole.customer));
  assert.ok(whole.consents.length >= 6 && whole.requests.length === 3, 'decisions and requests');
  const events = files['events.jsonl'].trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(events.length, whole.events);
  assert.equal(events.filter((one) => one.type === 'Order Paid').length, 2);
  assert.match(files['events.jsonl'], new RegExp(asking.phone.slice(3)), 'sealed fields in clear');
  assert.match(files['customer.html'], /个人信息副本/);
  await kith.stop();
  assert.deepEqual(await findPlain(kith.folder, [asking.phone.slice(3), asking.email]), [], 'sealed on the disk');
  await kith.launch();

  const masked = await expect(kith, 201, 'POST', `/privacy/requests/${made.id}/package`);
  assert.equal(masked.package.revealed, false);
  const plain = unzip(Buffer.from(await (await fetched(`/privacy/requests/${made.id}/package`)).arrayBuffer()));
  assert.ok(!Object.values(plain).some((text) => text.includes(asking.phone.slice(3))));
  assert.equal(readdirSync(join(kith.folder, 'packages')).length, 1, 'the file before is gone');

  const wanted = await expect(kith, 201, 'POST', '/privacy/requests', { body: { customer, kind: 'erasure' } });
  const begun = await expect(kith, 202, 'POST', `/privacy/requests/${wanted.id}/perform`);
  await settled(begun.erasure);
  const done = await expect(kith, 200, 'GET', `/privacy/requests/${wanted.id}`);
  assert.deepEqual([done.state, done.one_id], ['done', null], 'the request is done when the erasure is');
  const other = await expect(kith, 200, 'GET', `/privacy/requests/${made.id}`);
  assert.deepEqual([other.state, other.note, other.package], ['cancelled', '', null]);
  assert.deepEqual(readdirSync(join(kith.folder, 'packages')), []);
  await refused(kith, 404, 'not_found', 'GET', `/privacy/requests/${made.id}/package`);
});

test('collection without consent: dropped, or counted without who it was; nothing of it reaches the disk', { skip: missingBinary }, async () => {
  const quiet = { id: 'u-not-agreed-1', anonymous: 'visitor-not-agreed-1', phone: '+8613777351946' };
  const made = {};
  for (const without of ['drop', 'anonymise']) {
    const body = { key: `site-${without}`, name: without, kind: 'public', protocol: 'segment', without_consent: without };
    made[without] = await expect(kith, 201, 'POST', '/sources', { body });
    assert.equal(made[without].without_consent, without);
    assert.equal(made[without].consent_category, 'analytics');
  }
  await refused(kith, 422, 'unprocessable', 'PUT', '/sources/site-drop', { body: { without_consent: 'guess' } });
  const say = async (key, ...batch) => {
    const answer = await fetch(`${kith.url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ batch }),
    });
    assert.equal(answer.status, 200, 'whoever sends it need not know');
  };
  const viewed = (agreed, properties = {}) => ({
    type: 'track',
    event: 'Product Viewed',
    anonymousId: quiet.anonymous,
    userId: quiet.id,
    messageId: `m-${++messages}`,
    properties: { note: 'not-agreed-note', phone: quiet.phone, ...properties },
    context: { traits: { email: 'not.agreed@qq.com' }, ...(agreed === undefined ? {} : { consent: { categoryPreferences: { analytics: agreed } } }) },
  });
  const known = () => ask(kith, 'GET', `/customers/by/user_id/${quiet.id}`);
  await say(made.drop.write_key, viewed(undefined), viewed(false), identify(quiet));
  await say(made.anonymise.write_key, viewed(undefined), viewed(false), identify(quiet));
  const figures = async () => Number(/^kith_events_without_consent_total (\d+)/m.exec(await (await fetch(`${kith.url}/metrics`)).text())?.[1]);
  assert.equal(await figures(), 6);
  assert.equal((await known()).status, 404, 'nobody knows her');
  const live = await expect(kith, 200, 'GET', '/events/live?limit=500');
  assert.ok(!JSON.stringify(live).includes('not-agreed'), 'nor does who looks on');
  const counted = async (key) => (await expect(kith, 200, 'GET', `/sources/${key}`)).events_today;
  await until('the anonymised ones to count', async () => (await counted('site-anonymise')) === 2);
  assert.equal(await counted('site-drop'), 0);
  await kith.stop();
  const traces = [quiet.id, quiet.anonymous, quiet.phone.slice(3), 'not-agreed-note', 'not.agreed@qq.com'];
  assert.deepEqual(await findPlain(kith.folder, traces, { beside: [kith.logPath] }), []);
  await kith.launch();
  await say(made.drop.write_key, viewed(true));
  assert.equal((await expect(kith, 200, 'GET', `/customers/by/user_id/${quiet.id}`)).summary.events, 1, 'who agreed is known');
});

test('P11: a sensitive trait is used by nobody before a second person has released it', { skip: missingBinary }, async () => {
  const people = {};
  for (const login of ['first', 'second']) {
    const password = `a long password of ${login} 74`;
    await expect(kith, 200, 'PUT', `/users/${login}`, { body: { roles: ['administrator'], password, name: login } });
    const session = await ask(kith, 'POST', '/session', { token: null, body: { login, password } });
    assert.equal(session.status, 200, session.text);
    people[login] = /kith_session=([^;]+)/.exec(session.headers['set-cookie'])?.[1] ?? session.headers['set-cookie'][0].split(';')[0].split('=')[1];
  }
  const as = (login) => ({ token: people[login] });
  await send(identify(other, { illness: 'asthma' }));
  const segment = { name: 'ill', rule: { trait: 'illness', eq: 'asthma' } };
  assert.equal((await expect(kith, 200, 'PUT', '/privacy/sensitive/illness', { ...as('first'), body: { reason: 'health' } })).state, 'held');
  const uses = [
    ['PUT', '/segments/ill', segment],
    ['PUT', '/tags/ill', { name: 'ill', kind: 'rule', values: [{ value: 'yes', rule: { not: segment.rule } }] }],
    ['POST', '/segments/preview', { rule: { all: [segment.rule] } }],
    ['POST', '/segments/buyers/exports', { format: 'csv', columns: ['one_id', 'trait:illness'] }],
    ['PUT', '/templates/ill', { channel: 'sms', parts: { text: 'hello {{ customer.traits.illness }}' } }],
  ];
  for (const [method, path, body] of uses) {
    const answer = await ask(kith, method, path, { body });
    assert.equal(answer.status, 422, `${method} ${path}: ${answer.text}`);
    assert.match(answer.json.detail, /illness.*sensitive/);
  }
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/privacy.sensitive_traits', { body: { value: {} } });
  await refused(kith, 409, 'conflict', 'DELETE', '/privacy/sensitive/illness', as('first'));
  await refused(kith, 409, 'conflict', 'POST', '/privacy/sensitive/illness/release'); // a machine's token is nobody
  assert.equal((await expect(kith, 200, 'POST', '/privacy/sensitive/illness/release', as('first'))).state, 'asked');
  await refused(kith, 409, 'conflict', 'POST', '/privacy/sensitive/illness/release', as('first'));
  assert.equal((await ask(kith, 'PUT', '/segments/ill', { body: segment })).status, 422, 'asked is not released');
  const released = await expect(kith, 200, 'POST', '/privacy/sensitive/illness/release', as('second'));
  assert.deepEqual([released.state, released.asked_by, released.released_by], ['released', 'first', 'second']);
  await expect(kith, 200, 'PUT', '/segments/ill', { body: segment });
  const audit = await expect(kith, 200, 'GET', '/audit?action=setting.put');
  assert.ok(audit.items.length >= 3, 'each step stands in the audit');
  await expect(kith, 200, 'PUT', '/privacy/sensitive/illness', { ...as('first'), body: {} });
  await refused(kith, 422, 'unprocessable', 'PUT', '/segments/ill', { body: segment });

  // Who is under 14 by her birthday: what names her is told to nobody, and goes into no file, before two persons have said so.
  const child = { id: 'u-child-1', phone: '+8613512340014', email: 'small.child@qq.com', name: '钱小小' };
  await send(identify(child, { name: child.name, birthday: `${new Date().getUTCFullYear() - 9}-01-31`, city: '无锡' }), order(child, 1401, 5));
  const shown = async (query = '') => expect(kith, 200, 'GET', `/customers/${(await find(child)).json.one_id}${query}`);
  const kept = await shown('?reveal=true');
  assert.equal(kept.under_14, true);
  assert.equal(kept.name, '');
  assert.deepEqual(Object.keys(kept.traits).filter((name) => ['name', 'birthday', 'phone', 'email'].includes(name)), []);
  assert.equal(kept.traits.city, '无锡');
  const told = JSON.stringify([kept, await expect(kith, 200, 'GET', '/customers?query=u-child-1'), await expect(kith, 200, 'GET', `/customers/${kept.one_id}/events?reveal=true`), await expect(kith, 200, 'GET', `/customers/${kept.one_id}/explain?reveal=true`)]);
  for (const secret of [child.name, '3512340014', '****0014', 'small.child', 's***@qq.com']) assert.ok(!told.includes(secret), `${secret} is told of a child: ${told}`);
  await expect(kith, 200, 'PUT', '/segments/small', { body: { name: 'small', kind: 'static' } });
  await expect(kith, 200, 'POST', '/segments/small/members', { body: { add: [kept.one_id, await oneId(other)] } });
  const rows = async () => {
    const { id } = await expect(kith, 201, 'POST', '/segments/small/exports', { body: { format: 'jsonl', columns: ['one_id', 'trait:city'] } });
    await until('the export', async () => (await expect(kith, 200, 'GET', `/exports/${id}`)).state === 'done');
    return (await (await fetched(`/exports/${id}/file`)).text()).trim().split('\n').map((line) => JSON.parse(line).one_id);
  };
  assert.deepEqual(await rows(), [await oneId(other)], 'a child goes into no file');
  const list = async () => (await expect(kith, 200, 'GET', '/privacy/sensitive')).items.find((one) => one.name === '$under_14');
  assert.equal((await list()).state, 'held', 'without having been put');
  await refused(kith, 409, 'conflict', 'DELETE', '/privacy/sensitive/$under_14', as('first'));
  await expect(kith, 200, 'POST', '/privacy/sensitive/$under_14/release', as('first'));
  await refused(kith, 409, 'conflict', 'POST', '/privacy/sensitive/$under_14/release', as('first'));
  assert.equal((await shown()).under_14, true, 'asked is not released');
  await expect(kith, 200, 'POST', '/privacy/sensitive/$under_14/release', as('second'));
  assert.equal((await shown()).name, child.name);
  assert.equal((await shown()).under_14, undefined);
  assert.equal((await rows()).length, 2);
  assert.equal((await expect(kith, 200, 'PUT', '/privacy/sensitive/$under_14', { ...as('first'), body: { reason: 'again' } })).state, 'held');
  assert.equal((await shown()).under_14, true);

  // One child alone, whose guardian agreed: one person records it with its proof, another releases it, anybody takes it back.
  const sister = { id: 'u-child-2', phone: '+8613512340015', name: '钱更小' };
  await send(identify(sister, { name: sister.name, birthday: `${new Date().getUTCFullYear() - 8}-02-28` }));
  const hers = { customer: kept.one_id, kind: 'guardian_consent', note: '母亲 2026-11-22 签署，扫描件 G-17' };
  const record = (who, body) => ask(kith, 'POST', '/privacy/requests', { ...as(who), body });
  const unproved = await record('first', { ...hers, note: ' ' });
  assert.deepEqual([unproved.status, unproved.json.errors?.[0]?.pointer], [422, '/note'], unproved.text);
  assert.equal((await record('first', { ...hers, customer: await oneId(other) })).status, 409, 'of grown-ups nobody agrees');
  await refused(kith, 422, 'unprocessable', 'PUT', `/customers/${kept.one_id}/consent/guardian`, { ...as('first'), body: { granted: true, evidence: 'x' } });
  await send({ type: 'track', event: 'Consent Granted', userId: child.id, messageId: `m-${++messages}`, properties: { purpose: 'guardian' } });
  assert.equal((await shown()).under_14, true, 'no source agrees for a guardian');
  const recorded = (await record('first', hers)).json;
  const perform = (options) => ask(kith, 'POST', `/privacy/requests/${recorded.id}/perform`, options);
  assert.equal((await perform({})).status, 409, "a machine's token is nobody");
  assert.equal((await perform(as('first'))).status, 409, 'whoever recorded it cannot release it');
  assert.equal((await shown()).under_14, true, 'recorded is not released');
  const performed = await perform(as('second'));
  assert.deepEqual([performed.status, performed.json.state], [202, 'done'], performed.text);
  assert.deepEqual([(await shown()).name, (await shown()).under_14], [child.name, undefined]);
  assert.equal((await expect(kith, 200, 'GET', `/customers/${await oneId(sister)}`)).under_14, true, 'her sister is held as before');
  assert.equal((await rows()).length, 2);
  const decided = (await expect(kith, 200, 'GET', `/customers/${kept.one_id}/consents`)).items.find((one) => one.purpose === 'guardian');
  assert.deepEqual([decided.state, decided.user, decided.evidence], ['granted', 'second', `${recorded.id}, first: ${hers.note}`]);
  assert.equal((await expect(kith, 200, 'GET', '/audit?action=guardian.put')).items.length, 1);
  assert.equal((await record('first', hers)).status, 409, 'she is held no more');
  await expect(kith, 200, 'PUT', `/customers/${kept.one_id}/consent/guardian`, { ...as('first'), body: { granted: false, evidence: 'father called' } });
  assert.equal((await shown()).under_14, true, 'one person takes it back');
});

// ---- P9: what is too old goes ----

test('P9: events, quarantine and files that are too old go, what is counted of them follows, and the rest is as if they had never come', { skip: missingBinary }, async () => {
  const old = { id: 'u-long-here-1', phone: '+8613512349876', email: 'long.here@qq.com' };
  const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString();
  const at = (event, days) => ({ ...event, timestamp: ago(days), sentAt: new Date().toISOString() });
  const view = () => ({ type: 'track', event: 'Page Viewed', userId: old.id, messageId: `m-${++messages}`, properties: {} });
  await send(identify(old, { city: '广州' }), at(order(old, 701, 500), 800), at(order(old, 702, 20), 5));
  await send(at(view(), 200), at(view(), 100), at(view(), 10), at({ ...view(), event: 'Store Visited' }, 900));
  await expect(kith, 200, 'PUT', '/segments/long_buyers', {
    body: { name: 'long buyers', rule: { event: 'Order Paid', last: '900d', measure: 'count', gte: 2 } },
  });
  const found = await expect(kith, 200, 'GET', `/customers/by/user_id/${old.id}`);
  assert.equal(found.summary.orders, 2);
  assert.ok(found.segments.includes('long_buyers'), JSON.stringify(found.segments));
  const events = async () =>
    (await expect(kith, 200, 'GET', `/customers/${found.one_id}/events?limit=100`)).items
      .map((one) => one.type ?? one.event)
      .filter((type) => type !== 'Identify' && type !== '$identify')
      .sort();

  const { policy, kinds } = await expect(kith, 200, 'GET', '/retention');
  assert.deepEqual(kinds.map((one) => one.kind).sort(), Object.keys(policy).sort());
  await refused(kith, 422, 'unprocessable', 'PUT', '/retention', { body: { policy: { audit: 20 } } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/retention', { body: { policy: { events: { 'Page Viewed': -1 } } } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/retention', { body: { policy: { log: 0 } } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/retention', { body: { policy: { everything: 30 } } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/retention', { body: { value: {} } });

  // what would go is said before, and nothing goes
  const made = await expect(kith, 201, 'POST', '/segments/long_buyers/exports', { body: { format: 'csv', columns: ['one_id'] } });
  await until('the export', async () => (await expect(kith, 200, 'GET', `/exports/${made.id}`)).state === 'done');
  const long = new Date(Date.now() - 40 * 86_400_000);
  for (const ending of ['csv', 'json']) utimesSync(join(kith.folder, 'exports', `${made.id}.${ending}`), long, long);
  const wanted = { events: { 'Page Viewed': 90, 'Order Paid': 730 }, uploads: 30, quarantine: 60, exports: 30 };
  const trial = await expect(kith, 200, 'POST', '/retention/run', { body: { dry_run: true, policy: wanted } });
  assert.deepEqual(trial.event_types, { 'Page Viewed': 2, 'Order Paid': 1 });
  assert.equal(trial.counts.events, 3);
  assert.equal(trial.counts.exports, 1);
  assert.equal((await events()).length, 6, 'nothing went');

  const put = await expect(kith, 200, 'PUT', '/retention', { body: { policy: wanted } });
  assert.deepEqual(put.policy.events, wanted.events);
  const begun = await expect(kith, 202, 'POST', '/retention/run', { body: {} });
  const done = await until('the run to be finished', async () => {
    const run = await expect(kith, 200, 'GET', `/jobs/${begun.id}`);
    return run.state === 'finished' && run;
  });
  assert.equal(done.counts.events, 3, JSON.stringify(done));
  assert.equal(done.counts.exports, 1);
  assert.ok(!(await expect(kith, 200, 'GET', '/exports')).items.some((one) => one.id === made.id), 'its file is gone, and so is it');

  const left = ['Order Paid', 'Page Viewed', 'Store Visited'];
  const holds = async (when) => {
    const now = await expect(kith, 200, 'GET', `/customers/${found.one_id}`);
    assert.equal(now.summary.orders, 1, `${when}: the order of long ago is not counted any more`);
    assert.equal(now.summary.revenue, 2000, when);
    assert.equal(now.traits.city, '广州', `${when}: what she told stays`);
    assert.ok(!now.segments.includes('long_buyers'), `${when}: she left the segment`);
    assert.deepEqual(await events(), left, when);
  };
  await holds('after the run');
  await kith.stop();
  await kith.launch();
  await holds('after a restart');
  const again = await expect(kith, 200, 'POST', '/retention/run', { body: { dry_run: true } });
  assert.equal(again.counts.events, 0, 'nothing is left to go');
  const audit = await expect(kith, 200, 'GET', '/audit?action=retention.finish');
  assert.equal(audit.items.length, 1);
  const { detail } = audit.items[0];
  assert.equal((typeof detail === 'string' ? JSON.parse(detail) : detail).events, 3);

  // the same by the command line
  const told = (...words) => {
    const ran = spawnSync(binary, ['privacy', ...words], { encoding: 'utf8', env: { ...process.env, KITH_URL: kith.url, KITH_ADMIN_TOKEN: adminToken } });
    return { code: ran.status, text: ran.stdout, said: ran.stderr };
  };
  assert.equal(JSON.parse(told('retain', '--dry-run').text).counts.events, 0);
  assert.equal(JSON.parse(told('retention').text).last_run.id, begun.id);
  const file = join(backups, 'her.zip');
  const fetchedFile = told('access', `user_id:${old.id}`, '--output', file);
  assert.equal(fetchedFile.code, 0, fetchedFile.said);
  assert.ok(Object.keys(unzip(readFileSync(file))).includes('customer.json'));
  assert.match(told('requests', '--state', 'open').text, new RegExp(found.one_id));
  assert.equal(told('erase', `user_id:${old.id}`).code, 1, 'not without --yes');
  const erased = told('erase', `user_id:${old.id}`, '--yes', '--reason', 'she asked');
  assert.equal(erased.code, 0, erased.said);
  assert.equal(JSON.parse(erased.text).state, 'finished');
  assert.equal((await find(old)).status, 404);
  assert.equal(told('erase', 'nobody').code, 1);
  assert.equal(told('fly').code, 2);
});
