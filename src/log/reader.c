/* SPDX-License-Identifier: Apache-2.0 */
/* The tail reader: from the file while it is behind, from memory from then on.
 *
 *     log_follow ──▶ from file ──(next_seq is beyond the last durable record)──▶ from memory
 *                        ▲                                                            │
 *                        └───────────────────────── log_follow ◀─────────────────────┘
 *
 * The change is made under the mutex that the writer takes to publish, so no block falls between. */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "log/log_parts.h"

void reader_init(struct reader *reader, uint64_t last_seq)
{
    pthread_condattr_t attributes;
    *reader = (struct reader){ .last_seq = last_seq };
    reader->last = &reader->first;
    INVARIANT(pthread_mutex_init(&reader->mutex, NULL) == 0);
    INVARIANT(pthread_condattr_init(&attributes) == 0);
    INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    INVARIANT(pthread_cond_init(&reader->wake, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

static void release_list(struct block_node *node)
{
    while (node != NULL) {
        struct block_node *next = node->next;
        struct log_block *block = &node->block;
        log_block_release(&block);
        node = next;
    }
}

/* Out of the list, which is empty then. */
static struct block_node *reader_take_list(struct reader *reader)
{
    struct block_node *list = reader->first;
    reader->first = NULL;
    reader->last = &reader->first;
    return list;
}

void reader_deinit(struct reader *reader)
{
    release_list(reader_take_list(reader));
    pthread_cond_destroy(&reader->wake);
    pthread_mutex_destroy(&reader->mutex);
}

void reader_restart(struct reader *reader, uint64_t last_seq)
{
    pthread_mutex_lock(&reader->mutex);
    struct block_node *old = reader_take_list(reader);
    reader->following = reader->from_memory = false;
    reader->last_seq = last_seq;
    atomic_store(&reader->unread_bytes, 0);
    pthread_mutex_unlock(&reader->mutex);
    release_list(old);
}

/* ---- the writer's side ---- */

void reader_publish(struct reader *reader, struct block_node *blocks, uint64_t last_seq)
{
    struct block_node *unwanted = NULL;
    size_t bytes = 0;
    struct block_node **end = &blocks;
    for (; *end != NULL; end = &(*end)->next)
        bytes += (*end)->block.records.size;
    pthread_mutex_lock(&reader->mutex);
    INVARIANT(last_seq > reader->last_seq);
    reader->last_seq = last_seq;
    if (reader->following)
        atomic_fetch_add(&reader->unread_bytes, bytes);
    if (reader->from_memory) {
        *reader->last = blocks;
        reader->last = end;
    } else {
        unwanted = blocks;
    }
    pthread_cond_signal(&reader->wake);
    pthread_mutex_unlock(&reader->mutex);
    release_list(unwanted);
}

/* ---- the reader's side ---- */

err log_follow(struct log *log, uint64_t from_seq, struct problem *said)
{
    struct reader *reader = &log->reader;
    struct problem own;
    struct problem *problem = said != NULL ? said : &own;
    uint64_t first_seq = atomic_load(&log->first_seq), bytes = 0;
    uint64_t last_seq = atomic_load(&log->last_seq);
    if (from_seq < first_seq || from_seq > last_seq + 1)
        return problem_set(problem, ERR_NOT_FOUND,
                           "the log holds records %" PRIu64 " to %" PRIu64
                           ", it cannot be followed from %" PRIu64,
                           first_seq, last_seq, from_seq);
    err error = log->store->driver->record_bytes_from(log->store, from_seq, &bytes, problem);
    if (error != ERR_OK)
        return error;
    pthread_mutex_lock(&reader->mutex);
    struct block_node *old = reader_take_list(reader);
    reader->following = true;
    reader->from_memory = false;
    reader->next_seq = from_seq;
    atomic_store(&reader->unread_bytes, (size_t)bytes);
    pthread_mutex_unlock(&reader->mutex);
    release_list(old);
    return ERR_OK;
}

/* The block is the reader's. What a block in the middle of which reading began has too much was not
 * counted; the count never falls below zero. */
static void reader_took(struct reader *reader, const struct log_block *block)
{
    size_t bytes = block->records.size;
    size_t before = atomic_load(&reader->unread_bytes);
    while (!atomic_compare_exchange_weak(&reader->unread_bytes, &before,
                                         before > bytes ? before - bytes : 0))
        ;
    reader->next_seq = block->first_seq + block->count;
}

static struct timespec deadline_after(int64_t timeout_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)(timeout_ms / SECOND_MS);
    deadline.tv_nsec += (long)(timeout_ms % SECOND_MS) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    return deadline;
}

/* The oldest block in memory, after waiting for one. NULL: time is up, or the reader was woken. */
static struct block_node *reader_wait_locked(struct reader *reader, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
    while (reader->first == NULL && !reader->poked && timeout_ms != 0) {
        int rc = timeout_ms < 0 ? pthread_cond_wait(&reader->wake, &reader->mutex)
                                : pthread_cond_timedwait(&reader->wake, &reader->mutex, &deadline);
        if (rc == ETIMEDOUT)
            break;
    }
    reader->poked = false;
    struct block_node *node = reader->first;
    if (node == NULL)
        return NULL;
    reader->first = node->next;
    if (reader->first == NULL)
        reader->last = &reader->first;
    node->next = NULL;
    return node;
}

/* From memory, or false when the reader is behind and has to go to the file. */
static bool reader_next_in_memory(struct reader *reader, int64_t timeout_ms,
                                  struct log_block **block)
{
    pthread_mutex_lock(&reader->mutex);
    INVARIANT(reader->following);
    /* Followed from behind a block that is durable and about to be published: it is no news. */
    while (reader->next_seq > reader->last_seq + 1)
        pthread_cond_wait(&reader->wake, &reader->mutex);
    if (!reader->from_memory && reader->next_seq == reader->last_seq + 1) {
        reader->from_memory = true;
        atomic_store(&reader->unread_bytes, 0);
    }
    bool from_memory = reader->from_memory;
    struct block_node *node = from_memory ? reader_wait_locked(reader, timeout_ms) : NULL;
    *block = node != NULL ? &node->block : NULL;
    if (node != NULL) {
        INVARIANT(node->block.first_seq == reader->next_seq);
        reader_took(reader, &node->block);
    }
    pthread_mutex_unlock(&reader->mutex);
    return from_memory;
}

err log_next(struct log *log, int64_t timeout_ms, struct log_block **block, struct problem *problem)
{
    struct reader *reader = &log->reader;
    struct problem own;
    *block = NULL;
    if (reader_next_in_memory(reader, timeout_ms, block))
        return ERR_OK;
    err error = log->store->driver->read(log->store, reader->next_seq, block,
                                         problem != NULL ? problem : &own);
    if (error != ERR_OK)
        return error;
    pthread_mutex_lock(&reader->mutex);
    reader_took(reader, *block);
    pthread_mutex_unlock(&reader->mutex);
    return ERR_OK;
}

void log_wake_reader(struct log *log)
{
    struct reader *reader = &log->reader;
    pthread_mutex_lock(&reader->mutex);
    reader->poked = true;
    pthread_cond_signal(&reader->wake);
    pthread_mutex_unlock(&reader->mutex);
}

size_t log_unread_records(struct log *log)
{
    struct reader *reader = &log->reader;
    pthread_mutex_lock(&reader->mutex);
    uint64_t next_seq = reader->following ? reader->next_seq : UINT64_MAX;
    pthread_mutex_unlock(&reader->mutex);
    uint64_t last_seq = atomic_load(&log->last_seq);
    return last_seq >= next_seq ? (size_t)(last_seq + 1 - next_seq) : 0;
}
