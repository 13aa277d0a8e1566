/* SPDX-License-Identifier: Apache-2.0 */
/* flush: applied blocks become rows of the warehouse, exactly once; see flush.h. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/fault.h"
#include "base/logline.h"
#include "base/metric.h"
#include "engine/flush/flush_inside.h"
#include "engine/state.h"

#define RETRY_MS_FIRST 100
#define RETRY_MS_MAX 5000
#define EVENT_ARENA_BYTES ((size_t)8 << 20)

/* A batch: whole blocks, in order. */
struct batch {
    struct applied_block *blocks[4096];
    size_t count;
    uint64_t number, first_seq, last_seq;
    size_t row_count;
    uint32_t again; /* inserts tried: each has other rows, hence another name */
};

/* ---- giving ---- */

void flusher_give(struct flusher *flusher, struct applied_block *applied)
{
    applied_block_hold(applied);
    applied->item = (struct queue_item){ .weight = applied->applied };
    pthread_mutex_lock(&flusher->mutex);
    flusher->newest = steady_now();
    if (flusher->first == NULL)
        flusher->oldest = flusher->newest;
    *flusher->last = &applied->item;
    flusher->last = &applied->item.next;
    flusher->waiting_rows += applied->applied;
    flood_note_rows(flusher);
    pthread_mutex_unlock(&flusher->mutex);
}

void flusher_note_outcomes(struct flusher *flusher, uint64_t first_seq, uint64_t last_seq)
{
    pthread_mutex_lock(&flusher->mutex);
    /* Without memory the row stays in the ledger a while longer; the next start removes it. */
    if (flusher_grow(&flusher->notes, &flusher->note_capacity, flusher->note_count,
                     sizeof *flusher->notes))
        flusher->notes[flusher->note_count++] = (struct note){ first_seq, last_seq };
    pthread_mutex_unlock(&flusher->mutex);
}

void flusher_wake(struct flusher *flusher, bool now)
{
    pthread_mutex_lock(&flusher->mutex);
    flusher->flush_now = flusher->flush_now || now;
    pthread_cond_broadcast(&flusher->wake); /* who holds may wait there too */
    pthread_mutex_unlock(&flusher->mutex);
}

size_t flusher_waiting_rows(struct flusher *flusher)
{
    pthread_mutex_lock(&flusher->mutex);
    size_t rows = flusher->waiting_rows;
    pthread_mutex_unlock(&flusher->mutex);
    return rows;
}

/* ---- gathering ---- */

static struct applied_block *block_of(struct queue_item *item)
{
    return queue_entry(item, struct applied_block, item);
}

static bool is_committed(const struct flusher *flusher, const struct applied_block *applied)
{
    return applied->first_seq + applied->count - 1 <= atomic_load(&flusher->engine->committed_seq);
}

/* Enough rows, or old enough, or somebody waits. Under the mutex. */
static bool is_due(const struct flusher *flusher)
{
    if (flusher->first == NULL || !is_committed(flusher, block_of(flusher->first)))
        return false;
    if (flusher->holds > 0 && !flusher->stopping)
        return false;
    if (flusher->waiting_rows >= FLUSH_ROWS_MAX || flusher->flush_now || flusher->stopping)
        return true;
    bool gathers = flusher->waiting_rows >= FLUSH_ROWS_MANY &&
                   steady_since_ms(flusher->newest) < FLUSH_DELAY_MS;
    return steady_since_ms(flusher->oldest) >= (gathers ? FLUSH_GATHER_MS : FLUSH_DELAY_MS);
}

static void wait_a_little(struct flusher *flusher, int64_t ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    int64_t ns = deadline.tv_nsec + ms * 1000000;
    deadline.tv_sec += ns / 1000000000;
    deadline.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&flusher->wake, &flusher->mutex, &deadline);
}

static void take_batch(struct flusher *flusher, struct batch *batch)
{
    size_t bytes = 0;
    *batch = (struct batch){ .number = flusher->batch_next++ };
    while (flusher->first != NULL &&
           batch->count < sizeof batch->blocks / sizeof batch->blocks[0]) {
        struct applied_block *applied = block_of(flusher->first);
        bool fits = batch->count == 0 || (batch->row_count + applied->applied <= FLUSH_ROWS_MAX &&
                                          bytes + applied->bytes <= FLUSH_BYTES_MAX);
        if (!fits || !is_committed(flusher, applied))
            break;
        flusher->first = flusher->first->next;
        batch->blocks[batch->count++] = applied;
        batch->row_count += applied->applied;
        bytes += applied->bytes;
        batch->last_seq = applied->first_seq + applied->count - 1;
    }
    if (flusher->first == NULL) {
        flusher->last = &flusher->first;
        flusher->flush_now = false;
    }
    flusher->oldest = steady_now();
    batch->first_seq = batch->blocks[0]->first_seq;
}

/* False: it is time to end. A batch of no blocks: a flood has begun or ended. */
static bool next_batch(struct flusher *flusher, struct batch *batch)
{
    bool found = false, turned = false;
    batch->count = 0;
    pthread_mutex_lock(&flusher->mutex);
    while (!(turned = flood_has_turned(flusher)) && !(found = is_due(flusher)) &&
           !flusher->stopping)
        wait_a_little(flusher, FLUSH_DELAY_MS / 4);
    if (found)
        take_batch(flusher, batch);
    flusher->in_batch = found;
    pthread_mutex_unlock(&flusher->mutex);
    return found || turned;
}

/* ---- holding ---- */

err flusher_hold(struct flusher *flusher, int64_t timeout_ms)
{
    steady_ns since = steady_now();
    pthread_mutex_lock(&flusher->mutex);
    flusher->holds++;
    while (flusher->in_batch && steady_since_ms(since) < timeout_ms)
        wait_a_little(flusher, 10);
    bool at_rest = !flusher->in_batch;
    if (!at_rest)
        flusher->holds--;
    pthread_mutex_unlock(&flusher->mutex);
    return at_rest ? ERR_OK : ERR_TIMEOUT;
}

void flusher_release(struct flusher *flusher)
{
    pthread_mutex_lock(&flusher->mutex);
    INVARIANT(flusher->holds > 0);
    flusher->holds--;
    pthread_cond_signal(&flusher->wake);
    pthread_mutex_unlock(&flusher->mutex);
}

err engine_hold_flush(struct engine *engine, int64_t timeout_ms)
{
    return engine->flusher != NULL ? flusher_hold(engine->flusher, timeout_ms) : ERR_UNSUPPORTED;
}

void engine_release_flush(struct engine *engine)
{
    flusher_release(engine->flusher);
}

/* ---- rows ---- */

static void write_row(struct flusher *flusher, const struct batch *batch, const struct event *event,
                      const struct outcome *outcome)
{
    struct warehouse_event row = {
        .seq = event->seq,
        .batch = batch->number,
        .source = event->source_number,
        .kind = (uint8_t)event->kind,
        .flags = event->flags,
        .type = event->type,
        .channel = event->channel,
        .time_ms = event->time_ms,
        .received_ms = event->received_ms,
        .customer = outcome->node,
        .origin = outcome->origin,
        .identifiers = outcome->rows,
        .identifier_count = outcome->row_count,
        .promoted_set = event->promoted_set,
        .promoted_int = event->promoted_int,
        .promoted_text = event->promoted_text,
        .props = event->props,
        .context = event->context,
    };
    memcpy(row.message_key, event->message_key, sizeof row.message_key);
    event_row_write(&flusher->rows, &row);
}

struct seq_set {
    const uint64_t *seqs;
    size_t count;
};

static bool seq_is_in(const struct seq_set *set, uint64_t seq)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->seqs[middle] < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->seqs[low] == seq;
}

static err write_block_rows(struct flusher *flusher, const struct batch *batch,
                            struct applied_block *applied, const struct seq_set *present,
                            size_t *rows, struct problem *problem)
{
    struct log_block *block = NULL;
    err error = applied_block_open(applied, flusher->engine->log, &block, problem);
    if (error != ERR_OK)
        return error;
    struct log_cursor records = { .block = block };
    struct log_record record;
    struct cursor outcomes = cursor_over((str){ applied->outcomes, applied->outcomes_size });
    while (error == ERR_OK && log_block_next(&records, &record)) {
        struct outcome outcome;
        struct event event;
        error = outcome_read(&outcomes, &outcome);
        if (error != ERR_OK || outcome.fate != FATE_APPLIED || seq_is_in(present, record.seq))
            continue;
        arena_reset(&flusher->arena);
        error = event_decode(record.body, &flusher->arena, &event, problem);
        if (error != ERR_OK)
            continue;
        event.seq = record.seq;
        event.received_ms = block->received_ms;
        write_row(flusher, batch, &event, &outcome);
        (*rows)++;
    }
    log_block_release(&block);
    return error;
}

static err write_rows(struct flusher *flusher, const struct batch *batch,
                      const struct seq_set *present, size_t *rows, struct problem *problem)
{
    buffer_clear(&flusher->rows);
    *rows = 0;
    for (size_t index = 0; index < batch->count; index++) {
        err error = write_block_rows(flusher, batch, batch->blocks[index], present, rows, problem);
        if (error != ERR_OK)
            return error;
    }
    return buffer_status(&flusher->rows);
}

/* ---- inserting ---- */

/* A deliberate defect, so that the crash test is seen to catch it: KITH_MUTATE_FLUSH=no_ask inserts again
 * without asking. Builds with KITH_FAULTS only. */
static bool forgets_to_ask(void)
{
#ifdef KITH_FAULTS
    const char *mutations = getenv("KITH_MUTATE_FLUSH");
    return mutations != NULL && strstr(mutations, "no_ask") != NULL;
#else
    return false;
#endif
}

/* After an unknown result, and at start: what of this batch is there already? Nobody inserts it still. */
static err ask_present(struct flusher *flusher, const struct batch *batch, struct buffer *seqs,
                       struct seq_set *present, struct problem *problem)
{
    struct warehouse *warehouse = flusher->engine->warehouse;
    if (batch->first_seq > flusher->ask_until_seq || forgets_to_ask())
        return ERR_OK;
    err error = ERR_OK;
    if (batch->again > 0)
        error = warehouse_stop_batch(warehouse, batch->number, batch->again - 1, problem);
    if (error == ERR_OK)
        error = warehouse_present_seqs(warehouse, batch->first_seq, batch->last_seq, seqs, problem);
    *present = (struct seq_set){ .seqs = (const uint64_t *)(const void *)seqs->data,
                                 .count = seqs->size / sizeof(uint64_t) };
    return error;
}

static err insert_once(struct flusher *flusher, struct batch *batch, struct problem *problem)
{
    struct seq_set present = { .count = 0 };
    struct buffer seqs;
    size_t rows = 0;
    buffer_init(&seqs, (size_t)1 << 30);
    err error = ask_present(flusher, batch, &seqs, &present, problem);
    if (error == ERR_OK && !log_may_act(flusher->engine->log))
        error = problem_set(problem, ERR_UNAVAILABLE, "the lease of this server may be over");
    if (error == ERR_OK)
        error = write_rows(flusher, batch, &present, &rows, problem);
    steady_ns start = steady_now();
    if (error == ERR_OK && rows > 0) {
        error = warehouse_insert_events(flusher->engine->warehouse, batch->number, batch->again++,
                                        buffer_str(&flusher->rows), problem);
        metric_observe_us(METRIC_WAREHOUSE_INSERT_US, steady_since_us(start));
    }
    if (error == ERR_OK)
        metric_add(METRIC_FLUSH_ROWS, (int64_t)rows);
    buffer_deinit(&seqs);
    return error;
}

static bool must_end(struct flusher *flusher)
{
    pthread_mutex_lock(&flusher->mutex);
    bool ends = flusher->stopping && steady_now().ns >= flusher->stop_by.ns;
    pthread_mutex_unlock(&flusher->mutex);
    return ends;
}

/* Until it is in; UNAVAILABLE when there is no more time: the next start goes on from here. */
static err insert_batch(struct flusher *flusher, struct batch *batch)
{
    int64_t delay_ms = RETRY_MS_FIRST;
    for (;;) {
        struct problem problem = { .error = ERR_OK };
        err error = insert_once(flusher, batch, &problem);
        if (error == ERR_OK)
            return ERR_OK;
        metric_add(METRIC_FLUSH_RETRIES, 1);
        log_line(LOG_WARN, "flush_retry", "first_seq=%llu last_seq=%llu reason=\"%s\"",
                 (unsigned long long)batch->first_seq, (unsigned long long)batch->last_seq,
                 problem.detail);
        if (flusher->ask_until_seq < batch->last_seq)
            flusher->ask_until_seq = batch->last_seq;
        if (must_end(flusher))
            return ERR_UNAVAILABLE;
        pthread_mutex_lock(&flusher->mutex);
        wait_a_little(flusher, delay_ms);
        pthread_mutex_unlock(&flusher->mutex);
        delay_ms = delay_ms * 2 < RETRY_MS_MAX ? delay_ms * 2 : RETRY_MS_MAX;
    }
}

/* ---- done ---- */

static void forget_outcomes(struct flusher *flusher, uint64_t last_seq,
                            struct ledger_writes *writes)
{
    size_t done = 0;
    pthread_mutex_lock(&flusher->mutex);
    while (done < flusher->note_count && flusher->notes[done].last_seq <= last_seq) {
        struct ledger_value key = ledger_int((int64_t)flusher->notes[done].first_seq);
        ledger_delete(writes, LEDGER_OUTCOMES, &key);
        done++;
    }
    flusher->note_count -= done;
    memmove(flusher->notes, flusher->notes + done, flusher->note_count * sizeof *flusher->notes);
    pthread_mutex_unlock(&flusher->mutex);
}

/* Only the last batch is needed to go on from; a few more show how flushing went. */
#define BATCHES_KEPT 100

static err mark_done(struct flusher *flusher, const struct batch *batch)
{
    struct engine *engine = flusher->engine;
    struct ledger_writes *writes = ledger_writes_new(engine->ledger);
    if (writes == NULL)
        return ERR_NOMEM;
    LEDGER_PUT(writes, LEDGER_BATCHES, ledger_int((int64_t)batch->number), ledger_int(0),
               ledger_int((int64_t)batch->first_seq), ledger_int((int64_t)batch->last_seq),
               ledger_int((int64_t)batch->row_count),
               ledger_int(wall_clock_now_ms(engine->config.clock)));
    if (batch->number > BATCHES_KEPT) {
        struct ledger_value old[2] = { ledger_int((int64_t)batch->number - BATCHES_KEPT),
                                       ledger_int(0) };
        ledger_delete(writes, LEDGER_BATCHES, old);
    }
    forget_outcomes(flusher, batch->last_seq, writes);
    err error = ledger_apply(engine->ledger, &writes, 0, NULL, NULL);
    if (error != ERR_OK) {
        ledger_writes_free(&writes);
        return error;
    }
    pthread_mutex_lock(&flusher->mutex);
    flusher->waiting_rows -= batch->row_count;
    pthread_mutex_unlock(&flusher->mutex);
    atomic_store(&engine->flushed_seq, batch->last_seq);
    pthread_mutex_lock(&engine->waiters_mutex);
    pthread_cond_broadcast(&engine->waiters_changed);
    pthread_mutex_unlock(&engine->waiters_mutex);
    return ERR_OK;
}

static void release_batch(struct flusher *flusher, struct batch *batch)
{
    for (size_t index = 0; index < batch->count; index++)
        applied_block_release(&batch->blocks[index]);
    pthread_mutex_lock(&flusher->mutex);
    flusher->in_batch = false;
    pthread_mutex_unlock(&flusher->mutex);
}

/* ---- start and end ---- */

static bool last_batch(void *context, const struct ledger_value *values)
{
    struct flusher *flusher = context;
    flusher->batch_next = (uint64_t)values[0].integer + 1;
    flusher->flushed_rows = values[4].integer > 0; /* number shard first_seq last_seq rows */
    return false;
}

static err ask_one_number(struct engine *engine, const char *sql, uint64_t *number,
                          struct problem *problem)
{
    struct buffer answer;
    buffer_init(&answer, 1024);
    err error = warehouse_query(engine->warehouse, str_from_c(sql), NULL, 0, 60 * SECOND_MS,
                                &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    *number = error == ERR_OK ? read_u64(&cursor) : 0;
    if (error == ERR_OK && cursor.failed)
        error = problem_set(problem, ERR_WAREHOUSE, "the warehouse gave no number for: %s", sql);
    buffer_deinit(&answer);
    return error;
}

/* The events of a folder that was filled beside another warehouse would be missing without a word. */
static err refuse_other_warehouse(const struct flusher *flusher, struct problem *problem)
{
    struct warehouse_shard_state shard;
    if (!flusher->flushed_rows || flusher->ask_until_seq > 0 ||
        warehouse_shards(flusher->engine->warehouse, &shard, 1) == 0)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT,
                "the warehouse's shards are empty, and the ledger says that events are in it");
    return problem_hint(problem, ERR_CONFLICT,
                        "give --warehouse the shards that this data folder was filled with, or "
                        "begin with a new one");
}

/* Where the warehouse stands. A batch that came in but was not marked done has used its number. */
static err ask_position(struct flusher *flusher, struct problem *problem)
{
    struct engine *engine = flusher->engine;
    uint64_t batch = 0;
    err error = warehouse_max_seq(engine->warehouse, &flusher->ask_until_seq, problem);
    if (error == ERR_OK)
        error = ask_one_number(engine, "SELECT max(batch) FROM events FORMAT RowBinary", &batch,
                               problem);
    if (error == ERR_OK)
        error = warehouse_alias_version(engine->warehouse, &flusher->alias_seq, problem);
    if (batch >= flusher->batch_next)
        flusher->batch_next = batch + 1;
    return error != ERR_OK ? error : refuse_other_warehouse(flusher, problem);
}

/* Who was active before us may still believe that it is: nothing that it inserts from here on counts. */
static err take_writing(struct flusher *flusher, struct problem *problem)
{
    const struct engine *engine = flusher->engine;
    return warehouse_take_writing(engine->warehouse, log_epoch(engine->log), problem);
}

/* Until it is done; UNAVAILABLE when another has taken over, or there is no more time. */
static err insist(struct flusher *flusher,
                  err (*step)(struct flusher *flusher, struct problem *problem))
{
    int64_t delay_ms = RETRY_MS_FIRST;
    for (;;) {
        struct problem problem = { .error = ERR_OK };
        err error = step(flusher, &problem);
        if (error == ERR_OK)
            return ERR_OK;
        log_line(LOG_WARN, "flush_not_begun", "reason=\"%s\"", problem.detail);
        if (error == ERR_LOCKED || must_end(flusher))
            return ERR_UNAVAILABLE;
        pthread_mutex_lock(&flusher->mutex);
        wait_a_little(flusher, delay_ms);
        pthread_mutex_unlock(&flusher->mutex);
        delay_ms = delay_ms * 2 < RETRY_MS_MAX ? delay_ms * 2 : RETRY_MS_MAX;
    }
}

static void *run(void *context)
{
    struct flusher *flusher = context;
    struct batch *batch = flusher->batch;
    pthread_setname_np(pthread_self(), "kith-flush");
    err error = insist(flusher, take_writing);
    if (error == ERR_OK && flusher->asks_aside)
        error = insist(flusher, ask_position);
    while (error == ERR_OK && next_batch(flusher, batch)) {
        if (batch->count == 0) {
            flood_follow(flusher);
            continue;
        }
        fault_fires(FAULT_FLUSH_AFTER_PLAN);
        error = insert_batch(flusher, batch);
        fault_fires(FAULT_FLUSH_AFTER_INSERT);
        if (error == ERR_OK) {
            flusher_put_aliases(flusher);
            error = mark_done(flusher, batch);
        }
        fault_fires(FAULT_FLUSH_AFTER_DONE);
        release_batch(flusher, batch);
    }
    return NULL;
}

err flusher_start(struct flusher **started, struct engine *engine, enum flusher_start how,
                  struct problem *problem)
{
    struct flusher *flusher = memory_alloc(sizeof *flusher);
    if (flusher == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the flusher");
    flusher->batch = memory_alloc(sizeof *flusher->batch);
    if (flusher->batch == NULL) {
        memory_free(flusher);
        return problem_set(problem, ERR_NOMEM, "no memory for the flusher");
    }
    flusher->engine = engine;
    flusher->last = &flusher->first;
    flusher->batch_next = 1;
    flusher->all_aliases = true;
    buffer_init(&flusher->rows, (size_t)1 << 30);
    arena_init(&flusher->arena, "flush_event", EVENT_ARENA_BYTES);
    pthread_mutex_init(&flusher->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&flusher->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *started = flusher;
    err error =
        ledger_page(engine->ledger, LEDGER_BATCHES, NULL, true, 1, last_batch, flusher, problem);
    flusher->asks_aside = how == FLUSHER_ASKS_ASIDE;
    if (error == ERR_OK && !flusher->asks_aside)
        error = ask_position(flusher, problem);
    if (error == ERR_OK && pthread_create(&flusher->thread, NULL, run, flusher) != 0)
        error = problem_set(problem, ERR_NOMEM, "no thread could be started");
    flusher->thread_runs = error == ERR_OK;
    return error;
}

void flusher_stop(struct flusher **taken, int64_t timeout_ms)
{
    struct flusher *flusher = *taken;
    if (flusher == NULL)
        return;
    pthread_mutex_lock(&flusher->mutex);
    flusher->stopping = true;
    flusher->stop_by = (steady_ns){ steady_now().ns + timeout_ms * 1000000 };
    pthread_cond_signal(&flusher->wake);
    pthread_mutex_unlock(&flusher->mutex);
    if (flusher->thread_runs)
        pthread_join(flusher->thread, NULL);
    while (flusher->first != NULL) {
        struct applied_block *applied = block_of(flusher->first);
        flusher->first = flusher->first->next;
        applied_block_release(&applied);
    }
    memory_free(flusher->notes);
    memory_free(flusher->aliases);
    memory_free(flusher->batch);
    buffer_deinit(&flusher->rows);
    arena_deinit(&flusher->arena);
    pthread_cond_destroy(&flusher->wake);
    pthread_mutex_destroy(&flusher->mutex);
    memory_free(flusher);
    *taken = NULL;
}
