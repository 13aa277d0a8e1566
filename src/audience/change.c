/* SPDX-License-Identifier: Apache-2.0 */
/* change: what moved whom, when and why, in few bytes, per definition.
 *
 * A row of table AUDIENCE_CHANGES has the entries of one definition from change `number` on. The row that is being
 * written is written again with each commit until it has CHANGES_ROW_BYTES, so that a busy definition
 * does not leave a row per event. An entry:
 *
 *     zigzag   customer less that of the entry before (0 before the first)
 *     zigzag   at_ms less that of the entry before
 *     zigzag   seq less that of the entry before
 *     byte     cause | 16 if there was a value | 32 if there is one
 *     zigzag   old value, zigzag new value (those that there are) */
#include "audience/state.h"

#define CHANGES_ROW_BYTES 512
#define CHANGES_BYTES_MAX (256u << 10) /* of a row, when many change at once */

static bool read_value(struct cursor *cursor, bool is_there, int64_t *value)
{
    *value = is_there ? read_zigzag(cursor) : NO_VALUE;
    return !cursor->failed;
}

void change_write(struct buffer *out, const struct change *change, const struct change *previous)
{
    bool had = change->old_value != NO_VALUE, has = change->new_value != NO_VALUE;
    write_zigzag(out, (int64_t)change->customer - (int64_t)previous->customer);
    write_zigzag(out, change->at_ms - previous->at_ms);
    write_zigzag(out, (int64_t)(change->seq - previous->seq));
    write_u8(out, (uint8_t)((unsigned)change->cause | (had ? 16u : 0) | (has ? 32u : 0)));
    if (had)
        write_zigzag(out, change->old_value);
    if (has)
        write_zigzag(out, change->new_value);
}

bool change_next(struct cursor *cursor, struct change *change, struct change *previous)
{
    if (cursor_left(cursor) == 0)
        return false;
    change->customer = (uint32_t)((int64_t)previous->customer + read_zigzag(cursor));
    change->at_ms = previous->at_ms + read_zigzag(cursor);
    change->seq = previous->seq + (uint64_t)read_zigzag(cursor);
    uint8_t flags = read_u8(cursor);
    change->cause = (enum cause)(flags & 15);
    bool read = read_value(cursor, (flags & 16) != 0, &change->old_value) &&
                read_value(cursor, (flags & 32) != 0, &change->new_value);
    *previous = *change;
    return read;
}

/* The row is full: the next one begins. It must have been put before. */
void change_end_row(struct definition *definition)
{
    buffer_clear(&definition->changes);
    definition->changes_count = 0;
    definition->changes_dirty = false;
    definition->changes_last = (struct change){ .seq = 0 };
}

bool change_row_is_full(const struct definition *definition)
{
    return definition->changes.size >= CHANGES_ROW_BYTES;
}

/* Put aside until the next commit. */
static err finish_row(struct audience *audience, struct definition *definition)
{
    struct changes_row *row = memory_alloc(sizeof *row);
    if (row == NULL)
        return ERR_NOMEM;
    size_t size;
    row->definition = definition->number;
    row->number = definition->changes_number;
    row->count = definition->changes_count;
    row->first_ms = definition->changes_first_ms;
    row->last_ms = definition->changes_last.at_ms;
    row->bytes = buffer_take(&definition->changes, &size);
    row->size = size;
    row->next = audience->finished_rows;
    audience->finished_rows = row;
    change_end_row(definition);
    return ERR_OK;
}

err change_note(struct audience *audience, struct definition *definition,
                const struct change *change)
{
    entered_note(definition, change);
    audience->change_count++;
    definition->change_number++;
    if (definition->changes_count == 0) {
        definition->changes_number = definition->change_number;
        definition->changes_first_ms = change->at_ms;
    }
    change_write(&definition->changes, change, &definition->changes_last);
    definition->changes_last = *change;
    definition->changes_count++;
    definition->changes_dirty = true;
    metric_add(METRIC_AUDIENCE_CHANGES, 1);
    if (definition->changes.size >= CHANGES_BYTES_MAX)
        return finish_row(audience, definition);
    return buffer_status(&definition->changes);
}
