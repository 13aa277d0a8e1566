/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions from text to a tree, by recursive descent; the grammar is in docs/imports.md. */
#include <string.h>

#include "mapping/expression.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_COLUMN,
    TOKEN_SUM,
    TOKEN_SIGN
};

struct token {
    enum token_kind kind;
    str text;
    bool optional; /* [column?] */
    size_t at;
};

struct parser {
    struct arena *arena;
    struct expression_names *names;
    str text;
    size_t next;
    struct token token;
    unsigned depth;
    struct problem *problem;
};

/* ---- tokens ---- */

static err fail_at(struct parser *parser, size_t at, const char *what)
{
    str near = str_slice(parser->text, at, parser->text.size);
    near.size = str_utf8_prefix_bytes(near, 30);
    problem_set(parser->problem, ERR_UNPROCESSABLE,
                near.size > 0 ? "the expression has %s at byte %zu, at '" STR_FMT "'"
                              : "the expression has %s at byte %zu, at its end" STR_FMT,
                what, at + 1, STR_ARG(near));
    return ERR_UNPROCESSABLE;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Up to `quote`, which doubled stands for itself; copied without the doubling. */
static err take_quoted(struct parser *parser, char quote, str *out)
{
    str text = parser->text;
    size_t begin = parser->next, at = begin, size = 0;
    while (at < text.size &&
           (text.data[at] != quote || (at + 1 < text.size && text.data[at + 1] == quote)))
        at += text.data[at] == quote ? 2 : 1;
    if (at >= text.size)
        return fail_at(parser, begin - 1, "a quotation without its end");
    char *made = arena_alloc_raw(parser->arena, at - begin + 1);
    if (made == NULL)
        return problem_set(parser->problem, ERR_NOMEM, "no memory for an expression");
    for (size_t i = begin; i < at; i++) {
        made[size++] = text.data[i];
        if (text.data[i] == quote)
            i++;
    }
    *out = str_from_bytes(made, size);
    parser->next = at + 1;
    return ERR_OK;
}

static err take_column(struct parser *parser)
{
    parser->token.kind = TOKEN_COLUMN;
    err error = take_quoted(parser, ']', &parser->token.text);
    str *name = &parser->token.text;
    if (error == ERR_OK && name->size > 1 && name->data[name->size - 1] == '?') {
        name->size--;
        parser->token.optional = true;
    }
    return error;
}

static size_t run_of(str text, size_t at, bool (*wanted)(char))
{
    size_t begin = at;
    while (at < text.size && wanted(text.data[at]))
        at++;
    return at - begin;
}

static void take_sign(struct parser *parser)
{
    static const char *const pairs[] = { "==", "!=", "<>", "<=", ">=" };
    str rest = str_slice(parser->text, parser->next, parser->text.size);
    size_t size = 1;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (str_starts_with(rest, str_from_c(pairs[i])))
            size = 2;
    parser->token.kind = TOKEN_SIGN;
    parser->token.text = str_slice(rest, 0, size);
    parser->next += size;
}

static err next_token(struct parser *parser)
{
    str text = parser->text;
    while (parser->next < text.size && strchr(" \t\r\n", text.data[parser->next]) != NULL)
        parser->next++;
    size_t at = parser->next;
    parser->token = (struct token){ .kind = TOKEN_END, .at = at };
    if (at >= text.size)
        return ERR_OK;
    char c = text.data[at];
    if (c == '\'' || c == '"') {
        parser->next++;
        parser->token.kind = TOKEN_TEXT;
        return take_quoted(parser, c, &parser->token.text);
    }
    if (c == '[') {
        parser->next++;
        return take_column(parser);
    }
    if (is_digit(c)) {
        size_t size = run_of(text, at, is_digit);
        if (at + size < text.size && text.data[at + size] == '.')
            size += 1 + run_of(text, at + size + 1, is_digit);
        parser->token.kind = TOKEN_NUMBER;
        parser->token.text = str_slice(text, at, at + size);
        parser->next = at + size;
        return ERR_OK;
    }
    if (is_name_byte(c) || c == '$') {
        size_t from = c == '$' ? at + 1 : at;
        size_t size = run_of(text, from, is_name_byte);
        parser->token.kind = c == '$' ? TOKEN_SUM : TOKEN_NAME;
        parser->token.text = str_slice(text, from, from + size);
        parser->next = from + size;
        return ERR_OK;
    }
    take_sign(parser);
    return ERR_OK;
}

static bool is_sign(const struct parser *parser, const char *sign)
{
    return parser->token.kind == TOKEN_SIGN && str_equal(parser->token.text, str_from_c(sign));
}

static bool is_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_NAME &&
           str_equal_ignoring_case(parser->token.text, str_from_c(word));
}

static err expect_sign(struct parser *parser, const char *sign)
{
    char what[40] = "no ' ' where one is wanted";
    if (is_sign(parser, sign))
        return next_token(parser);
    what[4] = sign[0];
    return fail_at(parser, parser->token.at, what);
}

/* ---- nodes ---- */

static struct node *make_node(struct parser *parser, enum node_kind kind)
{
    if (parser->names->nodes++ >= EXPRESSION_NODES_MAX) {
        problem_set(parser->problem, ERR_UNPROCESSABLE,
                    "the expressions of the mapping are too large (%d parts at most)",
                    EXPRESSION_NODES_MAX);
        return NULL;
    }
    struct node *node = arena_new(parser->arena, struct node);
    if (node != NULL)
        node->kind = (uint16_t)kind;
    else
        problem_set(parser->problem, ERR_NOMEM, "no memory for an expression");
    return node;
}

static err set_arguments(struct parser *parser, struct node *node, const struct node **arguments,
                         size_t count)
{
    const struct node **kept = arena_array(parser->arena, const struct node *, count);
    if (kept == NULL)
        return problem_set(parser->problem, ERR_NOMEM, "no memory for an expression");
    memcpy(kept, arguments, count * sizeof *kept);
    node->arguments = kept;
    node->count = (uint16_t)count;
    return ERR_OK;
}

static err make_pair(struct parser *parser, enum node_kind kind, const struct node *left,
                     const struct node *right, const struct node **out)
{
    const struct node *both[] = { left, right };
    struct node *node = make_node(parser, kind);
    if (node == NULL)
        return parser->problem->error;
    *out = node;
    return set_arguments(parser, node, both, right != NULL ? 2 : 1);
}

static err make_constant(struct parser *parser, struct value value, const struct node **out)
{
    struct node *node = make_node(parser, NODE_CONSTANT);
    if (node == NULL)
        return parser->problem->error;
    node->constant = value;
    *out = node;
    return ERR_OK;
}

err expression_constant(struct arena *arena, struct value value, const struct node **root)
{
    struct node *node = arena_new(arena, struct node);
    if (node == NULL)
        return ERR_NOMEM;
    node->kind = NODE_CONSTANT;
    node->constant = value;
    *root = node;
    return ERR_OK;
}

/* ---- grammar ---- */

static err parse_or(struct parser *parser, const struct node **out);

static const struct {
    str name;
    uint16_t kind, least, most;
} functions[] = {
#define X(NAME, name, least, most) \
    { { .data = name, .size = sizeof(name) - 1 }, NODE_##NAME, least, most },
    FUNCTION_TABLE(X)
#undef X
};
#define ARGUMENTS_MAX 16

/* An argument that has to stand in the mapping itself: a pattern, a format, a name. */
static err literal_argument(struct parser *parser, const struct node *node, size_t index, size_t at,
                            str *out)
{
    if (index >= node->count || node->arguments[index]->kind != NODE_CONSTANT ||
        node->arguments[index]->constant.kind != VALUE_TEXT)
        return fail_at(parser, at, "a function that wants a quoted text there");
    *out = node->arguments[index]->constant.text;
    return ERR_OK;
}

/* What is looked up once, at compile time. */
static err bind_function(struct parser *parser, struct node *node, size_t at)
{
    struct expression_names *names = parser->names;
    struct problem *problem = parser->problem;
    err error = ERR_OK;
    str text;
    switch (node->kind) {
    case NODE_MATCHES:
    case NODE_EXTRACT:
        error = literal_argument(parser, node, 1, at, &text);
        return error != ERR_OK ? error : names->regex(names->context, text, &node->regex, problem);
    case NODE_LOOKUP:
        error = literal_argument(parser, node, 1, at, &text);
        return error != ERR_OK ? error
                               : names->lookup(names->context, text, &node->lookup, problem);
    case NODE_SCRIPT:
        error = literal_argument(parser, node, 0, at, &text);
        return error != ERR_OK ? error
                               : names->script(names->context, text, &node->script, problem);
    case NODE_TIME:
    case NODE_FORMAT:
        text = STR("auto");
        if (node->count > 1)
            error = literal_argument(parser, node, 1, at, &text);
        if (error == ERR_OK)
            error = time_format_parse(text, &node->format, problem);
        if (error == ERR_OK && node->kind == NODE_FORMAT && node->format.kind != TIME_PATTERN)
            error = fail_at(parser, at, "a function that wants a pattern as yyyy-MM-dd");
        return error;
    default:
        return ERR_OK;
    }
}

static err parse_arguments(struct parser *parser, const struct node **arguments, size_t most,
                           size_t *count)
{
    err error = next_token(parser); /* '(' */
    *count = 0;
    if (error == ERR_OK && is_sign(parser, ")"))
        return next_token(parser);
    while (error == ERR_OK) {
        if (*count == most)
            return fail_at(parser, parser->token.at, "too many arguments");
        error = parse_or(parser, &arguments[(*count)++]);
        if (error != ERR_OK || !is_sign(parser, ","))
            break;
        error = next_token(parser);
    }
    return error != ERR_OK ? error : expect_sign(parser, ")");
}

static err parse_function(struct parser *parser, str name, size_t at, const struct node **out)
{
    const struct node *arguments[ARGUMENTS_MAX];
    size_t i = 0, count, total = sizeof functions / sizeof functions[0];
    while (i < total && !str_equal_ignoring_case(functions[i].name, name))
        i++;
    if (i == total)
        return fail_at(parser, at, "an unknown function");
    err error = parse_arguments(parser, arguments, functions[i].most, &count);
    if (error == ERR_OK && count < functions[i].least)
        error = fail_at(parser, at, "too few arguments");
    if (error != ERR_OK)
        return error;
    struct node *node = make_node(parser, (enum node_kind)functions[i].kind);
    if (node == NULL)
        return parser->problem->error;
    error = set_arguments(parser, node, arguments, count);
    *out = node;
    return error == ERR_OK ? bind_function(parser, node, at) : error;
}

static err parse_name(struct parser *parser, const struct node **out)
{
    struct token token = parser->token;
    err error = next_token(parser);
    if (error != ERR_OK)
        return error;
    if (is_sign(parser, "("))
        return parse_function(parser, token.text, token.at, out);
    if (str_equal_ignoring_case(token.text, STR("true")))
        return make_constant(parser, value_bool(true), out);
    if (str_equal_ignoring_case(token.text, STR("false")))
        return make_constant(parser, value_bool(false), out);
    if (str_equal_ignoring_case(token.text, STR("null")))
        return make_constant(parser, value_null(), out);
    return fail_at(parser, token.at,
                   "a word that is no function (texts stand in quotes, columns in [])");
}

static err parse_column(struct parser *parser, const struct node **out)
{
    struct expression_names *names = parser->names;
    bool missing = false, sum = parser->token.kind == TOKEN_SUM;
    uint32_t slot = 0;
    err error = sum ? names->sum(names->context, parser->token.text, &slot, parser->problem)
                    : names->column(names->context, parser->token.text, parser->token.optional,
                                    &slot, &missing, parser->problem);
    if (error == ERR_OK)
        error = next_token(parser);
    if (error != ERR_OK)
        return error;
    if (missing)
        return make_constant(parser, value_null(), out);
    struct node *node = make_node(parser, sum ? NODE_SUM_OF_LINES : NODE_COLUMN);
    if (node == NULL)
        return parser->problem->error;
    node->slot = slot;
    *out = node;
    return ERR_OK;
}

static err parse_primary(struct parser *parser, const struct node **out)
{
    struct token token = parser->token;
    struct exact number;
    err error;
    switch (token.kind) {
    case TOKEN_NAME:
        return parse_name(parser, out);
    case TOKEN_COLUMN:
    case TOKEN_SUM:
        return parse_column(parser, out);
    case TOKEN_TEXT:
        error =
            make_constant(parser, (struct value){ .kind = VALUE_TEXT, .text = token.text }, out);
        return error == ERR_OK ? next_token(parser) : error;
    case TOKEN_NUMBER:
        if (!exact_parse(token.text, false, &number))
            return fail_at(parser, token.at, "a number that cannot be kept");
        error = make_constant(parser, value_number(number), out);
        return error == ERR_OK ? next_token(parser) : error;
    case TOKEN_SIGN:
        if (!is_sign(parser, "("))
            break;
        error = next_token(parser);
        if (error == ERR_OK)
            error = parse_or(parser, out);
        return error == ERR_OK ? expect_sign(parser, ")") : error;
    case TOKEN_END:
        break;
    }
    return fail_at(parser, token.at, "nothing where a value is wanted");
}

/* As many signs as were read, of which two are as good as four. */
static err wrap_operand(struct parser *parser, enum node_kind kind, size_t signs,
                        const struct node **out)
{
    err error = ERR_OK;
    for (size_t i = signs > 2 ? 2 - signs % 2 : signs; i > 0 && error == ERR_OK; i--)
        error = make_pair(parser, kind, *out, NULL, out);
    return error;
}

static err parse_unary(struct parser *parser, const struct node **out)
{
    size_t signs = 0;
    err error = ERR_OK;
    for (; error == ERR_OK && is_sign(parser, "-"); signs++)
        error = next_token(parser);
    if (error == ERR_OK)
        error = parse_primary(parser, out);
    return error == ERR_OK ? wrap_operand(parser, NODE_NEGATE, signs, out) : error;
}

struct infix {
    const char *sign;
    enum node_kind kind;
};

/* The operator at hand of a list that ends with NULL; NULL if it is none of them. */
static const struct infix *find_operator(const struct parser *parser, const struct infix *operators)
{
    for (; operators->sign != NULL; operators++)
        if (is_sign(parser, operators->sign) || is_word(parser, operators->sign))
            return operators;
    return NULL;
}

/* Left to right. */
static err parse_chain(struct parser *parser, const struct infix *operators,
                       err (*parse_operand)(struct parser *, const struct node **),
                       const struct node **out)
{
    const struct infix *found;
    const struct node *right;
    err error = parse_operand(parser, out);
    while (error == ERR_OK && (found = find_operator(parser, operators)) != NULL) {
        error = next_token(parser);
        if (error == ERR_OK)
            error = parse_operand(parser, &right);
        if (error == ERR_OK)
            error = make_pair(parser, found->kind, *out, right, out);
    }
    return error;
}

static err parse_product(struct parser *parser, const struct node **out)
{
    static const struct infix operators[] = { { "*", NODE_MULTIPLY },
                                              { "/", NODE_DIVIDE },
                                              { NULL, NODE_CONSTANT } };
    return parse_chain(parser, operators, parse_unary, out);
}

static err parse_sum(struct parser *parser, const struct node **out)
{
    static const struct infix operators[] = {
        { "+", NODE_ADD }, { "-", NODE_SUBTRACT }, { "&", NODE_CONCAT }, { NULL, NODE_CONSTANT }
    };
    return parse_chain(parser, operators, parse_product, out);
}

/* x in ('a', 'b') */
static err parse_in(struct parser *parser, const struct node *left, const struct node **out)
{
    const struct node *arguments[ARGUMENTS_MAX * 4 + 1] = { left };
    size_t count;
    err error = next_token(parser);
    if (error == ERR_OK && !is_sign(parser, "("))
        error = fail_at(parser, parser->token.at, "no list behind 'in'");
    if (error == ERR_OK)
        error = parse_arguments(parser, arguments + 1, ARGUMENTS_MAX * 4, &count);
    struct node *node = error == ERR_OK ? make_node(parser, NODE_IN) : NULL;
    if (node == NULL)
        return error != ERR_OK ? error : parser->problem->error;
    *out = node;
    return set_arguments(parser, node, arguments, count + 1);
}

static err parse_comparison(struct parser *parser, const struct node **out)
{
    static const struct infix operators[] = { { "=", NODE_EQUAL },       { "==", NODE_EQUAL },
                                              { "!=", NODE_UNEQUAL },    { "<>", NODE_UNEQUAL },
                                              { "<=", NODE_LESS_EQUAL }, { "<", NODE_LESS },
                                              { ">=", NODE_MORE_EQUAL }, { ">", NODE_MORE },
                                              { NULL, NODE_CONSTANT } };
    const struct node *left, *right;
    err error = parse_sum(parser, &left);
    if (error != ERR_OK)
        return error;
    if (is_word(parser, "in"))
        return parse_in(parser, left, out);
    const struct infix *found = find_operator(parser, operators);
    *out = left;
    if (found == NULL)
        return ERR_OK;
    error = next_token(parser);
    if (error == ERR_OK)
        error = parse_sum(parser, &right);
    return error == ERR_OK ? make_pair(parser, found->kind, left, right, out) : error;
}

static err parse_not(struct parser *parser, const struct node **out)
{
    size_t words = 0;
    err error = ERR_OK;
    for (; error == ERR_OK && is_word(parser, "not"); words++)
        error = next_token(parser);
    if (error == ERR_OK)
        error = parse_comparison(parser, out);
    return error == ERR_OK ? wrap_operand(parser, NODE_NOT, words, out) : error;
}

static err parse_and(struct parser *parser, const struct node **out)
{
    static const struct infix operators[] = { { "and", NODE_AND }, { NULL, NODE_CONSTANT } };
    return parse_chain(parser, operators, parse_not, out);
}

static err parse_or(struct parser *parser, const struct node **out)
{
    static const struct infix operators[] = { { "or", NODE_OR }, { NULL, NODE_CONSTANT } };
    if (++parser->depth > EXPRESSION_DEPTH_MAX)
        return fail_at(parser, parser->token.at, "too many levels");
    err error = parse_chain(parser, operators, parse_and, out);
    parser->depth--;
    return error;
}

err expression_parse(struct arena *arena, struct expression_names *names, str text,
                     const struct node **root, struct problem *problem)
{
    struct parser parser = { .arena = arena, .names = names, .text = text, .problem = problem };
    if (text.size > EXPRESSION_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "an expression has at most %d bytes",
                           EXPRESSION_BYTES_MAX);
    err error = next_token(&parser);
    if (error == ERR_OK)
        error = parse_or(&parser, root);
    if (error == ERR_OK && parser.token.kind != TOKEN_END)
        error = fail_at(&parser, parser.token.at, "something left over");
    return error;
}
