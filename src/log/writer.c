/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread: group commit.
 *
 *     appends wait ──take──▶ lanes ──a round, cut──▶ drafts ──fill──▶ blocks ──encode──▶ rows ──one commit──▶ answer, publish
 *
 * Everything that waits goes into one transaction, up to the bytes of a round, dealt out fairly between sources
 * (lanes.h): while one is being synced, the next gathers. A draft is a run of appends that becomes one block. Numbers are given
 * when a draft is filled, and count only when the commit has succeeded. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/logline.h"
#include "base/metric.h"
#include "base/thread.h"
#include "log/log_parts.h"
#include "log/mutate.h"

#define DRAFTS_MAX 64
/* What is kept of the buffer for encoded blocks after an extraordinary one. */
#define ENCODED_BYTES_KEPT ((size_t)16 << 20)

struct draft {
    struct log_append *first; /* the rest by item.next */
    uint32_t appends;
    uint32_t records;
    size_t bytes;
    struct block_node *node;
    size_t encoded_at, encoded_bytes;
};

struct batch {
    struct draft drafts[DRAFTS_MAX];
    size_t count;
    uint64_t last_seq;        /* of the log, once it is durable */
    struct block_node *first; /* the blocks as a list, once they are published */
};

static struct log_append *append_of(struct queue_item *item)
{
    return item != NULL ? queue_entry(item, struct log_append, item) : NULL;
}

/* ---- answering ---- */

/* The append is the caller's again when `durable` is called. Its bytes are let go before: whoever
 * appends again from there finds room. */
static void answer_append(struct log *log, struct log_append *append, err error)
{
    log_bytes_answered(log, append->source, append->records.size);
    append->durable(append, error);
}

static void answer_draft(struct log *log, struct draft *draft, err error)
{
    struct log_append *append = draft->first;
    for (uint32_t i = 0; i < draft->appends; i++) {
        struct log_append *next = append_of(append->item.next);
        if (error == ERR_STORAGE_FULL)
            metric_add(METRIC_LOG_FULL, 1);
        answer_append(log, append, error);
        append = next;
    }
    draft->appends = 0;
}

static void answer_batch(struct log *log, struct batch *batch, err error)
{
    for (size_t i = 0; i < batch->count; i++)
        answer_draft(log, &batch->drafts[i], error);
}

static void batch_drop_blocks(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct log_block *block =
            batch->drafts[i].node != NULL ? &batch->drafts[i].node->block : NULL;
        batch->drafts[i].node = NULL;
        log_block_release(&block);
    }
}

/* ---- from appends to rows ---- */

static bool draft_takes(const struct draft *draft, const struct log_append *append,
                        size_t bytes_max)
{
    return draft->bytes < bytes_max && append->records.size <= bytes_max - draft->bytes &&
           append->count <= UINT32_MAX - draft->records;
}

/* Cut drafts off the list; what does not fit into the batch any more is left in it. */
static void batch_cut(struct batch *batch, struct log_append **list, size_t block_bytes_max)
{
    struct draft *draft = NULL;
    batch->count = 0;
    while (*list != NULL) {
        struct log_append *append = *list;
        if (draft == NULL || !draft_takes(draft, append, block_bytes_max)) {
            if (batch->count == DRAFTS_MAX)
                return;
            draft = &batch->drafts[batch->count++];
            *draft = (struct draft){ .first = append };
        }
        draft->appends++;
        draft->records += append->count;
        draft->bytes += append->records.size;
        *list = append_of(append->item.next);
    }
}

static void draft_copy_records(struct draft *draft, uint64_t first_seq)
{
    char *room = block_room(draft->node);
    struct log_append *append = draft->first;
    for (uint32_t i = 0; i < draft->appends; i++) {
        append->first_seq = first_seq;
        first_seq += append->count;
        memcpy(room, append->records.data, append->records.size);
        room += append->records.size;
        append = append_of(append->item.next);
    }
}

/* Number the drafts and copy their records. A draft for which there is no memory is answered, and
 * takes no numbers. */
static void batch_fill(struct log *log, struct batch *batch, uint64_t next_seq, int64_t received_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct draft *draft = &batch->drafts[i];
        draft->node = block_new(next_seq, draft->records, received_ms, draft->bytes);
        if (draft->node == NULL) {
            answer_draft(log, draft, ERR_NOMEM);
            continue;
        }
        draft_copy_records(draft, next_seq);
        next_seq += draft->records;
        batch->drafts[kept++] = *draft;
    }
    batch->count = kept;
    batch->last_seq = next_seq - 1;
}

static err batch_encode(struct log *log, struct batch *batch)
{
    struct buffer *out = &log->encoded;
    if (out->capacity > ENCODED_BYTES_KEPT)
        buffer_deinit(out);
    buffer_clear(out);
    for (size_t i = 0; i < batch->count; i++) {
        struct draft *draft = &batch->drafts[i];
        draft->encoded_at = out->size;
        err error = block_encode(out, &draft->node->block, log->codec);
        if (error != ERR_OK)
            return error;
        draft->encoded_bytes = out->size - draft->encoded_at;
    }
    return ERR_OK;
}

/* What of it lay in the inbox. Such an append is a row of it, of which at most LOG_TAKEN_MAX are under way. */
static size_t batch_taken(const struct batch *batch, int64_t ids[LOG_TAKEN_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct log_append *append = batch->drafts[i].first;
        for (uint32_t k = 0; k < batch->drafts[i].appends; k++) {
            if (append->inbox_id != 0) {
                INVARIANT(count < LOG_TAKEN_MAX);
                ids[count++] = append->inbox_id;
            }
            append = append_of(append->item.next);
        }
    }
    return count;
}

static err batch_write(struct log *log, struct batch *batch, struct problem *problem)
{
    struct log_file_row rows[DRAFTS_MAX];
    for (size_t i = 0; i < batch->count; i++) {
        const struct draft *draft = &batch->drafts[i];
        rows[i].first_seq = draft->node->block.first_seq;
        rows[i].body = str_from_bytes(log->encoded.data + draft->encoded_at, draft->encoded_bytes);
    }
    if (fault_fires(FAULT_LOG_BEFORE_WRITE))
        return problem_set(problem, ERR_IO, "fault log_before_write");
    steady_ns start = steady_now();
    if (log_mutates(MUTATION_SLOW_DISK))
        steady_sleep_ms(20);
    struct log_taken taken = { .ids = log->taken, .count = batch_taken(batch, log->taken) };
    err error =
        log->store->driver->write(log->store, rows, batch->count, batch->last_seq, &taken, problem);
    if (error == ERR_OK)
        metric_observe_us(METRIC_LOG_SYNC_US, steady_since_us(start));
    if (error == ERR_OK && fault_fires(FAULT_LOG_AFTER_SYNC))
        return problem_set(problem, ERR_IO, "fault log_after_sync");
    return error;
}

/* ---- after the commit ---- */

static void batch_publish(struct log *log, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct block_node *node = batch->drafts[i].node;
        batch->drafts[i].node = NULL;
        node->next = i + 1 < batch->count ? batch->drafts[i + 1].node : NULL;
        if (i == 0)
            batch->first = node;
    }
    reader_publish(&log->reader, batch->first, batch->last_seq);
}

static void batch_done(struct log *log, struct batch *batch)
{
    metric_add(METRIC_LOG_BLOCKS, (int64_t)batch->count);
    metric_add(METRIC_LOG_BYTES, (int64_t)log->encoded.size);
    atomic_store(&log->last_seq, batch->last_seq);
    answer_batch(log, batch, ERR_OK); /* L3: before the reader sees it */
    batch_publish(log, batch);
}

/* STORAGE_FULL and NOMEM are for these appends alone. All else is the end: what was written may
 * come back after a restart, so nobody is told that it is not in. */
static void batch_failed(struct log *log, struct batch *batch, err error,
                         const struct problem *problem)
{
    bool passing = error == ERR_STORAGE_FULL || error == ERR_NOMEM;
    batch_drop_blocks(batch);
    if (passing)
        log_line(LOG_WARN, "log_append_failed", "error=%s reason=\"%s\"", err_code(error),
                 problem->detail);
    else
        log_die(log, problem);
    answer_batch(log, batch, passing ? error : ERR_UNAVAILABLE);
}

/* ---- the loop ---- */

static int64_t received_now(struct log *log)
{
    int64_t now_ms = wall_clock_now_ms(log->config.clock);
    if (now_ms > log->received_ms || log_mutates(MUTATION_CLOCK_GOES_BACK))
        log->received_ms = now_ms;
    return log->received_ms;
}

/* Of a follower: a draft is a row of the inbox. */
static err batch_hand_over(struct log *log, struct batch *batch, struct problem *problem)
{
    struct log_handed handed[DRAFTS_MAX];
    for (size_t i = 0; i < batch->count; i++) {
        const struct log_block *block = &batch->drafts[i].node->block;
        handed[i] = (struct log_handed){ .records = block->records, .count = block->count };
    }
    return log->store->driver->hand_over(log->store, handed, batch->count, problem);
}

static void batch_follow(struct log *log, struct batch *batch)
{
    struct problem problem = { 0 };
    batch_fill(log, batch, 1, 0); /* numbers are given by who moves them into the log */
    err error = batch->count > 0 ? batch_hand_over(log, batch, &problem) : ERR_OK;
    bool passing = error == ERR_STORAGE_FULL || error == ERR_NOMEM;
    if (error != ERR_OK)
        log_line(LOG_WARN, "log_hand_over_failed", "error=%s reason=\"%s\"", err_code(error),
                 problem.detail);
    batch_drop_blocks(batch);
    answer_batch(log, batch, error == ERR_OK || passing ? error : ERR_UNAVAILABLE);
}

static void batch_commit(struct log *log, struct batch *batch)
{
    struct problem problem = { 0 };
    if (log->config.follows) {
        batch_follow(log, batch);
        return;
    }
    uint64_t next_seq = atomic_load(&log->last_seq) + 1;
    batch_fill(log, batch, next_seq, received_now(log));
    if (batch->count == 0)
        return;
    if (log_mutates(MUTATION_ACK_BEFORE_SYNC))
        answer_batch(log, batch, ERR_OK);
    err error = batch_encode(log, batch);
    if (error != ERR_OK)
        problem_set(&problem, error, "no memory to encode %zu blocks", batch->count);
    else
        error = batch_write(log, batch, &problem);
    if (error == ERR_STORAGE_FULL && log_mutates(MUTATION_FULL_IS_OK))
        answer_batch(log, batch, ERR_OK);
    if (error == ERR_OK)
        batch_done(log, batch);
    else
        batch_failed(log, batch, error, &problem);
}

static void refuse_list(struct log *log, struct log_append *list)
{
    while (list != NULL) {
        struct log_append *next = append_of(list->item.next);
        answer_append(log, list, ERR_UNAVAILABLE);
        list = next;
    }
}

/* After the answers: a checkpoint delays the next commit, not this one. */
static void writer_tidy(struct log *log)
{
    struct problem problem = { 0 };
    bool quiet = queue_weight(&log->waiting) == 0 && lanes_are_empty(&log->lanes);
    if (log->store->driver->tidy(log->store, quiet, &problem) != ERR_OK)
        log_die(log, &problem);
}

/* The last one weighs a quarter: a slow disk is noticed within a few rounds, and forgotten so. */
static void note_round(struct log *log, int64_t took_us)
{
    int64_t mean = atomic_load_explicit(&log->round_us, memory_order_relaxed);
    atomic_store_explicit(&log->round_us, mean + (took_us - mean) / 4, memory_order_relaxed);
}

static void commit_round(struct log *log, struct log_append *list)
{
    struct batch batch;
    steady_ns start = steady_now();
    while (list != NULL && !atomic_load(&log->dead)) {
        batch_cut(&batch, &list, log->config.block_bytes_max);
        batch_commit(log, &batch);
        writer_tidy(log);
    }
    refuse_list(log, list);
    note_round(log, steady_since_us(start));
}

/* What has come since the last round, for which one waits only when nothing is left. False: closed, and all is answered. */
static bool gather(struct log *log)
{
    bool is_empty = lanes_are_empty(&log->lanes);
    lanes_put(&log->lanes, append_of(queue_take(&log->waiting, 0, is_empty ? -1 : 0)),
              steady_now());
    return !lanes_are_empty(&log->lanes) || !queue_is_closed(&log->waiting);
}

void *writer_run(void *context)
{
    struct log *log = context;
    thread_take_short_turns(); /* every acknowledgement waits for this thread */
    while (gather(log)) {
        steady_ns now = steady_now();
        atomic_store_explicit(&log->round_lanes, log->lanes.count, memory_order_relaxed);
        atomic_store_explicit(&log->round_bytes, lanes_round_bytes(&log->lanes, now),
                              memory_order_relaxed);
        struct log_append *round = lanes_take(&log->lanes, now);
        if (round != NULL)
            commit_round(log, round);
    }
    return NULL;
}
