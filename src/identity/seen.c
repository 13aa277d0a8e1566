/* SPDX-License-Identifier: Apache-2.0 */
/* seen: when the identifiers of neighbouring rows were last seen, as bytes. For history.pack
 * (docs/formats/history-pack.md). */
#include <string.h>

#include "base/codec.h"
#include "identity/state.h"

void identity_seen_write(const struct identity *identity, uint32_t first, uint32_t count,
                         struct buffer *out)
{
    for (uint32_t row = first; row < first + count; row++) {
        bool is_there = row < identity->rows.count && row_is_here(identity, row);
        write_u32(out, is_there ? row_at(identity, row)->last_seen_s : 0);
    }
}

err identity_seen_read(struct identity *identity, uint32_t first, uint32_t count, str bytes)
{
    struct cursor cursor = cursor_over(bytes);
    if (bytes.size != (size_t)count * sizeof(uint32_t))
        return ERR_CORRUPT;
    for (uint32_t row = first; row < first + count && row < identity->rows.count; row++) {
        uint32_t seen_s = read_u32(&cursor);
        if (row_is_here(identity, row) && row_at(identity, row)->last_seen_s < seen_s)
            row_at(identity, row)->last_seen_s = seen_s;
    }
    return ERR_OK;
}
