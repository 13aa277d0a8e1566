/* SPDX-License-Identifier: Apache-2.0 */
/* outlook: the touches that there are, summed by line, day and gate, in one pass over their marks. */
#include "touch/outlook.h"

#include "base/calendar.h"
#include "touch/inside.h"

#define SUMS_MAX 20000

struct outlook_sum {
    uint32_t line;
    int32_t day; /* local, since 1970 */
    uint8_t kind, gate;
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
}

void touch_outlook_end(struct touch_outlook *outlook)
{
    memory_free(outlook->sums);
    memory_free(outlook->index);
    outlook->sums = NULL;
    outlook->index = NULL;
}

/* ---- sums ---- */

static uint32_t *place_of(const struct touch_outlook *outlook, const struct outlook_sum *wanted)
{
    size_t mask = outlook->index_capacity - 1;
    uint64_t hash = hash_mix64((uint64_t)wanted->line << 32 | (uint32_t)wanted->day) ^
                    hash_mix64((uint64_t)wanted->kind << 8 | wanted->gate);
    size_t place = (size_t)hash & mask;
    for (; outlook->index[place] != 0; place = (place + 1) & mask) {
        const struct outlook_sum *sum = &outlook->sums[outlook->index[place] - 1];
        if (sum->line == wanted->line && sum->day == wanted->day && sum->kind == wanted->kind &&
            sum->gate == wanted->gate)
            break;
    }
    return &outlook->index[place];
}

static err grow(struct touch_outlook *outlook)
{
    size_t capacity = outlook->sum_capacity == 0 ? 256 : outlook->sum_capacity * 2;
    struct outlook_sum *sums = memory_resize(outlook->sums, capacity * sizeof *sums);
    if (sums != NULL)
        outlook->sums = sums;
    uint32_t *index = sums != NULL ? memory_alloc(capacity * 4 * sizeof *index) : NULL;
    if (index == NULL)
        return ERR_NOMEM;
    memory_free(outlook->index);
    outlook->index = index;
    outlook->index_capacity = capacity * 4;
    outlook->sum_capacity = capacity;
    for (size_t i = 0; i < outlook->sum_count; i++)
        *place_of(outlook, &outlook->sums[i]) = (uint32_t)i + 1;
    return ERR_OK;
}

static err add(struct touch_outlook *outlook, const struct outlook_sum *one)
{
    err error = outlook->sum_count == outlook->sum_capacity ? grow(outlook) : ERR_OK;
    if (error != ERR_OK)
        return error;
    uint32_t *place = place_of(outlook, one);
    if (*place == 0) {
        if (outlook->sum_count == SUMS_MAX) {
            outlook->is_cut = true;
            return ERR_OK;
        }
        outlook->sums[outlook->sum_count] = *one;
        *place = (uint32_t)++outlook->sum_count;
        return ERR_OK;
    }
    struct outlook_sum *sum = &outlook->sums[*place - 1];
    sum->count += one->count;
    sum->first_ms = one->first_ms < sum->first_ms ? one->first_ms : sum->first_ms;
    sum->last_ms = one->last_ms > sum->last_ms ? one->last_ms : sum->last_ms;
    return ERR_OK;
}

/* ---- the pass ---- */

/* When it went, or will be looked at; false: it will not go, or is stopped for nobody knows how long. */
static bool goes_at(const struct touches *touches, uint32_t number, const struct mark *mark,
                    int64_t now_ms, struct outlook_sum *one, int64_t *at_ms)
{
    enum touch_status status = mark_status(mark);
    one->kind = OUTING_SENT;
    *at_ms = mark_time_ms(mark);
    if (touches_status_is_sent(status) || status == TOUCH_SENDING)
        return true;
    if (status != TOUCH_QUEUED && status != TOUCH_HELD)
        return false;
    const struct waiting *waiting = touches_waiting_find(touches, number);
    if (waiting == NULL)
        return false;
    one->kind = OUTING_HELD;
    one->gate = status == TOUCH_HELD ? waiting->gate : 0;
    *at_ms = status == TOUCH_HELD && waiting->due_ms > now_ms ? waiting->due_ms : now_ms;
    return *at_ms != INT64_MAX;
}

static err add_touch(struct touch_outlook *outlook, const struct touches *touches, uint32_t number,
                     const struct mark *mark, int64_t now_ms)
{
    struct outlook_sum one = { .line = mark->line, .count = 1 };
    int64_t at_ms;
    if (!goes_at(touches, number, mark, now_ms, &one, &at_ms) || at_ms < outlook->from_ms ||
        at_ms >= outlook->to_ms)
        return ERR_OK;
    if ((touches_line_at(touches, mark->line)->flags & LINE_TEST) != 0 ||
        (outlook->sees != NULL && !outlook->sees(outlook->context, mark->node)))
        return ERR_OK;
    int64_t local_ms = at_ms + (int64_t)zone_offset_seconds(outlook->zone, at_ms) * 1000;
    one.day = (int32_t)floor_div(local_ms, DAY_MS);
    one.first_ms = one.last_ms = at_ms;
    return add(outlook, &one);
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
    for (size_t i = 0; i < outlook->sum_count; i++) {
        const struct outlook_sum *sum = &outlook->sums[i];
        const struct line *line = touches_line_at(touches, sum->line);
        struct outing outing = { .kind = (enum outing_kind)sum->kind,
                                 .journey = line->journey,
                                 .node = line->node,
                                 .campaign = line->campaign,
                                 .channel = line->channel,
                                 .account = line->account,
                                 .template_ = line->template_,
                                 .reason = touches_gate_code((enum gate)sum->gate),
                                 .first_ms = sum->first_ms,
                                 .last_ms = sum->last_ms,
                                 .count = (double)sum->count,
                                 .is_at_most = sum->kind == OUTING_HELD };
        visit(context, &outing);
    }
}
