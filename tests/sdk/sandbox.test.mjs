// SPDX-License-Identifier: Apache-2.0
// The sandbox is to the providers' own clients as the providers are: right signatures are taken, wrong ones are not, codes are
// theirs, callbacks decrypt with an independent implementation.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, beforeEach, test } from "node:test";

const require = createRequire(import.meta.url);
// Tencent's SDK takes the service from the first label of its host: sms.localhost, which not every resolver knows.
const dns = require("node:dns");
const lookup = dns.lookup;
dns.lookup = (host, options, done) => (host === "sms.localhost" ? lookup("127.0.0.1", options, done) : lookup(host, options, done));
const Aliyun = require("@alicloud/dysmsapi20170525");
const { $OpenApiUtil } = require("@alicloud/openapi-core");
const tencent = require("tencentcloud-sdk-nodejs-sms");
const nodemailer = require("nodemailer");
const { decrypt, getSignature } = require("@wecom/crypto");
const { Webhook } = require("standardwebhooks");

const binary = process.env.KITH_BINARY ?? new URL("../../build/release/kith", import.meta.url).pathname;
const AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
let child, port, smtpPort, base, receiver, received, waiting;

before(async () => {
  child = spawn(binary, ["sandbox", "--listen", "127.0.0.1:0", "--smtp", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(text);
    });
    child.on("exit", (code) => reject(new Error(`the sandbox ended with ${code}`)));
  });
  [, port, smtpPort] = line.match(/http on port (\d+), smtp on port (\d+)/);
  base = `http://127.0.0.1:${port}`;
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (data) => (body += data));
    request.on("end", () => {
      received.push({ url: request.url, body });
      waiting?.();
      response.end('{"code":0,"msg":"ok"}');
    });
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
});

after(async () => {
  receiver.close();
  receiver.closeAllConnections();
  child.removeAllListeners("exit");
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await gone;
  assert.equal(child.exitCode, 0);
});

beforeEach(async () => {
  received = [];
  await call("DELETE", "/sandbox/messages");
  await call("PUT", "/sandbox/faults", { rules: [] });
});

async function call(method, path, body, headers) {
  const answer = await fetch(base + path, { method, headers, body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text.startsWith("{") ? JSON.parse(text) : text };
}
const world = async (body) => {
  const answer = await call("PUT", "/sandbox/world", body);
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
};
const messages = async (query = "") => (await call("GET", `/sandbox/messages?${query}`)).json;
async function arrivals(count) {
  while (received.length < count) await new Promise((resolve) => (waiting = resolve));
  return received;
}
const here = (path) => `http://127.0.0.1:${receiver.address().port}${path}`;

const aliyun = (secret) =>
  new Aliyun.default(new $OpenApiUtil.Config({ accessKeyId: "AK1", accessKeySecret: secret, endpoint: `127.0.0.1:${port}`, protocol: "HTTP" }));
const text = (changes) =>
  new Aliyun.SendSmsRequest({ phoneNumbers: "13800000001", signName: "熟客", templateCode: "SMS_1", templateParam: '{"code":"1234"}', outId: "key-1", ...changes });

test("Aliyun's SDK: signatures, limits, receipts, details", async () => {
  await world({
    settings: { receipt_ms: 0 },
    accounts: [{ kind: "sms_aliyun", id: "AK1", secret: "SK1", callback_url: here("/aliyun") }],
    templates: [{ kind: "sms_aliyun", code: "SMS_9", content: "您的订单${no}已发货", status: "approved" }],
  });
  const { body } = await aliyun("SK1").sendSms(text());
  assert.equal(body.code, "OK");
  const taken = await messages("kind=sms_aliyun");
  assert.equal(taken.total, 1);
  assert.equal(taken.messages[0].key, "key-1");
  assert.equal(taken.messages[0].recipient, "+8613800000001");
  assert.equal(taken.messages[0].id, body.bizId);
  const [receipt] = JSON.parse((await arrivals(1))[0].body);
  assert.deepEqual([receipt.biz_id, receipt.success, receipt.err_code, receipt.out_id], [body.bizId, true, "DELIVERED", "key-1"]);
  await assert.rejects(aliyun("wrong").sendSms(text()), (error) => error.code.includes("SignatureDoesNotMatch"));
  assert.equal((await aliyun("SK1").sendSms(text())).body.code, "isv.BUSINESS_LIMIT_CONTROL");
  assert.equal((await aliyun("SK1").sendSms(text({ phoneNumbers: "123" }))).body.code, "isv.MOBILE_NUMBER_ILLEGAL");
  assert.equal((await aliyun("SK1").sendSms(text({ templateCode: "SMS_9" }))).body.code, "isv.TEMPLATE_MISSING_PARAMETERS");
  assert.equal((await aliyun("SK1").sendSms(text({ templateCode: "SMS_9", templateParam: '{"no":"A1"}' }))).body.code, "OK");
  assert.equal((await messages("contains=" + encodeURIComponent("订单A1已发货"))).matched, 1);
  const day = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10).replaceAll("-", "");
  const details = await aliyun("SK1").querySendDetails(
    new Aliyun.QuerySendDetailsRequest({ phoneNumber: "13800000001", sendDate: day, pageSize: 10, currentPage: 1 }),
  );
  assert.equal(Number(details.body.totalCount), 2);
  assert.equal(details.body.smsSendDetailDTOs.smsSendDetailDTO[1].sendStatus, 3);
});

test("Aliyun's SDK: a batch goes in a form, and templates are reviewed", async () => {
  const batch = await aliyun("SK1").sendBatchSms(
    new Aliyun.SendBatchSmsRequest({ phoneNumberJson: '["13800000011","13800000012"]', signNameJson: '["熟客","熟客"]', templateCode: "SMS_1", templateParamJson: '[{"a":"1"},{"a":"2"}]' }),
  );
  assert.equal(batch.body.code, "OK");
  assert.equal((await messages("kind=sms_aliyun")).total, 2);
  const add = (templateContent, templateType) =>
    aliyun("SK1").addSmsTemplate(new Aliyun.AddSmsTemplateRequest({ templateType, templateName: "n", templateContent, remark: "r" }));
  const status = async (templateCode) => (await aliyun("SK1").querySmsTemplate(new Aliyun.QuerySmsTemplateRequest({ templateCode }))).body;
  const bad = await add("新品上市，快来看看${a}吧", 2);
  const refused = await status(bad.body.templateCode);
  assert.equal(refused.templateStatus, 2);
  assert.match(refused.reason, /退订/);
  const good = await add("新品上市，快来看看${a}吧，拒收请回复R", 2);
  assert.equal((await status(good.body.templateCode)).templateStatus, 1);
  const answer = await aliyun("SK1").sendSms(text({ phoneNumbers: "13800000013", templateCode: bad.body.templateCode, templateParam: '{"a":"1"}' }));
  assert.equal(answer.body.code, "isv.SMS_TEMPLATE_ILLEGAL");
});

const tencentClient = (secretKey) =>
  new tencent.sms.v20210111.Client({
    credential: { secretId: "SID1", secretKey },
    region: "ap-guangzhou",
    profile: { httpProfile: { endpoint: `sms.localhost:${port}`, protocol: "http://" } },
  });

test("Tencent's SDK: signatures, a verdict for each phone, statuses", async () => {
  await world({ settings: { receipt_ms: 0 }, accounts: [{ kind: "sms_tencent", id: "SID1", secret: "SKEY1" }] });
  const request = { PhoneNumberSet: ["+8613800000021", "+8612"], SmsSdkAppId: "1400006666", TemplateId: "1110", SignName: "熟客", TemplateParamSet: ["12345"], SessionContext: "key-2" };
  const answer = await tencentClient("SKEY1").SendSms(request);
  assert.deepEqual(answer.SendStatusSet.map((status) => status.Code), ["Ok", "InvalidParameterValue.IncorrectPhoneNumber"]);
  const taken = await messages("kind=sms_tencent");
  assert.equal(taken.total, 1);
  assert.equal(taken.messages[0].key, "key-2");
  await assert.rejects(tencentClient("wrong").SendSms(request), (error) => error.code === "AuthFailure.SignatureFailure");
  const again = await tencentClient("SKEY1").SendSms(request);
  assert.equal(again.SendStatusSet[0].Code, "LimitExceeded.PhoneNumberThirtySecondLimit");
  const pulled = await tencentClient("SKEY1").PullSmsSendStatus({ Limit: 10, SmsSdkAppId: "1400006666" });
  assert.equal(pulled.PullSmsSendStatusSet[0].SerialNo, answer.SendStatusSet[0].SerialNo);
  assert.equal(pulled.PullSmsSendStatusSet[0].ReportStatus, "SUCCESS");
});

test("WeCom: tokens, events that an independent implementation decrypts, welcome once, mass messages confirmed", async () => {
  await world({ settings: { confirm_ms: -1 }, accounts: [{ kind: "wecom", id: "wx5823bf96d3bd56c7", secret: "S", callback_url: here("/wecom"), callback_token: "QDG6eK", encoding_aes_key: AES_KEY }] });
  const get = (path) => call("GET", path);
  assert.equal((await get("/cgi-bin/gettoken?corpid=wx5823bf96d3bd56c7&corpsecret=no")).json.errcode, 40001);
  const token = (await get("/cgi-bin/gettoken?corpid=wx5823bf96d3bd56c7&corpsecret=S")).json.access_token;
  const post = async (path, body) => (await call("POST", `/cgi-bin/${path}?access_token=${token}`, body)).json;
  assert.equal((await call("POST", "/cgi-bin/message/send?access_token=x", {})).json.errcode, 40014);
  const { json } = await call("POST", "/sandbox/events", {
    kind: "wecom",
    account: "wx5823bf96d3bd56c7",
    event: { Event: "change_external_contact", ChangeType: "add_external_contact", UserID: "lin", ExternalUserID: "wm1", State: "s1" },
  });
  const [event] = await arrivals(1);
  const query = new URL(event.url, base).searchParams;
  const encrypted = event.body.match(/<Encrypt><!\[CDATA\[(.*?)\]\]>/)[1];
  assert.equal(getSignature("QDG6eK", query.get("timestamp"), query.get("nonce"), encrypted), query.get("msg_signature"));
  const plain = decrypt(AES_KEY, encrypted);
  assert.equal(plain.id, "wx5823bf96d3bd56c7");
  assert.match(plain.message, /<ChangeType><!\[CDATA\[add_external_contact\]\]>/);
  assert.ok(plain.message.includes(json.welcome_code));
  const welcome = { welcome_code: json.welcome_code, text: { content: "欢迎" } };
  assert.equal((await post("externalcontact/send_welcome_msg", welcome)).errcode, 0);
  assert.equal((await post("externalcontact/send_welcome_msg", welcome)).errcode, 41051);
  const task = await post("externalcontact/add_msg_template", { chat_type: "single", external_userid: ["wm1", "wm2"], sender: "lin", text: { content: "上新" } });
  assert.equal(task.errcode, 0);
  const results = () => post("externalcontact/get_groupmsg_send_result", { msgid: task.msgid, userid: "lin" });
  assert.deepEqual((await results()).send_list.map((row) => row.status), [0, 0]);
  assert.equal((await messages("form=customer_mass")).matched, 0);
  assert.equal((await call("POST", "/sandbox/confirm", { msgid: task.msgid })).json.tasks, 1);
  assert.deepEqual((await results()).send_list.map((row) => row.status), [1, 1]);
  assert.equal((await messages("form=customer_mass")).matched, 2);
  assert.equal((await post("externalcontact/add_msg_template", { external_userid: ["wm1"], text: { content: "字".repeat(1334) } })).errcode, 45002);
  await call("POST", "/sandbox/clock", { advance: "2h" });
  assert.equal((await post("message/send", {})).errcode, 42001);
  await call("POST", "/sandbox/clock", { now: new Date().toISOString() });
});

test("official account and mini-program: keys, window, stock, events", async () => {
  await world({
    settings: { receipt_ms: 0 },
    accounts: [
      { kind: "official_account", id: "wxoa", secret: "S", callback_url: here("/oa"), callback_token: "T", encoding_aes_key: AES_KEY },
      { kind: "mini_program", id: "wxmp", secret: "S" },
    ],
    subscriptions: [{ kind: "mini_program", account: "wxmp", openid: "o1", template_id: "t1", count: 1 }],
  });
  const token = async (appid) => (await call("POST", "/cgi-bin/stable_token", { grant_type: "client_credential", appid, secret: "S" })).json.access_token;
  const oa = await token("wxoa");
  const post = async (path, access, body) => (await call("POST", `/cgi-bin/${path}?access_token=${access}`, body)).json;
  const template = { touser: "o1", template_id: "T1", client_msg_id: "k1", data: { thing1: { value: "好" } } };
  const first = await post("message/template/send", oa, template);
  assert.equal((await post("message/template/send", oa, template)).msgid, first.msgid);
  assert.equal((await messages("key=k1")).matched, 1);
  const [event] = await arrivals(1);
  const encrypted = event.body.match(/<Encrypt><!\[CDATA\[(.*?)\]\]>/)[1];
  assert.match(decrypt(AES_KEY, encrypted).message, new RegExp(`TEMPLATESENDJOBFINISH.*<MsgID>${first.msgid}<`));
  const service = { touser: "o1", msgtype: "text", text: { content: "您好" } };
  assert.equal((await post("message/custom/send", oa, service)).errcode, 45015);
  await call("POST", "/sandbox/events", { kind: "official_account", account: "wxoa", event: { FromUserName: "o1", Event: "CLICK", EventKey: "menu" } });
  for (let i = 0; i < 5; i++) assert.equal((await post("message/custom/send", oa, service)).errcode, 0);
  assert.equal((await post("message/custom/send", oa, service)).errcode, 45047);
  const mp = await token("wxmp");
  const message = { touser: "o1", template_id: "t1", data: { thing1: { value: "到货了" } } };
  assert.equal((await post("message/subscribe/send", mp, { ...message, data: { thing1: { value: "字".repeat(21) } } })).errcode, 47003);
  assert.equal((await post("message/subscribe/send", mp, message)).errcode, 0);
  assert.equal((await post("message/subscribe/send", mp, message)).errcode, 43101);
});

test("mail: logged in, taken as it is, refused where there is nobody", async () => {
  await world({ accounts: [{ kind: "smtp", id: "brand.cn", secret: "pass" }] });
  const mailer = (pass) => nodemailer.createTransport({ host: "127.0.0.1", port: Number(smtpPort), secure: false, ignoreTLS: true, auth: { user: "news@brand.cn", pass } });
  const mail = { from: "news@brand.cn", to: "a@b.cn", subject: "你好", text: "正文\n.\n末行", messageId: "<k9@brand.cn>" };
  await mailer("pass").sendMail(mail);
  const taken = (await messages("kind=smtp")).messages;
  assert.equal(taken.length, 1);
  assert.deepEqual([taken[0].recipient, taken[0].key], ["a@b.cn", "<k9@brand.cn>"]);
  await assert.rejects(mailer("no").sendMail(mail), { responseCode: 535 });
  await assert.rejects(mailer("pass").sendMail({ ...mail, to: "bounce@b.cn" }), { responseCode: 550 });
});

test("webhooks: signed by Standard Webhooks, or refused", async () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  await world({ accounts: [{ kind: "webhook", id: "crm", secret }] });
  const body = JSON.stringify({ type: "profile.updated", data: {} });
  const stamp = new Date();
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(stamp / 1000)), "webhook-signature": new Webhook(secret).sign("msg_1", stamp, body) };
  assert.equal((await call("POST", "/webhook/crm", body, headers)).status, 200);
  assert.equal((await call("POST", "/webhook/crm", body + " ", headers)).status, 401);
  assert.equal((await messages("kind=webhook&account=crm&recipient=crm&key=msg_1")).times, 1);
});

test("faults: taken and not said, not taken and said, and counted", async () => {
  const post = (id) => call("POST", "/webhook/any", "{}", { "webhook-id": id });
  await call("PUT", "/sandbox/faults", { rules: [{ kind: "webhook", what: "error_after", times: 1 }] });
  assert.equal((await post("a")).status, 500);
  assert.equal((await post("a")).status, 200);
  const counts = await messages("kind=webhook&account=any&recipient=any&key=a");
  assert.deepEqual([counts.times, counts.repeated, counts.distinct], [2, 1, 1]);
  await call("PUT", "/sandbox/faults", { rules: [{ what: "limited", retry_after: 7, times: 1 }, { what: "reset_before", times: 1 }, { what: "garbage", times: 1 }] });
  const limited = await post("b");
  assert.deepEqual([limited.status, limited.headers.get("retry-after")], [429, "7"]);
  await assert.rejects(post("b"));
  assert.equal(typeof (await post("b")).json, "string");
  await call("PUT", "/sandbox/faults", { rules: [{ what: "hang", delay_ms: 50, times: 1 }, { what: "timeout_after", delay_ms: 50, times: 1 }] });
  await assert.rejects(post("c"));
  await assert.rejects(post("d"));
  assert.equal((await messages("kind=webhook&account=any&recipient=any&key=c")).times, 0);
  assert.equal((await messages("kind=webhook&account=any&recipient=any&key=d")).times, 1);
});
