/* SPDX-License-Identifier: Apache-2.0 */
/* fork: another room of touches beside the live one, whose touches go nowhere: a copy of all of it, or what it was at a past day
 * (what-if). Nothing is shared that one of them may change or free. */
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

/* ---- a fork: the same policies and counts, nothing shared that the other may free ---- */

static err copy_chunks(struct touches *to, const struct touches *from)
{
    for (size_t i = 0; i < MARK_CHUNKS; i++) {
        struct mark *marks = atomic_load(&from->marks[i]);
        struct node_marks *nodes = atomic_load(&from->nodes[i]);
        struct mark *marks_copy = marks != NULL ? memory_alloc(MARK_CHUNK * sizeof *marks) : NULL;
        struct node_marks *nodes_copy =
            nodes != NULL ? memory_alloc(MARK_CHUNK * sizeof *nodes) : NULL;
        atomic_store(&to->marks[i], marks_copy);
        atomic_store(&to->nodes[i], nodes_copy);
        if ((marks != NULL && marks_copy == NULL) || (nodes != NULL && nodes_copy == NULL))
            return ERR_NOMEM;
        if (marks != NULL)
            memcpy((void *)marks_copy, (const void *)marks, MARK_CHUNK * sizeof *marks);
        if (nodes != NULL)
            memcpy((void *)nodes_copy, (const void *)nodes, MARK_CHUNK * sizeof *nodes);
    }
    to->last_number = from->last_number;
    return ERR_OK;
}

static err copy_lines(struct touches *to, const struct touches *from)
{
    err error = ERR_OK;
    for (uint32_t number = 1; error == ERR_OK && number <= from->line_count; number++) {
        uint32_t same;
        error = touches_line_find(to, touches_line_at(from, number), &same);
        INVARIANT(error != ERR_OK || same == number);
    }
    return error;
}

static err copy_waiting(struct touches *to, const struct touches *from)
{
    err error = ERR_OK;
    for (uint32_t slot = 1; error == ERR_OK && slot <= from->waiting_count; slot++) {
        struct waiting waiting = from->waiting[slot], *added;
        if (waiting.line == 0)
            continue;
        if (waiting.context != NULL) {
            waiting.context = memory_alloc(waiting.context_size);
            if (waiting.context == NULL)
                return ERR_NOMEM;
            memcpy(waiting.context, from->waiting[slot].context, waiting.context_size);
        }
        error = touches_waiting_add(to, &waiting, &added);
        if (error == ERR_OK)
            error = touches_waiting_place(to, added);
    }
    return error;
}

err touches_copy_definitions(struct touches *to, const struct touches *from)
{
    struct problem problem = { .error = ERR_OK };
    json_value json;
    touches_policy_free(&to->policy);
    err error = json_parse(to->policy_parser, from->policy->body, &json, &problem);
    if (error == ERR_OK)
        error = touches_policy_new(&to->policy, json, &problem);
    for (uint32_t i = 0; error == ERR_OK && i < from->account_count; i++) {
        const struct account *account = from->accounts[i];
        struct account *copy;
        error = json_parse(to->policy_parser, account->settings, &json, &problem);
        if (error == ERR_OK)
            error = touches_account_new(&copy, account->key, account->kind, json, &problem);
        if (error == ERR_OK)
            copy->is_deleted = account->is_deleted;
        if (error == ERR_OK)
            error = touches_account_keep(to, copy);
    }
    for (size_t i = 0; error == ERR_OK && i < from->template_count; i++) {
        const struct kept_template *kept = from->templates[i];
        struct kept_template *copy;
        if (kept->body.size == 0)
            continue;
        error = json_parse(to->policy_parser, kept->body, &json, &problem);
        if (error == ERR_OK)
            error = touches_kept_template_new(&copy, kept->key, kept->version, json, &problem);
        if (error == ERR_OK)
            error = touches_template_keep(to, copy);
    }
    for (size_t i = 0; error == ERR_OK && i < from->stop_count; i++)
        error = touches_stop_add(to, &from->stops[i]);
    return error;
}

static err copy_pools(struct touches *to, const struct touches *from)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < from->pool_count; i++) {
        const struct pool *pool = &from->pools[i];
        struct pool *copy;
        error = touches_pool_add(to, pool->key, pool->is_generated, pool->prefix, pool->limit,
                                 pool->given, &copy);
        for (uint32_t code = 0; error == ERR_OK && code < pool->code_count; code++)
            error = touches_pool_add_code(to, copy, pool->codes[code]);
    }
    return error;
}

static err copy_tables(struct touches *to, const struct touches *from)
{
    err error = touches_map_copy(&to->identities, &from->identities);
    if (error == ERR_OK)
        error = touches_map_copy(&to->positions, &from->positions);
    if (error == ERR_OK)
        error = touches_map_copy(&to->chance_places, &from->chance_places);
    if (error == ERR_OK)
        error = touches_map_copy(&to->spent_places, &from->spent_places);
    to->chances = memory_alloc((from->chance_count + 1) * sizeof *to->chances);
    to->spent = memory_alloc((from->spent_count + 1) * sizeof *to->spent);
    if (error != ERR_OK || to->chances == NULL || to->spent == NULL)
        return ERR_NOMEM;
    if (from->chance_count > 0)
        memcpy(to->chances, from->chances, from->chance_count * sizeof *to->chances);
    if (from->spent_count > 0)
        memcpy(to->spent, from->spent, from->spent_count * sizeof *to->spent);
    to->chance_count = from->chance_count;
    to->chance_capacity = from->chance_count + 1;
    to->spent_count = from->spent_count;
    to->spent_capacity = from->spent_count + 1;
    return error == ERR_OK ? copy_pools(to, from) : error;
}

err touches_fork(const struct touches *touches, const struct touches_config *config,
                 struct touches **made)
{
    struct touches *fork;
    struct touches_config same = *config;
    same.seed = touches->config.seed;
    err error = touches_new(&fork, &same);
    if (error != ERR_OK)
        return error;
    error = copy_lines(fork, touches);
    if (error == ERR_OK)
        error = copy_chunks(fork, touches);
    if (error == ERR_OK)
        error = touches_copy_definitions(fork, touches);
    if (error == ERR_OK)
        error = copy_tables(fork, touches);
    if (error == ERR_OK)
        error = touches_pauses_copy(fork, touches, NULL, NULL);
    if (error == ERR_OK)
        error = copy_waiting(fork, touches);
    memcpy(fork->counts, touches->counts, sizeof fork->counts);
    if (error != ERR_OK)
        touches_free(&fork);
    else
        *made = fork;
    return error;
}

/* ---- as on a past day ---- */

/* What the channel allowed of her then, as far as it has not changed since. */
static err copy_chances(struct touches *to, const struct touches *from, int64_t at_ms)
{
    err error = ERR_OK;
    to->chances = memory_alloc((from->chance_count + 1) * sizeof *to->chances);
    if (to->chances == NULL)
        return ERR_NOMEM;
    to->chance_capacity = from->chance_count + 1;
    for (size_t i = 0; error == ERR_OK && i < from->chance_count; i++) {
        if (from->chances[i].at_ms >= at_ms)
            continue;
        to->chances[to->chance_count++] = from->chances[i];
        error =
            touches_map_put(&to->chance_places, from->chances[i].key, (uint32_t)to->chance_count);
    }
    return error;
}

err touches_fork_then(const struct touches *touches, const struct touches_config *config,
                      int64_t at_ms, struct touches **made)
{
    struct touches *fork;
    struct touches_config same = *config;
    same.seed = touches->config.seed;
    err error = touches_new(&fork, &same);
    if (error != ERR_OK)
        return error;
    error = touches_copy_definitions(fork, touches);
    if (error == ERR_OK)
        error = copy_chances(fork, touches, at_ms);
    if (error == ERR_OK)
        error = copy_pools(fork, touches);
    if (error != ERR_OK)
        touches_free(&fork);
    else
        *made = fork;
    return error;
}

struct pauses_then {
    int64_t from_ms;
    str journey;
    bool of_every_journey;
};

static bool is_kept(const void *context, const struct touch_pause *told)
{
    const struct pauses_then *then = context;
    bool is_made_again = told->journey.size > 0 &&
                         (then->of_every_journey || str_equal(told->journey, then->journey));
    return told->since_ms < then->from_ms || !is_made_again;
}

err touches_fork_pauses(struct touches *fork, const struct touches *live, int64_t from_ms,
                        str journey, bool of_every_journey)
{
    struct pauses_then then = { from_ms, journey, of_every_journey };
    return touches_pauses_copy(fork, live, is_kept, &then);
}

uint32_t touches_last(const struct touches *touches)
{
    return touches->last_number;
}

bool touches_past_at(const struct touches *live, uint32_t number, struct touch_past *past)
{
    const struct mark *mark = touches_mark_at(live, number);
    if (mark == NULL)
        return false;
    const struct line *line = touches_line_at(live, mark->line);
    *past = (struct touch_past){ .node = mark->node,
                                 .status = mark_status(mark),
                                 .time_ms = mark_time_ms(mark),
                                 .journey = line->journey,
                                 .journey_node = line->node,
                                 .channel = line->channel,
                                 .account = line->account };
    return true;
}

err touches_fork_add(struct touches *fork, const struct touches *live, uint32_t number)
{
    const struct mark *mark = touches_mark_at(live, number);
    uint32_t line, own = fork->last_number + 1;
    if (mark == NULL)
        return ERR_OK;
    err error = touches_line_find(fork, touches_line_at(live, mark->line), &line);
    struct mark *copy = error == ERR_OK ? touches_mark_make(fork, own) : NULL;
    if (copy == NULL)
        return ERR_NOMEM;
    copy->node = mark->node;
    copy->line = line;
    copy->order_hash = mark->order_hash;
    copy->content_hash = mark->content_hash;
    touches_mark_set(copy, mark_time_ms(mark), mark_status(mark), 0);
    fork->last_number = own;
    return touches_mark_hang(fork, own);
}

void touches_fork_take_back_coupon(struct touches *fork, str pool_key)
{
    struct pool *pool = touches_pool_find(fork, pool_key);
    if (pool != NULL && pool->given > 0)
        pool->given--;
}

/* ---- parts of a run, each for some of the customers ---- */

static bool pool_may_run_out(const struct pool *pool)
{
    return !pool->is_generated || pool->limit > 0;
}

bool touches_fork_shares(const struct touches *fork)
{
    if (fork->policy->budget_count > 0)
        return true;
    for (size_t i = 0; i < fork->pool_count; i++)
        if (pool_may_run_out(&fork->pools[i]))
            return true;
    return false;
}

void touches_fork_forget_given(struct touches *fork)
{
    for (size_t i = 0; i < fork->pool_count; i++)
        fork->pools[i].given = 0;
}

void touches_fork_absorb(struct touches *fork, const struct touches *other)
{
    for (size_t i = 0; i < fork->pool_count && i < other->pool_count; i++)
        fork->pools[i].given += other->pools[i].given;
}

/* ---- the sender and the providers, as they are assumed ---- */

static bool is_stopped(const struct touches *fork, const struct account *account)
{
    struct line line = { .channel = str_from_c(account->info->channel), .account = account->key };
    return touches_gate_stopped(fork, &line);
}

/* Asked for at this very moment, and nothing else of hers since: the gates would say what they said a moment ago. */
static bool has_just_passed(const struct touches *fork, const struct waiting *waiting)
{
    struct mark_walk walk;
    uint32_t nodes[2];
    const struct touch_world *world = fork->config.world;
    uint32_t root = world->root(world->context, waiting->node);
    if (waiting->created_ms != fork->moment.now_ms || waiting->status != TOUCH_QUEUED ||
        (waiting->flags & WAITING_GATED) == 0 || root != waiting->node ||
        world->nodes(world->context, root, nodes, 2) != 1)
        return false;
    touches_walk_begin(&walk, fork, root);
    return touches_walk_next(&walk) == waiting->number;
}

/* As claim_one (claim.c), without the text. */
static err claim_one(struct touches *fork, struct account *account, uint32_t number,
                     struct touch_claimed *claimed, bool *is_claimed)
{
    const struct touch_world *world = fork->config.world;
    struct step refusal = { .status = TOUCH_STATUS_COUNT };
    str coupon = STR_NONE;
    bool passes = has_just_passed(fork, touches_waiting_find(fork, number));
    err error = passes ? ERR_OK : touches_look_again(fork, number, &passes);
    *is_claimed = false;
    if (error != ERR_OK || !passes)
        return error;
    const struct waiting *waiting = touches_waiting_find(fork, number);
    const struct line *line = touches_line_at(fork, waiting->line);
    error = touches_inhouse_claim(fork, waiting, line, account, &coupon, &refusal);
    if (error == ERR_OK && refusal.status != TOUCH_STATUS_COUNT)
        return touches_step_take(fork, number, &refusal);
    if (error == ERR_OK)
        error = touches_stock_use(fork, world->root(world->context, waiting->node), line, account);
    if (error == ERR_OK)
        error = touches_inhouse_task(fork, waiting, account, STR_NONE);
    if (error != ERR_OK)
        return error;
    *claimed = (struct touch_claimed){ .number = number,
                                       .node = waiting->node,
                                       .cost_minor = waiting->cost_minor,
                                       .kind = account->kind,
                                       .channel = line->channel,
                                       .account = line->account,
                                       .journey = line->journey,
                                       .journey_node = line->node };
    *is_claimed = true;
    return touches_step_take(fork, number, &(struct step){ .status = TOUCH_SENDING });
}

/* The first account that has something; the others come when it is their turn. */
static err claim(struct touches *fork, struct touch_claimed *claimed, size_t limit, size_t *count)
{
    err error = ERR_OK;
    bool has_claimed = false;
    *count = 0;
    for (uint32_t i = 0; !has_claimed && i < fork->account_count; i++) {
        struct account *account = fork->accounts[i];
        uint32_t number;
        account->is_told = false;
        if (account->ready.count == 0 || is_stopped(fork, account))
            continue;
        while (error == ERR_OK && *count < limit &&
               (number = touches_ready_take(fork, account)) != 0) {
            bool is_claimed;
            error = claim_one(fork, account, number, &claimed[*count], &is_claimed);
            *count += is_claimed;
            has_claimed = true;
        }
    }
    return error;
}

bool touches_fork_is_ready(const struct touches *fork)
{
    for (uint32_t i = 0; i < fork->account_count; i++)
        if (fork->accounts[i]->ready.count > 0 && !is_stopped(fork, fork->accounts[i]))
            return true;
    return false;
}

err touches_fork_claim(struct touches *fork, struct touch_moment moment,
                       struct touch_claimed *claimed, size_t limit, size_t *count)
{
    touches_call_begin(fork, NULL, moment);
    return touches_call_end(fork, claim(fork, claimed, limit, count));
}

static err tell(struct touches *fork, uint32_t number, enum touch_status status)
{
    if (status == TOUCH_SENT)
        return touches_step_take(fork, number, &(struct step){ .status = TOUCH_SENT });
    return touches_receipt_take(fork, number, status, STR_NONE, STR_NONE);
}

err touches_fork_tell(struct touches *fork, struct touch_moment moment, uint32_t number,
                      enum touch_status status)
{
    touches_call_begin(fork, NULL, moment);
    return touches_call_end(fork, tell(fork, number, status));
}

/* ---- what is left ---- */

static void write_budget(const struct touches *fork, size_t index, int64_t from_ms, int64_t to_ms,
                         struct json_writer *writer)
{
    static const char *const pers[] = { "total", "day", "month" };
    const struct budget *budget = &fork->policy->budgets[index];
    enum cap_calendar calendar = budget->per == BUDGET_DAY ? CAP_DAY : CAP_MONTH;
    int64_t most = 0, sum = 0, full = 0;
    for (int64_t at_ms = from_ms; at_ms < to_ms;
         at_ms = touches_period_start_ms(fork, 0, calendar, at_ms, 1)) {
        const struct spent *spent =
            touches_spent_find(fork, touches_budget_key(fork, index, budget->value, at_ms));
        int64_t minor = spent != NULL ? spent->minor : 0;
        most = minor > most ? minor : most;
        sum += minor;
        full += minor >= budget->amount_minor;
        if (budget->per == BUDGET_TOTAL)
            break;
    }
    json_begin_object(writer);
    json_member_text(writer, STR("name"), budget->name);
    json_member_text(writer, STR("per"), str_from_c(pers[budget->per]));
    json_member_int(writer, STR("amount"), budget->amount_minor);
    json_member_int(writer, STR("spent"), sum);
    json_member_int(writer, STR("spent_most"), most);
    json_member_int(writer, STR("used_up"), full);
    json_end_object(writer);
}

static void write_pool(const struct pool *pool, struct json_writer *writer)
{
    bool is_endless = pool->is_generated && pool->limit == 0;
    uint32_t all = pool->is_generated ? pool->limit : pool->code_count;
    json_begin_object(writer);
    json_member_text(writer, STR("key"), pool->key);
    json_member_int(writer, STR("given"), pool->given);
    if (!is_endless)
        json_member_int(writer, STR("left"), all > pool->given ? all - pool->given : 0);
    json_end_object(writer);
}

void touches_fork_write_left(const struct touches *fork, int64_t from_ms, int64_t to_ms,
                             struct json_writer *writer)
{
    json_put_key(writer, STR("budgets"));
    json_begin_array(writer);
    for (size_t i = 0; i < fork->policy->budget_count; i++)
        write_budget(fork, i, from_ms, to_ms, writer);
    json_end_array(writer);
    json_put_key(writer, STR("coupon_pools"));
    json_begin_array(writer);
    for (size_t i = 0; i < fork->pool_count; i++)
        write_pool(&fork->pools[i], writer);
    json_end_array(writer);
}

const char *touches_fork_detail(const struct touches *fork)
{
    return fork->last_detail != NULL ? fork->last_detail : "";
}

size_t touches_fork_bytes(const struct touches *fork)
{
    size_t chunks = fork->last_number / MARK_CHUNK + 1;
    return chunks * MARK_CHUNK * sizeof(struct mark) +
           fork->waiting_capacity * sizeof(struct waiting) +
           (fork->identities.capacity + fork->positions.capacity + fork->slots.capacity) * 12 +
           fork->texts.used_bytes;
}

str touches_fork_test_segment(const struct touches *fork)
{
    return fork->policy->test_segment;
}

void touches_fork_visit_accounts(const struct touches *fork,
                                 void (*visit)(void *context, str key, enum channel_kind kind,
                                               str identifier_type, str namespace_),
                                 void *context)
{
    for (uint32_t i = 0; i < fork->account_count; i++) {
        const struct account *account = fork->accounts[i];
        if (!account->is_deleted)
            visit(context, account->key, account->kind, str_from_c(account->info->identifier_type),
                  account->namespace_);
    }
}
