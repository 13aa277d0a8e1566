/* SPDX-License-Identifier: Apache-2.0 */
/* The pack of identifiers: what is loaded with it is what is loaded without, however much of it there is, whatever was
 * done to its bytes, and whatever the ledger says of it. */
#include "support/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/people.h"

#define CHUNK_ROWS 16u

struct house {
    struct people people;
    char path[64];
};

static int open_house(void **state)
{
    struct house *house = calloc(1, sizeof(*house));
    assert_non_null(house);
    people_make(&house->people, true);
    snprintf(house->path, sizeof(house->path), "/tmp/kith_pack_XXXXXX");
    int file = mkstemp(house->path);
    assert_true(file >= 0);
    close(file);
    *state = house;
    return 0;
}

static int close_house(void **state)
{
    struct house *house = *state;
    unlink(house->path);
    people_remove(&house->people);
    free(house);
    return 0;
}

/* Visitors who sign in, some with a phone, some on a device of others; each third merges or moves something. */
static void live(struct people *people, unsigned from, unsigned to)
{
    char words[160];
    for (unsigned i = from; i < to; i++) {
        snprintf(words, sizeof(words), "anonymous_id:web=a%u device=d%u", i, i / 3);
        says(people, words);
        snprintf(words, sizeof(words), "user_id=u%u anonymous_id:web=a%u mobile=1380000%04u!", i, i,
                 i / 2);
        says(people, words);
    }
    people_commit(people);
}

static struct identity_pack *open_pack(struct house *house)
{
    struct problem problem = { .error = ERR_OK };
    struct identity_pack *pack = NULL;
    if (identity_pack_open(&pack, house->path, CHUNK_ROWS, house->people.ledger, &problem) !=
        ERR_OK)
        fail_msg("%s", problem.detail);
    return pack;
}

/* All that the ledger has; how many rows the pack has then. */
static uint32_t extend(struct house *house)
{
    struct problem problem = { .error = ERR_OK };
    struct identity_pack *pack = open_pack(house);
    bool added = true;
    while (added)
        if (identity_pack_extend(pack, house->people.ledger, &added, &problem) != ERR_OK)
            fail_msg("%s", problem.detail);
    assert_ok(ledger_drain(house->people.ledger));
    uint32_t rows = identity_pack_rows(pack);
    identity_pack_close(&pack);
    return rows;
}

/* With the pack as it lies there; how many rows of it count. */
static uint32_t loads_the_same(struct house *house)
{
    struct problem problem = { .error = ERR_OK };
    struct identity_pack *pack = open_pack(house);
    struct identity *loaded = NULL;
    struct digest alive = { .count = 0 }, again = { .count = 0 };
    assert_ok(identity_new(&loaded));
    if (identity_load_packed(loaded, house->people.ledger, pack, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    if (identity_check(loaded, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    identity_digest(house->people.identity, &alive);
    identity_digest(loaded, &again);
    assert_int_equal(alive.count, again.count);
    assert_true(alive.low == again.low && alive.high == again.high);
    uint32_t rows = identity_pack_rows(pack);
    identity_free(&loaded);
    identity_pack_close(&pack);
    return rows;
}

static bool keep_value(void *context, const struct ledger_value *values)
{
    struct buffer *kept = context;
    buffer_append_str(kept, values[1].bytes);
    return true;
}

static const struct ledger_value meta_key = { .kind = LEDGER_TEXT,
                                              .bytes = { "identity_pack", 13 } };

static void read_meta(struct house *house, struct buffer *kept)
{
    struct problem problem;
    buffer_init(kept, 1024);
    assert_ok(
        ledger_find(house->people.ledger, LEDGER_META, &meta_key, 1, keep_value, kept, &problem));
    assert_true(kept->size > 0);
}

static void write_meta(struct house *house, str value)
{
    struct ledger_writes *writes = ledger_writes_new(house->people.ledger);
    LEDGER_PUT(writes, LEDGER_META, meta_key, ledger_blob(value));
    assert_ok(ledger_apply(house->people.ledger, &writes, 0, NULL, NULL));
    assert_ok(ledger_drain(house->people.ledger));
}

static uint64_t file_bytes(const struct house *house)
{
    struct stat status;
    assert_int_equal(stat(house->path, &status), 0);
    return (uint64_t)status.st_size;
}

static void flip(const struct house *house, uint64_t offset)
{
    unsigned char byte;
    int file = open(house->path, O_RDWR);
    assert_int_equal(pread(file, &byte, 1, (off_t)offset), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, (off_t)offset), 1);
    close(file);
}

/* ---- tests ---- */

static void it_grows_and_loads(void **state)
{
    struct house *house = *state;
    live(&house->people, 0, 3);
    assert_int_equal(loads_the_same(house), 0);
    assert_int_equal(extend(house), 0); /* no whole chunk yet */
    live(&house->people, 3, 60);
    uint32_t first = extend(house);
    assert_true(first >= 4 * CHUNK_ROWS && first % CHUNK_ROWS == 0);
    assert_int_equal(loads_the_same(house), first);
    live(&house->people, 40, 140); /* and what was packed moves and merges */
    assert_int_equal(loads_the_same(house), first);
    uint32_t second = extend(house);
    assert_true(second > first);
    assert_int_equal(extend(house), second);
    assert_int_equal(loads_the_same(house), second);
}

/* K2, K3: each byte in turn; a head that does not fit makes the pack count as empty. */
static void a_damaged_one_is_not_believed(void **state)
{
    struct house *house = *state;
    live(&house->people, 0, 24);
    uint32_t rows = extend(house);
    uint64_t bytes = file_bytes(house);
    assert_true(rows > 2 * CHUNK_ROWS);
    for (uint64_t offset = 0; offset < bytes; offset += offset < 64 ? 1 : 13) {
        flip(house, offset);
        uint32_t counted = loads_the_same(house);
        assert_true(counted == rows || counted == 0);
        flip(house, offset);
    }
    assert_int_equal(loads_the_same(house), rows);
    assert_int_equal(truncate(house->path, (off_t)(bytes - 1)), 0);
    assert_int_equal(loads_the_same(house), rows); /* the last chunk comes from the ledger */
    assert_int_equal(truncate(house->path, (off_t)(bytes / 2)), 0);
    assert_int_equal(loads_the_same(house), 0);
    assert_int_equal(extend(house), rows); /* and is written anew */
    assert_int_equal(loads_the_same(house), rows);
    assert_int_equal(unlink(house->path), 0);
    assert_int_equal(loads_the_same(house), 0);
}

/* K1: the ledger lost its last commits, or comes out of a backup, or was never told. */
static void the_ledger_says_how_much_counts(void **state)
{
    struct house *house = *state;
    struct buffer before, after;
    live(&house->people, 0, 20);
    uint32_t first = extend(house);
    read_meta(house, &before);
    live(&house->people, 20, 80);
    uint32_t second = extend(house);
    read_meta(house, &after);
    assert_true(second > first && first > 0);
    write_meta(house, buffer_str(&before));
    assert_int_equal(loads_the_same(house), first);
    assert_int_equal(extend(house), second); /* over what lay there */
    assert_int_equal(loads_the_same(house), second);
    after.data[after.size - 1] = (char)(after.data[after.size - 1] ^ 1); /* another chain */
    write_meta(house, buffer_str(&after));
    assert_int_equal(loads_the_same(house), 0);
    write_meta(house, STR("?"));
    assert_int_equal(loads_the_same(house), 0);
    buffer_deinit(&before);
    buffer_deinit(&after);
}

/* A pack of another folder, with the same number of chunks. */
static void a_strange_one_is_not_used(void **state)
{
    struct house *house = *state;
    struct buffer mine;
    live(&house->people, 0, 40);
    assert_true(extend(house) > 0);
    read_meta(house, &mine);
    void *other_state;
    open_house(&other_state);
    struct house *other = other_state;
    live(&other->people, 1000, 1040);
    assert_true(extend(other) > 0);
    assert_int_equal(rename(other->path, house->path), 0);
    assert_int_equal(loads_the_same(house), 0);
    close_house(&other_state);
    buffer_deinit(&mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_grows_and_loads, open_house, close_house),
        cmocka_unit_test_setup_teardown(a_damaged_one_is_not_believed, open_house, close_house),
        cmocka_unit_test_setup_teardown(the_ledger_says_how_much_counts, open_house, close_house),
        cmocka_unit_test_setup_teardown(a_strange_one_is_not_used, open_house, close_house),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
