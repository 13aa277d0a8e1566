/* SPDX-License-Identifier: Apache-2.0 */
/* scope_inside: what the files of scope share. Private to scope*.c.
 *
 * Files: scope.c (rules, the lens), scope_view.c (views as hidden segments), scope_events.c (which events are seen),
 * scope_narrow.c (rules), scope_journey.c (journeys). */
#ifndef KITH_SERVER_SCOPE_INSIDE_H
#define KITH_SERVER_SCOPE_INSIDE_H

#include "server/scope/scope.h"

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
    const struct access_set *users; /* borrowed */
    str login;                      /* whose "$me" it is; empty: of all users of the team */
    uint32_t user_number;
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

void scope_write_condition(const struct scope *scope, const struct team_condition *condition,
                           struct json_writer *writer);

/* scope_narrow.c */
/* {"any":[{"all":[…]}, …]}: the event is seen. */
void scope_write_seen(const struct scope *scope, struct buffer *out);
bool scope_is_text(json_value value, str text); /* is it this JSON? */
bool scope_has_text(json_value list, str seen); /* is an element of it? */

/* scope.c: the scope of the team to which a thing with this key belongs becomes the request's, if that is narrower than its
 * own, or it has none. Afterwards scope_back_to. */
err scope_of_key(struct request *request, str key, struct problem *problem) MUST_USE;
void scope_back_to(struct request *request, struct scope *own);

/* scope_view.c: the view is in force, or UNAVAILABLE. */
err scope_view_enter(struct request *request, struct problem *problem) MUST_USE;

#endif
