/* SPDX-License-Identifier: Apache-2.0 */
/* evidence: what speaks for a merge that was there already. A forest keeps one reason for each merge; the
 * others wait here, so that taking one merge back does not tear apart who belongs together for another
 * reason. */
#include "identity/state.h"

static void link_in(struct identity *identity, uint32_t number)
{
    struct evidence *evidence = evidence_at(identity, number);
    for (int side = 0; side < 2; side++) {
        struct index_key key = index_key_of_pair(evidence->node[side], 0);
        evidence->next[side] = index_get(&identity->evidence_nodes, &key);
        if (evidence->next[side] != 0)
            index_change(&identity->evidence_nodes, &key, number);
        else if (index_add(&identity->evidence_nodes, &key, number) != ERR_OK)
            INVARIANT(false); /* there was room */
    }
}

/* What is known of a pair: the evidence that was filed, or the merge that it made. */
#define PAIR_MERGED UINT32_C(0x80000000)
#define PAIR_OF(number) ((number) + 1)

static bool is_filed(uint32_t known)
{
    return known != 0 && (known & PAIR_MERGED) == 0;
}

err evidence_mark_merge(struct identity *identity, uint32_t edge, uint32_t row, uint32_t with_row)
{
    struct index_key pair = index_key_of_pair(row, with_row);
    if (index_get(&identity->evidence_pairs, &pair) != 0)
        return ERR_OK;
    return index_add(&identity->evidence_pairs, &pair, PAIR_MERGED | edge);
}

err evidence_load(struct identity *identity, uint32_t number)
{
    const struct evidence *evidence = evidence_at(identity, number);
    struct index_key pair = index_key_of_pair(evidence->row, evidence->with_row);
    err error = ERR_OK;
    for (int side = 0; side < 2 && error == ERR_OK; side++) {
        struct index_key key = index_key_of_pair(evidence->node[side], 0);
        error = index_reserve(&identity->evidence_nodes, &key, 2);
    }
    if (error == ERR_OK && index_get(&identity->evidence_pairs, &pair) != 0)
        index_change(&identity->evidence_pairs, &pair, PAIR_OF(number));
    else if (error == ERR_OK)
        error = index_add(&identity->evidence_pairs, &pair, PAIR_OF(number));
    if (error == ERR_OK)
        link_in(identity, number);
    return error;
}

static err add(struct act *act, const struct evidence *what)
{
    struct identity *identity = act->identity;
    uint32_t number = identity->evidence.count;
    err error = segments_grow(&identity->evidence, (uint64_t)number + 1);
    if (error != ERR_OK)
        return error;
    identity->evidence.count++;
    *evidence_at(identity, number) = *what;
    if (act->writes != NULL)
        LEDGER_PUT(act->writes, LEDGER_EVIDENCE, ledger_int(number), ledger_int(what->row),
                   ledger_int(what->with_row), ledger_int(what->node[0]), ledger_int(what->node[1]),
                   ledger_int((int64_t)what->seq), ledger_int(what->at_ms),
                   ledger_int(what->source_number));
    return evidence_load(identity, number);
}

/* What an import said goes when the import is taken back: what others say of the pair is news beside it. */
static bool is_news(const struct act *act, uint32_t known)
{
    if (known == 0)
        return true;
    uint32_t teller = is_filed(known) ? evidence_at(act->identity, known - 1)->source_number
                                      : edge_at(act->identity, known & ~PAIR_MERGED)->source_number;
    return event_source_is_import(teller) && teller != act->source_number;
}

err evidence_file(struct act *act, uint32_t row, uint32_t with_row)
{
    struct identity *identity = act->identity;
    struct index_key pair = index_key_of_pair(row, with_row);
    if (!is_news(act, index_get(&identity->evidence_pairs, &pair)))
        return ERR_OK;
    struct evidence evidence = {
        .node = { row_at(identity, row)->node, row_at(identity, with_row)->node },
        .row = row,
        .with_row = with_row,
        .source_number = act->source_number,
        .seq = act->seq,
        .at_ms = act->now_ms,
    };
    return add(act, &evidence);
}

err evidence_keep(struct act *act, const struct edge *edge)
{
    struct index_key pair = index_key_of_pair(edge->row, edge->with_row);
    if (is_filed(index_get(&act->identity->evidence_pairs, &pair)))
        return ERR_OK;
    struct evidence evidence = {
        .node = { edge->node[0], edge->node[1] },
        .row = edge->row,
        .with_row = edge->with_row,
        .source_number = edge->source_number,
        .seq = edge->seq,
        .at_ms = edge->at_ms,
    };
    return add(act, &evidence);
}

/* ---- joining by it ---- */

static bool may_join(struct act *act, const struct evidence *evidence)
{
    struct identity *identity = act->identity;
    enum refusal_reason reason;
    const struct identifier_type *type;
    return evidence->at_ms != EVIDENCE_TAKEN_BACK &&
           !same_customer(identity, evidence->node[0], evidence->node[1]) &&
           join_counts(identity, evidence->row) && join_counts(identity, evidence->with_row) &&
           join_is_allowed(identity, evidence->node[0], evidence->node[1], act->now_s, &reason,
                           &type);
}

err evidence_try(struct act *act, uint32_t number, enum merge_cause cause, bool *joined)
{
    const struct evidence *evidence = evidence_at(act->identity, number);
    *joined = may_join(act, evidence);
    if (!*joined)
        return ERR_OK;
    refusal_settle(act, evidence->row, evidence->with_row);
    return join_customers(act, evidence->node[0], evidence->node[1], evidence->row,
                          evidence->with_row, cause);
}

/* The oldest evidence that may join the component of `start` with another; 0 if there is none. */
static uint32_t oldest_joining(struct act *act, uint32_t start)
{
    struct identity *identity = act->identity;
    uint32_t node = start, oldest = 0;
    do {
        struct index_key key = index_key_of_pair(node, 0);
        uint32_t number = index_get(&identity->evidence_nodes, &key);
        while (number != 0) {
            const struct evidence *evidence = evidence_at(identity, number);
            if ((oldest == 0 || number < oldest) && may_join(act, evidence))
                oldest = number;
            number = evidence->next[evidence->node[0] == node ? 0 : 1];
        }
        node = node_next(identity, node);
    } while (node != start);
    return oldest;
}

/* One after the other, each time the oldest: what is joined first does not depend on lists and rings. */
err evidence_join(struct act *act, uint32_t node)
{
    uint32_t number;
    if (act->identity->evidence.count == 1)
        return ERR_OK;
    while ((number = oldest_joining(act, node)) != 0) {
        bool joined;
        err error = evidence_try(act, number, MERGE_IDENTIFIER, &joined);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

err evidence_forget_node(struct act *act, uint32_t node)
{
    struct identity *identity = act->identity;
    struct index_key key = index_key_of_pair(node, 0);
    uint32_t number = identity->evidence.count > 1 ? index_get(&identity->evidence_nodes, &key) : 0;
    err error = ERR_OK;
    while (error == ERR_OK && number != 0) {
        const struct evidence *what = evidence_at(identity, number);
        uint32_t next = what->next[what->node[0] == node ? 0 : 1];
        if (what->at_ms != EVIDENCE_TAKEN_BACK)
            error = identity_undo_evidence(identity, number, act->writes);
        number = next;
    }
    return error;
}
