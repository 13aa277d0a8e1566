/* SPDX-License-Identifier: Apache-2.0 */
/* events_native: blocks of columns, made from sorted rows. */
#include "store/events_native.h"

#include <string.h>

#include "base/arena.h"
#include "store/event_columns.h"

#define BLOCK_ROWS 8192
#define HEAD_BYTES 96
#define AHEAD 6

/* A column of the block that is being sent. */
struct native_column {
    char head[HEAD_BYTES]; /* name and type */
    size_t head_size;
    char *ends; /* FORM_LIST: UInt64 per row */
    char *data;
    size_t size, capacity;
    uint64_t elements;
};

struct native_stream {
    struct row_order order;
    size_t next_row;
    size_t block_rows;
    struct native_column columns[EVENT_COLUMNS_MAX];
    char block_head[24];
    size_t block_head_size;
    /* Sending: the block's head, then three pieces for each column. */
    int piece;
    size_t within;
};

static char *put_varint(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)(uint8_t)value;
    return at;
}

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    at = put_varint(at, size);
    memcpy(at, text, size);
    return at + size;
}

/* ---- filling ---- */

static bool make_room(struct native_column *column, size_t size)
{
    if (__builtin_expect(column->capacity - column->size >= size, true))
        return true;
    size_t capacity = (column->capacity + size) * 2;
    char *data = memory_resize(column->data, capacity);
    if (data == NULL)
        return false;
    column->data = data;
    column->capacity = capacity;
    return true;
}

static bool put(struct native_column *column, const char *bytes, size_t size)
{
    if (!make_room(column, size))
        return false;
    if (size > 0)
        memcpy(column->data + column->size, bytes, size);
    column->size += size;
    return true;
}

/* Rows were checked when they were sorted: no end is looked for here. */
static const char *skip_varint(const char *at, uint64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = (uint8_t)*at++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    *value = result;
    return at;
}

static const char *fill_list(struct native_column *column, size_t row, const char *at)
{
    uint64_t count;
    at = skip_varint(at, &count);
    size_t size = (size_t)count * sizeof(uint32_t);
    column->elements += count;
    memcpy(column->ends + row * sizeof(uint64_t), &column->elements, sizeof(uint64_t));
    return put(column, at, size) ? at + size : NULL;
}

/* Most columns of most rows: copies of a size that the compiler knows. */
#define FILL_FIXED(name, bytes)                                           \
    static const char *name(struct native_column *column, const char *at) \
    {                                                                     \
        if (!make_room(column, bytes))                                    \
            return NULL;                                                  \
        memcpy(column->data + column->size, at, bytes);                   \
        column->size += (bytes);                                          \
        return at + (bytes);                                              \
    }
FILL_FIXED(fill_1, 1)
FILL_FIXED(fill_4, 4)
FILL_FIXED(fill_8, 8)
FILL_FIXED(fill_16, 16)

/* In the row as in the column: its size, then its bytes. The empty text is a zero. */
static const char *fill_text(struct native_column *column, const char *at)
{
    uint64_t size;
    if (*at == 0)
        return fill_1(column, at);
    const char *bytes = skip_varint(at, &size);
    size_t whole = (size_t)(bytes - at) + (size_t)size;
    return put(column, at, whole) ? at + whole : NULL;
}

static const char *fill(struct native_column *column, enum column_form form, size_t row,
                        const char *at)
{
    switch (form) {
    case FORM_U8:
        return fill_1(column, at);
    case FORM_U32:
        return fill_4(column, at);
    case FORM_U64:
    case FORM_I64:
        return fill_8(column, at);
    case FORM_KEY:
        return fill_16(column, at);
    case FORM_TEXT:
        return fill_text(column, at);
    case FORM_LIST:
        break;
    }
    return fill_list(column, row, at);
}

static bool fill_row(struct native_stream *stream, size_t row, const struct row_place *place)
{
    const char *at = stream->order.bytes + place->offset;
    const char *end = at + place->size;
    for (int i = 0; i < event_column_count && at != NULL; i++)
        at = fill(&stream->columns[i], event_columns[i].form, row, at);
    INVARIANT(at == NULL || at == end);
    return at != NULL;
}

static bool fill_block(struct native_stream *stream)
{
    const struct row_order *order = &stream->order;
    size_t left = order->count - stream->next_row;
    stream->block_rows = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    for (int i = 0; i < event_column_count; i++) {
        stream->columns[i].size = 0;
        stream->columns[i].elements = 0;
    }
    for (size_t row = 0; row < stream->block_rows; row++, stream->next_row++) {
        /* Rows lie far apart: those to come are fetched while one is copied. */
        if (stream->next_row + AHEAD < order->count)
            __builtin_prefetch(order->bytes +
                               order->places[order->order[stream->next_row + AHEAD]].offset);
        if (!fill_row(stream, row, &order->places[order->order[stream->next_row]]))
            return false;
    }
    char *end = put_varint(stream->block_head, (uint64_t)event_column_count);
    end = put_varint(end, stream->block_rows);
    stream->block_head_size = (size_t)(end - stream->block_head);
    stream->piece = 0;
    stream->within = 0;
    return true;
}

/* ---- sending ---- */

/* Piece 0 is the block's head; column i has its head, its ends, its data. */
static str piece_of(const struct native_stream *stream, int piece)
{
    if (piece == 0)
        return (str){ stream->block_head, stream->block_head_size };
    const struct native_column *column = &stream->columns[(piece - 1) / 3];
    switch ((piece - 1) % 3) {
    case 0:
        return (str){ column->head, column->head_size };
    case 1:
        return column->ends != NULL ? (str){ column->ends, stream->block_rows * sizeof(uint64_t) }
                                    : STR_NONE;
    default:
        return (str){ column->data, column->size };
    }
}

size_t native_stream_read(void *context, char *out, size_t room)
{
    struct native_stream *stream = context;
    int pieces = 1 + 3 * event_column_count;
    size_t written = 0;
    while (written < room) {
        if (stream->block_rows == 0 || stream->piece == pieces) {
            if (stream->next_row == stream->order.count)
                break;
            if (!fill_block(stream))
                return NATIVE_FAILED;
        }
        str piece = piece_of(stream, stream->piece);
        size_t left = piece.size - stream->within;
        size_t size = left < room - written ? left : room - written;
        if (size > 0)
            memcpy(out + written, piece.data + stream->within, size);
        written += size;
        stream->within += size;
        if (stream->within == piece.size) {
            stream->piece++;
            stream->within = 0;
        }
    }
    return written;
}

/* ---- life ---- */

static bool prepare(struct native_stream *stream)
{
    for (int i = 0; i < event_column_count; i++) {
        const struct event_column *known = &event_columns[i];
        struct native_column *column = &stream->columns[i];
        bool dictionary = str_starts_with(str_from_c(known->type), STR("LowCardinality"));
        char *end = put_text(column->head, known->name);
        end = put_text(end, dictionary ? "String" : known->type);
        column->head_size = (size_t)(end - column->head);
        INVARIANT(column->head_size <= HEAD_BYTES);
        if (known->form == FORM_LIST) {
            column->ends = memory_alloc(BLOCK_ROWS * sizeof(uint64_t));
            if (column->ends == NULL)
                return false;
        }
    }
    return true;
}

err native_stream_new_share(struct native_stream **out, str rows, uint32_t shard, uint32_t shards,
                            struct problem *problem)
{
    INVARIANT(event_column_count <= EVENT_COLUMNS_MAX);
    struct native_stream *stream = memory_alloc(sizeof(*stream));
    if (stream == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to insert rows");
    err error = row_order_make(&stream->order, rows, shard, shards, problem);
    if (error == ERR_OK && !prepare(stream))
        error = problem_set(problem, ERR_NOMEM, "no memory to insert rows");
    if (error != ERR_OK)
        native_stream_free(&stream);
    else
        *out = stream;
    return error;
}

err native_stream_new(struct native_stream **out, str rows, struct problem *problem)
{
    return native_stream_new_share(out, rows, 0, 1, problem);
}

size_t native_stream_rows(const struct native_stream *stream)
{
    return stream->order.count;
}

void native_stream_free(struct native_stream **out)
{
    struct native_stream *stream = *out;
    *out = NULL;
    if (stream == NULL)
        return;
    for (int i = 0; i < event_column_count; i++) {
        memory_free(stream->columns[i].ends);
        memory_free(stream->columns[i].data);
    }
    row_order_free(&stream->order);
    memory_free(stream);
}
