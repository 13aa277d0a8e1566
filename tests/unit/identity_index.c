/* SPDX-License-Identifier: Apache-2.0 */
/* The index of identifiers beside a table that is too plain to be wrong: whatever comes, goes and changes. */
#include "support/cmocka.h"

#include <string.h>

#include "base/arena.h"
#include "identity/index.h"

#define KEYS 6000u

/* What is right: by number of the key; 0: not there. */
struct twin {
    struct index index;
    struct index_key keys[KEYS];
    uint32_t values[KEYS];
    uint64_t count;
    struct random_stream random;
};

/* Hashes of which many lie in few parts and want the same places: what a part can be asked for at worst. */
static struct index_key crowded_key(struct random_stream *random)
{
    struct index_key key;
    key.word[0] = (uint32_t)random_below(random, 3) << 30;
    key.word[1] = (uint32_t)random_below(random, 40) * UINT32_C(0x05000000);
    key.word[2] = (uint32_t)random_below(random, UINT64_C(1) << 24);
    return key;
}

static struct index_key spread_key(struct random_stream *random)
{
    uint64_t one = random_next(random), other = random_next(random);
    return (struct index_key){ { (uint32_t)one, (uint32_t)(one >> 32), (uint32_t)other } };
}

static bool same_key(const struct index_key *a, const struct index_key *b)
{
    return a->word[0] >> 24 == b->word[0] >> 24 && a->word[1] == b->word[1] &&
           (a->word[2] & 0xFFFFFF) == (b->word[2] & 0xFFFFFF);
}

static void twin_make(struct twin *twin, uint64_t seed,
                      struct index_key (*make)(struct random_stream *random))
{
    memset(twin, 0, sizeof *twin);
    random_seed(&twin->random, seed);
    assert_int_equal(index_init(&twin->index, INDEX_BITS_MIN), ERR_OK);
    for (uint32_t i = 0; i < KEYS; i++) {
        bool is_new;
        do {
            twin->keys[i] = make(&twin->random);
            is_new = true;
            for (uint32_t k = 0; k < i && is_new; k++)
                is_new = !same_key(&twin->keys[k], &twin->keys[i]);
        } while (!is_new);
    }
}

static void twin_check(const struct twin *twin)
{
    assert_int_equal(twin->index.count, twin->count);
    for (uint32_t i = 0; i < KEYS; i++)
        assert_int_equal(index_get(&twin->index, &twin->keys[i]), twin->values[i]);
}

static void put(struct twin *twin, uint32_t number, uint32_t value)
{
    if (twin->values[number] != 0) {
        index_change(&twin->index, &twin->keys[number], value);
    } else {
        assert_int_equal(index_add(&twin->index, &twin->keys[number], value), ERR_OK);
        twin->count++;
    }
    twin->values[number] = value;
}

static void take(struct twin *twin, uint32_t number)
{
    index_remove(&twin->index, &twin->keys[number], twin->values[number] + 1); /* not its value */
    assert_int_equal(index_get(&twin->index, &twin->keys[number]), twin->values[number]);
    if (twin->values[number] == 0)
        return;
    index_remove(&twin->index, &twin->keys[number], twin->values[number]);
    twin->values[number] = 0;
    twin->count--;
}

/* Puts outweigh takes, then takes outweigh puts, until nothing is left. */
static void live(struct twin *twin, uint32_t steps, uint32_t puts_of_ten)
{
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t number = (uint32_t)random_below(&twin->random, KEYS);
        if (random_below(&twin->random, 10) < puts_of_ten)
            put(twin, number, (uint32_t)random_below(&twin->random, UINT32_MAX) + 1);
        else
            take(twin, number);
    }
    twin_check(twin);
}

static void run_twin(uint64_t seed, struct index_key (*make)(struct random_stream *random))
{
    static struct twin twin;
    struct digest before = { .count = 0 }, after = { .count = 0 };
    twin_make(&twin, seed, make);
    live(&twin, 4000, 9);
    live(&twin, 20000, 6);
    index_digest(&twin.index, &before);
    index_shrink(&twin.index, 0, index_part_count(&twin.index));
    index_digest(&twin.index, &after);
    assert_memory_equal(&before, &after, sizeof before);
    twin_check(&twin);
    live(&twin, 20000, 2);
    index_shrink(&twin.index, 0, index_part_count(&twin.index));
    twin_check(&twin);
    for (uint32_t i = 0; i < KEYS; i++)
        take(&twin, i);
    assert_int_equal(twin.index.count, 0);
    twin_check(&twin);
    index_deinit(&twin.index);
}

static void whatever_comes_and_goes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_twin(seed, spread_key);
}

static void where_many_want_one_place(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_twin(seed, crowded_key);
}

/* Loaded in several indexes and settled: as if they had come one by one, the first of a key counts. */
static void run_settle(uint64_t seed, struct index_key (*make)(struct random_stream *random))
{
    static struct twin twin;
    struct index others[2];
    struct digest loaded = { .count = 0 }, lived = { .count = 0 };
    twin_make(&twin, seed, make);
    for (int i = 0; i < 2; i++)
        assert_int_equal(index_init(&others[i], INDEX_BITS_MIN), ERR_OK);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint64_t where = random_below(&twin.random, 3);
        struct index *index = where == 0 ? &twin.index : &others[where - 1];
        assert_int_equal(index_load(index, &twin.keys[i], i + 1), ERR_OK);
        if (i % 5 == 0) /* once more, later: it does not count */
            assert_int_equal(index_load(&others[1], &twin.keys[i], i + 1000000), ERR_OK);
        twin.values[i] = i + 1;
    }
    size_t lists = (size_t)1 << INDEX_LIST_BITS, middle = lists / 3;
    assert_int_equal(index_settle(&twin.index, others, 2, 0, middle), ERR_OK);
    assert_int_equal(index_settle(&twin.index, others, 2, middle, lists), ERR_OK);
    index_settled(&twin.index);
    twin.count = KEYS;
    twin_check(&twin);
    index_digest(&twin.index, &loaded);
    struct index again;
    assert_int_equal(index_init(&again, INDEX_BITS_MIN), ERR_OK);
    for (uint32_t i = KEYS; i-- > 0;)
        assert_int_equal(index_add(&again, &twin.keys[i], twin.values[i]), ERR_OK);
    index_digest(&again, &lived);
    assert_memory_equal(&loaded, &lived, sizeof loaded);
    index_deinit(&again);
    live(&twin, 5000, 5);
    for (int i = 0; i < 2; i++)
        index_deinit(&others[i]);
    index_deinit(&twin.index);
}

static void loading_is_as_living(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run_settle(seed, spread_key);
        run_settle(seed, crowded_key);
    }
}

/* What was reserved for is put in without memory. */
static void what_is_reserved_cannot_fail(void **state)
{
    static struct twin twin;
    (void)state;
    twin_make(&twin, 9, crowded_key);
    for (uint32_t i = 0; i + 2 < KEYS; i += 2) {
        /* Both in one part: it may be one of four that all share. */
        struct index_key second = twin.keys[i + 1];
        if (second.word[0] >> 24 != twin.keys[i].word[0] >> 24)
            continue;
        assert_int_equal(index_reserve(&twin.index, &twin.keys[i], 2), ERR_OK);
        size_t bytes = index_memory_bytes(&twin.index);
        put(&twin, i, i + 1);
        put(&twin, i + 1, i + 2);
        assert_int_equal(index_memory_bytes(&twin.index), bytes);
    }
    twin_check(&twin);
    index_deinit(&twin.index);
}

/* Pairs of numbers are kept whole: neighbours in both are different, and nothing else is found. */
static void pairs_are_whole(void **state)
{
    struct index index;
    (void)state;
    assert_int_equal(index_init(&index, INDEX_BITS_MIN), ERR_OK);
    for (uint32_t a = 1; a <= 100; a++)
        for (uint32_t b = 0; b < 100; b++) {
            struct index_key key = index_key_of_pair(a, b);
            assert_int_equal(index_add(&index, &key, a * 100 + b), ERR_OK);
        }
    for (uint32_t a = 0; a <= 150; a++)
        for (uint32_t b = 0; b < 150; b++) {
            struct index_key key = index_key_of_pair(a, b);
            bool there = a >= 1 && a <= 100 && b < 100;
            assert_int_equal(index_get(&index, &key), there ? a * 100 + b : 0);
        }
    index_deinit(&index);
}

/* An entry has its 11 bytes and little more, once there are many. */
static void little_is_left_free(void **state)
{
    struct index index;
    struct random_stream random;
    (void)state;
    random_seed(&random, 3);
    assert_int_equal(index_init(&index, INDEX_BITS_MIN), ERR_OK);
    size_t parts = index_memory_bytes(&index);
    for (uint32_t i = 1; i <= 300000; i++) {
        struct index_key key = spread_key(&random);
        assert_int_equal(index_add(&index, &key, i), ERR_OK);
        if (i >= 100000 && i % 10000 == 0)
            assert_in_range((index_memory_bytes(&index) - parts) * 10 / i, 110, 130);
    }
    index_deinit(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_comes_and_goes), cmocka_unit_test(where_many_want_one_place),
        cmocka_unit_test(loading_is_as_living),    cmocka_unit_test(what_is_reserved_cannot_fail),
        cmocka_unit_test(pairs_are_whole),         cmocka_unit_test(little_is_left_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
