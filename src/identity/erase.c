/* SPDX-License-Identifier: Apache-2.0 */
/* erase: a customer is forgotten. Of her identifiers the keyed hashes stay, as tombstones; values and last digits go; she is at home
 * nowhere, her nodes are joined to nobody and gone. What the ledger has of a row is read there: a barrier was before (command.c). */
#include <string.h>

#include "base/arena.h"
#include "identity/state.h"

struct erasing {
    struct act act;
    struct ledger *ledger;
    uint32_t erasure, row;
    struct identity_erased *erased;
    err error;
};

static void bury(struct erasing *erasing, str hashes)
{
    uint32_t type = row_type(erasing->act.identity, erasing->row)->number;
    if (erasing->erasure == 0)
        return; /* she may come back */
    for (size_t at = 0; at + HASH_BYTES <= hashes.size && erasing->error == ERR_OK;
         at += HASH_BYTES)
        erasing->error = tombstone_put(&erasing->act, (const uint8_t *)hashes.data + at, type,
                                       erasing->row, erasing->erasure);
}

/* The row as it was born, without its value: as if its hash alone had been known. */
static bool erase_birth(void *context, const struct ledger_value *values)
{
    struct erasing *erasing = context;
    struct ledger_value kept[LEDGER_COLUMNS_MAX];
    int count = ledger_table_columns(LEDGER_IDENTIFIERS);
    memcpy(kept, values, (size_t)count * sizeof *kept);
    kept[4] = ledger_int(values[4].integer | IDENTIFIER_HASHED);
    kept[10] = ledger_blob(STR(""));
    kept[11] = ledger_blob(STR(""));
    ledger_put(erasing->act.writes, LEDGER_IDENTIFIERS, kept);
    bury(erasing, values[1].bytes);
    erasing->erased->identifiers++;
    return false;
}

static bool erase_hash(void *context, const struct ledger_value *values)
{
    struct erasing *erasing = context;
    LEDGER_PUT(erasing->act.writes, LEDGER_IDENTIFIER_HASHES, values[0], values[1], ledger_null(),
               ledger_null());
    bury(erasing, values[0].bytes);
    return erasing->error == ERR_OK;
}

static err erase_row(struct erasing *erasing, uint32_t row, struct problem *problem)
{
    struct ledger_value key = ledger_int(row);
    erasing->row = row;
    err error =
        ledger_find(erasing->ledger, LEDGER_IDENTIFIERS, &key, 1, erase_birth, erasing, problem);
    if (error == ERR_OK && erasing->error == ERR_OK)
        error = ledger_find_by(erasing->ledger, LEDGER_IDENTIFIER_HASHES, "row", key, NULL, false,
                               SIZE_MAX, erase_hash, erasing, problem);
    if (error == ERR_OK)
        error = erasing->error;
    if (error != ERR_OK)
        return error;
    refusals_dismiss_row(&erasing->act, row);
    row_move(&erasing->act, row, 0, 0, LINK_ERASED);
    row_set_flags(&erasing->act, row, 0, ROW_STATED | IDENTIFIER_VERIFIED);
    return ERR_OK;
}

static err erase_node_edges(struct erasing *erasing, uint32_t node)
{
    struct identity *identity = erasing->act.identity;
    err error = evidence_forget_node(&erasing->act, node);
    while (error == ERR_OK && node_first_edge(identity, node) != 0)
        error = edge_undo(&erasing->act, node_first_edge(identity, node), 0);
    return error;
}

err identity_erase(struct identity *identity, struct ledger *ledger, const uint32_t *nodes,
                   size_t count, uint32_t erasure, uint64_t seq, int64_t now_ms,
                   struct ledger_writes *writes, struct identity_erased *erased,
                   struct problem *problem)
{
    struct erasing erasing = { .act = act_of_command(identity, writes, now_ms, seq),
                               .ledger = ledger,
                               .erasure = erasure,
                               .erased = erased };
    err error = ERR_OK;
    *erased = (struct identity_erased){ .identifiers = 0 };
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        uint32_t row;
        while (error == ERR_OK && (row = node_at(identity, nodes[i])->first_row) != 0)
            error = erase_row(&erasing, row, problem);
    }
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = erase_node_edges(&erasing, nodes[i]);
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = identity_undo_node(identity, nodes[i], seq, writes);
    return error;
}
