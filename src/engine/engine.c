/* SPDX-License-Identifier: Apache-2.0 */
/* engine: the one thread that applies the log, and how the rest of Kith speaks with it.
 *
 * Its loop, with the function of each step:
 *
 *     take blocks (log_next) ─▶ apply (apply_block) ─▶ commit as a group (commit_group)
 *              ▲                                          │
 *              └──── answer questions (answer_questions) ◀┘
 *
 * A group is as many blocks as wait, up to a limit: one ledger transaction under load, one per block when
 * little happens. State does not depend on it (invariant A1).
 */
#include "engine/state.h"

#include <fcntl.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/logline.h"
#include "base/metric.h"
#include "engine/card.h"
#include "engine/collecting.h"

#define GROUP_RECORDS_MAX 8192
#define QUESTIONS_MAX 100000
#define CHUNK_ARENA_BYTES ((size_t)64 << 20)
#define OUTCOMES_BYTES_MAX ((size_t)256 << 20)
#define TAIL_BYTES_MAX ((size_t)512 << 20)
/* Handed to the ledger and not committed: beyond it the engine waits, then the log, then the doors. */
#define LEDGER_PENDING_BYTES_MAX ((size_t)128 << 20)
/* Of history, between groups. */
#define TIDY_US 1000
#define TIDY_ASKED_US 100

/* ---- a group: apply, then one commit ---- */

static void engine_committed(void *context, uint64_t seq)
{
    struct engine *engine = context;
    if (fault_fires(FAULT_LEDGER_AFTER_COMMIT))
        return;
    uint64_t before = atomic_exchange(&engine->committed_seq, seq);
    uint64_t changed = atomic_load(&engine->access_changed_seq);
    if (changed > before && changed <= seq)
        atomic_fetch_add(&engine->access_version, 1);
    pthread_mutex_lock(&engine->waiters_mutex);
    pthread_cond_broadcast(&engine->waiters_changed);
    pthread_mutex_unlock(&engine->waiters_mutex);
    if (engine->flusher != NULL)
        flusher_wake(engine->flusher, false);
}

static err begin_group(struct engine *engine)
{
    engine->writes = ledger_writes_new(engine->ledger);
    engine->group_first_seq = engine->applied_seq + 1;
    buffer_clear(&engine->outcomes);
    return engine->writes != NULL ? ERR_OK : ERR_NOMEM;
}

static void take_block_outcomes(struct engine *engine)
{
    buffer_append(&engine->outcomes, engine->block_outcomes.data + engine->block_outcomes_taken,
                  engine->block_outcomes.size - engine->block_outcomes_taken);
    engine->block_outcomes_taken = engine->block_outcomes.size;
}

/* Identity keeps new rows in RAM until they can be read in the ledger. */
static void note_group(struct engine *engine)
{
    uint64_t committed = atomic_load(&engine->committed_seq);
    struct group_rows *groups = engine->groups;
    size_t done = 0;
    while (done < engine->group_count && groups[done].last_seq <= committed)
        done++;
    if (done > 0) {
        identity_committed(engine->identity, groups[done - 1].last_row);
        engine->group_count -= done;
        memmove(groups, groups + done, engine->group_count * sizeof *groups);
    }
    struct group_rows now = { engine->applied_seq, identity_row_count(engine->identity) };
    /* With no place left two groups are told as one, a little later. */
    if (engine->group_count == GROUPS_NOTED_MAX)
        engine->group_count--;
    groups[engine->group_count++] = now;
}

/* For the commit of a command. */
static bool somebody_waits(struct engine *engine)
{
    pthread_mutex_lock(&engine->waiters_mutex);
    bool waits = engine->waiters != NULL;
    pthread_mutex_unlock(&engine->waiters_mutex);
    return waits;
}

static err commit_group(struct engine *engine)
{
    uint64_t count = engine->applied_seq + 1 - engine->group_first_seq;
    err error = buffer_status(&engine->outcomes);
    if (error != ERR_OK)
        return error;
    if (count == 0) {
        ledger_writes_free(&engine->writes);
        return ERR_OK;
    }
    if (!engine->config.replay_only) {
        LEDGER_PUT(engine->writes, LEDGER_OUTCOMES, ledger_int((int64_t)engine->group_first_seq),
                   ledger_int((int64_t)count), ledger_blob(buffer_str(&engine->outcomes)));
    }
    if (engine->flusher != NULL)
        flusher_note_outcomes(engine->flusher, engine->group_first_seq, engine->applied_seq);
    audience_commit(engine->audience, engine->writes);
    move_commit(engine, engine->writes);
    error = news_commit(engine, engine->writes);
    if (error != ERR_OK)
        return error;
    note_group(engine);
    err applied = ledger_apply(engine->ledger, &engine->writes, engine->applied_seq,
                               engine_committed, engine);
    if (somebody_waits(engine))
        ledger_hurry(engine->ledger);
    return applied;
}

err engine_barrier(struct engine *engine)
{
    take_block_outcomes(engine);
    err error = commit_group(engine);
    if (error == ERR_OK)
        error = ledger_drain(engine->ledger);
    if (error == ERR_OK)
        error = begin_group(engine);
    return error;
}

static void show_progress(struct engine *engine)
{
    atomic_store(&engine->applied_seq_shown, engine->applied_seq);
    atomic_store(&engine->as_of_ms, engine->now_ms);
    atomic_store(&engine->customers, identity_customer_count(engine->identity));
    atomic_store(&engine->nodes, identity_node_count(engine->identity));
    atomic_store(&engine->identifiers, identity_row_count(engine->identity));
    atomic_store(&engine->message_keys, dedupe_count(&engine->dedupe));
    atomic_store(&engine->identity_bytes, identity_memory_bytes(engine->identity));
    atomic_store(&engine->profile_bytes, profile_memory_bytes(engine->profile));
    atomic_store(&engine->tail_bytes, engine->tail.bytes);
}

static err apply_one(struct engine *engine, struct log_block *block)
{
    steady_ns start = steady_now();
    struct applied_block *applied = NULL;
    err error = apply_block(engine, block, &applied);
    if (error != ERR_OK)
        return error;
    take_block_outcomes(engine);
    buffer_clear(&engine->block_outcomes);
    engine->block_outcomes_taken = 0;
    if (engine->flusher != NULL)
        flusher_give(engine->flusher, applied);
    tail_add(&engine->tail, applied);
    metric_observe_us(METRIC_ENGINE_BATCH_US, steady_since_us(start));
    return ERR_OK;
}

static void answer_questions(struct engine *engine, bool all);

static bool somebody_asks(struct engine *engine)
{
    return engine->asked != NULL || queue_weight(&engine->questions) > 0;
}

/* Apply `block` and whatever else waits already, as one group. A question waits for the records that were durable
 * before it, not for the whole group. */
static err apply_group(struct engine *engine, struct log_block *block, struct problem *problem)
{
    if (engine->config.collects) {
        collecting_pass(engine, block);
        log_block_release(&block);
        return ERR_OK;
    }
    err error = begin_group(engine);
    while (error == ERR_OK && block != NULL) {
        error = apply_one(engine, block);
        log_block_release(&block);
        bool is_full = engine->applied_seq + 1 - engine->group_first_seq >= GROUP_RECORDS_MAX;
        if (error == ERR_OK && somebody_asks(engine))
            answer_questions(engine, false);
        if (error == ERR_OK && !is_full)
            error = log_next(engine->log, 0, &block, problem);
    }
    if (block != NULL)
        log_block_release(&block);
    if (error == ERR_OK && fault_fires(FAULT_ENGINE_AFTER_APPLY))
        error = ERR_INTERNAL;
    if (error == ERR_OK)
        error = commit_group(engine);
    if (engine_flushes(engine))
        tail_advance(&engine->tail, atomic_load(&engine->flushed_seq));
    act_show(engine);
    show_progress(engine);
    return error;
}

/* ---- questions ---- */

static struct engine_state state_of(const struct engine *engine)
{
    return (struct engine_state){ .identity = engine->identity,
                                  .profile = engine->profile,
                                  .plan = engine->plan,
                                  .audience = engine->audience,
                                  .touches = act_touches(engine),
                                  .journeys = move_journeys(engine),
                                  .tail = &engine->tail,
                                  .applied_seq = engine->applied_seq,
                                  .now_ms = engine->now_ms };
}

/* A question sees everything that was acknowledged before it was asked. While the ledger is behind,
 * nothing is applied and the last state has to do; at the end everybody gets an answer. */
static void answer_questions(struct engine *engine, bool all)
{
    for (struct queue_item *item = queue_take(&engine->questions, 0, 0); item != NULL;) {
        *engine->asked_last = item;
        engine->asked_last = &item->next;
        item = item->next;
    }
    struct engine_state state = state_of(engine);
    if (engine->asked != NULL && engine_flushes(engine))
        tail_advance(&engine->tail, atomic_load(&engine->flushed_seq));
    while (engine->asked != NULL) {
        struct engine_question *question = queue_entry(engine->asked, struct engine_question, item);
        if (!all && question->need_seq > engine->applied_seq)
            break;
        engine->asked = engine->asked->next; /* the question may be gone once it is answered */
        if (engine->asked == NULL)
            engine->asked_last = &engine->asked;
        question->ask(&state, question);
        question->answered(question);
    }
}

/* While rules are applied to all identifiers, questions are answered from the state as it is by then. */
static void answer_meanwhile(void *context)
{
    answer_questions(context, true);
}

/* Another reader is done within microseconds: worth a few looks, not a queue. */
#define HERE_TRIES 4

bool engine_ask_here(struct engine *engine, struct engine_question *question)
{
    bool locked = false;
    for (int i = 0; i < HERE_TRIES && !locked && atomic_load(&engine->is_waiting); i++) {
        locked = pthread_mutex_trylock(&engine->state_mutex) == 0;
        if (!locked)
            sched_yield();
    }
    if (!locked)
        return false;
    bool current = log_last_seq(engine->log) <= engine->applied_seq && engine->asked == NULL &&
                   !atomic_load(&engine->stopping);
    if (current) {
        struct engine_state state = state_of(engine);
        if (engine_flushes(engine))
            tail_advance(&engine->tail, atomic_load(&engine->flushed_seq));
        question->ask(&state, question);
    }
    pthread_mutex_unlock(&engine->state_mutex);
    return current;
}

err engine_ask(struct engine *engine, struct engine_question *question)
{
    question->need_seq = log_last_seq(engine->log);
    if (!queue_put(&engine->questions, &question->item, 1))
        return queue_is_closed(&engine->questions) ? ERR_UNAVAILABLE : ERR_BUSY;
    if (atomic_load(&engine->is_waiting))
        log_wake_reader(engine->log);
    return ERR_OK;
}

struct wait_for_answer {
    struct engine_question question;
    struct engine_question *asked;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool done;
};

static void ask_waited(const struct engine_state *state, struct engine_question *question)
{
    struct wait_for_answer *wait = queue_entry(question, struct wait_for_answer, question);
    wait->asked->ask(state, wait->asked);
}

static void answered_waited(struct engine_question *question)
{
    struct wait_for_answer *wait = queue_entry(question, struct wait_for_answer, question);
    pthread_mutex_lock(&wait->mutex);
    wait->done = true;
    pthread_cond_signal(&wait->answered);
    pthread_mutex_unlock(&wait->mutex);
}

err engine_ask_wait(struct engine *engine, struct engine_question *question)
{
    struct wait_for_answer wait = {
        .question = { .ask = ask_waited, .answered = answered_waited },
        .asked = question,
    };
    pthread_mutex_init(&wait.mutex, NULL);
    pthread_cond_init(&wait.answered, NULL);
    err error = engine_ask(engine, &wait.question);
    pthread_mutex_lock(&wait.mutex);
    while (error == ERR_OK && !wait.done)
        pthread_cond_wait(&wait.answered, &wait.mutex);
    pthread_mutex_unlock(&wait.mutex);
    if (error == ERR_OK && question->answered != NULL)
        question->answered(question);
    pthread_cond_destroy(&wait.answered);
    pthread_mutex_destroy(&wait.mutex);
    return error;
}

/* ---- the thread ---- */

/* Nothing is taken from the log while the ledger is far behind: the log fills, then the doors say so. */
static bool ledger_is_behind(const struct engine *engine)
{
    return ledger_pending_bytes(engine->ledger) > LEDGER_PENDING_BYTES_MAX;
}

/* For good, or until it is begun again (take_over.c). */
static bool must_end(struct engine *engine)
{
    return atomic_load(&engine->stopping) || atomic_load(&engine->pausing);
}

static err next_block(struct engine *engine, struct log_block **block, struct problem *problem)
{
    *block = NULL;
    if (ledger_is_behind(engine)) {
        steady_sleep_ms(1);
        return ERR_OK;
    }
    err error = log_next(engine->log, 0, block, problem);
    if (error != ERR_OK || *block != NULL || must_end(engine) || engine->has_work)
        return error;
    /* Say that we are going to sleep, then look once more: a question put in between wakes us. */
    atomic_store(&engine->is_waiting, true);
    if (queue_weight(&engine->questions) == 0) {
        pthread_mutex_unlock(&engine->state_mutex);
        error = log_next(engine->log, 100, block, problem);
        atomic_store(&engine->is_waiting, false);
        pthread_mutex_lock(&engine->state_mutex);
    }
    atomic_store(&engine->is_waiting, false);
    return error;
}

void engine_fail(struct engine *engine, const struct problem *problem)
{
    log_line(LOG_ERROR, "engine_failed", "reason=\"%s\"", problem->detail);
    pthread_mutex_lock(&engine->waiters_mutex);
    snprintf(engine->failing, sizeof engine->failing, "%.150s", problem->detail);
    pthread_mutex_unlock(&engine->waiters_mutex);
    if (engine->config.fatal != NULL)
        engine->config.fatal(engine->config.context, problem);
}

static bool is_current(struct engine *engine)
{
    return log_last_seq(engine->log) <= engine->applied_seq;
}

/* At the end: when all is applied, or can not be because the ledger does not commit (the log has it). */
static bool may_stop(struct engine *engine)
{
    return must_end(engine) && (is_current(engine) || ledger_is_behind(engine));
}

/* What the engine does at a time besides records: the longest in this minute, or the one before. */
#define SLICE_SHORT_US 20

static void note_slice(struct engine *engine, int64_t took_us)
{
    struct slices *slices = &engine->slices;
    int64_t minute = (int64_t)steady_now().ns / 1000000 / MINUTE_MS;
    if (minute != slices->minute) {
        slices->before_us = minute == slices->minute + 1 ? slices->longest_us : 0;
        slices->longest_us = 0;
        slices->minute = minute;
    }
    slices->longest_us = took_us > slices->longest_us ? took_us : slices->longest_us;
    if (took_us >= SLICE_SHORT_US)
        metric_observe_us(METRIC_ENGINE_SLICE_US, took_us);
    metric_set(METRIC_ENGINE_SLICE_LONGEST_US,
               slices->longest_us > slices->before_us ? slices->longest_us : slices->before_us);
}

void engine_note_tick(struct engine *engine, int64_t took_us)
{
    metric_observe_us(METRIC_ENGINE_TICK_US, took_us);
    note_slice(engine, took_us);
}

static void *run(void *context)
{
    struct engine *engine = context;
    struct problem problem = { .error = ERR_OK };
    err error = ERR_OK;
    pthread_setname_np(pthread_self(), "kith-engine");
    pthread_mutex_lock(&engine->state_mutex);
    while (error == ERR_OK) {
        struct log_block *block = NULL;
        error = next_block(engine, &block, &problem);
        if (error == ERR_OK && block != NULL)
            error = apply_group(engine, block, &problem);
        if (error == ERR_OK)
            answer_questions(engine, ledger_is_behind(engine));
        if (engine->config.collects) {
            collecting_pass(engine, NULL);
        } else {
            steady_ns slice = steady_now();
            remember_tidy(engine, somebody_asks(engine) ? TIDY_ASKED_US : TIDY_US);
            engine->has_work = follow_work(engine);
            note_slice(engine, steady_since_us(slice));
        }
        if (block == NULL && may_stop(engine))
            break;
    }
    if (error != ERR_OK) {
        if (problem.detail[0] == '\0')
            problem_set(&problem, error, "seq %llu could not be applied: %s",
                        (unsigned long long)engine->applied_seq + 1, err_title(error));
        engine_fail(engine, &problem);
    }
    pthread_mutex_unlock(&engine->state_mutex);
    return NULL;
}

/* ---- opening and closing ---- */

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

err engine_begin(struct engine *engine, struct problem *problem)
{
    err error = log_follow(engine->log, engine->applied_seq + 1, problem);
    atomic_store(&engine->pausing, false);
    if (error == ERR_OK && pthread_create(&engine->thread, NULL, run, engine) != 0)
        error = problem_set(problem, ERR_NOMEM, "no thread could be started");
    engine->thread_runs = error == ERR_OK;
    return error;
}

void engine_pause(struct engine *engine)
{
    atomic_store(&engine->pausing, true);
    log_wake_reader(engine->log);
    pthread_join(engine->thread, NULL);
    engine->thread_runs = false;
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
    show_progress(engine);
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
        identity_on_pause(engine->identity, answer_meanwhile, engine);
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
        answer_questions(engine, true);
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
