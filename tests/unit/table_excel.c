/* SPDX-License-Identifier: Apache-2.0 */
/* Excel: files of another writer, and parts written by hand for what writers do not write. */
#include <zip.h>

#include "table/excel_inside.h"
#include "table_file.h"

/* ---- a book made by hand ---- */

struct part {
    const char *name;
    str bytes;
};

#define RELATION "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
static const char relations[] =
    "<Relationships><Relationship Id=\"rId1\" Type=\"" RELATION "/officeDocument\" "
    "Target=\"/xl/workbook.xml\"/></Relationships>";
static const char workbook[] =
    "<workbook><workbookPr/><sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";
static const char workbook_relations[] =
    "<Relationships><Relationship Id=\"rId1\" Type=\"" RELATION
    "/worksheet\" Target=\"worksheets/sheet1.xml\"/>"
    "<Relationship Id=\"rId2\" Type=\"" RELATION "/sharedStrings\" Target=\"sharedStrings.xml\"/>"
    "<Relationship Id=\"rId3\" Type=\"" RELATION
    "/styles\" Target=\"./x/../styles.xml\"/></Relationships>";

static void write_zip(char path[512], const struct part *parts, size_t count)
{
    int code;
    write_file(path, "book.xlsx", STR(""));
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(zip);
    for (size_t i = 0; i < count; i++) {
        zip_source_t *source = zip_source_buffer(zip, parts[i].bytes.data, parts[i].bytes.size, 0);
        assert_true(zip_file_add(zip, parts[i].name, source, ZIP_FL_ENC_UTF_8) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
}

static void write_book(char path[512], str sheet, str strings, str styles)
{
    const struct part parts[] = {
        { "_rels/.rels", str_from_c(relations) },
        { "xl/workbook.xml", str_from_c(workbook) },
        { "xl/_rels/workbook.xml.rels", str_from_c(workbook_relations) },
        { "xl/worksheets/sheet1.xml", sheet },
        { "xl/sharedStrings.xml", strings },
        { "xl/styles.xml", styles },
    };
    write_zip(path, parts, strings.size == 0 ? 4 : styles.size == 0 ? 5 : 6);
}

static void assert_book(str sheet, str strings, str styles, uint32_t header_row,
                        const char *expected)
{
    char path[512];
    struct buffer actual;
    struct table_form form = { .format = TABLE_XLSX, .header_row = header_row };
    buffer_init(&actual, 1 << 24);
    write_book(path, sheet, strings, styles);
    read_with(path, &form, 0, &actual);
    assert_str_equal(buffer_str(&actual), str_from_c(expected));
    remove_file(path);
    buffer_deinit(&actual);
}

/* ---- tests ---- */

static void reads_files_of_another_writer(void **state)
{
    (void)state;
    static const struct {
        const char *file, *rows;
    } files[] = { { "orders.xlsx", "orders.xlsx.rows" },
                  { "orders.xlsx.gz", "orders.xlsx.rows" },
                  { "mac.xlsx", "mac.xlsx.rows" } };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        struct buffer actual, expected;
        buffer_init(&actual, 1 << 20);
        buffer_init(&expected, 1 << 20);
        golden_path(files[i].file, path);
        read_all(path, 0, &actual);
        golden_text(files[i].rows, &expected);
        assert_str_equal(buffer_str(&actual), buffer_str(&expected));
        buffer_deinit(&actual);
        buffer_deinit(&expected);
    }
}

static void detects_sheets_and_header(void **state)
{
    (void)state;
    char path[512];
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    struct buffer names;
    golden_path("orders.xlsx", path);
    assert_ok(table_detect(path, STR("订单.xls"), &form, &problem));
    assert_int_equal(form.format, TABLE_XLSX);
    assert_int_equal(form.sheets, 3);
    assert_int_equal(form.sheet, 1); /* the first one is hidden */
    assert_int_equal(form.header_row, 4);
    buffer_init(&names, 4096);
    assert_ok(table_sheets_write(path, &form, &names, &problem));
    assert_str_equal(buffer_str(&names), STR("[\"说明\",\"订单\",\"空\"]"));
    buffer_deinit(&names);
    struct table *table = NULL;
    struct table_config config = { .path = path, .form = form };
    config.form.sheet = 3;
    assert_err(table_open(&table, &config, &problem), ERR_UNPROCESSABLE);
    assert_non_null(strstr(problem.detail, "3 sheets"));
}

static void reads_what_writers_do_not_write(void **state)
{
    (void)state;
    /* prefixes, phonetic text, escapes, cells without places, rows backwards, the formats of Chinese Excel */
    assert_book(
        STR("<x:worksheet xmlns:x=\"m\"><x:dimension ref=\"A1\"/><x:sheetData>"
            "<x:row r=\"1\"><x:c t=\"s\"><x:v>0</x:v></x:c><x:c t=\"s\"><x:v> 1 </x:v></x:c></x:row>"
            "<x:row><x:c r=\"C2\" t=\"inlineStr\"><x:is><x:r><x:t>in</x:t></x:r><x:r><x:t>line</x:t></x:r></x:is></x:c>"
            "<x:c t=\"str\"><x:f>\"a\"&amp;\"b\"</x:f><x:v>ab_x000A_c</x:v></x:c></x:row>"
            "<x:row r=\"1\"><x:c s=\"1\"><x:v>45296</x:v></x:c><x:c s=\"2\"><x:v>0.25</x:v></x:c>"
            "<x:c t=\"d\"><x:v>2024-01-05T08:03:01</x:v></x:c><x:c t=\"d\"><x:v>2024-01-05T08:03:01Z</x:v></x:c>"
            "<x:c s=\"99\"><x:v>1</x:v></x:c></x:row>"
            "<x:row r=\"9\"><x:c r=\"B9\"><x:f>SUM(A1:A2)</x:f></x:c></x:row>"
            "<x:row r=\"10\"><x:c r=\"A10\"/></x:row><x:row/>"
            "</x:sheetData><x:row><x:c><x:v>no</x:v></x:c></x:row></x:worksheet>"),
        STR("<sst><si><r><t>na</t></r><r><t xml:space=\"preserve\">me </t></r><rPh sb=\"0\" eb=\"1\"><t>read</t></rPh></si>"
            "<si><t>_x0031_（元）</t></si></sst>"),
        STR("<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"[$-804]h&quot;点&quot;mm;@\"/></numFmts>"
            "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
            "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"31\"/><xf numFmtId=\"200\"/></cellXfs></styleSheet>"),
        1,
        "[\"name\",\"1(元)\"]\n"
        "[1,2,[\"\",\"\",\"inline\",\"ab\\nc\"]]\n"
        "[2,3,[{\"t\":\"2024-01-05\"},\"06:00:00\",{\"t\":\"2024-01-05 08:03:01\"},{\"t\":\"2024-01-05T08:03:01Z\"},{\"n\":\"1\"}]]\n"
        "[3,9,[\"\",{\"x\":\"=SUM(A1:A2)\"}]]\n");
}

static void refuses_rows_alone(void **state)
{
    (void)state;
    assert_book(
        STR("<worksheet><sheetData><row><c t=\"s\"><v>7</v></c></row>"
            "<row><c r=\"BZZ2\"><v>1</v></c></row><row><c><v>1</v></c></row></sheetData></worksheet>"),
        STR("<sst><si><t>a</t></si></sst>"), STR_NONE, 0,
        "[]\n"
        "[1,1,\"row 1 (row 1 of the sheet) names a text that the file does not have\"]\n"
        "[2,2,\"row 2 (row 2 of the sheet) has values in more than 2,000 columns\"]\n"
        "[3,3,[{\"n\":\"1\"}]]\n");
}

/* The row that is torn is not given; those before it are. */
static void tells_damage(void **state)
{
    (void)state;
    assert_book(
        STR("<worksheet><sheetData><row><c><v>1</v></c></row><row><c><v>2</c>"), STR_NONE, STR_NONE,
        0,
        "[\"column 1\"]\n[1,1,[{\"n\":\"1\"}]]\n"
        "! the part 'xl/worksheets/sheet1.xml' of the Excel file is damaged at byte 62: mismatched tag\n");
    assert_book(
        STR("<!DOCTYPE w [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
            "<worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>"),
        STR_NONE, STR_NONE, 0,
        "! the part 'xl/worksheets/sheet1.xml' of the Excel file is damaged at byte 12: a document type\n");
}

static void refuses_bombs(void **state)
{
    (void)state;
    /* 200 MB of empty rows in some hundred KB */
    struct buffer sheet;
    char path[512];
    struct problem problem = { .error = ERR_OK };
    struct table *table = NULL;
    struct table_row row;
    buffer_init(&sheet, (size_t)256 << 20);
    buffer_append_str(&sheet, STR("<worksheet><sheetData><row><c><v>1</v></c></row>"));
    while (sheet.size < (size_t)200 << 20)
        buffer_append_str(
            &sheet, STR("<row></row><row></row><row></row><row></row><row></row><row></row>"));
    buffer_append_str(&sheet, STR("</sheetData></worksheet>"));
    write_book(path, buffer_str(&sheet), STR_NONE, STR_NONE);
    buffer_deinit(&sheet);
    struct table_config config = { .path = path, .form = { .format = TABLE_XLSX } };
    assert_ok(table_open(&table, &config, &problem));
    assert_ok(table_next(table, &row, &problem));
    assert_err(table_next(table, &row, &problem), ERR_TOO_LARGE);
    assert_non_null(strstr(problem.detail, "200 times its size"));
    assert_err(table_next(table, &row, &problem), ERR_TOO_LARGE); /* and says so again */
    table_close(&table);
    remove_file(path);
}

static void assert_unsupported(const char *name, str bytes, const char *what)
{
    char path[512];
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    write_file(path, name, bytes);
    assert_err(table_detect(path, str_from_c(name), &form, &problem), ERR_UNSUPPORTED);
    if (strstr(problem.detail, what) == NULL)
        fail_msg("'%s' does not say '%s'", problem.detail, what);
    assert_true(problem.hint[0] != '\0');
    remove_file(path);
}

static void tells_what_it_is_not(void **state)
{
    (void)state;
    static const char encrypted[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 \0\0"
                                    "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
    assert_unsupported("a.xls", STR("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 \0\0W\0o\0r\0k\0"),
                       "old Excel");
    assert_unsupported("a.xlsx", str_from_bytes(encrypted, sizeof(encrypted)), "password");
    assert_unsupported("a.xls", STR("\xEF\xBB\xBF\r\n<HTML xmlns:x=\"urn\"><table>"), "HTML");
    assert_unsupported("a.xls", STR("<table border=1><tr><td>\xB6\xA9\xB5\xA5</td></tr>"), "HTML");
    assert_unsupported(
        "a.xls",
        STR("<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">"),
        "Excel 2003 XML");
    assert_unsupported("a.csv", STR("%PDF-1.7"), "PDF");
    assert_unsupported("a.csv", STR("\x00\x01\x02\x03\x04\x05\x06\x07\x0b\x0e\x0f"), "no text");
    const struct part word = { "word/document.xml", STR("<x/>") }, csv = { "a.csv", STR("a,b\n") };
    char path[512];
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    write_zip(path, &word, 1);
    assert_err(table_detect(path, STR(""), &form, &problem), ERR_UNSUPPORTED);
    assert_non_null(strstr(problem.detail, "Word"));
    remove_file(path);
    write_zip(path, &csv, 1);
    assert_err(table_detect(path, STR(""), &form, &problem), ERR_UNSUPPORTED);
    assert_non_null(strstr(problem.hint, "unpack it"));
    remove_file(path);
}

static void knows_formats(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum excel_class class;
    } formats[] = {
        { "General", EXCEL_NUMBER },
        { "0.00E+00", EXCEL_NUMBER },
        { "#,##0.00_);[Red]\\(#,##0.00\\)", EXCEL_NUMBER },
        { "\"days\" 0", EXCEL_NUMBER },
        { "0\\d", EXCEL_NUMBER },
        { "yyyy-mm-dd", EXCEL_DATE },
        { "mmm", EXCEL_DATE },
        { "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", EXCEL_DATE },
        { "yyyy/m/d h:mm", EXCEL_DATE_TIME },
        { "h:mm AM/PM", EXCEL_TIME },
        { "mm:ss.0", EXCEL_TIME },
        { "[mm]:ss", EXCEL_ELAPSED },
        { "[Red]0;[Blue]yyyy", EXCEL_NUMBER },
        { "@", EXCEL_NUMBER },
        { "yyyy\"年\"m\"月\"", EXCEL_DATE },
    };
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (excel_class_of_format(str_from_c(formats[i].code)) != formats[i].class)
            fail_msg("%s is taken for %d", formats[i].code,
                     (int)excel_class_of_format(str_from_c(formats[i].code)));
}

static void knows_days(void **state)
{
    (void)state;
    static const struct {
        double serial;
        bool from_1904;
        const char *text;
    } days[] = {
        { 1, false, "1900-01-01 00:00:00" },
        { 59, false, "1900-02-28 00:00:00" },
        { 61, false, "1900-03-01 00:00:00" },
        { 45296.335428240738, false, "2024-01-05 08:03:01" },
        { 45296.33542824, false, "2024-01-05 08:03:01" },
        { 45296.3354296875, false, "2024-01-05 08:03:01.125" },
        { 0, true, "1904-01-01 00:00:00" },
        { 2958465.999988426, false, "9999-12-31 23:59:59" },
        { 60 + 1.0 / 3, false, "1900-02-28 08:00:00" },
    };
    struct buffer out;
    enum cell_kind kind;
    buffer_init(&out, 256);
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        buffer_clear(&out);
        assert_true(
            excel_write_time(days[i].serial, EXCEL_DATE_TIME, days[i].from_1904, &out, &kind));
        assert_str_equal(buffer_str(&out), str_from_c(days[i].text));
        assert_int_equal(kind, CELL_TIME);
    }
    assert_false(excel_write_time(-1, EXCEL_DATE, false, &out, &kind));
    assert_false(excel_write_time(2958466, EXCEL_DATE, false, &out, &kind));
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_of_another_writer),
        cmocka_unit_test(detects_sheets_and_header),
        cmocka_unit_test(reads_what_writers_do_not_write),
        cmocka_unit_test(refuses_rows_alone),
        cmocka_unit_test(tells_damage),
        cmocka_unit_test(refuses_bombs),
        cmocka_unit_test(tells_what_it_is_not),
        cmocka_unit_test(knows_formats),
        cmocka_unit_test(knows_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
