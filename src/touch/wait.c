/* SPDX-License-Identifier: Apache-2.0 */
/* wait: what may still be sent. Slots in one array, found by number; queues by account, and what is due. */
#include <string.h>

#include "touch/inside.h"

#define NUMBER_KEY(number) ((uint64_t)(number))

struct waiting *touches_waiting_find(const struct touches *touches, uint32_t number)
{
    uint32_t slot = touches_map_find(&touches->slots, NUMBER_KEY(number));
    return slot != 0 ? &touches->waiting[slot] : NULL;
}

static err grow(struct touches *touches)
{
    uint32_t capacity = touches->waiting_capacity == 0 ? 1024 : touches->waiting_capacity * 2;
    struct waiting *items = memory_resize(touches->waiting, capacity * sizeof *items);
    if (items == NULL)
        return ERR_NOMEM;
    touches->waiting = items;
    touches->waiting_capacity = capacity;
    return ERR_OK;
}

err touches_waiting_add(struct touches *touches, const struct waiting *waiting,
                        struct waiting **added)
{
    uint32_t slot = touches->waiting_free;
    if (slot == 0 && touches->waiting_count + 1 >= touches->waiting_capacity) {
        err error = grow(touches);
        if (error != ERR_OK)
            return error;
    }
    if (slot == 0)
        slot = touches->waiting_count + 1;
    err error = touches_map_put(&touches->slots, NUMBER_KEY(waiting->number), slot);
    if (error != ERR_OK)
        return error;
    if (slot == touches->waiting_free)
        touches->waiting_free = touches->waiting[slot].number;
    else
        touches->waiting_count = slot;
    touches->waiting[slot] = *waiting;
    *added = &touches->waiting[slot];
    return ERR_OK;
}

void touches_waiting_remove(struct touches *touches, uint32_t number)
{
    uint32_t slot = touches_map_find(&touches->slots, NUMBER_KEY(number));
    if (slot == 0)
        return;
    struct waiting *waiting = &touches->waiting[slot];
    memory_free(waiting->context);
    *waiting = (struct waiting){ .number = touches->waiting_free };
    touches->waiting_free = slot;
    touches_map_remove(&touches->slots, NUMBER_KEY(number));
}

/* The higher the priority the earlier, then by time: both in one key. */
static int64_t ready_key(const struct line *line, int64_t created_ms)
{
    return (int64_t)(100 - line->priority) << 48 | created_ms;
}

err touches_waiting_place(struct touches *touches, struct waiting *waiting)
{
    if (waiting->status == TOUCH_HELD)
        return touches_heap_push(&touches->due, waiting->due_ms, waiting->number);
    if (waiting->status != TOUCH_QUEUED)
        return ERR_OK;
    const struct line *line = touches_line_at(touches, waiting->line);
    struct account *account = touches_account_for(touches, line->channel, line->account);
    if (account == NULL)
        return ERR_OK; /* the gates have seen to it, or will at the next look */
    err error =
        touches_heap_push(&account->ready, ready_key(line, waiting->created_ms), waiting->number);
    if (error == ERR_OK)
        touches_ready_say(touches, account);
    return error;
}

int64_t touches_due_peek_ms(struct touches *touches)
{
    while (touches->due.count > 0) {
        struct heap_entry entry = touches->due.items[0];
        const struct waiting *waiting = touches_waiting_find(touches, entry.number);
        if (waiting != NULL && waiting->status == TOUCH_HELD && waiting->due_ms == entry.key)
            return entry.key;
        touches_heap_pop(&touches->due);
    }
    return INT64_MAX;
}

uint32_t touches_ready_take(struct touches *touches, struct account *account)
{
    while (account->ready.count > 0) {
        struct heap_entry entry = account->ready.items[0];
        touches_heap_pop(&account->ready);
        const struct waiting *waiting = touches_waiting_find(touches, entry.number);
        if (waiting != NULL && waiting->status == TOUCH_QUEUED)
            return entry.number;
    }
    return 0;
}
