/* SPDX-License-Identifier: Apache-2.0 */
/* Random rules over random histories: the evaluator on memory, the evaluator on rows, the scan, the normal form and explain
 * say what the naive twin says; and what is said to hold until some moment does.
 *
 * KITH_SEED and KITH_CASES make other and more of them; a failure prints the seed, the world and the rule. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/oracle.h"
#include "support/oracle_random.h"
#include "support/oracle_world.h"

#define CUSTOMERS 12
#define RULES 24

static int64_t from_environment(const char *name, int64_t otherwise)
{
    const char *given = getenv(name);
    int64_t value;
    return given != NULL && str_to_int64(str_from_c(given), &value) ? value : otherwise;
}

struct table { /* one world at its moment */
    struct world world;
    struct gambler gambler;
    struct buffer json, rule_json;
    uint64_t seed;
    uint64_t cases, held, refused, untils, lacking;
};

static void tell(const struct table *table, size_t index, const char *what, int64_t now_ms)
{
    struct buffer customer;
    buffer_init(&customer, 1 << 20);
    json_write_value(&customer, world_customer(&table->world, index));
    print_error("seed %" PRIu64 ", %s, now %" PRId64 ", zone %s\nrule %.*s\ncustomer %zu: %.*s\n",
                table->seed, what, now_ms,
                table->gambler.zone != NULL ? table->gambler.zone->name : "+8",
                (int)table->rule_json.size, table->rule_json.data, index, (int)customer.size,
                customer.data);
    buffer_deinit(&customer);
}

static bool twin_says(struct table *table, size_t index, json_value rule, int64_t now_ms)
{
    struct oracle oracle = {
        .world = table->world.root,
        .customer = world_customer(&table->world, index),
        .zone = table->gambler.zone,
        .now_ms = now_ms,
    };
    return oracle_holds(&oracle, rule);
}

static struct rule_answer engine_says(struct table *table, const struct rule *rule, size_t index,
                                      bool rows, int64_t now_ms)
{
    struct world *world = &table->world;
    struct history_view view;
    struct rule_answer answer;
    history_read_begin(world->reader);
    if (rows) {
        size_t count;
        struct history_row *list = world_rows(world, index, &count);
        assert_ok(history_view_rows(world->reader, list, count, &view));
    } else {
        history_view_customer(world->reader, world_number(index), &view);
    }
    rule_answer(world->judge, rule, world_number(index), &view, world_facts(world, index), now_ms,
                &answer);
    history_read_end(world->reader);
    return answer;
}

static int compare_times(const void *left, const void *right)
{
    int64_t a = ((const struct history_row *)left)->time_ms;
    int64_t b = ((const struct history_row *)right)->time_ms;
    return a < b ? -1 : a > b;
}

/* Over the budget the oldest events are gone: the answer is the same, or says that it lacks them. */
static void check_lacking(struct table *table, const struct rule *rule, size_t index, bool expected)
{
    struct world *world = &table->world;
    struct history_view view;
    struct rule_answer answer;
    size_t count;
    struct history_row *rows = world_rows(world, index, &count);
    qsort(rows, count, sizeof(*rows), compare_times);
    size_t gone = (size_t)random_below(&table->gambler.random, count + 1);
    int64_t whole_from_ms = gone > 0 ? rows[gone - 1].time_ms + 1 : INT64_MIN;
    while (gone < count && rows[gone].time_ms < whole_from_ms)
        gone++;
    assert_ok(history_view_rows(world->reader, rows + gone, count - gone, &view));
    view.complete = gone == 0;
    view.whole_from_ms = whole_from_ms;
    rule_answer(world->judge, rule, world_number(index), &view, world_facts(world, index),
                table->gambler.now_ms, &answer);
    table->lacking += answer.partial;
    if (!answer.partial && answer.holds != expected) {
        tell(table, index, "without the events that are gone it is otherwise",
             table->gambler.now_ms);
        print_error("%zu of %zu are gone\n", gone, count);
        fail();
    }
}

/* Within the answer's life nothing changes, and at its end both still agree. */
static void check_until(struct table *table, const struct rule *rule, json_value json, size_t index,
                        struct rule_answer answer)
{
    int64_t now = table->gambler.now_ms;
    int64_t end = answer.until_ms == RULE_FOREVER ? now + 800 * DAY_MS : answer.until_ms;
    if (answer.until_ms <= now) {
        tell(table, index, "until is not after now", now);
        fail();
    }
    int64_t at[4] = { end - 1, now + 1, end - 1, end - 1 };
    for (size_t i = 2; i < 4; i++)
        at[i] = now + 1 + (int64_t)random_below(&table->gambler.random, (uint64_t)(end - now));
    for (size_t i = 0; i < 4; i++) {
        if (at[i] >= end || at[i] <= now)
            continue;
        if (twin_says(table, index, json, at[i]) != answer.holds) {
            tell(table, index, "it changed before until", at[i]);
            print_error("asked at %" PRId64 ", until %" PRId64 "\n", now, answer.until_ms);
            fail();
        }
    }
    if (answer.until_ms == RULE_FOREVER)
        return;
    table->untils++;
    bool then = engine_says(table, rule, index, false, end).holds;
    if (then != twin_says(table, index, json, end)) {
        tell(table, index, "they differ at until", end);
        fail();
    }
}

struct found {
    bool holds[CUSTOMERS];
};

static bool note(void *context, uint32_t customer)
{
    ((struct found *)context)->holds[customer / WORLD_NODES_MAX - 1] = true;
    return true;
}

static void check_rule(struct table *table, const struct rule *rule, json_value json)
{
    int64_t now = table->gambler.now_ms;
    bool expected[CUSTOMERS];
    for (size_t i = 0; i < CUSTOMERS; i++) {
        struct rule_answer answer = engine_says(table, rule, i, false, now);
        struct rule_answer streamed = engine_says(table, rule, i, true, now);
        expected[i] = twin_says(table, i, json, now);
        if (answer.holds != expected[i] || streamed.holds != expected[i] ||
            streamed.until_ms != answer.until_ms) {
            tell(table, i, expected[i] ? "the twin says true" : "the twin says false", now);
            print_error("memory %d until %" PRId64 ", rows %d until %" PRId64 "\n", answer.holds,
                        answer.until_ms, streamed.holds, streamed.until_ms);
            fail();
        }
        table->cases++;
        table->held += expected[i];
        check_until(table, rule, json, i, answer);
        check_lacking(table, rule, i, expected[i]);
    }
    /* The scan has one moment of entering for all. */
    if (strstr(table->rule_json.data, "since_entering") != NULL)
        return;
    struct found found = { { false } };
    assert_ok(rule_scan(table->world.judge, rule, table->world.reader, &table->world.facts, now,
                        world_number(0), world_number(CUSTOMERS), note, &found, NULL));
    assert_memory_equal(found.holds, expected, sizeof(expected));
    /* Each condition counted alone changes nothing. */
    struct found again = { { false } };
    uint64_t counts[RULE_CONDITIONS_MAX] = { 0 };
    assert_ok(rule_scan(table->world.judge, rule, table->world.reader, &table->world.facts, now,
                        world_number(0), world_number(CUSTOMERS), note, &again, counts));
    assert_memory_equal(again.holds, expected, sizeof(expected));
    if (rule_condition_count(rule) != 1 || table->rule_json.data[2] == 'n') /* not */
        return;
    uint64_t held = 0;
    for (size_t i = 0; i < CUSTOMERS; i++)
        held += expected[i];
    if (strncmp(table->rule_json.data, "{\"a", 3) !=
        0) /* a group of one may be of one that is turned */
        assert_int_equal(counts[0], held);
}

/* What is written is the same rule, and explaining says the same. */
static void check_written(struct table *table, const struct rule *rule, size_t index)
{
    struct buffer text, again;
    buffer_init(&text, 1 << 20);
    buffer_init(&again, 1 << 20);
    rule_write(rule, &text);
    struct rule *copy;
    struct problem problem = { 0 };
    if (rule_new(&copy, world_json(&table->world, buffer_str(&text)), &table->world.catalogue,
                 &problem) != ERR_OK)
        fail_msg("the normal form %.*s: %s", (int)text.size, text.data, problem.detail);
    rule_write(copy, &again);
    assert_str_equal(buffer_str(&again), buffer_str(&text));
    struct rule_answer one = engine_says(table, rule, index, false, table->gambler.now_ms);
    struct rule_answer two = engine_says(table, copy, index, false, table->gambler.now_ms);
    assert_int_equal(one.holds, two.holds);
    assert_int_equal(one.until_ms, two.until_ms);
    struct history_view view;
    history_read_begin(table->world.reader);
    history_view_customer(table->world.reader, world_number(index), &view);
    buffer_clear(&text);
    rule_explain(table->world.judge, rule, world_number(index), &view,
                 world_facts(&table->world, index), table->gambler.now_ms, &text);
    history_read_end(table->world.reader);
    json_value why = world_json(&table->world, buffer_str(&text));
    assert_int_equal(json_bool(json_get(why, STR("holds")), !one.holds), one.holds);
    assert_int_equal(json_count(json_get(why, STR("conditions"))), rule_condition_count(rule));
    rule_free(&copy);
    buffer_deinit(&text);
    buffer_deinit(&again);
}

static void play(struct table *table, uint64_t seed)
{
    table->seed = seed;
    random_seed(&table->gambler.random, seed);
    world_open(&table->world, gamble_zone(&table->gambler));
    (void)gamble_now(&table->gambler);
    buffer_clear(&table->json);
    gamble_world(&table->gambler, CUSTOMERS, &table->json);
    world_load(&table->world, buffer_str(&table->json));
    for (size_t i = 0; i < RULES; i++) {
        buffer_clear(&table->rule_json);
        gamble_rule(&table->gambler, &table->rule_json);
        buffer_append_byte(&table->rule_json, 0);
        table->rule_json.size--;
        json_value json = world_json(&table->world, buffer_str(&table->rule_json));
        struct rule *rule;
        struct problem problem = { 0 };
        if (rule_new(&rule, json, &table->world.catalogue, &problem) != ERR_OK) {
            /* Chance makes windows that end before they begin, and the like. */
            assert_int_equal(problem.error, ERR_UNPROCESSABLE);
            assert_true(problem.detail[0] != '\0');
            table->refused++;
            continue;
        }
        check_rule(table, rule, json);
        check_written(table, rule, i % CUSTOMERS);
        rule_free(&rule);
    }
    world_close(&table->world);
}

static void the_twin_agrees(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)from_environment("KITH_SEED", 20260618);
    uint64_t cases = (uint64_t)from_environment("KITH_CASES", 10000);
    static struct table table;
    buffer_init(&table.json, (size_t)16 << 20);
    buffer_init(&table.rule_json, 1 << 20);
    print_message("seed %" PRIu64 "\n", seed);
    for (uint64_t i = 0; table.cases < cases; i++)
        play(&table, seed + i);
    print_message("%" PRIu64 " cases, %" PRIu64 " held, %" PRIu64 " ends of answers, %" PRIu64
                  " rules refused\n",
                  table.cases, table.held, table.untils, table.refused);
    assert_true(table.held > table.cases / 10 && table.held < table.cases * 9 / 10);
    assert_true(table.untils > table.cases / 20);
    buffer_deinit(&table.json);
    buffer_deinit(&table.rule_json);
}

/* ---- a crowd: 1,000 definitions over 100,000 events (N9) ---- */

#define CROWD 240
#define CROWD_WORLDS 64
#define CROWD_RULES 18 /* chance makes some that are none */

static bool note_of_crowd(void *context, uint32_t customer)
{
    ((bool *)context)[customer / WORLD_NODES_MAX - 1] = true;
    return true;
}

static void check_crowd(struct table *table, const struct rule *rule, json_value json)
{
    int64_t now = table->gambler.now_ms;
    bool found[CROWD] = { false };
    bool each_entered = strstr(table->rule_json.data, "since_entering") != NULL;
    if (!each_entered) /* the scan has one moment of entering for all */
        assert_ok(rule_scan(table->world.judge, rule, table->world.reader,
                            world_facts(&table->world, 0), now, world_number(0),
                            world_number(CROWD), note_of_crowd, found, NULL));
    for (size_t i = 0; i < CROWD; i++) {
        bool expected = twin_says(table, i, json, now);
        bool holds = each_entered ? engine_says(table, rule, i, false, now).holds : found[i];
        if (holds != expected) {
            tell(table, i, expected ? "the twin says true" : "the twin says false", now);
            fail();
        }
        table->held += expected;
    }
}

static void a_crowd_agrees(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)from_environment("KITH_SEED", 20261121), events = 0;
    static struct table table;
    buffer_init(&table.json, (size_t)16 << 20);
    buffer_init(&table.rule_json, 1 << 20);
    for (uint64_t i = 0; i < CROWD_WORLDS; i++) {
        table.seed = seed + i;
        random_seed(&table.gambler.random, table.seed);
        world_open(&table.world, gamble_zone(&table.gambler));
        (void)gamble_now(&table.gambler);
        buffer_clear(&table.json);
        gamble_world(&table.gambler, CROWD, &table.json);
        world_load(&table.world, buffer_str(&table.json));
        for (size_t j = 0; j < CROWD; j++)
            events += json_count(json_get(world_customer(&table.world, j), STR("events")));
        for (size_t j = 0; j < CROWD_RULES; j++) {
            struct rule *rule;
            buffer_clear(&table.rule_json);
            gamble_rule(&table.gambler, &table.rule_json);
            buffer_append_byte(&table.rule_json, 0);
            table.rule_json.size--;
            json_value json = world_json(&table.world, buffer_str(&table.rule_json));
            if (rule_new(&rule, json, &table.world.catalogue, NULL) != ERR_OK)
                continue;
            check_crowd(&table, rule, json);
            table.cases++;
            rule_free(&rule);
        }
        world_close(&table.world);
    }
    print_message("seed %" PRIu64 ": %" PRIu64 " rules, %" PRIu64 " events, %" PRIu64 " held\n",
                  seed, table.cases, events, table.held);
    assert_true(table.cases >= 1000 && events >= 100000);
    assert_true(table.held > table.cases * CROWD / 10 && table.held < table.cases * CROWD * 9 / 10);
    buffer_deinit(&table.json);
    buffer_deinit(&table.rule_json);
}

/* A wrong edge, a millisecond off, is seen: the worlds do hit the edges. */
static void a_wrong_edge_is_caught(void **state)
{
    (void)state;
    static struct table table;
    uint64_t differences = 0;
    buffer_init(&table.json, (size_t)16 << 20);
    buffer_init(&table.rule_json, 1 << 20);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        random_seed(&table.gambler.random, seed);
        world_open(&table.world, gamble_zone(&table.gambler));
        (void)gamble_now(&table.gambler);
        buffer_clear(&table.json);
        gamble_world(&table.gambler, CUSTOMERS, &table.json);
        world_load(&table.world, buffer_str(&table.json));
        static const char *const rules[] = {
            "{\"event\":\"*\",\"last\":\"1d\",\"gte\":2}",
            "{\"event\":\"*\",\"during\":{\"from\":\"90d\",\"to\":\"30d\"},\"gte\":1}",
            "{\"event\":\"*\",\"during\":\"yesterday\",\"gte\":1}",
            "{\"event\":\"*\",\"measure\":\"recency\",\"gte\":1}",
        };
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
            struct rule *rule = world_rule(&table.world, rules[i]);
            json_value json = world_json(&table.world, str_from_c(rules[i]));
            for (size_t j = 0; j < CUSTOMERS; j++)
                differences +=
                    engine_says(&table, rule, j, false, table.gambler.now_ms + 1).holds !=
                    twin_says(&table, j, json, table.gambler.now_ms);
            rule_free(&rule);
        }
        world_close(&table.world);
    }
    assert_true(differences > 0);
    print_message("%" PRIu64 " differences\n", differences);
    buffer_deinit(&table.json);
    buffer_deinit(&table.rule_json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twin_agrees),
        cmocka_unit_test(a_crowd_agrees),
        cmocka_unit_test(a_wrong_edge_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
