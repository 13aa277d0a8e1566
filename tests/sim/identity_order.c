/* SPDX-License-Identifier: Apache-2.0 */
/* In whatever order the same events arrive, the same people come out, with the same traits, consents
 * and orders: 1,000 permutations against each other and against an offline union-find (T1, I7, P1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "profile/profile.h"
#include "support/cmocka.h"
#include "support/people.h"

#define EVENTS 120u
#define VALUES 40u /* different identifiers */
#define PERMUTATIONS 1000

static const char *const types[] = { "user_id", "wx_unionid", "mobile", "email", "tmall_open_uid" };
#define TYPES (sizeof(types) / sizeof(*types))

struct told {
    struct event event;
    struct event_identifier identifiers[3];
    struct event_trait traits[3];
    uint32_t values[3];
    char text[3][32], order[8];
};

struct world {
    struct told told[EVENTS];
    char names[VALUES][16];
    struct event_identifier identifiers[VALUES];
};

static void make_values(struct world *world)
{
    for (uint32_t i = 0; i < VALUES; i++) {
        snprintf(world->names[i], sizeof(world->names[i]), "v%u", i);
        world->identifiers[i] =
            people_identifier(types[i % TYPES], "", world->names[i], IDENTIFIER_VERIFIED);
    }
}

/* Per trait the operations that go together. An unset is not mixed with what keeps the oldest or the
 * greatest: fact.h says what a late one cannot bring back. */
static const struct {
    const char *name, *form;
    enum trait_operation operations[4];
} said[] = {
    { "city", "\"c%d\"", { TRAIT_SET, TRAIT_SET, TRAIT_SET, TRAIT_UNSET } },
    { "level", "%d", { TRAIT_SET, TRAIT_SET, TRAIT_SET_ONCE, TRAIT_SET } },
    { "points", "%d", { TRAIT_SET, TRAIT_INCREMENT, TRAIT_INCREMENT, TRAIT_UNSET } },
    { "tags", "\"t%d\"", { TRAIT_SET, TRAIT_APPEND, TRAIT_APPEND, TRAIT_UNSET } },
    { "visits", "%d", { TRAIT_SET_ONCE, TRAIT_INCREMENT, TRAIT_INCREMENT, TRAIT_SET } },
    { "score", "%d.5", { TRAIT_SET, TRAIT_SET, TRAIT_SET, TRAIT_UNSET } },
    { "born", "\"b%d\"", { TRAIT_SET_ONCE, TRAIT_SET_ONCE, TRAIT_SET_ONCE, TRAIT_SET } },
    { "first", "\"f%d\"", { TRAIT_SET, TRAIT_SET, TRAIT_SET_ONCE, TRAIT_SET } },
};

static void make_traits(struct random_stream *random, struct told *told)
{
    struct event *event = &told->event;
    event->kind = EVENT_IDENTIFY;
    event->trait_count = 1 + (uint32_t)random_below(random, 3);
    event->traits = told->traits;
    for (uint32_t i = 0; i < event->trait_count; i++) {
        uint64_t trait = random_below(random, sizeof(said) / sizeof(*said));
        enum trait_operation operation = said[trait].operations[random_below(random, 4)];
        char value[16];
        snprintf(value, sizeof(value), "%d", (int)random_below(random, 9));
        size_t size = 0;
        bool list = operation == TRAIT_SET && strcmp(said[trait].name, "tags") == 0;
        size += (size_t)snprintf(told->text[i], sizeof(told->text[i]), "%s", list ? "[" : "");
        for (const char *at = said[trait].form; *at != '\0'; at++) {
            bool is_value = *at == '%';
            size += (size_t)snprintf(told->text[i] + size, sizeof(told->text[i]) - size, "%.*s",
                                     is_value ? 16 : 1, is_value ? value : at);
            at += is_value;
        }
        if (list)
            snprintf(told->text[i] + size, sizeof(told->text[i]) - size, "]");
        told->traits[i] = (struct event_trait){ .name = str_from_c(said[trait].name),
                                                .operation = operation,
                                                .value = str_from_c(told->text[i]) };
    }
}

static void make_happening(struct random_stream *random, struct told *told)
{
    static const char *const kinds[] = { "Order Paid",      "Order Completed", "Order Refunded",
                                         "Order Cancelled", "Consent Granted", "Consent Withdrawn",
                                         "Page Viewed" };
    struct event *event = &told->event;
    event->kind = EVENT_TRACK;
    event->type = str_from_c(kinds[random_below(random, 7)]);
    event->props = STR("{\"purpose\":\"sms\"}");
    snprintf(told->order, sizeof(told->order), "o%d", (int)random_below(random, 25));
    event->promoted_int[PROMOTED_TOTAL] = (int64_t)random_below(random, 10000);
}

static void make_event(struct random_stream *random, struct world *world, uint32_t number)
{
    struct told *told = &world->told[number];
    memset(told, 0, sizeof(*told));
    struct event *event = &told->event;
    event->seq = number + 1;
    event->received_ms = PEOPLE_START_MS;
    event->time_ms = PEOPLE_START_MS + (int64_t)random_below(random, 40);
    event->flags = EVENT_TRUSTED;
    event->source_number = 1 + (uint32_t)random_below(random, 3);
    event->type = STR("Identify");
    event->identifiers = told->identifiers;
    /* Few meet, so that there is more than one person in the end. */
    event->identifier_count = random_below(random, 4) == 0 ? 2 : 1;
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        told->values[i] = (uint32_t)random_below(random, VALUES);
        told->identifiers[i] = world->identifiers[told->values[i]];
    }
    if (event->identifier_count == 2 && told->values[0] == told->values[1])
        event->identifier_count = 1;
    people_sort(told->identifiers, event->identifier_count);
    if (random_below(random, 2) == 0)
        make_traits(random, told);
    else
        make_happening(random, told);
}

/* ---- one arrival ---- */

static void put_rule(struct identity *identity, struct json_parser *parser, const char *type)
{
    struct problem problem;
    json_value body;
    assert_ok(json_parse(parser, STR("{\"limit\":0,\"shared_after\":0}"), &body, &problem));
    assert_ok(identity_put_type(identity, str_from_c(type), body, NULL, &problem));
}

static void put_precedence(struct profile *profile, struct json_parser *parser, const char *name,
                           const char *json)
{
    struct problem problem;
    json_value body;
    assert_ok(json_parse(parser, str_from_c(json), &body, &problem));
    assert_ok(profile_put_trait_type(profile, str_from_c(name), body, NULL, &problem));
}

static void arrive(const struct world *world, const uint32_t *order, struct identity *identity,
                   struct profile *profile)
{
    for (uint32_t i = 0; i < EVENTS; i++) {
        const struct told *told = &world->told[order[i]];
        const struct event *event = &told->event;
        struct identity_outcome outcome;
        assert_ok(identity_resolve(identity, event, NULL, &outcome));
        assert_true(outcome.node != 0);
        assert_ok(profile_apply(profile, event, outcome.node, NULL));
        struct profile_observation row = { .node = outcome.node,
                                           .seq = event->seq,
                                           .time_ms = event->time_ms,
                                           .type = event->type,
                                           .order_id = str_from_c(told->order),
                                           .currency = STR("CNY"),
                                           .revenue = event->promoted_int[PROMOTED_TOTAL],
                                           .total = event->promoted_int[PROMOTED_TOTAL] };
        assert_ok(profile_observe(profile, &row));
    }
}

/* The whole world as text: each person by her smallest identifier, with all that is known of her. */
static void describe(const struct world *world, const struct identity *identity,
                     const struct profile *profile, struct buffer *out)
{
    uint32_t first[VALUES];
    for (uint32_t i = 0; i < VALUES; i++) {
        uint32_t row = identity_find_row(identity, world->identifiers[i].hash);
        uint32_t root = row != 0 ? identity_root(identity, identity_row_node(identity, row)) : 0;
        first[i] = i;
        for (uint32_t j = 0; j < i && root != 0; j++) {
            uint32_t other = identity_find_row(identity, world->identifiers[j].hash);
            if (other != 0 && identity_root(identity, identity_row_node(identity, other)) == root) {
                first[i] = j;
                break;
            }
        }
        buffer_printf(out, "%u>%u ", i, first[i]);
        if (first[i] != i || root == 0)
            continue;
        uint32_t nodes[VALUES];
        size_t count = identity_nodes(identity, root, nodes, VALUES);
        struct json_writer writer;
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        profile_write(profile, nodes, count, true, &writer);
        json_end_object(&writer);
        buffer_append_byte(out, '\n');
    }
    assert_ok(buffer_status(out));
}

/* Who belongs together, by nothing but who was on one event. */
static void check_oracle(const struct world *world, const struct identity *identity)
{
    uint32_t parent[VALUES];
    for (uint32_t i = 0; i < VALUES; i++)
        parent[i] = i;
    for (uint32_t i = 0; i < EVENTS; i++) {
        if (world->told[i].event.identifier_count < 2)
            continue;
        uint32_t a = world->told[i].values[0], b = world->told[i].values[1];
        while (parent[a] != a)
            a = parent[a];
        while (parent[b] != b)
            b = parent[b];
        parent[a] = b;
    }
    for (uint32_t i = 0; i < VALUES; i++) {
        for (uint32_t j = 0; j < i; j++) {
            uint32_t a = i, b = j;
            uint32_t one = identity_find_row(identity, world->identifiers[i].hash);
            uint32_t other = identity_find_row(identity, world->identifiers[j].hash);
            if (one == 0 || other == 0)
                continue;
            while (parent[a] != a)
                a = parent[a];
            while (parent[b] != b)
                b = parent[b];
            bool together = identity_root(identity, identity_row_node(identity, one)) ==
                            identity_root(identity, identity_row_node(identity, other));
            assert_int_equal(together, a == b);
        }
    }
}

static void shuffle(struct random_stream *random, uint32_t *order)
{
    for (uint32_t i = EVENTS; i > 1; i--) {
        uint32_t other = (uint32_t)random_below(random, i), swap = order[i - 1];
        order[i - 1] = order[other];
        order[other] = swap;
    }
}

static void show_difference(str one, str other)
{
    size_t at = 0;
    while (at < one.size && at < other.size && one.data[at] == other.data[at])
        at++;
    size_t from = at > 200 ? at - 200 : 0;
    print_error(STR_FMT "\n---\n", STR_ARG(str_slice(one, from, at + 200)));
    print_error(STR_FMT "\n", STR_ARG(str_slice(other, from, at + 200)));
}

static void run_world(uint64_t seed, int permutations)
{
    struct world *world = calloc(1, sizeof(*world));
    struct random_stream random;
    struct json_parser *parser;
    struct buffer first, next;
    uint32_t order[EVENTS];
    buffer_init(&first, 16 << 20);
    buffer_init(&next, 16 << 20);
    assert_ok(json_parser_new(&parser, 4096));
    random_seed(&random, seed);
    make_values(world);
    for (uint32_t i = 0; i < EVENTS; i++) {
        make_event(&random, world, i);
        order[i] = i;
    }
    for (int permutation = 0; permutation < permutations; permutation++) {
        struct identity *identity;
        struct profile *profile;
        struct problem problem = { .error = ERR_OK };
        assert_ok(identity_new(&identity));
        assert_ok(profile_new(&profile));
        for (size_t i = 0; i < TYPES; i++)
            put_rule(identity, parser, types[i]);
        put_precedence(profile, parser, "points", "{\"precedence\":\"sum\"}");
        put_precedence(profile, parser, "tags", "{\"precedence\":\"union\"}");
        put_precedence(profile, parser, "level", "{\"precedence\":\"max\"}");
        put_precedence(profile, parser, "first", "{\"precedence\":\"oldest\"}");
        put_precedence(profile, parser, "score",
                       "{\"precedence\":\"source_rank\",\"sources\":[2,3]}");
        arrive(world, order, identity, profile);
        if (identity_check(identity, &problem) != ERR_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, problem.detail);
        check_oracle(world, identity);
        struct buffer *out = permutation == 0 ? &first : &next;
        buffer_clear(out);
        describe(world, identity, profile, out);
        if (permutation > 0 && !str_equal(buffer_str(&first), buffer_str(&next))) {
            print_error("seed %llu, permutation %d\n", (unsigned long long)seed, permutation);
            show_difference(buffer_str(&first), buffer_str(&next));
            fail();
        }
        identity_free(&identity);
        profile_free(&profile);
        shuffle(&random, order);
    }
    json_parser_free(&parser);
    buffer_deinit(&first);
    buffer_deinit(&next);
    free(world);
}

static uint64_t seed_of_run(void)
{
    const char *seed = getenv("KITH_SEED");
    return seed != NULL ? strtoull(seed, NULL, 10) : 20260618;
}

static void a_thousand_permutations(void **state)
{
    (void)state;
    run_world(seed_of_run(), PERMUTATIONS);
}

static void many_worlds(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 200; i++)
        run_world(seed_of_run() + i, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_thousand_permutations),
                                        cmocka_unit_test(many_worlds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
