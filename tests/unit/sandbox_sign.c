/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures against published vectors, each also spoilt; and requests as the providers' interfaces answer them, without a socket. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"
#include "support/cmocka.h"

static struct sandbox *sandbox;
static const char *const (*given)[2];

static str header_of(const struct call *call, const char *name)
{
    (void)call;
    for (size_t i = 0; given[i][0] != NULL; i++)
        if (strcmp(given[i][0], name) == 0)
            return str_from_c(given[i][1]);
    return STR_NONE;
}

static int set_up(void **state)
{
    struct sandbox_config config = { .seed = 7 };
    (void)state;
    assert_int_equal(sandbox_start(&sandbox, &config, NULL), ERR_OK);
    sandbox->settings[SETTING_CHECK_TIME] = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sandbox_stop(&sandbox);
    assert_null(sandbox);
    return 0;
}

static void call_begin(struct call *call, const char *target, const char *body)
{
    *call = (struct call){ .sandbox = sandbox, .header = header_of, .method = STR("POST") };
    call->target = str_from_c(target);
    call->body = str_from_c(body);
    buffer_init(&call->out, 1 << 20);
    arena_init(&call->arena, "test", 1 << 20);
    params_parse(&call->params,
                 str_slice(call->target, str_find_byte(call->target, '?') + 1, call->target.size),
                 &call->arena);
}

static void call_end(struct call *call)
{
    buffer_deinit(&call->out);
    arena_deinit(&call->arena);
}

static void test_acs3(void **state)
{
    static const char *const headers[][2] = {
        { "host", "127.0.0.1:7777" },
        { "x-acs-action", "SendSms" },
        { "x-acs-version", "2017-05-25" },
        { "x-acs-date", "2026-11-21T18:21:43Z" },
        { "x-acs-signature-nonce",
          "f98bc9675a768a37f1ee5490316ff0eb23872145f4e09c41d3478adba94c98f0" },
        { "x-acs-content-sha256",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "x-acs-credentials-provider", "static_ak" },
        { "authorization",
          "ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
          "x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,"
          "Signature=0341fe946ae1a48545ac972cc953ac980c82f7a8156ba154bec2ab0986f617ac" },
        { NULL, NULL },
    };
    struct call call;
    (void)state;
    given = headers;
    call_begin(&call,
               "/?OutId=o1&PhoneNumbers=13800000000&SignName=%E5%93%81%E7%89%8C&TemplateCode=SMS_1&"
               "TemplateParam=%7B%22code%22%3A%221234%22%7D",
               "");
    assert_null(acs3_check(&call, &call.params, STR("SK")));
    assert_string_equal(acs3_check(&call, &call.params, STR("SK2")), "SignatureDoesNotMatch");
    call.params.all[1].value = STR("13800000001");
    assert_string_equal(acs3_check(&call, &call.params, STR("SK")), "SignatureDoesNotMatch");
    call_end(&call);
}

static void test_acs1(void **state)
{
    static const char *const none[][2] = { { NULL, NULL } };
    struct call call;
    (void)state;
    given = none;
    call_begin(
        &call,
        "/?AccessKeyId=AK&Action=SendSms&Format=JSON&PhoneNumbers=13800000000&SignName=%E5%93%81%E7%89%8C&"
        "SignatureMethod=HMAC-SHA1&SignatureNonce=e47f3f6fc722fce1958465b0b20795ff&SignatureVersion=1.0&"
        "TemplateCode=SMS_1&TemplateParam=%7B%22code%22%3A%221%22%7D&Timestamp=2026-11-21T18%3A21%3A43Z&"
        "Version=2017-05-25&Signature=mgh8JnG2kWIrjgUkN2nYkHjWVlQ%3D",
        "");
    assert_false(call.params.failed);
    assert_null(acs1_check(&call, &call.params, STR("SK")));
    assert_non_null(acs1_check(&call, &call.params, STR("SL")));
    call_end(&call);
}

static void test_tc3(void **state)
{
    static const char *const headers[][2] = {
        { "host", "127.0.0.1:9999" },
        { "content-type", "application/json" },
        { "x-tc-timestamp", "1795285303" },
        { "authorization",
          "TC3-HMAC-SHA256 Credential=SID/2026-11-21/sms/tc3_request, SignedHeaders=content-type;host, "
          "Signature=0000000000000000000000000000000000000000000000000000000000000000" },
        { NULL, NULL },
    };
    struct call call;
    (void)state;
    given = headers;
    call_begin(&call, "/", "{}");
    assert_string_equal(tc3_check(&call, STR("SKEY"), STR("SID")), "AuthFailure.SignatureFailure");
    call_end(&call);
}

static void test_webhook(void **state)
{
    static const char *const none[][2] = { { NULL, NULL } };
    struct call call;
    str secret = STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        id = STR("msg_p5jXN8AQM9LWM0D4loKWxJek");
    (void)state;
    given = none;
    call_begin(&call, "/webhook/x", "{\"test\": 2432232314}");
    assert_true(webhook_check(&call, secret, id, STR("1614265330"),
                              STR("v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")));
    assert_false(webhook_check(&call, secret, id, STR("1614265331"),
                               STR("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")));
    assert_false(webhook_check(&call, STR("whsec_!"), id, STR("1614265330"), STR("v1,x")));
    call_end(&call);
}

static void test_wechat(void **state)
{
    char signature[41];
    (void)state;
    wx_signature(STR("QDG6eK"), STR("1409659589"), STR("263014780"),
                 STR("P9nAzCzyDtyTWESHep1vC5X9xho/"
                     "qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="),
                 signature);
    assert_string_equal(signature, "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3");
}

static void test_params(void **state)
{
    struct arena arena;
    struct params params = { .count = 0 };
    (void)state;
    arena_init(&arena, "test", 1 << 20);
    params_parse(&params, STR("a=1&b=%E4%B8%AD+x&&c&a=2"), &arena);
    assert_false(params.failed);
    assert_int_equal(params.count, 4);
    assert_true(str_equal(params_get(&params, STR("b")), STR("中 x")));
    assert_true(params_has(&params, STR("c")) && !params_has(&params, STR("d")));
    static const char *const wrong[] = { "a=%", "a=%4", "a=%zz", "a=%ff", "%00=1" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        params = (struct params){ .count = 0 };
        params_parse(&params, str_from_c(wrong[i]), &arena);
        assert_true(params.failed);
    }
    arena_deinit(&arena);
}

/* What is counted stays counted when the content is gone; the same key twice is one that came twice. */
static void test_counts(void **state)
{
    struct account *account = account_make(sandbox, KIND_WEBHOOK, STR("w"));
    (void)state;
    assert_non_null(account);
    assert_int_equal(taken_set_keep(sandbox, 10), ERR_OK);
    for (int i = 0; i < 10000; i++) {
        char key[20];
        snprintf(key, sizeof key, "k%d", i % 9000);
        struct take take = {
            .kind = KIND_WEBHOOK, .account = account, .recipient = STR("w"), .key = str_from_c(key)
        };
        assert_int_equal(taken_add(sandbox, &take)->times, i < 9000 ? 1 : 2);
    }
    assert_int_equal(sandbox->taken.distinct, 9000);
    assert_int_equal(sandbox->taken.repeated, 1000);
    assert_int_equal(taken_count_of(sandbox, KIND_WEBHOOK, STR("w"), STR("w"), STR("k5")), 2);
    assert_int_equal(taken_count_of(sandbox, KIND_WEBHOOK, STR("w"), STR("w"), STR("k5000")), 1);
    assert_int_equal(taken_count_of(sandbox, KIND_WEBHOOK, STR("w"), STR("w"), STR("none")), 0);
    assert_null(taken_at(sandbox, 9990));
    assert_true(str_equal(taken_at(sandbox, 10000)->key, STR("k999")));
    taken_clear(sandbox);
    assert_int_equal(sandbox->taken.seq, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acs3),   cmocka_unit_test(test_acs1),
        cmocka_unit_test(test_tc3),    cmocka_unit_test(test_webhook),
        cmocka_unit_test(test_wechat), cmocka_unit_test(test_params),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
