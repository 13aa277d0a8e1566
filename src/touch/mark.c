/* SPDX-License-Identifier: Apache-2.0 */
/* mark: 32 bytes of every touch of the last 400 days, by number and by customer; what caps and rules read. */
#include <stdlib.h>
#include <string.h>

#include "touch/inside.h"

struct mark *touches_mark_at(const struct touches *touches, uint32_t number)
{
    struct mark *chunk =
        atomic_load_explicit(&touches->marks[number / MARK_CHUNK], memory_order_acquire);
    if (number == 0 || chunk == NULL || chunk[number % MARK_CHUNK].line == 0)
        return NULL;
    return &chunk[number % MARK_CHUNK];
}

struct mark *touches_mark_make(struct touches *touches, uint32_t number)
{
    struct mark *_Atomic *place = &touches->marks[number / MARK_CHUNK];
    struct mark *chunk = atomic_load(place);
    if (chunk == NULL) {
        chunk = memory_alloc(MARK_CHUNK * sizeof *chunk);
        if (chunk == NULL)
            return NULL;
        atomic_store_explicit(place, chunk, memory_order_release);
    }
    return &chunk[number % MARK_CHUNK];
}

void touches_mark_set(struct mark *mark, int64_t time_ms, enum touch_status status, uint8_t steps)
{
    atomic_store_explicit(&mark->time_status,
                          (uint64_t)time_ms << 16 | (uint64_t)status << 8 | steps,
                          memory_order_release);
}

static struct node_marks *node_at(const struct touches *touches, uint32_t node)
{
    struct node_marks *chunk =
        atomic_load_explicit(&touches->nodes[node / MARK_CHUNK], memory_order_acquire);
    return chunk != NULL ? &chunk[node % MARK_CHUNK] : NULL;
}

err touches_mark_hang(struct touches *touches, uint32_t number)
{
    struct mark *mark = touches_mark_at(touches, number);
    struct node_marks *_Atomic *place = &touches->nodes[mark->node / MARK_CHUNK];
    if (atomic_load(place) == NULL) {
        struct node_marks *chunk = memory_alloc(MARK_CHUNK * sizeof *chunk);
        if (chunk == NULL)
            return ERR_NOMEM;
        atomic_store_explicit(place, chunk, memory_order_release);
    }
    struct node_marks *node = node_at(touches, mark->node);
    atomic_store_explicit(&mark->previous, atomic_load(&node->newest), memory_order_relaxed);
    atomic_store_explicit(&node->newest, number, memory_order_release);
    return ERR_OK;
}

static uint32_t newest_of(const struct touches *touches, uint32_t node)
{
    const struct node_marks *marks = node_at(touches, node);
    return marks != NULL ? atomic_load_explicit(&marks->newest, memory_order_acquire) : 0;
}

void touches_fork_soon(const struct touches *fork, uint32_t node, int stage)
{
    const struct node_marks *marks = node_at(fork, node);
    if (marks != NULL && stage == 0)
        __builtin_prefetch(marks, 1);
    else if (marks != NULL)
        __builtin_prefetch(
            touches_mark_at(fork, atomic_load_explicit(&marks->newest, memory_order_relaxed)), 1);
}

size_t touches_nodes_of(const struct touches *touches, uint32_t customer)
{
    const struct touch_world *world = touches->config.world;
    size_t count =
        world->nodes(world->context, customer, touches->her_nodes, TOUCH_CUSTOMER_NODES_MAX);
    return count < TOUCH_CUSTOMER_NODES_MAX ? count : TOUCH_CUSTOMER_NODES_MAX;
}

void touches_walk_begin(struct mark_walk *walk, const struct touches *touches, uint32_t customer)
{
    const struct touch_world *world = touches->config.world;
    *walk = (struct mark_walk){ .touches = touches };
    walk->node_count = world->nodes(world->context, customer, walk->nodes, 32);
    if (walk->node_count > 32) {
        walk->node_count = touches_nodes_of(touches, customer);
        walk->many = touches->her_nodes;
    }
}

uint32_t touches_walk_next(struct mark_walk *walk)
{
    while (walk->next == 0 && walk->node < walk->node_count) {
        uint32_t node = (walk->many != NULL ? walk->many : walk->nodes)[walk->node++];
        walk->next = newest_of(walk->touches, node);
    }
    uint32_t number = walk->next;
    if (number == 0)
        return 0;
    const struct mark *mark = touches_mark_at(walk->touches, number);
    INVARIANT(mark != NULL);
    walk->next = atomic_load_explicit(&mark->previous, memory_order_relaxed);
    return number;
}

void touches_chain_nodes(struct touches *touches, uint32_t customer)
{
    const uint32_t *nodes = touches->her_nodes;
    size_t count = touches_nodes_of(touches, customer);
    struct node_marks *last = NULL;
    if (count == 0)
        return;
    /* The root's place is where readers begin, whether it has touches of its own or not. */
    for (size_t i = 0; i < count; i++) {
        struct node_marks *node = node_at(touches, nodes[i]);
        if (node == NULL && i == 0 && count > 1) {
            struct node_marks *chunk = memory_alloc(MARK_CHUNK * sizeof *chunk);
            if (chunk == NULL)
                return; /* rules see hers again after the next change of hers */
            atomic_store_explicit(&touches->nodes[nodes[0] / MARK_CHUNK], chunk,
                                  memory_order_release);
            node = node_at(touches, nodes[0]);
        }
        if (node == NULL || (i > 0 && atomic_load(&node->newest) == 0))
            continue;
        atomic_store_explicit(&node->next_node, 0, memory_order_release);
        if (last != NULL)
            atomic_store_explicit(&last->next_node, nodes[i], memory_order_release);
        last = node;
    }
}

/* ---- readers on other threads ---- */

#define READER_TOUCHES_MAX 10000

struct touch_reader {
    struct touches *touches;
    struct rule_touch *items;
    size_t capacity;
};

err touch_reader_new(struct touches *touches, struct touch_reader **reader)
{
    *reader = memory_alloc(sizeof **reader);
    if (*reader == NULL)
        return ERR_NOMEM;
    (*reader)->touches = touches;
    return ERR_OK;
}

void touch_reader_free(struct touch_reader **reader)
{
    if (*reader != NULL)
        memory_free((*reader)->items);
    memory_free(*reader);
    *reader = NULL;
}

static bool take_mark(struct touch_reader *reader, uint32_t number, const struct mark *mark,
                      size_t *count)
{
    uint64_t time_status = atomic_load_explicit(&mark->time_status, memory_order_acquire);
    enum touch_status status = (enum touch_status)(time_status >> 8 & 255);
    if (!touches_status_is_sent(status))
        return true;
    if (*count == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? 64 : reader->capacity * 2;
        struct rule_touch *items = memory_resize(reader->items, capacity * sizeof *items);
        if (items == NULL)
            return false;
        reader->items = items;
        reader->capacity = capacity;
    }
    const struct line *line = touches_line_at(reader->touches, mark->line);
    reader->items[(*count)++] = (struct rule_touch){
        .time_ms = (int64_t)(time_status >> 16),
        .seq = number,
        .journey = line->journey,
        .node = line->node,
        .campaign = line->campaign,
        .template_ = line->template_,
        .channel = line->channel,
        .status = str_from_c(touch_status_text(status)),
    };
    return true;
}

static int compare_touches(const void *left, const void *right)
{
    const struct rule_touch *a = left, *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* A merge may be changing the chain of nodes meanwhile: what is read is bounded, and whoever was merged is judged again. */
const struct rule_touch *touch_reader_find(struct touch_reader *reader, uint32_t customer,
                                           size_t *found)
{
    size_t count = 0, nodes = 0;
    for (uint32_t node = customer; node != 0 && nodes++ < TOUCH_CUSTOMER_NODES_MAX;) {
        const struct node_marks *marks = node_at(reader->touches, node);
        if (marks == NULL)
            break;
        uint32_t number = atomic_load_explicit(&marks->newest, memory_order_acquire);
        while (number != 0 && count < READER_TOUCHES_MAX) {
            const struct mark *mark = touches_mark_at(reader->touches, number);
            if (mark == NULL || !take_mark(reader, number, mark, &count))
                break;
            number = atomic_load_explicit(&mark->previous, memory_order_relaxed);
        }
        node = atomic_load_explicit(&marks->next_node, memory_order_acquire);
    }
    if (count > 1)
        qsort(reader->items, count, sizeof *reader->items, compare_touches);
    *found = count;
    return reader->items;
}
