/* SPDX-License-Identifier: Apache-2.0 */
/* identity: its life, and what can be looked up in it. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "identity/state.h"

#define INDEX_BITS 12
#define SMALL_INDEX_BITS 8
#define SCRATCH_BYTES ((size_t)1 << 20)
#define SETTINGS_BYTES_MAX ((size_t)8 << 20)

static err init_parts(struct identity *identity)
{
    err error = types_init(identity);
    if (error == ERR_OK)
        error = json_parser_new(&identity->parser, SETTINGS_BYTES_MAX);
    if (error == ERR_OK)
        error = index_init(&identity->index, INDEX_BITS);
    if (error == ERR_OK)
        error = index_init(&identity->refusal_index, SMALL_INDEX_BITS);
    if (error == ERR_OK)
        error = index_init(&identity->refusal_rows, SMALL_INDEX_BITS);
    if (error == ERR_OK)
        error = index_init(&identity->refused_index, SMALL_INDEX_BITS);
    if (error == ERR_OK)
        error = index_init(&identity->refused_count, SMALL_INDEX_BITS);
    if (error == ERR_OK)
        error = index_init(&identity->separated, SMALL_INDEX_BITS);
    if (error == ERR_OK)
        error = segments_init(&identity->rows, sizeof(struct row));
    if (error == ERR_OK)
        error = segments_init(&identity->nodes, sizeof(struct node));
    if (error == ERR_OK)
        error = segments_init(&identity->ties, sizeof(struct tie));
    if (error == ERR_OK)
        error = segments_init(&identity->families, sizeof(uint16_t));
    if (error == ERR_OK)
        error = segments_init(&identity->stirred, sizeof(uint64_t));
    if (error == ERR_OK)
        error = segments_init(&identity->edges, sizeof(struct edge));
    if (error == ERR_OK)
        error = segments_init(&identity->refusals, sizeof(struct refusal));
    if (error == ERR_OK)
        error = segments_init(&identity->evidence, sizeof(struct evidence));
    if (error == ERR_OK)
        error = index_init(&identity->evidence_pairs, SMALL_INDEX_BITS);
    if (error == ERR_OK)
        error = index_init(&identity->evidence_nodes, SMALL_INDEX_BITS);
    if (error == ERR_OK)
        error = index_init(&identity->tombstone_index, SMALL_INDEX_BITS);
    return error;
}

err identity_new(struct identity **out)
{
    struct identity *identity = memory_alloc(sizeof(*identity));
    if (identity == NULL)
        return ERR_NOMEM;
    arena_init(&identity->scratch, "identity", SCRATCH_BYTES);
    identity->ahead = memory_alloc(sizeof(*identity->ahead));
    err error = identity->ahead != NULL ? init_parts(identity) : ERR_NOMEM;
    if (error != ERR_OK)
        identity_free(&identity);
    else
        *out = identity;
    return error;
}

void identity_free(struct identity **out)
{
    struct identity *identity = *out;
    if (identity == NULL)
        return;
    pending_deinit(identity);
    types_deinit(identity);
    json_parser_free(&identity->parser);
    index_deinit(&identity->index);
    index_deinit(&identity->refusal_index);
    index_deinit(&identity->refusal_rows);
    index_deinit(&identity->refused_index);
    index_deinit(&identity->refused_count);
    index_deinit(&identity->separated);
    segments_deinit(&identity->rows);
    segments_deinit(&identity->nodes);
    segments_deinit(&identity->ties);
    segments_deinit(&identity->families);
    segments_deinit(&identity->stirred);
    segments_deinit(&identity->edges);
    segments_deinit(&identity->refusals);
    segments_deinit(&identity->evidence);
    index_deinit(&identity->evidence_pairs);
    index_deinit(&identity->evidence_nodes);
    index_deinit(&identity->tombstone_index);
    memory_free(identity->tombstones);
    for (uint32_t i = 1; i < identity->component_count; i++)
        counts_free(&identity->components[i].counts);
    memory_free(identity->components);
    memory_free(identity->separations);
    memory_free(identity->gone);
    left_deinit(identity);
    memory_free(identity->ahead);
    arena_deinit(&identity->scratch);
    memory_free(identity);
    *out = NULL;
}

void identity_on_pause(struct identity *identity, void (*pause)(void *context), void *context)
{
    identity->pause = pause;
    identity->pause_context = context;
}

uint32_t seconds_of(int64_t time_ms)
{
    if (time_ms <= 0)
        return 0;
    return time_ms / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(time_ms / 1000);
}

void identity_use_keys(struct identity *identity, const struct keys *keys)
{
    identity->keys = keys;
}

struct act act_of_command(struct identity *identity, struct ledger_writes *writes, int64_t now_ms,
                          uint64_t seq)
{
    return (struct act){ .identity = identity,
                         .writes = writes,
                         .now_ms = now_ms,
                         .joined_ms = now_ms,
                         .now_s = seconds_of(now_ms),
                         .seq = seq };
}

/* ---- looking ---- */

/* A look-up misses the cache four times in a row: part, slot, row, node. So what is announced is followed one
 * step further when later ones are announced: by then the step before has arrived. */
#define AHEAD_SLOT 6u
#define AHEAD_ROW 14u
#define AHEAD_NODE 22u

/* A customer of one node mostly: what is told of customers lies at her own number, too. */
static void fetch_node(const struct identity *identity, uint32_t node)
{
    if (node == 0)
        return;
    segments_prefetch(&identity->nodes, node);
    segments_prefetch(&identity->stirred, node / 64);
    segments_prefetch(&identity->families, node);
}

void identity_prefetch(const struct identity *identity, const uint8_t hash[HASH_BYTES])
{
    struct ahead *ahead = identity->ahead;
    uint32_t now = ahead->next++;
    struct index_key *key = &ahead->keys[now % AHEAD_SIZE];
    *key = index_key_of_hash(hash);
    index_prefetch_part(&identity->index, key);
    index_prefetch(&identity->index, &ahead->keys[(now - AHEAD_SLOT) % AHEAD_SIZE]);

    uint32_t before = (now - AHEAD_ROW) % AHEAD_SIZE;
    uint32_t row = index_get(&identity->index, &ahead->keys[before]);
    ahead->rows[before] = row;
    if (row != 0)
        segments_prefetch(&identity->rows, row);

    row = ahead->rows[(now - AHEAD_NODE) % AHEAD_SIZE];
    if (row != 0)
        fetch_node(identity, row_at(identity, row)->node);
}

uint32_t identity_guess(const struct identity *identity, const uint8_t hash[HASH_BYTES])
{
    struct index_key key = index_key_of_hash(hash);
    uint32_t row = index_get(&identity->index, &key);
    if (row == 0)
        return 0;
    uint32_t node = row_at(identity, row)->node;
    fetch_node(identity, node);
    return node;
}

uint32_t identity_find_row(const struct identity *identity, const uint8_t hash[HASH_BYTES])
{
    struct index_key key = index_key_of_hash(hash);
    return index_get(&identity->index, &key);
}

static bool is_row(const struct identity *identity, uint32_t row)
{
    return row != 0 && row < identity->rows.count;
}

static bool is_node(const struct identity *identity, uint32_t node)
{
    return node != 0 && node < identity->nodes.count;
}

uint32_t identity_row_node(const struct identity *identity, uint32_t row)
{
    return is_row(identity, row) ? row_at(identity, row)->node : 0;
}

uint32_t identity_root(const struct identity *identity, uint32_t node)
{
    if (!is_node(identity, node) || identity_is_gone(identity, node))
        return 0;
    return root_of(identity, node);
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return one < other ? -1 : one > other;
}

size_t identity_nodes(const struct identity *identity, uint32_t start, uint32_t *nodes,
                      size_t limit)
{
    if (!is_node(identity, start) || !node_is_here(identity, start))
        return 0;
    uint32_t root = root_of(identity, start), node = root;
    size_t count = 0;
    do {
        if (count < limit)
            nodes[count] = node;
        count++;
        node = node_next(identity, node);
    } while (node != root);
    if (limit > 0)
        qsort(nodes, count < limit ? count : limit, sizeof(*nodes), compare_numbers);
    return count;
}

size_t identity_rows(const struct identity *identity, uint32_t node, uint32_t *rows, size_t limit)
{
    if (!is_node(identity, node))
        return 0;
    size_t count = 0;
    struct row_walk walk = walk_rows(identity, node);
    for (uint32_t row; (row = walk_next(&walk)) != 0; count++) {
        if (count < limit)
            rows[count] = row;
    }
    if (limit > 0) /* else they are only counted, and `rows` is none */
        qsort(rows, count < limit ? count : limit, sizeof(*rows), compare_numbers);
    return count;
}

uint32_t identity_node_count(const struct identity *identity)
{
    return identity->nodes.count - 1;
}

/* A forest has as many trees as it has nodes without edges into them: nodes less edges. */
uint32_t identity_customer_count(const struct identity *identity)
{
    return identity->nodes.count - 1 - identity->edges_active - identity->gone_count;
}

uint32_t identity_row_count(const struct identity *identity)
{
    return identity->rows.count - 1;
}

uint32_t identity_merge_count(const struct identity *identity)
{
    return identity->edges.count - 1;
}

bool identity_merge_is_undone(const struct identity *identity, uint64_t merge_id)
{
    return merge_id > 0 && merge_id < identity->edges.count &&
           edge_at(identity, (uint32_t)merge_id)->undone;
}

void identity_row_seen(struct identity *identity, uint32_t row, int64_t time_ms)
{
    uint32_t seen_s = seconds_of(time_ms);
    if (is_row(identity, row) && row_is_here(identity, row) &&
        row_at(identity, row)->last_seen_s < seen_s)
        row_at(identity, row)->last_seen_s = seen_s;
}

int64_t identity_row_last_seen_ms(const struct identity *identity, uint32_t row)
{
    return is_row(identity, row) ? (int64_t)row_at(identity, row)->last_seen_s * 1000 : 0;
}

bool identity_row_state(const struct identity *identity, uint32_t number,
                        struct identity_row_view *view)
{
    if (!is_row(identity, number) || !row_is_here(identity, number))
        return false;
    const struct row *row = row_at(identity, number);
    const struct kind *kind = &identity->kinds[row->kind];
    view->row = number;
    view->node = row->node;
    view->flags = shown_flags((uint8_t)row->flags);
    view->is_shared = (row->flags & ROW_SHARED) != 0;
    view->type = kind->type->name;
    view->namespace_ = kind->namespace_;
    view->last_seen_ms = (int64_t)row->last_seen_s * 1000;
    view->attached_ms = (int64_t)row->attached_s * 1000;
    return true;
}

bool identity_pending_row(const struct identity *identity, uint32_t row,
                          struct identity_row_view *view)
{
    const struct pending *pending = pending_find(identity, row);
    if (pending == NULL)
        return false;
    *view = (struct identity_row_view){ .source_number = pending->source_number,
                                        .value = pending->value,
                                        .first_seen_ms = pending->first_seen_ms };
    return identity_row_state(identity, row, view);
}

bool identity_row_is_strong(const struct identity *identity, uint32_t row)
{
    return is_row(identity, row) && row_is_here(identity, row) && row_type(identity, row)->strong;
}

void identity_view_from_ledger(const struct identity *identity, const struct ledger_value *values,
                               struct identity_row_view *view)
{
    const struct identifier_type *type = type_by_number(identity, (uint32_t)values[2].integer);
    *view = (struct identity_row_view){
        .row = (uint32_t)values[0].integer,
        .type = type != NULL ? type->name : STR_NONE,
        .namespace_ = values[3].bytes,
        .flags = shown_flags((uint8_t)values[4].integer),
        .node = (uint32_t)values[5].integer,
        .attached_ms = values[6].integer,
        .value = values[10].bytes,
        .source_number = (uint32_t)values[12].integer,
        .first_seen_ms = values[13].integer,
    };
}
