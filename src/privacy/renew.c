/* SPDX-License-Identifier: Apache-2.0 */
/* renew: the job that seals anew; see renew.h. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/logline.h"
#include "privacy/inside.h"

#define META_JOB "sealing_job"
#define META_BYTES_MAX 2000
/* So long a rest after a step as the step took, up to here: ingestion goes on meanwhile. */
#define REST_MS_MAX 100

static const char *const phase_texts[] = {
#define X(name, text) text,
    RENEW_PHASE_TABLE(X)
#undef X
};

/* ---- its row in META ---- */

static err put_job(struct privacy *privacy, str value, struct problem *problem)
{
    struct ledger *ledger = engine_ledger(privacy->engine);
    struct ledger_writes *writes = ledger_writes_new(ledger);
    if (writes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to write to the ledger");
    LEDGER_PUT(writes, LEDGER_META, ledger_text(STR(META_JOB)), ledger_blob(value));
    err error = ledger_apply(ledger, &writes, 0, NULL, NULL);
    if (error != ERR_OK)
        ledger_writes_free(&writes);
    return error == ERR_OK ? ERR_OK
                           : problem_set(problem, error, "the ledger does not take what is sealed");
}

static void show(struct renewing *renewing)
{
    pthread_mutex_lock(&renewing->mutex);
    renewing->shown = renewing->state;
    pthread_mutex_unlock(&renewing->mutex);
}

static err save(struct privacy *privacy, struct problem *problem)
{
    struct renew_state *state = &privacy->renewing.state;
    char text[META_BYTES_MAX];
    int size =
        snprintf(text, sizeof text,
                 "{\"key\":%u,\"done\":%u,\"pass\":%u,\"phase\":%d,\"table\":%u,\"seq\":%llu,"
                 "\"changed\":%llu,\"counts\":[%llu,%llu,%llu,%llu],\"began_ms\":%lld,"
                 "\"finished_ms\":%lld}",
                 state->key, state->done, state->pass, (int)state->phase, state->table,
                 (unsigned long long)state->seq, (unsigned long long)state->changed,
                 (unsigned long long)state->counts[0], (unsigned long long)state->counts[1],
                 (unsigned long long)state->counts[2], (unsigned long long)state->counts[3],
                 (long long)state->began_ms, (long long)state->finished_ms);
    INVARIANT(size > 0 && (size_t)size < sizeof text);
    show(&privacy->renewing);
    return put_job(privacy, str_from_bytes(text, (size_t)size), problem);
}

static uint64_t member(json_value object, const char *name)
{
    return (uint64_t)json_int(json_get(object, str_from_c(name)), 0);
}

static void read_state(struct renew_state *state, json_value json)
{
    struct json_iterator counts = json_iterate(json_get(json, STR("counts")));
    json_value count;
    *state = (struct renew_state){ .key = (uint32_t)member(json, "key"),
                                   .done = (uint32_t)member(json, "done"),
                                   .pass = (uint32_t)member(json, "pass"),
                                   .table = (uint32_t)member(json, "table"),
                                   .seq = member(json, "seq"),
                                   .changed = member(json, "changed"),
                                   .began_ms = (int64_t)member(json, "began_ms"),
                                   .finished_ms = (int64_t)member(json, "finished_ms") };
    uint64_t phase = member(json, "phase");
    state->phase = phase < RENEW_PHASE_COUNT ? (enum renew_phase)phase : RENEW_LEDGER;
    for (int i = 0; i < RENEW_PHASE_COUNT && json_next(&counts, NULL, &count); i++)
        state->counts[i] = (uint64_t)json_int(count, 0);
}

static bool take_text(void *context, const struct ledger_value *values)
{
    buffer_append_str(context, values[1].bytes);
    return false;
}

static err load(struct privacy *privacy, struct problem *problem)
{
    struct ledger_value key = ledger_text(STR(META_JOB));
    struct buffer text;
    json_value json;
    buffer_init(&text, META_BYTES_MAX);
    err error = ledger_find(engine_ledger(privacy->engine), LEDGER_META, &key, 1, take_text, &text,
                            problem);
    if (error == ERR_OK)
        error = buffer_status(&text);
    if (error == ERR_OK && text.size > 0) {
        error = json_parse(privacy->parser, buffer_str(&text), &json, problem);
        if (error == ERR_OK)
            read_state(&privacy->renewing.state, json);
    }
    buffer_deinit(&text);
    if (privacy->renewing.state.done == 0)
        privacy->renewing.state.done = 1; /* nothing was ever sealed by another */
    privacy->renewing.loaded = error == ERR_OK;
    show(&privacy->renewing);
    return error;
}

/* ---- the job ---- */

static int64_t now_of(struct privacy *privacy)
{
    struct engine_status status;
    engine_status(privacy->engine, &status);
    return status.as_of_ms;
}

static void begin_pass(struct renew_state *state)
{
    state->pass++;
    state->phase = RENEW_LEDGER;
    state->table = 0;
    state->seq = 0;
    state->changed = state->busy = 0;
}

/* The key file has it, then the other servers have it or can take it, then it seals: whoever starts here, or beside us, opens what it
 * has sealed. */
static err begin(struct privacy *privacy, uint32_t newest, struct problem *problem)
{
    struct renew_state *state = &privacy->renewing.state;
    char path[PRIVACY_PATH_BYTES];
    engine_keys_path(privacy->engine, path, sizeof path);
    err error = engine_share_key(privacy->engine, newest, problem);
    if (error == ERR_OK)
        error = keys_use(engine_keys(privacy->engine), path, newest, problem);
    if (error != ERR_OK)
        return error;
    *state =
        (struct renew_state){ .key = newest, .done = state->done, .began_ms = now_of(privacy) };
    begin_pass(state);
    privacy->renewing.has_place = false;
    log_line(LOG_INFO, "sealing_anew", "key=%u", newest);
    return save(privacy, problem);
}

static err end(struct privacy *privacy, struct problem *problem)
{
    struct renew_state *state = &privacy->renewing.state;
    state->done = state->key;
    state->key = 0;
    state->finished_ms = now_of(privacy);
    log_line(LOG_INFO, "sealed_anew",
             "key=%u passes=%u rows=%llu records=%llu texts=%llu files=%llu", state->done,
             state->pass, (unsigned long long)state->counts[RENEW_LEDGER],
             (unsigned long long)state->counts[RENEW_LOG],
             (unsigned long long)state->counts[RENEW_WAREHOUSE],
             (unsigned long long)state->counts[RENEW_FILES]);
    return save(privacy, problem);
}

/* A phase is through: the next one, the next pass, or the end. */
static err next_phase(struct privacy *privacy, bool *waits, struct problem *problem)
{
    struct renew_state *state = &privacy->renewing.state;
    state->seq = 0;
    state->table = 0;
    if (state->phase + 1 < RENEW_PHASE_COUNT) {
        state->phase = (enum renew_phase)(state->phase + 1);
        return save(privacy, problem);
    }
    if (state->busy > 0 && state->changed == 0) { /* the files alone, when they are let go */
        *waits = true;
        return problem_set(problem, ERR_BUSY, "%llu files are being written",
                           (unsigned long long)state->busy);
    }
    if (state->changed > 0 || state->busy > 0) {
        begin_pass(state);
        return save(privacy, problem);
    }
    return end(privacy, problem);
}

static err step(struct privacy *privacy, bool *waits, struct problem *problem)
{
    static err (*const steps[])(struct privacy *, bool *, struct problem *) = {
        [RENEW_LEDGER] = renew_ledger,
        [RENEW_LOG] = renew_log,
        [RENEW_WAREHOUSE] = renew_warehouse,
        [RENEW_FILES] = renew_files,
    };
    struct renew_state *state = &privacy->renewing.state;
    bool ended = false;
    uint32_t table = state->table;
    uint64_t seq = state->seq;
    steady_ns start = steady_now();
    err error = steps[state->phase](privacy, &ended, problem);
    show(&privacy->renewing);
    if (error == ERR_OK && ended)
        error = next_phase(privacy, waits, problem);
    else if (error == ERR_OK && (state->table != table || state->seq != seq))
        error = save(privacy, problem);
    int64_t took_ms = steady_since_ms(start);
    if (error == ERR_OK && !privacy_stops(privacy))
        steady_sleep_ms(took_ms < REST_MS_MAX ? took_ms : REST_MS_MAX);
    return error;
}

static bool is_interrupted(struct privacy *privacy)
{
    pthread_mutex_lock(&privacy->mutex);
    bool woken = privacy->woken;
    pthread_mutex_unlock(&privacy->mutex);
    return woken || privacy_stops(privacy) || privacy_is_unclean(privacy);
}

static void tell(struct renewing *renewing, err error, const struct problem *problem)
{
    pthread_mutex_lock(&renewing->mutex);
    snprintf(renewing->waits_for, sizeof renewing->waits_for, "%s",
             error == ERR_OK ? "" : problem->detail);
    pthread_mutex_unlock(&renewing->mutex);
}

err renew_look(struct privacy *privacy, bool *more, struct problem *problem)
{
    struct renewing *renewing = &privacy->renewing;
    struct renew_state *state = &renewing->state;
    bool waits = false;
    *more = false;
    if (engine_follows(privacy->engine))
        return ERR_OK;
    err error = renewing->loaded ? ERR_OK : load(privacy, problem);
    uint32_t newest = keys_known(engine_keys(privacy->engine));
    if (error == ERR_OK && newest > state->done && newest > state->key)
        error = begin(privacy, newest, problem);
    while (error == ERR_OK && state->key != 0 && !is_interrupted(privacy))
        error = step(privacy, &waits, problem);
    tell(renewing, error, problem);
    *more = error == ERR_OK && state->key != 0;
    return waits ? ERR_OK : error;
}

err renew_open(struct privacy *privacy)
{
    struct renewing *renewing = &privacy->renewing;
    pthread_mutex_init(&renewing->mutex, NULL);
    renewing->place_bytes = memory_alloc(RENEW_PLACE_BYTES);
    return renewing->place_bytes != NULL ? ERR_OK : ERR_NOMEM;
}

void renew_close(struct privacy *privacy)
{
    memory_free(privacy->renewing.place_bytes);
    pthread_mutex_destroy(&privacy->renewing.mutex);
}

/* ---- for people ---- */

err privacy_rotate_keys(struct privacy *privacy, uint32_t from, struct problem *problem)
{
    char path[PRIVACY_PATH_BYTES];
    struct keys *keys = engine_keys(privacy->engine);
    uint32_t newest = keys_known(keys);
    pthread_mutex_lock(&privacy->renewing.mutex);
    uint32_t done = privacy->renewing.shown.done;
    pthread_mutex_unlock(&privacy->renewing.mutex);
    if (engine_follows(privacy->engine))
        return problem_set(problem, ERR_UNAVAILABLE,
                           "this server follows another: keys are rotated at the active one");
    if (from < newest)
        return ERR_OK; /* it was done */
    if (from > newest)
        return problem_set(problem, ERR_CONFLICT, "there is no key %u: the newest is %u", from,
                           newest);
    if (newest > 1 && done < newest)
        return problem_set(problem, ERR_CONFLICT,
                           "the rotation to key %u is under way: its job is k%u", newest, newest);
    engine_keys_path(privacy->engine, path, sizeof path);
    err error = keys_add(keys, path, newest + 1, problem);
    if (error == ERR_OK)
        privacy_wake(privacy);
    return error;
}

err privacy_remove_key(struct privacy *privacy, uint32_t number, struct problem *problem)
{
    char path[PRIVACY_PATH_BYTES];
    struct keys *keys = engine_keys(privacy->engine);
    pthread_mutex_lock(&privacy->renewing.mutex);
    uint32_t done = privacy->renewing.shown.done;
    pthread_mutex_unlock(&privacy->renewing.mutex);
    if (engine_follows(privacy->engine))
        return problem_set(problem, ERR_UNAVAILABLE,
                           "this server follows another: keys are removed at the active one");
    if (number == 0 || number > keys_known(keys))
        return problem_set(problem, ERR_NOT_FOUND, "there is no key %u", number);
    if (number < keys_known(keys) && number >= done) {
        problem_set(problem, ERR_CONFLICT, "key %u is still needed", number);
        return problem_hint(problem, ERR_CONFLICT, "wait until job k%u is finished",
                            keys_known(keys));
    }
    engine_keys_path(privacy->engine, path, sizeof path);
    err error = keys_remove(keys, path, number, problem);
    return error == ERR_OK ? engine_drop_keys(privacy->engine, number, problem) : error;
}

static void write_job(const struct renew_state *state, const char *waits_for, uint32_t number,
                      struct json_writer *writer)
{
    char id[16];
    bool runs = number > state->done;
    snprintf(id, sizeof id, "k%u", number);
    json_begin_object(writer);
    json_member_text(writer, STR("id"), str_from_c(id));
    json_member_text(writer, STR("kind"), STR("sealing"));
    json_member_text(writer, STR("state"), runs ? STR("running") : STR("finished"));
    json_member_int(writer, STR("key"), number);
    if (runs && state->key == number) {
        json_member_int(writer, STR("pass"), state->pass);
        json_member_text(writer, STR("phase"), str_from_c(phase_texts[state->phase]));
        if (state->phase == RENEW_LEDGER && state->table < LEDGER_TABLE_COUNT)
            json_member_text(writer, STR("table"),
                             str_from_c(ledger_table_name((enum ledger_table)state->table)));
        if (waits_for[0] != '\0')
            json_member_text(writer, STR("waits_for"), str_from_c(waits_for));
    }
    json_put_key(writer, STR("sealed_anew"));
    json_begin_object(writer);
    for (int i = 0; i < RENEW_PHASE_COUNT; i++)
        json_member_int(writer, str_from_c(phase_texts[i]), (int64_t)state->counts[i]);
    json_end_object(writer);
    if (state->began_ms != 0)
        json_member_time(writer, STR("began_at"), state->began_ms);
    if (!runs && state->finished_ms != 0)
        json_member_time(writer, STR("finished_at"), state->finished_ms);
    json_end_object(writer);
}

static void copy_shown(struct privacy *privacy, struct renew_state *state,
                       char waits_for[WAITS_BYTES])
{
    pthread_mutex_lock(&privacy->renewing.mutex);
    *state = privacy->renewing.shown;
    memcpy(waits_for, privacy->renewing.waits_for, WAITS_BYTES);
    pthread_mutex_unlock(&privacy->renewing.mutex);
    if (state->done == 0)
        state->done = 1;
}

err privacy_write_key_job(struct privacy *privacy, uint32_t number, struct json_writer *writer,
                          struct problem *problem)
{
    struct renew_state state;
    char waits_for[WAITS_BYTES];
    uint32_t newest = keys_known(engine_keys(privacy->engine));
    copy_shown(privacy, &state, waits_for);
    if (number < 2 || number != newest)
        return problem_set(problem, ERR_NOT_FOUND, "there is no job k%u", number);
    if (state.key != number && number > state.done)
        state = (struct renew_state){ .done = state.done }; /* it has not begun yet */
    write_job(&state, waits_for, number, writer);
    return ERR_OK;
}

err privacy_write_keys(struct privacy *privacy, struct json_writer *writer, struct problem *problem)
{
    struct renew_state state;
    char waits_for[WAITS_BYTES];
    const struct keys *keys = engine_keys(privacy->engine);
    uint32_t newest = keys_known(keys), oldest = keys_kept_from(keys);
    err error = ERR_OK;
    copy_shown(privacy, &state, waits_for);
    json_begin_object(writer);
    json_member_int(writer, STR("newest"), newest);
    json_member_int(writer, STR("keys_max"), SEALING_KEYS_MAX);
    json_put_key(writer, STR("keys"));
    json_begin_array(writer);
    for (uint32_t number = newest; number >= 1; number--) {
        json_begin_object(writer);
        json_member_int(writer, STR("number"), number);
        json_member_text(writer, STR("state"),
                         number == newest   ? STR("seals")
                         : number >= oldest ? STR("retired")
                                            : STR("removed"));
        json_member_bool(writer, STR("needed"), number == newest || number >= state.done);
        json_end_object(writer);
    }
    json_end_array(writer);
    if (newest > 1) {
        json_put_key(writer, STR("job"));
        error = privacy_write_key_job(privacy, newest, writer, problem);
    }
    json_end_object(writer);
    return error;
}
