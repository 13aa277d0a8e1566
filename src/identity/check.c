/* SPDX-License-Identifier: Apache-2.0 */
/* check: the digest of the state, what it costs in memory, and the walk over all its invariants. */
#include <string.h>

#include "identity/state.h"

/* ---- digest ---- */

static void digest_rows(const struct identity *identity, struct digest *digest)
{
    for (uint32_t number = 1; number < identity->rows.count; number++) {
        const struct row *row = row_at(identity, number);
        const struct kind *kind = &identity->kinds[row->kind];
        if (!row_is_here(identity, number))
            continue;
        struct {
            char table[4];
            uint32_t number, node, flags, attached_s, type_number;
            uint64_t namespace_;
        } image = { "row",
                    number,
                    row->node,
                    row->flags,
                    row->attached_s,
                    kind->type->number,
                    hash_bytes64(kind->namespace_.data, kind->namespace_.size, 0) };
        digest_add(digest, &image, sizeof(image));
    }
}

static void digest_edges(const struct identity *identity, struct digest *digest)
{
    for (uint32_t number = 1; number < identity->edges.count; number++) {
        const struct edge *edge = edge_at(identity, number);
        struct {
            char table[8];
            uint32_t number, node, other, survivor, absorbed, row, with_row, source_number;
            uint32_t cause, undone;
            uint64_t at_ms, seq;
        } image = { "edg",         number,         edge->node[0],
                    edge->node[1], edge->survivor, edge->absorbed,
                    edge->row,     edge->with_row, edge->source_number,
                    edge->cause,   edge->undone,   (uint64_t)edge->at_ms,
                    edge->seq };
        _Static_assert(sizeof(image) == 64, "no padding in a digest");
        digest_add(digest, &image, sizeof(image));
    }
}

static void digest_refusals(const struct identity *identity, struct digest *digest)
{
    for (uint32_t number = 1; number < identity->refusals.count; number++) {
        const struct refusal *refusal = refusal_at(identity, number);
        struct {
            char table[4];
            uint32_t number, row, with_row, customer, other, source_number, decided_by, times;
            uint32_t type_reason_status;
            uint64_t at_ms, last_ms, seq;
        } image = { "ref",
                    number,
                    refusal->row,
                    refusal->with_row,
                    refusal->customer,
                    refusal->other,
                    refusal->source_number,
                    refusal->decided_by,
                    refusal->times,
                    (uint32_t)refusal->type_number << 16 | (uint32_t)refusal->reason << 8 |
                        refusal->status,
                    (uint64_t)refusal->at_ms,
                    (uint64_t)refusal->last_ms,
                    refusal->seq };
        _Static_assert(sizeof(image) == 64, "no padding in a digest");
        digest_add(digest, &image, sizeof(image));
    }
}

static void digest_evidence(const struct identity *identity, struct digest *digest)
{
    for (uint32_t number = 1; number < identity->evidence.count; number++) {
        const struct evidence *evidence = evidence_at(identity, number);
        uint64_t image[6] = { UINT64_C(0x647665),
                              number,
                              (uint64_t)evidence->node[0] << 32 | evidence->node[1],
                              (uint64_t)evidence->row << 32 | evidence->with_row,
                              evidence->seq,
                              (uint64_t)evidence->at_ms };
        digest_add(digest, image, sizeof(image));
    }
}

static void digest_separations(const struct identity *identity, struct digest *digest)
{
    for (uint32_t number = 1; number < identity->separation_count; number++) {
        const struct separation *separation = &identity->separations[number];
        uint64_t image[4] = { UINT64_C(0x706573), separation->merge_id,
                              (uint64_t)separation->node[0] << 32 | separation->node[1],
                              (uint64_t)separation->at_ms };
        if (!separation->removed)
            digest_add(digest, image, sizeof(image));
    }
}

/* Roots are derived from edges; they are in it all the same, since they are what others see. */
static void digest_nodes(const struct identity *identity, struct digest *digest)
{
    for (uint32_t number = 1; number < identity->nodes.count; number++) {
        bool here = node_is_here(identity, number);
        uint32_t image[3] = { 0x646f6e, number, here ? root_of(identity, number) : 0 };
        digest_add(digest, image, sizeof(image));
    }
}

static void digest_types(const struct identity *identity, struct digest *digest)
{
    struct buffer text;
    buffer_init(&text, (size_t)16 << 20);
    for (uint32_t i = 0; i < identity->type_count; i++) {
        buffer_clear(&text);
        buffer_append_str(&text, identity->types[i]->name);
        type_write_settings(identity->types[i], &text);
        digest_add(digest, text.data, text.size);
    }
    buffer_deinit(&text);
}

void identity_digest(const struct identity *identity, struct digest *digest)
{
    digest_rows(identity, digest);
    digest_nodes(identity, digest);
    digest_edges(identity, digest);
    digest_evidence(identity, digest);
    digest_separations(identity, digest);
    digest_refusals(identity, digest);
    digest_types(identity, digest);
    index_digest(&identity->index, digest);
    tombstones_digest(identity, digest);
    uint64_t link_id[2] = { UINT64_C(0x6b6e696c), identity->link_id };
    digest_add(digest, link_id, sizeof(link_id));
}

/* ---- memory ---- */

size_t identity_memory_bytes(const struct identity *identity)
{
    size_t bytes = sizeof(*identity) + segments_bytes(&identity->rows) +
                   segments_bytes(&identity->nodes) + segments_bytes(&identity->ties) +
                   segments_bytes(&identity->edges) + segments_bytes(&identity->refusals) +
                   segments_bytes(&identity->evidence);
    bytes += index_memory_bytes(&identity->index) + index_memory_bytes(&identity->refusal_index) +
             index_memory_bytes(&identity->refusal_rows) + segments_bytes(&identity->families) +
             segments_bytes(&identity->stirred) + index_memory_bytes(&identity->refused_index) +
             index_memory_bytes(&identity->refused_count) +
             index_memory_bytes(&identity->separated) +
             index_memory_bytes(&identity->evidence_pairs) +
             index_memory_bytes(&identity->evidence_nodes);
    bytes += identity->component_capacity * sizeof(struct component) +
             identity->separation_capacity * sizeof(struct separation) +
             identity->kind_capacity * (sizeof(struct kind) + 2 * sizeof(uint32_t)) +
             identity->pending_capacity * sizeof(struct pending *) + identity->pending_bytes +
             identity->move_capacity * sizeof(struct pending_move);
    for (uint32_t i = 0; i < identity->sieve.level_count; i++)
        bytes += identity->sieve.levels[i].word_count * sizeof(uint64_t);
    bytes += (identity->gone_words + identity->left_words) * sizeof(uint64_t);
    return bytes;
}

/* ---- invariants ---- */

/* Scratch: a plain union-find over the edges, the second opinion on components. */
struct check {
    const struct identity *identity;
    struct problem *problem;
    uint32_t *parent;
    bool *by_hand; /* by root: somebody overruled the limits */
};

static uint32_t find(struct check *check, uint32_t node)
{
    while (check->parent[node] != node) {
        check->parent[node] = check->parent[check->parent[node]];
        node = check->parent[node];
    }
    return node;
}

static err check_edges(struct check *check)
{
    const struct identity *identity = check->identity;
    uint32_t active = 0;
    for (uint32_t number = 1; number < identity->edges.count; number++) {
        const struct edge *edge = edge_at(identity, number);
        if (edge->undone)
            continue;
        uint32_t a = find(check, edge->node[0]), b = find(check, edge->node[1]);
        if (a == b)
            return problem_set(check->problem, ERR_CORRUPT, "I2: merge %u closes a circle", number);
        check->parent[a < b ? b : a] = a < b ? a : b;
        active++;
    }
    if (active != identity->edges_active)
        return problem_set(check->problem, ERR_CORRUPT, "I2: %u merges, counted %u", active,
                           identity->edges_active);
    for (uint32_t number = 1; number < identity->edges.count; number++) {
        const struct edge *edge = edge_at(identity, number);
        if (!edge->undone && (edge->cause == MERGE_MANUAL || edge->cause == MERGE_REVIEW))
            check->by_hand[find(check, edge->node[0])] = true;
    }
    return ERR_OK;
}

static err check_components(struct check *check)
{
    const struct identity *identity = check->identity;
    for (uint32_t node = 1; node < identity->nodes.count; node++) {
        uint32_t root = find(check, node);
        if (!node_is_here(identity, node) && identity_has_left(identity, node))
            continue;
        if (root_of(identity, node) != root)
            return problem_set(check->problem, ERR_CORRUPT, "I2: root of %u is %u, not %u", node,
                               root_of(identity, node), root);
        if (!same_customer(identity, node, node_next(identity, node)))
            return problem_set(check->problem, ERR_CORRUPT, "I2: the ring of %u leads away", node);
        if (root != node)
            continue;
        uint32_t size = 0, at = node;
        do {
            size++;
            at = node_next(identity, at);
        } while (at != node && size <= identity->nodes.count);
        if (size != component_size(identity, node))
            return problem_set(check->problem, ERR_CORRUPT, "I2: %u has %u nodes, counted %u", node,
                               size, component_size(identity, node));
    }
    return ERR_OK;
}

static err check_separations(struct check *check)
{
    const struct identity *identity = check->identity;
    for (uint32_t number = 1; number < identity->separation_count; number++) {
        const struct separation *separation = &identity->separations[number];
        if (!separation->removed &&
            same_customer(identity, separation->node[0], separation->node[1]))
            return problem_set(check->problem, ERR_CORRUPT, "I3: %u and %u are not kept apart",
                               separation->node[0], separation->node[1]);
    }
    return ERR_OK;
}

/* Each row hangs in the list of its home, once. */
static err check_homes(struct check *check)
{
    const struct identity *identity = check->identity;
    uint64_t at_home = 0, listed = 0;
    for (uint32_t number = 1; number < identity->rows.count; number++)
        at_home += row_at(identity, number)->node != 0;
    for (uint32_t node = 1; node < identity->nodes.count; node++) {
        uint32_t number = node_at(identity, node)->first_row;
        while (number != 0) {
            if (row_at(identity, number)->node != node || ++listed > at_home)
                return problem_set(check->problem, ERR_CORRUPT, "I1: identifier %u is not at %u",
                                   number, node);
            number = row_at(identity, number)->next;
        }
    }
    if (at_home != listed)
        return problem_set(check->problem, ERR_CORRUPT,
                           "I1: %llu identifiers are at home, %llu are listed",
                           (unsigned long long)at_home, (unsigned long long)listed);
    return ERR_OK;
}

/* Rows of `kind` in a customer's nodes, all time: a window can only make it fewer. */
static err check_limit(struct check *check, uint32_t number)
{
    const struct identity *identity = check->identity;
    const struct row *row = row_at(identity, number);
    const struct identifier_type *type = identity->kinds[row->kind].type;
    if (row->node == 0 || !row_is_here(identity, number) || (row->flags & ROW_STATED) == 0 ||
        type->limit == 0 || type->window_days != 0 || check->by_hand[find(check, row->node)])
        return ERR_OK;
    uint32_t count = 0;
    struct row_walk walk = walk_rows(identity, row->node);
    for (uint32_t other; (other = walk_next(&walk)) != 0;) {
        const struct row *there = row_at(identity, other);
        count += there->kind == row->kind && (there->flags & ROW_STATED) != 0;
    }
    if (count > type->limit)
        return problem_set(check->problem, ERR_CORRUPT,
                           "I4: customer %u holds %u of type '" STR_FMT "', the limit is %u",
                           root_of(identity, row->node), count, STR_ARG(type->name), type->limit);
    return ERR_OK;
}

static err check_refusals(struct check *check)
{
    const struct identity *identity = check->identity;
    uint32_t open = 0;
    for (uint32_t number = 1; number < identity->refusals.count; number++) {
        const struct refusal *refusal = refusal_at(identity, number);
        uint32_t a = row_at(identity, refusal->row)->node;
        uint32_t b = row_at(identity, refusal->with_row)->node;
        if (refusal->status != REFUSAL_OPEN)
            continue;
        open++;
        if (a != 0 && b != 0 && refusal_joins(refusal) && same_customer(identity, a, b))
            return problem_set(check->problem, ERR_CORRUPT,
                               "I9: refusal %u is open, but %u and %u are one customer", number, a,
                               b);
    }
    if (open != identity->refusals_open)
        return problem_set(check->problem, ERR_CORRUPT, "I9: %u refusals are open, counted %u",
                           open, identity->refusals_open);
    return ERR_OK;
}

/* A component that was claimed into being would have a merge by a row that nobody stated. */
static err check_merges(struct check *check)
{
    const struct identity *identity = check->identity;
    for (uint32_t number = 1; number < identity->edges.count; number++) {
        const struct edge *edge = edge_at(identity, number);
        bool undone_import = edge->undone && event_source_is_import(edge->source_number);
        if ((edge->cause != MERGE_IDENTIFIER && edge->cause != MERGE_LOGIN) || undone_import)
            continue;
        if ((row_is_here(identity, edge->row) &&
             (row_at(identity, edge->row)->flags & ROW_STATED) == 0) ||
            (row_is_here(identity, edge->with_row) &&
             (row_at(identity, edge->with_row)->flags & ROW_STATED) == 0))
            return problem_set(check->problem, ERR_CORRUPT, "I5: merge %u came of a claim", number);
    }
    return ERR_OK;
}

static err check_all(struct check *check)
{
    for (uint32_t node = 0; node < check->identity->nodes.count; node++)
        check->parent[node] = node;
    err error = check_edges(check);
    if (error == ERR_OK)
        error = check_components(check);
    if (error == ERR_OK)
        error = check_separations(check);
    if (error == ERR_OK)
        error = check_homes(check);
    if (error == ERR_OK)
        error = check_merges(check);
    if (error == ERR_OK)
        error = check_refusals(check);
    if (error == ERR_OK)
        error = families_check(check->identity, check->problem);
    for (uint32_t row = 1; row < check->identity->rows.count && error == ERR_OK; row++)
        error = check_limit(check, row);
    return error;
}

err identity_check(const struct identity *identity, struct problem *problem)
{
    struct check check = { .identity = identity, .problem = problem };
    check.parent = memory_alloc(identity->nodes.count * sizeof(*check.parent));
    check.by_hand = memory_alloc(identity->nodes.count * sizeof(*check.by_hand));
    err error = ERR_NOMEM;
    if (check.parent != NULL && check.by_hand != NULL)
        error = check_all(&check);
    else
        problem_set(problem, error, "no memory to check %u customers", identity->nodes.count);
    memory_free(check.parent);
    memory_free(check.by_hand);
    return error;
}
