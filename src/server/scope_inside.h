/* SPDX-License-Identifier: Apache-2.0 */
/* scope_inside: what the files of scope share. Private to scope*.c.
 *
 * Files: scope.c (rules, the lens), scope_view.c (views as hidden segments), scope_events.c (which events are seen),
 * scope_narrow.c (rules). */
#ifndef KITH_SERVER_SCOPE_INSIDE_H
#define KITH_SERVER_SCOPE_INSIDE_H

#include "server/scope.h"

/* What the first parameter of a path names. */
enum scope_names {
    NAMES_NOTHING,
    NAMES_CUSTOMER,
    NAMES_SEGMENT,
    NAMES_TAG,
    NAMES_JOURNEY,
    NAMES_TEMPLATE,
    NAMES_ACCOUNT,
    NAMES_SOURCE,
    NAMES_MAPPING,
    NAMES_POOL,
};

/* Lives in the request's arena; what it holds is let go by scope_leave. */
struct scope {
    struct team_set *teams;     /* held */
    struct source_set *sources; /* held */
    const struct team *team;
    str view_key;
    uint32_t view_number; /* 0: nobody is seen */

    /* Teams whose events are seen: an event is when one of them lets it through. */
    bool sees_all_events;
    const struct team **filters;
    size_t filter_count;
};

/* scope_events.c */
err scope_filter_make(struct request *request, struct scope *scope) MUST_USE;
/* The conditions as `where` of a rule: an array that holds when the event is seen. */
void scope_write_where(const struct scope *scope, const struct team *team,
                       struct json_writer *writer);

/* scope_view.c: the view is in force, or UNAVAILABLE. */
err scope_view_enter(struct request *request, struct problem *problem) MUST_USE;

#endif
