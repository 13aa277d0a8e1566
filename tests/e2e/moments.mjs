// SPDX-License-Identifier: Apache-2.0
// moments: a house on a virtual clock that sends to a sandbox, for scenes in which time passes: customers, deliveries and days come from
// outside, all else is done and seen in the console.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { sleep } from '../support/kith.mjs';
import { did as told, known, phone } from '../s1/support.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { Place, choose, missingConsole, until } from './support.mjs';

export const here = { skip: missingConsole };
export const HOUR = 3_600_000, DAY = 24 * HOUR;
const NOW = '2026-06-18T02:00:00Z'; // ten in the morning in Shanghai
const texts = {
  SMS_FRIEND: '谢谢您的订单${order}，邀您成为品牌好友', SMS_CART: '您看过的${product}有券，在${shop}可用', SMS_WAKE: '好久不见，回来看看',
  SMS_SKIN: '${group}社群欢迎您', SMS_NEXT: '${group}二群欢迎您', SMS_FILE: '您的肌肤档案已建好，请查看', SMS_OFFER: '会员日有礼',
};
export const policy = { quiet_hours: [{ channel: 'sms', from: '21:00', to: '09:00', over: 'hold' }], expires: '3d' };
/* time passes, and sessions end with it: what a page asks by itself at that moment is refused */
export const isEndedSession = (fault) => /401/.test(fault);
/* live bindings: who imports them reads what they are at that moment */
export let place, sandbox, now;

before(async () => {
  if (missingConsole) return;
  now = Date.parse(NOW);
  sandbox = await Sandbox.start({ now: NOW, settings: { receipt_ms: 0, check_time: 0 } });
  place = await Place.open({ arguments: ['--virtual-clock', '--sandbox', sandbox.url], environment: { KITH_NOW: NOW } });
  const { kith } = place;
  await kith.put('/channels/texts', { kind: 'sms_aliyun', settings: { default: true, cost: 5, access_key_id: 'kith', access_key_secret: 'sandbox-secret', sign_name: '凯思', sandbox: true } });
  await kith.put('/channels/calls', { kind: 'call_center', settings: { default: true } });
  await sandbox.world({
    accounts: [{ kind: 'sms_aliyun', id: 'kith', secret: 'sandbox-secret', callback_url: `${kith.url}/hooks/texts` }],
    templates: Object.entries(texts).map(([code, content]) => ({ kind: 'sms_aliyun', code, content, status: 'approved' })),
  });
  const template = (key, code, parts = {}) => kith.put(`/templates/${key}`, { name: key, channel: 'sms', parts: { template_code: code, ...parts } });
  await template('brand_friend', 'SMS_FRIEND', { order: '{{ event.order_id }}' });
  await template('cart_coupon', 'SMS_CART', { product: '{{ event.product_id }}', shop: '{{ event.channel }}' });
  await template('wake', 'SMS_WAKE');
  const group = { group: '{% case tag.skin_type %}{% when "dry" %}干皮{% else %}油皮{% endcase %}' };
  await template('skin_group', 'SMS_SKIN', group);
  await template('skin_next', 'SMS_NEXT', group);
  await template('skin_file', 'SMS_FILE');
  await template('offer', 'SMS_OFFER');
  await kith.put('/templates/talk', { name: 'talk', channel: 'call', parts: { text: '请回访' } });
  await kith.put('/policy', policy);
});
after(async () => {
  await place?.close();
  if (sandbox) assert.equal(await sandbox.stop(), 0);
});

// ---- the world outside: people, what they do, time ----

export const key = (user) => ['user_id', user];
export const did = (user, event, properties, at = now) => told('mp_server', event, [key(user)], properties, { userId: user, timestamp: new Date(at).toISOString() });
export const paid = (user, order, yuan, more = {}) => did(user, 'Order Paid', { order_id: order, revenue: yuan, total: yuan, currency: 'CNY', ...more });
export const say = async (...statements) => {
  await place.house.tell(statements);
  await place.kith.settled();
};
export const who = (user) => place.house.who(key(user));
const phones = new Map();

/** People who may be written to, each with a phone of her own. */
export async function people(...users) {
  await say(...users.map((user) => {
    phones.set(user, phone(80_000_000 + phones.size));
    return known('crm', [key(user)], { name: user, phone: phones.get(user) }, { userId: user });
  }));
  for (const user of users) await place.kith.put(`/customers/${await who(user)}/consent/marketing`, { granted: true, evidence: 'test' });
}

const isQuiet = async () => {
  for (const status of ['queued', 'sending']) if ((await place.kith.get(`/touches?status=${status}&limit=1`)).items.length > 0) return false;
  return (await sandbox.pending()) === 0;
};
/** Until what is due has run, what may go has gone, and what became of it was told. */
export const quiet = () => until('what is due to have gone', async () => {
  await place.kith.settled();
  if (!(await isQuiet())) return false;
  await sleep(60); // a run of what is due would begin within this time
  return isQuiet();
});

/** Time passes, hour by hour; sessions end with it, and she signs in again. */
export async function advance(ms) {
  now += ms;
  await sandbox.call('POST', 'clock', { now: new Date(now).toISOString() });
  await place.kith.post('/clock', { advance: `${ms / 1000}s` });
  await quiet();
  place.signedIn = undefined;
}
/** To an hour of Shanghai's day, today or tomorrow. */
export const advanceTo = (hour) => advance((hour * HOUR - ((now + 8 * HOUR) % DAY) + DAY) % DAY || DAY);
export const inbox = async (user, form) => (await sandbox.messages({ kind: 'sms_aliyun', recipient: `+86${phones.get(user)}`, ...(form && { form }) })).messages;

// ---- what hands do in the console ----

/** A draft of a definition, by the link that the editor gives: who enters is looked at, and it is saved. */
export async function define(visit, kind, body, enters) {
  const { page } = visit;
  await visit.go(`/new/${kind}?define=${encodeURIComponent(JSON.stringify(body))}`);
  await visit.button('看看谁进谁出').click();
  await page.locator('.change-figure.in dd').getByText(enters).waitFor();
  await visit.button('保存', true).click();
  await page.waitForURL(new RegExp(`/${kind}s/${body.key}$`));
}

/** A ready journey from the library. */
export async function take(visit, name, journey) {
  await visit.go('/journeys?create=yes');
  await visit.button(`用这个 ${name}`).click();
  await visit.page.waitForURL(new RegExp(`/journeys/${journey}$`));
  await visit.page.locator('.journey-card').first().waitFor();
}

/** Choose in fields of a step's settings; '' takes one away. */
export async function set(visit, node, fields) {
  const { page } = visit;
  await page.locator(`[data-node="${node}"]`).click();
  await page.locator(`.journey-card.open[data-node="${node}"]`).waitFor();
  const inspector = page.locator('.journey-inspector');
  for (const [label, value] of Object.entries(fields)) {
    if (value === '') await inspector.getByRole('button', { name: `不设置: ${label}` }).click();
    else await choose(inspector, page, label, value, { exact: true });
  }
}

export async function launch(visit, journey) {
  const { page } = visit;
  await visit.button('保存草稿').click();
  await visit.text('草稿已保存').waitFor();
  await visit.button('发布…').click();
  await page.getByRole('dialog').getByRole('button', { name: /发\s?布/ }).click();
  await until(`${journey} to be live`, async () => (await place.kith.get(`/journeys/${journey}`)).state === 'live');
}

/** The line of her touch in her own page, once it says so. */
export async function touchSays(visit, user, words) {
  await visit.go(`/customers/${await who(user)}/journeys`);
  await visit.page.locator('.customer-main tr').filter({ hasText: words }).first().waitFor();
}
