/* SPDX-License-Identifier: Apache-2.0 */
/* load: from the ledger's tables to the state in RAM, by scans. */
#include <string.h>

#include "identity/state.h"

struct load {
    struct identity *identity;
    struct problem *problem;
    err error;
    /* Of the last row: runs of rows have one kind. */
    uint32_t kind, type_number;
    bool without_index;
};

static bool fail(struct load *load, err error, const char *what, int64_t number)
{
    load->error = problem_set(load->problem, error, "ledger: %s %lld cannot be loaded", what,
                              (long long)number);
    return false;
}

static bool load_type(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    load->error = type_load(load->identity, (uint32_t)values[0].integer, values[1].bytes,
                            values[2].bytes, load->problem);
    return load->error == ERR_OK;
}

static bool load_last_number(void *context, const struct ledger_value *values)
{
    *(int64_t *)context = values[0].integer;
    return true;
}

static uint32_t kind_of(struct load *load, uint32_t type_number, str namespace_)
{
    struct identity *identity = load->identity;
    if (load->kind != 0 && load->type_number == type_number &&
        str_equal(identity->kinds[load->kind].namespace_, namespace_))
        return load->kind;
    struct identifier_type *type = type_by_number(identity, type_number);
    load->type_number = type_number;
    load->kind = type != NULL ? kind_intern(identity, type, namespace_) : 0;
    return load->kind;
}

static bool load_hashes(struct load *load, str hashes, uint32_t row)
{
    if (hashes.size % HASH_BYTES != 0)
        return fail(load, ERR_CORRUPT, "the hashes of identifier", row);
    for (size_t at = 0; at < hashes.size && !load->without_index; at += HASH_BYTES) {
        struct index_key key = index_key_of_hash((const uint8_t *)hashes.data + at);
        if (index_load(&load->identity->index, &key, row) != ERR_OK)
            return fail(load, ERR_NOMEM, "identifier", row);
    }
    return true;
}

/* row hash type_number namespace flags customer attached_ms */
static bool load_row(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    uint32_t number = identity->rows.count;
    if (values[0].integer != number || values[5].integer < 0 ||
        values[5].integer >= identity->nodes.count)
        return fail(load, ERR_CORRUPT, "identifier", values[0].integer);
    uint32_t kind = kind_of(load, (uint32_t)values[2].integer, values[3].bytes);
    if (kind == 0)
        return fail(load, ERR_CORRUPT, "the type of identifier", number);
    if (segments_grow(&identity->rows, (uint64_t)number + 1) != ERR_OK)
        return fail(load, ERR_NOMEM, "identifier", number);
    identity->rows.count++;
    identity->kinds[kind].type->rows++;
    *row_at(identity, number) = (struct row){
        .node = (uint32_t)values[5].integer,
        .kind = kind & 0xFFFFFF,
        .flags = (uint8_t)values[4].integer,
        .attached_s = values[5].integer != 0 ? seconds_of(values[6].integer) : 0,
    };
    return load_hashes(load, values[1].bytes, number);
}

static bool load_home(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    if (values[0].integer <= 0 || values[0].integer >= identity->rows.count ||
        values[2].integer < 0 || values[2].integer >= identity->nodes.count)
        return fail(load, ERR_CORRUPT, "the home of identifier", values[0].integer);
    struct row *row = row_at(identity, (uint32_t)values[0].integer);
    row->flags = (uint8_t)values[1].integer;
    row->node = (uint32_t)values[2].integer;
    row->attached_s = seconds_of(values[3].integer);
    return true;
}

static bool load_hash(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    if (values[1].integer <= 0 || values[1].integer >= load->identity->rows.count ||
        values[0].bytes.size != HASH_BYTES)
        return fail(load, ERR_CORRUPT, "a hash of identifier", values[1].integer);
    return load_hashes(load, values[0].bytes, (uint32_t)values[1].integer);
}

/* id survivor absorbed node other seq at_ms source_number row with_row cause undone_ms */
static bool load_merge(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    uint32_t number = identity->edges.count;
    uint32_t cause = 0;
    while (cause < MERGE_CAUSE_COUNT &&
           !str_equal(values[10].bytes, str_from_c(merge_cause_text((enum merge_cause)cause))))
        cause++;
    int64_t node = values[3].integer, other = values[4].integer;
    if (values[0].integer != number || cause == MERGE_CAUSE_COUNT || node <= 0 || other <= 0 ||
        node >= identity->nodes.count || other >= identity->nodes.count)
        return fail(load, ERR_CORRUPT, "merge", values[0].integer);
    if (segments_grow(&identity->edges, (uint64_t)number + 1) != ERR_OK)
        return fail(load, ERR_NOMEM, "merge", number);
    identity->edges.count++;
    *edge_at(identity, number) = (struct edge){
        .node = { (uint32_t)node, (uint32_t)other },
        .survivor = (uint32_t)values[1].integer,
        .absorbed = (uint32_t)values[2].integer,
        .row = (uint32_t)values[8].integer,
        .with_row = (uint32_t)values[9].integer,
        .source_number = (uint32_t)values[7].integer,
        .cause = (uint8_t)cause,
        .undone = values[11].integer != 0,
        .at_ms = values[6].integer,
        .seq = (uint64_t)values[5].integer,
    };
    const struct edge *edge = edge_at(identity, number);
    if (cause == MERGE_IDENTIFIER)
        load->error = evidence_mark_merge(identity, edge->row, edge->with_row);
    if (edge->undone || load->error != ERR_OK)
        return load->error == ERR_OK;
    if (same_customer(identity, (uint32_t)node, (uint32_t)other))
        return fail(load, ERR_CORRUPT, "merge", number);
    if (forest_join(identity, (uint32_t)node, (uint32_t)other) != ERR_OK)
        return fail(load, ERR_NOMEM, "merge", number);
    edge_link_in(identity, number);
    return true;
}

/* id row with_row node other seq at_ms source_number */
static bool load_evidence(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    uint32_t number = identity->evidence.count;
    if (values[0].integer != number || values[1].integer <= 0 || values[2].integer <= 0 ||
        values[1].integer >= identity->rows.count || values[2].integer >= identity->rows.count ||
        values[3].integer <= 0 || values[4].integer <= 0 ||
        values[3].integer >= identity->nodes.count || values[4].integer >= identity->nodes.count)
        return fail(load, ERR_CORRUPT, "evidence", values[0].integer);
    if (segments_grow(&identity->evidence, (uint64_t)number + 1) != ERR_OK)
        return fail(load, ERR_NOMEM, "evidence", number);
    identity->evidence.count++;
    *evidence_at(identity, number) = (struct evidence){
        .row = (uint32_t)values[1].integer,
        .with_row = (uint32_t)values[2].integer,
        .node = { (uint32_t)values[3].integer, (uint32_t)values[4].integer },
        .seq = (uint64_t)values[5].integer,
        .at_ms = values[6].integer,
        .source_number = (uint32_t)values[7].integer,
    };
    load->error = evidence_load(identity, number);
    return load->error == ERR_OK;
}

static bool load_separation(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    if (values[0].integer <= 0 || values[1].integer <= values[0].integer ||
        values[1].integer >= identity->nodes.count)
        return fail(load, ERR_CORRUPT, "the separation of customer", values[0].integer);
    load->error = separation_load(identity, (uint32_t)values[0].integer,
                                  (uint32_t)values[1].integer, (uint64_t)values[2].integer,
                                  values[3].integer);
    return load->error == ERR_OK;
}

static bool load_refusal(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    uint32_t number = identity->refusals.count;
    enum refusal_reason reason;
    enum refusal_status status;
    const struct identifier_type *type = type_find(identity, values[10].bytes);
    if (values[0].integer != number || !refusal_reason_parse(values[4].bytes, &reason) ||
        !refusal_status_parse(values[11].bytes, &status) || values[5].integer <= 0 ||
        values[5].integer >= identity->rows.count || values[6].integer <= 0 ||
        values[6].integer >= identity->rows.count)
        return fail(load, ERR_CORRUPT, "refusal", values[0].integer);
    if (segments_grow(&identity->refusals, (uint64_t)number + 1) != ERR_OK)
        return fail(load, ERR_NOMEM, "refusal", number);
    identity->refusals.count++;
    *refusal_at(identity, number) = (struct refusal){
        .row = (uint32_t)values[5].integer,
        .with_row = (uint32_t)values[6].integer,
        .customer = (uint32_t)values[7].integer,
        .other = (uint32_t)values[8].integer,
        .source_number = (uint32_t)values[3].integer,
        .decided_by = (uint32_t)values[12].integer,
        .times = (uint32_t)values[9].integer,
        .type_number = type != NULL ? (uint16_t)type->number : 0,
        .reason = (uint8_t)reason,
        .status = (uint8_t)status,
        .at_ms = values[1].integer,
        .last_ms = values[13].integer,
        .seq = (uint64_t)values[2].integer,
    };
    load->error = refusal_load(identity, number);
    return load->error == ERR_OK;
}

static err scan(struct load *load, struct ledger *ledger, enum ledger_table table,
                const char *columns, ledger_visitor visit)
{
    err error = columns == NULL
                    ? ledger_scan(ledger, table, NULL, visit, load, load->problem)
                    : ledger_scan_some(ledger, table, columns, NULL, visit, load, load->problem);
    return error != ERR_OK ? error : load->error;
}

static err last_number(struct ledger *ledger, enum ledger_table table, int64_t *number,
                       struct problem *problem)
{
    *number = 0;
    return ledger_page(ledger, table, NULL, true, 1, load_last_number, number, problem);
}

static err load_nodes(struct identity *identity, struct ledger *ledger, struct problem *problem)
{
    int64_t last;
    err error = last_number(ledger, LEDGER_CUSTOMERS, &last, problem);
    if (error != ERR_OK)
        return error;
    if (last < 0 || last >= UINT32_MAX ||
        segments_grow(&identity->nodes, (uint64_t)last + 1) != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory for %lld customers", (long long)last);
    identity->nodes.count = (uint32_t)last + 1;
    for (uint32_t node = 1; node < identity->nodes.count; node++)
        node_at(identity, node)->next = node;
    return ERR_OK;
}

/* Rows come in the order of their numbers, their nodes nearly so: ask for the memory a little ahead. */
static void link_rows(struct identity *identity)
{
    uint32_t count = identity->rows.count;
    for (uint32_t row = 1; row < count; row++) {
        if (row + 16 < count)
            __builtin_prefetch(node_at(identity, row_at(identity, row + 16)->node), 1);
        if (row_at(identity, row)->node != 0)
            row_link_in(identity, row, row_at(identity, row)->node);
    }
}

static err load_rows(struct load *load, struct ledger *ledger)
{
    struct identity *identity = load->identity;
    err error = scan(load, ledger, LEDGER_IDENTIFIERS,
                     "row hash type_number namespace flags customer attached_ms", load_row);
    if (error == ERR_OK)
        error = scan(load, ledger, LEDGER_IDENTIFIER_HOMES, NULL, load_home);
    if (error == ERR_OK && !load->without_index)
        error = scan(load, ledger, LEDGER_IDENTIFIER_HASHES, "hash row", load_hash);
    if (error == ERR_OK)
        error = index_settle(&identity->index);
    if (error == ERR_OK)
        link_rows(identity);
    return error;
}

err identity_load_parts(struct identity *identity, struct ledger *ledger, bool without_index,
                        struct problem *problem)
{
    INVARIANT(identity->rows.count == 1 && identity->nodes.count == 1);
    struct load load = { .identity = identity, .problem = problem, .without_index = without_index };
    int64_t last_link = 0;
    err error = scan(&load, ledger, LEDGER_IDENTIFIER_TYPES, NULL, load_type);
    if (error == ERR_OK)
        error = load_nodes(identity, ledger, problem);
    if (error == ERR_OK)
        error = load_rows(&load, ledger);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_MERGES, NULL, load_merge);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_EVIDENCE, NULL, load_evidence);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_SEPARATIONS, NULL, load_separation);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_REFUSALS, NULL, load_refusal);
    if (error == ERR_OK)
        error = last_number(ledger, LEDGER_LINKS, &last_link, problem);
    identity->link_id = (uint64_t)last_link;
    return error;
}

err identity_load(struct identity *identity, struct ledger *ledger, struct problem *problem)
{
    return identity_load_parts(identity, ledger, false, problem);
}
