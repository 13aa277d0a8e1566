/* SPDX-License-Identifier: Apache-2.0 */
/* state: what the files of this room share. Private to audience/.
 *
 * The pieces, from the bottom up: sets and numbers (what is stored per definition), columns (facts that rules
 * ask for), the wheel (who is due when), recipes (a definition compiled, immutable), definitions, jobs.
 */
#ifndef KITH_AUDIENCE_STATE_H
#define KITH_AUDIENCE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

/* The header of CRoaring is not as strict as we are. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <roaring/roaring.h>
#pragma GCC diagnostic pop

#include "audience/audience.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/logline.h"
#include "base/metric.h"
#include "base/str.h"

#define CHUNK_BITS 16
#define CHUNK_SIZE (1u << CHUNK_BITS)
#define MILLION INT64_C(1000000)
#define NO_VALUE INT64_MIN

static inline uint32_t chunk_of(uint32_t customer)
{
    return customer >> CHUNK_BITS;
}

/* ---- set.c: members, in chunks that are shared copy-on-write ---- */

struct set_chunk {
    _Atomic uint32_t references;
    roaring_bitmap_t *bits; /* of the low 16 bits */
};
struct set {
    struct set_chunk **chunks; /* NULL: nobody */
    uint8_t *dirty;            /* since the last checkpoint */
    uint32_t chunk_count;
    uint64_t count;
};
void set_deinit(struct set *set);
bool set_has(const struct set *set, uint32_t customer);
/* *changed: she was not there, or was. */
err set_add(struct set *set, uint32_t customer, bool *changed) MUST_USE;
err set_remove(struct set *set, uint32_t customer, bool *changed) MUST_USE;
/* A snapshot that shares all chunks. Engine; freed by any thread. */
err set_share(const struct set *set, struct set *out) MUST_USE;
void set_move(struct set *from, struct set *to);
/* The whole chunk, from portable bytes (empty text: nobody). */
err set_load_chunk(struct set *set, uint32_t chunk, str bytes) MUST_USE;
void set_write_chunk(const struct set *set, uint32_t chunk, struct buffer *out);
const roaring_bitmap_t *set_chunk_bits(const struct set *set, uint32_t chunk); /* may be NULL */
/* The chunk is to be stored, whoever is in it. */
err set_touch_chunk(struct set *set, uint32_t chunk) MUST_USE;
/* Members from `from` on in ascending order; false from `visit` stops. */
void set_visit(const struct set *set, uint32_t from, bool (*visit)(void *, uint32_t),
               void *context);
err set_or_chunk(struct set *set, uint32_t chunk, const roaring_bitmap_t *bits) MUST_USE;
/* Members of one chunk, without its number; quickest when they ascend. */
err set_add_many(struct set *set, uint32_t chunk, const uint32_t *members, size_t count) MUST_USE;
/* `bits` NULL: nobody of this chunk stays. */
err set_and_chunk(struct set *set, uint32_t chunk, const roaring_bitmap_t *bits) MUST_USE;
uint64_t set_and_count(const struct set *one, const struct set *other);
/* What set_has reads of her is fetched towards the processor, step after step; near.c. */
#define SET_NEAR_STEPS 5
void set_near(const struct set *set, uint32_t customer, unsigned step);
size_t set_bytes(const struct set *set);
/* Portable bytes of a bitmap that is not empty; nothing for an empty or missing one. */
void bits_write(const roaring_bitmap_t *bits, struct buffer *out);
roaring_bitmap_t *bits_read(str bytes); /* NULL: damaged */

/* ---- rank.c ---- */

void numbers_sort(int64_t *values, size_t count); /* ascending */

/* ---- numbers.c: one int64 per customer, in chunks of narrow width ---- */

enum number_width { WIDTH_16, WIDTH_32, WIDTH_64 };
struct number_chunk {
    _Atomic uint32_t references;
    uint32_t count; /* customers that have one */
    enum number_width width;
    union {
        int16_t narrow[1]; /* in units; the least value is none */
        int32_t middle[1];
        int64_t wide[1]; /* as it is */
    } values;
};
struct numbers {
    struct number_chunk **chunks;
    uint8_t *dirty;
    uint32_t chunk_count;
    int64_t unit; /* narrow values are in it: a million for numbers, else 1 */
    uint64_t count;
};
void numbers_init(struct numbers *numbers, int64_t unit);
void numbers_deinit(struct numbers *numbers);
int64_t numbers_get(const struct numbers *numbers, uint32_t customer); /* NO_VALUE */
/* As set_near, in three steps. */
void numbers_near(const struct numbers *numbers, uint32_t customer, unsigned step);
err numbers_put(struct numbers *numbers, uint32_t customer, int64_t value) MUST_USE;
err numbers_share(const struct numbers *numbers, struct numbers *out) MUST_USE;
void numbers_move(struct numbers *from, struct numbers *to);
err numbers_load_chunk(struct numbers *numbers, uint32_t chunk, str bytes) MUST_USE;
void numbers_write_chunk(const struct numbers *numbers, uint32_t chunk, struct buffer *out);
/* It is to be stored, also when nobody has a number in it. */
err numbers_touch_chunk(struct numbers *numbers, uint32_t chunk) MUST_USE;
bool numbers_is_shared(const struct numbers *a, const struct numbers *b, uint32_t chunk);
size_t numbers_bytes(const struct numbers *numbers);
static inline uint32_t numbers_end(const struct numbers *numbers)
{
    return numbers->chunk_count << CHUNK_BITS;
}

/* ---- lexicon.c: texts that are read by any thread while some are added ---- */

#define LEXICON_PAGE 512u
#define LEXICON_PAGES 8192u
struct lexicon_entry {
    str text;   /* as it is, or the JSON of a list */
    str *texts; /* of a list */
    uint32_t text_count;
};
struct lexicon {
    pthread_mutex_t mutex; /* adding */
    struct arena arena;
    uint32_t *slots; /* code; open addressing */
    uint32_t slot_count;
    _Atomic uint32_t count; /* codes are 1 … count */
    uint32_t count_max;
    _Atomic(struct lexicon_entry *) pages[LEXICON_PAGES];
};
err lexicon_new(struct lexicon **lexicon, uint32_t count_max) MUST_USE;
void lexicon_free(struct lexicon **lexicon);
/* Any thread. 0: full or out of memory. */
uint32_t lexicon_intern(struct lexicon *lexicon, str text);
/* A list: `json` is its text, which is parsed once. */
uint32_t lexicon_intern_list(struct lexicon *lexicon, str json, json_value list);
uint32_t lexicon_find(struct lexicon *lexicon, str text);
const struct lexicon_entry *lexicon_at(const struct lexicon *lexicon, uint32_t code);
size_t lexicon_bytes(const struct lexicon *lexicon);

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

/* ---- wheel.c: who is due when ---- */

struct wheel_bucket {
    int64_t minute; /* 0: free slot */
    roaring_bitmap_t *customers;
};
struct wheel {
    struct wheel_bucket *buckets; /* open addressing by minute */
    uint32_t slot_count, bucket_count;
    uint32_t **due; /* chunks: minute of a customer's due time (since 1970), 0: never */
    uint32_t chunk_count;
    uint64_t count;
    roaring_bitmap_t *stale; /* was taken: what `due` says of her is over; NULL: nobody */
};
void wheel_deinit(struct wheel *wheel);
/* The minute for which she was put last, taken or not; 0: never. */
uint32_t wheel_last(const struct wheel *wheel, uint32_t customer);
/* The minute within which her due time lies; 0: never. */
uint32_t wheel_due(const struct wheel *wheel, uint32_t customer);
/* until_ms: RULE_FOREVER takes her out. */
err wheel_put(struct wheel *wheel, uint32_t customer, int64_t until_ms, int64_t now_ms) MUST_USE;
/* Everybody whose minute is before or at `minute` goes to `out` and out of the wheel. */
err wheel_take(struct wheel *wheel, uint32_t minute, roaring_bitmap_t *out) MUST_USE;
uint32_t wheel_minute(int64_t time_ms);
size_t wheel_bytes(const struct wheel *wheel);

/* ---- recipe.c: a definition compiled. Immutable, counted: scans hold it while the engine goes on ---- */

enum form {
    FORM_RULE,   /* segment: one rule; tag and stage: a rule per value */
    FORM_GIVEN,  /* static, uploaded, snapshot; manual, imported, model */
    FORM_RANDOM, /* bucket of a hash */
    FORM_COUNT,  /* a measure */
    FORM_SCORE,
    FORM_RFM,
};
struct score_part {
    str name;
    struct rule *rule;    /* holds: `weight` */
    struct rule *measure; /* or weight times the measure, at most `cap` points */
    enum rule_kind kind;
    str event; /* or per event: weight (times the value of what is measured), decaying */
    enum column_kind of_kind;
    double weight, cap, cap_per_day, half_life_days;
};
struct rfm_axis {
    struct rule *measure;
    enum rule_kind kind;
    bool falling;        /* recency: less is better */
    uint32_t edge_count; /* of thresholds, ascending */
    int64_t edges[9];
};
struct rfm_box {
    str name;
    uint16_t allowed[3]; /* bit per score 1…10 */
};
struct needs {
    str *events;
    uint32_t event_count;
    uint32_t *columns; /* of facts */
    uint32_t column_count;
    uint32_t *others; /* definition numbers */
    uint32_t other_count;
    bool any_event, identifiers, consents, objects, time, nodes;
    bool nested; /* of objects: leads on to other objects */
};
struct recipe {
    _Atomic uint32_t references;
    struct arena arena;
    enum form form;
    uint32_t on;         /* kind of objects; 0: customers */
    bool by_customers;   /* FORM_COUNT on objects: customers are counted, not events */
    bool last_wins;      /* stages: the last value whose rule holds */
    enum rule_kind kind; /* of the value; texts of few values are in sets */
    bool in_sets;        /* else in numbers */
    uint32_t value_count;
    str *values;         /* in_sets */
    struct rule **rules; /* FORM_RULE: one per value */
    struct rule *measure;
    uint64_t seed;
    uint32_t bucket_count, bucket_from, bucket_to;
    struct score_part *parts;
    uint32_t part_count;
    double score_max;
    struct rfm_axis axes[3];
    struct rfm_box *boxes;
    uint32_t box_count, quantiles; /* quantiles 0: own thresholds */
    struct needs needs;
};
/* What the recipe comes to for one customer. */
struct verdict {
    int64_t
        value; /* in_sets: 1 + index of the value, or NO_VALUE; else number or code, or NO_VALUE */
    int64_t until_ms;
};
struct definition;
/* `text`: where texts of counted tags are interned. */
struct judging {
    struct rule_judge *judge;
    const struct audience *audience;
    struct rule_facts facts;
    const struct rule_zone *zone;
};
/* Parse and compile; checks names, kinds, limits. */
err recipe_new(struct audience *audience, enum audience_kind kind, json_value body,
               struct recipe **recipe, struct problem *problem) MUST_USE;
void recipe_release(struct recipe **recipe);
struct recipe *recipe_hold(struct recipe *recipe);
/* All but FORM_GIVEN. A measured text is its code in `texts`; NULL: 1, whatever it says. */
void recipe_judge(const struct recipe *recipe, struct lexicon *texts, struct judging *judging,
                  uint32_t customer, const struct history_view *view, int64_t now_ms,
                  struct verdict *verdict);
/* Why: rules with their values, parts of a score. */
void recipe_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                    const struct history_view *view, int64_t now_ms, struct json_writer *writer);
/* Its columns of history are ready, and of facts filled; begins what is not. */
err recipe_prepare(struct audience *audience, const struct recipe *recipe, bool *is_ready,
                   struct problem *problem) MUST_USE;

/* score.c, rfm.c */
double score_part_points(const struct score_part *part, struct judging *judging, uint32_t customer,
                         const struct history_view *view, int64_t now_ms, int64_t *until_ms);
err score_new(struct audience *audience, struct recipe *recipe, json_value body,
              struct problem *problem) MUST_USE;
err rfm_new(struct audience *audience, struct recipe *recipe, json_value body,
            struct problem *problem) MUST_USE;
void score_judge(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                 const struct history_view *view, int64_t now_ms, struct verdict *verdict);
void rfm_judge(const struct recipe *recipe, struct judging *judging, uint32_t customer,
               const struct history_view *view, int64_t now_ms, struct verdict *verdict);
void score_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                   const struct history_view *view, int64_t now_ms, struct json_writer *writer);
/* One measure of hers; false: she has none. */
bool rfm_measure(const struct recipe *recipe, size_t axis, struct judging *judging,
                 uint32_t customer, const struct history_view *view, int64_t now_ms,
                 int64_t *number, int64_t *until_ms);
/* Of the three measures; NO_VALUE: in no box. */
int64_t rfm_value(const struct recipe *recipe, const int64_t numbers[3]);
void rfm_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                 const struct history_view *view, int64_t now_ms, struct json_writer *writer);
void recipe_need_rule(struct recipe *recipe, const struct rule *rule);
err recipe_rule(struct audience *audience, struct recipe *recipe, json_value json,
                const char *pointer, struct rule **rule, struct problem *problem) MUST_USE;
err recipe_measure(struct audience *audience, struct recipe *recipe, json_value json,
                   const char *pointer, struct rule **rule, enum rule_kind *kind,
                   struct problem *problem) MUST_USE;

/* ---- span.c: the same of neighbours at once, by slot ---- */

struct span_verdicts {
    int64_t values[HISTORY_BLOCK_NODES], until_ms[HISTORY_BLOCK_NODES];
    int64_t numbers[3][HISTORY_BLOCK_NODES], scratch_ms[HISTORY_BLOCK_NODES]; /* of measures */
};
/* Has it such a form at all? */
bool recipe_has_span(const struct recipe *recipe);
/* False: they are to be judged one by one. */
bool recipe_judge_span(const struct recipe *recipe, struct judging *judging,
                       const struct history_span *span, const uint64_t asked[HISTORY_SPAN_WORDS],
                       int64_t now_ms, struct span_verdicts *verdicts);
void span_verdicts_clear(struct span_verdicts *verdicts);
/* The three measures; `asked` is left with who has them, and has bought. */
bool rfm_measure_span(const struct recipe *recipe, struct judging *judging,
                      const struct history_span *span, uint64_t asked[HISTORY_SPAN_WORDS],
                      int64_t now_ms, struct span_verdicts *verdicts);

/* ---- definition.c ---- */

/* Kinds of causes of a change. */
enum cause {
    CAUSE_EVENT,
    CAUSE_FACT,
    CAUSE_TIME,
    CAUSE_MERGE,
    CAUSE_DEFINITION,
    CAUSE_HAND,
    CAUSE_RECOUNT,
    CAUSE_COUNT
};
const char *cause_text(enum cause cause);
struct change {
    uint32_t customer;
    int64_t at_ms;
    uint64_t seq;
    enum cause cause;
    int64_t old_value, new_value;
};

/* Values given by hand, file or model: per node, so that a split takes nothing from anybody. */
struct given {
    struct numbers values, at_ms; /* value: code or number; NO_VALUE with a time: taken away */
};
struct definition {
    uint32_t on;      /* kind of objects; 0: customers */
    int64_t until_ms; /* on objects: when time alone may change a value */
    bool stale;       /* on objects: all are to be judged anew */
    bool uncounted;   /* on objects: what is counted may have changed */
    bool moved;       /* on objects: some value changed, and who depends on it was not asked yet */
    bool row_dirty;   /* its row is to be written with the next commit */
    struct taking *taking;          /* what its install changed is being noted; taking.c */
    bool wants_entered;             /* some rule asks since when they are in it */
    struct numbers entered;         /* ms, of those who are; kept from when it is wanted */
    uint32_t number;                /* from 1, never reused */
    uint32_t version, live_version; /* 0: not live yet */
    enum audience_kind kind;
    bool deleted;
    str key, name, folder, description, owner, form_name; /* in `text` */
    char *text;                                           /* JSON of the body, terminated */
    size_t text_size;
    int64_t created_ms, changed_ms;
    uint32_t user_number;
    uint64_t changed_seq;
    struct recipe *recipe; /* live; NULL before */
    struct recipe *next;   /* of `version`, while it is computed */
    struct set *sets;      /* by code - 1; of a segment one */
    uint32_t set_count;
    struct numbers numbers;
    struct lexicon *texts; /* of text tags: what codes mean, whatever version gave them */
    uint32_t texts_stored; /* codes that the ledger has */
    uint32_t *codes;       /* of the live recipe's values, in_sets */
    bool requantile;       /* its thresholds are to be computed anew */
    str edges;             /* JSON: thresholds that were computed for `version`; owned */
    struct given given;
    uint32_t level;    /* of dependency */
    uint32_t position; /* in audience->order */
    /* what has changed and is not in the ledger yet */
    struct buffer changes;
    uint64_t change_number;  /* of the last change; each definition counts its own */
    uint64_t changes_number; /* of the first in the open row */
    uint32_t changes_count;
    int64_t changes_first_ms;
    struct change changes_last;
    bool changes_dirty, state_dirty;
    uint64_t checkpoint; /* all changes up to it are in the chunks in the ledger */
};

/* Entries of a definition that are too many for its open row; written by the next commit. */
struct changes_row {
    struct changes_row *next;
    uint32_t definition, count;
    uint64_t number;
    int64_t first_ms, last_ms;
    char *bytes;
    size_t size;
};

/* ---- stream.c: customers whose history in memory is not whole (S8) ---- */

/* What is asked for. */
struct stream_form {
    struct arena arena;
    bool any_type;
    str *types;
    size_t type_count;
    struct audience_column *columns;
    size_t column_count;
};
void stream_form_init(struct stream_form *form);
void stream_form_deinit(struct stream_form *form);
err stream_form_rule(struct stream_form *form, const struct history *history,
                     const struct rule *rule) MUST_USE; /* NULL: nothing */
err stream_form_recipe(struct stream_form *form, const struct history *history,
                       const struct recipe *recipe) MUST_USE;
err stream_form_all(struct stream_form *form, const struct history *history) MUST_USE;

struct streaming {
    const struct stream_form *form;
    uint64_t until_seq;            /* AUDIENCE_PAST_NOW: engine thread alone */
    struct history_reader *reader; /* outside of history_read_begin */
    bool restore;                  /* engine: their past is in memory again; with a form of all */
    bool (*visit)(void *context, uint32_t customer, const struct history_view *view);
    void *context;
};
/* Show each of the customers with all of her events, in their order; false from `visit` stops. */
err stream_customers(struct audience *audience, const struct streaming *streaming,
                     const uint32_t *customers, size_t count, struct problem *problem) MUST_USE;

/* The same in two steps. Any thread: what the past has of these customers, up to a seq. */
struct stream_batch;
err stream_read(struct audience *audience, const struct stream_form *form, uint64_t until_seq,
                struct history_reader *reader, const uint32_t *customers, size_t count,
                struct stream_batch **read, struct problem *problem) MUST_USE;
/* Of the customer at `index`; valid until the reader's next view. */
err stream_show(const struct stream_batch *batch, struct history_reader *reader, size_t index,
                struct history_view *view) MUST_USE;
void stream_batch_free(struct stream_batch **batch);

struct stream_list {
    uint32_t *customers;
    size_t count, room;
};
bool stream_list_add(struct stream_list *list, uint32_t customer); /* false: no memory */
void stream_list_free(struct stream_list *list);

/* ---- recall.c: read back aside, judged in slices ---- */

struct recall;
err recall_new(struct audience *audience) MUST_USE;
void recall_free(struct audience *audience); /* joins its thread */
bool recall_can(const struct audience *audience);
/* They lacked events in memory. */
void recall_add(struct audience *audience, const struct stream_list *list, bool rejudge);
bool recall_is_pending(const struct audience *audience, uint32_t customer);
bool recall_is_rejudged(const struct audience *audience, uint32_t customer);
void recall_drop(struct audience *audience, uint32_t customer);
uint64_t recall_pending_count(const struct audience *audience);
bool recall_is_empty(const struct audience *audience);
/* Who waits is pending, or to be rejudged, again. */
void recall_take_back(struct audience *audience);
/* A slice; *more: at once. */
err recall_work(struct audience *audience, int64_t budget_us, bool *more) MUST_USE;

/* ---- scan.c ---- */

struct scan_part {
    struct definition *definition;
    uint32_t number, version;
    struct recipe *recipe;
    struct set *sets; /* by the recipe's values */
    struct numbers numbers;
    int64_t *measures[3]; /* rfm by quantiles: of all who have them */
    uint32_t *measured;   /* who they are */
    size_t measure_count, measure_room;
};
/* Members and values of definitions as they are now, for other threads. */
struct others {
    uint32_t count; /* by definition number */
    struct others_item {
        enum rule_kind kind;
        struct lexicon *texts;
        struct set *sets;
        uint32_t set_count;
        struct numbers numbers, entered;
    } * items;
};
struct scan_facts {
    const struct audience *audience;
    struct others others;
    struct rule_objects objects;
};
err others_take(const struct audience *audience, const struct needs *needs,
                struct others *others) MUST_USE;
void others_free(struct others *others);
void recipe_write_edges(const struct recipe *recipe, struct json_writer *writer);
void facts_for_scan(struct scan_facts *from, struct rule_facts *facts);
int64_t others_get(const struct others *others, uint32_t number, uint32_t customer);
struct scan;

/* ---- object.c: objects as rules see them ----
 *
 * An object has a number in its kind, from 1, never reused: the code of its id in the texts of a private definition.
 * Properties that rules name are columns over these numbers. What changes is *dirty* until a tick *publishes* it, so
 * an import of thousands of objects is one change: then definitions on objects are judged, the kind's
 * version moves, and customers are judged again in portions, a portion a tick (sweep.c). */

#define OBJECT_KINDS_MAX 200u
#define OBJECT_COLUMNS_MAX 2000u
#define OBJECT_TAG 0x80000000u /* a symbol with it is a definition's number */
#define OBJECTS_MAX 4000000u
struct object_property {
    str name; /* owned */
    enum rule_kind kind;
    str object; /* the kind that it leads to; owned */
    bool declared;
    uint8_t seen; /* bits of kinds of values that came */
};
struct object_kind {
    uint32_t number;
    struct definition *ids; /* key: the kind; texts: ids */
    str label;              /* as people call it; owned */
    struct object_property *properties;
    uint32_t property_count;
    struct fact_column *there; /* 1: it is not deleted */
    roaring_bitmap_t *dirty;
    _Atomic uint64_t version;
    uint64_t count; /* that are there */
};
struct objects {
    struct object_kind *kinds[OBJECT_KINDS_MAX + 1]; /* by number */
    uint32_t kind_count;
    struct fact_column *columns[OBJECT_COLUMNS_MAX]; /* by symbol */
    uint32_t column_kinds[OBJECT_COLUMNS_MAX];
    uint32_t column_count;
    struct definition **order; /* live definitions on objects, by level */
    uint32_t order_count;
    struct json_parser *parser;
    struct rule_objects live;                 /* as the engine sees them */
    uint64_t changes;                         /* how often something was published */
    uint8_t counted_types[HISTORY_TYPES_MAX]; /* 0 not known, 1 nobody counts it, 2 somebody does */
    struct counting_run *run;                 /* what is being counted on a thread */
    steady_ns counted;                        /* when the last run ended */
    int64_t count_pause_ms;                   /* how long nothing is counted after it */
    int64_t count_hour;
};
err objects_open(struct audience *audience) MUST_USE;
void objects_close(struct audience *audience);
err objects_load(struct audience *audience, struct ledger *ledger,
                 struct problem *problem) MUST_USE;
struct object_kind *objects_kind(const struct audience *audience, str name);
void object_kind_clear(struct object_kind *kind); /* of what was said of it: name and properties */
bool objects_are_dirty(const struct audience *audience);
/* What is dirty becomes what rules see. */
err objects_publish(struct audience *audience, struct audience_moment moment) MUST_USE;
bool objects_find(void *context, str kind, str path, struct rule_symbol *symbol);
void objects_suggest(struct audience *audience, str what, struct rule_suggestions *like, str wrong);
void objects_for_scan(struct scan_facts *from);
str object_id(const struct audience *audience, uint32_t kind, uint32_t number);
uint32_t object_number(const struct audience *audience, uint32_t kind, str id);
uint32_t object_count(const struct audience *audience, uint32_t kind); /* highest number */
bool object_is_there(const struct audience *audience, uint32_t kind, uint32_t number);

/* object_tag.c: definitions on objects. */
err object_order_make(struct audience *audience) MUST_USE;
/* Judge those that may have changed; customers whose definitions ask what moved are swept. `published`: cells of
 * objects did. */
err object_definitions_settle(struct audience *audience, struct audience_moment moment,
                              bool published) MUST_USE;
/* Does time alone change a value by now, or is anything left to be judged? */
bool object_definitions_are_due(const struct audience *audience, int64_t now_ms);
/* One object against one definition. */
err object_definition_judge(struct audience *audience, struct definition *definition,
                            uint32_t number, struct audience_moment moment, enum cause cause,
                            int64_t *until_ms) MUST_USE;

/* object_count.c: tags that count events by object, on a thread of their own. */
void object_counts_heard(struct audience *audience, str type);
/* All are counted anew: histories changed in ways that no event tells. */
void object_counts_stale(struct audience *audience);
void object_counts_tick(struct audience *audience, int64_t now_ms);
void object_counts_work(struct audience *audience);
err object_counts_install(struct audience *audience, json_value list, struct audience_moment moment,
                          struct ledger_writes *writes) MUST_USE;
void object_counts_stop(struct audience *audience);

/* sweep.c: everybody is judged again, a portion a tick. */
struct sweep {
    uint32_t next, left; /* customers next, next + 1 … of all, round and round */
    uint32_t last;
    bool facts; /* everything about them is read anew */
};
void sweep_begin(struct audience *audience, bool facts);
bool sweep_has(const struct audience *audience, uint32_t customer);
/* A tick: the next portion goes to `pending`. */
void sweep_tick(struct audience *audience);

#define MARK_WORDS ((AUDIENCE_DEFINITIONS_MAX + 63) / 64)
struct marks {
    uint64_t words[MARK_WORDS];
    uint32_t first, last; /* words in use: [first, last) */
};

/* part.c: one customer at a time may be judged in parts. She is in `pending` (or `rejudge`) until the last of them. */
struct part {
    uint32_t customer; /* 0: nobody */
    bool is_rejudged;  /* of `rejudge`, else of `pending` */
    enum cause cause;
    struct audience_moment moment; /* of all parts */
    int64_t until_ms;              /* so far */
    struct marks marks;            /* left to be judged */
};

struct audience {
    struct audience_config config;
    struct facts_table facts;
    const struct rule_zone *zone;
    struct local_zone *zones; /* all that were, kept: other threads may still look into one */
    struct rule_catalogue catalogue;
    struct ledger *ledger;      /* borrowed, from audience_load */
    struct json_parser *parser; /* bodies from the ledger */
    struct json_parser *catalogue_parser;
    struct buffer catalogue_text;

    struct definition **definitions; /* by number */
    uint32_t definition_count;       /* highest number + 1 */
    struct definition **order;       /* live ones, by level, then number */
    bool order_is_stale;
    uint32_t order_count;
    uint32_t taking_count; /* definitions whose install is being noted */

    /* index, by position in `order`; made anew when a definition comes or goes */
    struct marks *by_type[HISTORY_TYPES_MAX]; /* lazily */
    struct marks *by_column[COLUMNS_MAX];
    struct marks **dependents; /* by position */
    struct marks by_time, by_nodes, by_objects, all;
    struct marks by_turn;   /* hear.c: of by_time, those of which the pool does not know when */
    struct rule_pool *pool; /* of their conditions, by position; NULL without memory */
    struct nobody *nobody;
    roaring_bitmap_t *unsure; /* what is stored of her may not be of just before her due minute */
    struct soon {             /* it is of this moment, and she is due in the minute of it */
        roaring_bitmap_t *customers;
        int64_t at_ms; /* of the tick */
    } soon, soon_before;
    uint32_t sure_from; /* nobody is who is due up to this minute */
    struct reach_columns reach;
    struct objects objects;
    struct sweep sweep;
    int64_t
        unsettled_stored; /* what the ledger says of it: 0 nothing is left, 1 a sweep, 2 one with facts */
    int64_t settled_ms,
        settled_stored_ms; /* the last tick of which nobody is left; in the ledger */
    int64_t started_ms;    /* the same at the start: from then on changes by time may be missing */
    bool pending_facts, pending_objects; /* who is pending is of a sweep */
    _Atomic bool wants_tick;
    _Atomic bool is_settling;        /* what a tick found due is not settled yet */
    _Atomic int64_t count_wanted_ns; /* steady time from which on there is something to count; 0 */

    struct wheel wheel;
    roaring_bitmap_t *pending; /* taken from the wheel at pending_moment, not settled yet */
    struct audience_moment pending_moment;
    struct part part;
    steady_ns slice_start;         /* of the slice that may leave a part */
    int64_t slice_us;              /* 0: nothing may be left */
    struct recall *recall;         /* of both, who lacks events in memory */
    roaring_bitmap_t *rejudge;     /* touched while what was installed was computed: in slices */
    struct scan *merging;          /* whose due times go to the wheel, chunk after chunk */
    uint32_t merge_next;           /* portion of a chunk: install.c */
    roaring_bitmap_t *huge;        /* put off until the next second */
    roaring_bitmap_t *huge_judged; /* in this second */
    int64_t huge_second;
    int64_t now_ms;
    int64_t day;            /* local day that was begun */
    bool day_has_begun;     /* its work is not begun yet */
    uint32_t recount_next;  /* customer that today's recount has come to; 0: done */
    uint32_t recount_place; /* the definition at which it goes on with her */
    steady_ns recounted;    /* when the last slice of it ended */
    int64_t recount_rest_us;

    struct history_reader *reader;
    struct judging judging;
    const struct history_view *given; /* live_judge: rows of this customer were read back */
    uint32_t given_customer;
    struct stream_list
        *waiting; /* live_judge: who lacks events goes here, and is judged later; NULL: at once */
    uint64_t change_count; /* of all definitions, since the start */
    struct changes_row *finished_rows;
    size_t bytes_estimate;
    uint32_t checkpoint_next; /* definition whose chunks are written next; 0: no round is on */
    int64_t checkpoint_ms;    /* log time of the last round */

    struct audience_lens lens;
    bool lens_is_on;

    steady_ns scan_failed;         /* when the last one did; 0 */
    struct scan *scan, *scan_over; /* the one that runs; one whose threads are to be joined */
    bool started;
    bool scan_wanted; /* something may wait to be computed */
    /* After a start nobody's due time is known, until a scan has found them or she was judged. */
    bool due_unknown;
    roaring_bitmap_t *due_known;
};

/* lens.c */
const struct set *lens_set(const struct audience *audience); /* NULL: no lens is on */
bool lens_has(const struct audience *audience, uint32_t customer);
bool lens_shows(const struct audience *audience, const struct definition *definition);
/* How many of a definition's set, or numbers, are seen. */
uint64_t lens_count(const struct audience *audience, const struct definition *definition,
                    const struct set *set);
uint64_t lens_count_numbers(const struct audience *audience, const struct definition *definition);
/* Leave in `set` who is in `part`; NULL: all. */
err lens_cut(const struct set *part, struct set *set) MUST_USE;
/* Who is seen, for other threads; nothing without a lens. */
err lens_share(const struct audience *audience, struct set *out) MUST_USE;

/* recount.c: a slice of the day's recount; what it finds is told, not mended. */
void recount_work(struct audience *audience, int64_t budget_us);

/* interest.c */
/* One more than the highest of what it needs; `depth` 0. */
uint32_t definition_level(const struct audience *audience, const struct definition *definition,
                          unsigned depth);
/* For qsort of pointers to definitions that know their level: each after those that it needs. */
int definition_compare_order(const void *left, const void *right);
void interest_clear(struct audience *audience);
err interest_make(struct audience *audience) MUST_USE;
static inline void marks_clear(struct marks *marks, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        marks->words[i] = 0;
    marks->first = words;
    marks->last = 0;
}
static inline uint32_t marks_words(const struct audience *audience)
{
    return (audience->order_count + 63) / 64;
}
void marks_set(struct marks *marks, uint32_t position);
void marks_join(struct marks *marks, const struct marks *other);
struct marks *marks_of_type(struct audience *audience, str type);

/* hear.c: what an event, or time, may have changed. */
err hear_make(struct audience *audience) MUST_USE;
/* The event of this record, by which nothing else is judged yet; false: it is not known, all that name its type are to be
 * judged. `until_ms` is moved forward. */
bool hear_event(struct audience *audience, uint32_t customer, const struct event *event,
                int64_t now_ms, struct marks *marks, int64_t *until_ms) MUST_USE;
/* From her due minute to now; false: it is not known, all that time can change is to be judged. */
bool hear_time(struct audience *audience, uint32_t customer, int64_t now_ms, struct marks *marks,
               int64_t *until_ms) MUST_USE;
/* Her due time: `whole`: this one, else no later than it. */
err hear_due(struct audience *audience, uint32_t customer, int64_t until_ms, bool whole,
             int64_t now_ms) MUST_USE;
/* Who is due is settled at this moment from now on. */
void hear_tick(struct audience *audience, int64_t now_ms);
/* Who is due by now has to be judged in full. */
void hear_unsure(struct audience *audience);

/* nobody.c: her first event, which marked these; *is_met false: she is to be judged in full. */
err nobody_meet(struct audience *audience, uint32_t customer, struct marks *marks,
                struct audience_moment moment, int64_t until_ms, bool *is_met) MUST_USE;
void nobody_clear(struct audience *audience); /* definitions came or went */

/* near.c: what the next of the marked definitions read, and where they keep her, is fetched while others are judged. */
struct near {
    uint32_t until; /* of those that are marked below this place it was done */
};
void near_marked(const struct audience *audience, const struct marks *marks, uint32_t customer,
                 uint32_t from, struct near *near);

/* live.c */
/* Judge what is marked (and what depends on what changes). `whole`: all that time can change is among it, or changes no earlier
 * than `until_ms`, so that the due time is known anew. */
err live_judge_until(struct audience *audience, uint32_t customer, struct marks *marks, bool whole,
                     struct audience_moment moment, enum cause cause, int64_t until_ms) MUST_USE;
err live_judge(struct audience *audience, uint32_t customer, struct marks *marks, bool whole,
               struct audience_moment moment, enum cause cause) MUST_USE;
/* All events of a customer (root), read back; `restore`: and in memory again. Valid until audience->reader shows other
 * rows. Not within history_read_begin. */
err live_read_back(struct audience *audience, uint32_t customer, bool restore,
                   struct history_view *view) MUST_USE;
/* Who was left to `waiting` is judged by `judge` with what is read back, in few questions; the list is empty then. */
err live_stream(struct audience *audience, struct stream_list *waiting,
                err (*judge)(void *context, uint32_t customer), void *context) MUST_USE;
/* Did an answer of this judge lack events that can be read back? Asked once per answer. */
static inline bool lacked_events(const struct audience *audience, struct rule_judge *judge)
{
    return rule_judge_take_partial(judge) && audience->config.past != NULL;
}
/* Everything about her. */
err live_judge_all(struct audience *audience, uint32_t customer, struct audience_moment moment,
                   enum cause cause) MUST_USE;
err live_settle(struct audience *audience, uint32_t customer,
                struct audience_moment moment) MUST_USE;
/* Take her out of everything. */
err live_clear(struct audience *audience, uint32_t customer, struct audience_moment moment,
               enum cause cause) MUST_USE;
/* One definition for one customer; recipe may be of a version that is not live. */
void live_judge_one(const struct audience *audience, const struct definition *definition,
                    const struct recipe *recipe, struct judging *judging, uint32_t customer,
                    const struct history_view *view, int64_t now_ms, struct verdict *verdict);
/* What time alone can have changed of her; `objects`: what is asked of objects may have changed, too. */
err live_judge_time(struct audience *audience, uint32_t customer, bool objects,
                    struct audience_moment moment) MUST_USE;
/* She is of the set that a tick made. */
err live_judge_pending(struct audience *audience, uint32_t customer) MUST_USE;
/* She was touched while something was counted for everybody. */
err live_rejudge(struct audience *audience, uint32_t customer,
                 struct audience_moment moment) MUST_USE;
/* Who has so many events that she is judged once a second, not with each record. */
err live_judge_put_off(struct audience *audience, struct audience_moment moment) MUST_USE;

/* part.c */
static inline void part_begin_slice(struct audience *audience, int64_t budget_us)
{
    audience->slice_start = steady_now();
    audience->slice_us = budget_us;
}
static inline void part_end_slice(struct audience *audience)
{
    audience->slice_us = 0;
}
static inline bool part_is_left(const struct audience *audience, uint32_t customer)
{
    return audience->part.customer == customer;
}
/* Is the slice over? Then what is marked and not judged yet is left: words before `word` are judged, and `done` of it. */
bool part_leave(struct audience *audience, uint32_t customer, const struct marks *marks,
                uint32_t word, uint64_t done, enum cause cause, struct audience_moment moment,
                int64_t until_ms);
/* Goes on with her: to the end, or to that of the slice. */
err part_go_on(struct audience *audience) MUST_USE;
/* She is judged otherwise: what is left of `rejudge` is of a moment that is over by then. */
void part_superseded(struct audience *audience, uint32_t customer);
void part_drop(struct audience *audience, uint32_t customer);
/* The order of definitions was made anew: all of hers is left. */
void part_reorder(struct audience *audience);

/* live_time.c */
/* All that is pending, now. */
err live_finish(struct audience *audience) MUST_USE;
/* All that is due, if it is little: for who reads. */
void live_settle_few(struct audience *audience);
/* Up to when everybody is settled. */
int64_t live_as_of_ms(const struct audience *audience);
/* A slice of what is due. */
err live_work(struct audience *audience, int64_t budget_us, bool *more) MUST_USE;
/* Who waited for her rows: by them. */
err live_judge_recalled(struct audience *audience, uint32_t customer,
                        const struct history_view *view, bool pending, bool rejudge) MUST_USE;

/* What a definition has of her: a code (of a segment 1) or a number; NO_VALUE. */
int64_t definition_get(const struct definition *definition, uint32_t customer);
err definition_put(struct audience *audience, struct definition *definition, uint32_t customer,
                   int64_t value, struct audience_moment moment, enum cause cause,
                   bool *changed) MUST_USE;
struct definition *definition_find(const struct audience *audience, enum audience_kind kind,
                                   str key);
struct definition *definition_at(const struct audience *audience, uint32_t number);
/* What is stored, without noting a change. */
err definition_store(struct definition *definition, uint32_t customer, int64_t before,
                     int64_t value) MUST_USE;
/* The body, with the thresholds that were computed for it. */
err definition_parse(struct definition *definition, struct json_parser *parser, json_value *body,
                     struct problem *problem) MUST_USE;
/* Of a verdict, what is stored. */
int64_t definition_cell(const struct definition *definition, const struct recipe *recipe,
                        int64_t value);
struct set *definition_set(struct definition *definition, uint32_t code); /* made; NULL: memory */
/* Put a recipe in place: storage of its form, codes of its values. */
err definition_adopt(struct audience *audience, struct definition *definition,
                     struct recipe *recipe, uint32_t version) MUST_USE;
err definition_new(struct audience *audience, uint32_t number, enum audience_kind kind, str key,
                   struct definition **definition) MUST_USE;
/* The body's text and what is read from it. */
err definition_take_body(struct definition *definition, json_value body) MUST_USE;
void definition_free(struct definition *definition);
/* Does it need the other, live or as it is being computed? */
bool definition_uses(const struct definition *definition, uint32_t number);
int64_t given_value(const struct audience *audience, const struct definition *definition,
                    uint32_t customer);
void definition_storage_free(struct definition *definition);

/* change.c */
/* A change is put into the definition's open row. */
err change_note(struct audience *audience, struct definition *definition,
                const struct change *change) MUST_USE;
/* Entries of a row, in order; false: damaged. */
bool change_next(struct cursor *cursor, struct change *change, struct change *previous);
void change_write(struct buffer *out, const struct change *change, const struct change *previous);

bool change_row_is_full(const struct definition *definition);
void change_end_row(struct definition *definition);

/* entered.c: since when somebody is in a segment, for windows that begin there. */
void entered_note(struct definition *definition, const struct change *change);
/* Somebody asks: what the ledger and memory know of the past is read. Engine. */
err entered_want(struct audience *audience, struct definition *definition) MUST_USE;
/* All that are wanted, at a start. */
err entered_load(struct audience *audience) MUST_USE;
int64_t entered_for_engine(void *context, uint32_t customer, const struct rule_entered *what);
int64_t entered_for_scan(void *context, uint32_t customer, const struct rule_entered *what);

/* taking.c: a large result stands at once; what changed by it is noted in slices. */
/* `part` is of sets, or of numbers, and so is what the definition has. Its row is not to be stored before taking_finish. */
err taking_begin(struct audience *audience, struct definition *definition, struct scan_part *part,
                 struct audience_moment moment) MUST_USE;
/* She is about to be changed in it. */
err taking_note(struct audience *audience, struct definition *definition,
                uint32_t customer) MUST_USE;
/* A slice, over all definitions; 0: all. */
err taking_work(struct audience *audience, int64_t budget_us, bool *more) MUST_USE;
err taking_finish(struct audience *audience, struct definition *definition) MUST_USE;
void taking_free(struct definition *definition);

/* store.c */
void store_put_definition(const struct definition *definition, struct ledger_writes *writes);
void store_put_given(const struct definition *definition, uint32_t block,
                     struct ledger_writes *writes);
#define GIVEN_BLOCK_BITS 10

/* catalogue.c */
void catalogue_init(struct audience *audience);
/* Events with their properties, traits with their types; each until the other is asked. */
json_value catalogue_events(struct audience *audience);
json_value catalogue_traits(struct audience *audience);
/* read.c: a tag's value as JSON. */
void write_cell(const struct definition *tag, int64_t cell, struct json_writer *writer);
/* NOT_FOUND for a name that the machine does not know: the zone is then China's, or UTC. */
err local_zone_init(struct audience *audience, const char *name) MUST_USE;
void local_zones_free(struct audience *audience);
/* The workspace's zone as the ledger has it. */
err local_zone_load(struct audience *audience, struct ledger *ledger,
                    struct problem *problem) MUST_USE;
int64_t local_day(const struct rule_zone *zone, int64_t time_ms); /* local days since 1970 */
int64_t local_day_start(const struct rule_zone *zone, int64_t day);
/* Facts for the engine thread: live sets and numbers. */
void facts_for_engine(const struct audience *audience, struct rule_facts *facts);
/* Value of a cell by the column's kind. */
bool cell_value(const struct fact_column *column, int64_t cell, struct rule_value *value);
bool tag_value(enum rule_kind kind, const struct lexicon *texts, int64_t cell,
               struct rule_value *value);

/* scan.c */
/* Definitions wait to be computed: begin when nothing runs and what they need is there. */
err scan_begin(struct audience *audience) MUST_USE;
bool scan_work(struct audience *audience, int64_t budget_us);
/* Due times of an installed scan: a slice; all; those of `minute` and before, not merged yet, into `out`. */
bool scan_merge(struct audience *audience, int64_t budget_us);
void scan_merge_due(struct audience *audience, uint32_t minute, roaring_bitmap_t *out);
void scan_touch(struct audience *audience, uint32_t customer);
void scan_stop(struct audience *audience);
/* Find the due time of everybody on other threads. */
err scan_due_times(struct audience *audience) MUST_USE;

#endif
