/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's opening and closing: the folder's lock, the stores in their order, empty state, its threads; and all of it back.
 * What is loaded into the state is start.c's. */
#include "engine/state.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/logline.h"
#include "engine/card.h"
#include "engine/collecting.h"

#define QUESTIONS_MAX 100000
#define CHUNK_ARENA_BYTES ((size_t)64 << 20)
#define OUTCOMES_BYTES_MAX ((size_t)256 << 20)
#define TAIL_BYTES_MAX ((size_t)512 << 20)

static err lock_folder(struct engine *engine, struct problem *problem)
{
    char path[600];
    if (mkdir(engine->folder, 0700) != 0 && access(engine->folder, W_OK) != 0) {
        problem_set(problem, ERR_IO, "the data folder '%s' cannot be made or written",
                    engine->folder);
        return problem_hint(problem, ERR_IO, "choose another with --data, or give it to this user");
    }
    snprintf(path, sizeof path, "%s/lock", engine->folder);
    engine->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (engine->lock_file < 0)
        return problem_set(problem, ERR_IO, "'%s' cannot be opened", path);
    if (flock(engine->lock_file, LOCK_EX | LOCK_NB) != 0) {
        problem_set(problem, ERR_LOCKED, "the data folder '%s' is in use by another server",
                    engine->folder);
        return problem_hint(problem, ERR_LOCKED, "stop that server, or choose another --data");
    }
    return ERR_OK;
}

/* A door that has not heard of the newest key yet hands in what the one before has sealed. */
static void renew_handed_in(void *context, char *bytes, size_t size)
{
    struct engine *engine = context;
    keys_renew(engine->keys, bytes, size);
}

static void log_is_dead(void *context, const struct problem *problem)
{
    engine_fail(context, problem);
}

/* Who we are to the lease, over restarts: a word in the folder, which is locked. */
static err name_holder(const char *folder, char holder[40], struct problem *problem)
{
    char path[600], text[40] = "";
    uint8_t random[16];
    snprintf(path, sizeof path, "%s/server-id", folder);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return problem_set(problem, ERR_IO, "'%s' cannot be opened", path);
    ssize_t size = read(file, text, 32);
    if (size != 32) {
        randombytes_buf(random, sizeof random);
        for (size_t i = 0; i < sizeof random; i++)
            snprintf(text + 2 * i, 3, "%02x", random[i]);
        size = pwrite(file, text, 32, 0);
    }
    close(file);
    if (size != 32)
        return problem_set(problem, ERR_IO, "'%s' cannot be written", path);
    memcpy(holder, text, 32);
    holder[32] = '\0';
    return ERR_OK;
}

err engine_log_config(struct engine *engine, struct log_names *names, struct log_config *log,
                      struct problem *problem)
{
    const struct engine_config *config = &engine->config;
    uint8_t fingerprint[SEAL_HASH_BYTES];
    err error = name_holder(engine->folder, names->holder, problem);
    if (error != ERR_OK)
        return error;
    keys_fingerprint(engine->keys, fingerprint);
    for (size_t i = 0; i < 8; i++)
        snprintf(names->keys + 2 * i, 3, "%02x", fingerprint[i]);
    snprintf(names->path, sizeof names->path, "%s/log.db", engine->folder);
    *log = (struct log_config){ .path = config->log_url != NULL ? config->log_url : names->path,
                                .follows = config->follows,
                                .holder = names->holder,
                                .address = config->address,
                                .keys = names->keys,
                                .lease_ms = config->lease_ms,
                                .clock = config->clock,
                                .retention_ms = config->log_retention_ms,
                                .vfs = config->vfs,
                                .fatal = log_is_dead,
                                .describe = card_write,
                                .renew = renew_handed_in,
                                .context = engine };
    return ERR_OK;
}

static err open_log(struct engine *engine, struct problem *problem)
{
    struct log_names names;
    struct log_config config;
    err error = engine_log_config(engine, &names, &config, problem);
    return error == ERR_OK ? log_open(&engine->log, &config, problem) : error;
}

err engine_claim_lease(const char *folder, const char *log_url, const char *address,
                       int64_t lease_ms, struct problem *problem)
{
    char holder[40];
    err error = name_holder(folder, holder, problem);
    return error == ERR_OK ? log_claim(log_url, holder, address, lease_ms, problem) : error;
}

void engine_ledger_config(struct engine *engine, struct ledger_config *ledger)
{
    const struct engine_config *config = &engine->config;
    *ledger =
        (struct ledger_config){ .path = config->ledger_url,
                                .epoch = config->ledger_url != NULL ? log_epoch(engine->log) : 0,
                                .vfs = config->vfs,
                                .renew = engine_renew,
                                .renew_context = engine->keys };
}

static err open_ledger(struct engine *engine, struct problem *problem)
{
    struct ledger_config config;
    char path[600];
    standby_remove(engine);
    engine_ledger_config(engine, &config);
    snprintf(path, sizeof path, "%s/ledger.db", engine->folder);
    config.path = config.path != NULL ? config.path : path;
    return ledger_open(&engine->ledger, &config, problem);
}

static err open_stores(struct engine *engine, struct problem *problem)
{
    char path[600];
    engine_keys_path(engine, path, sizeof path);
    err error = keys_open(&engine->keys, path, problem);
    if (error != ERR_OK)
        return error;
    /* Of a log on a server the lease comes first: under its number the ledger is written. */
    error = open_log(engine, problem);
    if (error == ERR_OK && engine->config.collects)
        return collecting_open(engine, problem);
    if (error == ERR_OK)
        error =
            engine->config.follows ? standby_open(engine, problem) : open_ledger(engine, problem);
    if (error == ERR_OK)
        error = engine_learn_keys(engine, engine->ledger, problem);
    if (error != ERR_OK || engine->config.without_warehouse)
        return error;
    char folder[600];
    snprintf(folder, sizeof folder, "%s/warehouse", engine->folder);
    struct warehouse_config warehouse = engine->config.warehouse;
    if (warehouse.folder == NULL && warehouse.url == NULL)
        warehouse.folder = folder;
    error = warehouse_open(&engine->warehouse, &warehouse, problem);
    return error;
}

/* A cache: where it cannot be opened, the ledger is read instead. */
static void open_pack(struct engine *engine)
{
    char path[600];
    struct problem problem = { .error = ERR_OK };
    if (engine->config.replay_only || engine->standby != NULL)
        return;
    snprintf(path, sizeof path, "%s/identity.pack", engine->folder);
    if (identity_pack_open(&engine->pack, path, 0, engine->ledger, &problem) != ERR_OK)
        log_line(LOG_WARN, "identity_pack_unusable", "reason=\"%s\"", problem.detail);
}

static size_t joins_of(void *context, uint32_t node, struct identity_join *joins, size_t limit)
{
    const struct engine *engine = context;
    return identity_joins(engine->identity, node, joins, limit);
}

static err make_state(struct engine *engine)
{
    arena_init(&engine->chunk_arena, "engine_chunk", CHUNK_ARENA_BYTES);
    buffer_init(&engine->outcomes, OUTCOMES_BYTES_MAX);
    buffer_init(&engine->block_outcomes, OUTCOMES_BYTES_MAX);
    queue_init(&engine->questions, QUESTIONS_MAX);
    engine->asked_last = &engine->asked;
    idempotency_init(&engine->idempotency);
    jobs_init(&engine->jobs);
    pthread_mutex_init(&engine->sources_mutex, NULL);
    pthread_mutex_init(&engine->card_mutex, NULL);
    pthread_mutex_init(&engine->waiters_mutex, NULL);
    pthread_mutex_init(&engine->state_mutex, NULL);
    forgotten_init(&engine->forgotten);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&engine->waiters_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    tail_init(&engine->tail, NULL, TAIL_BYTES_MAX);
    err error = verdicts_init(&engine->verdicts);
    if (error == ERR_OK)
        error = json_parser_new(&engine->parser, (size_t)8 << 20);
    if (error == ERR_OK)
        error = dedupe_init(&engine->dedupe, engine->config.dedupe_keys_max,
                            engine->config.dedupe_window_ms);
    if (error == ERR_OK)
        error = identity_new(&engine->identity);
    if (error == ERR_OK)
        error = profile_new(&engine->profile);
    if (error == ERR_OK)
        profile_use_joins(engine->profile, joins_of, engine);
    if (error == ERR_OK)
        error = remember_new(engine);
    if (error == ERR_OK)
        error = packing_new(engine);
    if (error == ERR_OK)
        error = plan_new(&engine->plan);
    if (error == ERR_OK)
        error = news_new(engine);
    if (error == ERR_OK)
        error = follow_new(engine);
    if (error == ERR_OK)
        error = act_new(engine);
    if (error == ERR_OK)
        error = move_new(engine);
    return error;
}

static void drop_state(struct engine *engine)
{
    follow_stop(
        engine); /* its threads append to the log and wake its reader: before the log goes */
    flusher_stop(&engine->flusher, 0);
    standby_close(engine);
    warehouse_close(&engine->warehouse);
    log_close(&engine->log);
    if (engine->writes != NULL)
        ledger_writes_free(&engine->writes);
    ledger_close(&engine->ledger);
    identity_pack_close(&engine->pack);
    tail_deinit(&engine->tail);
    source_set_release(&engine->sources);
    access_deinit(&engine->access);
    quarantine_deinit(&engine->quarantine);
    jobs_deinit(&engine->jobs);
    erasures_deinit(&engine->erasures);
    forgotten_deinit(&engine->forgotten);
    idempotency_deinit(&engine->idempotency);
    dedupe_deinit(&engine->dedupe);
    verdicts_deinit(&engine->verdicts);
    move_free(engine);
    act_free(engine);
    news_free(engine);
    packing_free(engine);
    remember_free(engine);
    identity_free(&engine->identity);
    profile_free(&engine->profile);
    plan_free(&engine->plan);
    json_parser_free(&engine->parser);
    memory_free(engine->strict);
    buffer_deinit(&engine->outcomes);
    buffer_deinit(&engine->block_outcomes);
    arena_deinit(&engine->chunk_arena);
    queue_deinit(&engine->questions);
    pthread_cond_destroy(&engine->waiters_changed);
    pthread_mutex_destroy(&engine->waiters_mutex);
    pthread_mutex_destroy(&engine->state_mutex);
    pthread_mutex_destroy(&engine->sources_mutex);
    pthread_mutex_destroy(&engine->card_mutex);
    keys_free(&engine->keys);
    if (engine->lock_file >= 0)
        close(engine->lock_file);
    memory_free(engine);
}

static void fill_defaults(struct engine_config *config)
{
    if (config->dedupe_window_ms == 0)
        config->dedupe_window_ms = 30 * DAY_MS;
    if (config->dedupe_keys_max == 0)
        config->dedupe_keys_max = (size_t)24 << 20;
    if (config->log_retention_ms == 0)
        config->log_retention_ms = 3 * DAY_MS;
    if (config->pack_ms == 0)
        config->pack_ms = 2 * MINUTE_MS;
}

err engine_begin_keeping(struct engine *engine, struct problem *problem)
{
    if (pthread_create(&engine->keeper, NULL, engine_keep, engine) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    engine->keeper_runs = true;
    return ERR_OK;
}

static err start_threads(struct engine *engine, struct problem *problem)
{
    err error = ERR_OK;
    if (engine->warehouse != NULL && engine->standby == NULL)
        error = flusher_start(&engine->flusher, engine, FLUSHER_ASKS_HERE, problem);
    if (error == ERR_OK)
        error = start_tail(engine, problem);
    if (error == ERR_OK)
        error = remember_start(engine, problem);
    if (error == ERR_OK)
        error = packing_start(engine, problem);
    if (error == ERR_OK)
        error = follow_start(engine, problem);
    if (error != ERR_OK)
        return error;
    engine_show_progress(engine);
    if (engine->warehouse != NULL)
        warehouse_give_way(engine->warehouse);
    error = engine_begin(engine, problem);
    if (error != ERR_OK)
        return error;
    if (engine->standby != NULL)
        return standby_start(engine, problem);
    return engine->config.replay_only ? ERR_OK : engine_begin_keeping(engine, problem);
}

err engine_open(struct engine **opened, const struct engine_config *config, struct problem *problem)
{
    struct engine *engine = memory_alloc(sizeof *engine);
    if (engine == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the engine");
    engine->config = *config;
    engine->config.appends_nothing = config->appends_nothing || config->follows;
    engine->lock_file = -1;
    engine->nonce_next = 1;
    engine->opened_ms = wall_clock_now_ms(config->clock);
    fill_defaults(&engine->config);
    snprintf(engine->folder, sizeof engine->folder, "%s", config->folder);
    err error = make_state(engine);
    if (error == ERR_OK)
        error = lock_folder(engine, problem);
    if (error == ERR_OK)
        error = open_stores(engine, problem);
    if (error == ERR_OK && engine->config.collects) {
        error = engine_begin(engine, problem); /* there is nothing to load */
    } else if (error == ERR_OK) {
        open_pack(engine);
        packing_open(engine);
        engine->tail.log = engine->log;
        identity_use_keys(engine->identity, engine->keys);
        identity_on_pause(engine->identity, engine_answer_meanwhile, engine);
        error = start_load(engine, problem);
        if (error == ERR_OK)
            error = start_threads(engine, problem);
    }
    if (error != ERR_OK) {
        engine_close(&engine, 0);
        return error;
    }
    *opened = engine;
    card_open(engine, true);
    error = engine_settle(engine, false, -1);
    return error == ERR_OK ? act_start(engine, problem) : error;
}

void engine_close(struct engine **taken, int64_t timeout_ms)
{
    struct engine *engine = *taken;
    *taken = NULL;
    if (engine == NULL)
        return;
    steady_ns start = steady_now();
    card_open(engine, false);
    act_stop(engine, timeout_ms);
    atomic_store(&engine->stopping, true);
    if (engine->keeper_runs)
        pthread_join(engine->keeper, NULL);
    if (engine->thread_runs) {
        log_wake_reader(engine->log);
        pthread_join(engine->thread, NULL);
    }
    queue_close(&engine->questions);
    if (engine->asked_last != NULL && engine->identity != NULL)
        engine_answer(engine, true);
    remember_stop(engine);
    packing_stop(engine);
    settle_stop(engine);
    if (engine->ledger != NULL && !ledger_is_failing(engine->ledger, NULL) &&
        ledger_drain(engine->ledger) != ERR_OK)
        log_line(LOG_WARN, "ledger_not_drained", "%s", "");
    int64_t left_ms = timeout_ms - steady_since_ms(start);
    flusher_stop(&engine->flusher, left_ms > 0 ? left_ms : 0);
    drop_state(engine);
}
