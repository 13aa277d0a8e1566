/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of a door thread, the routes, and the answers. */
#include <string.h>

#include "base/metric.h"
#include "collect/inside.h"
#include "collect/route.h"

#define ARENA_BYTES_PER_BODY_BYTE 16
#define TEXT_BYTES (2 * (size_t)EVENT_BYTES_MAX)
#define ANSWER_BYTES_MAX ((size_t)16 << 10)

static const unsigned char gif_bytes[] = {
    'G', 'I', 'F', '8', '9', 'a', 1,   0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, '!', 0xF9,
    4,   1,   0,   0,   0,   0,   ',', 0, 0, 0, 0,    1, 0, 1, 0, 0, 2,    1,    'D',  0,   ';',
};
const str answer_gif = { .data = (const char *)gif_bytes, .size = sizeof gif_bytes };

/* ---- the worker ---- */

static void set_limits(struct collect_worker *worker, const struct collect_limits *limits)
{
    worker->limits = limits != NULL ? *limits : (struct collect_limits){ .event_bytes_max = 0 };
    if (worker->limits.event_bytes_max == 0 || worker->limits.event_bytes_max > EVENT_BYTES_MAX)
        worker->limits.event_bytes_max = EVENT_BYTES_MAX;
    if (worker->limits.batch_bytes_max == 0)
        worker->limits.batch_bytes_max = (size_t)4 << 20;
    if (worker->limits.batch_events_max == 0)
        worker->limits.batch_events_max = 5000;
}

err collect_worker_new(struct collect_worker **worker, const struct keys *keys,
                       const struct collect_limits *limits)
{
    struct collect_worker *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    set_limits(made, limits);
    arena_init(&made->arena, "collect",
               made->limits.batch_bytes_max * ARENA_BYTES_PER_BODY_BYTE + ((size_t)1 << 20));
    /* One more byte than the limit: who sees it knows that the limit is passed. */
    buffer_init(&made->unpacked, made->limits.batch_bytes_max + 1);
    buffer_init(&made->text, TEXT_BYTES);
    buffer_init(&made->encoded, TEXT_BYTES + EVENT_BYTES_MAX);
    buffer_init(&made->answer, ANSWER_BYTES_MAX);
    /* Masks are written while nothing is being finished. */
    draft_desk_init(&made->desk, keys, &made->arena, &made->encoded);
    /* Never grows from here on: what points into it stays true. */
    err error = buffer_reserve(&made->text, TEXT_BYTES) != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK)
        error = json_parser_new(&made->parser, made->limits.batch_bytes_max);
    if (error != ERR_OK) {
        collect_worker_free(&made);
        return error;
    }
    *worker = made;
    return ERR_OK;
}

void *worker_alloc(struct collect_worker *worker, size_t size_bytes)
{
    void *piece = arena_alloc_raw(&worker->arena, size_bytes);
    if (piece == NULL)
        worker->desk.starved = true;
    return piece;
}

void collect_worker_free(struct collect_worker **worker)
{
    struct collect_worker *freed = *worker;
    *worker = NULL;
    if (freed == NULL)
        return;
    if (freed->inflater_ready)
        inflateEnd(&freed->inflater);
    json_parser_free(&freed->parser);
    buffer_deinit(&freed->unpacked);
    buffer_deinit(&freed->text);
    buffer_deinit(&freed->encoded);
    buffer_deinit(&freed->answer);
    arena_deinit(&freed->arena);
    memory_free(freed);
}

/* ---- answers ---- */

void answer_text(struct door *door, int status, const char *content_type, str body)
{
    *door->answer =
        (struct collect_answer){ .status = status, .content_type = content_type, .body = body };
}

void answer_problem(struct door *door, const struct problem *problem)
{
    struct buffer *out = &door->worker->answer;
    struct json_writer writer;
    buffer_clear(out);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_bool(&writer, STR("success"), false);
    json_member_text(&writer, STR("code"), str_from_c(err_code(problem->error)));
    json_member_text(&writer, STR("message"), str_from_c(problem->detail));
    if (problem->pointer[0] != '\0')
        json_member_text(&writer, STR("pointer"), str_from_c(problem->pointer));
    if (problem->hint[0] != '\0')
        json_member_text(&writer, STR("hint"), str_from_c(problem->hint));
    json_end_object(&writer);
    answer_text(door, err_http_status(problem->error), "application/json", buffer_str(out));
}

/* ---- routes ---- */

static const struct {
    str path, methods;
    enum route route;
} routes[] = {
#define X(NAME, path, methods) \
    { { path, sizeof(path) - 1 }, { methods, sizeof(methods) - 1 }, ROUTE_##NAME },
    ROUTE_TABLE(X)
#undef X
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

static str without_slash(str path)
{
    if (path.size > 1 && path.data[path.size - 1] == '/')
        path.size--;
    return path;
}

/* `segment` gets what stands for '*'. */
static bool path_matches(str pattern, str path, str *segment)
{
    size_t star = str_find_byte(pattern, '*');
    if (star == pattern.size)
        return str_equal(pattern, path);
    str head = str_slice(pattern, 0, star), tail = str_slice(pattern, star + 1, pattern.size);
    if (path.size <= head.size + tail.size || !str_starts_with(path, head) ||
        !str_ends_with(path, tail))
        return false;
    *segment = str_slice(path, head.size, path.size - tail.size);
    return str_find_byte(*segment, '/') == segment->size;
}

static size_t find_route(str path, str *segment)
{
    path = without_slash(path);
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (path_matches(routes[i].path, path, segment))
            return i;
    return ROUTE_COUNT;
}

bool collect_owns_path(str path)
{
    str segment;
    return find_route(path, &segment) < ROUTE_COUNT;
}

static bool method_is_allowed(str methods, str method)
{
    str allowed;
    while (str_split(&methods, ' ', &allowed))
        if (str_equal(allowed, method))
            return true;
    return false;
}

static void dispatch(struct door *door, enum route route, str segment)
{
    switch (route) {
    case ROUTE_SETTINGS:
        segment_settings(door, segment);
        break;
    case ROUTE_SOURCE_CONFIG:
        segment_source_config(door);
        break;
    case ROUTE_PIXEL_TRACK:
    case ROUTE_PIXEL_PAGE:
        segment_pixel(door, route == ROUTE_PIXEL_PAGE);
        break;
    case ROUTE_METRICS: /* what an SDK says of itself */
        answer_text(door, 200, "application/json", STR("{\"success\":true}"));
        break;
    case ROUTE_SENSORS:
    case ROUTE_SENSORS_GIF:
    case ROUTE_SENSORS_DEBUG:
        door->name = "sensors";
        sensors_events(door, route == ROUTE_SENSORS_GIF, route == ROUTE_SENSORS_DEBUG);
        break;
    case ROUTE_NONE: {
        struct problem problem = { .error = ERR_OK };
        problem_set(&problem, ERR_NOT_FOUND, "no door has this path");
        answer_problem(door, &problem);
        break;
    }
    case ROUTE_BATCH:
    case ROUTE_BATCH_SHORT:
    case ROUTE_IMPORT:
    case ROUTE_IDENTIFY:
    case ROUTE_IDENTIFY_SHORT:
    case ROUTE_TRACK:
    case ROUTE_TRACK_SHORT:
    case ROUTE_PAGE:
    case ROUTE_PAGE_SHORT:
    case ROUTE_SCREEN:
    case ROUTE_SCREEN_SHORT:
    case ROUTE_GROUP:
    case ROUTE_GROUP_SHORT:
    case ROUTE_ALIAS:
    case ROUTE_ALIAS_SHORT:
    case ROUTE_BEACON:
    default:
        segment_events(door, (int)route);
        break;
    }
}

/* Whole or not at all: what did not fit in takes the rest with it. */
static void settle(struct door *door, size_t begin)
{
    struct problem problem = { .error = ERR_OK };
    if (door->records->failed || door->worker->desk.starved) {
        door->records->size = begin;
        door->records->failed = door->records->nomem = false; /* as if nothing had been written */
        door->count = 0;
        problem_set(&problem, ERR_NOMEM, "no memory for this request");
        answer_problem(door, &problem);
    }
    metric_add(METRIC_EVENTS_RECEIVED, door->count);
    if (door->refused > 0)
        metric_add(METRIC_EVENTS_REFUSED, door->refused);
}

void collect_decode(struct collect_worker *worker, const struct source_set *sources,
                    const struct collect_request *request, struct buffer *records, uint32_t *count,
                    struct collect_answer *answer)
{
    struct door door = { .worker = worker,
                         .sources = sources,
                         .request = request,
                         .answer = answer,
                         .name = "segment",
                         .records = records };
    struct problem problem = { .error = ERR_OK };
    str segment = STR_NONE;
    size_t begin = records->size, index = find_route(request->path, &segment);
    arena_reset(&worker->arena);
    worker->desk.starved = false;
    *answer = (struct collect_answer){ .status = 500, .content_type = "text/plain" };
    if (index < ROUTE_COUNT && !method_is_allowed(routes[index].methods, request->method)) {
        problem_set(&problem, ERR_METHOD, "%s takes %s", routes[index].path.data,
                    routes[index].methods.data);
        answer_problem(&door, &problem);
    } else {
        dispatch(&door, index < ROUTE_COUNT ? routes[index].route : ROUTE_NONE, segment);
    }
    settle(&door, begin);
    if (door.source != NULL) {
        answer->source_number = door.source->number;
        answer->events_per_second = door.source->events_per_second;
    }
    *count = door.count;
}
