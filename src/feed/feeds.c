/* SPDX-License-Identifier: Apache-2.0 */
/* feeds: a thread that looks which feeds the settings want, and starts and ends theirs; what is shown of them. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/logline.h"
#include "feed/inside.h"

#define LOOK_MS 1000
#define FEEDS_MAX 64
#define ARENA_BYTES ((size_t)256 << 10)

static const char *const state_names[] = {
    [FEED_PAUSED] = "paused",   [FEED_CONNECTING] = "connecting", [FEED_RUNNING] = "running",
    [FEED_FAILING] = "failing", [FEED_WAITING] = "waiting",
};

/* ---- what is wanted ---- */

struct wanted {
    char key[FEED_KEY_BYTES + 1];
    uint64_t text_hash;
};

struct looking {
    struct wanted items[FEEDS_MAX];
    size_t count;
    struct json_parser *parser;
};

static bool look_at_setting(void *context, const struct ledger_value *values)
{
    struct looking *looking = context;
    str name = values[0].bytes, text = values[1].bytes, prefix = STR(FEED_SETTING);
    struct problem unused;
    json_value json;
    if (!str_starts_with(name, prefix))
        return str_compare(name, prefix) < 0;
    str key = str_slice(name, prefix.size, name.size);
    if (key.size > FEED_KEY_BYTES || looking->count == FEEDS_MAX ||
        json_parse(looking->parser, text, &json, &unused) != ERR_OK || !json_is_object(json) ||
        json_bool(json_get(json, STR("paused")), false))
        return true;
    struct wanted *wanted = &looking->items[looking->count++];
    *wanted = (struct wanted){ .text_hash = hash_bytes64(text.data, text.size, 0) };
    memcpy(wanted->key, key.data, key.size);
    return true;
}

static const struct wanted *find_wanted(const struct looking *looking, const struct feed *feed)
{
    for (size_t i = 0; i < looking->count; i++)
        if (looking->items[i].text_hash == feed->text_hash &&
            strcmp(looking->items[i].key, feed->key) == 0)
            return &looking->items[i];
    return NULL;
}

/* ---- threads ---- */

static void start_feed(struct feeds *feeds, const struct wanted *wanted)
{
    struct feed *feed = memory_alloc(sizeof *feed);
    if (feed == NULL)
        return; /* the next look tries again */
    *feed = (struct feed){ .feeds = feeds, .text_hash = wanted->text_hash };
    memcpy(feed->key, wanted->key, sizeof feed->key);
    feed->progress.state = FEED_CONNECTING;
    feed->progress.behind = -1;
    pthread_mutex_init(&feed->mutex, NULL);
    if (pthread_create(&feed->thread, NULL, feed_run, feed) != 0) {
        log_line(LOG_ERROR, "feed_thread", "feed=%s", feed->key);
        pthread_mutex_destroy(&feed->mutex);
        memory_free(feed);
        return;
    }
    pthread_mutex_lock(&feeds->mutex);
    feed->next = feeds->list;
    feeds->list = feed;
    pthread_mutex_unlock(&feeds->mutex);
}

/* Out of the list first: nobody shows it any more. */
static void end_feed(struct feeds *feeds, struct feed *feed)
{
    atomic_store(&feed->stop, true);
    pthread_join(feed->thread, NULL);
    pthread_mutex_lock(&feeds->mutex);
    struct feed **at = &feeds->list;
    while (*at != feed)
        at = &(*at)->next;
    *at = feed->next;
    pthread_mutex_unlock(&feeds->mutex);
    pthread_mutex_destroy(&feed->mutex);
    memory_free(feed);
}

/* The list is changed by the watcher alone: it may walk it unlocked. */
static void keep_to(struct feeds *feeds, const struct looking *looking)
{
    struct feed *next;
    for (struct feed *feed = feeds->list; feed != NULL; feed = next) {
        next = feed->next;
        if (find_wanted(looking, feed) == NULL)
            end_feed(feeds, feed);
    }
    for (size_t i = 0; i < looking->count; i++) {
        const struct feed *feed = feeds->list;
        while (feed != NULL && strcmp(feed->key, looking->items[i].key) != 0)
            feed = feed->next;
        if (feed == NULL)
            start_feed(feeds, &looking->items[i]);
    }
}

/* Only who writes the log takes messages: a server that follows another has no feeds. */
static void look(struct feeds *feeds, struct looking *looking)
{
    struct problem problem;
    struct ledger_value from = ledger_text(STR(FEED_SETTING));
    looking->count = 0;
    if (log_may_act(engine_log(feeds->config.engine)) &&
        ledger_scan(engine_ledger(feeds->config.engine), LEDGER_SETTINGS, &from, look_at_setting,
                    looking, &problem) != ERR_OK)
        return; /* the ledger is away: they go on as they are */
    keep_to(feeds, looking);
}

/* False when it is over. */
static bool wait_for_change(struct feeds *feeds)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += LOOK_MS / 1000;
    pthread_mutex_lock(&feeds->mutex);
    if (!feeds->woken && !feeds->stopping)
        pthread_cond_timedwait(&feeds->wake, &feeds->mutex, &deadline);
    feeds->woken = false;
    bool goes_on = !feeds->stopping;
    pthread_mutex_unlock(&feeds->mutex);
    return goes_on;
}

static void *watch(void *context)
{
    struct feeds *feeds = context;
    struct looking *looking = memory_alloc(sizeof *looking);
    pthread_setname_np(pthread_self(), "kith-feeds");
    if (looking != NULL && json_parser_new(&looking->parser, FEED_SETTING_BYTES_MAX) == ERR_OK) {
        do
            look(feeds, looking);
        while (wait_for_change(feeds));
        looking->count = 0;
        keep_to(feeds, looking);
        json_parser_free(&looking->parser);
    } else {
        log_line(LOG_ERROR, "feeds", "reason=\"no memory\"");
    }
    memory_free(looking);
    return NULL;
}

/* ---- opening and closing ---- */

err feeds_open(struct feeds **opened, const struct feeds_config *config, struct problem *problem)
{
    struct feeds *feeds = memory_alloc(sizeof *feeds);
    pthread_condattr_t monotonic;
    if (feeds == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for feeds");
    *feeds = (struct feeds){ .config = *config };
    if (feeds->config.zone_offset_seconds == 0)
        feeds->config.zone_offset_seconds = 8 * 3600;
    pthread_mutex_init(&feeds->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&feeds->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    feeds->watches = pthread_create(&feeds->watcher, NULL, watch, feeds) == 0;
    err error = ERR_OK;
    if (!feeds->watches) {
        error = problem_set(problem, ERR_NOMEM, "no thread could be started for feeds");
        feeds_close(&feeds);
    }
    *opened = feeds;
    return error;
}

void feeds_close(struct feeds **closed)
{
    struct feeds *feeds = *closed;
    *closed = NULL;
    if (feeds == NULL)
        return;
    pthread_mutex_lock(&feeds->mutex);
    feeds->stopping = true;
    for (struct feed *feed = feeds->list; feed != NULL; feed = feed->next)
        atomic_store(&feed->stop, true); /* all at once; they are waited for one by one */
    pthread_cond_signal(&feeds->wake);
    pthread_mutex_unlock(&feeds->mutex);
    if (feeds->watches)
        pthread_join(feeds->watcher, NULL);
    pthread_cond_destroy(&feeds->wake);
    pthread_mutex_destroy(&feeds->mutex);
    memory_free(feeds);
}

void feeds_wake(struct feeds *feeds)
{
    pthread_mutex_lock(&feeds->mutex);
    feeds->woken = true;
    pthread_cond_signal(&feeds->wake);
    pthread_mutex_unlock(&feeds->mutex);
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
    pthread_mutex_lock(&feeds->mutex);
    for (struct feed *feed = feeds->list; feed != NULL; feed = feed->next) {
        if (!str_equal(str_from_c(feed->key), setting->key))
            continue;
        pthread_mutex_lock(&feed->mutex);
        progress = feed->progress;
        pthread_mutex_unlock(&feed->mutex);
    }
    pthread_mutex_unlock(&feeds->mutex);
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
    str wanted;
    size_t count;
};

static bool show_setting(void *context, const struct ledger_value *values)
{
    struct showing *showing = context;
    str prefix = STR(FEED_SETTING), name = values[0].bytes;
    struct feed_setting setting;
    struct problem unused;
    if (!str_starts_with(name, prefix))
        return str_compare(name, prefix) < 0;
    str key = str_slice(name, prefix.size, name.size);
    if (showing->wanted.size > 0 && !str_equal(key, showing->wanted))
        return true;
    arena_reset(&showing->arena);
    if (feed_setting_load(showing->feeds, key, &showing->arena, &setting, &unused) != ERR_OK)
        return true; /* forgotten, or sealed by keys that are gone */
    json_begin_object(showing->writer);
    json_member_text(showing->writer, STR("key"), key);
    feed_setting_write(&setting, showing->writer);
    write_progress(showing->feeds, &setting, showing->writer);
    json_end_object(showing->writer);
    showing->count++;
    return true;
}

err feeds_write(struct feeds *feeds, str key, struct json_writer *writer, struct problem *problem)
{
    struct showing showing = { .feeds = feeds, .writer = writer, .wanted = key };
    struct ledger_value from = ledger_text(STR(FEED_SETTING));
    arena_init(&showing.arena, "feed_setting", ARENA_BYTES);
    err error = ledger_scan(engine_ledger(feeds->config.engine), LEDGER_SETTINGS, &from,
                            show_setting, &showing, problem);
    arena_deinit(&showing.arena);
    if (error == ERR_OK && key.size > 0 && showing.count == 0)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no feed '%.*s'",
                            (int)str_utf8_prefix_bytes(key, 60), key.data);
    return error;
}
