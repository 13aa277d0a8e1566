/* SPDX-License-Identifier: Apache-2.0 */
/* Masks: by kind and by looks, of identifiers, and within JSON with sealed texts. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/mask.h"

static struct keys *keys;
static struct arena arena;
static struct json_parser *parser;
static char key_path[64];

static int begin(void **state)
{
    struct problem problem;
    (void)state;
    snprintf(key_path, sizeof(key_path), "/tmp/kith-mask-%d", (int)getpid());
    arena_init(&arena, "test", 4 * 1024 * 1024);
    if (json_parser_new(&parser, 1024 * 1024) != ERR_OK)
        return -1;
    return keys_open(&keys, key_path, &problem) == ERR_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    keys_free(&keys);
    json_parser_free(&parser);
    arena_deinit(&arena);
    unlink(key_path);
    return 0;
}

static void test_by_looks(void **state)
{
    static const struct {
        const char *value, *masked;
    } cases[] = {
        { "", "" },
        { "13812345678", "138****5678" },
        { "+8613812345678", "138****5678" },
        { "138 1234 5678", "138 **** 5678" },
        { "+86 138-1234-5678", "+86 138-****-5678" },
        { "li.lei@huazhixiao.cn", "l***@huazhixiao.cn" },
        { "110101199003078515", "******8515" },
        { "李雷", "李***" },
        { "x", "x***" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer out;
        buffer_init(&out, 1024);
        mask_value(PERSONAL_NONE, str_from_c(cases[i].value), &out);
        assert_str_equal(buffer_str(&out), str_from_c(cases[i].masked));
        buffer_deinit(&out);
    }
}

/* No mask shows more than the ends of a phone, whatever comes. */
static void test_a_mask_hides(void **state)
{
    static const char *const phones[] = { "13987654321", "+8613987654321", "+14155550123",
                                          "008613987654321", "139 8765 4321" };
    (void)state;
    for (size_t i = 0; i < sizeof(phones) / sizeof(phones[0]); i++) {
        struct buffer out;
        buffer_init(&out, 1024);
        mask_value(PERSONAL_PHONE, str_from_c(phones[i]), &out);
        assert_false(str_contains(buffer_str(&out), STR("8765")));
        assert_false(str_contains(buffer_str(&out), STR("5555")));
        assert_true(str_contains(buffer_str(&out), STR("****")));
        buffer_deinit(&out);
    }
}

static void test_identifiers(void **state)
{
    str sealed;
    (void)state;
    assert_ok(keys_seal(keys, &arena, STR("+8613812345678"), &sealed));
    assert_str_equal(mask_identifier(keys, &arena, STR("mobile"), sealed, false),
                     STR("138****5678"));
    assert_str_equal(mask_identifier(keys, &arena, STR("mobile"), sealed, true),
                     STR("+8613812345678"));
    assert_str_equal(mask_identifier(keys, &arena, STR("user_id"), STR("u1"), false), STR("u1"));
    assert_str_equal(mask_identifier(keys, &arena, STR("mobile"), STR("13812345678"), false),
                     STR("138****5678"));
    assert_str_equal(mask_identifier(keys, &arena, STR("mobile"),
                                     STR("md5:0123456789abcdef0123456789abcdef"), false),
                     STR("md5:0123456789abcdef0123456789abcdef"));
    char damaged[256];
    assert_true(sealed.size < sizeof(damaged));
    memcpy(damaged, sealed.data, sealed.size);
    damaged[sealed.size - 3] = damaged[sealed.size - 3] == 'A' ? 'B' : 'A';
    assert_str_equal(
        mask_identifier(keys, &arena, STR("mobile"), str_from_bytes(damaged, sealed.size), true),
        STR("(unreadable)"));
}

static void check_json(const char *format, str sealed, bool reveal, const char *expected)
{
    struct buffer text, out;
    json_value value;
    buffer_init(&text, 65536);
    buffer_init(&out, 65536);
    buffer_printf(&text, "%s%.*s%s", format, (int)sealed.size, sealed.data, "\"}}]}");
    assert_ok(json_parse(parser, buffer_str(&text), &value, NULL));
    mask_write_json(keys, &arena, STR_NONE, value, reveal, &out);
    assert_str_equal(buffer_str(&out), str_from_c(expected));
    buffer_deinit(&text);
    buffer_deinit(&out);
}

static void test_json(void **state)
{
    str sealed;
    const char *head = "{\"a\":1.50,\"b\":\"x\\n\",\"orders\":[{\"phone\":{\"$sealed\":\"";
    (void)state;
    assert_ok(keys_seal(keys, &arena, STR("13812345678"), &sealed));
    check_json(head, sealed, false,
               "{\"a\":1.5,\"b\":\"x\\n\",\"orders\":[{\"phone\":\"138****5678\"}]}");
    check_json(head, sealed, true,
               "{\"a\":1.5,\"b\":\"x\\n\",\"orders\":[{\"phone\":\"13812345678\"}]}");
    check_json(head, STR("s1:1:damaged"), true,
               "{\"a\":1.5,\"b\":\"x\\n\",\"orders\":[{\"phone\":\"(unreadable)\"}]}");
}

/* Only the exact form counts: what a sender calls "$sealed" beside others is his own. */
static void test_json_keeps_what_is_no_seal(void **state)
{
    static const char *const plain[] = {
        "{\"$sealed\":1}", "{\"$sealed\":\"x\",\"b\":2}", "[]", "{}", "null", "[[[1]]]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        struct buffer out;
        json_value value;
        buffer_init(&out, 65536);
        assert_ok(json_parse(parser, str_from_c(plain[i]), &value, NULL));
        mask_write_json(keys, &arena, STR_NONE, value, false, &out);
        assert_str_equal(buffer_str(&out), str_from_c(plain[i]));
        buffer_deinit(&out);
    }
}

static void check_put(str json, bool reveal)
{
    struct buffer written, expected;
    struct json_writer writer;
    json_value value;
    buffer_init(&written, 64 * 1024);
    buffer_init(&expected, 64 * 1024);
    json_writer_init(&writer, &written);
    mask_put_json(keys, &arena, parser, STR("phone"), json, reveal, &writer);
    assert_ok(json_parse(parser, json, &value, NULL));
    mask_write_json(keys, &arena, STR("phone"), value, reveal, &expected);
    assert_true(str_equal(buffer_str(&written), buffer_str(&expected)));
    buffer_deinit(&written);
    buffer_deinit(&expected);
}

/* The quick way for a value as text says what the way over its tree says. */
static void test_json_as_text(void **state)
{
    static const char *const wholes[] = { "1",
                                          "\"a\"",
                                          "null",
                                          "{}",
                                          "[]",
                                          "[1,{\"a\":2}]",
                                          "{\"$sealed\":\"x\"}",
                                          "{\"$sealed\":\"\"}",
                                          "{\"$sealed\":\"s1:\\\"\"}" };
    char text[512];
    str sealed, found;
    (void)state;
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
        check_put(str_from_c(wholes[i]), i % 2 == 0);
    assert_ok(keys_seal(keys, &arena, STR("13812345678"), &sealed));
    static const char *const around[][2] = { { "{\"$sealed\":\"", "\"}" },
                                             { "[{\"$sealed\":\"", "\"}]" },
                                             { "{\"a\":{\"$sealed\":\"", "\"},\"b\":1}" },
                                             { "{\"$sealed\":\"", "\",\"b\":1}" } };
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
        snprintf(text, sizeof(text), "%s%.*s%s", around[i][0], (int)sealed.size, sealed.data,
                 around[i][1]);
        assert_int_equal(mask_is_sealed_json(str_from_c(text), &found), i == 0);
        check_put(str_from_c(text), false);
        check_put(str_from_c(text), true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_looks),
        cmocka_unit_test(test_a_mask_hides),
        cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_keeps_what_is_no_seal),
        cmocka_unit_test(test_json_as_text),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
