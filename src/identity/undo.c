/* SPDX-License-Identifier: Apache-2.0 */
/* undo: what imports brought can be taken back; identity.h says how it is laid out for that. */
#include <string.h>

#include "identity/state.h"

/* ---- it comes by itself ---- */

/* The edge says that imports alone hold the two together, and which identifier came. */
static err edge_of_import(struct act *act, uint32_t node, uint32_t from, uint32_t row)
{
    uint32_t teller = act->source_number;
    int64_t joined_ms = act->joined_ms;
    act->source_number = EVENT_SOURCE_IMPORT_FIRST;
    act->joined_ms = 0; /* one identifier: nobody is joined to anybody */
    uint32_t edge = edge_new(act, node, from, row, row, MERGE_IMPORT);
    act->source_number = teller;
    act->joined_ms = joined_ms;
    return edge != 0 ? ERR_OK : ERR_NOMEM;
}

/* Those of the rows that an import had put at `from` go to a node of their own. */
static err adopt_from(struct act *act, uint32_t from, const uint32_t *rows, uint32_t count)
{
    struct identity *identity = act->identity;
    uint32_t node = node_new(act, 0);
    if (node == 0)
        return ERR_NOMEM;
    act->outcome->adopted = true;
    err error = ERR_OK;
    bool is_joined = false;
    for (uint32_t i = 0; i < count && error == ERR_OK; i++) {
        if (row_at(identity, rows[i])->node != from || !row_is_imported(identity, rows[i]))
            continue;
        if (!is_joined)
            error = edge_of_import(act, node, from, rows[i]);
        is_joined = true;
        row_set_flags(act, rows[i], 0, ROW_IMPORTED);
        row_move(act, rows[i], node, 0, LINK_IMPORT);
    }
    return error;
}

err import_adopt(struct act *act, const uint32_t *rows, uint32_t count)
{
    struct identity *identity = act->identity;
    err error = ERR_OK;
    for (uint32_t i = 0; i < count && error == ERR_OK; i++) {
        if (!row_is_imported(identity, rows[i]))
            continue; /* went with one before it */
        uint32_t from = row_at(identity, rows[i])->node;
        if (from == 0 || (row_at(identity, rows[i])->flags & ROW_SHARED) != 0)
            row_set_flags(act, rows[i], 0, ROW_IMPORTED);
        else
            error = adopt_from(act, from, rows + i, count - i);
    }
    return error;
}

/* ---- it is taken back ---- */

static bool is_row(const struct identity *identity, uint32_t row)
{
    return row != 0 && row < identity->rows.count;
}

err identity_undo_row(struct identity *identity, uint32_t row, uint64_t seq, int64_t now_ms,
                      struct ledger_writes *writes)
{
    struct act act = act_of_command(identity, writes, now_ms, seq);
    if (!is_row(identity, row) || !row_is_imported(identity, row))
        return ERR_OK;
    if (row_at(identity, row)->node != 0)
        row_move(&act, row, 0, 0, LINK_UNDONE);
    row_set_flags(&act, row, 0, ROW_STATED | IDENTIFIER_VERIFIED);
    return ERR_OK;
}

err identity_undo_move(struct identity *identity, uint32_t row, uint32_t from, uint32_t to,
                       uint64_t seq, int64_t now_ms, struct ledger_writes *writes)
{
    struct act act = act_of_command(identity, writes, now_ms, seq);
    if (is_row(identity, row) && to < identity->nodes.count && !identity_has_left(identity, to) &&
        !row_is_imported(identity, row) && row_at(identity, row)->node == from)
        row_move(&act, row, to, 0, LINK_UNDONE);
    return ERR_OK;
}

err identity_undo_evidence(struct identity *identity, uint32_t number, struct ledger_writes *writes)
{
    if (number == 0 || number >= identity->evidence.count)
        return ERR_OK;
    struct evidence *what = evidence_at(identity, number);
    what->at_ms = EVIDENCE_TAKEN_BACK;
    LEDGER_PUT(writes, LEDGER_EVIDENCE, ledger_int(number), ledger_int(what->row),
               ledger_int(what->with_row), ledger_int(what->node[0]), ledger_int(what->node[1]),
               ledger_int((int64_t)what->seq), ledger_int(what->at_ms),
               ledger_int(what->source_number));
    return ERR_OK;
}

err identity_undo_merge(struct identity *identity, uint32_t merge_id, uint64_t seq, int64_t now_ms,
                        struct ledger_writes *writes, uint32_t roots[2])
{
    roots[0] = roots[1] = 0;
    if (merge_id == 0 || merge_id >= identity->edges.count || edge_at(identity, merge_id)->undone)
        return ERR_OK;
    struct act act = act_of_command(identity, writes, now_ms, seq);
    const struct edge *edge = edge_at(identity, merge_id);
    uint32_t sides[2] = { edge->node[0], edge->node[1] };
    err error = edge_undo(&act, merge_id, 0);
    /* Whoever is one customer for another reason too, is. */
    for (int side = 0; side < 2 && error == ERR_OK; side++)
        error = evidence_join(&act, sides[side]);
    for (int side = 0; side < 2; side++)
        roots[side] = root_of(identity, sides[side]);
    return error;
}

/* ---- nodes of which nothing is left ---- */

bool identity_is_gone(const struct identity *identity, uint32_t node)
{
    return node / 64 < identity->gone_words &&
           (identity->gone[node / 64] & UINT64_C(1) << (node % 64)) != 0;
}

err node_load_gone(struct identity *identity, uint32_t node)
{
    if (node / 64 >= identity->gone_words) {
        uint32_t words = node / 64 + node / 256 + 16;
        uint64_t *gone = memory_resize(identity->gone, words * sizeof *gone);
        if (gone == NULL)
            return ERR_NOMEM;
        memset(gone + identity->gone_words, 0, (words - identity->gone_words) * sizeof *gone);
        identity->gone = gone;
        identity->gone_words = words;
    }
    identity->gone[node / 64] |= UINT64_C(1) << (node % 64);
    identity->gone_count++;
    return ERR_OK;
}

err identity_undo_node(struct identity *identity, uint32_t node, uint64_t seq,
                       struct ledger_writes *writes)
{
    if (node == 0 || node >= identity->nodes.count || identity_is_gone(identity, node) ||
        node_at(identity, node)->first_row != 0 || node_first_edge(identity, node) != 0)
        return ERR_OK;
    err error = node_load_gone(identity, node);
    if (error == ERR_OK)
        LEDGER_PUT(writes, LEDGER_GONE_CUSTOMERS, ledger_int(node), ledger_int((int64_t)seq));
    return error;
}
