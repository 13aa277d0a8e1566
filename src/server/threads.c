/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread of libmicrohttpd, or a worker, keeps between requests: parsers, decoders, and requests that are done, with their buffers, for those
 * that come. Of a request that was large nothing large is kept. */
#include <stddef.h>
#include <string.h>

#include "access/sealed_file.h"
#include "base/thread.h"
#include "server/inside.h"
#include "server/scope/scope.h"

#define KEPT_REQUESTS_MAX 256
#define KEPT_BYTES_MAX (64 * 1024)
#define ARENA_BYTES_MAX (64 * 1024 * 1024)
#define OUT_BYTES_MAX (64 * 1024 * 1024)

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

struct request *http_request_new(struct server *server)
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

void http_request_recycle(struct request *request)
{
    struct http_thread *thread = request->thread;
    loud_done(request);
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

struct http_thread *http_thread_own(void)
{
    return this_thread;
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
