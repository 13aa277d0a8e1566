/* SPDX-License-Identifier: Apache-2.0 */
/* forest: nodes, the components they form by edges, and the separations between them.
 *
 * A component is relabelled when it is joined into a larger one, so a node always knows its component
 * in one step, and n joins cost at most n log n relabellings in whatever order they come. */
#include <stdlib.h>

#include "identity/state.h"

static const char *const merge_texts[MERGE_CAUSE_COUNT] = {
    [MERGE_IDENTIFIER] = "identifier", [MERGE_LOGIN] = "login", [MERGE_MANUAL] = "manual",
    [MERGE_REVIEW] = "review",         [MERGE_RULES] = "rules", [MERGE_IMPORT] = "import",
};

const char *merge_cause_text(enum merge_cause cause)
{
    return merge_texts[cause];
}

uint32_t node_new(struct act *act, uint8_t flags)
{
    struct identity *identity = act->identity;
    uint32_t number = identity->nodes.count;
    if (segments_grow(&identity->nodes, (uint64_t)number + 1) != ERR_OK ||
        families_node(identity, number) != ERR_OK)
        return 0;
    identity->nodes.count++;
    *node_at(identity, number) = (struct node){ .tie = NODE_ALONE };
    if (act->writes != NULL)
        LEDGER_PUT(act->writes, LEDGER_CUSTOMERS, ledger_int(number), ledger_int(flags),
                   ledger_int(act->now_ms), ledger_int((int64_t)act->seq));
    return number;
}

/* ---- ties ---- */

/* The tie of a node, made when it has none; NULL without memory. */
static struct tie *tie_make(struct identity *identity, uint32_t number)
{
    struct node *node = node_at(identity, number);
    uint32_t tie = identity->tie_free;
    if (node->tie != NODE_ALONE)
        return tie_at(identity, number);
    if (tie != 0)
        identity->tie_free = ((struct tie *)segments_at(&identity->ties, tie))->component;
    else if (segments_grow(&identity->ties, (uint64_t)identity->ties.count + 1) == ERR_OK)
        tie = identity->ties.count++;
    else
        return NULL;
    node->tie = tie;
    *tie_at(identity, number) = (struct tie){ .next = number };
    return tie_at(identity, number);
}

/* It is given back once it says nothing. */
static void tie_settle(struct identity *identity, uint32_t number)
{
    struct tie *tie = tie_at(identity, number);
    if (tie->component != 0 || tie->first_edge != 0 || tie->next != number)
        return;
    *tie = (struct tie){ .component = identity->tie_free };
    identity->tie_free = node_at(identity, number)->tie;
    node_at(identity, number)->tie = NODE_ALONE;
}

/* ---- components ---- */

static err component_reserve(struct identity *identity)
{
    if (identity->component_free != 0 || identity->component_count < identity->component_capacity)
        return ERR_OK;
    uint32_t capacity = identity->component_capacity == 0
                            ? 64
                            : identity->component_capacity + identity->component_capacity / 2;
    struct component *components =
        memory_resize(identity->components, capacity * sizeof(*components));
    if (components == NULL)
        return ERR_NOMEM;
    identity->components = components;
    identity->component_capacity = capacity;
    if (identity->component_count == 0) {
        components[0] = (struct component){ .root = 0 };
        identity->component_count = 1;
    }
    return ERR_OK;
}

/* After component_reserve. */
static uint32_t component_take(struct identity *identity)
{
    uint32_t number = identity->component_free;
    if (number != 0)
        identity->component_free = identity->components[number].root;
    else
        number = identity->component_count++;
    identity->components[number] = (struct component){ .root = 0 };
    return number;
}

static void component_give(struct identity *identity, uint32_t number)
{
    struct component *component = &identity->components[number];
    counts_free(&component->counts);
    *component = (struct component){ .root = identity->component_free };
    identity->component_free = number;
}

uint32_t component_size(const struct identity *identity, uint32_t node)
{
    uint32_t component = node_component(identity, node);
    return component != 0 ? identity->components[component].node_count : 1;
}

err forest_component(struct identity *identity, uint32_t number, uint32_t *out)
{
    *out = node_component(identity, number);
    if (*out != 0)
        return ERR_OK;
    err error = component_reserve(identity);
    struct tie *tie = error == ERR_OK ? tie_make(identity, number) : NULL;
    if (tie == NULL)
        return ERR_NOMEM;
    tie->component = *out = component_take(identity);
    identity->components[*out].root = number;
    identity->components[*out].node_count = 1;
    families_component(identity, *out);
    return ERR_OK;
}

err forest_join(struct identity *identity, uint32_t a, uint32_t b)
{
    uint32_t big, small;
    if (component_size(identity, a) < component_size(identity, b)) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    err error = forest_component(identity, a, &big);
    if (error == ERR_OK)
        error = forest_component(identity, b, &small);
    if (error != ERR_OK)
        return error;
    INVARIANT(big != small);
    counts_join(identity, big, small);
    families_join(identity, big, small);
    struct component *into = &identity->components[big], *from = &identity->components[small];
    into->node_count += from->node_count;
    if (from->root < into->root)
        into->root = from->root;
    for (struct tie *tie = tie_at(identity, b); tie->component != big;
         tie = tie_at(identity, tie->next))
        tie->component = big;
    uint32_t next = tie_at(identity, a)->next;
    tie_at(identity, a)->next = tie_at(identity, b)->next;
    tie_at(identity, b)->next = next;
    component_give(identity, small);
    return ERR_OK;
}

struct row_walk walk_rows(const struct identity *identity, uint32_t node)
{
    const struct node *here = node_at(identity, node);
    return (struct row_walk){ .identity = identity,
                              .start = node,
                              .node = node,
                              .row = here->first_row,
                              .done = here->tie == 0 };
}

uint32_t walk_next(struct row_walk *walk)
{
    while (walk->row == 0) {
        if (walk->done)
            return 0;
        walk->node = node_next(walk->identity, walk->node);
        if (walk->node == walk->start)
            return 0;
        walk->row = node_at(walk->identity, walk->node)->first_row;
    }
    uint32_t row = walk->row;
    walk->row = row_at(walk->identity, row)->next;
    return row;
}

/* ---- edges ---- */

static unsigned side_of(const struct edge *edge, uint32_t node)
{
    return edge->node[0] == node ? 0 : 1;
}

void edge_link_in(struct identity *identity, uint32_t number)
{
    struct edge *edge = edge_at(identity, number);
    for (unsigned side = 0; side < 2; side++) {
        struct tie *tie = tie_at(identity, edge->node[side]); /* they are merged */
        edge->next[side] = tie->first_edge;
        tie->first_edge = number;
    }
    identity->edges_active++;
}

static void edge_link_out(struct identity *identity, uint32_t number)
{
    struct edge *edge = edge_at(identity, number);
    for (unsigned side = 0; side < 2; side++) {
        uint32_t node = edge->node[side];
        uint32_t *at = &tie_at(identity, node)->first_edge;
        while (*at != number) {
            struct edge *other = edge_at(identity, *at);
            at = &other->next[side_of(other, node)];
        }
        *at = edge->next[side];
    }
    identity->edges_active--;
}

void edge_put(struct ledger_writes *writes, const struct identity *identity, uint32_t number,
              int64_t undone_ms, uint64_t undone_seq, uint32_t undone_by)
{
    if (writes == NULL)
        return;
    const struct edge *edge = edge_at(identity, number);
    str cause = str_from_c(merge_cause_text((enum merge_cause)edge->cause));
    LEDGER_PUT(writes, LEDGER_MERGES, ledger_int(number), ledger_int(edge->survivor),
               ledger_int(edge->absorbed), ledger_int(edge->node[0]), ledger_int(edge->node[1]),
               ledger_int((int64_t)edge->seq), ledger_int(edge->at_ms),
               ledger_int(edge->source_number), ledger_int(edge->row), ledger_int(edge->with_row),
               ledger_text(cause), ledger_int(undone_ms), ledger_int((int64_t)undone_seq),
               ledger_int(undone_by), ledger_int(edge->joined_ms));
}

uint32_t edge_new(struct act *act, uint32_t node, uint32_t other, uint32_t row, uint32_t with_row,
                  enum merge_cause cause)
{
    struct identity *identity = act->identity;
    uint32_t number = identity->edges.count;
    uint32_t a = root_of(identity, node), b = root_of(identity, other);
    refusals_moot(act, node, other);
    if (segments_grow(&identity->edges, (uint64_t)number + 1) != ERR_OK ||
        (cause == MERGE_IDENTIFIER &&
         evidence_mark_merge(identity, number, row, with_row) != ERR_OK) ||
        forest_join(identity, node, other) != ERR_OK)
        return 0;
    identity->edges.count++;
    *edge_at(identity, number) = (struct edge){
        .node = { node, other },
        .survivor = a < b ? a : b,
        .absorbed = a < b ? b : a,
        .row = row,
        .with_row = with_row,
        .source_number = act->source_number,
        .cause = (uint8_t)cause,
        .at_ms = act->now_ms,
        .joined_ms = act->joined_ms,
        .seq = act->seq,
    };
    edge_link_in(identity, number);
    edge_put(act->writes, identity, number, 0, 0, 0);
    return number;
}

static int compare_joins(const void *left, const void *right)
{
    const struct identity_join *a = left, *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->merge_id < b->merge_id ? -1 : a->merge_id > b->merge_id;
}

size_t identity_joins(const struct identity *identity, uint32_t start, struct identity_join *joins,
                      size_t limit)
{
    size_t count = 0;
    uint32_t node = start;
    if (start == 0 || start >= identity->nodes.count || !node_is_here(identity, start))
        return 0;
    do {
        uint32_t number = node_first_edge(identity, node);
        while (number != 0) {
            const struct edge *edge = edge_at(identity, number);
            unsigned side = side_of(edge, node);
            if (side == 0 && count++ < limit)
                joins[count - 1] = (struct identity_join){ .node = { node, edge->node[1] },
                                                           .merge_id = number,
                                                           .at_ms = edge->joined_ms };
            number = edge->next[side];
        }
        node = node_next(identity, node);
    } while (node != start);
    if (count > 1 && count <= limit)
        qsort(joins, count, sizeof(*joins), compare_joins);
    return count;
}

/* ---- taking an edge back ---- */

/* Give the nodes that edges still reach from `start` the label `component`, and make them a ring. They
 * wait in a chain through `next`, which nobody else reads meanwhile: no recursion, no memory. */
static void relabel_reached(struct identity *identity, uint32_t start, uint32_t component)
{
    struct component *out = &identity->components[component];
    uint32_t last = start;
    out->root = start;
    out->node_count = 1;
    tie_at(identity, start)->component = component;
    tie_at(identity, start)->next = 0;
    for (uint32_t node = start; node != 0; node = tie_at(identity, node)->next) {
        uint32_t number = node_first_edge(identity, node);
        while (number != 0) {
            const struct edge *edge = edge_at(identity, number);
            unsigned side = side_of(edge, node);
            uint32_t other = edge->node[1 - side];
            struct tie *reached = tie_at(identity, other);
            if (reached->component != component) {
                reached->component = component;
                reached->next = 0;
                tie_at(identity, last)->next = other;
                last = other;
                out->node_count++;
                if (other < out->root)
                    out->root = other;
            }
            number = edge->next[side];
        }
    }
    tie_at(identity, last)->next = start;
}

/* A component of one node, without many rows, needs no entry. */
static void component_settle(struct identity *identity, uint32_t number)
{
    if (identity->components[number].node_count > 1)
        return;
    uint32_t node = identity->components[number].root;
    tie_at(identity, node)->component = 0;
    component_give(identity, number);
    tie_settle(identity, node);
}

err edge_undo(struct act *act, uint32_t number, uint32_t user_number)
{
    struct identity *identity = act->identity;
    struct edge *edge = edge_at(identity, number);
    INVARIANT(!edge->undone);
    err error = component_reserve(identity);
    if (error != ERR_OK)
        return error;
    uint32_t first = component_take(identity);
    error = component_reserve(identity);
    if (error != ERR_OK) {
        component_give(identity, first);
        return error;
    }
    uint32_t second = component_take(identity);
    uint32_t old = node_component(identity, edge->node[0]);
    uint16_t families = identity->components[old].families;
    edge_link_out(identity, number);
    edge->undone = true;
    relabel_reached(identity, edge->node[0], first);
    relabel_reached(identity, edge->node[1], second);
    INVARIANT(identity->components[first].node_count + identity->components[second].node_count ==
              identity->components[old].node_count);
    component_give(identity, old);
    families_cut(identity, families, first, second);
    component_settle(identity, first);
    component_settle(identity, second);
    edge_put(act->writes, identity, number, act->now_ms, act->seq, user_number);
    return ERR_OK;
}

/* ---- separations ---- */

static uint32_t first_separation(const struct identity *identity, uint32_t node)
{
    struct index_key key = index_key_of_pair(node, 0);
    return index_get(&identity->separated, &key);
}

static uint32_t next_separation(const struct separation *separation, uint32_t node)
{
    return separation->next[separation->node[0] == node ? 0 : 1];
}

/* A separation between the component of `a` and that of `b`, looked for from the smaller one; 0 if
 * there is none. */
static uint32_t find_separation(const struct identity *identity, uint32_t a, uint32_t b)
{
    if (identity->separations_active == 0)
        return 0;
    if (component_size(identity, a) > component_size(identity, b)) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    uint32_t node = a;
    do {
        uint32_t number = first_separation(identity, node);
        while (number != 0) {
            const struct separation *separation = &identity->separations[number];
            uint32_t other = separation->node[separation->node[0] == node ? 1 : 0];
            if (!separation->removed && same_customer(identity, other, b))
                return number;
            number = next_separation(separation, node);
        }
        node = node_next(identity, node);
    } while (node != a);
    return 0;
}

bool forest_is_separated(const struct identity *identity, uint32_t a, uint32_t b)
{
    return find_separation(identity, a, b) != 0;
}

static err separations_grow(struct identity *identity)
{
    if (identity->separation_count < identity->separation_capacity)
        return ERR_OK;
    uint32_t capacity = identity->separation_capacity == 0 ? 16 : identity->separation_capacity * 2;
    struct separation *separations =
        memory_resize(identity->separations, capacity * sizeof(*separations));
    if (separations == NULL)
        return ERR_NOMEM;
    identity->separations = separations;
    identity->separation_capacity = capacity;
    if (identity->separation_count == 0) {
        separations[0] = (struct separation){ .removed = true };
        identity->separation_count = 1;
    }
    return ERR_OK;
}

err separation_load(struct identity *identity, uint32_t a, uint32_t b, uint64_t merge_id,
                    int64_t at_ms)
{
    struct index_key keys[2] = { index_key_of_pair(a, 0), index_key_of_pair(b, 0) };
    err error = separations_grow(identity);
    for (int i = 0; i < 2 && error == ERR_OK; i++)
        error = index_reserve(&identity->separated, &keys[i], 2);
    if (error != ERR_OK)
        return error;
    uint32_t number = identity->separation_count++;
    struct separation *separation = &identity->separations[number];
    *separation = (struct separation){ .node = { a, b }, .merge_id = merge_id, .at_ms = at_ms };
    for (int i = 0; i < 2; i++) {
        separation->next[i] = index_get(&identity->separated, &keys[i]);
        if (separation->next[i] != 0)
            index_change(&identity->separated, &keys[i], number);
        else if (index_add(&identity->separated, &keys[i], number) != ERR_OK)
            INVARIANT(false); /* there was room */
    }
    identity->separations_active++;
    return ERR_OK;
}

err separation_add(struct act *act, uint32_t a, uint32_t b, uint64_t merge_id)
{
    if (a > b) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    for (uint32_t number = first_separation(act->identity, a); number != 0;
         number = next_separation(&act->identity->separations[number], a)) {
        const struct separation *there = &act->identity->separations[number];
        if (!there->removed && there->node[0] == a && there->node[1] == b)
            return ERR_OK;
    }
    err error = separation_load(act->identity, a, b, merge_id, act->now_ms);
    if (error == ERR_OK && act->writes != NULL)
        LEDGER_PUT(act->writes, LEDGER_SEPARATIONS, ledger_int(a), ledger_int(b),
                   ledger_int((int64_t)merge_id), ledger_int(act->now_ms));
    return error;
}

void separations_remove(struct act *act, uint32_t a, uint32_t b)
{
    struct identity *identity = act->identity;
    uint32_t number;
    while ((number = find_separation(identity, a, b)) != 0) {
        struct separation *separation = &identity->separations[number];
        separation->removed = true;
        identity->separations_active--;
        if (act->writes != NULL)
            ledger_delete(act->writes, LEDGER_SEPARATIONS,
                          (struct ledger_value[]){ ledger_int(separation->node[0]),
                                                   ledger_int(separation->node[1]) });
    }
}
