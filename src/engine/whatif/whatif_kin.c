/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_kin: which nodes are one customer: what holds them together, and, with identities as they were, the merges and splits of those
 * days in the order of their records. */
#include <stdlib.h>
#include <string.h>

#include "engine/whatif/whatif_inside.h"

/* ---- what holds her nodes together ---- */

err cast_add_join(struct cast *cast, const struct identity_join *join)
{
    struct cast_node *a = cast_at(cast, join->node[0]), *b = cast_at(cast, join->node[1]);
    if (a == NULL || b == NULL)
        return ERR_OK;
    struct cast_join *longer =
        cast_grown(cast->joins, cast->join_count, &cast->join_capacity, sizeof(*longer));
    if (longer == NULL)
        return ERR_NOMEM;
    cast->joins = longer;
    longer[cast->join_count++] =
        (struct cast_join){ .join = *join, .next = { a->joins, b->joins } };
    a->joins = b->joins = (uint32_t)cast->join_count;
    return ERR_OK;
}

static int compare_joins(const void *left, const void *right)
{
    const struct identity_join *a = left, *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->merge_id < b->merge_id ? -1 : a->merge_id > b->merge_id;
}

/* Some may be of another time: their nodes are apart now, or the merge was taken back. */
static bool joins_now(const struct cast *cast, const struct identity_join *join)
{
    return cast->root[join->node[0]] == cast->root[join->node[1]] &&
           (cast->is_undone == NULL || cast->is_undone[join->merge_id] == 0);
}

size_t cast_joins(const struct cast *cast, uint32_t root, struct identity_join *joins, size_t max)
{
    size_t count = 0;
    for (uint32_t node = root; node != 0; node = cast->next[node]) {
        const struct cast_node *there = cast_at(cast, node);
        uint32_t at = there != NULL ? there->joins : 0;
        while (at != 0) {
            const struct cast_join *one = &cast->joins[at - 1];
            unsigned side = one->join.node[0] == node ? 0 : 1;
            if (side == 0 && joins_now(cast, &one->join) && count++ < max)
                joins[count - 1] = one->join;
            at = one->next[side];
        }
    }
    if (count > 1 && count <= max)
        qsort(joins, count, sizeof(*joins), compare_joins);
    return count;
}

/* ---- identities as they were ---- */

static void join(struct cast *cast, uint32_t survivor, uint32_t absorbed)
{
    uint32_t one = cast->next[survivor], other = absorbed, *last = &cast->next[survivor];
    for (uint32_t node = absorbed; node != 0; node = cast->next[node])
        cast->root[node] = survivor;
    while (one != 0 && other != 0) {
        uint32_t *least = one < other ? &one : &other;
        *last = *least;
        last = &cast->next[*least];
        *least = *last;
    }
    *last = one != 0 ? one : other;
}

static uint32_t apply_merge(struct cast *cast, uint32_t node, uint32_t other)
{
    uint32_t a = cast->root[node], b = cast->root[other];
    if (a == 0 || b == 0 || a == b)
        return 0;
    join(cast, a < b ? a : b, a < b ? b : a);
    return a < b ? b : a;
}

struct reading_merges {
    struct whatif_run *run;
    err error;
};

static bool add_edge(struct cast *cast, const struct cast_edge *edge)
{
    struct cast_edge *longer =
        cast_grown(cast->edges, cast->edge_count, &cast->edge_capacity, sizeof(*longer));
    if (longer == NULL)
        return false;
    cast->edges = longer;
    longer[cast->edge_count++] = *edge;
    return true;
}

static bool read_merge(void *context, const struct ledger_value *values)
{
    struct reading_merges *reading = context;
    struct cast *cast = &reading->run->cast;
    int64_t undone_ms = values[11].integer;
    struct cast_edge edge = { .merge = (uint32_t)values[0].integer,
                              .node = (uint32_t)values[3].integer,
                              .other = (uint32_t)values[4].integer,
                              .seq = (uint64_t)values[5].integer,
                              .at_ms = values[6].integer };
    struct identity_join join = { .node = { edge.node, edge.other },
                                  .merge_id = edge.merge,
                                  .at_ms = values[14].integer };
    if (edge.node > cast->node_count || edge.other > cast->node_count ||
        edge.merge > cast->merge_count)
        return true; /* made after this run began */
    bool added = add_edge(cast, &edge) && cast_add_join(cast, &join) == ERR_OK;
    edge.is_split = true;
    edge.seq = (uint64_t)values[12].integer;
    edge.at_ms = undone_ms;
    if (added && undone_ms != 0)
        added = add_edge(cast, &edge);
    reading->error = added ? ERR_OK : ERR_NOMEM;
    return added;
}

static int compare_edges(const void *left, const void *right)
{
    const struct cast_edge *a = left, *b = right;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return a->merge < b->merge ? -1 : a->merge > b->merge;
}

/* All that had merged by then and was not split: the first of them by seq. */
err cast_go_back(struct whatif_run *run)
{
    struct cast *cast = &run->cast;
    struct reading_merges reading = { .run = run };
    size_t bytes = ((size_t)cast->node_count + 1) * sizeof(uint32_t);
    err error = engine_settle(run->engine, false, 60 * SECOND_MS);
    if (error == ERR_OK)
        error = ledger_scan(run->engine->ledger, LEDGER_MERGES, NULL, read_merge, &reading,
                            run->problem);
    if (error == ERR_OK)
        error = reading.error;
    cast->root = memory_alloc(bytes);
    cast->is_undone = memory_alloc((size_t)cast->merge_count + 1);
    if (error != ERR_OK || cast->root == NULL || cast->is_undone == NULL)
        return error != ERR_OK ? error : ERR_NOMEM;
    memset(cast->next, 0, bytes);
    for (uint32_t node = 1; node <= cast->node_count; node++)
        cast->root[node] = cast->today[node] != 0 ? node : 0;
    if (cast->edge_count > 0)
        qsort(cast->edges, cast->edge_count, sizeof(*cast->edges), compare_edges);
    for (size_t i = 0; i < cast->edge_count; i++)
        if (cast->edges[i].is_split && cast->edges[i].at_ms < run->order.from_ms &&
            cast->edges[i].merge <= cast->merge_count)
            cast->is_undone[cast->edges[i].merge] = 1;
    while (cast->edge_next < cast->edge_count &&
           cast->edges[cast->edge_next].at_ms < run->order.from_ms) {
        const struct cast_edge *edge = &cast->edges[cast->edge_next++];
        if (!edge->is_split && cast->is_undone[edge->merge] == 0)
            apply_merge(cast, edge->node, edge->other);
    }
    return ERR_OK;
}

size_t cast_meeting(const struct cast *cast, uint64_t seq, uint32_t *roots, size_t max)
{
    size_t count = 0;
    for (size_t i = cast->edge_next; i < cast->edge_count && count + 2 <= max; i++) {
        const struct cast_edge *edge = &cast->edges[i];
        if (edge->seq != seq || edge->is_split)
            break;
        roots[count++] = cast->root[edge->node];
        roots[count++] = cast->root[edge->other];
    }
    return count;
}

size_t cast_merge(struct cast *cast, uint64_t seq, uint32_t *absorbed, size_t max)
{
    size_t count = 0;
    while (cast->edge_next < cast->edge_count && count < max &&
           cast->edges[cast->edge_next].seq == seq && !cast->edges[cast->edge_next].is_split) {
        const struct cast_edge *edge = &cast->edges[cast->edge_next++];
        uint32_t gone = apply_merge(cast, edge->node, edge->other);
        if (gone != 0)
            absorbed[count++] = gone;
    }
    return count;
}

/* Apart, then together again by all that still holds. */
static void take_apart(struct cast *cast, const struct cast_edge *split)
{
    uint32_t root = cast->root[split->node];
    cast->is_undone[split->merge] = 1;
    for (uint32_t node = root, next; node != 0; node = next) {
        next = cast->next[node];
        cast->next[node] = 0;
        cast->root[node] = node;
    }
    for (size_t i = 0; i < cast->edge_next; i++) {
        const struct cast_edge *edge = &cast->edges[i];
        if (!edge->is_split && cast->is_undone[edge->merge] == 0)
            apply_merge(cast, edge->node, edge->other);
    }
}

int64_t cast_next_change_ms(const struct cast *cast, uint64_t seq, int64_t at_ms)
{
    const struct cast_edge *edge = &cast->edges[cast->edge_next];
    return cast->edge_next < cast->edge_count && edge->seq < seq && edge->at_ms <= at_ms
               ? edge->at_ms
               : INT64_MAX;
}

bool cast_split_before(struct cast *cast, uint64_t seq, int64_t at_ms, struct cast_edge *edge)
{
    if (cast->edge_next == cast->edge_count || cast->edges[cast->edge_next].seq >= seq ||
        cast->edges[cast->edge_next].at_ms > at_ms)
        return false;
    *edge = cast->edges[cast->edge_next];
    if (edge->is_split) {
        cast->edge_next++;
        take_apart(cast, edge);
    }
    return true;
}
