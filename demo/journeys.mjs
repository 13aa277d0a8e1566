// SPDX-License-Identifier: Apache-2.0
// journeys: what the brand house says to its customers: accounts in sandbox mode, a policy, texts, and the ready journeys,
// live, by the API like anybody's. A day of a journey lasts as long as a day of a parcel, so that all of it can be watched.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { settled } from './import.mjs';

export const DAY_MS = 45_000;
const LIVE_MS = 60_000;
export const corp = 'ww6d2a81c05be94f37';
export const miniProgram = 'wx3f1a6c0d5e7b2a91';
export const cartTemplate = 'CartCouponMuye';
const adviser = 'lin';
const smsKey = 'LTAI5tDemoMuye';
const callback = { token: 'demoCallbackToken', aes: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFA' };

// ---- who sends ----

const accounts = (sandbox) => [
  ['sms', 'sms_aliyun', { access_key_id: smsKey, access_key_secret: 'sandbox-secret', sign_name: '沐野', cost: 5 }],
  ['wecom', 'wecom', { corpid: corp, secret: 'sandbox-secret', agentid: 1000002, sender: adviser, callback_token: callback.token,
                       encoding_aes_key: callback.aes,
                       quota: [{ name: '企业微信群发每月四次', max: 4, calendar: 'month', over: 'drop' }] }],
  ['official_account', 'official_account', { appid: 'wx7c2e9a4b8d1f6035', secret: 'sandbox-secret', callback_token: callback.token }],
  ['mini_program', 'mini_program', { appid: miniProgram, secret: 'sandbox-secret', callback_token: callback.token, namespace: miniProgram }],
  ['email', 'smtp', { host: '127.0.0.1', port: sandbox.smtpPort, security: 'none', from: 'news@muye.example', from_name: '沐野' }],
  ['call_center', 'call_center', undefined],
  ['coupon', 'coupon', undefined],
];

/** The same accounts at the other end: receipts and events come to the hooks. */
export const worldOf = (server) => ({
  settings: { receipt_ms: 400, receipt_spread_ms: 3000, confirm_ms: 5000, interacted: 1, sms_same_text_seconds: 0 },
  accounts: [
    { kind: 'sms_aliyun', id: smsKey, secret: 'sandbox-secret', callback_url: `${server.url}/hooks/sms` },
    { kind: 'wecom', id: corp, secret: 'sandbox-secret', callback_url: `${server.url}/hooks/wecom`,
      callback_token: callback.token, encoding_aes_key: callback.aes },
    { kind: 'mini_program', id: miniProgram, secret: 'sandbox-secret', callback_url: `${server.url}/hooks/mini_program`,
      callback_token: callback.token },
  ],
  employees: [{ kind: 'wecom', account: corp, id: adviser }],
  templates: texts.map(([code, content]) => ({ kind: 'sms_aliyun', code, content, status: 'approved' })),
});

/** Some phones are off, some accounts are gone. */
const faults = {
  rules: [{ what: 'receipt_failed', kind: 'sms_aliyun', chance: 0.08, code: 'UNDELIV', times: -1 },
          { what: 'code', kind: 'mini_program', path: '*subscribe/send', chance: 0.1, code: '43101', times: -1 },
          { what: 'reset_after', kind: 'mini_program', path: '*subscribe/send', chance: 0.1, times: -1 }],
};

// ---- what is said ----

const hello = '{{ customer.name | default: "会员" | truncate: 10 }}';

/** Aliyun's code, and the text as it was approved there. */
const texts = [
  ['SMS_480000001', '${name}您好，感谢首次选购沐野！添加品牌顾问，可领护肤小样一份，详询在线客服。拒收请回复R'],
  ['SMS_480000002', '${name}您好，您的沐野包裹里附有会员礼卡，扫卡即可领取入会礼。拒收请回复R'],
  ['SMS_480000003', '${name}您好，您的生日礼已放入沐野小程序卡包，三十天内可用。拒收请回复R'],
  ['SMS_480000004', '${name}您好，好久不见！一张回归礼券已放入沐野小程序卡包。拒收请回复R'],
  ['SMS_480000005', '${name}您好，本周三会员日，小程序内会员专享礼遇已开放。拒收请回复R'],
];

const sms = (at, name) => ({
  name, channel: 'sms', purpose: 'marketing', template_id: texts[at][0],
  parts: { template_code: texts[at][0], text: `【沐野】${texts[at][1].replace('${name}', hello)}`, params: { name: hello } },
});
const wecom = (name, text, purpose) => ({
  name, channel: 'wecom', form: 'customer_mass', purpose, parts: { text: `${hello}，${text} {{ links.more }}` },
  links: { more: 'https://www.muye.example/care' },
});
const call = (name, text) => ({ name, channel: 'call', purpose: 'marketing', parts: { text: `${hello}：${text}` } });

const templates = {
  round_1_invite: sms(0, '四轮触达 · 邀请与礼品'),
  round_2_parcel: sms(1, '四轮触达 · 留意包裹'),
  round_4_call: call('四轮触达 · 呼叫', '首单后十天未加企业微信，请致电邀请，赠护肤小样。'),
  birthday_gift: sms(2, '生日礼'),
  birthday_greeting: wecom('生日祝福', '生日快乐！愿新的一岁，每天都好气色。', 'marketing'),
  wake_remind: wecom('好久不见', '好久不见，换季的护肤需要聊聊吗？随时找我。', 'marketing'),
  wake_coupon: sms(3, '回归礼券'),
  wake_call: call('沉睡回访', '沉睡客户，前两次触达没有回应，请致电回访。'),
  brand_friend: wecom('品牌好友邀请', '您的订单已收到，我是您的专属顾问，用法和售后随时问我。', 'service'),
  skin_group: wecom('肌肤社群邀请', '您的肤质报告好了，同肤质的姐妹都在社群里，欢迎来看看。', 'service'),
  skin_file: {
    name: '肌肤档案', channel: 'subscription', purpose: 'service', template_id: 'SkinFileMuye',
    parts: { template_id: 'SkinFileMuye', page: 'pages/skin/file', data: { thing1: '您的肌肤档案已更新', thing2: '点开查看护理建议' } },
  },
  cart_coupon: {
    name: '加购提醒', channel: 'subscription', purpose: 'marketing', template_id: cartTemplate,
    parts: { template_id: cartTemplate, page: 'pages/cart/cart',
             data: { thing1: '{{ event.name | default: "您看中的商品" | truncate: 20 }}', thing2: '送您一张商品礼券，三天内可用' } },
  },
};

const own = JSON.parse(readFileSync(new URL('brand/journeys.json', import.meta.url), 'utf8'));

const policy = {
  quiet_hours: ['sms', 'wecom', 'subscription'].map((channel) => ({ channel, from: '22:00', to: '08:00', over: 'hold', zone: 'customer' })),
  frequency: [
    { name: '每天一次营销触达', per: 'purpose', value: 'marketing', max: 1, calendar: 'day', over: 'hold' },
    { name: '七天三次营销触达', per: 'purpose', value: 'marketing', max: 3, window: '7d', over: 'drop' },
  ],
  hold_out: { percent: 5 },
  budgets: [{ name: '短信每天两百元', channel: 'sms', per: 'day', amount: 20_000, over: 'hold' }],
  consent: [{ purpose: 'skin_file', needs: 'granted' }],
  duplicates: { order: '30d', content: '7d' },
};

// ---- before anything listens ----

/** What the rules speak of has to have been seen once: a customer of the staff's, before anything listens. */
export async function rehearse(server, keys) {
  const track = (event, properties) => ({
    type: 'track', userId: 'demo-rehearsal', event, timestamp: new Date().toISOString(),
    messageId: `rehearsal-${event}`, properties,
  });
  const order = { order_id: 'rehearsal', revenue: 1, total: 1, currency: 'CNY', channel: 'crm' };
  await server.collect(keys.crm.write_key, [
    { type: 'identify', userId: 'demo-rehearsal', messageId: 'rehearsal', timestamp: new Date().toISOString(),
      traits: { name: '彩排', birthday: '1990-01-01' } },
    track('Product Added', { product_id: 'muye-001', name: '沐野氨基酸洁面乳 120g', price: 89 }),
    ...['Order Placed', 'Order Shipped', 'Order Delivered', 'Order Refunded', 'Order Cancelled'].map((event) => track(event, order)),
    track('Order Paid', { ...order, product_id: 'muye-001', runs_out_at: new Date().toISOString() }),
    track('SkinTestTaken', { skin_type: '中性', score: 80 }),
    track('Skin Test Taken', { skin_type: '中性', score: 80 }),
    track('ContentShared', { share_via: 'wechat', content_id: 'post-1' }),
    track('Customer Group Joined', { group_id: 'G301' }),
    track('Review Submitted', { order_id: 'rehearsal', stars: 5 }),
  ]);
  await settled(server);
}

// ---- what happens when ----

/** From a minute on whole minutes, as people read them. */
const quickly = (seconds) => (seconds < 60 ? `${seconds}s` : `${Math.round(seconds / 60)}m`);

/** Days become the demo's days; "at ten" would wait for a real morning. */
function quicken(node) {
  const quick = { ...node };
  const shorter = (text) => text.replace(/^(\d+)d$/, (_, days) => quickly((days * DAY_MS) / 1000));
  for (const name of ['for', 'timeout']) if (quick[name]) quick[name] = shorter(quick[name]);
  if (quick.type === 'coupon') quick.purpose = 'coupon';   // it lies in her wallet: not a message, and none less
  if (quick.type !== 'wait') return quick;
  delete quick.at;
  if (quick.date === 'entered') {
    quick.for = shorter(quick.offset);
    delete quick.date;
    delete quick.offset;
  }
  if (!quick.for) quick.for = '2s';
  return quick;
}

/** HH:MM in Shanghai, two minutes from now. */
const soon = () => new Date(Date.now() + 8 * 3_600_000 + 120_000).toISOString().slice(11, 16);

const changes = {
  four_rounds: () => ({}),
  cart: ({ trigger }) => ({ trigger: { ...trigger, within: '30s', patience: '0s' } }),
  birthday: ({ trigger }) => ({ trigger: { ...trigger, at: soon() } }),
  wake_up: ({ entry }) => ({ entry: { ...entry, max_per_hour: 30 } }),
  order_moment: ({ nodes }) => ({
    purpose: 'service', entry: { rule: { has: 'wecom_external_userid' } },
    nodes: { ...nodes, invite: { ...nodes.invite, transactional: true } },   // an answer to her order, at whatever hour
  }),
  skin_welcome: () => ({ purpose: 'service' }),
  after_purchase: () => ({ entry: { rule: { has: 'wecom_external_userid' } } }),
  replenishment: () => ({ entry: { rule: { has: 'wecom_external_userid' } } }),
  recovery: () => ({}),
};

async function publish(server, key, ready) {
  const journey = { ...ready, ...changes[key](ready) };
  const nodes = Object.fromEntries(Object.entries(journey.nodes).map(([id, node]) => [id, quicken(node)]));
  await server.api('PUT', `/journeys/${key}`, { ...journey, nodes });
  await server.api('POST', `/journeys/${key}/publish`, {});
}

async function putTemplates(server) {
  for (const [key, template] of Object.entries({ ...templates, ...own.templates })) {
    const { findings = [] } = await server.api('PUT', `/templates/${key}`, template);
    const wrong = findings.find((finding) => finding.level === 'error');
    if (wrong) throw new Error(`template '${key}' would be refused: ${JSON.stringify(wrong)}`);
  }
}

/** The house's own journeys keep real days: the calendar shows when they are due. */
async function putOwn(server) {
  for (const { key, draft, ...journey } of own.journeys) {
    await server.api('PUT', `/journeys/${key}`, journey);
    if (!draft) await server.api('POST', `/journeys/${key}/publish`, {});
  }
  for (const { keys, ...share } of own.shares) for (const key of keys) await server.api('PUT', '/shares', { ...share, key });
}

/** A version is live once its rules are computed for everybody. */
async function allLive(server) {
  const end = Date.now() + LIVE_MS;
  for (;;) {
    const waiting = (await server.api('GET', '/journeys')).items.filter((journey) => journey.state === 'preparing');
    if (waiting.length === 0) return;
    if (Date.now() > end) throw new Error(`not live after ${LIVE_MS / 1000} s: ${waiting.map((journey) => journey.key).join(', ')}`);
    await sleep(100);
  }
}

/** One message by hand to some of a segment. */
async function sendCampaign(server) {
  const { segment, customers, ...campaign } = own.campaign;
  const { items } = await server.api('GET', `/segments/${segment}/members?limit=${customers}`);
  if (items.length > 0) await server.api('POST', '/touches', { ...campaign, customers: items.map((one) => one.one_id ?? one) });
}

/** All of it, once; the accounts each time, for the sandbox is a new one. */
export async function makeJourneys(server, sandbox, notes, say) {
  await sandbox.call('PUT', '/sandbox/world', worldOf(server));
  await sandbox.call('PUT', '/sandbox/faults', faults);
  for (const [key, kind, settings] of accounts(sandbox))
    await server.api('PUT', `/channels/${key}`, { kind, settings: settings ? { sandbox: true, ...settings } : {} });
  if (notes.value.journeys) return;
  for (const key of ['cart', 'birthday', 'wake'])
    await server.api('PUT', `/coupon-pools/${key}`, { kind: 'generated', prefix: `${key.slice(0, 2).toUpperCase()}-` });
  for (const [key, pool] of Object.entries(own.pools)) await server.api('PUT', `/coupon-pools/${key}`, pool);
  await server.api('PUT', '/policy', { ...policy, link_base: server.url });
  await putTemplates(server);
  const library = (await server.api('GET', '/journeys/library')).items;
  for (const key of Object.keys(changes)) await publish(server, key, library.find((item) => item.key === key).journey);
  await putOwn(server);
  await allLive(server);
  // who sleeps already is woken by hand, some at a time
  await server.api('POST', '/journeys/wake_up/enter', { segment: 'sleeping' });
  await sendCampaign(server);
  notes.save({ journeys: true });
  const live = Object.keys(changes).length + own.journeys.filter((journey) => !journey.draft).length;
  say(`${live} journeys are live; what they send goes to the sandbox at ${sandbox.url}`);
}
