/* SPDX-License-Identifier: Apache-2.0 */
/* imports: the pool of workers. A worker takes the next job that the ledger says is to be done; what is to be
 * done is known there alone, so a restart needs nothing else. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/logline.h"
#include "imports/inside.h"

#define LOOK_MS 1000
#define UPLOAD_BYTES_MAX (INT64_C(100) << 30)
#define RETRY_MS 2000

struct worker {
    struct imports *imports;
    unsigned index;
};

bool imports_mutates(const char *defect)
{
#ifdef KITH_FAULTS
    const char *mutations = getenv("KITH_MUTATE_IMPORT");
    return mutations != NULL && strstr(mutations, defect) != NULL;
#else
    (void)defect;
    return false;
#endif
}

/* ---- a worker ---- */

static uint32_t take_job(struct imports *imports, unsigned index)
{
    pthread_mutex_lock(&imports->mutex);
    uint32_t number = imports->stopping ? 0 : imports_next_job(imports);
    while (number == 0 && !imports->stopping) {
        struct timespec deadline;
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_sec += LOOK_MS / 1000;
        imports->woken = false;
        pthread_cond_timedwait(&imports->wake, &imports->mutex, &deadline);
        number = imports->stopping ? 0 : imports_next_job(imports);
    }
    imports->running[index] =
        (struct running){ .number = number, .began_ms = steady_now().ns / 1000000 };
    pthread_mutex_unlock(&imports->mutex);
    return number;
}

/* A job whose file or mapping is at fault fails, and goes on from there once it is cured; what passes by itself
 * (the disk, the warehouse, the end of the server) leaves it as it is. */
static void note_failure(struct imports *imports, uint32_t number, err error,
                         struct problem *problem)
{
    struct problem told = *problem, unused;
    if (told.detail[0] == '\0')
        problem_set(&told, error, "%s", err_title(error));
    log_line(LOG_WARN, "import_failed", "number=%u error=%s reason=\"%s\"", number, err_code(error),
             told.detail);
    if (err_is_retriable(error)) {
        steady_sleep_ms(RETRY_MS);
        return;
    }
    if (imports_set_state(imports, number, "failed", str_from_c(told.detail), &unused) != ERR_OK)
        log_line(LOG_WARN, "import_state", "number=%u kept=running", number);
}

static void do_job(struct imports *imports, struct running *running)
{
    struct problem problem = { .error = ERR_OK };
    struct import_row row;
    err error = import_row_read(imports, running->number, &row, &problem);
    if (error != ERR_OK)
        return;
    running->began_bytes = row.bytes;
    running->began_rows = row.rows;
    bool undoing = str_equal(str_from_c(row.status), STR("undoing"));
    if (undoing)
        running->stage = "undoing";
    error = undoing ? undo_job(imports, running, &row, &problem)
                    : run_job(imports, running, &row, &problem);
    if (error != ERR_OK && !imports_must_stop(imports, running))
        note_failure(imports, running->number, error, &problem);
    import_row_deinit(&row);
}

static void *work(void *context)
{
    struct worker worker = *(struct worker *)context;
    struct imports *imports = worker.imports;
    memory_free(context);
    pthread_setname_np(pthread_self(), "kith-import");
    while (take_job(imports, worker.index) != 0) {
        do_job(imports, &imports->running[worker.index]);
        pthread_mutex_lock(&imports->mutex);
        imports->running[worker.index].number = 0;
        pthread_mutex_unlock(&imports->mutex);
        atomic_fetch_add(&imports->changes, 1);
    }
    return NULL;
}

/* The state of some job was changed from outside: whoever works on it looks again. */
void imports_wake(struct imports *imports)
{
    struct import_row row;
    struct problem problem;
    pthread_mutex_lock(&imports->mutex);
    for (unsigned i = 0; i < imports->thread_count; i++) {
        struct running *running = &imports->running[i];
        uint32_t number = running->number;
        if (number == 0 || import_row_read(imports, number, &row, &problem) != ERR_OK)
            continue;
        str status = str_from_c(row.status);
        running->stop = running->stop || str_equal(status, STR("paused")) ||
                        (str_equal(status, STR("undoing")) &&
                         (running->stage == NULL || strcmp(running->stage, "undoing") != 0));
        import_row_deinit(&row);
    }
    imports->woken = true;
    pthread_cond_broadcast(&imports->wake);
    pthread_mutex_unlock(&imports->mutex);
    atomic_fetch_add(&imports->changes, 1);
}

/* ---- opening and closing ---- */

static err make_folder(struct imports *imports, struct problem *problem)
{
    const struct imports_config *config = &imports->config;
    if (mkdir(config->folder, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, "the folder '%s' cannot be made: %s", config->folder,
                           strerror(errno));
    snprintf(imports->folder, sizeof imports->folder, "%s", config->folder);
    char found[PATH_MAX] = "";
    if (config->allowed_folder != NULL && realpath(config->allowed_folder, found) == NULL)
        return problem_set(problem, ERR_IO, "the import folder '%s' cannot be found: %s",
                           config->allowed_folder, strerror(errno));
    if (strlen(found) >= sizeof imports->allowed)
        return problem_set(problem, ERR_INVALID, "the import folder's path is too long");
    memcpy(imports->allowed, found, strlen(found) + 1);
    return uploads_clean(imports, problem);
}

static err start_workers(struct imports *imports, struct problem *problem)
{
    unsigned wanted = imports->config.threads;
    for (unsigned i = 0; i < wanted; i++) {
        struct worker *worker = memory_alloc(sizeof *worker);
        if (worker == NULL)
            return ERR_NOMEM;
        *worker = (struct worker){ imports, i };
        if (pthread_create(&imports->threads[i], NULL, work, worker) != 0) {
            memory_free(worker);
            return problem_set(problem, ERR_NOMEM, "no thread could be started for imports");
        }
        imports->thread_count++;
    }
    if (pthread_create(&imports->schedule, NULL, schedule_run, imports) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started for imports");
    imports->schedule_runs = true;
    return ERR_OK;
}

err imports_open(struct imports **opened, const struct imports_config *config,
                 struct problem *problem)
{
    struct imports *imports = memory_alloc(sizeof *imports);
    if (imports == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for imports");
    imports->config = *config;
    imports->engine = config->engine;
    if (imports->config.threads == 0)
        imports->config.threads = 1;
    if (imports->config.threads > THREADS_MAX)
        imports->config.threads = THREADS_MAX;
    if (imports->config.upload_bytes_max == 0)
        imports->config.upload_bytes_max = UPLOAD_BYTES_MAX;
    if (imports->config.zone_offset_seconds == 0)
        imports->config.zone_offset_seconds = 8 * 3600;
    pthread_mutex_init(&imports->mutex, NULL);
    pthread_mutex_init(&imports->retract_mutex, NULL);
    pthread_mutex_init(&imports->uploads_mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&imports->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    err error = make_folder(imports, problem);
    if (error == ERR_OK)
        error = start_workers(imports, problem);
    if (error != ERR_OK)
        imports_close(&imports);
    *opened = imports;
    return error;
}

void imports_close(struct imports **closed)
{
    struct imports *imports = *closed;
    *closed = NULL;
    if (imports == NULL)
        return;
    pthread_mutex_lock(&imports->mutex);
    imports->stopping = true;
    pthread_cond_broadcast(&imports->wake);
    pthread_mutex_unlock(&imports->mutex);
    for (unsigned i = 0; i < imports->thread_count; i++)
        pthread_join(imports->threads[i], NULL);
    if (imports->schedule_runs)
        pthread_join(imports->schedule, NULL);
    uploads_free(imports);
    pthread_cond_destroy(&imports->wake);
    pthread_mutex_destroy(&imports->mutex);
    pthread_mutex_destroy(&imports->retract_mutex);
    pthread_mutex_destroy(&imports->uploads_mutex);
    memory_free(imports);
}
