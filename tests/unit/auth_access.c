/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords, sessions, wrong tries, roles. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "access/password.h"
#include "access/user.h"
#include "base/clock.h"
#include "base/digest.h"

static void test_hash_and_check(void **state)
{
    char one[PASSWORD_HASH_BYTES], other[PASSWORD_HASH_BYTES];
    (void)state;
    assert_ok(password_hash(STR("correct horse"), one));
    assert_ok(password_hash(STR("correct horse"), other));
    assert_string_not_equal(one, other);
    assert_true(str_starts_with(str_from_c(one), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_true(password_is_right(str_from_c(one), STR("correct horse")));
    assert_false(password_is_right(str_from_c(one), STR("correct horsE")));
    assert_false(password_is_right(str_from_c(one), STR("")));
    assert_false(password_is_right(STR_NONE, STR("correct horse")));
    assert_false(password_is_right(STR("$argon2id$broken"), STR("correct horse")));
}

static void test_weak_ones(void **state)
{
    static const char *const weak[] = {
        "",         "short",      "1234567",   "12345678",  "1234567890", "87654321",
        "aaaaaaaa", "abcdefgh",   "password",  "PASSWORD1", "p@ssw0rd",   "qwertyuiop",
        "1qaz2wsx", "woaini1314", "abcabcabc", "12341234",  "lindsey1",   "Butterfly",
        "1Q2W3E4R", "football1",  "linlinlin1" /* login and little more */
    };
    static const char *const strong[] = { "correct horse", "8 characters",  "tz4-Lq9w",
                                          "花知晓花知晓",  "lindsey1-over", "abcabcab!" };
    struct problem problem;
    (void)state;
    for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
        if (password_check_strength(STR("linlinlin"), str_from_c(weak[i]), &problem) !=
            ERR_UNPROCESSABLE)
            fail_msg("'%s' is taken", weak[i]);
    for (size_t i = 0; i < sizeof(strong) / sizeof(strong[0]); i++)
        if (password_check_strength(STR("lin"), str_from_c(strong[i]), &problem) != ERR_OK)
            fail_msg("'%s' is refused: %s", strong[i], problem.detail);
    char large[PASSWORD_BYTES_MAX + 2];
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)('a' + i * 7 % 26);
    assert_err(password_check_strength(STR("lin"), str_from_bytes(large, sizeof(large)), &problem),
               ERR_UNPROCESSABLE);
}

static struct permissions of(const char *patterns)
{
    struct permissions set = { .words = { 0 } };
    str rest = str_from_c(patterns), pattern;
    while (str_split(&rest, ' ', &pattern))
        assert_true(permissions_add_pattern(&set, pattern));
    return set;
}

static void test_permissions(void **state)
{
    struct permissions all = of("*"), sees = of("*.see"), tags = of("tag.*");
    enum permission missing;
    (void)state;
    assert_int_equal(permissions_count(&all), PERMISSION_COUNT);
    assert_int_equal(permissions_count(&tags), 2);
    assert_true(permissions_hold(&tags, PERMISSION_TAG_CHANGE));
    assert_false(permissions_hold(&tags, PERMISSION_SEGMENT_SEE));
    assert_true(permissions_within(&tags, &all, NULL));
    assert_false(permissions_within(&tags, &sees, &missing));
    assert_int_equal(missing, PERMISSION_TAG_CHANGE);
    struct permissions both = permissions_both(&tags, &sees);
    assert_int_equal(permissions_count(&both), 1);
    /* A1: what no set holds */
    struct permissions none = { .words = { 0 } };
    assert_true(permissions_hold(&none, PERMISSION_SIGNED_IN));
    assert_false(permissions_hold(&all, PERMISSION_SYSTEM));
    /* A2: an unknown text grants nothing */
    static const char *const unknown[] = { "",
                                           ".",
                                           "*.",
                                           ".*",
                                           "customer",
                                           "customer.",
                                           "see",
                                           "customer.sees",
                                           "Customer.see",
                                           "customer.see ",
                                           "**" };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        if (permissions_add_pattern(&none, str_from_c(unknown[i])))
            fail_msg("'%s' grants something", unknown[i]);
    assert_int_equal(permissions_count(&none), 0);
    for (enum permission one = 0; one < PERMISSION_COUNT; one++) {
        struct permissions single = of(permission_text(one));
        assert_int_equal(permissions_count(&single), 1);
        assert_true(permissions_hold(&single, one));
    }
}

static void test_ready_roles(void **state)
{
    const struct ready_role *role;
    (void)state;
    for (size_t i = 0; (role = role_ready_at(i)) != NULL; i++) {
        assert_true(role_key_is_good(str_from_c(role->key)));
        assert_ptr_equal(role_ready(str_from_c(role->key)), role);
        assert_true(permissions_count(&role->permissions) > 0);
    }
    /* Only who administers changes who may; only some see in clear. */
    static const char *const others[] = { "operator", "analyst",   "adviser",
                                          "auditor",  "developer", "call_centre" };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const struct permissions *held = &role_ready(str_from_c(others[i]))->permissions;
        assert_false(permissions_hold(held, PERMISSION_USER_ADMINISTER));
        assert_false(permissions_hold(held, PERMISSION_ROLE_ADMINISTER));
        assert_int_equal(permissions_hold(held, PERMISSION_CUSTOMER_REVEAL),
                         strcmp(others[i], "operator") == 0 ||
                             strcmp(others[i], "call_centre") == 0);
    }
    /* What the old three could do, they can. */
    assert_true(str_equal(role_present_key(STR("viewer")), STR("analyst")));
    assert_string_equal(role_nearest(&role_ready(STR("analyst"))->permissions), "viewer");
    assert_string_equal(role_nearest(&role_ready(STR("operator"))->permissions), "operator");
    assert_string_equal(role_nearest(&role_ready(STR("administrator"))->permissions),
                        "administrator");
    assert_null(role_ready(STR("viewer")));
    assert_null(role_ready(STR("Operator")));
    assert_null(role_ready(STR("")));
}

static void hash_of(uint64_t number, uint8_t hash[SEAL_HASH_BYTES])
{
    hash128 wide = hash_bytes128(&number, sizeof(number), 7);
    memcpy(hash, &wide, SEAL_HASH_BYTES);
}

static void test_sessions(void **state)
{
    struct session_table *table;
    uint8_t one[SEAL_HASH_BYTES], other[SEAL_HASH_BYTES];
    int64_t now_ms = INT64_C(1700000000000);
    (void)state;
    assert_ok(session_table_new(&table));
    hash_of(1, one);
    hash_of(2, other);
    assert_true(session_touch(table, one, now_ms));
    assert_true(session_touch(table, one, now_ms + SESSION_IDLE_MS));
    assert_true(session_touch(table, one, now_ms + 2 * SESSION_IDLE_MS));
    assert_true(session_touch(table, other, now_ms));
    assert_false(session_touch(table, other, now_ms + SESSION_IDLE_MS + 1));
    /* What was idle for too long stays so, however often it is tried. */
    assert_false(session_touch(table, other, now_ms + SESSION_IDLE_MS + 2));
    for (uint64_t i = 10; i < 20000; i++) {
        uint8_t hash[SEAL_HASH_BYTES];
        hash_of(i, hash);
        assert_true(session_touch(table, hash, now_ms));
    }
    session_table_free(&table);
    assert_null(table);
}

static void test_throttle(void **state)
{
    struct throttle *throttle;
    int64_t now_ms = INT64_C(1700000000000), wait_s = 0;
    (void)state;
    assert_ok(throttle_new(&throttle));
    for (int i = 0; i < 10; i++) {
        assert_true(throttle_permits(throttle, STR("lin"), 10, now_ms, &wait_s));
        throttle_count(throttle, STR("lin"), now_ms);
    }
    assert_false(throttle_permits(throttle, STR("lin"), 10, now_ms + 1000, &wait_s));
    assert_int_equal(wait_s, 59);
    assert_true(throttle_permits(throttle, STR("lin"), 100, now_ms + 1000, &wait_s));
    assert_true(throttle_permits(throttle, STR("wang"), 10, now_ms, &wait_s));
    assert_true(throttle_permits(throttle, STR("lin"), 10, now_ms + MINUTE_MS, &wait_s));
    /* A new minute counts from one again. */
    throttle_count(throttle, STR("lin"), now_ms + MINUTE_MS);
    assert_true(throttle_permits(throttle, STR("lin"), 10, now_ms + MINUTE_MS, &wait_s));
    for (int i = 0; i < 10; i++)
        throttle_count(throttle, STR("lin"), now_ms + MINUTE_MS);
    assert_false(throttle_permits(throttle, STR("lin"), 10, now_ms + MINUTE_MS, &wait_s));
    throttle_forget(throttle, STR("lin"));
    assert_true(throttle_permits(throttle, STR("lin"), 10, now_ms + MINUTE_MS, &wait_s));
    throttle_free(&throttle);
}

/* An attack from many addresses costs the table its oldest entries, not its memory. */
static void test_throttle_is_bounded(void **state)
{
    struct throttle *throttle;
    char key[32];
    int64_t wait_s;
    (void)state;
    assert_ok(throttle_new(&throttle));
    for (int i = 0; i < 200000; i++) {
        snprintf(key, sizeof(key), "address:%d", i);
        throttle_count(throttle, str_from_c(key), 1000 + i);
    }
    for (int i = 0; i < 10; i++)
        throttle_count(throttle, STR("the last"), 300000);
    assert_false(throttle_permits(throttle, STR("the last"), 10, 300000, &wait_s));
    throttle_free(&throttle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_and_check),
        cmocka_unit_test(test_weak_ones),
        cmocka_unit_test(test_permissions),
        cmocka_unit_test(test_ready_roles),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_throttle),
        cmocka_unit_test(test_throttle_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
