/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-decoding, query parameters, and cursors. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/answer.h"
#include "server/router.h"

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, "test", 1024 * 1024);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static void test_decode(void **state)
{
    static const struct {
        const char *text, *decoded;
        bool plus_is_space;
    } cases[] = {
        { "", "", false },
        { "abc", "abc", false },
        { "a%20b", "a b", false },
        { "a+b", "a+b", false },
        { "a+b", "a b", true },
        { "%2B", "+", true },
        { "%e4%b8%8a", "上", false },
        { "%E4%B8%8A", "上", false },
        { "100%25", "100%", false },
        { "%7e~", "~~", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str out;
        assert_true(url_decode(&arena, str_from_c(cases[i].text), cases[i].plus_is_space, &out));
        assert_str_equal(out, str_from_c(cases[i].decoded));
    }
}

static void test_decode_refuses(void **state)
{
    static const char *const wrong[] = { "%",   "%2",   "a%",  "a%2", "%zz",    "%2z",
                                         "%z2", "%%20", "%00", "%ff", "%c0%af", "%ed%a0%80" };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        str out;
        if (url_decode(&arena, str_from_c(wrong[i]), false, &out))
            fail_msg("'%s' was decoded", wrong[i]);
    }
}

static struct request request_with(const char *query, const struct route *route)
{
    struct request request = { .route = route, .query = str_from_c(query) };
    arena_init(&request.arena, "test", 1024 * 1024);
    return request;
}

static void test_parameters(void **state)
{
    struct request request = request_with("a=1&b=&c&&a=2&d=x%3Dy&e=a%26b&f=%zz&flag=true", NULL);
    (void)state;
    assert_str_equal(request_query(&request, STR("a")), STR("1"));
    assert_str_equal(request_query(&request, STR("b")), STR(""));
    assert_str_equal(request_query(&request, STR("c")), STR(""));
    assert_str_equal(request_query(&request, STR("d")), STR("x=y"));
    assert_str_equal(request_query(&request, STR("e")), STR("a&b"));
    assert_str_equal(request_query(&request, STR("f")), STR(""));
    assert_str_equal(request_query(&request, STR("none")), STR(""));
    assert_true(request_query_flag(&request, STR("flag")));
    assert_false(request_query_flag(&request, STR("a")) && request_query_flag(&request, STR("b")));
    arena_deinit(&request.arena);
}

static void test_known_parameters_alone(void **state)
{
    static const struct route route = { .query = "query trait.* limit" };
    static const struct {
        const char *query;
        err error;
    } cases[] = {
        { "", ERR_OK },
        { "query=x&limit=3", ERR_OK },
        { "trait.city=x&trait.a=y", ERR_OK },
        { "trait.=x", ERR_INVALID },
        { "colour=red", ERR_INVALID },
        { "query=%ff", ERR_INVALID },
        { "Query=x", ERR_INVALID },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request request = request_with(cases[i].query, &route);
        struct problem problem = { .error = ERR_OK };
        assert_err(request_check_query(&request, &problem), cases[i].error);
        if (cases[i].error != ERR_OK)
            assert_true(problem.detail[0] != '\0');
        arena_deinit(&request.arena);
    }
}

/* ---- cursors ---- */

static struct keys *keys;
static char key_path[64];

static int open_keys(void **state)
{
    struct problem problem;
    (void)state;
    snprintf(key_path, sizeof(key_path), "/tmp/kith-keys-%d", (int)getpid());
    return keys_open(&keys, key_path, &problem) == ERR_OK ? begin(NULL) : -1;
}

static int close_keys(void **state)
{
    (void)state;
    keys_free(&keys);
    unlink(key_path);
    return end(NULL);
}

static void test_cursor_comes_back(void **state)
{
    struct server server = { .keys = keys };
    struct request request = { .server = &server };
    static const int64_t cases[][2] = { { 0, 0 }, { 1, -1 }, { INT64_MAX, INT64_MIN }, { 17, 4 } };
    (void)state;
    arena_init(&request.arena, "test", 1024 * 1024);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t back[2];
        str text = cursor_encode(&request, 'e', cases[i], 2);
        assert_true(text.size > 0);
        assert_true(cursor_parse(keys, text, 'e', back, 2));
        assert_memory_equal(back, cases[i], sizeof(back));
        /* Not of another list, not with another count, not with any byte changed. */
        assert_false(cursor_parse(keys, text, 'q', back, 2));
        assert_false(cursor_parse(keys, text, 'e', back, 1));
        for (size_t byte = 0; byte < text.size; byte++) {
            char changed[128];
            memcpy(changed, text.data, text.size);
            changed[byte] = changed[byte] == 'A' ? 'B' : 'A';
            assert_false(cursor_parse(keys, str_from_bytes(changed, text.size), 'e', back, 2));
        }
        for (size_t size = 0; size < text.size; size++)
            assert_false(cursor_parse(keys, str_from_bytes(text.data, size), 'e', back, 2));
    }
    arena_deinit(&request.arena);
}

static void test_hex(void **state)
{
    uint8_t bytes[4] = { 0x00, 0x1f, 0xa0, 0xff }, back[4];
    char text[9];
    (void)state;
    hex_encode(bytes, 4, text);
    assert_string_equal(text, "001fa0ff");
    assert_true(hex_decode(STR("001FA0ff"), back, 4));
    assert_memory_equal(back, bytes, 4);
    assert_false(hex_decode(STR("001fa0f"), back, 4));
    assert_false(hex_decode(STR("001fa0fg"), back, 4));
    assert_false(hex_decode(STR("001fa0ff00"), back, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_decode, begin, end),
        cmocka_unit_test_setup_teardown(test_decode_refuses, begin, end),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_known_parameters_alone),
        cmocka_unit_test_setup_teardown(test_cursor_comes_back, open_keys, close_keys),
        cmocka_unit_test(test_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
