/* SPDX-License-Identifier: Apache-2.0 */
/* expression: a small total language over the cells of a row (docs/imports.md is its reference).
 *
 *     if([订单状态] = '交易关闭', abs([退款金额]), 0)
 *
 * Compiled once into a tree in the mapping's arena; evaluated per row, its texts in the row's arena. Each node is
 * evaluated at most once per row (aggregates: once per line), texts have a maximum, regular expressions their match
 * limit: an evaluation ends. What cannot be computed refuses the row; null goes through.
 *
 * An expression is immutable; a `run` belongs to one thread.
 */
#ifndef KITH_MAPPING_EXPRESSION_H
#define KITH_MAPPING_EXPRESSION_H

#include "base/arena.h"
#include "mapping/value.h"

#define EXPRESSION_NODES_MAX 4000
#define EXPRESSION_DEPTH_MAX 60
#define EXPRESSION_TEXT_BYTES_MAX ((size_t)1 << 20)
#define EXPRESSION_BYTES_MAX 20000

struct regex;
struct script;
struct lookup;
struct mapping_worker;

/* X(NAME, name in expressions, least arguments, most) */
#define FUNCTION_TABLE(X)               \
    X(IF, "if", 2, 3)                   \
    X(CONCAT, "concat", 1, 16)          \
    X(TRIM, "trim", 1, 1)               \
    X(LOWER, "lower", 1, 1)             \
    X(UPPER, "upper", 1, 1)             \
    X(LENGTH, "length", 1, 1)           \
    X(REPLACE, "replace", 3, 3)         \
    X(SUBSTRING, "substring", 2, 3)     \
    X(SPLIT, "split", 3, 3)             \
    X(CONTAINS, "contains", 2, 2)       \
    X(STARTS_WITH, "starts_with", 2, 2) \
    X(ENDS_WITH, "ends_with", 2, 2)     \
    X(MATCHES, "matches", 2, 2)         \
    X(EXTRACT, "extract", 2, 3)         \
    X(TEXT, "text", 1, 1)               \
    X(NUMBER, "number", 1, 1)           \
    X(INTEGER, "integer", 1, 1)         \
    X(BOOLEAN, "boolean", 1, 1)         \
    X(TIME, "time", 1, 2)               \
    X(FORMAT, "format", 2, 2)           \
    X(DIGITS, "digits", 1, 1)           \
    X(HALF_WIDTH, "half_width", 1, 1)   \
    X(PHONE, "phone", 1, 1)             \
    X(EMAIL, "email", 1, 1)             \
    X(MD5, "md5", 1, 1)                 \
    X(SHA256, "sha256", 1, 1)           \
    X(ROUND, "round", 1, 2)             \
    X(FLOOR, "floor", 1, 1)             \
    X(ABS, "abs", 1, 1)                 \
    X(LEAST, "least", 1, 16)            \
    X(GREATEST, "greatest", 1, 16)      \
    X(COALESCE, "coalesce", 1, 16)      \
    X(TRY, "try", 1, 2)                 \
    X(PRESENT, "present", 1, 1)         \
    X(EMPTY, "empty", 1, 1)             \
    X(LOOKUP, "lookup", 2, 3)           \
    X(SCRIPT, "script", 1, 1)           \
    X(REFUSE, "refuse", 1, 1)           \
    X(ROW_NUMBER, "row_number", 0, 0)   \
    X(SUM, "sum", 1, 1)                 \
    X(COUNT, "count", 0, 1)             \
    X(ANY, "any", 1, 1)                 \
    X(ALL, "all", 1, 1)                 \
    X(FIRST, "first", 1, 1)             \
    X(LAST, "last", 1, 1)               \
    X(JOIN, "join", 1, 2)

enum node_kind {
    NODE_CONSTANT,
    NODE_COLUMN,
    NODE_SUM_OF_LINES, /* $name */
    NODE_OR,
    NODE_AND,
    NODE_NOT,
    NODE_EQUAL,
    NODE_UNEQUAL,
    NODE_LESS,
    NODE_LESS_EQUAL,
    NODE_MORE,
    NODE_MORE_EQUAL,
    NODE_IN,
    NODE_ADD,
    NODE_SUBTRACT,
    NODE_MULTIPLY,
    NODE_DIVIDE,
    NODE_NEGATE,
#define X(NAME, ...) NODE_##NAME,
    FUNCTION_TABLE(X)
#undef X
        NODE_COUNT_OF_KINDS
};

struct node {
    uint16_t kind; /* enum node_kind */
    uint16_t count;
    uint32_t slot; /* COLUMN, SUM_OF_LINES */
    const struct node *const *arguments;
    struct value constant;
    const struct regex *regex;
    const struct lookup *lookup;
    const struct script *script;
    struct time_format format; /* TIME, FORMAT */
};

/* ---- compiling: names are found by the mapping ---- */

struct expression_names {
    void *context;
    /* The slot of a column; UNPROCESSABLE when the file lacks it and it is not optional; *missing then
     * says that it stands for null. */
    err (*column)(void *context, str name, bool optional, uint32_t *slot, bool *missing,
                  struct problem *problem);
    err (*lookup)(void *context, str name, const struct lookup **lookup, struct problem *problem);
    err (*script)(void *context, str name, const struct script **script, struct problem *problem);
    /* The number of a sum over lines. */
    err (*sum)(void *context, str name, uint32_t *slot, struct problem *problem);
    /* Keep a regex to be freed with the mapping. */
    err (*regex)(void *context, str pattern, const struct regex **regex, struct problem *problem);
    uint32_t nodes; /* made so far, of EXPRESSION_NODES_MAX */
};
err expression_parse(struct arena *arena, struct expression_names *names, str text,
                     const struct node **root, struct problem *problem) MUST_USE;
/* A node that is a constant, or a column. */
err expression_constant(struct arena *arena, struct value value, const struct node **root) MUST_USE;

/* ---- running ---- */

struct run_line {
    const struct table_cell *cells; /* by slot */
    uint64_t number;                /* of its row */
};

struct run {
    struct mapping_worker *worker;
    struct arena *arena;
    const struct table_cell *cells; /* of the row, by slot */
    uint64_t row;
    const struct run_line *lines; /* of the order; NULL outside of one */
    size_t line_count;
    const struct value *sums; /* by number */
    int zone_offset_seconds;
    uint32_t slot; /* the column read last: it is named when something is wrong */
    bool refused;
    struct refusal refusal;
};

/* Null, and run->refused, when the row has to be refused. */
struct value expression_run(struct run *run, const struct node *node);

/* Conversions, as the functions do them; false when refused. Null stays null: *is_null. */
bool value_to_text(struct run *run, struct value value, str *out);
bool value_to_number(struct run *run, struct value value, str currency, struct exact *out,
                     bool *is_null);
bool value_to_time(struct run *run, struct value value, const struct time_format *format,
                   int zone_offset_seconds, int64_t *out, bool *is_null);
bool value_to_bool(struct run *run, struct value value, bool *out, bool *is_null);
bool value_is_true(struct value value);
/* A cell as a value: null words are null. */
struct value value_of_cell(const struct mapping_worker *worker, const struct table_cell *cell);

/* ---- functions of texts (expression_text.c) ---- */

struct value text_function(struct run *run, const struct node *node);

/* ---- regular expressions (regex.c) ---- */

err regex_new(struct regex **regex, str pattern, struct problem *problem) MUST_USE;
void regex_free(struct regex **regex);
struct regex_desk; /* memory of matching, one per thread */
err regex_desk_new(struct regex_desk **desk) MUST_USE;
void regex_desk_free(struct regex_desk **desk);
enum regex_answer { REGEX_NO, REGEX_YES, REGEX_LIMIT, REGEX_NOMEM };
/* `group` 0 is the whole; *out is cut from `text`, "" for a group that took no part. */
enum regex_answer regex_match(struct regex_desk *desk, const struct regex *regex, str text,
                              unsigned group, str *out);

/* ---- tables of words (lookup.c) ---- */

err lookup_new(struct arena *arena, json_value object, struct lookup **lookup,
               struct problem *problem) MUST_USE;
bool lookup_find(const struct lookup *lookup, str text, str *out);

#endif
