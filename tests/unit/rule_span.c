/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours at once are told the same as one by one: who satisfies a rule, until when, and what is measured. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rule/mark.h"
#include "support/oracle_random.h"
#include "support/oracle_world.h"

#define CUSTOMERS 100 /* one block; half of them stand alone */
#define RULES 12
#define WORLDS 6

struct table {
    struct world world;
    struct gambler gambler;
    struct buffer json, text;
    struct history_span span;
    uint64_t asked[HISTORY_SPAN_WORDS], given[HISTORY_SPAN_WORDS];
    int64_t numbers[HISTORY_BLOCK_NODES], until_ms[HISTORY_BLOCK_NODES];
    uint64_t compared, held, measured, ended;
};

static bool is_set(const uint64_t *words, uint32_t slot)
{
    return (words[slot / 64] >> (slot % 64) & 1) != 0;
}

/* Between history_read_begin and _end. */
static void look(struct table *table)
{
    struct world *world = &table->world;
    uint32_t last = world_number(CUSTOMERS - 1);
    memset(table->asked, 0, sizeof(table->asked));
    history_view_span(world->reader, 1, last + 1, &table->span);
    for (size_t i = 0; i < CUSTOMERS; i++) {
        uint32_t slot = world_number(i) - table->span.begin;
        assert_int_equal(is_set(table->span.plain, slot), world_is_alone(i));
        assert_int_equal(is_set(table->span.apart, slot), !world_is_alone(i));
        if (world_is_alone(i) && random_below(&table->gambler.random, 5) > 0)
            table->asked[slot / 64] |= UINT64_C(1) << (slot % 64);
    }
}

static void open_world(struct table *table, uint64_t seed)
{
    random_seed(&table->gambler.random, seed);
    world_open(&table->world, gamble_zone(&table->gambler));
    (void)gamble_now(&table->gambler);
    buffer_clear(&table->json);
    gamble_world(&table->gambler, CUSTOMERS, &table->json);
    world_load(&table->world, buffer_str(&table->json));
    table->world.facts.entered_ms = INT64_MIN;
}

/* ---- rules ---- */

static void compare_rule(struct table *table, const struct rule *rule)
{
    struct world *world = &table->world;
    int64_t now = table->gambler.now_ms;
    uint64_t alone[HISTORY_SPAN_WORDS];
    assert_true(rule_answer_span(world->judge, rule, &table->span, &world->facts, now, table->asked,
                                 table->given, table->until_ms));
    assert_true(rule_answer_span(world->judge, rule, &table->span, &world->facts, now, table->asked,
                                 alone, NULL));
    assert_memory_equal(alone, table->given, sizeof(alone));
    for (size_t i = 0; i < CUSTOMERS; i++) {
        uint32_t customer = world_number(i), slot = customer - table->span.begin;
        struct history_view view;
        struct rule_answer answer;
        if (!is_set(table->asked, slot)) {
            assert_false(is_set(table->given, slot));
            continue;
        }
        history_view_customer(world->reader, customer, &view);
        rule_answer(world->judge, rule, customer, &view, &world->facts, now, &answer);
        if (answer.holds != is_set(table->given, slot) || answer.until_ms != table->until_ms[slot])
            fail_msg("customer %zu, rule %.*s: %d until %" PRId64 ", at once %d until %" PRId64, i,
                     (int)table->text.size, table->text.data, answer.holds, answer.until_ms,
                     is_set(table->given, slot), table->until_ms[slot]);
        table->compared++;
        table->held += answer.holds;
        table->ended += answer.until_ms != RULE_FOREVER;
    }
}

static void play_rules(struct table *table)
{
    struct world *world = &table->world;
    for (size_t i = 0; i < RULES; i++) {
        struct rule *rule;
        struct problem problem = { 0 };
        buffer_clear(&table->text);
        gamble_rule(&table->gambler, &table->text);
        if (rule_new(&rule, world_json(world, buffer_str(&table->text)), &world->catalogue,
                     &problem) != ERR_OK)
            continue; /* chance makes windows that end before they begin */
        compare_rule(table, rule);
        rule_free(&rule);
    }
}

static void rules_are_the_same_at_once(void **state)
{
    static struct table table;
    (void)state;
    buffer_init(&table.json, (size_t)64 << 20);
    buffer_init(&table.text, 1 << 20);
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        open_world(&table, seed);
        history_read_begin(table.world.reader);
        look(&table);
        play_rules(&table);
        history_read_end(table.world.reader);
        world_close(&table.world);
    }
    print_message("%" PRIu64 " compared, %" PRIu64 " held, %" PRIu64 " end\n", table.compared,
                  table.held, table.ended);
    assert_true(table.held > 0 && table.held < table.compared && table.ended > 0);
    buffer_deinit(&table.json);
    buffer_deinit(&table.text);
}

/* ---- measures ---- */

static const char *const measures[] = {
    "{\"event\":\"Order Paid\",\"measure\":\"count\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"recency\"}",
    "{\"event\":\"Order Paid\",\"last\":\"30d\",\"measure\":\"recency\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\",\"net\":true}",
    "{\"event\":\"Order Paid\",\"measure\":\"count\",\"net\":true,\"last\":\"90d\"}",
    "{\"event\":\"*\",\"where\":[{\"prop\":\"quantity\",\"gte\":2}],\"measure\":\"avg\",\"of\":\"quantity\"}",
    "{\"event\":\"*\",\"measure\":\"days\",\"last\":\"60d\"}",
    "{\"event\":\"*\",\"measure\":\"first\"}",
    "{\"event\":\"Product Viewed\",\"measure\":\"distinct\",\"of\":\"product_id\"}",
    "{\"event\":\"Order Paid\",\"measure\":\"max\",\"of\":\"revenue\",\"last\":\"1w\"}",
    "{\"event\":\"Order Paid\",\"nth\":2,\"measure\":\"sum\",\"of\":\"revenue\"}",
    "{\"event\":\"Order Paid\",\"nth\":-1,\"measure\":\"last\",\"of\":\"revenue\"}",
};

static void compare_measure(struct table *table, const struct rule *measure, const char *text)
{
    struct world *world = &table->world;
    int64_t now = table->gambler.now_ms;
    assert_true(rule_measure_span(world->judge, measure, &table->span, &world->facts, now,
                                  table->asked, table->given, table->numbers, table->until_ms));
    for (size_t i = 0; i < CUSTOMERS; i++) {
        uint32_t customer = world_number(i), slot = customer - table->span.begin;
        struct history_view view;
        struct rule_value value;
        int64_t until_ms;
        if (!is_set(table->asked, slot)) {
            assert_false(is_set(table->given, slot));
            continue;
        }
        history_view_customer(world->reader, customer, &view);
        bool set = rule_measure(world->judge, measure, customer, &view, &world->facts, now, &value,
                                &until_ms);
        if (set != is_set(table->given, slot) || until_ms != table->until_ms[slot] ||
            (set && value.number != table->numbers[slot]))
            fail_msg("customer %zu, %s: %d %" PRId64 " until %" PRId64 ", at once %d %" PRId64
                     " until %" PRId64,
                     i, text, set, value.number, until_ms, is_set(table->given, slot),
                     table->numbers[slot], table->until_ms[slot]);
        table->compared++;
        table->measured += set && value.number != 0;
    }
}

static void measures_are_the_same_at_once(void **state)
{
    static struct table table;
    (void)state;
    buffer_init(&table.json, (size_t)64 << 20);
    buffer_init(&table.text, 1 << 20);
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        open_world(&table, seed);
        history_read_begin(table.world.reader);
        look(&table);
        for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
            struct rule *measure;
            enum rule_kind kind;
            struct problem problem = { 0 };
            if (rule_measure_new(&measure, world_json(&table.world, str_from_c(measures[i])),
                                 &table.world.catalogue, &kind, &problem) != ERR_OK)
                fail_msg("%s: %s", measures[i], problem.detail);
            compare_measure(&table, measure, measures[i]);
            rule_free(&measure);
        }
        history_read_end(table.world.reader);
        world_close(&table.world);
    }
    assert_true(table.measured > table.compared / 20);
    buffer_deinit(&table.json);
    buffer_deinit(&table.text);
}

/* ---- marks ---- */

#define EVENTS 1000

/* Four at a time or one by one, at the edges of the times too. */
static void marks_are_the_same_on_any_processor(void **state)
{
    static const enum hears ways[] = { HEARS_ONE, HEARS_TWO, HEARS_SOME, HEARS_ALL };
    uint64_t events[EVENTS], marks[EVENTS / 64 + 1], plainly[EVENTS / 64 + 1], marked = 0;
    struct random_stream random;
    (void)state;
    random_seed(&random, 20261122);
    for (int round = 0; round < 200; round++) {
        struct listening to = { .hears = ways[round % 4],
                                .type = (uint16_t)random_below(&random, 4),
                                .other = (uint16_t)random_below(&random, 4),
                                .low = random_below(&random, 10) << 20 };
        struct history_view view = { .events = events, .count = random_below(&random, EVENTS) };
        to.types[0] = random_below(&random, 16);
        to.size = round % 5 == 0 ? UINT64_MAX - to.low
                                 : (random_below(&random, 10) << 20 | UINT64_C(0xfffff));
        for (size_t i = 0; i < view.count; i++) {
            uint64_t time_ms = random_below(&random, 20);
            if (time_ms == 19) /* the highest bit, where signed and unsigned differ */
                time_ms = (UINT64_C(1) << 44) - 1 - random_below(&random, 2);
            events[i] = time_ms << 20 | random_below(&random, 5) << 8 | random_below(&random, 256);
        }
        memset(marks, 0, sizeof(marks));
        memset(plainly, 0, sizeof(plainly));
        mark_events(&view, &to, marks);
        mark_events_plainly(&view, &to, plainly);
        assert_memory_equal(marks, plainly, sizeof(marks));
        for (size_t i = 0; i < EVENTS; i++) {
            uint64_t type = i < view.count ? events[i] >> 8 & 0xfff : 0;
            bool heard = to.hears == HEARS_ALL || type == to.type ||
                         (to.hears == HEARS_TWO && type == to.other);
            if (to.hears == HEARS_SOME)
                heard = (to.types[0] >> type & 1) != 0;
            bool expected =
                i < view.count && heard && events[i] >= to.low && events[i] - to.low <= to.size;
            assert_int_equal(i / 64 < sizeof(marks) / 8 && is_set(marks, (uint32_t)i), expected);
            marked += expected;
        }
    }
    assert_true(marked > 0);
}

/* ---- scans ---- */

struct members {
    uint32_t customers[CUSTOMERS];
    size_t count, stop_after;
};

static bool add(void *context, uint32_t customer)
{
    struct members *members = context;
    members->customers[members->count++] = customer;
    return members->count < members->stop_after;
}

/* In the order of their numbers, whoever is apart; no further than asked. */
static void a_scan_tells_in_order_and_stops(void **state)
{
    static struct table table;
    struct members all = { .stop_after = CUSTOMERS + 1 }, few = { .stop_after = 7 };
    (void)state;
    buffer_init(&table.json, (size_t)64 << 20);
    open_world(&table, 7);
    struct rule *rule =
        world_rule(&table.world, "{\"event\":\"*\",\"measure\":\"count\",\"gte\":1}");
    struct world *world = &table.world;
    history_read_begin(world->reader);
    assert_ok(rule_scan(world->judge, rule, world->reader, &world->facts, table.gambler.now_ms, 1,
                        world_number(CUSTOMERS), add, &all, NULL));
    assert_ok(rule_scan(world->judge, rule, world->reader, &world->facts, table.gambler.now_ms, 1,
                        world_number(CUSTOMERS), add, &few, NULL));
    history_read_end(world->reader);
    assert_true(all.count > 20);
    for (size_t i = 1; i < all.count; i++)
        assert_true(all.customers[i] > all.customers[i - 1]);
    assert_int_equal(few.count, 7);
    assert_memory_equal(few.customers, all.customers, 7 * sizeof(uint32_t));
    rule_free(&rule);
    world_close(world);
    buffer_deinit(&table.json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_the_same_at_once),
        cmocka_unit_test(measures_are_the_same_at_once),
        cmocka_unit_test(marks_are_the_same_on_any_processor),
        cmocka_unit_test(a_scan_tells_in_order_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
