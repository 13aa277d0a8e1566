/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_commit: the ledger's thread. It takes the sets that wait, commits them in order in one
 * transaction, tells their owners, and makes checkpoints when there is time. */
#include <string.h>

#include "base/fault.h"
#include "base/logline.h"
#include "base/metric.h"
#include "store/ledger_inside.h"

static err prepare_lazily(struct ledger *ledger, enum writes_operation operation,
                          enum ledger_table table, struct sql_statement **statement,
                          struct problem *problem)
{
    struct sql_statement **slot = operation == WRITES_PUT      ? &ledger->upserts[table]
                                  : operation == WRITES_DELETE ? &ledger->deletes[table]
                                                               : &ledger->finds[table];
    err error = ERR_OK;
    if (*slot == NULL) {
        struct buffer text;
        buffer_init(&text, 8192);
        if (operation == WRITES_PUT)
            table_write_upsert(table_of(table), &text);
        else if (operation == WRITES_DELETE)
            table_write_delete(table_of(table), &text);
        else
            table_write_select(&(struct read_shape){ .table = table, .whole_key = true, .by = -1 },
                               &text);
        error = buffer_status(&text);
        if (error != ERR_OK)
            problem_set(problem, error, "no memory for a statement on ledger table '%s'",
                        table_of(table)->name);
        else
            error = sql_prepare(ledger->sql, buffer_str(&text), slot, problem);
        buffer_deinit(&text);
    }
    *statement = *slot;
    return error;
}

static err write_row(struct ledger *ledger, const struct writes_row *row, struct problem *problem)
{
    struct sql_statement *statement;
    err error = prepare_lazily(ledger, row->operation, row->table, &statement, problem);
    if (error != ERR_OK)
        return error;
    for (int i = 0; i < row->count && error == ERR_OK; i++)
        error = sql_bind(statement, i, &row->values[i]);
    if (error != ERR_OK)
        return problem_set(problem, error, "a row of ledger table '%s' could not be bound",
                           table_of(row->table)->name);
    bool found;
    error = sql_step(ledger->sql, statement, &found, problem);
    sql_reset(statement);
    return error;
}

/* ---- sealing anew ---- */

static bool is_renewed(const struct ledger *ledger, enum ledger_table table)
{
    return ledger->renew != NULL && table != LEDGER_AUDIT;
}

err row_values_keep(struct ledger_value *values, int count, struct buffer *bytes)
{
    size_t size = 1;
    for (int i = 0; i < count; i++)
        if (values[i].kind == LEDGER_TEXT || values[i].kind == LEDGER_BLOB)
            size += values[i].bytes.size;
    buffer_clear(bytes);
    if (buffer_reserve(bytes, size) == NULL)
        return ERR_NOMEM;
    for (int i = 0; i < count; i++) {
        if ((values[i].kind != LEDGER_TEXT && values[i].kind != LEDGER_BLOB) ||
            values[i].bytes.size == 0)
            continue;
        const char *copy = bytes->data + bytes->size;
        buffer_append_str(bytes, values[i].bytes);
        values[i].bytes.data = copy;
    }
    return buffer_status(bytes);
}

/* Views of `row` point into `bytes`, which may be written. */
static size_t renew_values(struct ledger *ledger, const struct writes_row *row, char *bytes)
{
    size_t changed = 0;
    if (!is_renewed(ledger, row->table))
        return 0;
    for (int i = table_of(row->table)->keys; i < row->count; i++) {
        const struct ledger_value *value = &row->values[i];
        if ((value->kind == LEDGER_TEXT || value->kind == LEDGER_BLOB) && value->bytes.size > 0)
            changed += ledger->renew(ledger->renew_context, bytes + (value->bytes.data - bytes),
                                     value->bytes.size);
    }
    return changed;
}

/* The columns of the row that was found, in memory of ours. */
static err take_found(struct ledger *ledger, struct sql_statement *found, struct writes_row *row)
{
    const struct table *table = table_of(row->table);
    int places[LEDGER_COLUMNS_MAX];
    for (int i = 0; i < table->columns; i++)
        places[i] = i;
    sql_columns(found, table->kinds, places, table->columns, row->values);
    row->operation = WRITES_PUT;
    row->count = table->columns;
    return row_values_keep(row->values, row->count, &ledger->renewing);
}

static err renew_row(struct ledger *ledger, struct writes_row *row, struct problem *problem)
{
    struct sql_statement *find = NULL;
    bool found = false;
    if (!is_renewed(ledger, row->table))
        return ERR_OK;
    err error = prepare_lazily(ledger, WRITES_RENEW, row->table, &find, problem);
    for (int i = 0; error == ERR_OK && i < row->count; i++)
        error = sql_bind(find, i, &row->values[i]);
    if (error == ERR_OK)
        error = sql_step(ledger->sql, find, &found, problem);
    if (error == ERR_OK && found && (error = take_found(ledger, find, row)) != ERR_OK)
        problem_set(problem, error, "no memory for a row of ledger table '%s'",
                    table_of(row->table)->name);
    if (find != NULL)
        sql_reset(find);
    if (error == ERR_OK && found && renew_values(ledger, row, ledger->renewing.data) > 0)
        error = write_row(ledger, row, problem);
    return error;
}

static err write_set(struct ledger *ledger, struct ledger_writes *writes, struct problem *problem)
{
    struct writes_cursor cursor = { .next = writes->rows.data,
                                    .end = writes->rows.data + writes->rows.size };
    struct writes_row row;
    err error = ERR_OK;
    while (error == ERR_OK && writes_next(&cursor, &row)) {
        if (row.operation == WRITES_PUT)
            (void)renew_values(ledger, &row, writes->rows.data);
        error = row.operation == WRITES_RENEW ? renew_row(ledger, &row, problem)
                                              : write_row(ledger, &row, problem);
    }
    return error;
}

/* META 'applied_seq': eight bytes, little endian. */
static err write_applied_seq(struct ledger *ledger, uint64_t applied_seq, struct problem *problem)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(uint8_t)(applied_seq >> (8 * i));
    struct writes_row row = {
        .operation = WRITES_PUT,
        .table = LEDGER_META,
        .count = 2,
        .values = { ledger_text(STR("applied_seq")),
                    ledger_blob(str_from_bytes(bytes, sizeof(bytes))) },
    };
    return write_row(ledger, &row, problem);
}

static struct ledger_writes *writes_of(struct queue_item *item)
{
    return queue_entry(item, struct ledger_writes, item);
}

static uint64_t newest_seq(struct queue_item *group)
{
    uint64_t newest = 0;
    for (struct queue_item *item = group; item != NULL; item = item->next) {
        if (writes_of(item)->applied_seq > newest)
            newest = writes_of(item)->applied_seq;
    }
    return newest;
}

static err commit_group(struct ledger *ledger, struct queue_item *group, struct problem *problem)
{
    steady_ns start = steady_now();
    uint64_t applied_seq = newest_seq(group);
    err error = sql_begin(ledger->sql, problem);
    for (struct queue_item *item = group; item != NULL && error == ERR_OK; item = item->next)
        error = write_set(ledger, writes_of(item), problem);
    if (error == ERR_OK && applied_seq != 0)
        error = write_applied_seq(ledger, applied_seq, problem);
    if (error == ERR_OK && fault_fires(FAULT_LEDGER_BEFORE_COMMIT))
        error = problem_set(problem, ERR_IO, "the commit was made to fail");
    if (error == ERR_OK)
        error = sql_commit(ledger->sql, problem);
    if (error != ERR_OK) {
        sql_rollback(ledger->sql);
        return error;
    }
    (void)fault_fires(FAULT_LEDGER_AFTER_COMMIT);
    ledger->commit_ns = steady_now().ns - start.ns;
    if (applied_seq != 0)
        atomic_store(&ledger->applied_seq, applied_seq);
    if (applied_seq != 0 && !sql_is_file(ledger->sql))
        atomic_store(&ledger->synced_seq, applied_seq);
    metric_observe_us(METRIC_LEDGER_COMMIT_US, steady_since_us(start));
    return ERR_OK;
}

static void say_working(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger->state = ledger->state == LEDGER_DEAD ? LEDGER_DEAD : LEDGER_WORKING;
    pthread_cond_broadcast(&ledger->changed);
    pthread_mutex_unlock(&ledger->mutex);
}

/* Tell the owners in order, and give the sets back. */
static void finish_group(struct ledger *ledger, struct queue_item *group)
{
    while (group != NULL) {
        struct ledger_writes *writes = writes_of(group);
        group = group->next;
        turn_keep(ledger, writes);
        if (writes->committed != NULL)
            writes->committed(writes->context, writes->applied_seq);
        atomic_fetch_sub(&ledger->pending_bytes, writes->rows.size + sizeof(*writes));
        writes_recycle(ledger, writes);
        pthread_mutex_lock(&ledger->mutex);
        ledger->done++;
        pthread_mutex_unlock(&ledger->mutex);
    }
    say_working(ledger);
}

static void commit_failed(struct ledger *ledger, const struct problem *problem)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger->state = problem->error == ERR_SYNC ? LEDGER_DEAD : LEDGER_RETRYING;
    ledger->problem = *problem;
    pthread_cond_broadcast(&ledger->changed);
    pthread_mutex_unlock(&ledger->mutex);
    metric_add(METRIC_LEDGER_RETRIES, 1);
    log_line(LOG_ERROR, "ledger_commit_failed", "reason=\"%s\"", problem->detail);
}

static bool is_dead(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    bool dead = ledger->state == LEDGER_DEAD;
    pthread_mutex_unlock(&ledger->mutex);
    return dead;
}

/* Sleep in small steps, so that closing is not kept waiting. */
static void back_off(struct ledger *ledger, int64_t ms)
{
    for (int64_t slept = 0; slept < ms && !atomic_load(&ledger->closing); slept += 10)
        steady_sleep_ms(10);
}

/* Until it is committed, or there is no hope. False: the sets were not committed. */
static bool commit_until_done(struct ledger *ledger, struct queue_item *group)
{
    for (int64_t wait_ms = RETRY_FIRST_MS;;) {
        struct problem problem = { .error = ERR_OK };
        if (is_dead(ledger))
            return false;
        bool last_try = atomic_load(&ledger->closing);
        if (commit_group(ledger, group, &problem) == ERR_OK)
            return true;
        commit_failed(ledger, &problem);
        if (last_try)
            return false;
        back_off(ledger, wait_ms);
        wait_ms = wait_ms * 2 < RETRY_LAST_MS ? wait_ms * 2 : RETRY_LAST_MS;
    }
}

/* What the process could not commit before its end; the log has it. */
static void abandon_group(struct ledger *ledger, struct queue_item *group)
{
    size_t sets = 0;
    while (group != NULL) {
        struct ledger_writes *writes = writes_of(group);
        group = group->next;
        writes_recycle(ledger, writes);
        sets++;
    }
    log_line(LOG_ERROR, "ledger_abandoned",
             "sets=%zu cure=\"the log applies them at the next start\"", sets);
}

/* Pages that no checkpoint has seen. SQLite begins the write-ahead log anew when all of it is in the
 * database and nobody reads an old state; while somebody does, it grows on. */
static int64_t fresh_pages(struct ledger *ledger)
{
    int64_t pages = sql_wal_pages(ledger->sql);
    if (pages < ledger->checkpointed_pages)
        ledger->checkpointed_pages = 0;
    return pages - ledger->checkpointed_pages;
}

static bool is_checkpoint_due(struct ledger *ledger)
{
    int64_t fresh = fresh_pages(ledger);
    bool some = fresh > 0 || ledger->checkpoint_missed;
    if (fresh >= ledger->checkpoint_pages / CHECKPOINT_QUIET_SHARE &&
        queue_weight(&ledger->queue) == 0 &&
        steady_since_ms(ledger->checkpointed) >= CHECKPOINT_QUIET_MS)
        return true;
    return fresh >= ledger->checkpoint_pages ||
           (some && steady_since_ms(ledger->checkpointed) >= CHECKPOINT_MS);
}

static void checkpoint(struct ledger *ledger)
{
    uint64_t applied_seq = atomic_load(&ledger->applied_seq);
    struct problem problem = { .error = ERR_OK };
    bool complete = false;
    steady_ns start = steady_now();
    err error = sql_checkpoint(ledger->sql, &complete, &problem);
    metric_observe_us(METRIC_LEDGER_CHECKPOINT_US, steady_since_us(start));
    if (error != ERR_OK)
        commit_failed(ledger, &problem);
    else
        say_working(ledger);
    if (complete)
        atomic_store(&ledger->synced_seq, applied_seq);
    ledger->checkpoint_missed = !complete;
    ledger->checkpointed_pages = sql_wal_pages(ledger->sql);
    ledger->checkpointed = steady_now();
}

/* Somebody wants nothing left of what was there before: all of the write-ahead log goes into the database and is cut. */
static void scrub(struct ledger *ledger)
{
    uint64_t asked = atomic_load(&ledger->scrubs_asked);
    struct problem problem = { .error = ERR_OK };
    bool complete = false;
    if (asked == atomic_load(&ledger->scrubs_tried))
        return;
    err error = sql_cut(ledger->sql, &complete, &problem);
    if (error != ERR_OK)
        commit_failed(ledger, &problem);
    ledger->checkpointed_pages = sql_wal_pages(ledger->sql);
    pthread_mutex_lock(&ledger->mutex);
    atomic_store(&ledger->scrubs_tried, asked);
    if (complete)
        atomic_store(&ledger->scrubs_done, asked);
    pthread_cond_broadcast(&ledger->changed);
    pthread_mutex_unlock(&ledger->mutex);
}

err ledger_scrub(struct ledger *ledger, struct problem *problem)
{
    /* An empty set wakes the thread. */
    if (atomic_load(&ledger->is_moving))
        return problem_set(problem, ERR_BUSY, "the ledger is being moved to another place");
    struct ledger_writes *writes = ledger_writes_new(ledger);
    if (writes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to write to the ledger");
    uint64_t mine = atomic_fetch_add(&ledger->scrubs_asked, 1) + 1;
    err error = ledger_apply(ledger, &writes, 0, NULL, NULL);
    if (error != ERR_OK) {
        ledger_writes_free(&writes);
        return problem_set(problem, error, "the ledger takes no more");
    }
    ledger_hurry(ledger);
    pthread_mutex_lock(&ledger->mutex);
    while (atomic_load(&ledger->scrubs_tried) < mine && ledger->state != LEDGER_DEAD &&
           !atomic_load(&ledger->closing)) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&ledger->changed, &ledger->mutex, &until);
    }
    bool done = atomic_load(&ledger->scrubs_done) >= mine;
    pthread_mutex_unlock(&ledger->mutex);
    return done ? ERR_OK
                : problem_set(problem, ERR_BUSY, "the ledger's write-ahead log is being read");
}

/* Parked after a failed sync: what comes is kept, nothing is written. */
static void keep_until_closed(struct ledger *ledger, struct queue_item *group)
{
    while (!atomic_load(&ledger->closing))
        steady_sleep_ms(20);
    abandon_group(ledger, group);
    while ((group = queue_take(&ledger->queue, 0, 0)) != NULL)
        abandon_group(ledger, group);
}

void ledger_hurry(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    if (!ledger->hurried) {
        ledger->hurried = true;
        pthread_cond_broadcast(&ledger->changed);
    }
    pthread_mutex_unlock(&ledger->mutex);
}

static int64_t gather_ns(int64_t commit_ns)
{
    const int64_t least = GATHER_MS * INT64_C(1000000), most = GATHER_MS_MAX * INT64_C(1000000);
    int64_t wanted = commit_ns * GATHER_TIMES;
    return wanted < least ? least : wanted > most ? most : wanted;
}

/* After a commit: let sets gather for the next one. Who hurries has handed in before, so his set is in
 * the queue when the flag is taken back here. */
static void gather(struct ledger *ledger)
{
    int64_t until_ns = ledger->committed.ns + gather_ns(ledger->commit_ns);
    struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
                              .tv_nsec = (long)(until_ns % 1000000000) };
    pthread_mutex_lock(&ledger->mutex);
    while (!ledger->hurried && !atomic_load(&ledger->closing) && steady_now().ns < until_ns)
        pthread_cond_timedwait(&ledger->changed, &ledger->mutex, &until);
    ledger->hurried = false;
    pthread_mutex_unlock(&ledger->mutex);
}

static void *run(void *context)
{
    struct ledger *ledger = context;
    pthread_setname_np(pthread_self(), "kith-ledger");
    ledger->checkpointed = steady_now();
    for (;;) {
        gather(ledger);
        bool waits = fresh_pages(ledger) > 0 || ledger->checkpoint_missed;
        int64_t wait_ms = waits ? CHECKPOINT_LOOK_MS : -1;
        struct queue_item *group = queue_take(&ledger->queue, TRANSACTION_BYTES_MAX, wait_ms);
        if (group == NULL) {
            if (queue_is_closed(&ledger->queue))
                return NULL;
            if (!is_dead(ledger) && is_checkpoint_due(ledger))
                checkpoint(ledger);
            continue;
        }
        if (!commit_until_done(ledger, group)) {
            keep_until_closed(ledger, group);
            return NULL;
        }
        finish_group(ledger, group);
        ledger->committed = steady_now();
        turn_step(ledger);
        if (is_checkpoint_due(ledger))
            checkpoint(ledger);
        scrub(ledger);
    }
}

err ledger_start_thread(struct ledger *ledger, struct problem *problem)
{
    int code = pthread_create(&ledger->thread, NULL, run, ledger);
    if (code != 0)
        return problem_set(problem, ERR_NOMEM, "the ledger's thread cannot start: %s",
                           strerror(code));
    ledger->thread_runs = true;
    return ERR_OK;
}

void ledger_stop_thread(struct ledger *ledger)
{
    if (!ledger->thread_runs)
        return;
    atomic_store(&ledger->closing, true);
    ledger_hurry(ledger);
    queue_close(&ledger->queue);
    pthread_join(ledger->thread, NULL);
    ledger->thread_runs = false;
}

err ledger_drain(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    uint64_t target = ledger->handed_in;
    steady_ns failing_since = { 0 };
    err error = ERR_OK;
    ledger->hurried = true;
    pthread_cond_broadcast(&ledger->changed);
    while (ledger->done < target && error == ERR_OK) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&ledger->changed, &ledger->mutex, &until);
        if (ledger->state == LEDGER_WORKING)
            failing_since = (steady_ns){ 0 };
        else if (failing_since.ns == 0)
            failing_since = steady_now();
        if (ledger->state == LEDGER_DEAD ||
            (failing_since.ns != 0 && steady_since_ms(failing_since) > GIVE_UP_MS))
            error = ledger->done < target ? ledger->problem.error : ERR_OK;
    }
    pthread_mutex_unlock(&ledger->mutex);
    return error;
}

bool ledger_is_failing(struct ledger *ledger, struct problem *problem)
{
    pthread_mutex_lock(&ledger->mutex);
    bool failing = ledger->state != LEDGER_WORKING;
    if (failing && problem != NULL)
        *problem = ledger->problem;
    pthread_mutex_unlock(&ledger->mutex);
    return failing;
}

uint64_t ledger_applied_seq(struct ledger *ledger)
{
    return atomic_load(&ledger->applied_seq);
}

uint64_t ledger_synced_seq(struct ledger *ledger)
{
    return atomic_load(&ledger->synced_seq);
}
