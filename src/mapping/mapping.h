/* SPDX-License-Identifier: Apache-2.0 */
/* mapping: from rows of a file to events of the normal form.
 *
 *     row ─▶ cells by name ─▶ expressions (Lua for what they cannot do) ─▶ drafts ─▶ struct event, sealed
 *
 * A mapping says which columns are identifiers, traits, tags, time, event name, properties, object references, order lines.
 * Several rows may make one event (the lines of an order). It is JSON (docs/imports.md), saved in versions,
 * and knows nothing of jobs: the same mapping serves preview, import and the schedule.
 *
 * Invariants
 *   M1 the same row under the same mapping version gives the same event with the same message key.
 *   M2 what names a person is sealed before it leaves this room (as at the doors).
 *   M3 a row that cannot be mapped is refused whole with column, value and reason; never half of it.
 *   M4 a script cannot reach files, clock, chance or the net, and ends at its limits.
 *
 * Threads: a `struct mapping` is immutable; a `mapping_worker` belongs to one thread.
 */
#ifndef KITH_MAPPING_MAPPING_H
#define KITH_MAPPING_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "event/event.h"
#include "table/table.h"

struct mapping;

/* Check and compile; UNPROCESSABLE with pointer, reason and hint. `columns` may be NULL (then names are not checked). */
err mapping_new(struct mapping **mapping, json_value json, const struct table *columns,
                struct problem *problem) MUST_USE;
/* The same for who has the names of the columns himself; NULL: names are not checked (and rows cannot be run). */
err mapping_new_named(struct mapping **mapping, json_value json, const str *columns, uint32_t count,
                      struct problem *problem) MUST_USE;
/* The same for messages that come a few at a time: a column that none of these has stands for null. */
err mapping_new_open(struct mapping **mapping, json_value json, const str *columns, uint32_t count,
                     struct problem *problem) MUST_USE;
void mapping_free(struct mapping **mapping);

/* ---- presets: the exports of shop systems, known by their header ---- */

size_t mapping_preset_count(void);
/* {key, name:{zh,en}, about, mapping} */
void mapping_preset_write(size_t index, struct buffer *out);
/* The preset whose header this is, or one made by guessing from names and values of the first rows; `score` 0 to 100
 * says how sure; 0: nothing in the file names anybody, and nothing is appended. Appends the mapping's JSON. */
err mapping_suggest(const char *path, const struct table_form *form, struct buffer *mapping,
                    struct buffer *preset_key, int *score, struct problem *problem) MUST_USE;

/* ---- running ---- */

struct mapping_worker;
struct mapping_context {
    const struct keys *keys;
    uint32_t source_number;
    str key_salt; /* natural keys are unique within it: the data set ("tmall_orders"), not the file */
    int64_t received_ms; /* for times that are missing, where the mapping allows that */
    /* Of local times where the mapping says no zone: workspace.zone, for brands 28800. 0 is UTC. */
    int32_t zone_offset_seconds;
    size_t memory_bytes_max; /* rows of orders that wait; 0: 256 MB. Beyond it they go to disk, */
    const char *temporary_folder; /* encrypted and without a name; NULL: TMPDIR or /tmp */
};
err mapping_worker_new(struct mapping_worker **worker, const struct mapping *mapping,
                       const struct mapping_context *context, struct problem *problem) MUST_USE;
void mapping_worker_free(struct mapping_worker **worker);

/* What becomes of events; false stops. `natural_key` is what makes the event the same when it comes again in a corrected file (order
 * id), `content_hash` what makes it identical. Views are borrowed until it returns. */
struct mapping_event {
    const struct event *event; /* message_key is of natural key and content */
    uint8_t natural_key[16];
    uint8_t content_hash[16];
    uint64_t first_row, last_row;
};
typedef bool (*mapping_emit)(void *context, const struct mapping_event *event);
/* A refused row: reason for people, in both languages by code. */
typedef bool (*mapping_refuse)(void *context, uint64_t row, str raw, str code,
                               const struct problem *problem);

/* What a code of `mapping_refuse` means; false if it is none. All codes: mapping_code(0) and so on. */
bool mapping_code_text(str code, str *zh, str *en);
size_t mapping_code_count(void);
str mapping_code(size_t index);

/* Give a row; events that are complete come out (order lines wait for the next order, or mapping_end when the file is not
 * sorted by order: up to a memory limit, then they are sorted on disk). UNAVAILABLE when a callback has stopped it; NOMEM,
 * IO and STORAGE_FULL end the run. */
err mapping_row(struct mapping_worker *worker, const struct table_row *row, mapping_emit emit,
                mapping_refuse refuse, void *context, struct problem *problem) MUST_USE;
err mapping_end(struct mapping_worker *worker, mapping_emit emit, mapping_refuse refuse,
                void *context, struct problem *problem) MUST_USE;
/* Rows below it are wholly in events that were emitted, refused or skipped: where a job may resume. With lines that need not be
 * adjacent it stands at the first row until mapping_end is through; what is emitted again then has its message key. */
uint64_t mapping_resume_row(const struct mapping_worker *worker);

#endif
