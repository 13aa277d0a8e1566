/* SPDX-License-Identifier: Apache-2.0 */
/* An answer goes out: its headers, and its body out of memory, a file, a sealed file or a stream. */
#include <stdio.h>
#include <string.h>

#include "access/sealed_file.h"
#include "base/logline.h"
#include "base/metric.h"
#include "server/inside.h"

/* Scripts from here alone, none inline; the components of the console set styles inline. */
#define PAGE_POLICY                                                             \
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " \
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "   \
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

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
