/* SPDX-License-Identifier: Apache-2.0 */
/* runners: a thread that looks which settings are there, and starts and ends theirs; see runners.h. */
#include "feed/runners.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/logline.h"

#define LOOK_MS 1000
#define RUNNERS_MAX 64

/* ---- what is wanted ---- */

struct wanted {
    char key[RUNNER_KEY_BYTES + 1];
    uint64_t text_hash;
};

struct looking {
    struct wanted items[RUNNERS_MAX];
    size_t count;
    struct json_parser *parser;
    str prefix;
};

static bool look_at_setting(void *context, const struct ledger_value *values)
{
    struct looking *looking = context;
    str name = values[0].bytes, text = values[1].bytes, prefix = looking->prefix;
    struct problem unused;
    json_value json;
    if (!str_starts_with(name, prefix))
        return str_compare(name, prefix) < 0;
    str key = str_slice(name, prefix.size, name.size);
    if (key.size > RUNNER_KEY_BYTES || looking->count == RUNNERS_MAX ||
        json_parse(looking->parser, text, &json, &unused) != ERR_OK || !json_is_object(json) ||
        json_bool(json_get(json, STR("paused")), false))
        return true;
    struct wanted *wanted = &looking->items[looking->count++];
    *wanted = (struct wanted){ .text_hash = hash_bytes64(text.data, text.size, 0) };
    memcpy(wanted->key, key.data, key.size);
    return true;
}

static const struct wanted *find_wanted(const struct looking *looking, const struct runner *runner)
{
    for (size_t i = 0; i < looking->count; i++)
        if (looking->items[i].text_hash == runner->text_hash &&
            strcmp(looking->items[i].key, runner->key) == 0)
            return &looking->items[i];
    return NULL;
}

/* ---- threads ---- */

static void start_runner(struct runners *runners, const struct wanted *wanted)
{
    struct runner *runner = memory_alloc(runners->config.bytes);
    if (runner == NULL)
        return; /* the next look tries again */
    memset(runner, 0, runners->config.bytes);
    *runner = (struct runner){ .runners = runners, .text_hash = wanted->text_hash };
    memcpy(runner->key, wanted->key, sizeof runner->key);
    pthread_mutex_init(&runner->mutex, NULL);
    runners->config.init(runner);
    if (pthread_create(&runner->thread, NULL, runners->config.run, runner) != 0) {
        log_line(LOG_ERROR, "runner_thread", "of=%s key=%s", runners->config.name, runner->key);
        pthread_mutex_destroy(&runner->mutex);
        memory_free(runner);
        return;
    }
    pthread_mutex_lock(&runners->mutex);
    runner->next = runners->list;
    runners->list = runner;
    pthread_mutex_unlock(&runners->mutex);
}

/* Out of the list first: nobody shows it any more. */
static void end_runner(struct runners *runners, struct runner *runner)
{
    atomic_store(&runner->stop, true);
    pthread_join(runner->thread, NULL);
    pthread_mutex_lock(&runners->mutex);
    struct runner **at = &runners->list;
    while (*at != runner)
        at = &(*at)->next;
    *at = runner->next;
    pthread_mutex_unlock(&runners->mutex);
    pthread_mutex_destroy(&runner->mutex);
    memory_free(runner);
}

/* The list is changed by the watcher alone: it may walk it unlocked. */
static void keep_to(struct runners *runners, const struct looking *looking)
{
    struct runner *next;
    for (struct runner *runner = runners->list; runner != NULL; runner = next) {
        next = runner->next;
        if (find_wanted(looking, runner) == NULL)
            end_runner(runners, runner);
    }
    for (size_t i = 0; i < looking->count; i++) {
        const struct runner *runner = runners->list;
        while (runner != NULL && strcmp(runner->key, looking->items[i].key) != 0)
            runner = runner->next;
        if (runner == NULL)
            start_runner(runners, &looking->items[i]);
    }
}

/* Only who writes the log has any: a server that follows another takes and tells nothing. */
static void look(struct runners *runners, struct looking *looking)
{
    struct problem problem;
    struct ledger_value from = ledger_text(looking->prefix);
    looking->count = 0;
    if (log_may_act(engine_log(runners->config.engine)) &&
        ledger_scan(engine_ledger(runners->config.engine), LEDGER_SETTINGS, &from, look_at_setting,
                    looking, &problem) != ERR_OK)
        return; /* the ledger is away: they go on as they are */
    keep_to(runners, looking);
}

/* False when it is over. */
static bool wait_for_change(struct runners *runners)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += LOOK_MS / 1000;
    pthread_mutex_lock(&runners->mutex);
    if (!runners->woken && !runners->stopping)
        pthread_cond_timedwait(&runners->wake, &runners->mutex, &deadline);
    runners->woken = false;
    bool goes_on = !runners->stopping;
    pthread_mutex_unlock(&runners->mutex);
    return goes_on;
}

static void *watch(void *context)
{
    struct runners *runners = context;
    struct looking *looking = memory_alloc(sizeof *looking);
    pthread_setname_np(pthread_self(), runners->config.name);
    if (looking != NULL && json_parser_new(&looking->parser, RUNNER_SETTING_BYTES_MAX) == ERR_OK) {
        looking->prefix = str_from_c(runners->config.prefix);
        do
            look(runners, looking);
        while (wait_for_change(runners));
        looking->count = 0;
        keep_to(runners, looking);
        json_parser_free(&looking->parser);
    } else {
        log_line(LOG_ERROR, "runners", "of=%s reason=\"no memory\"", runners->config.name);
    }
    memory_free(looking);
    return NULL;
}

/* ---- opening and closing ---- */

err runners_open(struct runners *runners, const struct runners_config *config,
                 struct problem *problem)
{
    pthread_condattr_t monotonic;
    *runners = (struct runners){ .config = *config };
    pthread_mutex_init(&runners->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&runners->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    runners->watches = pthread_create(&runners->watcher, NULL, watch, runners) == 0;
    return runners->watches
               ? ERR_OK
               : problem_set(problem, ERR_NOMEM, "no thread could be started for %s", config->name);
}

void runners_close(struct runners *runners)
{
    pthread_mutex_lock(&runners->mutex);
    runners->stopping = true;
    for (struct runner *runner = runners->list; runner != NULL; runner = runner->next)
        atomic_store(&runner->stop, true); /* all at once; they are waited for one by one */
    pthread_cond_signal(&runners->wake);
    pthread_mutex_unlock(&runners->mutex);
    if (runners->watches)
        pthread_join(runners->watcher, NULL);
    pthread_cond_destroy(&runners->wake);
    pthread_mutex_destroy(&runners->mutex);
}

void runners_wake(struct runners *runners)
{
    pthread_mutex_lock(&runners->mutex);
    runners->woken = true;
    pthread_cond_signal(&runners->wake);
    pthread_mutex_unlock(&runners->mutex);
}

struct runner *runners_find(struct runners *runners, str key)
{
    struct runner *runner = runners->list;
    while (runner != NULL && !str_equal(str_from_c(runner->key), key))
        runner = runner->next;
    return runner;
}
