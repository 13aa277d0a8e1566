/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions of ClickHouse as text, and rows sorted on their way. Needs no warehouse. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/digest.h"
#include "store/clickhouse.h"
#include "store/events.h"
#include "store/events_order.h"
#include "support/warehouse_house.h"

static void exceptions_of_both_styles(void **state)
{
    (void)state;
    struct clickhouse_exception exception;
    assert_true(clickhouse_parse_exception(
        STR("Code: 60. DB::Exception: Table nope does not exist. (UNKNOWN_TABLE) (version 26.5)\n"),
        &exception));
    assert_int_equal(exception.code, 60);
    assert_str_equal(exception.text,
                     STR("Table nope does not exist. (UNKNOWN_TABLE) (version 26.5)"));
    assert_true(clickhouse_parse_exception(
        STR("Code: 47, e.displayText() = DB::Exception: Missing columns: 'x', e.what() = DB::Exception"),
        &exception));
    assert_int_equal(exception.code, 47);
    assert_true(str_starts_with(exception.text, STR("Missing columns: 'x'")));
}

static void what_is_no_exception(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",
        "Code",
        "Code: ",
        "Code: . DB::Exception: x",
        "Code: 60 DB::Exception: x",
        "code: 60. DB::Exception: x",
        "Code: 1234567. DB::Exception: x",
        "Code: -1. DB::Exception: x",
        " Code: 60. DB::Exception: x",
        "{\"props\":\"Code: 60. DB::Exception: x\"}",
    };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct clickhouse_exception exception;
        if (clickhouse_parse_exception(str_from_c(TEXTS[i]), &exception))
            fail_msg("taken for an exception: %s", TEXTS[i]);
    }
}

static void exceptions_at_the_end_of_a_stream(void **state)
{
    (void)state;
    struct clickhouse_exception exception;
    size_t data = 0;
    str old = STR("1\t2\n3\t4\nCode: 241. DB::Exception: Memory limit. (MEMORY_LIMIT_EXCEEDED)\n");
    assert_true(clickhouse_find_exception(old, STR_NONE, &exception, &data));
    assert_int_equal(exception.code, 241);
    assert_int_equal(data, 8);
    str marked =
        STR("1\t2\n\r\n__exception__\r\nabcdefghijklmnop\r\nCode: 395. DB::Exception: thrown. "
            "(X)\n43 abcdefghijklmnop\r\n__exception__\r\n");
    assert_true(clickhouse_find_exception(marked, STR("abcdefghijklmnop"), &exception, &data));
    assert_int_equal(exception.code, 395);
    assert_int_equal(data, 4);
    assert_str_equal(exception.text, STR("thrown. (X)"));
    /* With a tag known, text that anybody can write into an event is data. */
    assert_false(clickhouse_find_exception(old, STR("abcdefghijklmnop"), &exception, &data));
    assert_false(clickhouse_find_exception(marked, STR("ponmlkjihgfedcba"), &exception, &data));
    assert_false(clickhouse_find_exception(STR("a Code: 60. DB::Exception: x"), STR_NONE,
                                           &exception, &data));
}

static void codes_become_errors(void **state)
{
    (void)state;
    assert_int_equal(clickhouse_error(60), ERR_WAREHOUSE);
    assert_int_equal(clickhouse_error(159), ERR_TIMEOUT);
    assert_int_equal(clickhouse_error(243), ERR_STORAGE_FULL);
    assert_int_equal(clickhouse_error(252), ERR_UNAVAILABLE);
    assert_int_equal(clickhouse_http_status(60), 404);
    assert_int_equal(clickhouse_http_status(62), 400);
    assert_int_equal(clickhouse_http_status(241), 500);
}

static void url_encoding(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1000);
    url_encode(&out, STR("a-Z_0.9~ &=+%/\n熟\0"));
    assert_str_equal(buffer_str(&out), STR("a-Z_0.9~%20%26%3D%2B%25%2F%0A%E7%86%9F%00"));
    buffer_deinit(&out);
}

/* ---- order ---- */

struct key {
    uint32_t customer;
    int64_t time_ms;
    uint64_t seq;
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->customer != y->customer)
        return x->customer < y->customer ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void put_row(struct buffer *rows, const struct key *key, struct random_stream *random)
{
    static const int64_t numbers[PROMOTED_COUNT];
    const str texts[PROMOTED_COUNT] = { STR("order"), [PROMOTED_SHOP] = STR("店") };
    static char filler[70000];
    static const uint32_t identifiers[4];
    memset(filler, 'p', sizeof(filler));
    struct warehouse_event event = {
        .seq = key->seq,
        .customer = key->customer,
        .time_ms = key->time_ms,
        .type = { filler, (size_t)random_below(random, 200) },
        .channel = { filler, (size_t)random_below(random, 3) },
        .identifiers = identifiers,
        .identifier_count = (uint32_t)random_below(random, 4),
        .promoted_set = (uint32_t)random_below(random, 1u << PROMOTED_COUNT),
        .promoted_int = numbers,
        .promoted_text = texts,
        .props = { filler,
                   (size_t)random_below(random, random_below(random, 50) == 0 ? 70000 : 300) },
        .context = { filler, (size_t)random_below(random, 130) },
    };
    event_row_write(rows, &event);
}

static void check_order(size_t count, uint64_t customers, uint64_t times, uint64_t seed)
{
    struct problem problem;
    struct random_stream random;
    struct buffer rows;
    struct row_order order;
    random_seed(&random, seed);
    buffer_init(&rows, (size_t)1 << 28);
    struct key *keys = calloc(count + 1, sizeof(*keys));
    for (size_t i = 0; i < count; i++) {
        keys[i] =
            (struct key){ .customer = (uint32_t)(random_below(&random, customers) * 0x9E3779B1u),
                          .time_ms = (int64_t)random_below(&random, times) - 5,
                          .seq = i + 1 };
        put_row(&rows, &keys[i], &random);
    }
    assert_ok(row_order_make(&order, buffer_str(&rows), 0, 1, &problem));
    assert_int_equal(order.count, count);
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < count; i++) {
        const struct row_place *place = &order.places[order.order[i]];
        assert_int_equal(place->seq, keys[i].seq);
        assert_int_equal(place->customer, keys[i].customer);
    }
    row_order_free(&order);
    free(keys);
    buffer_deinit(&rows);
}

static void rows_come_out_in_order(void **state)
{
    (void)state;
    check_order(0, 1, 1, 1);
    check_order(1, 1, 1, 2);
    check_order(2000, 1, 3, 3); /* one customer: a heap */
    check_order(2000, 1, 1000000, 4);
    check_order(3000, 100, 50, 5); /* short runs */
    check_order(5000, 1000000, 50, 6);
    for (uint64_t seed = 10; seed < 60; seed++)
        check_order(seed * 3, seed, seed * 7, seed);
}

/* The bytes of docs/formats/warehouse.md, as another program made them. */
static void a_row_is_as_it_was_pinned(void **state)
{
    (void)state;
    char golden[2048], props[400] = "{\"name\":\"";
    FILE *file = fopen(KITH_SOURCE_DIR "/tests/golden/store/event-row.bin", "r");
    assert_non_null(file);
    size_t size = fread(golden, 1, sizeof(golden), file);
    fclose(file);
    for (int i = 0; i < 100; i++)
        strncat(props, "熟", sizeof(props) - strlen(props) - 1);
    strncat(props, "\"}", sizeof(props) - strlen(props) - 1);
    const uint32_t identifiers[] = { 77, 1, 4294967295u };
    const int64_t numbers[PROMOTED_COUNT] = {
        [PROMOTED_REVENUE] = 12900, [PROMOTED_QUANTITY] = -2, [PROMOTED_TOTAL] = 5
    };
    const str texts[PROMOTED_COUNT] = { [PROMOTED_ORDER_ID] = STR("O-1"),
                                        [PROMOTED_CURRENCY] = STR("CNY"),
                                        [PROMOTED_SHOP] = STR("官方旗舰店"),
                                        [PROMOTED_BRAND] = STR("not set") };
    struct warehouse_event event = {
        .seq = (UINT64_C(1) << 40) + 7,
        .batch = 12,
        .source = 3,
        .message_key = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
        .kind = 1,
        .flags = 5,
        .type = STR("Order Paid"),
        .channel = STR("mini_program"),
        .time_ms = 1795000000123,
        .received_ms = 1795000000456,
        .customer = 4000000000u,
        .origin = 77,
        .identifiers = identifiers,
        .identifier_count = 3,
        .promoted_set = 1u << PROMOTED_REVENUE | 1u << PROMOTED_QUANTITY | 1u << PROMOTED_ORDER_ID |
                        1u << PROMOTED_CURRENCY | 1u << PROMOTED_SHOP,
        .promoted_int = numbers,
        .promoted_text = texts,
        .props = str_from_c(props),
    };
    struct buffer row;
    buffer_init(&row, 1 << 16);
    event_row_write(&row, &event);
    assert_str_equal(buffer_str(&row), str_from_bytes(golden, size));
    buffer_deinit(&row);
}

/* Every prefix that is not whole rows is refused, and none is read past its end. */
static void torn_rows_are_refused(void **state)
{
    (void)state;
    struct buffer rows;
    struct problem problem;
    struct row_order order;
    size_t ends[3] = { 0 };
    buffer_init(&rows, 1 << 20);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        warehouse_house_row(&rows, seq, 1);
        ends[seq] = rows.size;
    }
    for (size_t size = 0; size <= rows.size; size++) {
        char *copy = malloc(size + 1);
        memcpy(copy, rows.data, size);
        err error = row_order_make(&order, (str){ copy, size }, 0, 1, &problem);
        bool whole = size == 0 || size == ends[1] || size == ends[2];
        assert_int_equal(error, whole ? ERR_OK : ERR_CORRUPT);
        if (error == ERR_OK)
            row_order_free(&order);
        free(copy);
    }
    buffer_deinit(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exceptions_of_both_styles),
        cmocka_unit_test(what_is_no_exception),
        cmocka_unit_test(exceptions_at_the_end_of_a_stream),
        cmocka_unit_test(codes_become_errors),
        cmocka_unit_test(url_encoding),
        cmocka_unit_test(rows_come_out_in_order),
        cmocka_unit_test(a_row_is_as_it_was_pinned),
        cmocka_unit_test(torn_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
