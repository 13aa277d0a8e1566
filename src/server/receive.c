/* SPDX-License-Identifier: Apache-2.0 */
/* A request comes in: its headers, what is wrong with them, and its body. What can be refused is refused before its body is read, and what cannot be
 * read in one way only is refused (RFC 9112, 6.3): a proxy before us might cut the stream elsewhere. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "server/answer.h"
#include "server/inside.h"

#define UPLOAD_PART_BYTES_MAX ((size_t)16 * 1024 * 1024)
/* A body over its limit is read and forgotten up to here, so that its sender hears 413 instead of a cut. */
#define OVERRUN_BYTES_MAX (16 * 1024 * 1024)

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

void http_refuse_late(struct request *request)
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
        http_refuse_late(request);
    else if (length > 0)
        (void)buffer_reserve(&request->body, (size_t)length);
}

enum MHD_Result http_begin(struct request *request, const char *method, const char *version)
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

enum MHD_Result http_take(struct request *request, const char *bytes, size_t size)
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
