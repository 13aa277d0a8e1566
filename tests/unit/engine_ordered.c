/* SPDX-License-Identifier: Apache-2.0 */
/* ordered: rows come in order and each once, however many ranges they are cut into, and also of who has too many. */
#include "support/cmocka.h"

#include <string.h>

#include "engine/past/ordered.h"
#include "support/warehouse_house.h"

#define ROWS 60000
#define STR_OF(x) #x
#define TEXT_OF(x) STR_OF(x)

/* A tenth of them are of customer 5000; the others of some 20,000 who lie in several slices. */
#define COLUMNS "SELECT customer, seq, time_ms, repeat('x', seq % 5)"
#define FROM                                                                                 \
    " FROM (SELECT toUInt32(if(number % 10 = 3, 5000, cityHash64(number) % 20000 + 1)) AS "  \
    "customer, number + 1 AS seq, toInt64(cityHash64(number, 7) % 50) - 10 AS time_ms FROM " \
    "numbers(" TEXT_OF(ROWS) ")) WHERE seq > 0"

static struct warehouse_house house;

static int open_house(void **state)
{
    (void)state;
    warehouse_house_make(&house);
    warehouse_house_open(&house);
    return 0;
}

static int remove_house(void **state)
{
    (void)state;
    warehouse_house_remove(&house);
    return 0;
}

struct taken {
    struct row_place before;
    uint64_t count, seqs, of_one;
    uint64_t refuse_at;
};

static void read_row(struct cursor *cursor, struct row_place *place)
{
    place->customer = read_u32(cursor);
    place->seq = read_u64(cursor);
    place->time_ms = read_i64(cursor);
    str text = read_text(cursor);
    if (!cursor->failed)
        assert_int_equal(text.size, place->seq % 5);
}

static void walk(const void *context, struct cursor *cursor, struct row_place *place)
{
    (void)context;
    read_row(cursor, place);
}

static bool is_after(const struct row_place *a, const struct row_place *b)
{
    if (a->customer != b->customer)
        return a->customer > b->customer;
    return a->time_ms != b->time_ms ? a->time_ms > b->time_ms : a->seq > b->seq;
}

static err take(void *context, struct cursor *cursor)
{
    struct taken *taken = context;
    struct row_place row;
    read_row(cursor, &row);
    if (cursor->failed)
        return ERR_OK;
    if (taken->count > 0)
        assert_true(is_after(&row, &taken->before));
    taken->before = row;
    taken->count++;
    taken->seqs += row.seq;
    taken->of_one += row.customer == 5000;
    return taken->count == taken->refuse_at ? ERR_CONFLICT : ERR_OK;
}

static struct ordered ordered_by(uint32_t rows_max, struct taken *taken)
{
    return (struct ordered){ .warehouse = house.warehouse,
                             .columns = STR(COLUMNS),
                             .from = STR(FROM),
                             .rows_max = rows_max,
                             .bytes_max = (size_t)64 << 20,
                             .walk = walk,
                             .take = take,
                             .context = taken };
}

/* All at once; several ranges; and slices that have more than may be held, so that each is asked for in order. */
static void each_row_once_and_in_order(void **state)
{
    static const uint32_t sizes[] = { 1000000, 25000, 14000, 100 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct problem problem = { .error = ERR_OK };
        struct taken taken = { .count = 0 };
        struct ordered ordered = ordered_by(sizes[i], &taken);
        assert_ok(ordered_stream(&ordered, NULL, &problem));
        assert_int_equal(taken.count, ROWS);
        assert_int_equal(taken.seqs, (uint64_t)ROWS * (ROWS + 1) / 2);
        assert_true(taken.of_one >= ROWS / 10);
    }
}

/* Long rows: none is refused, and what is held stays small. A row has at least 21 bytes. */
static void rows_of_many_bytes_come_in_order(void **state)
{
    (void)state;
    for (size_t bytes_max = 4096; bytes_max <= (size_t)4 << 20; bytes_max *= 32) {
        struct problem problem = { .error = ERR_OK };
        struct taken taken = { .count = 0 };
        struct ordered ordered = ordered_by(25000, &taken);
        ordered.bytes_max = bytes_max;
        assert_ok(ordered_stream(&ordered, NULL, &problem));
        assert_int_equal(problem.error, ERR_OK);
        assert_int_equal(taken.count, ROWS);
        assert_int_equal(taken.seqs, (uint64_t)ROWS * (ROWS + 1) / 2);
    }
}

static void an_error_ends_it(void **state)
{
    (void)state;
    for (uint32_t rows_max = 100; rows_max <= 1000000; rows_max *= 100) {
        struct problem problem = { .error = ERR_OK };
        struct taken taken = { .refuse_at = 20000 };
        struct ordered ordered = ordered_by(rows_max, &taken);
        assert_err(ordered_stream(&ordered, NULL, &problem), ERR_CONFLICT);
        assert_int_equal(taken.count, 20000);
        ordered.columns = STR("SELECT customer, seq, nothing");
        assert_err(ordered_stream(&ordered, NULL, &problem), ERR_WAREHOUSE);
        assert_non_null(strstr(problem.detail, "nothing"));
    }
}

/* Fewer columns than the walk reads: a row is never made up. */
static void what_is_no_row_is_refused(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct taken taken = { .count = 0 };
    struct ordered ordered = ordered_by(1000000, &taken);
    ordered.columns = STR("SELECT customer");
    ordered.from = STR(" FROM (SELECT toUInt32(7) AS customer) WHERE 1");
    assert_err(ordered_stream(&ordered, NULL, &problem), ERR_CORRUPT);
    assert_int_equal(taken.count, 0);
}

static void no_rows(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct taken taken = { .count = 0 };
    struct ordered ordered = ordered_by(1000, &taken);
    ordered.from = STR(" FROM (SELECT toUInt32(7) AS customer, toUInt64(1) AS seq, toInt64(1) AS "
                       "time_ms) WHERE customer > 7");
    assert_ok(ordered_stream(&ordered, NULL, &problem));
    assert_int_equal(taken.count, 0);
}

int main(int argc, char **argv)
{
    if (warehouse_house_child(argc, argv))
        return 0;
    const char *missing = warehouse_house_missing();
    if (missing != NULL) {
        print_message("skipped: %s\n", missing);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_row_once_and_in_order, open_house, remove_house),
        cmocka_unit_test_setup_teardown(rows_of_many_bytes_come_in_order, open_house, remove_house),
        cmocka_unit_test_setup_teardown(an_error_ends_it, open_house, remove_house),
        cmocka_unit_test_setup_teardown(what_is_no_row_is_refused, open_house, remove_house),
        cmocka_unit_test_setup_teardown(no_rows, open_house, remove_house),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
