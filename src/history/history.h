/* SPDX-License-Identifier: Apache-2.0 */
/* history: what every customer did, in order, compact in RAM, so that a rule can be judged at once.
 *
 * The picture. Events stand per *node* (identity/identity.h) and are never folded; a customer's
 * history is the merge of her nodes' by (time, seq). Nodes are kept in *blocks* of neighbouring
 * numbers:
 *
 *     block ──▶ base: immutable columns, events by (node, time, seq)
 *          └──▶ delta: what came since, a list per node, newest first
 *
 * An event is 12 to 16 bytes (time, type, channel, seq) and, for each property that a published rule or
 * board names, a value in a sparse column. When a block's delta has grown, a new base is made of both
 * and swapped in; the old one is freed when no reader can hold it any more (epochs).
 *
 * Invariants
 *   H1 a node's events are those applied for it, less the retracted and the forgotten, each once, in
 *      the order of (time_ms, seq), to the millisecond.
 *   H2 a view shows each event wholly or not at all, and does not change until the read ends (or the reader's
 *      next view, if it is gathered). A reader never waits for the engine, nor the engine for a reader.
 *   H3 a column that is ready has the value of every event that has that property; a text is a code of
 *      the column's dictionary, codes are never reused.
 *   H4 history is derived: from warehouse and tail the same is made again. What is packed of it (below) is a cache.
 *   H5 over its budget the oldest events of the coldest blocks go, whole blocks at a time, and a view
 *      says so (`complete` false, `whole_from_ms`): who needs more streams from the warehouse through the same
 *      evaluator. What is not stored there yet (history_set_stored) does not go.
 *
 * Threads: functions under "engine" by the engine thread alone; under "reading" by any thread between
 * history_read_begin and history_read_end of its own reader.
 */
#ifndef KITH_HISTORY_HISTORY_H
#define KITH_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"
#include "event/event.h"

#define HISTORY_TYPES_MAX 4096
#define HISTORY_CHANNELS_MAX 256
#define HISTORY_COLUMNS_MAX 256

struct history;

struct history_config {
    size_t memory_bytes_max; /* default 1.9 GB */
};

err history_new(struct history **history, const struct history_config *config) MUST_USE;
void history_free(struct history **history);

/* ---- names: interned by the engine, read by any thread; 0: none ---- */

uint16_t history_type_find(const struct history *history, str name);
str history_type_name(const struct history *history, uint16_t type);
uint16_t history_type_count(const struct history *history); /* highest */
/* A number for a name that no event had yet, for who waits for it. TOO_LARGE beyond the limits: names
 * beyond them share HISTORY_TYPE_OTHER and HISTORY_CHANNEL_OTHER, which nothing finds. Engine. */
#define HISTORY_TYPE_OTHER (HISTORY_TYPES_MAX - 1)
#define HISTORY_CHANNEL_OTHER (HISTORY_CHANNELS_MAX - 1)
err history_type_add(struct history *history, str name, uint16_t *type) MUST_USE;
uint8_t history_channel_find(const struct history *history, str name);
str history_channel_name(const struct history *history, uint8_t channel);

/* ---- columns ---- */

/* What a column holds. A number is int64: INT as it is, MONEY in minor units, DECIMAL in millionths,
 * TIME in ms UTC, BOOL 0 or 1. TEXTS is a list of texts (all values of `products.product_id`). */
enum column_kind {
    COLUMN_INT,
    COLUMN_MONEY,
    COLUMN_DECIMAL,
    COLUMN_TIME,
    COLUMN_BOOL,
    COLUMN_TEXT,
    COLUMN_TEXTS,
};
#define HISTORY_MISSING INT64_MIN
typedef uint16_t history_column; /* 0: none */

/* Find, or begin, a column of the property `path` ("revenue", "products.product_id"; "$source" and
 * "$received" are the event's own). A new one is not ready: it has what comes from now on, until
 * history_fill_rows and _end have brought the rest, or history_load_end. Engine. TOO_LARGE beyond
 * HISTORY_COLUMNS_MAX. */
err history_add_column(struct history *history, str path, enum column_kind kind,
                       history_column *column, struct problem *problem) MUST_USE;
history_column history_column_find(const struct history *history, str path, enum column_kind kind);
bool history_column_is_ready(const struct history *history, history_column column);
/* When the texts of all columns have a quarter of the memory, a column that brings another new one is full: it takes
 * no more, and is never ready again. Who needs it streams from the warehouse. Any thread. */
bool history_column_is_full(const struct history *history, history_column column);
/* Columns are numbered from 1 to this. Any thread. */
history_column history_column_count(const struct history *history);
str history_column_path(const struct history *history, history_column column,
                        enum column_kind *kind);
/* Dictionary of a text column; code 0: no such text. Any thread. */
uint32_t history_code_find(const struct history *history, history_column column, str text);
str history_code_text(const struct history *history, history_column column, uint32_t code);
uint32_t history_code_count(const struct history *history, history_column column); /* highest */

/* ---- engine: writing ---- */

/* Remember an applied event at its node: takes the columns' values from promoted columns and props. */
err history_observe(struct history *history, uint32_t node, const struct event *event) MUST_USE;
/* The node's cache lines, before it is observed or viewed, in three steps, each of which reads what the one before has fetched: its
 * block; what is new there; where the next event goes. */
void history_prefetch_block(const struct history *history, uint32_t node);
void history_prefetch(const struct history *history, uint32_t node);
void history_prefetch_end(const struct history *history, uint32_t node);
/* Take one event away again (cancelled, replaced, undone). NOT_FOUND is no error of the caller's. */
err history_retract(struct history *history, uint32_t node, uint64_t seq) MUST_USE;
/* All of a node (erasure). */
err history_forget(struct history *history, uint32_t node) MUST_USE;
/* These nodes are one customer from now on; the first is her number (the root). After a split it is
 * called for each part. A node alone needs no call, unless it was in a group. */
err history_group(struct history *history, const uint32_t *nodes, size_t count) MUST_USE;
/* Make new bases where deltas have grown, and keep to the budget (H5); bounded work: about `budget_us`, at least
 * one block if one is due. Between groups. INT64_MAX: all deltas, however small. */
void history_tidy(struct history *history, int64_t budget_us);
/* Events with a seq up to this are in the warehouse. Until it is said: all are elsewhere. */
void history_set_stored(struct history *history, uint64_t seq);

/* ---- engine: building at start, and filling a column later ---- */

/* Rows in the order of (node, time_ms, seq), as the warehouse streams them; then the tail comes by
 * history_observe. `values` follow the columns that were added before the load. */
struct history_row {
    uint32_t node;
    uint64_t seq;
    int64_t time_ms;
    str type, channel;
    uint32_t value_count;
    const struct history_value *values;
};
struct history_value {
    history_column column;
    int64_t number;   /* or */
    str text;         /* TEXT */
    const str *texts; /* TEXTS */
    uint32_t text_count;
};
err history_load_begin(struct history *history) MUST_USE;
err history_load_row(struct history *history, const struct history_row *row) MUST_USE;
err history_load_end(struct history *history) MUST_USE;

/* Bring the values of a column that is not ready, for events seq <= until_seq: rows by (node, time, seq), only
 * those that have one. Rows may be handed in slices over many calls. `end` makes it ready. Engine, in questions of
 * a millisecond or two: each HISTORY_BLOCK_NODES neighbouring numbers that a slice touches cost up to 100 us (events
 * from before the column are still in the delta: a new base), so end a slice after some fifteen of them. What an event
 * has already stays; events that are gone are passed over. */
#define HISTORY_BLOCK_NODES 512
err history_fill_rows(struct history *history, history_column column,
                      const struct history_row *rows, size_t count) MUST_USE;
void history_fill_end(struct history *history, history_column column);

/* Bring back what went over the budget: rows by (node, time, seq), all that there are elsewhere of these nodes
 * (ascending). What is there, was taken back or forgotten is passed over; their views are whole again. The blocks that
 * they are in go last when the budget asks for more. */
err history_restore(struct history *history, const uint32_t *nodes, size_t node_count,
                    const struct history_row *rows, size_t row_count) MUST_USE;

/* ---- packs: blocks as bytes, for a start that does not ask for all rows again (docs/formats/history-pack.md) ---- */

/* A block is HISTORY_BLOCK_NODES neighbouring numbers; blocks are numbered from 0. Engine. */
uint32_t history_block_count(const struct history *history);
/* Is there something in it that a pack with this serial (0: none) does not have? */
bool history_block_changed(const struct history *history, uint32_t number, uint64_t serial);
/* Which columns there are, and whether they have all values: what is packed under another stamp has others. Engine. */
uint64_t history_columns_stamp(const struct history *history);
/* A block as it is now, in one piece: what waits beside it is merged, which takes up to 100 us, 1 ms with a hundred events
 * each. NOT_FOUND: nothing ever was there. Engine, while the packer reads. */
struct history_capture {
    uint32_t number;
    uint64_t serial; /* of what was captured */
    const void *base;
    history_column columns;
    uint8_t states[HISTORY_COLUMNS_MAX];
};
err history_capture(struct history *history, uint32_t number,
                    struct history_capture *capture) MUST_USE;
/* One per thread; what is captured between begin and end can be packed until end. */
struct history_packer;
err history_packer_new(struct history_packer **packer, struct history *history) MUST_USE;
void history_packer_free(struct history_packer **packer);
void history_packer_begin(struct history_packer *packer);
void history_packer_end(struct history_packer *packer);
/* Appended. UNSUPPORTED: this one cannot be packed. NOMEM. The packer's thread. Cost: about 20 ns an event. */
err history_pack(struct history_packer *packer, const struct history_capture *capture,
                 struct buffer *out) MUST_USE;
/* Between history_load_begin and the first row: the block as it was packed, without the nodes for which `is_out` (may be NULL)
 * says so. Rows of it that come later by history_load_row are put on top. `serial` gets what history_block_changed compares, 0 if
 * some column is lacking. CORRUPT, and UNSUPPORTED when it was packed under a smaller budget, or it lacks a column and `must_be_whole`:
 * nothing has changed. */
typedef bool (*history_is_out)(void *context, uint32_t node);
err history_unpack(struct history *history, uint32_t number, str bytes, bool must_be_whole,
                   history_is_out is_out, void *context, uint64_t *serial) MUST_USE;
/* After history_load_end: some pack did not have this column; it is not ready and is to be filled. */
bool history_load_lacks(const struct history *history, history_column column);

/* ---- reading ---- */

struct history_reader; /* one per thread */
err history_reader_new(struct history_reader **reader, struct history *history) MUST_USE;
void history_reader_free(struct history_reader **reader);
void history_read_begin(struct history_reader *reader);
void history_read_end(struct history_reader *reader);

/* An event's place in the packed word: time_ms in the high 44 bits, then 12 of type, 8 of channel. */
typedef uint64_t history_packed;
static inline int64_t history_time_ms(history_packed packed)
{
    return (int64_t)(packed >> 20);
}
static inline uint16_t history_packed_type(history_packed packed)
{
    return (uint16_t)(packed >> 8 & 0xfff);
}
static inline uint8_t history_packed_channel(history_packed packed)
{
    return (uint8_t)packed;
}

struct history_block;  /* private: columns of a base, or of a customer gathered */
struct history_place { /* of one event's values */
    const struct history_block *block;
    uint32_t index;
};

/* A customer's events in order. One node without delta is shown in place; else the events are gathered into
 * the reader's own memory (valid until the next view of this reader). */
struct history_view {
    size_t count;
    const history_packed *events;      /* ascending (time, seq) */
    const uint64_t *seqs;              /* NULL: ask history_seq */
    const struct history_block *block; /* in place: event i is at first + i of it */
    uint32_t first;
    const struct history_place *places; /* gathered: NULL in place */
    bool complete;                      /* false: older events are only in the warehouse */
    int64_t whole_from_ms; /* INT64_MIN; if not complete: all events from then on are here */
    bool streamed;         /* of rows: every column has what they say, a full one too */
    const struct history *history;
};
/* Of a customer (root); an unknown one has none. Cost: a cache miss or two, and a merge if gathered. */
void history_view_customer(struct history_reader *reader, uint32_t customer,
                           struct history_view *view);
/* Her nodes, the root first; of who is no root none. Up to `limit` of them; how many there are. */
size_t history_nodes(const struct history_reader *reader, uint32_t customer, uint32_t *nodes,
                     size_t limit);
/* Of these nodes together, whoever they are one customer with today; else as above. */
void history_view_nodes(struct history_reader *reader, const uint32_t *nodes, size_t count,
                        struct history_view *view);
uint64_t history_seq(const struct history_view *view, size_t index);
/* The number of event `index` in a column, HISTORY_MISSING if it has none; for TEXT the code, 0 if none. */
int64_t history_number(const struct history_view *view, size_t index, history_column column);
uint32_t history_code(const struct history_view *view, size_t index, history_column column);
/* TEXTS: how many, and the codes (borrowed as the view is). */
size_t history_codes(const struct history_view *view, size_t index, history_column column,
                     const uint32_t **codes);

/* What a code of this view says; also one of a reader's own (history_view_rows). */
str history_view_text(const struct history_view *view, history_column column, uint32_t code);

/* For scans: the customers (roots) with number in [from, to), in order, each with its view; also those
 * without any event. `visit` returns false to stop. Two threads take different ranges. */
uint32_t history_node_count(const struct history *history); /* highest number */
void history_scan(struct history_reader *reader, uint32_t from, uint32_t to,
                  bool (*visit)(void *context, uint32_t customer, const struct history_view *view),
                  void *context);

/* HISTORY_BLOCK_NODES neighbours at once, for who looks at the events of all before she looks at one. Slot s is the
 * customer `begin` + s; bits are by slot. */
#define HISTORY_SPAN_WORDS (HISTORY_BLOCK_NODES / 64)
struct history_span {
    uint32_t begin;
    uint64_t plain[HISTORY_SPAN_WORDS]; /* her events are [offsets[s], offsets[s + 1]) of `view` */
    uint64_t apart[HISTORY_SPAN_WORDS]; /* is to be viewed alone: late, of a group, partly gone */
    const uint32_t *offsets;            /* HISTORY_BLOCK_NODES + 1 */
    struct history_view view;           /* of the block, those of who is not plain among them */
};
/* The customers [from, to), all of one block (from / HISTORY_BLOCK_NODES is that of to - 1). Who is no customer is neither plain
 * nor apart. Valid until the read ends. */
void history_view_span(struct history_reader *reader, uint32_t from, uint32_t to,
                       struct history_span *span);
/* One who is plain, as history_view_customer would show her. */
void history_span_one(const struct history_span *span, uint32_t slot, struct history_view *view);
/* Those who are apart, in order. `visit` returns false to stop. */
void history_scan_apart(struct history_reader *reader, const struct history_span *span,
                        bool (*visit)(void *context, uint32_t customer,
                                      const struct history_view *view),
                        void *context);

/* ---- a history that is not in RAM: rows of one customer, for the stream and for tests ---- */

/* Rows as above in any order (of all her nodes); the view is valid until the next call with this reader.
 * Types, channels and codes are those of `history`: texts that it does not know get codes of the
 * reader's own, beyond history_code_count. */
err history_view_rows(struct history_reader *reader, const struct history_row *rows, size_t count,
                      struct history_view *view) MUST_USE;

/* `view`, of this reader or in place, has this event as well, where its time puts it (its seq differs from all others): for what
 * would be true if it had happened. Valid as the view was, until the next history_view_rows too. NOMEM: as it was. */
err history_view_with(struct history_reader *reader, const struct history_row *row,
                      struct history_view *view) MUST_USE;

/* ---- looking after it ---- */

size_t history_memory_bytes(const struct history *history);
uint64_t history_event_count(const struct history *history);
/* Walk everything and check H1 to H3; debug, sanitizer, simulation. */
err history_check(const struct history *history, struct problem *problem) MUST_USE;
/* Order-independent digest of all events and ready columns, to compare with a rebuild. */
void history_digest(const struct history *history, struct digest *digest);
/* The same of the events alone: which columns there are depends on what was asked as well. */
void history_digest_events(const struct history *history, struct digest *digest);

#endif
