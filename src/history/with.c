/* SPDX-License-Identifier: Apache-2.0 */
/* with: a view, and one event more that is nowhere yet. */
#include "history/state.h"

/* How many events of the view come before this one. */
static size_t place_among(const struct history_view *view, uint64_t packed, uint64_t seq)
{
    size_t at = view->count;
    while (at > 0 && event_is_before(packed, seq, view->events[at - 1], history_seq(view, at - 1)))
        at--;
    return at;
}

/* Into the reader's own memory, with room for one more. */
static bool gather_view(struct history_reader *reader, struct history_view *view)
{
    bool is_gathered = view->places != NULL;
    if (!reader_reserve(reader, (uint32_t)view->count + 1))
        return false;
    for (size_t i = 0; i < view->count && !is_gathered; i++) {
        reader->events[i] = view->events[i];
        reader->seqs[i] = history_seq(view, i);
        reader->places[i] =
            (struct history_place){ .block = view->block, .index = view->first + (uint32_t)i };
    }
    view->events = reader->events;
    view->seqs = reader->seqs;
    view->places = reader->places;
    return true;
}

err history_view_with(struct history_reader *reader, const struct history_row *row,
                      struct history_view *view)
{
    struct history_view one;
    err error = history_view_rows(reader, row, 1, &one);
    if (error == ERR_OK && !gather_view(reader, view))
        error = ERR_NOMEM;
    if (error != ERR_OK)
        return error;
    size_t at = place_among(view, one.events[0], one.seqs[0]), after = view->count - at;
    memmove(reader->events + at + 1, reader->events + at, after * sizeof *reader->events);
    memmove(reader->seqs + at + 1, reader->seqs + at, after * sizeof *reader->seqs);
    memmove(reader->places + at + 1, reader->places + at, after * sizeof *reader->places);
    reader->events[at] = one.events[0];
    reader->seqs[at] = one.seqs[0];
    reader->places[at] = (struct history_place){ .block = one.block, .index = 0 };
    view->count++;
    view->block = one.block; /* knows the texts that history does not */
    view->first = 0;
    return ERR_OK;
}
