/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd and the life of a request; see request.h for its stages. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "access/sealed_file.h"
#include "base/logline.h"
#include "base/metric.h"
#include "base/thread.h"
#include "server/answer.h"
#include "server/inside.h"
#include "server/scope.h"

/* What a thread keeps for its next requests: so many of them, and so much of each buffer. */
#define KEPT_REQUESTS_MAX 256
#define KEPT_BYTES_MAX (64 * 1024)
#define UPLOAD_PART_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define ARENA_BYTES_MAX (64 * 1024 * 1024)
#define OUT_BYTES_MAX (64 * 1024 * 1024)
/* Scripts from here alone, none inline; the components of the console set styles inline. */
#define PAGE_POLICY                                                             \
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " \
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "   \
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
/* A body over its limit is read and forgotten up to here, so that its sender hears 413 instead of a cut. */
#define OVERRUN_BYTES_MAX (16 * 1024 * 1024)

/* ---- requests, kept per thread ---- */

static _Thread_local struct http_thread *this_thread;

struct http_thread *http_thread_new(struct server *server)
{
    struct http_thread *thread = memory_alloc(sizeof(*thread));
    if (thread == NULL)
        return NULL;
    if (collect_worker_new(&thread->collect, server->keys, &server->config.collect) != ERR_OK ||
        json_parser_new(&thread->parser, OUT_BYTES_MAX) != ERR_OK ||
        json_parser_new(&thread->scratch, OUT_BYTES_MAX) != ERR_OK ||
        turns_new(&thread->turns) != ERR_OK) {
        collect_worker_free(&thread->collect);
        json_parser_free(&thread->parser);
        json_parser_free(&thread->scratch);
        memory_free(thread);
        return NULL;
    }
    pthread_mutex_lock(&server->threads_mutex);
    thread->next = server->threads;
    server->threads = thread;
    pthread_mutex_unlock(&server->threads_mutex);
    return thread;
}

static struct request *request_new(struct server *server)
{
    if (this_thread == NULL) {
        thread_take_short_turns();
        this_thread = http_thread_new(server);
    }
    if (this_thread == NULL)
        return NULL;
    struct request *request = this_thread->free_requests;
    if (request != NULL) {
        this_thread->free_requests = request->next_free;
        this_thread->free_count--;
    } else {
        request = memory_alloc(sizeof(*request));
        if (request == NULL)
            return NULL;
        buffer_init(&request->body, 0);
        buffer_init(&request->records, 0);
        buffer_init(&request->out, OUT_BYTES_MAX);
        arena_init(&request->arena, "request", ARENA_BYTES_MAX);
    }
    request->server = server;
    request->thread = this_thread;
    return request;
}

/* A buffer that grew for one large request does not stay so. */
static void clear_or_drop(struct buffer *buffer)
{
    size_t size_max = buffer->size_max;
    if (buffer->capacity <= KEPT_BYTES_MAX) {
        buffer_clear(buffer);
        return;
    }
    buffer_deinit(buffer);
    buffer_init(buffer, size_max);
}

static void request_free(struct request *request)
{
    buffer_deinit(&request->body);
    buffer_deinit(&request->records);
    buffer_deinit(&request->out);
    arena_deinit(&request->arena);
    memory_free(request->uri);
    memory_free(request);
}

static void request_recycle(struct request *request)
{
    struct http_thread *thread = request->thread;
    turns_done(thread->turns, request);
    scope_leave(request);
    auth_release(request);
    stream_free(&request->stream);
    sealed_file_close(&request->sealed_file);
    atomic_fetch_sub_explicit(&request->server->in_flight_bytes, request->in_flight_bytes,
                              memory_order_relaxed);
    if (thread->free_count == KEPT_REQUESTS_MAX) {
        request_free(request);
        return;
    }
    clear_or_drop(&request->body);
    clear_or_drop(&request->records);
    clear_or_drop(&request->out);
    arena_reset(&request->arena);
    if (request->arena.used_bytes > KEPT_BYTES_MAX) {
        arena_deinit(&request->arena);
        arena_init(&request->arena, "request", ARENA_BYTES_MAX);
    }
    memset((char *)request + offsetof(struct request, next_waiting), 0,
           sizeof(*request) - offsetof(struct request, next_waiting));
    request->next_free = thread->free_requests;
    thread->free_requests = request;
    thread->free_count++;
}

void http_thread_free(struct http_thread *thread)
{
    while (thread->free_requests != NULL) {
        struct request *request = thread->free_requests;
        thread->free_requests = request->next_free;
        request_free(request);
    }
    if (thread->accepted != NULL)
        MHD_destroy_response(thread->accepted);
    turns_free(&thread->turns);
    collect_worker_free(&thread->collect);
    json_parser_free(&thread->parser);
    json_parser_free(&thread->scratch);
    access_set_release(&thread->set);
    memory_free(thread);
}

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
    struct request *request = request_new(server);
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

/* ---- BODY: the headers are here ---- */

struct header_scan {
    struct request_headers *headers;
    unsigned hosts, lengths;
    bool malformed;
};

static enum MHD_Result keep_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    static const struct {
        const char *name;
        uint8_t size;
        uint16_t offset;
    } kept[] = {
#define X(member, header) { header, sizeof(header) - 1, offsetof(struct request_headers, member) },
        REQUEST_HEADERS(X)
#undef X
    };
    struct header_scan *scan = context;
    (void)kind;
    /* White space before the colon, which proxies read in different ways. */
    if (name_size > 0 && (name[name_size - 1] == ' ' || name[name_size - 1] == '\t'))
        scan->malformed = true;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (kept[i].size != name_size || strncasecmp(kept[i].name, name, name_size) != 0)
            continue;
        str *member = (str *)(void *)((char *)scan->headers + kept[i].offset);
        if (member == &scan->headers->content_length)
            scan->lengths++;
        if (member == &scan->headers->host)
            scan->hosts++;
        if (member == &scan->headers->transfer_encoding && member->size > 0)
            scan->malformed = true;
        *member = (str){ .data = value != NULL ? value : "", .size = value_size };
        break;
    }
    return MHD_YES;
}

static enum method method_of(const char *text)
{
    static const enum method known[] = { METHOD_GET,    METHOD_POST, METHOD_PUT,
                                         METHOD_DELETE, METHOD_HEAD, METHOD_OPTIONS };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(text, method_text(known[i])) == 0)
            return known[i];
    return METHOD_OTHER;
}

static void refuse(struct request *request, err error, const char *detail)
{
    struct problem problem = { .error = ERR_OK };
    request->refused_early = true;
    request->close_after = true;
    problem_set(&problem, error, "%s", detail);
    reply_problem(request, error, &problem);
}

static bool is_trusted_proxy(const struct server *server, str address)
{
    const char *proxies = atomic_load_explicit(&server->trusted_proxies, memory_order_acquire);
    str list = str_from_c(proxies), one;
    while (str_split(&list, ',', &one))
        if (str_equal(str_trim(one), address))
            return true;
    return false;
}

/* Behind a trusted proxy the client is the last address that the proxy added. */
static void find_client(struct request *request)
{
    str forwarded = request->headers.forwarded_for, one, last = STR_NONE;
    if (forwarded.size == 0 || !is_trusted_proxy(request->server, request->client_address))
        return;
    while (str_split(&forwarded, ',', &one))
        last = str_trim(one);
    if (last.size > 0 && last.size < 48)
        request->client_address = last;
}

/* Two lengths, or a length and chunks: two readers would cut the stream at different places. */
static const char *framing_fault(const struct request *request, const struct header_scan *scan,
                                 const char *version)
{
    const struct request_headers *headers = &request->headers;
    uint64_t length;
    if (scan->malformed)
        return "a header cannot be understood in one way only";
    if (scan->lengths > 1)
        return "content-length is given more than once";
    if (headers->transfer_encoding.size > 0 && scan->lengths > 0)
        return "content-length and transfer-encoding are both given";
    if (headers->transfer_encoding.size > 0 &&
        !str_equal_ignoring_case(headers->transfer_encoding, STR("chunked")))
        return "the only transfer-encoding known here is chunked";
    if (scan->lengths == 1 && !str_to_uint64(headers->content_length, &length))
        return "content-length is not a number";
    if (scan->hosts > 1 || (scan->hosts == 0 && strcmp(version, "HTTP/1.1") == 0))
        return "a request has one host header";
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return "only HTTP/1.0 and HTTP/1.1 are spoken here";
    return NULL;
}

/* Refused for its body: who did not ask before sending (Expect) sends it anyway, and reads after. */
static void refuse_body(struct request *request, err error, const char *detail, uint64_t length)
{
    refuse(request, error, detail);
    request->reads_on = length <= OVERRUN_BYTES_MAX && request->headers.expect.size == 0;
}

/* Come again later, on the same connection: the body is read and forgotten. */
static void refuse_late(struct request *request)
{
    bool closes = request->close_after;
    refuse(request, ERR_BUSY, "it waited longer than permitted: more comes in than can be taken");
    request->reads_on = request->headers.expect.size == 0;
    request->close_after = closes || !request->reads_on;
}

static void check_early(struct request *request, const struct header_scan *scan,
                        const char *version)
{
    struct server *server = request->server;
    const char *fault = framing_fault(request, scan, version);
    uint64_t length = 0;
    str_to_uint64(request->headers.content_length, &length);
    if (fault != NULL)
        refuse(request, ERR_INVALID, fault);
    else if (length > request->body_bytes_max)
        refuse_body(request, ERR_TOO_LARGE, "the body is larger than the limit", length);
    else if (atomic_load_explicit(&server->in_flight_bytes, memory_order_relaxed) + length >
             server_in_flight_bytes_max(server))
        refuse_body(request, ERR_BUSY, "as many bytes as fit are being worked on", length);
    else if (!admission_permits(request))
        refuse_late(request);
    else if (length > 0)
        (void)buffer_reserve(&request->body, (size_t)length);
}

static enum MHD_Result http_begin(struct request *request, const char *method, const char *version)
{
    struct server *server = request->server;
    struct header_scan scan = { .headers = &request->headers };
    request->headers_seen = true;
    request->stage = STAGE_BODY;
    request->counted = true;
    atomic_fetch_add_explicit(&server->in_flight, 1, memory_order_relaxed);
    request->method = method_of(method);
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, keep_header, &scan);
    find_client(request);
    request->is_door = collect_owns_path(request->path);
    request->body_bytes_max =
        request->is_door ? server->config.door_body_bytes_max : server->config.api_body_bytes_max;
    if (request->method == METHOD_PUT && str_starts_with(request->path, STR("/api/v1/uploads/")))
        request->body_bytes_max = UPLOAD_PART_BYTES_MAX;
    request->body.size_max = request->body_bytes_max;
    request->cors = request->is_door && request->headers.origin.size > 0;
    request->close_after = atomic_load_explicit(&server->draining, memory_order_relaxed);
    atomic_store_explicit(&request->link->body_bytes, 0, memory_order_relaxed);
    guard_phase(request->link, PHASE_BODY);
    if (request->refused_early)
        refuse(request, ERR_INVALID, "the address of the request is too long");
    else
        check_early(request, &scan, version);
    if (request->refused_early && !request->reads_on) {
        request->stage = STAGE_ANSWERING;
        return http_send(request);
    }
    return MHD_YES;
}

static enum MHD_Result http_take(struct request *request, const char *bytes, size_t size)
{
    struct server *server = request->server;
    size_t received =
        atomic_fetch_add_explicit(&request->link->body_bytes, size, memory_order_relaxed) + size;
    if (request->refused_early)
        return received <= OVERRUN_BYTES_MAX ? MHD_YES : MHD_NO;
    size_t before = atomic_fetch_add_explicit(&server->in_flight_bytes, size, memory_order_relaxed);
    request->in_flight_bytes += size;
    if (before + size > server_in_flight_bytes_max(server))
        refuse(request, ERR_BUSY, "as many bytes as fit are being worked on");
    else
        buffer_append(&request->body, bytes, size);
    if (request->body.failed && !request->refused_early)
        refuse(request, request->body.nomem ? ERR_NOMEM : ERR_TOO_LARGE,
               request->body.nomem ? "no memory for the body"
                                   : "the body is larger than the limit");
    return MHD_YES;
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

/* A server that collects knows nobody; one that is there for queries leaves its time to them. */
static bool is_elsewhere(struct request *request)
{
    enum server_offers offers = request->server->config.offers;
    struct problem problem;
    if (offers == OFFERS_ALL || request->is_door != (offers == OFFERS_READS))
        return false;
    if (!request->is_door && request->route != NULL && request->route->runs == ROUTE_AT_ONCE)
        return false; /* how it is */
    problem_set(&problem, ERR_UNAVAILABLE,
                request->is_door ? "this server takes no events" : "this server only takes events");
    problem_hint(&problem, ERR_UNAVAILABLE, "ask one with another --role");
    reply_problem(request, ERR_UNAVAILABLE, &problem);
    request->stage = STAGE_ANSWERING;
    return true;
}

static void dispatch(struct request *request)
{
    char allow[64];
    if (!request->refused_early && !admission_still_permits(request))
        refuse_late(request);
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
    switch (request->stage) {
    case STAGE_LINE:
    case STAGE_BODY:
        dispatch(request);
        break;
    case STAGE_QUEUED:
        break; /* suspended: it is not asked for */
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
    return request->stage == STAGE_ANSWERING ? http_send(request) : MHD_YES;
}

/* ---- ANSWERING ---- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        (void)MHD_add_response_header(response, name, value);
}

/* A header of the request, echoed; terminated by libmicrohttpd behind its size. */
static void add_cors(struct request *request, struct MHD_Response *response)
{
    add_header(response, "Access-Control-Allow-Origin", request->headers.origin.data);
    add_header(response, "Vary", "Origin");
    if (request->method == METHOD_OPTIONS) {
        add_header(response, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
        add_header(response, "Access-Control-Allow-Headers", request->headers.asked_headers.data);
        add_header(response, "Access-Control-Max-Age", "900");
    }
}

static void add_headers(struct request *request, struct MHD_Response *response)
{
    char number[24];
    add_header(response, "Content-Type",
               request->content_type != NULL ? request->content_type : "application/json");
    add_header(response, "Cache-Control",
               request->cache_control != NULL ? request->cache_control : "no-store");
    add_header(response, "Content-Encoding", request->static_encoding);
    add_header(response, "Allow", request->allow);
    add_header(response, "Set-Cookie", request->set_cookie.data);
    add_header(response, "Location", request->location.data);
    add_header(response, "ETag", request->etag.data);
    if (!request->is_door)
        add_header(response, "X-Content-Type-Options", "nosniff");
    if (request->is_page) {
        add_header(response, "Content-Security-Policy", PAGE_POLICY);
        add_header(response, "X-Frame-Options", "DENY");
        add_header(response, "Referrer-Policy", "same-origin");
    }
    if (request->static_encoding != NULL || request->is_page)
        add_header(response, "Vary", "Accept-Encoding");
    if (request->retry_after_s > 0) {
        snprintf(number, sizeof(number), "%lld", (long long)request->retry_after_s);
        add_header(response, "Retry-After", number);
    }
    if (request->cors)
        add_cors(request, response);
    if (request->close_after)
        add_header(response, "Connection", "close");
}

/* Most answers of the doors are the same few bytes: made once per thread. */
static struct MHD_Response *usual_answer(struct request *request)
{
    const str usual = STR("{\"success\":true}");
    if (!request->is_door || request->status != 200 || request->cors || request->close_after ||
        request->content_type == NULL || strcmp(request->content_type, "application/json") != 0 ||
        request->cache_control != NULL || !str_equal(buffer_str(&request->out), usual))
        return NULL;
    struct http_thread *thread = request->thread;
    if (thread->accepted == NULL) {
        thread->accepted = MHD_create_response_from_buffer(
            usual.size, (void *)(uintptr_t)usual.data, MHD_RESPMEM_PERSISTENT);
        if (thread->accepted != NULL)
            add_headers(request, thread->accepted);
    }
    return thread->accepted;
}

/* ---- a sealed file ---- */

#define SEALED_BLOCK_BYTES ((size_t)256 << 10)

static ssize_t read_sealed(void *context, uint64_t at, char *out, size_t room)
{
    struct problem problem = { .error = ERR_OK };
    size_t size = 0;
    if (sealed_file_read(context, at, out, room, &size, &problem) != ERR_OK) {
        log_line(LOG_WARN, "sealed_file", "reason=\"%s\"", problem.detail);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return size > 0 ? (ssize_t)size : MHD_CONTENT_READER_END_OF_STREAM;
}

static void close_sealed(void *context)
{
    struct sealed_file *file = context;
    sealed_file_close(&file);
}

/* The response owns the file from here on. */
static struct MHD_Response *sealed_response(struct request *request)
{
    struct sealed_file *file = request->sealed_file;
    struct MHD_Response *response = MHD_create_response_from_callback(
        sealed_file_size(file), SEALED_BLOCK_BYTES, read_sealed, file, close_sealed);
    if (response != NULL)
        request->sealed_file = NULL;
    return response;
}

static struct MHD_Response *make_response(struct request *request)
{
    str body = request->static_body.size > 0 ? request->static_body : buffer_str(&request->out);
    struct MHD_Response *response =
        request->stream != NULL                                 ? stream_response(request)
        : request->sealed_file != NULL && request->status < 300 ? sealed_response(request)
        : request->file > 0 && request->status < 300
            ? MHD_create_response_from_fd64(request->file_bytes, request->file)
            : MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data,
                                              MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        add_headers(request, response);
    return response;
}

enum MHD_Result http_send(struct request *request)
{
    guard_phase(request->link, request->stream != NULL ? PHASE_STREAMING : PHASE_SENDING);
    metric_add(METRIC_REQUESTS, 1);
    if (request->status >= 500) {
        metric_add(METRIC_REQUESTS_FAILED, 1);
        log_line(LOG_WARN, "request_failed", "operation=%s status=%d",
                 request->route != NULL ? request->route->operation
                 : request->is_door     ? "door"
                                        : "none",
                 request->status);
    } else if (request->status == 429)
        metric_add(METRIC_REQUESTS_BUSY, 1);
    struct MHD_Response *usual = usual_answer(request);
    struct MHD_Response *response = usual != NULL ? usual : make_response(request);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->status, response);
    if (usual == NULL)
        MHD_destroy_response(response);
    return result;
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
    request_recycle(request);
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
    if (this_thread == NULL)
        return epoll_pwait(epoll, events, MHD_EVENTS_AT_ONCE - 1, timeout_ms, NULL);
    struct admission *admission = &this_thread->admission;
    bool others_wait = turns_run(this_thread->turns);
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
