/* SPDX-License-Identifier: Apache-2.0 */
/* too_old: what a run of retention takes, kind by kind: looked up here, removed in apply, in files, in the warehouse. */
#include "privacy/too_old.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "store/events.h"

#define VISITORS_A_STEP 500
#define TOUCHES_A_STEP 500
#define NODES_A_LOOK 20000
#define QUERY_MS (30 * MINUTE_MS)
#define SETTLE_MS (10 * MINUTE_MS)

static int64_t before_of(const struct retaining *run, enum retention_kind kind)
{
    int64_t days = retention_days(run->policy, kind);
    return days > 0 ? run->at_ms - days * DAY_MS : INT64_MIN;
}

static bool stops(void *context)
{
    const struct retaining *run = context;
    return privacy_stops(run->privacy);
}

/* {"number":N,"NAME":[ids]} */
static void send_ids(struct retaining *run, const char *name)
{
    struct buffer body;
    if (run->id_count == 0 || run->error != ERR_OK)
        return;
    buffer_init(&body, (size_t)1 << 20);
    buffer_printf(&body, "{\"number\":%u,\"%s\":[", run->number, name);
    for (size_t i = 0; i < run->id_count; i++)
        buffer_printf(&body, "%s%llu", i > 0 ? "," : "", (unsigned long long)run->ids[i]);
    buffer_append_str(&body, STR("]}"));
    run->error =
        privacy_command(run->privacy, "retention.drop", buffer_str(&body), NULL, run->problem);
    run->id_count = 0;
    buffer_deinit(&body);
}

static bool note_id(struct retaining *run, enum retention_kind kind, const char *name, uint64_t id,
                    size_t most)
{
    run->counts[kind]++;
    if (!run->dry) {
        run->ids[run->id_count++] = id;
        if (run->id_count == most)
            send_ids(run, name);
    }
    return run->error == ERR_OK && !privacy_stops(run->privacy);
}

static err scan_to_drop(struct retaining *run, enum ledger_table table, const char *columns,
                        const char *name, ledger_visitor visit)
{
    run->id_count = 0;
    run->error = ERR_OK;
    err error = ledger_scan_some(engine_ledger(run->privacy->engine), table, columns, NULL, visit,
                                 run, run->problem);
    if (error == ERR_OK && !privacy_stops(run->privacy))
        send_ids(run, name);
    if (error == ERR_OK)
        error = run->error;
    return error == ERR_OK && privacy_stops(run->privacy) ? ERR_UNAVAILABLE : error;
}

/* ---- quarantine, touches, audit ---- */

static bool take_quarantined(void *context, const struct ledger_value *values)
{
    struct retaining *run = context;
    return values[2].integer >= before_of(run, RETENTION_QUARANTINE) ||
           note_id(run, RETENTION_QUARANTINE, "quarantine", (uint64_t)values[0].integer,
                   TOO_OLD_IDS_A_STEP);
}

static err drop_quarantine(struct retaining *run)
{
    return retention_days(run->policy, RETENTION_QUARANTINE) > 0
               ? scan_to_drop(run, LEDGER_QUARANTINE, "id at_ms", "quarantine", take_quarantined)
               : ERR_OK;
}

/* Touches are numbered as they come: behind the first young one all are. Those that are empty stay so. */
static bool take_touch(void *context, const struct ledger_value *values)
{
    struct retaining *run = context;
    if (values[10].integer >= before_of(run, RETENTION_TOUCHES))
        return false;
    bool empty = str_equal(values[6].bytes, STR("{}")) && values[7].bytes.size == 0;
    return empty ||
           note_id(run, RETENTION_TOUCHES, "touches", (uint64_t)values[0].integer, TOUCHES_A_STEP);
}

static err drop_touches(struct retaining *run)
{
    return retention_days(run->policy, RETENTION_TOUCHES) > 0
               ? scan_to_drop(run, LEDGER_TOUCHES, "number context order_id created_ms", "touches",
                              take_touch)
               : ERR_OK;
}

static bool count_line(void *context, const struct ledger_value *values)
{
    struct retaining *run = context;
    if (values[1].integer >= before_of(run, RETENTION_AUDIT))
        return false;
    run->counts[RETENTION_AUDIT]++;
    return true;
}

/* A step of it; how many lines went. */
static err drop_lines(struct retaining *run, uint64_t *removed)
{
    char body[96];
    struct buffer answer;
    json_value json;
    int size = snprintf(body, sizeof body, "{\"number\":%u,\"audit_before_ms\":%lld}", run->number,
                        (long long)before_of(run, RETENTION_AUDIT));
    buffer_init(&answer, 65536);
    err error = privacy_command(run->privacy, "retention.drop", str_from_bytes(body, (size_t)size),
                                &answer, run->problem);
    if (error == ERR_OK)
        error = json_parse(run->privacy->parser, buffer_str(&answer), &json, run->problem);
    *removed = error == ERR_OK ? (uint64_t)json_int(json_get(json, STR("removed")), 0) : 0;
    run->counts[RETENTION_AUDIT] += *removed;
    buffer_deinit(&answer);
    return error;
}

static err drop_audit(struct retaining *run)
{
    uint64_t removed = 1;
    err error = ERR_OK;
    if (retention_days(run->policy, RETENTION_AUDIT) == 0)
        return ERR_OK;
    if (run->dry)
        return ledger_scan_some(engine_ledger(run->privacy->engine), LEDGER_AUDIT, "seq at_ms",
                                NULL, count_line, run, run->problem);
    while (error == ERR_OK && removed > 0)
        error = privacy_stops(run->privacy) ? ERR_UNAVAILABLE : drop_lines(run, &removed);
    return error;
}

/* ---- visitors ---- */

struct visitor_look {
    uint32_t from, to, last; /* nodes; the highest there is */
    int64_t before_ms;
    uint32_t *found;
    size_t count;
};

static void look_at_visitors(const struct engine_state *state, struct engine_question *question)
{
    struct visitor_look *look = question->context;
    look->last = identity_node_count(state->identity);
    for (uint32_t node = look->from; node < look->to && node <= look->last; node++)
        if (engine_visitor_is_idle(state, node, look->before_ms))
            look->found[look->count++] = node;
}

static err drop_idle(struct retaining *run)
{
    struct visitor_look look = { .to = 1, .before_ms = before_of(run, RETENTION_VISITORS) };
    struct engine_question question = { .ask = look_at_visitors, .context = &look };
    look.found = memory_alloc(NODES_A_LOOK * sizeof *look.found);
    err error = look.found != NULL ? ERR_OK : ERR_NOMEM;
    do {
        look.from = look.to;
        look.to = look.from + NODES_A_LOOK;
        look.count = 0;
        if (error == ERR_OK)
            error = engine_ask_wait(run->privacy->engine, &question);
        for (size_t i = 0; i < look.count && error == ERR_OK; i++)
            if (!note_id(run, RETENTION_VISITORS, "visitors", look.found[i], VISITORS_A_STEP))
                error = run->error != ERR_OK ? run->error : ERR_UNAVAILABLE;
    } while (error == ERR_OK && look.to <= look.last);
    send_ids(run, "visitors");
    memory_free(look.found);
    return error == ERR_OK ? run->error : error;
}

/* Who has left memory: the warehouse knows when they were last heard of. Whom it does not know is older than all it has. */
struct away {
    struct retaining *run;
    uint32_t nodes[TOO_OLD_IDS_A_STEP];
    size_t count;
    err error;
};

static void read_young(struct away *away, str answer)
{
    struct cursor cursor = cursor_over(answer);
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        uint32_t young = read_u32(&cursor);
        for (size_t i = 0; i < away->count; i++)
            if (away->nodes[i] == young)
                away->nodes[i] = 0;
    }
}

static err sift_away(struct away *away)
{
    struct retaining *run = away->run;
    struct buffer sql, answer;
    buffer_init(&sql, (size_t)1 << 20);
    buffer_init(&answer, (size_t)1 << 20);
    buffer_append_str(&sql, STR("SELECT DISTINCT customer FROM events WHERE customer IN ("));
    for (size_t i = 0; i < away->count; i++)
        buffer_printf(&sql, "%s%u", i > 0 ? "," : "", away->nodes[i]);
    buffer_printf(&sql, ") AND time_ms >= %lld FORMAT RowBinary",
                  (long long)before_of(run, RETENTION_VISITORS));
    err error = away->count > 0
                    ? warehouse_query(engine_warehouse(run->privacy->engine), buffer_str(&sql),
                                      NULL, 0, QUERY_MS, &answer, run->problem)
                    : ERR_OK;
    if (error == ERR_OK)
        read_young(away, buffer_str(&answer));
    for (size_t i = 0; i < away->count && error == ERR_OK; i++)
        if (away->nodes[i] != 0 &&
            !note_id(run, RETENTION_VISITORS, "visitors", away->nodes[i], VISITORS_A_STEP))
            error = run->error != ERR_OK ? run->error : ERR_UNAVAILABLE;
    away->count = 0;
    buffer_deinit(&sql);
    buffer_deinit(&answer);
    return error;
}

static bool take_away(void *context, const struct ledger_value *values)
{
    struct away *away = context;
    away->nodes[away->count++] = (uint32_t)values[0].integer;
    if (away->count == TOO_OLD_IDS_A_STEP)
        away->error = sift_away(away);
    return away->error == ERR_OK;
}

static err drop_visitors(struct retaining *run)
{
    if (retention_days(run->policy, RETENTION_VISITORS) == 0)
        return ERR_OK;
    run->id_count = 0;
    run->error = ERR_OK;
    err error = drop_idle(run);
    if (error != ERR_OK || engine_warehouse(run->privacy->engine) == NULL)
        return error;
    struct away *away = memory_alloc(sizeof *away);
    if (away == NULL)
        return ERR_NOMEM;
    *away = (struct away){ .run = run };
    error = ledger_scan_some(engine_ledger(run->privacy->engine), LEDGER_LEFT_VISITORS, "customer",
                             NULL, take_away, away, run->problem);
    if (error == ERR_OK)
        error = away->error;
    if (error == ERR_OK)
        error = sift_away(away);
    send_ids(run, "visitors");
    memory_free(away);
    return error == ERR_OK ? run->error : error;
}

/* ---- events ---- */

static err count_events(struct retaining *run, const char *condition)
{
    struct buffer sql, answer;
    buffer_init(&sql, (size_t)2 << 20);
    buffer_init(&answer, (size_t)16 << 20);
    err error = engine_settle(run->privacy->engine, true, SETTLE_MS) == ERR_OK
                    ? ERR_OK
                    : problem_set(run->problem, ERR_UNAVAILABLE, "the warehouse does not catch up");
    buffer_printf(
        &sql,
        "SELECT toString(type), toUInt64(count()) FROM events_kept WHERE %s GROUP BY type "
        "ORDER BY count() DESC, type FORMAT RowBinary",
        condition);
    if (error == ERR_OK)
        error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_query(engine_warehouse(run->privacy->engine), buffer_str(&sql), NULL, 0,
                                QUERY_MS, &answer, run->problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    while (error == ERR_OK && cursor_left(&cursor) > 0 && !cursor.failed) {
        str type = read_text(&cursor);
        uint64_t count = read_u64(&cursor);
        if (cursor.failed)
            break;
        if (run->types.size > 1)
            buffer_append_byte(&run->types, ',');
        json_write_text(&run->types, type);
        buffer_printf(&run->types, ":%llu", (unsigned long long)count);
        run->counts[RETENTION_EVENTS] += count;
    }
    buffer_deinit(&sql);
    buffer_deinit(&answer);
    return error;
}

static err take_events(struct retaining *run, const char *condition)
{
    struct privacy *privacy = run->privacy;
    err error = imports_expire(privacy->imports, run->number, condition, run->place,
                               &run->counts[RETENTION_EVENTS], stops, run, run->problem);
    if (error == ERR_OK)
        error = warehouse_delete_events(engine_warehouse(privacy->engine), str_from_c(condition),
                                        QUERY_MS, run->problem);
    return error == ERR_OK ? rows_wait_for_parts(privacy, run->problem) : error;
}

static err drop_events(struct retaining *run)
{
    struct buffer condition;
    err error = ERR_OK;
    if (engine_warehouse(run->privacy->engine) == NULL || run->privacy->imports == NULL)
        return ERR_OK;
    buffer_init(&condition, (size_t)1 << 20);
    bool any = retention_write_condition(run->policy, run->at_ms, run->seq, &condition);
    buffer_append_byte(&condition, 0);
    if (any && (error = buffer_status(&condition)) == ERR_OK)
        error = run->dry ? count_events(run, condition.data) : take_events(run, condition.data);
    buffer_deinit(&condition);
    return error;
}

/* ---- files, the log ---- */

static bool is_export(str name)
{
    return str_starts_with(name, STR("e")) &&
           (str_ends_with(name, STR(".csv")) || str_ends_with(name, STR(".jsonl")) ||
            str_ends_with(name, STR(".json")));
}

static bool is_upload(str name)
{
    return name.size > 0 && name.data[0] != '.';
}

/* By the clock of the disk. A file and what describes it count as one. */
static err drop_files(struct retaining *run, enum retention_kind kind, const char *below,
                      bool (*is_ours)(str name), const char *counted)
{
    char folder[PRIVACY_PATH_BYTES];
    struct dirent *entry;
    struct stat status;
    int64_t days = retention_days(run->policy, kind);
    snprintf(folder, sizeof folder, "%.900s/%s", run->privacy->folder, below);
    DIR *entries = days > 0 ? opendir(folder) : NULL;
    err error = ERR_OK;
    while (error == ERR_OK && entries != NULL && (entry = readdir(entries)) != NULL) {
        str name = str_from_c(entry->d_name);
        if (!is_ours(name) || fstatat(dirfd(entries), entry->d_name, &status, 0) != 0 ||
            file_age_seconds(status.st_mtime) < days * (DAY_MS / 1000))
            continue;
        run->counts[kind] += !str_ends_with(name, str_from_c(counted));
        if (!run->dry && unlinkat(dirfd(entries), entry->d_name, 0) != 0 && errno != ENOENT)
            error = problem_set(run->problem, ERR_IO, "cannot remove '%s/%s': %s", folder,
                                entry->d_name, strerror(errno));
    }
    if (entries != NULL)
        closedir(entries);
    return error;
}

static err drop_exports(struct retaining *run)
{
    return drop_files(run, RETENTION_EXPORTS, "exports", is_export, ".json");
}

static err drop_uploads(struct retaining *run)
{
    return drop_files(run, RETENTION_UPLOADS, "imports/uploads", is_upload, ".json");
}

/* Records of blocks that are older: the first that is not, by halving. */
static err count_log(struct retaining *run)
{
    struct log *log = engine_log(run->privacy->engine);
    uint64_t first = log_first_seq(log), low = first, high = log_last_seq(log);
    int64_t before_ms = before_of(run, RETENTION_LOG);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct log_block *block = NULL;
        if (log_read(log, middle, &block, NULL) != ERR_OK)
            break; /* it was cut meanwhile */
        bool old = block->received_ms < before_ms;
        uint64_t next = block->first_seq + block->count;
        log_block_release(&block);
        if (old)
            low = next < high ? next : high;
        else
            high = middle;
    }
    run->counts[RETENTION_LOG] = low - first;
    return ERR_OK;
}

/* What is too old is cut within a minute by who keeps it (engine/keep.c), as far as ledger and warehouse are past it. */
static err drop_log(struct retaining *run)
{
    if (!run->dry)
        log_keep(engine_log(run->privacy->engine),
                 retention_days(run->policy, RETENTION_LOG) * DAY_MS);
    return count_log(run);
}
static err (*const droppers[RETENTION_COUNT])(struct retaining *run) = {
    [RETENTION_LOG] = drop_log,         [RETENTION_QUARANTINE] = drop_quarantine,
    [RETENTION_EVENTS] = drop_events,   [RETENTION_VISITORS] = drop_visitors,
    [RETENTION_TOUCHES] = drop_touches, [RETENTION_EXPORTS] = drop_exports,
    [RETENTION_UPLOADS] = drop_uploads, [RETENTION_AUDIT] = drop_audit,
};

err too_old_take(struct retaining *run, enum retention_kind kind)
{
    return privacy_stops(run->privacy) ? ERR_UNAVAILABLE : droppers[kind](run);
}
