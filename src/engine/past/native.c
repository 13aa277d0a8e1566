/* SPDX-License-Identifier: Apache-2.0 */
/* native: columns of the warehouse's answers, block by block; see native.h.
 *
 * How far a block has been walked is kept between pieces, so that each text is passed once however small the pieces are. */
#include "engine/past/native.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/logline.h"

#define BLOCK_BYTES_MAX ((size_t)512 << 20)

struct native_reader {
    struct buffer rest; /* of blocks that are not whole yet */
    native_taker take;
    void *context;
    uint64_t rows;
    /* of the block that begins at rest.data */
    bool has_head;
    size_t at; /* bytes walked */
    uint64_t row_count, column_count;
    uint32_t column; /* the next, or the one that is being walked */
    bool in_column;  /* its head has been read */
    uint64_t text;   /* the next row of a column of texts */
    struct native_block block;
    size_t begins[NATIVE_COLUMNS_MAX]; /* the buffer may move: places of data */
};

err native_reader_new(struct native_reader **reader, native_taker take, void *context)
{
    struct native_reader *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->take = take;
    made->context = context;
    buffer_init(&made->rest, BLOCK_BYTES_MAX);
    *reader = made;
    return ERR_OK;
}

void native_reader_free(struct native_reader **reader)
{
    if (*reader == NULL)
        return;
    buffer_deinit(&(*reader)->rest);
    memory_free(*reader);
    *reader = NULL;
}

/* ---- walking: false while something is lacking ---- */

static struct cursor cursor_of(const struct native_reader *reader)
{
    return cursor_over(str_slice(buffer_str(&reader->rest), reader->at, reader->rest.size));
}

static void walked(struct native_reader *reader, const struct cursor *cursor)
{
    reader->at = (size_t)((const char *)cursor->next - reader->rest.data);
}

static bool read_head(struct native_reader *reader)
{
    struct cursor cursor = cursor_of(reader);
    uint64_t columns = read_varint(&cursor), rows = read_varint(&cursor);
    if (cursor.failed)
        return false;
    reader->column_count = columns;
    reader->row_count = rows;
    reader->column = 0;
    reader->in_column = false;
    reader->has_head = true;
    walked(reader, &cursor);
    return true;
}

static bool width_of(str type, uint32_t *width)
{
    static const struct {
        const char *type;
        uint32_t width;
    } types[] = {
        { "String", 0 }, { "UInt8", 1 }, { "UInt32", 4 }, { "Int64", 8 }, { "UInt64", 8 }
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        *width = types[i].width;
        if (str_equal(type, str_from_c(types[i].type)))
            return true;
    }
    return false;
}

static bool read_column_head(struct native_reader *reader, err *error)
{
    struct cursor cursor = cursor_of(reader);
    struct native_column *column = &reader->block.columns[reader->column];
    (void)read_text(&cursor);
    str type = read_text(&cursor);
    if (cursor.failed)
        return false;
    if (!width_of(type, &column->width)) {
        *error = ERR_CORRUPT;
        return false;
    }
    walked(reader, &cursor);
    reader->begins[reader->column] = reader->at;
    reader->text = 0;
    reader->in_column = true;
    return true;
}

static bool walk_texts(struct native_reader *reader)
{
    struct cursor cursor = cursor_of(reader);
    for (; reader->text < reader->row_count; reader->text++) {
        struct cursor before = cursor;
        (void)read_text(&cursor);
        if (cursor.failed) {
            walked(reader, &before);
            return false;
        }
    }
    walked(reader, &cursor);
    return true;
}

static bool walk_column(struct native_reader *reader, err *error)
{
    struct native_column *column = &reader->block.columns[reader->column];
    if (!reader->in_column && !read_column_head(reader, error))
        return false;
    if (column->width == 0) {
        if (!walk_texts(reader))
            return false;
    } else {
        if (reader->rest.size - reader->at < reader->row_count * column->width)
            return false;
        reader->at += reader->row_count * column->width;
    }
    column->size = reader->at - reader->begins[reader->column];
    reader->in_column = false;
    reader->column++;
    return true;
}

static bool walk_block(struct native_reader *reader, err *error)
{
    if (!reader->has_head && !read_head(reader))
        return false;
    if (reader->column_count > NATIVE_COLUMNS_MAX || reader->row_count > BLOCK_BYTES_MAX) {
        *error = ERR_CORRUPT;
        return false;
    }
    while (reader->column < reader->column_count)
        if (!walk_column(reader, error))
            return false;
    return true;
}

static err give_block(struct native_reader *reader)
{
    struct native_block *block = &reader->block;
    block->row_count = (size_t)reader->row_count;
    block->column_count = (uint32_t)reader->column_count;
    for (uint32_t i = 0; i < block->column_count; i++)
        block->columns[i].data = (const uint8_t *)reader->rest.data + reader->begins[i];
    reader->has_head = false;
    reader->rows += reader->row_count;
    return block->row_count > 0 ? reader->take(reader->context, block) : ERR_OK;
}

/* ---- pieces ---- */

static void drop_walked(struct native_reader *reader, size_t bytes)
{
    memmove(reader->rest.data, reader->rest.data + bytes, reader->rest.size - bytes);
    reader->rest.size -= bytes;
    reader->at -= bytes;
    for (uint32_t i = 0; i < NATIVE_COLUMNS_MAX; i++)
        reader->begins[i] -= reader->begins[i] >= bytes ? bytes : reader->begins[i];
}

err native_reader_take(struct native_reader *reader, str bytes)
{
    size_t done = 0;
    buffer_append_str(&reader->rest, bytes);
    err error = buffer_status(&reader->rest);
    while (error == ERR_OK && reader->rest.size > reader->at && walk_block(reader, &error)) {
        error = give_block(reader);
        done = reader->at;
    }
    if (done > 0)
        drop_walked(reader, done);
    return error;
}

err native_reader_end(struct native_reader *reader, uint64_t *rows)
{
    *rows = reader->rows;
    return reader->rest.size == 0 && !reader->has_head ? ERR_OK : ERR_CORRUPT;
}

struct native_answer {
    struct native_reader *reader;
    err error;
};

static bool take_chunk(void *context, str bytes)
{
    struct native_answer *answer = context;
    answer->error = native_reader_take(answer->reader, bytes);
    return answer->error == ERR_OK;
}

err native_stream(struct warehouse *warehouse, const char *name, const char *sql, native_taker take,
                  void *context, struct problem *problem)
{
    struct native_answer answer = { .error = ERR_OK };
    steady_ns start = steady_now();
    uint64_t rows = 0;
    err error = native_reader_new(&answer.reader, take, context);
    if (error != ERR_OK)
        return error;
    error = warehouse_stream(warehouse, str_from_c(sql), NULL, 0, take_chunk, &answer, problem);
    if (answer.error != ERR_OK)
        error = answer.error;
    else if (native_reader_end(answer.reader, &rows) != ERR_OK && error == ERR_OK)
        error = ERR_CORRUPT;
    if (error == ERR_CORRUPT)
        problem_set(problem, ERR_CORRUPT, "the warehouse's answer is not in blocks of columns");
    native_reader_free(&answer.reader);
    if (name != NULL)
        log_line(LOG_INFO, name, "rows=%llu ms=%lld", (unsigned long long)rows,
                 (long long)steady_since_ms(start));
    return error;
}
