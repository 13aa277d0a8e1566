/* SPDX-License-Identifier: Apache-2.0 */
/* jsonl: the reader of JSON lines, and of one list of objects.
 *
 *   TOP ──'['──▶ LIST ──']'──▶ TOP           commas and spaces between rows are passed over
 *    │            │
 *    └─ a line    └─ up to where its brackets close          is a row
 *
 * A line that is no object is refused and the next line is the next row. In a list, the end of a row is where its
 * brackets close, so a row with the wrong brackets may take its neighbours with it. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "table/inside.h"
#include "table/json_row.h"
#include "table/window.h"

#define LEARN_ROWS 1000
/* of a file with huge rows */
#define LEARN_BYTES (64u * 1024 * 1024)

enum found { FOUND_ROW, FOUND_LARGE, FOUND_CUT, FOUND_END, FOUND_ERROR };

struct jsonl {
    struct window window;
    struct json_row *row;
    struct buffer raw;
    bool in_list;
    size_t row_end, next_begin; /* of the row found: window.data[window.begin … row_end) */
    uint64_t line, row_lines;   /* where it begins, and newlines up to next_begin */
};

/* ---- finding rows ---- */

/* More of the file; offsets shrink by *moved. A row that has become too large keeps its beginning alone: what was
 * looked at behind it, up to *at, is forgotten. */
static err read_on(struct jsonl *jsonl, size_t *at, bool *large, struct problem *problem)
{
    struct window *window = &jsonl->window;
    size_t moved, kept = window->begin + TABLE_RAW_BYTES_MAX;
    if (window->end - window->begin > TABLE_ROW_BYTES_MAX || *large) {
        *large = true;
        window->base += window->end - kept;
        window->end = window->checked = *at = kept;
    }
    err error = window_fill(window, &moved, problem);
    *at -= moved;
    return error;
}

/* Spaces, commas of a list, and its brackets. False at the end of the file, or by an error. */
static bool find_begin(struct jsonl *jsonl, err *error, struct problem *problem)
{
    struct window *window = &jsonl->window;
    for (;;) {
        for (; window->begin < window->end; window->begin++) {
            char byte = window->data[window->begin];
            if (byte == '\n')
                jsonl->line++;
            else if (byte == '[' && !jsonl->in_list)
                jsonl->in_list = true;
            else if (byte == ']' && jsonl->in_list)
                jsonl->in_list = false;
            else if (byte != ' ' && byte != '\r' && byte != '\t' &&
                     (byte != ',' || !jsonl->in_list))
                return true;
        }
        if (window->ended)
            return false;
        size_t moved;
        *error = window_fill(window, &moved, problem);
        if (*error != ERR_OK)
            return false;
    }
}

static enum found find_line_end(struct jsonl *jsonl, err *error, struct problem *problem)
{
    struct window *window = &jsonl->window;
    size_t at = window->begin;
    bool large = false;
    for (;;) {
        const char *found =
            at < window->end ? memchr(window->data + at, '\n', window->end - at) : NULL;
        if (found != NULL || window->ended) {
            size_t end = found != NULL ? (size_t)(found - window->data) : window->end;
            jsonl->row_lines = found != NULL;
            jsonl->next_begin = end + (found != NULL);
            jsonl->row_end = large ? window->begin + TABLE_RAW_BYTES_MAX : end;
            return large || end - window->begin > TABLE_ROW_BYTES_MAX ? FOUND_LARGE : FOUND_ROW;
        }
        at = window->end;
        *error = read_on(jsonl, &at, &large, problem);
        if (*error != ERR_OK)
            return FOUND_ERROR;
    }
}

/* Where the search for closing brackets stands. */
struct balance {
    uint64_t depth;
    bool in_text, escaped;
};

/* Whether the row ends before (`]` and `,` behind a bare value) or behind this byte. */
enum step { STEP_ON, STEP_BEFORE, STEP_BEHIND };
static enum step step(struct balance *balance, char byte)
{
    if (balance->in_text) {
        if (balance->escaped)
            balance->escaped = false;
        else if (byte == '\\')
            balance->escaped = true;
        else
            balance->in_text = byte != '"';
        return STEP_ON;
    }
    switch (byte) {
    case '"':
        balance->in_text = true;
        return STEP_ON;
    case '{':
    case '[':
        balance->depth++;
        return STEP_ON;
    case '}':
    case ']':
        if (balance->depth == 0)
            return STEP_BEFORE;
        return --balance->depth == 0 ? STEP_BEHIND : STEP_ON;
    case ',':
        return balance->depth == 0 ? STEP_BEFORE : STEP_ON;
    default:
        return STEP_ON;
    }
}

static enum found find_closing(struct jsonl *jsonl, err *error, struct problem *problem)
{
    struct window *window = &jsonl->window;
    struct balance balance = { .depth = 0 };
    size_t at = window->begin;
    bool large = false;
    jsonl->row_lines = 0;
    for (;;) {
        for (; at < window->end; at++) {
            enum step now = step(&balance, window->data[at]);
            jsonl->row_lines += window->data[at] == '\n';
            if (now == STEP_ON)
                continue;
            /* A bracket that closes nothing is passed over with the row. */
            bool stray = now == STEP_BEFORE && at == window->begin;
            size_t end = at + (now == STEP_BEHIND || stray);
            jsonl->next_begin = end;
            jsonl->row_end = large ? window->begin + TABLE_RAW_BYTES_MAX : end;
            return large || end - window->begin > TABLE_ROW_BYTES_MAX ? FOUND_LARGE : FOUND_ROW;
        }
        if (window->ended) {
            jsonl->row_end = jsonl->next_begin = window->end;
            return FOUND_CUT;
        }
        *error = read_on(jsonl, &at, &large, problem);
        if (*error != ERR_OK)
            return FOUND_ERROR;
    }
}

static enum found find_row(struct jsonl *jsonl, struct table_row *row, err *error,
                           struct problem *problem)
{
    jsonl->window.begin = jsonl->next_begin;
    jsonl->line += jsonl->row_lines;
    jsonl->row_lines = 0;
    if (!find_begin(jsonl, error, problem)) {
        jsonl->next_begin = jsonl->window.begin;
        return *error == ERR_OK ? FOUND_END : FOUND_ERROR;
    }
    row->line = jsonl->line;
    return jsonl->in_list ? find_closing(jsonl, error, problem)
                          : find_line_end(jsonl, error, problem);
}

/* ---- rows ---- */

static str row_text(const struct jsonl *jsonl)
{
    str text = str_from_bytes(jsonl->window.data + jsonl->window.begin,
                              jsonl->row_end - jsonl->window.begin);
    while (text.size > 0 && (text.data[text.size - 1] == '\r' || text.data[text.size - 1] == ' '))
        text.size--;
    return text;
}

static err refuse(struct jsonl *jsonl, struct table_row *row, const char *why, const char *cure,
                  struct problem *problem)
{
    problem_set(problem, ERR_INVALID, "row %llu (line %llu): %s", (unsigned long long)row->number,
                (unsigned long long)row->line, why);
    problem_hint(problem, ERR_INVALID, "%s", cure);
    buffer_clear(&jsonl->raw);
    raw_write(&jsonl->raw, row_text(jsonl));
    row->raw = buffer_str(&jsonl->raw);
    row->cells = NULL;
    row->cell_count = 0;
    return jsonl->raw.nomem ? ERR_NOMEM : ERR_INVALID;
}

static err cut_row(struct table *table, struct table_row *row, struct problem *problem)
{
    struct jsonl *jsonl = table->state;
    struct window *window = &jsonl->window;
    struct problem found = { .error = ERR_OK };
    str text = row_text(jsonl);
    bool cut;
    if (window_is_suspect(window, window->begin, jsonl->row_end)) {
        size_t valid = decode_utf8_valid(text.data, text.size, &cut);
        if (valid < text.size) {
            char why[80];
            snprintf(why, sizeof(why), "bytes that are no text, at byte %zu of the row", valid);
            return refuse(jsonl, row, why, "JSON is UTF-8: mend the row, or choose the encoding",
                          problem);
        }
    }
    err error = json_row_cut(jsonl->row, text, &row->cells, &found);
    if (error == ERR_INVALID || error == ERR_TOO_LARGE)
        return refuse(jsonl, row, found.detail, found.hint, problem);
    if (error != ERR_OK)
        return problem_set(problem, error, "%s", found.detail);
    row->cell_count = table->names.count;
    row->raw = text;
    return ERR_OK;
}

static err give_row(struct table *table, enum found found, struct table_row *row,
                    struct problem *problem)
{
    struct jsonl *jsonl = table->state;
    switch (found) {
    case FOUND_LARGE:
        return refuse(jsonl, row, "has more than 16 MB", "is there a newline missing?", problem);
    case FOUND_CUT:
        return refuse(jsonl, row, "the file ends within it", "was the export finished?", problem);
    case FOUND_ROW:
    case FOUND_END:
    case FOUND_ERROR:
        break;
    }
    return cut_row(table, row, problem);
}

/* A list that is not closed is a file that breaks off. */
static err end_file(struct jsonl *jsonl, struct problem *problem)
{
    if (!jsonl->in_list)
        return ERR_NOT_FOUND;
    problem_set(problem, ERR_UNPROCESSABLE, "the file breaks off: its list has no ']' at the end");
    return problem_hint(problem, ERR_UNPROCESSABLE,
                        "what was before has been read; was the export finished?");
}

static err jsonl_next(struct table *table, struct table_row *row, struct problem *problem)
{
    struct jsonl *jsonl = table->state;
    err error = ERR_OK;
    enum found found = find_row(jsonl, row, &error, problem);
    if (found == FOUND_ERROR)
        return error;
    if (found == FOUND_END)
        return end_file(jsonl, problem);
    row->number = ++table->number;
    return give_row(table, found, row, problem);
}

static err jsonl_skip(struct table *table, uint64_t number, struct problem *problem)
{
    struct jsonl *jsonl = table->state;
    struct table_row row;
    while (table->number < number) {
        err error = ERR_OK;
        enum found found = find_row(jsonl, &row, &error, problem);
        if (found == FOUND_END)
            return ERR_OK;
        if (found == FOUND_ERROR)
            return error;
        table->number++;
    }
    return ERR_OK;
}

static uint64_t jsonl_bytes_read(const struct table *table)
{
    const struct jsonl *jsonl = table->state;
    return jsonl->window.unpack.packed_bytes;
}

/* ---- opening ---- */

static void jsonl_close(struct table *table)
{
    struct jsonl *jsonl = table->state;
    if (jsonl == NULL)
        return;
    window_close(&jsonl->window);
    json_row_free(&jsonl->row);
    buffer_deinit(&jsonl->raw);
    memory_free(jsonl);
    table->state = NULL;
}

static err open_window(struct table *table, struct problem *problem)
{
    struct jsonl *jsonl = table->state;
    err error = window_open(&jsonl->window, table->path, &table->form, table->chunk_bytes, problem);
    jsonl->next_begin = jsonl->window.begin;
    jsonl->line = 1;
    jsonl->row_lines = 0;
    jsonl->in_list = false;
    table->number = 0;
    return error;
}

/* The keys of the first rows become the columns; then reading begins again. What is wrong with the file is told
 * when the rows are read. */
static err learn_columns(struct table *table, struct problem *problem)
{
    struct jsonl *jsonl = table->state;
    struct problem unused;
    struct table_row row;
    err error = ERR_OK;
    while (table->number < LEARN_ROWS && jsonl->window.base < LEARN_BYTES &&
           (error == ERR_OK || error == ERR_INVALID))
        error = jsonl_next(table, &row, &unused);
    if (error == ERR_NOMEM)
        return problem_set(problem, ERR_NOMEM, "no memory to look at the file");
    window_close(&jsonl->window);
    return open_window(table, problem);
}

static err jsonl_open(struct table *table, struct problem *problem)
{
    struct jsonl *jsonl = memory_alloc(sizeof(*jsonl));
    if (jsonl == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read the file");
    table->state = jsonl;
    jsonl->window.unpack.fd = -1;
    buffer_init(&jsonl->raw, 4 * TABLE_RAW_BYTES_MAX);
    err error = json_row_new(&jsonl->row, &table->names);
    if (error != ERR_OK)
        problem_set(problem, error, "no memory to read the file");
    if (error == ERR_OK)
        error = open_window(table, problem);
    if (error == ERR_OK)
        error = learn_columns(table, problem);
    if (error != ERR_OK)
        jsonl_close(table);
    return error;
}

const struct reader jsonl_reader = {
    .open = jsonl_open,
    .close = jsonl_close,
    .next = jsonl_next,
    .skip = jsonl_skip,
    .bytes_read = jsonl_bytes_read,
};
