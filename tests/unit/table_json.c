/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: shapes of files, cells, numbers, damage; random objects against base/json.h. */
#include <math.h>

#include "table_file.h"

static void assert_read(str bytes, const char *expected)
{
    char path[512];
    struct buffer actual;
    buffer_init(&actual, 1 << 20);
    write_file(path, "file.jsonl", bytes);
    for (size_t piece = 0; piece < 24; piece++) {
        buffer_clear(&actual);
        read_all(path, piece, &actual);
        assert_str_equal(buffer_str(&actual), str_from_c(expected));
    }
    remove_file(path);
    buffer_deinit(&actual);
}

static void reads_lines(void **state)
{
    (void)state;
    assert_read(
        STR("\xEF\xBB\xBF{\"id\":1234567890123456789012345,\"traits\":{\"phone\":\"138\",\"deep\":{\"x\":true}},"
            "\"list\":[1, {\"a\":\"]}\"}]}\r\n"
            "\n  \t\n"
            "{ \"id\" : -0.50 , \"name\":\"a\\n\\u4e2d\\ud83d\\ude00\\/\", \"traits\":null}\n"
            "{\"traits\":{\"phone\":\"\"},\"id\":1e3,\"new\":{},\"list\":[]}"),
        "[\"id\",\"traits.phone\",\"traits.deep.x\",\"list\",\"name\",\"traits\"]\n"
        "[1,1,[{\"n\":\"1234567890123456789012345\"},\"138\",{\"b\":\"true\"},{\"j\":\"[1, {\\\"a\\\":\\\"]}\\\"}]\"},\"\",\"\"]]\n"
        "[2,4,[{\"n\":\"-0.50\"},\"\",\"\",\"\",\"a\\n中😀/\",\"\"]]\n"
        "[3,5,[{\"n\":\"1000\"},\"\",\"\",{\"j\":\"[]\"},\"\",\"\"]]\n");
}

static void reads_a_list(void **state)
{
    (void)state;
    assert_read(
        STR(" [\n  {\n    \"a\": \"x\\\"]\",\n    \"b\": [1,\n2]\n  },\n\n  {\"a\":\"y\"}, {\"a\":{\"c\":1}}\n]\n"),
        "[\"a\",\"b\",\"a.c\"]\n"
        "[1,2,[\"x\\\"]\",{\"j\":\"[1,\\n2]\"},\"\"]]\n"
        "[2,8,[\"y\",\"\",\"\"]]\n"
        "[3,8,[\"\",\"\",{\"n\":\"1\"}]]\n");
    assert_read(STR("[]"), "[]\n");
    assert_read(STR("[{\"a\":1},{\"a\":2}"),
                "[\"a\"]\n[1,1,[{\"n\":\"1\"}]]\n[2,1,[{\"n\":\"2\"}]]\n"
                "! the file breaks off: its list has no ']' at the end\n");
    assert_read(
        STR("[{\"a\":1},{\"a\":"),
        "[\"a\"]\n[1,1,[{\"n\":\"1\"}]]\n[2,1,\"row 2 (line 1): the file ends within it\"]\n"
        "! the file breaks off: its list has no ']' at the end\n");
    assert_read(STR("[{\"a\":1},2,\"x,]\",{\"a\":3}}]"),
                "[\"a\"]\n[1,1,[{\"n\":\"1\"}]]\n"
                "[2,1,\"row 2 (line 1): not valid JSON at byte 0: a row is an object, {…}\"]\n"
                "[3,1,\"row 3 (line 1): not valid JSON at byte 0: a row is an object, {…}\"]\n"
                "[4,1,[{\"n\":\"3\"}]]\n"
                "[5,1,\"row 5 (line 1): not valid JSON at byte 0: a row is an object, {…}\"]\n");
}

static void tells_what_numbers_have_lost(void **state)
{
    (void)state;
    assert_read(
        STR("{\"n\":9007199254740993,\"e\":1.5E-3,\"f\":1.23e+17,\"g\":1e400,\"h\":-2.50E1}\n"),
        "[\"n\",\"e\",\"f\",\"g\",\"h\"]\n"
        "[1,1,[{\"n\":\"9007199254740993\"},{\"n\":\"0.0015\"},{\"x\":\"1.23e+17\"},{\"x\":\"1e400\"},{\"n\":\"-25\"}]]\n");
}

static void refuses_bad_lines(void **state)
{
    (void)state;
    assert_read(
        STR("{\"a\":\"good\"}\n{\"a\":}\n{\"a\":1} x\n{\"a\":\"\\x\"}\n{\"a\":\"\\ud800\"}\n{\"a\":\"\\u0000\"}\n"
            "{\"a\":01}\n{\"a\":1,}\n[1]\n{\"a\":\"\x01\"}\n{\"a\n{\"a\":\"\xFF\"}\n{\"a\":tru}\n{\"a\":\"last\"}\n"),
        "[\"a\"]\n[1,1,[\"good\"]]\n"
        "[2,2,\"row 2 (line 2): not valid JSON at byte 5: not a value\"]\n"
        "[3,3,\"row 3 (line 3): not valid JSON at byte 8: something follows the object\"]\n"
        "[4,4,\"row 4 (line 4): not valid JSON at byte 7: an escape that JSON does not have\"]\n"
        "[5,5,\"row 5 (line 5): not valid JSON at byte 12: half a surrogate pair\"]\n"
        "[6,6,\"row 6 (line 6): not valid JSON at byte 12: a NUL in a text\"]\n"
        "[7,7,\"row 7 (line 7): not valid JSON at byte 5: a number with a leading zero\"]\n"
        "[8,8,\"row 8 (line 8): not valid JSON at byte 7: a key is missing\"]\n"
        "[9,9,\"row 9 (line 9): not valid JSON at byte 0: a row is an object, {…}\"]\n"
        "[10,10,\"row 10 (line 10): not valid JSON at byte 6: a control character in a text\"]\n"
        "[11,11,\"row 11 (line 11): not valid JSON at byte 3: a text that does not end\"]\n"
        "[12,12,\"row 12 (line 12): bytes that are no text, at byte 6 of the row\"]\n"
        "[13,13,\"row 13 (line 13): not valid JSON at byte 5: not a value\"]\n"
        "[14,14,[\"last\"]]\n");
}

/* JSON is UTF-8; what is not all the same is read. */
static void reads_other_encodings(void **state)
{
    (void)state;
    assert_read(STR("\xFF\xFE{\0\"\0a\0\"\0:\0\"\0\x2D\x4E\"\0}\0\n\0"),
                "[\"a\"]\n[1,1,[\"中\"]]\n");
    assert_read(
        STR("{\"\xD0\xD5\xC3\xFB\":\"\xCD\xF5\xB7\xBC\"}\n{\"\xD0\xD5\xC3\xFB\":\"\xC0\xEE\xCE\xB0\"}\n"),
        "[\"姓名\"]\n[1,1,[\"王芳\"]]\n[2,2,[\"李伟\"]]\n");
}

/* Keys of the first 1,000 rows are columns from the beginning; later ones come to them. */
static void grows_columns(void **state)
{
    (void)state;
    struct buffer bytes;
    char path[512];
    struct table *table = NULL;
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    buffer_init(&bytes, 1 << 20);
    for (int i = 1; i <= 1100; i++)
        buffer_printf(&bytes, "{\"n\":%d%s%s}\n", i, i == 1000 ? ",\"early\":1" : "",
                      i == 1050 ? ",\"late\":{\"x\":2}" : "");
    write_file(path, "file.jsonl", buffer_str(&bytes));
    struct table_config config = { .path = path, .form = { .format = TABLE_JSONL } };
    assert_ok(table_open(&table, &config, &problem));
    assert_int_equal(table_column_count(table), 2);
    assert_ok(table_skip_to(table, 1049, &problem));
    assert_ok(table_next(table, &row, &problem));
    assert_int_equal(row.number, 1049);
    assert_int_equal(row.cell_count, 2);
    assert_ok(table_next(table, &row, &problem));
    assert_int_equal(row.cell_count, 3);
    assert_str_equal(table_column_name(table, 2), STR("late.x"));
    assert_str_equal(row.cells[2].text, STR("2"));
    assert_ok(table_next(table, &row, &problem));
    assert_int_equal(row.cells[2].kind, CELL_EMPTY);
    table_close(&table);
    remove_file(path);
    buffer_deinit(&bytes);
}

/* Objects whose keys are ids would make a column each. */
static void limits_keys(void **state)
{
    (void)state;
    struct buffer bytes;
    char path[512];
    struct table *table = NULL;
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    buffer_init(&bytes, 1 << 20);
    for (int i = 0; i < 3000; i++)
        buffer_printf(&bytes, "{\"k%d\":1}\n", i);
    buffer_append_str(&bytes, STR("{\"k7\":8}\n"));
    write_file(path, "file.jsonl", buffer_str(&bytes));
    struct table_config config = { .path = path, .form = { .format = TABLE_JSONL } };
    assert_ok(table_open(&table, &config, &problem));
    uint64_t fine = 0, refused = 0;
    err error;
    while ((error = table_next(table, &row, &problem)) != ERR_NOT_FOUND) {
        assert_true(error == ERR_OK || error == ERR_INVALID);
        fine += error == ERR_OK;
        refused += error == ERR_INVALID;
    }
    assert_int_equal(fine, TABLE_COLUMNS_MAX + 1);
    assert_int_equal(refused, 1000);
    assert_int_equal(table_column_count(table), TABLE_COLUMNS_MAX);
    table_close(&table);
    remove_file(path);
    buffer_deinit(&bytes);
}

static void refuses_large_rows(void **state)
{
    (void)state;
    char path[512];
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    char *chunk = memory_alloc(1 << 20);
    assert_non_null(chunk);
    memset(chunk, 'x', 1 << 20);
    for (int list = 0; list < 2; list++) {
        struct table *table = NULL;
        write_file(path, "large.jsonl",
                   list ? STR("[{\"a\":1},\n{\"a\":\"") : STR("{\"a\":1}\n{\"a\":\""));
        FILE *file = fopen(path, "ae");
        assert_non_null(file);
        for (int i = 0; i < 60; i++)
            fwrite(chunk, 1, 1 << 20, file);
        fputs(list ? "\"},{\"a\":2}]" : "\"}\n{\"a\":2}\n", file);
        fclose(file);
        struct table_config config = { .path = path, .form = { .format = TABLE_JSONL } };
        assert_ok(table_open(&table, &config, &problem));
        assert_ok(table_next(table, &row, &problem));
        assert_err(table_next(table, &row, &problem), ERR_INVALID);
        assert_int_equal(row.line, 2);
        assert_non_null(strstr(problem.detail, "more than 16 MB"));
        assert_true(row.raw.size <= TABLE_RAW_BYTES_MAX);
        assert_ok(table_next(table, &row, &problem));
        assert_str_equal(row.cells[0].text, STR("2"));
        assert_err(table_next(table, &row, &problem), ERR_NOT_FOUND);
        table_close(&table);
        remove_file(path);
    }
    memory_free(chunk);
}

/* ---- against the other reader of JSON ---- */

static uint64_t seed;
static uint64_t roll(uint64_t sides)
{
    uint64_t z = (seed += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % sides;
}

static void random_text(struct buffer *out)
{
    static const char *const pieces[] = { "a", "\\n", "\\\"", "中", "\\u00e9", "\\ud83d\\ude00",
                                          "}", "]",   ",",    ":",  "{",       " ",
                                          "0" };
    buffer_append_byte(out, '"');
    for (uint64_t i = roll(6); i > 0; i--)
        buffer_append_str(out, str_from_c(pieces[roll(sizeof(pieces) / sizeof(pieces[0]))]));
    buffer_append_byte(out, '"');
}

static void random_value(struct buffer *out, unsigned depth)
{
    static const char *const words[] = { "true", "false", "null", "0",
                                         "-1",   "12.50", "1e2",  "9007199254740993" };
    uint64_t kind = roll(depth < 3 ? 6 : 4);
    if (kind < 2) {
        random_text(out);
    } else if (kind < 4) {
        buffer_append_str(out, str_from_c(words[roll(sizeof(words) / sizeof(words[0]))]));
    } else {
        bool object = kind == 5;
        uint64_t count = roll(4);
        buffer_append_byte(out, object ? '{' : '[');
        for (uint64_t i = 0; i < count; i++) {
            if (i > 0)
                buffer_append_byte(out, ',');
            if (object)
                buffer_printf(out, "\"k%llu\": ", (unsigned long long)i);
            random_value(out, depth + 1);
        }
        buffer_append_byte(out, object ? '}' : ']');
    }
}

static const struct table_cell *cell_of(const struct table *table, const struct table_row *row,
                                        const char *name)
{
    for (uint32_t i = 0; i < row->cell_count; i++)
        if (str_equal(table_column_name(table, i), str_from_c(name)))
            return &row->cells[i];
    return NULL;
}

/* Every value of the object stands in the cell of its dotted name. */
static uint32_t compare(const struct table *table, const struct table_row *row, json_value object,
                        const char *prefix)
{
    struct json_iterator members = json_iterate(object);
    str key;
    json_value value;
    uint32_t filled = 0;
    while (json_next(&members, &key, &value)) {
        char name[256];
        snprintf(name, sizeof(name), "%s%s" STR_FMT, prefix, prefix[0] != '\0' ? "." : "",
                 STR_ARG(key));
        if (json_kind(value) == JSON_OBJECT) {
            filled += compare(table, row, value, name);
            continue;
        }
        const struct table_cell *cell = cell_of(table, row, name);
        assert_non_null(cell);
        double number = 0;
        switch (json_kind(value)) {
        case JSON_TEXT:
            assert_str_equal(cell->text, json_text(value));
            break;
        case JSON_BOOL:
            assert_str_equal(cell->text, json_bool(value, false) ? STR("true") : STR("false"));
            break;
        case JSON_INT:
        case JSON_DOUBLE:
            assert_int_equal(cell->kind, CELL_NUMBER);
            assert_true(str_to_double(cell->text, &number) &&
                        fabs(number - json_double(value, (double)NAN)) < 1e-9);
            break;
        case JSON_ARRAY:
            assert_int_equal(cell->kind, CELL_JSON);
            break;
        case JSON_NULL:
        case JSON_MISSING:
        case JSON_OBJECT:
            assert_int_equal(cell->kind, CELL_EMPTY);
            break;
        }
        filled += cell->text.size > 0;
    }
    return filled;
}

static void agrees_with_the_other_reader(void **state)
{
    (void)state;
    const char *given = getenv("KITH_SEED");
    seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    print_message("seed %llu (KITH_SEED)\n", (unsigned long long)seed);
    struct buffer bytes;
    struct json_parser *parser = NULL;
    char path[512];
    buffer_init(&bytes, 1 << 22);
    assert_ok(json_parser_new(&parser, 1 << 20));
    for (int i = 0; i < 3000; i++) {
        buffer_append_str(&bytes, STR("{\"a\":"));
        random_value(&bytes, 0);
        buffer_append_str(&bytes, STR(",\"b\":"));
        random_value(&bytes, 1);
        buffer_append_str(&bytes, STR("}\n"));
    }
    write_file(path, "random.jsonl", buffer_str(&bytes));
    struct table *table = NULL;
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    struct table_config config = { .path = path, .form = { .format = TABLE_JSONL } };
    assert_ok(table_open_in_pieces(&table, &config, 777, &problem));
    for (int i = 0; i < 3000; i++) {
        json_value root;
        if (table_next(table, &row, &problem) != ERR_OK)
            fail_msg("%s", problem.detail);
        assert_ok(json_parse(parser, row.raw, &root, &problem));
        uint32_t filled = 0;
        for (uint32_t k = 0; k < row.cell_count; k++)
            filled += row.cells[k].text.size > 0;
        assert_int_equal(compare(table, &row, root, ""), filled);
    }
    assert_err(table_next(table, &row, &problem), ERR_NOT_FOUND);
    table_close(&table);
    json_parser_free(&parser);
    buffer_deinit(&bytes);
    remove_file(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(reads_a_list),
        cmocka_unit_test(tells_what_numbers_have_lost),
        cmocka_unit_test(refuses_bad_lines),
        cmocka_unit_test(reads_other_encodings),
        cmocka_unit_test(grows_columns),
        cmocka_unit_test(limits_keys),
        cmocka_unit_test(refuses_large_rows),
        cmocka_unit_test(agrees_with_the_other_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
