/* SPDX-License-Identifier: Apache-2.0 */
/* Order lines: rows of an order wherever they stand become one event, in RAM, over disk and next to each other the same;
 * against a naive twin that has all rows in an array. */
#include "support/mapper.h"

#include <fcntl.h>

#include "base/digest.h"
#include "base/fault.h"

static struct mapper *mapper;

static int set_up(void **state)
{
    mapper = calloc(1, sizeof *mapper);
    mapper_open(mapper);
    *state = mapper;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapper_close(mapper);
    free(mapper);
    return 0;
}

#define COLUMNS "order|sku|price|quantity|who|note"
#define LINES(more)                                                                                \
    "{'kind':'events','currency':'CNY','event':'Order Paid','time':{'constant':'2024-01-05'},"     \
    "'identifiers':[{'type':'user_id','column':'who'}],'properties':{'order_id':'[order]',"        \
    "'lines':'count()'},'lines':{'group_by':'[order]','columns':{'sku':'[sku]','price':'[price]'," \
    "'quantity':'[quantity]'},'sums':{'revenue':{'price':'[price]','quantity':'[quantity]'}}" more \
    "}}"

/* ---- a naive twin ---- */

#define ROWS_MAX 6000

struct line {
    unsigned order, sku;
    int64_t price_milli; /* three digits behind the point */
    int quantity;
};

/* Thousandths times pieces to cents, half to even. */
static int64_t cents_of(const struct line *line)
{
    int64_t milli = line->price_milli * line->quantity;
    int64_t size = milli < 0 ? -milli : milli, cents = size / 10, rest = size % 10;
    if (rest > 5 || (rest == 5 && cents % 2 == 1))
        cents++;
    return milli < 0 ? -cents : cents;
}

static void row_of(const struct line *line, char out[200])
{
    snprintf(out, 200, "A%u|S%u|%s%lld.%03lld|%d|u%u|%0*u", line->order, line->sku,
             line->price_milli < 0 ? "-" : "", (long long)llabs(line->price_milli) / 1000,
             (long long)llabs(line->price_milli) % 1000, line->quantity, line->order % 50, 40,
             line->sku);
}

static void make_lines(struct line *lines, size_t count, uint64_t seed, bool adjacent)
{
    struct random_stream random;
    random_seed(&random, seed);
    for (size_t i = 0; i < count; i++)
        lines[i] =
            (struct line){ .order = adjacent ? (unsigned)(i / 3)
                                             : (unsigned)random_below(&random, count / 3 + 1),
                           .sku = (unsigned)random_below(&random, 100),
                           .price_milli = (int64_t)random_below(&random, 200000) - 1000,
                           .quantity = (int)random_below(&random, 9) - 1 };
}

/* Every order of the twin is among the events, with its lines in the order of the file and its sum. */
static void compare_with_twin(const struct line *lines, size_t count)
{
    size_t orders = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t cents = 0;
        size_t of_order = 0, last = i;
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = lines[k].order != lines[i].order;
        if (!first)
            continue;
        for (size_t k = i; k < count; k++)
            if (lines[k].order == lines[i].order) {
                cents += cents_of(&lines[k]);
                of_order++;
                last = k;
            }
        orders++;
        char wanted[80];
        snprintf(wanted, sizeof wanted, "{\"order_id\":\"A%u\",\"lines\":%zu,", lines[i].order,
                 of_order);
        size_t found = 0;
        while (found < mapper->event_count && (mapper->first_rows[found] != i + 1 ||
                                               strstr(mapper->events[found], wanted) == NULL))
            found++;
        if (found == mapper->event_count)
            fail_msg("no event %s", wanted);
        assert_int_equal(mapper->revenue[found], cents);
        assert_int_equal(mapper->last_rows[found], last + 1);
        const char *at = strstr(mapper->events[found], "\"products\":[");
        for (size_t k = i; k < count; k++) {
            char sku[24];
            if (lines[k].order != lines[i].order)
                continue;
            snprintf(sku, sizeof sku, "{\"sku\":\"S%u\",", lines[k].sku);
            at = strstr(at, sku);
            assert_non_null(at);
            at++;
        }
    }
    assert_int_equal(mapper->event_count, orders);
    assert_int_equal(mapper->refused_count, 0);
}

static void run_lines(const struct line *lines, size_t count, const char *json, size_t memory)
{
    char row[200];
    mapper->context.memory_bytes_max = memory;
    mapper_start(mapper, json, COLUMNS);
    for (size_t i = 0; i < count; i++) {
        row_of(&lines[i], row);
        assert_ok(mapper_row(mapper, row));
    }
    mapper_end(mapper);
    assert_int_equal(mapping_resume_row(mapper->worker), count + 1);
}

static void rows_that_lie_anywhere(void **state)
{
    static struct line lines[ROWS_MAX];
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        make_lines(lines, 900, seed, false);
        run_lines(lines, 900, LINES(""), 0);
        compare_with_twin(lines, 900);
    }
}

static void over_disk_it_is_the_same(void **state)
{
    static struct line lines[ROWS_MAX];
    static uint8_t keys[MAPPER_LINES_MAX][16];
    (void)state;
    make_lines(lines, ROWS_MAX, 7, false);
    run_lines(lines, ROWS_MAX, LINES(""), 0);
    size_t count = mapper->event_count;
    memcpy(keys, mapper->message_keys, sizeof keys);
    /* 64 KB hold some 300 rows: twenty runs. */
    run_lines(lines, ROWS_MAX, LINES(""), 1);
    compare_with_twin(lines, ROWS_MAX);
    assert_int_equal(mapper->event_count, count);
    /* In the same order, with the same keys. */
    assert_memory_equal(mapper->message_keys, keys, count * 16);
}

static void rows_that_stand_together(void **state)
{
    static struct line lines[ROWS_MAX];
    char row[200];
    (void)state;
    make_lines(lines, 600, 11, true);
    run_lines(lines, 600, LINES(",'adjacent':true"), 0);
    compare_with_twin(lines, 600);
    /* Orders come out as soon as the next begins, and the job may resume at the open one. */
    mapper_start(mapper, LINES(",'adjacent':true"), COLUMNS);
    for (size_t i = 0; i < 7; i++) {
        row_of(&lines[i], row);
        assert_ok(mapper_row(mapper, row));
    }
    assert_int_equal(mapper->event_count, 2);
    assert_int_equal(mapping_resume_row(mapper->worker), 7);
}

static void rows_that_come_back_are_refused(void **state)
{
    (void)state;
    mapper_start(mapper, LINES(",'adjacent':true"), COLUMNS);
    assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|"));
    assert_ok(mapper_row(mapper, "A2|S1|1.00|1|u1|"));
    assert_ok(mapper_row(mapper, "A1|S2|1.00|1|u1|"));
    mapper_end(mapper);
    assert_int_equal(mapper->event_count, 2);
    assert_int_equal(mapper->refused_count, 1);
    assert_non_null(strstr(mapper->refused[0], "3|order_not_adjacent"));
}

static void a_bad_line_refuses_its_order(void **state)
{
    (void)state;
    mapper_start(mapper, LINES(""), COLUMNS);
    assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|"));
    assert_ok(mapper_row(mapper, "A2|S1|1.00|1|u1|"));
    assert_ok(mapper_row(mapper, "A1|S2|abc|1|u1|x"));
    assert_ok(mapper_row(mapper, "|S2|abc|1|u1|y"));
    assert_ok(mapper_row(mapper, "1.2E+17|S2|1|1|u1|z"));
    mapper_end(mapper);
    assert_int_equal(mapper->event_count, 1);
    assert_non_null(strstr(mapper->events[0], "A2"));
    assert_int_equal(mapper->refused_count, 4);
    assert_string_equal(mapper->refused[0],
                        "4|missing_value|column 'order': 'group_by' has no value||S2|abc|1|u1|y");
    assert_non_null(strstr(mapper->refused[1], "5|lost_digits|column 'order'"));
    assert_string_equal(mapper->refused[2],
                        "1|order_refused|row 3 of the same order is wrong|A1|S1|1.00|1|u1|");
    assert_string_equal(mapper->refused[3], "3|not_a_number|column 'price': 'abc' is not a "
                                            "number|A1|S2|abc|1|u1|x");
}

static void corrected_orders_keep_their_key(void **state)
{
    uint8_t natural[16], content[16], message[16];
    (void)state;
    mapper_start(mapper, LINES(""), COLUMNS);
    assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|"));
    mapper_end(mapper);
    memcpy(natural, mapper->natural_keys[0], 16);
    memcpy(content, mapper->content_hashes[0], 16);
    memcpy(message, mapper->message_keys[0], 16);
    /* The same again, on another day and from another source: the same event. */
    mapper->context.received_ms += 86400000;
    mapper->context.source_number = 7;
    mapper_start(mapper, LINES(""), COLUMNS);
    assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|other note"));
    mapper_end(mapper);
    assert_memory_equal(mapper->message_keys[0], message, 16);
    /* A line more: the same order, another content. */
    mapper_start(mapper, LINES(""), COLUMNS);
    assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|"));
    assert_ok(mapper_row(mapper, "A1|S2|1.00|1|u1|"));
    mapper_end(mapper);
    assert_memory_equal(mapper->natural_keys[0], natural, 16);
    assert_memory_not_equal(mapper->content_hashes[0], content, 16);
    assert_memory_not_equal(mapper->message_keys[0], message, 16);
    /* Another data set: another order. */
    mapper->context.key_salt = STR("others");
    mapper_start(mapper, LINES(""), COLUMNS);
    assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|"));
    mapper_end(mapper);
    assert_memory_not_equal(mapper->natural_keys[0], natural, 16);
}

static void an_order_has_a_most_of_rows(void **state)
{
    (void)state;
    mapper_start(mapper,
                 "{'kind':'events','event':'E','time':{'constant':'2024-01-05'},"
                 "'identifiers':[{'type':'user_id','column':'who'}],'properties':{'n':'count()'},"
                 "'lines':{'group_by':'[order]','columns':{}}}",
                 COLUMNS);
    for (int i = 0; i < 2000; i++)
        assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|"));
    mapper_end(mapper);
    assert_int_equal(mapper->event_count, 1);
    assert_non_null(strstr(mapper->events[0], "\"n\":2000"));
    /* Too large for an event: refused whole, and told so row by row. */
    mapper_start(mapper, LINES(""), COLUMNS);
    for (int i = 0; i < 3000; i++)
        assert_ok(mapper_row(mapper,
                             "A1|S1-with-a-name-that-is-so-long-that-three-thousand-of-them-are-"
                             "more-than-an-event-may-be|1.00|1|u1|"));
    mapper_end(mapper);
    assert_int_equal(mapper->event_count, 0);
    assert_int_equal(mapper->refused_count, 3000);
    assert_non_null(strstr(mapper->refused[0], "too_large"));
}

static void what_the_caller_stops_is_stopped(void **state)
{
    (void)state;
    mapper_start(mapper, LINES(""), COLUMNS);
    assert_ok(mapper_row(mapper, "A1|S1|1.00|1|u1|"));
    assert_ok(mapper_row(mapper, "A2|S1|1.00|1|u1|"));
    mapper->stop_after = 1;
    assert_err(mapping_end(mapper->worker, mapper_emit, mapper_refuse, mapper, &mapper->problem),
               ERR_UNAVAILABLE);
    assert_int_equal(mapper->event_count, 1);
    assert_int_equal(mapping_resume_row(mapper->worker), 1);
    mapper->stop_after = 0;
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct line line = { .order = 1, .price_milli = 1000, .quantity = 1 };
    char row[200];
    err error = ERR_OK;
    (void)state;
    mapper->context.memory_bytes_max = 1;
    mapper->context.temporary_folder = "/no/such/folder";
    mapper_start(mapper, LINES(""), COLUMNS);
    for (unsigned i = 0; i < 2000 && error == ERR_OK; i++) {
        line.order = i;
        row_of(&line, row);
        error = mapper_row(mapper, row);
    }
    assert_err(error, ERR_IO);
    assert_non_null(strstr(mapper->problem.detail, "/no/such/folder"));
}

static void a_full_disk_is_told(void **state)
{
#ifdef KITH_FAULTS
    struct line line = { .order = 1, .price_milli = 1000, .quantity = 1 };
    char row[200];
    err error = ERR_OK;
    (void)state;
    mapper->context.memory_bytes_max = 1;
    mapper_start(mapper, LINES(""), COLUMNS);
    fault_arm(FAULT_FILE_WRITE, 1, FAULT_FAIL, false);
    for (unsigned i = 0; i < 2000 && error == ERR_OK; i++) {
        line.order = i;
        row_of(&line, row);
        error = mapper_row(mapper, row);
    }
    fault_disarm();
    assert_err(error, ERR_STORAGE_FULL);
#else
    (void)state;
    skip();
#endif
}

/* What waits on disk holds phones: nothing of it can be read there. */
static void what_waits_on_disk_cannot_be_read(void **state)
{
    char folder[] = "/tmp/kith-lines-test-XXXXXX", row[200], bytes[65536];
    (void)state;
    assert_non_null(mkdtemp(folder));
    mapper->context.memory_bytes_max = 1;
    mapper->context.temporary_folder = folder;
    mapper_start(mapper, LINES(""), COLUMNS);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(row, sizeof row, "A%u|SECRETSECRETSECRET|1.00|1|u1|SECRETSECRETSECRETSECRET", i);
        assert_ok(mapper_row(mapper, row));
    }
    bool looked = false;
    for (int file = 3; file < 64; file++) {
        char link[64], target[200] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        if (readlink(link, target, sizeof target - 1) < 0 || strstr(target, folder) == NULL)
            continue;
        assert_non_null(strstr(target, "(deleted)"));
        ssize_t size = pread(file, bytes, sizeof bytes, 0);
        assert_int_equal(size, sizeof bytes);
        assert_null(memmem(bytes, (size_t)size, "SECRET", 6));
        looked = true;
    }
    assert_true(looked);
    assert_int_equal(rmdir(folder), 0); /* nothing in it has a name */
    mapper_end(mapper);
    assert_int_equal(mapper->event_count, 3000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_that_lie_anywhere),
        TEST(over_disk_it_is_the_same),
        TEST(rows_that_stand_together),
        TEST(rows_that_come_back_are_refused),
        TEST(a_bad_line_refuses_its_order),
        TEST(corrected_orders_keep_their_key),
        TEST(an_order_has_a_most_of_rows),
        TEST(what_the_caller_stops_is_stopped),
        TEST(a_folder_that_is_not_there_is_told),
        TEST(a_full_disk_is_told),
        TEST(what_waits_on_disk_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
