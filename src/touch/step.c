/* SPDX-License-Identifier: Apache-2.0 */
/* step: a touch gets another status. Rows, counts, and who has to be told, in one place.
 *
 *     step_take ─▶ mark, waiting, rows TOUCH_STATES and TOUCH_STEPS, budgets ─▶ note ─▶ call_end ─▶ config.moved
 */
#include <string.h>

#include "base/metric.h"
#include "touch/inside.h"

#define STEPS_MAX 250
#define NOTES_BYTES_MAX ((size_t)64 << 20)

const char *touch_status_text(enum touch_status status)
{
    static const char *const texts[TOUCH_STATUS_COUNT] = {
#define X(NAME, text) [TOUCH_##NAME] = text,
        TOUCH_STATUSES(X)
#undef X
    };
    INVARIANT(status < TOUCH_STATUS_COUNT);
    return texts[status];
}

bool touches_status_waits(enum touch_status status)
{
    return status == TOUCH_QUEUED || status == TOUCH_HELD || status == TOUCH_SENDING ||
           status == TOUCH_UNCERTAIN;
}

bool touches_status_counts(enum touch_status status)
{
    return status != TOUCH_FAILED && status != TOUCH_SUPPRESSED;
}

bool touches_status_is_sent(enum touch_status status)
{
    return status == TOUCH_SENT || status == TOUCH_DELIVERED || status == TOUCH_CONFIRMED ||
           status == TOUCH_READ || status == TOUCH_CLICKED;
}

/* ---- a public call ---- */

void touches_call_begin(struct touches *touches, struct ledger_writes *writes,
                        struct touch_moment moment)
{
    INVARIANT(touches->depth == 0 || touches->writes == writes);
    touches->depth++;
    touches->writes = writes;
    touches->moment = moment;
}

static err tell(struct touches *touches, const struct change_note *note)
{
    const struct touch_world *world = touches->config.world;
    const struct mark *mark = touches_mark_at(touches, note->number);
    if (touches->config.moved == NULL || mark == NULL)
        return ERR_OK;
    const struct line *line = touches_line_at(touches, mark->line);
    struct touch_change change = {
        .touch = note->number,
        .position = note->position,
        .customer = world->root(world->context, mark->node),
        .journey = line->journey,
        .node = line->node,
        .from = (enum touch_status)note->from,
        .to = (enum touch_status)note->to,
        .reason = note->reason,
        .response = note->response,
    };
    return touches->config.moved(touches->config.context, &change, touches->moment,
                                 touches->writes);
}

err touches_call_end(struct touches *touches, err error)
{
    INVARIANT(touches->depth > 0);
    if (touches->depth == 1) {
        for (size_t i = 0; error == ERR_OK && i < touches->change_count; i++) {
            struct change_note note = touches->changes[i];
            error = tell(touches, &note);
        }
        touches->change_count = 0;
        arena_reset(&touches->change_arena);
    }
    touches->depth--;
    return error;
}

static err note_change(struct touches *touches, uint32_t number, enum touch_status from,
                       uint64_t position, const struct step *step)
{
    if (position == 0 || touches->config.moved == NULL)
        return ERR_OK;
    if (touches->change_count == touches->change_capacity) {
        size_t capacity = touches->change_capacity == 0 ? 64 : touches->change_capacity * 2;
        struct change_note *changes = memory_resize(touches->changes, capacity * sizeof *changes);
        if (changes == NULL)
            return ERR_NOMEM;
        touches->changes = changes;
        touches->change_capacity = capacity;
    }
    struct change_note note = {
        .number = number, .from = (uint8_t)from, .to = (uint8_t)step->status, .position = position
    };
    err error = arena_dup(&touches->change_arena, step->reason, &note.reason);
    if (error == ERR_OK)
        error = arena_dup(&touches->change_arena, step->response, &note.response);
    if (error == ERR_OK)
        touches->changes[touches->change_count++] = note;
    return error;
}

/* ---- a step ---- */

static int64_t counted_ms(const struct touches *touches, const struct mark *mark,
                          const struct step *step)
{
    int64_t now_ms = touches->moment.now_ms;
    if (step->status == TOUCH_HELD)
        return step->until_ms > now_ms && step->until_ms < now_ms + TOUCH_REMEMBERED_MS
                   ? step->until_ms
                   : now_ms;
    if (step->status == TOUCH_QUEUED || step->status == TOUCH_SENDING || step->status == TOUCH_SENT)
        return now_ms;
    return mark_time_ms(mark);
}

void touches_state_put(struct touches *touches, uint32_t number, const struct step *step)
{
    if (touches->writes == NULL)
        return;
    const struct mark *mark = touches_mark_at(touches, number);
    const struct waiting *waiting = touches_waiting_find(touches, number);
    uint64_t packed = atomic_load_explicit(&mark->time_status, memory_order_relaxed);
    /* to whom it is on its way must be known after a crash too: the row of the send comes with its result */
    int64_t flags =
        waiting != NULL ? (int64_t)waiting->recipient << WAITING_FLAG_BITS | waiting->flags : 0;
    PUT(touches, TOUCH_STATES, ledger_int(number),
        ledger_text(str_from_c(touch_status_text(step->status))), ledger_text(step->reason),
        ledger_int(step->status == TOUCH_HELD ? step->until_ms : 0),
        ledger_int(touches->moment.now_ms), ledger_int((int64_t)(packed >> 16)),
        ledger_int((int64_t)(packed & 255)), ledger_int(waiting != NULL ? waiting->tries : 0),
        ledger_int(flags));
}

void touches_tell(const struct touches *touches, uint32_t number, enum touch_status status,
                  str reason)
{
    if (touches->config.told != NULL)
        touches->config.told(touches->config.context, number, str_from_c(touch_status_text(status)),
                             reason);
}

static err give_back_cost(struct touches *touches, const struct mark *mark, struct waiting *waiting,
                          enum touch_status to)
{
    if (waiting == NULL || touches_status_counts(to) || (waiting->flags & WAITING_GATED) == 0)
        return ERR_OK;
    waiting->flags &= (uint8_t)~WAITING_GATED;
    return touches_budget_move(touches, touches_line_at(touches, mark->line), waiting->created_ms,
                               -waiting->cost_minor);
}

err touches_step_take(struct touches *touches, uint32_t number, const struct step *step)
{
    struct mark *mark = touches_mark_at(touches, number);
    struct waiting *waiting = touches_waiting_find(touches, number);
    INVARIANT(mark != NULL);
    enum touch_status from = mark_status(mark);
    uint8_t steps = (uint8_t)(atomic_load_explicit(&mark->time_status, memory_order_relaxed) & 255);
    uint64_t position = waiting != NULL ? waiting->position : mark->position;
    steps = (uint8_t)(steps + (steps < STEPS_MAX));
    err error = give_back_cost(touches, mark, waiting, step->status);
    touches_mark_set(mark, counted_ms(touches, mark, step), step->status, steps);
    touches->counts[from]--;
    touches->counts[step->status]++;
    if (waiting != NULL) {
        waiting->status = (uint8_t)step->status;
        waiting->due_ms = step->status == TOUCH_HELD ? step->until_ms : 0;
        if (step->status != TOUCH_HELD)
            waiting->gate = GATE_NONE;
        if (error == ERR_OK)
            error = touches_waiting_place(touches, waiting);
    }
    touches_state_put(touches, number, step);
    touches_tell(touches, number, step->status, step->reason);
    PUT(touches, TOUCH_STEPS, ledger_int(number), ledger_int(steps),
        ledger_int(touches->moment.now_ms), ledger_int((int64_t)touches->moment.seq),
        ledger_text(str_from_c(touch_status_text(step->status))), ledger_text(step->reason),
        ledger_text(step->detail));
    if (!touches_status_waits(step->status))
        touches_waiting_remove(touches, number);
    return error == ERR_OK ? note_change(touches, number, from, position, step) : error;
}

err touches_correct(struct touches *touches, const char *kind, uint32_t number, uint32_t customer,
                    const struct line *line, str reason)
{
    PUT(touches, TOUCH_CORRECTIONS, ledger_int(++touches->last_correction),
        ledger_text(str_from_c(kind)), ledger_int(number), ledger_int(customer),
        ledger_text(line->journey), ledger_text(line->node), ledger_text(reason),
        ledger_int(touches->moment.now_ms), ledger_int((int64_t)touches->moment.seq));
    return ERR_OK;
}

struct spent *touches_spent_find(const struct touches *touches, uint64_t key)
{
    uint32_t place = touches_map_find(&touches->spent_places, key);
    return place != 0 ? &touches->spent[place - 1] : NULL;
}
