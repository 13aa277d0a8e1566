// SPDX-License-Identifier: Apache-2.0
// S2, S3, S13, S34 and what channels bring: WeCom and a mini-program through journeys, end to end against the sandbox. Callbacks come
// sealed, twice and out of order. What is expected is looked up where the messages arrive.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, sleep, until } from '../support/kith.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { expect, identify, refused, track } from './support.mjs';

const real = { skip: missingBinary, timeout: 240_000 };
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const NOW = '2026-06-18T02:00:00Z'; // ten in the morning in Shanghai
const corp = 'ww8d7b3a1c5e9f2046', mini = 'wx3f8c1e7a9b5d2046', TOKEN = 'callbackToken';
const AES = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFA';
let kith, sandbox, shop, now;

before(async () => {
  if (missingBinary) return;
  now = Date.parse(NOW);
  sandbox = await Sandbox.start({ now: NOW, settings: { receipt_ms: 0, check_time: 0, interacted: 1 }, mail: true });
  kith = await Kith.start({ arguments: ['--virtual-clock', '--sandbox', sandbox.url], environment: { KITH_NOW: NOW } });
  shop = await kith.source('shop');
  await kith.put('/channels/wecom', {
    kind: 'wecom',
    settings: { corpid: corp, secret: 'sandbox-secret', agentid: 1000002, sender: 'lin', callback_token: TOKEN, encoding_aes_key: AES,
                batch_wait_ms: 50, sandbox: true },
  });
  await kith.put('/channels/mini', {
    kind: 'mini_program', settings: { appid: mini, secret: 'sandbox-secret', callback_token: TOKEN, namespace: mini, sandbox: true },
  });
  await kith.put('/channels/calls', { kind: 'call_center', settings: {} });
  await sandbox.world({
    accounts: [
      { kind: 'wecom', id: corp, secret: 'sandbox-secret', callback_url: `${kith.url}/hooks/wecom`, callback_token: TOKEN, encoding_aes_key: AES },
      { kind: 'mini_program', id: mini, secret: 'sandbox-secret', callback_url: `${kith.url}/hooks/mini`, callback_token: TOKEN },
    ],
    employees: [{ kind: 'wecom', account: corp, id: 'lin' }, { kind: 'wecom', account: corp, id: 'gone', gone: true }],
  });
  await kith.put('/policy', { expires: '3d' });
  const mass = (key, text) => kith.put(`/templates/${key}`, { channel: 'wecom', form: 'customer_mass', purpose: 'service', parts: { text } });
  await mass('news', '上新了，来看看。');
  await mass('group_a', '一群欢迎您。');
  await mass('group_b', '二群欢迎您。');
  await mass('wake', '好久不见。');
  await kith.put('/templates/hello', {
    channel: 'wecom', form: 'welcome', purpose: 'service',
    parts: { welcome_code: '{{ event.welcome_code }}', text: '您好，我是您的顾问。' },
  });
  await kith.put('/templates/file', {
    channel: 'subscription', purpose: 'service', template_id: 'SkinFile',
    parts: { template_id: 'SkinFile', page: 'pages/skin', data: { thing1: '您的肌肤档案已更新' } },
  });
});
after(async () => {
  await kith?.remove();
  if (sandbox) assert.equal(await sandbox.stop(), 0);
});

// ---- people, time, what arrived ----

const say = (...items) => kith.batch(shop.write_key, items);
const did = (user, event, properties) => track(user, event, properties, { timestamp: new Date(now).toISOString() });
const oneId = async (user) => (await kith.customerBy('user_id', user)).one_id;
const contact = (user) => ({
  ...identify(user), context: { externalIds: [{ type: 'wecom_external_userid', id: `wm-${user}`, collection: corp, encoding: 'none' }] },
});
const opened = (user) => ({
  ...identify(user), context: { externalIds: [{ type: 'wx_openid', id: `o-${user}`, collection: mini, encoding: 'none' }] },
});
const busy = ['queued', 'sending'];
const isOutOf = async (statuses) => {
  for (const status of statuses) if ((await kith.get(`/touches?status=${status}&limit=1`)).items.length > 0) return false;
  return true;
};
async function quiet() {
  await until('what is due to have gone', async () => {
    await kith.settled();
    if (!(await isOutOf(busy)) || (await sandbox.pending()) > 0) return false;
    await sleep(60);
    return (await isOutOf(busy)) && (await sandbox.pending()) === 0;
  });
}
async function advance(ms) {
  now += ms;
  await sandbox.call('POST', 'clock', { now: new Date(now).toISOString() });
  await expect(kith, 200, 'POST', '/clock', { body: { advance: `${ms / 1000}s` } });
  await quiet();
}
const inbox = async (recipient, form) => (await sandbox.messages({ recipient, ...(form && { form }) })).messages;
async function live(key, journey) {
  await kith.put(`/journeys/${key}`, { name: key, ...journey });
  await kith.post(`/journeys/${key}/publish`);
  await until(`${key} to be live`, async () => (await kith.get(`/journeys/${key}`)).state === 'live');
}
const happens = (kind, account, event) => sandbox.call('POST', 'events', { kind, account, event });
const added = (contact, state) => happens('wecom', corp, {
  Event: 'change_external_contact', ChangeType: 'add_external_contact', UserID: 'lin', ExternalUserID: contact, ...(state && { State: state }),
});
const touchesOf = async (user) => kith.all(`/touches?customer=${await oneId(user)}`);

// ---- tests ----

test('a mass message of WeCom is sent when the adviser confirms it, and no sooner', real, async () => {
  await live('news', { trigger: { type: 'event', event: 'Order Paid' }, start: 's',
    nodes: { s: { type: 'send', channel: 'wecom', form: 'customer_mass', template: 'news', purpose: 'service' } } });
  await say(contact('mass-1'), contact('mass-2'), did('mass-1', 'Order Paid', { order_id: 'M1' }), did('mass-2', 'Order Paid', { order_id: 'M2' }));
  await quiet();
  assert.deepEqual((await touchesOf('mass-1')).map((touch) => touch.status), ['sent'], 'a task for the adviser');
  assert.equal((await sandbox.messages({ form: 'customer_mass' })).matched, 0, 'nothing has reached her');
  await sandbox.call('POST', 'confirm', { corpid: corp });
  assert.deepEqual([(await inbox('wm-mass-1')).length, (await inbox('wm-mass-2')).length], [1, 1]);
  await kith.post('/journeys/news/stop', { positions: 'exit' });
});

test('an employee is written to about a customer who is no contact; the same words once; who WeCom does not know is told', real, async () => {
  const tell = (key, userid, text) => kith.put(`/templates/${key}`, { channel: 'wecom', form: 'employee_text', purpose: 'service', parts: { userid, text } });
  await say(identify('about-1'), identify('about-2'));
  await kith.settled();
  const customers = [await oneId('about-1'), await oneId('about-2')];
  const send = async (template, key) => {
    const { items } = await kith.post('/touches', { customers, template, purpose: 'service', key });
    await quiet();
    return Promise.all(items.map(async ({ id }) => (await kith.get(`/touches/${id}`)).status));
  };
  await tell('about_her', 'lin', '请联系 {{ one_id }}');
  assert.deepEqual(await send('about_her', 'e1'), ['sent', 'sent']);
  assert.deepEqual((await inbox('lin', 'employee_text')).map((message) => JSON.parse(message.content).text.content).sort(), customers.map((id) => `请联系 ${id}`).sort());
  await tell('by_setting', '', '有新客户');
  assert.deepEqual(await send('by_setting', 'e2'), ['sent', 'sent'], 'the sender of the account gets it');
  assert.equal((await inbox('lin', 'employee_text')).length, 3, 'the same words within half an hour are shown once');
  await tell('to_nobody', 'gone', '有新客户 {{ one_id }}');
  assert.deepEqual(await send('to_nobody', 'e3'), ['failed', 'failed']);
  await tell('to_both', 'gone|lin', '两位顾问 {{ one_id }}');
  assert.deepEqual(await send('to_both', 'e4'), ['sent', 'sent']);
  assert.equal((await inbox('lin', 'employee_text')).length, 5);
});

test('the welcome message goes within the twenty seconds of its code, and after them not at all', real, async () => {
  await say(did('nobody', 'WeCom Contact Added', { welcome_code: 'none', state: 'none' }));
  await live('welcome', { trigger: { type: 'event', event: 'WeCom Contact Added' }, start: 's', nodes: {
    s: { type: 'send', channel: 'wecom', form: 'welcome', template: 'hello', purpose: 'service', transactional: true, expires: '20s' } } });
  await added('wm-w-1');
  await until('the welcome to be there', async () => (await inbox('wm-w-1', 'welcome')).length === 1);
  await quiet();
  await kith.post('/stop', { scope: 'channel', value: 'wecom' });
  await added('wm-w-2');
  await quiet();
  await advance(30_000);
  await kith.post('/stop', { scope: 'channel', value: 'wecom', active: false });
  await quiet();
  assert.deepEqual(await inbox('wm-w-2', 'welcome'), [], 'its time is over');
  await kith.post('/journeys/welcome/stop', { positions: 'exit' });
});

test('a subscription message takes one of what she granted, and a callback that comes twice counts once', real, async () => {
  await sandbox.call('PUT', 'faults', { rules: [{ what: 'receipt_twice', kind: 'mini_program', delay_ms: 30, times: -1 }] });
  await say(did('nobody', 'Skin Test Done', {}));
  await live('file', { trigger: { type: 'event', event: 'Skin Test Done' }, start: 's',
    nodes: { s: { type: 'send', channel: 'subscription', template: 'file', purpose: 'service' } } });
  await say(opened('sub'));
  for (let n = 0; n < 2; n++)
    await happens('mini_program', mini, { FromUserName: 'o-sub', Event: 'subscribe_msg_popup_event',
      SubscribeMsgPopupEvent: { List: [{ TemplateId: 'SkinFile', SubscribeStatusString: 'accept', PopupScene: '0' }] } });
  await quiet();
  for (let n = 0; n < 3; n++) {
    await advance(HOUR);
    await say(did('sub', 'Skin Test Done', { n }));
    await quiet();
  }
  const statuses = (await touchesOf('sub')).map((touch) => `${touch.status} ${touch.reason ?? ''}`.trim()).sort();
  const events = (await kith.timeline(await oneId('sub'))).map((event) => event.type ?? event.event);
  const accepted = events.filter((type) => type === 'Subscription Accepted').length;
  assert.equal((await inbox('o-sub')).length, accepted, JSON.stringify({ statuses, events }));
  assert.equal(statuses.filter((status) => status === 'suppressed no_subscription').length, 3 - accepted);
  assert.ok(accepted >= 1 && accepted <= 2, 'each grant counts once, however often it is told');
  await sandbox.call('PUT', 'faults', { rules: [] });
});

test('D10 a receipt by the provider\'s own number that comes before its answer was read finds its touch', real, async () => {
  await say(opened('quick'));
  await happens('mini_program', mini, { FromUserName: 'o-quick', Event: 'subscribe_msg_popup_event',
    SubscribeMsgPopupEvent: { List: [{ TemplateId: 'SkinFile', SubscribeStatusString: 'accept', PopupScene: '0' }] } });
  await quiet();
  await sandbox.call('PUT', 'faults', { rules: [{ what: 'slow', kind: 'mini_program', delay_ms: 200, times: -1 }] });
  await say(did('quick', 'Skin Test Done', { n: 9 }));
  await until('the receipt to be known', async () => (await touchesOf('quick')).some((touch) => touch.status === 'delivered'));
  await sandbox.call('PUT', 'faults', { rules: [] });
});

test('S3 round 3: the card in the parcel leads to a contact by the pool\'s code; the scan is the card\'s, the order is asked for', real, async () => {
  await say(did('nobody', 'Order Number Given', { order_id: 'x' }));
  await kith.put('/templates/ask', { channel: 'wecom', form: 'welcome', purpose: 'service',
    parts: { welcome_code: '{{ event.welcome_code }}', text: '请告诉我您的订单号。' } });
  await kith.put('/segments/by-card', { name: '来自卡片', rule: { event: 'WeCom Contact Added', where: [{ prop: 'state', eq: 'card-618' }], measure: 'count', gte: 1 } });
  await live('card', {
    trigger: { type: 'event', event: 'WeCom Contact Added', where: [{ prop: 'state', eq: 'card-618' }] },
    goals: [{ key: 'order', event: 'Order Number Given', within: '7d' }], start: 'ask',
    nodes: { ask: { type: 'send', channel: 'wecom', form: 'welcome', template: 'ask', purpose: 'service', transactional: true, next: 'told' },
             told: { type: 'wait_until', event: 'Order Number Given', timeout: '3d', next: 'tag', on_timeout: null },
             tag: { type: 'trait', trait: 'order_by_card', value: true } } });
  await added('wm-card', 'card-618');
  await added('wm-other', 'elsewhere');
  await quiet();
  assert.equal((await inbox('wm-card', 'welcome')).length, 1);
  assert.deepEqual(await inbox('wm-other', 'welcome'), [], 'who came another way is not asked');
  const she = await kith.customerBy('wecom_external_userid', 'wm-card', corp);
  assert.ok(she.segments.includes('by-card'), 'the scan is attributed to the card');
  await say({ ...did('card', 'Order Number Given', { order_id: 'C1' }),
    context: { externalIds: [{ type: 'wecom_external_userid', id: 'wm-card', collection: corp, encoding: 'none' }] } });
  await quiet();
  const report = await expect(kith, 200, 'GET', '/journeys/card/report');
  assert.equal(report.goals[0].journey.reached, 1);
  assert.equal((await kith.customerBy('wecom_external_userid', 'wm-card', corp)).traits.order_by_card, true);
});

test('contact ways: a pool and a state; each who scans gets the next adviser; how many came by each is counted', real, async () => {
  const way = await expect(kith, 201, 'POST', '/channels/wecom/contact-ways', { body: { state: 'store-7', users: ['lin', 'wei'], remark: '七号店' } });
  assert.match(way.qr_code, /^https:/);
  assert.deepEqual([way.state, way.users, way.remark, way.scans, way.contacts], ['store-7', ['lin', 'wei'], '七号店', 0, 0]);
  await expect(kith, 201, 'POST', '/channels/wecom/contact-ways', { body: { state: 'store-8', users: ['lin'] } });
  const scans = (contact, state) => happens('wecom', corp, { Event: 'change_external_contact', ChangeType: 'add_external_contact', ExternalUserID: contact, State: state });
  for (const one of ['a', 'b', 'c']) await scans(`wm-way-${one}`, 'store-7');
  await scans('wm-way-a', 'store-7'); // she was there before
  await scans('wm-way-d', 'store-8');
  await quiet();
  await kith.flushed();
  const list = await expect(kith, 200, 'GET', '/channels/wecom/contact-ways');
  const of = (state) => list.items.find((one) => one.state === state);
  assert.deepEqual([of('store-7').scans, of('store-7').contacts], [4, 3]);
  assert.deepEqual([of('store-8').scans, of('store-8').contacts], [1, 1]);
  assert.ok(Date.parse(of('store-7').last_at) > 0);
  const cameBy = async (contact) => {
    const she = await kith.customerBy('wecom_external_userid', contact, corp);
    const all = (await expect(kith, 200, 'GET', `/customers/${she.one_id}/events`)).items;
    return all.filter((one) => one.props.state === 'store-7').at(-1)?.props.adviser; // newest first
  };
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((one) => cameBy(`wm-way-${one}`))), ['lin', 'wei', 'lin']);
  const changed = await expect(kith, 200, 'PUT', `/channels/wecom/contact-ways/${way.id}`, { body: { users: ['wei'] } });
  assert.deepEqual([changed.users, changed.state, changed.scans], [['wei'], 'store-7', 4]);
  await expect(kith, 204, 'DELETE', `/channels/wecom/contact-ways/${way.id}`);
  assert.deepEqual((await expect(kith, 200, 'GET', '/channels/wecom/contact-ways')).items.map((one) => one.state), ['store-8']);
  await refused(kith, 422, 'unprocessable', 'PUT', `/channels/wecom/contact-ways/${way.id}`, { body: { users: ['wei'] } });
  await refused(kith, 422, 'unprocessable', 'POST', '/channels/wecom/contact-ways', { body: { state: 'none', users: [] } });
  await refused(kith, 404, 'not_found', 'GET', '/channels/calls/contact-ways');
});

test('S2 the group of her skin type, or the next one where it is full', real, async () => {
  await kith.put('/tags/skin_type', { name: '肤质', kind: 'manual', type: 'text' });
  await say(did('nobody', 'Customer Group Full', { group: 'x' }), did('nobody', 'Customer Group Joined', {}));
  await kith.put('/segments/group-a-full', { name: '一群已满', kind: 'static' });
  await live('skin', { trigger: { type: 'tag', tag: 'skin_type' }, entry: { reentry: 'never' }, start: 'which', nodes: {
    which: { type: 'branch', cases: [{ segment: 'group-a-full', next: 'b' }], otherwise: 'a' },
    a: { type: 'send', channel: 'wecom', form: 'customer_mass', template: 'group_a', purpose: 'service', next: 'full' },
    full: { type: 'wait_until', event: 'Customer Group Full', timeout: '1d', next: 'b', on_timeout: null },
    b: { type: 'send', channel: 'wecom', form: 'customer_mass', template: 'group_b', purpose: 'service' } } });
  await say(contact('skin-1'), contact('skin-2'));
  await kith.post('/tags/skin_type/values', { values: ['skin-1', 'skin-2'].map((user) => ({ customer: { type: 'user_id', value: user }, value: 'dry' })) });
  await quiet();
  await sandbox.call('POST', 'confirm', { corpid: corp });
  const first = [(await inbox('wm-skin-1')).length, (await inbox('wm-skin-2')).length];
  assert.deepEqual(first, [1, 1]);
  await say(did('skin-2', 'Customer Group Full', { group: 'a' })); // the group's answer to her
  await quiet();
  await sandbox.call('POST', 'confirm', { corpid: corp });
  assert.deepEqual((await inbox('wm-skin-2')).map((message) => /[一二]群/.exec(message.content)[0]), ['一群', '二群']);
  assert.equal((await inbox('wm-skin-1')).length, 1);
});

test('S13 each is woken by her own rhythm: half as late again as she usually is', real, async () => {
  await live('rhythm', {
    trigger: { type: 'event', event: 'Order Paid' }, start: 'knows', nodes: {
      knows: { type: 'branch', cases: [{ value: 'summary.orders', gte: 2, next: 'late' }], otherwise: null },
      late: { type: 'wait', date: 'summary.late_at', restart_on: { event: 'Order Paid' }, next: 'wake' },
      wake: { type: 'send', channel: 'wecom', form: 'customer_mass', template: 'wake', purpose: 'service' } } });
  await say(contact('weekly'), contact('monthly'), contact('once'));
  const buys = (user, n) => did(user, 'Order Paid', { order_id: `${user}-${n}`, revenue: '10.00', currency: 'CNY' });
  const times = { weekly: [0, 7, 14], monthly: [0, 28], once: [0] };
  for (let day = 0; day <= 28; day++) {
    const items = Object.entries(times).filter(([, days]) => days.includes(day)).map(([user]) => buys(user, day));
    if (items.length > 0) await say(...items);
    await advance(DAY);
  }
  // weekly: late at day 14 + 10.5; monthly: at day 28 + 42
  const woken = async (user) => (await touchesOf(user)).filter((touch) => touch.template === 'wake' || touch.journey === 'rhythm').length;
  assert.deepEqual([await woken('weekly'), await woken('monthly'), await woken('once')], [1, 0, 0]);
  for (let day = 0; day < 40; day++) await advance(DAY);
  assert.equal(await woken('monthly'), 0, 'not before her own time');
  for (let day = 0; day < 4; day++) await advance(DAY);
  assert.deepEqual([await woken('weekly'), await woken('monthly'), await woken('once')], [1, 1, 0]);
});

// Of each kind of provider: an account, what is sent, and receipts that contradict each other, as they come over the wire.
const official = 'wx1a2b3c4d5e6f7081';
const sms = { channel: 'sms', purpose: 'service' };
const receiptKinds = [
  { kind: 'sms_aliyun', id: 'ali', settings: { access_key_id: 'ali', access_key_secret: 'sandbox-secret', sign_name: '凯思', sandbox: true },
    template: { ...sms, parts: { template_code: 'SMS_D10', name: '{{ one_id }}' } }, content: '您好${name}，已发货', code: 'SMS_D10',
    says: (touch, good) => [{ phone_number: touch.phone.slice(3), biz_id: touch.provider_id ?? 'early', out_id: touch.idempotency_key, success: good, err_code: good ? 'DELIVERED' : 'MBBLACK', sms_size: '1',
      send_time: '2026-06-18 10:00:00', report_time: '2026-06-18 10:00:05' }] },
  { kind: 'sms_tencent', id: 'qc', settings: { secret_id: 'qc', secret_key: 'sandbox-secret', sdk_app_id: '1400006666', sign_name: '凯思', sandbox: true },
    template: { ...sms, parts: { template_id: '1110', params: ['{{ one_id }}'] } }, content: '您好{1}，已发货', code: '1110',
    says: (touch, good) => [{ user_receive_time: '2026-06-18 10:00:05', nationcode: '86', mobile: touch.phone.slice(3), report_status: good ? 'SUCCESS' : 'FAIL',
      errmsg: good ? 'DELIVRD' : 'MBBLACK', description: 'x', sid: touch.provider_id }] },
  { kind: 'official_account', id: official, settings: { appid: official, secret: 'sandbox-secret', callback_token: TOKEN, namespace: official, sandbox: true },
    template: { channel: 'official_account', form: 'template', purpose: 'service', parts: { template_id: 'T', thing1: '好' } },
    says: (touch, good) => ({ FromUserName: touch.openid, Event: 'TEMPLATESENDJOBFINISH', MsgID: touch.provider_id, Status: good ? 'success' : 'failed:user block' }) },
  { kind: 'mini_program', id: mini, template: { channel: 'subscription', purpose: 'service', template_id: 'SkinFile',
    parts: { template_id: 'SkinFile', page: 'pages/skin', data: { thing1: '好' } } },
    says: (touch, good) => ({ FromUserName: touch.openid, Event: 'subscribe_msg_sent_event',
      SubscribeMsgSentEvent: { List: [{ TemplateId: 'SkinFile', MsgID: touch.provider_id, ErrorCode: good ? '0' : '43101', ErrorStatus: good ? 'success' : 'refused' }] } }) },
];

test('D10 receipts of every kind come twice, and against one another: a status never goes back, and nothing is told twice', real, async () => {
  const hook = (key) => `${kith.url}/hooks/${key}`;
  await sandbox.world({ templates: receiptKinds.filter((one) => one.content).map(({ kind, code, content }) => ({ kind, code, content, status: 'approved' })),
    accounts: receiptKinds.filter((one) => one.settings).map(({ kind, id }) => ({ kind, id, secret: 'sandbox-secret', callback_url: hook(id), callback_token: TOKEN })) });
  const people = receiptKinds.map((_, n) => ({ good: `d10-good-${n}`, bad: `d10-bad-${n}`, openid: receiptKinds[n].id === official ? official : mini }));
  const phone = (n, good) => `+86137000010${n}${good ? 1 : 2}`;
  await say(...people.flatMap(({ good, bad, openid }, n) => [good, bad].map((user) => ({ ...identify(user, { phone: phone(n, user === good) }),
    context: { externalIds: [{ type: 'wx_openid', id: `o-${user}`, collection: openid, encoding: 'none' }] } }))));
  for (const user of [people[3].good, people[3].bad])
    await happens('mini_program', mini, { FromUserName: `o-${user}`, Event: 'subscribe_msg_popup_event',
      SubscribeMsgPopupEvent: { List: [{ TemplateId: 'SkinFile', SubscribeStatusString: 'accept', PopupScene: '0' }] } });
  await quiet();
  for (const [n, one] of receiptKinds.entries()) {
    const account = one.settings ? one.id : 'mini';
    if (one.settings) await kith.put(`/channels/${account}`, { kind: one.kind, settings: one.settings });
    await kith.put(`/templates/d10-${account}`, { ...one.template });
    const fault = (what, more) => ({ what, kind: one.kind, times: -1, ...more });
    for (const good of [true, false]) {
      const user = good ? people[n].good : people[n].bad;
      // each is told of twice, or of a failure
      await sandbox.call('PUT', 'faults', { rules: [good ? fault('receipt_twice', { delay_ms: 20 }) : fault('receipt_failed', {})] });
      const asked = await kith.post('/touches', { customers: [await oneId(user)], template: `d10-${account}`, account, purpose: 'service', key: 'd10', transactional: true });
      const { id } = asked.items[0];
      await quiet();
      const end = good ? 'delivered' : 'failed';
      const first = await until(`${one.kind}: ${end}`, async () => {
        const touch = await kith.get(`/touches/${id}`);
        return touch.status === end && touch;
      });
      await quiet();
      const about = { ...first, phone: phone(n, good), openid: `o-${user}` };
      const told = async () => (await kith.timeline(await oneId(user))).filter((event) => (event.type ?? event.event) === '$touch').length;
      const before = await told();
      for (const says of [good, !good, !good, good]) {
        if (!one.content) await happens(one.kind, one.id, one.says(about, says));
        else assert.equal((await fetch(hook(account), { method: 'POST', body: JSON.stringify(one.says(about, says)) })).status, 200);
      }
      await quiet();
      const last = await kith.get(`/touches/${id}`);
      assert.deepEqual(last.steps, first.steps, `${one.kind}: what was ${end} stays so, and no step is told again`);
      assert.equal(await told(), before, `${one.kind}: nothing is told twice`);
      assert.equal(new Set(last.steps.map((step) => step.status)).size, last.steps.length, `${one.kind}: each status once`);
    }
  }
  assert.equal((await sandbox.call('GET', 'callbacks')).given_up, 0, 'every callback was understood');
  await sandbox.call('PUT', 'faults', { rules: [] });
});

test('D10 a mail that comes back an hour later, twice, has failed once', real, async () => {
  await sandbox.world({ accounts: [{ kind: 'smtp', id: 'kith.example', secret: 'sandbox-secret', callback_url: `${kith.url}/hooks/mail?secret=d10` }] });
  await kith.put('/channels/mail', { kind: 'smtp', settings: { host: '127.0.0.1', port: sandbox.smtpPort, security: 'none', allow_private: true, username: 'kith.example', password: 'sandbox-secret',
    from: 'brand@kith.example', return_path: 'bounce@kith.example', callback_secret: 'd10' } });
  await kith.put('/templates/letter', { channel: 'email', purpose: 'service', parts: { subject: '您好', text: '您好' } });
  await say(identify('d10-mail', { email: 'later@x.example' }), identify('d10-fine', { email: 'fine@x.example' }));
  await sandbox.call('PUT', 'faults', { rules: [{ what: 'receipt_twice', kind: 'smtp', delay_ms: 20, times: -1 }] });
  const asked = await kith.post('/touches', { customers: [await oneId('d10-mail'), await oneId('d10-fine')], template: 'letter', purpose: 'service', key: 'd10', transactional: true });
  await quiet();
  const [back, fine] = asked.items.map((item) => item.id);
  await until('the mail to be back', async () => (await kith.get(`/touches/${back}`)).status === 'failed');
  await quiet();
  assert.deepEqual((await kith.get(`/touches/${back}`)).steps.map((step) => step.status).filter((status) => status === 'failed'), ['failed']);
  assert.notEqual((await kith.get(`/touches/${fine}`)).status, 'failed');
  assert.ok((await sandbox.call('GET', 'callbacks')).repeated > 0, 'it was told twice');
  await sandbox.call('PUT', 'faults', { rules: [] });
});
