/* SPDX-License-Identifier: Apache-2.0 */
/* A log made out of blocks that were kept elsewhere. */
#include <inttypes.h>

#include "base/arena.h"
#include "log/log_parts.h"

/* One commit, and one sync, for so many bytes. */
#define COMMIT_BYTES ((size_t)16 << 20)
#define COMMIT_ROWS 1024

struct restoring {
    struct log_store *store;
    struct log_file_row rows[COMMIT_ROWS];
    struct buffer bodies[COMMIT_ROWS];
    size_t count, bytes;
    uint64_t last_seq;   /* of the last block taken; 0: none yet */
    int64_t received_ms; /* of it */
};

/* What lies before the first block counts as trimmed. */
static err begin_at(struct restoring *restoring, const struct log_block *block,
                    struct problem *problem)
{
    err error = restoring->store->driver->begin_at(restoring->store, block->first_seq,
                                                   block->received_ms, problem);
    if (error == ERR_OK)
        restoring->last_seq = block->first_seq - 1;
    return error;
}

static err commit(struct restoring *restoring, struct problem *problem)
{
    if (restoring->count == 0)
        return ERR_OK;
    struct log_store *store = restoring->store;
    struct log_taken nothing = { .count = 0 };
    err error = store->driver->write(store, restoring->rows, restoring->count, restoring->last_seq,
                                     &nothing, problem);
    if (error == ERR_OK)
        error = store->driver->tidy(store, false, problem);
    for (size_t i = 0; i < restoring->count; i++)
        buffer_clear(&restoring->bodies[i]);
    restoring->count = restoring->bytes = 0;
    return error;
}

static err take(struct restoring *restoring, const struct log_block *block, struct problem *problem)
{
    if (block->first_seq != restoring->last_seq + 1)
        return problem_set(problem, ERR_CONFLICT,
                           "records %" PRIu64 " to %" PRIu64 " are missing before a block",
                           restoring->last_seq + 1, block->first_seq - 1);
    if (block->received_ms < restoring->received_ms)
        return problem_set(problem, ERR_CONFLICT,
                           "the block at seq %" PRIu64 " is older than the one before it",
                           block->first_seq);
    struct buffer *body = &restoring->bodies[restoring->count];
    err error =
        log_block_encode(body, block->first_seq, block->count, block->received_ms, block->records);
    if (error != ERR_OK)
        return problem_set(problem, error, "the block at seq %" PRIu64 " cannot be written",
                           block->first_seq);
    restoring->rows[restoring->count++] =
        (struct log_file_row){ .first_seq = block->first_seq, .body = buffer_str(body) };
    restoring->bytes += body->size;
    restoring->last_seq = block->first_seq + block->count - 1;
    restoring->received_ms = block->received_ms;
    return restoring->count == COMMIT_ROWS || restoring->bytes >= COMMIT_BYTES
               ? commit(restoring, problem)
               : ERR_OK;
}

static err take_all(struct restoring *restoring,
                    err (*next)(void *context, struct log_block **block, struct problem *problem),
                    void *context, struct problem *problem)
{
    struct log_block *block = NULL;
    err error;
    while ((error = next(context, &block, problem)) == ERR_OK && block != NULL) {
        if (restoring->last_seq == 0 && restoring->count == 0 && block->first_seq > 1)
            error = begin_at(restoring, block, problem);
        if (error == ERR_OK)
            error = take(restoring, block, problem);
        log_block_release(&block);
        if (error != ERR_OK)
            return error;
    }
    return error == ERR_OK ? commit(restoring, problem) : error;
}

err log_restore(const char *path,
                err (*next)(void *context, struct log_block **block, struct problem *problem),
                void *context, struct problem *problem)
{
    struct log log = { .config = { .path = path, .checkpoint_bytes = COMMIT_BYTES } };
    struct log_tail tail;
    struct restoring *restoring = memory_alloc(sizeof *restoring);
    if (restoring == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to restore log %s", path);
    for (size_t i = 0; i < COMMIT_ROWS; i++)
        buffer_init(&restoring->bodies[i], 2 * LOG_BLOCK_BYTES_LIMIT);
    err error = log_store_open(&restoring->store, &log, &tail, problem);
    if (error == ERR_OK && tail.last_seq != 0)
        error = problem_set(problem, ERR_CONFLICT, "there is a log at %s already", path);
    if (error == ERR_OK)
        error = take_all(restoring, next, context, problem);
    if (restoring->store != NULL)
        restoring->store->driver->close(restoring->store);
    for (size_t i = 0; i < COMMIT_ROWS; i++)
        buffer_deinit(&restoring->bodies[i]);
    memory_free(restoring);
    return error;
}
