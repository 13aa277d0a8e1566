/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to the tree: groups, facts and names. Events are in parse_event.c, literals in parse_compare.c. */
#include "rule/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_SHOWN_MAX 80

/* ---- problems ---- */

err parse_fail(struct parser *parser, str pointer, const char *detail, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(text, sizeof(text), detail, arguments);
    va_end(arguments);
    problem_set(parser->problem, ERR_UNPROCESSABLE, "%s", text);
    return problem_at(parser->problem, ERR_UNPROCESSABLE, STR_FMT, STR_ARG(pointer));
}

err parse_member(struct parser *parser, str pointer, str member, err error)
{
    struct problem *problem = parser->problem;
    if (error != ERR_UNPROCESSABLE || problem == NULL ||
        !str_equal(str_from_c(problem->pointer), pointer) || member.size == 0)
        return error;
    struct buffer place;
    buffer_init(&place, sizeof problem->pointer);
    buffer_append_str(&place, pointer);
    buffer_append_byte(&place, '/');
    for (size_t i = 0; i < member.size && i < 60; i++) { /* RFC 6901 */
        if (member.data[i] == '~' || member.data[i] == '/')
            buffer_append_str(&place, member.data[i] == '~' ? STR("~0") : STR("~1"));
        else
            buffer_append(&place, &member.data[i], 1);
    }
    if (buffer_status(&place) == ERR_OK && place.size < sizeof problem->pointer)
        error = problem_at(problem, error, STR_FMT, STR_ARG(buffer_str(&place)));
    buffer_deinit(&place);
    return error;
}

err parse_hint(struct parser *parser, const char *hint, ...)
{
    char text[240];
    va_list arguments;
    va_start(arguments, hint);
    vsnprintf(text, sizeof(text), hint, arguments);
    va_end(arguments);
    return problem_hint(parser->problem, ERR_UNPROCESSABLE, "%s", text);
}

str parse_shown(str name)
{
    return str_slice(name, 0, str_utf8_prefix_bytes(name, NAME_SHOWN_MAX));
}

err parse_unknown(struct parser *parser, str pointer, const char *what, str wrong)
{
    str name = parse_shown(wrong);
    err error = parse_fail(parser, pointer, "there is no %s '" STR_FMT "'", what, STR_ARG(name));
    struct buffer like;
    buffer_init(&like, 200);
    if (parser->catalogue->suggest != NULL)
        parser->catalogue->suggest(parser->catalogue->context, what, wrong, &like);
    if (like.size > 0 && !like.failed)
        error = parse_hint(parser, "did you mean " STR_FMT "?", (int)like.size, like.data);
    buffer_deinit(&like);
    return error;
}

static bool is_word_in(str word, const char *words)
{
    str rest = str_from_c(words), part;
    while (str_split(&rest, ' ', &part))
        if (str_equal(part, word))
            return true;
    return false;
}

static err unknown_member(struct parser *parser, str pointer, str name, const char *allowed,
                          bool operators)
{
    struct rule_suggestions like = { 0 };
    str rest = str_from_c(allowed), part;
    while (str_split(&rest, ' ', &part))
        rule_suggestions_offer(&like, name, part);
    for (int op = OP_NONE + 1; operators && op < OP_COUNT; op++)
        rule_suggestions_offer(&like, name, str_from_c(operator_word((enum comparison)op)));
    struct buffer text;
    buffer_init(&text, 200);
    rule_suggestions_write(&like, &text);
    str cut = parse_shown(name);
    /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the hint gives the same error */
    err error = parse_fail(parser, pointer, "'" STR_FMT "' means nothing here", STR_ARG(cut));
    if (text.size > 0 && !text.failed)
        error = parse_hint(parser, "did you mean %.*s?", (int)text.size, text.data);
    else
        error = parse_hint(parser, "here may stand: %s%s", allowed,
                           operators ? ", and one comparison" : "");
    buffer_deinit(&text);
    return error;
}

err parse_members(struct parser *parser, json_value object, str pointer, const char *allowed,
                  bool operators)
{
    struct json_iterator iterator = json_iterate(object);
    str key;
    json_value value;
    while (json_next(&iterator, &key, &value)) {
        if (is_word_in(key, allowed) || (operators && operator_find(key) != OP_NONE))
            continue;
        return parse_member(parser, pointer, parse_shown(key),
                            unknown_member(parser, pointer, key, allowed, operators));
    }
    return ERR_OK;
}

/* ---- pieces ---- */

err parse_pointer(struct parser *parser, str pointer, const char *member, int64_t index, str *out)
{
    if (index < 0)
        return arena_printf(&parser->rule->arena, out, STR_FMT "/%s", STR_ARG(pointer), member);
    return arena_printf(&parser->rule->arena, out, STR_FMT "/%s/%lld", STR_ARG(pointer), member,
                        (long long)index);
}

err parse_copy(struct parser *parser, str text, str *out)
{
    return arena_dup(&parser->rule->arena, text, out);
}

err parse_text(struct parser *parser, json_value object, str pointer, const char *member, str *out)
{
    json_value value = json_get(object, str_from_c(member));
    str text = json_text(value);
    if (text.size == 0)
        return parse_member(
            parser, pointer, str_from_c(member),
            parse_fail(parser, pointer, "'%s' has to be a text that is not empty", member));
    if (text.size > 200)
        return parse_member(parser, pointer, str_from_c(member),
                            parse_fail(parser, pointer, "'%s' is longer than 200 bytes", member));
    return parse_copy(parser, text, out);
}

static err text_item(struct parser *parser, json_value value, str pointer, str *out)
{
    if (json_kind(value) != JSON_TEXT || json_text(value).size > 1000)
        return parse_fail(parser, pointer, "a text of at most 1,000 bytes has to stand here");
    return parse_copy(parser, json_text(value), out);
}

err parse_texts(struct parser *parser, json_value value, str pointer, struct texts *texts)
{
    bool single = json_kind(value) != JSON_ARRAY;
    size_t count = single ? 1 : json_count(value);
    if (count == 0 || count > RULE_LIST_MAX)
        return parse_fail(parser, pointer, "the list has %zu values; 1 to %d are possible", count,
                          RULE_LIST_MAX);
    str *items = arena_array(&parser->rule->arena, str, count);
    if (items == NULL)
        return ERR_NOMEM;
    texts->items = items;
    texts->count = (uint32_t)count;
    if (single)
        return text_item(parser, value, pointer, items);
    struct json_iterator iterator = json_iterate(value);
    json_value item;
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && json_next(&iterator, NULL, &item); i++)
        error = text_item(parser, item, pointer, &items[i]);
    return error;
}

struct node *parse_make(struct parser *parser, enum node_kind kind, str pointer)
{
    struct node *node = arena_new(&parser->rule->arena, struct node);
    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->pointer = pointer;
    return node;
}

/* Room for one more: 4, then doubled at each power of two. `items` is where the pointer is. */
err parse_grow(struct parser *parser, void *items, uint32_t count, size_t size)
{
    if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
        return ERR_OK;
    char *more = arena_alloc_array(&parser->rule->arena, size, count == 0 ? 4 : 2 * (size_t)count);
    if (more == NULL)
        return ERR_NOMEM;
    char *before;
    memcpy(&before, items, sizeof(before));
    if (count > 0)
        memcpy(more, before, count * size);
    memcpy(items, &more, sizeof(more));
    return ERR_OK;
}

err parse_leaf(struct parser *parser, str pointer)
{
    if (++parser->leaves > RULE_CONDITIONS_MAX)
        return parse_fail(parser, pointer, "the rule has more than %d conditions",
                          RULE_CONDITIONS_MAX);
    return ERR_OK;
}

err parse_condition(struct parser *parser, struct node *node)
{
    struct rule *rule = parser->rule;
    err error = parse_leaf(parser, node->pointer);
    if (error == ERR_OK)
        error = GROW(parser, rule->conditions, rule->condition_count);
    if (error != ERR_OK)
        return error;
    node->condition = rule->condition_count;
    rule->conditions[rule->condition_count++] = node;
    return ERR_OK;
}

err parse_slot(struct parser *parser, struct node *node)
{
    struct rule *rule = parser->rule;
    err error = GROW(parser, rule->slots, rule->slot_count);
    if (error != ERR_OK)
        return error;
    node->slot = rule->slot_count;
    rule->slots[rule->slot_count++] = node;
    return ERR_OK;
}

err parse_listen(struct parser *parser, str event, uint32_t slot, uint16_t role)
{
    struct rule *rule = parser->rule;
    for (uint32_t i = 0; i < rule->listener_count; i++) {
        const struct listener *other = &rule->listeners[i];
        if (other->slot == slot && other->role == role && str_equal(other->event, event))
            return ERR_OK;
    }
    err error = GROW(parser, rule->listeners, rule->listener_count);
    if (error != ERR_OK)
        return error;
    rule->listeners[rule->listener_count++] = (struct listener){
        .event = event,
        .slot = (uint16_t)slot,
        .role = role,
    };
    return ERR_OK;
}

err parse_bound(struct parser *parser, struct compare *compare)
{
    struct rule *rule = parser->rule;
    err error = GROW(parser, rule->bounds, rule->bound_count);
    if (error != ERR_OK)
        return error;
    compare->bound = rule->bound_count;
    rule->bounds[rule->bound_count++] = compare;
    return ERR_OK;
}

err parse_verdict(struct parser *parser, const struct compare *compare, const struct node *object,
                  uint32_t column, uint32_t *verdict)
{
    struct rule *rule = parser->rule;
    err error = GROW(parser, rule->verdicts, rule->verdict_count);
    if (error != ERR_OK)
        return error;
    rule->verdicts[rule->verdict_count++] = (struct verdict_use){ compare, object, column };
    *verdict = rule->verdict_count;
    return ERR_OK;
}

/* ---- groups ---- */

static bool has_relative(const struct node *node)
{
    return node != NULL && node->relative;
}

/* What a condition costs, roughly: bits, then facts, then events. */
static unsigned cost_of(const struct node *node)
{
    unsigned worst = 0;
    switch (node->kind) {
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
        for (uint32_t i = 0; i < node->child_count; i++) {
            unsigned cost = cost_of(node->children[i]);
            worst = cost > worst ? cost : worst;
        }
        return worst;
    case NODE_SEGMENT:
        return 1;
    case NODE_TAG:
        return 2;
    case NODE_TRAIT:
    case NODE_HAS:
    case NODE_CONSENT:
    case NODE_REACHABLE:
    case NODE_RELATION:
    case NODE_PROP:
        return node->compare.op == OP_MATCHES ? 4 : 3;
    case NODE_OBJECT:
        return 5;
    case NODE_EVENT:
        return 6;
    case NODE_SEQUENCE:
        return 7;
    case NODE_TOUCH:
    default:
        return 8;
    }
}

static err sort_children(struct parser *parser, struct node *node)
{
    node->order = arena_array(&parser->rule->arena, uint32_t, node->child_count + 1);
    if (node->order == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t at = i;
        unsigned cost = cost_of(node->children[i]);
        for (; at > 0 && cost_of(node->children[node->order[at - 1]]) > cost; at--)
            node->order[at] = node->order[at - 1];
        node->order[at] = i;
        node->relative |= has_relative(node->children[i]);
    }
    return ERR_OK;
}

static err parse_children(struct parser *parser, json_value list, const char *member,
                          enum scope scope, struct node *node)
{
    size_t count = json_count(list);
    if (json_kind(list) != JSON_ARRAY)
        return parse_fail(parser, node->pointer, "'%s' has to be a list of rules", member);
    if (count > RULE_CONDITIONS_MAX)
        return parse_fail(parser, node->pointer, "'%s' has %zu rules, more than %d", member, count,
                          RULE_CONDITIONS_MAX);
    node->children = arena_array(&parser->rule->arena, struct node *, count + 1);
    if (node->children == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        str pointer;
        err error = parse_pointer(parser, node->pointer, member, node->child_count, &pointer);
        if (error == ERR_OK)
            error = parse_node(parser, item, pointer, scope, &node->children[node->child_count]);
        if (error != ERR_OK)
            return error;
        node->child_count++;
    }
    return sort_children(parser, node);
}

static err parse_group(struct parser *parser, json_value json, str pointer, enum scope scope,
                       enum node_kind kind, struct node **out)
{
    const char *member = kind == NODE_ALL ? "all" : "any";
    struct node *node = parse_make(parser, kind, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    err error = parse_members(parser, json, pointer, member, false);
    if (error != ERR_OK)
        return error;
    return parse_children(parser, json_get(json, str_from_c(member)), member, scope, node);
}

static err parse_not(struct parser *parser, json_value json, str pointer, enum scope scope,
                     struct node **out)
{
    struct node *node = parse_make(parser, NODE_NOT, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    node->children = arena_array(&parser->rule->arena, struct node *, 1);
    str inner;
    err error = parse_members(parser, json, pointer, "not", false);
    if (error == ERR_OK)
        error =
            node->children == NULL ? ERR_NOMEM : parse_pointer(parser, pointer, "not", -1, &inner);
    if (error == ERR_OK)
        error = parse_node(parser, json_get(json, STR("not")), inner, scope, &node->children[0]);
    if (error != ERR_OK)
        return error;
    node->child_count = 1;
    return sort_children(parser, node);
}

err parse_where(struct parser *parser, json_value json, str pointer, enum scope scope,
                struct node **out)
{
    if (json_kind(json) != JSON_ARRAY)
        return parse_node(parser, json, pointer, scope, out);
    struct node *node = parse_make(parser, NODE_ALL, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    node->children = arena_array(&parser->rule->arena, struct node *, json_count(json) + 1);
    if (node->children == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(json);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        str at;
        err error = arena_printf(&parser->rule->arena, &at, STR_FMT "/%u", STR_ARG(pointer),
                                 node->child_count);
        if (error == ERR_OK)
            error = parse_node(parser, item, at, scope, &node->children[node->child_count]);
        if (error != ERR_OK)
            return error;
        node->child_count++;
    }
    *out = node;
    return sort_children(parser, node);
}

/* ---- which one is it? ---- */

#define HEADS(X)                                                                                   \
    X("all", parse_group(parser, json, pointer, scope, NODE_ALL, out))                             \
    X("any", parse_group(parser, json, pointer, scope, NODE_ANY, out))                             \
    X("not", parse_not(parser, json, pointer, scope, out))                                         \
    X("prop", parse_prop(parser, json, pointer, out))                                              \
    X("object", parse_object(parser, json, pointer, scope, out))                                   \
    X("sequence", parse_sequence(parser, json, pointer, out))                                      \
    X("event", parse_event(parser, json, pointer, out))                                            \
    X("touch", parse_touch(parser, json, pointer, out))                                            \
    X("trait", parse_value_fact(parser, json, pointer, "trait", NODE_TRAIT, out))                  \
    X("tag", parse_value_fact(parser, json, pointer, "tag", NODE_TAG, out))                        \
    X("segment", parse_plain_fact(parser, json, pointer, "segment", "segment", NODE_SEGMENT, out)) \
    X("has", parse_plain_fact(parser, json, pointer, "has", "identifier type", NODE_HAS, out))     \
    X("consent", parse_consent(parser, json, pointer, out))                                        \
    X("reachable",                                                                                 \
      parse_plain_fact(parser, json, pointer, "reachable", "channel", NODE_REACHABLE, out))        \
    X("relation", parse_value_fact(parser, json, pointer, "relation", NODE_RELATION, out))

/* Of an object's rule: a tag of the object. */
static err parse_object_tag(struct parser *parser, json_value json, str pointer, struct node **out)
{
    str key = STR_NONE, path = STR_NONE;
    err error = parse_text(parser, json, pointer, "tag", &key);
    if (error == ERR_OK)
        error = parse_members(parser, json, pointer, "tag", true);
    if (error == ERR_OK)
        error = arena_printf(&parser->rule->arena, &path, "tag:" STR_FMT, STR_ARG(key));
    if (error != ERR_OK)
        return error;
    return parse_object_prop(parser, json, pointer, path, out);
}

static err misplaced(struct parser *parser, str pointer, const char *head, enum scope scope)
{
    parse_fail(parser, pointer, "'%s' cannot stand %s", head,
               scope == SCOPE_CUSTOMER ? "here"
               : scope == SCOPE_EVENT  ? "in the 'where' of an event"
                                       : "in the rule of an object");
    return parse_hint(parser, "%s",
                      scope == SCOPE_CUSTOMER
                          ? "properties are of events: {\"event\":…,\"where\":[{\"prop\":…}]}"
                      : scope == SCOPE_EVENT ? "here may stand: prop, object, all, any, not"
                                             : "here may stand: prop, tag, object, all, any, not");
}

static err parse_head(struct parser *parser, json_value json, str pointer, enum scope scope,
                      const char *head, struct node **out)
{
    if (scope == SCOPE_CUSTOMER
            ? strcmp(head, "prop") == 0
            : !is_word_in(str_from_c(head), scope == SCOPE_EVENT ? "all any not prop object"
                                                                 : "all any not prop object tag"))
        return parse_member(parser, pointer, str_from_c(head),
                            misplaced(parser, pointer, head, scope));
    if (scope == SCOPE_OBJECT && strcmp(head, "tag") == 0)
        return parse_object_tag(parser, json, pointer, out);
#define X(word, call)            \
    if (strcmp(head, word) == 0) \
        return call;
    HEADS(X)
#undef X
    return ERR_INTERNAL;
}

/* Beside "event" there may be no other; but "object" has a "rule", and a touch has no event. */
static const char *find_head(json_value json, const char **second)
{
    static const char *const heads[] = {
#define X(word, call) word,
        HEADS(X)
#undef X
    };
    const char *found = NULL;
    *second = NULL;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        if (json_kind(json_get(json, str_from_c(heads[i]))) == JSON_MISSING)
            continue;
        if (found == NULL)
            found = heads[i];
        else if (*second == NULL)
            *second = heads[i];
    }
    return found;
}

#define HEAD_WORDS \
    "all any not event sequence trait tag segment has consent reachable relation touch object prop"

static err parse_headless(struct parser *parser, json_value json, str pointer)
{
    struct json_iterator iterator = json_iterate(json);
    str key;
    json_value value;
    if (!json_is_object(json)) {
        parse_fail(parser, pointer, "a rule has to be an object");
        return parse_hint(parser, "as {\"trait\":\"city\",\"eq\":\"上海\"}");
    }
    if (!json_next(&iterator, &key, &value)) {
        parse_fail(parser, pointer, "the rule is empty");
        return parse_hint(parser, "a rule begins with one of: " HEAD_WORDS);
    }
    return parse_member(parser, pointer, parse_shown(key),
                        unknown_member(parser, pointer, key, HEAD_WORDS, false));
}

err parse_node(struct parser *parser, json_value json, str pointer, enum scope scope,
               struct node **out)
{
    const char *second;
    const char *head = json_is_object(json) ? find_head(json, &second) : NULL;
    if (head == NULL)
        return parse_headless(parser, json, pointer);
    if (second != NULL) {
        parse_fail(parser, pointer, "'%s' and '%s' cannot stand in one rule", head, second);
        return parse_hint(parser, "put each into its own: {\"all\":[{\"%s\":…},{\"%s\":…}]}", head,
                          second);
    }
    if (parser->depth >= RULE_DEPTH_MAX)
        return parse_fail(parser, pointer, "the rule is more than %d levels deep", RULE_DEPTH_MAX);
    parser->depth++;
    err error = parse_head(parser, json, pointer, scope, head, out);
    parser->depth--;
    return error;
}
