/* SPDX-License-Identifier: Apache-2.0 */
/* hand_in: what other threads bring to the log: events, commands and ticks; and the sources that doors know them by. */
#include <string.h>

#include "engine/state.h"

#define COMMAND_BYTES_MAX ((size_t)8 << 20)

err engine_append(struct engine *engine, struct log_append *append)
{
    if (atomic_load(&engine->stopping))
        return ERR_UNAVAILABLE;
    return log_append(engine->log, append);
}

struct source_set *engine_sources(struct engine *engine)
{
    pthread_mutex_lock(&engine->sources_mutex);
    struct source_set *set = source_set_hold(engine->sources);
    pthread_mutex_unlock(&engine->sources_mutex);
    return set;
}

static err note_strict(struct engine *engine)
{
    uint32_t count = 1;
    for (size_t index = 0; index < engine->access.source_count; index++) {
        uint32_t number = engine->access.sources[index].source.number;
        count = number >= count ? number + 1 : count;
    }
    bool *strict = memory_alloc(count * sizeof *strict);
    if (strict == NULL)
        return ERR_NOMEM;
    for (size_t index = 0; index < engine->access.source_count; index++) {
        const struct source *source = &engine->access.sources[index].source;
        strict[source->number] = source->strict;
    }
    memory_free(engine->strict);
    engine->strict = strict;
    engine->strict_count = count;
    return ERR_OK;
}

/* As which source each import told. */
static err tell_imports(const struct engine *engine, struct source_set *set)
{
    uint32_t count = engine->jobs.count;
    uint32_t *numbers = memory_alloc((count + 1) * sizeof *numbers);
    if (numbers == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const struct source *source = source_by_key(set, str_from_c(engine->jobs.items[i].source));
        numbers[i] = source != NULL ? source->number : 0;
    }
    err error = source_set_tell_imports(set, EVENT_SOURCE_IMPORT_FIRST, numbers, count);
    memory_free(numbers);
    return error;
}

void engine_publish_sources(struct engine *engine)
{
    struct source_set *made = NULL;
    err error = note_strict(engine);
    if (error == ERR_OK)
        error = access_snapshot(&engine->access, &made);
    if (error == ERR_OK)
        error = tell_imports(engine, made);
    if (error != ERR_OK) {
        struct problem problem;
        source_set_release(&made);
        problem_set(&problem, error, "the sources could not be published: %s", err_title(error));
        engine_fail(engine, &problem);
        return;
    }
    pthread_mutex_lock(&engine->sources_mutex);
    struct source_set *old = engine->sources;
    engine->sources = made;
    pthread_mutex_unlock(&engine->sources_mutex);
    source_set_release(&old);
}

/* An append that its thread waits for. */
struct waited_append {
    struct log_append append;
    struct engine *engine;
    bool done;
    err error;
};

static void waited_durable(struct log_append *append, err error)
{
    struct waited_append *waited = queue_entry(append, struct waited_append, append);
    pthread_mutex_t *mutex = &waited->engine->waiters_mutex;
    pthread_cond_t *changed = &waited->engine->waiters_changed;
    pthread_mutex_lock(mutex);
    waited->error = error;
    waited->done = true;
    pthread_cond_broadcast(changed);
    pthread_mutex_unlock(mutex);
}

err engine_append_wait(struct engine *engine, str records, uint32_t count)
{
    struct waited_append waited = {
        .append = { .records = records, .count = count, .durable = waited_durable },
        .engine = engine,
    };
    err error = log_append(engine->log, &waited.append);
    if (error != ERR_OK)
        return error;
    pthread_mutex_lock(&engine->waiters_mutex);
    while (!waited.done)
        pthread_cond_wait(&engine->waiters_changed, &engine->waiters_mutex);
    pthread_mutex_unlock(&engine->waiters_mutex);
    return waited.error;
}

static void waiter_add(struct engine *engine, struct command_waiter *waiter)
{
    pthread_mutex_lock(&engine->waiters_mutex);
    waiter->nonce = engine->nonce_next++;
    waiter->next = engine->waiters;
    engine->waiters = waiter;
    pthread_mutex_unlock(&engine->waiters_mutex);
}

static void waiter_remove(struct engine *engine, struct command_waiter *waiter)
{
    struct command_waiter **place = &engine->waiters;
    while (*place != waiter)
        place = &(*place)->next;
    *place = waiter->next;
}

/* Until its record is applied and committed; UNAVAILABLE when the engine failed meanwhile. */
static err waiter_wait(struct engine *engine, struct command_waiter *waiter)
{
    err error = ERR_OK;
    pthread_mutex_lock(&engine->waiters_mutex);
    while (!waiter->applied || atomic_load(&engine->committed_seq) < waiter->seq) {
        if (engine->failing[0] != '\0') {
            error = ERR_UNAVAILABLE;
            break;
        }
        struct timespec deadline;
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_sec += 1;
        pthread_cond_timedwait(&engine->waiters_changed, &engine->waiters_mutex, &deadline);
    }
    waiter_remove(engine, waiter);
    pthread_mutex_unlock(&engine->waiters_mutex);
    return error;
}

static err refuse_command(struct engine *engine, struct problem *problem)
{
    struct log_standing standing;
    log_standing(engine->log, &standing);
    problem_set(problem, ERR_UNAVAILABLE, "this server follows another and changes nothing");
    return problem_hint(problem, ERR_UNAVAILABLE, "send it to %s",
                        standing.active[0] != '\0' ? standing.active : "the active server");
}

err engine_command(struct engine *engine, const struct engine_command *command, int *status,
                   struct buffer *response, struct problem *problem)
{
    struct command_waiter waiter = { .response = response };
    if (engine->config.follows)
        return refuse_command(engine, problem);
    waiter_add(engine, &waiter);
    struct command_record record = { .nonce = waiter.nonce,
                                     .user_number = command->user_number,
                                     .address = command->address,
                                     .has_idempotency_key = command->has_idempotency_key,
                                     .operation = command->operation,
                                     .body = command->body };
    memcpy(record.idempotency_key, command->idempotency_key, sizeof record.idempotency_key);
    memcpy(record.request_hash, command->request_hash, sizeof record.request_hash);
    struct buffer body, records;
    buffer_init(&body, COMMAND_BYTES_MAX);
    buffer_init(&records, COMMAND_BYTES_MAX);
    command_encode(&body, &record);
    err error = buffer_status(&body);
    if (error == ERR_OK) {
        log_record_write(&records, LOG_RECORD_COMMAND, buffer_str(&body));
        error = buffer_status(&records);
    }
    if (error == ERR_OK && atomic_load(&engine->stopping))
        error = ERR_UNAVAILABLE;
    if (error == ERR_OK)
        error = engine_append_wait(engine, buffer_str(&records), 1);
    if (error == ERR_OK) {
        error = waiter_wait(engine, &waiter);
    } else {
        pthread_mutex_lock(&engine->waiters_mutex);
        waiter_remove(engine, &waiter);
        pthread_mutex_unlock(&engine->waiters_mutex);
    }
    buffer_deinit(&records);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return problem_set(problem, error, "the command was not taken: %s", err_title(error));
    *status = waiter.status;
    return ERR_OK;
}

void engine_command_write(struct buffer *records, str operation, str body)
{
    struct command_record record = { .operation = operation, .body = body };
    struct buffer bytes;
    buffer_init(&bytes, COMMAND_BYTES_MAX);
    command_encode(&bytes, &record);
    if (buffer_status(&bytes) == ERR_OK)
        log_record_write(records, LOG_RECORD_COMMAND, buffer_str(&bytes));
    else
        records->failed = true;
    buffer_deinit(&bytes);
}

err engine_advance(struct engine *engine, int64_t by_ms)
{
    return move_advance(engine, by_ms);
}

err engine_tick(struct engine *engine)
{
    struct buffer records;
    buffer_init(&records, 64);
    log_record_write(&records, LOG_RECORD_TICK, STR_NONE);
    err error = buffer_status(&records);
    if (error == ERR_OK)
        error = engine_append_wait(engine, buffer_str(&records), 1);
    buffer_deinit(&records);
    return error;
}
