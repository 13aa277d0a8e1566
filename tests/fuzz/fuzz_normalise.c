/* SPDX-License-Identifier: Apache-2.0 */
/* A type in the first byte, a value behind it: normalised once is normalised for ever, and a personal value
 * is found sealed. */
#include <stdint.h>
#include <stdlib.h>

#include "event/normalise.h"
#include "event/personal.h"
#include "support/fuzz_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "mobile", "email",        "user_id",
                                         "device", "anonymous_id", "own" };
    struct arena arena;
    struct event_identifier made;
    err error = ERR_OK;
    str once, twice;
    if (size < 1)
        return 0;
    str type = str_from_c(types[data[0] % 6]), raw = str_from_bytes(data + 1, size - 1);
    arena_init(&arena, "fuzz", (size_t)1 << 20);
    enum normal_form form = normalise_value(type, raw, &arena, &once);
    if (form == NORMAL_USABLE || form == NORMAL_BLOCKED) {
        if (once.size == 0 || once.size > 255 || (str_is_utf8(raw) && !str_is_utf8(once)) ||
            normalise_value(type, once, &arena, &twice) != form || !str_equal(once, twice))
            abort();
    }
    if (identifier_make(fuzz_keys(), &arena, type, STR_NONE, raw, 0, &made, &error) != form)
        abort();
    if ((form == NORMAL_USABLE || form == NORMAL_BLOCKED) &&
        personal_by_value(once) != PERSONAL_NONE && (made.flags & IDENTIFIER_SEALED) == 0)
        abort();
    arena_deinit(&arena);
    return 0;
}
