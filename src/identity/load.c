/* SPDX-License-Identifier: Apache-2.0 */
/* load: from the ledger's tables to the state in RAM, by scans. */
#include <pthread.h>
#include <string.h>

#include "base/logline.h"

#include "identity/pack.h"
#include "identity/state.h"

#define LOADERS 2u /* threads that scan identifiers side by side */
#define TYPE_MEMO 64u

struct load {
    struct identity *identity;
    struct problem *problem;
    err error;
    bool without_index;
    const uint64_t *left_rows; /* bits: at home with visitors who left memory */
    struct ledger *ledger;
    const struct identity_pack *pack;
    struct index *index;   /* of this thread */
    uint32_t row, row_end; /* of those in the ledger: the next one expected; where to stop */
    uint32_t chunk_begin, chunk_end; /* of the pack */
    uint32_t node_begin, node_end;
    size_t list_begin, list_end;
    struct problem problem_here;
    /* The last kind of each type: most types have one namespace. */
    struct {
        uint32_t type_number, kind;
        str namespace_;
    } memo[TYPE_MEMO];
};

/* Kinds are made while several threads load. */
static pthread_mutex_t kinds_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool fail(struct load *load, err error, const char *what, int64_t number)
{
    load->error = problem_set(load->problem, error, "ledger: %s %lld cannot be loaded", what,
                              (long long)number);
    return false;
}

static bool has_left(const struct load *load, uint32_t row)
{
    return (load->left_rows[row / 64] >> (row % 64) & 1) != 0;
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
    uint32_t at = type_number % TYPE_MEMO, kind = load->memo[at].kind;
    if (kind != 0 && load->memo[at].type_number == type_number &&
        str_equal(load->memo[at].namespace_, namespace_))
        return kind;
    pthread_mutex_lock(&kinds_mutex);
    struct identifier_type *type = type_by_number(identity, type_number);
    kind = type != NULL ? kind_intern(identity, type, namespace_) : 0;
    load->memo[at].namespace_ = kind != 0 ? identity->kinds[kind].namespace_ : STR_NONE;
    pthread_mutex_unlock(&kinds_mutex);
    load->memo[at].type_number = type_number;
    load->memo[at].kind = kind;
    return kind;
}

static bool load_hashes(struct load *load, str hashes, uint32_t row)
{
    if (hashes.size % HASH_BYTES != 0)
        return fail(load, ERR_CORRUPT, "the hashes of identifier", row);
    for (size_t at = 0; at < hashes.size && !load->without_index; at += HASH_BYTES) {
        struct index_key key = index_key_of_hash((const uint8_t *)hashes.data + at);
        if (index_load(load->index, &key, row) != ERR_OK)
            return fail(load, ERR_NOMEM, "identifier", row);
    }
    return true;
}

/* row hash type_number namespace flags customer attached_ms. The segments are there already. */
static bool load_row(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    uint32_t number = load->row;
    if (number == load->row_end)
        return false;
    if (values[0].integer != number || values[5].integer < 0 ||
        values[5].integer >= identity->nodes.count)
        return fail(load, ERR_CORRUPT, "identifier", values[0].integer);
    uint32_t kind = kind_of(load, (uint32_t)values[2].integer, values[3].bytes);
    if (kind == 0)
        return fail(load, ERR_CORRUPT, "the type of identifier", number);
    load->row++;
    if (has_left(load, number))
        return true;
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
    if (has_left(load, (uint32_t)values[0].integer))
        return true;
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
    return has_left(load, (uint32_t)values[1].integer) ||
           load_hashes(load, values[0].bytes, (uint32_t)values[1].integer);
}

/* id survivor absorbed node other seq at_ms source_number row with_row cause undone_ms undone_seq undone_by joined_ms */
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
        .joined_ms = values[14].integer,
        .seq = (uint64_t)values[5].integer,
    };
    const struct edge *edge = edge_at(identity, number);
    if (cause == MERGE_IDENTIFIER)
        load->error = evidence_mark_merge(identity, number, edge->row, edge->with_row);
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
    load->error =
        separation_load(identity, (uint32_t)values[0].integer, (uint32_t)values[1].integer,
                        (uint64_t)values[2].integer, values[3].integer);
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

static bool load_gone(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    if (values[0].integer <= 0 || values[0].integer >= load->identity->nodes.count)
        return fail(load, ERR_CORRUPT, "gone customer", values[0].integer);
    load->error = node_load_gone(load->identity, (uint32_t)values[0].integer);
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
        segments_grow(&identity->nodes, (uint64_t)last + 1) != ERR_OK ||
        families_node(identity, (uint32_t)last) != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory for %lld customers", (long long)last);
    identity->nodes.count = (uint32_t)last + 1;
    for (uint32_t node = 1; node < identity->nodes.count; node++)
        node_at(identity, node)->tie = NODE_ALONE;
    return ERR_OK;
}

/* ---- identifiers, by several threads ---- */

static void scan_ledger_rows(struct load *load)
{
    struct ledger_value from = ledger_int(load->row);
    if (load->row == load->row_end || load->error != ERR_OK)
        return;
    err error = ledger_scan_some(load->ledger, LEDGER_IDENTIFIERS,
                                 "row hash type_number namespace flags customer attached_ms", &from,
                                 load_row, load, load->problem);
    if (load->error == ERR_OK)
        load->error = error;
    if (load->error == ERR_OK && load->row != load->row_end)
        fail(load, ERR_CORRUPT, "identifier", load->row);
}

#define CHUNK_KINDS_MAX 4096u

/* Kinds of the chunk by their numbers in it; false when there are too many, or one that nobody knows. */
static bool find_kinds(struct load *load, struct pack_view *view, uint32_t kinds[CHUNK_KINDS_MAX])
{
    struct pack_kind kind;
    uint32_t count = 0;
    if (view->kind_count > CHUNK_KINDS_MAX)
        return false;
    while (pack_next_kind(view, &kind)) {
        if (count == view->kind_count)
            return false;
        kinds[count] = kind_of(load, kind.type_number, kind.namespace_);
        if (kinds[count++] == 0)
            return false;
    }
    return count == view->kind_count;
}

static bool take_hash(struct load *load, const struct index_key *key, uint32_t row)
{
    return load->without_index || index_load(load->index, key, row) == ERR_OK ||
           fail(load, ERR_NOMEM, "identifier", row);
}

static bool take_chunk_rows(struct load *load, const struct pack_view *view, uint32_t first,
                            const uint32_t *kinds)
{
    struct identity *identity = load->identity;
    for (uint32_t place = 0; place < load->pack->chunk_rows; place++) {
        struct pack_row packed = pack_row_at(view, place);
        if (packed.kind >= view->kind_count || packed.node >= identity->nodes.count)
            return false;
        if (has_left(load, first + place))
            continue;
        *row_at(identity, first + place) = (struct row){
            .node = packed.node,
            .kind = kinds[packed.kind] & 0xFFFFFF,
            .flags = packed.flags,
            .attached_s = packed.attached_s,
        };
        if (!take_hash(load, &packed.key, first + place))
            return true; /* no memory: said */
    }
    for (uint32_t number = 0; number < view->extra_count; number++) {
        uint32_t place;
        struct index_key key = pack_extra_at(view, number, &place);
        if (place >= load->pack->chunk_rows)
            return false;
        if (!has_left(load, first + place) && !take_hash(load, &key, first + place))
            return true;
    }
    return true;
}

static bool take_chunk(struct load *load, uint32_t number, struct buffer *bytes)
{
    uint32_t kinds[CHUNK_KINDS_MAX];
    struct pack_view view;
    return pack_read(load->pack, number, bytes, &view) && find_kinds(load, &view, kinds) &&
           take_chunk_rows(load, &view, number * load->pack->chunk_rows + 1, kinds);
}

/* What a damaged chunk holds is in the ledger (K2); what was taken from it already comes again, the same. */
static void scan_instead(struct load *load, uint32_t number)
{
    uint32_t row = load->row, row_end = load->row_end;
    log_line(LOG_WARN, "identity_pack_chunk_ignored", "chunk=%u", number);
    load->row = number * load->pack->chunk_rows + 1;
    load->row_end = load->row + load->pack->chunk_rows;
    scan_ledger_rows(load);
    load->row = row;
    load->row_end = row_end;
}

/* Each thread takes its own chunks and scans its own rows. */
static void *scan_rows(void *context)
{
    struct load *load = context;
    struct buffer bytes;
    buffer_init(&bytes, SIZE_MAX);
    for (uint32_t number = load->chunk_begin; number < load->chunk_end && load->error == ERR_OK;
         number++)
        if (!take_chunk(load, number, &bytes))
            scan_instead(load, number);
    buffer_deinit(&bytes);
    scan_ledger_rows(load);
    return NULL;
}

static void *settle_lists(void *context)
{
    struct load *load = context;
    load->error = index_settle(&load->identity->index, load->index, LOADERS - 1, load->list_begin,
                               load->list_end);
    return NULL;
}

/* Each thread links what is at home in its own nodes, and writes nothing of other rows and nodes; where a
 * row is at home both read. Rows come in the order of their numbers, their nodes nearly so: ask for the
 * memory a little ahead. */
static void *link_rows(void *context)
{
    struct load *load = context;
    struct identity *identity = load->identity;
    uint32_t count = identity->rows.count, begin = load->node_begin, end = load->node_end;
    for (uint32_t row = 1; row < count; row++) {
        if (row + 16 < count) {
            uint32_t ahead = row_at(identity, row + 16)->node;
            if (ahead >= begin && ahead < end)
                __builtin_prefetch(node_at(identity, ahead), 1);
        }
        uint32_t node = row_at(identity, row)->node;
        if (node == 0 || node < begin || node >= end)
            continue;
        row_at(identity, row)->next = node_at(identity, node)->first_row;
        node_at(identity, node)->first_row = row;
        families_load_row(identity, row, node);
    }
    return NULL;
}

/* The last one on this thread; without threads all of them. */
static err run_side_by_side(struct load *loads, void *(*work)(void *))
{
    pthread_t threads[LOADERS];
    bool runs[LOADERS] = { false };
    err error = ERR_OK;
    for (uint32_t i = 0; i + 1 < LOADERS; i++)
        runs[i] = pthread_create(&threads[i], NULL, work, &loads[i]) == 0;
    for (uint32_t i = 0; i < LOADERS; i++) {
        if (!runs[i])
            work(&loads[i]);
    }
    for (uint32_t i = 0; i < LOADERS; i++) {
        if (runs[i])
            pthread_join(threads[i], NULL);
        if (error == ERR_OK)
            error = loads[i].error;
    }
    return error;
}

/* Numbers from 1 on, and lists from 0 on, in equal shares. */
static void share_work(struct identity *identity, struct load *loads)
{
    uint64_t packed = pack_rows(loads->pack), rows = identity->rows.count - 1 - packed;
    uint64_t chunks = loads->pack != NULL ? loads->pack->chunk_count : 0;
    uint64_t nodes = identity->nodes.count - 1;
    uint64_t lists = (uint64_t)1 << INDEX_LIST_BITS;
    for (uint64_t i = 0; i < LOADERS; i++) {
        loads[i].chunk_begin = (uint32_t)(chunks * i / LOADERS);
        loads[i].chunk_end = (uint32_t)(chunks * (i + 1) / LOADERS);
        loads[i].row = (uint32_t)(1 + packed + rows * i / LOADERS);
        loads[i].row_end = (uint32_t)(1 + packed + rows * (i + 1) / LOADERS);
        loads[i].node_begin = (uint32_t)(1 + nodes * i / LOADERS);
        loads[i].node_end = (uint32_t)(1 + nodes * (i + 1) / LOADERS);
        loads[i].list_begin = (size_t)(lists * i / LOADERS);
        loads[i].list_end = (size_t)(lists * (i + 1) / LOADERS);
    }
}

static err load_side_by_side(struct load *load, struct load *loads, struct index *others)
{
    struct identity *identity = load->identity;
    share_work(identity, loads);
    err error = run_side_by_side(loads, scan_rows);
    for (uint32_t i = 0; i < LOADERS && load->problem != NULL; i++) {
        if (error != ERR_OK && loads[i].error == error)
            *load->problem = loads[i].problem_here;
    }
    if (error == ERR_OK)
        error = scan(load, load->ledger, LEDGER_IDENTIFIER_HOMES, NULL, load_home);
    if (error == ERR_OK && !load->without_index)
        error = scan(load, load->ledger, LEDGER_IDENTIFIER_HASHES, "hash row", load_hash);
    /* The first thread filled the index itself; the others' are moved into it. */
    for (uint32_t i = 0; i < LOADERS; i++)
        loads[i].index = others;
    if (error == ERR_OK)
        error = run_side_by_side(loads, settle_lists);
    index_settled(&identity->index);
    if (error == ERR_OK)
        error = run_side_by_side(loads, link_rows);
    if (error == ERR_OK)
        families_count_all(identity);
    for (uint32_t row = 1; row < identity->rows.count && error == ERR_OK; row++)
        if (row_is_here(identity, row))
            row_type(identity, row)->rows++;
    return error;
}

static err load_rows(struct load *load)
{
    struct identity *identity = load->identity;
    struct index others[LOADERS - 1] = { { .parts = NULL } };
    struct load loads[LOADERS];
    int64_t last;
    err error = last_number(load->ledger, LEDGER_IDENTIFIERS, &last, load->problem);
    if (error != ERR_OK)
        return error;
    if (last < 0 || last >= UINT32_MAX ||
        segments_grow(&identity->rows, (uint64_t)last + 1) != ERR_OK)
        return problem_set(load->problem, ERR_NOMEM, "no memory for %lld identifiers",
                           (long long)last);
    identity->rows.count = (uint32_t)last + 1;
    /* Its rows were committed before it was: a ledger that has fewer is not the one that it was made of. */
    if (pack_rows(load->pack) > (uint64_t)last)
        load->pack = NULL;
    uint64_t *left_rows = NULL;
    error = left_load(identity, load->ledger, &left_rows, load->problem);
    load->left_rows = left_rows;
    for (uint32_t i = 0; i < LOADERS; i++) {
        loads[i] = *load;
        loads[i].problem = &loads[i].problem_here;
        loads[i].index = i == 0 ? &identity->index : &others[i - 1];
    }
    for (uint32_t i = 0; i + 1 < LOADERS && error == ERR_OK; i++)
        error = index_init(&others[i], identity->index.bits);
    if (error == ERR_OK)
        error = load_side_by_side(load, loads, others);
    for (uint32_t i = 0; i + 1 < LOADERS; i++)
        index_deinit(&others[i]);
    load->left_rows = NULL;
    memory_free(left_rows);
    for (uint64_t row = 0; identity->left_count > 0 && row < identity->rows.count;
         row += SEGMENT_MASK + UINT64_C(1))
        segments_thin(&identity->rows, (uint32_t)row);
    for (uint64_t node = 0; identity->left_count > 0 && node < identity->nodes.count;
         node += SEGMENT_MASK + UINT64_C(1))
        segments_thin(&identity->nodes, (uint32_t)node);
    return error;
}

err identity_load_parts(struct identity *identity, struct ledger *ledger,
                        const struct identity_pack *pack, bool without_index,
                        struct problem *problem)
{
    INVARIANT(identity->rows.count == 1 && identity->nodes.count == 1);
    struct load load = { .identity = identity,
                         .problem = problem,
                         .ledger = ledger,
                         .pack = pack,
                         .index = &identity->index,
                         .without_index = without_index };
    int64_t last_link = 0;
    err error = scan(&load, ledger, LEDGER_IDENTIFIER_TYPES, NULL, load_type);
    if (error == ERR_OK)
        error = load_nodes(identity, ledger, problem);
    if (error == ERR_OK)
        error = load_rows(&load);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_MERGES, NULL, load_merge);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_EVIDENCE, NULL, load_evidence);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_SEPARATIONS, NULL, load_separation);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_REFUSALS, NULL, load_refusal);
    if (error == ERR_OK)
        error = scan(&load, ledger, LEDGER_GONE_CUSTOMERS, NULL, load_gone);
    if (error == ERR_OK && !without_index)
        error = tombstones_load(identity, ledger, problem);
    if (error == ERR_OK)
        error = last_number(ledger, LEDGER_LINKS, &last_link, problem);
    identity->link_id = (uint64_t)last_link;
    return error;
}

err identity_load(struct identity *identity, struct ledger *ledger, struct problem *problem)
{
    return identity_load_parts(identity, ledger, NULL, false, problem);
}

err identity_load_packed(struct identity *identity, struct ledger *ledger,
                         const struct identity_pack *pack, struct problem *problem)
{
    return identity_load_parts(identity, ledger, pack, false, problem);
}
