/* SPDX-License-Identifier: Apache-2.0 */
/* renew: what an older key sealed is sealed anew by the newest, wherever it lies. Private to privacy/.
 *
 *     keys_add: the key file, META of the ledger, keys_use ─▶ LEDGER ─▶ LOG ─▶ WAREHOUSE ─▶ FILES ─┬▶ done: all is under this key
 *                                                          ▲                                  │
 *                                                          └── a pass in which something changed
 *
 * From the first moment on the newest key seals at the doors, and whatever is committed to the ledger goes by way of it
 * (engine_renew), so that what memory still has under an older key cannot come back. A pass looks at everything that is there when it
 * comes to it; what was under way while the key changed is found by the next one. The last pass changed nothing.
 *
 * Invariants
 *   R1 each step may be done again; after a crash the phase goes on where its row in META says, or at the beginning of its table.
 *   R2 `done` is said only after a whole pass has found nothing of an older key.
 *   R3 a key is removed only below `done`, so that nothing in this folder needs it. Backups may.
 *   R4 lines of the audit stay as they are: they are chained.
 *
 *   renew.c         the job: its state, its phases, what people see
 *   renew_stores.c  a step in each of the stores
 *   renew_count.c   what is left, for `kith check`
 */
#ifndef KITH_PRIVACY_RENEW_H
#define KITH_PRIVACY_RENEW_H

#include <pthread.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/ledger.h"

struct privacy;

/* X(NAME, text) */
#define RENEW_PHASE_TABLE(X)  \
    X(LEDGER, "ledger")       \
    X(LOG, "log")             \
    X(WAREHOUSE, "warehouse") \
    X(FILES, "files")

enum renew_phase {
#define X(name, text) RENEW_##name,
    RENEW_PHASE_TABLE(X)
#undef X
        RENEW_PHASE_COUNT
};

/* What META has of it. */
struct renew_state {
    uint32_t key;  /* to which all is brought; 0: nothing is under way */
    uint32_t done; /* to which all was brought */
    uint32_t pass; /* from 1 */
    enum renew_phase phase;
    uint32_t table;                     /* of the ledger */
    uint64_t seq;                       /* of log or warehouse: where it goes on */
    uint64_t changed;                   /* in this pass */
    uint64_t counts[RENEW_PHASE_COUNT]; /* ever, by phase: rows, records, texts, files */
    uint64_t busy;                      /* files that somebody was writing to */
    int64_t began_ms, finished_ms;
};

#define RENEW_PLACE_BYTES 65536
#define WAITS_BYTES 320
struct renewing {
    struct renew_state state; /* the thread's own */
    bool loaded;
    /* where it is in its table */
    struct ledger_value place[LEDGER_COLUMNS_MAX];
    char *place_bytes; /* RENEW_PLACE_BYTES */
    bool has_place;
    pthread_mutex_t mutex; /* what follows */
    struct renew_state shown;
    char waits_for[WAITS_BYTES]; /* why it does not go on, or "" */
};

err renew_open(struct privacy *privacy);
void renew_close(struct privacy *privacy);
/* Go on for as long as nothing else is to be done. *more: there is more to do at once. Privacy's thread. */
err renew_look(struct privacy *privacy, bool *more, struct problem *problem) MUST_USE;

/* ---- renew_stores.c: a step; *ended: this phase is through ---- */

err renew_ledger(struct privacy *privacy, bool *ended, struct problem *problem) MUST_USE;
err renew_log(struct privacy *privacy, bool *ended, struct problem *problem) MUST_USE;
err renew_warehouse(struct privacy *privacy, bool *ended, struct problem *problem) MUST_USE;
err renew_files(struct privacy *privacy, bool *ended, struct problem *problem) MUST_USE;
/* SQL: may this row of `events` have a text of these keys before `newest`? */
void renew_write_condition(uint32_t oldest, uint32_t newest, struct buffer *out);

#endif
