/* SPDX-License-Identifier: Apache-2.0 */
/* feeds: what is shown of them; their threads are runners. */
#include <stdio.h>
#include <string.h>

#include "engine/setting.h"
#include "feed/inside.h"

#define ARENA_BYTES ((size_t)256 << 10)

static const char *const state_names[] = {
    [FEED_PAUSED] = "paused",   [FEED_CONNECTING] = "connecting", [FEED_RUNNING] = "running",
    [FEED_FAILING] = "failing", [FEED_WAITING] = "waiting",
};

/* ---- opening and closing ---- */

static void init_feed(struct runner *runner)
{
    struct feed *feed = (struct feed *)runner;
    feed->feeds = runner->runners->config.context;
    feed->progress.state = FEED_CONNECTING;
    feed->progress.behind = -1;
}

err feeds_open(struct feeds **opened, const struct feeds_config *config, struct problem *problem)
{
    struct feeds *feeds = memory_alloc(sizeof *feeds);
    if (feeds == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for feeds");
    *feeds = (struct feeds){ .config = *config };
    if (feeds->config.zone_offset_seconds == 0)
        feeds->config.zone_offset_seconds = 8 * 3600;
    const struct runners_config runners = { .engine = config->engine,
                                            .prefix = FEED_SETTING,
                                            .name = "kith-feeds",
                                            .bytes = sizeof(struct feed),
                                            .init = init_feed,
                                            .run = feed_run,
                                            .context = feeds };
    err error = runners_open(&feeds->runners, &runners, problem);
    if (error != ERR_OK)
        feeds_close(&feeds);
    *opened = feeds;
    return error;
}

void feeds_close(struct feeds **closed)
{
    struct feeds *feeds = *closed;
    *closed = NULL;
    if (feeds == NULL)
        return;
    runners_close(&feeds->runners);
    memory_free(feeds);
}

void feeds_wake(struct feeds *feeds)
{
    runners_wake(&feeds->runners);
}

/* ---- showing ---- */

static void write_refused(const struct feed_progress *progress, struct json_writer *writer)
{
    json_put_key(writer, STR("last_refused"));
    json_begin_array(writer);
    for (uint32_t i = 1; i <= FEED_REFUSED_SHOWN; i++) { /* newest first */
        const struct feed_refused *refused =
            &progress->last_refused[(progress->refused_next - i) % FEED_REFUSED_SHOWN];
        if (i > progress->refused_next)
            break;
        json_begin_object(writer);
        json_member_text(writer, STR("topic"), str_from_c(refused->topic));
        json_member_int(writer, STR("partition"), refused->partition);
        json_member_int(writer, STR("offset"), refused->offset);
        json_member_text(writer, STR("reason"), str_from_c(refused->reason));
        json_member_time(writer, STR("at"), refused->at_ms);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_progress(struct feeds *feeds, const struct feed_setting *setting,
                           struct json_writer *writer)
{
    struct feed_progress progress = {
        .state = setting->paused                                 ? FEED_PAUSED
                 : log_may_act(engine_log(feeds->config.engine)) ? FEED_CONNECTING
                                                                 : FEED_WAITING,
        .behind = -1,
    };
    pthread_mutex_lock(&feeds->runners.mutex);
    struct feed *feed = (struct feed *)runners_find(&feeds->runners, setting->key);
    if (feed != NULL) {
        pthread_mutex_lock(&feed->runner.mutex);
        progress = feed->progress;
        pthread_mutex_unlock(&feed->runner.mutex);
    }
    pthread_mutex_unlock(&feeds->runners.mutex);
    json_member_text(writer, STR("state"), str_from_c(state_names[progress.state]));
    json_member_text(writer, STR("problem"), str_from_c(progress.problem));
    json_member_int(writer, STR("partitions"), progress.partitions);
    json_member_int(writer, STR("messages"), (int64_t)progress.messages);
    json_member_int(writer, STR("events"), (int64_t)progress.events);
    json_member_int(writer, STR("refused"), (int64_t)progress.refused);
    json_member_int(writer, STR("lost"), (int64_t)progress.lost);
    json_put_key(writer, STR("behind"));
    if (progress.behind >= 0)
        json_put_int(writer, progress.behind);
    else
        json_put_null(writer);
    json_put_key(writer, STR("last_at"));
    if (progress.last_ms > 0)
        json_put_time(writer, progress.last_ms);
    else
        json_put_null(writer);
    write_refused(&progress, writer);
}

struct showing {
    struct feeds *feeds;
    struct json_writer *writer;
    struct arena arena;
};

static bool show_setting(void *context, str key)
{
    struct showing *showing = context;
    struct feed_setting setting;
    struct problem unused;
    arena_reset(&showing->arena);
    if (feed_setting_load(showing->feeds, key, &showing->arena, &setting, &unused) != ERR_OK)
        return false; /* forgotten, or sealed by keys that are gone */
    json_begin_object(showing->writer);
    json_member_text(showing->writer, STR("key"), key);
    feed_setting_write(&setting, showing->writer);
    write_progress(showing->feeds, &setting, showing->writer);
    json_end_object(showing->writer);
    return true;
}

err feeds_write(struct feeds *feeds, str key, struct json_writer *writer, struct problem *problem)
{
    struct showing showing = { .feeds = feeds, .writer = writer };
    arena_init(&showing.arena, "feed_setting", ARENA_BYTES);
    err error = setting_each(feeds->config.engine, FEED_SETTING, key, "feed", show_setting,
                             &showing, problem);
    arena_deinit(&showing.arena);
    return error;
}

/* ---- metrics ---- */

static int64_t is_running(const struct feed_progress *progress)
{
    return progress->state == FEED_RUNNING;
}

static int64_t behind(const struct feed_progress *progress)
{
    return progress->behind;
}

static int64_t lost(const struct feed_progress *progress)
{
    return (int64_t)progress->lost;
}

static int64_t refused(const struct feed_progress *progress)
{
    return (int64_t)progress->refused;
}

static const struct family {
    const char *name, *kind, *help;
    int64_t (*value)(const struct feed_progress *progress); /* below 0: not known */
} families[] = {
    { "kith_feed_running", "gauge", "1 while the brokers give what they have", is_running },
    { "kith_feed_behind", "gauge", "messages that wait at the brokers", behind },
    { "kith_feed_lost_total", "counter", "messages that the brokers no longer had", lost },
    { "kith_feed_refused_total", "counter", "messages that could not be read", refused },
};

void feeds_write_metrics(struct feeds *feeds, struct buffer *out)
{
    pthread_mutex_lock(&feeds->runners.mutex);
    size_t count = feeds->runners.list != NULL ? sizeof families / sizeof *families : 0;
    for (size_t i = 0; i < count; i++) {
        const struct family *family = &families[i];
        buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                      family->kind);
        for (struct runner *runner = feeds->runners.list; runner != NULL; runner = runner->next) {
            pthread_mutex_lock(&runner->mutex);
            int64_t value = family->value(&((struct feed *)runner)->progress);
            pthread_mutex_unlock(&runner->mutex);
            if (value >= 0)
                buffer_printf(out, "%s{feed=\"%s\"} %lld\n", family->name, runner->key,
                              (long long)value);
        }
    }
    pthread_mutex_unlock(&feeds->runners.mutex);
}
