/* SPDX-License-Identifier: Apache-2.0 */
/* join: merging two customers with all its conditions, and identifiers that too many share. */
#include "identity/state.h"

bool join_is_allowed(struct identity *identity, uint32_t a, uint32_t b, uint32_t now_s,
                     enum refusal_reason *reason, const struct identifier_type **type)
{
    *type = NULL;
    if (forest_is_separated(identity, a, b)) {
        *reason = REFUSED_SEPARATED;
        return false;
    }
    *reason = REFUSED_LIMIT;
    return limit_allows_join(identity, a, b, now_s, type);
}

err join_customers(struct act *act, uint32_t node, uint32_t other, uint32_t row, uint32_t with_row,
                   enum merge_cause cause)
{
    uint32_t number = edge_new(act, node, other, row, with_row, cause);
    if (number == 0)
        return ERR_NOMEM;
    struct identity_outcome *outcome = act->outcome;
    if (outcome != NULL && outcome->merge_count < IDENTITY_MERGES_MAX) {
        const struct edge *edge = edge_at(act->identity, number);
        outcome->merges[outcome->merge_count].id = number;
        outcome->merges[outcome->merge_count].survivor = edge->survivor;
        outcome->merges[outcome->merge_count].absorbed = edge->absorbed;
        outcome->merge_count++;
    }
    limit_enforce_all(act, node);
    return ERR_OK;
}

bool join_counts(const struct identity *identity, uint32_t row)
{
    uint8_t flags = (uint8_t)row_at(identity, row)->flags;
    return row_is_here(identity, row) && row_type(identity, row)->strong &&
           (flags & ROW_STATED) != 0 && (flags & (ROW_SHARED | IDENTIFIER_BLOCKED)) == 0;
}

bool join_is_known(const struct identity *identity, uint32_t node)
{
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t row; (row = walk_next(&walk)) != 0;) {
        if ((row_at(identity, row)->flags & ROW_STATED) != 0 && row_type(identity, row)->strong)
            return true;
    }
    return false;
}

/* Alone at its node, and the node alone: there it can stay. */
static bool is_alone(const struct identity *identity, uint32_t row)
{
    uint32_t node = row_at(identity, row)->node;
    return node != 0 && node_at(identity, node)->first_row == row &&
           row_at(identity, row)->next == 0 && component_size(identity, node) == 1;
}

/* The oldest strong identifier beside it at its node; 0 if there is none. */
static uint32_t strong_neighbour(const struct identity *identity, uint32_t row)
{
    uint32_t oldest = 0;
    uint32_t number = node_at(identity, row_at(identity, row)->node)->first_row;
    for (; number != 0; number = row_at(identity, number)->next) {
        if (number != row && (row_at(identity, number)->flags & ROW_STATED) != 0 &&
            row_type(identity, number)->strong && (oldest == 0 || number < oldest))
            oldest = number;
    }
    return oldest;
}

/* Whoever had it first loses it too; that link is filed like those that were refused. */
err join_make_shared(struct act *act, uint32_t row)
{
    struct identity *identity = act->identity;
    row_set_flags(act, row, ROW_SHARED, 0);
    if (row_at(identity, row)->node == 0 || is_alone(identity, row))
        return ERR_OK;
    uint32_t neighbour = strong_neighbour(identity, row);
    uint32_t node = node_new(act, NODE_SHARED);
    if (node == 0)
        return ERR_NOMEM;
    row_move(act, row, node, 0, LINK_SHARED);
    return neighbour != 0 ? refusal_file(act, neighbour, row, REFUSED_SHARED, NULL) : ERR_OK;
}
