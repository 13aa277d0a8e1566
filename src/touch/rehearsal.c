/* SPDX-License-Identifier: Apache-2.0 */
/* rehearsal: two rooms, the touches that are taken through them, and their clock. */
#include "touch/rehearsal.h"

#include <string.h>

#include "base/digest.h"
#include "touch/rehearsal_inside.h"

#define TEXTS_BYTES_MAX ((size_t)64 << 20)
#define READ_AT_ONCE 256
#define DUE_AT_ONCE 64
#define ONE_IN_MAX (1u << 24)

/* ---- the two rooms ---- */

#define BIT(gate) (UINT64_C(1) << (gate))
/* What is as it is, whatever the policy says. */
static const uint64_t gates_of_the_world =
    BIT(GATE_STOPPED) | BIT(GATE_GONE) | BIT(GATE_RESTRICTED) | BIT(GATE_PLAIN) |
    BIT(GATE_REFUSED) | BIT(GATE_UNSUBSCRIBED) | BIT(GATE_PAUSED) | BIT(GATE_UNREACHABLE) |
    BIT(GATE_NO_STOCK) | BIT(GATE_NO_WINDOW) | BIT(GATE_BEHIND);

static struct rehearsal_outcome *outcome_of(struct rehearsal_room *room, uint32_t touch)
{
    struct touch_rehearsal *rehearsal = room->rehearsal;
    uint32_t place = touches_map_find(&rehearsal->places, touch);
    return place != 0 ? &rehearsal->rows[place - 1].outcomes[room - rehearsal->rooms] : NULL;
}

static err note_queued(struct rehearsal_room *room, uint32_t touch)
{
    if (room->queued_count == room->queued_capacity) {
        size_t capacity = room->queued_capacity == 0 ? 256 : room->queued_capacity * 2;
        uint32_t *queued = memory_resize(room->queued, capacity * sizeof *queued);
        if (queued == NULL)
            return ERR_NOMEM;
        room->queued = queued;
        room->queued_capacity = capacity;
    }
    room->queued[room->queued_count++] = touch;
    return ERR_OK;
}

/* Each status of each touch of a room comes by here. */
static void take_status(void *context, uint32_t touch, str status, str reason)
{
    struct rehearsal_room *room = context;
    struct rehearsal_outcome *outcome = outcome_of(room, touch);
    const char *detail = room->touches->last_detail;
    enum gate gate = GATE_NONE;
    if (str_equal(status, STR("queued")) && room->error == ERR_OK)
        room->error = note_queued(room, touch);
    if (outcome == NULL)
        return;
    bool is_known = touches_gate_find(reason, &gate);
    if (gate == GATE_OUTRANKED)
        detail = NULL;
    outcome->is_stopped = str_equal(status, STR("suppressed"));
    outcome->is_waiting = str_equal(status, STR("held")) || str_equal(status, STR("queued"));
    if (outcome->is_stopped && is_known) {
        outcome->gate = (uint8_t)gate;
        outcome->detail = detail;
    } else if (str_equal(status, STR("held")) && gate != GATE_NOT_YET) {
        outcome->held_gate = (uint8_t)gate;
        outcome->held_detail = detail;
    }
}

/* One without a name is called by its place. */
static err name_by_place(struct arena *arena, str *name, size_t place)
{
    return name->size > 0 ? ERR_OK : arena_printf(arena, name, "#%zu", place + 1);
}

static err name_rows(struct policy *policy)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < policy->cap_count; i++)
        error = name_by_place(&policy->arena, &policy->caps[i].name, i);
    for (size_t i = 0; error == ERR_OK && i < policy->budget_count; i++)
        error = name_by_place(&policy->arena, &policy->budgets[i].name, i);
    return error;
}

static err room_new(struct touch_rehearsal *rehearsal, struct rehearsal_room *room,
                    const json_value *draft, struct problem *problem)
{
    const struct touches *live = rehearsal->live;
    struct touches_config config = {
        .world = live->config.world, .told = take_status, .context = room, .seed = live->config.seed
    };
    room->rehearsal = rehearsal;
    room->at_ms = rehearsal->from_ms;
    err error = touches_new(&room->touches, &config);
    if (error == ERR_OK)
        error = touches_copy_definitions(room->touches, live);
    if (error == ERR_OK && draft != NULL) {
        touches_policy_free(&room->touches->policy);
        error = touches_policy_new(&room->touches->policy, *draft, problem);
    }
    return error == ERR_OK ? name_rows(room->touches->policy) : error;
}

static bool same_consents(const struct policy *one, const struct policy *other)
{
    bool same = one->consent_count == other->consent_count;
    for (size_t i = 0; same && i < one->consent_count; i++)
        same = str_equal(one->consents[i].purpose, other->consents[i].purpose) &&
               one->consents[i].unless_refused == other->consents[i].unless_refused;
    return same;
}

err touch_rehearsal_new(struct touch_rehearsal **made, const struct touches *live,
                        const struct rehearsal_setting *setting, struct problem *problem)
{
    struct touch_rehearsal *rehearsal = memory_alloc(sizeof *rehearsal);
    if (rehearsal == NULL)
        return ERR_NOMEM;
    rehearsal->live = live;
    rehearsal->from_ms = setting->from_ms;
    rehearsal->now_ms = setting->now_ms;
    rehearsal->row_limit = setting->touches_max;
    rehearsal->one_in = 1;
    rehearsal->cursor = live->last_number;
    arena_init(&rehearsal->texts, "touch_rehearsal", TEXTS_BYTES_MAX);
    rehearsal->rows = memory_alloc(setting->touches_max * sizeof *rehearsal->rows);
    err error = rehearsal->rows != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK)
        error = room_new(rehearsal, &rehearsal->rooms[REHEARSAL_NOW], NULL, problem);
    if (error == ERR_OK)
        error = room_new(rehearsal, &rehearsal->rooms[REHEARSAL_DRAFT], &setting->policy, problem);
    if (error != ERR_OK) {
        touch_rehearsal_free(&rehearsal);
        return error;
    }
    /* Whether she had agreed at that time is not known any more: it is asked only where the draft asks something else. */
    uint64_t left_out = gates_of_the_world;
    if (same_consents(rehearsal->rooms[REHEARSAL_NOW].touches->policy,
                      rehearsal->rooms[REHEARSAL_DRAFT].touches->policy))
        left_out |= BIT(GATE_CONSENT);
    for (size_t i = 0; i < REHEARSAL_ROOMS; i++)
        rehearsal->rooms[i].touches->gates_left_out = left_out;
    *made = rehearsal;
    return ERR_OK;
}

void touch_rehearsal_free(struct touch_rehearsal **taken)
{
    struct touch_rehearsal *rehearsal = *taken;
    *taken = NULL;
    if (rehearsal == NULL)
        return;
    for (size_t i = 0; i < REHEARSAL_ROOMS; i++) {
        touches_free(&rehearsal->rooms[i].touches);
        memory_free(rehearsal->rooms[i].queued);
    }
    touches_map_free(&rehearsal->places);
    touches_map_free(&rehearsal->known);
    arena_deinit(&rehearsal->texts);
    memory_free(rehearsal->rows);
    memory_free(rehearsal);
}

/* ---- which touches ---- */

static bool is_in_sample(const struct touch_rehearsal *rehearsal, uint32_t root)
{
    return (hash_mix64(root) & (rehearsal->one_in - 1)) == 0;
}

/* Too many: half of the customers go, with all of theirs (R1). */
static void thin_out(struct touch_rehearsal *rehearsal)
{
    uint32_t kept = 0;
    rehearsal->one_in *= 2;
    for (uint32_t i = 0; i < rehearsal->row_count; i++)
        if (is_in_sample(rehearsal, rehearsal->rows[i].root))
            rehearsal->rows[kept++] = rehearsal->rows[i];
    rehearsal->row_count = kept;
}

static bool waits(enum touch_status status)
{
    return status == TOUCH_QUEUED || status == TOUCH_HELD;
}

static bool is_chosen(const struct touch_rehearsal *rehearsal, const struct mark *mark)
{
    return waits(mark_status(mark)) || mark_time_ms(mark) >= rehearsal->from_ms;
}

static void choose(struct touch_rehearsal *rehearsal, uint32_t number)
{
    const struct touch_world *world = rehearsal->live->config.world;
    const struct mark *mark = touches_mark_at(rehearsal->live, number);
    if (mark == NULL || !is_chosen(rehearsal, mark) ||
        (touches_line_at(rehearsal->live, mark->line)->flags & LINE_TEST) != 0)
        return;
    uint32_t root = world->root(world->context, mark->node);
    while (rehearsal->row_count == rehearsal->row_limit && rehearsal->one_in < ONE_IN_MAX)
        thin_out(rehearsal);
    if (root == 0 || !is_in_sample(rehearsal, root))
        return;
    if (rehearsal->row_count == rehearsal->row_limit) {
        rehearsal->is_cut = true;
        return;
    }
    rehearsal->rows[rehearsal->row_count++] = (struct rehearsal_row){
        .number = number,
        .root = root,
        .node = mark->node,
        .line = mark->line,
        .status = (uint8_t)mark_status(mark),
    };
}

static void turn_round(struct touch_rehearsal *rehearsal)
{
    for (uint32_t i = 0, j = rehearsal->row_count; i + 1 < j; i++) {
        struct rehearsal_row row = rehearsal->rows[i];
        rehearsal->rows[i] = rehearsal->rows[--j];
        rehearsal->rows[j] = row;
    }
}

err touch_rehearsal_choose(struct touch_rehearsal *rehearsal, uint32_t limit, bool *more)
{
    for (; rehearsal->cursor > 0 && limit > 0; rehearsal->cursor--, limit--)
        choose(rehearsal, rehearsal->cursor);
    *more = rehearsal->cursor > 0;
    if (*more)
        return ERR_OK;
    turn_round(rehearsal);
    for (size_t i = 0; i < REHEARSAL_ROOMS; i++) {
        struct policy *policy = rehearsal->rooms[i].touches->policy;
        for (size_t j = 0; j < policy->budget_count; j++)
            policy->budgets[j].amount_minor /= rehearsal->one_in;
    }
    return ERR_OK;
}

/* ---- what the ledger knows ---- */

struct reading {
    struct touch_rehearsal *rehearsal;
    err error;
};

static struct rehearsal_row *row_of(struct touch_rehearsal *rehearsal, int64_t number)
{
    uint32_t low = 0, high = rehearsal->row_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rehearsal->rows[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    INVARIANT(low < rehearsal->row_count && rehearsal->rows[low].number == number);
    return &rehearsal->rows[low];
}

static bool take_touch(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    struct touch_rehearsal *rehearsal = reading->rehearsal;
    struct rehearsal_row *row = row_of(rehearsal, values[0].integer);
    reading->error = arena_dup(&rehearsal->texts, values[7].bytes, &row->order_id);
    if (reading->error == ERR_OK)
        reading->error = arena_dup(&rehearsal->texts, values[8].bytes, &row->content_key);
    row->cost_minor = values[9].integer;
    row->created_ms = values[10].integer;
    row->not_before_ms = values[12].integer;
    row->expires_ms = values[13].integer;
    row->is_taken = true;
    return reading->error == ERR_OK;
}

/* One that was stopped for what no policy decides would be stopped under any. */
static bool take_state(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    struct touch_rehearsal *rehearsal = reading->rehearsal;
    struct rehearsal_row *row = row_of(rehearsal, values[0].integer);
    enum gate gate;
    if (row->status == TOUCH_SUPPRESSED)
        row->is_taken = touches_gate_find(values[2].bytes, &gate) && gate != GATE_NO_ACCOUNT &&
                        (rehearsal->rooms[0].touches->gates_left_out & BIT(gate)) == 0;
    return true;
}

err touch_rehearsal_read(struct touch_rehearsal *rehearsal, struct ledger *ledger,
                         struct problem *problem)
{
    struct reading reading = { .rehearsal = rehearsal };
    struct ledger_value keys[READ_AT_ONCE];
    err error = ERR_OK;
    for (uint32_t next = 0; error == ERR_OK && next < rehearsal->row_count;) {
        size_t count = 0;
        for (; count < READ_AT_ONCE && next < rehearsal->row_count; next++)
            keys[count++] = ledger_int(rehearsal->rows[next].number);
        error = ledger_find(ledger, LEDGER_TOUCHES, keys, count, take_touch, &reading, problem);
        if (error == ERR_OK && reading.error == ERR_OK)
            error = ledger_find(ledger, LEDGER_TOUCH_STATES, keys, count, take_state, &reading,
                                problem);
        if (error == ERR_OK)
            error = reading.error;
    }
    return error;
}

/* ---- the run ---- */

/* What is queued goes at this moment, as the sender would have it. */
static err go_out(struct rehearsal_room *room)
{
    struct touches *touches = room->touches;
    struct touch_moment moment = { .now_ms = room->at_ms };
    touches_call_begin(touches, NULL, moment);
    for (size_t i = 0; room->error == ERR_OK && i < room->queued_count; i++) {
        uint32_t number = room->queued[i],
                 place = touches_map_find(&room->rehearsal->places, number);
        if (mark_status(touches_mark_at(touches, number)) != TOUCH_QUEUED)
            continue;
        room->error = touches_step_take(touches, number, &(struct step){ .status = TOUCH_SENDING });
        if (room->error == ERR_OK)
            room->error =
                touches_step_take(touches, number, &(struct step){ .status = TOUCH_SENT });
        /* What the channel refused counts for no cap. */
        if (room->error == ERR_OK && place != 0 &&
            room->rehearsal->rows[place - 1].status == TOUCH_FAILED)
            room->error =
                touches_step_take(touches, number, &(struct step){ .status = TOUCH_FAILED });
    }
    room->queued_count = 0;
    return touches_call_end(touches, room->error);
}

/* The clock of a room goes on to this moment, as far as `steps` lets it. */
static err go_on(struct rehearsal_room *room, int64_t to_ms, uint32_t *steps)
{
    err error = room->at_ms < to_ms ? go_out(room) : ERR_OK;
    while (error == ERR_OK && room->at_ms < to_ms) {
        int64_t due_ms = touches_due_peek_ms(room->touches);
        bool more;
        if (due_ms > to_ms) {
            room->at_ms = to_ms;
            break;
        }
        if (*steps == 0)
            break;
        --*steps;
        room->at_ms = due_ms > room->at_ms ? due_ms : room->at_ms;
        error = touch_run_due(room->touches, DUE_AT_ONCE,
                              (struct touch_moment){ .now_ms = room->at_ms }, NULL, &more);
        if (error == ERR_OK && room->at_ms < to_ms)
            error = go_out(room);
    }
    return error == ERR_OK ? room->error : error;
}

/* What went to her before counts as it went. */
static err bring_past(struct touch_rehearsal *rehearsal, uint32_t root)
{
    struct mark_walk walk;
    if (touches_map_find(&rehearsal->known, root) != 0)
        return ERR_OK;
    err error = touches_map_put(&rehearsal->known, root, 1);
    touches_walk_begin(&walk, rehearsal->live, root);
    for (uint32_t number; error == ERR_OK && (number = touches_walk_next(&walk)) != 0;) {
        const struct mark *mark = touches_mark_at(rehearsal->live, number);
        if (is_chosen(rehearsal, mark) || !touches_status_counts(mark_status(mark)))
            continue;
        for (size_t i = 0; error == ERR_OK && i < REHEARSAL_ROOMS; i++)
            error = touches_fork_add(rehearsal->rooms[i].touches, rehearsal->live, number);
    }
    return error;
}

/* A time of its own is kept; else the policy says when it is over. */
static int64_t own_end_ms(const struct touch_rehearsal *rehearsal, const struct rehearsal_row *row)
{
    int64_t begins_ms = row->not_before_ms > row->created_ms ? row->not_before_ms : row->created_ms;
    return row->expires_ms == begins_ms + rehearsal->live->policy->expires_ms ? 0 : row->expires_ms;
}

static struct touch_request request_of(const struct touch_rehearsal *rehearsal,
                                       const struct rehearsal_row *row)
{
    const struct line *line = touches_line_at(rehearsal->live, row->line);
    return (struct touch_request){
        .customer = row->root,
        .node_born = row->node,
        .journey = line->journey,
        .node = line->node,
        .campaign = line->campaign,
        .channel = line->channel,
        .account = line->account,
        .form = line->form,
        .template_ = line->template_,
        .purpose = line->purpose,
        .brand = line->brand,
        .is_transactional = (line->flags & LINE_TRANSACTIONAL) != 0,
        .is_plain = (line->flags & LINE_PLAIN) != 0,
        .priority = line->priority,
        .not_before_ms = row->not_before_ms,
        .expires_ms = own_end_ms(rehearsal, row),
        .order_id = row->order_id,
        .content_key = row->content_key,
        .cost_minor = row->cost_minor,
    };
}

static err ask_again(struct touch_rehearsal *rehearsal, uint32_t place)
{
    const struct rehearsal_row *row = &rehearsal->rows[place];
    struct touch_request request = request_of(rehearsal, row);
    uint32_t number = rehearsal->rooms[0].touches->last_number + 1;
    err error = touches_map_put(&rehearsal->places, number, place + 1);
    for (size_t i = 0; error == ERR_OK && i < REHEARSAL_ROOMS; i++) {
        struct rehearsal_room *room = &rehearsal->rooms[i];
        struct touch_moment moment = { .now_ms = room->at_ms };
        struct touch_answer answer;
        error = touch_request(room->touches, &request, moment, NULL, &answer);
        INVARIANT(error != ERR_OK || answer.touch == number);
        if (error == ERR_OK)
            error = room->error;
    }
    return error;
}

/* Both clocks to this moment; *reached: they are there. */
static err reach(struct touch_rehearsal *rehearsal, int64_t to_ms, uint32_t *steps, bool *reached)
{
    err error = ERR_OK;
    *reached = true;
    for (size_t i = 0; error == ERR_OK && i < REHEARSAL_ROOMS; i++) {
        error = go_on(&rehearsal->rooms[i], to_ms, steps);
        *reached = *reached && rehearsal->rooms[i].at_ms >= to_ms;
    }
    return error;
}

err touch_rehearsal_run(struct touch_rehearsal *rehearsal, uint32_t limit, bool *more)
{
    err error = ERR_OK;
    bool reached = true;
    while (error == ERR_OK && limit > 0 && rehearsal->next < rehearsal->row_count) {
        const struct rehearsal_row *row = &rehearsal->rows[rehearsal->next];
        if (row->is_taken)
            error = reach(rehearsal, row->created_ms, &limit, &reached);
        if (error != ERR_OK || !reached)
            break;
        if (row->is_taken)
            error = bring_past(rehearsal, row->root);
        if (error == ERR_OK && row->is_taken)
            error = ask_again(rehearsal, rehearsal->next);
        rehearsal->next++;
        limit -= limit > 0;
    }
    *more = rehearsal->next < rehearsal->row_count;
    if (error != ERR_OK || *more)
        return error;
    error = reach(rehearsal, rehearsal->now_ms, &limit, &reached);
    *more = !reached;
    return error;
}
