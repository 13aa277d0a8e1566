// SPDX-License-Identifier: Apache-2.0
// SMS: the providers' own SDKs and Kith send to one server that recomputes every signature; what is asked afterwards; receipts.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import dns from 'node:dns';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Drive, json, keyOf, listen } from '../support/channel-drive.mjs';

const require = createRequire(import.meta.url);
const Dysms = require('@alicloud/dysmsapi20170525');
const { $OpenApiUtil } = require('@alicloud/openapi-core');
const tencent = require('tencentcloud-sdk-nodejs-sms');

// Tencent's SDK takes the service's name from the host: a name that leads here, whatever the machine's resolver knows.
const { lookup } = dns;
dns.lookup = (host, ...rest) => lookup(host === 'sms.localhost' ? '127.0.0.1' : host, ...rest);

const hex = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const enc = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

// As Aliyun checks it, written from the documentation: the list of signed headers is the sender's.
function aliyunFits({ method, url, headers, body }) {
  const found = /^ACS3-HMAC-SHA256 Credential=(.*),SignedHeaders=(.*),Signature=(.*)$/.exec(headers.authorization);
  if (!found) return false;
  const query = [...new URL(url, 'http://x').searchParams].map(([name, value]) => `${enc(name)}=${enc(value)}`).sort().join('&');
  const signed = found[2].split(';');
  const canonical = [method, '/', query, ...signed.map((name) => `${name}:${headers[name].trim()}`), '', found[2], hex(body)].join('\n');
  assert.equal(headers['x-acs-content-sha256'], hex(body));
  return found[1] === 'AK' && hmac('SK', `ACS3-HMAC-SHA256\n${hex(canonical)}`).toString('hex') === found[3];
}
function tencentFits({ headers, body }) {
  const found = /^TC3-HMAC-SHA256 Credential=(\S+?)\/(\S+?)\/sms\/tc3_request, ?SignedHeaders=(\S+), ?Signature=(\S+)$/.exec(headers.authorization);
  if (!found) return false;
  const values = { ...headers, host: headers.host.split(':')[0] };
  const canonical = `POST\n/\n\n${found[3].split(';').map((name) => `${name}:${values[name].trim().toLowerCase()}\n`).join('')}\n${found[3]}\n${hex(body)}`;
  const key = hmac(hmac(hmac('TC3SK', found[2]), 'sms'), 'tc3_request');
  return found[1] === 'SID' && hmac(key, `TC3-HMAC-SHA256\n${headers['x-tc-timestamp']}\n${found[2]}/sms/tc3_request\n${hex(canonical)}`).toString('hex') === found[4];
}

let drive, server, answer;
const fitted = [];
before(async () => {
  server = await listen((request, response, body, url) => {
    const seen = server.requests.at(-1);
    seen.action = request.headers['x-acs-action'] ?? request.headers['x-tc-action'];
    const isAliyun = request.headers['x-acs-action'] !== undefined;
    const fits = isAliyun ? aliyunFits(seen) : tencentFits(seen);
    fitted.push([seen.action, fits]);
    if (!fits) {
      json(response, isAliyun ? { Code: 'SignatureDoesNotMatch', Message: 'x', RequestId: 'r' } : { Response: { Error: { Code: 'AuthFailure.SignatureFailure', Message: 'x' }, RequestId: 'r' } }, isAliyun ? 400 : 200);
      return;
    }
    const said = answer(seen.action, isAliyun ? Object.fromEntries(new URLSearchParams(url.search || body)) : JSON.parse(body), response);
    if (said !== undefined) json(response, said);
  });
  drive = new Drive('--seed', 9);
});
after(async () => { await drive.stop(); await server.close(); });
const aliyun = (key, more = {}) => drive.put(key, 'sms_aliyun', { access_key_id: 'AK', access_key_secret: 'SK', sign_name: '品牌', base_url: server.url, allow_private: true, callback_secret: 's3', timeout_ms: 400, ...more });
const qcloud = (key, more = {}) => drive.put(key, 'sms_tencent', { secret_id: 'SID', secret_key: 'SK', sdk_app_id: '1400006666', sign_name: '腾讯云', base_url: server.url, allow_private: true, batch_wait_ms: 50, timeout_ms: 400, ...more });

test("Aliyun's SDK and Kith send the same, and both signatures fit", async () => {
  await aliyun('a1');
  const taken = [];
  answer = (action, parameters) => { taken.push(parameters); return { Code: 'OK', Message: 'OK', BizId: `B${taken.length}^0`, RequestId: 'r' }; };
  const config = new $OpenApiUtil.Config({ accessKeyId: 'AK', accessKeySecret: 'SK', endpoint: `127.0.0.1:${server.port}`, protocol: 'HTTP' });
  const client = new Dysms.default(config);
  await client.sendSms(new Dysms.SendSmsRequest({ phoneNumbers: '13800000000', signName: '品牌', templateCode: 'SMS_1', templateParam: '{"code":"1234","name":"a b!\'()*~"}', outId: keyOf(71) }));
  const result = await drive.send('a1', { touch: 71, recipient: '+8613800000000', content: { template_code: 'SMS_1', params: { code: '1234', name: "a b!'()*~" } } });
  assert.deepEqual([result.outcome, result.code], ['sent', 'OK']);
  assert.match(result.provider_id, /^B2\^0\//);
  assert.deepEqual(taken[1], taken[0]);
  assert.deepEqual(fitted.splice(0), [['SendSms', true], ['SendSms', true]]);
  await drive.put('wrong', 'sms_aliyun', { access_key_id: 'AK', access_key_secret: 'no', sign_name: 'x', base_url: server.url, allow_private: true });
  assert.equal((await drive.send('wrong', { recipient: '13800000000', content: { template_code: 'S' } })).reason, 'account_refused');
  assert.equal((await drive.ask('test', { account: 'wrong' })).error, 'unprocessable');
  assert.ok((await drive.ask('test', { account: 'a1' })).ok);
  fitted.length = 0;
});

test('Aliyun in batches: one request, numbers and values side by side', async () => {
  await aliyun('a2', { batch: true, batch_wait_ms: 100 });
  const taken = [];
  answer = (action, parameters) => { taken.push([action, parameters]); return { Code: 'OK', BizId: 'BB', RequestId: 'r' }; };
  const messages = Array.from({ length: 5 }, (_, i) => ({ touch: 100 + i, key: keyOf(100 + i), account: 'a2', recipient: `+861380000000${i}`, content: { template_code: 'SMS_1', code: `${i}` } }));
  await drive.ask('send', { messages });
  const results = await Promise.all(messages.map(({ touch }) => drive.result(touch)));
  assert.equal(taken.length, 1);
  const [[action, parameters]] = taken;
  assert.equal(action, 'SendBatchSms');
  const phones = JSON.parse(parameters.PhoneNumberJson), values = JSON.parse(parameters.TemplateParamJson);
  phones.forEach((phone, i) => assert.equal(values[i].code, phone.at(-1)));
  assert.equal(JSON.parse(parameters.SignNameJson).length, 5);
  assert.equal(new Set(results.map(({ provider_id }) => provider_id)).size, 5);
});

test('after a time-out Aliyun is asked: there it is sent, failed or nobody knows', async () => {
  await aliyun('a3', { breaker_failures: 100 });
  for (const [details, outcome, reason] of [
    [[{ OutId: 'x', SendStatus: 3 }, { OutId: 'KEY', SendStatus: 3, ErrCode: 'DELIVERED' }], 'delivered', 'delivered'],
    [[{ OutId: 'KEY', SendStatus: 1 }], 'sent', 'sent'], [[{ OutId: 'KEY', SendStatus: 2, ErrCode: 'MBBLACK' }], 'refused', 'blocked'],
    [[], 'uncertain', 'may_have_been_sent'],
  ]) {
    const touch = 300 + drive.next;
    let sends = 0;
    answer = (action) => (action === 'SendSms' ? (sends++, undefined) : { Code: 'OK', TotalCount: details.length, SmsSendDetailDTOs: { SmsSendDetailDTO: details.map((item) => ({ ...item, OutId: item.OutId === 'KEY' ? keyOf(touch) : item.OutId })) } });
    const result = await drive.send('a3', { touch, recipient: '13800000001', content: { template_code: 'SMS_1' } });
    assert.deepEqual([result.outcome, result.reason], [outcome, reason]);
    assert.equal(sends, 1, 'never sent twice');
    assert.equal(drive.results.get(touch).length, 1);
  }
  let sends = 0;
  answer = (action) => (action === 'SendSms' ? (sends++, { Code: 'OK', BizId: 'N' }) : { Code: 'OK', SmsSendDetailDTOs: { SmsSendDetailDTO: [] } });
  const again = await drive.send('a3', { recipient: '13800000001', content: { template_code: 'SMS_1' }, is_repeat: true });
  assert.deepEqual([again.outcome, sends], ['sent', 1], 'a repeat that is not there goes');
  assert.ok(fitted.splice(0).every(([, fits]) => fits));
});

test("Aliyun's codes, receipts and replies", async () => {
  await aliyun('a4', { breaker_failures: 100 });
  for (const [code, outcome, reason] of [['isv.BUSINESS_LIMIT_CONTROL', 'refused', 'quota_recipient'], ['isv.MOBILE_NUMBER_ILLEGAL', 'refused', 'bad_recipient'], ['isv.SMS_TEMPLATE_ILLEGAL', 'refused', 'template_refused'], ['isv.NEW_ONE', 'refused', 'refused'], ['isv.AMOUNT_NOT_ENOUGH', 'later', 'no_balance']]) {
    answer = () => ({ Code: code, Message: 'x' });
    const result = await drive.send('a4', { recipient: '13800000000', content: { template_code: 'S' } });
    assert.deepEqual([result.outcome, result.reason, result.code], [outcome, reason, code]);
  }
  assert.equal((await drive.send('a1', { recipient: 'not a phone', content: { template_code: 'S' } })).reason, 'bad_recipient');
  answer = () => ({ Code: 'OK', BizId: 'R1' });
  const { provider_id } = await drive.send('a1', { recipient: '+8613800000000', content: { template_code: 'S' } });
  const post = (body, query = 'secret=s3') => drive.ask('callback', { account: 'a1', method: 'POST', query, body: JSON.stringify(body) });
  const receipt = { phone_number: '13800000000', send_time: '2026-11-21 08:00:00', report_time: '2026-11-21 08:00:05', success: true, err_code: 'DELIVERED', sms_size: '1', biz_id: 'R1', out_id: keyOf(5) };
  const said = await post([receipt, { ...receipt, biz_id: 'R2', success: false, err_code: 'MBBLACK' }]);
  assert.equal(said.reply, '{"code":0,"msg":"接收成功"}');
  assert.deepEqual(said.receipts[0], { provider_id, key: keyOf(5), recipient: '+8613800000000', status: 'delivered', code: 'DELIVERED', at: Date.parse('2026-11-21T00:00:05Z') });
  assert.deepEqual([said.receipts[1].status, said.receipts[1].reason], ['failed', 'blocked']);
  const replies = await post(['TD', ' td ', 'T', 'R', '退订谢谢', '谢谢', 'Thanks'].map((content) => ({ phone_number: '13800000000', send_time: '2026-11-21 08:00:00', content, sequence_id: 1 })));
  assert.equal(replies.receipts.filter(({ status }) => status === 'unsubscribed').length, 5);
  assert.deepEqual(replies.events.map(({ event }) => event).slice(-2), ['SMS Replied', 'SMS Replied']);
  assert.deepEqual(replies.events[0].context.externalIds[0], { type: 'mobile', id: '+8613800000000', collection: 'users', encoding: 'none' });
  assert.equal((await post([receipt], 'secret=no')).error, 'forbidden');
  assert.equal((await post([receipt], '')).error, 'forbidden');
});

test("Tencent's SDK and Kith send the same, and both signatures fit", async () => {
  await qcloud('t1', { callback_secret: 's4' });
  fitted.length = 0;
  const taken = [];
  answer = (action, body) => { taken.push(body); return { Response: { SendStatusSet: body.PhoneNumberSet.map((PhoneNumber, i) => ({ SerialNo: `S${taken.length}:${i}`, PhoneNumber, Fee: 1, Code: 'Ok', Message: 'send success' })), RequestId: 'r' } }; };
  const client = new tencent.sms.v20210111.Client({ credential: { secretId: 'SID', secretKey: 'SK' }, region: 'ap-guangzhou', profile: { httpProfile: { endpoint: `sms.localhost:${server.port}`, protocol: 'http://' } } });
  await client.SendSms({ PhoneNumberSet: ['+8613800000000'], SmsSdkAppId: '1400006666', TemplateId: '1110', SignName: '腾讯云', TemplateParamSet: ['12345'], SessionContext: keyOf(81) });
  const result = await drive.send('t1', { touch: 81, recipient: '+8613800000000', content: { template_id: '1110', params: ['12345'] } });
  assert.deepEqual([result.outcome, result.provider_id], ['sent', 'S2:0']);
  assert.deepEqual(taken[1], taken[0]);
  assert.deepEqual(fitted.splice(0), [['SendSms', true], ['SendSms', true]]);
});

test('Tencent in batches: each number has its own code', async () => {
  let requests = 0;
  answer = (action, body) => { requests++; return { Response: { SendStatusSet: body.PhoneNumberSet.map((PhoneNumber) => ({ SerialNo: `S-${PhoneNumber.at(-1)}`, PhoneNumber, Code: PhoneNumber.endsWith('2') ? 'FailedOperation.PhoneNumberInBlacklist' : 'Ok' })) } }; };
  const messages = Array.from({ length: 5 }, (_, i) => ({ touch: 600 + i, key: keyOf(600 + i), account: 't1', recipient: `+861380000000${i}`, content: { template_id: '1', 1: 'a', 2: 'b' } }));
  await drive.ask('send', { messages });
  const results = await Promise.all(messages.map(({ touch }) => drive.result(touch)));
  assert.equal(requests, 1);
  assert.deepEqual(results.map(({ reason }) => reason), ['sent', 'sent', 'blocked', 'sent', 'sent']);
  assert.deepEqual(JSON.parse(server.requests.at(-1).body).TemplateParamSet, ['a', 'b']);
});

test("Tencent's codes, receipts, replies, and statuses that are fetched", async () => {
  for (const [code, outcome, reason] of [['LimitExceeded.PhoneNumberDailyLimit', 'refused', 'quota_recipient'], ['FailedOperation.SignatureIncorrectOrUnapproved', 'refused', 'template_refused'], ['InternalError.Timeout', 'uncertain', 'provider_failed']]) {
    answer = (action, body) => ({ Response: { SendStatusSet: body.PhoneNumberSet.map((PhoneNumber) => ({ SerialNo: '', PhoneNumber, Code: code })) } });
    const result = await drive.send('t1', { recipient: '+8613800000000', content: { template_id: '1', v: code } });
    assert.deepEqual([result.outcome, result.reason], [outcome, reason]);
  }
  const said = await drive.ask('callback', { account: 't1', method: 'POST', query: 'secret=s4', body: JSON.stringify([{ user_receive_time: '2026-11-21 08:03:04', nationcode: '86', mobile: '13800000000', report_status: 'SUCCESS', errmsg: 'DELIVRD', description: 'x', sid: 'S1' }]) });
  assert.equal(said.reply, '{"result":0,"errmsg":"OK"}');
  assert.deepEqual([said.receipts[0].provider_id, said.receipts[0].status, said.receipts[0].recipient], ['S1', 'delivered', '+8613800000000']);
  const reply = await drive.ask('callback', { account: 't1', method: 'POST', query: 'secret=s4', body: JSON.stringify({ nationcode: '86', mobile: '13800000000', text: 'TD', sign: 'x', time: 1700000000 }) });
  assert.equal(reply.receipts[0].status, 'unsubscribed');
  await qcloud('t2');
  const touch = 950;
  answer = (action) => (action === 'SendSms' ? undefined : { Response: { PullSmsSendStatusSet: [{ UserReceiveTime: 1700000000, CountryCode: '86', PhoneNumber: '+8613800000000', SerialNo: 'P1', ReportStatus: 'SUCCESS', SessionContext: keyOf(touch) }] } });
  const result = await drive.send('t2', { touch, recipient: '+8613800000000', content: { template_id: '1' } });
  assert.deepEqual([result.outcome, result.provider_id], ['sent', 'P1']);
  const told = await drive.until(() => drive.receipts[0]);
  assert.deepEqual([told.account, told.receipts[0].key, told.receipts[0].status], ['t2', keyOf(touch), 'delivered']);
});
