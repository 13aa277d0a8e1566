/* SPDX-License-Identifier: Apache-2.0 */
/* Integers and texts as they lie on disk; checksums, hashes, digests, random streams. */
#include "support/cmocka.h"

#include <string.h>

#include "base/codec.h"
#include "base/digest.h"

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

static void test_bytes_on_disk(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0x01,                                           /* u8 */
        0x03, 0x02,                                     /* u16 */
        0x07, 0x06, 0x05, 0x04,                         /* u32 */
        0x0F, 0x0E, 0x0D, 0x0C, 0x0B, 0x0A, 0x09, 0x08, /* u64 */
        0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, /* i64 -2 */
        0xAC, 0x02,                                     /* varint 300 */
        0x03,                                           /* zigzag -2 */
        0x02, 'h',  'i',                                /* text */
    };
    write_u8(&out, 1);
    write_u16(&out, 0x0203);
    write_u32(&out, 0x04050607);
    write_u64(&out, UINT64_C(0x08090A0B0C0D0E0F));
    write_i64(&out, -2);
    write_varint(&out, 300);
    write_zigzag(&out, -2);
    write_text(&out, STR("hi"));
    assert_int_equal(out.size, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    struct cursor cursor = cursor_over(buffer_str(&out));
    assert_int_equal(read_u8(&cursor), 1);
    assert_int_equal(read_u16(&cursor), 0x0203);
    assert_int_equal(read_u32(&cursor), 0x04050607);
    assert_true(read_u64(&cursor) == UINT64_C(0x08090A0B0C0D0E0F));
    assert_true(read_i64(&cursor) == -2);
    assert_int_equal(read_varint(&cursor), 300);
    assert_int_equal(read_zigzag(&cursor), -2);
    assert_str_equal(read_text(&cursor), STR("hi"));
    assert_int_equal(cursor_left(&cursor), 0);
    assert_false(cursor.failed);
}

static void test_varints_round_trip(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int64_t around = -2; around <= 2; around++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)around;
            buffer_clear(&out);
            write_varint(&out, value);
            write_zigzag(&out, (int64_t)value);
            struct cursor cursor = cursor_over(buffer_str(&out));
            assert_true(read_varint(&cursor) == value);
            assert_true(read_zigzag(&cursor) == (int64_t)value);
            assert_false(cursor.failed);
            assert_int_equal(cursor_left(&cursor), 0);
        }
}

static void test_hostile_varints(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        { "", 0 },
        { "\x80", 1 },                                          /* cut */
        { "\x80\x00", 2 },                                      /* padded */
        { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10 },     /* 65 bits */
        { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11 }, /* too long */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cursor cursor = cursor_over(str_from_bytes(cases[i].bytes, cases[i].size));
        assert_int_equal(read_varint(&cursor), 0);
        assert_true(cursor.failed);
    }
}

/* Every truncation of a record fails, stays failed, and reads nothing behind the end. */
static void test_truncation(void **state)
{
    (void)state;
    write_u16(&out, 1);
    write_text(&out, STR("abc"));
    write_u64(&out, 2);
    for (size_t size = 0; size < out.size; size++) {
        char piece[32];
        memcpy(piece, out.data, size);
        struct cursor cursor = cursor_over(str_from_bytes(piece, size));
        (void)read_u16(&cursor);
        (void)read_text(&cursor);
        (void)read_u64(&cursor);
        assert_true(cursor.failed);
        assert_int_equal(read_u8(&cursor), 0);
        assert_null(read_bytes(&cursor, 0).data);
    }
    struct cursor cursor = cursor_over(STR("\x05"
                                           "abc")); /* says five, has three */
    assert_int_equal(read_text(&cursor).size, 0);
    assert_true(cursor.failed);
    cursor = cursor_over(STR("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
                             "abc"));
    assert_int_equal(read_text(&cursor).size, 0);
    assert_true(cursor.failed);
}

static void test_crc32c(void **state)
{
    (void)state;
    /* RFC 3720, B.4. */
    uint8_t bytes[32] = { 0 };
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(crc32c(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, 32), 0x62A8AB43);
    for (size_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46DD794E);
    assert_int_equal(crc32c(0, NULL, 0), 0);
    /* In pieces as in one, at every cut. */
    for (size_t cut = 0; cut <= 32; cut++)
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, 32 - cut), 0x46DD794E);
    /* One flipped bit is always seen. */
    for (size_t bit = 0; bit < 256; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(crc32c(0, bytes, 32), 0x46DD794E);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void test_hashes_are_fixed_for_ever(void **state)
{
    (void)state;
    /* Stored digests depend on these; the values are those of the XXH3 reference. */
    assert_true(hash_bytes64("", 0, 0) == UINT64_C(0x2D06800538D394C2));
    hash128 hash = hash_bytes128("", 0, 0);
    assert_true(hash.high == UINT64_C(0x99AA06D3014798D8));
    assert_true(hash.low == UINT64_C(0x6001C324468D497F));
    assert_true(hash_bytes64("kith", 4, 1) != hash_bytes64("kith", 4, 2));
    assert_true(hash_mix64(0) == 0);
    assert_true(hash_mix64(UINT64_C(0x9E3779B97F4A7C15)) == UINT64_C(0xE220A8397B1DCDAF));
}

static void test_digest_ignores_order(void **state)
{
    (void)state;
    struct digest forward = { 0 }, backward = { 0 }, joined = { 0 }, half = { 0 };
    char text[DIGEST_TEXT_BYTES];
    for (uint32_t i = 0; i < 1000; i++)
        digest_add(&forward, &i, sizeof i);
    for (uint32_t i = 1000; i-- > 0;)
        digest_add(i < 500 ? &backward : &half, &i, sizeof i);
    digest_join(&joined, &half);
    digest_join(&joined, &backward);
    assert_memory_equal(&joined, &forward, sizeof joined);
    uint32_t extra = 1000;
    digest_add(&joined, &extra, sizeof extra);
    assert_true(joined.low != forward.low);
    digest_remove(&joined, &extra, sizeof extra);
    assert_memory_equal(&joined, &forward, sizeof joined);
    /* The same row twice is not the row gone. */
    digest_add(&joined, &extra, sizeof extra);
    digest_add(&joined, &extra, sizeof extra);
    assert_true(joined.low != forward.low && joined.count == 1002);
    digest_format(&(struct digest){ .low = 1, .high = UINT64_MAX, .count = 3 }, text);
    assert_string_equal(text, "ffffffffffffffff0000000000000001-3");
}

static void test_random_stream(void **state)
{
    (void)state;
    struct random_stream one, two;
    random_seed(&one, 42);
    random_seed(&two, 42);
    size_t counts[7] = { 0 };
    for (int i = 0; i < 70000; i++) {
        uint64_t value = random_below(&one, 7);
        assert_true(value == random_below(&two, 7));
        counts[value]++;
    }
    for (size_t i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    random_seed(&two, 43);
    assert_true(random_next(&one) != random_next(&two));
    for (int i = 0; i < 10000; i++) {
        double unit = random_unit(&one);
        assert_true(unit >= 0 && unit < 1);
        assert_int_equal(random_below(&one, 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_on_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_varints_round_trip, set_up, tear_down),
        cmocka_unit_test(test_hostile_varints),
        cmocka_unit_test_setup_teardown(test_truncation, set_up, tear_down),
        cmocka_unit_test(test_crc32c),
        cmocka_unit_test(test_hashes_are_fixed_for_ever),
        cmocka_unit_test(test_digest_ignores_order),
        cmocka_unit_test(test_random_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
