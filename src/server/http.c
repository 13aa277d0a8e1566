/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd's calls, in the order of a request's life (request.h): its first line, then its headers and body (receive.c), the dispatch to
 * whoever answers, and the answer (respond.c). */
#include <string.h>
#include <sys/epoll.h>

#include "base/metric.h"
#include "server/answer.h"
#include "server/inside.h"
#include "server/scope/scope.h"

/* ---- LINE: the first line is here ---- */

static bool keep_uri(struct request *request, const char *uri)
{
    size_t size = strlen(uri);
    if (size > URI_BYTES_MAX)
        return false;
    if (size + 1 > request->uri_capacity) {
        char *bigger = memory_resize(request->uri, size + 1);
        if (bigger == NULL)
            return false;
        request->uri = bigger;
        request->uri_capacity = size + 1;
    }
    memcpy(request->uri, uri, size + 1);
    str whole = str_from_bytes(request->uri, size);
    size_t question = str_find_byte(whole, '?');
    request->path = str_slice(whole, 0, question);
    request->query = str_slice(whole, question + 1, size);
    return true;
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* libmicrohttpd hands over the first line before it cuts it up; what is returned is the `state` of
 * this request in the calls that follow. */
static void *http_line(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct server *server = context;
    struct connection *link = connection_of(connection);
    if (link == NULL)
        return NULL;
    guard_phase(link, PHASE_HEADER);
    struct request *request = http_request_new(server);
    if (request == NULL)
        return NULL;
    request->started = steady_now();
    request->link = link;
    request->connection = connection;
    request->status = 200;
    request->client_address = str_from_c(link->address);
    if (!keep_uri(request, uri)) {
        request->path = STR_NONE;
        request->refused_early = true;
        request->status = 414;
    }
    return request;
}

/* Paths and queries are decoded by the router, after they are cut. */
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}
/* ---- dispatch ---- */

bool http_suspend(struct request *request, enum request_stage stage)
{
    struct server *server = request->server;
    atomic_fetch_add(&server->suspended, 1);
    if (atomic_load(&server->stopping)) {
        struct problem problem = { .error = ERR_OK };
        atomic_fetch_sub(&server->suspended, 1);
        problem_set(&problem, ERR_UNAVAILABLE, "the server is stopping");
        reply_problem(request, ERR_UNAVAILABLE, &problem);
        request->stage = STAGE_ANSWERING;
        return false;
    }
    request->stage = stage;
    request->is_handed_on = true;
    guard_phase(request->link, PHASE_WAITING);
    MHD_suspend_connection(request->connection);
    return true;
}

void http_resume(struct request *request)
{
    struct server *server = request->server;
    MHD_resume_connection(request->connection);
    atomic_fetch_sub(&server->suspended, 1);
}

static void run_working(struct request *request);

static void run_at_once(struct request *request)
{
    struct problem problem = { .error = ERR_OK };
    request->parser = request->thread->parser;
    request->scratch = request->thread->scratch;
    err error = request_check_query(request, &problem);
    if (error == ERR_OK)
        error = request->route->handler(request, &problem);
    if (error == ERR_OK)
        error = buffer_status(&request->out);
    if (error != ERR_OK)
        reply_problem(request, error, &problem);
    request->stage = STAGE_ANSWERING;
}

/* The handler answers at once, or suspends the connection and puts its question; then it may be
 * answered already, but only this thread goes on with it. */
static void run_asking(struct request *request)
{
    struct problem problem = { .error = ERR_OK };
    request->parser = request->thread->parser;
    request->scratch = request->thread->scratch;
    err error = auth_check(request, request->thread, &problem);
    bool is_told = error == ERR_FORBIDDEN; /* the audit's line is a worker's to write */
    if (is_told || (error == ERR_OK && scope_is_part(request))) {
        auth_release(request); /* a worker begins anew: it may have to wait for the view */
        run_working(request);
        return;
    }
    if (error == ERR_OK)
        error = request_check_query(request, &problem);
    if (error == ERR_OK)
        error = request->route->handler(request, &problem);
    if (error != ERR_OK)
        reply_problem(request, error, &problem);
    if (request->stage != STAGE_ASKING) {
        request->stage = STAGE_ANSWERING;
    } else if (error != ERR_OK) {
        request->stage = STAGE_WORKING; /* its answer is there */
        http_resume(request);
    }
}

static void run_working(struct request *request)
{
    if (!http_suspend(request, STAGE_WORKING))
        return;
    if (workers_put(request->server, request))
        return;
    struct problem problem = { .error = ERR_OK };
    problem_set(&problem, ERR_BUSY, "as many requests as fit are waiting");
    reply_problem(request, ERR_BUSY, &problem);
    http_resume(request);
}

static void no_route(struct request *request, err error, const char *allow)
{
    struct problem problem = { .error = ERR_OK };
    if (error == ERR_METHOD) {
        str text;
        problem_set(&problem, error, "this can be asked by %s only", allow);
        if (arena_printf(&request->arena, &text, "%s", allow) == ERR_OK)
            request->allow = text.data;
    } else if (error == ERR_INVALID) {
        problem_set(&problem, error, "the path has an escape or text that is not UTF-8");
    } else {
        problem_set(&problem, error, "there is nothing at this path");
    }
    reply_problem(request, error, &problem);
    request->stage = STAGE_ANSWERING;
}

/* A server that collects or sends knows nobody; one that is there for queries leaves its time to them. */
static bool is_elsewhere(struct request *request)
{
    enum server_offers offers = request->server->config.offers;
    struct problem problem;
    if (offers == OFFERS_ALL ||
        (offers != OFFERS_NOTHING && request->is_door != (offers == OFFERS_READS)))
        return false;
    if (!request->is_door && request->route != NULL && request->route->runs == ROUTE_AT_ONCE)
        return false; /* how it is */
    problem_set(&problem, ERR_UNAVAILABLE,
                request->is_door           ? "this server takes no events"
                : offers == OFFERS_NOTHING ? "this server only sends messages"
                                           : "this server only takes events");
    problem_hint(&problem, ERR_UNAVAILABLE, "ask one with another --role");
    reply_problem(request, ERR_UNAVAILABLE, &problem);
    request->stage = STAGE_ANSWERING;
    return true;
}

static void dispatch(struct request *request)
{
    char allow[64];
    if (!request->refused_early && !admission_still_permits(request))
        http_refuse_late(request);
    if (request->refused_early) {
        request->stage = STAGE_ANSWERING;
        return;
    }
    if (request->is_door) {
        if (is_elsewhere(request))
            return;
        if (request->method == METHOD_OPTIONS) {
            door_preflight(request);
            request->stage = STAGE_ANSWERING;
        } else {
            door_run(request);
        }
        return;
    }
    err error = router_find(request->method, request->path, &request->arena, &request->route,
                            request->parameters, allow, sizeof(allow));
    if (error != ERR_OK) {
        if (error == ERR_NOT_FOUND && files_find(request))
            request->stage = STAGE_ANSWERING;
        else
            no_route(request, error, allow);
        return;
    }
    if (is_elsewhere(request))
        return;
    if (request->route->runs == ROUTE_AT_ONCE)
        run_at_once(request);
    /* What is revealed is audited first, and that takes a commit. */
    else if (request->route->runs == ROUTE_ASKING && !request_query_flag(request, STR("reveal")))
        run_asking(request);
    else
        run_working(request);
}

static enum MHD_Result http_handle(void *context, struct MHD_Connection *connection,
                                   const char *url, const char *method, const char *version,
                                   const char *upload, size_t *upload_size, void **state)
{
    struct request *request = *state;
    (void)context;
    (void)connection;
    (void)url;
    if (request == NULL)
        return MHD_NO;
    if (!request->headers_seen)
        return http_begin(request, method, version);
    if (*upload_size > 0) {
        enum MHD_Result result = http_take(request, upload, *upload_size);
        *upload_size = 0;
        return result;
    }
    request->is_handed_on = false;
    switch (request->stage) {
    case STAGE_LINE:
    case STAGE_BODY:
        dispatch(request);
        break;
    case STAGE_QUEUED:
        return MHD_YES; /* suspended: it is not asked for */
    case STAGE_DOOR:
        door_finish(request);
        request->stage = STAGE_ANSWERING;
        break;
    case STAGE_ASKING:
        customer_finish(request);
        request->stage = STAGE_ANSWERING;
        break;
    case STAGE_WORKING:
        request->stage = STAGE_ANSWERING;
        break;
    case STAGE_ANSWERING:
        break;
    }
    /* Its stage is another thread's to change from there on, and no answer before it is resumed. */
    return request->is_handed_on ? MHD_YES : http_send(request);
}
static void http_completed(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;
    struct server *server = context;
    (void)connection;
    (void)code;
    *state = NULL;
    if (request == NULL)
        return;
    if (request->stream == NULL)
        metric_observe_us(METRIC_REQUEST_US,
                          steady_since_us(request->started) + request->waited_ms * 1000);
    guard_phase(request->link, PHASE_IDLE);
    bool counted = request->counted;
    http_request_recycle(request);
    if (counted)
        atomic_fetch_sub_explicit(&server->in_flight, 1, memory_order_release);
}
/* ---- start ---- */

/* libmicrohttpd's call comes here instead of the C library. Its 0.9.75 asks for 128 events at a time; when a
 * call that may block gives all of 128, it asks again, and may block for ever, before it has looked at
 * one of them: with as many busy connections on a thread their requests are never answered. A call
 * that gives less than it asked for ends that loop; what is left over comes with the next one. How many it
 * gives is admit.c's to say. Before it looks for more, what was read is decoded, as turns.c deals it out. */
#define MHD_EVENTS_AT_ONCE 128
__attribute__((visibility("default"))) int epoll_wait(int epoll, struct epoll_event *events,
                                                      int events_max, int timeout_ms)
{
    if (events_max != MHD_EVENTS_AT_ONCE)
        return epoll_pwait(epoll, events, events_max, timeout_ms, NULL);
    struct http_thread *thread = http_thread_own();
    if (thread == NULL)
        return epoll_pwait(epoll, events, MHD_EVENTS_AT_ONCE - 1, timeout_ms, NULL);
    struct admission *admission = &thread->admission;
    bool others_wait = turns_run(thread->turns);
    int sockets = admission_turn_ends(admission);
    int count = epoll_pwait(epoll, events, sockets, others_wait ? 0 : timeout_ms, NULL);
    admission_turn_begins(admission, count);
    return count;
}

err http_start(struct server *server, struct problem *problem)
{
    const struct server_config *config = &server->config;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO |
            MHD_USE_NO_LISTEN_SOCKET,
        0, NULL, NULL, http_handle, server, MHD_OPTION_THREAD_POOL_SIZE, config->http_threads,
        MHD_OPTION_CONNECTION_LIMIT, config->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        config->connections_per_address_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        config->header_bytes_max, MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK,
        http_line, server, MHD_OPTION_NOTIFY_COMPLETED, http_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, guard_notify, server, MHD_OPTION_END);
    if (server->daemon == NULL)
        return problem_set(problem, ERR_NOMEM, "the HTTP threads cannot be started");
    return ERR_OK;
}
