/* SPDX-License-Identifier: Apache-2.0 */
/* How the server is: health, metrics, figures, clock, settings. */
#include <stdio.h>

#include "base/metric.h"
#include "feed/feed.h"
#include "feed/sink.h"
#include "imports/imports.h"
#include "server/access_rules.h"
#include "server/answer.h"
#include "server/figures/figures.h"
#include "server/scope/scope.h"
#include "server/sensitive.h"
#include "server/shards.h"
#include "server/standing.h"
#include "server/views.h"

err route_openapi_get(struct request *request, struct problem *problem)
{
    (void)problem;
    request->static_body = server_openapi();
    request->cache_control = "no-cache";
    return ERR_OK;
}

err route_health_get(struct request *request, struct problem *problem)
{
    (void)problem;
    buffer_append_str(&request->out, STR("{\"status\":\"ok\"}"));
    return ERR_OK;
}

/* Ready: events are taken, commands are committed, and what was durable is applied. The warehouse may
 * be away: what it has not yet is in memory. What of it is missing is told. */
err route_ready_get(struct request *request, struct problem *problem)
{
    struct engine_status status;
    engine_status(request->server->engine, &status);
    if (atomic_load(&request->server->draining))
        return problem_set(problem, ERR_UNAVAILABLE, "the server is stopping");
    if (status.failing[0] != '\0')
        return problem_set(problem, ERR_UNAVAILABLE, "%s", status.failing);
    if (status.ledger_failing)
        return problem_set(problem, ERR_UNAVAILABLE, "the ledger does not commit");
    err error = standing_check(request, &status, problem);
    if (error != ERR_OK)
        return error;
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("status"), STR("ok"));
    standing_members(request, &writer);
    shards_write_missing(&writer, engine_warehouse(request->server->engine));
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- metrics ---- */

static void write_gauge(struct buffer *out, const char *name, const char *help, uint64_t value)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
                  (unsigned long long)value);
}

static void write_arena(void *context, const char *name, size_t used_bytes)
{
    buffer_printf(context, "kith_arena_bytes{arena=\"%s\"} %zu\n", name, used_bytes);
}

static void write_engine(struct buffer *out, const struct engine_status *status)
{
    write_gauge(out, "kith_log_last_seq", "last durable record", status->log_last_seq);
    write_gauge(out, "kith_applied_seq", "last applied record", status->applied_seq);
    write_gauge(out, "kith_committed_seq", "last committed record", status->committed_seq);
    write_gauge(out, "kith_flushed_seq", "last record in the warehouse", status->flushed_seq);
    write_gauge(out, "kith_ledger_pending_bytes", "handed to the ledger, not committed",
                status->pending_bytes);
    write_gauge(out, "kith_identity_bytes", "memory of identifiers and customers",
                status->identity_bytes);
    write_gauge(out, "kith_profile_bytes", "memory of traits and orders", status->profile_bytes);
    write_gauge(out, "kith_history_bytes", "memory of what customers did", status->history_bytes);
    write_gauge(out, "kith_tail_bytes", "events that the warehouse may not have",
                status->tail_bytes);
    write_gauge(out, "kith_warehouse_ready", "1 when the warehouse answers",
                status->warehouse_ready);
    write_gauge(out, "kith_ledger_failing", "1 while commits are being retried",
                status->ledger_failing);
}

static void write_process(struct buffer *out)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long long size = 0, resident = 0;
    if (file == NULL)
        return;
    if (fscanf(file, "%llu %llu", &size, &resident) == 2)
        write_gauge(out, "process_resident_memory_bytes", "resident memory", resident * 4096);
    fclose(file);
}

/* Asked by this machine itself, not for somebody else; or with a token that sees the whole. */
static bool is_from_inside(struct request *request)
{
    struct problem problem = { .error = ERR_OK };
    bool is_local = str_starts_with(request->client_address, STR("127.")) ||
                    str_equal(request->client_address, STR("::1"));
    bool has_token = request->headers.authorization.size > 0 || request->headers.cookie.size > 0;
    if (has_token)
        return auth_identify(request, &problem) == ERR_OK && !scope_is_part(request) &&
               permissions_hold(&request->actor.permissions, PERMISSION_SYSTEM_SEE);
    return is_local && request->headers.forwarded_for.size == 0;
}

static err write_alive(struct request *request)
{
    write_gauge(&request->out, "kith_up", "the server answers", 1);
    request->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return ERR_OK;
}

err route_metrics_get(struct request *request, struct problem *problem)
{
    struct server *server = request->server;
    struct engine_status status;
    (void)problem;
    engine_status(server->engine, &status);
    metric_set(METRIC_ENGINE_LAG, (int64_t)status.lag_records);
    metric_set(METRIC_FLUSH_LAG, (int64_t)status.unflushed_rows);
    metric_set(METRIC_CUSTOMERS, status.customers);
    metric_set(METRIC_IDENTIFIERS, status.identifiers);
    metric_set(METRIC_MESSAGE_KEYS, (int64_t)status.message_keys);
    if (!is_from_inside(request)) /* what is counted below is counted of everybody */
        return write_alive(request);
    metric_write_prometheus(&request->out);
    write_engine(&request->out, &status);
    shards_write_metrics(&request->out, engine_warehouse(server->engine));
    if (server->config.feeds != NULL)
        feeds_write_metrics(server->config.feeds, &request->out);
    if (server->config.sinks != NULL)
        sinks_write_metrics(server->config.sinks, &request->out);
    write_gauge(&request->out, "kith_http_connections", "open connections",
                atomic_load(&server->connection_count));
    write_gauge(&request->out, "kith_http_in_flight", "requests being worked on",
                atomic_load(&server->in_flight));
    write_gauge(&request->out, "kith_http_in_flight_bytes", "their bodies and records",
                atomic_load(&server->in_flight_bytes));
    write_gauge(&request->out, "kith_http_streams", "open streams of live events",
                live_stream_count(server));
    standing_metrics(request);
    write_process(&request->out);
    buffer_append_str(&request->out, STR("# HELP kith_arena_bytes memory of arenas by name\n"
                                         "# TYPE kith_arena_bytes gauge\n"));
    arena_visit_usage(write_arena, &request->out);
    request->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return ERR_OK;
}

/* ---- system and overview ---- */

static void write_seqs(struct json_writer *writer, struct server *server,
                       const struct engine_status *status)
{
    struct log *log = server != NULL ? engine_log(server->engine) : NULL;
    json_put_key(writer, STR("log"));
    json_begin_object(writer);
    json_member_int(writer, STR("first_seq"), log != NULL ? (int64_t)log_first_seq(log) : 0);
    json_member_int(writer, STR("last_seq"), (int64_t)status->log_last_seq);
    json_member_int(writer, STR("bytes"), log != NULL ? log_bytes(log) : 0);
    json_end_object(writer);
    json_put_key(writer, STR("engine"));
    json_begin_object(writer);
    json_member_int(writer, STR("applied_seq"), (int64_t)status->applied_seq);
    json_member_int(writer, STR("committed_seq"), (int64_t)status->committed_seq);
    json_member_int(writer, STR("flushed_seq"), (int64_t)status->flushed_seq);
    json_member_int(writer, STR("lag"), (int64_t)status->lag_records);
    json_end_object(writer);
    json_put_key(writer, STR("warehouse"));
    json_begin_object(writer);
    json_member_bool(writer, STR("ready"), status->warehouse_ready);
    json_member_int(writer, STR("unflushed_rows"), (int64_t)status->unflushed_rows);
    shards_write_list(writer, server != NULL ? engine_warehouse(server->engine) : NULL);
    json_end_object(writer);
}

static void write_memory_row(struct json_writer *writer, const char *name, size_t bytes)
{
    json_begin_object(writer);
    json_member_text(writer, STR("name"), str_from_c(name));
    json_member_int(writer, STR("bytes"), (int64_t)bytes);
    json_end_object(writer);
}

static void write_arena_row(void *context, const char *name, size_t used_bytes)
{
    write_memory_row(context, name, used_bytes);
}

static void write_memory(struct json_writer *writer, const struct engine_status *status)
{
    json_put_key(writer, STR("memory"));
    json_begin_array(writer);
    if (status != NULL) {
        write_memory_row(writer, "identity", status->identity_bytes);
        write_memory_row(writer, "profile", status->profile_bytes);
        write_memory_row(writer, "history", status->history_bytes);
        write_memory_row(writer, "tail", status->tail_bytes);
        arena_visit_usage(write_arena_row, writer);
    }
    json_end_array(writer);
}

/* As /readyz says it. */
static void write_failing(struct request *request, const struct engine_status *status,
                          struct json_writer *writer)
{
    struct problem away = { .error = ERR_OK };
    const char *failing = status->failing;
    if (failing[0] == '\0' && status->ledger_failing)
        failing = "the ledger does not commit";
    else if (failing[0] == '\0' && request->scope == NULL &&
             standing_check(request, status, &away) != ERR_OK)
        failing = away.detail;
    json_member_text(writer, STR("failing"), str_from_c(failing));
}

err route_system_get(struct request *request, struct problem *problem)
{
    struct server *server = request->server;
    struct engine_status status;
    struct json_writer writer;
    (void)problem;
    engine_status(server->engine, &status);
    if (request->scope != NULL) /* it counts everybody */
        status = (struct engine_status){ .warehouse_ready = status.warehouse_ready };
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("version"), str_from_c(server->config.version));
    json_member_time(&writer, STR("started_at"), server->started_ms);
    json_member_time(&writer, STR("as_of"), server_as_of_ms(server));
    write_seqs(&writer, request->scope == NULL ? server : NULL, &status);
    write_memory(&writer, request->scope == NULL ? &status : NULL);
    json_put_key(&writer, STR("counts"));
    json_begin_object(&writer);
    json_member_int(&writer, STR("customers"), status.customers);
    json_member_int(&writer, STR("identifiers"), status.identifiers);
    json_member_int(&writer, STR("events"), (int64_t)status.events);
    json_member_int(&writer, STR("duplicates"), (int64_t)status.duplicates);
    json_member_int(&writer, STR("quarantined"), (int64_t)status.quarantined);
    json_end_object(&writer);
    write_failing(request, &status, &writer);
    json_end_object(&writer);
    return ERR_OK;
}

/* Of who sees a part: how many she sees. The sums are of everybody's events: none of them. */
static err write_part(struct request *request)
{
    struct json_writer writer;
    static const char *const none[] = { "identified",        "identifiers", "events",
                                        "events_per_second", "quarantined", "merges_today",
                                        "refusals_open" };
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_time(&writer, STR("as_of"), server_as_of_ms(request->server));
    json_member_int(&writer, STR("customers"), (int64_t)scope_customer_count(request));
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        json_member_int(&writer, str_from_c(none[i]), 0);
    json_member_raw(&writer, STR("by_hour"), STR("[]"));
    json_member_raw(&writer, STR("by_channel"), STR("[]"));
    json_member_bool(&writer, STR("partial"), false);
    json_member_bool(&writer, STR("withheld"), true);
    json_end_object(&writer);
    return ERR_OK;
}

err route_overview_get(struct request *request, struct problem *problem)
{
    struct server *server = request->server;
    struct engine_status status;
    struct json_writer writer;
    (void)problem;
    if (request->scope != NULL)
        return write_part(request);
    engine_status(server->engine, &status);
    struct open_counts counts = figures_open_counts(server);
    uint64_t identified = figures_identified(server);
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_time(&writer, STR("as_of"), server_as_of_ms(server));
    json_member_int(&writer, STR("customers"), status.customers);
    json_member_int(&writer, STR("identified"), (int64_t)identified);
    json_member_int(&writer, STR("identifiers"), status.identifiers);
    json_member_int(&writer, STR("events"), (int64_t)status.events);
    json_put_key(&writer, STR("events_per_second"));
    json_put_double(&writer, figures_events_per_second(server));
    json_member_int(&writer, STR("quarantined"), counts.quarantine_waiting);
    json_member_int(&writer, STR("merges_today"), counts.merges_today);
    json_member_int(&writer, STR("refusals_open"), counts.refusals_open);
    figures_write_overview(server, &writer);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- the virtual clock ---- */

#define ADVANCE_MS_MAX (3660 * DAY_MS)

err route_clock_advance(struct request *request, struct problem *problem)
{
    struct server *server = request->server;
    str advance = json_text(json_get(request->json, STR("advance")));
    int64_t by_ms;
    if (!server->config.clock->is_virtual) {
        problem_set(problem, ERR_CONFLICT, "the clock is the real one");
        return problem_hint(problem, ERR_CONFLICT, "start the server with --virtual-clock");
    }
    if (!duration_parse(advance, &by_ms) || by_ms < 0 || by_ms > ADVANCE_MS_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "advance is a duration such as 3d, 12h, 30m, 90s");
        return problem_at(problem, ERR_UNPROCESSABLE, "/advance");
    }
    err error = engine_advance(server->engine, by_ms);
    if (error != ERR_OK)
        return problem_set(problem, error, "the clock was moved, the engine was not told");
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_time(&writer, STR("now"), server_now_ms(server));
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- settings ---- */

struct setting_page {
    struct json_writer *writer;
    bool found;
};

/* Buckets and single sign-on have routes of their own, which show no secret; views are somebody's. */
static bool is_apart(str key)
{
    return str_starts_with(key, STR(IMPORTS_BUCKET_SETTING)) ||
           str_starts_with(key, STR(FEED_SETTING)) || str_starts_with(key, STR(SINK_SETTING)) ||
           str_starts_with(key, STR(SETTING_VIEW_PREFIX)) ||
           str_equal(key, STR(SETTING_SENSITIVE_TRAITS)) ||
           str_equal(key, STR(SETTING_SINGLE_SIGN_ON));
}

static bool visit_setting(void *context, const struct ledger_value *values)
{
    struct setting_page *page = context;
    if (is_apart(values[0].bytes))
        return true;
    json_begin_object(page->writer);
    json_member_text(page->writer, STR("key"), values[0].bytes);
    json_member_raw(page->writer, STR("value"), values[1].bytes);
    json_end_object(page->writer);
    page->found = true;
    return true;
}

err route_setting_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct setting_page page = { .writer = &writer };
    answer_list_begin(request, &writer);
    err error = ledger_scan(server_ledger(request->server), LEDGER_SETTINGS, NULL, visit_setting,
                            &page, problem);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_setting_get(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct setting_page page = { .writer = &writer };
    struct ledger_value key = ledger_text(request->parameters[0]);
    json_writer_init(&writer, &request->out);
    err error = ledger_find(server_ledger(request->server), LEDGER_SETTINGS, &key, 1, visit_setting,
                            &page, problem);
    if (error == ERR_OK && !page.found)
        error = problem_set(problem, ERR_NOT_FOUND, "the setting '%.*s' was never made",
                            (int)str_utf8_prefix_bytes(request->parameters[0], 60),
                            request->parameters[0].data);
    return error;
}

err route_setting_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    if (json_kind(json_get(request->json, STR("value"))) == JSON_MISSING) {
        problem_set(problem, ERR_UNPROCESSABLE, "a setting needs 'value'");
        return problem_at(problem, ERR_UNPROCESSABLE, "/value");
    }
    str key = request->parameters[0];
    json_value value = json_get(request->json, STR("value"));
    if (is_apart(key)) {
        problem_set(problem, ERR_UNPROCESSABLE, "this is no plain setting");
        return problem_hint(
            problem, ERR_UNPROCESSABLE,
            "PUT /api/v1/imports/buckets/{key}, /api/v1/feeds/{key}, /api/v1/sinks/{key}, "
            "/api/v1/views/{key}, or "
            "/api/v1/single-sign-on");
    }
    err error = workspace_check_setting(key, value, problem);
    if (error == ERR_OK)
        error = access_rules_check(key, value, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), key);
    command_body_copy(&body, request, "value");
    error = answer_command(request, "setting.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = workspace_setting_changed(request->server, key, value, problem);
    if (error == ERR_OK)
        access_rules_changed(request->server, key, value);
    return error == ERR_OK ? route_setting_get(request, problem) : error;
}
