/* SPDX-License-Identifier: Apache-2.0 */
/* retention: what is too old goes, kind by kind; see engine/retention.h for what apply does of it.
 *
 *     due (twice a day), or asked for ─▶ retention.begin
 *         quarantine, touches, audit     looked up in the ledger, named, removed in apply
 *         visitors                       named, erased in apply; the erasures' own round brings that to its end
 *         events                         src/imports/retract.c; then their rows leave the warehouse, and the parts their folder
 *         exports, uploads               files; the log is cut by its own keeper, which is told the days
 *     ─▶ retention.finish
 *
 * Each step may be done again: a run that was interrupted goes on where its row says, with the rules it began with. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/logline.h"
#include "privacy/inside.h"
#include "store/events.h"

#define EVERY_MS (12 * HOUR_MS)
#define IDS_A_STEP 1000
#define VISITORS_A_STEP 500
#define TOUCHES_A_STEP 500
#define NODES_A_LOOK 20000
#define QUERY_MS (30 * MINUTE_MS)
#define SETTLE_MS (10 * MINUTE_MS)

/* ---- what the ledger says ---- */

struct reading {
    struct buffer policy, counts;
    uint32_t number, user_number;
    int64_t at_ms, finished_ms, put_ms;
    uint64_t seq, place;
    bool is_running;
};

static bool take_policy(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    buffer_append_str(&reading->policy, values[1].bytes);
    return false;
}

/* number at_ms seq user_number state rules cut_seq place counts finished_ms: the newest. */
static bool take_run(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    reading->number = (uint32_t)values[0].integer;
    reading->at_ms = values[1].integer;
    reading->seq = (uint64_t)values[2].integer;
    reading->user_number = (uint32_t)values[3].integer;
    reading->is_running = str_equal(values[4].bytes, STR("running"));
    reading->place = (uint64_t)values[7].integer;
    reading->finished_ms = values[9].integer;
    buffer_append_str(&reading->counts, values[8].bytes);
    if (!reading->is_running)
        return false;
    buffer_clear(&reading->policy);
    buffer_append_str(&reading->policy, values[5].bytes);
    return false;
}

static void reading_init(struct reading *reading)
{
    *reading = (struct reading){ .number = 0 };
    buffer_init(&reading->policy, (size_t)1 << 20);
    buffer_init(&reading->counts, 65536);
}

static void reading_deinit(struct reading *reading)
{
    buffer_deinit(&reading->policy);
    buffer_deinit(&reading->counts);
}

/* The policy as it is, and the newest run; of one under way, the policy it began with. */
static err read_ledger(struct privacy *privacy, struct reading *reading, struct problem *problem)
{
    struct ledger *ledger = engine_ledger(privacy->engine);
    struct ledger_value key = ledger_text(STR(RETENTION_SETTING));
    err error = ledger_find(ledger, LEDGER_SETTINGS, &key, 1, take_policy, reading, problem);
    if (error == ERR_OK && reading->policy.size == 0)
        buffer_append_str(&reading->policy, STR("{}"));
    if (error == ERR_OK)
        error =
            ledger_page(ledger, LEDGER_RETENTION_RUNS, NULL, true, 1, take_run, reading, problem);
    return error == ERR_OK ? buffer_status(&reading->policy) : error;
}

/* ---- a run ---- */

struct retaining {
    struct privacy *privacy;
    struct problem *problem;
    struct json_parser *parser;
    json_value policy;
    uint32_t number;
    int64_t at_ms; /* as of when it is judged what is too old */
    uint64_t seq, place;
    bool dry;
    uint64_t counts[RETENTION_COUNT];
    struct buffer types; /* dry: what goes of events, {type: count} */
    uint64_t ids[IDS_A_STEP];
    size_t id_count;
    err error;
};

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
                   IDS_A_STEP);
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
    uint32_t nodes[IDS_A_STEP];
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
    if (away->count == IDS_A_STEP)
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
            time(NULL) - status.st_mtime < days * (DAY_MS / 1000))
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
    log_keep(engine_log(run->privacy->engine), retention_days(run->policy, RETENTION_LOG) * DAY_MS);
    return count_log(run);
}

/* ---- all of it ---- */

static err (*const droppers[RETENTION_COUNT])(struct retaining *run) = {
    [RETENTION_LOG] = drop_log,         [RETENTION_QUARANTINE] = drop_quarantine,
    [RETENTION_EVENTS] = drop_events,   [RETENTION_VISITORS] = drop_visitors,
    [RETENTION_TOUCHES] = drop_touches, [RETENTION_EXPORTS] = drop_exports,
    [RETENTION_UPLOADS] = drop_uploads, [RETENTION_AUDIT] = drop_audit,
};

static err run_all(struct retaining *run)
{
    err error = ERR_OK;
    for (int kind = 0; kind < RETENTION_COUNT && error == ERR_OK; kind++) {
        if (run->dry && kind == RETENTION_LOG) {
            error = count_log(run);
            continue;
        }
        atomic_store(&run->privacy->retaining, run->dry ? 0 : kind + 1);
        error = privacy_stops(run->privacy) ? ERR_UNAVAILABLE : droppers[kind](run);
    }
    atomic_store(&run->privacy->retaining, 0);
    return error;
}

static err finish(struct retaining *run)
{
    char body[200];
    int size = snprintf(body, sizeof body,
                        "{\"number\":%u,\"log\":%llu,\"exports\":%llu,\"uploads\":%llu}",
                        run->number, (unsigned long long)run->counts[RETENTION_LOG],
                        (unsigned long long)run->counts[RETENTION_EXPORTS],
                        (unsigned long long)run->counts[RETENTION_UPLOADS]);
    return privacy_command(run->privacy, "retention.finish", str_from_bytes(body, (size_t)size),
                           NULL, run->problem);
}

static err run_init(struct retaining *run, struct privacy *privacy, const struct reading *reading,
                    struct problem *problem)
{
    *run = (struct retaining){ .privacy = privacy,
                               .problem = problem,
                               .number = reading->number,
                               .at_ms = reading->at_ms,
                               .seq = reading->seq,
                               .place = reading->place };
    buffer_init(&run->types, (size_t)1 << 20);
    err error = json_parser_new(&run->parser, (size_t)1 << 20);
    if (error == ERR_OK)
        error = json_parse(run->parser, buffer_str(&reading->policy), &run->policy, problem);
    return error;
}

static void run_deinit(struct retaining *run)
{
    json_parser_free(&run->parser);
    buffer_deinit(&run->types);
}

static err begin(struct privacy *privacy, const struct reading *reading, struct problem *problem)
{
    struct buffer body;
    buffer_init(&body, (size_t)1 << 20);
    buffer_printf(&body, "{\"policy\":" STR_FMT "}", STR_ARG(buffer_str(&reading->policy)));
    err error = buffer_status(&body);
    if (error == ERR_OK)
        error = privacy_command(privacy, "retention.begin", buffer_str(&body), NULL, problem);
    buffer_deinit(&body);
    return error == ERR_CONFLICT ? ERR_OK : error;
}

static void tell_now(const struct engine_state *state, struct engine_question *question)
{
    *(int64_t *)question->context = state->now_ms;
}

static err ask_now(struct privacy *privacy, int64_t *now_ms)
{
    struct engine_question question = { .ask = tell_now, .context = now_ms };
    return engine_ask_wait(privacy->engine, &question);
}

static err go_on(struct privacy *privacy, const struct reading *reading, struct problem *problem)
{
    struct retaining *run = memory_alloc(sizeof *run);
    steady_ns start = steady_now();
    if (run == NULL)
        return ERR_NOMEM;
    err error = run_init(run, privacy, reading, problem);
    if (error == ERR_OK)
        error = run_all(run);
    if (error == ERR_OK)
        error = finish(run);
    if (error == ERR_OK)
        log_line(LOG_INFO, "retention_done", "run=t%u events=%llu visitors=%llu ms=%lld",
                 run->number, (unsigned long long)run->counts[RETENTION_EVENTS],
                 (unsigned long long)run->counts[RETENTION_VISITORS],
                 (long long)steady_since_ms(start));
    run_deinit(run);
    memory_free(run);
    return error;
}

/* The setting as it is, for the log's keeper; and since when it is so. */
static err keep_log(struct privacy *privacy, struct reading *reading, struct problem *problem)
{
    json_value policy;
    struct json_parser *parser = NULL;
    err error = json_parser_new(&parser, (size_t)1 << 20);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&reading->policy), &policy, problem);
    if (error == ERR_OK && json_kind(json_get(policy, STR("log"))) == JSON_INT)
        log_keep(engine_log(privacy->engine), retention_days(policy, RETENTION_LOG) * DAY_MS);
    if (error == ERR_OK)
        reading->put_ms = json_int(json_get(policy, STR("at_ms")), 0);
    json_parser_free(&parser);
    return error;
}

/* Half a day after the last run, or after the policy was put: there is time to look at what would go. */
static bool is_due(const struct reading *reading, int64_t now_ms)
{
    int64_t last_ms = reading->number != 0 ? reading->at_ms : 0;
    last_ms = reading->put_ms > last_ms ? reading->put_ms : last_ms;
    return now_ms - last_ms >= EVERY_MS;
}

err retention_look(struct privacy *privacy, struct problem *problem)
{
    struct reading reading;
    int64_t now_ms = 0;
    reading_init(&reading);
    err error = read_ledger(privacy, &reading, problem);
    bool has_policy = error == ERR_OK && !str_equal(buffer_str(&reading.policy), STR("{}"));
    if (has_policy && !reading.is_running) {
        error = keep_log(privacy, &reading, problem);
        if (error == ERR_OK)
            error = ask_now(privacy, &now_ms);
        if (error == ERR_OK && is_due(&reading, now_ms)) {
            error = begin(privacy, &reading, problem);
            reading_deinit(&reading);
            reading_init(&reading);
            if (error == ERR_OK)
                error = read_ledger(privacy, &reading, problem);
        }
    }
    if (error == ERR_OK && reading.is_running)
        error = go_on(privacy, &reading, problem);
    reading_deinit(&reading);
    return error;
}

/* ---- for people ---- */

static void write_counts(const struct retaining *run, struct json_writer *writer)
{
    for (int kind = 0; kind < RETENTION_COUNT; kind++)
        json_member_int(writer, str_from_c(retention_kind_text((enum retention_kind)kind)),
                        (int64_t)run->counts[kind]);
}

err privacy_try_retention(struct privacy *privacy, json_value policy, struct json_writer *writer,
                          struct problem *problem)
{
    struct retaining *run = memory_alloc(sizeof *run);
    if (run == NULL)
        return ERR_NOMEM;
    *run = (struct retaining){
        .privacy = privacy, .problem = problem, .policy = policy, .dry = true, .seq = UINT64_MAX
    };
    buffer_init(&run->types, (size_t)1 << 20);
    buffer_append_byte(&run->types, '{');
    err error = ask_now(privacy, &run->at_ms);
    if (error == ERR_OK)
        error = run_all(run);
    buffer_append_byte(&run->types, '}');
    if (error == ERR_OK)
        error = buffer_status(&run->types);
    if (error == ERR_OK) {
        json_begin_object(writer);
        json_member_time(writer, STR("as_of"), run->at_ms);
        json_put_key(writer, STR("counts"));
        json_begin_object(writer);
        write_counts(run, writer);
        json_end_object(writer);
        json_member_raw(writer, STR("event_types"), buffer_str(&run->types));
        json_end_object(writer);
    }
    buffer_deinit(&run->types);
    memory_free(run);
    return error;
}

static void write_run(struct privacy *privacy, const struct reading *run,
                      struct json_writer *writer)
{
    char id[16];
    int stage = atomic_load(&privacy->retaining);
    snprintf(id, sizeof id, "t%u", run->number);
    json_begin_object(writer);
    json_member_text(writer, STR("id"), str_from_c(id));
    json_member_text(writer, STR("state"), run->is_running ? STR("running") : STR("finished"));
    if (run->is_running && stage > 0)
        json_member_text(writer, STR("stage"),
                         str_from_c(retention_kind_text((enum retention_kind)(stage - 1))));
    json_member_time(writer, STR("at"), run->at_ms);
    if (run->finished_ms != 0)
        json_member_time(writer, STR("finished_at"), run->finished_ms);
    json_member_int(writer, STR("user_number"), run->user_number);
    json_member_raw(writer, STR("counts"), buffer_str(&run->counts));
    json_end_object(writer);
}

err privacy_write_run(struct privacy *privacy, uint32_t number, struct buffer *out,
                      struct problem *problem)
{
    struct reading run;
    struct json_writer writer;
    struct ledger_value key = ledger_int(number);
    reading_init(&run);
    err error = ledger_find(engine_ledger(privacy->engine), LEDGER_RETENTION_RUNS, &key, 1,
                            take_run, &run, problem);
    if (error == ERR_OK && run.number == 0)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no run t%u", number);
    json_writer_init(&writer, out);
    if (error == ERR_OK)
        write_run(privacy, &run, &writer);
    reading_deinit(&run);
    return error;
}

static void write_kinds(struct json_writer *writer)
{
    json_put_key(writer, STR("kinds"));
    json_begin_array(writer);
    for (int i = 0; i < RETENTION_COUNT; i++) {
        enum retention_kind kind = (enum retention_kind)i;
        json_begin_object(writer);
        json_member_text(writer, STR("kind"), str_from_c(retention_kind_text(kind)));
        json_member_int(writer, STR("days_default"), retention_days_default(kind));
        json_member_int(writer, STR("days_least"), retention_days_least(kind));
        json_member_text(writer, STR("what"), str_from_c(retention_kind_what(kind)));
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* Of one that is under way, the policy it began with: what was said since counts from the next run on. */
err privacy_write_retention(struct privacy *privacy, struct buffer *out, struct problem *problem)
{
    struct reading reading;
    struct json_writer writer;
    json_value policy;
    struct json_parser *parser = NULL;
    struct ledger_value key = ledger_text(STR(RETENTION_SETTING));
    struct ledger *ledger = engine_ledger(privacy->engine);
    reading_init(&reading);
    err error =
        ledger_page(ledger, LEDGER_RETENTION_RUNS, NULL, true, 1, take_run, &reading, problem);
    buffer_clear(&reading.policy);
    if (error == ERR_OK)
        error = ledger_find(ledger, LEDGER_SETTINGS, &key, 1, take_policy, &reading, problem);
    if (reading.policy.size == 0)
        buffer_append_str(&reading.policy, STR("{}"));
    if (error == ERR_OK)
        error = json_parser_new(&parser, (size_t)1 << 20);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&reading.policy), &policy, problem);
    if (error == ERR_OK) {
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        json_put_key(&writer, STR("policy"));
        retention_write(policy, &writer);
        write_kinds(&writer);
        if (reading.number != 0) {
            json_put_key(&writer, STR("last_run"));
            write_run(privacy, &reading, &writer);
        }
        json_end_object(&writer);
    }
    json_parser_free(&parser);
    reading_deinit(&reading);
    return error;
}
