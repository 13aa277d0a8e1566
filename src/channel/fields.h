/* SPDX-License-Identifier: Apache-2.0 */
/* fields: a callback's XML or JSON as a flat list of paths and texts. XML has no entities of its own, no DOCTYPE, a depth and a
 * size; what does not fit is refused whole. Any thread. */
#ifndef KITH_CHANNEL_FIELDS_H
#define KITH_CHANNEL_FIELDS_H

#include "base/arena.h"
#include "base/json.h"

#define FIELDS_MAX 2000
#define FIELDS_DEPTH_MAX 12

struct field {
    str path; /* "Event", "SubscribeMsgPopupEvent/List/TemplateId"; without the root */
    str text;
};
struct fields {
    struct arena arena;
    struct field *items;
    size_t count;
};
/* INVALID. Deinit in any case. */
void fields_init(struct fields *fields);
void fields_deinit(struct fields *fields);
err fields_read_xml(struct fields *fields, str xml, struct problem *problem) MUST_USE;
err fields_read_json(struct fields *fields, str json, struct problem *problem) MUST_USE;
/* By what it begins with. */
err fields_read(struct fields *fields, str body, struct problem *problem) MUST_USE;
/* The first of this path; STR_NONE: there is none. */
str fields_get(const struct fields *fields, const char *path);
/* The value of `name` in a query string, decoded into the arena. */
str fields_query(struct arena *arena, str query, const char *name);

#endif
