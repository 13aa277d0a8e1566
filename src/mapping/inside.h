/* SPDX-License-Identifier: Apache-2.0 */
/* Inside mapping: what a mapping is once it is compiled, and the worker that runs it.
 *
 *     compile.c, compile_*.c   JSON → struct mapping
 *     expression*.c, script.c  values out of cells
 *     write.c                  a value into JSON, typed
 *     make.c                   a row, or the rows of an order → events
 *     lines.c, spool.c         rows of orders wait, in memory or sorted on disk
 *     worker.c                 rows in, events out
 *     preset.c, suggest.c      which mapping a file wants
 *
 * A row is gathered into *slots*: the columns that the mapping reads, and no others. Expressions know slots only, so that
 * a row that waits on disk looks like one that has just come.
 */
#ifndef KITH_MAPPING_INSIDE_H
#define KITH_MAPPING_INSIDE_H

#include "base/json.h"
#include "collect/draft.h"
#include "mapping/expression.h"
#include "mapping/mapping.h"
#include "mapping/script.h"

#define OUTPUTS_MAX 64
#define PROPERTIES_MAX 500
#define SUMS_MAX 16
#define SCRIPTS_MAX 32
#define LINES_PER_ORDER_MAX 20000
#define COLUMN_NONE UINT32_MAX

/* ---- a compiled mapping ---- */

enum spec_type {
    SPEC_AUTO, /* as the cell has it: text, or the kind of a typed format */
    SPEC_TEXT,
    SPEC_ID, /* text that has to have all its digits */
    SPEC_NUMBER,
    SPEC_INTEGER,
    SPEC_MONEY,
    SPEC_BOOLEAN,
    SPEC_TIME,
    SPEC_DATE,
    SPEC_LIST, /* texts between separators */
    SPEC_JSON,
    SPEC_CURRENCY, /* of the row, as ISO code */
};

/* A value to be made. */
struct spec {
    const struct node *node; /* NULL: there is none */
    enum spec_type type;
    struct time_format format;
    bool has_zone, minor_units, required, keep_rounded, may_be_received;
    bool to_minor; /* MONEY of objects: no door makes minor units of it later */
    int zone_offset_seconds;
    str separator;               /* LIST */
    const struct lookup *lookup; /* "map": words to words */
    str label;                   /* how people call it: the property, or "time" */
};

struct named_spec {
    str name, quoted; /* "name": as it stands in JSON */
    uint32_t index;   /* into the worker's notes */
    struct spec spec;
};

struct identifier_spec {
    str type;
    struct spec value, namespace_;
    bool verified;
};

enum output_kind { OUTPUT_TRACK, OUTPUT_IDENTIFY, OUTPUT_TAG, OUTPUT_OBJECT, OUTPUT_RELATION };

/* One event that a row, or an order, may make. */
struct output {
    enum output_kind kind;
    const struct node *when; /* NULL: always */
    struct spec name;        /* TRACK: the event; TAG: the tag's key; OBJECT, RELATION: the kind */
    struct spec id;          /* OBJECT, RELATION */
    struct spec value;       /* TAG */
    struct spec time;
    struct spec key;      /* more of the natural key, beside the mapping's */
    bool has_lines;       /* the products go in, and the sums that are not its own */
    uint32_t sums_hidden; /* bit per sum */
    bool deletes;         /* OBJECT: it is gone */
    uint32_t property_count;
    const struct named_spec *properties;
};

struct line_sum {
    str name, quoted;
    uint32_t index;
    struct spec value;           /* per line; or */
    struct spec price, quantity; /* multiplied, rounded to minor units half-even */
};

struct slot {
    str name;        /* as the file has it */
    str alias;       /* as the mapping calls it; "" if it does not */
    uint32_t column; /* of the file */
};

struct mapping {
    struct arena arena;
    str kind;
    uint32_t slot_count;
    struct slot *slots;
    uint32_t output_count;
    struct output *outputs;
    uint32_t identifier_count;
    struct identifier_spec *identifiers;
    uint32_t trait_count;
    struct named_spec *traits;
    const struct node *skip;
    struct spec key, channel, currency;
    bool has_zone;
    int zone_offset_seconds;
    bool needs_identifier;
    /* lines */
    bool has_lines, adjacent;
    bool sum_is_implied; /* nobody said sums: revenue is price × quantity, as at the doors */
    struct spec group_by;
    str lines_name, lines_quoted; /* "products" */
    uint32_t lines_index;
    const struct node *line_when;
    uint32_t line_property_count;
    struct named_spec *line_properties;
    uint32_t sum_count;
    struct line_sum *sums;
    /* words that stand for nothing */
    uint32_t null_count;
    str *nulls;
    uint64_t null_sizes;  /* bit per length */
    uint64_t null_firsts; /* bit per first byte, modulo 64 */
    uint32_t name_count;  /* of named specs */
    uint32_t script_count;
    const struct script *scripts[SCRIPTS_MAX];
    struct regex_list {
        struct regex *regex;
        struct regex_list *next;
    } * regexes;
};

bool mapping_is_null_word_slowly(const struct mapping *mapping, str text);
static inline bool mapping_is_null_word(const struct mapping *mapping, str text)
{
    if (text.size == 0)
        return true;
    return text.size < 64 && (mapping->null_sizes >> text.size & 1) != 0 &&
           (mapping->null_firsts >> (text.data[0] & 63) & 1) != 0 &&
           mapping_is_null_word_slowly(mapping, text);
}
bool mapping_slot_by_name(const struct mapping *mapping, str name, uint32_t *slot);

/* ---- compiling ---- */

struct compiler {
    struct mapping *mapping;
    struct arena *arena;
    json_value json;
    const str *columns; /* names of the file; NULL: not checked */
    uint32_t column_count;
    struct expression_names names;
    struct problem *problem;
    char place[160]; /* JSON pointer of what is being compiled */
    json_value tables, scripts, aliases;
    const struct lookup *table_made[64];
    str table_names[64];
    uint32_t table_count;
    bool all_columns, type_is_taken;
    bool columns_are_open; /* one that is not there stands for null */
};

err compile_fail(struct compiler *compiler, const char *detail, ...)
    __attribute__((format(printf, 2, 3)));
err compile_nomem(struct compiler *compiler);
/* Go down into a member, and come back: returns the length to give back. */
size_t compile_enter(struct compiler *compiler, str member);
void compile_leave(struct compiler *compiler, size_t length);
/* Refuse members that nobody knows; `names` are separated by spaces. */
err compile_check_members(struct compiler *compiler, json_value object, const char *names);

/* ---- compile_value.c ---- */
err compile_expression(struct compiler *compiler, str text, const struct node **node);
/* `value` under `member` of an object; missing leaves spec->node NULL. */
err compile_spec(struct compiler *compiler, json_value value, str label, enum spec_type type,
                 struct spec *spec);
err compile_member(struct compiler *compiler, json_value object, str member, enum spec_type type,
                   struct spec *spec);
err compile_condition(struct compiler *compiler, json_value object, str member,
                      const struct node **node);
/* Whose names these are, and so what may be known of them. */
enum names_of { NAMES_OF_TRAITS, NAMES_OF_EVENTS, NAMES_OF_OBJECTS };
/* An object {name: value}, or a list [{name, …value}]. */
err compile_named(struct compiler *compiler, json_value object, str member, enum names_of of,
                  struct named_spec **specs, uint32_t *count);
/* Keep a name, as it stands in JSON too, with a number among all names. */
err compile_name(struct compiler *compiler, str name, str *kept, str *quoted, uint32_t *index);
err compile_slot(struct compiler *compiler, str name, uint32_t *slot, bool *missing);
void compile_names_init(struct compiler *compiler);

/* ---- compile_lines.c ---- */
err compile_lines(struct compiler *compiler, json_value lines);

/* ---- running ---- */

struct made_event {
    struct event event;
    uint8_t natural_key[16];
    uint8_t content_hash[16];
};

struct lines;
struct spool;

struct mapping_worker {
    const struct mapping *mapping;
    struct mapping_context context;
    int zone_offset_seconds;
    struct arena arena;         /* of a row, or an order */
    struct buffer text;         /* JSON of its events; never moves */
    struct buffer content;      /* what the content hash is of */
    struct json_parser *parser; /* cells that are JSON */
    struct draft_desk *desk;
    struct name_note *notes; /* of named specs, by index; their hashes depend on the keys */
    struct regex_desk *regex;
    struct script_desk *scripts; /* NULL without scripts */
    struct table_cell *cells;    /* of the row, by slot */
    struct lines *lines;         /* rows of orders that wait; NULL without lines */
    struct run run;
    uint64_t content_seed;
    int64_t said_ms;    /* when the event at hand is said to have happened */
    hash128 lines_hash; /* of the content of an order's lines */
    char currency[4];   /* of the row; "" if the mapping has none */
    struct value sums[SUMS_MAX];
    uint32_t event_count;
    struct made_event *events[OUTPUTS_MAX];
    uint64_t resume_row, last_row;
    uint8_t open_key[16]; /* adjacent: of the order that is being gathered */
};

/* ---- write.c ---- */

/* A value as JSON into `out` under the rules of its property. `*kind` JSON_MISSING when there is none. `promoted` gets its
 * text where a column wants it. False when the row is refused. */
struct written {
    enum json_kind kind;
    bool sealed;
    str plain; /* text of a scalar */
};
bool write_spec(struct mapping_worker *worker, struct run *run, const struct spec *spec,
                const struct name_note *note, str currency, struct buffer *out,
                struct written *written);
/* A spec as text: ids, keys, names. "" when it has none. */
bool spec_text(struct mapping_worker *worker, struct run *run, const struct spec *spec, str *out);
bool spec_time(struct mapping_worker *worker, struct run *run, const struct spec *spec,
               int64_t *out_ms, bool *is_null);
bool spec_refuse_missing(struct run *run, const struct spec *spec);

/* ---- make.c ---- */

/* All events of the row or order at hand into worker->events; false when it is refused (worker->run.refusal). */
bool make_events(struct mapping_worker *worker);

/* ---- lines.c ---- */

err lines_new(struct lines **lines, const struct mapping_worker *worker,
              struct problem *problem) MUST_USE;
void lines_free(struct lines **lines);
/* Keep the gathered row of `key` with its raw text. */
err lines_add(struct lines *lines, const uint8_t key[16], const struct table_row *row,
              const struct table_cell *cells, struct problem *problem) MUST_USE;
/* What is kept, in order of (key, row), order by order. */
struct order_rows {
    uint8_t key[16];
    size_t count;
    const struct run_line *rows; /* cells by slot, number */
    const uint64_t *lines;       /* places in the file */
    const str *raws;
};
typedef err (*lines_take)(void *context, const struct order_rows *order);
err lines_drain(struct lines *lines, lines_take take, void *context,
                struct problem *problem) MUST_USE;
bool lines_is_empty(const struct lines *lines);
/* Adjacent files: has this order been closed? Remembers it otherwise. */
err lines_close_key(struct lines *lines, const uint8_t key[16], bool *seen,
                    struct problem *problem) MUST_USE;

#endif
