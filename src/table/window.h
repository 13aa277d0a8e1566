/* SPDX-License-Identifier: Apache-2.0 */
/* window: a moving view of a text file in UTF-8, in which a row lies in one piece. Private to table/.
 *
 *     data                                        capacity
 *     | given out |  begin …  the row  … | end … | slack |
 *
 * What stands before `begin` may be forgotten by window_fill, which then moves the rest to the front: offsets into
 * `data` shrink by what it returns in *moved. Behind `end` there are WINDOW_SLACK bytes that may be read,
 * whatever they hold.
 *
 * Where bytes could not be decoded is known as one range of the file: rows outside it need no check of their
 * own. */
#ifndef KITH_TABLE_WINDOW_H
#define KITH_TABLE_WINDOW_H

#include "table/decode.h"
#include "table/unpack.h"

#define WINDOW_SLACK 64
#define WINDOW_CHUNK_BYTES (256 * 1024)
/* A row of the largest size, and what is read beyond it. */
#define WINDOW_BYTES_MAX (TABLE_ROW_BYTES_MAX + 2 * DECODE_GROWTH * WINDOW_CHUNK_BYTES)

struct window {
    struct unpack unpack;
    bool in_memory; /* no file behind it */
    enum table_encoding encoding;
    size_t chunk_bytes; /* taken from the file at a time */

    char *data;
    size_t begin, end, capacity;
    uint64_t base; /* of the decoded text: where data[0] stands */
    bool ended;    /* nothing comes behind `end` */

    char *encoded; /* not UTF-8: bytes that wait to be decoded */
    size_t encoded_size;
    bool encoded_ended;

    size_t checked; /* UTF-8: up to here the text is known to be good or bad */
    uint64_t bad_begin, bad_end;
};

/* Passes over a byte order mark. chunk_bytes 0: WINDOW_CHUNK_BYTES. */
err window_open(struct window *window, const char *path, const struct table_form *form,
                size_t chunk_bytes, struct problem *problem) MUST_USE;
/* Over UTF-8 in memory, copied. */
err window_open_text(struct window *window, str text) MUST_USE;
void window_close(struct window *window);

/* Read on: `end` grows, or `ended` is set. Offsets that the caller holds shrink by *moved. There may be at most
 * TABLE_ROW_BYTES_MAX behind `begin`: whoever finds more has to let go of some first. */
err window_fill(struct window *window, size_t *moved, struct problem *problem) MUST_USE;

/* Whether bytes of data[from…to) may be bad. */
static inline bool window_is_suspect(const struct window *window, size_t from, size_t to)
{
    return window->bad_end > window->bad_begin && window->base + to > window->bad_begin &&
           window->base + from < window->bad_end;
}

#endif
