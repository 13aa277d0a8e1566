/* SPDX-License-Identifier: Apache-2.0 */
/* Which conditions of a pool may count an event: by its type, and by what its properties say.
 *
 * Most conditions ask for one of many texts: a category, a channel, a store. So under each type those stand by the text that they
 * ask for, and an event is compared with those of its own texts alone. What asks for something else, or counts by its order
 * (the nth, a refund), is open: any event of the type may be part of it. */
#include "rule/pool.h"

#include <string.h>

#include "base/digest.h"

/* ---- what a series asks for ---- */

static bool asks_text(const struct node *where)
{
    const struct compare *compare = &where->compare;
    enum property_source source = where->property.source;
    return where->kind == NODE_PROP && compare->kind == RULE_TEXT &&
           where->property.kind == RULE_TEXT && compare->reference == NULL && !compare->me &&
           !compare->negate && (compare->op == OP_EQ || compare->op == OP_IN) &&
           (source == FROM_CHANNEL || source == FROM_COLUMN);
}

/* The part of a where without which it does not hold; NULL: none asks for a text. */
static const struct node *find_asking(const struct node *where)
{
    const struct node *found = asks_text(where) ? where : NULL;
    for (uint32_t i = 0; where->kind == NODE_ALL && i < where->child_count && found == NULL; i++)
        found = find_asking(where->children[i]);
    return found;
}

static const struct node *asking_of(const struct pool_series *series)
{
    const struct node *node = series->node;
    bool can = node != NULL && node->kind == NODE_EVENT && node->where != NULL &&
               !node->where->relative && node->measuring.nth == 0 && !node->measuring.net &&
               series->moving != MOVES_BY_OTHERS;
    return can ? find_asking(node->where) : NULL;
}

/* ---- lists ---- */

static bool list_add(struct pool_list *list, uint32_t series)
{
    if (list->count > 0 && list->series[list->count - 1] == series)
        return true;
    if (!pool_room(&list->series, &list->room, list->count, sizeof(*list->series)))
        return false;
    list->series[list->count++] = series;
    return true;
}

/* POOL_NONE: no memory. */
static uint32_t key_of(struct rule_pool *pool, uint16_t type, history_column column)
{
    uint32_t *first = &pool->by_type[type].keys, key = *first;
    while (key != POOL_NONE && pool->keys[key].column != column)
        key = pool->keys[key].next;
    if (key != POOL_NONE)
        return key;
    if (!HAS_ROOM(pool, keys, key))
        return POOL_NONE;
    key = (uint32_t)pool->key_count++;
    pool->keys[key] = (struct pool_key){ .column = column, .next = *first };
    *first = key;
    return key;
}

static uint64_t hash_of(uint32_t key, str text)
{
    uint64_t hash = hash_bytes64(text.data, text.size, key + 1);
    return hash != 0 ? hash : 1;
}

static struct pool_text *find_text(const struct pool_texts *texts, uint64_t hash)
{
    uint32_t mask = texts->capacity - 1, at = (uint32_t)hash & mask;
    while (texts->slots[at].hash != 0 && texts->slots[at].hash != hash)
        at = (at + 1) & mask;
    return &texts->slots[at];
}

static bool grow_texts(struct pool_texts *texts)
{
    if (2 * (texts->count + 1) <= texts->capacity)
        return true;
    struct pool_texts more = *texts;
    more.capacity = texts->capacity > 0 ? 2 * texts->capacity : 256;
    more.slots = memory_alloc(more.capacity * sizeof(*more.slots));
    if (more.slots == NULL)
        return false;
    for (uint32_t i = 0; i < texts->capacity; i++)
        if (texts->slots[i].hash != 0)
            *find_text(&more, texts->slots[i].hash) = texts->slots[i];
    memory_free(texts->slots);
    *texts = more;
    return true;
}

static bool add_text(struct pool_texts *texts, uint32_t key, str text, uint32_t series)
{
    if (!grow_texts(texts) ||
        !pool_room(&texts->links, &texts->link_room, texts->link_count, sizeof(*texts->links)))
        return false;
    uint64_t hash = hash_of(key, text);
    struct pool_text *found = find_text(texts, hash);
    if (found->hash == 0) {
        *found = (struct pool_text){ hash, POOL_NONE };
        texts->count++;
    }
    texts->links[texts->link_count] = (struct pool_link){ series, found->links };
    found->links = (uint32_t)texts->link_count++;
    return true;
}

/* Of a type, by the texts that it asks for; a column that history does not know yet is as none. */
static bool list_asking(struct rule_pool *pool, uint16_t type, uint32_t place,
                        const struct node *asking)
{
    const struct property *property = &asking->property;
    const struct compare *compare = &asking->compare;
    history_column column = 0;
    if (property->source == FROM_COLUMN)
        column = history_column_find(pool->history, property->path, property->column_kind);
    if (property->source == FROM_COLUMN && column == 0)
        return list_add(&pool->by_type[type].open, place);
    uint32_t key = key_of(pool, type, column);
    bool listed = key != POOL_NONE && list_add(&pool->keys[key].all, place);
    uint32_t count = compare->op == OP_EQ ? 1 : compare->count;
    for (uint32_t i = 0; i < count && listed; i++)
        listed = add_text(&pool->texts, key, compare->texts[i], place);
    return listed;
}

static bool list_series(struct rule_pool *pool, uint32_t place)
{
    const struct pool_series *series = &pool->series[place];
    const struct node *asking = asking_of(series);
    if (!series->is_heard)
        return true;
    if (series->node == NULL) {
        uint16_t type = history_type_find(pool->history, STR(RULE_TOUCH_EVENT));
        return type == 0 || list_add(&pool->by_type[type].open, place);
    }
    for (uint32_t i = 0; i < series->rule->listener_count; i++) {
        const struct listener *listener = &series->rule->listeners[i];
        if (listener->slot != series->node->slot)
            continue;
        uint16_t type =
            listener->event.size == 0 ? 0 : history_type_find(pool->history, listener->event);
        if (type == 0 && listener->event.size > 0)
            continue; /* nobody has one */
        if (asking != NULL ? !list_asking(pool, type, place, asking)
                           : !list_add(&pool->by_type[type].open, place))
            return false;
    }
    return true;
}

static void forget_lists(struct rule_pool *pool)
{
    for (size_t i = 0; i < HISTORY_TYPES_MAX; i++) {
        pool->by_type[i].open.count = 0;
        pool->by_type[i].keys = POOL_NONE;
    }
    for (size_t i = 0; i < pool->key_count; i++)
        memory_free(pool->keys[i].all.series);
    pool->key_count = 0;
    pool->texts.count = 0;
    pool->texts.link_count = 0;
    if (pool->texts.capacity > 0)
        memset(pool->texts.slots, 0, pool->texts.capacity * sizeof(*pool->texts.slots));
}

void pool_lists_free(struct rule_pool *pool)
{
    forget_lists(pool);
    for (size_t i = 0; i < HISTORY_TYPES_MAX; i++)
        memory_free(pool->by_type[i].open.series);
    memory_free(pool->keys);
    memory_free(pool->texts.slots);
    memory_free(pool->texts.links);
}

bool pool_list_all(struct rule_pool *pool)
{
    uint16_t types = history_type_count(pool->history);
    if (pool->listed && pool->type_count == types)
        return true;
    pool->listed = false;
    forget_lists(pool);
    for (size_t i = 0; i < pool->series_count; i++)
        if (!list_series(pool, (uint32_t)i))
            return false;
    pool->listed = true;
    pool->type_count = types;
    return true;
}

/* ---- asking ---- */

bool rule_pool_listens(struct rule_pool *pool, uint16_t type)
{
    return !pool_list_all(pool) || pool->by_type[type].open.count > 0 ||
           pool->by_type[type].keys != POOL_NONE || pool->by_type[0].open.count > 0 ||
           pool->by_type[0].keys != POOL_NONE;
}

static void visit_list(const struct pool_list *list, pool_visit *visit, void *context)
{
    for (size_t i = 0; i < list->count; i++)
        visit(context, list->series[i]);
}

void pool_each_open(const struct rule_pool *pool, uint16_t type, pool_visit *visit, void *context)
{
    visit_list(&pool->by_type[type].open, visit, context);
}

/* What the event says; STR_NONE: nothing, and no text is asked for by that. */
static str text_at(const struct rule_pool *pool, const struct history_view *view, size_t at,
                   history_column column)
{
    if (column == 0) {
        uint8_t channel = history_packed_channel(view->events[at]);
        return channel != 0 ? history_channel_name(pool->history, channel) : STR_NONE;
    }
    uint32_t code = history_code(view, at, column);
    return code != 0 ? history_view_text(view, column, code) : STR_NONE;
}

void pool_each_keyed(const struct rule_pool *pool, const struct history_view *view, size_t at,
                     uint16_t type, pool_visit *visit, void *context)
{
    for (uint32_t i = pool->by_type[type].keys; i != POOL_NONE; i = pool->keys[i].next) {
        const struct pool_key *key = &pool->keys[i];
        bool is_full = key->column != 0 && history_column_is_full(pool->history, key->column);
        if (is_full && !view->streamed) {
            visit_list(&key->all, visit, context);
            continue;
        }
        str text = text_at(pool, view, at, key->column);
        if (text.data == NULL)
            continue;
        const struct pool_text *found = find_text(&pool->texts, hash_of(i, text));
        uint32_t link = found->hash != 0 ? found->links : POOL_NONE;
        for (; link != POOL_NONE; link = pool->texts.links[link].next)
            visit(context, pool->texts.links[link].series);
    }
}
