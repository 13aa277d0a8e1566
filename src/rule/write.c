/* SPDX-License-Identifier: Apache-2.0 */
/* A rule as JSON again, in its normal form: members in one order, what goes without saying left out. */
#include <string.h>

#include "rule/inside.h"

static void write_node(struct json_writer *writer, const struct node *node);

static void member_texts(struct json_writer *writer, const char *name, const struct texts *texts)
{
    if (texts->count == 0)
        return;
    json_put_key(writer, str_from_c(name));
    if (texts->count == 1) {
        json_put_text(writer, texts->items[0]);
        return;
    }
    json_begin_array(writer);
    for (uint32_t i = 0; i < texts->count; i++)
        json_put_text(writer, texts->items[i]);
    json_end_array(writer);
}

static void member_events(struct json_writer *writer, const struct texts *texts)
{
    static const str any[] = { { "*", 1 } };
    const struct texts all = { any, 1 };
    bool is_any = texts->count == 1 && texts->items[0].size == 0;
    member_texts(writer, "event", is_any ? &all : texts);
}

static void member_compare(struct json_writer *writer, const struct compare *compare)
{
    if (compare->op == OP_NONE)
        return;
    if (operator_arity(compare->op) == '0')
        json_member_bool(writer, str_from_c(operator_word(compare->op)), true);
    else
        json_member_raw(writer, str_from_c(operator_word(compare->op)), compare->shown);
}

static void member_window(struct json_writer *writer, const struct window *window)
{
    if (!window->given)
        return;
    if (window->last.size > 0) {
        json_member_text(writer, STR("last"), window->last);
        return;
    }
    if (window->entered.kind != RULE_ENTERED_SELF) {
        json_put_key(writer, STR("during"));
        json_begin_object(writer);
        json_put_key(writer, STR("since_entering"));
        json_begin_object(writer);
        json_member_text(
            writer, window->entered.kind == RULE_ENTERED_SEGMENT ? STR("segment") : STR("journey"),
            window->word);
        json_end_object(writer);
        json_end_object(writer);
        return;
    }
    if (window->word.size > 0) {
        json_member_text(writer, STR("during"), window->word);
        return;
    }
    json_put_key(writer, STR("during"));
    json_begin_object(writer);
    if (window->has_from)
        json_member_text(writer, STR("from"), window->from_word);
    if (window->has_to)
        json_member_text(writer, STR("to"), window->to_word);
    json_end_object(writer);
}

static void member_list(struct json_writer *writer, const char *name, const struct node *node)
{
    json_put_key(writer, str_from_c(name));
    json_begin_array(writer);
    for (uint32_t i = 0; i < node->child_count; i++)
        write_node(writer, node->children[i]);
    json_end_array(writer);
}

/* A list stands for all of them. */
static void member_where(struct json_writer *writer, const char *name, const struct node *where)
{
    if (where == NULL)
        return;
    if (where->kind == NODE_ALL) {
        if (where->child_count > 0)
            member_list(writer, name, where);
        return;
    }
    json_put_key(writer, str_from_c(name));
    write_node(writer, where);
}

static void member_measure(struct json_writer *writer, const struct node *node)
{
    const struct measuring *measuring = &node->measuring;
    if (measuring->nth != 0)
        json_member_int(writer, STR("nth"), measuring->nth);
    member_window(writer, &measuring->window);
    if (measuring->measure != MEASURE_COUNT)
        json_member_text(writer, STR("measure"), str_from_c(measure_word(measuring->measure)));
    if (measuring->has_of)
        json_member_text(writer, STR("of"), measuring->of.path);
    if (measuring->net)
        json_member_bool(writer, STR("net"), true);
    const struct compare *compare = &node->compare;
    bool happened =
        measuring->measure == MEASURE_COUNT && compare->op == OP_GTE && compare->low == 1;
    bool is_set = measuring->measure != MEASURE_COUNT && compare->op == OP_IS_SET;
    if (!happened && !is_set)
        member_compare(writer, compare);
}

static void write_event(struct json_writer *writer, const struct node *node)
{
    member_events(writer, &node->events);
    member_where(writer, "where", node->where);
    member_measure(writer, node);
}

static void write_touch(struct json_writer *writer, const struct node *node)
{
    static const char *const fields[] = { "journey", "node", "campaign", "template", "channel" };
    json_put_key(writer, STR("touch"));
    json_begin_object(writer);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        member_texts(writer, fields[i], &node->touch[i]);
    json_end_object(writer);
    member_texts(writer, "status", &node->touch[TOUCH_STATUS]);
    member_measure(writer, node);
}

static void write_step(struct json_writer *writer, const struct step *step)
{
    json_begin_object(writer);
    member_events(writer, &step->events);
    member_where(writer, "where", step->where);
    if (step->same_count == 1) {
        json_member_text(writer, STR("same"), step->same[0].path);
    } else if (step->same_count > 1) {
        json_put_key(writer, STR("same"));
        json_begin_array(writer);
        for (uint32_t i = 0; i < step->same_count; i++)
            json_put_text(writer, step->same[2 * i].path);
        json_end_array(writer);
    }
    if (step->absent)
        json_member_bool(writer, STR("absent"), true);
    json_end_object(writer);
}

static void write_sequence(struct json_writer *writer, const struct node *node)
{
    json_put_key(writer, STR("sequence"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < node->step_count; i++)
        write_step(writer, &node->steps[i]);
    json_end_array(writer);
    if (node->has_within)
        json_member_text(writer, STR("within"), node->within_word);
    member_window(writer, &node->measuring.window);
}

static void write_prop(struct json_writer *writer, const struct node *node)
{
    str tag = STR("tag:");
    bool is_tag = node->scope == SCOPE_OBJECT && str_starts_with(node->name, tag);
    if (is_tag)
        json_member_text(writer, STR("tag"), str_slice(node->name, tag.size, node->name.size));
    else
        json_member_text(writer, STR("prop"), node->name);
    if (node->compare.op != OP_IS_SET)
        member_compare(writer, &node->compare);
}

static void write_fact(struct json_writer *writer, const struct node *node)
{
    static const char *const words[] = {
        [NODE_TRAIT] = "trait",       [NODE_TAG] = "tag",         [NODE_SEGMENT] = "segment",
        [NODE_HAS] = "has",           [NODE_CONSENT] = "consent", [NODE_REACHABLE] = "reachable",
        [NODE_RELATION] = "relation",
    };
    json_member_text(writer, str_from_c(words[node->kind]), node->name);
    bool granted =
        node->kind == NODE_CONSENT && node->compare.op == OP_EQ && node->compare.low == 1;
    bool set = node->kind != NODE_CONSENT && node->compare.op == OP_IS_SET;
    if (!granted && !set)
        member_compare(writer, &node->compare);
}

static void write_members(struct json_writer *writer, const struct node *node)
{
    switch (node->kind) {
    case NODE_ALL:
        member_list(writer, "all", node);
        break;
    case NODE_ANY:
        member_list(writer, "any", node);
        break;
    case NODE_NOT:
        json_put_key(writer, STR("not"));
        write_node(writer, node->children[0]);
        break;
    case NODE_EVENT:
        write_event(writer, node);
        break;
    case NODE_SEQUENCE:
        write_sequence(writer, node);
        break;
    case NODE_TOUCH:
        write_touch(writer, node);
        break;
    case NODE_PROP:
        write_prop(writer, node);
        break;
    case NODE_OBJECT:
        json_member_text(writer, STR("object"), node->name);
        json_member_text(writer, STR("via"), node->via);
        json_put_key(writer, STR("rule"));
        write_node(writer, node->inner);
        break;
    case NODE_TRAIT:
    case NODE_TAG:
    case NODE_SEGMENT:
    case NODE_HAS:
    case NODE_CONSENT:
    case NODE_REACHABLE:
    case NODE_RELATION:
    default:
        write_fact(writer, node);
        break;
    }
}

static void write_node(struct json_writer *writer, const struct node *node)
{
    json_begin_object(writer);
    write_members(writer, node);
    json_end_object(writer);
}

void write_part(const struct node *node, enum written_part part, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    switch (part) {
    case PART_EVENTS:
        member_events(&writer, &node->events);
        member_where(&writer, "where", node->where);
        break;
    case PART_WINDOW:
        member_window(&writer, &node->measuring.window);
        break;
    case PART_ALL:
    default:
        write_members(&writer, node);
        break;
    }
    json_end_object(&writer);
}

void rule_write(const struct rule *rule, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    bool of_objects = rule->root->kind == NODE_OBJECT && rule->root->scope == SCOPE_OBJECT;
    write_node(&writer, of_objects ? rule->root->inner : rule->root);
}
