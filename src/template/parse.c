/* SPDX-License-Identifier: Apache-2.0 */
/* Texts, outputs and tags to a tree; and the life of a template. */
#include <string.h>

#include "template/inside.h"

enum tag {
    TAG_NONE, /* the end of the text */
    TAG_IF,
    TAG_UNLESS,
    TAG_CASE,
    TAG_FOR,
    TAG_COMMENT,
    TAG_ELSIF,
    TAG_ELSE,
    TAG_WHEN,
    TAG_ENDIF,
    TAG_ENDUNLESS,
    TAG_ENDCASE,
    TAG_ENDFOR,
    TAG_COUNT
};
static const char *const tag_names[TAG_COUNT] = {
    [TAG_NONE] = "",
    [TAG_IF] = "if",
    [TAG_UNLESS] = "unless",
    [TAG_CASE] = "case",
    [TAG_FOR] = "for",
    [TAG_COMMENT] = "comment",
    [TAG_ELSIF] = "elsif",
    [TAG_ELSE] = "else",
    [TAG_WHEN] = "when",
    [TAG_ENDIF] = "endif",
    [TAG_ENDUNLESS] = "endunless",
    [TAG_ENDCASE] = "endcase",
    [TAG_ENDFOR] = "endfor",
};

struct ending {
    enum tag tag;
    size_t at;
};

static err parse_nodes(struct parser *parser, struct node **first, struct ending *ending);

static struct node *add_node(struct parser *parser, struct node ***end, enum node_kind kind,
                             size_t at)
{
    struct node *node = arena_new(&parser->template->arena, struct node);
    if (node == NULL) {
        parser_nomem(parser);
        return NULL;
    }
    node->kind = kind;
    node->place = parser_place(parser, at);
    **end = node;
    *end = &node->next;
    return node;
}

static err end_of_tag(struct parser *parser)
{
    if (parser->token.kind == TOKEN_END)
        return ERR_OK;
    return parser_fail(
        parser, parser->token.at, "'%s' is wanted here, not '" STR_FMT "'",
        parser->close == '%' ? "%}" : "}}",
        STR_ARG(str_slice(parser->token.text, 0, str_utf8_prefix_bytes(parser->token.text, 40))));
}

/* ---- texts ---- */

/* The next of `{{`, `{%`, `{#`, or the end. */
static size_t find_opening(const struct parser *parser)
{
    size_t at = parser->next;
    while (at + 1 < parser->source.size) {
        const char *found = memchr(parser->source.data + at, '{', parser->source.size - at - 1);
        if (found == NULL)
            break;
        at = (size_t)(found - parser->source.data);
        if (found[1] == '{' || found[1] == '%' || found[1] == '#')
            return at;
        at++;
    }
    return parser->source.size;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static err take_text(struct parser *parser, struct node ***end)
{
    size_t begin = parser->next, opening = find_opening(parser), stop = opening;
    str source = parser->source;
    parser->next = opening;
    if (parser->strip_next)
        while (begin < stop && is_space(source.data[begin]))
            begin++;
    parser->strip_next = false;
    if (opening + 2 < source.size && source.data[opening + 2] == '-')
        while (stop > begin && is_space(source.data[stop - 1]))
            stop--;
    if (stop == begin)
        return ERR_OK;
    struct node *node = add_node(parser, end, NODE_TEXT, begin);
    if (node == NULL)
        return ERR_NOMEM;
    node->text = str_slice(source, begin, stop);
    if (parser->template->escape == TEMPLATE_HTML)
        html_text(&parser->html, node->text);
    return ERR_OK;
}

/* Behind `{#`, up to `#}`; or from `{% comment %}` to its end. */
static err skip_past(struct parser *parser, size_t at, const char *until, const char *name)
{
    str wanted = str_from_c(until);
    for (size_t i = parser->next; i + wanted.size <= parser->source.size; i++) {
        if (memcmp(parser->source.data + i, wanted.data, wanted.size) == 0) {
            parser->next = i + wanted.size;
            return ERR_OK;
        }
    }
    return parser_fail(parser, at, "this %s has no end: '%s' is missing", name, until);
}

/* `{%` `endcomment` `%}`, with any space and dashes. */
static err skip_comment(struct parser *parser, size_t at)
{
    for (;;) {
        err error = skip_past(parser, at, "{%", "{% comment %}, up to {% endcomment %},");
        if (error != ERR_OK)
            return error;
        size_t next = parser->next;
        while (next < parser->source.size &&
               (is_space(parser->source.data[next]) || parser->source.data[next] == '-'))
            next++;
        str name = STR("endcomment");
        if (!str_starts_with(str_slice(parser->source, next, parser->source.size), name))
            continue;
        parser->next = next + name.size;
        error = token_next(parser);
        return error == ERR_OK ? end_of_tag(parser) : error;
    }
}

/* ---- outputs ---- */

static void open_tag(struct parser *parser, char close)
{
    parser->close = close;
    parser->next += 2;
    if (parser->next < parser->source.size && parser->source.data[parser->next] == '-')
        parser->next++;
}

static err take_output(struct parser *parser, struct node ***end)
{
    size_t at = parser->next;
    struct node *node = add_node(parser, end, NODE_OUTPUT, at);
    if (node == NULL)
        return ERR_NOMEM;
    node->context = parser->template->escape == TEMPLATE_URL ? CONTEXT_URL : CONTEXT_PLAIN;
    open_tag(parser, '}');
    err error = token_next(parser);
    if (error == ERR_OK)
        error = operand_parse(parser, &node->operand);
    if (error == ERR_OK)
        error = end_of_tag(parser);
    if (error == ERR_OK && parser->template->escape == TEMPLATE_HTML)
        error = html_output(&parser->html, parser, at, &node->context);
    return error;
}

/* ---- if, unless, case ---- */

static struct branch *add_branch(struct parser *parser, struct branch ***end)
{
    struct branch *branch = arena_new(&parser->template->arena, struct branch);
    if (branch == NULL) {
        parser_nomem(parser);
        return NULL;
    }
    **end = branch;
    *end = &branch->next;
    return branch;
}

/* Branches of a page have to leave it at the same place: else a quotation that one opens would hold what
 * the other did not mean. */
static err join_html(struct parser *parser, const struct html_place *end, size_t at)
{
    if (memcmp(end, &parser->html, sizeof *end) == 0)
        return ERR_OK;
    parser_fail(parser, at,
                "the ways through this block end at different places of the page "
                "(inside of a tag or a quotation, and outside)");
    return problem_hint(parser->problem, ERR_UNPROCESSABLE,
                        "let each way open and close the same tags and quotations");
}

static err unexpected(struct parser *parser, const struct ending *ending, enum tag opened,
                      size_t at)
{
    struct place place = parser_place(parser, at);
    if (ending->tag == TAG_NONE)
        return parser_fail(parser, at, "this {%% %s %%} has no {%% end%s %%}", tag_names[opened],
                           tag_names[opened]);
    return parser_fail(parser, ending->at,
                       "{%% %s %%} does not belong to {%% %s %%} of line %u, column %u",
                       tag_names[ending->tag], tag_names[opened], place.line, place.column);
}

static err parse_condition_tag(struct parser *parser, struct condition **out)
{
    err error = condition_parse(parser, out);
    return error == ERR_OK ? end_of_tag(parser) : error;
}

static err negate(struct parser *parser, struct condition **condition)
{
    struct condition *negation = condition_new(parser, CONDITION_NOT);
    if (negation == NULL)
        return ERR_NOMEM;
    negation->a = *condition;
    *condition = negation;
    return ERR_OK;
}

/* `when "a", "b"`: a comparison of the case's value with each. */
static err parse_when(struct parser *parser, struct operand *subject, struct condition **out)
{
    unsigned terms = 0;
    err error;
    *out = NULL;
    do {
        struct condition *equal = condition_new(parser, CONDITION_EQUAL);
        struct condition *either = *out != NULL ? condition_new(parser, CONDITION_OR) : equal;
        if (equal == NULL || either == NULL)
            return ERR_NOMEM;
        if (++terms > TEMPLATE_TERMS_MAX)
            return parser_fail(parser, parser->token.at, "a 'when' has at most %d values",
                               TEMPLATE_TERMS_MAX);
        equal->left = subject;
        error = terms > 1 ? token_next(parser) : ERR_OK; /* ',' or 'or' */
        if (error == ERR_OK)
            error = operand_parse_bare(parser, &equal->right);
        if (*out != NULL) {
            either->a = *out;
            either->b = equal;
        }
        *out = either;
    } while (error == ERR_OK && (token_is_sign(parser, ",") || token_is_word(parser, "or")));
    return error == ERR_OK ? end_of_tag(parser) : error;
}

struct choice {
    enum tag opened, next, end; /* if, elsif, endif */
    size_t at;
    struct operand *subject; /* of a case */
    struct branch **last;
    struct html_place start, finish;
    bool has_finish, has_else;
};

/* One way through the block, up to the next; its condition has been read. */
static err parse_way(struct parser *parser, struct choice *choice, struct branch *branch,
                     struct ending *ending)
{
    parser->html = choice->start;
    err error = parse_nodes(parser, &branch->nodes, ending);
    if (error == ERR_OK && choice->has_finish)
        error = join_html(parser, &choice->finish, choice->at);
    choice->finish = parser->html;
    choice->has_finish = true;
    return error;
}

static err parse_next_condition(struct parser *parser, struct choice *choice, enum tag tag,
                                struct branch *branch)
{
    if (tag == TAG_ELSE) {
        choice->has_else = true;
        return end_of_tag(parser);
    }
    return choice->subject != NULL ? parse_when(parser, choice->subject, &branch->condition)
                                   : parse_condition_tag(parser, &branch->condition);
}

/* Behind the first way: elsif or when, else, the end. */
static err parse_ways(struct parser *parser, struct choice *choice, struct ending *ending)
{
    err error = ERR_OK;
    while (error == ERR_OK && ending->tag != choice->end) {
        enum tag tag = ending->tag;
        if ((tag != choice->next && tag != TAG_ELSE) || choice->has_else)
            return unexpected(parser, ending, choice->opened, choice->at);
        struct branch *branch = add_branch(parser, &choice->last);
        if (branch == NULL)
            return ERR_NOMEM;
        error = parse_next_condition(parser, choice, tag, branch);
        if (error == ERR_OK)
            error = parse_way(parser, choice, branch, ending);
    }
    if (error == ERR_OK)
        error = end_of_tag(parser);
    /* Without an else there is a way past it all. */
    parser->html = choice->start;
    if (error == ERR_OK && !choice->has_else)
        error = join_html(parser, &choice->finish, choice->at);
    parser->html = choice->finish;
    return error;
}

static err take_if(struct parser *parser, struct node ***end, size_t at, bool is_unless)
{
    struct ending ending;
    struct node *node = add_node(parser, end, NODE_IF, at);
    if (node == NULL)
        return ERR_NOMEM;
    struct choice choice = { .opened = is_unless ? TAG_UNLESS : TAG_IF,
                             .next = TAG_ELSIF,
                             .end = is_unless ? TAG_ENDUNLESS : TAG_ENDIF,
                             .at = at,
                             .last = &node->branches,
                             .start = parser->html };
    struct branch *branch = add_branch(parser, &choice.last);
    if (branch == NULL)
        return ERR_NOMEM;
    err error = parse_condition_tag(parser, &branch->condition);
    if (error == ERR_OK && is_unless)
        error = negate(parser, &branch->condition);
    if (error == ERR_OK)
        error = parse_way(parser, &choice, branch, &ending);
    return error == ERR_OK ? parse_ways(parser, &choice, &ending) : error;
}

static err take_case(struct parser *parser, struct node ***end, size_t at)
{
    struct ending ending;
    struct node *node = add_node(parser, end, NODE_IF, at), *before = NULL;
    if (node == NULL)
        return ERR_NOMEM;
    struct choice choice = { .opened = TAG_CASE,
                             .next = TAG_WHEN,
                             .end = TAG_ENDCASE,
                             .at = at,
                             .last = &node->branches,
                             .start = parser->html,
                             .finish = parser->html };
    err error = operand_parse(parser, &choice.subject);
    if (error == ERR_OK)
        error = end_of_tag(parser);
    if (error == ERR_OK)
        error = parse_nodes(parser, &before, &ending);
    if (error != ERR_OK)
        return error;
    for (; before != NULL; before = before->next)
        if (before->kind != NODE_TEXT || str_trim(before->text).size > 0)
            return parser_fail(parser, at,
                               "between 'case' and its first 'when' nothing is written");
    if (ending.tag != TAG_WHEN)
        return ending.tag != TAG_ENDCASE ? unexpected(parser, &ending, TAG_CASE, at)
                                         : parser_fail(parser, at, "this case has no 'when'");
    return parse_ways(parser, &choice, &ending);
}

/* ---- for ---- */

static err parse_loop_words(struct parser *parser, struct node *node)
{
    err error = ERR_OK;
    while (error == ERR_OK && parser->token.kind != TOKEN_END) {
        bool is_limit = token_is_word(parser, "limit");
        if (token_is_word(parser, "reversed")) {
            node->is_reversed = true;
            error = token_next(parser);
            continue;
        }
        if (!is_limit && !token_is_word(parser, "offset")) {
            parser_fail(parser, parser->token.at, "a loop does not know '" STR_FMT "'",
                        STR_ARG(str_slice(parser->token.text, 0,
                                          str_utf8_prefix_bytes(parser->token.text, 40))));
            return problem_hint(parser->problem, ERR_UNPROCESSABLE,
                                "there are limit: 3, offset: 1, reversed");
        }
        error = token_next(parser);
        if (error == ERR_OK && !token_is_sign(parser, ":"))
            error = parser_fail(parser, parser->token.at, "':' is wanted here");
        if (error == ERR_OK)
            error = token_next(parser);
        if (error == ERR_OK)
            error = operand_parse_bare(parser, is_limit ? &node->limit : &node->offset);
    }
    return error;
}

static err parse_loop_head(struct parser *parser, struct node *node, str *name)
{
    *name = parser->token.text;
    if (parser->token.kind != TOKEN_PATH || str_find_byte(*name, '.') < name->size ||
        str_find_byte(*name, '[') < name->size || str_equal(*name, STR("forloop")))
        return parser_fail(parser, parser->token.at,
                           "a loop begins with a name for its item, as in 'for item in "
                           "event.products'");
    err error = token_next(parser);
    if (error == ERR_OK && !token_is_word(parser, "in"))
        error = parser_fail(parser, parser->token.at, "'in' is wanted here");
    if (error == ERR_OK)
        error = token_next(parser);
    if (error == ERR_OK)
        error = operand_parse(parser, &node->operand);
    return error == ERR_OK ? parse_loop_words(parser, node) : error;
}

static err take_for(struct parser *parser, struct node ***end, size_t at)
{
    struct ending ending;
    struct html_place start = parser->html;
    str name;
    struct node *node = add_node(parser, end, NODE_FOR, at);
    if (node == NULL)
        return ERR_NOMEM;
    err error = parse_loop_head(parser, node, &name);
    if (error != ERR_OK)
        return error;
    node->loop = (uint16_t)parser->loop_count;
    parser->loop_names[parser->loop_count++] = name;
    error = parse_nodes(parser, &node->body, &ending);
    parser->loop_count--;
    if (error == ERR_OK)
        error = join_html(parser, &start, at);
    if (error == ERR_OK && ending.tag == TAG_ELSE) {
        node->has_else = true;
        error = end_of_tag(parser);
        if (error == ERR_OK)
            error = parse_nodes(parser, &node->otherwise, &ending);
        if (error == ERR_OK)
            error = join_html(parser, &start, at);
    }
    if (error == ERR_OK && ending.tag != TAG_ENDFOR)
        error = unexpected(parser, &ending, TAG_FOR, at);
    return error == ERR_OK ? end_of_tag(parser) : error;
}

/* ---- tags ---- */

static str tag_name(size_t index)
{
    return str_from_c(tag_names[index + 1]);
}

static err read_tag(struct parser *parser, enum tag *tag)
{
    str name = parser->token.text;
    for (size_t i = TAG_IF; i < TAG_COUNT; i++) {
        if (parser->token.kind == TOKEN_PATH && str_equal(name, str_from_c(tag_names[i]))) {
            *tag = (enum tag)i;
            return *tag == TAG_COMMENT ? ERR_OK : token_next(parser);
        }
    }
    err error = parser_fail(parser, parser->token.at, "there is no tag '" STR_FMT "'",
                            STR_ARG(str_slice(name, 0, str_utf8_prefix_bytes(name, 60))));
    parser_suggest(parser, name, tag_name, TAG_COUNT - 1);
    return error;
}

/* A block, or the tag that ends the one around: then `ending` says which. */
static err take_tag(struct parser *parser, struct node ***end, struct ending *ending)
{
    size_t at = parser->next;
    enum tag tag = TAG_NONE;
    open_tag(parser, '%');
    err error = token_next(parser);
    if (error == ERR_OK)
        error = read_tag(parser, &tag);
    if (error != ERR_OK)
        return error;
    if (tag == TAG_COMMENT)
        return skip_comment(parser, at);
    if (tag >= TAG_ELSIF) {
        *ending = (struct ending){ tag, at };
        return ERR_OK;
    }
    if (++parser->depth > TEMPLATE_DEPTH_MAX)
        return parser_fail(parser, at, "blocks stand in each other at most %d deep",
                           TEMPLATE_DEPTH_MAX);
    if (tag == TAG_FOR)
        error = take_for(parser, end, at);
    else if (tag == TAG_CASE)
        error = take_case(parser, end, at);
    else
        error = take_if(parser, end, at, tag == TAG_UNLESS);
    parser->depth--;
    return error;
}

static err parse_nodes(struct parser *parser, struct node **first, struct ending *ending)
{
    err error = ERR_OK;
    struct node **end = first;
    *ending = (struct ending){ TAG_NONE, parser->source.size };
    while (error == ERR_OK && ending->tag == TAG_NONE && parser->next < parser->source.size) {
        error = take_text(parser, &end);
        if (error != ERR_OK || parser->next >= parser->source.size)
            break;
        size_t at = parser->next;
        char kind = parser->source.data[at + 1];
        if (kind == '{') {
            error = take_output(parser, &end);
        } else if (kind == '%') {
            error = take_tag(parser, &end, ending);
        } else {
            parser->next += 2;
            error = skip_past(parser, at, "#}", "comment");
        }
    }
    return error;
}

err parse_template(struct parser *parser)
{
    struct ending ending;
    err error = parse_nodes(parser, &parser->template->nodes, &ending);
    if (error == ERR_OK && ending.tag != TAG_NONE)
        error = parser_fail(parser, ending.at, "there is nothing that {%% %s %%} could belong to",
                            tag_names[ending.tag]);
    return error;
}

/* ---- life ---- */

static err fill(struct template *template, str source, struct problem *problem)
{
    struct parser parser = { .template = template, .problem = problem, .here = { 1, 1 } };
    err error = arena_dup(&template->arena, source, &template->source);
    template->paths = arena_array(&template->arena, str, TEMPLATE_PATHS_MAX);
    if (error != ERR_OK || template->paths == NULL)
        return parser_nomem(&parser);
    parser.source = template->source;
    return parse_template(&parser);
}

err template_new(struct template **template, str source, enum template_escape escape,
                 struct problem *problem)
{
    struct problem ignored;
    if (problem == NULL)
        problem = &ignored;
    if (source.size > TEMPLATE_SOURCE_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "a template has at most %d bytes, not %zu",
                           TEMPLATE_SOURCE_BYTES_MAX, source.size);
    if (!str_is_utf8(source))
        return problem_set(problem, ERR_UNPROCESSABLE, "the template is not valid UTF-8");
    struct template *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a template");
    arena_init(&made->arena, "template", TEMPLATE_TREE_BYTES_MAX);
    made->escape = escape;
    err error = fill(made, source, problem);
    if (error != ERR_OK)
        template_free(&made);
    else
        *template = made;
    return error;
}

void template_free(struct template **template)
{
    if (*template == NULL)
        return;
    arena_deinit(&(*template)->arena);
    memory_free(*template);
    *template = NULL;
}

size_t template_path_count(const struct template *template)
{
    return template->path_count;
}

str template_path(const struct template *template, size_t index)
{
    INVARIANT(index < template->path_count);
    return template->paths[index];
}
