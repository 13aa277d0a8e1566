/* SPDX-License-Identifier: Apache-2.0 */
/* facts: what rules ask of a customer besides her events, as columns by her number, and the channels by which she can be
 * reached. Private to audience/. Filled and changed by the engine, read by any thread. */
#ifndef KITH_AUDIENCE_FACTS_H
#define KITH_AUDIENCE_FACTS_H

#include <stdatomic.h>

#include "audience/audience.h"
#include "audience/members.h"
#include "rule/rule.h"

/* ---- column.c: facts of the profile as columns, read by any thread ---- */

enum column_source {
    COLUMN_TRAIT,
    COLUMN_CONSENT,
    COLUMN_IDENTIFIERS,
    COLUMN_OBJECT,
    COLUMN_JOURNEY, /* since when she is in it */
};
enum column_state { COLUMN_IDLE, COLUMN_FILLING, COLUMN_FILLED };
#define COLUMN_CHUNKS_MAX 65536u
struct fact_chunk {
    _Atomic int64_t values[CHUNK_SIZE]; /* code, number or mask; NO_VALUE: none */
};
struct fact_column {
    enum column_source source;
    enum rule_kind kind;
    str name;                /* trait, purpose, or key of a journey; owned */
    struct lexicon *lexicon; /* texts */
    _Atomic(struct fact_chunk *) *chunks;
    _Atomic uint32_t chunk_count; /* allocated ones, for /metrics */
    enum column_state state;
};
#define COLUMNS_MAX 1000u
#define IDENTIFIER_BITS 63u
struct facts_table {
    struct fact_column *columns[COLUMNS_MAX]; /* 0: identifiers */
    uint32_t column_count;
    str identifier_types[IDENTIFIER_BITS]; /* bit → name; owned */
    uint32_t identifier_type_count;
    uint32_t fill_next; /* customer; 0: no pass is on */
    bool has_journeys;  /* some column is of a journey */
    struct json_parser *parser;
    struct buffer text;
};
err columns_init(struct facts_table *facts) MUST_USE;
void columns_deinit(struct facts_table *facts);
/* 0 when there are too many, or out of memory; consents and traits have names of their own. */
uint32_t columns_column(struct facts_table *facts, enum column_source source, str name,
                        enum rule_kind kind);
uint32_t columns_identifier_bit(struct facts_table *facts,
                                str type); /* IDENTIFIER_BITS: none left */
/* The column is wanted: it is filled by columns_fill. */
void columns_want(struct facts_table *facts, uint32_t column);
/* Is what is known of her not there yet? */
bool columns_are_filling(const struct facts_table *facts);
bool columns_lack(const struct facts_table *facts, uint32_t customer);
bool columns_is_filled(const struct facts_table *facts, uint32_t column);
int64_t cell_get(const struct fact_column *column, uint32_t customer);
/* Of neighbours within a chunk. */
void cells_get(const struct fact_column *column, uint32_t first, uint32_t count, int64_t *cells);
void cell_prefetch(const struct fact_column *column, uint32_t customer);
/* Engine. */
err cell_put(struct fact_column *column, uint32_t customer, int64_t value, bool *changed) MUST_USE;
/* What JSON says, in the column's kind; NO_VALUE. */
int64_t cell_of(struct fact_column *column, json_value value);
struct fact_column *fact_column_new(enum column_source source, str name, enum rule_kind kind);
void fact_column_free(struct fact_column *column);
/* Read everything about a customer anew into the columns; bits of columns that changed are set in
 * `changed` (COLUMNS_MAX bits; may be NULL). */
err columns_read(struct audience *audience, uint32_t customer, uint64_t *changed) MUST_USE;
err columns_read_identifiers(struct audience *audience, uint32_t customer,
                             uint64_t *changed) MUST_USE;
/* Those of journeys alone. */
err columns_read_journeys(struct audience *audience, uint32_t customer, uint64_t *changed) MUST_USE;
err columns_clear(struct audience *audience, uint32_t customer) MUST_USE;
/* A slice of filling; true: there is more. */
bool columns_fill(struct audience *audience, int64_t budget_us);
size_t columns_bytes(const struct facts_table *facts);

/* ---- reach.c: by which channels somebody can be contacted ---- */

#define REACH_CHANNELS 6u
enum reach { REACH_YES, REACH_NO_IDENTIFIER, REACH_NO_CONSENT, REACH_WITHDRAWN, REACH_END };
struct reach_columns {
    const struct fact_column *consents[REACH_CHANNELS + 1]; /* the last: marketing */
    const struct fact_column *processing; /* withdrawn: her data are kept and not used */
    uint32_t bits[REACH_CHANNELS];
};
struct reach_counts {
    uint64_t counts[REACH_CHANNELS][REACH_END];
};
str reach_channel(size_t channel);
str reach_identifier(size_t channel); /* the type that it needs */
const char *reach_word(enum reach reach);
/* The columns that it asks for begin to be filled. Engine; before any of the functions below. */
err reach_want(struct audience *audience, bool *is_ready) MUST_USE;
enum reach reach_of(const struct audience *audience, size_t channel, uint32_t customer);
bool reach_find(void *context, str name, struct rule_symbol *symbol);
void reach_suggest(struct rule_suggestions *like, str wrong);
void reach_count(const struct audience *audience, struct reach_counts *counts, uint32_t customer);
void reach_join(struct reach_counts *to, const struct reach_counts *from);
void reach_write(const struct reach_counts *counts, double scale, struct json_writer *writer);

#endif
