/* SPDX-License-Identifier: Apache-2.0 */
/* load: the room from the ledger. Statuses first, then births in the order of their numbers, which puts each mark on its list. */
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

#define PROVIDERS_MS (30 * DAY_MS)

struct loading {
    struct touches *touches;
    struct problem *problem;
    int64_t newest_ms;
    err error;
};

static bool status_find(str text, enum touch_status *status)
{
    for (int i = 0; i < TOUCH_STATUS_COUNT; i++) {
        if (!str_equal(text, str_from_c(touch_status_text((enum touch_status)i))))
            continue;
        *status = (enum touch_status)i;
        return true;
    }
    return false;
}

static bool take_line(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct line line = { .journey = values[1].bytes,
                         .node = values[2].bytes,
                         .campaign = values[3].bytes,
                         .channel = values[4].bytes,
                         .account = values[5].bytes,
                         .form = values[6].bytes,
                         .template_ = values[7].bytes,
                         .purpose = values[8].bytes,
                         .brand = values[9].bytes,
                         .priority = (uint8_t)values[10].integer,
                         .flags = (uint8_t)values[11].integer };
    uint32_t number;
    loading->error = touches_line_find(loading->touches, &line, &number);
    if (loading->error == ERR_OK && number != (uint32_t)values[0].integer)
        loading->error = ERR_CORRUPT;
    return loading->error == ERR_OK;
}

static bool take_state(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct touches *touches = loading->touches;
    uint32_t number = (uint32_t)values[0].integer;
    enum touch_status status;
    enum gate gate = GATE_NONE;
    struct mark *mark = touches_mark_make(touches, number);
    if (mark == NULL || !status_find(values[1].bytes, &status)) {
        loading->error = mark == NULL ? ERR_NOMEM : ERR_CORRUPT;
        return false;
    }
    touches_mark_set(mark, values[5].integer, status, (uint8_t)values[6].integer);
    touches->counts[status]++;
    loading->newest_ms =
        values[4].integer > loading->newest_ms ? values[4].integer : loading->newest_ms;
    if (!touches_status_waits(status))
        return true;
    if (status != TOUCH_HELD || !touches_gate_find(values[2].bytes, &gate))
        gate = GATE_NONE;
    struct waiting *added,
        waiting = { .number = number,
                    .due_ms = values[3].integer,
                    .status = (uint8_t)status,
                    .gate = (uint8_t)gate,
                    .tries = (uint8_t)values[7].integer,
                    .recipient = (uint32_t)(values[8].integer >> WAITING_FLAG_BITS),
                    .flags = (uint8_t)values[8].integer };
    loading->error = touches_waiting_add(touches, &waiting, &added);
    return loading->error == ERR_OK;
}

static err fill_waiting(struct touches *touches, struct waiting *waiting, const struct mark *mark,
                        const struct ledger_value *values)
{
    str context = values[6].bytes;
    waiting->node = mark->node;
    waiting->line = mark->line;
    waiting->position = (uint64_t)values[4].integer;
    waiting->cost_minor = values[9].integer;
    waiting->created_ms = values[10].integer;
    waiting->not_before_ms = values[12].integer;
    waiting->expires_ms = values[13].integer;
    if (!str_equal(context, STR("{}")) && context.size > 0) {
        waiting->context = memory_alloc(context.size);
        if (waiting->context == NULL)
            return ERR_NOMEM;
        memcpy(waiting->context, context.data, context.size);
        waiting->context_size = (uint32_t)context.size;
    }
    return touches_waiting_place(touches, waiting);
}

static bool take_touch(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct touches *touches = loading->touches;
    uint32_t number = (uint32_t)values[0].integer;
    struct mark *mark = touches_mark_make(touches, number);
    struct waiting *waiting = touches_waiting_find(touches, number);
    if (mark == NULL) {
        loading->error = ERR_NOMEM;
        return false;
    }
    touches->last_number = number;
    const struct line *line = touches_line_at(touches, (uint32_t)values[2].integer);
    str key = values[5].bytes;
    uint32_t node = (uint32_t)values[1].integer;
    if (key.size > 0)
        loading->error = touches_map_put(
            &touches->identities, touch_identity(line->journey, line->node, key, node), number);
    bool is_old = waiting == NULL && mark_time_ms(mark) < loading->newest_ms - TOUCH_REMEMBERED_MS;
    if (loading->error != ERR_OK || is_old)
        return loading->error == ERR_OK;
    mark->node = node;
    mark->line = line->number;
    mark->position = (uint32_t)values[4].integer;
    mark->order_hash = touch_duplicate_hash(values[7].bytes, line->template_, line->channel);
    mark->content_hash = touch_duplicate_hash(values[8].bytes, STR_NONE, line->channel);
    loading->error = touches_mark_hang(touches, number);
    if (loading->error == ERR_OK && values[4].integer != 0)
        loading->error = touches_map_put(&touches->positions, (uint64_t)values[4].integer, number);
    if (loading->error == ERR_OK && waiting != NULL)
        loading->error = fill_waiting(touches, waiting, mark, values);
    return loading->error == ERR_OK;
}

static bool take_send(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct touches *touches = loading->touches;
    const struct mark *mark = touches_mark_at(touches, (uint32_t)values[0].integer);
    struct waiting *waiting = touches_waiting_find(touches, (uint32_t)values[0].integer);
    if (waiting != NULL)
        waiting->recipient = (uint32_t)values[1].integer;
    if (mark == NULL || values[3].bytes.size == 0 ||
        values[6].integer < loading->newest_ms - PROVIDERS_MS)
        return true;
    loading->error = touches_map_put(
        &touches->providers,
        touches_provider_key(touches_line_at(touches, mark->line)->account, values[3].bytes),
        (uint32_t)values[0].integer);
    return loading->error == ERR_OK;
}

/* ---- definitions: the newest version is the last ---- */

static bool take_template(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct kept_template *kept;
    json_value body;
    str text = values[2].bytes.size > 0 ? values[2].bytes : STR("{\"parts\":{\"text\":\"\"}}");
    loading->error = json_parse(loading->touches->parser, text, &body, loading->problem);
    if (loading->error == ERR_OK)
        loading->error = touches_kept_template_new(
            &kept, values[0].bytes, (uint32_t)values[1].integer, body, loading->problem);
    if (loading->error == ERR_OK) {
        if (values[2].bytes.size == 0)
            kept->body = STR_NONE; /* deleted */
        loading->error = touches_template_keep(loading->touches, kept);
    }
    return loading->error == ERR_OK;
}

static bool take_account(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct account *account;
    enum channel_kind kind;
    json_value settings;
    if (!channel_kind_find(values[1].bytes, &kind)) {
        loading->error = ERR_CORRUPT;
        return false;
    }
    loading->error =
        json_parse(loading->touches->parser, values[2].bytes, &settings, loading->problem);
    if (loading->error == ERR_OK)
        loading->error =
            touches_account_new(&account, values[0].bytes, kind, settings, loading->problem);
    if (loading->error == ERR_OK) {
        account->is_deleted = values[5].integer != 0;
        loading->error = touches_account_keep(loading->touches, account);
    }
    return loading->error == ERR_OK;
}

static bool take_policy(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct policy *policy;
    json_value body;
    loading->error =
        json_parse(loading->touches->policy_parser, values[2].bytes, &body, loading->problem);
    if (loading->error == ERR_OK)
        loading->error = touches_policy_new(&policy, body, loading->problem);
    if (loading->error != ERR_OK)
        return false;
    touches_policy_free(&loading->touches->policy);
    loading->touches->policy = policy;
    loading->touches->policy_version = (uint32_t)values[1].integer;
    return true;
}

static bool take_stop(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct stop stop = { .value = values[1].bytes,
                         .why = values[4].bytes,
                         .since_ms = values[2].integer,
                         .user_number = (uint32_t)values[3].integer };
    if (values[5].integer != 0)
        return true;
    loading->error = touches_stop_scope_find(values[0].bytes, &stop.scope)
                         ? touches_stop_add(loading->touches, &stop)
                         : ERR_CORRUPT;
    return loading->error == ERR_OK;
}

static bool take_chance(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct account named = { .key = values[1].bytes };
    loading->error = touches_chance_put(loading->touches, (uint32_t)values[0].integer, &named,
                                        (enum chance_kind)values[2].integer, values[3].bytes,
                                        (uint32_t)values[4].integer, values[5].integer);
    return loading->error == ERR_OK;
}

static bool take_pause(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    const struct touch_pause told = { .number = (uint32_t)values[0].integer,
                                      .node = (uint32_t)values[1].integer,
                                      .journey = values[2].bytes,
                                      .key = values[3].bytes,
                                      .reason = values[4].bytes,
                                      .user_number = (uint32_t)values[5].integer,
                                      .since_ms = values[6].integer,
                                      .until_ms =
                                          values[7].integer != 0 ? values[7].integer : INT64_MAX,
                                      .lifted_ms = values[8].integer };
    loading->error = touches_pause_load(loading->touches, &told, (uint32_t)values[9].integer);
    return loading->error == ERR_OK;
}

static bool take_spent(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    loading->error =
        touches_spent_put(loading->touches, (uint64_t)values[0].integer, values[1].integer);
    return loading->error == ERR_OK;
}

static bool take_pool(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct pool *pool;
    loading->error =
        touches_pool_add(loading->touches, values[0].bytes, values[1].integer != 0, values[2].bytes,
                         (uint32_t)values[3].integer, (uint32_t)values[4].integer, &pool);
    return loading->error == ERR_OK;
}

static bool take_code(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct pool *pool = touches_pool_find(loading->touches, values[0].bytes);
    loading->error =
        pool != NULL ? touches_pool_add_code(loading->touches, pool, values[2].bytes) : ERR_CORRUPT;
    if (loading->error == ERR_OK)
        loading->error = touches_map_put(&loading->touches->code_places,
                                         touches_code_key(pool->key, values[2].bytes), 1);
    return loading->error == ERR_OK;
}

static bool take_task(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    str status = values[1].bytes;
    enum task_state state = str_equal(status, STR("open"))    ? TASK_OPEN
                            : str_equal(status, STR("taken")) ? TASK_TAKEN
                                                              : TASK_DONE;
    loading->error = touches_map_put(&loading->touches->tasks, (uint64_t)values[0].integer,
                                     (uint32_t)values[2].integer << 2 | state);
    return loading->error == ERR_OK;
}

static bool take_correction(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    loading->touches->last_correction = (uint32_t)values[0].integer;
    return true;
}

err touches_load(struct touches *touches, struct ledger *ledger, struct problem *problem)
{
    static const struct {
        enum ledger_table table;
        ledger_visitor visit;
    } tables[] = {
        { LEDGER_TOUCH_LINES, take_line },       { LEDGER_TOUCH_POLICY, take_policy },
        { LEDGER_TOUCH_ACCOUNTS, take_account }, { LEDGER_TOUCH_TEMPLATES, take_template },
        { LEDGER_TOUCH_STOPS, take_stop },       { LEDGER_TOUCH_CHANCES, take_chance },
        { LEDGER_TOUCH_PAUSES, take_pause },     { LEDGER_TOUCH_SPENT, take_spent },
        { LEDGER_COUPON_POOLS, take_pool },      { LEDGER_COUPON_CODES, take_code },
        { LEDGER_TOUCH_TASK_STATES, take_task }, { LEDGER_TOUCH_CORRECTIONS, take_correction },
        { LEDGER_TOUCH_STATES, take_state },     { LEDGER_TOUCHES, take_touch },
        { LEDGER_TOUCH_SENDS, take_send },
    };
    struct loading loading = { .touches = touches, .problem = problem };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        err error = ledger_scan(ledger, tables[i].table, NULL, tables[i].visit, &loading, problem);
        if (error == ERR_OK)
            error = loading.error;
        if (error != ERR_OK) {
            if (problem->detail[0] == '\0')
                problem_set(problem, error, "ledger: table %s cannot be read as touches",
                            ledger_table_name(tables[i].table));
            return error;
        }
    }
    return ERR_OK;
}
