/* SPDX-License-Identifier: Apache-2.0 */
/* group: which nodes are one customer.
 *
 * A word per node: alone, a member of somebody's group, or, at the root, the handle of an array {count,
 * nodes, root first} that never changes. A group that changes gets a new array; the old one is
 * used again when no reader can hold it. */
#include "history/state.h"

/* Sizes up to 64 words have a class each, then each power of two. */
static unsigned class_of(uint32_t words, uint32_t *size)
{
    if (words <= 64) {
        *size = (words + 1) & ~UINT32_C(1);
        return *size;
    }
    unsigned log = 32u - (unsigned)__builtin_clz(words - 1);
    *size = UINT32_C(1) << log;
    return 64 + log - 6;
}

static uint32_t array_take(struct history *history, uint32_t words)
{
    struct groups *groups = &history->groups;
    uint32_t size;
    unsigned class = class_of(words, &size);
    uint32_t handle = groups->free[class];
    if (handle != 0) {
        groups->free[class] = words_at(&groups->words, handle)[0];
        return handle;
    }
    uint32_t *array;
    size_t grown;
    handle = words_take(&groups->words, size, &array, &grown);
    history_count_bytes(history, (int64_t)grown);
    return handle;
}

static void array_give(struct history *history, void *object)
{
    struct groups *groups = &history->groups;
    uint32_t handle = (uint32_t)(uintptr_t)object, size;
    uint32_t *array = words_at(&groups->words, handle);
    unsigned class = class_of(array[0] + 1, &size);
    array[0] = groups->free[class];
    groups->free[class] = handle;
}

static struct block_groups *block_groups_make(struct history *history, struct block *block)
{
    struct block_groups *groups = atomic_load_explicit(&block->groups, memory_order_relaxed);
    if (groups != NULL)
        return groups;
    groups = history_take(history, sizeof(*groups));
    if (groups == NULL)
        return NULL;
    memset(groups, 0, sizeof(*groups));
    atomic_store_explicit(&block->groups, groups, memory_order_release);
    return groups;
}

/* Room for all words beforehand, so that what follows cannot fail. */
static err reserve(struct history *history, const uint32_t *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct block *block = block_make(history, nodes[i]);
        if (block == NULL || (count > 1 && block_groups_make(history, block) == NULL))
            return ERR_NOMEM;
    }
    return retire_reserve(history, count);
}

static void set_word(struct history *history, uint32_t node, uint32_t word)
{
    struct block_groups *groups =
        atomic_load_explicit(&block_find(history, node)->groups, memory_order_relaxed);
    if (groups == NULL)
        return; /* alone, and stays so */
    _Atomic uint32_t *at = &groups->words[node & BLOCK_MASK];
    uint32_t old = atomic_load_explicit(at, memory_order_relaxed);
    atomic_store_explicit(at, word, memory_order_release);
    if (old != GROUP_ALONE && old != GROUP_MEMBER)
        retire(history, array_give, (void *)(uintptr_t)old, 0);
}

err history_group(struct history *history, const uint32_t *nodes, size_t count)
{
    INVARIANT(count > 0 && count < UINT32_MAX / 2);
    uint32_t handle = GROUP_ALONE;
    err error = reserve(history, nodes, count);
    if (error != ERR_OK)
        return error;
    if (count > 1) {
        handle = array_take(history, (uint32_t)count + 1);
        if (handle == 0)
            return ERR_NOMEM;
        uint32_t *array = words_at(&history->groups.words, handle);
        array[0] = (uint32_t)count;
        memcpy(array + 1, nodes, count * sizeof(nodes[0]));
    }
    /* The root first: for a moment a member may be seen twice, but never not at all. */
    for (size_t i = 0; i < count; i++) {
        node_seen(history, nodes[i]);
        set_word(history, nodes[i], i == 0 ? handle : GROUP_MEMBER);
    }
    return ERR_OK;
}
