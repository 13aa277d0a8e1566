/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_copy between the embedded warehouse and two real shards: all of it goes, once, whatever was there before; what is other is
 * never touched, and named. */
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "store/warehouse_copy.h"
#include "support/cluster_house.h"

#define ROWS 3000

static struct warehouse_house embedded, cluster;

static int start_both(void **state)
{
    (void)state;
    warehouse_house_make(&embedded);
    warehouse_house_open(&embedded);
    cluster_house_start(&cluster);
    return 0;
}

static int remove_both(void **state)
{
    (void)state;
    warehouse_house_remove(&embedded);
    cluster_house_remove(&cluster);
    return 0;
}

static void run(struct warehouse_house *house, const char *sql)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    buffer_init(&out, 1 << 20);
    if (warehouse_query(house->warehouse, str_from_c(sql), NULL, 0, 60000, &out, &problem) !=
        ERR_OK)
        fail_msg("%s: %s", sql, problem.detail);
    buffer_deinit(&out);
}

static int empty_tables(void **state)
{
    static const char *const tables[] = { "TRUNCATE TABLE events", "TRUNCATE TABLE aliases" };
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        run(&embedded, tables[i]);
        run(&cluster, tables[i]);
    }
    return 0;
}

/* Every `step`-th of the rows from `first` to `last`. */
static void insert(struct warehouse_house *house, uint64_t batch, uint64_t first, uint64_t last,
                   uint64_t step)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer rows;
    buffer_init(&rows, (size_t)1 << 26);
    for (uint64_t seq = first; seq <= last; seq += step)
        warehouse_house_row(&rows, seq, batch);
    if (warehouse_insert_events(house->warehouse, batch, 0, buffer_str(&rows), &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    buffer_deinit(&rows);
}

static void assert_copied(struct warehouse_house *from, struct warehouse_house *to, uint64_t rows,
                          uint64_t inserted)
{
    struct problem problem = { .error = ERR_OK };
    struct warehouse_copied copied;
    if (warehouse_copy(from->warehouse, to->warehouse, &copied, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    assert_int_equal(copied.rows, rows);
    assert_int_equal(copied.inserted, inserted);
    assert_int_equal(warehouse_house_number(to, "SELECT count() FROM events"), rows);
    assert_int_equal(warehouse_house_number(to, "SELECT uniqExact(seq) FROM events"), rows);
}

static void assert_conflict(struct warehouse_house *from, struct warehouse_house *to,
                            const char *said)
{
    struct problem problem = { .error = ERR_OK };
    struct warehouse_copied copied;
    uint64_t rows = warehouse_house_number(to, "SELECT count() FROM events");
    assert_int_equal(warehouse_copy(from->warehouse, to->warehouse, &copied, &problem),
                     ERR_CONFLICT);
    if (strstr(problem.detail, said) == NULL)
        fail_msg("'%s' says nothing of '%s'", problem.detail, said);
    assert_int_equal(warehouse_house_number(to, "SELECT count() FROM events"), rows);
}

static void nothing_is_copied_of_nothing(void **state)
{
    (void)state;
    assert_copied(&embedded, &cluster, 0, 0);
}

static void all_goes_up_and_comes_back(void **state)
{
    (void)state;
    insert(&embedded, 1, 1, ROWS, 1);
    assert_copied(&embedded, &cluster, ROWS, ROWS);
    for (int shard = 0; shard < CLUSTER_SHARDS; shard++) {
        const char *strays = shard == 0 ? "SELECT countIf(customer % 2 != 0) FROM events_shard"
                                        : "SELECT countIf(customer % 2 != 1) FROM events_shard";
        assert_int_equal(cluster_house_shard_number(shard, strays), 0);
    }
    run(&embedded, "TRUNCATE TABLE events");
    assert_copied(&cluster, &embedded, ROWS, ROWS);
}

static void what_came_since_alone_goes_again(void **state)
{
    (void)state;
    insert(&embedded, 1, 1, ROWS, 1);
    assert_copied(&embedded, &cluster, ROWS, ROWS);
    assert_copied(&embedded, &cluster, ROWS, 0);
    insert(&embedded, ROWS + 1, ROWS + 1, ROWS + 100, 1);
    assert_copied(&embedded, &cluster, ROWS + 100, 100);
}

/* As a copy leaves it that was broken off when one shard had its rows, and the other not all. */
static void holes_are_filled(void **state)
{
    (void)state;
    insert(&embedded, 1, 1, ROWS, 1);
    insert(&cluster, 1, 1, ROWS, 3);
    assert_copied(&embedded, &cluster, ROWS, ROWS - ROWS / 3);
}

static void a_row_that_is_there_twice_is_found(void **state)
{
    (void)state;
    insert(&embedded, 1, 1, ROWS, 1);
    insert(&cluster, 1, 1, ROWS, 1);
    insert(&cluster, ROWS + 1, 7, 7, 1);
    assert_conflict(&embedded, &cluster, "3001 rows, and not the 3000");
}

/* A row twice and another missing: as many rows, but not the same. */
static void as_many_rows_are_not_the_same_rows(void **state)
{
    (void)state;
    insert(&embedded, 1, 1, ROWS, 1);
    insert(&cluster, 1, 1, ROWS - 1, 1);
    insert(&cluster, ROWS, 7, 7, 1);
    assert_conflict(&embedded, &cluster, "are others where they go");
}

/* Same numbers, another text: only the hash over all columns sees it. */
static void another_text_is_found(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer rows;
    buffer_init(&rows, 1 << 20);
    insert(&embedded, 1, 1, 50, 1);
    for (uint64_t seq = 1; seq <= 50; seq++)
        warehouse_house_row(&rows, seq, 1);
    char *at = memmem(rows.data, rows.size, "{\"n\":9,", 7);
    assert_non_null(at);
    at[5] = '8';
    assert_ok(warehouse_insert_events(cluster.warehouse, 1, 0, buffer_str(&rows), &problem));
    buffer_deinit(&rows);
    assert_conflict(&embedded, &cluster, "are others where they go");
}

static void what_is_beyond_is_another_kiths(void **state)
{
    (void)state;
    insert(&embedded, 1, 1, 10, 1);
    insert(&cluster, 11, 11, 20, 1);
    assert_conflict(&embedded, &cluster, "some up to seq 20, and here up to 10 only");
}

static void who_was_merged_is_merged_there(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    const struct warehouse_alias aliases[] = {
        { .customer = 5, .current = 9, .version = 1 },
        { .customer = 5, .current = 7, .version = 2 },
        { .customer = 9, .current = 7, .version = 2 },
    };
    insert(&embedded, 1, 1, 10, 1);
    assert_ok(warehouse_put_aliases(embedded.warehouse, aliases, 3, &problem));
    assert_copied(&embedded, &cluster, 10, 10);
    assert_copied(&embedded, &cluster, 10, 0);
    assert_int_equal(warehouse_house_number(&cluster, "SELECT uniqExact(customer) FROM aliases"),
                     2);
    assert_int_equal(
        warehouse_house_number(&cluster,
                               "SELECT argMax(current, version) FROM aliases WHERE customer = 5"),
        7);
}

/* A shard that is away: named, nothing half copied counts, and it goes on when it is back. */
static void a_shard_that_is_away_is_named(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct warehouse_copied copied;
    insert(&embedded, 1, 1, ROWS, 1);
    cluster_house_kill(1);
    assert_int_not_equal(warehouse_copy(embedded.warehouse, cluster.warehouse, &copied, &problem),
                         ERR_OK);
    if (strstr(problem.detail, "shard 2 of 2") == NULL)
        fail_msg("'%s' does not name the shard", problem.detail);
    cluster_house_again();
    warehouse_house_close(&cluster);
    cluster_house_open(&cluster);
    assert_ok(warehouse_copy(embedded.warehouse, cluster.warehouse, &copied, &problem));
    assert_int_equal(copied.rows, ROWS);
    assert_int_equal(warehouse_house_number(&cluster, "SELECT uniqExact(seq) FROM events"), ROWS);
}

int main(int argc, char **argv)
{
    if (warehouse_house_child(argc, argv))
        return 0;
    const char *missing = warehouse_house_missing();
    if (missing == NULL)
        missing = cluster_house_missing();
    if (missing != NULL) {
        print_message("skipped: %s\n", missing);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_copied_of_nothing, empty_tables),
        cmocka_unit_test_setup(all_goes_up_and_comes_back, empty_tables),
        cmocka_unit_test_setup(what_came_since_alone_goes_again, empty_tables),
        cmocka_unit_test_setup(holes_are_filled, empty_tables),
        cmocka_unit_test_setup(a_row_that_is_there_twice_is_found, empty_tables),
        cmocka_unit_test_setup(as_many_rows_are_not_the_same_rows, empty_tables),
        cmocka_unit_test_setup(another_text_is_found, empty_tables),
        cmocka_unit_test_setup(what_is_beyond_is_another_kiths, empty_tables),
        cmocka_unit_test_setup(who_was_merged_is_merged_there, empty_tables),
        cmocka_unit_test_setup(a_shard_that_is_away_is_named, empty_tables),
    };
    return cmocka_run_group_tests(tests, start_both, remove_both);
}
