/* SPDX-License-Identifier: Apache-2.0 */
/* excel: the reader of one sheet. Expat is stopped behind each row and goes on from there. */
#include <stdio.h>
#include <string.h>

#include "table/decimal.h"
#include "table/excel.h"
#include "table/excel_inside.h"
#include "table/temporary.h"

/* What a cell says of its own kind (attribute t). */
enum type { TYPE_NUMBER, TYPE_SHARED, TYPE_TEXT, TYPE_BOOL, TYPE_ERROR, TYPE_DATE };
#define SHARED SIZE_MAX
enum collect { COLLECT_NOTHING, COLLECT_VALUE, COLLECT_TEXT, COLLECT_FORMULA };

struct excel {
    struct excel_book book;
    struct excel_xml xml;
    bool open;
    /* The row: */
    uint32_t row, column_next, count;
    bool row_ready, held; /* held: found while opening, given by the next call */
    bool too_many, bad_string, nomem;
    struct table_cell *cells;
    size_t *offsets;    /* of the cells' texts in `text`, which moves while it grows; or SHARED */
    struct buffer text; /* values of the row */
    struct buffer number;
    struct buffer raw;
    /* The cell: */
    uint32_t column, style;
    enum type type;
    enum collect collect;
    unsigned in_phonetic;
    size_t value_begin; /* in `text` */
    bool has_value;
    size_t formula_begin;
    bool has_formula;
    struct buffer formula;
};

/* ---- values ---- */

static void set_cell(struct excel *excel, enum cell_kind kind, size_t begin, size_t size)
{
    uint32_t column = excel->column;
    if (size == 0)
        return;
    if (column >= TABLE_COLUMNS_MAX) {
        excel->too_many = true;
        return;
    }
    while (excel->count <= column)
        excel->cells[excel->count++] = (struct table_cell){ .kind = CELL_EMPTY };
    excel->offsets[column] = begin;
    excel->cells[column] = (struct table_cell){ .kind = kind, .text = { .size = size } };
}

static void set_shared(struct excel *excel, str number)
{
    uint64_t index;
    if (!str_to_uint64(str_trim(number), &index) ||
        index >= excel_book_string_count(&excel->book)) {
        excel->bad_string = true;
        return;
    }
    str text = excel_book_string(&excel->book, (uint32_t)index);
    set_cell(excel, CELL_TEXT, SHARED, text.size);
    if (text.size > 0 && excel->column < TABLE_COLUMNS_MAX)
        excel->cells[excel->column].text = text;
}

/* Put what was made into the row's text, in place of the value as it stands in the file. */
static void replace_value(struct excel *excel, enum cell_kind kind, str text)
{
    excel->text.size = excel->value_begin;
    buffer_append_str(&excel->text, text);
    set_cell(excel, kind, excel->value_begin, text.size);
}

/* A double written with 17 digits (19.899999999999999) becomes the shortest that is the same (19.9). */
static bool shorten(struct excel *excel, str text, struct decimal *decimal)
{
    double value;
    struct json_writer writer;
    if (decimal->count < 16 || !str_to_double(text, &value))
        return true;
    buffer_clear(&excel->number);
    json_writer_init(&writer, &excel->number);
    json_put_double(&writer, value);
    return decimal_parse(buffer_str(&excel->number), decimal);
}

/* Digits, a point, a sign, and few of them: nothing to work out. */
static bool is_short_number(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((text.data[i] < '0' || text.data[i] > '9') && text.data[i] != '.' &&
            text.data[i] != '-')
            return false;
    return text.size <= 15 && text.data[0] != '.' && text.data[text.size - 1] != '.';
}

static void set_number(struct excel *excel, str text)
{
    struct decimal decimal;
    if (is_short_number(text)) {
        set_cell(excel, CELL_NUMBER, excel->value_begin, text.size);
    } else if (!decimal_parse(text, &decimal)) {
        set_cell(excel, CELL_TEXT, excel->value_begin, text.size);
    } else if (decimal_is_rounded_by_excel(&decimal)) {
        set_cell(excel, CELL_LOST, excel->value_begin, text.size);
    } else if (shorten(excel, text, &decimal)) {
        buffer_clear(&excel->number);
        if (decimal_write(&decimal, &excel->number))
            replace_value(excel, CELL_NUMBER, buffer_str(&excel->number));
        else
            set_cell(excel, CELL_NUMBER, excel->value_begin, text.size);
    }
}

static void set_time(struct excel *excel, str text, enum excel_class class)
{
    double serial;
    enum cell_kind kind;
    struct decimal decimal;
    buffer_clear(&excel->number);
    if (decimal_parse(text, &decimal) && str_to_double(text, &serial) &&
        excel_write_time(serial, class, excel->book.from_1904, &excel->number, &kind))
        replace_value(excel, kind, buffer_str(&excel->number));
    else
        set_number(excel, text);
}

/* 2024-01-05T08:03:01: local unless it has a zone. */
static void set_iso_time(struct excel *excel, str text)
{
    bool zone = text.size > 0 && (text.data[text.size - 1] == 'Z' ||
                                  (text.size > 19 && memchr(text.data + 19, '+', text.size - 19)));
    if (text.size > 10 && text.data[10] == 'T' && !zone)
        excel->text.data[excel->value_begin + 10] = ' ';
    set_cell(excel, CELL_TIME, excel->value_begin, text.size);
}

/* A formula that was never calculated has no value: what it says is told, not worked out. */
static void set_formula(struct excel *excel)
{
    excel->value_begin = excel->text.size;
    buffer_append_byte(&excel->text, '=');
    buffer_append_str(&excel->text, buffer_str(&excel->formula));
    set_cell(excel, CELL_LOST, excel->value_begin, excel->text.size - excel->value_begin);
}

static void set_text(struct excel *excel, str text)
{
    char *begin = excel->text.data + excel->value_begin;
    size_t size = text.size;
    if (memmem(begin, size, "_x", 2) != NULL) {
        size = excel_unescape(begin, size);
        excel->text.size = excel->value_begin + size;
    }
    set_cell(excel, CELL_TEXT, excel->value_begin, size);
}

static void end_cell(struct excel *excel)
{
    str text = str_slice(buffer_str(&excel->text), excel->value_begin, excel->text.size);
    if (excel->text.failed)
        return;
    if (!excel->has_value || text.size == 0) {
        if (excel->has_formula && excel->type != TYPE_TEXT && excel->formula.size > 0)
            set_formula(excel);
        return;
    }
    enum excel_class class = excel_book_class(&excel->book, excel->style);
    switch (excel->type) {
    case TYPE_SHARED:
        set_shared(excel, text);
        break;
    case TYPE_TEXT:
        set_text(excel, text);
        break;
    case TYPE_BOOL:
        replace_value(excel, CELL_BOOL, text.data[0] == '1' ? STR("true") : STR("false"));
        break;
    case TYPE_ERROR:
        set_cell(excel, CELL_LOST, excel->value_begin, text.size);
        break;
    case TYPE_DATE:
        set_iso_time(excel, text);
        break;
    case TYPE_NUMBER:
        if (class != EXCEL_NUMBER)
            set_time(excel, text, class);
        else
            set_number(excel, text);
        break;
    }
}

/* ---- tags ---- */

static uint32_t number_of(const char *text, uint32_t otherwise)
{
    uint64_t number = 0;
    if (text == NULL || !str_to_uint64(str_from_c(text), &number) || number > INT32_MAX)
        return otherwise;
    return (uint32_t)number;
}

/* "AB12" is column 27; what is none comes after the cell before. */
static uint32_t column_of(const char *reference, uint32_t otherwise)
{
    uint32_t column = 0;
    if (reference == NULL)
        return otherwise;
    for (; *reference >= 'A' && *reference <= 'Z'; reference++) {
        if (column > 100000)
            return otherwise;
        column = column * 26 + (uint32_t)(*reference - 'A' + 1);
    }
    return column > 0 ? column - 1 : otherwise;
}

static enum type type_of(const char *text)
{
    static const struct {
        const char *name;
        enum type type;
    } types[] = { { "s", TYPE_SHARED }, { "str", TYPE_TEXT }, { "inlineStr", TYPE_TEXT },
                  { "b", TYPE_BOOL },   { "e", TYPE_ERROR },  { "d", TYPE_DATE } };
    for (size_t i = 0; text != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, text) == 0)
            return types[i].type;
    return TYPE_NUMBER;
}

static void begin_row(struct excel *excel, const XML_Char **attributes)
{
    uint32_t row = number_of(excel_attribute(attributes, "r"), excel->row + 1);
    excel->row = row > excel->row ? row : excel->row + 1;
    excel->column_next = 0;
    excel->count = 0;
    excel->too_many = excel->bad_string = excel->nomem = false;
    buffer_clear(&excel->text);
}

/* Most of a sheet is cells: their attributes (r, t, s) have one letter and no prefix. */
static void begin_cell(struct excel *excel, const XML_Char **attributes)
{
    const char *place = NULL, *type = NULL, *style = NULL;
    for (; attributes[0] != NULL; attributes += 2) {
        if (attributes[0][1] != '\0')
            continue;
        if (attributes[0][0] == 'r')
            place = attributes[1];
        else if (attributes[0][0] == 't')
            type = attributes[1];
        else if (attributes[0][0] == 's')
            style = attributes[1];
    }
    excel->column = column_of(place, excel->column_next);
    excel->column_next = excel->column + 1;
    excel->type = type_of(type);
    excel->style = style != NULL ? number_of(style, 0) : 0;
    excel->value_begin = excel->text.size;
    excel->has_value = excel->has_formula = false;
    excel->in_phonetic = 0;
    buffer_clear(&excel->formula);
}

/* Without the prefix of a namespace; c, v, t and f mostly have none. */
static const char *local_name(const char *name)
{
    const char *colon = name[0] != '\0' && name[1] != '\0' ? strchr(name, ':') : NULL;
    return colon != NULL ? colon + 1 : name;
}

static void begin_tag(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct excel *excel = ((struct excel_xml *)context)->context;
    name = local_name(name);
    if (strcmp(name, "c") == 0) {
        begin_cell(excel, attributes);
    } else if (strcmp(name, "v") == 0) {
        excel->collect = COLLECT_VALUE;
        excel->has_value = true;
    } else if (strcmp(name, "row") == 0) {
        begin_row(excel, attributes);
    } else if (strcmp(name, "t") == 0 && excel->in_phonetic == 0) {
        excel->collect = COLLECT_TEXT;
        excel->has_value = true;
    } else if (strcmp(name, "rPh") == 0) {
        excel->in_phonetic++;
    } else if (strcmp(name, "f") == 0) {
        excel->collect = COLLECT_FORMULA;
        excel->has_formula = true;
    }
}

static void end_tag(void *context, const XML_Char *name)
{
    struct excel *excel = ((struct excel_xml *)context)->context;
    name = local_name(name);
    excel->collect = COLLECT_NOTHING;
    if (strcmp(name, "c") == 0) {
        end_cell(excel);
        excel->nomem |= excel->number.nomem || excel->formula.nomem || excel->text.nomem;
    } else if (strcmp(name, "row") == 0) {
        excel->row_ready = true;
        excel_xml_suspend(&excel->xml);
    } else if (strcmp(name, "rPh") == 0) {
        excel->in_phonetic -= excel->in_phonetic > 0;
    } else if (strcmp(name, "sheetData") == 0) {
        /* What follows is layout. */
        excel->xml.ended = true;
        excel_xml_suspend(&excel->xml);
    }
}

static void take_text(void *context, const XML_Char *text, int size)
{
    struct excel *excel = ((struct excel_xml *)context)->context;
    if (excel->collect == COLLECT_VALUE || excel->collect == COLLECT_TEXT)
        buffer_append(&excel->text, text, (size_t)size);
    else if (excel->collect == COLLECT_FORMULA)
        buffer_append(&excel->formula, text, (size_t)size);
}

/* ---- rows ---- */

/* Offsets become pointers. */
static void settle_cells(struct excel *excel)
{
    for (uint32_t i = 0; i < excel->count; i++)
        if (excel->cells[i].text.size > 0 && excel->offsets[i] != SHARED)
            excel->cells[i].text.data = excel->text.data + excel->offsets[i];
}

static err write_raw(struct excel *excel, struct table_row *row, struct problem *problem)
{
    buffer_clear(&excel->raw);
    for (uint32_t i = 0; i < excel->count && excel->raw.size < TABLE_RAW_BYTES_MAX; i++) {
        if (i > 0)
            buffer_append_byte(&excel->raw, '\t');
        str text = excel->cells[i].text;
        size_t room = TABLE_RAW_BYTES_MAX + 1 - excel->raw.size;
        buffer_append_str(&excel->raw, str_slice(text, 0, str_utf8_prefix_bytes(text, room)));
    }
    row->raw = buffer_str(&excel->raw);
    if (excel->raw.nomem)
        return problem_set(problem, ERR_NOMEM, "no memory for a row of the sheet");
    return ERR_OK;
}

/* The next row that has a value, or that cannot be read. */
static err find_row(struct table *table, struct problem *problem)
{
    struct excel *excel = table->state;
    if (excel->held) {
        excel->held = false;
        return ERR_OK;
    }
    for (;;) {
        excel->row_ready = false;
        if (excel->xml.ended)
            return ERR_NOT_FOUND;
        err error = excel_xml_run(&excel->xml, problem);
        if (error != ERR_OK)
            return error;
        if (!excel->row_ready)
            continue;
        if (excel->nomem)
            return problem_set(problem, ERR_NOMEM, "no memory for a row of the sheet");
        bool failed = excel->text.failed || excel->too_many || excel->bad_string;
        if (!excel->text.failed)
            settle_cells(excel);
        if (failed || excel->count > 0)
            return ERR_OK;
    }
}

static err refuse(struct excel *excel, struct table_row *row, const char *why, const char *cure,
                  struct problem *problem)
{
    problem_set(problem, ERR_INVALID, "row %llu (row %u of the sheet) %s",
                (unsigned long long)row->number, excel->row, why);
    problem_hint(problem, ERR_INVALID, "%s", cure);
    if (excel->text.failed)
        excel->count = 0;
    err error = write_raw(excel, row, problem);
    row->cells = NULL;
    row->cell_count = 0;
    return error == ERR_OK ? ERR_INVALID : error;
}

static bool has_large_cell(const struct excel *excel)
{
    for (uint32_t i = 0; i < excel->count; i++)
        if (excel->cells[i].text.size > TABLE_CELL_BYTES_MAX)
            return true;
    return false;
}

static err check_row(struct excel *excel, struct table_row *row, struct problem *problem)
{
    if (excel->text.failed)
        return refuse(excel, row, "has more than 16 MB", "is it one row?", problem);
    if (excel->too_many)
        return refuse(excel, row, "has values in more than 2,000 columns",
                      "leave columns out of the export", problem);
    if (excel->bad_string)
        return refuse(excel, row, "names a text that the file does not have",
                      "open the file in Excel and save it again", problem);
    if (has_large_cell(excel))
        return refuse(excel, row, "has a cell of more than 4 MB", "leave that column out", problem);
    return ERR_OK;
}

static err excel_next(struct table *table, struct table_row *row, struct problem *problem)
{
    struct excel *excel = table->state;
    err error = find_row(table, problem);
    if (error != ERR_OK)
        return error;
    row->number = ++table->number;
    row->line = excel->row;
    error = check_row(excel, row, problem);
    if (error != ERR_OK)
        return error;
    error = write_raw(excel, row, problem);
    if (error != ERR_OK)
        return error;
    row->cells = excel->cells;
    row->cell_count = excel->count;
    if (footer_is(row->cells, row->cell_count, table->names.count)) {
        row->footer = true;
        return refuse(excel, row, "is a closing line of the sheet, not data", "", problem);
    }
    return ERR_OK;
}

static err excel_skip(struct table *table, uint64_t number, struct problem *problem)
{
    while (table->number < number) {
        err error = find_row(table, problem);
        if (error == ERR_NOT_FOUND)
            return ERR_OK;
        if (error != ERR_OK)
            return error;
        table->number++;
    }
    return ERR_OK;
}

static uint64_t excel_bytes_read(const struct table *table)
{
    const struct excel *excel = table->state;
    double share = excel->xml.size_bytes > 0
                       ? (double)excel->xml.read_bytes / (double)excel->xml.size_bytes
                       : 0;
    if (excel->xml.ended)
        share = 1;
    return (uint64_t)(share * (double)table->bytes_total);
}

/* ---- opening ---- */

static err read_header(struct table *table, struct problem *problem)
{
    struct excel *excel = table->state;
    err error = ERR_OK;
    while (error == ERR_OK && excel->row < table->form.header_row)
        error = find_row(table, problem);
    if (error != ERR_OK)
        return error == ERR_NOT_FOUND ? ERR_OK : error;
    struct table_row row = { .number = 0 };
    if (excel->row == table->form.header_row) {
        error = check_row(excel, &row, problem);
        if (error != ERR_OK)
            return error == ERR_INVALID ? ERR_UNPROCESSABLE : error;
        return names_add_cells(&table->names, excel->cells, excel->count, problem);
    }
    problem_set(problem, ERR_UNPROCESSABLE,
                "row %u of the sheet, which should have the names of the columns, is empty",
                table->form.header_row);
    return problem_hint(problem, ERR_UNPROCESSABLE, "choose the row that has the names, or 0");
}

/* As many as the first row has; it is given as data. */
static err count_columns(struct table *table, struct problem *problem)
{
    struct excel *excel = table->state;
    err error = find_row(table, problem);
    if (error != ERR_OK)
        return error == ERR_NOT_FOUND ? ERR_OK : error;
    excel->held = true;
    return names_add_numbered(&table->names, excel->count, problem);
}

static err open_sheet(struct table *table, struct problem *problem)
{
    struct excel *excel = table->state;
    if (table->form.sheet >= excel->book.sheet_count) {
        problem_set(problem, ERR_UNPROCESSABLE, "the Excel file has %u sheets, none has number %u",
                    excel->book.sheet_count, table->form.sheet);
        return problem_hint(problem, ERR_UNPROCESSABLE, "they are counted from 0");
    }
    err error = excel_xml_open(&excel->xml, excel->book.zip,
                               excel->book.sheets[table->form.sheet].part, excel, problem);
    if (error == ERR_NOT_FOUND)
        return ERR_UNPROCESSABLE;
    if (error != ERR_OK)
        return error;
    XML_SetElementHandler(excel->xml.parser, begin_tag, end_tag);
    XML_SetCharacterDataHandler(excel->xml.parser, take_text);
    return ERR_OK;
}

static void excel_close(struct table *table)
{
    struct excel *excel = table->state;
    if (excel == NULL)
        return;
    excel_xml_close(&excel->xml);
    if (excel->open)
        excel_book_close(&excel->book);
    buffer_deinit(&excel->text);
    buffer_deinit(&excel->raw);
    buffer_deinit(&excel->formula);
    buffer_deinit(&excel->number);
    memory_free(excel->cells);
    memory_free(excel->offsets);
    memory_free(excel);
    table->state = NULL;
}

/* A packed Excel file is unpacked first: a zip is read from its end. */
static err open_book(struct table *table, struct problem *problem)
{
    struct excel *excel = table->state;
    char unpacked[TEMPORARY_PATH_BYTES];
    const char *path = table->path;
    err error = ERR_OK;
    if (table->form.packing != TABLE_PLAIN) {
        error = temporary_unpack(path, table->form.packing, &table->temporary, problem);
        if (error != ERR_OK)
            return error;
        temporary_path(table->temporary, unpacked);
        path = unpacked;
    }
    error = excel_book_open(&excel->book, path, problem);
    excel->open = error == ERR_OK;
    return error == ERR_OK ? excel_book_load(&excel->book, problem) : error;
}

static err excel_open(struct table *table, struct problem *problem)
{
    struct excel *excel = memory_alloc(sizeof(*excel));
    if (excel == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read the file");
    table->state = excel;
    buffer_init(&excel->text, TABLE_ROW_BYTES_MAX);
    buffer_init(&excel->raw, 2 * TABLE_RAW_BYTES_MAX);
    buffer_init(&excel->formula, 65536);
    buffer_init(&excel->number, 2 * DECIMAL_DIGITS_MAX);
    excel->cells = memory_alloc(TABLE_COLUMNS_MAX * sizeof(struct table_cell));
    excel->offsets = memory_alloc(TABLE_COLUMNS_MAX * sizeof(size_t));
    err error = excel->cells != NULL && excel->offsets != NULL
                    ? ERR_OK
                    : problem_set(problem, ERR_NOMEM, "no memory to read the file");
    if (error == ERR_OK)
        error = open_book(table, problem);
    if (error == ERR_OK)
        error = open_sheet(table, problem);
    if (error == ERR_OK && table->form.header_row > 0)
        error = read_header(table, problem);
    else if (error == ERR_OK)
        error = count_columns(table, problem);
    if (error != ERR_OK)
        excel_close(table);
    return error;
}

const struct reader xlsx_reader = {
    .open = excel_open,
    .close = excel_close,
    .next = excel_next,
    .skip = excel_skip,
    .bytes_read = excel_bytes_read,
};
