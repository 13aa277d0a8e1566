/* SPDX-License-Identifier: Apache-2.0 */
/* Merged and taken back is as if never merged: two worlds with the same events, one of them with merges in
 * between (by hand and by events that were wrong), all taken back. In the end every identifier is at
 * home where it is in the other world, people are the same, and so is all that is known of them (I3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/profile.h"
#include "support/cmocka.h"
#include "support/people.h"

#define SEQUENCES 10000
#define PERSONS 6
#define STEPS 40

struct world {
    struct people people;
    struct profile *profile;
};

static void world_make(struct world *world)
{
    static const char *const types[] = { "user_id", "mobile", "wx_unionid", "email" };
    people_make(&world->people, false);
    assert_ok(profile_new(&world->profile));
    for (size_t i = 0; i < 4; i++)
        rules(&world->people, types[i], "{\"limit\":0,\"shared_after\":0}");
}

static void world_remove(struct world *world)
{
    people_remove(&world->people);
    profile_free(&world->profile);
}

/* The event, a trait it says, and an order; seq and time are the same in both worlds. */
static void happen(struct world *world, const char *words, uint64_t seq, int trait)
{
    char value[16];
    world->people.seq = seq - 1;
    world->people.now_ms = PEOPLE_START_MS + (int64_t)seq * 1000;
    uint32_t node = says(&world->people, words);
    assert_true(node != 0);
    snprintf(value, sizeof(value), "%d", trait);
    struct event_trait said = { .name = trait % 2 == 0 ? STR("a") : STR("b"),
                                .operation = trait % 3 == 0 ? TRAIT_INCREMENT : TRAIT_SET,
                                .value = str_from_c(value) };
    struct event event = { .seq = seq,
                           .time_ms = world->people.now_ms,
                           .kind = EVENT_IDENTIFY,
                           .source_number = 1,
                           .trait_count = 1,
                           .traits = &said };
    assert_ok(profile_apply(world->profile, &event, node, NULL));
    snprintf(value, sizeof(value), "o%d", trait);
    struct profile_observation row = { .node = node,
                                       .seq = seq,
                                       .time_ms = event.time_ms,
                                       .type = trait % 5 == 0 ? STR("Order Refunded")
                                                              : STR("Order Paid"),
                                       .order_id = str_from_c(value),
                                       .currency = STR("CNY"),
                                       .revenue = trait,
                                       .total = trait };
    assert_ok(profile_observe(world->profile, &row));
}

/* What a person shows of herself: one or two of her identifiers, and now and then the tablet of a shop. */
static void random_words(struct random_stream *random, char *out, size_t size)
{
    static const char *const begins[] = { "user_id=u", "mobile=m", "wx_unionid=w", "email=e" };
    static const char *const ends[] = { "", "!", "", "!" };
    char words[2][24];
    uint64_t one = random_below(random, 4), other = random_below(random, 4);
    int person = (int)random_below(random, PERSONS);
    snprintf(words[0], sizeof(words[0]), "%s%d%s", begins[one], person, ends[one]);
    snprintf(words[1], sizeof(words[1]), "%s%d%s", begins[other], person, ends[other]);
    bool alone = one == other || random_below(random, 3) == 0;
    const char *tablet = random_below(random, 4) == 0 ? " device=tablet" : "";
    snprintf(out, size, "%s%s%s%s", words[0], alone ? "" : " ", alone ? "" : words[1], tablet);
}

struct merges {
    uint64_t ids[STEPS];
    int count;
};

/* The node of one of a person's identifiers; 0 if it is not known yet. */
static uint32_t node_of(const struct world *world, struct random_stream *random, int person)
{
    static const char *const begins[] = { "user_id=u", "mobile=m", "wx_unionid=w", "email=e" };
    char word[24];
    snprintf(word, sizeof(word), "%s%d", begins[random_below(random, 4)], person);
    return identity_row_node(world->people.identity, row_of(&world->people, word));
}

/* A wrong merge by hand: of two people. (Of one person it would be right, and to take it back would
 * say that she is two.) */
static void merge_by_hand(struct world *world, struct random_stream *random, struct merges *merges)
{
    struct identity *identity = world->people.identity;
    struct problem problem;
    int one = (int)random_below(random, PERSONS);
    int other = (one + 1 + (int)random_below(random, PERSONS - 1)) % PERSONS;
    uint32_t a = node_of(world, random, one), b = node_of(world, random, other);
    uint32_t before = identity_customer_count(identity);
    if (a == 0 || b == 0 || identity_root(identity, a) == identity_root(identity, b))
        return;
    assert_ok(identity_merge(identity, a, b, 1, world->people.now_ms, 1, NULL, &problem));
    assert_int_equal(identity_customer_count(identity), before - 1);
    merges->ids[merges->count++] = identity_merge_count(identity);
}

static void split_one(struct world *world, struct random_stream *random, struct merges *merges)
{
    struct problem problem;
    uint32_t a, b;
    if (merges->count == 0)
        return;
    int which = (int)random_below(random, (uint64_t)merges->count);
    assert_ok(identity_split(world->people.identity, merges->ids[which], 1, world->people.now_ms, 1,
                             NULL, &a, &b, &problem));
    merges->ids[which] = merges->ids[--merges->count];
}

static void compare(const struct world *one, const struct world *other, uint64_t seed)
{
    const struct identity *a = one->people.identity, *b = other->people.identity;
    struct digest first = { .count = 0 }, second = { .count = 0 };
    assert_int_equal(identity_row_count(a), identity_row_count(b));
    assert_int_equal(identity_node_count(a), identity_node_count(b));
    for (uint32_t row = 1; row <= identity_row_count(a); row++) {
        struct identity_row_view mine, theirs;
        assert_true(identity_row_state(a, row, &mine) && identity_row_state(b, row, &theirs));
        if (mine.node != theirs.node || mine.flags != theirs.flags ||
            mine.attached_ms != theirs.attached_ms)
            fail_msg("seed %llu: identifier %u is at %u, not at %u", (unsigned long long)seed, row,
                     mine.node, theirs.node);
    }
    for (uint32_t node = 1; node <= identity_node_count(a); node++) {
        if (identity_root(a, node) != identity_root(b, node))
            fail_msg("seed %llu: root of %u is %u, not %u", (unsigned long long)seed, node,
                     identity_root(a, node), identity_root(b, node));
    }
    profile_digest(one->profile, &first);
    profile_digest(other->profile, &second);
    assert_true(first.low == second.low && first.high == second.high);
}

static void run(uint64_t seed)
{
    struct random_stream random;
    struct world merged, never;
    struct merges merges = { .count = 0 };
    random_seed(&random, seed);
    world_make(&merged);
    world_make(&never);
    for (int step = 0; step < STEPS; step++) {
        char words[96];
        int trait = (int)random_below(&random, 30);
        random_words(&random, words, sizeof(words));
        happen(&merged, words, (uint64_t)step + 1, trait);
        happen(&never, words, (uint64_t)step + 1, trait);
        uint64_t dice = random_below(&random, 10);
        if (dice < 2)
            merge_by_hand(&merged, &random, &merges);
        else if (dice == 2)
            split_one(&merged, &random, &merges);
    }
    while (merges.count > 0)
        split_one(&merged, &random, &merges);
    people_check(&merged.people);
    compare(&merged, &never, seed);
    world_remove(&merged);
    world_remove(&never);
}

static void no_trace(void **state)
{
    (void)state;
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    for (int i = 0; i < SEQUENCES; i++)
        run(seed + (uint64_t)i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_trace) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
