/* SPDX-License-Identifier: Apache-2.0 */
/* server_parts: what the files of a log on a server share. */
#ifndef KITH_LOG_SERVER_PARTS_H
#define KITH_LOG_SERVER_PARTS_H

#include "log/link.h"
#include "log/server.h"

#define LEASE_MS_DEFAULT INT64_C(10000)
#define HOLDER_BYTES 80
/* Of the thread that follows or empties the inbox: between looks that brought nothing. */
#define FOLLOW_IDLE_MS 25
#define INBOX_IDLE_MS 25

struct server_store {
    struct log_store store;
    struct log *log;
    char address[1024];                 /* of the server, with its password */
    char holder[HOLDER_BYTES];          /* who we are */
    char reached_at[LOG_ADDRESS_BYTES]; /* where people reach us */
    int64_t lease_ms;
    bool follows;    /* as it was opened */
    uint64_t schema; /* its number in the server: names our sessions */
    _Atomic bool dead, interrupted;
    _Atomic uint64_t epoch;         /* of the lease that counts now: ours, unless we follow */
    _Atomic int64_t lease_until_ns; /* steady; as far as we may believe (P3) */
    _Atomic bool is_reachable;
    _Atomic bool lease_is_free;
    _Atomic int64_t bytes, inbox_rows;

    struct link writer;           /* of the writer's thread */
    unsigned prepared;            /* the life of `writer` in which its statements were prepared */
    uint64_t first_seq, last_seq; /* of what is there; under `turn` */

    pthread_mutex_t turn; /* the service connection */
    struct link service;

    pthread_mutex_t standing_mutex;
    char active[LOG_ADDRESS_BYTES];

    pthread_t lease_thread, side_thread;
    bool lease_runs, side_runs;
    struct link lease, side;
    steady_ns told; /* the others of us; lease's thread */
};

static inline struct server_store *server_of(struct log_store *store)
{
    return (struct server_store *)store;
}

/* server_lease.c */

/* Take the lease when it is free, over, or was ours in a former life; LOCKED when another holds it. */
err lease_take(struct server_store *store, struct link *link, struct problem *problem) MUST_USE;
/* Read who holds it. */
err lease_look(struct server_store *store, struct link *link, struct problem *problem) MUST_USE;
/* What our sessions are called while this epoch counts. */
void lease_name(const struct server_store *store, uint64_t epoch, char name[64]);
void *lease_run(void *store);
void lease_give_back(struct server_store *store);
void server_standing(struct log_store *store, struct log_standing *standing);
bool server_may_act(struct log_store *store);

/* server_write.c */
err server_write(struct log_store *store, const struct log_file_row *rows, size_t count,
                 uint64_t last_seq, const struct log_taken *taken, struct problem *problem);
err server_hand_over(struct log_store *store, const struct log_handed *handed, size_t count,
                     struct problem *problem);

/* server_read.c */
err server_read(struct log_store *store, uint64_t seq, struct log_block **block,
                struct problem *problem);
err server_record_bytes_from(struct log_store *store, uint64_t seq, uint64_t *bytes,
                             struct problem *problem);
err server_trim(struct log_store *store, uint64_t seq, int64_t before_ms, uint64_t *first_seq,
                bool *more, struct problem *problem);
int64_t server_bytes(struct log_store *store);
err server_replace(struct log_store *store, uint64_t first_seq, str body, struct problem *problem);
err server_scrub(struct log_store *store, struct problem *problem);
err server_begin_at(struct log_store *store, uint64_t first_seq, int64_t received_ms,
                    struct problem *problem);
/* A row of kith_log_block, in binary, as a block; CORRUPT names it. */
err server_block_of(const PGresult *result, int row, int key_column, int body_column,
                    struct log_block **block, struct problem *problem) MUST_USE;

/* server_peers.c */

#define PEERS_TABLE                                                                       \
    "CREATE TABLE IF NOT EXISTS kith_server (id TEXT PRIMARY KEY, address TEXT NOT NULL," \
    " role TEXT NOT NULL, version TEXT NOT NULL, epoch BIGINT NOT NULL,"                  \
    " applied_seq BIGINT NOT NULL, lag BIGINT NOT NULL, ready BOOLEAN NOT NULL,"          \
    " reason TEXT NOT NULL, started_ms BIGINT NOT NULL, has_left BOOLEAN NOT NULL,"       \
    " seen TIMESTAMPTZ NOT NULL);"
#define PEERS_EVERY_MS INT64_C(1000)
/* Tell the others that we live; at most once in PEERS_EVERY_MS. What fails is told the next time. Lease's thread. */
void peers_tell(struct server_store *store);
/* That we end. */
void peers_leave(struct server_store *store);
err server_peers(struct log_store *store, void (*visit)(void *context, const struct log_peer *peer),
                 void *context, struct problem *problem);

/* server_read.c */

/* By the service connection: ask, and ask again while the server is away, for a while. Under `turn`. */
err server_ask(struct server_store *store, const char *text, const struct link_value *values,
               int count, bool binary, PGresult **result, struct problem *problem) MUST_USE;

/* server_follow.c */
void *follow_run(void *store);
void *inbox_run(void *store);

/* Sleep in small steps, and not at all once the store is interrupted. */
void server_pause(struct server_store *store, int64_t ms);

#endif
