/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes read as an event: what can be read writes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buffer out;
    struct event event;
    struct problem problem = { .error = ERR_OK };
    arena_init(&arena, "fuzz", (size_t)4 << 20);
    buffer_init(&out, (size_t)2 << 20);
    if (event_decode(str_from_bytes(data, size), &arena, &event, &problem) == ERR_OK) {
        if (event_encode(&out, &event, &problem) != ERR_OK || out.size != size ||
            memcmp(out.data, data, size) != 0)
            abort();
    } else if (problem.detail[0] == '\0') {
        abort();
    }
    buffer_deinit(&out);
    arena_deinit(&arena);
    return 0;
}
