/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd: one thread that reads requests, asks dispatch.c, and answers; later or never where faults say so. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "sandbox/inside.h"

#define CONNECTIONS_MAX 8192
#define IDLE_SECONDS 120
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define POOL_MAX 512
#define TICK_MS 5

struct exchange {
    struct call call;
    struct buffer body;
    char *target;
    size_t target_size;
    struct MHD_Connection *connection;
    bool has_begun, is_delayed, is_done;
    int64_t due_ns;
    struct exchange *next; /* delayed, or free */
};
struct http_server {
    struct sandbox *sandbox;
    struct MHD_Daemon *daemon;
    uint16_t port;
    pthread_mutex_t mutex; /* of `delayed` */
    struct exchange *delayed, *pool;
    size_t pooled;
    pthread_t timer;
    bool has_timer;
    _Atomic bool stop;
};

/* ---- exchanges ---- */

static str header_of(const struct call *call, const char *name)
{
    return str_from_c(MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name));
}

static struct exchange *exchange_new(struct http_server *http)
{
    struct exchange *exchange = http->pool;
    if (exchange != NULL) {
        http->pool = exchange->next;
        http->pooled--;
        return exchange;
    }
    exchange = memory_alloc(sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    buffer_init(&exchange->body, SANDBOX_BODY_BYTES_MAX);
    buffer_init(&exchange->call.out, SANDBOX_BODY_BYTES_MAX);
    arena_init(&exchange->call.arena, "sandbox_request", ARENA_BYTES_MAX);
    return exchange;
}

static void exchange_release(struct exchange *exchange)
{
    memory_free(exchange->target);
    buffer_deinit(&exchange->body);
    buffer_deinit(&exchange->call.out);
    arena_deinit(&exchange->call.arena);
    memory_free(exchange);
}

static void exchange_free(struct http_server *http, struct exchange *exchange)
{
    if (http->pooled >= POOL_MAX || exchange->body.capacity > 65536 ||
        exchange->call.out.capacity > 65536) {
        exchange_release(exchange);
        return;
    }
    memory_free(exchange->target);
    struct buffer body = exchange->body, out = exchange->call.out;
    struct arena arena = exchange->call.arena;
    buffer_clear(&body);
    buffer_clear(&out);
    memset(exchange, 0, sizeof *exchange);
    exchange->body = body;
    exchange->call.out = out;
    exchange->call.arena = arena;
    arena_reset(&exchange->call.arena);
    exchange->next = http->pool;
    http->pool = exchange;
    http->pooled++;
}

/* The raw target: signatures are over it, and libmicrohttpd decodes it. */
static void *begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *http = context;
    struct exchange *exchange = exchange_new(http);
    if (exchange == NULL)
        return NULL;
    exchange->target_size = strlen(uri);
    exchange->target = memory_alloc(exchange->target_size + 1);
    exchange->connection = connection;
    if (exchange->target == NULL) {
        exchange_free(http, exchange);
        return NULL;
    }
    memcpy(exchange->target, uri, exchange->target_size);
    return exchange;
}

static void end(void *context, struct MHD_Connection *connection, void **request,
                enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    if (*request != NULL)
        exchange_free(context, *request);
    *request = NULL;
}

/* ---- answering ---- */

static enum MHD_Result answer(struct exchange *exchange)
{
    struct call *call = &exchange->call;
    char number[24];
    if (call->is_cut || call->is_silent)
        return MHD_NO;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(call->out.size, call->out.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", call->type);
    if (call->retry_after > 0) {
        snprintf(number, sizeof number, "%lld", (long long)call->retry_after);
        MHD_add_response_header(response, "Retry-After", number);
    }
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)call->status, response);
    MHD_destroy_response(response);
    return result;
}

static void delay(struct http_server *http, struct exchange *exchange)
{
    exchange->is_delayed = true;
    exchange->due_ns = steady_now().ns + exchange->call.delay_ms * 1000000;
    MHD_suspend_connection(exchange->connection);
    pthread_mutex_lock(&http->mutex);
    exchange->next = http->delayed;
    http->delayed = exchange;
    pthread_mutex_unlock(&http->mutex);
}

static enum MHD_Result work(struct http_server *http, struct exchange *exchange, const char *method)
{
    struct call *call = &exchange->call;
    if (!exchange->is_done) {
        call->sandbox = http->sandbox;
        call->connection = exchange->connection;
        call->header = header_of;
        call->method = str_from_c(method);
        call->target = str_from_bytes(exchange->target, exchange->target_size);
        call->body = buffer_str(&exchange->body);
        exchange->is_done = true;
        if (exchange->body.failed)
            call_error(call, 413, "the body is larger than %zu bytes", SANDBOX_BODY_BYTES_MAX);
        else
            dispatch(call);
        if (call->delay_ms > 0) {
            delay(http, exchange);
            return MHD_YES;
        }
    }
    return answer(exchange);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request)
{
    struct exchange *exchange = *request;
    (void)connection;
    (void)url;
    (void)version;
    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->has_begun) {
        exchange->has_begun = true;
        return MHD_YES;
    }
    if (*size > 0) {
        buffer_append(&exchange->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return work(context, exchange, method);
}

/* ---- what waits ---- */

static struct exchange *take_due(struct http_server *http, int64_t now_ns)
{
    pthread_mutex_lock(&http->mutex);
    struct exchange **at = &http->delayed;
    while (*at != NULL && (*at)->due_ns > now_ns)
        at = &(*at)->next;
    struct exchange *due = *at;
    if (due != NULL)
        *at = due->next;
    pthread_mutex_unlock(&http->mutex);
    return due;
}

static void *run_timer(void *context)
{
    struct http_server *http = context;
    while (!http->stop) {
        struct exchange *due;
        while ((due = take_due(http, steady_now().ns)) != NULL)
            MHD_resume_connection(due->connection);
        steady_sleep_ms(TICK_MS);
    }
    return NULL;
}

/* ---- start and stop ---- */

static bool read_address(const char *listen, struct sockaddr_in *address)
{
    char host[64];
    const char *colon = strrchr(listen, ':');
    int64_t port;
    if (colon == NULL || (size_t)(colon - listen) >= sizeof host ||
        !str_to_int64(str_from_c(colon + 1), &port) || port < 0 || port > 65535)
        return false;
    memcpy(host, listen, (size_t)(colon - listen));
    host[colon - listen] = '\0';
    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

static err start_daemon(struct http_server *http, struct problem *problem)
{
    struct sockaddr_in address;
    const char *listen = http->sandbox->config.listen;
    if (!read_address(listen, &address)) {
        problem_set(problem, ERR_INVALID, "'%s' is not ADDRESS:PORT", listen);
        return problem_hint(problem, ERR_INVALID, "for example 127.0.0.1:8090");
    }
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_TURBO, 0,
        NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
        MHD_OPTION_URI_LOG_CALLBACK, begin, http, MHD_OPTION_NOTIFY_COMPLETED, end, http,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)64 << 10,
        MHD_OPTION_END);
    if (http->daemon == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "the sandbox cannot listen on '%s'", listen);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    http->port = info != NULL ? info->port : 0;
    return ERR_OK;
}

err sandbox_http_start(struct sandbox *sandbox, struct problem *problem)
{
    struct http_server *http = memory_alloc(sizeof *http);
    if (http == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the sandbox");
    sandbox->http = http;
    http->sandbox = sandbox;
    pthread_mutex_init(&http->mutex, NULL);
    err error = start_daemon(http, problem);
    if (error == ERR_OK) {
        http->has_timer = pthread_create(&http->timer, NULL, run_timer, http) == 0;
        if (!http->has_timer)
            error = problem_set(problem, ERR_UNAVAILABLE, "no thread for the sandbox");
    }
    return error;
}

uint16_t sandbox_http_port(const struct sandbox *sandbox)
{
    return sandbox->http != NULL ? sandbox->http->port : 0;
}

void sandbox_http_stop(struct sandbox *sandbox)
{
    struct http_server *http = sandbox->http;
    struct exchange *due;
    if (http == NULL)
        return;
    http->stop = true;
    if (http->has_timer)
        pthread_join(http->timer, NULL);
    while ((due = take_due(http, INT64_MAX)) != NULL)
        MHD_resume_connection(due->connection);
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    while (http->pool != NULL) {
        struct exchange *next = http->pool->next;
        exchange_release(http->pool);
        http->pool = next;
    }
    pthread_mutex_destroy(&http->mutex);
    memory_free(http);
    sandbox->http = NULL;
}
