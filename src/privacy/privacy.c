/* SPDX-License-Identifier: Apache-2.0 */
/* privacy: the thread that brings erasures to their end; see privacy.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/logline.h"
#include "privacy/inside.h"

#define SETTLE_MS (10 * MINUTE_MS)
#define LOOK_MS (5 * SECOND_MS)
#define AGAIN_MS (5 * SECOND_MS)
#define ROUND_ERASURES_MAX 2000
#define ARENA_BYTES ((size_t)256 << 20)

bool privacy_stops(const struct privacy *privacy)
{
    return atomic_load(&privacy->closed);
}

static err told_problem(struct privacy *privacy, int status, str answer, struct problem *problem)
{
    json_value json;
    str detail = STR("the engine refused it");
    if (json_parse(privacy->parser, answer, &json, NULL) == ERR_OK)
        detail = json_text(json_get(json, STR("detail")));
    err error = status == 404 ? ERR_NOT_FOUND : status == 409 ? ERR_CONFLICT : ERR_UNPROCESSABLE;
    return problem_set(problem, error, STR_FMT, STR_ARG(detail));
}

err privacy_command(struct privacy *privacy, const char *operation, str body, struct buffer *out,
                    struct problem *problem)
{
    struct engine_command command = { .operation = str_from_c(operation), .body = body };
    struct buffer answer;
    int status = 0;
    err error;
    buffer_init(&answer, (size_t)1 << 20);
    while ((error = engine_command(privacy->engine, &command, &status, &answer, problem)) ==
               ERR_BUSY ||
           error == ERR_STORAGE_FULL) {
        if (privacy_stops(privacy))
            break;
        steady_sleep_ms(error == ERR_BUSY ? 10 : 500);
    }
    if (error == ERR_OK && status >= 400)
        error = told_problem(privacy, status, buffer_str(&answer), problem);
    if (error == ERR_OK && out != NULL)
        buffer_append_str(out, buffer_str(&answer));
    buffer_deinit(&answer);
    return error;
}

/* ---- what a round is about ---- */

static bool add_erasing(struct round *round, const struct ledger_value *values)
{
    struct arena *arena = &round->privacy->arena;
    if (round->count == round->capacity)
        return false; /* the next round takes the rest */
    struct erasing *erasing = &round->items[round->count];
    str nodes = values[7].bytes;
    struct cursor cursor = cursor_over(nodes);
    *erasing = (struct erasing){ .number = (uint32_t)values[0].integer,
                                 .node_count = nodes.size / sizeof(uint32_t) };
    erasing->nodes = arena_array(arena, uint32_t, erasing->node_count + 1);
    if (erasing->nodes == NULL || arena_dup(arena, values[8].bytes, &erasing->secret) != ERR_OK ||
        arena_dup(arena, values[9].bytes, &erasing->receipt) != ERR_OK) {
        round->error = ERR_NOMEM;
        return false;
    }
    for (size_t i = 0; i < erasing->node_count; i++)
        erasing->nodes[i] = read_u32(&cursor);
    round->count++;
    return true;
}

static bool take_erasure(void *context, const struct ledger_value *values)
{
    struct round *round = context;
    return !str_equal(values[6].bytes, STR("erasing")) || add_erasing(round, values);
}

static bool take_stone(void *context, const struct ledger_value *values)
{
    struct round *round = context;
    if (values[5].integer != 0 || values[0].bytes.size != 16)
        return true; /* lifted: she is here again */
    if (round->hash_count == round->hash_capacity) {
        size_t capacity = round->hash_capacity == 0 ? 256 : round->hash_capacity * 2;
        void *hashes = memory_resize(round->hashes, capacity * 16);
        if (hashes == NULL) {
            round->error = ERR_NOMEM;
            return false;
        }
        round->hashes = hashes;
        round->hash_capacity = capacity;
    }
    memcpy(round->hashes[round->hash_count++], values[0].bytes.data, 16); /* in the order of keys */
    return true;
}

static void add_term(struct round *round, str term)
{
    str kept;
    if (term.size < 5 || round->term_count == TERMS_MAX)
        return;
    if (arena_dup(&round->privacy->arena, term, &kept) == ERR_OK)
        round->terms[round->term_count++] = kept;
    else
        round->error = ERR_NOMEM;
}

/* What a file may call her by. */
static void add_value(struct round *round, str type, str value)
{
    struct privacy *privacy = round->privacy;
    str plain = value;
    (void)type;
    if (seal_is_sealed(value) &&
        keys_unseal(engine_keys(privacy->engine), &privacy->arena, value, &plain, NULL) != ERR_OK)
        return;
    add_term(round, value);
    if (plain.data != value.data)
        add_term(round, plain);
    if (str_starts_with(plain, STR("+86")))
        add_term(round, str_slice(plain, 3, plain.size));
}

static err read_secret(struct round *round, const struct erasing *erasing, struct problem *problem)
{
    struct privacy *privacy = round->privacy;
    json_value list, item;
    char one_id[ONE_ID_BYTES + 1];
    for (size_t i = 0; i < erasing->node_count; i++) {
        keys_one_id(engine_keys(privacy->engine), erasing->nodes[i], one_id);
        add_term(round, str_from_c(one_id));
    }
    if (erasing->secret.size == 0)
        return ERR_OK;
    err error = json_parse(privacy->parser, erasing->secret, &list, problem);
    struct json_iterator iterator = json_iterate(list);
    while (error == ERR_OK && json_next(&iterator, NULL, &item))
        add_value(round, json_text(json_get(item, STR("type"))),
                  json_text(json_get(item, STR("value"))));
    return error;
}

static err read_receipt(struct round *round, struct erasing *erasing, struct problem *problem)
{
    json_value receipt;
    err error = json_parse(round->privacy->parser, erasing->receipt, &receipt, problem);
    if (error == ERR_OK)
        erasing->totals_kept = json_bool(json_get(receipt, STR("totals_kept")), false);
    return error;
}

static err begin_round(struct round *round, struct problem *problem)
{
    struct privacy *privacy = round->privacy;
    struct ledger *ledger = engine_ledger(privacy->engine);
    arena_reset(&privacy->arena);
    round->capacity = ROUND_ERASURES_MAX;
    round->items = arena_array(&privacy->arena, struct erasing, round->capacity);
    if (round->items == NULL)
        return ERR_NOMEM;
    err error = ledger_scan(ledger, LEDGER_ERASURES, NULL, take_erasure, round, problem);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_TOMBSTONES, NULL, take_stone, round, problem);
    if (error == ERR_OK)
        error = round->error;
    for (size_t i = 0; i < round->count && error == ERR_OK; i++) {
        error = read_receipt(round, &round->items[i], problem);
        if (error == ERR_OK)
            error = read_secret(round, &round->items[i], problem);
    }
    return error == ERR_OK ? round->error : error;
}

/* ---- steps ---- */

/* Once: the command notes in the same record that it was done. */
static err keep_totals(struct round *round, struct erasing *erasing, struct problem *problem)
{
    struct buffer body;
    if (erasing->totals_kept)
        return ERR_OK;
    buffer_init(&body, (size_t)64 << 20);
    buffer_printf(&body, "{\"number\":%u,\"totals\":", erasing->number);
    err error = rows_sum(round->privacy, erasing, &body, problem);
    /* The receipt is an object of counts; it gets one more member. */
    buffer_printf(&body, ",\"receipt\":%.*s,\"totals_kept\":true}}",
                  (int)(erasing->receipt.size - 1), erasing->receipt.data);
    if (error == ERR_OK)
        error = buffer_status(&body);
    if (error == ERR_OK)
        error = privacy_command(round->privacy, "erasure.move", buffer_str(&body), NULL, problem);
    buffer_deinit(&body);
    return error;
}

static err clean_quarantine(struct round *round, struct problem *problem)
{
    struct buffer body;
    buffer_init(&body, (size_t)16 << 20);
    buffer_printf(&body, "{\"number\":%u,\"quarantine\":[", round->items[0].number);
    err error = redact_quarantine(round, &body, problem);
    buffer_append_str(&body, STR("]}"));
    if (error == ERR_OK && round->quarantined > 0)
        error = privacy_command(round->privacy, "erasure.move", buffer_str(&body), NULL, problem);
    buffer_deinit(&body);
    return error;
}

static err move_on(struct round *round, const struct erasing *erasing, bool finished,
                   struct problem *problem)
{
    struct buffer body;
    json_value receipt;
    json_value member;
    str name;
    struct json_writer writer;
    buffer_init(&body, 65536);
    err error = json_parse(round->privacy->parser, erasing->receipt, &receipt, problem);
    struct json_iterator iterator = json_iterate(receipt);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_int(&writer, STR("number"), erasing->number);
    json_member_bool(&writer, STR("clean"), true);
    json_member_bool(&writer, STR("finished"), finished);
    json_put_key(&writer, STR("receipt"));
    json_begin_object(&writer);
    while (error == ERR_OK && json_next(&iterator, &name, &member))
        if (json_kind(member) == JSON_INT)
            json_member_int(&writer, name, json_int(member, 0));
    json_member_bool(&writer, STR("totals_kept"), true);
    json_member_int(&writer, STR("together"), (int64_t)round->count);
    json_member_int(&writer, STR("warehouse_rows"), (int64_t)round->rows);
    json_member_int(&writer, STR("log_records"), (int64_t)round->records);
    json_member_int(&writer, STR("quarantined"), (int64_t)round->quarantined);
    json_member_int(&writer, STR("files"), (int64_t)round->files);
    json_end_object(&writer);
    json_end_object(&writer);
    if (error == ERR_OK)
        error = buffer_status(&body);
    if (error == ERR_OK)
        error = privacy_command(round->privacy, "erasure.move", buffer_str(&body), NULL, problem);
    buffer_deinit(&body);
    return error;
}

err privacy_scrub_ledger(struct privacy *privacy, struct problem *problem)
{
    err error = ERR_BUSY;
    for (int i = 0; i < 100 && error == ERR_BUSY && !privacy_stops(privacy); i++) {
        if (i > 0)
            steady_sleep_ms(100);
        error = ledger_scrub(engine_ledger(privacy->engine), problem);
    }
    return error;
}

static err clean_log(struct round *round, struct problem *problem)
{
    struct privacy *privacy = round->privacy;
    struct engine_status status;
    struct log *log = engine_log(privacy->engine);
    engine_status(privacy->engine, &status);
    err error = redact_log(round, log_first_seq(log), status.committed_seq, problem);
    if (error == ERR_OK) {
        atomic_store(&privacy->cleaned_seen, status.erased);
        privacy->cleaned_seq = status.committed_seq;
    }
    return error;
}

/* Since the step before. */
static void note_step(struct round *round, enum erasing_step step)
{
    round->step_ms[step] = steady_since_ms(round->step_began);
    round->step_began = steady_now();
}

/* What she did is summed up while her rows are there; then everything that can be done again. */
static err erase_outside(struct round *round, struct problem *problem)
{
    struct privacy *privacy = round->privacy;
    bool has_warehouse = engine_warehouse(privacy->engine) != NULL;
    err error = has_warehouse ? engine_settle(privacy->engine, true, SETTLE_MS) : ERR_OK;
    if (error != ERR_OK)
        return problem_set(problem, error, "the warehouse does not catch up");
    note_step(round, ERASING_SETTLE);
    for (size_t i = 0; has_warehouse && i < round->count && error == ERR_OK; i++)
        error = privacy_stops(privacy) ? ERR_UNAVAILABLE
                                       : keep_totals(round, &round->items[i], problem);
    note_step(round, ERASING_SUMS);
    if (error == ERR_OK && has_warehouse)
        error = rows_erase(round, problem);
    note_step(round, ERASING_ROWS);
    for (size_t i = 0; i < round->count && error == ERR_OK; i++)
        error = engine_wipe_packs(privacy->engine, round->items[i].nodes,
                                  round->items[i].node_count, problem);
    note_step(round, ERASING_PACKS);
    if (error == ERR_OK)
        error = clean_log(round, problem);
    note_step(round, ERASING_LOG);
    if (error == ERR_OK)
        error = clean_quarantine(round, problem);
    if (error == ERR_OK)
        error = files_erase(round, problem);
    return error == ERR_OK ? erased_list_write(privacy, problem) : error;
}

static err finish(struct round *round, struct problem *problem)
{
    err error = ERR_OK;
    for (size_t i = 0; i < round->count && error == ERR_OK; i++)
        error = move_on(round, &round->items[i], false, problem);
    if (error == ERR_OK)
        error = privacy_scrub_ledger(round->privacy, problem);
    for (size_t i = 0; i < round->count && error == ERR_OK; i++)
        error = move_on(round, &round->items[i], true, problem);
    return error;
}

/* ---- the thread ---- */

/* Events about erased customers have come since: their records are emptied too. */
static err clean_late(struct round *round, struct problem *problem)
{
    struct privacy *privacy = round->privacy;
    struct engine_status status;
    engine_status(privacy->engine, &status);
    err error = round->hash_count > 0
                    ? redact_log(round, privacy->cleaned_seq + 1, status.committed_seq, problem)
                    : ERR_OK;
    if (error == ERR_OK) {
        atomic_store(&privacy->cleaned_seen, status.erased);
        privacy->cleaned_seq = status.committed_seq;
    }
    return error;
}

static void tell_erased(const struct round *round, steady_ns start)
{
    static const char *const names[] = {
#define X(name, text) text,
        ERASING_STEP_TABLE(X)
#undef X
    };
    char steps[240] = "";
    size_t size = 0;
    for (int i = 0; i < ERASING_STEP_COUNT; i++)
        size += (size_t)snprintf(steps + size, sizeof steps - size, " %s_ms=%lld", names[i],
                                 (long long)round->step_ms[i]);
    INVARIANT(size < sizeof steps);
    log_line(LOG_INFO, "erased", "erasures=%zu rows=%llu records=%llu files=%llu ms=%lld%s",
             round->count, (unsigned long long)round->rows, (unsigned long long)round->records,
             (unsigned long long)round->files, (long long)steady_since_ms(start), steps);
}

static err run_round(struct privacy *privacy, bool *more, struct problem *problem)
{
    struct round *round = memory_alloc(sizeof *round);
    if (round == NULL)
        return ERR_NOMEM;
    *round = (struct round){ .privacy = privacy };
    steady_ns start = steady_now();
    round->step_began = start;
    err error = begin_round(round, problem);
    if (error == ERR_OK && round->count > 0)
        error = erase_outside(round, problem);
    else if (error == ERR_OK)
        error = clean_late(round, problem);
    note_step(round, ERASING_FILES);
    if (error == ERR_OK && round->count > 0)
        error = finish(round, problem);
    note_step(round, ERASING_LEDGER);
    *more = round->count == round->capacity;
    if (error == ERR_OK && round->count > 0)
        tell_erased(round, start);
    memory_free(round->hashes);
    memory_free(round);
    return error;
}

bool privacy_is_unclean(struct privacy *privacy)
{
    struct engine_status status;
    engine_status(privacy->engine, &status);
    return status.erased != atomic_load(&privacy->cleaned_seen);
}

/* True: there may be something to do. */
static bool wait_for_work(struct privacy *privacy, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    pthread_mutex_lock(&privacy->mutex);
    while (!privacy->woken && !privacy_stops(privacy) &&
           pthread_cond_timedwait(&privacy->wake, &privacy->mutex, &until) != ETIMEDOUT)
        continue;
    bool woken = privacy->woken;
    privacy->woken = false;
    pthread_mutex_unlock(&privacy->mutex);
    return woken || privacy_is_unclean(privacy);
}

static void tell_now(const struct engine_state *state, struct engine_question *question)
{
    *(int64_t *)question->context = state->now_ms;
}

/* Files made for persons go when their time is over, by the clock of the records. */
static void drop_expired(struct privacy *privacy)
{
    struct problem problem = { .error = ERR_OK };
    int64_t now_ms = 0;
    struct engine_question question = { .ask = tell_now, .context = &now_ms };
    if (engine_ask_wait(privacy->engine, &question) != ERR_OK)
        return;
    if (files_drop_packages(privacy, now_ms, NULL, 0, &problem) != ERR_OK)
        log_line(LOG_WARN, "package_stays", "reason=\"%s\"", problem.detail);
}

/* What is too old. */
static void retain(struct privacy *privacy)
{
    struct problem problem = { .error = ERR_OK };
    if (retention_look(privacy, &problem) != ERR_OK && !privacy_stops(privacy))
        log_line(LOG_WARN, "retention_waits", "reason=\"%s\"", problem.detail);
}

/* What an older key sealed. True: there is more to do at once. */
static bool renew(struct privacy *privacy)
{
    struct problem problem = { .error = ERR_OK };
    bool more = false;
    if (renew_look(privacy, &more, &problem) != ERR_OK && !privacy_stops(privacy))
        log_line(LOG_WARN, "sealing_waits", "reason=\"%s\"", problem.detail);
    return more;
}

/* What it was woken for is looked at from here on. */
static void take_wake(struct privacy *privacy)
{
    pthread_mutex_lock(&privacy->mutex);
    privacy->woken = false;
    pthread_mutex_unlock(&privacy->mutex);
}

static void *run(void *context)
{
    struct privacy *privacy = context;
    bool listed = false;
    while (!privacy_stops(privacy)) {
        struct problem problem = { .error = ERR_OK };
        bool more = false;
        take_wake(privacy);
        err error = listed ? ERR_OK : erased_list_apply(privacy, &problem);
        listed = error == ERR_OK;
        if (error == ERR_OK)
            error = run_round(privacy, &more, &problem);
        if (error != ERR_OK && !privacy_stops(privacy))
            log_line(LOG_WARN, "erasure_waits", "reason=\"%s\"", problem.detail);
        atomic_store(&privacy->is_failing, error != ERR_OK);
        if (error == ERR_OK)
            atomic_store(&privacy->has_begun, true); /* the log of before is clean */
        if (error == ERR_OK && !more) {
            retain(privacy);
            more = renew(privacy);
        }
        if (error != ERR_OK)
            (void)wait_for_work(privacy, AGAIN_MS);
        else
            while (!more && !privacy_stops(privacy) && !wait_for_work(privacy, LOOK_MS)) {
                drop_expired(privacy);
                retain(privacy);
                more = renew(privacy);
            }
    }
    return NULL;
}

static void init_wake(struct privacy *privacy)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&privacy->wake, &steady);
    pthread_condattr_destroy(&steady);
    pthread_mutex_init(&privacy->mutex, NULL);
}

err privacy_open(struct privacy **out, const struct privacy_config *config, struct problem *problem)
{
    struct privacy *privacy = memory_alloc(sizeof *privacy);
    if (privacy == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for erasures");
    privacy->engine = config->engine;
    privacy->imports = config->imports;
    privacy->folder = config->data_folder;
    privacy->backups = config->backups_folder;
    init_wake(privacy);
    arena_init(&privacy->arena, "privacy", ARENA_BYTES);
    *out = privacy;
    err error = json_parser_new(&privacy->parser, (size_t)8 << 20);
    if (error == ERR_OK)
        error = renew_open(privacy);
    if (error == ERR_OK && pthread_create(&privacy->thread, NULL, run, privacy) != 0)
        error = problem_set(problem, ERR_NOMEM, "no thread for erasures could be started");
    privacy->runs = error == ERR_OK;
    if (error != ERR_OK)
        privacy_close(out);
    return error;
}

void privacy_wake(struct privacy *privacy)
{
    pthread_mutex_lock(&privacy->mutex);
    privacy->woken = true;
    pthread_cond_broadcast(&privacy->wake);
    pthread_mutex_unlock(&privacy->mutex);
}

void privacy_close(struct privacy **closed)
{
    struct privacy *privacy = *closed;
    *closed = NULL;
    if (privacy == NULL)
        return;
    atomic_store(&privacy->closed, true);
    privacy_wake(privacy);
    if (privacy->runs)
        pthread_join(privacy->thread, NULL);
    renew_close(privacy);
    json_parser_free(&privacy->parser);
    arena_deinit(&privacy->arena);
    pthread_cond_destroy(&privacy->wake);
    pthread_mutex_destroy(&privacy->mutex);
    memory_free(privacy);
}
