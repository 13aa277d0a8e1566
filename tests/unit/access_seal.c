/* SPDX-License-Identifier: Apache-2.0 */
/* The key file, sealed texts, keyed hashes and one_id; formats pinned by vectors. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/seal.h"

#define MASTER_42 "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
#define MASTER_43 "Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0M="

static char folder[64], path[80];
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/kith-seal-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/keys", folder);
    arena_init(&arena, "test", 1 << 20);
    unsetenv("KITH_MASTER_KEY");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unsetenv("KITH_MASTER_KEY");
    unlink(path);
    rmdir(folder);
    arena_deinit(&arena);
    return 0;
}

static struct keys *open_keys(const char *master)
{
    struct keys *keys = NULL;
    struct problem problem = { .error = ERR_OK };
    if (master != NULL)
        setenv("KITH_MASTER_KEY", master, 1);
    else
        unsetenv("KITH_MASTER_KEY");
    if (keys_open(&keys, path, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return keys;
}

static void assert_refused(const char *master, err expected)
{
    struct keys *keys = NULL;
    struct problem problem = { .error = ERR_OK };
    if (master != NULL)
        setenv("KITH_MASTER_KEY", master, 1);
    else
        unsetenv("KITH_MASTER_KEY");
    assert_int_equal(keys_open(&keys, path, &problem), expected);
    assert_null(keys);
    assert_true(problem.detail[0] != '\0');
}

static void read_file(char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void hex(const uint8_t *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void test_key_file(void **state)
{
    (void)state;
    struct stat status;
    char first[2000], again[2000];
    uint8_t one[16], two[16];
    struct keys *keys = open_keys(NULL);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    read_file(first, sizeof first);
    assert_int_equal(strncmp(first, "kith-keys 3\nmaster ", 19), 0);
    keys_hash_identifier(keys, STR("user_id"), STR_NONE, STR("u"), one);
    keys_free(&keys);
    assert_null(keys);
    keys = open_keys(NULL);
    keys_hash_identifier(keys, STR("user_id"), STR_NONE, STR("u"), two);
    keys_free(&keys);
    read_file(again, sizeof again);
    assert_string_equal(first, again); /* opening writes nothing */
    assert_memory_equal(one, two, 16);
    /* Two folders never have the same. */
    unlink(path);
    keys = open_keys(NULL);
    keys_hash_identifier(keys, STR("user_id"), STR_NONE, STR("u"), two);
    keys_free(&keys);
    assert_memory_not_equal(one, two, 16);
}

static void test_master_from_outside(void **state)
{
    (void)state;
    char text[2000];
    struct keys *keys = open_keys(MASTER_42);
    keys_free(&keys);
    read_file(text, sizeof text);
    assert_non_null(strstr(text, "master environment\n"));
    assert_null(strstr(text, "QkJC"));
    keys = open_keys(MASTER_42);
    keys_free(&keys);
    assert_refused(NULL, ERR_INVALID);      /* kept outside, and not given */
    assert_refused(MASTER_43, ERR_INVALID); /* another one */
    assert_refused("short", ERR_INVALID);
    assert_refused("QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC", ERR_INVALID); /* 33 bytes */
}

static void test_damaged_files(void **state)
{
    (void)state;
    char good[2000], bad[2000];
    static const char *const texts[] = { "",
                                         "kith-keys 2\n",
                                         "kith-keys 3\n",
                                         "kith-keys 4\n",
                                         "kith-keys 1\nmaster x\nsealing 1\ncheck 00\n",
                                         "kith-keys 1\nmaster environment\nsealing 0\ncheck 00\n" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(texts[i]);
        assert_refused(NULL, ERR_CORRUPT);
    }
    unlink(path);
    struct keys *keys = open_keys(NULL);
    keys_free(&keys);
    read_file(good, sizeof good);
    /* every byte matters, save where another writing of the same key exists */
    for (size_t i = 0; i < strlen(good); i += 3) {
        memcpy(bad, good, sizeof bad);
        bad[i] = bad[i] == '~' ? '!' : '~';
        write_file(bad);
        assert_refused(NULL, ERR_CORRUPT);
    }
    /* another good key, but not the one that was checked */
    memcpy(bad, good, sizeof bad);
    memcpy(strstr(bad, "master ") + 7, MASTER_42, 44);
    write_file(bad);
    assert_refused(NULL, ERR_CORRUPT);
}

static void test_unwritable_folder(void **state)
{
    (void)state;
    struct keys *keys = NULL;
    struct problem problem = { .error = ERR_OK };
    assert_int_equal(keys_open(&keys, "/nowhere/at/all/keys", &problem), ERR_IO);
    assert_non_null(strstr(problem.detail, "/nowhere/at/all/keys"));
    keys = open_keys(NULL);
    unlink(path);
    assert_int_equal(keys_add(keys, path, 2, &problem), ERR_NOT_FOUND);
    keys_free(&keys);
}

static void test_seal(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct keys *keys = open_keys(NULL);
    char text[300];
    memset(text, 'x', sizeof text);
    for (size_t size = 0; size <= sizeof text; size++) {
        str sealed, plain, value = str_from_bytes(text, size);
        assert_int_equal(keys_seal(keys, &arena, value, &sealed), ERR_OK);
        assert_true(seal_is_sealed(sealed));
        assert_int_equal(keys_unseal(keys, &arena, sealed, &plain, &problem), ERR_OK);
        assert_true(str_equal(plain, value));
        arena_reset(&arena);
    }
    str a, b;
    assert_int_equal(keys_seal(keys, &arena, STR("+8613912340000"), &a), ERR_OK);
    assert_int_equal(keys_seal(keys, &arena, STR("+8613912340000"), &b), ERR_OK);
    assert_false(str_equal(a, b));
    assert_false(str_contains(a, STR("1391234")));
    keys_free(&keys);
}

static void test_seal_refuses(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct keys *keys = open_keys(NULL);
    static const char *const no_seals[] = {
        "",           "s1",        "s1:",       "s1:1:",     "s1:0:AAAA",
        "s1:01:AAAA", "s2:1:AAAA", "s1:1:AAAA", "s1:x:AAAA", "s1:99999999999:AAAA",
        "hello"
    };
    str sealed, plain;
    for (size_t i = 0; i < sizeof no_seals / sizeof no_seals[0]; i++) {
        assert_false(seal_is_sealed(str_from_c(no_seals[i])));
        assert_int_equal(keys_unseal(keys, &arena, str_from_c(no_seals[i]), &plain, &problem),
                         ERR_INVALID);
    }
    assert_int_equal(keys_seal(keys, &arena, STR("secret"), &sealed), ERR_OK);
    /* each single change of a character is found: in the prefix, the nonce, the text, the tag */
    char copy[200];
    for (size_t i = 0; i < sealed.size; i++) {
        memcpy(copy, sealed.data, sealed.size);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        str changed = str_from_bytes(copy, sealed.size);
        assert_int_not_equal(keys_unseal(keys, &arena, changed, &plain, &problem), ERR_OK);
    }
    for (size_t size = 0; size < sealed.size; size++)
        assert_int_not_equal(
            keys_unseal(keys, &arena, str_slice(sealed, 0, size), &plain, &problem), ERR_OK);
    /* of another folder */
    unlink(path);
    struct keys *others = open_keys(NULL);
    assert_int_equal(keys_unseal(others, &arena, sealed, &plain, &problem), ERR_CORRUPT);
    keys_free(&others);
    keys_free(&keys);
}

static void rotate(struct keys *keys, uint32_t number)
{
    struct problem problem = { .error = ERR_OK };
    assert_ok(keys_add(keys, path, number, &problem));
    assert_ok(keys_use(keys, path, number, &problem));
}

static void test_rotation(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    uint8_t before[16], after[16];
    char one_id_before[ONE_ID_BYTES + 1], one_id_after[ONE_ID_BYTES + 1];
    struct keys *keys = open_keys(NULL);
    str old, new, plain;
    assert_int_equal(keys_seal(keys, &arena, STR("v"), &old), ERR_OK);
    keys_hash_identifier(keys, STR("mobile"), STR_NONE, STR("v"), before);
    keys_one_id(keys, 7, one_id_before);
    assert_ok(keys_add(keys, path, 2, &problem));
    assert_int_equal(keys_known(keys), 2);
    assert_int_equal(keys_newest(keys), 1); /* it does not seal yet */
    assert_int_equal(keys_use(keys, path, 3, &problem), ERR_NOT_FOUND);
    for (uint32_t i = 2; i <= 12; i++)
        rotate(keys, i);
    rotate(keys, 5); /* is there already */
    assert_int_equal(keys_newest(keys), 12);
    assert_int_equal(keys_add(keys, path, SEALING_KEYS_MAX + 1, &problem), ERR_UNPROCESSABLE);
    keys_free(&keys);
    keys = open_keys(NULL);
    assert_int_equal(keys_seal(keys, &arena, STR("v"), &new), ERR_OK);
    assert_true(str_starts_with(old, STR("s1:1:")));
    assert_true(str_starts_with(new, STR("s1:C:")));
    assert_int_equal(keys_unseal(keys, &arena, old, &plain, &problem), ERR_OK);
    assert_true(str_equal(plain, STR("v")));
    assert_int_equal(keys_unseal(keys, &arena, new, &plain, &problem), ERR_OK);
    keys_hash_identifier(keys, STR("mobile"), STR_NONE, STR("v"), after);
    keys_one_id(keys, 7, one_id_after);
    assert_memory_equal(before, after, 16);
    assert_string_equal(one_id_before, one_id_after);
    keys_free(&keys);
}

/* Bytes of a record: what is before and behind a text may look like more of it. */
static size_t put_record(char *out, str text, const char *behind)
{
    int size =
        snprintf(out, 4000, "As1:%c" STR_FMT "%s\"s1:1:short\" s1:", 'x', STR_ARG(text), behind);
    return (size_t)size;
}

static void test_renewed_in_place(void **state)
{
    (void)state;
    static const char *const behind[] = { "",  "\"",       "\n",
                                          "A", "mobile_9", "AAAAAAAAAAAAAAAAAAAAAAAAA" };
    struct problem problem = { .error = ERR_OK };
    struct keys *one = open_keys(MASTER_42), *two = open_keys(MASTER_42);
    rotate(two, 2);
    struct keys *three = open_keys(MASTER_42);
    rotate(three, 3);
    char bytes[4000], before[4000], value[300];
    memset(value, 'v', sizeof value);
    for (size_t length = 0; length < sizeof value; length += length < 20 ? 1 : 37)
        for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
            str sealed, plain, text;
            assert_ok(keys_seal(one, &arena, str_from_bytes(value, length), &sealed));
            size_t size = put_record(bytes, sealed, behind[i]);
            memcpy(before, bytes, size);
            assert_int_equal(keys_renew(one, bytes, size), 0); /* it is the newest */
            assert_memory_equal(bytes, before, size);
            assert_int_equal(keys_count_old(two, str_from_bytes(bytes, size)), 1);
            assert_int_equal(keys_renew(two, bytes, size), 1);
            assert_int_equal(keys_renew(two, bytes, size), 0);
            text = str_from_bytes(bytes + 5, sealed.size);
            assert_memory_equal(bytes, before, 5);
            assert_memory_equal(bytes + 5 + text.size, before + 5 + text.size,
                                size - 5 - text.size);
            assert_true(str_starts_with(text, STR("s1:2:")));
            assert_ok(keys_unseal(two, &arena, text, &plain, &problem));
            assert_true(str_equal(plain, str_from_bytes(value, length)));
            /* who does not have key 2 says so, and leaves it as it is */
            assert_int_equal(keys_unseal(one, &arena, text, &plain, &problem), ERR_CORRUPT);
            assert_non_null(strstr(problem.detail, "key 2, which is not here"));
            assert_int_equal(keys_renew(one, bytes, size), 0);
            /* K2: by way of key 2 or at once */
            size = put_record(before, sealed, behind[i]);
            assert_int_equal(keys_renew(three, bytes, size), 1);
            assert_int_equal(keys_renew(three, before, size), 1);
            assert_memory_equal(bytes, before, size);
            arena_reset(&arena);
        }
    keys_free(&one);
    keys_free(&two);
    keys_free(&three);
}

static void test_removed(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct keys *keys = open_keys(NULL);
    str old, new, plain;
    char bytes[200];
    assert_ok(keys_seal(keys, &arena, STR("v"), &old));
    assert_int_equal(keys_remove(keys, path, 1, &problem), ERR_CONFLICT);
    rotate(keys, 2);
    rotate(keys, 3);
    assert_ok(keys_seal(keys, &arena, STR("v"), &new));
    assert_int_equal(keys_remove(keys, path, 3, &problem), ERR_CONFLICT);
    assert_ok(keys_remove(keys, path, 1, &problem));
    assert_ok(keys_unseal(keys, &arena, old, &plain, &problem)); /* while it is served */
    keys_free(&keys);
    keys = open_keys(NULL);
    assert_int_equal(keys_oldest(keys), 2);
    assert_int_equal(keys_newest(keys), 3);
    assert_int_equal(keys_unseal(keys, &arena, old, &plain, &problem), ERR_CORRUPT);
    assert_non_null(strstr(problem.detail, "key 1, which was removed"));
    assert_ok(keys_unseal(keys, &arena, new, &plain, &problem));
    memcpy(bytes, old.data, old.size);
    assert_int_equal(keys_renew(keys, bytes, old.size), 0);
    assert_memory_equal(bytes, old.data, old.size);
    rotate(keys, 4); /* what was removed stays so */
    keys_free(&keys);
    keys = open_keys(NULL);
    assert_int_equal(keys_oldest(keys), 2);
    assert_int_equal(keys_newest(keys), 4);
    keys_free(&keys);
}

/* What is in ledgers and warehouses for ever. */
static void test_vectors(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    write_file(
        "kith-keys 1\nmaster environment\nsealing 1\ncheck 5163158a24de96475f6852119d0f5314\n");
    struct keys *keys = open_keys(MASTER_42);
    uint8_t hash[16];
    char text[40], one_id[ONE_ID_BYTES + 1];
    keys_hash_identifier(keys, STR("mobile"), STR_NONE, STR("+8613912340000"), hash);
    hex(hash, 16, text);
    assert_string_equal(text, "60550ceec9c4b68be8fcd055405a37bb");
    keys_hash_identifier(keys, STR("anonymous_id"), STR("web"), STR("a1"), hash);
    hex(hash, 16, text);
    assert_string_equal(text, "c5f15b45c7b1407b802e3b58a33ca136");
    keys_hash(keys, STR("write_key"), STR("wk_shop"), hash);
    hex(hash, 16, text);
    assert_string_equal(text, "c89160924f19c67ccee4e6ec048c6200");
    keys_hash_message(keys, STR("message"), hash);
    hex(hash, 16, text);
    assert_string_equal(text, "ede342320edb7d7e37ca085fd00551ac");
    keys_fingerprint(keys, hash);
    hex(hash, 16, text);
    assert_string_equal(text, "5163158a24de96475f6852119d0f5314");
    keys_one_id(keys, 1, one_id);
    assert_string_equal(one_id, "c_fhevc23ykf1hw");
    keys_one_id(keys, UINT32_MAX, one_id);
    assert_string_equal(one_id, "c_839c4f00z8eeh");
    str plain;
    str sealed =
        STR("s1:1:jwoDqcvWCAoYOJVt5XH1lgc52yZeE8jOyepkA-CQU1Rh9gBFHOZzKgvOMLuORjwxCsYqQKD8");
    assert_int_equal(keys_unseal(keys, &arena, sealed, &plain, &problem), ERR_OK);
    assert_true(str_equal(plain, STR("+8613912340000")));
    keys_free(&keys);
}

static void test_hashes_keep_parts_apart(void **state)
{
    (void)state;
    struct keys *keys = open_keys(MASTER_42);
    uint8_t a[16], b[16];
    keys_hash_identifier(keys, STR("ab"), STR("c"), STR("d"), a);
    keys_hash_identifier(keys, STR("a"), STR("bc"), STR("d"), b);
    assert_memory_not_equal(a, b, 16);
    keys_hash(keys, STR("ab"), STR("c"), a);
    keys_hash(keys, STR("a"), STR("bc"), b);
    assert_memory_not_equal(a, b, 16);
    /* long values take another way and give the same as if they had not */
    char longer[2000];
    memset(longer, 'v', sizeof longer);
    keys_hash_identifier(keys, STR("t"), STR_NONE, str_from_bytes(longer, 2000), a);
    keys_hash_identifier(keys, STR("t"), STR_NONE, str_from_bytes(longer, 1999), b);
    assert_memory_not_equal(a, b, 16);
    keys_free(&keys);
}

static void test_one_id(void **state)
{
    (void)state;
    struct keys *keys = open_keys(MASTER_42);
    char one_id[ONE_ID_BYTES + 1], last[ONE_ID_BYTES + 1] = "";
    uint32_t number = 0;
    for (uint32_t i = 1; i < 100000; i += 7) {
        keys_one_id(keys, i, one_id);
        assert_int_equal(strlen(one_id), ONE_ID_BYTES);
        assert_true(keys_customer(keys, str_from_c(one_id), &number));
        assert_int_equal(number, i);
        assert_string_not_equal(one_id, last);
        memcpy(last, one_id, sizeof last);
    }
    /* guessing */
    uint32_t found = 0;
    uint64_t state_ = 88172645463325252u;
    for (int i = 0; i < 100000; i++) {
        char guess[ONE_ID_BYTES + 1] = "c_0";
        for (int d = 3; d < ONE_ID_BYTES; d++) {
            state_ ^= state_ << 13;
            state_ ^= state_ >> 7;
            state_ ^= state_ << 17;
            guess[d] = "0123456789abcdefghjkmnpqrstvwxyz"[state_ % 32];
        }
        found += keys_customer(keys, str_from_c(guess), &number);
    }
    assert_int_equal(found, 0);
    static const char *const wrong[] = { "",
                                         "c_",
                                         "c_000000000000",
                                         "c_00000000000000",
                                         "x_0000000000000",
                                         "c_z000000000000",
                                         "c_0i00000000000",
                                         "c_0000000000000" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(keys_customer(keys, str_from_c(wrong[i]), &number));
    keys_one_id(keys, 5, one_id);
    assert_false(keys_customer(keys, str_from_bytes(one_id, ONE_ID_BYTES - 1), &number));
    one_id[4] = (char)(one_id[4] - 32); /* capitals are another text */
    if (one_id[4] >= 'A')
        assert_false(keys_customer(keys, str_from_c(one_id), &number));
    keys_free(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_key_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_master_from_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unwritable_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_seal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_seal_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rotation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_renewed_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vectors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hashes_keep_parts_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_id, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
