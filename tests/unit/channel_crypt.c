/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures and envelopes against the vectors that the providers (or their own libraries) give. */
#include "support/cmocka.h"

#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"
#include "channel/events.h"

#define TOKEN STR("QDG6eK")
#define AES_KEY STR("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")
#define CORP STR("wx5823bf96d3bd56c7")
#define ECHO \
    "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="

static struct buffer out;

static int set_up(void **state)
{
    (void)state;
    buffer_init(&out, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_deinit(&out);
    return 0;
}

static void test_wecom_check_of_url(void **state)
{
    (void)state;
    char signature[SHA1_HEX_BYTES];
    envelope_sign(TOKEN, STR("1409659589"), STR("263014780"), STR(ECHO), signature);
    assert_string_equal(signature, "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3");
    assert_int_equal(envelope_open(AES_KEY, CORP, STR(ECHO), &out, NULL), ERR_OK);
    assert_str_equal(buffer_str(&out), STR("1616140317555161061"));
}

static void test_wecom_message(void **state)
{
    (void)state;
    static const char SEALED[] =
        "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3Qczc"
        "dCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLj"
        "vd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMn"
        "vw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k"
        "22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2Yoy"
        "yH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";
    char signature[SHA1_HEX_BYTES];
    struct fields fields;
    envelope_sign(TOKEN, STR("1409659813"), STR("1372623149"), str_from_c(SEALED), signature);
    assert_string_equal(signature, "477715d11cdb4164915debcba66cb864d751f3e6");
    assert_int_equal(envelope_open(AES_KEY, CORP, str_from_c(SEALED), &out, NULL), ERR_OK);
    fields_init(&fields);
    assert_int_equal(fields_read(&fields, buffer_str(&out), NULL), ERR_OK);
    assert_str_equal(fields_get(&fields, "Content"), STR("hello"));
    assert_str_equal(fields_get(&fields, "MsgId"), STR("4561255354251345929"));
    assert_str_equal(fields_get(&fields, "AgentID"), STR("218"));
    fields_deinit(&fields);
}

static void test_envelope_there_and_back(void **state)
{
    (void)state;
    static const uint8_t random[16] = "0123456789abcdef";
    struct buffer plain;
    buffer_init(&plain, 1 << 20);
    for (size_t size = 0; size < 100; size++) { /* every padding */
        char text[100];
        memset(text, 'x', size);
        buffer_clear(&out);
        buffer_clear(&plain);
        assert_int_equal(
            envelope_seal(AES_KEY, CORP, str_from_bytes(text, size), random, &out, NULL), ERR_OK);
        assert_int_equal(envelope_open(AES_KEY, CORP, buffer_str(&out), &plain, NULL), ERR_OK);
        assert_str_equal(buffer_str(&plain), str_from_bytes(text, size));
        assert_int_equal(envelope_open(AES_KEY, STR("another"), buffer_str(&out), &plain, NULL),
                         ERR_FORBIDDEN);
    }
    buffer_deinit(&plain);
}

static void test_envelope_refuses_what_was_changed(void **state)
{
    (void)state;
    char sealed[sizeof ECHO];
    memcpy(sealed, ECHO, sizeof sealed);
    for (size_t i = 0; i + 3 < sizeof sealed; i++) {
        struct buffer plain;
        char was = sealed[i];
        sealed[i] = was == 'A' ? 'B' : 'A';
        buffer_init(&plain, 1 << 16);
        err error = envelope_open(AES_KEY, CORP, str_from_c(sealed), &plain, NULL);
        /* The random head is not checked by anything but the signature. */
        assert_true(error == ERR_FORBIDDEN || error == ERR_INVALID || i < 24);
        buffer_deinit(&plain);
        sealed[i] = was;
    }
    assert_int_equal(envelope_open(AES_KEY, CORP, STR_NONE, &out, NULL), ERR_INVALID);
    assert_int_equal(envelope_open(AES_KEY, CORP, STR("AAAA"), &out, NULL), ERR_INVALID);
    assert_int_equal(envelope_open(STR("short"), CORP, STR(ECHO), &out, NULL), ERR_UNPROCESSABLE);
}

static void test_aliyun_v3(void **state)
{
    (void)state;
    const struct signed_header headers[] = {
        { "host", STR("127.0.0.1:7777") },
        { "x-acs-action", STR("SendSms") },
        { "x-acs-content-sha256",
          STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") },
        { "x-acs-credentials-provider", STR("static_ak") },
        { "x-acs-date", STR("2026-11-21T18:21:43Z") },
        { "x-acs-signature-nonce",
          STR("f98bc9675a768a37f1ee5490316ff0eb23872145f4e09c41d3478adba94c98f0") },
        { "x-acs-version", STR("2017-05-25") },
    };
    aliyun_sign(
        &out, STR("AK"), STR("SK"),
        STR("OutId=o1&PhoneNumbers=13800000000&SignName=%E5%93%81%E7%89%8C&TemplateCode=SMS_1&"
            "TemplateParam=%7B%22code%22%3A%221234%22%7D"),
        headers, sizeof headers / sizeof headers[0], STR_NONE);
    assert_true(
        str_starts_with(buffer_str(&out), STR("ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=host;"
                                              "x-acs-action;")));
    assert_true(str_ends_with(
        buffer_str(&out),
        STR("Signature=0341fe946ae1a48545ac972cc953ac980c82f7a8156ba154bec2ab0986f617ac")));
}

static void test_tencent_tc3(void **state)
{
    (void)state;
    tencent_sign(
        &out, STR("SID"), STR("SKEY"), STR("127"), STR("127.0.0.1"), 1795285303,
        STR("{\"PhoneNumberSet\":[\"+8613800000000\"],\"SmsSdkAppId\":\"1400006666\","
            "\"TemplateId\":\"1110\",\"SignName\":\"腾讯云\",\"TemplateParamSet\":[\"12345\"]}"));
    assert_true(str_ends_with(
        buffer_str(&out),
        STR("Signature=d9bf935d09770bed443d7b43cb16cb768025e9129cb05e6622049d3077f197cd")));
}

static void test_standard_webhook(void **state)
{
    (void)state;
    webhook_sign(&out, STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                 STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330, STR("{\"test\": 2432232314}"));
    assert_str_equal(buffer_str(&out), STR("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

static void test_url_coding(void **state)
{
    (void)state;
    struct buffer back;
    crypt_url_encode(&out, STR("a b!'()*~品&="));
    assert_str_equal(buffer_str(&out), STR("a%20b%21%27%28%29%2A~%E5%93%81%26%3D"));
    buffer_init(&back, 100);
    assert_true(crypt_url_decode(&back, buffer_str(&out)));
    assert_str_equal(buffer_str(&back), STR("a b!'()*~品&="));
    assert_false(crypt_url_decode(&back, STR("%")));
    assert_false(crypt_url_decode(&back, STR("%4")));
    assert_false(crypt_url_decode(&back, STR("%g1")));
    buffer_deinit(&back);
}

static void test_no_doctype(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><A>&a;</A></xml>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><xml/>",
        "<xml><A>&b;</A></xml>",
        "<xml><A></xml>",
        "",
        "<xml>",
        "<a><b><c><d><e><f><g><h><i><j><k><l><m><n>1</n></m></l></k></j></i></h></g></f></e></d></c></b></a>",
    };
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        struct fields fields;
        fields_init(&fields);
        assert_int_equal(fields_read_xml(&fields, str_from_c(REFUSED[i]), NULL), ERR_INVALID);
        fields_deinit(&fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wecom_check_of_url, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wecom_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_envelope_there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_envelope_refuses_what_was_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_aliyun_v3, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tencent_tc3, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_standard_webhook, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_url_coding, set_up, tear_down),
        cmocka_unit_test(test_no_doctype),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
