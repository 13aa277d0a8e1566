/* SPDX-License-Identifier: Apache-2.0 */
/* server: HTTP in front of the engine. Doors for events, the API, the console's files.
 *
 *     socket ─▶ libmicrohttpd threads ─┬─ doors:  decode, append, suspend … durable ─▶ resume, answer
 *                                      ├─ hot reads: ask the engine, suspend … ─▶ resume, write, answer
 *                                      ├─ health, metrics, files: answered at once
 *                                      └─ API: suspend, a worker of the pool runs the handler ─▶ resume
 *
 * Invariants
 *   S1 nothing blocks a libmicrohttpd thread: what waits is suspended.
 *   S2 everything has a limit: header, body, connections, bytes in flight, time of each phase, workers'
 *      queue, streams. Who goes beyond gets 408, 413, 429 or 503 with Retry-After, or is cut.
 *   S3 a route is one row of the router's table: method, path, permission, kind, handler; the table and
 *      openapi.json say the same (a test proves it). A route without a permission does not compile.
 *   S4 an event's request is answered after its sync, a command's after its commit.
 *   S5 answers with personal data are `no-store`; error texts name things and values, never paths of
 *      the machine, never secrets.
 *
 * Files: http.c (libmicrohttpd's calls: follow a request down it), receive.c (headers and body), respond.c (the answer),
 * threads.c (what a thread keeps), turns.c and flow.c (fairness between sources), guard.c (deadlines of connections), accept.c (new
 * connections), admit.c (who waited too long), router.c (the table), workers.c (the pool), auth.c (who asks), answer.c (problems and lists), one routes_*.c
 * per room of the API, live.c (streams), files.c (the console).
 *
 * server_start, server_drain and server_stop by one thread.
 */
#ifndef KITH_SERVER_SERVER_H
#define KITH_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "collect/collect.h"
#include "engine/engine.h"

struct server;
struct feeds;
struct sinks;
struct imports;
struct backups;
struct privacy;

/* What it is there for: everything; the doors of the SDKs alone; everything but those. */
enum server_offers { OFFERS_ALL, OFFERS_DOORS, OFFERS_READS, OFFERS_NOTHING };
/* As people read it: active, follower, collect, query. */
const char *server_role_text(enum server_offers offers, bool follows);

/* What may change while it runs; zeros: defaults. */
struct server_limits {
    size_t in_flight_bytes_max; /* bodies and records of all requests; default 256 MB */
    int64_t door_wait_ms_max;   /* waited longer, unread: 429; default 100, others ten times that */
    const char *
        trusted_proxies; /* addresses, with commas: their X-Forwarded-For counts; outlives the server */
};

struct server_config {
    enum server_offers offers;
    struct engine *engine;   /* opened; outlives the server */
    struct imports *imports; /* likewise; NULL: none are taken */
    struct feeds *feeds;     /* likewise */
    struct sinks *sinks;     /* likewise */
    struct backups *backups; /* likewise */
    struct privacy *privacy; /* likewise */
    struct wall_clock *clock;
    const char *version;
    const char *address;                  /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;                        /* 0: any free one */
    unsigned http_threads;                /* 0: one per core */
    unsigned api_threads;                 /* default 6 */
    unsigned connections_max;             /* default 12,000 */
    unsigned connections_per_address_max; /* default 10,000 */
    size_t header_bytes_max;     /* default 16 KB: of all headers, twice what is read at once; held
                                       by each open connection */
    size_t api_body_bytes_max;   /* default 1 MB */
    size_t door_body_bytes_max;  /* default 4 MB, as it comes over the wire */
    int64_t header_ms_max;       /* default 10,000 */
    int64_t body_ms_max;         /* default 30,000; longer only above 16 KB/s */
    int64_t idle_ms_max;         /* default 75,000: between requests of a connection */
    unsigned streams_max;        /* default 100: server-sent events */
    size_t values_bytes;         /* of identifiers, masked, to be shown; default 256 MB */
    struct server_limits limits; /* those that server_limit changes */
    const char *admin_token;     /* KITH_ADMIN_TOKEN; NULL: none */
    const char *zone;            /* of the workspace without a setting; default Asia/Shanghai */
    struct collect_limits collect; /* zeros: defaults */
};

/* Listens when it returns. BUSY-like failures name the address: IO. */
err server_start(struct server **server, const struct server_config *config,
                 struct problem *problem) MUST_USE;
uint16_t server_port(const struct server *server);
/* Takes no new connections, answers what is in flight, closes connections as they are answered;
 * returns when all is answered or after `timeout_ms`. */
void server_drain(struct server *server, int64_t timeout_ms);
/* Requests still in flight are waited for: the engine must still answer. */
void server_stop(struct server **server);

/* Tell a running server anew. Any thread; requests that come see the new values. */
void server_limit(struct server *server, const struct server_limits *limits);

/* First start: makes the administrator `admin` when there is no user, and writes login and password
 * into `login` (else leaves it empty). With `write_key` there is a server source `default` with it. */
#define SERVER_LOGIN_BYTES 64
err server_prepare(struct engine *engine, const char *write_key, char login[SERVER_LOGIN_BYTES],
                   struct problem *problem) MUST_USE;

/* ---- for tests and tools ---- */

/* The OpenAPI document in the binary. */
str server_openapi(void);

#endif
