/* SPDX-License-Identifier: Apache-2.0 */
/* known: the events that Kith understands from the start, with their properties and types.
 *
 * Segment's e-commerce events (docs/connectors/segment.md) and those of a Chinese brand beside them.
 * The tracking plan begins with them (plan/plan.h), and doors know from here whose lines make an
 * amount. A product's properties are those of KNOWN_PRODUCT; lists of products are "products".
 */
#ifndef KITH_EVENT_KNOWN_H
#define KITH_EVENT_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum known_type {
    KNOWN_TEXT,
    KNOWN_INT,
    KNOWN_DECIMAL,
    KNOWN_MONEY,
    KNOWN_BOOL,
    KNOWN_TIME,
    KNOWN_LIST,
    KNOWN_OBJECT
};

struct known_property {
    const char *name;
    enum known_type type;
};

struct known_event {
    const char *name;
    const char *description;
    const char *properties; /* names, separated by spaces; "P" stands for those of a product */
    bool is_order;          /* the lines of its products make its amount */
};

extern const struct known_event known_events[];
extern const size_t known_event_count;

/* The type of a property that known events have; NULL if none of them has it. */
const struct known_property *known_property(str name);
/* NULL if it is not known. */
const struct known_event *known_event(str name);
/* Names of `properties` one after another, "P" spelt out. False at the end; start with *at = 0. */
bool known_event_next(const struct known_event *event, size_t *at, str *name);

#endif
