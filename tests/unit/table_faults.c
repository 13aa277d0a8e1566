/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of detection and reading made to fail in turn: an error each time, nothing leaks (the
 * sanitizers see that), and the same file reads again afterwards. */
#include "base/fault.h"
#include "table_file.h"

static void sweep(const char *name)
{
    char path[512];
    struct buffer whole;
    golden_path(name, path);
    buffer_init(&whole, 1 << 20);
    read_all(path, 0, &whole);
    uint64_t failed = 0;
    for (uint64_t nth = 1;; nth++) {
        struct table_form form;
        struct table *table = NULL;
        struct table_row row;
        struct problem problem = { .error = ERR_OK };
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
        err error = table_detect(path, STR(""), &form, &problem);
        struct table_config config = { .path = path, .form = form };
        if (error == ERR_OK)
            error = table_open(&table, &config, &problem);
        while (error == ERR_OK || error == ERR_INVALID)
            error = table_next(table, &row, &problem);
        bool fired = fault_count(FAULT_MEMORY) >= nth;
        fault_disarm();
        table_close(&table);
        if (!fired) {
            assert_err(error, ERR_NOT_FOUND);
            break;
        }
        if (error == ERR_NOT_FOUND)
            fail_msg("%s: nobody told of the failed allocation %llu", name,
                     (unsigned long long)nth);
        failed++;
    }
    assert_true(failed > 3);
    struct buffer again;
    buffer_init(&again, 1 << 20);
    read_all(path, 0, &again);
    assert_str_equal(buffer_str(&again), buffer_str(&whole));
    buffer_deinit(&whole);
    buffer_deinit(&again);
}

static void survives_every_allocation(void **state)
{
    (void)state;
    static const char *const names[] = { "utf8.csv",    "gb18030.csv.zst", "utf8.csv.gz",
                                         "utf16le.csv", "orders.xlsx",     "orders.xlsx.gz",
                                         "mac.xlsx",    "lines.jsonl" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        sweep(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
