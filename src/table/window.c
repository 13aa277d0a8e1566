/* SPDX-License-Identifier: Apache-2.0 */
/* window: filling the view of a text file: unpack, decode, check. */
#include "table/window.h"

#include <string.h>

#include "base/arena.h"

#define BOM "\xEF\xBB\xBF"

static err refuse_memory(struct problem *problem)
{
    return problem_set(problem, ERR_NOMEM, "no memory to read the file");
}

/* The decoders turn a UTF-16 mark into a UTF-8 one. */
static err skip_byte_order_mark(struct window *window, struct problem *problem)
{
    while (!window->ended && window->end < 3) {
        size_t moved;
        err error = window_fill(window, &moved, problem);
        if (error != ERR_OK)
            return error;
    }
    if (window->end >= 3 && memcmp(window->data, BOM, 3) == 0)
        window->begin = 3;
    return ERR_OK;
}

err window_open(struct window *window, const char *path, const struct table_form *form,
                size_t chunk_bytes, struct problem *problem)
{
    memset(window, 0, sizeof(*window));
    window->encoding = form->encoding;
    window->chunk_bytes = chunk_bytes > 0 ? chunk_bytes : WINDOW_CHUNK_BYTES;
    err error = decode_prepare(form->encoding, problem);
    if (error == ERR_OK)
        error = unpack_open(&window->unpack, path, form->packing, problem);
    if (error != ERR_OK)
        return error;
    window->capacity = DECODE_GROWTH * window->chunk_bytes + 64;
    window->data = memory_alloc(window->capacity + WINDOW_SLACK);
    if (window->encoding != TABLE_UTF8)
        window->encoded = memory_alloc(window->chunk_bytes + 8);
    if (window->data == NULL || (window->encoding != TABLE_UTF8 && window->encoded == NULL))
        error = refuse_memory(problem);
    if (error == ERR_OK)
        error = skip_byte_order_mark(window, problem);
    if (error != ERR_OK)
        window_close(window);
    return error;
}

err window_open_text(struct window *window, str text)
{
    memset(window, 0, sizeof(*window));
    window->in_memory = true;
    window->unpack.fd = -1;
    window->capacity = text.size;
    window->data = memory_alloc(text.size + WINDOW_SLACK);
    if (window->data == NULL)
        return ERR_NOMEM;
    if (text.size > 0)
        memcpy(window->data, text.data, text.size);
    window->end = text.size;
    window->ended = true;
    bool cut;
    size_t valid = decode_utf8_valid(window->data, window->end, &cut);
    window->bad_begin = valid;
    window->bad_end = window->end;
    if (str_starts_with(text, STR(BOM)))
        window->begin = 3;
    return ERR_OK;
}

void window_close(struct window *window)
{
    if (!window->in_memory)
        unpack_close(&window->unpack);
    memory_free(window->data);
    memory_free(window->encoded);
    window->data = window->encoded = NULL;
}

/* ---- filling ---- */

/* Forget what was given out, then grow if there still is not room enough. */
static err make_room(struct window *window, size_t room, size_t *moved, struct problem *problem)
{
    *moved = 0;
    if (window->capacity - window->end >= room)
        return ERR_OK;
    if (window->begin > 0) {
        memmove(window->data, window->data + window->begin, window->end - window->begin);
        *moved = window->begin;
        window->base += window->begin;
        window->end -= window->begin;
        window->checked -= window->checked < window->begin ? window->checked : window->begin;
        window->begin = 0;
    }
    if (window->capacity - window->end >= room)
        return ERR_OK;
    size_t capacity = 2 * window->capacity;
    if (capacity - window->end < room)
        capacity = window->end + room;
    if (capacity > WINDOW_BYTES_MAX)
        capacity = WINDOW_BYTES_MAX;
    INVARIANT(capacity - window->end >= room); /* callers let no row grow beyond its limit */
    char *data = memory_resize(window->data, capacity + WINDOW_SLACK);
    if (data == NULL)
        return refuse_memory(problem);
    window->data = data;
    window->capacity = capacity;
    return ERR_OK;
}

static void mark_bad(struct window *window, size_t from, size_t to)
{
    /* What lies before the window will not be asked for again. */
    if (window->bad_end <= window->base + window->begin)
        window->bad_begin = window->base + from;
    window->bad_end = window->base + to;
}

/* Check what came new; a character that the end cuts waits for the rest of it. */
static void check_utf8(struct window *window)
{
    bool cut;
    size_t left = window->end - window->checked;
    size_t valid = decode_utf8_valid(window->data + window->checked, left, &cut);
    if (valid == left || (cut && !window->ended)) {
        window->checked += valid;
        return;
    }
    mark_bad(window, window->checked + valid, window->end);
    str rest = str_from_bytes(window->data + window->checked, left);
    window->checked += window->ended ? left : str_utf8_prefix_bytes(rest, left);
}

static err fill_utf8(struct window *window, struct problem *problem)
{
    size_t size = 0;
    err error = unpack_read(&window->unpack, window->data + window->end, window->chunk_bytes, &size,
                            problem);
    window->end += size;
    window->ended = error == ERR_OK && size == 0;
    check_utf8(window);
    return error;
}

static size_t decode_some(struct window *window, size_t *taken, bool *bad)
{
    char *out = window->data + window->end;
    return decode_text(window->encoding, window->encoded, window->encoded_size,
                       window->encoded_ended, out, taken, bad);
}

static err fill_decoded(struct window *window, struct problem *problem)
{
    size_t size = 0, taken = 0, before = window->end;
    bool bad = false, cut;
    err error = unpack_read(&window->unpack, window->encoded + window->encoded_size,
                            window->chunk_bytes + 8 - window->encoded_size, &size, problem);
    if (error != ERR_OK)
        return error;
    window->encoded_ended = size == 0;
    window->encoded_size += size;
    window->end += decode_some(window, &taken, &bad);
    window->encoded_size -= taken;
    memmove(window->encoded, window->encoded + taken, window->encoded_size);
    window->ended = window->encoded_ended;
    /* What was decoded is UTF-8, but NUL is no text. */
    size_t valid = decode_utf8_valid(window->data + before, window->end - before, &cut);
    if (valid < window->end - before)
        mark_bad(window, before + valid, window->end);
    return ERR_OK;
}

err window_fill(struct window *window, size_t *moved, struct problem *problem)
{
    *moved = 0;
    if (window->ended)
        return ERR_OK;
    err error = make_room(window, DECODE_GROWTH * window->chunk_bytes + 32, moved, problem);
    if (error != ERR_OK)
        return error;
    return window->encoding == TABLE_UTF8 ? fill_utf8(window, problem)
                                          : fill_decoded(window, problem);
}
