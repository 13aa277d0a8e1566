/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between {{ }} and {% %}, token by token, and the places that messages name. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rule/rule.h"
#include "template/inside.h"

/* Counts on from where it was last asked: places are asked for in order, or for a message. */
struct place parser_place(struct parser *parser, size_t at)
{
    if (at < parser->counted) {
        parser->counted = 0;
        parser->here = (struct place){ 1, 1 };
    }
    for (; parser->counted < at; parser->counted++) {
        unsigned char c = (unsigned char)parser->source.data[parser->counted];
        if (c == '\n') {
            parser->here.line++;
            parser->here.column = 1;
        } else if ((c & 0xc0) != 0x80) {
            parser->here.column++;
        }
    }
    return parser->here;
}

err parser_fail(struct parser *parser, size_t at, const char *what, ...)
{
    char text[260];
    struct place place = parser_place(parser, at < parser->source.size ? at : parser->source.size);
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    return problem_set(parser->problem, ERR_UNPROCESSABLE, "line %u, column %u: %s", place.line,
                       place.column, text);
}

err parser_nomem(struct parser *parser)
{
    return problem_set(parser->problem, ERR_NOMEM, "no memory for the tree of a template");
}

void parser_suggest(struct parser *parser, str wrong, str (*name)(size_t index), size_t count)
{
    struct rule_suggestions like = { 0 };
    struct buffer text;
    buffer_init(&text, 400);
    for (size_t i = 0; i < count; i++)
        rule_suggestions_offer(&like, wrong, name(i));
    if (like.count > 0) {
        buffer_append_str(&text, STR("did you mean "));
        rule_suggestions_write(&like, &text);
        buffer_append_byte(&text, '?');
    } else {
        buffer_append_str(&text, STR("there are "));
        for (size_t i = 0; i < count; i++) {
            buffer_append_str(&text, i > 0 ? STR(", ") : STR_NONE);
            buffer_append_str(&text, name(i));
        }
    }
    problem_hint(parser->problem, ERR_UNPROCESSABLE, STR_FMT, STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
}

/* ---- tokens ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static char byte_at(const struct parser *parser, size_t at)
{
    return at < parser->source.size ? parser->source.data[at] : '\0';
}

/* Letters, with a '-' between them: `free-gift`, but not `name-}}`. */
static size_t name_end(const struct parser *parser, size_t at)
{
    while (is_name_byte(byte_at(parser, at)) ||
           (byte_at(parser, at) == '-' && is_name_byte(byte_at(parser, at + 1))))
        at++;
    return at;
}

/* `[0]`, `["一个"]`: the byte behind it, or `at` when it is none. */
static size_t index_end(const struct parser *parser, size_t at)
{
    size_t end = at + 1;
    char quote = byte_at(parser, end);
    if (quote == '"' || quote == '\'') {
        end++;
        while (end < parser->source.size && parser->source.data[end] != quote &&
               parser->source.data[end] != '\n')
            end++;
        end++;
    } else {
        while (is_digit(byte_at(parser, end)))
            end++;
    }
    return end > at + 1 && byte_at(parser, end) == ']' ? end + 1 : at;
}

static err take_path(struct parser *parser)
{
    size_t begin = parser->next, at = name_end(parser, begin);
    for (;;) {
        size_t end = at;
        if (byte_at(parser, at) == '.' && is_name_byte(byte_at(parser, at + 1)))
            end = name_end(parser, at + 1);
        else if (byte_at(parser, at) == '[')
            end = index_end(parser, at);
        if (end == at)
            break;
        at = end;
    }
    if (byte_at(parser, at) == '.' || byte_at(parser, at) == '[')
        return parser_fail(parser, at,
                           "a path has a name behind each dot, and a number or a "
                           "quoted name in each pair of brackets");
    parser->token.kind = TOKEN_PATH;
    parser->token.text = str_slice(parser->source, begin, at);
    parser->next = at;
    return ERR_OK;
}

static err take_quoted(struct parser *parser, char quote)
{
    size_t begin = parser->next + 1, at = begin, size = 0;
    bool has_escapes = false;
    while (at < parser->source.size && parser->source.data[at] != quote) {
        has_escapes |= parser->source.data[at] == '\\';
        at += parser->source.data[at] == '\\' ? 2 : 1;
    }
    if (at >= parser->source.size)
        return parser_fail(parser, begin - 1, "this quotation has no end");
    parser->token.kind = TOKEN_TEXT;
    parser->token.text = str_slice(parser->source, begin, at);
    parser->next = at + 1;
    if (!has_escapes)
        return ERR_OK;
    char *made = arena_alloc_raw(&parser->template->arena, at - begin);
    if (made == NULL)
        return parser_nomem(parser);
    for (size_t i = begin; i < at; i++) {
        char c = parser->source.data[i];
        if (c == '\\' && i + 1 < at) {
            c = parser->source.data[++i];
            c = c == 'n' ? '\n' : c;
        }
        made[size++] = c;
    }
    parser->token.text = str_from_bytes(made, size);
    return ERR_OK;
}

static void take_number(struct parser *parser)
{
    size_t begin = parser->next, at = begin + 1;
    while (is_digit(byte_at(parser, at)))
        at++;
    if (byte_at(parser, at) == '.' && is_digit(byte_at(parser, at + 1)))
        for (at++; is_digit(byte_at(parser, at));)
            at++;
    parser->token.kind = TOKEN_NUMBER;
    parser->token.text = str_slice(parser->source, begin, at);
    parser->next = at;
}

static err take_sign(struct parser *parser)
{
    static const char *const pairs[] = { "==", "!=", "<>", "<=", ">=", "&&", "||" };
    str rest = str_slice(parser->source, parser->next, parser->source.size);
    size_t size = 1;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (str_starts_with(rest, str_from_c(pairs[i])))
            size = 2;
    if (strchr("|:,()=!<>&-", rest.data[0]) == NULL || rest.data[0] == '\0')
        return parser_fail(parser, parser->next, "this character means nothing here");
    parser->token.kind = TOKEN_SIGN;
    parser->token.text = str_slice(rest, 0, size);
    parser->next += size;
    return ERR_OK;
}

/* The end of the tag at hand: `}}` or `%}`, or with a '-' in front. */
static bool take_end(struct parser *parser)
{
    size_t at = parser->next;
    bool strip = byte_at(parser, at) == '-';
    if (strip)
        at++;
    if (byte_at(parser, at) != parser->close || byte_at(parser, at + 1) != '}')
        return false;
    parser->next = at + 2;
    parser->strip_next = strip;
    return true;
}

err token_next(struct parser *parser)
{
    while (parser->next < parser->source.size &&
           strchr(" \t\r\n", parser->source.data[parser->next]) != NULL)
        parser->next++;
    char c = byte_at(parser, parser->next), after = byte_at(parser, parser->next + 1);
    parser->token = (struct token){ .kind = TOKEN_END, .at = parser->next };
    if (parser->next >= parser->source.size)
        return parser_fail(parser, parser->next, "the text ends inside of a tag: '%s' is missing",
                           parser->close == '%' ? "%}" : "}}");
    if (take_end(parser))
        return ERR_OK;
    if (c == '"' || c == '\'')
        return take_quoted(parser, c);
    if (is_digit(c) || (c == '-' && is_digit(after))) {
        take_number(parser);
        return ERR_OK;
    }
    return is_name_byte(c) ? take_path(parser) : take_sign(parser);
}

bool token_is_sign(const struct parser *parser, const char *sign)
{
    return parser->token.kind == TOKEN_SIGN && str_equal(parser->token.text, str_from_c(sign));
}

bool token_is_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_PATH && str_equal(parser->token.text, str_from_c(word));
}
