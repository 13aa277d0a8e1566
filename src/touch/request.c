/* SPDX-License-Identifier: Apache-2.0 */
/* request: somebody wants a touch. It becomes a row, passes the gates, waits; or it is the one that was asked for before. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

#define CONTEXT_BYTES_MAX ((size_t)256 << 10)
#define KEY_BYTES_MAX 200

/* ---- the same as before? ---- */

uint64_t touch_identity(str journey, str journey_node, str key, uint32_t node)
{
    uint64_t hash = hash_mix64(touches_text_hash(journey) + 1);
    hash = hash_mix64(hash ^ touches_text_hash(journey_node)) + 1;
    hash = hash_mix64(hash ^ touches_text_hash(key)) + node;
    hash = hash_mix64(hash);
    return hash != 0 ? hash : 1;
}

static uint64_t identity_of(const struct touch_request *request, uint32_t node)
{
    return touch_identity(request->journey, request->node, request->key, node);
}

static uint32_t find_same(const struct touches *touches, const struct touch_request *request)
{
    size_t count = touches_nodes_of(touches, request->customer);
    for (size_t i = 0; i < count; i++) {
        uint32_t number =
            touches_map_find(&touches->identities, identity_of(request, touches->her_nodes[i]));
        if (number != 0)
            return number;
    }
    return 0;
}

static void answer_same(const struct touches *touches, uint32_t number, struct touch_answer *answer)
{
    const struct mark *mark = touches_mark_at(touches, number);
    const struct waiting *waiting = touches_waiting_find(touches, number);
    *answer = (struct touch_answer){ .touch = number,
                                     .status = mark != NULL ? mark_status(mark) : TOUCH_SENT,
                                     .reason = "" };
    if (waiting != NULL) {
        answer->reason = touches_gate_code((enum gate)waiting->gate);
        answer->until_ms = waiting->status == TOUCH_HELD ? waiting->due_ms : 0;
    }
}

/* ---- from the request to what gates ask of ---- */

static struct line line_of(const struct touch_request *request, const struct account *account)
{
    int priority = request->priority < 0 ? 0 : request->priority > 100 ? 100 : request->priority;
    return (struct line){
        .journey = request->journey,
        .node = request->node,
        .campaign = request->campaign,
        .channel = request->channel,
        .account = account != NULL ? account->key : request->account,
        .form = request->form,
        .template_ = request->template_,
        .purpose = request->purpose.size > 0 ? request->purpose : STR("marketing"),
        .brand = request->brand,
        .priority = (uint8_t)priority,
        .flags =
            (uint8_t)((request->is_transactional ? LINE_TRANSACTIONAL : 0) |
                      (request->is_test ? LINE_TEST : 0) | (request->is_plain ? LINE_PLAIN : 0)),
        .scope_hash = { touches_text_hash(request->channel),
                        touches_text_hash(request->purpose.size > 0 ? request->purpose
                                                                    : STR("marketing")),
                        touches_text_hash(request->brand), touches_text_hash(request->journey) },
    };
}

uint32_t touch_duplicate_hash(str one, str other, str channel)
{
    if (one.size == 0)
        return 0;
    uint64_t hash = hash_mix64(touches_text_hash(one) ^ hash_mix64(touches_text_hash(other) + 7)) ^
                    hash_mix64(touches_text_hash(channel) + 3);
    uint32_t low = (uint32_t)hash_mix64(hash);
    return low != 0 ? low : 1;
}

static struct candidate candidate_of(const struct touches *touches,
                                     const struct touch_request *request, const struct line *line,
                                     struct account *account, int64_t now_ms)
{
    int64_t begins_ms = request->not_before_ms > now_ms ? request->not_before_ms : now_ms;
    int64_t expires_ms =
        request->expires_ms != 0 ? request->expires_ms : begins_ms + touches->policy->expires_ms;
    return (struct candidate){
        .customer = request->customer,
        .node = request->node_born != 0 ? request->node_born : request->customer,
        .line = line,
        .account = account,
        .now_ms = now_ms,
        .created_ms = now_ms,
        .not_before_ms = request->not_before_ms,
        .expires_ms = expires_ms,
        .cost_minor = request->cost_minor >= 0 ? request->cost_minor
                      : account != NULL        ? account->cost_minor
                                               : 0,
        .order_hash = touch_duplicate_hash(request->order_id, request->template_, request->channel),
        .content_hash = touch_duplicate_hash(request->content_key, STR_NONE, request->channel),
    };
}

void touch_would(const struct touches *touches, const struct touch_request *request, int64_t now_ms,
                 struct touch_answer *answer)
{
    struct account *account = touches_account_for(touches, request->channel, request->account);
    struct line line = line_of(request, account);
    struct candidate candidate = candidate_of(touches, request, &line, account, now_ms);
    struct verdict verdict;
    if (request->key.size > 0) {
        uint32_t same = find_same(touches, request);
        if (same != 0) {
            answer_same(touches, same, answer);
            return;
        }
    }
    touches_gates_pass(touches, &candidate, &verdict);
    *answer = (struct touch_answer){ .status = verdict.gate == GATE_NONE ? TOUCH_QUEUED
                                               : verdict.holds           ? TOUCH_HELD
                                                                         : TOUCH_SUPPRESSED,
                                     .reason = touches_gate_code(verdict.gate),
                                     .until_ms = verdict.holds ? verdict.until_ms : 0 };
}

/* ---- making it ---- */

static err give_way(struct touches *touches, const struct verdict *verdict)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < verdict->displaced_count; i++) {
        struct step step = { .status = TOUCH_SUPPRESSED,
                             .reason = str_from_c(touches_gate_code(GATE_OUTRANKED)) };
        error = touches_step_take(touches, verdict->displaced[i], &step);
    }
    return error;
}

static err remember(struct touches *touches, const struct touch_request *request,
                    const struct candidate *candidate, enum touch_status status, int64_t until_ms,
                    uint32_t number)
{
    struct mark *mark = touches_mark_make(touches, number);
    if (mark == NULL)
        return ERR_NOMEM;
    mark->node = candidate->node;
    mark->line = candidate->line->number;
    mark->position = (uint32_t)request->position;
    mark->order_hash = candidate->order_hash;
    mark->content_hash = candidate->content_hash;
    bool planned = status == TOUCH_HELD && until_ms > candidate->now_ms &&
                   until_ms < candidate->now_ms + TOUCH_REMEMBERED_MS;
    touches_mark_set(mark, planned ? until_ms : candidate->now_ms, status, 0);
    touches->counts[status]++;
    err error = touches_mark_hang(touches, number);
    if (error == ERR_OK && request->key.size > 0)
        error =
            touches_map_put(&touches->identities, identity_of(request, candidate->node), number);
    if (error == ERR_OK && request->position != 0)
        error = touches_map_put(&touches->positions, request->position, number);
    return error;
}

static err wait_for_turn(struct touches *touches, const struct touch_request *request,
                         const struct candidate *candidate, const struct verdict *verdict,
                         enum touch_status status, uint32_t number)
{
    struct waiting waiting = {
        .number = number,
        .node = candidate->node,
        .line = candidate->line->number,
        .recipient = verdict->recipient,
        .position = request->position,
        .created_ms = candidate->created_ms,
        .due_ms = verdict->until_ms,
        .not_before_ms = candidate->not_before_ms,
        .expires_ms = candidate->expires_ms,
        .cost_minor = candidate->cost_minor,
        .status = (uint8_t)status,
        .gate = (uint8_t)verdict->gate,
    };
    struct waiting *added;
    err error = ERR_OK;
    if (request->context.size > 0 && !str_equal(request->context, STR("{}"))) {
        waiting.context = memory_alloc(request->context.size);
        if (waiting.context == NULL)
            return ERR_NOMEM;
        memcpy(waiting.context, request->context.data, request->context.size);
        waiting.context_size = (uint32_t)request->context.size;
    }
    if (status == TOUCH_QUEUED) {
        error = touches_budget_move(touches, candidate->line, candidate->created_ms,
                                    candidate->cost_minor);
        waiting.flags |= WAITING_GATED;
    }
    if (error == ERR_OK)
        error = touches_waiting_add(touches, &waiting, &added);
    return error == ERR_OK ? touches_waiting_place(touches, added) : error;
}

static void put_birth(struct touches *touches, const struct touch_request *request,
                      const struct candidate *candidate, enum touch_status status,
                      const struct verdict *verdict, uint32_t number)
{
    str reason = str_from_c(touches_gate_code(verdict->gate));
    PUT(touches, TOUCHES, ledger_int(number), ledger_int(candidate->node),
        ledger_int(candidate->line->number), ledger_text(candidate->line->journey),
        ledger_int((int64_t)request->position), ledger_text(request->key),
        ledger_text(request->context.size > 0 ? request->context : STR("{}")),
        ledger_text(request->order_id), ledger_text(request->content_key),
        ledger_int(candidate->cost_minor), ledger_int(candidate->created_ms),
        ledger_int((int64_t)touches->moment.seq), ledger_int(candidate->not_before_ms),
        ledger_int(candidate->expires_ms), ledger_text(str_from_c(touch_status_text(status))),
        ledger_text(reason));
    touches_state_put(
        touches, number,
        &(struct step){ .status = status, .reason = reason, .until_ms = verdict->until_ms });
    touches_tell(touches, number, status, reason);
}

static err make(struct touches *touches, const struct touch_request *request,
                const struct candidate *candidate, const struct verdict *verdict,
                struct touch_answer *answer)
{
    enum touch_status status = verdict->gate == GATE_NONE ? TOUCH_QUEUED
                               : verdict->holds           ? TOUCH_HELD
                                                          : TOUCH_SUPPRESSED;
    uint32_t number = touches->last_number + 1;
    if (number == UINT32_MAX)
        return ERR_TOO_LARGE;
    touches->last_number = number;
    err error = remember(touches, request, candidate, status, verdict->until_ms, number);
    if (error == ERR_OK && status != TOUCH_SUPPRESSED)
        error = wait_for_turn(touches, request, candidate, verdict, status, number);
    if (error != ERR_OK)
        return error;
    put_birth(touches, request, candidate, status, verdict, number);
    *answer = (struct touch_answer){ .touch = number,
                                     .status = status,
                                     .reason = touches_gate_code(verdict->gate),
                                     .until_ms = status == TOUCH_HELD ? verdict->until_ms : 0 };
    return ERR_OK;
}

static err request_new(struct touches *touches, const struct touch_request *request,
                       struct touch_answer *answer)
{
    struct account *account = touches_account_for(touches, request->channel, request->account);
    struct line wanted = line_of(request, account);
    uint32_t number;
    struct verdict verdict;
    if (request->context.size > CONTEXT_BYTES_MAX || request->key.size > KEY_BYTES_MAX)
        return ERR_TOO_LARGE;
    err error = touches_line_find(touches, &wanted, &number);
    if (error != ERR_OK)
        return error;
    struct candidate candidate = candidate_of(touches, request, touches_line_at(touches, number),
                                              account, touches->moment.now_ms);
    touches_gates_pass(touches, &candidate, &verdict);
    touches->last_detail = verdict.detail;
    error = give_way(touches, &verdict);
    return error == ERR_OK ? make(touches, request, &candidate, &verdict, answer) : error;
}

err touch_request(struct touches *touches, const struct touch_request *request,
                  struct touch_moment moment, struct ledger_writes *writes,
                  struct touch_answer *answer)
{
    uint32_t same = request->key.size > 0 ? find_same(touches, request) : 0;
    if (same != 0) {
        answer_same(touches, same, answer);
        return ERR_OK;
    }
    touches_call_begin(touches, writes, moment);
    return touches_call_end(touches, request_new(touches, request, answer));
}

/* ---- again ---- */

struct candidate touches_candidate_again(const struct touches *touches,
                                         const struct waiting *waiting, int64_t now_ms)
{
    const struct touch_world *world = touches->config.world;
    const struct mark *mark = touches_mark_at(touches, waiting->number);
    const struct line *line = touches_line_at(touches, waiting->line);
    return (struct candidate){
        .customer = world->root(world->context, waiting->node),
        .node = waiting->node,
        .number = waiting->number,
        .line = line,
        .account = touches_account_for(touches, line->channel, line->account),
        .now_ms = now_ms,
        .created_ms = waiting->created_ms,
        .not_before_ms = waiting->not_before_ms,
        .expires_ms = waiting->expires_ms,
        .cost_minor = waiting->cost_minor,
        .order_hash = mark->order_hash,
        .content_hash = mark->content_hash,
        .settled = waiting->status != TOUCH_HELD || waiting->gate != GATE_SETTLING ||
                   now_ms >= waiting->due_ms,
        .was_counted = (waiting->flags & WAITING_GATED) != 0,
    };
}

/* The gates once more for one that waits. *passes: it is, or stays, queued. */
err touches_look_again(struct touches *touches, uint32_t number, bool *passes)
{
    struct waiting *waiting = touches_waiting_find(touches, number);
    struct candidate candidate = touches_candidate_again(touches, waiting, touches->moment.now_ms);
    struct verdict verdict;
    touches_gates_pass(touches, &candidate, &verdict);
    touches->last_detail = verdict.detail;
    *passes = verdict.gate == GATE_NONE;
    waiting->gate = (uint8_t)verdict.gate;
    if (*passes) {
        waiting->recipient = verdict.recipient;
        bool was_queued = waiting->status == TOUCH_QUEUED;
        err error = candidate.was_counted
                        ? ERR_OK
                        : touches_budget_move(touches, candidate.line, candidate.created_ms,
                                              candidate.cost_minor);
        waiting->flags |= WAITING_GATED;
        if (error == ERR_OK)
            error = give_way(touches, &verdict);
        return error != ERR_OK || was_queued
                   ? error
                   : touches_step_take(touches, number, &(struct step){ .status = TOUCH_QUEUED });
    }
    /* It may have gone, and now may not be repeated: that is for a person to see. */
    bool maybe_sent = (waiting->flags & WAITING_REPEAT) != 0 && !verdict.holds;
    struct step step = { .status = maybe_sent      ? TOUCH_UNCERTAIN
                                   : verdict.holds ? TOUCH_HELD
                                                   : TOUCH_SUPPRESSED,
                         .reason = str_from_c(touches_gate_code(verdict.gate)),
                         .detail = str_from_c(verdict.detail),
                         .until_ms = verdict.until_ms };
    return touches_step_take(touches, number, &step);
}

/* One that is held stays so till its time, unless a gate drops it now. */
static err look_at_one(struct touches *touches, uint32_t number)
{
    const struct waiting *waiting = touches_waiting_find(touches, number);
    struct verdict verdict;
    bool passes;
    if (waiting == NULL)
        return ERR_OK;
    struct candidate candidate = touches_candidate_again(touches, waiting, touches->moment.now_ms);
    touches_gates_pass(touches, &candidate, &verdict);
    bool holds_on = waiting->status == TOUCH_HELD && waiting->due_ms > touches->moment.now_ms;
    if (holds_on && (verdict.gate == GATE_NONE || verdict.holds))
        return ERR_OK;
    return touches_look_again(touches, number, &passes);
}

static size_t hers_that_wait(const struct touches *touches, uint32_t customer, uint32_t *numbers)
{
    struct mark_walk walk;
    size_t count = 0;
    touches_walk_begin(&walk, touches, customer);
    for (uint32_t number; (number = touches_walk_next(&walk)) != 0;) {
        enum touch_status status = mark_status(touches_mark_at(touches, number));
        if (status != TOUCH_QUEUED && status != TOUCH_HELD)
            continue;
        if (numbers != NULL)
            numbers[count] = number;
        count++;
    }
    return count;
}

/* What waits for her is looked at again: consent, identifiers, merges (U4). */
err touches_look_at_hers(struct touches *touches, uint32_t customer)
{
    size_t count = hers_that_wait(touches, customer, NULL);
    if (count == 0)
        return ERR_OK;
    uint32_t *numbers = memory_alloc(count * sizeof *numbers);
    if (numbers == NULL)
        return ERR_NOMEM;
    hers_that_wait(touches, customer, numbers);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = look_at_one(touches, numbers[i]);
    memory_free(numbers);
    return error;
}

err touch_customer_changed(struct touches *touches, uint32_t customer, struct touch_moment moment,
                           struct ledger_writes *writes)
{
    touches_call_begin(touches, writes, moment);
    touches_chain_nodes(touches, customer);
    return touches_call_end(touches, touches_look_at_hers(touches, customer));
}

/* ---- taking back ---- */

static err withdraw_one(struct touches *touches, uint32_t number, str reason)
{
    const struct mark *mark = touches_mark_at(touches, number);
    enum touch_status status = mark_status(mark);
    if (status == TOUCH_QUEUED || status == TOUCH_HELD)
        return touches_step_take(touches, number,
                                 &(struct step){ .status = TOUCH_SUPPRESSED, .reason = reason });
    if (touches_status_is_sent(status) || status == TOUCH_SENDING || status == TOUCH_UNCERTAIN)
        return touches_correct(touches, "should_not", number, mark->node,
                               touches_line_at(touches, mark->line), reason);
    return ERR_OK;
}

static err withdraw(struct touches *touches, uint64_t position, str reason)
{
    const struct mark *newest =
        touches_mark_at(touches, touches_map_find(&touches->positions, position));
    const struct touch_world *world = touches->config.world;
    struct mark_walk walk;
    err error = ERR_OK;
    if (newest == NULL)
        return ERR_OK;
    touches_walk_begin(&walk, touches, world->root(world->context, newest->node));
    for (uint32_t number; error == ERR_OK && (number = touches_walk_next(&walk)) != 0;)
        if (touches_mark_at(touches, number)->position == (uint32_t)position)
            error = withdraw_one(touches, number, reason);
    return error;
}

err touch_withdraw(struct touches *touches, uint64_t position, str reason,
                   struct touch_moment moment, struct ledger_writes *writes)
{
    touches_call_begin(touches, writes, moment);
    return touches_call_end(touches, withdraw(touches, position, reason));
}

static err erase(struct touches *touches, uint32_t customer, uint32_t *count)
{
    struct mark_walk walk;
    err error = ERR_OK;
    touches_walk_begin(&walk, touches, customer);
    for (uint32_t number; error == ERR_OK && (number = touches_walk_next(&walk)) != 0;) {
        struct mark *mark = touches_mark_at(touches, number);
        enum touch_status status = mark_status(mark);
        mark->order_hash = 0;
        ++*count;
        if (status == TOUCH_QUEUED || status == TOUCH_HELD)
            error = touches_step_take(
                touches, number,
                &(struct step){ .status = TOUCH_SUPPRESSED, .reason = STR("erased") });
    }
    return error == ERR_OK ? touches_pauses_forget(touches, customer) : error;
}

err touch_erased(struct touches *touches, uint32_t customer, struct touch_moment moment,
                 struct ledger_writes *writes, uint32_t *count)
{
    *count = 0;
    touches_call_begin(touches, writes, moment);
    return touches_call_end(touches, erase(touches, customer, count));
}

err touch_missed(struct touches *touches, uint32_t customer, str journey, str node, str reason,
                 struct touch_moment moment, struct ledger_writes *writes)
{
    struct line line = { .journey = journey, .node = node };
    touches_call_begin(touches, writes, moment);
    return touches_call_end(touches,
                            touches_correct(touches, "should", 0, customer, &line, reason));
}

/* ---- what is due ---- */

int64_t touch_next_due_ms(const struct touches *touches)
{
    /* Stale entries only make it look earlier than it is. */
    return touches->due.count > 0 ? touches->due.items[0].key : INT64_MAX;
}

err touch_run_due(struct touches *touches, size_t limit, struct touch_moment moment,
                  struct ledger_writes *writes, bool *more)
{
    err error = ERR_OK;
    touches_call_begin(touches, writes, moment);
    while (error == ERR_OK && limit-- > 0 && touches_due_peek_ms(touches) <= moment.now_ms) {
        uint32_t number = touches->due.items[0].number;
        bool passes;
        touches_heap_pop(&touches->due);
        error = touches_look_again(touches, number, &passes);
    }
    *more = touches_due_peek_ms(touches) <= moment.now_ms;
    return touches_call_end(touches, error);
}
