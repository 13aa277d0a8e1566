/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of this room share. Private to server/. */
#ifndef KITH_SERVER_INSIDE_H
#define KITH_SERVER_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "access/pace.h"
#include "base/zone.h"
#include "server/request.h"
#include "server/router.h"
#include "server/server.h"

struct filler;
struct loud;
struct live;
struct scopes;

#define ACCESS_RULES_MAX 16

/* A connection's clock: which phase since when. Phase and time are written by its thread and read by
 * the guard. */
enum phase { PHASE_HEADER, PHASE_BODY, PHASE_WAITING, PHASE_SENDING, PHASE_STREAMING, PHASE_IDLE };

struct connection {
    struct connection *next, **link; /* the guard's list, under its lock */
    uint32_t source; /* of its last events, a hint where keys stand in bodies; its HTTP thread's */
    int fd;
    char address[48];
    _Atomic int phase;
    _Atomic int64_t since_ms; /* steady */
    _Atomic size_t body_bytes;
};

/* Does this thread keep up with its sockets? See admit.c. Times are zero until they are there. */
struct admission {
    steady_ns turn_began; /* epoll_wait came back */
    int64_t turn_ms;      /* of the last turn */
    int sockets;          /* that a turn takes at most */
    bool full;            /* more may be ready than this turn takes */
    steady_ns over_since; /* since when all have been over the limit */
    steady_ns refused_at; /* last */
    unsigned refused;
};

/* What a libmicrohttpd thread or a worker keeps between requests. */
struct http_thread {
    struct http_thread *next;
    struct collect_worker *collect;
    struct json_parser *parser, *scratch;
    struct request *free_requests;
    size_t free_count;
    struct MHD_Response *accepted; /* the doors' usual answer, made once */
    struct access_set *set;
    uint64_t set_version;
    struct admission admission;
    struct turns *turns;
};

struct worker;
struct workspace_zone;

struct workers {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct request *first, **last;
    size_t waiting, waiting_max;
    bool closed;
    unsigned count;
    struct worker *threads;
};

struct server {
    struct server_config config;
    struct engine *engine;
    struct keys *keys;               /* the engine's */
    const struct identity *identity; /* the engine's: for what any thread may ask of it */
    struct MHD_Daemon *daemon;
    int listen_fd; /* -1: not open */
    pthread_t accept_thread;
    bool accept_runs;
    uint16_t port;
    int64_t started_ms; /* wall */

    pthread_mutex_t threads_mutex;
    struct http_thread *threads;

    pthread_mutex_t guard_mutex;
    struct connection *connections;
    pthread_t guard_thread;
    bool guard_runs;
    _Atomic bool stopping, draining;
    _Atomic unsigned connection_count, in_flight, suspended;
    _Atomic size_t in_flight_bytes;

    /* server_limit: of config, what may change */
    _Atomic size_t in_flight_bytes_max;
    _Atomic int64_t door_wait_ms_max;
    _Atomic(const char *) trusted_proxies;

    struct workers workers;

    /* who may */
    pthread_mutex_t access_mutex;
    struct access_set *set;
    uint64_t set_version;
    _Atomic uint64_t own_changes; /* grows with each command of ours that changes access */
    struct session_table *sessions;
    struct throttle *throttle;
    struct pace *pace;
    _Atomic int64_t access_rules[ACCESS_RULES_MAX]; /* access_rules.h */
    _Atomic int sign_ins;                           /* passwords being checked now */
    bool has_admin_token;
    uint8_t admin_token_hash[SEAL_HASH_BYTES];

    pthread_mutex_t create_mutex;      /* one source is made at a time */
    _Atomic(const struct zone *) zone; /* the workspace's */
    struct workspace_zone *zones;      /* all that were read */
    struct flows *flows;               /* how much each source brings */
    struct loud *loud;                 /* who decodes for those that bring too much */
    struct live *live;
    struct scopes *scopes;         /* teams, and views in force */
    struct answers *answers;       /* remembered for Idempotency-Key */
    struct figures *figures;       /* warehouse figures, kept for some seconds */
    struct namespaces *namespaces; /* in which identifiers were seen */
    struct exports *exports;       /* members written to files */
    struct whatifs *whatifs;       /* journeys over past days */
    struct values *values;         /* identifiers as they may be shown */
    struct filler *filler;         /* fills them */
};

static inline size_t server_in_flight_bytes_max(const struct server *server)
{
    return atomic_load_explicit(&server->in_flight_bytes_max, memory_order_relaxed);
}
static inline int64_t server_door_wait_ms_max(const struct server *server)
{
    return atomic_load_explicit(&server->door_wait_ms_max, memory_order_relaxed);
}

int64_t server_now_ms(const struct server *server); /* wall */
/* Up to when an answer made now is true. */
int64_t server_as_of_ms(struct server *server);
/* The ledger, once it has what was acknowledged before: who has her answer finds her own writes in it. Where it
 * is far behind, its last state has to do. Worker threads. */
struct ledger *server_ledger(struct server *server);

/* ---- http.c ---- */

/* Suspend the connection before handing the request on; false, with a refusal as answer, when the
 * server is stopping. Its thread. */
bool http_suspend(struct request *request, enum request_stage stage);
/* The request goes on: its thread answers. Any thread, once. */
void http_resume(struct request *request);
err http_start(struct server *server, struct problem *problem) MUST_USE;

/* ---- threads.c: what a thread keeps ---- */

/* Of the calling libmicrohttpd thread or worker. NULL when out of memory. */
struct http_thread *http_thread_new(struct server *server);
void http_thread_free(struct http_thread *thread);
/* The calling libmicrohttpd thread's; NULL before its first request. */
struct http_thread *http_thread_own(void);
/* For the calling libmicrohttpd thread; NULL when out of memory. It goes back when all of it is over, on the same thread. */
struct request *http_request_new(struct server *server);
void http_request_recycle(struct request *request);

/* ---- receive.c: its own libmicrohttpd thread ---- */

/* The headers are here. */
enum MHD_Result http_begin(struct request *request, const char *method, const char *version);
/* A piece of the body. */
enum MHD_Result http_take(struct request *request, const char *bytes, size_t size);
/* Come again later, on the same connection: the body is read and forgotten. */
void http_refuse_late(struct request *request);

/* ---- respond.c: its own libmicrohttpd thread ---- */

enum MHD_Result http_send(struct request *request);

/* ---- admit.c: the thread's own libmicrohttpd thread ---- */

/* How many sockets the next one may take. */
int admission_turn_ends(struct admission *admission);
void admission_turn_begins(struct admission *admission, int sockets);
/* Once the headers are here: may it go on? If not, `retry_after_s` is set, and nothing else. */
bool admission_permits(struct request *request);
/* Once the body is here, before it is decoded: still? */
bool admission_still_permits(struct request *request);

/* The same of one that waited in a queue of ours: for so long, its time in the socket included. `admission` is that of the thread
 * that decodes it. */
bool admission_permits_waited(struct request *request, struct admission *admission,
                              int64_t waited_ms);

/* ---- turns.c: whose events are decoded next. Each belongs to one thread; those of loud.c are under its mutex ---- */

struct turns;
err turns_new(struct turns **turns) MUST_USE;
void turns_free(struct turns **turns);
/* It waits for its turn; false: there is no memory for that. */
bool turns_put(struct turns *turns, struct request *request, uint64_t lane);
/* Whose turn it is; NULL: nobody waits, or only loud ones that are held. */
struct request *turns_take(struct turns *turns);
/* It is durable or answered: what was held for it may come. For any request, more than once too. */
void turns_done(struct turns *turns, struct request *request);
/* When the first of those that are held for their pace may go; -1: there is none. */
int64_t turns_pause_us(const struct turns *turns);
/* Decode some, for a few milliseconds; true: there is more to decode now. Its libmicrohttpd thread. */
bool turns_run(struct turns *turns);
/* doors.c: its turn has come, it is suspended. `by`: the calling thread, with its decoder. */
void door_run_queued(struct request *request, struct http_thread *by);

/* ---- loud.c: a thread for those that bring more than their share. libmicrohttpd's threads ---- */

err loud_start(struct server *server) MUST_USE;
/* When nobody suspends any more and nothing is suspended. */
void loud_stop(struct server *server);
/* It waits for that thread; false: there is no memory for that. */
bool loud_put(struct request *request, uint64_t lane);
/* As turns_done, for any request. */
void loud_done(struct request *request);

/* ---- flow.c: a source that floods. Any thread ---- */

/* Which source it is, as far as that is known before it is decoded; 0: not known. */
uint32_t flow_source_known(const struct request *request);
/* The same, and else its header or query. */
uint64_t flow_lane(const struct request *request);
/* It brings little beside others: refusing it would let nobody else be in time. */
bool flow_is_quiet(const struct request *request);
/* It brings a quarter more than its fair share, now or in the second before, and others bring something too. */
bool flow_is_loud(const struct request *request);
/* Its source has a limit, and so a pace. */
bool flow_is_paced(const struct request *request);
/* For how long its source, as it is loud, has to wait before the next request goes; 0: not at all, or it has no pace. */
int64_t flow_pause_us(const struct request *request);

struct flow_source {
    uint32_t number, events_per_second;
};
err flows_new(struct flows **flows) MUST_USE;
void flows_free(struct flows **flows);
/* Requests wait too long: from now on, for a second, each source gets its share. */
void flows_press(struct flows *flows);
/* Before it is decoded: is its source, as far as its key tells, in debt? False: refused, Retry-After is set. */
bool flow_may_come(struct request *request);
/* Decoded: so many events of this source. False: refused, nothing is counted. */
bool flow_takes(struct request *request, const struct flow_source *source, uint32_t events);
/* The source was changed: what it owed is forgotten. */
void flow_limit_changed(struct server *server, uint32_t source_number);

/* ---- accept.c ---- */

err accept_start(struct server *server, struct problem *problem) MUST_USE;
/* No new connections from here on; may be called again. */
void accept_stop(struct server *server);

/* ---- fill.c ---- */

/* From here on values are filled as identifiers come. */
err filler_start(struct server *server) MUST_USE;
void filler_stop(struct server *server);

/* ---- guard.c ---- */

err guard_start(struct server *server) MUST_USE;
void guard_stop(struct server *server);
void guard_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode code);
void guard_phase(struct connection *connection, enum phase phase);

/* ---- workers.c ---- */

err workers_start(struct server *server, struct problem *problem) MUST_USE;
/* False when too many wait. */
bool workers_put(struct server *server, struct request *request);
void workers_stop(struct server *server);

/* ---- auth.c ---- */

err auth_start(struct server *server, struct problem *problem) MUST_USE;
void auth_stop(struct server *server);
/* Who asks, and may she? Sets request->actor. UNAUTHENTICATED, FORBIDDEN. */
err auth_check(struct request *request, struct http_thread *thread,
               struct problem *problem) MUST_USE;
/* Does she hold it? FORBIDDEN, with its name. For what a route asks beyond its row of the table. */
err auth_needs(struct request *request, enum permission needed, struct problem *problem) MUST_USE;
/* Who asks, on a route that anybody may ask: sets request->actor where a token is good. UNAUTHENTICATED. The connection's
 * own thread. */
err auth_identify(struct request *request, struct problem *problem) MUST_USE;
/* A fresh hold of the present users and tokens. */
err auth_hold(struct server *server, struct access_set **set, struct problem *problem) MUST_USE;
void auth_release(struct request *request);
/* After a command that changed users or tokens. */
void auth_changed(struct server *server);
/* What was refused for want of a right stands in the audit: at most sixty lines a minute of a user. Workers. */
void auth_tell_refusal(struct request *request);
/* A line of the audit for what changes nothing: action, object and, if there is one, a reason. Worker threads. */
err auth_note(struct request *request, const char *action, str object,
              struct problem *problem) MUST_USE;
/* `reveal=true` with the right to it and, where one is asked for, a reason; FORBIDDEN, UNPROCESSABLE, BUSY. The
 * second writes a line of the audit, `object` says whose values; the third does both. */
err auth_may_reveal(struct request *request, bool *reveal, struct problem *problem) MUST_USE;
err auth_tell_reveal(struct request *request, str object, struct problem *problem) MUST_USE;
err auth_reveal(struct request *request, str object, bool *reveal,
                struct problem *problem) MUST_USE;

/* ---- doors.c ---- */

void door_run(struct request *request);
/* Answer of a door after the sync, or why not. */
void door_finish(struct request *request);
void door_preflight(struct request *request);

/* ---- files.c ---- */

/* The console's files and, for its own paths, index.html; false for what is none. */
bool files_find(struct request *request);

/* ---- customer.c ---- */

void customer_finish(struct request *request); /* after ASKING, on the connection's thread */

/* ---- routes_privacy.c ---- */

/* An erasure as a job: its id is x and a number. */
err privacy_job(struct request *request, str id, struct problem *problem) MUST_USE;
/* Of a run of retention, t1. */
err retention_job(struct request *request, str id, struct problem *problem) MUST_USE;
/* Of the rotation to a sealing key, k2. */
err keys_job(struct request *request, str id, struct problem *problem) MUST_USE;

/* ---- workspace.c ---- */

#define SETTING_ZONE "workspace.zone"
err workspace_start(struct server *server, struct problem *problem) MUST_USE;
void workspace_stop(struct server *server);
/* The workspace's zone now; lives as long as the server. Any thread. */
const struct zone *server_zone(struct server *server);
/* Is this value good for that setting? UNPROCESSABLE. Then, once it is made, go by it. */
err workspace_check_setting(str key, json_value value, struct problem *problem) MUST_USE;
err workspace_setting_changed(struct server *server, str key, json_value value,
                              struct problem *problem) MUST_USE;

/* ---- live.c ---- */

err live_start(struct server *server) MUST_USE;
void live_stop(struct server *server); /* ends all streams; may be called again */
void live_free(struct server *server);
unsigned live_stream_count(struct server *server);
struct MHD_Response *stream_response(struct request *request);
void stream_free(struct stream **stream);

#endif
