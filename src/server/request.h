/* SPDX-License-Identifier: Apache-2.0 */
/* request: one HTTP request from its first line to its last byte. Private to server/.
 *
 *     LINE ─headers─▶ BODY ─all of it─▶ (dispatch) ─┬─▶ ANSWERING
 *       http_begin      http_take                   ├─▶ QUEUED ─its turn─▶ DOOR ─durable─▶ ANSWERING
 *                                                   ├─▶ ASKING  ─answered─▶ ANSWERING
 *                                                   └─▶ WORKING ─worker───▶ ANSWERING ─sent─▶ (free)
 *
 * While QUEUED, DOOR, ASKING or WORKING the connection is suspended, and the request belongs to whom it waits for: its
 * lane (turns.c) with the thread that decodes, the log's writer, the engine, a worker. Else it belongs to its libmicrohttpd
 * thread. Header texts are borrowed from the connection until the answer is sent.
 */
#ifndef KITH_SERVER_REQUEST_H
#define KITH_SERVER_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "access/user.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "collect/collect.h"
#include "engine/engine.h"

struct server;
struct route;
struct http_thread;
struct connection;
struct stream;
struct customer_question;
struct scope;

enum method {
    METHOD_GET,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_HEAD,
    METHOD_OPTIONS,
    METHOD_OTHER
};
const char *method_text(enum method method);

enum request_stage {
    STAGE_LINE,
    STAGE_BODY,
    STAGE_QUEUED, /* its turn to be decoded comes (turns.c) */
    STAGE_DOOR,
    STAGE_ASKING,
    STAGE_WORKING,
    STAGE_ANSWERING
};

/* X(member, header in lower case): what is kept of the headers */
#define REQUEST_HEADERS(X)                             \
    X(authorization, "authorization")                  \
    X(content_type, "content-type")                    \
    X(content_encoding, "content-encoding")            \
    X(content_length, "content-length")                \
    X(transfer_encoding, "transfer-encoding")          \
    X(origin, "origin")                                \
    X(host, "host")                                    \
    X(cookie, "cookie")                                \
    X(user_agent, "user-agent")                        \
    X(accept_encoding, "accept-encoding")              \
    X(expect, "expect")                                \
    X(if_none_match, "if-none-match")                  \
    X(idempotency_key, "idempotency-key")              \
    X(kith_request, "x-kith-request")                  \
    X(kith_reason, "x-kith-reason")                    \
    X(anonymous_id, "anonymousid")                     \
    X(dry_run, "dry-run")                              \
    X(forwarded_for, "x-forwarded-for")                \
    X(forwarded_proto, "x-forwarded-proto")            \
    X(asked_headers, "access-control-request-headers") \
    X(asked_method, "access-control-request-method")

struct request_headers {
#define X(member, header) str member;
    REQUEST_HEADERS(X)
#undef X
};

/* Who asks. Texts are borrowed from `set`. */
struct actor {
    bool is_known;
    bool is_automation;             /* by KITH_ADMIN_TOKEN: not paced */
    struct permissions permissions; /* of her roles, and of the token where that is narrower */
    str team;                       /* key; empty: all teams */
    uint32_t user_number;
    str login;
    bool by_cookie;
    uint8_t token_hash[SEAL_HASH_BYTES];
    struct access_set *set; /* held */
};

#define PATH_PARAMETERS_MAX 3
#define URI_BYTES_MAX 8192

struct request {
    /* kept for the next request */
    struct request *next_free;
    char *uri; /* as it came */
    size_t uri_capacity;
    struct buffer body, records, out;
    struct arena arena;
    struct server *server;
    struct http_thread *thread;

    /* zero again at the next one, from here to the end */
    struct request *next_waiting; /* in the workers' queue, or in its lane */
    steady_ns queued;             /* since when */
    struct connection *link;
    struct MHD_Connection *connection;
    steady_ns started;
    int64_t waited_ms; /* in the socket before that, where the thread is pressed */
    enum request_stage stage;
    bool headers_seen, refused_early, reads_on, is_door, counted, close_after;
    bool is_handed_on; /* to whom it waits for; known to its libmicrohttpd thread alone */
    bool is_loud;      /* of a source that brings more than its share (flow.c) */
    size_t loud_bytes; /* of it, in the log and not yet durable (turns.c) */
    enum method method;
    str path, query; /* of uri, not decoded */
    struct request_headers headers;
    str client_address;
    size_t body_bytes_max, in_flight_bytes;

    /* API */
    const struct route *route;
    str parameters[PATH_PARAMETERS_MAX]; /* decoded, in `arena` */
    struct actor actor;
    struct scope *scope;         /* what she sees; NULL: the whole (server/scope/scope.h) */
    str reason;                  /* given for seeing in full; in `arena` */
    bool reveal_told;            /* asked and told already: what the handler calls shows in full */
    struct json_parser *parser;  /* of the thread or worker that runs the handler: the body's */
    struct json_parser *scratch; /* for anything else, until the next use */
    json_value json;             /* the body, parsed */

    /* doors */
    steady_ns decoded, durable; /* when: with `queued`, where its time went */
    struct log_append append;
    struct collect_answer door_answer;
    err append_error;

    /* hot reads */
    struct customer_question *question;

    /* the answer */
    struct stream *stream; /* server-sent events instead of `out` */
    int status;
    const char *content_type;       /* default application/json */
    const char *cache_control;      /* default no-store */
    const char *allow;              /* with 405 */
    str set_cookie, location, etag; /* in `arena`, terminated */
    str static_body;                /* instead of `out`: lives as long as the process */
    int file;                       /* instead of `out`, when not 0: open, closed when it is sent */
    uint64_t file_bytes;
    struct sealed_file *sealed_file; /* instead of `out`, when it is not NULL */
    const char *static_encoding;
    int64_t retry_after_s;
    bool has_progress; /* of a problem: `progress`, 0 to 1, of what has to be there first */
    double progress;
    bool cors;
    bool is_page; /* HTML: with the policy of what it may load */
};

/* A query parameter, decoded into the request's arena; STR_NONE when it is not there. The first of
 * several. INVALID is told by `request_check_query`. */
str request_query(struct request *request, str name);
/* Every parameter must be well-formed UTF-8 and named by the route's row in the table. */
err request_check_query(struct request *request, struct problem *problem) MUST_USE;
/* Visit all parameters whose name begins with `prefix`. */
struct query_iterator {
    str rest;
};
bool request_next_query(struct request *request, struct query_iterator *iterator, str *name,
                        str *value);
bool request_query_flag(struct request *request, str name); /* "true", "1" */

/* Percent-decoding into the arena; false for bad escapes, invalid UTF-8, NUL, or no memory. */
bool url_decode(struct arena *arena, str text, bool plus_is_space, str *out);

#endif
