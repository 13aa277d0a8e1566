/* SPDX-License-Identifier: Apache-2.0 */
/* collecting: the sources as the active server has them, and nothing else; see collecting.h. */
#include "engine/collecting.h"

#include "base/codec.h"
#include "base/logline.h"
#include "engine/state.h"

/* Between two looks whether the ledger has what the log said. */
#define LOOK_MS 200
#define LOOK_FOR_KEYS_MS 500

static bool take_applied(void *context, const struct ledger_value *values)
{
    struct cursor cursor = cursor_over(values[1].bytes);
    uint64_t applied = read_u64(&cursor);
    if (!cursor.failed)
        *(uint64_t *)context = applied;
    return false;
}

/* How far the active server has committed. */
static err read_applied(struct engine *engine, uint64_t *applied, struct problem *problem)
{
    struct ledger_value key = ledger_text(STR("applied_seq"));
    *applied = 0;
    return ledger_find(engine->ledger, LEDGER_META, &key, 1, take_applied, applied, problem);
}

static err load_sources(struct engine *engine, struct problem *problem)
{
    struct access fresh;
    err error = access_load(&fresh, engine->keys, engine->ledger, problem);
    if (error != ERR_OK) {
        access_deinit(&fresh);
        return error;
    }
    access_deinit(&engine->access);
    engine->access = fresh;
    engine_publish_sources(engine);
    atomic_fetch_add(&engine->access_version, 1);
    return ERR_OK;
}

err collecting_open(struct engine *engine, struct problem *problem)
{
    const struct ledger_config config = { .path = engine->config.ledger_url,
                                          .readers = 2,
                                          .read_only = true };
    uint64_t applied = 0;
    err error = ledger_open(&engine->ledger, &config, problem);
    if (error == ERR_OK)
        error = read_applied(engine, &applied, problem);
    if (error == ERR_OK)
        error = load_sources(engine, problem);
    if (error == ERR_OK)
        error = engine_learn_keys(engine, engine->ledger, problem);
    if (error != ERR_OK)
        return error;
    uint64_t last = log_last_seq(engine->log); /* a moment behind the ledger, perhaps */
    applied = last < applied ? last : applied;
    engine->applied_seq = applied;
    atomic_store(&engine->committed_seq, applied);
    atomic_store(&engine->flushed_seq, applied);
    return ERR_OK;
}

/* Steps of jobs change no source; sources, settings, people and what takes write keys back do, or may. */
static bool may_change(const struct log_record *record)
{
    struct command_record command;
    if (record->kind != LOG_RECORD_COMMAND || command_decode(record->body, &command) != ERR_OK)
        return false;
    static const char *const heads[] = {
        "source.", "setting.", "user.", "role.", "token.", "team."
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (str_starts_with(command.operation, str_from_c(heads[i])))
            return true;
    return false;
}

static void look_again(struct engine *engine)
{
    struct problem problem = { .error = ERR_OK };
    uint64_t applied = 0;
    if (engine->sources_changed_seq == 0 || steady_since_ms(engine->sources_looked) < LOOK_MS)
        return;
    engine->sources_looked = steady_now();
    err error = read_applied(engine, &applied, &problem);
    if (error == ERR_OK && applied < engine->sources_changed_seq)
        return; /* not committed yet */
    if (error == ERR_OK)
        error = load_sources(engine, &problem);
    if (error == ERR_OK)
        engine->sources_changed_seq = 0;
    else
        log_line(LOG_WARN, "sources_not_read", "reason=\"%s\"", problem.detail);
}

void collecting_pass(struct engine *engine, const struct log_block *block)
{
    if (block != NULL) {
        struct log_cursor cursor = { .block = block };
        struct log_record record;
        while (log_block_next(&cursor, &record)) {
            if (may_change(&record))
                engine->sources_changed_seq = record.seq;
            engine->applied_seq = record.seq;
        }
        engine->now_ms = block->received_ms;
        atomic_store(&engine->applied_seq_shown, engine->applied_seq);
        atomic_store(&engine->committed_seq, engine->applied_seq);
        atomic_store(&engine->as_of_ms, engine->now_ms);
        pthread_mutex_lock(&engine->waiters_mutex);
        pthread_cond_broadcast(&engine->waiters_changed);
        pthread_mutex_unlock(&engine->waiters_mutex);
    }
    look_again(engine);
    if (steady_since_ms(engine->keys_looked) >= LOOK_FOR_KEYS_MS) {
        engine_look_for_keys(engine, engine->ledger);
        engine->keys_looked = steady_now();
    }
}
