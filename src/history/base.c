/* SPDX-License-Identifier: Apache-2.0 */
/* base: immutable columns of a block, made by a builder, looked into by all. */
#include <stdlib.h>

#include "history/state.h"

/* ---- staging ---- */

bool array_reserve(void **array, uint32_t *capacity, uint32_t needed, size_t item_bytes)
{
    if (needed <= *capacity)
        return true;
    uint32_t wanted = *capacity < 64 ? 64 : *capacity;
    while (wanted < needed && wanted <= UINT32_MAX / 2)
        wanted *= 2;
    if (wanted < needed)
        return false;
    void *grown = memory_resize(*array, (size_t)wanted * item_bytes);
    if (grown == NULL)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

void stage_clear(struct stage *stage)
{
    stage->count = stage->code_count = 0;
}

bool stage_reserve(struct stage *stage, uint32_t more)
{
    uint32_t capacity = stage->capacity, also = stage->capacity, needed = stage->count + more;
    if (needed <= capacity)
        return true;
    if (!array_reserve((void **)&stage->indices, &capacity, needed, sizeof(uint32_t)) ||
        !array_reserve((void **)&stage->numbers, &also, needed, sizeof(int64_t)))
        return false;
    stage->capacity = capacity;
    return true;
}

bool stage_number(struct stage *stage, uint32_t index, int64_t number)
{
    if (stage->count == stage->capacity && !stage_reserve(stage, 1))
        return false;
    stage->indices[stage->count] = index;
    stage->numbers[stage->count++] = number;
    return true;
}

bool stage_codes(struct stage *stage, uint32_t index, const uint32_t *codes, uint32_t count)
{
    if (!array_reserve((void **)&stage->codes, &stage->code_capacity, stage->code_count + count,
                       sizeof(uint32_t)))
        return false;
    memcpy(stage->codes + stage->code_count, codes, (size_t)count * sizeof(uint32_t));
    stage->code_count += count;
    return stage_number(stage, index, stage->code_count);
}

void builder_clear(struct builder *builder)
{
    builder->count = 0;
    builder->cut_ms = 0;
    builder->is_restored = false;
    memset(builder->lost, 0, sizeof(builder->lost));
    for (unsigned i = 0; i < HISTORY_COLUMNS_MAX; i++)
        stage_clear(&builder->stages[i]);
}

void builder_free(struct builder *builder)
{
    memory_free(builder->packed);
    memory_free(builder->seqs);
    for (unsigned i = 0; i < HISTORY_COLUMNS_MAX; i++) {
        memory_free(builder->stages[i].indices);
        memory_free(builder->stages[i].numbers);
        memory_free(builder->stages[i].codes);
    }
}

bool builder_reserve(struct builder *builder, uint32_t more)
{
    uint32_t capacity = builder->capacity, also = builder->capacity, needed = builder->count + more;
    if (needed <= capacity)
        return true;
    if (!array_reserve((void **)&builder->packed, &capacity, needed, sizeof(uint64_t)) ||
        !array_reserve((void **)&builder->seqs, &also, needed, sizeof(uint64_t)))
        return false;
    builder->capacity = capacity;
    return true;
}

/* ---- bases ---- */

static int compare_times(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

/* The median of a sample. */
static int64_t middle_of(const struct builder *builder)
{
    uint64_t sample[64];
    uint32_t count = builder->count < 64 ? builder->count : 64;
    for (uint32_t i = 0; i < count; i++)
        sample[i] = builder->packed[(uint64_t)i * builder->count / count];
    qsort(sample, count, sizeof(sample[0]), compare_times);
    return count > 0 ? history_time_ms(sample[count / 2]) : INT64_MAX;
}

static void measure_seqs(struct base *base, const struct builder *builder)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t i = 0; i < builder->count; i++) {
        least = builder->seqs[i] < least ? builder->seqs[i] : least;
        most = builder->seqs[i] > most ? builder->seqs[i] : most;
    }
    base->seq_least = least;
    base->seq_width = width_of(most - least);
    base->seq_mask = mask_of(base->seq_width);
}

static bool any_lost(const struct builder *builder)
{
    for (unsigned i = 0; i < BLOCK_NODES / 64; i++)
        if (builder->lost[i] != 0)
            return true;
    return false;
}

/* The core of a base is laid out so; `at` is where, or counts from zero. */
static size_t core_bytes(const struct base *base, const struct builder *builder)
{
    if (builder->count == 0 && !any_lost(builder))
        return 0;
    return padded((size_t)builder->count * sizeof(uint64_t)) + padded(sizeof(builder->offsets)) +
           (any_lost(builder) ? padded(sizeof(builder->lost)) : 0) +
           padded((size_t)builder->count * base->seq_width + sizeof(uint64_t));
}

static void fill_core(struct base *base, const struct builder *builder, char **at)
{
    size_t packed = (size_t)builder->count * sizeof(uint64_t);
    uint64_t *packed_room = cut(at, packed);
    if (packed > 0)
        memcpy(packed_room, builder->packed, packed);
    base->packed = packed_room;
    base->offsets =
        memcpy(cut(at, sizeof(builder->offsets)), builder->offsets, sizeof(builder->offsets));
    if (any_lost(builder))
        base->lost = memcpy(cut(at, sizeof(builder->lost)), builder->lost, sizeof(builder->lost));
    uint8_t *seqs = cut(at, (size_t)builder->count * base->seq_width + sizeof(uint64_t));
    for (uint32_t i = 0; i < builder->count; i++)
        store64(seqs + (size_t)i * base->seq_width, builder->seqs[i] - base->seq_least);
    base->seqs = seqs;
}

static size_t head_bytes(uint32_t piece_count)
{
    return sizeof(struct base) + (size_t)piece_count * sizeof(struct piece *);
}

/* A head of its own, not in a run. */
static struct base *head_new(struct history *history, uint32_t piece_count)
{
    size_t bytes = head_bytes(piece_count);
    struct base *base = history_take(history, bytes);
    if (base == NULL)
        return NULL;
    memset(base, 0, bytes);
    base->block.kind = BLOCK_BASE;
    base->apart_bytes = bytes;
    base->piece_count = piece_count;
    return base;
}

struct base *base_new_empty(struct history *history)
{
    return head_new(history, 0);
}

/* Fills `heads` and the head of the base; gives the bytes of all. */
static size_t measure(struct history *history, struct builder *builder, struct base *head)
{
    uint32_t columns = 0;
    size_t pieces = 0;
    for (uint32_t i = 0; i < HISTORY_COLUMNS_MAX; i++) {
        if (builder->stages[i].count == 0)
            continue;
        columns = i + 1;
        pieces += piece_measure(&builder->heads[i], history->columns[i].kind, &builder->stages[i],
                                builder->count);
    }
    *head = (struct base){ .block.kind = BLOCK_BASE, .event_count = builder->count };
    head->piece_count = columns > 0 ? columns + 1 : 0;
    head->middle_ms = middle_of(builder);
    head->cut_ms = builder->cut_ms;
    head->is_restored = builder->is_restored;
    head->serial = ++history->serial;
    measure_seqs(head, builder);
    return padded(head_bytes(head->piece_count)) + core_bytes(head, builder) + pieces;
}

struct base *base_build(struct history *history, struct builder *builder)
{
    struct base head;
    size_t bytes = measure(history, builder, &head);
    char *at = runs_take(&history->runs, bytes);
    if (at == NULL)
        return NULL;
    history_count_bytes(history, (int64_t)runs_size(bytes));
    head.run = at;
    head.run_bytes = bytes;
    struct base *base = cut(&at, head_bytes(head.piece_count));
    memset(base, 0, head_bytes(head.piece_count));
    memcpy(base, &head, sizeof(head));
    if (core_bytes(base, builder) > 0)
        fill_core(base, builder, &at);
    for (uint32_t i = 0; i + 1 < base->piece_count; i++)
        if (builder->stages[i].count > 0)
            base->pieces[i + 1] = piece_place(&builder->heads[i], &builder->stages[i],
                                              builder->count, cut(&at, builder->heads[i].bytes));
    return base;
}

struct base *base_with_piece(struct history *history, const struct base *base,
                             history_column column, struct piece *piece)
{
    uint32_t count = base->piece_count > column ? base->piece_count : column + 1u;
    struct base *next = head_new(history, count);
    if (next == NULL)
        return NULL;
    size_t bytes = next->apart_bytes;
    memcpy(next, base, head_bytes(base->piece_count));
    next->apart_bytes = bytes;
    next->piece_count = count;
    next->serial = ++history->serial;
    next->pieces[column] = piece;
    return next;
}

size_t base_bytes(const struct base *base)
{
    const struct delta *delta = base_delta(base);
    size_t bytes = base->apart_bytes + runs_size(base->run_bytes);
    for (uint32_t i = 0; i < base->piece_count; i++)
        bytes += base->pieces[i] != NULL && base->pieces[i]->is_apart ? base->pieces[i]->bytes : 0;
    return bytes + (delta != NULL ? delta->bytes : 0);
}

void base_destroy_head(struct history *history, void *object)
{
    struct base *base = object;
    if (base->apart_bytes > 0)
        history_give(history, base, base->apart_bytes);
}

void base_destroy(struct history *history, void *object)
{
    struct base *base = object;
    struct delta *delta = atomic_load_explicit(&base->delta, memory_order_relaxed);
    void *run = base->run;
    size_t bytes = base->run_bytes;
    if (delta != NULL)
        delta_destroy(history, delta);
    for (uint32_t i = 0; i < base->piece_count; i++)
        piece_destroy(history, base->pieces[i]);
    base_destroy_head(history, base);
    if (run == NULL)
        return;
    history_count_bytes(history, -(int64_t)runs_size(bytes));
    runs_give(&history->runs, run, bytes);
}
