/* SPDX-License-Identifier: Apache-2.0 */
/* sinks: what is shown of them; their threads are runners. */
#include <stdio.h>
#include <string.h>

#include "engine/setting.h"
#include "feed/outside.h"

#define ARENA_BYTES ((size_t)1 << 20)

static const char *const state_names[] = {
    [SINK_PAUSED] = "paused",   [SINK_CONNECTING] = "connecting", [SINK_RUNNING] = "running",
    [SINK_FAILING] = "failing", [SINK_WAITING] = "waiting",
};

/* ---- opening and closing ---- */

static void init_sink(struct runner *runner)
{
    struct sink_run *run = (struct sink_run *)runner;
    run->sinks = runner->runners->config.context;
    run->progress.state = SINK_CONNECTING;
}

err sinks_open(struct sinks **opened, const struct sinks_config *config, struct problem *problem)
{
    struct sinks *sinks = memory_alloc(sizeof *sinks);
    if (sinks == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for sinks");
    *sinks = (struct sinks){ .config = *config };
    const struct runners_config runners = { .engine = config->engine,
                                            .prefix = SINK_SETTING,
                                            .name = "kith-sinks",
                                            .bytes = sizeof(struct sink_run),
                                            .init = init_sink,
                                            .run = sink_run,
                                            .context = sinks };
    err error = runners_open(&sinks->runners, &runners, problem);
    if (error != ERR_OK)
        sinks_close(&sinks);
    *opened = sinks;
    return error;
}

void sinks_close(struct sinks **closed)
{
    struct sinks *sinks = *closed;
    *closed = NULL;
    if (sinks == NULL)
        return;
    runners_close(&sinks->runners);
    memory_free(sinks);
}

void sinks_wake(struct sinks *sinks)
{
    runners_wake(&sinks->runners);
}

/* ---- showing ---- */

static struct sink_progress progress_of(struct sinks *sinks, const struct sink_setting *setting)
{
    bool may_act = log_may_act(engine_log(sinks->config.engine));
    struct sink_progress progress = { .state = setting->paused ? SINK_PAUSED
                                               : may_act       ? SINK_CONNECTING
                                                               : SINK_WAITING };
    pthread_mutex_lock(&sinks->runners.mutex);
    struct sink_run *run = (struct sink_run *)runners_find(&sinks->runners, setting->key);
    if (run != NULL) {
        pthread_mutex_lock(&run->runner.mutex);
        progress = run->progress;
        pthread_mutex_unlock(&run->runner.mutex);
    }
    pthread_mutex_unlock(&sinks->runners.mutex);
    return progress;
}

static void put_time(struct json_writer *writer, str name, int64_t time_ms)
{
    json_put_key(writer, name);
    if (time_ms > 0)
        json_put_time(writer, time_ms);
    else
        json_put_null(writer);
}

static void write_progress(struct sinks *sinks, const struct sink_setting *setting,
                           struct json_writer *writer)
{
    struct sink_progress progress = progress_of(sinks, setting);
    struct news_standing standing;
    bool stands = news_standing(sinks->config.engine, setting->key, &standing) == ERR_OK;
    json_member_text(writer, STR("state"), str_from_c(state_names[progress.state]));
    json_member_text(writer, STR("problem"), str_from_c(progress.problem));
    json_member_int(writer, STR("messages"), (int64_t)progress.messages);
    json_member_int(writer, STR("skipped"), (int64_t)progress.skipped);
    json_member_int(writer, STR("lost"), (int64_t)standing.lost);
    json_member_int(writer, STR("sequence"), stands ? (int64_t)standing.next - 1 : 0);
    json_member_int(writer, STR("behind"),
                    stands ? (int64_t)(standing.last + 1 - standing.next) : 0);
    put_time(writer, STR("waiting_since"), standing.oldest_ms);
    put_time(writer, STR("last_at"), progress.last_ms);
}

struct showing {
    struct sinks *sinks;
    struct json_writer *writer;
    struct arena arena;
};

static bool show_setting(void *context, str key)
{
    struct showing *showing = context;
    struct sink_setting setting;
    struct problem unused;
    arena_reset(&showing->arena);
    if (sink_setting_load(showing->sinks, key, &showing->arena, &setting, &unused) != ERR_OK)
        return false; /* forgotten, or sealed by keys that are gone */
    json_begin_object(showing->writer);
    json_member_text(showing->writer, STR("key"), key);
    sink_setting_write(&setting, showing->writer);
    write_progress(showing->sinks, &setting, showing->writer);
    json_end_object(showing->writer);
    return true;
}

err sinks_write(struct sinks *sinks, str key, struct json_writer *writer, struct problem *problem)
{
    struct showing showing = { .sinks = sinks, .writer = writer };
    arena_init(&showing.arena, "sink_setting", ARENA_BYTES);
    err error = setting_each(sinks->config.engine, SINK_SETTING, key, "sink", show_setting,
                             &showing, problem);
    arena_deinit(&showing.arena);
    return error;
}

/* ---- metrics ---- */

#define METRIC_SINKS_MAX 64

static bool is_running(struct sinks *sinks, str key)
{
    pthread_mutex_lock(&sinks->runners.mutex);
    struct sink_run *run = (struct sink_run *)runners_find(&sinks->runners, key);
    bool runs = run != NULL;
    if (runs) {
        pthread_mutex_lock(&run->runner.mutex);
        runs = run->progress.state == SINK_RUNNING;
        pthread_mutex_unlock(&run->runner.mutex);
    }
    pthread_mutex_unlock(&sinks->runners.mutex);
    return runs;
}

static void begin_family(const char *name, const char *kind, const char *help, struct buffer *out)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

void sinks_write_metrics(struct sinks *sinks, struct buffer *out)
{
    struct news_standing standings[METRIC_SINKS_MAX];
    size_t count = news_standings(sinks->config.engine, standings, METRIC_SINKS_MAX);
    if (count == 0)
        return;
    begin_family("kith_sink_behind", "gauge", "news that this sink still waits to tell", out);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "kith_sink_behind{sink=\"%s\"} %llu\n", standings[i].sink,
                      (unsigned long long)(standings[i].last + 1 - standings[i].next));
    begin_family("kith_sink_lost_total", "counter", "news that waited longer than its hold", out);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "kith_sink_lost_total{sink=\"%s\"} %llu\n", standings[i].sink,
                      (unsigned long long)standings[i].lost);
    begin_family("kith_sink_running", "gauge", "1 while the brokers take its news", out);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "kith_sink_running{sink=\"%s\"} %d\n", standings[i].sink,
                      is_running(sinks, str_from_c(standings[i].sink)));
}
