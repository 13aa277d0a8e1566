/* SPDX-License-Identifier: Apache-2.0 */
/* move_inside: what the files of move share; no other file of the room includes it.
 *
 *     move.c         what each record means for journeys
 *     move_world.c   what journeys ask, and bring about
 *     move_keep.c    what is due: the keeper, and the virtual clock */
#ifndef KITH_ENGINE_MOVE_INSIDE_H
#define KITH_ENGINE_MOVE_INSIDE_H

#include <stdatomic.h>

#include "engine/act/act.h"
#include "engine/act/act_inside.h"
#include "engine/move/move.h"
#include "engine/move/move_pending.h"
#include "engine/move/move_sources.h"
#include "engine/state.h"

#define NODES_MAX 1024

struct told {
    struct told *next;
    struct touch_change change;
};
/* Numbers of segments by key; those of the audience are never given out twice. */
struct segment_number {
    char key[AUDIENCE_KEY_BYTES_MAX + 1];
    uint32_t number;
};

struct move {
    struct engine *engine;
    struct journeys *journeys;
    struct journey_world world;
    struct json_parser *parser;
    struct buffer text, answer;
    bool in_record, may_start;
    struct heard *heard, **heard_last; /* of this record */
    struct move_pending pending;       /* until a tick */
    struct told *told, **told_last;
    struct move_sources sources;
    int64_t late_ms;
    struct segment_number *numbers;
    size_t number_count;
    _Atomic bool is_asked; /* a journey.run is on its way */
};

/* Who has entered is told to the audience, in this record. */
struct telling {
    struct engine *engine;
    uint64_t seq;
};
err move_tell_audience(void *telling, uint32_t customer) MUST_USE;

/* What journeys ask of the rest; its context is `move`. */
struct journey_world move_world(struct move *move);

#endif
