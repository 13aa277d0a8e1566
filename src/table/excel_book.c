/* SPDX-License-Identifier: Apache-2.0 */
/* excel_book: sheets, shared strings and styles of an Excel file. */
#include <stdio.h>
#include <string.h>

#include "table/excel.h"
#include "table/excel_inside.h"

#define ENTRIES_MAX 100000

static err refuse_memory(struct problem *problem)
{
    return problem_set(problem, ERR_NOMEM, "no memory to read the Excel file");
}

/* ---- what kind of zip ---- */

static bool has_part(zip_t *zip, const char *part)
{
    return zip_name_locate(zip, part, ZIP_FL_NOCASE) >= 0;
}

static err refuse_zip(zip_t *zip, struct problem *problem)
{
    const char *what = "a zip archive", *cure = "unpack it and give the file inside";
    if (has_part(zip, "xl/workbook.bin")) {
        what = "a binary Excel file (xlsb)";
        cure = "save it in Excel as xlsx or CSV (UTF-8)";
    } else if (has_part(zip, "content.xml")) {
        what = "an OpenDocument file (ods)";
        cure = "save it as xlsx or CSV (UTF-8)";
    } else if (has_part(zip, "word/document.xml")) {
        what = "a Word document";
        cure = "export the table itself as xlsx or CSV";
    } else if (has_part(zip, "Index/Document.iwa")) {
        what = "a Numbers document";
        cure = "export it as Excel or CSV";
    }
    problem_set(problem, ERR_UNSUPPORTED, "the file is %s", what);
    return problem_hint(problem, ERR_UNSUPPORTED, "%s", cure);
}

/* ---- relations ---- */

/* Where a relation's target lies: relative to the folder of the part that has it. */
static void resolve_part(const char *folder, const char *target, char out[256])
{
    char path[512];
    if (target[0] == '/')
        snprintf(path, sizeof(path), "%s", target + 1);
    else
        snprintf(path, sizeof(path), "%s%s", folder, target);
    /* "xl/../docs/x" and "./x", a segment at a time */
    size_t size = 0;
    str rest = str_from_c(path), segment;
    while (str_split(&rest, '/', &segment)) {
        if (segment.size == 0 || str_equal(segment, STR(".")))
            continue;
        if (str_equal(segment, STR(".."))) {
            while (size > 0 && out[--size] != '/')
                ;
            continue;
        }
        if (size + segment.size + 2 > 256)
            break;
        if (size > 0)
            out[size++] = '/';
        memcpy(out + size, segment.data, segment.size);
        size += segment.size;
    }
    out[size] = '\0';
}

struct relations {
    struct excel_book *book; /* NULL: looking for the workbook */
    const char *folder;
    char workbook[256];
};

static void take_relation(struct relations *relations, const char *id, const char *type,
                          const char *target)
{
    struct excel_book *book = relations->book;
    str kind = str_from_c(type);
    if (book == NULL) {
        if (str_ends_with(kind, STR("/officeDocument")))
            resolve_part("", target, relations->workbook);
        return;
    }
    if (str_ends_with(kind, STR("/sharedStrings")))
        resolve_part(relations->folder, target, book->strings_part);
    else if (str_ends_with(kind, STR("/styles")))
        resolve_part(relations->folder, target, book->styles_part);
    else if (str_ends_with(kind, STR("/worksheet")))
        for (uint32_t i = 0; i < book->sheet_count; i++)
            if (strcmp(book->sheets[i].relation, id) == 0)
                resolve_part(relations->folder, target, book->sheets[i].part);
}

static void begin_relation(void *context, const XML_Char *name, const XML_Char **attributes)
{
    const char *id = excel_attribute(attributes, "Id");
    const char *type = excel_attribute(attributes, "Type");
    const char *target = excel_attribute(attributes, "Target");
    if (excel_name_is(name, "Relationship") && id != NULL && type != NULL && target != NULL)
        take_relation(((struct excel_xml *)context)->context, id, type, target);
}

/* All of a part through handlers that do not suspend. */
static err parse_part(zip_t *zip, const char *part, XML_StartElementHandler begin,
                      XML_EndElementHandler end, XML_CharacterDataHandler text, void *context,
                      struct problem *problem)
{
    struct excel_xml xml;
    err error = excel_xml_open(&xml, zip, part, context, problem);
    if (error != ERR_OK)
        return error;
    XML_SetElementHandler(xml.parser, begin, end);
    XML_SetCharacterDataHandler(xml.parser, text);
    error = excel_xml_run(&xml, problem);
    excel_xml_close(&xml);
    return error;
}

/* ---- workbook ---- */

static bool is_true(const char *value)
{
    return value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

static void add_sheet(struct excel_xml *xml, const XML_Char **attributes)
{
    struct excel_book *book = xml->context;
    const char *name = excel_attribute(attributes, "name");
    const char *id = excel_attribute(attributes, "id"); /* r:id */
    const char *state = excel_attribute(attributes, "state");
    if (name == NULL || id == NULL)
        return;
    if (book->sheet_count == EXCEL_SHEETS_MAX) {
        excel_xml_stop(xml, ERR_TOO_LARGE);
        return;
    }
    struct excel_sheet *sheet = &book->sheets[book->sheet_count];
    if (arena_dup(&book->arena, str_from_c(name), &sheet->name) != ERR_OK) {
        excel_xml_stop(xml, ERR_NOMEM);
        return;
    }
    snprintf(sheet->relation, sizeof(sheet->relation), "%s", id);
    sheet->hidden = state != NULL && strcmp(state, "visible") != 0;
    book->sheet_count++;
}

static void begin_workbook(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct excel_xml *xml = context;
    struct excel_book *book = xml->context;
    if (excel_name_is(name, "workbookPr"))
        book->from_1904 = is_true(excel_attribute(attributes, "date1904"));
    else if (excel_name_is(name, "sheet"))
        add_sheet(xml, attributes);
}

/* Charts are sheets, too, but have no part of the worksheet kind. */
static void keep_worksheets(struct excel_book *book)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < book->sheet_count; i++)
        if (book->sheets[i].part[0] != '\0')
            book->sheets[kept++] = book->sheets[i];
    book->sheet_count = kept;
}

static err read_relations(struct excel_book *book, const char *part, struct relations *relations,
                          struct problem *problem)
{
    err error = parse_part(book->zip, part, begin_relation, NULL, NULL, relations, problem);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

/* "xl/workbook.xml" has its relations in "xl/_rels/workbook.xml.rels". */
static err read_workbook(struct excel_book *book, const char *part, struct problem *problem)
{
    char folder[256], relations_part[600];
    const char *slash = strrchr(part, '/');
    size_t size = slash != NULL ? (size_t)(slash - part) + 1 : 0;
    memcpy(folder, part, size);
    folder[size] = '\0';
    snprintf(relations_part, sizeof(relations_part), "%s_rels/%s.rels", folder, part + size);
    err error = parse_part(book->zip, part, begin_workbook, NULL, NULL, book, problem);
    if (error == ERR_TOO_LARGE)
        return problem_set(problem, ERR_TOO_LARGE, "the Excel file has more than %d sheets",
                           EXCEL_SHEETS_MAX);
    struct relations relations = { .book = book, .folder = folder };
    if (error == ERR_OK)
        error = read_relations(book, relations_part, &relations, problem);
    keep_worksheets(book);
    if (error == ERR_OK && book->sheet_count == 0)
        error = problem_set(problem, ERR_UNPROCESSABLE, "the Excel file has no sheet");
    return error;
}

err excel_book_open(struct excel_book *book, const char *path, struct problem *problem)
{
    int code = 0;
    memset(book, 0, sizeof(*book));
    arena_init(&book->arena, "table_excel", 16u * 1024 * 1024);
    buffer_init(&book->strings, EXCEL_STRINGS_BYTES_MAX);
    buffer_init(&book->begins, EXCEL_STRINGS_MAX * sizeof(uint32_t));
    buffer_init(&book->classes, EXCEL_STYLES_MAX);
    book->sheets = arena_array(&book->arena, struct excel_sheet, EXCEL_SHEETS_MAX);
    book->zip = zip_open(path, ZIP_RDONLY, &code);
    err error = ERR_OK;
    struct relations relations = { .workbook = "xl/workbook.xml" };
    if (book->sheets == NULL)
        error = refuse_memory(problem);
    else if (book->zip == NULL) {
        problem_set(problem, ERR_UNPROCESSABLE, "the zip of the Excel file is torn or damaged");
        error = problem_hint(problem, ERR_UNPROCESSABLE, "fetch the file again");
    } else if (zip_get_num_entries(book->zip, 0) > ENTRIES_MAX)
        error = problem_set(problem, ERR_TOO_LARGE, "the zip has more than %d files", ENTRIES_MAX);
    if (error == ERR_OK)
        error = read_relations(book, "_rels/.rels", &relations, problem);
    if (error == ERR_OK &&
        (!has_part(book->zip, relations.workbook) || has_part(book->zip, "xl/workbook.bin")))
        error = refuse_zip(book->zip, problem);
    if (error == ERR_OK)
        error = read_workbook(book, relations.workbook, problem);
    if (error != ERR_OK)
        excel_book_close(book);
    return error;
}

void excel_book_close(struct excel_book *book)
{
    if (book->zip != NULL)
        zip_discard(book->zip);
    book->zip = NULL;
    buffer_deinit(&book->strings);
    buffer_deinit(&book->begins);
    buffer_deinit(&book->classes);
    arena_deinit(&book->arena);
}

/* ---- shared strings ---- */

struct strings {
    struct excel_book *book;
    size_t begin;         /* of the text being read */
    bool in_text;         /* inside <t> */
    unsigned in_phonetic; /* inside <rPh>: how it is read aloud */
};

static void begin_string(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct excel_xml *xml = context;
    struct strings *strings = xml->context;
    (void)attributes;
    if (excel_name_is(name, "si"))
        strings->begin = strings->book->strings.size;
    else if (excel_name_is(name, "rPh"))
        strings->in_phonetic++;
    else if (excel_name_is(name, "t"))
        strings->in_text = strings->in_phonetic == 0;
}

static void end_text(struct excel_xml *xml, struct strings *strings)
{
    struct buffer *text = &strings->book->strings;
    size_t size = text->size - strings->begin;
    char *begin = size > 0 && !text->failed ? text->data + strings->begin : NULL;
    if (begin != NULL && memmem(begin, size, "_x", 2) != NULL)
        text->size = strings->begin + excel_unescape(begin, size);
    uint32_t end = (uint32_t)text->size;
    buffer_append(&strings->book->begins, &end, sizeof(end));
    if (text->failed || strings->book->begins.failed)
        excel_xml_stop(xml, text->nomem || strings->book->begins.nomem ? ERR_NOMEM : ERR_TOO_LARGE);
}

static void end_string(void *context, const XML_Char *name)
{
    struct excel_xml *xml = context;
    struct strings *strings = xml->context;
    if (excel_name_is(name, "si"))
        end_text(xml, strings);
    else if (excel_name_is(name, "rPh"))
        strings->in_phonetic -= strings->in_phonetic > 0;
    else if (excel_name_is(name, "t"))
        strings->in_text = false;
}

static void take_string(void *context, const XML_Char *text, int size)
{
    struct excel_xml *xml = context;
    struct strings *strings = xml->context;
    if (strings->in_text)
        buffer_append(&strings->book->strings, text, (size_t)size);
}

static err load_strings(struct excel_book *book, struct problem *problem)
{
    struct strings strings = { .book = book };
    uint32_t zero = 0;
    buffer_append(&book->begins, &zero, sizeof(zero));
    if (book->begins.failed)
        return refuse_memory(problem);
    if (book->strings_part[0] == '\0')
        return ERR_OK;
    err error = parse_part(book->zip, book->strings_part, begin_string, end_string, take_string,
                           &strings, problem);
    if (error == ERR_TOO_LARGE && (book->strings.failed || book->begins.failed)) {
        problem_set(problem, ERR_TOO_LARGE, "the texts of the Excel file take more than %u MB",
                    EXCEL_STRINGS_BYTES_MAX / (1024 * 1024));
        return problem_hint(problem, ERR_TOO_LARGE, "save the sheet as CSV (UTF-8)");
    }
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

uint32_t excel_book_string_count(const struct excel_book *book)
{
    return book->begins.size > 0 ? (uint32_t)(book->begins.size / sizeof(uint32_t)) - 1 : 0;
}

str excel_book_string(const struct excel_book *book, uint32_t index)
{
    uint32_t places[2];
    memcpy(places, book->begins.data + index * sizeof(uint32_t), sizeof(places));
    return str_slice(buffer_str(&book->strings), places[0], places[1]);
}

/* ---- styles ---- */

#define FORMATS_MAX 4096

struct styles {
    struct excel_book *book;
    bool in_cells; /* inside <cellXfs> */
    uint32_t count;
    struct {
        uint32_t id;
        uint8_t class;
    } formats[FORMATS_MAX];
};

static uint32_t number_of(const char *text)
{
    uint64_t number = 0;
    if (text == NULL || !str_to_uint64(str_from_c(text), &number) || number > UINT32_MAX)
        return 0;
    return (uint32_t)number;
}

static enum excel_class class_of(const struct styles *styles, uint32_t id)
{
    for (uint32_t i = 0; i < styles->count; i++)
        if (styles->formats[i].id == id)
            return (enum excel_class)styles->formats[i].class;
    return excel_class_of_number(id);
}

static void begin_style(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct excel_xml *xml = context;
    struct styles *styles = xml->context;
    const char *id = excel_attribute(attributes, "numFmtId");
    const char *code = excel_attribute(attributes, "formatCode");
    if (excel_name_is(name, "cellXfs")) {
        styles->in_cells = true;
    } else if (excel_name_is(name, "numFmt") && code != NULL && styles->count < FORMATS_MAX) {
        styles->formats[styles->count].id = number_of(id);
        styles->formats[styles->count++].class = (uint8_t)excel_class_of_format(str_from_c(code));
    } else if (excel_name_is(name, "xf") && styles->in_cells) {
        buffer_append_byte(&styles->book->classes, (uint8_t)class_of(styles, number_of(id)));
    }
}

static void end_style(void *context, const XML_Char *name)
{
    struct excel_xml *xml = context;
    struct styles *styles = xml->context;
    if (excel_name_is(name, "cellXfs"))
        styles->in_cells = false;
}

static err load_styles(struct excel_book *book, struct problem *problem)
{
    if (book->styles_part[0] == '\0')
        return ERR_OK;
    struct styles *styles = memory_alloc(sizeof(*styles));
    if (styles == NULL)
        return refuse_memory(problem);
    styles->book = book;
    err error =
        parse_part(book->zip, book->styles_part, begin_style, end_style, NULL, styles, problem);
    memory_free(styles);
    if (error == ERR_OK && book->classes.nomem)
        return refuse_memory(problem);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

enum excel_class excel_book_class(const struct excel_book *book, uint32_t style)
{
    return style < book->classes.size ? (enum excel_class)book->classes.data[style] : EXCEL_NUMBER;
}

err excel_book_load(struct excel_book *book, struct problem *problem)
{
    err error = load_styles(book, problem);
    return error == ERR_OK ? load_strings(book, problem) : error;
}

/* ---- for detection ---- */

err excel_look(const char *path, struct table_form *form, struct problem *problem)
{
    struct excel_book book;
    err error = excel_book_open(&book, path, problem);
    if (error != ERR_OK)
        return error;
    form->sheets = book.sheet_count;
    form->sheet = 0;
    while (form->sheet + 1 < book.sheet_count && book.sheets[form->sheet].hidden)
        form->sheet++;
    if (book.sheets[form->sheet].hidden)
        form->sheet = 0;
    excel_book_close(&book);
    return ERR_OK;
}

err excel_write_sheets(const char *path, struct buffer *out, struct problem *problem)
{
    struct excel_book book;
    struct json_writer writer;
    err error = excel_book_open(&book, path, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 0; i < book.sheet_count; i++)
        json_put_text(&writer, book.sheets[i].name);
    json_end_array(&writer);
    excel_book_close(&book);
    return ERR_OK;
}
