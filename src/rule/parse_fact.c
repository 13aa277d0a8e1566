/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on facts, and on objects that facts and events name. */
#include "rule/parse.h"

#include <stdio.h>
#include <string.h>

/* ---- facts ---- */

static bool ask_catalogue(struct parser *parser, enum node_kind kind, str name,
                          struct rule_symbol *symbol)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    bool (*ask)(void *, str, struct rule_symbol *) = NULL;
    switch (kind) {
    case NODE_TRAIT:
        ask = catalogue->trait;
        break;
    case NODE_TAG:
        ask = catalogue->tag;
        break;
    case NODE_SEGMENT:
        ask = catalogue->segment;
        break;
    case NODE_HAS:
        ask = catalogue->identifier_type;
        break;
    case NODE_CONSENT:
        ask = catalogue->consent;
        break;
    case NODE_REACHABLE:
        ask = catalogue->channel;
        break;
    case NODE_RELATION:
        ask = catalogue->relation;
        break;
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
    case NODE_TOUCH:
    case NODE_EVENT:
    case NODE_SEQUENCE:
    case NODE_OBJECT:
    case NODE_PROP:
    default:
        break;
    }
    return ask != NULL && ask(catalogue->context, name, symbol);
}

static err make_fact(struct parser *parser, json_value json, str pointer, const char *member,
                     const char *what, enum node_kind kind, struct node **out)
{
    struct node *node = parse_make(parser, kind, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    err error = parse_text(parser, json, pointer, member, &node->name);
    if (error != ERR_OK)
        return error;
    if (!ask_catalogue(parser, kind, node->name, &node->symbol))
        return parse_member(parser, pointer, str_from_c(member),
                            parse_unknown(parser, pointer, what, node->name));
    return parse_condition(parser, node);
}

/* A trait, tag or relation: a value of its own kind is compared; nothing more asks whether it is set. */
err parse_value_fact(struct parser *parser, json_value json, str pointer, const char *member,
                     enum node_kind kind, struct node **out)
{
    err error = parse_members(parser, json, pointer, member, true);
    if (error == ERR_OK)
        error = make_fact(parser, json, pointer, member, member, kind, out);
    if (error != ERR_OK)
        return error;
    struct node *node = *out;
    struct operand operand = { node->symbol.kind, 1, member, node->name };
    error = parse_compare(parser, json, pointer, &operand, &node->compare);
    if (error != ERR_OK)
        return error;
    if (node->compare.op == OP_NONE)
        node->compare.op = OP_IS_SET;
    node->relative = node->compare.relative;
    if (!node->compare.me || kind == NODE_RELATION)
        return ERR_OK;
    /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the hint gives the same error */
    error = parse_fail(parser, pointer, "'$me' is compared with relations only");
    error = parse_hint(parser, "as {\"relation\":\"adviser\",\"eq\":\"$me\"}");
    return parse_member(parser, pointer, str_from_c(operator_word(node->compare.op)), error);
}

err parse_plain_fact(struct parser *parser, json_value json, str pointer, const char *member,
                     const char *what, enum node_kind kind, struct node **out)
{
    err error = parse_members(parser, json, pointer, member, false);
    if (error != ERR_OK)
        return error;
    return make_fact(parser, json, pointer, member, what, kind, out);
}

/* {"consent":"sms"}: granted; {"consent":"sms","eq":false}: refused; is_set, is_not_set: said anything. */
err parse_consent(struct parser *parser, json_value json, str pointer, struct node **out)
{
    err error = parse_members(parser, json, pointer, "consent", true);
    if (error == ERR_OK)
        error = make_fact(parser, json, pointer, "consent", "consent", NODE_CONSENT, out);
    if (error != ERR_OK)
        return error;
    struct operand operand = { RULE_BOOL, 1, "consent", (*out)->name };
    struct compare *compare = &(*out)->compare;
    error = parse_compare(parser, json, pointer, &operand, compare);
    if (error != ERR_OK || compare->op != OP_NONE)
        return error;
    *compare = (struct compare){
        .op = OP_EQ,
        .kind = RULE_BOOL,
        .low = 1,
        .high = 1,
        .shown = STR("true"),
    };
    return ERR_OK;
}

/* ---- objects ---- */

static err note_symbol(struct parser *parser, uint32_t symbol)
{
    struct rule *rule = parser->rule;
    for (uint32_t i = 0; i < rule->object_symbol_count; i++)
        if (rule->object_symbols[i] == symbol)
            return ERR_OK;
    err error = GROW(parser, rule->object_symbols, rule->object_symbol_count);
    if (error == ERR_OK)
        rule->object_symbols[rule->object_symbol_count++] = symbol;
    return error;
}

err parse_object_prop(struct parser *parser, json_value json, str pointer, str path,
                      struct node **out)
{
    struct node *node = parse_make(parser, NODE_PROP, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    node->scope = SCOPE_OBJECT;
    node->name = path;
    const struct rule_catalogue *catalogue = parser->catalogue;
    if (catalogue->object == NULL ||
        !catalogue->object(catalogue->context, parser->object_kind, path, &node->symbol)) {
        char what[120];
        snprintf(what, sizeof(what), "%s of a %.*s",
                 str_starts_with(path, STR("tag:")) ? "tag" : "property",
                 (int)(parser->object_kind.size > 60 ? 60 : parser->object_kind.size),
                 parser->object_kind.data);
        return parse_member(parser, pointer,
                            str_starts_with(path, STR("tag:")) ? STR("tag") : STR("prop"),
                            parse_unknown(parser, pointer, what, path));
    }
    struct operand operand = { node->symbol.kind, 1, "property", path };
    err error = parse_leaf(parser, pointer);
    if (error == ERR_OK)
        error = note_symbol(parser, node->symbol.number);
    if (error == ERR_OK)
        error = parse_compare(parser, json, pointer, &operand, &node->compare);
    if (error != ERR_OK)
        return error;
    if (node->compare.op == OP_NONE)
        node->compare.op = OP_IS_SET;
    if (node->compare.me)
        return parse_fail(parser, pointer, "'$me' is compared with relations only");
    node->relative = node->compare.relative;
    return ERR_OK;
}

static err find_via(struct parser *parser, struct node *node, enum scope scope, str outer_kind)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    if (scope == SCOPE_EVENT) {
        node->via_kind = NODE_PROP;
        return parse_property(parser, NULL, node->via, node->pointer, &node->property);
    }
    if (scope == SCOPE_OBJECT) {
        node->via_kind = NODE_PROP;
        if (!catalogue->object(catalogue->context, outer_kind, node->via, &node->via_symbol))
            return parse_unknown(parser, node->pointer, "property", node->via);
        return note_symbol(parser, node->via_symbol.number);
    }
    node->via_kind = NODE_RELATION;
    if (ask_catalogue(parser, NODE_RELATION, node->via, &node->via_symbol))
        return ERR_OK;
    node->via_kind = NODE_TRAIT;
    if (ask_catalogue(parser, NODE_TRAIT, node->via, &node->via_symbol))
        return ERR_OK;
    return parse_unknown(parser, node->pointer, "relation", node->via);
}

static err check_via(struct parser *parser, struct node *node, enum scope scope, str outer_kind)
{
    err error =
        parse_member(parser, node->pointer, STR("via"), find_via(parser, node, scope, outer_kind));
    if (error != ERR_OK)
        return error;
    bool of_event = scope == SCOPE_EVENT;
    enum rule_kind kind = of_event ? node->property.kind : node->via_symbol.kind;
    if (!is_text_kind(kind))
        return parse_member(parser, node->pointer, STR("via"),
                            parse_fail(parser, node->pointer,
                                       "'" STR_FMT "' is a %s; the id of a " STR_FMT " is text",
                                       STR_ARG(node->via), kind_word(kind), STR_ARG(node->name)));
    if (of_event && node->property.source == FROM_COLUMN)
        return parse_verdict(parser, NULL, node, node->property.column, &node->verdict);
    return ERR_OK;
}

err parse_object(struct parser *parser, json_value json, str pointer, enum scope scope,
                 struct node **out)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    struct rule *rule = parser->rule;
    struct node *node = parse_make(parser, NODE_OBJECT, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    node->scope = scope;
    str outer_kind = parser->object_kind, inner;
    err error = parse_members(parser, json, pointer, "object via rule", false);
    if (error == ERR_OK)
        error = parse_text(parser, json, pointer, "object", &node->name);
    if (error == ERR_OK)
        error = parse_text(parser, json, pointer, "via", &node->via);
    if (error == ERR_OK)
        error = parse_pointer(parser, pointer, "rule", -1, &inner);
    if (error != ERR_OK)
        return error;
    if (catalogue->object == NULL ||
        !catalogue->object(catalogue->context, node->name, STR_NONE, &node->symbol))
        return parse_member(parser, pointer, STR("object"),
                            parse_unknown(parser, pointer, "object", node->name));
    error = check_via(parser, node, scope, outer_kind);
    if (error == ERR_OK && scope == SCOPE_CUSTOMER)
        error = parse_condition(parser, node);
    else if (error == ERR_OK)
        error = parse_leaf(parser, pointer);
    if (error != ERR_OK)
        return error;
    parser->object_kind = node->name;
    json_value inside = json_get(json, STR("rule"));
    if (json_kind(inside) == JSON_MISSING)
        error = parse_fail(parser, pointer, "'rule' says what holds of the " STR_FMT,
                           STR_ARG(node->name));
    else
        error = parse_where(parser, inside, inner, SCOPE_OBJECT, &node->inner);
    parser->object_kind = outer_kind;
    if (error != ERR_OK)
        return error;
    node->relative = node->inner->relative;
    error = GROW(parser, rule->sets, rule->set_count);
    if (error != ERR_OK)
        return error;
    node->set = rule->set_count; /* inner ones stand before */
    rule->sets[rule->set_count++] = node;
    return ERR_OK;
}
