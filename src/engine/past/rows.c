/* SPDX-License-Identifier: Apache-2.0 */
/* rows: a RowBinary answer of the warehouse, read row by row; see rows.h. */
#include "engine/past/rows.h"

#include <string.h>

#include "base/clock.h"
#include "base/logline.h"

#define ROW_BYTES_MAX ((size_t)256 << 20)

struct row_stream {
    struct buffer rest; /* the beginning of a row whose end has not come */
    row_taker take;
    void *context;
    err error;
    uint64_t rows;
};

/* Rows that are whole in `bytes`; how many bytes they took. */
static size_t take_rows(struct row_stream *stream, str bytes)
{
    struct cursor cursor = cursor_over(bytes);
    size_t taken = 0;
    while (stream->error == ERR_OK && cursor_left(&cursor) > 0) {
        stream->error = stream->take(stream->context, &cursor);
        if (cursor.failed) {
            stream->error = ERR_OK;
            break;
        }
        taken = bytes.size - cursor_left(&cursor);
        stream->rows++;
    }
    return taken;
}

static bool take_chunk(void *context, str bytes)
{
    struct row_stream *stream = context;
    buffer_append_str(&stream->rest, bytes);
    stream->error = buffer_status(&stream->rest);
    if (stream->error != ERR_OK)
        return false;
    size_t taken = take_rows(stream, buffer_str(&stream->rest));
    memmove(stream->rest.data, stream->rest.data + taken, stream->rest.size - taken);
    stream->rest.size -= taken;
    return stream->error == ERR_OK;
}

err rows_stream(struct warehouse *warehouse, const char *name, const char *sql, row_taker take,
                void *context, struct problem *problem)
{
    struct row_stream stream = { .take = take, .context = context };
    steady_ns start = steady_now();
    buffer_init(&stream.rest, ROW_BYTES_MAX);
    err error = warehouse_stream(warehouse, str_from_c(sql), NULL, 0, take_chunk, &stream, problem);
    if (stream.error != ERR_OK)
        error = stream.error;
    if (error == ERR_OK && stream.rest.size != 0)
        error = problem_set(problem, ERR_CORRUPT, "the warehouse's answer ends within a row");
    buffer_deinit(&stream.rest);
    if (name != NULL)
        log_line(LOG_INFO, name, "rows=%llu ms=%lld", (unsigned long long)stream.rows,
                 (long long)steady_since_ms(start));
    return error;
}

void rows_quote(struct buffer *sql, str text)
{
    buffer_append_byte(sql, '\'');
    for (size_t index = 0; index < text.size; index++) {
        if (text.data[index] == '\'' || text.data[index] == '\\')
            buffer_append_byte(sql, '\\');
        buffer_append_byte(sql, (uint8_t)text.data[index]);
    }
    buffer_append_byte(sql, '\'');
}
