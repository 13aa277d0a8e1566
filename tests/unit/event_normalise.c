/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers inside: phones, e-mails, placeholders, masks, order; idempotent whatever comes (I5). */
#include "support/doors.h"

#include "base/digest.h"
#include "event/normalise.h"

static struct keys *keys;
static char folder[64];
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    keys = test_keys(folder);
    arena_init(&arena, "test", (size_t)16 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    test_keys_free(&keys, folder);
    return 0;
}

struct value_case {
    const char *raw;
    enum normal_form form;
    const char *normal;
};

static void check(const char *type, const struct value_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        str out = STR("untouched"), again = STR_NONE;
        enum normal_form form =
            normalise_value(str_from_c(type), str_from_c(cases[i].raw), &arena, &out);
        if (form != cases[i].form)
            fail_msg("%s '%s' is %d and not %d", type, cases[i].raw, (int)form, (int)cases[i].form);
        if (cases[i].normal == NULL) {
            assert_text(out, "untouched");
            continue;
        }
        assert_text(out, cases[i].normal);
        assert_int_equal(normalise_value(str_from_c(type), out, &arena, &again), form);
        assert_text(again, cases[i].normal);
    }
}
#define CHECK(type, cases) check((type), (cases), sizeof(cases) / sizeof(cases)[0])

static void test_phones(void **state)
{
    (void)state;
    static const struct value_case cases[] = {
        { "13912340000", NORMAL_USABLE, "+8613912340000" },
        { "+8613912340000", NORMAL_USABLE, "+8613912340000" },
        { "8613912340000", NORMAL_USABLE, "+8613912340000" },
        { "008613912340000", NORMAL_USABLE, "+8613912340000" },
        { "+86 139 1234 0000", NORMAL_USABLE, "+8613912340000" },
        { "86-139-1234-0000", NORMAL_USABLE, "+8613912340000" },
        { "(+86)13912340000", NORMAL_USABLE, "+8613912340000" },
        { "++8613912340000", NORMAL_INVALID, NULL },
        { "１３９１２３４００００", NORMAL_USABLE, "+8613912340000" },
        { "＋８６１３９１２３４００００", NORMAL_USABLE, "+8613912340000" },
        { "\xC2\xA0"
          "13912340000\xE3\x80\x80",
          NORMAL_USABLE, "+8613912340000" },
        { "\xE2\x80\xAD"
          "13912340000\xE2\x80\xAC",
          NORMAL_USABLE, "+8613912340000" }, /* from WeChat */
        { "'13912340000", NORMAL_USABLE, "+8613912340000" },
        { "=\"13912340000\"", NORMAL_USABLE, "+8613912340000" },
        { "13912340000.0", NORMAL_USABLE, "+8613912340000" },
        { "1795113912340000", NORMAL_USABLE, "+8613912340000" },
        { "1259313912340000", NORMAL_USABLE, "+8613912340000" },
        { "1790913912340000", NORMAL_USABLE, "+8613912340000" },
        { "013912340000", NORMAL_USABLE, "+8613912340000" },
        { "tel:13912340000", NORMAL_USABLE, "+8613912340000" },
        { "16212340000", NORMAL_USABLE, "+8616212340000" },
        { "19912340000", NORMAL_USABLE, "+8619912340000" },
        { "+852 9123 4567", NORMAL_USABLE, "+85291234567" },
        { "0085291234567", NORMAL_USABLE, "+85291234567" },
        { "+886912345678", NORMAL_USABLE, "+886912345678" },
        { "+1 (415) 555-2671", NORMAL_USABLE, "+14155552671" },
        /* kept, never used to find */
        { "13800138000", NORMAL_BLOCKED, "+8613800138000" },
        { "13000000000", NORMAL_BLOCKED, "+8613000000000" },
        { "13888888888", NORMAL_BLOCKED, "+8613888888888" },
        { "11111111111", NORMAL_BLOCKED, "+8611111111111" },
        { "00000000000", NORMAL_BLOCKED, "+8600000000000" },
        { "13812345678", NORMAL_BLOCKED, "+8613812345678" },
        { "14012345670", NORMAL_BLOCKED, "+8614012345670" },
        { "1064912345678", NORMAL_BLOCKED, "+861064912345678" },
        { "021-62345678", NORMAL_BLOCKED, "+862162345678" },
        { "02162345678", NORMAL_BLOCKED, "+862162345678" },
        { "+86 (0)21 62345678", NORMAL_BLOCKED, "+862162345678" },
        { "0755 8234567", NORMAL_BLOCKED, "+867558234567" },
        /* hides somebody */
        { "139****0000", NORMAL_MASKED, NULL },
        { "1391234****", NORMAL_MASKED, NULL },
        { "139xxxx0000", NORMAL_MASKED, NULL },
        { "139●●●●0000", NORMAL_MASKED, NULL },
        { "13912340000-1234", NORMAL_MASKED, NULL },
        { "13912340000转1234", NORMAL_MASKED, NULL },
        /* no phone of a person */
        { "1.38E+10", NORMAL_INVALID, NULL },
        { "4008123123", NORMAL_INVALID, NULL },
        { "8008101234", NORMAL_INVALID, NULL },
        { "95588", NORMAL_INVALID, NULL },
        { "12912340000", NORMAL_INVALID, NULL },
        { "62345678", NORMAL_INVALID, NULL },
        { "139123400001", NORMAL_INVALID, NULL },
        { "", NORMAL_INVALID, NULL },
        { "   ", NORMAL_INVALID, NULL },
        { "null", NORMAL_INVALID, NULL },
        { "139\t12340000", NORMAL_INVALID, NULL },
        { "+99999999999999999999", NORMAL_INVALID, NULL },
        { "+0013912340000", NORMAL_INVALID, NULL },
        /* digests of phones */
        { "E10ADC3949BA59ABBE56E057F20F883E", NORMAL_USABLE,
          "md5:e10adc3949ba59abbe56e057f20f883e" },
        { "md5:e10adc3949ba59abbe56e057f20f883e", NORMAL_USABLE,
          "md5:e10adc3949ba59abbe56e057f20f883e" },
        { "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92", NORMAL_USABLE,
          "sha256:8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92" },
        { "md5:xyz", NORMAL_INVALID, NULL },
    };
    CHECK("mobile", cases);
}

static void test_emails(void **state)
{
    (void)state;
    static const struct value_case cases[] = {
        { "Li.Lei@Example.CN", NORMAL_USABLE, "li.lei@example.cn" },
        { " li@mail.cn ", NORMAL_USABLE, "li@mail.cn" },
        { "ｌｉ＠ｍａｉｌ．ｃｎ", NORMAL_USABLE, "li@mail.cn" },
        { "l.i+tag@gmail.com", NORMAL_USABLE, "l.i+tag@gmail.com" }, /* dots and tags are hers */
        { "李雷@邮件.中国", NORMAL_USABLE, "李雷@邮件.中国" },
        { "test@test.com", NORMAL_BLOCKED, "test@test.com" },
        { "noreply@shop.cn", NORMAL_BLOCKED, "noreply@shop.cn" },
        { "a@example.com", NORMAL_BLOCKED, "a@example.com" },
        { "x@y.invalid", NORMAL_BLOCKED, "x@y.invalid" },
        { "l***@mail.cn", NORMAL_MASKED, NULL },
        { "li", NORMAL_INVALID, NULL },
        { "@mail.cn", NORMAL_INVALID, NULL },
        { "li@", NORMAL_INVALID, NULL },
        { "li@mail", NORMAL_INVALID, NULL },
        { "li lei@mail.cn", NORMAL_INVALID, NULL },
        { "a@b@c.cn", NORMAL_INVALID, NULL },
        { "a@.cn", NORMAL_INVALID, NULL },
        { "a@b.", NORMAL_INVALID, NULL },
    };
    CHECK("email", cases);
}

static void test_others(void **state)
{
    (void)state;
    static const struct value_case cases[] = {
        { "u1", NORMAL_USABLE, "u1" },
        { " u 1 ", NORMAL_USABLE, "u 1" },
        { "Ｕ１", NORMAL_USABLE, "U1" },
        { "u\xE2\x80\x8B"
          "1",
          NORMAL_USABLE, "u1" },
        { "李雷", NORMAL_USABLE, "李雷" },
        { "oABC_-xyz", NORMAL_USABLE, "oABC_-xyz" },
        { "a*b", NORMAL_USABLE, "a*b" },
        { "null", NORMAL_BLOCKED, "null" },
        { "NULL", NORMAL_BLOCKED, "NULL" },
        { "0", NORMAL_BLOCKED, "0" },
        { "-1", NORMAL_BLOCKED, "-1" },
        { "undefined", NORMAL_BLOCKED, "undefined" },
        { "00000000-0000-0000-0000-000000000000", NORMAL_BLOCKED,
          "00000000-0000-0000-0000-000000000000" },
        { "[object Object]", NORMAL_BLOCKED, "[object Object]" },
        { "未知", NORMAL_BLOCKED, "未知" },
        { "138****1234", NORMAL_MASKED, NULL },
        { "t**b", NORMAL_MASKED, NULL },
        { "小••", NORMAL_MASKED, NULL },
        { "", NORMAL_INVALID, NULL },
        { "a\x01"
          "b",
          NORMAL_INVALID, NULL },
        { "a\nb", NORMAL_INVALID, NULL },
        { "\xE2\x80\x8B", NORMAL_INVALID, NULL },
        { "u\xE2\x80\xE2\x81\xA2\x8B", NORMAL_INVALID, NULL },
        { "\xFF", NORMAL_INVALID, NULL },
    };
    CHECK("user_id", cases);
    static const struct value_case devices[] = {
        { "AB-1", NORMAL_USABLE, "ab-1" },
        { "000000000000000", NORMAL_BLOCKED, "000000000000000" },
        { "FFFFFFFFFFFFFFFF", NORMAL_BLOCKED, "ffffffffffffffff" }
    };
    CHECK("device", devices);
    /* Not cut: a cut id may be a stranger's. */
    char text[3000];
    str out;
    memset(text, 'x', sizeof text);
    text[0] = 'y';
    assert_int_equal(normalise_value(STR("user_id"), str_from_bytes(text, 255), &arena, &out),
                     NORMAL_USABLE);
    assert_int_equal(out.size, 255);
    assert_int_equal(normalise_value(STR("user_id"), str_from_bytes(text, 256), &arena, &out),
                     NORMAL_INVALID);
    assert_int_equal(normalise_value(STR("user_id"), str_from_bytes(text, 3000), &arena, &out),
                     NORMAL_INVALID);
}

static struct event_identifier make(const char *type, const char *namespace_, const char *raw,
                                    uint8_t flags, enum normal_form expected)
{
    struct event_identifier made = { .flags = 0xEE };
    err error = ERR_INTERNAL;
    enum normal_form form = identifier_make(keys, &arena, str_from_c(type), str_from_c(namespace_),
                                            str_from_c(raw), flags, &made, &error);
    assert_int_equal(form, expected);
    assert_int_equal(error, ERR_OK);
    if (form == NORMAL_MASKED || form == NORMAL_INVALID)
        assert_int_equal(made.flags, 0xEE);
    return made;
}

static str open_value(const struct event_identifier *identifier)
{
    str plain = STR_NONE;
    struct problem problem = { .error = ERR_OK };
    assert_int_equal(keys_unseal(keys, &arena, identifier->value, &plain, &problem), ERR_OK);
    return plain;
}

static void test_whole_identifiers(void **state)
{
    (void)state;
    struct event_identifier phone =
        make("mobile", "", "139 1234 0000", IDENTIFIER_VERIFIED, NORMAL_USABLE);
    assert_int_equal(phone.flags, IDENTIFIER_VERIFIED | IDENTIFIER_SEALED);
    assert_text(open_value(&phone), "+8613912340000");
    assert_int_equal(phone.other_hash_count, 3);
    uint8_t tail[16], zero[8] = { 0 };
    keys_hash(keys, STR("tail"), STR("0000"), tail);
    assert_memory_equal(phone.tail_hash, tail, 8);
    /* Its digests are the same person. md5 and sha256 of "13912340000", sha256 of "+8613912340000" */
    static const char *const digests[] = {
        "7bedeaed183e2778bc658e28550a560b",
        "bb4794b2d416da1fd9145b9c68c4a38ef028e50eb1ef7123ae53111875f7f9d1",
        "27380876bed336a49060c63cb7fcfc4825717ec9e49ce3547153da03e070c3bd"
    };
    for (size_t i = 0; i < 3; i++) {
        struct event_identifier digest = make("mobile", "", digests[i], 0, NORMAL_USABLE);
        assert_int_equal(digest.flags, IDENTIFIER_HASHED);
        assert_memory_equal(digest.hash, phone.other_hashes[i], 16);
        assert_int_equal(digest.other_hash_count, 0);
        assert_memory_equal(digest.tail_hash, zero, 8);
        assert_true(str_starts_with(digest.value, i == 0 ? STR("md5:") : STR("sha256:")));
    }
    /* Two writings, one identifier; another type, another one. */
    struct event_identifier same = make("mobile", "", "+8613912340000", 0, NORMAL_USABLE);
    assert_memory_equal(same.hash, phone.hash, 16);
    struct event_identifier user = make("user_id", "", "13912340000", 0, NORMAL_USABLE);
    assert_memory_not_equal(user.hash, phone.hash, 16);
    assert_int_equal(user.flags, IDENTIFIER_SEALED); /* it looks like a phone */
    assert_int_equal(user.other_hash_count, 0);
    assert_memory_equal(user.tail_hash, phone.tail_hash, 8);
    assert_text(open_value(&user), "13912340000");
    struct event_identifier mail = make("user_id", "", "Li@Mail.cn", 0, NORMAL_USABLE);
    assert_text(open_value(&mail), "Li@Mail.cn");
    struct event_identifier plain = make("user_id", "", "u1", IDENTIFIER_OWN, NORMAL_USABLE);
    assert_int_equal(plain.flags, IDENTIFIER_OWN);
    assert_text(plain.value, "u1");
    assert_memory_equal(plain.tail_hash, zero, 8);
    struct event_identifier other = make("user_id", "brand", "u1", 0, NORMAL_USABLE);
    assert_memory_not_equal(plain.hash, other.hash, 16);
    struct event_identifier blocked = make("mobile", "", "13800138000", 0, NORMAL_BLOCKED);
    assert_int_equal(blocked.flags, IDENTIFIER_BLOCKED | IDENTIFIER_SEALED);
    assert_int_equal(blocked.other_hash_count, 0);
    make("mobile", "", "139****0000", 0, NORMAL_MASKED);
    make("mobile", "", "hello", 0, NORMAL_INVALID);
}

static void test_running_out_of_memory(void **state)
{
    (void)state;
    struct arena tiny;
    struct event_identifier out = { .flags = 0xEE };
    err error = ERR_OK;
    arena_init(&tiny, "tiny", 4);
    (void)identifier_make(keys, &tiny, STR("mobile"), STR_NONE, STR("13912340000"), 0, &out,
                          &error);
    assert_int_equal(error, ERR_NOMEM);
    assert_int_equal(out.flags, 0xEE);
    (void)identifier_make(keys, &tiny, STR("user_id"), STR_NONE, STR("u1"), 0, &out, &error);
    assert_int_equal(error, ERR_NOMEM);
    arena_deinit(&tiny);
}

static void test_order(void **state)
{
    (void)state;
    assert_int_equal(identifier_rank(STR("user_id")), 0);
    assert_true(identifier_rank(STR("mobile")) < identifier_rank(STR("wx_openid")));
    assert_true(identifier_rank(STR("order_no")) < identifier_rank(STR("loyalty")));
    assert_true(identifier_rank(STR("loyalty")) < identifier_rank(STR("receiver_key")));
    assert_true(identifier_rank(STR("device")) < identifier_rank(STR("anonymous_id")));
    struct event_identifier list[EVENT_IDENTIFIERS_MAX];
    list[0] = make("anonymous_id", "web", "a", IDENTIFIER_OWN, NORMAL_USABLE);
    list[1] = make("loyalty", "", "42", 0, NORMAL_USABLE);
    list[2] = make("email", "", "li@mail.cn", 0, NORMAL_USABLE);
    list[3] = make("user_id", "", "u1", 0, NORMAL_USABLE);
    list[4] = make("email", "", "LI@mail.cn", IDENTIFIER_VERIFIED, NORMAL_USABLE);
    list[5] = make("wx_openid", "wx2", "o", 0, NORMAL_USABLE);
    list[6] = make("wx_openid", "wx1", "o", 0, NORMAL_USABLE);
    uint32_t count = 7;
    identifiers_sort(list, &count);
    assert_int_equal(count, 6);
    static const char *const order[] = { "user_id",   "email",   "wx_openid",
                                         "wx_openid", "loyalty", "anonymous_id" };
    for (uint32_t i = 0; i < count; i++)
        assert_text(list[i].type, order[i]);
    assert_true(list[1].flags & IDENTIFIER_VERIFIED); /* said twice, proven once */
    assert_text(list[2].namespace_, "wx1");
    /* any order of arrival gives one order */
    struct random_stream stream;
    random_seed(&stream, 7);
    for (int round = 0; round < 1000; round++) {
        struct event_identifier mixed[6];
        uint32_t left = 6, mixed_count = 6;
        struct event_identifier pool[6];
        memcpy(pool, list, sizeof pool);
        for (uint32_t i = 0; i < 6; i++) {
            uint64_t pick = random_below(&stream, left);
            mixed[i] = pool[pick];
            pool[pick] = pool[--left];
        }
        identifiers_sort(mixed, &mixed_count);
        for (uint32_t i = 0; i < 6; i++)
            assert_memory_equal(mixed[i].hash, list[i].hash, 16);
    }
    count = 0;
    identifiers_sort(list, &count);
    assert_int_equal(count, 0);
}

/* I5: a million hostile values; what is normalised once stays, and says the same of itself. */
static size_t hostile_value(struct random_stream *stream, char *out)
{
    static const char *const parts[] = {
        "139",
        "1234",
        "0000",
        "+86",
        "0086",
        "86",
        " ",
        "-",
        "(",
        ")",
        "\xC2\xA0",
        "\xE3\x80\x80",
        "１",
        "９",
        "＋",
        "'",
        "=\"",
        "\"",
        ".0",
        "17951",
        "12593",
        "@",
        ".cn",
        "Li",
        "LI@MAIL.CN",
        "*",
        "****",
        "x",
        "转",
        "e",
        "E+10",
        "null",
        "0",
        "00000000",
        "\xE2\x80\x8B",
        "\xE2\x80\xAE",
        "\xEF\xBB\xBF",
        "İ",
        "ß",
        "Ａ",
        "＠",
        "\t",
        "\x7F",
        "tel:",
        "md5:",
        "sha256:",
        "e10adc3949ba59abbe56e057f20f883e",
        "13912340000",
        "021",
        "62345678",
        "gmail.com",
        "l.i",
        "\xF0\x9F\x98\x80",
        "●",
        "•",
        "\xC2\xAD",
        "+",
        "/",
        "1",
        "8",
        "5",
    };
    size_t size = 0;
    for (uint64_t n = 1 + random_below(stream, 6); n > 0; n--) {
        const char *part = parts[random_below(stream, sizeof parts / sizeof parts[0])];
        memcpy(out + size, part, strlen(part));
        size += strlen(part);
    }
    if (random_below(stream, 1000) == 0) {
        memset(out + size, 'z', 300);
        size += 300;
    }
    return size;
}

static void test_hostile_values(void **state)
{
    (void)state;
    static const char *const types[] = { "mobile", "email",     "user_id",
                                         "device", "wx_openid", "brand.own" };
    struct random_stream stream;
    size_t usable = 0;
    random_seed(&stream, 20261121);
    for (int round = 0; round < 1000000; round++) {
        char raw[1000];
        str type = str_from_c(types[random_below(&stream, 6)]), once = STR_NONE, twice = STR_NONE;
        size_t size = hostile_value(&stream, raw);
        enum normal_form form = normalise_value(type, str_from_bytes(raw, size), &arena, &once);
        if (form == NORMAL_USABLE || form == NORMAL_BLOCKED) {
            usable++;
            assert_true(once.size > 0 && once.size <= 255);
            assert_true(str_is_utf8(once));
            enum normal_form again = normalise_value(type, once, &arena, &twice);
            if (again != form || !str_equal(once, twice))
                fail_msg("round %d: " STR_FMT " '%.*s' becomes '" STR_FMT "' (%d), then '" STR_FMT
                         "' (%d)",
                         round, STR_ARG(type), (int)size, raw, STR_ARG(once), (int)form,
                         STR_ARG(twice), (int)again);
        }
        if (round % 1000 == 0)
            arena_reset(&arena);
    }
    assert_true(usable > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_phones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_emails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_whole_identifiers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_running_out_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_values, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
