/* SPDX-License-Identifier: Apache-2.0 */
/* Parquet through a child: this very program, or under a sanitizer, where chDB cannot run, the release binary. */
#include <signal.h>

#include "table/parquet_spawn.h"
#include "table_file.h"

#define LIBRARY_X64 KITH_SOURCE_DIR "/tools/chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
#define LIBRARY_ARM64 \
    KITH_SOURCE_DIR "/tools/chdb/node_modules/@chdb/lib-linux-arm64-gnu/libchdb.so"
#define RELEASE_PROGRAM KITH_SOURCE_DIR "/build/release/kith"

static const char *program; /* NULL: this one */

/* Why there is no Parquet here; NULL: there is. */
static const char *missing(void)
{
    if (getenv("KITH_CHDB_LIBRARY") == NULL) {
        if (access(LIBRARY_X64, R_OK) == 0)
            setenv("KITH_CHDB_LIBRARY", LIBRARY_X64, 1);
        else if (access(LIBRARY_ARM64, R_OK) == 0)
            setenv("KITH_CHDB_LIBRARY", LIBRARY_ARM64, 1);
        else
            return "libchdb.so is not there: run 'make setup'";
    }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    program = getenv("KITH_PARQUET_PROGRAM");
    if (program == NULL)
        program = RELEASE_PROGRAM;
    if (access(program, X_OK) != 0)
        return "a sanitizer build needs " RELEASE_PROGRAM " as its child: run 'make build'";
#endif
    return NULL;
}

#define NEED_PARQUET()                           \
    do {                                         \
        const char *why = missing();             \
        if (why != NULL) {                       \
            print_message("[ SKIP ] %s\n", why); \
            skip();                              \
        }                                        \
    } while (0)

static void read_parquet(const char *name, enum table_packing packing, struct buffer *out)
{
    char path[512];
    struct table_form form = { .format = TABLE_PARQUET, .packing = packing };
    golden_path(name, path);
    read_by(program, path, &form, 0, out);
}

static void reads_types(void **state)
{
    (void)state;
    NEED_PARQUET();
    struct buffer actual, expected;
    buffer_init(&actual, 1 << 20);
    buffer_init(&expected, 1 << 20);
    read_parquet("types.parquet", TABLE_PLAIN, &actual);
    golden_text("types.parquet.rows", &expected);
    assert_str_equal(buffer_str(&actual), buffer_str(&expected));
    buffer_clear(&actual);
    read_parquet("types.parquet.gz", TABLE_GZIP, &actual);
    assert_str_equal(buffer_str(&actual), buffer_str(&expected));
    buffer_clear(&actual);
    buffer_clear(&expected);
    read_parquet("nested.parquet", TABLE_PLAIN, &actual);
    golden_text("nested.parquet.rows", &expected);
    assert_str_equal(buffer_str(&actual), buffer_str(&expected));
    buffer_deinit(&actual);
    buffer_deinit(&expected);
}

static void detects(void **state)
{
    (void)state;
    char path[512];
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    golden_path("types.parquet.gz", path);
    assert_ok(table_detect(path, STR(""), &form, &problem));
    assert_int_equal(form.format, TABLE_PARQUET);
    assert_int_equal(form.packing, TABLE_GZIP);
}

/* chDB would take a star or a quote in a name for something else. */
static void reads_odd_names(void **state)
{
    (void)state;
    NEED_PARQUET();
    char path[512];
    struct buffer bytes, actual, expected;
    buffer_init(&bytes, 1 << 20);
    buffer_init(&actual, 1 << 20);
    buffer_init(&expected, 1 << 20);
    golden_text("types.parquet", &bytes);
    golden_text("types.parquet.rows", &expected);
    write_file(path, "a'b*{c,d}\\::?订单.parquet", buffer_str(&bytes));
    struct table_form form = { .format = TABLE_PARQUET };
    read_by(program, path, &form, 0, &actual);
    assert_str_equal(buffer_str(&actual), buffer_str(&expected));
    remove_file(path);
    buffer_deinit(&bytes);
    buffer_deinit(&actual);
    buffer_deinit(&expected);
}

/* Many rows in several row groups come in their order; a job goes on at any of them. */
static void keeps_order_and_skips(void **state)
{
    (void)state;
    NEED_PARQUET();
    char path[512];
    struct problem problem = { .error = ERR_OK };
    struct table_row row;
    golden_path("numbers.parquet", path);
    static const uint64_t places[] = { 1, 2, 70000, 150000, 199999, 200000 };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct table *table = NULL;
        struct table_config config = { .path = path,
                                       .program = program,
                                       .form = { .format = TABLE_PARQUET } };
        assert_ok(table_open(&table, &config, &problem));
        assert_ok(table_skip_to(table, places[i], &problem));
        uint64_t number = places[i], n;
        err error;
        while ((error = table_next(table, &row, &problem)) == ERR_OK) {
            assert_int_equal(row.number, number);
            assert_true(str_to_uint64(row.cells[0].text, &n));
            assert_int_equal(n, number);
            number++;
        }
        assert_err(error, ERR_NOT_FOUND);
        assert_int_equal(number, 200001);
        assert_int_equal(table_bytes_read(table), table_bytes_total(table));
        table_close(&table);
    }
    struct table *table = NULL;
    struct table_config config = { .path = path,
                                   .program = program,
                                   .form = { .format = TABLE_PARQUET } };
    assert_ok(table_open(&table, &config, &problem));
    assert_err(table_skip_to(table, 200002, &problem), ERR_CONFLICT);
    table_close(&table);
}

static void tells_broken_files(void **state)
{
    (void)state;
    NEED_PARQUET();
    char path[512];
    struct buffer bytes, actual;
    struct table_form form = { .format = TABLE_PARQUET };
    buffer_init(&bytes, 1 << 20);
    buffer_init(&actual, 1 << 20);
    golden_text("types.parquet", &bytes);
    static const size_t sizes[] = { 4, 100, 1100 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        write_file(path, "torn.parquet", str_slice(buffer_str(&bytes), 0, sizes[i]));
        buffer_clear(&actual);
        read_by(program, path, &form, 0, &actual);
        assert_true(str_starts_with(buffer_str(&actual), STR("! the Parquet file cannot be read")));
        remove_file(path);
    }
    buffer_deinit(&bytes);
    buffer_deinit(&actual);
}

/* The child's death is an error of the file, with the rows before it given. */
static void outlives_its_child(void **state)
{
    (void)state;
    NEED_PARQUET();
    char path[512];
    struct problem problem = { .error = ERR_OK };
    struct table_row row;
    struct table *table = NULL;
    golden_path("numbers.parquet", path);
    struct table_config config = { .path = path,
                                   .program = program,
                                   .form = { .format = TABLE_PARQUET } };
    assert_ok(table_open(&table, &config, &problem));
    assert_ok(table_next(table, &row, &problem));
    kill(parquet_reader_pid(table), SIGKILL);
    err error;
    while ((error = table_next(table, &row, &problem)) == ERR_OK)
        continue;
    /* All of a small file may have been in the pipe. */
    if (error != ERR_NOT_FOUND) {
        assert_err(error, ERR_UNPROCESSABLE);
        assert_non_null(strstr(problem.detail, "signal 9"));
    }
    table_close(&table);
}

static void tells_what_is_missing(void **state)
{
    (void)state;
    char path[512];
    struct problem problem = { .error = ERR_OK };
    struct table *table = NULL;
    golden_path("types.parquet", path);
    struct table_config config = { .path = path,
                                   .library = "/nowhere/libchdb.so",
                                   .form = { .format = TABLE_PARQUET } };
    assert_err(table_open(&table, &config, &problem), ERR_UNAVAILABLE);
    assert_null(table);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_types),           cmocka_unit_test(detects),
        cmocka_unit_test(reads_odd_names),       cmocka_unit_test(keeps_order_and_skips),
        cmocka_unit_test(tells_broken_files),    cmocka_unit_test(outlives_its_child),
        cmocka_unit_test(tells_what_is_missing),
    };
    if (argc > 1 && strcmp(argv[1], "read-parquet") == 0)
        return table_parquet_main(argc - 1, argv + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
