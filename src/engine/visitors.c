/* SPDX-License-Identifier: Apache-2.0 */
/* visitors: who leaves memory, and who comes back; see visitors.h. */
#include "engine/visitors.h"

#include <string.h>

#include "base/codec.h"
#include "base/logline.h"
#include "engine/past/row_form.h"
#include "engine/past/rows.h"
#include "engine/state.h"

#define SETTING "visitors.days"
#define META_KEY "visitors"
#define NODES_A_TICK 65536u
#define LEAVES_A_TICK 512u
#define RETRY_MS 200

/* ---- loading ---- */

static err take_days(struct visitors *visitors, json_value value, struct problem *problem)
{
    int64_t days = json_int(value, -1);
    if (days < 0 || days > VISITORS_DAYS_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "visitors leave memory after 1 to %d days without an event, or never (0)",
                    VISITORS_DAYS_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/value");
    }
    visitors->days = days;
    return ERR_OK;
}

static bool load_setting(void *context, const struct ledger_value *values)
{
    struct engine *engine = context;
    json_value value;
    if (json_parse(engine->parser, values[1].bytes, &value, NULL) == ERR_OK)
        (void)take_days(&engine->visitors, value, NULL); /* it was checked when it was put */
    return true;
}

static bool load_sweep(void *context, const struct ledger_value *values)
{
    struct visitors *visitors = context;
    struct cursor cursor = cursor_over(values[1].bytes);
    visitors->swept_day = read_i64(&cursor);
    visitors->next = read_u32(&cursor);
    visitors->round = read_u32(&cursor);
    return true;
}

static bool load_last(void *context, const struct ledger_value *values)
{
    *(uint32_t *)context = (uint32_t)values[0].integer;
    return true;
}

static bool load_left(void *context, const struct ledger_value *values)
{
    struct visitors *visitors = context;
    uint64_t node = (uint64_t)values[0].integer;
    if (node < visitors->left_count)
        visitors->left[node / 64] |= UINT64_C(1) << (node % 64);
    if ((uint64_t)values[2].integer > visitors->left_seq)
        visitors->left_seq = (uint64_t)values[2].integer;
    return true;
}

static err load_all_left(struct engine *engine, struct problem *problem)
{
    struct visitors *visitors = &engine->visitors;
    uint32_t last = 0;
    err error =
        ledger_page(engine->ledger, LEDGER_LEFT_VISITORS, NULL, true, 1, load_last, &last, problem);
    if (error != ERR_OK || last == 0)
        return error;
    visitors->left = memory_alloc((last / 64 + 1) * sizeof *visitors->left);
    if (visitors->left == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for visitors who left");
    visitors->left_count = last + 1;
    return ledger_scan_some(engine->ledger, LEDGER_LEFT_VISITORS, "customer seq", NULL, load_left,
                            visitors, problem);
}

err visitors_load(struct engine *engine, struct problem *problem)
{
    struct ledger_value setting = ledger_text(STR(SETTING)), meta = ledger_text(STR(META_KEY));
    engine->visitors = (struct visitors){ .days = VISITORS_DAYS_DEFAULT };
    err error =
        ledger_find(engine->ledger, LEDGER_SETTINGS, &setting, 1, load_setting, engine, problem);
    if (error == ERR_OK)
        error = ledger_find(engine->ledger, LEDGER_META, &meta, 1, load_sweep, &engine->visitors,
                            problem);
    if (error == ERR_OK)
        error = load_all_left(engine, problem);
    profile_leave_out(engine->profile, engine->visitors.left, engine->visitors.left_count);
    return error;
}

bool visitors_has_left(const struct engine *engine, uint32_t node)
{
    const struct visitors *visitors = &engine->visitors;
    if (visitors->left == NULL)
        return identity_has_left(engine->identity, node);
    return node < visitors->left_count && (visitors->left[node / 64] >> (node % 64) & 1) != 0;
}

void visitors_loaded(struct engine *engine)
{
    memory_free(engine->visitors.left);
    engine->visitors.left = NULL;
    engine->visitors.left_count = 0;
}

err visitors_setting(struct engine *engine, str key, json_value value, struct problem *problem)
{
    return str_equal(key, STR(SETTING)) ? take_days(&engine->visitors, value, problem) : ERR_OK;
}

/* ---- who may leave ---- */

static bool has_position(struct journeys *journeys, uint32_t node)
{
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    journey_write_customer(journeys, node, &text);
    bool has = text.size > strlen("[]");
    buffer_deinit(&text);
    return has;
}

bool engine_visitor_is_idle(const struct engine_state *state, uint32_t node, int64_t before_ms)
{
    return identity_may_leave(state->identity, node, before_ms) &&
           profile_may_leave(state->profile, node, before_ms) &&
           !audience_is_given(state->audience, node) && !has_position(state->journeys, node);
}

bool visitors_may_leave(const struct engine *engine, uint32_t node, int64_t before_ms)
{
    const struct engine_state state = { .identity = engine->identity,
                                        .profile = engine->profile,
                                        .audience = engine->audience,
                                        .journeys = move_journeys(engine) };
    return engine_visitor_is_idle(&state, node, before_ms);
}

/* The next of them; the sweep moves on. */
static size_t collect(struct engine *engine, uint32_t nodes[LEAVES_A_TICK])
{
    struct visitors *visitors = &engine->visitors;
    int64_t before_ms = engine->now_ms - visitors->days * DAY_MS;
    uint32_t last = identity_node_count(engine->identity);
    size_t count = 0;
    uint32_t looked_at = 0;
    while (visitors->next <= last && looked_at++ < NODES_A_TICK && count < LEAVES_A_TICK) {
        uint32_t node = visitors->next++;
        if (visitors_may_leave(engine, node, before_ms))
            nodes[count++] = node;
    }
    if (visitors->next > last)
        visitors->next = 0;
    return count;
}

/* ---- leaving ---- */

static uint32_t some_row(const struct engine *engine, uint32_t node)
{
    uint32_t row = 0;
    identity_rows(engine->identity, node, &row, 1);
    return row;
}

/* After identity: to all others she is nobody now. */
static err forget(struct engine *engine, uint32_t node, uint64_t seq)
{
    profile_leave(engine->profile, node);
    err error = history_forget(engine->history, node);
    return error == ERR_OK ? follow_customer(engine, node, seq) : error;
}

static err leave(struct engine *engine, const uint32_t *nodes, size_t count, uint64_t seq)
{
    struct problem problem = { .error = ERR_OK };
    uint32_t row = some_row(engine, nodes[0]);
    /* Their identifiers are read from the ledger. */
    err error = engine_barrier(engine);
    if (error == ERR_OK)
        error = identity_leave(engine->identity, engine->ledger, nodes, count, seq, engine->writes,
                               &problem);
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = forget(engine, nodes[i], seq);
    if (error != ERR_OK) {
        log_line(LOG_ERROR, "visitors_leave_failed", "reason=\"%s\"",
                 problem.error != ERR_OK ? problem.detail : err_title(error));
        return error;
    }
    engine->visitors.left_seq = seq;
    identity_give_back(engine->identity, nodes[0], row, engine->visitors.round++);
    profile_give_back(engine->profile, nodes[0]);
    return ERR_OK;
}

static err put_sweep(struct engine *engine)
{
    const struct visitors *visitors = &engine->visitors;
    struct buffer value;
    buffer_init(&value, 64);
    write_i64(&value, visitors->swept_day);
    write_u32(&value, visitors->next);
    write_u32(&value, visitors->round);
    err error = buffer_status(&value);
    if (error == ERR_OK)
        LEDGER_PUT(engine->writes, LEDGER_META, ledger_text(STR(META_KEY)),
                   ledger_blob(buffer_str(&value)));
    buffer_deinit(&value);
    return error;
}

err visitors_tick(struct engine *engine, uint64_t seq)
{
    struct visitors *visitors = &engine->visitors;
    uint32_t nodes[LEAVES_A_TICK];
    int64_t today = engine->now_ms / DAY_MS;
    if (visitors->days == 0 || (visitors->next == 0 && today <= visitors->swept_day))
        return ERR_OK;
    if (visitors->next == 0) {
        visitors->swept_day = today;
        visitors->next = 1;
    }
    size_t count = collect(engine, nodes);
    err error = count > 0 ? leave(engine, nodes, count, seq) : ERR_OK;
    return error == ERR_OK ? put_sweep(engine) : error;
}

/* ---- coming back: what she did ---- */

struct recall {
    struct engine *engine;
    uint32_t node;
    uint64_t after_seq; /* up to it the warehouse was asked */
    struct row_form form;
    struct event event;
    int64_t last_ms;
    bool has_begun; /* rows have come */
};

static str text_of(const struct event *event, enum promoted column)
{
    return event->promoted_set & 1u << column ? event->promoted_text[column] : STR_NONE;
}

static int64_t number_of(const struct event *event, enum promoted column)
{
    return event->promoted_set & 1u << column ? event->promoted_int[column] : PROMOTED_MISSING;
}

static err recall_event(struct recall *recall, const struct event *event)
{
    struct engine *engine = recall->engine;
    struct profile_observation observation = {
        .node = recall->node,
        .seq = event->seq,
        .time_ms = event->time_ms,
        .type = event->type,
        .order_id = text_of(event, PROMOTED_ORDER_ID),
        .currency = text_of(event, PROMOTED_CURRENCY),
        .revenue = number_of(event, PROMOTED_REVENUE),
        .total = number_of(event, PROMOTED_TOTAL),
    };
    if (event->time_ms > recall->last_ms)
        recall->last_ms = event->time_ms;
    err error = profile_observe(engine->profile, &observation);
    return error == ERR_OK ? history_observe(engine->history, recall->node, event) : error;
}

static err take_recalled(void *context, struct cursor *cursor)
{
    struct recall *recall = context;
    uint32_t node;
    form_read_event(&recall->form, cursor, &node, &recall->event);
    if (cursor->failed)
        return ERR_OK;
    recall->has_begun = true;
    return recall_event(recall, &recall->event);
}

static void want_columns(struct recall *recall)
{
    const struct history *history = recall->engine->history;
    for (history_column column = 1; column <= history_column_count(history); column++) {
        enum column_kind kind;
        str path = history_column_path(history, column, &kind);
        form_add(&recall->form, path, kind);
    }
    recall->form.promoted_set |= 1u << PROMOTED_ORDER_ID | 1u << PROMOTED_CURRENCY |
                                 1u << PROMOTED_REVENUE | 1u << PROMOTED_TOTAL;
}

static err ask_warehouse(struct recall *recall, struct problem *problem)
{
    struct engine *engine = recall->engine;
    struct buffer sql;
    buffer_init(&sql, (size_t)4 << 20);
    form_write_columns(&recall->form, &sql);
    form_write_from(recall->after_seq, &sql);
    buffer_printf(&sql, " AND customer = %u", recall->node);
    jobs_write_kept(&engine->jobs, &sql);
    form_write_order(&sql);
    err error = buffer_status(&sql) != ERR_OK ? ERR_NOMEM : buffer_status(&recall->form.names);
    if (error == ERR_OK)
        error = rows_stream(engine->warehouse, NULL, sql.data, take_recalled, recall, problem);
    buffer_deinit(&sql);
    return error;
}

/* A warehouse that is away is waited for: what is decided without her past would be no function of the log. */
static err recall_stored(struct recall *recall)
{
    struct engine *engine = recall->engine;
    recall->after_seq = engine->warehouse != NULL ? atomic_load(&engine->flushed_seq) : 0;
    while (recall->after_seq > 0) {
        struct problem problem = { .error = ERR_OK };
        err error = ask_warehouse(recall, &problem);
        if (error == ERR_OK || error == ERR_NOMEM)
            return error;
        if (atomic_load(&engine->stopping))
            return ERR_UNAVAILABLE;
        log_line(LOG_WARN, "visitor_recall_retry", "reason=\"%s\"", problem.detail);
        if (recall->has_begun) { /* the rows come again from the first */
            profile_leave(engine->profile, recall->node);
            error = history_forget(engine->history, recall->node);
            if (error == ERR_OK)
                error = profile_come_back(engine->profile, engine->ledger, recall->node, &problem);
            if (error != ERR_OK)
                return error;
        }
        steady_sleep_ms(RETRY_MS);
    }
    return ERR_OK;
}

static err recall_block(struct recall *recall, const struct applied_block *applied,
                        struct log_block *block, struct arena *arena)
{
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    err error = ERR_OK;
    for (uint32_t index = 0; error == ERR_OK && log_block_next(&cursor, &record); index++) {
        struct event event;
        if (applied->nodes[index] != recall->node || record.seq <= recall->after_seq)
            continue;
        arena_reset(arena);
        error = event_decode(record.body, arena, &event, NULL);
        event.seq = record.seq;
        event.received_ms = block->received_ms;
        if (error == ERR_OK)
            error = recall_event(recall, &event);
    }
    return error;
}

/* The block whose records are being applied is in no list yet. */
static err recall_here(struct recall *recall, struct arena *arena)
{
    struct engine *engine = recall->engine;
    struct log_cursor records = { .block = engine->applying };
    struct cursor outcomes = cursor_over(buffer_str(&engine->block_outcomes));
    struct log_record record;
    err error = ERR_OK;
    while (error == ERR_OK && engine->applying != NULL && cursor_left(&outcomes) > 0 &&
           log_block_next(&records, &record)) {
        struct outcome outcome;
        struct event event;
        error = outcome_read(&outcomes, &outcome);
        if (error != ERR_OK || outcome.fate != FATE_APPLIED || outcome.node != recall->node)
            continue;
        arena_reset(arena);
        error = event_decode(record.body, arena, &event, NULL);
        event.seq = record.seq;
        event.received_ms = engine->now_ms;
        if (error == ERR_OK)
            error = recall_event(recall, &event);
    }
    return error;
}

static bool is_of(const struct applied_block *applied, uint32_t node)
{
    for (uint32_t i = 0; i < applied->count; i++)
        if (applied->nodes[i] == node)
            return true;
    return false;
}

/* What the warehouse may not have yet; of her nothing, as a rule, since she has been away for long. */
static err recall_tail(struct recall *recall)
{
    struct engine *engine = recall->engine;
    struct arena arena;
    err error = ERR_OK;
    arena_init(&arena, "visitor_recall", (size_t)64 << 20);
    for (struct applied_block *applied = engine->tail.first; error == ERR_OK && applied != NULL;
         applied = applied->next) {
        struct log_block *block = NULL;
        if (applied->first_seq + applied->count - 1 <= recall->after_seq ||
            !is_of(applied, recall->node))
            continue;
        error = applied_block_open(applied, engine->log, &block, NULL);
        if (error == ERR_OK) {
            error = recall_block(recall, applied, block, &arena);
            log_block_release(&block);
        }
    }
    if (error == ERR_OK)
        error = recall_here(recall, &arena);
    arena_deinit(&arena);
    return error;
}

static void see_rows(struct engine *engine, uint32_t node, int64_t last_ms)
{
    uint32_t rows[64];
    size_t count = identity_rows(engine->identity, node, rows, 64);
    for (size_t i = 0; i < count && i < 64 && last_ms > 0; i++)
        identity_row_seen(engine->identity, rows[i], last_ms);
}

static err recall_events(struct engine *engine, uint32_t node)
{
    struct recall recall = { .engine = engine, .node = node };
    buffer_init(&recall.form.names, (size_t)1 << 20);
    want_columns(&recall);
    err error = recall_stored(&recall);
    if (error == ERR_OK)
        error = recall_tail(&recall);
    buffer_deinit(&recall.form.names);
    see_rows(engine, node, recall.last_ms);
    return error;
}

/* ---- coming back ---- */

static err come_back(struct engine *engine, uint32_t node, uint64_t seq, struct problem *problem)
{
    err error = identity_come_back(engine->identity, engine->ledger, node, engine->writes, problem);
    if (error == ERR_OK)
        error = profile_come_back(engine->profile, engine->ledger, node, problem);
    if (error == ERR_OK)
        error = recall_events(engine, node);
    packing_spoil(engine, node, seq);
    return error == ERR_OK ? follow_customer(engine, node, seq) : error;
}

/* Who left since the last commit stands in no table yet. */
static err settle_left(struct engine *engine)
{
    return engine->visitors.left_seq > atomic_load(&engine->committed_seq) ? engine_barrier(engine)
                                                                           : ERR_OK;
}

static err failed(struct engine *engine, err error, const struct problem *problem)
{
    if (error != ERR_OK && error != ERR_UNAVAILABLE)
        log_line(LOG_ERROR, "visitor_recall_failed", "seq=%llu reason=\"%s\"",
                 (unsigned long long)engine->applied_seq + 1,
                 problem->error != ERR_OK ? problem->detail : err_title(error));
    return error;
}

static err meet_hash(struct engine *engine, const uint8_t hash[HASH_BYTES], uint64_t seq)
{
    struct problem problem = { .error = ERR_OK };
    uint32_t node = 0;
    if (!identity_may_have_left(engine->identity, hash) ||
        identity_find_row(engine->identity, hash) != 0)
        return ERR_OK;
    err error = settle_left(engine);
    if (error == ERR_OK)
        error = identity_find_left(engine->identity, engine->ledger, hash, &node, &problem);
    if (error == ERR_OK && node != 0)
        error = come_back(engine, node, seq, &problem);
    return failed(engine, error, &problem);
}

err visitors_meet(struct engine *engine, const struct event *event)
{
    err error = ERR_OK;
    if (identity_left_count(engine->identity) == 0)
        return ERR_OK;
    for (uint32_t i = 0; i < event->identifier_count && error == ERR_OK; i++) {
        const struct event_identifier *identifier = &event->identifiers[i];
        error = meet_hash(engine, identifier->hash, event->seq);
        for (uint32_t other = 0; other < identifier->other_hash_count && error == ERR_OK; other++)
            error = meet_hash(engine, identifier->other_hashes[other], event->seq);
    }
    return error;
}

err visitors_call(struct engine *engine, uint32_t node, uint64_t seq)
{
    struct problem problem = { .error = ERR_OK };
    if (!identity_has_left(engine->identity, node))
        return ERR_OK;
    err error = settle_left(engine);
    if (error == ERR_OK)
        error = come_back(engine, node, seq, &problem);
    return failed(engine, error, &problem);
}

err visitors_bring_bare(struct engine *engine, uint32_t node)
{
    struct problem problem = { .error = ERR_OK };
    err error = settle_left(engine);
    if (error == ERR_OK)
        error =
            identity_come_back(engine->identity, engine->ledger, node, engine->writes, &problem);
    if (error == ERR_OK)
        error = profile_come_back(engine->profile, engine->ledger, node, &problem);
    return failed(engine, error, &problem);
}
