/* SPDX-License-Identifier: Apache-2.0 */
/* Finding customers by a trait or a name finds whom a plain look at everybody's values finds: random lives,
 * alone and as customers of two nodes. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "profile/profile.h"

#define NODES 600

struct world {
    struct profile *profile;
    struct random_stream stream;
    uint64_t seq;
};

static void say(struct world *world, uint32_t node, enum trait_operation operation,
                const char *name, const char *value)
{
    struct event_trait trait = { .name = str_from_c(name),
                                 .operation = operation,
                                 .value = str_from_c(value) };
    struct event_identifier identifier = { .type = STR("user_id") };
    identifier.hash[0] = (uint8_t)random_below(&world->stream, 3);
    struct event event = { .seq = ++world->seq,
                           .received_ms = 1000000,
                           .time_ms = (int64_t)random_below(&world->stream, 50),
                           .kind = EVENT_IDENTIFY,
                           .source_number = 1 + (uint32_t)random_below(&world->stream, 3),
                           .type = STR("Identify"),
                           .identifier_count = 1,
                           .identifiers = &identifier,
                           .trait_count = 1,
                           .traits = &trait };
    assert_ok(profile_apply(world->profile, &event, node, NULL));
}

static const char *const names[] = { "city", "level", "vip",      "points",
                                     "tags", "name",  "nickname", "lastName" };
static const char *const values[] = {
    "\"上海\"",
    "\"杭州\"",
    "3",
    "3.5",
    "true",
    "false",
    "-7",
    "\"3\"",
    "\"true\"",
    "[1,\"a\"]",
    "\"Ann Lee\"",
    "\"王伟\"",
    "\"王\"",
    "\"a\\\"b\"",
    "{\"a\":1}",
    "\"ANN\"",
    "{\"$sealed\":\"s1:1:AAAA\"}",
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void make_lives(struct world *world)
{
    static const enum trait_operation operations[] = {
        TRAIT_SET, TRAIT_SET, TRAIT_SET, TRAIT_SET_ONCE, TRAIT_INCREMENT, TRAIT_APPEND, TRAIT_UNSET
    };
    for (int i = 0; i < 4000; i++) {
        uint32_t node = 1 + (uint32_t)random_below(&world->stream, NODES);
        enum trait_operation operation =
            operations[random_below(&world->stream, COUNT(operations))];
        const char *name = names[random_below(&world->stream, COUNT(names))];
        const char *value = values[random_below(&world->stream, COUNT(values))];
        if (operation == TRAIT_INCREMENT)
            value = random_below(&world->stream, 2) == 0 ? "1" : "2";
        say(world, node, operation, name, operation == TRAIT_UNSET ? "" : value);
    }
}

/* Customer i has the nodes i and, when i is a multiple of five, i + 1 too. */
static size_t nodes_of(uint32_t customer, uint32_t nodes[2])
{
    nodes[0] = customer;
    nodes[1] = customer + 1;
    return customer % 5 == 0 ? 2 : 1;
}

static bool has_naively(struct world *world, uint32_t customer, const char *trait, bool part,
                        str wanted)
{
    uint32_t nodes[2];
    struct buffer value, json;
    buffer_init(&value, 1 << 20);
    buffer_init(&json, 1 << 20);
    json_write_text(&json, wanted);
    size_t count = nodes_of(customer, nodes);
    bool has = profile_trait(world->profile, nodes, count, str_from_c(trait), &value);
    str text = buffer_str(&value);
    if (!part)
        has = has && (str_equal(text, buffer_str(&json)) || str_equal(text, wanted));
    else
        has = has && text.size > 0 && text.data[0] == '"' &&
              memmem(text.data, text.size, json.data + 1, json.size - 2) != NULL;
    buffer_deinit(&value);
    buffer_deinit(&json);
    return has;
}

static bool is_found(struct world *world, const struct profile_probe *probe, uint32_t customer,
                     struct buffer *scratch)
{
    uint32_t nodes[2];
    size_t count = nodes_of(customer, nodes);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        bool alone = profile_probe_node(world->profile, probe, nodes[i]);
        assert_int_equal(
            profile_probe_below(world->profile, probe, nodes[i], nodes[i] - 1) == nodes[i], alone);
        any = any || alone;
    }
    return any && profile_probe_holds(world->profile, probe, nodes, count, scratch);
}

static size_t compare_trait(struct world *world, const char *trait, str wanted)
{
    struct profile_probe probe;
    struct buffer scratch;
    size_t found = 0;
    buffer_init(&scratch, 1 << 20);
    assert_ok(profile_probe_trait(world->profile, str_from_c(trait), wanted, &probe));
    for (uint32_t customer = 1; customer < NODES; customer++) {
        bool naive = has_naively(world, customer, trait, false, wanted);
        if (is_found(world, &probe, customer, &scratch) != naive)
            fail_msg("%s = '%.*s' of customer %u: %d", trait, (int)wanted.size, wanted.data,
                     customer, naive);
        found += naive;
    }
    buffer_deinit(&scratch);
    return found;
}

static size_t compare_name(struct world *world, str wanted)
{
    static const char *const all[] = { "name", "nickname", "lastName" };
    struct profile_probe probe;
    struct buffer scratch;
    size_t found = 0;
    buffer_init(&scratch, 1 << 20);
    assert_ok(profile_probe_name(world->profile, wanted, &probe));
    for (uint32_t customer = 1; customer < NODES; customer++) {
        bool naive = false;
        for (size_t i = 0; i < COUNT(all); i++)
            naive = naive || has_naively(world, customer, all[i], true, wanted);
        if (is_found(world, &probe, customer, &scratch) != naive)
            fail_msg("name '%.*s' of customer %u: %d", (int)wanted.size, wanted.data, customer,
                     naive);
        found += naive;
    }
    buffer_deinit(&scratch);
    return found;
}

static void finds_whom_a_plain_look_finds(void **state)
{
    static const char *const wanted[] = { "上海",  "杭州",    "3",    "3.5",      "true",
                                          "false", "-7",      "a",    "王伟",     "4",
                                          "6",     "Ann Lee", "a\"b", "{\"a\":1}" };
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    struct world world = { .seq = 0 };
    size_t found = 0;
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    random_seed(&world.stream, seed);
    assert_ok(profile_new(&world.profile));
    make_lives(&world);
    for (size_t t = 0; t < COUNT(names); t++)
        for (size_t i = 0; i < COUNT(wanted); i++)
            found += compare_trait(&world, names[t], str_from_c(wanted[i]));
    assert_true(found > 500);
    found = 0;
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (strcmp(wanted[i], "a") != 0) /* the plain look knows no case */
            found += compare_name(&world, str_from_c(wanted[i]));
    assert_true(found > 200);
    profile_free(&world.profile);
}

static void names_in_any_case_and_by_a_part(void **state)
{
    struct world world = { .seq = 0 };
    struct profile_probe probe;
    (void)state;
    random_seed(&world.stream, 1);
    assert_ok(profile_new(&world.profile));
    say(&world, 1, TRAIT_SET, "name", "\"Ann Lee\"");
    say(&world, 2, TRAIT_SET, "nickname", "\"王小伟\"");
    say(&world, 3, TRAIT_SET, "city", "\"Ann Arbor\"");
    say(&world, 4, TRAIT_SET, "name", "{\"$sealed\":\"s1:1:ann\"}");
    assert_ok(profile_probe_name(world.profile, STR("aNN l"), &probe));
    assert_int_equal(profile_probe_below(world.profile, &probe, 100000, 0), 1);
    assert_ok(profile_probe_name(world.profile, STR("小伟"), &probe));
    assert_int_equal(profile_probe_below(world.profile, &probe, 4, 0), 2);
    assert_int_equal(profile_probe_below(world.profile, &probe, 4, 2), 2); /* the stop itself */
    assert_int_equal(profile_probe_below(world.profile, &probe, 1, 0), 0);
    assert_ok(profile_probe_trait(world.profile, STR("unheard of"), STR("x"), &probe));
    assert_int_equal(profile_probe_below(world.profile, &probe, 4, 0), 0);
    assert_int_equal(profile_probe_name(world.profile, STR(""), &probe), ERR_INVALID);
    profile_free(&world.profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_whom_a_plain_look_finds),
        cmocka_unit_test(names_in_any_case_and_by_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
