/* SPDX-License-Identifier: Apache-2.0 */
/* rehearsal_inside: what a rehearsal is made of. Private to touch/. */
#ifndef KITH_TOUCH_REHEARSAL_INSIDE_H
#define KITH_TOUCH_REHEARSAL_INSIDE_H

#include "touch/inside.h"

enum { REHEARSAL_NOW, REHEARSAL_DRAFT, REHEARSAL_ROOMS };

/* What came of a touch in one room. Details are borrowed from the policy of the room. */
struct rehearsal_outcome {
    bool is_stopped, is_waiting;
    uint8_t gate, held_gate; /* which stopped it; which held it last, if one did */
    const char *detail, *held_detail;
};
struct rehearsal_row {
    uint32_t number, root, node, line; /* of the live room */
    uint8_t status;
    bool is_taken;
    int64_t created_ms, not_before_ms, expires_ms, cost_minor;
    str order_id, content_key; /* in the rehearsal's arena */
    struct rehearsal_outcome outcomes[REHEARSAL_ROOMS];
};
struct rehearsal_room {
    struct touch_rehearsal *rehearsal;
    struct touches *touches;
    int64_t at_ms;
    uint32_t *queued;
    size_t queued_count, queued_capacity;
    err error; /* of take_status, which has nobody to tell */
};
struct touch_rehearsal {
    const struct touches *live;
    int64_t from_ms, now_ms;
    uint32_t cursor;            /* touches up to it are yet to be looked at */
    struct rehearsal_row *rows; /* by number, once all were looked at */
    uint32_t row_count, row_limit, next;
    uint32_t one_in; /* a power of two */
    bool is_cut;     /* one customer has more than there is room for */
    struct rehearsal_room rooms[REHEARSAL_ROOMS];
    struct map places; /* number of a touch of the rooms → its row, + 1 */
    struct map known;  /* customers whose past is in the rooms */
    struct arena texts;
};

#endif
