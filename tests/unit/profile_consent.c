/* SPDX-License-Identifier: Apache-2.0 */
/* Consent of those who became one (I4): the strictest of what was decided before, the newest of what was decided since; against a
 * naive twin that lives through words and joins in time, in any order of arrival, and with the dates that identity keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "profile/profile.h"
#include "support/cmocka.h"
#include "support/people.h"

#define NODES 7

/* ---- a naive twin: what counts of each part, moment by moment ---- */

enum state { SILENT, GRANTED, WITHDRAWN };
struct moment {
    int64_t at_ms;
    uint32_t node, other; /* other 0: a word of node */
    bool granted;
};

static int compare_moments(const void *left, const void *right)
{
    const struct moment *a = left, *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if ((a->other == 0) != (b->other == 0))
        return a->other == 0 ? 1 : -1;        /* a word of that moment is said after the join */
    return (int)b->granted - (int)a->granted; /* the stricter last */
}

static enum state live(struct moment *moments, size_t count)
{
    uint32_t leader[NODES + 1];
    enum state states[NODES + 1] = { SILENT };
    for (uint32_t i = 0; i <= NODES; i++)
        leader[i] = i;
    qsort(moments, count, sizeof *moments, compare_moments);
    for (size_t i = 0; i < count; i++) {
        uint32_t a = leader[moments[i].node], b = leader[moments[i].other];
        if (moments[i].other == 0) {
            states[a] = moments[i].granted ? GRANTED : WITHDRAWN;
            continue;
        }
        states[a] = states[a] > states[b] ? states[a] : states[b];
        for (uint32_t node = 1; node <= NODES; node++)
            leader[node] = leader[node] == b ? a : leader[node];
    }
    return states[leader[1]];
}

static const char *word_of(enum state state)
{
    return state == SILENT ? "nothing" : state == GRANTED ? "granted" : "withdrawn";
}

static void shuffle(struct random_stream *random, void *items, size_t count, size_t size)
{
    char kept[64], *bytes = items;
    assert_in_range(size, 1, sizeof kept);
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)random_below(random, i);
        memcpy(kept, bytes + (i - 1) * size, size);
        memmove(bytes + (i - 1) * size, bytes + other * size, size);
        memcpy(bytes + other * size, kept, size);
    }
}

static int compare_joins(const void *left, const void *right)
{
    const struct identity_join *a = left, *b = right;
    return a->at_ms < b->at_ms ? -1 : a->at_ms > b->at_ms;
}

/* Times are few, so that many things happen at the same moment. */
static void one_tree(struct random_stream *random)
{
    struct moment moments[NODES * 4];
    struct profile_word words[NODES];
    struct identity_join joins[NODES];
    size_t count = 0, join_count = 0, word_count = 0;
    for (uint32_t node = 2; node <= NODES; node++) {
        struct identity_join join = { .node = { node,
                                                1 + (uint32_t)random_below(random, node - 1) },
                                      .merge_id = node,
                                      .at_ms = (int64_t)random_below(random, 12) };
        joins[join_count++] = join;
        moments[count++] = (struct moment){ join.at_ms, join.node[0], join.node[1], false };
    }
    for (uint32_t node = 1; node <= NODES; node++) {
        struct profile_word newest = { .node = node, .at_ms = -1 };
        for (uint64_t said = random_below(random, 4); said > 0; said--) {
            struct moment word = { (int64_t)random_below(random, 12), node, 0,
                                   random_below(random, 2) == 0 };
            moments[count++] = word;
            if (word.at_ms > newest.at_ms || (word.at_ms == newest.at_ms && !word.granted)) {
                newest.at_ms = word.at_ms;
                newest.granted = word.granted;
            }
        }
        if (newest.at_ms >= 0)
            words[word_count++] = newest;
    }
    shuffle(random, words, word_count, sizeof words[0]);
    shuffle(random, joins, join_count, sizeof joins[0]);
    qsort(joins, join_count, sizeof joins[0], compare_joins);
    const struct profile_word *counts = profile_weigh(words, word_count, joins, join_count);
    enum state is = counts == NULL ? SILENT : counts->granted ? GRANTED : WITHDRAWN;
    enum state should = live(moments, count);
    if (is != should)
        fail_msg("it is %s and should be %s", word_of(is), word_of(should));
}

static void test_as_if_lived(void **state)
{
    (void)state;
    struct random_stream random;
    random_seed(&random, 2026);
    for (int i = 0; i < 200000; i++)
        one_tree(&random);
}

/* ---- a chain longer than what lies on the stack ---- */

static void test_of_many_nodes(void **state)
{
    enum { MANY = 5000 };
    (void)state;
    struct profile_word words[2] = { { .node = 1, .at_ms = 10 },
                                     { .node = MANY, .at_ms = 20, .granted = true } };
    struct identity_join *joins = calloc(MANY, sizeof *joins);
    assert_non_null(joins);
    for (uint32_t i = 1; i < MANY; i++)
        joins[i - 1] = (struct identity_join){ .node = { i, i + 1 }, .merge_id = i, .at_ms = 15 };
    assert_true(profile_weigh(words, 2, joins, MANY - 1)->granted);
    joins[MANY - 2].at_ms = 21;
    assert_false(profile_weigh(words, 2, joins, MANY - 1)->granted);
    free(joins);
}

/* ---- with identity's dates, in any order of arrival ---- */

struct world {
    struct people people;
    struct profile *profile;
};

static size_t joins_of(void *context, uint32_t node, struct identity_join *joins, size_t limit)
{
    const struct world *world = context;
    return identity_joins(world->people.identity, node, joins, limit);
}

static void world_make(struct world *world, bool with_ledger)
{
    people_make(&world->people, with_ledger);
    assert_ok(profile_new(&world->profile));
    profile_use_joins(world->profile, joins_of, world);
}

static void world_remove(struct world *world)
{
    people_remove(&world->people);
    profile_free(&world->profile);
}

/* What happens, at which hour: who shows herself, and what she decides. */
struct happening {
    int64_t hour;
    const char *user, *mobile, *email, *word;
};

static void happen(struct world *world, const struct happening *what, int64_t received_ms)
{
    struct event_identifier identifiers[3];
    const char *types[] = { "user_id", "mobile", "email" };
    const char *values[] = { what->user, what->mobile, what->email };
    struct event event = { .seq = ++world->people.seq,
                           .received_ms = received_ms,
                           .time_ms = PEOPLE_START_MS + what->hour * HOUR_MS,
                           .kind = what->word != NULL ? EVENT_TRACK : EVENT_IDENTIFY,
                           .type = what->word != NULL ? str_from_c(what->word) : STR("Identify"),
                           .flags = EVENT_TRUSTED,
                           .source_number = 1,
                           .props = STR("{\"purpose\":\"marketing\"}"),
                           .identifiers = identifiers };
    for (int i = 0; i < 3; i++)
        if (values[i] != NULL)
            identifiers[event.identifier_count++] =
                people_identifier(types[i], "", values[i], IDENTIFIER_VERIFIED);
    people_sort(identifiers, event.identifier_count);
    assert_ok(identity_resolve(world->people.identity, &event, world->people.writes,
                               &world->people.last));
    assert_ok(profile_apply(world->profile, &event, world->people.last.node, NULL));
}

static const char *decided(const struct world *world, const char *identifier)
{
    uint32_t nodes[16];
    bool granted;
    size_t count =
        identity_nodes(world->people.identity, who(&world->people, identifier), nodes, 16);
    assert_in_range(count, 1, 16);
    if (!profile_consent(world->profile, nodes, count, STR("marketing"), &granted))
        return "nothing";
    return granted ? "granted" : "withdrawn";
}

#define GRANT "Consent Granted"
#define REFUSE "Consent Withdrawn"

static const struct story {
    const char *is;
    struct happening happenings[6];
} stories[] = {
    { "withdrawn", /* the strictest, though it is the older */
      { { 1, "u", NULL, NULL, REFUSE },
        { 2, NULL, "m", NULL, GRANT },
        { 3, "u", "m", NULL, NULL } } },
    { "withdrawn",
      { { 1, "u", NULL, NULL, GRANT },
        { 2, NULL, "m", NULL, REFUSE },
        { 3, "u", "m", NULL, NULL } } },
    { "granted", /* her later word, about all of her */
      { { 1, "u", NULL, NULL, REFUSE },
        { 2, NULL, "m", NULL, NULL },
        { 3, "u", "m", NULL, NULL },
        { 4, NULL, "m", NULL, GRANT } } },
    { "granted", /* the word that shows both */
      { { 1, "u", NULL, NULL, REFUSE },
        { 2, NULL, "m", NULL, NULL },
        { 3, "u", "m", NULL, GRANT } } },
    { "withdrawn", /* a third one comes, and had refused */
      { { 1, "u", NULL, NULL, GRANT },
        { 2, "u", "m", NULL, NULL },
        { 3, NULL, "m", NULL, GRANT },
        { 2, NULL, NULL, "e", REFUSE },
        { 4, NULL, "m", "e", NULL } } },
    { "granted", /* who never decided refuses nothing */
      { { 1, "u", NULL, NULL, GRANT },
        { 2, NULL, "m", NULL, NULL },
        { 3, "u", "m", NULL, NULL } } },
    { "nothing", { { 1, "u", NULL, NULL, NULL }, { 2, "u", "m", NULL, NULL } } },
};

/* Each of them is known first, and on nodes of her own; then the story arrives in some order, the same day. */
static void tell(struct world *world, const struct story *story, struct random_stream *random,
                 bool shuffled)
{
    static const struct happening seen[] = { { 0, "u", NULL, NULL, NULL },
                                             { 0, NULL, "m", NULL, NULL },
                                             { 0, NULL, NULL, "e", NULL } };
    struct happening happenings[6];
    size_t count = 0;
    for (size_t i = 0; i < 3; i++)
        happen(world, &seen[i], PEOPLE_START_MS + HOUR_MS);
    while (count < 6 && story->happenings[count].hour != 0) {
        happenings[count] = story->happenings[count];
        count++;
    }
    if (shuffled)
        shuffle(random, happenings, count, sizeof happenings[0]);
    for (size_t i = 0; i < count; i++)
        happen(world, &happenings[i], PEOPLE_START_MS + 10 * HOUR_MS + (int64_t)i);
}

static void test_i4_in_any_order_of_arrival(void **state)
{
    (void)state;
    struct random_stream random;
    random_seed(&random, 7);
    for (size_t s = 0; s < sizeof stories / sizeof stories[0]; s++) {
        for (int round = 0; round < 30; round++) {
            struct world world;
            world_make(&world, round % 10 == 0);
            tell(&world, &stories[s], &random, round > 0);
            if (strcmp(decided(&world, "user_id=u"), stories[s].is) != 0)
                fail_msg("story %zu, round %d: %s", s, round, decided(&world, "user_id=u"));
            if (round % 10 == 0)
                people_check_load(&world.people); /* dates and all */
            world_remove(&world);
        }
    }
}

/* Taken back, each has what she said herself. */
static void test_i4_split_restores_each_own(void **state)
{
    (void)state;
    struct world world;
    struct problem problem;
    uint32_t a, b;
    world_make(&world, false);
    tell(&world, &stories[0], NULL, false);
    uint64_t merge = identity_merge_count(world.people.identity);
    assert_string_equal(decided(&world, "mobile=m"), "withdrawn");
    assert_ok(identity_split(world.people.identity, merge, 100, world.people.now_ms, 1,
                             world.people.writes, &a, &b, &problem));
    assert_string_equal(decided(&world, "user_id=u"), "withdrawn");
    assert_string_equal(decided(&world, "mobile=m"), "granted");
    world_remove(&world);
}

/* A list of last year that says they are one does not make yesterday's grant the later word. */
static void test_a_late_link_joins_when_it_comes(void **state)
{
    (void)state;
    struct world world;
    world_make(&world, false);
    int64_t now_ms = PEOPLE_START_MS + 48 * HOUR_MS;
    happen(&world, &(struct happening){ 1, "u", NULL, NULL, REFUSE }, now_ms);
    happen(&world, &(struct happening){ 40, NULL, "m", NULL, GRANT }, now_ms);
    happen(&world, &(struct happening){ 0, "u", "m", NULL, NULL }, now_ms);
    assert_string_equal(decided(&world, "mobile=m"), "withdrawn");
    happen(&world, &(struct happening){ 49, NULL, "m", NULL, GRANT }, now_ms + 2 * HOUR_MS);
    assert_string_equal(decided(&world, "user_id=u"), "granted");
    world_remove(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_if_lived),
        cmocka_unit_test(test_of_many_nodes),
        cmocka_unit_test(test_i4_in_any_order_of_arrival),
        cmocka_unit_test(test_i4_split_restores_each_own),
        cmocka_unit_test(test_a_late_link_joins_when_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
