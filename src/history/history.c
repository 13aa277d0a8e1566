/* SPDX-License-Identifier: Apache-2.0 */
/* history: making and freeing, the directory of blocks, names and columns. */
#include "history/state.h"

#define MEMORY_BYTES_DEFAULT ((size_t)1900 << 20)
#define TEXT_BYTES_MIN ((size_t)1 << 20)
/* Of the whole, for the texts of all columns together. */
#define TEXT_SHARE 4
#define CODES_MAX (UINT32_C(1) << 26)
#define NAME_BYTES_MAX ((size_t)4 << 20)

/* ---- life ---- */

err history_new(struct history **history, const struct history_config *config)
{
    struct history *made = memory_alloc(sizeof(*made));
    if (made == NULL)
        return ERR_NOMEM;
    made->memory_bytes_max = config != NULL && config->memory_bytes_max > 0
                                 ? config->memory_bytes_max
                                 : MEMORY_BYTES_DEFAULT;
    made->stored_seq = UINT64_MAX;
    made->text_bytes_max = made->memory_bytes_max / TEXT_SHARE > TEXT_BYTES_MIN
                               ? made->memory_bytes_max / TEXT_SHARE
                               : TEXT_BYTES_MIN;
    atomic_init(&made->epoch, 1);
    arena_init(&made->names, "history names", NAME_BYTES_MAX);
    dictionary_init(&made->types, HISTORY_TYPE_OTHER - 1, NAME_BYTES_MAX);
    dictionary_init(&made->channels, HISTORY_CHANNEL_OTHER - 1, NAME_BYTES_MAX);
    err error = extractor_new(&made->extractor);
    if (error == ERR_OK)
        *history = made;
    else
        history_free(&made);
    return error;
}

static void free_block(struct history *history, struct block *block)
{
    struct base *base = block_base(block);
    struct block_groups *groups = atomic_load_explicit(&block->groups, memory_order_relaxed);
    if (base != NULL)
        base_destroy(history, base);
    if (groups != NULL)
        history_give(history, groups, sizeof(*groups));
}

static void free_leaves(struct history *history)
{
    for (unsigned i = 0; i < LEAVES; i++) {
        struct leaf *leaf = atomic_load_explicit(&history->leaves[i], memory_order_relaxed);
        for (unsigned j = 0; leaf != NULL && j < LEAF_BLOCKS; j++)
            free_block(history, &leaf->blocks[j]);
        if (leaf != NULL)
            history_give(history, leaf, sizeof(*leaf));
    }
}

static void free_columns(struct history *history)
{
    uint32_t count = atomic_load_explicit(&history->column_count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        if (history->columns[i].texts == NULL)
            continue;
        dictionary_deinit(history->columns[i].texts);
        memory_free(history->columns[i].texts);
    }
}

void history_free(struct history **history)
{
    struct history *gone = *history;
    if (gone == NULL)
        return;
    retire_all(gone);
    free_leaves(gone);
    free_columns(gone);
    dictionary_deinit(&gone->types);
    dictionary_deinit(&gone->channels);
    words_free(&gone->groups.words);
    runs_free(&gone->runs);
    builder_free(&gone->builder);
    merge_free(gone);
    memory_free(gone->values.words);
    memory_free(gone->queue);
    extractor_free(&gone->extractor);
    arena_deinit(&gone->names);
    memory_free(gone);
    *history = NULL;
}

/* ---- memory ---- */

void history_count_bytes(struct history *history, int64_t bytes)
{
    /* One writer: no need to lock the bus. */
    size_t before = atomic_load_explicit(&history->memory_bytes, memory_order_relaxed);
    atomic_store_explicit(&history->memory_bytes, before + (size_t)bytes, memory_order_relaxed);
}

void history_count_events(struct history *history, int64_t events)
{
    uint64_t before = atomic_load_explicit(&history->event_count, memory_order_relaxed);
    atomic_store_explicit(&history->event_count, before + (uint64_t)events, memory_order_relaxed);
}

void *history_take(struct history *history, size_t bytes)
{
    void *piece = memory_resize(NULL, bytes);
    if (piece != NULL)
        history_count_bytes(history, (int64_t)bytes);
    return piece;
}

void history_give(struct history *history, void *piece, size_t bytes)
{
    history_count_bytes(history, -(int64_t)bytes);
    memory_free(piece);
}

size_t history_memory_bytes(const struct history *history)
{
    size_t bytes = atomic_load_explicit(&history->memory_bytes, memory_order_relaxed);
    uint32_t count = atomic_load_explicit(&history->column_count, memory_order_acquire);
    bytes += dictionary_bytes(&history->types) + dictionary_bytes(&history->channels);
    for (uint32_t i = 0; i < count; i++)
        if (history->columns[i].texts != NULL)
            bytes += dictionary_bytes(history->columns[i].texts);
    return bytes;
}

uint64_t history_event_count(const struct history *history)
{
    return atomic_load_explicit(&history->event_count, memory_order_relaxed);
}

/* ---- the directory ---- */

struct block *block_make(struct history *history, uint32_t node)
{
    struct block *block = block_find(history, node);
    if (block != NULL)
        return block;
    struct leaf *leaf = history_take(history, sizeof(*leaf));
    if (leaf == NULL)
        return NULL;
    memset(leaf, 0, sizeof(*leaf));
    atomic_store_explicit(&history->leaves[node >> (BLOCK_BITS + LEAF_BITS)], leaf,
                          memory_order_release);
    return block_find(history, node);
}

void node_seen(struct history *history, uint32_t node)
{
    if (node > atomic_load_explicit(&history->node_count, memory_order_relaxed))
        atomic_store_explicit(&history->node_count, node, memory_order_release);
}

uint32_t history_node_count(const struct history *history)
{
    return atomic_load_explicit(&history->node_count, memory_order_acquire);
}

void history_set_stored(struct history *history, uint64_t seq)
{
    history->stored_seq = seq;
}

void history_prefetch_block(const struct history *history, uint32_t node)
{
    const struct block *block = block_find(history, node);
    if (block != NULL)
        __builtin_prefetch(block);
}

void history_prefetch_end(const struct history *history, uint32_t node)
{
    const struct block *block = block_find(history, node);
    if (block != NULL && block->delta != NULL && block->delta->words.at != NULL)
        __builtin_prefetch(block->delta->words.at, 1);
}

void history_prefetch(const struct history *history, uint32_t node)
{
    const struct block *block = block_find(history, node);
    const struct delta *delta = block != NULL ? block->delta : NULL;
    if (delta == NULL)
        return;
    __builtin_prefetch(&delta->heads[node & BLOCK_MASK], 1);
    __builtin_prefetch(delta, 1);
}

/* ---- names ---- */

/* The number of a name; `other` when there are too many already. */
static err name_number(struct dictionary *names, str name, uint32_t other, uint32_t *number)
{
    if (name.size == 0) {
        *number = 0;
        return ERR_OK;
    }
    err error = dictionary_add(names, name, number);
    if (error != ERR_TOO_LARGE)
        return error;
    *number = other;
    return ERR_OK;
}

static inline bool is_same(str one, str other)
{
    return one.size == other.size && text_is_same(one.data, other.data, one.size);
}

static err cached_number(struct dictionary *names, struct name_cache *cache, str name,
                         uint32_t other, uint32_t *number)
{
    if (name.size > 0 && is_same(cache->name, name)) {
        *number = cache->number;
        return ERR_OK;
    }
    err error = name_number(names, name, other, number);
    if (error == ERR_OK && *number != 0 && *number != other)
        *cache = (struct name_cache){ dictionary_text(names, *number), *number };
    return error;
}

/* Names differ at their ends ("Order Paid", "Order Placed") and in their lengths. */
static size_t cache_place(str name)
{
    uint64_t mixed = name.size;
    if (name.size >= sizeof(mixed))
        mixed += load64(name.data + name.size - sizeof(mixed));
    else if (name.size > 0)
        mixed += (uint64_t)(uint8_t)name.data[0] << 8 | (uint64_t)(uint8_t)name.data[name.size - 1]
                                                            << 16;
    return (size_t)(mixed * UINT64_C(0x9E3779B97F4A7C15) >> 32) % NAME_CACHE;
}

err type_number(struct history *history, str name, uint16_t *type)
{
    uint32_t number = 0;
    err error = cached_number(&history->types, &history->type_cache[cache_place(name)], name,
                              HISTORY_TYPE_OTHER, &number);
    *type = (uint16_t)number;
    return error;
}

err channel_number(struct history *history, str name, uint8_t *channel)
{
    uint32_t number = 0;
    err error = cached_number(&history->channels, &history->channel_cache[cache_place(name)], name,
                              HISTORY_CHANNEL_OTHER, &number);
    *channel = (uint8_t)number;
    return error;
}

err history_type_add(struct history *history, str name, uint16_t *type)
{
    uint16_t number;
    err error = type_number(history, name, &number);
    if (error == ERR_OK && number == HISTORY_TYPE_OTHER)
        error = ERR_TOO_LARGE;
    if (error == ERR_OK)
        *type = number;
    return error;
}

uint16_t history_type_find(const struct history *history, str name)
{
    return (uint16_t)dictionary_find(&history->types, name);
}

str history_type_name(const struct history *history, uint16_t type)
{
    return dictionary_text(&history->types, type);
}

uint16_t history_type_count(const struct history *history)
{
    return (uint16_t)dictionary_count(&history->types);
}

uint8_t history_channel_find(const struct history *history, str name)
{
    return (uint8_t)dictionary_find(&history->channels, name);
}

str history_channel_name(const struct history *history, uint8_t channel)
{
    return dictionary_text(&history->channels, channel);
}

/* ---- columns ---- */

history_column history_column_find(const struct history *history, str path, enum column_kind kind)
{
    uint32_t count = atomic_load_explicit(&history->column_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++)
        if (history->columns[i].kind == kind && str_equal(history->columns[i].path, path))
            return (history_column)(i + 1);
    return 0;
}

static err make_column(struct history *history, struct column *column, str path,
                       enum column_kind kind)
{
    column->kind = kind;
    atomic_store(&column->is_ready, false);
    atomic_store(&column->is_full, false);
    if (arena_dup(&history->names, path, &column->path) != ERR_OK)
        return ERR_NOMEM;
    if (!column_is_text(kind))
        return ERR_OK;
    column->texts = memory_alloc(sizeof(*column->texts));
    if (column->texts == NULL)
        return ERR_NOMEM;
    dictionary_init(column->texts, CODES_MAX, history->text_bytes_max);
    return ERR_OK;
}

err history_add_column(struct history *history, str path, enum column_kind kind,
                       history_column *column, struct problem *problem)
{
    uint32_t count = atomic_load_explicit(&history->column_count, memory_order_relaxed);
    history_column found = history_column_find(history, path, kind);
    if (found != 0) {
        *column = found;
        return ERR_OK;
    }
    if (count == HISTORY_COLUMNS_MAX) {
        err error = problem_set(problem, ERR_TOO_LARGE,
                                "no room for property '" STR_FMT "': rules use %d properties, "
                                "which is the limit",
                                STR_ARG(path), HISTORY_COLUMNS_MAX);
        return problem_hint(problem, error, "archive rules that nobody needs any more");
    }
    struct column *made = &history->columns[count];
    err error = make_column(history, made, path, kind);
    if (error == ERR_OK)
        error = extractor_add(history->extractor, path, kind, (history_column)(count + 1));
    if (error != ERR_OK) {
        memory_free(made->texts);
        made->texts = NULL;
        return problem_set(problem, error, "no memory for a column of '" STR_FMT "'",
                           STR_ARG(path));
    }
    atomic_store_explicit(&history->column_count, count + 1, memory_order_release);
    *column = (history_column)(count + 1);
    return ERR_OK;
}

history_column history_column_count(const struct history *history)
{
    return (history_column)atomic_load_explicit(&history->column_count, memory_order_acquire);
}

str history_column_path(const struct history *history, history_column column,
                        enum column_kind *kind)
{
    INVARIANT(column > 0 && column <= history_column_count(history));
    *kind = history->columns[column - 1].kind;
    return history->columns[column - 1].path;
}

static const struct column *column_find(const struct history *history, history_column column)
{
    uint32_t count = atomic_load_explicit(&history->column_count, memory_order_acquire);
    return column > 0 && column <= count ? &history->columns[column - 1] : NULL;
}

bool history_column_is_ready(const struct history *history, history_column column)
{
    const struct column *found = column_find(history, column);
    return found != NULL && atomic_load_explicit(&found->is_ready, memory_order_acquire);
}

bool history_column_is_full(const struct history *history, history_column column)
{
    const struct column *found = column_find(history, column);
    return found != NULL && atomic_load_explicit(&found->is_full, memory_order_acquire);
}

void column_set_ready(struct history *history, history_column column)
{
    struct column *ready = &history->columns[column - 1];
    if (!atomic_load_explicit(&ready->is_full, memory_order_relaxed))
        atomic_store_explicit(&ready->is_ready, true, memory_order_release);
}

/* From here on it has not every value: nobody may trust it (H3). */
void column_set_full(struct history *history, history_column column)
{
    struct column *full = &history->columns[column - 1];
    atomic_store_explicit(&full->is_ready, false, memory_order_release);
    atomic_store_explicit(&full->is_full, true, memory_order_release);
}

err column_code(struct history *history, history_column column, str text, uint32_t *code)
{
    struct column *of = &history->columns[column - 1];
    *code = 0;
    if (text.size == 0 || atomic_load_explicit(&of->is_full, memory_order_relaxed))
        return ERR_OK;
    if (is_same(of->last, text)) {
        *code = of->last_code;
        return ERR_OK;
    }
    if (history->text_bytes >= history->text_bytes_max)
        of->texts->count_max = dictionary_count(of->texts);
    size_t before = dictionary_bytes(of->texts);
    err error = dictionary_add(of->texts, text, code);
    history->text_bytes += dictionary_bytes(of->texts) - before;
    if (error == ERR_OK) {
        of->last_code = *code;
        of->last = dictionary_text(of->texts, *code);
    }
    if (error != ERR_TOO_LARGE)
        return error;
    column_set_full(history, column);
    return ERR_OK;
}

uint32_t history_code_find(const struct history *history, history_column column, str text)
{
    const struct column *of = column_find(history, column);
    return of != NULL && of->texts != NULL ? dictionary_find(of->texts, text) : 0;
}

str history_code_text(const struct history *history, history_column column, uint32_t code)
{
    const struct column *of = column_find(history, column);
    return of != NULL && of->texts != NULL ? dictionary_text(of->texts, code) : STR_NONE;
}

uint32_t history_code_count(const struct history *history, history_column column)
{
    const struct column *of = column_find(history, column);
    return of != NULL && of->texts != NULL ? dictionary_count(of->texts) : 0;
}
