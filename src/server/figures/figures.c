/* SPDX-License-Identifier: Apache-2.0 */
/* Figures are kept, shown, and asked for anew on threads of their own. */
#include "server/figures/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/logline.h"
#include "server/answer.h"
#include "server/figures/figures_memory.h"
#include "server/figures/figures_parts.h"

#define KEEP_MS_MIN 5000
#define KEEP_TIMES 20 /* a figure lives so many times as long as it took */
#define WAIT_MS 200   /* for a newer one, when one is known */
#define COUNTED_MAX 10000000

err figures_new(struct figures **figures)
{
    pthread_condattr_t attributes;
    *figures = memory_alloc(sizeof(**figures));
    if (*figures == NULL)
        return ERR_NOMEM;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&(*figures)->asked, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&(*figures)->mutex, NULL);
    pthread_mutex_init(&(*figures)->samples_mutex, NULL);
    return ERR_OK;
}

void figures_free(struct figures **pointer)
{
    struct figures *figures = *pointer;
    if (figures == NULL)
        return;
    for (int i = 0; i < FIGURE_END; i++)
        if (figures->kept[i].has_thread)
            pthread_join(figures->kept[i].thread, NULL);
    *pointer = NULL; /* its threads found it there until they ended */
    pthread_cond_destroy(&figures->asked);
    pthread_mutex_destroy(&figures->mutex);
    pthread_mutex_destroy(&figures->samples_mutex);
    memory_free(figures->sources);
    memory_free(figures);
}

int64_t figures_day_start_ms(struct server *server)
{
    return zone_day_start_ms(server_zone(server), server_now_ms(server));
}

/* ---- from memory ---- */

static size_t name_channels(struct history *history, const struct memory_sums *sums,
                            struct channel_figures *channels)
{
    struct channel_figures all[HISTORY_CHANNELS_MAX];
    size_t count = 0;
    for (unsigned i = 0; i < HISTORY_CHANNELS_MAX; i++) {
        const struct memory_channel *from = &sums->channels[i];
        str name = history_channel_name(history, (uint8_t)i);
        if (from->events == 0)
            continue;
        all[count] = (struct channel_figures){ .events = from->events,
                                               .customers = from->customers,
                                               .linked = from->linked };
        snprintf(all[count].name, sizeof all[count].name, "%.*s",
                 (int)str_utf8_prefix_bytes(name, sizeof all[count].name - 1),
                 name.data != NULL ? name.data : "");
        count++;
    }
    figures_sort_channels(all, count);
    count = count < CHANNELS_MAX ? count : CHANNELS_MAX;
    memcpy(channels, all, count * sizeof(*all));
    return count;
}

/* Under the mutex. What memory lacks stays as the warehouse said it. */
static void keep_walk(struct server *server, const struct memory_sums *sums,
                      const struct today_figures *today)
{
    struct figures *figures = server->figures;
    struct history *history = engine_history(server->engine);
    figures->memory_has_all = sums->has_all;
    figures->memory_has_recent = sums->has_recent;
    if (sums->has_recent) {
        figures->hour_count = MEMORY_HOURS;
        for (int i = 0; i < MEMORY_HOURS; i++) {
            figures->hours[i][0] = sums->hours_from_ms + i * HOUR_MS;
            figures->hours[i][1] = (int64_t)sums->hours[i];
        }
        figures->today = *today;
        figures->today_from_ms = sums->day_from_ms;
    }
    if (sums->has_all)
        figures->channel_count = name_channels(history, sums, figures->channels);
    if (sums->has_all && sums->with_links) {
        memcpy(figures->links, figures->channels, sizeof figures->links);
        figures->link_count = figures->channel_count;
        figures->kept[FIGURE_LINKS].as_of_ms = sums->until_ms;
    }
}

static bool ask_walk(struct server *server, int64_t as_of_ms, struct problem *problem)
{
    struct figures *figures = server->figures;
    struct memory_sums *sums = memory_alloc(sizeof *sums);
    struct today_figures today = { .count = 0 };
    if (sums == NULL)
        return false;
    sums->hours_from_ms = as_of_ms / HOUR_MS * HOUR_MS - 23 * HOUR_MS;
    sums->day_from_ms = figures_day_start_ms(server);
    sums->until_ms = as_of_ms;
    pthread_mutex_lock(&figures->mutex);
    sums->with_links = figures->wants_links;
    pthread_mutex_unlock(&figures->mutex);
    err error = memory_sums_take(server, sums);
    if (error == ERR_OK && sums->has_recent)
        error = memory_sums_today(server, sums, &today);
    figures_sort_today(&today);
    pthread_mutex_lock(&figures->mutex);
    if (error == ERR_OK)
        keep_walk(server, sums, &today);
    pthread_mutex_unlock(&figures->mutex);
    memory_sums_free(sums);
    memory_free(sums);
    return error == ERR_OK ||
           problem_set(problem, error, "memory was not walked through") == ERR_OK;
}

/* ---- counted in the ledger ---- */

struct count_rows {
    int64_t count, since_ms;
    int column;
};

static bool count_row(void *context, const struct ledger_value *values)
{
    struct count_rows *rows = context;
    if (rows->since_ms != 0 && values[rows->column].integer < rows->since_ms)
        return false;
    rows->count++;
    return true;
}

static bool ask_counts(struct server *server, int64_t as_of_ms, struct problem *problem)
{
    struct figures *figures = server->figures;
    struct ledger *ledger = engine_ledger(server->engine);
    struct count_rows merges = { .since_ms = figures_day_start_ms(server), .column = 6 };
    struct count_rows refusals = { .count = 0 }, waiting = { .count = 0 };
    (void)as_of_ms;
    err error =
        ledger_page(ledger, LEDGER_MERGES, NULL, true, COUNTED_MAX, count_row, &merges, problem);
    if (error == ERR_OK)
        error = ledger_find_by(ledger, LEDGER_REFUSALS, "status", ledger_text(STR("open")), NULL,
                               false, COUNTED_MAX, count_row, &refusals, problem);
    if (error == ERR_OK)
        error = ledger_find_by(ledger, LEDGER_QUARANTINE, "status", ledger_text(STR("waiting")),
                               NULL, false, COUNTED_MAX, count_row, &waiting, problem);
    if (error != ERR_OK)
        return false;
    pthread_mutex_lock(&figures->mutex);
    figures->counts = (struct open_counts){ merges.count, refusals.count, waiting.count };
    pthread_mutex_unlock(&figures->mutex);
    return true;
}

/* ---- keeping ---- */

static const struct {
    const char *name;
    figure_ask *ask;
} figures_by[FIGURE_END] = {
    [FIGURE_WALK] = { "walk", ask_walk },
    [FIGURE_HOURS] = { "hours", figures_ask_hours },
    [FIGURE_CHANNELS] = { "channels", figures_ask_channels },
    [FIGURE_LINKS] = { "links", figures_ask_links },
    [FIGURE_TODAY] = { "today", figures_ask_today },
    [FIGURE_SOURCES] = { "sources", figures_ask_sources },
    [FIGURE_COUNTS] = { "counts", ask_counts },
};

static bool is_fresh(const struct kept_figure *kept)
{
    int64_t keep_ms = kept->cost_ms * KEEP_TIMES;
    return kept->as_of_ms != 0 &&
           steady_since_ms(kept->at) < (keep_ms > KEEP_MS_MIN ? keep_ms : KEEP_MS_MIN);
}

static void *run_ask(void *context)
{
    struct kept_figure *kept = context;
    struct server *server = kept->server;
    struct figures *figures = server->figures;
    size_t figure = (size_t)(kept - figures->kept);
    struct problem problem = { .error = ERR_OK };
    steady_ns start = steady_now();
    int64_t as_of_ms = server_now_ms(server);
    pthread_setname_np(pthread_self(), "kith-figure");
    bool good = figures_by[figure].ask(server, as_of_ms, &problem);
    if (!good)
        log_line(LOG_WARN, "figure_failed", "figure=%s reason=\"%.120s\"", figures_by[figure].name,
                 problem.detail);
    pthread_mutex_lock(&figures->mutex);
    if (good) {
        kept->cost_ms = steady_since_ms(start);
        kept->at = kept->is_ahead ? (steady_ns){ 0 } : start;
        kept->is_ahead = false;
        kept->as_of_ms = as_of_ms;
    }
    kept->asking = false;
    kept->asked++;
    pthread_cond_broadcast(&figures->asked);
    pthread_mutex_unlock(&figures->mutex);
    return NULL;
}

/* Under the mutex. The thread of the last time has nothing left to do but to end. */
static void begin_asking(struct server *server, struct kept_figure *kept)
{
    if (kept->asking)
        return;
    if (kept->has_thread)
        pthread_join(kept->thread, NULL);
    kept->server = server;
    kept->asking = true;
    kept->has_thread = pthread_create(&kept->thread, NULL, run_ask, kept) == 0;
    if (!kept->has_thread)
        kept->asking = false;
}

/* Under the mutex, which it gives up meanwhile. However long it takes where there is nothing to show. */
static void wait_for(struct figures *figures, const struct kept_figure *kept, bool shows_nothing)
{
    uint64_t asked = kept->asked;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (kept->asking && kept->asked == asked)
        if (shows_nothing)
            pthread_cond_wait(&figures->asked, &figures->mutex);
        else if (pthread_cond_timedwait(&figures->asked, &figures->mutex, &until) != 0)
            return;
}

/* Is it known? Under the mutex; `stale`: whatever is known is of no use. */
static bool want(struct server *server, enum figure figure, bool stale)
{
    struct kept_figure *kept = &server->figures->kept[figure];
    if (!stale && is_fresh(kept))
        return true;
    begin_asking(server, kept);
    wait_for(server->figures, kept, stale || kept->as_of_ms == 0);
    return kept->as_of_ms != 0;
}

/* What takes longest is known before anybody looks, and is asked for anew when somebody does. */
void figures_begin(struct server *server)
{
    struct figures *figures = server->figures;
    if (server->config.offers == OFFERS_DOORS ||
        server->config.offers == OFFERS_NOTHING) /* nobody comes to look */
        return;
    pthread_mutex_lock(&figures->mutex);
    figures->kept[FIGURE_SOURCES].is_ahead = figures->kept[FIGURE_COUNTS].is_ahead = true;
    begin_asking(server, &figures->kept[FIGURE_SOURCES]);
    begin_asking(server, &figures->kept[FIGURE_COUNTS]);
    pthread_mutex_unlock(&figures->mutex);
}

/* ---- shown ---- */

static void write_hours(struct server *server, struct json_writer *writer)
{
    const struct figures *figures = server->figures;
    int64_t hour_ms = server_now_ms(server) / HOUR_MS * HOUR_MS - 23 * HOUR_MS;
    json_put_key(writer, STR("by_hour"));
    json_begin_array(writer);
    for (int i = 0; i < 24; i++, hour_ms += HOUR_MS) {
        int64_t events = 0;
        for (size_t h = 0; h < figures->hour_count; h++)
            if (figures->hours[h][0] == hour_ms)
                events = figures->hours[h][1];
        json_begin_object(writer);
        json_member_time(writer, STR("hour"), hour_ms);
        json_member_int(writer, STR("events"), events);
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* Under the mutex. Without a walk that has it the warehouse is asked. */
static bool want_overview(struct server *server)
{
    struct figures *figures = server->figures;
    bool walked = want(server, FIGURE_WALK, false);
    bool hours = (walked && figures->memory_has_recent) || want(server, FIGURE_HOURS, false);
    bool channels = (walked && figures->memory_has_all) || want(server, FIGURE_CHANNELS, false);
    return hours && channels;
}

void figures_write_overview(struct server *server, struct json_writer *writer)
{
    struct figures *figures = server->figures;
    pthread_mutex_lock(&figures->mutex);
    bool known = want_overview(server);
    write_hours(server, writer);
    json_put_key(writer, STR("by_channel"));
    json_begin_array(writer);
    for (size_t i = 0; i < figures->channel_count; i++) {
        const struct channel_figures *channel = &figures->channels[i];
        json_begin_object(writer);
        json_member_text(writer, STR("channel"), str_from_c(channel->name));
        json_member_int(writer, STR("events"), (int64_t)channel->events);
        json_member_int(writer, STR("customers"), (int64_t)channel->customers);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_bool(writer, STR("partial"), !known);
    pthread_mutex_unlock(&figures->mutex);
}

/* The day that is shown is over as soon as another one begins. */
void figures_today(struct server *server, struct today_figures *today)
{
    struct figures *figures = server->figures;
    int64_t day_ms = figures_day_start_ms(server);
    pthread_mutex_lock(&figures->mutex);
    bool over = figures->today_from_ms != day_ms;
    bool known = want(server, FIGURE_WALK, over) && figures->memory_has_recent;
    if (!known)
        known = want(server, FIGURE_TODAY, over);
    *today = figures->today;
    if (!known || figures->today_from_ms != day_ms)
        *today = (struct today_figures){ .partial = true };
    pthread_mutex_unlock(&figures->mutex);
}

/* Under the mutex. A walk that was under way when they were first asked for has no links: then another is made. */
static bool walk_links(struct server *server)
{
    struct figures *figures = server->figures;
    const struct kept_figure *links = &figures->kept[FIGURE_LINKS];
    figures->wants_links = true;
    bool walked = want(server, FIGURE_WALK, links->as_of_ms == 0);
    if (walked && figures->memory_has_all && links->as_of_ms == 0)
        walked = want(server, FIGURE_WALK, true);
    return walked && figures->memory_has_all && links->as_of_ms != 0;
}

err figures_write_link_rate(struct server *server, struct json_writer *writer, bool *partial,
                            int64_t *as_of_ms, struct problem *problem)
{
    struct figures *figures = server->figures;
    pthread_mutex_lock(&figures->mutex);
    *partial = !walk_links(server) && !want(server, FIGURE_LINKS, false);
    *as_of_ms = figures->kept[FIGURE_LINKS].as_of_ms;
    err error = *as_of_ms != 0
                    ? ERR_OK
                    : problem_set(problem, ERR_UNAVAILABLE, "the warehouse does not answer yet");
    for (size_t i = 0; error == ERR_OK && i < figures->link_count; i++) {
        const struct channel_figures *channel = &figures->links[i];
        json_begin_object(writer);
        json_member_text(writer, STR("channel"), str_from_c(channel->name));
        json_member_int(writer, STR("customers"), (int64_t)channel->customers);
        json_member_int(writer, STR("linked"), (int64_t)channel->linked);
        json_put_key(writer, STR("rate"));
        json_put_double(writer, channel->customers == 0
                                    ? 0
                                    : (double)channel->linked / (double)channel->customers);
        json_end_object(writer);
    }
    pthread_mutex_unlock(&figures->mutex);
    return error;
}

void figures_refresh_sources(struct server *server)
{
    pthread_mutex_lock(&server->figures->mutex);
    (void)want(server, FIGURE_SOURCES, false);
    pthread_mutex_unlock(&server->figures->mutex);
}

struct source_figures figures_of_source(struct server *server, uint32_t source_number)
{
    struct figures *figures = server->figures;
    struct source_figures one = { .events_today = 0 };
    pthread_mutex_lock(&figures->mutex);
    if (source_number < figures->source_count)
        one = figures->sources[source_number];
    pthread_mutex_unlock(&figures->mutex);
    return one;
}

struct open_counts figures_open_counts(struct server *server)
{
    struct figures *figures = server->figures;
    pthread_mutex_lock(&figures->mutex);
    (void)want(server, FIGURE_COUNTS, false);
    struct open_counts counts = figures->counts;
    pthread_mutex_unlock(&figures->mutex);
    return counts;
}

static void ask_identified(const struct engine_state *state, struct engine_question *question)
{
    *(uint32_t *)question->context = identity_identified_count(state->identity);
}

uint64_t figures_identified(struct server *server)
{
    uint32_t identified = 0;
    struct engine_question question = { .ask = ask_identified, .context = &identified };
    return engine_ask_wait(server->engine, &question) == ERR_OK ? identified : 0;
}

/* ---- events per second ---- */

void figures_sample(struct server *server)
{
    struct figures *figures = server->figures;
    struct engine_status status;
    engine_status(server->engine, &status);
    pthread_mutex_lock(&figures->samples_mutex);
    memmove(figures->samples, figures->samples + 1, sizeof(figures->samples) - sizeof(uint64_t));
    figures->samples[SAMPLES - 1] = status.events;
    if (figures->sample_count < SAMPLES)
        figures->sample_count++;
    pthread_mutex_unlock(&figures->samples_mutex);
}

double figures_events_per_second(struct server *server)
{
    struct figures *figures = server->figures;
    pthread_mutex_lock(&figures->samples_mutex);
    size_t count = figures->sample_count;
    uint64_t newest = figures->samples[SAMPLES - 1];
    uint64_t oldest = count > 0 ? figures->samples[SAMPLES - count] : 0;
    pthread_mutex_unlock(&figures->samples_mutex);
    return count < 2 ? 0 : (double)(newest - oldest) / (double)(count - 1);
}
