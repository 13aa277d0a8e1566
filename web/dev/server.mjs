/* SPDX-License-Identifier: Apache-2.0 */
/* dev/server: answers the console from made-up data, for work on pages without a server. Never shipped. */
import { createServer } from 'node:http';

let seed = 7;
const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
const pick = (list) => list[Math.floor(random() * list.length)];
const now = () => Date.now();
const iso = (ms) => new Date(ms).toISOString();
const id = (n) => 'c_' + (BigInt(n) * 6364136223846793005n % 2000000000000000000n).toString(32).padStart(13, '0').slice(-13);
const names = '王丽娟 李思雨 张晓彤 刘佳怡 陈雨桐 杨梦琪 赵敏 黄诗涵 周雅静 吴婷婷 徐若曦 孙可欣 马欣怡 朱琳 胡静怡 林晓雯'.split(' ');
const channels = ['tmall', 'mini_program', 'jd', 'wecom', 'store', 'douyin', 'h5', 'app', 'vip', 'pdd'];
const customers = Array.from({ length: 137 }, (_, n) => {
  const orders = Math.floor(random() * 9);
  return {
    one_id: id(n + 1), name: n % 5 === 4 ? '' : pick(names),
    identifiers: [
      { type: 'mobile', value: `138****${String(1000 + n * 37).slice(-4)}` }, { type: 'wx_unionid', value: `oU${n}k3J9x8Q2mWz7Lp` },
      { type: 'member_card', value: `M0${880000 + n}` }, { type: 'tmall_open_uid', value: `AAH${n}bXk92LmQ` },
    ].slice(0, 1 + Math.floor(random() * 4)),
    summary: { orders, revenue: orders * (19900 + Math.floor(random() * 40000)), currency: orders ? 'CNY' : '', last_seen_at: iso(now() - random() * 9e8) },
    created_at: iso(now() - 3e10 * random()),
  };
});
const page = (items, extra = {}) => ({ items, next_cursor: null, as_of: iso(now()), ...extra });
const summary = { events: 312, orders: 6, revenue: 238950, refunded: 29900, currency: 'CNY', first_order_at: iso(now() - 2.4e10), last_order_at: iso(now() - 3.2e8), first_seen_at: iso(now() - 2.9e10), last_seen_at: iso(now() - 4e5) };
const ident = (type, value, verified, source, node, row, namespace = '') => ({ type, namespace, value, verified, source, first_seen: iso(now() - 2e10), last_seen: iso(now() - 4e6), node, row });
const A = id(1), B = id(90), C = id(91);
const identifiers = [
  ident('user_id', 'u_1029388', true, 'crm', A, 1), ident('member_card', 'M0880017', true, 'store', A, 2), ident('wx_unionid', 'oU7k3J9x8Q2mWz7Lp', true, 'mini', B, 3),
  ident('mobile', '138****1234', true, 'store', A, 4), ident('wx_openid', 'o5xR-9dk2LmQ', true, 'mini', B, 5, 'wx8f1a'), ident('wecom_external_userid', 'wmJ8sKAAAx72', true, 'wecom', B, 6, 'ww1'),
  ident('tmall_open_uid', 'AAHbXk92LmQ', true, 'tmall', C, 7), ident('order_no', '3312908812237', false, 'h5', A, 8), ident('anonymous_id', '6f9c1b2e-77aa', false, 'h5', A, 9, 'h5'), ident('device', 'iPhone-7D21', false, 'mini', B, 10),
];
const customer = (one) => ({
  one_id: one, created_at: iso(now() - 2.9e10), name: '王丽娟', identifiers,
  traits: { name: '王丽娟', gender: '女', birthday: '1993-04-12', city: '上海', phone: '138****1234', skin_type: '敏感肌', skin_concern: ['泛红', '干燥'], member_tier: '金卡', points: 2380, store: '上海静安大悦城店' },
  trait_origins: Object.fromEntries(['name', 'gender', 'birthday', 'city', 'phone', 'skin_type', 'skin_concern', 'member_tier', 'points', 'store'].map((k, i) => [k, { source: pick(['crm', 'mini', 'store', 'wecom']), at: iso(now() - i * 4e9) }])),
  tags: {}, segments: [], consent: { marketing_sms: { state: 'granted', at: iso(now() - 1e10), source: 'mini' }, wecom: { state: 'granted', at: iso(now() - 1e10), source: 'wecom' }, call: { state: 'withdrawn', at: iso(now() - 1e9), source: 'crm' } },
  summary, as_of: iso(now()),
});
const eventKinds = [
  ['Order Paid', 'tmall', () => ({ order_id: "3312908812237", total: 399, revenue: 399, currency: 'CNY', affiliation: '天猫旗舰店', products: [{ product_id: 'P1', name: '舒缓修护精华 30ml', quantity: 1, price: 399 }] })],
  ['Product Viewed', 'mini_program', () => ({ product_id: 'P1', name: '舒缓修护精华 30ml', price: 399, currency: 'CNY' })],
  ['Page Viewed', 'h5', () => ({ path: '/618/card', title: '618 会员日', url: 'https://h5.example.com/618/card?utm_source=wechat' })],
  ['Store Visited', 'store', () => ({ store_id: 'SH021', store_name: '上海静安大悦城店' })],
  ['WeCom Contact Added', 'wecom', () => ({ adviser: '顾问 小雅' })],
  ['Product Added', 'mini_program', () => ({ product_id: 'P2', name: '清润防晒乳 SPF50', price: 189, currency: 'CNY', quantity: 1 })],
  ['Order Refunded', 'jd', () => ({ order_id: 'JD8817', total: 299, currency: 'CNY' })],
  ['Skin Test Taken', 'mini_program', () => ({ skin_type: '敏感肌', score: 72 })],
  ['Coupon Claimed', 'wecom', () => ({ coupon_name: '满 300 减 40', coupon_id: 'C40' })],
  ['Parcel Signed', 'tmall', () => ({ order_id: '3312908812237', carrier: '顺丰' })],
  ['Products Searched', 'app', () => ({ query: '防晒 敏感肌' })],
  ['Identify', 'mini_program', () => ({})],
];
let clockMs = now();
const timeline = Array.from({ length: 160 }, (_, n) => {
  clockMs -= Math.floor(random() * random() * 4e7);
  const [type, channel, props] = n % 9 > 3 && n % 9 < 8 ? eventKinds[2] : pick(eventKinds);
  return { seq: 90000 - n, type, kind: type === 'Identify' ? 'identify' : type === 'Page Viewed' ? 'page' : 'track', channel, source: channel === 'mini_program' ? 'mini' : channel, time: iso(clockMs), received_at: iso(clockMs + 300), origin: { type: 'wx_unionid', value: 'oU7k3J9x8Q2mWz7Lp' }, node: A, props: props(), context: { library: { name: 'sa-sdk-miniprogram', version: '1.22.7' } } };
});
const merges = [
  { id: 2, survivor: A, absorbed: C, at: iso(now() - 3e9), source: 'crm', cause: 'same_event', identifier: { type: 'user_id', value: 'u_1029388' }, with: { type: 'tmall_open_uid', value: 'AAHbXk92LmQ' }, undone_at: null, undone_by: null },
  { id: 1, survivor: A, absorbed: B, at: iso(now() - 1e10), source: 'mini', cause: 'same_event', identifier: { type: 'member_card', value: 'M0880017' }, with: { type: 'wx_unionid', value: 'oU7k3J9x8Q2mWz7Lp' }, undone_at: null, undone_by: null },
];
const refusal = (n, reason) => ({ id: n, at: iso(now() - n * 3e6), reason, times: 1 + (n % 4), identifier: { type: 'mobile', value: `139****${1000 + n}` }, with: { type: 'member_card', value: `M08800${n}` }, customer: id(n), other: id(n + 40), detail: 'mobile is held by 4 customers, limit 3', source: pick(['tmall', 'store', 'crm']), status: 'open' });
const types = [
  ['user_id', '会员账号', 'Account', true, false, 1, 0, 'refuse', 3, 9120], ['member_card', '会员卡', 'Member card', true, false, 1, 0, 'refuse', 3, 8423], ['wx_unionid', '微信 UnionID', 'WeChat UnionID', true, false, 1, 0, 'refuse', 3, 12003],
  ['mobile', '手机号', 'Mobile', true, true, 3, 0, 'refuse', 3, 15402], ['email', '邮箱', 'E-mail', true, true, 3, 0, 'refuse', 3, 890], ['wx_openid', '微信 OpenID', 'WeChat OpenID', true, false, 3, 0, 'refuse', 3, 12801],
  ['tmall_open_uid', '天猫买家', 'Tmall buyer', true, false, 5, 0, 'refuse', 3, 7420], ['order_no', '订单号', 'Order number', true, true, 500, 0, 'drop_oldest', 2, 40213], ['receiver_key', '收件人标识', 'Receiver', false, false, 50, 0, 'drop_oldest', 0, 22011],
  ['device', '设备', 'Device', false, false, 20, 0, 'drop_oldest', 0, 18233], ['anonymous_id', '匿名访客', 'Anonymous visitor', false, false, 50, 365, 'drop_oldest', 0, 60312],
].map(([name, zh, en, strong, verification, limit, window_days, over_limit, shared_after, count]) => ({ name, label: { zh, en }, strong, verification, limit, window_days, over_limit, shared_after, blocked: name === 'mobile' ? ['+8613800000000'] : [], blocked_patterns: name === 'mobile' ? ['^\\+86(\\d)\\1{10}$'] : [], identifiers: count, builtin: true }));
const source = (key, name, kind, protocol, channel, n) => ({ key, name, kind, protocol, channel, strict: n === 3, disabled: n === 9, write_key: kind === 'public' ? `pk_${key}_8d2fk39d` : null, write_key_hint: 'k39d', signing: n === 2, created_at: iso(now() - 2e10), events_today: Math.floor(random() * 40000), last_event_at: iso(now() - n * 9e4) });
const sources = [source('mini', '微信小程序', 'public', 'sensors', 'mini_program', 1), source('h5', 'H5 活动页', 'public', 'segment', 'h5', 2), source('tmall', '天猫旗舰店', 'server', 'segment', 'tmall', 3), source('crm', '会员系统', 'server', 'segment', '', 4), source('store', '门店 POS', 'server', 'segment', 'store', 5), source('wecom', '企业微信', 'server', 'segment', 'wecom', 6)];
const planEvents = ['Order Paid', 'Order Refunded', 'Product Viewed', 'Product Added', 'Page Viewed', 'Skin Test Taken', 'Coupon Claimed', 'campaign_click_v2'].map((name, n) => ({ name, status: n === 7 ? 'blocked' : n < 3 ? 'planned' : 'learnt', description: n === 0 ? '支付成功时发送,一单一条' : '', properties: [{ name: 'order_id', type: 'text', required: n === 0, values: [] }, { name: 'total', type: 'money', required: n === 0, values: [] }, { name: 'channel', type: 'text', required: false, values: n === 0 ? ['tmall', 'jd'] : [] }].slice(0, 1 + (n % 3)) }));
const quarantined = Array.from({ length: 34 }, (_, n) => ({ id: 500 - n, at: iso(now() - n * 8e5), source: pick(['tmall', 'mini']), type: n % 3 ? 'Order Paid' : 'campaign_click_v3', reason: n % 3 ? 'wrong_type' : 'unknown_event', detail: n % 3 ? "property 'total' is text, the plan says money" : "event 'campaign_click_v3' is not in the plan and source 'tmall' is strict", event: { type: 'Order Paid', kind: 'track', time: iso(now()), identifiers: [{ type: 'mobile', value: '138****1234' }], props: { total: '三百九十九' } }, status: 'waiting' }));
let liveId = 1000;
const liveItems = [];
const addLive = () => {
  const [type, channel, props] = pick(eventKinds);
  const roll = random();
  const outcome = roll < 0.86 ? 'applied' : roll < 0.91 ? 'duplicate' : roll < 0.96 ? 'quarantined' : 'refused';
  liveItems.push({ id: ++liveId, at: iso(now()), source: channel === 'mini_program' ? 'mini' : channel, door: pick(['segment.batch', 'sensors.sa', 'segment.track']), type, raw: JSON.stringify({ type: 'track', event: type, userId: 'u_1029388', messageId: `m-${liveId}`, timestamp: iso(now()), properties: props(), context: { library: { name: '@segment/analytics-node', version: '3.1.0' } } }), outcome, reason: outcome === 'quarantined' ? 'wrong_type' : outcome === 'refused' ? 'userId and anonymousId are both missing' : '', one_id: outcome === 'applied' ? pick(customers).one_id : null, created: roll < 0.1, merges: roll > 0.8 && roll < 0.83 ? 1 : 0 });
  if (liveItems.length > 500) liveItems.shift();
};
for (let n = 0; n < 60; n++) addLive();
const streams = new Set();
setInterval(() => { addLive(); for (const s of streams) s.write(`id: ${liveId}\ndata: ${JSON.stringify(liveItems.at(-1))}\n\n`); }, 700);

let signedIn = process.env.SIGNED_OUT === undefined;
const graph = () => ({
  nodes: [A, B, C].map((c) => ({ id: c, kind: 'customer', one_id: c, first_seen: iso(now() - 2e10) })).concat(identifiers.map((i) => ({ id: `i${i.row}`, kind: 'identifier', type: i.type, value: i.value, verified: i.verified, first_seen: i.first_seen }))),
  links: identifiers.map((i) => ({ from: `i${i.row}`, to: i.node, cause: 'attached', source: i.source, at: i.first_seen, seq: i.row })).concat([{ from: A, to: B, cause: 'same_event', source: 'mini', at: iso(now() - 1e10), seq: 77 }, { from: A, to: C, cause: 'same_event', source: 'crm', at: iso(now() - 3e9), seq: 99 }]),
});
const session = () => ({ user: { number: 1, login: 'admin', name: '林管理', role: 'administrator', locale: 'zh-CN' }, server: { version: '0.1.0', virtual_clock: false, zone: 'Asia/Shanghai', now: iso(now()), may_reveal: true } });
const empty = process.env.EMPTY !== undefined;
const get = {
  '/session': session,
  '/overview': () => ({ as_of: iso(now()), customers: empty ? 0 : 20412, identified: empty ? 0 : 14988, identifiers: empty ? 0 : 61204, events: empty ? 0 : 1482033, events_per_second: empty ? 0 : 12 + random() * 8, quarantined: empty ? 0 : 34, merges_today: empty ? 0 : 128, refusals_open: empty ? 0 : 17, by_hour: empty ? [] : Array.from({ length: 24 }, (_, h) => ({ hour: iso(Math.floor(now() / 36e5) * 36e5 - (23 - h) * 36e5), events: Math.floor(900 + 2400 * Math.abs(Math.sin((h + 2) / 4)) + random() * 400) })), by_channel: empty ? [] : channels.map((channel, n) => ({ channel, events: Math.floor(410000 / (n + 1)), customers: Math.floor(9000 / (n + 1)) })), partial: false }),
  '/system': () => ({ version: '0.1.0', started_at: iso(now() - 9e6), as_of: iso(now()), log: { first_seq: 1, last_seq: 1482101, bytes: 9.1e8 }, engine: { applied_seq: 1482101, committed_seq: 1482090, flushed_seq: 1470000, lag: 0 }, warehouse: { ready: true, unflushed_rows: 12101 }, memory: [{ name: 'identity', bytes: 2.1e8 }, { name: 'profile', bytes: 1.2e8 }, { name: 'tail', bytes: 3.4e7 }, { name: 'message_keys', bytes: 5e7 }], counts: { customers: 20412, identifiers: 61204, events: 1482033, duplicates: 4120, quarantined: 34 }, failing: '' }),
  '/customers': (q) => { const needle = q.get('query') ?? ''; const all = empty ? [] : customers.filter((c) => needle === '' || JSON.stringify(c).includes(needle)); const from = Number(q.get('cursor') ?? 0); const limit = Number(q.get('limit') ?? 50); return page(all.slice(from, from + limit), { next_cursor: from + limit < all.length ? String(from + limit) : null, partial: false }); },
  '/identity/types': () => page(types),
  '/identity/link-rate': () => page(empty ? [] : channels.map((channel, n) => ({ channel, customers: Math.floor(9000 / (n + 1)), linked: Math.floor((9000 / (n + 1)) * (0.92 - n * 0.06)), rate: 0.92 - n * 0.06 })), { partial: false }),
  '/identity/refusals': () => page(empty ? [] : Array.from({ length: 17 }, (_, n) => refusal(n + 1, ['over_limit', 'shared', 'not_verified', 'separated', 'public_claim'][n % 5]))),
  '/identity/suggestions': () => page(empty ? [] : Array.from({ length: 6 }, (_, n) => ({ a: { one_id: id(n + 3), name: pick(names) }, b: { one_id: id(n + 50), name: pick(names) }, score: 0.94 - n * 0.07, reasons: [{ zh: '同名,同一收件地址出现 3 次', en: 'same name, same receiving address 3 times' }, { zh: '手机号后四位相同', en: 'same last four digits of the phone' }] }))),
  '/sources': () => page(empty ? [] : sources),
  '/plan/events': () => page(empty ? [] : planEvents),
  '/traits': () => page(['name', 'city', 'skin_type', 'points', 'birthday'].map((name, n) => ({ name, type: n === 3 ? 'int' : 'text', precedence: n === 3 ? 'sum' : 'newest', description: '', personal: n === 0 }))),
  '/quarantine/summary': () => page(empty ? [] : [{ reason: 'wrong_type', source: 'tmall', type: 'Order Paid', count: 23, last_at: iso(now() - 5e5) }, { reason: 'unknown_event', source: 'mini', type: 'campaign_click_v3', count: 11, last_at: iso(now() - 8e6) }], { partial: false }),
  '/quarantine': () => page(empty ? [] : quarantined),
  '/tokens': () => page([{ prefix: 'kt_9f2a', name: 'BI 报表', kind: 'token', login: 'admin', created_at: iso(now() - 9e9), expires_at: null }]),
  '/users': () => page([{ number: 1, login: 'admin', name: '林管理', role: 'administrator', locale: 'zh-CN', disabled: false, created_at: iso(now() - 9e9) }, { number: 2, login: 'ops', name: '小陈', role: 'operator', locale: 'zh-CN', disabled: false, created_at: iso(now() - 5e9) }]),
  '/audit': () => page(Array.from({ length: 30 }, (_, n) => ({ seq: 900 - n, at: iso(now() - n * 7e6), user: pick(['admin', 'ops', 'system']), action: pick(['customer.split', 'identity.type.put', 'source.put', 'token.put', 'quarantine.replay']), object: pick([A, 'mobile', 'tmall']), detail: '{"merge_id":2}' }))),
  '/events/live': (q) => { const after = Number(q.get('after') ?? 0); const items = liveItems.filter((e) => e.id > after && (!q.get('outcome') || e.outcome === q.get('outcome')) && (!q.get('source') || e.source === q.get('source'))); return { items: items.slice(-200), next_after: liveId, as_of: iso(now()) }; },
};
createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  const path = url.pathname.replace('/api/v1', '');
  const answer = (body, status = 200) => { response.writeHead(status, { 'content-type': status > 399 ? 'application/problem+json' : 'application/json' }); response.end(JSON.stringify(body)); };
  if (path === '/events/live/stream') { response.writeHead(200, { 'content-type': 'text/event-stream' }); streams.add(response); request.on('close', () => streams.delete(response)); return; }
  if (path === '/session' && request.method === 'DELETE') { signedIn = false; return answer({}); }
  if (path === '/session' && request.method === 'POST') { signedIn = true; return answer(session()); }
  if (!signedIn) return answer({ type: '', title: 'who', status: 401, detail: 'no session', code: 'unauthenticated' }, 401);
  if (request.method !== 'GET') {
    if (path === '/identity/whatif') return answer({ merges: { count: 14, samples: [{ a: A, b: B, because: 'mobile 138****1234' }] }, splits: { count: 3, samples: [{ a: A, b: C, because: 'mobile over limit' }] }, evaluated_links: 90213, elapsed_ms: 212 });
    return answer({ merges: 14, splits: 3, replayed: 23, discarded: 4, customer: { one_id: A }, other: { one_id: C }, write_key: 'sk_demo_19x8f3k2', signing_secret: 'sec_abc', token: 'kt_secret', key: 'x' });
  }
  const one = path.match(/^\/customers\/([^/]+)(?:\/(\w+))?$/);
  if (one) {
    const { 2: part } = one;
    if (part === undefined) return answer(customer(decodeURIComponent(one[1])));
    if (part === 'events') { const from = Number(url.searchParams.get('cursor') ?? 0); const some = timeline.filter((e) => (!url.searchParams.get('channel') || e.channel === url.searchParams.get('channel')) && (!url.searchParams.get('type') || e.type === url.searchParams.get('type'))); return answer(page(some.slice(from, from + 50), { next_cursor: from + 50 < some.length ? String(from + 50) : null, partial: false })); }
    if (part === 'graph') return answer(graph());
    if (part === 'merges') return answer(page(merges));
    if (part === 'explain') return answer({ one_id: A, sentences: [{ zh: '这位客户由 3 个身份合并而成。', en: 'This customer was joined from 3 identities.' }], identifiers: identifiers.map((i) => ({ type: i.type, value: i.value, since: i.first_seen, why: 'came with member_card M0880017', source: i.source })), merges, refusals: [refusal(4, 'over_limit')] });
  }
  const src = path.match(/^\/sources\/(\w+)$/);
  if (src) { const found = sources.find((s) => s.key === src[1]); return found ? answer(found) : answer({ type: '', title: 'none', status: 404, detail: `there is no source '${src[1]}'`, code: 'not_found' }, 404); }
  const handler = get[path];
  return handler ? answer(handler(url.searchParams)) : answer({ type: '', title: 'no', status: 404, detail: `nothing at ${path}`, code: 'not_found' }, 404);
}).listen(Number(process.env.PORT ?? 18080), '127.0.0.1');
