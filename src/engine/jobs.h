/* SPDX-License-Identifier: Apache-2.0 */
/* jobs: the state of imports inside apply, and the watch over what comes while something is taken back.
 *
 * A job is moved by commands alone (imports/imports.h draws its life). What RAM keeps of it here is its row
 * of IMPORT_STATES; what the job is about lies in IMPORTS and is not needed to apply anything.
 *
 *     waiting ──▶ running ──▶ finished ──▶ undoing ──▶ undone
 *        ▲         │  │ ▲                    ▲
 *        │  paused ◀┘  └─▶ failed             │   (a job that is cancelled takes back what it brought:
 *        └────┴───────────────┘──────────────┘    undoing, then cancelled)
 *
 * The watch. Orders, counts and times of a node are sums and extremes from which one event cannot be
 * taken: what remains is told anew (import.retract), as of a cut, which is the seq of an import.cut.
 * What is observed after the cut is remembered here and observed once more on top. So the result is the
 * same as if the event had never come, whatever came meanwhile, and a function of the log.
 *
 * Engine thread.
 */
#ifndef KITH_ENGINE_JOBS_H
#define KITH_ENGINE_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/retention.h"
#include "profile/profile.h"
#include "store/ledger.h"

/* X(NAME, text) */
#define JOB_STATUS_TABLE(X) \
    X(WAITING, "waiting")   \
    X(RUNNING, "running")   \
    X(PAUSED, "paused")     \
    X(FINISHED, "finished") \
    X(FAILED, "failed")     \
    X(UNDOING, "undoing")   \
    X(UNDONE, "undone")     \
    X(CANCELLED, "cancelled")

enum job_status {
#define X(name, text) JOB_##name,
    JOB_STATUS_TABLE(X)
#undef X
        JOB_STATUS_COUNT
};
const char *job_status_text(enum job_status status);
bool job_status_parse(str text, enum job_status *status);

/* What a job tells of itself with each move, as totals. X(member) */
#define JOB_TOLD_TABLE(X) X(rows) X(events) X(refused) X(duplicates) X(replaced) X(bytes)
/* What the engine saw of its events. */
#define JOB_SEEN_TABLE(X) X(applied) X(quarantined) X(customers) X(merges)

struct job {
    uint32_t number;
    enum job_status status;
    bool cancelled; /* is being undone because it was cancelled */
    char reason[240];
    uint64_t position;     /* the row with which it goes on */
    uint64_t report_bytes; /* of refused rows, up to there */
    uint64_t undo_place;   /* nodes below are undone; beyond 32 bits: all */
    uint64_t cut_seq;      /* of its last cut; 0: none */
    uint64_t first_seq, last_seq;
    int64_t changed_ms;
#define X(member) uint64_t member;
    JOB_TOLD_TABLE(X)
    JOB_SEEN_TABLE(X)
#undef X
    uint8_t identity[32]; /* of content, mapping and data set */
    char
        source[44]; /* key of the source whose file it is; may be empty, or of none that there is */
};

#define SOURCES_WATCHED_MAX 1024

struct watched {
    struct profile_observation row; /* texts in the arena */
};

struct jobs {
    struct job *items; /* by number; item n - 1 is job n */
    uint32_t count, capacity;
    /* the watch */
    uint64_t cut_seq; /* 0: nothing is watched */
    struct watched *watched;
    size_t watched_count, watched_capacity;
    struct arena texts;
    struct expiry expiry; /* events that go by age take the same way */
    /* by source number: time of the newest event; and of those told by the last watermark */
    int64_t newest_ms[SOURCES_WATCHED_MAX], told_ms[SOURCES_WATCHED_MAX];
};

struct engine;

/* NULL if there is none. */
struct job *jobs_find(struct jobs *jobs, uint32_t number);
/* The next number, waiting. */
err jobs_add(struct jobs *jobs, struct job **added) MUST_USE;
void job_put(const struct job *job, struct ledger_writes *writes);
/* Traits that imports told count by the rank of their file's source: tell profile which these are. After jobs or sources
 * changed; *changed: some trait may have another value now. */
err jobs_rank_sources(struct engine *engine, bool *changed) MUST_USE;
void job_set_source(struct job *job, str key);
/* Watch from `seq` on; what was watched before is forgotten. 0: nothing any more. */
void jobs_cut(struct jobs *jobs, uint64_t seq);

void jobs_init(struct jobs *jobs);
void jobs_deinit(struct jobs *jobs);
err jobs_load(struct jobs *jobs, struct ledger *ledger, struct problem *problem) MUST_USE;
/* What a job that is being undone, or a run of retention, has taken back so far, as SQL over `events_kept`: appended, beginning with
 * " AND "; nothing when there is none. */
void jobs_write_kept(const struct jobs *jobs, struct buffer *sql);
/* Bring the warehouse's list of what was taken back up to the ledger's, before anything is loaded from
 * it; and what the watch has to know from there. */
err jobs_start(struct engine *engine, struct problem *problem) MUST_USE;

/* An event was applied, or observed again at start. */
err jobs_watch(struct jobs *jobs, const struct profile_observation *row) MUST_USE;
/* What became of an event; how far its source has told. */
void jobs_note(struct jobs *jobs, const struct event *event, bool applied, bool created,
               uint32_t merges);
/* A minute has passed: watermarks of the sources that speak by themselves. Such a source has told all up to
 * its newest event, less SOURCE_GRACE_MS for what its clients still hold back. */
#define SOURCE_GRACE_MS (5 * MINUTE_MS)
void jobs_tick(struct engine *engine);

#endif
