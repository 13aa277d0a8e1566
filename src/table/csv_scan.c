/* SPDX-License-Identifier: Apache-2.0 */
/* csv_scan: finding rows and cells. 64 bytes at a time become a mask of the bytes that count (separator,
 * quote, newline), and only those are looked at one by one. */
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "table/csv.h"

#define BLOCK_BYTES 64
#define UNCLOSED_MAX 64
/* How far the kind of newline is looked for. */
#define NEWLINE_BYTES_MAX (1024 * 1024)

/* ---- bytes that count ---- */

#if defined(__SSE2__)
static inline uint64_t classify(const char *at, char separator, char quote, char newline)
{
    const __m128i separators = _mm_set1_epi8(separator), quotes = _mm_set1_epi8(quote),
                  newlines = _mm_set1_epi8(newline);
    uint64_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + 16 * i));
        __m128i found = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, separators), _mm_cmpeq_epi8(bytes, newlines)),
            _mm_cmpeq_epi8(bytes, quotes));
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << (16 * i);
    }
    return bits;
}
#else
static inline uint64_t classify(const char *at, char separator, char quote, char newline)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < BLOCK_BYTES; i++)
        bits |= (uint64_t)(at[i] == separator || at[i] == newline || at[i] == quote) << i;
    return bits;
}
#endif

/* False at the end of the window. */
static inline bool next_block(struct csv_scan *scan)
{
    size_t left = scan->window.end - scan->next;
    if (left == 0)
        return false;
    /* Without a quote, the separator is looked for twice. */
    char quote = scan->quote != '\0' ? scan->quote : scan->separator;
    scan->bits = classify(scan->window.data + scan->next, scan->separator, quote, scan->newline);
    if (left < BLOCK_BYTES)
        scan->bits &= (UINT64_C(1) << left) - 1;
    scan->block = scan->next;
    scan->next += left < BLOCK_BYTES ? left : BLOCK_BYTES;
    return true;
}

/* ---- the kind of newline ---- */

/* The first newline outside quotes; '\0': none yet. */
static char find_newline(const struct csv_scan *scan)
{
    bool quoted = false;
    const struct window *window = &scan->window;
    for (size_t i = window->begin; i < window->end; i++) {
        char byte = window->data[i];
        if (scan->quote != '\0' && byte == scan->quote)
            quoted = !quoted;
        if (quoted || (byte != '\n' && byte != '\r'))
            continue;
        if (byte == '\n')
            return '\n';
        if (i + 1 < window->end)
            return window->data[i + 1] == '\n' ? '\n' : '\r';
        return window->ended ? '\r' : '\0';
    }
    return '\0';
}

static err choose_newline(struct csv_scan *scan, struct problem *problem)
{
    size_t moved, looked_at = 0;
    struct window *window = &scan->window;
    for (;;) {
        /* Looking again each time the text has doubled keeps small pieces cheap. */
        if (window->end >= 2 * looked_at || window->ended) {
            scan->newline = find_newline(scan);
            looked_at = window->end;
        }
        if (scan->newline != '\0')
            return ERR_OK;
        if (window->ended || window->end - window->begin > NEWLINE_BYTES_MAX)
            break;
        err error = window_fill(window, &moved, problem);
        if (error != ERR_OK)
            return error;
    }
    scan->newline = '\n';
    return ERR_OK;
}

err csv_scan_init(struct csv_scan *scan, struct window *window, const struct table_form *form,
                  struct problem *problem)
{
    memset(scan, 0, sizeof(*scan));
    scan->window = *window;
    memset(window, 0, sizeof(*window));
    window->unpack.fd = -1;
    scan->separator = form->separator != '\0' ? form->separator : ',';
    scan->quote = form->quote;
    scan->unclosed_left = UNCLOSED_MAX;
    scan->marks = memory_alloc(TABLE_COLUMNS_MAX * sizeof(struct csv_mark));
    err error = scan->marks != NULL
                    ? choose_newline(scan, problem)
                    : problem_set(problem, ERR_NOMEM, "no memory for the cells of a row");
    scan->next = scan->window.begin;
    if (error != ERR_OK)
        csv_scan_deinit(scan);
    return error;
}

void csv_scan_deinit(struct csv_scan *scan)
{
    window_close(&scan->window);
    memory_free(scan->marks);
    scan->marks = NULL;
}

/* ---- a row ---- */

struct place {
    size_t cell_begin;
    size_t after_quote; /* behind the closing quote of this cell */
    uint32_t flags;
    bool quoted; /* inside quotes */
};

static inline void end_cell(struct csv_scan *scan, struct place *place, size_t at)
{
    if (scan->cell_count == TABLE_COLUMNS_MAX) {
        scan->too_many = true;
    } else {
        size_t begin = scan->window.begin;
        /* text between the closing quote and the separator */
        if ((place->flags & CSV_QUOTED) != 0 && place->after_quote != at)
            place->flags |= CSV_DOUBLED;
        scan->marks[scan->cell_count++] = (struct csv_mark){
            .begin = (uint32_t)(place->cell_begin - begin),
            .end = (uint32_t)(at - begin),
            .flags = place->flags,
        };
    }
    place->cell_begin = at + 1;
    place->flags = 0;
}

static inline void meet_quote(struct place *place, size_t at)
{
    if (place->quoted) {
        place->quoted = false;
        place->after_quote = at + 1;
    } else if (at == place->cell_begin) {
        place->quoted = true;
        place->flags = CSV_QUOTED;
    } else if ((place->flags & CSV_QUOTED) != 0 && at == place->after_quote) {
        place->quoted = true;
        place->flags |= CSV_DOUBLED;
    }
}

/* The newline, or the end of the file, stands at `at`. A carriage return before it belongs to it. */
static void end_row(struct csv_scan *scan, struct place *place, size_t at)
{
    scan->row_end = at;
    if (scan->newline == '\n' && at > place->cell_begin && scan->window.data[at - 1] == '\r')
        scan->row_end = at - 1;
    end_cell(scan, place, scan->row_end);
}

/* The first line of the row stands for all of it, if it has one. */
static enum csv_found fall_back(struct csv_scan *scan)
{
    struct window *window = &scan->window;
    const char *begin = window->data + window->begin;
    const char *found = memchr(begin, scan->newline, window->end - window->begin);
    if (found == NULL || scan->unclosed_left == 0)
        return CSV_TOO_LARGE;
    scan->unclosed_left--;
    scan->row_end = (size_t)(found - window->data);
    scan->next_begin = scan->row_end + 1;
    scan->row_lines = 1;
    scan->bits = 0;
    scan->next = scan->next_begin;
    return CSV_UNCLOSED;
}

/* Throw away up to the next newline, in quotes or not. What was seen of the row is reported by its
 * beginning, so window.begin stays, and the window is full: the rest passes behind that beginning. */
static enum csv_found discard(struct csv_scan *scan, err *error, struct problem *problem)
{
    struct window *window = &scan->window;
    scan->row_end = window->begin + TABLE_RAW_BYTES_MAX;
    if (scan->row_end > window->end)
        scan->row_end = window->end;
    size_t at = scan->row_end;
    scan->row_lines = 1;
    for (size_t i = window->begin; i < scan->row_end; i++)
        scan->row_lines += window->data[i] == scan->newline;
    for (;;) {
        const char *found = memchr(window->data + at, scan->newline, window->end - at);
        if (found != NULL || window->ended) {
            scan->next_begin = found != NULL ? (size_t)(found - window->data) + 1 : window->end;
            break;
        }
        size_t moved;
        window->base += window->end - scan->row_end;
        window->end = scan->row_end;
        window->checked = window->end;
        *error = window_fill(window, &moved, problem);
        if (*error != ERR_OK)
            return CSV_ERROR;
        scan->row_end -= moved;
        at = scan->row_end;
    }
    scan->bits = 0;
    scan->next = scan->next_begin;
    return CSV_TOO_LARGE;
}

static enum csv_found end_file(struct csv_scan *scan, struct place *place)
{
    struct window *window = &scan->window;
    scan->next_begin = window->end;
    if (window->begin == window->end)
        return CSV_END;
    if (place->quoted) {
        enum csv_found found = fall_back(scan);
        if (found == CSV_UNCLOSED)
            return found;
        /* one line to the end of the file */
        scan->row_end = window->end;
        scan->row_lines = 1;
        scan->next = scan->next_begin = window->end;
        return CSV_UNCLOSED;
    }
    end_row(scan, place, window->end);
    scan->row_lines++;
    return CSV_ROW;
}

/* Nothing more in the window: read on. CSV_ROW: go on scanning. */
static enum csv_found read_on(struct csv_scan *scan, struct place *place, err *error,
                              struct problem *problem)
{
    struct window *window = &scan->window;
    size_t moved = 0;
    if (window->end - window->begin > TABLE_ROW_BYTES_MAX) {
        if (place->quoted && fall_back(scan) == CSV_UNCLOSED)
            return CSV_UNCLOSED;
        return discard(scan, error, problem);
    }
    *error = window_fill(window, &moved, problem);
    if (*error != ERR_OK)
        return CSV_ERROR;
    scan->next -= moved;
    place->cell_begin -= moved;
    place->after_quote -= place->after_quote < moved ? place->after_quote : moved;
    return CSV_ROW;
}

enum csv_found csv_scan_row(struct csv_scan *scan, err *error, struct problem *problem)
{
    struct window *window = &scan->window;
    struct place place = { .cell_begin = window->begin };
    scan->cell_count = 0;
    scan->too_many = false;
    scan->row_lines = 0;
    for (;;) {
        while (scan->bits == 0) {
            if (next_block(scan))
                continue;
            if (window->ended)
                return end_file(scan, &place);
            enum csv_found found = read_on(scan, &place, error, problem);
            if (found != CSV_ROW)
                return found;
        }
        size_t at = scan->block + (size_t)__builtin_ctzll(scan->bits);
        char byte = window->data[at];
        scan->bits &= scan->bits - 1;
        if (byte == scan->quote && scan->quote != '\0') {
            meet_quote(&place, at);
        } else if (byte == scan->newline) {
            scan->row_lines++;
            if (place.quoted)
                continue;
            scan->next_begin = at + 1;
            end_row(scan, &place, at);
            return CSV_ROW;
        } else if (!place.quoted) {
            end_cell(scan, &place, at);
        }
    }
}

void csv_scan_pass(struct csv_scan *scan)
{
    scan->window.begin = scan->next_begin;
}

/* A quote that is open at the end of the sample is probably closed behind it, unless it was opened long ago. */
#define OPEN_BYTES_MAX (64 * 1024)

bool csv_scan_is_cut(const struct csv_scan *scan, enum csv_found found)
{
    const struct window *window = &scan->window;
    return scan->next_begin == window->end ||
           (found == CSV_UNCLOSED && window->end - window->begin < OPEN_BYTES_MAX);
}

bool csv_scan_is_blank(const struct csv_scan *scan)
{
    str text = csv_scan_text(scan);
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte != scan->separator && byte != ' ' && byte != '\t' && byte != '\r' &&
            (scan->quote == '\0' || byte != scan->quote))
            return false;
    }
    return true;
}
