/* SPDX-License-Identifier: Apache-2.0 */
/* state: how a history lies in memory. Private to history; docs/formats/history.md has the pictures.
 *
 *     history ─▶ leaf ─▶ block ─▶ base ─▶ core (offsets, packed words, seqs)
 *                          │        ├──▶ pieces (a column's values)
 *                          │        └──▶ delta ─▶ entries of words, a list per node
 *                          └──▶ group words
 *
 * Who writes: the engine alone. What readers follow is published with release and read with acquire: the
 * pointers marked _Atomic, the heads of the lists, the group words. All else that they reach is written
 * before and never again, until no reader can hold it (epoch.c). */
#ifndef KITH_HISTORY_STATE_H
#define KITH_HISTORY_STATE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "history/dictionary.h"
#include "history/extract.h"
#include "history/history.h"
#include "history/runs.h"

/* 512 neighbours: at 8 events each, 64 KB and a new base in a tenth of a millisecond; at 100, in a millisecond. */
#define BLOCK_BITS 9
#define BLOCK_NODES (1u << BLOCK_BITS)
_Static_assert(BLOCK_NODES == HISTORY_BLOCK_NODES, "as history.h says");
#define BLOCK_MASK (BLOCK_NODES - 1)
#define LEAF_BITS 11
#define LEAF_BLOCKS (1u << LEAF_BITS)
#define LEAVES (1u << (32 - BLOCK_BITS - LEAF_BITS))
#define BLOCKS_MAX (LEAVES * LEAF_BLOCKS)

#define TIME_MS_MAX ((INT64_C(1) << 44) - 1)

static inline history_packed pack(int64_t time_ms, uint16_t type, uint8_t channel)
{
    int64_t time = time_ms < 0 ? 0 : time_ms > TIME_MS_MAX ? TIME_MS_MAX : time_ms;
    return (uint64_t)time << 20 | (uint64_t)type << 8 | channel;
}

/* ---- words: pieces of 32-bit words that never move ----
 *
 * Chunk k holds WORDS_FIRST << k words; a piece lies in one chunk. Position 0 is none. */
#define WORDS_FIRST_BITS 10
#define WORDS_CHUNKS 22
struct words {
    uint32_t next; /* where the next piece begins */
    uint32_t room; /* words left of its chunk */
    uint32_t *at;
    uint32_t *chunks[WORDS_CHUNKS];
};
static inline uint32_t *words_at(const struct words *words, uint32_t position)
{
    unsigned chunk = 31u - (unsigned)__builtin_clz((position >> WORDS_FIRST_BITS) + 1);
    return &words->chunks[chunk][position - (((UINT32_C(1) << chunk) - 1) << WORDS_FIRST_BITS)];
}
/* A chunk for a piece of `size` words; false without memory. `*grown_bytes` gets what it took. */
bool words_grow(struct words *words, uint32_t size, size_t *grown_bytes);
/* `count` words (zeroed when fresh) at an even position; 0 without memory. */
static inline uint32_t words_take(struct words *words, uint32_t count, uint32_t **piece,
                                  size_t *grown_bytes)
{
    uint32_t size = (count + 1) & ~UINT32_C(1);
    *grown_bytes = 0;
    if (size > words->room && !words_grow(words, size, grown_bytes))
        return 0;
    uint32_t position = words->next;
    *piece = words->at;
    words->next += size;
    words->room -= size;
    words->at += size;
    return position;
}
void words_clear(struct words *words); /* keeps the memory */
void words_free(struct words *words);

static inline void store64(void *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}
static inline uint64_t load64(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* ---- what a place may be in ---- */

enum block_kind { BLOCK_BASE, BLOCK_DELTA, BLOCK_ROWS };
struct history_block {
    enum block_kind kind;
};

/* An entry: something that came for a node. The index of a place in a delta is its position.
 *     word 0      the next older entry of this node, 0: none
 *     word 1      enum entry_kind in 8 bits, number of value words in 24
 *     words 2, 3  seq
 *     words 4, 5  packed (EVENT)
 *     from 6      values: column | form << 16, then by form */
enum entry_kind { ENTRY_EVENT, ENTRY_RETRACT, ENTRY_FORGET, ENTRY_NONE };
enum value_form {
    FORM_NUMBER, /* two words */
    FORM_CODE,   /* one */
    FORM_CODES,  /* a count, and so many */
};
#define ENTRY_WORDS 6
#define VALUE_WORDS_MAX ((UINT32_C(1) << 24) - 1)

static inline enum entry_kind entry_kind(const uint32_t *entry)
{
    return (enum entry_kind)(entry[1] & 0xff);
}
static inline uint32_t entry_value_words(const uint32_t *entry)
{
    return entry[1] >> 8;
}
static inline uint64_t entry_seq(const uint32_t *entry)
{
    return load64(entry + 2);
}
static inline uint64_t entry_packed(const uint32_t *entry)
{
    return load64(entry + 4);
}
/* Walk values: `*at` moves on; NULL at the end. */
struct value_view {
    history_column column;
    enum value_form form;
    int64_t number;
    const uint32_t *codes;
    uint32_t code_count;
};
bool value_next(const uint32_t **at, const uint32_t *end, struct value_view *value);

struct delta {
    struct history_block block;
    uint32_t count; /* pushed, of all kinds */
    uint32_t limit; /* from here on a new base is due */
    size_t bytes;
    struct words words;
    _Atomic uint32_t heads[BLOCK_NODES];
};

/* ---- base: immutable ---- */

/* Values of one column in a base, one after the other:
 *     presence: ALL: every event · BITS: groups of 64 events with the rank before them · LIST: indices
 *     values:   `width` bytes each (0 to 8), little endian, less `least`; 8 more bytes may be read
 *     TEXTS:    instead of values, ends[count] and codes[] */
enum presence { PRESENT_ALL, PRESENT_BITS, PRESENT_LIST16, PRESENT_LIST32 };
struct presence_group {
    uint32_t rank;
    uint32_t bits[2];
};
struct piece {
    enum presence presence;
    bool is_texts;
    bool is_apart; /* not in the run of its base */
    uint8_t width;
    uint32_t count; /* of values */
    uint64_t least, mask;
    size_t bytes;
    const struct presence_group *groups;
    const uint16_t *list16;
    const uint32_t *list32;
    const uint8_t *values;
    const uint32_t *ends;
    const uint32_t *codes;
};
#define RANK_NONE UINT32_MAX
uint32_t piece_rank(const struct piece *piece, uint32_t index);
static inline int64_t piece_number(const struct piece *piece, uint32_t rank)
{
    const uint8_t *at = piece->values + (size_t)rank * piece->width;
    return (int64_t)(piece->least + (load64(at) & piece->mask));
}

struct base {
    struct history_block block;
    uint32_t event_count;
    uint32_t piece_count; /* columns that were there when it was made, + 1 */
    uint8_t seq_width;
    _Atomic(struct delta *) delta;
    const uint32_t *offsets; /* BLOCK_NODES + 1; NULL: no events */
    const uint64_t *packed;
    const uint64_t *lost; /* bit per node whose older events are gone; NULL: none (H5) */
    const uint8_t *seqs;
    uint64_t seq_least, seq_mask;
    int64_t middle_ms; /* about half of its events are older: the measure of how cold it is */
    int64_t cut_ms;    /* what was lost is older */
    bool is_restored;  /* the engine's: goes after those that are not */
    uint64_t serial;   /* no other base had it; 0: has had no events */
    void *run;         /* where all of this is, but what is apart */
    size_t run_bytes;
    size_t apart_bytes;     /* of this head, when it is not in the run */
    struct piece *pieces[]; /* by column; NULL: nobody has it */
};

static inline uint64_t base_seq(const struct base *base, uint32_t index)
{
    return base->seq_least +
           (load64(base->seqs + (size_t)index * base->seq_width) & base->seq_mask);
}
static inline bool base_is_lost(const struct base *base, uint32_t slot)
{
    return base->lost != NULL && (base->lost[slot >> 6] >> (slot & 63) & 1) != 0;
}

/* ---- groups ---- */

#define GROUP_ALONE 0u
#define GROUP_MEMBER UINT32_MAX /* not a root */
#define GROUP_CLASSES 96
struct groups {
    struct words words;
    uint32_t free[GROUP_CLASSES];
};
struct block_groups {
    _Atomic uint32_t words[BLOCK_NODES];
};

/* ---- the directory ---- */

struct block {
    _Atomic(struct base *) base;
    _Atomic(struct block_groups *) groups;
    struct delta *delta; /* of this base: the engine's short cut */
};
struct leaf {
    struct block blocks[LEAF_BLOCKS];
    bool is_queued[LEAF_BLOCKS];   /* for history_tidy */
    bool is_unpacked[LEAF_BLOCKS]; /* while loading: rows come on top of what a pack had */
};

/* ---- epochs ---- */

#define READERS_MAX 256
struct reader_slot {
    alignas(64) _Atomic uint64_t epoch; /* 0: not reading */
    atomic_bool is_taken;
};
struct retired {
    uint64_t epoch;
    void (*destroy)(struct history *history, void *object);
    void *object;
    size_t bytes;
};
struct retirement {
    struct retired *ring;
    size_t begin, count, capacity; /* capacity: a power of two */
    size_t bytes;                  /* that are out of reach already */
};

/* ---- columns ---- */

struct column {
    str path;
    enum column_kind kind;
    atomic_bool is_ready;
    atomic_bool is_full; /* more texts than may be: never ready */
    struct dictionary *texts;
    str last; /* text that was met last, with its code; the engine's */
    uint32_t last_code;
};
static inline bool column_is_text(enum column_kind kind)
{
    return kind == COLUMN_TEXT || kind == COLUMN_TEXTS;
}

/* ---- making bases ---- */

/* Bytes that a number up to `range` takes, and what is left of 64 bits then. */
static inline uint8_t width_of(uint64_t range)
{
    return range == 0 ? 0 : (uint8_t)((71 - (unsigned)__builtin_clzll(range)) / 8);
}
static inline uint64_t mask_of(uint8_t width)
{
    return width == 8 ? UINT64_MAX : (UINT64_C(1) << (width * 8)) - 1;
}
/* A piece of memory cut up in order, each part aligned to 8. */
static inline size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}
static inline void *cut(char **at, size_t bytes)
{
    void *part = *at;
    *at += padded(bytes);
    return part;
}

/* Values of one column on their way into a piece, by ascending event. */
struct stage {
    uint32_t *indices;
    int64_t *numbers; /* TEXTS: where its codes end */
    uint32_t count, capacity;
    uint32_t *codes;
    uint32_t code_count, code_capacity;
};
struct builder {
    uint64_t *packed, *seqs;
    uint32_t count, capacity;
    uint32_t offsets[BLOCK_NODES + 1];
    uint64_t lost[BLOCK_NODES / 64];
    int64_t cut_ms;
    bool is_restored;
    struct stage stages[HISTORY_COLUMNS_MAX];
    struct piece heads[HISTORY_COLUMNS_MAX];
};

/* Values as words, as in an entry, on their way into one. */
struct value_words {
    uint32_t *words;
    uint32_t count, capacity;
};

struct loading {
    bool is_on;
    uint32_t node; /* of the last row; 0: none in this block yet */
    uint32_t slot; /* offsets are set up to here */
    uint64_t packed, seq;
    history_column columns; /* that were there when it began */
    uint32_t highest;       /* node of all rows so far */
    uint32_t late; /* node of the last row that came on top of a pack; 0: its block is done with */
    /* Columns that some pack did not have: they are to be filled. */
    uint64_t lacking[HISTORY_COLUMNS_MAX / 64];
};

/* Names that were met lately: most events have one of few types. */
#define NAME_CACHE 256
struct name_cache {
    str name; /* in the dictionary */
    uint32_t number;
};

struct history {
    size_t memory_bytes_max;
    size_t text_bytes_max, text_bytes; /* of the dictionaries of columns */
    uint64_t stored_seq;               /* events up to it are elsewhere, too */
    _Atomic size_t memory_bytes;       /* all but dictionaries */
    _Atomic uint64_t event_count;
    _Atomic uint32_t node_count; /* highest number */

    _Atomic(struct leaf *) leaves[LEAVES];
    struct groups groups;
    struct runs runs;

    struct dictionary types, channels;
    _Atomic uint32_t column_count;
    struct column columns[HISTORY_COLUMNS_MAX];
    struct arena names; /* paths of columns */

    _Atomic uint64_t epoch;
    struct reader_slot readers[READERS_MAX];
    struct retirement retirement;

    /* The engine's own. */
    struct extractor *extractor;
    struct value_words values;
    struct name_cache type_cache[NAME_CACHE], channel_cache[NAME_CACHE];
    struct builder builder;
    struct loading loading;
    uint32_t *queue; /* blocks whose delta has grown: a ring */
    size_t queue_begin, queue_count, queue_capacity;
    struct merge *merge; /* scratch of rebuild.c */
    uint64_t serial;     /* of the newest base */
};

/* history.c */
void *history_take(struct history *history, size_t bytes); /* not zeroed */
void history_give(struct history *history, void *piece, size_t bytes);
void history_count_bytes(struct history *history, int64_t bytes);
void history_count_events(struct history *history, int64_t events);
static inline struct block *block_find(const struct history *history, uint32_t node)
{
    struct leaf *leaf = atomic_load_explicit(&history->leaves[node >> (BLOCK_BITS + LEAF_BITS)],
                                             memory_order_acquire);
    return leaf != NULL ? &leaf->blocks[node >> BLOCK_BITS & (LEAF_BLOCKS - 1)] : NULL;
}
struct block *block_make(struct history *history, uint32_t node); /* NULL: out of memory */
void node_seen(struct history *history, uint32_t node);
err type_number(struct history *history, str name, uint16_t *type) MUST_USE;
err channel_number(struct history *history, str name, uint8_t *channel) MUST_USE;
/* Values as words, texts interned. A column that has become full is left out. */
err values_put(struct history *history, struct value_words *out,
               const struct history_value *value) MUST_USE;
void column_set_ready(struct history *history, history_column column);
void column_set_full(struct history *history, history_column column);
/* 0 when the column cannot take it (full); NOMEM. */
err column_code(struct history *history, history_column column, str text, uint32_t *code) MUST_USE;
static inline const struct column *column_at(const struct history *history, history_column column)
{
    return &history->columns[column - 1];
}
/* Growth of a plain array, doubled; false without memory. */
bool array_reserve(void **array, uint32_t *capacity, uint32_t needed, size_t item_bytes);

/* epoch.c */
err retire_reserve(struct history *history, size_t count) MUST_USE; /* before the change */
void retire(struct history *history, void (*destroy)(struct history *, void *), void *object,
            size_t bytes);                    /* after the change */
void retire_collect(struct history *history); /* frees what no reader can hold */
void retire_all(struct history *history);     /* no reader is left */
err reader_slot_take(struct history *history, struct reader_slot **slot) MUST_USE; /* any thread */
void reader_slot_give(struct reader_slot *slot);
void epoch_enter(struct history *history, struct reader_slot *slot);
void epoch_leave(struct reader_slot *slot);

/* load.c: the builder's events as the block's base. The block has none. */
err load_install(struct history *history, uint32_t number, uint64_t *serial) MUST_USE;
/* restore.c: an event on top of what the block has, as if it came now. */
err push_row(struct history *history, struct block *block, const struct history_row *row) MUST_USE;

/* base.c */
static inline struct base *block_base(const struct block *block)
{
    return atomic_load_explicit(&block->base, memory_order_acquire);
}
static inline struct delta *base_delta(const struct base *base)
{
    return atomic_load_explicit(&base->delta, memory_order_acquire);
}
struct base *base_new_empty(struct history *history);
/* A base of what the builder has; NULL without memory. */
struct base *base_build(struct history *history, struct builder *builder);
/* The same with one piece more; core and other pieces pass to it. NULL without memory. */
struct base *base_with_piece(struct history *history, const struct base *base,
                             history_column column, struct piece *piece);
size_t base_bytes(const struct base *base);                  /* with all that it owns */
void base_destroy(struct history *history, void *base);      /* with all that it owns */
void base_destroy_head(struct history *history, void *base); /* what passed on is left */
void piece_destroy(struct history *history, void *piece);
/* piece.c: first the size, then the values into so much memory; or both into memory of its own. */
size_t piece_measure(struct piece *head, enum column_kind kind, const struct stage *stage,
                     uint32_t event_count);
struct piece *piece_place(const struct piece *head, const struct stage *stage, uint32_t event_count,
                          void *memory);
struct piece *piece_new(struct history *history, enum column_kind kind, const struct stage *stage,
                        uint32_t event_count);
/* The events that have a value, in order: `count` of them. */
void piece_indices(const struct piece *piece, uint32_t *indices);
/* What two rows that follow each other must be: ascending by time and seq. */
static inline bool event_is_before(uint64_t packed, uint64_t seq, uint64_t other_packed,
                                   uint64_t other_seq)
{
    return packed >> 20 < other_packed >> 20 ||
           (packed >> 20 == other_packed >> 20 && seq < other_seq);
}
void builder_clear(struct builder *builder);
void builder_free(struct builder *builder);
bool builder_reserve(struct builder *builder, uint32_t more);
static inline bool builder_push(struct builder *builder, uint64_t packed, uint64_t seq)
{
    if (builder->count == builder->capacity && !builder_reserve(builder, 1))
        return false;
    builder->packed[builder->count] = packed;
    builder->seqs[builder->count++] = seq;
    return true;
}
bool stage_reserve(struct stage *stage, uint32_t more);
bool stage_number(struct stage *stage, uint32_t index, int64_t number);
bool stage_codes(struct stage *stage, uint32_t index, const uint32_t *codes, uint32_t count);
void stage_clear(struct stage *stage);
bool stage_old_value(struct stage *out, uint32_t index, const struct piece *piece, uint32_t rank);

/* delta.c */
uint32_t *value_words_room(struct value_words *out, uint32_t words); /* NULL: out of memory */
err value_words_number(struct value_words *out, history_column column, enum value_form form,
                       int64_t number) MUST_USE;
/* All but the link. */
void entry_write(uint32_t *entry, enum entry_kind kind, uint64_t packed, uint64_t seq,
                 const struct value_words *values);
struct delta *delta_make(struct history *history,
                         struct block *block); /* base and delta of a block */
void delta_destroy(struct history *history, struct delta *delta);
err delta_push(struct history *history, uint32_t node, struct delta *delta, enum entry_kind kind,
               uint64_t packed, uint64_t seq, const struct value_words *values) MUST_USE;

/* observe.c: the newest word about an event in a delta, or that its node is forgotten. */
enum entry_kind delta_word(const struct delta *delta, uint32_t slot, uint64_t seq);

/* rebuild.c */
/* A new base of base and delta, without events before cut_ms that are stored elsewhere; nodes with a bit in `found`
 * (may be NULL) are whole again. NOMEM changes nothing. */
err block_rebuild_found(struct history *history, uint32_t block, int64_t cut_ms,
                        const uint64_t *found) MUST_USE;
err block_rebuild(struct history *history, uint32_t block, int64_t cut_ms) MUST_USE;
void block_enqueue(struct history *history, uint32_t block);
uint32_t delta_limit(const struct base *base);
/* The delta of this node's block has reached its limit. */
void block_is_due(struct history *history, uint32_t node, const struct delta *delta);
void merge_free(struct history *history);
size_t history_live_bytes(const struct history *history); /* less what waits for readers to end */
bool history_shrink_once(struct history *history);        /* false: nothing left to drop */

/* gather.c: a node's events, delta and retractions considered. */
struct gathered {
    uint64_t packed, seq;
    struct history_place place;
};
struct gather {
    struct gathered *events, *spare;
    uint32_t count, capacity, spare_capacity;
    uint64_t *set; /* of what was retracted at this node */
    uint32_t retracted_count, set_capacity;
    bool is_forgotten; /* the last node was: nothing is older than its delta */
};
/* Appends the node's events in order. False without memory. */
bool gather_node(struct gather *gather, const struct base *base, uint32_t slot);
/* From `first` on: two or more runs become one. `starts` are where the runs begin. */
bool gather_merge(struct gather *gather, const uint32_t *starts, uint32_t runs);
void gather_free(struct gather *gather);

/* view.c */
struct rows_block { /* history_view_rows: entries as in a delta, of the reader's own */
    struct history_block block;
    const struct history *history;
    struct words words;
    uint32_t *positions;
    uint32_t count, capacity;
    struct dictionary texts; /* that history does not know */
    struct value_words values;
    uint64_t *packed, *seqs;
    uint32_t sorted_capacity;
};
/* Codes of a reader's own. */
#define CODE_OWN UINT32_C(0x80000000)
struct history_reader {
    struct history *history;
    struct reader_slot *slot;
    struct gather gather;
    uint64_t *events, *seqs;
    struct history_place *places;
    uint32_t capacity;
    uint32_t *starts; /* of the runs of a group */
    uint32_t starts_capacity;
    struct rows_block rows;
};
/* view.c: room for so many events of a view in the reader's own memory. False without memory. */
bool reader_reserve(struct history_reader *reader, uint32_t count);
/* A link more of each chain that leads to the events of groups some places further on, below `end`. */
void view_fetch_ahead(const struct history *history, const struct block *block, uint32_t customer,
                      uint32_t end);
/* rows.c */
void rows_init(struct rows_block *rows);
void rows_deinit(struct rows_block *rows);
/* The value of an event in a column; false when it has none. */
bool place_value(struct history_place place, history_column column, struct value_view *value);

/* group.c */
static inline const uint32_t *group_at(const struct history *history, uint32_t handle)
{
    return words_at(&history->groups.words, handle); /* count, then the nodes, root first */
}
static inline uint32_t group_word(const struct block *block, uint32_t node)
{
    struct block_groups *groups = atomic_load_explicit(&block->groups, memory_order_acquire);
    return groups != NULL
               ? atomic_load_explicit(&groups->words[node & BLOCK_MASK], memory_order_acquire)
               : GROUP_ALONE;
}

#endif
