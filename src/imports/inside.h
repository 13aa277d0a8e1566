/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of this room share. Private to imports/. */
#ifndef KITH_IMPORTS_INSIDE_H
#define KITH_IMPORTS_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "access/sealed_file.h"
#include "access/team.h"
#include "imports/imports.h"
#include "mapping/mapping.h"
#include "table/table.h"

#define THREADS_MAX 8
#define PATH_BYTES 1024
#define SHA256_BYTES 32

/* What the worker of a job shows while it runs; under the mutex. */
struct running {
    uint32_t number;  /* 0: none */
    bool stop;        /* its state was changed: end at the next chunk */
    int64_t began_ms; /* steady */
    uint64_t began_bytes, began_rows;
    uint64_t rows, bytes, bytes_total;
    const char *stage; /* "reading", "looking_up", "undoing" */
};

struct upload;

#define BUCKETS_SHOWN_MAX 32
#define BUCKET_KEY_BYTES 64

/* How it went when a bucket was last looked into; under the mutex. */
struct bucket_state {
    char key[BUCKET_KEY_BYTES + 1];
    int64_t looked_ms; /* 0: not since the start */
    uint64_t objects, fetched;
    char problem[200]; /* empty: none */
};

/* A file whose content was hashed, as it was before and after. */
struct hashed_file {
    uint64_t device, inode; /* inode 0: none */
    int64_t size_bytes, modified_ns, changed_ns;
    uint8_t sha256[SHA256_BYTES];
};
#define HASHED_FILES_MAX 8u

struct imports {
    struct imports_config config;
    char folder[PATH_BYTES], allowed[PATH_BYTES];
    struct engine *engine;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct hashed_file hashed[HASHED_FILES_MAX];
    unsigned hashed_next;
    bool stopping, woken;
    _Atomic uint64_t changes;
    unsigned thread_count;
    pthread_t threads[THREADS_MAX];
    struct running running[THREADS_MAX];
    pthread_t schedule; /* looks into folders and buckets */
    bool schedule_runs;
    pthread_mutex_t retract_mutex; /* one cut at a time */
    pthread_mutex_t uploads_mutex;
    struct upload *uploads;
    struct sealed_file *growing; /* the upload that got a part last, by its id */
    char growing_id[UPLOAD_ID_BYTES + 1];
    struct bucket_state buckets[BUCKETS_SHOWN_MAX];
};

/* A row of IMPORT_STATES with its row of IMPORTS. */
struct import_row {
    uint32_t number;
    char status[16], reason[256];
    uint64_t position, report_bytes, undo_place, cut_seq, first_seq, last_seq;
    int64_t created_ms, changed_ms;
    uint32_t user_number;
    uint64_t rows, events, refused, duplicates, replaced, bytes;
    uint64_t applied, quarantined, customers, merges;
    bool cancelled;
    struct buffer settings; /* JSON; the caller's to free by import_row_deinit */
};

/* rows.c */
err import_row_read(struct imports *imports, uint32_t number, struct import_row *row,
                    struct problem *problem) MUST_USE;
void import_row_deinit(struct import_row *row);
/* The next job for a worker: waiting, running or undoing, and taken by nobody. 0: none. Under the mutex. */
uint32_t imports_next_job(struct imports *imports);
/* A command whose refusal is an error of `problem`. `out` may be NULL. */
err imports_command(struct imports *imports, const char *operation, str body, struct buffer *out,
                    struct problem *problem) MUST_USE;
err imports_set_state(struct imports *imports, uint32_t number, const char *status, str reason,
                      struct problem *problem) MUST_USE;

/* A deliberate defect, so that the crash test is seen to catch it (KITH_MUTATE_IMPORT); false but in builds with KITH_FAULTS. */
bool imports_mutates(const char *defect);

/* owner.c: whose import it is; team "": the house's */
#define PROPS_BYTES_MAX ((size_t)4 << 20)
struct owner {
    char team[TEAM_KEY_BYTES_MAX + 1];
    struct source_set *sources;  /* held */
    const struct source *source; /* as which it tells; NULL: as none */
    struct team_set *teams;      /* as they were when it began; NULL for the house */
    struct json_parser *parser;
};
/* Close it whatever is answered. */
err owner_open(struct owner *owner, struct imports *imports, str team, str source,
               struct problem *problem) MUST_USE;
void owner_close(struct owner *owner);
/* The event's channel, or that of the source where it says none: as at the doors. */
str owner_channel(const struct owner *owner, const struct event *event);
bool owner_may_tell(const struct owner *owner, const struct event *event, struct problem *problem);
/* UNPROCESSABLE for a mapping of a team that makes objects. */
err owner_check_mapping(str team, json_value mapping, struct problem *problem) MUST_USE;

/* file.c */
struct import_file {
    char path[PATH_BYTES];
    char plain[PATH_BYTES]; /* where its plain bytes are read, once import_file_open was called */
    int descriptor;         /* of a nameless copy; 0: none */
    char name[256];
    int64_t size_bytes;
};
err imports_find_file(struct imports *imports, str reference, struct import_file *file,
                      struct problem *problem) MUST_USE;
/* An upload is sealed: its plain bytes are in a nameless copy until it is closed. */
err import_file_open(struct imports *imports, struct import_file *file,
                     struct problem *problem) MUST_USE;
void import_file_close(struct import_file *file);
err file_sha256(const char *path, uint8_t out[SHA256_BYTES], struct problem *problem) MUST_USE;
/* The same, without reading a file again that was read by this process and has not been written since: a job begins where its request
 * has just hashed gigabytes. */
err imports_sha256(struct imports *imports, const char *path, uint8_t out[SHA256_BYTES],
                   struct problem *problem) MUST_USE;
void hex_text(const uint8_t *bytes, size_t size, char *out); /* 2 * size + 1 */

/* upload.c */
err uploads_find(struct imports *imports, str id, struct import_file *file, char sha256[65],
                 struct problem *problem) MUST_USE;
/* An upload with an id of the caller's: made when it is not there; where it stands. */
err uploads_resume(struct imports *imports, str id, str name, uint64_t size_bytes, uint64_t *offset,
                   struct problem *problem) MUST_USE;
void uploads_free(struct imports *imports);
err uploads_clean(struct imports *imports, struct problem *problem) MUST_USE;

/* known.c: what is there already */
struct known;
struct known_event {
    uint64_t seq; /* 0: taken back in this job */
    uint32_t node;
    uint32_t kind;
    uint64_t content;
};
/* All that jobs of the same data set brought, and this one before a restart. */
err known_open(struct known **known, struct imports *imports, uint32_t number, str data_set,
               struct problem *problem) MUST_USE;
/* The same in three steps: what the warehouse says comes to known_take in pieces cut anywhere (RowBinary, in the order of natural
 * keys; false stops), and is found after known_end. */
err known_begin(struct known **known, const char *folder, uint32_t number,
                struct problem *problem) MUST_USE;
bool known_take(void *known, str bytes);
err known_end(struct known *known, struct problem *problem) MUST_USE;
void known_close(struct known **known);
/* Those with this natural key, at most KNOWN_FOUND_MAX; borrowed until close. How many. */
#define KNOWN_FOUND_MAX 16
size_t known_find(struct known *known, uint64_t natural,
                  struct known_event *events[KNOWN_FOUND_MAX]);
/* It is looked for soon. */
void known_prefetch(const struct known *known, uint64_t content);
/* Is it new in this run of the job, there already from a former run of it, or again in the file? ERR_NOMEM by *error. */
enum known_content { CONTENT_NEW, CONTENT_OWN, CONTENT_AGAIN };
enum known_content known_look(struct known *known, uint64_t content, err *error);
uint64_t known_key_of_job(uint32_t number); /* what turns the content in message keys of a job */

/* retract.c */
struct taken_event {
    uint32_t node;
    uint64_t seq;
};
/* Take these events back (sorted here); they are in the log before now. */
err retract_events(struct imports *imports, uint32_t number, struct taken_event *events,
                   size_t count, struct problem *problem) MUST_USE;
/* Take back what is left of all that a job brought, from `place` on. */
err retract_job(struct imports *imports, uint32_t number, uint64_t place, bool (*stops)(void *),
                void *context, struct problem *problem) MUST_USE;

/* undo.c */
err undo_job(struct imports *imports, struct running *running, struct import_row *row,
             struct problem *problem) MUST_USE;

/* schedule.c: the thread that looks into folders and buckets; `context` is the imports */
void *schedule_run(void *context);
/* A job of this file, as the schedule has it; `name` may be empty. */
err schedule_begin_job(struct imports *imports, json_value schedule, const char *reference,
                       str name, struct problem *problem) MUST_USE;

/* schedule_bucket.c: the bucket of a schedule, if it is due. */
struct bucket_memory;
err bucket_memory_new(struct bucket_memory **memory, struct imports *imports) MUST_USE;
void bucket_memory_free(struct bucket_memory **memory);
void schedule_look_at_bucket(struct bucket_memory *memory, json_value schedule);

/* job.c */
err run_job(struct imports *imports, struct running *running, struct import_row *row,
            struct problem *problem) MUST_USE;
bool imports_must_stop(struct imports *imports, const struct running *running);

/* report.c: refused rows */
struct report;
err report_open(struct report **report, struct imports *imports, uint32_t number,
                uint64_t size_bytes, uint64_t rows, struct problem *problem) MUST_USE;
void report_close(struct report **report);
void report_row(struct report *report, uint64_t row, str code, str reason, str raw);
/* On disk. How long it is, and how many rows it has, up to the first row that is not below `resume_row`: what is
 * beyond comes again when the job goes on from there. */
err report_sync(struct report *report, uint64_t resume_row, uint64_t *size_bytes, uint64_t *rows,
                struct problem *problem) MUST_USE;
void report_path(const struct imports *imports, uint32_t number, char path[PATH_BYTES]);

#endif
