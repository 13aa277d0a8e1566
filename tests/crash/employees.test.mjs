// SPDX-License-Identifier: Apache-2.0
// D10: messages to employees of WeCom, and texts of Tencent that nobody can be asked about, over kill -9. WeCom takes no key for
// them and cannot be asked: what was on its way is uncertain, nobody sends it again by himself, and who decides is obeyed.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { touchesUnderWay } from './support.mjs';

const skip = missingBinary, people = 10, corp = 'ww5f2d9c4b1a8e7063';
const ends = [];
after(async () => {
  for (const end of ends) await end().catch(() => {});
});

async function house() {
  const sandbox = await Sandbox.start({ settings: { receipt_ms: 0, interacted: 1 } });
  ends.push(() => sandbox.stop());
  await sandbox.world({
    accounts: [{ kind: 'sms_tencent', id: 'qc', secret: 'sandbox-secret' }, { kind: 'wecom', id: corp, secret: 'sandbox-secret' }],
    employees: [{ kind: 'wecom', account: corp, id: 'lin' }],
    templates: [{ kind: 'sms_tencent', code: '1110', content: '您好{1}，已发货', status: 'approved' }],
  });
  const kith = await Kith.start({ arguments: ['--no-warehouse', '--sandbox', sandbox.url] });
  ends.push(() => kith.remove());
  const { write_key: shop } = await kith.source('shop');
  await kith.batch(shop, Array.from({ length: people }, (_, n) => ({ type: 'identify', messageId: `i${n}`, userId: `u${n}`, traits: { phone: `1370000${3000 + n}` } })));
  await kith.settled();
  const customers = [];
  for (let n = 0; n < people; n++) customers.push((await kith.customerBy('user_id', `u${n}`)).one_id);
  await kith.put('/templates/task', { channel: 'wecom', form: 'employee_text', purpose: 'service', parts: { userid: 'lin', text: '请联系 {{ one_id }}' } });
  await kith.put('/templates/text', { channel: 'sms', purpose: 'service', parts: { template_id: '1110', params: ['{{ one_id }}'] } });
  await kith.put('/channels/texts', { kind: 'sms_tencent', settings: { secret_id: 'qc', secret_key: 'sandbox-secret', sdk_app_id: '1400006666', sign_name: '凯思', sandbox: true, batch_wait_ms: 0 } });
  const corpSettings = (more) => kith.put('/channels/wecom', { kind: 'wecom', settings: { corpid: corp, secret: 'sandbox-secret', agentid: 1000002, namespace: corp, concurrency: 2, sandbox: true, ...more } });
  await corpSettings({});
  const statuses = async (ids) => Promise.all(ids.map(async (id) => (await kith.get(`/touches/${id}`)).status));
  /** Asked for, taken where `what` says so, never answered; then the server dies and comes again. */
  const lose = async (what, template, kind, key) => {
    await sandbox.call('PUT', 'faults', { rules: [{ what, kind, path: kind === 'wecom' ? '*message/send' : '', delay_ms: 600_000, times: -1 }] });
    const before = (await sandbox.messages({ kind })).matched;
    const ids = (await kith.post('/touches', { customers, template, purpose: 'service', key })).items.map((item) => item.id);
    if (what === 'timeout_after') await until('some to be taken', async () => (await sandbox.messages({ kind })).matched > before);
    else await until('some to be on their way', async () => (await statuses(ids)).includes('sending'));
    await kith.kill9();
    await sandbox.call('PUT', 'faults', { rules: [] });
    await kith.launch();
    const settled = () => until('all to be told of', async () => !(await touchesUnderWay(kith)), { timeoutMs: 60_000, everyMs: 200 });
    await settled();
    return { ids, settled, taken: async () => (await sandbox.messages({ kind })).matched - before };
  };
  return { kith, sandbox, statuses, lose, corpSettings };
}

test('kill -9 while employees are written to: each message once at most; what may have gone waits for a decision, and that is obeyed', { skip, timeout: 120_000 }, async () => {
  const { kith, statuses, lose } = await house();
  const { ids, settled, taken } = await lose('timeout_after', 'task', 'wecom', 'lost');
  const after = await statuses(ids), uncertain = ids.filter((_, i) => after[i] === 'uncertain');
  assert.ok(uncertain.length > 0, `some were on their way: ${after}`);
  assert.equal(after.filter((status) => status === 'sent').length + uncertain.length, people, `${after}`);
  const before = await taken();
  assert.ok(before >= people - uncertain.length && before <= people, `${before} shown, ${after}`);
  // one did go as somebody knows, one did not, the others go again: what was shown is not shown twice within half an hour
  const [sent, failed, ...again] = uncertain;
  await kith.post(`/touches/${sent}/decide`, { decision: 'sent' });
  if (failed) await kith.post(`/touches/${failed}/decide`, { decision: 'failed' });
  for (const id of again) await kith.post(`/touches/${id}/decide`, { decision: 'resend' });
  await settled();
  assert.deepEqual(await statuses(again), again.map(() => 'sent'));
  assert.ok((await taken()) <= people, 'nobody has it twice');
});

test('what never reached WeCom goes when somebody decides so, or at once where the account says so', { skip, timeout: 120_000 }, async () => {
  const { kith, statuses, lose, corpSettings } = await house();
  const { ids, settled, taken } = await lose('hang', 'task', 'wecom', 'first');
  const after = await statuses(ids), open = after.filter((status) => status === 'uncertain').length;
  assert.ok(open > 0, `${after}`);
  assert.equal(await taken(), people - open, 'nobody sends it by himself');
  for (const [i, id] of ids.entries()) if (after[i] === 'uncertain') await kith.post(`/touches/${id}/decide`, { decision: 'resend' });
  await settled();
  assert.deepEqual(await statuses(ids), ids.map(() => 'sent'));
  assert.equal(await taken(), people);
  await kith.put('/templates/task', { channel: 'wecom', form: 'employee_text', purpose: 'service', parts: { userid: 'lin', text: '再联系 {{ one_id }}' } });
  await corpSettings({ uncertain: 'resend' });
  const second = await lose('hang', 'task', 'wecom', 'second');
  assert.deepEqual(await statuses(second.ids), second.ids.map(() => 'sent'));
  assert.equal(await second.taken(), people);
});

test('a provider that is asked and does not know it: the decision to send it again is obeyed', { skip, timeout: 120_000 }, async () => {
  const { kith, statuses, lose } = await house();
  const { ids, settled, taken } = await lose('hang', 'text', 'sms_tencent', 'texts');
  const after = await statuses(ids), uncertain = ids.filter((_, i) => after[i] === 'uncertain');
  assert.ok(uncertain.length > 0, `${after}`);
  for (const id of uncertain) await kith.post(`/touches/${id}/decide`, { decision: 'resend' });
  await settled();
  for (const status of await statuses(ids)) assert.ok(['sent', 'delivered'].includes(status), status);
  assert.equal(await taken(), people);
});
