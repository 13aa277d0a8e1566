// SPDX-License-Identifier: Apache-2.0
// E-mail against npm's smtp-server, read by mailparser; refusals, silence after the final dot, injection, bounces.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { Drive, keyOf } from '../support/channel-drive.mjs';

let drive, server, onData = (done) => done();
const mails = [];
const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code });
before(async () => {
  server = new SMTPServer({
    authOptional: true, disabledCommands: ['STARTTLS'], allowInsecureAuth: true, logger: false,
    onAuth: (auth, session, done) => (auth.password === 'right' ? done(null, { user: auth.username }) : done(refusal(535, 'no'))),
    onRcptTo: (address, session, done) => done(address.address.startsWith('nobody') ? refusal(550, '5.1.1 no such user') : address.address.startsWith('busy') ? refusal(451, '4.7.1 later') : null),
    onData: (stream, session, done) => {
      const pieces = [];
      stream.on('data', (piece) => pieces.push(piece));
      stream.on('end', () => { mails.push({ raw: Buffer.concat(pieces), session: structuredClone(session.envelope) }); onData(done); });
    },
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  drive = new Drive('--seed', 3);
});
after(async () => { await drive.stop(); await new Promise((resolve) => { server.close(resolve); }); });
const put = (key, more = {}) => drive.put(key, 'smtp', { host: '127.0.0.1', port: server.server.address().port, security: 'none', allow_private: true, from: 'brand@kith.example', from_name: '品牌 "一"', return_path: 'bounce@kith.example', unsubscribe_mail: 'leave@kith.example', callback_secret: 's', timeout_ms: 800, ...more });

test('a mail that mailparser reads as it was written', async () => {
  await put('m1', { username: 'u', password: 'right' });
  const touch = 41;
  const result = await drive.send('m1', { touch, recipient: 'li@x.example', content: { subject: '您的订单已发货，请查收 '.repeat(5).trim(), text: `.\r\n你好\n${'长'.repeat(900)}`, html: '<p>你好 & ok</p>', unsubscribe_url: 'https://k.example/u?t=1', campaign: '618' } });
  assert.deepEqual([result.outcome, result.reason], ['sent', 'sent'], result.detail);
  assert.equal(result.provider_id, `${keyOf(touch)}@kith.example`);
  const { raw, session } = mails.at(-1);
  const mail = await simpleParser(raw);
  assert.equal(mail.subject, '您的订单已发货，请查收 '.repeat(5).trim());
  assert.equal(mail.from.value[0].name, '品牌 "一"');
  assert.equal(mail.text.trim(), `.\n你好\n${'长'.repeat(900)}`);
  assert.equal(mail.html.trim(), '<p>你好 & ok</p>');
  assert.equal(mail.headers.get('list-unsubscribe-post') ?? 'List-Unsubscribe=One-Click', 'List-Unsubscribe=One-Click');
  assert.match(raw.toString(), /List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n/);
  assert.match(raw.toString(), /<https:\/\/k\.example\/u\?t=1>/);
  assert.equal(session.mailFrom.address, `bounce+${keyOf(touch)}@kith.example`);
  assert.ok(raw.toString().split('\r\n').every((line) => line.length <= 998 && /^[\x20-\x7e\t]*$/.test(line)));
});

test('nothing breaks out of a header or an address', async () => {
  await put('m2');
  for (const evil of ['a\r\nBcc: v@x.example', 'a\nX: y', 'a\r\n\r\nbody', '=?UTF-8?B?YQ==?=\r\nBcc: v@x']) {
    const result = await drive.send('m2', { recipient: 'li@x.example', content: { subject: evil, from_name: evil, text: 't', campaign: evil, reply_to: evil, unsubscribe_url: `https://x/${evil}` } });
    assert.equal(result.outcome, 'sent');
    const mail = await simpleParser(mails.at(-1).raw);
    assert.equal(mail.bcc, undefined);
    assert.deepEqual([...mail.headers.keys()].filter((name) => ['bcc', 'x', 'reply-to', 'list-unsubscribe-post'].includes(name)), []);
    assert.equal(mail.text.trim(), 't');
  }
  for (const recipient of ['a@x.example\r\nRCPT TO:<v@x>', 'a@x.example>,<v@x', 'a b@x', 'a@b@c', '', 'a', '"a"@x', '中@x.example'])
    assert.equal((await drive.send('m2', { recipient, content: { subject: 's', text: 't' } })).reason, 'bad_recipient');
});

test('what the host says, and what its silence means', async () => {
  await put('m3', { breaker_failures: 100 });
  const send = (account, recipient) => drive.send(account, { recipient, content: { subject: 's', text: 't' } });
  const refused = await send('m3', 'nobody@x.example');
  assert.deepEqual([refused.outcome, refused.reason], ['refused', 'bad_recipient']);
  assert.equal((await send('m3', 'busy@x.example')).outcome, 'later');
  onData = () => {}; // it has it all, and never says so
  const before = mails.length, silent = await send('m3', 'li@x.example');
  assert.deepEqual([silent.outcome, silent.reason, mails.length - before], ['uncertain', 'timeout', 1]);
  onData = (done) => done(refusal(554, 'no'));
  assert.equal((await send('m3', 'li@x.example')).outcome, 'refused');
  onData = (done) => done();
  await put('m4', { username: 'u', password: 'wrong' });
  const login = await send('m4', 'li@x.example');
  assert.deepEqual([login.outcome, login.reason], ['later', 'account_refused']);
  assert.equal((await drive.ask('test', { account: 'm4' })).error, 'unprocessable');
  assert.ok((await drive.ask('test', { account: 'm1' })).ok);
});

test('bounces and wishes to be left alone are receipts', async () => {
  const report = (status, action) => `From: MAILER-DAEMON@x\r\nTo: <bounce+${keyOf(41)}@kith.example>\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="b1"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--b1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; li@x.example\r\nAction: ${action}\r\nStatus: ${status}\r\n\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <${keyOf(41)}@kith.example>\r\n\r\nx\r\n--b1--\r\n`;
  const post = (body, query = 'secret=s') => drive.ask('callback', { account: 'm1', method: 'POST', query, body });
  assert.deepEqual((await post(report('5.1.1', 'failed'))).receipts, [{ key: keyOf(41), recipient: 'li@x.example', status: 'failed', code: '5.1.1', reason: 'bad_recipient' }]);
  assert.equal((await post(report('5.2.2', 'failed'))).receipts[0].reason, 'mailbox_full');
  assert.deepEqual((await post(report('4.4.1', 'delayed'))).receipts, []);
  assert.equal((await post(`To: <leave+${keyOf(41)}@kith.example>\r\nSubject: unsubscribe\r\n\r\n`)).receipts[0].status, 'unsubscribed');
  assert.deepEqual((await post('no mail at all')).receipts, []);
  assert.equal((await post(report('5.1.1', 'failed'), 'secret=x')).error, 'forbidden');
});
