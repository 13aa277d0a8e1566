/* SPDX-License-Identifier: Apache-2.0 */
/* ledger: opening with its migrations, and closing. */
#include "store/ledger.h"

#include <string.h>

#include "base/logline.h"
#include "store/ledger_inside.h"
#include "store/migrations.h"

#define WRITER_CACHE_BYTES (INT64_C(192) << 20)
#define READERS_DEFAULT 6

static err migrate_one(struct sql *sql, const struct migration *migration, struct problem *problem)
{
    err error = sql_begin(sql, problem);
    if (error != ERR_OK)
        return error;
    error = sql_execute(sql, migration->sql, problem);
    if (error == ERR_OK)
        error = sql_set_version(sql, migration->number, problem);
    if (error == ERR_OK)
        error = sql_commit(sql, problem);
    if (error != ERR_OK) {
        sql_rollback(sql);
        return error;
    }
    log_line(LOG_INFO, "ledger_migrated", "migration=%s", migration->name);
    return ERR_OK;
}

err ledger_migrate(struct sql *sql, struct problem *problem)
{
    int version = 0;
    err error = sql_version(sql, &version, problem);
    if (error != ERR_OK)
        return error;
    int newest = ledger_migrations[ledger_migration_count - 1].number;
    if (version > newest) {
        problem_set(problem, ERR_CONFLICT, "ledger '%s' has version %d, this Kith knows %d",
                    sql_name(sql), version, newest);
        return problem_hint(problem, ERR_CONFLICT, "start the Kith that wrote it, or a newer one");
    }
    /* Numbers rise; they may leave gaps. */
    for (int i = 0; i < ledger_migration_count && error == ERR_OK; i++) {
        INVARIANT(i == 0 || ledger_migrations[i].number > ledger_migrations[i - 1].number);
        if (ledger_migrations[i].number > version)
            error = migrate_one(sql, &ledger_migrations[i], problem);
    }
    for (int t = 0; t < LEDGER_TABLE_COUNT && error == ERR_OK; t++)
        error = table_check(sql, (enum ledger_table)t, problem);
    return error;
}

/* Of one that another writes: it is looked at as it is. */
static err ledger_check_version(struct sql *sql, struct problem *problem)
{
    int version = 0, newest = ledger_migrations[ledger_migration_count - 1].number;
    err error = sql_version(sql, &version, problem);
    if (error != ERR_OK || version == newest)
        return error;
    problem_set(problem, ERR_UNAVAILABLE, "ledger '%s' has version %d, this Kith needs %d",
                sql_name(sql), version, newest);
    return problem_hint(problem, ERR_UNAVAILABLE,
                        "the server that writes it has to be started first, with the same version");
}

static bool take_applied_seq(void *context, const struct ledger_value *values)
{
    uint64_t seq = 0;
    str bytes = values[1].bytes;
    for (size_t i = 0; i < bytes.size && i < 8; i++)
        seq |= (uint64_t)(uint8_t)bytes.data[i] << (8 * i);
    *(uint64_t *)context = seq;
    return true;
}

/* What was read at open is as old as the last checkpoint of a former process at least; whether its
 * tail was synced is not known, so it is synced now. */
static err sync_at_open(struct ledger *ledger, struct problem *problem)
{
    bool complete = false;
    err error = sql_checkpoint(ledger->sql, &complete, problem);
    if (error == ERR_OK && complete)
        atomic_store(&ledger->synced_seq, atomic_load(&ledger->applied_seq));
    return error;
}

static void init_locks(struct ledger *ledger)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&ledger->mutex, NULL);
    pthread_cond_init(&ledger->changed, &steady);
    pthread_mutex_init(&ledger->readers_mutex, NULL);
    pthread_cond_init(&ledger->reader_free, NULL);
    pthread_condattr_destroy(&steady);
    queue_init(&ledger->queue, SIZE_MAX);
}

err ledger_open(struct ledger **out, const struct ledger_config *config, struct problem *problem)
{
    struct ledger *ledger = memory_alloc(sizeof(*ledger));
    if (ledger == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open the ledger");
    init_locks(ledger);
    ledger->renew = config->renew;
    ledger->renew_context = config->renew_context;
    buffer_init(&ledger->renewing, WRITES_BYTES_MAX);
    ledger->checkpoint_pages =
        config->checkpoint_pages > 0 ? config->checkpoint_pages : CHECKPOINT_PAGES_DEFAULT;
    struct sql_config writer = { .path = config->path,
                                 .vfs = config->vfs,
                                 .read_only = config->read_only,
                                 .epoch = config->epoch,
                                 .cache_bytes = WRITER_CACHE_BYTES };
    err error = sql_open(&ledger->sql, &writer, problem);
    if (error == ERR_OK)
        error = config->read_only ? ledger_check_version(ledger->sql, problem)
                                  : ledger_migrate(ledger->sql, problem);
    struct ledger_config settled = *config;
    if (settled.readers <= 0)
        settled.readers = READERS_DEFAULT;
    if (error == ERR_OK)
        error = readers_open(ledger, &settled, problem);
    uint64_t applied_seq = 0;
    struct ledger_value key = ledger_text(STR("applied_seq"));
    if (error == ERR_OK)
        error = ledger_find(ledger, LEDGER_META, &key, 1, take_applied_seq, &applied_seq, problem);
    atomic_store(&ledger->applied_seq, applied_seq);
    if (error == ERR_OK)
        error = sync_at_open(ledger, problem);
    if (error == ERR_OK)
        error = ledger_start_thread(ledger, problem);
    if (error != ERR_OK)
        ledger_close(&ledger);
    else
        *out = ledger;
    return error;
}

static void finish_statements(struct ledger *ledger)
{
    for (int t = 0; t < LEDGER_TABLE_COUNT; t++) {
        sql_finish(&ledger->upserts[t]);
        sql_finish(&ledger->deletes[t]);
        sql_finish(&ledger->finds[t]);
    }
}

void ledger_close(struct ledger **out)
{
    struct ledger *ledger = *out;
    *out = NULL;
    if (ledger == NULL)
        return;
    ledger_stop_thread(ledger);
    readers_close(ledger);
    finish_statements(ledger);
    if (ledger->sql != NULL && ledger->state == LEDGER_DEAD)
        sql_close_without_sync(ledger->sql);
    sql_close(&ledger->sql);
    writes_free_all(ledger);
    buffer_deinit(&ledger->renewing);
    queue_deinit(&ledger->queue);
    pthread_cond_destroy(&ledger->reader_free);
    pthread_mutex_destroy(&ledger->readers_mutex);
    pthread_cond_destroy(&ledger->changed);
    pthread_mutex_destroy(&ledger->mutex);
    memory_free(ledger);
}

const char *ledger_table_name(enum ledger_table table)
{
    return table_of(table)->name;
}

int ledger_table_columns(enum ledger_table table)
{
    return table_of(table)->columns;
}

int ledger_table_keys(enum ledger_table table)
{
    return table_of(table)->keys;
}

bool ledger_table_is_digested(enum ledger_table table)
{
    return table_of(table)->digested;
}
