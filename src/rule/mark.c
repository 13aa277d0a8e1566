/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of events: the pass over everything that happened, so it is what a scan costs.
 *
 * A packed word is compared with one interval of times and with one or two types, four words at a time where the processor
 * can; no branch that anybody would have to foresee. */
#include "rule/mark.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define TYPE_MASK UINT64_C(0xfff00)

static bool is_heard_by(const struct rule_judge *judge, uint32_t begin, uint32_t end, uint32_t slot)
{
    for (uint32_t i = begin; i < end; i++)
        if (judge->rule->listeners[judge->k->heard[i]].slot == slot)
            return true;
    return false;
}

static void listen_types(const struct rule_judge *judge, uint32_t slot, struct listening *to)
{
    const struct known *known = judge->k;
    if (is_heard_by(judge, known->any_begin, known->any_end, slot)) {
        to->hears = HEARS_ALL;
        return;
    }
    for (uint32_t i = 0; i < known->listed; i++) {
        const struct type_list *list = &known->types[i];
        if (!is_heard_by(judge, list->begin, list->end, slot))
            continue;
        if (to->hears == HEARS_NONE)
            memset(to->types, 0, sizeof(to->types));
        to->hears = to->hears == HEARS_NONE  ? HEARS_ONE
                    : to->hears == HEARS_ONE ? HEARS_TWO
                                             : HEARS_SOME;
        to->other = to->type;
        to->type = list->type;
        to->types[list->type / 64] |= UINT64_C(1) << (list->type % 64);
    }
}

/* Those before it are only to be seen where all her life counts; those after it only where somebody asks until when. */
static void listen_times(const struct rule_judge *judge, const struct node *node, bool untils,
                         struct listening *to)
{
    const int64_t highest = (INT64_C(1) << 44) - 1;
    const struct tally *start = &judge->k->starts[node->slot];
    bool whole = node->measuring.nth != 0 || node->measuring.net;
    int64_t from = whole ? 0 : start->from_ms;
    int64_t end = untils || whole               ? INT64_MAX
                  : node->kind == NODE_SEQUENCE ? judge->now_ms
                                                : start->to_ms;
    from = from < 0 ? 0 : from;
    end = end > highest ? highest + 1 : end;
    to->closed = start->closed || from >= end;
    if (to->closed)
        return;
    to->low = (uint64_t)from << 20;
    to->size = ((uint64_t)(end - 1) << 20 | 0xfffff) - to->low;
}

struct listening mark_listen(const struct rule_judge *judge, const struct node *node, bool untils)
{
    struct listening to;
    to.hears = HEARS_NONE;
    to.type = to.other = 0;
    to.low = to.size = 0;
    listen_types(judge, node->slot, &to);
    listen_times(judge, node, untils, &to);
    to.closed = to.closed || to.hears == HEARS_NONE;
    return to;
}

/* ---- one by one ---- */

#define MARK_WORD(condition)                                            \
    do {                                                                \
        for (size_t i = 0; i < count; i++) {                            \
            uint64_t packed = events[i];                                \
            bool in_time = packed - to->low <= to->size;                \
            word = word >> 1 | (uint64_t)(in_time & (condition)) << 63; \
        }                                                               \
    } while (0)

/* 1 to 64 events. */
static uint64_t mark_word(const history_packed *events, size_t count, const struct listening *to)
{
    uint64_t word = 0;
    INVARIANT(count > 0 && count <= 64);
    uint64_t type = (uint64_t)to->type << 8, other = (uint64_t)to->other << 8;
    if (to->hears == HEARS_ONE)
        MARK_WORD((packed & TYPE_MASK) == type);
    else if (to->hears == HEARS_TWO)
        MARK_WORD(((packed & TYPE_MASK) == type) | ((packed & TYPE_MASK) == other));
    else if (to->hears == HEARS_ALL)
        MARK_WORD(true);
    else
        MARK_WORD((to->types[packed >> 14 & 63] >> (packed >> 8 & 63) & 1) != 0);
    return word >> (64 - count);
}

static void mark_from(const struct history_view *view, size_t from, const struct listening *to,
                      uint64_t *marks)
{
    for (size_t at = from; at < view->count; at += 64) {
        size_t left = view->count - at;
        marks[at / 64] = mark_word(view->events + at, left < 64 ? left : 64, to);
    }
}

void mark_events_plainly(const struct history_view *view, const struct listening *to,
                         uint64_t *marks)
{
    mark_from(view, 0, to, marks);
}

/* ---- four at a time ---- */

#if defined(__x86_64__)

/* AVX2 compares signed numbers alone: with the highest bit turned they are in the order of unsigned ones. */
#define TURNED INT64_MIN

__attribute__((target("avx2"))) static uint64_t mark_word_wide(const history_packed *events,
                                                               __m256i low, __m256i size,
                                                               __m256i mask, __m256i type,
                                                               __m256i other)
{
    const __m256i turned = _mm256_set1_epi64x(TURNED);
    uint64_t word = 0;
    for (int i = 0; i < 64; i += 4) {
        __m256i packed = _mm256_loadu_si256((const __m256i *)(const void *)(events + i));
        __m256i since = _mm256_xor_si256(_mm256_sub_epi64(packed, low), turned);
        __m256i is_out = _mm256_cmpgt_epi64(since, size);
        __m256i its = _mm256_and_si256(packed, mask);
        __m256i is_heard =
            _mm256_or_si256(_mm256_cmpeq_epi64(its, type), _mm256_cmpeq_epi64(its, other));
        __m256i is_marked = _mm256_andnot_si256(is_out, is_heard);
        word |= (uint64_t)(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(is_marked)) << i;
    }
    return word;
}

__attribute__((target("avx2"))) static void mark_wide(const struct history_view *view,
                                                      const struct listening *to, uint64_t *marks)
{
    bool all = to->hears == HEARS_ALL;
    int64_t type = all ? 0 : (int64_t)to->type << 8;
    int64_t other = to->hears == HEARS_TWO ? (int64_t)to->other << 8 : type;
    __m256i low = _mm256_set1_epi64x((int64_t)to->low);
    __m256i size = _mm256_set1_epi64x((int64_t)(to->size ^ (uint64_t)TURNED));
    __m256i mask = _mm256_set1_epi64x(all ? 0 : (int64_t)TYPE_MASK);
    size_t whole = view->count / 64 * 64;
    for (size_t at = 0; at < whole; at += 64)
        marks[at / 64] = mark_word_wide(view->events + at, low, size, mask,
                                        _mm256_set1_epi64x(type), _mm256_set1_epi64x(other));
    mark_from(view, whole, to, marks);
}

void mark_events(const struct history_view *view, const struct listening *to, uint64_t *marks)
{
    if (to->hears != HEARS_SOME && __builtin_cpu_supports("avx2"))
        mark_wide(view, to, marks);
    else
        mark_from(view, 0, to, marks);
}

#else

void mark_events(const struct history_view *view, const struct listening *to, uint64_t *marks)
{
    mark_from(view, 0, to, marks);
}

#endif
