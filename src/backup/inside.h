/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of this room share. Private to backup/.
 *
 *   pieces.c   content by hash, compressed, each once
 *   point.c    a point's page: written while it is taken, read for everything else
 *   take.c     taking one from a running engine
 *   restore.c  making a data folder of one
 *   keep.c     list, verify, prune
 *   backup.c   the thread of a server
 */
#ifndef KITH_BACKUP_INSIDE_H
#define KITH_BACKUP_INSIDE_H

#include <limits.h>
#include <stdatomic.h>

#include "backup/backup.h"
#include "base/json.h"

#define PIECE_BYTES ((size_t)256 << 10)
#define PIECE_NAME_BYTES 65 /* 64 hex digits */
#define POINT_PAGE_BYTES_MAX ((size_t)512 << 20)

/* ---- pieces.c ---- */

/* How far it is: read by any thread. */
struct piece_counts {
    _Atomic uint64_t bytes_read, bytes_written;
};
struct pieces {
    char folder[PATH_MAX];
    int lock; /* -1: opened for reading alone */
    void *compressor, *decompressor;
    struct buffer packed;
    struct piece_counts *counts; /* NULL: nobody wants to know */
};
/* `taking`: the folder is made when missing and locked against a second one; CONFLICT. Else NOT_FOUND when it is no backup folder. */
err pieces_open(struct pieces *pieces, const char *folder, bool taking,
                struct problem *problem) MUST_USE;
void pieces_close(struct pieces *pieces);
/* Store the bytes unless they are there; on disk for sure after pieces_sync. */
err pieces_put(struct pieces *pieces, str bytes, char name[PIECE_NAME_BYTES],
               struct problem *problem) MUST_USE;
/* CORRUPT when it is missing or not what its name says. */
err pieces_get(struct pieces *pieces, str name, struct buffer *out,
               struct problem *problem) MUST_USE;
err pieces_sync(struct pieces *pieces, struct problem *problem) MUST_USE;
/* All names there are; the visitor may remove the file at `path`. */
err pieces_visit(struct pieces *pieces,
                 err (*visit)(void *context, const char *name, const char *path, uint64_t size),
                 void *context, struct problem *problem) MUST_USE;

/* ---- point.c ---- */

/* Of the log: some blocks in a row, one piece. */
struct log_span {
    uint64_t first_seq, last_seq;
    int64_t last_ms; /* received time of its last block */
    char piece[PIECE_NAME_BYTES];
};
struct point {
    uint32_t number;
    int64_t taken_ms,
        at_ms; /* wall clock when it began; received time of the last record applied in its ledger */
    uint64_t applied_seq;
    uint64_t log_floor_seq, log_last_seq; /* what it needs of the log */
    uint64_t files, bytes, new_bytes;
    char version[32];
    struct log_span *spans;
    size_t span_count;
    struct json_parser *parser; /* NULL: without its page's files */
    json_value list;            /* "files" */
};
void point_deinit(struct point *point);
/* Numbers of the points, ascending; at most `max`. */
err points_find(const char *folder, uint32_t *numbers, size_t max, size_t *count,
                struct problem *problem) MUST_USE;
#define POINTS_MAX 10000
err point_read(const char *folder, uint32_t number, struct point *point,
               struct problem *problem) MUST_USE;
/* `files`: JSON array of {path, bytes, pieces:[…]} or {path, link}. Renamed into place and synced (B1). */
err point_write(const char *folder, const struct point *point, str files,
                struct problem *problem) MUST_USE;
void point_describe(const struct point *point, struct json_writer *writer);
err point_add_span(struct point *point, const struct log_span *span) MUST_USE;

/* ---- take.c ---- */

#define BACKUP_PHASES(X)      \
    X(HOLDING, "holding")     \
    X(LEDGER, "ledger")       \
    X(LOG, "log")             \
    X(FILES, "files")         \
    X(WAREHOUSE, "warehouse") \
    X(FINISHING, "finishing")
enum backup_phase {
#define X(NAME, text) PHASE_##NAME,
    BACKUP_PHASES(X)
#undef X
};
struct taking {
    struct engine *engine;
    const char *data_folder, *folder, *version;
    _Atomic bool *cancel;
    _Atomic int phase;
    struct piece_counts counts;
    struct pieces pieces;
};
/* Blocks its thread for as long as it takes. */
err take_point(struct taking *taking, struct backup_report *report,
               struct problem *problem) MUST_USE;

#endif
