/* SPDX-License-Identifier: Apache-2.0 */
/* settings: what an account is told by its owner: one table from which the parser, the list for the console and the
 * documentation are made. A parsed set is immutable and counted: any thread. */
#ifndef KITH_CHANNEL_SETTINGS_H
#define KITH_CHANNEL_SETTINGS_H

#include <stdatomic.h>

#include "base/arena.h"
#include "channel/channel.h"

#define KIND(name) (1U << CHANNEL_##name)
#define KINDS_WECHAT (KIND(OFFICIAL_ACCOUNT) | KIND(MINI_PROGRAM))
#define KINDS_CALLBACK (KIND(WECOM) | KINDS_WECHAT)
#define KINDS_SMS (KIND(SMS_ALIYUN) | KIND(SMS_TENCENT))
#define KINDS_SENDING (KINDS_CALLBACK | KINDS_SMS | KIND(SMTP) | KIND(WEBHOOK))

enum setting_type { SETTING_TEXT, SETTING_NUMBER, SETTING_BOOL, SETTING_LINES };
enum setting_flag { SETTING_SECRET = 1, SETTING_REQUIRED = 2 };

/* NAME, text, type, kinds, flags, default, least, most, zh, en */
#define SETTINGS(X)                                                                                \
    X(CORPID, "corpid", TEXT, KIND(WECOM), SETTING_REQUIRED, "", 0, 0, "企业 ID", "corp id")       \
    X(APPID, "appid", TEXT, KINDS_WECHAT, SETTING_REQUIRED, "", 0, 0, "AppID", "app id")           \
    X(SECRET, "secret", TEXT, KINDS_CALLBACK, SETTING_SECRET | SETTING_REQUIRED, "", 0, 0,         \
      "应用 Secret", "secret of the app")                                                          \
    X(AGENTID, "agentid", NUMBER, KIND(WECOM), 0, "0", 0, INT64_C(9999999999), "应用 AgentId",     \
      "agent id of the app")                                                                       \
    X(SENDER, "sender", TEXT, KIND(WECOM), 0, "", 0, 0, "默认发送成员",                            \
      "employee who sends where none is named")                                                    \
    X(CALLBACK_TOKEN, "callback_token", TEXT, KINDS_CALLBACK, SETTING_SECRET, "", 0, 0,            \
      "回调 Token", "token of the callback")                                                       \
    X(AES_KEY, "encoding_aes_key", TEXT, KINDS_CALLBACK, SETTING_SECRET, "", 0, 0,                 \
      "回调 EncodingAESKey", "key of the callback, 43 characters")                                 \
    X(STATE, "miniprogram_state", TEXT, KIND(MINI_PROGRAM), 0, "formal", 0, 0,                     \
      "跳转版本 (developer|trial|formal)", "version it leads to: developer, trial, formal")        \
    X(ACCESS_KEY_ID, "access_key_id", TEXT, KIND(SMS_ALIYUN), SETTING_REQUIRED, "", 0, 0,          \
      "AccessKey ID", "access key id")                                                             \
    X(ACCESS_KEY_SECRET, "access_key_secret", TEXT, KIND(SMS_ALIYUN),                              \
      SETTING_SECRET | SETTING_REQUIRED, "", 0, 0, "AccessKey Secret", "secret of the access key") \
    X(SECRET_ID, "secret_id", TEXT, KIND(SMS_TENCENT), SETTING_REQUIRED, "", 0, 0, "SecretId",     \
      "secret id")                                                                                 \
    X(SECRET_KEY, "secret_key", TEXT, KIND(SMS_TENCENT), SETTING_SECRET | SETTING_REQUIRED, "", 0, \
      0, "SecretKey", "secret key")                                                                \
    X(SDK_APP_ID, "sdk_app_id", TEXT, KIND(SMS_TENCENT), SETTING_REQUIRED, "", 0, 0,               \
      "短信应用 SdkAppId", "SdkAppId of the SMS application")                                      \
    X(REGION, "region", TEXT, KIND(SMS_TENCENT), 0, "ap-guangzhou", 0, 0, "地域", "region")        \
    X(SIGN_NAME, "sign_name", TEXT, KINDS_SMS, SETTING_REQUIRED, "", 0, 0, "短信签名",             \
      "signature of the texts")                                                                    \
    X(UNSUBSCRIBE_WORDS, "unsubscribe_words", TEXT, KINDS_SMS, 0, "TD,T,R,退订", 0, 0,             \
      "退订回复词 (逗号分隔)", "replies that unsubscribe, with commas between")                    \
    X(CALLBACK_SECRET, "callback_secret", TEXT, KINDS_SMS | KIND(SMTP), SETTING_SECRET, "", 0, 0,  \
      "回执地址密钥 (?secret=)", "secret in the address of receipts (?secret=)")                   \
    X(HOST, "host", TEXT, KIND(SMTP), SETTING_REQUIRED, "", 0, 0, "SMTP 主机", "SMTP host")        \
    X(PORT, "port", NUMBER, KIND(SMTP), 0, "465", 1, 65535, "SMTP 端口", "SMTP port")              \
    X(SECURITY, "security", TEXT, KIND(SMTP), 0, "tls", 0, 0, "加密 (tls|starttls|none)",          \
      "encryption: tls, starttls, none")                                                           \
    X(USERNAME, "username", TEXT, KIND(SMTP), 0, "", 0, 0, "用户名", "user name")                  \
    X(PASSWORD, "password", TEXT, KIND(SMTP), SETTING_SECRET, "", 0, 0, "授权码",                  \
      "password or authorisation code")                                                            \
    X(FROM, "from", TEXT, KIND(SMTP), SETTING_REQUIRED, "", 0, 0, "发件地址",                      \
      "address of the sender")                                                                     \
    X(FROM_NAME, "from_name", TEXT, KIND(SMTP), 0, "", 0, 0, "发件人名称", "name of the sender")   \
    X(REPLY_TO, "reply_to", TEXT, KIND(SMTP), 0, "", 0, 0, "回复地址", "address for answers")      \
    X(RETURN_PATH, "return_path", TEXT, KIND(SMTP), 0, "", 0, 0,                                   \
      "退信地址 (VERP, 如 bounce@x.com)", "address for bounces; '+key' is put before its @")       \
    X(UNSUBSCRIBE_MAIL, "unsubscribe_mail", TEXT, KIND(SMTP), 0, "", 0, 0, "退订邮箱",             \
      "address that unsubscribes")                                                                 \
    X(URL, "url", TEXT, KIND(WEBHOOK), 0, "", 0, 0, "地址", "URL where a message names none")      \
    X(SIGNING_SECRET, "signing_secret", TEXT, KIND(WEBHOOK), SETTING_SECRET, "", 0, 0,             \
      "签名密钥 (whsec_…)", "key of the signature (whsec_…)")                                      \
    X(OLD_SECRET, "old_signing_secret", TEXT, KIND(WEBHOOK), SETTING_SECRET, "", 0, 0,             \
      "旧签名密钥 (轮换期)", "former key, signs too while it is changed")                          \
    X(HEADERS, "headers", LINES, KIND(WEBHOOK), SETTING_SECRET, "", 0, 0, "附加请求头",            \
      "headers to add")                                                                            \
    X(BASE_URL, "base_url", TEXT, KINDS_CALLBACK | KINDS_SMS, 0, "", 0, 0, "接口地址",             \
      "URL in place of the provider's")                                                            \
    X(SANDBOX, "sandbox", BOOL, KINDS_SENDING, 0, "false", 0, 1, "使用沙箱",                       \
      "to the sandbox, not to the provider")                                                       \
    X(ALLOW_PRIVATE, "allow_private", BOOL, KINDS_SENDING, 0, "false", 0, 1, "允许内网地址",       \
      "private addresses are allowed")                                                             \
    X(RATE, "rate_per_second", NUMBER, KINDS_SENDING, 0, "0", 0, 1000000, "每秒条数上限 (0 不限)", \
      "messages a second at most; 0: the provider's")                                              \
    X(DAILY_QUOTA, "daily_quota", NUMBER, KINDS_SENDING, 0, "0", 0, INT64_C(1000000000),           \
      "每日条数上限 (0 不限)", "messages a day at most; 0: no limit")                              \
    X(CONCURRENCY, "concurrency", NUMBER, KINDS_SENDING, 0, "0", 0, 1000, "并发请求数 (0 默认)",   \
      "requests at the same time; 0: 32, e-mail 4")                                                \
    X(TIMEOUT_MS, "timeout_ms", NUMBER, KINDS_SENDING, 0, "15000", 100, 120000, "超时 (毫秒)",     \
      "time-out in ms")                                                                            \
    X(QUEUE_MAX, "queue_max", NUMBER, KINDS_SENDING, 0, "20000", 1, 1000000, "队列长度上限",       \
      "waiting messages at most")                                                                  \
    X(BATCH, "batch", BOOL, KIND(SMS_ALIYUN), 0, "false", 0, 1, "合并发送 (单条不可查询)",         \
      "up to 100 as one request; single ones cannot be asked for then")                            \
    X(BATCH_WAIT_MS, "batch_wait_ms", NUMBER, KIND(WECOM) | KINDS_SMS, 0, "300", 0, 60000,         \
      "合并等待 (毫秒)", "how long a batch is gathered, in ms")                                    \
    X(BREAKER_FAILURES, "breaker_failures", NUMBER, KINDS_SENDING, 0, "5", 1, 1000, "熔断失败次数",                    \
      "failures in a row that open the breaker")

enum setting {
#define X(NAME, ...) SETTING_##NAME##_,
    SETTINGS(X)
#undef X
        SETTING_COUNT
};

struct settings {
    _Atomic unsigned references;
    struct arena arena;
    enum channel_kind kind;
    str text[SETTING_COUNT]; /* LINES: "Name: value\n" each; texts are terminated */
    int64_t number[SETTING_COUNT];
    str base_url;    /* of requests; without '/' at the end */
    bool is_trusted; /* its addresses may be private: the owner said so, or it is the sandbox */
};
#define setting_text(settings, NAME) ((settings)->text[SETTING_##NAME##_])
#define setting_number(settings, NAME) ((settings)->number[SETTING_##NAME##_])
#define setting_bool(settings, NAME) ((settings)->number[SETTING_##NAME##_] != 0)

/* UNPROCESSABLE with a pointer. One reference. */
err settings_parse(struct settings **settings, enum channel_kind kind, json_value value,
                   const char *provider_url, const char *sandbox_url,
                   struct problem *problem) MUST_USE;
struct settings *settings_take(struct settings *settings);
void settings_give(struct settings *settings);

#endif
