/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes and its search. */
#include "server/router.h"

#include <stdio.h>
#include <string.h>

#include "server/server.h"

static const struct route routes[] = {
#define X(method, path, permission, runs, body, handler, operation, query)                         \
    { METHOD_##method, path, PERMISSION_##permission, ROUTE_##runs, ROUTE_##body, route_##handler, \
      #operation,      query },
    ROUTE_TABLE(X)
#undef X
};
#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

size_t router_count(void)
{
    return ROUTE_COUNT;
}

const struct route *router_at(size_t index)
{
    INVARIANT(index < ROUTE_COUNT);
    return &routes[index];
}

const char *method_text(enum method method)
{
    static const char *const texts[] = { "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "?" };
    return texts[method];
}

/* The text up to the next '/'; both begin behind one. */
static str next_segment(str *rest)
{
    size_t end = str_find_byte(*rest, '/');
    str segment = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->size);
    if (rest->size > 0)
        *rest = str_slice(*rest, 1, rest->size);
    return segment;
}

static bool matches(const char *template, str path, str parameters[PATH_PARAMETERS_MAX],
                    size_t *parameter_count)
{
    str pattern = str_from_c(template);
    *parameter_count = 0;
    if (path.size == 0 || path.data[0] != '/' || str_ends_with(path, STR("/")))
        return false;
    pattern = str_slice(pattern, 1, pattern.size);
    path = str_slice(path, 1, path.size);
    while (pattern.size > 0 && path.size > 0) {
        str wanted = next_segment(&pattern), segment = next_segment(&path);
        if (wanted.data[0] == '{') {
            if (segment.size == 0)
                return false;
            parameters[(*parameter_count)++] = segment;
        } else if (!str_equal(wanted, segment)) {
            return false;
        }
    }
    return pattern.size == 0 && path.size == 0;
}

err router_find(enum method method, str path, struct arena *arena, const struct route **found,
                str parameters[PATH_PARAMETERS_MAX], char *allow, size_t allow_size)
{
    size_t parameter_count, allow_length = 0;
    if (method == METHOD_HEAD)
        method = METHOD_GET;
    allow[0] = '\0';
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!matches(routes[i].path, path, parameters, &parameter_count))
            continue;
        if (routes[i].method == method) {
            for (size_t p = 0; p < parameter_count; p++)
                if (!url_decode(arena, parameters[p], false, &parameters[p]))
                    return ERR_INVALID;
            *found = &routes[i];
            return ERR_OK;
        }
        int written = snprintf(allow + allow_length, allow_size - allow_length, "%s%s",
                               allow_length > 0 ? ", " : "", method_text(routes[i].method));
        if (written > 0 && (size_t)written < allow_size - allow_length)
            allow_length += (size_t)written;
    }
    return allow_length > 0 ? ERR_METHOD : ERR_NOT_FOUND;
}
