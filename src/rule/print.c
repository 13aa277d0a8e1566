/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a condition about events the same as another: its normal form, with all that the form leaves to the time at
 * which it was read (kinds of properties, the zone). Two conditions with one print are counted once for both (pool.c). */
#include "rule/inside.h"

#define PRINT_BYTES_MAX ((size_t)4 << 20)

/* ---- how it moves ---- */

static bool asks_objects(const struct node *where)
{
    bool asks = where != NULL && where->kind == NODE_OBJECT;
    for (uint32_t i = 0; where != NULL && i < where->child_count && !asks; i++)
        asks = asks_objects(where->children[i]);
    return asks;
}

static enum moving moving_of(const struct node *node)
{
    const struct measuring *measuring = &node->measuring;
    bool others = measuring->window.entering || asks_objects(node->where);
    for (uint32_t i = 0; i < node->step_count; i++)
        others = others || asks_objects(node->steps[i].where);
    if (others)
        return MOVES_BY_OTHERS;
    bool order = node->kind == NODE_SEQUENCE || measuring->net || measuring->nth != 0 ||
                 measuring->measure == MEASURE_RECENCY || node->compare.relative ||
                 (node->where != NULL && node->where->relative);
    return order ? MOVES_BY_ORDER : MOVES_BY_WINDOW;
}

/* ---- prints ---- */

static void print_property(struct buffer *out, const struct property *property)
{
    buffer_printf(out, "%d,%d,%d;", (int)property->source, (int)property->kind,
                  (int)property->column_kind);
}

static void print_where(struct buffer *out, const struct node *where)
{
    if (where == NULL)
        return;
    if (where->kind == NODE_PROP) {
        print_property(out, &where->property);
        buffer_printf(out, "%d;", (int)where->compare.kind);
    }
    for (uint32_t i = 0; i < where->child_count; i++)
        print_where(out, where->children[i]);
}

static void print_measured(struct buffer *out, const struct measuring *measuring)
{
    if (measuring->has_of)
        print_property(out, &measuring->of);
    if (measuring->net)
        print_property(out, &measuring->order);
    if (measuring->has_amount)
        print_property(out, &measuring->amount);
    if (measuring->has_amount_other)
        print_property(out, &measuring->amount_other);
}

static void print_steps(struct buffer *out, const struct node *node)
{
    for (uint32_t i = 0; i < node->step_count; i++) {
        const struct step *step = &node->steps[i];
        print_where(out, step->where);
        for (uint32_t k = 0; k < 2 * step->same_count; k++)
            print_property(out, &step->same[k]);
    }
}

static hash128 take_print(struct buffer *out)
{
    hash128 hash = hash_bytes128(out->data, out->size, 0);
    buffer_clear(out);
    return hash;
}

static void print_slot(const struct rule *rule, const struct node *node, struct buffer *out,
                       struct print *print)
{
    const char *zone = rule->zone.name;
    print->moving = moving_of(node);
    write_part(node, PART_EVENTS, out);
    print_where(out, node->where);
    buffer_printf(out, "%s", zone);
    print->events = take_print(out);
    write_part(node, PART_WINDOW, out);
    buffer_printf(out, "%s", zone);
    print->window = take_print(out);
    write_part(node, PART_ALL, out);
    print_where(out, node->where);
    print_measured(out, &node->measuring);
    print_steps(out, node);
    buffer_printf(out, "%d;%d;%s", (int)node->compare.op, (int)node->compare.kind, zone);
}

err rule_print(struct rule *rule)
{
    struct buffer out;
    rule->prints = arena_array(&rule->arena, struct print, rule->slot_count + 1);
    if (rule->prints == NULL)
        return ERR_NOMEM;
    buffer_init(&out, PRINT_BYTES_MAX);
    for (uint32_t i = 0; i < rule->slot_count && buffer_status(&out) == ERR_OK; i++) {
        print_slot(rule, rule->slots[i], &out, &rule->prints[i]);
        if (buffer_status(&out) == ERR_OK)
            rule->prints[i].all = take_print(&out);
    }
    err error = buffer_status(&out);
    buffer_deinit(&out);
    return error;
}
