/* SPDX-License-Identifier: Apache-2.0 */
/* piece: the values of one column in a base; presence, rank, narrow numbers, lists of texts. */
#include "history/state.h"

/* ---- making ---- */

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

size_t piece_measure(struct piece *head, enum column_kind kind, const struct stage *stage,
                     uint32_t event_count)
{
    *head = (struct piece){ .is_texts = kind == COLUMN_TEXTS, .count = stage->count };
    head->presence = presence_for(stage->count, event_count);
    head->bytes =
        padded(sizeof(*head)) + padded(presence_bytes(head->presence, head->count, event_count));
    if (head->is_texts) {
        head->bytes += padded((size_t)head->count * sizeof(uint32_t)) +
                       padded((size_t)stage->code_count * sizeof(uint32_t));
    } else {
        measure_numbers(head, stage);
        head->bytes += padded((size_t)head->count * head->width + sizeof(uint64_t));
    }
    return head->bytes;
}

static void fill_texts(struct piece *piece, const struct stage *stage, char *at)
{
    uint32_t *ends = cut(&at, (size_t)stage->count * sizeof(uint32_t));
    uint32_t *codes = cut(&at, (size_t)stage->code_count * sizeof(uint32_t));
    for (uint32_t i = 0; i < stage->count; i++)
        ends[i] = (uint32_t)stage->numbers[i];
    if (stage->code_count > 0)
        memcpy(codes, stage->codes, (size_t)stage->code_count * sizeof(uint32_t));
    piece->ends = ends;
    piece->codes = codes;
}

struct piece *piece_place(const struct piece *head, const struct stage *stage, uint32_t event_count,
                          void *memory)
{
    struct piece *piece = memory;
    char *at = memory;
    cut(&at, sizeof(*head));
    *piece = *head;
    fill_presence(piece, stage, event_count,
                  cut(&at, presence_bytes(head->presence, head->count, event_count)));
    if (head->is_texts)
        fill_texts(piece, stage, at);
    else
        fill_numbers(piece, stage, (uint8_t *)at);
    return piece;
}

struct piece *piece_new(struct history *history, enum column_kind kind, const struct stage *stage,
                        uint32_t event_count)
{
    struct piece head;
    size_t bytes = piece_measure(&head, kind, stage, event_count);
    void *memory = history_take(history, bytes);
    head.is_apart = true;
    return memory != NULL ? piece_place(&head, stage, event_count, memory) : NULL;
}

void piece_destroy(struct history *history, void *object)
{
    struct piece *piece = object;
    if (piece != NULL && piece->is_apart)
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
