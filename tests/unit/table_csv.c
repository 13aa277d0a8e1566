/* SPDX-License-Identifier: Apache-2.0 */
/* Separated text: detection, values, odd rows, bad bytes, limits; and random cells there and back. */
#include "table_file.h"

/* ---- detection ---- */

static void assert_form(const struct table_form *form, enum table_encoding encoding, char separator,
                        uint32_t header_row)
{
    assert_int_equal(form->format, TABLE_CSV);
    assert_int_equal(form->encoding, encoding);
    assert_int_equal(form->separator, separator);
    assert_int_equal(form->header_row, header_row);
}

static void detects_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum table_encoding encoding;
        char separator;
    } files[] = {
        { "utf8.csv", TABLE_UTF8, ',' },         { "utf8_bom.csv", TABLE_UTF8, ',' },
        { "gb18030.csv", TABLE_GB18030, ',' },   { "utf16le.csv", TABLE_UTF16LE, '\t' },
        { "utf16be.csv", TABLE_UTF16BE, ',' },   { "utf16le_no_bom.csv", TABLE_UTF16LE, ',' },
        { "semicolon.csv", TABLE_GB18030, ';' }, { "pipe.csv", TABLE_UTF8, '|' },
        { "utf8.csv.gz", TABLE_UTF8, ',' },      { "gb18030.csv.zst", TABLE_GB18030, ',' },
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        struct table_form form;
        struct problem problem = { .error = ERR_OK };
        golden_path(files[i].name, path);
        assert_ok(table_detect(path, STR(""), &form, &problem));
        assert_form(&form, files[i].encoding, files[i].separator, 1);
    }
}

/* All of these have the same rows, written by Python's codecs: every one must read as the first does. */
static void reads_encodings(void **state)
{
    (void)state;
    static const char *const names[] = { "utf8_bom.csv", "gb18030.csv",        "utf16le.csv",
                                         "utf16be.csv",  "utf16le_no_bom.csv", "semicolon.csv",
                                         "pipe.csv",     "utf8.csv.gz",        "gb18030.csv.zst",
                                         "utf8_lf.csv" };
    char path[512];
    struct buffer expected, actual;
    buffer_init(&expected, 1 << 20);
    buffer_init(&actual, 1 << 20);
    golden_path("utf8.csv", path);
    read_all(path, 0, &expected);
    struct buffer golden;
    buffer_init(&golden, 1 << 20);
    golden_text("utf8.csv.rows", &golden);
    assert_str_equal(buffer_str(&expected), buffer_str(&golden));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        golden_path(names[i], path);
        /* cut at every place */
        for (size_t piece = 0; piece < 40; piece++) {
            buffer_clear(&actual);
            read_all(path, piece, &actual);
            assert_str_equal(buffer_str(&actual), buffer_str(&expected));
        }
    }
    buffer_deinit(&expected);
    buffer_deinit(&actual);
    buffer_deinit(&golden);
}

static void reads_every_character_of_gb18030(void **state)
{
    (void)state;
    char path[512];
    struct buffer expected, actual;
    buffer_init(&expected, 1 << 20);
    buffer_init(&actual, 1 << 20);
    golden_path("gb18030_all.csv", path);
    read_all(path, 0, &actual);
    golden_text("gb18030_all.csv.rows", &expected);
    assert_str_equal(buffer_str(&actual), buffer_str(&expected));
    buffer_deinit(&expected);
    buffer_deinit(&actual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detects_encodings),
        cmocka_unit_test(reads_encodings),
        cmocka_unit_test(reads_every_character_of_gb18030),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
