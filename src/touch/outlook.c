/* SPDX-License-Identifier: Apache-2.0 */
/* outlook: the touches that there are, summed by line, day and gate, in one pass over their marks. */
#include "touch/outlook.h"

#include "base/calendar.h"
#include "touch/inside.h"

#define SUMS_MAX 20000

/* What is summed together. */
struct sum_key {
    uint32_t line;
    int32_t day; /* local, since 1970 */
    uint32_t kind, gate;
};
_Static_assert(sizeof(struct sum_key) == 16, "no padding in a key of sums");
struct outlook_sum {
    struct sum_key key;
    uint64_t count;
    int64_t first_ms, last_ms;
};

const char *outing_kind_text(enum outing_kind kind)
{
    static const char *const texts[] = {
#define X(NAME, text) text,
        OUTING_KINDS(X)
#undef X
    };
    return texts[kind];
}

void touch_outlook_begin(struct touch_outlook *outlook)
{
    outlook->cursor = UINT32_MAX;
    sums_init(&outlook->sums, sizeof(struct outlook_sum), sizeof(struct sum_key), SUMS_MAX);
}

void touch_outlook_end(struct touch_outlook *outlook)
{
    sums_deinit(&outlook->sums);
}

static err add(struct touch_outlook *outlook, const struct sum_key *key, int64_t at_ms)
{
    void *record;
    err error = sums_of(&outlook->sums, key, &record);
    struct outlook_sum *sum = record;
    if (error != ERR_OK)
        return error;
    if (sum == NULL) {
        outlook->is_cut = true;
        return ERR_OK;
    }
    bool is_first = sum->count++ == 0;
    sum->first_ms = is_first || at_ms < sum->first_ms ? at_ms : sum->first_ms;
    sum->last_ms = is_first || at_ms > sum->last_ms ? at_ms : sum->last_ms;
    return ERR_OK;
}

/* ---- the pass ---- */

/* When it went, or will be looked at; false: it will not go, or is stopped for nobody knows how long. */
static bool goes_at(const struct touches *touches, uint32_t number, const struct mark *mark,
                    int64_t now_ms, struct sum_key *key, int64_t *at_ms)
{
    enum touch_status status = mark_status(mark);
    key->kind = OUTING_SENT;
    *at_ms = mark_time_ms(mark);
    if (touches_status_is_sent(status) || status == TOUCH_SENDING)
        return true;
    if (status != TOUCH_QUEUED && status != TOUCH_HELD)
        return false;
    const struct waiting *waiting = touches_waiting_find(touches, number);
    if (waiting == NULL)
        return false;
    key->kind = OUTING_HELD;
    key->gate = status == TOUCH_HELD ? waiting->gate : 0;
    *at_ms = status == TOUCH_HELD && waiting->due_ms > now_ms ? waiting->due_ms : now_ms;
    return *at_ms != INT64_MAX;
}

static err add_touch(struct touch_outlook *outlook, const struct touches *touches, uint32_t number,
                     const struct mark *mark, int64_t now_ms)
{
    struct sum_key key = { .line = mark->line };
    int64_t at_ms;
    if (!goes_at(touches, number, mark, now_ms, &key, &at_ms) || at_ms < outlook->from_ms ||
        at_ms >= outlook->to_ms)
        return ERR_OK;
    if ((touches_line_at(touches, mark->line)->flags & LINE_TEST) != 0 ||
        (outlook->sees != NULL && !outlook->sees(outlook->context, mark->node)))
        return ERR_OK;
    int64_t local_ms = at_ms + (int64_t)zone_offset_seconds(outlook->zone, at_ms) * 1000;
    key.day = (int32_t)floor_div(local_ms, DAY_MS);
    return add(outlook, &key, at_ms);
}

err touch_outlook_add(struct touch_outlook *outlook, const struct touches *touches, uint32_t limit,
                      int64_t now_ms, bool *more)
{
    err error = ERR_OK;
    if (outlook->cursor > touches->last_number)
        outlook->cursor = touches->last_number;
    for (; error == ERR_OK && outlook->cursor > 0 && limit > 0; outlook->cursor--, limit--) {
        const struct mark *mark = touches_mark_at(touches, outlook->cursor);
        if (mark != NULL)
            error = add_touch(outlook, touches, outlook->cursor, mark, now_ms);
    }
    *more = error == ERR_OK && outlook->cursor > 0;
    return error;
}

void touch_outlook_visit(const struct touch_outlook *outlook, const struct touches *touches,
                         void (*visit)(void *context, const struct outing *outing), void *context)
{
    for (size_t i = 0; i < outlook->sums.count; i++) {
        const struct outlook_sum *sum = sums_at(&outlook->sums, i);
        const struct line *line = touches_line_at(touches, sum->key.line);
        struct outing outing = { .kind = (enum outing_kind)sum->key.kind,
                                 .journey = line->journey,
                                 .node = line->node,
                                 .campaign = line->campaign,
                                 .channel = line->channel,
                                 .account = line->account,
                                 .template_ = line->template_,
                                 .reason = touches_gate_code((enum gate)sum->key.gate),
                                 .first_ms = sum->first_ms,
                                 .last_ms = sum->last_ms,
                                 .count = (double)sum->count,
                                 .is_at_most = sum->key.kind == OUTING_HELD };
        visit(context, &outing);
    }
}
