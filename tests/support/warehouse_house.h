/* SPDX-License-Identifier: Apache-2.0 */
/* A warehouse for a test: a folder of its own under /tmp, its child, and rows to put in.
 *
 * A test that opens one has `main` begin with warehouse_house_child, since the test program is its
 * own child. chDB cannot be loaded into a sanitizer build: there the release build's binary is the
 * child, or the one in KITH_WAREHOUSE_PROGRAM. */
#ifndef KITH_TESTS_SUPPORT_WAREHOUSE_HOUSE_H
#define KITH_TESTS_SUPPORT_WAREHOUSE_HOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "store/events.h"
#include "store/warehouse.h"

struct warehouse_house {
    char folder[400];
    struct warehouse *warehouse;
    size_t memory_bytes_max;
};

/* True when this process was the child, and has done its work: return from main. */
bool warehouse_house_child(int argc, char **argv);
/* Why no warehouse can run here, or NULL. */
const char *warehouse_house_missing(void);
/* A new folder; fails the test with the reason. */
void warehouse_house_make(struct warehouse_house *house);
void warehouse_house_open(struct warehouse_house *house);
void warehouse_house_close(struct warehouse_house *house);
void warehouse_house_remove(struct warehouse_house *house);
/* Row number `seq` of a world that is always the same. */
void warehouse_house_row(struct buffer *rows, uint64_t seq, uint64_t batch);
/* The one number that `sql` gives. */
uint64_t warehouse_house_number(struct warehouse_house *house, const char *sql);

#endif
