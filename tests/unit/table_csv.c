/* SPDX-License-Identifier: Apache-2.0 */
/* Separated text: detection, values, odd rows, bad bytes, limits; and random cells there and back. */
#include <zlib.h>
#include <zstd.h>

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

/* ---- texts ---- */

static void assert_read(str bytes, const char *expected)
{
    char path[512];
    struct buffer actual;
    buffer_init(&actual, 1 << 20);
    write_file(path, "file.csv", bytes);
    for (size_t piece = 0; piece < 20; piece++) {
        buffer_clear(&actual);
        read_all(path, piece, &actual);
        assert_str_equal(buffer_str(&actual), str_from_c(expected));
    }
    remove_file(path);
    buffer_deinit(&actual);
}

static void takes_guards_off(void **state)
{
    (void)state;
    assert_read(STR("id,phone,note\n"
                    "=\"0123\",\t13800138000,'5\n"
                    "\"=\"\"0456\"\"\",\"\t1390\t\",'quoted'\n"
                    "=SUM(A1),'s Gravenhage,=\"a\"\"b\"\n"
                    "\t,\"\",''\n"),
                "[\"id\",\"phone\",\"note\"]\n"
                "[1,2,[\"0123\",\"13800138000\",\"5\"]]\n"
                "[2,3,[\"0456\",\"1390\",\"'quoted'\"]]\n"
                "[3,4,[\"=SUM(A1)\",\"'s Gravenhage\",\"=\\\"a\\\"\\\"b\\\"\"]]\n"
                "[4,5,[\"\",\"\",\"''\"]]\n");
}

/* What a guard has kept is told from what merely stands there. */
static void guards_vouch_for_digits(void **state)
{
    static const enum cell_kind kinds[] = { CELL_GUARDED, CELL_GUARDED, CELL_GUARDED,
                                            CELL_TEXT,    CELL_TEXT,    CELL_EMPTY };
    char path[512];
    struct table_config config = {
        .form = { .format = TABLE_CSV, .separator = ',', .quote = '"', .header_row = 1 }
    };
    struct table *table;
    struct table_row row;
    struct problem problem;
    (void)state;
    write_file(path, "file.csv",
               STR("a,b,c,d,e,f\n"
                   "=\"3085412300000010000\",\t3085412300000010000,'3085412300000010000,"
                   "3085412300000010000,\"3085412300000010000\",\t\n"));
    config.path = path;
    assert_ok(table_open(&table, &config, &problem));
    assert_ok(table_next(table, &row, &problem));
    assert_int_equal(row.cell_count, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(row.cells[i].kind, kinds[i]);
    table_close(&table);
    remove_file(path);
}

static void reads_odd_quotes(void **state)
{
    (void)state;
    assert_read(STR("name,size,n\n"
                    "pipe,5\" wide,1\n"
                    "\"a\"b,\"c\"\"d\"e\"f,2\n"
                    "\"x\ny\",\"\"\"\",3"),
                "[\"name\",\"size\",\"n\"]\n"
                "[1,2,[\"pipe\",\"5\\\" wide\",\"1\"]]\n"
                "[2,3,[\"ab\",\"c\\\"de\\\"f\",\"2\"]]\n"
                "[3,4,[\"x\\ny\",\"\\\"\",\"3\"]]\n");
}

static void reads_ragged_rows(void **state)
{
    (void)state;
    assert_read(STR("a,b,c,\n1,2\n\n1,2,3,\n,,,\n1,2,3,4,\n  \n1,2,3,4,5,\n"),
                "[\"a\",\"b\",\"c\"]\n"
                "[1,2,[\"1\",\"2\"]]\n"
                "[2,4,[\"1\",\"2\",\"3\"]]\n"
                "[3,6,[\"1\",\"2\",\"3\",\"4\"]]\n"
                "[4,8,[\"1\",\"2\",\"3\",\"4\",\"5\"]]\n");
}

static void finds_the_header(void **state)
{
    (void)state;
    /* title, filter, an empty line; a footer */
    assert_read(
        STR("订单报表\n时间：2024-01-01 至 2024-01-31\n\n"
            "订单号,买家（昵称）, 金额 ,金额,\n"
            "1,a,3.5,2,\n2,b,4,1,\n3,合计,1,1\n合计,,7.5,3,\n导出时间：2024-02-01 08:00:00\n总计:3笔,,\n"),
        "[\"订单号\",\"买家(昵称)\",\"金额\",\"金额 (2)\"]\n"
        "[1,5,[\"1\",\"a\",\"3.5\",\"2\"]]\n"
        "[2,6,[\"2\",\"b\",\"4\",\"1\"]]\n"
        "[3,7,[\"3\",\"合计\",\"1\",\"1\"]]\n"
        "[4,8,\"row 4 (line 8) is a closing line of the file, not data\"]\n"
        "[5,9,\"row 5 (line 9) is a closing line of the file, not data\"]\n"
        "[6,10,\"row 6 (line 10) is a closing line of the file, not data\"]\n");
    /* none: the first row is data */
    assert_read(STR("13800138000,小明,2024-01-05\n13900139000,小红,2024-01-06\n"),
                "[\"column 1\",\"column 2\",\"column 3\"]\n"
                "[1,1,[\"13800138000\",\"小明\",\"2024-01-05\"]]\n"
                "[2,2,[\"13900139000\",\"小红\",\"2024-01-06\"]]\n");
    assert_read(STR("小明,北京,VIP\n小红,上海,VIP\n小刚,北京,SVIP\n"),
                "[\"column 1\",\"column 2\",\"column 3\"]\n"
                "[1,1,[\"小明\",\"北京\",\"VIP\"]]\n"
                "[2,2,[\"小红\",\"上海\",\"VIP\"]]\n"
                "[3,3,[\"小刚\",\"北京\",\"SVIP\"]]\n");
    /* one column; no rows */
    assert_read(STR("手机号\n13800138000\n"), "[\"手机号\"]\n[1,2,[\"13800138000\"]]\n");
    assert_read(STR("a,b\n"), "[\"a\",\"b\"]\n");
    assert_read(STR(""), "! the file is empty\n");
    assert_read(STR("\n\n"), "[]\n");
}

static void finds_separators_and_quotes(void **state)
{
    (void)state;
    assert_read(
        STR("a;b;c\n1,5;2,5;x\n3,5;4,5;y\n"),
        "[\"a\",\"b\",\"c\"]\n[1,2,[\"1,5\",\"2,5\",\"x\"]]\n[2,3,[\"3,5\",\"4,5\",\"y\"]]\n");
    assert_read(STR("a\x01"
                    "b\n1\x01"
                    "2\n"),
                "[\"a\",\"b\"]\n[1,2,[\"1\",\"2\"]]\n");
    assert_read(STR("'a','b'\n'x,y','it''s'\n"), "[\"a\",\"b\"]\n[1,2,[\"x,y\",\"it's\"]]\n");
    /* quotes that are text: a measure in a tab-separated file */
    assert_read(
        STR("a\tb\n\"x\t1\n\"y\t2\n\"z\t3\n"),
        "[\"a\",\"b\"]\n[1,2,[\"\\\"x\",\"1\"]]\n[2,3,[\"\\\"y\",\"2\"]]\n[3,4,[\"\\\"z\",\"3\"]]\n");
}

/* Long notes of several lines: the sample ends inside one, which is no quote that is never closed. */
static void looks_past_the_end_of_the_sample(void **state)
{
    (void)state;
    struct buffer bytes;
    char path[512];
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    buffer_init(&bytes, (size_t)4 << 20);
    buffer_append_str(&bytes, STR("id,note,amount\n"));
    for (int i = 0; bytes.size < (size_t)3 << 20; i++) {
        buffer_printf(&bytes, "%d,\"", i);
        for (int k = 0; k < 400; k++)
            buffer_append_str(&bytes, STR("one; two; three; four\n"));
        buffer_append_str(&bytes, STR("\",12.50\n"));
    }
    write_file(path, "file.csv", buffer_str(&bytes));
    assert_ok(table_detect(path, STR(""), &form, &problem));
    assert_form(&form, TABLE_UTF8, ',', 1);
    assert_int_equal(form.quote, '"');
    remove_file(path);
    buffer_deinit(&bytes);
}

/* Rows that end with CR alone; LF within cells is theirs. */
static void reads_cr(void **state)
{
    (void)state;
    assert_read(STR("a,b\r1,\"x\ny\"\r2,z\r"),
                "[\"a\",\"b\"]\n[1,2,[\"1\",\"x\\ny\"]]\n[2,3,[\"2\",\"z\"]]\n");
    assert_read(STR("a,b\r\n1,x\ry\r\n2,z"),
                "[\"a\",\"b\"]\n[1,2,[\"1\",\"x\\ry\"]]\n[2,3,[\"2\",\"z\"]]\n");
}

/* ---- bad input ---- */

static void assert_read_as(enum table_encoding encoding, str bytes, const char *expected)
{
    char path[512];
    struct buffer actual;
    struct table_form form = {
        .format = TABLE_CSV, .encoding = encoding, .separator = ',', .quote = '"', .header_row = 1
    };
    buffer_init(&actual, 1 << 20);
    write_file(path, "file.csv", bytes);
    for (size_t piece = 0; piece < 20; piece++) {
        buffer_clear(&actual);
        read_with(path, &form, piece, &actual);
        assert_str_equal(buffer_str(&actual), str_from_c(expected));
    }
    remove_file(path);
    buffer_deinit(&actual);
}

static void refuses_bad_bytes(void **state)
{
    (void)state;
    static const char good[] = "订单号码,中文姓名称呼\n一二三四五六七八九十,甲乙丙丁戊己庚辛壬癸\n";
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    buffer_append_str(&bytes, str_from_c(good));
    buffer_append_str(&bytes, STR("1,\xB6\xA9\n2,b\n3,\xE4\xB8\n4,a\0b\n5,\xED\xA0\x80\n6,好\n"));
    assert_read_as(TABLE_UTF8, buffer_str(&bytes),
                   "[\"订单号码\",\"中文姓名称呼\"]\n"
                   "[1,2,[\"一二三四五六七八九十\",\"甲乙丙丁戊己庚辛壬癸\"]]\n"
                   "[2,3,\"row 2 (line 3), column 2 '中文姓名称呼': bytes that are no text\"]\n"
                   "[3,4,[\"2\",\"b\"]]\n"
                   "[4,5,\"row 4 (line 5), column 2 '中文姓名称呼': bytes that are no text\"]\n"
                   "[5,6,\"row 5 (line 6), column 2 '中文姓名称呼': a NUL byte\"]\n"
                   "[6,7,\"row 6 (line 7), column 2 '中文姓名称呼': bytes that are no text\"]\n"
                   "[7,8,[\"6\",\"好\"]]\n");
    /* GB18030: a lead byte before the newline does not swallow it */
    buffer_clear(&bytes);
    buffer_append_str(&bytes, STR("\xB6\xA9\xB5\xA5,\xD0\xD5\xC3\xFB\n"));
    buffer_append_str(&bytes, STR("1,a\xB6\n2,\xFF\xFF\n3,\x81\x30\x81\n4,\xB6\xA9\n"));
    assert_read_as(TABLE_GB18030, buffer_str(&bytes),
                   "[\"订单\",\"姓名\"]\n"
                   "[1,2,\"row 1 (line 2), column 2 '姓名': bytes that are no text\"]\n"
                   "[2,3,\"row 2 (line 3), column 2 '姓名': bytes that are no text\"]\n"
                   "[3,4,\"row 3 (line 4), column 2 '姓名': bytes that are no text\"]\n"
                   "[4,5,[\"4\",\"订\"]]\n");
    /* UTF-16: half a pair, and an odd byte at the end */
    buffer_clear(&bytes);
    buffer_append_str(&bytes, STR("\xFF\xFE"
                                  "a\0,\0"
                                  "b\0\n\0"
                                  "1\0,\0\x3D\xD8\n\0"
                                  "2\0,\0\x3D\xD8\x00\xDE\n\0"
                                  "3\0,\0x"));
    assert_read_as(TABLE_UTF16LE, buffer_str(&bytes),
                   "[\"a\",\"b\"]\n"
                   "[1,2,\"row 1 (line 2), column 2 'b': bytes that are no text\"]\n"
                   "[2,3,[\"2\",\"😀\"]]\n"
                   "[3,4,\"row 3 (line 4), column 2 'b': bytes that are no text\"]\n");
    buffer_deinit(&bytes);
}

/* A file of UTF-8 with a damaged place is not taken for GB18030, and the other way round. */
static void keeps_encoding_of_damaged_files(void **state)
{
    (void)state;
    struct buffer bytes;
    char path[512];
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    for (int kind = 0; kind < 2; kind++) {
        buffer_init(&bytes, 1 << 16);
        for (int i = 0; i < 30; i++) {
            buffer_append_str(&bytes, kind == 0 ? STR("姓名,城市\n")
                                                : STR("\xD0\xD5\xC3\xFB,\xB3\xC7\xCA\xD0\n"));
            if (i == 15)
                buffer_append_str(&bytes, kind == 0 ? STR("\xD0\xD5,x\n") : STR("\xFF,x\n"));
        }
        write_file(path, "file.csv", buffer_str(&bytes));
        assert_ok(table_detect(path, STR(""), &form, &problem));
        assert_int_equal(form.encoding, kind == 0 ? TABLE_UTF8 : TABLE_GB18030);
        remove_file(path);
        buffer_deinit(&bytes);
    }
}

/* What Western programs write is not taken for Chinese, and Chinese is not taken for that. */
static void tells_western_text_from_chinese(void **state)
{
    static const struct {
        const char *bytes;
        enum table_encoding encoding;
        const char *rows;
    } cases[] = {
        { "name;city\nJos\xE9;M\xE1laga\nJ\xFCrgen M\xFC\xDFig;K\xF6ln\n\xC5sa;G\xF6teborg\n",
          TABLE_WINDOWS1252,
          "[\"name\",\"city\"]\n[1,2,[\"José\",\"Málaga\"]]\n[2,3,[\"Jürgen Müßig\",\"Köln\"]]\n"
          "[3,4,[\"Åsa\",\"Göteborg\"]]\n" },
        { "item,price\nMug,\xA3"
          "5.00\nCup,\x80"
          "3\n",
          TABLE_WINDOWS1252,
          "[\"item\",\"price\"]\n[1,2,[\"Mug\",\"£5.00\"]]\n[2,3,[\"Cup\",\"€3\"]]\n" },
        { "note,n\n\x93quoted\x94 it\x92s,1\n", TABLE_WINDOWS1252,
          "[\"note\",\"n\"]\n[1,2,[\"“quoted” it’s\",\"1\"]]\n" },
        { "name,city\n\xD6\xEC\xE9\x46\xBB\xF9,\xB1\xB1\xBE\xA9\n", TABLE_GB18030,
          "[\"name\",\"city\"]\n[1,2,[\"朱镕基\",\"北京\"]]\n" },
        { "name,n\n\xE9\x46,1\n", TABLE_GB18030, "[\"name\",\"n\"]\n[1,2,[\"镕\",\"1\"]]\n" },
    };
    struct problem problem = { .error = ERR_OK };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct table_form form;
        struct buffer rows;
        char path[512];
        write_file(path, "file.csv", str_from_c(cases[i].bytes));
        assert_ok(table_detect(path, STR(""), &form, &problem));
        assert_int_equal(form.encoding, cases[i].encoding);
        form.header_row = 1;
        for (size_t piece = 1; piece < 6; piece++) {
            buffer_init(&rows, 1 << 16);
            read_by(NULL, path, &form, piece, &rows);
            assert_str_equal(buffer_str(&rows), str_from_c(cases[i].rows));
            buffer_deinit(&rows);
        }
        remove_file(path);
    }
}

/* 81, 8D, 8F, 90 and 9D are nothing in windows-1252: the row is refused. */
static void refuses_what_windows_has_not(void **state)
{
    (void)state;
    assert_read_as(TABLE_WINDOWS1252, STR("a,b\n\xE9,1\n\x81,2\nx,3\n"),
                   "[\"a\",\"b\"]\n[1,2,[\"é\",\"1\"]]\n"
                   "[2,3,\"row 2 (line 3), column 1 'a': bytes that are no text\"]\n"
                   "[3,4,[\"x\",\"3\"]]\n");
}

/* One quote too many costs one line. */
static void survives_unclosed_quotes(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,\"x\n2,y\n3,\"z\"\n4,w\n";
    char path[512];
    struct buffer actual;
    struct table_form form = {
        .format = TABLE_CSV, .separator = ',', .quote = '"', .header_row = 1
    };
    buffer_init(&actual, 1 << 16);
    write_file(path, "file.csv", str_from_c(text));
    /* the quote of line 2 closes at line 4, which then has text behind the quotes and an open one */
    read_with(path, &form, 0, &actual);
    assert_str_equal(
        buffer_str(&actual),
        STR("[\"a\",\"b\"]\n[1,2,[\"1\",\"x\\n2,y\\n3,z\\\"\"]]\n[2,5,[\"4\",\"w\"]]\n"));
    remove_file(path);
    write_file(path, "file.csv", STR("a,b\n1,\"x\n2,y\n3,z\n"));
    buffer_clear(&actual);
    read_with(path, &form, 0, &actual);
    assert_str_equal(buffer_str(&actual),
                     STR("[\"a\",\"b\"]\n"
                         "[1,2,\"row 1 (line 2): a quote (\\\") is opened and never closed\"]\n"
                         "[2,3,[\"2\",\"y\"]]\n[3,4,[\"3\",\"z\"]]\n"));
    remove_file(path);
    buffer_deinit(&actual);
}

/* An enormous line, and rows and cells just over the limits, are refused; what follows is read. */
static void refuses_large_rows(void **state)
{
    (void)state;
    char path[512];
    struct table *table = NULL;
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    char *chunk = memory_alloc(1 << 20);
    assert_non_null(chunk);
    memset(chunk, 'x', 1 << 20);
    for (int kind = 0; kind < 3; kind++) {
        int megabytes = kind == 0 ? 5 : 90;
        write_file(path, "large.csv", STR("a,b\n1,2\n"));
        FILE *file = fopen(path, "ae");
        assert_non_null(file);
        fputs(kind == 2 ? "3,\"" : "3,", file);
        for (int i = 0; i < megabytes; i++)
            fwrite(chunk, 1, 1 << 20, file);
        fputs(kind == 2 ? "\n,\"\n4,5\n" : "\n4,5\n", file);
        fclose(file);
        struct table_config config = {
            .path = path,
            .form = { .format = TABLE_CSV, .separator = ',', .quote = '"', .header_row = 1 }
        };
        assert_ok(table_open(&table, &config, &problem));
        assert_ok(table_next(table, &row, &problem));
        assert_err(table_next(table, &row, &problem), ERR_INVALID);
        assert_int_equal(row.number, 2);
        assert_int_equal(row.line, 3);
        assert_true(row.raw.size > 1000 && row.raw.size <= TABLE_RAW_BYTES_MAX);
        if (kind == 0)
            assert_non_null(strstr(problem.detail, "column 2 'b' has more than 4 MB"));
        else
            assert_non_null(strstr(problem.detail, "has more than 16 MB"));
        err error = table_next(table, &row, &problem);
        if (kind == 2) { /* the quote that is left behind opens a cell, and takes the rest */
            assert_err(error, ERR_INVALID);
            error = table_next(table, &row, &problem);
        }
        assert_ok(error);
        assert_str_equal(row.cells[0].text, STR("4"));
        assert_err(table_next(table, &row, &problem), ERR_NOT_FOUND);
        table_close(&table);
        remove_file(path);
    }
    memory_free(chunk);
}

static void refuses_many_columns(void **state)
{
    (void)state;
    char path[512];
    struct buffer bytes, actual;
    buffer_init(&bytes, 1 << 20);
    buffer_init(&actual, 1 << 20);
    buffer_append_str(&bytes, STR("a,b\n"));
    for (int i = 0; i < TABLE_COLUMNS_MAX; i++)
        buffer_append_str(&bytes, STR("1,"));
    buffer_append_str(&bytes, STR("1\n1,2\n"));
    write_file(path, "file.csv", buffer_str(&bytes));
    struct table_form form = { .format = TABLE_CSV, .separator = ',', .header_row = 1 };
    read_with(path, &form, 0, &actual);
    assert_str_equal(buffer_str(&actual),
                     STR("[\"a\",\"b\"]\n[1,2,\"row 1 (line 2) has more than 2000 columns\"]\n"
                         "[2,3,[\"1\",\"2\"]]\n"));
    form.header_row = 2;
    buffer_clear(&actual);
    read_with(path, &form, 0, &actual);
    assert_true(str_starts_with(buffer_str(&actual), STR("! row 2, which should have the names")));
    remove_file(path);
    write_file(path, "file.csv", STR("a,b\n,,\n1,2\n"));
    buffer_clear(&actual);
    read_with(path, &form, 0, &actual);
    assert_str_equal(buffer_str(&actual),
                     STR("! row 2, which should have the names of the columns, is empty\n"));
    remove_file(path);
    buffer_deinit(&bytes);
    buffer_deinit(&actual);
}

/* ---- packing ---- */

static void gzip_bytes(str bytes, struct buffer *out)
{
    z_stream stream = { 0 };
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&stream, bytes.size);
    char *room = buffer_reserve(out, bound);
    assert_non_null(room);
    stream.next_in = (unsigned char *)(uintptr_t)bytes.data;
    stream.avail_in = (unsigned)bytes.size;
    stream.next_out = (unsigned char *)room;
    stream.avail_out = (unsigned)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    buffer_advance(out, bound - stream.avail_out);
    deflateEnd(&stream);
}

static void zstd_bytes(str bytes, struct buffer *out)
{
    size_t bound = ZSTD_compressBound(bytes.size);
    char *room = buffer_reserve(out, bound);
    assert_non_null(room);
    size_t size = ZSTD_compress(room, bound, bytes.data, bytes.size, 3);
    assert_false(ZSTD_isError(size));
    buffer_advance(out, size);
}

static void write_rows(struct buffer *out, int count)
{
    buffer_append_str(out, STR("n,square\n"));
    for (int i = 1; i <= count; i++)
        buffer_printf(out, "%d,%lld\n", i, (long long)i * i);
}

/* Every row before the tear is given, then what is wrong; in several members, too. */
static void tells_torn_packing(void **state)
{
    (void)state;
    struct buffer text, packed;
    char path[512];
    buffer_init(&text, 1 << 20);
    buffer_init(&packed, 1 << 20);
    write_rows(&text, 20000);
    for (int kind = 0; kind < 2; kind++) {
        buffer_clear(&packed);
        if (kind == 0)
            gzip_bytes(buffer_str(&text), &packed);
        else
            zstd_bytes(buffer_str(&text), &packed);
        write_file(path, "torn", str_slice(buffer_str(&packed), 0, packed.size * 2 / 3));
        struct table_form form;
        struct table *table = NULL;
        struct table_row row;
        struct problem problem = { .error = ERR_OK };
        assert_ok(table_detect(path, STR(""), &form, &problem));
        struct table_config config = { .path = path, .form = form };
        assert_ok(table_open(&table, &config, &problem));
        uint64_t count = 0;
        err error;
        while ((error = table_next(table, &row, &problem)) == ERR_OK)
            assert_int_equal(row.number, ++count);
        assert_err(error, ERR_UNPROCESSABLE);
        assert_non_null(strstr(problem.detail, "breaks off after"));
        assert_true(count < 20000 && (kind == 1 || count > 5000));
        table_close(&table);
        remove_file(path);
        /* two members, and padding */
        struct buffer twice, actual, expected;
        buffer_init(&twice, 1 << 20);
        buffer_init(&actual, 1 << 22);
        buffer_init(&expected, 1 << 22);
        str parts[2] = { str_slice(buffer_str(&text), 0, 1001),
                         str_slice(buffer_str(&text), 1001, text.size) };
        for (int i = 0; i < 2; i++) {
            if (kind == 0)
                gzip_bytes(parts[i], &twice);
            else
                zstd_bytes(parts[i], &twice);
        }
        buffer_append(&twice, "\0\0\0\0", 4);
        write_file(path, "twice", buffer_str(&twice));
        read_all(path, 0, &actual);
        remove_file(path);
        write_file(path, "plain", buffer_str(&text));
        read_all(path, 0, &expected);
        remove_file(path);
        assert_str_equal(buffer_str(&actual), buffer_str(&expected));
        buffer_deinit(&twice);
        buffer_deinit(&actual);
        buffer_deinit(&expected);
    }
    buffer_deinit(&text);
    buffer_deinit(&packed);
}

static void refuses_bombs(void **state)
{
    (void)state;
    struct buffer text, packed;
    char path[512];
    struct table *table = NULL;
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    buffer_init(&text, (size_t)256 << 20);
    buffer_init(&packed, (size_t)256 << 20);
    while (text.size < (size_t)150 << 20)
        buffer_append_str(&text,
                          STR("1,1\n1,1\n1,1\n1,1\n1,1\n1,1\n1,1\n1,1\n1,1\n1,1\n1,1\n1,1\n"));
    gzip_bytes(buffer_str(&text), &packed);
    write_file(path, "bomb.csv.gz", buffer_str(&packed));
    struct table_config config = {
        .path = path, .form = { .format = TABLE_CSV, .packing = TABLE_GZIP, .separator = ',' }
    };
    assert_ok(table_open(&table, &config, &problem));
    assert_err(table_skip_to(table, UINT64_MAX, &problem), ERR_TOO_LARGE);
    assert_err(table_next(table, &row, &problem), ERR_TOO_LARGE);
    assert_non_null(strstr(problem.detail, "200 times"));
    table_close(&table);
    remove_file(path);
    buffer_deinit(&text);
    buffer_deinit(&packed);
}

static void tells_changed_files(void **state)
{
    (void)state;
    char path[512];
    struct table *table = NULL;
    struct table_row row;
    struct buffer text;
    struct problem problem = { .error = ERR_OK };
    buffer_init(&text, 1 << 24);
    write_rows(&text, 200000);
    write_file(path, "file.csv", buffer_str(&text));
    struct table_config config = {
        .path = path, .form = { .format = TABLE_CSV, .separator = ',', .header_row = 1 }
    };
    assert_ok(table_open(&table, &config, &problem));
    assert_ok(table_next(table, &row, &problem));
    assert_int_equal(truncate(path, (off_t)text.size / 2), 0);
    err error;
    while ((error = table_next(table, &row, &problem)) == ERR_OK)
        continue;
    assert_err(error, ERR_CONFLICT);
    table_close(&table);
    remove_file(path);
    buffer_deinit(&text);
}

/* ---- going on ---- */

/* From any row on, the rows are those of a reading from the beginning: number, line and cells. */
static void goes_on_at_any_row(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,x\n\n2,\"y\nz\"\n3,\xFF\n4,\"w\"\"\"\n,,\n5,v\n";
    char path[512];
    struct table_form form = {
        .format = TABLE_CSV, .separator = ',', .quote = '"', .header_row = 1
    };
    struct table_config config = { .path = path, .form = form };
    write_file(path, "file.csv", str_from_c(text));
    for (uint64_t from = 1; from <= 6; from++) {
        struct table *whole = NULL, *part = NULL;
        struct table_row a, b;
        struct problem problem = { .error = ERR_OK };
        assert_ok(table_open(&whole, &config, &problem));
        assert_ok(table_open(&part, &config, &problem));
        for (uint64_t i = 1; i < from; i++)
            assert_true(table_next(whole, &a, &problem) != ERR_NOT_FOUND);
        assert_ok(table_skip_to(part, from, &problem));
        err error;
        do {
            error = table_next(whole, &a, &problem);
            assert_err(table_next(part, &b, &problem), error);
            assert_int_equal(a.number, b.number);
            assert_int_equal(a.line, b.line);
            assert_str_equal(a.raw, b.raw);
        } while (error != ERR_NOT_FOUND);
        table_close(&whole);
        table_close(&part);
    }
    struct table *table = NULL;
    struct problem problem = { .error = ERR_OK };
    assert_ok(table_open(&table, &config, &problem));
    assert_err(table_skip_to(table, 7, &problem), ERR_CONFLICT);
    table_close(&table);
    assert_ok(table_open(&table, &config, &problem));
    assert_ok(table_skip_to(table, 3, &problem));
    assert_ok(table_skip_to(table, 3, &problem));
    assert_err(table_skip_to(table, 2, &problem), ERR_UNPROCESSABLE);
    table_close(&table);
    remove_file(path);
}

/* ---- random cells, there and back ---- */

struct dice {
    uint64_t state;
};

/* splitmix64 */
static uint64_t roll(struct dice *dice, uint64_t sides)
{
    uint64_t z = (dice->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % sides;
}

static void random_cell(struct dice *dice, struct buffer *out)
{
    static const char *const pieces[] = { "a",   "0",  "\"",  ",",  "\n", "\r\n", ";",
                                          "|",   " ",  "é",   "中", "文", "𠮷",   "\"\"",
                                          "x y", "=1", "3.5", "'",  "\\", "元）" };
    uint64_t count = roll(dice, 4) == 0 ? 0 : roll(dice, 9);
    if (roll(dice, 40) == 0)
        count = 300;
    /* not what a guard looks like at the beginning */
    if (count > 0)
        buffer_append_byte(out, (uint8_t)('A' + roll(dice, 26)));
    for (uint64_t i = 0; i < count; i++)
        buffer_append_str(out, str_from_c(pieces[roll(dice, sizeof(pieces) / sizeof(pieces[0]))]));
}

static void write_cell(str cell, char separator, bool quote, struct buffer *out)
{
    for (size_t i = 0; i < cell.size; i++)
        quote = quote || cell.data[i] == '"' || cell.data[i] == separator || cell.data[i] == '\n' ||
                cell.data[i] == '\r';
    if (quote)
        buffer_append_byte(out, '"');
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            buffer_append_byte(out, '"');
        buffer_append_byte(out, (uint8_t)cell.data[i]);
    }
    if (quote)
        buffer_append_byte(out, '"');
}

#define RANDOM_ROWS 40
#define RANDOM_COLUMNS 6

static void round_trip(uint64_t seed)
{
    struct dice dice = { seed };
    struct buffer cells[RANDOM_ROWS][RANDOM_COLUMNS], file;
    const char separator = ",;\t|"[roll(&dice, 4)];
    const char *newline = roll(&dice, 2) ? "\r\n" : "\n";
    char path[512];
    buffer_init(&file, 1 << 20);
    for (int row = 0; row < RANDOM_ROWS; row++)
        for (int column = 0; column < RANDOM_COLUMNS; column++) {
            buffer_init(&cells[row][column], 1 << 16);
            random_cell(&dice, &cells[row][column]);
            if (column == 0)
                buffer_append_byte(&cells[row][column], 'k'); /* no row is empty */
            if (column > 0)
                buffer_append_byte(&file, (uint8_t)separator);
            write_cell(buffer_str(&cells[row][column]), separator, roll(&dice, 3) == 0, &file);
            if (column == RANDOM_COLUMNS - 1)
                buffer_append_str(&file, str_from_c(newline));
        }
    write_file(path, "random.csv", buffer_str(&file));
    struct table_config config = {
        .path = path, .form = { .format = TABLE_CSV, .separator = separator, .quote = '"' }
    };
    /* cut at every place of the first 70, then at larger pieces */
    for (size_t piece = 1; piece < 140; piece += piece < 70 ? 1 : 7) {
        struct table *table = NULL;
        struct table_row row;
        struct problem problem = { .error = ERR_OK };
        assert_ok(table_open_in_pieces(&table, &config, piece, &problem));
        for (int i = 0; i < RANDOM_ROWS; i++) {
            assert_ok(table_next(table, &row, &problem));
            assert_int_equal(row.cell_count, RANDOM_COLUMNS);
            for (int column = 0; column < RANDOM_COLUMNS; column++)
                if (!str_equal(row.cells[column].text, buffer_str(&cells[i][column])))
                    fail_msg("seed %llu, row %d, column %d, pieces of %zu",
                             (unsigned long long)seed, i, column, piece);
        }
        assert_err(table_next(table, &row, &problem), ERR_NOT_FOUND);
        table_close(&table);
    }
    for (int row = 0; row < RANDOM_ROWS; row++)
        for (int column = 0; column < RANDOM_COLUMNS; column++)
            buffer_deinit(&cells[row][column]);
    buffer_deinit(&file);
    remove_file(path);
}

static void brings_random_cells_back(void **state)
{
    (void)state;
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    print_message("seed %llu (KITH_SEED)\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < 60; i++)
        round_trip(seed + i);
}

/* ---- the form ---- */

static void writes_and_reads_forms(void **state)
{
    (void)state;
    struct table_form form = { .format = TABLE_CSV,
                               .packing = TABLE_ZSTD,
                               .encoding = TABLE_UTF16BE,
                               .separator = '\t',
                               .quote = '\0',
                               .header_row = 3 };
    struct table_form read = { .format = TABLE_XLSX };
    struct buffer text;
    struct json_parser *parser = NULL;
    struct problem problem = { .error = ERR_OK };
    json_value json;
    buffer_init(&text, 4096);
    assert_ok(json_parser_new(&parser, 4096));
    table_form_write(&form, &text);
    assert_str_equal(
        buffer_str(&text),
        STR("{\"format\":\"csv\",\"packing\":\"zstd\",\"encoding\":\"utf-16be\",\"separator\":\"\\t\","
            "\"quote\":\"\",\"header_row\":3,\"sheet\":0,\"sheets\":0}"));
    assert_ok(json_parse(parser, buffer_str(&text), &json, &problem));
    assert_ok(table_form_read(json, &read, &problem));
    assert_memory_equal(&read, &form, sizeof(form));
    static const char *const wrong[] = { "{\"format\":\"xls\"}",    "{\"separator\":\"\"}",
                                         "{\"separator\":\"中\"}",  "{\"quote\":\"\\t\"}",
                                         "{\"header_row\":-1}",     "{\"encoding\":1}",
                                         "{\"separator\":\"\\n\"}", "[]" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct table_form before = form;
        assert_ok(json_parse(parser, str_from_c(wrong[i]), &json, &problem));
        assert_err(table_form_read(json, &form, &problem), ERR_INVALID);
        assert_memory_equal(&before, &form, sizeof(form));
    }
    json_parser_free(&parser);
    buffer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detects_encodings),
        cmocka_unit_test(reads_encodings),
        cmocka_unit_test(reads_every_character_of_gb18030),
        cmocka_unit_test(takes_guards_off),
        cmocka_unit_test(guards_vouch_for_digits),
        cmocka_unit_test(reads_odd_quotes),
        cmocka_unit_test(reads_ragged_rows),
        cmocka_unit_test(finds_the_header),
        cmocka_unit_test(finds_separators_and_quotes),
        cmocka_unit_test(looks_past_the_end_of_the_sample),
        cmocka_unit_test(reads_cr),
        cmocka_unit_test(refuses_bad_bytes),
        cmocka_unit_test(keeps_encoding_of_damaged_files),
        cmocka_unit_test(tells_western_text_from_chinese),
        cmocka_unit_test(refuses_what_windows_has_not),
        cmocka_unit_test(survives_unclosed_quotes),
        cmocka_unit_test(refuses_large_rows),
        cmocka_unit_test(refuses_many_columns),
        cmocka_unit_test(tells_torn_packing),
        cmocka_unit_test(refuses_bombs),
        cmocka_unit_test(tells_changed_files),
        cmocka_unit_test(goes_on_at_any_row),
        cmocka_unit_test(brings_random_cells_back),
        cmocka_unit_test(writes_and_reads_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
