/* SPDX-License-Identifier: Apache-2.0 */
/* privacy: which erasures are not finished; see privacy.h. */
#include "engine/privacy.h"

#include <string.h>

#include "base/arena.h"
#include "base/codec.h"

void erasures_deinit(struct erasures *erasures)
{
    for (uint32_t i = 0; i < erasures->open_count; i++)
        memory_free(erasures->open[i].nodes);
    memory_free(erasures->open);
    *erasures = (struct erasures){ .count = 0 };
}

err erasures_add(struct erasures *erasures, uint32_t number, const uint32_t *nodes, size_t count)
{
    if (erasures->open_count == erasures->open_capacity) {
        uint32_t capacity = erasures->open_capacity == 0 ? 16 : erasures->open_capacity * 2;
        struct erasure *open = memory_resize(erasures->open, capacity * sizeof *open);
        if (open == NULL)
            return ERR_NOMEM;
        erasures->open = open;
        erasures->open_capacity = capacity;
    }
    uint32_t *kept = memory_alloc((count + 1) * sizeof *kept);
    if (kept == NULL)
        return ERR_NOMEM;
    if (count > 0)
        memcpy(kept, nodes, count * sizeof *kept);
    erasures->open[erasures->open_count++] =
        (struct erasure){ .number = number, .node_count = (uint32_t)count, .nodes = kept };
    return ERR_OK;
}

static uint32_t place_of(const struct erasures *erasures, uint32_t number)
{
    uint32_t place = 0;
    while (place < erasures->open_count && erasures->open[place].number != number)
        place++;
    return place;
}

const struct erasure *erasures_find(const struct erasures *erasures, uint32_t number)
{
    uint32_t place = place_of(erasures, number);
    return place < erasures->open_count ? &erasures->open[place] : NULL;
}

void erasures_finish(struct erasures *erasures, uint32_t number)
{
    uint32_t place = place_of(erasures, number);
    if (place == erasures->open_count)
        return;
    memory_free(erasures->open[place].nodes);
    erasures->open[place] = erasures->open[--erasures->open_count];
}

struct loading {
    struct erasures *erasures;
    err error;
};

static bool load_one(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct erasures *erasures = loading->erasures;
    uint32_t number = (uint32_t)values[0].integer;
    erasures->count = number > erasures->count ? number : erasures->count;
    if (!str_equal(values[6].bytes, STR("erasing")))
        return true;
    size_t count = values[7].bytes.size / sizeof(uint32_t);
    struct cursor cursor = cursor_over(values[7].bytes);
    uint32_t *nodes = memory_alloc((count + 1) * sizeof *nodes);
    if (nodes == NULL) {
        loading->error = ERR_NOMEM;
        return false;
    }
    for (size_t i = 0; i < count; i++)
        nodes[i] = read_u32(&cursor);
    loading->error = erasures_add(erasures, number, nodes, count);
    memory_free(nodes);
    return loading->error == ERR_OK;
}

err erasures_load(struct erasures *erasures, struct ledger *ledger, struct problem *problem)
{
    struct loading loading = { .erasures = erasures };
    err error = ledger_scan(ledger, LEDGER_ERASURES, NULL, load_one, &loading, problem);
    return error != ERR_OK ? error : loading.error;
}

void erasures_write_kept(const struct erasures *erasures, struct buffer *sql)
{
    bool first = true;
    for (uint32_t i = 0; i < erasures->open_count; i++) {
        for (uint32_t k = 0; k < erasures->open[i].node_count; k++) {
            buffer_printf(sql, "%s%u", first ? " AND customer NOT IN (" : ",",
                          erasures->open[i].nodes[k]);
            first = false;
        }
    }
    if (!first)
        buffer_append_byte(sql, ')');
}
