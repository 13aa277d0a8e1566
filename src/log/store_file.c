/* SPDX-License-Identifier: Apache-2.0 */
/* store_file: the log's file, as one of the places where a log may lie. */
#include <string.h>

#include "base/arena.h"
#include "log/log_parts.h"
#include "log/server.h"

struct file_store {
    struct log_store store;
    struct log_file *file;
};

static struct log_file *file_of(struct log_store *store)
{
    return ((struct file_store *)store)->file;
}

static void store_close(struct log_store *store)
{
    struct file_store *closing = (struct file_store *)store;
    log_file_close(&closing->file);
    memory_free(closing);
}

static void store_interrupt(struct log_store *store)
{
    (void)store; /* a file is never away */
}

static err store_write(struct log_store *store, const struct log_file_row *rows, size_t count,
                       uint64_t last_seq, const struct log_taken *taken, struct problem *problem)
{
    INVARIANT(taken->count == 0);
    return log_file_write(file_of(store), rows, count, last_seq, problem);
}

static err store_tidy(struct log_store *store, bool quiet, struct problem *problem)
{
    return log_file_tidy(file_of(store), quiet, problem);
}

static bool store_is_dead(struct log_store *store)
{
    return log_file_is_dead(file_of(store));
}

static err store_read(struct log_store *store, uint64_t seq, struct log_block **block,
                      struct problem *problem)
{
    return log_file_read(file_of(store), seq, block, problem);
}

static err store_record_bytes_from(struct log_store *store, uint64_t seq, uint64_t *bytes,
                                   struct problem *problem)
{
    return log_file_record_bytes_from(file_of(store), seq, bytes, problem);
}

static err store_trim(struct log_store *store, uint64_t seq, int64_t before_ms, uint64_t *first_seq,
                      bool *more, struct problem *problem)
{
    return log_file_trim(file_of(store), seq, before_ms, first_seq, more, problem);
}

static int64_t store_bytes(struct log_store *store)
{
    return log_file_bytes(file_of(store));
}

static err store_replace(struct log_store *store, uint64_t first_seq, str body,
                         struct problem *problem)
{
    return log_file_replace(file_of(store), first_seq, body, problem);
}

static err store_scrub(struct log_store *store, struct problem *problem)
{
    return log_file_scrub(file_of(store), problem);
}

static err store_begin_at(struct log_store *store, uint64_t first_seq, int64_t received_ms,
                          struct problem *problem)
{
    return log_file_begin_at(file_of(store), first_seq, received_ms, problem);
}

static void store_standing(struct log_store *store, struct log_standing *standing)
{
    (void)store;
    *standing = (struct log_standing){ .is_on_server = false };
}

static bool store_may_act(struct log_store *store)
{
    (void)store;
    return true;
}

static const struct log_store_driver driver_file = {
    .close = store_close,
    .interrupt = store_interrupt,
    .write = store_write,
    .tidy = store_tidy,
    .is_dead = store_is_dead,
    .read = store_read,
    .record_bytes_from = store_record_bytes_from,
    .trim = store_trim,
    .bytes = store_bytes,
    .replace = store_replace,
    .scrub = store_scrub,
    .begin_at = store_begin_at,
    .standing = store_standing,
    .may_act = store_may_act,
};

static err file_store_open(struct log_store **store, struct log *log, struct log_tail *tail,
                           struct problem *problem)
{
    if (log->config.follows) {
        problem_set(problem, ERR_INVALID, "log %s is a file, which nobody can follow",
                    log->config.path);
        return problem_hint(problem, ERR_INVALID, "name a PostgreSQL server with --log");
    }
    struct file_store *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open log %s", log->config.path);
    made->store.driver = &driver_file;
    err error = log_file_open(&made->file, &log->config, tail, problem);
    if (error == ERR_OK)
        *store = &made->store;
    else
        memory_free(made);
    return error;
}

bool log_path_is_server(const char *path)
{
    return strncmp(path, "postgresql://", 13) == 0 || strncmp(path, "postgres://", 11) == 0;
}

err log_store_open(struct log_store **store, struct log *log, struct log_tail *tail,
                   struct problem *problem)
{
    return log_path_is_server(log->config.path) ? server_store_open(store, log, tail, problem)
                                                : file_store_open(store, log, tail, problem);
}

err log_store_start(struct log_store *store, struct problem *problem)
{
    return store->driver == &driver_file ? ERR_OK : server_store_start(store, problem);
}
