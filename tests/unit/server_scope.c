/* SPDX-License-Identifier: Apache-2.0 */
/* X3: every route says what it may show to who sees a part; a route without a row fails here. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "server/scope/scope.h"
#include "server/scope/scope_rules.h"

static void every_route_has_a_rule(void **state)
{
    size_t missing = 0;
    (void)state;
    for (size_t i = 0; i < router_count(); i++) {
        const struct route *route = router_at(i);
        if (scope_has_rule(route->operation))
            continue;
        print_message("the route %s %s (%s) has no row in src/server/scope/scope_rules.h\n",
                      method_text(route->method), route->path, route->operation);
        missing++;
    }
    assert_int_equal(missing, 0);
}

static const struct {
    const char *operation, *names, *why;
    enum scope_rule rule;
} rows[] = {
#define X(operation, rule, names, level, why) { #operation, #names, why, SCOPE_##rule },
    SCOPE_RULES(X)
#undef X
};

static const struct route *find_route(const char *operation)
{
    for (size_t i = 0; i < router_count(); i++)
        if (strcmp(router_at(i)->operation, operation) == 0)
            return router_at(i);
    return NULL;
}

static void every_rule_has_a_route_and_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (find_route(rows[i].operation) == NULL)
            fail_msg("the row %s is of no route", rows[i].operation);
        bool needs_reason = rows[i].rule != SCOPE_PUBLIC && rows[i].rule != SCOPE_OWN;
        if (needs_reason && rows[i].why[0] == '\0')
            fail_msg("the row %s does not say why", rows[i].operation);
        for (size_t k = 0; k < i; k++)
            if (strcmp(rows[i].operation, rows[k].operation) == 0)
                fail_msg("the row %s is there twice", rows[i].operation);
    }
}

/* What is asked by nobody known is PUBLIC, and nothing else is. */
static void public_is_public(void **state)
{
    (void)state;
    for (size_t i = 0; i < router_count(); i++) {
        const struct route *route = router_at(i);
        bool is_public = route->permission == PERMISSION_PUBLIC;
        if (is_public != (scope_rule_of(route) == SCOPE_PUBLIC))
            fail_msg("%s: permission and scope do not agree that it is public", route->operation);
    }
}

/* A path that names a customer or a thing is checked before the handler is asked. */
static void what_paths_name_is_checked(void **state)
{
    static const struct {
        const char *prefix, *names;
    } paths[] = {
        { API "/customers/{one_id}", "CUSTOMER" },
        { API "/segments/{key}", "SEGMENT" },
        { API "/tags/{key}", "TAG" },
        { API "/journeys/{key}", "JOURNEY" },
        { API "/templates/{key}", "TEMPLATE" },
        { API "/mappings/{key}", "MAPPING" },
        { API "/channels/{key}", "ACCOUNT" },
        { API "/sources/{key}", "SOURCE" },
        { API "/coupon-pools/{key}", "POOL" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct route *route = find_route(rows[i].operation);
        for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
            if (rows[i].rule != SCOPE_PART || route == NULL ||
                strncmp(route->path, paths[p].prefix, strlen(paths[p].prefix)) != 0)
                continue;
            if (strcmp(rows[i].names, paths[p].names) != 0)
                fail_msg("%s: its path names a %s, its row does not", rows[i].operation,
                         paths[p].names);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_has_a_rule),
        cmocka_unit_test(every_rule_has_a_route_and_a_reason),
        cmocka_unit_test(public_is_public),
        cmocka_unit_test(what_paths_name_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
