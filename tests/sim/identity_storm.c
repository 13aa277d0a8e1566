/* SPDX-License-Identifier: Apache-2.0 */
/* Many at once: one phone of 100,000 people, chains, stars and circles of a million (I1, I2). Against an
 * offline union-find, and with the time it takes printed, not asserted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/cmocka.h"
#include "support/people.h"

#define CROWD 100000
#define MANY 1000000u

/* Identifiers by number, without texts: fast enough for millions. */
static uint32_t resolve(struct people *people, const char *type, const uint32_t *numbers,
                        uint32_t count)
{
    struct event_identifier identifiers[2];
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value[2] = { numbers[i], (uint64_t)type[0] };
        hash128 hash = hash_bytes128(value, sizeof(value), 5);
        identifiers[i] =
            (struct event_identifier){ .type = str_from_c(type), .flags = IDENTIFIER_VERIFIED };
        memcpy(identifiers[i].hash, &hash, HASH_BYTES);
    }
    people->now_ms++;
    struct event event = { .seq = ++people->seq,
                           .received_ms = people->now_ms,
                           .time_ms = people->now_ms,
                           .kind = EVENT_TRACK,
                           .flags = EVENT_TRUSTED,
                           .source_number = 1,
                           .identifier_count = count,
                           .identifiers = identifiers };
    assert_ok(identity_resolve(people->identity, &event, people->writes, &people->last));
    identity_committed(people->identity, identity_row_count(people->identity));
    return people->last.node;
}

static uint32_t root_of_number(const struct people *people, const char *type, uint32_t number)
{
    uint64_t value[2] = { number, (uint64_t)type[0] };
    hash128 hash = hash_bytes128(value, sizeof(value), 5);
    uint32_t row = identity_find_row(people->identity, (const uint8_t *)&hash);
    return identity_root(people->identity, identity_row_node(people->identity, row));
}

static void tell(const char *what, steady_ns start, uint32_t count)
{
    print_message("%s: %u events in %lld ms, %.2f us each\n", what, count,
                  (long long)steady_since_ms(start), (double)steady_since_us(start) / count);
}

/* ---- I1 ---- */

static bool count_rows(void *context, const struct ledger_value *values)
{
    (void)values;
    ++*(int64_t *)context;
    return true;
}

static void one_phone_of_a_crowd(void **state)
{
    (void)state;
    struct people people;
    struct problem problem = { .error = ERR_OK };
    people_make(&people, true);
    int64_t slowest_us = 0;
    steady_ns start = steady_now();
    for (int i = 0; i < CROWD; i++) {
        char words[80];
        snprintf(words, sizeof(words), "user_id=u%d mobile=P! device=tablet", i);
        steady_ns begin = steady_now();
        says(&people, words);
        int64_t took_us = steady_since_us(begin);
        slowest_us = took_us > slowest_us ? took_us : slowest_us;
        if (i % 2000 == 1999)
            people_commit(&people);
    }
    tell("one phone of a crowd", start, CROWD);
    print_message("slowest event %lld us\n", (long long)slowest_us);
    /* Everybody is somebody, and one is the phone itself. */
    assert_int_equal(identity_customer_count(people.identity), CROWD + 1);
    for (uint32_t node = 1; node <= CROWD; node += 777)
        assert_int_equal(identity_nodes(people.identity, node, NULL, 0), 1);
    int64_t refusals = 0;
    people_commit(&people);
    assert_ok(ledger_scan(people.ledger, LEDGER_REFUSALS, NULL, count_rows, &refusals, &problem));
    assert_int_equal(refusals, CROWD); /* each, and the first one's when it was taken from her */
    people_check(&people);
    people_check_load(&people);
    people_remove(&people);
}

/* ---- I2 ---- */

static void without_limits(struct people *people)
{
    people_make(people, false);
    rules(people, "user_id", "{\"limit\":0}");
    rules(people, "mobile", "{\"limit\":0}");
}

static void singles(struct people *people, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        resolve(people, "user_id", &i, 1);
    assert_int_equal(identity_customer_count(people->identity), count);
}

static void all_are_one(struct people *people, uint32_t count)
{
    assert_int_equal(identity_customer_count(people->identity), 1);
    for (uint32_t i = 0; i < count; i += 997)
        assert_int_equal(root_of_number(people, "user_id", i), 1);
    people_check(people);
}

static void chain(void **state)
{
    (void)state;
    struct people people;
    without_limits(&people);
    singles(&people, MANY);
    steady_ns start = steady_now();
    for (uint32_t i = MANY - 1; i > 0; i--) {
        uint32_t pair[2] = { i - 1, i };
        resolve(&people, "user_id", pair, 2);
    }
    tell("chain from its end", start, MANY);
    all_are_one(&people, MANY);
    people_remove(&people);
}

static void balanced_tree(void **state)
{
    (void)state;
    struct people people;
    without_limits(&people);
    singles(&people, MANY);
    steady_ns start = steady_now();
    for (uint32_t step = 1; step < MANY; step *= 2) {
        for (uint32_t i = 0; i + step < MANY; i += 2 * step) {
            uint32_t pair[2] = { i, i + step };
            resolve(&people, "user_id", pair, 2);
        }
    }
    tell("balanced tree", start, MANY);
    all_are_one(&people, MANY);
    people_remove(&people);
}

static void star_and_circle(void **state)
{
    (void)state;
    struct people people;
    without_limits(&people);
    singles(&people, MANY);
    steady_ns start = steady_now();
    for (uint32_t i = 1; i < MANY; i++) {
        uint32_t pair[2] = { 0, i };
        resolve(&people, "user_id", pair, 2);
    }
    tell("star", start, MANY);
    start = steady_now();
    for (uint32_t i = 1; i < MANY; i++) {
        uint32_t pair[2] = { i, (i + 1) % MANY };
        resolve(&people, "user_id", pair, 2);
        assert_int_equal(people.last.merge_count, 0);
    }
    tell("circle around it", start, MANY);
    all_are_one(&people, MANY);
    people_remove(&people);
}

/* New ones that attach to one customer without end, with a limited type among them. */
static void one_customer_with_a_million(void **state)
{
    (void)state;
    struct people people;
    without_limits(&people);
    steady_ns start = steady_now();
    for (uint32_t i = 0; i + 1 < MANY; i++) {
        uint32_t pair[2] = { i, i + 1 };
        resolve(&people, "user_id", pair, 2);
    }
    tell("attached one by one", start, MANY);
    assert_int_equal(identity_node_count(people.identity), 1);
    start = steady_now();
    for (int i = 0; i < 1000; i++) {
        char words[64];
        snprintf(words, sizeof(words), "member_card=card%d mobile=Q!", i % 2);
        says(&people, words);
        uint32_t none = 0;
        resolve(&people, "user_id", &none, 1);
    }
    tell("beside it", start, 2000);
    people_check(&people);
    people_remove(&people);
}

static uint32_t find(uint32_t *parent, uint32_t node)
{
    while (parent[node] != node) {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    return node;
}

static void random_pairs_against_union_find(void **state)
{
    (void)state;
    struct people people;
    struct random_stream random;
    uint32_t count = 300000, *parent = malloc(count * sizeof(*parent));
    uint32_t *first = calloc(count + 1, sizeof(*first));
    random_seed(&random, 42);
    without_limits(&people);
    for (uint32_t i = 0; i < count; i++)
        parent[i] = i;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pair[2] = { (uint32_t)random_below(&random, count),
                             (uint32_t)random_below(&random, count) };
        if (pair[0] == pair[1])
            continue;
        resolve(&people, "user_id", pair, 2);
        parent[find(parent, pair[0])] = find(parent, pair[1]);
    }
    /* One root per set, and no root in two sets. */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t root = root_of_number(&people, "user_id", i), set = find(parent, i);
        if (root == 0)
            continue;
        assert_true(root <= count);
        if (first[root] == 0)
            first[root] = set + 1;
        assert_int_equal(first[root], set + 1);
        if (set != i && root_of_number(&people, "user_id", set) != 0)
            assert_int_equal(root_of_number(&people, "user_id", set), root);
    }
    people_check(&people);
    people_remove(&people);
    free(parent);
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_phone_of_a_crowd),
        cmocka_unit_test(chain),
        cmocka_unit_test(balanced_tree),
        cmocka_unit_test(star_and_circle),
        cmocka_unit_test(one_customer_with_a_million),
        cmocka_unit_test(random_pairs_against_union_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
