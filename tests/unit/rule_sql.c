/* SPDX-License-Identifier: Apache-2.0 */
/* Counting rules as SQL: the warehouse names the same customers as the evaluator, over random worlds; embedded, and on two
 * shards of ClickHouse 18.16, where what it cannot read is told. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/cluster_house.h"
#include "support/oracle_random.h"
#include "support/oracle_world.h"
#include "support/warehouse_house.h"

#define CUSTOMERS 40
#define RULES 60
#define WORLDS 4

static struct warehouse_house house;
static uint64_t batch;

static int open_house(void **state)
{
    (void)state;
    warehouse_house_make(&house);
    warehouse_house_open(&house);
    return 0;
}

static int open_cluster(void **state)
{
    (void)state;
    cluster_house_start(&house);
    return 0;
}

static int remove_cluster(void **state)
{
    (void)state;
    cluster_house_remove(&house);
    return 0;
}

static int remove_house(void **state)
{
    (void)state;
    warehouse_house_remove(&house);
    return 0;
}

/* ---- a world into the warehouse ---- */

static const struct {
    const char *property;
    bool text;
} promoted[] = {
#define TEXT true
#define INT false
#define MONEY false
#define X(NAME, column, property, type) { property, type },
    PROMOTED_TABLE(X)
#undef X
#undef TEXT
#undef INT
#undef MONEY
};

static void put_row(struct buffer *rows, json_value event, uint32_t number)
{
    json_value props = json_get(event, STR("props"));
    int64_t numbers[PROMOTED_COUNT] = { 0 };
    str texts[PROMOTED_COUNT] = { 0 };
    uint32_t set = 0;
    struct buffer json;
    buffer_init(&json, 1 << 16);
    json_write_value(&json, props);
    for (size_t i = 0; i < PROMOTED_COUNT; i++) {
        json_value value = json_get(props, str_from_c(promoted[i].property));
        if (json_kind(value) == JSON_MISSING)
            continue;
        set |= UINT32_C(1) << i;
        texts[i] = json_text(value);
        numbers[i] = json_int(value, 0);
    }
    uint64_t seq = (uint64_t)json_int(json_get(event, STR("seq")), 0);
    struct warehouse_event row = {
        .seq = seq,
        .batch = batch,
        .kind = 1,
        .type = json_text(json_get(event, STR("type"))),
        .channel = json_text(json_get(event, STR("channel"))),
        .time_ms = json_int(json_get(event, STR("time")), 0),
        .received_ms = json_int(json_get(event, STR("time")), 0),
        .customer = number + (uint32_t)json_int(json_get(event, STR("node")), 0),
        .promoted_set = set,
        .promoted_int = numbers,
        .promoted_text = texts,
        .props = buffer_str(&json),
    };
    memcpy(row.message_key, &seq, sizeof(seq));
    event_row_write(rows, &row);
    buffer_deinit(&json);
}

static void ask(const char *sql, struct buffer *out)
{
    struct problem problem = { 0 };
    if (warehouse_query(house.warehouse, str_from_c(sql), NULL, 0, 60000, out, &problem) != ERR_OK)
        fail_msg("%s\n%s", sql, problem.detail);
}

/* An order that was taken back: nobody may count it. */
#define RETRACTED_SEQ 1000000u

static void put_retracted(struct buffer *rows, uint32_t number, size_t index)
{
    uint64_t seq = RETRACTED_SEQ + index;
    struct warehouse_event row = {
        .seq = seq,
        .batch = batch,
        .kind = 1,
        .type = STR("Order Paid"),
        .channel = STR("web"),
        .time_ms = INT64_C(1767196800000),
        .customer = number,
        .props = STR("{}"),
    };
    memcpy(row.message_key, &seq, sizeof(seq));
    event_row_write(rows, &row);
}

static void fill(struct world *world)
{
    struct buffer rows, out;
    struct warehouse_alias aliases[CUSTOMERS * WORLD_NODES_MAX];
    size_t alias_count = 0;
    struct problem problem = { 0 };
    buffer_init(&rows, (size_t)32 << 20);
    buffer_init(&out, 1 << 20);
    ask("TRUNCATE TABLE events", &out);
    ask("TRUNCATE TABLE retracted_events", &out);
    batch++;
    for (size_t i = 0; i < world_customer_count(world); i++) {
        struct json_iterator iterator =
            json_iterate(json_get(world_customer(world, i), STR("events")));
        json_value event;
        while (json_next(&iterator, NULL, &event))
            put_row(&rows, event, world_number(i));
        put_retracted(&rows, world_number(i), i);
        /* Her nodes are hers. */
        for (uint32_t node = 1; node < WORLD_NODES_MAX; node++)
            aliases[alias_count++] =
                (struct warehouse_alias){ world_number(i) + node, world_number(i), batch };
    }
    assert_ok(warehouse_insert_events(house.warehouse, batch, 0, buffer_str(&rows), &problem));
    ask("INSERT INTO retracted_events SELECT number + 1000000 FROM numbers(1000)", &out);
    assert_ok(warehouse_put_aliases(house.warehouse, aliases, alias_count, &problem));
    assert_ok(warehouse_refresh_aliases(house.warehouse, &problem));
    buffer_deinit(&rows);
    buffer_deinit(&out);
}

/* ---- the same customers ---- */

/* UNSUPPORTED: old servers do not read JSON as rules want it. */
static err ask_rule(const struct buffer *sql, struct buffer *out)
{
    struct problem problem = { 0 };
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_str(&text, buffer_str(sql));
    buffer_append_str(&text, STR(" FORMAT TabSeparated"));
    err error = warehouse_query(house.warehouse, buffer_str(&text), NULL, 0, 60000, out, &problem);
    if (error == ERR_UNSUPPORTED)
        assert_non_null(strstr(problem.detail, "cannot read JSON"));
    else if (error != ERR_OK)
        fail_msg("%.*s\n%s", (int)text.size, text.data, problem.detail);
    buffer_deinit(&text);
    return error;
}

/* False: the server has no words for it. */
static bool check_rule(struct world *world, const struct rule *rule, const struct buffer *sql,
                       const char *json, int64_t now_ms)
{
    struct buffer out;
    bool named[CUSTOMERS] = { false };
    buffer_init(&out, 1 << 20);
    if (ask_rule(sql, &out) != ERR_OK)
        return false;
    str rest = buffer_str(&out), line;
    while (str_split(&rest, '\n', &line)) {
        uint64_t number;
        if (line.size > 0 && str_to_uint64(line, &number))
            named[number / WORLD_NODES_MAX - 1] = true;
    }
    for (size_t i = 0; i < CUSTOMERS; i++) {
        struct history_view view;
        struct rule_answer answer;
        if (json_count(json_get(world_customer(world, i), STR("events"))) == 0)
            continue; /* no row, no answer */
        history_read_begin(world->reader);
        history_view_customer(world->reader, world_number(i), &view);
        rule_answer(world->judge, rule, world_number(i), &view, world_facts(world, i), now_ms,
                    &answer);
        history_read_end(world->reader);
        if (answer.holds != named[i]) {
            struct buffer customer;
            buffer_init(&customer, 1 << 20);
            json_write_value(&customer, world_customer(world, i));
            fail_msg("the warehouse says %d of %.*s\nof rule %s at %" PRId64 "\n%.*s", named[i],
                     (int)customer.size, customer.data, json, now_ms, (int)sql->size, sql->data);
        }
    }
    buffer_deinit(&out);
    return true;
}

static void play(uint64_t seed, uint64_t *asked, uint64_t *without)
{
    struct gambler gambler = { .counting = true };
    struct world world;
    struct buffer json, sql;
    buffer_init(&json, (size_t)16 << 20);
    buffer_init(&sql, (size_t)4 << 20);
    random_seed(&gambler.random, seed);
    world_open(&world, gamble_zone(&gambler));
    int64_t now = gamble_now(&gambler);
    gamble_world(&gambler, CUSTOMERS, &json);
    world_load(&world, buffer_str(&json));
    fill(&world);
    for (size_t i = 0; i < RULES; i++) {
        struct problem problem = { 0 };
        buffer_clear(&json);
        buffer_clear(&sql);
        gamble_rule(&gambler, &json);
        buffer_append_byte(&json, 0);
        struct rule *rule = world_rule(&world, json.data);
        err error = rule_sql(rule, now, &sql, &problem);
        if (error == ERR_UNSUPPORTED) {
            assert_true(problem.detail[0] != '\0');
            assert_int_equal(sql.size, 0);
            ++*without;
        } else {
            assert_ok(error);
            bool checked = check_rule(&world, rule, &sql, json.data, now);
            *asked += checked;
            *without += !checked;
        }
        rule_free(&rule);
    }
    world_close(&world);
    buffer_deinit(&json);
    buffer_deinit(&sql);
}

static void the_warehouse_agrees(void **state)
{
    (void)state;
    const char *given = getenv("KITH_SEED");
    const char *worlds = getenv("KITH_WORLDS");
    int64_t seed = 618, count = WORLDS;
    uint64_t asked = 0, without = 0;
    if (given != NULL)
        (void)str_to_int64(str_from_c(given), &seed);
    if (worlds != NULL)
        (void)str_to_int64(str_from_c(worlds), &count);
    print_message("seed %" PRId64 "\n", seed);
    for (int64_t i = 0; i < count; i++)
        play((uint64_t)(seed + i), &asked, &without);
    print_message("%" PRIu64 " rules asked, %" PRIu64 " have no SQL\n", asked, without);
    assert_true(asked * 2 > without); /* old servers know less */
}

static void what_has_no_sql_is_told(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "{\"trait\":\"city\",\"eq\":\"x\"}",
        "{\"event\":\"Order Paid\",\"net\":true,\"gte\":2}",
        "{\"event\":\"Order Paid\",\"nth\":1}",
        "{\"sequence\":[{\"event\":\"Order Paid\"},{\"event\":\"Order Paid\"}]}",
        "{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"city\",\"matches\":\"^a\"}]}",
        "{\"event\":\"Order Paid\",\"during\":\"since_entering\"}",
    };
    struct world world;
    world_open(&world, NULL);
    world_load(&world, STR("{\"customers\":[]}"));
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct rule *rule = world_rule(&world, rules[i]);
        struct problem problem = { 0 };
        struct buffer sql;
        buffer_init(&sql, 1 << 20);
        assert_err(rule_sql(rule, INT64_C(1781748000000), &sql, &problem), ERR_UNSUPPORTED);
        assert_non_null(strstr(problem.detail, "no form in SQL"));
        assert_int_equal(sql.size, 0);
        buffer_deinit(&sql);
        rule_free(&rule);
    }
    world_close(&world);
}

int main(int argc, char **argv)
{
    if (warehouse_house_child(argc, argv))
        return 0;
    const struct CMUnitTest embedded[] = {
        cmocka_unit_test(the_warehouse_agrees),
        cmocka_unit_test(what_has_no_sql_is_told),
    };
    const struct CMUnitTest cluster[] = { cmocka_unit_test(the_warehouse_agrees) };
    const char *missing = warehouse_house_missing(), *no_cluster = cluster_house_missing();
    int failed = 0;
    if (missing != NULL)
        print_message("skipped: %s\n", missing);
    else
        failed += cmocka_run_group_tests(embedded, open_house, remove_house);
    if (no_cluster != NULL)
        print_message("skipped: %s\n", no_cluster);
    else
        failed += cmocka_run_group_tests(cluster, open_cluster, remove_cluster);
    return failed;
}
