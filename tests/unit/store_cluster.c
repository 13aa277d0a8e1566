/* SPDX-License-Identifier: Apache-2.0 */
/* The warehouse on two real shards: what goes in comes out, once; a shard that is missing is named. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/cluster_sql.h"
#include "store/events.h"
#include "support/cluster_house.h"

#define ROWS 20000

static struct warehouse_house house;

static int start_cluster(void **state)
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

static void run(const char *sql)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    buffer_init(&out, 1 << 20);
    if (warehouse_query(house.warehouse, str_from_c(sql), NULL, 0, 60000, &out, &problem) != ERR_OK)
        fail_msg("%s: %s", sql, problem.detail);
    buffer_deinit(&out);
}

static int empty_tables(void **state)
{
    (void)state;
    run("TRUNCATE TABLE events");
    run("TRUNCATE TABLE aliases");
    run("TRUNCATE TABLE retracted_events");
    run("TRUNCATE TABLE retracted_sources");
    return 0;
}

static void assert_answer(const char *sql, const struct warehouse_parameter *parameters,
                          size_t count, str expected)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    buffer_init(&out, 1 << 20);
    if (warehouse_query(house.warehouse, str_from_c(sql), parameters, count, 60000, &out,
                        &problem) != ERR_OK)
        fail_msg("%s: %s", sql, problem.detail);
    assert_str_equal(buffer_str(&out), expected);
    buffer_deinit(&out);
}

static uint64_t number(const char *sql)
{
    return warehouse_house_number(&house, sql);
}

static err try_insert(uint64_t batch, uint64_t first, uint64_t last, struct problem *problem)
{
    struct buffer rows;
    buffer_init(&rows, (size_t)1 << 28);
    for (uint64_t seq = first; seq <= last; seq++)
        warehouse_house_row(&rows, seq, batch);
    err error = warehouse_insert_events(house.warehouse, batch, 0, buffer_str(&rows), problem);
    buffer_deinit(&rows);
    return error;
}

static void insert(uint64_t batch, uint64_t first, uint64_t last)
{
    struct problem problem = { .error = ERR_OK };
    if (try_insert(batch, first, last, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
}

/* ---- words ---- */

static void parameters_keep_every_byte(void **state)
{
    (void)state;
    struct warehouse_parameter parameters[] = {
        { "text",
          STR("tab\t line\nreturn\r quote' \"双\" back\\slash \\' {number:Int64} -- /* ? #") },
        { "number", STR("-42") },
        { "list", STR("['a','b\\'c']") },
    };
    char expected[128]; /* its size comes before it */
    int size = snprintf(expected, sizeof(expected), "%c" STR_FMT, (int)parameters[0].value.size,
                        STR_ARG(parameters[0].value));
    assert_answer("SELECT {text:String} FORMAT RowBinary", parameters, 3,
                  (str){ expected, (size_t)size });
    assert_answer(
        "SELECT '{text:String}', {number:Int64} + 1, {list:Array(String)}[2] FORMAT TabSeparatedRaw",
        parameters, 3, STR("{text:String}\t-41\tb'c\n"));
}

static void no_value_becomes_sql(void **state)
{
    (void)state;
    static const char *const values[] = {
        "'", "\\", "\\'", "') --", "'), (SELECT 1", "\\\\'; DROP TABLE events"
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct warehouse_parameter parameter = { "v", str_from_c(values[i]) };
        struct buffer expected;
        buffer_init(&expected, 1000);
        buffer_append_byte(&expected, (uint8_t)strlen(values[i]));
        buffer_append_str(&expected, str_from_c(values[i]));
        assert_answer("SELECT {v:String} FORMAT RowBinary", &parameter, 1, buffer_str(&expected));
        buffer_deinit(&expected);
    }
}

static void errors_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *word;
        err error;
    } cases[] = {
        { "SELECT colour FROM events", "colour", ERR_WAREHOUSE },
        { "SELECT {p:String}", "`p`", ERR_INVALID },
        { "SELECT {p:String) ; DROP}", "no parameter", ERR_INVALID },
        { "SELECT 'open", "does not end", ERR_INVALID },
        { "SELECT JSONType(props, 'a') FROM events", "cannot read JSON", ERR_UNSUPPORTED },
        { "SELECT multiSearchAny(type, ['a']) FROM events", "multiSearchAny", ERR_UNSUPPORTED },
        { "ALTER TABLE nowhere DELETE WHERE 1", "shard 1 of 2", ERR_WAREHOUSE },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct problem problem = { .error = ERR_OK };
        struct buffer out;
        buffer_init(&out, 1 << 20);
        assert_err(warehouse_query(house.warehouse, str_from_c(cases[i].sql), NULL, 0, 60000, &out,
                                   &problem),
                   cases[i].error);
        if (strstr(problem.detail, cases[i].word) == NULL)
            fail_msg("'%s' does not say '%s'", problem.detail, cases[i].word);
        buffer_deinit(&out);
    }
}

static void one_of_several_texts(void **state)
{
    (void)state;
    struct warehouse_parameter props = { "props", STR("{\"it's\":1,\"b\":2}") };
    assert_answer("SELECT if(multiSearchAny(props, ['\"a\"','\"it\\'s\"']), 'yes', 'no'), "
                  "multiSearchAny(props, ['\"a\"', 'c']), multiSearchAny(props, []), "
                  "multiSearchAny(props, ['\"b\"']) FROM (SELECT {props:String} AS props) "
                  "FORMAT TabSeparated",
                  &props, 1, STR("yes\t0\t0\t1\n"));
}

/* What a scope asks of JSON: only the outermost object counts, whatever lies before it. */
static void texts_in_json(void **state)
{
    (void)state;
    static const struct {
        const char *props, *name, *text;
    } cases[] = {
        { "{\"city\":\"上海\"}", "city", "上海" },
        { "{\"a\":{\"city\":\"no\"},\"city\":\"yes\"}", "city", "yes" },
        { "{\"a\":{\"city\":\"no\"}}", "city", "" },
        { "{\"a\":\"\\\"city\\\":\\\"no\\\"\",\"b\":[1,{\"city\":\"no\"}],\"city\":\"yes\"}",
          "city", "yes" },
        { "{\"a\":[[[[{\"x\":\"]}\"}]]]],\"n\":-1.5e3,\"t\":true,\"z\":null,\"city\":\"deep\"}",
          "city", "deep" },
        { "{\"city\":5}", "city", "" },
        { "{\"city\":\"\"}", "city", "" },
        { "{\"citY\":\"no\",\"xcity\":\"no\",\"city2\":\"no\"}", "city", "" },
        { "{\"city\":\"a\\\"b\\\\c\\n\\u00e9\"}", "city", "a\"b\\c\n\xc3\xa9" },
        { "{\"a.b\":\"dot\",\"a*b\":\"star\"}", "a*b", "star" },
        { "{\"axb\":\"no\",\"a.b\":\"dot\"}", "a.b", "dot" },
        { "{\"名\":\"熟客\"}", "名", "熟客" },
        { "{\"it's\":\"quote\"}", "it's", "quote" },
        { "{\"a\\\"b\":\"quoted\"}", "a\"b", "quoted" },
        { "{}", "city", "" },
        { "", "city", "" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct warehouse_parameter props = { "props", str_from_c(cases[i].props) };
        struct buffer sql, expected;
        buffer_init(&sql, 1 << 16);
        buffer_init(&expected, 1000);
        buffer_append_str(&sql, STR("SELECT JSONExtractString(props, "));
        cluster_sql_quote(&sql, str_from_c(cases[i].name));
        buffer_append_str(&sql, STR(") FROM (SELECT {props:String} AS props) FORMAT RowBinary"));
        buffer_append_byte(&sql, 0);
        buffer_append_byte(&expected, (uint8_t)strlen(cases[i].text));
        buffer_append_str(&expected, str_from_c(cases[i].text));
        assert_answer(sql.data, &props, 1, buffer_str(&expected));
        buffer_deinit(&sql);
        buffer_deinit(&expected);
    }
}

static bool count_bytes(void *context, str bytes)
{
    *(size_t *)context += bytes.size;
    return true;
}

static void a_stream_that_breaks_off_is_an_error(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    size_t bytes = 0;
    assert_err(warehouse_stream(
                   house.warehouse,
                   STR("SELECT throwIf(number = 2900000) FROM numbers(3000000) FORMAT RowBinary"),
                   NULL, 0, count_bytes, &bytes, &problem),
               ERR_WAREHOUSE);
    assert_true(bytes <= 2900000);
    assert_non_null(strstr(problem.detail, "throwIf"));
}

/* ---- rows ---- */

static void rows_lie_on_their_shards(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    uint64_t seq = 99;
    assert_ok(warehouse_max_seq(house.warehouse, &seq, &problem));
    assert_int_equal(seq, 0);
    insert(1, 10, 9 + ROWS);
    assert_int_equal(number("SELECT count() FROM events"), ROWS);
    uint64_t sum = 0;
    for (int shard = 0; shard < CLUSTER_SHARDS; shard++) {
        char sql[200];
        uint64_t here = cluster_house_shard_number(shard, "SELECT count() FROM events_shard");
        assert_true(here > ROWS / 4);
        sum += here;
        snprintf(sql, sizeof(sql), "SELECT count() FROM events_shard WHERE customer %% 2 != %d",
                 shard);
        assert_int_equal(cluster_house_shard_number(shard, sql), 0);
    }
    assert_int_equal(sum, ROWS);
    assert_int_equal(number("SELECT count() FROM system.tables WHERE name LIKE 'events_in%'"), 0);

    /* Every column, as it was written. */
    struct buffer one, out;
    buffer_init(&one, 1 << 20);
    buffer_init(&out, 1 << 20);
    for (uint64_t i = 10; i < 40; i++) {
        char sql[1000];
        buffer_clear(&one);
        buffer_clear(&out);
        warehouse_house_row(&one, i, 1);
        snprintf(sql, sizeof(sql), "SELECT %s FROM events WHERE seq = %llu FORMAT RowBinary",
                 warehouse_event_columns(), (unsigned long long)i);
        assert_ok(
            warehouse_query(house.warehouse, str_from_c(sql), NULL, 0, 60000, &out, &problem));
        assert_str_equal(buffer_str(&out), buffer_str(&one));
    }
    buffer_deinit(&one);
    buffer_deinit(&out);
}

static void what_is_there_is_known(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer seqs;
    buffer_init(&seqs, 1 << 20);
    insert(1, 100, 199);
    insert(2, 300, 399);
    assert_ok(warehouse_present_seqs(house.warehouse, 150, 349, &seqs, &problem));
    assert_int_equal(seqs.size, 100 * 8);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t seq;
        memcpy(&seq, seqs.data + i * 8, 8);
        assert_int_equal(seq, i < 50 ? 150 + i : 250 + i);
    }
    buffer_deinit(&seqs);
}

/* An insert that is still on its way when it is given up finds no stage: nothing of it comes in. */
static void what_is_late_stays_out(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    for (int shard = 0; shard < CLUSTER_SHARDS; shard++) {
        char command[100];
        snprintf(command, sizeof(command), "CREATE TABLE events_in_late_%d AS events_shard", shard);
        run(command);
    }
    run("INSERT INTO events_in_late_0 (seq, customer) SELECT number, number FROM system.numbers LIMIT 100");
    assert_ok(warehouse_stop_batch(house.warehouse, 7, 0, &problem));
    struct buffer out;
    buffer_init(&out, 1000);
    assert_err(
        warehouse_query(house.warehouse,
                        STR("ALTER TABLE events ATTACH PARTITION tuple() FROM events_in_late_0"),
                        NULL, 0, 60000, &out, &problem),
        ERR_WAREHOUSE);
    buffer_deinit(&out);
    assert_int_equal(number("SELECT count() FROM events"), 0);
    assert_int_equal(number("SELECT count() FROM system.tables WHERE name LIKE 'events_in%'"), 0);
}

/* ---- merges, what was taken back, erasing ---- */

/* One that was taken over wakes with rows in its hands: nothing of them arrives (L6). */
static void who_was_taken_over_inserts_nothing(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    assert_ok(warehouse_take_writing(house.warehouse, 7, &problem));
    assert_ok(try_insert(1, 1, 100, &problem));
    struct warehouse_house next = house; /* another opening of the same shards */
    next.warehouse = NULL;
    cluster_house_open(&next);
    assert_ok(warehouse_take_writing(next.warehouse, 8, &problem));
    assert_int_not_equal(try_insert(2, 101, 200, &problem), ERR_OK);
    assert_int_equal(number("SELECT count() FROM events"), 100);
    assert_int_equal(warehouse_take_writing(house.warehouse, 7, &problem), ERR_LOCKED);
    /* the new one goes on, also under a number of its own again */
    assert_ok(warehouse_take_writing(next.warehouse, 8, &problem));
    struct warehouse *old = house.warehouse;
    house.warehouse = next.warehouse;
    assert_ok(try_insert(2, 101, 200, &problem));
    assert_int_equal(number("SELECT count() FROM events"), 200);
    house.warehouse = old;
    warehouse_close(&next.warehouse);
    /* the tests behind this one are of one server */
    assert_ok(warehouse_take_writing(house.warehouse, 9, &problem));
}

static void aliases_map_customers(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    insert(1, 1, 3000);
    struct warehouse_alias aliases[] = { { 5, 4, 10 }, { 6, 5, 11 }, { 6, 4, 12 }, { 7, 4, 13 } };
    static const char COUNT[] =
        "SELECT uniqExact(" WAREHOUSE_CURRENT_CUSTOMER ") FROM events WHERE "
        "customer IN (4, 5, 6, 7)";
    assert_int_equal(number(COUNT), 4);
    assert_ok(warehouse_put_aliases(house.warehouse, aliases, 4, &problem));
    assert_int_equal(number(COUNT), 1);
    struct warehouse_alias back = { 6, 6, 20 };
    assert_ok(warehouse_put_aliases(house.warehouse, &back, 1, &problem));
    assert_int_equal(number(COUNT), 2);
    uint64_t version = 0;
    assert_ok(warehouse_alias_version(house.warehouse, &version, &problem));
    assert_int_equal(version, 20);
}

static void what_was_taken_back_does_not_count(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    uint64_t seqs[] = { 3, 5, 8, 13 };
    struct warehouse_list list = { "retracted_events", "seq", str_from_bytes(seqs, sizeof(seqs)), 4,
                                   29 };
    insert(1, 1, 1000);
    assert_ok(warehouse_settle_list(house.warehouse, &list, STR("settle"), &problem));
    assert_int_equal(number("SELECT count() FROM events_kept"), 996);
    assert_int_equal(number("SELECT count() FROM events_kept WHERE seq < 14 AND source = 3"), 9);
    assert_int_equal(number("SELECT count() FROM events"), 1000);
    for (int shard = 0; shard < CLUSTER_SHARDS; shard++)
        assert_int_equal(cluster_house_shard_number(shard, "SELECT count() FROM retracted_events"),
                         4);
    /* One shard has lost a row of it: that shard is filled again. */
    assert_ok(warehouse_settle_list(house.warehouse, &list, STR("again"), &problem));
    assert_int_equal(number("SELECT count() FROM events_kept"), 996);
    list.count = list.sum = list.rows.size = 0;
    assert_ok(warehouse_settle_list(house.warehouse, &list, STR("none"), &problem));
    assert_int_equal(number("SELECT count() FROM events_kept"), 1000);
    run("INSERT INTO retracted_sources SELECT toUInt64(3)");
    assert_int_equal(number("SELECT count() FROM events_kept"), 0);
}

/* Both sides of it lie on all shards. */
static void a_question_within_a_question(void **state)
{
    (void)state;
    insert(1, 1, 3000);
    uint64_t even = number("SELECT uniqExact(customer) FROM events WHERE seq % 2 = 0");
    assert_int_equal(number("SELECT uniqExact(customer) FROM events_kept WHERE customer IN (SELECT "
                            "customer FROM events_kept WHERE seq % 2 = 0)"),
                     even);
    uint64_t all = number("SELECT uniqExact(customer) FROM events");
    assert_int_equal(number("SELECT uniqExact(customer) FROM events WHERE customer NOT IN (SELECT "
                            "customer FROM events_kept WHERE seq % 2 = 0)"),
                     all - even);
    /* Of a column by which rows are not sharded. */
    assert_int_equal(number("SELECT count() FROM events WHERE toUInt64(seq) IN (SELECT "
                            "toUInt64(seq + 1) FROM events)"),
                     2999);
}

static void who_is_erased_is_gone(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    uint64_t parts = 1;
    insert(1, 1, 3000);
    uint64_t before = number("SELECT count() FROM events");
    uint64_t hers = number("SELECT count() FROM events WHERE customer IN (17, 18, 200)");
    assert_true(hers > 0);
    assert_ok(warehouse_erase_customers(house.warehouse, STR("17,18,200"), 60000, &problem));
    assert_int_equal(number("SELECT count() FROM events WHERE customer IN (17, 18, 200)"), 0);
    assert_int_equal(number("SELECT count() FROM events"), before - hers);
    assert_ok(warehouse_keep_old_parts(house.warehouse, 1, &problem));
    while (parts > 0) {
        assert_ok(warehouse_count_old_parts(house.warehouse, &parts, &problem));
        steady_sleep_ms(20);
    }
}

/* ---- a shard is missing ---- */

static void wait_ready(void)
{
    struct problem problem = { .error = ERR_OK };
    if (warehouse_wait(house.warehouse, 120000, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
}

static void a_missing_shard_is_named(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    struct warehouse_shard_state shards[8];
    buffer_init(&out, 1 << 20);
    insert(1, 1, 1000);
    cluster_house_kill(1);
    for (int i = 0; i < 6; i++) { /* whichever is asked first */
        assert_err(warehouse_query(house.warehouse, STR("SELECT count() FROM events"), NULL, 0,
                                   60000, &out, &problem),
                   ERR_UNAVAILABLE);
        assert_non_null(strstr(problem.detail, "shard 2 of 2"));
        assert_int_equal(out.size, 0);
    }
    assert_err(try_insert(2, 2001, 3000, &problem), ERR_UNAVAILABLE);
    assert_false(warehouse_is_ready(house.warehouse));
    assert_int_equal(warehouse_shards(house.warehouse, shards, 8), 2);
    assert_true(shards[0].is_up);
    assert_false(shards[1].is_up);
    cluster_house_again();
    wait_ready();
    assert_int_equal(number("SELECT count() FROM events"), 1000);
    insert(2, 2001, 3000);
    assert_int_equal(number("SELECT count() FROM events"), 2000);
    buffer_deinit(&out);
}

static void assert_refused(const char *url, const char *word)
{
    struct warehouse *other = NULL;
    struct problem problem = { .error = ERR_OK };
    struct warehouse_config config = { .url = url };
    err error = warehouse_open(&other, &config, &problem);
    while (error == ERR_OK) { /* the reason comes with its first look at the shards */
        error = warehouse_wait(other, 50, &problem);
        if (error != ERR_OK && strstr(problem.detail, word) == NULL &&
            (strstr(problem.detail, "starting") != NULL ||
             strstr(problem.detail, "not asked") != NULL))
            error = ERR_OK;
        else if (error == ERR_OK)
            fail_msg("it was taken");
    }
    if (strstr(problem.detail, word) == NULL)
        fail_msg("'%s' does not say '%s'", problem.detail, word);
    warehouse_close(&other);
}

static void other_shards_are_refused(void **state)
{
    (void)state;
    char swapped[512], one[256];
    const char *comma = strchr(cluster_house_url(), ',');
    snprintf(one, sizeof(one), "%.*s", (int)(comma - cluster_house_url()), cluster_house_url());
    snprintf(swapped, sizeof(swapped), "%s,%s", comma + 1, one);
    assert_refused(swapped, "another one in the list");
    assert_refused(one, "another number of shards");
    assert_refused("http://user:secret@127.0.0.1:1", "must not have a password");
    assert_refused("ftp://127.0.0.1:1", "is not http://");
    assert_refused("http://127.0.0.1:1/x", "is not http://host:port");
    assert_refused("http://127.0.0.1:1,http://127.0.0.1:1", "there twice");
    setenv("KITH_WAREHOUSE_PASSWORD", "wrong", 1);
    assert_refused(cluster_house_url(), "password");
    setenv("KITH_WAREHOUSE_PASSWORD", "a shard's secret", 1);
}

/* A shard whose disk was lost comes back empty: its events are not silently missing. */
static void an_emptied_shard_is_refused(void **state)
{
    (void)state;
    insert(1, 1, 1000);
    warehouse_house_close(&house);
    assert_int_equal(cluster_house_shard_number(1, "SELECT count() FROM kith_shard"), 1);
    cluster_house_forget(1);
    assert_refused(cluster_house_url(), "is empty, and others have events");
    cluster_house_remember(1);
    cluster_house_open(&house);
    assert_int_equal(number("SELECT count() FROM events"), 1000);
}

int main(void)
{
    const char *missing = cluster_house_missing();
    if (missing != NULL) {
        print_message("skipped: %s\n", missing);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_keep_every_byte),
        cmocka_unit_test(no_value_becomes_sql),
        cmocka_unit_test(errors_are_told),
        cmocka_unit_test(one_of_several_texts),
        cmocka_unit_test(texts_in_json),
        cmocka_unit_test(a_stream_that_breaks_off_is_an_error),
        cmocka_unit_test_setup(rows_lie_on_their_shards, empty_tables),
        cmocka_unit_test_setup(what_is_there_is_known, empty_tables),
        cmocka_unit_test_setup(what_is_late_stays_out, empty_tables),
        cmocka_unit_test_setup(who_was_taken_over_inserts_nothing, empty_tables),
        cmocka_unit_test_setup(aliases_map_customers, empty_tables),
        cmocka_unit_test_setup(what_was_taken_back_does_not_count, empty_tables),
        cmocka_unit_test_setup(a_question_within_a_question, empty_tables),
        cmocka_unit_test_setup(who_is_erased_is_gone, empty_tables),
        cmocka_unit_test_setup(a_missing_shard_is_named, empty_tables),
        cmocka_unit_test(other_shards_are_refused),
        cmocka_unit_test_setup(an_emptied_shard_is_refused, empty_tables),
    };
    return cmocka_run_group_tests(tests, start_cluster, remove_cluster);
}
