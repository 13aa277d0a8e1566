/* SPDX-License-Identifier: Apache-2.0 */
/* imports: files and history in, as jobs that finish, resume, or are undone.
 *
 * A job is a row of the ledger, changed by commands alone (engine/jobs.h draws its life). Its worker reads
 * the file, maps rows, and appends events to the log in chunks; each chunk carries, in the same append, the
 * command that moves the job's row on. So after a crash the job stands exactly where its last durable chunk
 * ended.
 *
 *     file ─▶ table ─▶ mapping ─▶ known before? ─┬─▶ chunk: events, import.move ─▶ log
 *                                    (known.c)    └─▶ changed: import.retract first (retract.c)
 *
 * Invariants
 *   J1 a job is finished, resumable, or undone; never half.
 *   J2 the same file again changes nothing and says so; a corrected file replaces by natural key (order id).
 *   J3 imported history starts no journey: its events carry EVENT_HISTORICAL.
 *   J4 what a job brought (events, traits, identifiers, merges, objects) is known by its source number
 *      (EVENT_SOURCE_IMPORT_FIRST and the job's), and undo takes exactly that away: what others brought stays.
 *   J6 a team's import tells what the team would see itself, as a source of its own, in data sets of its own: nothing of it
 *      falls into another team's view, and nothing that it is told of it depends on what others have (owner.c).
 *   J5 the outcome does not depend on the path: row by row through the doors, or in bulk.
 *
 * The message key of an imported event says what J2 needs, for ever and in 16 bytes: a hash of natural key
 * and content, turned by the job's number, then a hash of data set and natural key.
 *
 * Threads: a pool of its own (one job per thread, others wait); the functions below by any worker thread.
 */
#ifndef KITH_IMPORTS_IMPORTS_H
#define KITH_IMPORTS_IMPORTS_H

#include "access/team.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"

struct imports;

struct imports_config {
    struct engine *engine;
    const char *folder;         /* data/imports: uploads, reports */
    const char *allowed_folder; /* server-side paths must be below it; NULL: none */
    const char *program;        /* as in struct table_config */
    const char *library;
    unsigned threads;         /* default 1 */
    int64_t upload_bytes_max; /* default 100 GB */
    int zone_offset_seconds;  /* of local times; default +08:00 */
};
err imports_open(struct imports **imports, const struct imports_config *config,
                 struct problem *problem) MUST_USE;
/* Stops at the next chunk; jobs go on at the next start. */
void imports_close(struct imports **imports);

/* ---- uploads: in parts, each at its offset; what was sent is on disk when a part is answered ---- */

#define UPLOAD_ID_BYTES 32
/* `team` is of who begins it; "": of none. */
err imports_upload_begin(struct imports *imports, str name, int64_t size_bytes, str team,
                         struct buffer *out, struct problem *problem) MUST_USE;
/* The team of who began it. NOT_FOUND. */
err imports_upload_team(struct imports *imports, str id, char team[TEAM_KEY_BYTES_MAX + 1],
                        struct problem *problem) MUST_USE;
/* CONFLICT when the part does not begin where the upload stands; STORAGE_FULL leaves it where it stood. */
err imports_upload_put(struct imports *imports, str id, uint64_t offset, str bytes,
                       struct buffer *out, struct problem *problem) MUST_USE;
/* {id, name, size_bytes, offset, complete, sha256} */
err imports_upload_write(struct imports *imports, str id, struct buffer *out,
                         struct problem *problem) MUST_USE;
err imports_upload_delete(struct imports *imports, str id, struct problem *problem) MUST_USE;

/* ---- before a job ---- */

/* `file` is "upload:ID" or "path:NAME" (below the allowed folder). {form, columns, sample, mapping, preset,
 * score}; `form` as the caller has it, or missing to be found. */
err imports_detect(struct imports *imports, str file, json_value form, struct buffer *out,
                   struct problem *problem) MUST_USE;
/* Who asks for an import, or about one. Who sees the whole has team "" and no `sees`. */
struct imports_asker {
    str team;
    /* May she know of this customer? Engine thread. NULL: of all. Whom she may not know of is nobody yet. */
    bool (*sees)(const void *context, const struct engine_state *state, uint32_t number);
    const void *context;
};
/* Map the first rows and say what would happen; nothing changes. `request` has file, form, mapping, source. */
err imports_preview(struct imports *imports, json_value request, const struct imports_asker *asker,
                    struct buffer *out, struct problem *problem) MUST_USE;
/* Check a request {file, form, mapping | mapping_key, name, source, data_set, told_until} and write the body of
 * its command import.create: with the hash of the content, of mapping and form. Reads the whole file. A team's data sets have its
 * key and "__" before their name. */
err imports_prepare(struct imports *imports, json_value request, str team, struct buffer *body,
                    struct problem *problem) MUST_USE;
/* A saved mapping (version 0: the newest), as its body; `version` is what was found. NOT_FOUND. */
err imports_mapping(struct imports *imports, str key, int64_t *version, struct buffer *body,
                    struct problem *problem) MUST_USE;
/* Check a mapping as it would be for a job. */
err imports_check_mapping(json_value mapping, struct problem *problem) MUST_USE;

/* ---- buckets: where a schedule finds files; a setting whose secret key is sealed and shown to nobody ---- */

#define IMPORTS_BUCKET_SETTING "import.bucket."
/* Check {endpoint, region, name, prefix, access_key, secret_key, path_style, allow_private} and write the body of its
 * command setting.put. Without secret_key the one that is there stays. */
err imports_bucket_prepare(struct imports *imports, str key, json_value request,
                           struct buffer *body, struct problem *problem) MUST_USE;
/* NOT_FOUND, or the body of the command that forgets it. */
err imports_bucket_forget(struct imports *imports, str key, struct buffer *body,
                          struct problem *problem) MUST_USE;
/* All of them, or the one of `key`, each as an object, with how it went when they were last looked into. */
err imports_write_buckets(struct imports *imports, str key, struct json_writer *writer,
                          struct problem *problem) MUST_USE;

/* ---- jobs ---- */

/* A job was made or its state changed: look. */
void imports_wake(struct imports *imports);
/* Write a job as docs/api.md has it; what became of its events only if `is_whole`: that depends on who is known. NOT_FOUND. */
err imports_write(struct imports *imports, uint32_t number, bool is_whole, struct buffer *out,
                  struct problem *problem) MUST_USE;
/* The team of who made it; "": of none. NOT_FOUND. */
err imports_job_team(struct imports *imports, uint32_t number, char team[TEAM_KEY_BYTES_MAX + 1],
                     struct problem *problem) MUST_USE;
struct imports_list {
    uint32_t
        before; /* jobs beyond this one, newest first; 0: from the newest. Afterwards where the next page begins, or 0 */
    size_t limit;
    bool (*shows)(const void *context,
                  str team); /* those of this team? NULL: all, as who sees the whole has them */
    const void *context;
};
err imports_write_list(struct imports *imports, struct imports_list *list,
                       struct json_writer *writer, struct problem *problem) MUST_USE;
/* The report of refused rows: rows of CSV, with their reason and as they were. NOT_FOUND without any. */
err imports_read_refused(struct imports *imports, uint32_t number, uint64_t offset, size_t limit,
                         struct buffer *out, struct problem *problem) MUST_USE;
/* Events of a run of retention (engine/retention.h) are taken back as those of an undone job are, a slice of nodes at a time
 * from `place` on: what `condition`, SQL over a row of events, says. `count` grows by how many. UNAVAILABLE when it was stopped.
 * One at a time; waits for an undo's slice. */
err imports_expire(struct imports *imports, uint32_t run, const char *condition, uint64_t place,
                   uint64_t *count, bool (*stops)(void *), void *context,
                   struct problem *problem) MUST_USE;
/* Grows with every step of a job: what is shown may have changed. */
uint64_t imports_changes(struct imports *imports);

#endif
