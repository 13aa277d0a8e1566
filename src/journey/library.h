/* SPDX-License-Identifier: Apache-2.0 */
/* library: the ready journeys as they are embedded (the JSON files of library/). Private to journey/. */
#ifndef KITH_JOURNEY_LIBRARY_H
#define KITH_JOURNEY_LIBRARY_H

#include <stddef.h>

struct library_text {
    const unsigned char *json;
    size_t size;
};
extern const struct library_text library_texts[];
extern const size_t library_text_count;

#endif
