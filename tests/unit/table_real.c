/* SPDX-License-Identifier: Apache-2.0 */
/* A real file: "Online Retail" of the UCI repository (Chen, Sain & Guo 2012), 541,909 order lines in zstd. Its
 * totals are known (docs/formats/files.md names them). KITH_REAL_DATA names the folder that has it. */
#include <math.h>

#include "table_file.h"

static bool find_file(char path[512])
{
    const char *folder = getenv("KITH_REAL_DATA");
    if (folder != NULL)
        snprintf(path, 512, "%s/online_retail.csv.zst", folder);
    else
        snprintf(path, 512, "%s/../shared/data/online_retail.csv.zst", KITH_SOURCE_DIR);
    return access(path, R_OK) == 0;
}

static void reads_online_retail(void **state)
{
    (void)state;
    char path[512];
    struct table_form form;
    struct table *table = NULL;
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    if (!find_file(path)) {
        print_message(
            "[ SKIP ] online_retail.csv.zst is not there: name its folder in KITH_REAL_DATA\n");
        skip();
    }
    assert_ok(table_detect(path, STR("online_retail.csv.zst"), &form, &problem));
    assert_int_equal(form.format, TABLE_CSV);
    assert_int_equal(form.packing, TABLE_ZSTD);
    assert_int_equal(form.encoding, TABLE_UTF8);
    assert_int_equal(form.header_row, 1);
    struct table_config config = { .path = path, .form = form };
    assert_ok(table_open(&table, &config, &problem));
    static const char *const names[] = { "InvoiceNo",   "StockCode", "Description", "Quantity",
                                         "InvoiceDate", "UnitPrice", "CustomerID",  "Country" };
    assert_int_equal(table_column_count(table), 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_str_equal(table_column_name(table, i), str_from_c(names[i]));
    uint64_t rows = 0, without_customer = 0, cancelled = 0;
    double total = 0;
    err error;
    while ((error = table_next(table, &row, &problem)) == ERR_OK) {
        double quantity = 0, price = 0;
        assert_int_equal(row.number, ++rows);
        assert_int_equal(row.cell_count, 8);
        assert_true(str_to_double(row.cells[3].text, &quantity));
        assert_true(str_to_double(row.cells[5].text, &price));
        total += quantity * price;
        without_customer += row.cells[6].kind == CELL_EMPTY;
        cancelled += str_starts_with(row.cells[0].text, STR("C"));
    }
    assert_err(error, ERR_NOT_FOUND);
    assert_int_equal(rows, 541909);
    assert_int_equal(without_customer, 135080);
    assert_int_equal(cancelled, 9288);
    assert_true(fabs(total - 9747747.934) < 0.001);
    assert_int_equal(table_bytes_read(table), table_bytes_total(table));
    table_close(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_online_retail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
