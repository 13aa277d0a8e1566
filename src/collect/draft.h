/* SPDX-License-Identifier: Apache-2.0 */
/* draft: from values to what stands in an event, for the doors and for what reads files (mapping).
 *
 * One place decides what is sealed, how a value is written, which properties become promoted columns and
 * what an amount is: an event from a file is the event that the same values make at a door.
 *
 * A desk belongs to one thread. Texts that it makes live in its arena.
 */
#ifndef KITH_COLLECT_DRAFT_H
#define KITH_COLLECT_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "event/event.h"

/* What is known of the name of a property: found once, then remembered by its hash. */
struct name_note {
    uint64_t hash;
    uint8_t personal; /* enum personal_kind */
    uint8_t promoted; /* enum promoted + 1; 0 if none */
    bool is_code, is_coarse, is_name, is_sealed_mark;
};
#define NAME_NOTES 2048 /* power of two; 32 KB */

struct draft_desk {
    const struct keys *keys;
    struct arena *arena;
    struct buffer *masked; /* scratch of masks; NULL where nothing is masked */
    bool starved;          /* memory ran out where no error could be told */
    uint64_t seed;         /* of names and shapes */
    struct name_note notes[NAME_NOTES];
};

/* Zeroed before. */
void draft_desk_init(struct draft_desk *desk, const struct keys *keys, struct arena *arena,
                     struct buffer *masked);
/* Valid until the next name is asked for. */
const struct name_note *draft_note(struct draft_desk *desk, str name);

/* Append a value as JSON under a name: personal ones sealed (*sealed; may be NULL), links without what their
 * queries tell. NOMEM. What does not fit into `out` is told by its `failed`. */
err draft_put_text(struct draft_desk *desk, struct buffer *out, const struct name_note *note,
                   str text, bool *sealed) MUST_USE;
/* The same of any JSON; its members are judged by their own names. `desk` may be asked for notes meanwhile:
 * hand in a copy. */
err draft_put_json(struct draft_desk *desk, struct buffer *out, const struct name_note *note,
                   json_value value, bool *sealed) MUST_USE;
/* The kind under which the tracking plan sees a value that was written so. */
enum json_kind draft_kind(json_value value, bool sealed);

/* 1 + the column of a property, 0 if it has none. */
uint8_t draft_promoted_column(str name);
/* Fill the columns of `set` from texts, as the doors do from JSON: numbers as their decimals. A value that is none leaves
 * its column empty; amounts without a currency are in CNY. */
void draft_promote_texts(struct event *event, const str *texts, uint32_t set);

/* A channel by its name as a client may write it; "" if it is none. */
str draft_channel_name(struct draft_desk *desk, str name);
/* When a thing happened that is said to have happened at `time_ms`: up to a day ahead counts as now. */
int64_t draft_settle_time(int64_t time_ms, int64_t received_ms);

#endif
