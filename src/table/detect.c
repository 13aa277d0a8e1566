/* SPDX-License-Identifier: Apache-2.0 */
/* detect: what kind of file this is, by its first megabyte; names are hints alone. */
#include <string.h>
#include <unistd.h>

#include "table/csv.h"
#include "table/excel.h"
#include "table/guess.h"
#include "table/temporary.h"

#define SAMPLE_BYTES (1024 * 1024)
#define OLE_MAGIC "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"

/* ---- the sample ---- */

struct sample {
    char *bytes;
    size_t size;
    bool whole; /* all of the file */
};

static err read_sample(const char *path, enum table_packing packing, struct sample *sample,
                       struct problem *problem)
{
    struct unpack unpack;
    err error = unpack_open(&unpack, path, packing, problem);
    if (error != ERR_OK)
        return error;
    size_t size = 1;
    sample->size = 0;
    while (error == ERR_OK && size > 0 && sample->size < SAMPLE_BYTES) {
        error = unpack_read(&unpack, sample->bytes + sample->size, SAMPLE_BYTES - sample->size,
                            &size, problem);
        sample->size += size;
    }
    sample->whole = error == ERR_OK && size == 0;
    /* Something of a torn file can be looked at; the reader tells where it is torn. */
    if (error == ERR_UNPROCESSABLE && sample->size > 0)
        error = ERR_OK;
    unpack_close(&unpack);
    return error;
}

/* ---- what it is not ---- */

/* FIRST BYTES, what it is, what to do */
#define SAVE_AS "open it in Excel or WPS and save it as xlsx or CSV (UTF-8)"
static const struct foreign {
    str magic;
    const char *what, *cure;
} foreign[] = {
    { TEXT("%PDF"), "a PDF document", "export the table itself as xlsx or CSV" },
    { TEXT("Rar!"), "a RAR archive", "unpack it and give the file inside" },
    { TEXT("7z\xBC\xAF\x27\x1C"), "a 7z archive", "unpack it and give the file inside" },
    { TEXT("BZh"), "packed with bzip2", "unpack it, or pack it with gzip or zstd" },
    { TEXT("\xFD"
           "7zXZ"),
      "packed with xz", "unpack it, or pack it with gzip or zstd" },
    { TEXT("\x04\x22\x4D\x18"), "packed with lz4", "unpack it, or pack it with gzip or zstd" },
    { TEXT("ARROW1"), "an Arrow file", "write it as Parquet" },
    { TEXT("ORC"), "an ORC file", "write it as Parquet" },
    { TEXT("Obj\x01"), "an Avro file", "write it as Parquet or JSON lines" },
    { TEXT("SQLite format 3"), "an SQLite database", "export its tables as CSV" },
    { TEXT("\x89PNG"), "a picture", "export the table itself as xlsx or CSV" },
    { TEXT("\xFF\xD8\xFF"), "a picture", "export the table itself as xlsx or CSV" },
};

static err refuse_foreign(str bytes, struct problem *problem)
{
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        if (str_starts_with(bytes, foreign[i].magic)) {
            problem_set(problem, ERR_UNSUPPORTED, "the file is %s", foreign[i].what);
            return problem_hint(problem, ERR_UNSUPPORTED, "%s", foreign[i].cure);
        }
    return ERR_OK;
}

/* OLE is the container of old Office files and of encrypted new ones: the names of its streams, in UTF-16, tell. */
static err refuse_ole(str bytes, struct problem *problem)
{
    static const char encrypted[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
    if (!str_starts_with(bytes, STR(OLE_MAGIC)))
        return ERR_OK;
    if (str_contains(bytes, str_from_bytes(encrypted, sizeof(encrypted)))) {
        problem_set(problem, ERR_UNSUPPORTED, "the Excel file is protected by a password");
        return problem_hint(problem, ERR_UNSUPPORTED, "take the password off in Excel and save it");
    }
    problem_set(problem, ERR_UNSUPPORTED, "the file is an old Excel file (.xls, before 2007)");
    return problem_hint(problem, ERR_UNSUPPORTED, SAVE_AS);
}

static bool begins_like(str text, const char *tag)
{
    str head = str_slice(text, 0, strlen(tag));
    return str_equal_ignoring_case(head, str_from_c(tag));
}

/* Shop systems write web pages and call them .xls. */
static err refuse_markup(str text, struct problem *problem)
{
    static const char *const tags[] = { "<!doctype html", "<html", "<table", "<meta",
                                        "<head",          "<body", "<style", "<div" };
    str beginning = str_slice(text, 0, 4096);
    const char *what = NULL;
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (begins_like(text, tags[i]))
            what = "a web page (HTML) that calls itself a table";
    if (begins_like(text, "mime-version:"))
        what = "a web archive (MHTML) that calls itself a table";
    if (begins_like(text, "<?xml"))
        what = str_contains(beginning, STR("schemas-microsoft-com:office:spreadsheet"))
                   ? "an Excel 2003 XML table"
               : str_contains(beginning, STR("<html")) ? "a web page (XHTML)"
                                                       : "XML";
    if (what == NULL)
        return ERR_OK;
    problem_set(problem, ERR_UNSUPPORTED, "the file is %s", what);
    return problem_hint(problem, ERR_UNSUPPORTED, SAVE_AS);
}

static err refuse_binary(struct problem *problem)
{
    problem_set(problem, ERR_UNSUPPORTED,
                "the file is no text, and none of the formats known here");
    return problem_hint(problem, ERR_UNSUPPORTED,
                        "CSV, Excel (xlsx), JSON lines and Parquet are read, also in gzip or zstd");
}

/* ---- header ---- */

struct first_rows {
    struct arena arena;
    struct guess_row rows[GUESS_ROWS_MAX];
    size_t count;
};

static err keep_row(struct first_rows *first, uint64_t place, const struct table_cell *cells,
                    uint32_t count, struct problem *problem)
{
    struct table_cell *copy = arena_array(&first->arena, struct table_cell, count + 1);
    err error = copy != NULL ? ERR_OK : ERR_NOMEM;
    for (uint32_t i = 0; i < count && error == ERR_OK; i++) {
        copy[i].kind = cells[i].kind;
        str text = str_slice(cells[i].text, 0, str_utf8_prefix_bytes(cells[i].text, 200));
        error = arena_dup(&first->arena, text, &copy[i].text);
    }
    if (error != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory to look at the file");
    first->rows[first->count++] =
        (struct guess_row){ .place = place, .cells = copy, .count = count };
    return ERR_OK;
}

static err csv_first_rows(str text, bool whole, const struct table_form *form,
                          struct first_rows *first, struct problem *problem)
{
    struct window window;
    struct csv_scan scan;
    struct buffer scratch;
    uint64_t place = 0;
    struct table_cell *cells = memory_alloc(TABLE_COLUMNS_MAX * sizeof(*cells));
    if (cells == NULL || window_open_text(&window, text) != ERR_OK) {
        memory_free(cells);
        return problem_set(problem, ERR_NOMEM, "no memory to look at the file");
    }
    buffer_init(&scratch, SAMPLE_BYTES * 2 * DECODE_GROWTH);
    err error = csv_scan_init(&scan, &window, form, problem);
    while (error == ERR_OK && first->count < GUESS_ROWS_MAX) {
        enum csv_found found = csv_scan_row(&scan, &error, problem);
        bool cut = !whole && csv_scan_is_cut(&scan, found) && first->count > 0;
        if (found == CSV_END || found == CSV_ERROR || cut)
            break;
        place++;
        if (found == CSV_ROW && !csv_scan_is_blank(&scan)) {
            error = csv_cells(&scan, cells, &scratch);
            if (error == ERR_OK)
                error = keep_row(first, place, cells, scan.cell_count, problem);
        }
        csv_scan_pass(&scan);
    }
    csv_scan_deinit(&scan);
    buffer_deinit(&scratch);
    memory_free(cells);
    return error;
}

static err guess_csv_header(str text, bool whole, struct table_form *form, struct problem *problem)
{
    struct first_rows first = { .count = 0 };
    arena_init(&first.arena, "table_detect", 64u * 1024 * 1024);
    err error = csv_first_rows(text, whole, form, &first, problem);
    form->header_row = guess_header(first.rows, first.count);
    arena_deinit(&first.arena);
    return error;
}

/* Through the reader itself, without a header. */
static err guess_excel_header(const char *path, struct table_form *form, struct problem *problem)
{
    struct first_rows first = { .count = 0 };
    struct table *table = NULL;
    struct table_row row;
    struct table_config config = { .path = path, .form = *form };
    config.form.header_row = 0;
    err error = table_open(&table, &config, problem);
    if (error != ERR_OK)
        return error;
    arena_init(&first.arena, "table_detect", 64u * 1024 * 1024);
    while (first.count < GUESS_ROWS_MAX && error == ERR_OK) {
        error = table_next(table, &row, problem);
        if (error == ERR_OK)
            error = keep_row(&first, row.line, row.cells, row.cell_count, problem);
        else if (error == ERR_INVALID)
            error = ERR_OK;
    }
    form->header_row = guess_header(first.rows, first.count);
    arena_deinit(&first.arena);
    table_close(&table);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

/* ---- what it is ---- */

/* {"… or [{…, after a mark and spaces. */
static bool looks_like_json(str text)
{
    text = str_trim(text);
    if (text.size == 0 || (text.data[0] != '{' && text.data[0] != '['))
        return false;
    char open = text.data[0];
    str rest = str_trim(str_slice(text, 1, text.size));
    if (rest.size == 0)
        return true;
    return open == '{' ? rest.data[0] == '"' || rest.data[0] == '}'
                       : rest.data[0] == '{' || rest.data[0] == ']';
}

/* The sample in UTF-8, its end cut at a character. */
static err decode_sample(const struct sample *sample, enum table_encoding encoding,
                         struct buffer *text, struct problem *problem)
{
    size_t taken, size;
    bool bad = false;
    err error = decode_prepare(encoding, problem);
    if (error != ERR_OK)
        return error;
    char *out = buffer_reserve(text, DECODE_GROWTH * sample->size + 8);
    if (out == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to look at the file");
    if (encoding == TABLE_UTF8) {
        size = sample->size;
        memcpy(out, sample->bytes, size);
    } else {
        size = decode_text(encoding, sample->bytes, sample->size, sample->whole, out, &taken, &bad);
    }
    buffer_advance(text, size);
    return ERR_OK;
}

static err detect_text(const struct sample *sample, str hint, struct table_form *form,
                       struct problem *problem)
{
    struct buffer decoded;
    err error;
    buffer_init(&decoded, DECODE_GROWTH * SAMPLE_BYTES + 4096);
    if (!guess_encoding(str_from_bytes(sample->bytes, sample->size), sample->whole,
                        &form->encoding))
        error = refuse_binary(problem);
    else
        error = decode_sample(sample, form->encoding, &decoded, problem);
    str text = buffer_str(&decoded);
    if (error == ERR_OK)
        error = refuse_markup(str_trim(text), problem);
    if (error == ERR_OK && looks_like_json(text)) {
        form->format = TABLE_JSONL;
    } else if (error == ERR_OK) {
        form->format = TABLE_CSV;
        error = guess_dialect(text, sample->whole, hint, form, problem);
        if (error == ERR_OK)
            error = guess_csv_header(text, sample->whole, form, problem);
    }
    buffer_deinit(&decoded);
    return error;
}

static err detect_excel(const char *path, struct table_form *form, struct problem *problem)
{
    char unpacked[TEMPORARY_PATH_BYTES];
    int fd = -1;
    form->format = TABLE_XLSX;
    if (form->packing != TABLE_PLAIN) {
        err error = temporary_unpack(path, form->packing, &fd, problem);
        if (error != ERR_OK)
            return error;
        temporary_path(fd, unpacked);
        path = unpacked;
    }
    enum table_packing packing = form->packing;
    form->packing = TABLE_PLAIN;
    err error = excel_look(path, form, problem);
    if (error == ERR_OK)
        error = guess_excel_header(path, form, problem);
    form->packing = packing;
    if (fd >= 0)
        close(fd);
    return error;
}

static err detect_unpacked(const char *path, str hint, const struct sample *sample,
                           struct table_form *form, struct problem *problem)
{
    str bytes = str_from_bytes(sample->bytes, sample->size);
    if (bytes.size == 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "the file is empty");
        return problem_hint(problem, ERR_UNPROCESSABLE, "was the export finished?");
    }
    if (str_starts_with(bytes, STR("PAR1"))) {
        form->format = TABLE_PARQUET;
        return ERR_OK;
    }
    if (str_starts_with(bytes, STR("PK\x03\x04")))
        return detect_excel(path, form, problem);
    err error = refuse_ole(bytes, problem);
    if (error == ERR_OK)
        error = refuse_foreign(bytes, problem);
    return error == ERR_OK ? detect_text(sample, hint, form, problem) : error;
}

err table_detect(const char *path, str hint, struct table_form *out, struct problem *problem)
{
    struct problem own = { .error = ERR_OK };
    struct problem *told = problem != NULL ? problem : &own;
    struct table_form form = { .format = TABLE_CSV, .separator = ',', .quote = '"' };
    struct sample sample = { .bytes = memory_alloc(SAMPLE_BYTES) };
    if (sample.bytes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to look at the file");
    err error = read_sample(path, TABLE_PLAIN, &sample, told);
    if (error == ERR_OK) {
        form.packing = unpack_packing_of(sample.bytes, sample.size);
        if (form.packing != TABLE_PLAIN)
            error = read_sample(path, form.packing, &sample, told);
    }
    if (error == ERR_OK)
        error = detect_unpacked(path, hint, &sample, &form, told);
    memory_free(sample.bytes);
    if (form.format != TABLE_CSV)
        form.separator = form.quote = '\0';
    if (error == ERR_OK)
        *out = form;
    return error;
}
