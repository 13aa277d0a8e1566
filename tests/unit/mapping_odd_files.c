/* SPDX-License-Identifier: Apache-2.0 */
/* Files as brands have them: what is odd in them costs its own row, with its number and a reason, and the rows around it come in
 * whole. One test for each thing that docs/imports.md §17 names.
 *
 * Two of them grow: KITH_ODD_LINE_MB is how long the endless line is (default 256, `make soak` 3072), KITH_ODD_ROWS the row at
 * which a column changes its type (default 20,000, `make soak` 5,000,000). */
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/mapper.h"

#include "table_file.h"

#define MB ((uint64_t)1 << 20)
/* Beyond the largest row and what reads ahead of it; far below the line. */
#define GROWS_MB_MAX 56

static struct mapper *mapper;
static char path[512];

static const char ORDERS[] =
    "{'kind': 'events', 'zone': '+08:00', 'currency': 'CNY', 'event': 'Order Paid', 'key': '[order]',"
    " 'time': '[paid_at]', 'identifiers': [{'type': 'mobile', 'column': 'phone'}],"
    " 'properties': {'order_id': {'column': 'order', 'type': 'id'},"
    "                'revenue': {'column': 'amount', 'type': 'money'}}}";
#define HEADER "order,phone,paid_at,amount\n"
#define PHONE "13912340000"

/* What came of a file, in numbers: files are larger than what a mapper keeps. */
struct counts {
    uint64_t events, refused, first_refused;
    int64_t fen;
};

static void open_table(struct table **table, enum table_format format)
{
    const struct table_config config = {
        .path = path, .form = { .format = format, .separator = ',', .quote = '"', .header_row = 1 }
    };
    assert_ok(table_open(table, &config, &mapper->problem));
}

static void start(struct table *table, const char *mapping)
{
    json_value root;
    mapper_forget(mapper);
    assert_ok(json_parse(mapper->parser, mapper_json(mapper, mapping), &root, &mapper->problem));
    assert_ok(mapping_new(&mapper->mapping, root, table, &mapper->problem));
    assert_ok(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem));
}

/* The file's events and refusals are in the mapper afterwards. */
static void bring(const char *text, const char *mapping)
{
    struct table *table = NULL;
    struct table_row row;
    err error;
    write_file(path, "odd.csv", str_from_c(text));
    open_table(&table, TABLE_CSV);
    start(table, mapping);
    while ((error = table_next(table, &row, &mapper->problem)) == ERR_OK)
        assert_ok(mapping_row(mapper->worker, &row, mapper_emit, mapper_refuse, mapper,
                              &mapper->problem));
    assert_err(error, ERR_NOT_FOUND);
    mapper_end(mapper);
    table_close(&table);
    remove_file(path);
}

static void assert_refused(size_t index, const char *begin)
{
    assert_true(index < mapper->refused_count);
    if (strncmp(mapper->refused[index], begin, strlen(begin)) != 0)
        fail_msg("refused was '%s', and not '%s…'", mapper->refused[index], begin);
}

static bool count_event(void *context, const struct mapping_event *made)
{
    struct counts *counts = context;
    counts->events++;
    counts->fen += made->event->promoted_int[PROMOTED_REVENUE];
    return true;
}

static bool count_refused(void *context, uint64_t row, str raw, str code,
                          const struct problem *problem)
{
    struct counts *counts = context;
    (void)raw;
    (void)problem;
    assert_str_equal(code, STR("not_a_number"));
    if (counts->refused++ == 0)
        counts->first_refused = row;
    return true;
}

/* A number of the environment, or what CI does. */
static uint64_t wanted(const char *name, uint64_t otherwise)
{
    const char *given = getenv(name);
    uint64_t value = otherwise;
    if (given != NULL)
        assert_true(str_to_uint64(str_from_c(given), &value));
    return value;
}

/* ---- small files ---- */

static void duplicate_headers(void **state)
{
    (void)state;
    bring("order,phone,paid_at,amount,amount\no1," PHONE ",2024-01-05 10:00:00,3.50,9.25\n",
          ORDERS);
    assert_int_equal(mapper->event_count, 1);
    assert_int_equal(mapper->revenue[0], 350); /* the first of the name */
    bring("order,phone,paid_at,amount,amount\no1," PHONE ",2024-01-05 10:00:00,3.50,9.25\n",
          "{'kind': 'events', 'zone': '+08:00', 'currency': 'CNY', 'event': 'Order Paid',"
          " 'time': '[paid_at]', 'identifiers': [{'type': 'mobile', 'column': 'phone'}],"
          " 'properties': {'order_id': '[order]',"
          "                'revenue': {'column': 'amount (2)', 'type': 'money'}}}");
    assert_int_equal(mapper->revenue[0], 925); /* the second has a name of its own */
}

static void dates_in_five_formats(void **state)
{
    (void)state;
    bring(HEADER "o1," PHONE ",2024-01-25 08:03:00,1\n"
                 "o2," PHONE ",2024/1/25 8:03,1\n"
                 "o3," PHONE ",2024年1月25日 8时3分,1\n"
                 "o4," PHONE ",20240125080300,1\n"
                 "o5," PHONE ",25/01/2024 08:03,1\n"
                 "o6," PHONE ",45316.3354166667,1\n"
                 "o7," PHONE ",05/01/2024 08:03,1\n",
          ORDERS);
    assert_int_equal(mapper->event_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_non_null(strstr(mapper->events[i], "|2024-01-25T00:03:00.000Z|"));
    assert_int_equal(mapper->refused_count, 1);
    assert_refused(0, "7|ambiguous_date|");
}

static void phones_as_floats(void **state)
{
    (void)state;
    bring(HEADER "o1,1.38E+10,2024-01-05 10:00:00,1\n"
                 "o2,13912340000.0,2024-01-05 10:00:00,1\n"
                 "o3," PHONE ",2024-01-05 10:00:00,1\n",
          ORDERS);
    assert_refused(0, "1|"); /* whose it was is gone: nobody gets the order */
    assert_non_null(strstr(mapper->events[mapper->event_count - 1], "mobile::+86" PHONE));
    for (size_t i = 0; i < mapper->event_count; i++)
        assert_null(strstr(mapper->events[i], "138"));
}

static void ids_that_excel_rounded(void **state)
{
    (void)state;
    bring(HEADER "1.23457E+17," PHONE ",2024-01-05 10:00:00,1\n"
                 "123456789012345000," PHONE ",2024-01-05 10:00:00,1\n"
                 "=\"123456789012345000\"," PHONE ",2024-01-05 10:00:00,1\n"
                 "123456789012345678," PHONE ",2024-01-05 10:00:00,1\n",
          ORDERS);
    assert_int_equal(mapper->refused_count, 2);
    assert_refused(0, "1|lost_digits|");
    assert_refused(1, "2|lost_digits|");
    assert_int_equal(mapper->event_count, 2);
    assert_non_null(
        strstr(mapper->events[0], "\"order_id\":\"123456789012345000\"")); /* vouched for */
    assert_non_null(strstr(mapper->events[1], "\"order_id\":\"123456789012345678\""));
}

static void negative_refunds(void **state)
{
    (void)state;
    bring(HEADER "o1," PHONE ",2024-01-05 10:00:00,100.00\n"
                 "o2," PHONE ",2024-01-05 10:00:00,-4.50\n"
                 "o3," PHONE ",2024-01-05 10:00:00,(1.25)\n",
          ORDERS);
    assert_int_equal(mapper->event_count, 3);
    assert_int_equal(mapper->revenue[0] + mapper->revenue[1] + mapper->revenue[2],
                     10000 - 450 - 125);
}

static void unknown_currencies(void **state)
{
    (void)state;
    bring(HEADER "o1," PHONE ",2024-01-05 10:00:00,￥1.00\n"
                 "o2," PHONE ",2024-01-05 10:00:00,USD 3\n"
                 "o3," PHONE ",2024-01-05 10:00:00,€3\n"
                 "o4," PHONE ",2024-01-05 10:00:00,XYZ 3\n",
          ORDERS);
    assert_int_equal(mapper->event_count, 1);
    assert_refused(0, "2|unknown_currency|");
    assert_refused(1, "3|unknown_currency|");
    assert_refused(2, "4|");
}

/* A formula is text, and never computed. */
static void formulas_in_cells(void **state)
{
    (void)state;
    bring(HEADER "\"=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"," PHONE ",2024-01-05 10:00:00,1\n"
                 "o2," PHONE ",2024-01-05 10:00:00,=1+1\n"
                 "o3," PHONE ",=NOW(),1\n",
          ORDERS);
    assert_int_equal(mapper->event_count, 1);
    assert_non_null(strstr(mapper->events[0], "=HYPERLINK("));
    assert_refused(0, "2|not_a_number|");
    assert_refused(1, "3|not_a_time|");
}

/* ---- large ones ---- */

/* `rows` rows with amounts, one that says something else, and `rows` again that all do, but for the last. */
static void write_turning(bool is_json, uint64_t rows)
{
    write_file(path, is_json ? "turning.jsonl" : "turning.csv", is_json ? STR_NONE : STR(HEADER));
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    for (uint64_t i = 1; i <= rows + 3; i++) {
        const char *amount = i <= rows || i == rows + 3 ? "1.5" : "sold out";
        const char *quote = is_json && i > rows && i < rows + 3 ? "\"" : "";
        if (is_json)
            fprintf(file,
                    "{\"order\":\"o%llu\",\"phone\":\"" PHONE
                    "\",\"paid_at\":\"2024-01-05 10:00:00\",\"amount\":%s%s%s}\n",
                    (unsigned long long)i, quote, amount, quote);
        else
            fprintf(file, "o%llu," PHONE ",2024-01-05 10:00:00,%s\n", (unsigned long long)i,
                    amount);
    }
    assert_int_equal(fclose(file), 0);
}

static void a_column_that_changes_its_type(void **state)
{
    uint64_t rows = wanted("KITH_ODD_ROWS", 20000);
    (void)state;
    for (int is_json = 0; is_json < 2; is_json++) {
        struct table *table = NULL;
        struct table_row row;
        struct counts counts = { .events = 0 };
        write_turning(is_json != 0, rows);
        open_table(&table, is_json != 0 ? TABLE_JSONL : TABLE_CSV);
        start(table, ORDERS);
        while (table_next(table, &row, &mapper->problem) == ERR_OK)
            assert_ok(mapping_row(mapper->worker, &row, count_event, count_refused, &counts,
                                  &mapper->problem));
        assert_int_equal(counts.events, rows + 1);
        assert_int_equal(counts.refused, 2);
        assert_int_equal(counts.first_refused, rows + 1);
        assert_int_equal(counts.fen, 150 * (int64_t)(rows + 1));
        table_close(&table);
        remove_file(path);
    }
}

/* A row, a line without an end (a hole: it takes no room on disk), a row. */
static void write_endless(enum table_format format, uint64_t line_bytes)
{
    bool is_json = format == TABLE_JSONL;
    write_file(path, is_json ? "endless.jsonl" : "endless.csv",
               is_json ? STR("{\"a\":1}\n{\"a\":\"") : STR("a\n1\n2"));
    struct stat stat_now;
    assert_int_equal(stat(path, &stat_now), 0);
    assert_int_equal(truncate(path, stat_now.st_size + (off_t)line_bytes), 0);
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    fputs(is_json ? "\"}\n{\"a\":3}\n" : "\n3\n", file);
    assert_int_equal(fclose(file), 0);
}

/* The most that this process has had in memory so far. Sanitizers keep what was given back: it says nothing there. */
static uint64_t peak_mb(void)
{
#if defined(KITH_CHECKS)
    return 0;
#else
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (uint64_t)usage.ru_maxrss / 1024;
#endif
}

static void read_past_the_line(enum table_format format)
{
    struct table *table = NULL;
    struct table_row row;
    open_table(&table, format);
    assert_ok(table_next(table, &row, &mapper->problem));
    assert_err(table_next(table, &row, &mapper->problem), ERR_INVALID);
    assert_int_equal(row.number, 2);
    assert_int_equal(row.line, format == TABLE_CSV ? 3 : 2);
    assert_non_null(strstr(mapper->problem.detail, "has more than 16 MB"));
    assert_true(row.raw.size <=
                3 * TABLE_RAW_BYTES_MAX); /* its beginning, with U+FFFD for each NUL */
    assert_ok(table_next(table, &row, &mapper->problem));
    assert_int_equal(row.number, 3);
    assert_str_equal(row.cells[0].text, STR("3"));
    assert_err(table_next(table, &row, &mapper->problem), ERR_NOT_FOUND);
    table_close(&table);
}

static void a_line_of_gigabytes(void **state)
{
    static const enum table_format FORMATS[] = { TABLE_CSV, TABLE_JSONL };
    uint64_t megabytes = wanted("KITH_ODD_LINE_MB", 256);
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint64_t before = peak_mb();
        write_endless(FORMATS[i], megabytes * MB);
        read_past_the_line(FORMATS[i]);
        remove_file(path);
        assert_true(peak_mb() - before <= GROWS_MB_MAX);
    }
}

static int make_mapper(void **state)
{
    (void)state;
    mapper = calloc(1, sizeof *mapper);
    assert_non_null(mapper);
    mapper_open(mapper);
    return 0;
}

static int free_mapper(void **state)
{
    (void)state;
    mapper_close(mapper);
    free(mapper);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicate_headers),   cmocka_unit_test(dates_in_five_formats),
        cmocka_unit_test(phones_as_floats),    cmocka_unit_test(ids_that_excel_rounded),
        cmocka_unit_test(negative_refunds),    cmocka_unit_test(unknown_currencies),
        cmocka_unit_test(formulas_in_cells),   cmocka_unit_test(a_column_that_changes_its_type),
        cmocka_unit_test(a_line_of_gigabytes),
    };
    return cmocka_run_group_tests(tests, make_mapper, free_mapper);
}
