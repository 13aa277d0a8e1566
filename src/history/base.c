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

/* ---- narrow values ---- */

static uint8_t width_of(uint64_t range)
{
    return range == 0 ? 0 : (uint8_t)((71 - (unsigned)__builtin_clzll(range)) / 8);
}
static uint64_t mask_of(uint8_t width)
{
    return width == 8 ? UINT64_MAX : (UINT64_C(1) << (width * 8)) - 1;
}
/* A piece of memory cut up in order, each part aligned to 8. */
static size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}
static void *cut(char **at, size_t bytes)
{
    void *part = *at;
    *at += padded(bytes);
    return part;
}

/* ---- pieces ---- */

static size_t presence_bytes(enum presence presence, uint32_t count, uint32_t event_count)
{
    switch (presence) {
    case PRESENT_ALL:
        return 0;
    case PRESENT_BITS:
        return ((size_t)event_count + 63) / 64 * sizeof(struct presence_group);
    case PRESENT_LIST16:
        return (size_t)count * sizeof(uint16_t);
    case PRESENT_LIST32:
        return (size_t)count * sizeof(uint32_t);
    }
    return 0;
}

static enum presence presence_for(uint32_t count, uint32_t event_count)
{
    enum presence list = event_count <= UINT16_MAX + 1u ? PRESENT_LIST16 : PRESENT_LIST32;
    if (count == event_count)
        return PRESENT_ALL;
    return presence_bytes(list, count, event_count) * 2 <
                   presence_bytes(PRESENT_BITS, count, event_count)
               ? list
               : PRESENT_BITS;
}

static void fill_groups(struct presence_group *groups, const struct stage *stage,
                        uint32_t event_count)
{
    uint32_t rank = 0;
    memset(groups, 0, presence_bytes(PRESENT_BITS, 0, event_count));
    for (uint32_t i = 0; i < stage->count; i++)
        groups[stage->indices[i] >> 6].bits[stage->indices[i] >> 5 & 1] |=
            UINT32_C(1) << (stage->indices[i] & 31);
    for (uint32_t group = 0; group < (event_count + 63) / 64; group++) {
        groups[group].rank = rank;
        rank += (uint32_t)(__builtin_popcount(groups[group].bits[0]) +
                           __builtin_popcount(groups[group].bits[1]));
    }
}

static void fill_presence(struct piece *piece, const struct stage *stage, uint32_t event_count,
                          void *room)
{
    switch (piece->presence) {
    case PRESENT_ALL:
        break;
    case PRESENT_BITS:
        fill_groups(room, stage, event_count);
        piece->groups = room;
        break;
    case PRESENT_LIST16:
        for (uint32_t i = 0; i < stage->count; i++)
            ((uint16_t *)room)[i] = (uint16_t)stage->indices[i];
        piece->list16 = room;
        break;
    case PRESENT_LIST32:
        memcpy(room, stage->indices, (size_t)stage->count * sizeof(uint32_t));
        piece->list32 = room;
        break;
    }
}

static void measure_numbers(struct piece *piece, const struct stage *stage)
{
    int64_t least = stage->numbers[0], most = stage->numbers[0];
    for (uint32_t i = 1; i < stage->count; i++) {
        least = stage->numbers[i] < least ? stage->numbers[i] : least;
        most = stage->numbers[i] > most ? stage->numbers[i] : most;
    }
    piece->least = (uint64_t)least;
    piece->width = width_of((uint64_t)most - (uint64_t)least);
    piece->mask = mask_of(piece->width);
}

/* Each write of 8 bytes spills zeros into the next value's room, which is written after it. */
static void fill_numbers(struct piece *piece, const struct stage *stage, uint8_t *room)
{
    for (uint32_t i = 0; i < stage->count; i++)
        store64(room + (size_t)i * piece->width, (uint64_t)stage->numbers[i] - piece->least);
    piece->values = room;
}

struct piece *piece_build(struct history *history, enum column_kind kind, const struct stage *stage,
                          uint32_t event_count)
{
    struct piece head = { .is_texts = kind == COLUMN_TEXTS, .count = stage->count };
    head.presence = presence_for(stage->count, event_count);
    size_t presence = presence_bytes(head.presence, head.count, event_count);
    size_t values = (size_t)head.count * sizeof(uint32_t), codes = 0;
    if (head.is_texts) {
        codes = (size_t)stage->code_count * sizeof(uint32_t);
    } else {
        measure_numbers(&head, stage);
        values = (size_t)head.count * head.width + sizeof(uint64_t);
    }
    head.bytes = padded(sizeof(head)) + padded(presence) + padded(values) + padded(codes);
    struct piece *piece = history_take(history, head.bytes);
    if (piece == NULL)
        return NULL;
    *piece = head;
    char *at = (char *)piece + padded(sizeof(head));
    fill_presence(piece, stage, event_count, cut(&at, presence));
    if (!head.is_texts) {
        uint8_t *room = cut(&at, values);
        memset(room + values - sizeof(uint64_t), 0, sizeof(uint64_t));
        fill_numbers(piece, stage, room);
        return piece;
    }
    uint32_t *ends = cut(&at, values), *all = cut(&at, codes);
    for (uint32_t i = 0; i < stage->count; i++)
        ends[i] = (uint32_t)stage->numbers[i];
    if (codes > 0)
        memcpy(all, stage->codes, codes);
    piece->ends = ends;
    piece->codes = all;
    return piece;
}

void piece_destroy(struct history *history, void *object)
{
    struct piece *piece = object;
    if (piece != NULL)
        history_give(history, piece, piece->bytes);
}

#define FIND_IN_LIST(list)                                                   \
    do {                                                                     \
        uint32_t low = 0, high = piece->count;                               \
        while (low < high) {                                                 \
            uint32_t middle = low + (high - low) / 2;                        \
            if ((list)[middle] < index)                                      \
                low = middle + 1;                                            \
            else                                                             \
                high = middle;                                               \
        }                                                                    \
        return low < piece->count && (list)[low] == index ? low : RANK_NONE; \
    } while (0)

static uint32_t rank_in_list16(const struct piece *piece, uint32_t index)
{
    FIND_IN_LIST(piece->list16);
}
static uint32_t rank_in_list32(const struct piece *piece, uint32_t index)
{
    FIND_IN_LIST(piece->list32);
}

uint32_t piece_rank(const struct piece *piece, uint32_t index)
{
    if (piece->presence == PRESENT_BITS) {
        const struct presence_group *group = &piece->groups[index >> 6];
        uint64_t bits = load64(group->bits);
        uint64_t bit = UINT64_C(1) << (index & 63);
        if ((bits & bit) == 0)
            return RANK_NONE;
        return group->rank + (uint32_t)__builtin_popcountll(bits & (bit - 1));
    }
    if (piece->presence == PRESENT_ALL)
        return index;
    return piece->presence == PRESENT_LIST16 ? rank_in_list16(piece, index)
                                             : rank_in_list32(piece, index);
}

static void group_indices(const struct piece *piece, uint32_t *indices)
{
    uint32_t count = 0;
    for (uint32_t group = 0; count < piece->count; group++)
        for (uint64_t bits = load64(piece->groups[group].bits); bits != 0; bits &= bits - 1)
            indices[count++] = (group << 6) + (uint32_t)__builtin_ctzll(bits);
}

void piece_indices(const struct piece *piece, uint32_t *indices)
{
    switch (piece->presence) {
    case PRESENT_ALL:
        for (uint32_t i = 0; i < piece->count; i++)
            indices[i] = i;
        break;
    case PRESENT_BITS:
        group_indices(piece, indices);
        break;
    case PRESENT_LIST16:
        for (uint32_t i = 0; i < piece->count; i++)
            indices[i] = piece->list16[i];
        break;
    case PRESENT_LIST32:
        memcpy(indices, piece->list32, (size_t)piece->count * sizeof(uint32_t));
        break;
    }
}

bool stage_old_value(struct stage *out, uint32_t index, const struct piece *piece, uint32_t rank)
{
    if (!piece->is_texts)
        return stage_number(out, index, piece_number(piece, rank));
    uint32_t begin = rank > 0 ? piece->ends[rank - 1] : 0;
    return stage_codes(out, index, piece->codes + begin, piece->ends[rank] - begin);
}

/* ---- bases ---- */

static struct base *head_new(struct history *history, uint32_t piece_count)
{
    size_t bytes = sizeof(struct base) + (size_t)piece_count * sizeof(struct piece *);
    struct base *base = history_take(history, bytes);
    if (base == NULL)
        return NULL;
    memset(base, 0, bytes);
    base->block.kind = BLOCK_BASE;
    base->bytes = bytes;
    base->piece_count = piece_count;
    return base;
}

struct base *base_new_empty(struct history *history)
{
    return head_new(history, 0);
}

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

static bool build_core(struct history *history, struct base *base, const struct builder *builder)
{
    size_t offsets = sizeof(builder->offsets), lost = any_lost(builder) ? sizeof(builder->lost) : 0;
    size_t packed = (size_t)builder->count * sizeof(uint64_t);
    if (builder->count == 0 && lost == 0)
        return true;
    measure_seqs(base, builder);
    size_t seqs = (size_t)builder->count * base->seq_width + sizeof(uint64_t);
    base->core_bytes = padded(offsets) + padded(lost) + packed + padded(seqs);
    char *at = history_take(history, base->core_bytes);
    if (at == NULL)
        return false;
    base->core = at;
    uint64_t *packed_room = cut(&at, packed);
    uint8_t *seqs_room = cut(&at, seqs);
    uint32_t *offsets_room = cut(&at, offsets);
    if (packed > 0)
        memcpy(packed_room, builder->packed, packed);
    memcpy(offsets_room, builder->offsets, offsets);
    memset(seqs_room + seqs - sizeof(uint64_t), 0, sizeof(uint64_t));
    for (uint32_t i = 0; i < builder->count; i++)
        store64(seqs_room + (size_t)i * base->seq_width, builder->seqs[i] - base->seq_least);
    if (lost > 0)
        base->lost = memcpy(cut(&at, lost), builder->lost, lost);
    base->packed = packed_room;
    base->seqs = seqs_room;
    base->offsets = offsets_room;
    return true;
}

struct base *base_build(struct history *history, const struct builder *builder)
{
    uint32_t columns = 0;
    for (uint32_t i = 0; i < HISTORY_COLUMNS_MAX; i++)
        if (builder->stages[i].count > 0)
            columns = i + 1;
    struct base *base = head_new(history, columns > 0 ? columns + 1 : 0);
    if (base == NULL)
        return NULL;
    base->event_count = builder->count;
    base->middle_ms = middle_of(builder);
    bool is_made = build_core(history, base, builder);
    for (uint32_t i = 0; i < columns && is_made; i++) {
        if (builder->stages[i].count == 0)
            continue;
        base->pieces[i + 1] =
            piece_build(history, history->columns[i].kind, &builder->stages[i], builder->count);
        is_made = base->pieces[i + 1] != NULL;
    }
    if (is_made)
        return base;
    base_destroy(history, base);
    return NULL;
}

struct base *base_with_piece(struct history *history, const struct base *base,
                             history_column column, struct piece *piece)
{
    uint32_t count = base->piece_count > column ? base->piece_count : column + 1u;
    struct base *next = head_new(history, count);
    if (next == NULL)
        return NULL;
    size_t bytes = next->bytes;
    memcpy(next, base, sizeof(*base) + base->piece_count * sizeof(base->pieces[0]));
    next->bytes = bytes;
    next->piece_count = count;
    next->pieces[column] = piece;
    return next;
}

size_t base_bytes(const struct base *base)
{
    const struct delta *delta = base_delta(base);
    size_t bytes = base->bytes + base->core_bytes + (delta != NULL ? delta->bytes : 0);
    for (uint32_t i = 0; i < base->piece_count; i++)
        bytes += base->pieces[i] != NULL ? base->pieces[i]->bytes : 0;
    return bytes;
}

void base_destroy_head(struct history *history, void *object)
{
    struct base *base = object;
    history_give(history, base, base->bytes);
}

void base_destroy(struct history *history, void *object)
{
    struct base *base = object;
    struct delta *delta = atomic_load_explicit(&base->delta, memory_order_relaxed);
    if (delta != NULL)
        delta_destroy(history, delta);
    for (uint32_t i = 0; i < base->piece_count; i++)
        piece_destroy(history, base->pieces[i]);
    if (base->core != NULL)
        history_give(history, base->core, base->core_bytes);
    base_destroy_head(history, base);
}
