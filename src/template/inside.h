/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a template, and how the files of this room see each other. Private to template/.
 *
 *     token.c      {{ }} and {% %} to tokens, with their places
 *     operand.c    paths, literals, filters, conditions
 *     parse.c      texts, outputs, tags to a tree
 *     html.c       where in a page an output stands, and what may stand there
 *     render.c     the tree and values to text
 *     value.c      what values are: true, equal, less, text, number
 *     filter*.c    the filters, one table
 *     escape.c     texts for their channel
 *     lint*.c      what providers refuse
 */
#ifndef KITH_TEMPLATE_INSIDE_H
#define KITH_TEMPLATE_INSIDE_H

#include "base/arena.h"
#include "template/template.h"

#define MILLION INT64_C(1000000)
#define TEMPLATE_PATHS_MAX 500
#define TEMPLATE_TERMS_MAX 64    /* comparisons of one condition */
#define TEMPLATE_ARGUMENTS_MAX 3 /* of a filter */
#define TEMPLATE_TREE_BYTES_MAX ((size_t)32 << 20)
#define TEMPLATE_SCRATCH_BYTES_MAX ((size_t)8 << 20)

struct place {
    uint32_t line, column; /* from 1; columns are characters */
};

/* ---- the tree ---- */

#define PATH_OF_LOOP 1u    /* `index` is the depth of a loop: its item */
#define PATH_OF_COUNTER 2u /* likewise: its forloop.… */
enum loop_counter { LOOP_INDEX, LOOP_INDEX0, LOOP_FIRST, LOOP_LAST, LOOP_LENGTH };

enum operand_kind { OPERAND_CONSTANT, OPERAND_BLANK, OPERAND_PATH };
struct operand {
    enum operand_kind kind;
    uint8_t path_flags;
    uint16_t index; /* of the path in the template, or of the loop */
    enum loop_counter counter;
    str name; /* as it stands, for messages */
    str rest; /* what is left of the path inside the JSON: "[0].name", "name" */
    struct template_value constant;
    struct place place;
    struct filter_call *filters;
};
struct filter_call {
    const struct filter *filter;
    struct operand *arguments[TEMPLATE_ARGUMENTS_MAX];
    size_t argument_count;
    struct place place;
    struct filter_call *next;
};

enum condition_kind {
    CONDITION_TRUE, /* left alone */
    CONDITION_EQUAL,
    CONDITION_UNEQUAL,
    CONDITION_LESS,
    CONDITION_LESS_EQUAL,
    CONDITION_MORE,
    CONDITION_MORE_EQUAL,
    CONDITION_CONTAINS,
    CONDITION_NOT, /* a */
    CONDITION_AND,
    CONDITION_OR,
};
struct condition {
    enum condition_kind kind;
    struct operand *left, *right;
    struct condition *a, *b;
};

/* Where an output stands: how it is escaped. */
enum context {
    CONTEXT_PLAIN,
    CONTEXT_URL,
    CONTEXT_HTML,       /* between tags, or in a quoted attribute */
    CONTEXT_HTML_URL,   /* the start of an address: its scheme is checked */
    CONTEXT_HTML_PART,  /* inside of an address: percent-encoded, slashes stay */
    CONTEXT_HTML_QUERY, /* behind its '?': percent-encoded */
};

enum node_kind { NODE_TEXT, NODE_OUTPUT, NODE_IF, NODE_FOR };
struct branch {
    struct condition *condition; /* NULL: else */
    struct node *nodes;
    struct branch *next;
};
struct node {
    enum node_kind kind;
    enum context context;
    struct place place;
    struct node *next;
    str text;                      /* TEXT */
    struct operand *operand;       /* OUTPUT, FOR */
    struct branch *branches;       /* IF */
    struct node *body, *otherwise; /* FOR */
    struct operand *limit, *offset;
    uint16_t loop; /* depth of the loop */
    bool is_reversed, has_else;
};

struct template
{
    struct arena arena;
    str source; /* a copy */
    enum template_escape escape;
    struct node *nodes;
    str *paths;
    size_t path_count;
};

/* ---- parsing ---- */

enum token_kind { TOKEN_END, TOKEN_PATH, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_SIGN };
struct token {
    enum token_kind kind;
    str text; /* of TEXT: without its quotes, escapes undone */
    size_t at;
};

/* Where the scan of a page is (html.c); compared as a whole where branches meet. */
struct html_place {
    uint8_t state, attribute, url;
    char element[12]; /* whose raw text it is in, or which is being opened */
    char name[16];    /* the attribute's */
    uint8_t element_size, name_size;
    char scheme[12]; /* of an address, as far as it has been written */
    uint8_t scheme_size, dashes;
};

struct parser {
    struct template *template;
    struct problem *problem;
    str source;
    size_t next;    /* byte to read next */
    size_t counted; /* bytes that `here` has been counted over */
    struct place here;
    struct token token;
    char close;      /* '}' or '%': what ends the tag at hand */
    bool strip_next; /* the last tag ended with '-' */
    unsigned depth, terms;
    str loop_names[TEMPLATE_DEPTH_MAX];
    unsigned loop_count;
    struct html_place html;
};

struct place parser_place(struct parser *parser, size_t at);
/* UNPROCESSABLE with line and column in front. */
err parser_fail(struct parser *parser, size_t at, const char *what, ...)
    __attribute__((format(printf, 3, 4)));
err parser_nomem(struct parser *parser);
/* 'did you mean': fills the hint with those of `names` that are like `wrong`, else all. */
void parser_suggest(struct parser *parser, str wrong, str (*name)(size_t index), size_t count);
err token_next(struct parser *parser) MUST_USE;
bool token_is_sign(const struct parser *parser, const char *sign);
bool token_is_word(const struct parser *parser, const char *word);

err operand_parse(struct parser *parser, struct operand **out) MUST_USE; /* with its filters */
err operand_parse_bare(struct parser *parser, struct operand **out) MUST_USE;
err condition_parse(struct parser *parser, struct condition **out) MUST_USE;
struct condition *condition_new(struct parser *parser, enum condition_kind kind);

err parse_template(struct parser *parser) MUST_USE;

void html_text(struct html_place *html, str text);
/* What may be written here; else fails with what and why. */
err html_output(struct html_place *html, struct parser *parser, size_t at,
                enum context *context) MUST_USE;

/* ---- rendering ---- */

struct loop_state {
    struct template_value item;
    int64_t index, length;
};
struct rendering {
    const struct template *template;
    const struct template_values *values;
    struct problem *problem;
    struct arena scratch;
    struct buffer *out;
    size_t out_start;
    struct template_value *looked_up; /* by path number */
    bool *is_looked_up;
    uint64_t steps;
    struct place place;
    struct loop_state loops[TEMPLATE_DEPTH_MAX];
};
err rendering_fail(struct rendering *rendering, const char *what, ...)
    __attribute__((format(printf, 2, 3)));
/* One step, and one more for every 64 bytes that are looked at. */
err rendering_spend(struct rendering *rendering, size_t bytes) MUST_USE;
err rendering_nomem(struct rendering *rendering);
/* Room for a text of this many bytes; fails over TEMPLATE_BYTES_MAX. */
err rendering_room(struct rendering *rendering, size_t size, char **out) MUST_USE;
err operand_value(struct rendering *rendering, const struct operand *operand,
                  struct template_value *value) MUST_USE;

void value_missing(struct template_value *value);
void value_set_text(struct template_value *value, str text);
void value_set_number(struct template_value *value, int64_t millionths);
void value_set_bool(struct template_value *value, bool holds);
void value_from_json(json_value json, struct template_value *value);
bool value_walk(json_value json, str rest, struct template_value *value);
bool value_is_blank(const struct template_value *value);
bool template_value_is_true(const struct template_value *value);
bool value_number(const struct template_value *value, int64_t *millionths);
bool number_parse(str text, int64_t *millionths);
/* "-12.5"; `digits` below 0: as many as it has. Returns the size. */
#define NUMBER_BYTES 48
size_t number_write(int64_t millionths, int digits, bool grouped, char out[NUMBER_BYTES]);
int64_t number_round(int64_t millionths, int digits);
/* As it is written out. Lists and objects fail. */
err value_text(struct rendering *rendering, const struct template_value *value, str *out) MUST_USE;
enum value_order { VALUE_LESS = -1, VALUE_SAME = 0, VALUE_MORE = 1, VALUE_APART = 2 };
enum value_order value_compare(const struct rendering *rendering, const struct template_value *a,
                               const struct template_value *b);
err value_contains(struct rendering *rendering, const struct template_value *whole,
                   const struct template_value *part, bool *out) MUST_USE;

/* ---- filters ---- */

struct filter {
    str name;
    err (*apply)(struct rendering *rendering, struct template_value *value,
                 const struct template_value *arguments, size_t count);
    uint8_t least, most; /* arguments */
    bool takes_missing, takes_list;
    const char *zh, *en, *example;
};
extern const struct filter filters[];
extern const size_t filter_count;
#define FILTER(name)                                                             \
    err filter_##name(struct rendering *rendering, struct template_value *value, \
                      const struct template_value *arguments, size_t count)
FILTER(default);
FILTER(upcase);
FILTER(downcase);
FILTER(capitalize);
FILTER(strip);
FILTER(truncate);
FILTER(truncate_bytes);
FILTER(append);
FILTER(prepend);
FILTER(replace);
FILTER(slice);
FILTER(mask);
FILTER(url);
FILTER(size);
FILTER(first);
FILTER(last);
FILTER(join);
FILTER(number);
FILTER(money);
FILTER(percent);
FILTER(round);
FILTER(plus);
FILTER(minus);
FILTER(times);
FILTER(divided_by);
FILTER(date);
FILTER(add_days);
err time_text(struct rendering *rendering, int64_t time_ms, str format, str *out) MUST_USE;

/* ---- escaping ---- */

/* Appends; an address of a scheme that may run something is refused: false. */
bool escape_write(struct buffer *out, str text, enum context context) MUST_USE;
void escape_percent(struct buffer *out, str text, bool keep_slashes);
bool escape_address_is_safe(str address);

#endif
