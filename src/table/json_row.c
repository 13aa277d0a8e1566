/* SPDX-License-Identifier: Apache-2.0 */
/* json_row: a reader of JSON (RFC 8259) that makes cells, not a document. Recursion is bounded by JSON_DEPTH_MAX. */
#include "table/json_row.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "table/decimal.h"

#define NONE UINT32_MAX
#define NODES_MAX (2 * TABLE_COLUMNS_MAX)
#define SLOTS 8192 /* a power of two above NODES_MAX */
#define PATH_BYTES_MAX 4096

struct node {
    str key; /* decoded, of the arena */
    uint32_t parent, column;
    uint32_t first, next; /* child, sibling */
    uint32_t expected;    /* the child that probably comes next */
};

struct json_row {
    struct names *names;
    struct arena arena;
    struct node nodes[NODES_MAX]; /* the first is the root */
    uint32_t node_count;
    uint16_t slots[SLOTS]; /* node + 1, by parent and key */
    struct table_cell cells[TABLE_COLUMNS_MAX];
    uint32_t set[TABLE_COLUMNS_MAX]; /* cells that the last row set */
    uint32_t set_count;
    uint64_t stamp, stamps[TABLE_COLUMNS_MAX]; /* the row that set a cell last */
    struct buffer scratch; /* texts that had escapes, numbers without exponent */
    struct buffer key;     /* a key that had escapes */
    /* while a row is cut */
    const char *at, *end, *begin;
    unsigned depth;
    struct problem *problem;
};

err json_row_new(struct json_row **out, struct names *names)
{
    struct json_row *row = memory_alloc(sizeof(*row));
    if (row == NULL)
        return ERR_NOMEM;
    row->names = names;
    arena_init(&row->arena, "table_keys", 16u * 1024 * 1024);
    buffer_init(&row->scratch, 4 * (size_t)TABLE_ROW_BYTES_MAX);
    buffer_init(&row->key, TABLE_ROW_BYTES_MAX);
    row->nodes[0] = (struct node){
        .parent = NONE, .column = NONE, .first = NONE, .next = NONE, .expected = NONE
    };
    row->node_count = 1;
    *out = row;
    return ERR_OK;
}

void json_row_free(struct json_row **out)
{
    struct json_row *row = *out;
    if (row == NULL)
        return;
    buffer_deinit(&row->scratch);
    buffer_deinit(&row->key);
    arena_deinit(&row->arena);
    memory_free(row);
    *out = NULL;
}

static err refuse(struct json_row *row, const char *why)
{
    return problem_set(row->problem, ERR_INVALID, "not valid JSON at byte %zu: %s",
                       (size_t)(row->at - row->begin), why);
}

/* ---- keys ---- */

static uint16_t *slot_of(struct json_row *row, uint32_t parent, str key)
{
    uint32_t slot = (uint32_t)XXH3_64bits_withSeed(key.data, key.size, parent) & (SLOTS - 1);
    while (row->slots[slot] != 0) {
        const struct node *node = &row->nodes[row->slots[slot] - 1];
        if (node->parent == parent && str_equal(node->key, key))
            break;
        slot = (slot + 1) & (SLOTS - 1);
    }
    return &row->slots[slot];
}

static err add_node(struct json_row *row, uint32_t parent, str key, uint32_t *out)
{
    struct node *node = &row->nodes[row->node_count];
    if (row->node_count == NODES_MAX) {
        problem_set(row->problem, ERR_INVALID, "the rows have more than %d different keys",
                    TABLE_COLUMNS_MAX);
        return problem_hint(row->problem, ERR_INVALID,
                            "keys name columns; what differs from row to row should be a value");
    }
    *node = (struct node){
        .parent = parent, .column = NONE, .first = NONE, .next = NONE, .expected = NONE
    };
    if (arena_dup(&row->arena, key, &node->key) != ERR_OK)
        return problem_set(row->problem, ERR_NOMEM, "no memory for the keys of the file");
    uint32_t *link = &row->nodes[parent].first;
    while (*link != NONE)
        link = &row->nodes[*link].next;
    *link = row->node_count;
    *slot_of(row, parent, key) = (uint16_t)(row->node_count + 1);
    *out = row->node_count++;
    return ERR_OK;
}

static err find_node(struct json_row *row, uint32_t parent, str key, uint32_t *out)
{
    struct node *above = &row->nodes[parent];
    uint32_t found = above->expected;
    if (found == NONE || !str_equal(row->nodes[found].key, key)) {
        uint16_t slot = *slot_of(row, parent, key);
        found = slot != 0 ? slot - 1u : NONE;
    }
    if (found == NONE) {
        err error = add_node(row, parent, key, &found);
        if (error != ERR_OK)
            return error;
    }
    above->expected = row->nodes[found].next;
    *out = found;
    return ERR_OK;
}

/* "traits.phone" */
static void write_path(const struct json_row *row, uint32_t node, struct buffer *out)
{
    const struct node *this = &row->nodes[node];
    if (this->parent != 0) {
        write_path(row, this->parent, out);
        buffer_append_byte(out, '.');
    }
    buffer_append_str(out, this->key);
}

static err add_column(struct json_row *row, uint32_t node)
{
    struct buffer path;
    if (row->names->count == TABLE_COLUMNS_MAX) {
        problem_set(row->problem, ERR_INVALID, "the rows have more than %d different keys",
                    TABLE_COLUMNS_MAX);
        return problem_hint(row->problem, ERR_INVALID,
                            "keys name columns; what differs from row to row should be a value");
    }
    buffer_init(&path, TABLE_ROW_BYTES_MAX);
    write_path(row, node, &path);
    err error = buffer_status(&path);
    if (error == ERR_OK)
        error = names_add(row->names, buffer_str(&path), row->problem);
    buffer_deinit(&path);
    if (error == ERR_OK)
        row->nodes[node].column = row->names->count - 1;
    return error;
}

static err set_cell(struct json_row *row, uint32_t node, enum cell_kind kind, str text)
{
    if (row->nodes[node].column == NONE) {
        err error = add_column(row, node);
        if (error != ERR_OK)
            return error;
    }
    uint32_t column = row->nodes[node].column;
    row->cells[column] =
        (struct table_cell){ .kind = text.size > 0 ? kind : CELL_EMPTY, .text = text };
    /* Of a key that comes twice the last one counts. */
    if (row->stamps[column] != row->stamp) {
        row->stamps[column] = row->stamp;
        row->set[row->set_count++] = column;
    }
    return ERR_OK;
}

/* ---- tokens ---- */

static inline void skip_space(struct json_row *row)
{
    while (row->at < row->end &&
           (*row->at == ' ' || *row->at == '\n' || *row->at == '\r' || *row->at == '\t'))
        row->at++;
}

static inline bool take(struct json_row *row, char byte)
{
    if (row->at == row->end || *row->at != byte)
        return false;
    row->at++;
    return true;
}

/* The next quote, backslash or control character. */
static inline const char *find_special(const char *at, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'),
                  control = _mm_set1_epi8(0x1F);
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i found =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, back)),
                         _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        int mask = _mm_movemask_epi8(found);
        if (mask != 0)
            return at + __builtin_ctz((unsigned)mask);
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

static int hex_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* Four hex digits at row->at; -1 if they are not. */
static int32_t take_unit(struct json_row *row)
{
    int32_t unit = 0;
    if (row->end - row->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(row->at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    row->at += 4;
    return unit;
}

static void append_character(struct buffer *out, uint32_t character)
{
    if (character < 0x80) {
        buffer_append_byte(out, (uint8_t)character);
    } else if (character < 0x800) {
        buffer_append_byte(out, (uint8_t)(0xC0 | character >> 6));
        buffer_append_byte(out, (uint8_t)(0x80 | (character & 0x3F)));
    } else if (character < 0x10000) {
        buffer_append_byte(out, (uint8_t)(0xE0 | character >> 12));
        buffer_append_byte(out, (uint8_t)(0x80 | (character >> 6 & 0x3F)));
        buffer_append_byte(out, (uint8_t)(0x80 | (character & 0x3F)));
    } else {
        buffer_append_byte(out, (uint8_t)(0xF0 | character >> 18));
        buffer_append_byte(out, (uint8_t)(0x80 | (character >> 12 & 0x3F)));
        buffer_append_byte(out, (uint8_t)(0x80 | (character >> 6 & 0x3F)));
        buffer_append_byte(out, (uint8_t)(0x80 | (character & 0x3F)));
    }
}

static err take_unicode(struct json_row *row, struct buffer *out)
{
    int32_t unit = take_unit(row);
    if (unit < 0)
        return refuse(row, "\\u without four hex digits");
    if (unit == 0)
        return refuse(row, "a NUL in a text");
    if (unit >= 0xDC00 && unit < 0xE000)
        return refuse(row, "half a surrogate pair");
    uint32_t character = (uint32_t)unit;
    if (unit >= 0xD800 && unit < 0xDC00) {
        int32_t low = take(row, '\\') && take(row, 'u') ? take_unit(row) : -1;
        if (low < 0xDC00 || low >= 0xE000)
            return refuse(row, "half a surrogate pair");
        character = 0x10000 + (((uint32_t)unit - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
    }
    append_character(out, character);
    return ERR_OK;
}

/* Behind the backslash. */
static err take_escape(struct json_row *row, struct buffer *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (take(row, 'u'))
        return take_unicode(row, out);
    const char *found = row->at < row->end && *row->at != '\0' ? strchr(from, *row->at) : NULL;
    if (found == NULL)
        return refuse(row, "an escape that JSON does not have");
    row->at++;
    buffer_append_byte(out, (uint8_t)to[found - from]);
    return ERR_OK;
}

/* The text behind the opening quote; `scratch` takes it when it has escapes. */
static err take_text(struct json_row *row, struct buffer *scratch, str *out)
{
    const char *begin = row->at;
    size_t kept = scratch->size;
    bool escaped = false;
    for (;;) {
        const char *special = find_special(row->at, row->end);
        if (escaped)
            buffer_append(scratch, row->at, (size_t)(special - row->at));
        row->at = special;
        if (special == row->end)
            return refuse(row, "a text that does not end");
        if (*special == '"')
            break;
        if (*special != '\\')
            return refuse(row, "a control character in a text");
        if (!escaped)
            buffer_append(scratch, begin, (size_t)(special - begin));
        escaped = true;
        row->at++;
        err error = take_escape(row, scratch);
        if (error != ERR_OK)
            return error;
    }
    if (scratch->failed)
        return problem_set(row->problem, ERR_NOMEM, "no memory for a row");
    *out = escaped ? str_from_bytes(scratch->data + kept, scratch->size - kept)
                   : str_from_bytes(begin, (size_t)(row->at - begin));
    row->at++;
    return ERR_OK;
}

static size_t count_digits(const char *at, const char *end)
{
    size_t count = 0;
    while (at + count < end && at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static err take_number(struct json_row *row, str *out, bool *exponent)
{
    const char *begin = row->at;
    take(row, '-');
    size_t whole = count_digits(row->at, row->end);
    if (whole == 0 || (whole > 1 && *row->at == '0'))
        return refuse(row, whole == 0 ? "not a value" : "a number with a leading zero");
    row->at += whole;
    if (take(row, '.')) {
        size_t fraction = count_digits(row->at, row->end);
        if (fraction == 0)
            return refuse(row, "a number without digits behind its point");
        row->at += fraction;
    }
    *exponent = take(row, 'e') || take(row, 'E');
    if (*exponent) {
        if (!take(row, '+'))
            take(row, '-');
        size_t digits = count_digits(row->at, row->end);
        if (digits == 0)
            return refuse(row, "a number without digits in its exponent");
        row->at += digits;
    }
    *out = str_from_bytes(begin, (size_t)(row->at - begin));
    return ERR_OK;
}

static bool take_word(struct json_row *row, str word)
{
    if (!str_starts_with(str_from_bytes(row->at, (size_t)(row->end - row->at)), word))
        return false;
    row->at += word.size;
    return true;
}

/* ---- values ---- */

static err pass_value(struct json_row *row);

/* Members of a list or object inside a list: checked, not cut. */
static err pass_members(struct json_row *row, char close)
{
    str text;
    skip_space(row);
    if (take(row, close))
        return ERR_OK;
    do {
        skip_space(row);
        buffer_clear(&row->key);
        if (close == '}') {
            if (!take(row, '"'))
                return refuse(row, "a key is missing");
            err error = take_text(row, &row->key, &text);
            if (error != ERR_OK)
                return error;
            skip_space(row);
            if (!take(row, ':'))
                return refuse(row, "':' is missing");
        }
        err error = pass_value(row);
        if (error != ERR_OK)
            return error;
        skip_space(row);
    } while (take(row, ','));
    return take(row, close) ? ERR_OK : refuse(row, "',' or a closing bracket is missing");
}

static err pass_container(struct json_row *row, char close)
{
    if (row->depth == JSON_DEPTH_MAX)
        return refuse(row, "deeper than 64");
    row->depth++;
    err error = pass_members(row, close);
    row->depth--;
    return error;
}

static err pass_value(struct json_row *row)
{
    str text = STR_NONE;
    bool exponent = false;
    skip_space(row);
    if (take(row, '"')) {
        buffer_clear(&row->key);
        return take_text(row, &row->key, &text);
    }
    if (take(row, '{'))
        return pass_container(row, '}');
    if (take(row, '['))
        return pass_container(row, ']');
    if (take_word(row, STR("true")) || take_word(row, STR("false")) || take_word(row, STR("null")))
        return ERR_OK;
    return take_number(row, &text, &exponent);
}

static err cut_text(struct json_row *row, uint32_t node)
{
    str text = STR_NONE;
    err error = take_text(row, &row->scratch, &text);
    return error == ERR_OK ? set_cell(row, node, CELL_TEXT, text) : error;
}

static err cut_list(struct json_row *row, uint32_t node)
{
    const char *begin = row->at - 1;
    err error = pass_container(row, ']');
    if (error != ERR_OK)
        return error;
    return set_cell(row, node, CELL_JSON, str_from_bytes(begin, (size_t)(row->at - begin)));
}

/* Cells point into `scratch`, which must not move: what is left of the row may need room there, too. */
static bool has_room(const struct json_row *row, const struct decimal *decimal)
{
    size_t needed =
        decimal->count + (size_t)(decimal->point < 0 ? -decimal->point : decimal->point);
    size_t rest = (size_t)(row->end - row->at);
    return needed + rest + 8 < row->scratch.capacity - row->scratch.size;
}

/* An exponent was written by a program that had a double: beyond 2^53 its digits are not to be trusted. */
static err cut_number(struct json_row *row, uint32_t node)
{
    str text = STR_NONE;
    bool exponent = false;
    struct decimal decimal;
    err error = take_number(row, &text, &exponent);
    if (error != ERR_OK)
        return error;
    if (!exponent || !decimal_parse(text, &decimal))
        return set_cell(row, node, CELL_NUMBER, text);
    if (decimal_is_beyond_double(&decimal))
        return set_cell(row, node, CELL_LOST, text);
    size_t kept = row->scratch.size;
    if (has_room(row, &decimal) && decimal_write(&decimal, &row->scratch))
        text = str_from_bytes(row->scratch.data + kept, row->scratch.size - kept);
    return set_cell(row, node, CELL_NUMBER, text);
}

static err cut_object(struct json_row *row, uint32_t node);

static err cut_value(struct json_row *row, uint32_t node)
{
    skip_space(row);
    if (take(row, '"'))
        return cut_text(row, node);
    if (take(row, '{'))
        return cut_object(row, node);
    if (take(row, '['))
        return cut_list(row, node);
    if (take_word(row, STR("true")))
        return set_cell(row, node, CELL_BOOL, STR("true"));
    if (take_word(row, STR("false")))
        return set_cell(row, node, CELL_BOOL, STR("false"));
    if (take_word(row, STR("null")))
        return set_cell(row, node, CELL_EMPTY, STR_NONE);
    return cut_number(row, node);
}

static err cut_member(struct json_row *row, uint32_t parent)
{
    str key = STR_NONE;
    uint32_t node;
    skip_space(row);
    if (!take(row, '"'))
        return refuse(row, "a key is missing");
    buffer_clear(&row->key);
    err error = take_text(row, &row->key, &key);
    if (error != ERR_OK)
        return error;
    skip_space(row);
    if (!take(row, ':'))
        return refuse(row, "':' is missing");
    error = find_node(row, parent, key, &node);
    return error == ERR_OK ? cut_value(row, node) : error;
}

static err cut_object(struct json_row *row, uint32_t node)
{
    if (row->depth == JSON_DEPTH_MAX)
        return refuse(row, "deeper than 64");
    row->depth++;
    row->nodes[node].expected = row->nodes[node].first;
    skip_space(row);
    if (!take(row, '}')) {
        do {
            err error = cut_member(row, node);
            if (error != ERR_OK)
                return error;
            skip_space(row);
        } while (take(row, ','));
        if (!take(row, '}'))
            return refuse(row, "',' or '}' is missing");
    }
    row->depth--;
    return ERR_OK;
}

static void clear_cells(struct json_row *row)
{
    for (uint32_t i = 0; i < row->set_count; i++)
        row->cells[row->set[i]] = (struct table_cell){ .kind = CELL_EMPTY };
    row->set_count = 0;
    row->stamp++;
    buffer_clear(&row->scratch);
}

err json_row_cut(struct json_row *row, str text, const struct table_cell **cells,
                 struct problem *problem)
{
    clear_cells(row);
    row->begin = row->at = text.data;
    row->end = text.data + text.size;
    row->problem = problem;
    row->depth = 0;
    /* Texts with escapes get shorter; numbers without exponent may get longer. */
    if (buffer_reserve(&row->scratch, 2 * text.size + 4096) == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a row");
    skip_space(row);
    if (!take(row, '{'))
        return refuse(row, "a row is an object, {…}");
    err error = cut_object(row, 0);
    skip_space(row);
    if (error == ERR_OK && row->at != row->end)
        error = refuse(row, "something follows the object");
    *cells = row->cells;
    return error;
}
