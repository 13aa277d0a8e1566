/* SPDX-License-Identifier: Apache-2.0 */
/* retention: what is too old goes, kind by kind; see engine/retention.h for what apply does of it.
 *
 *     due (twice a day), or asked for ─▶ retention.begin
 *         quarantine, touches, audit     looked up in the ledger, named, removed in apply       (too_old.c)
 *         visitors                       named, erased in apply; the erasures' own round brings that to its end
 *         events                         src/imports/retract.c; then their rows leave the warehouse, and the parts their folder
 *         exports, uploads               files; the log is cut by its own keeper, which is told the days
 *     ─▶ retention.finish
 *
 * Each step may be done again: a run that was interrupted goes on where its row says, with the rules it began with. */
#include <stdio.h>

#include "base/clock.h"
#include "base/logline.h"
#include "privacy/too_old.h"

#define EVERY_MS (12 * HOUR_MS)

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

static err run_all(struct retaining *run)
{
    err error = ERR_OK;
    for (int kind = 0; kind < RETENTION_COUNT && error == ERR_OK; kind++) {
        if (!run->dry)
            atomic_store(&run->privacy->retaining, kind + 1);
        error = too_old_take(run, (enum retention_kind)kind);
    }
    if (!run->dry)
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
