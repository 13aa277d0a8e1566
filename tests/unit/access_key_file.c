/* SPDX-License-Identifier: Apache-2.0 */
/* The file `keys`: its versions, keys that are destroyed, another master key, keys that come from another server.
 *
 * KITH_GOLDEN_WRITE=1 writes the golden file of version 3 anew: only when the format changes. */
#include "support/cmocka.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/seal.h"

#define MASTER_42 "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
#define MASTER_43 "Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0M="
#define FILE_BYTES 16384

static char folder[64], path[80];
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/kith-keys-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/keys", folder);
    arena_init(&arena, "test", 1 << 20);
    unsetenv("KITH_MASTER_KEY");
    unsetenv("KITH_MASTER_KEY_FILE");
    return 0;
}

static int tear_down(void **state)
{
    char name[400];
    unsetenv("KITH_MASTER_KEY");
    unsetenv("KITH_MASTER_KEY_FILE");
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        unlink(name);
    }
    closedir(entries);
    rmdir(folder);
    arena_deinit(&arena);
    (void)state;
    return 0;
}

static err try_open(struct keys **keys, const char *master, struct problem *problem)
{
    *keys = NULL;
    if (master != NULL)
        setenv("KITH_MASTER_KEY", master, 1);
    else
        unsetenv("KITH_MASTER_KEY");
    return keys_open(keys, path, problem);
}

static struct keys *open_keys(const char *master)
{
    struct keys *keys = NULL;
    struct problem problem = { .error = ERR_OK };
    if (try_open(&keys, master, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return keys;
}

static void assert_refused(const char *master, err expected)
{
    struct keys *keys;
    struct problem problem = { .error = ERR_OK };
    assert_int_equal(try_open(&keys, master, &problem), expected);
    assert_null(keys);
}

static void rotate(struct keys *keys, const char *file, uint32_t number)
{
    struct problem problem = { .error = ERR_OK };
    assert_ok(keys_add(keys, file, number, &problem));
    assert_ok(keys_use(keys, file, number, &problem));
}

static size_t read_file(const char *name, char *text, size_t room)
{
    FILE *file = fopen(name, "re");
    assert_non_null(file);
    size_t size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
    return size;
}

static void write_file(const char *name, const char *text, size_t size)
{
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
}

static void assert_opens(const struct keys *keys, str sealed, const char *wanted)
{
    struct problem problem = { .error = ERR_OK };
    str plain;
    if (keys_unseal(keys, &arena, sealed, &plain, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    assert_true(str_equal(plain, str_from_c(wanted)));
}

static str seal(const struct keys *keys, const char *value)
{
    str sealed;
    assert_ok(keys_seal(keys, &arena, str_from_c(value), &sealed));
    return sealed;
}

/* ---- versions ---- */

static const char version_1[] =
    "kith-keys 1\nmaster environment\nsealing 1\ncheck 5163158a24de96475f6852119d0f5314\n";
static const char version_2[] =
    "kith-keys 2\nmaster environment\nsealing 3 from 2\ncheck 5163158a24de96475f6852119d0f5314\n";
/* Sealed by key 1 of such a folder, once. */
static const char derived_text[] =
    "s1:1:jwoDqcvWCAoYOJVt5XH1lgc52yZeE8jOyepkA-CQU1Rh9gBFHOZzKgvOMLuORjwxCsYqQKD8";

/* What was derived from the master key stays readable, and goes away with a rotation. */
static void test_derived_keys(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    char text[FILE_BYTES];
    uint8_t before[16], after[16];
    write_file(path, version_1, strlen(version_1));
    struct keys *keys = open_keys(MASTER_42);
    assert_opens(keys, str_from_c(derived_text), "+8613912340000");
    keys_fingerprint(keys, before);
    read_file(path, text, sizeof text);
    assert_string_equal(text, version_1); /* it is written when it changes */
    rotate(keys, path, 2);
    str new = seal(keys, "v");
    keys_free(&keys);
    read_file(path, text, sizeof text);
    assert_int_equal(strncmp(text, "kith-keys 3\nmaster environment\n", 31), 0);
    keys = open_keys(MASTER_42);
    assert_opens(keys, str_from_c(derived_text), "+8613912340000");
    assert_opens(keys, new, "v");
    keys_fingerprint(keys, after);
    assert_memory_equal(before, after, sizeof before);
    assert_ok(keys_remove(keys, path, 1, &problem));
    keys_free(&keys);
    /* key 2 is none that the master key gives */
    write_file(path, version_2, strlen(version_2));
    keys = open_keys(MASTER_42);
    assert_int_equal(keys_oldest(keys), 2);
    assert_int_equal(keys_newest(keys), 3);
    str plain;
    assert_int_equal(keys_unseal(keys, &arena, new, &plain, &problem), ERR_CORRUPT);
    keys_free(&keys);
}

#define GOLDEN KITH_SOURCE_DIR "/tests/golden/keys/version-3"

static void write_golden(void)
{
    char text[FILE_BYTES];
    struct problem problem = { .error = ERR_OK };
    struct keys *keys = open_keys(MASTER_42);
    rotate(keys, path, 2);
    str two = seal(keys, "+8613912340000");
    rotate(keys, path, 3);
    assert_ok(keys_remove(keys, path, 1, &problem));
    assert_ok(keys_add(keys, path, 4, &problem));
    write_file(GOLDEN, text, read_file(path, text, sizeof text));
    str three = seal(keys, "+8613912340000");
    snprintf(text, sizeof text, STR_FMT "\n" STR_FMT "\n", STR_ARG(two), STR_ARG(three));
    write_file(GOLDEN ".texts", text, strlen(text));
    keys_free(&keys);
    unlink(path);
}

static void test_golden(void **state)
{
    (void)state;
    char text[FILE_BYTES], sealed[1000];
    if (getenv("KITH_GOLDEN_WRITE") != NULL)
        write_golden();
    write_file(path, text, read_file(GOLDEN, text, sizeof text));
    str rest = str_from_bytes(sealed, read_file(GOLDEN ".texts", sealed, sizeof sealed)), line;
    struct keys *keys = open_keys(MASTER_42);
    assert_int_equal(keys_oldest(keys), 2);
    assert_int_equal(keys_newest(keys), 3);
    assert_int_equal(keys_known(keys), 4);
    while (str_split(&rest, '\n', &line) && line.size > 0)
        assert_opens(keys, line, "+8613912340000");
    keys_free(&keys);
    assert_refused(MASTER_43, ERR_INVALID);
    assert_refused(NULL, ERR_INVALID);
}

/* M2: each byte counts, and each line is of its place in its own file. */
static void test_damage(void **state)
{
    (void)state;
    char good[FILE_BYTES], bad[FILE_BYTES], other[FILE_BYTES];
    struct problem problem = { .error = ERR_OK };
    struct keys *keys = open_keys(MASTER_42), *broken;
    rotate(keys, path, 2);
    keys_free(&keys);
    size_t size = read_file(path, good, sizeof good);
    for (size_t i = 0; i < size; i++) {
        memcpy(bad, good, size);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        write_file(path, bad, size);
        if (try_open(&broken, MASTER_42, &problem) == ERR_OK)
            fail_msg("byte %zu is not looked at", i);
    }
    for (size_t cut = 0; cut < size; cut++) {
        write_file(path, good, cut);
        assert_true(try_open(&broken, MASTER_42, &problem) != ERR_OK);
    }
    /* a key of the file as it was before, of the same folder and master key */
    write_file(path, good, size);
    keys = open_keys(MASTER_42);
    rotate(keys, path, 3);
    keys_free(&keys);
    read_file(path, other, sizeof other);
    char *from = strstr(good, "key 2 "), *to = strstr(other, "key 2 ");
    memcpy(to, from, strcspn(from, "\n"));
    write_file(path, other, strlen(other));
    assert_refused(MASTER_42, ERR_CORRUPT);
}

/* ---- destroying ---- */

/* K3: with the file, the master key, and all that is in this folder nobody opens what a removed key sealed. */
static void test_destroyed(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    char text[FILE_BYTES], sealed[200];
    struct keys *keys = open_keys(MASTER_42);
    str old = seal(keys, "v"), plain;
    assert_true(old.size < sizeof sealed);
    rotate(keys, path, 2);
    assert_ok(keys_remove(keys, path, 1, &problem));
    keys_free(&keys);
    read_file(path, text, sizeof text);
    assert_null(strstr(text, "\nkey 1 "));
    assert_non_null(strstr(text, "\nkey 2 "));
    keys = open_keys(MASTER_42);
    /* not refused by its number alone: the bytes of the key are nowhere */
    memcpy(sealed, old.data, old.size);
    for (char digit = '1'; digit <= '2'; digit++) {
        sealed[3] = digit;
        assert_int_equal(
            keys_unseal(keys, &arena, str_from_bytes(sealed, old.size), &plain, &problem),
            ERR_CORRUPT);
    }
    keys_free(&keys);
    unlink(path); /* nor does the master key give it again */
    keys = open_keys(MASTER_42);
    assert_int_equal(keys_unseal(keys, &arena, old, &plain, &problem), ERR_CORRUPT);
    keys_free(&keys);
}

/* M1: the file of before is overwritten before its name goes, and after a crash as the next one opens. */
static void test_overwritten(void **state)
{
    (void)state;
    char before[FILE_BYTES], name[100], link_name[100], text[FILE_BYTES];
    struct problem problem = { .error = ERR_OK };
    struct keys *keys = open_keys(NULL);
    size_t size = read_file(path, before, sizeof before);
    snprintf(name, sizeof name, "%s.old", path);
    snprintf(link_name, sizeof link_name, "%s/link", folder);
    assert_int_equal(link(path, link_name), 0);
    rotate(keys, path, 2);
    assert_int_equal(access(name, F_OK), -1);
    assert_int_equal(read_file(link_name, text, sizeof text), size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(text[i], 0);
    /* killed behind the rename */
    write_file(name, before, size);
    assert_int_equal(unlink(link_name) + link(name, link_name), 0);
    keys_free(&keys);
    keys = open_keys(NULL);
    assert_int_equal(access(name, F_OK), -1);
    read_file(link_name, text, sizeof text);
    assert_int_equal(text[0], 0);
    keys_free(&keys);
    /* killed before it: both names are one file, and that stays */
    assert_int_equal(link(path, name), 0);
    keys = open_keys(NULL);
    keys_free(&keys);
    assert_int_equal(access(name, F_OK), -1);
    keys = open_keys(NULL);
    assert_int_equal(keys_newest(keys), 2);
    assert_ok(keys_remove(keys, path, 1, &problem));
    keys_free(&keys);
}

/* ---- the master key ---- */

static void test_another_master(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    char before[FILE_BYTES], after[FILE_BYTES], text[FILE_BYTES];
    struct keys *keys = open_keys(MASTER_42);
    uint8_t hash[16], again[16];
    rotate(keys, path, 2);
    str sealed = seal(keys, "v");
    keys_hash(keys, STR("tail"), STR("0000"), hash);
    keys_free(&keys);
    setenv("KITH_MASTER_KEY", MASTER_43, 1);
    assert_int_equal(keys_change_master(path, STR_NONE, &problem), ERR_INVALID);
    setenv("KITH_MASTER_KEY", MASTER_42, 1);
    assert_int_equal(keys_change_master(path, STR("short"), &problem), ERR_INVALID);
    keys = open_keys(MASTER_42); /* nothing has changed */
    keys_free(&keys);
    assert_ok(keys_change_master(path, STR(MASTER_43), &problem));
    assert_refused(MASTER_42, ERR_INVALID);
    keys = open_keys(MASTER_43);
    assert_opens(keys, sealed, "v");
    keys_hash(keys, STR("tail"), STR("0000"), again);
    assert_memory_equal(hash, again, sizeof hash);
    keys_free(&keys);
    /* into the file: another one each time that it is written */
    setenv("KITH_MASTER_KEY", MASTER_43, 1);
    assert_ok(keys_change_master(path, STR_NONE, &problem));
    assert_refused(MASTER_43, ERR_INVALID);
    keys = open_keys(NULL);
    assert_opens(keys, sealed, "v");
    read_file(path, before, sizeof before);
    rotate(keys, path, 3);
    keys_free(&keys);
    read_file(path, after, sizeof after);
    assert_int_not_equal(strncmp(before, after, 76), 0);
    /* and out of it */
    assert_ok(keys_change_master(path, STR(MASTER_42), &problem));
    read_file(path, text, sizeof text);
    assert_non_null(strstr(text, "\nmaster environment\n"));
    keys = open_keys(MASTER_42);
    assert_opens(keys, sealed, "v");
    keys_free(&keys);
}

static void test_master_in_a_file(void **state)
{
    (void)state;
    char name[100];
    snprintf(name, sizeof name, "%s/master", folder);
    setenv("KITH_MASTER_KEY_FILE", name, 1);
    assert_refused(NULL, ERR_INVALID); /* it is not there */
    write_file(name, "short\n", 6);
    assert_refused(NULL, ERR_INVALID);
    write_file(name, MASTER_42 "\n", sizeof MASTER_42);
    struct keys *keys = open_keys(NULL);
    str sealed = seal(keys, "v");
    keys_free(&keys);
    unsetenv("KITH_MASTER_KEY_FILE");
    assert_refused(NULL, ERR_INVALID);
    keys = open_keys(MASTER_42);
    assert_opens(keys, sealed, "v");
    keys_free(&keys);
}

/* ---- several servers ---- */

static void test_from_another_server(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    char text[FILE_BYTES], theirs[100];
    uint8_t two[SEAL_SHARED_BYTES], three[SEAL_SHARED_BYTES], bad[SEAL_SHARED_BYTES];
    const str shared_two = str_from_bytes((char *)two, sizeof two),
              shared_three = str_from_bytes((char *)three, sizeof three);
    snprintf(theirs, sizeof theirs, "%s/theirs", folder);
    write_file(path, version_1, strlen(version_1)); /* both begin with a file of before */
    write_file(theirs, version_1, strlen(version_1));
    struct keys *active = open_keys(MASTER_42), *follower = NULL;
    assert_ok(keys_open(&follower, theirs, &problem));
    rotate(active, path, 2);
    keys_share(active, 2, two);
    rotate(active, path, 3);
    keys_share(active, 3, three);
    str sealed = seal(active, "v"), plain;
    assert_int_equal(keys_unseal(follower, &arena, sealed, &plain, &problem), ERR_CORRUPT);
    /* not in turn, damaged, as another number */
    assert_int_equal(keys_take(follower, theirs, 3, shared_three, &problem), ERR_CORRUPT);
    assert_int_equal(keys_take(follower, theirs, 2, shared_three, &problem), ERR_CORRUPT);
    assert_int_equal(keys_take(follower, theirs, 2, STR_NONE, &problem), ERR_CORRUPT);
    memcpy(bad, two, sizeof bad);
    bad[30] ^= 1;
    assert_int_equal(
        keys_take(follower, theirs, 2, str_from_bytes((char *)bad, sizeof bad), &problem),
        ERR_CORRUPT);
    assert_int_equal(keys_known(follower), 1);
    assert_ok(keys_take(follower, theirs, 2, shared_two, &problem));
    assert_ok(keys_take(follower, theirs, 3, shared_three, &problem));
    assert_ok(keys_take(follower, theirs, 3, STR_NONE, &problem)); /* it is there */
    assert_opens(follower, sealed, "v");
    assert_int_equal(keys_newest(follower), 1); /* it seals when it is told */
    assert_ok(keys_use(follower, theirs, 3, &problem));
    assert_opens(active, seal(follower, "w"), "w");
    keys_free(&follower);
    assert_ok(keys_open(&follower, theirs, &problem)); /* and keeps it */
    assert_int_equal(keys_newest(follower), 3);
    /* another folder's file in our place */
    unlink(path);
    struct keys *stranger = open_keys(MASTER_42);
    assert_int_equal(keys_add(active, path, 4, &problem), ERR_CONFLICT);
    assert_int_equal(keys_take(stranger, path, 2, shared_two, &problem), ERR_CORRUPT);
    keys_fingerprint(stranger, (uint8_t *)text);
    keys_fingerprint(active, (uint8_t *)text + 16);
    assert_memory_not_equal(text, text + 16, 16);
    keys_free(&stranger);
    keys_free(&follower);
    keys_free(&active);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_derived_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_golden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroyed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_overwritten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_master, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_master_in_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_from_another_server, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
