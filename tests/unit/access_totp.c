/* SPDX-License-Identifier: Apache-2.0 */
/* X2: the second factor against the vectors of RFC 6238; no step counts twice. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/totp.h"

static const uint8_t rfc_secret[TOTP_SECRET_BYTES] = "12345678901234567890";

/* Appendix B, SHA-1; the last six of its eight digits. */
static void test_x2_vectors_of_the_rfc(void **state)
{
    static const struct {
        int64_t seconds;
        const char *code;
    } vectors[] = { { 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
                    { 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" } };
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char code[TOTP_CODE_BYTES];
        totp_code(rfc_secret, vectors[i].seconds / 30, code);
        assert_string_equal(code, vectors[i].code);
    }
}

static void test_x2_a_step_counts_once(void **state)
{
    int64_t now_ms = INT64_C(1234567890000), step = 0, last = 0;
    char codes[5][TOTP_CODE_BYTES];
    (void)state;
    for (int i = 0; i < 5; i++)
        totp_code(rfc_secret, now_ms / TOTP_STEP_MS + i - 2, codes[i]);
    assert_false(totp_matches(rfc_secret, str_from_c(codes[0]), now_ms, last, &step));
    assert_true(totp_matches(rfc_secret, str_from_c(codes[1]), now_ms, last, &step));
    assert_int_equal(step, now_ms / TOTP_STEP_MS - 1);
    last = step;
    assert_false(totp_matches(rfc_secret, str_from_c(codes[1]), now_ms, last, &step));
    assert_true(totp_matches(rfc_secret, str_from_c(codes[3]), now_ms, last, &step));
    last = step;
    assert_false(totp_matches(rfc_secret, str_from_c(codes[2]), now_ms, last, &step));
    assert_false(totp_matches(rfc_secret, str_from_c(codes[4]), now_ms, last, &step));
    static const char *const wrong[] = { "", "0", "00592", "0059240", "00592a", "      " };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(totp_matches(rfc_secret, str_from_c(wrong[i]), now_ms, 0, &step));
}

static void test_uri(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    totp_write_uri(&out, rfc_secret, STR("熟客"), STR("lin@x.cn"));
    assert_str_equal(buffer_str(&out),
                     STR("otpauth://totp/%E7%86%9F%E5%AE%A2:lin%40x.cn?secret="
                         "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E7%86%9F%E5%AE%A2"));
    buffer_deinit(&out);
}

static void test_recovery(void **state)
{
    char folder[] = "/tmp/kith_access_totp_XXXXXX", path[64];
    char code[RECOVERY_CODE_BYTES], one[2 * SEAL_HASH_BYTES + 1], other[2 * SEAL_HASH_BYTES + 1];
    struct keys *keys;
    struct problem problem;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/keys", folder);
    assert_ok(keys_open(&keys, path, &problem));
    recovery_make(code);
    assert_int_equal(strlen(code), RECOVERY_CODE_BYTES - 1);
    assert_true(recovery_hash(keys, 7, str_from_c(code), one));
    assert_null(strstr(one, code));
    for (char *c = code; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c == '-' ? ' ' : *c;
    assert_true(recovery_hash(keys, 7, str_from_c(code), other));
    assert_string_equal(one, other);
    assert_true(recovery_hash(keys, 8, str_from_c(code), other));
    assert_string_not_equal(one, other);
    assert_false(recovery_hash(keys, 7, STR("abcde-fghi"), other));
    assert_false(recovery_hash(keys, 7, STR("abcde-fghij-klmno-pqrst-uvwxy-z"), other));
    keys_free(&keys);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x2_vectors_of_the_rfc),
        cmocka_unit_test(test_x2_a_step_counts_once),
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
