/* SPDX-License-Identifier: Apache-2.0 */
/* Making a pool: conditions that several rules share are found by their prints. */
#include "rule/pool.h"

#include <string.h>

#include "base/digest.h"

err rule_pool_new(struct rule_pool **pool, const struct history *history)
{
    *pool = memory_alloc(sizeof(**pool));
    if (*pool == NULL)
        return ERR_NOMEM;
    (*pool)->history = history;
    return ERR_OK;
}

void rule_pool_free(struct rule_pool **pool)
{
    struct rule_pool *gone = *pool;
    *pool = NULL;
    if (gone == NULL)
        return;
    pool_lists_free(gone);
    memory_free(gone->names.slots);
    memory_free(gone->owners);
    memory_free(gone->tests);
    memory_free(gone->groups);
    memory_free(gone->series);
    memory_free(gone->windows);
    memory_free(gone->programs);
    memory_free(gone->steps);
    memory_free(gone->slot_tests);
    memory_free(gone->times);
    memory_free(gone->places);
    memory_free(gone);
}

void rule_pool_counts(const struct rule_pool *pool, uint32_t *different, uint32_t *added)
{
    *different = 0;
    for (size_t i = 0; i < pool->test_count; i++)
        *different += pool->tests[i].owners != POOL_NONE;
    *added = pool->added;
    for (size_t i = 0; i < pool->series_count; i++)
        *different += pool->series[i].moving != MOVES_BY_WINDOW;
}

bool pool_room(void *items, size_t *room, size_t count, size_t size)
{
    void *before, *more;
    if (count < *room)
        return true;
    size_t larger = *room > 0 ? 2 * *room : 64;
    while (larger <= count)
        larger *= 2;
    memcpy(&before, items, sizeof(before));
    more = memory_resize(before, larger * size);
    if (more == NULL)
        return false;
    memcpy(items, &more, sizeof(more));
    *room = larger;
    return true;
}

/* ---- names ---- */

static struct pool_name *find_name(const struct pool_names *names, hash128 print)
{
    uint32_t mask = names->capacity - 1, at = (uint32_t)print.low & mask;
    while (names->slots[at].place != 0 &&
           (names->slots[at].print.low != print.low || names->slots[at].print.high != print.high))
        at = (at + 1) & mask;
    return &names->slots[at];
}

static err grow_names(struct pool_names *names)
{
    if (2 * (names->count + 1) <= names->capacity)
        return ERR_OK;
    struct pool_names more = { .capacity = names->capacity > 0 ? 2 * names->capacity : 256,
                               .count = names->count };
    more.slots = memory_alloc(more.capacity * sizeof(*more.slots));
    if (more.slots == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < names->capacity; i++)
        if (names->slots[i].place != 0)
            *find_name(&more, names->slots[i].print) = names->slots[i];
    memory_free(names->slots);
    *names = more;
    return ERR_OK;
}

/* What is told apart by what: a window of a series has another name than the window. */
enum named { NAMED_SERIES, NAMED_WINDOW, NAMED_GROUP, NAMED_TEST, NAMED_ODD };

static hash128 name_of(enum named named, hash128 print, uint64_t within)
{
    print.low ^= hash_mix64(within * 8 + (uint64_t)named + 1);
    print.high += hash_mix64(print.low ^ (uint64_t)named);
    return print;
}

/* The place of the name; `count` for a new one, which is noted. */
static err place_of(struct rule_pool *pool, hash128 name, size_t count, uint32_t *place)
{
    err error = grow_names(&pool->names);
    if (error != ERR_OK)
        return error;
    struct pool_name *found = find_name(&pool->names, name);
    if (found->place == 0) {
        *found = (struct pool_name){ name, (uint32_t)count + 1 };
        pool->names.count++;
    }
    *place = found->place - 1;
    return ERR_OK;
}

/* ---- adding ---- */

/* Rules are added owner after owner: who is there already is the first. */
static err add_owner(struct rule_pool *pool, uint32_t *owners, uint32_t owner)
{
    if (*owners != POOL_NONE && pool->owners[*owners].owner == owner)
        return ERR_OK;
    if (!HAS_ROOM(pool, owners, owner))
        return ERR_NOMEM;
    pool->owners[pool->owner_count] = (struct pool_owner){ owner, *owners };
    *owners = (uint32_t)pool->owner_count++;
    return ERR_OK;
}

static err add_series(struct rule_pool *pool, hash128 name, const struct rule *rule,
                      const struct node *node, enum moving moving, uint32_t *place)
{
    if (!HAS_ROOM(pool, series, series))
        return ERR_NOMEM;
    err error = place_of(pool, name, pool->series_count, place);
    if (error != ERR_OK || *place < pool->series_count)
        return error;
    pool->series[pool->series_count++] =
        (struct pool_series){ .rule = rule,
                              .node = node,
                              .moving = moving,
                              .groups = POOL_NONE,
                              .owners = POOL_NONE,
                              .is_heard = moving != MOVES_BY_WINDOW };
    return ERR_OK;
}

static err add_window(struct rule_pool *pool, hash128 print, uint32_t *place)
{
    if (!HAS_ROOM(pool, windows, window))
        return ERR_NOMEM;
    err error = place_of(pool, name_of(NAMED_WINDOW, print, 0), pool->window_count, place);
    if (error != ERR_OK || *place < pool->window_count)
        return error;
    pool->windows[pool->window_count++] =
        (struct pool_window){ { { .at_ms = INT64_MIN }, { .at_ms = INT64_MIN } } };
    return ERR_OK;
}

static err add_group(struct rule_pool *pool, uint32_t series, const struct node *node,
                     hash128 print, uint32_t *place)
{
    uint32_t window;
    if (!HAS_ROOM(pool, groups, group))
        return ERR_NOMEM;
    err error = place_of(pool, name_of(NAMED_GROUP, print, series), pool->group_count, place);
    if (error != ERR_OK || *place < pool->group_count)
        return error;
    error = add_window(pool, print, &window);
    if (error != ERR_OK)
        return error;
    pool->groups[pool->group_count] = (struct pool_group){ .node = node,
                                                           .window = window,
                                                           .tests = POOL_NONE,
                                                           .next = pool->series[series].groups,
                                                           .series = series };
    pool->series[series].groups = (uint32_t)pool->group_count++;
    return ERR_OK;
}

static err add_test(struct rule_pool *pool, uint32_t group, const struct rule *rule,
                    const struct node *node, hash128 print, uint32_t *place)
{
    if (!HAS_ROOM(pool, tests, test))
        return ERR_NOMEM;
    err error = place_of(pool, name_of(NAMED_TEST, print, group), pool->test_count, place);
    if (error != ERR_OK || *place < pool->test_count)
        return error;
    pool->tests[pool->test_count++] = (struct pool_test){ .rule = rule,
                                                          .node = node,
                                                          .owners = POOL_NONE,
                                                          .next = pool->groups[group].tests,
                                                          .group = group };
    pool->groups[group].tests = *place;
    return ERR_OK;
}

/* The test of a condition that her events in a window decide. */
static err add_tested(struct rule_pool *pool, const struct rule *rule, uint32_t slot,
                      uint32_t *place)
{
    const struct node *node = rule->slots[slot];
    const struct print *print = &rule->prints[slot];
    uint32_t series = 0, group = 0;
    err error = add_series(pool, name_of(NAMED_SERIES, print->events, 0), rule, node,
                           MOVES_BY_WINDOW, &series);
    if (error == ERR_OK)
        error = add_group(pool, series, node, print->window, &group);
    return error == ERR_OK ? add_test(pool, group, rule, node, print->all, place) : error;
}

/* Days since the last event move by time as well: who stands on them is told as of what is odd, but they are counted by what
 * is in the window. */
static bool is_by_window_too(const struct node *node)
{
    return node->kind == NODE_EVENT && node->measuring.measure == MEASURE_RECENCY &&
           !node->measuring.net && node->measuring.nth == 0 && !node->compare.relative &&
           (node->where == NULL || !node->where->relative);
}

static err add_slot(struct rule_pool *pool, const struct rule *rule, uint32_t slot, uint32_t owner)
{
    const struct node *node = rule->slots[slot];
    const struct print *print = &rule->prints[slot];
    uint32_t series, test = POOL_NONE;
    err error = ERR_OK;
    if (print->moving == MOVES_BY_WINDOW) {
        error = add_tested(pool, rule, slot, &test);
        if (error == ERR_OK)
            error = add_owner(pool, &pool->tests[test].owners, owner);
        if (error == ERR_OK)
            pool->series[pool->groups[pool->tests[test].group].series].is_heard = true;
    } else {
        error =
            add_series(pool, name_of(NAMED_ODD, print->all, 0), rule, node, print->moving, &series);
        if (error == ERR_OK)
            error = add_owner(pool, &pool->series[series].owners, owner);
        if (error == ERR_OK && print->moving == MOVES_BY_ORDER && is_by_window_too(node))
            error = add_tested(pool, rule, slot, &test);
    }
    pool->slot_tests[slot] = test;
    return error;
}

/* Touches are events of one type; by more than that they are not told apart. */
static err add_touches(struct rule_pool *pool, const struct rule *rule, uint32_t owner)
{
    static const hash128 touches = { 1, 1 };
    uint32_t series = 0;
    if (!rule->needs.touches)
        return ERR_OK;
    pool->added++;
    err error =
        add_series(pool, name_of(NAMED_ODD, touches, 1), NULL, NULL, MOVES_BY_OTHERS, &series);
    return error == ERR_OK ? add_owner(pool, &pool->series[series].owners, owner) : error;
}

err rule_pool_add(struct rule_pool *pool, const struct rule *rule, uint32_t owner, bool *turns)
{
    err error = add_touches(pool, rule, owner);
    *turns |= rule->turns;
    pool->listed = false;
    if (rule->slot_count > 0 && !pool_room(&pool->slot_tests, &pool->slot_test_room,
                                           rule->slot_count, sizeof(*pool->slot_tests)))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < rule->slot_count && error == ERR_OK; i++) {
        *turns |= rule->prints[i].moving == MOVES_BY_OTHERS;
        error = add_slot(pool, rule, i, owner);
        pool->added++;
    }
    return error == ERR_OK ? pool_add_program(pool, rule) : error;
}
