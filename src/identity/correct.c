/* SPDX-License-Identifier: Apache-2.0 */
/* correct: an identifier that is not this customer's is taken off her by hand.
 *
 * A strong one gets a customer of its own, and the two stay apart (a separation, as after a split): what comes with both is refused and
 * filed, what comes with it alone is the other's. A weak one is at home nowhere: it belongs to who uses it next. What either has
 * brought so far stays where it is, as its node does. A merge that stands on it is not torn: that is to be taken back itself. */
#include "identity/state.h"

static bool is_alone(const struct identity *identity, uint32_t row)
{
    struct row_walk walk = walk_rows(identity, row_at(identity, row)->node);
    for (uint32_t other; (other = walk_next(&walk)) != 0;)
        if (other != row)
            return false;
    return true;
}

/* The merge that stands on this identifier; 0: none does. */
static uint32_t merge_on(const struct identity *identity, uint32_t row)
{
    uint32_t node = row_at(identity, row)->node, number = node_first_edge(identity, node);
    while (number != 0) {
        const struct edge *edge = edge_at(identity, number);
        if (!edge->undone && (edge->row == row || edge->with_row == row))
            return number;
        number = edge->next[edge->node[0] == node ? 0 : 1];
    }
    return 0;
}

static err check_hers(const struct identity *identity, uint32_t node, uint32_t row,
                      struct problem *problem)
{
    bool hers = row != 0 && row < identity->rows.count && row_at(identity, row)->node != 0 &&
                same_customer(identity, node, row_at(identity, row)->node);
    return hers ? ERR_OK
                : problem_set(problem, ERR_NOT_FOUND, "this customer has no identifier %u", row);
}

static err check_part(const struct identity *identity, uint32_t node, uint32_t row,
                      struct problem *problem)
{
    err error = check_hers(identity, node, row, problem);
    if (error != ERR_OK)
        return error;
    uint32_t merge = merge_on(identity, row);
    if (merge != 0) {
        problem_set(problem, ERR_CONFLICT, "merge %u stands on identifier %u", merge, row);
        return problem_hint(problem, ERR_CONFLICT, "take the merge back: POST …/split");
    }
    if ((row_at(identity, row)->flags & ROW_SHARED) != 0)
        return problem_set(problem, ERR_CONFLICT, "identifier %u is shared by too many customers",
                           row);
    if (!is_alone(identity, row))
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "identifier %u is the only one that she has", row);
    return problem_hint(problem, ERR_CONFLICT,
                        "nobody would find her any more; merge her into whom she is, or erase her");
}

/* What was said of its pairs with others speaks for no merge of theirs any more. */
static err forget_evidence(struct act *act, uint32_t node, uint32_t row)
{
    struct identity *identity = act->identity;
    struct index_key key = index_key_of_pair(node, 0);
    uint32_t number = identity->evidence.count > 1 ? index_get(&identity->evidence_nodes, &key) : 0;
    err error = ERR_OK;
    while (error == ERR_OK && number != 0) {
        const struct evidence *what = evidence_at(identity, number);
        uint32_t next = what->next[what->node[0] == node ? 0 : 1];
        if (what->at_ms != EVIDENCE_TAKEN_BACK && (what->row == row || what->with_row == row))
            error = identity_undo_evidence(identity, number, act->writes);
        number = next;
    }
    return error;
}

err identity_part(struct identity *identity, uint32_t node, uint32_t row, uint64_t seq,
                  int64_t now_ms, struct ledger_writes *writes, uint32_t *other,
                  struct problem *problem)
{
    *other = 0;
    err error = check_part(identity, node, row, problem);
    if (error != ERR_OK)
        return error;
    struct act act = act_of_command(identity, writes, now_ms, seq);
    uint32_t from = row_at(identity, row)->node;
    error = forget_evidence(&act, from, row);
    if (error == ERR_OK && row_type(identity, row)->strong) {
        *other = node_new(&act, 0);
        error = *other != 0 ? separation_add(&act, from, *other, 0) : ERR_NOMEM;
    }
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory to take identifier %u off", row);
    row_move(&act, row, *other, 0, LINK_UNBOUND);
    /* A person has decided: an import that is taken back takes this back no more. */
    row_set_flags(&act, row, 0, ROW_IMPORTED);
    return ERR_OK;
}
