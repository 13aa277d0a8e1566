/* SPDX-License-Identifier: Apache-2.0 */
/* moved: who used one identifier one after the other becomes one, when its type merges now (rules.c says when). */
#include <stdlib.h>

#include "base/arena.h"
#include "identity/rules.h"

/* Who used an identifier, one after the other. */
struct use {
    uint32_t row, node;
    uint64_t order; /* 0: at birth; then the id of the link */
};

struct uses {
    const struct identity *identity;
    struct use *items;
    size_t count, capacity;
    bool failed;
};

static void add_use(struct uses *uses, uint32_t row, uint32_t node, uint64_t order)
{
    if (uses->count == uses->capacity) {
        size_t capacity = uses->capacity == 0 ? 1024 : uses->capacity * 2;
        struct use *items = memory_resize(uses->items, capacity * sizeof(*items));
        if (items == NULL) {
            uses->failed = true;
            return;
        }
        uses->items = items;
        uses->capacity = capacity;
    }
    uses->items[uses->count++] = (struct use){ .row = row, .node = node, .order = order };
}

/* id row with_row customer; cause: only moves tell of two people with one strong identifier */
static bool note_use(void *context, const struct ledger_value *values)
{
    struct uses *uses = context;
    const struct identity *identity = uses->identity;
    if (values[1].integer <= 0 || values[1].integer >= identity->rows.count ||
        values[3].integer <= 0 || values[3].integer >= identity->nodes.count ||
        !str_equal(values[7].bytes, STR("moved")))
        return true;
    uint32_t row = (uint32_t)values[1].integer;
    if (join_counts(identity, row))
        add_use(uses, row, (uint32_t)values[3].integer, (uint64_t)values[0].integer);
    return !uses->failed;
}

static int compare_uses(const void *left, const void *right)
{
    const struct use *a = left, *b = right;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Neighbours in time become one, unless so many used it that it would count as shared. */
static err join_users(struct rules *rules, const struct use *uses, size_t count)
{
    struct act *act = &rules->act;
    struct identity *identity = act->identity;
    uint32_t row = uses[0].row, most = row_type(identity, row)->shared_after;
    err error = ERR_OK;
    if (most > 0 && count > most)
        return ERR_OK;
    uint32_t home = row_at(identity, row)->node;
    for (size_t i = 0; i < count && home != 0 && error == ERR_OK; i++) {
        enum refusal_reason reason;
        const struct identifier_type *type;
        rules_breathe(rules);
        rules->evaluated++;
        if (same_customer(identity, uses[i].node, home) ||
            !join_is_allowed(identity, uses[i].node, home, act->now_s, &reason, &type))
            continue;
        rules_note_merge(rules, uses[i].node, home, "used one after the other");
        error = join_customers(act, uses[i].node, home, row, row, MERGE_RULES);
    }
    return error;
}

static bool note_birth(void *context, const struct ledger_value *values)
{
    struct uses *uses = context;
    if (values[5].integer > 0)
        add_use(uses, (uint32_t)values[0].integer, (uint32_t)values[5].integer, 0);
    return !uses->failed;
}

static void sort_uses(struct uses *uses)
{
    size_t kept = 0;
    if (uses->count > 1)
        qsort(uses->items, uses->count, sizeof(*uses->items), compare_uses);
    for (size_t i = 0; i < uses->count; i++) {
        if (kept == 0 || compare_uses(&uses->items[kept - 1], &uses->items[i]) != 0)
            uses->items[kept++] = uses->items[i];
    }
    uses->count = kept;
}

/* Those of the ledger, and those that it may not have yet: which these are must not matter. */
static err read_moves(struct rules *rules, struct uses *uses)
{
    const struct identity *identity = rules->act.identity;
    err error = ledger_scan(rules->ledger, LEDGER_LINKS, NULL, note_use, uses, rules->problem);
    for (uint32_t i = 0; i < identity->move_count; i++) {
        const struct pending_move *move = &identity->moves[i];
        if (join_counts(identity, move->row))
            add_use(uses, move->row, move->node, move->link_id);
    }
    sort_uses(uses);
    return error;
}

static err read_uses(struct rules *rules, struct uses *uses)
{
    err error = read_moves(rules, uses);
    size_t moves = uses->count;
    for (size_t i = 0; i < moves && error == ERR_OK; i++) {
        uint32_t row = uses->items[i].row;
        if (i > 0 && row == uses->items[i - 1].row)
            continue;
        const struct pending *pending = pending_find(rules->act.identity, row);
        struct ledger_value key = ledger_int(row);
        if (pending == NULL)
            error = ledger_find(rules->ledger, LEDGER_IDENTIFIERS, &key, 1, note_birth, uses,
                                rules->problem);
        else if (pending->born_at != 0)
            add_use(uses, row, pending->born_at, 0);
    }
    sort_uses(uses);
    return error == ERR_OK && uses->failed ? ERR_NOMEM : error;
}

/* Only types that were weak when it moved have moves: strong identifiers never move. */
err rules_join_moved(struct rules *rules)
{
    struct uses uses = { .identity = rules->act.identity };
    err error = read_uses(rules, &uses);
    for (size_t begin = 0; begin < uses.count && error == ERR_OK;) {
        size_t end = begin + 1;
        while (end < uses.count && uses.items[end].row == uses.items[begin].row)
            end++;
        error = join_users(rules, &uses.items[begin], end - begin);
        begin = end;
    }
    memory_free(uses.items);
    return error;
}
