/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, literals, filters and conditions: what an output, an `if` and a `for` are told. */
#include <stdio.h>
#include <string.h>

#include "template/inside.h"

/* ---- paths ---- */

static err remember_path(struct parser *parser, str path, uint16_t *index)
{
    struct template *template = parser->template;
    for (size_t i = 0; i < template->path_count; i++) {
        if (str_equal(template->paths[i], path)) {
            *index = (uint16_t)i;
            return ERR_OK;
        }
    }
    if (template->path_count >= TEMPLATE_PATHS_MAX)
        return parser_fail(parser, parser->token.at, "a template asks for at most %d values",
                           TEMPLATE_PATHS_MAX);
    *index = (uint16_t) template->path_count;
    template->paths[template->path_count++] = path;
    return ERR_OK;
}

static str counter_name(size_t index)
{
    static const char *const names[] = { "index", "index0", "first", "last", "length" };
    return str_from_c(names[index]);
}

static err bind_counter(struct parser *parser, struct operand *operand, str member)
{
    for (size_t i = LOOP_INDEX; i <= LOOP_LENGTH; i++) {
        if (str_equal(member, counter_name(i))) {
            operand->path_flags = PATH_OF_COUNTER;
            operand->counter = (enum loop_counter)i;
            return ERR_OK;
        }
    }
    err error = parser_fail(parser, parser->token.at, "forloop has no '" STR_FMT "'",
                            STR_ARG(str_slice(member, 0, str_utf8_prefix_bytes(member, 60))));
    parser_suggest(parser, member, counter_name, LOOP_LENGTH + 1);
    return error;
}

/* The item of a loop that stands around, `forloop`, or what the caller knows. */
static err bind_path(struct parser *parser, struct operand *operand)
{
    str path = parser->token.text;
    size_t head = 0, bracket = str_find_byte(path, '[');
    while (head < path.size && path.data[head] != '.' && path.data[head] != '[')
        head++;
    str first = str_slice(path, 0, head);
    size_t rest = head < path.size && path.data[head] == '.' ? head + 1 : head;
    operand->kind = OPERAND_PATH;
    operand->name = path;
    if (str_equal(first, STR("forloop")) && parser->loop_count > 0) {
        operand->index = (uint16_t)(parser->loop_count - 1);
        return bind_counter(parser, operand, str_slice(path, rest, path.size));
    }
    for (unsigned i = parser->loop_count; i-- > 0;) {
        if (str_equal(first, parser->loop_names[i])) {
            operand->path_flags = PATH_OF_LOOP;
            operand->index = (uint16_t)i;
            operand->rest = str_slice(path, rest, path.size);
            return ERR_OK;
        }
    }
    operand->rest = str_slice(path, bracket, path.size);
    return remember_path(parser, str_slice(path, 0, bracket), &operand->index);
}

/* ---- operands ---- */

static err bind_number(struct parser *parser, struct operand *operand)
{
    int64_t number;
    if (!number_parse(parser->token.text, &number))
        return parser_fail(parser, parser->token.at, "this number is too large");
    value_set_number(&operand->constant, number);
    return ERR_OK;
}

/* true, false, blank (empty, nil), or a path. */
static err bind_word(struct parser *parser, struct operand *operand)
{
    bool is_true = token_is_word(parser, "true");
    if (is_true || token_is_word(parser, "false")) {
        value_set_bool(&operand->constant, is_true);
        return ERR_OK;
    }
    if (token_is_word(parser, "blank") || token_is_word(parser, "empty") ||
        token_is_word(parser, "nil")) {
        operand->kind = OPERAND_BLANK;
        return ERR_OK;
    }
    return bind_path(parser, operand);
}

err operand_parse_bare(struct parser *parser, struct operand **out)
{
    struct operand *operand = arena_new(&parser->template->arena, struct operand);
    err error = ERR_OK;
    if (operand == NULL)
        return parser_nomem(parser);
    operand->place = parser_place(parser, parser->token.at);
    operand->name = parser->token.text;
    switch (parser->token.kind) {
    case TOKEN_PATH:
        error = bind_word(parser, operand);
        break;
    case TOKEN_NUMBER:
        error = bind_number(parser, operand);
        break;
    case TOKEN_TEXT:
        value_set_text(&operand->constant, parser->token.text);
        break;
    case TOKEN_END:
        return parser_fail(parser, parser->token.at, "a value is missing here");
    case TOKEN_SIGN:
    default:
        return parser_fail(parser, parser->token.at, "a value is wanted here, not '" STR_FMT "'",
                           STR_ARG(parser->token.text));
    }
    *out = operand;
    return error == ERR_OK ? token_next(parser) : error;
}

static str filter_name(size_t index)
{
    return filters[index].name;
}

static err find_filter(struct parser *parser, struct filter_call *call)
{
    str name = parser->token.text;
    if (parser->token.kind != TOKEN_PATH)
        return parser_fail(parser, parser->token.at, "behind '|' the name of a filter is wanted");
    for (size_t i = 0; i < filter_count; i++) {
        if (str_equal(filters[i].name, name)) {
            call->filter = &filters[i];
            return ERR_OK;
        }
    }
    err error = parser_fail(parser, parser->token.at, "there is no filter '" STR_FMT "'",
                            STR_ARG(str_slice(name, 0, str_utf8_prefix_bytes(name, 60))));
    parser_suggest(parser, name, filter_name, filter_count);
    return error;
}

/* Behind `name:`. */
static err parse_arguments(struct parser *parser, struct filter_call *call)
{
    err error;
    do {
        if (call->argument_count == TEMPLATE_ARGUMENTS_MAX)
            return parser_fail(parser, parser->token.at, "that are too many arguments");
        error = token_next(parser); /* ':' or ',' */
        if (error == ERR_OK)
            error = operand_parse_bare(parser, &call->arguments[call->argument_count]);
        call->argument_count++;
    } while (error == ERR_OK && token_is_sign(parser, ","));
    return error;
}

static err parse_filter(struct parser *parser, struct filter_call **out)
{
    struct filter_call *call = arena_new(&parser->template->arena, struct filter_call);
    size_t at = parser->token.at;
    if (call == NULL)
        return parser_nomem(parser);
    call->place = parser_place(parser, at);
    err error = find_filter(parser, call);
    if (error == ERR_OK)
        error = token_next(parser);
    if (error == ERR_OK && token_is_sign(parser, ":"))
        error = parse_arguments(parser, call);
    if (error != ERR_OK)
        return error;
    const struct filter *filter = call->filter;
    if (call->argument_count < filter->least || call->argument_count > filter->most) {
        parser_fail(parser, at, "the filter '" STR_FMT "' takes %u%s%u arguments, not %zu",
                    STR_ARG(filter->name), filter->least,
                    filter->least < filter->most ? " to " : " or ", filter->most,
                    call->argument_count);
        return problem_hint(parser->problem, ERR_UNPROCESSABLE, "as in {{ %s }}", filter->example);
    }
    *out = call;
    return ERR_OK;
}

err operand_parse(struct parser *parser, struct operand **out)
{
    err error = operand_parse_bare(parser, out);
    if (error != ERR_OK)
        return error;
    struct filter_call **end = &(*out)->filters;
    while (error == ERR_OK && token_is_sign(parser, "|")) {
        error = token_next(parser);
        if (error == ERR_OK)
            error = parse_filter(parser, end);
        if (error == ERR_OK)
            end = &(*end)->next;
    }
    return error;
}

/* ---- conditions: or < and < not < comparison ---- */

struct condition *condition_new(struct parser *parser, enum condition_kind kind)
{
    struct condition *condition = arena_new(&parser->template->arena, struct condition);
    if (condition != NULL)
        condition->kind = kind;
    else
        parser_nomem(parser);
    return condition;
}

static const struct {
    const char *sign;
    enum condition_kind kind;
} comparisons[] = {
    { "==", CONDITION_EQUAL },      { "!=", CONDITION_UNEQUAL }, { "<>", CONDITION_UNEQUAL },
    { "<=", CONDITION_LESS_EQUAL }, { "<", CONDITION_LESS },     { ">=", CONDITION_MORE_EQUAL },
    { ">", CONDITION_MORE },
};

static bool find_comparison(const struct parser *parser, enum condition_kind *kind)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (token_is_sign(parser, comparisons[i].sign)) {
            *kind = comparisons[i].kind;
            return true;
        }
    }
    *kind = CONDITION_CONTAINS;
    return token_is_word(parser, "contains");
}

static err parse_comparison(struct parser *parser, struct condition **out)
{
    enum condition_kind kind;
    if (++parser->terms > TEMPLATE_TERMS_MAX)
        return parser_fail(parser, parser->token.at, "a condition has at most %d comparisons",
                           TEMPLATE_TERMS_MAX);
    struct condition *condition = condition_new(parser, CONDITION_TRUE);
    if (condition == NULL)
        return ERR_NOMEM;
    *out = condition;
    err error = operand_parse(parser, &condition->left);
    if (error == ERR_OK && token_is_sign(parser, "=")) {
        error = parser_fail(parser, parser->token.at, "'=' compares nothing");
        return problem_hint(parser->problem, error, "write '==' for 'is equal to'");
    }
    if (error != ERR_OK || !find_comparison(parser, &kind))
        return error;
    condition->kind = kind;
    error = token_next(parser);
    return error == ERR_OK ? operand_parse(parser, &condition->right) : error;
}

static err parse_or(struct parser *parser, struct condition **out);

static err parse_brackets(struct parser *parser, struct condition **out)
{
    size_t at = parser->token.at;
    if (++parser->depth > TEMPLATE_DEPTH_MAX)
        return parser_fail(parser, at, "brackets and blocks stand in each other at most %d deep",
                           TEMPLATE_DEPTH_MAX);
    err error = token_next(parser);
    if (error == ERR_OK)
        error = parse_or(parser, out);
    if (error == ERR_OK && !token_is_sign(parser, ")"))
        error = parser_fail(parser, at, "this bracket is not closed");
    parser->depth--;
    return error == ERR_OK ? token_next(parser) : error;
}

static err parse_not(struct parser *parser, struct condition **out)
{
    bool is_negated = false;
    err error = ERR_OK;
    while (error == ERR_OK && (token_is_word(parser, "not") || token_is_sign(parser, "!"))) {
        is_negated = !is_negated;
        error = token_next(parser);
    }
    if (error == ERR_OK)
        error = token_is_sign(parser, "(") ? parse_brackets(parser, out)
                                           : parse_comparison(parser, out);
    if (error != ERR_OK || !is_negated)
        return error;
    struct condition *negation = condition_new(parser, CONDITION_NOT);
    if (negation == NULL)
        return ERR_NOMEM;
    negation->a = *out;
    *out = negation;
    return ERR_OK;
}

static err parse_chain(struct parser *parser, const char *word, const char *sign,
                       enum condition_kind kind,
                       err (*parse_term)(struct parser *, struct condition **),
                       struct condition **out)
{
    err error = parse_term(parser, out);
    while (error == ERR_OK && (token_is_word(parser, word) || token_is_sign(parser, sign))) {
        struct condition *pair = condition_new(parser, kind);
        if (pair == NULL)
            return ERR_NOMEM;
        pair->a = *out;
        *out = pair;
        error = token_next(parser);
        if (error == ERR_OK)
            error = parse_term(parser, &pair->b);
    }
    return error;
}

static err parse_and(struct parser *parser, struct condition **out)
{
    return parse_chain(parser, "and", "&&", CONDITION_AND, parse_not, out);
}

static err parse_or(struct parser *parser, struct condition **out)
{
    return parse_chain(parser, "or", "||", CONDITION_OR, parse_and, out);
}

err condition_parse(struct parser *parser, struct condition **out)
{
    parser->terms = 0;
    return parse_or(parser, out);
}
