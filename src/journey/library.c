/* SPDX-License-Identifier: Apache-2.0 */
/* library: ready journeys, as data. */
#include "journey/library.h"

#include "journey/journey.h"

void journey_write_library(struct buffer *out)
{
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < library_text_count; i++) {
        if (i > 0)
            buffer_append_byte(out, ',');
        buffer_append(out, library_texts[i].json, library_texts[i].size);
    }
    buffer_append_byte(out, ']');
}
