/* SPDX-License-Identifier: Apache-2.0 */
/* The warehouse and its child: what goes in comes out, errors arrive as such, death is survived. */
#include "support/cmocka.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/events.h"
#include "store/warehouse.h"
#include "support/warehouse_house.h"

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

static void assert_error(const char *sql, err expected, const char *word)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    buffer_init(&out, 1 << 20);
    buffer_append_str(&out, STR("before"));
    assert_err(warehouse_query(house.warehouse, str_from_c(sql), NULL, 0, 60000, &out, &problem),
               expected);
    if (strstr(problem.detail, word) == NULL)
        fail_msg("'%s' does not say '%s'", problem.detail, word);
    assert_str_equal(buffer_str(&out), STR("before")); /* untouched on failure */
    buffer_deinit(&out);
}

/* ---- queries ---- */

static void parameters_keep_every_byte(void **state)
{
    (void)state;
    assert_answer("SELECT 1 + 1 FORMAT TabSeparated", NULL, 0, STR("2\n"));
    struct warehouse_parameter parameters[] = {
        { "text", STR("tab\t line\nreturn\r quote' \"双\" back\\slash & = % + ? #") },
        { "number", STR("-42") },
        { "list", STR("['a','b\\'c']") },
    };
    assert_answer("SELECT {text:String} FORMAT RawBLOB", parameters, 3, parameters[0].value);
    assert_answer("SELECT {number:Int64} + 1, {list:Array(String)}[2] FORMAT TabSeparatedRaw",
                  parameters, 3, STR("-41\tb'c\n"));
}

static void errors_are_told(void **state)
{
    (void)state;
    assert_error("SELECT colour FROM events", ERR_WAREHOUSE, "colour");
    assert_error("SELEC 1", ERR_WAREHOUSE, "Syntax error");
    assert_error("SELECT * FROM nowhere", ERR_WAREHOUSE, "(code 60)");
    assert_error("SELECT {p:String}", ERR_WAREHOUSE, "`p`");
    assert_error("", ERR_WAREHOUSE, "empty");
    assert_error("SELECT throwIf(number = 200000) FROM numbers(300000)", ERR_WAREHOUSE, "throwIf");
    /* The words of an exception in the data are data. */
    assert_answer("SELECT 'Code: 60. DB::Exception: no' FORMAT TabSeparated", NULL, 0,
                  STR("Code: 60. DB::Exception: no\n"));
}

static void a_long_answer_is_refused(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    buffer_init(&out, 1000);
    assert_err(warehouse_query(house.warehouse, STR("SELECT number FROM numbers(100000)"), NULL, 0,
                               60000, &out, &problem),
               ERR_TOO_LARGE);
    buffer_deinit(&out);
}

/* ---- streams ---- */

struct tally {
    size_t bytes, pieces, bytes_max;
    uint64_t hash;
};

static bool count_bytes(void *context, str bytes)
{
    struct tally *tally = context;
    tally->bytes += bytes.size;
    tally->pieces++;
    for (size_t i = 0; i < bytes.size; i++)
        tally->hash = tally->hash * 31 + (unsigned char)bytes.data[i];
    return tally->bytes_max == 0 || tally->bytes < tally->bytes_max;
}

static void streams(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    for (uint64_t rows = 0; rows < 3000000; rows = rows * 3 + 1) {
        char sql[100];
        struct tally tally = { 0 }, expected = { 0 };
        snprintf(sql, sizeof(sql), "SELECT number FROM numbers(%llu) FORMAT RowBinary",
                 (unsigned long long)rows);
        if (warehouse_stream(house.warehouse, str_from_c(sql), NULL, 0, count_bytes, &tally,
                             &problem) != ERR_OK)
            fail_msg("%s", problem.detail);
        for (uint64_t i = 0; i < rows; i++)
            count_bytes(&expected, str_from_bytes(&i, sizeof(i)));
        assert_int_equal(tally.bytes, rows * 8);
        assert_true(tally.hash == expected.hash);
    }
}

static void a_stream_can_be_stopped(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    for (int i = 0; i < 30; i++) { /* more often than there are connections */
        struct tally tally = { .bytes_max = 100000 };
        assert_ok(warehouse_stream(house.warehouse,
                                   STR("SELECT number FROM numbers(1000000000) FORMAT RowBinary"),
                                   NULL, 0, count_bytes, &tally, &problem));
        assert_true(tally.bytes >= 100000 && tally.bytes < 10000000);
    }
    assert_answer("SELECT 7 FORMAT TabSeparated", NULL, 0, STR("7\n"));
}

static void a_stream_that_breaks_off_is_an_error(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct tally tally = { 0 };
    assert_err(warehouse_stream(
                   house.warehouse,
                   STR("SELECT throwIf(number = 2900000) FROM numbers(3000000) FORMAT RowBinary"),
                   NULL, 0, count_bytes, &tally, &problem),
               ERR_WAREHOUSE);
    assert_true(tally.bytes > 0 && tally.bytes <= 2900000);
    assert_non_null(strstr(problem.detail, "throwIf"));
    assert_err(warehouse_stream(house.warehouse, STR("SELECT colour"), NULL, 0, count_bytes, &tally,
                                &problem),
               ERR_WAREHOUSE);
}

/* Nobody waits for a query that took too long: it is ended, too. */
static void a_query_that_takes_too_long(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    buffer_init(&out, 1000);
    steady_ns start = steady_now();
    assert_err(warehouse_query(house.warehouse,
                               STR("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"),
                               NULL, 0, 300, &out, &problem),
               ERR_TIMEOUT);
    assert_string_equal(problem.hint, "");
    assert_true(steady_since_ms(start) < 30000);
    buffer_deinit(&out);
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM system.processes WHERE "
                                                    "query LIKE '%sipHash64(number)%' AND "
                                                    "query NOT LIKE '%processes%'"),
                     0);
}

/* ---- events ---- */

static void insert_batch(uint64_t batch, uint64_t first, uint64_t last)
{
    struct problem problem = { .error = ERR_OK };
    struct buffer rows;
    buffer_init(&rows, (size_t)1 << 28);
    for (uint64_t seq = first; seq <= last; seq++)
        warehouse_house_row(&rows, seq, batch);
    if (warehouse_insert_events(house.warehouse, batch, 0, buffer_str(&rows), &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    buffer_deinit(&rows);
}

static void rows_come_back(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    uint64_t seq = 99;
    assert_ok(warehouse_max_seq(house.warehouse, &seq, &problem));
    assert_int_equal(seq, 0);
    insert_batch(1, 10, 30009);
    assert_ok(warehouse_max_seq(house.warehouse, &seq, &problem));
    assert_int_equal(seq, 30009);
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM events"), 30000);
    /* One block: one part. */
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM system.parts WHERE active "
                                                    "AND table = 'events'"),
                     1);

    /* Every column, as it was written. */
    struct buffer one, out;
    char sql[1000];
    buffer_init(&one, 1 << 20);
    buffer_init(&out, 1 << 20);
    for (uint64_t i = 10; i < 110; i++) {
        buffer_clear(&one);
        buffer_clear(&out);
        warehouse_house_row(&one, i, 1);
        snprintf(sql, sizeof(sql), "SELECT %s FROM events WHERE seq = %llu FORMAT RowBinary",
                 warehouse_event_columns(), (unsigned long long)i);
        assert_ok(
            warehouse_query(house.warehouse, str_from_c(sql), NULL, 0, 60000, &out, &problem));
        assert_str_equal(buffer_str(&out), buffer_str(&one));
    }
    /* Missing numbers and texts, as warehouse.h says. */
    assert_answer("SELECT revenue, currency, total FROM events WHERE seq = 11 FORMAT TabSeparated",
                  NULL, 0, STR("-9223372036854775808\t\t-9223372036854775808\n"));
    buffer_deinit(&one);
    buffer_deinit(&out);
}

static void what_is_there_is_known(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer seqs;
    buffer_init(&seqs, 1 << 20);
    insert_batch(1, 100, 199);
    insert_batch(2, 300, 399);
    assert_ok(warehouse_present_seqs(house.warehouse, 150, 349, &seqs, &problem));
    assert_int_equal(seqs.size, 100 * 8);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t seq;
        memcpy(&seq, seqs.data + i * 8, 8);
        assert_int_equal(seq, i < 50 ? 150 + i : 250 + i);
    }
    assert_ok(warehouse_stop_batch(house.warehouse, 2, 0, &problem)); /* none runs */
    assert_ok(warehouse_sync(house.warehouse, &problem));
    buffer_deinit(&seqs);
}

/* A batch that was stopped does not come in later, when its request was only slow. */
static void a_stopped_batch_stays_out(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer rows;
    buffer_init(&rows, 1 << 20);
    warehouse_house_row(&rows, 1, 7);
    assert_ok(warehouse_stop_batch(house.warehouse, 7, 0, &problem));
    assert_err(warehouse_insert_events(house.warehouse, 7, 0, buffer_str(&rows), &problem),
               ERR_WAREHOUSE);
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM events"), 0);
    assert_ok(warehouse_insert_events(house.warehouse, 7, 1, buffer_str(&rows), &problem));
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM events"), 1);
    buffer_deinit(&rows);
}

static void damaged_rows_change_nothing(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer rows;
    buffer_init(&rows, 1 << 20);
    warehouse_house_row(&rows, 1, 1);
    str torn = str_slice(buffer_str(&rows), 0, rows.size - 3);
    assert_err(warehouse_insert_events(house.warehouse, 1, 0, torn, &problem), ERR_CORRUPT);
    /* And where the child meets it. */
    assert_err(warehouse_insert(house.warehouse, STR("aliases (customer,current,version)"),
                                STR("0123456789"), STR("torn"), &problem),
               ERR_WAREHOUSE);
    assert_err(
        warehouse_insert(house.warehouse, STR("nowhere (a)"), STR("0123"), STR("x"), &problem),
        ERR_WAREHOUSE);
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM events"), 0);
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM aliases"), 0);
    buffer_deinit(&rows);
}

static void aliases_map_customers(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    insert_batch(1, 1, 3000);
    struct warehouse_alias aliases[] = { { 5, 4, 10 }, { 6, 5, 11 }, { 6, 4, 12 }, { 7, 4, 13 } };
    assert_ok(warehouse_put_aliases(house.warehouse, aliases, 4, &problem));
    assert_ok(warehouse_refresh_aliases(house.warehouse, &problem));
    static const char COUNT[] =
        "SELECT uniqExact(" WAREHOUSE_CURRENT_CUSTOMER ") FROM events WHERE "
        "customer IN (4, 5, 6, 7)";
    assert_int_equal(warehouse_house_number(&house, COUNT), 1);
    struct warehouse_alias back = { 6, 6, 20 };
    assert_ok(warehouse_put_aliases(house.warehouse, &back, 1, &problem));
    assert_ok(warehouse_refresh_aliases(house.warehouse, &problem));
    assert_int_equal(warehouse_house_number(&house, COUNT), 2);
    assert_ok(warehouse_put_aliases(house.warehouse, NULL, 0, &problem));
}

/* ---- life of the child ---- */

static void wait_for_another_child(int former)
{
    struct problem problem = { .error = ERR_OK };
    steady_ns start = steady_now();
    while (warehouse_child_pid(house.warehouse) == former || !warehouse_is_ready(house.warehouse)) {
        if (steady_since_ms(start) > 60000)
            fail_msg("no child came");
        steady_sleep_ms(5);
    }
    assert_ok(warehouse_wait(house.warehouse, 1000, &problem));
}

static void a_child_that_dies_is_replaced(void **state)
{
    (void)state;
    insert_batch(1, 1, 1000);
    for (int i = 0; i < 3; i++) {
        int pid = warehouse_child_pid(house.warehouse);
        assert_true(pid > 0);
        assert_int_equal(kill(pid, SIGKILL), 0);
        wait_for_another_child(pid);
        assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM events"), 1000);
    }
}

/* How many threads of a process have this nice value. */
static int threads_with(int pid, int nice_value)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        uint64_t thread;
        count += str_to_uint64(str_from_c(entry->d_name), &thread) &&
                 getpriority(PRIO_PROCESS, (id_t)thread) == nice_value;
    }
    closedir(entries);
    return count;
}

/* Who starts waits for it: until it is told it has the turns of the server. The next one has been told from its beginning. */
static void it_gives_way_once_told(void **state)
{
    (void)state;
    int pid = warehouse_child_pid(house.warehouse);
    int own = getpriority(PRIO_PROCESS, 0);
    if (own == 19)
        skip(); /* nothing is lower */
    assert_true(threads_with(pid, own) > 1);
    assert_int_equal(threads_with(pid, 19), 0);
    warehouse_give_way(house.warehouse);
    for (int i = 0; i < 60000 && threads_with(pid, own) > 0; i++)
        steady_sleep_ms(1);
    assert_int_equal(threads_with(pid, own), 0);
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 19);
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM numbers(7)"), 7);
    assert_int_equal(kill(pid, SIGKILL), 0);
    wait_for_another_child(pid);
    pid = warehouse_child_pid(house.warehouse);
    assert_int_equal(threads_with(pid, own), 0);
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 19);
}

/* How many parts are merged at once, and at most. */
static void assert_merges(const char *expected)
{
    assert_answer("SELECT extract(create_table_query, 'min_parts_to_merge_at_once = (\\d+)'), "
                  "extract(create_table_query, 'max_parts_to_merge_at_once = (\\d+)') FROM "
                  "system.tables WHERE name = 'events' AND database = currentDatabase()",
                  NULL, 0, str_from_c(expected));
}

static void merges_are_put_off_until_they_are_not_or_it_starts_anew(void **state)
{
    struct problem problem = { .error = ERR_OK };
    (void)state;
    assert_merges("10\t100\n");
    assert_ok(warehouse_put_off_merges(house.warehouse, true, &problem));
    assert_merges("150\t150\n");
    assert_ok(warehouse_put_off_merges(house.warehouse, false, &problem));
    assert_merges("10\t100\n");
    assert_ok(warehouse_put_off_merges(house.warehouse, true, &problem));
    int former = warehouse_child_pid(house.warehouse);
    assert_int_equal(kill(former, SIGKILL), 0);
    wait_for_another_child(former);
    assert_merges("10\t100\n");
}

static void unready_is_told(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    buffer_init(&out, 1000);
    int pid = warehouse_child_pid(house.warehouse);
    kill(pid, SIGKILL);
    err error = ERR_OK;
    for (int i = 0; i < 1000 && error == ERR_OK; i++) {
        buffer_clear(&out);
        error = warehouse_query(house.warehouse, STR("SELECT 1"), NULL, 0, 60000, &out, &problem);
    }
    assert_err(error, ERR_UNAVAILABLE);
    assert_true(problem.detail[0] != '\0');
    wait_for_another_child(pid);
    buffer_deinit(&out);
}

static void what_was_there_is_there_after_opening_again(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    insert_batch(1, 1, 500);
    struct warehouse_alias alias = { 5, 4, 10 };
    assert_ok(warehouse_put_aliases(house.warehouse, &alias, 1, &problem));
    steady_ns start = steady_now();
    warehouse_house_close(&house);
    assert_true(steady_since_ms(start) < 5000);
    warehouse_house_open(&house);
    assert_int_equal(warehouse_house_number(&house, "SELECT count() FROM events"), 500);
    assert_ok(warehouse_refresh_aliases(house.warehouse, &problem));
    assert_int_equal(warehouse_house_number(
                         &house, "SELECT dictGetOrDefault('alias_map', 'current', toUInt64(5), 9)"),
                     4);
}

/* The next child waits until the former is gone: two servers never share a folder. */
static void two_openings_of_one_folder(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct warehouse *second = NULL;
    struct warehouse_config config = { .folder = house.folder };
    assert_ok(warehouse_open(&second, &config, &problem));
    assert_err(warehouse_wait(second, 1000, &problem), ERR_TIMEOUT);
    assert_answer("SELECT 1 FORMAT TabSeparated", NULL, 0, STR("1\n"));
    warehouse_house_close(&house);
    assert_ok(warehouse_wait(second, 60000, &problem));
    warehouse_close(&second);
}

static void a_folder_with_a_long_path(void **state)
{
    (void)state;
    char outer[sizeof(house.folder)];
    warehouse_house_close(&house);
    memcpy(outer, house.folder, sizeof(outer));
    size_t size = strlen(outer);
    house.folder[size] = '/';
    memset(house.folder + size + 1, 'f', 150);
    warehouse_house_open(&house);
    assert_answer("SELECT 3 FORMAT TabSeparated", NULL, 0, STR("3\n"));
    warehouse_house_close(&house);
    memcpy(house.folder, outer, sizeof(outer));
}

static int open_small_house(void **state)
{
    (void)state;
    warehouse_house_make(&house);
    house.memory_bytes_max = (size_t)800 << 20;
    warehouse_house_open(&house);
    return 0;
}

static uint64_t peak_bytes(int pid)
{
    char path[64], line[256];
    uint64_t peak = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtoull(line + 6, NULL, 10) * 1024;
    }
    fclose(file);
    return peak;
}

static void memory_has_a_cap(void **state)
{
    (void)state;
    int pid = warehouse_child_pid(house.warehouse);
    assert_error("SELECT sum(length(s)) FROM (SELECT groupArray(randomString(1000)) s FROM "
                 "numbers(5000000))",
                 ERR_WAREHOUSE, "(code 241)");
    assert_answer("SELECT 1 FORMAT TabSeparated", NULL, 0, STR("1\n"));
    assert_int_equal(warehouse_child_pid(house.warehouse), pid);
    assert_true(peak_bytes(pid) < (uint64_t)1250 << 20);
}

/* ---- opening ---- */

static void what_cannot_be_opened(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct warehouse *warehouse = NULL;
    struct warehouse_config config = { .url = "ftp://nowhere" };
    assert_err(warehouse_open(&warehouse, &config, &problem), ERR_INVALID);
    config = (struct warehouse_config){ .folder = "/proc/no/such/folder" };
    assert_err(warehouse_open(&warehouse, &config, &problem), ERR_IO);
    config = (struct warehouse_config){ .folder = "/tmp", .library = "/nowhere/libchdb.so" };
    assert_err(warehouse_open(&warehouse, &config, &problem), ERR_UNAVAILABLE);
    assert_non_null(strstr(problem.hint, "make setup"));
    assert_null(warehouse);
    /* A cluster that does not answer keeps nobody from starting. */
    config = (struct warehouse_config){ .url = "http://127.0.0.1:1/" };
    assert_ok(warehouse_open(&warehouse, &config, &problem));
    assert_err(warehouse_wait(warehouse, 300, &problem), ERR_TIMEOUT);
    assert_err(warehouse_sync(warehouse, &problem), ERR_UNSUPPORTED);
    assert_int_equal(warehouse_child_pid(warehouse), 0);
    warehouse_close(&warehouse);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_house, remove_house)

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
        TEST(parameters_keep_every_byte),
        TEST(errors_are_told),
        TEST(a_long_answer_is_refused),
        TEST(streams),
        TEST(a_stream_can_be_stopped),
        TEST(a_stream_that_breaks_off_is_an_error),
        TEST(a_query_that_takes_too_long),
        TEST(rows_come_back),
        TEST(what_is_there_is_known),
        TEST(a_stopped_batch_stays_out),
        TEST(damaged_rows_change_nothing),
        TEST(aliases_map_customers),
        TEST(a_child_that_dies_is_replaced),
        TEST(it_gives_way_once_told),
        TEST(merges_are_put_off_until_they_are_not_or_it_starts_anew),
        TEST(unready_is_told),
        TEST(what_was_there_is_there_after_opening_again),
        TEST(two_openings_of_one_folder),
        TEST(a_folder_with_a_long_path),
        cmocka_unit_test_setup_teardown(memory_has_a_cap, open_small_house, remove_house),
        cmocka_unit_test(what_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
