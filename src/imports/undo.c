/* SPDX-License-Identifier: Apache-2.0 */
/* undo: everything that a job brought is taken back, and nothing else. In this order, each step in slices,
 * each slice a command, and each harmless when it is done again after a crash:
 *
 *     evidence ─▶ identifiers ─▶ moves ─▶ merges       of its source, as the ledger has them
 *     events, facts, orders                            node by node (retract.c)
 *     objects                                          as they were before
 *     quarantine                                       what waits there is discarded
 *     undone
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/fault.h"
#include "imports/inside.h"

#define NUMBERS_PER_COMMAND 5000
#define MOVES_PER_COMMAND 1000

struct numbers {
    int64_t *items;
    size_t count, capacity;
    bool failed;
};

static void add(struct numbers *numbers, int64_t number)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 1024 : numbers->capacity * 2;
        int64_t *items = memory_resize(numbers->items, capacity * sizeof *items);
        if (items == NULL) {
            numbers->failed = true;
            return;
        }
        numbers->items = items;
        numbers->capacity = capacity;
    }
    numbers->items[numbers->count++] = number;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static bool has(const struct numbers *numbers, int64_t number)
{
    return numbers->count > 0 &&
           bsearch(&number, numbers->items, numbers->count, sizeof number, compare) != NULL;
}

struct undo {
    struct imports *imports;
    struct running *running;
    struct import_row *row;
    uint32_t source;
    struct numbers rows;  /* identifiers that no other import has on an event that stays */
    struct numbers found; /* of the step at work */
    struct problem *problem;
};

static bool stops(void *context)
{
    const struct undo *undo = context;
    pthread_mutex_lock(&undo->imports->mutex);
    bool stopping = undo->imports->stopping;
    pthread_mutex_unlock(&undo->imports->mutex);
    return stopping;
}

/* ---- commands ---- */

/* {"number":n,"NAME":[…]} with so many of the numbers at a time. `per`: numbers that belong together. */
static err send_numbers(struct undo *undo, const char *name, const struct numbers *numbers)
{
    err error = numbers->failed ? ERR_NOMEM : ERR_OK;
    for (size_t at = 0; at < numbers->count && error == ERR_OK;) {
        struct buffer body;
        size_t end =
            at + NUMBERS_PER_COMMAND < numbers->count ? at + NUMBERS_PER_COMMAND : numbers->count;
        if (stops(undo))
            return ERR_UNAVAILABLE;
        buffer_init(&body, (size_t)1 << 20);
        buffer_printf(&body, "{\"number\":%u,\"%s\":[", undo->row->number, name);
        for (size_t i = at; i < end; i++)
            buffer_printf(&body, "%s%lld", i > at ? "," : "", (long long)numbers->items[i]);
        buffer_append_str(&body, STR("]}"));
        error =
            imports_command(undo->imports, "import.detach", buffer_str(&body), NULL, undo->problem);
        buffer_deinit(&body);
        at = end;
    }
    return error;
}

static err scan(struct undo *undo, enum ledger_table table, ledger_visitor visit)
{
    undo->found.count = 0;
    err error =
        ledger_scan(engine_ledger(undo->imports->engine), table, NULL, visit, undo, undo->problem);
    return error == ERR_OK && undo->found.failed ? ERR_NOMEM : error;
}

/* ---- identity ---- */

/* id row with_row node other seq at_ms source_number */
static bool take_evidence(void *context, const struct ledger_value *values)
{
    struct undo *undo = context;
    if (values[7].integer == undo->source && values[6].integer != INT64_MIN)
        add(&undo->found, values[0].integer);
    return true;
}

/* Identifiers on its events, save those that are on an event of another import that stays. Whether one
 * came by itself too, the engine knows when it applies the command. */
static err find_rows(struct undo *undo)
{
    char sql[500];
    struct buffer answer;
    buffer_init(&answer, (size_t)1 << 30);
    snprintf(
        sql, sizeof sql,
        "SELECT DISTINCT arrayJoin(identifiers) AS row FROM events WHERE source = %u AND row "
        "GLOBAL NOT IN (SELECT arrayJoin(identifiers) FROM events_kept WHERE source >= %u AND source "
        "!= %u) ORDER BY row FORMAT RowBinary",
        undo->source, EVENT_SOURCE_IMPORT_FIRST, undo->source);
    err error = warehouse_query(engine_warehouse(undo->imports->engine), str_from_c(sql), NULL, 0,
                                10 * MINUTE_MS, &answer, undo->problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    while (error == ERR_OK && cursor_left(&cursor) > 0) {
        uint32_t row = read_u32(&cursor);
        if (row != 0)
            add(&undo->rows, row);
    }
    buffer_deinit(&answer);
    return error == ERR_OK && undo->rows.failed ? ERR_NOMEM : error;
}

/* id row with_row customer seq at_ms source_number cause */
static bool take_moved_row(void *context, const struct ledger_value *values)
{
    struct undo *undo = context;
    if (values[6].integer == undo->source)
        add(&undo->found, values[1].integer);
    return true;
}

struct homes {
    uint32_t source, before, now;
    bool moved_last; /* the last to move it was the job */
};

static bool take_link(void *context, const struct identity_link *link)
{
    struct homes *homes = context;
    homes->moved_last = link->source_number == homes->source;
    if (!homes->moved_last)
        homes->before = link->customer;
    homes->now = link->customer;
    return true;
}

/* Identifiers that were there before and that the job moved: back to where they were. */
static err send_moves(struct undo *undo)
{
    err error = scan(undo, LEDGER_LINKS, take_moved_row);
    struct buffer body;
    size_t moves = 0;
    buffer_init(&body, (size_t)1 << 20);
    if (undo->found.count > 1)
        qsort(undo->found.items, undo->found.count, sizeof(int64_t), compare);
    for (size_t i = 0; i < undo->found.count && error == ERR_OK; i++) {
        uint32_t row = (uint32_t)undo->found.items[i];
        struct homes homes = { .source = undo->source };
        if (i > 0 && undo->found.items[i] == undo->found.items[i - 1])
            continue;
        error = identity_read_links(engine_ledger(undo->imports->engine), row, take_link, &homes,
                                    undo->problem);
        if (error == ERR_OK && homes.moved_last && homes.before != homes.now) {
            if (moves++ == 0)
                buffer_printf(&body, "{\"number\":%u,\"moves\":[", undo->row->number);
            buffer_printf(&body, "%s[%u,%u,%u]", moves > 1 ? "," : "", row, homes.now,
                          homes.before);
        }
        bool last = i + 1 == undo->found.count;
        if (error != ERR_OK || moves == 0 || (moves < MOVES_PER_COMMAND && !last))
            continue;
        buffer_append_str(&body, STR("]}"));
        error =
            imports_command(undo->imports, "import.detach", buffer_str(&body), NULL, undo->problem);
        buffer_clear(&body);
        moves = 0;
    }
    if (error == ERR_OK && moves > 0) {
        buffer_append_str(&body, STR("]}"));
        error =
            imports_command(undo->imports, "import.detach", buffer_str(&body), NULL, undo->problem);
    }
    buffer_deinit(&body);
    return error;
}

/* id survivor absorbed node other seq at_ms source_number row with_row cause undone_ms: its own, and those
 * that set an identifier of its own apart when that came by itself. */
static bool take_merge(void *context, const struct ledger_value *values)
{
    struct undo *undo = context;
    bool stands = values[11].integer == 0;
    bool own = values[7].integer == undo->source;
    bool apart = str_equal(values[10].bytes, STR("import")) && has(&undo->rows, values[8].integer);
    if (stands && (own || apart))
        add(&undo->found, values[0].integer);
    return true;
}

static err undo_identity(struct undo *undo)
{
    err error = scan(undo, LEDGER_EVIDENCE, take_evidence);
    if (error == ERR_OK)
        error = send_numbers(undo, "evidence", &undo->found);
    if (error == ERR_OK)
        error = find_rows(undo);
    if (error == ERR_OK)
        error = send_numbers(undo, "rows", &undo->rows);
    if (error == ERR_OK)
        error = send_moves(undo);
    if (error == ERR_OK)
        error = scan(undo, LEDGER_MERGES, take_merge);
    if (error == ERR_OK)
        error = send_numbers(undo, "merges", &undo->found);
    return error;
}

/* ---- objects ---- */

struct objects {
    struct undo *undo;
    struct buffer body;
    struct json_writer writer;
    size_t count;
    err error;
};

static void begin_objects(struct objects *objects)
{
    buffer_clear(&objects->body);
    json_writer_init(&objects->writer, &objects->body);
    json_begin_object(&objects->writer);
    json_member_int(&objects->writer, STR("number"), objects->undo->row->number);
    json_put_key(&objects->writer, STR("objects"));
    json_begin_array(&objects->writer);
    objects->count = 0;
}

static void send_objects(struct objects *objects)
{
    json_end_array(&objects->writer);
    json_end_object(&objects->writer);
    if (objects->count > 0)
        objects->error = imports_command(objects->undo->imports, "import.detach",
                                         buffer_str(&objects->body), NULL, objects->undo->problem);
    begin_objects(objects);
}

static bool take_object(void *context, const struct ledger_value *values)
{
    struct objects *objects = context;
    struct json_writer *writer = &objects->writer;
    if (values[0].integer != objects->undo->source)
        return values[0].integer < objects->undo->source;
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), values[1].bytes);
    json_member_text(writer, STR("id"), values[2].bytes);
    json_member_text(writer, STR("props"), values[3].bytes);
    json_member_int(writer, STR("updated_ms"), values[4].integer);
    json_member_int(writer, STR("deleted_ms"), values[5].integer);
    json_end_object(writer);
    objects->count++;
    if (objects->body.size > (size_t)1 << 20)
        send_objects(objects);
    return objects->error == ERR_OK;
}

static err undo_objects(struct undo *undo)
{
    struct objects objects = { .undo = undo };
    struct ledger_value from = ledger_int(undo->source);
    buffer_init(&objects.body, (size_t)4 << 20);
    begin_objects(&objects);
    err error = ledger_scan(engine_ledger(undo->imports->engine), LEDGER_OBJECTS_BEFORE, &from,
                            take_object, &objects, undo->problem);
    if (error == ERR_OK && objects.error == ERR_OK)
        send_objects(&objects);
    buffer_deinit(&objects.body);
    return error != ERR_OK ? error : objects.error;
}

/* ---- quarantine ---- */

static bool take_quarantined(void *context, const struct ledger_value *values)
{
    struct undo *undo = context;
    if (values[3].integer == undo->source && str_equal(values[8].bytes, STR("waiting")))
        add(&undo->found, values[0].integer);
    return true;
}

static err undo_quarantine(struct undo *undo)
{
    err error = scan(undo, LEDGER_QUARANTINE, take_quarantined);
    for (size_t at = 0; at < undo->found.count && error == ERR_OK; at += NUMBERS_PER_COMMAND) {
        struct buffer body;
        buffer_init(&body, (size_t)1 << 20);
        buffer_append_str(&body, STR("{\"ids\":["));
        for (size_t i = at; i < undo->found.count && i < at + NUMBERS_PER_COMMAND; i++)
            buffer_printf(&body, "%s%lld", i > at ? "," : "", (long long)undo->found.items[i]);
        buffer_append_str(&body, STR("]}"));
        error = imports_command(undo->imports, "quarantine.discard", buffer_str(&body), NULL,
                                undo->problem);
        buffer_deinit(&body);
    }
    return error;
}

/* ---- all of it ---- */

static err tell_warehouse(struct undo *undo)
{
    struct buffer rows;
    char name[64];
    buffer_init(&rows, 64);
    write_u64(&rows, undo->source);
    snprintf(name, sizeof name, "undone_%u", undo->row->number);
    err error =
        warehouse_insert(engine_warehouse(undo->imports->engine), STR("retracted_sources (source)"),
                         buffer_str(&rows), str_from_c(name), undo->problem);
    buffer_deinit(&rows);
    return error;
}

err undo_job(struct imports *imports, struct running *running, struct import_row *row,
             struct problem *problem)
{
    struct undo undo = { .imports = imports,
                         .running = running,
                         .row = row,
                         .source = EVENT_SOURCE_IMPORT_FIRST + row->number,
                         .problem = problem };
    err error = ERR_OK;
    if (row->last_seq > 0 && engine_warehouse(imports->engine) == NULL)
        return problem_set(problem, ERR_UNSUPPORTED, "without a warehouse nothing can be undone");
    if (row->last_seq > 0) {
        error = engine_settle(imports->engine, true, 10 * MINUTE_MS);
        if (error == ERR_OK && row->undo_place == 0)
            error = undo_identity(&undo);
        if (error == ERR_OK && fault_fires(FAULT_IMPORT_UNDO_EVENTS))
            error = ERR_UNAVAILABLE;
        if (error == ERR_OK)
            error = retract_job(imports, row->number, row->undo_place, stops, &undo, problem);
        if (error == ERR_OK)
            error = undo_objects(&undo);
        if (error == ERR_OK)
            error = undo_quarantine(&undo);
    }
    if (error == ERR_OK && fault_fires(FAULT_IMPORT_UNDO_END))
        error = ERR_UNAVAILABLE;
    if (error == ERR_OK)
        error = imports_set_state(imports, row->number, row->cancelled ? "cancelled" : "undone",
                                  STR_NONE, problem);
    (void)fault_fires(FAULT_IMPORT_UNDO_TOLD); /* the next start tells it, too */
    if (error == ERR_OK && row->last_seq > 0)
        error = tell_warehouse(&undo);
    memory_free(undo.rows.items);
    memory_free(undo.found.items);
    return error;
}
