/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of erasure. `customer.erase` leaves nothing of her in RAM and ledger, in one record; what lies elsewhere is the work of
 * src/privacy, which tells by `erasure.move` how far it is. Both read the ledger: command.c commits what was before. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "engine/call.h"

#define SECRET_BYTES_MAX ((size_t)4 << 20)
#define RECEIPT_BYTES_MAX 65536
#define HASHES_MAX 100000

struct counts {
    uint32_t nodes, identifiers, traits, touches, positions, rows;
    uint64_t events;
};

static uint32_t number_of(json_value object, str name)
{
    return (uint32_t)json_int(json_get(object, name), 0);
}

/* ---- rows of the ledger that are found by her number ---- */

struct wiping {
    struct call *call;
    enum ledger_table table;
    uint32_t rows;
    bool stops;
};

static void put_with(struct wiping *wiping, const struct ledger_value *values, const int *blank,
                     size_t count)
{
    struct ledger_value kept[LEDGER_COLUMNS_MAX];
    memcpy(kept, values, (size_t)ledger_table_columns(wiping->table) * sizeof *kept);
    for (size_t i = 0; i < count; i++)
        kept[blank[i]].bytes = STR("");
    ledger_put(wiping->call->writes, wiping->table, kept);
    wiping->rows++;
}

static bool wipe_send(void *context, const struct ledger_value *values)
{
    put_with(context, values, (const int[]){ 3, 5 }, 2); /* provider_id, response */
    return true;
}

static bool wipe_task(void *context, const struct ledger_value *values)
{
    put_with(context, values, (const int[]){ 3 }, 1); /* content */
    return true;
}

static bool wipe_task_state(void *context, const struct ledger_value *values)
{
    put_with(context, values, (const int[]){ 3, 4 }, 2); /* result, note */
    return true;
}

static bool wipe_touch_step(void *context, const struct ledger_value *values)
{
    struct wiping *wiping = context;
    wiping->stops = values[6].bytes.size == 0;
    if (!wiping->stops)
        put_with(wiping, values, (const int[]){ 6 }, 1); /* detail */
    return true;
}

struct numbers {
    uint64_t *items;
    size_t count, capacity;
    err error;
};

static void note_number(struct numbers *numbers, uint64_t number)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 64 : numbers->capacity * 2;
        uint64_t *items = memory_resize(numbers->items, capacity * sizeof *items);
        if (items == NULL) {
            numbers->error = ERR_NOMEM;
            return;
        }
        numbers->items = items;
        numbers->capacity = capacity;
    }
    numbers->items[numbers->count++] = number;
}

struct finding {
    struct wiping wiping;
    struct numbers numbers;
};

/* The request itself: what its template saw, and of which order. The rest says when and by what rule. */
static bool wipe_touch(void *context, const struct ledger_value *values)
{
    struct finding *finding = context;
    struct ledger_value kept[LEDGER_COLUMNS_MAX];
    memcpy(kept, values, (size_t)ledger_table_columns(LEDGER_TOUCHES) * sizeof *kept);
    kept[6] = ledger_text(STR("{}"));
    kept[7] = ledger_text(STR(""));
    ledger_put(finding->wiping.call->writes, LEDGER_TOUCHES, kept);
    finding->wiping.rows++;
    note_number(&finding->numbers, (uint64_t)values[0].integer);
    return finding->numbers.error == ERR_OK;
}

/* Those that are closed in the ledger; an open one is written by its room as it closes now. */
static bool wipe_position(void *context, const struct ledger_value *values)
{
    struct finding *finding = context;
    note_number(&finding->numbers, (uint64_t)values[0].integer);
    if (values[14].integer != 0 && values[12].bytes.size > 0)
        put_with(&finding->wiping, values, (const int[]){ 12 }, 1);
    return finding->numbers.error == ERR_OK;
}

static err each_key(struct call *call, enum ledger_table table, const struct numbers *numbers,
                    ledger_visitor visit, uint32_t *rows)
{
    struct wiping wiping = { .call = call, .table = table };
    err error = ERR_OK;
    for (size_t i = 0; i < numbers->count && error == ERR_OK; i++) {
        struct ledger_value key = ledger_int((int64_t)numbers->items[i]);
        error = ledger_find(call->engine->ledger, table, &key, 1, visit, &wiping, call->problem);
    }
    *rows += wiping.rows;
    return error;
}

/* Rows whose first key column is the number: one after the other from there. */
struct stepping {
    struct wiping wiping;
    uint64_t number;
    bool removes;
};

static bool take_step(void *context, const struct ledger_value *values)
{
    struct stepping *stepping = context;
    if ((uint64_t)values[0].integer != stepping->number)
        return false;
    if (!stepping->removes)
        return wipe_touch_step(&stepping->wiping, values);
    ledger_delete(stepping->wiping.call->writes, stepping->wiping.table, values);
    stepping->wiping.rows++;
    return true;
}

static err each_step(struct call *call, enum ledger_table table, const struct numbers *numbers,
                     bool removes, uint32_t *rows)
{
    struct stepping stepping = { .wiping = { .call = call, .table = table }, .removes = removes };
    err error = ERR_OK;
    for (size_t i = 0; i < numbers->count && error == ERR_OK; i++) {
        struct ledger_value key = ledger_int((int64_t)numbers->items[i]);
        stepping.number = numbers->items[i];
        error = ledger_scan(call->engine->ledger, table, &key, take_step, &stepping, call->problem);
    }
    *rows += stepping.wiping.rows;
    return error;
}

static err wipe_parts(struct call *call, const struct numbers *touches, uint32_t *rows)
{
    err error = each_key(call, LEDGER_TOUCH_SENDS, touches, wipe_send, rows);
    if (error == ERR_OK)
        error = each_key(call, LEDGER_TOUCH_TASKS, touches, wipe_task, rows);
    if (error == ERR_OK)
        error = each_key(call, LEDGER_TOUCH_TASK_STATES, touches, wipe_task_state, rows);
    return error == ERR_OK ? each_step(call, LEDGER_TOUCH_STEPS, touches, false, rows) : error;
}

static err wipe_touches(struct call *call, uint32_t node, uint32_t *rows)
{
    struct finding finding = { .wiping = { .call = call, .table = LEDGER_TOUCHES } };
    err error = ledger_find_by(call->engine->ledger, LEDGER_TOUCHES, "customer", ledger_int(node),
                               NULL, false, SIZE_MAX, wipe_touch, &finding, call->problem);
    if (error == ERR_OK)
        error = finding.numbers.error;
    *rows += finding.wiping.rows;
    if (error == ERR_OK)
        error = wipe_parts(call, &finding.numbers, rows);
    memory_free(finding.numbers.items);
    return error;
}

err touches_empty(struct call *call, uint64_t *numbers, size_t count)
{
    struct finding finding = { .wiping = { .call = call, .table = LEDGER_TOUCHES } };
    uint32_t rows = 0;
    err error = ERR_OK;
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        struct ledger_value key = ledger_int((int64_t)numbers[i]);
        error = ledger_find(call->engine->ledger, LEDGER_TOUCHES, &key, 1, wipe_touch, &finding,
                            call->problem);
    }
    if (error == ERR_OK)
        error = finding.numbers.error;
    if (error == ERR_OK)
        error = wipe_parts(call, &finding.numbers, &rows);
    memory_free(finding.numbers.items);
    return error;
}

static err wipe_positions(struct call *call, uint32_t node, uint32_t *rows)
{
    struct finding finding = { .wiping = { .call = call, .table = LEDGER_JOURNEY_POSITIONS } };
    err error =
        ledger_find_by(call->engine->ledger, LEDGER_JOURNEY_POSITIONS, "customer", ledger_int(node),
                       NULL, false, SIZE_MAX, wipe_position, &finding, call->problem);
    if (error == ERR_OK)
        error = finding.numbers.error;
    *rows += finding.wiping.rows;
    if (error == ERR_OK)
        error = each_step(call, LEDGER_JOURNEY_STEPS, &finding.numbers, true, rows);
    memory_free(finding.numbers.items);
    return error;
}

/* ---- customer.erase ---- */

/* What the work outside of apply has to look for; it goes when that is done. */
struct secret {
    struct json_writer writer;
    struct buffer bytes;
    struct identity *identity;
};

static bool note_value(void *context, const struct identity_row_view *view)
{
    struct secret *secret = context;
    json_begin_object(&secret->writer);
    json_member_text(&secret->writer, STR("type"), view->type);
    json_member_text(&secret->writer, STR("value"), view->value);
    json_end_object(&secret->writer);
    return true;
}

static err gather_of(struct call *call, uint32_t root, struct secret *secret)
{
    struct engine *engine = call->engine;
    size_t total = identity_rows(engine->identity, root, NULL, 0);
    uint32_t *rows = memory_alloc((total + 1) * sizeof *rows);
    if (rows == NULL)
        return ERR_NOMEM;
    total = identity_rows(engine->identity, root, rows, total);
    forgotten_note(&engine->forgotten, rows, total, call->seq);
    err error = identity_read_rows(engine->identity, engine->ledger, rows, total, note_value,
                                   secret, call->problem);
    memory_free(rows);
    return error;
}

/* Whom one erasure is about: one customer with all her nodes, or visitors, who are a node each. */
struct erased {
    const uint32_t *roots, *nodes;
    size_t root_count, node_count;
    str reason;
    bool comes_back; /* no tombstone is put */
};

static err gather_secret(struct call *call, const struct erased *whom, struct secret *secret)
{
    err error = ERR_OK;
    json_writer_init(&secret->writer, &secret->bytes);
    json_begin_array(&secret->writer);
    for (size_t i = 0; i < whom->root_count && error == ERR_OK; i++)
        error = gather_of(call, whom->roots[i], secret);
    json_end_array(&secret->writer);
    return error == ERR_OK ? buffer_status(&secret->bytes) : error;
}

/* While her nodes are still hers. */
static err forget_acts(struct call *call, const struct erased *whom, struct counts *counts)
{
    struct engine *engine = call->engine;
    struct journey_moment journey = { call->seq, engine->now_ms };
    struct touch_moment touch = { call->seq, engine->now_ms };
    const uint32_t *nodes = whom->nodes;
    size_t count = whom->node_count;
    err error = ERR_OK;
    for (size_t i = 0; i < whom->root_count && error == ERR_OK; i++) {
        error = journey_erased(move_journeys(engine), whom->roots[i], journey, call->writes,
                               &counts->positions);
        if (error == ERR_OK)
            error = touch_erased(act_touches(engine), whom->roots[i], touch, call->writes,
                                 &counts->touches);
    }
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        error = wipe_touches(call, nodes[i], &counts->rows);
        if (error == ERR_OK)
            error = wipe_positions(call, nodes[i], &counts->rows);
    }
    return error;
}

static err forget_decisions(struct call *call, const uint32_t *nodes, size_t count, uint32_t *rows)
{
    struct numbers numbers = { .error = ERR_OK };
    for (size_t i = 0; i < count; i++)
        note_number(&numbers, nodes[i]);
    err error = numbers.error;
    if (error == ERR_OK)
        error = each_step(call, LEDGER_CONSENT_DECISIONS, &numbers, true, rows);
    memory_free(numbers.items);
    return error;
}

static err forget_facts(struct call *call, const uint32_t *nodes, size_t count,
                        struct counts *counts)
{
    struct engine *engine = call->engine;
    struct profile_summary summary;
    err error = ERR_OK;
    profile_summarise(engine->profile, nodes, count, &summary);
    counts->events = summary.events;
    atomic_fetch_sub(&engine->events, summary.events);
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        uint32_t facts = 0;
        error = profile_erase(engine->profile, nodes[i], call->writes, &facts);
        counts->traits += facts;
        if (error == ERR_OK)
            error = history_forget(engine->history, nodes[i]);
        packing_spoil(engine, nodes[i], call->seq);
    }
    return error;
}

static err forget_identity(struct call *call, uint32_t erasure, const uint32_t *nodes, size_t count,
                           struct counts *counts)
{
    struct engine *engine = call->engine;
    struct identity_erased erased;
    err error = identity_erase(engine->identity, engine->ledger, nodes, count, erasure, call->seq,
                               engine->now_ms, call->writes, &erased, call->problem);
    counts->identifiers = erased.identifiers;
    counts->nodes = (uint32_t)count;
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        news_customer(engine, nodes[i], "erased", 0);
    /* Who is gone leaves every list and group. */
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        error = history_group(engine->history, &nodes[i], 1);
        if (error == ERR_OK)
            error = follow_customer(engine, nodes[i], call->seq);
    }
    return error;
}

static void write_counts(const struct counts *counts, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("nodes"), counts->nodes);
    json_member_int(&writer, STR("identifiers"), counts->identifiers);
    json_member_int(&writer, STR("traits"), counts->traits);
    json_member_int(&writer, STR("events"), (int64_t)counts->events);
    json_member_int(&writer, STR("touches"), counts->touches);
    json_member_int(&writer, STR("positions"), counts->positions);
    json_end_object(&writer);
}

static void put_erasure(struct call *call, uint32_t number, const struct erased *whom, str secret,
                        str receipt)
{
    struct buffer bytes;
    buffer_init(&bytes, (whom->node_count + 1) * sizeof(uint32_t));
    for (size_t i = 0; i < whom->node_count; i++)
        write_u32(&bytes, whom->nodes[i]);
    LEDGER_PUT(call->writes, LEDGER_ERASURES, ledger_int(number), ledger_int(whom->roots[0]),
               ledger_int(call->engine->now_ms), ledger_int((int64_t)call->seq),
               ledger_int(call->command->user_number), ledger_text(whom->reason),
               ledger_text(STR("erasing")), ledger_blob(buffer_str(&bytes)), ledger_blob(secret),
               ledger_text(receipt), ledger_int(0));
    buffer_deinit(&bytes);
}

static err erase(struct call *call, const struct erased *whom)
{
    struct engine *engine = call->engine;
    const uint32_t *nodes = whom->nodes;
    size_t count = whom->node_count;
    struct counts counts = { .nodes = 0 };
    struct secret secret = { .identity = engine->identity };
    struct buffer receipt;
    uint32_t number = engine->erasures.count + 1;
    buffer_init(&secret.bytes, SECRET_BYTES_MAX);
    buffer_init(&receipt, RECEIPT_BYTES_MAX);
    err error = gather_secret(call, whom, &secret);
    if (error == ERR_OK)
        error = forget_acts(call, whom, &counts);
    if (error == ERR_OK)
        error = forget_facts(call, nodes, count, &counts);
    if (error == ERR_OK)
        error = forget_decisions(call, nodes, count, &counts.rows);
    if (error == ERR_OK)
        error = person_forget(call, number, nodes, count, &counts.rows);
    if (error == ERR_OK)
        error = forget_identity(call, whom->comes_back ? 0 : number, nodes, count, &counts);
    if (error == ERR_OK)
        error = erasures_add(&engine->erasures, number, nodes, count);
    if (error == ERR_OK) {
        engine->erasures.count = number;
        write_counts(&counts, &receipt);
        put_erasure(call, number, whom, buffer_str(&secret.bytes), buffer_str(&receipt));
        buffer_printf(call->answer, "{\"number\":%u}", number);
    }
    buffer_deinit(&receipt);
    buffer_deinit(&secret.bytes);
    return error;
}

err run_customer_erase(struct call *call)
{
    struct engine *engine = call->engine;
    uint32_t root = identity_root(engine->identity, number_of(call->body, STR("customer")));
    if (root == 0)
        return problem_set(call->problem, ERR_NOT_FOUND, "there is no such customer");
    size_t count = identity_nodes(engine->identity, root, NULL, 0);
    uint32_t *nodes = memory_alloc((count + 1) * sizeof *nodes);
    if (nodes == NULL)
        return ERR_NOMEM;
    count = identity_nodes(engine->identity, root, nodes, count);
    struct erased whom = { .roots = nodes,
                           .root_count = 1,
                           .nodes = nodes,
                           .node_count = count,
                           .reason = json_text(json_get(call->body, STR("reason"))) };
    err error = erase(call, &whom);
    memory_free(nodes);
    call->object = STR("customer");
    return error;
}

err erase_visitors(struct call *call, const uint32_t *roots, size_t count)
{
    struct erased whom = { .roots = roots,
                           .root_count = count,
                           .nodes = roots,
                           .node_count = count,
                           .reason = STR("retention"),
                           .comes_back = true };
    return erase(call, &whom);
}

/* ---- erasure.move ---- */

struct total {
    int64_t events, revenue, total;
};

static bool take_total(void *context, const struct ledger_value *values)
{
    struct total *total = context;
    *total = (struct total){ values[4].integer, values[5].integer, values[6].integer };
    return false;
}

/* [day, type, channel, currency, events, revenue, total]: what she did stays in the sums of all. Each key comes once. */
static err add_total(struct call *call, json_value row)
{
    struct ledger_value key[4] = { ledger_int(json_int(json_at(row, 0), 0)),
                                   ledger_text(json_text(json_at(row, 1))),
                                   ledger_text(json_text(json_at(row, 2))),
                                   ledger_text(json_text(json_at(row, 3))) };
    struct total total = { 0, 0, 0 };
    err error = ledger_find(call->engine->ledger, LEDGER_ERASED_TOTALS, key, 1, take_total, &total,
                            call->problem);
    if (error == ERR_OK)
        LEDGER_PUT(call->writes, LEDGER_ERASED_TOTALS, key[0], key[1], key[2], key[3],
                   ledger_int(total.events + json_int(json_at(row, 4), 0)),
                   ledger_int(total.revenue + json_int(json_at(row, 5), 0)),
                   ledger_int(total.total + json_int(json_at(row, 6), 0)));
    return error;
}

static int compare_ids(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static err discard_quarantined(struct call *call)
{
    json_value list = json_get(call->body, STR("quarantine")), id;
    size_t count = 0, room = json_count(list);
    if (room == 0)
        return ERR_OK;
    uint64_t *ids = memory_alloc((room + 1) * sizeof *ids);
    if (ids == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(list);
    while (count < room && json_next(&iterator, NULL, &id))
        ids[count++] = (uint64_t)json_int(id, 0);
    qsort(ids, count, sizeof *ids, compare_ids);
    (void)quarantine_discard(&call->engine->quarantine, ids, count, call->engine->now_ms,
                             call->writes);
    memory_free(ids);
    return ERR_OK;
}

struct moving {
    struct call *call;
    const char *state;
    str receipt; /* empty: as it was */
    bool clean;  /* nothing has to be looked for any more */
    bool found;
};

/* Finished: of whom it was is not known any more, save by numbers that lead nowhere. */
static bool move_row(void *context, const struct ledger_value *values)
{
    struct moving *moving = context;
    struct ledger_value kept[LEDGER_COLUMNS_MAX];
    bool finished = moving->state != NULL;
    memcpy(kept, values, (size_t)ledger_table_columns(LEDGER_ERASURES) * sizeof *kept);
    if (moving->clean)
        kept[8] = ledger_blob(STR(""));
    if (finished) {
        kept[6] = ledger_text(str_from_c(moving->state));
        kept[7] = ledger_blob(STR(""));
        kept[10] = ledger_int(moving->call->engine->now_ms);
    }
    if (moving->receipt.size > 0)
        kept[9] = ledger_text(moving->receipt);
    ledger_put(moving->call->writes, LEDGER_ERASURES, kept);
    moving->found = true;
    return false;
}

err run_erasure_move(struct call *call)
{
    uint32_t number = number_of(call->body, STR("number"));
    json_value totals = json_get(call->body, STR("totals")), row;
    json_value receipt = json_get(call->body, STR("receipt"));
    struct json_iterator iterator = json_iterate(totals);
    struct ledger_value key = ledger_int(number);
    struct buffer text;
    if (erasures_find(&call->engine->erasures, number) == NULL)
        return problem_set(call->problem, ERR_CONFLICT, "erasure %u is not under way", number);
    err error = discard_quarantined(call);
    while (error == ERR_OK && json_next(&iterator, NULL, &row))
        error = add_total(call, row);
    if (error != ERR_OK || !json_is_object(receipt))
        return error;
    buffer_init(&text, RECEIPT_BYTES_MAX);
    json_write_value(&text, receipt);
    bool finished = json_bool(json_get(call->body, STR("finished")), false);
    struct moving moving = { .call = call,
                             .state = finished ? "finished" : NULL,
                             .clean = json_bool(json_get(call->body, STR("clean")), false),
                             .receipt = buffer_str(&text) };
    error = buffer_status(&text);
    if (error == ERR_OK)
        error = ledger_find(call->engine->ledger, LEDGER_ERASURES, &key, 1, move_row, &moving,
                            call->problem);
    buffer_deinit(&text);
    if (error == ERR_OK && finished)
        error = person_forgotten(call, number);
    if (error == ERR_OK && finished)
        erasures_finish(&call->engine->erasures, number);
    return error;
}

/* ---- tombstones by hand, and after a restore ---- */

err run_tombstone_put(struct call *call)
{
    struct engine *engine = call->engine;
    bool lift = json_bool(json_get(call->body, STR("lift")), false);
    json_value list = json_get(call->body, STR("hashes")), item;
    struct json_iterator iterator = json_iterate(list);
    uint8_t hash[HASH_BYTES];
    size_t changed = 0;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        if (!access_read_hex(json_text(item), hash, sizeof hash))
            return problem_set(call->problem, ERR_UNPROCESSABLE, "a hash has 32 hex digits");
        if (lift)
            changed += identity_lift(engine->identity, hash, engine->now_ms, call->writes);
        else
            error = identity_bury(engine->identity, hash, call->seq, engine->now_ms, call->writes,
                                  &changed);
    }
    call->object = lift ? STR("lifted") : STR("kept out");
    buffer_printf(call->answer, "{\"changed\":%zu}", changed);
    return error;
}
