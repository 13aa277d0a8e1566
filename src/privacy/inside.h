/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of this room share. Private to privacy/.
 *
 *   privacy.c   the thread, and the steps of erasures
 *   rows.c      sums and rows of the warehouse
 *   redact.c    records of the log, events in quarantine
 *   files.c     exports, reports, uploads
 *   erased.c    the list beside the backups
 *   retention.c what is too old, as runs      too_old.c   … of each kind
 *   show.c      erasures for people
 *   renew.h     sealing anew by a newer key
 */
#ifndef KITH_PRIVACY_INSIDE_H
#define KITH_PRIVACY_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "privacy/privacy.h"

#define PRIVACY_PATH_BYTES 1200
#define TERMS_MAX 4096

#include "privacy/renew.h"

struct privacy {
    struct engine *engine;
    struct imports *imports; /* NULL: there are none */
    const char *folder, *backups;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool runs, woken;
    _Atomic bool closed;
    struct arena arena; /* of a round */
    struct json_parser *parser;
    _Atomic uint64_t cleaned_seen; /* refused events whose records are emptied */
    uint64_t cleaned_seq;          /* of the log, up to here */
    _Atomic bool is_failing, has_begun;
    _Atomic int retaining; /* kind that retention is at, and 1; 0: none */
    struct renewing renewing;
};

/* One erasure of a round. */
struct erasing {
    uint32_t number;
    uint32_t *nodes;
    size_t node_count;
    str secret, receipt; /* JSON */
    bool totals_kept;
    uint64_t rows, records, quarantined, files;
};

/* X(NAME, text): what a round of erasures takes its time for */
#define ERASING_STEP_TABLE(X) \
    X(SETTLE, "settle")       \
    X(SUMS, "sums")           \
    X(ROWS, "rows")           \
    X(PACKS, "packs")         \
    X(LOG, "log")             \
    X(FILES, "files")         \
    X(LEDGER, "ledger")
enum erasing_step {
#define X(name, text) ERASING_##name,
    ERASING_STEP_TABLE(X)
#undef X
        ERASING_STEP_COUNT
};

struct round {
    struct privacy *privacy;
    int64_t step_ms[ERASING_STEP_COUNT];
    steady_ns step_began;
    struct erasing *items;
    size_t count, capacity;
    /* of all of them */
    uint8_t (*hashes)[16]; /* ascending */
    size_t hash_count, hash_capacity;
    str terms[TERMS_MAX]; /* plain values and one_ids */
    size_t term_count;
    uint64_t rows, records, quarantined, files;
    int64_t began_ms;
    err error;
};

/* rows.c */
/* [[day, type, channel, currency, events, revenue, total], …] of these nodes, appended as JSON. */
err rows_sum(struct privacy *privacy, const struct erasing *erasing, struct buffer *out,
             struct problem *problem) MUST_USE;
/* Parts that were replaced are gone from the folder. */
err rows_wait_for_parts(struct privacy *privacy, struct problem *problem) MUST_USE;
/* Their rows leave the warehouse; those that they were in leave the disk. */
err rows_erase(struct round *round, struct problem *problem) MUST_USE;

/* redact.c */
bool round_has_hash(const struct round *round, const uint8_t hash[16]);
err redact_log(struct round *round, uint64_t from_seq, uint64_t to_seq,
               struct problem *problem) MUST_USE;
/* Ids of waiting events about them, appended as JSON numbers with commas. */
err redact_quarantine(struct round *round, struct buffer *ids, struct problem *problem) MUST_USE;

/* files.c */
err files_erase(struct round *round, struct problem *problem) MUST_USE;
/* Files of persons (server/package.c) whose time is over at `now_ms`, and, with `nodes`, those made of requests of these. */
err files_drop_packages(struct privacy *privacy, int64_t now_ms, const uint32_t *nodes,
                        size_t count, struct problem *problem) MUST_USE;

/* erased.c */
/* Whom this folder knows as erased stands in the folder of backups. */
err erased_list_write(struct privacy *privacy, struct problem *problem) MUST_USE;
/* After a restore: whom that folder knew as erased is erased here. */
err erased_list_apply(struct privacy *privacy, struct problem *problem) MUST_USE;

/* retention.c */
/* Begin a run that is due, go on with one that is under way. */
err retention_look(struct privacy *privacy, struct problem *problem) MUST_USE;

/* privacy.c */
err privacy_command(struct privacy *privacy, const char *operation, str body, struct buffer *out,
                    struct problem *problem) MUST_USE;
bool privacy_stops(const struct privacy *privacy);
/* Has an event about an erased customer come since the log was last gone through? */
bool privacy_is_unclean(struct privacy *privacy);
/* Nothing of what rows said before is left in the ledger's files. */
err privacy_scrub_ledger(struct privacy *privacy, struct problem *problem) MUST_USE;

#endif
