// SPDX-License-Identifier: Apache-2.0
// WeCom, official accounts and mini-programs: requests, tokens, codes, mass messages, and callbacks encrypted by @wecom/crypto.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Drive, json, keyOf, listen } from '../support/channel-drive.mjs';

const { decrypt, encrypt, getSignature } = createRequire(import.meta.url)('@wecom/crypto');
const aesKey = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C', token = 'QDG6eK', corpid = 'wx5823bf96d3bd56c7', appid = 'wxa1b2c3';
let drive, server, tokens, tokenLife, answer;

before(async () => {
  server = await listen((request, response, body, url) => {
    if (url.pathname === '/cgi-bin/gettoken' || url.pathname === '/cgi-bin/stable_token') {
      tokens++;
      const secret = url.searchParams.get('corpsecret') ?? JSON.parse(body).secret;
      setTimeout(() => (secret === 'good'
        ? json(response, { errcode: 0, errmsg: 'ok', access_token: `T${tokens}`, expires_in: tokenLife })
        : json(response, { errcode: 40001, errmsg: 'invalid secret' })), 20);
      return;
    }
    json(response, answer(url, body ? JSON.parse(body) : {}) ?? { errcode: 0, errmsg: 'ok', msgid: 'm1' });
  });
  drive = new Drive('--seed', 5);
});
after(async () => { await drive.stop(); await server.close(); });

const fresh = () => { tokens = 0; tokenLife = 7200; answer = () => undefined; server.requests.length = 0; };
const wecom = (key, more = {}) => drive.put(key, 'wecom', { corpid, secret: 'good', agentid: 1000002, base_url: server.url, allow_private: true, callback_token: token, encoding_aes_key: aesKey, batch_wait_ms: 50, ...more });
const official = (key, more = {}) => drive.put(key, 'official_account', { appid, secret: 'good', base_url: server.url, allow_private: true, callback_token: token, ...more });
const sent = (path) => server.requests.filter((seen) => seen.path === path);

test('one token for all who wait; a card, a text, a notice, a markdown', async () => {
  fresh();
  await wecom('w1');
  const results = await Promise.all([
    drive.send('w1', { form: 'employee_text', recipient: 'zhang|li', content: { text: '您好' } }),
    drive.send('w1', { form: 'employee_text', recipient: 'a', content: { title: '任务', description: '<b>x</b>', url: 'https://k.example/t', button: '去做' } }),
    drive.send('w1', { form: 'employee_text', recipient: 'b', content: { markdown: '**x**' } }),
    drive.send('w1', { form: 'employee_text', recipient: 'c', content: { title: 't', appid: 'wx1', page: 'p', items: '[{"key":"k","value":"v"}]' } }),
  ]);
  for (const result of results) assert.deepEqual([result.outcome, result.code], ['sent', '0']);
  assert.equal(tokens, 1);
  const bodies = sent('/cgi-bin/message/send').map(({ body, query }) => { assert.equal(query.get('access_token'), 'T1'); return JSON.parse(body); });
  const of = (to) => bodies.find(({ touser }) => touser === to);
  assert.deepEqual(of('zhang|li').text, { content: '您好' });
  assert.equal(of('zhang|li').agentid, 1000002);
  assert.equal(of('zhang|li').enable_duplicate_check, 1);
  assert.deepEqual(of('a').textcard, { title: '任务', description: '<b>x</b>', url: 'https://k.example/t', btntxt: '去做' });
  assert.equal(of('b').msgtype, 'markdown');
  assert.deepEqual(of('c').miniprogram_notice.content_item, [{ key: 'k', value: 'v' }]);
});

test('a token that the provider calls ended is renewed once, and once more is enough', async () => {
  fresh();
  await wecom('w2');
  let refusals = 1;
  answer = (url) => (url.pathname.endsWith('/send') && refusals-- > 0 ? { errcode: 42001, errmsg: 'expired' } : undefined);
  assert.equal((await drive.send('w2', { form: 'employee_text', recipient: 'a', content: { text: 'x' } })).outcome, 'sent');
  assert.equal(tokens, 2);
  answer = () => ({ errcode: 40014, errmsg: 'invalid token' });
  const result = await drive.send('w2', { form: 'employee_text', recipient: 'a', content: { text: 'x' } });
  assert.deepEqual([result.outcome, result.reason, tokens], ['later', 'account_refused', 3]);
});

test('a token near its end is renewed before it ends, and nobody waits', async () => {
  fresh();
  tokenLife = 1;
  await wecom('w3');
  await drive.send('w3', { form: 'employee_text', recipient: 'a', content: { text: 'x' } });
  await new Promise((resolve) => setTimeout(resolve, 920));
  await drive.send('w3', { form: 'employee_text', recipient: 'a', content: { text: 'y' } });
  assert.equal(sent('/cgi-bin/message/send').at(-1).query.get('access_token'), 'T1', 'the old one serves meanwhile');
  await drive.until(() => tokens === 2 || (drive.ask('health'), false), 5000);
});

test('a wrong secret is told to all who wait, and opens the breaker', async () => {
  fresh();
  await wecom('w4', { secret: 'bad', breaker_failures: 1 });
  const results = await Promise.all([1, 2, 3].map((i) => drive.send('w4', { form: 'employee_text', recipient: `${i}`, content: { text: 'x' } })));
  for (const { outcome, reason } of results) assert.ok(outcome === 'later' && ['account_refused', 'account_failing'].includes(reason));
  const said = await drive.ask('test', { account: 'w4' });
  assert.equal(said.error, 'unprocessable');
  await wecom('w4');
  assert.ok((await drive.ask('test', { account: 'w4' })).ok);
  assert.equal((await drive.send('w4', { form: 'employee_text', recipient: 'a', content: { text: 'x' } })).outcome, 'sent');
});

test('codes have their reasons', async () => {
  fresh();
  await wecom('w5', { breaker_failures: 1000 });
  for (const [code, outcome, reason] of [[84061, 'refused', 'not_a_friend'], [41050, 'refused', 'welcome_expired'], [41051, 'refused', 'already_chatting'],
    [45009, 'later', 'rate_limited'], [60020, 'later', 'account_refused'], [99999, 'refused', 'refused'], [41096, 'sent', 'sent']]) {
    await drive.ask('delete', { account: 'w5' });
    await wecom('w5', { breaker_failures: 1000 });
    answer = () => ({ errcode: code, errmsg: 'x' });
    const result = await drive.send('w5', { form: 'welcome', recipient: 'wm1', content: { welcome_code: 'C', text: 'hi' } });
    assert.deepEqual([result.outcome, result.reason, result.code], [outcome, reason, `${code}`]);
  }
});

test('a mass message gathers who has the same sender and words; fail_list and results come to each', async () => {
  fresh();
  await wecom('w6');
  answer = (url, body) => {
    if (url.pathname.endsWith('add_msg_template')) return { errcode: 0, msgid: `mass-${body.text.content}`, fail_list: ['wm3'] };
    if (url.pathname.endsWith('get_groupmsg_task')) return { errcode: 0, task_list: [{ userid: 'li', status: 2, send_time: 1700000000 }] };
    if (url.pathname.endsWith('get_groupmsg_send_result')) return { errcode: 0, send_list: [{ external_userid: 'wm1', userid: 'li', status: 1, send_time: 1700000000 }, { external_userid: 'wm2', userid: 'li', status: 3 }] };
  };
  const messages = [];
  for (let i = 1; i <= 50; i++) messages.push({ touch: 500 + i, key: keyOf(i), account: 'w6', form: 'customer_mass', recipient: `wm${i}`, content: { sender: 'li', text: i > 40 ? 'B' : 'A' } });
  await drive.ask('send', { messages });
  const results = await Promise.all(messages.map(({ touch }) => drive.result(touch)));
  const tasks = sent('/cgi-bin/externalcontact/add_msg_template').map(({ body }) => JSON.parse(body));
  assert.equal(tasks.length, 2);
  assert.deepEqual(tasks.map(({ external_userid }) => external_userid.length).sort(), [10, 40]);
  assert.equal(results[2].outcome, 'refused');
  assert.equal(results[2].reason, 'not_a_friend');
  assert.equal(new Set(results.filter(({ outcome }) => outcome === 'sent').map(({ provider_id }) => provider_id)).size, 49);
  const { answer: tasksAnswer } = await drive.ask('operate', { account: 'w6', operation: 'mass.tasks', arguments: { msgid: 'mass-A' } });
  assert.equal(tasksAnswer.task_list[0].userid, 'li');
});

test('D10 what several employees say of a mass message: who sent counts, then who still may; a failure only where all failed', async () => {
  fresh();
  await wecom('w9');
  const pressed = { li: 2, wang: 2, zhao: 0 };
  const says = { li: {}, wang: { wm9: 1, wm10: 0 }, zhao: { wm10: 0 } };
  for (let i = 1; i <= 10; i++) says.li[`wm${i}`] = i <= 8 ? 1 : i === 9 ? 3 : 2; // sent to 8 of 10
  answer = (url, body) => {
    if (url.pathname.endsWith('add_msg_template')) return { errcode: 0, msgid: 'mass-D', fail_list: [] };
    if (url.pathname.endsWith('get_groupmsg_task')) return { errcode: 0, task_list: Object.entries(pressed).map(([userid, status]) => ({ userid, status })) };
    if (url.pathname.endsWith('get_groupmsg_send_result'))
      return { errcode: 0, send_list: Object.entries(says[body.userid]).map(([external_userid, status]) => ({ external_userid, userid: body.userid, status, ...(status === 1 && { send_time: 1700000000 }) })) };
  };
  const messages = Array.from({ length: 10 }, (_, i) => ({ touch: 900 + i, key: keyOf(900 + i), account: 'w9', form: 'customer_mass', recipient: `wm${i + 1}`, content: { text: 'D' } }));
  await drive.ask('send', { messages });
  for (const { touch } of messages) assert.equal((await drive.result(touch)).outcome, 'sent');
  /* What is known of each after so many minutes more: all of them are looked at, and a look of before may still come in. */
  const told = async (minutes, recipient, expected) => {
    const before = drive.receipts.length, calls = sent('/cgi-bin/externalcontact/get_groupmsg_send_result').length;
    const known = () => Object.fromEntries(drive.receipts.slice(before).flatMap(({ receipts }) => receipts).map((receipt) => [receipt.recipient, receipt.reason ?? receipt.status]));
    await drive.ask('pass', { ms: minutes * 60_000 });
    while (sent('/cgi-bin/externalcontact/get_groupmsg_send_result').length < calls + 3) await new Promise((done) => setTimeout(done, 5));
    for (let look = 0; look < 400 && known()[recipient] !== expected; look++) await new Promise((done) => setTimeout(done, 5));
    return known();
  };
  const confirmed = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`wm${i + 1}`, 'confirmed']));
  assert.deepEqual(await told(2, 'wm9', 'confirmed'), confirmed, 'one of them had sent to the ninth; of the tenth two may still');
  // later the list says otherwise of the first, and wang has come to the tenth, who has had her four of this month
  says.li.wm1 = 3;
  says.wang.wm10 = 3;
  assert.deepEqual(await told(6, 'wm1', 'quota_recipient'), { ...confirmed, wm1: 'quota_recipient' }, 'zhao has never confirmed: nothing is known of the tenth');
  pressed.zhao = 2;
  says.zhao.wm10 = 3;
  assert.equal((await told(16, 'wm10', 'not_a_friend')).wm10, 'not_a_friend');
});

test('a mass message that timed out is asked for', async () => {
  fresh();
  await wecom('w7', { timeout_ms: 300 });
  let hang = true;
  answer = (url) => {
    if (url.pathname.endsWith('get_groupmsg_list_v2')) return { errcode: 0, group_msg_list: [{ msgid: 'other', text: { content: 'no' } }, { msgid: 'found', text: { content: 'hello' } }] };
    if (url.pathname.endsWith('get_groupmsg_send_result')) return { errcode: 0, send_list: [{ external_userid: 'wm9', status: 0 }] };
  };
  const original = server.server.listeners('request')[0];
  server.server.removeAllListeners('request');
  server.server.on('request', (request, response) => {
    if (hang && request.url.includes('add_msg_template')) { hang = false; request.resume(); return; }
    original(request, response);
  });
  const result = await drive.send('w7', { form: 'customer_mass', recipient: 'wm9', content: { sender: 'li', text: 'hello' } });
  server.server.removeAllListeners('request');
  server.server.on('request', original);
  assert.equal(result.outcome, 'sent');
  assert.match(result.provider_id, /^found\//);
  assert.equal(sent('/cgi-bin/externalcontact/add_msg_template').length, 0, 'not sent again');
  // the same, not there, as a repeat: it is sent
  answer = (url) => (url.pathname.endsWith('get_groupmsg_list_v2') ? { errcode: 0, group_msg_list: [] } : url.pathname.endsWith('add_msg_template') ? { errcode: 0, msgid: 'new', fail_list: [] } : undefined);
  const again = await drive.send('w7', { form: 'customer_mass', recipient: 'wm9', content: { sender: 'li', text: 'hello' }, is_repeat: true });
  assert.match(again.provider_id, /^new\//);
});

test('tags, moments, contact ways, pages, files', async () => {
  fresh();
  await wecom('w8');
  answer = (url, body) => {
    if (url.pathname.endsWith('add_moment_task')) return { errcode: 0, jobid: 'J' };
    if (url.pathname.endsWith('add_contact_way')) return { errcode: 0, config_id: 'c', qr_code: 'https://q' };
    if (url.pathname.endsWith('externalcontact/get')) return url.searchParams.get('cursor') ? { errcode: 0, external_contact: { unionid: 'u' }, follow_user: [{ userid: 'b' }] } : { errcode: 0, external_contact: { unionid: 'u' }, follow_user: [{ userid: 'a' }], next_cursor: 'n' };
    if (url.pathname.endsWith('get_corp_tag_list')) return { errcode: 84074, errmsg: 'no' };
  };
  assert.equal((await drive.send('w8', { form: 'tag', recipient: 'wm1', content: { sender: 'li', add_tag: 't1,t2', remove_tag: [] } })).outcome, 'delivered');
  assert.deepEqual(JSON.parse(sent('/cgi-bin/externalcontact/mark_tag')[0].body), { userid: 'li', external_userid: 'wm1', add_tag: ['t1', 't2'], remove_tag: [] });
  assert.equal((await drive.send('w8', { form: 'moment', content: { text: 'x', users: 'a,b', tags: '["t"]' } })).provider_id, 'moment:J');
  const way = await drive.ask('operate', { account: 'w8', operation: 'contact_way.add', arguments: { type: 2, scene: 2, state: 's', user: ['a', 'b'] } });
  assert.equal(way.answer.qr_code, 'https://q');
  const contact = await drive.ask('operate', { account: 'w8', operation: 'contacts.get', arguments: { external_userid: 'wm1' } });
  assert.deepEqual(contact.answer, { external_contact: { unionid: 'u' }, follow_user: [{ userid: 'a' }, { userid: 'b' }] });
  assert.match((await drive.ask('operate', { account: 'w8', operation: 'tags.list', arguments: {} })).detail, /84074/);
  assert.equal((await drive.ask('operate', { account: 'w8', operation: 'no.such', arguments: {} })).error, 'not_found');
  answer = () => ({ errcode: 0, media_id: 'M' });
  server.requests.length = 0;
  const originalParse = JSON.parse;
  answer = () => ({ errcode: 0, media_id: 'M' });
  const listener = server.server.listeners('request')[0];
  server.server.removeAllListeners('request');
  let form;
  server.server.on('request', (request, response) => { const pieces = []; request.on('data', (piece) => pieces.push(piece)); request.on('end', () => { form = Buffer.concat(pieces).toString('latin1'); json(response, { errcode: 0, media_id: 'M' }); }); });
  const media = await drive.ask('operate', { account: 'w8', operation: 'media.upload', arguments: { type: 'image', name: 'a.png', data: Buffer.from('PNGDATA').toString('base64') } });
  server.server.removeAllListeners('request');
  server.server.on('request', listener);
  assert.equal(media.answer.media_id, 'M');
  assert.match(form, /name="media"; filename="a.png"[\s\S]*PNGDATA/);
  assert.equal(originalParse, JSON.parse);
});

const callback = (account, xml, { key = aesKey, receiver = corpid, broken = false, aes = '' } = {}) => {
  const sealed = encrypt(key, xml, receiver), timestamp = '1700000000', nonce = 'n1';
  const signature = getSignature(token, timestamp, nonce, broken ? `${sealed}x` : sealed);
  return drive.ask('callback', { account, method: 'POST', query: `msg_signature=${signature}&timestamp=${timestamp}&nonce=${nonce}${aes}`, body: `<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>` });
};
const eventXml = (fields) => `<xml>${Object.entries({ ToUserName: corpid, FromUserName: 'sys', CreateTime: 1700000000, MsgType: 'event', ...fields }).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`).join('')}</xml>`;

test('what @wecom/crypto encrypts becomes events; what another key encrypts does not', async () => {
  fresh();
  await wecom('w9');
  const xml = eventXml({ Event: 'change_external_contact', ChangeType: 'add_external_contact', UserID: 'li', ExternalUserID: 'wmA', State: 's1', WelcomeCode: 'WC' });
  const said = await callback('w9', xml);
  assert.ok(said.ok, said.detail);
  const [event] = said.events;
  assert.equal(event.event, 'WeCom Contact Added');
  assert.deepEqual(event.context.externalIds, [{ type: 'wecom_external_userid', id: 'wmA', collection: corpid, encoding: 'none' }]);
  assert.deepEqual(event.properties, { change_type: 'add_external_contact', adviser: 'li', state: 's1', welcome_code: 'WC' });
  assert.equal(event.timestamp, '2023-11-14T22:13:20.000Z');
  assert.equal((await callback('w9', xml)).events[0].messageId, event.messageId, 'the same again has the same id');
  assert.equal((await callback('w9', xml, { broken: true })).error, 'forbidden');
  assert.equal((await callback('w9', xml, { receiver: 'another' })).error, 'forbidden');
  assert.equal((await callback('w9', xml, { key: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG' })).error, 'forbidden');
  assert.equal((await drive.ask('callback', { account: 'w9', method: 'POST', query: '', body: xml })).error, 'forbidden', 'nothing that is not sealed');
  const echo = encrypt(aesKey, '12345', corpid);
  const check = await drive.ask('callback', { account: 'w9', method: 'GET', query: `msg_signature=${getSignature(token, '1', '2', echo)}&timestamp=1&nonce=2&echostr=${encodeURIComponent(echo)}` });
  assert.equal(check.reply, '12345');
});

test('every event of WeCom has a name; those of nobody stand for the corp', async () => {
  fresh();
  await wecom('w10');
  const kinds = {
    change_external_contact: ['add_external_contact', 'add_half_external_contact', 'edit_external_contact', 'del_external_contact', 'del_follow_user', 'transfer_fail', 'msg_audit_approved'],
    change_external_chat: ['create', 'update', 'dismiss'], change_external_tag: ['create', 'update', 'delete', 'shuffle'],
    change_contact: ['create_user', 'update_user', 'delete_user', 'create_party', 'update_party', 'delete_party', 'update_tag'],
    customer_acquisition: ['balance_low', 'balance_exhausted', 'link_unavailable', 'customer_start_chat', 'delete_link', 'friend_request'], kf_msg_or_event: [''],
  };
  const names = new Set();
  for (const [Event, changes] of Object.entries(kinds)) {
    for (const ChangeType of changes) {
      const { events: [event] } = await callback('w10', eventXml({ Event, ChangeType, UserID: 'li', Mobile: '13800138000', Name: '张三', ...(Event === 'change_external_contact' ? { ExternalUserID: 'wm' } : {}) }));
      names.add(event.event);
      assert.notEqual(event.event, 'WeCom Event');
      assert.equal(event.anonymousId, Event === 'change_external_contact' ? undefined : `wecom:${corpid}`);
      assert.ok(!JSON.stringify(event).includes('13800138000') && !JSON.stringify(event).includes('张三'), 'an employee is not a customer');
    }
  }
  assert.equal(names.size, 28);
});

test('an official account: template with its key, notice, service, plain and sealed callbacks', async () => {
  fresh();
  await official('o1');
  answer = () => ({ errcode: 0, errmsg: 'ok', msgid: 200228332 });
  const touch = 4000;
  const result = await drive.send('o1', { touch, form: 'template', recipient: 'oX', content: { template_id: 'T', url: 'https://k', keyword1: '订单', keyword2: 5 } });
  assert.deepEqual([result.outcome, result.provider_id], ['sent', '200228332']);
  assert.deepEqual(JSON.parse(sent('/cgi-bin/message/template/send')[0].body), { touser: 'oX', template_id: 'T', url: 'https://k', client_msg_id: keyOf(touch), data: { keyword1: { value: '订单' }, keyword2: { value: '5' } } });
  await drive.send('o1', { form: 'service', recipient: 'oX', content: { text: '好' } });
  assert.deepEqual(JSON.parse(sent('/cgi-bin/message/custom/send')[0].body), { touser: 'oX', msgtype: 'text', text: { content: '好' } });
  answer = () => ({ errcode: 45015, errmsg: 'x' });
  assert.equal((await drive.send('o1', { form: 'service', recipient: 'oX', content: { text: '好' } })).reason, 'window_closed');
  assert.equal((await drive.send('o1', { form: 'service', recipient: 'oX', content: { text: '好' }, is_repeat: true })).reason, 'may_have_been_sent');
  const signature = getSignature(token, '1', '2', '');
  const post = (body) => drive.ask('callback', { account: 'o1', method: 'POST', query: `signature=${signature}&timestamp=1&nonce=2`, body });
  const scan = await post(eventXml({ FromUserName: 'oX', Event: 'subscribe', EventKey: 'qrscene_77', Ticket: 't' }));
  assert.equal(scan.reply, 'success');
  assert.equal(scan.events[0].event, 'Official Account Followed');
  assert.equal(scan.events[0].properties.scene, '77');
  assert.deepEqual(scan.events[0].context.externalIds, [{ type: 'wx_openid', id: 'oX', collection: appid, encoding: 'none' }]);
  const finished = await post(eventXml({ FromUserName: 'oX', Event: 'TEMPLATESENDJOBFINISH', MsgID: '200228332', Status: 'failed:user block' }));
  assert.deepEqual(finished.receipts, [{ provider_id: '200228332', recipient: 'oX', status: 'failed', code: 'failed:user block', reason: 'blocked', at: 1700000000000 }]);
  assert.equal(finished.events.length, 0);
  const get = await drive.ask('callback', { account: 'o1', method: 'GET', query: `signature=${signature}&timestamp=1&nonce=2&echostr=e%2B1` });
  assert.equal(get.reply, 'e+1');
  assert.equal((await drive.ask('callback', { account: 'o1', method: 'GET', query: 'signature=0&timestamp=1&nonce=2&echostr=e' })).error, 'forbidden');
  await official('o2', { encoding_aes_key: aesKey });
  const sealed = await callback('o2', eventXml({ FromUserName: 'oX', Event: 'SCAN', EventKey: '9' }), { receiver: appid, aes: '&encrypt_type=aes' });
  assert.equal(sealed.events[0].properties.scene, '9');
  answer = () => ({ ticket: 'gQ', url: 'http://weixin.qq.com/q/x' });
  assert.equal((await drive.ask('operate', { account: 'o1', operation: 'qr.create', arguments: { action_name: 'QR_STR_SCENE', action_info: { scene: { scene_str: 'a' } } } })).answer.ticket, 'gQ');
});

test('a mini-program: values are checked first, consents are stock, receipts come back', async () => {
  fresh();
  await drive.put('m1', 'mini_program', { appid, secret: 'good', base_url: server.url, allow_private: true, callback_token: token });
  const send = (data) => drive.send('m1', { recipient: 'oM', content: { template_id: 'T', page: 'p', data } });
  const good = { thing1: '一二三四五六七八九十一二三四五六七八九十', amount2: '¥12.50元', time3: '2026年11月21日 15:01', date4: '2026-11-21', number5: '12', phrase6: '已发货', name7: '张三', character_string8: 'A-1', phone_number9: '+86-138', car_number10: '京A12345', letter11: 'abc', symbol12: '!!' };
  assert.equal((await send(good)).outcome, 'sent');
  for (const [name, value] of [['thing1', '一'.repeat(21)], ['number1', '1a'], ['number1', '1'.repeat(33)], ['letter1', 'a1'], ['symbol1', '!!!!!!'], ['character_string1', '中'], ['time1', 'soon'],
    ['date1', '15:01'], ['amount1', '12345678901'], ['amount1', '元'], ['phone_number1', '1'.repeat(18)], ['car_number1', '123456789'], ['name1', '一'.repeat(11)], ['name1', 'a'.repeat(21)], ['phrase1', '一二三四五六'], ['phrase1', 'ab'], ['thing1', ''], ['thing1', 'a\nb']]) {
    const result = await send({ ...good, [name]: value });
    assert.deepEqual([result.outcome, result.reason], ['refused', 'bad_content'], `${name} ${value}`);
  }
  assert.equal(sent('/cgi-bin/message/subscribe/send').length, 1);
  answer = () => ({ errcode: 43101, errmsg: 'x' });
  assert.equal((await send(good)).reason, 'no_subscription');
  const post = (body) => drive.ask('callback', { account: 'm1', method: 'POST', query: `signature=${getSignature(token, '1', '2', '')}&timestamp=1&nonce=2`, body });
  const accepted = await post(JSON.stringify({ ToUserName: 'gh', FromUserName: 'oM', CreateTime: 1700000000, MsgType: 'event', Event: 'subscribe_msg_popup_event', List: [{ TemplateId: 'T1', SubscribeStatusString: 'accept', PopupScene: '0' }, { TemplateId: 'T2', SubscribeStatusString: 'reject', PopupScene: '0' }] }));
  assert.deepEqual(accepted.events.map(({ event, properties }) => [event, properties.template_id]), [['Subscription Accepted', 'T1'], ['Subscription Rejected', 'T2']]);
  const xml = '<xml><ToUserName>gh</ToUserName><FromUserName>oM</FromUserName><CreateTime>1700000000</CreateTime><MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>T1</TemplateId><MsgID>17</MsgID><ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List><List><TemplateId>T2</TemplateId><MsgID>18</MsgID><ErrorCode>43101</ErrorCode></List></SubscribeMsgSentEvent></xml>';
  assert.deepEqual((await post(xml)).receipts.map(({ provider_id, status }) => [provider_id, status]), [['17', 'delivered'], ['18', 'failed']]);
});

test('what we encrypt, @wecom/crypto reads', async () => {
  const said = await drive.ask('reply', { account: 'w9', message: '<xml><Content>回复</Content></xml>' });
  const part = (name) => said.reply.match(new RegExp(`<${name}>(?:<!\\[CDATA\\[)?([^\\]<]*)`))[1];
  assert.equal(part('MsgSignature'), getSignature(token, part('TimeStamp'), part('Nonce'), part('Encrypt')));
  const { message, id } = decrypt(aesKey, part('Encrypt'));
  assert.equal(message, '<xml><Content>回复</Content></xml>');
  assert.equal(id, corpid);
});
