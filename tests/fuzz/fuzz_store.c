/* SPDX-License-Identifier: Apache-2.0 */
/* What the stores read: answers of the warehouse, statements for its child, rows on their way in. The
 * first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "store/child_inside.h"
#include "store/clickhouse.h"
#include "store/events_native.h"

static void read_exception(str text, bool tagged)
{
    struct clickhouse_exception exception;
    size_t data_bytes = 0;
    str tag = tagged ? STR("abcdefghijklmnop") : STR_NONE;
    if (clickhouse_find_exception(text, tag, &exception, &data_bytes)) {
        INVARIANT(data_bytes <= text.size);
        INVARIANT(exception.text.size <= text.size);
        INVARIANT(clickhouse_http_status(exception.code) >= 400);
        INVARIANT(clickhouse_error(exception.code) != ERR_OK);
    }
}

/* Whole rows go through in pieces of any size, and always as the same bytes. */
static void read_rows(str rows)
{
    struct problem problem;
    struct native_stream *stream = NULL;
    size_t sizes[2] = { 0 };
    uint64_t sums[2] = { 0 };
    for (int round = 0; round < 2; round++) {
        char piece[977];
        size_t room = round == 0 ? sizeof(piece) : 13, got;
        if (native_stream_new(&stream, rows, &problem) != ERR_OK)
            return;
        while ((got = native_stream_read(stream, piece, room)) > 0) {
            INVARIANT(got != NATIVE_FAILED && got <= room);
            for (size_t i = 0; i < got; i++)
                sums[round] = sums[round] * 31 + (uint8_t)piece[i];
            sizes[round] += got;
        }
        native_stream_free(&stream);
    }
    INVARIANT(sizes[0] == sizes[1] && sums[0] == sums[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    /* A copy of its own, so that reading past the end is seen. */
    char *copy = malloc(size - 1 > 0 ? size - 1 : 1);
    memcpy(copy, bytes + 1, size - 1);
    str text = { copy, size - 1 };
    switch (bytes[0] % 4) {
    case 0:
        read_exception(text, false);
        break;
    case 1:
        read_exception(text, true);
        break;
    case 2:
        query_takes_data(text);
        break;
    default:
        read_rows(text);
        break;
    }
    free(copy);
    return 0;
}
