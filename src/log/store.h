/* SPDX-License-Identifier: Apache-2.0 */
/* store: where the log's blocks lie: a file of SQLite, or a PostgreSQL server. Private to log/.
 *
 * Each function has the contract of the one in log/file.h with the same name; what a server adds is said here. The path
 * decides: "postgresql://…" is a server (log/server.h), anything else a file.
 */
#ifndef KITH_LOG_STORE_H
#define KITH_LOG_STORE_H

#include "log/file.h"

struct log_store;

/* Rows of the inbox that become part of the log with a write, and leave it in the same commit. */
struct log_taken {
    const int64_t *ids;
    size_t count;
};

/* Records that a follower hands over. */
struct log_handed {
    str records;
    uint32_t count;
};

struct log_store_driver {
    void (*close)(struct log_store *store);
    /* From now on nothing waits for a server that is away: what is not known to be written is UNAVAILABLE. */
    void (*interrupt)(struct log_store *store);
    err (*write)(struct log_store *store, const struct log_file_row *rows, size_t count,
                 uint64_t last_seq, const struct log_taken *taken, struct problem *problem);
    err (*tidy)(struct log_store *store, bool quiet, struct problem *problem);
    bool (*is_dead)(struct log_store *store);
    err (*read)(struct log_store *store, uint64_t seq, struct log_block **block,
                struct problem *problem);
    err (*record_bytes_from)(struct log_store *store, uint64_t seq, uint64_t *bytes,
                             struct problem *problem);
    err (*trim)(struct log_store *store, uint64_t seq, int64_t before_ms, uint64_t *first_seq,
                bool *more, struct problem *problem);
    int64_t (*bytes)(struct log_store *store);
    err (*replace)(struct log_store *store, uint64_t first_seq, str body, struct problem *problem);
    err (*scrub)(struct log_store *store, struct problem *problem);
    err (*begin_at)(struct log_store *store, uint64_t first_seq, int64_t received_ms,
                    struct problem *problem);
    /* Of a follower; NULL of a file: hand records to whoever writes the log; they are safe when it returns OK, and may be
     * there twice when an answer was lost on the way. */
    err (*hand_over)(struct log_store *store, const struct log_handed *handed, size_t count,
                     struct problem *problem);
    void (*standing)(struct log_store *store, struct log_standing *standing);
    /* NULL of a file: nobody else is at it. */
    err (*peers)(struct log_store *store, void (*visit)(void *context, const struct log_peer *peer),
                 void *context, struct problem *problem);
    bool (*may_act)(struct log_store *store);
};

struct log_store {
    const struct log_store_driver *driver;
};

err log_store_open(struct log_store **store, struct log *log, struct log_tail *tail,
                   struct problem *problem) MUST_USE;
/* Begin what runs by itself beside the writer, once the log is whole. */
err log_store_start(struct log_store *store, struct problem *problem) MUST_USE;

#endif
