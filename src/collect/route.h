/* SPDX-License-Identifier: Apache-2.0 */
/* Which path is which door. Private to collect. */
#ifndef KITH_COLLECT_ROUTE_H
#define KITH_COLLECT_ROUTE_H

/* X(NAME, path, methods): a trailing slash is ignored; '*' stands for one segment. */
#define ROUTE_TABLE(X)                            \
    X(BATCH, "/v1/batch", "POST")                 \
    X(BATCH_SHORT, "/v1/b", "POST")               \
    X(IMPORT, "/v1/import", "POST")               \
    X(IDENTIFY, "/v1/identify", "POST")           \
    X(IDENTIFY_SHORT, "/v1/i", "POST")            \
    X(TRACK, "/v1/track", "POST")                 \
    X(TRACK_SHORT, "/v1/t", "POST")               \
    X(PAGE, "/v1/page", "POST")                   \
    X(PAGE_SHORT, "/v1/p", "POST")                \
    X(SCREEN, "/v1/screen", "POST")               \
    X(SCREEN_SHORT, "/v1/s", "POST")              \
    X(GROUP, "/v1/group", "POST")                 \
    X(GROUP_SHORT, "/v1/g", "POST")               \
    X(ALIAS, "/v1/alias", "POST")                 \
    X(ALIAS_SHORT, "/v1/a", "POST")               \
    X(METRICS, "/v1/m", "POST")                   \
    X(BEACON, "/beacon/v1/batch", "POST")         \
    X(PIXEL_TRACK, "/pixel/v1/track", "GET")      \
    X(PIXEL_PAGE, "/pixel/v1/page", "GET")        \
    X(SETTINGS, "/v1/projects/*/settings", "GET") \
    X(SOURCE_CONFIG, "/sourceConfig", "GET")      \
    X(SENSORS, "/sa", "POST GET")                 \
    X(SENSORS_GIF, "/sa.gif", "GET POST")         \
    X(SENSORS_DEBUG, "/debug", "POST GET")

enum route {
    ROUTE_NONE,
#define X(NAME, path, methods) ROUTE_##NAME,
    ROUTE_TABLE(X)
#undef X
};

#endif
