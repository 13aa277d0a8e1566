/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of the log: open, close, append, and the questions. */
#include "log/log.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/logline.h"
#include "log/log_parts.h"
#include "log/mutate.h"

#define MEBIBYTE ((size_t)1 << 20)

static void config_fill(struct log_config *config)
{
    if (config->waiting_bytes_max == 0)
        config->waiting_bytes_max = 64 * MEBIBYTE;
    if (config->unread_bytes_max == 0)
        config->unread_bytes_max = 256 * MEBIBYTE;
    if (config->block_bytes_max == 0)
        config->block_bytes_max = MEBIBYTE;
    if (config->block_bytes_max > LOG_BLOCK_BYTES_LIMIT)
        config->block_bytes_max = LOG_BLOCK_BYTES_LIMIT;
    if (config->checkpoint_bytes == 0)
        config->checkpoint_bytes = 8 * MEBIBYTE;
    if (config->retention_ms == 0)
        config->retention_ms = 3 * DAY_MS;
}

/* Signals are for the threads that wait for them. */
static bool writer_start(struct log *log)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    log->writer_runs = pthread_create(&log->writer, NULL, writer_run, log) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (log->writer_runs)
        (void)pthread_setname_np(log->writer, "kith-log");
    return log->writer_runs;
}

/* What was appended is answered, and nothing more is taken. */
static void writer_end(struct log *log)
{
    log->store->driver->interrupt(log->store);
    queue_close(&log->waiting);
    if (log->writer_runs)
        pthread_join(log->writer, NULL);
    log->writer_runs = false;
    INVARIANT(atomic_load(&log->waiting_bytes) == 0);
}

/* All but the thread. */
static void log_free(struct log **log)
{
    struct log *freed = *log;
    *log = NULL;
    if (freed->store != NULL)
        freed->store->driver->close(freed->store);
    reader_deinit(&freed->reader);
    queue_deinit(&freed->waiting);
    buffer_deinit(&freed->encoded);
    memory_free(freed->codec);
    memory_free(freed);
}

err log_open(struct log **log, const struct log_config *config, struct problem *said)
{
    struct log_tail tail;
    struct problem own = { 0 };
    struct problem *problem = said != NULL ? said : &own;
    INVARIANT(config->path != NULL && config->clock != NULL);
    log_mutate_by_environment();
    struct log *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open log %s", config->path);
    made->config = *config;
    config_fill(&made->config);
    err error = log_store_open(&made->store, made, &tail, problem);
    if (error != ERR_OK) {
        memory_free(made);
        return error;
    }
    queue_init(&made->waiting, SIZE_MAX); /* waiting_bytes limits, which counts until the answer */
    reader_init(&made->reader, tail.last_seq);
    buffer_init(&made->encoded, 2 * LOG_BLOCK_BYTES_LIMIT);
    atomic_init(&made->retention_ms, made->config.retention_ms);
    atomic_init(&made->first_seq, tail.first_seq);
    atomic_init(&made->last_seq, tail.last_seq);
    atomic_init(&made->round_bytes, LANES_ROUND_BYTES_MAX);
    atomic_init(&made->round_lanes, 1);
    made->received_ms = tail.received_ms;
    made->lost_records = tail.lost_records;
    made->codec = memory_alloc(block_codec_bytes());
    if (made->codec == NULL || !writer_start(made)) {
        log_free(&made);
        return problem_set(problem, ERR_NOMEM, "no memory to start the writer of log %s",
                           config->path);
    }
    error = log_store_start(made->store, problem);
    if (error != ERR_OK) {
        log_close(&made);
        return error;
    }
    *log = made;
    return ERR_OK;
}

void log_close(struct log **log)
{
    struct log *closing = *log;
    if (closing == NULL)
        return;
    writer_end(closing);
    log_free(log);
}

static void adopt(struct log *log, struct log_store *store, const struct log_tail *tail)
{
    log->store->driver->close(log->store);
    log->store = store;
    atomic_store(&log->first_seq, tail->first_seq);
    atomic_store(&log->last_seq, tail->last_seq);
    log->received_ms = tail->received_ms;
    reader_restart(&log->reader, tail->last_seq);
}

err log_take_over(struct log *log, const struct log_config *config, struct problem *problem)
{
    const struct log_config before = log->config;
    struct log_store *store = NULL;
    struct log_tail tail;
    INVARIANT(before.follows && !config->follows);
    writer_end(log);
    queue_deinit(&log->waiting);
    queue_init(&log->waiting, SIZE_MAX);
    log->config = *config;
    config_fill(&log->config);
    err error = log_store_open(&store, log, &tail, problem);
    if (error == ERR_OK)
        adopt(log, store, &tail);
    else
        log->config = before; /* of a store that is interrupted */
    if (!writer_start(log))
        error = problem_set(problem, ERR_NOMEM, "no memory to start the writer of log %s",
                            config->path);
    return error == ERR_OK ? log_store_start(log->store, problem) : error;
}

void log_die(struct log *log, const struct problem *problem)
{
    if (atomic_exchange(&log->dead, true))
        return;
    log_line(LOG_ERROR, "log_dead", "reason=\"%s\" hint=\"%s\"", problem->detail, problem->hint);
    if (log->config.fatal != NULL)
        log->config.fatal(log->config.context, problem);
}

/* ---- appending ---- */

/* Count the bytes in, if there is room: an append that alone exceeds the limit goes into an empty
 * log. The last quarter is for the house and for sources that have little waiting: who fills the rest leaves them room. */
static bool admit_bytes(struct log *log, uint32_t source, size_t bytes)
{
    _Atomic size_t *lane = &log->lane_bytes[lane_of(source)];
    size_t max = log->config.waiting_bytes_max;
    if (source != 0 && atomic_load_explicit(lane, memory_order_relaxed) > max / 16)
        max -= max / 4;
    size_t now = atomic_load_explicit(&log->waiting_bytes, memory_order_relaxed);
    do {
        if (now > 0 && (bytes > max || now > max - bytes))
            return false;
    } while (!atomic_compare_exchange_weak(&log->waiting_bytes, &now, now + bytes));
    atomic_fetch_add_explicit(lane, bytes, memory_order_relaxed);
    return true;
}

void log_bytes_answered(struct log *log, uint32_t source, size_t bytes)
{
    atomic_fetch_sub_explicit(&log->lane_bytes[lane_of(source)], bytes, memory_order_relaxed);
    atomic_fetch_sub(&log->waiting_bytes, bytes);
}

/* Whether the records, which are whole, are all events. */
static bool records_are_events(str records, uint32_t count)
{
    struct log_block block = { .first_seq = 1, .count = count, .records = records };
    struct log_cursor cursor = { .block = &block };
    struct log_record record;
    while (log_block_next(&cursor, &record))
        if (record.kind != LOG_RECORD_EVENT)
            return false;
    return true;
}

err log_append(struct log *log, struct log_append *append)
{
    size_t bytes = append->records.size;
    INVARIANT(append->durable != NULL);
    if (bytes > LOG_BLOCK_BYTES_LIMIT)
        return ERR_TOO_LARGE;
    if (!block_records_are_whole(append->records, append->count))
        return ERR_INVALID;
    if (log->config.follows && !records_are_events(append->records, append->count))
        return ERR_UNAVAILABLE; /* commands are for who holds the lease */
    if (atomic_load_explicit(&log->dead, memory_order_acquire))
        return ERR_UNAVAILABLE;
    if (atomic_load_explicit(&log->reader.unread_bytes, memory_order_relaxed) >=
            log->config.unread_bytes_max ||
        !admit_bytes(log, append->source, bytes))
        return ERR_BUSY;
    if (queue_put(&log->waiting, &append->item, bytes))
        return ERR_OK;
    log_bytes_answered(log, append->source, bytes);
    return ERR_UNAVAILABLE; /* closing */
}

/* One round is the price of every append, however slow the disk: only those before it are a wait. Each lane gets as much of a
 * round as the others, so what waits in its own counts once for each of them, and all that waits at most. */
int64_t log_wait_ms(struct log *log, uint32_t source)
{
    size_t all = atomic_load_explicit(&log->waiting_bytes, memory_order_relaxed);
    size_t own = atomic_load_explicit(&log->lane_bytes[lane_of(source)], memory_order_relaxed);
    size_t lanes = atomic_load_explicit(&log->round_lanes, memory_order_relaxed);
    size_t before = source != 0 && own * lanes < all ? own * lanes : all;
    size_t rounds = before / atomic_load_explicit(&log->round_bytes, memory_order_relaxed);
    return (int64_t)rounds * atomic_load_explicit(&log->round_us, memory_order_relaxed) / 1000;
}

/* ---- reading and trimming ---- */

err log_read(struct log *log, uint64_t seq, struct log_block **block, struct problem *problem)
{
    struct problem own;
    return log->store->driver->read(log->store, seq, block, problem != NULL ? problem : &own);
}

void log_keep(struct log *log, int64_t retention_ms)
{
    atomic_store(&log->retention_ms, retention_ms);
}

/* Of two who trim at once the one who took more away may say so first. */
static void note_first_seq(struct log *log, uint64_t first_seq)
{
    uint64_t known = atomic_load(&log->first_seq);
    while (known < first_seq && !atomic_compare_exchange_weak(&log->first_seq, &known, first_seq))
        ;
}

err log_trim(struct log *log, uint64_t seq, struct problem *problem)
{
    struct problem own = { 0 };
    struct problem *said = problem != NULL ? problem : &own;
    struct log_store *store = log->store;
    int64_t before_ms = wall_clock_now_ms(log->config.clock) - atomic_load(&log->retention_ms);
    bool more = true;
    err error = ERR_OK;
    while (error == ERR_OK && more) {
        uint64_t first_seq = 0;
        error = store->driver->trim(store, seq, before_ms, &first_seq, &more, said);
        note_first_seq(log, first_seq);
    }
    if (error != ERR_OK && log->store->driver->is_dead(log->store))
        log_die(log, said);
    return error;
}

/* The records of a block that was read for this call alone, in place. */
static uint64_t redact_block(struct log_block *block, uint64_t from_seq, uint64_t to_seq,
                             bool (*redact)(void *context, const struct log_record *record,
                                            char *bytes),
                             void *context)
{
    char *room = block_room((struct block_node *)block);
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    uint64_t changed = 0;
    while (log_block_next(&cursor, &record)) {
        size_t offset = (size_t)(record.body.data - block->records.data);
        if (record.seq >= from_seq && record.seq <= to_seq && record.body.size > 0)
            changed += redact(context, &record, room + offset);
    }
    return changed;
}

err log_redact(struct log *log, uint64_t from_seq, uint64_t to_seq,
               bool (*redact)(void *context, const struct log_record *record, char *bytes),
               void *context, bool scrub, uint64_t *changed, struct problem *problem)
{
    struct buffer encoded;
    buffer_init(&encoded, 2 * LOG_BLOCK_BYTES_LIMIT);
    err error = ERR_OK;
    *changed = 0;
    for (uint64_t seq = from_seq; error == ERR_OK && seq <= to_seq;) {
        struct log_block *block = NULL;
        uint64_t first_seq = log_first_seq(log);
        seq = seq < first_seq ? first_seq : seq;
        if (seq > to_seq)
            break;
        error = log_read(log, seq, &block, problem);
        if (error == ERR_NOT_FOUND && seq < log_first_seq(log)) {
            error = ERR_OK; /* trimmed meanwhile */
            continue;
        }
        if (error != ERR_OK)
            break;
        uint64_t here = redact_block(block, from_seq, to_seq, redact, context);
        seq = block->first_seq + block->count;
        if (here > 0) {
            buffer_clear(&encoded);
            error = log_block_encode(&encoded, block->first_seq, block->count, block->received_ms,
                                     block->records);
            if (error == ERR_OK)
                error = log->store->driver->replace(log->store, block->first_seq,
                                                    buffer_str(&encoded), problem);
        }
        *changed += here;
        log_block_release(&block);
    }
    if (error == ERR_OK && (scrub || *changed > 0))
        error = log->store->driver->scrub(log->store, problem);
    buffer_deinit(&encoded);
    if (error != ERR_OK && log->store->driver->is_dead(log->store))
        log_die(log, problem);
    return error;
}

uint64_t log_first_seq(struct log *log)
{
    return atomic_load(&log->first_seq);
}

uint64_t log_last_seq(struct log *log)
{
    return atomic_load(&log->last_seq);
}

int64_t log_bytes(struct log *log)
{
    return log->store->driver->bytes(log->store);
}

void log_standing(struct log *log, struct log_standing *standing)
{
    log->store->driver->standing(log->store, standing);
}

err log_peers(struct log *log, void (*visit)(void *context, const struct log_peer *peer),
              void *context, struct problem *problem)
{
    const struct log_store_driver *driver = log->store->driver;
    return driver->peers != NULL ? driver->peers(log->store, visit, context, problem) : ERR_OK;
}

bool log_may_act(struct log *log)
{
    return log->store->driver->may_act(log->store);
}

uint64_t log_epoch(struct log *log)
{
    struct log_standing standing;
    log_standing(log, &standing);
    return standing.epoch;
}

uint64_t log_lost_records(struct log *log)
{
    return log->lost_records;
}
